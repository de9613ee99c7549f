/* SPDX-License-Identifier: BSD-3-Clause */
/* Hashes of byte strings. */
#include "base/hash.h"

#include <stdbool.h>
#include <string.h>

uint64_t ft_hash_bytes(uint64_t seed, const void *data, size_t n)
{
    const uint8_t *p = data;
    uint64_t h = ft_hash_mix(seed, n), word;
    for (; n >= 8; n -= 8, p += 8) {
        memcpy(&word, p, 8);
        h = ft_hash_mix(h, word);
    }
    word = 0;
    memcpy(&word, p, n);
    return ft_hash_mix(h, word);
}

uint64_t ft_hash_folded(uint64_t seed, const void *data, size_t n)
{
    const uint8_t *p = data;
    uint64_t h = ft_hash_mix(seed, n), word;
    uint8_t small[8];
    for (bool is_last = false; !is_last; n -= 8, p += 8) {
        is_last = n < 8;
        word = 0;
        for (size_t i = 0; i < (is_last ? n : 8); i++)
            small[i] = ft_fold(p[i]);
        memcpy(&word, small, is_last ? n : 8);
        h = ft_hash_mix(h, word);
    }
    return h;
}

static inline uint64_t rotate(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

uint64_t ft_siphash(const uint64_t key[2], const void *data, size_t n)
{
    const uint8_t *p = data;
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575ull, key[1] ^ 0x646f72616e646f6dull,
                     key[0] ^ 0x6c7967656e657261ull, key[1] ^ 0x7465646279746573ull};
    uint64_t word, last = (uint64_t)n << 56;
    for (; n >= 8; n -= 8, p += 8) {
        memcpy(&word, p, 8);
        v[3] ^= word;
        sip_round(v);
        sip_round(v);
        v[0] ^= word;
    }
    for (size_t i = 0; i < n; i++)
        last |= (uint64_t)p[i] << (8 * i);
    v[3] ^= last;
    sip_round(v);
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
