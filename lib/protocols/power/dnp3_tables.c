/* SPDX-License-Identifier: BSD-3-Clause */
/* DNP3: the rows of fields, commands and violations (IEEE 1815). */
#include "dnp3_objects.h"

/* ---- names --------------------------------------------------------------------------------- */

/* clang-format off */
static const struct ft_name type_names[] = {
    {0, "link"}, {1, "request"}, {2, "response"}, {3, "unsolicited_response"}, {4, "confirm"},
    {5, "segment"}, {0, NULL}};

/* PRM << 4 | function. */
static const struct ft_name link_function_names[] = {
    {0x00, "ack"}, {0x01, "nack"}, {0x0b, "link_status"}, {0x0e, "not_functioning"},
    {0x0f, "not_supported"}, {0x10, "reset_link"}, {0x11, "reset_user"}, {0x12, "test_link"},
    {0x13, "confirmed_user_data"}, {0x14, "unconfirmed_user_data"}, {0x19, "request_link_status"},
    {0, NULL}};

static const struct ft_name function_names[] = {
    {0, "confirm"}, {1, "read"}, {2, "write"}, {3, "select"}, {4, "operate"},
    {5, "direct_operate"}, {6, "direct_operate_no_ack"}, {7, "immediate_freeze"},
    {8, "immediate_freeze_no_ack"}, {9, "freeze_clear"}, {10, "freeze_clear_no_ack"},
    {11, "freeze_at_time"}, {12, "freeze_at_time_no_ack"}, {13, "cold_restart"},
    {14, "warm_restart"}, {15, "initialize_data"}, {16, "initialize_application"},
    {17, "start_application"}, {18, "stop_application"}, {19, "save_configuration"},
    {20, "enable_unsolicited"}, {21, "disable_unsolicited"}, {22, "assign_class"},
    {23, "delay_measurement"}, {24, "record_current_time"}, {25, "open_file"},
    {26, "close_file"}, {27, "delete_file"}, {28, "get_file_info"}, {29, "authenticate_file"},
    {30, "abort_file"}, {31, "activate_configuration"}, {32, "authenticate_request"},
    {33, "authenticate_request_no_ack"}, {129, "response"}, {130, "unsolicited_response"},
    {131, "authenticate_response"}, {0, NULL}};

/* IIN1 << 8 | IIN2. */
static const struct ft_name indicator_names[] = {
    {0x0100, "all_stations"}, {0x0200, "class_1_events"}, {0x0400, "class_2_events"},
    {0x0800, "class_3_events"}, {0x1000, "need_time"}, {0x2000, "local_control"},
    {0x4000, "device_trouble"}, {0x8000, "device_restart"}, {0x0001, "no_func_code_support"},
    {0x0002, "object_unknown"}, {0x0004, "parameter_error"}, {0x0008, "event_buffer_overflow"},
    {0x0010, "already_executing"}, {0x0020, "config_corrupt"}, {0x0040, "reserved_2"},
    {0x0080, "reserved_1"}, {0, NULL}};

static const struct ft_name flag_names[] = {
    {0x001, "online"}, {0x002, "restart"}, {0x004, "comm_lost"}, {0x008, "remote_forced"},
    {0x010, "local_forced"}, {0x020, "chatter_filter"}, {0x100, "over_range"},
    {0x200, "rollover"}, {0x400, "reference_err"}, {0x800, "discontinuity"}, {0, NULL}};

static const struct ft_name status_names[] = {
    {0, "success"}, {1, "timeout"}, {2, "no_select"}, {3, "format_error"}, {4, "not_supported"},
    {5, "already_active"}, {6, "hardware_error"}, {7, "local"}, {8, "too_many_operations"},
    {9, "not_authorized"}, {10, "automation_inhibit"}, {11, "processing_limited"},
    {12, "out_of_range"}, {13, "downstream_local"}, {14, "already_complete"}, {15, "blocked"},
    {16, "cancelled"}, {17, "blocked_other_master"}, {18, "downstream_fail"},
    {126, "non_participating"}, {127, "undefined"}, {0, NULL}};

static const struct ft_name operation_names[] = {
    {0, "nul"}, {1, "pulse_on"}, {2, "pulse_off"}, {3, "latch_on"}, {4, "latch_off"}, {0, NULL}};

static const struct ft_name trip_close_names[] = {
    {0, "nul"}, {1, "close"}, {2, "trip"}, {3, "reserved"}, {0, NULL}};

static const struct ft_name interval_names[] = {
    {0, "none"}, {1, "milliseconds"}, {2, "seconds"}, {3, "minutes"}, {4, "hours"}, {5, "days"},
    {6, "weeks"}, {7, "months_7"}, {8, "months_8"}, {9, "months_9"}, {10, "seasons"}, {0, NULL}};

static const struct ft_name attribute_names[] = {
    {196, "configuration_id"}, {197, "configuration_version"}, {198, "configuration_build_date"},
    {199, "configuration_change_date"}, {200, "configuration_signature"},
    {201, "configuration_signature_algorithm"}, {202, "master_resource_id"}, {203, "altitude"},
    {204, "longitude"}, {205, "latitude"}, {206, "secondary_operator"}, {207, "primary_operator"},
    {208, "system_name"}, {209, "secure_authentication_version"},
    {210, "security_statistics_per_association"}, {211, "user_attributes_id"},
    {212, "master_data_set_prototypes"}, {213, "outstation_data_set_prototypes"},
    {214, "master_data_sets"}, {215, "outstation_data_sets"}, {216, "max_binary_outputs"},
    {217, "local_timing_accuracy"}, {218, "timing_accuracy_duration"},
    {219, "analog_output_events"}, {220, "max_analog_output_index"}, {221, "analog_outputs"},
    {222, "binary_output_events"}, {223, "max_binary_output_index"}, {224, "binary_outputs"},
    {225, "frozen_counter_events"}, {226, "frozen_counters"}, {227, "counter_events"},
    {228, "max_counter_index"}, {229, "counters"}, {230, "frozen_analog_inputs"},
    {231, "analog_input_events"}, {232, "max_analog_input_index"}, {233, "analog_inputs"},
    {234, "double_bit_input_events"}, {235, "max_double_bit_input_index"},
    {236, "double_bit_inputs"}, {237, "binary_input_events"}, {238, "max_binary_input_index"},
    {239, "binary_inputs"}, {240, "max_transmit_fragment"}, {241, "max_receive_fragment"},
    {242, "software_version"}, {243, "hardware_version"}, {244, "owner"}, {245, "location"},
    {246, "id_code"}, {247, "device_name"}, {248, "serial_number"}, {249, "conformance"},
    {250, "product"}, {252, "manufacturer"}, {254, "all_attributes"}, {255, "list"}, {0, NULL}};

static const struct ft_name file_mode_names[] = {
    {0, "null"}, {1, "read"}, {2, "write"}, {3, "append"}, {0, NULL}};

static const struct ft_name file_type_names[] = {{0, "directory"}, {1, "file"}, {0, NULL}};

static const struct ft_name file_status_names[] = {
    {0, "success"}, {1, "permission_denied"}, {2, "invalid_mode"}, {3, "not_found"},
    {4, "locked"}, {5, "too_many_open"}, {6, "invalid_handle"}, {7, "block_size"},
    {8, "comm_lost"}, {9, "cannot_abort"}, {16, "not_opened"}, {17, "handle_expired"},
    {18, "overrun"}, {19, "fatal"}, {20, "block_sequence"}, {255, "undefined"}, {0, NULL}};

static const struct ft_name mac_names[] = {
    {0, "none"}, {1, "hmac_sha1_4"}, {2, "hmac_sha1_10"}, {3, "hmac_sha256_8"},
    {4, "hmac_sha256_16"}, {5, "hmac_sha1_8"}, {6, "aes_gmac"}, {0, NULL}};

static const struct ft_name reason_names[] = {{1, "critical"}, {0, NULL}};

static const struct ft_name wrap_names[] = {{1, "aes_128"}, {2, "aes_256"}, {0, NULL}};

static const struct ft_name key_status_names[] = {
    {1, "ok"}, {2, "not_init"}, {3, "comm_fail"}, {4, "auth_fail"}, {0, NULL}};

static const struct ft_name auth_error_names[] = {
    {1, "authentication_failed"}, {4, "aggressive_mode_unsupported"},
    {5, "mac_algorithm_unsupported"}, {6, "key_wrap_unsupported"}, {7, "authorization_failed"},
    {8, "update_key_method_not_permitted"}, {9, "invalid_signature"},
    {10, "invalid_certification"}, {11, "unknown_user"}, {12, "too_many_key_status_requests"},
    {0, NULL}};

static const struct ft_name user_operation_names[] = {
    {1, "add"}, {2, "delete"}, {3, "change"}, {0, NULL}};

static const struct ft_name role_names[] = {
    {0, "viewer"}, {1, "operator"}, {2, "engineer"}, {3, "installer"}, {4, "secadm"},
    {5, "secaud"}, {6, "rbacmnt"}, {32768, "single_user"}, {0, NULL}};

/* ---- fields -------------------------------------------------------------------------------- */

#define FIELD(id, in, text, kind, about, ...) \
    [id] = {.name = text, .title = about, .parent = in, .type = FT_TYPE_##kind, .bits = __VA_ARGS__ + 0}
#define NAMED(id, in, text, kind, list, about, width) \
    [id] = {.name = text, .title = about, .parent = in, .type = FT_TYPE_##kind, .names = list, .bits = width}
#define LIST(id, in, text, about) \
    [id] = {.name = text, .title = about, .parent = in, .type = FT_TYPE_GROUP, .flags = FT_FIELD_LIST}

const struct ft_field ft_dnp3_fields[DNP3_F_FIELDS] = {
    FIELD(DNP3_ROOT, 0, "dnp3", GROUP, "DNP3"),
    FIELD(DNP3_F_SRC, 0, "src", UINT, "Link address of the sender", 16),
    FIELD(DNP3_F_DST, 0, "dst", UINT, "Link address of the receiver", 16),
    NAMED(DNP3_F_TYPE, 0, "type", ENUM, type_names, "Part that the message plays", 32),
    FIELD(DNP3_F_BROADCAST, 0, "broadcast", BOOL, "Sent to all outstations"),
    FIELD(DNP3_F_CRC_OK, 0, "crc_ok", BOOL, "All checksums of the frame are right"),
    FIELD(DNP3_F_LENGTH, 0, "length", UINT, "Length octet of the link header", 8),

    FIELD(DNP3_F_CONTROL, 0, "control", GROUP, "Link control octet"),
    FIELD(DNP3_F_DIR, DNP3_F_CONTROL, "dir", BOOL, "Sent by a master"),
    FIELD(DNP3_F_PRI, DNP3_F_CONTROL, "pri", BOOL, "Sent by the initiating station (PRM)"),
    FIELD(DNP3_F_FCB, DNP3_F_CONTROL, "fcb", BOOL, "Frame count bit"),
    FIELD(DNP3_F_FCV, DNP3_F_CONTROL, "fcv", BOOL, "Frame count valid, or data flow control"),
    FIELD(DNP3_F_LINK_FUNCTION_CODE, DNP3_F_CONTROL, "function_code", UINT, "Link function", 4),
    NAMED(DNP3_F_LINK_FUNCTION, DNP3_F_CONTROL, "function_name", ENUM, link_function_names,
          "Link function with the PRM bit (16) by name", 8),

    FIELD(DNP3_F_TRANSPORT, 0, "transport", GROUP, "Transport octet"),
    FIELD(DNP3_F_TRANSPORT_FIR, DNP3_F_TRANSPORT, "fir", BOOL, "First segment"),
    FIELD(DNP3_F_TRANSPORT_FIN, DNP3_F_TRANSPORT, "fin", BOOL, "Final segment"),
    FIELD(DNP3_F_TRANSPORT_SEQUENCE, DNP3_F_TRANSPORT, "sequence", UINT, "Segment number", 6),

    FIELD(DNP3_F_APPLICATION, 0, "application", GROUP, "Application fragment"),
    FIELD(DNP3_F_APP_CONTROL, DNP3_F_APPLICATION, "control", GROUP, "Application control octet"),
    FIELD(DNP3_F_APP_FIR, DNP3_F_APP_CONTROL, "fir", BOOL, "First fragment"),
    FIELD(DNP3_F_APP_FIN, DNP3_F_APP_CONTROL, "fin", BOOL, "Final fragment"),
    FIELD(DNP3_F_APP_CON, DNP3_F_APP_CONTROL, "con", BOOL, "Confirmation asked for"),
    FIELD(DNP3_F_APP_UNS, DNP3_F_APP_CONTROL, "uns", BOOL, "Unsolicited"),
    FIELD(DNP3_F_APP_SEQUENCE, DNP3_F_APP_CONTROL, "sequence", UINT, "Application sequence", 4),
    NAMED(DNP3_F_FUNCTION, DNP3_F_APPLICATION, "function", ENUM, function_names, "Function", 8),
    NAMED(DNP3_F_REQUEST_FUNCTION, DNP3_F_APPLICATION, "request_function", ENUM, function_names,
          "Function of the request that this answers", 8),
    FIELD(DNP3_F_COMPLETE, DNP3_F_APPLICATION, "complete", BOOL, "All objects could be read"),

    FIELD(DNP3_F_IIN, 0, "iin", GROUP, "Internal indications of the outstation"),
    NAMED(DNP3_F_INDICATORS, DNP3_F_IIN, "indicators", FLAGS, indicator_names,
          "IIN1 in the high octet, IIN2 in the low one", 16),

    LIST(DNP3_F_OBJECT, DNP3_F_APPLICATION, "objects", "Object headers"),
    FIELD(DNP3_F_GROUP, DNP3_F_OBJECT, "group", UINT, "Object group", 8),
    FIELD(DNP3_F_VARIATION, DNP3_F_OBJECT, "variation", UINT, "Variation", 8),
    FIELD(DNP3_F_QUALIFIER, DNP3_F_OBJECT, "qualifier", UINT, "Qualifier octet", 8),
    FIELD(DNP3_F_PREFIX_CODE, DNP3_F_OBJECT, "prefix_code", UINT, "What stands before each point", 8),
    FIELD(DNP3_F_RANGE_CODE, DNP3_F_OBJECT, "range_code", UINT, "Form of the range", 8),
    FIELD(DNP3_F_START, DNP3_F_OBJECT, "start", UINT, "First index", 32),
    FIELD(DNP3_F_STOP, DNP3_F_OBJECT, "stop", UINT, "Last index", 32),
    FIELD(DNP3_F_COUNT, DNP3_F_OBJECT, "count", UINT, "Number of points"),

    LIST(DNP3_F_POINT, DNP3_F_OBJECT, "points", "Points"),
    FIELD(DNP3_F_PREFIX, DNP3_F_POINT, "prefix", UINT, "Index or size before the point", 32),
    FIELD(DNP3_F_INDEX, DNP3_F_POINT, "index", UINT, "Index of the point", 32),
    FIELD(DNP3_F_STATE, DNP3_F_POINT, "state", UINT, "State of a binary point; of a double-bit "
          "one 0 intermediate, 1 off, 2 on, 3 indeterminate", 8),
    FIELD(DNP3_F_VALUE, DNP3_F_POINT, "value", FLOAT, "Value of an analog, counter, attribute"),
    NAMED(DNP3_F_FLAGS, DNP3_F_POINT, "flags", FLAGS, flag_names,
          "Quality; bits 0-4 as on the wire, 5 and 6 by the type of the point", 32),
    NAMED(DNP3_F_STATUS, DNP3_F_POINT, "status", ENUM, status_names, "Status of a control", 7),
    FIELD(DNP3_F_TIME, DNP3_F_POINT, "time", TIME, "Time of the event or set"),
    FIELD(DNP3_F_RELATIVE_MS, DNP3_F_POINT, "relative_ms", UINT,
          "Milliseconds since the common time of occurrence", 16),
    FIELD(DNP3_F_DELAY_MS, DNP3_F_POINT, "delay_ms", UINT, "Time delay in milliseconds", 26),
    FIELD(DNP3_F_OP_TYPE, DNP3_F_POINT, "op_type", UINT, "Operation of the control code", 4),
    NAMED(DNP3_F_OPERATION, DNP3_F_POINT, "operation", ENUM, operation_names,
          "Operation of the control code by name", 4),
    FIELD(DNP3_F_QU, DNP3_F_POINT, "qu", UINT, "Queue bit of the control code", 1),
    FIELD(DNP3_F_CR, DNP3_F_POINT, "cr", UINT, "Clear bit of the control code", 1),
    FIELD(DNP3_F_TCC, DNP3_F_POINT, "tcc", UINT, "Trip/close code of the control code", 2),
    NAMED(DNP3_F_TRIP_CLOSE, DNP3_F_POINT, "trip_close", ENUM, trip_close_names,
          "Trip/close code by name", 2),
    FIELD(DNP3_F_OP_COUNT, DNP3_F_POINT, "count", UINT, "Times the control is to be executed", 8),
    FIELD(DNP3_F_ONTIME, DNP3_F_POINT, "ontime", UINT, "On time in milliseconds", 32),
    FIELD(DNP3_F_OFFTIME, DNP3_F_POINT, "offtime", UINT, "Off time in milliseconds", 32),
    FIELD(DNP3_F_INTERVAL, DNP3_F_POINT, "interval", UINT, "Interval of a timed operation", 32),
    NAMED(DNP3_F_INTERVAL_UNITS, DNP3_F_POINT, "interval_units", ENUM, interval_names,
          "Unit of the interval", 8),
    FIELD(DNP3_F_ASSOCIATION, DNP3_F_POINT, "association", UINT, "Association of a statistic", 16),
    FIELD(DNP3_F_FILL, DNP3_F_POINT, "fill_percent", UINT, "Fill of the event buffer", 8),
    FIELD(DNP3_F_BUFFER_GROUP, DNP3_F_POINT, "buffer_group", UINT, "Group in that buffer", 8),
    FIELD(DNP3_F_BUFFER_VARIATION, DNP3_F_POINT, "buffer_variation", UINT,
          "Variation in that buffer", 8),
    NAMED(DNP3_F_ATTRIBUTE, DNP3_F_POINT, "attribute", ENUM, attribute_names, "Device attribute", 8),
    FIELD(DNP3_F_TEXT, DNP3_F_POINT, "text", STRING, "Text of a string or an attribute"),
    FIELD(DNP3_F_OCTETS, DNP3_F_POINT, "octets", BYTES, "Octets as they are"),

    FIELD(DNP3_F_FILE, DNP3_F_POINT, "file", GROUP, "File object"),
    FIELD(DNP3_F_FILE_NAME, DNP3_F_FILE, "name", STRING, "File name"),
    NAMED(DNP3_F_FILE_MODE, DNP3_F_FILE, "mode", ENUM, file_mode_names, "Mode of opening", 16),
    NAMED(DNP3_F_FILE_TYPE, DNP3_F_FILE, "type", ENUM, file_type_names, "File or directory", 16),
    FIELD(DNP3_F_FILE_HANDLE, DNP3_F_FILE, "handle", UINT, "File handle", 32),
    FIELD(DNP3_F_FILE_SIZE, DNP3_F_FILE, "size", UINT, "File size", 32),
    FIELD(DNP3_F_FILE_CREATED, DNP3_F_FILE, "created", TIME, "Time of creation"),
    FIELD(DNP3_F_FILE_PERMISSIONS, DNP3_F_FILE, "permissions", UINT, "Permissions (octal rwx)", 16),
    FIELD(DNP3_F_FILE_MAX_BLOCK, DNP3_F_FILE, "max_block", UINT, "Largest block", 16),
    FIELD(DNP3_F_FILE_REQUEST_ID, DNP3_F_FILE, "request_id", UINT, "Request id", 16),
    NAMED(DNP3_F_FILE_STATUS, DNP3_F_FILE, "status", ENUM, file_status_names, "File status", 8),
    FIELD(DNP3_F_FILE_BLOCK, DNP3_F_FILE, "block", UINT, "Block number", 31),
    FIELD(DNP3_F_FILE_IS_LAST, DNP3_F_FILE, "last", BOOL, "Last block"),
    FIELD(DNP3_F_FILE_DATA_LENGTH, DNP3_F_FILE, "data_length", UINT, "Octets in the block", 32),
    FIELD(DNP3_F_FILE_TEXT, DNP3_F_FILE, "text", STRING, "Text of the status"),
    FIELD(DNP3_F_FILE_USER, DNP3_F_FILE, "user", STRING, "User name"),
    [DNP3_F_FILE_PASSWORD] = {.name = "password", .title = "Password", .parent = DNP3_F_FILE,
                              .type = FT_TYPE_STRING, .flags = FT_FIELD_SECRET},

    FIELD(DNP3_F_AUTH, DNP3_F_POINT, "auth", GROUP, "Secure authentication object"),
    FIELD(DNP3_F_AUTH_SEQUENCE, DNP3_F_AUTH, "sequence", UINT, "Challenge or key sequence", 32),
    FIELD(DNP3_F_AUTH_USER, DNP3_F_AUTH, "user", UINT, "User number", 16),
    NAMED(DNP3_F_AUTH_MAC_ALGORITHM, DNP3_F_AUTH, "mac_algorithm", ENUM, mac_names,
          "MAC algorithm", 8),
    NAMED(DNP3_F_AUTH_REASON, DNP3_F_AUTH, "reason", ENUM, reason_names, "Reason of a challenge", 8),
    NAMED(DNP3_F_AUTH_KEY_WRAP, DNP3_F_AUTH, "key_wrap", ENUM, wrap_names, "Key wrap algorithm", 8),
    NAMED(DNP3_F_AUTH_KEY_STATUS, DNP3_F_AUTH, "key_status", ENUM, key_status_names,
          "Status of the session keys", 8),
    NAMED(DNP3_F_AUTH_ERROR, DNP3_F_AUTH, "error", ENUM, auth_error_names, "Error", 8),
    FIELD(DNP3_F_AUTH_ASSOCIATION, DNP3_F_AUTH, "association", UINT, "Association id", 16),
    FIELD(DNP3_F_AUTH_TIME, DNP3_F_AUTH, "time", TIME, "Time of the error"),
    FIELD(DNP3_F_AUTH_TEXT, DNP3_F_AUTH, "text", STRING, "Text of the error"),
    FIELD(DNP3_F_AUTH_METHOD, DNP3_F_AUTH, "method", UINT, "Key change method", 8),
    NAMED(DNP3_F_AUTH_OPERATION, DNP3_F_AUTH, "operation", ENUM, user_operation_names,
          "What is done to the user", 8),
    FIELD(DNP3_F_AUTH_STATUS_SEQUENCE, DNP3_F_AUTH, "status_sequence", UINT,
          "Status change sequence", 32),
    NAMED(DNP3_F_AUTH_ROLE, DNP3_F_AUTH, "role", ENUM, role_names, "Role of the user", 16),
    FIELD(DNP3_F_AUTH_ROLE_EXPIRY, DNP3_F_AUTH, "role_expiry", UINT, "Days until the role ends", 16),
    FIELD(DNP3_F_AUTH_NAME, DNP3_F_AUTH, "name", STRING, "User name"),
    FIELD(DNP3_F_AUTH_CHALLENGE, DNP3_F_AUTH, "challenge", BYTES, "Challenge data"),
    FIELD(DNP3_F_AUTH_MAC, DNP3_F_AUTH, "mac", BYTES, "MAC value"),
};

/* ---- commands ------------------------------------------------------------------------------ */

#define ANY FT_ANY_QUALIFIER
#define COMMAND(fc, q, text, what, technique) \
    {.code = fc, .qualifier = q, .name = text, .class_ = FT_CLASS_##what, .mitre = technique}
#define LINK(prm, fc, text, what) \
    {.code = DNP3_LINK_COMMAND | (fc), .qualifier = prm, .name = text, .class_ = FT_CLASS_##what}

/*
 * Reads and writes are qualified by the group of their first object, file opens by their mode:
 * what a write does to a plant depends on it. All files count as logic: the protocol does not tell
 * firmware and configuration from logs, and a log is never written by the master.
 */
const struct ft_command ft_dnp3_commands[DNP3_COMMANDS] = {
    COMMAND(0, ANY, "confirm", DATA, NULL),
    COMMAND(1, ANY, "read", READ, NULL),
    COMMAND(1, 0, "read_attributes", DIAGNOSTIC, "T0888"),
    COMMAND(1, 60, "read_class_data", READ, NULL),
    COMMAND(1, 70, "read_file", FILE, "T0845"),
    COMMAND(2, ANY, "write", WRITE, "T0836"),
    COMMAND(2, 0, "write_attributes", CONFIG, "T0836"),
    COMMAND(2, 10, "write_binary_output", OPERATE, "T0855"),
    COMMAND(2, 12, "write_control_pattern", OPERATE, "T0855"),
    COMMAND(2, 34, "write_deadband", CONFIG, "T0836"),
    COMMAND(2, 40, "write_analog_output", OPERATE, "T0855"),
    COMMAND(2, 41, "write_analog_output", OPERATE, "T0855"),
    COMMAND(2, 50, "write_time", CONFIG, "T0836"),
    COMMAND(2, 51, "write_time", CONFIG, "T0836"),
    COMMAND(2, 70, "write_file", PROGRAM, "T0889"),
    COMMAND(2, 80, "write_indications", CONFIG, "T0836"),
    COMMAND(2, 85, "write_data_set_prototype", CONFIG, "T0836"),
    COMMAND(2, 86, "write_data_set_descriptor", CONFIG, "T0836"),
    COMMAND(2, 112, "write_virtual_terminal", ADMIN, "T0807"),
    COMMAND(3, ANY, "select", OPERATE, "T0855"),
    COMMAND(4, ANY, "operate", OPERATE, "T0855"),
    COMMAND(5, ANY, "direct_operate", OPERATE, "T0855"),
    COMMAND(6, ANY, "direct_operate_no_ack", OPERATE, "T0855"),
    COMMAND(7, ANY, "immediate_freeze", WRITE, NULL),
    COMMAND(8, ANY, "immediate_freeze_no_ack", WRITE, NULL),
    COMMAND(9, ANY, "freeze_clear", WRITE, NULL),
    COMMAND(10, ANY, "freeze_clear_no_ack", WRITE, NULL),
    COMMAND(11, ANY, "freeze_at_time", WRITE, NULL),
    COMMAND(12, ANY, "freeze_at_time_no_ack", WRITE, NULL),
    COMMAND(13, ANY, "cold_restart", MODE, "T0816"),
    COMMAND(14, ANY, "warm_restart", MODE, "T0816"),
    COMMAND(15, ANY, "initialize_data", MODE, "T0836"),
    COMMAND(16, ANY, "initialize_application", MODE, "T0858 T0881"),
    COMMAND(17, ANY, "start_application", MODE, "T0858"),
    COMMAND(18, ANY, "stop_application", MODE, "T0858 T0881"),
    COMMAND(19, ANY, "save_configuration", CONFIG, "T0836"),
    COMMAND(20, ANY, "enable_unsolicited", CONFIG, "T0878"),
    COMMAND(21, ANY, "disable_unsolicited", CONFIG, "T0804 T0878"),
    COMMAND(22, ANY, "assign_class", CONFIG, "T0804 T0878"),
    COMMAND(23, ANY, "delay_measurement", DIAGNOSTIC, NULL),
    COMMAND(24, ANY, "record_current_time", CONFIG, NULL),
    COMMAND(25, ANY, "open_file", FILE, NULL),
    COMMAND(25, 1, "open_file_read", FILE, "T0845"),
    COMMAND(25, 2, "open_file_write", PROGRAM, "T0839 T0857 T0889"),
    COMMAND(25, 3, "open_file_append", PROGRAM, "T0839 T0857 T0889"),
    COMMAND(26, ANY, "close_file", FILE, NULL),
    COMMAND(27, ANY, "delete_file", PROGRAM, "T0809"),
    COMMAND(28, ANY, "get_file_info", READ, NULL),
    COMMAND(29, ANY, "authenticate_file", AUTH, NULL),
    COMMAND(30, ANY, "abort_file", FILE, NULL),
    COMMAND(31, ANY, "activate_configuration", CONFIG, "T0889"),
    COMMAND(32, ANY, "authenticate_request", AUTH, NULL),
    COMMAND(32, 10, "user_status_change", ADMIN, "T0892"),
    COMMAND(33, ANY, "authenticate_request_no_ack", AUTH, NULL),
    COMMAND(129, ANY, "response", DATA, NULL),
    COMMAND(130, ANY, "unsolicited_response", EVENT, NULL),
    COMMAND(131, ANY, "authenticate_response", AUTH, NULL),
    LINK(1, 0, "reset_link", SESSION),
    LINK(1, 1, "reset_user", MODE),
    LINK(1, 2, "test_link", DIAGNOSTIC),
    LINK(1, 3, "confirmed_user_data", DATA),
    LINK(1, 4, "unconfirmed_user_data", DATA),
    LINK(1, 9, "request_link_status", DIAGNOSTIC),
    LINK(0, 0, "ack", SESSION),
    LINK(0, 1, "nack", SESSION),
    LINK(0, 11, "link_status", DIAGNOSTIC),
    LINK(0, 14, "link_not_functioning", SESSION),
    LINK(0, 15, "link_not_supported", SESSION),
};

/* ---- violations ---------------------------------------------------------------------------- */

#define ILLEGAL "Illegal commands"
#define ROW(id, text, about, level, technique) \
    [id] = {.name = text, .title = about, .severity = FT_SEVERITY_##level, .mitre = technique, \
            .engine = FT_ENGINE_PROTOCOL}
#define ALERT(id, text, about, feature, group, level, who, technique) \
    [id] = {.name = text, .title = about, .reference = feature, .category = group, \
            .severity = FT_SEVERITY_##level, .mitre = technique, .engine = FT_ENGINE_##who, \
            .is_alert = 1}

const struct ft_violation ft_dnp3_violations[DNP3_V_COUNT] = {
    ROW(DNP3_V_HEADER_CRC, "header_crc", "DNP3 frame with a wrong header checksum", MINOR,
        "T0814"),
    ROW(DNP3_V_BLOCK_CRC, "block_crc", "DNP3 frame with a wrong data checksum", MINOR, "T0814"),
    ROW(DNP3_V_LINK_LENGTH, "link_length", "DNP3 frame with an impossible length", MINOR, "T0814"),
    ROW(DNP3_V_LINK_FUNCTION, "link_function", "DNP3 link function that does not exist", MINOR,
        "T0814"),
    ROW(DNP3_V_LINK_FCV, "link_fcv", "DNP3 frame count bit used where it must not be", WARNING,
        "T0814"),
    ROW(DNP3_V_LINK_USER_DATA, "link_user_data",
        "DNP3 user data missing, or in a frame that has none", MINOR, "T0814"),
    ROW(DNP3_V_RESERVED_ADDRESS, "reserved_address", "DNP3 link address that is reserved", MINOR,
        "T0814"),
    ROW(DNP3_V_TRANSPORT_SEQUENCE, "transport_sequence", "DNP3 transport segment out of sequence",
        WARNING, "T0814"),
    ROW(DNP3_V_TRANSPORT_RESTART, "transport_restart",
        "DNP3 transport unit begun before the last one ended", WARNING, "T0814"),
    ROW(DNP3_V_APPLICATION_SHORT, "application_short",
        "DNP3 application fragment without a complete header", MINOR, "T0814"),
    ALERT(DNP3_V_RESERVED_FUNCTION, "reserved_function", "DNP3 function code that is reserved",
          "V23", ILLEGAL, MAJOR, PROTOCOL, "T0836"),
    ALERT(DNP3_V_ILLEGAL_OPERATION, "illegal_operation",
          "DNP3 function that its sender must not use", "V6", ILLEGAL, MAJOR, PROTOCOL, "T0866"),
    ROW(DNP3_V_UNSOLICITED_BIT, "unsolicited_bit",
        "DNP3 unsolicited bit does not fit the function", WARNING, "T0814"),
    ALERT(DNP3_V_MASTER_CONFIRM, "master_confirm",
          "DNP3 master asks for an application confirmation", "V13", ILLEGAL, WARNING, PROTOCOL,
          "T0869"),
    ALERT(DNP3_V_INITIALIZE_DATA, "initialize_data",
          "DNP3 obsolete function used: initialize data", "V11", ILLEGAL, MINOR, PROTOCOL,
          "T0855"),
    ALERT(DNP3_V_SAVE_CONFIGURATION, "save_configuration",
          "DNP3 deprecated function used: save configuration", "V12", ILLEGAL, MINOR, PROTOCOL,
          "T0855"),
    ROW(DNP3_V_BROADCAST_COMMAND, "broadcast_command",
        "DNP3 control or restart sent to all outstations", MAJOR, "T0855"),
    ROW(DNP3_V_UNEXPECTED_OBJECTS, "unexpected_objects",
        "DNP3 objects in a function that has none", MINOR, "T0814"),
    ROW(DNP3_V_QUALIFIER, "qualifier", "DNP3 object header with an invalid qualifier", MINOR,
        "T0814"),
    ROW(DNP3_V_RANGE, "range", "DNP3 object range that ends before it begins", MINOR, "T0814"),
    ROW(DNP3_V_OBJECT_UNKNOWN, "unknown_object", "DNP3 object that the standard does not know",
        WARNING, "T0814"),
    ROW(DNP3_V_OBJECT_DATA, "object_data", "DNP3 object longer than the fragment it is in", MINOR,
        "T0814"),
    ROW(DNP3_V_CONTROL_CODE, "control_code", "DNP3 control code that is reserved", MINOR,
        "T0855"),
    [DNP3_V_OUTSTATION_FORMAT] = {.name = "outstation_format",
        .title = "DNP3 outstation answers in an improper format", .reference = "V24",
        .category = ILLEGAL, .severity = FT_SEVERITY_WARNING, .mitre = "T0855"},
    ROW(DNP3_V_OPERATE_WITHOUT_SELECT, "operate_without_select",
        "DNP3 operate without the same select before it", MAJOR, "T0855"),
    ALERT(DNP3_V_IIN_FUNCTION, "function_not_supported",
          "DNP3 outstation does not support the function asked for", "V3", ILLEGAL, MAJOR,
          PROTOCOL, "T0855"),
    ALERT(DNP3_V_IIN_OBJECT, "object_unknown", "DNP3 outstation does not know the object asked for",
          "V22", ILLEGAL, MAJOR, PROTOCOL, "T0855"),
    ALERT(DNP3_V_IIN_PARAMETER, "parameter_error", "DNP3 outstation got an incorrect parameter",
          "V10", ILLEGAL, MAJOR, PROTOCOL, "T0855 T0836"),
    ALERT(DNP3_V_IIN_RESERVED, "reserved_indication", "DNP3 outstation sets a reserved indication",
          "V25", ILLEGAL, WARNING, PROTOCOL, "T0836"),
    ALERT(DNP3_V_IIN_OVERFLOW, "event_buffer_overflow", "DNP3 outstation has lost events",
          "O12", "Buffer overflow", MAJOR, OPERATIONAL, "T0814 T0839"),
    ALERT(DNP3_V_IIN_CONFIG_CORRUPT, "config_corrupt",
          "DNP3 outstation says that its configuration is corrupt", "O29", "Configuration changes",
          MAJOR, OPERATIONAL, "T0809"),
    ALERT(DNP3_V_IIN_TROUBLE, "device_trouble", "DNP3 outstation says that it is in trouble",
          "O36", "Operational issues", MAJOR, OPERATIONAL, "T0814 T0881"),
    ALERT(DNP3_V_IIN_RESTART, "device_restart", "DNP3 outstation has restarted", "O26",
          "Restart/Stop Commands", WARNING, OPERATIONAL, "T0816"),
    ALERT(DNP3_V_CONFIG_CHANGED, "config_changed", "DNP3 outstation has another configuration",
          "O28", "Configuration changes", MAJOR, OPERATIONAL, "T0857"),
    ALERT(DNP3_V_AUTH_ERROR, "authentication_error", "DNP3 secure authentication failed", "O21",
          "Authentication", MINOR, OPERATIONAL, "T0859"),
    ROW(DNP3_V_USER_CHANGE, "user_status_change", "DNP3 user added, deleted or given a role",
        MAJOR, "T0892"),
    ROW(DNP3_V_CLEARTEXT_PASSWORD, "cleartext_password", "DNP3 password in the clear", MINOR,
        "T0859"),
    /* Titles of class `program` for what is done to files, see above: nobody knows what is in one. */
    ALERT(DNP3_V_FILE_WRITE, "file_write", "DNP3 file of an outstation is written", NULL,
          "Programming", MAJOR, POLICY, "T0839 T0857 T0889"),
    ALERT(DNP3_V_FILE_DELETE, "file_delete", "DNP3 file of an outstation is deleted", NULL,
          "Programming", MAJOR, POLICY, "T0809"),
};
/* clang-format on */
