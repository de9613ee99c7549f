/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The clock of a NIC, made to tell the time of day.
 *
 * A NIC stamps packets by a counter of its own, which runs at a rate that only it knows and drifts
 * against the host's clock. Once a second both are read as one moment; the rate is what they moved
 * since a moment up to a minute ago, so that the uncertainty of a reading (some microseconds)
 * hardly shows in it. Stamps are reckoned from the last moment.
 *
 * Threads: one observes; any number take copies, without waiting. No system calls.
 */
#ifndef FT_CAPTURE_DEVICE_CLOCK_H
#define FT_CAPTURE_DEVICE_CLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/** How to reckon: a moment on both clocks, and the rate. All 0: nothing is known yet. */
struct ft_device_time {
    uint64_t ticks; /**< of the NIC */
    uint64_t wall;  /**< nanoseconds since 1970 UTC */
    uint64_t scale; /**< nanoseconds a tick, 32 binary places; 0 = not known */
};

struct ft_device_clock {
    _Atomic uint32_t version; /**< odd while what follows is being changed */
    _Atomic uint64_t ticks, wall, scale;
    uint64_t base_ticks, base_wall; /**< the moment that the rate is taken from */
    bool has_base;
};

/** Both clocks were read at the same time. From the second observation on stamps can be told. */
void ft_device_clock_observe(struct ft_device_clock *clock, uint64_t ticks, uint64_t wall);

/** A clock that needs no observing: its stamps are so many nanoseconds since 1970 UTC each. */
void ft_device_clock_fix(struct ft_device_clock *clock, uint32_t nanoseconds);

/** What is known now, whole. */
struct ft_device_time ft_device_clock_time(const struct ft_device_clock *clock);

/** A stamp as nanoseconds since 1970 UTC; time->scale is not 0. Stamps may lie before `ticks`. */
static inline uint64_t ft_device_time_wall(const struct ft_device_time *time, uint64_t stamp)
{
    __int128 ticks = (int64_t)(stamp - time->ticks);
    return time->wall + (uint64_t)(int64_t)(ticks * time->scale >> 32);
}

#endif
