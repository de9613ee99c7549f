/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The last packets of each shard, as they were received: where evidence comes from.
 *
 * Each shard has memory of its own, so that what is still there depends on the shard's packets
 * alone and not on how many workers there are; and a host that talks much pushes out nobody's
 * packets but those of its own shard. The memory is cut into segments that are overwritten as a
 * whole, the oldest first: so nothing old has to be read to make room. A record never lies in two
 * segments.
 *
 * Positions are (serial number of the segment, offset): they say by themselves whether what they
 * point to has been overwritten. A shard is used by one thread at a time, its worker. Memory is
 * mapped when it is made and touched on use.
 */
#ifndef FT_HISTORY_H
#define FT_HISTORY_H

#include "packet/packet.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif
#include <string.h>

/** Segments of a shard that are its history; what is beyond them is for who runs ahead. */
#define FT_HISTORY_SEGMENTS 8u

/** A packet that was kept; its bytes follow. Sizes are multiples of a cache line. */
struct ft_history_record {
    uint32_t size;      /**< of the record with its bytes, a multiple of 64 */
    uint32_t captured;  /**< bytes of the packet that are here */
    uint32_t length;    /**< bytes on the wire */
    uint16_t interface; /**< as in struct ft_packet */
    uint16_t linktype;
    uint64_t seq, number, time_ns, stamp_ns; /**< as in struct ft_packet */
    uint64_t flow;                           /**< ft_history_flow() of its flow's record */
    uint64_t is_first; /**< 1: the first packet of a flow; those before had the same record */
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct ft_history_record) == 64, "a header is one cache line");

/** A place in the history of a shard. */
struct ft_history_place {
    uint64_t serial; /**< of the segment, from 1; 0 = nowhere */
    uint32_t offset; /**< in the segment */
};

struct ft_history_segment {
    uint64_t first_seq; /**< of its first packet */
    uint32_t used;      /**< bytes, when it is not being written any more */
};

struct ft_history_shard {
    uint8_t *at, *end; /**< where the next record goes; the end of its segment; NULL: none yet */
    uint64_t serial;   /**< of the segment being written, 0 = none yet */
    uint8_t *memory;
    struct ft_history_segment *segments; /**< by serial modulo their number */
} __attribute__((aligned(64)));

struct ft_history {
    struct ft_history_shard shards[FT_SHARDS];
    uint32_t snap_length; /**< bytes of a packet that are kept at most */
    uint32_t segment_size, segment_count;
    uint8_t *memory; /**< of all shards */

    /**
     * Called before segment `serial` of a shard is begun, which overwrites that before it by
     * segment_count. NULL: nothing is waited for.
     */
    void (*make_room)(void *user, uint8_t shard, uint64_t serial);
    void *users[FT_SHARDS]; /**< of make_room, by shard */
};

/**
 * A history of `bytes` for all shards together. `snap_length`: what is kept of a packet; it becomes
 * less if a segment is smaller. `burst`: 0, or as many packets as a worker may be ahead of what it
 * has told: there is room for them beyond the history. NULL when memory is short.
 */
struct ft_history *ft_history_new(uint64_t bytes, uint32_t snap_length, uint32_t burst);
void ft_history_free(struct ft_history *h);

/** Memory of a shard shall come from NUMA node `node`. Before the first packet. */
void ft_history_place(struct ft_history *h, uint8_t shard, int node);

/** Go on in the next segment: packet `seq` is the first in it. */
void ft_history_turn(struct ft_history *h, uint8_t shard, uint64_t seq);

/** What names a flow in records: its record's address, which other flows had and will have. */
static inline uint64_t ft_history_flow(const void *flow)
{
    return (uint64_t)(uintptr_t)flow;
}

#if defined(__x86_64__)
/* A cache line that nobody will read soon is written past the caches. */
static inline void ft_history_line(uint8_t *to, const uint8_t *from)
{
    for (unsigned i = 0; i < 64; i += 16)
        _mm_stream_si128((__m128i *)(void *)(to + i),
                         _mm_loadu_si128((const __m128i *)(const void *)(from + i)));
}

/* The same of a header, by way of registers. */
static inline void ft_history_header(uint8_t *to, const struct ft_history_record *r)
{
    __m128i *at = (__m128i *)(void *)to;
    uint64_t sizes = r->size | (uint64_t)r->captured << 32;
    uint64_t origin = r->length | (uint64_t)r->interface << 32 | (uint64_t)r->linktype << 48;
    _mm_stream_si128(at, _mm_set_epi64x((long long)origin, (long long)sizes));
    _mm_stream_si128(at + 1, _mm_set_epi64x((long long)r->number, (long long)r->seq));
    _mm_stream_si128(at + 2, _mm_set_epi64x((long long)r->stamp_ns, (long long)r->time_ns));
    _mm_stream_si128(at + 3, _mm_set_epi64x((long long)r->is_first, (long long)r->flow));
}
#else
static inline void ft_history_header(uint8_t *to, const struct ft_history_record *r)
{
    memcpy(to, r, sizeof(*r));
}

static inline void ft_history_line(uint8_t *to, const uint8_t *from)
{
    memcpy(to, from, 64);
}
#endif

/**
 * Keep a packet of a flow, whose record is `flow`. Cost: 13 instructions for each whole cache line
 * of the packet, 40 for the rest of it, and 60 more; no line of the history is read.
 */
static inline void ft_history_keep(struct ft_history *h, const struct ft_packet *p,
                                   const void *flow, bool is_first)
{
    struct ft_history_shard *s = &h->shards[p->shard];
    uint32_t captured = p->caplen < h->snap_length ? p->caplen : h->snap_length;
    uint32_t size = (uint32_t)sizeof(struct ft_history_record) + ((captured + 63) & ~63u);
    if (__builtin_expect((uint64_t)(s->end - s->at) < size, 0))
        ft_history_turn(h, p->shard, p->seq);
    const struct ft_history_record record = {.size = size,
                                             .captured = captured,
                                             .length = p->wirelen,
                                             .interface = p->interface,
                                             .linktype = p->linktype,
                                             .seq = p->seq,
                                             .number = p->number,
                                             .time_ns = p->time_ns,
                                             .stamp_ns = p->stamp_ns,
                                             .flow = ft_history_flow(flow),
                                             .is_first = is_first};
    uint8_t *to = s->at;
    uint32_t whole = captured & ~63u;
    ft_history_header(to, &record);
    to += sizeof(record);
    for (uint32_t i = 0; i < whole; i += 64)
        ft_history_line(to + i, p->data + i);
    if (captured > whole) {
        uint8_t last[64] __attribute__((aligned(64))) = {0};
        memcpy(last, p->data + whole, captured - whole);
        ft_history_line(to + whole, last);
    }
    s->at += size;
}

/** The first segment of a shard that is still whole; 0 = there is none. */
uint64_t ft_history_oldest(const struct ft_history *h, uint8_t shard);

/** Where the history begins as of packet `seq`: FT_HISTORY_SEGMENTS back, or what is left. */
struct ft_history_place ft_history_begin(const struct ft_history *h, uint8_t shard, uint64_t seq);

/**
 * The record at a place, and the place moved on to where the next one will be; NULL: there is none
 * yet. What was overwritten is passed over, and *is_lost set. Valid until the next packet is kept.
 */
const struct ft_history_record *ft_history_next(const struct ft_history *h, uint8_t shard,
                                                struct ft_history_place *place, bool *is_lost);

/** The record at a place that ft_history_next() read; NULL when it was overwritten. */
const struct ft_history_record *ft_history_at(const struct ft_history *h, uint8_t shard,
                                              struct ft_history_place place);

#endif
