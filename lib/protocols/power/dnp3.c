/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DNP3 (IEEE 1815): link frames, transport segments, application fragments.
 *
 * A PDU of a stream is one link frame; a datagram holds one or several. Each frame is a message:
 * the one that ends a fragment is named by the application function, every other one by its link
 * function (segments before the last, link services), so that a function is counted once for each
 * fragment. The data of a frame are read only when all its checksums are right, as a station does.
 *
 * The bit DIR says who sent a frame, so the outstation is the server whoever opened the connection.
 */
#include "dnp3_objects.h"

#include <string.h>

#include <fieldtap/wire.h>

#define HEADER_SIZE    10u /* with its CRC */
#define MIN_LENGTH     5u  /* of the length octet: control, destination, source */
#define BLOCK_SIZE     16u
#define CRC_SIZE       2u
#define MAX_USER_DATA  250u
#define CONTROL_DIR    0x80
#define CONTROL_PRM    0x40
#define CONTROL_FCB    0x20
#define CONTROL_FCV    0x10
#define TRANSPORT_FIN  0x80
#define TRANSPORT_FIR  0x40
#define FIRST_RESERVED 0xfff0u
#define SELF_ADDRESS   0xfffcu
#define FIRST_ALL      0xfffdu
#define APP_FIR        0x80
#define APP_FIN        0x40
#define APP_CON        0x20
#define APP_UNS        0x10

/* Functions of the link layer, PRM << 4 | function. */
enum link_function {
    LINK_ACK = 0x00,
    LINK_NACK = 0x01,
    LINK_STATUS = 0x0b,
    LINK_NOT_FUNCTIONING = 0x0e,
    LINK_NOT_SUPPORTED = 0x0f,
    LINK_RESET = 0x10,
    LINK_RESET_USER = 0x11,
    LINK_TEST = 0x12,
    LINK_CONFIRMED_DATA = 0x13,
    LINK_UNCONFIRMED_DATA = 0x14,
    LINK_REQUEST_STATUS = 0x19,
};

enum message_type {
    TYPE_LINK = 0,
    TYPE_REQUEST,
    TYPE_RESPONSE,
    TYPE_UNSOLICITED,
    TYPE_CONFIRM,
    TYPE_SEGMENT,
};

/* A link frame whose header could be trusted. */
struct link {
    uint8_t length, control, function; /* function with PRM, enum link_function */
    uint16_t src, dst;
    bool is_from_master, is_broadcast;
    uint8_t transport;
    bool has_transport;
};

/* State of a flow. Most have one pair of stations, which is kept here: a channel costs a search. */
struct flow {
    bool is_dnp3; /* a header with a right CRC was seen: what is no frame now is noise */
    bool has_pair;
    uint32_t pair_key;
    struct ft_dnp3_pair pair;
};

_Static_assert(sizeof(struct flow) <= FT_MAX_FLOW_STATE, "fits the state of a flow");

/* What a request leaves for its response. */
struct kept {
    uint8_t function;
};

/* ---- framing ------------------------------------------------------------------------------- */

static bool starts_frame(const struct ft_view *v)
{
    return ft_peek_u8(v, 0) == 0x05 && ft_peek_u8(v, 1) == 0x64;
}

static bool is_header_crc_right(const struct ft_view *v)
{
    return v->len >= HEADER_SIZE && ft_peek_u16le(v, 8) == ft_crc16_dnp(v->data, 8);
}

/* Octets of a whole frame, each block of data with its CRC. */
static uint32_t frame_size(uint8_t length)
{
    uint32_t data = length - MIN_LENGTH;

    return HEADER_SIZE + data + CRC_SIZE * ((data + BLOCK_SIZE - 1) / BLOCK_SIZE);
}

/*
 * The octets that a header without a right CRC takes along: up to the next start octets, for there
 * a station looks for its next frame, and at most as many as its own length says. 0: not known yet.
 */
static uint32_t broken_size(const struct ft_view *v)
{
    int length = ft_peek_u8(v, 2);
    uint32_t size = length < (int)MIN_LENGTH ? HEADER_SIZE : frame_size((uint8_t)length);
    uint32_t end = v->len < size ? v->len : size;

    for (uint32_t i = 2; i + 1 < end; i++) {
        if (ft_peek_u8(v, i) == 0x05 && ft_peek_u8(v, i + 1) == 0x64)
            return i;
    }
    return v->len < size ? 0 : size;
}

/* The octets before the next start octets, or before what may become them in a stream. */
static uint32_t noise_size(const struct ft_view *v, bool is_stream)
{
    for (uint32_t i = 1; i < v->len; i++) {
        int next = ft_peek_u8(v, i + 1);

        if (ft_peek_u8(v, i) == 0x05 && (next == 0x64 || (is_stream && next < 0)))
            return i;
    }
    return v->len;
}

static struct ft_frame frame(struct ft_context *ctx, struct ft_view stream)
{
    const struct flow *flow = ctx->flow_state;

    if (ft_peek_u8(&stream, 0) != 0x05 || (stream.len > 1 && ft_peek_u8(&stream, 1) != 0x64))
        return flow && flow->is_dnp3 ? ft_frame(FT_FRAME_PDU, noise_size(&stream, true))
                                     : ft_frame(FT_FRAME_NOT_MINE, 0);
    if (stream.len < HEADER_SIZE)
        return ft_frame(FT_FRAME_NEED, HEADER_SIZE);

    int length = ft_peek_u8(&stream, 2);

    if (length >= (int)MIN_LENGTH && is_header_crc_right(&stream))
        return ft_frame(FT_FRAME_PDU, frame_size((uint8_t)length));

    uint32_t size = broken_size(&stream);

    return size ? ft_frame(FT_FRAME_PDU, size) : ft_frame(FT_FRAME_DELIMITER, stream.len);
}

static enum ft_verdict probe(const struct ft_probe *where, struct ft_view payload)
{
    if (payload.len == 1)
        return ft_peek_u8(&payload, 0) == 0x05 ? FT_MAYBE : FT_NO;
    if (!starts_frame(&payload) || (payload.len > 2 && ft_peek_u8(&payload, 2) < (int)MIN_LENGTH))
        return FT_NO;
    if (payload.len < HEADER_SIZE)
        return FT_MAYBE;
    if (is_header_crc_right(&payload))
        return FT_YES;
    return where->is_bound ? FT_MAYBE : FT_NO;
}

/* ---- link header ---------------------------------------------------------------------------- */

/* The bytes read last before `at` and so many: as many as were read there. */
static inline struct ft_view read_before(const struct ft_view *at, uint32_t bytes, uint32_t length)
{
    struct ft_view v = *at;
    v.data -= bytes;
    v.len += bytes;
    v.last_len = length;
    return v;
}

/* `header`: behind length, control and the two addresses, which were read. */
static void put_link(struct ft_context *ctx, const struct link *l, const struct ft_view *header)
{
    const struct ft_view src = read_before(header, 0, 2), dst = read_before(header, 2, 2);
    const struct ft_view control = read_before(header, 4, 1), length = read_before(header, 5, 1);
    const struct ft_view *v = &control;
    ft_put_uint(ctx, DNP3_F_SRC, l->src, &src);
    ft_put_uint(ctx, DNP3_F_DST, l->dst, &dst);
    ft_put_bool(ctx, DNP3_F_BROADCAST, l->is_broadcast, &dst);
    ft_put_uint(ctx, DNP3_F_LENGTH, l->length, &length);

    ft_group_begin(ctx, DNP3_F_CONTROL);
    ft_put_bool(ctx, DNP3_F_DIR, l->control & CONTROL_DIR, v);
    ft_put_bool(ctx, DNP3_F_PRI, l->control & CONTROL_PRM, v);
    ft_put_bool(ctx, DNP3_F_FCB, l->control & CONTROL_FCB, v);
    ft_put_bool(ctx, DNP3_F_FCV, l->control & CONTROL_FCV, v);
    ft_put_uint(ctx, DNP3_F_LINK_FUNCTION_CODE, l->control & 0x0f, v);
    ft_put_uint(ctx, DNP3_F_LINK_FUNCTION, l->function, v);
    ft_group_end(ctx, DNP3_F_CONTROL);

    if (l->has_transport) {
        ft_group_begin(ctx, DNP3_F_TRANSPORT);
        ft_put_bool(ctx, DNP3_F_TRANSPORT_FIR, l->transport & TRANSPORT_FIR, NULL);
        ft_put_bool(ctx, DNP3_F_TRANSPORT_FIN, l->transport & TRANSPORT_FIN, NULL);
        ft_put_uint(ctx, DNP3_F_TRANSPORT_SEQUENCE, l->transport & 0x3f, NULL);
        ft_group_end(ctx, DNP3_F_TRANSPORT);
    }
}

/* ---- link messages ------------------------------------------------------------------------- */

static uint64_t pair_key(const struct link *l)
{
    uint16_t master = l->is_from_master ? l->src : l->dst;
    uint16_t outstation = l->is_from_master ? l->dst : l->src;

    return (uint64_t)outstation << 16 | master;
}

static bool is_link_function(uint8_t function)
{
    switch (function) {
    case LINK_ACK:
    case LINK_NACK:
    case LINK_STATUS:
    case LINK_NOT_FUNCTIONING:
    case LINK_NOT_SUPPORTED:
    case LINK_RESET:
    case LINK_RESET_USER:
    case LINK_TEST:
    case LINK_CONFIRMED_DATA:
    case LINK_UNCONFIRMED_DATA:
    case LINK_REQUEST_STATUS:
        return true;
    default:
        return false;
    }
}

static enum ft_kind link_kind(uint8_t function)
{
    switch (function) {
    case LINK_RESET:
    case LINK_RESET_USER:
    case LINK_TEST:
    case LINK_REQUEST_STATUS:
        return FT_KIND_REQUEST;
    case LINK_ACK:
    case LINK_STATUS:
        return FT_KIND_RESPONSE;
    case LINK_NACK:
    case LINK_NOT_FUNCTIONING:
    case LINK_NOT_SUPPORTED:
        return FT_KIND_EXCEPTION;
    default:
        return FT_KIND_DATA;
    }
}

/* A frame that is no application fragment, or does not end one. */
static void name_link_message(struct ft_context *ctx, const struct link *l)
{
    enum ft_kind kind = link_kind(l->function);

    ft_set_kind(ctx, kind);
    ft_command(ctx, DNP3_LINK_COMMAND | (l->function & 0x0f), l->function >> 4);
    ft_put_uint(ctx, DNP3_F_TYPE, l->has_transport ? TYPE_SEGMENT : TYPE_LINK, NULL);
    if (kind == FT_KIND_REQUEST && !l->is_broadcast)
        ft_request(ctx, FT_SCOPE_FLOW, pair_key(l), NULL, 0);
    else if (kind != FT_KIND_DATA && kind != FT_KIND_REQUEST)
        ft_response(ctx, FT_SCOPE_FLOW, pair_key(l));
}

/* ---- application layer --------------------------------------------------------------------- */

static uint64_t application_key(const struct link *l, uint8_t sequence)
{
    return pair_key(l) | (uint64_t)(0x10 | sequence) << 32;
}

/*
 * Where the object header stands that tells what a request is about: the first one behind the
 * application header, or the one behind the object of aggressive mode.
 */
static uint32_t main_object(const struct ft_view *v)
{
    return ft_peek_u8(v, 2) == 120 && ft_peek_u8(v, 3) == 3 ? 12 : 2;
}

/* What makes one read, write or file open another thing to a plant than the next one. */
static uint32_t qualifier_of(uint8_t function, const struct ft_view *v)
{
    uint32_t at = main_object(v);
    int group = ft_peek_u8(v, at), variation = ft_peek_u8(v, at + 1), mode;

    switch (function) {
    case DNP3_READ:
    case DNP3_WRITE:
        return group < 0 ? DNP3_NO_GROUP : (uint32_t)group;
    case DNP3_OPEN_FILE:
        /* 20 octets into an object that stands behind a header of 6. */
        mode = group == 70 && variation == 3 ? ft_peek_u16le(v, at + 26) : -1;
        return mode < 0 ? 0 : (uint32_t)mode;
    case DNP3_AUTHENTICATE:
        return group == 120 && variation >= 0 ? (uint32_t)variation : 0;
    default:
        return 0;
    }
}

static bool is_response(uint8_t function)
{
    return function >= DNP3_RESPONSE && function <= DNP3_AUTHENTICATE_RESPONSE;
}

static bool is_without_response(uint8_t function)
{
    switch (function) {
    case DNP3_DIRECT_OPERATE_NO_ACK:
    case DNP3_FREEZE_NO_ACK:
    case DNP3_FREEZE_CLEAR_NO_ACK:
    case DNP3_FREEZE_AT_TIME_NO_ACK:
    case DNP3_AUTHENTICATE_NO_ACK:
        return true;
    default:
        return false;
    }
}

static bool is_control_or_restart(uint8_t function)
{
    return (function >= DNP3_SELECT && function <= DNP3_DIRECT_OPERATE_NO_ACK) ||
           (function >= DNP3_COLD_RESTART && function <= DNP3_STOP_APPLICATION);
}

/* What is done to a file is told for what it is: the class says only that it may be logic. */
static void check_file(struct ft_context *ctx, uint8_t function, uint32_t qualifier,
                       const struct ft_view *v)
{
    if ((function == DNP3_OPEN_FILE && (qualifier == 2 || qualifier == 3)) ||
        (function == DNP3_WRITE && qualifier == 70))
        ft_violation(ctx, DNP3_V_FILE_WRITE, v);
    if (function == DNP3_DELETE_FILE)
        ft_violation(ctx, DNP3_V_FILE_DELETE, v);
}

static void check_request(struct ft_context *ctx, const struct link *l, uint8_t control,
                          uint8_t function, const struct ft_view *v)
{
    if (!l->is_from_master)
        ft_violation(ctx, DNP3_V_ILLEGAL_OPERATION, v);
    else if (control & APP_CON)
        ft_violation(ctx, DNP3_V_MASTER_CONFIRM, v);
    if (function == DNP3_INITIALIZE_DATA)
        ft_violation(ctx, DNP3_V_INITIALIZE_DATA, v);
    if (function == DNP3_SAVE_CONFIGURATION)
        ft_violation(ctx, DNP3_V_SAVE_CONFIGURATION, v);
    if (l->is_broadcast && is_control_or_restart(function))
        ft_violation(ctx, DNP3_V_BROADCAST_COMMAND, v);
}

static void check_function(struct ft_context *ctx, const struct link *l, uint8_t control,
                           uint8_t function, const struct ft_view *v)
{
    if (is_response(function)) {
        if (l->is_from_master)
            ft_violation(ctx, DNP3_V_ILLEGAL_OPERATION, v);
    } else if (function > DNP3_AUTHENTICATE_NO_ACK) {
        ft_violation(ctx, DNP3_V_RESERVED_FUNCTION, v);
    } else if (function != DNP3_CONFIRM) {
        check_request(ctx, l, control, function, v);
    }
    if (function != DNP3_CONFIRM && !(control & APP_UNS) != (function != DNP3_UNSOLICITED))
        ft_violation(ctx, DNP3_V_UNSOLICITED_BIT, v);
}

/* Indications that last: they are told when they come up, not with each response. */
#define LASTING 0xc0e8

/*
 * The lasting indications that are new. They outlive a connection, and many masters make one for
 * each poll: so they are those of the host pair, looked at only when the flow sees a change.
 */
static uint16_t risen_indications(struct ft_context *ctx, struct ft_dnp3_pair *pair, uint64_t key,
                                  uint16_t iin)
{
    uint16_t lasting = iin & LASTING, before = 0;

    if (pair->has_iin && pair->iin == lasting)
        return 0;
    pair->has_iin = true;
    pair->iin = lasting;

    struct ft_dnp3_pair *hosts = ft_channel(ctx, FT_SCOPE_HOST_PAIR, key);

    if (hosts) {
        before = hosts->iin;
        hosts->iin = lasting;
    }
    return lasting & (uint16_t)~before;
}

static void check_indications(struct ft_context *ctx, uint16_t iin, uint16_t risen,
                              const struct ft_view *v)
{
    if (iin & 0x0001)
        ft_violation(ctx, DNP3_V_IIN_FUNCTION, v);
    if (iin & 0x0002)
        ft_violation(ctx, DNP3_V_IIN_OBJECT, v);
    if (iin & 0x0004)
        ft_violation(ctx, DNP3_V_IIN_PARAMETER, v);
    if (risen & 0x0008)
        ft_violation(ctx, DNP3_V_IIN_OVERFLOW, v);
    if (risen & 0x0020)
        ft_violation(ctx, DNP3_V_IIN_CONFIG_CORRUPT, v);
    if (risen & 0x00c0)
        ft_violation(ctx, DNP3_V_IIN_RESERVED, v);
    if (risen & 0x4000)
        ft_violation(ctx, DNP3_V_IIN_TROUBLE, v);
    if (risen & 0x8000)
        ft_violation(ctx, DNP3_V_IIN_RESTART, v);
}

/*
 * Select before operate: an operate must come right after a select of the same objects, with the
 * next sequence (IEEE 1815, 4.4.3). Judged only when the requests before it were seen.
 */
static void check_select(struct ft_context *ctx, struct ft_dnp3_pair *pair, uint8_t function,
                         uint8_t sequence, const struct ft_view *objects)
{
    uint64_t hash = 0xcbf29ce484222325u;

    if (function == DNP3_SELECT || function == DNP3_OPERATE) {
        for (struct ft_view v = *objects; v.len;)
            hash = (hash ^ ft_u8(&v)) * 0x100000001b3u;
    }
    if (function == DNP3_OPERATE && pair->has_requests && !ctx->is_midstream &&
        !(pair->has_select && pair->select_hash == hash &&
          pair->select_sequence == ((sequence - 1) & 0x0f)))
        ft_violation(ctx, DNP3_V_OPERATE_WITHOUT_SELECT, objects);

    pair->has_requests = true;
    /* A repeated operate keeps the sequence of the first: it still has its select. */
    if (function != DNP3_OPERATE)
        pair->has_select = function == DNP3_SELECT;
    if (function == DNP3_SELECT) {
        pair->select_hash = hash;
        pair->select_sequence = sequence;
    }
}

static void put_application_control(struct ft_context *ctx, uint8_t control,
                                    const struct ft_view *v)
{
    ft_group_begin(ctx, DNP3_F_APP_CONTROL);
    ft_put_bool(ctx, DNP3_F_APP_FIR, control & APP_FIR, v);
    ft_put_bool(ctx, DNP3_F_APP_FIN, control & APP_FIN, v);
    ft_put_bool(ctx, DNP3_F_APP_CON, control & APP_CON, v);
    ft_put_bool(ctx, DNP3_F_APP_UNS, control & APP_UNS, v);
    ft_put_uint(ctx, DNP3_F_APP_SEQUENCE, control & 0x0f, v);
    ft_group_end(ctx, DNP3_F_APP_CONTROL);
}

static void put_iin(struct ft_context *ctx, uint16_t iin)
{
    ft_group_begin(ctx, DNP3_F_IIN);
    ft_put_uint(ctx, DNP3_F_INDICATORS, iin, NULL);
    ft_group_end(ctx, DNP3_F_IIN);
}

/* Roles are said once for each pair of stations. */
static void state_roles(struct ft_context *ctx, struct ft_dnp3_pair *pair, const struct link *l)
{
    if (pair->has_roles || l->is_broadcast)
        return;
    pair->has_roles = true;
    ft_asset_role(ctx, l->is_from_master ? FT_SENDER : FT_RECEIVER, FT_ROLE_SCADA);
    ft_asset_role(ctx, l->is_from_master ? FT_RECEIVER : FT_SENDER, FT_ROLE_RTU);
}

static enum message_type type_of(uint8_t function)
{
    if (function == DNP3_CONFIRM)
        return TYPE_CONFIRM;
    if (function == DNP3_UNSOLICITED)
        return TYPE_UNSOLICITED;
    return function >= 128 ? TYPE_RESPONSE : TYPE_REQUEST;
}

static enum ft_kind kind_of(uint8_t function, uint16_t iin)
{
    switch (type_of(function)) {
    case TYPE_CONFIRM:
        return FT_KIND_DATA;
    case TYPE_UNSOLICITED:
        return FT_KIND_UNSOLICITED;
    case TYPE_REQUEST:
        return FT_KIND_REQUEST;
    default:
        /* IIN2.0 to 2.2 and 2.4: the outstation did not do what it was asked. */
        return iin & 0x0017 ? FT_KIND_EXCEPTION : FT_KIND_RESPONSE;
    }
}

static void pair_up(struct ft_context *ctx, const struct link *l, uint8_t control, uint8_t function,
                    uint16_t iin)
{
    uint64_t key = application_key(l, control & 0x0f);

    if (type_of(function) == TYPE_REQUEST) {
        struct kept keep = {.function = function};

        if (!is_without_response(function) && !l->is_broadcast)
            ft_request(ctx, FT_SCOPE_FLOW, key, &keep, sizeof(keep));
        return;
    }
    if (type_of(function) != TYPE_RESPONSE || !(control & APP_FIR))
        return;

    const struct kept *request = ft_response(ctx, FT_SCOPE_FLOW, key);

    if (!request)
        return;
    ft_put_uint(ctx, DNP3_F_REQUEST_FUNCTION, request->function, NULL);
    if ((request->function == DNP3_ACTIVATE_CONFIGURATION ||
         request->function == DNP3_SAVE_CONFIGURATION) &&
        !(iin & 0x0017))
        ft_violation(ctx, DNP3_V_CONFIG_CHANGED, NULL);
}

/* Functions that have no objects, but for those of aggressive mode authentication. */
static void check_objects(struct ft_context *ctx, uint8_t function, const struct ft_view *v)
{
    bool has_none = function == DNP3_CONFIRM || function == DNP3_COLD_RESTART ||
                    function == DNP3_WARM_RESTART || function == DNP3_DELAY_MEASUREMENT ||
                    function == DNP3_RECORD_TIME;

    if (has_none && v->len && ft_peek_u8(v, 0) != 120)
        ft_violation(ctx, DNP3_V_UNEXPECTED_OBJECTS, v);
}

static uint64_t reassembly_key(const struct link *l)
{
    return (uint64_t)l->is_from_master << 32 | (uint64_t)l->dst << 16 | l->src;
}

/*
 * Objects that were gathered on the stack, when somebody wants points: text and octets are put by
 * reference, so that they must last as long as the message does. Collecting them sees to that.
 */
static void keep_objects(struct ft_context *ctx, const struct link *l, struct ft_view *v)
{
    struct ft_view kept;
    bool is_cut = v->is_cut;

    if (!ft_wants(ctx, DNP3_F_POINT) || ft_view_at_end(v))
        return;
    if (ft_reassemble(ctx, reassembly_key(l), *v, FT_REASSEMBLY_FIRST, &kept) ==
            FT_REASSEMBLY_FULL ||
        ft_reassemble(ctx, reassembly_key(l), ft_view_empty(), FT_REASSEMBLY_LAST, &kept) !=
            FT_REASSEMBLY_DONE) {
        kept = ft_view_empty();
        is_cut = true;
    }
    *v = kept;
    v->is_cut = is_cut;
}

static void read_objects(struct ft_context *ctx, const struct link *l, uint8_t function,
                         struct ft_view *v)
{
    struct ft_dnp3_fragment fragment = {
        .pair_key = pair_key(l), .function = function, .is_from_master = l->is_from_master};

    ft_dnp3_objects(ctx, &fragment, v);
    ft_put_bool(ctx, DNP3_F_COMPLETE, fragment.is_complete, NULL);
}

/* The header is looked at first: kind and command must be told before any field is put. */
static void read_application(struct ft_context *ctx, const struct link *l,
                             struct ft_dnp3_pair *pair, struct ft_view v, bool is_gathered,
                             const struct ft_view *at_link)
{
    uint8_t control = (uint8_t)ft_peek_u8(&v, 0), function = (uint8_t)ft_peek_u8(&v, 1);
    bool has_iin = is_response(function);
    uint16_t iin = has_iin ? (uint16_t)ft_peek_u16be(&v, 2) : 0;

    if (v.len < 2 || (has_iin && v.len < 4)) {
        if (!v.is_cut)
            ft_violation(ctx, DNP3_V_APPLICATION_SHORT, &v);
        name_link_message(ctx, l);
        put_link(ctx, l, at_link);
        return;
    }
    ft_set_kind(ctx, kind_of(function, iin));
    uint32_t qualifier = qualifier_of(function, &v);
    ft_command(ctx, function, qualifier);
    put_link(ctx, l, at_link);
    ft_put_bool(ctx, DNP3_F_CRC_OK, true, NULL);
    ft_put_uint(ctx, DNP3_F_TYPE, type_of(function), NULL);

    ft_group_begin(ctx, DNP3_F_APPLICATION);
    ft_skip(&v, 1);
    put_application_control(ctx, control, &v);
    ft_skip(&v, 1);
    ft_put_uint(ctx, DNP3_F_FUNCTION, function, &v);
    check_function(ctx, l, control, function, &v);
    check_file(ctx, function, qualifier, &v);
    pair_up(ctx, l, control, function, iin);
    if (has_iin) {
        ft_skip(&v, 2);
        check_indications(ctx, iin, risen_indications(ctx, pair, pair_key(l), iin), &v);
    }
    state_roles(ctx, pair, l);
    if (type_of(function) == TYPE_REQUEST)
        check_select(ctx, pair, function, control & 0x0f, &v);
    check_objects(ctx, function, &v);
    if (is_gathered)
        keep_objects(ctx, l, &v);
    read_objects(ctx, l, function, &v);
    ft_group_end(ctx, DNP3_F_APPLICATION);
    if (has_iin)
        put_iin(ctx, iin);
}

/* ---- transport ----------------------------------------------------------------------------- */

/* Does this segment follow the last one? Keeps the sequence; a repeated segment does not count. */
static bool is_in_sequence(struct ft_context *ctx, struct ft_dnp3_pair *pair, const struct link *l,
                           const struct ft_view *at)
{
    unsigned side = l->is_from_master;
    uint8_t sequence = l->transport & 0x3f;
    uint8_t expected = (pair->sequence[side] + 1) & 0x3f;
    bool is_first = l->transport & TRANSPORT_FIR;

    if (!is_first && pair->is_open[side] && sequence != expected) {
        if (sequence == pair->sequence[side])
            return false;
        ft_violation(ctx, DNP3_V_TRANSPORT_SEQUENCE, at);
        pair->is_open[side] = false;
    }
    if (is_first && pair->is_open[side])
        ft_violation(ctx, DNP3_V_TRANSPORT_RESTART, at);
    if (!is_first && !pair->is_open[side])
        return false; /* the beginning was not seen */

    pair->sequence[side] = sequence;
    pair->is_open[side] = !(l->transport & TRANSPORT_FIN);
    return true;
}

/* Put a segment to the others; true when the fragment is whole. One alone is whole by itself. */
static bool collect(struct ft_context *ctx, const struct link *l, struct ft_view segment,
                    struct ft_view *fragment)
{
    uint32_t flags = (l->transport & TRANSPORT_FIR ? FT_REASSEMBLY_FIRST : 0) |
                     (l->transport & TRANSPORT_FIN ? FT_REASSEMBLY_LAST : 0);

    *fragment = segment;
    return flags == (FT_REASSEMBLY_FIRST | FT_REASSEMBLY_LAST) ||
           ft_reassemble(ctx, reassembly_key(l), segment, flags, fragment) == FT_REASSEMBLY_DONE;
}

/* ---- link layer ---------------------------------------------------------------------------- */

/*
 * Check the CRC of each block and gather the blocks without it. One block stays where it is. False
 * when a CRC is wrong. A frame whose end the sensor does not have gives a cut view.
 */
static bool strip_blocks(struct ft_context *ctx, struct ft_view *frame, uint32_t length,
                         uint8_t gathered[MAX_USER_DATA], struct ft_view *user)
{
    const uint8_t *data = gathered;
    uint32_t have = 0;
    bool is_right = true;

    while (have < length) {
        uint32_t size = length - have < BLOCK_SIZE ? length - have : BLOCK_SIZE;
        const uint8_t *block = ft_view_take(frame, size);
        uint16_t crc = ft_u16le(frame);

        if (!ft_view_ok(frame))
            break;
        if (is_right && crc != ft_crc16_dnp(block, size)) {
            ft_violation(ctx, DNP3_V_BLOCK_CRC, frame);
            is_right = false;
        }
        if (length > BLOCK_SIZE)
            memcpy(gathered + have, block, size);
        else
            data = block;
        have += size;
    }
    *user = ft_view_make(data, have, have < length);
    return is_right;
}

static bool has_user_data(uint8_t function)
{
    return function == LINK_CONFIRMED_DATA || function == LINK_UNCONFIRMED_DATA;
}

static void check_link(struct ft_context *ctx, const struct link *l, const struct ft_view *v)
{
    bool counts = l->function == LINK_TEST || l->function == LINK_CONFIRMED_DATA;

    if (!is_link_function(l->function))
        ft_violation(ctx, DNP3_V_LINK_FUNCTION, v);
    else if (l->control & CONTROL_PRM && !(l->control & CONTROL_FCV) == counts)
        ft_violation(ctx, DNP3_V_LINK_FCV, v);
    if (has_user_data(l->function) != (l->length > MIN_LENGTH))
        ft_violation(ctx, DNP3_V_LINK_USER_DATA, v);
    if (l->src >= FIRST_RESERVED || (l->dst >= FIRST_RESERVED && l->dst < SELF_ADDRESS))
        ft_violation(ctx, DNP3_V_RESERVED_ADDRESS, v);
}

/* Who speaks to whom: everything that must be known before the command is named. */
static void set_parties(struct ft_context *ctx, const struct link *l)
{
    ft_set_direction(ctx, l->is_from_master ? FT_TO_SERVER : FT_TO_CLIENT);
    if (l->src < FIRST_RESERVED)
        ft_subaddress(ctx, FT_SENDER, FT_SUB_LINK, l->src);
    if (l->dst < FIRST_RESERVED)
        ft_subaddress(ctx, FT_RECEIVER, FT_SUB_LINK, l->dst);
}

/* What is known of the two stations in this flow; NULL when there is no room. */
static struct ft_dnp3_pair *pair_of(struct ft_context *ctx, const struct link *l)
{
    struct flow *flow = ctx->flow_state;
    uint64_t key = pair_key(l);

    if (!flow->has_pair) {
        flow->has_pair = true;
        flow->pair_key = (uint32_t)key;
    }
    return flow->pair_key == key ? &flow->pair : ft_channel(ctx, FT_SCOPE_FLOW, key);
}

/* Read what a frame carries; the message is named by it, or by the link function. */
static void read_user_data(struct ft_context *ctx, struct link *l, struct ft_view *frame,
                           const struct ft_view *at)
{
    struct ft_dnp3_pair none = {0};
    struct ft_dnp3_pair *pair = pair_of(ctx, l);
    uint8_t gathered[MAX_USER_DATA];
    struct ft_view user, fragment;
    bool is_right = strip_blocks(ctx, frame, l->length - MIN_LENGTH, gathered, &user);

    if (!pair)
        pair = &none;
    l->has_transport = is_right && !ft_view_at_end(&user);
    l->transport = l->has_transport ? ft_u8(&user) : 0;
    if (l->has_transport && is_in_sequence(ctx, pair, l, &user) &&
        collect(ctx, l, user, &fragment)) {
        read_application(ctx, l, pair, fragment, fragment.data == gathered + 1, at);
        return;
    }
    name_link_message(ctx, l);
    put_link(ctx, l, at);
    ft_put_bool(ctx, DNP3_F_CRC_OK, is_right, NULL);
}

/* A frame with a broken header: told, and passed over up to the next start octets. */
static void read_broken(struct ft_context *ctx, struct ft_view *pdu)
{
    uint32_t size = broken_size(pdu);
    bool is_right = is_header_crc_right(pdu);

    if (pdu->is_cut && pdu->len < HEADER_SIZE) {
        ft_view_fail(pdu);
        return;
    }
    ft_skip(pdu, size && size < pdu->len ? size : pdu->len);
    ft_put_bool(ctx, DNP3_F_CRC_OK, is_right, pdu);
    ft_violation(ctx, is_right ? DNP3_V_LINK_LENGTH : DNP3_V_HEADER_CRC, pdu);
}

/* Read the next frame of the PDU. */
static void read_frame(struct ft_context *ctx, struct ft_view *pdu)
{
    int length = ft_peek_u8(pdu, 2);

    if (!starts_frame(pdu)) {
        ft_skip(pdu, noise_size(pdu, false));
        if (!pdu->is_cut)
            ft_violation(ctx, FT_VIOLATION_NOT_PROTOCOL, pdu);
        return;
    }
    if (length < (int)MIN_LENGTH || !is_header_crc_right(pdu)) {
        read_broken(ctx, pdu);
        return;
    }
    ((struct flow *)ctx->flow_state)->is_dnp3 = true;

    uint8_t control = (uint8_t)ft_peek_u8(pdu, 3);
    struct link l = {
        .length = (uint8_t)length,
        .control = control,
        .function = (control & CONTROL_PRM ? 0x10 : 0) | (control & 0x0f),
        .is_from_master = control & CONTROL_DIR,
        .dst = (uint16_t)ft_peek_u16le(pdu, 4),
        .src = (uint16_t)ft_peek_u16le(pdu, 6),
    };

    ft_skip(pdu, 3);
    ft_skip(pdu, 5); /* control and addresses: what is wrong with one of them is shown by all */

    struct ft_view at = *pdu;

    ft_skip(pdu, CRC_SIZE);
    l.is_broadcast = l.dst >= FIRST_ALL;
    set_parties(ctx, &l);
    check_link(ctx, &l, &at);
    if (l.length > MIN_LENGTH && has_user_data(l.function)) {
        read_user_data(ctx, &l, pdu, &at);
        return;
    }
    name_link_message(ctx, &l);
    put_link(ctx, &l, &at);
    ft_put_bool(ctx, DNP3_F_CRC_OK, true, NULL);
    if (l.length > MIN_LENGTH)
        ft_skip(pdu, frame_size(l.length) - HEADER_SIZE);
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    for (bool is_first = true; !ft_view_at_end(pdu); is_first = false) {
        bool has_message = !is_first && ft_message_begin(ctx);

        read_frame(ctx, pdu);
        if (has_message)
            ft_message_end(ctx);
    }
}

/* ---- description --------------------------------------------------------------------------- */

static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_TCP, .value = 20000},
    {.kind = FT_CARRIER_UDP, .value = 20000},
};

static const struct ft_signature signatures[] = {
    {.pattern = "^\\x05\\x64[\\x05-\\xff][\\x00-\\xff]{7}",
     .flags = FT_SIGNATURE_TCP | FT_SIGNATURE_UDP},
};

extern const struct ft_dissector ft_dissector_dnp3;
const struct ft_dissector ft_dissector_dnp3 = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "dnp3",
    .title = "DNP3",
    .specification = "IEEE 1815-2012",
    .carried_by = FT_TABLE(carriers),
    .signatures = FT_TABLE(signatures),
    .fields = {ft_dnp3_fields, DNP3_F_FIELDS, sizeof(struct ft_field)},
    .commands = {ft_dnp3_commands, DNP3_COMMANDS, sizeof(struct ft_command)},
    .violations = {ft_dnp3_violations, DNP3_V_COUNT, sizeof(struct ft_violation)},
    .sync = {.bytes = {0x05, 0x64}, .length = 2},
    .flow_state_size = sizeof(struct flow),
    .channel_size = sizeof(struct ft_dnp3_pair),
    .flags = FT_DISSECTOR_OT,
    .probe = probe,
    .frame = frame,
    .dissect = dissect,
};
