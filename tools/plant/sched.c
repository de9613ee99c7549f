/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A 4-ary heap: with a million actors it has ten levels, and the four children of a node share two
 * cache lines, which is what the speed of the generator hangs on.
 */
#include "sched.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    HEAP_ARITY = 4
};

static bool entry_before(const struct ft_sched_entry *a, const struct ft_sched_entry *b)
{
    return a->time != b->time ? a->time < b->time : a->order < b->order;
}

static void sift_up(struct ft_sched *sched, size_t i, struct ft_sched_entry entry)
{
    while (i > 0) {
        size_t parent = (i - 1) / HEAP_ARITY;

        if (!entry_before(&entry, &sched->heap[parent]))
            break;
        sched->heap[i] = sched->heap[parent];
        i = parent;
    }
    sched->heap[i] = entry;
}

static size_t first_child(const struct ft_sched *sched, size_t i)
{
    size_t best = i * HEAP_ARITY + 1;
    size_t end = best + HEAP_ARITY < sched->count ? best + HEAP_ARITY : sched->count;

    for (size_t child = best + 1; child < end; child++) {
        if (entry_before(&sched->heap[child], &sched->heap[best]))
            best = child;
    }
    return best;
}

static void sift_down(struct ft_sched *sched, struct ft_sched_entry entry)
{
    size_t i = 0;

    while (i * HEAP_ARITY + 1 < sched->count) {
        size_t child = first_child(sched, i);

        if (!entry_before(&sched->heap[child], &entry))
            break;
        sched->heap[i] = sched->heap[child];
        i = child;
    }
    sched->heap[i] = entry;
}

void ft_sched_add(struct ft_sched *sched, uint64_t time, struct ft_actor *actor)
{
    if (sched->count == sched->cap) {
        sched->cap = sched->cap == 0 ? 1024 : sched->cap * 2;
        sched->heap = reallocarray(sched->heap, sched->cap, sizeof(sched->heap[0]));
        if (sched->heap == NULL) {
            fprintf(stderr, "fieldtap-plant: out of memory for %zu actors\n", sched->cap);
            exit(1);
        }
    }
    struct ft_sched_entry entry = {.time = time, .order = sched->next_order++, .actor = actor};

    sift_up(sched, sched->count++, entry);
}

void ft_sched_delay_first(struct ft_sched *sched, uint64_t time)
{
    struct ft_sched_entry entry = sched->heap[0];

    entry.time = time;
    entry.order = sched->next_order++;
    sift_down(sched, entry);
}

void ft_sched_drop_first(struct ft_sched *sched)
{
    struct ft_sched_entry last = sched->heap[--sched->count];

    if (sched->count > 0)
        sift_down(sched, last);
}
