/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Encodings that several protocols share: BER (ITU-T X.690) and the two 16-bit CRCs of the serial
 * protocols. Contract: <fieldtap/wire.h>.
 */
#include <fieldtap/wire.h>

/* ---- BER ----------------------------------------------------------------------------------- */

/* High tag number: base 128, at most three octets, which leaves room for the identifier octet. */
static uint32_t ber_high_tag(struct ft_view *v)
{
    uint32_t number = 0;

    for (unsigned i = 0; i < 3; i++) {
        uint8_t octet = ft_u8(v);

        if (i == 0 && octet == 0x80)
            break; /* 8.1.2.4.2 c: a padded number, which would give one tag two spellings */
        number = number << 7 | (octet & 0x7f);
        if (!(octet & 0x80))
            return number << 8;
    }
    ft_view_fail(v);
    return 0;
}

/* Length octets: short form, or long form of up to four octets; indefinite is not read. */
static uint32_t ber_length(struct ft_view *v)
{
    uint8_t first = ft_u8(v);

    if (first < 0x80)
        return first;
    if (first == 0x80 || first > 0x84) {
        ft_view_fail(v);
        return 0;
    }
    return (uint32_t)ft_uint_be(v, first & 0x7f);
}

/* Any element; out of line, for few need it. */
static __attribute__((noinline)) bool ber_next_slow(struct ft_view *v, struct ft_ber *element)
{
    element->tag = 0;
    element->is_constructed = false;
    element->value = ft_view_empty();

    uint8_t identifier = ft_u8(v);

    element->tag = identifier;
    element->is_constructed = identifier & 0x20;
    if ((identifier & 0x1f) == 0x1f)
        element->tag |= ber_high_tag(v);

    uint32_t length = ber_length(v);

    if (!ft_view_ok(v))
        return false;
    element->value = ft_sub(v, length);
    return ft_view_ok(v);
}

/*
 * Nearly all elements have one octet of tag, one of length, and are whole. They are written member
 * by member: a view that is built elsewhere and copied waits for its own stores.
 */
bool ft_ber_next(struct ft_view *v, struct ft_ber *element)
{
    int identifier = ft_peek_u8(v, 0), length = ft_peek_u8(v, 1);

    if (identifier < 0) {
        element->tag = 0;
        element->is_constructed = false;
        element->value = ft_view_empty();
        return false;
    }
    if (length < 0 || length >= 0x80 || (identifier & 0x1f) == 0x1f ||
        v->len - 2 < (uint32_t)length)
        return ber_next_slow(v, element);

    element->tag = (uint32_t)identifier;
    element->is_constructed = identifier & 0x20;
    element->value.data = v->data + 2;
    element->value.len = (uint32_t)length;
    element->value.last_len = 0;
    element->value.error = FT_VIEW_OK;
    element->value.is_cut = false;
    memset(element->value.reserved, 0, sizeof(element->value.reserved));
    v->data += 2 + length;
    v->len -= 2 + (uint32_t)length;
    v->last_len = (uint32_t)length;
    return true;
}

int64_t ft_ber_int(struct ft_view value)
{
    while (value.len > 8 && value.data[0] == (value.data[1] & 0x80 ? 0xff : 0x00))
        ft_skip(&value, 1);
    if (value.len == 0 || value.len > 8)
        return 0;

    unsigned unused = 64 - 8 * value.len;
    uint64_t x = ft_uint_be(&value, value.len);

    return (int64_t)(x << unused) >> unused;
}

uint64_t ft_ber_uint(struct ft_view value)
{
    while (value.len > 8 && value.data[0] == 0)
        ft_skip(&value, 1);
    return value.len <= 8 ? ft_uint_be(&value, value.len) : 0;
}

/* Append a number to the text; its new length, or 0 when it does not fit. */
static uint32_t append_number(char *text, uint32_t size, uint32_t at, uint64_t number)
{
    char digits[20];
    uint32_t n = 0;

    do
        digits[n++] = (char)('0' + number % 10);
    while (number /= 10);
    if (size < n + 2 || at > size - n - 2)
        return 0;
    if (at)
        text[at++] = '.';
    while (n)
        text[at++] = digits[--n];
    text[at] = 0;
    return at;
}

/* The first sub-identifier holds the first two arcs: 40 x + y, x at most 2. */
static uint32_t append_arcs(char *text, uint32_t size, uint64_t first)
{
    uint64_t x = first < 80 ? first / 40 : 2;
    uint32_t at = append_number(text, size, 0, x);

    return at ? append_number(text, size, at, first - 40 * x) : 0;
}

uint32_t ft_oid_text(char *text, uint32_t size, struct ft_view oid)
{
    uint32_t at = 0;

    for (unsigned i = 0; oid.len; i++) {
        uint64_t number = ft_varint_be(&oid);

        if (!ft_view_ok(&oid) || i == 128 || number > UINT32_MAX)
            return 0;
        at = i ? append_number(text, size, at, number) : append_arcs(text, size, number);
        if (!at)
            return 0;
    }
    return at;
}

/* ---- CRC ----------------------------------------------------------------------------------- */

/*
 * A CRC is linear, so the table entry of a byte is the exclusive or of the entries of its bits, and
 * those are one sequence: the polynomial shifted through the register 0, 1, 2 ... times. Entry
 * 0x80 of the first table is the polynomial itself, entry 0x40 one shift more ...; the table for a
 * byte that k bytes follow is 8 k shifts further. 32 constants make four tables, at compile time,
 * and four bytes a step keep the two CRCs within their two cycles a byte.
 */
#define SHIFT(crc, poly) ((crc) >> 1 ^ ((crc)&1 ? (poly) : 0))

#define EIGHT(name, from, before, poly)                                                            \
    name##from##0 = SHIFT(before, poly), name##from##1 = SHIFT(name##from##0, poly),               \
    name##from##2 = SHIFT(name##from##1, poly), name##from##3 = SHIFT(name##from##2, poly),        \
    name##from##4 = SHIFT(name##from##3, poly), name##from##5 = SHIFT(name##from##4, poly),        \
    name##from##6 = SHIFT(name##from##5, poly), name##from##7 = SHIFT(name##from##6, poly)

/* 1 << 0 shifted once is the polynomial. */
#define SEQUENCE(name, poly)                                                                       \
    EIGHT(name, 0, 1, poly), EIGHT(name, 1, name##07, poly), EIGHT(name, 2, name##17, poly),       \
        EIGHT(name, 3, name##27, poly)

enum {
    SEQUENCE(DNP, 0xa6bc)
};
enum {
    SEQUENCE(MODBUS, 0xa001)
};

#define ENTRY(s, i)                                                                                \
    (uint16_t)(((i)&0x80 ? s##0 : 0) ^ ((i)&0x40 ? s##1 : 0) ^ ((i)&0x20 ? s##2 : 0) ^             \
               ((i)&0x10 ? s##3 : 0) ^ ((i)&0x08 ? s##4 : 0) ^ ((i)&0x04 ? s##5 : 0) ^             \
               ((i)&0x02 ? s##6 : 0) ^ ((i)&0x01 ? s##7 : 0))

#define ENTRIES4(s, i)  ENTRY(s, i), ENTRY(s, (i) + 1), ENTRY(s, (i) + 2), ENTRY(s, (i) + 3)
#define ENTRIES16(s, i) ENTRIES4(s, i), ENTRIES4(s, i + 4), ENTRIES4(s, i + 8), ENTRIES4(s, i + 12)
#define ENTRIES64(s, i)                                                                            \
    ENTRIES16(s, i), ENTRIES16(s, i + 16), ENTRIES16(s, i + 32), ENTRIES16(s, i + 48)
#define ENTRIES256(s)                                                                              \
    {                                                                                              \
        ENTRIES64(s, 0), ENTRIES64(s, 64), ENTRIES64(s, 128), ENTRIES64(s, 192)                    \
    }

static const uint16_t dnp_tables[4][256] = {ENTRIES256(DNP0), ENTRIES256(DNP1), ENTRIES256(DNP2),
                                            ENTRIES256(DNP3)};
static const uint16_t modbus_tables[4][256] = {ENTRIES256(MODBUS0), ENTRIES256(MODBUS1),
                                               ENTRIES256(MODBUS2), ENTRIES256(MODBUS3)};

static inline uint16_t crc16(const uint16_t (*table)[256], uint16_t crc, const uint8_t *data,
                             uint32_t n)
{
    for (; n >= 4; n -= 4, data += 4) {
        crc = table[3][(crc ^ data[0]) & 0xff] ^ table[2][(crc >> 8) ^ data[1]] ^
              table[1][data[2]] ^ table[0][data[3]];
    }
    for (; n; n--, data++)
        crc = crc >> 8 ^ table[0][(crc ^ *data) & 0xff];
    return crc;
}

uint16_t ft_crc16_dnp(const uint8_t *data, uint32_t n)
{
    return (uint16_t)~crc16(dnp_tables, 0, data, n);
}

uint16_t ft_crc16_modbus(const uint8_t *data, uint32_t n)
{
    return crc16(modbus_tables, 0xffff, data, n);
}
