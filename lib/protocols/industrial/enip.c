/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EtherNet/IP (ODVA, The CIP Networks Library, Volume 2): the encapsulation of CIP on TCP and UDP
 * 44818, class 0 and 1 data on UDP 2222, Device Level Ring frames on Ethernet type 0x80E1, and the
 * older CSPv4 of Allen-Bradley controllers on TCP 2222.
 *
 * Encapsulation: a header of 24 bytes, little-endian, then for most commands a list of typed items
 * (Common Packet Format). A request and its response look the same; what tells them apart is the
 * session handle, the status, and in the end the CIP message inside.
 *
 * Command codes: the encapsulation command; 0x10000 for I/O data; 0x20000 | frame type for Device
 * Level Ring; 0x30000 | command for CSPv4.
 */
#include "cip.h"

#define PORT_ENCAPSULATION 44818u
#define PORT_IO            2222u
#define HEADER_SIZE        24u
#define CSP_HEADER_SIZE    28u

/* The most that a header may announce: an Ethernet/IP message is at most 65535 bytes. */
#define MAX_LENGTH 65511u

#define CODE_IO  0x10000u
#define CODE_DLR 0x20000u
#define CODE_CSP 0x30000u

enum enip_command {
    NOP = 0x00,
    LIST_TARGETS = 0x01,
    LIST_SERVICES = 0x04,
    LIST_IDENTITY = 0x63,
    LIST_INTERFACES = 0x64,
    REGISTER_SESSION = 0x65,
    UNREGISTER_SESSION = 0x66,
    SEND_RR_DATA = 0x6f,
    SEND_UNIT_DATA = 0x70,
    INDICATE_STATUS = 0x72,
    CANCEL = 0x73,
    START_DTLS = 0xc8,
};

/* Types of items. */
enum {
    ITEM_NULL = 0x0000,
    ITEM_IDENTITY = 0x000c,
    ITEM_SECURITY = 0x0086,
    ITEM_CONNECTED_ADDRESS = 0x00a1,
    ITEM_CONNECTED_DATA = 0x00b1,
    ITEM_UNCONNECTED_DATA = 0x00b2,
    ITEM_SERVICES = 0x0100,
    ITEM_SOCKADDR_O2T = 0x8000,
    ITEM_SOCKADDR_T2O = 0x8001,
    ITEM_SEQUENCED_ADDRESS = 0x8002,
};

enum enip_field {
    ENIP_ROOT = 0,
    ENIP_COMMAND,
    ENIP_LENGTH,
    ENIP_SESSION,
    ENIP_STATUS,
    ENIP_CONTEXT,
    ENIP_OPTIONS,
    ENIP_INTERFACE,
    ENIP_TIMEOUT,
    ENIP_ITEMS,
    ENIP_ITEMS_TYPE,
    ENIP_ITEMS_LENGTH,
    ENIP_CONNECTION_ID,
    ENIP_SEQUENCE,
    ENIP_REGISTER,
    ENIP_REGISTER_VERSION,
    ENIP_REGISTER_OPTIONS,
    ENIP_SERVICES,
    ENIP_SERVICES_VERSION,
    ENIP_SERVICES_CAPABILITIES,
    ENIP_SERVICES_NAME,
    ENIP_IDENTITY,
    ENIP_IDENTITY_LAST = ENIP_IDENTITY + FT_CIP_IDENTITY_FIELDS - 1,
    ENIP_IDENTITY_VERSION,
    ENIP_SECURITY_PROFILES,
    ENIP_SOCKET,
    ENIP_SOCKET_ITEM,
    ENIP_SOCKET_ADDRESS,
    ENIP_SOCKET_PORT,
    ENIP_IO,
    ENIP_IO_CONNECTION_ID,
    ENIP_IO_SEQUENCE,
    ENIP_IO_SIZE,
    ENIP_DLR,
    ENIP_DLR_TYPE,
    ENIP_DLR_PORT,
    ENIP_DLR_SOURCE,
    ENIP_DLR_SEQUENCE,
    ENIP_DLR_STATE,
    ENIP_DLR_PRECEDENCE,
    ENIP_DLR_INTERVAL,
    ENIP_DLR_TIMEOUT,
    ENIP_CSP,
    ENIP_CSP_COMMAND,
    ENIP_FIELDS
};

enum enip_violation {
    ENIP_COMMAND_FAILED = 0,
    ENIP_OPTIONS_SET,
    ENIP_LENGTH_LIMIT,
    ENIP_UNKNOWN_COMMAND,
    ENIP_STATUS_IN_REQUEST,
    ENIP_NOT_REGISTERED,
    ENIP_UNKNOWN_SESSION,
    ENIP_ITEM_COUNT,
    ENIP_ITEM_TYPE,
    ENIP_DTLS_ON_TCP,
    ENIP_RING_FAULT,
    ENIP_CSP_FAILED,
    ENIP_VIOLATIONS
};

/* What a TCP connection has agreed on. */
struct enip_flow {
    uint32_t session;
    uint8_t is_asked;      /* RegisterSession was seen */
    uint8_t is_registered; /* and answered: `session` is the handle */
};

/* The header, read. */
struct header {
    uint16_t command, length;
    uint32_t session, status, options;
    uint64_t context;
};

/* The items that matter to the message that carries them. */
struct items {
    uint32_t count;
    uint16_t data_type; /* type of the item with the data, 0 = none */
    uint32_t connection_id, sequence;
    bool has_address;
    bool is_sequenced;
    struct ft_view data;
};

/* ---- framing ------------------------------------------------------------------------------- */

static bool is_known_command(int32_t command)
{
    switch (command) {
    case NOP:
    case LIST_TARGETS:
    case LIST_SERVICES:
    case LIST_IDENTITY:
    case LIST_INTERFACES:
    case REGISTER_SESSION:
    case UNREGISTER_SESSION:
    case SEND_RR_DATA:
    case SEND_UNIT_DATA:
    case INDICATE_STATUS:
    case CANCEL:
    case START_DTLS:
        return true;
    default:
        return false;
    }
}

static bool is_known_status(int64_t status)
{
    return (status >= 0 && status <= 3) || status == 0x64 || status == 0x65 || status == 0x69 ||
           status == 0x6a;
}

static bool is_csp_port(uint16_t src, uint16_t dst)
{
    return (src == PORT_IO || dst == PORT_IO) && src != PORT_ENCAPSULATION &&
           dst != PORT_ENCAPSULATION;
}

static bool is_csp_command(int32_t command)
{
    return command == 0x0101 || command == 0x0201 || command == 0x0107 || command == 0x0207;
}

static bool is_io(const struct ft_view *v)
{
    static const uint8_t start[6] = {0x02, 0x00, 0x02, 0x80, 0x08, 0x00};

    return ft_view_starts(v, start, sizeof(start));
}

static struct ft_frame frame_csp(struct ft_view stream)
{
    int32_t length = ft_peek_u16be(&stream, 2);

    if (length < 0)
        return ft_frame(FT_FRAME_NEED, 4);
    if (!is_csp_command(ft_peek_u16be(&stream, 0)))
        return ft_frame(FT_FRAME_NOT_MINE, 0);
    return ft_frame(FT_FRAME_PDU, CSP_HEADER_SIZE + (uint32_t)length);
}

/* An unknown command is ours when the rest of its header is as it should be. */
static struct ft_frame frame(struct ft_context *ctx, struct ft_view stream)
{
    if (is_csp_port(ctx->src_port, ctx->dst_port))
        return frame_csp(stream);

    int32_t command = ft_peek_u16le(&stream, 0), length = ft_peek_u16le(&stream, 2);
    if (length < 0)
        return ft_frame(FT_FRAME_NEED, 4);
    if (!is_known_command(command)) {
        if (stream.len < HEADER_SIZE)
            return ft_frame(FT_FRAME_NEED, HEADER_SIZE);
        if (command > 0xff || !is_known_status(ft_peek_u32le(&stream, 8)) ||
            ft_peek_u32le(&stream, 20) != 0)
            return ft_frame(FT_FRAME_NOT_MINE, 0);
    }
    return ft_frame(FT_FRAME_PDU, HEADER_SIZE + (uint32_t)length);
}

/* Is the whole header as it should be, and does its length fit what is here? */
static enum ft_verdict probe_header(struct ft_view v, bool is_stream)
{
    int32_t command = ft_peek_u16le(&v, 0), length = ft_peek_u16le(&v, 2);

    if (!is_known_command(command))
        return FT_NO;
    if (v.len < HEADER_SIZE)
        return is_stream ? FT_MAYBE : FT_NO;
    if (!is_known_status(ft_peek_u32le(&v, 8)) || ft_peek_u32le(&v, 20) != 0 ||
        length > (int32_t)MAX_LENGTH)
        return FT_NO;
    if (HEADER_SIZE + (uint32_t)length != v.len)
        return is_stream ? FT_MAYBE : FT_NO;
    /* A row of zeros is a NOP as well. */
    return command == NOP ? FT_MAYBE : FT_YES;
}

static enum ft_verdict probe(const struct ft_probe *where, struct ft_view payload)
{
    if (where->transport == FT_TRANSPORT_UDP && is_io(&payload))
        return FT_YES;
    if (where->transport == FT_TRANSPORT_L2)
        return ft_peek_u8(&payload, 0) == 0x02 && ft_peek_u8(&payload, 1) == 0x01 ? FT_YES : FT_NO;
    if (where->transport == FT_TRANSPORT_TCP && is_csp_port(where->src_port, where->dst_port)) {
        if (payload.len < CSP_HEADER_SIZE || !is_csp_command(ft_peek_u16be(&payload, 0)))
            return FT_NO;
        return CSP_HEADER_SIZE + (uint32_t)ft_peek_u16be(&payload, 2) == payload.len ? FT_YES
                                                                                     : FT_MAYBE;
    }
    return probe_header(payload, where->transport == FT_TRANSPORT_TCP);
}

/* ---- items --------------------------------------------------------------------------------- */

/* Read the list of items, keep those with address and data, put all when somebody wants them. */
static void read_items(struct ft_context *ctx, struct ft_view *v, struct items *items)
{
    items->count = ft_u16le(v);
    uint32_t n = ft_count(v, items->count, 4);

    for (uint32_t i = 0; i < n; i++) {
        uint16_t type = ft_u16le(v);
        struct ft_view type_at = *v;
        uint16_t length = ft_u16le(v);
        struct ft_view data = ft_sub(v, length);

        if (ctx && ft_wants(ctx, ENIP_ITEMS)) {
            ft_group_begin(ctx, ENIP_ITEMS);
            ft_put_uint(ctx, ENIP_ITEMS_TYPE, type, &type_at);
            ft_put_uint(ctx, ENIP_ITEMS_LENGTH, length, NULL);
            ft_group_end(ctx, ENIP_ITEMS);
        }
        switch (type) {
        case ITEM_CONNECTED_ADDRESS:
        case ITEM_SEQUENCED_ADDRESS:
            items->has_address = true;
            items->is_sequenced = type == ITEM_SEQUENCED_ADDRESS;
            items->connection_id = ft_u32le(&data);
            items->sequence = items->is_sequenced ? ft_u32le(&data) : 0;
            break;
        case ITEM_CONNECTED_DATA:
        case ITEM_UNCONNECTED_DATA:
            items->data_type = type;
            items->data = data;
            break;
        default:
            break;
        }
    }
}

/* [family u16][port u16][address u32][zeros], big-endian. */
static void put_socket(struct ft_context *ctx, uint16_t item, struct ft_view *v)
{
    ft_group_begin(ctx, ENIP_SOCKET);
    ft_put_uint(ctx, ENIP_SOCKET_ITEM, item, NULL);
    ft_skip(v, 2);
    uint16_t port = ft_u16be(v);
    ft_put_uint(ctx, ENIP_SOCKET_PORT, port, v);
    uint32_t address = ft_u32be(v);
    ft_put_uint(ctx, ENIP_SOCKET_ADDRESS, address, v);
    ft_skip(v, 8);
    ft_group_end(ctx, ENIP_SOCKET);
}

static void read_identity(struct ft_context *ctx, struct ft_view v)
{
    struct ft_cip_identity identity;

    ft_group_begin(ctx, ENIP_IDENTITY);
    uint16_t version = ft_u16le(&v);
    ft_put_uint(ctx, ENIP_IDENTITY_VERSION, version, &v);
    struct ft_view socket = ft_sub(&v, 16);
    ft_cip_identity_read(ctx, ENIP_IDENTITY, FT_SENDER, true, &v, &identity);
    uint8_t state = ft_u8(&v);
    if (ft_view_ok(&v))
        ft_put_uint(ctx, ENIP_IDENTITY + FT_CIP_IDENTITY_STATE, state, &v);
    ft_group_end(ctx, ENIP_IDENTITY);
    put_socket(ctx, ITEM_IDENTITY, &socket);
    if (ft_view_is_malformed(&v))
        ft_violation(ctx, FT_VIOLATION_MALFORMED, &v);
}

static void read_services(struct ft_context *ctx, struct ft_view v)
{
    ft_group_begin(ctx, ENIP_SERVICES);
    uint16_t version = ft_u16le(&v);
    ft_put_uint(ctx, ENIP_SERVICES_VERSION, version, &v);
    uint16_t capabilities = ft_u16le(&v);
    ft_put_uint(ctx, ENIP_SERVICES_CAPABILITIES, capabilities, &v);
    ft_put_string(ctx, ENIP_SERVICES_NAME, ft_sub(&v, v.len < 16 ? v.len : 16));
    ft_group_end(ctx, ENIP_SERVICES);
    if (ft_view_is_malformed(&v))
        ft_violation(ctx, FT_VIOLATION_MALFORMED, &v);
}

/* The items of a list response, and the socket addresses beside a Forward Open. */
static void read_told_items(struct ft_context *ctx, struct ft_view v)
{
    uint32_t n = ft_u16le(&v);

    n = ft_count(&v, n, 4);
    for (uint32_t i = 0; i < n; i++) {
        uint16_t type = ft_u16le(&v);
        struct ft_view data = ft_sub_u16le(&v);
        if (!ft_view_ok(&v))
            return;
        if (type == ITEM_IDENTITY)
            read_identity(ctx, data);
        else if (type == ITEM_SERVICES)
            read_services(ctx, data);
        else if (type == ITEM_SOCKADDR_O2T || type == ITEM_SOCKADDR_T2O)
            put_socket(ctx, type, &data);
        else if (type == ITEM_SECURITY)
            ft_put_uint(ctx, ENIP_SECURITY_PROFILES, ft_u16le(&data), &data);
    }
}

/* ---- encapsulation ------------------------------------------------------------------------- */

static struct header read_header(struct ft_view *v)
{
    struct header h;

    h.command = ft_u16le(v);
    h.length = ft_u16le(v);
    h.session = ft_u32le(v);
    h.status = ft_u32le(v);
    h.context = ft_u64le(v);
    h.options = ft_u32le(v);
    return h;
}

/* Again, when it is known what is wanted. */
static void put_header(struct ft_context *ctx, struct ft_view v)
{
    ft_put_uint(ctx, ENIP_COMMAND, ft_u16le(&v), &v);
    ft_put_uint(ctx, ENIP_LENGTH, ft_u16le(&v), &v);
    ft_put_uint(ctx, ENIP_SESSION, ft_u32le(&v), &v);
    ft_put_uint(ctx, ENIP_STATUS, ft_u32le(&v), &v);
    ft_put_bytes(ctx, ENIP_CONTEXT, ft_sub(&v, 8));
    uint32_t options = ft_u32le(&v);
    if (options)
        ft_put_uint(ctx, ENIP_OPTIONS, options, &v);
}

static bool is_data_command(uint16_t command)
{
    return command == SEND_RR_DATA || command == SEND_UNIT_DATA;
}

/* The CIP service decides for data commands: bit 7 set in responses. -1: it is not here. */
static int cip_says_response(const struct items *items)
{
    int service = ft_peek_u8(&items->data, items->data_type == ITEM_CONNECTED_DATA ? 2 : 0);

    return service < 0 ? -1 : service >= 0x80;
}

/* 1 response, 0 request, -1 the message does not tell. */
static int is_response(const struct header *h, const struct items *items)
{
    if (is_data_command(h->command)) {
        int told = cip_says_response(items);
        return told >= 0 ? told : h->status ? 1 : -1;
    }
    if (h->status)
        return 1;
    switch (h->command) {
    case LIST_TARGETS:
    case LIST_SERVICES:
    case LIST_IDENTITY:
    case LIST_INTERFACES:
        return h->length > 0;
    case REGISTER_SESSION:
        return h->session != 0;
    case UNREGISTER_SESSION:
        return 0;
    default:
        return -1;
    }
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t x = (a ^ b * 0x9e3779b97f4a7c15ull) * 0xbf58476d1ce4e5b9ull;

    return x ^ x >> 31;
}

/*
 * By what request and response are paired: the sender context, with the session unless it is being
 * made; in connected messages, which need no context, the sequence count.
 */
static uint64_t pair_key(const struct header *h, const struct items *items)
{
    if (h->command == SEND_UNIT_DATA)
        return mix((uint64_t)h->session << 16 | (uint16_t)ft_peek_u16le(&items->data, 0),
                   SEND_UNIT_DATA);
    return mix(h->context,
               (uint64_t)h->command << 32 | (h->command == REGISTER_SESSION ? 0 : h->session));
}

static void say_direction(struct ft_context *ctx, enum ft_direction direction)
{
    if (ctx->direction != direction || ctx->confidence < FT_CONFIDENCE_DISSECTOR)
        ft_set_direction(ctx, direction);
}

/* Set kind and direction, pair, and say whether it is a response. */
static bool set_kind(struct ft_context *ctx, const struct header *h, int told)
{
    if (told >= 0)
        say_direction(ctx, told ? FT_TO_CLIENT : FT_TO_SERVER);
    else if (h->command != NOP)
        told = ctx->direction == FT_TO_CLIENT;
    if (h->command == NOP)
        ft_set_kind(ctx, FT_KIND_DATA);
    else if (told)
        ft_set_kind(ctx, h->status ? FT_KIND_EXCEPTION : FT_KIND_RESPONSE);
    else
        ft_set_kind(ctx, FT_KIND_REQUEST);
    return told == 1;
}

static bool has_response(uint16_t command)
{
    return command != NOP && command != UNREGISTER_SESSION && command != INDICATE_STATUS &&
           command != CANCEL;
}

static void check_header(struct ft_context *ctx, const struct header *h, bool is_reply,
                         struct ft_view v)
{
    ft_skip(&v, 2);
    if (!is_known_command(h->command))
        ft_violation(ctx, ENIP_UNKNOWN_COMMAND, &v);
    ft_skip(&v, 2);
    if (h->length > MAX_LENGTH)
        ft_violation(ctx, ENIP_LENGTH_LIMIT, &v);
    ft_skip(&v, 8);
    v.last_len = 4;
    if (h->status)
        ft_violation(ctx, is_reply ? ENIP_COMMAND_FAILED : ENIP_STATUS_IN_REQUEST, &v);
    ft_skip(&v, 8);
    ft_skip(&v, 4);
    if (h->options)
        ft_violation(ctx, ENIP_OPTIONS_SET, &v);
    if (h->command == START_DTLS && ctx->transport == FT_TRANSPORT_TCP)
        ft_violation(ctx, ENIP_DTLS_ON_TCP, NULL);
}

/* Sessions: what was registered on this connection, as far as it was seen. */
static void follow_session(struct ft_context *ctx, const struct header *h, bool is_reply)
{
    struct enip_flow *flow = ctx->flow_state;

    if (ctx->transport != FT_TRANSPORT_TCP)
        return;
    if (h->command == REGISTER_SESSION) {
        flow->is_asked = 1;
        if (is_reply && !h->status) {
            flow->session = h->session;
            flow->is_registered = 1;
        }
    } else if (h->command == UNREGISTER_SESSION) {
        flow->is_asked = flow->is_registered = 0;
    } else if (is_data_command(h->command) && !is_reply && !ctx->is_midstream) {
        if (!flow->is_asked)
            ft_violation(ctx, ENIP_NOT_REGISTERED, NULL);
        else if (flow->is_registered && h->session != flow->session)
            ft_violation(ctx, ENIP_UNKNOWN_SESSION, NULL);
    }
}

static void read_register(struct ft_context *ctx, struct ft_view *v)
{
    if (!v->len)
        return;
    ft_group_begin(ctx, ENIP_REGISTER);
    uint16_t version = ft_u16le(v);
    ft_put_uint(ctx, ENIP_REGISTER_VERSION, version, v);
    uint16_t options = ft_u16le(v);
    ft_put_uint(ctx, ENIP_REGISTER_OPTIONS, options, v);
    ft_group_end(ctx, ENIP_REGISTER);
    ft_expect_end(ctx, v);
}

/* A Forward Open's response has socket addresses beside the two items. */
static void check_items(struct ft_context *ctx, const struct header *h, const struct items *items,
                        const struct ft_view *at)
{
    bool is_connected = h->command == SEND_UNIT_DATA;
    bool is_right = is_connected ? items->has_address && items->data_type == ITEM_CONNECTED_DATA
                                 : items->data_type == ITEM_UNCONNECTED_DATA;

    if (items->count < 2 || items->count > 4)
        ft_violation(ctx, ENIP_ITEM_COUNT, at);
    else if (!is_right && ft_view_ok(at))
        ft_violation(ctx, ENIP_ITEM_TYPE, at);
}

static void hand_over(struct ft_context *ctx, const struct header *h, const struct items *items)
{
    struct ft_view data = items->data;

    if (items->data_type == ITEM_UNCONNECTED_DATA) {
        uint64_t key = mix(h->context, h->session);
        ft_child(ctx, FT_CIP_SELECTOR(FT_CIP_UNCONNECTED, key), data);
    } else if (items->data_type == ITEM_CONNECTED_DATA && items->has_address) {
        uint16_t sequence = ft_u16le(&data);
        uint64_t key = (uint64_t)items->connection_id << 16 | sequence;
        ft_put_uint(ctx, ENIP_CONNECTION_ID, items->connection_id, NULL);
        ft_put_uint(ctx, ENIP_SEQUENCE, sequence, &data);
        if (data.len || data.is_cut)
            ft_child(ctx, FT_CIP_SELECTOR(FT_CIP_CONNECTED, key), data);
    }
}

/* Interface handle, timeout, items; interface 0 is CIP. */
static void read_data(struct ft_context *ctx, const struct header *h, struct ft_view *v)
{
    struct items items = {.data = ft_view_empty()};

    if (!v->len && h->status)
        return; /* a refusal without a body */
    uint32_t interface = ft_u32le(v);
    ft_put_uint(ctx, ENIP_INTERFACE, interface, v);
    uint16_t timeout = ft_u16le(v);
    ft_put_uint(ctx, ENIP_TIMEOUT, timeout, v);
    struct ft_view list = *v;
    read_items(ctx, v, &items);
    check_items(ctx, h, &items, v);
    if (items.count > 2)
        read_told_items(ctx, list);
    if (interface == 0)
        hand_over(ctx, h, &items);
    ft_expect_end(ctx, v);
}

static void read_body(struct ft_context *ctx, const struct header *h, bool is_reply,
                      struct ft_view *v)
{
    struct items items = {.data = ft_view_empty()};

    switch (h->command) {
    case SEND_RR_DATA:
    case SEND_UNIT_DATA:
        read_data(ctx, h, v);
        break;
    case REGISTER_SESSION:
        read_register(ctx, v);
        break;
    case LIST_SERVICES:
    case LIST_IDENTITY:
    case LIST_INTERFACES:
        if (!is_reply || !v->len)
            break;
        if (h->command != LIST_INTERFACES)
            read_told_items(ctx, *v);
        read_items(ctx, v, &items);
        ft_expect_end(ctx, v);
        break;
    default:
        break;
    }
}

static void read_encapsulation(struct ft_context *ctx, struct ft_view *pdu)
{
    struct ft_view start = *pdu;
    struct header h = read_header(pdu);
    struct ft_view body = ft_sub(pdu, h.length);
    struct items items = {.data = ft_view_empty()};

    if (is_data_command(h.command)) {
        struct ft_view ahead = body;
        ft_skip(&ahead, 6);
        read_items(NULL, &ahead, &items);
    }
    bool is_reply = set_kind(ctx, &h, is_response(&h, &items));
    if (has_response(h.command)) {
        if (is_reply)
            ft_response(ctx, FT_SCOPE_FLOW, pair_key(&h, &items));
        else
            ft_request(ctx, FT_SCOPE_FLOW, pair_key(&h, &items), NULL, 0);
    }
    ft_command(ctx, h.command, 0);

    put_header(ctx, start);
    check_header(ctx, &h, is_reply, start);
    follow_session(ctx, &h, is_reply);
    read_body(ctx, &h, is_reply, &body);
    if (ft_view_is_malformed(&body) && ft_view_ok(pdu))
        ft_violation(ctx, FT_VIOLATION_MALFORMED, &body);
    if (ctx->transport == FT_TRANSPORT_UDP)
        ft_expect_end(ctx, pdu);
}

/* ---- I/O, Device Level Ring, CSPv4 --------------------------------------------------------- */

static void read_io(struct ft_context *ctx, struct ft_view *pdu)
{
    struct items items = {.data = ft_view_empty()};
    struct ft_view start = *pdu;

    read_items(NULL, pdu, &items);
    ft_set_kind(ctx, FT_KIND_DATA);
    ft_command(ctx, CODE_IO, 0);
    if (ft_wants(ctx, ENIP_ITEMS)) {
        struct items again = items;
        read_items(ctx, &start, &again);
    }
    ft_group_begin(ctx, ENIP_IO);
    ft_put_uint(ctx, ENIP_IO_CONNECTION_ID, items.connection_id, NULL);
    if (items.is_sequenced)
        ft_put_uint(ctx, ENIP_IO_SEQUENCE, items.sequence, NULL);
    ft_put_uint(ctx, ENIP_IO_SIZE, items.data.len, NULL);
    ft_group_end(ctx, ENIP_IO);

    if (items.count < 2 || items.count > 4)
        ft_violation(ctx, ENIP_ITEM_COUNT, pdu);
    else if (ft_view_ok(pdu) && (!items.has_address || items.data_type != ITEM_CONNECTED_DATA))
        ft_violation(ctx, ENIP_ITEM_TYPE, pdu);
    if (items.has_address && items.data_type == ITEM_CONNECTED_DATA) {
        uint64_t key = (uint64_t)items.connection_id << 16 | (items.sequence & 0xffff);
        ft_child(ctx, FT_CIP_SELECTOR(FT_CIP_IO, key), items.data);
    }
    ft_expect_end(ctx, pdu);
}

/* [sub-type][version][frame type][port][source IP][sequence], big-endian; beacons tell the state.
 */
static void read_ring(struct ft_context *ctx, struct ft_view *v)
{
    ft_skip(v, 2);
    uint8_t type = ft_u8(v);
    struct ft_view type_at = *v;

    ft_set_kind(ctx, FT_KIND_DATA);
    ft_command(ctx, CODE_DLR | type, 0);
    ft_group_begin(ctx, ENIP_DLR);
    ft_put_uint(ctx, ENIP_DLR_TYPE, type, &type_at);
    uint8_t port = ft_u8(v);
    ft_put_uint(ctx, ENIP_DLR_PORT, port, v);
    uint32_t source = ft_u32be(v);
    if (source)
        ft_put_uint(ctx, ENIP_DLR_SOURCE, source, v);
    uint32_t sequence = ft_u32be(v);
    ft_put_uint(ctx, ENIP_DLR_SEQUENCE, sequence, v);
    if (type == 1) {
        uint8_t state = ft_u8(v);
        struct ft_view state_at = *v;
        ft_put_uint(ctx, ENIP_DLR_STATE, state, v);
        ft_put_uint(ctx, ENIP_DLR_PRECEDENCE, ft_u8(v), v);
        ft_put_uint(ctx, ENIP_DLR_INTERVAL, ft_u32be(v), v);
        ft_put_uint(ctx, ENIP_DLR_TIMEOUT, ft_u32be(v), v);
        if (ft_view_ok(v) && state == 2)
            ft_violation(ctx, ENIP_RING_FAULT, &state_at);
    } else if (type == 6) {
        uint8_t state = ft_u8(v);
        ft_put_uint(ctx, ENIP_DLR_STATE, state, v);
    }
    ft_group_end(ctx, ENIP_DLR);
}

/* 28 bytes, big-endian: [command][length][session][status][context 8][options][reserved]. */
static void read_csp(struct ft_context *ctx, struct ft_view *v)
{
    uint16_t command = ft_u16be(v);
    struct ft_view command_at = *v;
    ft_skip(v, 2);
    uint32_t session = ft_u32be(v);
    struct ft_view session_at = *v;
    uint32_t status = ft_u32be(v);
    struct ft_view status_at = *v;
    uint64_t context = ft_u64be(v);
    ft_skip(v, 8);
    bool is_reply = command >> 8 == 2;
    uint64_t key = mix(context, (uint64_t)CODE_CSP << 32 | (command & 0xff));

    say_direction(ctx, is_reply ? FT_TO_CLIENT : FT_TO_SERVER);
    ft_set_kind(ctx, !is_reply ? FT_KIND_REQUEST : status ? FT_KIND_EXCEPTION : FT_KIND_RESPONSE);
    if (is_reply)
        ft_response(ctx, FT_SCOPE_FLOW, key);
    else
        ft_request(ctx, FT_SCOPE_FLOW, key, NULL, 0);
    ft_command(ctx, CODE_CSP | (command & 0xff), 0);

    ft_group_begin(ctx, ENIP_CSP);
    ft_put_uint(ctx, ENIP_CSP_COMMAND, command, &command_at);
    ft_group_end(ctx, ENIP_CSP);
    ft_put_uint(ctx, ENIP_SESSION, session, &session_at);
    ft_put_uint(ctx, ENIP_STATUS, status, &status_at);
    if (is_reply && status)
        ft_violation(ctx, ENIP_CSP_FAILED, &status_at);
    if ((command & 0xff) == 0x07 && v->len)
        ft_child(ctx, FT_CIP_SELECTOR(FT_CIP_CSP, mix(context, session)), ft_rest(v));
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    if (ctx->transport == FT_TRANSPORT_L2)
        read_ring(ctx, pdu);
    else if (ctx->transport == FT_TRANSPORT_TCP && is_csp_port(ctx->src_port, ctx->dst_port))
        read_csp(ctx, pdu);
    else if (ctx->transport == FT_TRANSPORT_UDP &&
             (is_io(pdu) || is_csp_port(ctx->src_port, ctx->dst_port)))
        read_io(ctx, pdu);
    else
        read_encapsulation(ctx, pdu);
}

/* ---- tables -------------------------------------------------------------------------------- */

static const struct ft_carrier carriers[] = {
    {FT_CARRIER_TCP, 0, PORT_ENCAPSULATION, 0, NULL}, {FT_CARRIER_TCP, 0, PORT_IO, 0, NULL},
    {FT_CARRIER_UDP, 0, PORT_ENCAPSULATION, 0, NULL}, {FT_CARRIER_UDP, 0, PORT_IO, 0, NULL},
    {FT_CARRIER_ETHERTYPE, 0, 0x80e1, 0, NULL},
};

static const struct ft_signature signatures[] = {
    /* RegisterSession, as clients send it */
    {"^\\x65\\x00\\x04\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00.{8}\\x00\\x00\\x00\\x00\\x01"
     "\\x00\\x00\\x00",
     FT_SIGNATURE_TCP, 0},
    /* data of a session: options 0, interface 0 */
    {"^[\\x6f\\x70]\\x00.{6}\\x00\\x00\\x00\\x00.{8}\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00",
     FT_SIGNATURE_TCP, 0},
    {"^[\\x04\\x63\\x64]\\x00.{6}\\x00\\x00\\x00\\x00.{8}\\x00\\x00\\x00\\x00",
     FT_SIGNATURE_TCP | FT_SIGNATURE_UDP, 0},
    /* I/O: two items, the first a sequenced address */
    {"^\\x02\\x00\\x02\\x80\\x08\\x00", FT_SIGNATURE_UDP, 0},
    /* CSPv4: connect request, PCCC request. Its port is not bound: others use it more often. */
    {"^\\x01\\x01\\x00.\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00", FT_SIGNATURE_TCP, 0},
    {"^\\x01\\x07.{6}\\x00\\x00\\x00\\x00", FT_SIGNATURE_TCP, 0},
};

static const struct ft_name command_names[] = {{NOP, "NOP"},
                                               {LIST_TARGETS, "List Targets"},
                                               {LIST_SERVICES, "List Services"},
                                               {LIST_IDENTITY, "List Identity"},
                                               {LIST_INTERFACES, "List Interfaces"},
                                               {REGISTER_SESSION, "Register Session"},
                                               {UNREGISTER_SESSION, "Unregister Session"},
                                               {SEND_RR_DATA, "Send RR Data"},
                                               {SEND_UNIT_DATA, "Send Unit Data"},
                                               {INDICATE_STATUS, "Indicate Status"},
                                               {CANCEL, "Cancel"},
                                               {START_DTLS, "Start DTLS"},
                                               {0, NULL}};

static const struct ft_name status_names[] = {{0x00, "Success"},
                                              {0x01, "Invalid command"},
                                              {0x02, "No memory resources"},
                                              {0x03, "Incorrect data"},
                                              {0x64, "Invalid session handle"},
                                              {0x65, "Invalid length"},
                                              {0x69, "Unsupported protocol revision"},
                                              {0x6a, "CIP service not allowed on this port"},
                                              {0, NULL}};

static const struct ft_name item_names[] = {{ITEM_NULL, "null_address"},
                                            {ITEM_IDENTITY, "identity"},
                                            {ITEM_SECURITY, "cip_security"},
                                            {0x0087, "capability"},
                                            {0x0088, "usage"},
                                            {ITEM_CONNECTED_ADDRESS, "connected_address"},
                                            {ITEM_CONNECTED_DATA, "connected_data"},
                                            {ITEM_UNCONNECTED_DATA, "unconnected_data"},
                                            {ITEM_SERVICES, "services"},
                                            {ITEM_SOCKADDR_O2T, "socket_address_o2t"},
                                            {ITEM_SOCKADDR_T2O, "socket_address_t2o"},
                                            {ITEM_SEQUENCED_ADDRESS, "sequenced_address"},
                                            {0x8003, "unconnected_dtls"},
                                            {0, NULL}};

static const struct ft_name frame_types[] = {{1, "beacon"},
                                             {2, "neighbor_check_request"},
                                             {3, "neighbor_check_response"},
                                             {4, "link_status"},
                                             {5, "locate_fault"},
                                             {6, "announce"},
                                             {7, "sign_on"},
                                             {8, "advertise"},
                                             {9, "flush_tables"},
                                             {10, "learning_update"},
                                             {0, NULL}};

static const struct ft_name ring_states[] = {{1, "normal"}, {2, "fault"}, {0, NULL}};

static const struct ft_name csp_names[] = {{0x0101, "connect"},
                                           {0x0201, "connect_reply"},
                                           {0x0107, "pccc"},
                                           {0x0207, "pccc_reply"},
                                           {0, NULL}};

static const struct ft_name capability_names[] = {
    {0x0020, "cip_over_tcp"}, {0x0100, "cip_over_udp"}, {0, NULL}};

/* clang-format off */
#define F(number, name, title, names, parent, type, flags) \
    [number] = {name, title, names, parent, FT_TYPE_##type, flags, 0}
static const struct ft_field fields[ENIP_FIELDS] = {
    F(ENIP_ROOT, "enip", "EtherNet/IP", NULL, 0, GROUP, 0),
    F(ENIP_COMMAND, "command", "Encapsulation command", command_names, 0, ENUM, 0),
    F(ENIP_LENGTH, "length", "Bytes after the header", NULL, 0, UINT, 0),
    F(ENIP_SESSION, "session", "Session handle", NULL, 0, UINT, 0),
    F(ENIP_STATUS, "status", "Encapsulation status", status_names, 0, ENUM, 0),
    F(ENIP_CONTEXT, "sender_context", "Sender context, repeated in the response", NULL, 0, BYTES, 0),
    F(ENIP_OPTIONS, "options", "Options; must be 0", NULL, 0, UINT, 0),
    F(ENIP_INTERFACE, "interface_handle", "Interface handle, 0 = CIP", NULL, 0, UINT, 0),
    F(ENIP_TIMEOUT, "timeout", "Timeout, seconds", NULL, 0, UINT, 0),
    F(ENIP_ITEMS, "cpf_items", "Items of the message", NULL, 0, GROUP, FT_FIELD_LIST),
    F(ENIP_ITEMS_TYPE, "type", "Type of the item", item_names, ENIP_ITEMS, ENUM, 0),
    F(ENIP_ITEMS_LENGTH, "length", "Bytes of the item", NULL, ENIP_ITEMS, UINT, 0),
    F(ENIP_CONNECTION_ID, "connection_id", "Connection id of a connected message", NULL, 0, UINT, 0),
    F(ENIP_SEQUENCE, "seq_count", "Sequence count of a connected message", NULL, 0, UINT, 0),
    F(ENIP_REGISTER, "register_session", "Register Session", NULL, 0, GROUP, 0),
    F(ENIP_REGISTER_VERSION, "protocol_version", "Version of the encapsulation", NULL, ENIP_REGISTER, UINT, 0),
    F(ENIP_REGISTER_OPTIONS, "options", "Options of the session", NULL, ENIP_REGISTER, UINT, 0),
    F(ENIP_SERVICES, "list_services", "Service that the device offers", NULL, 0, GROUP, 0),
    F(ENIP_SERVICES_VERSION, "protocol_version", "Version of the encapsulation", NULL, ENIP_SERVICES, UINT, 0),
    F(ENIP_SERVICES_CAPABILITIES, "capabilities", "Capabilities", capability_names, ENIP_SERVICES, FLAGS, 0),
    F(ENIP_SERVICES_NAME, "service_name", "Name of the service", NULL, ENIP_SERVICES, STRING, 0),
    FT_CIP_IDENTITY_ROWS(ENIP_IDENTITY),
    F(ENIP_IDENTITY_VERSION, "protocol_version", "Version of the encapsulation", NULL, ENIP_IDENTITY, UINT, 0),
    F(ENIP_SECURITY_PROFILES, "cip_security_profiles", "CIP Security profiles", NULL, 0, UINT, 0),
    F(ENIP_SOCKET, "sockaddr", "Socket addresses told in items", NULL, 0, GROUP, FT_FIELD_LIST),
    F(ENIP_SOCKET_ITEM, "item", "Type of the item", item_names, ENIP_SOCKET, ENUM, 0),
    F(ENIP_SOCKET_ADDRESS, "address", "IP address", NULL, ENIP_SOCKET, IPV4, 0),
    F(ENIP_SOCKET_PORT, "port", "Port", NULL, ENIP_SOCKET, UINT, 0),
    F(ENIP_IO, "io", "Data of a class 0 or 1 connection", NULL, 0, GROUP, 0),
    F(ENIP_IO_CONNECTION_ID, "conn_id", "Connection id", NULL, ENIP_IO, UINT, 0),
    F(ENIP_IO_SEQUENCE, "encap_seq", "Sequence number of the packet", NULL, ENIP_IO, UINT, 0),
    F(ENIP_IO_SIZE, "size", "Bytes of the data item", NULL, ENIP_IO, UINT, 0),
    F(ENIP_DLR, "dlr", "Device Level Ring", NULL, 0, GROUP, 0),
    F(ENIP_DLR_TYPE, "frame_type", "Kind of frame", frame_types, ENIP_DLR, ENUM, 0),
    F(ENIP_DLR_PORT, "source_port", "Port of the ring it was sent from", NULL, ENIP_DLR, UINT, 0),
    F(ENIP_DLR_SOURCE, "source_ip", "IP address of the sender", NULL, ENIP_DLR, IPV4, 0),
    F(ENIP_DLR_SEQUENCE, "sequence", "Sequence number", NULL, ENIP_DLR, UINT, 0),
    F(ENIP_DLR_STATE, "ring_state", "State of the ring", ring_states, ENIP_DLR, ENUM, 0),
    F(ENIP_DLR_PRECEDENCE, "precedence", "Precedence of the supervisor", NULL, ENIP_DLR, UINT, 0),
    F(ENIP_DLR_INTERVAL, "beacon_interval_us", "Interval of beacons, microseconds", NULL, ENIP_DLR, UINT, 0),
    F(ENIP_DLR_TIMEOUT, "beacon_timeout_us", "Timeout of beacons, microseconds", NULL, ENIP_DLR, UINT, 0),
    F(ENIP_CSP, "csp", "CSPv4", NULL, 0, GROUP, 0),
    F(ENIP_CSP_COMMAND, "command", "Command", csp_names, ENIP_CSP, ENUM, 0),
};
#undef F

#define C(code, name, cl) {code, FT_ANY_QUALIFIER, name, FT_CLASS_##cl, {0}, NULL}
static const struct ft_command commands[] = {
    C(NOP, "nop", DIAGNOSTIC),
    C(LIST_TARGETS, "list_targets", DIAGNOSTIC),
    C(LIST_SERVICES, "list_services", DIAGNOSTIC),
    {LIST_IDENTITY, FT_ANY_QUALIFIER, "list_identity", FT_CLASS_DIAGNOSTIC, {0}, "T0846 T0888"},
    C(LIST_INTERFACES, "list_interfaces", DIAGNOSTIC),
    C(REGISTER_SESSION, "register_session", SESSION),
    C(UNREGISTER_SESSION, "unregister_session", SESSION),
    C(SEND_RR_DATA, "send_rr_data", DATA),
    C(SEND_UNIT_DATA, "send_unit_data", DATA),
    C(INDICATE_STATUS, "indicate_status", SESSION),
    C(CANCEL, "cancel", SESSION),
    C(START_DTLS, "start_dtls", SESSION),
    C(CODE_IO, "io_data", DATA),
    C(CODE_DLR | 1, "ring_beacon", DATA),
    C(CODE_DLR | 2, "ring_neighbor_check_request", DIAGNOSTIC),
    C(CODE_DLR | 3, "ring_neighbor_check_response", DIAGNOSTIC),
    C(CODE_DLR | 4, "ring_link_status", EVENT),
    C(CODE_DLR | 5, "ring_locate_fault", EVENT),
    C(CODE_DLR | 6, "ring_announce", DATA),
    C(CODE_DLR | 7, "ring_sign_on", SESSION),
    C(CODE_DLR | 8, "ring_advertise", DATA),
    C(CODE_DLR | 9, "ring_flush_tables", EVENT),
    C(CODE_DLR | 10, "ring_learning_update", EVENT),
    C(CODE_CSP | 0x01, "csp_connect", SESSION),
    C(CODE_CSP | 0x07, "csp_pccc", DATA),
};
#undef C

#define V(number, name, title, reference, mitre, severity, engine, alert) \
    [number] = {name, title, reference, NULL, mitre, FT_SEVERITY_##severity, FT_ENGINE_##engine, alert, {0}}
static const struct ft_violation violations[ENIP_VIOLATIONS] = {
    V(ENIP_COMMAND_FAILED, "command_failed", "EtherNet/IP device refused an encapsulation command", "O11", "T0801", MAJOR, OPERATIONAL, 1),
    V(ENIP_OPTIONS_SET, "options_set", "EtherNet/IP header with options, which must be 0", NULL, "T0866", MINOR, PROTOCOL, 0),
    V(ENIP_LENGTH_LIMIT, "length_limit", "EtherNet/IP message longer than allowed", NULL, "T0814 T0866", MAJOR, PROTOCOL, 0),
    V(ENIP_UNKNOWN_COMMAND, "unknown_command", "EtherNet/IP encapsulation command that does not exist", NULL, "T0888", MAJOR, PROTOCOL, 0),
    V(ENIP_STATUS_IN_REQUEST, "status_in_request", "EtherNet/IP request with a status", NULL, NULL, MINOR, PROTOCOL, 0),
    V(ENIP_NOT_REGISTERED, "not_registered", "EtherNet/IP data without a registered session", NULL, "T0855", MAJOR, PROTOCOL, 0),
    V(ENIP_UNKNOWN_SESSION, "unknown_session", "EtherNet/IP data with a session handle that was not given out", NULL, "T0855 T0856", MAJOR, PROTOCOL, 0),
    V(ENIP_ITEM_COUNT, "item_count", "EtherNet/IP data with a wrong number of items", NULL, "T0866", MAJOR, PROTOCOL, 0),
    V(ENIP_ITEM_TYPE, "item_type", "EtherNet/IP data without the items that it needs", NULL, "T0866", MAJOR, PROTOCOL, 0),
    V(ENIP_DTLS_ON_TCP, "dtls_on_tcp", "EtherNet/IP StartDTLS on TCP", NULL, NULL, MINOR, PROTOCOL, 0),
    V(ENIP_RING_FAULT, "ring_fault", "Device Level Ring is broken", NULL, "T0830", MAJOR, OPERATIONAL, 0),
    V(ENIP_CSP_FAILED, "csp_failed", "CSPv4 device refused a command", NULL, "T0801", MAJOR, OPERATIONAL, 0),
};
#undef V
/* clang-format on */

const struct ft_dissector ft_dissector_enip = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "enip",
    .title = "EtherNet/IP",
    .specification = "ODVA The CIP Networks Library, Volume 2",
    .carried_by = FT_TABLE(carriers),
    .signatures = FT_TABLE(signatures),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .max_pdu = 65536,
    .flow_state_size = sizeof(struct enip_flow),
    .flags = FT_DISSECTOR_OT | FT_DISSECTOR_CYCLIC,
    .probe = probe,
    .frame = frame,
    .dissect = dissect,
};
