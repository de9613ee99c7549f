/* SPDX-License-Identifier: BSD-3-Clause */
/* LLDP: every TLV, what it tells of the neighbour, order and lengths, changes of identity. */
#include "feed.h"

extern const struct ft_dissector ft_dissector_lldp;

static const struct ft_dissector *const dissectors[] = {&ft_dissector_lldp, NULL};

static struct feed f;

static int open_feed(void **state)
{
    (void)state;
    feed_open(&f, dissectors, "lldp", FT_TRANSPORT_L2, 0x88cc);
    memcpy(f.flow.client_mac, "\x00\x80\xf4\x01\x02\x03", 6);
    memcpy(f.flow.server_mac, "\x01\x80\xc2\x00\x00\x00", 6);
    return 0;
}

static int close_feed(void **state)
{
    (void)state;
    feed_close(&f);
    return 0;
}

/* "sw1", "port-001.valve-7", 20 s */
#define CHASSIS_MAC "0207 04 0080f4010203 "
#define PORT        "0404 07 703031 "
#define TTL         "0602 0014 "
#define START       CHASSIS_MAC PORT TTL
#define NAME        "0a03 737731 "
#define END         "0000"

static void advertisement(void **state)
{
    (void)state;
    const char *s = to_server(
        &f,
        START "0806 657468203031 " NAME "0e04 0014 0004 "
              "100c 05 01 c0a80102 02 00000003 00 1018 11 02 fe800000000000000000000000000001 02 "
              "00000003 00 fe06 0080c2 01 0005 fe0a 0080c2 03 0005 03 616263 " END);
    assert_has(s, "\"command\":\"advertisement\"");
    assert_has(s,
               "\"chassis\":{\"subtype\":\"mac\",\"subtype_code\":4,\"id\":\"00:80:f4:01:02:03\"}");
    assert_has(s, "\"port\":{\"subtype\":\"local\",\"subtype_code\":7,\"id\":\"p01\","
                  "\"description\":\"eth 01\"}");
    assert_has(s, "\"ttl\":20");
    assert_has(s, "\"sysname\":\"sw1\"");
    assert_has(s, "\"capabilities\":[\"bridge\",\"router\"]");
    assert_has(s, "\"enabled\":[\"bridge\"]");
    assert_has(s, "\"address\":\"192.168.1.2\",\"numbering\":\"if_index\",\"numbering_code\":2,"
                  "\"interface\":3");
    assert_has(s, "\"address\":\"fe80:0:0:0:0:0:0:1\"");
    assert_has(s, "\"vlan\":5");
    assert_has(s, "\"vlans\":[{\"id\":5,\"name\":\"abc\"}]");
    assert_has(s, "\"fact\":\"name\",\"value\":\"sw1\"");
    assert_has(s, "\"fact\":\"management\",\"value\":\"192.168.1.2\"");
    assert_has(s, "{\"address\":{\"ip\":\"192.168.1.2\",\"mac\":\"00:80:f4:01:02:03\","
                  "\"management\":true}}");
    assert_has(s, "{\"of\":\"192.168.1.2\",\"fact\":\"name\",\"value\":\"sw1\"}");
    assert_has(s, "\"fact\":\"role\",\"value\":\"switch\"");
    assert_has_not(s, "\"value\":\"router\"");
    assert_clean(s);
}

static void organisations(void **state)
{
    (void)state;
    const char *s = to_server(
        &f, START
        "fe09 00120f 01 03 6c11 0010 fe06 00120f 04 05ee fe0c 00120f 02 0f 01 05 00 0082 0082 "
        "fe09 00120f 03 01 00000000 fe08 0080c2 04 03 88cc01 "
        "fe07 0012bb 01 003f 04 fe08 0012bb 02 01 40014e fe07 0012bb 04 51 0082 "
        "fe07 0012bb 03 03 3131 fe08 0012bb 05 48573031 fe08 0012bb 06 46573032 "
        "fe08 0012bb 08 31323334 fe08 0012bb 09 41636d65 fe08 0012bb 0a 4d6f6434 "
        "fe07 0012bb 0b 413431 fe07 00005e 01 682f61 fe06 aabbcc 09 0102 1403 010203 " END);
    assert_has(s, "\"mau\":{\"autonegotiation\":[\"supported\",\"enabled\"]");
    assert_has(s, "\"type\":\"100base_tx_full\"");
    assert_has(s, "\"max_frame\":1518");
    assert_has(s, "\"requested\":13,\"allocated\":13");
    assert_has(s, "\"aggregation\":[{\"status\":[\"capable\"]");
    assert_has(s, "\"class\":\"network_connectivity\"");
    assert_has(s, "\"policy\":[{\"application\":\"voice\",\"application_code\":1,\"tagged\":true,"
                  "\"vlan\":0,\"priority\":5,\"dscp\":14}]");
    assert_has(s, "\"watt\":13");
    assert_has(s, "\"location\":[{\"format\":\"elin\"");
    assert_has(
        s,
        "\"hw\":\"HW01\",\"fw\":\"FW02\",\"serial\":\"1234\",\"mfr\":\"Acme\",\"model\":\"Mod4\","
        "\"asset\":\"A41\"");
    assert_has(s, "\"mud_url\":\"h/a\"");
    assert_has(s, "\"organisation\":[{\"oui\":11189196,\"subtype\":9,\"data\":\"0102\"}]");
    assert_has(s, "\"other\":[{\"type\":10,\"data\":\"010203\"}]");
    assert_has(s, "\"fact\":\"vendor\",\"value\":\"Acme\"");
    assert_has(s, "\"fact\":\"model\",\"value\":\"Mod4\"");
    assert_has(s, "\"fact\":\"firmware\",\"value\":\"FW02\"");
    assert_has(s, "\"fact\":\"serial\",\"value\":\"1234\"");
    assert_clean(s);
}

/* "port-001.valve-7" behind a chassis of text; and the older form. */
static void profinet(void **state)
{
    (void)state;
    const char *s =
        to_server(&f, "0205 07 41204220 0411 07 706f72742d3030312e76616c76652d37 " TTL
                      "fe08 000ecf 02 0001 0002 fe0a 000ecf 05 0080f4010203 "
                      "fe07 000ecf 03 703031 fe16 000ecf 04 00112233445566778899aabbccddeeff "
                      "0001 " END);
    assert_has(s, "\"rtclass2\":\"synchronised_not_sending\"");
    assert_has(s, "\"chassis_mac\":\"00:80:f4:01:02:03\"");
    assert_has(s, "\"alias\":\"p01\",\"mrp_domain\":\"00112233445566778899aabbccddeeff\"");
    assert_has(s, "\"fact\":\"name\",\"value\":\"valve-7\"");
    assert_clean(s);
    feed_next_flow(&f);
    s = to_server(&f, "0208 07 76616c76652d38 0409 07 706f72742d303031 " TTL
                      "fe08 000ecf 02 0000 0000 " END);
    assert_has(s, "\"fact\":\"name\",\"value\":\"valve-8\"");
}

/* Each port has a MAC address of its own: what is said is said of the device. */
static void ports_of_a_device(void **state)
{
    (void)state;
    const char *s = to_server(&f, "0207 04 0080f4010210 " PORT TTL NAME "0e04 0004 0004 "
                                  "100c 05 01 c0a80102 02 00000003 00 " END);
    assert_has(s, "{\"of\":\"00:80:f4:01:02:10\",\"fact\":\"name\",\"value\":\"sw1\"}");
    assert_has(s, "{\"of\":\"00:80:f4:01:02:10\",\"fact\":\"role\",\"value\":\"switch\"}");
    assert_has(s, "{\"address\":{\"ip\":\"192.168.1.2\",\"mac\":\"00:80:f4:01:02:10\","
                  "\"management\":true}}");
    assert_has(s, "{\"port\":{\"device\":\"00:80:f4:01:02:10\",\"mac\":\"00:80:f4:01:02:03\"}}");
    assert_has_not(s, "\"party\"");
    feed_next_flow(&f);
    s = to_server(&f, "0205 07 41204220 0411 07 706f72742d3030312e76616c76652d37 " TTL
                      "fe0a 000ecf 05 0080f4010211 " END);
    assert_has(s, "{\"of\":\"00:80:f4:01:02:11\",\"fact\":\"name\",\"value\":\"valve-7\"}");
    /* No station has such an address. */
    feed_next_flow(&f);
    s = to_server(&f, "0207 04 0180f4010210 " PORT TTL NAME END);
    assert_has(s, "\"party\":\"sender\"");
    assert_has_not(s, "\"of\"");
    assert_has_not(s, "{\"port\":");
}

/* Feeds a system description and returns what is said. */
static const char *described(const char *text)
{
    char hex[1024];
    int n = snprintf(hex, sizeof(hex), START "0c%02x ", (unsigned)strlen(text));
    for (const char *c = text; *c; c++)
        n += snprintf(hex + n, sizeof(hex) - (size_t)n, "%02x", (unsigned)*c);
    feed_next_flow(&f);
    return to_server(&f, hex);
}

static void descriptions(void **state)
{
    (void)state;
    const char *s =
        described("Siemens, SIMATIC NET, SCALANCE X212-2, 6GK5 212-2BB00-2AA3, HW: 7, FW: V4.02,"
                  " SVPL12");
    assert_has(s, "\"fact\":\"vendor\",\"value\":\"Siemens\"");
    assert_has(s, "\"fact\":\"model\",\"value\":\"6GK5 212-2BB00-2AA3\"");
    assert_has(s, "\"fact\":\"hardware\",\"value\":\"7\"");
    assert_has(s, "\"fact\":\"firmware\",\"value\":\"V4.02\"");
    assert_has(s, "\"fact\":\"serial\",\"value\":\"SVPL12\"");
    s = described("Siemens AG SIMATIC S7 MULTIPORT SCALANCE X 200 FAM");
    assert_has(s, "\"fact\":\"vendor\",\"value\":\"Siemens\"");
    assert_has(s, "\"fact\":\"model\",\"value\":\"SIMATIC S7 MULTIPORT SCALANCE X 200 FAM\"");
    s = described("Hirschmann MAR - SW: L2P-09.0.00");
    assert_has(s, "\"fact\":\"vendor\",\"value\":\"Hirschmann\"");
    assert_has(s, "\"fact\":\"model\",\"value\":\"MAR\"");
    assert_has(s, "\"fact\":\"firmware\",\"value\":\"L2P-09.0.00\"");
    s = described(
        "Cisco IOS Software, C3560 Software (C3560-IPBASE-M), Version 12.2(44)SE, RELEASE");
    assert_has(s, "\"fact\":\"vendor\",\"value\":\"Cisco\"");
    assert_has(s, "\"fact\":\"firmware\",\"value\":\"12.2(44)SE\"");
    assert_has(s, "\"fact\":\"os\",\"value\":\"Cisco IOS\"");
    assert_has_not(s, "\"fact\":\"model\"");
    s = described("Ubuntu 14.04 LTS Linux 3.13.0-106-generic #153-Ubuntu SMP Version 9");
    assert_has(s, "\"fact\":\"os\",\"value\":\"Ubuntu 14.04 LTS Linux 3.13.0-106-generic\"");
    assert_has_not(s, "\"fact\":\"firmware\"");
    s = described("Dell Inc. OptiPlex 990,01,G22XB2S + HMI");
    assert_has(s, "\"fact\":\"vendor\",\"value\":\"Dell Inc.\"");
    assert_has(s, "\"fact\":\"model\",\"value\":\"OptiPlex 990\"");
    assert_has(s, "\"fact\":\"serial\",\"value\":\"G22XB2S\"");
    assert_has(s, "\"fact\":\"role\",\"value\":\"hmi\"");
    s = described("ASUSTeK COMPUTER INC. G750JHA,1.0,D9N0CY280463389");
    assert_has(s, "\"fact\":\"vendor\",\"value\":\"ASUSTeK COMPUTER INC.\"");
    assert_has(s, "\"fact\":\"model\",\"value\":\"G750JHA\"");
    assert_has(s, "\"fact\":\"serial\",\"value\":\"D9N0CY280463389\"");
    s = described("innotek GmbH VirtualBox,1.2,0 + HMI");
    assert_has(s, "\"fact\":\"vendor\",\"value\":\"innotek GmbH\"");
    assert_has_not(s, "\"fact\":\"serial\"");
    s = described("VMware, Inc. VMware Virtual Platform, None, VMware-56 4d");
    assert_has(s, "\"fact\":\"model\",\"value\":\"VMware Virtual Platform\"");
    assert_has_not(s, "\"fact\":\"serial\"");
}

static void shutdown(void **state)
{
    (void)state;
    const char *s = to_server(&f, CHASSIS_MAC PORT "0602 0000 " END);
    assert_has(s, "\"command\":\"shutdown\"");
    assert_has(s, "\"class\":\"event\"");
    assert_has_not(s, "{\"fact\"");
    assert_clean(s);
}

static void is_told_once(void **state)
{
    (void)state;
    assert_has(to_server(&f, START NAME END), "{\"fact\"");
    assert_has_not(to_server(&f, START NAME END), "{\"fact\"");
    assert_violation(to_server(&f, START NAME NAME END), "duplicate");
    assert_clean(to_server(&f, START NAME NAME END));
}

static void identity(void **state)
{
    (void)state;
    to_server(&f, START END);
    /* Another agent of the same card, at once. */
    assert_no_violation(to_server(&f, "0204 07 616263 0404 07 703032 " TTL END),
                        "identity_changed");
    f.time_ns += 3600 * 1000000000ull;
    assert_no_violation(to_server(&f, START END), "identity_changed");
    assert_violation(to_server(&f, "0204 07 616264 0404 07 703032 " TTL END), "identity_changed");
    assert_no_violation(to_server(&f, "0204 07 616264 0404 07 703032 " TTL END),
                        "identity_changed");
}

static void violations(void **state)
{
    (void)state;
    assert_violation(to_server(&f, PORT CHASSIS_MAC TTL END), "order");
    assert_violation(to_server(&f, CHASSIS_MAC PORT END), "order");
    assert_violation(to_server(&f, START TTL END), "duplicate");
    assert_violation(to_server(&f, "0201 04 " PORT TTL END), "length");
    assert_violation(to_server(&f, START "0e03 001400 " END), "length");
    assert_violation(to_server(&f, START "0e04 0004 0014 " END), "capabilities");
    assert_clean(to_server(&f, START "0e04 0014 0014 " END));
    assert_violation(to_server(&f, START "0aff 00"), "malformed");
    assert_violation(to_server(&f, START "fe06 0080c2 03 0005 " END), "malformed");
    /* Without an end, and with what pads the frame. */
    assert_clean(to_server(&f, START));
    assert_clean(to_server(&f, START END "00000000000000ff"));
}

static void hostile(void **state)
{
    (void)state;
    static const char whole[] =
        START NAME "100c 05 01 c0a80102 02 00000003 00 fe0a 0080c2 03 0005 03 616263 "
                   "fe08 0012bb 02 01 40014e fe0a 000ecf 05 0080f4010203 " END;
    feed_truncated(&f, FT_TO_SERVER, whole);
    feed_mutated(&f, FT_TO_SERVER, whole, 8000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_feed, close_feed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(advertisement), TEST(organisations), TEST(profinet),     TEST(ports_of_a_device),
        TEST(descriptions),  TEST(shutdown),      TEST(is_told_once), TEST(identity),
        TEST(violations),    TEST(hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
