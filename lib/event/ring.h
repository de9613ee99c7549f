/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A byte ring from one worker to the alerting core: lock-free, one producer, one consumer.
 *
 * Records are written in place: reserve the most that a record may need, write, commit what was
 * used. A record never wraps; the rest of the ring before the wrap is filled with padding. Cost: a
 * few cycles a record; the other side's cache line is read only when the known space is used up.
 */
#ifndef FT_RING_H
#define FT_RING_H

#include "event/event.h"

#include <stdatomic.h>

struct ft_ring {
    uint8_t *memory;
    uint64_t size;                         /**< power of two */
    _Alignas(64) _Atomic uint64_t written; /**< bytes ever committed, with padding */
    uint64_t read_seen;                    /**< producer's last look at `read` */
    uint64_t high_water;                   /**< most bytes in the ring that the producer saw */
    _Alignas(64) _Atomic uint64_t read;    /**< bytes ever consumed */
    uint64_t written_seen;                 /**< consumer's last look at `written` */
};

/** Map a ring of `size` bytes (rounded up to a power of two, at least 4 records). */
bool ft_ring_init(struct ft_ring *ring, uint64_t size);
void ft_ring_free(struct ft_ring *ring);

/**
 * Producer: room for a record of at most FT_EVENT_MAX bytes, or NULL when the ring is full (above
 * three quarters already for `best_effort`).
 */
struct ft_event *ft_ring_reserve(struct ft_ring *ring, bool best_effort);

/** Producer: publish the record just reserved; its size member says how long it is. */
void ft_ring_commit(struct ft_ring *ring);

/** Consumer: the oldest record, or NULL. It stays valid until ft_ring_release(). */
const struct ft_event *ft_ring_peek(struct ft_ring *ring);

/** Consumer: done with the record that peek returned. */
void ft_ring_release(struct ft_ring *ring);

#endif
