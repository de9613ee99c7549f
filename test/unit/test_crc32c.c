/* SPDX-License-Identifier: BSD-3-Clause */
/* crc32c.c: vectors of RFC 3720 appendix B.4; the instruction and the table agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32c.h"

static void test_vectors(void **state)
{
    uint8_t zeros[32] = {0}, ones[32], up[32], down[32];
    (void)state;
    for (unsigned i = 0; i < 32; i++) {
        ones[i] = 0xff;
        up[i] = (uint8_t)i;
        down[i] = (uint8_t)(31 - i);
    }
    assert_int_equal(ft_crc32c(zeros, 32), 0x8a9136aa);
    assert_int_equal(ft_crc32c(ones, 32), 0x62a8ab43);
    assert_int_equal(ft_crc32c(up, 32), 0x46dd794e);
    assert_int_equal(ft_crc32c(down, 32), 0x113fdb5c);
    assert_int_equal(ft_crc32c("123456789", 9), 0xe3069283);
    assert_int_equal(ft_crc32c("", 0), 0);
}

/* Bit by bit, by the polynomial. */
static uint32_t plain(const uint8_t *bytes, size_t n)
{
    uint32_t crc = ~0u;
    for (; n; n--, bytes++) {
        crc ^= *bytes;
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return ~crc;
}

/* Each length and place: eight bytes at a time and what is left of them. */
static void test_lengths(void **state)
{
    uint8_t bytes[80];
    (void)state;
    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 131 + 7);
    for (unsigned at = 0; at < 8; at++)
        for (unsigned n = 0; n <= 64; n++)
            assert_int_equal(ft_crc32c(bytes + at, n), plain(bytes + at, n));
}

static void test_table(void **state)
{
    uint64_t x = 0x0123456789abcdefull;
    uint32_t crc = 0;
    (void)state;
    for (unsigned i = 0; i < 10000; i++, x = x * 6364136223846793005ull + 1442695040888963407ull) {
        assert_int_equal(ft_crc32c_u64_table(crc, x), ft_crc32c_u64(crc, x));
        crc = ft_crc32c_u64(crc, x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
