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
#include "cip_commands.h"

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

/* What the request left; NULL when there is none or it asked for something else. */
static const struct ft_cip_keep *find_request(struct ft_context *ctx, struct ft_cip_message *m,
                                              const struct ft_cip_where *where)
{
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
    /* A router on the way answers itself when it cannot deliver. */
    if (keep->flags & FT_CIP_KEEP_ROUTED && m->service == FT_CIP_UNCONNECTED_SEND)
        m->class_id = FT_CIP_CONNECTION_MANAGER;
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

static void tell_failure(struct ft_context *ctx, const struct ft_cip_message *m,
                         struct ft_view extended, const struct ft_view *at)
{
    /* Of a Multiple Service Packet the services inside tell what failed. */
    if (is_failure(m->status) && !(m->service == FT_CIP_MULTIPLE_SERVICE && m->status == 0x1e))
        ft_violation(ctx, CIP_SERVICE_FAILED, at);
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

static const struct ft_name connection_types[] = {
    {0, "null"}, {1, "multicast"}, {2, "point_to_point"}, {0, NULL}};
static const struct ft_name priorities[] = {
    {0, "low"}, {1, "high"}, {2, "scheduled"}, {3, "urgent"}, {0, NULL}};
static const struct ft_name triggers[] = {
    {0, "cyclic"}, {1, "change_of_state"}, {2, "application"}, {0, NULL}};
static const struct ft_name mode_changes[] = {
    {FT_CIP_START, "run"}, {FT_CIP_STOP, "program"}, {0, NULL}};
static const struct ft_name locks[] = {{0x4b, "take"}, {0x4c, "release"}, {0, NULL}};
static const struct ft_name reset_types[] = {
    {0, "power_cycle"}, {1, "factory_defaults"}, {2, "factory_defaults_but_network"}, {0, NULL}};
static const struct ft_name config_methods[] = {
    {0, "static"}, {1, "bootp"}, {2, "dhcp"}, {0, NULL}};

/* clang-format off */
#define F(number, name, title, names, parent, type, flags) \
    [number] = {name, title, names, parent, FT_TYPE_##type, flags, 0}
static const struct ft_field fields[CIP_FIELDS] = {
    F(CIP_ROOT, "cip", "Common Industrial Protocol", NULL, 0, GROUP, 0),
    F(CIP_SERVICE, "service", "Service, without the response bit", ft_cip_service_names, 0, ENUM, 0),
    F(CIP_CLASS_NAME, "class_name", "Class of the addressed object", ft_cip_class_names, 0, ENUM, 0),
    F(CIP_INSTANCE, "instance", "Instance of the object, 0 = the class itself", NULL, 0, UINT, 0),
    F(CIP_ATTRIBUTE, "attribute", "Attribute of the object", NULL, 0, UINT, 0),
    F(CIP_ELEMENT, "element", "Member or array element", NULL, 0, UINT, 0),
    F(CIP_CONNECTION_POINT, "connection_point", "Connection points: consumed, produced", NULL, 0, UINT, FT_FIELD_LIST),
    F(CIP_TAG, "tag", "Symbolic name of the object, its parts joined", NULL, 0, STRING, 0),
    F(CIP_ROUTE, "route", "Ports and links to the device behind the server", NULL, 0, STRING, 0),
    F(CIP_PRIVATE_CLASS, "private_class", "The class belongs to Logix controllers and is not documented", NULL, 0, BOOL, 0),
    F(CIP_PATH, "path", "Segments of the path", NULL, 0, GROUP, FT_FIELD_LIST),
    F(CIP_PATH_SEGMENT_TYPE, "segment_type", "Kind of segment", ft_cip_segment_names, CIP_PATH, ENUM, 0),
    F(CIP_PATH_VALUE, "value", "Number that the segment holds", NULL, CIP_PATH, UINT, 0),
    F(CIP_PATH_TEXT, "text", "Name that the segment holds", NULL, CIP_PATH, STRING, 0),
    F(CIP_STATUS, "status", "General status of a response", ft_cip_status_names, 0, ENUM, 0),
    F(CIP_STATUS_EXTENDED, "status_extended", "Extended status words", NULL, 0, BYTES, 0),
    F(CIP_STATUS_MEANING, "status_extended_meaning", "Meaning of the first extended status word", ft_cip_extended_status_names, 0, ENUM, 0),
    F(CIP_REMAINING_PATH, "remaining_path_words", "Words of the route left where routing failed", NULL, 0, UINT, 0),
    F(CIP_EMBEDDED_INDEX, "embedded_index", "Place in the Multiple Service Packet", NULL, 0, UINT, 0),
    F(CIP_EMBEDDED_COUNT, "embedded_count", "Services in the Multiple Service Packet", NULL, 0, UINT, 0),
    F(CIP_TIMEOUT, "timeout_ms", "Time allowed for the request, milliseconds", NULL, 0, UINT, 0),
    F(CIP_ATTRIBUTES, "attributes", "Attributes of a list", NULL, 0, GROUP, FT_FIELD_LIST),
    F(CIP_ATTRIBUTES_ID, "id", "Attribute", NULL, CIP_ATTRIBUTES, UINT, 0),
    F(CIP_ATTRIBUTES_STATUS, "status", "Its status", ft_cip_status_names, CIP_ATTRIBUTES, ENUM, 0),
    F(CIP_ATTRIBUTES_VALUE, "value", "Its value; the last one may hold those of attributes after it", NULL, CIP_ATTRIBUTES, BYTES, 0),
    F(CIP_DATA_TYPE, "data_type", "Data type of the values", ft_cip_data_type_names, 0, ENUM, 0),
    F(CIP_STRUCTURE, "structure", "Handle of the structure type", NULL, 0, UINT, 0),
    F(CIP_COUNT, "count", "Elements read or written", NULL, 0, UINT, 0),
    F(CIP_OFFSET, "offset", "Byte offset of a fragment", NULL, 0, UINT, 0),
    F(CIP_VALUES, "values", "Values of integer types", NULL, 0, INT, FT_FIELD_LIST),
    F(CIP_VALUES_REAL, "values_real", "Values of real types", NULL, 0, FLOAT, FT_FIELD_LIST),
    F(CIP_VALUE_TEXT, "value_text", "Value of a string type", NULL, 0, STRING, 0),
    F(CIP_DATA, "data", "Data of the service as it was sent", NULL, 0, BYTES, 0),
    F(CIP_CONNECTION, "connection", "Connection that is opened or closed", NULL, 0, GROUP, 0),
    F(CIP_CONNECTION_SERIAL, "serial", "Serial number of the connection", NULL, CIP_CONNECTION, UINT, 0),
    F(CIP_CONNECTION_VENDOR, "orig_vendor", "Vendor of the originator", ft_cip_vendor_names, CIP_CONNECTION, ENUM, 0),
    F(CIP_CONNECTION_ORIGINATOR, "orig_serial", "Serial number of the originator", NULL, CIP_CONNECTION, UINT, 0),
    F(CIP_CONNECTION_O2T_ID, "o2t_id", "Connection id, originator to target", NULL, CIP_CONNECTION, UINT, 0),
    F(CIP_CONNECTION_T2O_ID, "t2o_id", "Connection id, target to originator", NULL, CIP_CONNECTION, UINT, 0),
    F(CIP_CONNECTION_O2T_RPI, "o2t_rpi_us", "Packet interval, originator to target, microseconds", NULL, CIP_CONNECTION, UINT, 0),
    F(CIP_CONNECTION_T2O_RPI, "t2o_rpi_us", "Packet interval, target to originator, microseconds", NULL, CIP_CONNECTION, UINT, 0),
    F(CIP_CONNECTION_O2T_SIZE, "o2t_size", "Size, originator to target, bytes", NULL, CIP_CONNECTION, UINT, 0),
    F(CIP_CONNECTION_T2O_SIZE, "t2o_size", "Size, target to originator, bytes", NULL, CIP_CONNECTION, UINT, 0),
    F(CIP_CONNECTION_O2T_TYPE, "o2t_type", "Type, originator to target", connection_types, CIP_CONNECTION, ENUM, 0),
    F(CIP_CONNECTION_T2O_TYPE, "t2o_type", "Type, target to originator", connection_types, CIP_CONNECTION, ENUM, 0),
    F(CIP_CONNECTION_O2T_PRIORITY, "o2t_priority", "Priority, originator to target", priorities, CIP_CONNECTION, ENUM, 0),
    F(CIP_CONNECTION_T2O_PRIORITY, "t2o_priority", "Priority, target to originator", priorities, CIP_CONNECTION, ENUM, 0),
    F(CIP_CONNECTION_CLASS, "transport_class", "Transport class", NULL, CIP_CONNECTION, UINT, 0),
    F(CIP_CONNECTION_TRIGGER, "trigger", "What triggers production", triggers, CIP_CONNECTION, ENUM, 0),
    F(CIP_CONNECTION_IS_SERVER, "is_server", "The target is the transport's server", NULL, CIP_CONNECTION, BOOL, 0),
    F(CIP_CONNECTION_MULTIPLIER, "timeout_multiplier", "Intervals without a packet until it times out", NULL, CIP_CONNECTION, UINT, 0),
    F(CIP_CONNECTION_IS_LARGE, "large_forward_open", "Opened by Large Forward Open", NULL, CIP_CONNECTION, BOOL, 0),
    F(CIP_CONNECTION_APPLICATION, "application", "Class that the connection leads to", ft_cip_class_names, CIP_CONNECTION, ENUM, 0),
    F(CIP_CONNECTION_INSTANCE, "application_instance", "Instance that the connection leads to", NULL, CIP_CONNECTION, UINT, 0),
    F(CIP_CONNECTION_TAG, "application_tag", "Name of the tag that is produced or consumed", NULL, CIP_CONNECTION, STRING, 0),
    F(CIP_KEY, "electronic_key", "Device that the client expects", NULL, 0, GROUP, 0),
    F(CIP_KEY_VENDOR, "vendor_id", "Vendor, 0 = any", ft_cip_vendor_names, CIP_KEY, ENUM, 0),
    F(CIP_KEY_DEVICE_TYPE, "device_type", "Device profile, 0 = any", ft_cip_device_type_names, CIP_KEY, ENUM, 0),
    F(CIP_KEY_PRODUCT_CODE, "product_code", "Product code, 0 = any", NULL, CIP_KEY, UINT, 0),
    F(CIP_KEY_MAJOR, "major", "Major revision, 0 = any", NULL, CIP_KEY, UINT, 0),
    F(CIP_KEY_MINOR, "minor", "Minor revision, 0 = any", NULL, CIP_KEY, UINT, 0),
    F(CIP_KEY_COMPATIBLE, "compatible", "A compatible device will do", NULL, CIP_KEY, BOOL, 0),
    FT_CIP_IDENTITY_ROWS(CIP_IDENTITY),
    F(CIP_TCPIP, "tcpip", "Settings of the TCP/IP interface", NULL, 0, GROUP, 0),
    F(CIP_TCPIP_METHOD, "method", "Where the settings come from", config_methods, CIP_TCPIP, ENUM, 0),
    F(CIP_TCPIP_ADDRESS, "address", "IP address", NULL, CIP_TCPIP, IPV4, 0),
    F(CIP_TCPIP_NETMASK, "netmask", "Network mask", NULL, CIP_TCPIP, IPV4, 0),
    F(CIP_TCPIP_GATEWAY, "gateway", "Default gateway", NULL, CIP_TCPIP, IPV4, 0),
    F(CIP_TCPIP_DNS1, "name_server", "Name server", NULL, CIP_TCPIP, IPV4, 0),
    F(CIP_TCPIP_DNS2, "name_server_2", "Second name server", NULL, CIP_TCPIP, IPV4, 0),
    F(CIP_TCPIP_DOMAIN, "domain", "Domain name", NULL, CIP_TCPIP, STRING, 0),
    F(CIP_TCPIP_HOST_NAME, "host_name", "Host name", NULL, CIP_TCPIP, STRING, 0),
    F(CIP_LINK, "ethernet_link", "Settings of an Ethernet port", NULL, 0, GROUP, 0),
    F(CIP_LINK_MAC, "mac", "MAC address", NULL, CIP_LINK, MAC, 0),
    F(CIP_LINK_SPEED, "speed", "Speed, Mbit/s", NULL, CIP_LINK, UINT, 0),
    F(CIP_LINK_CONTROL, "control", "Control bits: 0 negotiate, 1 full duplex", NULL, CIP_LINK, UINT, 0),
    F(CIP_PROJECT, "project", "Project in the controller", NULL, 0, GROUP, 0),
    F(CIP_PROJECT_NAME, "name", "Name", NULL, CIP_PROJECT, STRING, 0),
    F(CIP_PROJECT_DESCRIPTION, "description", "Description", NULL, CIP_PROJECT, STRING, 0),
    F(CIP_MODE_CHANGE, "mode_change", "Mode that the controller is told to take", mode_changes, 0, ENUM, 0),
    F(CIP_LOCK, "lock", "What is done to the semaphore of the engineering software", locks, 0, ENUM, 0),
    F(CIP_LOCK_TARGET, "lock_kind", "Kind of lock: 0 for a change, 1 to keep others out", NULL, 0, UINT, 0),
    F(CIP_RESET_TYPE, "reset_type", "What the reset does", reset_types, 0, ENUM, 0),
    F(CIP_CLOCK, "clock", "Time that the clock is set to", NULL, 0, TIME, 0),
    F(CIP_FIRMWARE, "firmware", "Firmware update", NULL, 0, GROUP, 0),
    F(CIP_FIRMWARE_SIZE, "size", "Bytes of the image", NULL, CIP_FIRMWARE, UINT, 0),
    F(CIP_FIRMWARE_OFFSET, "offset", "Offset of the block", NULL, CIP_FIRMWARE, UINT, 0),
    F(CIP_FIRMWARE_BLOCK, "block", "Bytes of the block, or most that the device takes at once", NULL, CIP_FIRMWARE, UINT, 0),
    F(CIP_PCCC, "pccc", "PCCC message", NULL, 0, GROUP, 0),
    F(CIP_PCCC_VENDOR, "requester_vendor", "Vendor of the requester", ft_cip_vendor_names, CIP_PCCC, ENUM, 0),
    F(CIP_PCCC_REQUESTER, "requester_serial", "Serial number of the requester", NULL, CIP_PCCC, UINT, 0),
    F(CIP_PCCC_DESTINATION, "destination", "DF1 destination node", NULL, CIP_PCCC, UINT, 0),
    F(CIP_PCCC_SOURCE, "source", "DF1 source node", NULL, CIP_PCCC, UINT, 0),
    F(CIP_PCCC_CMD, "cmd", "Command, without the reply bit", ft_cip_pccc_cmd_names, CIP_PCCC, ENUM, 0),
    F(CIP_PCCC_FNC, "fnc", "Function", NULL, CIP_PCCC, UINT, 0),
    F(CIP_PCCC_STS, "sts", "Status", ft_cip_pccc_status_names, CIP_PCCC, ENUM, 0),
    F(CIP_PCCC_EXT_STS, "ext_sts", "Extended status", ft_cip_pccc_ext_status_names, CIP_PCCC, ENUM, 0),
    F(CIP_PCCC_TNS, "tns", "Transaction number", NULL, CIP_PCCC, UINT, 0),
    F(CIP_PCCC_SIZE, "size", "Bytes or elements asked for", NULL, CIP_PCCC, UINT, 0),
    F(CIP_PCCC_FILE_NO, "file_no", "Data file", NULL, CIP_PCCC, UINT, 0),
    F(CIP_PCCC_FILE_TYPE, "file_type", "Type of the data file", ft_cip_pccc_file_names, CIP_PCCC, ENUM, 0),
    F(CIP_PCCC_ELEMENT, "element", "Element", NULL, CIP_PCCC, UINT, 0),
    F(CIP_PCCC_SUB_ELEMENT, "sub_element", "Sub-element", NULL, CIP_PCCC, UINT, 0),
    F(CIP_PCCC_ADDRESS, "address", "Word address", NULL, CIP_PCCC, UINT, 0),
    F(CIP_PCCC_OFFSET, "offset", "Offset of the packet in the transaction", NULL, CIP_PCCC, UINT, 0),
    F(CIP_PCCC_MASK, "mask", "Mask of the bits that are written", NULL, CIP_PCCC, UINT, 0),
    F(CIP_PCCC_MODE, "mode", "Mode that the processor is told to take", ft_cip_pccc_mode_names, CIP_PCCC, ENUM, 0),
    F(CIP_PCCC_CATALOG, "catalog", "Catalog number of the processor", NULL, CIP_PCCC, STRING, 0),
    F(CIP_PCCC_DATA, "data", "Data as it was sent", NULL, CIP_PCCC, BYTES, 0),
    F(CIP_IO, "io", "Data of a class 0 or 1 connection", NULL, 0, GROUP, 0),
    F(CIP_IO_CONNECTION_ID, "conn_id", "Connection id", NULL, CIP_IO, UINT, 0),
    F(CIP_IO_SEQUENCE, "class1_seq", "Sequence count of the data", NULL, CIP_IO, UINT, 0),
    F(CIP_IO_RUN, "run_idle", "The header says run, not idle", NULL, CIP_IO, BOOL, 0),
    F(CIP_IO_SIZE, "size", "Bytes of data", NULL, CIP_IO, UINT, 0),
    F(CIP_IO_RPI, "rpi_us", "Packet interval agreed, microseconds", NULL, CIP_IO, UINT, 0),
    F(CIP_IO_DATA, "data", "Data", NULL, CIP_IO, BYTES, 0),
};
#undef F

#define V(number, name, title, reference, category, mitre, severity, engine, alert) \
    [number] = {name, title, reference, category, mitre, FT_SEVERITY_##severity, FT_ENGINE_##engine, alert, {0}}
static const struct ft_violation violations[CIP_VIOLATIONS] = {
    V(CIP_SERVICE_FAILED, "service_failed", "CIP device refused a service request", "O10", NULL, "T0855", MAJOR, OPERATIONAL, 1),
    V(CIP_SERVICE_ZERO, "service_zero", "CIP request with the reserved service 0", NULL, NULL, "T0888", MAJOR, PROTOCOL, 0),
    V(CIP_CLASS_ZERO, "class_zero", "CIP request to the reserved class 0", NULL, NULL, "T0888", MINOR, PROTOCOL, 0),
    V(CIP_RESERVED_SEGMENT, "reserved_segment", "CIP path with a segment of a reserved type", NULL, NULL, "T0866", MAJOR, PROTOCOL, 0),
    V(CIP_UNEXPECTED_RESPONSE, "unexpected_response", "CIP response that nobody asked for", NULL, NULL, "T0856 T0830", MAJOR, PROTOCOL, 0),
    V(CIP_REPLY_RESERVED, "reply_reserved", "CIP response whose reserved byte is set", NULL, NULL, NULL, MINOR, PROTOCOL, 0),
    V(CIP_MULTIPLE_OFFSET, "multiple_offset", "CIP Multiple Service Packet with an offset outside of it", NULL, NULL, "T0866", MAJOR, PROTOCOL, 0),
    V(CIP_MULTIPLE_NESTED, "multiple_nested", "CIP Multiple Service Packet inside another", NULL, NULL, "T0866", MAJOR, PROTOCOL, 0),
    V(CIP_TOO_DEEP, "too_deep", "CIP services nested too deep", NULL, NULL, "T0814", MAJOR, PROTOCOL, 0),
    V(CIP_CONNECTION_TOO_LARGE, "connection_too_large", "CIP Forward Open with a size that no packet can have", NULL, NULL, "T0814", MAJOR, PROTOCOL, 0),
    V(CIP_RPI_ZERO, "rpi_zero", "CIP Forward Open with a packet interval of zero", NULL, NULL, "T0814", MAJOR, PROTOCOL, 0),
    V(CIP_DUPLICATE_CONNECTION, "duplicate_connection", "CIP Forward Open of a connection that is open already", NULL, NULL, "T0848 T0856", MINOR, PROTOCOL, 0),
    V(CIP_FRAGMENT_GAP, "fragment_gap", "CIP transfer that leaves out a part", NULL, NULL, "T0843", MINOR, PROTOCOL, 0),
    V(CIP_PCCC_DIRECTION, "pccc_direction", "PCCC command and CIP service disagree on request or reply", NULL, NULL, "T0866", MAJOR, PROTOCOL, 0),
    V(CIP_PCCC_FAILED, "pccc_failed", "PCCC command refused", NULL, NULL, "T0855", MAJOR, OPERATIONAL, 0),
    V(CIP_KEY_MISMATCH, "key_mismatch", "CIP client expects another device than it met", NULL, NULL, "T0846 T0888", MINOR, OPERATIONAL, 0),
    V(CIP_DEVICE_FAULT, "device_fault", "CIP device reports a major fault", NULL, NULL, "T0814", MAJOR, OPERATIONAL, 0),
    V(CIP_CONTROLLER_STOP, "controller_stop", "CIP controller is told to stop", "O7", NULL, "T0843 T0858 T0814", WARNING, OPERATIONAL, 1),
    V(CIP_CONTROLLER_RESET, "controller_reset", "CIP device is told to restart", "O6", NULL, "T0858 T0814", WARNING, OPERATIONAL, 1),
    V(CIP_IO_IDLE, "io_idle", "CIP controller set the outputs of a connection to idle", NULL, NULL, "T0813", MINOR, OPERATIONAL, 0),
    V(CIP_IO_JUMP, "io_sequence_jump", "CIP I/O data out of sequence", NULL, NULL, "T0848 T0856 T0835", MAJOR, PROTOCOL, 0),
};
#undef V
/* clang-format on */

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
    .flags = FT_DISSECTOR_OT | FT_DISSECTOR_CYCLIC,
    .dissect = dissect,
};
