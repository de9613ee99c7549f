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
#include "enip_schema.h"

/* What a TCP connection has agreed on. */
struct enip_flow {
    uint32_t session;
    uint8_t is_asked;      /* RegisterSession was seen */
    uint8_t is_registered; /* and answered: `session` is the handle */
    uint8_t is_told;       /* that there is no session: once is enough */
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

/*
 * Is the whole header as it should be, and does its length fit what is here? A row of zeros is a
 * NOP as well, and a List Identity is nearly one: on ports that are nobody's a header without data
 * proves nothing, it takes another PDU.
 */
static enum ft_verdict probe_header(struct ft_view v, bool is_stream, bool is_bound)
{
    int32_t command = ft_peek_u16le(&v, 0), length = ft_peek_u16le(&v, 2);

    if (v.len == 1)
        command = ft_peek_u8(&v, 0); /* all have one byte */
    if (!is_known_command(command))
        return FT_NO;
    if (v.len < HEADER_SIZE)
        return is_stream ? FT_MAYBE : FT_NO;
    if (!is_known_status(ft_peek_u32le(&v, 8)) || ft_peek_u32le(&v, 20) != 0 ||
        length > (int32_t)MAX_LENGTH)
        return FT_NO;
    if (HEADER_SIZE + (uint32_t)length != v.len)
        return is_stream ? FT_MAYBE : FT_NO;
    return command == NOP || (!length && !is_bound) ? FT_MAYBE : FT_YES;
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
    return probe_header(payload, where->transport == FT_TRANSPORT_TCP, where->is_bound);
}

/* ---- items --------------------------------------------------------------------------------- */

/* One item: no view of its own but for the data, this is where most packets go through. */
static void read_item(struct ft_view *v, uint16_t type, uint32_t length, struct items *items)
{
    uint32_t need = type == ITEM_SEQUENCED_ADDRESS ? 8 : 4;

    switch (type) {
    case ITEM_CONNECTED_ADDRESS:
    case ITEM_SEQUENCED_ADDRESS:
        if (length < need)
            break;
        items->has_address = true;
        items->is_sequenced = type == ITEM_SEQUENCED_ADDRESS;
        items->connection_id = ft_u32le(v);
        items->sequence = items->is_sequenced ? ft_u32le(v) : 0;
        length -= need;
        break;
    case ITEM_CONNECTED_DATA:
    case ITEM_UNCONNECTED_DATA:
        items->data_type = type;
        items->data = ft_sub(v, length);
        return;
    default:
        break;
    }
    ft_skip(v, length);
}

/* Read the list of items and keep address and data. */
static void read_items(struct ft_view *v, struct items *items)
{
    items->count = ft_u16le(v);
    uint32_t n = ft_count(v, items->count, 4);

    for (uint32_t i = 0; i < n; i++) {
        uint16_t type = ft_u16le(v);
        uint16_t length = ft_u16le(v);
        if (!ft_view_ok(v))
            return;
        read_item(v, type, length, items);
    }
}

/* Again, when somebody wants to see them. */
static void put_items(struct ft_context *ctx, struct ft_view v)
{
    if (!ft_wants(ctx, ENIP_ITEMS))
        return;
    uint32_t n = ft_u16le(&v);
    n = ft_count(&v, n, 4);
    for (uint32_t i = 0; i < n; i++) {
        uint16_t type = ft_u16le(&v);
        struct ft_view type_at = v;
        uint16_t length = ft_u16le(&v);
        if (!ft_view_ok(&v))
            return;
        ft_group_begin(ctx, ENIP_ITEMS);
        ft_put_uint(ctx, ENIP_ITEMS_TYPE, type, &type_at);
        ft_put_uint(ctx, ENIP_ITEMS_LENGTH, length, &v);
        ft_group_end(ctx, ENIP_ITEMS);
        ft_skip(&v, length);
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
    if (!ft_wants(ctx, ENIP_COMMAND) && !ft_wants(ctx, ENIP_LENGTH) &&
        !ft_wants(ctx, ENIP_SESSION) && !ft_wants(ctx, ENIP_STATUS) &&
        !ft_wants(ctx, ENIP_CONTEXT) && !ft_wants(ctx, ENIP_OPTIONS))
        return;
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
    if (is_known_command(h->command) && h->length <= MAX_LENGTH && !h->status && !h->options &&
        h->command != START_DTLS)
        return;
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
        if (!flow->is_asked && !flow->is_told)
            ft_violation(ctx, ENIP_NOT_REGISTERED, NULL);
        flow->is_told |= !flow->is_asked;
        if (flow->is_registered && h->session != flow->session)
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

    if (at->error == FT_VIEW_CUT)
        return;
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

/* Interface handle, timeout, items; interface 0 is CIP. `v` is the body; `items` are read. */
static void read_data(struct ft_context *ctx, const struct header *h, const struct items *items,
                      const struct ft_view *end, struct ft_view v)
{
    uint32_t interface = ft_u32le(&v);
    ft_put_uint(ctx, ENIP_INTERFACE, interface, &v);
    uint16_t timeout = ft_u16le(&v);
    ft_put_uint(ctx, ENIP_TIMEOUT, timeout, &v);
    put_items(ctx, v);
    check_items(ctx, h, items, end);
    if (items->count > 2)
        read_told_items(ctx, v);
    if (interface == 0)
        hand_over(ctx, h, items);
    ft_expect_end(ctx, end);
}

static void read_list(struct ft_context *ctx, const struct header *h, struct ft_view *v)
{
    struct items items = {.data = ft_view_empty()};

    put_items(ctx, *v);
    if (h->command != LIST_INTERFACES)
        read_told_items(ctx, *v);
    read_items(v, &items);
    ft_expect_end(ctx, v);
}

static void read_body(struct ft_context *ctx, const struct header *h, bool is_reply,
                      struct ft_view *v)
{
    switch (h->command) {
    case REGISTER_SESSION:
        read_register(ctx, v);
        break;
    case LIST_SERVICES:
    case LIST_IDENTITY:
    case LIST_INTERFACES:
        if (is_reply && v->len)
            read_list(ctx, h, v);
        break;
    default:
        break;
    }
}

static void read_encapsulation(struct ft_context *ctx, struct ft_view *pdu)
{
    struct ft_view start = *pdu;
    struct header h = read_header(pdu);
    /* A header that is not all here has no body that could be wrong. */
    struct ft_view body = ft_view_ok(pdu) ? ft_sub(pdu, h.length) : *pdu;
    struct ft_view body_start = body;
    struct items items = {.data = ft_view_empty()};
    /* A refusal may come without a body. */
    bool has_items = is_data_command(h.command) && (body.len || !h.status);

    if (has_items) {
        ft_skip(&body, 6);
        read_items(&body, &items);
    }
    bool is_reply = set_kind(ctx, &h, is_response(&h, &items));
    /* What carries CIP is paired by CIP under the same key; its pairing holds for the carrier. */
    bool is_paired_here = has_response(h.command) && !has_items;
    if (is_reply && is_paired_here)
        ft_response(ctx, FT_SCOPE_FLOW, pair_key(&h, &items));
    ft_command(ctx, h.command, 0);
    if (!is_reply && is_paired_here)
        ft_request(ctx, FT_SCOPE_FLOW, pair_key(&h, &items), NULL, 0);

    put_header(ctx, start);
    check_header(ctx, &h, is_reply, start);
    follow_session(ctx, &h, is_reply);
    if (has_items)
        read_data(ctx, &h, &items, &body, body_start);
    else
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

    read_items(pdu, &items);
    ft_set_kind(ctx, FT_KIND_DATA);
    ft_command(ctx, CODE_IO, 0);
    put_items(ctx, start);
    ft_group_begin(ctx, ENIP_IO);
    ft_put_uint(ctx, ENIP_IO_CONNECTION_ID, items.connection_id, NULL);
    if (items.is_sequenced)
        ft_put_uint(ctx, ENIP_IO_SEQUENCE, items.sequence, NULL);
    ft_put_uint(ctx, ENIP_IO_SIZE, items.data.len, NULL);
    ft_group_end(ctx, ENIP_IO);

    if (pdu->error != FT_VIEW_CUT && (items.count < 2 || items.count > 4))
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
    ft_command(ctx, CODE_CSP | (command & 0xff), 0);
    if (!is_reply)
        ft_request(ctx, FT_SCOPE_FLOW, key, NULL, 0);

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

/* ---- the dissector ------------------------------------------------------------------------- */

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
