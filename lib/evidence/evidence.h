/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets around an alert: from the history of a shard to a file.
 *
 *   core --wish--> worker that owns the shard --packets--> writer thread --> a pcapng file
 *
 * The core says which flow, around which packet (ft_evidence_wish()). The worker of the shard looks
 * through the history for the flow's packets before it, then for those that follow, some at a time
 * (ft_evidence_turn()), and copies them into the wish. The writer makes a file of it
 * (ft_evidence_take(), store.h). A wish is one piece of memory that goes round; all three hand it
 * on without a lock.
 *
 * What is copied is a function of the shard's packets and of the wish, if the worker has not
 * overwritten them: the packets of the flow in the FT_HISTORY_SEGMENTS segments up to the packet at
 * which the alert was told, of the last `before_ns`; then all up to the first packet of the shard
 * that is later than `after_ns`, or to the limits, or to the flow's end. Where nobody needs to
 * hurry (captures) workers see to it that nothing is overwritten that the core may still ask for
 * (ft_evidence_through()), so the result is the same for any number of workers. Live they do not
 * wait; what was overwritten is missing, and the file says so.
 */
#ifndef FT_EVIDENCE_H
#define FT_EVIDENCE_H

#include "evidence/history.h"

#include <stdatomic.h>

/** Limits; the init function fills in the defaults. */
struct ft_evidence_config {
    uint64_t memory;      /**< of the history of all shards; default 64 MiB */
    uint32_t snap_length; /**< bytes of a packet; default 4096 */
    uint64_t before_ns;   /**< default 30 s */
    uint64_t after_ns;    /**< default 10 s */
    uint32_t packets;     /**< of an alert, half of them before the trigger; default 200 */
    uint32_t bytes;       /**< of an alert, half of them before; default 256 KiB */
    uint32_t burst;       /**< packets that a worker inspects before it says so; default 64 */
    bool is_live;         /**< nobody waits: what finds no room is dropped and counted */
};

void ft_evidence_config_init(struct ft_evidence_config *config);

/** Longest texts of a request, with their end; longer ones are cut. */
#define FT_EVIDENCE_ID    128u
#define FT_EVIDENCE_TITLE 256u

/** What the core asks for. */
struct ft_evidence_request {
    char id[FT_EVIDENCE_ID];       /**< of the alert: its event_uid */
    char title[FT_EVIDENCE_TITLE]; /**< for people */
    char key[FT_EVIDENCE_ID];      /**< "modbus.malformed" */
    uint8_t shard;
    uint64_t flow;     /**< ft_history_flow() of the trigger */
    uint64_t seq;      /**< of the trigger */
    uint64_t number;   /**< likewise */
    uint64_t time_ns;  /**< likewise, on the sensor clock */
    uint64_t now_seq;  /**< of what the core is at: not before `seq` */
    uint64_t stamp_ns; /**< of the trigger, for people */
};

/** A packet that stands in a history. */
struct ft_evidence_note {
    struct ft_history_place place;
    uint32_t size;
};

enum ft_evidence_stage {
    FT_EVIDENCE_BEGIN = 0,
    FT_EVIDENCE_BEFORE, /**< looking for packets up to the trigger */
    FT_EVIDENCE_COPY,   /**< copying the last of them */
    FT_EVIDENCE_AFTER,  /**< copying what follows */
    FT_EVIDENCE_DONE,
};

/** A wish on its way. Once it is done, `records` are the packets found, in order. */
struct ft_evidence_wish {
    struct ft_evidence_wish *next;
    struct ft_evidence_request request;
    enum ft_evidence_stage stage;
    bool is_lost;                  /**< packets were overwritten before they were copied */
    uint32_t packets;              /**< in `records` */
    uint32_t trigger;              /**< which of them it is, from 0; UINT32_MAX: it is not there */
    uint32_t used;                 /**< bytes of `records` */
    uint8_t *records;              /**< each a struct ft_history_record and its bytes */
    struct ft_history_place place; /**< how far the history has been read */
    uint64_t noted;                /**< packets found before; the last ones are in `notes` */
    uint64_t next_note;
    struct ft_evidence_note *notes; /**< config.packets */
};

/** Why there is no file for an alert that wanted one. */
enum ft_evidence_drop {
    FT_EVIDENCE_BUSY = 0,  /**< too many at a time (live) */
    FT_EVIDENCE_MEMORY,    /**< there was none */
    FT_EVIDENCE_NO_PACKET, /**< the history had no packet of the flow */
    FT_EVIDENCE_DISK,      /**< the file could not be written */
    FT_EVIDENCE_DROPS
};

/** "busy", "memory", "no_packet", "disk". */
const char *ft_evidence_drop_name(enum ft_evidence_drop why);

/** wanted = written + dropped + pending. */
struct ft_evidence_stats {
    uint64_t wanted;
    uint64_t written;
    uint64_t dropped[FT_EVIDENCE_DROPS];
    uint64_t pending;
    uint64_t incomplete;     /**< of `written`: packets were overwritten before they were copied */
    uint64_t without;        /**< of `written`: without the packet that triggered the alert */
    uint64_t packets, bytes; /**< in files that were written */
};

struct ft_evidence;

/** Make it, for `workers`; NULL and a sentence when memory is short. */
struct ft_evidence *ft_evidence_new(const struct ft_evidence_config *config, uint32_t workers,
                                    char *error, size_t error_size);
void ft_evidence_free(struct ft_evidence *e);

/** Shard `shard` belongs to `worker`, whose memory is on NUMA node `node` (-1: any). */
void ft_evidence_own(struct ft_evidence *e, uint8_t shard, uint32_t worker, int node);

/** Where packets are kept. */
struct ft_history *ft_evidence_history(struct ft_evidence *e);

/** Statistics; any thread. What is pending is what was not yet counted elsewhere. */
struct ft_evidence_stats ft_evidence_stats(const struct ft_evidence *e);

/* ---- the core's thread ---- */

/**
 * Ask for the packets of a flow; false when that was dropped, and counted. On captures it may wait
 * for the writer.
 */
bool ft_evidence_wish(struct ft_evidence *e, const struct ft_evidence_request *request);

/** Everything up to `seq` was looked at: no wish will come with an earlier now_seq. */
void ft_evidence_through(struct ft_evidence *e, uint64_t seq);

/* ---- a worker's thread ---- */

/**
 * Take new wishes, go on with some packets of those that are open. Between bursts, and while
 * nothing arrives. `now_ns`: time of the last packet or tick, on the sensor clock; live, what no
 * packet has ended by then ends. Cost: a test when there is nothing; else at most 256 records
 * looked at and 16 packets copied (on captures all there is).
 */
void ft_evidence_turn(struct ft_evidence *e, uint32_t worker, uint64_t now_ns);

/** Finish all wishes with what there is: when all workers and the core have ended. */
void ft_evidence_finish(struct ft_evidence *e);

/* ---- the writer's thread ---- */

/** The wishes that are done, in a list by `next`, in the order in which they became so; or NULL. */
struct ft_evidence_wish *ft_evidence_take(struct ft_evidence *e);

/** Give one back: it was written with so many bytes (0: `why` not), counted and used again. */
void ft_evidence_release(struct ft_evidence *e, struct ft_evidence_wish *wish, uint64_t bytes,
                         enum ft_evidence_drop why);

#endif
