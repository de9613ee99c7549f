/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of the inventory: what makes an asset, addresses, facts, roles, nesting, bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <jansson.h>

#include "inventory/inventory.h"
#include "records.h"

static struct ft_registry *registry;
static struct ft_inventory *inv;
static struct record r;
static char last_change[400];

static void on_change(void *user, const struct ft_event *event, const struct ft_asset *asset,
                      enum ft_fact fact, const char *before, const char *after)
{
    char address[64];
    (void)user;
    (void)event;
    ft_address_text(&asset->address, address);
    snprintf(last_change, sizeof(last_change), "%s %s: %s -> %s", address, ft_fact_name(fact),
             before, after);
}

static void begin_with(uint32_t max_assets)
{
    registry = make_registry();
    inv = ft_inventory_new(&(struct ft_inventory_config){.max_assets = max_assets,
                                                         .oui = "/nonexistent",
                                                         .changed = on_change},
                           registry);
    last_change[0] = 0;
}

static int begin(void **state)
{
    (void)state;
    begin_with(0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    ft_inventory_free(inv);
    ft_registry_free(registry);
    return 0;
}

static void give(struct record *record)
{
    ft_inventory_event(inv, &record->event);
}

static const struct ft_asset *asset(uint32_t ip)
{
    struct ft_address a = {.family = 4};
    set_ip(&a.ip, ip);
    return ft_inventory_find(inv, &a);
}

static const struct ft_asset *mac_asset(const uint8_t mac[6])
{
    struct ft_address a = {.family = 2};
    memcpy(a.ip.bytes, mac, 6);
    return ft_inventory_find(inv, &a);
}

/** The changes since the last call, as "address:mask address:mask". */
static const char *changes(void)
{
    static char text[1000];
    struct ft_asset *a;
    uint8_t why;
    size_t n = 0;
    text[0] = 0;
    while ((a = ft_inventory_take_changed(inv, &why))) {
        char address[64];
        ft_address_text(&a->address, address);
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s%s:%u", n ? " " : "", address,
                              a->parent ? "/" : "", why);
    }
    return text;
}

static void test_only_who_was_heard_is_an_asset(void **state)
{
    (void)state;
    give(make(&r, FT_EVENT_TALK, 0, 1, CLIENT, PLC));
    assert_non_null(asset(CLIENT));
    assert_null(asset(PLC)); /* a scan of empty addresses looks like that */
    give(make_reply(&r, FT_EVENT_TALK, 0, 2, PLC, CLIENT));
    assert_non_null(asset(PLC));
    assert_int_equal(ft_inventory_count(inv), 2);
}

static void test_a_command_over_tcp_shows_its_receiver(void **state)
{
    (void)state;
    give(with_command(make(&r, FT_EVENT_OPERATION, PROTOCOL_POLL, 1, CLIENT, PLC), POLL_READ));
    assert_non_null(asset(PLC));
    with_command(make(&r, FT_EVENT_OPERATION, PROTOCOL_POLL, 2, CLIENT, STATION), POLL_READ);
    r.event.packet.proto = 17;
    give(&r);
    assert_null(asset(STATION)); /* a datagram needs nobody to be there */
}

static void test_an_answered_flow_shows_the_server(void **state)
{
    (void)state;
    make(&r, FT_EVENT_FLOW, 0, 9, CLIENT, PLC);
    r.event.flow = (struct ft_event_flow){
        .packets = {3, 0}, .first_ns = START + 2 * S, .last_ns = START + 4 * S};
    give(&r);
    assert_null(asset(PLC));
    r.event.flow.packets[1] = 1;
    give(&r);
    assert_non_null(asset(PLC));
    assert_int_equal(asset(PLC)->last_ns, START + 4 * S); /* not the time the flow was told */
    assert_int_equal(asset(PLC)->first_ns, START + 2 * S);
}

static void test_groups_and_impossible_addresses_are_none(void **state)
{
    (void)state;
    static const uint32_t none[] = {0xffffffffu, 0xe0000001u, 0x7f000001u, 0u, 0xf0000001u, 5u};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        give(make(&r, FT_EVENT_TALK, 0, 1, none[i], CLIENT));
        give(with_command(make(&r, FT_EVENT_OPERATION, PROTOCOL_POLL, 1, CLIENT, none[i]),
                          POLL_READ));
        assert_null(asset(none[i]));
    }
    /* A directed broadcast is known by its MAC address. */
    with_command(make(&r, FT_EVENT_OPERATION, PROTOCOL_POLL, 2, CLIENT, 0x0a0000ffu), POLL_READ);
    memset(r.event.packet.dst_mac, 0xff, 6);
    give(&r);
    assert_null(asset(0x0a0000ffu));
    assert_int_equal(ft_inventory_count(inv), 1);
}

static void test_facts_are_told_once_per_packet(void **state)
{
    (void)state;
    give(make_fact(&r, 1, PLC, FT_FACT_VENDOR, "ACME"));
    give(make_fact(&r, 1, PLC, FT_FACT_MODEL, "X1"));
    assert_string_equal(changes(), "10.0.0.2:3"); /* new, with facts */
    give(make_fact(&r, 2, PLC, FT_FACT_MODEL, "X1"));
    assert_string_equal(changes(), "");
    give(make_fact(&r, 3, PLC, FT_FACT_MODEL, "X2"));
    assert_string_equal(changes(), "10.0.0.2:2");
    assert_string_equal(ft_asset_fact(asset(PLC), FT_FACT_MODEL), "X2");
    assert_string_equal(ft_asset_vendor(inv, asset(PLC)), "ACME");
    assert_string_equal(last_change, "10.0.0.2 model: X1 -> X2");
}

/* Who has none yet says so: that is no address by which it is managed. */
static void test_address_for_management(void **state)
{
    (void)state;
    static const char *const none[] = {"0.0.0.0", "255.255.255.255", "224.0.0.1", "127.0.0.1",
                                       "::",      "ff02::1",         "::1"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        give(make_fact(&r, 1, PLC, FT_FACT_MANAGEMENT, none[i]));
        assert_null(ft_asset_fact(asset(PLC), FT_FACT_MANAGEMENT));
    }
    static const char *const some[] = {"10.0.0.2", "fe80::1", "sw1.example"};
    for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
        give(make_fact(&r, 1, PLC, FT_FACT_MANAGEMENT, some[i]));
        assert_string_equal(ft_asset_fact(asset(PLC), FT_FACT_MANAGEMENT), some[i]);
    }
    give(make_fact(&r, 1, PLC, FT_FACT_MANAGEMENT, "0.0.0.0")); /* it lost it */
    assert_string_equal(ft_asset_fact(asset(PLC), FT_FACT_MANAGEMENT), "sw1.example");
    give(make_fact(&r, 1, PLC, FT_FACT_NAME, "0.0.0.0")); /* an odd name is one */
    assert_string_equal(ft_asset_fact(asset(PLC), FT_FACT_NAME), "0.0.0.0");
}

static void test_protocols_that_disagree_are_no_change(void **state)
{
    (void)state;
    give(make_fact(&r, 1, PLC, FT_FACT_FIRMWARE, "2.1"));
    make_fact(&r, 2, PLC, FT_FACT_FIRMWARE, "V02.01.00");
    r.event.protocol = PROTOCOL_GOOSE;
    give(&r);
    assert_string_equal(last_change, "");
    assert_string_equal(ft_asset_fact(asset(PLC), FT_FACT_FIRMWARE), "2.1");
    make_fact(&r, 3, PLC, FT_FACT_FIRMWARE, "V02.02.00");
    r.event.protocol = PROTOCOL_GOOSE;
    give(&r);
    assert_string_equal(last_change, "10.0.0.2 firmware: V02.01.00 -> V02.02.00");
}

static void test_roles(void **state)
{
    (void)state;
    give(with_command(make(&r, FT_EVENT_OPERATION, PROTOCOL_POLL, 1, CLIENT, PLC), POLL_READ));
    assert_int_equal(ft_asset_role_of(asset(PLC)), FT_ROLE_PLC);
    assert_int_equal(ft_asset_role_of(asset(CLIENT)), FT_ROLE_HMI);
    give(with_command(make(&r, FT_EVENT_OPERATION, PROTOCOL_POLL, 2, STATION, PLC), POLL_DOWNLOAD));
    assert_int_equal(ft_asset_role_of(asset(STATION)), FT_ROLE_ENGINEERING);
    give(make_fact(&r, 3, CLIENT, FT_FACT_ROLE, "historian"));
    assert_int_equal(ft_asset_role_of(asset(CLIENT)), FT_ROLE_HISTORIAN); /* said beats derived */
}

/* A datagram shows nothing of whom it was sent to; the answer shows all that was asked for. */
static void test_roles_over_datagrams(void **state)
{
    (void)state;
    for (uint64_t unit = 1; unit < 3; unit++) {
        with_command(make(&r, FT_EVENT_OPERATION, PROTOCOL_POLL, unit, CLIENT, PLC), POLL_READ);
        r.event.packet.proto = 17;
        give(with_unit(&r, 1, unit));
    }
    make(&r, FT_EVENT_TALK, PROTOCOL_POLL, 2, CLIENT, PLC);
    r.event.packet.proto = 17;
    give(&r);
    assert_int_equal(ft_asset_role_of(asset(CLIENT)), FT_ROLE_HMI);
    assert_null(asset(PLC));
    /* Somebody who was heard, but does not answer this. */
    give(make(&r, FT_EVENT_TALK, 0, 3, STATION, CLIENT));
    for (int i = 0; i < 2; i++) {
        make(&r, i ? FT_EVENT_TALK : FT_EVENT_OPERATION, PROTOCOL_POLL, 4, CLIENT, STATION);
        r.event.packet.proto = 17;
        give(i ? &r : with_unit(with_command(&r, POLL_READ), 1, 1));
    }
    assert_int_equal(ft_asset_role_of(asset(STATION)), FT_ROLE_UNKNOWN);
    assert_int_equal(asset(STATION)->as_server[0], 0);
    assert_int_equal(asset(STATION)->child_count, 0);

    make_reply(&r, FT_EVENT_TALK, PROTOCOL_POLL, 5, PLC, CLIENT);
    r.event.packet.proto = 17;
    give(&r);
    assert_int_equal(ft_asset_role_of(asset(PLC)), FT_ROLE_PLC);
    assert_int_equal(asset(PLC)->child_count, 2);
    /* From now on it is there. */
    with_command(make(&r, FT_EVENT_OPERATION, PROTOCOL_POLL, 6, CLIENT, PLC), POLL_READ);
    r.event.packet.proto = 17;
    give(with_unit(&r, 1, 3));
    assert_int_equal(asset(PLC)->child_count, 3);
    /* At the end of a flow it is known who answered. */
    make(&r, FT_EVENT_FLOW, PROTOCOL_POLL, 9, CLIENT, STATION);
    r.event.packet.proto = 17;
    r.event.flow = (struct ft_event_flow){
        .packets = {3, 1}, .first_ns = START + 2 * S, .last_ns = START + 4 * S};
    give(&r);
    assert_int_equal(ft_asset_role_of(asset(STATION)), FT_ROLE_PLC);
    assert_int_equal(asset(STATION)->child_count, 1);
}

/* A name service says what a computer calls itself; what it does in the plant says more. */
static void test_what_it_does_beats_what_it_calls_itself(void **state)
{
    (void)state;
    give(make_fact(&r, 1, STATION, FT_FACT_ROLE, "server"));
    give(make_fact(&r, 1, CLIENT, FT_FACT_ROLE, "workstation"));
    assert_int_equal(ft_asset_role_of(asset(STATION)), FT_ROLE_SERVER);
    assert_int_equal(ft_asset_role_of(asset(CLIENT)), FT_ROLE_WORKSTATION);
    give(with_command(make(&r, FT_EVENT_OPERATION, PROTOCOL_POLL, 2, CLIENT, PLC), POLL_READ));
    assert_int_equal(ft_asset_role_of(asset(CLIENT)), FT_ROLE_HMI);
    give(with_command(make(&r, FT_EVENT_OPERATION, PROTOCOL_POLL, 3, STATION, PLC), POLL_DOWNLOAD));
    assert_int_equal(ft_asset_role_of(asset(STATION)), FT_ROLE_ENGINEERING);
    /* What network devices say of themselves stays, and a plain name beats another. */
    give(make_fact(&r, 4, PLC, FT_FACT_ROLE, "switch"));
    give(with_command(make(&r, FT_EVENT_OPERATION, PROTOCOL_POLL, 5, CLIENT, PLC), POLL_READ));
    assert_int_equal(ft_asset_role_of(asset(PLC)), FT_ROLE_SWITCH);
    give(make_fact(&r, 6, PLC, FT_FACT_ROLE, "rtu"));
    assert_int_equal(ft_asset_role_of(asset(PLC)), FT_ROLE_RTU);
}

static void say(uint64_t number, uint32_t ip, uint16_t protocol, enum ft_fact fact,
                const char *text)
{
    make_fact(&r, number, ip, fact, text);
    r.event.protocol = protocol;
    give(&r);
}

static void serve(uint64_t number, uint32_t ip)
{
    give(with_command(make(&r, FT_EVENT_OPERATION, PROTOCOL_POLL, number, CLIENT, ip), POLL_READ));
}

/* Everything with two ports bridges, and says so with LLDP; that is not what it is for. */
static void test_two_ports_are_no_switch(void **state)
{
    (void)state;
    enum {
        DRIVE = 0x0a000020,
        MANAGED,
        SILENT,
        PANEL,
        ASKED,
    };
    say(1, PLC, PROTOCOL_LLDP, FT_FACT_ROLE, "switch");
    assert_int_equal(ft_asset_role_of(asset(PLC)), FT_ROLE_SWITCH);
    say(1, PLC, PROTOCOL_LLDP, FT_FACT_MODEL, "6ES7 215-1AG40-0XB0");
    assert_int_equal(ft_asset_role_of(asset(PLC)), FT_ROLE_PLC); /* nobody spoke to it yet */
    say(2, PLC, PROTOCOL_POLL, FT_FACT_ROLE, "scada");           /* it asks others, too */
    assert_int_equal(ft_asset_role_of(asset(PLC)), FT_ROLE_PLC);

    say(3, DRIVE, PROTOCOL_LLDP, FT_FACT_ROLE, "switch");
    say(3, DRIVE, PROTOCOL_LLDP, FT_FACT_ROLE, "router");
    serve(4, DRIVE);
    assert_int_equal(ft_asset_role_of(asset(DRIVE)), FT_ROLE_PLC);

    /* Made for the network: as its text says, its order number, or another protocol. */
    say(5, MANAGED, PROTOCOL_LLDP, FT_FACT_ROLE, "switch");
    say(5, MANAGED, PROTOCOL_LLDP, FT_FACT_DESCRIPTION, "Hirschmann MAR - SW: L2P-09.0.00");
    serve(6, MANAGED);
    assert_int_equal(ft_asset_role_of(asset(MANAGED)), FT_ROLE_SWITCH);
    say(7, SILENT, PROTOCOL_LLDP, FT_FACT_MODEL, "6GK5 208-0BA00-2AB2");
    serve(8, SILENT);
    assert_int_equal(ft_asset_role_of(asset(SILENT)), FT_ROLE_SWITCH);
    say(9, ASKED, PROTOCOL_POLL, FT_FACT_ROLE, "switch");
    serve(9, ASKED);
    assert_int_equal(ft_asset_role_of(asset(ASKED)), FT_ROLE_SWITCH);

    /* Forwards in both ways: a switch with addresses in each of its networks. */
    say(9, SILENT, PROTOCOL_LLDP, FT_FACT_ROLE, "router");
    assert_int_equal(ft_asset_role_of(asset(SILENT)), FT_ROLE_SWITCH);
    say(9, MANAGED, PROTOCOL_LLDP, FT_FACT_ROLE, "router");
    assert_int_equal(ft_asset_role_of(asset(MANAGED)), FT_ROLE_SWITCH);

    /* A panel asks, and has two ports. */
    say(10, PANEL, PROTOCOL_LLDP, FT_FACT_ROLE, "switch");
    give(with_command(make(&r, FT_EVENT_OPERATION, PROTOCOL_POLL, 10, PANEL, PLC), POLL_READ));
    assert_int_equal(ft_asset_role_of(asset(PANEL)), FT_ROLE_HMI);
}

/* Who asks with Modbus is called a SCADA; a controller asks its drives. */
static void test_who_serves_is_no_mere_client(void **state)
{
    (void)state;
    say(1, PLC, PROTOCOL_POLL, FT_FACT_ROLE, "scada");
    assert_int_equal(ft_asset_role_of(asset(PLC)), FT_ROLE_SCADA);
    serve(2, PLC);
    assert_int_equal(ft_asset_role_of(asset(PLC)), FT_ROLE_PLC);
    say(3, PLC, PROTOCOL_POLL, FT_FACT_ROLE, "gateway");
    assert_int_equal(ft_asset_role_of(asset(PLC)), FT_ROLE_GATEWAY);
}

static void test_products(void **state)
{
    static const struct {
        const char *text;
        enum ft_role role;
    } rows[] = {
        {"6ES7 315-2EH14-0AB0", FT_ROLE_PLC},
        {"6ES7315-2EH14-0AB0", FT_ROLE_PLC},
        {"Siemens, SIMATIC S7, CPU-1200, 6ES7 215-1AG40-0XB0, HW: 10", FT_ROLE_PLC},
        {"6ES7 151-8AB01-0AB0", FT_ROLE_PLC},
        {"6ES7 321-1BL00-0AA0", FT_ROLE_UNKNOWN}, /* a module of inputs */
        {"6ES7 151-3BA23-0AB0", FT_ROLE_UNKNOWN}, /* an interface module */
        {"6AV2 124-0MC01-0AX0", FT_ROLE_HMI},
        {"6GK5 208-0BA00-2AB2", FT_ROLE_SWITCH},
        {"6GK5 615-0AA00-2AA2", FT_ROLE_ROUTER},
        {"6GK7 343-1EX30-0XE0", FT_ROLE_UNKNOWN}, /* a controller's network card */
        {"SIMATIC S7 MULTIPORT SCALANCE X 200 FAM", FT_ROLE_SWITCH},
        {"1756-L71/B LOGIX5571", FT_ROLE_PLC},
        {"1783-BMS10CGL", FT_ROLE_SWITCH},
        {"BMX P34 2020", FT_ROLE_PLC},
        {"", FT_ROLE_UNKNOWN},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(ft_role_of_product(rows[i].text),
                         rows[i].role == FT_ROLE_UNKNOWN ? 0 : 1u << rows[i].role);
    char text[2000];
    memset(text, '6', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    assert_int_equal(ft_role_of_product(text), 0);
}

static void test_texts_that_say_nothing(void **state)
{
    static const struct {
        enum ft_fact fact;
        const char *text;
        bool says_nothing;
    } rows[] = {
        {FT_FACT_DESCRIPTION, "ready", true},
        {FT_FACT_DESCRIPTION, "FTP server ready.", true},
        {FT_FACT_DESCRIPTION, "2001:db8::5:33 FTP server ready", true},
        {FT_FACT_DESCRIPTION, "::1 ready", true},
        {FT_FACT_DESCRIPTION, "[192.0.2.1] - Welcome to the FTP service!", true},
        {FT_FACT_DESCRIPTION, "", true},
        {FT_FACT_DESCRIPTION, "---", true},
        {FT_FACT_DESCRIPTION, "Telnet : ready:", true},
        {FT_FACT_DESCRIPTION, "fe80:: ready/", true},
        {FT_FACT_DESCRIPTION, ": . X", false},
        {FT_FACT_DESCRIPTION, "press7 FTP server ready.", false},
        {FT_FACT_DESCRIPTION, "FTP server (Version 6.4) ready.", false},
        {FT_FACT_DESCRIPTION, "\xe6\xb0\xb4", false},
        {FT_FACT_MODEL, "5c:16:c7:00:00:01", true},
        {FT_FACT_MODEL, "5C-16-C7-00-00-01", true},
        {FT_FACT_MODEL, "System Product Name", true},
        {FT_FACT_MODEL, "6ES7 215-1AG40-0XB0", false},
        {FT_FACT_MODEL, "X1", false},
        {FT_FACT_MODEL, "5c:16:c7:00:00:0x", false},
        {FT_FACT_SERIAL, "0", true},
        {FT_FACT_SERIAL, "00000000", true},
        {FT_FACT_SERIAL, "00000001", false},
        {FT_FACT_SERIAL, "To be filled by O.E.M.", true},
        {FT_FACT_SERIAL, "N/A", true},
        {FT_FACT_VENDOR, "Unknown", true},
        {FT_FACT_NAME, "server", false}, /* that is how somebody called it */
        {FT_FACT_HARDWARE, "0", false},
        {FT_FACT_PROTECTION, "none", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(
            ft_fact_says_nothing(rows[i].fact, rows[i].text, (uint16_t)strlen(rows[i].text)),
            rows[i].says_nothing);
    give(make_fact(&r, 1, PLC, FT_FACT_DESCRIPTION, "ready"));
    assert_null(ft_asset_fact(asset(PLC), FT_FACT_DESCRIPTION));
    assert_string_equal(changes(), "10.0.0.2:1");
}

/* Which port of a switch it is says less than what its maker says of it, whoever is first. */
static void test_who_tells_of_a_service_counts_less(void **state)
{
    static const char *const of_service[] = {"dns", "ftp", "http", "ntp", "stp", "telnet", "tls"};
    (void)state;
    for (size_t i = 0; i < sizeof(of_service) / sizeof(of_service[0]); i++)
        assert_true(ft_fact_is_of_service(of_service[i]));
    assert_false(ft_fact_is_of_service("lldp"));
    say(1, PLC, PROTOCOL_POLL, FT_FACT_DESCRIPTION, "bridge 7, port 2");
    say(2, PLC, PROTOCOL_LLDP, FT_FACT_DESCRIPTION, "SIMATIC");
    assert_string_equal(ft_asset_fact(asset(PLC), FT_FACT_DESCRIPTION), "bridge 7, port 2");
    ((struct ft_asset *)asset(PLC))->values->is_of_service = true;
    assert_string_equal(ft_asset_fact(asset(PLC), FT_FACT_DESCRIPTION), "SIMATIC");
    asset(PLC)->values->next->is_of_service = true;
    assert_string_equal(ft_asset_fact(asset(PLC), FT_FACT_DESCRIPTION), "bridge 7, port 2");
}

static void test_a_publisher_to_a_group_is_a_server(void **state)
{
    (void)state;
    /* The engine calls the group the server of a flow that only goes there. */
    for (int i = 0; i < 2; i++) {
        make(&r, i ? FT_EVENT_OPERATION : FT_EVENT_TALK, PROTOCOL_GOOSE, 1, PLC, CLIENT);
        r.event.packet.family = 2;
        r.event.packet.proto = 0;
        r.event.packet.dst_mac[0] = 1;
        give(&r);
    }
    uint8_t mac[6];
    set_mac(mac, PLC);
    assert_int_equal(ft_asset_role_of(mac_asset(mac)), FT_ROLE_IED);
    assert_int_equal(mac_asset(mac)->as_server[0], 1u << (PROTOCOL_GOOSE - 1));
    assert_int_equal(mac_asset(mac)->as_client[0], 0);
    /* A request to a group comes from a client. */
    with_command(make(&r, FT_EVENT_OPERATION, PROTOCOL_POLL, 2, STATION, CLIENT), POLL_READ);
    r.event.packet.is_multicast = true;
    give(&r);
    assert_int_equal(ft_asset_role_of(asset(STATION)), FT_ROLE_HMI);
    assert_null(asset(CLIENT));
}

static void test_a_transport_is_no_role(void **state)
{
    (void)state;
    give(make(&r, FT_EVENT_TALK, PROTOCOL_TPKT, 1, CLIENT, PLC));
    assert_int_equal(ft_asset_role_of(asset(CLIENT)), FT_ROLE_UNKNOWN);
    assert_int_equal(asset(CLIENT)->as_client[0], 0);
}

static void test_nested_identities(void **state)
{
    (void)state;
    for (uint64_t unit = 3; unit > 0; unit--)
        give(with_unit(
            with_command(make(&r, FT_EVENT_OPERATION, PROTOCOL_POLL, 1, CLIENT, PLC), POLL_READ), 1,
            unit));
    assert_int_equal(asset(PLC)->child_count, 3);
    assert_int_equal(ft_inventory_count(inv), 2);
    assert_int_equal(ft_inventory_count_all(inv), 5);
    make_fact(&r, 2, PLC, FT_FACT_MODEL, "drive");
    r.event.fact.sub = (struct ft_event_sub){.kind = FT_SUB_UNIT, .value = 2};
    give(&r);
    struct ft_asset **children = ft_asset_children_sorted(asset(PLC));
    assert_int_equal(children[0]->sub_value, 1);
    assert_int_equal(children[2]->sub_value, 3);
    assert_string_equal(ft_asset_fact(children[1], FT_FACT_MODEL), "drive");
    assert_null(ft_asset_fact(asset(PLC), FT_FACT_MODEL));
    free(children);
}

static void test_text_identities_are_told_apart(void **state)
{
    (void)state;
    static const char *const names[] = {"LD1/LLN0", "LD2/LLN0", "LD1/LLN0"};
    for (int i = 0; i < 3; i++) {
        make(&r, FT_EVENT_OPERATION, PROTOCOL_GOOSE, 1, PLC, CLIENT);
        r.event.packet.server_side = 2;
        r.event.packet.is_multicast = true;
        r.event.message.sub[1] = (struct ft_event_sub){.kind = FT_SUB_NAME,
                                                       .value = names[i][2], /* a hash */
                                                       .text = (uint16_t)append(&r, names[i], 8),
                                                       .length = 8};
        give(&r);
    }
    assert_int_equal(asset(PLC)->child_count, 2); /* the publisher's, not the group's */
    assert_int_equal(ft_asset_role_of(asset(PLC)), FT_ROLE_IED);
    assert_null(asset(CLIENT));
}

static void test_arp_joins_mac_and_ip(void **state)
{
    (void)state;
    static const uint8_t mac[6] = {0x00, 0x0e, 0x8c, 1, 2, 3};
    /* First only a MAC address is known, with a nested identity and a fact. */
    make(&r, FT_EVENT_OPERATION, PROTOCOL_GOOSE, 1, PLC, 0);
    r.event.packet.family = 2;
    r.event.packet.proto = 0;
    r.event.packet.server_side = 2;
    r.event.packet.is_multicast = true;
    memcpy(r.event.packet.src_mac, mac, 6);
    r.event.message.sub[1] = (struct ft_event_sub){.kind = FT_SUB_LINK, .value = 9};
    give(&r);
    assert_int_equal(ft_inventory_count(inv), 1);
    changes();
    give(make_arp(&r, 2, PLC, mac));
    assert_int_equal(ft_inventory_count(inv), 1); /* the same device */
    /* New, role, MAC: the MAC asset is gone, what was behind it is behind the IP address. Who was
     * told of the old ids is told that they are no more. */
    assert_string_equal(changes(), "10.0.0.2:13 00:0e:8c:01:02:03:16 00:0e:8c:01:02:03/:16 "
                                   "10.0.0.2/:1");
    assert_ptr_equal(mac_asset(mac), asset(PLC));
    assert_int_equal(asset(PLC)->child_count, 1);
    assert_memory_equal(ft_asset_mac_address(asset(PLC)), mac, 6);
    assert_true(asset(PLC)->mac_is_strong);
    assert_int_equal(asset(PLC)->first_ns, START + S);
    give(make_arp(&r, 3, PLC, mac));
    assert_string_equal(changes(), "");
}

static void test_arp_probe_binds_nothing(void **state)
{
    (void)state;
    static const uint8_t mac[6] = {0x00, 0x0e, 0x8c, 1, 2, 3};
    give(make_arp(&r, 1, 0, mac));
    assert_int_equal(ft_inventory_count(inv), 0);
}

static void test_a_mac_with_many_addresses_is_a_router(void **state)
{
    (void)state;
    static const uint8_t router[6] = {0x00, 0x0e, 0x8c, 0xaa, 0xaa, 0xaa};
    for (uint32_t i = 0; i < 5; i++) {
        make(&r, FT_EVENT_TALK, 0, i, 0xc0a80001u + i, CLIENT);
        memcpy(r.event.packet.src_mac, router, 6);
        give(&r);
        assert_true((ft_asset_mac_address(asset(0xc0a80001u)) != NULL) == (i < 2));
    }
    assert_non_null(mac_asset(router));
    assert_int_equal(ft_asset_role_of(mac_asset(router)), FT_ROLE_ROUTER);
    /* Its own address is stated: then it is that asset. */
    give(make_arp(&r, 9, STATION, router));
    assert_ptr_equal(mac_asset(router), asset(STATION));
    assert_int_equal(ft_asset_role_of(asset(STATION)), FT_ROLE_ROUTER);
    assert_null(ft_asset_mac_address(asset(0xc0a80001u)));
}

/* Forged ARP: one MAC address for everything, then another. Bound to be quick and consistent. */
static void test_forged_arp(void **state)
{
    (void)state;
    uint8_t macs[2][6] = {{0x00, 0x0e, 0x8c, 1, 1, 1}, {0x00, 0x0e, 0x8c, 2, 2, 2}};
    for (int pass = 0; pass < 4; pass++)
        for (uint32_t i = 0; i < 20000; i++)
            give(make_arp(&r, i, 0x0a010000u + i, macs[pass & 1]));
    assert_int_equal(ft_inventory_count(inv), 20001);
    assert_memory_equal(ft_asset_mac_address(asset(0x0a010000u)), macs[1], 6);
    assert_int_equal(mac_asset(macs[1])->address.family, 4);
    assert_int_equal(mac_asset(macs[0])->address.family, 2); /* no address is its any more */
}

/* An address goes to and fro without end: what is made for it is used again. */
static void test_forged_moves_use_nothing_up(void **state)
{
    (void)state;
    uint8_t macs[3][6] = {
        {0x00, 0x0e, 0x8c, 1, 1, 1}, {0x00, 0x0e, 0x8c, 2, 2, 2}, {0x00, 0x0e, 0x8c, 3, 3, 3}};
    end(NULL);
    begin_with(10);
    for (uint32_t i = 0; i < 1000; i++) {
        give(make_arp(&r, i, PLC, macs[i % 3]));
        changes();
    }
    assert_int_equal(ft_inventory_count(inv), 3);
    assert_int_equal(ft_inventory_refused(inv), 0);
}

static void test_inner_traffic_of_gre_has_no_mac(void **state)
{
    (void)state;
    make(&r, FT_EVENT_TALK, 0, 1, PLC, CLIENT);
    r.event.packet.outer.tunnel = FT_TUNNEL_GRE;
    give(&r);
    assert_null(ft_asset_mac_address(asset(PLC)));
    make(&r, FT_EVENT_TALK, 0, 2, STATION, CLIENT);
    r.event.packet.outer.tunnel = FT_TUNNEL_ERSPAN; /* carries the frame as it was */
    give(&r);
    assert_non_null(ft_asset_mac_address(asset(STATION)));
}

static void test_bounds(void **state)
{
    (void)state;
    end(NULL);
    begin_with(10);
    for (uint32_t i = 0; i < 20; i++)
        give(make(&r, FT_EVENT_TALK, 0, i, PLC + i, CLIENT));
    assert_int_equal(ft_inventory_count(inv), 10);
    assert_true(ft_inventory_refused(inv) >= 10);
}

static void test_children_are_bounded(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < FT_ASSET_CHILDREN_MAX + 10; i++)
        give(with_unit(
            with_command(make(&r, FT_EVENT_OPERATION, PROTOCOL_POLL, 1, CLIENT, PLC), POLL_READ), 1,
            i));
    assert_int_equal(asset(PLC)->child_count, FT_ASSET_CHILDREN_MAX);
    assert_int_equal(ft_inventory_refused(inv), 10);
}

static void test_file_is_sorted_and_whole(void **state)
{
    (void)state;
    char directory[] = "/tmp/ft_inventory_XXXXXX", path[100], error[300];
    static const uint8_t mac[6] = {0x00, 0x0e, 0x8c, 9, 9, 9};
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/assets.json", directory);

    make(&r, FT_EVENT_TALK, PROTOCOL_GOOSE, 1, 0, 0);
    r.event.packet.family = 2;
    r.event.packet.proto = 0;
    memcpy(r.event.packet.src_mac, mac, 6);
    give(&r);
    give(make(&r, FT_EVENT_TALK, 0, 2, 0x0a00000au, PLC));
    give(with_unit(
        with_command(make(&r, FT_EVENT_OPERATION, PROTOCOL_POLL, 3, 0x0a000009u, PLC), POLL_READ),
        1, 4));
    give(make_fact(&r, 4, PLC, FT_FACT_NAME, "press \"7\"\n"));
    assert_true(ft_inventory_write(inv, path, error, sizeof(error)));

    json_error_t where;
    json_t *all = json_load_file(path, 0, &where);
    assert_non_null(all);
    static const char *const order[] = {"10.0.0.2", "10.0.0.9", "10.0.0.10", "00:0e:8c:09:09:09"};
    assert_int_equal(json_array_size(all), 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(json_string_value(json_object_get(json_array_get(all, i), "id")),
                            order[i]);
    json_t *plc = json_array_get(all, 0);
    assert_string_equal(json_string_value(json_object_get(plc, "name")), "press \"7\"\n");
    assert_string_equal(json_string_value(json_object_get(plc, "role")), "plc");
    json_t *unit = json_array_get(json_object_get(plc, "nested"), 0);
    assert_string_equal(json_string_value(json_object_get(unit, "id")), "10.0.0.2/unit 4");
    assert_string_equal(json_string_value(json_object_get(unit, "parent")), "10.0.0.2");
    json_decref(all);
    unlink(path);
    rmdir(directory);
    assert_false(ft_inventory_write(inv, path, error, sizeof(error)));
    assert_non_null(strstr(error, path));
}

static void test_vendors(void **state)
{
    (void)state;
    char directory[] = "/tmp/ft_oui_XXXXXX", path[100];
    static const char *const files[] = {"oui.csv", "mam.csv", "oui36.csv"};
    static const char *const rows[] = {
        "Registry,Assignment,Organization Name,Organization Address\r\n"
        "MA-L,000E8C,\"Siemens, \"\"A&D\"\" ET\",Somewhere\r\nMA-L,70B3D5,IEEE Registration "
        "Authority,x\r\nMA-L,AABBCC,Private,\r\nbroken line\r\nMA-L,00000,Short,x\r\n",
        "Registry,Assignment,Organization Name,Organization Address\nMA-M,70B3D51,Seven Digits,x\n",
        "Registry,Assignment,Organization Name,Organization Address\nMA-S,70B3D5123,Nine Digits,x"};
    assert_non_null(mkdtemp(directory));
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
        FILE *f = fopen(path, "w");
        fputs(rows[i], f);
        fclose(f);
    }
    struct ft_oui *oui = ft_oui_load(directory);
    assert_non_null(oui);
    assert_string_equal(ft_oui_vendor(oui, (uint8_t[]){0, 0x0e, 0x8c, 1, 2, 3}),
                        "Siemens, \"A&D\" ET");
    assert_string_equal(ft_oui_vendor(oui, (uint8_t[]){0x70, 0xb3, 0xd5, 0x12, 0x3f, 0}),
                        "Nine Digits");
    assert_string_equal(ft_oui_vendor(oui, (uint8_t[]){0x70, 0xb3, 0xd5, 0x12, 0x4f, 0}),
                        "Seven Digits");
    assert_null(ft_oui_vendor(oui, (uint8_t[]){0x70, 0xb3, 0xd5, 0x22, 0x4f, 0}));
    assert_null(ft_oui_vendor(oui, (uint8_t[]){2, 0x0e, 0x8c, 1, 2, 3}));
    assert_null(ft_oui_vendor(NULL, (uint8_t[]){0, 0x0e, 0x8c, 1, 2, 3}));
    ft_oui_free(oui);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
        unlink(path);
    }
    assert_null(ft_oui_load(directory));
    rmdir(directory);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

/* Somebody says what the device with an address is. */
static struct record *make_hearsay(uint64_t number, const union ft_ip *of, uint8_t family,
                                   const char *text)
{
    make_fact(&r, number, PLC, FT_FACT_NAME, text);
    r.event.fact.of = *of;
    r.event.fact.of_family = family;
    return &r;
}

static void test_hearsay_waits_for_the_device(void **state)
{
    (void)state;
    union ft_ip of;
    uint32_t other = PLC + 1;
    set_ip(&of, other);
    give(make_hearsay(1, &of, 4, "old.example"));
    give(make_hearsay(2, &of, 4, "pump.example"));
    assert_null(asset(other));
    assert_null(asset(PLC)); /* nor does it make one of who says it */
    give(make(&r, FT_EVENT_TALK, 0, 3, other, CLIENT));
    assert_string_equal(ft_asset_fact(asset(other), FT_FACT_NAME), "pump.example");
    /* Of who is there it is told at once. */
    give(make_hearsay(4, &of, 4, "pump2.example"));
    assert_string_equal(ft_asset_fact(asset(other), FT_FACT_NAME), "pump2.example");
}

static void test_hearsay_is_bounded(void **state)
{
    (void)state;
    union ft_ip of;
    char name[32];
    for (uint32_t i = 0; i < 20000; i++) {
        set_ip(&of, 0x0a800000 + i);
        snprintf(name, sizeof(name), "host%u", i);
        give(make_hearsay(i + 1, &of, 4, name));
    }
    assert_int_equal(ft_inventory_count(inv), 0);
    give(make(&r, FT_EVENT_TALK, 0, 30000, 0x0a800000, CLIENT));
    assert_null(ft_asset_fact(asset(0x0a800000), FT_FACT_NAME));
    give(make(&r, FT_EVENT_TALK, 0, 30000, 0x0a800000 + 19999, CLIENT));
    assert_string_equal(ft_asset_fact(asset(0x0a800000 + 19999), FT_FACT_NAME), "host19999");
}

/* A client without an address says who it is, then gets one. */
static void test_lease(void **state)
{
    (void)state;
    static const uint8_t mac[6] = {0, 0x80, 0xf4, 1, 2, 3}, second[6] = {0, 0x80, 0xf4, 1, 2, 4};
    union ft_ip of = {0};
    memcpy(of.bytes, mac, 6);
    give(make_hearsay(1, &of, 2, "PLC7"));
    assert_non_null(mac_asset(mac));
    make_arp(&r, 2, PLC, mac);
    r.event.fact.is_lease = true;
    give(&r);
    assert_string_equal(ft_asset_fact(asset(PLC), FT_FACT_NAME), "PLC7");
    assert_memory_equal(ft_asset_mac_address(asset(PLC)), mac, 6);
    assert_int_equal(ft_inventory_count(inv), 1);
    /* The next client gets the address: nothing wrong, but another device. */
    memcpy(of.bytes, second, 6);
    give(make_hearsay(3, &of, 2, "PLC8"));
    changes();
    make_arp(&r, 4, PLC, second);
    r.event.fact.is_lease = true;
    r.event.packet.vlan[r.event.packet.vlan_count++] = 7; /* where the server is */
    set_mac(r.event.packet.src_mac, CLIENT);
    give(&r);
    assert_string_equal(last_change, "");
    assert_string_equal(ft_asset_fact(asset(PLC), FT_FACT_NAME), "PLC8");
    assert_memory_equal(ft_asset_mac_address(asset(PLC)), second, 6);
    /* The former one is there, without it. */
    assert_int_equal(ft_inventory_count(inv), 2);
    assert_int_equal(mac_asset(mac)->address.family, 2);
    assert_string_equal(ft_asset_fact(mac_asset(mac), FT_FACT_NAME), "PLC7");
    assert_int_equal(mac_asset(mac)->last_ns, START + 2 * S);
    assert_string_equal(changes(), "00:80:f4:01:02:03:3 10.0.0.2:42 00:80:f4:01:02:04:16");
    /* It gets another one. */
    make_arp(&r, 5, STATION, mac);
    r.event.fact.is_lease = true;
    give(&r);
    assert_string_equal(ft_asset_fact(asset(STATION), FT_FACT_NAME), "PLC7");
    assert_int_equal(ft_inventory_count(inv), 2);
}

static void give_lease(uint64_t number, const uint8_t mac[6])
{
    make_arp(&r, number, PLC, mac);
    r.event.fact.is_lease = true;
    give(&r);
}

static void give_units(uint64_t number, uint64_t first, uint32_t count)
{
    for (uint64_t unit = first; unit < first + count; unit++)
        give(
            with_unit(with_command(make(&r, FT_EVENT_OPERATION, PROTOCOL_POLL, number, CLIENT, PLC),
                                   POLL_READ),
                      1, unit));
}

/* A device that comes back takes over what was learned behind its address in between: no more
 * becomes of both than one may have. */
static void test_moved_children_are_bounded(void **state)
{
    (void)state;
    static const uint8_t mac[6] = {0, 0x80, 0xf4, 1, 2, 3}, second[6] = {0, 0x80, 0xf4, 1, 2, 4};
    enum {
        UNITS = 600
    };
    uint8_t why;
    give_lease(1, mac);
    give_units(1, 0, UNITS);
    while (ft_inventory_take_changed(inv, &why))
        continue;
    give_lease(2, second);
    assert_int_equal(asset(PLC)->child_count, 0);
    assert_int_equal(mac_asset(mac)->child_count, UNITS);
    give_units(2, UNITS, UNITS);
    assert_int_equal(ft_inventory_refused(inv), 0);
    give_lease(3, mac);
    assert_int_equal(asset(PLC)->child_count, FT_ASSET_CHILDREN_MAX);
    assert_int_equal(ft_inventory_refused(inv), 2 * UNITS - FT_ASSET_CHILDREN_MAX);
    uint32_t children = 0;
    for (const struct ft_asset *a = asset(PLC)->children; a; a = a->sibling)
        children++;
    assert_int_equal(children, FT_ASSET_CHILDREN_MAX);
    assert_ptr_equal(mac_asset(mac), asset(PLC));
}

static void give_port(uint64_t number, const uint8_t device[6], const uint8_t port[6])
{
    uint8_t both[12];
    memcpy(both, device, 6);
    memcpy(both + 6, port, 6);
    make_fact(&r, number, PLC, FT_FACT_VENDOR, "");
    r.event.fact.is_address = true;
    r.event.fact.text = (uint16_t)append(&r, both, sizeof(both));
    r.event.fact.length = sizeof(both);
    give(&r);
}

/* A message of ARP or neighbour discovery, in a VLAN: its sender has the address it names. */
static void give_resolution(uint64_t number, const struct ft_address *address, const uint8_t mac[6],
                            uint16_t vlan)
{
    make_arp(&r, number, PLC, mac);
    r.event.type = FT_EVENT_RESOLUTION;
    r.event.packet.family = address->family;
    r.event.packet.vlan[0] = vlan;
    r.event.packet.vlan_count = vlan != 0;
    r.event.resolution = (struct ft_event_resolution){.family = address->family, .ip = address->ip};
    memcpy(r.event.resolution.mac, mac, 6);
    ft_inventory_resolution(inv, &r.event);
}

/* The next event of an asset with this id, as JSON; false: there is none. */
static bool told(const char *id, char text[1000])
{
    char begin_of_id[100];
    struct ft_asset *a;
    uint8_t why;
    bool is_found = false;
    snprintf(begin_of_id, sizeof(begin_of_id), "{\"id\":\"%s\",", id);
    while ((a = ft_inventory_take_changed(inv, &why))) {
        char buffer[1000] = {0};
        struct ft_json j = ft_json_make(buffer, sizeof(buffer));
        ft_json_object(&j);
        ft_asset_json(inv, a, false, &j);
        if (strncmp(buffer, begin_of_id, strlen(begin_of_id)) != 0)
            continue;
        memcpy(text, buffer, sizeof(buffer));
        is_found = true;
    }
    return is_found;
}

/* Another device claims an address: all that is known of the former one, and what is behind it,
 * stays with it, and is there again when it claims its address again. */
static void moves(const struct ft_address *address)
{
    static const uint8_t mac[6] = {0, 0x0e, 0x8c, 1, 2, 3}, other[6] = {0, 0x0e, 0x8c, 9, 9, 9};
    char text[1000];
    const struct ft_asset *a;
    give_resolution(1, address, mac, 0);
    for (uint64_t unit = 0; unit < 3; unit++) {
        make_fact(&r, 2, PLC, FT_FACT_MODEL, unit ? "drive" : "6ES7 215-1AG40-0XB0");
        r.event.packet.family = address->family;
        r.event.packet.src = address->ip;
        if (unit)
            r.event.fact.sub = (struct ft_event_sub){.kind = FT_SUB_UNIT, .value = unit};
        give(&r);
    }
    changes();

    give_resolution(3, address, other, 0);
    a = ft_inventory_find(inv, address);
    assert_memory_equal(ft_asset_mac_address(a), other, 6);
    assert_null(ft_asset_fact(a, FT_FACT_MODEL));
    assert_int_equal(ft_asset_roles(a), 0);
    assert_int_equal(a->child_count, 0);
    assert_int_equal(a->first_ns, START + 3 * S);
    a = mac_asset(mac);
    assert_int_equal(a->address.family, 2);
    assert_string_equal(ft_asset_fact(a, FT_FACT_MODEL), "6ES7 215-1AG40-0XB0");
    assert_int_equal(ft_asset_role_of(a), FT_ROLE_PLC);
    assert_int_equal(a->child_count, 2);
    assert_string_equal(ft_asset_fact(a->children, FT_FACT_MODEL), "drive");
    assert_int_equal(a->first_ns, START + S);
    assert_int_equal(a->last_ns, START + 2 * S);
    char id[64];
    ft_address_text(address, id);
    assert_true(told(id, text));
    assert_non_null(strstr(text, "\"former\":\"00:0e:8c:01:02:03\""));

    make_fact(&r, 4, PLC, FT_FACT_FIRMWARE, "2.1"); /* as an intruder passes it on */
    r.event.packet.family = address->family;
    r.event.packet.src = address->ip;
    give(&r);
    changes();
    give_resolution(4, address, mac, 0);
    a = ft_inventory_find(inv, address);
    assert_ptr_equal(mac_asset(mac), a);
    assert_string_equal(ft_asset_fact(a, FT_FACT_MODEL), "6ES7 215-1AG40-0XB0");
    assert_int_equal(a->child_count, 2);
    assert_string_equal(ft_asset_fact(a, FT_FACT_FIRMWARE), "2.1");
    assert_int_equal(mac_asset(other)->address.family, 2);
    assert_null(ft_asset_fact(mac_asset(other), FT_FACT_FIRMWARE));
    assert_int_equal(ft_inventory_count_all(inv), 4);
    assert_true(told(id, text));
    assert_non_null(strstr(text, "\"former\":\"00:0e:8c:09:09:09\""));
    make_fact(&r, 5, PLC, FT_FACT_SERIAL, "4711");
    r.event.packet.family = address->family;
    r.event.packet.src = address->ip;
    give(&r);
    assert_true(told(id, text)); /* of something else */
    assert_null(strstr(text, "former"));
    assert_string_equal(last_change, ""); /* the core tells of it */
}

static void test_moves_by_arp(void **state)
{
    struct ft_address address = {.family = 4};
    (void)state;
    set_ip(&address.ip, PLC);
    moves(&address);
}

static void test_moves_by_neighbour_discovery(void **state)
{
    struct ft_address address = {.family = 6};
    (void)state;
    address.ip.bytes[0] = 0xfe;
    address.ip.bytes[1] = 0x80;
    address.ip.bytes[15] = 1;
    moves(&address);
}

/* Days later it is another device's again: that one has come for good, and goes with what it is. */
static void test_returns_after_long(void **state)
{
    static const uint8_t mac[6] = {0, 0x0e, 0x8c, 1, 2, 3}, other[6] = {0, 0x0e, 0x8c, 9, 9, 9};
    struct ft_address address = {.family = 4};
    (void)state;
    set_ip(&address.ip, PLC);
    give_resolution(1, &address, mac, 0);
    give(make_fact(&r, 1, PLC, FT_FACT_NAME, "PLC7"));
    give_resolution(2, &address, other, 0);
    give(make_fact(&r, 3, PLC, FT_FACT_NAME, "HMI1"));
    give_resolution(2 + 600, &address, mac, 0);
    assert_string_equal(ft_asset_fact(asset(PLC), FT_FACT_NAME), "PLC7");
    assert_string_equal(ft_asset_fact(mac_asset(other), FT_FACT_NAME), "HMI1");
}

/* What is no move: the same address in a cell that is built alike, another port of the device, what
 * was concluded from traffic only. And a device that has another address stays as that. */
static void test_what_is_no_move(void **state)
{
    static const uint8_t mac[6] = {0, 0x0e, 0x8c, 1, 2, 3}, other[6] = {0, 0x0e, 0x8c, 9, 9, 9};
    static const uint8_t port[6] = {0, 0x0e, 0x8c, 1, 2, 4};
    struct ft_address address = {.family = 4}, second = {.family = 4};
    (void)state;
    set_ip(&address.ip, PLC);
    set_ip(&second.ip, STATION);
    give_resolution(1, &address, mac, 10);
    give(make_fact(&r, 2, PLC, FT_FACT_NAME, "PLC7"));
    give_resolution(3, &address, other, 20);
    give_resolution(4, &address, mac, 10);
    give_port(5, mac, port);
    give_resolution(6, &address, port, 10);
    assert_string_equal(ft_asset_fact(asset(PLC), FT_FACT_NAME), "PLC7");
    assert_int_equal(ft_inventory_count(inv), 1);

    give(make(&r, FT_EVENT_TALK, 0, 7, CLIENT, 0xc0a80001u));
    give(make_fact(&r, 8, CLIENT, FT_FACT_NAME, "HMI1"));
    give(make_arp(&r, 9, CLIENT, other));
    assert_string_equal(ft_asset_fact(asset(CLIENT), FT_FACT_NAME), "HMI1");

    /* A router answers for somebody, who then speaks himself. */
    static const uint8_t router[6] = {0, 0x0e, 0x8c, 0xaa, 0xaa, 0xaa};
    give(make_arp(&r, 9, STATION + 1, router));
    give(make_fact(&r, 9, STATION + 1, FT_FACT_ROLE, "router"));
    give(make_arp(&r, 9, STATION + 2, router));
    give(make_fact(&r, 9, STATION + 2, FT_FACT_NAME, "PLC9"));
    give(make_arp(&r, 9, STATION + 2, (const uint8_t[]){0, 0x0e, 0x8c, 5, 5, 5}));
    assert_string_equal(ft_asset_fact(asset(STATION + 2), FT_FACT_NAME), "PLC9");
    assert_null(ft_asset_fact(asset(STATION + 1), FT_FACT_NAME));

    give_resolution(10, &address, mac, 10);
    give_resolution(11, &second, mac, 10);
    give_resolution(12, &address, other, 10);
    assert_string_equal(ft_asset_fact(asset(STATION), FT_FACT_NAME), "PLC7");
    assert_null(ft_asset_fact(asset(PLC), FT_FACT_NAME));
    assert_ptr_equal(mac_asset(mac), asset(STATION));

    /* It comes back at once: what was passed on in between is not another's. */
    give(make_fact(&r, 13, PLC, FT_FACT_FIRMWARE, "2.1"));
    give_resolution(14, &address, mac, 10);
    assert_string_equal(ft_asset_fact(asset(PLC), FT_FACT_FIRMWARE), "2.1");
    assert_null(ft_asset_fact(mac_asset(other), FT_FACT_FIRMWARE));
}

/* A device says, with LLDP, by which address it is managed. */
static struct record *make_management(uint64_t number, uint32_t ip, const uint8_t mac[6])
{
    make_arp(&r, number, ip, mac);
    r.event.fact.is_management = true;
    return &r;
}

static void test_management(void **state)
{
    (void)state;
    static const uint8_t mac[6] = {0, 0x80, 0xf4, 1, 2, 3}, second[6] = {0, 0x80, 0xf4, 1, 2, 4};
    static const uint8_t card[6] = {0, 0x80, 0xf4, 1, 2, 5};
    union ft_ip of = {0};
    memcpy(of.bytes, mac, 6);
    give(make_hearsay(1, &of, 2, "sw1"));
    give(make_management(2, PLC, mac));
    assert_int_equal(ft_inventory_count(inv), 1);
    assert_string_equal(ft_asset_fact(asset(PLC), FT_FACT_NAME), "sw1");
    assert_memory_equal(ft_asset_mac_address(asset(PLC)), mac, 6);
    /* Another one came from the factory with the same address. */
    memcpy(of.bytes, second, 6);
    give(make_hearsay(3, &of, 2, "sw2"));
    give(make_management(4, PLC, second));
    assert_int_equal(ft_inventory_count(inv), 2);
    assert_memory_equal(ft_asset_mac_address(asset(PLC)), mac, 6);
    /* The card for management has another MAC address, as ARP says: no move. */
    give(make_arp(&r, 5, PLC, card));
    assert_string_equal(last_change, "");
    assert_memory_equal(ft_asset_mac_address(asset(PLC)), card, 6);
    give(make_management(6, PLC, mac));
    assert_memory_equal(ft_asset_mac_address(asset(PLC)), card, 6);
    /* From now on another is. */
    give(make_arp(&r, 7, PLC, mac));
    assert_string_not_equal(last_change, "");
    /* An address that it does not use is not there for having been named. */
    give(make_management(8, PLC + 77, mac));
    assert_null(asset(PLC + 77));
}

/* What nobody was told of needs no end; what is told and not taken is freed. */
static void test_merged(void **state)
{
    (void)state;
    static const uint8_t mac[6] = {0x00, 0x0e, 0x8c, 1, 2, 3}, second[6] = {0, 0x0e, 0x8c, 1, 2, 4};
    union ft_ip of = {0};
    memcpy(of.bytes, mac, 6);
    give(make_hearsay(1, &of, 2, "PLC7"));
    give(make_arp(&r, 1, PLC, mac));
    assert_string_equal(changes(), "10.0.0.2:11");
    /* Behind the MAC address and the IP address the same was found: facts of both are kept. */
    memcpy(of.bytes, second, 6);
    give(make_hearsay(2, &of, 2, "RTU3"));
    for (int i = 0; i < 2; i++) {
        make_fact(&r, 2, STATION, i ? FT_FACT_MODEL : FT_FACT_SERIAL, i ? "drive" : "4711");
        r.event.fact.sub = (struct ft_event_sub){.kind = FT_SUB_UNIT, .value = 2};
        if (i) {
            r.event.packet.family = 2;
            memcpy(r.event.packet.src_mac, second, 6);
        }
        give(&r);
    }
    changes();
    give(make_arp(&r, 3, STATION, second));
    struct ft_asset *a, *merged = NULL;
    uint8_t why;
    char buffer[1000];
    while ((a = ft_inventory_take_changed(inv, &why)))
        if (why == FT_ASSET_MERGED) {
            struct ft_json j = ft_json_make(buffer, sizeof(buffer));
            ft_json_object(&j);
            ft_asset_json(inv, a, false, &j);
            assert_true(!merged == !strstr(buffer, "\"id\":\"00:0e:8c:01:02:04/unit 2\""));
            assert_non_null(
                strstr(buffer, merged ? "\"into\":\"10.0.0.3/unit 2\"" : "\"into\":\"10.0.0.3\""));
            merged = a;
        }
    assert_non_null(merged);
    assert_int_equal(asset(STATION)->child_count, 1);
    assert_string_equal(ft_asset_fact(asset(STATION)->children, FT_FACT_SERIAL), "4711");
    assert_string_equal(ft_asset_fact(asset(STATION)->children, FT_FACT_MODEL), "drive");
    memcpy(of.bytes, mac, 6);
    of.bytes[5]++;
    of.bytes[5]++;
    give(make_hearsay(4, &of, 2, "X"));
    changes();
    give(make_arp(&r, 5, STATION + 1, of.bytes)); /* never taken */
}

/* Each port of a switch has a MAC address of its own: one device, under that of its chassis. */
static void test_ports_are_their_device(void **state)
{
    (void)state;
    static const uint8_t chassis[6] = {0, 0x0e, 0x8c, 1, 2, 0}, other[6] = {0, 0x0e, 0x8c, 9, 9, 9};
    uint8_t port[6] = {0, 0x0e, 0x8c, 1, 2, 0};
    union ft_ip of = {0};
    for (uint8_t i = 1; i < 4; i++) {
        port[5] = i;
        memcpy(of.bytes, port, 6);
        give(make_hearsay(i, &of, 2, "sw1"));
        if (i == 1)
            changes();
        give_port(i, chassis, port);
        assert_int_equal(ft_inventory_count(inv), 1);
        assert_ptr_equal(mac_asset(port), mac_asset(chassis));
        assert_string_equal(changes(), i == 1 ? "00:0e:8c:01:02:00:3 00:0e:8c:01:02:01:16" : "");
    }
    assert_string_equal(ft_asset_fact(mac_asset(chassis), FT_FACT_NAME), "sw1");
    /* Its address is stated: ports and all are that asset. */
    give(make_arp(&r, 5, PLC, chassis));
    assert_int_equal(ft_inventory_count(inv), 1);
    assert_ptr_equal(mac_asset(port), asset(PLC));
    /* No ports of ports, none in a circle, none that is itself or no station. */
    static const uint8_t group[6] = {1}, none[6];
    give_port(6, port, other);
    give_port(6, other, chassis);
    give_port(6, chassis, chassis);
    give_port(6, group, other);
    give_port(6, none, other);
    assert_null(mac_asset(other));
    assert_int_equal(ft_inventory_count(inv), 1);
    /* A device with an address of its own is no port: nobody hides one behind another. */
    give(make_arp(&r, 7, STATION, other));
    give_port(8, chassis, other);
    assert_ptr_equal(mac_asset(other), asset(STATION));
    assert_int_equal(ft_inventory_count(inv), 2);
    /* A port that is stated to have an address is a device from then on. */
    give(make_arp(&r, 9, STATION + 1, port));
    assert_ptr_equal(mac_asset(port), asset(STATION + 1));
}

/* In one packet a port is found to be its device's, and that to have an IP address. */
static void test_merged_twice(void **state)
{
    (void)state;
    static const uint8_t chassis[6] = {0, 0x0e, 0x8c, 1, 2, 0}, port[6] = {0, 0x0e, 0x8c, 1, 2, 1};
    union ft_ip of = {0};
    memcpy(of.bytes, port, 6);
    give(make_hearsay(1, &of, 2, "sw1"));
    changes();
    give_port(2, chassis, port);
    give(make_arp(&r, 2, PLC, chassis));
    struct ft_asset *a;
    uint8_t why, merged = 0;
    while ((a = ft_inventory_take_changed(inv, &why))) {
        if (why != FT_ASSET_MERGED)
            continue;
        char into[64];
        ft_address_text(&a->into, into);
        assert_string_equal(into, "10.0.0.2"); /* nobody was told of the device in between */
        merged++;
    }
    assert_int_equal(merged, 1);
}

static void give_in_vlans(uint32_t ip, const uint8_t mac[6], uint16_t outer, uint16_t inner)
{
    make(&r, FT_EVENT_TALK, 0, 1, ip, CLIENT);
    memcpy(r.event.packet.src_mac, mac, 6);
    r.event.packet.vlan[0] = outer;
    r.event.packet.vlan[1] = inner;
    r.event.packet.vlan_count = 1 + (inner != 0);
    give(&r);
}

static void test_vlans(void **state)
{
    static const uint8_t mac[6] = {0, 0x0e, 0x8c, 1, 2, 3}, router[6] = {0, 0x0e, 0x8c, 9, 9, 9};
    const uint16_t ids[] = {30, 10, 30, 4094, 20};
    (void)state;
    for (unsigned i = 0; i < 5; i++)
        give_in_vlans(PLC, mac, ids[i], 0);
    assert_int_equal(asset(PLC)->vlan_count, 4);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(asset(PLC)->vlans[i], ((const uint16_t[]){10, 20, 30, 4094})[i]);
    changes();
    give_in_vlans(PLC, mac, 7, 15); /* a carrier's, its own */
    assert_string_equal(changes(), "10.0.0.2:64");
    give_in_vlans(PLC, mac, 0, 0);     /* a priority only */
    give_in_vlans(PLC, mac, 4095, 0);  /* nobody's */
    give_in_vlans(PLC, mac, 15, 4095); /* the one before */
    give_in_vlans(PLC, router, 99, 0); /* came through somebody else */
    assert_string_equal(changes(), "");
    assert_int_equal(asset(PLC)->vlan_count, 5);
    for (uint16_t id = 100; id < 120; id++)
        give_in_vlans(PLC, mac, id, 0);
    assert_int_equal(asset(PLC)->vlan_count, FT_ASSET_VLANS_MAX);
    assert_int_equal(asset(PLC)->vlans[7], 4094);
    assert_int_equal(asset(PLC)->vlans[6], 102);

    char text[1000];
    give(make_fact(&r, 2, PLC, FT_FACT_NAME, "PLC7"));
    assert_true(told("10.0.0.2", text));
    assert_non_null(strstr(text, "\"vlans\":[10,15,20,30,100,101,102,4094]"));
    /* Who is behind a router is not where the router is. */
    for (uint32_t i = 0; i < 3; i++)
        give_in_vlans(0xc0a80001u + i, router, 50, 0);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(asset(0xc0a80001u + i)->vlan_count, 0);
    /* By ARP, and at layer 2; both are kept when they are found to be one. */
    make(&r, FT_EVENT_TALK, PROTOCOL_GOOSE, 3, 0, 0);
    r.event.packet.family = 2;
    r.event.packet.vlan[0] = 60;
    r.event.packet.vlan_count = 1;
    memcpy(r.event.packet.src_mac, router, 6);
    give(&r);
    struct ft_address address = {.family = 4};
    set_ip(&address.ip, STATION);
    give_resolution(4, &address, router, 50);
    assert_int_equal(asset(STATION)->vlan_count, 2);
    assert_int_equal(asset(STATION)->vlans[0], 50);
    assert_int_equal(asset(STATION)->vlans[1], 60);
}

/* Both ends of each range that is nobody's on the Internet, and their neighbours. */
static void test_external_addresses(void **state)
{
    static const struct {
        uint8_t bytes[4];
        bool is_external;
    } rows[] = {
        {{9, 255, 255, 255}, true}, {{10, 0, 0, 0}, false},      {{10, 255, 255, 255}, false},
        {{11, 0, 0, 0}, true},      {{100, 63, 255, 255}, true}, {{100, 64, 0, 0}, false},
        {{100, 127, 0, 0}, false},  {{100, 128, 0, 0}, true},    {{127, 0, 0, 1}, false},
        {{169, 253, 0, 1}, true},   {{169, 254, 0, 1}, false},   {{172, 15, 0, 1}, true},
        {{172, 16, 0, 1}, false},   {{172, 31, 0, 1}, false},    {{172, 32, 0, 1}, true},
        {{192, 167, 0, 1}, true},   {{192, 168, 0, 1}, false},   {{192, 169, 0, 1}, true},
        {{223, 255, 255, 1}, true}, {{224, 0, 0, 1}, false},     {{255, 255, 255, 255}, false},
        {{0, 0, 0, 0}, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ft_address a = {.family = 4};
        memcpy(a.ip.bytes, rows[i].bytes, 4);
        assert_int_equal(ft_address_is_external(&a), rows[i].is_external);
    }
    struct ft_address six = {.family = 6};
    static const uint8_t firsts[] = {0x20, 0x3f, 0xfc, 0xfe, 0xff, 0x00};
    for (size_t i = 0; i < sizeof(firsts); i++) {
        six.ip.bytes[0] = firsts[i];
        assert_int_equal(ft_address_is_external(&six), i < 2);
    }
    struct ft_address mac = {.family = 2};
    mac.ip.bytes[0] = 0x38;
    assert_false(ft_address_is_external(&mac));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_only_who_was_heard_is_an_asset),
        TEST(test_a_command_over_tcp_shows_its_receiver),
        TEST(test_an_answered_flow_shows_the_server),
        TEST(test_groups_and_impossible_addresses_are_none),
        TEST(test_facts_are_told_once_per_packet),
        TEST(test_address_for_management),
        TEST(test_protocols_that_disagree_are_no_change),
        TEST(test_roles),
        TEST(test_roles_over_datagrams),
        TEST(test_what_it_does_beats_what_it_calls_itself),
        TEST(test_two_ports_are_no_switch),
        TEST(test_who_serves_is_no_mere_client),
        cmocka_unit_test(test_products),
        TEST(test_texts_that_say_nothing),
        TEST(test_who_tells_of_a_service_counts_less),
        TEST(test_a_publisher_to_a_group_is_a_server),
        TEST(test_a_transport_is_no_role),
        TEST(test_nested_identities),
        TEST(test_text_identities_are_told_apart),
        TEST(test_arp_joins_mac_and_ip),
        TEST(test_arp_probe_binds_nothing),
        TEST(test_a_mac_with_many_addresses_is_a_router),
        TEST(test_forged_arp),
        TEST(test_forged_moves_use_nothing_up),
        TEST(test_inner_traffic_of_gre_has_no_mac),
        TEST(test_bounds),
        TEST(test_children_are_bounded),
        TEST(test_file_is_sorted_and_whole),
        TEST(test_vendors),
        TEST(test_hearsay_waits_for_the_device),
        TEST(test_hearsay_is_bounded),
        TEST(test_lease),
        TEST(test_moved_children_are_bounded),
        TEST(test_vlans),
        TEST(test_moves_by_arp),
        TEST(test_moves_by_neighbour_discovery),
        TEST(test_returns_after_long),
        TEST(test_what_is_no_move),
        TEST(test_management),
        TEST(test_merged),
        TEST(test_ports_are_their_device),
        TEST(test_merged_twice),
        cmocka_unit_test(test_external_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
