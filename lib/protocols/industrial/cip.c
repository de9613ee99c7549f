/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CIP, the Common Industrial Protocol (ODVA, The CIP Networks Library, Volume 1), with the services
 * of Rockwell's Logix controllers (Rockwell publication 1756-PM020) and PCCC (1770-6.5.16).
 *
 * A request is a service sent to an object that a path names; the response repeats the service and
 * nothing else, so what it means is known from the request only: pairing keeps class, instance, tag
 * and route for it. A service may carry others: Multiple Service Packet carries several,
 * Unconnected Send one for a device behind this one; each is a message of its own.
 *
 * Command codes: the service is the code, the class of the object the qualifier (0x6B for objects
 * that are addressed by name). PCCC commands are 0x10000 | CMD << 8 | FNC, data of class 0 and 1
 * connections is 0x20000.
 */
#include "cip.h"
#include "cip_schema.h"

/* Requests without a response that are passed over to find the one that a response answers. */
#define MAX_LOST 8u

/* Requests and responses of a flow, to tell a response that nobody asked for. */
struct cip_flow {
    uint32_t waiting;
    uint8_t is_started;
};

uint64_t ft_cip_hash(struct ft_view bytes)
{
    uint64_t hash = 0xcbf29ce484222325ull;

    while (bytes.len)
        hash = (hash ^ ft_u8(&bytes)) * 0x100000001b3ull;
    return hash;
}

/* ---- paths --------------------------------------------------------------------------------- */

static void put_segments(struct ft_context *ctx, struct ft_view path)
{
    struct ft_cip_segment segment;

    while (ft_cip_segment_next(&path, &segment)) {
        ft_group_begin(ctx, CIP_PATH);
        ft_put_uint(ctx, CIP_PATH_SEGMENT_TYPE, segment.kind, NULL);
        if (segment.kind == FT_CIP_SEGMENT_SYMBOL)
            ft_put_string(ctx, CIP_PATH_TEXT, segment.data);
        else
            ft_put_uint(ctx, CIP_PATH_VALUE, segment.value, &path);
        ft_group_end(ctx, CIP_PATH);
    }
}

static void put_key(struct ft_context *ctx, struct ft_view key)
{
    if (!ft_wants(ctx, CIP_KEY) || key.len < 8)
        return;
    ft_group_begin(ctx, CIP_KEY);
    uint16_t vendor = ft_u16le(&key);
    ft_put_uint(ctx, CIP_KEY_VENDOR, vendor, &key);
    uint16_t device_type = ft_u16le(&key);
    ft_put_uint(ctx, CIP_KEY_DEVICE_TYPE, device_type, &key);
    uint16_t product_code = ft_u16le(&key);
    ft_put_uint(ctx, CIP_KEY_PRODUCT_CODE, product_code, &key);
    uint8_t major = ft_u8(&key);
    ft_put_bool(ctx, CIP_KEY_COMPATIBLE, major >> 7, &key);
    ft_put_uint(ctx, CIP_KEY_MAJOR, major & 0x7f, &key);
    uint8_t minor = ft_u8(&key);
    ft_put_uint(ctx, CIP_KEY_MINOR, minor, &key);
    ft_group_end(ctx, CIP_KEY);
}

void ft_cip_path_put(struct ft_context *ctx, const struct ft_cip_path *path, const char *tag,
                     uint32_t tag_length)
{
    if (path->parts & FT_CIP_HAS_MEMBER)
        ft_put_uint(ctx, CIP_ELEMENT, path->member, NULL);
    for (uint32_t i = 0; i < path->point_count; i++)
        ft_put_uint(ctx, CIP_CONNECTION_POINT, path->points[i], NULL);
    if (tag_length)
        ft_put_text(ctx, CIP_TAG, tag, tag_length, NULL);
    if (path->parts & FT_CIP_HAS_KEY)
        put_key(ctx, path->key);
    if (ft_wants(ctx, CIP_PATH))
        put_segments(ctx, path->bytes);
}

/* Who is addressed: class, instance, attribute. */
static void put_object(struct ft_context *ctx, const struct ft_cip_message *m)
{
    if (m->class_id != FT_ANY_QUALIFIER) {
        ft_put_uint(ctx, CIP_CLASS_NAME, m->class_id, NULL);
        if (ft_cip_is_private_class(m->class_id))
            ft_put_bool(ctx, CIP_PRIVATE_CLASS, true, NULL);
    }
    if (m->path ? m->path->parts & FT_CIP_HAS_INSTANCE : m->instance != 0)
        ft_put_uint(ctx, CIP_INSTANCE, m->instance, NULL);
    if (m->path ? m->path->parts & FT_CIP_HAS_ATTRIBUTE : m->attribute != 0)
        ft_put_uint(ctx, CIP_ATTRIBUTE, m->attribute, NULL);
}

/* ---- services that carry others ------------------------------------------------------------ */

/* One service inside another, as a message of its own. False: there is no room for more. */
static bool read_inside(struct ft_context *ctx, struct ft_view part,
                        const struct ft_cip_where *where)
{
    if (where->depth > FT_CIP_MAX_DEPTH) {
        ft_violation(ctx, CIP_TOO_DEEP, NULL);
        return false;
    }
    if (!ft_message_begin(ctx))
        return false;
    ft_cip_service_read(ctx, &part, where);
    if (ft_view_is_malformed(&part))
        ft_violation(ctx, FT_VIOLATION_MALFORMED, &part);
    ft_message_end(ctx);
    return true;
}

/* [count u16][offset u16 each, from the count on][services]: the same in both directions. */
static void read_multiple(struct ft_context *ctx, struct ft_view *v,
                          const struct ft_cip_where *where)
{
    struct ft_view all = ft_rest(v), table = all;
    struct ft_cip_where inside = *where;
    uint32_t n = ft_u16le(&table);
    uint32_t first = 2 + 2 * n;

    ft_put_uint(ctx, CIP_EMBEDDED_COUNT, n, &table);
    inside.depth++;
    inside.multiples++;
    if (inside.multiples > 1)
        ft_violation(ctx, CIP_MULTIPLE_NESTED, &table);

    n = ft_count(&table, n, 2);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = ft_u16le(&table);
        int32_t next = i + 1 < n ? ft_peek_u16le(&table, 0) : -1;
        uint32_t end = next >= 0 ? (uint32_t)next : all.len;
        struct ft_view part = all;

        if (!ft_view_ok(&table) || at < first || end <= at || (at >= all.len && !all.is_cut)) {
            if (!all.is_cut)
                ft_violation(ctx, CIP_MULTIPLE_OFFSET, &table);
            return;
        }
        ft_skip(&part, at);
        if (next >= 0) /* the last one goes to the end, wherever that is */
            part = ft_sub(&part, end - at);
        inside.index = i;
        inside.key = ft_cip_key_inside(where->key, i);
        if (!read_inside(ctx, part, &inside))
            return;
    }
}

/* [priority][ticks][size u16][service, padded][route words][0][route]. */
static void read_unconnected_send(struct ft_context *ctx, struct ft_view *v,
                                  const struct ft_cip_where *where)
{
    struct ft_cip_where inside = *where;
    struct ft_cip_path route;
    char text[FT_CIP_TEXT_SIZE];

    uint8_t tick = ft_u8(v) & 0x0f;
    uint32_t ticks = ft_u8(v);
    ft_put_uint(ctx, CIP_TIMEOUT, (uint64_t)ticks << tick, v);
    uint32_t size = ft_u16le(v);
    if (!ft_view_ok(v))
        return;
    struct ft_view service = ft_sub(v, size);
    if (size & 1)
        ft_skip(v, 1);
    uint32_t words = ft_u8(v);
    ft_skip(v, 1);
    ft_cip_path_read(ft_sub(v, words * 2), &route);

    inside.route = text;
    inside.route_length = ft_cip_path_route(&route, text);
    inside.is_routed = true;
    inside.depth++;
    if (inside.route_length)
        ft_put_text(ctx, CIP_ROUTE, text, inside.route_length, v);
    if (route.parts & FT_CIP_HAS_RESERVED)
        ft_violation(ctx, CIP_RESERVED_SEGMENT, v);
    read_inside(ctx, service, &inside);
}

static void read_data(struct ft_context *ctx, struct ft_view *v, const struct ft_cip_message *m,
                      const struct ft_cip_where *where)
{
    if (m->service == FT_CIP_MULTIPLE_SERVICE) {
        read_multiple(ctx, v, where);
    } else if (m->class_id == FT_CIP_CONNECTION_MANAGER) {
        if (m->service == FT_CIP_UNCONNECTED_SEND && !m->is_response)
            read_unconnected_send(ctx, v, where);
        else
            ft_cip_connection_service(ctx, m, v);
    } else if (m->class_id == FT_CIP_PCCC && m->service == FT_CIP_EXECUTE_PCCC) {
        ft_cip_pccc_execute(ctx, v, where->key, m->is_response, m->is_addressed);
    } else {
        ft_cip_data_read(ctx, m, v);
    }
}

/* ---- requests ------------------------------------------------------------------------------ */

static struct cip_flow *flow_of(struct ft_context *ctx)
{
    return ctx->flow_state;
}

static void say_direction(struct ft_context *ctx, enum ft_direction direction)
{
    if (ctx->direction != direction || ctx->confidence < FT_CONFIDENCE_DISSECTOR)
        ft_set_direction(ctx, direction);
}

static void name_command(struct ft_context *ctx, const struct ft_cip_message *m)
{
    ft_command(ctx, m->service, m->class_id);
    if (m->class_id != FT_ANY_QUALIFIER) {
        enum ft_class class_ = ft_cip_service_class(m->service, m->class_id);
        if (class_ != FT_CLASS_UNKNOWN)
            ft_set_class(ctx, class_);
    }
}

/* Fragments say where they begin; reads of many elements how many. Peeked, not taken. */
static void keep_fragment(struct ft_cip_keep *keep, const struct ft_view *v)
{
    if (keep->class_id != FT_CIP_SYMBOL)
        return;
    int32_t count = ft_peek_u16le(v, 0);
    keep->count = count > 0 ? (uint16_t)count : 0;
    if (keep->service == FT_CIP_READ_TAG_FRAGMENT) {
        int64_t offset = ft_peek_u32le(v, 2);
        keep->offset = offset > 0 ? (uint32_t)offset : 0;
    }
}

static void keep_request(struct ft_context *ctx, const struct ft_cip_message *m,
                         const struct ft_view *v, const struct ft_cip_where *where, const char *tag,
                         uint32_t tag_length)
{
    struct ft_cip_keep keep = {.service = m->service,
                               .attribute = (uint16_t)m->attribute,
                               .class_id = m->class_id,
                               .instance = m->instance};
    uint32_t room = FT_CIP_KEEP_TEXT;

    if (where->is_routed)
        keep.flags |= FT_CIP_KEEP_ROUTED;
    if (m->path->parts & FT_CIP_HAS_SYMBOL)
        keep.flags |= FT_CIP_KEEP_SYMBOL;
    if (where->route_length > room) {
        keep.flags |= FT_CIP_KEEP_ROUTE_LOST;
    } else if (where->route_length) {
        keep.route_length = (uint8_t)where->route_length;
        memcpy(keep.text, where->route, where->route_length);
        room -= where->route_length;
    }
    if (tag_length && tag_length <= room) {
        keep.tag_length = (uint8_t)tag_length;
        memcpy(keep.text + keep.route_length, tag, tag_length);
    }
    keep_fragment(&keep, v);
    ft_request(ctx, FT_SCOPE_FLOW, where->key, &keep, sizeof(keep));
}

static void check_path(struct ft_context *ctx, const struct ft_cip_path *path,
                       const struct ft_view *at)
{
    if (path->is_malformed)
        ft_violation(ctx, FT_VIOLATION_MALFORMED, at);
    if (path->parts & FT_CIP_HAS_RESERVED)
        ft_violation(ctx, CIP_RESERVED_SEGMENT, at);
    if (path->parts & FT_CIP_HAS_CLASS && path->class_id == 0)
        ft_violation(ctx, CIP_CLASS_ZERO, at);
}

static uint32_t class_of(const struct ft_cip_path *path)
{
    if (path->parts & FT_CIP_HAS_SYMBOL)
        return FT_CIP_SYMBOL;
    return path->parts & FT_CIP_HAS_CLASS ? path->class_id : FT_ANY_QUALIFIER;
}

static void read_request(struct ft_context *ctx, struct ft_view *v,
                         const struct ft_cip_where *where)
{
    struct ft_cip_path path;
    struct ft_cip_message m = {.path = &path, .is_addressed = true};
    char tag[FT_CIP_TEXT_SIZE];
    uint32_t tag_length = 0;

    m.service = ft_u8(v);
    struct ft_view service_at = *v;
    uint32_t words = ft_u8(v);
    ft_cip_path_read(ft_sub(v, words * 2), &path);
    struct ft_view path_at = *v;
    m.class_id = class_of(&path);
    m.instance = path.instance;
    m.attribute = path.attribute;

    ft_set_kind(ctx, FT_KIND_REQUEST);
    if (!where->depth)
        say_direction(ctx, FT_TO_SERVER);
    if (where->route_length)
        ft_subaddress_text(ctx, FT_SERVER, FT_SUB_ROUTE, where->route, where->route_length);
    name_command(ctx, &m);

    ft_put_uint(ctx, CIP_SERVICE, m.service, &service_at);
    if (where->multiples)
        ft_put_uint(ctx, CIP_EMBEDDED_INDEX, where->index, NULL);
    put_object(ctx, &m);
    if (path.parts & FT_CIP_HAS_SYMBOL && ft_wants(ctx, CIP_TAG))
        tag_length = ft_cip_path_tag(&path, tag);
    ft_cip_path_put(ctx, &path, tag, tag_length);
    if (where->route_length)
        ft_put_text(ctx, CIP_ROUTE, where->route, where->route_length, NULL);

    if (m.service == 0)
        ft_violation(ctx, CIP_SERVICE_ZERO, &service_at);
    check_path(ctx, &path, &path_at);
    if (!ft_view_ok(v))
        return;
    /* The answer to an Unconnected Send is that of the service inside. */
    if (m.service != FT_CIP_UNCONNECTED_SEND || m.class_id != FT_CIP_CONNECTION_MANAGER)
        keep_request(ctx, &m, v, where, tag, tag_length);
    read_data(ctx, v, &m, where);
}

/* ---- responses ----------------------------------------------------------------------------- */

static bool is_failure(uint8_t status)
{
    return status != 0 && status != 0x06;
}

/* A router on the way answers itself when it cannot deliver an Unconnected Send. */
static bool is_routers(const struct ft_cip_keep *keep, const struct ft_cip_message *m)
{
    return keep->flags & FT_CIP_KEEP_ROUTED && m->service == FT_CIP_UNCONNECTED_SEND;
}

/*
 * What the request left; NULL when there is none. Many clients never change their context: requests
 * for other services, whose responses were lost, are passed over.
 */
static const struct ft_cip_keep *find_request(struct ft_context *ctx, struct ft_cip_message *m,
                                              const struct ft_cip_where *where)
{
    for (unsigned i = 0; i < MAX_LOST; i++) {
        const struct ft_cip_keep *keep = ft_response(ctx, FT_SCOPE_FLOW, where->key);
        if (!keep)
            return NULL;
        if (keep->service == m->service) {
            m->class_id = keep->class_id;
            m->instance = keep->instance;
            m->attribute = keep->attribute;
            m->is_addressed = !(keep->flags & FT_CIP_KEEP_ROUTE_LOST);
            return keep;
        }
        if (is_routers(keep, m)) {
            m->class_id = FT_CIP_CONNECTION_MANAGER;
            return NULL;
        }
    }
    return NULL;
}

static void set_route(struct ft_context *ctx, const struct ft_cip_keep *keep,
                      const struct ft_cip_where *where)
{
    if (keep && keep->route_length)
        ft_subaddress_text(ctx, FT_SERVER, FT_SUB_ROUTE, keep->text, keep->route_length);
    else if (!keep && where->route_length)
        ft_subaddress_text(ctx, FT_SERVER, FT_SUB_ROUTE, where->route, where->route_length);
}

/* A response to nothing, in a flow whose beginning and requests were seen. */
static void check_expected(struct ft_context *ctx, const struct ft_cip_where *where,
                           const struct ft_view *at)
{
    struct cip_flow *flow = flow_of(ctx);

    if (where->depth)
        return;
    if (flow->waiting)
        flow->waiting--;
    else if (flow->is_started && !ctx->is_midstream && ctx->transport == FT_TRANSPORT_TCP)
        ft_violation(ctx, CIP_UNEXPECTED_RESPONSE, at);
}

static void put_extended_status(struct ft_context *ctx, struct ft_view words, uint8_t status)
{
    if (!words.len)
        return;
    ft_put_bytes(ctx, CIP_STATUS_EXTENDED, words);
    uint16_t first = ft_u16le(&words);
    if (status == 0x01 || status == 0xff)
        ft_put_uint(ctx, CIP_STATUS_MEANING, first, &words);
}

/* 0x25 and, from the connection manager, 0x0114..0x0116: the client takes it for another device. */
static bool is_key_mismatch(uint8_t status, struct ft_view extended)
{
    int32_t first = ft_peek_u16le(&extended, 0);

    return status == 0x25 || (status == 0x01 && first >= 0x0114 && first <= 0x0116);
}

/* Does the service change something in the device? Of unknown classes of objects, as of plain ones.
 */
static bool is_change(const struct ft_cip_message *m)
{
    uint32_t class_id = m->class_id == FT_ANY_QUALIFIER ? 0 : m->class_id;

    switch (ft_cip_service_class(m->service, class_id)) {
    case FT_CLASS_FIRMWARE:
    case FT_CLASS_PROGRAM:
    case FT_CLASS_MODE:
    case FT_CLASS_CONFIG:
    case FT_CLASS_ADMIN:
    case FT_CLASS_OPERATE:
    case FT_CLASS_WRITE:
        return true;
    default:
        return false;
    }
}

static void tell_failure(struct ft_context *ctx, const struct ft_cip_message *m,
                         struct ft_view extended, const struct ft_view *at)
{
    /* Of a Multiple Service Packet the services inside tell what failed. */
    if (is_failure(m->status) && !(m->service == FT_CIP_MULTIPLE_SERVICE && m->status == 0x1e))
        ft_violation(ctx, is_change(m) ? CIP_SERVICE_FAILED : CIP_ACCESS_FAILED, at);
    if (is_key_mismatch(m->status, extended))
        ft_violation(ctx, CIP_KEY_MISMATCH, at);
}

static void put_kept(struct ft_context *ctx, const struct ft_cip_keep *keep)
{
    if (keep->tag_length)
        ft_put_text(ctx, CIP_TAG, keep->text + keep->route_length, keep->tag_length, NULL);
    if (keep->route_length)
        ft_put_text(ctx, CIP_ROUTE, keep->text, keep->route_length, NULL);
}

static void read_response(struct ft_context *ctx, struct ft_view *v,
                          const struct ft_cip_where *where)
{
    struct ft_cip_message m = {.is_response = true, .class_id = FT_ANY_QUALIFIER};

    m.service = ft_u8(v) & 0x7f;
    struct ft_view service_at = *v;
    uint8_t reserved = ft_u8(v);
    struct ft_view reserved_at = *v;
    m.status = ft_u8(v);
    struct ft_view status_at = *v;
    uint32_t words = ft_u8(v);
    struct ft_view extended = ft_sub(v, words * 2);

    if (!where->depth)
        say_direction(ctx, FT_TO_CLIENT);
    m.keep = find_request(ctx, &m, where);
    /* Nobody else uses the numbers of Forward Open. */
    if (m.class_id == FT_ANY_QUALIFIER &&
        (m.service == FT_CIP_FORWARD_OPEN || m.service == FT_CIP_LARGE_FORWARD_OPEN))
        m.class_id = FT_CIP_CONNECTION_MANAGER;
    if (!m.keep && where->is_connected && where->route_length)
        m.is_addressed = true;
    ft_set_kind(ctx, is_failure(m.status) ? FT_KIND_EXCEPTION : FT_KIND_RESPONSE);
    set_route(ctx, m.keep, where);
    name_command(ctx, &m);

    ft_put_uint(ctx, CIP_SERVICE, m.service, &service_at);
    if (where->multiples)
        ft_put_uint(ctx, CIP_EMBEDDED_INDEX, where->index, NULL);
    put_object(ctx, &m);
    if (m.keep)
        put_kept(ctx, m.keep);
    ft_put_uint(ctx, CIP_STATUS, m.status, &status_at);
    put_extended_status(ctx, extended, m.status);

    check_expected(ctx, where, &service_at);
    if (reserved)
        ft_violation(ctx, CIP_REPLY_RESERVED, &reserved_at);
    if (!ft_view_ok(v))
        return;
    tell_failure(ctx, &m, extended, &status_at);
    read_data(ctx, v, &m, where);
}

void ft_cip_service_read(struct ft_context *ctx, struct ft_view *v,
                         const struct ft_cip_where *where)
{
    int service = ft_peek_u8(v, 0);

    if (service >= 0x80)
        read_response(ctx, v, where);
    else if (service >= 0)
        read_request(ctx, v, where);
    else
        ft_view_fail(v);
}

/* ---- the dissector ------------------------------------------------------------------------- */

/* A class 3 message: connection id and sequence count pair it; the connection knows the route. */
static void read_connected(struct ft_context *ctx, struct ft_view *v)
{
    uint32_t id = (uint32_t)(ctx->selector >> 16);
    uint64_t sequence = ctx->selector & 0xffff;
    bool is_response = ft_peek_u8(v, 0) >= 0x80;
    const struct ft_cip_connection *c =
        ft_cip_connection_find(ctx, id, is_response ? FT_CIP_ROLE_T2O : FT_CIP_ROLE_O2T);
    struct ft_cip_where where = {.is_connected = true, .route = "", .key = sequence};
    char route[sizeof(c->route)];

    /* Requests and responses use different ids: the O->T id stands for both when it is known. */
    if (c) {
        where.key |= (uint64_t)c->o2t_id << 16;
        where.route_length = c->route_length;
        memcpy(route, c->route, sizeof(route));
        where.route = route;
    }
    where.key = ft_cip_key_inside(where.key, FT_CIP_CONNECTED);
    ft_cip_service_read(ctx, v, &where);
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    uint64_t key = ctx->selector & 0xffffffffffffull;
    struct ft_cip_where where = {.key = key, .route = ""};
    struct cip_flow *flow = flow_of(ctx);
    bool is_response = ft_peek_u8(pdu, 0) >= 0x80;

    switch (ctx->selector >> 48) {
    case FT_CIP_IO:
        ft_cip_io_read(ctx, pdu);
        return;
    case FT_CIP_CSP:
        ft_cip_pccc_csp_read(ctx, pdu, key);
        return;
    case FT_CIP_CONNECTED:
        read_connected(ctx, pdu);
        break;
    default:
        ft_cip_service_read(ctx, pdu, &where);
    }
    if (!is_response) {
        flow->waiting++;
        flow->is_started = 1;
    }
}

/* ---- tables -------------------------------------------------------------------------------- */

static const struct ft_carrier carriers[] = {
    {FT_CARRIER_PARENT, 0, FT_CIP_SELECTOR(FT_CIP_UNCONNECTED, 0),
     FT_CIP_SELECTOR(FT_CIP_UNCONNECTED, UINT64_MAX), "enip"},
    {FT_CARRIER_PARENT, 0, FT_CIP_SELECTOR(FT_CIP_CONNECTED, 0),
     FT_CIP_SELECTOR(FT_CIP_CONNECTED, UINT64_MAX), "enip"},
    {FT_CARRIER_PARENT, 0, FT_CIP_SELECTOR(FT_CIP_IO, 0), FT_CIP_SELECTOR(FT_CIP_IO, UINT64_MAX),
     "enip"},
    {FT_CARRIER_PARENT, 0, FT_CIP_SELECTOR(FT_CIP_CSP, 0), FT_CIP_SELECTOR(FT_CIP_CSP, UINT64_MAX),
     "enip"},
};

const struct ft_dissector ft_dissector_cip = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "cip",
    .title = "CIP (with the Rockwell extension)",
    .specification = "ODVA The CIP Networks Library, Volume 1; Rockwell 1756-PM020, 1770-6.5.16",
    .carried_by = FT_TABLE(carriers),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .max_pdu = 65536,
    .flow_state_size = sizeof(struct cip_flow),
    .channel_size = sizeof(struct ft_cip_connection),
    .flags = FT_DISSECTOR_OT | FT_DISSECTOR_CYCLIC | FT_DISSECTOR_OWN_CLASSES,
    .dissect = dissect,
};
