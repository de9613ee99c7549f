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
#include "flow/flow_internal.h"

#include "flow/stream.h"

#include <fieldtap/dissector.h>

/** Flows in the first bucket from which on a new one looks at the second. */
#define BUCKET_NEARLY_FULL 12u

/** Packets prepared at a time by ft_flow_lookup(). */
#define LOOKUP_BURST 64u

/* ---- buckets -------------------------------------------------------------------------------- */

static struct ft_flow *find_in(const struct ft_flow_shard *shard,
                               const struct ft_flow_bucket *bucket, uint16_t tag,
                               const struct ft_flow_words *key)
{
    for (uint32_t match = ft_flow_match(bucket, tag); match; match &= match - 1) {
        struct ft_flow *flow = ft_flow_record(shard, bucket->index[__builtin_ctz(match)]);
        if (ft_flow_key_equal(&flow->key, key))
            return flow;
    }
    return NULL;
}

static struct ft_flow *find(const struct ft_flow_shard *shard, uint32_t hash,
                            const struct ft_flow_words *key)
{
    struct ft_flow_spot place = ft_flow_spot_of(hash, shard->bucket_mask);
    const struct ft_flow_bucket *first = &shard->buckets[place.first];
    struct ft_flow *flow = find_in(shard, first, place.tag, key);

    if (flow || !first->sent_away)
        return flow;
    return find_in(shard, &shard->buckets[ft_flow_second(place, shard->bucket_mask)], place.tag,
                   key);
}

/** A free entry for `place`, NULL when both buckets are full. */
static struct ft_flow_bucket *choose_bucket(struct ft_flow_shard *shard, struct ft_flow_spot place,
                                            uint32_t *entry)
{
    struct ft_flow_bucket *bucket = &shard->buckets[place.first];
    uint32_t free_first = ft_flow_match(bucket, 0);

    if (__builtin_popcount(free_first) <= (int)(BUCKET_ENTRIES - BUCKET_NEARLY_FULL)) {
        struct ft_flow_bucket *second = &shard->buckets[ft_flow_second(place, shard->bucket_mask)];
        uint32_t free_second = ft_flow_match(second, 0);

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
static inline enum ft_side key_of_ip(const struct ft_packet *p, struct ft_flow_words *key)
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

static enum ft_side key_of_l2(const struct ft_packet *p, struct ft_flow_words *key)
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
    *key = (struct ft_flow_words){{0}};
    memcpy(&key->word[0], is_b ? p->dst_mac : p->src_mac, 6);
    memcpy(&key->word[2], is_b ? p->src_mac : p->dst_mac, 6);
    key->word[4] = word_of_ports(0, 0, type, 0, 2);
    key->word[5] = word_of_vlans(0, 0, encapsulation);
    return is_b ? FT_SIDE_B : FT_SIDE_A;
}

static inline enum ft_side key_of(const struct ft_packet *p, bool vlan_in_key,
                                  struct ft_flow_words *key)
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
    struct ft_flow_words words;
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
            ft_flow_count_one_way(table, flow, -1);
        flow->is_one_way = 0;
    } else if (flow->packets[side] == FT_FLOW_ONE_WAY_PACKETS && ft_flow_is_one_way(flow, side)) {
        flow->is_one_way = 1;
        ft_flow_count_one_way(table, flow, 1);
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

static struct ft_flow *create(struct ft_flow_table *table, struct ft_flow_shard *shard,
                              const struct ft_packet *p, const struct ft_flow_words *key,
                              enum ft_side side, ft_flow_end_fn *end, void *user)
{
    struct ft_flow_spot place = ft_flow_spot_of(p->flow_hash, shard->bucket_mask);
    struct ft_flow_bucket *bucket;
    uint32_t entry;

    if (shard->stats.active == table->config.flows_per_shard &&
        !ft_flow_evict_one(table, shard, end, user))
        goto refuse;
    bucket = choose_bucket(shard, place, &entry);
    if (!bucket && ft_flow_evict_from(table, shard, place, end, user))
        bucket = choose_bucket(shard, place, &entry);
    if (!bucket)
        goto refuse;

    uint32_t index = shard->first_free ? shard->first_free : ++shard->untouched;
    struct ft_flow *flow = ft_flow_record(shard, index);

    shard->first_free = shard->first_free ? flow->newer : 0;

    *flow = (struct ft_flow){.index = index};
    memcpy(&flow->key, key, sizeof(*key));
    fill_record(table, flow, p, side);
    bucket->tag[entry] = place.tag;
    bucket->index[entry] = (uint16_t)index;
    if (!shard->stats.active && p->time_ns / NS_PER_S > shard->now_s)
        shard->now_s = p->time_ns / NS_PER_S;
    ft_flow_queue(table, shard, flow);
    ++*ft_flow_kind_counter(shard, flow);
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
        const struct ft_flow_shard *shard = &table->shards[packets[i]->shard];
        __builtin_prefetch(
            &shard->buckets[ft_flow_spot_of(packets[i]->flow_hash, shard->bucket_mask).first]);
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct ft_flow_shard *shard = &table->shards[packets[i]->shard];
        struct ft_flow_spot place = ft_flow_spot_of(packets[i]->flow_hash, shard->bucket_mask);
        const struct ft_flow_bucket *bucket = &shard->buckets[place.first];
        uint32_t match = ft_flow_match(bucket, place.tag);

        hints[i] = NULL;
        if (!match && bucket->sent_away) {
            bucket = &shard->buckets[ft_flow_second(place, shard->bucket_mask)];
            match = ft_flow_match(bucket, place.tag);
        }
        if (match) {
            hints[i] = ft_flow_record(shard, bucket->index[__builtin_ctz(match)]);
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
    struct ft_flow_shard *shard = &table->shards[packet->shard];
    struct ft_flow_words key;
    *side = key_of(packet, table->config.vlan_in_key, &key);
    struct ft_flow *flow = find(shard, packet->flow_hash, &key);

    if (flow && is_opening(packet) && is_reuse(table, flow, packet, *side)) {
        ft_flow_end_one(table, shard, flow, FT_FLOW_END_REUSED, end, user);
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
