/* SPDX-License-Identifier: BSD-3-Clause */
/* UTF-8: what is well-formed, and where a text may be cut. */
#ifndef FT_UTF8_H
#define FT_UTF8_H

#include <stdint.h>

/** Length of the well-formed UTF-8 sequence at p, of at most n > 0 bytes (Unicode 15, table 3-7);
 * 0 if there is none. */
static inline uint32_t ft_utf8_length(const uint8_t *p, uint32_t n)
{
    if (p[0] < 0x80)
        return 1;
    uint32_t length = p[0] >= 0xc2 && p[0] <= 0xdf   ? 2
                      : (p[0] & 0xf0) == 0xe0        ? 3
                      : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4
                                                     : 0;
    if (!length || n < length)
        return 0;
    for (uint32_t i = 1; i < length; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return length;
}

/** How much of a well-formed text of n bytes may be kept when there is room for `room`: not half a
 * character. */
static inline uint32_t ft_utf8_cut(const char *text, uint32_t n, uint32_t room)
{
    if (n <= room)
        return n;
    while (room && ((uint8_t)text[room] & 0xc0) == 0x80)
        room--;
    return room;
}

#endif
