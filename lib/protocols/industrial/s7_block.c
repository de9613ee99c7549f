/* SPDX-License-Identifier: BSD-3-Clause */
/* S7comm program blocks: their names on the wire, their headers, their transfer in parts. */
#include <stdio.h>

#include "s7.h"

#define S7_BLOCK_MAGIC    0x7070 /* "pp" */
#define S7_BLOCK_HEADER   36u
#define S7_BLOCK_TAIL     36u
#define S7_FILE_NAME      9u
#define S7_KNOW_HOW       3u
#define S7_NS_PER_DAY     86400000000000ull
#define S7_DAYS_1970_1984 5113u

static uint32_t decimal(struct ft_view digits)
{
    uint32_t value = 0;
    while (digits.len) {
        uint8_t c = ft_u8(&digits);
        if (c < '0' || c > '9')
            return 0;
        value = value * 10 + (c - '0');
    }
    return value;
}

uint32_t s7_read_decimal(struct ft_view *v, uint32_t digits)
{
    return decimal(ft_sub(v, digits));
}

uint64_t s7_time_1984(uint16_t days, uint32_t milliseconds)
{
    return (uint64_t)(days + S7_DAYS_1970_1984) * S7_NS_PER_DAY + milliseconds * 1000000ull;
}

void s7_put_block(struct ft_context *ctx, uint16_t type, uint32_t number, const struct ft_view *at)
{
    ft_put_uint(ctx, S7_F_BLOCK_TYPE, type, at);
    ft_put_uint(ctx, S7_F_BLOCK_NUMBER, number, at);
}

void s7_read_block_id(struct ft_context *ctx, struct ft_view *v, struct s7_kept *kept)
{
    uint16_t type = ft_u16be(v);
    uint32_t number = s7_read_decimal(v, 5);
    if (!ft_view_ok(v))
        return;
    s7_put_block(ctx, type, number, v);
    if (kept) {
        kept->block.type = type;
        kept->block.number = (uint16_t)number;
    }
}

void s7_read_file_name(struct ft_context *ctx, struct ft_view name, struct s7_kept *kept)
{
    ft_put_string(ctx, S7_F_FILE, name);
    if (name.len != S7_FILE_NAME || ft_u8(&name) != '_')
        return;
    s7_read_block_id(ctx, &name, kept);
    ft_put_uint(ctx, S7_F_BLOCK_DESTINATION, ft_u8(&name), &name);
}

static void put_block_time(struct ft_context *ctx, uint32_t field, struct ft_view *v)
{
    uint32_t milliseconds = ft_u32be(v);
    uint16_t days = ft_u16be(v);
    if (days)
        ft_put_uint(ctx, field, s7_time_1984(days, milliseconds), v);
}

/* "pp", version, attributes, language, type, number, sizes, times: 36 bytes. */
static void read_header(struct ft_context *ctx, struct ft_view *v)
{
    ft_skip(v, 4);
    ft_put_uint(ctx, S7_F_BLOCK_LANGUAGE, ft_u8(v), v);
    uint8_t type = ft_u8(v);
    uint16_t number = ft_u16be(v);
    s7_put_block(ctx, (uint16_t)(0x3000 | (type < 10 ? '0' + type : 'A' + type - 10)), number, v);
    ft_put_uint(ctx, S7_F_LOAD_SIZE, ft_u32be(v), v);
    ft_put_bool(ctx, S7_F_BLOCK_PROTECTED, ft_u32be(v) == S7_KNOW_HOW, v);
    put_block_time(ctx, S7_F_BLOCK_CODE_TIME, v);
    put_block_time(ctx, S7_F_BLOCK_INTERFACE_TIME, v);
    ft_skip(v, 6);
    ft_put_uint(ctx, S7_F_CODE_SIZE, ft_u16be(v), v);
}

static void put_name(struct ft_context *ctx, uint32_t field, struct ft_view name)
{
    int first = ft_peek_u8(&name, 0);
    if (first > 0 && first != ' ')
        ft_put_string(ctx, field, name);
}

/* Major and minor in a nibble each. */
static void put_version(struct ft_context *ctx, struct ft_view *v)
{
    char text[8];
    uint8_t version = ft_u8(v);
    if (ft_wants(ctx, S7_F_BLOCK_VERSION)) {
        int n = snprintf(text, sizeof(text), "%u.%u", version >> 4, version & 15);
        ft_put_text(ctx, S7_F_BLOCK_VERSION, text, (uint32_t)n, v);
    }
}

/* Author, family, name, version, checksum: the last 36 bytes. */
static void read_tail(struct ft_context *ctx, struct ft_view *v)
{
    put_name(ctx, S7_F_BLOCK_AUTHOR, ft_sub(v, 8));
    put_name(ctx, S7_F_BLOCK_FAMILY, ft_sub(v, 8));
    put_name(ctx, S7_F_BLOCK_NAME, ft_sub(v, 8));
    put_version(ctx, v);
    ft_skip(v, 1);
    ft_put_uint(ctx, S7_F_BLOCK_CHECKSUM, ft_u16be(v), v);
    ft_skip(v, 8);
}

static void read_block(struct ft_context *ctx, struct ft_view block)
{
    uint32_t length = block.len;
    if (length < S7_BLOCK_HEADER + S7_BLOCK_TAIL || ft_peek_u16be(&block, 0) != S7_BLOCK_MAGIC)
        return;
    bool is_whole = ft_peek_u32be(&block, 8) == (int64_t)length;
    read_header(ctx, &block);
    if (!is_whole)
        return;
    ft_skip(&block, length - S7_BLOCK_HEADER - S7_BLOCK_TAIL);
    read_tail(ctx, &block);
}

void s7_read_block_data(struct ft_context *ctx, struct ft_view *data, bool is_last)
{
    struct s7_flow *flow = ctx->flow_state;
    unsigned way = ctx->direction == FT_TO_CLIENT;
    uint16_t length = ft_u16be(data);
    ft_skip(data, 2);
    struct ft_view part = ft_sub(data, length);
    struct ft_view whole = ft_view_empty();

    ft_put_uint(ctx, S7_F_BLOCK_DATA, part.len, NULL);
    uint32_t flags =
        (flow->is_block_open[way] ? 0 : FT_REASSEMBLY_FIRST) | (is_last ? FT_REASSEMBLY_LAST : 0);
    flow->is_block_open[way] = !is_last;
    if (ft_reassemble(ctx, S7_KEY_BLOCK, part, flags, &whole) == FT_REASSEMBLY_DONE)
        read_block(ctx, whole);
}

void s7_read_block_info(struct ft_context *ctx, struct ft_view *v)
{
    ft_skip(v, 6);
    if (ft_peek_u16be(v, 0) != S7_BLOCK_MAGIC)
        return;
    read_header(ctx, v);
    read_tail(ctx, v);
}
