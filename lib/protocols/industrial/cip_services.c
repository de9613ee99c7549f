/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The data of CIP services: attributes, tags of Logix controllers, and the objects whose services
 * change a controller. What is not known is put as bytes.
 */
#include <stdio.h>

#include "cip.h"

/* Values of a tag that are put one by one. */
#define MAX_VALUES 64u

#define FRAGMENT_KEY (1ull << 63)

enum {
    TYPE_STRUCTURE = 0x02a0,
    TYPE_BOOL = 0xc1,
    TYPE_REAL = 0xca,
    TYPE_LREAL = 0xcb,
    TYPE_STRING = 0xd0,
    TYPE_SHORT_STRING = 0xda,
};

static void put_rest(struct ft_context *ctx, struct ft_view *v)
{
    struct ft_view rest = ft_rest(v);

    if (rest.len)
        ft_put_bytes(ctx, CIP_DATA, rest);
}

/* ---- fragments ----------------------------------------------------------------------------- */

/* Where a transfer in parts has come to. */
struct transfer {
    uint64_t next; /* offset that the next part begins with */
    uint8_t is_started;
};

/*
 * Parts may come again, and a transfer may begin anew; what may not happen is that the next part
 * begins beyond the end of the last.
 */
static void follow_transfer(struct ft_context *ctx, uint64_t key, uint32_t offset, uint32_t size,
                            const struct ft_view *at)
{
    struct transfer *t = ft_channel(ctx, FT_SCOPE_FLOW, key | FRAGMENT_KEY);

    if (!t)
        return;
    if (t->is_started && offset > t->next && !ctx->is_midstream)
        ft_violation(ctx, CIP_FRAGMENT_GAP, at);
    t->next = (uint64_t)offset + size;
    t->is_started = 1;
}

/* ---- tags ---------------------------------------------------------------------------------- */

static void put_integers(struct ft_context *ctx, struct ft_view v, uint32_t size, bool is_signed)
{
    for (uint32_t i = 0; i < MAX_VALUES && v.len >= size; i++) {
        uint64_t x = ft_uint_le(&v, size);
        unsigned shift = 64 - 8 * size;
        ft_put_int(ctx, CIP_VALUES, is_signed ? (int64_t)(x << shift) >> shift : (int64_t)x, &v);
    }
}

static void put_reals(struct ft_context *ctx, struct ft_view v, uint32_t size)
{
    for (uint32_t i = 0; i < MAX_VALUES && v.len >= size; i++) {
        double x = size == 4 ? (double)ft_f32le(&v) : ft_f64le(&v);
        ft_put_float(ctx, CIP_VALUES_REAL, x, &v);
    }
}

static void put_values(struct ft_context *ctx, uint16_t type, struct ft_view v)
{
    /* Sizes of the types 0xC1..0xCB and 0xD1..0xD4; negative: signed. */
    static const int8_t sizes[32] = {
        [0x01] = 1, [0x02] = -1, [0x03] = -2, [0x04] = -4, [0x05] = -8, [0x06] = 1, [0x07] = 2,
        [0x08] = 4, [0x09] = 8,  [0x11] = 1,  [0x12] = 2,  [0x13] = 4,  [0x14] = 8,
    };

    if (type == TYPE_REAL || type == TYPE_LREAL) {
        put_reals(ctx, v, type == TYPE_REAL ? 4 : 8);
    } else if (type == TYPE_STRING) {
        struct ft_view text = ft_sub_u16le(&v);
        ft_put_string(ctx, CIP_VALUE_TEXT, text);
    } else if (type == TYPE_SHORT_STRING) {
        struct ft_view text = ft_sub_u8(&v);
        ft_put_string(ctx, CIP_VALUE_TEXT, text);
    } else if (type >= 0xc0 && type < 0xe0 && sizes[type & 0x1f]) {
        int size = sizes[type & 0x1f];
        put_integers(ctx, v, (uint32_t)(size < 0 ? -size : size), size < 0);
    }
}

static uint16_t read_type(struct ft_context *ctx, struct ft_view *v)
{
    uint16_t type = ft_u16le(v);

    ft_put_uint(ctx, CIP_DATA_TYPE, type, v);
    if (type == TYPE_STRUCTURE) {
        uint16_t handle = ft_u16le(v);
        ft_put_uint(ctx, CIP_STRUCTURE, handle, v);
    }
    return type;
}

static void read_tag_data(struct ft_context *ctx, uint16_t type, struct ft_view *v)
{
    struct ft_view data = ft_rest(v);

    ft_put_bytes(ctx, CIP_DATA, data);
    if (ft_wants(ctx, CIP_VALUES) || ft_wants(ctx, CIP_VALUES_REAL) ||
        ft_wants(ctx, CIP_VALUE_TEXT))
        put_values(ctx, type, data);
}

static void read_tag_request(struct ft_context *ctx, const struct ft_cip_message *m,
                             struct ft_view *v)
{
    bool is_write = m->service == FT_CIP_WRITE_TAG || m->service == FT_CIP_WRITE_TAG_FRAGMENT;
    uint16_t type = is_write ? read_type(ctx, v) : 0;
    uint16_t count = ft_u16le(v);

    ft_put_uint(ctx, CIP_COUNT, count, v);
    if (m->service == FT_CIP_READ_TAG_FRAGMENT || m->service == FT_CIP_WRITE_TAG_FRAGMENT) {
        uint32_t offset = ft_u32le(v);
        ft_put_uint(ctx, CIP_OFFSET, offset, v);
        if (is_write && ft_view_ok(v))
            follow_transfer(ctx, ft_cip_hash(m->path->bytes), offset, v->len, v);
    }
    if (is_write)
        read_tag_data(ctx, type, v);
}

static void read_tag_response(struct ft_context *ctx, const struct ft_cip_message *m,
                              struct ft_view *v)
{
    if (!v->len || (m->service != FT_CIP_READ_TAG && m->service != FT_CIP_READ_TAG_FRAGMENT))
        return;
    uint16_t type = read_type(ctx, v);
    if (m->keep->count)
        ft_put_uint(ctx, CIP_COUNT, m->keep->count, NULL);
    if (m->service == FT_CIP_READ_TAG_FRAGMENT)
        ft_put_uint(ctx, CIP_OFFSET, m->keep->offset, NULL);
    read_tag_data(ctx, type, v);
}

/* [mask size u16][OR mask][AND mask] */
static void read_modify(struct ft_context *ctx, struct ft_view *v)
{
    uint32_t size = ft_u16le(v);
    struct ft_view or_mask = ft_sub(v, size), and_mask = ft_sub(v, size);

    ft_put_uint(ctx, CIP_COUNT, size, NULL);
    ft_put_uint(ctx, CIP_VALUES, ft_uint_le(&or_mask, or_mask.len < 8 ? or_mask.len : 8), NULL);
    ft_put_uint(ctx, CIP_VALUES, ft_uint_le(&and_mask, and_mask.len < 8 ? and_mask.len : 8), NULL);
}

static bool read_tag_service(struct ft_context *ctx, const struct ft_cip_message *m,
                             struct ft_view *v)
{
    switch (m->service) {
    case FT_CIP_READ_TAG:
    case FT_CIP_WRITE_TAG:
    case FT_CIP_READ_TAG_FRAGMENT:
    case FT_CIP_WRITE_TAG_FRAGMENT:
        if (m->is_response)
            read_tag_response(ctx, m, v);
        else
            read_tag_request(ctx, m, v);
        return true;
    case FT_CIP_MODIFY_TAG:
        if (m->is_response)
            return false;
        read_modify(ctx, v);
        return true;
    default:
        return false;
    }
}

/* ---- objects ------------------------------------------------------------------------------- */

static void read_identity(struct ft_context *ctx, const struct ft_cip_message *m, struct ft_view *v)
{
    struct ft_cip_identity identity;

    ft_group_begin(ctx, CIP_IDENTITY);
    ft_cip_identity_read(ctx, CIP_IDENTITY, FT_SERVER, m->is_addressed, v, &identity);
    if (v->len) {
        uint8_t state = ft_u8(v);
        ft_put_uint(ctx, CIP_IDENTITY + FT_CIP_IDENTITY_STATE, state, v);
    }
    ft_group_end(ctx, CIP_IDENTITY);
    if (ft_view_ok(v) && ft_cip_identity_is_faulty(&identity))
        ft_violation(ctx, CIP_DEVICE_FAULT, v);
    ft_rest(v);
}

static void put_address(struct ft_context *ctx, uint32_t field, struct ft_view *v)
{
    uint32_t address = ft_u32le(v);

    if (address)
        ft_put_uint(ctx, field, address, v);
}

/* Interface configuration: five addresses, little-endian, and the domain. */
static void read_interface(struct ft_context *ctx, struct ft_view *v)
{
    for (uint32_t field = CIP_TCPIP_ADDRESS; field <= CIP_TCPIP_DNS2; field++)
        put_address(ctx, field, v);
    struct ft_view domain = ft_sub_u16le(v);
    if (domain.len)
        ft_put_string(ctx, CIP_TCPIP_DOMAIN, domain);
    if (domain.len & 1 && v->len)
        ft_skip(v, 1);
}

static void read_host_name(struct ft_context *ctx, const struct ft_cip_message *m,
                           struct ft_view *v)
{
    struct ft_view name = ft_sub_u16le(v);

    if (!name.len)
        return;
    ft_put_string(ctx, CIP_TCPIP_HOST_NAME, name);
    if (m->is_response && m->is_addressed && ft_view_ok(v))
        ft_asset(ctx, FT_SERVER, FT_FACT_NAME, name);
}

static void put_method(struct ft_context *ctx, struct ft_view *v)
{
    uint32_t control = ft_u32le(v);

    ft_put_uint(ctx, CIP_TCPIP_METHOD, control & 0x0f, v);
}

/* [status][capability][control][path words u16, path][interface][host name] */
static void read_tcpip_all(struct ft_context *ctx, const struct ft_cip_message *m,
                           struct ft_view *v)
{
    ft_skip(v, 8);
    put_method(ctx, v);
    uint32_t words = ft_u16le(v);
    ft_skip(v, words * 2);
    read_interface(ctx, v);
    if (v->len)
        read_host_name(ctx, m, v);
}

static bool read_tcpip(struct ft_context *ctx, const struct ft_cip_message *m, bool is_all,
                       struct ft_view *v)
{
    if (!is_all && m->attribute != 3 && m->attribute != 5 && m->attribute != 6)
        return false;
    ft_group_begin(ctx, CIP_TCPIP);
    if (is_all)
        read_tcpip_all(ctx, m, v);
    else if (m->attribute == 3)
        put_method(ctx, v);
    else if (m->attribute == 5)
        read_interface(ctx, v);
    else
        read_host_name(ctx, m, v);
    ft_group_end(ctx, CIP_TCPIP);
    ft_rest(v);
    return true;
}

static bool read_link(struct ft_context *ctx, const struct ft_cip_message *m, bool is_all,
                      struct ft_view *v)
{
    if (!is_all && m->attribute != 1 && m->attribute != 3 && m->attribute != 6)
        return false;
    ft_group_begin(ctx, CIP_LINK);
    if (is_all || m->attribute == 1) {
        uint32_t speed = ft_u32le(v);
        ft_put_uint(ctx, CIP_LINK_SPEED, speed, v);
    }
    if (is_all)
        ft_skip(v, 4);
    if (is_all || m->attribute == 3)
        ft_put_bytes(ctx, CIP_LINK_MAC, ft_sub(v, 6));
    if (!is_all && m->attribute == 6) {
        uint16_t control = ft_u16le(v);
        ft_put_uint(ctx, CIP_LINK_CONTROL, control, v);
        uint16_t speed = ft_u16le(v);
        ft_put_uint(ctx, CIP_LINK_SPEED, speed, v);
    }
    ft_group_end(ctx, CIP_LINK);
    ft_rest(v);
    return true;
}

/* Class 0x64 of Logix: the name of the project and what it is about. */
static void read_project(struct ft_context *ctx, const struct ft_cip_message *m, struct ft_view *v)
{
    ft_group_begin(ctx, CIP_PROJECT);
    struct ft_view name = ft_sub_u16le(v);
    ft_put_string(ctx, CIP_PROJECT_NAME, name);
    struct ft_view description = v->len ? ft_sub_u16le(v) : ft_view_empty();
    if (description.len)
        ft_put_string(ctx, CIP_PROJECT_DESCRIPTION, description);
    ft_group_end(ctx, CIP_PROJECT);
    if (ft_view_ok(v) && m->is_addressed && name.len)
        ft_asset(ctx, FT_SERVER, FT_FACT_PROJECT, name);
    if (ft_view_ok(v) && m->is_addressed && description.len)
        ft_asset(ctx, FT_SERVER, FT_FACT_DESCRIPTION, description);
    ft_rest(v);
}

/* Wall clock, attribute 6: microseconds since 1970. */
static void put_clock(struct ft_context *ctx, struct ft_view value)
{
    uint64_t microseconds = ft_u64le(&value);

    if (ft_view_ok(&value) && microseconds < UINT64_MAX / 1000)
        ft_put_uint(ctx, CIP_CLOCK, microseconds * 1000, &value);
}

/* ---- attributes ---------------------------------------------------------------------------- */

/* The value of one attribute, of objects that are known; false: put it as bytes. */
static bool read_attribute(struct ft_context *ctx, const struct ft_cip_message *m,
                           struct ft_view *v)
{
    switch (m->class_id) {
    case FT_CIP_IDENTITY:
        if (m->is_response && m->is_addressed)
            ft_cip_identity_attribute(ctx, FT_SERVER, m->attribute, *v);
        return false;
    case FT_CIP_TCPIP:
        return read_tcpip(ctx, m, false, v);
    case FT_CIP_ETHERNET_LINK:
        return read_link(ctx, m, false, v);
    case FT_CIP_WALL_CLOCK:
        if (m->attribute == 6)
            put_clock(ctx, *v);
        return false;
    default:
        return false;
    }
}

static bool read_all_attributes(struct ft_context *ctx, const struct ft_cip_message *m,
                                struct ft_view *v)
{
    switch (m->class_id) {
    case FT_CIP_IDENTITY:
        if (m->instance == 0)
            return false;
        read_identity(ctx, m, v);
        return true;
    case FT_CIP_PROJECT:
        if (m->instance == 0)
            return false;
        read_project(ctx, m, v);
        return true;
    case FT_CIP_TCPIP:
        return m->instance ? read_tcpip(ctx, m, true, v) : false;
    case FT_CIP_ETHERNET_LINK:
        return m->instance ? read_link(ctx, m, true, v) : false;
    default:
        return false;
    }
}

/* Bytes of an attribute in a list, 0 = not known: then it is read to the end. */
static uint32_t attribute_size(uint32_t class_id, uint32_t attribute, const struct ft_view *v)
{
    static const uint8_t identity[8] = {0, 2, 2, 2, 2, 2, 4, 0};

    if (class_id == FT_CIP_IDENTITY && attribute == 7)
        return v->len ? 1u + v->data[0] : 0;
    if (class_id == FT_CIP_IDENTITY && attribute < 8)
        return identity[attribute];
    if (class_id == FT_CIP_WALL_CLOCK && attribute == 6)
        return 8;
    return 0;
}

/*
 * [count u16] and for each [id u16], [status u16] in responses, [value] but for requests to read
 * and responses to writes. The size of a value is known for few objects: the last one that can be
 * found takes the rest.
 */
static void read_attribute_list(struct ft_context *ctx, const struct ft_cip_message *m,
                                struct ft_view *v)
{
    bool is_set = m->service == FT_CIP_SET_ATTRIBUTE_LIST;
    bool has_value = is_set != m->is_response;
    uint32_t n = ft_u16le(v);

    ft_put_uint(ctx, CIP_COUNT, n, v);
    n = ft_count(v, n, m->is_response ? 4 : 2);
    for (uint32_t i = 0; i < n; i++) {
        struct ft_cip_message one = *m;
        ft_group_begin(ctx, CIP_ATTRIBUTES);
        one.attribute = ft_u16le(v);
        ft_put_uint(ctx, CIP_ATTRIBUTES_ID, one.attribute, v);
        uint16_t status = m->is_response ? ft_u16le(v) : 0;
        if (m->is_response)
            ft_put_uint(ctx, CIP_ATTRIBUTES_STATUS, status, v);
        if (has_value && status == 0 && ft_view_ok(v)) {
            uint32_t size = attribute_size(m->class_id, one.attribute, v);
            struct ft_view value = size ? ft_sub(v, size) : ft_rest(v);
            ft_put_bytes(ctx, CIP_ATTRIBUTES_VALUE, value);
            ft_group_end(ctx, CIP_ATTRIBUTES);
            read_attribute(ctx, &one, &value);
            if (!size)
                return;
            continue;
        }
        ft_group_end(ctx, CIP_ATTRIBUTES);
    }
}

static bool read_attribute_service(struct ft_context *ctx, const struct ft_cip_message *m,
                                   struct ft_view *v)
{
    bool is_set =
        m->service == FT_CIP_SET_ATTRIBUTES_ALL || m->service == FT_CIP_SET_ATTRIBUTE_SINGLE;

    switch (m->service) {
    case FT_CIP_GET_ATTRIBUTES_ALL:
        return m->is_response && v->len && read_all_attributes(ctx, m, v);
    case FT_CIP_GET_ATTRIBUTE_SINGLE:
    case FT_CIP_SET_ATTRIBUTE_SINGLE:
        return is_set != m->is_response && v->len && read_attribute(ctx, m, v);
    case FT_CIP_GET_ATTRIBUTE_LIST:
    case FT_CIP_SET_ATTRIBUTE_LIST:
        if (!v->len)
            return false;
        read_attribute_list(ctx, m, v);
        return true;
    default:
        return false;
    }
}

/* ---- services that change a controller ----------------------------------------------------- */

static void read_reset(struct ft_context *ctx, struct ft_view *v)
{
    struct ft_view at = *v;

    if (v->len) {
        uint8_t type = ft_u8(v);
        ft_put_uint(ctx, CIP_RESET_TYPE, type, v);
    }
    ft_violation(ctx, CIP_CONTROLLER_RESET, &at);
}

static bool read_mode(struct ft_context *ctx, const struct ft_cip_message *m, struct ft_view *v)
{
    if (m->service != FT_CIP_START && m->service != FT_CIP_STOP)
        return false;
    ft_put_uint(ctx, CIP_MODE_CHANGE, m->service, NULL);
    if (m->service == FT_CIP_STOP)
        ft_violation(ctx, CIP_CONTROLLER_STOP, v);
    return false;
}

static bool read_lock(struct ft_context *ctx, const struct ft_cip_message *m, struct ft_view *v)
{
    if (m->service != 0x4b && m->service != 0x4c)
        return false;
    ft_put_uint(ctx, CIP_LOCK, m->service, NULL);
    if (v->len) {
        uint8_t kind = ft_u8(v);
        ft_put_uint(ctx, CIP_LOCK_TARGET, kind, v);
    }
    return false;
}

/* ControlFLASH: 4B {size} -> {4 bytes, block size}, then 4D {offset, data} -> {offset}. */
static bool read_firmware(struct ft_context *ctx, const struct ft_cip_message *m, struct ft_view *v)
{
    bool is_start = m->service == 0x4b;

    if ((!is_start && m->service != 0x4d) || v->len < (is_start && m->is_response ? 6 : 4))
        return false;
    ft_group_begin(ctx, CIP_FIRMWARE);
    if (is_start && m->is_response) {
        ft_skip(v, 4);
        uint16_t block = ft_u16le(v);
        ft_put_uint(ctx, CIP_FIRMWARE_BLOCK, block, v);
    } else if (is_start) {
        uint32_t size = ft_u32le(v);
        ft_put_uint(ctx, CIP_FIRMWARE_SIZE, size, v);
    } else {
        uint32_t offset = ft_u32le(v);
        ft_put_uint(ctx, CIP_FIRMWARE_OFFSET, offset, v);
        if (!m->is_response) {
            ft_put_uint(ctx, CIP_FIRMWARE_BLOCK, v->len, NULL);
            follow_transfer(ctx, FT_CIP_FIRMWARE, offset, v->len, v);
        }
    }
    ft_group_end(ctx, CIP_FIRMWARE);
    return false;
}

/* Requests of objects with services of their own; true when nothing is left to put. */
static bool read_object_service(struct ft_context *ctx, const struct ft_cip_message *m,
                                struct ft_view *v)
{
    switch (m->class_id) {
    case FT_CIP_IDENTITY:
        if (m->service == FT_CIP_RESET && !m->is_response)
            read_reset(ctx, v);
        return false;
    case FT_CIP_CONTROLLER:
        return m->is_response ? false : read_mode(ctx, m, v);
    case FT_CIP_SEMAPHORE:
        return m->is_response ? false : read_lock(ctx, m, v);
    case FT_CIP_FIRMWARE:
        return read_firmware(ctx, m, v);
    case FT_CIP_SYMBOL:
        return (m->is_response ? m->keep != NULL : true) && read_tag_service(ctx, m, v);
    default:
        return false;
    }
}

void ft_cip_data_read(struct ft_context *ctx, const struct ft_cip_message *m, struct ft_view *v)
{
    bool is_done;

    /* Refusals carry nothing, or what only the vendor knows. */
    if (m->is_response && m->status != 0 && m->status != 0x06) {
        put_rest(ctx, v);
        return;
    }
    if (m->class_id == FT_ANY_QUALIFIER)
        is_done = false;
    else if (m->service < 0x20 && m->service != FT_CIP_RESET && m->service != FT_CIP_START &&
             m->service != FT_CIP_STOP)
        is_done = read_attribute_service(ctx, m, v);
    else
        is_done = read_object_service(ctx, m, v);
    if (!is_done || v->len)
        put_rest(ctx, v);
}
