/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names of what carries packets: IEEE's ethertypes and 802.2 SAPs, vendors' SNAP numbers, IANA's IP
 * protocols.
 */
#include "packet/carrier.h"

enum kind {
    ETHERTYPE = 0,
    IP,
    LLC,
    SNAP,
    KINDS
};

#define KEY(kind, value) ((uint64_t)(kind) << 48 | (value))

/* In the order of keys. */
static const struct {
    uint64_t key;
    const char *name;
} carriers[] = {
    {KEY(ETHERTYPE, 0x0842), "ethertype_0842_wake_on_lan"},
    {KEY(ETHERTYPE, 0x22ea), "ethertype_22ea_srp"},
    {KEY(ETHERTYPE, 0x22f0), "ethertype_22f0_avtp"},
    {KEY(ETHERTYPE, 0x22f3), "ethertype_22f3_trill"},
    {KEY(ETHERTYPE, 0x3e3f), "ethertype_3e3f_powerlink_v1"},
    {KEY(ETHERTYPE, 0x6002), "ethertype_6002_dec_mop"},
    {KEY(ETHERTYPE, 0x6003), "ethertype_6003_decnet"},
    {KEY(ETHERTYPE, 0x6004), "ethertype_6004_dec_lat"},
    {KEY(ETHERTYPE, 0x809b), "ethertype_809b_appletalk"},
    {KEY(ETHERTYPE, 0x80e1), "ethertype_80e1_dlr"},
    {KEY(ETHERTYPE, 0x8137), "ethertype_8137_ipx"},
    {KEY(ETHERTYPE, 0x8808), "ethertype_8808_flow_control"},
    {KEY(ETHERTYPE, 0x8809), "ethertype_8809_slow_protocols"},
    {KEY(ETHERTYPE, 0x8847), "ethertype_8847_mpls"},
    {KEY(ETHERTYPE, 0x8863), "ethertype_8863_pppoe_discovery"},
    {KEY(ETHERTYPE, 0x8864), "ethertype_8864_pppoe_session"},
    {KEY(ETHERTYPE, 0x886d), "ethertype_886d_intel_teaming"},
    {KEY(ETHERTYPE, 0x8874), "ethertype_8874_loop_detection"},
    {KEY(ETHERTYPE, 0x887b), "ethertype_887b_homeplug"},
    {KEY(ETHERTYPE, 0x888e), "ethertype_888e_eapol"},
    {KEY(ETHERTYPE, 0x8892), "ethertype_8892_profinet"},
    {KEY(ETHERTYPE, 0x8899), "ethertype_8899_realtek"},
    {KEY(ETHERTYPE, 0x88a2), "ethertype_88a2_ata"},
    {KEY(ETHERTYPE, 0x88a4), "ethertype_88a4_ethercat"},
    {KEY(ETHERTYPE, 0x88ab), "ethertype_88ab_powerlink"},
    {KEY(ETHERTYPE, 0x88b5), "ethertype_88b5_experimental"},
    {KEY(ETHERTYPE, 0x88b6), "ethertype_88b6_experimental"},
    {KEY(ETHERTYPE, 0x88b7), "ethertype_88b7_oui_extended"},
    {KEY(ETHERTYPE, 0x88b9), "ethertype_88b9_gse_management"},
    {KEY(ETHERTYPE, 0x88ba), "ethertype_88ba_sampled_values"},
    {KEY(ETHERTYPE, 0x88bb), "ethertype_88bb_lwapp"},
    {KEY(ETHERTYPE, 0x88cd), "ethertype_88cd_sercos3"},
    {KEY(ETHERTYPE, 0x88e1), "ethertype_88e1_homeplug_av"},
    {KEY(ETHERTYPE, 0x88e3), "ethertype_88e3_mrp"},
    {KEY(ETHERTYPE, 0x88f5), "ethertype_88f5_mvrp"},
    {KEY(ETHERTYPE, 0x88f6), "ethertype_88f6_mmrp"},
    {KEY(ETHERTYPE, 0x88f7), "ethertype_88f7_ptp"},
    {KEY(ETHERTYPE, 0x88fb), "ethertype_88fb_prp_hsr"},
    {KEY(ETHERTYPE, 0x8902), "ethertype_8902_cfm"},
    {KEY(ETHERTYPE, 0x8906), "ethertype_8906_fcoe"},
    {KEY(ETHERTYPE, 0x890f), "ethertype_890f_cc_link_ie"},
    {KEY(ETHERTYPE, 0x8914), "ethertype_8914_fip"},
    {KEY(ETHERTYPE, 0x891d), "ethertype_891d_ttethernet"},
    {KEY(ETHERTYPE, 0x894f), "ethertype_894f_nsh"},
    {KEY(ETHERTYPE, 0x9000), "ethertype_9000_loopback"},
    {KEY(IP, 2), "ip_2_igmp"},
    {KEY(IP, 8), "ip_8_egp"},
    {KEY(IP, 47), "ip_47_gre"},
    {KEY(IP, 51), "ip_51_ah"},
    {KEY(IP, 88), "ip_88_eigrp"},
    {KEY(IP, 89), "ip_89_ospf"},
    {KEY(IP, 103), "ip_103_pim"},
    {KEY(IP, 112), "ip_112_vrrp"},
    {KEY(IP, 115), "ip_115_l2tp"},
    {KEY(IP, 132), "ip_132_sctp"},
    {KEY(LLC, 0x82), "llc_82_bacnet"},
    {KEY(LLC, 0xe0), "llc_e0_ipx"},
    {KEY(LLC, 0xf0), "llc_f0_netbios"},
    {KEY(LLC, 0xfc), "llc_fc_rpl"},
    {KEY(LLC, 0xfe), "llc_fe_osi"},
    {KEY(SNAP, 0x00000c0104), "snap_cisco_pagp"},
    {KEY(SNAP, 0x00000c0111), "snap_cisco_udld"},
    {KEY(SNAP, 0x00000c2001), "snap_cisco_cgmp"},
    {KEY(SNAP, 0x00000c2003), "snap_cisco_vtp"},
    {KEY(SNAP, 0x00000c2004), "snap_cisco_dtp"},
    {KEY(SNAP, 0x00008101a1), "snap_nortel_topology"},
    {KEY(SNAP, 0x00008101a2), "snap_nortel_topology_segment"},
    {KEY(SNAP, 0x0010900001), "snap_cimetrics_bacnet"},
    {KEY(SNAP, 0x00e02b00bb), "snap_extreme_edp"},
    {KEY(SNAP, 0x00e0522000), "snap_foundry_fdp"},
    {KEY(SNAP, 0x080007809b), "snap_appletalk"},
};

#define NAMED (sizeof(carriers) / sizeof(carriers[0]))

_Static_assert(NAMED + KINDS == FT_CARRIERS, "one number a name");

static uint64_t key_of(const struct ft_packet *p)
{
    if (p->flags & (FT_PACKET_IPV4 | FT_PACKET_IPV6))
        return KEY(IP, p->proto);
    if (!(p->flags & FT_PACKET_LLC))
        return KEY(ETHERTYPE, p->ethertype);
    return p->flags & FT_PACKET_SNAP ? KEY(SNAP, p->snap) : KEY(LLC, p->ethertype >> 8);
}

unsigned ft_carrier_of(const struct ft_packet *p)
{
    uint64_t key = key_of(p);
    unsigned low = 0, high = NAMED;

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (carriers[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low < NAMED && carriers[low].key == key ? low : (unsigned)(NAMED + (key >> 48));
}

const char *ft_carrier_name(unsigned number)
{
    static const char *const others[KINDS] = {[ETHERTYPE] = "ethertype_other",
                                              [IP] = "ip_other",
                                              [LLC] = "llc_other",
                                              [SNAP] = "snap_other"};

    if (number < NAMED)
        return carriers[number].name;
    return number < FT_CARRIERS ? others[number - NAMED] : "unknown";
}
