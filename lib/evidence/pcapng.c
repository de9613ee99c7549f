/* SPDX-License-Identifier: BSD-3-Clause */
/* Writing pcapng into memory. */
#include "evidence/pcapng.h"

#include <string.h>

/* draft-ietf-opsawg-pcapng, section 11.1 and the options of 3.5, 4.1, 4.2. */
enum block {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 6,
};

enum option {
    OPTION_END = 0,
    OPTION_COMMENT = 1,
    OPTION_HARDWARE = 2,
    OPTION_OS = 3,
    OPTION_APPLICATION = 4,
    OPTION_NAME = 2,
    OPTION_RESOLUTION = 9,
};

#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define NANOSECONDS      9u /* as a negative power of ten */

static uint8_t *take(struct ft_pcapng *to, size_t n)
{
    if (to->is_full || to->size - to->used < n) {
        to->is_full = true;
        return NULL;
    }
    to->used += n;
    return to->bytes + to->used - n;
}

static void put_bytes(struct ft_pcapng *to, const void *bytes, size_t n)
{
    uint8_t *room = take(to, (n + 3) & ~(size_t)3);
    if (!room)
        return;
    memset(room + (n & ~(size_t)3), 0, ((n + 3) & ~(size_t)3) - (n & ~(size_t)3));
    if (n)
        memcpy(room, bytes, n);
}

static void put_u32(struct ft_pcapng *to, uint32_t value)
{
    uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                        (uint8_t)(value >> 24)};
    put_bytes(to, bytes, sizeof(bytes));
}

static void put_u16s(struct ft_pcapng *to, uint16_t first, uint16_t second)
{
    put_u32(to, first | (uint32_t)second << 16);
}

static void put_option(struct ft_pcapng *to, enum option option, const void *bytes, size_t n)
{
    put_u16s(to, (uint16_t)option, (uint16_t)n);
    put_bytes(to, bytes, n);
}

static void put_text(struct ft_pcapng *to, enum option option, const char *text)
{
    if (!text || !*text)
        return;
    size_t n = strnlen(text, 65536);
    if (n > 65535)
        for (n = 65535; n && ((uint8_t)text[n] & 0xc0) == 0x80;)
            n--;
    put_option(to, option, text, n);
}

/* Returns where the block begins. */
static size_t begin(struct ft_pcapng *to, enum block type)
{
    size_t at = to->used;
    put_u32(to, type);
    put_u32(to, 0);
    return at;
}

/* The length stands at both ends. A block that is not whole is taken back. */
static void end(struct ft_pcapng *to, size_t at)
{
    struct ft_pcapng length = {to->bytes + at + 4, 4, 0, false};
    uint32_t n = (uint32_t)(to->used - at + 4);
    put_u32(to, n);
    if (to->is_full)
        to->used = at;
    else
        put_u32(&length, n);
}

void ft_pcapng_section(struct ft_pcapng *to, const char *hardware, const char *os,
                       const char *application, const char *comment)
{
    size_t at = begin(to, BLOCK_SECTION);
    put_u32(to, BYTE_ORDER_MAGIC);
    put_u16s(to, 1, 0);      /* version 1.0 */
    put_u32(to, UINT32_MAX); /* length of the section: not said */
    put_u32(to, UINT32_MAX);
    put_text(to, OPTION_COMMENT, comment);
    put_text(to, OPTION_HARDWARE, hardware);
    put_text(to, OPTION_OS, os);
    put_text(to, OPTION_APPLICATION, application);
    put_option(to, OPTION_END, NULL, 0);
    end(to, at);
}

void ft_pcapng_interface(struct ft_pcapng *to, uint16_t linktype, uint32_t snap_length,
                         const char *name)
{
    static const uint8_t resolution = NANOSECONDS;
    size_t at = begin(to, BLOCK_INTERFACE);
    put_u16s(to, linktype, 0);
    put_u32(to, snap_length);
    put_text(to, OPTION_NAME, name);
    put_option(to, OPTION_RESOLUTION, &resolution, 1);
    put_option(to, OPTION_END, NULL, 0);
    end(to, at);
}

void ft_pcapng_packet(struct ft_pcapng *to, const struct ft_pcapng_packet *packet)
{
    size_t at = begin(to, BLOCK_PACKET);
    put_u32(to, packet->interface);
    put_u32(to, (uint32_t)(packet->stamp_ns >> 32));
    put_u32(to, (uint32_t)packet->stamp_ns);
    put_u32(to, packet->captured);
    put_u32(to, packet->length);
    put_bytes(to, packet->data, packet->captured);
    if (packet->comment && *packet->comment) {
        put_text(to, OPTION_COMMENT, packet->comment);
        put_option(to, OPTION_END, NULL, 0);
    }
    end(to, at);
}
