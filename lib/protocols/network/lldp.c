/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * LLDP: what a port tells its neighbour about itself, every half a minute. A list of TLVs: type (7
 * bits), length (9 bits), value; first chassis, port and time to live, last type 0 (or nothing).
 *
 * Bridges never pass it on, so it is seen of the mirrored ports' own neighbours only.
 *
 * Specification: IEEE 802.1AB-2016; TIA-1057 (MED); IEC 61158-6-10 (PROFINET); RFC 8520 (MUD).
 */
#include "lldp.h"

#include "banner.h"
#include "repeated.h"

#include <stdio.h>

enum tlv {
    TLV_END = 0,
    TLV_CHASSIS,
    TLV_PORT,
    TLV_TTL,
    TLV_PORT_DESCRIPTION,
    TLV_SYSTEM_NAME,
    TLV_SYSTEM_DESCRIPTION,
    TLV_CAPABILITIES,
    TLV_MANAGEMENT,
    TLV_ORGANISATION = 127,
};

enum {
    SHUTDOWN = 0,
    ADVERTISEMENT = 1,
    CHASSIS_MAC = 4,
    CHASSIS_ADDRESS = 5,
    PORT_MAC = 3,
    PORT_ADDRESS = 4,
    LOCAL = 7, /* of chassis and port */
    FAMILY_IPV4 = 1,
    FAMILY_IPV6 = 2,
    FAMILY_MAC = 6,
    CAN_BRIDGE = 0x04,
    CAN_ROUTE = 0x10,
    IDENTITIES = 4,
};

/* Two agents may send from one port, a card's and the system's, and a switch from all its ports
 * with one address: those that come in this time are not one that becomes another. */
#define GETTING_TO_KNOW_NS (600 * 1000000000ull)

enum violation {
    V_ORDER = 0,
    V_DUPLICATE,
    V_LENGTH,
    V_CAPABILITIES,
    V_IDENTITY_CHANGED,
};

/* clang-format off */
static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_ETHERTYPE, .value = 0x88cc},
};

static const struct ft_name chassis_names[] = {
    {1, "component"}, {2, "interface_alias"}, {3, "port_component"}, {4, "mac"}, {5, "address"},
    {6, "interface_name"}, {7, "local"}, {0, NULL},
};

static const struct ft_name port_names[] = {
    {1, "interface_alias"}, {2, "port_component"}, {3, "mac"}, {4, "address"},
    {5, "interface_name"}, {6, "agent_circuit_id"}, {7, "local"}, {0, NULL},
};

static const struct ft_name capability_names[] = {
    {0x001, "other"}, {0x002, "repeater"}, {0x004, "bridge"}, {0x008, "wlan_access_point"},
    {0x010, "router"}, {0x020, "telephone"}, {0x040, "docsis"}, {0x080, "station_only"},
    {0x100, "c_vlan"}, {0x200, "s_vlan"}, {0x400, "tpmr"}, {0, NULL},
};

static const struct ft_name family_names[] = {
    {FAMILY_IPV4, "ipv4"}, {FAMILY_IPV6, "ipv6"}, {FAMILY_MAC, "mac"}, {0, NULL},
};

static const struct ft_name numbering_names[] = {
    {1, "unknown"}, {2, "if_index"}, {3, "system_port"}, {0, NULL},
};

static const struct ft_name vlan_flag_names[] = {
    {2, "supported"}, {4, "enabled"}, {0, NULL},
};

static const struct ft_name aggregation_names[] = {
    {1, "capable"}, {2, "aggregated"}, {0, NULL},
};

static const struct ft_name autonegotiation_names[] = {
    {1, "supported"}, {2, "enabled"}, {0, NULL},
};

/* RFC 4836 */
static const struct ft_name mau_names[] = {
    {5, "10base_t"}, {10, "10base_t_half"}, {11, "10base_t_full"}, {15, "100base_tx_half"},
    {16, "100base_tx_full"}, {17, "100base_fx_half"}, {18, "100base_fx_full"},
    {21, "1000base_x_half"}, {22, "1000base_x_full"}, {23, "1000base_lx_half"},
    {24, "1000base_lx_full"}, {25, "1000base_sx_half"}, {26, "1000base_sx_full"},
    {29, "1000base_t_half"}, {30, "1000base_t_full"}, {54, "10gbase_t"},
    {0, NULL},
};

static const struct ft_name med_capability_names[] = {
    {1, "capabilities"}, {2, "policy"}, {4, "location"}, {8, "power_source"},
    {16, "power_device"}, {32, "inventory"}, {0, NULL},
};

static const struct ft_name med_class_names[] = {
    {1, "endpoint_class_1"}, {2, "endpoint_class_2"}, {3, "endpoint_class_3"},
    {4, "network_connectivity"}, {0, NULL},
};

static const struct ft_name application_names[] = {
    {1, "voice"}, {2, "voice_signaling"}, {3, "guest_voice"}, {4, "guest_voice_signaling"},
    {5, "softphone"}, {6, "video_conferencing"}, {7, "streaming_video"}, {8, "video_signaling"},
    {0, NULL},
};

static const struct ft_name location_names[] = {
    {1, "coordinates"}, {2, "civic"}, {3, "elin"}, {0, NULL},
};

static const struct ft_name power_type_names[] = {
    {0, "source"}, {1, "device"}, {0, NULL},
};

static const struct ft_name power_priority_names[] = {
    {0, "unknown"}, {1, "critical"}, {2, "high"}, {3, "low"}, {0, NULL},
};

static const struct ft_name rt2_names[] = {
    {0, "off"}, {1, "synchronised_not_sending"}, {2, "sending"}, {0, NULL},
};

static const struct ft_field fields[] = {
    [LLDP] = {"lldp", "Neighbour discovery", NULL, 0, FT_TYPE_GROUP, 0, 0},
    [LLDP_CHASSIS] = {"chassis", "The device", NULL, LLDP, FT_TYPE_GROUP, 0, 0},
    [LLDP_CHASSIS_SUBTYPE] = {"subtype", "What the id is", chassis_names, LLDP_CHASSIS, FT_TYPE_ENUM, 0, 8},
    [LLDP_CHASSIS_ID] = {"id", "Id of the device", NULL, LLDP_CHASSIS, FT_TYPE_STRING, 0, 0},
    [LLDP_PORT] = {"port", "The port that sends", NULL, LLDP, FT_TYPE_GROUP, 0, 0},
    [LLDP_PORT_SUBTYPE] = {"subtype", "What the id is", port_names, LLDP_PORT, FT_TYPE_ENUM, 0, 8},
    [LLDP_PORT_ID] = {"id", "Id of the port", NULL, LLDP_PORT, FT_TYPE_STRING, 0, 0},
    [LLDP_PORT_DESCRIPTION] = {"description", "Description of the port", NULL, LLDP_PORT, FT_TYPE_STRING, 0, 0},
    [LLDP_TTL] = {"ttl", "Seconds that this holds; 0: the port closes", NULL, LLDP, FT_TYPE_UINT, 0, 16},
    [LLDP_SYSTEM_NAME] = {"sysname", "Name of the device", NULL, LLDP, FT_TYPE_STRING, 0, 0},
    [LLDP_SYSTEM_DESCRIPTION] = {"sysdescr", "Description of the device", NULL, LLDP, FT_TYPE_STRING, 0, 0},
    [LLDP_CAPABILITIES] = {"capabilities", "What the device can be", capability_names, LLDP, FT_TYPE_FLAGS, 0, 16},
    [LLDP_ENABLED] = {"enabled", "What the device is", capability_names, LLDP, FT_TYPE_FLAGS, 0, 16},
    [LLDP_MANAGEMENT] = {"management", "Address for management", NULL, LLDP, FT_TYPE_GROUP, FT_FIELD_LIST, 0},
    [LLDP_MANAGEMENT_FAMILY] = {"family", "What the address is", family_names, LLDP_MANAGEMENT, FT_TYPE_ENUM, 0, 8},
    [LLDP_MANAGEMENT_ADDRESS] = {"address", "Address", NULL, LLDP_MANAGEMENT, FT_TYPE_STRING, 0, 0},
    [LLDP_MANAGEMENT_NUMBERING] = {"numbering", "What the interface's number is", numbering_names, LLDP_MANAGEMENT, FT_TYPE_ENUM, 0, 8},
    [LLDP_MANAGEMENT_INTERFACE] = {"interface", "Number of the interface", NULL, LLDP_MANAGEMENT, FT_TYPE_UINT, 0, 32},
    [LLDP_MANAGEMENT_OID] = {"oid", "Object identifier of the hardware", NULL, LLDP_MANAGEMENT, FT_TYPE_BYTES, 0, 0},
    [LLDP_VLAN] = {"vlan", "VLAN of untagged frames", NULL, LLDP, FT_TYPE_UINT, 0, 16},
    [LLDP_VLANS] = {"vlans", "A VLAN of the port", NULL, LLDP, FT_TYPE_GROUP, FT_FIELD_LIST, 0},
    [LLDP_VLANS_ID] = {"id", "VLAN", NULL, LLDP_VLANS, FT_TYPE_UINT, 0, 16},
    [LLDP_VLANS_NAME] = {"name", "Its name", NULL, LLDP_VLANS, FT_TYPE_STRING, 0, 0},
    [LLDP_VLANS_FLAGS] = {"flags", "Of a VLAN by protocol", vlan_flag_names, LLDP_VLANS, FT_TYPE_FLAGS, 0, 8},
    [LLDP_PROTOCOL] = {"protocol", "First bytes of a protocol of the port", NULL, LLDP, FT_TYPE_BYTES, FT_FIELD_LIST, 0},
    [LLDP_AGGREGATION] = {"aggregation", "Link aggregation", NULL, LLDP, FT_TYPE_GROUP, FT_FIELD_LIST, 0},
    [LLDP_AGGREGATION_STATUS] = {"status", "Status", aggregation_names, LLDP_AGGREGATION, FT_TYPE_FLAGS, 0, 8},
    [LLDP_AGGREGATION_PORT] = {"port", "Number of the aggregated port", NULL, LLDP_AGGREGATION, FT_TYPE_UINT, 0, 32},
    [LLDP_MAU] = {"mau", "The medium", NULL, LLDP, FT_TYPE_GROUP, 0, 0},
    [LLDP_MAU_AUTONEGOTIATION] = {"autonegotiation", "Autonegotiation", autonegotiation_names, LLDP_MAU, FT_TYPE_FLAGS, 0, 8},
    [LLDP_MAU_ADVERTISED] = {"advertised", "Bits of the capabilities that are offered", NULL, LLDP_MAU, FT_TYPE_UINT, 0, 16},
    [LLDP_MAU_TYPE] = {"type", "Speed and duplex now", mau_names, LLDP_MAU, FT_TYPE_ENUM, 0, 16},
    [LLDP_POE] = {"poe", "Power over the line", NULL, LLDP, FT_TYPE_GROUP, 0, 0},
    [LLDP_POE_SUPPORT] = {"support", "Bits: source, supported, enabled, pairs controllable", NULL, LLDP_POE, FT_TYPE_UINT, 0, 8},
    [LLDP_POE_PAIR] = {"pair", "Pair that has the power", NULL, LLDP_POE, FT_TYPE_UINT, 0, 8},
    [LLDP_POE_CLASS] = {"class", "Class of power, one more than in the standard", NULL, LLDP_POE, FT_TYPE_UINT, 0, 8},
    [LLDP_POE_REQUESTED] = {"requested", "Watts that the device wants", NULL, LLDP_POE, FT_TYPE_FLOAT, 0, 0},
    [LLDP_POE_ALLOCATED] = {"allocated", "Watts that the source grants", NULL, LLDP_POE, FT_TYPE_FLOAT, 0, 0},
    [LLDP_MAX_FRAME] = {"max_frame", "Longest frame", NULL, LLDP, FT_TYPE_UINT, 0, 16},
    [LLDP_EEE] = {"eee", "Energy efficient Ethernet: wake-up times", NULL, LLDP, FT_TYPE_BYTES, 0, 0},
    [LLDP_MED] = {"med", "Media endpoints", NULL, LLDP, FT_TYPE_GROUP, 0, 0},
    [LLDP_MED_CAPABILITIES] = {"capabilities", "Parts of MED", med_capability_names, LLDP_MED, FT_TYPE_FLAGS, 0, 16},
    [LLDP_MED_CLASS] = {"class", "Class of the device", med_class_names, LLDP_MED, FT_TYPE_ENUM, 0, 8},
    [LLDP_MED_POLICY] = {"policy", "Network policy", NULL, LLDP_MED, FT_TYPE_GROUP, FT_FIELD_LIST, 0},
    [LLDP_MED_POLICY_APPLICATION] = {"application", "For what", application_names, LLDP_MED_POLICY, FT_TYPE_ENUM, 0, 8},
    [LLDP_MED_POLICY_TAGGED] = {"tagged", "With a VLAN tag", NULL, LLDP_MED_POLICY, FT_TYPE_BOOL, 0, 0},
    [LLDP_MED_POLICY_VLAN] = {"vlan", "VLAN", NULL, LLDP_MED_POLICY, FT_TYPE_UINT, 0, 12},
    [LLDP_MED_POLICY_PRIORITY] = {"priority", "Priority in the tag", NULL, LLDP_MED_POLICY, FT_TYPE_UINT, 0, 3},
    [LLDP_MED_POLICY_DSCP] = {"dscp", "Differentiated services code point", NULL, LLDP_MED_POLICY, FT_TYPE_UINT, 0, 6},
    [LLDP_MED_LOCATION] = {"location", "Where the device is", NULL, LLDP_MED, FT_TYPE_GROUP, FT_FIELD_LIST, 0},
    [LLDP_MED_LOCATION_FORMAT] = {"format", "Form of the data", location_names, LLDP_MED_LOCATION, FT_TYPE_ENUM, 0, 8},
    [LLDP_MED_LOCATION_DATA] = {"data", "Location", NULL, LLDP_MED_LOCATION, FT_TYPE_BYTES, 0, 0},
    [LLDP_MED_POWER] = {"power", "Power of the endpoint", NULL, LLDP_MED, FT_TYPE_GROUP, 0, 0},
    [LLDP_MED_POWER_TYPE] = {"type", "Source or device", power_type_names, LLDP_MED_POWER, FT_TYPE_ENUM, 0, 2},
    [LLDP_MED_POWER_SOURCE] = {"source", "Where the power comes from", NULL, LLDP_MED_POWER, FT_TYPE_UINT, 0, 2},
    [LLDP_MED_POWER_PRIORITY] = {"priority", "Priority", power_priority_names, LLDP_MED_POWER, FT_TYPE_ENUM, 0, 4},
    [LLDP_MED_POWER_WATT] = {"watt", "Watts", NULL, LLDP_MED_POWER, FT_TYPE_FLOAT, 0, 0},
    [LLDP_MED_HW] = {"hw", "Hardware revision", NULL, LLDP_MED, FT_TYPE_STRING, 0, 0},
    [LLDP_MED_FW] = {"fw", "Firmware revision", NULL, LLDP_MED, FT_TYPE_STRING, 0, 0},
    [LLDP_MED_SW] = {"sw", "Software revision", NULL, LLDP_MED, FT_TYPE_STRING, 0, 0},
    [LLDP_MED_SERIAL] = {"serial", "Serial number", NULL, LLDP_MED, FT_TYPE_STRING, 0, 0},
    [LLDP_MED_MFR] = {"mfr", "Manufacturer", NULL, LLDP_MED, FT_TYPE_STRING, 0, 0},
    [LLDP_MED_MODEL] = {"model", "Model", NULL, LLDP_MED, FT_TYPE_STRING, 0, 0},
    [LLDP_MED_ASSET] = {"asset", "Asset number of the owner", NULL, LLDP_MED, FT_TYPE_STRING, 0, 0},
    [LLDP_PN] = {"pn", "PROFINET", NULL, LLDP, FT_TYPE_GROUP, 0, 0},
    [LLDP_PN_DELAY] = {"delay", "Delays of the port and the cable", NULL, LLDP_PN, FT_TYPE_BYTES, 0, 0},
    [LLDP_PN_PORT_STATUS] = {"rtclass3", "Isochronous real time of the port", NULL, LLDP_PN, FT_TYPE_UINT, 0, 16},
    [LLDP_PN_RT2_STATUS] = {"rtclass2", "Class 2 of the port", rt2_names, LLDP_PN, FT_TYPE_ENUM, 0, 16},
    [LLDP_PN_ALIAS] = {"alias", "Name of the port's neighbour", NULL, LLDP_PN, FT_TYPE_STRING, 0, 0},
    [LLDP_PN_MRP_DOMAIN] = {"mrp_domain", "UUID of the ring", NULL, LLDP_PN, FT_TYPE_BYTES, 0, 0},
    [LLDP_PN_MRP_STATUS] = {"mrp_status", "Status of the port in the ring", NULL, LLDP_PN, FT_TYPE_UINT, 0, 16},
    [LLDP_PN_CHASSIS_MAC] = {"chassis_mac", "MAC address of the device", NULL, LLDP_PN, FT_TYPE_MAC, 0, 0},
    [LLDP_PN_PTCP] = {"ptcp", "Clock master, subdomain and IR data", NULL, LLDP_PN, FT_TYPE_BYTES, 0, 0},
    [LLDP_MUD_URL] = {"mud_url", "Where the manufacturer describes what the device may do", NULL, LLDP, FT_TYPE_STRING, 0, 0},
    [LLDP_ORGANISATION] = {"organisation", "TLV of an organisation that is not read", NULL, LLDP, FT_TYPE_GROUP, FT_FIELD_LIST, 0},
    [LLDP_ORGANISATION_OUI] = {"oui", "Organisation", NULL, LLDP_ORGANISATION, FT_TYPE_UINT, 0, 24},
    [LLDP_ORGANISATION_SUBTYPE] = {"subtype", "Subtype", NULL, LLDP_ORGANISATION, FT_TYPE_UINT, 0, 8},
    [LLDP_ORGANISATION_DATA] = {"data", "Data", NULL, LLDP_ORGANISATION, FT_TYPE_BYTES, 0, 0},
    [LLDP_OTHER] = {"other", "TLV of a type that is not assigned", NULL, LLDP, FT_TYPE_GROUP, FT_FIELD_LIST, 0},
    [LLDP_OTHER_TYPE] = {"type", "Type", NULL, LLDP_OTHER, FT_TYPE_UINT, 0, 8},
    [LLDP_OTHER_DATA] = {"data", "Data", NULL, LLDP_OTHER, FT_TYPE_BYTES, 0, 0},
};

static const struct ft_command commands[] = {
    {SHUTDOWN, FT_ANY_QUALIFIER, "shutdown", FT_CLASS_EVENT, {0}, NULL},
    {ADVERTISEMENT, FT_ANY_QUALIFIER, "advertisement", FT_CLASS_DATA, {0}, NULL},
};

#define VIOLATION(name, title, mitre, severity)                                                    \
    {name, title, NULL, "Abnormal Communication Behavior", mitre, FT_SEVERITY_##severity,          \
     FT_ENGINE_PROTOCOL, 0, {0}}

static const struct ft_violation violations[] = {
    VIOLATION("order", "LLDP does not begin with chassis, port and time to live", "T0814", MINOR),
    VIOLATION("duplicate", "LLDP states twice what may be stated once", "T0814", MINOR),
    VIOLATION("length", "LLDP value of a length that its type does not have", "T0814", MINOR),
    VIOLATION("capabilities", "LLDP neighbour is what it says that it cannot be", NULL, WARNING),
    {"identity_changed", "LLDP neighbour changed its identity", "P39", "Configuration changes",
     "T0842", FT_SEVERITY_MAJOR, FT_ENGINE_POLICY, 1, {0}},
};
/* clang-format on */

_Static_assert(sizeof(fields) / sizeof(fields[0]) == LLDP_FIELDS, "one row a field");
_Static_assert(sizeof(violations) / sizeof(violations[0]) == V_IDENTITY_CHANGED + 1,
               "one row a violation");

/* Kept of a sender. */
struct neighbour {
    struct repeated repeated;
    uint64_t identities[IDENTITIES]; /* hashes of chassis and port, 0 = none */
    uint64_t first_ns;
    uint64_t next;
};

_Static_assert(sizeof(struct neighbour) <= FT_MAX_FLOW_STATE, "fits a flow");

/* ---- texts ---------------------------------------------------------------------------------- */

#define TEXT_SIZE 64

static uint32_t mac_text(char text[TEXT_SIZE], struct ft_view v)
{
    uint64_t mac = ft_u48be(&v);
    return (uint32_t)snprintf(text, TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x",
                              (unsigned)(mac >> 40) & 0xff, (unsigned)(mac >> 32) & 0xff,
                              (unsigned)(mac >> 24) & 0xff, (unsigned)(mac >> 16) & 0xff,
                              (unsigned)(mac >> 8) & 0xff, (unsigned)mac & 0xff);
}

static uint32_t ipv4_text(char text[TEXT_SIZE], struct ft_view v)
{
    uint32_t ip = ft_u32be(&v);
    return (uint32_t)snprintf(text, TEXT_SIZE, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 0xff,
                              ip >> 8 & 0xff, ip & 0xff);
}

static uint32_t ipv6_text(char text[TEXT_SIZE], struct ft_view v)
{
    uint32_t n = 0;
    for (unsigned i = 0; i < 8; i++)
        n += (uint32_t)snprintf(text + n, TEXT_SIZE - n, "%s%x", i ? ":" : "", ft_u16be(&v));
    return n;
}

/* An address of a family as text; 0 when it is no address that is written in a way of its own. */
static uint32_t address_text(char text[TEXT_SIZE], uint8_t family, struct ft_view address)
{
    if (family == FAMILY_IPV4 && address.len == 4)
        return ipv4_text(text, address);
    if (family == FAMILY_IPV6 && address.len == 16)
        return ipv6_text(text, address);
    if (family == FAMILY_MAC && address.len == 6)
        return mac_text(text, address);
    return 0;
}

static void put_address(struct ft_context *ctx, uint32_t field, uint8_t family,
                        struct ft_view address)
{
    char text[TEXT_SIZE];
    if (!ft_wants(ctx, field))
        return;
    uint32_t n = address_text(text, family, address);
    struct ft_view at = address;
    ft_skip(&at, at.len);
    if (n)
        ft_put_text(ctx, field, text, n, &at);
    else
        ft_put_string(ctx, field, address);
}

/* ---- TLVs ----------------------------------------------------------------------------------- */

static bool is_mac(const struct ft_lldp *said, bool is_chassis)
{
    return is_chassis ? said->chassis_subtype == CHASSIS_MAC : said->port_subtype == PORT_MAC;
}

static void read_chassis(struct ft_context *ctx, struct ft_lldp *said, struct ft_view *v)
{
    said->chassis_subtype = ft_u8(v);
    ft_put_uint(ctx, LLDP_CHASSIS_SUBTYPE, said->chassis_subtype, v);
    uint8_t family = is_mac(said, true)                         ? FAMILY_MAC
                     : said->chassis_subtype == CHASSIS_ADDRESS ? ft_u8(v)
                                                                : 0;
    said->chassis = ft_rest(v);
    put_address(ctx, LLDP_CHASSIS_ID, family, said->chassis);
}

static void read_port(struct ft_context *ctx, struct ft_lldp *said, struct ft_view *v)
{
    said->port_subtype = ft_u8(v);
    ft_put_uint(ctx, LLDP_PORT_SUBTYPE, said->port_subtype, v);
    uint8_t family = is_mac(said, false)                  ? FAMILY_MAC
                     : said->port_subtype == PORT_ADDRESS ? ft_u8(v)
                                                          : 0;
    said->port = ft_rest(v);
    put_address(ctx, LLDP_PORT_ID, family, said->port);
}

static void read_capabilities(struct ft_context *ctx, struct ft_lldp *said, struct ft_view *v)
{
    said->capabilities = ft_u16be(v);
    ft_put_uint(ctx, LLDP_CAPABILITIES, said->capabilities, v);
    said->enabled = ft_u16be(v);
    ft_put_uint(ctx, LLDP_ENABLED, said->enabled, v);
}

/* Of several management addresses the first IPv4 address is told, else the first IPv6 address. */
static void keep_management(struct ft_lldp *said, uint8_t family, struct ft_view address)
{
    bool is_v4 = family == FAMILY_IPV4 && address.len == 4;
    bool is_v6 = family == FAMILY_IPV6 && address.len == 16;
    if ((is_v4 && said->management.len != 4) || (is_v6 && !said->management.len))
        said->management = address;
}

static void read_management(struct ft_context *ctx, struct ft_lldp *said, struct ft_view *v)
{
    ft_group_begin(ctx, LLDP_MANAGEMENT);
    struct ft_view address = ft_sub_u8(v);
    uint8_t family = ft_u8(&address);
    ft_put_uint(ctx, LLDP_MANAGEMENT_FAMILY, family, &address);
    put_address(ctx, LLDP_MANAGEMENT_ADDRESS, family, address);
    ft_put_uint(ctx, LLDP_MANAGEMENT_NUMBERING, ft_u8(v), v);
    ft_put_uint(ctx, LLDP_MANAGEMENT_INTERFACE, ft_u32be(v), v);
    struct ft_view oid = ft_sub_u8(v);
    if (oid.len)
        ft_put_bytes(ctx, LLDP_MANAGEMENT_OID, oid);
    ft_group_end(ctx, LLDP_MANAGEMENT);
    if (ft_view_ok(v) && ft_view_ok(&address))
        keep_management(said, family, address);
}

static struct ft_view put_text(struct ft_context *ctx, uint32_t field, struct ft_view *v)
{
    struct ft_view text = ft_rest(v);
    ft_put_string(ctx, field, text);
    return text;
}

static void put_other(struct ft_context *ctx, uint8_t type, struct ft_view *v)
{
    ft_group_begin(ctx, LLDP_OTHER);
    ft_put_uint(ctx, LLDP_OTHER_TYPE, type, NULL);
    ft_put_bytes(ctx, LLDP_OTHER_DATA, ft_rest(v));
    ft_group_end(ctx, LLDP_OTHER);
}

static void read_value(struct ft_context *ctx, struct ft_lldp *said, uint8_t type,
                       struct ft_view *v)
{
    switch (type) {
    case TLV_CHASSIS:
        read_chassis(ctx, said, v);
        break;
    case TLV_PORT:
        read_port(ctx, said, v);
        break;
    case TLV_TTL:
        said->ttl = ft_u16be(v);
        ft_put_uint(ctx, LLDP_TTL, said->ttl, v);
        break;
    case TLV_PORT_DESCRIPTION:
        put_text(ctx, LLDP_PORT_DESCRIPTION, v);
        break;
    case TLV_SYSTEM_NAME:
        said->name = put_text(ctx, LLDP_SYSTEM_NAME, v);
        break;
    case TLV_SYSTEM_DESCRIPTION:
        said->description = put_text(ctx, LLDP_SYSTEM_DESCRIPTION, v);
        break;
    case TLV_CAPABILITIES:
        read_capabilities(ctx, said, v);
        break;
    case TLV_MANAGEMENT:
        read_management(ctx, said, v);
        break;
    case TLV_ORGANISATION:
        ft_lldp_organisation(ctx, said, v);
        break;
    default:
        put_other(ctx, type, v);
    }
}

/* ---- what can be wrong ---------------------------------------------------------------------- */

/* Lengths that the standard gives; organisations' are theirs, but for OUI and subtype. */
static bool is_length(uint8_t type, uint32_t n)
{
    switch (type) {
    case TLV_CHASSIS:
    case TLV_PORT:
        return n >= 2 && n <= 256;
    case TLV_TTL:
        return n >= 2;
    case TLV_PORT_DESCRIPTION:
    case TLV_SYSTEM_NAME:
    case TLV_SYSTEM_DESCRIPTION:
        return n <= 255;
    case TLV_CAPABILITIES:
        return n == 4;
    case TLV_MANAGEMENT:
        return n >= 9 && n <= 167;
    case TLV_ORGANISATION:
        return n >= 4;
    default:
        return true;
    }
}

/* `place` is the number of the TLV in the list, `seen` the types before it. */
static void check_value(struct ft_context *ctx, uint8_t type, uint32_t place, uint32_t seen,
                        const struct ft_view *value, const struct ft_view *at)
{
    bool is_in_order = place < 3 ? type == place + 1 : type == TLV_END || type > TLV_TTL;
    bool is_again = type <= TLV_CAPABILITIES && seen >> type & 1;
    if (is_again)
        ft_violation(ctx, V_DUPLICATE, at);
    else if (!is_in_order)
        ft_violation(ctx, V_ORDER, at);
    if (!is_length(type, value->len) && ft_view_ok(value))
        ft_violation(ctx, V_LENGTH, at);
}

/* ---- what it says of the sender ------------------------------------------------------------- */

static void check_identity(struct ft_context *ctx, struct neighbour *n, const struct ft_lldp *said)
{
    uint64_t identity = repeated_hash(said->chassis) * 31 + repeated_hash(said->port);
    if (!n->next)
        n->first_ns = ctx->time_ns;
    for (unsigned i = 0; i < IDENTITIES; i++)
        if (n->identities[i] == identity)
            return;
    n->identities[n->next++ % IDENTITIES] = identity;
    if (ctx->time_ns - n->first_ns > GETTING_TO_KNOW_NS)
        ft_violation(ctx, V_IDENTITY_CHANGED, &said->chassis);
}

/*
 * PROFINET has the name of the station behind the port's ("port-001.conveyor-3"), or, in its older
 * form, as the chassis id; in the newer one that is a text with blanks.
 */
static struct ft_view station_name(const struct ft_lldp *said)
{
    struct ft_view name = said->port;
    int32_t dot = ft_banner_find(name, ".");
    if (said->port_subtype == LOCAL && dot >= 0) {
        ft_skip(&name, (uint32_t)dot + 1);
        return name;
    }
    bool is_name = said->chassis_subtype == LOCAL && ft_banner_find(said->chassis, " ") < 0;
    return is_name ? said->chassis : ft_view_empty();
}

/* The MAC address of the device, when it is not that of the port that sends; else empty. */
static struct ft_view device_of(const struct ft_context *ctx, const struct ft_lldp *said)
{
    bool has_mac = said->chassis_subtype == CHASSIS_MAC && said->chassis.len == 6;
    struct ft_view mac = has_mac ? said->chassis : said->mac, number = mac;
    bool is_station = mac.len == 6 && !(ft_peek_u8(&mac, 0) & 1) && ft_u48be(&number);
    return is_station && !ft_view_starts(&mac, ctx->src_mac, 6) ? mac : ft_view_empty();
}

static bool has_name(const struct ft_lldp *said)
{
    return said->name.len && !ft_view_starts(&said->name, "sysName Not Set", 15);
}

static void tell_name(struct ft_context *ctx, struct ft_view of, const struct ft_lldp *said)
{
    if (has_name(said))
        ft_banner_say(ctx, of, FT_FACT_NAME, said->name);
    else if (said->is_profinet)
        ft_banner_say(ctx, of, FT_FACT_NAME, station_name(said));
}

static uint32_t tell_inventory(struct ft_context *ctx, struct ft_view of,
                               const struct ft_lldp *said)
{
    const struct {
        enum ft_fact fact;
        struct ft_view text;
    } facts[] = {
        {FT_FACT_HARDWARE, said->hardware},
        {FT_FACT_FIRMWARE, said->firmware.len ? said->firmware : said->software},
        {FT_FACT_SERIAL, said->serial},
        {FT_FACT_VENDOR, said->manufacturer},
        {FT_FACT_MODEL, said->model},
    };
    uint32_t known = 0;
    for (unsigned i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        if (!facts[i].text.len)
            continue;
        ft_banner_say(ctx, of, facts[i].fact, facts[i].text);
        known |= 1u << facts[i].fact;
    }
    return known;
}

/*
 * The address for management joins what is said here with what the device does with that address,
 * unless it has another MAC address there; then it has its name from here all the same.
 */
static void tell_management(struct ft_context *ctx, struct ft_view of, const struct ft_lldp *said)
{
    char text[TEXT_SIZE];
    uint8_t family = said->management.len == 4 ? FAMILY_IPV4 : FAMILY_IPV6;
    struct ft_view sender = ft_view_make(ctx->src_mac, sizeof(ctx->src_mac), false);
    if (!address_text(text, family, said->management))
        return;
    ft_banner_say_text(ctx, of, FT_FACT_MANAGEMENT, text);
    ft_asset_management(ctx, said->management, of.len ? of : sender);
    if (has_name(said))
        ft_asset_of(ctx, said->management, FT_FACT_NAME, said->name);
}

static void tell(struct ft_context *ctx, const struct ft_lldp *said)
{
    struct ft_view of = device_of(ctx, said);
    ft_asset_port(ctx, of, ft_view_make(ctx->src_mac, sizeof(ctx->src_mac), false));
    tell_name(ctx, of, said);
    uint32_t known = tell_inventory(ctx, of, said);
    if (said->description.len)
        ft_banner_tell(ctx, of, said->description, known);
    tell_management(ctx, of, said);
    if (said->enabled & CAN_BRIDGE)
        ft_banner_say_text(ctx, of, FT_FACT_ROLE, "switch");
    if (said->enabled & CAN_ROUTE)
        ft_banner_say_text(ctx, of, FT_FACT_ROLE, "router");
}

/* ---- the whole ------------------------------------------------------------------------------ */

/* The time to live, where it should stand; -1 when it does not. */
static int32_t peek_ttl(struct ft_view v)
{
    for (unsigned type = TLV_CHASSIS; type < TLV_TTL; type++) {
        uint16_t header = ft_u16be(&v);
        if (header >> 9 != type || !ft_skip(&v, header & 0x1ff))
            return -1;
    }
    return ft_peek_u16be(&v, 0) == (TLV_TTL << 9 | 2) ? ft_peek_u16be(&v, 2) : -1;
}

/* Fields of one group are put together, in whatever order the TLVs come. */
enum part {
    PART_IDENTITY = 0, /* chassis, port */
    PART_SYSTEM,
    PART_MED,
    PART_PROFINET,
    PARTS,
};

static enum part part_of(uint8_t type, const struct ft_view *value)
{
    if (type == TLV_CHASSIS || type == TLV_PORT || type == TLV_PORT_DESCRIPTION)
        return PART_IDENTITY;
    enum ft_lldp_field group = type == TLV_ORGANISATION ? ft_lldp_organisation_group(*value) : LLDP;
    return group == LLDP_MED ? PART_MED : group == LLDP_PN ? PART_PROFINET : PART_SYSTEM;
}

/* One way through the list. `is_checked`: the first, on which its form is looked at. */
static void read_part(struct ft_context *ctx, struct ft_lldp *said, enum part part, bool is_checked,
                      struct ft_view *pdu)
{
    uint32_t seen = 0;
    for (uint32_t place = 0; pdu->len; place++) {
        uint16_t header = ft_u16be(pdu);
        struct ft_view at = *pdu;
        uint8_t type = (uint8_t)(header >> 9);
        struct ft_view value = ft_sub(pdu, header & 0x1ff);
        if (is_checked)
            check_value(ctx, type, place, seen, &value, &at);
        if (type == TLV_END || !ft_view_ok(pdu))
            break;
        seen |= type < 32 ? 1u << type : 0;
        if (part_of(type, &value) != part)
            continue;
        read_value(ctx, said, type, &value);
        if (ft_view_is_malformed(&value))
            ft_violation(ctx, FT_VIOLATION_MALFORMED, &at);
    }
}

static void read_list(struct ft_context *ctx, struct ft_lldp *said, bool is_new,
                      struct ft_view *pdu)
{
    struct ft_view all = *pdu;
    for (unsigned part = 0; part < PARTS; part++) {
        *pdu = all;
        read_part(ctx, said, (enum part)part, is_new && part == 0, pdu);
    }
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    struct neighbour *n = ctx->flow_state;
    struct ft_lldp said = {.chassis = ft_view_empty(), .port = ft_view_empty()};
    struct ft_view all = *pdu;
    bool is_new = !is_repeated(&n->repeated, ctx->time_ns, all);
    int32_t ttl = peek_ttl(all);

    said.name = said.description = said.management = said.mac = ft_view_empty();
    said.hardware = said.firmware = said.software = ft_view_empty();
    said.serial = said.manufacturer = said.model = ft_view_empty();
    ft_set_kind(ctx, ttl == 0 ? FT_KIND_UNSOLICITED : FT_KIND_DATA);
    ft_command(ctx, ttl == 0 ? SHUTDOWN : ADVERTISEMENT, FT_ANY_QUALIFIER);
    read_list(ctx, &said, is_new, pdu);
    if (!is_new || !said.chassis.len || !said.port.len)
        return;
    if (said.enabled & ~said.capabilities)
        ft_violation(ctx, V_CAPABILITIES, NULL);
    if (ttl != 0) {
        check_identity(ctx, n, &said);
        tell(ctx, &said);
    }
}

const struct ft_dissector ft_dissector_lldp = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "lldp",
    .title = "LLDP",
    .specification = "IEEE 802.1AB-2016, TIA-1057, IEC 61158-6-10, RFC 8520",
    .carried_by = FT_TABLE(carriers),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .max_pdu = 2048,
    .flow_state_size = sizeof(struct neighbour),
    .flags = FT_DISSECTOR_CYCLIC | FT_DISSECTOR_UNANSWERED,
    .dissect = dissect,
};
