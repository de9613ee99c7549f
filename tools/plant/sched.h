/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The plant's clock: a heap of actors ordered by the time at which each acts next.
 *
 * An actor is anything that emits packets: a conversation, a GOOSE publisher, a packet that was
 * built ahead of its time. Each has at most one place in the heap, so memory grows with the number
 * of actors and not with the number of packets.
 */
#ifndef FT_PLANT_SCHED_H
#define FT_PLANT_SCHED_H

#include <stddef.h>
#include <stdint.h>

struct ft_plant;
struct ft_actor;

/** An actor returns this to leave the schedule for good; it may have freed itself. */
#define FT_ACTOR_DONE UINT64_MAX

/** Act at plant->now; return the ns until the next act, or FT_ACTOR_DONE. */
typedef uint64_t ft_act_fn(struct ft_plant *plant, struct ft_actor *actor);

/** The first member of every kind of actor. */
struct ft_actor {
    ft_act_fn *act;
};

/** One place in the heap. @order breaks ties, so that equal times act in the order of arrival. */
struct ft_sched_entry {
    uint64_t time;
    uint64_t order;
    struct ft_actor *actor;
};

/** A zeroed struct is an empty schedule. */
struct ft_sched {
    struct ft_sched_entry *heap;
    size_t count;
    size_t cap;
    uint64_t next_order;
};

/** Let @actor act at @time (ns since the epoch). O(log n); ends the program when memory is out. */
void ft_sched_add(struct ft_sched *sched, uint64_t time, struct ft_actor *actor);

/** Move the first entry to @time, later than it was. O(log n). */
void ft_sched_delay_first(struct ft_sched *sched, uint64_t time);

/** Remove the first entry. O(log n). */
void ft_sched_drop_first(struct ft_sched *sched);

#endif
