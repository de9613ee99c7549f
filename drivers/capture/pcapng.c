/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The pcapng format (draft-ietf-opsawg-pcapng): blocks of type, total length, body, total length
 * again. A Section Header Block sets the byte order and forgets the interfaces before it; Interface
 * Description Blocks number the interfaces of the section from 0; Enhanced, Simple and the obsolete
 * Packet Blocks carry packets; all other blocks are stepped over.
 *
 * The leading total length leads. A trailing one that differs is told and otherwise ignored: if the
 * leading one were the wrong one, what follows would not look like a block.
 *
 * Damage costs as little as can be: a block whose length holds but whose contents do not is left
 * out, and where a length cannot be, the next block is looked for (pass_damage()). Both are
 * counted.
 */
#include "capture/file_internal.h"

#include <stdlib.h>

enum block_type {
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET =
        2, /* obsolete: 16-bit interface and drop count where Enhanced has 32-bit interface */
    BLOCK_SIMPLE = 3,
    BLOCK_NAMES = 4,
    BLOCK_STATISTICS = 5,
    BLOCK_ENHANCED = 6,
    BLOCK_JOURNAL = 9,
    BLOCK_SECRETS = 10,
    BLOCK_CUSTOM = 0x0bad,
    BLOCK_CUSTOM_PRIVATE = 0x40000bad,
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

/* No block is longer: the bound that Wireshark has too. */
#define BLOCK_MAX (16 * 1024 * 1024)

/*
 * The longest block that reading can find again after damage. Each candidate is brought in whole to
 * look at its end, so with a bound of a quarter of the smallest window a file that is nothing but
 * candidates costs a copy of it and not of a window for each of them.
 */
#define FOUND_MAX (16 * 1024)

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

/* Whether the next bytes are a section header, in either byte order. */
static bool is_section(struct ft_capture_file *file)
{
    const uint8_t *begin = ft_source_need(&file->source, SECTION_MIN);
    uint32_t magic;

    if (begin == NULL || !ft_pcapng_is_magic(begin)) {
        return false;
    }
    memcpy(&magic, begin + BLOCK_HEAD, sizeof(magic));
    return be32toh(magic) == BYTE_ORDER_MAGIC || le32toh(magic) == BYTE_ORDER_MAGIC;
}

static bool is_usual_type(uint32_t type)
{
    return (type >= BLOCK_INTERFACE && type <= BLOCK_ENHANCED) || type == BLOCK_JOURNAL ||
           type == BLOCK_SECRETS || type == BLOCK_CUSTOM || type == BLOCK_CUSTOM_PRIVATE;
}

/* Whether a block begins here: by a type that exists and a length that is said at both ends. */
static bool is_block(struct ft_capture_file *file)
{
    const uint8_t *head = ft_source_need(&file->source, BLOCK_HEAD);

    if (head == NULL || !is_usual_type(ft_capture_u32(file, head))) {
        return head != NULL && is_section(file);
    }
    uint32_t size = ft_capture_u32(file, head + 4);
    if (size < BLOCK_MIN || size > FOUND_MAX || size % 4 != 0) {
        return false;
    }
    const uint8_t *begin = ft_source_need(&file->source, size);
    return begin != NULL && ft_capture_u32(file, begin + size - BLOCK_TAIL) == size;
}

/*
 * Look for the next block behind the first byte of a damaged one; any byte may begin it, for bytes
 * may be missing. Returns false at the end.
 */
static bool find_block(struct ft_capture_file *file, const struct block *block, const char *what)
{
    do {
        ft_source_advance(&file->source, 1);
        if (ft_source_need(&file->source, BLOCK_HEAD) == NULL) {
            return false;
        }
    } while (!is_block(file));
    ft_capture_leave_out(
        file, "block at byte %llu %s and the next one begins at byte %llu: what lies between",
        (unsigned long long)block->offset, what,
        (unsigned long long)ft_source_position(&file->source));
    return true;
}

/* Go on behind a block whose length cannot be. Returns 0 to go on, -1 where nothing follows. */
static int pass_damage(struct ft_capture_file *file, const struct block *block, const char *what)
{
    if (find_block(file, block, what)) {
        return 0;
    }
    if (file->source.error != 0) {
        return ft_capture_end_short(file, block->offset, 0);
    }
    return ft_capture_end_damaged(
        file, "block at byte %llu %s: the file is damaged there, processed up to it",
        (unsigned long long)block->offset, what);
}

/*
 * A block that reaches beyond the end of the file: torn, unless others follow it. Returns 0 to go
 * on, -1 at the end.
 */
static int pass_torn(struct ft_capture_file *file, const struct block *block)
{
    if (file->source.error == 0 && find_block(file, block, "reaches beyond the end of the file")) {
        return 0;
    }
    return ft_capture_end_short(file, block->offset, block->size);
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

/*
 * Step over a block that was brought in whole and whose contents cannot be; if its length does not
 * hold either, go to the next block. Returns 0 to go on, -1 at the end.
 */
static int leave_out(struct ft_capture_file *file, const struct block *block, const char *what)
{
    const uint8_t *begin = ft_source_need(&file->source, block->size);

    if (ft_capture_u32(file, begin + block->size - BLOCK_TAIL) != block->size) {
        return pass_damage(file, block, what);
    }
    ft_capture_leave_out(file, "block at byte %llu %s", (unsigned long long)block->offset, what);
    ft_source_advance(&file->source, block->size);
    return 0;
}

/* Set the byte order of the section from its byte-order magic. */
static bool read_byte_order(struct ft_capture_file *file, const uint8_t *from)
{
    uint32_t magic;

    memcpy(&magic, from, sizeof(magic));
    if (be32toh(magic) != BYTE_ORDER_MAGIC && le32toh(magic) != BYTE_ORDER_MAGIC) {
        return false;
    }
    file->is_big_endian = be32toh(magic) == BYTE_ORDER_MAGIC;
    return true;
}

/* A section header that cannot be read; of the first one the byte order is needed to go on. */
static int damaged_section(struct ft_capture_file *file, const struct block *block,
                           const char *what)
{
    if (block->offset == 0) {
        return ft_capture_end_damaged(file, "block at byte 0 %s", what);
    }
    /* what follows belongs to it: not to the interfaces of the section before */
    file->section_first = file->interface_count;
    return pass_damage(file, block, what);
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
        return damaged_section(file, &block, "is a section header without byte-order magic");
    }

    uint16_t major = ft_capture_u16(file, begin + 12);
    if (major != 1) {
        return ft_capture_end_damaged(
            file, "pcapng version %u.%u in the section at byte %llu, expected 1.0", major,
            ft_capture_u16(file, begin + 14), (unsigned long long)block.offset);
    }
    block.size = ft_capture_u32(file, begin + 4);
    if (block.size < SECTION_MIN || block.size > BLOCK_MAX || block.size % 4 != 0) {
        return damaged_section(file, &block, "is a section header of impossible length");
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

/* What an Interface Description Block says, brought in whole. */
static void describe_interface(struct ft_capture_file *file, const struct block *block,
                               struct ft_capture_source_interface *interface, const uint8_t *begin)
{
    interface->shown.linktype = ft_capture_linktype(ft_capture_u16(file, begin + 8));
    interface->shown.snaplen = ft_capture_u32(file, begin + 12);
    if (!read_options(file, interface, begin + 16, block->size - INTERFACE_MIN)) {
        ft_capture_note(file,
                        "interface description at byte %llu has an option that reaches beyond it",
                        (unsigned long long)block->offset);
    }
}

/*
 * An Interface Description Block. One that cannot be read counts all the same, as an interface of
 * unknown link type, lest the packets of those behind it be taken for another's. Returns 0 to go
 * on, -1 at the end.
 */
static int read_interface(struct ft_capture_file *file, const struct block *block)
{
    bool is_whole = block->size >= INTERFACE_MIN && block->size <= FT_SOURCE_NEED_MAX;
    const uint8_t *begin = is_whole ? ft_source_need(&file->source, block->size) : NULL;

    if (is_whole && begin == NULL) {
        return pass_torn(file, block);
    }
    struct ft_capture_source_interface *interface = ft_capture_add_interface(file);
    if (interface == NULL) {
        return -1;
    }
    set_resolution(&interface->clock, 6);
    if (is_whole) {
        describe_interface(file, block, interface, begin);
    } else {
        interface->shown.linktype = FT_CAPTURE_LINKTYPE_UNKNOWN;
        ft_capture_leave_out(file,
                             "block at byte %llu is an interface description of impossible length",
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

/* Hand out a packet. Returns 1, or as leave_out() where its numbers cannot be. */
static int deliver(struct ft_capture_file *file, const struct block *block,
                   const struct packet *packet, struct ft_capture_record *record)
{
    if (packet->caplen > packet->room || packet->caplen > FT_CAPTURE_RECORD_MAX) {
        return leave_out(file, block, "claims more packet bytes than it can have");
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

/* An Enhanced Packet Block or an obsolete Packet Block. Returns 1, 0 to go on, -1 at the end. */
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
        return leave_out(file, block, "names an interface that was not described");
    }
    uint32_t index = file->section_first + packet.interface;
    file->last_time_ns = clock_to_ns(&file->interfaces[index]->clock, ticks);
    return deliver(file, block, &packet, record);
}

/*
 * A Simple Packet Block: interface 0, no time stamp, and the captured length is what snaplen left
 * of the original one. Returns 1, 0 to go on, -1 at the end.
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
        return leave_out(file, block, "is a packet before any interface was described");
    }
    uint32_t snaplen = file->interfaces[file->section_first]->shown.snaplen;
    if (snaplen != 0 && packet.caplen > snaplen) {
        packet.caplen = snaplen;
    }
    return deliver(file, block, &packet, record);
}

/* A block with a packet. Returns 1, 0 to go on, -1 at the end. */
static int read_packet_block(struct ft_capture_file *file, const struct block *block,
                             struct ft_capture_record *record)
{
    uint32_t least = block->type == BLOCK_SIMPLE ? SIMPLE_MIN : PACKET_MIN;

    if (block->size > FT_SOURCE_NEED_MAX) {
        return pass_damage(file, block, "is a packet of impossible length");
    }
    const uint8_t *begin = ft_source_need(&file->source, block->size);
    if (begin == NULL) {
        return pass_torn(file, block);
    }
    if (block->size < least) {
        return leave_out(file, block, "is a packet of impossible length");
    }
    return block->type == BLOCK_SIMPLE ? read_simple(file, block, begin, record)
                                       : read_packet(file, block, begin, record);
}

/*
 * A block of another kind. Of one that has no name the length is believed only if it is said at
 * both ends. Returns 0 to go on, -1 at the end.
 */
static int pass_other(struct ft_capture_file *file, const struct block *block)
{
    if (is_usual_type(block->type)) {
        return finish_block(file, block);
    }
    if (block->size > FT_SOURCE_NEED_MAX) {
        return pass_damage(file, block, "has an unlikely length");
    }
    const uint8_t *begin = ft_source_need(&file->source, block->size);
    if (begin == NULL) {
        return pass_torn(file, block);
    }
    if (ft_capture_u32(file, begin + block->size - BLOCK_TAIL) != block->size) {
        return pass_damage(file, block, "is of no known kind, differs in its two lengths");
    }
    return finish_block(file, block);
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
        bool is_sound = block.size >= BLOCK_MIN && block.size <= BLOCK_MAX && block.size % 4 == 0;
        if (block.type != BLOCK_SECTION && !is_sound) {
            result = pass_damage(file, &block, "has an impossible length");
            continue;
        }

        switch (block.type) {
        case BLOCK_ENHANCED:
        case BLOCK_PACKET:
        case BLOCK_SIMPLE:
            result = read_packet_block(file, &block, record);
            break;
        case BLOCK_SECTION:
            result = read_section(file);
            break;
        case BLOCK_INTERFACE:
            result = read_interface(file, &block);
            break;
        default:
            result = pass_other(file, &block);
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
