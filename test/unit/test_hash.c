/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of the hashes: SipHash-2-4 against its authors' vectors, the mixers for what tables need.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"

/*
 * Of the 64 vectors of the reference implementation (key 00 01 .. 0f, message 00 01 .. n-1) those
 * that end in every phase of the eight-byte loop; n = 15 is also the example of the paper,
 * appendix A.
 */
static const struct {
    size_t n;
    uint64_t hash;
} vectors[] = {
    {0, 0x726fdb47dd0e0e31ull}, {1, 0x74f839c593dc67fdull},  {2, 0x0d6c8009d9a94f5aull},
    {3, 0x85676696d7fb7e2dull}, {4, 0xcf2794e0277187b7ull},  {5, 0x18765564cd99a68dull},
    {6, 0xcbc9466e58fee3ceull}, {7, 0xab0200f58b01d137ull},  {8, 0x93f5f5799a932462ull},
    {9, 0x9e0082df0ba9e4b0ull}, {15, 0xa129ca6149be45e5ull}, {63, 0x958a324ceb064572ull},
};

static void test_siphash_vectors(void **state)
{
    (void)state;
    const uint64_t key[2] = {0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull};
    uint8_t message[64];
    for (unsigned i = 0; i < 64; i++)
        message[i] = (uint8_t)i;
    for (unsigned i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        /* at an odd address, in a block of exactly its size */
        uint8_t *block = malloc(vectors[i].n + 1);
        assert_non_null(block);
        memcpy(block + 1, message, vectors[i].n);
        assert_true(ft_siphash(key, block + 1, vectors[i].n) == vectors[i].hash);
        free(block);
    }
}

static void test_siphash_depends_on_both_keys(void **state)
{
    (void)state;
    const uint64_t a[2] = {1, 2}, b[2] = {1, 3}, c[2] = {0, 2};
    assert_true(ft_siphash(a, "secret", 6) != ft_siphash(b, "secret", 6));
    assert_true(ft_siphash(a, "secret", 6) != ft_siphash(c, "secret", 6));
    assert_true(ft_siphash(a, "secret", 6) != ft_siphash(a, "secret\0", 7));
}

static void test_bytes_of_every_length(void **state)
{
    (void)state;
    uint64_t seen[40];
    for (unsigned n = 0; n < 40; n++) {
        uint8_t *zeros = calloc(1, n ? n : 1);
        assert_non_null(zeros);
        seen[n] = ft_hash_bytes(7, zeros, n);
        for (unsigned i = 0; i < n; i++) {
            assert_true(seen[i] != seen[n]);
            /* one bit anywhere changes the hash */
            zeros[i] = 1;
            assert_true(ft_hash_bytes(7, zeros, n) != seen[n]);
            zeros[i] = 0;
        }
        assert_true(ft_hash_bytes(8, zeros, n) != seen[n]);
        free(zeros);
    }
}

/* Hash tables take low and high bits: keys that count up must fill both evenly. */
static void test_mix_spreads(void **state)
{
    (void)state;
    unsigned low[64] = {0}, high[64] = {0};
    for (uint64_t i = 0; i < 64 * 1000; i++) {
        uint64_t h = ft_hash_mix(i, 3);
        low[h & 63]++;
        high[h >> 58]++;
    }
    for (unsigned i = 0; i < 64; i++) {
        assert_in_range(low[i], 800, 1200);
        assert_in_range(high[i], 800, 1200);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_siphash_vectors),
        cmocka_unit_test(test_siphash_depends_on_both_keys),
        cmocka_unit_test(test_bytes_of_every_length),
        cmocka_unit_test(test_mix_spreads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
