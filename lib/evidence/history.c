/* SPDX-License-Identifier: BSD-3-Clause */
/* The last packets of each shard. */
#include "evidence/history.h"

#include "base/pool.h"

#include <stdlib.h>

#define LINE sizeof(struct ft_history_record)

/* Smallest segment: so that a short history still keeps frames of usual length whole. */
#define SEGMENT_MIN 4096u

/* Who is ahead by a burst of packets of the greatest length has not overwritten what is asked for
 * behind it. */
static uint32_t segments_ahead(const struct ft_history *h, uint32_t burst)
{
    uint32_t record = (uint32_t)LINE + ((h->snap_length + 63) & ~63u);
    uint32_t per_segment = h->segment_size / record;
    return burst ? burst / per_segment + 3 : 0;
}

static uint64_t memory_size(const struct ft_history *h)
{
    return (uint64_t)h->segment_size * h->segment_count;
}

struct ft_history *ft_history_new(uint64_t bytes, uint32_t snap_length, uint32_t burst)
{
    struct ft_history *h = aligned_alloc(64, sizeof(*h));
    uint64_t segment = bytes / FT_SHARDS / FT_HISTORY_SEGMENTS & ~63ull;
    bool ok;
    if (!h)
        return NULL;
    memset(h, 0, sizeof(*h));
    segment = segment > SEGMENT_MIN ? segment : SEGMENT_MIN;
    h->segment_size = segment < (1u << 30) ? (uint32_t)segment : 1u << 30;
    h->snap_length =
        snap_length < h->segment_size - LINE ? snap_length : h->segment_size - (uint32_t)LINE;
    h->segment_count = FT_HISTORY_SEGMENTS + segments_ahead(h, burst);
    h->memory = ft_map(memory_size(h) * FT_SHARDS, !burst);
    ok = h->memory != NULL;
    for (unsigned i = 0; ok && i < FT_SHARDS; i++) {
        h->shards[i].memory = h->memory + i * memory_size(h);
        h->shards[i].segments = calloc(h->segment_count, sizeof(struct ft_history_segment));
        ok = h->shards[i].segments != NULL;
    }
    if (ok)
        return h;
    ft_history_free(h);
    return NULL;
}

void ft_history_free(struct ft_history *h)
{
    if (!h)
        return;
    for (unsigned i = 0; i < FT_SHARDS; i++)
        free(h->shards[i].segments);
    ft_unmap(h->memory, memory_size(h) * FT_SHARDS);
    free(h);
}

void ft_history_place(struct ft_history *h, uint8_t shard, int node)
{
    ft_map_place(h->shards[shard].memory, memory_size(h), node);
}

static uint8_t *base_of(const struct ft_history *h, const struct ft_history_shard *s,
                        uint64_t serial)
{
    return s->memory + serial % h->segment_count * h->segment_size;
}

/* Bytes of a segment that is there. */
static uint32_t used_of(const struct ft_history *h, const struct ft_history_shard *s,
                        uint64_t serial)
{
    return serial == s->serial ? (uint32_t)(s->at - base_of(h, s, serial))
                               : s->segments[serial % h->segment_count].used;
}

void ft_history_turn(struct ft_history *h, uint8_t shard, uint64_t seq)
{
    struct ft_history_shard *s = &h->shards[shard];
    if (s->serial)
        s->segments[s->serial % h->segment_count].used = used_of(h, s, s->serial);
    if (h->make_room)
        h->make_room(h->users[shard], shard, s->serial + 1);
    s->serial++;
    s->segments[s->serial % h->segment_count].first_seq = seq;
    s->at = base_of(h, s, s->serial);
    s->end = s->at + h->segment_size;
}

uint64_t ft_history_oldest(const struct ft_history *h, uint8_t shard)
{
    uint64_t serial = h->shards[shard].serial;
    return serial > h->segment_count ? serial - h->segment_count + 1 : serial != 0;
}

struct ft_history_place ft_history_begin(const struct ft_history *h, uint8_t shard, uint64_t seq)
{
    const struct ft_history_shard *s = &h->shards[shard];
    uint64_t oldest = ft_history_oldest(h, shard), at = s->serial;
    while (at > oldest && s->segments[at % h->segment_count].first_seq > seq)
        at--;
    uint64_t begin = at >= FT_HISTORY_SEGMENTS ? at - FT_HISTORY_SEGMENTS + 1 : 1;
    return (struct ft_history_place){begin > oldest ? begin : oldest, 0};
}

const struct ft_history_record *ft_history_at(const struct ft_history *h, uint8_t shard,
                                              struct ft_history_place place)
{
    const struct ft_history_shard *s = &h->shards[shard];
    if (!place.serial || place.serial < ft_history_oldest(h, shard) || place.serial > s->serial)
        return NULL;
    return (const void *)(base_of(h, s, place.serial) + place.offset);
}

const struct ft_history_record *ft_history_next(const struct ft_history *h, uint8_t shard,
                                                struct ft_history_place *place, bool *is_lost)
{
    const struct ft_history_shard *s = &h->shards[shard];
    uint64_t oldest = ft_history_oldest(h, shard);
    if (place->serial < oldest) {
        *is_lost |= place->serial != 0;
        *place = (struct ft_history_place){oldest, 0};
    }
    while (place->serial < s->serial && place->offset >= used_of(h, s, place->serial))
        *place = (struct ft_history_place){place->serial + 1, 0};
    if (place->serial == 0 || place->offset >= used_of(h, s, place->serial))
        return NULL;
    const struct ft_history_record *r =
        (const void *)(base_of(h, s, place->serial) + place->offset);
    place->offset += r->size;
    return r;
}
