/* SPDX-License-Identifier: BSD-3-Clause */
/* The Internet checksum (RFC 1071). */
#include "packet/checksum.h"

#include "packet/packet.h"

#include <arpa/inet.h>
#include <string.h>

static inline uint64_t word(const uint8_t *data)
{
    uint64_t x;

    memcpy(&x, data, 8);
    return x;
}

/* Wide words, whose carries are kept above them: 2^64, as 2^16, is 1 in this sum. */
uint64_t ft_checksum_add(uint64_t sum, const uint8_t *data, uint32_t length)
{
    unsigned __int128 wide = sum;

    for (; length >= 32; length -= 32, data += 32) {
        wide += word(data);
        wide += word(data + 8);
        wide += word(data + 16);
        wide += word(data + 24);
    }
    for (; length >= 8; length -= 8, data += 8)
        wide += word(data);
    if (length & 4) {
        uint32_t x;

        memcpy(&x, data, 4);
        wide += x;
        data += 4;
    }
    if (length & 2) {
        uint16_t x;

        memcpy(&x, data, 2);
        wide += x;
        data += 2;
    }
    if (length & 1) {
        uint16_t x = 0;

        memcpy(&x, data, 1);
        wide += x;
    }
    sum = (uint64_t)wide;
    return (sum & 0xffffffff) + (sum >> 32) + (uint64_t)(wide >> 64);
}

uint16_t ft_checksum_finish(uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

uint64_t ft_checksum_pseudo(const struct ft_packet *p, uint8_t proto, uint32_t length)
{
    uint32_t address = p->flags & FT_PACKET_IPV6 ? 16 : 4;
    uint64_t sum = ft_checksum_add(0, p->src.bytes, address);

    sum = ft_checksum_add(sum, p->dst.bytes, address);
    /* RFC 8200 spells length and protocol as 32 bits; in a sum of words that is the same. */
    return sum + htonl(length) + htons(proto);
}
