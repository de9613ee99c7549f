/* SPDX-License-Identifier: BSD-3-Clause */
/* Test of the hash index against a plain list: random additions and removals, with hashes that
 * collide. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/index.h"

#define ENTRIES 500u

static uint64_t g_random = 88172645463325252ull;

static uint32_t random_below(uint32_t n)
{
    g_random ^= g_random << 13;
    g_random ^= g_random >> 7;
    g_random ^= g_random << 17;
    return (uint32_t)(g_random >> 20) % n;
}

static bool has(const struct ft_index *ix, uint64_t hash, uint32_t entry)
{
    uint32_t found, times = 0;
    struct ft_index_walk w = ft_index_walk(ix, hash);
    while ((found = ft_index_next(ix, &w)))
        times += found == entry;
    assert_true(times <= 1);
    return times == 1;
}

static void run_with(uint64_t hash_mask)
{
    struct ft_index ix = {0};
    bool is_in[ENTRIES + 1] = {0};
    uint64_t hashes[ENTRIES + 1];
    for (uint32_t i = 1; i <= ENTRIES; i++)
        hashes[i] = (i * 0x9e3779b97f4a7c15ull) & hash_mask;
    for (int step = 0; step < 20000; step++) {
        uint32_t entry = 1 + random_below(ENTRIES);
        assert_int_equal(has(&ix, hashes[entry], entry), is_in[entry]);
        if (is_in[entry]) {
            ft_index_remove(&ix, hashes[entry], entry);
        } else {
            assert_true(ft_index_reserve(&ix));
            ft_index_add(&ix, hashes[entry], entry);
        }
        is_in[entry] = !is_in[entry];
    }
    uint32_t count = 0;
    for (uint32_t i = 1; i <= ENTRIES; i++) {
        assert_int_equal(has(&ix, hashes[i], i), is_in[i]);
        count += is_in[i];
    }
    assert_int_equal(ix.used, count);
    assert_true(ix.used <= ix.size / 2);
    ft_index_free(&ix);
}

static void test_against_a_list(void **state)
{
    (void)state;
    run_with(UINT64_MAX);
    run_with(0xff); /* many of the same hash */
    run_with(0);    /* all the same */
}

static void test_empty(void **state)
{
    (void)state;
    struct ft_index ix = {0};
    assert_false(has(&ix, 7, 1));
    ft_index_remove(&ix, 7, 1);
    ft_index_free(&ix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_a_list),
        cmocka_unit_test(test_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
