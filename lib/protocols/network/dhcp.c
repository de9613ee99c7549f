/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DHCP, and BOOTP whose layout it has: hosts get their addresses, and say who they are.
 *
 *   0  4  op (1 request, 2 reply), hardware type, hardware length, hops
 *   4  8  transaction id 4, seconds 2, flags 2 (8000: answer by broadcast)
 *  12 16  client's, "your", next server's and relay's address
 *  28 16  client's hardware address
 *  44 64  name of the server
 * 108 128 boot file
 * 236  4  63 82 53 63, if options follow: code 1, length 1, value; 0 is padding, 255 the end.
 *
 * Option 52 puts options into file and server name, too; an option that is there several times is
 * one, cut into pieces.
 *
 * Specification: RFC 951, 2131, 2132, 3046, 3396, 3397, 3442, 4702, 8520.
 */
#include <stdio.h>

#include "dhcp_options.h"

enum {
    FIXED_LENGTH = 236,
    MAC_LENGTH = 6,
    HARDWARE_MAX = 16,
    SERVER_NAME_LENGTH = 64,
    FILE_LENGTH = 128,
    COOKIE_LENGTH = 4,
    ETHERNET = 1,
};

enum op {
    REQUEST_OP = 1,
    REPLY_OP = 2,
};

/* A client that asks so often for so long, and takes no offer, gets none. */
enum {
    DISCOVERS = 3,
};
#define DISCOVER_NS 5000000000ull

/* Channel: what a client does in the flow of its broadcasts. */
struct client {
    uint64_t first_ns; /* of the DISCOVERs since it last took an offer */
    uint32_t discovers;
    uint8_t is_told;
};

/* clang-format off */
static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_UDP, .value = 67, .last = 68},
    {.kind = FT_CARRIER_UDP, .value = 4011},
    {.kind = FT_CARRIER_UDP, .value = FT_ANY_SELECTOR},
};

static const struct ft_signature signatures[] = {
    {"^[\\x01\\x02]\\x01\\x06.{233}\\x63\\x82\\x53\\x63", FT_SIGNATURE_UDP, 0},
};

#define COMMAND(code, name, mitre) {code, FT_ANY_QUALIFIER, name, FT_CLASS_CONFIG, {0}, mitre}

static const struct ft_command commands[] = {
    {0, REQUEST_OP, "bootp_request", FT_CLASS_CONFIG, {0}, NULL},
    {0, REPLY_OP, "bootp_reply", FT_CLASS_CONFIG, {0}, NULL},
    COMMAND(DHCP_DISCOVER, "discover", NULL),
    COMMAND(DHCP_OFFER, "offer", NULL),
    COMMAND(DHCP_REQUEST, "request", NULL),
    COMMAND(DHCP_DECLINE, "decline", NULL),
    COMMAND(DHCP_ACK, "ack", NULL),
    COMMAND(DHCP_NAK, "nak", NULL),
    COMMAND(DHCP_RELEASE, "release", NULL),
    COMMAND(DHCP_INFORM, "inform", NULL),
    COMMAND(DHCP_FORCERENEW, "forcerenew", "T0830"),
    COMMAND(DHCP_LEASEQUERY, "leasequery", "T0846"),
    COMMAND(DHCP_LEASEUNASSIGNED, "leaseunassigned", NULL),
    COMMAND(DHCP_LEASEUNKNOWN, "leaseunknown", NULL),
    COMMAND(DHCP_LEASEACTIVE, "leaseactive", NULL),
};

#define VIOLATION(name, title, mitre, severity)                                                    \
    {name, title, NULL, "Abnormal Communication Behavior", mitre, FT_SEVERITY_##severity,          \
     FT_ENGINE_PROTOCOL, 0, {0}}

static const struct ft_violation violations[] = {
    [DHCP_V_HARDWARE_LENGTH] = VIOLATION("hardware_length", "DHCP hardware address longer than its field", "T0814", MINOR),
    [DHCP_V_OPTION] = VIOLATION("option", "DHCP option longer than what is left", "T0814", MINOR),
    [DHCP_V_NO_TYPE] = VIOLATION("no_type", "DHCP options without a message type", NULL, WARNING),
    [DHCP_V_TYPE] = VIOLATION("type", "DHCP message type that does not fit its direction", "T0830", MINOR),
    [DHCP_V_SERVERS] = VIOLATION("several_servers", "DHCP message in the name of several servers", "T0830", MINOR),
    [DHCP_V_FORGED] = VIOLATION("frame_sender", "DHCP client is not the sender of its frame", "T0830", MINOR),
    [DHCP_V_INJECTION] = {"shell_command", "DHCP option with a shell command", NULL, NULL,
        "T0866", FT_SEVERITY_MAJOR, FT_ENGINE_MALWARE, 0, {0}},
    [DHCP_V_NO_ADDRESS] = {"no_address", "Device gets no address by DHCP", "O8", NULL,
        "T0842", FT_SEVERITY_MAJOR, FT_ENGINE_OPERATIONAL, 1, {0}},
    [DHCP_V_FUNCTION] = {"shell_function", "DHCP option with a shell function (Shellshock)", NULL, NULL,
        "T0866", FT_SEVERITY_CRITICAL, FT_ENGINE_MALWARE, FT_ALERT_EACH, {0}},
};
/* clang-format on */

_Static_assert(sizeof(violations) / sizeof(violations[0]) == DHCP_VIOLATIONS,
               "one row a violation");

/* The fixed part. */
struct header {
    uint8_t op, hardware, hardware_length, hops;
    uint32_t xid;
    uint16_t seconds, flags;
    struct ft_view client_ip, your_ip, next_server_ip, relay_ip;
    struct ft_view mac; /* 16 bytes */
    struct ft_view server_name, file;
};

static bool is_zero(struct ft_view address)
{
    return ft_u32be(&address) == 0;
}

static struct header read_header(struct ft_view *v)
{
    struct header h = {.op = ft_u8(v)};
    h.hardware = ft_u8(v);
    h.hardware_length = ft_u8(v);
    h.hops = ft_u8(v);
    h.xid = ft_u32be(v);
    h.seconds = ft_u16be(v);
    h.flags = ft_u16be(v);
    h.client_ip = ft_sub(v, 4);
    h.your_ip = ft_sub(v, 4);
    h.next_server_ip = ft_sub(v, 4);
    h.relay_ip = ft_sub(v, 4);
    h.mac = ft_sub(v, HARDWARE_MAX);
    h.server_name = ft_sub(v, SERVER_NAME_LENGTH);
    h.file = ft_sub(v, FILE_LENGTH);
    return h;
}

/* The MAC address; an empty view of other hardware, and of none. */
static struct ft_view mac_of(const struct header *h)
{
    static const uint8_t none[MAC_LENGTH];
    struct ft_view mac = h->mac;

    if (h->hardware != ETHERNET || h->hardware_length != MAC_LENGTH ||
        ft_view_starts(&mac, none, MAC_LENGTH))
        return ft_view_empty();
    return ft_sub(&mac, MAC_LENGTH);
}

static void put_address(struct ft_context *ctx, uint32_t field, struct ft_view address)
{
    ft_put_uint(ctx, field, ft_u32be(&address), &address);
}

static void put_header(struct ft_context *ctx, const struct header *h)
{
    struct ft_view mac = mac_of(h);

    ft_put_uint(ctx, DHCP_OP, h->op, NULL);
    ft_put_uint(ctx, DHCP_ID, h->xid, NULL);
    ft_put_uint(ctx, DHCP_HOPS, h->hops, NULL);
    ft_put_uint(ctx, DHCP_SECONDS, h->seconds, NULL);
    ft_put_bool(ctx, DHCP_BROADCAST, h->flags & 0x8000, NULL);
    if (mac.len)
        ft_put_bytes(ctx, DHCP_CLIENT_MAC, mac);
    put_address(ctx, DHCP_ASSIGNED_IP, h->your_ip);
    put_address(ctx, DHCP_CLIENT_IP, h->client_ip);
    put_address(ctx, DHCP_NEXT_SERVER_IP, h->next_server_ip);
    put_address(ctx, DHCP_RELAY_IP, h->relay_ip);
}

/* Text that ends with a zero, if the field does not hold options. */
static struct ft_view text_of(struct ft_view field)
{
    struct ft_view at = field;
    uint32_t n = 0;
    while (at.len && ft_u8(&at))
        n++;
    return ft_sub(&field, n);
}

static void put_texts(struct ft_context *ctx, const struct header *h, uint8_t overload)
{
    struct ft_view server_name = text_of(h->server_name), file = text_of(h->file);

    if (!(overload & DHCP_SERVER_NAME_OVERLOADED) && server_name.len)
        ft_put_bytes(ctx, DHCP_SERVER_NAME, server_name);
    if (!(overload & DHCP_FILE_OVERLOADED) && file.len) {
        ft_put_bytes(ctx, DHCP_BOOT_FILE, file);
        ft_dhcp_check_text(ctx, file);
    }
}

/* ---- the command ---------------------------------------------------------------------------- */

static bool is_from_server(uint8_t type)
{
    return type == DHCP_OFFER || type == DHCP_ACK || type == DHCP_NAK || type == DHCP_FORCERENEW ||
           (type >= DHCP_LEASEUNASSIGNED && type <= DHCP_LEASEACTIVE);
}

static enum ft_kind kind_of(const struct header *h, uint8_t type)
{
    if (h->op != REPLY_OP)
        return FT_KIND_REQUEST;
    return type == DHCP_NAK          ? FT_KIND_EXCEPTION
           : type == DHCP_FORCERENEW ? FT_KIND_UNSOLICITED
                                     : FT_KIND_RESPONSE;
}

static bool is_broadcast(const struct ft_context *ctx)
{
    static const uint8_t all[4] = {255, 255, 255, 255};
    return ctx->dst_mac[0] & 1 || (ctx->ip_version == 4 && !memcmp(ctx->dst_ip, all, sizeof(all)));
}

/* Of those that nobody answers: RELEASE and DECLINE. Broadcasts are answered in another flow. */
static void pair(struct ft_context *ctx, const struct header *h, uint8_t type)
{
    struct ft_view mac = h->mac;
    uint64_t key = ft_u48be(&mac) << 16 ^ h->xid;

    if (h->op == REPLY_OP)
        ft_response(ctx, FT_SCOPE_FLOW, key);
    else if (!is_broadcast(ctx) && type != DHCP_RELEASE && type != DHCP_DECLINE)
        ft_request(ctx, FT_SCOPE_FLOW, key, NULL, 0);
}

/* ---- what can be wrong ---------------------------------------------------------------------- */

/* A client's own broadcast; behind a router or a relay the frame is of another. */
static bool is_own_frame(const struct ft_context *ctx, const struct header *h)
{
    static const uint8_t none[MAC_LENGTH];
    bool is_unset = ctx->ip_version != 4 || !memcmp(ctx->src_ip, none, 4);
    return h->op == REQUEST_OP && is_zero(h->relay_ip) && !h->hops && is_unset &&
           ctx->dst_mac[0] & 1 && memcmp(ctx->src_mac, none, MAC_LENGTH) != 0;
}

static void check(struct ft_context *ctx, const struct header *h, const struct ft_dhcp_options *o,
                  uint8_t type)
{
    struct ft_view mac = mac_of(h);

    if (h->hardware_length > HARDWARE_MAX)
        ft_violation(ctx, DHCP_V_HARDWARE_LENGTH, NULL);
    if (mac.len && is_own_frame(ctx, h) && !ft_view_starts(&mac, ctx->src_mac, MAC_LENGTH))
        ft_violation(ctx, DHCP_V_FORGED, &mac);
    if (!type && ft_dhcp_has_own(o))
        ft_violation(ctx, DHCP_V_NO_TYPE, NULL);
    if (type && type <= DHCP_LEASEACTIVE && is_from_server(type) != (h->op == REPLY_OP))
        ft_violation(ctx, DHCP_V_TYPE, NULL);
    if (o->value[DHCP_SERVER_ID].len > 4)
        ft_violation(ctx, DHCP_V_SERVERS, NULL);
}

/* Offers go another way than the client's broadcasts, and cannot be seen from here; but a client
 * that got one takes it, by a broadcast. */
static void follow_client(struct ft_context *ctx, const struct header *h, uint8_t type)
{
    struct ft_view mac = mac_of(h);
    uint64_t key = mac.len ? ft_u48be(&mac) : 0;

    if (h->op != REQUEST_OP || !key || (type != DHCP_DISCOVER && type != DHCP_REQUEST))
        return;
    if (type == DHCP_REQUEST) {
        ft_channel_close(ctx, FT_SCOPE_FLOW, key);
        return;
    }
    struct client *c = ft_channel(ctx, FT_SCOPE_FLOW, key);
    if (!c)
        return;
    if (!c->discovers)
        c->first_ns = ctx->time_ns;
    c->discovers += c->discovers < UINT32_MAX;
    if (c->discovers < DISCOVERS || ctx->time_ns - c->first_ns < DISCOVER_NS || c->is_told)
        return;
    c->is_told = 1;
    ft_violation(ctx, DHCP_V_NO_ADDRESS, NULL);
}

/* ---- facts ---------------------------------------------------------------------------------- */

static void state_addresses(struct ft_context *ctx, struct ft_view addresses, enum ft_role role)
{
    static const char server[] = "server", router[] = "router";
    const char *name = role == FT_ROLE_ROUTER ? router : server;

    while (addresses.len >= 4)
        ft_asset_of(ctx, ft_sub(&addresses, 4), FT_FACT_ROLE,
                    ft_view_make(name, sizeof(server) - 1, false));
}

/* What a server that gives an address says of the network. */
static void state_network(struct ft_context *ctx, const struct ft_dhcp_options *o)
{
    state_addresses(ctx, o->value[DHCP_SERVER_ID], FT_ROLE_SERVER);
    state_addresses(ctx, o->value[DHCP_ROUTERS], FT_ROLE_ROUTER);
    state_addresses(ctx, o->value[DHCP_DNS_SERVERS], FT_ROLE_SERVER);
}

static void state(struct ft_context *ctx, const struct header *h, const struct ft_dhcp_options *o,
                  uint8_t type)
{
    struct ft_view mac = mac_of(h);

    if (h->op == REPLY_OP && (type == DHCP_ACK || !type)) {
        state_network(ctx, o);
        if (mac.len && !is_zero(h->your_ip))
            ft_asset_lease(ctx, h->your_ip, mac);
    }
    if (h->op != REQUEST_OP || !mac.len || type == DHCP_RELEASE || type == DHCP_DECLINE)
        return;
    if (!is_zero(h->client_ip))
        ft_asset_address(ctx, h->client_ip, mac);
    ft_dhcp_state_client(ctx, o, mac, type);
}

/* ---- all ------------------------------------------------------------------------------------ */

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    struct ft_dhcp_options options;
    struct header h = read_header(pdu);

    if (!ft_view_ok(pdu))
        return;
    ft_dhcp_options_read(&options, h.file, h.server_name, pdu);
    uint8_t type = ft_dhcp_type(&options);
    ft_set_direction(ctx, h.op == REPLY_OP ? FT_TO_CLIENT : FT_TO_SERVER);
    ft_set_kind(ctx, kind_of(&h, type));
    ft_command(ctx, type, type ? FT_ANY_QUALIFIER : h.op);
    pair(ctx, &h, type);

    put_header(ctx, &h);
    ft_dhcp_options_put(ctx, &options);
    put_texts(ctx, &h, options.overload);
    if (options.is_overrun)
        ft_violation(ctx, DHCP_V_OPTION, pdu);
    check(ctx, &h, &options, type);
    follow_client(ctx, &h, type);
    state(ctx, &h, &options, type);
}

static enum ft_verdict probe(const struct ft_probe *where, struct ft_view payload)
{
    static const uint8_t cookie[COOKIE_LENGTH] = {0x63, 0x82, 0x53, 0x63};
    int op = ft_peek_u8(&payload, 0);

    if (op != REQUEST_OP && op != REPLY_OP)
        return FT_NO;
    if (where->is_bound)
        return payload.len >= FIXED_LENGTH || payload.is_cut ? FT_YES : FT_NO;
    ft_skip(&payload, FIXED_LENGTH);
    return ft_view_starts(&payload, cookie, sizeof(cookie)) ? FT_YES : FT_NO;
}

const struct ft_dissector ft_dissector_dhcp = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "dhcp",
    .title = "DHCP",
    .specification = "RFC 2131, RFC 2132, RFC 951",
    .carried_by = FT_TABLE(carriers),
    .signatures = FT_TABLE(signatures),
    .fields = {ft_dhcp_fields, DHCP_FIELDS, sizeof(struct ft_field)},
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .channel_size = sizeof(struct client),
    .probe = probe,
    .dissect = dissect,
};
