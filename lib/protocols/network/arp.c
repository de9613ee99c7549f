/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ARP, and RARP and InARP that share its layout: which MAC address has this IPv4 address?
 *
 *   0  2  hardware type    1 Ethernet
 *   2  2  protocol type    0x0800
 *   4  1  hardware length  6
 *   5  1  protocol length  4
 *   6  2  opcode
 *   8     sender hardware and protocol address, target hardware and protocol address
 *
 * What follows is padding of the frame and is not looked at.
 *
 * Specification: RFC 826, RFC 903 (RARP), RFC 2390 (InARP), RFC 5227 (probes, announcements).
 */
#include <fieldtap/dissector.h>

enum {
    ETHERNET = 1,
    IEEE_802 = 6,
    IPV4 = 0x0800,
    MAC_LENGTH = 6,
    IPV4_LENGTH = 4,
    OPCODE_MAX = 25, /* RFC 5494, IANA */
};

enum opcode {
    REQUEST = 1,
    REPLY = 2,
    RARP_REQUEST = 3,
    RARP_REPLY = 4,
    DRARP_REQUEST = 5,
    DRARP_REPLY = 6,
    DRARP_ERROR = 7,
    INARP_REQUEST = 8,
    INARP_REPLY = 9,
};

/* The qualifier of requests and replies. */
enum form {
    PLAIN = 0,
    PROBE,        /* is this address in use? asked without an address of one's own */
    ANNOUNCEMENT, /* I have this address: gratuitous ARP */
};

enum field {
    ROOT = 0,
    HW_TYPE,
    PROTO_TYPE,
    HW_LENGTH,
    PROTO_LENGTH,
    OPCODE,
    SRC_MAC,
    SRC_IP,
    DEST_MAC,
    DEST_IP,
    IS_PROBE,
    IS_GRATUITOUS,
    ADDRESSES,
};

enum violation {
    V_LENGTHS = 0,
    V_FORGED,
    V_SENDER_MAC,
    V_SENDER_IP,
    V_BROADCAST_REPLY,
    V_OPCODE,
};

/* clang-format off */
static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_ETHERTYPE, .value = 0x0806},
    {.kind = FT_CARRIER_ETHERTYPE, .value = 0x8035},
    {.kind = FT_CARRIER_SNAP, .value = 0x0806},
};

static const struct ft_name hardware_names[] = {
    {1, "ethernet"}, {6, "ieee802"}, {7, "arcnet"}, {15, "frame_relay"}, {18, "fibre_channel"},
    {24, "ieee1394"}, {32, "infiniband"}, {0, NULL},
};

static const struct ft_name protocol_names[] = {
    {IPV4, "ipv4"}, {0, NULL},
};

static const struct ft_name opcode_names[] = {
    {1, "request"}, {2, "reply"}, {3, "request_reverse"}, {4, "reply_reverse"},
    {5, "drarp_request"}, {6, "drarp_reply"}, {7, "drarp_error"}, {8, "inarp_request"},
    {9, "inarp_reply"}, {10, "arp_nak"}, {0, NULL},
};

/* The keys of EVE's "arp". */
static const struct ft_field fields[] = {
    {"arp", "Address resolution", NULL, 0, FT_TYPE_GROUP, 0, 0},
    {"hw_type", "Hardware type", hardware_names, 0, FT_TYPE_ENUM, 0, 16},
    {"proto_type", "Protocol type", protocol_names, 0, FT_TYPE_ENUM, 0, 16},
    {"hw_length", "Length of a hardware address", NULL, 0, FT_TYPE_UINT, 0, 8},
    {"proto_length", "Length of a protocol address", NULL, 0, FT_TYPE_UINT, 0, 8},
    {"opcode", "Operation", opcode_names, 0, FT_TYPE_ENUM, 0, 16},
    {"src_mac", "Sender's hardware address", NULL, 0, FT_TYPE_MAC, 0, 0},
    {"src_ip", "Sender's protocol address", NULL, 0, FT_TYPE_IPV4, 0, 0},
    {"dest_mac", "Target's hardware address", NULL, 0, FT_TYPE_MAC, 0, 0},
    {"dest_ip", "Target's protocol address", NULL, 0, FT_TYPE_IPV4, 0, 0},
    {"probe", "Asks whether an address is in use", NULL, 0, FT_TYPE_BOOL, 0, 0},
    {"gratuitous", "Announces the sender's own address", NULL, 0, FT_TYPE_BOOL, 0, 0},
    {"addresses", "Addresses of other types, as sent", NULL, 0, FT_TYPE_BYTES, 0, 0},
};

#define COMMAND(code, form, name, class) {code, form, name, FT_CLASS_##class, {0}, NULL}

static const struct ft_command commands[] = {
    COMMAND(REQUEST, PLAIN, "request", READ),
    COMMAND(REQUEST, PROBE, "probe", DIAGNOSTIC),
    COMMAND(REQUEST, ANNOUNCEMENT, "announcement", EVENT),
    COMMAND(REPLY, PLAIN, "reply", READ),
    COMMAND(REPLY, ANNOUNCEMENT, "gratuitous_reply", EVENT),
    COMMAND(RARP_REQUEST, FT_ANY_QUALIFIER, "rarp_request", READ),
    COMMAND(RARP_REPLY, FT_ANY_QUALIFIER, "rarp_reply", READ),
    COMMAND(DRARP_REQUEST, FT_ANY_QUALIFIER, "drarp_request", READ),
    COMMAND(DRARP_REPLY, FT_ANY_QUALIFIER, "drarp_reply", READ),
    COMMAND(DRARP_ERROR, FT_ANY_QUALIFIER, "drarp_error", READ),
    COMMAND(INARP_REQUEST, FT_ANY_QUALIFIER, "inarp_request", READ),
    COMMAND(INARP_REPLY, FT_ANY_QUALIFIER, "inarp_reply", READ),
    COMMAND(10, FT_ANY_QUALIFIER, "arp_nak", READ),
};

#define VIOLATION(name, title, mitre, severity)                                                    \
    {name, title, NULL, "Abnormal Communication Behavior", mitre, FT_SEVERITY_##severity,          \
     FT_ENGINE_PROTOCOL, 0, {0}}

static const struct ft_violation violations[] = {
    VIOLATION("address_lengths", "ARP address lengths do not fit their types", "T0830", MINOR),
    VIOLATION("frame_sender", "ARP sender is not the sender of its frame", "T0830", WARNING),
    VIOLATION("sender_mac", "ARP sender with a MAC address that no station can have", "T0830",
              MINOR),
    VIOLATION("sender_ip", "ARP sender with an IP address that no station can have", "T0830",
              MINOR),
    VIOLATION("broadcast_reply", "ARP reply to everybody about another station", "T0830", MINOR),
    VIOLATION("opcode", "ARP opcode that is not assigned", NULL, WARNING),
};
/* clang-format on */

_Static_assert(sizeof(fields) / sizeof(fields[0]) == ADDRESSES + 1, "one row a field");
_Static_assert(sizeof(violations) / sizeof(violations[0]) == V_OPCODE + 1, "one row a violation");

/* The addresses of an Ethernet/IPv4 message. */
struct addresses {
    struct ft_view src_mac, src_ip_bytes, dest_mac, dest_ip_bytes;
    uint32_t src_ip, dest_ip;
};

static uint64_t mac_number(struct ft_view mac)
{
    return ft_u48be(&mac);
}

static bool is_station(uint64_t mac)
{
    return mac != 0 && !(mac >> 40 & 1);
}

/* Multicast, loopback and broadcast belong to no station; 0 is a station without an address. */
static bool is_host(uint32_t ip)
{
    return ip >> 28 < 14 && ip >> 24 != 127;
}

static struct addresses peek_addresses(struct ft_view v)
{
    struct addresses a;
    ft_skip(&v, 8);
    a.src_mac = ft_sub(&v, MAC_LENGTH);
    a.src_ip_bytes = ft_sub(&v, IPV4_LENGTH);
    a.dest_mac = ft_sub(&v, MAC_LENGTH);
    a.dest_ip_bytes = ft_sub(&v, IPV4_LENGTH);
    struct ft_view ip = a.src_ip_bytes;
    a.src_ip = ft_u32be(&ip);
    ip = a.dest_ip_bytes;
    a.dest_ip = ft_u32be(&ip);
    return a;
}

static enum form form_of(uint16_t opcode, const struct addresses *a)
{
    if (opcode != REQUEST && opcode != REPLY)
        return PLAIN;
    if (a->src_ip == 0)
        return opcode == REQUEST ? PROBE : PLAIN;
    return a->src_ip == a->dest_ip ? ANNOUNCEMENT : PLAIN;
}

static enum ft_kind kind_of(uint16_t opcode, enum form form)
{
    if (form == ANNOUNCEMENT)
        return FT_KIND_UNSOLICITED;
    switch (opcode) {
    case REQUEST:
    case RARP_REQUEST:
    case DRARP_REQUEST:
    case INARP_REQUEST:
        return FT_KIND_REQUEST;
    case REPLY:
    case RARP_REPLY:
    case DRARP_REPLY:
    case INARP_REPLY:
        return FT_KIND_RESPONSE;
    case DRARP_ERROR:
    case 10:
        return FT_KIND_EXCEPTION;
    default:
        return FT_KIND_DATA;
    }
}

/* ---- what can be wrong ---------------------------------------------------------------------- */

static uint64_t frame_sender(const struct ft_context *ctx)
{
    return mac_number(ft_view_make(ctx->src_mac, MAC_LENGTH, false));
}

static bool is_to_all(const struct ft_context *ctx)
{
    return mac_number(ft_view_make(ctx->dst_mac, MAC_LENGTH, false)) == 0xFFFFFFFFFFFF;
}

static void check(struct ft_context *ctx, uint16_t opcode, enum form form,
                  const struct addresses *a)
{
    uint64_t mac = mac_number(a->src_mac);
    uint64_t sender = frame_sender(ctx);

    if (!is_station(mac))
        ft_violation(ctx, V_SENDER_MAC, NULL);
    else if (sender && sender != mac)
        ft_violation(ctx, V_FORGED, NULL);
    if (!is_host(a->src_ip))
        ft_violation(ctx, V_SENDER_IP, NULL);
    if (opcode == REPLY && form != ANNOUNCEMENT && is_to_all(ctx))
        ft_violation(ctx, V_BROADCAST_REPLY, NULL);
}

static bool is_somebody(const struct addresses *a)
{
    return a->src_ip && is_host(a->src_ip) && is_station(mac_number(a->src_mac));
}

/*
 * What the message says of addresses, for the core, which sees questions and answers of all: they
 * are of different pairs of hosts. A frame that somebody made up says nothing about anybody.
 */
static void tell(struct ft_context *ctx, uint16_t opcode, enum form form, const struct addresses *a)
{
    if (form == PROBE && is_station(mac_number(a->src_mac)))
        ft_resolution(ctx, FT_RESOLUTION_PROBE, a->src_mac, ft_view_empty(), a->dest_ip_bytes);
    else if (!is_somebody(a))
        return;
    else if (form == ANNOUNCEMENT)
        ft_resolution(ctx, FT_RESOLUTION_ANNOUNCEMENT, a->src_mac, a->src_ip_bytes,
                      a->dest_ip_bytes);
    else if (opcode == REQUEST || opcode == REPLY)
        ft_resolution(ctx, opcode == REQUEST ? FT_RESOLUTION_QUESTION : FT_RESOLUTION_ANSWER,
                      a->src_mac, a->src_ip_bytes, a->dest_ip_bytes);
    else if (opcode == INARP_REQUEST || opcode == INARP_REPLY || opcode == RARP_REPLY)
        ft_asset_address(ctx, a->src_ip_bytes, a->src_mac);
}

/*
 * Requests go to everybody and replies to one, so that they are of two flows; only the unicast
 * requests by which stacks confirm an entry find their replies.
 */
static void pair(struct ft_context *ctx, uint16_t opcode, const struct addresses *a)
{
    uint64_t asker = opcode == REQUEST ? a->src_ip : a->dest_ip;
    uint64_t asked = opcode == REQUEST ? a->dest_ip : a->src_ip;
    uint64_t key = asker << 32 | asked;

    if (opcode == REPLY)
        ft_response(ctx, FT_SCOPE_FLOW, key);
    else if (opcode == REQUEST && !(ctx->dst_mac[0] & 1) && frame_sender(ctx))
        ft_request(ctx, FT_SCOPE_FLOW, key, NULL, 0);
}

/* ---- reading -------------------------------------------------------------------------------- */

static uint16_t put_header(struct ft_context *ctx, struct ft_view *v)
{
    uint16_t hardware = ft_u16be(v);
    ft_put_uint(ctx, HW_TYPE, hardware, v);
    uint16_t protocol = ft_u16be(v);
    ft_put_uint(ctx, PROTO_TYPE, protocol, v);
    uint8_t hardware_length = ft_u8(v);
    ft_put_uint(ctx, HW_LENGTH, hardware_length, v);
    if ((hardware == ETHERNET || hardware == IEEE_802) && hardware_length != MAC_LENGTH &&
        ft_view_ok(v))
        ft_violation(ctx, V_LENGTHS, v);
    uint8_t protocol_length = ft_u8(v);
    ft_put_uint(ctx, PROTO_LENGTH, protocol_length, v);
    if (protocol == IPV4 && protocol_length != IPV4_LENGTH && ft_view_ok(v))
        ft_violation(ctx, V_LENGTHS, v);
    uint16_t opcode = ft_u16be(v);
    ft_put_uint(ctx, OPCODE, opcode, v);
    if (ft_view_ok(v) && (opcode == 0 || opcode > OPCODE_MAX))
        ft_violation(ctx, V_OPCODE, v);
    return (uint16_t)(2 * (hardware_length + protocol_length));
}

static void put_addresses(struct ft_context *ctx, struct ft_view *v, enum form form)
{
    struct ft_view mac = ft_sub(v, MAC_LENGTH);
    ft_put_bytes(ctx, SRC_MAC, mac);
    ft_put_uint(ctx, SRC_IP, ft_u32be(v), v);
    mac = ft_sub(v, MAC_LENGTH);
    ft_put_bytes(ctx, DEST_MAC, mac);
    ft_put_uint(ctx, DEST_IP, ft_u32be(v), v);
    ft_put_bool(ctx, IS_PROBE, form == PROBE, NULL);
    ft_put_bool(ctx, IS_GRATUITOUS, form == ANNOUNCEMENT, NULL);
}

static bool is_ethernet_ipv4(const struct ft_view *v)
{
    static const uint8_t lengths[] = {MAC_LENGTH, IPV4_LENGTH};
    int32_t hardware = ft_peek_u16be(v, 0);
    struct ft_view l = *v;

    return v->len >= 28 && (hardware == ETHERNET || hardware == IEEE_802) &&
           ft_peek_u16be(v, 2) == IPV4 && ft_skip(&l, 4) &&
           ft_view_starts(&l, lengths, sizeof(lengths));
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    int32_t opcode = ft_peek_u16be(pdu, 6);
    uint16_t code = opcode < 0 ? 0 : (uint16_t)opcode;

    if (!is_ethernet_ipv4(pdu)) {
        ft_set_kind(ctx, kind_of(code, PLAIN));
        ft_command(ctx, code, PLAIN);
        uint16_t length = put_header(ctx, pdu);
        ft_put_bytes(ctx, ADDRESSES, ft_sub(pdu, length));
        return;
    }
    struct addresses a = peek_addresses(*pdu);
    enum form form = form_of(code, &a);
    ft_set_kind(ctx, kind_of(code, form));
    ft_command(ctx, code, form);
    put_header(ctx, pdu);
    put_addresses(ctx, pdu, form);
    check(ctx, code, form, &a);
    tell(ctx, code, form, &a);
    if (form == PLAIN)
        pair(ctx, code, &a);
}

const struct ft_dissector ft_dissector_arp = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "arp",
    .title = "ARP",
    .specification = "RFC 826, RFC 903, RFC 2390, RFC 5227",
    .carried_by = FT_TABLE(carriers),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .max_pdu = 1600,
    .dissect = dissect,
};
