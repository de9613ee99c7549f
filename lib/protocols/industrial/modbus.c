/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Modbus/TCP, and the same over UDP: the MBAP header before a Modbus PDU.
 *
 *   0  2  transaction id   echoed by the server
 *   2  2  protocol id      0
 *   4  2  length           bytes that follow: unit and PDU, 2..254
 *   6  1  unit id          0 and 255: the TCP device itself; else a device behind it
 *   7  1  function
 *
 * Specification: MODBUS Messaging on TCP/IP Implementation Guide V1.0b.
 */
#include <fieldtap/wire.h>

#include "modbus_pdu.h"

enum {
    MBAP = 6,   /* bytes that the length does not count */
    HEADER = 8, /* with unit and function */
    LENGTH_MIN = 2,
    LENGTH_MAX = 254,
    LENGTH_MAX_UMAS = 2048, /* newer controllers send more than the standard allows */
};

enum field {
    TRANSACTION_ID = FT_MODBUS_FIELDS,
    PROTOCOL_ID,
    LENGTH,
};

enum violation {
    V_PROTOCOL_ID = FT_MODBUS_VIOLATIONS,
    V_LENGTH,
};

/* Flow state. */
struct flow {
    struct ft_modbus_flow pdu;
    uint8_t is_established; /* a header without fault was seen */
};

_Static_assert(sizeof(struct flow) <= FT_MAX_FLOW_STATE, "flow state");

/* The header, looked at without taking anything; what is not there has all bits set. */
struct header {
    uint16_t transaction_id, protocol_id, length;
    uint8_t unit, function;
};

/* clang-format off */
static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_TCP, .value = 502},
    {.kind = FT_CARRIER_UDP, .value = 502},
    {.kind = FT_CARRIER_TCP, .value = FT_ANY_SELECTOR},
    {.kind = FT_CARRIER_UDP, .value = FT_ANY_SELECTOR},
};

#define ANY_TRANSPORT FT_SIGNATURE_TCP | FT_SIGNATURE_UDP

/* By the length that each function must have; what cannot be told from other traffic by that and
 * three zero bytes is left to the flow's other direction. */
static const struct ft_signature signatures[] = {
    {"^..\\x00\\x00\\x00\\x06.[\\x01\\x02]..[\\x00-\\x07].", ANY_TRANSPORT, 0},
    {"^..\\x00\\x00\\x00\\x06.[\\x03\\x04]..\\x00[\\x01-\\x7d]", ANY_TRANSPORT, 0},
    {"^..\\x00\\x00\\x00\\x06.\\x05..[\\x00\\xff]\\x00", ANY_TRANSPORT, 0},
    {"^..\\x00\\x00\\x00\\x06.[\\x06\\x0f\\x10]....", ANY_TRANSPORT, 0},
    {"^..\\x00\\x00\\x00\\x06.\\x08\\x00[\\x00-\\x15]", ANY_TRANSPORT, 0},
    {"^..\\x00\\x00\\x00\\x02.[\\x07\\x0b\\x0c\\x11]", ANY_TRANSPORT, 0},
    {"^..\\x00\\x00\\x00\\x03.[\\x81-\\x98\\xab\\xda][\\x01-\\x0b]", ANY_TRANSPORT, 0},
    {"^..\\x00\\x00\\x00\\x04.[\\x18\\x5a]..", ANY_TRANSPORT, 0},
    {"^..\\x00\\x00\\x00\\x05.\\x2b\\x0e[\\x01-\\x04]", ANY_TRANSPORT, 0},
    {"^..\\x00\\x00\\x00[\\x05-\\xfe].[\\x01-\\x04][\\x02-\\xfa]", ANY_TRANSPORT, 0},
    {"^..\\x00\\x00\\x00[\\x08-\\xfe].[\\x0f\\x10]..[\\x00-\\x07].[\\x01-\\xf6]", ANY_TRANSPORT, 0},
    {"^..\\x00\\x00\\x00[\\x04-\\xfe].[\\x14\\x15]", ANY_TRANSPORT, 0},
    {"^..\\x00\\x00\\x00\\x08.\\x16", ANY_TRANSPORT, 0},
    {"^..\\x00\\x00\\x00[\\x05-\\xfe].\\x17", ANY_TRANSPORT, 0},
    {"^..\\x00\\x00\\x00[\\x08-\\xfe].\\x2b\\x0e[\\x01-\\x04][\\x01-\\x03\\x81-\\x83]", ANY_TRANSPORT, 0},
    {"^..\\x00\\x00[\\x00-\\x08]..\\x5a.[\\x01-\\x74\\xfd\\xfe]", ANY_TRANSPORT, 0},
};

static const struct ft_field fields[] = {
    FT_MODBUS_FIELD_ROWS("modbus", "Modbus"),
    {"transaction_id", "Transaction id, echoed by the server", NULL, 0, FT_TYPE_UINT, 0, 16},
    {"protocol_id", "Protocol id, 0", NULL, 0, FT_TYPE_UINT, 0, 16},
    {"length", "Bytes of unit and PDU", NULL, 0, FT_TYPE_UINT, 0, 16},
};

static const struct ft_command commands[] = {FT_MODBUS_COMMAND_ROWS};

static const struct ft_violation violations[] = {
    FT_MODBUS_VIOLATION_ROWS,
    FT_MODBUS_EVENT("protocol_id", "Modbus protocol id other than 0", NULL, "Illegal commands",
                    "T0836", MINOR, PROTOCOL),
    FT_MODBUS_EVENT("length", "Modbus length out of its limits", NULL, "Illegal commands",
                    "T0836", MINOR, PROTOCOL),
};
/* clang-format on */

_Static_assert(sizeof(fields) / sizeof(fields[0]) == LENGTH + 1, "one row a field");
_Static_assert(sizeof(violations) / sizeof(violations[0]) == V_LENGTH + 1, "one row a violation");

/* ---- the header ----------------------------------------------------------------------------- */

static struct header peek_header(const struct ft_view *v)
{
    return (struct header){
        .transaction_id = (uint16_t)ft_peek_u16be(v, 0),
        .protocol_id = (uint16_t)ft_peek_u16be(v, 2),
        .length = (uint16_t)ft_peek_u16be(v, 4),
        .unit = (uint8_t)ft_peek_u8(v, 6),
        .function = (uint8_t)ft_peek_u8(v, 7),
    };
}

static uint32_t length_max(uint8_t function)
{
    return (function & ~FT_MODBUS_EXCEPTION_BIT) == FT_MODBUS_UMAS ? LENGTH_MAX_UMAS : LENGTH_MAX;
}

static bool is_sound(const struct header *h)
{
    return h->protocol_id == 0 && h->length >= LENGTH_MIN && h->length <= length_max(h->function);
}

/* ---- recognition ---------------------------------------------------------------------------- */

/* A whole ADU whose PDU has the length that its function needs. */
static bool is_proper(const struct header *h, struct ft_view adu)
{
    ft_skip(&adu, MBAP + 1);
    return is_sound(h) && ft_modbus_shape(&adu) != 0;
}

/* The first bytes of a header: protocol id and the high byte of the length, as far as they go. */
static bool may_begin(const struct ft_view *v)
{
    return ft_peek_u8(v, 2) <= 0 && ft_peek_u8(v, 3) <= 0 && ft_peek_u8(v, 4) <= 0;
}

/*
 * A poll of two registers from address 0 on a serial line reads as a header with length 2, and its
 * CRC often as a function. A CRC that is right by chance is rarer than that by far.
 */
static bool is_serial(struct ft_view v)
{
    uint32_t n = v.len >= 4 ? v.len - 2 : 0;
    const uint8_t *frame = n ? ft_view_take(&v, n) : NULL;
    return frame && ft_crc16_modbus(frame, n) == ft_u16le(&v);
}

static enum ft_verdict probe(const struct ft_probe *where, struct ft_view payload)
{
    unsigned proper = 0;
    unsigned whole = 0;

    if (!where->is_bound && is_serial(payload))
        return FT_NO;
    while (payload.len >= HEADER) {
        struct header h = peek_header(&payload);
        if (!is_sound(&h))
            return FT_NO;
        if (payload.len < MBAP + (uint32_t)h.length) /* the rest comes with the next segment */
            return whole || where->is_bound ? FT_MAYBE : FT_NO;
        struct ft_view adu = ft_sub(&payload, MBAP + h.length);
        proper += is_proper(&h, adu);
        whole++;
    }
    if (where->is_bound)
        return whole ? FT_YES : may_begin(&payload) ? FT_MAYBE : FT_NO;
    if (proper < whole || payload.len)
        return FT_NO;
    return proper >= 2 ? FT_YES : proper == 1 ? FT_MAYBE : FT_NO;
}

/*
 * A length is believed when protocol id and bounds are right. Else, on a flow that has shown itself
 * to be Modbus, an ADU that ends with the bytes here is a faulty ADU, to be told of; anything else
 * is no Modbus, and a hostile length must not swallow what follows.
 */
static struct ft_frame frame(struct ft_context *ctx, struct ft_view stream)
{
    const struct flow *flow = ctx->flow_state;
    bool is_established = flow->is_established;

    if (stream.len >= 4 && ft_peek_u16be(&stream, 2) != 0 && !is_established)
        return ft_frame(FT_FRAME_NOT_MINE, 0);
    if (stream.len < HEADER) {
        bool is_short = stream.len >= MBAP && ft_peek_u16be(&stream, 4) < LENGTH_MIN;
        if (is_short && is_established && ft_peek_u16be(&stream, 4) + MBAP == (int)stream.len)
            return ft_frame(FT_FRAME_PDU, stream.len);
        return is_short ? ft_frame(FT_FRAME_NOT_MINE, 0) : ft_frame(FT_FRAME_NEED, HEADER);
    }
    struct header h = peek_header(&stream);
    if (is_sound(&h))
        return ft_frame(FT_FRAME_PDU, MBAP + h.length);
    if (is_established && h.length <= LENGTH_MAX_UMAS && stream.len == MBAP + (uint32_t)h.length)
        return ft_frame(FT_FRAME_PDU, stream.len);
    return ft_frame(FT_FRAME_NOT_MINE, 0);
}

/* ---- dissection ----------------------------------------------------------------------------- */

/*
 * A port or a handshake says who is who. Without them the length of the PDU mostly does, since few
 * functions have requests and responses of one length.
 */
static bool is_request(struct ft_context *ctx, const struct header *h, const struct ft_view *adu)
{
    bool hint = ctx->direction != FT_TO_CLIENT;
    struct ft_view pdu;

    if (ctx->direction != FT_DIRECTION_NONE && ctx->confidence >= FT_CONFIDENCE_PORT)
        return hint;
    pdu = *adu;
    ft_skip(&pdu, MBAP + 1);
    unsigned shape = ft_modbus_shape(&pdu);
    if (h->function & FT_MODBUS_EXCEPTION_BIT)
        shape = FT_MODBUS_RESPONSE;
    if (shape != FT_MODBUS_REQUEST && shape != FT_MODBUS_RESPONSE)
        return hint;
    ft_set_direction(ctx, shape == FT_MODBUS_REQUEST ? FT_TO_SERVER : FT_TO_CLIENT);
    return shape == FT_MODBUS_REQUEST;
}

/* The header's fields, taken from the view up to the length. */
static void read_header(struct ft_context *ctx, struct ft_view *pdu, const struct header *h)
{
    ft_put_uint(ctx, TRANSACTION_ID, ft_u16be(pdu), pdu);
    uint16_t protocol_id = ft_u16be(pdu);
    ft_put_uint(ctx, PROTOCOL_ID, protocol_id, pdu);
    if (protocol_id != 0)
        ft_violation(ctx, V_PROTOCOL_ID, pdu);
    uint16_t length = ft_u16be(pdu);
    ft_put_uint(ctx, LENGTH, length, pdu);
    if (length < LENGTH_MIN || length > length_max(h->function))
        ft_violation(ctx, V_LENGTH, pdu);
}

static void read_body(struct ft_context *ctx, struct ft_modbus_message *m, struct ft_view *body)
{
    ft_put_uint(ctx, FT_MODBUS_UNIT_ID, ft_u8(body), body);
    ft_modbus_read(ctx, m, body);
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    struct flow *flow = ctx->flow_state;
    struct header h = peek_header(pdu);
    struct ft_modbus_message m = {.unit = h.unit, .flow = &flow->pdu};
    uint8_t code = h.function & (uint8_t)~FT_MODBUS_EXCEPTION_BIT;

    if (is_sound(&h))
        flow->is_established = 1;
    m.is_request = is_request(ctx, &h, pdu);
    m.key = (uint64_t)h.transaction_id << 16 | (uint64_t)h.unit << 8 | code;
    m.child_selector = ft_modbus_selector(h.function, h.transaction_id);
    ft_modbus_begin(ctx, &m, pdu, MBAP + 1);
    read_header(ctx, pdu, &h);
    if (pdu->len == h.length) {
        read_body(ctx, &m, pdu);
        return;
    }
    struct ft_view body = ft_sub(pdu, h.length);
    read_body(ctx, &m, &body);
    ft_expect_end(ctx, pdu);
    if (!ft_view_ok(&body))
        ft_view_fail(pdu);
}

const struct ft_dissector ft_dissector_modbus = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "modbus",
    .title = "Modbus/TCP",
    .specification = "MODBUS Application Protocol V1.1b3; MODBUS Messaging on TCP/IP V1.0b",
    .carried_by = FT_TABLE(carriers),
    .signatures = FT_TABLE(signatures),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .max_pdu = MBAP + LENGTH_MAX_UMAS,
    .flow_state_size = sizeof(struct flow),
    .flags = FT_DISSECTOR_OT,
    .probe = probe,
    .frame = frame,
    .dissect = dissect,
};
