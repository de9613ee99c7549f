/* SPDX-License-Identifier: BSD-3-Clause */
/* DNP3 objects: headers, ranges, points, device attributes (IEEE 1815, 4.2.2.7 and annex A). */
#include "dnp3_objects.h"

#include <string.h>

/* ---- formats ------------------------------------------------------------------------------- */

/*
 * The points of each group and variation, one letter an element:
 *   1 2     packed single and double bits (alone in their format)
 *   b B d   flags of a binary input, a binary output, a double-bit input: with the state on top
 *   f k     flags of an analog, of a counter          c  status of a command event, state on top
 *   U u     unsigned of 32 and 16 bits                i s F D  signed 32, 16 bits, float, double
 *   o       control status                            X  control relay output block
 *   t r     time of 48 bits, relative time of 16      w m  delay in seconds, in milliseconds
 *   n N     interval, interval units                  a  association id
 *   Q       fill of a buffer with its group and variation     p P q  decimal digits, 2, 4, 8 octets
 *   y       unsigned octet                            -  nothing
 * An empty format is an object that is not in annex A, or one whose size stands in a prefix.
 */
#define GROUPS     123
#define VARIATIONS 16

static const char formats[GROUPS][VARIATIONS][5] = {
    [1] = {[1] = "1", [2] = "b"},
    [2] = {[1] = "b", [2] = "bt", [3] = "br"},
    [3] = {[1] = "2", [2] = "d"},
    [4] = {[1] = "d", [2] = "dt", [3] = "dr"},
    [10] = {[1] = "1", [2] = "B"},
    [11] = {[1] = "B", [2] = "Bt"},
    [12] = {[1] = "X", [2] = "X", [3] = "1"},
    [13] = {[1] = "c", [2] = "ct"},
    [20] = {[1] = "kU",
            [2] = "ku",
            [3] = "kU",
            [4] = "ku",
            [5] = "U",
            [6] = "u",
            [7] = "U",
            [8] = "u"},
    [21] = {[1] = "kU",
            [2] = "ku",
            [3] = "kU",
            [4] = "ku",
            [5] = "kUt",
            [6] = "kut",
            [7] = "kUt",
            [8] = "kut",
            [9] = "U",
            [10] = "u",
            [11] = "U",
            [12] = "u"},
    [22] = {[1] = "kU",
            [2] = "ku",
            [3] = "kU",
            [4] = "ku",
            [5] = "kUt",
            [6] = "kut",
            [7] = "kUt",
            [8] = "kut"},
    [23] = {[1] = "kU",
            [2] = "ku",
            [3] = "kU",
            [4] = "ku",
            [5] = "kUt",
            [6] = "kut",
            [7] = "kUt",
            [8] = "kut"},
    [30] = {[1] = "fi", [2] = "fs", [3] = "i", [4] = "s", [5] = "fF", [6] = "fD"},
    [31] = {[1] = "fi",
            [2] = "fs",
            [3] = "fit",
            [4] = "fst",
            [5] = "i",
            [6] = "s",
            [7] = "fF",
            [8] = "fD"},
    [32] = {[1] = "fi",
            [2] = "fs",
            [3] = "fit",
            [4] = "fst",
            [5] = "fF",
            [6] = "fD",
            [7] = "fFt",
            [8] = "fDt"},
    [33] = {[1] = "fi",
            [2] = "fs",
            [3] = "fit",
            [4] = "fst",
            [5] = "fF",
            [6] = "fD",
            [7] = "fFt",
            [8] = "fDt"},
    [34] = {[1] = "u", [2] = "U", [3] = "F"},
    [40] = {[1] = "fi", [2] = "fs", [3] = "fF", [4] = "fD"},
    [41] = {[1] = "io", [2] = "so", [3] = "Fo", [4] = "Do"},
    [42] = {[1] = "fi",
            [2] = "fs",
            [3] = "fit",
            [4] = "fst",
            [5] = "fF",
            [6] = "fD",
            [7] = "fFt",
            [8] = "fDt"},
    [43] = {[1] = "oi",
            [2] = "os",
            [3] = "oit",
            [4] = "ost",
            [5] = "oF",
            [6] = "oD",
            [7] = "oFt",
            [8] = "oDt"},
    [50] = {[1] = "t", [2] = "tn", [3] = "t", [4] = "tnN"},
    [51] = {[1] = "t", [2] = "t"},
    [52] = {[1] = "w", [2] = "m"},
    [60] = {[1] = "-", [2] = "-", [3] = "-", [4] = "-"},
    [80] = {[1] = "1"},
    [81] = {[1] = "Q"},
    [101] = {[1] = "p", [2] = "P", [3] = "q"},
    [102] = {[1] = "y"},
    [121] = {[1] = "kaU"},
    [122] = {[1] = "kaU", [2] = "kaUt"},
};

static const uint8_t element_size[128] = {
    ['b'] = 1, ['B'] = 1, ['d'] = 1, ['f'] = 1, ['k'] = 1, ['c'] = 1, ['U'] = 4,
    ['u'] = 2, ['i'] = 4, ['s'] = 2, ['F'] = 4, ['D'] = 8, ['o'] = 1, ['X'] = 11,
    ['t'] = 6, ['r'] = 2, ['w'] = 2, ['m'] = 2, ['n'] = 4, ['N'] = 1, ['a'] = 2,
    ['Q'] = 3, ['p'] = 2, ['P'] = 4, ['q'] = 8, ['y'] = 1,
};

static const char *format_of(const struct ft_dnp3_object *o)
{
    return o->group < GROUPS && o->variation < VARIATIONS ? formats[o->group][o->variation] : "";
}

static uint32_t size_of(const char *format)
{
    uint32_t size = 0;

    for (; *format; format++)
        size += element_size[(unsigned char)*format & 0x7f];
    return size;
}

/* Groups 110 to 115: a string of as many octets as the variation says, also none. */
static bool is_octet_string(const struct ft_dnp3_object *o)
{
    return o->group >= 110 && o->group <= 115;
}

uint64_t ft_dnp3_time(uint64_t milliseconds)
{
    return milliseconds > UINT64_MAX / 1000000 ? UINT64_MAX : milliseconds * 1000000;
}

void ft_dnp3_bad_format(struct ft_context *ctx, struct ft_dnp3_fragment *fragment,
                        uint32_t violation, const struct ft_view *at)
{
    ft_violation(ctx, violation, at);
    if (!fragment->is_from_master && !fragment->is_format_told) {
        fragment->is_format_told = true;
        ft_violation(ctx, DNP3_V_OUTSTATION_FORMAT, at);
    }
}

/* ---- points -------------------------------------------------------------------------------- */

/* Bits 0-4 mean the same for all types; 5 and 6 are moved up to where the flag's name is theirs. */
static uint32_t quality(char type, uint8_t octet)
{
    uint32_t flags = octet & 0x1f;

    switch (type) {
    case 'f':
        return flags | (octet & 0x20 ? 0x100 : 0) | (octet & 0x40 ? 0x400 : 0);
    case 'k':
        return flags | (octet & 0x20 ? 0x200 : 0) | (octet & 0x40 ? 0x800 : 0);
    default:
        return flags | (octet & 0x20);
    }
}

static void put_value(struct ft_context *ctx, char type, struct ft_view *v)
{
    switch (type) {
    case 'U':
        ft_put_float(ctx, DNP3_F_VALUE, ft_u32le(v), v);
        break;
    case 'u':
        ft_put_float(ctx, DNP3_F_VALUE, ft_u16le(v), v);
        break;
    case 'i':
        ft_put_float(ctx, DNP3_F_VALUE, (int32_t)ft_u32le(v), v);
        break;
    case 's':
        ft_put_float(ctx, DNP3_F_VALUE, (int16_t)ft_u16le(v), v);
        break;
    case 'F':
        ft_put_float(ctx, DNP3_F_VALUE, (double)ft_f32le(v), v);
        break;
    case 'D':
        ft_put_float(ctx, DNP3_F_VALUE, ft_f64le(v), v);
        break;
    default:
        ft_put_float(ctx, DNP3_F_VALUE, ft_u8(v), v);
        break;
    }
}

/* Control relay output block and pattern control block: group 12, variations 1 and 2. */
static void put_control(struct ft_context *ctx, struct ft_dnp3_fragment *fragment,
                        struct ft_view *v)
{
    uint8_t code = ft_u8(v);

    ft_put_uint(ctx, DNP3_F_OP_TYPE, code & 0x0f, v);
    ft_put_uint(ctx, DNP3_F_OPERATION, code & 0x0f, v);
    ft_put_uint(ctx, DNP3_F_QU, code >> 4 & 1, v);
    ft_put_uint(ctx, DNP3_F_CR, code >> 5 & 1, v);
    ft_put_uint(ctx, DNP3_F_TCC, code >> 6, v);
    ft_put_uint(ctx, DNP3_F_TRIP_CLOSE, code >> 6, v);
    if ((code & 0x0f) > 4 || code >> 6 == 3)
        ft_dnp3_bad_format(ctx, fragment, DNP3_V_CONTROL_CODE, v);
    ft_put_uint(ctx, DNP3_F_OP_COUNT, ft_u8(v), v);
    ft_put_uint(ctx, DNP3_F_ONTIME, ft_u32le(v), v);
    ft_put_uint(ctx, DNP3_F_OFFTIME, ft_u32le(v), v);
    ft_put_uint(ctx, DNP3_F_STATUS, ft_u8(v) & 0x7f, v);
}

/* An event of variation 3 counts from the common time of occurrence that came before it. */
static void put_relative_time(struct ft_context *ctx, const struct ft_dnp3_fragment *fragment,
                              struct ft_view *v)
{
    uint16_t relative = ft_u16le(v);

    ft_put_uint(ctx, DNP3_F_RELATIVE_MS, relative, v);
    if (fragment->has_common_time)
        ft_put_uint(ctx, DNP3_F_TIME, ft_dnp3_time(fragment->common_time_ms + relative), v);
}

static void put_fill(struct ft_context *ctx, struct ft_view *v)
{
    ft_put_uint(ctx, DNP3_F_FILL, ft_u8(v), v);
    ft_put_uint(ctx, DNP3_F_BUFFER_GROUP, ft_u8(v), v);
    ft_put_uint(ctx, DNP3_F_BUFFER_VARIATION, ft_u8(v), v);
}

static void put_element(struct ft_context *ctx, struct ft_dnp3_fragment *fragment, char type,
                        struct ft_view *v)
{
    uint8_t octet;

    switch (type) {
    case 'b':
    case 'B':
    case 'c':
        octet = ft_u8(v);
        if (type == 'c')
            ft_put_uint(ctx, DNP3_F_STATUS, octet & 0x7f, v);
        else
            ft_put_uint(ctx, DNP3_F_FLAGS, quality(type, octet), v);
        ft_put_uint(ctx, DNP3_F_STATE, octet >> 7, v);
        break;
    case 'd':
        octet = ft_u8(v);
        ft_put_uint(ctx, DNP3_F_FLAGS, quality(type, octet), v);
        ft_put_uint(ctx, DNP3_F_STATE, octet >> 6, v);
        break;
    case 'f':
    case 'k':
        ft_put_uint(ctx, DNP3_F_FLAGS, quality(type, ft_u8(v)), v);
        break;
    case 'o':
        ft_put_uint(ctx, DNP3_F_STATUS, ft_u8(v) & 0x7f, v);
        break;
    case 'X':
        put_control(ctx, fragment, v);
        break;
    case 't':
        ft_put_uint(ctx, DNP3_F_TIME, ft_dnp3_time(ft_u48le(v)), v);
        break;
    case 'r':
        put_relative_time(ctx, fragment, v);
        break;
    case 'w':
        ft_put_uint(ctx, DNP3_F_DELAY_MS, ft_u16le(v) * 1000u, v);
        break;
    case 'm':
        ft_put_uint(ctx, DNP3_F_DELAY_MS, ft_u16le(v), v);
        break;
    case 'n':
        ft_put_uint(ctx, DNP3_F_INTERVAL, ft_u32le(v), v);
        break;
    case 'N':
        ft_put_uint(ctx, DNP3_F_INTERVAL_UNITS, ft_u8(v), v);
        break;
    case 'a':
        ft_put_uint(ctx, DNP3_F_ASSOCIATION, ft_u16le(v), v);
        break;
    case 'Q':
        put_fill(ctx, v);
        break;
    case 'p':
    case 'P':
    case 'q':
        ft_put_bytes(ctx, DNP3_F_OCTETS, ft_sub(v, element_size[(unsigned char)type]));
        break;
    case '-':
        break;
    default:
        put_value(ctx, type, v);
        break;
    }
}

/* Octets of a prefix of index (1-3) or size (4-6). */
static uint32_t prefix_size(uint8_t code)
{
    static const uint8_t sizes[8] = {0, 1, 2, 4, 1, 2, 4, 0};

    return sizes[code & 7];
}

/* Open a point and read its prefix; the size in a prefix is returned. */
static uint32_t begin_point(struct ft_context *ctx, const struct ft_dnp3_object *o, uint32_t i,
                            struct ft_view *v)
{
    uint32_t prefix = (uint32_t)ft_uint_le(v, prefix_size(o->prefix_code));
    bool is_index = o->prefix_code >= 1 && o->prefix_code <= 3;

    ft_group_begin(ctx, DNP3_F_POINT);
    if (o->prefix_code)
        ft_put_uint(ctx, DNP3_F_PREFIX, prefix, v);
    ft_put_uint(ctx, DNP3_F_INDEX, is_index ? prefix : o->start + i, is_index ? v : NULL);
    return prefix;
}

static void end_point(struct ft_context *ctx)
{
    ft_group_end(ctx, DNP3_F_POINT);
}

static bool wants_points(const struct ft_context *ctx)
{
    return ft_wants(ctx, DNP3_F_POINT);
}

/* Groups 1, 3, 10, 12 variation 3, 80: bits packed from the least significant one on. */
static bool read_packed(struct ft_context *ctx, struct ft_dnp3_fragment *fragment,
                        const struct ft_dnp3_object *o, unsigned width, struct ft_view *v)
{
    uint64_t size = (o->count * width + 7) / 8;

    if (o->prefix_code) {
        ft_dnp3_bad_format(ctx, fragment, DNP3_V_QUALIFIER, v);
        return false;
    }
    if (size > v->len) {
        ft_view_fail(v);
        return false;
    }

    struct ft_view bits = ft_sub(v, (uint32_t)size);

    if (!wants_points(ctx))
        return true;

    uint8_t octet = 0;

    for (uint32_t i = 0; i < o->count; i++) {
        unsigned shift = i * width % 8;

        if (shift == 0)
            octet = ft_u8(&bits);
        ft_group_begin(ctx, DNP3_F_POINT);
        ft_put_uint(ctx, DNP3_F_INDEX, o->start + i, NULL);
        ft_put_uint(ctx, DNP3_F_STATE, octet >> shift & ((1u << width) - 1), &bits);
        ft_group_end(ctx, DNP3_F_POINT);
    }
    return true;
}

static void read_fixed_point(struct ft_context *ctx, struct ft_dnp3_fragment *fragment,
                             const struct ft_dnp3_object *o, const char *format, uint32_t i,
                             struct ft_view *v)
{
    begin_point(ctx, o, i, v);
    for (; *format; format++)
        put_element(ctx, fragment, *format, v);
    end_point(ctx);
}

/* Common time of occurrence: needed by the events after it, wanted or not. */
static void note_common_time(struct ft_dnp3_fragment *fragment, const struct ft_dnp3_object *o,
                             struct ft_view v)
{
    ft_skip(&v, prefix_size(o->prefix_code));
    fragment->common_time_ms = ft_u48le(&v);
    fragment->has_common_time = ft_view_ok(&v);
}

/* Points of one size: skipped in one step when nobody wants them. */
static bool read_fixed(struct ft_context *ctx, struct ft_dnp3_fragment *fragment,
                       const struct ft_dnp3_object *o, const char *format, struct ft_view *v)
{
    uint32_t size = size_of(format) + prefix_size(o->prefix_code);
    uint64_t total = o->count * size;
    bool is_whole = total <= v->len;
    struct ft_view points = is_whole ? ft_sub(v, (uint32_t)total) : ft_rest(v);

    if (o->group == 51)
        note_common_time(fragment, o, points);
    if (size && (wants_points(ctx) || *format == 'X')) {
        uint32_t n = ft_count(&points, o->count, size) - (is_whole ? 0 : 1);

        for (uint32_t i = 0; i < n; i++)
            read_fixed_point(ctx, fragment, o, format, i, &points);
    }
    if (!is_whole)
        ft_view_fail(v);
    return is_whole;
}

static bool read_octet_strings(struct ft_context *ctx, const struct ft_dnp3_object *o,
                               struct ft_view *v)
{
    uint32_t size = o->variation + prefix_size(o->prefix_code);
    uint32_t n = ft_count(v, o->count, size);

    if (!wants_points(ctx))
        return o->count * size <= v->len ? ft_skip(v, n * size) : (ft_view_fail(v), false);
    for (uint32_t i = 0; i < n && ft_view_ok(v); i++) {
        begin_point(ctx, o, i, v);

        struct ft_view text = ft_sub(v, o->variation);

        ft_put_string(ctx, DNP3_F_TEXT, text);
        ft_put_bytes(ctx, DNP3_F_OCTETS, text);
        end_point(ctx);
    }
    return ft_view_ok(v);
}

/* Indexes (or nothing) alone: a request that names points without values. */
static bool read_names(struct ft_context *ctx, const struct ft_dnp3_object *o, struct ft_view *v)
{
    uint32_t size = prefix_size(o->prefix_code);

    if (size == 0)
        return true;

    uint32_t n = ft_count(v, o->count, size);

    for (uint32_t i = 0; i < n && ft_view_ok(v); i++) {
        begin_point(ctx, o, i, v);
        end_point(ctx);
    }
    return ft_view_ok(v);
}

/* ---- device attributes (group 0) ----------------------------------------------------------- */

enum attribute_type {
    ATTRIBUTE_TEXT = 1,
    ATTRIBUTE_UINT = 2,
    ATTRIBUTE_INT = 3,
    ATTRIBUTE_FLOAT = 4,
    ATTRIBUTE_OCTETS = 5,
    ATTRIBUTE_BITS = 6,
    ATTRIBUTE_TIME = 7,
    ATTRIBUTE_EXTENDED_LIST = 255,
};

static void state_attribute(struct ft_context *ctx, uint8_t variation, struct ft_view text)
{
    static const struct {
        uint8_t variation, fact;
    } facts[] = {{196, FT_FACT_PROJECT},  {242, FT_FACT_FIRMWARE}, {243, FT_FACT_HARDWARE},
                 {245, FT_FACT_LOCATION}, {247, FT_FACT_NAME},     {248, FT_FACT_SERIAL},
                 {250, FT_FACT_MODEL},    {252, FT_FACT_VENDOR}};
    for (unsigned i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
        if (facts[i].variation == variation)
            ft_asset(ctx, FT_SENDER, (enum ft_fact)facts[i].fact, text);
}

/* Attributes 196 and 197 name the configuration: another value is another configuration. */
static void compare_configuration(struct ft_context *ctx, uint64_t pair_key, uint8_t variation,
                                  const struct ft_view *at)
{
    if (variation != 196 && variation != 197)
        return;

    struct ft_dnp3_pair *pair = ft_channel(ctx, FT_SCOPE_HOST_PAIR, pair_key);

    if (!pair)
        return;

    uint64_t *known = &pair->config_hash[variation - 196];
    uint64_t hash = 0xcbf29ce484222325u;

    for (struct ft_view v = *at; v.len;)
        hash = (hash ^ ft_u8(&v)) * 0x100000001b3u;
    if (*known && *known != hash)
        ft_violation(ctx, DNP3_V_CONFIG_CHANGED, at);
    *known = hash ? hash : 1;
}

static void put_attribute(struct ft_context *ctx, uint8_t type, struct ft_view value)
{
    struct ft_view v = value;

    switch (type) {
    case ATTRIBUTE_TEXT:
        ft_put_string(ctx, DNP3_F_TEXT, value);
        break;
    case ATTRIBUTE_UINT:
        ft_put_float(ctx, DNP3_F_VALUE, (double)ft_uint_le(&v, value.len), &v);
        break;
    case ATTRIBUTE_INT: {
        unsigned unused = value.len >= 1 && value.len <= 8 ? 64 - 8 * value.len : 0;
        uint64_t x = ft_uint_le(&v, value.len) << unused;

        ft_put_float(ctx, DNP3_F_VALUE, (double)((int64_t)x >> unused), &v);
        break;
    }
    case ATTRIBUTE_FLOAT:
        ft_put_float(ctx, DNP3_F_VALUE, value.len == 4 ? (double)ft_f32le(&v) : ft_f64le(&v), &v);
        break;
    case ATTRIBUTE_TIME:
        ft_put_uint(ctx, DNP3_F_TIME, ft_dnp3_time(ft_u48le(&v)), &v);
        break;
    default:
        ft_put_bytes(ctx, DNP3_F_OCTETS, value);
        break;
    }
}

/* Data type, length, value; the lengths of an extended list count from 256 on. */
static void read_attribute(struct ft_context *ctx, struct ft_dnp3_fragment *fragment,
                           uint8_t variation, struct ft_view *v)
{
    uint8_t type = ft_u8(v);
    uint32_t length = ft_u8(v) + (type == ATTRIBUTE_EXTENDED_LIST ? 256u : 0u);
    struct ft_view value = ft_sub(v, length);

    if (!ft_view_ok(v))
        return;
    ft_put_uint(ctx, DNP3_F_ATTRIBUTE, variation, NULL);
    put_attribute(ctx, type, value);
    if (fragment->is_from_master)
        return;
    if (type == ATTRIBUTE_TEXT)
        state_attribute(ctx, variation, value);
    compare_configuration(ctx, fragment->pair_key, variation, &value);
}

static bool read_attributes(struct ft_context *ctx, struct ft_dnp3_fragment *fragment,
                            const struct ft_dnp3_object *o, struct ft_view *v)
{
    uint32_t n = ft_count(v, o->count, 2 + prefix_size(o->prefix_code));

    for (uint32_t i = 0; i < n && ft_view_ok(v); i++) {
        begin_point(ctx, o, i, v);
        read_attribute(ctx, fragment, o->variation, v);
        end_point(ctx);
    }
    return ft_view_ok(v);
}

/* ---- objects whose size stands before them ------------------------------------------------- */

static void read_sized_point(struct ft_context *ctx, struct ft_dnp3_fragment *fragment,
                             const struct ft_dnp3_object *o, struct ft_view v)
{
    const char *format = format_of(o);

    if (o->group == 70)
        ft_dnp3_file(ctx, fragment, o->variation, v);
    else if (o->group == 120)
        ft_dnp3_auth(ctx, fragment, o->variation, v);
    else if (o->group == 0)
        read_attribute(ctx, fragment, o->variation, &v);
    else if (*format && *format != '1' && *format != '2' && size_of(format) == v.len)
        for (; *format; format++)
            put_element(ctx, fragment, *format, &v);
    else
        ft_put_bytes(ctx, DNP3_F_OCTETS, v);
}

static bool read_sized(struct ft_context *ctx, struct ft_dnp3_fragment *fragment,
                       const struct ft_dnp3_object *o, struct ft_view *v)
{
    uint32_t n = ft_count(v, o->count, prefix_size(o->prefix_code));

    for (uint32_t i = 0; i < n && ft_view_ok(v); i++) {
        uint32_t size = begin_point(ctx, o, i, v);
        struct ft_view point = ft_sub(v, size);

        read_sized_point(ctx, fragment, o, point);
        end_point(ctx);
    }
    return ft_view_ok(v);
}

/* Group 120 variations 3 and 4 have one size and need no prefix. */
static bool read_fixed_auth(struct ft_context *ctx, struct ft_dnp3_fragment *fragment,
                            const struct ft_dnp3_object *o, uint32_t size, struct ft_view *v)
{
    uint32_t n = ft_count(v, o->count, size + prefix_size(o->prefix_code));

    for (uint32_t i = 0; i < n && ft_view_ok(v); i++) {
        begin_point(ctx, o, i, v);
        ft_dnp3_auth(ctx, fragment, o->variation, ft_sub(v, size));
        end_point(ctx);
    }
    return ft_view_ok(v);
}

/* ---- headers ------------------------------------------------------------------------------- */

/* Functions whose objects only name points; objects with a size and those of group 120 have data.
 */
static bool has_data(const struct ft_dnp3_fragment *fragment, const struct ft_dnp3_object *o)
{
    if (o->prefix_code >= 4 || o->group == 120)
        return true;
    switch (fragment->function) {
    case DNP3_READ:
    case DNP3_FREEZE:
    case DNP3_FREEZE_NO_ACK:
    case DNP3_FREEZE_CLEAR:
    case DNP3_FREEZE_CLEAR_NO_ACK:
    case DNP3_ENABLE_UNSOLICITED:
    case DNP3_DISABLE_UNSOLICITED:
    case DNP3_ASSIGN_CLASS:
        return false;
    case DNP3_FREEZE_AT_TIME:
    case DNP3_FREEZE_AT_TIME_NO_ACK:
        return o->group == 50;
    default:
        return true;
    }
}

static bool read_data(struct ft_context *ctx, struct ft_dnp3_fragment *fragment,
                      const struct ft_dnp3_object *o, struct ft_view *v)
{
    const char *format = format_of(o);

    if (o->is_all) {
        /* Without a range nobody can tell how many objects follow. */
        if (*format == '-')
            return true;
        ft_dnp3_bad_format(ctx, fragment, DNP3_V_QUALIFIER, v);
        return false;
    }
    if (o->prefix_code >= 4)
        return read_sized(ctx, fragment, o, v);
    if (*format == '1' || *format == '2')
        return read_packed(ctx, fragment, o, (unsigned)(*format - '0'), v);
    if (*format)
        return read_fixed(ctx, fragment, o, format, v);
    if (is_octet_string(o))
        return read_octet_strings(ctx, o, v);
    if (o->group == 0)
        return read_attributes(ctx, fragment, o, v);
    if (o->group == 120 && (o->variation == 3 || o->variation == 4))
        return read_fixed_auth(ctx, fragment, o, o->variation == 3 ? 6 : 2, v);

    ft_dnp3_bad_format(ctx, fragment, DNP3_V_OBJECT_UNKNOWN, v);
    return false;
}

/* Qualifier and range; false: what follows cannot be told. */
static bool read_range(struct ft_context *ctx, struct ft_dnp3_fragment *fragment,
                       struct ft_dnp3_object *o, struct ft_view *v)
{
    uint8_t qualifier = ft_u8(v);
    uint32_t stop;

    o->prefix_code = qualifier >> 4 & 7;
    o->range_code = qualifier & 0x0f;
    ft_put_uint(ctx, DNP3_F_QUALIFIER, qualifier, v);
    ft_put_uint(ctx, DNP3_F_PREFIX_CODE, o->prefix_code, v);
    ft_put_uint(ctx, DNP3_F_RANGE_CODE, o->range_code, v);
    if (ft_view_ok(v) && (qualifier & 0x80 || o->prefix_code == 7 ||
                          (o->range_code == 0x0b && o->prefix_code < 4))) {
        ft_dnp3_bad_format(ctx, fragment, DNP3_V_QUALIFIER, v);
        return false;
    }

    switch (o->range_code) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
        o->start = (uint32_t)ft_uint_le(v, 1u << o->range_code % 3);
        ft_put_uint(ctx, DNP3_F_START, o->start, v);
        stop = (uint32_t)ft_uint_le(v, 1u << o->range_code % 3);
        ft_put_uint(ctx, DNP3_F_STOP, stop, v);
        if (stop < o->start) {
            if (ft_view_ok(v))
                ft_dnp3_bad_format(ctx, fragment, DNP3_V_RANGE, v);
            return false;
        }
        o->count = (uint64_t)stop - o->start + 1;
        break;
    case 6:
        o->is_all = true;
        return ft_view_ok(v);
    case 7:
    case 8:
    case 9:
        o->count = ft_uint_le(v, 1u << (o->range_code - 7));
        break;
    case 0x0b:
        o->count = ft_u8(v);
        break;
    default:
        if (ft_view_ok(v))
            ft_dnp3_bad_format(ctx, fragment, DNP3_V_QUALIFIER, v);
        return false;
    }
    ft_put_uint(ctx, DNP3_F_COUNT, o->count, v);
    return ft_view_ok(v);
}

static bool read_object(struct ft_context *ctx, struct ft_dnp3_fragment *fragment,
                        struct ft_view *v)
{
    struct ft_dnp3_object o = {0};

    o.group = ft_u8(v);
    ft_put_uint(ctx, DNP3_F_GROUP, o.group, v);
    o.variation = ft_u8(v);
    ft_put_uint(ctx, DNP3_F_VARIATION, o.variation, v);
    if (!read_range(ctx, fragment, &o, v))
        return false;
    return has_data(fragment, &o) ? read_data(ctx, fragment, &o, v) : read_names(ctx, &o, v);
}

void ft_dnp3_objects(struct ft_context *ctx, struct ft_dnp3_fragment *fragment, struct ft_view *v)
{
    fragment->is_complete = true;
    while (fragment->is_complete && !ft_view_at_end(v)) {
        ft_group_begin(ctx, DNP3_F_OBJECT);
        fragment->is_complete = read_object(ctx, fragment, v);
        ft_group_end(ctx, DNP3_F_OBJECT);
    }
    if (ft_view_is_malformed(v))
        ft_dnp3_bad_format(ctx, fragment, DNP3_V_OBJECT_DATA, v);
    fragment->is_complete &= ft_view_ok(v);
}
