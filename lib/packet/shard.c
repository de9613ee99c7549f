/* SPDX-License-Identifier: BSD-3-Clause */
/* Shards: which of the 128 parts of the sensor's state a pair of addresses belongs to. */
#include "packet/hash.h"

/* The low 7 bits of the key from bit i on (bit 0 is the first on the wire, the period is 16). */
#define KEY(i) ((0x6d5a6d5au >> (16 - (i)) & 0x7f))

/* What the bits 4 d .. 4 d + 3 of a word add when they are the digit x. */
#define DIGIT(d, x)                                                                                \
    (uint8_t)(((x)&8 ? KEY(4 * (d)) : 0) ^ ((x)&4 ? KEY(4 * (d) + 1) : 0) ^                        \
              ((x)&2 ? KEY(4 * (d) + 2) : 0) ^ ((x)&1 ? KEY(4 * (d) + 3) : 0))

#define DIGITS(d)                                                                                  \
    {                                                                                              \
        DIGIT(d, 0), DIGIT(d, 1), DIGIT(d, 2), DIGIT(d, 3), DIGIT(d, 4), DIGIT(d, 5), DIGIT(d, 6), \
            DIGIT(d, 7), DIGIT(d, 8), DIGIT(d, 9), DIGIT(d, 10), DIGIT(d, 11), DIGIT(d, 12),       \
            DIGIT(d, 13), DIGIT(d, 14), DIGIT(d, 15)                                               \
    }

/* One cache line. */
_Alignas(64) const uint8_t ft_shard_table[4][16] = {DIGITS(0), DIGITS(1), DIGITS(2), DIGITS(3)};

uint8_t ft_shard_ip(const union ft_ip *a, const union ft_ip *b, bool is_ipv6)
{
    if (!is_ipv6)
        return ft_shard_fold(a->v4 ^ b->v4);
    return ft_shard_fold(a->words[0] ^ a->words[1] ^ b->words[0] ^ b->words[1]);
}

uint8_t ft_shard_mac(const uint8_t a[6], const uint8_t b[6])
{
    uint64_t x = 0, y = 0;

    memcpy(&x, a, 6);
    memcpy(&y, b, 6);
    return ft_shard_fold(x ^ y);
}
