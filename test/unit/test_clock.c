/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of the sensor clock: time that runs, jumps, and runs backwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "packet/clock.h"

#define S     1000000000ull
#define HOUR  (3600 * S)
#define BEGIN (1700000000 * S)

static void it_is_the_stamp(void **state)
{
    struct ft_clock c = {0};
    (void)state;
    assert_true(ft_clock_take(&c, BEGIN) == BEGIN);
    assert_true(ft_clock_take(&c, BEGIN + HOUR) == BEGIN + HOUR);
    assert_true(c.now == BEGIN + HOUR && c.last_stamp == BEGIN + HOUR);
    assert_int_equal(c.jumps, 0);
}

/* Of a capture: an hour of disorder is as it was captured; `now` stays. */
static void captures_may_be_out_of_order(void **state)
{
    struct ft_clock c = {0};
    (void)state;
    ft_clock_take(&c, BEGIN + HOUR);
    assert_true(ft_clock_take(&c, BEGIN) == BEGIN);
    assert_true(c.now == BEGIN + HOUR);
    assert_int_equal(c.jumps, 0);
}

static void jumps_are_taken_up(bool is_live)
{
    struct ft_clock c = {.is_live = is_live};
    ft_clock_take(&c, BEGIN);
    assert_true(ft_clock_take(&c, BEGIN + HOUR + 1) == BEGIN);
    assert_int_equal(c.jumps, 1);
    assert_true(ft_clock_take(&c, BEGIN + HOUR + 1 + 5 * S) == BEGIN + 5 * S);
    assert_true(ft_clock_take(&c, BEGIN - 24 * HOUR) == BEGIN + 5 * S);
    assert_int_equal(c.jumps, 2);
    assert_true(ft_clock_take(&c, BEGIN - 24 * HOUR + S) == BEGIN + 6 * S);
    assert_true(c.last_stamp == BEGIN - 24 * HOUR + S);
    assert_int_equal(c.jumps, 2);
}

static void jumps_expire_nothing(void **state)
{
    (void)state;
    jumps_are_taken_up(false);
    jumps_are_taken_up(true);
}

static void live_it_never_runs_backwards(void **state)
{
    struct ft_clock c = {.is_live = true};
    (void)state;
    ft_clock_take(&c, BEGIN + 10 * S);
    assert_true(ft_clock_take(&c, BEGIN + 9 * S) == BEGIN + 10 * S);
    assert_int_equal(c.jumps, 0);
    assert_true(ft_clock_take(&c, BEGIN + 11 * S) == BEGIN + 11 * S);
}

/* The clock of the host is set back by ten minutes: the sensor's goes on at once. */
static void live_it_does_not_stop(void **state)
{
    struct ft_clock c = {.is_live = true};
    (void)state;
    ft_clock_take(&c, BEGIN);
    assert_true(ft_clock_take(&c, BEGIN - 600 * S) == BEGIN);
    assert_int_equal(c.jumps, 1);
    assert_true(ft_clock_take(&c, BEGIN - 599 * S) == BEGIN + S);
    assert_int_equal(c.jumps, 1);
}

static void time_passes_in_silence(void **state)
{
    struct ft_clock c = {.is_live = true};
    (void)state;
    ft_clock_idle(&c, BEGIN);
    assert_true(c.has_begun && c.now == BEGIN);
    ft_clock_take(&c, BEGIN + 5 * S);
    ft_clock_idle(&c, BEGIN + 4 * S); /* looked at before the packet */
    assert_true(c.now == BEGIN + 5 * S && c.last_stamp == BEGIN + 5 * S);
    ft_clock_idle(&c, BEGIN + 6 * S);
    assert_true(c.now == BEGIN + 6 * S);
    assert_int_equal(c.jumps, 0);
}

/* Set back, or woken from hours of sleep, without a packet. */
static void jumps_in_silence(void **state)
{
    struct ft_clock c = {.is_live = true};
    (void)state;
    ft_clock_take(&c, BEGIN);
    ft_clock_idle(&c, BEGIN - HOUR);
    assert_true(c.now == BEGIN);
    assert_int_equal(c.jumps, 1);
    ft_clock_idle(&c, BEGIN - HOUR + S);
    assert_true(c.now == BEGIN + S);
    ft_clock_idle(&c, BEGIN + 9 * HOUR);
    assert_true(c.now == BEGIN + S);
    assert_int_equal(c.jumps, 2);
    assert_true(ft_clock_take(&c, BEGIN + 9 * HOUR + S) == BEGIN + 2 * S);
    assert_int_equal(c.jumps, 2);
}

/* Packets that a busy host handed over late are no clock set back: time stands still for them. */
static void late_packets_are_no_jump(void **state)
{
    struct ft_clock c = {.is_live = true};
    (void)state;
    ft_clock_take(&c, BEGIN);
    ft_clock_idle(&c, BEGIN + 5 * S);
    for (uint64_t i = 0; i < 5; i++)
        assert_true(ft_clock_take(&c, BEGIN + i * S) == BEGIN + 5 * S);
    assert_true(ft_clock_take(&c, BEGIN + 6 * S) == BEGIN + 6 * S);
    assert_int_equal(c.jumps, 0);
}

/* A damaged stamp in between: two jumps, and the seconds between are those that passed. */
static void one_stamp_out_of_all_time(void **state)
{
    static const uint64_t nonsense[] = {0, 1, BEGIN * 2, UINT64_MAX / 2, UINT64_MAX};
    (void)state;
    for (int is_live = 0; is_live < 2; is_live++)
        for (unsigned i = 0; i < 5; i++) {
            struct ft_clock c = {.is_live = is_live};
            ft_clock_take(&c, BEGIN);
            ft_clock_take(&c, BEGIN + S);
            assert_true(ft_clock_take(&c, nonsense[i]) == BEGIN + S);
            assert_true(ft_clock_take(&c, BEGIN + 2 * S) == BEGIN + S);
            assert_true(ft_clock_take(&c, BEGIN + 3 * S) == BEGIN + 2 * S);
            assert_int_equal(c.jumps, 2);
        }
}

/* Begun by nonsense, time goes on all the same. */
static void nonsense_at_first(void **state)
{
    static const uint64_t nonsense[] = {0, UINT64_MAX / 2, UINT64_MAX};
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct ft_clock c = {0};
        uint64_t first = ft_clock_take(&c, nonsense[i]);
        assert_true(ft_clock_take(&c, BEGIN) == first);
        assert_true(ft_clock_take(&c, BEGIN + 7 * S) == first + 7 * S);
        assert_int_equal(c.jumps, 1);
    }
}

/* Whatever comes, live time never runs backwards, and no step is longer than an hour. */
static void any_stamps(void **state)
{
    struct ft_clock c = {.is_live = true};
    uint64_t x = 88172645463325252ull, before = 0;
    (void)state;
    ft_clock_take(&c, BEGIN);
    before = c.now;
    for (unsigned i = 0; i < 200000; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        uint64_t stamp = i % 3 ? BEGIN + x % (3 * HOUR) : x;
        if (x >> 60 & 1)
            ft_clock_idle(&c, stamp);
        else
            assert_true(ft_clock_take(&c, stamp) == c.now);
        assert_true(c.now >= before && c.now <= before + HOUR);
        before = c.now;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_stamp),
        cmocka_unit_test(captures_may_be_out_of_order),
        cmocka_unit_test(jumps_expire_nothing),
        cmocka_unit_test(live_it_never_runs_backwards),
        cmocka_unit_test(live_it_does_not_stop),
        cmocka_unit_test(time_passes_in_silence),
        cmocka_unit_test(jumps_in_silence),
        cmocka_unit_test(late_packets_are_no_jump),
        cmocka_unit_test(one_stamp_out_of_all_time),
        cmocka_unit_test(nonsense_at_first),
        cmocka_unit_test(any_stamps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
