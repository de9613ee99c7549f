/* SPDX-License-Identifier: BSD-3-Clause */
/* Test of schedules: both edges to the nanosecond, days, midnight, changes of the clocks in both
 * directions; of time zones against the C library, which knows them one at a time; and of all that
 * people may write wrongly. Dates are checked by hand against calendars. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/time_rule.h"
#include "rules/schedule.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SECOND   1000000000ull
#define ZONEINFO "/usr/share/zoneinfo/"

static uint64_t g_random = 88172645463325252ull;

static uint64_t random_below(uint64_t n)
{
    g_random ^= g_random << 13;
    g_random ^= g_random >> 7;
    g_random ^= g_random << 17;
    return (g_random >> 11) % n;
}

/* "2026-03-29 01:00:00" UTC in nanoseconds. */
static uint64_t utc(const char *text)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%d %H:%M:%S", &tm);
    assert_true(end && !*end);
    return (uint64_t)timegm(&tm) * SECOND;
}

static struct ft_time_zone *zone(const char *name)
{
    char error[256] = "";
    struct ft_time_zone *z = ft_time_zone_new(name, error, sizeof(error));
    assert_string_equal(error, "");
    assert_non_null(z);
    return z;
}

static struct ft_schedule schedule(const char *ranges, struct ft_time_zone *z)
{
    char error[256] = "";
    struct ft_schedule s = {.zone = z};
    bool is_right = ft_schedule_add(&s, ranges, error, sizeof(error));
    assert_string_equal(error, "");
    assert_true(is_right);
    return s;
}

/* It begins to hold, or ceases, just at that moment and not a nanosecond before. */
static void assert_edge(const struct ft_schedule *s, const char *at, bool begins)
{
    uint64_t ns = utc(at);
    if (ft_schedule_holds(s, ns) != begins || ft_schedule_holds(s, ns - 1) == begins)
        fail_msg("no edge at %s", at);
}

/* ---- ranges ---- */

static void test_any_time(void **state)
{
    (void)state;
    struct ft_schedule s = {.range_count = 0};
    assert_true(ft_schedule_holds(&s, 0));
    assert_true(ft_schedule_holds(&s, UINT64_MAX));
    s.is_outside = true;
    assert_true(ft_schedule_holds(&s, 0));
}

static void test_edges(void **state)
{
    (void)state;
    struct ft_schedule s = schedule("08:00-17:00", NULL);
    for (int outside = 0; outside < 2; outside++) {
        s.is_outside = outside;
        assert_edge(&s, "2026-11-22 08:00:00", !outside);
        assert_edge(&s, "2026-11-22 17:00:00", outside);
        assert_edge(&s, "1970-01-01 08:00:00", !outside);
        assert_edge(&s, "2553-12-31 17:00:00", outside);
        assert_int_equal(ft_schedule_holds(&s, 0), outside);
        assert_int_equal(ft_schedule_holds(&s, utc("2026-11-22 12:00:00")), !outside);
    }
    s = schedule("00:00:01-00:00:02", NULL);
    assert_edge(&s, "2026-11-22 00:00:01", true);
    assert_edge(&s, "2026-11-22 00:00:02", false);
}

static void test_whole_days(void **state)
{
    (void)state;
    struct ft_schedule s = schedule("00:00-24:00", NULL);
    for (uint64_t ns = 0; ns < 8 * 86400 * SECOND; ns += 3600 * SECOND)
        assert_true(ft_schedule_holds(&s, ns) && (!ns || ft_schedule_holds(&s, ns - 1)));
    /* 2026-11-21 is a Saturday. */
    const char *const weekends[] = {"sat,sun", "Sat-Sun 00:00-24:00", "SUNDAY,saturday",
                                    "sat 00:00-00:00, 12:00-13:00"};
    for (size_t i = 0; i < COUNT(weekends); i++) {
        s = schedule(weekends[i], NULL);
        assert_edge(&s, "2026-11-21 00:00:00", true);
        assert_true(ft_schedule_holds(&s, utc("2026-11-21 23:59:59")));
        if (i < 3)
            assert_edge(&s, "2026-11-23 00:00:00", false);
        else
            assert_edge(&s, "2026-11-22 00:00:00", false);
    }
}

static void test_each_day(void **state)
{
    (void)state;
    static const char *const DAYS[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    char text[64];
    for (int day = 0; day < 7; day++) {
        snprintf(text, sizeof(text), "%s 06:00-07:00", DAYS[day]);
        struct ft_schedule s = schedule(text, NULL);
        assert_int_equal(s.ranges[0].days, 1 << day);
        /* 2026-11-16 is a Monday. */
        for (int other = 0; other < 7; other++)
            assert_int_equal(
                ft_schedule_holds(&s, utc("2026-11-16 06:30:00") + other * 86400 * SECOND),
                day == other);
    }
}

static void test_over_midnight(void **state)
{
    (void)state;
    struct ft_schedule s = schedule("22:00-06:00", NULL);
    assert_edge(&s, "2026-11-21 06:00:00", false);
    assert_edge(&s, "2026-11-21 22:00:00", true);
    assert_true(ft_schedule_holds(&s, utc("2026-11-22 00:00:00") - 1));
    assert_true(ft_schedule_holds(&s, utc("2026-11-22 00:00:00")));
    assert_edge(&s, "2026-11-22 06:00:00", false);

    /* The night that begins on Friday ends on Saturday; that of Sunday ends on Monday. */
    s = schedule("fri,sun 22:00-06:00", NULL);
    assert_false(ft_schedule_holds(&s, utc("2026-11-20 05:00:00")));
    assert_edge(&s, "2026-11-20 22:00:00", true);
    assert_true(ft_schedule_holds(&s, utc("2026-11-21 03:00:00")));
    assert_edge(&s, "2026-11-21 06:00:00", false);
    assert_false(ft_schedule_holds(&s, utc("2026-11-21 23:00:00")));
    assert_false(ft_schedule_holds(&s, utc("2026-11-22 03:00:00")));
    assert_edge(&s, "2026-11-22 22:00:00", true);
    assert_edge(&s, "2026-11-23 06:00:00", false);

    /* As long as a day, from six to six. */
    s = schedule("sat 06:00-06:00", NULL);
    assert_edge(&s, "2026-11-21 06:00:00", true);
    assert_true(ft_schedule_holds(&s, utc("2026-11-22 00:00:00")));
    assert_edge(&s, "2026-11-22 06:00:00", false);
}

/* Ranges in a set of days that goes over the end of the week, and more than one range. */
static void test_many(void **state)
{
    (void)state;
    char error[256];
    struct ft_schedule s = schedule(" fri - mon 8:00 - 12:00 , 13:00-17:30:15 ", NULL);
    assert_int_equal(s.range_count, 2);
    assert_int_equal(s.ranges[1].days, 0x71);
    assert_true(ft_schedule_add(&s, "wed", error, sizeof(error)));
    assert_edge(&s, "2026-11-20 08:00:00", true);
    assert_edge(&s, "2026-11-20 12:00:00", false);
    assert_edge(&s, "2026-11-23 13:00:00", true);
    assert_edge(&s, "2026-11-23 17:30:15", false);
    assert_false(ft_schedule_holds(&s, utc("2026-11-24 09:00:00")));
    assert_edge(&s, "2026-11-25 00:00:00", true);
    assert_edge(&s, "2026-11-26 00:00:00", false);
    assert_int_equal(schedule("mon-mon", NULL).ranges[0].days, 1);
    assert_int_equal(schedule("mon,wed-fri", NULL).ranges[0].days, 0x1d);
    assert_int_equal(schedule("mon-sun", NULL).ranges[0].days, 0x7f);
    assert_int_equal(schedule("tue-mon", NULL).ranges[0].days, 0x7f);
}

#define WRITTEN "written as 08:00-17:00, mon-fri 08:00-17:00 or sat,sun"
#define NO_TIME " is no time of a day; written as 08:00, from 00:00 to 24:00"
#define NO_DAY  " is no day; days are mon, tue, wed, thu, fri, sat, sun"

static void test_wrong_ranges(void **state)
{
    (void)state;
    static const struct {
        const char *written, *sentence;
    } WRONG[] = {
        {"", "\"\" is no range; " WRITTEN},
        {"  ", "\"\" is no range; " WRITTEN},
        {"working hours", "\"working\"" NO_DAY},
        {"mo-fr 08:00-17:00", "\"mo-fr\"" NO_DAY},
        {"mon-fry", "\"fry\"" NO_DAY},
        {"mond", "\"mond\"" NO_DAY},
        {"mon,", "\"\"" NO_DAY},
        {"mon-", "\"\"" NO_DAY},
        {"mon,08:00-17:00", "\"08:00-17:00\"" NO_DAY},
        {"-08:00", "\"-08:00\"" NO_DAY},
        {"08:00", "\"\" where a hyphen and the end of the range should be; " WRITTEN},
        {"08:00 17:00", "\"17:00\" where a hyphen and the end of the range should be; " WRITTEN},
        {"08:00..17:00", "\"..17:00\" where a hyphen and the end of the range should be; " WRITTEN},
        {"08:00-", "\"\"" NO_TIME},
        {"8-17", "\"8-17\"" NO_TIME},
        {"08:0-17:00", "\"08:0-17:00\"" NO_TIME},
        {"08:000-17:00", "\"08:000-17:00\"" NO_TIME},
        {"008:00-17:00", "\"008:00-17:00\"" NO_TIME},
        {"08:60-17:00", "\"08:60-17:00\"" NO_TIME},
        {"08:00:60-17:00", "\"08:00:60-17:00\"" NO_TIME},
        {"08:00-24:00:01", "\"24:00:01\"" NO_TIME},
        {"08:00-25:00", "\"25:00\"" NO_TIME},
        {"24:00-06:00", "a range begins before 24:00; 00:00 of the next day is meant"},
        {"08:00-5pm", "\"5pm\"" NO_TIME},
        {"08:00-12:00,", "\"\"" NO_TIME},
        {"08:00-12:00 mon", "\"mon\" is more than a range; " WRITTEN},
        {"08:00-12:00,mon", "\"mon\"" NO_TIME},
        {"08:00\xe2\x80\x93"
         "17:00",
         "\"\" where a hyphen and the end of the range should be; " WRITTEN},
    };
    char error[256], many[512] = "00:00-01:00";
    for (size_t i = 0; i < COUNT(WRONG); i++) {
        struct ft_schedule s = {.range_count = 0};
        assert_false(ft_schedule_add(&s, WRONG[i].written, error, sizeof(error)));
        assert_string_equal(error, WRONG[i].sentence);
        assert_int_equal(s.range_count, 0);
    }
    struct ft_schedule s = {.range_count = 0};
    for (uint32_t i = 1; i < FT_SCHEDULE_RANGES; i++)
        strcat(many, ", 00:00-01:00");
    assert_true(ft_schedule_add(&s, many, error, sizeof(error)));
    assert_int_equal(s.range_count, FT_SCHEDULE_RANGES);
    assert_false(ft_schedule_add(&s, "mon", error, sizeof(error)));
    assert_string_equal(error, "more than 16 ranges; a schedule holds at most so many");
    assert_int_equal(s.range_count, FT_SCHEDULE_RANGES);
    s.range_count--;
    assert_false(ft_schedule_add(&s, "mon 01:00-02:00, 03:00-04:00", error, sizeof(error)));
    assert_int_equal(s.range_count, FT_SCHEDULE_RANGES - 1);
}

/* ---- zones ---- */

/* Working hours before and after a change of the clocks, and in the skipped and repeated hour. */
static void test_berlin(void **state)
{
    (void)state;
    struct ft_time_zone *z = zone("Europe/Berlin");
    struct ft_schedule s = schedule("08:00-17:00", z);
    assert_edge(&s, "2026-03-28 07:00:00", true);
    assert_edge(&s, "2026-03-28 16:00:00", false);
    assert_edge(&s, "2026-03-29 06:00:00", true);
    assert_edge(&s, "2026-03-29 15:00:00", false);
    assert_edge(&s, "2026-10-24 06:00:00", true);
    assert_edge(&s, "2026-10-24 15:00:00", false);
    assert_edge(&s, "2026-10-25 07:00:00", true);
    assert_edge(&s, "2026-10-25 16:00:00", false);

    /* 02:00 becomes 03:00 on 2026-03-29 at 01:00 UTC; back at 01:00 UTC on 2026-10-25. */
    assert_int_equal(ft_time_zone_offset(z, utc("2026-03-29 01:00:00") - 1), 3600);
    assert_int_equal(ft_time_zone_offset(z, utc("2026-03-29 01:00:00")), 7200);
    assert_int_equal(ft_time_zone_offset(z, utc("2026-10-25 01:00:00") - 1), 7200);
    assert_int_equal(ft_time_zone_offset(z, utc("2026-10-25 01:00:00")), 3600);
    assert_int_equal(ft_time_zone_offset(z, 0), 3600);
    assert_int_equal(ft_time_zone_offset(z, utc("2500-07-01 00:00:00")), 7200);
    assert_int_equal(ft_time_zone_offset(z, UINT64_MAX), 7200); /* July 2554 */

    s = schedule("02:15-03:30", z);
    assert_edge(&s, "2026-03-28 01:15:00", true);
    assert_edge(&s, "2026-03-29 01:00:00", true); /* there is no 02:15 */
    assert_edge(&s, "2026-03-29 01:30:00", false);
    assert_edge(&s, "2026-10-25 00:15:00", true);
    assert_edge(&s, "2026-10-25 01:00:00", false); /* 02:00 again */
    assert_edge(&s, "2026-10-25 01:15:00", true);
    assert_edge(&s, "2026-10-25 02:30:00", false);

    s = schedule("02:00-03:00", z); /* skipped, and twice */
    for (int minute = 0; minute < 24 * 60; minute++)
        assert_false(ft_schedule_holds(&s, utc("2026-03-28 23:00:00") + minute * 60 * SECOND));
    assert_edge(&s, "2026-10-25 00:00:00", true);
    assert_edge(&s, "2026-10-25 02:00:00", false);

    s = schedule("sat 22:00-06:00", z); /* a night of seven hours, and one of nine */
    assert_edge(&s, "2026-03-28 21:00:00", true);
    assert_edge(&s, "2026-03-29 04:00:00", false);
    assert_edge(&s, "2026-10-24 20:00:00", true);
    assert_edge(&s, "2026-10-25 05:00:00", false);
    ft_time_zone_free(z);
}

static void test_new_york(void **state)
{
    (void)state;
    struct ft_time_zone *z = zone("America/New_York");
    struct ft_schedule s = schedule("mon-fri 08:00-17:00", z);
    assert_edge(&s, "2026-03-06 13:00:00", true); /* Friday before 2026-03-08 */
    assert_edge(&s, "2026-03-06 22:00:00", false);
    assert_false(ft_schedule_holds(&s, utc("2026-03-08 15:00:00")));
    assert_edge(&s, "2026-03-09 12:00:00", true);
    assert_edge(&s, "2026-03-09 21:00:00", false);
    assert_edge(&s, "2026-10-30 12:00:00", true); /* Friday before 2026-11-01 */
    assert_edge(&s, "2026-11-02 13:00:00", true);
    assert_edge(&s, "2026-11-02 22:00:00", false);
    assert_int_equal(ft_time_zone_offset(z, utc("2026-03-08 07:00:00") - 1), -5 * 3600);
    assert_int_equal(ft_time_zone_offset(z, utc("2026-03-08 07:00:00")), -4 * 3600);
    assert_int_equal(ft_time_zone_offset(z, utc("2026-11-01 06:00:00") - 1), -4 * 3600);
    assert_int_equal(ft_time_zone_offset(z, utc("2026-11-01 06:00:00")), -5 * 3600);

    s = schedule("sun", z); /* the day begins when UTC is on it for hours already */
    assert_edge(&s, "2026-03-08 05:00:00", true);
    assert_edge(&s, "2026-03-09 04:00:00", false);
    assert_edge(&s, "2026-11-01 04:00:00", true);
    assert_edge(&s, "2026-11-02 05:00:00", false);
    ft_time_zone_free(z);
}

/* Local time that is behind 1970. */
static void test_first_day(void **state)
{
    (void)state;
    struct ft_time_zone *z = zone("-05:00");
    struct ft_schedule s = schedule("wed", z);
    assert_true(ft_schedule_holds(&s, 0));
    assert_edge(&s, "1970-01-01 05:00:00", false);
    ft_time_zone_free(z);
}

static void test_offsets(void **state)
{
    (void)state;
    static const struct {
        const char *written;
        int32_t offset_s;
    } OFFSETS[] = {
        {"UTC", 0},
        {"+00:00", 0},
        {"-00:00", 0},
        {"+05:45", 20700},
        {"+0545", 20700},
        {"-03:30", -12600},
        {"+14:00", 50400},
        {"-14", -50400},
        {"Etc/UTC", 0},
        {"GMT", 0},
        {"Asia/Kathmandu", 20700},
        {"Etc/GMT+8", -28800},
    };
    for (size_t i = 0; i < COUNT(OFFSETS); i++) {
        struct ft_time_zone *z = zone(OFFSETS[i].written);
        assert_int_equal(ft_time_zone_offset(z, utc("2026-11-22 00:00:00")), OFFSETS[i].offset_s);
        ft_time_zone_free(z);
    }
    /* Kathmandu is that far ahead since 1986. */
    const char *const names[] = {"+05:45", "Asia/Kathmandu"};
    for (size_t i = 0; i < COUNT(names); i++) {
        struct ft_time_zone *z = zone(names[i]);
        struct ft_schedule s = schedule("08:00-17:00", z);
        assert_edge(&s, "2026-11-22 02:15:00", true);
        assert_edge(&s, "2026-11-22 11:15:00", false);
        ft_time_zone_free(z);
    }
    ft_time_zone_free(NULL);
}

#define ZONE_WRITTEN "a time zone is written as Europe/Berlin, UTC or +01:00"
#define NO_OFFSET    "an offset from UTC is written as +01:00, from -14:00 to +14:00"

static void test_wrong_zones(void **state)
{
    (void)state;
    static const struct {
        const char *written, *sentence;
    } WRONG[] = {
        {"", ZONE_WRITTEN},
        {"../../../etc/passwd", ZONE_WRITTEN},
        {"Europe/../Europe/Berlin", ZONE_WRITTEN},
        {"/usr/share/zoneinfo/UTC", ZONE_WRITTEN},
        {"tzdata.zi", ZONE_WRITTEN},
        {"Europe Berlin", ZONE_WRITTEN},
        {"CET-1CEST,M3.5.0,M10.5.0/3", ZONE_WRITTEN},
        {"Argentina/Argentina/Argentina/Argentina/Argentina/Argentina/12345", ZONE_WRITTEN},
        {"+1", NO_OFFSET},
        {"+", NO_OFFSET},
        {"-", NO_OFFSET},
        {"+14:01", NO_OFFSET},
        {"-15:00", NO_OFFSET},
        {"+01:60", NO_OFFSET},
        {"+01:", NO_OFFSET},
        {"+01:5", NO_OFFSET},
        {"+01:000", NO_OFFSET},
        {"+-1:00", NO_OFFSET},
        {"Europe/Berlim",
         "no time zone is named \"Europe/Berlim\"; did you mean \"Europe/Berlin\"?"},
        {"europe/berlin",
         "no time zone is named \"europe/berlin\"; did you mean \"Europe/Berlin\"?"},
        {"Kathmandu", "no time zone is named \"Kathmandu\"; did you mean \"Asia/Kathmandu\"?"},
        {"Katmandu", "no time zone is named \"Katmandu\"; did you mean \"Asia/Katmandu\"?"},
        {"Atlantis/Underwater",
         "no time zone is named \"Atlantis/Underwater\"; written as Europe/Berlin, UTC or +01:00"},
        {"Europe", NULL},      /* a directory */
        {"leapseconds", NULL}, /* a file, but no zone */
        {"right/UTC", NULL},   /* counts leap seconds, where it is installed */
    };
    char error[256];
    for (size_t i = 0; i < COUNT(WRONG); i++) {
        assert_null(ft_time_zone_new(WRONG[i].written, error, sizeof(error)));
        if (WRONG[i].sentence)
            assert_string_equal(error, WRONG[i].sentence);
        else
            assert_non_null(strstr(error, "no time zone is named"));
    }
}

/* ---- against the C library ---- */

/* At random times until 2100, and until nanoseconds end. */
static void compare_with_library(const char *name)
{
    char error[256];
    struct ft_time_zone *z = ft_time_zone_new(name, error, sizeof(error));
    if (!z)
        fail_msg("%s: %s", name, error);
    assert_int_equal(setenv("TZ", name, 1), 0);
    tzset();
    for (int i = 0; i < 400; i++) {
        struct tm tm;
        time_t at = (time_t)random_below(i & 1 ? UINT64_MAX / SECOND : 4102444800); /* 2100 */
        assert_non_null(localtime_r(&at, &tm));
        int32_t offset_s = ft_time_zone_offset(z, (uint64_t)at * SECOND);
        if (offset_s != tm.tm_gmtoff)
            fail_msg("%s at %ld: %d, not %ld", name, at, offset_s, tm.tm_gmtoff);
    }
    ft_time_zone_free(z);
}

static void test_all_zones(void **state)
{
    (void)state;
    char *line = NULL, name[64], path[128];
    size_t size = 0;
    int zones = 0;
    FILE *list = fopen(ZONEINFO "tzdata.zi", "re");
    assert_non_null(list);
    while (getline(&line, &size, list) > 0) {
        if (sscanf(line, "Z %63s", name) != 1 && sscanf(line, "L %*s %63s", name) != 1)
            continue;
        snprintf(path, sizeof(path), ZONEINFO "%s", name);
        if (access(path, R_OK)) /* old names may be in a package of their own */
            continue;
        compare_with_library(name);
        zones++;
    }
    assert_true(zones > 300);
    free(line);
    fclose(list);
    unsetenv("TZ");
    tzset();
}

/* Every second around each change of a few years, where zones change at odd times. */
static void test_changes_to_the_second(void **state)
{
    (void)state;
    static const char *const NAMES[] = {
        "Europe/Berlin",       "America/New_York", "Asia/Gaza",     "Africa/Casablanca",
        "Australia/Lord_Howe", "America/Santiago", "Europe/Dublin", "America/Nuuk"};
    for (size_t i = 0; i < COUNT(NAMES); i++) {
        struct ft_time_zone *z = zone(NAMES[i]);
        struct tm tm;
        setenv("TZ", NAMES[i], 1);
        tzset();
        for (time_t hour = 1767225600; hour < 1767225600 + 2 * 365 * 86400; hour += 1800)
            for (time_t at = hour - 1; at <= hour; at++)
                if (ft_time_zone_offset(z, (uint64_t)at * SECOND) !=
                    localtime_r(&at, &tm)->tm_gmtoff)
                    fail_msg("%s at %ld", NAMES[i], at);
        ft_time_zone_free(z);
    }
    unsetenv("TZ");
    tzset();
}

/* ---- rules and files ---- */

static void assert_moment(const char *rule, int32_t year, const char *start, const char *end)
{
    struct ft_time_rule r;
    assert_true(ft_time_rule_parse(&r, rule, strlen(rule)));
    assert_true(r.has_saving);
    assert_int_equal(ft_time_rule_at(&r.start, year, r.standard_s), utc(start) / SECOND);
    assert_int_equal(ft_time_rule_at(&r.end, year, r.saving_s), utc(end) / SECOND);
}

static void test_rules(void **state)
{
    (void)state;
    struct ft_time_rule r;
    assert_moment("CET-1CEST,M3.5.0,M10.5.0/3", 2026, "2026-03-29 01:00:00", "2026-10-25 01:00:00");
    assert_moment("EST5EDT,M3.2.0,M11.1.0", 2026, "2026-03-08 07:00:00", "2026-11-01 06:00:00");
    /* Days of the year, with the 29th of February and without, before it and behind it. */
    assert_moment("A0B,59/0,J59/0", 2024, "2024-02-29 00:00:00", "2024-02-27 23:00:00");
    assert_moment("A0B,59/0,J60/0", 2024, "2024-02-29 00:00:00", "2024-02-29 23:00:00");
    assert_moment("A0B,59/0,J60/0", 2023, "2023-03-01 00:00:00", "2023-02-28 23:00:00");
    assert_moment("A0B,365/0,J365/0", 2024, "2024-12-31 00:00:00", "2024-12-30 23:00:00");
    /* On other days than the one named. */
    assert_moment("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 2026, "2026-03-29 01:00:00",
                  "2026-10-25 01:00:00");
    assert_moment("A0:30:15B-1:20:10,M2.5.4/167,M12.1.1/-167:59:59", 2024, "2024-03-06 23:30:15",
                  "2024-11-24 22:39:51");
    assert_true(ft_time_rule_parse(&r, "<+0545>-5:45", 12));
    assert_false(r.has_saving);
    assert_int_equal(r.standard_s, 20700);

    static const char *const WRONG[] = {
        "",
        "UTC",
        "1",
        "<UTC0",
        "A0B",
        "A0B,",
        "A0B,M3.5.0",
        "A0B,M3.5.0,",
        "A0B,M13.5.0,M1.1.0",
        "A0B,M0.5.0,M1.1.0",
        "A0B,M3.6.0,M1.1.0",
        "A0B,M3.5.7,M1.1.0",
        "A0B,M3.5,M1.1.0",
        "A0B,J0,J1",
        "A0B,J366,J1",
        "A0B,366,1",
        "A0B,0/168,1",
        "A25",
        "A0:60",
        "A0:0:60",
        "A0 ",
        "A0B,M3.5.0,M10.5.0/3x",
        "A99999999999999999999",
        "A0B,M99999999999.1.1,J1",
    };
    for (size_t i = 0; i < COUNT(WRONG); i++)
        if (ft_time_rule_parse(&r, WRONG[i], strlen(WRONG[i])))
            fail_msg("%s", WRONG[i]);
}

/* Big-endian. */
static void put(uint8_t **at, uint64_t value, int bytes)
{
    while (bytes-- > 0)
        *(*at)++ = (uint8_t)(value >> (8 * bytes));
}

static void put_zeros(uint8_t **at, int bytes)
{
    while (bytes-- > 0)
        *(*at)++ = 0;
}

static void put_header(uint8_t **at, char version, uint32_t leaps, uint32_t times, uint32_t types)
{
    memcpy(*at, "TZif", 4);
    *at += 4;
    put(at, (uint64_t)version, 1);
    put_zeros(at, 15 + 4 + 4);
    put(at, leaps, 4);
    put(at, times, 4);
    put(at, types, 4);
    put(at, 1, 4);
}

/* A file with changes at the given seconds to types 0, 1, 0...: +1 h and +2 h. */
static size_t make_file(uint8_t bytes[1024], const int64_t *changes, uint32_t count,
                        const char *rule)
{
    uint8_t *at = bytes;
    put_header(&at, '2', 0, 0, 1);
    put_zeros(&at, 6 + 1);
    put_header(&at, '2', 0, count, 2);
    for (uint32_t i = 0; i < count; i++)
        put(&at, (uint64_t)changes[i], 8);
    for (uint32_t i = 0; i < count; i++)
        put(&at, ~i & 1, 1);
    put(&at, 3600, 4);
    put(&at, 0, 2);
    put(&at, 7200, 4);
    put(&at, 0, 2);
    put(&at, 0, 1);
    at += sprintf((char *)at, "\n%s\n", rule);
    return (size_t)(at - bytes);
}

/* A copy of just so many bytes: reading behind them is seen by the sanitizer. */
static struct ft_time_zone *read_copy(const uint8_t *bytes, size_t length)
{
    uint8_t *copy = malloc(length + !length);
    memcpy(copy, bytes, length);
    struct ft_time_zone *z = ft_time_zone_read(copy, length);
    free(copy);
    return z;
}

static void test_files(void **state)
{
    (void)state;
    const int64_t changes[] = {-5, 1000, 2000, 3000};
    const int64_t unordered[] = {0, 1000, 1000, 3000};
    uint8_t bytes[1024];
    size_t length = make_file(bytes, changes, 4, "");
    struct ft_time_zone *z = read_copy(bytes, length);
    assert_non_null(z);
    assert_int_equal(ft_time_zone_offset(z, 0), 7200);
    assert_int_equal(ft_time_zone_offset(z, 1000 * SECOND - 1), 7200);
    assert_int_equal(ft_time_zone_offset(z, 1000 * SECOND), 3600);
    assert_int_equal(ft_time_zone_offset(z, 2000 * SECOND), 7200);
    assert_int_equal(ft_time_zone_offset(z, UINT64_MAX), 3600);
    ft_time_zone_free(z);

    /* Only a rule; and one by which daylight saving time never ends. */
    length = make_file(bytes, NULL, 0, "A-1B,M3.5.0,M10.5.0/3");
    assert_non_null(z = read_copy(bytes, length));
    assert_int_equal(ft_time_zone_offset(z, 0), 3600);
    assert_int_equal(ft_time_zone_offset(z, utc("1970-07-01 00:00:00")), 7200);
    ft_time_zone_free(z);
    /* South of the equator 1970 began in summer. */
    length = make_file(bytes, NULL, 0, "A-1B,M10.1.0,M3.1.0");
    assert_non_null(z = read_copy(bytes, length));
    assert_int_equal(ft_time_zone_offset(z, 0), 7200);
    assert_int_equal(ft_time_zone_offset(z, utc("1970-07-01 00:00:00")), 3600);
    ft_time_zone_free(z);
    length = make_file(bytes, NULL, 0, "A-1B,0/0,J365/25");
    assert_non_null(z = read_copy(bytes, length));
    for (int i = 0; i < 1000; i++)
        assert_int_equal(ft_time_zone_offset(z, random_below(UINT64_MAX)), 7200);
    ft_time_zone_free(z);

    length = make_file(bytes, unordered, 4, "");
    assert_null(read_copy(bytes, length));
    length = make_file(bytes, changes, 4, "nonsense");
    assert_null(read_copy(bytes, length));
    length = make_file(bytes, changes, 4, "A-1");
    bytes[4] = 0; /* version 1 */
    assert_null(read_copy(bytes, length));
}

/* Cut anywhere and changed anywhere: refused or read, but never more than is there. */
static void test_damaged_files(void **state)
{
    (void)state;
    const int64_t changes[] = {-5, 1000, 2000, 3000};
    uint8_t bytes[1024], damaged[1024];
    size_t length = make_file(bytes, changes, 4, "A-1B,M3.5.0,M10.5.0/3");
    for (size_t n = 0; n < length; n++)
        assert_null(read_copy(bytes, n));
    for (int i = 0; i < 20000; i++) {
        memcpy(damaged, bytes, length);
        for (uint64_t n = 1 + random_below(4); n > 0; n--)
            damaged[random_below(length)] = (uint8_t)random_below(256);
        struct ft_time_zone *z = read_copy(damaged, length);
        if (z)
            (void)ft_time_zone_offset(z, random_below(UINT64_MAX));
        ft_time_zone_free(z);
    }
}

/* ---- no time at all ---- */

static bool is_never(const char *const *texts, bool is_outside)
{
    struct ft_schedule schedule = {0};
    char error[512];
    for (; *texts; texts++)
        assert_true(ft_schedule_add(&schedule, *texts, error, sizeof(error)));
    schedule.is_outside = is_outside;
    bool never = ft_schedule_is_never(&schedule), ever = false;
    /* Each minute of a week says the same. */
    for (uint64_t minute = 0; minute < 7 * 1440; minute++)
        ever |= ft_schedule_holds(&schedule, minute * 60 * 1000000000u);
    assert_true(never == !ever);
    return never;
}

static void test_never(void **state)
{
    static const char *const none[] = {NULL};
    static const char *const whole[] = {"00:00-24:00", NULL};
    static const char *const days[] = {"mon-fri", "sat,sun 00:00-24:00", NULL};
    static const char *const night[] = {"06:00-22:00", "22:00-06:00", NULL};
    static const char *const round[] = {"08:00-08:00", NULL};
    static const char *const minute[] = {"00:00-23:59", NULL};
    static const char *const sunday[] = {"mon-sat", "sun 00:00-23:00", NULL};
    static const char *const workdays[] = {"mon-fri 08:00-08:00", NULL};
    (void)state;
    assert_true(is_never(whole, true) && is_never(days, true) && is_never(night, true) &&
                is_never(round, true));
    assert_false(is_never(whole, false) || is_never(none, true) || is_never(none, false));
    assert_false(is_never(minute, true) || is_never(sunday, true) || is_never(workdays, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_never),
        cmocka_unit_test(test_any_time),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_whole_days),
        cmocka_unit_test(test_each_day),
        cmocka_unit_test(test_over_midnight),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_wrong_ranges),
        cmocka_unit_test(test_berlin),
        cmocka_unit_test(test_new_york),
        cmocka_unit_test(test_first_day),
        cmocka_unit_test(test_offsets),
        cmocka_unit_test(test_wrong_zones),
        cmocka_unit_test(test_all_zones),
        cmocka_unit_test(test_changes_to_the_second),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_damaged_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
