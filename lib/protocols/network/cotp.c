/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * COTP: the connection oriented transport protocol of ISO 8073, ITU-T X.224, RFC 905. Class 0 on
 * TPKT carries S7, MMS, ICCP and RDP; class 4 on CLNP is Sinec H1. Also the connectionless UD of
 * ISO 8602, whose code shares the number space.
 *
 * A transport service data unit (TSDU) is what the user of the transport sent: the data of DT TPDUs
 * up to the one with the end mark. It is handed to whichever child recognises it.
 */
#include <fieldtap/dissector.h>

/* TPDU codes: the high nibble of the second byte (X.224, 13.1). */
enum cotp_code {
    COTP_ED = 0x1,
    COTP_EA = 0x2,
    COTP_UD = 0x4,
    COTP_RJ = 0x5,
    COTP_AK = 0x6,
    COTP_ER = 0x7,
    COTP_DR = 0x8,
    COTP_DC = 0xc,
    COTP_CC = 0xd,
    COTP_CR = 0xe,
    COTP_DT = 0xf,
};

enum cotp_parameter {
    COTP_P_TPDU_SIZE = 0xc0,
    COTP_P_CALLING_TSAP = 0xc1,
    COTP_P_CALLED_TSAP = 0xc2,
    COTP_P_CHECKSUM = 0xc3,
    COTP_P_VERSION = 0xc4,
    COTP_P_ADDITIONAL_OPTIONS = 0xc6,
    COTP_P_PREFERRED_SIZE = 0xf0,
    COTP_P_INACTIVITY = 0xf2,
};

#define COTP_EOT           0x80u
#define COTP_S7            0x32 /* first byte of S7comm */
#define COTP_S7_PLUS       0x72 /* first byte of S7comm-plus */
#define COTP_GUESS_REFUSED 4    /* refused TSAPs of one pair of hosts that are guessing */
#define COTP_KEY_GUESS     1u

/* S7 names what the client is in the first byte of a two-byte called TSAP. */
enum cotp_s7_connection {
    COTP_S7_PG = 1,
    COTP_S7_OP = 2,
    COTP_S7_BASIC = 3,
};

/* What is known of the connection of a flow (class 0: one connection per TCP connection). */
struct cotp_flow {
    uint32_t tsdu_length[2]; /* bytes of the open TSDU, by direction */
    uint16_t tpdu_size;      /* agreed, 0 = not known */
    uint16_t called_tsap;    /* of the last request, when it has two bytes */
    uint8_t is_request_seen;
    uint8_t is_confirm_seen;
    uint8_t class_;         /* of the confirm */
    uint8_t connection;     /* enum cotp_s7_connection, 0 = not an S7 TSAP */
    uint8_t place;          /* rack << 5 | slot */
    uint8_t is_open[2];     /* a TSDU is being collected, by direction */
    uint8_t is_too_long[2]; /* told of, by direction */
    uint8_t is_role_told;
    uint8_t has_called_tsap;
};

/* What is known per (flow, direction, reference) in class 2 to 4, and per pair of hosts. */
struct cotp_channel {
    uint64_t refused[4]; /* pair of hosts: last bytes of TSAPs that were refused */
    uint32_t next_number;
    uint8_t is_numbered;
    uint8_t is_open;
    uint8_t refused_count;
    uint8_t is_told;
};

enum cotp_field {
    COTP_ROOT,
    COTP_F_TYPE,
    COTP_F_CREDIT,
    COTP_F_DESTINATION,
    COTP_F_SOURCE,
    COTP_F_CLASS,
    COTP_F_OPTIONS,
    COTP_F_NUMBER,
    COTP_F_IS_LAST,
    COTP_F_CALLING_TSAP,
    COTP_F_CALLED_TSAP,
    COTP_F_CALLING_NAME,
    COTP_F_CALLED_NAME,
    COTP_F_CONNECTION,
    COTP_F_RACK,
    COTP_F_SLOT,
    COTP_F_TPDU_SIZE,
    COTP_F_VERSION,
    COTP_F_ADDITIONAL_OPTIONS,
    COTP_F_CHECKSUM,
    COTP_F_INACTIVITY,
    COTP_F_REASON,
    COTP_F_CAUSE,
    COTP_F_REJECTED,
    COTP_F_TSDU_LENGTH,
};

static const struct ft_name type_names[] = {
    {COTP_ED, "expedited_data"},
    {COTP_EA, "expedited_acknowledgement"},
    {COTP_UD, "unit_data"},
    {COTP_RJ, "reject"},
    {COTP_AK, "acknowledgement"},
    {COTP_ER, "error"},
    {COTP_DR, "disconnect_request"},
    {COTP_DC, "disconnect_confirm"},
    {COTP_CC, "connect_confirm"},
    {COTP_CR, "connect_request"},
    {COTP_DT, "data"},
    {0, NULL},
};

static const struct ft_name connection_names[] = {
    {COTP_S7_PG, "pg"},
    {COTP_S7_OP, "op"},
    {COTP_S7_BASIC, "basic"},
    {0, NULL},
};

static const struct ft_name reason_names[] = {
    {0, "not_specified"},
    {1, "congestion_at_tsap"},
    {2, "session_not_attached"},
    {3, "address_unknown"},
    {128, "normal"},
    {129, "remote_congestion"},
    {130, "negotiation_failed"},
    {131, "duplicate_source_reference"},
    {132, "mismatched_references"},
    {133, "protocol_error"},
    {135, "reference_overflow"},
    {136, "refused"},
    {138, "invalid_length"},
    {0, NULL},
};

static const struct ft_name cause_names[] = {
    {0, "not_specified"},
    {1, "invalid_parameter_code"},
    {2, "invalid_tpdu_type"},
    {3, "invalid_parameter_value"},
    {0, NULL},
};

static const struct ft_field fields[] = {
    [COTP_ROOT] = {.name = "cotp", .title = "ISO transport protocol", .type = FT_TYPE_GROUP},
    [COTP_F_TYPE] = {.name = "type",
                     .title = "TPDU type",
                     .type = FT_TYPE_ENUM,
                     .bits = 8,
                     .names = type_names},
    [COTP_F_CREDIT] = {.name = "credit",
                       .title = "Initial or new credit of TPDUs",
                       .type = FT_TYPE_UINT,
                       .bits = 8},
    [COTP_F_DESTINATION] = {.name = "dst_ref",
                            .title = "Destination reference",
                            .type = FT_TYPE_UINT,
                            .bits = 16},
    [COTP_F_SOURCE] = {.name = "src_ref",
                       .title = "Source reference",
                       .type = FT_TYPE_UINT,
                       .bits = 16},
    [COTP_F_CLASS] = {.name = "class", .title = "Transport class", .type = FT_TYPE_UINT, .bits = 4},
    [COTP_F_OPTIONS] = {.name = "options",
                        .title = "Options of the class",
                        .type = FT_TYPE_UINT,
                        .bits = 4},
    [COTP_F_NUMBER] = {.name = "number", .title = "TPDU number", .type = FT_TYPE_UINT, .bits = 32},
    [COTP_F_IS_LAST] = {.name = "is_last",
                        .title = "Last TPDU of a service data unit",
                        .type = FT_TYPE_BOOL},
    [COTP_F_CALLING_TSAP] = {.name = "calling_tsap",
                             .title = "Transport selector of the client",
                             .type = FT_TYPE_BYTES},
    [COTP_F_CALLED_TSAP] = {.name = "called_tsap",
                            .title = "Transport selector of the server",
                            .type = FT_TYPE_BYTES},
    [COTP_F_CALLING_NAME] = {.name = "calling_name",
                             .title = "Transport selector of the client when it is text",
                             .type = FT_TYPE_STRING},
    [COTP_F_CALLED_NAME] = {.name = "called_name",
                            .title = "Transport selector of the server when it is text",
                            .type = FT_TYPE_STRING},
    [COTP_F_CONNECTION] = {.name = "connection",
                           .title = "Kind of S7 connection in the called selector",
                           .type = FT_TYPE_ENUM,
                           .bits = 8,
                           .names = connection_names},
    [COTP_F_RACK] = {.name = "rack", .title = "S7 rack", .type = FT_TYPE_UINT, .bits = 3},
    [COTP_F_SLOT] = {.name = "slot", .title = "S7 slot", .type = FT_TYPE_UINT, .bits = 5},
    [COTP_F_TPDU_SIZE] = {.name = "tpdu_size",
                          .title = "Longest TPDU in bytes",
                          .type = FT_TYPE_UINT},
    [COTP_F_VERSION] = {.name = "version", .title = "Version", .type = FT_TYPE_UINT, .bits = 8},
    [COTP_F_ADDITIONAL_OPTIONS] = {.name = "additional_options",
                                   .title = "Additional options",
                                   .type = FT_TYPE_UINT,
                                   .bits = 8},
    [COTP_F_CHECKSUM] = {.name = "checksum", .title = "Checksum", .type = FT_TYPE_UINT, .bits = 16},
    [COTP_F_INACTIVITY] = {.name = "inactivity_ms",
                           .title = "Inactivity timer in milliseconds",
                           .type = FT_TYPE_UINT,
                           .bits = 32},
    [COTP_F_REASON] = {.name = "reason",
                       .title = "Reason of the disconnection",
                       .type = FT_TYPE_ENUM,
                       .bits = 8,
                       .names = reason_names},
    [COTP_F_CAUSE] = {.name = "cause",
                      .title = "Cause of the rejection",
                      .type = FT_TYPE_ENUM,
                      .bits = 8,
                      .names = cause_names},
    [COTP_F_REJECTED] = {.name = "rejected",
                         .title = "Header that was rejected",
                         .type = FT_TYPE_BYTES},
    [COTP_F_TSDU_LENGTH] = {.name = "tsdu_length",
                            .title = "Length of the whole service data unit",
                            .type = FT_TYPE_UINT,
                            .bits = 32},
};

#define COMMAND(code_, name_, class__)                                                             \
    {                                                                                              \
        .code = (code_), .qualifier = FT_ANY_QUALIFIER, .name = (name_), .class_ = (class__)       \
    }

static const struct ft_command commands[] = {
    COMMAND(COTP_ED, "expedited_data", FT_CLASS_DATA),
    COMMAND(COTP_EA, "expedited_acknowledgement", FT_CLASS_SESSION),
    COMMAND(COTP_UD, "unit_data", FT_CLASS_DATA),
    COMMAND(COTP_RJ, "reject", FT_CLASS_SESSION),
    COMMAND(COTP_AK, "acknowledgement", FT_CLASS_SESSION),
    COMMAND(COTP_ER, "error", FT_CLASS_DIAGNOSTIC),
    COMMAND(COTP_DR, "disconnect_request", FT_CLASS_SESSION),
    COMMAND(COTP_DC, "disconnect_confirm", FT_CLASS_SESSION),
    COMMAND(COTP_CC, "connect_confirm", FT_CLASS_SESSION),
    COMMAND(COTP_CR, "connect_request", FT_CLASS_SESSION),
    COMMAND(COTP_DT, "data", FT_CLASS_DATA),
};

enum cotp_violation {
    COTP_V_LENGTH_INDICATOR,
    COTP_V_UNKNOWN_TYPE,
    COTP_V_PARAMETER,
    COTP_V_NO_CONNECTION,
    COTP_V_REPEATED_REQUEST,
    COTP_V_CLASS0_LENGTH,
    COTP_V_TPDU_SIZE,
    COTP_V_TSDU_TOO_LONG,
    COTP_V_CLASS_RAISED,
    COTP_V_TSAP_GUESSING,
};

static const struct ft_violation violations[] = {
    [COTP_V_LENGTH_INDICATOR] = {.name = "length_indicator",
                                 .title = "COTP length indicator does not fit the TPDU",
                                 .severity = FT_SEVERITY_MINOR},
    [COTP_V_UNKNOWN_TYPE] = {.name = "unknown_type",
                             .title = "COTP TPDU type that does not exist",
                             .severity = FT_SEVERITY_MINOR},
    [COTP_V_PARAMETER] = {.name = "parameter",
                          .title = "COTP parameter runs past its header",
                          .severity = FT_SEVERITY_MINOR},
    [COTP_V_NO_CONNECTION] = {.name = "data_without_connection",
                              .title = "COTP data before the connection was confirmed",
                              .severity = FT_SEVERITY_WARNING},
    [COTP_V_REPEATED_REQUEST] = {.name = "repeated_connect_request",
                                 .title = "Second COTP connect request in one connection",
                                 .severity = FT_SEVERITY_MINOR},
    [COTP_V_CLASS0_LENGTH] = {.name = "class_0_header",
                              .title = "COTP data header of another class than agreed",
                              .severity = FT_SEVERITY_MINOR},
    [COTP_V_TPDU_SIZE] = {.name = "tpdu_size",
                          .title = "COTP TPDU longer than agreed",
                          .severity = FT_SEVERITY_WARNING},
    [COTP_V_TSDU_TOO_LONG] = {.name = "tsdu_too_long",
                              .title = "COTP data that never ends",
                              .mitre = "T0814",
                              .severity = FT_SEVERITY_MINOR},
    [COTP_V_CLASS_RAISED] = {.name = "class_raised",
                             .title = "COTP confirm with a higher class than was asked for",
                             .severity = FT_SEVERITY_MINOR},
    [COTP_V_TSAP_GUESSING] = {.name = "tsap_guessing",
                              .title = "COTP transport selectors are being tried out",
                              .mitre = "T0846 T0888",
                              .severity = FT_SEVERITY_MINOR,
                              .engine = FT_ENGINE_ANOMALY},
};

static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_PARENT, .value = 0, .parent = "tpkt"},
    {.kind = FT_CARRIER_IP, .value = 29},
};

/* What the variable part of a connection TPDU said. */
struct cotp_parameters {
    struct ft_view calling, called;
    uint16_t size;
};

static bool is_text(struct ft_view v)
{
    while (v.len) {
        uint8_t c = ft_u8(&v);
        if (c < 0x20 || c > 0x7e)
            return false;
    }
    return v.error == FT_VIEW_OK;
}

static void put_tsap(struct ft_context *ctx, uint32_t bytes, uint32_t name, struct ft_view value)
{
    ft_put_bytes(ctx, bytes, value);
    if (ft_wants(ctx, name) && value.len > 3 && is_text(value))
        ft_put_string(ctx, name, value);
}

static void read_parameter(struct ft_context *ctx, uint8_t code, struct ft_view value,
                           struct cotp_parameters *out)
{
    uint32_t length = value.len;
    switch (code) {
    case COTP_P_TPDU_SIZE: {
        uint8_t power = ft_u8(&value);
        if (power >= 7 && power <= 13)
            out->size = (uint16_t)(1u << power);
        ft_put_uint(ctx, COTP_F_TPDU_SIZE, out->size, &value);
        break;
    }
    case COTP_P_PREFERRED_SIZE: {
        uint64_t size = 128 * ft_uint_be(&value, length > 4 ? 4 : length);
        out->size = size < UINT16_MAX ? (uint16_t)size : UINT16_MAX;
        ft_put_uint(ctx, COTP_F_TPDU_SIZE, size, &value);
        break;
    }
    case COTP_P_CALLING_TSAP:
        out->calling = value;
        put_tsap(ctx, COTP_F_CALLING_TSAP, COTP_F_CALLING_NAME, value);
        break;
    case COTP_P_CALLED_TSAP:
        out->called = value;
        put_tsap(ctx, COTP_F_CALLED_TSAP, COTP_F_CALLED_NAME, value);
        break;
    case COTP_P_CHECKSUM:
        ft_put_uint(ctx, COTP_F_CHECKSUM, ft_u16be(&value), &value);
        break;
    case COTP_P_VERSION:
        ft_put_uint(ctx, COTP_F_VERSION, ft_u8(&value), &value);
        break;
    case COTP_P_ADDITIONAL_OPTIONS:
        ft_put_uint(ctx, COTP_F_ADDITIONAL_OPTIONS, ft_u8(&value), &value);
        break;
    case COTP_P_INACTIVITY:
        ft_put_uint(ctx, COTP_F_INACTIVITY, ft_u32be(&value), &value);
        break;
    default:
        break;
    }
}

static void read_parameters(struct ft_context *ctx, struct ft_view *header,
                            struct cotp_parameters *out)
{
    out->calling = out->called = ft_view_empty();
    out->size = 0;
    while (header->len) {
        uint8_t code = ft_u8(header);
        struct ft_view value = ft_sub_u8(header);
        if (!ft_view_ok(header)) {
            if (ft_view_is_malformed(header))
                ft_violation(ctx, COTP_V_PARAMETER, NULL);
            return;
        }
        read_parameter(ctx, code, value, out);
    }
}

/*
 * RDP puts a routing token, a cookie or its negotiation where X.224 has parameters; 0x01 and 0x02
 * and letters are no parameter codes.
 */
static bool is_rdp_negotiation(const struct ft_view *header)
{
    int first = ft_peek_u8(header, 0);
    return first == 'C' || ((first == 1 || first == 2) && ft_peek_u16be(header, 2) == 0x0800);
}

/* ---- connecting ---------------------------------------------------------------------------- */

static void learn_called(struct ft_context *ctx, struct cotp_flow *flow, struct ft_view called)
{
    flow->has_called_tsap = 0;
    flow->connection = 0;
    if (called.len != 2)
        return;
    uint8_t connection = ft_u8(&called);
    uint8_t place = ft_u8(&called);
    flow->has_called_tsap = 1;
    flow->called_tsap = (uint16_t)(connection << 8 | place);
    if (connection < COTP_S7_PG || connection > COTP_S7_BASIC)
        return;
    flow->connection = connection;
    flow->place = place;
    ft_put_uint(ctx, COTP_F_CONNECTION, connection, NULL);
    ft_put_uint(ctx, COTP_F_RACK, place >> 5, NULL);
    ft_put_uint(ctx, COTP_F_SLOT, place & 31, NULL);
}

static void agree(struct ft_context *ctx, struct cotp_flow *flow, uint8_t code, uint8_t class_,
                  uint16_t size)
{
    if (code == COTP_CR) {
        if (flow->is_request_seen && ctx->transport == FT_TRANSPORT_TCP)
            ft_violation(ctx, COTP_V_REPEATED_REQUEST, NULL);
        flow->is_request_seen = 1;
        flow->is_confirm_seen = 0;
        flow->class_ = class_;
        flow->tpdu_size = 0;
        return;
    }
    if (flow->is_request_seen && !flow->is_confirm_seen && class_ > flow->class_)
        ft_violation(ctx, COTP_V_CLASS_RAISED, NULL);
    flow->is_confirm_seen = 1;
    flow->class_ = class_;
    flow->tpdu_size = size;
}

/* CR and CC: X.224, 13.3 and 13.4. */
static void read_connect(struct ft_context *ctx, struct cotp_flow *flow, uint8_t code,
                         uint8_t credit, struct ft_view *header, struct ft_view *pdu)
{
    struct cotp_parameters parameters;
    bool is_request = code == COTP_CR;
    uint16_t destination = ft_u16be(header);
    uint16_t source = ft_u16be(header);
    uint8_t options = ft_u8(header);

    ft_set_kind(ctx, is_request ? FT_KIND_REQUEST : FT_KIND_RESPONSE);
    ft_set_direction(ctx, is_request ? FT_TO_SERVER : FT_TO_CLIENT);
    ft_command(ctx, code, 0);
    if (is_request)
        ft_request(ctx, FT_SCOPE_FLOW, source, NULL, 0);
    else
        ft_response(ctx, FT_SCOPE_FLOW, destination);

    ft_put_uint(ctx, COTP_F_TYPE, code, NULL);
    ft_put_uint(ctx, COTP_F_CREDIT, credit, NULL);
    ft_put_uint(ctx, COTP_F_DESTINATION, destination, NULL);
    ft_put_uint(ctx, COTP_F_SOURCE, source, NULL);
    ft_put_uint(ctx, COTP_F_CLASS, options >> 4, header);
    ft_put_uint(ctx, COTP_F_OPTIONS, options & 15, header);
    if (!ft_view_ok(header))
        return;
    if (is_rdp_negotiation(header)) {
        agree(ctx, flow, code, options >> 4, 0);
        ft_child_probe(ctx, 0, ft_rest(header));
        return;
    }

    read_parameters(ctx, header, &parameters);
    agree(ctx, flow, code, options >> 4, parameters.size);
    if (is_request || !flow->has_called_tsap)
        learn_called(ctx, flow, parameters.called);
    if (pdu->len)
        ft_child_probe(ctx, 0, ft_rest(pdu));
}

/*
 * A refused request: several TSAPs refused between two hosts is somebody looking for the slot of
 * a processor. Counts different last bytes of two-byte TSAPs.
 */
static void count_refusal(struct ft_context *ctx, const struct cotp_flow *flow)
{
    struct cotp_channel *pair = ft_channel(ctx, FT_SCOPE_HOST_PAIR, COTP_KEY_GUESS);
    uint8_t place = flow->called_tsap & 255;
    if (!pair || !flow->has_called_tsap || pair->refused[place >> 6] >> (place & 63) & 1)
        return;
    pair->refused[place >> 6] |= 1ull << (place & 63);
    pair->refused_count++;
    if (pair->refused_count >= COTP_GUESS_REFUSED && !pair->is_told) {
        pair->is_told = 1;
        ft_violation(ctx, COTP_V_TSAP_GUESSING, NULL);
    }
}

/* DR and DC: X.224, 13.5 and 13.6. */
static void read_disconnect(struct ft_context *ctx, struct cotp_flow *flow, uint8_t code,
                            struct ft_view *header, struct ft_view *pdu)
{
    struct cotp_parameters parameters;
    uint16_t destination = ft_u16be(header);
    uint16_t source = ft_u16be(header);
    uint8_t reason = code == COTP_DR ? ft_u8(header) : 0;
    bool is_refusal = code == COTP_DR && flow->is_request_seen && !flow->is_confirm_seen;

    ft_set_kind(ctx, is_refusal        ? FT_KIND_EXCEPTION
                     : code == COTP_DC ? FT_KIND_RESPONSE
                                       : FT_KIND_REQUEST);
    if (is_refusal)
        ft_set_direction(ctx, FT_TO_CLIENT);
    ft_command(ctx, code, 0);
    if (is_refusal)
        ft_response(ctx, FT_SCOPE_FLOW, destination);
    else if (code == COTP_DC)
        ft_response(ctx, FT_SCOPE_FLOW, destination | 1u << 16);
    else
        ft_request(ctx, FT_SCOPE_FLOW, source | 1u << 16, NULL, 0);

    ft_put_uint(ctx, COTP_F_TYPE, code, NULL);
    ft_put_uint(ctx, COTP_F_DESTINATION, destination, NULL);
    ft_put_uint(ctx, COTP_F_SOURCE, source, NULL);
    if (code == COTP_DR)
        ft_put_uint(ctx, COTP_F_REASON, reason, header);
    read_parameters(ctx, header, &parameters);
    if (is_refusal && reason >= 1 && reason <= 3)
        count_refusal(ctx, flow);
    flow->is_request_seen = flow->is_confirm_seen = 0;
    ft_rest(pdu);
}

/* ---- data ---------------------------------------------------------------------------------- */

/*
 * For S7 the called selector names rack and slot of the processor behind this address; only now,
 * with S7 inside, is that certain (an MMS selector may look the same).
 */
static void name_s7_parties(struct ft_context *ctx, struct cotp_flow *flow,
                            const struct ft_view *tsdu)
{
    int first = ft_peek_u8(tsdu, 0);
    if (!flow->connection || (first != COTP_S7 && first != COTP_S7_PLUS))
        return;
    ft_subaddress(ctx, FT_SERVER, FT_SUB_SLOT,
                  (uint64_t)(flow->place >> 5) << 8 | (flow->place & 31));
}

static void tell_s7_role(struct ft_context *ctx, struct cotp_flow *flow, const struct ft_view *tsdu)
{
    if (flow->is_role_told || !flow->connection || ft_peek_u8(tsdu, 0) != COTP_S7)
        return;
    flow->is_role_told = 1;
    if (flow->connection == COTP_S7_PG)
        ft_asset_role(ctx, FT_CLIENT, FT_ROLE_ENGINEERING);
    else if (flow->connection == COTP_S7_OP)
        ft_asset_role(ctx, FT_CLIENT, FT_ROLE_HMI);
}

static bool is_unconnected(const struct ft_context *ctx, const struct cotp_flow *flow)
{
    if (ctx->is_midstream || ctx->transport != FT_TRANSPORT_TCP || flow->is_confirm_seen)
        return false;
    return !flow->is_request_seen || ctx->direction == FT_TO_CLIENT;
}

/* A TSDU of one TPDU is whole even when it replaces one that never ended. */
static bool is_whole(enum ft_reassembly_result result, uint32_t flags)
{
    return result == FT_REASSEMBLY_DONE ||
           (result == FT_REASSEMBLY_REPLACED && flags & FT_REASSEMBLY_LAST);
}

/* Add a part to the TSDU of this direction of class 0; true when *tsdu is all of it. */
static bool collect(struct ft_context *ctx, struct cotp_flow *flow, unsigned way, bool is_last,
                    struct ft_view *tsdu)
{
    uint32_t flags =
        (flow->is_open[way] ? 0 : FT_REASSEMBLY_FIRST) | (is_last ? FT_REASSEMBLY_LAST : 0);
    struct ft_view part = *tsdu;

    flow->is_open[way] = !is_last;
    if (flow->tsdu_length[way] <= FT_MAX_REASSEMBLY)
        flow->tsdu_length[way] += part.len;
    if (flow->tsdu_length[way] > FT_MAX_REASSEMBLY && !flow->is_too_long[way]) {
        flow->is_too_long[way] = 1;
        ft_violation(ctx, COTP_V_TSDU_TOO_LONG, NULL);
    }
    if (is_last)
        flow->tsdu_length[way] = flow->is_too_long[way] = 0;
    return is_whole(ft_reassemble(ctx, 0, part, flags, tsdu), flags);
}

/* A class 0 or 1 data TPDU: everything but the end mark is known from the connection. */
static void read_data_0(struct ft_context *ctx, struct cotp_flow *flow, uint8_t mark,
                        struct ft_view *pdu)
{
    unsigned way = ctx->direction == FT_TO_CLIENT;
    bool is_last = mark & COTP_EOT;
    uint32_t length = pdu->len;
    struct ft_view tsdu = ft_rest(pdu);
    bool is_done = is_last && !flow->is_open[way];

    /* Engineering tools send empty TPDUs without an end as acknowledgement: they begin nothing. */
    if (!is_done && (length || flow->is_open[way]))
        is_done = collect(ctx, flow, way, is_last, &tsdu);
    if (is_done)
        name_s7_parties(ctx, flow, &tsdu);

    ft_command(ctx, COTP_DT, 0);
    ft_put_uint(ctx, COTP_F_TYPE, COTP_DT, NULL);
    ft_put_uint(ctx, COTP_F_NUMBER, mark & 127, NULL);
    ft_put_bool(ctx, COTP_F_IS_LAST, is_last, NULL);
    if (is_unconnected(ctx, flow))
        ft_violation(ctx, COTP_V_NO_CONNECTION, NULL);
    if (flow->tpdu_size && length + 3 > flow->tpdu_size)
        ft_violation(ctx, COTP_V_TPDU_SIZE, NULL);
    if (!is_done)
        return;
    ft_put_uint(ctx, COTP_F_TSDU_LENGTH, tsdu.len, NULL);
    tell_s7_role(ctx, flow, &tsdu);
    if (tsdu.len)
        ft_child_probe(ctx, 0, tsdu);
}

/* A repeated TPDU is left out; a hole drops what was collected. */
static bool is_in_order(struct cotp_channel *channel, uint32_t number, uint32_t mask)
{
    if (channel->is_numbered && number != channel->next_number) {
        if (((channel->next_number - number) & mask) <= mask / 2)
            return false;
        channel->is_open = 0;
    }
    channel->is_numbered = 1;
    channel->next_number = (number + 1) & mask;
    return true;
}

/* DT of class 2 to 4, and ED: numbered, and several connections share a flow (X.224, 13.7). */
static void read_data_4(struct ft_context *ctx, uint8_t code, bool is_extended,
                        struct ft_view *header, struct ft_view *pdu)
{
    struct cotp_parameters parameters;
    uint16_t reference = ft_u16be(header);
    uint32_t number = is_extended ? ft_u32be(header) : ft_u8(header);
    uint32_t mask = is_extended ? 0x7fffffff : 0x7f;
    bool is_last = number & (mask + 1);
    number &= mask;

    ft_command(ctx, code, 0);
    ft_put_uint(ctx, COTP_F_TYPE, code, NULL);
    ft_put_uint(ctx, COTP_F_DESTINATION, reference, NULL);
    ft_put_uint(ctx, COTP_F_NUMBER, number, header);
    ft_put_bool(ctx, COTP_F_IS_LAST, is_last, header);
    read_parameters(ctx, header, &parameters);

    uint64_t key = (uint64_t)code << 32 | (uint64_t)ctx->direction << 16 | reference;
    struct cotp_channel *channel = ft_channel(ctx, FT_SCOPE_FLOW, key);
    struct ft_view part = ft_rest(pdu);
    struct ft_view tsdu = ft_view_empty();
    if (!channel || !is_in_order(channel, number, mask))
        return;
    uint32_t flags =
        (channel->is_open ? 0 : FT_REASSEMBLY_FIRST) | (is_last ? FT_REASSEMBLY_LAST : 0);
    channel->is_open = !is_last;
    if (!is_whole(ft_reassemble(ctx, key, part, flags, &tsdu), flags))
        return;
    ft_put_uint(ctx, COTP_F_TSDU_LENGTH, tsdu.len, NULL);
    if (tsdu.len)
        ft_child_probe(ctx, reference, tsdu);
}

static void read_data(struct ft_context *ctx, struct cotp_flow *flow, struct ft_view *header,
                      struct ft_view *pdu)
{
    if (header->len == 1) {
        read_data_0(ctx, flow, ft_u8(header), pdu);
        return;
    }
    if (flow->is_confirm_seen && flow->class_ == 0 && ctx->transport == FT_TRANSPORT_TCP)
        ft_violation(ctx, COTP_V_CLASS0_LENGTH, header);
    read_data_4(ctx, COTP_DT, header->len == 6 || header->len == 10, header, pdu);
}

/* ---- the rest ------------------------------------------------------------------------------ */

/* AK, EA, RJ: acknowledge by number (X.224, 13.9 to 13.11). */
static void read_acknowledge(struct ft_context *ctx, uint8_t code, uint8_t credit,
                             struct ft_view *header)
{
    struct cotp_parameters parameters;
    uint16_t reference = ft_u16be(header);
    bool is_extended = header->len >= 4 && header->len != 5;
    uint32_t number = is_extended ? ft_u32be(header) : ft_u8(header);

    ft_command(ctx, code, 0);
    ft_put_uint(ctx, COTP_F_TYPE, code, NULL);
    ft_put_uint(ctx, COTP_F_DESTINATION, reference, NULL);
    ft_put_uint(ctx, COTP_F_NUMBER, number & 0x7fffffff, header);
    if (is_extended && code != COTP_EA)
        credit = (uint8_t)(ft_u16be(header) & 255);
    if (code != COTP_EA)
        ft_put_uint(ctx, COTP_F_CREDIT, credit, NULL);
    read_parameters(ctx, header, &parameters);
}

/* ER: X.224, 13.12. */
static void read_error(struct ft_context *ctx, struct ft_view *header)
{
    uint16_t reference = ft_u16be(header);
    uint8_t cause = ft_u8(header);

    ft_set_kind(ctx, FT_KIND_EXCEPTION);
    ft_command(ctx, COTP_ER, 0);
    ft_put_uint(ctx, COTP_F_TYPE, COTP_ER, NULL);
    ft_put_uint(ctx, COTP_F_DESTINATION, reference, NULL);
    ft_put_uint(ctx, COTP_F_CAUSE, cause, header);
    while (header->len) {
        uint8_t code = ft_u8(header);
        struct ft_view value = ft_sub_u8(header);
        if (ft_view_is_malformed(header))
            ft_violation(ctx, COTP_V_PARAMETER, NULL);
        else if (code == COTP_P_CALLING_TSAP)
            ft_put_bytes(ctx, COTP_F_REJECTED, value);
    }
}

/* UD: ISO 8602. */
static void read_unit_data(struct ft_context *ctx, struct ft_view *header, struct ft_view *pdu)
{
    struct cotp_parameters parameters;

    ft_command(ctx, COTP_UD, 0);
    ft_put_uint(ctx, COTP_F_TYPE, COTP_UD, NULL);
    read_parameters(ctx, header, &parameters);
    struct ft_view tsdu = ft_rest(pdu);
    ft_put_uint(ctx, COTP_F_TSDU_LENGTH, tsdu.len, NULL);
    if (tsdu.len)
        ft_child_probe(ctx, 0, tsdu);
}

static void read_unknown(struct ft_context *ctx, uint8_t code, struct ft_view *header,
                         struct ft_view *pdu)
{
    ft_command(ctx, code, 0);
    ft_put_uint(ctx, COTP_F_TYPE, code, NULL);
    ft_violation(ctx, COTP_V_UNKNOWN_TYPE, header);
    ft_rest(pdu);
}

static void read_tpdu(struct ft_context *ctx, uint8_t first, struct ft_view *header,
                      struct ft_view *pdu)
{
    struct cotp_flow *flow = ctx->flow_state;
    uint8_t code = first >> 4;
    uint8_t credit = first & 15;

    switch (code) {
    case COTP_DT:
        read_data(ctx, flow, header, pdu);
        break;
    case COTP_CR:
    case COTP_CC:
        read_connect(ctx, flow, code, credit, header, pdu);
        break;
    case COTP_DR:
    case COTP_DC:
        read_disconnect(ctx, flow, code, header, pdu);
        break;
    case COTP_ED:
        read_data_4(ctx, COTP_ED, header->len == 6 || header->len == 10, header, pdu);
        break;
    case COTP_AK:
    case COTP_EA:
    case COTP_RJ:
        read_acknowledge(ctx, code, credit, header);
        break;
    case COTP_ER:
        read_error(ctx, header);
        break;
    case COTP_UD:
        read_unit_data(ctx, header, pdu);
        break;
    default:
        read_unknown(ctx, code, header, pdu);
        break;
    }
    if (ft_view_is_malformed(header))
        ft_violation(ctx, COTP_V_LENGTH_INDICATOR, NULL);
}

/* One TPDU. Those without data may be followed by others in the same packet (X.224, 6.4). */
static void dissect_one(struct ft_context *ctx, struct ft_view *pdu)
{
    struct ft_view header = ft_sub_u8(pdu);
    uint8_t first = ft_u8(&header);
    if (!ft_view_ok(pdu) || !ft_view_ok(&header)) {
        if (ft_view_is_malformed(pdu) || ft_view_is_malformed(&header))
            ft_violation(ctx, COTP_V_LENGTH_INDICATOR, NULL);
        ft_rest(pdu);
        return;
    }
    read_tpdu(ctx, first, &header, pdu);
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    if (!ctx->flow_state)
        return;
    dissect_one(ctx, pdu);
    while (pdu->len && ft_message_begin(ctx)) {
        dissect_one(ctx, pdu);
        ft_message_end(ctx);
    }
}

static enum ft_verdict probe(const struct ft_probe *where, struct ft_view payload)
{
    (void)where;
    int indicator = ft_peek_u8(&payload, 0);
    int code = ft_peek_u8(&payload, 1);
    if (indicator < 2 || indicator == 255 || (uint32_t)indicator + 1 > payload.len)
        return FT_NO;
    for (const struct ft_name *known = type_names; known->name; known++)
        if (known->value == (uint64_t)(code >> 4))
            return FT_YES;
    return FT_NO;
}

const struct ft_dissector ft_dissector_cotp = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "cotp",
    .title = "ISO 8073 COTP",
    .specification = "ITU-T X.224, ISO 8073, RFC 905, ISO 8602",
    .carried_by = FT_TABLE(carriers),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .max_pdu = UINT16_MAX,
    .flow_state_size = sizeof(struct cotp_flow),
    .channel_size = sizeof(struct cotp_channel),
    .flags = FT_DISSECTOR_TRANSPORT,
    .probe = probe,
    .dissect = dissect,
};
