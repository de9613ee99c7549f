/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets of alerts in a running sensor: workers keep and copy them (lib/evidence), a thread of its
 * own writes the files, so that nothing waits for a disk.
 */
#ifndef EVIDENCE_H
#define EVIDENCE_H

#include "evidence/evidence.h"
#include "evidence/store.h"

#include <pthread.h>

struct options;
struct sensor;
struct worker;
struct ft_core_config;

/** What a sensor has for it. */
struct evidence_state {
    struct ft_evidence *wishes; /**< NULL: no packets are kept */
    struct ft_evidence_store *store;
    char os[160], hardware[160];
    char *folder;
    pthread_t thread;
    bool has_thread;
    bool was_beside;         /**< it was said that names were taken; the thread's */
    bool is_over;            /**< nothing is asked for any more; the alerting loop's */
    _Atomic bool is_ending;  /**< of the thread */
    _Atomic int why;         /**< errno of the last file that could not be written */
    _Atomic bool is_failing; /**< that was the last one */
    bool is_told;            /**< that there is trouble; the alerting loop's, as what follows */
    uint64_t told_ns;        /**< when something was */
    uint64_t told_lost;      /**< files not written, when its end was */
};

/**
 * The folder where a sensor with these options keeps packets of alerts: false when it has none, or
 * its name is too long. For whoever looks for them: ft_evidence_open().
 */
bool evidence_folder(const struct options *o, char *path, size_t size);

/** Make what workers need, if packets are kept. False and a sentence when memory is short. */
bool evidence_make(struct sensor *s, char *error, size_t error_size);

/** Have the core ask for packets, if any are kept. */
void evidence_ask(struct sensor *s, struct ft_core_config *config);

/**
 * The highest number of an alert that has packets there, of an earlier run: 0 when none has, or
 * none are kept. Who asks says where numbers go on.
 */
uint64_t evidence_last(const struct sensor *s);

/** Open the folder, when that of eve.json is there, and begin to write. */
bool evidence_open(struct sensor *s, char *error, size_t error_size);

/** When workers and the alerting loop have ended: copy what is left, write it. */
void evidence_end(struct sensor *s);
void evidence_free(struct sensor *s);

/** In each turn of a worker. Cost when there is nothing to do: some loads. */
void evidence_turn(struct worker *w);

/** The member `evidence` of statistics, live. */
struct ft_json;
void evidence_put_stats(const struct sensor *s, struct ft_json *j);

/** By the alerting loop, at a tick: tell what went wrong, and that it is over. */
void evidence_tick(struct sensor *s);

#endif
