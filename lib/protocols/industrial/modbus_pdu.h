/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Modbus PDU: what Modbus/TCP, Modbus RTU and Modbus ASCII have in common.
 *
 * The envelope (MBAP header, or address and checksum) belongs to modbus.c and modbus_rtu.c. They
 * read it, fill a struct ft_modbus_message and call ft_modbus_begin(), put the fields of the
 * envelope, and let ft_modbus_read() do the rest. Both dissectors have the fields, commands and
 * violations below, in this order and at the start of their tables.
 *
 * Specification: MODBUS Application Protocol V1.1b3. Everything here is big-endian on the wire.
 * Threads and cost: as for any dissector; nothing allocates.
 */
#ifndef FT_MODBUS_PDU_H
#define FT_MODBUS_PDU_H

#include <fieldtap/dissector.h>

#define FT_MODBUS_EXCEPTION_BIT 0x80u
#define FT_MODBUS_UMAS          0x5Au /**< function code of Schneider's extension */
#define FT_MODBUS_MAX_PDU       253u  /**< function code and data */

/** Fields of the PDU; the envelope's own follow from FT_MODBUS_FIELDS on. */
enum ft_modbus_field {
    FT_MODBUS_ROOT = 0,
    FT_MODBUS_UNIT_ID,
    FT_MODBUS_IS_RESPONSE,
    FT_MODBUS_FUNCTION_RAW,
    FT_MODBUS_FUNCTION_CODE,
    FT_MODBUS_ACCESS_TYPE,
    FT_MODBUS_CATEGORY,
    FT_MODBUS_READ,
    FT_MODBUS_READ_ADDRESS,
    FT_MODBUS_READ_QUANTITY,
    FT_MODBUS_READ_BYTE_COUNT,
    FT_MODBUS_READ_DATA,
    FT_MODBUS_WRITE,
    FT_MODBUS_WRITE_ADDRESS,
    FT_MODBUS_WRITE_QUANTITY,
    FT_MODBUS_WRITE_BYTE_COUNT,
    FT_MODBUS_WRITE_DATA,
    FT_MODBUS_WRITE_AND_MASK,
    FT_MODBUS_WRITE_OR_MASK,
    FT_MODBUS_COILS,
    FT_MODBUS_REGISTERS,
    FT_MODBUS_DIAGNOSTIC,
    FT_MODBUS_DIAGNOSTIC_RAW,
    FT_MODBUS_DIAGNOSTIC_CODE,
    FT_MODBUS_DIAGNOSTIC_DATA,
    FT_MODBUS_MEI,
    FT_MODBUS_MEI_RAW,
    FT_MODBUS_MEI_CODE,
    FT_MODBUS_MEI_DATA,
    FT_MODBUS_EXCEPTION,
    FT_MODBUS_EXCEPTION_RAW,
    FT_MODBUS_EXCEPTION_CODE,
    FT_MODBUS_EXCEPTION_STATUS,
    FT_MODBUS_COMM_STATUS,
    FT_MODBUS_EVENT_COUNT,
    FT_MODBUS_MESSAGE_COUNT,
    FT_MODBUS_EVENTS,
    FT_MODBUS_SERVER_ID,
    FT_MODBUS_SERVER_ID_DATA,
    FT_MODBUS_SERVER_ID_TEXT,
    FT_MODBUS_SERVER_ID_RUN,
    FT_MODBUS_RECORDS,
    FT_MODBUS_RECORD_TYPE,
    FT_MODBUS_RECORD_FILE,
    FT_MODBUS_RECORD_NUMBER,
    FT_MODBUS_RECORD_LENGTH,
    FT_MODBUS_RECORD_DATA,
    FT_MODBUS_FIFO_COUNT,
    FT_MODBUS_DEVICE,
    FT_MODBUS_DEVICE_READ_CODE,
    FT_MODBUS_DEVICE_OBJECT_ID,
    FT_MODBUS_DEVICE_CONFORMITY,
    FT_MODBUS_DEVICE_MORE,
    FT_MODBUS_DEVICE_NEXT,
    FT_MODBUS_DEVICE_COUNT,
    FT_MODBUS_DEVICE_VENDOR,
    FT_MODBUS_DEVICE_PRODUCT_CODE,
    FT_MODBUS_DEVICE_REVISION,
    FT_MODBUS_DEVICE_URL,
    FT_MODBUS_DEVICE_PRODUCT_NAME,
    FT_MODBUS_DEVICE_MODEL,
    FT_MODBUS_DEVICE_USER_APP,
    FT_MODBUS_DEVICE_OBJECTS,
    FT_MODBUS_DEVICE_OBJECTS_ID,
    FT_MODBUS_DEVICE_OBJECTS_VALUE,
    FT_MODBUS_DATA,
    FT_MODBUS_FIELDS
};

/** What can be wrong with a PDU; the envelope's own follow from FT_MODBUS_VIOLATIONS on. */
enum ft_modbus_violation {
    FT_MODBUS_V_EXCEPTION_FROM_MASTER = 0,
    FT_MODBUS_V_FUNCTION_ZERO,
    FT_MODBUS_V_RESERVED_FUNCTION,
    FT_MODBUS_V_EXCEPTION,
    FT_MODBUS_V_ILLEGAL_FUNCTION,
    FT_MODBUS_V_ILLEGAL_ADDRESS,
    FT_MODBUS_V_ILLEGAL_VALUE,
    FT_MODBUS_V_SERVER_FAILURE,
    FT_MODBUS_V_UNKNOWN_EXCEPTION,
    FT_MODBUS_V_QUANTITY,
    FT_MODBUS_V_ADDRESS_RANGE,
    FT_MODBUS_V_BYTE_COUNT,
    FT_MODBUS_V_COIL_VALUE,
    FT_MODBUS_V_REFERENCE_TYPE,
    FT_MODBUS_V_SUBFUNCTION,
    FT_MODBUS_V_RESPONSE_MISMATCH,
    FT_MODBUS_V_RESPONSE_UNASKED,
    FT_MODBUS_VIOLATIONS
};

extern const struct ft_name ft_modbus_function_names[];
extern const struct ft_name ft_modbus_access_names[];
extern const struct ft_name ft_modbus_category_names[];
extern const struct ft_name ft_modbus_diagnostic_names[];
extern const struct ft_name ft_modbus_mei_names[];
extern const struct ft_name ft_modbus_exception_names[];
extern const struct ft_name ft_modbus_run_names[];
extern const struct ft_name ft_modbus_read_code_names[];
extern const struct ft_name ft_modbus_conformity_names[];

/* clang-format off */

/* The names of keys and of function codes are those that EVE has under "modbus". */
#define FT_MODBUS_FIELD(name, title, parent, type, names, flags, ...)                              \
    {name, title, names, FT_MODBUS_##parent, FT_TYPE_##type, flags, __VA_ARGS__ + 0}

/** The rows of enum ft_modbus_field. `root`: the protocol's name, `title`: its root's title. */
#define FT_MODBUS_FIELD_ROWS(root, title)                                                          \
    FT_MODBUS_FIELD(root, title, ROOT, GROUP, NULL, 0),                                            \
    FT_MODBUS_FIELD("unit_id", "Unit or slave address", ROOT, UINT, NULL, 0, 8),                   \
    FT_MODBUS_FIELD("is_response", "Sent by the server", ROOT, BOOL, NULL, 0),                     \
    FT_MODBUS_FIELD("function_raw", "Function byte as sent", ROOT, UINT, NULL, 0, 8),              \
    FT_MODBUS_FIELD("function_code", "Function without the exception bit", ROOT, ENUM,             \
                    ft_modbus_function_names, 0, 8),                                               \
    FT_MODBUS_FIELD("access_type", "What the function accesses", ROOT, ENUM,                       \
                    ft_modbus_access_names, 0, 8),                                                 \
    FT_MODBUS_FIELD("category", "Category of the function code", ROOT, ENUM,                       \
                    ft_modbus_category_names, 0, 32),                                              \
    FT_MODBUS_FIELD("read", "Range read", ROOT, GROUP, NULL, 0),                                   \
    FT_MODBUS_FIELD("address", "First address, from 0; of the request", READ, UINT, NULL, 0, 16),  \
    FT_MODBUS_FIELD("quantity", "Coils or registers; of the request", READ, UINT, NULL, 0, 16),    \
    FT_MODBUS_FIELD("byte_count", "Bytes of values", READ, UINT, NULL, 0, 16),                     \
    FT_MODBUS_FIELD("data", "Values read", READ, BYTES, NULL, 0),                                  \
    FT_MODBUS_FIELD("write", "Range written", ROOT, GROUP, NULL, 0),                               \
    FT_MODBUS_FIELD("address", "First address, from 0; of the request", WRITE, UINT, NULL, 0, 16), \
    FT_MODBUS_FIELD("quantity", "Coils or registers", WRITE, UINT, NULL, 0, 16),                   \
    FT_MODBUS_FIELD("byte_count", "Bytes of values", WRITE, UINT, NULL, 0, 8),                     \
    FT_MODBUS_FIELD("data", "Values written", WRITE, BYTES, NULL, 0),                              \
    FT_MODBUS_FIELD("and_mask", "AND mask of a mask write", WRITE, UINT, NULL, 0, 16),             \
    FT_MODBUS_FIELD("or_mask", "OR mask of a mask write", WRITE, UINT, NULL, 0, 16),               \
    FT_MODBUS_FIELD("coils", "Coils or inputs, from the first address on", ROOT, BOOL, NULL,       \
                    FT_FIELD_LIST),                                                                \
    FT_MODBUS_FIELD("registers", "Registers, from the first address on", ROOT, UINT, NULL,         \
                    FT_FIELD_LIST, 16),                                                            \
    FT_MODBUS_FIELD("diagnostic", "Diagnostics (function 8)", ROOT, GROUP, NULL, 0),               \
    FT_MODBUS_FIELD("raw", "Sub-function as sent", DIAGNOSTIC, UINT, NULL, 0, 16),                 \
    FT_MODBUS_FIELD("code", "Sub-function", DIAGNOSTIC, ENUM, ft_modbus_diagnostic_names, 0, 16),  \
    FT_MODBUS_FIELD("data", "Data of the sub-function", DIAGNOSTIC, BYTES, NULL, 0),               \
    FT_MODBUS_FIELD("mei", "Encapsulated interface (function 43)", ROOT, GROUP, NULL, 0),          \
    FT_MODBUS_FIELD("raw", "MEI type as sent", MEI, UINT, NULL, 0, 8),                             \
    FT_MODBUS_FIELD("code", "MEI type", MEI, ENUM, ft_modbus_mei_names, 0, 8),                     \
    FT_MODBUS_FIELD("data", "Data of the MEI type", MEI, BYTES, NULL, 0),                          \
    FT_MODBUS_FIELD("exception", "Exception answer", ROOT, GROUP, NULL, 0),                        \
    FT_MODBUS_FIELD("raw", "Exception code as sent", EXCEPTION, UINT, NULL, 0, 8),                 \
    FT_MODBUS_FIELD("code", "Exception code", EXCEPTION, ENUM, ft_modbus_exception_names, 0, 8),   \
    FT_MODBUS_FIELD("exception_status", "Eight exception status outputs (function 7)", ROOT, UINT, \
                    NULL, 0, 8),                                                                   \
    FT_MODBUS_FIELD("comm_status", "Status word, 0xffff = busy (functions 11, 12)", ROOT, UINT,    \
                    NULL, 0, 16),                                                                  \
    FT_MODBUS_FIELD("event_count", "Successful messages (functions 11, 12)", ROOT, UINT, NULL, 0, 16), \
    FT_MODBUS_FIELD("message_count", "Messages processed (function 12)", ROOT, UINT, NULL, 0, 16), \
    FT_MODBUS_FIELD("events", "Event bytes, latest first (function 12)", ROOT, BYTES, NULL, 0),    \
    FT_MODBUS_FIELD("server_id", "Report of the server's id (function 17)", ROOT, GROUP, NULL, 0), \
    FT_MODBUS_FIELD("data", "Vendor specific bytes", SERVER_ID, BYTES, NULL, 0),                   \
    FT_MODBUS_FIELD("text", "Longest readable part", SERVER_ID, STRING, NULL, 0),                  \
    FT_MODBUS_FIELD("run_indicator", "Run indicator status", SERVER_ID, ENUM,                      \
                    ft_modbus_run_names, 0, 8),                                                    \
    FT_MODBUS_FIELD("records", "File records (functions 20, 21)", ROOT, GROUP, NULL,               \
                    FT_FIELD_LIST),                                                                \
    FT_MODBUS_FIELD("reference_type", "Reference type, always 6", RECORDS, UINT, NULL, 0, 8),      \
    FT_MODBUS_FIELD("file", "File number", RECORDS, UINT, NULL, 0, 16),                            \
    FT_MODBUS_FIELD("record", "First record", RECORDS, UINT, NULL, 0, 16),                         \
    FT_MODBUS_FIELD("length", "Records, registers of 16 bits", RECORDS, UINT, NULL, 0, 32),        \
    FT_MODBUS_FIELD("data", "Data of the records", RECORDS, BYTES, NULL, 0),                       \
    FT_MODBUS_FIELD("fifo_count", "Registers in the FIFO queue (function 24)", ROOT, UINT, NULL,   \
                    0, 16),                                                                        \
    FT_MODBUS_FIELD("device_id", "Device identification (function 43/14)", ROOT, GROUP, NULL, 0),  \
    FT_MODBUS_FIELD("read_code", "Access type", DEVICE, ENUM, ft_modbus_read_code_names, 0, 8),    \
    FT_MODBUS_FIELD("object_id", "First object asked for", DEVICE, UINT, NULL, 0, 8),              \
    FT_MODBUS_FIELD("conformity", "Conformity level of the device", DEVICE, ENUM,                  \
                    ft_modbus_conformity_names, 0, 8),                                             \
    FT_MODBUS_FIELD("more_follows", "More objects follow", DEVICE, BOOL, NULL, 0),                 \
    FT_MODBUS_FIELD("next_object_id", "Object to ask for next", DEVICE, UINT, NULL, 0, 8),         \
    FT_MODBUS_FIELD("object_count", "Objects in this answer", DEVICE, UINT, NULL, 0, 8),           \
    FT_MODBUS_FIELD("vendor", "VendorName (object 0)", DEVICE, STRING, NULL, 0),                   \
    FT_MODBUS_FIELD("product_code", "ProductCode (object 1)", DEVICE, STRING, NULL, 0),            \
    FT_MODBUS_FIELD("revision", "MajorMinorRevision (object 2)", DEVICE, STRING, NULL, 0),         \
    FT_MODBUS_FIELD("url", "VendorUrl (object 3)", DEVICE, STRING, NULL, 0),                       \
    FT_MODBUS_FIELD("product_name", "ProductName (object 4)", DEVICE, STRING, NULL, 0),            \
    FT_MODBUS_FIELD("model", "ModelName (object 5)", DEVICE, STRING, NULL, 0),                     \
    FT_MODBUS_FIELD("user_app", "UserApplicationName (object 6)", DEVICE, STRING, NULL, 0),        \
    FT_MODBUS_FIELD("objects", "Objects of the vendor", DEVICE, GROUP, NULL, FT_FIELD_LIST),       \
    FT_MODBUS_FIELD("id", "Object id", DEVICE_OBJECTS, UINT, NULL, 0, 8),                          \
    FT_MODBUS_FIELD("value", "Object value", DEVICE_OBJECTS, BYTES, NULL, 0),                      \
    FT_MODBUS_FIELD("data", "Data of a function without a layout of its own", ROOT, BYTES, NULL, 0)

#define FT_MODBUS_ALERT(name, title, reference, category, mitre, severity, engine)                 \
    {name, title, reference, category, mitre, FT_SEVERITY_##severity, FT_ENGINE_##engine, 1, {0}}
#define FT_MODBUS_REFUSAL(name, title, reference, category, mitre, severity, engine)               \
    {name,     title,                                                                              \
     reference, category,                                                                          \
     mitre,    FT_SEVERITY_##severity,                                                             \
     FT_ENGINE_##engine, FT_ALERT_BY_VALUE, {0}}
#define FT_MODBUS_EVENT(name, title, reference, category, mitre, severity, engine)                 \
    {name, title, reference, category, mitre, FT_SEVERITY_##severity, FT_ENGINE_##engine, 0, {0}}

/** The rows of enum ft_modbus_violation. */
#define FT_MODBUS_VIOLATION_ROWS                                                                   \
    FT_MODBUS_ALERT("exception_from_master", "Modbus master sent an exception", "V7",              \
                    "Illegal commands", "T0866", MAJOR, PROTOCOL),                                 \
    FT_MODBUS_EVENT("function_zero", "Modbus function code zero", "V8", "Illegal commands",        \
                    "T0866", MAJOR, PROTOCOL),                                                     \
    FT_MODBUS_ALERT("reserved_function", "Reserved Modbus function code used", "V23",              \
                    "Illegal commands", "T0836", MAJOR, PROTOCOL),                                 \
    FT_MODBUS_REFUSAL("exception", "Modbus device answered with an exception", "V14",              \
                      "Illegal commands", "T0814", MAJOR, PROTOCOL),                               \
    FT_MODBUS_EVENT("illegal_function", "Modbus device refused a function code", "V20",            \
                    "Illegal commands", "T0855 T0836", MAJOR, PROTOCOL),                           \
    FT_MODBUS_EVENT("illegal_data_address", "Modbus device refused an address", "V18",             \
                    "Illegal commands", "T0855 T0836", MAJOR, PROTOCOL),                           \
    FT_MODBUS_EVENT("illegal_data_value", "Modbus device refused a value", "V19",                  \
                    "Illegal commands", "T0855 T0836", MAJOR, PROTOCOL),                           \
    FT_MODBUS_EVENT("server_failure", "Modbus device reports an unrecoverable failure", "O35",     \
                    "Command Failures", "T0814", MAJOR, OPERATIONAL),                              \
    FT_MODBUS_EVENT("unknown_exception_code", "Modbus exception code that is not defined", NULL,   \
                    "Illegal commands", NULL, MINOR, PROTOCOL),                                    \
    FT_MODBUS_EVENT("quantity", "Modbus quantity out of the function's limits", NULL,              \
                    "Illegal commands", "T0836", MINOR, PROTOCOL),                                 \
    FT_MODBUS_EVENT("address_range", "Modbus range ends beyond address 65535", NULL,               \
                    "Illegal commands", "T0836", MINOR, PROTOCOL),                                 \
    FT_MODBUS_EVENT("byte_count", "Modbus byte count does not fit the quantity", NULL,             \
                    "Illegal commands", NULL, MINOR, PROTOCOL),                                    \
    FT_MODBUS_EVENT("coil_value", "Modbus coil written with a value other than on or off", NULL,   \
                    "Illegal commands", "T0836", MINOR, PROTOCOL),                                 \
    FT_MODBUS_EVENT("reference_type", "Modbus file record with a reference type other than 6",     \
                    NULL, "Illegal commands", NULL, MINOR, PROTOCOL),                              \
    FT_MODBUS_EVENT("reserved_subfunction", "Reserved Modbus sub-function or MEI type", NULL,      \
                    "Illegal commands", "T0836", MINOR, PROTOCOL),                                 \
    FT_MODBUS_EVENT("response_mismatch", "Modbus response does not fit its request", NULL,         \
                    "Illegal commands", "T0856", MINOR, PROTOCOL),                                 \
    FT_MODBUS_EVENT("response_unasked", "Modbus response without a request", NULL,                 \
                    "Illegal commands", "T0856", MINOR, PROTOCOL)

#define FT_MODBUS_COMMAND(code, qualifier, name, class, mitre)                                     \
    {code, qualifier, name, FT_CLASS_##class, {0}, mitre}
#define FT_MODBUS_COMMAND_ANY(code, name, class, mitre)                                            \
    FT_MODBUS_COMMAND(code, FT_ANY_QUALIFIER, name, class, mitre)

/**
 * Code: function; qualifier: sub-function of 8, MEI type of 43. Function 90 only carries UMAS: what
 * it does to the controller is the command of that protocol's message.
 */
#define FT_MODBUS_COMMAND_ROWS                                                                     \
    FT_MODBUS_COMMAND_ANY(0, "function_zero", UNKNOWN, "T0866"),                                   \
    FT_MODBUS_COMMAND_ANY(1, "read_coils", READ, "T0801"),                                         \
    FT_MODBUS_COMMAND_ANY(2, "read_discrete_inputs", READ, "T0801"),                               \
    FT_MODBUS_COMMAND_ANY(3, "read_holding_registers", READ, "T0801"),                             \
    FT_MODBUS_COMMAND_ANY(4, "read_input_registers", READ, "T0801"),                               \
    FT_MODBUS_COMMAND_ANY(5, "write_single_coil", WRITE, "T0855 T0836 T0831"),                     \
    FT_MODBUS_COMMAND_ANY(6, "write_single_register", WRITE, "T0855 T0836 T0831"),                 \
    FT_MODBUS_COMMAND_ANY(7, "read_exception_status", DIAGNOSTIC, NULL),                           \
    FT_MODBUS_COMMAND(8, 0, "return_query_data", DIAGNOSTIC, NULL),                                \
    FT_MODBUS_COMMAND(8, 1, "restart_communications", MODE, "T0816 T0814"),                        \
    FT_MODBUS_COMMAND(8, 2, "return_diagnostic_register", DIAGNOSTIC, NULL),                       \
    FT_MODBUS_COMMAND(8, 3, "change_ascii_delimiter", CONFIG, "T0836"),                            \
    FT_MODBUS_COMMAND(8, 4, "force_listen_only", MODE, "T0814 T0816"),                             \
    FT_MODBUS_COMMAND(8, 10, "clear_counters", ADMIN, "T0872"),                                    \
    FT_MODBUS_COMMAND(8, 11, "return_bus_message_count", DIAGNOSTIC, NULL),                        \
    FT_MODBUS_COMMAND(8, 12, "return_bus_error_count", DIAGNOSTIC, NULL),                          \
    FT_MODBUS_COMMAND(8, 13, "return_bus_exception_count", DIAGNOSTIC, NULL),                      \
    FT_MODBUS_COMMAND(8, 14, "return_server_message_count", DIAGNOSTIC, NULL),                     \
    FT_MODBUS_COMMAND(8, 15, "return_server_no_response_count", DIAGNOSTIC, NULL),                 \
    FT_MODBUS_COMMAND(8, 16, "return_server_nak_count", DIAGNOSTIC, NULL),                         \
    FT_MODBUS_COMMAND(8, 17, "return_server_busy_count", DIAGNOSTIC, NULL),                        \
    FT_MODBUS_COMMAND(8, 18, "return_overrun_count", DIAGNOSTIC, NULL),                            \
    FT_MODBUS_COMMAND(8, 19, "return_overrun_error_count", DIAGNOSTIC, NULL),                      \
    FT_MODBUS_COMMAND(8, 20, "clear_overrun_counter", ADMIN, "T0872"),                             \
    FT_MODBUS_COMMAND(8, 21, "get_clear_modbus_plus_statistics", ADMIN, "T0872"),                  \
    FT_MODBUS_COMMAND_ANY(8, "diagnostics", DIAGNOSTIC, NULL),                                     \
    FT_MODBUS_COMMAND_ANY(9, "program_484", PROGRAM, "T0843 T0889"),                               \
    FT_MODBUS_COMMAND_ANY(10, "poll_484", DIAGNOSTIC, NULL),                                       \
    FT_MODBUS_COMMAND_ANY(11, "get_comm_event_counter", DIAGNOSTIC, NULL),                         \
    FT_MODBUS_COMMAND_ANY(12, "get_comm_event_log", DIAGNOSTIC, NULL),                             \
    FT_MODBUS_COMMAND_ANY(13, "program_controller", PROGRAM, "T0843 T0889"),                       \
    FT_MODBUS_COMMAND_ANY(14, "poll_controller", DIAGNOSTIC, NULL),                                \
    FT_MODBUS_COMMAND_ANY(15, "write_multiple_coils", WRITE, "T0855 T0836 T0831"),                 \
    FT_MODBUS_COMMAND_ANY(16, "write_multiple_registers", WRITE, "T0855 T0836 T0831"),             \
    FT_MODBUS_COMMAND_ANY(17, "report_server_id", DIAGNOSTIC, "T0888 T0846"),                      \
    FT_MODBUS_COMMAND_ANY(18, "program_884", PROGRAM, "T0843 T0889"),                              \
    FT_MODBUS_COMMAND_ANY(19, "reset_comm_link", MODE, "T0816 T0814"),                             \
    FT_MODBUS_COMMAND_ANY(20, "read_file_record", READ, "T0801"),                                  \
    FT_MODBUS_COMMAND_ANY(21, "write_file_record", WRITE, "T0843 T0889"),                          \
    FT_MODBUS_COMMAND_ANY(22, "mask_write_register", WRITE, "T0855 T0836 T0831"),                  \
    FT_MODBUS_COMMAND_ANY(23, "read_write_multiple_registers", WRITE, "T0855 T0836 T0831"),        \
    FT_MODBUS_COMMAND_ANY(24, "read_fifo_queue", READ, "T0801"),                                   \
    FT_MODBUS_COMMAND_ANY(40, "program_concept", PROGRAM, "T0843 T0889"),                          \
    FT_MODBUS_COMMAND(43, 13, "canopen_general_reference", CONFIG, "T0836"),                       \
    FT_MODBUS_COMMAND(43, 14, "read_device_identification", DIAGNOSTIC, "T0888 T0846"),            \
    FT_MODBUS_COMMAND_ANY(43, "encapsulated_interface", UNKNOWN, NULL),                            \
    FT_MODBUS_COMMAND_ANY(90, "umas", SESSION, NULL),                                              \
    FT_MODBUS_COMMAND_ANY(125, "firmware_replacement", FIRMWARE, "T0857 T0839"),                   \
    FT_MODBUS_COMMAND_ANY(126, "program_modicon", PROGRAM, "T0843 T0889"),                         \
    FT_MODBUS_COMMAND_ANY(127, "report_local_address", DIAGNOSTIC, "T0888")

/* clang-format on */

/** State of a flow, zeroed by the engine; at the start of the envelope's own flow state. */
struct ft_modbus_flow {
    uint32_t requests;  /**< requests seen that are to be answered */
    uint32_t responses; /**< responses seen */
    uint8_t first_unit; /**< the first unit that answered */
    uint8_t has_unit;   /**< first_unit is set */
    uint8_t is_gateway; /**< told the inventory that several units stand behind this server */
    uint8_t has_master; /**< told the inventory of the client's role */
};

/** How a PDU can be read; the bits of ft_modbus_shape(). */
enum ft_modbus_shape {
    FT_MODBUS_REQUEST = 1,
    FT_MODBUS_RESPONSE = 2,
};

/** Who gave a function code its meaning. */
enum ft_modbus_category {
    FT_MODBUS_PUBLIC_ASSIGNED = 1,
    FT_MODBUS_PUBLIC_UNASSIGNED,
    FT_MODBUS_USER_DEFINED,
    FT_MODBUS_RESERVED, /**< used by companies for old products */
};

/** A PDU on its way through the functions below. */
struct ft_modbus_message {
    uint64_t key; /**< pairs request and response: set by the envelope, exception bit left out */
    uint64_t child_selector; /**< of UMAS, see ft_modbus_selector() */
    bool is_request;
    bool is_broadcast; /**< nobody answers */
    bool is_mismatch;  /**< response that fits no request; set by ft_modbus_begin() */
    uint8_t unit;      /**< 0 and 255: the device itself */
    uint8_t function;  /**< as sent; set by ft_modbus_begin() */
    uint16_t sub;      /**< sub-function or MEI type; set by ft_modbus_begin() */
    struct ft_modbus_flow *flow;
    const struct ft_modbus_request *asked; /**< response: its request, or NULL */
};

/**
 * The length of the PDU (function code and data) that `stream` begins with, read as a request or as
 * a response: more than 0, from what the function says; 0 when nothing says it (vendor functions,
 * and responses a request never has); -n when n bytes are needed to tell.
 */
int32_t ft_modbus_length(const struct ft_view *stream, bool is_request);

/** How these bytes, all of a PDU, can be read: enum ft_modbus_shape bits; 0 = neither. */
unsigned ft_modbus_shape(const struct ft_view *pdu);

/** What a function accesses, a value of ft_modbus_access_names; 0: neither coils nor registers. */
uint8_t ft_modbus_access(uint8_t function);

/** The category of a function, its exception bit left out. */
enum ft_modbus_category ft_modbus_category(uint8_t function);

/** The selector of children: the function byte, below it the transaction id where there is one. */
static inline uint64_t ft_modbus_selector(uint8_t function, uint16_t transaction_id)
{
    return (uint64_t)function << 16 | transaction_id;
}

/**
 * Say everything about the message that comes before its fields: kind, direction, sub-address, the
 * request it answers, the command. The function code is `at` bytes ahead in `adu`, of which nothing
 * is taken.
 */
void ft_modbus_begin(struct ft_context *ctx, struct ft_modbus_message *m, const struct ft_view *adu,
                     uint32_t at);

/** Read the PDU: fields, facts, violations, and remember a request for its response. */
void ft_modbus_read(struct ft_context *ctx, struct ft_modbus_message *m, struct ft_view *pdu);

#endif
