/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IP fragments put together (RFC 791 3.2, RFC 8200 4.5).
 *
 * Fragments begin at multiples of eight bytes, so one bit for each eight bytes tells exactly what
 * is there: 1 KiB a datagram, and no order or number of fragments, however hostile, costs more. The
 * bytes lie in blocks that are taken when the first of their bytes comes.
 */
#include "packet/defrag.h"

#include "base/pool.h"
#include "packet/checksum.h"
#include "packet/decoder.h"
#include "packet/hash.h"

enum {
    UNIT = 8,
    BLOCK_SIZE = 2048,
    BLOCK_UNITS = BLOCK_SIZE / UNIT,
    DATAGRAM_MAX = 65535,
    BLOCKS = (DATAGRAM_MAX + BLOCK_SIZE) / BLOCK_SIZE,
    WORDS = (DATAGRAM_MAX + UNIT) / UNIT / 64,
    /* On average; a datagram may take all it needs, and then the oldest make room. */
    BLOCKS_PER_DATAGRAM = 8,
};

_Static_assert(BLOCKS == 32 && WORDS == 128, "65,535 bytes rounded up");

/* What fragments of one datagram have in common. No padding: compared as bytes. */
struct key {
    union ft_ip src, dst;
    uint32_t id;
    uint32_t tunnel_id;
    uint8_t proto; /* IPv4 only: the first fragment of IPv6 alone tells */
    uint8_t is_ipv6;
    uint8_t tunnel;
    uint8_t zero;
    uint16_t vlan[2]; /* two outermost, where they are part of a flow */
};

_Static_assert(sizeof(struct key) == 48, "no padding");

struct datagram {
    struct key key;
    uint64_t time_ns;        /* of its first fragment to come */
    uint64_t present[WORDS]; /* one bit a unit */
    uint32_t blocks[BLOCKS]; /* in shard->blocks, 0 = none yet */
    uint32_t header;         /* block of the header without fragmentation, 0 = none yet */
    uint32_t header_len;
    uint32_t end;   /* bytes of data in all, 0 = not known yet */
    uint32_t reach; /* furthest byte that is here */
    uint32_t units; /* bits set */
    uint32_t parts; /* fragments taken, duplicates too */
    uint32_t hash;
    uint32_t next;         /* in its bucket */
    uint32_t older, newer; /* in order of creation */
    bool is_overlapped;
};

struct shard {
    struct ft_pool datagrams, blocks;
    uint32_t *buckets;
    uint32_t oldest, newest;
    struct ft_defrag_stats stats;
};

struct ft_defrag {
    uint32_t bucket_mask;
    bool separates_vlans;
    struct shard shards[FT_SHARDS];
};

/* A fragment, as its headers tell. */
struct fragment {
    struct key key;
    const uint8_t *data;
    uint32_t offset, len;
    bool has_more;
};

/* ---- creation ------------------------------------------------------------------------------ */

static bool shard_init(struct shard *s, uint32_t datagrams, uint32_t buckets)
{
    /* One datagram of the largest size and its header always fit. */
    uint32_t blocks = datagrams * BLOCKS_PER_DATAGRAM, least = BLOCKS + 1;

    s->buckets = ft_map(buckets * sizeof(uint32_t), false);
    return s->buckets && ft_pool_init(&s->datagrams, datagrams, sizeof(struct datagram)) &&
           ft_pool_init(&s->blocks, blocks > least ? blocks : least, BLOCK_SIZE);
}

void ft_defrag_separate_vlans(struct ft_defrag *d)
{
    d->separates_vlans = true;
}

struct ft_defrag *ft_defrag_new(uint32_t per_shard)
{
    enum {
        MOST = 1u << 20
    };
    struct ft_defrag *d = ft_map(sizeof(*d), false);
    uint32_t datagrams = per_shard < 1 ? 1 : per_shard > MOST ? MOST : per_shard, buckets = 1;

    if (!d)
        return NULL;
    while (buckets < datagrams)
        buckets *= 2;
    d->bucket_mask = buckets - 1;
    for (unsigned i = 0; i < FT_SHARDS; i++) {
        if (!shard_init(&d->shards[i], datagrams, buckets)) {
            ft_defrag_free(d);
            return NULL;
        }
    }
    return d;
}

void ft_defrag_free(struct ft_defrag *d)
{
    if (!d)
        return;
    for (unsigned i = 0; i < FT_SHARDS; i++) {
        struct shard *s = &d->shards[i];

        ft_unmap(s->buckets, (d->bucket_mask + 1) * sizeof(uint32_t));
        ft_pool_free(&s->datagrams);
        ft_pool_free(&s->blocks);
    }
    ft_unmap(d, sizeof(*d));
}

/* ---- datagrams ----------------------------------------------------------------------------- */

static struct datagram *at(const struct shard *s, uint32_t n)
{
    return ft_pool_at(&s->datagrams, n);
}

static void unlink_age(struct shard *s, const struct datagram *g)
{
    if (g->older)
        at(s, g->older)->newer = g->newer;
    else
        s->oldest = g->newer;
    if (g->newer)
        at(s, g->newer)->older = g->older;
    else
        s->newest = g->older;
}

static void unlink_bucket(struct ft_defrag *d, struct shard *s, uint32_t n)
{
    uint32_t *link = &s->buckets[at(s, n)->hash & d->bucket_mask];

    while (*link != n)
        link = &at(s, *link)->next;
    *link = at(s, n)->next;
}

/* Forget datagram n and give back its blocks; its fragments are counted in *counter. */
static void release(struct ft_defrag *d, struct shard *s, uint32_t n, uint64_t *counter)
{
    struct datagram *g = at(s, n);

    for (unsigned i = 0; i < BLOCKS; i++) {
        if (g->blocks[i])
            ft_pool_put(&s->blocks, g->blocks[i]);
    }
    if (g->header)
        ft_pool_put(&s->blocks, g->header);
    *counter += g->parts;
    s->stats.held -= g->parts;
    unlink_age(s, g);
    unlink_bucket(d, s, n);
    ft_pool_put(&s->datagrams, n);
}

/* Make room at the cost of the oldest datagram but `keep`; false when there is no other. */
static bool evict(struct ft_defrag *d, struct shard *s, uint32_t keep)
{
    uint32_t n = s->oldest;

    if (n && n == keep)
        n = at(s, n)->newer;
    if (!n)
        return false;
    release(d, s, n, &s->stats.evicted);
    return true;
}

static uint32_t hash_of(const struct key *key)
{
    uint64_t words[sizeof(*key) / 8];
    uint32_t hash = 0;

    memcpy(words, key, sizeof(*key));
    for (unsigned i = 0; i < sizeof(*key) / 8; i++)
        hash = ft_crc32c_u64(hash, words[i]);
    return hash;
}

static uint32_t find(const struct ft_defrag *d, const struct shard *s, const struct key *key,
                     uint32_t hash)
{
    uint32_t n = s->buckets[hash & d->bucket_mask];

    while (n && (at(s, n)->hash != hash || memcmp(&at(s, n)->key, key, sizeof(*key)) != 0))
        n = at(s, n)->next;
    return n;
}

static uint32_t make(struct ft_defrag *d, struct shard *s, const struct key *key, uint32_t hash,
                     uint64_t time_ns)
{
    if (s->datagrams.used == s->datagrams.blocks)
        evict(d, s, 0);

    uint32_t n = ft_pool_get(&s->datagrams);
    uint32_t *bucket = &s->buckets[hash & d->bucket_mask];
    struct datagram *g = at(s, n);

    memset(g, 0, sizeof(*g));
    g->key = *key;
    g->time_ns = time_ns;
    g->hash = hash;
    g->next = *bucket;
    *bucket = n;
    g->older = s->newest;
    if (s->newest)
        at(s, s->newest)->newer = n;
    else
        s->oldest = n;
    s->newest = n;
    return n;
}

/* ---- fragments ----------------------------------------------------------------------------- */

static struct fragment read_fragment(const struct ft_defrag *d, const struct ft_packet *p)
{
    const uint8_t *header = p->data + p->l3;
    bool is_ipv6 = p->flags & FT_PACKET_IPV6;
    struct fragment f = {
        .key = {.src = p->src,
                .dst = p->dst,
                .is_ipv6 = is_ipv6,
                .tunnel = p->outer.tunnel,
                .tunnel_id = p->outer.id},
        .data = p->data + p->payload,
        .len = p->payload_len,
    };

    if (d->separates_vlans)
        memcpy(f.key.vlan, p->vlan, sizeof(f.key.vlan));
    if (is_ipv6) {
        const uint8_t *extension = f.data - 8;

        f.key.id = ft_be32(extension + 4);
        f.offset = ft_be16(extension + 2) & 0xfff8;
        f.has_more = extension[3] & 1;
    } else {
        f.key.id = ft_be16(header + 4);
        f.key.proto = p->proto;
        f.offset = (ft_be16(header + 6) & 0x1fffu) * 8;
        f.has_more = header[6] & 0x20;
    }
    return f;
}

/* True when the fragment agrees with what is known of the datagram's length. */
static bool is_consistent(const struct datagram *g, const struct fragment *f)
{
    uint32_t end = f->offset + f->len;

    if (g->end)
        return f->has_more ? end <= g->end : end == g->end;
    return f->has_more || end >= g->reach;
}

static uint32_t get_block(struct ft_defrag *d, struct shard *s, uint32_t keep)
{
    while (s->blocks.used == s->blocks.blocks) {
        if (!evict(d, s, keep))
            return 0;
    }
    return ft_pool_get(&s->blocks);
}

/* Take the blocks that the bytes [begin, end) lie in. */
static bool reserve(struct ft_defrag *d, struct shard *s, uint32_t n, uint32_t begin, uint32_t end)
{
    struct datagram *g = at(s, n);

    for (uint32_t i = begin / BLOCK_SIZE; i <= (end - 1) / BLOCK_SIZE; i++) {
        if (!g->blocks[i])
            g->blocks[i] = get_block(d, s, n);
        if (!g->blocks[i])
            return false;
    }
    return true;
}

/* Copy what is not there yet; true when what was there differs. */
static bool store(struct shard *s, struct datagram *g, const struct fragment *f)
{
    bool differs = false;

    for (uint32_t done = 0; done < f->len; done += UNIT) {
        uint32_t unit = (f->offset + done) / UNIT;
        uint32_t size = f->len - done < UNIT ? f->len - done : UNIT;
        uint8_t *block = ft_pool_at(&s->blocks, g->blocks[unit / BLOCK_UNITS]);
        uint8_t *to = block + unit % BLOCK_UNITS * UNIT;
        uint64_t bit = 1ull << unit % 64;

        if (g->present[unit / 64] & bit) {
            differs |= memcmp(to, f->data + done, size) != 0;
            continue;
        }
        memcpy(to, f->data + done, size);
        g->present[unit / 64] |= bit;
        g->units++;
    }
    return differs;
}

/* ---- headers ------------------------------------------------------------------------------- */

/* Where the next header field that names the fragment header stands, from the IPv6 header on. */
static uint32_t fragment_name_v6(const uint8_t *header, uint32_t length)
{
    uint32_t field = 6, next = 40;

    while (next < length && header[field] != 44) {
        uint32_t size =
            header[field] == 51 ? (header[next + 1] + 2u) * 4 : (header[next + 1] + 1u) * 8;

        field = next;
        next += size;
    }
    return field;
}

/* Keep the header of the first fragment, as it is before the datagram's data. */
static bool store_header(struct ft_defrag *d, struct shard *s, uint32_t n,
                         const struct ft_packet *p)
{
    struct datagram *g = at(s, n);
    bool is_ipv6 = g->key.is_ipv6;
    const uint8_t *header = p->data + p->l3;
    uint32_t length = p->payload - p->l3 - (is_ipv6 ? 8 : 0);

    if (length > BLOCK_SIZE)
        return false;
    g->header = get_block(d, s, n);
    if (!g->header)
        return false;
    g->header_len = length;

    uint8_t *copy = ft_pool_at(&s->blocks, g->header);

    memcpy(copy, header, length);
    if (is_ipv6)
        copy[fragment_name_v6(header, length)] = p->data[p->payload - 8];
    return true;
}

static void put_be16(uint8_t *to, uint32_t x)
{
    to[0] = (uint8_t)(x >> 8);
    to[1] = (uint8_t)x;
}

/* Lengths, flags and checksum of the datagram as if it had never been taken apart. */
static void mend_header(uint8_t *header, const struct datagram *g)
{
    if (g->key.is_ipv6) {
        put_be16(header + 4, g->header_len - 40 + g->end);
        return;
    }
    put_be16(header + 2, g->header_len + g->end);
    put_be16(header + 6, ft_be16(header + 6) & 0xc000u);
    put_be16(header + 10, 0);

    uint16_t checksum = ft_checksum_finish(ft_checksum_add(0, header, g->header_len));

    memcpy(header + 10, &checksum, 2);
}

/* ---- datagrams out ------------------------------------------------------------------------- */

static void write_datagram(const struct shard *s, const struct datagram *g,
                           const struct ft_packet *p, uint8_t *buffer)
{
    memmove(buffer, p->data, p->l3);

    uint8_t *to = buffer + p->l3;

    memcpy(to, ft_pool_at(&s->blocks, g->header), g->header_len);
    mend_header(to, g);
    to += g->header_len;
    for (uint32_t done = 0; done < g->end; done += BLOCK_SIZE) {
        uint32_t size = g->end - done < BLOCK_SIZE ? g->end - done : BLOCK_SIZE;

        memcpy(to + done, ft_pool_at(&s->blocks, g->blocks[done / BLOCK_SIZE]), size);
    }
}

static enum ft_defrag_result fail(struct ft_packet *p, enum ft_bucket bucket)
{
    p->bucket = (uint8_t)bucket;
    return FT_DEFRAG_FAILED;
}

/* All bytes are here. */
static enum ft_defrag_result finish(struct ft_defrag *d, struct shard *s, uint32_t n,
                                    struct ft_packet *p, uint8_t *buffer, uint32_t buffer_size,
                                    struct ft_packet *whole)
{
    struct datagram *g = at(s, n);
    uint32_t counted_header = g->key.is_ipv6 ? g->header_len - 40 : g->header_len;
    uint32_t size = p->l3 + g->header_len + g->end;

    if (counted_header + g->end > DATAGRAM_MAX) {
        release(d, s, n, &s->stats.impossible);
        return fail(p, FT_BUCKET_FRAGMENT);
    }
    if (size > buffer_size) {
        release(d, s, n, &s->stats.refused);
        return fail(p, FT_BUCKET_SHED_FRAGMENT);
    }
    write_datagram(s, g, p, buffer);

    uint32_t kept = FT_PACKET_REASSEMBLED | FT_PACKET_FRAGMENT_OVERLAP | FT_PACKET_STAMP;

    /* What the source knows of this fragment holds for the whole, but for the bytes. */
    memset(whole, 0, sizeof(*whole));
    memcpy(whole, p, offsetof(struct ft_packet, flags));
    whole->data = buffer;
    whole->caplen = whole->wirelen = size;
    whole->flags = (p->flags & kept) | FT_PACKET_REASSEMBLED |
                   (g->is_overlapped ? FT_PACKET_FRAGMENT_OVERLAP : 0);
    whole->l3 = p->l3;
    s->stats.datagrams++;
    release(d, s, n, &s->stats.completed);
    return FT_DEFRAG_DONE;
}

enum ft_defrag_result ft_defrag_add(struct ft_defrag *d, struct ft_packet *p, uint8_t *buffer,
                                    uint32_t buffer_size, struct ft_packet *whole)
{
    struct shard *s = &d->shards[p->shard % FT_SHARDS];

    s->stats.fragments++;
    if (p->flags & FT_PACKET_CUT) {
        s->stats.refused++;
        return fail(p, FT_BUCKET_CUT);
    }

    struct fragment f = read_fragment(d, p);
    uint32_t hash = hash_of(&f.key), n = find(d, s, &f.key, hash);

    if (!n)
        n = make(d, s, &f.key, hash, p->time_ns);

    struct datagram *g = at(s, n);

    if (!is_consistent(g, &f)) {
        g->is_overlapped = true;
        s->stats.impossible++;
        return fail(p, FT_BUCKET_FRAGMENT);
    }
    if (!reserve(d, s, n, f.offset, f.offset + f.len) ||
        (f.offset == 0 && !g->header && !store_header(d, s, n, p))) {
        s->stats.refused++;
        return fail(p, FT_BUCKET_SHED_FRAGMENT);
    }
    if (store(s, g, &f)) {
        g->is_overlapped = true;
        s->stats.overlaps++;
    }
    g->parts++;
    s->stats.held++;
    if (f.offset + f.len > g->reach)
        g->reach = f.offset + f.len;
    if (!f.has_more)
        g->end = f.offset + f.len;
    if (!g->end || g->units * UNIT < g->end)
        return FT_DEFRAG_HELD;
    return finish(d, s, n, p, buffer, buffer_size, whole);
}

void ft_defrag_tick(struct ft_defrag *d, uint8_t shard, uint64_t time_ns)
{
    struct shard *s = &d->shards[shard % FT_SHARDS];

    while (s->oldest && time_ns >= at(s, s->oldest)->time_ns &&
           time_ns - at(s, s->oldest)->time_ns >= FT_DEFRAG_TIMEOUT_NS)
        release(d, s, s->oldest, &s->stats.expired);
}

struct ft_defrag_stats ft_defrag_stats(const struct ft_defrag *d)
{
    struct ft_defrag_stats sum = {0};

    for (unsigned i = 0; i < FT_SHARDS; i++) {
        const struct ft_defrag_stats *one = &d->shards[i].stats;

        sum.fragments += one->fragments;
        sum.datagrams += one->datagrams;
        sum.overlaps += one->overlaps;
        sum.expired += one->expired;
        sum.evicted += one->evicted;
        sum.impossible += one->impossible;
        sum.completed += one->completed;
        sum.held += one->held;
        sum.refused += one->refused;
    }
    return sum;
}
