/* SPDX-License-Identifier: BSD-3-Clause */
/* CRC32C of bytes, and by digits where the CPU has no instruction. */
#include "base/crc32c.h"

#include <endian.h>
#include <string.h>

static const uint32_t table[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

static uint32_t by_digits(uint32_t crc, uint64_t x, unsigned digits)
{
    for (unsigned i = 0; i < digits; i++, x >>= 4)
        crc = crc >> 4 ^ table[(crc ^ x) & 15];
    return crc;
}

uint32_t ft_crc32c_u64_table(uint32_t crc, uint64_t x)
{
    return by_digits(crc, x, 16);
}

uint32_t ft_crc32c(const void *data, size_t n)
{
    const uint8_t *at = data;
    uint32_t crc = 0xffffffffu;
    for (; n >= 8; n -= 8, at += 8) {
        uint64_t x;
        memcpy(&x, at, 8);
        crc = ft_crc32c_u64(crc, le64toh(x));
    }
    for (; n; n--, at++)
        crc = by_digits(crc, *at, 2);
    return ~crc;
}
