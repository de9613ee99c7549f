/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP over IPv4: echo, errors, redirects, router discovery, time stamps.
 *
 *   0  1  type
 *   1  1  code
 *   2  2  checksum of the whole
 *   4  4  by type: identifier and sequence; gateway; pointer; length and MTU
 *   8     echo data; errors: the packet they are about, then extensions (RFC 4884)
 *
 * An error quotes the packet it is about: its addresses are fields, and make neither flows nor
 * assets.
 *
 * Specification: RFC 792, 950, 1256, 1393, 4884, 4950, 6633, 6918, 8335.
 */
#include "icmp_common.h"

enum type {
    ECHO_REPLY = 0,
    UNREACHABLE = 3,
    SOURCE_QUENCH = 4,
    REDIRECT = 5,
    ECHO_REQUEST = 8,
    ROUTER_ADVERTISEMENT = 9,
    ROUTER_SOLICITATION = 10,
    TIME_EXCEEDED = 11,
    PARAMETER_PROBLEM = 12,
    TIMESTAMP_REQUEST = 13,
    TIMESTAMP_REPLY = 14,
    INFORMATION_REQUEST = 15,
    INFORMATION_REPLY = 16,
    MASK_REQUEST = 17,
    MASK_REPLY = 18,
    EXTENDED_REQUEST = 42,
    EXTENDED_REPLY = 43,
};

enum {
    FRAGMENTATION_NEEDED = 4,
    PROTO_ICMP = 1,
    ROUTER_WORDS = 2,  /* of an entry: address, preference (RFC 1256, 3) */
    LARGE_ECHO = 1472, /* more does not fit one Ethernet frame */
};

enum field {
    ROOT = 0,
    TYPE,
    CODE,
    ID,
    SEQ,
    LENGTH,
    TTL,
    DATA_HASH,
    OS,
    REDIRECT_GATEWAY,
    MTU,
    POINTER,
    ORIGINATED,
    RECEIVED,
    TRANSMITTED,
    MASK,
    LIFETIME,
    ROUTER,
    ROUTER_ADDRESS,
    ROUTER_PREFERENCE,
    INNER,                               /* enum ft_icmp_inner_field */
    MPLS = INNER + FT_ICMP_INNER_FIELDS, /* enum ft_icmp_extension_field */
    EXTENSION = MPLS + FT_ICMP_EXTENSION,
    PROBE = MPLS + FT_ICMP_EXTENSION_FIELDS,
};

enum violation {
    V_CHECKSUM = 0,
    V_TYPE,
    V_CODE,
    V_ERROR_ABOUT_ERROR,
    V_FOREIGN_ERROR,
    V_BROADCAST_ECHO,
    V_LARGE_ECHO,
    V_ECHO_DATA,
    V_TUNNEL,
    V_REDIRECT_GATEWAY,
    V_ROUTER_ENTRIES,
};

/* clang-format off */
static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_IP, .value = 1},
};

static const struct ft_name type_names[] = {
    {0, "echo_reply"}, {3, "unreachable"}, {4, "source_quench"}, {5, "redirect"},
    {6, "alternate_address"}, {8, "echo_request"}, {9, "router_advertisement"},
    {10, "router_solicitation"}, {11, "time_exceeded"}, {12, "parameter_problem"},
    {13, "timestamp_request"}, {14, "timestamp_reply"}, {15, "information_request"},
    {16, "information_reply"}, {17, "mask_request"}, {18, "mask_reply"}, {30, "traceroute"},
    {31, "conversion_error"}, {32, "mobile_host_redirect"}, {33, "where_are_you"},
    {34, "i_am_here"}, {35, "registration_request"}, {36, "registration_reply"},
    {37, "domain_name_request"}, {38, "domain_name_reply"}, {39, "skip"}, {40, "photuris"},
    {41, "experimental_mobility"}, {42, "extended_echo_request"}, {43, "extended_echo_reply"},
    {253, "experiment_1"}, {254, "experiment_2"}, {0, NULL},
};

static const struct ft_field fields[] = {
    {"icmp", "Control messages of IPv4", NULL, 0, FT_TYPE_GROUP, 0, 0},
    {"type", "Type", type_names, ROOT, FT_TYPE_ENUM, 0, 8},
    {"code", "Code", NULL, ROOT, FT_TYPE_UINT, 0, 8},
    {"id", "Identifier of the asker", NULL, ROOT, FT_TYPE_UINT, 0, 16},
    {"seq", "Number of the request", NULL, ROOT, FT_TYPE_UINT, 0, 16},
    {"len", "Bytes of echo data", NULL, ROOT, FT_TYPE_UINT, 0, 32},
    {"ttl", "Time to live of the packet", NULL, ROOT, FT_TYPE_UINT, 0, 8},
    {"data_hash", "Hash of the echo data", NULL, ROOT, FT_TYPE_UINT, 0, 48},
    {"os", "System whose echo data looks like this", NULL, ROOT, FT_TYPE_STRING, 0, 0},
    {"redirect_gw", "Router to use instead", NULL, ROOT, FT_TYPE_IPV4, 0, 0},
    {"mtu", "Longest packet of the next hop", NULL, ROOT, FT_TYPE_UINT, 0, 16},
    {"pointer", "Place of the problem", NULL, ROOT, FT_TYPE_UINT, 0, 8},
    {"originated", "Sent: milliseconds since midnight UT", NULL, ROOT, FT_TYPE_UINT, 0, 32},
    {"received", "Received: milliseconds since midnight UT", NULL, ROOT, FT_TYPE_UINT, 0, 32},
    {"transmitted", "Answered: milliseconds since midnight UT", NULL, ROOT, FT_TYPE_UINT, 0, 32},
    {"mask", "Network mask", NULL, ROOT, FT_TYPE_IPV4, 0, 0},
    {"lifetime", "Seconds that a router is there", NULL, ROOT, FT_TYPE_UINT, 0, 16},
    {"router", "A router", NULL, ROOT, FT_TYPE_GROUP, FT_FIELD_LIST, 0},
    {"address", "Its address", NULL, ROUTER, FT_TYPE_IPV4, 0, 0},
    {"preference", "How much it is preferred", NULL, ROUTER, FT_TYPE_INT, 0, 32},
    {"inner", "The packet that an error is about", NULL, ROOT, FT_TYPE_GROUP, 0, 0},
    {"src", "Its sender", NULL, INNER, FT_TYPE_IPV4, 0, 0},
    {"dst", "Its receiver", NULL, INNER, FT_TYPE_IPV4, 0, 0},
    {"proto", "Its protocol", ft_icmp_proto_names, INNER, FT_TYPE_ENUM, 0, 8},
    {"ttl", "Its time to live", NULL, INNER, FT_TYPE_UINT, 0, 8},
    {"sport", "Its source port", NULL, INNER, FT_TYPE_UINT, 0, 16},
    {"dport", "Its destination port", NULL, INNER, FT_TYPE_UINT, 0, 16},
    {"type", "Its ICMP type", NULL, INNER, FT_TYPE_UINT, 0, 8},
    {"code", "Its ICMP code", NULL, INNER, FT_TYPE_UINT, 0, 8},
    {"mpls", "A label that the packet came with", NULL, ROOT, FT_TYPE_GROUP, FT_FIELD_LIST, 0},
    {"label", "Label", NULL, MPLS, FT_TYPE_UINT, 0, 20},
    {"ttl", "Time to live of the label", NULL, MPLS, FT_TYPE_UINT, 0, 8},
    {"extension", "Another extension", NULL, ROOT, FT_TYPE_GROUP, FT_FIELD_LIST, 0},
    {"class", "Class", NULL, EXTENSION, FT_TYPE_UINT, 0, 8},
    {"type", "Type in the class", NULL, EXTENSION, FT_TYPE_UINT, 0, 8},
    {"data", "Data", NULL, EXTENSION, FT_TYPE_BYTES, 0, 0},
    {"probe", "Extended echo: bits of the question or the answer", NULL, ROOT, FT_TYPE_UINT, 0, 8},
};

#define COMMAND(type, code, name, class, mitre) {type, code, name, FT_CLASS_##class, {0}, mitre}
#define ANY FT_ANY_QUALIFIER

static const struct ft_command commands[] = {
    COMMAND(ECHO_REPLY, ANY, "echo_reply", DIAGNOSTIC, NULL),
    COMMAND(UNREACHABLE, 0, "net_unreachable", DIAGNOSTIC, NULL),
    COMMAND(UNREACHABLE, 1, "host_unreachable", DIAGNOSTIC, NULL),
    COMMAND(UNREACHABLE, 2, "protocol_unreachable", DIAGNOSTIC, NULL),
    COMMAND(UNREACHABLE, 3, "port_unreachable", DIAGNOSTIC, NULL),
    COMMAND(UNREACHABLE, 4, "fragmentation_needed", DIAGNOSTIC, NULL),
    COMMAND(UNREACHABLE, 5, "source_route_failed", DIAGNOSTIC, NULL),
    COMMAND(UNREACHABLE, 6, "net_unknown", DIAGNOSTIC, NULL),
    COMMAND(UNREACHABLE, 7, "host_unknown", DIAGNOSTIC, NULL),
    COMMAND(UNREACHABLE, 8, "source_isolated", DIAGNOSTIC, NULL),
    COMMAND(UNREACHABLE, 9, "net_prohibited", DIAGNOSTIC, NULL),
    COMMAND(UNREACHABLE, 10, "host_prohibited", DIAGNOSTIC, NULL),
    COMMAND(UNREACHABLE, 11, "net_unreachable_for_service", DIAGNOSTIC, NULL),
    COMMAND(UNREACHABLE, 12, "host_unreachable_for_service", DIAGNOSTIC, NULL),
    COMMAND(UNREACHABLE, 13, "filtered", DIAGNOSTIC, NULL),
    COMMAND(UNREACHABLE, 14, "precedence_violation", DIAGNOSTIC, NULL),
    COMMAND(UNREACHABLE, 15, "precedence_cutoff", DIAGNOSTIC, NULL),
    COMMAND(UNREACHABLE, ANY, "unreachable", DIAGNOSTIC, NULL),
    COMMAND(SOURCE_QUENCH, ANY, "source_quench", DIAGNOSTIC, NULL),
    COMMAND(REDIRECT, 0, "redirect_net", CONFIG, "T0830"),
    COMMAND(REDIRECT, 1, "redirect_host", CONFIG, "T0830"),
    COMMAND(REDIRECT, 2, "redirect_service_net", CONFIG, "T0830"),
    COMMAND(REDIRECT, 3, "redirect_service_host", CONFIG, "T0830"),
    COMMAND(REDIRECT, ANY, "redirect", CONFIG, "T0830"),
    COMMAND(6, ANY, "alternate_address", CONFIG, NULL),
    COMMAND(ECHO_REQUEST, ANY, "echo_request", DIAGNOSTIC, NULL),
    COMMAND(ROUTER_ADVERTISEMENT, ANY, "router_advertisement", CONFIG, "T0830"),
    COMMAND(ROUTER_SOLICITATION, ANY, "router_solicitation", READ, NULL),
    COMMAND(TIME_EXCEEDED, 0, "ttl_exceeded", DIAGNOSTIC, NULL),
    COMMAND(TIME_EXCEEDED, 1, "reassembly_time_exceeded", DIAGNOSTIC, NULL),
    COMMAND(TIME_EXCEEDED, ANY, "time_exceeded", DIAGNOSTIC, NULL),
    COMMAND(PARAMETER_PROBLEM, ANY, "parameter_problem", DIAGNOSTIC, NULL),
    COMMAND(TIMESTAMP_REQUEST, ANY, "timestamp_request", READ, NULL),
    COMMAND(TIMESTAMP_REPLY, ANY, "timestamp_reply", READ, NULL),
    COMMAND(INFORMATION_REQUEST, ANY, "information_request", READ, NULL),
    COMMAND(INFORMATION_REPLY, ANY, "information_reply", READ, NULL),
    COMMAND(MASK_REQUEST, ANY, "mask_request", READ, NULL),
    COMMAND(MASK_REPLY, ANY, "mask_reply", READ, NULL),
    COMMAND(30, ANY, "traceroute", DIAGNOSTIC, NULL),
    COMMAND(31, ANY, "conversion_error", DIAGNOSTIC, NULL),
    COMMAND(32, ANY, "mobile_host_redirect", CONFIG, "T0830"),
    COMMAND(33, ANY, "where_are_you", READ, NULL),
    COMMAND(34, ANY, "i_am_here", READ, NULL),
    COMMAND(35, ANY, "registration_request", CONFIG, NULL),
    COMMAND(36, ANY, "registration_reply", CONFIG, NULL),
    COMMAND(37, ANY, "domain_name_request", READ, NULL),
    COMMAND(38, ANY, "domain_name_reply", READ, NULL),
    COMMAND(39, ANY, "skip", SESSION, NULL),
    COMMAND(40, ANY, "photuris", SESSION, NULL),
    COMMAND(EXTENDED_REQUEST, ANY, "extended_echo_request", DIAGNOSTIC, NULL),
    COMMAND(EXTENDED_REPLY, ANY, "extended_echo_reply", DIAGNOSTIC, NULL),
};

#define VIOLATION(name, title, category, mitre, severity, engine)                                  \
    {name, title, NULL, category, mitre, FT_SEVERITY_##severity, FT_ENGINE_##engine, 0, {0}}
#define ABNORMAL "Abnormal Communication Behavior"

static const struct ft_violation violations[] = {
    VIOLATION("checksum", "ICMP with a wrong checksum", ABNORMAL, NULL, WARNING, PROTOCOL),
    VIOLATION("type", "ICMP of a type that is not assigned", ABNORMAL, NULL, WARNING, PROTOCOL),
    VIOLATION("code", "ICMP with a code that its type does not have", ABNORMAL, NULL, WARNING, PROTOCOL),
    VIOLATION("error_about_error", "ICMP error about an ICMP error", ABNORMAL, "T0814", MINOR, PROTOCOL),
    VIOLATION("foreign_error", "ICMP error about a packet that its receiver did not send", ABNORMAL, "T0830", MINOR, ANOMALY),
    VIOLATION("broadcast_echo", "Ping to everybody", ABNORMAL, "T0846 T0814", WARNING, ANOMALY),
    VIOLATION("large_echo", "Ping too large for one frame", ABNORMAL, "T0814", WARNING, ANOMALY),
    VIOLATION("echo_data", "Answer to a ping with other data than was sent", ABNORMAL, "T0884 T0869", MINOR, ANOMALY),
    {"tunnel", "Ping that carries another protocol", NULL, "Suspicion of malicious activity", "T0884 T0869", FT_SEVERITY_MAJOR, FT_ENGINE_ANOMALY, FT_ALERT_EACH, {0}},
    VIOLATION("redirect_gateway", "ICMP redirect to an address that no router can have", ABNORMAL, "T0830", MAJOR, PROTOCOL),
    VIOLATION("router_entries", "ICMP router advertisement whose entries hold no router", ABNORMAL, "T0814", MINOR, PROTOCOL),
};
/* clang-format on */

_Static_assert(sizeof(fields) / sizeof(fields[0]) == PROBE + 1, "one row a field");
_Static_assert(sizeof(violations) / sizeof(violations[0]) == V_ROUTER_ENTRIES + 1,
               "one row a violation");

/* Kept with two hosts. */
struct hosts {
    uint8_t is_os_told[2]; /* of the host with the lower address, of the other */
};

/* ---- what can be wrong ---------------------------------------------------------------------- */

static bool is_error(uint8_t type)
{
    return type == UNREACHABLE || type == SOURCE_QUENCH || type == REDIRECT ||
           type == TIME_EXCEEDED || type == PARAMETER_PROBLEM;
}

/* IANA: 1, 2, 7 and 44 to 252 are not assigned, 19 to 29 reserved. */
static bool is_assigned(uint8_t type)
{
    return type != 1 && type != 2 && type != 7 && (type < 19 || type > 29) &&
           (type < 44 || type > 252) && type != 255;
}

static bool is_code(uint8_t type, uint8_t code)
{
    switch (type) {
    case UNREACHABLE:
        return code <= 15;
    case REDIRECT:
        return code <= 3;
    case ROUTER_ADVERTISEMENT:
        return code == 0 || code == 16;
    case TIME_EXCEEDED:
        return code <= 1;
    case PARAMETER_PROBLEM:
        return code <= 2;
    case EXTENDED_REPLY:
        return code <= 4;
    case 40:
        return code <= 5;
    default:
        return code == 0 || type > EXTENDED_REPLY || (type > MASK_REPLY && type < 40);
    }
}

static bool is_to_all(const struct ft_context *ctx)
{
    static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    bool is_group =
        ctx->dst_ip && (ctx->dst_ip[0] >> 4 == 14 || memcmp(ctx->dst_ip, everybody, 4) == 0);
    return is_group || memcmp(ctx->dst_mac, everybody, 6) == 0;
}

static void check(struct ft_context *ctx, uint8_t type, uint8_t code, struct ft_view all)
{
    if (!ctx->is_truncated && !ft_icmp_is_sum_good(ft_icmp_sum(0, all)))
        ft_violation(ctx, V_CHECKSUM, NULL);
    if (!is_assigned(type))
        ft_violation(ctx, V_TYPE, NULL);
    else if (!is_code(type, code))
        ft_violation(ctx, V_CODE, NULL);
}

/* ---- echo ----------------------------------------------------------------------------------- */

static const struct ft_icmp_echo_names echo_names = {
    .id = ID,
    .seq = SEQ,
    .length = LENGTH,
    .data_hash = DATA_HASH,
    .os = OS,
    .tunnel = V_TUNNEL,
    .too_large = V_LARGE_ECHO,
    .changed = V_ECHO_DATA,
    .to_all = V_BROADCAST_ECHO,
    .data_max = LARGE_ECHO,
    .request = ECHO_REQUEST,
};

static void read_echo(struct ft_context *ctx, uint8_t type, struct ft_view *v)
{
    struct hosts *hosts = ctx->flow_state;
    ft_icmp_echo_read(ctx, &echo_names, type, is_to_all(ctx), hosts->is_os_told, v);
}

/* ---- other questions ------------------------------------------------------------------------ */

static bool is_question(uint8_t type)
{
    return type == ECHO_REQUEST || type == TIMESTAMP_REQUEST || type == INFORMATION_REQUEST ||
           type == MASK_REQUEST || type == EXTENDED_REQUEST;
}

static bool is_answer(uint8_t type)
{
    return type == ECHO_REPLY || type == TIMESTAMP_REPLY || type == INFORMATION_REPLY ||
           type == MASK_REPLY || type == EXTENDED_REPLY;
}

/* The number of the question that an answer answers. */
static uint8_t question_of(uint8_t type)
{
    return is_question(type) ? type : type == ECHO_REPLY ? ECHO_REQUEST : (uint8_t)(type - 1);
}

static void pair(struct ft_context *ctx, uint8_t type, uint32_t numbers)
{
    uint64_t key = ft_icmp_key(ctx, question_of(type), numbers, is_question(type));
    if (is_answer(type))
        ft_response(ctx, FT_SCOPE_FLOW, key);
    else if (!is_to_all(ctx))
        ft_request(ctx, FT_SCOPE_FLOW, key, NULL, 0);
}

static void read_query(struct ft_context *ctx, uint8_t type, struct ft_view *v)
{
    int64_t numbers = ft_peek_u32be(v, 0);
    ft_put_uint(ctx, ID, ft_u16be(v), v);
    ft_put_uint(ctx, SEQ, ft_u16be(v), v);
    if (numbers >= 0)
        pair(ctx, type, (uint32_t)numbers);
    if (type == TIMESTAMP_REQUEST || type == TIMESTAMP_REPLY) {
        ft_put_uint(ctx, ORIGINATED, ft_u32be(v), v);
        ft_put_uint(ctx, RECEIVED, ft_u32be(v), v);
        ft_put_uint(ctx, TRANSMITTED, ft_u32be(v), v);
    } else if (type == MASK_REQUEST || type == MASK_REPLY) {
        ft_put_uint(ctx, MASK, ft_u32be(v), v);
    }
    ft_rest(v);
}

/* ---- errors --------------------------------------------------------------------------------- */

static bool is_router_address(uint32_t ip)
{
    return ip >> 24 != 0 && ip >> 24 != 127 && ip >> 28 < 14;
}

static void read_gateway(struct ft_context *ctx, struct ft_view *v)
{
    uint32_t gateway = ft_u32be(v);
    ft_put_uint(ctx, REDIRECT_GATEWAY, gateway, v);
    if (ft_view_ok(v) && !is_router_address(gateway))
        ft_violation(ctx, V_REDIRECT_GATEWAY, v);
}

/* The four bytes before the quoted packet; returns its length in words where they say it. */
static uint32_t read_error_head(struct ft_context *ctx, uint8_t type, uint8_t code,
                                struct ft_view *v)
{
    if (type == REDIRECT) {
        read_gateway(ctx, v);
        return 0;
    }
    uint8_t pointer = ft_u8(v);
    if (type == PARAMETER_PROBLEM)
        ft_put_uint(ctx, POINTER, pointer, v);
    uint8_t words = ft_u8(v);
    uint16_t mtu = ft_u16be(v);
    if (type == UNREACHABLE && code == FRAGMENTATION_NEEDED)
        ft_put_uint(ctx, MTU, mtu, v);
    return words;
}

static void check_inner(struct ft_context *ctx, const struct ft_icmp_inner *inner)
{
    if (inner->has_type && inner->proto == PROTO_ICMP && is_error(inner->type))
        ft_violation(ctx, V_ERROR_ABOUT_ERROR, NULL);
    if (!ft_icmp_inner_is_of_receiver(ctx, inner))
        ft_violation(ctx, V_FOREIGN_ERROR, NULL);
}

static void read_error(struct ft_context *ctx, uint8_t type, uint8_t code, struct ft_view *v)
{
    uint32_t words = read_error_head(ctx, type, code, v);
    struct ft_view quoted = ft_rest(v);
    struct ft_icmp_inner inner = ft_icmp_inner_read(quoted);
    ft_icmp_inner_put(ctx, INNER, &inner);
    check_inner(ctx, &inner);
    ft_icmp_extensions_read(ctx, MPLS, words * 4, quoted);
    if (type == REDIRECT || (type == TIME_EXCEEDED && code == 0))
        ft_asset_role(ctx, FT_SENDER, FT_ROLE_ROUTER);
}

/* ---- the rest ------------------------------------------------------------------------------- */

/* Count (1), words an entry (1), lifetime (2), then address and preference. */
static void read_routers(struct ft_context *ctx, struct ft_view *v)
{
    uint8_t count = ft_u8(v), words = ft_u8(v);
    ft_put_uint(ctx, LIFETIME, ft_u16be(v), v);
    if (ft_view_ok(v) && count && words < ROUTER_WORDS) {
        ft_violation(ctx, V_ROUTER_ENTRIES, v);
        ft_rest(v);
        return;
    }
    uint32_t fits = words < ROUTER_WORDS ? 0 : ft_count(v, count, words * 4u);
    for (uint32_t i = 0; i < fits && ft_view_ok(v); i++) {
        ft_group_begin(ctx, ROUTER);
        ft_put_uint(ctx, ROUTER_ADDRESS, ft_u32be(v), v);
        ft_put_int(ctx, ROUTER_PREFERENCE, (int32_t)ft_u32be(v), v);
        ft_group_end(ctx, ROUTER);
        ft_skip(v, (words - (uint32_t)ROUTER_WORDS) * 4);
    }
    ft_asset_role(ctx, FT_SENDER, FT_ROLE_ROUTER);
}

/* Identifier (2), number (1), bits (1): local in a question, states in an answer. */
static void read_extended(struct ft_context *ctx, uint8_t type, struct ft_view *v)
{
    uint16_t id = ft_u16be(v);
    ft_put_uint(ctx, ID, id, v);
    uint8_t number = ft_u8(v);
    ft_put_uint(ctx, SEQ, number, v);
    ft_put_uint(ctx, PROBE, ft_u8(v), v);
    if (!ft_view_ok(v))
        return;
    pair(ctx, type, (uint32_t)id << 16 | number);
    struct ft_view rest = ft_rest(v);
    if (type == EXTENDED_REQUEST && ft_wants(ctx, ROOT))
        ft_icmp_extensions_put(ctx, MPLS, rest);
}

static void read_body(struct ft_context *ctx, uint8_t type, uint8_t code, struct ft_view *pdu)
{
    if (type == ECHO_REQUEST || type == ECHO_REPLY)
        read_echo(ctx, type, pdu);
    else if (is_error(type))
        read_error(ctx, type, code, pdu);
    else if (type == EXTENDED_REQUEST || type == EXTENDED_REPLY)
        read_extended(ctx, type, pdu);
    else if (is_question(type) || is_answer(type))
        read_query(ctx, type, pdu);
    else if (type == ROUTER_ADVERTISEMENT)
        read_routers(ctx, pdu);
    else
        ft_rest(pdu);
}

static void set_part(struct ft_context *ctx, uint8_t type)
{
    if (is_question(type)) {
        ft_set_direction(ctx, FT_TO_SERVER);
        ft_set_kind(ctx, FT_KIND_REQUEST);
    } else if (is_answer(type)) {
        ft_set_direction(ctx, FT_TO_CLIENT);
        ft_set_kind(ctx, FT_KIND_RESPONSE);
    } else {
        ft_set_kind(ctx, type == ROUTER_SOLICITATION ? FT_KIND_REQUEST : FT_KIND_UNSOLICITED);
    }
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    struct ft_view all = *pdu;
    int peeked_type = ft_peek_u8(pdu, 0), peeked_code = ft_peek_u8(pdu, 1);
    uint8_t type = (uint8_t)peeked_type, code = (uint8_t)peeked_code;

    if (peeked_code >= 0) {
        set_part(ctx, type);
        ft_command(ctx, type, code);
    }
    ft_put_uint(ctx, TYPE, ft_u8(pdu), pdu);
    ft_put_uint(ctx, CODE, ft_u8(pdu), pdu);
    ft_skip(pdu, 2);
    if (!ft_view_ok(pdu))
        return;
    if (ctx->ttl)
        ft_put_uint(ctx, TTL, ctx->ttl, NULL);
    check(ctx, type, code, all);
    read_body(ctx, type, code, pdu);
}

const struct ft_dissector ft_dissector_icmp = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "icmp",
    .title = "ICMP",
    .specification = "RFC 792, RFC 950, RFC 1256, RFC 4884, RFC 8335",
    .carried_by = FT_TABLE(carriers),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .max_pdu = 4096,
    .flow_state_size = sizeof(struct hosts),
    .dissect = dissect,
};
