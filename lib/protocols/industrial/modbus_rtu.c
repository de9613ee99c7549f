/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Modbus RTU and Modbus ASCII carried unchanged in TCP or UDP, as serial device servers, radios and
 * cellular gateways do.
 *
 *   RTU     address 0..247, PDU, CRC-16 (low byte first); no length: the function says it
 *   ASCII   ':', the same bytes and an LRC as hexadecimal digits, CR LF
 *
 * Device servers that speak RFC 2217 put it into a telnet stream: commands between the frames, and
 * each byte 0xFF of a frame doubled.
 *
 * No port belongs to it, so it is found by content; and either end may have opened the connection:
 * the master is the side whose frames read as requests.
 *
 * Specification: MODBUS over Serial Line V1.02. The encapsulation is a convention.
 */
#include <fieldtap/wire.h>

#include "modbus_pdu.h"

enum {
    FRAME_MIN = 4, /* address, function, CRC */
    FRAME_MAX = 256,
    LINE_MIN = 11, /* ':', address, function, LRC, CR LF */
    LINE_MAX = 513,
    SLIDE_MAX = 256, /* bytes without a frame after which the flow is something else */
    LAST_ADDRESS = 247,
};

/* Telnet (RFC 854), as far as it has to be told from the frames. */
enum {
    IAC = 0xFF,
    SE = 0xF0,
    SB = 0xFA,
    WILL = 0xFB,
    SUBNEGOTIATION_MAX = 64,
    IN_TELNET = 255, /* beside enum ft_transport, in the field `encapsulation` */
};

enum field {
    ENCAPSULATION = FT_MODBUS_FIELDS,
    CHECKSUM,
    IS_CHECKSUM_OK,
    IS_BROADCAST,
    IS_ASCII,
};

enum violation {
    V_CHECKSUM = FT_MODBUS_VIOLATIONS,
    V_ADDRESS,
    V_BROADCAST_WRITE,
};

/* Flow state. */
struct flow {
    struct ft_modbus_flow pdu;
    uint16_t slid;          /* bytes skipped since the last good frame */
    uint8_t is_established; /* a good frame was seen */
    uint8_t is_telnet;      /* telnet commands were seen */
    uint8_t in_parts;       /* by direction, 1 and 2: a frame is waited for */
};

_Static_assert(sizeof(struct flow) <= FT_MAX_FLOW_STATE, "flow state");

/* clang-format off */
static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_TCP, .value = FT_ANY_SELECTOR},
    {.kind = FT_CARRIER_UDP, .value = FT_ANY_SELECTOR},
};

#define ANY_TRANSPORT FT_SIGNATURE_TCP | FT_SIGNATURE_UDP

/* Anchored at both ends where the function has one length: the CRC is left to the probe. */
static const struct ft_signature signatures[] = {
    {"^[\\x01-\\xf7][\\x01\\x02]..[\\x00-\\x07]...\\z", ANY_TRANSPORT, 0},
    {"^[\\x01-\\xf7][\\x03\\x04]..\\x00[\\x01-\\x7d]..\\z", ANY_TRANSPORT, 0},
    {"^[\\x01-\\xf7][\\x01\\x02][\\x01-\\xfa]...", ANY_TRANSPORT, 0},
    {"^[\\x01-\\xf7][\\x03\\x04][\\x02-\\xfa]....", ANY_TRANSPORT, 0},
    {"^[\\x00-\\xf7]\\x05..[\\x00\\xff]\\x00..\\z", ANY_TRANSPORT, 0},
    {"^[\\x00-\\xf7]\\x06......\\z", ANY_TRANSPORT, 0},
    {"^[\\x00-\\xf7]\\x08\\x00[\\x00-\\x15]....\\z", ANY_TRANSPORT, 0},
    {"^[\\x00-\\xf7][\\x0f\\x10]..[\\x00-\\x07]...\\z", ANY_TRANSPORT, 0},
    {"^[\\x00-\\xf7]\\x10..\\x00[\\x01-\\x7b][\\x02-\\xf6]..", ANY_TRANSPORT, 0},
    {"^[\\x00-\\xf7]\\x0f..[\\x00-\\x07].[\\x01-\\xf6].", ANY_TRANSPORT, 0},
    {"^[\\x01-\\xf7][\\x07\\x0b\\x0c\\x11]..\\z", ANY_TRANSPORT, 0},
    {"^[\\x01-\\xf7]\\x17..\\x00[\\x01-\\x7d]..\\x00[\\x01-\\x79]", ANY_TRANSPORT, 0},
    {"^[\\x01-\\xf7]\\x2b\\x0e[\\x01-\\x04]...\\z", ANY_TRANSPORT, 0},
    {"^[\\x01-\\xf7][\\x81-\\x98\\xab][\\x01-\\x0b]..\\z", ANY_TRANSPORT, 0},
    {"^[\\x01-\\xf7][\\x14\\x15][\\x07-\\xfb]\\x06", ANY_TRANSPORT, 0},
    {"^[\\x01-\\xf7][\\x16]........\\z", ANY_TRANSPORT, 0},
    {"^:[0-9A-F]{2}(0[1-8BCF]|1[0-8]|2B|8[0-9A-F]|9[0-8]|AB)[0-9A-F]{2,}\\r\\n", ANY_TRANSPORT, 0},
};

static const struct ft_name encapsulation_names[] = {
    {FT_TRANSPORT_TCP, "tcp"},
    {FT_TRANSPORT_UDP, "udp"},
    {IN_TELNET, "rfc2217"},
    {0, NULL},
};

static const struct ft_field fields[] = {
    FT_MODBUS_FIELD_ROWS("modbus_rtu", "Modbus RTU or ASCII"),
    {"encapsulation", "What carries the serial frames", encapsulation_names, 0, FT_TYPE_ENUM, 0, 16},
    {"checksum", "CRC (RTU) or LRC (ASCII) as sent", NULL, 0, FT_TYPE_UINT, 0, 0},
    {"is_checksum_ok", "The checksum is right", NULL, 0, FT_TYPE_BOOL, 0, 0},
    {"is_broadcast", "To address 0, all slaves", NULL, 0, FT_TYPE_BOOL, 0, 0},
    {"is_ascii", "Modbus ASCII", NULL, 0, FT_TYPE_BOOL, 0, 0},
};

static const struct ft_command commands[] = {FT_MODBUS_COMMAND_ROWS};

static const struct ft_violation violations[] = {
    FT_MODBUS_VIOLATION_ROWS,
    FT_MODBUS_EVENT("checksum", "Modbus frame with a wrong checksum", NULL, "Operational issues",
                    NULL, WARNING, PROTOCOL),
    FT_MODBUS_EVENT("reserved_address", "Modbus slave address that is reserved", NULL,
                    "Illegal commands", NULL, MINOR, PROTOCOL),
    FT_MODBUS_EVENT("broadcast_write", "Modbus write to all slaves at once", NULL,
                    "Illegal commands", "T0855 T0836", MINOR, PROTOCOL),
};
/* clang-format on */

_Static_assert(sizeof(fields) / sizeof(fields[0]) == IS_ASCII + 1, "one row a field");
_Static_assert(sizeof(violations) / sizeof(violations[0]) == V_BROADCAST_WRITE + 1,
               "one row a violation");

/* ---- RTU frames ----------------------------------------------------------------------------- */

/* Are the first `length` bytes a frame with the right CRC? They are there. */
static bool has_good_crc(struct ft_view v, uint32_t length)
{
    const uint8_t *bytes = ft_view_take(&v, length - 2);
    return bytes && ft_crc16_modbus(bytes, length - 2) == ft_u16le(&v);
}

/*
 * The frame that the bytes begin with, read as the likelier side first: its length, or 0. `need`
 * becomes the least number of bytes with which more could be said, when more bytes could help.
 */
static uint32_t find_frame(struct ft_view v, bool request_first, uint32_t *need)
{
    struct ft_view pdu = v;

    ft_skip(&pdu, 1);
    for (unsigned side = 0; side < 2; side++) {
        int32_t length = ft_modbus_length(&pdu, side == 0 ? request_first : !request_first);
        uint32_t whole = length > 0 ? (uint32_t)length + 3 : length < 0 ? (uint32_t)-length + 1 : 0;
        if (!whole || whole > FRAME_MAX)
            continue;
        if (whole > v.len)
            *need = whole < *need ? whole : *need;
        else if (length > 0 && has_good_crc(v, whole))
            return whole;
    }
    return 0;
}

/* Does the function code have no length of its own, so that only a CRC over all can tell? */
static bool is_open_ended(struct ft_view v)
{
    ft_skip(&v, 1);
    return v.len && ft_modbus_length(&v, true) == 0 && ft_modbus_length(&v, false) == 0;
}

/* ---- telnet --------------------------------------------------------------------------------- */

/* The length of the telnet command that the bytes begin with; 0: none; -1: not complete. */
static int32_t telnet_length(const struct ft_view *v)
{
    int command = ft_peek_u8(v, 1);

    if (ft_peek_u8(v, 0) != IAC || (command >= 0 && command < SE) || command == IAC)
        return 0;
    if (command < 0)
        return -1;
    if (command >= WILL)
        return v->len >= 3 ? 3 : -1;
    if (command != SB)
        return 2;
    for (uint32_t at = 2; at < SUBNEGOTIATION_MAX; at++) {
        if (at + 1 >= v->len)
            return -1;
        if (ft_peek_u8(v, at) == IAC && ft_peek_u8(v, at + 1) == SE)
            return (int32_t)at + 2;
    }
    return 0;
}

/*
 * Take bytes up to the next command, doubled 0xFF made single: returns how many. `ends`: for each,
 * how many bytes were taken with it.
 */
static uint32_t unescape(struct ft_view v, uint8_t bytes[FRAME_MAX], uint16_t ends[FRAME_MAX])
{
    uint32_t n = 0, taken = 0;

    while (v.len && n < FRAME_MAX) {
        uint8_t byte = ft_u8(&v);
        taken++;
        if (byte == IAC) {
            if (ft_peek_u8(&v, 0) != IAC)
                break;
            ft_skip(&v, 1);
            taken++;
        }
        bytes[n] = byte;
        ends[n++] = (uint16_t)taken;
    }
    return n;
}

/* As find_frame(), in a telnet stream. */
static uint32_t find_escaped(struct ft_view v, bool request_first, uint32_t *need)
{
    uint8_t bytes[FRAME_MAX];
    uint16_t ends[FRAME_MAX];
    uint32_t n = unescape(v, bytes, ends), more = UINT32_MAX;
    uint32_t length = n ? find_frame(ft_view_make(bytes, n, false), request_first, &more) : 0;

    if (!length && more != UINT32_MAX)
        *need = v.len + 1;
    return length ? ends[length - 1] : 0;
}

/* ---- ASCII lines ---------------------------------------------------------------------------- */

static int digit(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool looks_ascii(const struct ft_view *v)
{
    return ft_peek_u8(v, 0) == ':' && (v->len < 2 || digit(ft_peek_u8(v, 1)) >= 0) &&
           (v->len < 3 || digit(ft_peek_u8(v, 2)) >= 0);
}

/* The length of the line that the bytes begin with, CR LF included; 0: none; -1: not complete. */
static int32_t line_length(const struct ft_view *v)
{
    uint32_t at = 1;
    while (at < LINE_MAX && digit(ft_peek_u8(v, at)) >= 0)
        at++;
    if (at >= v->len || (at + 1 == v->len && ft_peek_u8(v, at) == '\r'))
        return at < LINE_MAX ? -1 : 0;
    bool is_line = ft_peek_u8(v, at) == '\r' && ft_peek_u8(v, at + 1) == '\n' &&
                   at + 2 >= LINE_MIN - 2 && at % 2 == 1;
    return is_line ? (int32_t)at + 2 : 0;
}

/* The bytes of a whole line, without the LRC: how many; `sum` becomes the sum of all, 0 if good. */
static uint32_t decode_line(struct ft_view line, uint8_t bytes[FRAME_MAX], uint8_t *lrc,
                            uint8_t *sum)
{
    uint32_t n = 0;

    *sum = 0;
    *lrc = 0;
    ft_skip(&line, 1);
    while (line.len >= 4 && n < FRAME_MAX) {
        int high = digit(ft_u8(&line));
        int low = digit(ft_u8(&line));
        *lrc = (uint8_t)(high << 4 | low);
        *sum = (uint8_t)(*sum + *lrc);
        bytes[n++] = *lrc;
    }
    return n ? n - 1 : 0;
}

/* ---- recognition ---------------------------------------------------------------------------- */

static bool is_good_pdu(const uint8_t *frame, uint32_t length)
{
    struct ft_view pdu = ft_view_make(frame, length, false);
    uint8_t address = ft_u8(&pdu);
    return address <= LAST_ADDRESS && ft_modbus_shape(&pdu) != 0;
}

/* The next frame or line of a payload that begins with one; false when it does not. */
static bool next_good(struct ft_view *payload)
{
    if (!looks_ascii(payload)) {
        uint32_t need = UINT32_MAX;
        uint32_t length = find_frame(*payload, true, &need);
        const uint8_t *frame = length ? ft_view_take(payload, length) : NULL;
        return frame && is_good_pdu(frame, length - 2);
    }
    int32_t length = line_length(payload);
    if (length <= 0)
        return false;
    uint8_t bytes[FRAME_MAX];
    uint8_t lrc, sum;
    uint32_t n = decode_line(ft_sub(payload, (uint32_t)length), bytes, &lrc, &sum);
    return sum == 0 && is_good_pdu(bytes, n);
}

static bool may_go_on(const struct ft_view *payload)
{
    uint32_t need = UINT32_MAX;
    if (looks_ascii(payload))
        return line_length(payload) < 0;
    return find_frame(*payload, true, &need) == 0 && need != UINT32_MAX;
}

/*
 * ROC Plus has the same check value behind: unit, group, unit, group, opcode, length, data. With
 * the usual group 2 its acknowledgements are answers to "read discrete inputs" as well.
 */
static bool is_roc(const struct ft_view *v)
{
    int length = ft_peek_u8(v, 5);
    return ft_peek_u8(v, 1) <= 4 && length >= 0 && (uint32_t)length + 8 == v->len;
}

static enum ft_verdict probe(const struct ft_probe *where, struct ft_view payload)
{
    unsigned good = 0;

    for (int32_t length; (length = telnet_length(&payload)) > 0;)
        ft_skip(&payload, (uint32_t)length);
    if (!where->is_bound && is_roc(&payload))
        return FT_NO;
    while (payload.len && next_good(&payload))
        good++;
    if (payload.len && !may_go_on(&payload))
        return FT_NO;
    if (good >= 2 || (good && where->is_bound))
        return FT_YES;
    return good || where->is_bound ? FT_MAYBE : FT_NO;
}

/* ---- framing -------------------------------------------------------------------------------- */

static struct ft_frame skip(struct flow *flow, uint32_t length)
{
    uint32_t slid = flow->slid + length;
    if (slid > SLIDE_MAX)
        return ft_frame(FT_FRAME_NOT_MINE, 0);
    flow->slid = (uint16_t)slid;
    return ft_frame(FT_FRAME_SKIP, length);
}

/* No frame here: go on to the next byte where a whole one stands, or where one may begin. */
static struct ft_frame resync(struct flow *flow, struct ft_view stream, bool request_first)
{
    uint32_t maybe = 0;

    for (uint32_t at = 1; at <= SLIDE_MAX && at < stream.len; at++) {
        struct ft_view v = stream;
        uint32_t need = UINT32_MAX;
        ft_skip(&v, at);
        if (find_frame(v, request_first, &need) || (looks_ascii(&v) && line_length(&v) > 0))
            return skip(flow, at);
        if (!maybe && need != UINT32_MAX)
            maybe = at;
    }
    return skip(flow, maybe ? maybe : stream.len);
}

/*
 * A frame that ends with the bytes here, as the side that sends them would send it, but damaged.
 * One that came in parts is none: what seems to be its end may be the begin of the next, and that
 * of the one after it, for ever.
 */
static bool is_damaged(const struct ft_context *ctx, const struct flow *flow, struct ft_view stream)
{
    uint32_t length = stream.len;
    if (!flow->is_established || ctx->confidence < FT_CONFIDENCE_DISSECTOR)
        return false;
    ft_skip(&stream, 1);
    int32_t expected = ft_modbus_length(&stream, ctx->direction != FT_TO_CLIENT);
    return expected > 0 && (uint32_t)expected + 3 == length && flow->slid + length <= SLIDE_MAX;
}

static struct ft_frame frame_telnet(struct flow *flow, struct ft_view stream, bool request_first)
{
    uint32_t need = UINT32_MAX;
    uint32_t length = find_escaped(stream, request_first, &need);

    if (length)
        return ft_frame(FT_FRAME_PDU, length);
    return need != UINT32_MAX ? ft_frame(FT_FRAME_NEED, need) : skip(flow, 1);
}

static struct ft_frame frame(struct ft_context *ctx, struct ft_view stream)
{
    struct flow *flow = ctx->flow_state;
    bool request_first = ctx->direction != FT_TO_CLIENT;
    uint32_t need = UINT32_MAX;
    uint8_t side = request_first ? 1 : 2;
    bool is_in_parts = flow->in_parts & side;

    flow->in_parts &= (uint8_t)~side;
    int32_t command = telnet_length(&stream);
    if (command < 0)
        return ft_frame(FT_FRAME_NEED, stream.len + 1);
    if (command > 0) {
        flow->is_telnet = 1;
        return ft_frame(FT_FRAME_SKIP, (uint32_t)command);
    }
    if (flow->is_telnet)
        return frame_telnet(flow, stream, request_first);
    if (looks_ascii(&stream)) {
        int32_t line = line_length(&stream);
        if (line < 0)
            return ft_frame(FT_FRAME_DELIMITER, stream.len);
        return line ? ft_frame(FT_FRAME_PDU, (uint32_t)line) : resync(flow, stream, request_first);
    }
    uint32_t length = find_frame(stream, request_first, &need);
    if (length)
        return ft_frame(FT_FRAME_PDU, length);
    if (!is_in_parts && is_damaged(ctx, flow, stream))
        return ft_frame(FT_FRAME_PDU, stream.len);
    if (need != UINT32_MAX) {
        flow->in_parts |= side;
        return ft_frame(FT_FRAME_NEED, need);
    }
    if (flow->is_established && stream.len >= FRAME_MIN && stream.len <= FRAME_MAX &&
        is_open_ended(stream) && has_good_crc(stream, stream.len))
        return ft_frame(FT_FRAME_PDU, stream.len);
    return resync(flow, stream, request_first);
}

/* ---- dissection ----------------------------------------------------------------------------- */

/* What the PDU says outweighs who opened the connection; what it leaves open is as before. */
static bool is_request(struct ft_context *ctx, uint8_t address, const struct ft_view *pdu)
{
    bool hint = ctx->direction != FT_TO_CLIENT;
    bool is_exception = ft_peek_u8(pdu, 0) & (int)FT_MODBUS_EXCEPTION_BIT;
    unsigned shape = ft_modbus_shape(pdu);

    if (is_exception && ctx->confidence >= FT_CONFIDENCE_DISSECTOR)
        return hint;
    if (address == 0)
        shape = FT_MODBUS_REQUEST;
    if (shape != FT_MODBUS_REQUEST && shape != FT_MODBUS_RESPONSE)
        return hint;
    bool request = shape == FT_MODBUS_REQUEST;
    if (request != hint || ctx->confidence < FT_CONFIDENCE_DISSECTOR)
        ft_set_direction(ctx, request ? FT_TO_SERVER : FT_TO_CLIENT);
    return request;
}

static bool is_write(uint8_t function)
{
    return function == 5 || function == 6 || function == 15 || function == 16 || function == 22;
}

/* Address and PDU, checksum found good. */
static void read_frame(struct ft_context *ctx, struct flow *flow, struct ft_view *frame,
                       bool is_ascii, uint64_t checksum)
{
    struct ft_modbus_message m = {.flow = &flow->pdu};
    struct ft_view pdu = *frame;

    m.unit = ft_u8(&pdu);
    m.is_broadcast = m.unit == 0;
    m.is_request = is_request(ctx, m.unit, &pdu);
    uint8_t function = (uint8_t)ft_peek_u8(&pdu, 0);
    m.key = (uint64_t)m.unit << 8 | (function & ~FT_MODBUS_EXCEPTION_BIT);
    m.child_selector = ft_modbus_selector(function, 0);
    flow->is_established = 1;
    flow->slid = 0;
    if (!m.is_request && !flow->pdu.is_gateway) {
        ft_asset_role(ctx, FT_SERVER, FT_ROLE_GATEWAY);
        flow->pdu.is_gateway = 1;
    }
    ft_modbus_begin(ctx, &m, frame, 1);

    ft_put_uint(ctx, FT_MODBUS_UNIT_ID, ft_u8(frame), frame);
    if (m.unit > LAST_ADDRESS)
        ft_violation(ctx, V_ADDRESS, frame);
    if (m.is_broadcast && is_write(function))
        ft_violation(ctx, V_BROADCAST_WRITE, frame);
    ft_put_uint(ctx, ENCAPSULATION, flow->is_telnet ? IN_TELNET : ctx->transport, NULL);
    ft_put_uint(ctx, CHECKSUM, checksum, NULL);
    ft_put_bool(ctx, IS_CHECKSUM_OK, true, NULL);
    ft_put_bool(ctx, IS_BROADCAST, m.is_broadcast, NULL);
    ft_put_bool(ctx, IS_ASCII, is_ascii, NULL);
    ft_modbus_read(ctx, &m, frame);
}

/* Line noise, or somebody who does not know the checksum: nothing in it can be believed. */
static void read_damaged(struct ft_context *ctx, struct flow *flow, struct ft_view *frame,
                         bool is_ascii)
{
    uint32_t slid = flow->slid + frame->len;

    flow->slid = (uint16_t)(slid < SLIDE_MAX ? slid : SLIDE_MAX);
    ft_put_bool(ctx, IS_CHECKSUM_OK, false, NULL);
    ft_put_bool(ctx, IS_ASCII, is_ascii, NULL);
    struct ft_view data = ft_rest(frame);
    ft_put_bytes(ctx, FT_MODBUS_DATA, data);
    ft_violation(ctx, V_CHECKSUM, frame);
}

/*
 * Decoded bytes in a buffer of the engine's, since what is put must outlive the function that put
 * it: a reassembly of two parts has one. Empty when there is no room.
 */
static struct ft_view copy_of(struct ft_context *ctx, const uint8_t *bytes, uint32_t n)
{
    struct ft_view first = ft_view_make(bytes, n - 1, false);
    struct ft_view last = ft_view_make(bytes + n - 1, 1, false);
    struct ft_view whole;

    ft_reassemble(ctx, 0, first, FT_REASSEMBLY_FIRST, &whole);
    ft_reassemble(ctx, 0, last, FT_REASSEMBLY_LAST, &whole);
    return whole;
}

/* False when the PDU is malformed. */
static bool dissect_line(struct ft_context *ctx, struct flow *flow, struct ft_view line)
{
    uint8_t bytes[FRAME_MAX];
    uint8_t lrc, sum;
    uint32_t n = decode_line(line, bytes, &lrc, &sum);

    if (sum != 0 || n < 2) {
        read_damaged(ctx, flow, &line, true);
        return true;
    }
    struct ft_view frame = copy_of(ctx, bytes, n);
    if (frame.len)
        read_frame(ctx, flow, &frame, true, lrc);
    return ft_view_ok(&frame);
}

/* As dissect_line(). */
static bool dissect_frame(struct ft_context *ctx, struct flow *flow, struct ft_view frame)
{
    if (frame.len < FRAME_MIN || frame.len > FRAME_MAX || !has_good_crc(frame, frame.len)) {
        read_damaged(ctx, flow, &frame, false);
        return true;
    }
    struct ft_view body = ft_sub(&frame, frame.len - 2);
    read_frame(ctx, flow, &body, false, ft_u16le(&frame));
    return ft_view_ok(&body);
}

/* A PDU with doubled bytes: as a line of ASCII, it is read from a copy. */
static bool dissect_escaped(struct ft_context *ctx, struct flow *flow, struct ft_view escaped)
{
    uint8_t bytes[FRAME_MAX];
    uint16_t ends[FRAME_MAX];
    uint32_t n = unescape(escaped, bytes, ends);

    if (n == escaped.len || n < FRAME_MIN)
        return dissect_frame(ctx, flow, escaped);
    struct ft_view frame = copy_of(ctx, bytes, n);
    return !frame.len || dissect_frame(ctx, flow, frame);
}

/* A datagram may hold several frames; each is a message. */
static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    struct flow *flow = ctx->flow_state;
    bool is_good = true;

    for (bool is_first = true; pdu->len; is_first = false) {
        uint32_t need = UINT32_MAX;
        bool is_ascii = looks_ascii(pdu) && line_length(pdu) > 0;
        uint32_t length = is_ascii ? (uint32_t)line_length(pdu)
                          : flow->is_telnet
                              ? pdu->len
                              : find_frame(*pdu, ctx->direction != FT_TO_CLIENT, &need);
        struct ft_view one = ft_sub(pdu, length ? length : pdu->len);
        bool is_nested = !is_first && ft_message_begin(ctx);

        is_good &= is_ascii          ? dissect_line(ctx, flow, one)
                   : flow->is_telnet ? dissect_escaped(ctx, flow, one)
                                     : dissect_frame(ctx, flow, one);
        if (is_nested)
            ft_message_end(ctx);
    }
    if (!is_good)
        ft_view_fail(pdu);
}

const struct ft_dissector ft_dissector_modbus_rtu = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "modbus_rtu",
    .title = "Modbus RTU (encapsulated)",
    .specification = "MODBUS over Serial Line V1.02; MODBUS Application Protocol V1.1b3",
    .carried_by = FT_TABLE(carriers),
    .signatures = FT_TABLE(signatures),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .max_pdu = LINE_MAX + 2,
    .flow_state_size = sizeof(struct flow),
    .flags = FT_DISSECTOR_OT,
    .probe = probe,
    .frame = frame,
    .dissect = dissect,
};
