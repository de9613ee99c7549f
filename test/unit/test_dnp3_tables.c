/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dnp3_tables.c: names of numbers, commands and violations, held against IEEE 1815 (functions,
 * indications, statuses, attributes, secure authentication) and MITRE ATT&CK for ICS.
 */
#include "protocols/power/dnp3_objects.h"
#include "table_rows.h"

extern const struct ft_dissector ft_dissector_dnp3;

#define D    (&ft_dissector_dnp3)
#define ANY  FT_ANY_QUALIFIER
#define LINK DNP3_LINK_COMMAND

/* clang-format off */
static const struct ft_name kind_rows[] = {
    {0, "link"}, {1, "request"}, {2, "response"}, {3, "unsolicited_response"}, {4, "confirm"},
    {5, "segment"}, {0, NULL}};

static const struct ft_name link_function_rows[] = {
    {0x00, "ack"}, {0x01, "nack"}, {0x0b, "link_status"}, {0x0e, "not_functioning"},
    {0x0f, "not_supported"}, {0x10, "reset_link"}, {0x11, "reset_user"}, {0x12, "test_link"},
    {0x13, "confirmed_user_data"}, {0x14, "unconfirmed_user_data"}, {0x19, "request_link_status"},
    {0, NULL}};

static const struct ft_name function_rows[] = {
    {0, "confirm"}, {1, "read"}, {2, "write"}, {3, "select"}, {4, "operate"}, {5, "direct_operate"},
    {6, "direct_operate_no_ack"}, {7, "immediate_freeze"}, {8, "immediate_freeze_no_ack"},
    {9, "freeze_clear"}, {10, "freeze_clear_no_ack"}, {11, "freeze_at_time"},
    {12, "freeze_at_time_no_ack"}, {13, "cold_restart"}, {14, "warm_restart"},
    {15, "initialize_data"}, {16, "initialize_application"}, {17, "start_application"},
    {18, "stop_application"}, {19, "save_configuration"}, {20, "enable_unsolicited"},
    {21, "disable_unsolicited"}, {22, "assign_class"}, {23, "delay_measurement"},
    {24, "record_current_time"}, {25, "open_file"}, {26, "close_file"}, {27, "delete_file"},
    {28, "get_file_info"}, {29, "authenticate_file"}, {30, "abort_file"},
    {31, "activate_configuration"}, {32, "authenticate_request"},
    {33, "authenticate_request_no_ack"}, {129, "response"}, {130, "unsolicited_response"},
    {131, "authenticate_response"}, {0, NULL}};

static const struct ft_name indicators_rows[] = {
    {0x0100, "all_stations"}, {0x0200, "class_1_events"}, {0x0400, "class_2_events"},
    {0x0800, "class_3_events"}, {0x1000, "need_time"}, {0x2000, "local_control"},
    {0x4000, "device_trouble"}, {0x8000, "device_restart"}, {0x0001, "no_func_code_support"},
    {0x0002, "object_unknown"}, {0x0004, "parameter_error"}, {0x0008, "event_buffer_overflow"},
    {0x0010, "already_executing"}, {0x0020, "config_corrupt"}, {0x0040, "reserved_2"},
    {0x0080, "reserved_1"}, {0, NULL}};

static const struct ft_name flags_rows[] = {
    {0x001, "online"}, {0x002, "restart"}, {0x004, "comm_lost"}, {0x008, "remote_forced"},
    {0x010, "local_forced"}, {0x020, "chatter_filter"}, {0x100, "over_range"}, {0x200, "rollover"},
    {0x400, "reference_err"}, {0x800, "discontinuity"}, {0, NULL}};

static const struct ft_name status_rows[] = {
    {0, "success"}, {1, "timeout"}, {2, "no_select"}, {3, "format_error"}, {4, "not_supported"},
    {5, "already_active"}, {6, "hardware_error"}, {7, "local"}, {8, "too_many_operations"},
    {9, "not_authorized"}, {10, "automation_inhibit"}, {11, "processing_limited"},
    {12, "out_of_range"}, {13, "downstream_local"}, {14, "already_complete"}, {15, "blocked"},
    {16, "cancelled"}, {17, "blocked_other_master"}, {18, "downstream_fail"},
    {126, "non_participating"}, {127, "undefined"}, {0, NULL}};

static const struct ft_name operation_rows[] = {
    {0, "nul"}, {1, "pulse_on"}, {2, "pulse_off"}, {3, "latch_on"}, {4, "latch_off"}, {0, NULL}};

static const struct ft_name trip_close_rows[] = {
    {0, "nul"}, {1, "close"}, {2, "trip"}, {3, "reserved"}, {0, NULL}};

static const struct ft_name interval_units_rows[] = {
    {0, "none"}, {1, "milliseconds"}, {2, "seconds"}, {3, "minutes"}, {4, "hours"}, {5, "days"},
    {6, "weeks"}, {7, "months_7"}, {8, "months_8"}, {9, "months_9"}, {10, "seasons"}, {0, NULL}};

static const struct ft_name attribute_rows[] = {
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

static const struct ft_name file_mode_rows[] = {
    {0, "null"}, {1, "read"}, {2, "write"}, {3, "append"}, {0, NULL}};

static const struct ft_name file_type_rows[] = {
    {0, "directory"}, {1, "file"}, {0, NULL}};

static const struct ft_name file_status_rows[] = {
    {0, "success"}, {1, "permission_denied"}, {2, "invalid_mode"}, {3, "not_found"}, {4, "locked"},
    {5, "too_many_open"}, {6, "invalid_handle"}, {7, "block_size"}, {8, "comm_lost"},
    {9, "cannot_abort"}, {16, "not_opened"}, {17, "handle_expired"}, {18, "overrun"}, {19, "fatal"},
    {20, "block_sequence"}, {255, "undefined"}, {0, NULL}};

static const struct ft_name mac_algorithm_rows[] = {
    {0, "none"}, {1, "hmac_sha1_4"}, {2, "hmac_sha1_10"}, {3, "hmac_sha256_8"},
    {4, "hmac_sha256_16"}, {5, "hmac_sha1_8"}, {6, "aes_gmac"}, {0, NULL}};

static const struct ft_name reason_rows[] = {
    {1, "critical"}, {0, NULL}};

static const struct ft_name key_wrap_rows[] = {
    {1, "aes_128"}, {2, "aes_256"}, {0, NULL}};

static const struct ft_name key_status_rows[] = {
    {1, "ok"}, {2, "not_init"}, {3, "comm_fail"}, {4, "auth_fail"}, {0, NULL}};

static const struct ft_name auth_error_rows[] = {
    {1, "authentication_failed"}, {4, "aggressive_mode_unsupported"},
    {5, "mac_algorithm_unsupported"}, {6, "key_wrap_unsupported"}, {7, "authorization_failed"},
    {8, "update_key_method_not_permitted"}, {9, "invalid_signature"}, {10, "invalid_certification"},
    {11, "unknown_user"}, {12, "too_many_key_status_requests"}, {0, NULL}};

static const struct ft_name user_operation_rows[] = {
    {1, "add"}, {2, "delete"}, {3, "change"}, {0, NULL}};

static const struct ft_name role_rows[] = {
    {0, "viewer"}, {1, "operator"}, {2, "engineer"}, {3, "installer"}, {4, "secadm"}, {5, "secaud"},
    {6, "rbacmnt"}, {32768, "single_user"}, {0, NULL}};

/* Reads and writes by the group of their first object, files by the mode of opening. */
static const struct command_row command_rows[] = {
    {0, ANY, "confirm", FT_CLASS_DATA, NULL}, {1, ANY, "read", FT_CLASS_READ, NULL},
    {1, 0, "read_attributes", FT_CLASS_DIAGNOSTIC, "T0888"},
    {1, 60, "read_class_data", FT_CLASS_READ, NULL}, {1, 70, "read_file", FT_CLASS_FILE, "T0845"},
    {2, ANY, "write", FT_CLASS_WRITE, "T0836"},
    {2, 0, "write_attributes", FT_CLASS_CONFIG, "T0836"},
    {2, 10, "write_binary_output", FT_CLASS_OPERATE, "T0855"},
    {2, 12, "write_control_pattern", FT_CLASS_OPERATE, "T0855"},
    {2, 34, "write_deadband", FT_CLASS_CONFIG, "T0836"},
    {2, 40, "write_analog_output", FT_CLASS_OPERATE, "T0855"},
    {2, 41, "write_analog_output", FT_CLASS_OPERATE, "T0855"},
    {2, 50, "write_time", FT_CLASS_CONFIG, "T0836"},
    {2, 51, "write_time", FT_CLASS_CONFIG, "T0836"},
    {2, 70, "write_file", FT_CLASS_PROGRAM, "T0889"},
    {2, 80, "write_indications", FT_CLASS_CONFIG, "T0836"},
    {2, 85, "write_data_set_prototype", FT_CLASS_CONFIG, "T0836"},
    {2, 86, "write_data_set_descriptor", FT_CLASS_CONFIG, "T0836"},
    {2, 112, "write_virtual_terminal", FT_CLASS_ADMIN, "T0807"},
    {3, ANY, "select", FT_CLASS_OPERATE, "T0855"}, {4, ANY, "operate", FT_CLASS_OPERATE, "T0855"},
    {5, ANY, "direct_operate", FT_CLASS_OPERATE, "T0855"},
    {6, ANY, "direct_operate_no_ack", FT_CLASS_OPERATE, "T0855"},
    {7, ANY, "immediate_freeze", FT_CLASS_WRITE, NULL},
    {8, ANY, "immediate_freeze_no_ack", FT_CLASS_WRITE, NULL},
    {9, ANY, "freeze_clear", FT_CLASS_WRITE, NULL},
    {10, ANY, "freeze_clear_no_ack", FT_CLASS_WRITE, NULL},
    {11, ANY, "freeze_at_time", FT_CLASS_WRITE, NULL},
    {12, ANY, "freeze_at_time_no_ack", FT_CLASS_WRITE, NULL},
    {13, ANY, "cold_restart", FT_CLASS_MODE, "T0816"},
    {14, ANY, "warm_restart", FT_CLASS_MODE, "T0816"},
    {15, ANY, "initialize_data", FT_CLASS_MODE, "T0836"},
    {16, ANY, "initialize_application", FT_CLASS_MODE, "T0858 T0881"},
    {17, ANY, "start_application", FT_CLASS_MODE, "T0858"},
    {18, ANY, "stop_application", FT_CLASS_MODE, "T0858 T0881"},
    {19, ANY, "save_configuration", FT_CLASS_CONFIG, "T0836"},
    {20, ANY, "enable_unsolicited", FT_CLASS_CONFIG, "T0878"},
    {21, ANY, "disable_unsolicited", FT_CLASS_CONFIG, "T0804 T0878"},
    {22, ANY, "assign_class", FT_CLASS_CONFIG, "T0804 T0878"},
    {23, ANY, "delay_measurement", FT_CLASS_DIAGNOSTIC, NULL},
    {24, ANY, "record_current_time", FT_CLASS_CONFIG, NULL},
    {25, ANY, "open_file", FT_CLASS_FILE, NULL}, {25, 1, "open_file_read", FT_CLASS_FILE, "T0845"},
    {25, 2, "open_file_write", FT_CLASS_PROGRAM, "T0839 T0857 T0889"},
    {25, 3, "open_file_append", FT_CLASS_PROGRAM, "T0839 T0857 T0889"},
    {26, ANY, "close_file", FT_CLASS_FILE, NULL},
    {27, ANY, "delete_file", FT_CLASS_PROGRAM, "T0809"},
    {28, ANY, "get_file_info", FT_CLASS_READ, NULL},
    {29, ANY, "authenticate_file", FT_CLASS_AUTH, NULL},
    {30, ANY, "abort_file", FT_CLASS_FILE, NULL},
    {31, ANY, "activate_configuration", FT_CLASS_CONFIG, "T0889"},
    {32, ANY, "authenticate_request", FT_CLASS_AUTH, NULL},
    {32, 10, "user_status_change", FT_CLASS_ADMIN, "T0892"},
    {33, ANY, "authenticate_request_no_ack", FT_CLASS_AUTH, NULL},
    {129, ANY, "response", FT_CLASS_DATA, NULL},
    {130, ANY, "unsolicited_response", FT_CLASS_EVENT, NULL},
    {131, ANY, "authenticate_response", FT_CLASS_AUTH, NULL},
    {LINK | 0, 1, "reset_link", FT_CLASS_SESSION, NULL},
    {LINK | 1, 1, "reset_user", FT_CLASS_MODE, NULL},
    {LINK | 2, 1, "test_link", FT_CLASS_DIAGNOSTIC, NULL},
    {LINK | 3, 1, "confirmed_user_data", FT_CLASS_DATA, NULL},
    {LINK | 4, 1, "unconfirmed_user_data", FT_CLASS_DATA, NULL},
    {LINK | 9, 1, "request_link_status", FT_CLASS_DIAGNOSTIC, NULL},
    {LINK | 0, 0, "ack", FT_CLASS_SESSION, NULL}, {LINK | 1, 0, "nack", FT_CLASS_SESSION, NULL},
    {LINK | 11, 0, "link_status", FT_CLASS_DIAGNOSTIC, NULL},
    {LINK | 14, 0, "link_not_functioning", FT_CLASS_SESSION, NULL},
    {LINK | 15, 0, "link_not_supported", FT_CLASS_SESSION, NULL}};

static const struct field_row field_rows[] = {
    {"src", FT_TYPE_UINT, 16, 0}, {"dst", FT_TYPE_UINT, 16, 0}, {"type", FT_TYPE_ENUM, 32, 0},
    {"broadcast", FT_TYPE_BOOL, 0, 0}, {"crc_ok", FT_TYPE_BOOL, 0, 0},
    {"length", FT_TYPE_UINT, 8, 0}, {"control", FT_TYPE_GROUP, 0, 0},
    {"control.dir", FT_TYPE_BOOL, 0, 0}, {"control.pri", FT_TYPE_BOOL, 0, 0},
    {"control.fcb", FT_TYPE_BOOL, 0, 0}, {"control.fcv", FT_TYPE_BOOL, 0, 0},
    {"control.function_code", FT_TYPE_UINT, 4, 0}, {"control.function_name", FT_TYPE_ENUM, 8, 0},
    {"transport", FT_TYPE_GROUP, 0, 0}, {"transport.fir", FT_TYPE_BOOL, 0, 0},
    {"transport.fin", FT_TYPE_BOOL, 0, 0}, {"transport.sequence", FT_TYPE_UINT, 6, 0},
    {"application", FT_TYPE_GROUP, 0, 0}, {"application.control", FT_TYPE_GROUP, 0, 0},
    {"application.control.fir", FT_TYPE_BOOL, 0, 0},
    {"application.control.fin", FT_TYPE_BOOL, 0, 0},
    {"application.control.con", FT_TYPE_BOOL, 0, 0},
    {"application.control.uns", FT_TYPE_BOOL, 0, 0},
    {"application.control.sequence", FT_TYPE_UINT, 4, 0},
    {"application.function", FT_TYPE_ENUM, 8, 0},
    {"application.request_function", FT_TYPE_ENUM, 8, 0},
    {"application.complete", FT_TYPE_BOOL, 0, 0}, {"iin", FT_TYPE_GROUP, 0, 0},
    {"iin.indicators", FT_TYPE_FLAGS, 16, 0},
    {"application.objects", FT_TYPE_GROUP, 0, FT_FIELD_LIST},
    {"application.objects.group", FT_TYPE_UINT, 8, 0},
    {"application.objects.variation", FT_TYPE_UINT, 8, 0},
    {"application.objects.qualifier", FT_TYPE_UINT, 8, 0},
    {"application.objects.prefix_code", FT_TYPE_UINT, 8, 0},
    {"application.objects.range_code", FT_TYPE_UINT, 8, 0},
    {"application.objects.start", FT_TYPE_UINT, 32, 0},
    {"application.objects.stop", FT_TYPE_UINT, 32, 0},
    {"application.objects.count", FT_TYPE_UINT, 0, 0},
    {"application.objects.points", FT_TYPE_GROUP, 0, FT_FIELD_LIST},
    {"application.objects.points.prefix", FT_TYPE_UINT, 32, 0},
    {"application.objects.points.index", FT_TYPE_UINT, 32, 0},
    {"application.objects.points.state", FT_TYPE_UINT, 8, 0},
    {"application.objects.points.value", FT_TYPE_FLOAT, 0, 0},
    {"application.objects.points.flags", FT_TYPE_FLAGS, 32, 0},
    {"application.objects.points.status", FT_TYPE_ENUM, 7, 0},
    {"application.objects.points.time", FT_TYPE_TIME, 0, 0},
    {"application.objects.points.relative_ms", FT_TYPE_UINT, 16, 0},
    {"application.objects.points.delay_ms", FT_TYPE_UINT, 26, 0},
    {"application.objects.points.op_type", FT_TYPE_UINT, 4, 0},
    {"application.objects.points.operation", FT_TYPE_ENUM, 4, 0},
    {"application.objects.points.qu", FT_TYPE_UINT, 1, 0},
    {"application.objects.points.cr", FT_TYPE_UINT, 1, 0},
    {"application.objects.points.tcc", FT_TYPE_UINT, 2, 0},
    {"application.objects.points.trip_close", FT_TYPE_ENUM, 2, 0},
    {"application.objects.points.count", FT_TYPE_UINT, 8, 0},
    {"application.objects.points.ontime", FT_TYPE_UINT, 32, 0},
    {"application.objects.points.offtime", FT_TYPE_UINT, 32, 0},
    {"application.objects.points.interval", FT_TYPE_UINT, 32, 0},
    {"application.objects.points.interval_units", FT_TYPE_ENUM, 8, 0},
    {"application.objects.points.association", FT_TYPE_UINT, 16, 0},
    {"application.objects.points.fill_percent", FT_TYPE_UINT, 8, 0},
    {"application.objects.points.buffer_group", FT_TYPE_UINT, 8, 0},
    {"application.objects.points.buffer_variation", FT_TYPE_UINT, 8, 0},
    {"application.objects.points.attribute", FT_TYPE_ENUM, 8, 0},
    {"application.objects.points.text", FT_TYPE_STRING, 0, 0},
    {"application.objects.points.octets", FT_TYPE_BYTES, 0, 0},
    {"application.objects.points.file", FT_TYPE_GROUP, 0, 0},
    {"application.objects.points.file.name", FT_TYPE_STRING, 0, 0},
    {"application.objects.points.file.mode", FT_TYPE_ENUM, 16, 0},
    {"application.objects.points.file.type", FT_TYPE_ENUM, 16, 0},
    {"application.objects.points.file.handle", FT_TYPE_UINT, 32, 0},
    {"application.objects.points.file.size", FT_TYPE_UINT, 32, 0},
    {"application.objects.points.file.created", FT_TYPE_TIME, 0, 0},
    {"application.objects.points.file.permissions", FT_TYPE_UINT, 16, 0},
    {"application.objects.points.file.max_block", FT_TYPE_UINT, 16, 0},
    {"application.objects.points.file.request_id", FT_TYPE_UINT, 16, 0},
    {"application.objects.points.file.status", FT_TYPE_ENUM, 8, 0},
    {"application.objects.points.file.block", FT_TYPE_UINT, 31, 0},
    {"application.objects.points.file.last", FT_TYPE_BOOL, 0, 0},
    {"application.objects.points.file.data_length", FT_TYPE_UINT, 32, 0},
    {"application.objects.points.file.text", FT_TYPE_STRING, 0, 0},
    {"application.objects.points.file.user", FT_TYPE_STRING, 0, 0},
    {"application.objects.points.file.password", FT_TYPE_STRING, 0, FT_FIELD_SECRET},
    {"application.objects.points.auth", FT_TYPE_GROUP, 0, 0},
    {"application.objects.points.auth.sequence", FT_TYPE_UINT, 32, 0},
    {"application.objects.points.auth.user", FT_TYPE_UINT, 16, 0},
    {"application.objects.points.auth.mac_algorithm", FT_TYPE_ENUM, 8, 0},
    {"application.objects.points.auth.reason", FT_TYPE_ENUM, 8, 0},
    {"application.objects.points.auth.key_wrap", FT_TYPE_ENUM, 8, 0},
    {"application.objects.points.auth.key_status", FT_TYPE_ENUM, 8, 0},
    {"application.objects.points.auth.error", FT_TYPE_ENUM, 8, 0},
    {"application.objects.points.auth.association", FT_TYPE_UINT, 16, 0},
    {"application.objects.points.auth.time", FT_TYPE_TIME, 0, 0},
    {"application.objects.points.auth.text", FT_TYPE_STRING, 0, 0},
    {"application.objects.points.auth.method", FT_TYPE_UINT, 8, 0},
    {"application.objects.points.auth.operation", FT_TYPE_ENUM, 8, 0},
    {"application.objects.points.auth.status_sequence", FT_TYPE_UINT, 32, 0},
    {"application.objects.points.auth.role", FT_TYPE_ENUM, 16, 0},
    {"application.objects.points.auth.role_expiry", FT_TYPE_UINT, 16, 0},
    {"application.objects.points.auth.name", FT_TYPE_STRING, 0, 0},
    {"application.objects.points.auth.challenge", FT_TYPE_BYTES, 0, 0},
    {"application.objects.points.auth.mac", FT_TYPE_BYTES, 0, 0}};
/* clang-format on */

static const struct violation_row violation_rows[] = {
    {"header_crc", FT_SEVERITY_MINOR, FT_ENGINE_PROTOCOL, 0, "T0814", NULL, NULL},
    {"block_crc", FT_SEVERITY_MINOR, FT_ENGINE_PROTOCOL, 0, "T0814", NULL, NULL},
    {"link_length", FT_SEVERITY_MINOR, FT_ENGINE_PROTOCOL, 0, "T0814", NULL, NULL},
    {"link_function", FT_SEVERITY_MINOR, FT_ENGINE_PROTOCOL, 0, "T0814", NULL, NULL},
    {"link_fcv", FT_SEVERITY_WARNING, FT_ENGINE_PROTOCOL, 0, "T0814", NULL, NULL},
    {"link_user_data", FT_SEVERITY_MINOR, FT_ENGINE_PROTOCOL, 0, "T0814", NULL, NULL},
    {"reserved_address", FT_SEVERITY_MINOR, FT_ENGINE_PROTOCOL, 0, "T0814", NULL, NULL},
    {"transport_sequence", FT_SEVERITY_WARNING, FT_ENGINE_PROTOCOL, 0, "T0814", NULL, NULL},
    {"transport_restart", FT_SEVERITY_WARNING, FT_ENGINE_PROTOCOL, 0, "T0814", NULL, NULL},
    {"application_short", FT_SEVERITY_MINOR, FT_ENGINE_PROTOCOL, 0, "T0814", NULL, NULL},
    {"reserved_function", FT_SEVERITY_MAJOR, FT_ENGINE_PROTOCOL, 1, "T0836", "V23",
     "Illegal commands"},
    {"illegal_operation", FT_SEVERITY_MAJOR, FT_ENGINE_PROTOCOL, 1, "T0866", "V6",
     "Illegal commands"},
    {"unsolicited_bit", FT_SEVERITY_WARNING, FT_ENGINE_PROTOCOL, 0, "T0814", NULL, NULL},
    {"master_confirm", FT_SEVERITY_WARNING, FT_ENGINE_PROTOCOL, 1, "T0869", "V13",
     "Illegal commands"},
    {"initialize_data", FT_SEVERITY_MINOR, FT_ENGINE_PROTOCOL, 1, "T0855", "V11",
     "Illegal commands"},
    {"save_configuration", FT_SEVERITY_MINOR, FT_ENGINE_PROTOCOL, 1, "T0855", "V12",
     "Illegal commands"},
    {"broadcast_command", FT_SEVERITY_MAJOR, FT_ENGINE_PROTOCOL, 0, "T0855", NULL, NULL},
    {"unexpected_objects", FT_SEVERITY_MINOR, FT_ENGINE_PROTOCOL, 0, "T0814", NULL, NULL},
    {"qualifier", FT_SEVERITY_MINOR, FT_ENGINE_PROTOCOL, 0, "T0814", NULL, NULL},
    {"range", FT_SEVERITY_MINOR, FT_ENGINE_PROTOCOL, 0, "T0814", NULL, NULL},
    {"unknown_object", FT_SEVERITY_WARNING, FT_ENGINE_PROTOCOL, 0, "T0814", NULL, NULL},
    {"object_data", FT_SEVERITY_MINOR, FT_ENGINE_PROTOCOL, 0, "T0814", NULL, NULL},
    {"control_code", FT_SEVERITY_MINOR, FT_ENGINE_PROTOCOL, 0, "T0855", NULL, NULL},
    {"outstation_format", FT_SEVERITY_WARNING, FT_ENGINE_PROTOCOL, 0, "T0855", "V24",
     "Illegal commands"},
    {"operate_without_select", FT_SEVERITY_MAJOR, FT_ENGINE_PROTOCOL, 0, "T0855", NULL, NULL},
    {"function_not_supported", FT_SEVERITY_MAJOR, FT_ENGINE_PROTOCOL, 1, "T0855", "V3",
     "Illegal commands"},
    {"object_unknown", FT_SEVERITY_MAJOR, FT_ENGINE_PROTOCOL, 1, "T0855", "V22",
     "Illegal commands"},
    {"parameter_error", FT_SEVERITY_MAJOR, FT_ENGINE_PROTOCOL, 1, "T0855 T0836", "V10",
     "Illegal commands"},
    {"reserved_indication", FT_SEVERITY_WARNING, FT_ENGINE_PROTOCOL, 1, "T0836", "V25",
     "Illegal commands"},
    {"event_buffer_overflow", FT_SEVERITY_MAJOR, FT_ENGINE_OPERATIONAL, 1, "T0814 T0839", "O12",
     "Buffer overflow"},
    {"config_corrupt", FT_SEVERITY_MAJOR, FT_ENGINE_OPERATIONAL, 1, "T0809", "O29",
     "Configuration changes"},
    {"device_trouble", FT_SEVERITY_MAJOR, FT_ENGINE_OPERATIONAL, 1, "T0814 T0881", "O36",
     "Operational issues"},
    {"device_restart", FT_SEVERITY_WARNING, FT_ENGINE_OPERATIONAL, 1, "T0816", "O26",
     "Restart/Stop Commands"},
    {"config_changed", FT_SEVERITY_MAJOR, FT_ENGINE_OPERATIONAL, 1, "T0857", "O28",
     "Configuration changes"},
    {"authentication_error", FT_SEVERITY_MINOR, FT_ENGINE_OPERATIONAL, 1, "T0859", "O21",
     "Authentication"},
    {"user_status_change", FT_SEVERITY_MAJOR, FT_ENGINE_PROTOCOL, 0, "T0892", NULL, NULL},
    {"cleartext_password", FT_SEVERITY_MINOR, FT_ENGINE_PROTOCOL, 0, "T0859", NULL, NULL},
    {"file_write", FT_SEVERITY_MAJOR, FT_ENGINE_POLICY, 1, "T0839 T0857 T0889", NULL,
     "Programming"},
    {"file_delete", FT_SEVERITY_MAJOR, FT_ENGINE_POLICY, 1, "T0809", NULL, "Programming"}};

static void test_fields(void **state)
{
    (void)state;
    assert_fields(D, field_rows, ROWS(field_rows));
}

static void test_names(void **state)
{
    (void)state;
    assert_names(D, "type", kind_rows);
    assert_names(D, "control.function_name", link_function_rows);
    assert_names(D, "application.function", function_rows);
    assert_names(D, "application.request_function", function_rows);
    assert_names(D, "iin.indicators", indicators_rows);
    assert_names(D, "application.objects.points.flags", flags_rows);
    assert_names(D, "application.objects.points.status", status_rows);
    assert_names(D, "application.objects.points.operation", operation_rows);
    assert_names(D, "application.objects.points.trip_close", trip_close_rows);
    assert_names(D, "application.objects.points.interval_units", interval_units_rows);
    assert_names(D, "application.objects.points.attribute", attribute_rows);
    assert_names(D, "application.objects.points.file.mode", file_mode_rows);
    assert_names(D, "application.objects.points.file.type", file_type_rows);
    assert_names(D, "application.objects.points.file.status", file_status_rows);
    assert_names(D, "application.objects.points.auth.mac_algorithm", mac_algorithm_rows);
    assert_names(D, "application.objects.points.auth.reason", reason_rows);
    assert_names(D, "application.objects.points.auth.key_wrap", key_wrap_rows);
    assert_names(D, "application.objects.points.auth.key_status", key_status_rows);
    assert_names(D, "application.objects.points.auth.error", auth_error_rows);
    assert_names(D, "application.objects.points.auth.operation", user_operation_rows);
    assert_names(D, "application.objects.points.auth.role", role_rows);
}

static void test_commands(void **state)
{
    (void)state;
    assert_commands(D, command_rows, ROWS(command_rows));
}

static void test_violations(void **state)
{
    (void)state;
    assert_violations(D, violation_rows, ROWS(violation_rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_violations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
