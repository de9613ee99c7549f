/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flow hash and shard, inline for the decoder. Private to lib/packet.
 *
 * The flow hash is a CRC32C of the two endpoints in sorted order, so both directions have the same.
 * The shard is cheaper still, because the RSS key repeats: see ft_shard_fold().
 */
#ifndef FT_PACKET_HASH_H
#define FT_PACKET_HASH_H

#include "base/crc32c.h"
#include "packet/packet.h"

#include <string.h>

/** Parts of the shard by the four hexadecimal digits of a folded word. */
extern const uint8_t ft_shard_table[4][16];

/**
 * The low 7 bits of the Toeplitz hash with key 6d5a 6d5a ... over any number of 16-bit words whose
 * exclusive or is `x` (a word of several words, as loaded from memory).
 *
 * The Toeplitz hash is linear: bit i of the input, when set, adds the 32 key bits from bit i on.
 * With a key of period 16 that depends on i modulo 16 only, so words may be folded first; a table
 * of what each digit adds does the rest. The digits of memory order are those of a big-endian word.
 */
static inline uint8_t ft_shard_fold(uint64_t x)
{
    x ^= x >> 32;
    x ^= x >> 16;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return ft_shard_table[0][x >> 4 & 15] ^ ft_shard_table[1][x & 15] ^
           ft_shard_table[2][x >> 12 & 15] ^ ft_shard_table[3][x >> 8 & 15];
#else
    return ft_shard_table[0][x >> 12 & 15] ^ ft_shard_table[1][x >> 8 & 15] ^
           ft_shard_table[2][x >> 4 & 15] ^ ft_shard_table[3][x & 15];
#endif
}

/** Hash of two endpoints that fit 48 bits (IPv4 address and port, MAC address), and a type. */
static inline uint32_t ft_hash_short(uint32_t seed, uint64_t a, uint64_t b, uint16_t type)
{
    uint64_t low = a < b ? a : b, high = a < b ? b : a;

    return ft_crc32c_u64(ft_crc32c_u64(seed, low), high | (uint64_t)type << 48);
}

#endif
