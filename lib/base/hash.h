/* SPDX-License-Identifier: BSD-3-Clause */
/* Hashes: a fast mixer for tables, and keyed SipHash-2-4 for what an adversary must not predict. */
#ifndef FT_HASH_H
#define FT_HASH_H

#include <stddef.h>
#include <stdint.h>

/** Mix two words into one; for hash tables. About 5 cycles. Any thread. */
static inline uint64_t ft_hash_mix(uint64_t a, uint64_t b)
{
    __uint128_t m = (__uint128_t)(a ^ 0x9e3779b97f4a7c15ull) * (b ^ 0xe7037ed1a0b428dbull);
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/** A table hash of n bytes. Any thread. */
uint64_t ft_hash_bytes(uint64_t seed, const void *data, size_t n);

/** A capital letter of ASCII as a small one; all else as it is. */
static inline uint8_t ft_fold(uint8_t c)
{
    return (uint8_t)(c - 'A') < 26 ? c | 0x20 : c;
}

/** ft_hash_bytes() of what the bytes are after ft_fold(). */
uint64_t ft_hash_folded(uint64_t seed, const void *data, size_t n);

/** SipHash-2-4 of n bytes under a 128-bit key (Aumasson, Bernstein 2012). Any thread. */
uint64_t ft_siphash(const uint64_t key[2], const void *data, size_t n);

#endif
