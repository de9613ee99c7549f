/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * S7comm: the protocol of SIMATIC S7-200, 300 and 400, LOGO!, SINUMERIK, and of PUT/GET of S7-1200
 * and 1500; 0x32 after ISO on TCP. Siemens does not publish it; it is known from public dissectors
 * and libraries.
 *
 * Jobs ask, ack_data answers, both name a function; userdata is a second protocol in the same
 * header (s7_userdata.c). In a download the roles turn around: the controller asks the engineering
 * station for the blocks.
 */
#include "s7.h"

#define S7_MAX_ITEMS    20u
#define S7_LENGTH_INFO  13u /* "1", load memory (6), code (6) */
#define S7_STOP_UNKNOWN 5u
#define S7_PI_UNKNOWN   7u

enum ft_verdict s7_probe(const struct ft_probe *where, struct ft_view payload)
{
    (void)where;
    uint8_t id = ft_u8(&payload);
    uint8_t rosctr = ft_u8(&payload);
    uint16_t redundancy_id = ft_u16be(&payload);
    ft_u16be(&payload);
    uint32_t parameters = ft_u16be(&payload);
    uint32_t data = ft_u16be(&payload);
    bool is_answer = rosctr == S7_ACK || rosctr == S7_ACK_DATA;
    uint32_t rest = parameters + data + (is_answer ? 2 : 0);

    if (!ft_view_ok(&payload) || id != S7_PROTOCOL_ID || redundancy_id ||
        (rosctr != S7_JOB && rosctr != S7_USERDATA && !is_answer))
        return FT_NO;
    return payload.is_cut || payload.len == rest ? FT_YES : FT_MAYBE;
}

void s7_put_header(struct ft_context *ctx, const struct s7_header *header)
{
    struct ft_view v = header->start;

    ft_skip(&v, 1);
    ft_put_uint(ctx, S7_F_ROSCTR, ft_u8(&v), &v);
    ft_skip(&v, 2);
    if (header->redundancy_id) {
        ft_put_uint(ctx, S7_F_REDUNDANCY_ID, header->redundancy_id, &v);
        ft_violation(ctx, S7_V_REDUNDANCY_ID, &v);
    }
    ft_put_uint(ctx, S7_F_PDU_REF, ft_u16be(&v), &v);
    if (header->error) {
        ft_skip(&v, 4);
        ft_put_uint(ctx, S7_F_ERROR_CLASS, (uint32_t)ft_peek_u8(&v, 0), NULL);
        ft_put_uint(ctx, S7_F_ERROR, ft_u16be(&v), &v);
        s7_judge_error(ctx, header->error, &v);
    }
}

void s7_judge_error(struct ft_context *ctx, uint16_t error, const struct ft_view *at)
{
    switch (error) {
    case 0x0119:
    case 0xd602:
        ft_violation(ctx, S7_V_PASSWORD, at);
        break;
    case 0xd0a1:
    case 0xd241:
    case 0xd242:
        ft_violation(ctx, S7_V_PROTECTED, at);
        break;
    default:
        break;
    }
}

/* ---- functions ----------------------------------------------------------------------------- */

static bool is_reversed(uint8_t function)
{
    return function == S7_DOWNLOAD_BLOCK || function == S7_DOWNLOAD_ENDED;
}

/* Functions that only a client asks for, or, reversed, only a controller. */
static bool is_directed(uint8_t function)
{
    switch (function) {
    case S7_READ:
    case S7_WRITE:
    case S7_PI_SERVICE:
    case S7_STOP:
    case S7_SETUP:
        return true;
    default:
        return function >= S7_REQUEST_DOWNLOAD && function <= S7_END_UPLOAD;
    }
}

static void direct(struct ft_context *ctx, uint8_t function, bool is_job)
{
    if (is_directed(function))
        ft_set_direction(ctx, is_job != is_reversed(function) ? FT_TO_SERVER : FT_TO_CLIENT);
}

static void read_setup(struct ft_context *ctx, struct ft_view *v, bool is_job)
{
    struct s7_flow *flow = ctx->flow_state;
    ft_skip(v, 1);
    ft_put_uint(ctx, S7_F_MAX_CALLING, ft_u16be(v), v);
    ft_put_uint(ctx, S7_F_MAX_CALLED, ft_u16be(v), v);
    uint16_t size = ft_u16be(v);
    ft_put_uint(ctx, S7_F_PDU_SIZE, size, v);
    flow->is_setup_seen = 1;
    if (!is_job && ft_view_ok(v))
        flow->pdu_size = size;
    if (is_job)
        return;
    ft_asset_role(ctx, FT_SERVER, FT_ROLE_PLC);
    ft_asset_text(ctx, FT_SERVER, FT_FACT_VENDOR, "Siemens");
}

static uint32_t read_item_count(struct ft_context *ctx, struct ft_view *v)
{
    uint32_t count = ft_u8(v);
    ft_put_uint(ctx, S7_F_ITEM_COUNT, count, v);
    if ((count == 0 || count > S7_MAX_ITEMS) && ft_view_ok(v))
        ft_violation(ctx, S7_V_ITEM_COUNT, v);
    return count;
}

/* Function status: bit 0 more follows, bit 1 error. */
static uint8_t read_status(struct ft_context *ctx, struct ft_view *v)
{
    uint8_t status = ft_u8(v);
    ft_put_bool(ctx, S7_F_MORE, status & 1, v);
    return status;
}

/* Status, two bytes, upload identification: what all transfer jobs begin with. */
static void read_transfer(struct ft_context *ctx, struct ft_view *v)
{
    ft_skip(v, 3);
    ft_put_uint(ctx, S7_F_UPLOAD_ID, ft_u32be(v), v);
}

static void read_lengths(struct ft_context *ctx, struct ft_view *v)
{
    struct ft_view info = ft_sub_u8(v);
    if (info.len != S7_LENGTH_INFO)
        return;
    ft_skip(&info, 1);
    ft_put_uint(ctx, S7_F_LOAD_SIZE, s7_read_decimal(&info, 6), &info);
    ft_put_uint(ctx, S7_F_CODE_SIZE, s7_read_decimal(&info, 6), &info);
}

/* ---- PI services --------------------------------------------------------------------------- */

/* Seven bytes, arguments with u16 length, name with u8 length. */
struct pi_service {
    struct ft_view argument;
    struct ft_view name;
    uint16_t number; /* in s7_pi_services */
};

static struct pi_service find_pi_service(struct ft_view parameters)
{
    struct pi_service pi = {.number = 0};
    ft_skip(&parameters, S7_PI_UNKNOWN);
    pi.argument = ft_sub_u16be(&parameters);
    pi.name = ft_sub_u8(&parameters);
    for (uint16_t i = 1; i < s7_pi_service_count && !pi.number; i++) {
        const char *wire = s7_pi_services[i].wire;
        if (pi.name.len == strlen(wire) && ft_view_starts(&pi.name, wire, pi.name.len))
            pi.number = i;
    }
    return pi;
}

/* "_INSE", "_DELE": a count, a zero, and as many blocks of type, number and destination. */
static void read_pi_blocks(struct ft_context *ctx, struct ft_view v)
{
    uint32_t n = ft_u8(&v);
    ft_skip(&v, 1);
    n = ft_count(&v, n, 8);
    for (uint32_t i = 0; i < n && ft_view_ok(&v); i++) {
        ft_group_begin(ctx, S7_F_BLOCKS);
        ft_put_uint(ctx, S7_F_BLOCKS_TYPE, ft_u16be(&v), &v);
        ft_put_uint(ctx, S7_F_BLOCKS_NUMBER, s7_read_decimal(&v, 5), &v);
        ft_skip(&v, 1);
        ft_group_end(ctx, S7_F_BLOCKS);
    }
}

/* Arguments of numerical controls are strings with a length before each. */
static void read_pi_strings(struct ft_context *ctx, struct ft_view v)
{
    while (v.len && ft_view_ok(&v)) {
        struct ft_view argument = ft_sub_u8(&v);
        if (ft_view_ok(&v) && argument.len)
            ft_put_string(ctx, S7_F_PI_ARGUMENT, argument);
    }
}

static void put_pi_service(struct ft_context *ctx, const struct pi_service *pi)
{
    ft_put_string(ctx, S7_F_PI_SERVICE, pi->name);
    if (s7_pi_services[pi->number].is_secret) {
        ft_put_bool(ctx, S7_F_PASSWORD_SEEN, true, &pi->argument);
        ft_put_bytes(ctx, S7_F_PASSWORD, pi->argument);
    } else if (ft_view_starts(&pi->name, "_N_", 3)) {
        read_pi_strings(ctx, pi->argument);
    } else if (ft_view_starts(&pi->name, "_INS", 4) || ft_view_starts(&pi->name, "_DELE", 5)) {
        read_pi_blocks(ctx, pi->argument);
    } else if (pi->argument.len) {
        ft_put_string(ctx, S7_F_PI_ARGUMENT, pi->argument);
    }
}

static void read_stop(struct ft_context *ctx, struct ft_view *v)
{
    ft_skip(v, S7_STOP_UNKNOWN);
    struct ft_view name = ft_sub_u8(v);
    ft_put_string(ctx, S7_F_PI_SERVICE, name);
    ft_violation(ctx, S7_V_STOP, v);
}

/* ---- jobs ---------------------------------------------------------------------------------- */

static void judge_job(struct ft_context *ctx, uint8_t function)
{
    struct s7_flow *flow = ctx->flow_state;
    bool is_from_server = is_reversed(function);

    flow->is_job_seen[is_from_server] = 1;
    if (function == S7_REQUEST_DOWNLOAD)
        flow->is_download_seen = 1;
    if (function == S7_START_UPLOAD)
        flow->is_upload_seen = 1;
    if (ctx->is_midstream)
        return;
    if (!flow->is_setup_seen && function != S7_SETUP)
        ft_violation(ctx, S7_V_NO_SETUP, NULL);

    bool is_lost_download = is_from_server && !flow->is_download_seen && flow->is_job_seen[0];
    bool is_lost_upload =
        (function == S7_UPLOAD || function == S7_END_UPLOAD) && !flow->is_upload_seen;
    if (is_lost_download || is_lost_upload)
        ft_violation(ctx, S7_V_TRANSFER, NULL);
}

static void read_job_body(struct ft_context *ctx, uint8_t function, struct ft_view *parameters,
                          struct ft_view *data, struct s7_kept *kept)
{
    switch (function) {
    case S7_SETUP:
        read_setup(ctx, parameters, true);
        break;
    case S7_READ:
        s7_read_items(ctx, parameters, read_item_count(ctx, parameters), kept, NULL);
        break;
    case S7_WRITE:
        s7_read_items(ctx, parameters, read_item_count(ctx, parameters), kept, data);
        break;
    case S7_REQUEST_DOWNLOAD:
        read_transfer(ctx, parameters);
        s7_read_file_name(ctx, ft_sub_u8(parameters), NULL);
        if (parameters->len)
            read_lengths(ctx, parameters);
        break;
    case S7_DOWNLOAD_BLOCK:
    case S7_DOWNLOAD_ENDED:
    case S7_START_UPLOAD:
        read_transfer(ctx, parameters);
        s7_read_file_name(ctx, ft_sub_u8(parameters), kept);
        break;
    case S7_UPLOAD:
    case S7_END_UPLOAD:
        read_transfer(ctx, parameters);
        break;
    case S7_STOP:
        read_stop(ctx, parameters);
        break;
    default:
        break;
    }
}

static void read_job(struct ft_context *ctx, const struct s7_header *header,
                     struct ft_view *parameters, struct ft_view *data)
{
    struct s7_kept kept = {0};
    struct pi_service pi = {.number = 0};
    uint8_t function = ft_u8(parameters);

    if (function == S7_PI_SERVICE)
        pi = find_pi_service(*parameters);
    kept.function = function;
    kept.qualifier = pi.number;
    ft_set_kind(ctx, FT_KIND_REQUEST);
    direct(ctx, function, true);
    ft_command(ctx, function, pi.number);

    s7_put_header(ctx, header);
    ft_put_uint(ctx, S7_F_FUNCTION, function, parameters);
    judge_job(ctx, function);
    if (function == S7_PI_SERVICE)
        put_pi_service(ctx, &pi);
    else
        read_job_body(ctx, function, parameters, data, &kept);
    ft_request(ctx, FT_SCOPE_FLOW, s7_pair_key(header), &kept, sizeof(kept));
}

/* ---- answers ------------------------------------------------------------------------------- */

static void judge_answer(struct ft_context *ctx, uint8_t function, const struct s7_kept *kept)
{
    const struct s7_flow *flow = ctx->flow_state;
    if (!kept && !ctx->is_midstream && flow->is_job_seen[is_reversed(function)])
        ft_violation(ctx, S7_V_NO_JOB, NULL);
}

static void read_upload_size(struct ft_context *ctx, struct ft_view *v)
{
    struct ft_view digits = ft_sub_u8(v);
    uint32_t n = digits.len;
    if (n && n <= 9)
        ft_put_uint(ctx, S7_F_LOAD_SIZE, s7_read_decimal(&digits, n), &digits);
}

static void read_answer_body(struct ft_context *ctx, uint8_t function, struct ft_view *parameters,
                             struct ft_view *data, const struct s7_kept *kept)
{
    switch (function) {
    case S7_SETUP:
        read_setup(ctx, parameters, false);
        break;
    case S7_READ:
        s7_read_results(ctx, data, read_item_count(ctx, parameters), kept);
        break;
    case S7_WRITE:
        s7_read_return_codes(ctx, data, read_item_count(ctx, parameters), kept);
        break;
    case S7_DOWNLOAD_BLOCK:
        if (kept && kept->block.type)
            s7_put_block(ctx, kept->block.type, kept->block.number, NULL);
        s7_read_block_data(ctx, data, !(read_status(ctx, parameters) & 1));
        break;
    case S7_START_UPLOAD:
        if (kept && kept->block.type)
            s7_put_block(ctx, kept->block.type, kept->block.number, NULL);
        read_transfer(ctx, parameters);
        read_upload_size(ctx, parameters);
        break;
    case S7_UPLOAD:
        s7_read_block_data(ctx, data, !(read_status(ctx, parameters) & 1));
        break;
    default:
        break;
    }
}

static void read_answer(struct ft_context *ctx, const struct s7_header *header,
                        struct ft_view *parameters, struct ft_view *data)
{
    bool is_named = parameters->len > 0;
    uint8_t function = is_named ? ft_u8(parameters) : 0;

    ft_set_kind(ctx, header->error ? FT_KIND_EXCEPTION : FT_KIND_RESPONSE);
    if (is_named)
        direct(ctx, function, false);
    const struct s7_kept *kept = ft_response(ctx, FT_SCOPE_FLOW, s7_pair_key(header));
    if (!is_named && kept)
        function = kept->function;
    else if (kept && kept->function != function)
        kept = NULL;
    ft_command(ctx, is_named || kept ? function : S7_CODE_ACK, kept ? kept->qualifier : 0);

    s7_put_header(ctx, header);
    if (is_named)
        ft_put_uint(ctx, S7_F_FUNCTION, function, parameters);
    judge_answer(ctx, function, kept);
    if (function == S7_STOP && kept && !header->error)
        s7_put_mode(ctx, S7_MODE_STOP, parameters);
    if (is_named && (parameters->len || data->len))
        read_answer_body(ctx, function, parameters, data, kept);
}

/* ---- the PDU ------------------------------------------------------------------------------- */

static void read_unknown(struct ft_context *ctx, const struct s7_header *header,
                         const struct ft_view *at)
{
    ft_command(ctx, S7_CODE_ACK | header->rosctr, 0);
    s7_put_header(ctx, header);
    ft_violation(ctx, S7_V_ROSCTR, at);
}

static void judge_size(struct ft_context *ctx, const struct s7_header *header)
{
    const struct s7_flow *flow = ctx->flow_state;
    if (flow->pdu_size && header->length > flow->pdu_size)
        ft_violation(ctx, S7_V_PDU_SIZE, NULL);
}

void s7_dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    struct s7_header header = {.length = pdu->len, .start = *pdu};
    if (!ctx->flow_state)
        return;
    if (ft_u8(pdu) != S7_PROTOCOL_ID) {
        ft_violation(ctx, FT_VIOLATION_NOT_PROTOCOL, pdu);
        ft_rest(pdu);
        return;
    }
    header.rosctr = ft_u8(pdu);
    header.redundancy_id = ft_u16be(pdu);
    header.reference = ft_u16be(pdu);
    uint16_t parameter_length = ft_u16be(pdu);
    uint16_t data_length = ft_u16be(pdu);
    if (header.rosctr == S7_ACK || header.rosctr == S7_ACK_DATA)
        header.error = ft_u16be(pdu);
    if (!ft_view_ok(pdu))
        return;
    struct ft_view parameters = ft_sub(pdu, parameter_length);
    struct ft_view data = ft_sub(pdu, data_length);

    switch (header.rosctr) {
    case S7_JOB:
        read_job(ctx, &header, &parameters, &data);
        break;
    case S7_ACK:
    case S7_ACK_DATA:
        read_answer(ctx, &header, &parameters, &data);
        break;
    case S7_USERDATA:
        s7_read_userdata(ctx, &header, &parameters, &data);
        break;
    default:
        read_unknown(ctx, &header, pdu);
        break;
    }
    judge_size(ctx, &header);
    bool is_short = ft_view_is_malformed(&parameters) || ft_view_is_malformed(&data);
    if ((is_short || pdu->len) && ft_view_ok(pdu))
        ft_violation(ctx, S7_V_LENGTH, NULL);
    ft_rest(pdu);
}
