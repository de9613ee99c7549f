/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The pcapng format (draft-ietf-opsawg-pcapng): blocks of type, total length, body, total length
 * again. A Section Header Block sets the byte order and forgets the interfaces before it; Interface
 * Description Blocks number the interfaces of the section from 0; Enhanced, Simple and the obsolete
 * Packet Blocks carry packets; all other blocks are stepped over.
 *
 * The leading total length leads. A trailing one that differs is told and otherwise ignored: if the
 * leading one were the wrong one, what follows would not look like a block and end the reading.
 */
#include "capture/file_internal.h"

#include <stdlib.h>

enum block_type {
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET =
        2, /* obsolete: 16-bit interface and drop count where Enhanced has 32-bit interface */
    BLOCK_SIMPLE = 3,
    BLOCK_ENHANCED = 6,
    BLOCK_SECTION = 0x0a0d0d0a, /* the same in both byte orders */
};

enum option_code {
    OPTION_END = 0,
    OPTION_NAME = 2,
    OPTION_DESCRIPTION = 3,
    OPTION_RESOLUTION = 9,
    OPTION_FCS = 13,
    OPTION_OFFSET = 14,
};

#define BYTE_ORDER_MAGIC 0x1a2b3c4d

/* Bytes of a block before (type, length) and after (length) its body, and the least that each kind
 * has in all. */
#define BLOCK_HEAD    8
#define BLOCK_TAIL    4
#define BLOCK_MIN     (BLOCK_HEAD + BLOCK_TAIL)
#define SECTION_MIN   28
#define INTERFACE_MIN 20
#define PACKET_MIN    32
#define SIMPLE_MIN    16

#define OPTION_HEAD 4
#define NAME_MAX    255

struct block {
    uint64_t offset; /* of its first byte in the file */
    uint32_t type;
    uint32_t size; /* with head and tail; a multiple of 4, at least BLOCK_MIN */
};

bool ft_pcapng_is_magic(const uint8_t *magic)
{
    static const uint8_t section[4] = {0x0a, 0x0d, 0x0d, 0x0a};

    return memcmp(magic, section, sizeof(section)) == 0;
}

static int end_damaged_block(struct ft_capture_file *file, const struct block *block,
                             const char *what)
{
    return ft_capture_end_damaged(
        file, "block at byte %llu %s: the file is damaged there, processed up to it",
        (unsigned long long)block->offset, what);
}

/* Step over what is left of a block, from its first byte. Returns 0 to go on, -1 at the end. */
static int finish_block(struct ft_capture_file *file, const struct block *block)
{
    const uint8_t *tail = NULL;

    if (ft_source_skip(&file->source, block->size - BLOCK_TAIL)) {
        tail = ft_source_need(&file->source, BLOCK_TAIL);
    }
    if (tail == NULL) {
        return ft_capture_end_short(file, block->offset, 0);
    }
    ft_source_advance(&file->source, BLOCK_TAIL);

    uint32_t size = ft_capture_u32(file, tail);
    if (size != block->size) {
        ft_capture_note(file,
                        "block at byte %llu has length %u at its front and %u at its end: went by "
                        "the front",
                        (unsigned long long)block->offset, block->size, size);
    }
    return 0;
}

/* Set the byte order of the section from its byte-order magic. */
static bool read_byte_order(struct ft_capture_file *file, const uint8_t *from)
{
    uint32_t magic;

    memcpy(&magic, from, sizeof(magic));
    file->is_big_endian = be32toh(magic) == BYTE_ORDER_MAGIC;
    return file->is_big_endian || le32toh(magic) == BYTE_ORDER_MAGIC;
}

/* A Section Header Block. Returns 0 to go on, -1 at the end. */
static int read_section(struct ft_capture_file *file)
{
    struct block block = {.offset = ft_source_position(&file->source), .type = BLOCK_SECTION};
    const uint8_t *begin = ft_source_need(&file->source, SECTION_MIN);

    if (begin == NULL) {
        return ft_capture_end_short(file, block.offset, SECTION_MIN);
    }
    if (!read_byte_order(file, begin + BLOCK_HEAD)) {
        return end_damaged_block(file, &block, "is a section header without byte-order magic");
    }

    uint16_t major = ft_capture_u16(file, begin + 12);
    if (major != 1) {
        return ft_capture_end_damaged(
            file, "pcapng version %u.%u in the section at byte %llu, expected 1.0", major,
            ft_capture_u16(file, begin + 14), (unsigned long long)block.offset);
    }
    block.size = ft_capture_u32(file, begin + 4);
    if (block.size < SECTION_MIN || block.size % 4 != 0) {
        return end_damaged_block(file, &block, "is a section header of impossible length");
    }
    file->section_first = file->interface_count;
    return finish_block(file, &block);
}

/* if_tsresol: a power of ten, or of two with the top bit set. */
static void set_resolution(struct ft_capture_clock *clock, uint8_t resolution)
{
    uint8_t exponent = resolution & 0x7f;
    uint8_t distance = exponent <= 9 ? 9 - exponent : exponent - 9;

    if ((resolution & 0x80) != 0) {
        clock->kind = FT_CAPTURE_CLOCK_BINARY;
        clock->shift = exponent;
        return;
    }
    clock->kind = exponent <= 9 ? FT_CAPTURE_CLOCK_MULTIPLY : FT_CAPTURE_CLOCK_DIVIDE;
    clock->factor = 1;
    for (uint8_t i = 0; i < distance; i++) {
        /* past 10^19 every time stamp of 64 bits is less than a nanosecond: 0 stands for that */
        clock->factor = clock->factor > UINT64_MAX / 10 ? 0 : clock->factor * 10;
    }
}

/* Ticks of 2^-shift seconds in nanoseconds. The product needs at most 64 + 30 bits. */
static uint64_t binary_to_ns(uint64_t ticks, uint8_t shift)
{
    unsigned __int128 ns = (unsigned __int128)ticks * FT_NS_PER_SECOND;

    ns = shift < 94 ? ns >> shift : 0;
    return ns > UINT64_MAX ? UINT64_MAX : (uint64_t)ns;
}

/* A time stamp in nanoseconds, saturated at both ends of what 64 bits hold. */
static uint64_t clock_to_ns(const struct ft_capture_clock *clock, uint64_t ticks)
{
    uint64_t ns = 0;

    switch (clock->kind) {
    case FT_CAPTURE_CLOCK_MULTIPLY:
        if (__builtin_mul_overflow(ticks, clock->factor, &ns)) {
            ns = UINT64_MAX;
        }
        break;
    case FT_CAPTURE_CLOCK_DIVIDE:
        ns = clock->factor > 0 ? ticks / clock->factor : 0;
        break;
    case FT_CAPTURE_CLOCK_BINARY:
        ns = binary_to_ns(ticks, clock->shift);
        break;
    }
    if (clock->offset_s == 0) {
        return ns;
    }

    __int128 moved = (__int128)clock->offset_s * (__int128)FT_NS_PER_SECOND + ns;
    if (moved < 0) {
        return 0;
    }
    return moved > UINT64_MAX ? UINT64_MAX : (uint64_t)moved;
}

/* Replace a string of an interface. Strings end at a zero byte where the writer padded with some.
 */
static void set_string(const char **to, const uint8_t *from, size_t size)
{
    char *copy = strndup((const char *)from, size < NAME_MAX ? size : NAME_MAX);

    if (copy != NULL) {
        free((char *)(uintptr_t)*to);
        *to = copy;
    }
}

/* One option of an interface; those of an unexpected length are taken as not given. */
static void read_option(const struct ft_capture_file *file,
                        struct ft_capture_source_interface *interface, uint16_t code,
                        const uint8_t *value, uint16_t size)
{
    if (code == OPTION_NAME) {
        set_string(&interface->shown.name, value, size);
    } else if (code == OPTION_DESCRIPTION) {
        set_string(&interface->shown.description, value, size);
    } else if (code == OPTION_RESOLUTION && size == 1) {
        set_resolution(&interface->clock, value[0]);
    } else if (code == OPTION_FCS && size == 1) {
        interface->shown.fcs_len = value[0] / 8; /* given in bits */
    } else if (code == OPTION_OFFSET && size == 8) {
        interface->clock.offset_s = (int64_t)ft_capture_u64(file, value);
    }
}

/* Walk the options in size bytes. Returns false if one reaches beyond them. */
static bool read_options(const struct ft_capture_file *file,
                         struct ft_capture_source_interface *interface, const uint8_t *at,
                         size_t size)
{
    while (size >= OPTION_HEAD) {
        uint16_t code = ft_capture_u16(file, at);
        uint16_t length = ft_capture_u16(file, at + 2);
        size_t padded = OPTION_HEAD + (((size_t)length + 3) & ~(size_t)3);

        if (code == OPTION_END) {
            return true;
        }
        if (padded > size) {
            return false;
        }
        read_option(file, interface, code, at + OPTION_HEAD, length);
        at += padded;
        size -= padded;
    }
    return true;
}

/* An Interface Description Block. Returns 0 to go on, -1 at the end. */
static int read_interface(struct ft_capture_file *file, const struct block *block)
{
    if (block->size < INTERFACE_MIN || block->size > FT_SOURCE_NEED_MAX) {
        return end_damaged_block(file, block, "is an interface description of impossible length");
    }
    const uint8_t *begin = ft_source_need(&file->source, block->size);
    if (begin == NULL) {
        return ft_capture_end_short(file, block->offset, block->size);
    }

    struct ft_capture_source_interface *interface = ft_capture_add_interface(file);
    if (interface == NULL) {
        return -1;
    }
    interface->shown.linktype = ft_capture_linktype(ft_capture_u16(file, begin + 8));
    interface->shown.snaplen = ft_capture_u32(file, begin + 12);
    set_resolution(&interface->clock, 6);
    if (!read_options(file, interface, begin + 16, block->size - INTERFACE_MIN)) {
        ft_capture_note(file,
                        "interface description at byte %llu has an option that reaches beyond it",
                        (unsigned long long)block->offset);
    }
    return finish_block(file, block);
}

/* What a packet block says, whatever its kind. */
struct packet {
    const uint8_t *data;
    uint32_t interface; /* in its section */
    uint32_t caplen;
    uint32_t wirelen;
    uint32_t room; /* bytes from data to the block's tail */
};

/* Hand out a packet. Returns 1, or -1 where its numbers cannot be. */
static int deliver(struct ft_capture_file *file, const struct block *block,
                   const struct packet *packet, struct ft_capture_record *record)
{
    if (packet->caplen > packet->room || packet->caplen > FT_CAPTURE_RECORD_MAX) {
        return end_damaged_block(file, block, "claims more packet bytes than it can have");
    }
    uint32_t index = file->section_first + packet->interface;
    const struct ft_capture_interface *interface = &file->interfaces[index]->shown;

    /* never -1: need() has brought the block in whole, so data stays where it is too */
    finish_block(file, block);
    record->time_ns = file->last_time_ns;
    record->data = packet->data;
    record->caplen = packet->caplen;
    record->wirelen = packet->wirelen > packet->caplen ? packet->wirelen : packet->caplen;
    record->interface = index;
    record->linktype = interface->linktype;
    record->fcs_len = interface->fcs_len;
    record->is_timed = block->type != BLOCK_SIMPLE;
    return 1;
}

/* An Enhanced Packet Block or an obsolete Packet Block. Returns 1, or -1 at the end. */
static int read_packet(struct ft_capture_file *file, const struct block *block,
                       const uint8_t *begin, struct ft_capture_record *record)
{
    struct packet packet = {
        .data = begin + 28,
        .interface = block->type == BLOCK_PACKET ? ft_capture_u16(file, begin + 8)
                                                 : ft_capture_u32(file, begin + 8),
        .caplen = ft_capture_u32(file, begin + 20),
        .wirelen = ft_capture_u32(file, begin + 24),
        .room = block->size - PACKET_MIN,
    };
    uint64_t ticks =
        (uint64_t)ft_capture_u32(file, begin + 12) << 32 | ft_capture_u32(file, begin + 16);

    if (packet.interface >= file->interface_count - file->section_first) {
        return end_damaged_block(file, block, "names an interface that was not described");
    }
    uint32_t index = file->section_first + packet.interface;
    file->last_time_ns = clock_to_ns(&file->interfaces[index]->clock, ticks);
    return deliver(file, block, &packet, record);
}

/*
 * A Simple Packet Block: interface 0, no time stamp, and the captured length is what snaplen left
 * of the original one. Returns 1, or -1 at the end.
 */
static int read_simple(struct ft_capture_file *file, const struct block *block,
                       const uint8_t *begin, struct ft_capture_record *record)
{
    struct packet packet = {
        .data = begin + 12,
        .caplen = ft_capture_u32(file, begin + 8),
        .wirelen = ft_capture_u32(file, begin + 8),
        .room = block->size - SIMPLE_MIN,
    };

    if (file->section_first == file->interface_count) {
        return end_damaged_block(file, block, "is a packet before any interface was described");
    }
    uint32_t snaplen = file->interfaces[file->section_first]->shown.snaplen;
    if (snaplen != 0 && packet.caplen > snaplen) {
        packet.caplen = snaplen;
    }
    return deliver(file, block, &packet, record);
}

/* A block with a packet. Returns 1, or -1 or 0 at the end. */
static int read_packet_block(struct ft_capture_file *file, const struct block *block,
                             struct ft_capture_record *record)
{
    uint32_t least = block->type == BLOCK_SIMPLE ? SIMPLE_MIN : PACKET_MIN;

    if (block->size < least || block->size > FT_SOURCE_NEED_MAX) {
        return end_damaged_block(file, block, "is a packet of impossible length");
    }
    const uint8_t *begin = ft_source_need(&file->source, block->size);
    if (begin == NULL) {
        return ft_capture_end_short(file, block->offset, block->size);
    }
    return block->type == BLOCK_SIMPLE ? read_simple(file, block, begin, record)
                                       : read_packet(file, block, begin, record);
}

static int pcapng_next(struct ft_capture_file *file, struct ft_capture_record *record)
{
    int result = 0;

    while (result == 0) {
        struct block block = {.offset = ft_source_position(&file->source)};
        const uint8_t *head = ft_source_need(&file->source, BLOCK_HEAD);

        if (head == NULL) {
            return ft_capture_end_short(file, block.offset, BLOCK_HEAD);
        }
        block.type = ft_capture_u32(file, head);
        block.size = ft_capture_u32(file, head + 4);
        if (block.type != BLOCK_SECTION && (block.size < BLOCK_MIN || block.size % 4 != 0)) {
            return end_damaged_block(file, &block, "has an impossible length");
        }

        switch (block.type) {
        case BLOCK_ENHANCED:
        case BLOCK_PACKET:
        case BLOCK_SIMPLE:
            return read_packet_block(file, &block, record);
        case BLOCK_SECTION:
            result = read_section(file);
            break;
        case BLOCK_INTERFACE:
            result = read_interface(file, &block);
            break;
        default:
            result = finish_block(file, &block);
            break;
        }
    }
    return result;
}

bool ft_pcapng_open(struct ft_capture_file *file)
{
    file->next = pcapng_next;
    if (ft_source_need(&file->source, SECTION_MIN) == NULL) {
        ft_capture_end_damaged(file, "pcapng header torn: %zu of at least %d bytes",
                               ft_source_rest(&file->source), SECTION_MIN);
        return false;
    }
    if (read_section(file) != 0) {
        /* something was consumed, so the fixed part was fine and the end is missing */
        if (ft_source_position(&file->source) > 0 && file->source.error == 0) {
            ft_capture_end_damaged(file, "pcapng header torn");
        }
        return false;
    }
    return true;
}
