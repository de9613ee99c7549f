/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMPv6: errors and echo, neighbour discovery (who has which address, which routers there are),
 * multicast listeners, node information.
 *
 *   0  1  type
 *   1  1  code
 *   2  2  checksum, with the addresses of the packet
 *   4     by type; neighbour discovery ends with options: type (1), length in 8 bytes (1), data
 *
 * Who claims an address here can be believed as little as in ARP: the inventory compares.
 *
 * Specification: RFC 4443, 4861, 4862, 2710, 3810, 4191, 4286, 4620, 5175, 8106, 8335, 8781, 8910.
 */
#include "icmp_common.h"
#include "repeated.h"

#include <stdio.h>

enum type {
    UNREACHABLE = 1,
    PACKET_TOO_BIG = 2,
    TIME_EXCEEDED = 3,
    PARAMETER_PROBLEM = 4,
    ECHO_REQUEST = 128,
    ECHO_REPLY = 129,
    MLD_QUERY = 130,
    MLD_REPORT = 131,
    MLD_DONE = 132,
    ROUTER_SOLICITATION = 133,
    ROUTER_ADVERTISEMENT = 134,
    NEIGHBOR_SOLICITATION = 135,
    NEIGHBOR_ADVERTISEMENT = 136,
    REDIRECT = 137,
    ROUTER_RENUMBERING = 138,
    NODE_QUERY = 139,
    NODE_REPLY = 140,
    MLD2_REPORT = 143,
    EXTENDED_REQUEST = 160,
    EXTENDED_REPLY = 161,
};

enum option {
    OPTION_SOURCE = 1,
    OPTION_TARGET = 2,
    OPTION_PREFIX = 3,
    OPTION_REDIRECTED = 4,
    OPTION_MTU = 5,
    OPTION_NONCE = 14,
    OPTION_ROUTE = 24,
    OPTION_RDNSS = 25,
    OPTION_FLAGS = 26,
    OPTION_DNSSL = 31,
    OPTION_CAPTIVE_PORTAL = 37,
    OPTION_PREF64 = 38,
};

/* The qualifier of solicitations and advertisements. */
enum form {
    PLAIN = 0,
    UNSOLICITED = 1, /* an advertisement that nobody asked for */
    DAD = 1,         /* is this address in use? asked without an address of one's own */
};

enum {
    NEXT_HEADER = 58,
    ADDRESS = 16,
    ND_HOP_LIMIT = 255,
    OVERRIDE = 0x20,
    SOLICITED = 0x40,
    FROM_ROUTER = 0x80,
    QTYPE_NAME = 2,
    LARGE_ECHO = 1452, /* more does not fit one Ethernet frame */
    LABELS_MAX = 32,
};

enum field {
    ROOT = 0,
    TYPE,
    CODE,
    HOP_LIMIT,
    ID,
    SEQ,
    LENGTH,
    DATA_HASH,
    OS,
    MTU,
    POINTER,
    INNER, /* enum ft_icmp_inner_field */
    ND = INNER + FT_ICMP_INNER_FIELDS,
    ND_TARGET,
    ND_DESTINATION,
    ND_LLADDR,
    ND_FLAGS,
    ND_NONCE,
    ND_DAD,
    RA,
    RA_HOP_LIMIT,
    RA_FLAGS,
    RA_PRF,
    RA_LIFETIME,
    RA_REACHABLE,
    RA_RETRANS,
    RA_MTU,
    RA_PREFIX,
    RA_PREFIX_ADDRESS,
    RA_PREFIX_LENGTH,
    RA_PREFIX_FLAGS,
    RA_PREFIX_VALID,
    RA_PREFIX_PREFERRED,
    RA_ROUTE,
    RA_ROUTE_ADDRESS,
    RA_ROUTE_LENGTH,
    RA_ROUTE_PRF,
    RA_ROUTE_LIFETIME,
    RA_RDNSS,
    RA_DNSSL,
    RA_CAPTIVE_PORTAL,
    RA_PREF64,
    MLD,
    MLD_DELAY,
    MLD_GROUP,
    MLD_SUPPRESS,
    MLD_ROBUSTNESS,
    MLD_INTERVAL,
    MLD_SOURCE,
    MLD_RECORD,
    MLD_RECORD_TYPE,
    MLD_RECORD_GROUP,
    MLD_RECORD_SOURCE,
    NI,
    NI_QTYPE,
    NI_FLAGS,
    NI_NONCE,
    NI_NAME,
    NI_DATA,
    OPTION,
    OPTION_TYPE,
    OPTION_DATA,
    PROBE,
    MPLS, /* enum ft_icmp_extension_field */
    EXTENSION = MPLS + FT_ICMP_EXTENSION,
    FIELDS = MPLS + FT_ICMP_EXTENSION_FIELDS,
};

enum violation {
    V_CHECKSUM = 0,
    V_TYPE,
    V_HOP_LIMIT,
    V_CODE,
    V_OPTION_LENGTH,
    V_ROUTER_SOURCE,
    V_SOLICITED_GROUP,
    V_MLD_HOP_LIMIT,
    V_RENUMBERING,
    V_SENDER_MAC,
    V_ROUTER_MAC,
    V_ROUTER_WITHDRAWN,
    V_ERROR_ABOUT_ERROR,
    V_FOREIGN_ERROR,
    V_GROUP_ECHO,
    V_LARGE_ECHO,
    V_ECHO_DATA,
    V_TUNNEL,
};

/* clang-format off */
static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_IP, .value = 58},
};

static const struct ft_name type_names[] = {
    {1, "unreachable"}, {2, "packet_too_big"}, {3, "time_exceeded"}, {4, "parameter_problem"},
    {128, "echo_request"}, {129, "echo_reply"}, {130, "mld_query"}, {131, "mld_report"},
    {132, "mld_done"}, {133, "router_solicitation"}, {134, "router_advertisement"},
    {135, "neighbor_solicitation"}, {136, "neighbor_advertisement"}, {137, "redirect"},
    {138, "router_renumbering"}, {139, "node_query"}, {140, "node_reply"},
    {141, "inverse_solicitation"}, {142, "inverse_advertisement"}, {143, "mld2_report"},
    {144, "home_agent_request"}, {145, "home_agent_reply"}, {146, "mobile_prefix_solicitation"},
    {147, "mobile_prefix_advertisement"}, {148, "certification_path_solicitation"},
    {149, "certification_path_advertisement"}, {151, "multicast_router_advertisement"},
    {152, "multicast_router_solicitation"}, {153, "multicast_router_termination"},
    {154, "fmipv6"}, {155, "rpl"}, {157, "duplicate_address_request"},
    {158, "duplicate_address_confirmation"}, {159, "mpl"}, {160, "extended_echo_request"},
    {161, "extended_echo_reply"}, {0, NULL},
};

static const struct ft_name nd_flag_names[] = {
    {0x80, "router"}, {0x40, "solicited"}, {0x20, "override"}, {0, NULL},
};

static const struct ft_name ra_flag_names[] = {
    {0x80, "managed"}, {0x40, "other"}, {0x20, "home_agent"}, {0x04, "proxy"}, {0, NULL},
};

static const struct ft_name preference_names[] = {
    {0, "medium"}, {1, "high"}, {2, "reserved"}, {3, "low"}, {0, NULL},
};

static const struct ft_name prefix_flag_names[] = {
    {0x80, "on_link"}, {0x40, "autonomous"}, {0x20, "router_address"}, {0, NULL},
};

static const struct ft_name record_names[] = {
    {1, "is_include"}, {2, "is_exclude"}, {3, "to_include"}, {4, "to_exclude"},
    {5, "allow_new"}, {6, "block_old"}, {0, NULL},
};

static const struct ft_name qtype_names[] = {
    {0, "nothing"}, {1, "unused"}, {2, "name"}, {3, "addresses"}, {4, "ipv4_addresses"},
    {0, NULL},
};

static const struct ft_field fields[] = {
    {"icmpv6", "Control messages of IPv6", NULL, 0, FT_TYPE_GROUP, 0, 0},
    {"type", "Type", type_names, ROOT, FT_TYPE_ENUM, 0, 8},
    {"code", "Code", NULL, ROOT, FT_TYPE_UINT, 0, 8},
    {"hop_limit", "Hop limit of the packet", NULL, ROOT, FT_TYPE_UINT, 0, 8},
    {"id", "Identifier of the asker", NULL, ROOT, FT_TYPE_UINT, 0, 16},
    {"seq", "Number of the request", NULL, ROOT, FT_TYPE_UINT, 0, 16},
    {"len", "Bytes of echo data", NULL, ROOT, FT_TYPE_UINT, 0, 32},
    {"data_hash", "Hash of the echo data", NULL, ROOT, FT_TYPE_UINT, 0, 48},
    {"os", "System whose echo data looks like this", NULL, ROOT, FT_TYPE_STRING, 0, 0},
    {"mtu", "Longest packet of the next hop", NULL, ROOT, FT_TYPE_UINT, 0, 32},
    {"pointer", "Place of the problem", NULL, ROOT, FT_TYPE_UINT, 0, 32},
    {"inner", "The packet that an error is about", NULL, ROOT, FT_TYPE_GROUP, 0, 0},
    {"src", "Its sender", NULL, INNER, FT_TYPE_IPV6, 0, 0},
    {"dst", "Its receiver", NULL, INNER, FT_TYPE_IPV6, 0, 0},
    {"proto", "Its protocol", ft_icmp_proto_names, INNER, FT_TYPE_ENUM, 0, 8},
    {"ttl", "Its hop limit", NULL, INNER, FT_TYPE_UINT, 0, 8},
    {"sport", "Its source port", NULL, INNER, FT_TYPE_UINT, 0, 16},
    {"dport", "Its destination port", NULL, INNER, FT_TYPE_UINT, 0, 16},
    {"type", "Its ICMPv6 type", NULL, INNER, FT_TYPE_UINT, 0, 8},
    {"code", "Its ICMPv6 code", NULL, INNER, FT_TYPE_UINT, 0, 8},
    {"nd", "Neighbour discovery", NULL, ROOT, FT_TYPE_GROUP, 0, 0},
    {"target", "Address in question; of a redirect: the next hop", NULL, ND, FT_TYPE_IPV6, 0, 0},
    {"destination", "Address that is redirected", NULL, ND, FT_TYPE_IPV6, 0, 0},
    {"lladdr", "MAC address", NULL, ND, FT_TYPE_MAC, 0, 0},
    {"flags", "Flags of an advertisement", nd_flag_names, ND, FT_TYPE_FLAGS, 0, 8},
    {"nonce", "Number of the question", NULL, ND, FT_TYPE_BYTES, 0, 0},
    {"dad", "Asks whether the address is in use", NULL, ND, FT_TYPE_BOOL, 0, 0},
    {"ra", "Router advertisement", NULL, ROOT, FT_TYPE_GROUP, 0, 0},
    {"hop_limit", "Hop limit that hosts should use", NULL, RA, FT_TYPE_UINT, 0, 8},
    {"flags", "Flags", ra_flag_names, RA, FT_TYPE_FLAGS, 0, 8},
    {"prf", "Preference of the router", preference_names, RA, FT_TYPE_ENUM, 0, 2},
    {"lifetime", "Seconds as default router; 0: none any more", NULL, RA, FT_TYPE_UINT, 0, 16},
    {"reachable", "Milliseconds that a neighbour counts as reachable", NULL, RA, FT_TYPE_UINT, 0, 32},
    {"retrans", "Milliseconds between solicitations", NULL, RA, FT_TYPE_UINT, 0, 32},
    {"mtu", "Longest packet of the link", NULL, RA, FT_TYPE_UINT, 0, 32},
    {"prefix", "A network of the link", NULL, RA, FT_TYPE_GROUP, FT_FIELD_LIST, 0},
    {"address", "Prefix", NULL, RA_PREFIX, FT_TYPE_IPV6, 0, 0},
    {"length", "Bits of it", NULL, RA_PREFIX, FT_TYPE_UINT, 0, 8},
    {"flags", "Flags", prefix_flag_names, RA_PREFIX, FT_TYPE_FLAGS, 0, 8},
    {"valid", "Seconds that addresses of it are valid", NULL, RA_PREFIX, FT_TYPE_UINT, 0, 32},
    {"preferred", "Seconds that addresses of it are preferred", NULL, RA_PREFIX, FT_TYPE_UINT, 0, 32},
    {"route", "A network behind the router", NULL, RA, FT_TYPE_GROUP, FT_FIELD_LIST, 0},
    {"address", "Prefix", NULL, RA_ROUTE, FT_TYPE_BYTES, 0, 0},
    {"length", "Bits of it", NULL, RA_ROUTE, FT_TYPE_UINT, 0, 8},
    {"prf", "Preference of the route", preference_names, RA_ROUTE, FT_TYPE_ENUM, 0, 2},
    {"lifetime", "Seconds that it holds", NULL, RA_ROUTE, FT_TYPE_UINT, 0, 32},
    {"rdnss", "Address of a name server", NULL, RA, FT_TYPE_IPV6, FT_FIELD_LIST, 0},
    {"dnssl", "Domain to search", NULL, RA, FT_TYPE_STRING, FT_FIELD_LIST, 0},
    {"captive_portal", "Address of the portal to log in at", NULL, RA, FT_TYPE_STRING, 0, 0},
    {"pref64", "Prefix for IPv4 addresses, as sent", NULL, RA, FT_TYPE_BYTES, FT_FIELD_LIST, 0},
    {"mld", "Multicast listeners", NULL, ROOT, FT_TYPE_GROUP, 0, 0},
    {"delay", "Milliseconds within which to answer", NULL, MLD, FT_TYPE_UINT, 0, 32},
    {"group", "Multicast address", NULL, MLD, FT_TYPE_IPV6, 0, 0},
    {"suppress", "Other routers need not count from this query", NULL, MLD, FT_TYPE_BOOL, 0, 0},
    {"robustness", "Messages sent against one that is lost", NULL, MLD, FT_TYPE_UINT, 0, 3},
    {"interval", "Seconds between general queries", NULL, MLD, FT_TYPE_UINT, 0, 32},
    {"source", "Sender that is asked for", NULL, MLD, FT_TYPE_IPV6, FT_FIELD_LIST, 0},
    {"record", "What a listener wants", NULL, MLD, FT_TYPE_GROUP, FT_FIELD_LIST, 0},
    {"type", "Include or exclude", record_names, MLD_RECORD, FT_TYPE_ENUM, 0, 8},
    {"group", "Multicast address", NULL, MLD_RECORD, FT_TYPE_IPV6, 0, 0},
    {"source", "Sender", NULL, MLD_RECORD, FT_TYPE_IPV6, FT_FIELD_LIST, 0},
    {"ni", "Node information", NULL, ROOT, FT_TYPE_GROUP, 0, 0},
    {"qtype", "What is asked", qtype_names, NI, FT_TYPE_ENUM, 0, 16},
    {"flags", "Flags", NULL, NI, FT_TYPE_UINT, 0, 16},
    {"nonce", "Number of the question", NULL, NI, FT_TYPE_BYTES, 0, 0},
    {"name", "Name of the node", NULL, NI, FT_TYPE_STRING, FT_FIELD_LIST, 0},
    {"data", "Question or answer, as sent", NULL, NI, FT_TYPE_BYTES, 0, 0},
    {"option", "Another option", NULL, ROOT, FT_TYPE_GROUP, FT_FIELD_LIST, 0},
    {"type", "Type", NULL, OPTION, FT_TYPE_UINT, 0, 8},
    {"data", "Data", NULL, OPTION, FT_TYPE_BYTES, 0, 0},
    {"probe", "Extended echo: bits of the question or the answer", NULL, ROOT, FT_TYPE_UINT, 0, 8},
    {"mpls", "A label that the packet came with", NULL, ROOT, FT_TYPE_GROUP, FT_FIELD_LIST, 0},
    {"label", "Label", NULL, MPLS, FT_TYPE_UINT, 0, 20},
    {"ttl", "Time to live of the label", NULL, MPLS, FT_TYPE_UINT, 0, 8},
    {"extension", "Another extension", NULL, ROOT, FT_TYPE_GROUP, FT_FIELD_LIST, 0},
    {"class", "Class", NULL, EXTENSION, FT_TYPE_UINT, 0, 8},
    {"type", "Type in the class", NULL, EXTENSION, FT_TYPE_UINT, 0, 8},
    {"data", "Data", NULL, EXTENSION, FT_TYPE_BYTES, 0, 0},
};

#define COMMAND(type, code, name, class, mitre) {type, code, name, FT_CLASS_##class, {0}, mitre}
#define ANY FT_ANY_QUALIFIER

static const struct ft_command commands[] = {
    COMMAND(UNREACHABLE, 0, "no_route", DIAGNOSTIC, NULL),
    COMMAND(UNREACHABLE, 1, "prohibited", DIAGNOSTIC, NULL),
    COMMAND(UNREACHABLE, 2, "beyond_scope", DIAGNOSTIC, NULL),
    COMMAND(UNREACHABLE, 3, "address_unreachable", DIAGNOSTIC, NULL),
    COMMAND(UNREACHABLE, 4, "port_unreachable", DIAGNOSTIC, NULL),
    COMMAND(UNREACHABLE, ANY, "unreachable", DIAGNOSTIC, NULL),
    COMMAND(PACKET_TOO_BIG, ANY, "packet_too_big", DIAGNOSTIC, NULL),
    COMMAND(TIME_EXCEEDED, 0, "hop_limit_exceeded", DIAGNOSTIC, NULL),
    COMMAND(TIME_EXCEEDED, 1, "reassembly_time_exceeded", DIAGNOSTIC, NULL),
    COMMAND(TIME_EXCEEDED, ANY, "time_exceeded", DIAGNOSTIC, NULL),
    COMMAND(PARAMETER_PROBLEM, ANY, "parameter_problem", DIAGNOSTIC, NULL),
    COMMAND(ECHO_REQUEST, ANY, "echo_request", DIAGNOSTIC, NULL),
    COMMAND(ECHO_REPLY, ANY, "echo_reply", DIAGNOSTIC, NULL),
    COMMAND(MLD_QUERY, ANY, "mld_query", DATA, NULL),
    COMMAND(MLD_REPORT, ANY, "mld_report", DATA, NULL),
    COMMAND(MLD_DONE, ANY, "mld_done", DATA, NULL),
    COMMAND(ROUTER_SOLICITATION, ANY, "router_solicitation", READ, NULL),
    COMMAND(ROUTER_ADVERTISEMENT, ANY, "router_advertisement", CONFIG, "T0830"),
    COMMAND(NEIGHBOR_SOLICITATION, DAD, "duplicate_address_detection", DIAGNOSTIC, NULL),
    COMMAND(NEIGHBOR_SOLICITATION, ANY, "neighbor_solicitation", READ, NULL),
    COMMAND(NEIGHBOR_ADVERTISEMENT, UNSOLICITED, "unsolicited_advertisement", EVENT, NULL),
    COMMAND(NEIGHBOR_ADVERTISEMENT, ANY, "neighbor_advertisement", READ, NULL),
    COMMAND(REDIRECT, ANY, "redirect", CONFIG, "T0830"),
    COMMAND(ROUTER_RENUMBERING, ANY, "router_renumbering", CONFIG, "T0830"),
    COMMAND(NODE_QUERY, ANY, "node_query", READ, NULL),
    COMMAND(NODE_REPLY, ANY, "node_reply", READ, NULL),
    COMMAND(141, ANY, "inverse_solicitation", READ, NULL),
    COMMAND(142, ANY, "inverse_advertisement", READ, NULL),
    COMMAND(MLD2_REPORT, ANY, "mld2_report", DATA, NULL),
    COMMAND(144, ANY, "home_agent_request", READ, NULL),
    COMMAND(145, ANY, "home_agent_reply", READ, NULL),
    COMMAND(146, ANY, "mobile_prefix_solicitation", READ, NULL),
    COMMAND(147, ANY, "mobile_prefix_advertisement", CONFIG, NULL),
    COMMAND(148, ANY, "certification_path_solicitation", READ, NULL),
    COMMAND(149, ANY, "certification_path_advertisement", READ, NULL),
    COMMAND(151, ANY, "multicast_router_advertisement", DATA, NULL),
    COMMAND(152, ANY, "multicast_router_solicitation", READ, NULL),
    COMMAND(153, ANY, "multicast_router_termination", DATA, NULL),
    COMMAND(154, ANY, "fmipv6", SESSION, NULL),
    COMMAND(155, ANY, "rpl", DATA, NULL),
    COMMAND(157, ANY, "duplicate_address_request", READ, NULL),
    COMMAND(158, ANY, "duplicate_address_confirmation", READ, NULL),
    COMMAND(159, ANY, "mpl", DATA, NULL),
    COMMAND(EXTENDED_REQUEST, ANY, "extended_echo_request", DIAGNOSTIC, NULL),
    COMMAND(EXTENDED_REPLY, ANY, "extended_echo_reply", DIAGNOSTIC, NULL),
};

#define VIOLATION(name, title, category, mitre, severity, engine)                                  \
    {name, title, NULL, category, mitre, FT_SEVERITY_##severity, FT_ENGINE_##engine, 0, {0}}
#define ABNORMAL "Abnormal Communication Behavior"

static const struct ft_violation violations[] = {
    VIOLATION("checksum", "ICMPv6 with a wrong checksum", ABNORMAL, NULL, WARNING, PROTOCOL),
    VIOLATION("type", "ICMPv6 of a type that is not assigned", ABNORMAL, NULL, WARNING, PROTOCOL),
    VIOLATION("hop_limit", "Neighbour discovery that came over a router", ABNORMAL, "T0830", MAJOR, PROTOCOL),
    VIOLATION("code", "Neighbour discovery with a code", ABNORMAL, NULL, MINOR, PROTOCOL),
    VIOLATION("option_length", "Neighbour discovery option of a length that cannot be", ABNORMAL, "T0814", MAJOR, PROTOCOL),
    VIOLATION("router_source", "Router message from an address that is not of the link", ABNORMAL, "T0830", MAJOR, PROTOCOL),
    VIOLATION("solicited_group", "Neighbour advertisement to all that says it was asked for", ABNORMAL, "T0830", MINOR, PROTOCOL),
    VIOLATION("mld_hop_limit", "Multicast listener message that came over a router", ABNORMAL, NULL, MINOR, PROTOCOL),
    VIOLATION("renumbering", "Routers are told to change their addresses", ABNORMAL, "T0830", MAJOR, POLICY),
    VIOLATION("sender_mac", "Neighbour discovery names another MAC address than its frame's sender", ABNORMAL, "T0830", WARNING, PROTOCOL),
    VIOLATION("router_mac", "Router advertisement from another MAC address than before", ABNORMAL, "T0830", MAJOR, ANOMALY),
    VIOLATION("router_withdrawn", "A router says that it is none any more", ABNORMAL, "T0830 T0814", MINOR, OPERATIONAL),
    VIOLATION("error_about_error", "ICMPv6 error about an ICMPv6 error", ABNORMAL, "T0814", MINOR, PROTOCOL),
    VIOLATION("foreign_error", "ICMPv6 error about a packet that its receiver did not send", ABNORMAL, "T0830", MINOR, ANOMALY),
    VIOLATION("group_echo", "Ping to all hosts of the link", ABNORMAL, "T0846", WARNING, ANOMALY),
    VIOLATION("large_echo", "Ping too large for one frame", ABNORMAL, "T0814", WARNING, ANOMALY),
    VIOLATION("echo_data", "Answer to a ping with other data than was sent", ABNORMAL, "T0884 T0869", MINOR, ANOMALY),
    {"tunnel", "Ping that carries another protocol", NULL, "Suspicion of malicious activity", "T0884 T0869", FT_SEVERITY_MAJOR, FT_ENGINE_ANOMALY, FT_ALERT_EACH, {0}},
};
/* clang-format on */

_Static_assert(sizeof(fields) / sizeof(fields[0]) == FIELDS, "one row a field");
_Static_assert(sizeof(violations) / sizeof(violations[0]) == V_TUNNEL + 1, "one row a violation");

/* Kept with two addresses. */
struct hosts {
    uint64_t router_mac; /* that sends the advertisements, 0: none came */
    uint16_t lifetime;   /* of the last */
    uint8_t is_os_told[2];
};

/* What the options of neighbour discovery said. */
struct options {
    struct ft_view source, target; /* MAC addresses, empty: none */
};

/* ---- addresses ------------------------------------------------------------------------------ */

static struct ft_view address_view(const uint8_t *ip)
{
    return ft_view_make(ip, ADDRESS, false);
}

static bool is_unspecified(const uint8_t *ip)
{
    static const uint8_t none[ADDRESS];
    return memcmp(ip, none, ADDRESS) == 0;
}

static bool is_group(const uint8_t *ip)
{
    return ip[0] == 0xff;
}

static bool is_link_local(const uint8_t *ip)
{
    return ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80;
}

static uint64_t mac_number(struct ft_view mac)
{
    return ft_u48be(&mac);
}

/* Routers lower the hop limit: what has another came from elsewhere, and says nothing of who is
 * here. */
static bool is_neighbour(const struct ft_context *ctx)
{
    return !ctx->ttl || ctx->ttl == ND_HOP_LIMIT;
}

static uint64_t frame_sender(const struct ft_context *ctx)
{
    return mac_number(ft_view_make(ctx->src_mac, 6, false));
}

static struct ft_view put_address(struct ft_context *ctx, uint32_t field, struct ft_view *v)
{
    struct ft_view address = ft_sub(v, ADDRESS);
    ft_put_bytes(ctx, field, address);
    return address;
}

/* ---- what can be wrong with any ------------------------------------------------------------- */

static bool is_discovery(uint8_t type)
{
    return type >= ROUTER_SOLICITATION && type <= REDIRECT;
}

static bool is_error(uint8_t type)
{
    return type >= UNREACHABLE && type <= PARAMETER_PROBLEM;
}

static bool is_listener(uint8_t type)
{
    return (type >= MLD_QUERY && type <= MLD_DONE) || type == MLD2_REPORT;
}

/* IANA; 100, 101, 200, 201 are for experiments. */
static bool is_assigned(uint8_t type)
{
    return is_error(type) || (type >= ECHO_REQUEST && type <= EXTENDED_REPLY) || type == 100 ||
           type == 101 || type == 200 || type == 201;
}

static bool is_checksum_good(const struct ft_context *ctx, struct ft_view all)
{
    uint32_t sum = all.len + NEXT_HEADER;
    sum = ft_icmp_sum(sum, address_view(ctx->src_ip));
    sum = ft_icmp_sum(sum, address_view(ctx->dst_ip));
    return ft_icmp_is_sum_good(ft_icmp_sum(sum, all));
}

static void check(struct ft_context *ctx, uint8_t type, uint8_t code, struct ft_view all)
{
    if (!ctx->is_truncated && !is_checksum_good(ctx, all))
        ft_violation(ctx, V_CHECKSUM, NULL);
    if (!is_assigned(type))
        ft_violation(ctx, V_TYPE, NULL);
    if (is_discovery(type) && ctx->ttl && ctx->ttl != 255)
        ft_violation(ctx, V_HOP_LIMIT, NULL);
    if (is_discovery(type) && code)
        ft_violation(ctx, V_CODE, NULL);
    if (is_listener(type) && ctx->ttl > 1)
        ft_violation(ctx, V_MLD_HOP_LIMIT, NULL);
    if (type == ROUTER_RENUMBERING)
        ft_violation(ctx, V_RENUMBERING, NULL);
    if ((type == ROUTER_ADVERTISEMENT || type == REDIRECT) && !is_link_local(ctx->src_ip))
        ft_violation(ctx, V_ROUTER_SOURCE, NULL);
}

/* ---- options of neighbour discovery --------------------------------------------------------- */

static void put_prefix(struct ft_context *ctx, struct ft_view *v)
{
    ft_group_begin(ctx, RA_PREFIX);
    ft_put_uint(ctx, RA_PREFIX_LENGTH, ft_u8(v), v);
    ft_put_uint(ctx, RA_PREFIX_FLAGS, ft_u8(v), v);
    ft_put_uint(ctx, RA_PREFIX_VALID, ft_u32be(v), v);
    ft_put_uint(ctx, RA_PREFIX_PREFERRED, ft_u32be(v), v);
    ft_skip(v, 4);
    put_address(ctx, RA_PREFIX_ADDRESS, v);
    ft_group_end(ctx, RA_PREFIX);
}

/* A route's prefix may be cut to 8 bytes or none. */
static void put_route(struct ft_context *ctx, struct ft_view *v)
{
    ft_group_begin(ctx, RA_ROUTE);
    ft_put_uint(ctx, RA_ROUTE_LENGTH, ft_u8(v), v);
    ft_put_uint(ctx, RA_ROUTE_PRF, ft_u8(v) >> 3 & 3, v);
    ft_put_uint(ctx, RA_ROUTE_LIFETIME, ft_u32be(v), v);
    ft_put_bytes(ctx, RA_ROUTE_ADDRESS, ft_rest(v));
    ft_group_end(ctx, RA_ROUTE);
}

/* Labels up to the root, as a name with dots. False at the end of the names. */
static bool put_name(struct ft_context *ctx, uint32_t field, struct ft_view *v)
{
    char text[256];
    uint32_t n = 0;
    for (unsigned i = 0; i < LABELS_MAX; i++) {
        struct ft_view label = ft_sub_u8(v);
        if (!ft_view_ok(v) || !label.len)
            break;
        if (n + label.len + 1 >= sizeof(text))
            return false;
        if (n)
            text[n++] = '.';
        const uint8_t *bytes = ft_view_take(&label, label.len);
        memcpy(text + n, bytes, v->last_len);
        n += v->last_len;
    }
    if (n)
        ft_put_text(ctx, field, text, n, v);
    return n && ft_view_ok(v);
}

static void put_servers(struct ft_context *ctx, struct ft_view *v)
{
    static const char role[] = "server";
    ft_skip(v, 2 + 4);
    while (v->len >= ADDRESS) {
        struct ft_view address = put_address(ctx, RA_RDNSS, v);
        if (is_neighbour(ctx))
            ft_asset_of(ctx, address, FT_FACT_ROLE, ft_view_make(role, sizeof(role) - 1, false));
    }
}

static void put_domains(struct ft_context *ctx, struct ft_view *v)
{
    ft_skip(v, 2 + 4);
    while (v->len && ft_peek_u8(v, 0) && put_name(ctx, RA_DNSSL, v))
        continue;
    ft_rest(v);
}

static void put_other_option(struct ft_context *ctx, uint8_t type, struct ft_view *v)
{
    ft_group_begin(ctx, OPTION);
    ft_put_uint(ctx, OPTION_TYPE, type, NULL);
    ft_put_bytes(ctx, OPTION_DATA, ft_rest(v));
    ft_group_end(ctx, OPTION);
}

/* Options in groups of their own: they would end the group that the others stand in. */
static bool is_apart(uint8_t type)
{
    switch (type) {
    case OPTION_SOURCE:
    case OPTION_TARGET:
    case OPTION_PREFIX:
    case OPTION_MTU:
    case OPTION_NONCE:
    case OPTION_ROUTE:
    case OPTION_RDNSS:
    case OPTION_DNSSL:
    case OPTION_CAPTIVE_PORTAL:
    case OPTION_PREF64:
        return false;
    default:
        return true;
    }
}

static void read_option_apart(struct ft_context *ctx, uint8_t type, struct ft_view *v)
{
    if (type != OPTION_REDIRECTED) {
        put_other_option(ctx, type, v);
        return;
    }
    ft_skip(v, 6);
    struct ft_icmp_inner inner = ft_icmp_inner_read(ft_rest(v));
    ft_icmp_inner_put(ctx, INNER, &inner);
}

static void read_option(struct ft_context *ctx, uint8_t type, struct options *said,
                        struct ft_view *v)
{
    switch (type) {
    case OPTION_SOURCE:
        said->source = ft_sub(v, 6);
        break;
    case OPTION_TARGET:
        said->target = ft_sub(v, 6);
        break;
    case OPTION_PREFIX:
        put_prefix(ctx, v);
        break;
    case OPTION_MTU:
        ft_skip(v, 2);
        ft_put_uint(ctx, RA_MTU, ft_u32be(v), v);
        break;
    case OPTION_NONCE:
        ft_put_bytes(ctx, ND_NONCE, ft_rest(v));
        break;
    case OPTION_ROUTE:
        put_route(ctx, v);
        break;
    case OPTION_RDNSS:
        put_servers(ctx, v);
        break;
    case OPTION_DNSSL:
        put_domains(ctx, v);
        break;
    case OPTION_CAPTIVE_PORTAL:
        ft_put_string(ctx, RA_CAPTIVE_PORTAL, ft_rest(v));
        break;
    default:
        ft_put_bytes(ctx, RA_PREF64, ft_rest(v));
    }
}

/* The next option; false at the end and where a length is wrong, which is told once. A length of 0
 * would stand still; RFC 4861, 4.6 wants the packet dropped. */
static bool next_option(struct ft_context *ctx, bool is_told, struct ft_view *v, uint8_t *type,
                        struct ft_view *option)
{
    int length = ft_peek_u8(v, 1) * 8;
    if (!v->len)
        return false;
    if (length == 0 || ((length < 0 || (uint32_t)length > v->len) && !v->is_cut)) {
        ft_rest(v);
        if (is_told)
            ft_violation(ctx, V_OPTION_LENGTH, v);
        return false;
    }
    *type = ft_u8(v);
    ft_skip(v, 1);
    *option = ft_sub(v, length < 2 ? 0 : (uint32_t)length - 2);
    return ft_view_ok(v);
}

static void read_options(struct ft_context *ctx, struct options *said, struct ft_view *v)
{
    struct ft_view again = *v, option;
    bool has_apart = false;
    uint8_t type;
    said->source = said->target = ft_view_empty();
    while (next_option(ctx, true, v, &type, &option)) {
        has_apart |= is_apart(type);
        if (!is_apart(type))
            read_option(ctx, type, said, &option);
        if (ft_view_is_malformed(&option))
            ft_violation(ctx, V_OPTION_LENGTH, v);
    }
    if (said->source.len)
        ft_put_bytes(ctx, ND_LLADDR, said->source);
    else if (said->target.len)
        ft_put_bytes(ctx, ND_LLADDR, said->target);
    while (has_apart && next_option(ctx, false, &again, &type, &option))
        if (is_apart(type))
            read_option_apart(ctx, type, &option);
}

/* ---- neighbour discovery -------------------------------------------------------------------- */

/* Can the address be that of the MAC address? Tells when the frame is of another. */
static bool is_binding(struct ft_context *ctx, struct ft_view address, struct ft_view mac)
{
    if (mac.len != 6 || address.len != ADDRESS)
        return false;
    uint64_t sender = frame_sender(ctx), number = mac_number(mac);
    struct ft_view bytes = address;
    uint8_t first = ft_u8(&bytes);
    if (sender && sender != number)
        ft_violation(ctx, V_SENDER_MAC, NULL);
    return number && !(number >> 40 & 1) && first != 0xff && is_neighbour(ctx);
}

/* A router's, which says it to everybody all the time. */
static void claim(struct ft_context *ctx, struct ft_view address, struct ft_view mac)
{
    if (is_binding(ctx, address, mac))
        ft_asset_address(ctx, address, mac);
}

/* Who is sure to be known may leave its MAC address out. */
static struct ft_view mac_or_sender(const struct ft_context *ctx, struct ft_view mac)
{
    return mac.len ? mac : ft_view_make(ctx->src_mac, sizeof(ctx->src_mac), false);
}

static void tell_question(struct ft_context *ctx, bool is_dad, struct ft_view mac,
                          struct ft_view target)
{
    struct ft_view source = address_view(ctx->src_ip);
    mac = mac_or_sender(ctx, mac);
    if (is_dad && frame_sender(ctx) && is_neighbour(ctx))
        ft_resolution(ctx, FT_RESOLUTION_PROBE, mac, ft_view_empty(), target);
    else if (!is_dad && is_binding(ctx, source, mac))
        ft_resolution(ctx, FT_RESOLUTION_QUESTION, mac, source, target);
}

/* Who names a MAC address and may not override another has an address that several have, or speaks
 * for another (RFC 4861, 7.2.4). */
static void tell_answer(struct ft_context *ctx, uint8_t flags, struct ft_view mac,
                        struct ft_view target)
{
    bool is_to_all = is_group(ctx->dst_ip);
    if ((mac.len && !(flags & OVERRIDE)) || (is_to_all && !mac.len) ||
        !is_binding(ctx, target, mac_or_sender(ctx, mac)))
        return;
    ft_resolution(ctx, is_to_all ? FT_RESOLUTION_ANNOUNCEMENT : FT_RESOLUTION_ANSWER,
                  mac_or_sender(ctx, mac), target, is_to_all ? target : address_view(ctx->dst_ip));
}

static void read_solicitation(struct ft_context *ctx, struct ft_view *v)
{
    struct options said;
    bool is_dad = is_unspecified(ctx->src_ip);
    ft_skip(v, 4);
    struct ft_view target = put_address(ctx, ND_TARGET, v);
    ft_put_bool(ctx, ND_DAD, is_dad, NULL);
    read_options(ctx, &said, v);
    if (!ft_view_ok(v))
        return;
    tell_question(ctx, is_dad, said.source, target);
    if (!is_group(ctx->dst_ip))
        ft_request(ctx, FT_SCOPE_FLOW, repeated_hash(target), NULL, 0);
}

static void read_advertisement(struct ft_context *ctx, struct ft_view *v)
{
    struct options said;
    uint8_t flags = ft_u8(v);
    ft_put_uint(ctx, ND_FLAGS, flags & 0xe0u, v);
    ft_skip(v, 3);
    struct ft_view target = put_address(ctx, ND_TARGET, v);
    read_options(ctx, &said, v);
    if (!ft_view_ok(v))
        return;
    if (is_group(ctx->dst_ip) && flags & SOLICITED)
        ft_violation(ctx, V_SOLICITED_GROUP, NULL);
    tell_answer(ctx, flags, said.target, target);
    if (flags & FROM_ROUTER)
        ft_asset_role(ctx, FT_SENDER, FT_ROLE_ROUTER);
    if (flags & SOLICITED)
        ft_response(ctx, FT_SCOPE_FLOW, repeated_hash(target));
}

/* The same router from another card, or none any more: of one address, as it says itself. */
static void check_router(struct ft_context *ctx, uint16_t lifetime)
{
    struct hosts *hosts = ctx->flow_state;
    uint64_t mac = frame_sender(ctx);
    if (hosts->router_mac && mac && hosts->router_mac != mac)
        ft_violation(ctx, V_ROUTER_MAC, NULL);
    if (hosts->lifetime && !lifetime)
        ft_violation(ctx, V_ROUTER_WITHDRAWN, NULL);
    hosts->router_mac = mac;
    hosts->lifetime = lifetime;
}

static void read_router(struct ft_context *ctx, struct ft_view *v)
{
    struct options said;
    ft_put_uint(ctx, RA_HOP_LIMIT, ft_u8(v), v);
    uint8_t flags = ft_u8(v);
    ft_put_uint(ctx, RA_FLAGS, flags & 0xe7u, v);
    ft_put_uint(ctx, RA_PRF, flags >> 3 & 3, v);
    uint16_t lifetime = ft_u16be(v);
    ft_put_uint(ctx, RA_LIFETIME, lifetime, v);
    ft_put_uint(ctx, RA_REACHABLE, ft_u32be(v), v);
    ft_put_uint(ctx, RA_RETRANS, ft_u32be(v), v);
    read_options(ctx, &said, v);
    if (!ft_view_ok(v))
        return;
    check_router(ctx, lifetime);
    claim(ctx, address_view(ctx->src_ip), said.source);
    if (lifetime)
        ft_asset_role(ctx, FT_SENDER, FT_ROLE_ROUTER);
}

static void read_discovery(struct ft_context *ctx, uint8_t type, struct ft_view *v)
{
    struct options said;
    if (type == NEIGHBOR_SOLICITATION) {
        read_solicitation(ctx, v);
    } else if (type == NEIGHBOR_ADVERTISEMENT) {
        read_advertisement(ctx, v);
    } else if (type == ROUTER_ADVERTISEMENT) {
        read_router(ctx, v);
    } else if (type == REDIRECT) {
        ft_skip(v, 4);
        put_address(ctx, ND_TARGET, v);
        put_address(ctx, ND_DESTINATION, v);
        read_options(ctx, &said, v);
        ft_asset_role(ctx, FT_SENDER, FT_ROLE_ROUTER);
    } else {
        ft_skip(v, 4);
        read_options(ctx, &said, v);
        if (ft_view_ok(v) && !is_unspecified(ctx->src_ip))
            claim(ctx, address_view(ctx->src_ip), said.source);
    }
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
    .to_all = V_GROUP_ECHO,
    .data_max = LARGE_ECHO,
    .request = ECHO_REQUEST,
};

static void read_echo(struct ft_context *ctx, uint8_t type, struct ft_view *v)
{
    struct hosts *hosts = ctx->flow_state;
    ft_icmp_echo_read(ctx, &echo_names, type, is_group(ctx->dst_ip), hosts->is_os_told, v);
}

static void read_extended(struct ft_context *ctx, uint8_t type, struct ft_view *v)
{
    uint16_t id = ft_u16be(v);
    ft_put_uint(ctx, ID, id, v);
    uint8_t number = ft_u8(v);
    ft_put_uint(ctx, SEQ, number, v);
    ft_put_uint(ctx, PROBE, ft_u8(v), v);
    if (!ft_view_ok(v))
        return;
    uint64_t key =
        ft_icmp_key(ctx, EXTENDED_REQUEST, (uint32_t)id << 16 | number, type == EXTENDED_REQUEST);
    if (type == EXTENDED_REPLY)
        ft_response(ctx, FT_SCOPE_FLOW, key);
    else if (!is_group(ctx->dst_ip))
        ft_request(ctx, FT_SCOPE_FLOW, key, NULL, 0);
    struct ft_view rest = ft_rest(v);
    if (type == EXTENDED_REQUEST && ft_wants(ctx, ROOT))
        ft_icmp_extensions_put(ctx, MPLS, rest);
}

/* ---- errors --------------------------------------------------------------------------------- */

static void read_error(struct ft_context *ctx, uint8_t type, uint8_t code, struct ft_view *v)
{
    uint32_t parameter = ft_u32be(v);
    if (type == PACKET_TOO_BIG)
        ft_put_uint(ctx, MTU, parameter, v);
    else if (type == PARAMETER_PROBLEM)
        ft_put_uint(ctx, POINTER, parameter, v);
    struct ft_view quoted = ft_rest(v);
    struct ft_icmp_inner inner = ft_icmp_inner_read(quoted);
    ft_icmp_inner_put(ctx, INNER, &inner);
    /* RFC 4884, 4.4 and 4.5: words of 8 bytes */
    if (type == UNREACHABLE || type == TIME_EXCEEDED)
        ft_icmp_extensions_read(ctx, MPLS, (parameter >> 24) * 8, quoted);
    if (inner.has_type && inner.proto == NEXT_HEADER && is_error(inner.type))
        ft_violation(ctx, V_ERROR_ABOUT_ERROR, NULL);
    if (!ft_icmp_inner_is_of_receiver(ctx, &inner))
        ft_violation(ctx, V_FOREIGN_ERROR, NULL);
    if (type == TIME_EXCEEDED && code == 0)
        ft_asset_role(ctx, FT_SENDER, FT_ROLE_ROUTER);
}

/* ---- multicast listeners -------------------------------------------------------------------- */

static void read_records(struct ft_context *ctx, struct ft_view *v)
{
    ft_skip(v, 2);
    uint32_t count = ft_u16be(v);
    count = ft_count(v, count, 4 + ADDRESS);
    for (uint32_t i = 0; i < count && ft_view_ok(v); i++) {
        ft_group_begin(ctx, MLD_RECORD);
        ft_put_uint(ctx, MLD_RECORD_TYPE, ft_u8(v), v);
        uint32_t words = ft_u8(v);
        uint32_t sources = ft_u16be(v);
        put_address(ctx, MLD_RECORD_GROUP, v);
        sources = ft_count(v, sources, ADDRESS);
        for (uint32_t s = 0; s < sources && ft_view_ok(v); s++)
            put_address(ctx, MLD_RECORD_SOURCE, v);
        ft_skip(v, words * 4);
        ft_group_end(ctx, MLD_RECORD);
    }
}

/* A number whose top bit says that it is 1.mantissa times a power of two: three bits of exponent
 * behind it, then `bits` of mantissa (RFC 3810, 5.1.3 and 5.1.9). */
static uint32_t floating(uint32_t code, unsigned bits)
{
    if (!(code >> (bits + 3)))
        return code;
    uint32_t mantissa = (code & ((1u << bits) - 1)) | 1u << bits;
    return mantissa << ((code >> bits & 7) + 3);
}

/* What version 2 adds: flags and robustness (1), interval (1), number of sources (2), sources. */
static void read_second_query(struct ft_context *ctx, struct ft_view *v)
{
    uint8_t flags = ft_u8(v);
    ft_put_bool(ctx, MLD_SUPPRESS, flags & 8, v);
    ft_put_uint(ctx, MLD_ROBUSTNESS, flags & 7, v);
    ft_put_uint(ctx, MLD_INTERVAL, floating(ft_u8(v), 4), v);
    uint32_t sources = ft_u16be(v);
    sources = ft_count(v, sources, ADDRESS);
    for (uint32_t s = 0; s < sources && ft_view_ok(v); s++)
        put_address(ctx, MLD_SOURCE, v);
}

static void read_listener(struct ft_context *ctx, uint8_t type, struct ft_view *v)
{
    if (type == MLD2_REPORT) {
        read_records(ctx, v);
        return;
    }
    uint16_t delay = ft_u16be(v);
    bool is_second = type == MLD_QUERY && v->len > 2 + ADDRESS;
    ft_put_uint(ctx, MLD_DELAY, is_second ? floating(delay, 12) : delay, v);
    ft_skip(v, 2);
    put_address(ctx, MLD_GROUP, v);
    if (is_second)
        read_second_query(ctx, v);
    ft_rest(v);
}

/* ---- node information (RFC 4620) ------------------------------------------------------------ */

static void put_node_name(struct ft_context *ctx, struct ft_view v)
{
    struct ft_view first;
    ft_skip(&v, 4); /* how long it is valid */
    first = v;
    ft_asset(ctx, FT_SENDER, FT_FACT_NAME, ft_sub_u8(&first));
    while (v.len && ft_peek_u8(&v, 0) && put_name(ctx, NI_NAME, &v))
        continue;
}

static void read_node(struct ft_context *ctx, uint8_t type, uint8_t code, struct ft_view *v)
{
    uint16_t qtype = ft_u16be(v);
    ft_put_uint(ctx, NI_QTYPE, qtype, v);
    ft_put_uint(ctx, NI_FLAGS, ft_u16be(v), v);
    struct ft_view nonce = ft_sub(v, 8);
    ft_put_bytes(ctx, NI_NONCE, nonce);
    struct ft_view data = ft_rest(v);
    if (!ft_view_ok(v))
        return;
    uint64_t key = repeated_hash(nonce);
    if (type == NODE_REPLY)
        ft_response(ctx, FT_SCOPE_FLOW, key);
    else if (!is_group(ctx->dst_ip))
        ft_request(ctx, FT_SCOPE_FLOW, key, NULL, 0);
    if (type == NODE_REPLY && qtype == QTYPE_NAME && code == 0)
        put_node_name(ctx, data);
    else if (data.len)
        ft_put_bytes(ctx, NI_DATA, data);
}

/* ---- the whole ------------------------------------------------------------------------------ */

static void read_body(struct ft_context *ctx, uint8_t type, uint8_t code, struct ft_view *pdu)
{
    if (is_discovery(type))
        read_discovery(ctx, type, pdu);
    else if (is_error(type))
        read_error(ctx, type, code, pdu);
    else if (type == ECHO_REQUEST || type == ECHO_REPLY)
        read_echo(ctx, type, pdu);
    else if (is_listener(type))
        read_listener(ctx, type, pdu);
    else if (type == NODE_QUERY || type == NODE_REPLY)
        read_node(ctx, type, code, pdu);
    else if (type == EXTENDED_REQUEST || type == EXTENDED_REPLY)
        read_extended(ctx, type, pdu);
    else
        ft_rest(pdu);
}

/* What advertisements and solicitations are is in their flags and addresses. */
static uint32_t form_of(const struct ft_context *ctx, uint8_t type, int flags)
{
    if (type == NEIGHBOR_SOLICITATION)
        return is_unspecified(ctx->src_ip) ? DAD : PLAIN;
    if (type == NEIGHBOR_ADVERTISEMENT)
        return flags >= 0 && !(flags & SOLICITED) ? UNSOLICITED : PLAIN;
    return PLAIN;
}

static void set_part(struct ft_context *ctx, uint8_t type, uint32_t form)
{
    switch (type) {
    case ECHO_REQUEST:
    case NODE_QUERY:
    case EXTENDED_REQUEST:
    case NEIGHBOR_SOLICITATION:
        ft_set_direction(ctx, FT_TO_SERVER);
        ft_set_kind(ctx, FT_KIND_REQUEST);
        break;
    case ROUTER_SOLICITATION:
    case MLD_QUERY:
        ft_set_kind(ctx, FT_KIND_REQUEST);
        break;
    case ECHO_REPLY:
    case NODE_REPLY:
    case EXTENDED_REPLY:
        ft_set_direction(ctx, FT_TO_CLIENT);
        ft_set_kind(ctx, FT_KIND_RESPONSE);
        break;
    case NEIGHBOR_ADVERTISEMENT:
        if (form == PLAIN)
            ft_set_direction(ctx, FT_TO_CLIENT);
        ft_set_kind(ctx, form == PLAIN ? FT_KIND_RESPONSE : FT_KIND_UNSOLICITED);
        break;
    default:
        ft_set_kind(ctx, FT_KIND_UNSOLICITED);
    }
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    struct ft_view all = *pdu;
    int peeked_type = ft_peek_u8(pdu, 0), peeked_code = ft_peek_u8(pdu, 1);
    uint8_t type = (uint8_t)peeked_type, code = (uint8_t)peeked_code;

    if (ctx->ip_version != 6 || peeked_code < 0) {
        ft_view_fail(pdu);
        return;
    }
    bool has_form = type == NEIGHBOR_SOLICITATION || type == NEIGHBOR_ADVERTISEMENT;
    uint32_t form = form_of(ctx, type, ft_peek_u8(pdu, 4));
    set_part(ctx, type, form);
    ft_command(ctx, type, has_form ? form : code);
    ft_put_uint(ctx, TYPE, ft_u8(pdu), pdu);
    ft_put_uint(ctx, CODE, ft_u8(pdu), pdu);
    ft_skip(pdu, 2);
    if (!ft_view_ok(pdu))
        return;
    if (ctx->ttl)
        ft_put_uint(ctx, HOP_LIMIT, ctx->ttl, NULL);
    check(ctx, type, code, all);
    read_body(ctx, type, code, pdu);
}

const struct ft_dissector ft_dissector_icmpv6 = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "icmpv6",
    .title = "ICMPv6",
    .specification = "RFC 4443, RFC 4861, RFC 2710, RFC 3810, RFC 4620, RFC 8106",
    .carried_by = FT_TABLE(carriers),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .max_pdu = 4096,
    .flow_state_size = sizeof(struct hosts),
    .dissect = dissect,
};
