/* SPDX-License-Identifier: BSD-3-Clause */
/* carrier.c: what carries a packet, by the numbers of IEEE, IANA and vendors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "packet/carrier.h"

enum {
    TYPE,
    IP,
    LLC,
    SNAP
};

static const char *name_of(unsigned kind, uint64_t value)
{
    struct ft_packet p = {.flags = FT_PACKET_ETHERNET};
    switch (kind) {
    case TYPE:
        p.ethertype = (uint16_t)value;
        break;
    case IP:
        p.flags |= FT_PACKET_IPV4;
        p.ethertype = 0x0800;
        p.proto = (uint8_t)value;
        break;
    case LLC:
        p.flags |= FT_PACKET_LLC;
        p.ethertype = (uint16_t)(value << 8 | 0xaa);
        break;
    default:
        p.flags |= FT_PACKET_LLC | FT_PACKET_SNAP;
        p.ethertype = 0xaaaa;
        p.snap = value;
    }
    return ft_carrier_name(ft_carrier_of(&p));
}

static void test_names(void **state)
{
    static const struct {
        unsigned kind;
        uint64_t value;
        const char *name; /* without the number of ethertypes, IP protocols and SAPs */
    } rows[] = {
        {TYPE, 0x0842, "wake_on_lan"},
        {TYPE, 0x22ea, "srp"},
        {TYPE, 0x22f0, "avtp"},
        {TYPE, 0x22f3, "trill"},
        {TYPE, 0x3e3f, "powerlink_v1"},
        {TYPE, 0x6002, "dec_mop"},
        {TYPE, 0x6003, "decnet"},
        {TYPE, 0x6004, "dec_lat"},
        {TYPE, 0x809b, "appletalk"},
        {TYPE, 0x80e1, "dlr"},
        {TYPE, 0x8137, "ipx"},
        {TYPE, 0x8808, "flow_control"},
        {TYPE, 0x8809, "slow_protocols"},
        {TYPE, 0x8847, "mpls"},
        {TYPE, 0x8863, "pppoe_discovery"},
        {TYPE, 0x8864, "pppoe_session"},
        {TYPE, 0x886d, "intel_teaming"},
        {TYPE, 0x8874, "loop_detection"},
        {TYPE, 0x887b, "homeplug"},
        {TYPE, 0x888e, "eapol"},
        {TYPE, 0x8892, "profinet"},
        {TYPE, 0x8899, "realtek"},
        {TYPE, 0x88a2, "ata"},
        {TYPE, 0x88a4, "ethercat"},
        {TYPE, 0x88ab, "powerlink"},
        {TYPE, 0x88b5, "experimental"},
        {TYPE, 0x88b6, "experimental"},
        {TYPE, 0x88b7, "oui_extended"},
        {TYPE, 0x88b9, "gse_management"},
        {TYPE, 0x88ba, "sampled_values"},
        {TYPE, 0x88bb, "lwapp"},
        {TYPE, 0x88cd, "sercos3"},
        {TYPE, 0x88e1, "homeplug_av"},
        {TYPE, 0x88e3, "mrp"},
        {TYPE, 0x88f5, "mvrp"},
        {TYPE, 0x88f6, "mmrp"},
        {TYPE, 0x88f7, "ptp"},
        {TYPE, 0x88fb, "prp_hsr"},
        {TYPE, 0x8902, "cfm"},
        {TYPE, 0x8906, "fcoe"},
        {TYPE, 0x890f, "cc_link_ie"},
        {TYPE, 0x8914, "fip"},
        {TYPE, 0x891d, "ttethernet"},
        {TYPE, 0x894f, "nsh"},
        {TYPE, 0x9000, "loopback"},
        {IP, 2, "igmp"},
        {IP, 8, "egp"},
        {IP, 47, "gre"},
        {IP, 51, "ah"},
        {IP, 88, "eigrp"},
        {IP, 89, "ospf"},
        {IP, 103, "pim"},
        {IP, 112, "vrrp"},
        {IP, 115, "l2tp"},
        {IP, 132, "sctp"},
        {LLC, 0x82, "bacnet"},
        {LLC, 0xe0, "ipx"},
        {LLC, 0xf0, "netbios"},
        {LLC, 0xfc, "rpl"},
        {LLC, 0xfe, "osi"},
        {SNAP, 0x00000c0104, "cisco_pagp"},
        {SNAP, 0x00000c0111, "cisco_udld"},
        {SNAP, 0x00000c2001, "cisco_cgmp"},
        {SNAP, 0x00000c2003, "cisco_vtp"},
        {SNAP, 0x00000c2004, "cisco_dtp"},
        {SNAP, 0x00008101a1, "nortel_topology"},
        {SNAP, 0x00008101a2, "nortel_topology_segment"},
        {SNAP, 0x0010900001, "cimetrics_bacnet"},
        {SNAP, 0x00e02b00bb, "extreme_edp"},
        {SNAP, 0x00e0522000, "foundry_fdp"},
        {SNAP, 0x080007809b, "appletalk"},
    };
    (void)state;
    assert_int_equal(sizeof(rows) / sizeof(rows[0]) + 4, FT_CARRIERS);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char name[64];
        if (rows[i].kind == SNAP)
            snprintf(name, sizeof(name), "snap_%s", rows[i].name);
        else if (rows[i].kind == IP)
            snprintf(name, sizeof(name), "ip_%u_%s", (unsigned)rows[i].value, rows[i].name);
        else if (rows[i].kind == LLC)
            snprintf(name, sizeof(name), "llc_%02x_%s", (unsigned)rows[i].value, rows[i].name);
        else
            snprintf(name, sizeof(name), "ethertype_%04x_%s", (unsigned)rows[i].value,
                     rows[i].name);
        assert_string_equal(name_of(rows[i].kind, rows[i].value), name);
    }
}

/* What has no name of its own, below, between and above those that have. */
static void test_others(void **state)
{
    static const struct {
        unsigned kind;
        uint64_t value;
        const char *name;
    } rows[] = {
        {TYPE, 0x0000, "ethertype_other"},
        {TYPE, 0x88b8, "ethertype_other"},
        {TYPE, 0xffff, "ethertype_other"},
        {TYPE, 47, "ethertype_other"},
        {IP, 0, "ip_other"},
        {IP, 1, "ip_other"},
        {IP, 255, "ip_other"},
        {LLC, 0x00, "llc_other"},
        {LLC, 0x83, "llc_other"},
        {LLC, 0xff, "llc_other"},
        {SNAP, 0, "snap_other"},
        {SNAP, 0xffffffffff, "snap_other"},
        {SNAP, 0x00000c2002, "snap_other"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(name_of(rows[i].kind, rows[i].value), rows[i].name);
    assert_string_equal(ft_carrier_name(FT_CARRIERS - 1), "snap_other");
    assert_string_equal(ft_carrier_name(FT_CARRIERS), "unknown");
    const struct ft_packet six = {.flags = FT_PACKET_IPV6, .proto = 89, .ethertype = 0x86dd};
    assert_string_equal(ft_carrier_name(ft_carrier_of(&six)), "ip_89_ospf");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
