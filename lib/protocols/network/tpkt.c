/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TPKT: the four bytes that give the ISO transport service message boundaries on TCP
 * (RFC 1006, RFC 2126). What is inside is one transport PDU, see cotp.c.
 */
#include <fieldtap/dissector.h>

#define TPKT_VERSION     3
#define FAST_PATH_MASK   3
#define TPKT_HEADER      4u
#define TPKT_MIN_LENGTH  7u /* the header and the shortest TPDU */
#define TPKT_SELECT_COTP 0u
#define TPKT_PORT        102
#define TLS_HANDSHAKE    0x16 /* record types */
#define TLS_DATA         0x17

enum tpkt_field {
    TPKT_ROOT,
    TPKT_F_VERSION,
    TPKT_F_RESERVED,
    TPKT_F_LENGTH,
};

static const struct ft_field fields[] = {
    [TPKT_ROOT] = {.name = "tpkt", .title = "ISO transport on TCP", .type = FT_TYPE_GROUP},
    [TPKT_F_VERSION] = {.name = "version", .title = "Version", .type = FT_TYPE_UINT, .bits = 8},
    [TPKT_F_RESERVED] = {.name = "reserved",
                         .title = "Reserved byte",
                         .type = FT_TYPE_UINT,
                         .bits = 8},
    [TPKT_F_LENGTH] = {.name = "length",
                       .title = "Length in bytes with this header",
                       .type = FT_TYPE_UINT,
                       .bits = 16},
};

static const struct ft_command commands[] = {
    {.code = TPKT_VERSION,
     .qualifier = FT_ANY_QUALIFIER,
     .name = "packet",
     .class_ = FT_CLASS_DATA},
};

enum tpkt_violation {
    TPKT_V_RESERVED,
    TPKT_V_TOO_SHORT,
};

static const struct ft_violation violations[] = {
    [TPKT_V_RESERVED] = {.name = "reserved_not_zero",
                         .title = "TPKT reserved byte is not zero",
                         .severity = FT_SEVERITY_WARNING},
    [TPKT_V_TOO_SHORT] = {.name = "too_short",
                          .title = "TPKT length has no room for a transport PDU",
                          .severity = FT_SEVERITY_MINOR},
};

static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_TCP, .value = TPKT_PORT},
};

/* A data TPDU, or a connection request with its zero references: strong at the start of a segment.
 */
static const struct ft_signature signatures[] = {
    {.pattern = "^\\x03\\x00[\\x00-\\xff]{2}\\x02\\xf0[\\x00\\x80]", .flags = FT_SIGNATURE_TCP},
    {.pattern = "^\\x03\\x00[\\x00-\\x01][\\x00-\\xff][\\x06-\\x7f][\\xe0\\xd0\\x80]",
     .flags = FT_SIGNATURE_TCP},
};

/*
 * What a TPDU of `length` bytes begins with: length indicator and code (X.224, 13.1). The low
 * nibble is zero but where it is the credit, and what carries no data ends with its header. These
 * are all that tells a packet from the same few bytes inside data, where a stream has to be found
 * again.
 */
static bool is_tpdu(const struct ft_view *tpdu, int32_t length)
{
    int indicator = ft_peek_u8(tpdu, 0), code = ft_peek_u8(tpdu, 1);
    bool is_whole = indicator + 1 == length;
    if (indicator < 2 || indicator == 255 || indicator + 1 > length)
        return false;
    switch (code & 0xf0) {
    case 0xf0: /* DT: of class 0 its end mark follows, a number only in other classes */
        if (indicator == 2)
            return code == 0xf0 && (ft_peek_u8(tpdu, 2) < 0 || !(ft_peek_u8(tpdu, 2) & 0x7f));
        return code == 0xf0 && indicator >= 4;
    case 0xe0: /* CR, CC */
    case 0xd0:
        return indicator >= 6;
    case 0x80: /* DR */
        return code == 0x80 && indicator >= 6;
    case 0x10: /* ED */
        return code == 0x10 && indicator >= 4;
    case 0xc0: /* DC, ER, EA */
        return code == 0xc0 && indicator >= 5 && is_whole;
    case 0x70:
    case 0x20:
        return (code & 0xf) == 0 && indicator >= 4 && is_whole;
    case 0x60: /* AK, RJ */
    case 0x50:
        return indicator >= 4 && is_whole;
    default:
        return false;
    }
}

/*
 * Real stacks send the header in a segment of its own, so four bytes are a perhaps; with the TPDU
 * in sight its begin has to fit as well. A reserved byte that is not zero is believed of a packet
 * that fills its segment.
 */
static enum ft_verdict probe(const struct ft_probe *where, struct ft_view payload)
{
    int reserved = ft_peek_u8(&payload, 1);
    if (ft_peek_u8(&payload, 0) != TPKT_VERSION)
        return FT_NO;
    if (reserved > 0 && !where->is_bound)
        return FT_NO;
    if (payload.len < TPKT_HEADER + 2)
        return FT_MAYBE;

    uint32_t length = (uint32_t)ft_peek_u16be(&payload, 2), here = payload.len;
    struct ft_view next = payload;
    ft_skip(&payload, TPKT_HEADER);
    if (length < TPKT_MIN_LENGTH || !is_tpdu(&payload, (int32_t)(length - TPKT_HEADER)))
        return FT_NO;

    /* The end must be the end of the payload, beyond it, or the start of another one. */
    if (length < here && (!ft_skip(&next, length) || ft_peek_u8(&next, 0) != TPKT_VERSION ||
                          ft_peek_u8(&next, 1) > 0))
        return FT_NO;
    return reserved > 0 && length != here ? FT_NO : FT_YES;
}

/*
 * Between TPKTs remote desktop has packets of its own, "fast path": the two lowest bits of the
 * first byte are zero, then their whole length in one byte, or in two with the highest bit set
 * (MS-RDPBCGR 2.2.8.1.2).
 */
static struct ft_frame frame_fast_path(const struct ft_view *stream)
{
    int first = ft_peek_u8(stream, 1), second = ft_peek_u8(stream, 2);
    if (second < 0)
        return ft_frame(FT_FRAME_NEED, 3);
    uint32_t length =
        first & 0x80 ? (uint32_t)(first & 0x7f) << 8 | (uint32_t)second : (uint32_t)first;
    return ft_frame(length < 3 ? FT_FRAME_NOT_MINE : FT_FRAME_SKIP, length);
}

/*
 * Remote desktop goes over to TLS after its first TPKTs. Neither is believed on port 102: three
 * bytes must not be enough to blind the sensor for a controller.
 */
static struct ft_frame frame_other(struct ft_context *ctx, const struct ft_view *stream)
{
    int first = ft_peek_u8(stream, 0);
    bool is_bound = ctx->src_port == TPKT_PORT || ctx->dst_port == TPKT_PORT;
    if (!is_bound && !(first & FAST_PATH_MASK))
        return frame_fast_path(stream);
    if (is_bound || (first != TLS_HANDSHAKE && first != TLS_DATA))
        return ft_frame(FT_FRAME_NOT_MINE, 0);
    if (stream->len < 3)
        return ft_frame(FT_FRAME_NEED, 3);
    bool is_tls = ft_peek_u8(stream, 1) == 3 && ft_peek_u8(stream, 2) <= 4;
    return ft_frame(is_tls ? FT_FRAME_OPAQUE : FT_FRAME_NOT_MINE, 0);
}

static struct ft_frame frame(struct ft_context *ctx, struct ft_view stream)
{
    if (ft_peek_u8(&stream, 0) != TPKT_VERSION)
        return frame_other(ctx, &stream);
    if (stream.len < TPKT_HEADER)
        return ft_frame(FT_FRAME_NEED, TPKT_HEADER);

    uint32_t length = (uint32_t)ft_peek_u16be(&stream, 2);
    if (length < TPKT_HEADER)
        return ft_frame(FT_FRAME_NOT_MINE, 0);
    return ft_frame(FT_FRAME_PDU, length);
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    ft_command(ctx, TPKT_VERSION, 0);
    ft_put_uint(ctx, TPKT_F_VERSION, ft_u8(pdu), pdu);
    uint8_t reserved = ft_u8(pdu);
    if (reserved) {
        ft_put_uint(ctx, TPKT_F_RESERVED, reserved, pdu);
        ft_violation(ctx, TPKT_V_RESERVED, pdu);
    }
    uint16_t length = ft_u16be(pdu);
    ft_put_uint(ctx, TPKT_F_LENGTH, length, pdu);
    if (!ft_view_ok(pdu))
        return;
    if (length < TPKT_MIN_LENGTH) {
        ft_violation(ctx, TPKT_V_TOO_SHORT, pdu);
        ft_rest(pdu);
        return;
    }
    ft_child(ctx, TPKT_SELECT_COTP, ft_rest(pdu));
}

const struct ft_dissector ft_dissector_tpkt = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "tpkt",
    .title = "TPKT",
    .specification = "RFC 1006, RFC 2126",
    .carried_by = FT_TABLE(carriers),
    .signatures = FT_TABLE(signatures),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .sync = {.bytes = {TPKT_VERSION, 0}, .length = 2, .offset = 0},
    .max_pdu = UINT16_MAX,
    .flags = FT_DISSECTOR_TRANSPORT,
    .probe = probe,
    .frame = frame,
    .dissect = dissect,
};
