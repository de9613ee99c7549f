/* SPDX-License-Identifier: BSD-3-Clause */
/* The byte ring from one worker to the alerting core. */
#include "event/ring.h"

#include "base/pool.h"

#define PADDING 0xffu /* type of a record that only fills the ring up to its end */

bool ft_ring_init(struct ft_ring *ring, uint64_t size)
{
    uint64_t n = 4 * FT_EVENT_MAX;
    while (n < size)
        n *= 2;
    *ring = (struct ft_ring){.size = n};
    ring->memory = ft_map(n, false);
    return ring->memory != NULL;
}

void ft_ring_free(struct ft_ring *ring)
{
    ft_unmap(ring->memory, ring->size);
    ring->memory = NULL;
}

struct ft_event *ft_ring_reserve(struct ft_ring *ring, bool best_effort)
{
    uint64_t at = atomic_load_explicit(&ring->written, memory_order_relaxed);
    uint64_t offset = at & (ring->size - 1), to_end = ring->size - offset;
    uint64_t need = to_end < FT_EVENT_MAX ? to_end + FT_EVENT_MAX : FT_EVENT_MAX;
    uint64_t limit = best_effort ? ring->size / 4 * 3 : ring->size;
    if (at + need - ring->read_seen > limit) {
        ring->read_seen = atomic_load_explicit(&ring->read, memory_order_acquire);
        if (at + need - ring->read_seen > limit)
            return NULL;
    }
    if (to_end < FT_EVENT_MAX) {
        struct ft_event *fill = (struct ft_event *)(void *)(ring->memory + offset);
        fill->size = (uint32_t)to_end;
        fill->type = PADDING;
        at += to_end;
        atomic_store_explicit(&ring->written, at, memory_order_release);
        offset = 0;
    }
    if (at - ring->read_seen > ring->high_water)
        ring->high_water = at - ring->read_seen;
    return (struct ft_event *)(void *)(ring->memory + offset);
}

void ft_ring_commit(struct ft_ring *ring)
{
    uint64_t at = atomic_load_explicit(&ring->written, memory_order_relaxed);
    const struct ft_event *e = (const void *)(ring->memory + (at & (ring->size - 1)));
    atomic_store_explicit(&ring->written, at + ((e->size + 7u) & ~7u), memory_order_release);
}

const struct ft_event *ft_ring_peek(struct ft_ring *ring)
{
    for (;;) {
        uint64_t at = atomic_load_explicit(&ring->read, memory_order_relaxed);
        if (at == ring->written_seen) {
            ring->written_seen = atomic_load_explicit(&ring->written, memory_order_acquire);
            if (at == ring->written_seen)
                return NULL;
        }
        const struct ft_event *e = (const void *)(ring->memory + (at & (ring->size - 1)));
        if (e->type != PADDING)
            return e;
        atomic_store_explicit(&ring->read, at + e->size, memory_order_release);
    }
}

void ft_ring_release(struct ft_ring *ring)
{
    uint64_t at = atomic_load_explicit(&ring->read, memory_order_relaxed);
    const struct ft_event *e = (const void *)(ring->memory + (at & (ring->size - 1)));
    atomic_store_explicit(&ring->read, at + ((e->size + 7u) & ~7u), memory_order_release);
}
