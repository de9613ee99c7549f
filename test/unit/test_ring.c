/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of the byte ring from a worker to the alerting core. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "event/ring.h"

#include <pthread.h>
#include <sched.h>

static uint32_t g_random = 1;

static uint32_t random_u32(void)
{
    g_random = g_random * 1664525u + 1013904223u;
    return g_random >> 8;
}

/* Size of record n: from the bare struct to the most there is, not a multiple of eight. */
static uint32_t size_of(uint32_t n)
{
    uint32_t room = FT_EVENT_MAX - (uint32_t)sizeof(struct ft_event);
    return (uint32_t)sizeof(struct ft_event) + (n * 2654435761u >> 8) % (room + 1);
}

static void fill(struct ft_event *e, uint32_t n, uint32_t size)
{
    memset(e, 0, sizeof(*e));
    e->size = size;
    e->type = FT_EVENT_FACT;
    e->seq = n;
    for (uint32_t i = sizeof(*e); i < size; i++)
        ((uint8_t *)e)[i] = (uint8_t)(n + i);
}

static bool put_record(struct ft_ring *ring, uint32_t n, bool best_effort)
{
    struct ft_event *e = ft_ring_reserve(ring, best_effort);
    if (!e)
        return false;
    fill(e, n, size_of(n));
    ft_ring_commit(ring);
    return true;
}

/* The next record must be number n, whole. Not with cmocka's assertions: also used in a thread. */
static bool take_record(struct ft_ring *ring, uint32_t n)
{
    const struct ft_event *e = ft_ring_peek(ring);
    if (!e || e->seq != n || e->size != size_of(n))
        return false;
    for (uint32_t i = sizeof(*e); i < e->size; i++)
        if (((const uint8_t *)e)[i] != (uint8_t)(n + i))
            return false;
    ft_ring_release(ring);
    return true;
}

static void test_empty(void **state)
{
    struct ft_ring ring;
    (void)state;
    assert_true(ft_ring_init(&ring, 1));
    assert_int_equal(ring.size, 4 * FT_EVENT_MAX);
    assert_null(ft_ring_peek(&ring));
    assert_non_null(ft_ring_reserve(&ring, false));
    assert_null(ft_ring_peek(&ring)); /* reserved is not committed */
    ft_ring_free(&ring);
    assert_true(ft_ring_init(&ring, 100000));
    assert_int_equal(ring.size, 131072);
    ft_ring_free(&ring);
}

/* A record that is peeked stays until it is released. */
static void test_peek_is_stable(void **state)
{
    struct ft_ring ring;
    (void)state;
    ft_ring_init(&ring, 65536);
    assert_true(put_record(&ring, 1, false) && put_record(&ring, 2, false));
    const struct ft_event *e = ft_ring_peek(&ring);
    assert_ptr_equal(e, ft_ring_peek(&ring));
    assert_true(take_record(&ring, 1) && take_record(&ring, 2));
    assert_null(ft_ring_peek(&ring));
    ft_ring_free(&ring);
}

/* Many times around, the ring sometimes nearly empty and sometimes full. */
static void test_wrap(void **state)
{
    struct ft_ring ring;
    uint32_t in = 0, out = 0;
    bool was_full = false;
    (void)state;
    ft_ring_init(&ring, 4 * FT_EVENT_MAX);
    while (out < 20000) {
        for (uint32_t i = random_u32() % 12; i; i--) {
            if (!put_record(&ring, in, false)) {
                was_full = true;
                break;
            }
            in++;
        }
        for (uint32_t i = random_u32() % 12; i && out < in; i--)
            assert_true(take_record(&ring, out++));
        uint64_t used = ring.written - ring.read;
        assert_true(used <= ring.size);
    }
    while (out < in)
        assert_true(take_record(&ring, out++));
    assert_null(ft_ring_peek(&ring));
    assert_true(was_full);
    assert_true(ring.high_water > ring.size / 4 && ring.high_water <= ring.size);
    ft_ring_free(&ring);
}

static uint32_t fill_up(struct ft_ring *ring, uint32_t from, bool best_effort)
{
    uint32_t n = from;
    struct ft_event *e;
    while ((e = ft_ring_reserve(ring, best_effort))) {
        fill(e, n++, 1024);
        ft_ring_commit(ring);
    }
    return n;
}

/* Best effort ends at three quarters, the rest goes on to the end; one place freed is one taken. */
static void test_full(void **state)
{
    struct ft_ring ring;
    (void)state;
    ft_ring_init(&ring, 64 * 1024);
    uint32_t n = fill_up(&ring, 0, true);
    uint64_t used = ring.written - ring.read;
    assert_true(used + FT_EVENT_MAX > ring.size / 4 * 3 && used <= ring.size / 4 * 3);
    assert_null(ft_ring_reserve(&ring, true));
    uint32_t all = fill_up(&ring, n, false);
    assert_true(all >= n + 15);
    used = ring.written - ring.read;
    assert_true(used + FT_EVENT_MAX > ring.size && used <= ring.size);
    assert_null(ft_ring_reserve(&ring, false));
    /* A refusal changes nothing. */
    assert_int_equal(ring.written - ring.read, used);
    for (uint32_t i = 0; i < all; i++) {
        const struct ft_event *e = ft_ring_peek(&ring);
        assert_non_null(e);
        assert_int_equal(e->seq, i);
        ft_ring_release(&ring);
    }
    assert_null(ft_ring_peek(&ring));
    assert_non_null(ft_ring_reserve(&ring, true));
    ft_ring_free(&ring);
}

/* The largest record fits whatever the position. */
static void test_largest(void **state)
{
    struct ft_ring ring;
    (void)state;
    ft_ring_init(&ring, 4 * FT_EVENT_MAX);
    for (uint32_t n = 0; n < 1000; n++) {
        struct ft_event *e = ft_ring_reserve(&ring, false);
        assert_non_null(e);
        assert_true((uint8_t *)e + FT_EVENT_MAX <= ring.memory + ring.size);
        fill(e, n, n % 3 ? FT_EVENT_MAX : (uint32_t)sizeof(*e));
        ft_ring_commit(&ring);
        const struct ft_event *got = ft_ring_peek(&ring);
        assert_ptr_equal(got, e);
        assert_int_equal(got->seq, n);
        ft_ring_release(&ring);
    }
    ft_ring_free(&ring);
}

#define MANY 300000u

static struct ft_ring shared;

static void *produce(void *unused)
{
    (void)unused;
    for (uint32_t n = 0; n < MANY;) {
        if (put_record(&shared, n, false))
            n++;
        else
            sched_yield();
    }
    return NULL;
}

static void test_two_threads(void **state)
{
    pthread_t thread;
    uint32_t wrong = 0;
    (void)state;
    ft_ring_init(&shared, 8 * FT_EVENT_MAX);
    assert_int_equal(pthread_create(&thread, NULL, produce, NULL), 0);
    for (uint32_t n = 0; n < MANY;) {
        if (!ft_ring_peek(&shared)) {
            sched_yield();
            continue;
        }
        wrong += !take_record(&shared, n++);
        if (wrong)
            break;
    }
    if (!wrong)
        pthread_join(thread, NULL);
    assert_int_equal(wrong, 0);
    assert_null(ft_ring_peek(&shared));
    ft_ring_free(&shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),   cmocka_unit_test(test_peek_is_stable),
        cmocka_unit_test(test_wrap),    cmocka_unit_test(test_full),
        cmocka_unit_test(test_largest), cmocka_unit_test(test_two_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
