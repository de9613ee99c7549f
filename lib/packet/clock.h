/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sensor clock: what time stamps of packets make of time that passes.
 *
 * It is the stamp plus an offset that takes up jumps, so that a capture appended to an older one,
 * or a clock that somebody set, neither expires everything nor stops expiry. No system calls: it
 * depends on what it is given only.
 */
#ifndef FT_CLOCK_H
#define FT_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/** A jump of the stamps by more than this, either way, is not time passing. */
#define FT_CLOCK_JUMP_NS 3600000000000ull

/** Live the stamps come in order but for what clocks of ports differ: more is a clock set back,
 * which must not stop the sensor's for as long. A busy host may be seconds late to hand over. */
#define FT_CLOCK_LIVE_BACK_NS 10000000000ull

/** A stamp beyond this (the year 2116) is nonsense, and taken as this. */
#define FT_CLOCK_STAMP_MAX (1ull << 62)

/** All 0 is a clock that has not begun. */
struct ft_clock {
    uint64_t now;        /**< the running maximum, nanoseconds */
    uint64_t last_stamp; /**< the last stamp that was taken, as it was */
    uint64_t jumps;      /**< counted */
    int64_t offset;      /**< what jumps add up to */
    bool is_live;        /**< never backwards, not even for a single packet */
    bool has_begun;
};

/**
 * Take the stamp of a packet (nanoseconds since 1970 UTC): its time on the sensor clock. Live that
 * is `now`; of a capture it may lie before, by as much as its packets are out of order.
 */
uint64_t ft_clock_take(struct ft_clock *clock, uint64_t stamp);

/**
 * Nothing was stamped up to `stamp`, as the wall clock says: time passed all the same. Nothing
 * happens if a packet has been later, unless by so much that the wall clock was set back.
 */
void ft_clock_idle(struct ft_clock *clock, uint64_t stamp);

#endif
