/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Shards against a Toeplitz hash bit by bit, whose own correctness is shown by the vectors that
 * Microsoft publishes for RSS; and the CRC by table against the CPU's instruction.
 */
#include "packet/hash.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static uint64_t state = 1;

static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* The definition: bit i of the input adds the 32 bits of the key from bit i on. */
static uint32_t toeplitz(const uint8_t key[40], const uint8_t *input, unsigned length)
{
    uint32_t hash = 0;

    for (unsigned i = 0; i < 8 * length; i++) {
        if (!(input[i / 8] & 0x80 >> i % 8))
            continue;
        for (unsigned bit = 0; bit < 32; bit++) {
            unsigned k = i + bit;

            if (key[k / 8] & 0x80 >> k % 8)
                hash ^= 0x80000000u >> bit;
        }
    }
    return hash;
}

static uint8_t reference_shard(const uint8_t *a, const uint8_t *b, unsigned length)
{
    uint8_t key[40], input[32];

    for (unsigned i = 0; i < sizeof(key); i += 2) {
        key[i] = 0x6d;
        key[i + 1] = 0x5a;
    }
    memcpy(input, a, length);
    memcpy(input + length, b, length);
    return toeplitz(key, input, 2 * length) & 0x7f;
}

static void test_reference_has_the_published_vectors(void **unused)
{
    static const uint8_t key[40] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
                                    0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
                                    0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
                                    0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};
    static const struct {
        const char *src, *dst;
        uint32_t hash;
    } vectors[] = {
        {"66.9.149.187", "161.142.100.80", 0x323e8fc2},
        {"199.92.111.2", "65.69.140.83", 0xd718262a},
        {"24.19.198.95", "12.22.207.184", 0xd2d0a5de},
    };

    (void)unused;
    for (unsigned i = 0; i < 3; i++) {
        uint8_t input[8];

        assert_int_equal(inet_pton(AF_INET, vectors[i].src, input), 1);
        assert_int_equal(inet_pton(AF_INET, vectors[i].dst, input + 4), 1);
        assert_int_equal(toeplitz(key, input, 8), vectors[i].hash);
    }
}

static void test_v4_equals_toeplitz(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < 20000; i++) {
        union ft_ip a = {.words = {0}}, b = {.words = {0}};

        a.v4 = (uint32_t)next_random();
        b.v4 = (uint32_t)next_random();

        uint8_t shard = ft_shard_ip(&a, &b, false);

        assert_int_equal(shard, reference_shard(a.bytes, b.bytes, 4));
        assert_int_equal(shard, ft_shard_ip(&b, &a, false));
        assert_true(shard < FT_SHARDS);
    }
}

/* Linear, so single bits are a basis: with them right, every input is. */
static void test_every_single_bit(void **unused)
{
    (void)unused;
    for (unsigned bit = 0; bit < 128; bit++) {
        union ft_ip a = {.words = {0}}, b = {.words = {0}};

        a.bytes[bit / 8] = (uint8_t)(0x80 >> bit % 8);
        assert_int_equal(ft_shard_ip(&a, &b, true), reference_shard(a.bytes, b.bytes, 16));
        assert_int_equal(ft_shard_ip(&b, &a, true), reference_shard(b.bytes, a.bytes, 16));
        if (bit < 32)
            assert_int_equal(ft_shard_ip(&a, &b, false), reference_shard(a.bytes, b.bytes, 4));
        if (bit < 48)
            assert_int_equal(ft_shard_mac(a.bytes, b.bytes), reference_shard(a.bytes, b.bytes, 6));
    }
}

static void test_v6_and_mac_equal_toeplitz(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < 5000; i++) {
        union ft_ip a, b;

        for (unsigned k = 0; k < 2; k++) {
            a.words[k] = next_random();
            b.words[k] = next_random();
        }
        assert_int_equal(ft_shard_ip(&a, &b, true), reference_shard(a.bytes, b.bytes, 16));
        assert_int_equal(ft_shard_mac(a.bytes, b.bytes), reference_shard(a.bytes, b.bytes, 6));
        assert_int_equal(ft_shard_mac(a.bytes, b.bytes), ft_shard_mac(b.bytes, a.bytes));
    }
}

/* A plant is a few subnets with neighbouring addresses: they are to spread all the same. */
static void test_neighbours_spread(void **unused)
{
    unsigned used[FT_SHARDS] = {0}, most = 0;

    (void)unused;
    for (uint32_t host = 1; host < 255; host++) {
        union ft_ip a = {.words = {0}}, b = {.words = {0}};

        a.v4 = htonl(0x0a000000 + 10);
        b.v4 = htonl(0x0a000000 + host);

        uint8_t shard = ft_shard_ip(&a, &b, false);

        if (++used[shard] > most)
            most = used[shard];
    }
    assert_true(most <= 4);
}

static void test_crc_by_table(void **unused)
{
    (void)unused;
    /* The check value of CRC-32C: "123456789" is e3069283; eight bytes first, then one by hand. */
    uint64_t digits;

    memcpy(&digits, "12345678", 8);

    uint32_t crc = ft_crc32c_u64_table(0xffffffff, digits) ^ '9';

    for (unsigned i = 0; i < 8; i++)
        crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
    assert_int_equal(~crc, 0xe3069283);
    assert_int_equal(ft_crc32c("123456789", 9), 0xe3069283);

    for (unsigned i = 0; i < 1000; i++) {
        uint32_t seed = (uint32_t)next_random();
        uint64_t x = next_random();

        assert_int_equal(ft_crc32c_u64(seed, x), ft_crc32c_u64_table(seed, x));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference_has_the_published_vectors),
        cmocka_unit_test(test_v4_equals_toeplitz),
        cmocka_unit_test(test_every_single_bit),
        cmocka_unit_test(test_v6_and_mac_equal_toeplitz),
        cmocka_unit_test(test_neighbours_spread),
        cmocka_unit_test(test_crc_by_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
