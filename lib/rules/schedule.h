/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When a rule counts: at any time, in working hours, outside them, or at times and on days of its
 * own, in a time zone.
 *
 * Made by one thread, then read by any. Time is packet time, so a capture read again gives the
 * same.
 */
#ifndef FT_SCHEDULE_H
#define FT_SCHEDULE_H

#include "base/time_zone.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FT_SCHEDULE_RANGES 16u

/** Half-open: a range 08:00-17:00 holds 08:00:00.000 and not 17:00:00.000. */
struct ft_schedule_range {
    uint32_t from_s, to_s; /**< seconds of the local day; to_s <= from_s: over midnight, into the
                                next day, which need not be one of the days */
    uint8_t days;          /**< bit 0 = Monday ... bit 6 = Sunday: days on which it begins */
};

/** Zeroed: any time. */
struct ft_schedule {
    struct ft_schedule_range ranges[FT_SCHEDULE_RANGES];
    uint32_t range_count;
    bool is_outside;           /**< outside of the ranges instead */
    struct ft_time_zone *zone; /**< not owned; NULL = UTC */
};

/**
 * Add ranges as people write them: "08:00-17:00", "mon-fri 08:00-17:00", "sat,sun 00:00-24:00",
 * "22:00-06:00", "mon-fri" (the whole day), "fri-mon 08:00-12:00, 13:00-17:30:15". Days in full,
 * too, and in upper case. 08:00-08:00 is a day from eight to eight. False and one sentence that
 * says what would be right; nothing is added then.
 */
bool ft_schedule_add(struct ft_schedule *schedule, const char *text, char *error,
                     size_t error_size);

/** Is there no time at all in it: outside of ranges that are the whole week? */
bool ft_schedule_is_never(const struct ft_schedule *schedule);

/**
 * Is it time by the clock on the wall? An hour that daylight saving skips is in no range, one that
 * it repeats is there twice. `time_ns`: nanoseconds since 1970 UTC. Cost: some 100 cycles.
 */
bool ft_schedule_holds(const struct ft_schedule *schedule, uint64_t time_ns);

#endif
