/* SPDX-License-Identifier: BSD-3-Clause */
/* Ranges of the local day and week in which a rule counts. */
#include "rules/schedule.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DAY_S     86400u
#define ALL_DAYS  0x7fu
#define THURSDAY  3u /* 1970-01-01, from Monday = 0 */
#define WRITTEN   "written as 08:00-17:00, mon-fri 08:00-17:00 or sat,sun"
#define DAYS_TEXT "mon, tue, wed, thu, fri, sat, sun"

/* ---- look-up ---- */

static bool range_holds(const struct ft_schedule_range *r, uint32_t weekday, uint32_t second)
{
    bool is_today = r->days >> weekday & 1;
    if (r->from_s < r->to_s)
        return is_today && second >= r->from_s && second < r->to_s;
    bool is_since_yesterday = r->days >> (weekday + 6) % 7 & 1;
    return (is_today && second >= r->from_s) || (is_since_yesterday && second < r->to_s);
}

static bool is_inside(const struct ft_schedule *schedule, uint32_t weekday, uint32_t second)
{
    for (uint32_t i = 0; i < schedule->range_count; i++)
        if (range_holds(&schedule->ranges[i], weekday, second))
            return true;
    return false;
}

/* The first moment that no range holds would be where one ends, or where a day begins. */
bool ft_schedule_is_never(const struct ft_schedule *schedule)
{
    if (!schedule->range_count || !schedule->is_outside)
        return false;
    for (uint32_t day = 0; day < 7; day++) {
        if (!is_inside(schedule, day, 0))
            return false;
        for (uint32_t i = 0; i < schedule->range_count; i++) {
            uint32_t end = schedule->ranges[i].to_s;
            if (!is_inside(schedule, end < DAY_S ? day : (day + 1) % 7, end % DAY_S))
                return false;
        }
    }
    return true;
}

bool ft_schedule_holds(const struct ft_schedule *schedule, uint64_t time_ns)
{
    if (!schedule->range_count)
        return true;
    /* A week more, so that local time is not before 1970. */
    int64_t offset_s = schedule->zone ? ft_time_zone_offset(schedule->zone, time_ns) : 0;
    uint64_t local_s = time_ns / 1000000000u + (uint64_t)(7 * (int64_t)DAY_S + offset_s);
    uint32_t second = (uint32_t)(local_s % DAY_S);
    uint32_t weekday = (uint32_t)((local_s / DAY_S + THURSDAY) % 7);

    return is_inside(schedule, weekday, second) != schedule->is_outside;
}

/* ---- as people write them ---- */

/* What is left to read, and where to say what is wrong with it. */
struct reader {
    const char *at;
    char *error;
    size_t error_size;
};

static void blanks(struct reader *r)
{
    r->at += strspn(r->at, " \t");
}

/* A sign between words, with blanks around it or not. */
static bool take(struct reader *r, char sign)
{
    blanks(r);
    if (*r->at != sign)
        return false;
    r->at++;
    blanks(r);
    return true;
}

/* "what" is wrong: the next word of the text is shown, without what a terminal could mistake. */
static bool wrong(struct reader *r, const char *what)
{
    char word[24];
    size_t n = 0;
    while (n < sizeof(word) - 1 && r->at[n] > ' ' && r->at[n] < 0x7f && r->at[n] != ',')
        n++;
    memcpy(word, r->at, n);
    word[n] = 0;
    snprintf(r->error, r->error_size, "\"%s\" %s", word, what);
    return false;
}

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool read_day(struct reader *r, uint32_t *day)
{
    static const char *const NAMES[] = {"monday", "tuesday",  "wednesday", "thursday",
                                        "friday", "saturday", "sunday"};
    size_t length = 0;
    while (is_letter(r->at[length]))
        length++;
    for (*day = 0; *day < 7; (*day)++) {
        const char *name = NAMES[*day];
        if ((length == 3 || length == strlen(name)) && !strncasecmp(r->at, name, length))
            break;
    }
    if (*day == 7)
        return wrong(r, "is no day; days are " DAYS_TEXT);
    r->at += length;
    return true;
}

/* "mon-fri", "sat,sun", "mon,wed-fri"; over the end of the week, too. */
static bool read_days(struct reader *r, uint8_t *days)
{
    *days = 0;
    do {
        uint32_t day, last;
        if (!read_day(r, &day))
            return false;
        last = day;
        if (take(r, '-') && !read_day(r, &last))
            return false;
        for (*days |= (uint8_t)(1u << day); day != last; *days |= (uint8_t)(1u << day))
            day = (day + 1) % 7;
    } while (take(r, ','));
    return true;
}

static bool read_number(struct reader *r, size_t least_digits, uint32_t *number)
{
    size_t digits = strspn(r->at, "0123456789");
    if (digits < least_digits || digits > 2)
        return false;
    for (*number = 0; digits; digits--)
        *number = *number * 10 + (uint32_t)(*r->at++ - '0');
    return true;
}

/* "8:00", "08:00", "17:30:15", "24:00" */
static bool read_time(struct reader *r, uint32_t *second)
{
    const char *begin = r->at;
    uint32_t hours = 0, minutes = 0, seconds = 0;
    bool is_right = read_number(r, 1, &hours) && *r->at == ':';
    r->at += is_right;
    is_right = is_right && read_number(r, 2, &minutes);
    if (is_right && *r->at == ':') {
        r->at++;
        is_right = read_number(r, 2, &seconds);
    }
    *second = hours * 3600 + minutes * 60 + seconds;
    if (is_right && minutes < 60 && seconds < 60 && *second <= DAY_S)
        return true;
    r->at = begin;
    return wrong(r, "is no time of a day; written as 08:00, from 00:00 to 24:00");
}

static bool add(struct ft_schedule *schedule, struct reader *r, struct ft_schedule_range range)
{
    if (schedule->range_count == FT_SCHEDULE_RANGES) {
        snprintf(r->error, r->error_size, "more than %u ranges; a schedule holds at most so many",
                 FT_SCHEDULE_RANGES);
        return false;
    }
    schedule->ranges[schedule->range_count++] = range;
    return true;
}

static bool read_range(struct ft_schedule *schedule, struct reader *r, uint8_t days)
{
    struct ft_schedule_range range = {.days = days};
    if (!read_time(r, &range.from_s))
        return false;
    if (!take(r, '-'))
        return wrong(r, "where a hyphen and the end of the range should be; " WRITTEN);
    if (!read_time(r, &range.to_s))
        return false;
    if (range.from_s == DAY_S) {
        snprintf(r->error, r->error_size,
                 "a range begins before 24:00; 00:00 of the next day is "
                 "meant");
        return false;
    }
    return add(schedule, r, range);
}

static bool read_ranges(struct ft_schedule *schedule, struct reader *r)
{
    uint8_t days = ALL_DAYS;
    blanks(r);
    if (!*r->at)
        return wrong(r, "is no range; " WRITTEN);
    if (*r->at < '0' || *r->at > '9') {
        if (!read_days(r, &days))
            return false;
        blanks(r);
        if (!*r->at)
            return add(schedule, r, (struct ft_schedule_range){.to_s = DAY_S, .days = days});
    }
    do
        if (!read_range(schedule, r, days))
            return false;
    while (take(r, ','));
    return !*r->at || wrong(r, "is more than a range; " WRITTEN);
}

bool ft_schedule_add(struct ft_schedule *schedule, const char *text, char *error, size_t error_size)
{
    struct reader r = {.at = text, .error = error, .error_size = error_size};
    uint32_t count = schedule->range_count;
    if (read_ranges(schedule, &r))
        return true;
    schedule->range_count = count;
    return false;
}
