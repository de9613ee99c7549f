/* SPDX-License-Identifier: BSD-3-Clause */
/* S7comm variables: address items in their syntaxes, and values with their return codes. */
#include <stdio.h>

#include "s7.h"

#define S7_ITEM_SPECIFICATION 0x12
#define S7_ANY_LENGTH         10u
#define S7_ROOT_DB            0x8a0e /* symbolic address that begins at a data block */

static uint32_t item_address(const struct s7_kept_item *item)
{
    return (uint32_t)item->address_high << 16 | item->address_low;
}

static bool is_numbered(uint8_t area)
{
    return area >= S7_AREA_COUNTER && area <= S7_AREA_TIMER_200;
}

/* The letter that engineering tools write for the area; NULL when they have none. */
static const char *area_letter(uint8_t area)
{
    switch (area) {
    case S7_AREA_P:
        return "P";
    case S7_AREA_I:
        return "I";
    case S7_AREA_Q:
        return "Q";
    case S7_AREA_M:
        return "M";
    case S7_AREA_L:
        return "L";
    case S7_AREA_V:
        return "V";
    case S7_AREA_COUNTER:
    case S7_AREA_COUNTER_200:
        return "C";
    case S7_AREA_TIMER:
    case S7_AREA_TIMER_200:
        return "T";
    default:
        return NULL;
    }
}

static char size_letter(uint8_t type)
{
    switch (type) {
    case S7_BIT:
        return 'X';
    case S7_WORD:
    case S7_INT:
        return 'W';
    case S7_DWORD:
    case S7_DINT:
    case S7_REAL:
        return 'D';
    default:
        return 'B';
    }
}

/* "DB1.DBX0.0", "MW10", "I0.3", "T5". */
static void put_address(struct ft_context *ctx, const struct s7_kept_item *item)
{
    char text[48];
    char size = size_letter(item->type);
    uint32_t address = item_address(item);
    const char *letter = area_letter(item->area);
    int n;

    if (item->area == S7_AREA_DB || item->area == S7_AREA_DI)
        n = snprintf(text, sizeof(text), "%s%u.%s%c%u", item->area == S7_AREA_DB ? "DB" : "DI",
                     item->db, item->area == S7_AREA_DB ? "DB" : "DI", size, address >> 3);
    else if (!letter)
        return;
    else if (is_numbered(item->area))
        n = snprintf(text, sizeof(text), "%s%u", letter, address);
    else if (size == 'X')
        n = snprintf(text, sizeof(text), "%s%u", letter, address >> 3);
    else
        n = snprintf(text, sizeof(text), "%s%c%u", letter, size, address >> 3);
    if (size == 'X' && !is_numbered(item->area))
        n += snprintf(text + n, sizeof(text) - (size_t)n, ".%u", address & 7);
    ft_put_text(ctx, S7_F_ITEM_ADDRESS, text, (uint32_t)n, NULL);
}

void s7_put_item(struct ft_context *ctx, const struct s7_kept_item *item, const struct ft_view *at)
{
    uint32_t address = item_address(item);

    if (ft_wants(ctx, S7_F_ITEM_ADDRESS))
        put_address(ctx, item);
    ft_put_uint(ctx, S7_F_ITEM_AREA, item->area, at);
    if (item->area == S7_AREA_DB || item->area == S7_AREA_DI)
        ft_put_uint(ctx, S7_F_ITEM_DB, item->db, at);
    if (is_numbered(item->area)) {
        ft_put_uint(ctx, S7_F_ITEM_NUMBER, address, at);
    } else {
        ft_put_uint(ctx, S7_F_ITEM_BYTE, address >> 3, at);
        ft_put_uint(ctx, S7_F_ITEM_BIT, address & 7, at);
    }
    ft_put_uint(ctx, S7_F_ITEM_TYPE, item->type, at);
    ft_put_uint(ctx, S7_F_ITEM_ELEMENTS, item->elements, at);
}

/* ---- addresses ----------------------------------------------------------------------------- */

static struct s7_kept_item read_any(struct ft_context *ctx, struct ft_view *v)
{
    struct s7_kept_item item = {0};

    if (v->len != S7_ANY_LENGTH - 1 && !v->is_cut)
        ft_violation(ctx, S7_V_ITEM_LENGTH, v);
    item.type = ft_u8(v);
    item.elements = ft_u16be(v);
    item.db = ft_u16be(v);
    item.area = ft_u8(v);
    item.address_high = ft_u8(v);
    item.address_low = ft_u16be(v);
    if (ft_wants(ctx, S7_F_ITEMS))
        s7_put_item(ctx, &item, v);
    return item;
}

static void read_nck(struct ft_context *ctx, struct ft_view *v)
{
    uint8_t area = ft_u8(v);
    ft_put_uint(ctx, S7_F_ITEM_NCK_AREA, area >> 5, v);
    ft_put_uint(ctx, S7_F_ITEM_NCK_UNIT, area & 31, v);
    ft_put_uint(ctx, S7_F_ITEM_NCK_COLUMN, ft_u16be(v), v);
    ft_put_uint(ctx, S7_F_ITEM_NCK_LINE, ft_u16be(v), v);
    ft_put_uint(ctx, S7_F_ITEM_NCK_MODULE, ft_u8(v), v);
    ft_put_uint(ctx, S7_F_ITEM_ELEMENTS, ft_u8(v), v);
}

static void read_drive(struct ft_context *ctx, struct ft_view *v)
{
    ft_skip(v, 5);
    ft_put_uint(ctx, S7_F_ITEM_PARAMETER, ft_u16be(v), v);
    ft_put_uint(ctx, S7_F_ITEM_INDEX, ft_u16be(v), v);
}

static uint8_t symbolic_area(uint16_t area)
{
    static const uint8_t areas[] = {S7_AREA_I, S7_AREA_Q, S7_AREA_M, S7_AREA_COUNTER,
                                    S7_AREA_TIMER};
    return area >= 0x50 && area < 0x50 + sizeof(areas) ? areas[area - 0x50] : 0;
}

/* S7-1200: a root, a checksum of the symbol, then steps into the structure. */
static void read_symbolic(struct ft_context *ctx, struct ft_view *v)
{
    ft_skip(v, 1);
    uint16_t root = ft_u16be(v);
    uint16_t place = ft_u16be(v);
    if (root == S7_ROOT_DB) {
        ft_put_uint(ctx, S7_F_ITEM_AREA, S7_AREA_DB, v);
        ft_put_uint(ctx, S7_F_ITEM_DB, place, v);
    } else if (symbolic_area(place)) {
        ft_put_uint(ctx, S7_F_ITEM_AREA, symbolic_area(place), v);
    }
    ft_put_uint(ctx, S7_F_ITEM_CRC, ft_u32be(v), v);
}

/* Several places of data blocks in one item: each becomes an item of its own. */
static void read_db_areas(struct ft_context *ctx, struct ft_view *v)
{
    uint32_t count = ft_count(v, ft_u8(v), 5);
    for (uint32_t i = 0; i < count && ft_view_ok(v); i++) {
        struct s7_kept_item item = {.type = S7_BYTE, .area = S7_AREA_DB};
        item.elements = ft_u8(v);
        item.db = ft_u16be(v);
        uint32_t address = (uint32_t)ft_u16be(v) << 3;
        item.address_high = (uint8_t)(address >> 16);
        item.address_low = (uint16_t)address;
        ft_group_begin(ctx, S7_F_ITEMS);
        ft_put_uint(ctx, S7_F_ITEM_SYNTAX, S7_DB_READ, NULL);
        s7_put_item(ctx, &item, v);
        ft_group_end(ctx, S7_F_ITEMS);
    }
}

static struct s7_kept_item read_address(struct ft_context *ctx, struct ft_view *v)
{
    struct s7_kept_item item = {0};
    uint8_t syntax = ft_u8(v);

    if (syntax == S7_DB_READ) {
        read_db_areas(ctx, v);
        return item;
    }
    ft_group_begin(ctx, S7_F_ITEMS);
    ft_put_uint(ctx, S7_F_ITEM_SYNTAX, syntax, v);
    switch (syntax) {
    case S7_ANY:
        item = read_any(ctx, v);
        break;
    case S7_NCK:
    case S7_NCK_METRIC:
    case S7_NCK_INCH:
        read_nck(ctx, v);
        break;
    case S7_DRIVE_ES:
        read_drive(ctx, v);
        break;
    case S7_SYMBOLIC:
        read_symbolic(ctx, v);
        break;
    case S7_PBC_ID:
        ft_skip(v, 1);
        ft_put_uint(ctx, S7_F_ITEM_R_ID, ft_u32be(v), v);
        break;
    default:
        break;
    }
    return item;
}

void s7_read_items(struct ft_context *ctx, struct ft_view *v, uint32_t count, struct s7_kept *kept,
                   struct ft_view *values)
{
    uint32_t n = ft_count(v, count, 2);
    for (uint32_t i = 0; i < n && ft_view_ok(v); i++) {
        uint8_t specification = ft_u8(v);
        uint8_t length = ft_u8(v);
        if (!ft_view_ok(v))
            return;
        struct ft_view address = ft_sub(v, length);
        bool is_last = i + 1 == count;
        bool is_db_read = ft_peek_u8(&address, 0) == S7_DB_READ;
        if (ft_view_ok(v) && (specification != S7_ITEM_SPECIFICATION || !length))
            ft_violation(ctx, S7_V_ITEM_LENGTH, v);

        struct s7_kept_item item = read_address(ctx, &address);
        if (ft_view_is_malformed(&address))
            ft_violation(ctx, S7_V_ITEM_LENGTH, NULL);
        if (kept->count == i && i < S7_KEPT_ITEMS && item.type) {
            kept->items[i] = item;
            kept->count++;
        }
        if (values)
            s7_read_value(ctx, values, is_last, false, &item);
        if (!is_db_read)
            ft_group_end(ctx, S7_F_ITEMS);
        if (length & 1 && !is_last)
            ft_skip(v, 1);
    }
}

/* ---- values -------------------------------------------------------------------------------- */

/* A single element of a plain type as a number. */
static void put_value(struct ft_context *ctx, struct ft_view data, const struct s7_kept_item *item)
{
    double value;

    if (item->elements != 1)
        return;
    switch (item->type) {
    case S7_BIT:
        value = ft_u8(&data) & 1;
        break;
    case S7_BYTE:
    case S7_CHAR:
        value = ft_u8(&data);
        break;
    case S7_WORD:
        value = ft_u16be(&data);
        break;
    case S7_INT:
        value = (int16_t)ft_u16be(&data);
        break;
    case S7_DWORD:
        value = ft_u32be(&data);
        break;
    case S7_DINT:
        value = (int32_t)ft_u32be(&data);
        break;
    case S7_REAL:
        value = (double)ft_f32be(&data);
        break;
    default:
        return;
    }
    if (ft_view_ok(&data) && data.len == 0)
        ft_put_float(ctx, S7_F_ITEM_VALUE, value, &data);
}

void s7_read_value(struct ft_context *ctx, struct ft_view *v, bool is_last, bool is_result,
                   const struct s7_kept_item *item)
{
    uint8_t result = ft_u8(v);
    if (is_result)
        ft_put_uint(ctx, S7_F_ITEM_RESULT, result, v);
    uint8_t type = ft_u8(v);
    ft_put_uint(ctx, S7_F_ITEM_DATA_TYPE, type, v);
    uint32_t length = ft_u16be(v);
    if (type >= S7_DATA_BIT && type <= S7_DATA_INT)
        length = (length + 7) / 8;
    struct ft_view data = ft_sub(v, length);
    if (data.len) {
        ft_put_bytes(ctx, S7_F_ITEM_DATA, data);
        if (item && ft_wants(ctx, S7_F_ITEM_VALUE))
            put_value(ctx, data, item);
    }
    if (length & 1 && !is_last && v->len)
        ft_skip(v, 1);
}

static const struct s7_kept_item *asked(const struct s7_kept *kept, uint32_t i)
{
    return kept && i < kept->count ? &kept->items[i] : NULL;
}

void s7_read_results(struct ft_context *ctx, struct ft_view *v, uint32_t count,
                     const struct s7_kept *kept)
{
    uint32_t n = ft_count(v, count, 1);
    for (uint32_t i = 0; i < n && ft_view_ok(v); i++) {
        const struct s7_kept_item *item = asked(kept, i);
        ft_group_begin(ctx, S7_F_ITEMS);
        if (item && ft_wants(ctx, S7_F_ITEMS))
            s7_put_item(ctx, item, NULL);
        s7_read_value(ctx, v, i + 1 == count, true, item);
        ft_group_end(ctx, S7_F_ITEMS);
    }
}

void s7_read_return_codes(struct ft_context *ctx, struct ft_view *v, uint32_t count,
                          const struct s7_kept *kept)
{
    uint32_t n = ft_count(v, count, 1);
    for (uint32_t i = 0; i < n && ft_view_ok(v); i++) {
        const struct s7_kept_item *item = asked(kept, i);
        ft_group_begin(ctx, S7_F_ITEMS);
        if (item && ft_wants(ctx, S7_F_ITEMS))
            s7_put_item(ctx, item, NULL);
        ft_put_uint(ctx, S7_F_ITEM_RESULT, ft_u8(v), v);
        ft_group_end(ctx, S7_F_ITEMS);
    }
}
