/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * LLDP's TLVs of organisations: IEEE 802.1 and 802.3, MED (TIA-1057), PROFINET (IEC 61158-6-10),
 * and the MUD URL of IANA (RFC 8520). Others are kept as they are.
 */
#include "lldp.h"

enum {
    OUI_8021 = 0x0080c2,
    OUI_8023 = 0x00120f,
    OUI_MED = 0x0012bb,
    OUI_PROFINET = 0x000ecf,
    OUI_IANA = 0x00005e,
    MED_INVENTORY = 5, /* the first of the texts */
    MED_ASSET = 11,    /* the last */
    PROFINET_LAST = 6,
};

/* ---- IEEE 802.1 ----------------------------------------------------------------------------- */

static void put_vlan(struct ft_context *ctx, uint8_t flags, bool has_flags, bool has_name,
                     struct ft_view *v)
{
    ft_group_begin(ctx, LLDP_VLANS);
    if (has_flags)
        ft_put_uint(ctx, LLDP_VLANS_FLAGS, flags, v);
    ft_put_uint(ctx, LLDP_VLANS_ID, ft_u16be(v), v);
    if (has_name)
        ft_put_string(ctx, LLDP_VLANS_NAME, ft_sub_u8(v));
    ft_group_end(ctx, LLDP_VLANS);
}

static void put_aggregation(struct ft_context *ctx, struct ft_view *v)
{
    ft_group_begin(ctx, LLDP_AGGREGATION);
    ft_put_uint(ctx, LLDP_AGGREGATION_STATUS, ft_u8(v), v);
    ft_put_uint(ctx, LLDP_AGGREGATION_PORT, ft_u32be(v), v);
    ft_group_end(ctx, LLDP_AGGREGATION);
}

static bool read_8021(struct ft_context *ctx, uint8_t subtype, struct ft_view *v)
{
    switch (subtype) {
    case 1:
        ft_put_uint(ctx, LLDP_VLAN, ft_u16be(v), v);
        return true;
    case 2: {
        uint8_t flags = ft_u8(v);
        put_vlan(ctx, flags, true, false, v);
        return true;
    }
    case 3:
        put_vlan(ctx, 0, false, true, v);
        return true;
    case 4:
        ft_put_bytes(ctx, LLDP_PROTOCOL, ft_sub_u8(v));
        return true;
    case 7:
        put_aggregation(ctx, v);
        return true;
    default:
        return false;
    }
}

/* ---- IEEE 802.3 ----------------------------------------------------------------------------- */

static void put_mau(struct ft_context *ctx, struct ft_view *v)
{
    ft_group_begin(ctx, LLDP_MAU);
    ft_put_uint(ctx, LLDP_MAU_AUTONEGOTIATION, ft_u8(v), v);
    ft_put_uint(ctx, LLDP_MAU_ADVERTISED, ft_u16be(v), v);
    ft_put_uint(ctx, LLDP_MAU_TYPE, ft_u16be(v), v);
    ft_group_end(ctx, LLDP_MAU);
}

/* 802.3at added type, source and priority with the two powers, in tenths of a watt. */
static void put_poe(struct ft_context *ctx, struct ft_view *v)
{
    ft_group_begin(ctx, LLDP_POE);
    ft_put_uint(ctx, LLDP_POE_SUPPORT, ft_u8(v), v);
    ft_put_uint(ctx, LLDP_POE_PAIR, ft_u8(v), v);
    ft_put_uint(ctx, LLDP_POE_CLASS, ft_u8(v), v);
    if (v->len >= 5) {
        ft_skip(v, 1);
        ft_put_float(ctx, LLDP_POE_REQUESTED, ft_u16be(v) / 10.0, v);
        ft_put_float(ctx, LLDP_POE_ALLOCATED, ft_u16be(v) / 10.0, v);
    }
    ft_group_end(ctx, LLDP_POE);
    ft_rest(v); /* 802.3bt goes on */
}

static bool read_8023(struct ft_context *ctx, uint8_t subtype, struct ft_view *v)
{
    switch (subtype) {
    case 1:
        put_mau(ctx, v);
        return true;
    case 2:
        put_poe(ctx, v);
        return true;
    case 3:
        put_aggregation(ctx, v);
        return true;
    case 4:
        ft_put_uint(ctx, LLDP_MAX_FRAME, ft_u16be(v), v);
        return true;
    case 5:
        ft_put_bytes(ctx, LLDP_EEE, ft_rest(v));
        return true;
    default:
        return false;
    }
}

/* ---- LLDP-MED ------------------------------------------------------------------------------- */

/* Application (8), unknown (1), tagged (1), reserved (1), VLAN (12), priority (3), DSCP (6). */
static void put_policy(struct ft_context *ctx, struct ft_view *v)
{
    ft_group_begin(ctx, LLDP_MED_POLICY);
    ft_put_uint(ctx, LLDP_MED_POLICY_APPLICATION, ft_u8(v), v);
    uint32_t policy = ft_u24be(v);
    ft_put_bool(ctx, LLDP_MED_POLICY_TAGGED, policy >> 22 & 1, v);
    ft_put_uint(ctx, LLDP_MED_POLICY_VLAN, policy >> 9 & 0xfff, v);
    ft_put_uint(ctx, LLDP_MED_POLICY_PRIORITY, policy >> 6 & 7, v);
    ft_put_uint(ctx, LLDP_MED_POLICY_DSCP, policy & 63, v);
    ft_group_end(ctx, LLDP_MED_POLICY);
}

static void put_location(struct ft_context *ctx, struct ft_view *v)
{
    ft_group_begin(ctx, LLDP_MED_LOCATION);
    ft_put_uint(ctx, LLDP_MED_LOCATION_FORMAT, ft_u8(v), v);
    ft_put_bytes(ctx, LLDP_MED_LOCATION_DATA, ft_rest(v));
    ft_group_end(ctx, LLDP_MED_LOCATION);
}

static void put_power(struct ft_context *ctx, struct ft_view *v)
{
    uint8_t power = ft_u8(v);
    ft_group_begin(ctx, LLDP_MED_POWER);
    ft_put_uint(ctx, LLDP_MED_POWER_TYPE, power >> 6, v);
    ft_put_uint(ctx, LLDP_MED_POWER_SOURCE, power >> 4 & 3, v);
    ft_put_uint(ctx, LLDP_MED_POWER_PRIORITY, power & 15, v);
    ft_put_float(ctx, LLDP_MED_POWER_WATT, ft_u16be(v) / 10.0, v);
    ft_group_end(ctx, LLDP_MED_POWER);
}

/* The texts of the inventory. */
static void read_inventory(struct ft_context *ctx, struct ft_lldp *said, uint8_t subtype,
                           struct ft_view *v)
{
    struct ft_view *const to[] = {&said->hardware, &said->firmware,     &said->software,
                                  &said->serial,   &said->manufacturer, &said->model};
    struct ft_view text = ft_rest(v);
    ft_put_string(ctx, (uint32_t)(LLDP_MED_HW + subtype - MED_INVENTORY), text);
    if (subtype < MED_ASSET)
        *to[subtype - MED_INVENTORY] = text;
}

static bool read_med(struct ft_context *ctx, struct ft_lldp *said, uint8_t subtype,
                     struct ft_view *v)
{
    switch (subtype) {
    case 1:
        ft_put_uint(ctx, LLDP_MED_CAPABILITIES, ft_u16be(v), v);
        ft_put_uint(ctx, LLDP_MED_CLASS, ft_u8(v), v);
        return true;
    case 2:
        put_policy(ctx, v);
        return true;
    case 3:
        put_location(ctx, v);
        return true;
    case 4:
        put_power(ctx, v);
        return true;
    default:
        if (subtype < MED_INVENTORY || subtype > MED_ASSET)
            return false;
        read_inventory(ctx, said, subtype, v);
        return true;
    }
}

/* ---- PROFINET ------------------------------------------------------------------------------- */

static void put_mrp(struct ft_context *ctx, struct ft_view *v)
{
    ft_put_bytes(ctx, LLDP_PN_MRP_DOMAIN, ft_sub(v, 16));
    ft_put_uint(ctx, LLDP_PN_MRP_STATUS, ft_u16be(v), v);
}

static bool read_profinet(struct ft_context *ctx, struct ft_lldp *said, uint8_t subtype,
                          struct ft_view *v)
{
    switch (subtype) {
    case 1:
        ft_put_bytes(ctx, LLDP_PN_DELAY, ft_rest(v));
        return true;
    case 2:
        ft_put_uint(ctx, LLDP_PN_RT2_STATUS, ft_u16be(v), v);
        ft_put_uint(ctx, LLDP_PN_PORT_STATUS, ft_u16be(v), v);
        return true;
    case 3:
        ft_put_string(ctx, LLDP_PN_ALIAS, ft_rest(v));
        return true;
    case 4:
        put_mrp(ctx, v);
        return true;
    case 5:
        said->mac = ft_sub(v, 6);
        ft_put_bytes(ctx, LLDP_PN_CHASSIS_MAC, said->mac);
        return true;
    case 6:
        ft_put_bytes(ctx, LLDP_PN_PTCP, ft_rest(v));
        return true;
    default:
        return false;
    }
}

/* ---- all ------------------------------------------------------------------------------------ */

static bool read_known(struct ft_context *ctx, struct ft_lldp *said, uint32_t oui, uint8_t subtype,
                       struct ft_view *v)
{
    switch (oui) {
    case OUI_8021:
        return read_8021(ctx, subtype, v);
    case OUI_8023:
        return read_8023(ctx, subtype, v);
    case OUI_MED:
        return read_med(ctx, said, subtype, v);
    case OUI_PROFINET:
        said->is_profinet = true;
        return read_profinet(ctx, said, subtype, v);
    case OUI_IANA:
        if (subtype != 1)
            return false;
        ft_put_string(ctx, LLDP_MUD_URL, ft_rest(v));
        return true;
    default:
        return false;
    }
}

/* What is not read stands beside the group of its organisation. */
enum ft_lldp_field ft_lldp_organisation_group(struct ft_view value)
{
    uint32_t oui = ft_u24be(&value);
    uint8_t subtype = ft_u8(&value);
    if (oui == OUI_MED && subtype && subtype <= MED_ASSET)
        return LLDP_MED;
    if (oui == OUI_PROFINET && subtype && subtype <= PROFINET_LAST)
        return LLDP_PN;
    return LLDP;
}

void ft_lldp_organisation(struct ft_context *ctx, struct ft_lldp *said, struct ft_view *value)
{
    uint32_t oui = ft_u24be(value);
    struct ft_view at = *value;
    uint8_t subtype = ft_u8(value);
    if (!ft_view_ok(value) || read_known(ctx, said, oui, subtype, value))
        return;
    ft_group_begin(ctx, LLDP_ORGANISATION);
    ft_put_uint(ctx, LLDP_ORGANISATION_OUI, oui, &at);
    ft_put_uint(ctx, LLDP_ORGANISATION_SUBTYPE, subtype, value);
    ft_put_bytes(ctx, LLDP_ORGANISATION_DATA, ft_rest(value));
    ft_group_end(ctx, LLDP_ORGANISATION);
}
