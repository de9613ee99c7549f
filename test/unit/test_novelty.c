/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of the set of what was told already. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "base/hash.h"
#include "event/novelty.h"

#define BUCKETS 64u

static uint64_t slots[BUCKETS * 8];

static struct ft_novelty fresh(void)
{
    memset(slots, 0, sizeof(slots));
    return (struct ft_novelty){.slots = slots, .buckets = BUCKETS};
}

/* A hash that falls into a bucket, `n` telling it from others. */
static uint64_t in_bucket(uint64_t bucket, uint64_t n)
{
    return bucket << 32 | n << 1;
}

static void test_new_once(void **state)
{
    struct ft_novelty n = fresh();
    (void)state;
    for (uint64_t i = 0; i < 100; i++)
        assert_true(ft_novelty_add(&n, ft_hash_mix(i, 1)));
    for (uint64_t i = 0; i < 100; i++)
        assert_false(ft_novelty_add(&n, ft_hash_mix(i, 1)));
    assert_int_equal(n.used, 100);
    assert_int_equal(n.forgotten, 0);
}

/* The hash 0 would be a free slot. */
static void test_zero(void **state)
{
    struct ft_novelty n = fresh();
    (void)state;
    assert_true(ft_novelty_add(&n, 0));
    assert_false(ft_novelty_add(&n, 0));
    assert_int_equal(n.used, 1);
}

static void test_oldest_goes(void **state)
{
    struct ft_novelty n = fresh();
    (void)state;
    for (uint64_t i = 0; i < 8; i++)
        assert_true(ft_novelty_add(&n, in_bucket(5, i)));
    assert_true(ft_novelty_add(&n, in_bucket(6, 0)));
    assert_int_equal(n.forgotten, 0);
    assert_true(ft_novelty_add(&n, in_bucket(5, 8))); /* drives out 0 */
    assert_int_equal(n.forgotten, 1);
    for (uint64_t i = 1; i <= 8; i++)
        assert_false(ft_novelty_add(&n, in_bucket(5, i)));
    assert_true(ft_novelty_add(&n, in_bucket(5, 0))); /* drives out 1 */
    assert_true(ft_novelty_add(&n, in_bucket(5, 1)));
    assert_int_equal(n.forgotten, 3);
    assert_false(ft_novelty_add(&n, in_bucket(6, 0)));
    assert_int_equal(n.used, 9);
}

/* Being asked for does not make an entry young: what is forgotten depends on additions only. */
static void test_asking_changes_nothing(void **state)
{
    struct ft_novelty n = fresh();
    (void)state;
    for (uint64_t i = 0; i < 8; i++)
        ft_novelty_add(&n, in_bucket(0, i));
    for (unsigned i = 0; i < 10; i++)
        assert_false(ft_novelty_add(&n, in_bucket(0, 0)));
    ft_novelty_add(&n, in_bucket(0, 8));
    assert_true(ft_novelty_add(&n, in_bucket(0, 0)));
}

/* The buckets above the last are those below: no hash leads outside. */
static void test_bounds(void **state)
{
    struct ft_novelty n = fresh();
    (void)state;
    assert_true(ft_novelty_add(&n, in_bucket(3, 7)));
    assert_true(slots[3 * 8] != 0);
    assert_true(ft_novelty_add(&n, in_bucket(3 + BUCKETS, 7)));
    assert_int_equal(n.used, 2);
    assert_true(slots[3 * 8 + 1] != 0);
    for (uint64_t i = 0; i < 100000; i++)
        ft_novelty_add(&n, ft_hash_mix(i, 7));
    assert_int_equal(n.used, BUCKETS * 8);
    assert_true(n.forgotten > 90000);
}

/* What changes to and fro is told each time, and one key is not another. */
static void test_change(void **state)
{
    struct ft_novelty n = fresh();
    const uint64_t a = in_bucket(5, 0), b = in_bucket(5 + BUCKETS, 0), c = in_bucket(6, 0);
    (void)state;
    assert_true(ft_novelty_change(&n, a, 2));
    assert_false(ft_novelty_change(&n, a, 2));
    assert_true(ft_novelty_change(&n, a, 4));
    assert_true(ft_novelty_change(&n, a, 2));
    assert_true(ft_novelty_change(&n, a, 8ull << 32));
    assert_false(ft_novelty_change(&n, a, 8ull << 32));
    assert_int_equal(n.used, 1);
    assert_true(ft_novelty_change(&n, b, 2)); /* the same bucket */
    assert_true(ft_novelty_change(&n, c, 2));
    assert_false(ft_novelty_change(&n, a, 8ull << 32));
    assert_false(ft_novelty_change(&n, b, 2));
    assert_int_equal(n.used, 3);
}

/* Keys that differ in the highest bits or the lowest of their upper half are different. */
static void test_change_keeps_keys_apart(void **state)
{
    struct ft_novelty n = fresh();
    (void)state;
    for (unsigned bit = 38; bit < 45; bit++) /* above the bits that name the bucket */
        assert_true(ft_novelty_change(&n, 1ull << bit, 7));
    for (unsigned bit = 38; bit < 45; bit++)
        assert_false(ft_novelty_change(&n, 1ull << bit, 7));
    assert_int_equal(n.used, 7);
    /* the noted value goes when the bucket is full, like all others: it is told again */
    for (uint64_t i = 0; i < 8; i++)
        ft_novelty_add(&n, in_bucket(0, 100 + i));
    assert_true(ft_novelty_change(&n, 1ull << 38, 7));
}

static uint32_t known(struct ft_novelty *n)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < n->buckets * 8; i++)
        count += n->slots[i] != 0;
    return count;
}

/* Each bucket once an hour, some at each tick: never all at once while packets come. */
static void test_renewed_bit_by_bit(void **state)
{
    const uint64_t second = 1000000000, begin = 1700000000 * second;
    struct ft_novelty n = fresh();
    (void)state;
    for (uint32_t b = 0; b < BUCKETS; b++)
        ft_novelty_add(&n, in_bucket(b, 0));
    for (uint64_t s = 0; s < 1800; s++)
        ft_novelty_renew(&n, begin + s * second);
    assert_in_range(known(&n), BUCKETS / 2, BUCKETS / 2 + 1);
    for (uint64_t s = 1800, before = known(&n); s <= 3600; s++) {
        ft_novelty_renew(&n, begin + s * second);
        assert_in_range(before - known(&n), 0, 1);
        before = known(&n);
    }
    assert_int_equal(known(&n), 0);
    ft_novelty_renew(&n, begin + 3660 * second); /* the first bucket's turn has been */
    ft_novelty_add(&n, in_bucket(0, 1));
    for (uint64_t s = 3661; s < 7200; s++)
        ft_novelty_renew(&n, begin + s * second);
    assert_int_equal(known(&n), 1);
    ft_novelty_renew(&n, begin + 7260 * second);
    assert_int_equal(known(&n), 0);
}

/* What was never used is not written to: memory grows with what is told, not with time. */
static void test_renewal_touches_nothing_unused(void **state)
{
    const uint64_t hour = FT_NOVELTY_RENEWAL_NS, begin = 1700000000000000000;
    void *page = mmap(NULL, BUCKETS * 64, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct ft_novelty n = {.slots = page, .buckets = BUCKETS};
    (void)state;
    assert_ptr_not_equal(page, MAP_FAILED);
    for (unsigned i = 0; i < 10; i++)
        ft_novelty_renew(&n, begin + i * hour / 4);
    ft_novelty_renew(&n, begin + 9 * hour);
    munmap(page, BUCKETS * 64);
}

static void test_renewed_after_silence(void **state)
{
    const uint64_t hour = FT_NOVELTY_RENEWAL_NS, begin = 1700000000000000000;
    struct ft_novelty n = fresh();
    (void)state;
    ft_novelty_renew(&n, begin);
    for (uint32_t b = 0; b < BUCKETS; b++)
        ft_novelty_add(&n, in_bucket(b, 0));
    ft_novelty_renew(&n, begin + hour + hour / 4); /* the first quarter twice */
    assert_int_equal(known(&n), 0);
    for (uint32_t b = 0; b < BUCKETS; b++)
        ft_novelty_add(&n, in_bucket(b, 0));
    ft_novelty_renew(&n, begin + hour + hour / 2);
    assert_int_equal(known(&n), BUCKETS * 3 / 4);
    ft_novelty_renew(&n, begin + 9 * hour);
    assert_int_equal(known(&n), 0);
    ft_novelty_add(&n, in_bucket(BUCKETS - 1, 0));
    ft_novelty_renew(&n, begin + 9 * hour + hour / 2);
    assert_int_equal(known(&n), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_once),
        cmocka_unit_test(test_zero),
        cmocka_unit_test(test_oldest_goes),
        cmocka_unit_test(test_asking_changes_nothing),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_change),
        cmocka_unit_test(test_change_keeps_keys_apart),
        cmocka_unit_test(test_renewed_bit_by_bit),
        cmocka_unit_test(test_renewal_touches_nothing_unused),
        cmocka_unit_test(test_renewed_after_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
