/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * s7_tables.c: names of numbers, jobs, program invocations, userdata and violations, held against
 * what the public dissectors of S7 know and MITRE ATT&CK for ICS.
 */
#include "protocols/industrial/s7.h"
#include "table_rows.h"

extern const struct ft_dissector ft_dissector_s7comm;

#define D   (&ft_dissector_s7comm)
#define ANY FT_ANY_QUALIFIER

/* clang-format off */
static const struct ft_name rosctr_rows[] = {
    {1, "job"}, {2, "ack"}, {3, "ack_data"}, {7, "userdata"}, {0, NULL}};

static const struct ft_name error_class_rows[] = {
    {0x00, "none"}, {0x81, "application"}, {0x82, "object"}, {0x83, "resource"}, {0x84, "service"},
    {0x85, "supplies"}, {0x87, "access"}, {0, NULL}};

static const struct ft_name error_rows[] = {
    {0x0000, "none"}, {0x0110, "invalid_block_number"}, {0x0111, "invalid_request_length"},
    {0x0112, "invalid_parameter"}, {0x0113, "invalid_block_type"}, {0x0114, "block_not_found"},
    {0x0115, "block_exists"}, {0x0116, "block_write_protected"}, {0x0117, "block_too_large"},
    {0x0118, "block_number_not_allowed"}, {0x0119, "wrong_password"}, {0x011a, "pg_resource_error"},
    {0x011b, "plc_resource_error"}, {0x011c, "protocol_error"}, {0x011d, "too_many_blocks"},
    {0x011e, "database_connection_lost"}, {0x011f, "result_buffer_too_small"},
    {0x0120, "end_of_block_list"}, {0x0140, "no_memory"}, {0x0141, "no_resources_for_job"},
    {0x8001, "not_in_this_block_state"}, {0x8003, "block_transfer_error"},
    {0x8100, "service_unknown_to_module"}, {0x8104, "service_not_implemented"},
    {0x8204, "inconsistent_object_type"}, {0x8205, "copied_block_exists"},
    {0x8301, "no_memory_or_medium"}, {0x8302, "no_processor_resources"},
    {0x8304, "no_parallel_upload"}, {0x8305, "function_not_available"}, {0x8306, "no_work_memory"},
    {0x8307, "no_retentive_memory"}, {0x8401, "invalid_service_sequence"},
    {0x8402, "object_state_forbids_service"}, {0x8404, "function_not_possible"},
    {0x8405, "remote_block_disabled"}, {0x8500, "wrong_pdu"}, {0x8503, "cancelled_by_module"},
    {0x8701, "address_error"}, {0x8702, "service_not_supported"}, {0x8703, "access_refused"},
    {0x8704, "object_damaged"}, {0xd001, "illegal_job_number"}, {0xd002, "illegal_job_variant"},
    {0xd003, "debug_not_supported"}, {0xd004, "illegal_job_state"}, {0xd005, "illegal_job_end"},
    {0xd006, "illegal_disconnect_id"}, {0xd007, "illegal_buffer_elements"},
    {0xd008, "illegal_scan_rate"}, {0xd009, "illegal_execution_count"},
    {0xd00a, "illegal_trigger_event"}, {0xd00b, "illegal_trigger_condition"},
    {0xd011, "call_path_block_missing"}, {0xd012, "call_path_wrong_address"},
    {0xd014, "block_being_replaced"}, {0xd015, "illegal_tag_address"},
    {0xd016, "program_errors_forbid_test"}, {0xd017, "illegal_trigger_number"},
    {0xd025, "invalid_path"}, {0xd026, "illegal_access_type"},
    {0xd027, "data_block_count_not_allowed"}, {0xd031, "internal_protocol_error"},
    {0xd032, "wrong_result_buffer_length"}, {0xd033, "wrong_job_length"},
    {0xd03f, "parameter_coding_error"}, {0xd041, "illegal_szl_id"},
    {0xd042, "illegal_data_address"}, {0xd043, "job_not_found"}, {0xd044, "illegal_tag_value"},
    {0xd045, "exit_not_allowed_in_hold"}, {0xd046, "illegal_measuring_stage"},
    {0xd047, "illegal_job_hierarchy"}, {0xd048, "illegal_deletion_id"},
    {0xd049, "invalid_substitute_id"}, {0xd04a, "program_status_error"},
    {0xd05f, "data_coding_error"}, {0xd061, "no_memory_for_job"}, {0xd062, "job_list_full"},
    {0xd063, "trigger_occupied"}, {0xd064, "no_memory_for_result"},
    {0xd065, "no_memory_for_results"}, {0xd066, "timer_occupied"}, {0xd067, "too_many_modify_jobs"},
    {0xd081, "not_in_this_mode"}, {0xd082, "cannot_exit_hold"}, {0xd0a1, "protection_level"},
    {0xd0a2, "memory_function_running"}, {0xd0a3, "too_many_io_modify_jobs"},
    {0xd0a4, "force_already_set"}, {0xd0a5, "referenced_job_not_found"},
    {0xd0a6, "job_cannot_be_switched"}, {0xd0a7, "job_cannot_be_deleted"},
    {0xd0a8, "job_cannot_be_replaced"}, {0xd0a9, "job_cannot_be_read"},
    {0xd0aa, "time_limit_exceeded"}, {0xd0ab, "invalid_process_parameters"},
    {0xd0ac, "invalid_process_data"}, {0xd0ad, "mode_already_set"},
    {0xd0ae, "job_of_another_connection"}, {0xd0c1, "tag_access_error"}, {0xd0c2, "change_to_stop"},
    {0xd0c3, "tag_access_error_and_stop"}, {0xd0c4, "measurement_timeout"},
    {0xd0c5, "block_stack_inconsistent"}, {0xd0c6, "job_deleted_with_reference"},
    {0xd0c7, "job_deleted_on_stop_exit"}, {0xd0c8, "block_status_inconsistent"},
    {0xd0c9, "status_area_left"}, {0xd0ca, "status_area_left_with_error"},
    {0xd0cb, "outputs_disabled_again"}, {0xd0cc, "debug_data_limited"},
    {0xd201, "block_name_syntax"}, {0xd202, "function_parameter_syntax"},
    {0xd205, "linked_block_in_ram"}, {0xd206, "linked_block_in_eprom"},
    {0xd208, "too_many_copied_blocks"}, {0xd209, "block_missing"},
    {0xd20a, "too_many_blocks_linked"}, {0xd20b, "too_many_blocks_deleted"},
    {0xd20c, "priority_class_missing"}, {0xd20d, "sdb_not_interpretable"},
    {0xd20e, "no_further_block"}, {0xd20f, "block_size_exceeded"}, {0xd210, "block_number_invalid"},
    {0xd212, "wrong_header_attribute"}, {0xd213, "too_many_sdbs"}, {0xd216, "invalid_user_program"},
    {0xd217, "protection_level_not_permitted"}, {0xd218, "wrong_attribute"},
    {0xd219, "wrong_block_lengths"}, {0xd21a, "wrong_local_data_length"},
    {0xd21b, "cannot_compress"}, {0xd21d, "project_data_volume"},
    {0xd21e, "module_parameters_failed"}, {0xd220, "wrong_language"},
    {0xd221, "wrong_connection_data"}, {0xd222, "wrong_global_data"},
    {0xd223, "wrong_instance_block"}, {0xd224, "wrong_scan_block"}, {0xd225, "wrong_dp_block"},
    {0xd226, "block_structure_error"}, {0xd230, "block_structure_wrong"},
    {0xd231, "ob_priority_class_missing"}, {0xd232, "loaded_block_number_illegal"},
    {0xd234, "block_twice"}, {0xd235, "wrong_block_checksum"}, {0xd236, "no_block_checksum"},
    {0xd237, "block_already_loaded"}, {0xd238, "not_a_db"}, {0xd239, "db_not_linked"},
    {0xd23a, "db_differs"}, {0xd240, "coordination_rules"}, {0xd241, "protected_function"},
    {0xd242, "f_block_protection"}, {0xd250, "update_does_not_match"},
    {0xd251, "wrong_update_sequence"}, {0xd252, "checksum_error"}, {0xd253, "no_executable_loader"},
    {0xd254, "operating_system_storage"}, {0xd280, "compile_error"},
    {0xd2a1, "other_block_function_active"}, {0xd2a2, "block_trigger_active"},
    {0xd2a3, "block_not_active"}, {0xd2a4, "block_in_use"}, {0xd2a6, "save_and_change"},
    {0xd2a7, "block_unlinked"}, {0xd2a8, "debugging_forbids_parameters"},
    {0xd2a9, "cpu_parameters_being_set"}, {0xd2aa, "module_parameters_being_set"},
    {0xd2ab, "configuration_limits_changing"}, {0xd2ac, "activation_running"},
    {0xd2b0, "cir_error"}, {0xd2c0, "too_many_technology_objects"},
    {0xd2c1, "technology_block_exists"}, {0xd2c2, "download_not_possible"},
    {0xd401, "information_unavailable"}, {0xd402, "information_function_unavailable"},
    {0xd403, "already_logged_on"}, {0xd404, "no_more_logons"}, {0xd405, "syntax_error"},
    {0xd406, "information_not_available_now"}, {0xd407, "diagnostics_error"},
    {0xd408, "update_aborted"}, {0xd409, "dp_bus_error"}, {0xd601, "syntax_error_in_function"},
    {0xd602, "password_wrong"}, {0xd603, "already_legitimized"}, {0xd604, "already_enabled"},
    {0xd605, "no_password_set"}, {0xd801, "invalid_tag_address"}, {0xd802, "job_missing"},
    {0xd803, "job_state_illegal"}, {0xd804, "cycle_time_illegal"}, {0xd805, "no_more_cyclic_jobs"},
    {0xd806, "wrong_job_state"}, {0xd807, "cyclic_overload"}, {0xdc01, "invalid_time"},
    {0xe201, "already_master"}, {0xe202, "different_program"}, {0xe203, "different_firmware"},
    {0xe204, "different_memory"}, {0xe205, "synchronisation_error"},
    {0xe206, "coordination_violation"}, {0xef01, "id2_error"}, {0xef02, "no_such_resources"},
    {0, NULL}};

static const struct ft_name function_rows[] = {
    {0x00, "cpu_services"}, {0x04, "read_var"}, {0x05, "write_var"}, {0x1a, "request_download"},
    {0x1b, "download_block"}, {0x1c, "download_ended"}, {0x1d, "start_upload"}, {0x1e, "upload"},
    {0x1f, "end_upload"}, {0x28, "pi_service"}, {0x29, "plc_stop"}, {0xf0, "setup_communication"},
    {0, NULL}};

static const struct ft_name syntax_rows[] = {
    {0x10, "s7_any"}, {0x13, "pbc_r_id"}, {0x15, "alarm_lock_free"}, {0x16, "alarm_indication"},
    {0x19, "alarm_ack"}, {0x1a, "alarm_query"}, {0x1c, "notify_indication"}, {0x82, "nck"},
    {0x83, "nck_metric"}, {0x84, "nck_inch"}, {0xa2, "drive_es_any"}, {0xb0, "db_read"},
    {0xb2, "s7_1200_symbolic"}, {0, NULL}};

static const struct ft_name area_rows[] = {
    {0x01, "data_record"}, {0x03, "system_info_200"}, {0x05, "system_flags_200"},
    {0x06, "analog_inputs_200"}, {0x07, "analog_outputs_200"}, {0x1c, "counter"}, {0x1d, "timer"},
    {0x1e, "iec_counter_200"}, {0x1f, "iec_timer_200"}, {0x80, "peripheral"}, {0x81, "input"},
    {0x82, "output"}, {0x83, "flag"}, {0x84, "db"}, {0x85, "instance_db"}, {0x86, "local"},
    {0x87, "previous_local"}, {0, NULL}};

static const struct ft_name size_rows[] = {
    {0x01, "bit"}, {0x02, "byte"}, {0x03, "char"}, {0x04, "word"}, {0x05, "int"}, {0x06, "dword"},
    {0x07, "dint"}, {0x08, "real"}, {0x09, "date"}, {0x0a, "tod"}, {0x0b, "time"}, {0x0c, "s5time"},
    {0x0f, "date_and_time"}, {0x1c, "counter"}, {0x1d, "timer"}, {0x1e, "iec_timer"},
    {0x1f, "iec_counter"}, {0x20, "hs_counter"}, {0, NULL}};

static const struct ft_name nck_area_rows[] = {
    {0, "nck"}, {1, "mode_group"}, {2, "channel"}, {3, "axis"}, {4, "tool"}, {5, "feed_drive"},
    {6, "main_drive"}, {7, "mmc"}, {0, NULL}};

static const struct ft_name result_rows[] = {
    {0x00, "reserved"}, {0x01, "hardware_error"}, {0x03, "access_denied"}, {0x05, "out_of_range"},
    {0x06, "type_not_supported"}, {0x07, "type_inconsistent"}, {0x0a, "object_missing"},
    {0xff, "ok"}, {0, NULL}};

static const struct ft_name data_type_rows[] = {
    {0x00, "null"}, {0x03, "bit"}, {0x04, "byte_word_dword"}, {0x05, "integer"}, {0x06, "dinteger"},
    {0x07, "real"}, {0x09, "octet_string"}, {0x11, "nck_address_1"}, {0x12, "nck_address_2"},
    {0, NULL}};

static const struct ft_name block_type_rows[] = {
    {0x3038, "ob"}, {0x3039, "cmod"}, {0x3041, "db"}, {0x3042, "sdb"}, {0x3043, "fc"},
    {0x3044, "sfc"}, {0x3045, "fb"}, {0x3046, "sfb"}, {0, NULL}};

static const struct ft_name block_destination_rows[] = {
    {'P', "passive"}, {'A', "active"}, {'B', "both"}, {0, NULL}};

static const struct ft_name block_language_rows[] = {
    {0, "not_defined"}, {1, "awl"}, {2, "kop"}, {3, "fup"}, {4, "scl"}, {5, "db"}, {6, "graph"},
    {7, "sdb"}, {8, "cpu_db"}, {17, "sdb_after_reset"}, {18, "sdb_routing"}, {41, "encrypted"},
    {0, NULL}};

static const struct ft_name ud_method_rows[] = {
    {0x00, "none"}, {0x10, "push"}, {0x11, "request"}, {0x12, "response"}, {0, NULL}};

static const struct ft_name ud_type_rows[] = {
    {0, "push"}, {3, "nc_push"}, {4, "request"}, {7, "nc_request"}, {8, "response"},
    {11, "nc_response"}, {0, NULL}};

static const struct ft_name ud_group_rows[] = {
    {0, "mode_transition"}, {1, "programmer"}, {2, "cyclic"}, {3, "block"}, {4, "cpu"},
    {5, "security"}, {6, "pbc"}, {7, "time"}, {15, "nc_programming"}, {0, NULL}};

static const struct ft_name mode_rows[] = {
    {1, "stop_update"}, {2, "stop_memory_reset"}, {3, "stop_initialising"}, {4, "stop"},
    {5, "warm_restart"}, {6, "cold_restart"}, {7, "hot_restart"}, {8, "run"}, {9, "run_redundant"},
    {10, "hold"}, {11, "link_up"}, {12, "update"}, {13, "defect"}, {0, NULL}};

static const struct ft_name trigger_rows[] = {
    {0x0000, "immediately"}, {0x0100, "system"}, {0x0200, "cycle_start"}, {0x0300, "cycle_end"},
    {0x0400, "run_to_stop"}, {0x0500, "after_code_address"}, {0x0600, "code_range"},
    {0x0601, "code_range_with_call_path"}, {0x0700, "data_address"}, {0x0800, "data_range"},
    {0x0900, "local_data_address"}, {0x0a00, "local_data_range"}, {0x0b00, "range"},
    {0x0c00, "before_code_address"}, {0, NULL}};

static const struct ft_name events_wanted_rows[] = {
    {0x01, "mode_transition"}, {0x02, "system_diagnostics"}, {0x04, "user_defined"},
    {0x80, "alarms"}, {0, NULL}};

static const struct ft_name switch_rows[] = {
    {0, "not_known"}, {1, "run"}, {2, "run_p"}, {3, "stop"}, {4, "mres"}, {0, NULL}};

static const struct ft_name alarm_query_rows[] = {
    {1, "by_type"}, {3, "by_event_id"}, {0, NULL}};

static const struct ft_name alarm_type_rows[] = {
    {1, "scan"}, {2, "alarm_8"}, {4, "alarm_s"}, {0, NULL}};

/* Jobs by their function; an acknowledgement; userdata by group (0x700 and up), subfunction. */
static const struct command_row command_rows[] = {
    {0x00, ANY, "cpu_services", FT_CLASS_UNKNOWN, NULL},
    {0x04, ANY, "read_var", FT_CLASS_READ, NULL},
    {0x05, ANY, "write_var", FT_CLASS_WRITE, "T0855 T0835 T0836"},
    {0x1a, ANY, "request_download", FT_CLASS_PROGRAM, "T0843 T0889"},
    {0x1b, ANY, "download_block", FT_CLASS_PROGRAM, "T0843 T0889"},
    {0x1c, ANY, "download_ended", FT_CLASS_PROGRAM, "T0843 T0889"},
    {0x1d, ANY, "start_upload", FT_CLASS_UPLOAD, "T0845"},
    {0x1e, ANY, "upload", FT_CLASS_UPLOAD, "T0845"},
    {0x1f, ANY, "end_upload", FT_CLASS_UPLOAD, "T0845"},
    {0x29, ANY, "plc_stop", FT_CLASS_MODE, "T0858 T0816"},
    {0xf0, ANY, "setup_communication", FT_CLASS_SESSION, NULL},
    {0x600, ANY, "acknowledge", FT_CLASS_SESSION, NULL},
    {0x700, ANY, "mode_transition", FT_CLASS_EVENT, NULL},
    {0x701, ANY, "programmer_function", FT_CLASS_DIAGNOSTIC, NULL},
    {0x701, 0x01, "block_status", FT_CLASS_DIAGNOSTIC, NULL},
    {0x701, 0x02, "variable_status", FT_CLASS_READ, NULL},
    {0x701, 0x03, "interrupt_stack", FT_CLASS_DIAGNOSTIC, NULL},
    {0x701, 0x04, "block_stack", FT_CLASS_DIAGNOSTIC, NULL},
    {0x701, 0x05, "local_stack", FT_CLASS_DIAGNOSTIC, NULL},
    {0x701, 0x06, "time_measurement", FT_CLASS_DIAGNOSTIC, NULL},
    {0x701, 0x07, "force_selection", FT_CLASS_DIAGNOSTIC, NULL},
    {0x701, 0x08, "modify_variable", FT_CLASS_WRITE, "T0855 T0835 T0836"},
    {0x701, 0x09, "force", FT_CLASS_WRITE, "T0855 T0835 T0836"},
    {0x701, 0x0a, "breakpoint", FT_CLASS_MODE, "T0858"},
    {0x701, 0x0b, "exit_hold", FT_CLASS_MODE, "T0858"},
    {0x701, 0x0c, "memory_reset", FT_CLASS_MODE, "T0858 T0816 T0809"},
    {0x701, 0x0d, "disable_job", FT_CLASS_ADMIN, NULL},
    {0x701, 0x0e, "enable_job", FT_CLASS_DIAGNOSTIC, NULL},
    {0x701, 0x0f, "delete_job", FT_CLASS_ADMIN, NULL},
    {0x701, 0x10, "read_job_list", FT_CLASS_DIAGNOSTIC, NULL},
    {0x701, 0x11, "read_job", FT_CLASS_DIAGNOSTIC, NULL},
    {0x701, 0x12, "replace_job", FT_CLASS_ADMIN, NULL},
    {0x701, 0x13, "block_status_2", FT_CLASS_DIAGNOSTIC, NULL},
    {0x701, 0x16, "flash_led", FT_CLASS_DIAGNOSTIC, NULL},
    {0x702, ANY, "cyclic_function", FT_CLASS_READ, NULL},
    {0x702, 0x01, "cyclic_read", FT_CLASS_READ, NULL},
    {0x702, 0x04, "cyclic_unsubscribe", FT_CLASS_READ, NULL},
    {0x702, 0x05, "change_driven_read", FT_CLASS_READ, NULL},
    {0x702, 0x07, "change_driven_modify", FT_CLASS_READ, NULL},
    {0x702, 0x08, "read_record", FT_CLASS_READ, NULL},
    {0x703, ANY, "block_function", FT_CLASS_DIAGNOSTIC, NULL},
    {0x703, 0x01, "list_blocks", FT_CLASS_DIAGNOSTIC, NULL},
    {0x703, 0x02, "list_blocks_of_type", FT_CLASS_DIAGNOSTIC, NULL},
    {0x703, 0x03, "block_info", FT_CLASS_DIAGNOSTIC, NULL},
    {0x704, ANY, "cpu_function", FT_CLASS_DIAGNOSTIC, NULL},
    {0x704, 0x01, "read_szl", FT_CLASS_DIAGNOSTIC, NULL},
    {0x704, 0x02, "message_service", FT_CLASS_SESSION, NULL},
    {0x704, 0x03, "diagnostic_message", FT_CLASS_EVENT, NULL},
    {0x704, 0x05, "alarm_8_indication", FT_CLASS_EVENT, NULL},
    {0x704, 0x06, "notify_indication", FT_CLASS_EVENT, NULL},
    {0x704, 0x07, "alarm_lock", FT_CLASS_CONFIG, "T0878"},
    {0x704, 0x08, "alarm_unlock", FT_CLASS_CONFIG, "T0878"},
    {0x704, 0x09, "scan_indication", FT_CLASS_EVENT, NULL},
    {0x704, 0x0b, "alarm_ack", FT_CLASS_OPERATE, "T0878"},
    {0x704, 0x0c, "alarm_ack_indication", FT_CLASS_EVENT, NULL},
    {0x704, 0x0d, "alarm_lock_indication", FT_CLASS_EVENT, NULL},
    {0x704, 0x0e, "alarm_unlock_indication", FT_CLASS_EVENT, NULL},
    {0x704, 0x11, "alarm_sq_indication", FT_CLASS_EVENT, NULL},
    {0x704, 0x12, "alarm_s_indication", FT_CLASS_EVENT, NULL},
    {0x704, 0x13, "alarm_query", FT_CLASS_DIAGNOSTIC, NULL},
    {0x704, 0x16, "notify_8_indication", FT_CLASS_EVENT, NULL},
    {0x705, ANY, "security_function", FT_CLASS_AUTH, NULL},
    {0x705, 0x01, "plc_password", FT_CLASS_AUTH, "T0859"},
    {0x706, ANY, "block_send", FT_CLASS_DATA, NULL},
    {0x707, ANY, "time_function", FT_CLASS_DIAGNOSTIC, NULL},
    {0x707, 0x01, "read_clock", FT_CLASS_DIAGNOSTIC, NULL},
    {0x707, 0x02, "set_clock", FT_CLASS_CONFIG, "T0836"},
    {0x707, 0x03, "read_clock_2", FT_CLASS_DIAGNOSTIC, NULL},
    {0x707, 0x04, "set_clock_2", FT_CLASS_CONFIG, "T0836"},
    {0x70f, ANY, "nc_function", FT_CLASS_UNKNOWN, NULL},
    {0x70f, 0x01, "nc_request_download", FT_CLASS_PROGRAM, "T0843"},
    {0x70f, 0x02, "nc_download_block", FT_CLASS_PROGRAM, "T0843"},
    {0x70f, 0x03, "nc_continue_download", FT_CLASS_PROGRAM, "T0843"},
    {0x70f, 0x04, "nc_download_ended", FT_CLASS_PROGRAM, "T0843"},
    {0x70f, 0x06, "nc_start_upload", FT_CLASS_UPLOAD, "T0845"},
    {0x70f, 0x07, "nc_upload", FT_CLASS_UPLOAD, "T0845"},
    {0x70f, 0x08, "nc_continue_upload", FT_CLASS_UPLOAD, "T0845"}};

/* Program invocations by their names on the wire; "" is one that nobody knows. */
static const struct {
    const char *text, *name;
    uint8_t class_;
    const char *mitre;
    bool is_secret; /* its arguments hold a password */
} services[] = {
    {"", "pi_service", FT_CLASS_OPERATE, NULL, false},
    {"_INSE", "activate_block", FT_CLASS_PROGRAM, "T0843 T0889", false},
    {"_INS2", "activate_block_2", FT_CLASS_PROGRAM, "T0843 T0889", false},
    {"_DELE", "delete_block", FT_CLASS_PROGRAM, "T0843 T0889", false},
    {"P_PROGRAM", "plc_start", FT_CLASS_MODE, "T0858 T0816", false},
    {"_MODU", "copy_ram_to_rom", FT_CLASS_PROGRAM, "T0843 T0889", false},
    {"_GARB", "compress_memory", FT_CLASS_PROGRAM, "T0843 T0889", false},
    {"_N_LOGIN_", "nc_login", FT_CLASS_AUTH, NULL, true},
    {"_N_LOGOUT", "nc_logout", FT_CLASS_AUTH, NULL, false},
    {"_N_CANCEL", "nc_cancel_alarms", FT_CLASS_OPERATE, NULL, false},
    {"_N_DASAVE", "nc_save_to_flash", FT_CLASS_PROGRAM, "T0843 T0889", false},
    {"_N_DIGIOF", "nc_digitising_off", FT_CLASS_OPERATE, NULL, false},
    {"_N_DIGION", "nc_digitising_on", FT_CLASS_OPERATE, NULL, false},
    {"_N_DZERO_", "nc_tool_numbers_invalid", FT_CLASS_CONFIG, NULL, false},
    {"_N_ENDEXT", "nc_end_external", FT_CLASS_OPERATE, NULL, false},
    {"_N_F_OPER", "nc_file_open_read", FT_CLASS_FILE, NULL, false},
    {"_N_OST_OF", "nc_overstore_off", FT_CLASS_OPERATE, NULL, false},
    {"_N_OST_ON", "nc_overstore_on", FT_CLASS_OPERATE, NULL, false},
    {"_N_SCALE_", "nc_unit_of_measure", FT_CLASS_CONFIG, NULL, false},
    {"_N_SETUFR", "nc_activate_frame", FT_CLASS_CONFIG, NULL, false},
    {"_N_STRTLK", "nc_start_lock", FT_CLASS_OPERATE, NULL, false},
    {"_N_STRTUL", "nc_start_unlock", FT_CLASS_OPERATE, NULL, false},
    {"_N_TMRASS", "nc_reset_tool_status", FT_CLASS_CONFIG, NULL, false},
    {"_N_F_DELE", "nc_file_delete", FT_CLASS_FILE, NULL, false},
    {"_N_EXTERN", "nc_select_external", FT_CLASS_OPERATE, NULL, false},
    {"_N_EXTMOD", "nc_external_mode", FT_CLASS_OPERATE, NULL, false},
    {"_N_F_DELR", "nc_file_delete_recursive", FT_CLASS_FILE, NULL, false},
    {"_N_F_XFER", "nc_file_select_upload", FT_CLASS_FILE, NULL, false},
    {"_N_LOCKE_", "nc_lock_file", FT_CLASS_ADMIN, NULL, false},
    {"_N_SELECT", "nc_select_program", FT_CLASS_OPERATE, NULL, false},
    {"_N_SRTEXT", "nc_mark_external", FT_CLASS_ADMIN, NULL, false},
    {"_N_F_CLOS", "nc_file_close", FT_CLASS_FILE, NULL, false},
    {"_N_F_OPEN", "nc_file_open", FT_CLASS_FILE, NULL, false},
    {"_N_F_SEEK", "nc_file_seek", FT_CLASS_FILE, NULL, false},
    {"_N_ASUP__", "nc_assign_interrupt", FT_CLASS_CONFIG, NULL, false},
    {"_N_CHEKDM", "nc_check_numbers", FT_CLASS_DIAGNOSTIC, NULL, false},
    {"_N_CHKDNO", "nc_check_tool_numbers", FT_CLASS_DIAGNOSTIC, NULL, false},
    {"_N_CONFIG", "nc_activate_machine_data", FT_CLASS_CONFIG, NULL, false},
    {"_N_CRCEDN", "nc_create_edge_by_number", FT_CLASS_CONFIG, NULL, false},
    {"_N_DELECE", "nc_delete_edge", FT_CLASS_CONFIG, NULL, false},
    {"_N_CREACE", "nc_create_edge", FT_CLASS_CONFIG, NULL, false},
    {"_N_CREATO", "nc_create_tool", FT_CLASS_CONFIG, NULL, false},
    {"_N_DELETO", "nc_delete_tool", FT_CLASS_CONFIG, NULL, false},
    {"_N_CRTOCE", "nc_create_tool_with_edge", FT_CLASS_CONFIG, NULL, false},
    {"_N_DELVAR", "nc_delete_variable", FT_CLASS_CONFIG, NULL, false},
    {"_N_F_COPY", "nc_file_copy", FT_CLASS_FILE, NULL, false},
    {"_N_F_DMDA", "nc_delete_mda_memory", FT_CLASS_CONFIG, NULL, false},
    {"_N_F_PROT", "nc_file_protection", FT_CLASS_ADMIN, NULL, false},
    {"_N_F_RENA", "nc_file_rename", FT_CLASS_FILE, NULL, false},
    {"_N_FINDBL", "nc_block_search", FT_CLASS_OPERATE, NULL, false},
    {"_N_IBN_SS", "nc_commissioning_switch", FT_CLASS_CONFIG, NULL, false},
    {"_N_MMCSEM", "nc_semaphore", FT_CLASS_SESSION, NULL, false},
    {"_N_NCKMOD", "nc_mode", FT_CLASS_MODE, NULL, false},
    {"_N_NEWPWD", "nc_new_password", FT_CLASS_ADMIN, NULL, true},
    {"_N_SEL_BL", "nc_select_block", FT_CLASS_OPERATE, NULL, false},
    {"_N_SETTST", "nc_activate_setting", FT_CLASS_CONFIG, NULL, false},
    {"_N_TMAWCO", "nc_set_active_wear_group", FT_CLASS_CONFIG, NULL, false},
    {"_N_TMCRTC", "nc_create_tool_at_place", FT_CLASS_CONFIG, NULL, false},
    {"_N_TMCRTO", "nc_create_managed_tool", FT_CLASS_CONFIG, NULL, false},
    {"_N_TMFDPL", "nc_find_empty_place", FT_CLASS_READ, NULL, false},
    {"_N_TMFPBP", "nc_find_empty_place_by_type", FT_CLASS_READ, NULL, false},
    {"_N_TMGETT", "nc_get_tool", FT_CLASS_READ, NULL, false},
    {"_N_TMMVTL", "nc_move_tool", FT_CLASS_OPERATE, NULL, false},
    {"_N_TMPCIT", "nc_set_tool_counter", FT_CLASS_CONFIG, NULL, false},
    {"_N_TMPOSM", "nc_position_magazine", FT_CLASS_OPERATE, NULL, false},
    {"_N_TRESMO", "nc_reset_monitoring", FT_CLASS_CONFIG, NULL, false},
    {"_N_TSEARC", "nc_search_tool", FT_CLASS_READ, NULL, false}};

static const struct field_row field_rows[] = {
    {"rosctr", FT_TYPE_ENUM, 8, 0}, {"redundancy_id", FT_TYPE_UINT, 16, 0},
    {"pdu_ref", FT_TYPE_UINT, 16, 0}, {"error_class", FT_TYPE_ENUM, 8, 0},
    {"error", FT_TYPE_ENUM, 16, 0}, {"function", FT_TYPE_ENUM, 8, 0},
    {"max_calling", FT_TYPE_UINT, 16, 0}, {"max_called", FT_TYPE_UINT, 16, 0},
    {"negotiated_pdu", FT_TYPE_UINT, 16, 0}, {"item_count", FT_TYPE_UINT, 16, 0},
    {"items", FT_TYPE_GROUP, 0, FT_FIELD_LIST}, {"items.syntax", FT_TYPE_ENUM, 8, 0},
    {"items.address", FT_TYPE_STRING, 0, 0}, {"items.area", FT_TYPE_ENUM, 8, 0},
    {"items.db", FT_TYPE_UINT, 16, 0}, {"items.start_byte", FT_TYPE_UINT, 29, 0},
    {"items.bit", FT_TYPE_UINT, 3, 0}, {"items.number", FT_TYPE_UINT, 32, 0},
    {"items.type", FT_TYPE_ENUM, 8, 0}, {"items.count", FT_TYPE_UINT, 16, 0},
    {"items.nck_area", FT_TYPE_ENUM, 3, 0}, {"items.nck_unit", FT_TYPE_UINT, 5, 0},
    {"items.nck_column", FT_TYPE_UINT, 16, 0}, {"items.nck_line", FT_TYPE_UINT, 16, 0},
    {"items.nck_module", FT_TYPE_UINT, 8, 0}, {"items.parameter", FT_TYPE_UINT, 16, 0},
    {"items.index", FT_TYPE_UINT, 16, 0}, {"items.symbol_crc", FT_TYPE_UINT, 32, 0},
    {"items.r_id", FT_TYPE_UINT, 32, 0}, {"items.result", FT_TYPE_ENUM, 8, 0},
    {"items.data_type", FT_TYPE_ENUM, 8, 0}, {"items.data", FT_TYPE_BYTES, 0, 0},
    {"items.value", FT_TYPE_FLOAT, 0, 0}, {"file", FT_TYPE_STRING, 0, 0},
    {"block_type", FT_TYPE_ENUM, 16, 0}, {"block_number", FT_TYPE_UINT, 32, 0},
    {"block_destination", FT_TYPE_ENUM, 8, 0}, {"load_size", FT_TYPE_UINT, 32, 0},
    {"code_size", FT_TYPE_UINT, 32, 0}, {"upload_id", FT_TYPE_UINT, 32, 0},
    {"more", FT_TYPE_BOOL, 0, 0}, {"block_data_length", FT_TYPE_UINT, 32, 0},
    {"block_language", FT_TYPE_ENUM, 8, 0}, {"block_protected", FT_TYPE_BOOL, 0, 0},
    {"block_code_time", FT_TYPE_TIME, 0, 0}, {"block_interface_time", FT_TYPE_TIME, 0, 0},
    {"block_author", FT_TYPE_STRING, 0, 0}, {"block_family", FT_TYPE_STRING, 0, 0},
    {"block_name", FT_TYPE_STRING, 0, 0}, {"block_version", FT_TYPE_STRING, 0, 0},
    {"block_checksum", FT_TYPE_UINT, 16, 0}, {"blocks", FT_TYPE_GROUP, 0, FT_FIELD_LIST},
    {"blocks.type", FT_TYPE_ENUM, 16, 0}, {"blocks.count", FT_TYPE_UINT, 16, 0},
    {"blocks.number", FT_TYPE_UINT, 32, 0}, {"blocks.language", FT_TYPE_ENUM, 8, 0},
    {"pi_service", FT_TYPE_STRING, 0, 0}, {"pi_argument", FT_TYPE_STRING, 0, 0},
    {"ud_method", FT_TYPE_ENUM, 8, 0}, {"ud_type", FT_TYPE_ENUM, 8, 0},
    {"ud_group", FT_TYPE_ENUM, 8, 0}, {"ud_subfunction", FT_TYPE_UINT, 8, 0},
    {"ud_sequence", FT_TYPE_UINT, 8, 0}, {"ud_data_unit", FT_TYPE_UINT, 8, 0},
    {"ud_is_last", FT_TYPE_BOOL, 0, 0}, {"ud_result", FT_TYPE_ENUM, 8, 0},
    {"ud_length", FT_TYPE_UINT, 32, 0}, {"mode", FT_TYPE_ENUM, 8, 0},
    {"previous_mode", FT_TYPE_ENUM, 8, 0}, {"password", FT_TYPE_BYTES, 0, FT_FIELD_SECRET},
    {"password_seen", FT_TYPE_BOOL, 0, 0}, {"time", FT_TYPE_TIME, 0, 0},
    {"job_id", FT_TYPE_UINT, 8, 0}, {"interval_ms", FT_TYPE_UINT, 40, 0},
    {"trigger", FT_TYPE_ENUM, 16, 0}, {"events_wanted", FT_TYPE_FLAGS, 8, 0},
    {"user", FT_TYPE_STRING, 0, 0}, {"szl_id", FT_TYPE_UINT, 16, 0},
    {"szl_index", FT_TYPE_UINT, 16, 0}, {"szl_record_size", FT_TYPE_UINT, 16, 0},
    {"szl_count", FT_TYPE_UINT, 16, 0}, {"identities", FT_TYPE_GROUP, 0, FT_FIELD_LIST},
    {"identities.index", FT_TYPE_UINT, 16, 0}, {"identities.order_number", FT_TYPE_STRING, 0, 0},
    {"identities.version", FT_TYPE_STRING, 0, 0}, {"components", FT_TYPE_GROUP, 0, FT_FIELD_LIST},
    {"components.index", FT_TYPE_UINT, 16, 0}, {"components.text", FT_TYPE_STRING, 0, 0},
    {"protection_key", FT_TYPE_UINT, 16, 0}, {"protection_set", FT_TYPE_UINT, 16, 0},
    {"protection", FT_TYPE_UINT, 16, 0}, {"switch", FT_TYPE_ENUM, 16, 0},
    {"hardware_checksum", FT_TYPE_UINT, 32, 0}, {"program_checksum", FT_TYPE_UINT, 32, 0},
    {"interfaces", FT_TYPE_GROUP, 0, FT_FIELD_LIST}, {"interfaces.ip", FT_TYPE_IPV4, 0, 0},
    {"interfaces.mask", FT_TYPE_IPV4, 0, 0}, {"interfaces.router", FT_TYPE_IPV4, 0, 0},
    {"interfaces.mac", FT_TYPE_MAC, 0, 0}, {"modules", FT_TYPE_GROUP, 0, FT_FIELD_LIST},
    {"modules.rack", FT_TYPE_UINT, 16, 0}, {"modules.slot", FT_TYPE_UINT, 8, 0},
    {"modules.address", FT_TYPE_UINT, 16, 0}, {"modules.expected_type", FT_TYPE_UINT, 16, 0},
    {"modules.actual_type", FT_TYPE_UINT, 16, 0}, {"modules.status", FT_TYPE_UINT, 16, 0},
    {"leds", FT_TYPE_GROUP, 0, FT_FIELD_LIST}, {"leds.id", FT_TYPE_UINT, 16, 0},
    {"leds.on", FT_TYPE_BOOL, 0, 0}, {"leds.blinks", FT_TYPE_UINT, 8, 0},
    {"events", FT_TYPE_GROUP, 0, FT_FIELD_LIST}, {"events.id", FT_TYPE_UINT, 16, 0},
    {"events.priority", FT_TYPE_UINT, 8, 0}, {"events.ob", FT_TYPE_UINT, 8, 0},
    {"events.info1", FT_TYPE_UINT, 16, 0}, {"events.info2", FT_TYPE_UINT, 32, 0},
    {"events.time", FT_TYPE_TIME, 0, 0}, {"alarm_count", FT_TYPE_UINT, 8, 0},
    {"alarms", FT_TYPE_GROUP, 0, FT_FIELD_LIST}, {"alarms.syntax", FT_TYPE_ENUM, 8, 0},
    {"alarms.event_id", FT_TYPE_UINT, 32, 0}, {"alarms.state", FT_TYPE_UINT, 8, 0},
    {"alarms.ack_going", FT_TYPE_UINT, 8, 0}, {"alarms.ack_coming", FT_TYPE_UINT, 8, 0},
    {"alarm_query", FT_TYPE_ENUM, 8, 0}, {"alarm_type", FT_TYPE_ENUM, 32, 0}};
/* clang-format on */

static const struct violation_row violation_rows[] = {
    {"unknown_rosctr", FT_SEVERITY_MINOR, FT_ENGINE_PROTOCOL, 0, NULL, NULL, NULL},
    {"redundancy_id", FT_SEVERITY_WARNING, FT_ENGINE_PROTOCOL, 0, NULL, NULL, NULL},
    {"length", FT_SEVERITY_MINOR, FT_ENGINE_PROTOCOL, 0, NULL, NULL, NULL},
    {"item_count", FT_SEVERITY_MINOR, FT_ENGINE_PROTOCOL, 0, NULL, NULL, NULL},
    {"item_length", FT_SEVERITY_MINOR, FT_ENGINE_PROTOCOL, 0, NULL, NULL, NULL},
    {"pdu_size", FT_SEVERITY_MINOR, FT_ENGINE_PROTOCOL, 0, NULL, NULL, NULL},
    {"no_setup", FT_SEVERITY_WARNING, FT_ENGINE_PROTOCOL, 0, NULL, NULL, NULL},
    {"answer_without_job", FT_SEVERITY_WARNING, FT_ENGINE_PROTOCOL, 0, NULL, NULL, NULL},
    {"transfer_out_of_order", FT_SEVERITY_MINOR, FT_ENGINE_PROTOCOL, 0, NULL, NULL, NULL},
    {"plc_stop", FT_SEVERITY_WARNING, FT_ENGINE_OPERATIONAL, 1, "T0843 T0858 T0814", "O1",
     "Restart/Stop Commands"},
    {"memory_reset", FT_SEVERITY_WARNING, FT_ENGINE_OPERATIONAL, 1, "T0858 T0814", "O6",
     "Restart/Stop Commands"},
    {"protection_lowered", FT_SEVERITY_MINOR, FT_ENGINE_OPERATIONAL, 1, "T0858", "O30", NULL},
    {"wrong_password", FT_SEVERITY_WARNING, FT_ENGINE_OPERATIONAL, 0, "T0806 T0859", NULL, NULL},
    {"protected", FT_SEVERITY_WARNING, FT_ENGINE_OPERATIONAL, 0, "T0806", NULL, NULL}};

static void test_fields(void **state)
{
    (void)state;
    assert_fields(D, field_rows, ROWS(field_rows));
}

static void test_names(void **state)
{
    (void)state;
    assert_names(D, "rosctr", rosctr_rows);
    assert_names(D, "error_class", error_class_rows);
    assert_names(D, "error", error_rows);
    assert_names(D, "function", function_rows);
    assert_names(D, "items.syntax", syntax_rows);
    assert_names(D, "alarms.syntax", syntax_rows);
    assert_names(D, "items.area", area_rows);
    assert_names(D, "items.type", size_rows);
    assert_names(D, "items.nck_area", nck_area_rows);
    assert_names(D, "items.result", result_rows);
    assert_names(D, "ud_result", result_rows);
    assert_names(D, "items.data_type", data_type_rows);
    assert_names(D, "block_type", block_type_rows);
    assert_names(D, "blocks.type", block_type_rows);
    assert_names(D, "block_destination", block_destination_rows);
    assert_names(D, "block_language", block_language_rows);
    assert_names(D, "blocks.language", block_language_rows);
    assert_names(D, "ud_method", ud_method_rows);
    assert_names(D, "ud_type", ud_type_rows);
    assert_names(D, "ud_group", ud_group_rows);
    assert_names(D, "mode", mode_rows);
    assert_names(D, "previous_mode", mode_rows);
    assert_names(D, "trigger", trigger_rows);
    assert_names(D, "events_wanted", events_wanted_rows);
    assert_names(D, "switch", switch_rows);
    assert_names(D, "alarm_query", alarm_query_rows);
    assert_names(D, "alarm_type", alarm_type_rows);
}

/* Which command a service is, is its place in the list of their names. */
static void test_services(void **state)
{
    (void)state;
    assert_int_equal(s7_pi_service_count, ROWS(services));
    for (uint32_t i = 0; i < ROWS(services); i++) {
        assert_string_equal(s7_pi_services[i].wire, services[i].text);
        assert_int_equal(s7_pi_services[i].is_secret, services[i].is_secret);
        const struct command_row row = {S7_PI_SERVICE, i, services[i].name, services[i].class_,
                                        services[i].mitre};
        assert_command(D, &row);
    }
}

static void test_commands(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(command_rows); i++)
        assert_command(D, &command_rows[i]);
    assert_int_equal(D->commands.count, ROWS(command_rows) + ROWS(services));
}

static void test_violations(void **state)
{
    (void)state;
    assert_violations(D, violation_rows, ROWS(violation_rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),     cmocka_unit_test(test_names),
        cmocka_unit_test(test_services),   cmocka_unit_test(test_commands),
        cmocka_unit_test(test_violations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
