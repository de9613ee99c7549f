/* SPDX-License-Identifier: BSD-3-Clause */
/* role.c: what a device is, by order number, protocol and class of what is asked, and by rank. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "inventory/inventory.h"

#define BIT(role) (1u << FT_ROLE_##role)

static void test_products(void **state)
{
    static const struct {
        const char *text;
        uint32_t role;
    } rows[] = {
        {"6ES7 214-1AG40-0XB0", BIT(PLC)},
        {"6ES7 315-2EH14-0AB0", BIT(PLC)},
        {"6ES7 417-4XT05-0AB0", BIT(PLC)},
        {"6ES7 511-1AK02-0AB0", BIT(PLC)},
        {"6ES7 151-7AA21-0AB0", BIT(PLC)},
        {"6ES7 151-8AB01-0AB0", BIT(PLC)},
        {"6ES7 154-8AB01-0AB0", BIT(PLC)},
        {"6ES7 151-1AA05-0AB0", 0}, /* an interface module without a CPU */
        {"6AV2 124-0GC01-0AX0", BIT(HMI)},
        {"6AV6 642-0AA11-0AX1", BIT(HMI)},
        {"6AV7 240-3DC07-0HA0", BIT(HMI)},
        {"6GK5 615-0AA00-2AA2", BIT(ROUTER)},
        {"6GK5 816-1BA00-2AA2", BIT(ROUTER)},
        {"6GK5 208-0BA10-2AA3", BIT(SWITCH)},
        {"6GK6 000-8HS01-1AA0", BIT(SWITCH)},
        {"SCALANCE S615", BIT(ROUTER)},
        {"SCALANCE M816-1", BIT(ROUTER)},
        {"SCALANCE X208", BIT(SWITCH)},
        {"RUGGEDCOM RSG2100", BIT(SWITCH)},
        {"1756-L61/B LOGIX5561", BIT(PLC)},
        {"1769-L32E Ethernet Port", BIT(PLC)},
        {"5069-L306ER", BIT(PLC)},
        {"1763-L16BWA B/7.00", BIT(PLC)},
        {"1766-L32BXB", BIT(PLC)},
        {"2080-LC50-24QWB", BIT(PLC)},
        {"1783-BMS10CGL", BIT(SWITCH)},
        {"Stratix 5700", BIT(SWITCH)},
        {"BMX P34 2020", BIT(PLC)},
        {"BME P58 2040", BIT(PLC)},
        {"1756-ENBT/A", 0},
        {"6ES7", 0},
        {"", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (ft_role_of_product(rows[i].text) != rows[i].role)
            fail_msg("%s: %#x", rows[i].text, ft_role_of_product(rows[i].text));
}

static void test_network_devices(void **state)
{
    static const char *const yes[] = {"Managed Switch",     "Industrial ROUTER",  "firewall",
                                      "Cisco IOS Software", "Hirschmann MACH",    "Westermo RedFox",
                                      "N-Tron 708",         "Moxa EDS-408A",      "Juniper SRX",
                                      "Aruba 2930F",        "Fortinet FortiGate", "MikroTik RB",
                                      "Brocade ICX",        "NETGEAR GS108T"};
    static const char *const no[] = {"", "SIMATIC S7", "Windows", "EDS 408", "Modicon"};
    (void)state;
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        if (!ft_role_is_network(yes[i]))
            fail_msg("%s", yes[i]);
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        if (ft_role_is_network(no[i]))
            fail_msg("%s", no[i]);
}

static uint32_t server_of(const char *name, uint32_t flags)
{
    struct ft_protocol p = {.name = name, .flags = flags};
    return ft_role_of_server(&p);
}

static uint32_t client_of(const char *name, uint32_t flags, enum ft_class class_)
{
    struct ft_protocol p = {.name = name, .flags = flags};
    return ft_role_of_client(&p, class_);
}

#define OT FT_DISSECTOR_OT

/* Who serves a protocol, and who reads by it. */
static void test_protocols(void **state)
{
    static const struct {
        const char *name;
        uint32_t server, client;
    } rows[] = {
        {"modbus", BIT(PLC), BIT(HMI)},
        {"s7comm", BIT(PLC), BIT(HMI)},
        {"c37118", BIT(IED), BIT(SCADA)},
        {"dnp3", BIT(RTU), BIT(SCADA)},
        {"enip", 0, 0},
        {"ethercat", 0, BIT(PLC)},
        {"goose", BIT(IED), 0},
        {"hart_ip", BIT(IO), BIT(SCADA)},
        {"iccp", BIT(SCADA), BIT(SCADA)},
        {"iec101", BIT(RTU), BIT(SCADA)},
        {"iec103", BIT(IED), BIT(SCADA)},
        {"iec104", BIT(RTU), BIT(SCADA)},
        {"mms", BIT(IED), BIT(SCADA)},
        {"mqtt", BIT(SERVER), 0},
        {"opcua", BIT(SERVER), BIT(SCADA)},
        {"profinet_rt", 0, 0},
        {"sv", BIT(IED), 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (server_of(rows[i].name, OT) != rows[i].server)
            fail_msg("server of %s: %#x", rows[i].name, server_of(rows[i].name, OT));
        if (client_of(rows[i].name, OT, FT_CLASS_READ) != rows[i].client)
            fail_msg("client of %s", rows[i].name);
    }
    /* what only carries, and what offices speak, says nothing */
    assert_int_equal(server_of("cotp", OT | FT_DISSECTOR_TRANSPORT), 0);
    assert_int_equal(client_of("cotp", OT | FT_DISSECTOR_TRANSPORT, FT_CLASS_PROGRAM), 0);
    assert_int_equal(server_of("http", 0), 0);
    assert_int_equal(client_of("http", 0, FT_CLASS_WRITE), 0);
}

static void test_classes(void **state)
{
    static const struct {
        enum ft_class class_;
        uint32_t of_modbus, of_dnp3;
    } rows[] = {
        {FT_CLASS_UNKNOWN, 0, 0},
        {FT_CLASS_FIRMWARE, BIT(ENGINEERING), BIT(ENGINEERING)},
        {FT_CLASS_PROGRAM, BIT(ENGINEERING), BIT(ENGINEERING)},
        {FT_CLASS_UPLOAD, BIT(ENGINEERING), BIT(ENGINEERING)},
        {FT_CLASS_MODE, BIT(ENGINEERING), 0}, /* a master restarts its outstations */
        {FT_CLASS_CONFIG, 0, 0},
        {FT_CLASS_ADMIN, 0, 0},
        {FT_CLASS_OPERATE, BIT(HMI), BIT(SCADA)},
        {FT_CLASS_WRITE, BIT(HMI), BIT(SCADA)},
        {FT_CLASS_READ, BIT(HMI), BIT(SCADA)},
        {FT_CLASS_FILE, 0, 0},
        {FT_CLASS_AUTH, 0, 0},
        {FT_CLASS_DIAGNOSTIC, 0, 0},
        {FT_CLASS_SESSION, 0, 0},
        {FT_CLASS_DATA, 0, 0},
        {FT_CLASS_EVENT, 0, 0},
    };
    (void)state;
    assert_int_equal(sizeof(rows) / sizeof(rows[0]), FT_CLASS_COUNT);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(client_of("modbus", OT, rows[i].class_), rows[i].of_modbus);
        assert_int_equal(client_of("dnp3", OT, rows[i].class_), rows[i].of_dnp3);
    }
}

/* Of several roles one is told: whoever knows best first, then by what tells most. */
static void test_rank(void **state)
{
    static const struct {
        uint32_t product, said, forwards, derived;
        bool is_network_device;
        enum ft_role role;
    } rows[] = {
        {0, 0, 0, 0, false, FT_ROLE_UNKNOWN},
        {BIT(PLC), BIT(SCADA), BIT(SWITCH), BIT(HMI), true, FT_ROLE_PLC},
        {BIT(HMI), 0, 0, BIT(ENGINEERING), false, FT_ROLE_HMI},
        {0, BIT(HISTORIAN), 0, BIT(HMI), false, FT_ROLE_HISTORIAN},
        {0, BIT(SERVER), 0, BIT(HMI), false, FT_ROLE_HMI},
        {0, BIT(WORKSTATION), 0, BIT(SCADA), false, FT_ROLE_SCADA},
        {0, BIT(SERVER) | BIT(WORKSTATION), 0, 0, false, FT_ROLE_SERVER},
        {0, 0, 0, BIT(SERVER), false, FT_ROLE_SERVER},
        {0, 0, BIT(SWITCH), BIT(PLC), true, FT_ROLE_SWITCH},
        {0, 0, BIT(SWITCH), BIT(PLC), false, FT_ROLE_PLC},
        {0, BIT(HMI), BIT(ROUTER), 0, false, FT_ROLE_HMI},
        {0, BIT(SERVER), BIT(ROUTER), 0, false, FT_ROLE_ROUTER},
        {0, 0, BIT(SWITCH) | BIT(ROUTER), 0, true, FT_ROLE_SWITCH},
        {0, 0, BIT(ROUTER), 0, true, FT_ROLE_ROUTER},
        /* who is asked as a controller is none that only says that it supervises */
        {0, BIT(SCADA), 0, BIT(RTU), false, FT_ROLE_RTU},
        {0, BIT(SCADA), 0, BIT(HMI), false, FT_ROLE_SCADA},
        {0, BIT(SCADA) | BIT(IED), 0, 0, false, FT_ROLE_IED},
        /* the order among those that are known alike */
        {0, 0, 0, BIT(ENGINEERING) | BIT(PLC), false, FT_ROLE_ENGINEERING},
        {0, 0, 0, BIT(PLC) | BIT(RTU), false, FT_ROLE_PLC},
        {0, 0, 0, BIT(RTU) | BIT(IED), false, FT_ROLE_RTU},
        {0, 0, 0, BIT(IED) | BIT(IO), false, FT_ROLE_IED},
        {0, 0, 0, BIT(IO) | BIT(SCADA), false, FT_ROLE_IO},
        {0, 0, 0, BIT(SCADA) | BIT(HMI), false, FT_ROLE_SCADA},
        {0, 0, 0, BIT(HMI) | BIT(GATEWAY), false, FT_ROLE_HMI},
        {0, 0, 0, BIT(GATEWAY) | BIT(HISTORIAN), false, FT_ROLE_GATEWAY},
        {0, 0, 0, BIT(HISTORIAN) | BIT(ROUTER), false, FT_ROLE_HISTORIAN},
        {0, 0, 0, BIT(ROUTER) | BIT(SWITCH), false, FT_ROLE_ROUTER},
        {0, 0, 0, BIT(SWITCH) | BIT(SERVER), false, FT_ROLE_SWITCH},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct ft_asset asset = {.roles_product = rows[i].product,
                                       .roles_said = rows[i].said,
                                       .roles_forwards = rows[i].forwards,
                                       .roles_derived = rows[i].derived,
                                       .is_network_device = rows[i].is_network_device};
        if (ft_asset_role_of(&asset) != rows[i].role)
            fail_msg("row %zu: %u", i, ft_asset_role_of(&asset));
        assert_int_equal(ft_asset_roles(&asset),
                         rows[i].product | rows[i].said | rows[i].forwards | rows[i].derived);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products),  cmocka_unit_test(test_network_devices),
        cmocka_unit_test(test_protocols), cmocka_unit_test(test_classes),
        cmocka_unit_test(test_rank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
