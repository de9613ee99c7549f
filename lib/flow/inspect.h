/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inspection: from decoded packets of a shard to events.
 *
 * A worker has one struct ft_inspector. It gives it bursts of decoded packets of the shards it
 * owns, and ticks; the inspector finds flows, puts streams in order, recognises protocols, cuts and
 * dissects PDUs, decides what is new, writes events into the worker's ring and keeps the worker's
 * books. The state of shards is in struct ft_shards, shared by all workers, each shard used by its
 * owner only.
 *
 * A dissector that crashes or runs too long is abandoned: the fault handler jumps out of it, the
 * packet is booked shed.fault, the dissector is switched off and a health event told. It is
 * switched off in all shards where events may be shed (live); where they wait (files), in the shard
 * of the fault only, so that the events are the same with any number of workers.
 */
#ifndef FT_INSPECT_H
#define FT_INSPECT_H

#include "dissect/context.h"
#include "event/ledger.h"
#include "event/novelty.h"
#include "event/ring.h"
#include "flow/flow.h"
#include "flow/stream.h"
#include "match/recognise.h"
#include "packet/duplicate.h"
#include "rules/ruleset.h"

/** Sizes; the init function fills in the defaults. */
struct ft_shards_config {
    struct ft_flow_config flow;
    uint32_t entries_per_shard;            /**< channels, requests, reassemblies; default 8192 */
    uint32_t small_buffers, large_buffers; /**< per shard; default 64 and 8 */
    uint32_t novelty_buckets;              /**< of eight, per shard, a power of two; default 0: a
                                              bucket a flow, what most flows need */
    bool log_messages, log_transactions;
    uint64_t duplicate_window_ns; /**< copies within it are left out; default 0: none are */
    uint64_t duplicate_seed;      /**< fixed offline, random live */
};

void ft_shards_config_init(struct ft_shards_config *config);

/** A flow whose request slot is to be looked at. */
struct ft_watch {
    uint64_t flow; /**< as struct ft_owner.flow */
    uint64_t time_ns;
};

/** A line of them in one shard, in order of time. */
struct ft_watch_line {
    struct ft_watch *entries;
    uint32_t size;
    uint64_t head, tail;
};

#define FT_SIGHTINGS 256u /**< of a shard; power of two */

/**
 * Messages that the core counts over all shards, told once a second each and so many a second at
 * most, with the number of those in between: a flood of them must not become a flood of events.
 */
struct ft_sightings {
    struct {
        uint64_t hash;
        uint32_t second, count; /**< packet time when told; those since then */
    } slots[FT_SIGHTINGS];
    uint32_t second, told; /**< in this second */
    uint32_t untold;       /**< not told at all */
};

#define FT_RULE_HITS 256u /**< of a shard; power of two */

/** What rules found, told once a second for each rule and pair of hosts, with how often. */
struct ft_rule_hits {
    struct ft_rule_slot {
        uint64_t hash;
        uint32_t second; /**< packet time when told, or found */
        uint32_t count;  /**< hits since then */
        /** Of the last of these: as in struct ft_packet. A tick may be much later. */
        uint64_t last_ns, last_stamp_ns, last_number;
        /** Of rules that count different values: those of this second, the first so many of them
         * told, and how often there were too many to keep. */
        uint16_t value_count, values_told, overflows;
        uint16_t told; /**< hits that were told each for itself in this second */
        uint64_t values[FT_EVENT_VALUES];
        /** As it was told, without its message's fields, and behind it the evidence. */
        union {
            struct ft_event event;
            uint8_t bytes[sizeof(struct ft_event) + FT_EVENT_KEPT];
        };
    } slots[FT_RULE_HITS];
    uint32_t second, told; /**< in this second */
    uint32_t waiting;      /**< slots with a count */
    uint64_t held;         /**< sum of the counts */
    uint32_t sweep;        /**< flows that are older than the rules: next to be tested; 0 = none */
    bool sweeps_all;   /**< on all rules, not only new ones: the last sweep was not at its end */
    uint64_t since_ns; /**< when the first flow under these rules began; UINT64_MAX: none yet */
};

#define FT_TAILS      256u /**< flows of a shard whose last bytes are kept */
#define FT_TAIL_BYTES 255u

/** The last bytes of a stream that no dissector reads, in both directions. */
struct ft_tail {
    uint64_t flow; /**< whose they are; 0 = nobody's */
    uint8_t length[2];
    uint8_t bytes[2][FT_TAIL_BYTES];
};

struct ft_shards {
    const struct ft_registry *registry;
    const struct ft_recogniser *recogniser;
    struct ft_flow_table *flows;
    struct ft_state state[FT_SHARDS];
    struct ft_novelty novelty[FT_SHARDS];
    struct ft_watch_line watched[FT_SHARDS];
    struct ft_sightings sightings[FT_SHARDS];
    /** Outer addresses of flows that came in a tunnel, by index of the flow: as its side A sends.
     */
    struct ft_outer *outers[FT_SHARDS];
    struct ft_tail *tails[FT_SHARDS]; /**< FT_TAILS each, by index of the flow */
    struct ft_duplicates *duplicates; /**< NULL: no packet is a copy */
    struct ft_mirror *mirrors;        /**< by shard: what the mirror does */
    struct ft_rule_hits *rule_hits;   /**< by shard */
    struct ft_shards_config config;
};

/** Make the state of all shards; NULL and a sentence when memory is short. */
struct ft_shards *ft_shards_new(const struct ft_registry *registry,
                                const struct ft_recogniser *recogniser,
                                const struct ft_shards_config *config, char *error,
                                size_t error_size);
void ft_shards_free(struct ft_shards *shards);

/** Tables of a shard shall come from NUMA node `node`, its worker's; -1 = any. Before packets. */
void ft_shards_place(struct ft_shards *shards, uint8_t shard, int node);

/** Called when the ring is full and the event may not be shed: waits a moment, or says false to
 * have it shed after all (live). */
typedef bool ft_inspect_wait_fn(void *user);

struct ft_inspector;
struct ft_history;

/** Make the inspector of a worker. `wait` NULL: events that find the ring full are shed. */
struct ft_inspector *ft_inspector_new(struct ft_shards *shards, struct ft_ring *ring,
                                      ft_inspect_wait_fn *wait, void *user);
void ft_inspector_free(struct ft_inspector *ins);

/** From now on wait for room instead of shedding: nothing arrives any more. On its own thread. */
void ft_inspector_wait(struct ft_inspector *ins, ft_inspect_wait_fn *wait, void *user);

/** Keep the packets of flows in `history`, NULL: no more. Before the first packet. Cost: when off a
 * test for each packet. */
void ft_inspector_keep_packets(struct ft_inspector *ins, struct ft_history *history);

/**
 * Use other rules from now on, NULL: none. On its own thread, between bursts. `matcher` was made
 * for `set`; both stay the caller's. `generation` names the rule set in events. Flows that are
 * there are tested bit by bit at ticks, by rules that are about flows.
 */
void ft_inspector_use_rules(struct ft_inspector *ins, const struct ft_ruleset *set,
                            struct ft_matcher *matcher, uint32_t generation,
                            const bool owned[FT_SHARDS]);

/** Its books. Written by the worker only. */
struct ft_ledger *ft_inspector_ledger(struct ft_inspector *ins);

/**
 * Inspect decoded packets of own shards, in order. Packets whose bucket is set already
 * (undecodable, a fragment held) are only booked. Afterwards each packet's bucket is set.
 */
void ft_inspect_burst(struct ft_inspector *ins, struct ft_packet *const *packets, uint32_t count);

/** A second of packet time has passed: expire what is old in the shards [first, last] that are own.
 */
void ft_inspect_tick(struct ft_inspector *ins, const struct ft_packet *tick, uint8_t shard);

/** The source has ended: end all flows of a shard. */
void ft_inspect_end(struct ft_inspector *ins, const struct ft_packet *end, uint8_t shard);

/** What a worker tells at a tick with FT_PACKET_STATS: sums over its shards. */
struct ft_books {
    struct ft_ledger ledger;
    struct ft_flow_stats flows;
    struct ft_state_stats state;
    struct ft_request_books {
        uint64_t asked, answered;
        uint64_t waiting; /**< in tables, not in the slots of flows: 0 when all flows have ended */
    } requests;
    uint64_t novelty_forgotten;
};

/** At the end of a run: is each request that was asked in exactly one place? */
bool ft_books_requests_balance(const struct ft_books *books);

/**
 * Write the books over the shards of which `owned[shard]` is true as an event FT_EVENT_LEDGER: a
 * struct ft_books behind the record. Before it, for each of these shards whose mirror did anything,
 * an event FT_EVENT_LEDGER with its number and a struct ft_mirror; that of the sums has a shard of
 * FT_SHARDS.
 */
void ft_inspect_tell_books(struct ft_inspector *ins, const struct ft_packet *tick,
                           const bool owned[FT_SHARDS]);

/** The same into `books`, when the worker is at rest. */
void ft_inspect_books(const struct ft_inspector *ins, const bool owned[FT_SHARDS],
                      struct ft_books *books);

/** Add `from` to `to`. */
void ft_books_add(struct ft_books *to, const struct ft_books *from);

/**
 * Install the handlers for faults in dissectors (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) and for
 * overruns (SIGUSR2). Once per process. Faults elsewhere keep their default action.
 */
void ft_inspect_install_guard(void);

/** To be called on the worker's own thread before its first burst: alternate signal stack. */
bool ft_inspect_guard_thread(struct ft_inspector *ins);

/** To be called on the same thread before it ends: puts its former signal stack back. */
void ft_inspect_unguard_thread(struct ft_inspector *ins);

/**
 * Called by another thread now and then: abandons the dissector call of the worker `thread` if it
 * has been computing in the same one for 200 ms. Cost: a system call.
 */
void ft_inspect_watch(struct ft_inspector *ins, unsigned long thread);

#endif
