/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The schema of the EtherNet/IP dissector: numbers of the protocol, what carries it, fields,
 * commands and violations. Included by enip.c alone: the tables are part of its dissector.
 */
#ifndef FT_ENIP_SCHEMA_H
#define FT_ENIP_SCHEMA_H

#include "cip_identity.h"

#define PORT_ENCAPSULATION 44818u
#define PORT_IO            2222u
#define HEADER_SIZE        24u
#define CSP_HEADER_SIZE    28u

/* The most that a header may announce: with the header an EtherNet/IP message has at most 65535
 * bytes. */
#define MAX_LENGTH 65511u

#define CODE_IO  0x10000u
#define CODE_DLR 0x20000u
#define CODE_CSP 0x30000u

enum enip_command {
    NOP = 0x00,
    LIST_TARGETS = 0x01,
    LIST_SERVICES = 0x04,
    LIST_IDENTITY = 0x63,
    LIST_INTERFACES = 0x64,
    REGISTER_SESSION = 0x65,
    UNREGISTER_SESSION = 0x66,
    SEND_RR_DATA = 0x6f,
    SEND_UNIT_DATA = 0x70,
    INDICATE_STATUS = 0x72,
    CANCEL = 0x73,
    START_DTLS = 0xc8,
};

/* Types of items. */
enum {
    ITEM_NULL = 0x0000,
    ITEM_IDENTITY = 0x000c,
    ITEM_SECURITY = 0x0086,
    ITEM_CONNECTED_ADDRESS = 0x00a1,
    ITEM_CONNECTED_DATA = 0x00b1,
    ITEM_UNCONNECTED_DATA = 0x00b2,
    ITEM_SERVICES = 0x0100,
    ITEM_SOCKADDR_O2T = 0x8000,
    ITEM_SOCKADDR_T2O = 0x8001,
    ITEM_SEQUENCED_ADDRESS = 0x8002,
};

enum enip_field {
    ENIP_ROOT = 0,
    ENIP_COMMAND,
    ENIP_LENGTH,
    ENIP_SESSION,
    ENIP_STATUS,
    ENIP_CONTEXT,
    ENIP_OPTIONS,
    ENIP_INTERFACE,
    ENIP_TIMEOUT,
    ENIP_ITEMS,
    ENIP_ITEMS_TYPE,
    ENIP_ITEMS_LENGTH,
    ENIP_CONNECTION_ID,
    ENIP_SEQUENCE,
    ENIP_REGISTER,
    ENIP_REGISTER_VERSION,
    ENIP_REGISTER_OPTIONS,
    ENIP_SERVICES,
    ENIP_SERVICES_VERSION,
    ENIP_SERVICES_CAPABILITIES,
    ENIP_SERVICES_NAME,
    ENIP_IDENTITY,
    ENIP_IDENTITY_LAST = ENIP_IDENTITY + FT_CIP_IDENTITY_FIELDS - 1,
    ENIP_IDENTITY_VERSION,
    ENIP_SECURITY_PROFILES,
    ENIP_SOCKET,
    ENIP_SOCKET_ITEM,
    ENIP_SOCKET_ADDRESS,
    ENIP_SOCKET_PORT,
    ENIP_IO,
    ENIP_IO_CONNECTION_ID,
    ENIP_IO_SEQUENCE,
    ENIP_IO_SIZE,
    ENIP_DLR,
    ENIP_DLR_TYPE,
    ENIP_DLR_PORT,
    ENIP_DLR_SOURCE,
    ENIP_DLR_SEQUENCE,
    ENIP_DLR_STATE,
    ENIP_DLR_PRECEDENCE,
    ENIP_DLR_INTERVAL,
    ENIP_DLR_TIMEOUT,
    ENIP_CSP,
    ENIP_CSP_COMMAND,
    ENIP_FIELDS
};

enum enip_violation {
    ENIP_COMMAND_FAILED = 0,
    ENIP_OPTIONS_SET,
    ENIP_LENGTH_LIMIT,
    ENIP_UNKNOWN_COMMAND,
    ENIP_STATUS_IN_REQUEST,
    ENIP_NOT_REGISTERED,
    ENIP_UNKNOWN_SESSION,
    ENIP_ITEM_COUNT,
    ENIP_ITEM_TYPE,
    ENIP_DTLS_ON_TCP,
    ENIP_RING_FAULT,
    ENIP_CSP_FAILED,
    ENIP_VIOLATIONS
};

static const struct ft_carrier carriers[] = {
    {FT_CARRIER_TCP, 0, PORT_ENCAPSULATION, 0, NULL},
    /* Where SSH listens, too, when it is not to be found on 22. */
    {FT_CARRIER_TCP, FT_CARRIER_SHARED, PORT_IO, 0, NULL},
    {FT_CARRIER_UDP, 0, PORT_ENCAPSULATION, 0, NULL},
    {FT_CARRIER_UDP, 0, PORT_IO, 0, NULL},
    {FT_CARRIER_ETHERTYPE, 0, 0x80e1, 0, NULL},
};

static const struct ft_signature signatures[] = {
    /* RegisterSession, as clients send it */
    {"^\\x65\\x00\\x04\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00.{8}\\x00\\x00\\x00\\x00\\x01"
     "\\x00\\x00\\x00",
     FT_SIGNATURE_TCP, 0},
    /* data of a session: options 0, interface 0 */
    {"^[\\x6f\\x70]\\x00.{6}\\x00\\x00\\x00\\x00.{8}\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00",
     FT_SIGNATURE_TCP, 0},
    {"^[\\x04\\x63\\x64]\\x00.{6}\\x00\\x00\\x00\\x00.{8}\\x00\\x00\\x00\\x00",
     FT_SIGNATURE_TCP | FT_SIGNATURE_UDP, 0},
    /* I/O: two items, the first a sequenced address */
    {"^\\x02\\x00\\x02\\x80\\x08\\x00", FT_SIGNATURE_UDP, 0},
    /* CSPv4: connect request, PCCC request. Its port is not bound: others use it more often. */
    {"^\\x01\\x01\\x00.\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00", FT_SIGNATURE_TCP, 0},
    {"^\\x01\\x07.{6}\\x00\\x00\\x00\\x00", FT_SIGNATURE_TCP, 0},
};

static const struct ft_name command_names[] = {{NOP, "NOP"},
                                               {LIST_TARGETS, "List Targets"},
                                               {LIST_SERVICES, "List Services"},
                                               {LIST_IDENTITY, "List Identity"},
                                               {LIST_INTERFACES, "List Interfaces"},
                                               {REGISTER_SESSION, "Register Session"},
                                               {UNREGISTER_SESSION, "Unregister Session"},
                                               {SEND_RR_DATA, "Send RR Data"},
                                               {SEND_UNIT_DATA, "Send Unit Data"},
                                               {INDICATE_STATUS, "Indicate Status"},
                                               {CANCEL, "Cancel"},
                                               {START_DTLS, "Start DTLS"},
                                               {0, NULL}};

static const struct ft_name status_names[] = {{0x00, "Success"},
                                              {0x01, "Invalid command"},
                                              {0x02, "No memory resources"},
                                              {0x03, "Incorrect data"},
                                              {0x64, "Invalid session handle"},
                                              {0x65, "Invalid length"},
                                              {0x69, "Unsupported protocol revision"},
                                              {0x6a, "CIP service not allowed on this port"},
                                              {0, NULL}};

static const struct ft_name item_names[] = {{ITEM_NULL, "null_address"},
                                            {ITEM_IDENTITY, "identity"},
                                            {ITEM_SECURITY, "cip_security"},
                                            {0x0087, "capability"},
                                            {0x0088, "usage"},
                                            {ITEM_CONNECTED_ADDRESS, "connected_address"},
                                            {ITEM_CONNECTED_DATA, "connected_data"},
                                            {ITEM_UNCONNECTED_DATA, "unconnected_data"},
                                            {ITEM_SERVICES, "services"},
                                            {ITEM_SOCKADDR_O2T, "socket_address_o2t"},
                                            {ITEM_SOCKADDR_T2O, "socket_address_t2o"},
                                            {ITEM_SEQUENCED_ADDRESS, "sequenced_address"},
                                            {0x8003, "unconnected_dtls"},
                                            {0, NULL}};

static const struct ft_name frame_types[] = {{1, "beacon"},
                                             {2, "neighbor_check_request"},
                                             {3, "neighbor_check_response"},
                                             {4, "link_status"},
                                             {5, "locate_fault"},
                                             {6, "announce"},
                                             {7, "sign_on"},
                                             {8, "advertise"},
                                             {9, "flush_tables"},
                                             {10, "learning_update"},
                                             {0, NULL}};

static const struct ft_name ring_states[] = {{1, "normal"}, {2, "fault"}, {0, NULL}};

static const struct ft_name csp_names[] = {{0x0101, "connect"},
                                           {0x0201, "connect_reply"},
                                           {0x0107, "pccc"},
                                           {0x0207, "pccc_reply"},
                                           {0, NULL}};

static const struct ft_name capability_names[] = {
    {0x0020, "cip_over_tcp"}, {0x0100, "cip_over_udp"}, {0, NULL}};

/* clang-format off */
#define F(number, name, title, names, parent, type, flags, ...) \
    [number] = {name, title, names, parent, FT_TYPE_##type, flags, __VA_ARGS__ + 0}
static const struct ft_field fields[ENIP_FIELDS] = {
    F(ENIP_ROOT, "enip", "EtherNet/IP", NULL, 0, GROUP, 0),
    F(ENIP_COMMAND, "command", "Encapsulation command", command_names, 0, ENUM, 0, 16),
    F(ENIP_LENGTH, "length", "Bytes after the header", NULL, 0, UINT, 0, 16),
    F(ENIP_SESSION, "session", "Session handle", NULL, 0, UINT, 0, 32),
    F(ENIP_STATUS, "status", "Encapsulation status", status_names, 0, ENUM, 0, 32),
    F(ENIP_CONTEXT, "sender_context", "Sender context, repeated in the response", NULL, 0, BYTES, 0),
    F(ENIP_OPTIONS, "options", "Options; must be 0", NULL, 0, UINT, 0, 32),
    F(ENIP_INTERFACE, "interface_handle", "Interface handle, 0 = CIP", NULL, 0, UINT, 0, 32),
    F(ENIP_TIMEOUT, "timeout", "Timeout, seconds", NULL, 0, UINT, 0, 16),
    F(ENIP_ITEMS, "cpf_items", "Items of the message", NULL, 0, GROUP, FT_FIELD_LIST),
    F(ENIP_ITEMS_TYPE, "type", "Type of the item", item_names, ENIP_ITEMS, ENUM, 0, 16),
    F(ENIP_ITEMS_LENGTH, "length", "Bytes of the item", NULL, ENIP_ITEMS, UINT, 0, 16),
    F(ENIP_CONNECTION_ID, "connection_id", "Connection id of a connected message", NULL, 0, UINT, 0, 32),
    F(ENIP_SEQUENCE, "seq_count", "Sequence count of a connected message", NULL, 0, UINT, 0, 16),
    F(ENIP_REGISTER, "register_session", "Register Session", NULL, 0, GROUP, 0),
    F(ENIP_REGISTER_VERSION, "protocol_version", "Version of the encapsulation", NULL, ENIP_REGISTER, UINT, 0, 16),
    F(ENIP_REGISTER_OPTIONS, "options", "Options of the session", NULL, ENIP_REGISTER, UINT, 0, 16),
    F(ENIP_SERVICES, "list_services", "Service that the device offers", NULL, 0, GROUP, 0),
    F(ENIP_SERVICES_VERSION, "protocol_version", "Version of the encapsulation", NULL, ENIP_SERVICES, UINT, 0, 16),
    F(ENIP_SERVICES_CAPABILITIES, "capabilities", "Capabilities", capability_names, ENIP_SERVICES, FLAGS, 0, 16),
    F(ENIP_SERVICES_NAME, "service_name", "Name of the service", NULL, ENIP_SERVICES, STRING, 0),
    FT_CIP_IDENTITY_ROWS(ENIP_IDENTITY),
    F(ENIP_IDENTITY_VERSION, "protocol_version", "Version of the encapsulation", NULL, ENIP_IDENTITY, UINT, 0, 16),
    F(ENIP_SECURITY_PROFILES, "cip_security_profiles", "CIP Security profiles", NULL, 0, UINT, 0, 16),
    F(ENIP_SOCKET, "sockaddr", "Socket addresses told in items", NULL, 0, GROUP, FT_FIELD_LIST),
    F(ENIP_SOCKET_ITEM, "item", "Type of the item", item_names, ENIP_SOCKET, ENUM, 0, 16),
    F(ENIP_SOCKET_ADDRESS, "address", "IP address", NULL, ENIP_SOCKET, IPV4, 0),
    F(ENIP_SOCKET_PORT, "port", "Port", NULL, ENIP_SOCKET, UINT, 0, 16),
    F(ENIP_IO, "io", "Data of a class 0 or 1 connection", NULL, 0, GROUP, 0),
    F(ENIP_IO_CONNECTION_ID, "conn_id", "Connection id", NULL, ENIP_IO, UINT, 0, 32),
    F(ENIP_IO_SEQUENCE, "encap_seq", "Sequence number of the packet", NULL, ENIP_IO, UINT, 0, 32),
    F(ENIP_IO_SIZE, "size", "Bytes of the data item", NULL, ENIP_IO, UINT, 0, 32),
    F(ENIP_DLR, "dlr", "Device Level Ring", NULL, 0, GROUP, 0),
    F(ENIP_DLR_TYPE, "frame_type", "Kind of frame", frame_types, ENIP_DLR, ENUM, 0, 8),
    F(ENIP_DLR_PORT, "source_port", "Port of the ring it was sent from", NULL, ENIP_DLR, UINT, 0, 8),
    F(ENIP_DLR_SOURCE, "source_ip", "IP address of the sender", NULL, ENIP_DLR, IPV4, 0),
    F(ENIP_DLR_SEQUENCE, "sequence", "Sequence number", NULL, ENIP_DLR, UINT, 0, 32),
    F(ENIP_DLR_STATE, "ring_state", "State of the ring", ring_states, ENIP_DLR, ENUM, 0, 8),
    F(ENIP_DLR_PRECEDENCE, "precedence", "Precedence of the supervisor", NULL, ENIP_DLR, UINT, 0, 8),
    F(ENIP_DLR_INTERVAL, "beacon_interval_us", "Interval of beacons, microseconds", NULL, ENIP_DLR, UINT, 0, 32),
    F(ENIP_DLR_TIMEOUT, "beacon_timeout_us", "Timeout of beacons, microseconds", NULL, ENIP_DLR, UINT, 0, 32),
    F(ENIP_CSP, "csp", "CSPv4", NULL, 0, GROUP, 0),
    F(ENIP_CSP_COMMAND, "command", "Command", csp_names, ENIP_CSP, ENUM, 0, 16),
};
#undef F

#define C(code, name, cl) {code, FT_ANY_QUALIFIER, name, FT_CLASS_##cl, {0}, NULL}
static const struct ft_command commands[] = {
    C(NOP, "nop", DIAGNOSTIC),
    C(LIST_TARGETS, "list_targets", DIAGNOSTIC),
    C(LIST_SERVICES, "list_services", DIAGNOSTIC),
    {LIST_IDENTITY, FT_ANY_QUALIFIER, "list_identity", FT_CLASS_DIAGNOSTIC, {0}, "T0846 T0888"},
    C(LIST_INTERFACES, "list_interfaces", DIAGNOSTIC),
    C(REGISTER_SESSION, "register_session", SESSION),
    C(UNREGISTER_SESSION, "unregister_session", SESSION),
    C(SEND_RR_DATA, "send_rr_data", DATA),
    C(SEND_UNIT_DATA, "send_unit_data", DATA),
    C(INDICATE_STATUS, "indicate_status", SESSION),
    C(CANCEL, "cancel", SESSION),
    C(START_DTLS, "start_dtls", SESSION),
    C(CODE_IO, "io_data", DATA),
    C(CODE_DLR | 1, "ring_beacon", DATA),
    C(CODE_DLR | 2, "ring_neighbor_check_request", DIAGNOSTIC),
    C(CODE_DLR | 3, "ring_neighbor_check_response", DIAGNOSTIC),
    C(CODE_DLR | 4, "ring_link_status", EVENT),
    C(CODE_DLR | 5, "ring_locate_fault", EVENT),
    C(CODE_DLR | 6, "ring_announce", DATA),
    C(CODE_DLR | 7, "ring_sign_on", SESSION),
    C(CODE_DLR | 8, "ring_advertise", DATA),
    C(CODE_DLR | 9, "ring_flush_tables", EVENT),
    C(CODE_DLR | 10, "ring_learning_update", EVENT),
    C(CODE_CSP | 0x01, "csp_connect", SESSION),
    C(CODE_CSP | 0x07, "csp_pccc", DATA),
};
#undef C

#define V(number, name, title, reference, category, mitre, severity, engine, alert) \
    [number] = {name, title, reference, category, mitre, FT_SEVERITY_##severity, FT_ENGINE_##engine, alert, {0}}
static const struct ft_violation violations[ENIP_VIOLATIONS] = {
    V(ENIP_COMMAND_FAILED, "command_failed", "EtherNet/IP device refused an encapsulation command", "O11", "Command Failures", "T0801", MAJOR, OPERATIONAL, FT_ALERT_BY_VALUE),
    V(ENIP_OPTIONS_SET, "options_set", "EtherNet/IP header with options, which must be 0", NULL, NULL, "T0866", MINOR, PROTOCOL, 0),
    V(ENIP_LENGTH_LIMIT, "length_limit", "EtherNet/IP message longer than allowed", NULL, NULL, "T0814 T0866", MAJOR, PROTOCOL, 0),
    V(ENIP_UNKNOWN_COMMAND, "unknown_command", "EtherNet/IP encapsulation command that does not exist", NULL, NULL, "T0888", MAJOR, PROTOCOL, 0),
    V(ENIP_STATUS_IN_REQUEST, "status_in_request", "EtherNet/IP request with a status", NULL, NULL, NULL, MINOR, PROTOCOL, 0),
    V(ENIP_NOT_REGISTERED, "not_registered", "EtherNet/IP data without a registered session", NULL, NULL, "T0855", MAJOR, PROTOCOL, 0),
    V(ENIP_UNKNOWN_SESSION, "unknown_session", "EtherNet/IP data with a session handle that was not given out", NULL, NULL, "T0855 T0856", MAJOR, PROTOCOL, 0),
    V(ENIP_ITEM_COUNT, "item_count", "EtherNet/IP data with a wrong number of items", NULL, NULL, "T0866", MAJOR, PROTOCOL, 0),
    V(ENIP_ITEM_TYPE, "item_type", "EtherNet/IP data without the items that it needs", NULL, NULL, "T0866", MAJOR, PROTOCOL, 0),
    V(ENIP_DTLS_ON_TCP, "dtls_on_tcp", "EtherNet/IP StartDTLS on TCP", NULL, NULL, NULL, MINOR, PROTOCOL, 0),
    V(ENIP_RING_FAULT, "ring_fault", "Device Level Ring is broken", NULL, "Operational issues", "T0830", MAJOR, OPERATIONAL, 0),
    V(ENIP_CSP_FAILED, "csp_failed", "CSPv4 device refused a command", NULL, "Command Failures", "T0801", MAJOR, OPERATIONAL, 0),
};
#undef V
/* clang-format on */

#endif
