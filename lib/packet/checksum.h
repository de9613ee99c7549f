/* SPDX-License-Identifier: BSD-3-Clause */
/* The Internet checksum (RFC 1071). Private to lib/packet. */
#ifndef FT_CHECKSUM_H
#define FT_CHECKSUM_H

#include <stdbool.h>
#include <stdint.h>

struct ft_packet;

/**
 * Add `length` bytes to a sum of 16-bit words, which stand in the sum as the machine loads them: a
 * one's complement sum does not depend on the byte order. Only the last block of several may have
 * an odd length. Cost: about a cycle for 8 bytes.
 */
uint64_t ft_checksum_add(uint64_t sum, const uint8_t *data, uint32_t length);

/** The checksum of a sum, ready to be stored in a header; 0 over a header with a right one. */
uint16_t ft_checksum_finish(uint64_t sum);

/** Is the checksum in a header right? `sum` is over all it covers, with itself, and not 0. */
static inline bool ft_checksum_is_right(uint64_t sum)
{
    return sum % 0xffff == 0;
}

/** The sum of the pseudo-header of p's IP packet (RFC 9293, 3.1 and RFC 8200, 8.1). */
uint64_t ft_checksum_pseudo(const struct ft_packet *p, uint8_t proto, uint32_t length);

#endif
