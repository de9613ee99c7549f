/* SPDX-License-Identifier: BSD-3-Clause */
/* EPATH, read and written out as text (CIP Volume 1, Appendix C-1). */
#include <stdio.h>

#include "cip_path.h"

/* Bits 7..5 of a segment's first byte. */
enum {
    SEGMENT_PORT = 0,
    SEGMENT_LOGICAL = 1,
    SEGMENT_NETWORK = 2,
    SEGMENT_SYMBOLIC = 3,
    SEGMENT_DATA = 4,
};

enum {
    DATA_SIMPLE = 0x80,
    DATA_ANSI_SYMBOL = 0x91,
    KEY_FORMAT_4 = 4,
    KEY_FORMAT_5 = 5,
};

/* Port: [type][link size][extended port u16][link address], padded to an even length. */
static void read_port(struct ft_view *path, struct ft_cip_segment *segment)
{
    bool has_size = segment->type & 0x10;
    uint32_t size = has_size ? ft_u8(path) : 1;

    segment->kind = FT_CIP_SEGMENT_PORT;
    segment->value = segment->type & 0x0f;
    if (segment->value == 15)
        segment->value = ft_u16le(path);
    segment->data = ft_sub(path, size);
    if (has_size && (size & 1))
        ft_skip(path, 1);
}

/* An electronic key: [0x34][format][vendor, device type, product code, major, minor ...]. */
static void read_key(struct ft_view *path, struct ft_cip_segment *segment)
{
    uint8_t format = ft_u8(path);

    segment->kind = FT_CIP_SEGMENT_KEY;
    if (format == KEY_FORMAT_4)
        segment->data = ft_sub(path, 8);
    else if (format == KEY_FORMAT_5)
        segment->data = ft_sub(path, 12);
    else
        segment->kind = FT_CIP_SEGMENT_RESERVED;
}

static void read_logical(struct ft_view *path, struct ft_cip_segment *segment)
{
    static const uint8_t kinds[8] = {FT_CIP_SEGMENT_CLASS,     FT_CIP_SEGMENT_INSTANCE,
                                     FT_CIP_SEGMENT_MEMBER,    FT_CIP_SEGMENT_POINT,
                                     FT_CIP_SEGMENT_ATTRIBUTE, FT_CIP_SEGMENT_KEY,
                                     FT_CIP_SEGMENT_SERVICE,   FT_CIP_SEGMENT_RESERVED};

    segment->kind = kinds[segment->type >> 2 & 7];
    switch (segment->type & 3) {
    case 0:
        if (segment->kind == FT_CIP_SEGMENT_KEY)
            read_key(path, segment);
        else
            segment->value = ft_u8(path);
        break;
    case 1:
        ft_skip(path, 1);
        segment->value = ft_u16le(path);
        break;
    case 2:
        ft_skip(path, 1);
        segment->value = ft_u32le(path);
        break;
    default:
        segment->kind = FT_CIP_SEGMENT_RESERVED;
    }
}

/* Network: one byte of data, or with bit 4 set a count of words and as many. */
static void read_network(struct ft_view *path, struct ft_cip_segment *segment)
{
    segment->kind = FT_CIP_SEGMENT_NETWORK;
    if (segment->type & 0x10) {
        uint32_t words = ft_u8(path);
        segment->data = ft_sub(path, words * 2);
    } else {
        segment->value = ft_u8(path);
    }
}

/* Symbolic, the older kind: the length in the type byte; 0 means wide or numeric characters. */
static void read_symbolic(struct ft_view *path, struct ft_cip_segment *segment)
{
    static const uint8_t width[8] = {0, 2, 3, 0, 0, 0, 0, 0};
    uint32_t size = segment->type & 0x1f;

    segment->kind = FT_CIP_SEGMENT_SYMBOL;
    if (size) {
        segment->data = ft_sub(path, size);
        if (!(size & 1))
            ft_skip(path, 1);
        return;
    }

    uint8_t format = ft_u8(path);
    size = format >> 5 == 6 ? format & 0x1f : (uint32_t)width[format >> 5] * (format & 0x1f);
    segment->data = ft_sub(path, size);
    if (size & 1)
        ft_skip(path, 1);
    segment->kind = size ? FT_CIP_SEGMENT_SYMBOL : FT_CIP_SEGMENT_RESERVED;
}

static void read_data(struct ft_view *path, struct ft_cip_segment *segment)
{
    uint32_t size = ft_u8(path);

    if (segment->type == DATA_ANSI_SYMBOL) {
        segment->kind = FT_CIP_SEGMENT_SYMBOL;
        segment->data = ft_sub(path, size);
        if (size & 1)
            ft_skip(path, 1);
    } else if (segment->type == DATA_SIMPLE) {
        segment->kind = FT_CIP_SEGMENT_DATA;
        segment->data = ft_sub(path, size * 2);
    }
}

bool ft_cip_segment_next(struct ft_view *path, struct ft_cip_segment *segment)
{
    if (!path->len)
        return false;

    *segment = (struct ft_cip_segment){.type = ft_u8(path), .kind = FT_CIP_SEGMENT_RESERVED};
    segment->data = ft_view_empty();
    switch (segment->type >> 5) {
    case SEGMENT_PORT:
        read_port(path, segment);
        break;
    case SEGMENT_LOGICAL:
        read_logical(path, segment);
        break;
    case SEGMENT_NETWORK:
        read_network(path, segment);
        break;
    case SEGMENT_SYMBOLIC:
        read_symbolic(path, segment);
        break;
    case SEGMENT_DATA:
        read_data(path, segment);
        break;
    default:
        break;
    }

    /* What follows a segment of unknown form cannot be found. */
    if (segment->kind == FT_CIP_SEGMENT_RESERVED && ft_view_ok(path))
        ft_rest(path);
    return ft_view_ok(path);
}

void ft_cip_path_read(struct ft_view bytes, struct ft_cip_path *path)
{
    struct ft_cip_segment segment;

    *path = (struct ft_cip_path){.bytes = bytes};
    path->key = ft_view_empty();
    while (ft_cip_segment_next(&bytes, &segment)) {
        switch (segment.kind) {
        case FT_CIP_SEGMENT_CLASS:
            path->class_id = segment.value;
            path->parts |= FT_CIP_HAS_CLASS;
            break;
        case FT_CIP_SEGMENT_INSTANCE:
            path->instance = segment.value;
            path->parts |= FT_CIP_HAS_INSTANCE;
            break;
        case FT_CIP_SEGMENT_ATTRIBUTE:
            path->attribute = segment.value;
            path->parts |= FT_CIP_HAS_ATTRIBUTE;
            break;
        case FT_CIP_SEGMENT_MEMBER:
            path->member = segment.value;
            path->parts |= FT_CIP_HAS_MEMBER;
            break;
        case FT_CIP_SEGMENT_POINT:
            if (path->point_count < 2)
                path->points[path->point_count++] = segment.value;
            break;
        case FT_CIP_SEGMENT_SYMBOL:
            path->parts |= FT_CIP_HAS_SYMBOL;
            break;
        case FT_CIP_SEGMENT_PORT:
            path->parts |= FT_CIP_HAS_PORT;
            break;
        case FT_CIP_SEGMENT_KEY:
            path->key = segment.data;
            path->parts |= FT_CIP_HAS_KEY;
            break;
        case FT_CIP_SEGMENT_RESERVED:
            path->parts |= FT_CIP_HAS_RESERVED;
            break;
        default:
            break;
        }
    }
    path->is_malformed = ft_view_is_malformed(&bytes);
}

/* Append to a text of FT_CIP_TEXT_SIZE bytes; what does not fit is left out. */
static uint32_t append(char *text, uint32_t length, const void *from, uint32_t size)
{
    uint32_t room = FT_CIP_TEXT_SIZE - 1 - length;
    uint32_t n = size < room ? size : room;

    memcpy(text + length, from, n);
    return length + n;
}

static bool is_printable(struct ft_view v)
{
    while (v.len) {
        uint8_t c = ft_u8(&v);
        if (c <= ' ' || c > '~')
            return false;
    }
    return true;
}

/* A link address is a number of one byte, a printable text (an IP address), or bytes. */
static uint32_t append_link(char *text, uint32_t length, struct ft_view link)
{
    char number[4];

    if (link.len == 1)
        return append(text, length, number,
                      (uint32_t)snprintf(number, sizeof(number), "%u", ft_u8(&link)));
    while (link.len && link.data[link.len - 1] == 0)
        link.len--;
    if (is_printable(link))
        return append(text, length, link.data, link.len);
    while (link.len)
        length = append(text, length, number,
                        (uint32_t)snprintf(number, sizeof(number), "%02x", ft_u8(&link)));
    return length;
}

uint32_t ft_cip_path_route(const struct ft_cip_path *path, char *text)
{
    struct ft_view v = path->bytes;
    struct ft_cip_segment segment;
    uint32_t length = 0;

    if (!(path->parts & FT_CIP_HAS_PORT))
        return 0;
    while (ft_cip_segment_next(&v, &segment)) {
        char port[16];
        if (segment.kind != FT_CIP_SEGMENT_PORT)
            continue;
        int n = snprintf(port, sizeof(port), "%s%u/", length ? " " : "", segment.value);
        length = append(text, length, port, (uint32_t)n);
        length = append_link(text, length, segment.data);
    }
    return length;
}

uint32_t ft_cip_path_tag(const struct ft_cip_path *path, char *text)
{
    struct ft_view v = path->bytes;
    struct ft_cip_segment segment;
    uint32_t length = 0;
    bool is_in_index = false;

    if (!(path->parts & FT_CIP_HAS_SYMBOL))
        return 0;
    while (ft_cip_segment_next(&v, &segment)) {
        char index[16];
        if (segment.kind == FT_CIP_SEGMENT_SYMBOL) {
            if (is_in_index)
                length = append(text, length, "]", 1);
            if (length)
                length = append(text, length, ".", 1);
            length = append(text, length, segment.data.data, segment.data.len);
            is_in_index = false;
        } else if (segment.kind == FT_CIP_SEGMENT_MEMBER && length) {
            int n = snprintf(index, sizeof(index), "%c%u", is_in_index ? ',' : '[', segment.value);
            length = append(text, length, index, (uint32_t)n);
            is_in_index = true;
        }
    }
    if (is_in_index)
        length = append(text, length, "]", 1);
    return length;
}
