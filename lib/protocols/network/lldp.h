/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of the LLDP dissector share: the numbers of its fields, and what a PDU said. */
#ifndef FT_PROTOCOLS_LLDP_H
#define FT_PROTOCOLS_LLDP_H

#include <fieldtap/dissector.h>

enum ft_lldp_field {
    LLDP = 0,
    LLDP_CHASSIS,
    LLDP_CHASSIS_SUBTYPE,
    LLDP_CHASSIS_ID,
    LLDP_PORT,
    LLDP_PORT_SUBTYPE,
    LLDP_PORT_ID,
    LLDP_PORT_DESCRIPTION,
    LLDP_TTL,
    LLDP_SYSTEM_NAME,
    LLDP_SYSTEM_DESCRIPTION,
    LLDP_CAPABILITIES,
    LLDP_ENABLED,
    LLDP_MANAGEMENT,
    LLDP_MANAGEMENT_FAMILY,
    LLDP_MANAGEMENT_ADDRESS,
    LLDP_MANAGEMENT_NUMBERING,
    LLDP_MANAGEMENT_INTERFACE,
    LLDP_MANAGEMENT_OID,
    LLDP_VLAN,
    LLDP_VLANS,
    LLDP_VLANS_ID,
    LLDP_VLANS_NAME,
    LLDP_VLANS_FLAGS,
    LLDP_PROTOCOL,
    LLDP_AGGREGATION,
    LLDP_AGGREGATION_STATUS,
    LLDP_AGGREGATION_PORT,
    LLDP_MAU,
    LLDP_MAU_AUTONEGOTIATION,
    LLDP_MAU_ADVERTISED,
    LLDP_MAU_TYPE,
    LLDP_POE,
    LLDP_POE_SUPPORT,
    LLDP_POE_PAIR,
    LLDP_POE_CLASS,
    LLDP_POE_REQUESTED,
    LLDP_POE_ALLOCATED,
    LLDP_MAX_FRAME,
    LLDP_EEE,
    LLDP_MED,
    LLDP_MED_CAPABILITIES,
    LLDP_MED_CLASS,
    LLDP_MED_POLICY,
    LLDP_MED_POLICY_APPLICATION,
    LLDP_MED_POLICY_TAGGED,
    LLDP_MED_POLICY_VLAN,
    LLDP_MED_POLICY_PRIORITY,
    LLDP_MED_POLICY_DSCP,
    LLDP_MED_LOCATION,
    LLDP_MED_LOCATION_FORMAT,
    LLDP_MED_LOCATION_DATA,
    LLDP_MED_POWER,
    LLDP_MED_POWER_TYPE,
    LLDP_MED_POWER_SOURCE,
    LLDP_MED_POWER_PRIORITY,
    LLDP_MED_POWER_WATT,
    LLDP_MED_HW,
    LLDP_MED_FW,
    LLDP_MED_SW,
    LLDP_MED_SERIAL,
    LLDP_MED_MFR,
    LLDP_MED_MODEL,
    LLDP_MED_ASSET,
    LLDP_PN,
    LLDP_PN_DELAY,
    LLDP_PN_PORT_STATUS,
    LLDP_PN_RT2_STATUS,
    LLDP_PN_ALIAS,
    LLDP_PN_MRP_DOMAIN,
    LLDP_PN_MRP_STATUS,
    LLDP_PN_CHASSIS_MAC,
    LLDP_PN_PTCP,
    LLDP_MUD_URL,
    LLDP_ORGANISATION,
    LLDP_ORGANISATION_OUI,
    LLDP_ORGANISATION_SUBTYPE,
    LLDP_ORGANISATION_DATA,
    LLDP_OTHER,
    LLDP_OTHER_TYPE,
    LLDP_OTHER_DATA,
    LLDP_FIELDS
};

/** What a PDU said that makes facts; empty views and zeros: nothing. */
struct ft_lldp {
    uint8_t chassis_subtype, port_subtype;
    struct ft_view chassis, port;
    struct ft_view mac; /* of the device, where PROFINET tells it apart from the port's */
    uint16_t ttl, enabled, capabilities;
    struct ft_view name, description, management; /* IPv4 or IPv6 bytes */
    struct ft_view hardware, firmware, software, serial, manufacturer, model;
    bool is_profinet;
};

/** Read the value of an organisation's TLV (type 127): OUI, subtype, data. */
void ft_lldp_organisation(struct ft_context *ctx, struct ft_lldp *said, struct ft_view *value);

/** The group that the fields of such a value stand in: LLDP, LLDP_MED or LLDP_PN. */
enum ft_lldp_field ft_lldp_organisation_group(struct ft_view value);

#endif
