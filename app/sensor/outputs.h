/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The way of lines out of a sensor that keeps them: alerting loop -> journal -> sinks.
 *
 *   alerting loop --append--> journal (memory, disk) --readers--> sinks, a thread each
 *
 * Without a journal (captures, unless the configuration has the section `journal`) the alerting
 * loop writes eve.json itself, with the same encoder; then all of this does nothing.
 *
 * Everything here is called by the alerting loop's thread, which is the one that starts and ends
 * the run. Nothing but opening and closing waits for a disk or a receiver; closing for a bounded
 * time.
 */
#ifndef OUTPUTS_H
#define OUTPUTS_H

#include "base/json.h"
#include "fieldtap/dissector.h"
#include "journal/journal.h"
#include "output/sinks.h"

#include <jansson.h>

struct sensor;
struct options;

struct outputs {
    struct ft_journal *journal;      /**< NULL: there is none, or it was closed */
    struct ft_sinks *sinks;          /**< NULL: there are none */
    struct ft_sinks_options options; /**< of them */
    const char **protocols;          /**< names for filters, ended by NULL */
    char *folder;                    /**< of the journal */
    bool is_used;                    /**< lines go through a journal */
    bool is_running;                 /**< the sinks are */
    bool is_stuck;        /**< one of them did not end: it is left behind, with all it uses */
    bool waits;           /**< captures: the disk is waited for */
    uint64_t appended;    /**< lines given to the journal */
    uint64_t since_flush; /**< bytes of them */
    uint64_t flush_bytes; /**< captures: so many in memory are enough */
    uint64_t looked_ns;   /**< CLOCK_MONOTONIC */
    struct {
        bool is_trouble;                /**< was told */
        uint64_t state_ns, given_up_ns; /**< when something was told of it; 0 = never */
        uint64_t given_up[FT_JOURNAL_CLASSES][FT_JOURNAL_LOSSES];    /**< of those, told */
        uint64_t folders_made, files_gone, lost[FT_JOURNAL_CLASSES]; /**< likewise */
    } told;
    struct {
        uint64_t behind_ns; /**< since when it is far behind; 0 = it is not */
        bool is_told;
    } lag[FT_SINKS_MAX];
    struct ft_journal_state state;         /**< as of the last look; at the end the last */
    struct ft_journal_stats journal_stats; /**< when it was closed */
};

/** Does a run with these options have a journal? */
bool outputs_have_journal(const struct options *o);

/** The folder for what outlives a run, as systemd's StateDirectory= has it; NULL: this is no
 * service, or one without. */
const char *outputs_state_folder(void);

/** Read outputs[]: false after saying what is wrong (exit code 2). */
bool outputs_read(struct sensor *s);

/** Before the sensor becomes another user: the journal's folder, for that user. False after saying
 * why there is none. */
bool outputs_give_folders(struct sensor *s);

/** Make the sockets of outputs, before the sensor becomes another user. False and a sentence. */
bool outputs_listen(struct sensor *s, char *error, size_t error_size);

/** Open the journal, and the output that keeps lines in it. False after saying why not. */
bool outputs_open(struct sensor *s);

/** Begin to send. False after saying why not. */
bool outputs_start(struct sensor *s);

/** A health event by the clock of this machine live, where packets may not come; by that of packets
 * in captures. */
void outputs_tell(struct sensor *s, const char *name, enum ft_severity severity, const char *text);

/**
 * The number that lines are above at least when a journal does not know of it: the last of eve.json
 * in the folder of -l, and of an alert with packets (evidence.h). 0 = there is none.
 */
uint64_t outputs_numbers_after(const struct sensor *s);

/** Five times a second: health events of journal and sinks; files reopened if asked for. */
void outputs_watch(struct sensor *s);

/** Members `journal` and `outputs` of a stats event; `user` is the sensor. */
void outputs_put_stats(void *user, struct ft_json *j);

/** The same for stats.json, when the journal is closed: an object, a list. */
json_t *outputs_journal_books(const struct sensor *s);
json_t *outputs_sink_books(const struct sensor *s);

/** Has the journal got all lines that were made? At the end: are they on disk or given up? */
bool outputs_balance(const struct sensor *s);

/** Sync, let the sinks send what there is, close. False after saying what was lost. */
bool outputs_close(struct sensor *s);

/** Of a run that could not begin, or is over. False: the thread of a sink hangs in a call of the
 * system and was left behind; what it uses (the journal, names of protocols) must stay. */
bool outputs_free(struct sensor *s);

/** What records of the journal came to, all classes; when it was closed. */
struct outputs_sum {
    uint64_t appended, synced, given_up;
};
struct outputs_sum outputs_sum(const struct ft_journal_stats *stats);

#endif
