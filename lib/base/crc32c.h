/* SPDX-License-Identifier: BSD-3-Clause */
/* CRC32C (Castagnoli, reflected polynomial 82f63b78): with the processor's instruction or by table.
 */
#ifndef FT_CRC32C_H
#define FT_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/** The same as ft_crc32c_u64() for CPUs without an instruction for it. */
uint32_t ft_crc32c_u64_table(uint32_t crc, uint64_t x);

/** Advance a CRC32C by the eight bytes of x, least significant first; no inversions. */
static inline uint32_t ft_crc32c_u64(uint32_t crc, uint64_t x)
{
#ifdef __SSE4_2__
    return (uint32_t)__builtin_ia32_crc32di(crc, x);
#else
    return ft_crc32c_u64_table(crc, x);
#endif
}

/** The CRC32C of n bytes as iSCSI has it (inverted before and after): "123456789" is e3069283.
 * Any thread; 0.4 cycles a byte with the instruction. */
uint32_t ft_crc32c(const void *data, size_t n);

#endif
