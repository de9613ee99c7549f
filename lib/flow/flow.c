/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The flow table.
 *
 * A bucket is one cache line: 15 tags of 16 bits beside 15 record numbers. A flow lives in its
 * first bucket, unless that is nearly full: then in the emptier of its two. Entries never move, so
 * a look-up reads one line of tags and one record; the second bucket is read only when the first
 * one has sent flows there. The tag and both buckets come from the mixed flow hash: the hash is a
 * CRC, which is linear, so neighbouring addresses would fill neighbouring buckets.
 *
 * An attacker can make many keys of one CRC, and fill two buckets. He then evicts his own flows:
 * flows of industrial protocols are not evicted, and those of other hashes live elsewhere.
 *
 * Time-outs are two wheels of one-second slots per shard: one for flows that may be evicted, one
 * for those of industrial protocols. A packet only writes last_ns; a flow whose slot comes up
 * earlier than its time-out is queued again. Eviction takes from the first wheel what is nearest to
 * its time-out, queueing again what has moved since: each step of that is paid for by a packet.
 */
#include "flow/flow.h"

#include "flow/stream.h"

#include <fieldtap/dissector.h>
#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define NS_PER_S       1000000000ull
#define BUCKET_ENTRIES 15u
/** Flows in the first bucket from which on a new one looks at the second. */
#define BUCKET_NEARLY_FULL 12u
#define SLOTS              4096u

/** Packets prepared at a time by ft_flow_lookup(). */
#define LOOKUP_BURST 64u

struct bucket {
    uint16_t tag[BUCKET_ENTRIES];   /**< 0 = free */
    uint16_t sent_away;             /**< flows whose first bucket this is, in their second one */
    uint16_t index[BUCKET_ENTRIES]; /**< record number */
    uint16_t unused;
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct bucket) == 64, "a bucket is a cache line");

enum list {
    LIST_NONE = 0,
    LIST_EVICTABLE,
    LIST_OT,
};

struct slot {
    uint32_t first, last; /**< records, oldest in the queue first */
};

/** Flows by the second of their time-out, modulo SLOTS. */
struct wheel {
    struct slot *slots;
    uint64_t used[SLOTS / 64]; /**< bit per slot: not empty */
    uint32_t count;
};

struct shard {
    struct ft_flow *records; /**< record n is at n - 1 */
    struct bucket *buckets;
    uint32_t bucket_mask;
    uint32_t first_free;    /**< records given back, linked by `newer`; 0 = none */
    uint32_t untouched;     /**< records from here on were never used: their memory is not there */
    uint64_t now_s;         /**< second of the last tick; before it, of the first packet */
    struct wheel wheels[2]; /**< by list - 1 */
    uint32_t *ending;       /**< scratch: records to end, for sorting */
    struct ft_pool segments;
    struct ft_flow_stats stats;
} __attribute__((aligned(64)));

struct ft_flow_table {
    struct ft_flow_config config;
    uint64_t size; /**< of this mapping */
    uint64_t records_size, buckets_size, slots_size, ending_size;
    struct ft_flow *records;
    struct bucket *buckets;
    struct slot *slots;
    uint32_t *ending;
    uint8_t server_tcp[8192], server_udp[8192];
    struct ft_mirror *mirrors; /**< by shard; NULL: nobody counts */
    struct shard shards[FT_SHARDS];
};

/* ---- buckets -------------------------------------------------------------------------------- */

/** Where a hash belongs: its first bucket, and its tag there and in its second one. */
struct place {
    uint32_t first;
    uint16_t tag;
};

static inline struct place place_of(uint32_t hash, uint32_t mask)
{
    uint64_t mixed = hash * 0x9e3779b97f4a7c15ull;
    uint16_t tag = mixed >> 48;

    return (struct place){.first = (uint32_t)(mixed >> 30) & mask, .tag = tag + !tag};
}

/** The second bucket; never the first one. */
static inline uint32_t second_of(struct place place, uint32_t mask)
{
    uint32_t second = (place.first ^ (place.tag * 0x9e3779b1u) >> 16) & mask;

    return second ^ (second == place.first);
}

/** Bit per entry whose tag is `tag`. */
static inline uint32_t bucket_match(const struct bucket *bucket, uint16_t tag)
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

static inline struct ft_flow *record_at(const struct shard *shard, uint32_t index)
{
    return &shard->records[index - 1];
}

/** A key as the words that it is compared by: it is made and compared without leaving registers. */
struct key_words {
    uint64_t word[6];
};

_Static_assert(sizeof(struct key_words) == sizeof(struct ft_flow_key), "the same bytes");

static inline bool key_equal(const struct ft_flow_key *x, const struct key_words *y)
{
    const uint64_t *a = (const uint64_t *)x, *b = y->word;

    return !((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) | (a[4] ^ b[4]) |
             (a[5] ^ b[5]));
}

static struct ft_flow *find_in(const struct shard *shard, const struct bucket *bucket, uint16_t tag,
                               const struct key_words *key)
{
    for (uint32_t match = bucket_match(bucket, tag); match; match &= match - 1) {
        struct ft_flow *flow = record_at(shard, bucket->index[__builtin_ctz(match)]);
        if (key_equal(&flow->key, key))
            return flow;
    }
    return NULL;
}

static struct ft_flow *find(const struct shard *shard, uint32_t hash, const struct key_words *key)
{
    struct place place = place_of(hash, shard->bucket_mask);
    const struct bucket *first = &shard->buckets[place.first];
    struct ft_flow *flow = find_in(shard, first, place.tag, key);

    if (flow || !first->sent_away)
        return flow;
    return find_in(shard, &shard->buckets[second_of(place, shard->bucket_mask)], place.tag, key);
}

/** A free entry for `place`, NULL when both buckets are full. */
static struct bucket *choose_bucket(struct shard *shard, struct place place, uint32_t *entry)
{
    struct bucket *bucket = &shard->buckets[place.first];
    uint32_t free_first = bucket_match(bucket, 0);

    if (__builtin_popcount(free_first) <= (int)(BUCKET_ENTRIES - BUCKET_NEARLY_FULL)) {
        struct bucket *second = &shard->buckets[second_of(place, shard->bucket_mask)];
        uint32_t free_second = bucket_match(second, 0);

        if (__builtin_popcount(free_second) > __builtin_popcount(free_first)) {
            *entry = (uint32_t)__builtin_ctz(free_second);
            bucket->sent_away++;
            return second;
        }
    }
    if (!free_first)
        return NULL;
    *entry = (uint32_t)__builtin_ctz(free_first);
    return bucket;
}

static bool remove_from(struct bucket *bucket, uint16_t tag, uint32_t index)
{
    for (uint32_t match = bucket_match(bucket, tag); match; match &= match - 1) {
        uint32_t entry = (uint32_t)__builtin_ctz(match);
        if (bucket->index[entry] == index) {
            bucket->tag[entry] = 0;
            return true;
        }
    }
    return false;
}

static void bucket_remove(struct shard *shard, const struct ft_flow *flow)
{
    struct place place = place_of(flow->hash, shard->bucket_mask);

    if (remove_from(&shard->buckets[place.first], place.tag, flow->index))
        return;
    remove_from(&shard->buckets[second_of(place, shard->bucket_mask)], place.tag, flow->index);
    shard->buckets[place.first].sent_away--;
}

/* ---- time-outs ------------------------------------------------------------------------------ */

static uint32_t timeout_s(const struct ft_flow_config *config, const struct ft_flow *flow)
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
static uint64_t deadline_s(const struct ft_flow_table *table, const struct ft_flow *flow)
{
    return flow->last_ns / NS_PER_S + timeout_s(&table->config, flow) + 1;
}

/** That second within what the wheel shows: after now, and less than a turn away. */
static uint64_t deadline_in_sight(const struct ft_flow_table *table, const struct shard *shard,
                                  const struct ft_flow *flow)
{
    uint64_t deadline = deadline_s(table, flow);

    if (deadline <= shard->now_s)
        return shard->now_s + 1;
    return deadline < shard->now_s + SLOTS ? deadline : shard->now_s + SLOTS - 1;
}

static void unlink_flow(struct shard *shard, struct ft_flow *flow)
{
    if (flow->list == LIST_NONE)
        return;

    struct wheel *wheel = &shard->wheels[flow->list - 1];
    struct slot *slot = &wheel->slots[flow->slot];

    if (flow->older)
        record_at(shard, flow->older)->newer = flow->newer;
    else
        slot->first = flow->newer;
    if (flow->newer)
        record_at(shard, flow->newer)->older = flow->older;
    else
        slot->last = flow->older;
    if (!slot->first)
        wheel->used[flow->slot / 64] &= ~(1ull << flow->slot % 64);
    wheel->count--;
    flow->list = LIST_NONE;
}

/** Put a flow that is in no list into the slot of its time-out. */
static void queue_flow(const struct ft_flow_table *table, struct shard *shard, struct ft_flow *flow)
{
    flow->list = flow->flags & FT_FLOW_OT ? LIST_OT : LIST_EVICTABLE;
    flow->slot = deadline_in_sight(table, shard, flow) % SLOTS;

    struct wheel *wheel = &shard->wheels[flow->list - 1];
    struct slot *slot = &wheel->slots[flow->slot];

    flow->older = slot->last;
    flow->newer = 0;
    if (slot->last)
        record_at(shard, slot->last)->newer = flow->index;
    else
        slot->first = flow->index;
    slot->last = flow->index;
    wheel->used[flow->slot / 64] |= 1ull << flow->slot % 64;
    wheel->count++;
}

void ft_flow_changed(struct ft_flow_table *table, struct ft_flow *flow)
{
    struct shard *shard = &table->shards[flow->shard];

    unlink_flow(shard, flow);
    queue_flow(table, shard, flow);
}

/** The first slot in use after now, in order of time; the wheel is not empty. */
static uint32_t first_slot(const struct shard *shard, const struct wheel *wheel)
{
    uint32_t start = (shard->now_s + 1) % SLOTS;
    uint32_t word = start / 64;
    uint64_t bits = wheel->used[word] & (~0ull << start % 64);

    while (!bits) {
        word = (word + 1) % (SLOTS / 64);
        bits = wheel->used[word];
    }
    return word * 64 + (uint32_t)__builtin_ctzll(bits);
}

/* ---- the end of a flow ---------------------------------------------------------------------- */

static uint64_t *kind_counter(struct shard *shard, const struct ft_flow *flow)
{
    if (flow->key.family == 2)
        return &shard->stats.other;
    return flow->key.proto == 6    ? &shard->stats.tcp
           : flow->key.proto == 17 ? &shard->stats.udp
                                   : &shard->stats.other;
}

/** Has somebody acknowledged there what the sensor never saw? */
static bool is_one_way(const struct ft_flow *flow, enum ft_side side)
{
    return flow->key.proto == 6 && flow->key.family != 2 && !flow->packets[!side] &&
           flow->tcp_flags[side] & FT_TCP_ACK && !(flow->tcp_flags[side] & FT_TCP_RST);
}

static void count_one_way(const struct ft_flow_table *table, const struct ft_flow *flow, int change)
{
    struct ft_mirror_place place = ft_flow_seen_at(flow);

    if (table->mirrors)
        ft_mirror_count(&table->mirrors[flow->shard], FT_MIRROR_ONE_WAY, place, place,
                        (uint64_t)change, 0);
}

/** A flow ends before it had enough packets for that. */
static void look_at_end(const struct ft_flow_table *table, const struct ft_flow *flow)
{
    enum ft_side side = flow->packets[FT_SIDE_A] ? FT_SIDE_A : FT_SIDE_B;

    if (!flow->is_one_way && flow->packets[side] >= 4 && is_one_way(flow, side))
        count_one_way(table, flow, 1);
}

static void end_flow(struct ft_flow_table *table, struct shard *shard, struct ft_flow *flow,
                     enum ft_flow_end why, ft_flow_end_fn *end, void *user)
{
    if (end)
        end(user, flow, why);
    look_at_end(table, flow);
    ft_stream_release(table, flow);
    bucket_remove(shard, flow);
    unlink_flow(shard, flow);
    --*kind_counter(shard, flow);
    shard->stats.active--;
    shard->stats.expired += why == FT_FLOW_END_TIMEOUT;
    shard->stats.evicted += why == FT_FLOW_END_EVICTED;
    shard->stats.reused += why == FT_FLOW_END_REUSED;
    flow->key.family = 0; /* a stale hint must not find it */
    flow->newer = shard->first_free;
    shard->first_free = flow->index;
}

/** Evict the flow nearest to its time-out; false when none may be. */
static bool evict_one(struct ft_flow_table *table, struct shard *shard, ft_flow_end_fn *end,
                      void *user)
{
    struct wheel *wheel = &shard->wheels[LIST_EVICTABLE - 1];

    while (wheel->count) {
        uint32_t slot = first_slot(shard, wheel);
        struct ft_flow *flow = record_at(shard, wheel->slots[slot].first);

        if (!(flow->flags & FT_FLOW_OT) && deadline_in_sight(table, shard, flow) % SLOTS == slot) {
            end_flow(table, shard, flow, FT_FLOW_END_EVICTED, end, user);
            return true;
        }
        ft_flow_changed(table, flow);
    }
    return false;
}

/** Make room in two full buckets; false when only flows that may not be evicted are in them. */
static bool evict_from(struct ft_flow_table *table, struct shard *shard, struct place place,
                       ft_flow_end_fn *end, void *user)
{
    const struct bucket *buckets[2] = {&shard->buckets[place.first],
                                       &shard->buckets[second_of(place, shard->bucket_mask)]};
    struct ft_flow *worst = NULL;

    for (uint32_t i = 0; i < 2 * BUCKET_ENTRIES; i++) {
        struct ft_flow *flow =
            record_at(shard, buckets[i / BUCKET_ENTRIES]->index[i % BUCKET_ENTRIES]);
        if (flow->flags & FT_FLOW_OT)
            continue;
        if (!worst || deadline_s(table, flow) < deadline_s(table, worst))
            worst = flow;
    }
    if (!worst)
        return false;
    end_flow(table, shard, worst, FT_FLOW_END_EVICTED, end, user);
    return true;
}

static void sort_by_creation(const struct shard *shard, uint32_t *records, uint32_t count)
{
    for (uint32_t step = count / 2; step; step = step == 2 ? 1 : step * 5 / 11) {
        for (uint32_t i = step; i < count; i++) {
            uint32_t record = records[i], j = i;
            uint64_t number = record_at(shard, record)->first_number;

            for (; j >= step && record_at(shard, records[j - step])->first_number > number;
                 j -= step)
                records[j] = records[j - step];
            records[j] = record;
        }
    }
}

static void end_in_order(struct ft_flow_table *table, struct shard *shard, uint32_t count,
                         enum ft_flow_end why, ft_flow_end_fn *end, void *user)
{
    sort_by_creation(shard, shard->ending, count);
    for (uint32_t i = 0; i < count; i++)
        end_flow(table, shard, record_at(shard, shard->ending[i]), why, end, user);
}

/**
 * Queue all flows of a slot again, by their time-out as it is now, and note in `ending` those whose
 * time is up. These wait in the slot after now: should `end` leave one of them by longjmp, the next
 * tick finds the rest.
 */
static uint32_t drain_slot(const struct ft_flow_table *table, struct shard *shard,
                           struct wheel *wheel, uint32_t slot, uint64_t time_ns, uint32_t ending)
{
    uint32_t next = wheel->slots[slot].first;
    uint32_t last = wheel->slots[slot].last;

    while (next) {
        struct ft_flow *flow = record_at(shard, next);
        /* what is queued again may come to the end of this very slot, one turn later */
        next = next == last ? 0 : flow->newer;
        unlink_flow(shard, flow);
        queue_flow(table, shard, flow);
        if (flow->last_ns + timeout_s(&table->config, flow) * NS_PER_S <= time_ns)
            shard->ending[ending++] = flow->index;
    }
    return ending;
}

void ft_flow_tick(struct ft_flow_table *table, uint8_t number, uint64_t time_ns,
                  ft_flow_end_fn *end, void *user)
{
    struct shard *shard = &table->shards[number];
    uint64_t second = shard->now_s + 1;
    uint32_t ending = 0;

    if (time_ns / NS_PER_S < second)
        return;
    shard->now_s = time_ns / NS_PER_S;
    if (!shard->stats.active)
        return;
    if (shard->now_s - second >= SLOTS)
        second = shard->now_s - SLOTS + 1;
    for (; second <= shard->now_s; second++) {
        uint32_t slot = second % SLOTS;
        for (uint32_t i = 0; i < 2; i++)
            if (shard->wheels[i].slots[slot].first)
                ending = drain_slot(table, shard, &shard->wheels[i], slot, time_ns, ending);
    }
    end_in_order(table, shard, ending, FT_FLOW_END_TIMEOUT, end, user);
}

void ft_flow_flush(struct ft_flow_table *table, uint8_t number, ft_flow_end_fn *end, void *user)
{
    struct shard *shard = &table->shards[number];
    uint32_t ending = 0;

    for (uint32_t i = 1; i <= shard->untouched; i++)
        if (record_at(shard, i)->key.family)
            shard->ending[ending++] = i;
    end_in_order(table, shard, ending, FT_FLOW_END_SHUTDOWN, end, user);
}

/* ---- keys and guesses ----------------------------------------------------------------------- */

/** Words 4 and 5 of a key, from the members that lie there. */
static inline uint64_t word_of_ports(uint64_t port_a, uint64_t port_b, uint64_t type,
                                     uint64_t proto, uint64_t family)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return port_a | port_b << 16 | type << 32 | proto << 48 | family << 56;
#else
    return port_a << 48 | port_b << 32 | type << 16 | proto << 8 | family;
#endif
}

static inline uint64_t word_of_vlans(uint64_t vlan_0, uint64_t vlan_1, uint64_t encapsulation)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return vlan_0 | vlan_1 << 16 | encapsulation << 32;
#else
    return vlan_0 << 48 | vlan_1 << 32 | encapsulation << 24;
#endif
}

static inline uint64_t network_order(uint64_t word)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return __builtin_bswap64(word);
#else
    return word;
#endif
}

/** Without branches: which side sends is as good as random. */
static inline enum ft_side key_of_ip(const struct ft_packet *p, struct key_words *key)
{
    bool has_ports = !(p->flags & FT_PACKET_FRAGMENT) && p->proto != 1 && p->proto != 58;
    uint64_t src_port = has_ports ? p->src_port : 0, dst_port = has_ports ? p->dst_port : 0;
    uint64_t src_0 = p->src.words[0], src_1 = p->src.words[1];
    uint64_t dst_0 = p->dst.words[0], dst_1 = p->dst.words[1];
    bool is_0 = network_order(src_0) > network_order(dst_0), same_0 = src_0 == dst_0;
    bool is_1 = network_order(src_1) > network_order(dst_1), same_1 = src_1 == dst_1;
    bool is_b = is_0 | (same_0 & (is_1 | (same_1 & (src_port > dst_port))));
    uint64_t mask = -(uint64_t)is_b;
    uint64_t swap_0 = (src_0 ^ dst_0) & mask, swap_1 = (src_1 ^ dst_1) & mask;
    uint64_t swap_port = (src_port ^ dst_port) & mask;

    key->word[0] = src_0 ^ swap_0;
    key->word[1] = src_1 ^ swap_1;
    key->word[2] = dst_0 ^ swap_0;
    key->word[3] = dst_1 ^ swap_1;
    key->word[4] = word_of_ports(src_port ^ swap_port, dst_port ^ swap_port, 0, p->proto,
                                 p->flags & FT_PACKET_IPV6 ? 6 : 4);
    key->word[5] = 0;
    return (enum ft_side)is_b;
}

static enum ft_side key_of_l2(const struct ft_packet *p, struct key_words *key)
{
    bool is_b = memcmp(p->src_mac, p->dst_mac, 6) > 0;
    uint16_t type = p->ethertype;
    enum ft_flow_encapsulation encapsulation = FT_FLOW_ETHERTYPE;

    if (p->flags & FT_PACKET_SNAP) {
        type = (uint16_t)p->snap;
        encapsulation = FT_FLOW_SNAP;
    } else if (p->flags & FT_PACKET_LLC) {
        /* the low bit of the sender's SAP tells command from response */
        uint16_t saps = type & 0xfffe;
        type = is_b ? (uint16_t)(saps << 8 | saps >> 8) : saps;
        encapsulation = FT_FLOW_LLC;
    }
    *key = (struct key_words){{0}};
    memcpy(&key->word[0], is_b ? p->dst_mac : p->src_mac, 6);
    memcpy(&key->word[2], is_b ? p->src_mac : p->dst_mac, 6);
    key->word[4] = word_of_ports(0, 0, type, 0, 2);
    key->word[5] = word_of_vlans(0, 0, encapsulation);
    return is_b ? FT_SIDE_B : FT_SIDE_A;
}

static inline enum ft_side key_of(const struct ft_packet *p, bool vlan_in_key,
                                  struct key_words *key)
{
    enum ft_side side =
        p->flags & (FT_PACKET_IPV4 | FT_PACKET_IPV6) ? key_of_ip(p, key) : key_of_l2(p, key);

    if (vlan_in_key)
        key->word[5] |= word_of_vlans(p->vlan[0], p->vlan[1], 0);
    return side;
}

enum ft_side ft_flow_key_of(const struct ft_packet *packet, bool vlan_in_key,
                            struct ft_flow_key *key)
{
    struct key_words words;
    enum ft_side side = key_of(packet, vlan_in_key, &words);

    memcpy(key, &words, sizeof(*key));
    return side;
}

static bool is_bound(const struct ft_flow_table *table, const struct ft_packet *p, uint16_t port)
{
    const uint8_t *ports = p->flags & FT_PACKET_TCP   ? table->server_tcp
                           : p->flags & FT_PACKET_UDP ? table->server_udp
                                                      : NULL;

    return ports && ports[port >> 3] >> (port & 7) & 1;
}

/** Who is the server of a flow whose first packet this is, unless a SYN says so? */
static void guess_server(const struct ft_flow_table *table, struct ft_flow *flow,
                         const struct ft_packet *p, enum ft_side sender)
{
    bool src_bound = is_bound(table, p, p->src_port), dst_bound = is_bound(table, p, p->dst_port);
    bool is_sender;

    flow->confidence = FT_CONFIDENCE_GUESS;
    if (p->flags & FT_PACKET_MULTICAST) {
        is_sender = false; /* a group never asks */
        if (dst_bound)
            flow->confidence = FT_CONFIDENCE_PORT;
    } else if (src_bound != dst_bound) {
        is_sender = src_bound;
        flow->confidence = FT_CONFIDENCE_PORT;
    } else {
        is_sender = p->flags & (FT_PACKET_TCP | FT_PACKET_UDP) && p->src_port < p->dst_port;
    }
    flow->server = is_sender ? sender : !sender;
}

/* ---- packets -------------------------------------------------------------------------------- */

/** Is this SYN the first packet of another connection between the same ports? */
static bool is_reuse(const struct ft_flow_table *table, const struct ft_flow *flow,
                     const struct ft_packet *p, enum ft_side side)
{
    const struct ft_stream_half *half = &flow->half[side];

    if (flow->state == FT_FLOW_CLOSED)
        return true;
    if (flow->state != FT_FLOW_ESTABLISHED || !half->is_known)
        return false;
    return p->tcp_seq + 1 - half->next_seq + FT_STREAM_WINDOW > 2 * FT_STREAM_WINDOW &&
           p->time_ns > flow->last_ns + table->config.tcp_closed_s * NS_PER_S;
}

/** May this RST be genuine? A forged one that misses the window does not close the flow. */
static bool is_reset(const struct ft_flow *flow, const struct ft_packet *p, enum ft_side side)
{
    const struct ft_stream_half *half = &flow->half[side];

    return !half->is_known ||
           p->tcp_seq - half->next_seq + FT_STREAM_WINDOW <= 2 * FT_STREAM_WINDOW;
}

/** SYN, FIN, RST: who is the server, is the flow closed? */
__attribute__((noinline)) static void tcp_control(struct ft_flow_table *table, struct ft_flow *flow,
                                                  const struct ft_packet *p, enum ft_side side)
{
    if (p->tcp_flags & FT_TCP_SYN && !(p->tcp_flags & FT_TCP_RST)) {
        flow->flags |= FT_FLOW_SYN_SEEN;
        if (flow->confidence < FT_CONFIDENCE_HANDSHAKE) {
            flow->server = p->tcp_flags & FT_TCP_ACK ? side : !side;
            flow->confidence = FT_CONFIDENCE_HANDSHAKE;
        }
    }
    if (flow->state == FT_FLOW_CLOSED)
        return;
    if (flow->tcp_flags[0] & flow->tcp_flags[1] & FT_TCP_FIN ||
        (p->tcp_flags & FT_TCP_RST && is_reset(flow, p, side))) {
        flow->state = FT_FLOW_CLOSED;
        ft_flow_changed(table, flow);
    }
}

/** A packet of a flow of which one direction was seen so far, or its first. */
__attribute__((noinline)) static void look_for_other_side(const struct ft_flow_table *table,
                                                          struct ft_flow *flow, enum ft_side side)
{
    if (flow->packets[!side]) {
        flow->state = FT_FLOW_ESTABLISHED;
        if (flow->is_one_way)
            count_one_way(table, flow, -1);
        flow->is_one_way = 0;
    } else if (flow->packets[side] == FT_FLOW_ONE_WAY_PACKETS && is_one_way(flow, side)) {
        flow->is_one_way = 1;
        count_one_way(table, flow, 1);
    }
}

static inline void count_packet(struct ft_flow_table *table, struct ft_flow *flow,
                                const struct ft_packet *p, enum ft_side side)
{
    flow->packets[side]++;
    flow->bytes[side] += p->wirelen;
    if (p->time_ns > flow->last_ns)
        flow->last_ns = p->time_ns;
    if (flow->state == FT_FLOW_NEW)
        look_for_other_side(table, flow, side);
    if (p->flags & FT_PACKET_TCP) {
        flow->tcp_flags[side] |= p->tcp_flags;
        if (p->tcp_flags & (FT_TCP_SYN | FT_TCP_FIN | FT_TCP_RST))
            tcp_control(table, flow, p, side);
    }
}

static void fill_record(const struct ft_flow_table *table, struct ft_flow *flow,
                        const struct ft_packet *p, enum ft_side side)
{
    flow->last_ns = flow->first_ns = p->time_ns;
    flow->first_number = p->number;
    flow->hash = p->flow_hash;
    flow->shard = p->shard;
    flow->priority = p->priority;
    flow->first = side == FT_SIDE_B;
    if (p->flags & (FT_PACKET_IPV4 | FT_PACKET_IPV6) && (p->proto == 1 || p->proto == 58)) {
        flow->icmp[0] = (uint8_t)p->src_port;
        flow->icmp[1] = (uint8_t)p->dst_port;
    }
    for (uint32_t i = 0; i < 2 && i < p->vlan_count; i++)
        flow->vlan[i] = p->vlan[i];
    memcpy(flow->mac[side], p->src_mac, 6);
    memcpy(flow->mac[!side], p->dst_mac, 6);
    flow->is_multicast = !!(p->flags & FT_PACKET_MULTICAST);
    flow->interface = p->interface;
    if (p->flags & FT_PACKET_TUNNELLED) {
        flow->tunnel = p->outer.tunnel;
    }
    guess_server(table, flow, p, side);
}

static struct ft_flow *create(struct ft_flow_table *table, struct shard *shard,
                              const struct ft_packet *p, const struct key_words *key,
                              enum ft_side side, ft_flow_end_fn *end, void *user)
{
    struct place place = place_of(p->flow_hash, shard->bucket_mask);
    struct bucket *bucket;
    uint32_t entry;

    if (shard->stats.active == table->config.flows_per_shard && !evict_one(table, shard, end, user))
        goto refuse;
    bucket = choose_bucket(shard, place, &entry);
    if (!bucket && evict_from(table, shard, place, end, user))
        bucket = choose_bucket(shard, place, &entry);
    if (!bucket)
        goto refuse;

    uint32_t index = shard->first_free ? shard->first_free : ++shard->untouched;
    struct ft_flow *flow = record_at(shard, index);

    shard->first_free = shard->first_free ? flow->newer : 0;

    *flow = (struct ft_flow){.index = index};
    memcpy(&flow->key, key, sizeof(*key));
    fill_record(table, flow, p, side);
    bucket->tag[entry] = place.tag;
    bucket->index[entry] = (uint16_t)index;
    if (!shard->stats.active && p->time_ns / NS_PER_S > shard->now_s)
        shard->now_s = p->time_ns / NS_PER_S;
    queue_flow(table, shard, flow);
    ++*kind_counter(shard, flow);
    shard->stats.active++;
    shard->stats.created++;
    return flow;

refuse:
    shard->stats.refused++;
    return NULL;
}

void ft_flow_prepare(const struct ft_flow_table *table, struct ft_packet *const *packets,
                     uint32_t count, struct ft_flow **hints)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct shard *shard = &table->shards[packets[i]->shard];
        __builtin_prefetch(
            &shard->buckets[place_of(packets[i]->flow_hash, shard->bucket_mask).first]);
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct shard *shard = &table->shards[packets[i]->shard];
        struct place place = place_of(packets[i]->flow_hash, shard->bucket_mask);
        const struct bucket *bucket = &shard->buckets[place.first];
        uint32_t match = bucket_match(bucket, place.tag);

        hints[i] = NULL;
        if (!match && bucket->sent_away) {
            bucket = &shard->buckets[second_of(place, shard->bucket_mask)];
            match = bucket_match(bucket, place.tag);
        }
        if (match) {
            hints[i] = record_at(shard, bucket->index[__builtin_ctz(match)]);
            __builtin_prefetch(&hints[i]->key, 1);
            __builtin_prefetch(&hints[i]->packets, 1);
        }
    }
}

/** A packet that opens a connection. */
static inline bool is_opening(const struct ft_packet *p)
{
    return p->flags & FT_PACKET_TCP &&
           (p->tcp_flags & (FT_TCP_SYN | FT_TCP_ACK | FT_TCP_RST)) == FT_TCP_SYN;
}

/** The flow of a packet without a good hint, or that opens a connection: found, ended, made. */
__attribute__((noinline)) static struct ft_flow *take_slowly(struct ft_flow_table *table,
                                                             const struct ft_packet *packet,
                                                             enum ft_side *side,
                                                             ft_flow_end_fn *end, void *user)
{
    struct shard *shard = &table->shards[packet->shard];
    struct key_words key;
    *side = key_of(packet, table->config.vlan_in_key, &key);
    struct ft_flow *flow = find(shard, packet->flow_hash, &key);

    if (flow && is_opening(packet) && is_reuse(table, flow, packet, *side)) {
        end_flow(table, shard, flow, FT_FLOW_END_REUSED, end, user);
        flow = NULL;
    }
    return flow ? flow : create(table, shard, packet, &key, *side, end, user);
}

/** Two words at a time, in whatever registers the machine has for that. */
typedef uint64_t two_words __attribute__((vector_size(16), aligned(8), may_alias));

static inline two_words load(const union ft_ip *address)
{
    return *(const two_words *)address;
}

static inline uint64_t any_bit(two_words x)
{
    return x[0] | x[1];
}

/**
 * The sender's side if a TCP or UDP packet is of this very flow, else FT_SIDE_NONE. The record is
 * sorted already, so both orders are compared and nothing needs sorting.
 */
static inline enum ft_side side_in(const struct ft_flow *flow, const struct ft_packet *p,
                                   uint64_t vlans)
{
    const struct ft_flow_key *key = &flow->key;
    two_words src = load(&p->src), dst = load(&p->dst), a = load(&key->a), b = load(&key->b);
    uint64_t last;

    memcpy(&last, key->vlan, sizeof(last));
    uint64_t other = (last ^ vlans) | (uint64_t)(key->proto ^ p->proto) |
                     (uint64_t)(key->family ^ (p->flags & FT_PACKET_IPV6 ? 6 : 4));
    uint64_t straight = any_bit((src ^ a) | (dst ^ b)) | (uint64_t)(p->src_port ^ key->port_a) |
                        (uint64_t)(p->dst_port ^ key->port_b);
    if (!(straight | other))
        return FT_SIDE_A;
    uint64_t crossed = any_bit((src ^ b) | (dst ^ a)) | (uint64_t)(p->src_port ^ key->port_b) |
                       (uint64_t)(p->dst_port ^ key->port_a);
    return crossed | other ? FT_SIDE_NONE : FT_SIDE_B;
}

/** A packet that needs nothing but the record its hint names. */
static inline bool is_plain(const struct ft_packet *p)
{
    return p->flags & (FT_PACKET_TCP | FT_PACKET_UDP) && !(p->flags & FT_PACKET_FRAGMENT) &&
           !is_opening(p);
}

struct ft_flow *ft_flow_take(struct ft_flow_table *table, const struct ft_packet *packet,
                             struct ft_flow *hint, uint8_t *side_out, ft_flow_end_fn *end,
                             void *user)
{
    struct ft_flow *flow = hint;
    enum ft_side side = FT_SIDE_NONE;

    if (flow && is_plain(packet))
        side = side_in(
            flow, packet,
            table->config.vlan_in_key ? word_of_vlans(packet->vlan[0], packet->vlan[1], 0) : 0);
    if (__builtin_expect(side == FT_SIDE_NONE, 0)) {
        flow = take_slowly(table, packet, &side, end, user);
        if (!flow) {
            *side_out = (uint8_t)side;
            return NULL;
        }
    }
    *side_out = (uint8_t)side;
    count_packet(table, flow, packet, side);
    return flow;
}

void ft_flow_lookup(struct ft_flow_table *table, struct ft_packet *const *packets, uint32_t count,
                    struct ft_flow **flows, uint8_t *sides, ft_flow_end_fn *end, void *user)
{
    struct ft_flow *hints[LOOKUP_BURST];

    while (count) {
        uint32_t burst = count < LOOKUP_BURST ? count : LOOKUP_BURST;

        ft_flow_prepare(table, packets, burst, hints);
        for (uint32_t i = 0; i < burst; i++)
            flows[i] = ft_flow_take(table, packets[i], hints[i], &sides[i], end, user);
        packets += burst;
        flows += burst;
        sides += burst;
        count -= burst;
    }
}

/* ---- the table ------------------------------------------------------------------------------ */

void ft_flow_config_init(struct ft_flow_config *config)
{
    *config = (struct ft_flow_config){
        .flows_per_shard = 8192,
        .segments_per_shard = 256,
        .held_bytes_max = 256 * 1024,
        .held_count_max = 64,
        .tcp_new_s = 30,
        .tcp_established_s = 3600,
        .tcp_ot_s = 86400,
        .tcp_closed_s = 10,
        .udp_s = 60,
        .udp_ot_s = 300,
        .other_s = 300,
    };
}

/** Buckets for `flows`: half full, a power of two, at least the two of a place. */
static uint32_t bucket_count(uint32_t flows)
{
    uint32_t buckets = 2;

    while (buckets * 8 < flows)
        buckets *= 2;
    return buckets;
}

static bool shard_init(struct ft_flow_table *table, uint32_t number)
{
    const struct ft_flow_config *config = &table->config;
    struct shard *shard = &table->shards[number];
    uint32_t buckets = bucket_count(config->flows_per_shard);

    shard->bucket_mask = buckets - 1;
    shard->buckets = table->buckets + (uint64_t)number * buckets;
    for (uint32_t i = 0; i < 2; i++)
        shard->wheels[i].slots = table->slots + (uint64_t)(number * 2 + i) * SLOTS;
    shard->ending = table->ending + (uint64_t)number * config->flows_per_shard;
    shard->records = table->records + (uint64_t)number * config->flows_per_shard;
    if (!ft_pool_init(&shard->segments, config->segments_per_shard, FT_STREAM_BLOCK))
        return false;
    shard->stats.memory =
        (uint64_t)config->flows_per_shard * (sizeof(struct ft_flow) + sizeof(uint32_t)) +
        (uint64_t)config->segments_per_shard * (FT_STREAM_BLOCK + sizeof(uint32_t)) +
        buckets * sizeof(struct bucket) + 2 * SLOTS * sizeof(struct slot);
    return true;
}

struct ft_flow_table *ft_flow_table_new(const struct ft_flow_config *config)
{
    if (!config->flows_per_shard || config->flows_per_shard > FT_FLOWS_PER_SHARD_MAX ||
        !config->segments_per_shard)
        return NULL;

    struct ft_flow_table *table = ft_map(sizeof(*table), false);
    if (!table)
        return NULL;
    table->config = *config;
    table->records_size = (uint64_t)FT_SHARDS * config->flows_per_shard * sizeof(struct ft_flow);
    table->buckets_size =
        (uint64_t)FT_SHARDS * bucket_count(config->flows_per_shard) * sizeof(struct bucket);
    table->slots_size = (uint64_t)FT_SHARDS * 2 * SLOTS * sizeof(struct slot);
    table->ending_size = (uint64_t)FT_SHARDS * config->flows_per_shard * sizeof(uint32_t);
    /* Buckets are small and used at random all over: huge pages always pay. */
    table->buckets = ft_map(table->buckets_size, true);
    table->records = ft_map(table->records_size, config->huge_pages);
    table->slots = ft_map(table->slots_size, false);
    table->ending = ft_map(table->ending_size, false);

    bool is_complete = table->records && table->buckets && table->slots && table->ending;
    for (uint32_t i = 0; i < FT_SHARDS && is_complete; i++)
        is_complete = shard_init(table, i);
    if (!is_complete) {
        ft_flow_table_free(table);
        return NULL;
    }
    return table;
}

void ft_flow_table_free(struct ft_flow_table *table)
{
    if (!table)
        return;
    for (uint32_t i = 0; i < FT_SHARDS; i++)
        ft_pool_free(&table->shards[i].segments);
    ft_unmap(table->records, table->records_size);
    ft_unmap(table->buckets, table->buckets_size);
    ft_unmap(table->slots, table->slots_size);
    ft_unmap(table->ending, table->ending_size);
    ft_unmap(table, sizeof(*table));
}

void ft_flow_place(struct ft_flow_table *table, uint8_t number, int node)
{
    const struct shard *shard = &table->shards[number];
    uint32_t flows = table->config.flows_per_shard;
    const struct ft_pool *segments = &shard->segments;

    ft_map_place(shard->records, (uint64_t)flows * sizeof(struct ft_flow), node);
    ft_map_place(shard->buckets, bucket_count(flows) * sizeof(struct bucket), node);
    ft_map_place(shard->wheels[0].slots, 2 * SLOTS * sizeof(struct slot), node);
    ft_map_place(shard->ending, (uint64_t)flows * sizeof(uint32_t), node);
    ft_map_place(segments->memory, (uint64_t)segments->blocks * segments->block_size, node);
    ft_map_place(segments->next_free, (uint64_t)segments->blocks * sizeof(uint32_t), node);
}

void ft_flow_set_mirrors(struct ft_flow_table *table, struct ft_mirror *mirrors)
{
    table->mirrors = mirrors;
}

void ft_flow_set_server_ports(struct ft_flow_table *table, const uint8_t bitmap_tcp[8192],
                              const uint8_t bitmap_udp[8192])
{
    memcpy(table->server_tcp, bitmap_tcp, sizeof(table->server_tcp));
    memcpy(table->server_udp, bitmap_udp, sizeof(table->server_udp));
}

struct ft_flow_stats ft_flow_stats(const struct ft_flow_table *table, uint8_t shard)
{
    return table->shards[shard].stats;
}

uint64_t ft_flow_id(const struct ft_flow *flow)
{
    uint64_t id = flow->first_ns ^ flow->first_number << 32 ^ flow->first_number >> 32;

    id = (id ^ id >> 32) * 0x9e3779b97f4a7c15ull + flow->hash;
    id = (id ^ id >> 29) * 0xbf58476d1ce4e5b9ull;
    return id >> 13;
}

struct ft_pool *ft_flow_segments(const struct ft_flow_table *table, uint8_t shard)
{
    return (struct ft_pool *)&table->shards[shard].segments;
}

struct ft_flow *ft_flow_at(const struct ft_flow_table *table, uint8_t shard, uint32_t index)
{
    if (!index || index > table->shards[shard].untouched)
        return NULL;

    struct ft_flow *flow = record_at(&table->shards[shard], index);

    return flow->key.family ? flow : NULL;
}

uint32_t ft_flow_highest(const struct ft_flow_table *table, uint8_t shard)
{
    return table->shards[shard].untouched;
}

const struct ft_flow_config *ft_flow_config(const struct ft_flow_table *table)
{
    return &table->config;
}
