/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writing pcapng (draft-ietf-opsawg-pcapng) into memory: section header, interfaces, packets with
 * comments. Little endian, time stamps in nanoseconds. The caller sees to the room:
 * ft_pcapng_room() is what a block needs at most. Comments and names are cut at 65,535 bytes, whole
 * characters of UTF-8.
 */
#ifndef FT_PCAPNG_H
#define FT_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ft_pcapng {
    uint8_t *bytes;
    size_t size, used;
    bool is_full; /**< a block found no room: nothing more is written */
};

/** A packet; its bytes lie at `data`. */
struct ft_pcapng_packet {
    uint32_t interface; /**< number of its interface block in the file, from 0 */
    uint64_t stamp_ns;  /**< since 1970 UTC */
    uint32_t captured, length;
    const uint8_t *data;
    const char *comment; /**< or NULL */
};

/** Most bytes of a block with so many bytes of data and texts. */
static inline size_t ft_pcapng_room(size_t bytes)
{
    return bytes + 128;
}

/** The beginning of a file; NULL leaves a text out. */
void ft_pcapng_section(struct ft_pcapng *to, const char *hardware, const char *os,
                       const char *application, const char *comment);

/** An interface: `linktype` of libpcap, `snap_length` 0 = no limit, `name` or NULL. */
void ft_pcapng_interface(struct ft_pcapng *to, uint16_t linktype, uint32_t snap_length,
                         const char *name);

void ft_pcapng_packet(struct ft_pcapng *to, const struct ft_pcapng_packet *packet);

#endif
