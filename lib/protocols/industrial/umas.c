/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * UMAS: what Schneider Electric's engineering tools say to Modicon controllers under Modbus
 * function 90 (M340, M580, Premium, Quantum, Momentum).
 *
 *   request    session key, function, data
 *   response   session key, status (0xFE done, 0xFD refused), data; not the function: it is known
 *              from the request only
 *   signed     function 0x38 (or status 0xFE), magic, 32 bytes of signature, then 0x5A and the
 *              message itself
 *
 * Little-endian, unlike the Modbus around it. The selector says under which transaction id of
 * Modbus/TCP a message came, so that several requests may wait at a time.
 *
 * No specification is published; what is here was found by others and checked on captures:
 * Kaspersky ICS CERT, "The secrets of Schneider Electric's UMAS protocol" (2022); L. Liras, "The
 * Unity (UMAS) protocol".
 */
#include <stdio.h>

#include "modbus_pdu.h"

enum {
    STATUS_DONE = 0xFE,
    STATUS_REFUSED = 0xFD,
    SIGNATURE = 32,
    RESERVED_BIT = 0x08, /* of the first status byte: somebody holds the reservation */
    PENDING_MAX = 8,     /* unanswered requests under one transaction id that are passed over */
};

/* Functions whose data is read here. */
enum function {
    INIT_COMM = 0x01,
    READ_ID = 0x02,
    READ_PROJECT_INFO = 0x03,
    GET_PLC_STATUS = 0x04,
    READ_CARD_INFO = 0x06,
    REPEAT = 0x0A,
    TAKE_RESERVATION = 0x10,
    RELEASE_RESERVATION = 0x11,
    READ_MEMORY_BLOCK = 0x20,
    WRITE_MEMORY_BLOCK = 0x21,
    READ_VARIABLES = 0x22,
    WRITE_VARIABLES = 0x23,
    DATA_DICTIONARY = 0x26,
    DATA_DICTIONARY_PRELOAD = 0x27,
    BEGIN_DOWNLOAD = 0x30,
    DOWNLOAD_BLOCK = 0x31,
    END_DOWNLOAD = 0x32,
    BEGIN_UPLOAD = 0x33,
    UPLOAD_BLOCK = 0x34,
    END_UPLOAD = 0x35,
    BACKUP = 0x36,
    SIGNED = 0x38,
    START_PLC = 0x40,
    STOP_PLC = 0x41,
    MONITOR_PLC = 0x50,
    CHECK_PLC = 0x58,
};

enum field {
    ROOT = 0,
    SESSION_KEY,
    FUNCTION,
    STATUS,
    IS_SIGNED,
    SUB_FUNCTION,
    ERROR_CODE,
    EXCEPTION_CODE,
    MAX_FRAME,
    HOST_NAME,
    CLIENT_NAME,
    RANGE,
    BLOCK,
    OFFSET,
    COUNT,
    TRANSFER_DIRECTION,
    TRANSFER_BLOCK,
    TRANSFER_LENGTH,
    IS_LAST_BLOCK,
    START_STOP,
    VARIABLES_CRC,
    VARIABLES,
    VARIABLE_BLOCK,
    VARIABLE_BASE,
    VARIABLE_OFFSET,
    VARIABLE_SIZE,
    VARIABLE_COUNT,
    VARIABLE_VALUE,
    DICTIONARY_RECORD,
    DICTIONARY_INDEX,
    DICTIONARY_HARDWARE,
    MONITOR_OPERATION,
    PLC,
    PLC_MODEL,
    PLC_IDENT,
    PLC_MODEL_CODE,
    PLC_FIRMWARE,
    PLC_PATCH,
    PLC_INTERNAL_VERSION,
    PLC_HARDWARE_VERSION,
    PLC_CRASH_CODE,
    MEMORY_BANKS,
    BANK_TYPE,
    BANK_FOLIO,
    BANK_STATUS,
    BANK_SIZE,
    PROJECT,
    PROJECT_NAME,
    PROJECT_VERSION,
    PROJECT_MODIFIED,
    IS_RESERVED,
    BLOCK_CRCS,
    CARD_NAME,
    DATA,
};

enum violation {
    V_STATUS = 0,
    V_SIGNATURE,
    V_TRANSFER_GAP,
    V_KEY,
};

/* Flow state. */
struct flow {
    uint8_t key; /* session key in use, when has_key */
    uint8_t has_key;
    uint8_t in_transfer; /* next_block is known */
    uint16_t next_block;
    uint8_t has_client; /* told the inventory that the client is an engineering station */
};

/* What a request leaves for its response. */
struct request {
    uint8_t function; /* inside the signature, if there is one */
    uint8_t sub;
    uint8_t is_signed;
    uint8_t is_set;
    uint16_t block;
    uint16_t offset;
    uint16_t count;
};

/* A message while it is read. */
struct reading {
    struct ft_context *ctx;
    struct flow *flow;
    struct request keep;
};

_Static_assert(sizeof(struct flow) <= FT_MAX_FLOW_STATE, "flow state");
_Static_assert(sizeof(struct request) <= FT_MAX_PAIR_KEEP, "kept with a request");

/* clang-format off */
static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_PARENT, .parent = "modbus", .value = 0x5A0000, .last = 0x5AFFFF},
    {.kind = FT_CARRIER_PARENT, .parent = "modbus", .value = 0xDA0000, .last = 0xDAFFFF},
    {.kind = FT_CARRIER_PARENT, .parent = "modbus_rtu", .value = 0x5A0000},
    {.kind = FT_CARRIER_PARENT, .parent = "modbus_rtu", .value = 0xDA0000},
};

static const struct ft_name status_names[] = {
    {STATUS_DONE, "done"}, {STATUS_REFUSED, "refused"}, {0, NULL},
};

static const struct ft_name error_names[] = {
    {0x06, "reserved_by_other"}, {0x81, "reservation_held"}, {0x83, "dictionary_disabled"},
    {0xC0, "access_denied"}, {0, NULL},
};

static const struct ft_name transfer_names[] = {
    {1, "to_plc"}, {2, "from_plc"}, {0, NULL},
};

static const struct ft_name start_stop_names[] = {
    {START_PLC, "start"}, {STOP_PLC, "stop"}, {0, NULL},
};

static const struct ft_name record_names[] = {
    {0xDD02, "variable_names"}, {0xDD03, "data_types"}, {0, NULL},
};

static const struct ft_name operation_names[] = {
    {0x05, "register_variable"}, {0x07, "read_all"}, {0x09, "register_and_read"}, {0x0B, "reset"},
    {0, NULL},
};

static const struct ft_name function_names[] = {
    {0x01, "init_comm"}, {0x02, "read_id"}, {0x03, "read_project_info"}, {0x04, "get_plc_status"},
    {0x05, "get_loader_info"}, {0x06, "get_memory_card_info"}, {0x07, "get_block_info"},
    {0x0A, "repeat"}, {0x10, "take_reservation"}, {0x11, "release_reservation"},
    {0x12, "keep_alive"}, {0x20, "read_memory_block"}, {0x21, "write_memory_block"},
    {0x22, "read_variables"}, {0x23, "write_variables"}, {0x24, "read_coils_registers"},
    {0x25, "write_coils_registers"}, {0x26, "data_dictionary"},
    {0x27, "data_dictionary_preload"}, {0x28, "read_physical_address"},
    {0x29, "write_physical_address"}, {0x2A, "browse_events"}, {0x30, "begin_download"},
    {0x31, "download_block"}, {0x32, "end_download"}, {0x33, "begin_upload"},
    {0x34, "upload_block"}, {0x35, "end_upload"}, {0x36, "backup"}, {0x37, "preload_blocks"},
    {0x38, "signed_message"}, {0x39, "read_ethernet_master_data"}, {0x40, "start_plc"},
    {0x41, "stop_plc"}, {0x42, "init_plc"}, {0x43, "swap_blocks"}, {0x50, "monitor_plc"},
    {0x51, "auto_modification"}, {0x52, "forced_bits"}, {0x53, "selected_blocks"},
    {0x58, "check_plc"}, {0x60, "set_breakpoint"}, {0x61, "delete_breakpoint"},
    {0x62, "step_over"}, {0x63, "step_in"}, {0x64, "step_out"}, {0x65, "get_call_stack"},
    {0x66, "check_debug_allowed"}, {0x6C, "process_message"}, {0x6D, "private_message"},
    {0x6E, "exchange_nonce"}, {0x70, "read_io_object"}, {0x71, "write_io_object"},
    {0x72, "read_rack"}, {0x73, "read_module_status"}, {0x74, "read_device_data"}, {0, NULL},
};

static const struct ft_field fields[] = {
    {"umas", "Schneider UMAS", NULL, 0, FT_TYPE_GROUP, 0, 0},
    {"session_key", "Session key; 0 = without reservation", NULL, 0, FT_TYPE_UINT, 0, 8},
    {"function", "Function; of a response that of its request", function_names, 0, FT_TYPE_ENUM, 0, 8},
    {"status", "Status of a response", status_names, 0, FT_TYPE_ENUM, 0, 8},
    {"is_signed", "Inside a signed message", NULL, 0, FT_TYPE_BOOL, 0, 0},
    {"sub_function", "Sub-function", NULL, 0, FT_TYPE_UINT, 0, 8},
    {"error_code", "First byte of a refusal", error_names, 0, FT_TYPE_ENUM, 0, 8},
    {"exception_code", "Modbus exception instead of a UMAS answer", NULL, 0, FT_TYPE_UINT, 0, 8},
    {"max_frame", "Longest frame that the controller takes", NULL, 0, FT_TYPE_UINT, 0, 16},
    {"host_name", "Name of the controller", NULL, 0, FT_TYPE_STRING, 0, 0},
    {"reservation_client_name", "Host that takes the reservation", NULL, 0, FT_TYPE_STRING, 0, 0},
    {"range", "Memory range", NULL, 0, FT_TYPE_UINT, 0, 8},
    {"block", "Memory block", NULL, 0, FT_TYPE_UINT, 0, 16},
    {"offset", "Offset in the block", NULL, 0, FT_TYPE_UINT, 0, 16},
    {"count", "Bytes read or written", NULL, 0, FT_TYPE_UINT, 0, 16},
    {"transfer_dir", "Direction of a program transfer", transfer_names, 0, FT_TYPE_ENUM, 0, 2},
    {"transfer_block_no", "Number of the block in a transfer", NULL, 0, FT_TYPE_UINT, 0, 16},
    {"transfer_len", "Bytes of the block, or longest block", NULL, 0, FT_TYPE_UINT, 0, 16},
    {"last_block", "Last block of the transfer", NULL, 0, FT_TYPE_BOOL, 0, 0},
    {"start_stop", "Start or stop of the controller", start_stop_names, 0, FT_TYPE_ENUM, 0, 8},
    {"variables_crc", "CRC of the data blocks that the client knows", NULL, 0, FT_TYPE_UINT, 0, 32},
    {"variables", "Variables read or written", NULL, 0, FT_TYPE_GROUP, FT_FIELD_LIST, 0},
    {"block", "Data block", NULL, VARIABLES, FT_TYPE_UINT, 0, 16},
    {"base", "Base offset in the block", NULL, VARIABLES, FT_TYPE_UINT, 0, 16},
    {"offset", "Offset from the base", NULL, VARIABLES, FT_TYPE_UINT, 0, 8},
    {"size", "Bytes of one element", NULL, VARIABLES, FT_TYPE_UINT, 0, 8},
    {"count", "Elements of an array", NULL, VARIABLES, FT_TYPE_UINT, 0, 16},
    {"value", "Value written", NULL, VARIABLES, FT_TYPE_BYTES, 0, 0},
    {"dictionary_record", "Kind of dictionary entries asked for", record_names, 0, FT_TYPE_ENUM, 0, 16},
    {"dictionary_index", "Index in the dictionary", NULL, 0, FT_TYPE_UINT, 0, 8},
    {"dictionary_hardware_id", "Hardware id of the dictionary", NULL, 0, FT_TYPE_UINT, 0, 32},
    {"monitor_operation", "First operation of a monitor request", operation_names, 0, FT_TYPE_ENUM, 0, 8},
    {"plc", "Identity of the controller", NULL, 0, FT_TYPE_GROUP, 0, 0},
    {"model", "CPU reference", NULL, PLC, FT_TYPE_STRING, 0, 0},
    {"ident", "Identification number", NULL, PLC, FT_TYPE_UINT, 0, 32},
    {"model_code", "Model number", NULL, PLC, FT_TYPE_UINT, 0, 16},
    {"firmware", "Firmware version", NULL, PLC, FT_TYPE_STRING, 0, 0},
    {"patch", "Patch level", NULL, PLC, FT_TYPE_UINT, 0, 16},
    {"internal_version", "Internal version", NULL, PLC, FT_TYPE_UINT, 0, 16},
    {"hardware_version", "Hardware version", NULL, PLC, FT_TYPE_UINT, 0, 16},
    {"crash_code", "Code of the last crash", NULL, PLC, FT_TYPE_UINT, 0, 32},
    {"memory_banks", "Memory of the controller", NULL, PLC, FT_TYPE_GROUP, FT_FIELD_LIST, 0},
    {"type", "Kind of memory", NULL, MEMORY_BANKS, FT_TYPE_UINT, 0, 8},
    {"folio", "Folio", NULL, MEMORY_BANKS, FT_TYPE_UINT, 0, 8},
    {"status", "Status", NULL, MEMORY_BANKS, FT_TYPE_UINT, 0, 16},
    {"size", "Size", NULL, MEMORY_BANKS, FT_TYPE_UINT, 0, 32},
    {"project", "Project in the controller", NULL, 0, FT_TYPE_GROUP, 0, 0},
    {"name", "Name", NULL, PROJECT, FT_TYPE_STRING, 0, 0},
    {"version", "Revision", NULL, PROJECT, FT_TYPE_STRING, 0, 0},
    {"modified", "Last change, clock of the engineering station", NULL, PROJECT, FT_TYPE_STRING, 0, 0},
    {"reserved", "Somebody holds the reservation", NULL, 0, FT_TYPE_BOOL, 0, 0},
    {"block_crcs", "CRCs of the controller's blocks", NULL, 0, FT_TYPE_UINT, FT_FIELD_LIST, 32},
    {"card_name", "Memory card", NULL, 0, FT_TYPE_STRING, 0, 0},
    {"data", "Data without a layout of its own", NULL, 0, FT_TYPE_BYTES, 0, 0},
};

#define COMMAND(code, name, class, mitre) {code, FT_ANY_QUALIFIER, name, FT_CLASS_##class, {0}, mitre}

/* Code: function; qualifier: sub-function. A response whose request was not seen has its status. */
static const struct ft_command commands[] = {
    COMMAND(0x01, "init_comm", SESSION, NULL),
    COMMAND(0x02, "read_id", DIAGNOSTIC, "T0888"),
    COMMAND(0x03, "read_project_info", DIAGNOSTIC, "T0888"),
    COMMAND(0x04, "get_plc_status", DIAGNOSTIC, "T0868"),
    COMMAND(0x05, "get_loader_info", DIAGNOSTIC, "T0888"),
    COMMAND(0x06, "get_memory_card_info", DIAGNOSTIC, "T0888"),
    COMMAND(0x07, "get_block_info", DIAGNOSTIC, "T0888"),
    COMMAND(0x0A, "repeat", DIAGNOSTIC, NULL),
    COMMAND(0x10, "take_reservation", ADMIN, "T0848 T0859"),
    COMMAND(0x11, "release_reservation", ADMIN, NULL),
    COMMAND(0x12, "keep_alive", SESSION, NULL),
    COMMAND(0x20, "read_memory_block", READ, "T0893"),
    COMMAND(0x21, "write_memory_block", WRITE, "T0855 T0836"),
    COMMAND(0x22, "read_variables", READ, "T0801"),
    COMMAND(0x23, "write_variables", WRITE, "T0855 T0836"),
    COMMAND(0x24, "read_coils_registers", READ, "T0801"),
    COMMAND(0x25, "write_coils_registers", WRITE, "T0855 T0836"),
    COMMAND(0x26, "data_dictionary", READ, "T0861"),
    COMMAND(0x27, "data_dictionary_preload", READ, "T0861"),
    COMMAND(0x28, "read_physical_address", READ, "T0893"),
    COMMAND(0x29, "write_physical_address", WRITE, "T0855 T0836"),
    COMMAND(0x2A, "browse_events", DIAGNOSTIC, NULL),
    COMMAND(0x30, "begin_download", PROGRAM, "T0843 T0889 T0821"),
    COMMAND(0x31, "download_block", PROGRAM, "T0843 T0889 T0821"),
    COMMAND(0x32, "end_download", PROGRAM, "T0843 T0889 T0821"),
    COMMAND(0x33, "begin_upload", UPLOAD, "T0845 T0882"),
    COMMAND(0x34, "upload_block", UPLOAD, "T0845 T0882"),
    COMMAND(0x35, "end_upload", UPLOAD, "T0845 T0882"),
    COMMAND(0x36, "backup", PROGRAM, "T0843 T0889"),
    COMMAND(0x37, "preload_blocks", PROGRAM, "T0843 T0889"),
    COMMAND(0x38, "signed_message", AUTH, NULL),
    COMMAND(0x39, "read_ethernet_master_data", READ, NULL),
    COMMAND(0x40, "start_plc", MODE, "T0858 T0816"),
    COMMAND(0x41, "stop_plc", MODE, "T0858 T0816 T0881"),
    COMMAND(0x42, "init_plc", PROGRAM, "T0843 T0821"),
    COMMAND(0x43, "swap_blocks", PROGRAM, "T0843 T0821"),
    COMMAND(0x50, "monitor_plc", READ, "T0801"),
    COMMAND(0x51, "auto_modification", DIAGNOSTIC, NULL),
    COMMAND(0x52, "forced_bits", DIAGNOSTIC, NULL),
    COMMAND(0x53, "selected_blocks", DIAGNOSTIC, NULL),
    COMMAND(0x58, "check_plc", DIAGNOSTIC, NULL),
    COMMAND(0x60, "set_breakpoint", MODE, "T0821"),
    COMMAND(0x61, "delete_breakpoint", MODE, "T0821"),
    COMMAND(0x62, "step_over", MODE, "T0821"),
    COMMAND(0x63, "step_in", MODE, "T0821"),
    COMMAND(0x64, "step_out", MODE, "T0821"),
    COMMAND(0x65, "get_call_stack", DIAGNOSTIC, "T0821"),
    COMMAND(0x66, "check_debug_allowed", DIAGNOSTIC, "T0821"),
    COMMAND(0x6C, "process_message", UNKNOWN, NULL),
    COMMAND(0x6D, "private_message", UNKNOWN, NULL),
    COMMAND(0x6E, "exchange_nonce", AUTH, NULL),
    COMMAND(0x70, "read_io_object", READ, "T0801"),
    COMMAND(0x71, "write_io_object", WRITE, "T0855 T0835 T0836"),
    COMMAND(0x72, "read_rack", DIAGNOSTIC, "T0888"),
    COMMAND(0x73, "read_module_status", DIAGNOSTIC, "T0888"),
    COMMAND(0x74, "read_device_data", DIAGNOSTIC, "T0888"),
    COMMAND(STATUS_REFUSED, "refusal", UNKNOWN, NULL),
    COMMAND(STATUS_DONE, "answer", UNKNOWN, NULL),
};

static const struct ft_violation violations[] = {
    FT_MODBUS_EVENT("status", "UMAS response status that is not defined", NULL, "Illegal commands",
                    NULL, MINOR, PROTOCOL),
    FT_MODBUS_EVENT("signature", "UMAS signed message too short for its signature", NULL,
                    "Illegal commands", "T0859", MAJOR, PROTOCOL),
    FT_MODBUS_EVENT("transfer_gap", "UMAS program transfer with a block left out", NULL,
                    "Programming", "T0843", MINOR, PROTOCOL),
    FT_MODBUS_EVENT("session_key", "UMAS session key that was not given by a reservation", NULL,
                    "Authentication", "T0806 T0859", MAJOR, PROTOCOL),
};
/* clang-format on */

_Static_assert(sizeof(fields) / sizeof(fields[0]) == DATA + 1, "one row a field");
_Static_assert(sizeof(violations) / sizeof(violations[0]) == V_KEY + 1, "one row a violation");

static void put_rest(struct ft_context *ctx, struct ft_view *v)
{
    struct ft_view rest = ft_rest(v);
    if (rest.len)
        ft_put_bytes(ctx, DATA, rest);
}

/* ---- identity ------------------------------------------------------------------------------- */

static void put_name(struct ft_context *ctx, uint32_t field, struct ft_view name, enum ft_party who,
                     enum ft_fact fact)
{
    if (!name.len)
        return;
    ft_put_string(ctx, field, name);
    ft_asset(ctx, who, fact, name);
}

/* 0x0270 is "2.70". */
static void put_firmware(struct ft_context *ctx, uint16_t version, const struct ft_view *at)
{
    char text[16];
    int n = snprintf(text, sizeof(text), "%x.%02x", (unsigned)version >> 8, version & 0xFFu);
    ft_put_text(ctx, PLC_FIRMWARE, text, (uint32_t)n, at);
    ft_asset_text(ctx, FT_SERVER, FT_FACT_FIRMWARE, text);
}

static void put_banks(struct ft_context *ctx, struct ft_view *v)
{
    for (uint32_t n = ft_count(v, ft_u8(v), 8); n && v->len; n--) {
        ft_group_begin(ctx, MEMORY_BANKS);
        ft_put_uint(ctx, BANK_TYPE, ft_u8(v), v);
        ft_put_uint(ctx, BANK_FOLIO, ft_u8(v), v);
        ft_put_uint(ctx, BANK_STATUS, ft_u16le(v), v);
        ft_put_uint(ctx, BANK_SIZE, ft_u32le(v), v);
        ft_group_end(ctx, MEMORY_BANKS);
    }
}

static void read_id_response(struct ft_context *ctx, struct ft_view *v)
{
    ft_group_begin(ctx, PLC);
    ft_skip(v, 2);
    ft_put_uint(ctx, PLC_IDENT, ft_u32le(v), v);
    ft_put_uint(ctx, PLC_MODEL_CODE, ft_u16le(v), v);
    uint16_t firmware = ft_u16le(v);
    if (ft_view_ok(v))
        put_firmware(ctx, firmware, v);
    ft_put_uint(ctx, PLC_PATCH, ft_u16le(v), v);
    ft_put_uint(ctx, PLC_INTERNAL_VERSION, ft_u16le(v), v);
    ft_put_uint(ctx, PLC_HARDWARE_VERSION, ft_u16le(v), v);
    ft_put_uint(ctx, PLC_CRASH_CODE, ft_u32le(v), v);
    ft_skip(v, 2);
    struct ft_view model = ft_sub_u8(v);
    if (ft_view_ok(v)) {
        put_name(ctx, PLC_MODEL, model, FT_SERVER, FT_FACT_MODEL);
        ft_asset_text(ctx, FT_SERVER, FT_FACT_VENDOR, "Schneider Electric");
        ft_asset_role(ctx, FT_SERVER, FT_ROLE_PLC);
    }
    if (v->len)
        put_banks(ctx, v);
    ft_group_end(ctx, PLC);
}

/* A name that ends at its NUL or with the view. */
static struct ft_view until_nul(struct ft_view v)
{
    struct ft_view text = ft_view_make(v.data, 0, false);
    while (v.len && ft_u8(&v))
        text.len++;
    return text;
}

static void project_response(struct ft_context *ctx, struct ft_view *v)
{
    char text[40];
    unsigned clock[5];

    ft_group_begin(ctx, PROJECT);
    ft_skip(v, 27);
    for (unsigned i = 0; i < 5; i++)
        clock[i] = ft_u8(v);
    unsigned year = ft_u16le(v);
    if (ft_view_ok(v) && ft_wants(ctx, PROJECT_MODIFIED)) {
        int n = snprintf(text, sizeof(text), "%04u-%02u-%02u %02u:%02u:%02u", year, clock[4],
                         clock[3], clock[2], clock[1], clock[0]);
        ft_put_text(ctx, PROJECT_MODIFIED, text, (uint32_t)n, v);
    }
    unsigned build = ft_u8(v), minor = ft_u8(v), major = ft_u8(v);
    if (ft_view_ok(v) && ft_wants(ctx, PROJECT_VERSION)) {
        int n = snprintf(text, sizeof(text), "%u.%u.%u", major, minor, build);
        ft_put_text(ctx, PROJECT_VERSION, text, (uint32_t)n, v);
    }
    ft_skip(v, 1);
    struct ft_view name = until_nul(ft_sub_u8(v));
    if (ft_view_ok(v))
        put_name(ctx, PROJECT_NAME, name, FT_SERVER, FT_FACT_PROJECT);
    ft_group_end(ctx, PROJECT);
}

static void status_response(struct ft_context *ctx, struct ft_view *v)
{
    ft_skip(v, 1);
    uint16_t status = ft_u16le(v);
    ft_put_bool(ctx, IS_RESERVED, status & RESERVED_BIT, v);
    for (uint32_t n = ft_count(v, ft_u8(v), 4); n && ft_view_ok(v); n--) {
        uint32_t crc = ft_u32le(v);
        ft_put_uint(ctx, BLOCK_CRCS, crc, v);
    }
}

static void init_response(struct ft_context *ctx, struct ft_view *v)
{
    ft_put_uint(ctx, MAX_FRAME, ft_u16le(v), v);
    ft_skip(v, 10);
    struct ft_view name = ft_sub_u8(v);
    if (ft_view_ok(v))
        put_name(ctx, HOST_NAME, name, FT_SERVER, FT_FACT_NAME);
}

static void card_response(struct ft_context *ctx, struct ft_view *v)
{
    ft_skip(v, 6);
    struct ft_view name = ft_sub_u8(v);
    if (ft_view_ok(v) && name.len)
        ft_put_string(ctx, CARD_NAME, name);
}

/* ---- requests ------------------------------------------------------------------------------- */

static void tell_engineering(struct reading *r)
{
    if (!r->flow->has_client)
        ft_asset_role(r->ctx, FT_CLIENT, FT_ROLE_ENGINEERING);
    r->flow->has_client = 1;
}

static void reservation_request(struct reading *r, struct ft_view *v)
{
    ft_skip(v, 4);
    struct ft_view name = ft_sub_u8(v);
    tell_engineering(r);
    if (ft_view_ok(v))
        put_name(r->ctx, CLIENT_NAME, name, FT_CLIENT, FT_FACT_NAME);
}

static void memory_request(struct reading *r, struct ft_view *v)
{
    ft_put_uint(r->ctx, RANGE, ft_u8(v), v);
    r->keep.block = ft_u16le(v);
    ft_put_uint(r->ctx, BLOCK, r->keep.block, v);
    r->keep.offset = ft_u16le(v);
    ft_put_uint(r->ctx, OFFSET, r->keep.offset, v);
    ft_skip(v, 2);
    r->keep.count = ft_u16le(v);
    ft_put_uint(r->ctx, COUNT, r->keep.count, v);
    put_rest(r->ctx, v);
}

static void put_variable(struct ft_context *ctx, struct ft_view *v, bool is_write)
{
    static const uint8_t sizes[16] = {[1] = 1, [2] = 2, [3] = 4};
    uint8_t kind = ft_u8(v);
    uint32_t size = sizes[ft_bits(kind, 0, 4)];
    uint32_t count = 1;

    if (size)
        ft_put_uint(ctx, VARIABLE_SIZE, size, v);
    else
        ft_view_fail(v);
    ft_put_uint(ctx, VARIABLE_BLOCK, ft_u16le(v), v);
    ft_skip(v, 1);
    ft_put_uint(ctx, VARIABLE_BASE, ft_u16le(v), v);
    ft_put_uint(ctx, VARIABLE_OFFSET, ft_u8(v), v);
    if (ft_bits(kind, 4, 4)) {
        count = ft_u16le(v);
        ft_put_uint(ctx, VARIABLE_COUNT, count, v);
    }
    if (is_write && ft_view_ok(v))
        ft_put_bytes(ctx, VARIABLE_VALUE, ft_sub(v, size * count));
}

/* Only for its fields: layouts that firmware adds must not count as malformed. */
static void variables_request(struct reading *r, struct ft_view *v)
{
    bool is_write = r->keep.function == WRITE_VARIABLES;
    struct ft_view rest = ft_view_empty();

    ft_put_uint(r->ctx, VARIABLES_CRC, ft_u32le(v), v);
    uint8_t count = ft_u8(v);
    if (ft_view_ok(v))
        rest = ft_rest(v);
    if (!ft_wants(r->ctx, VARIABLES))
        return;
    for (uint32_t n = ft_count(&rest, count, 7); n && rest.len; n--) {
        ft_group_begin(r->ctx, VARIABLES);
        put_variable(r->ctx, &rest, is_write);
        ft_group_end(r->ctx, VARIABLES);
    }
}

static void dictionary_request(struct reading *r, struct ft_view *v)
{
    ft_put_uint(r->ctx, DICTIONARY_RECORD, ft_u16le(v), v);
    ft_put_uint(r->ctx, DICTIONARY_INDEX, ft_u8(v), v);
    ft_put_uint(r->ctx, DICTIONARY_HARDWARE, ft_u32le(v), v);
    ft_put_uint(r->ctx, BLOCK, ft_u16le(v), v);
    ft_put_uint(r->ctx, OFFSET, ft_u16le(v), v);
    put_rest(r->ctx, v);
}

/* Blocks count from 1; a block may be asked for again, but none is left out. */
static void check_block(struct reading *r, uint16_t block, const struct ft_view *at)
{
    struct flow *flow = r->flow;
    bool is_next = block == flow->next_block || (uint16_t)(block + 1) == flow->next_block;

    if (flow->in_transfer && !is_next)
        ft_violation(r->ctx, V_TRANSFER_GAP, at);
    flow->in_transfer = 1;
    flow->next_block = (uint16_t)(block + 1);
}

static void transfer_request(struct reading *r, struct ft_view *v)
{
    bool is_download = r->keep.function <= END_DOWNLOAD;
    bool is_block = r->keep.function == DOWNLOAD_BLOCK || r->keep.function == UPLOAD_BLOCK;
    bool is_begin = r->keep.function == BEGIN_DOWNLOAD || r->keep.function == BEGIN_UPLOAD;

    tell_engineering(r);
    ft_put_uint(r->ctx, TRANSFER_DIRECTION, is_download ? 1 : 2, NULL);
    if (is_begin) {
        r->flow->in_transfer = 1;
        r->flow->next_block = 1;
    }
    if (v->len < 4) {
        put_rest(r->ctx, v);
        return;
    }
    ft_skip(v, 2);
    uint16_t number = ft_u16le(v);
    ft_put_uint(r->ctx, is_begin ? TRANSFER_LENGTH : TRANSFER_BLOCK, number, v);
    if (is_block)
        check_block(r, number, v);
    else if (!is_begin)
        r->flow->in_transfer = 0;
    r->keep.block = number;
    if (r->keep.function == DOWNLOAD_BLOCK) {
        uint16_t length = ft_u16le(v);
        ft_put_uint(r->ctx, TRANSFER_LENGTH, length, v);
        ft_put_bytes(r->ctx, DATA, ft_sub(v, length));
    }
    put_rest(r->ctx, v);
}

/* What is not one of the reading operations forces or writes. */
static void monitor_request(struct reading *r, struct ft_view *v)
{
    if (v->len >= 3 && r->keep.sub == 0x15) {
        ft_skip(v, 2);
        uint8_t operation = ft_u8(v);
        ft_put_uint(r->ctx, MONITOR_OPERATION, operation, v);
        bool is_read =
            operation == 0x05 || operation == 0x07 || operation == 0x09 || operation == 0x0B;
        if (!is_read)
            ft_set_class(r->ctx, FT_CLASS_WRITE);
    }
    put_rest(r->ctx, v);
}

static bool has_sub(uint8_t function)
{
    return function == INIT_COMM || function == READ_PROJECT_INFO || function == READ_CARD_INFO ||
           function == MONITOR_PLC || function == CHECK_PLC;
}

static void read_request(struct reading *r, struct ft_view *v)
{
    if (has_sub(r->keep.function) && v->len)
        ft_put_uint(r->ctx, SUB_FUNCTION, ft_u8(v), v);
    switch (r->keep.function) {
    case TAKE_RESERVATION:
        reservation_request(r, v);
        break;
    case RELEASE_RESERVATION:
        r->flow->has_key = 0;
        break;
    case READ_MEMORY_BLOCK:
    case WRITE_MEMORY_BLOCK:
        memory_request(r, v);
        break;
    case READ_VARIABLES:
    case WRITE_VARIABLES:
        variables_request(r, v);
        break;
    case DATA_DICTIONARY:
    case DATA_DICTIONARY_PRELOAD:
        dictionary_request(r, v);
        break;
    case BEGIN_DOWNLOAD:
    case DOWNLOAD_BLOCK:
    case END_DOWNLOAD:
    case BEGIN_UPLOAD:
    case UPLOAD_BLOCK:
    case END_UPLOAD:
        transfer_request(r, v);
        break;
    case START_PLC:
    case STOP_PLC:
        ft_put_uint(r->ctx, START_STOP, r->keep.function, NULL);
        put_rest(r->ctx, v);
        break;
    case MONITOR_PLC:
        monitor_request(r, v);
        break;
    case REPEAT: /* an echo of filler */
        ft_rest(v);
        break;
    default:
        put_rest(r->ctx, v);
        break;
    }
}

/* ---- responses ------------------------------------------------------------------------------ */

static void upload_response(struct ft_context *ctx, const struct request *asked, struct ft_view *v)
{
    ft_put_uint(ctx, TRANSFER_DIRECTION, 2, NULL);
    ft_put_uint(ctx, TRANSFER_BLOCK, asked->block, NULL);
    ft_put_bool(ctx, IS_LAST_BLOCK, ft_u8(v) != 0, v);
    ft_skip(v, 1);
    uint16_t length = ft_u16le(v);
    ft_put_uint(ctx, TRANSFER_LENGTH, length, v);
    ft_put_bytes(ctx, DATA, ft_sub(v, length));
}

static void memory_response(struct ft_context *ctx, const struct request *asked, struct ft_view *v)
{
    if (asked->is_set) {
        ft_put_uint(ctx, BLOCK, asked->block, NULL);
        ft_put_uint(ctx, OFFSET, asked->offset, NULL);
    }
    ft_put_uint(ctx, RANGE, ft_u8(v), v);
    uint16_t count = ft_u16le(v);
    ft_put_uint(ctx, COUNT, count, v);
    ft_put_bytes(ctx, DATA, ft_sub(v, count));
}

/* The key that requests carry from now on. */
static void reservation_response(struct reading *r, struct ft_view *v)
{
    r->flow->key = ft_u8(v);
    r->flow->has_key = r->flow->key != 0 && ft_view_ok(v);
}

static void read_response(struct reading *r, const struct request *asked, struct ft_view *v)
{
    switch (asked->function) {
    case INIT_COMM:
        init_response(r->ctx, v);
        break;
    case READ_ID:
        read_id_response(r->ctx, v);
        break;
    case READ_PROJECT_INFO:
        if (asked->sub == 0)
            project_response(r->ctx, v);
        break;
    case GET_PLC_STATUS:
        status_response(r->ctx, v);
        break;
    case READ_CARD_INFO:
        card_response(r->ctx, v);
        break;
    case TAKE_RESERVATION:
        reservation_response(r, v);
        break;
    case READ_MEMORY_BLOCK:
        memory_response(r->ctx, asked, v);
        break;
    case UPLOAD_BLOCK:
        upload_response(r->ctx, asked, v);
        break;
    case REPEAT:
        ft_rest(v);
        break;
    }
    put_rest(r->ctx, v);
}

/* ---- messages ------------------------------------------------------------------------------- */

/* Go into a signed message: past magic and signature to the session key. False: too short. */
static bool unwrap(struct ft_context *ctx, struct ft_view *v)
{
    if (v->len < 1 + SIGNATURE + 3 && !v->is_cut) {
        ft_violation(ctx, V_SIGNATURE, v);
        ft_rest(v);
        return false;
    }
    ft_skip(v, 1 + SIGNATURE);
    return ft_u8(v) == FT_MODBUS_UMAS && ft_view_ok(v);
}

static void check_key(struct reading *r, uint8_t key, const struct ft_view *at)
{
    struct flow *flow = r->flow;

    if (key == 0)
        return;
    if (flow->has_key && flow->key != key)
        ft_violation(r->ctx, V_KEY, at);
    if (!flow->has_key) {
        flow->key = key;
        flow->has_key = 1;
    }
}

static uint8_t sub_of(uint8_t function, const struct ft_view *v)
{
    int sub = has_sub(function) ? ft_peek_u8(v, 0) : 0;
    return sub < 0 ? 0 : (uint8_t)sub;
}

static void dissect_request(struct ft_context *ctx, struct ft_view *pdu, uint64_t pair_key)
{
    struct reading r = {.ctx = ctx, .flow = ctx->flow_state};
    struct ft_view body = *pdu;

    ft_set_kind(ctx, FT_KIND_REQUEST);
    ft_skip(&body, 1);
    r.keep.function = ft_u8(&body);
    r.keep.sub = sub_of(r.keep.function, &body);
    struct ft_view inner = body;
    if (r.keep.function == SIGNED && ft_peek_u8(&body, 1 + SIGNATURE) == FT_MODBUS_UMAS) {
        ft_skip(&inner, 1 + SIGNATURE + 2);
        r.keep.function = ft_u8(&inner);
        r.keep.sub = sub_of(r.keep.function, &inner);
        r.keep.is_signed = 1;
    }
    ft_command(ctx, r.keep.function, r.keep.sub);

    uint8_t key = ft_u8(pdu);
    ft_put_uint(ctx, SESSION_KEY, key, pdu);
    check_key(&r, key, pdu);
    uint8_t function = ft_u8(pdu);
    bool is_read = function != SIGNED || unwrap(ctx, pdu);
    if (function == SIGNED && is_read) {
        ft_put_bool(ctx, IS_SIGNED, true, NULL);
        ft_skip(pdu, 2);
    }
    ft_put_uint(ctx, FUNCTION, r.keep.function, pdu);
    if (is_read)
        read_request(&r, pdu);
    r.keep.is_set = ft_view_ok(pdu);
    ft_request(ctx, FT_SCOPE_FLOW, pair_key, &r.keep, sizeof(r.keep));
}

/* Under one transaction id the last request is the one that is answered: clients wait for it. */
static const struct request *find_request(struct ft_context *ctx, uint64_t pair_key)
{
    const struct request *last = NULL;
    for (unsigned i = 0; i < PENDING_MAX; i++) {
        const struct request *asked = ft_response(ctx, FT_SCOPE_FLOW, pair_key);
        if (!asked)
            break;
        last = asked;
    }
    return last;
}

static void dissect_refusal(struct ft_context *ctx, struct ft_view *v)
{
    if (v->len)
        ft_put_uint(ctx, ERROR_CODE, ft_u8(v), v);
    put_rest(ctx, v);
}

static void dissect_response(struct ft_context *ctx, struct ft_view *pdu, uint64_t pair_key)
{
    struct reading r = {.ctx = ctx, .flow = ctx->flow_state};
    const struct request *asked = find_request(ctx, pair_key);
    int status = ft_peek_u8(pdu, 1);

    if (asked && asked->is_signed && status == STATUS_DONE && pdu->len >= 2 + 1 + SIGNATURE + 3)
        status = ft_peek_u8(pdu, 2 + 1 + SIGNATURE + 2);
    ft_set_kind(ctx, status == STATUS_REFUSED ? FT_KIND_EXCEPTION : FT_KIND_RESPONSE);
    ft_command(ctx,
               asked        ? asked->function
               : status < 0 ? STATUS_DONE
                            : (uint32_t)status,
               asked ? asked->sub : 0);

    ft_put_uint(ctx, SESSION_KEY, ft_u8(pdu), pdu);
    uint8_t outer = ft_u8(pdu);
    if (asked && asked->is_signed && outer == STATUS_DONE && unwrap(ctx, pdu)) {
        ft_put_bool(ctx, IS_SIGNED, true, NULL);
        ft_skip(pdu, 2);
    }
    if (asked)
        ft_put_uint(ctx, FUNCTION, asked->function, NULL);
    ft_put_uint(ctx, STATUS, status < 0 ? 0 : (uint64_t)status, pdu);
    if (!ft_view_ok(pdu))
        return;
    if (status == STATUS_REFUSED)
        dissect_refusal(ctx, pdu);
    else if (status != STATUS_DONE)
        ft_violation(ctx, V_STATUS, pdu);
    else if (asked)
        read_response(&r, asked, pdu);
    put_rest(ctx, pdu);
}

/* The Modbus side refused: the controller does not know the function. */
static void dissect_exception(struct ft_context *ctx, struct ft_view *pdu, uint64_t pair_key)
{
    const struct request *asked = find_request(ctx, pair_key);

    ft_set_kind(ctx, FT_KIND_EXCEPTION);
    ft_command(ctx, asked ? asked->function : STATUS_REFUSED, asked ? asked->sub : 0);
    if (asked)
        ft_put_uint(ctx, FUNCTION, asked->function, NULL);
    ft_put_uint(ctx, EXCEPTION_CODE, ft_u8(pdu), pdu);
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    uint64_t pair_key = ctx->selector & 0xFFFF;

    if (ctx->selector >> 16 & FT_MODBUS_EXCEPTION_BIT)
        dissect_exception(ctx, pdu, pair_key);
    else if (ctx->direction == FT_TO_CLIENT)
        dissect_response(ctx, pdu, pair_key);
    else
        dissect_request(ctx, pdu, pair_key);
}

const struct ft_dissector ft_dissector_umas = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "umas",
    .title = "Schneider UMAS",
    .specification = "not published; Kaspersky ICS CERT 2022, L. Liras: The Unity (UMAS) protocol",
    .carried_by = FT_TABLE(carriers),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .max_pdu = 2054,
    .flow_state_size = sizeof(struct flow),
    .flags = FT_DISSECTOR_OT | FT_DISSECTOR_OWN_CLASSES,
    .dissect = dissect,
};
