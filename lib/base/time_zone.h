/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Time zones: how far local time is ahead of UTC.
 *
 * Made by one thread, then read by any.
 */
#ifndef FT_TIME_ZONE_H
#define FT_TIME_ZONE_H

#include <stddef.h>
#include <stdint.h>

struct ft_time_zone;

/**
 * "Europe/Berlin" (of the system's time zone database), "UTC", "+01:00"; NULL and a sentence when
 * there is no such zone. All changes of its clocks are worked out here, so the look-ups below
 * allocate nothing and ask nobody.
 */
struct ft_time_zone *ft_time_zone_new(const char *name, char *error, size_t error_size);
/** From the bytes of a time zone file (TZif version 2 and later, RFC 8536); NULL when they are
 * none, when leap seconds count in it, or when memory is short. */
struct ft_time_zone *ft_time_zone_read(const void *bytes, size_t length);

void ft_time_zone_free(struct ft_time_zone *zone);

/** Seconds that local time is ahead of UTC at that moment; daylight saving included. */
int32_t ft_time_zone_offset(const struct ft_time_zone *zone, uint64_t time_ns);

#endif
