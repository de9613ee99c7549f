/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * local_time.c: times as people and receivers read them, against the C library day by day, and as
 * RFC 3164, RFC 3339 and the dates of CEF have them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "forward/local_time.h"

#define SECOND 1000000000ull

/* Each day from 1970 to the end of what 64 bits of nanoseconds reach, at another time of it. */
static void test_days(void **state)
{
    (void)state;
    for (uint64_t day = 0; day <= UINT64_MAX / SECOND / 86400; day++) {
        uint64_t s = day * 86400 + day * 37 % 86400;
        if (s > UINT64_MAX / SECOND)
            break;
        time_t time = (time_t)s;
        struct tm tm;
        gmtime_r(&time, &tm);
        struct ft_local_time t = ft_local_time(s * SECOND, NULL);
        if (t.year != tm.tm_year + 1900 || t.month != tm.tm_mon + 1 || t.day != tm.tm_mday ||
            t.hour != tm.tm_hour || t.minute != tm.tm_min || t.second != tm.tm_sec)
            fail_msg("day %llu: %d-%d-%d %d:%d:%d", (unsigned long long)day, t.year, t.month, t.day,
                     t.hour, t.minute, t.second);
    }
}

/* What is written is read as the same moment: of a zone, too. */
static void test_back(void **state)
{
    static const char *const zones[] = {"+00:00", "+01:00", "-05:00", "+05:45", "-11:30", "+14:00"};
    (void)state;
    for (size_t z = 0; z < sizeof(zones) / sizeof(zones[0]); z++) {
        char error[160];
        struct ft_time_zone *zone = ft_time_zone_new(zones[z], error, sizeof(error));
        assert_non_null(zone);
        for (uint64_t day = 1; day < 365 * 500; day += 13) {
            uint64_t ns = (day * 86400 + day * 3607 % 86400) * SECOND + day % 1000000 * 1000, read;
            struct ft_local_time t = ft_local_time(ns, zone);
            char text[40];
            int ahead = t.offset_s < 0 ? -t.offset_s : t.offset_s;
            snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%06d%c%02d%02d", t.year,
                     t.month, t.day, t.hour, t.minute, t.second, t.microsecond,
                     t.offset_s < 0 ? '-' : '+', ahead / 3600, ahead / 60 % 60);
            if (!ft_local_time_read(text, strlen(text), &read) || read != ns)
                fail_msg("%s in %s", text, zones[z]);
        }
        ft_time_zone_free(zone);
    }
}

static void test_read(void **state)
{
    static const struct {
        const char *text;
        uint64_t ns;
    } right[] = {
        {"1970-01-01T00:00:00.000000+0000", 0},
        {"1970-01-01T01:00:00.000001+0100", 1000},
        {"1969-12-31T23:00:00.000000-0100", UINT64_MAX}, /* the year is before 1970 */
        {"2000-02-29T12:34:56.789012+0000", 951827696789012000ull},
        {"2026-01-31T10:20:30.123456+0100", 1769851230123456000ull},
        {"2026-01-31T10:20:30.123456-0130", 1769860230123456000ull},
        {"2016-12-31T23:59:60.000000+0000", 1483228800000000000ull}, /* a leap second */
    };
    static const char *const wrong[] = {
        "",
        "2026-01-31T10:20:30.123456+010",
        "2026-01-31T10:20:30.123456+01000",
        "2026-01-31T10:20:30.123456 0100",
        "2026-00-31T10:20:30.123456+0100",
        "2026-13-31T10:20:30.123456+0100",
        "2026-01-00T10:20:30.123456+0100",
        "2026-01-32T10:20:30.123456+0100",
        "2026-01-31 10:20:30.123456+0100",
        "2026-01-31T24:20:30.123456+0100",
        "2026-01-31T10:60:30.123456+0100",
        "2026-01-31T10:20:61.123456+0100",
        "2026-01-31T10:20:30,123456+0100",
        "2026-01-31T10:20:30.12345a+0100",
        "2026-01-31T10:20:30.123456+2500",
        "2026-01-31T10:20:30.123456+0160",
        "2026/01-31T10:20:30.123456+0100",
        "2026-01-31T10-20:30.123456+0100",
        "2554-01-31T10:20:30.123456+0100",
        "1970-01-01T00:00:00.000000+0001",
        "x026-01-31T10:20:30.123456+0100",
    };
    uint64_t ns;
    (void)state;
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
        bool is_time = ft_local_time_read(right[i].text, strlen(right[i].text), &ns);
        assert_int_equal(is_time, right[i].ns != UINT64_MAX);
        if (is_time && ns != right[i].ns)
            fail_msg("%s: %llu", right[i].text, (unsigned long long)ns);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (ft_local_time_read(wrong[i], strlen(wrong[i]), &ns))
            fail_msg("%s is taken", wrong[i]);
}

typedef void write_fn(char to[FT_TIME_SIZE], uint64_t ns, const struct ft_time_zone *zone);

static void assert_written(write_fn *write, uint64_t ns, const struct ft_time_zone *zone,
                           const char *text)
{
    char to[FT_TIME_SIZE];
    write(to, ns, zone);
    assert_string_equal(to, text);
}

static void test_written(void **state)
{
    const uint64_t ns = 1769851230123456789ull;  /* 2026-01-31 09:20:30 */
    const uint64_t may = 1746057609000000000ull; /* 2025-05-01 00:00:09 */
    char error[160];
    struct ft_time_zone *east = ft_time_zone_new("+05:45", error, sizeof(error));
    struct ft_time_zone *utc = ft_time_zone_new("UTC", error, sizeof(error));
    struct ft_time_zone *west = ft_time_zone_new("-09:30", error, sizeof(error));
    (void)state;
    assert_written(ft_time_for_people, ns, NULL, "Jan 31 2026 09:20:30");
    assert_written(ft_time_for_people, may, NULL, "May 01 2025 00:00:09");
    assert_written(ft_time_for_people, may, west, "Apr 30 2025 14:30:09");
    assert_written(ft_time_rfc3164, ns, NULL, "Jan 31 09:20:30");
    assert_written(ft_time_rfc3164, may, NULL, "May  1 00:00:09");
    assert_written(ft_time_rfc3339, ns, NULL, "2026-01-31T09:20:30.123456Z");
    assert_written(ft_time_rfc3339, ns, east, "2026-01-31T15:05:30.123456+05:45");
    assert_written(ft_time_rfc3339, ns, utc, "2026-01-31T09:20:30.123456+00:00");
    assert_written(ft_time_rfc3339, may, west, "2025-04-30T14:30:09.000000-09:30");
    assert_written(ft_time_rfc3339, 0, west, "1969-12-31T14:30:00.000000-09:30");
    ft_time_zone_free(east);
    ft_time_zone_free(west);
    ft_time_zone_free(utc);
}

static void test_months(void **state)
{
    static const char *const names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    (void)state;
    for (unsigned month = 0; month < 12; month++) {
        char to[FT_TIME_SIZE], text[8];
        ft_time_rfc3164(to, (86400ull * 14 + 86400ull * 61 * month / 2) * SECOND, NULL);
        snprintf(text, sizeof(text), "%.3s", to);
        assert_string_equal(text, names[month]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_days),    cmocka_unit_test(test_back),   cmocka_unit_test(test_read),
        cmocka_unit_test(test_written), cmocka_unit_test(test_months),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
