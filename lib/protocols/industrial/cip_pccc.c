/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PCCC, the commands of PLC-2/3/5, SLC 500 and MicroLogix controllers (Rockwell publication
 * 1770-6.5.16, "DF1 Protocol and Command Set", chapter 7). It travels inside CIP (class 0x67) and
 * in CSPv4. What it does to the plant is said by CMD and FNC, and for reads and writes by the type
 * of the file: file type 0x22 is the program.
 */
#include "cip.h"

enum {
    CMD_REPLY = 0x40,
    CMD_DIAGNOSTIC = 0x06,
    CMD_PLC3 = 0x07,
    CMD_EXTENDED = 0x0f,
    STS_EXTENDED = 0xf0,
    FILE_LADDER = 0x22,
};

/* What a command leaves for its reply. */
struct pccc_keep {
    uint8_t cmd, fnc;
    uint8_t file_type;
    uint8_t has_address;
    uint16_t file_no, element, sub_element;
};

/* Who asks: in CIP the requester id, in CSPv4 the DF1 nodes. */
struct origin {
    bool is_df1;
    uint8_t destination, source;
    uint16_t vendor;
    uint32_t serial;
};

/* Address of a data file, as protected typed logical commands give it. */
struct address {
    uint16_t file_no, element, sub_element;
    uint8_t type;
};

const struct ft_name ft_cip_pccc_cmd_names[] = {
    {0x00, "protected_write"},       {0x01, "unprotected_read"}, {0x02, "protected_bit_write"},
    {0x05, "unprotected_bit_write"}, {0x06, "diagnostics"},      {0x07, "plc3_mode"},
    {0x08, "unprotected_write"},     {0x0f, "extended"},         {0, NULL}};

const struct ft_name ft_cip_pccc_status_names[] = {{0x00, "success"},
                                                   {0x10, "illegal_command_or_format"},
                                                   {0x20, "host_will_not_communicate"},
                                                   {0x30, "remote_node_missing"},
                                                   {0x40, "hardware_fault"},
                                                   {0x50, "addressing_problem_or_memory_protected"},
                                                   {0x60, "function_disallowed_by_protection"},
                                                   {0x70, "processor_in_program_mode"},
                                                   {0x80, "compatibility_file_missing"},
                                                   {0x90, "remote_node_cannot_buffer"},
                                                   {0xa0, "wait_acknowledge"},
                                                   {0xb0, "remote_node_downloading"},
                                                   {0xc0, "wait_acknowledge_2"},
                                                   {0xf0, "see_extended_status"},
                                                   {0, NULL}};

const struct ft_name ft_cip_pccc_ext_status_names[] = {{0x01, "illegal_field"},
                                                       {0x02, "too_few_address_levels"},
                                                       {0x03, "too_many_address_levels"},
                                                       {0x04, "symbol_not_found"},
                                                       {0x05, "symbol_malformed"},
                                                       {0x06, "address_unusable"},
                                                       {0x07, "wrong_file_size"},
                                                       {0x08, "situation_changed"},
                                                       {0x09, "data_too_large"},
                                                       {0x0a, "transaction_too_large"},
                                                       {0x0b, "access_denied"},
                                                       {0x0c, "resource_not_available"},
                                                       {0x0d, "resource_already_available"},
                                                       {0x0e, "cannot_be_executed"},
                                                       {0x0f, "histogram_overflow"},
                                                       {0x10, "no_access"},
                                                       {0x11, "illegal_data_type"},
                                                       {0x12, "invalid_parameter"},
                                                       {0x13, "deleted_area"},
                                                       {0x14, "unknown_failure"},
                                                       {0x15, "data_conversion_error"},
                                                       {0x16, "scanner_cannot_communicate"},
                                                       {0x17, "type_mismatch"},
                                                       {0x18, "invalid_module_response"},
                                                       {0x19, "duplicate_label"},
                                                       {0x1a, "file_owned_by_another"},
                                                       {0x1b, "program_owned_by_another"},
                                                       {0x1e, "element_protected"},
                                                       {0x1f, "temporary_problem"},
                                                       {0x22, "remote_rack_fault"},
                                                       {0x23, "timeout"},
                                                       {0x24, "unknown_error"},
                                                       {0, NULL}};

const struct ft_name ft_cip_pccc_file_names[] = {{0x22, "ladder"},
                                                 {0x49, "channel_configuration"},
                                                 {0x4a, "ethernet_function"},
                                                 {0x65, "online_edit"},
                                                 {0x6a, "ios_function"},
                                                 {0x82, "output"},
                                                 {0x83, "input"},
                                                 {0x84, "status"},
                                                 {0x85, "bit"},
                                                 {0x86, "timer"},
                                                 {0x87, "counter"},
                                                 {0x88, "control"},
                                                 {0x89, "integer"},
                                                 {0x8a, "float"},
                                                 {0x8d, "string"},
                                                 {0x8e, "ascii"},
                                                 {0x91, "long"},
                                                 {0x92, "message"},
                                                 {0x93, "pid"},
                                                 {0xa1, "output_forces"},
                                                 {0xa2, "input_forces"},
                                                 {0xe0, "es0_function"},
                                                 {0xe2, "sti_function"},
                                                 {0xe3, "eii_function"},
                                                 {0xe4, "rtc_function"},
                                                 {0xe5, "bhi_function"},
                                                 {0xe6, "memory_module_function"},
                                                 {0xec, "lcd_function"},
                                                 {0xed, "pto_function"},
                                                 {0xee, "pwm_function"},
                                                 {0, NULL}};

const struct ft_name ft_cip_pccc_mode_names[] = {{0x01, "remote_program"},
                                                 {0x02, "run"},
                                                 {0x06, "remote_run"},
                                                 {0x07, "remote_test_continuous"},
                                                 {0x08, "remote_test_single"},
                                                 {0x09, "remote_test_debug"},
                                                 {0, NULL}};

static bool has_function(uint8_t cmd)
{
    return cmd == CMD_DIAGNOSTIC || cmd == CMD_PLC3 || cmd == CMD_EXTENDED;
}

/* A number of one byte, or after 0xFF of two. */
static uint16_t read_short(struct ft_view *v)
{
    uint16_t x = ft_u8(v);

    return x == 0xff ? ft_u16le(v) : x;
}

static void put_origin(struct ft_context *ctx, const struct origin *o)
{
    if (o->is_df1) {
        ft_put_uint(ctx, CIP_PCCC_DESTINATION, o->destination, NULL);
        ft_put_uint(ctx, CIP_PCCC_SOURCE, o->source, NULL);
    } else {
        ft_put_uint(ctx, CIP_PCCC_VENDOR, o->vendor, NULL);
        ft_put_uint(ctx, CIP_PCCC_REQUESTER, o->serial, NULL);
    }
}

static void put_address(struct ft_context *ctx, const struct address *a, bool has_sub_element)
{
    ft_put_uint(ctx, CIP_PCCC_FILE_NO, a->file_no, NULL);
    ft_put_uint(ctx, CIP_PCCC_FILE_TYPE, a->type, NULL);
    ft_put_uint(ctx, CIP_PCCC_ELEMENT, a->element, NULL);
    if (has_sub_element)
        ft_put_uint(ctx, CIP_PCCC_SUB_ELEMENT, a->sub_element, NULL);
}

static struct address read_address(struct ft_view *v, bool has_sub_element)
{
    struct address a = {.file_no = read_short(v)};

    a.type = ft_u8(v);
    a.element = read_short(v);
    if (has_sub_element)
        a.sub_element = read_short(v);
    return a;
}

static void put_rest(struct ft_context *ctx, struct ft_view *v)
{
    struct ft_view rest = ft_rest(v);

    if (rest.len)
        ft_put_bytes(ctx, CIP_PCCC_DATA, rest);
}

/* Is this function one of those with a logical address, and with how many fields? */
static unsigned logical_fields(uint8_t fnc)
{
    switch (fnc) {
    case 0xa1:
    case 0xa9:
        return 2;
    case 0xa2:
    case 0xaa:
    case 0xab:
        return 3;
    default:
        return 0;
    }
}

/* [size][file][type][element][sub-element] {mask} {data} */
static void read_logical(struct ft_context *ctx, uint8_t fnc, struct pccc_keep *keep,
                         struct ft_view *v)
{
    bool has_sub_element = logical_fields(fnc) == 3;
    uint8_t size = ft_u8(v);

    ft_put_uint(ctx, CIP_PCCC_SIZE, size, v);
    struct address a = read_address(v, has_sub_element);
    put_address(ctx, &a, has_sub_element);
    if (fnc == 0xab) {
        uint16_t mask = ft_u16le(v);
        ft_put_uint(ctx, CIP_PCCC_MASK, mask, v);
    }
    keep->has_address = has_sub_element ? 3 : 2;
    keep->file_no = a.file_no;
    keep->file_type = a.type;
    keep->element = a.element;
    keep->sub_element = a.sub_element;
}

/* PLC-5: [packet offset u16][total transaction u16][PLC-5 system address][size] {data} */
static void read_range(struct ft_context *ctx, struct ft_view *v)
{
    uint16_t offset = ft_u16le(v);
    ft_put_uint(ctx, CIP_PCCC_OFFSET, offset, v);
    uint16_t total = ft_u16le(v);
    ft_put_uint(ctx, CIP_PCCC_SIZE, total, v);
}

static bool is_stop(uint8_t fnc, uint8_t mode)
{
    if (fnc == 0x3a)
        return (mode & 3) == 1;
    return mode == 1;
}

static void read_mode(struct ft_context *ctx, uint8_t fnc, struct ft_view *v)
{
    uint8_t mode = ft_u8(v);

    ft_put_uint(ctx, CIP_PCCC_MODE, mode, v);
    if (ft_view_ok(v) && is_stop(fnc, mode))
        ft_violation(ctx, CIP_CONTROLLER_STOP, v);
}

static void read_extended(struct ft_context *ctx, uint8_t fnc, struct pccc_keep *keep,
                          struct ft_view *v)
{
    switch (fnc) {
    case 0x00:
    case 0x01:
    case 0x67:
    case 0x68:
        read_range(ctx, v);
        break;
    case 0x07:
        ft_violation(ctx, CIP_CONTROLLER_STOP, v);
        break;
    case 0x0a:
        ft_violation(ctx, CIP_CONTROLLER_RESET, v);
        break;
    case 0x3a:
    case 0x80:
        read_mode(ctx, fnc, v);
        break;
    case 0xa1:
    case 0xa2:
    case 0xa9:
    case 0xaa:
    case 0xab:
        read_logical(ctx, fnc, keep, v);
        break;
    default:
        break;
    }
}

/* PLC-2: [address u16] {size or data} */
static void read_basic(struct ft_context *ctx, uint8_t cmd, struct ft_view *v)
{
    if (cmd != 0x00 && cmd != 0x01 && cmd != 0x08)
        return;
    uint16_t address = ft_u16le(v);
    ft_put_uint(ctx, CIP_PCCC_ADDRESS, address, v);
    if (cmd == 0x01) {
        uint8_t size = ft_u8(v);
        ft_put_uint(ctx, CIP_PCCC_SIZE, size, v);
    }
}

/* Reads and writes of the program are no reads and writes. Peeked before the command is named. */
static enum ft_class class_by_file(uint8_t fnc, const struct ft_view *v)
{
    struct ft_view ahead = *v;

    if (!logical_fields(fnc))
        return FT_CLASS_UNKNOWN;
    ft_skip(&ahead, 1);
    struct address a = read_address(&ahead, false);
    if (!ft_view_ok(&ahead) || a.type != FILE_LADDER)
        return FT_CLASS_UNKNOWN;
    return fnc < 0xa9 ? FT_CLASS_UPLOAD : FT_CLASS_PROGRAM;
}

static void read_command(struct ft_context *ctx, struct ft_view *v, uint64_t key,
                         const struct origin *origin)
{
    struct pccc_keep keep = {.cmd = ft_u8(v)};
    struct ft_view cmd_at = *v;
    uint8_t sts = ft_u8(v);
    struct ft_view sts_at = *v;
    uint16_t tns = ft_u16le(v);
    struct ft_view tns_at = *v;

    bool is_reply = keep.cmd & CMD_REPLY;
    keep.cmd &= (uint8_t)~CMD_REPLY;
    if (has_function(keep.cmd))
        keep.fnc = ft_u8(v);
    ft_set_kind(ctx, FT_KIND_REQUEST);
    ft_command(ctx, FT_CIP_PCCC_CODE(keep.cmd, keep.fnc), 0);
    enum ft_class class_ = keep.cmd == CMD_EXTENDED ? class_by_file(keep.fnc, v) : FT_CLASS_UNKNOWN;
    if (class_ != FT_CLASS_UNKNOWN)
        ft_set_class(ctx, class_);

    ft_group_begin(ctx, CIP_PCCC);
    put_origin(ctx, origin);
    ft_put_uint(ctx, CIP_PCCC_CMD, keep.cmd, &cmd_at);
    ft_put_uint(ctx, CIP_PCCC_STS, sts, &sts_at);
    ft_put_uint(ctx, CIP_PCCC_TNS, tns, &tns_at);
    if (has_function(keep.cmd))
        ft_put_uint(ctx, CIP_PCCC_FNC, keep.fnc, v);
    if (is_reply)
        ft_violation(ctx, CIP_PCCC_DIRECTION, &cmd_at);
    if (keep.cmd == CMD_EXTENDED)
        read_extended(ctx, keep.fnc, &keep, v);
    else if (keep.cmd == CMD_PLC3 && keep.fnc == 0)
        ft_violation(ctx, CIP_CONTROLLER_STOP, v);
    else if (!has_function(keep.cmd))
        read_basic(ctx, keep.cmd, v);
    if (ft_view_ok(v))
        ft_request(ctx, FT_SCOPE_FLOW, ft_cip_key_inside(key, tns), &keep, sizeof(keep));
}

/*
 * Diagnostic status of SLC 500 and MicroLogix: mode, 0xEE, interface, processor, series and
 * revision, then the catalog number in eleven characters.
 */
static void read_status(struct ft_context *ctx, bool is_addressed, struct ft_view *v)
{
    struct ft_view status = *v;

    ft_skip(&status, 1);
    if (ft_u8(&status) != 0xee)
        return;
    ft_skip(&status, 3);
    struct ft_view catalog = ft_sub(&status, 11);
    if (!ft_view_ok(&status))
        return;
    while (catalog.len &&
           (catalog.data[catalog.len - 1] == ' ' || catalog.data[catalog.len - 1] == 0))
        catalog.len--;
    ft_put_string(ctx, CIP_PCCC_CATALOG, catalog);
    if (!is_addressed || !catalog.len)
        return;
    ft_asset_text(ctx, FT_SERVER, FT_FACT_VENDOR, "Rockwell Automation");
    ft_asset(ctx, FT_SERVER, FT_FACT_MODEL, catalog);
    ft_asset_role(ctx, FT_SERVER, FT_ROLE_PLC);
}

static void put_kept(struct ft_context *ctx, const struct pccc_keep *keep)
{
    struct address a = {.file_no = keep->file_no,
                        .element = keep->element,
                        .sub_element = keep->sub_element,
                        .type = keep->file_type};

    if (has_function(keep->cmd))
        ft_put_uint(ctx, CIP_PCCC_FNC, keep->fnc, NULL);
    if (keep->has_address)
        put_address(ctx, &a, keep->has_address == 3);
}

/* The program is told apart from data in the reply as in the command. */
static void name_reply(struct ft_context *ctx, uint8_t cmd, const struct pccc_keep *keep)
{
    ft_command(ctx, FT_CIP_PCCC_CODE(cmd, keep ? keep->fnc : 0), 0);
    if (keep && keep->has_address && keep->file_type == FILE_LADDER)
        ft_set_class(ctx, keep->fnc < 0xa9 ? FT_CLASS_UPLOAD : FT_CLASS_PROGRAM);
}

static void read_reply(struct ft_context *ctx, struct ft_view *v, uint64_t key,
                       const struct origin *origin, bool is_addressed)
{
    uint8_t cmd = ft_u8(v);
    struct ft_view cmd_at = *v;
    uint8_t sts = ft_u8(v);
    struct ft_view sts_at = *v;
    uint16_t tns = ft_u16le(v);
    struct ft_view tns_at = *v;
    const struct pccc_keep *keep = ft_response(ctx, FT_SCOPE_FLOW, ft_cip_key_inside(key, tns));
    bool is_reply = cmd & CMD_REPLY;

    cmd &= (uint8_t)~CMD_REPLY;
    if (keep && keep->cmd != cmd)
        keep = NULL;
    ft_set_kind(ctx, sts ? FT_KIND_EXCEPTION : FT_KIND_RESPONSE);
    name_reply(ctx, cmd, keep);

    ft_group_begin(ctx, CIP_PCCC);
    put_origin(ctx, origin);
    ft_put_uint(ctx, CIP_PCCC_CMD, cmd, &cmd_at);
    ft_put_uint(ctx, CIP_PCCC_STS, sts, &sts_at);
    ft_put_uint(ctx, CIP_PCCC_TNS, tns, &tns_at);
    if (keep)
        put_kept(ctx, keep);
    if (!is_reply)
        ft_violation(ctx, CIP_PCCC_DIRECTION, &cmd_at);
    if (sts == STS_EXTENDED && v->len) {
        uint8_t extended = ft_u8(v);
        ft_put_uint(ctx, CIP_PCCC_EXT_STS, extended, v);
    }
    if (sts)
        ft_violation(ctx, CIP_PCCC_FAILED, &sts_at);
    else if (keep && keep->cmd == CMD_DIAGNOSTIC && keep->fnc == 0x03)
        read_status(ctx, is_addressed, v);
}

/* From CMD on. Both functions begin the group when the command is named. */
static void read_message(struct ft_context *ctx, struct ft_view *v, uint64_t key,
                         const struct origin *origin, bool is_response, bool is_addressed)
{
    if (is_response)
        read_reply(ctx, v, key, origin, is_addressed);
    else
        read_command(ctx, v, key, origin);
    put_rest(ctx, v);
    ft_group_end(ctx, CIP_PCCC);
}

void ft_cip_pccc_csp_read(struct ft_context *ctx, struct ft_view *v, uint64_t key)
{
    struct origin origin = {.is_df1 = true};

    origin.destination = ft_u8(v);
    origin.source = ft_u8(v);
    ft_skip(v, 2);
    int cmd = ft_peek_u8(v, 0);
    bool is_response = cmd >= 0 && cmd & CMD_REPLY;
    ft_set_direction(ctx, is_response ? FT_TO_CLIENT : FT_TO_SERVER);
    read_message(ctx, v, key, &origin, is_response, true);
}

void ft_cip_pccc_execute(struct ft_context *ctx, struct ft_view *v, uint64_t key, bool is_response,
                         bool is_addressed)
{
    struct origin origin = {0};

    /* The length of the requester id counts itself; more than vendor and serial is allowed. */
    uint32_t length = ft_u8(v);
    struct ft_view id = ft_sub(v, length ? length - 1 : 0);
    origin.vendor = ft_u16le(&id);
    origin.serial = ft_u32le(&id);
    struct ft_view message = ft_rest(v);
    if (!ft_view_ok(v) || !ft_message_begin(ctx))
        return;
    read_message(ctx, &message, key, &origin, is_response, is_addressed);
    if (ft_view_is_malformed(&message))
        ft_violation(ctx, FT_VIOLATION_MALFORMED, &message);
    ft_message_end(ctx);
}
