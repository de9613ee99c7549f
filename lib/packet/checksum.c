/* SPDX-License-Identifier: BSD-3-Clause */
/* The Internet checksum (RFC 1071). */
#include "packet/checksum.h"

#include "packet/packet.h"

#include <arpa/inet.h>
#include <string.h>

uint64_t ft_checksum_add(uint64_t sum, const uint8_t *data, uint32_t length)
{
    /* 32 bits a step: 2^32 steps would be needed for the sum to overflow. */
    for (; length >= 4; length -= 4, data += 4) {
        uint32_t x;

        memcpy(&x, data, 4);
        sum += x;
    }

    uint32_t rest = 0;

    memcpy(&rest, data, length);
    return sum + rest;
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
