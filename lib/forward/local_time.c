/* SPDX-License-Identifier: BSD-3-Clause */
/* Times as people and receivers read them. */
#include "forward/local_time.h"

#include <stdio.h>
#include <stdlib.h>

#define DAY       86400
#define YEAR_LAST 2553 /* nanoseconds since 1970 end in the next */

/* The calendar counts eras of 400 years from the first of March of the year 0, so that the day that
 * leap years add is the last of a year. 719,468 days before 1970. */
static void date_of(int64_t days, struct ft_local_time *t)
{
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t of_era = z - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    t->day = (int32_t)(of_year - (153 * month + 2) / 5 + 1);
    t->month = (int32_t)(month < 10 ? month + 3 : month - 9);
    t->year = (int32_t)(year + era * 400 + (t->month <= 2));
}

static int64_t days_to(int32_t year, int32_t month, int32_t day)
{
    int64_t y = year - (month <= 2), era = y / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct ft_local_time ft_local_time(uint64_t ns, const struct ft_time_zone *zone)
{
    struct ft_local_time t = {.microsecond = (int32_t)(ns % 1000000000u / 1000)};
    if (zone)
        t.offset_s = ft_time_zone_offset(zone, ns) / 60 * 60;
    int64_t s = (int64_t)(ns / 1000000000u) + t.offset_s;
    int64_t days = s / DAY - (s % DAY < 0), of_day = s - days * DAY;
    date_of(days, &t);
    t.hour = (int32_t)(of_day / 3600);
    t.minute = (int32_t)(of_day / 60 % 60);
    t.second = (int32_t)(of_day % 60);
    return t;
}

/* n digits and what stands behind them (0 = anything); moves on. */
static bool digits(const char **text, int n, char behind, int32_t low, int32_t high, int32_t *value)
{
    *value = 0;
    for (; n; n--, (*text)++) {
        if (**text < '0' || **text > '9')
            return false;
        *value = *value * 10 + **text - '0';
    }
    if (behind && *(*text)++ != behind)
        return false;
    return *value >= low && *value <= high;
}

bool ft_local_time_read(const char *text, size_t length, uint64_t *ns)
{
    int32_t year, month, day, hour, minute, second, micro, ahead_hours, ahead_minutes;
    if (length != 31 || (text[26] != '+' && text[26] != '-'))
        return false;
    int32_t sign = text[26] == '-' ? -1 : 1;
    if (!digits(&text, 4, '-', 1970, YEAR_LAST, &year) || !digits(&text, 2, '-', 1, 12, &month) ||
        !digits(&text, 2, 'T', 1, 31, &day) || !digits(&text, 2, ':', 0, 23, &hour) ||
        !digits(&text, 2, ':', 0, 59, &minute) || !digits(&text, 2, '.', 0, 60, &second) ||
        !digits(&text, 6, 0, 0, 999999, &micro))
        return false;
    text++;
    if (!digits(&text, 2, 0, 0, 24, &ahead_hours) || !digits(&text, 2, 0, 0, 59, &ahead_minutes))
        return false;
    int64_t s = days_to(year, month, day) * DAY + hour * 3600 + minute * 60 + second -
                sign * (ahead_hours * 3600 + ahead_minutes * 60);
    if (s < 0)
        return false;
    *ns = (uint64_t)s * 1000000000u + (uint64_t)micro * 1000;
    return true;
}

static const char *month_name(int32_t month)
{
    static const char *const names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    return names[(month + 11) % 12];
}

void ft_time_for_people(char to[FT_TIME_SIZE], uint64_t ns, const struct ft_time_zone *zone)
{
    struct ft_local_time t = ft_local_time(ns, zone);
    snprintf(to, FT_TIME_SIZE, "%s %02d %04d %02d:%02d:%02d", month_name(t.month), t.day, t.year,
             t.hour, t.minute, t.second);
}

void ft_time_rfc3164(char to[FT_TIME_SIZE], uint64_t ns, const struct ft_time_zone *zone)
{
    struct ft_local_time t = ft_local_time(ns, zone);
    snprintf(to, FT_TIME_SIZE, "%s %2d %02d:%02d:%02d", month_name(t.month), t.day, t.hour,
             t.minute, t.second);
}

void ft_time_rfc3339(char to[FT_TIME_SIZE], uint64_t ns, const struct ft_time_zone *zone)
{
    struct ft_local_time t = ft_local_time(ns, zone);
    int32_t ahead = abs(t.offset_s) / 60;
    int n = snprintf(to, FT_TIME_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%06d", t.year, t.month, t.day,
                     t.hour, t.minute, t.second, t.microsecond);
    if (!zone)
        snprintf(to + n, FT_TIME_SIZE - (size_t)n, "Z");
    else
        snprintf(to + n, FT_TIME_SIZE - (size_t)n, "%c%02d:%02d", t.offset_s < 0 ? '-' : '+',
                 ahead / 60, ahead % 60);
}
