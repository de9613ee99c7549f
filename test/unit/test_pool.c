/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of the fixed pool. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/pool.h"

#define BLOCKS 5

static void test_hands_out_every_block_once(void **state)
{
    (void)state;
    struct ft_pool p;
    assert_true(ft_pool_init(&p, BLOCKS, 13));
    assert_int_equal(p.block_size, 16);
    for (uint32_t i = 1; i <= BLOCKS; i++) {
        assert_int_equal(ft_pool_get(&p), i);
        memset(ft_pool_at(&p, i), (int)i, p.block_size);
    }
    for (uint32_t i = 1; i <= BLOCKS; i++)
        for (uint32_t at = 0; at < p.block_size; at++)
            assert_int_equal(((uint8_t *)ft_pool_at(&p, i))[at], i);
    assert_int_equal(ft_pool_get(&p), 0);
    assert_int_equal(ft_pool_get(&p), 0);
    assert_int_equal(p.refused, 2);
    assert_int_equal(p.used, BLOCKS);
    ft_pool_free(&p);
    assert_null(p.memory);
}

/* The order of numbers depends on the calls only: the block put last comes first. */
static void test_order_is_last_in_first_out(void **state)
{
    (void)state;
    struct ft_pool p;
    assert_true(ft_pool_init(&p, BLOCKS, 8));
    for (unsigned i = 0; i < 3; i++)
        ft_pool_get(&p);
    ft_pool_put(&p, 1);
    ft_pool_put(&p, 3);
    assert_int_equal(p.used, 1);
    assert_int_equal(ft_pool_get(&p), 3);
    assert_int_equal(ft_pool_get(&p), 1);
    assert_int_equal(ft_pool_get(&p), 4);
    assert_int_equal(p.used, 4);
    assert_int_equal(p.used_max, 4);
    ft_pool_free(&p);
}

static void test_untouched_blocks_are_zero(void **state)
{
    (void)state;
    struct ft_pool p;
    static const uint8_t zeros[64];
    assert_true(ft_pool_init(&p, 1000, 64));
    for (unsigned i = 0; i < 1000; i++)
        assert_memory_equal(ft_pool_at(&p, ft_pool_get(&p)), zeros, 64);
    ft_pool_free(&p);
}

static void test_refuses_what_cannot_be(void **state)
{
    (void)state;
    struct ft_pool p;
    assert_false(ft_pool_init(&p, 0, 64));
    assert_null(p.memory);
    assert_false(ft_pool_init(&p, UINT32_MAX, 0xfffffff8u));
    assert_null(p.memory);
    ft_pool_free(&p);
    assert_null(ft_map(0, false));
    ft_unmap(NULL, 4096);
}

static void test_huge_map(void **state)
{
    (void)state;
    uint64_t size = 3u << 20;
    uint8_t *p = ft_map(size, true);
    assert_non_null(p);
    assert_int_equal(p[0] | p[size - 1], 0);
    p[size - 1] = 1;
    ft_unmap(p, size);
}

/* The NUMA policy of the page at an address; -1 where the kernel does not tell. */
static int policy_at(void *address)
{
    int mode;
    return syscall(SYS_get_mempolicy, &mode, NULL, 0, address, MPOL_F_ADDR) == 0 ? mode : -1;
}

/* Whole pages only: the neighbours' are left as they are. */
static void test_place(void **state)
{
    (void)state;
    uint8_t *p = ft_map(8 * 4096, false);
    assert_non_null(p);
    if (policy_at(p) < 0) {
        ft_unmap(p, 8 * 4096);
        skip();
    }
    ft_map_place(p, 8 * 4096, -1);
    ft_map_place(NULL, 4096, 0);
    ft_map_place(p + 100, 4096, 0); /* no whole page */
    ft_map_place(p, 4096, 1 << 20); /* there is no such node */
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(policy_at(p + i * 4096), MPOL_DEFAULT);
    ft_map_place(p + 4096 + 1, 4 * 4096, 0);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(policy_at(p + i * 4096), i >= 2 && i < 5 ? MPOL_PREFERRED : MPOL_DEFAULT);
    p[2 * 4096] = 1;
    ft_unmap(p, 8 * 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hands_out_every_block_once),
        cmocka_unit_test(test_order_is_last_in_first_out),
        cmocka_unit_test(test_untouched_blocks_are_zero),
        cmocka_unit_test(test_refuses_what_cannot_be),
        cmocka_unit_test(test_huge_map),
        cmocka_unit_test(test_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
