/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Times as people and receivers read them: the clock on the wall of a time zone. Any thread, no
 * allocation.
 */
#ifndef FT_LOCAL_TIME_H
#define FT_LOCAL_TIME_H

#include "base/time_zone.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ft_local_time {
    int32_t year, month, day; /**< month and day from 1 */
    int32_t hour, minute, second, microsecond;
    int32_t offset_s; /**< ahead of UTC, whole minutes: nothing else can be written behind a time */
};

/** Local time of nanoseconds since 1970 UTC; `zone` NULL = UTC. */
struct ft_local_time ft_local_time(uint64_t ns, const struct ft_time_zone *zone);

/** Read 2026-01-31T10:20:30.123456+0100, as events have it; false when it is none. */
bool ft_local_time_read(const char *text, size_t length, uint64_t *ns);

#define FT_TIME_SIZE 40u /**< bytes that hold any of the texts below and a NUL */

/** "Jan 31 2026 10:20:30", as CEF and LEEF write dates. */
void ft_time_for_people(char to[FT_TIME_SIZE], uint64_t ns, const struct ft_time_zone *zone);

/** "Jan 31 10:20:30", day padded with a blank (RFC 3164 section 4.1.2). */
void ft_time_rfc3164(char to[FT_TIME_SIZE], uint64_t ns, const struct ft_time_zone *zone);

/** "2026-01-31T10:20:30.123456+01:00", Z for UTC (RFC 3339, as RFC 5424 section 6.2.3 has it). */
void ft_time_rfc3339(char to[FT_TIME_SIZE], uint64_t ns, const struct ft_time_zone *zone);

#endif
