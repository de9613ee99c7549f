/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside of the flow table, see flow.c: what its files have in common. */
#ifndef FT_FLOW_INTERNAL_H
#define FT_FLOW_INTERNAL_H

#include "flow/flow.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define NS_PER_S       1000000000ull
#define BUCKET_ENTRIES 15u
#define SLOTS          4096u

struct ft_flow_bucket {
    uint16_t tag[BUCKET_ENTRIES];   /**< 0 = free */
    uint16_t sent_away;             /**< flows whose first bucket this is, in their second one */
    uint16_t index[BUCKET_ENTRIES]; /**< record number */
    uint16_t unused;
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct ft_flow_bucket) == 64, "a bucket is a cache line");

enum ft_flow_list {
    LIST_NONE = 0,
    LIST_EVICTABLE,
    LIST_OT,
};

struct ft_flow_slot {
    uint32_t first, last; /**< records, oldest in the queue first */
};

/** Flows by the second of their time-out, modulo SLOTS. */
struct ft_flow_wheel {
    struct ft_flow_slot *slots;
    uint64_t used[SLOTS / 64]; /**< bit per slot: not empty */
    uint32_t count;
};

struct ft_flow_shard {
    struct ft_flow *records; /**< record n is at n - 1 */
    struct ft_flow_bucket *buckets;
    uint32_t bucket_mask;
    uint32_t first_free; /**< records given back, linked by `newer`; 0 = none */
    uint32_t untouched;  /**< records from here on were never used: their memory is not there */
    uint64_t now_s;      /**< second of the last tick; before it, of the first packet */
    struct ft_flow_wheel wheels[2]; /**< by list - 1 */
    uint32_t *ending;               /**< scratch: records to end, for sorting */
    struct ft_pool segments;
    struct ft_flow_stats stats;
} __attribute__((aligned(64)));

struct ft_flow_table {
    struct ft_flow_config config;
    uint64_t size; /**< of this mapping */
    uint64_t records_size, buckets_size, slots_size, ending_size;
    struct ft_flow *records;
    struct ft_flow_bucket *buckets;
    struct ft_flow_slot *slots;
    uint32_t *ending;
    uint8_t server_tcp[8192], server_udp[8192];
    struct ft_mirror *mirrors; /**< by shard; NULL: nobody counts */
    struct ft_flow_shard shards[FT_SHARDS];
};

/* ---- buckets -------------------------------------------------------------------------------- */

/** Where a hash belongs: its first bucket, and its tag there and in its second one. */
struct ft_flow_spot {
    uint32_t first;
    uint16_t tag;
};

static inline struct ft_flow_spot ft_flow_spot_of(uint32_t hash, uint32_t mask)
{
    uint64_t mixed = hash * 0x9e3779b97f4a7c15ull;
    uint16_t tag = mixed >> 48;

    return (struct ft_flow_spot){.first = (uint32_t)(mixed >> 30) & mask, .tag = tag + !tag};
}

/** The second bucket; never the first one. */
static inline uint32_t ft_flow_second(struct ft_flow_spot place, uint32_t mask)
{
    uint32_t second = (place.first ^ (place.tag * 0x9e3779b1u) >> 16) & mask;

    return second ^ (second == place.first);
}

/** Bit per entry whose tag is `tag`. */
static inline uint32_t ft_flow_match(const struct ft_flow_bucket *bucket, uint16_t tag)
{
#ifdef __SSE2__
    const __m128i *tags = (const __m128i *)bucket->tag;
    __m128i want = _mm_set1_epi16((short)tag);
    __m128i low = _mm_cmpeq_epi16(_mm_load_si128(tags), want);
    __m128i high = _mm_cmpeq_epi16(_mm_load_si128(tags + 1), want);

    return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, high)) & ((1u << BUCKET_ENTRIES) - 1);
#else
    uint32_t match = 0;

    for (uint32_t i = 0; i < BUCKET_ENTRIES; i++)
        match |= (uint32_t)(bucket->tag[i] == tag) << i;
    return match;
#endif
}

static inline struct ft_flow *ft_flow_record(const struct ft_flow_shard *shard, uint32_t index)
{
    return &shard->records[index - 1];
}

/** A key as the words that it is compared by: it is made and compared without leaving registers. */
struct ft_flow_words {
    uint64_t word[6];
};

_Static_assert(sizeof(struct ft_flow_words) == sizeof(struct ft_flow_key), "the same bytes");

static inline bool ft_flow_key_equal(const struct ft_flow_key *x, const struct ft_flow_words *y)
{
    const uint64_t *a = (const uint64_t *)x, *b = y->word;

    return !((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) | (a[4] ^ b[4]) |
             (a[5] ^ b[5]));
}

/** Has somebody acknowledged there what the sensor never saw? */
static inline bool ft_flow_is_one_way(const struct ft_flow *flow, enum ft_side side)
{
    return flow->key.proto == 6 && flow->key.family != 2 && !flow->packets[!side] &&
           flow->tcp_flags[side] & FT_TCP_ACK && !(flow->tcp_flags[side] & FT_TCP_RST);
}

/* ---- time-outs: flow_wheel.c ---------------------------------------------------------------- */

/** Seconds that the flow may be idle, as it is now. */
static inline uint32_t ft_flow_timeout_s(const struct ft_flow_config *config,
                                         const struct ft_flow *flow)
{
    bool is_ot = flow->flags & FT_FLOW_OT;

    if (flow->key.proto == 6 && flow->key.family != 2) {
        if (flow->state == FT_FLOW_CLOSED)
            return config->tcp_closed_s;
        if (is_ot)
            return config->tcp_ot_s;
        return flow->state == FT_FLOW_NEW ? config->tcp_new_s : config->tcp_established_s;
    }
    if (is_ot)
        return config->udp_ot_s;
    return flow->key.proto == 17 && flow->key.family != 2 ? config->udp_s : config->other_s;
}

/** The first whole second at which the flow is idle too long. */
static inline uint64_t ft_flow_deadline_s(const struct ft_flow_table *table,
                                          const struct ft_flow *flow)
{
    return flow->last_ns / NS_PER_S + ft_flow_timeout_s(&table->config, flow) + 1;
}

/** That second within what the wheel shows: after now, and less than a turn away. */
static inline uint64_t ft_flow_deadline_in_sight(const struct ft_flow_table *table,
                                                 const struct ft_flow_shard *shard,
                                                 const struct ft_flow *flow)
{
    uint64_t deadline = ft_flow_deadline_s(table, flow);

    if (deadline <= shard->now_s)
        return shard->now_s + 1;
    return deadline < shard->now_s + SLOTS ? deadline : shard->now_s + SLOTS - 1;
}

void ft_flow_unlink(struct ft_flow_shard *shard, struct ft_flow *flow);

/** Put a flow that is in no list into the slot of its time-out. */
void ft_flow_queue(const struct ft_flow_table *table, struct ft_flow_shard *shard,
                   struct ft_flow *flow);

/** The first slot in use after now, in order of time; the wheel is not empty. */
uint32_t ft_flow_first_slot(const struct ft_flow_shard *shard, const struct ft_flow_wheel *wheel);

/* ---- ends: flow_end.c ----------------------------------------------------------------------- */

/** How many flows of this kind there are. */
uint64_t *ft_flow_kind_counter(struct ft_flow_shard *shard, const struct ft_flow *flow);

/** One more or less of which one direction is seen. */
void ft_flow_count_one_way(const struct ft_flow_table *table, const struct ft_flow *flow,
                           int change);

/** Tell the end of a flow, give its record back. */
void ft_flow_end_one(struct ft_flow_table *table, struct ft_flow_shard *shard, struct ft_flow *flow,
                     enum ft_flow_end why, ft_flow_end_fn *end, void *user);

/** Evict the flow nearest to its time-out; false when none may be. */
bool ft_flow_evict_one(struct ft_flow_table *table, struct ft_flow_shard *shard,
                       ft_flow_end_fn *end, void *user);

/** Make room in two full buckets; false when only flows that may not be evicted are in them. */
bool ft_flow_evict_from(struct ft_flow_table *table, struct ft_flow_shard *shard,
                        struct ft_flow_spot place, ft_flow_end_fn *end, void *user);

#endif
