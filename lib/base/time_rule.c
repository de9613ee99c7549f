/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules of daylight saving time, as time zone files end with them. */
#include "base/time_rule.h"

#include <string.h>

#define DAY_S 86400

/* The text being read; a failed read empties it, and nothing that must be there is found after. */
struct reader {
    const char *at, *end;
    bool is_bad;
};

static bool fail(struct reader *r)
{
    r->is_bad = true;
    r->at = r->end;
    return false;
}

static char peek(const struct reader *r)
{
    return r->at < r->end ? *r->at : 0;
}

static bool take(struct reader *r, char c)
{
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static int32_t number(struct reader *r, int32_t least, int32_t greatest)
{
    int32_t n = 0;
    if (!is_digit(peek(r)))
        return fail(r);
    while (is_digit(peek(r)) && n <= greatest)
        n = n * 10 + (*r->at++ - '0');
    if (n < least || n > greatest)
        fail(r);
    return n;
}

/* The name of a time is only passed over: letters, or anything plain in < >. */
static void name(struct reader *r)
{
    if (take(r, '<')) {
        while (is_letter(peek(r)) || is_digit(peek(r)) || peek(r) == '+' || peek(r) == '-')
            r->at++;
        if (!take(r, '>'))
            fail(r);
        return;
    }
    if (!is_letter(peek(r)))
        fail(r);
    while (is_letter(peek(r)))
        r->at++;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static int32_t clock_time(struct reader *r, int32_t greatest_hours)
{
    bool is_negative = take(r, '-');
    if (!is_negative)
        take(r, '+');
    int32_t seconds = number(r, 0, greatest_hours) * 3600;
    if (take(r, ':'))
        seconds += number(r, 0, 59) * 60;
    if (take(r, ':'))
        seconds += number(r, 0, 59);
    return is_negative ? -seconds : seconds;
}

static void moment(struct reader *r, struct ft_time_rule_moment *m)
{
    *m = (struct ft_time_rule_moment){.form = FT_TIME_RULE_DAY, .time_s = 2 * 3600};
    if (!take(r, ','))
        fail(r);
    if (take(r, 'M')) {
        m->form = FT_TIME_RULE_WEEKDAY;
        m->month = number(r, 1, 12);
        m->week = take(r, '.') ? number(r, 1, 5) : fail(r);
        m->day = take(r, '.') ? number(r, 0, 6) : fail(r);
    } else if (take(r, 'J')) {
        m->form = FT_TIME_RULE_DAY_NO_LEAP;
        m->day = number(r, 1, 365);
    } else {
        m->day = number(r, 0, 365);
    }
    if (take(r, '/'))
        m->time_s = clock_time(r, 167);
}

bool ft_time_rule_parse(struct ft_time_rule *rule, const char *text, size_t length)
{
    struct reader r = {.at = text, .end = text + length};
    *rule = (struct ft_time_rule){0};
    name(&r);
    rule->standard_s = -clock_time(&r, 24); /* what is added to local time to get UTC */
    if (r.at < r.end) {
        rule->has_saving = true;
        name(&r);
        rule->saving_s = rule->standard_s + 3600;
        if (peek(&r) != ',')
            rule->saving_s = -clock_time(&r, 24);
        moment(&r, &rule->start);
        moment(&r, &rule->end);
    }
    return !r.is_bad && r.at == r.end;
}

static bool is_leap(int32_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970 to the first of January of another year. */
static int64_t days_before_year(int32_t year)
{
    int32_t last = year - 1;
    return 365ll * (year - 1970) + (last / 4 - last / 100 + last / 400) -
           (1969 / 4 - 1969 / 100 + 1969 / 400);
}

/* Day of the year of weekday `day` in week `week` of a month. */
static int32_t day_of_weekday(const struct ft_time_rule_moment *m, int32_t year)
{
    static const int32_t BEFORE[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    int32_t leap = is_leap(year);
    int32_t first = BEFORE[m->month - 1] + (m->month > 2 ? leap : 0);
    int32_t next = BEFORE[m->month] + (m->month > 1 ? leap : 0);
    /* 1970 began on a Thursday, day 4; 53 weeks more so that 1969 is not negative. */
    int32_t weekday = (int32_t)((days_before_year(year) + first + 4 + 53 * 7) % 7);
    int32_t day = first + (m->day - weekday + 7) % 7 + (m->week - 1) * 7;
    return day < next ? day : day - 7; /* week 5 is the last, be it the fourth */
}

int64_t ft_time_rule_at(const struct ft_time_rule_moment *m, int32_t year, int32_t offset_s)
{
    int32_t day = m->day;
    if (m->form == FT_TIME_RULE_WEEKDAY)
        day = day_of_weekday(m, year);
    else if (m->form == FT_TIME_RULE_DAY_NO_LEAP)
        day = m->day - 1 + (m->day >= 60 && is_leap(year));
    return (days_before_year(year) + day) * DAY_S + m->time_s - offset_s;
}
