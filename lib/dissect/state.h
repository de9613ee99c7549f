/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The state of dissectors in one shard: channels, requests that wait for their response, parts
 * being put together, and the buffers of the framer.
 *
 * Everything has a fixed capacity that belongs to the shard, so that what is refused depends on the
 * shard's own packets only. Entries live in one hash table under (owner, protocol, kind, key); the
 * owner is a flow or a host pair. When the table is full, the kind that has most entries gives the
 * one unused for longest: a flood of requests costs requests, not the channels of others. What the
 * PDU being dissected has been given is never taken away from it.
 * One thread at a time. Memory is mapped when made, touched when used.
 */
#ifndef FT_STATE_H
#define FT_STATE_H

#include "base/pool.h"
#include "dissect/framer.h"

#include <fieldtap/dissector.h>

/** Seconds of packet time after which things end unused. */
#define FT_CHANNEL_SECONDS 3600u
#define FT_REQUEST_SECONDS 10u

/** Requests that may wait under one key: more are a sender that never gets an answer. */
#define FT_REQUESTS_PER_KEY   16u
#define FT_REASSEMBLY_SECONDS 30u /* and FT_EXPECTED_SECONDS of the SDK */

enum ft_entry_kind {
    FT_ENTRY_CHANNEL = 0,
    FT_ENTRY_FLOW_STATE, /**< flow_state of a protocol that is not the flow's first */
    FT_ENTRY_CHILD,      /**< which child a payload goes to */
    FT_ENTRY_REQUEST,
    FT_ENTRY_REASSEMBLY,
    FT_ENTRY_EXPECTED, /**< ft_expect_flow(): owner a pair, protocol 0, key transport and port */
    FT_ENTRY_KINDS
};

/** Whose state it is, made by the caller from the flow and its addresses. */
struct ft_owner {
    uint64_t flow; /**< unique per flow over the whole run */
    uint64_t pair; /**< hash of the two addresses */
};

/** One entry; four cache lines and a bit. */
struct ft_entry {
    uint64_t owner, key;
    uint64_t flow; /**< struct ft_owner.flow of the flow it was made in */
    uint16_t protocol;
    uint8_t kind;                    /**< enum ft_entry_kind */
    uint8_t from;                    /**< REQUEST, REASSEMBLY: enum ft_direction it came in */
    uint32_t next;                   /**< in its hash chain */
    uint32_t older, newer;           /**< in the list of its kind, by last use */
    uint32_t flow_older, flow_newer; /**< in the list of its flow, if it ends with that */
    uint64_t time_ns;                /**< last use */
    union {
        uint8_t data[FT_MAX_CHANNEL_STATE]; /**< CHANNEL, FLOW_STATE */
        uint16_t child;                     /**< CHILD: protocol index */
        struct {
            uint8_t keep[FT_MAX_PAIR_KEEP];
            uint64_t number; /**< packet number of the request */
            uint32_t code, qualifier;
            uint8_t class_;
        } request;
        struct {
            uint32_t buffer, have; /**< as struct ft_framer */
            bool is_cut;
        } reassembly;
        struct {
            uint16_t protocol; /**< index */
            uint16_t size;
            uint8_t keep[FT_MAX_FLOW_STATE];
        } expected;
    };
    uint64_t deadline_ns; /**< CHANNEL: ft_expect_within(), 0 = none */
    uint16_t deadline_violation;
    uint32_t used_by; /**< struct ft_state.serial of the PDU that was given its data last */
};

/**
 * The request of a flow that waits for its response, in the flow's own record: most flows have one
 * at a time, and the record is in the cache already. A further request moves the waiting one to the
 * shard's table.
 */
struct ft_request_slot {
    uint64_t key; /**< with the direction */
    uint64_t number, time_ns;
    uint32_t code, qualifier;
    uint16_t protocol;
    uint8_t class_, from;
    bool is_used;
    bool is_watched;   /**< the shard will look at it when it is due */
    uint16_t in_table; /**< requests of the flow that were moved to the table, at most */
    uint8_t keep[FT_MAX_PAIR_KEEP];
};

/** Bytes in the flow record for flow states: of the flow's protocol, then of those it carries. */
#define FT_INLINE_STATE 72u

/** Layers whose ft_child_probe() choice is kept in the flow record. */
#define FT_INLINE_CHILDREN 4u

/** Which protocols above the first have their flow state in the flow record, one behind the other.
 */
struct ft_inline_state {
    uint8_t used; /**< bytes given out, with those of the first protocol */
    uint8_t count;
    struct {
        uint8_t protocol, offset;
    } of[3];
};

/** Buffers of two sizes; numbers with the top bit set are of the large kind. */
struct ft_framer_pools {
    struct ft_pool small; /**< 4 KiB */
    struct ft_pool large; /**< FT_MAX_PDU */
    uint32_t lent;        /**< buffer that a framer delivers from now, 0 = none */
    uint32_t rest;        /**< buffer with bytes for the next protocol of a stream, 0 = none */
};

#define FT_BUFFER_LARGE      0x80000000u
#define FT_BUFFER_SMALL_SIZE 4096u

bool ft_framer_pools_init(struct ft_framer_pools *pools, uint32_t small, uint32_t large);
void ft_framer_pools_free(struct ft_framer_pools *pools);

/** A buffer of at least `size` (at most FT_MAX_PDU) bytes: its number, 0 = none is free. */
uint32_t ft_buffer_get(struct ft_framer_pools *pools, uint32_t size);
void ft_buffer_put(struct ft_framer_pools *pools, uint32_t buffer);
uint8_t *ft_buffer_at(const struct ft_framer_pools *pools, uint32_t buffer);
uint32_t ft_buffer_size(uint32_t buffer);

/**
 * Counters of one shard. What becomes of a request that was not answered: it was told
 * (`unanswered`, at its time-out or at the end of its flow), or it is counted in one of the last
 * three.
 */
struct ft_state_stats {
    uint64_t evicted, refused, unanswered, expired; /**< evicted, refused: of all kinds */
    uint64_t requests_displaced; /**< FT_REQUESTS_PER_KEY younger ones wait under its key */
    uint64_t requests_evicted;   /**< another entry took its room */
    uint64_t requests_refused;   /**< there was no room */
};

struct ft_state {
    struct ft_pool entries;
    uint32_t *chains;  /**< first entry of each hash chain */
    uint32_t *by_flow; /**< newest entry of each hash chain of flows */
    uint32_t chain_mask;
    uint32_t oldest[FT_ENTRY_KINDS], newest[FT_ENTRY_KINDS], count[FT_ENTRY_KINDS];
    uint32_t serial; /**< of the PDU being dissected */
    struct ft_framer_pools pools;
    struct ft_state_stats stats;
    uint32_t deadlines; /**< channels with a deadline */
};

/** Make the state of a shard with `entries` entries and so many buffers. */
bool ft_state_init(struct ft_state *s, uint32_t entries, uint32_t small, uint32_t large);
void ft_state_free(struct ft_state *s);

/** Find an entry; NULL = none. Several requests may have one key: the oldest is found. */
struct ft_entry *ft_state_find(struct ft_state *s, uint64_t owner, uint16_t protocol,
                               enum ft_entry_kind kind, uint64_t key);

/**
 * Make an entry with zeroed content. When the table is full another entry is evicted; NULL when
 * all that could be are in use by the PDU being dissected.
 */
struct ft_entry *ft_state_add(struct ft_state *s, uint64_t owner, uint16_t protocol,
                              enum ft_entry_kind kind, uint64_t key, uint64_t flow,
                              uint64_t time_ns);

/** A PDU is about to be dissected: entries that it uses from here on are not evicted by it. */
static inline void ft_state_begin(struct ft_state *s)
{
    s->serial++;
}

/** Mark as used now, by the PDU being dissected. */
void ft_state_touch(struct ft_state *s, struct ft_entry *e, uint64_t time_ns);

/** Remove an entry and give its buffer back. */
void ft_state_remove(struct ft_state *s, struct ft_entry *e);

/** A direction of a flow lost bytes: units that were being put together from it are dropped. */
void ft_state_gap(struct ft_state *s, uint64_t flow, enum ft_direction direction);

/** What a tick, or the end of a flow, tells. */
struct ft_state_ops {
    /** A request got no response in FT_REQUEST_SECONDS, or its flow ended. */
    void (*unanswered)(void *user, const struct ft_entry *request);
    /** A channel was silent longer than ft_expect_within() allowed. */
    void (*silent)(void *user, const struct ft_entry *channel);
};

/**
 * A flow ends: tell the requests that were made in it and still wait, oldest first, and remove them
 * and all that belongs to the flow alone. Costs a look at one hash chain and what there is to
 * remove, however much others have.
 */
void ft_state_end_flow(struct ft_state *s, uint64_t flow, const struct ft_state_ops *ops,
                       void *user);

/** Expire what is old at packet time `time_ns`, in order of last use. */
void ft_state_tick(struct ft_state *s, uint64_t time_ns, const struct ft_state_ops *ops,
                   void *user);

#endif
