/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rule by which a time zone changes to daylight saving time and back every year, as time zone
 * files end with it: "CET-1CEST,M3.5.0,M10.5.0/3" (POSIX.1-2017 section 8.3, variable TZ, with the
 * extensions of RFC 8536 section 3.3.1).
 */
#ifndef FT_TIME_RULE_H
#define FT_TIME_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ft_time_rule_form {
    FT_TIME_RULE_WEEKDAY = 0, /**< Mm.w.d: weekday d of week w (5 = the last) of month m */
    FT_TIME_RULE_DAY,         /**< n: days since the first of January */
    FT_TIME_RULE_DAY_NO_LEAP, /**< Jn: the same from 1, the 29th of February never counted */
};

/** A moment of every year, as a wall clock shows it before the change. */
struct ft_time_rule_moment {
    enum ft_time_rule_form form;
    int32_t month, week, day; /**< month from 1, day of the week from Sunday = 0 */
    int32_t time_s;           /**< seconds of the day; may be on another day, -167 h .. 167 h */
};

struct ft_time_rule {
    int32_t standard_s, saving_s;          /**< seconds ahead of UTC */
    bool has_saving;                       /**< otherwise it is always standard time */
    struct ft_time_rule_moment start, end; /**< of daylight saving time */
};

/** Read a rule. False when it is none, or one without the moments of its changes. */
bool ft_time_rule_parse(struct ft_time_rule *rule, const char *text, size_t length);

/** The moment in a year; seconds since 1970 UTC, `offset_s`: what the clock before it is ahead. */
int64_t ft_time_rule_at(const struct ft_time_rule_moment *moment, int32_t year, int32_t offset_s);

#endif
