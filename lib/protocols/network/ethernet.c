/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What stations and bridges say in frames of Ethernet itself: flow control, link aggregation and
 * supervision of links, nodes of redundant networks, loop tests, wake-up calls, PPPoE, port
 * authentication. Payloads begin behind the type; what is shorter than 46 bytes is padded.
 *
 *   0842  Wake-on-LAN          6 bytes FF, 16 times the MAC address, password
 *   8808  MAC control          opcode (2), parameters
 *   8809  slow protocols       subtype (1): ethernet_slow.c
 *   8863  PPPoE discovery      ethernet_ppp.c
 *   8864  PPPoE session        ethernet_ppp.c; IP in it was decoded before
 *   888e  EAPOL                ethernet_ppp.c
 *   88fb  PRP, HSR supervision path and version (2), sequence (2), TLVs: type (1), length (1), MAC
 *   9000  loop test            skip (2), then there function (2) and its data, little-endian
 *
 * Specification: IEEE 802.3 (31, 43, 57), 802.1AX, 802.1X, 802.1Qbb; IEC 62439-3; RFC 1661, 1332,
 * 1334, 1994, 2516, 3748; ITU-T G.8264; DEC/Intel/Xerox Ethernet 2.0 (8).
 */
#include "ethernet.h"

enum {
    MAC_LENGTH = 6,
    PAUSE = 0x0001,
    PFC = 0x0101,
    MPCP_FIRST = 0x0002,
    MPCP_LAST = 0x0006,
    CONTROL_EXTENSION = 0xfffe,
    PRIORITIES = 8,
    LOOP_REPLY = 1,
    LOOP_FORWARD = 2,
    WAKE_SYNC = 6,
    WAKE_TIMES = 16,
    NODE_END = 0,
    NODE_DISCARD = 20,
    NODE_ACCEPT = 21,
    NODE_ALL = 22,
    NODE_HSR = 23,
    REDBOX = 30,
    VDAN = 31,
    LAN_A = 10,
    LAN_B = 11,
};

/* A node tells of itself every two seconds over each LAN; after five that are missing the LAN is
 * lost to it. */
#define LAN_SILENT_NS (10 * 1000000000ull)

/* clang-format off */
static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_ETHERTYPE, .value = ETHER_WAKE},
    {.kind = FT_CARRIER_ETHERTYPE, .value = ETHER_CONTROL},
    {.kind = FT_CARRIER_ETHERTYPE, .value = ETHER_SLOW},
    {.kind = FT_CARRIER_ETHERTYPE, .value = ETHER_PPPOE_DISCOVERY},
    {.kind = FT_CARRIER_ETHERTYPE, .value = ETHER_PPPOE_SESSION},
    {.kind = FT_CARRIER_ETHERTYPE, .value = ETHER_EAPOL},
    {.kind = FT_CARRIER_ETHERTYPE, .value = ETHER_SUPERVISION},
    {.kind = FT_CARRIER_ETHERTYPE, .value = ETHER_LOOPBACK},
};

static const struct ft_name type_names[] = {
    {ETHER_WAKE, "wake_on_lan"}, {ETHER_CONTROL, "mac_control"}, {ETHER_SLOW, "slow_protocols"},
    {ETHER_PPPOE_DISCOVERY, "pppoe_discovery"}, {ETHER_PPPOE_SESSION, "pppoe_session"},
    {ETHER_EAPOL, "eapol"}, {ETHER_SUPERVISION, "prp_hsr_supervision"},
    {ETHER_LOOPBACK, "loopback"}, {0, NULL},
};

static const struct ft_name opcode_names[] = {
    {PAUSE, "pause"}, {2, "gate"}, {3, "report"}, {4, "register_request"}, {5, "register"},
    {6, "register_acknowledge"}, {PFC, "priority_flow_control"},
    {CONTROL_EXTENSION, "extension"}, {0, NULL},
};

static const struct ft_name priority_names[] = {
    {0x01, "0"}, {0x02, "1"}, {0x04, "2"}, {0x08, "3"}, {0x10, "4"}, {0x20, "5"}, {0x40, "6"},
    {0x80, "7"}, {0, NULL},
};

static const struct ft_name function_names[] = {
    {LOOP_REPLY, "reply"}, {LOOP_FORWARD, "forward"}, {0, NULL},
};

static const struct ft_name node_names[] = {
    {NODE_DISCARD, "prp_duplicate_discard"}, {NODE_ACCEPT, "prp_duplicate_accept"},
    {NODE_ALL, "prp_management"}, {NODE_HSR, "hsr"}, {REDBOX, "redbox"}, {VDAN, "virtual_node"},
    {0, NULL},
};

static const struct ft_name lan_names[] = {
    {LAN_A, "a"}, {LAN_B, "b"}, {0, NULL},
};

static const struct ft_name subtype_names[] = {
    {1, "lacp"}, {2, "marker"}, {3, "oam"}, {10, "organisation"}, {0, NULL},
};

static const struct ft_name lacp_state_names[] = {
    {0x01, "active"}, {0x02, "short_timeout"}, {0x04, "aggregation"}, {0x08, "synchronised"},
    {0x10, "collecting"}, {0x20, "distributing"}, {0x40, "defaulted"}, {0x80, "expired"},
    {0, NULL},
};

static const struct ft_name marker_names[] = {
    {1, "information"}, {2, "response"}, {0, NULL},
};

static const struct ft_name oam_flag_names[] = {
    {0x01, "link_fault"}, {0x02, "dying_gasp"}, {0x04, "critical_event"},
    {0x08, "local_evaluating"}, {0x10, "local_stable"}, {0x20, "remote_evaluating"},
    {0x40, "remote_stable"}, {0, NULL},
};

static const struct ft_name oam_names[] = {
    {0, "information"}, {1, "event_notification"}, {2, "variable_request"},
    {3, "variable_response"}, {4, "loopback_control"}, {0xfe, "organisation"}, {0, NULL},
};

static const struct ft_name oam_configuration_names[] = {
    {0x01, "active"}, {0x02, "unidirectional"}, {0x04, "remote_loopback"}, {0x08, "link_events"},
    {0x10, "variables"}, {0, NULL},
};

static const struct ft_name oam_event_names[] = {
    {1, "symbol_period"}, {2, "frames"}, {3, "frame_period"}, {4, "frame_seconds"},
    {0xfe, "organisation"}, {0, NULL},
};

static const struct ft_name oam_loopback_names[] = {
    {1, "enable"}, {2, "disable"}, {0, NULL},
};

/* Option I of ITU-T G.781. */
static const struct ft_name quality_names[] = {
    {2, "primary_reference"}, {4, "supply_unit_a"}, {8, "supply_unit_b"}, {11, "equipment_clock"},
    {15, "do_not_use"}, {0, NULL},
};

static const struct ft_name pppoe_names[] = {
    {0x00, "session"}, {0x09, "padi"}, {0x07, "pado"}, {0x19, "padr"}, {0x65, "pads"},
    {0xa7, "padt"}, {0, NULL},
};

static const struct ft_name ppp_names[] = {
    {0x0021, "ip"}, {0x002d, "compressed_tcp"}, {0x002f, "uncompressed_tcp"}, {0x0031, "bridging"},
    {0x003d, "multilink"}, {0x0053, "encrypted"}, {0x0057, "ipv6"}, {0x00fd, "compressed"},
    {0x0281, "mpls"}, {0x8021, "ipcp"}, {0x8031, "bcp"}, {0x8053, "ecp"}, {0x8057, "ipv6cp"},
    {0x80fd, "ccp"}, {0x8281, "mplscp"}, {0xc021, "lcp"}, {0xc023, "pap"}, {0xc025, "lqr"},
    {0xc223, "chap"}, {0xc227, "eap"}, {0, NULL},
};

static const struct ft_name algorithm_names[] = {
    {5, "md5"}, {6, "sha1"}, {128, "mschap"}, {129, "mschap_v2"}, {0, NULL},
};

static const struct ft_name eapol_names[] = {
    {0, "eap_packet"}, {1, "start"}, {2, "logoff"}, {3, "key"}, {4, "alert"}, {5, "mka"},
    {6, "announcement"}, {7, "announcement_specific"}, {8, "announcement_request"}, {0, NULL},
};

static const struct ft_name key_names[] = {
    {1, "rc4"}, {2, "rsn"}, {254, "wpa"}, {0, NULL},
};

static const struct ft_name eap_names[] = {
    {1, "request"}, {2, "response"}, {3, "success"}, {4, "failure"}, {5, "initiate"},
    {6, "finish"}, {0, NULL},
};

static const struct ft_name eap_type_names[] = {
    {1, "identity"}, {2, "notification"}, {3, "nak"}, {4, "md5"}, {5, "one_time_password"},
    {6, "token_card"}, {13, "tls"}, {17, "leap"}, {18, "sim"}, {21, "ttls"}, {23, "aka"},
    {25, "peap"}, {26, "mschap_v2"}, {43, "fast"}, {50, "aka_prime"}, {52, "pwd"}, {55, "teap"},
    {254, "expanded"}, {0, NULL},
};

static const struct ft_name mka_flag_names[] = {
    {0x80, "key_server"}, {0x40, "macsec_desired"}, {0, NULL},
};

#define GROUP(name, title, parent, flags) {name, title, NULL, parent, FT_TYPE_GROUP, flags, 0}
#define FIELD(name, title, parent, type, ...) {name, title, NULL, parent, FT_TYPE_##type, 0, __VA_ARGS__ + 0}
#define NAMED(name, title, names, parent, type, bits) {name, title, names, parent, FT_TYPE_##type, 0, bits}
#define LISTED(name, title, parent, type, ...) {name, title, NULL, parent, FT_TYPE_##type, FT_FIELD_LIST, __VA_ARGS__ + 0}
#define SECRET(name, title, parent) {name, title, NULL, parent, FT_TYPE_BYTES, FT_FIELD_SECRET, 0}

/* Actor and partner of an aggregation, and both sides of OAM. */
#define LACP_SIDE(group)                                                                           \
    [group##_SYSTEM_PRIORITY] = FIELD("system_priority", "Priority of the system", group, UINT, 16), \
    [group##_SYSTEM] = FIELD("system", "The system", group, MAC),                                  \
    [group##_KEY] = FIELD("key", "Ports of one key can be one link", group, UINT, 16),             \
    [group##_PORT_PRIORITY] = FIELD("port_priority", "Priority of the port", group, UINT, 16),     \
    [group##_PORT] = FIELD("port", "Number of the port", group, UINT, 16),                         \
    [group##_STATE] = NAMED("state", "State", lacp_state_names, group, FLAGS, 8)

#define OAM_SIDE(group)                                                                            \
    [group##_VERSION] = FIELD("version", "Version of OAM", group, UINT, 8),                        \
    [group##_REVISION] = FIELD("revision", "Count of changes", group, UINT, 16),                   \
    [group##_STATE] = FIELD("state", "Bits: multiplexer, parser", group, UINT, 8),                 \
    [group##_CONFIGURATION] =                                                                      \
        NAMED("configuration", "What the side can do", oam_configuration_names, group, FLAGS, 8),  \
    [group##_MAX_PDU] = FIELD("max_pdu", "Longest PDU", group, UINT, 11),                          \
    [group##_OUI] = FIELD("oui", "Vendor", group, UINT, 24),                                       \
    [group##_VENDOR] = FIELD("vendor", "Told by the vendor", group, BYTES)

static const struct ft_field fields[] = {
    [ETHER] = GROUP("ethernet", "Frames of Ethernet itself", 0, 0),
    [ETHER_TYPE] = NAMED("type", "Type of the frame", type_names, ETHER, ENUM, 32),
    [ETHER_WAKE_GROUP] = GROUP("wake", "Wake-on-LAN", ETHER, 0),
    [ETHER_WAKE_MAC] = FIELD("mac", "Who is to wake up", ETHER_WAKE_GROUP, MAC),
    [ETHER_WAKE_PASSWORD] = SECRET("password", "Password", ETHER_WAKE_GROUP),
    [ETHER_CONTROL_GROUP] = GROUP("control", "MAC control", ETHER, 0),
    [ETHER_CONTROL_OPCODE] = NAMED("opcode", "What is to be done", opcode_names, ETHER_CONTROL_GROUP, ENUM, 16),
    [ETHER_CONTROL_QUANTA] = FIELD("quanta", "Not to send for so many times 512 bits", ETHER_CONTROL_GROUP, UINT, 16),
    [ETHER_CONTROL_CLASSES] = NAMED("classes", "Priorities that this is for", priority_names, ETHER_CONTROL_GROUP, FLAGS, 8),
    [ETHER_CONTROL_TIMES] = LISTED("times", "Of each priority: not to send for so many times 512 bits", ETHER_CONTROL_GROUP, UINT, 16),
    [ETHER_CONTROL_TIMESTAMP] = FIELD("timestamp", "Clock of the network, in 16 ns", ETHER_CONTROL_GROUP, UINT, 32),
    [ETHER_LOOP_GROUP] = GROUP("loopback", "Loop test", ETHER, 0),
    [ETHER_LOOP_SKIP] = FIELD("skip", "Bytes that were done", ETHER_LOOP_GROUP, UINT, 16),
    [ETHER_LOOP_FUNCTION] = NAMED("function", "What is to be done", function_names, ETHER_LOOP_GROUP, ENUM, 16),
    [ETHER_LOOP_RECEIPT] = FIELD("receipt", "Number of the test", ETHER_LOOP_GROUP, UINT, 16),
    [ETHER_LOOP_FORWARD] = FIELD("forward", "To whom", ETHER_LOOP_GROUP, MAC),
    [ETHER_PRP_GROUP] = GROUP("supervision", "Node of a redundant network (PRP, HSR)", ETHER, 0),
    [ETHER_PRP_PATH] = FIELD("path", "Path", ETHER_PRP_GROUP, UINT, 4),
    [ETHER_PRP_VERSION] = FIELD("version", "Version", ETHER_PRP_GROUP, UINT, 12),
    [ETHER_PRP_SEQUENCE] = FIELD("sequence", "Number of the frame", ETHER_PRP_GROUP, UINT, 16),
    [ETHER_PRP_LAN] = NAMED("lan", "LAN by which it came", lan_names, ETHER_PRP_GROUP, ENUM, 8),
    [ETHER_PRP_TLV] = GROUP("node", "A node", ETHER_PRP_GROUP, FT_FIELD_LIST),
    [ETHER_PRP_TLV_TYPE] = NAMED("type", "What it is", node_names, ETHER_PRP_TLV, ENUM, 8),
    [ETHER_PRP_TLV_MAC] = FIELD("mac", "Its MAC address", ETHER_PRP_TLV, MAC),
    [ETHER_SLOW_SUBTYPE] = NAMED("subtype", "Slow protocol", subtype_names, ETHER, ENUM, 8),
    [ETHER_LACP] = GROUP("lacp", "Link aggregation", ETHER, 0),
    [ETHER_LACP_VERSION] = FIELD("version", "Version", ETHER_LACP, UINT, 8),
    [ETHER_LACP_ACTOR] = GROUP("actor", "Who sends", ETHER_LACP, 0),
    LACP_SIDE(ETHER_LACP_ACTOR),
    [ETHER_LACP_PARTNER] = GROUP("partner", "Who is at the other end, as the sender knows it", ETHER_LACP, 0),
    LACP_SIDE(ETHER_LACP_PARTNER),
    [ETHER_LACP_DELAY] = FIELD("max_delay", "Longest delay, in 10 microseconds", ETHER_LACP, UINT, 16),
    [ETHER_MARKER] = GROUP("marker", "Link aggregation: marker", ETHER, 0),
    [ETHER_MARKER_VERSION] = FIELD("version", "Version", ETHER_MARKER, UINT, 8),
    [ETHER_MARKER_TYPE] = NAMED("type", "Marker or response", marker_names, ETHER_MARKER, ENUM, 8),
    [ETHER_MARKER_PORT] = FIELD("port", "Port that asked", ETHER_MARKER, UINT, 16),
    [ETHER_MARKER_SYSTEM] = FIELD("system", "System that asked", ETHER_MARKER, MAC),
    [ETHER_MARKER_TRANSACTION] = FIELD("transaction", "Number of the marker", ETHER_MARKER, UINT, 32),
    [ETHER_OAM] = GROUP("oam", "Operation of the link (802.3ah)", ETHER, 0),
    [ETHER_OAM_FLAGS] = NAMED("flags", "State of the link", oam_flag_names, ETHER_OAM, FLAGS, 16),
    [ETHER_OAM_CODE] = NAMED("code", "Kind of PDU", oam_names, ETHER_OAM, ENUM, 8),
    [ETHER_OAM_LOCAL] = GROUP("local", "Side that sends", ETHER_OAM, 0),
    OAM_SIDE(ETHER_OAM_LOCAL),
    [ETHER_OAM_REMOTE] = GROUP("remote", "Other side, as the sender knows it", ETHER_OAM, 0),
    OAM_SIDE(ETHER_OAM_REMOTE),
    [ETHER_OAM_SEQUENCE] = FIELD("sequence", "Number of the notification", ETHER_OAM, UINT, 16),
    [ETHER_OAM_EVENT] = GROUP("event", "Errors of the link", ETHER_OAM, FT_FIELD_LIST),
    [ETHER_OAM_EVENT_TYPE] = NAMED("type", "Errors of what", oam_event_names, ETHER_OAM_EVENT, ENUM, 8),
    [ETHER_OAM_EVENT_TIMESTAMP] = FIELD("timestamp", "When, in tenths of a second", ETHER_OAM_EVENT, UINT, 16),
    [ETHER_OAM_EVENT_WINDOW] = FIELD("window", "How long was counted", ETHER_OAM_EVENT, UINT),
    [ETHER_OAM_EVENT_THRESHOLD] = FIELD("threshold", "So many are too many", ETHER_OAM_EVENT, UINT),
    [ETHER_OAM_EVENT_ERRORS] = FIELD("errors", "Errors counted", ETHER_OAM_EVENT, UINT),
    [ETHER_OAM_EVENT_TOTAL_ERRORS] = FIELD("total_errors", "Errors since the start", ETHER_OAM_EVENT, UINT),
    [ETHER_OAM_EVENT_TOTAL_EVENTS] = FIELD("total_events", "Notifications since the start", ETHER_OAM_EVENT, UINT, 32),
    [ETHER_OAM_VARIABLE] = GROUP("variable", "A variable", ETHER_OAM, FT_FIELD_LIST),
    [ETHER_OAM_VARIABLE_BRANCH] = FIELD("branch", "Branch", ETHER_OAM_VARIABLE, UINT, 8),
    [ETHER_OAM_VARIABLE_LEAF] = FIELD("leaf", "Leaf", ETHER_OAM_VARIABLE, UINT, 16),
    [ETHER_OAM_VARIABLE_VALUE] = FIELD("value", "Value", ETHER_OAM_VARIABLE, BYTES),
    [ETHER_OAM_VARIABLE_INDICATION] = FIELD("indication", "Why there is no value", ETHER_OAM_VARIABLE, UINT, 7),
    [ETHER_OAM_LOOPBACK] = NAMED("loopback", "Remote loop", oam_loopback_names, ETHER_OAM, ENUM, 8),
    [ETHER_OAM_OUI] = FIELD("oui", "Organisation of the PDU", ETHER_OAM, UINT, 24),
    [ETHER_ESMC] = GROUP("esmc", "Synchronisation of clocks by the line", ETHER, 0),
    [ETHER_ESMC_VERSION] = FIELD("version", "Version", ETHER_ESMC, UINT, 4),
    [ETHER_ESMC_EVENT] = FIELD("event", "The quality has changed", ETHER_ESMC, BOOL),
    [ETHER_ESMC_QUALITY] = NAMED("quality", "Quality of the clock", quality_names, ETHER_ESMC, ENUM, 4),
    [ETHER_ORGANISATION] = GROUP("organisation", "Slow protocol of an organisation", ETHER, 0),
    [ETHER_ORGANISATION_OUI] = FIELD("oui", "Organisation", ETHER_ORGANISATION, UINT, 24),
    [ETHER_ORGANISATION_DATA] = FIELD("data", "Data", ETHER_ORGANISATION, BYTES),
    [ETHER_PPPOE] = GROUP("pppoe", "PPP over Ethernet", ETHER, 0),
    [ETHER_PPPOE_CODE] = NAMED("code", "Kind of packet", pppoe_names, ETHER_PPPOE, ENUM, 8),
    [ETHER_PPPOE_SESSION_ID] = FIELD("session", "Number of the session", ETHER_PPPOE, UINT, 16),
    [ETHER_PPPOE_SERVICE] = LISTED("service", "Name of a service", ETHER_PPPOE, STRING),
    [ETHER_PPPOE_AC_NAME] = FIELD("ac_name", "Name of the access concentrator", ETHER_PPPOE, STRING),
    [ETHER_PPPOE_HOST_UNIQ] = FIELD("host_uniq", "The host's own number", ETHER_PPPOE, BYTES),
    [ETHER_PPPOE_AC_COOKIE] = FIELD("ac_cookie", "The access concentrator's own number", ETHER_PPPOE, BYTES),
    [ETHER_PPPOE_VENDOR] = FIELD("vendor", "Told by the vendor", ETHER_PPPOE, BYTES),
    [ETHER_PPPOE_RELAY] = FIELD("relay", "Session of a relay", ETHER_PPPOE, BYTES),
    [ETHER_PPPOE_MAX_PAYLOAD] = FIELD("max_payload", "Longest payload", ETHER_PPPOE, UINT, 16),
    [ETHER_PPPOE_ERROR] = FIELD("error", "Why it is refused", ETHER_PPPOE, STRING),
    [ETHER_PPPOE_OTHER] = GROUP("other", "A tag of another type", ETHER_PPPOE, FT_FIELD_LIST),
    [ETHER_PPPOE_OTHER_TYPE] = FIELD("type", "Type", ETHER_PPPOE_OTHER, UINT, 16),
    [ETHER_PPPOE_OTHER_DATA] = FIELD("data", "Data", ETHER_PPPOE_OTHER, BYTES),
    [ETHER_PPP] = GROUP("ppp", "Point-to-point protocol", ETHER, 0),
    [ETHER_PPP_PROTOCOL] = NAMED("protocol", "Protocol in PPP", ppp_names, ETHER_PPP, ENUM, 16),
    [ETHER_PPP_CODE] = FIELD("code", "Kind of packet", ETHER_PPP, UINT, 8),
    [ETHER_PPP_ID] = FIELD("id", "Number of the packet", ETHER_PPP, UINT, 8),
    [ETHER_PPP_MRU] = FIELD("mru", "Longest packet", ETHER_PPP, UINT, 16),
    [ETHER_PPP_MAGIC] = FIELD("magic", "Number by which loops are found", ETHER_PPP, UINT, 32),
    [ETHER_PPP_AUTHENTICATION] = NAMED("authentication", "Protocol of authentication", ppp_names, ETHER_PPP, ENUM, 16),
    [ETHER_PPP_ALGORITHM] = NAMED("algorithm", "Algorithm of CHAP", algorithm_names, ETHER_PPP, ENUM, 8),
    [ETHER_PPP_ADDRESS] = FIELD("address", "IP address", ETHER_PPP, IPV4),
    [ETHER_PPP_DNS] = LISTED("dns", "Name server", ETHER_PPP, IPV4),
    [ETHER_PPP_INTERFACE] = FIELD("interface", "Interface part of the IPv6 address", ETHER_PPP, BYTES),
    [ETHER_PPP_REJECTED] = NAMED("rejected", "Protocol that is not spoken", ppp_names, ETHER_PPP, ENUM, 16),
    [ETHER_PPP_USER] = FIELD("user", "User", ETHER_PPP, STRING),
    [ETHER_PPP_PASSWORD] = SECRET("password", "Password", ETHER_PPP),
    [ETHER_PPP_CHALLENGE] = FIELD("challenge", "Challenge", ETHER_PPP, BYTES),
    [ETHER_PPP_RESPONSE] = SECRET("response", "Response to the challenge", ETHER_PPP),
    [ETHER_PPP_MESSAGE] = FIELD("message", "Message for people", ETHER_PPP, STRING),
    [ETHER_PPP_OPTION] = GROUP("option", "Another option", ETHER_PPP, FT_FIELD_LIST),
    [ETHER_PPP_OPTION_TYPE] = FIELD("type", "Type", ETHER_PPP_OPTION, UINT, 8),
    [ETHER_PPP_OPTION_DATA] = FIELD("data", "Data", ETHER_PPP_OPTION, BYTES),
    [ETHER_EAPOL_GROUP] = GROUP("eapol", "Port authentication", ETHER, 0),
    [ETHER_EAPOL_VERSION] = FIELD("version", "Version", ETHER_EAPOL_GROUP, UINT, 8),
    [ETHER_EAPOL_TYPE] = NAMED("type", "Kind of packet", eapol_names, ETHER_EAPOL_GROUP, ENUM, 8),
    [ETHER_EAPOL_KEY] = NAMED("key", "Kind of key", key_names, ETHER_EAPOL_GROUP, ENUM, 8),
    [ETHER_EAP] = GROUP("eap", "Authentication", ETHER, 0),
    [ETHER_EAP_CODE] = NAMED("code", "Kind of packet", eap_names, ETHER_EAP, ENUM, 8),
    [ETHER_EAP_ID] = FIELD("id", "Number of the packet", ETHER_EAP, UINT, 8),
    [ETHER_EAP_TYPE] = NAMED("type", "Method", eap_type_names, ETHER_EAP, ENUM, 8),
    [ETHER_EAP_IDENTITY] = FIELD("identity", "Who wants to be let in", ETHER_EAP, STRING),
    [ETHER_EAP_MESSAGE] = FIELD("message", "Message for people", ETHER_EAP, STRING),
    [ETHER_EAP_WANTED] = {"wanted", "Method that is wanted instead", eap_type_names, ETHER_EAP, FT_TYPE_ENUM, FT_FIELD_LIST, 8},
    [ETHER_MKA] = GROUP("mka", "Agreement on keys for MACsec", ETHER, 0),
    [ETHER_MKA_VERSION] = FIELD("version", "Version", ETHER_MKA, UINT, 8),
    [ETHER_MKA_PRIORITY] = FIELD("priority", "Priority as key server", ETHER_MKA, UINT, 8),
    [ETHER_MKA_FLAGS] = NAMED("flags", "What the sender is and wants", mka_flag_names, ETHER_MKA, FLAGS, 8),
    [ETHER_MKA_SCI] = FIELD("sci", "MAC address and port of the sender", ETHER_MKA, BYTES),
    [ETHER_MKA_NUMBER] = FIELD("number", "Number of the message", ETHER_MKA, UINT, 32),
    [ETHER_MKA_KEY_NAME] = FIELD("key_name", "Name of the key", ETHER_MKA, BYTES),
};

#define COMMAND(code, qualifier, name, class) {code, qualifier, name, FT_CLASS_##class, {0}, NULL}
#define SLOW(subtype, code, name, class) COMMAND(ETHER_SLOW, ETHER_QUALIFIER(subtype, code), name, class)
#define PPP(protocol, code, name, class) COMMAND(ETHER_PPPOE_SESSION, ETHER_QUALIFIER(protocol, code), name, class)
#define EAPOL(type, code, name, class) COMMAND(ETHER_EAPOL, ETHER_QUALIFIER(type, code), name, class)

/* RFC 1661: what all protocols that set up another one have. */
#define PPP_SETUP(protocol, name)                                                                  \
    PPP(protocol, 1, name "_configure_request", SESSION),                                          \
    PPP(protocol, 2, name "_configure_ack", SESSION),                                              \
    PPP(protocol, 3, name "_configure_nak", SESSION),                                              \
    PPP(protocol, 4, name "_configure_reject", SESSION),                                           \
    PPP(protocol, 5, name "_terminate_request", SESSION),                                          \
    PPP(protocol, 6, name "_terminate_ack", SESSION),                                              \
    PPP(protocol, 7, name "_code_reject", SESSION)

static const struct ft_command commands[] = {
    COMMAND(ETHER_WAKE, FT_ANY_QUALIFIER, "wake_on_lan", ADMIN),
    COMMAND(ETHER_CONTROL, PAUSE, "pause", SESSION),
    COMMAND(ETHER_CONTROL, PFC, "priority_flow_control", SESSION),
    COMMAND(ETHER_CONTROL, 2, "mpcp_gate", SESSION),
    COMMAND(ETHER_CONTROL, 3, "mpcp_report", SESSION),
    COMMAND(ETHER_CONTROL, 4, "mpcp_register_request", SESSION),
    COMMAND(ETHER_CONTROL, 5, "mpcp_register", SESSION),
    COMMAND(ETHER_CONTROL, 6, "mpcp_register_acknowledge", SESSION),
    COMMAND(ETHER_CONTROL, FT_ANY_QUALIFIER, "mac_control", UNKNOWN),
    COMMAND(ETHER_LOOPBACK, LOOP_REPLY, "loopback_reply", DIAGNOSTIC),
    COMMAND(ETHER_LOOPBACK, LOOP_FORWARD, "loopback_forward", DIAGNOSTIC),
    COMMAND(ETHER_LOOPBACK, FT_ANY_QUALIFIER, "loopback", DIAGNOSTIC),
    COMMAND(ETHER_SUPERVISION, NODE_DISCARD, "prp_supervision", DIAGNOSTIC),
    COMMAND(ETHER_SUPERVISION, NODE_ACCEPT, "prp_supervision_accept", DIAGNOSTIC),
    COMMAND(ETHER_SUPERVISION, NODE_HSR, "hsr_supervision", DIAGNOSTIC),
    COMMAND(ETHER_SUPERVISION, FT_ANY_QUALIFIER, "supervision", DIAGNOSTIC),
    SLOW(1, 0, "lacp", CONFIG),
    SLOW(2, 1, "marker", CONFIG),
    SLOW(2, 2, "marker_response", CONFIG),
    SLOW(2, 0, "marker_other", CONFIG),
    SLOW(3, 0, "oam_information", DIAGNOSTIC),
    SLOW(3, 1, "oam_event_notification", EVENT),
    SLOW(3, 2, "oam_variable_request", READ),
    SLOW(3, 3, "oam_variable_response", READ),
    SLOW(3, 4, "oam_loopback_control", CONFIG),
    SLOW(3, 0xfe, "oam_organisation", UNKNOWN),
    SLOW(10, 0, "slow_organisation", UNKNOWN),
    SLOW(10, 1, "esmc", DATA),
    COMMAND(ETHER_SLOW, FT_ANY_QUALIFIER, "slow_protocol", UNKNOWN),
    COMMAND(ETHER_PPPOE_DISCOVERY, 0x09, "padi", ADMIN),
    COMMAND(ETHER_PPPOE_DISCOVERY, 0x07, "pado", ADMIN),
    COMMAND(ETHER_PPPOE_DISCOVERY, 0x19, "padr", ADMIN),
    COMMAND(ETHER_PPPOE_DISCOVERY, 0x65, "pads", ADMIN),
    COMMAND(ETHER_PPPOE_DISCOVERY, 0xa7, "padt", ADMIN),
    COMMAND(ETHER_PPPOE_DISCOVERY, FT_ANY_QUALIFIER, "pppoe_discovery", UNKNOWN),
    PPP_SETUP(0xc021, "lcp"),
    PPP(0xc021, 8, "lcp_protocol_reject", SESSION),
    PPP(0xc021, 9, "lcp_echo_request", SESSION),
    PPP(0xc021, 10, "lcp_echo_reply", SESSION),
    PPP(0xc021, 11, "lcp_discard_request", SESSION),
    PPP(0xc021, 12, "lcp_identification", SESSION),
    PPP(0xc021, 13, "lcp_time_remaining", SESSION),
    PPP_SETUP(0x8021, "ipcp"),
    PPP_SETUP(0x8031, "bcp"),
    PPP_SETUP(0x8053, "ecp"),
    PPP_SETUP(0x8057, "ipv6cp"),
    PPP_SETUP(0x80fd, "ccp"),
    PPP_SETUP(0x8281, "mplscp"),
    PPP(0xc023, 1, "pap_request", AUTH),
    PPP(0xc023, 2, "pap_ack", AUTH),
    PPP(0xc023, 3, "pap_nak", AUTH),
    PPP(0xc025, 0, "link_quality_report", DIAGNOSTIC),
    PPP(0xc223, 1, "chap_challenge", AUTH),
    PPP(0xc223, 2, "chap_response", AUTH),
    PPP(0xc223, 3, "chap_success", AUTH),
    PPP(0xc223, 4, "chap_failure", AUTH),
    PPP(0xc227, 1, "ppp_eap_request", AUTH),
    PPP(0xc227, 2, "ppp_eap_response", AUTH),
    PPP(0xc227, 3, "ppp_eap_success", AUTH),
    PPP(0xc227, 4, "ppp_eap_failure", AUTH),
    COMMAND(ETHER_PPPOE_SESSION, FT_ANY_QUALIFIER, "ppp_data", DATA),
    EAPOL(0, 0, "eap", AUTH),
    EAPOL(0, 1, "eap_request", AUTH),
    EAPOL(0, 2, "eap_response", AUTH),
    EAPOL(0, 3, "eap_success", AUTH),
    EAPOL(0, 4, "eap_failure", AUTH),
    EAPOL(0, 5, "eap_initiate", AUTH),
    EAPOL(0, 6, "eap_finish", AUTH),
    EAPOL(1, 0, "eapol_start", AUTH),
    EAPOL(2, 0, "eapol_logoff", AUTH),
    EAPOL(3, 0, "eapol_key", AUTH),
    EAPOL(4, 0, "eapol_alert", EVENT),
    EAPOL(5, 0, "mka", SESSION),
    EAPOL(6, 0, "eapol_announcement", DATA),
    EAPOL(7, 0, "eapol_announcement_specific", DATA),
    EAPOL(8, 0, "eapol_announcement_request", SESSION),
    COMMAND(ETHER_EAPOL, FT_ANY_QUALIFIER, "eapol", UNKNOWN),
};

#define VIOLATION(name, title, category, mitre, severity, engine)                                  \
    {name, title, NULL, category, mitre, FT_SEVERITY_##severity, FT_ENGINE_##engine, 0, {0}}
#define ABNORMAL "Abnormal Communication Behavior"

static const struct ft_violation violations[] = {
    [ETHER_V_WAKE_PATTERN] = VIOLATION("wake_pattern", "Wake-on-LAN without the pattern that wakes", ABNORMAL, NULL, WARNING, PROTOCOL),
    [ETHER_V_CONTROL_ADDRESS] = VIOLATION("control_address", "Flow control to an address that it is not sent to", ABNORMAL, "T0814", MINOR, PROTOCOL),
    [ETHER_V_CONTROL_OPCODE] = VIOLATION("control_opcode", "MAC control with an opcode that is not assigned", ABNORMAL, NULL, WARNING, PROTOCOL),
    [ETHER_V_LOOP_FUNCTION] = VIOLATION("loopback_function", "Loop test with a function that does not exist", ABNORMAL, NULL, WARNING, PROTOCOL),
    [ETHER_V_LOOP_GROUP] = VIOLATION("loopback_group", "Loop test that is to be forwarded to a group", ABNORMAL, "T0814", MINOR, PROTOCOL),
    [ETHER_V_PRP_SENDER] = VIOLATION("supervision_sender", "A station tells of another as a node of a redundant network", ABNORMAL, "T0830", MINOR, PROTOCOL),
    [ETHER_V_PRP_LAN_LOST] = VIOLATION("lan_lost", "A node is no longer heard on one of both redundant LANs", "Operational issues", NULL, MINOR, OPERATIONAL),
    [ETHER_V_SLOW_ADDRESS] = VIOLATION("slow_address", "Slow protocol to an address that bridges forward", ABNORMAL, "T0830", MINOR, PROTOCOL),
    [ETHER_V_SLOW_SUBTYPE] = VIOLATION("slow_subtype", "Slow protocol of a subtype that is not assigned", ABNORMAL, NULL, WARNING, PROTOCOL),
    [ETHER_V_LACP_LENGTH] = VIOLATION("lacp_length", "Link aggregation value of a length that its type does not have", ABNORMAL, "T0814", MINOR, PROTOCOL),
    [ETHER_V_LACP_SYSTEM] = VIOLATION("lacp_system", "Link aggregation by a system that no station can be", ABNORMAL, "T0830", MINOR, PROTOCOL),
    [ETHER_V_LACP_LOOP] = VIOLATION("lacp_loop", "A system aggregates a link with itself: a loop", "Operational issues", NULL, MINOR, OPERATIONAL),
    [ETHER_V_LACP_LOST] = VIOLATION("lacp_lost", "A port has left its link aggregation", "Operational issues", NULL, WARNING, OPERATIONAL),
    [ETHER_V_OAM_LINK_FAULT] = VIOLATION("link_fault", "A station receives nothing on its link", "Operational issues", NULL, MINOR, OPERATIONAL),
    [ETHER_V_OAM_DYING_GASP] = VIOLATION("dying_gasp", "A station is failing, probably of power", "Operational issues", NULL, MAJOR, OPERATIONAL),
    [ETHER_V_OAM_CRITICAL] = VIOLATION("critical_event", "A station reports a critical event of its link", "Operational issues", NULL, MINOR, OPERATIONAL),
    [ETHER_V_OAM_ERRORS] = VIOLATION("link_errors", "A station reports too many errors on its link", "Operational issues", NULL, WARNING, OPERATIONAL),
    [ETHER_V_OAM_LOOPBACK] = VIOLATION("remote_loopback", "A link is taken out of service by a remote loop", ABNORMAL, "T0814", MINOR, POLICY),
    [ETHER_V_PPPOE_VERSION] = VIOLATION("pppoe_version", "PPPoE of a version that does not exist", ABNORMAL, NULL, WARNING, PROTOCOL),
    [ETHER_V_PPPOE_SESSION] = VIOLATION("pppoe_session", "PPPoE discovery with a session before there is one", ABNORMAL, NULL, WARNING, PROTOCOL),
    [ETHER_V_PPPOE_REFUSED] = VIOLATION("pppoe_refused", "A PPPoE session is refused", "Operational issues", NULL, WARNING, OPERATIONAL),
    [ETHER_V_CLEAR_TEXT] = VIOLATION("credential_clear_text", "Password sent in clear text over PPP", "Authentication", "T0842 T0859", MINOR, POLICY),
    [ETHER_V_LOGIN_FAILED] = VIOLATION("login_failed", "A station is refused by authentication", "Authentication", NULL, WARNING, OPERATIONAL),
    [ETHER_V_WEAK_EAP] = VIOLATION("weak_method", "Authentication by a method that whoever listens can break", "Authentication", "T0859", WARNING, POLICY),
};
/* clang-format on */

_Static_assert(sizeof(fields) / sizeof(fields[0]) == ETHER_FIELDS, "one row a field");
_Static_assert(sizeof(violations) / sizeof(violations[0]) == ETHER_VIOLATIONS, "one row each");
_Static_assert(sizeof(struct ft_ethernet_flow) <= FT_MAX_FLOW_STATE, "fits a flow");

static uint64_t mac_number(struct ft_view mac)
{
    return ft_u48be(&mac);
}

static uint64_t sender_of(const struct ft_context *ctx)
{
    return mac_number(ft_view_make(ctx->src_mac, MAC_LENGTH, false));
}

/* ---- Wake-on-LAN ---------------------------------------------------------------------------- */

/* The MAC address that the pattern at the start of the view repeats; empty when it is none. */
static struct ft_view wake_target(struct ft_view v)
{
    struct ft_view first = ft_sub(&v, MAC_LENGTH);
    for (unsigned i = 1; i < WAKE_TIMES; i++) {
        struct ft_view again = ft_sub(&v, MAC_LENGTH);
        if (!ft_view_ok(&v) || !ft_view_starts(&again, first.data, MAC_LENGTH))
            return ft_view_empty();
    }
    return first;
}

/* Adapters look for the pattern anywhere in the frame. */
static void read_wake(struct ft_context *ctx, struct ft_view *v)
{
    static const uint8_t sync[WAKE_SYNC] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    struct ft_view target = ft_view_empty();

    ft_ethernet_begin(ctx, FT_KIND_REQUEST, ETHER_WAKE, -1);
    while (!target.len && v->len >= WAKE_SYNC) {
        struct ft_view at = *v;
        ft_skip(&at, WAKE_SYNC);
        if (ft_view_starts(v, sync, sizeof(sync)))
            target = wake_target(at);
        ft_skip(v, target.len ? WAKE_SYNC + WAKE_TIMES * MAC_LENGTH : 1);
    }
    if (!target.len) {
        ft_rest(v);
        if (!v->is_cut)
            ft_violation(ctx, ETHER_V_WAKE_PATTERN, NULL);
        return;
    }
    ft_put_bytes(ctx, ETHER_WAKE_MAC, target);
    uint32_t password = v->len >= MAC_LENGTH ? MAC_LENGTH : v->len == 4 ? 4 : 0;
    if (password)
        ft_put_bytes(ctx, ETHER_WAKE_PASSWORD, ft_sub(v, password));
}

/* ---- MAC control ---------------------------------------------------------------------------- */

static void put_priorities(struct ft_context *ctx, struct ft_view *v)
{
    ft_put_uint(ctx, ETHER_CONTROL_CLASSES, ft_u16be(v) & 0xffu, v);
    if (!ft_wants(ctx, ETHER_CONTROL_TIMES))
        return;
    for (unsigned i = 0; i < PRIORITIES; i++)
        ft_put_uint(ctx, ETHER_CONTROL_TIMES, ft_u16be(v), v);
}

/* To the neighbour's address of MAC control, or that of a station. */
static bool is_control_address(const struct ft_context *ctx)
{
    static const uint8_t neighbour[MAC_LENGTH] = {0x01, 0x80, 0xc2, 0x00, 0x00, 0x01};
    return !(ctx->dst_mac[0] & 1) || !memcmp(ctx->dst_mac, neighbour, MAC_LENGTH);
}

static void read_control(struct ft_context *ctx, struct ft_view *v)
{
    int32_t code = ft_peek_u16be(v, 0);
    uint16_t opcode = code < 0 ? 0 : (uint16_t)code;
    bool is_mpcp = opcode >= MPCP_FIRST && opcode <= MPCP_LAST;

    ft_ethernet_begin(ctx, FT_KIND_UNSOLICITED, ETHER_CONTROL, opcode);
    ft_put_uint(ctx, ETHER_CONTROL_OPCODE, ft_u16be(v), v);
    if (!ft_view_ok(v))
        return;
    if (opcode == PAUSE)
        ft_put_uint(ctx, ETHER_CONTROL_QUANTA, ft_u16be(v), v);
    else if (opcode == PFC)
        put_priorities(ctx, v);
    else if (is_mpcp)
        ft_put_uint(ctx, ETHER_CONTROL_TIMESTAMP, ft_u32be(v), v);
    else if (opcode != CONTROL_EXTENSION)
        ft_violation(ctx, ETHER_V_CONTROL_OPCODE, v);
    if ((opcode == PAUSE || opcode == PFC) && !is_control_address(ctx))
        ft_violation(ctx, ETHER_V_CONTROL_ADDRESS, NULL);
}

/* ---- loop tests ----------------------------------------------------------------------------- */

static void read_loopback(struct ft_context *ctx, struct ft_view *v)
{
    int32_t skip = ft_peek_u16le(v, 0);
    int32_t function = skip < 0 ? -1 : ft_peek_u16le(v, 2 + (uint32_t)skip);

    ft_ethernet_begin(ctx, function == LOOP_FORWARD ? FT_KIND_REQUEST : FT_KIND_DATA,
                      ETHER_LOOPBACK, function);
    ft_put_uint(ctx, ETHER_LOOP_SKIP, ft_u16le(v), v);
    ft_skip(v, skip < 0 ? 0 : (uint32_t)skip);
    ft_put_uint(ctx, ETHER_LOOP_FUNCTION, ft_u16le(v), v);
    if (!ft_view_ok(v))
        return;
    if (function == LOOP_REPLY) {
        ft_put_uint(ctx, ETHER_LOOP_RECEIPT, ft_u16le(v), v);
    } else if (function == LOOP_FORWARD) {
        struct ft_view to = ft_sub(v, MAC_LENGTH);
        ft_put_bytes(ctx, ETHER_LOOP_FORWARD, to);
        if (ft_view_ok(v) && mac_number(to) >> 40 & 1)
            ft_violation(ctx, ETHER_V_LOOP_GROUP, v);
    } else {
        ft_violation(ctx, ETHER_V_LOOP_FUNCTION, v);
    }
}

/* ---- PRP, HSR ------------------------------------------------------------------------------- */

static bool is_node(uint8_t type)
{
    return type >= NODE_DISCARD && type <= NODE_HSR;
}

/* A node and who speaks for it. */
struct node {
    struct ft_view mac, redbox;
    uint8_t type;
};

static void put_nodes(struct ft_context *ctx, struct node *node, struct ft_view *v)
{
    node->mac = node->redbox = ft_view_empty();
    node->type = 0;
    while (v->len) {
        uint8_t type = ft_u8(v);
        struct ft_view value = ft_sub_u8(v);
        if (type == NODE_END || !ft_view_ok(v))
            break;
        struct ft_view mac = ft_sub(&value, MAC_LENGTH);
        if (!ft_view_ok(&value)) {
            ft_violation(ctx, FT_VIOLATION_MALFORMED, v);
            break;
        }
        if (is_node(type) && !node->mac.len) {
            node->mac = mac;
            node->type = type;
        }
        if (type == REDBOX)
            node->redbox = mac;
        ft_group_begin(ctx, ETHER_PRP_TLV);
        ft_put_uint(ctx, ETHER_PRP_TLV_TYPE, type, NULL);
        ft_put_bytes(ctx, ETHER_PRP_TLV_MAC, mac);
        ft_group_end(ctx, ETHER_PRP_TLV);
    }
}

static void tell_text(struct ft_context *ctx, struct ft_view mac, const char *text)
{
    ft_asset_of(ctx, mac, FT_FACT_DESCRIPTION, ft_view_make(text, (uint32_t)strlen(text), false));
}

/* A RedBox connects stations with one port; it speaks for each of them. */
static void tell_node(struct ft_context *ctx, const struct node *node)
{
    bool is_hsr = node->type == NODE_HSR;
    bool is_own = mac_number(node->mac) == sender_of(ctx);
    if (node->redbox.len) {
        tell_text(ctx, node->redbox, is_hsr ? "HSR RedBox" : "PRP RedBox");
        if (mac_number(node->redbox) == sender_of(ctx))
            ft_asset_role(ctx, FT_SENDER, FT_ROLE_SWITCH);
    }
    if (is_own && !node->redbox.len)
        tell_text(ctx, node->mac, is_hsr ? "HSR node" : "PRP node");
    else if (!node->redbox.len)
        ft_violation(ctx, ETHER_V_PRP_SENDER, NULL);
}

/*
 * A frame without a LAN's number says nothing: the port that is mirrored may be within the node. A
 * node that was only ever heard on one LAN is mirrored there only.
 */
static void check_lans(struct ft_context *ctx)
{
    struct ft_ethernet_flow *flow = ctx->flow_state;
    if (ctx->lan != LAN_A && ctx->lan != LAN_B)
        return;
    uint64_t *heard = &flow->heard_ns[ctx->lan - LAN_A];
    uint64_t other = flow->heard_ns[LAN_B - ctx->lan];
    bool was_silent = ctx->time_ns - *heard > LAN_SILENT_NS;
    bool is_lost = other && ctx->time_ns > other && ctx->time_ns - other > LAN_SILENT_NS;
    *heard = ctx->time_ns;
    /* Both were silent: then the first of them to be heard again says nothing of the other. */
    if (is_lost && !was_silent && !flow->is_lost)
        ft_violation(ctx, ETHER_V_PRP_LAN_LOST, NULL);
    flow->is_lost = is_lost && (flow->is_lost || !was_silent);
}

static void read_supervision(struct ft_context *ctx, struct ft_view *v)
{
    struct node node;
    int type = ft_peek_u8(v, 4);

    ft_ethernet_begin(ctx, FT_KIND_UNSOLICITED, ETHER_SUPERVISION, type);
    uint16_t path = ft_u16be(v);
    ft_put_uint(ctx, ETHER_PRP_PATH, path >> 12, v);
    ft_put_uint(ctx, ETHER_PRP_VERSION, path & 0xfffu, v);
    ft_put_uint(ctx, ETHER_PRP_SEQUENCE, ft_u16be(v), v);
    if (ctx->lan)
        ft_put_uint(ctx, ETHER_PRP_LAN, ctx->lan, NULL);
    put_nodes(ctx, &node, v);
    if (!ft_view_ok(v) || !node.mac.len)
        return;
    tell_node(ctx, &node);
    check_lans(ctx);
}

/* ---- the whole ------------------------------------------------------------------------------ */

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    switch (ctx->ethertype) {
    case ETHER_WAKE:
        read_wake(ctx, pdu);
        break;
    case ETHER_CONTROL:
        read_control(ctx, pdu);
        break;
    case ETHER_SLOW:
        ft_ethernet_slow(ctx, pdu);
        break;
    case ETHER_PPPOE_DISCOVERY:
        ft_ethernet_discovery(ctx, pdu);
        break;
    case ETHER_PPPOE_SESSION:
        ft_ethernet_session(ctx, pdu);
        break;
    case ETHER_EAPOL:
        ft_ethernet_eapol(ctx, pdu);
        break;
    case ETHER_SUPERVISION:
        read_supervision(ctx, pdu);
        break;
    case ETHER_LOOPBACK:
        read_loopback(ctx, pdu);
        break;
    default:
        break;
    }
}

const struct ft_dissector ft_dissector_ethernet = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "ethernet",
    .title = "Frames of Ethernet itself",
    .specification = "IEEE 802.3, 802.1AX, 802.1X, IEC 62439-3, RFC 1661, RFC 2516, RFC 3748",
    .carried_by = FT_TABLE(carriers),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .max_pdu = 1600,
    .flow_state_size = sizeof(struct ft_ethernet_flow),
    .flags = FT_DISSECTOR_CYCLIC,
    .dissect = dissect,
};
