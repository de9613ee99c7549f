/* SPDX-License-Identifier: BSD-3-Clause */
/* Copies that a mirror makes. */
#include "packet/duplicate.h"

#include "base/hash.h"
#include "base/pool.h"

#include <string.h>

/* Packets whose lines are asked for before they are looked at. */
#define BURST 64u

#define LINES (FT_DUPLICATE_SLOTS / 2)

enum {
    TYPE_PROFINET = 0x8892,
    TYPE_GOOSE = 0x88b8,
    TYPE_SAMPLED_VALUES = 0x88ba,
};

/* Where a packet was seen, as far as it can tell copies from repetitions. */
struct sight {
    struct ft_mirror_place place;
    uint32_t path; /* hash of MAC addresses, tags, tunnel */
    uint8_t ttl;
};

struct slot {
    uint64_t digest; /* 0 = none */
    uint64_t time_ns;
    struct sight sight;
    uint32_t unused;
};

_Static_assert(sizeof(struct slot) == 32, "two fill a line");

struct ft_duplicates {
    uint64_t keys[2];
    uint64_t window_ns;
    bool is_vlan_identity;
    _Alignas(64) struct slot slots[FT_SHARDS][LINES][2];
};

struct look {
    uint64_t digest; /* 0: never a copy */
    struct sight sight;
    bool has_counter;
};

static inline uint64_t load(const uint8_t *b)
{
    uint64_t x;
    memcpy(&x, b, 8);
    return x;
}

/* Whoever does not know the keys cannot make a factor 0, which would hide what stands before. */
static uint64_t hash(const struct ft_duplicates *d, uint64_t h, const uint8_t *b, uint32_t n)
{
    uint64_t other = h ^ d->keys[1];
    h = ft_hash_mix(h, n ^ d->keys[0]);
    for (; n >= 32; n -= 32, b += 32) {
        h = ft_hash_mix(h ^ load(b), load(b + 8) ^ d->keys[0]);
        other = ft_hash_mix(other ^ load(b + 16), load(b + 24) ^ d->keys[1]);
    }
    h = ft_hash_mix(h, other ^ d->keys[0]);
    for (; n >= 8; n -= 8, b += 8)
        h = ft_hash_mix(h ^ load(b), d->keys[1]);
    uint64_t rest = 0;
    memcpy(&rest, b, n);
    return ft_hash_mix(h ^ rest, d->keys[0]);
}

static uint64_t hash_ip(const struct ft_duplicates *d, const struct ft_packet *p, struct look *look)
{
    const uint8_t *ip = p->data + p->l3;
    uint32_t end = p->payload + p->payload_len, header = 40;
    uint64_t h = d->keys[1] ^ p->proto;
    if (p->flags & FT_PACKET_IPV4) {
        uint64_t id = (uint64_t)ip[4] << 8 | ip[5];
        header = (ip[0] & 15u) * 4;
        look->has_counter = id != 0;
        h = ft_hash_mix(h ^ load(ip + 12), id ^ d->keys[0]); /* both addresses */
    } else {
        h = hash(d, h, ip + 8, 32);
    }
    return hash(d, h, ip + header, end - p->l3 - header);
}

static bool counts_frames(const struct ft_packet *p)
{
    uint32_t frame_id = p->payload_len < 2 ? 0 : (uint32_t)p->data[p->payload] << 8;
    if (p->flags & (FT_PACKET_LLC | FT_PACKET_SNAP))
        return false;
    /* Of PROFINET what is cyclic; above are alarms and DCP, below clocks. */
    return p->ethertype == TYPE_GOOSE || p->ethertype == TYPE_SAMPLED_VALUES ||
           (p->ethertype == TYPE_PROFINET && frame_id >= 0x0100 && frame_id < 0xfc00);
}

static uint64_t hash_frame(const struct ft_duplicates *d, const struct ft_packet *p)
{
    uint64_t macs[2] = {p->ethertype};
    memcpy((uint8_t *)macs + 4, p->src_mac, 6);
    memcpy((uint8_t *)macs + 10, p->dst_mac, 6);
    uint64_t h = ft_hash_mix(macs[0] ^ d->keys[1], macs[1] ^ d->keys[0]);
    return hash(d, h, p->data + p->payload, p->payload_len);
}

/* What of the way of a packet may differ between copies. */
static struct sight sight_of(const struct ft_packet *p, bool is_ip)
{
    uint64_t tags, macs[2] = {0};
    memcpy(&tags, p->vlan, sizeof(tags));
    if (is_ip) {
        memcpy(macs, p->src_mac, 6);
        memcpy((uint8_t *)macs + 8, p->dst_mac, 6);
    }
    uint64_t h = ft_hash_mix(macs[0] ^ (uint64_t)p->vlan_count << 56, macs[1]);
    h = ft_hash_mix(h, tags);
    if (p->flags & FT_PACKET_TUNNELLED)
        h = ft_hash_mix(h, ft_hash_bytes(p->outer.id, &p->outer, 2 * sizeof(union ft_ip)));
    return (struct sight){ft_mirror_place_of(p), (uint32_t)(h ^ h >> 32), p->ttl};
}

_Static_assert(sizeof(((struct ft_packet *)0)->vlan) == 8, "tags are one word");

static struct look look_at(const struct ft_duplicates *d, const struct ft_packet *p)
{
    struct look look = {0};
    bool is_ip = p->flags & (FT_PACKET_IPV4 | FT_PACKET_IPV6);
    if (p->bucket != FT_BUCKET_NONE || p->flags & (FT_PACKET_CUT | FT_PACKET_FRAGMENT) ||
        (!is_ip && !counts_frames(p)))
        return look;
    look.digest = is_ip ? hash_ip(d, p, &look) : hash_frame(d, p);
    look.sight = sight_of(p, is_ip);
    if (d->is_vlan_identity)
        look.digest = ft_hash_mix(look.digest, (uint64_t)p->vlan[0] << 16 | p->vlan[1]);
    look.digest += !look.digest;
    return look;
}

static bool is_elsewhere(const struct sight *a, const struct sight *b)
{
    return a->path != b->path || a->ttl != b->ttl || a->place.link != b->place.link ||
           a->place.vlan != b->place.vlan;
}

static uint64_t apart(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

static struct slot *line_of(struct ft_duplicates *d, uint8_t shard, uint64_t digest)
{
    return d->slots[shard][digest % LINES];
}

/* Is it one that was seen lately? If not it is remembered, first in its line; the second goes. */
static bool is_copy(struct ft_duplicates *d, const struct ft_packet *p, const struct look *look,
                    struct ft_mirror *mirror)
{
    struct slot *line = line_of(d, p->shard, look->digest);
    struct slot *slot = line[0].digest == look->digest   ? &line[0]
                        : line[1].digest == look->digest ? &line[1]
                                                         : NULL;
    if (slot && apart(p->time_ns, slot->time_ns) <= d->window_ns &&
        (look->has_counter || is_elsewhere(&slot->sight, &look->sight))) {
        ft_mirror_count(mirror, FT_MIRROR_COPIES, slot->sight.place, look->sight.place, 1,
                        slot->sight.ttl != look->sight.ttl);
        return true;
    }
    if (slot != &line[0])
        line[1] = line[0];
    line[0] = (struct slot){.digest = look->digest, .time_ns = p->time_ns, .sight = look->sight};
    return false;
}

void ft_duplicates_mark(struct ft_duplicates *d, struct ft_packet *const *packets, uint32_t count,
                        struct ft_mirror *mirrors)
{
    struct look looks[BURST];
    while (count) {
        uint32_t n = count < BURST ? count : BURST;
        for (uint32_t i = 0; i < n; i++) {
            looks[i] = look_at(d, packets[i]);
            __builtin_prefetch(line_of(d, packets[i]->shard, looks[i].digest), 1);
        }
        for (uint32_t i = 0; i < n; i++) {
            struct ft_packet *p = packets[i];
            if (looks[i].digest && is_copy(d, p, &looks[i], &mirrors[p->shard]))
                p->bucket = FT_BUCKET_DUPLICATE;
        }
        packets += n;
        count -= n;
    }
}

struct ft_duplicates *ft_duplicates_new(uint64_t seed, uint64_t window_ns, bool is_vlan_identity)
{
    struct ft_duplicates *d = ft_map(sizeof(*d), false);
    if (!d)
        return NULL;
    d->keys[0] = ft_hash_mix(seed, 0x6d6972726f72);
    d->keys[1] = ft_hash_mix(d->keys[0], seed);
    d->window_ns = window_ns;
    d->is_vlan_identity = is_vlan_identity;
    return d;
}

void ft_duplicates_free(struct ft_duplicates *d)
{
    if (d)
        ft_unmap(d, sizeof(*d));
}
