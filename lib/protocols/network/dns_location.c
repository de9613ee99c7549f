/* SPDX-License-Identifier: BSD-3-Clause */
/* Places on earth in DNS. Specification: RFC 1876. */
#include "dns_rdata.h"

#include <stdio.h>

enum {
    MIDDLE = 1u << 31,       /* equator, prime meridian, in thousandths of a second of arc */
    DEGREE = 3600000,        /* of them */
    ALTITUDE_ZERO = 10000000 /* centimetres under the reference that altitudes count from */
};

/* "42 21 54.000 N" */
static void add_angle(struct ft_dns_text *t, uint32_t value, const char *sides)
{
    bool is_first = value >= MIDDLE;
    uint32_t angle = is_first ? value - MIDDLE : MIDDLE - value;
    char text[48];

    snprintf(text, sizeof(text), "%u %u %u.%03u %c", angle / DEGREE, angle / 60000 % 60,
             angle / 1000 % 60, angle % 1000, sides[!is_first]);
    ft_dns_text_word(t, text);
}

/* "-24.00m" */
static void add_metres(struct ft_dns_text *t, int64_t centimetres)
{
    uint64_t size = (uint64_t)(centimetres < 0 ? -centimetres : centimetres);
    char text[48];

    snprintf(text, sizeof(text), "%s%llu.%02um", centimetres < 0 ? "-" : "",
             (unsigned long long)(size / 100), (unsigned)(size % 100));
    ft_dns_text_word(t, text);
}

/* A digit and the power of ten that it is multiplied with, in centimetres. */
static int64_t size_of(uint8_t byte)
{
    int64_t size = byte >> 4;
    for (unsigned i = byte & 15; i; i--)
        size *= 10;
    return size;
}

static bool is_size(uint8_t byte)
{
    return byte >> 4 <= 9 && (byte & 15) <= 9;
}

static bool is_angle(uint32_t value, uint32_t degrees)
{
    return value >= MIDDLE - degrees * DEGREE && value <= MIDDLE + degrees * DEGREE;
}

void ft_dns_rdata_location(struct ft_context *ctx, struct ft_dns_record *r, struct ft_view *v)
{
    if (ft_peek_u8(v, 0) > 0) { /* another version */
        ft_put_bytes(ctx, r->first + RR_BYTES, ft_rest(v));
        return;
    }
    ft_skip(v, 1);
    uint8_t sizes[3];
    for (unsigned i = 0; i < 3; i++)
        sizes[i] = ft_u8(v);
    uint32_t latitude = ft_u32be(v), longitude = ft_u32be(v), altitude = ft_u32be(v);
    if (!ft_view_ok(v))
        return;
    if (!is_size(sizes[0]) || !is_size(sizes[1]) || !is_size(sizes[2]) || !is_angle(latitude, 90) ||
        !is_angle(longitude, 180)) {
        ft_view_fail(v);
        return;
    }
    if (!ft_wants(ctx, r->first + RR_RDATA))
        return;
    struct ft_dns_text t;
    t.length = 0;
    add_angle(&t, latitude, "NS");
    add_angle(&t, longitude, "EW");
    add_metres(&t, (int64_t)altitude - ALTITUDE_ZERO);
    for (unsigned i = 0; i < 3; i++)
        add_metres(&t, size_of(sizes[i]));
    ft_put_text(ctx, r->first + RR_RDATA, t.text, t.length, v);
}
