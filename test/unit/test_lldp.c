/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * LLDP (lldp.c): every TLV, what it tells of the neighbour, order and lengths, changes of identity;
 * TLVs of organisations (lldp_organisation.c): each with every length that it can be sent with.
 */
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

/* IEEE 802.1AB, 8.5.2 and 8.5.3: an address is told as what it is, all else as text. */
static void identities(void **state)
{
    (void)state;
    static const struct {
        const char *hex, *says;
    } ids[] = {
        {"0203 01 6331 " PORT, "\"chassis\":{\"subtype\":\"component\",\"subtype_code\":1,"
                               "\"id\":\"c1\"}"},
        {"0203 02 6332 " PORT, "\"subtype\":\"interface_alias\",\"subtype_code\":2,\"id\":\"c2\"}"},
        {"0203 03 6333 " PORT, "\"subtype\":\"port_component\",\"subtype_code\":3,\"id\":\"c3\"}"},
        {"0206 04 6162636465 " PORT, "\"subtype\":\"mac\",\"subtype_code\":4,\"id\":\"abcde\"}"},
        {"0206 05 01 0a000005 " PORT,
         "\"subtype\":\"address\",\"subtype_code\":5,\"id\":\"10.0.0.5\"}"},
        {"0212 05 02 fe800000000000000000000000000a0b " PORT, "\"id\":\"fe80:0:0:0:0:0:0:a0b\"}"},
        {"0208 05 06 123456789abc " PORT, "\"id\":\"12:34:56:78:9a:bc\"}"},
        {"0206 05 02 61626364 " PORT, "\"id\":\"abcd\"}"},
        {"0208 05 01 616263646566 " PORT, "\"id\":\"abcdef\"}"},
        {"0203 06 6336 " PORT, "\"subtype\":\"interface_name\",\"subtype_code\":6,\"id\":\"c6\"}"},
        {"0207 07 626364656667 " PORT, "\"subtype\":\"local\",\"subtype_code\":7,"
                                       "\"id\":\"bcdefg\"}"},
        {"0203 08 6338 " PORT, "\"subtype\":\"unknown\",\"subtype_code\":8,\"id\":\"c8\"}"},
        {CHASSIS_MAC "0403 01 7031 ",
         "\"port\":{\"subtype\":\"interface_alias\",\"subtype_code\":1,\"id\":\"p1\"}"},
        {CHASSIS_MAC "0407 03 123456789abc ",
         "\"subtype\":\"mac\",\"subtype_code\":3,\"id\":\"12:34:56:78:9a:bc\"}"},
        {CHASSIS_MAC "0406 04 01 0a000006 ",
         "\"subtype\":\"address\",\"subtype_code\":4,\"id\":\"10.0.0.6\"}"},
        {CHASSIS_MAC "0403 05 7035 ", "\"subtype\":\"interface_name\",\"subtype_code\":5,"
                                      "\"id\":\"p5\"}"},
        {CHASSIS_MAC "0403 06 7036 ", "\"subtype\":\"agent_circuit_id\",\"subtype_code\":6,"
                                      "\"id\":\"p6\"}"},
    };
    char hex[256];
    for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        snprintf(hex, sizeof(hex), "%s" TTL END, ids[i].hex);
        assert_true(ft_harness_forget(f.harness));
        const char *s = to_server(&f, hex);
        assert_has(s, ids[i].says);
        assert_has_not(s, "\"of\"");
        assert_has_not(s, "{\"port\":{\"device\"");
        assert_clean(s);
    }
}

#define V4(last)  "100c 05 01 c0a801" last " 02 00000003 00 "
#define V6        "1018 11 02 fe800000000000000000000000000001 02 00000003 00 "
#define MAC_OF_IT "100e 07 06 0080f4010203 02 00000003 00 "
#define IS(ip)    "\"fact\":\"management\",\"value\":\"" ip "\""

/* The first address of IPv4, else the first of IPv6. */
static void management(void **state)
{
    (void)state;
    static const struct {
        const char *hex, *says;
    } addresses[] = {
        {START V4("02") V4("03") END, IS("192.168.1.2")},
        {START V6 V4("02") END, IS("192.168.1.2")},
        {START MAC_OF_IT V6 END, IS("fe80:0:0:0:0:0:0:1")},
        {START V6 "1018 11 02 fe800000000000000000000000000002 02 00000003 00 " END,
         IS("fe80:0:0:0:0:0:0:1")},
        {START MAC_OF_IT END, NULL},
        {START "100c 05 02 c0a80102 02 00000003 00 " END, NULL},
        {START "1018 11 01 fe800000000000000000000000000001 02 00000003 00 " END, NULL},
        {START "1018 11 06 fe800000000000000000000000000001 02 00000003 00 " END, NULL},
    };
    for (unsigned i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        assert_true(ft_harness_forget(f.harness));
        const char *s = to_server(&f, addresses[i].hex);
        if (addresses[i].says)
            assert_has(s, addresses[i].says);
        assert_int_equal(feed_count(s, "\"fact\":\"management\""), addresses[i].says ? 1 : 0);
        assert_clean(s);
    }
    feed_next_flow(&f);
    const char *s = to_server(&f, START "1013 07 06 0080f4010203 01 01020304 05 0102030405 " END);
    assert_has(s, "\"management\":[{\"family\":\"mac\",\"family_code\":6,"
                  "\"address\":\"00:80:f4:01:02:03\",\"numbering\":\"unknown\","
                  "\"numbering_code\":1,\"interface\":16909060,\"oid\":\"0102030405\"}]");
    /* Not whole: what is there of the address is none. */
    feed_next_flow(&f);
    s = to_server(&f, START "100b 05 01 c0a80102 02 00000003 " END);
    assert_violation(s, "malformed");
    assert_has_not(s, "\"fact\":\"management\"");
}

/* IEEE 802.1AB, 8.5: the lengths that values may have; of types that are not assigned, any. */
static void lengths(void **state)
{
    (void)state;
    static const struct {
        uint8_t type;
        uint16_t least, most;
    } types[] = {{4, 0, 255}, {5, 0, 255}, {6, 0, 255},   {7, 4, 4},
                 {8, 9, 167}, {9, 0, 511}, {126, 0, 511}, {127, 4, 511}};
    uint8_t frame[2 * FEED_MAX];
    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        for (uint32_t n = 0; n < 512; n++) {
            uint32_t length = feed_bytes(START, frame);
            frame[length++] = (uint8_t)(types[i].type << 1 | n >> 8);
            frame[length++] = (uint8_t)n;
            memset(frame + length, 0, n);
            assert_true(ft_harness_forget(f.harness));
            const char *s = feed_raw(&f, FT_TO_SERVER, frame, length + n);
            if (n < types[i].least || n > types[i].most)
                assert_violation(s, "length");
            else
                assert_no_violation(s, "length");
        }
    }
    /* Chassis and port have a subtype and 1 to 255 bytes. */
    for (uint32_t n = 0; n < 512; n++) {
        memset(frame, 'a', sizeof(frame));
        frame[0] = (uint8_t)(2 | n >> 8);
        frame[1] = (uint8_t)n;
        uint32_t length = 2 + n + feed_bytes(PORT TTL END, frame + 2 + n);
        assert_true(ft_harness_forget(f.harness));
        const char *s = feed_raw(&f, FT_TO_SERVER, frame, length);
        if (n < 2 || n > 256)
            assert_violation(s, "length");
        else
            assert_clean(s);
    }
    assert_violation(to_server(&f, CHASSIS_MAC "0401 07 " TTL END), "length");
    assert_violation(to_server(&f, CHASSIS_MAC PORT "0601 14 " END), "length");
    assert_clean(to_server(&f, CHASSIS_MAC PORT "0603 0014 00 " END));
}

/* A TLV of an organisation: what follows the type, whose first `least` bytes suffice for `says`. */
struct organised {
    const char *hex;
    uint32_t least;
    const char *says;
};

/* Values by IEEE 802.1Q (D), 802.3 (79), TIA-1057, IEC 61158-6-10, RFC 8520. */
static const struct organised organised[] = {
    {"0080c2 01 0fa1", 6, "\"vlan\":4001"},
    {"0080c2 02 06 0123", 7,
     "\"vlans\":[{\"flags\":[\"supported\",\"enabled\"],\"flags_code\":6,\"id\":291}]"},
    {"0080c2 03 0064 03 616263", 10, "\"vlans\":[{\"id\":100,\"name\":\"abc\"}]"},
    {"0080c2 04 05 0026424203", 10, "\"protocol\":[\"0026424203\"]"},
    {"0080c2 07 03 01020304", 9,
     "\"aggregation\":[{\"status\":[\"capable\",\"aggregated\"],\"status_code\":3,"
     "\"port\":16909060}]"},
    {"00120f 01 03 6c11 001e", 9,
     "\"mau\":{\"autonegotiation\":[\"supported\",\"enabled\"],\"autonegotiation_code\":3,"
     "\"advertised\":27665,\"type\":\"1000base_t_full\",\"type_code\":30}"},
    {"00120f 02 07 01 05", 7, "\"poe\":{\"support\":7,\"pair\":1,\"class\":5}"},
    {"00120f 03 02 00000007", 9,
     "\"aggregation\":[{\"status\":[\"aggregated\"],\"status_code\":2,\"port\":7}]"},
    {"00120f 04 05ee", 6, "\"max_frame\":1518"},
    {"0012bb 01 0033 03", 7,
     "\"med\":{\"capabilities\":[\"capabilities\",\"policy\",\"power_device\",\"inventory\"],"
     "\"capabilities_code\":51,\"class\":\"endpoint_class_3\",\"class_code\":3}"},
    /* Unknown clear, tagged set, VLAN 100, priority 5, DSCP 46. */
    {"0012bb 02 01 40c96e", 8,
     "\"policy\":[{\"application\":\"voice\",\"application_code\":1,\"tagged\":true,\"vlan\":100,"
     "\"priority\":5,\"dscp\":46}]"},
    /* Tagged clear, VLAN 4095, priority 7, DSCP 63; reserved and unknown set. */
    {"0012bb 02 06 bfffff", 8,
     "\"policy\":[{\"application\":\"video_conferencing\",\"application_code\":6,\"tagged\":false,"
     "\"vlan\":4095,\"priority\":7,\"dscp\":63}]"},
    /* A device that is fed by its own source, high, 12.3 W. */
    {"0012bb 04 62 007b", 7,
     "\"power\":{\"type\":\"device\",\"type_code\":1,\"source\":2,\"priority\":\"high\","
     "\"priority_code\":2,\"watt\":12.3}"},
    {"000ecf 02 0001 0002", 8,
     "\"pn\":{\"rtclass2\":\"synchronised_not_sending\",\"rtclass2_code\":1,\"rtclass3\":2}"},
    {"000ecf 04 00112233445566778899aabbccddeeff 0001", 22,
     "\"pn\":{\"mrp_domain\":\"00112233445566778899aabbccddeeff\",\"mrp_status\":1}"},
    {"000ecf 05 0080f4010210", 10, "\"pn\":{\"chassis_mac\":\"00:80:f4:01:02:10\"}"},
};

/* What says something at any length: the whole of it is the value. */
static const struct organised unbounded[] = {
    {"00120f 05 0011 0012 0013 0011 0012", 4, "\"eee\":\"00110012001300110012\""},
    {"0012bb 05 48573031", 4, "\"hw\":\"HW01\""},
    {"0012bb 06 46573032", 4, "\"fw\":\"FW02\""},
    {"0012bb 07 53573033", 4, "\"sw\":\"SW03\""},
    {"0012bb 08 534e3034", 4, "\"serial\":\"SN04\""},
    {"0012bb 09 41636d65", 4, "\"mfr\":\"Acme\""},
    {"0012bb 0a 4d6f6436", 4, "\"model\":\"Mod6\""},
    {"0012bb 0b 41373031", 4, "\"asset\":\"A701\""},
    {"000ecf 01 00000001 00000002 00000003 00000004 00000005", 4,
     "\"delay\":\"0000000100000002000000030000000400000005\""},
    {"000ecf 03 706f72742d303031", 4, "\"alias\":\"port-001\""},
    /* Master, subdomain, IR data, lengths and starts of the periods: they are one field. */
    {"000ecf 06 0080f4010210 00112233445566778899aabbccddeeff ffeeddccbbaa99887766554433221100 "
     "00000001 00000002 00000003 00000004",
     4,
     "\"ptcp\":\"0080f401021000112233445566778899aabbccddeeffffeeddccbbaa99887766554433221100"
     "00000001000000020000000300000004\""},
    {"00005e 01 68747470733a2f2f612f6d", 4, "\"mud_url\":\"https://a/m\""},
    /* What is not read stands as it is: the number of the OUI, the subtype, the data. */
    {"0080c2 05 01020304", 4, "{\"oui\":32962,\"subtype\":5,\"data\":\"01020304\"}"},
    {"0080c2 08 0102", 4, "{\"oui\":32962,\"subtype\":8,\"data\":\"0102\"}"},
    {"00120f 00 01", 4, "{\"oui\":4623,\"subtype\":0,\"data\":\"01\"}"},
    {"00120f 06 01", 4, "{\"oui\":4623,\"subtype\":6,\"data\":\"01\"}"},
    {"0012bb 00 01", 4, "{\"oui\":4795,\"subtype\":0,\"data\":\"01\"}"},
    {"0012bb 0c 01", 4, "{\"oui\":4795,\"subtype\":12,\"data\":\"01\"}"},
    {"000ecf 00 01", 4, "{\"oui\":3791,\"subtype\":0,\"data\":\"01\"}"},
    {"000ecf 07 01", 4, "{\"oui\":3791,\"subtype\":7,\"data\":\"01\"}"},
    {"00005e 02 01", 4, "{\"oui\":94,\"subtype\":2,\"data\":\"01\"}"},
    /* Hirschmann, Cisco, Siemens. */
    {"008063 01 0a", 4, "{\"oui\":32867,\"subtype\":1,\"data\":\"0a\"}"},
    {"000142 01 0b", 4, "{\"oui\":322,\"subtype\":1,\"data\":\"0b\"}"},
    {"080006 01 0c", 4, "{\"oui\":524294,\"subtype\":1,\"data\":\"0c\"}"},
};

/* An advertisement with one TLV of an organisation, of which the first n bytes are sent. */
static const char *organised_by(const uint8_t *value, uint32_t n, uint32_t said)
{
    uint8_t frame[FEED_MAX];
    uint32_t length = feed_bytes(START, frame);
    frame[length++] = (uint8_t)(0xfe | said >> 8);
    frame[length++] = (uint8_t)said;
    memcpy(frame + length, value, n);
    length += n;
    if (n == said)
        length += feed_bytes(END, frame + length);
    assert_true(ft_harness_forget(f.harness));
    return feed_raw(&f, FT_TO_SERVER, frame, length);
}

/* All lengths up to one byte more than the value has, as sent and as no frame could hold. */
static void feed_organised(const struct organised *o)
{
    uint8_t value[FEED_MAX];
    uint32_t whole = feed_bytes(o->hex, value);
    value[whole] = 0;
    for (uint32_t n = 0; n <= whole + 1; n++) {
        const char *s = organised_by(value, n, n);
        if (n < o->least)
            assert_violation(s, "malformed");
        else
            assert_clean(s);
        if (n < 4)
            assert_violation(s, "length");
        else
            assert_no_violation(s, "length");
        if (n == whole)
            assert_has(s, o->says);
        if (!strstr(o->says, "\"oui\""))
            assert_has_not(s, "\"organisation\"");
        assert_violation(organised_by(value, n, 511), "malformed");
    }
}

static void organisations_one_by_one(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(organised) / sizeof(organised[0]); i++) {
        feed_organised(&organised[i]);
        uint8_t value[FEED_MAX];
        uint32_t n = feed_bytes(organised[i].hex, value);
        assert_int_equal(n, organised[i].least);
    }
    for (unsigned i = 0; i < sizeof(unbounded) / sizeof(unbounded[0]); i++)
        feed_organised(&unbounded[i]);
}

/* 802.3at added three values to the first three; with fewer of them they are not read. */
static void power_of_both_kinds(void **state)
{
    (void)state;
    uint8_t value[FEED_MAX];
    uint32_t whole = feed_bytes("00120f 02 0f 02 04 51 007b 00fa 0102", value);
    for (uint32_t n = 7; n <= whole; n++) {
        const char *s = organised_by(value, n, n);
        assert_clean(s);
        if (n < 12)
            assert_has(s, "\"poe\":{\"support\":15,\"pair\":2,\"class\":4}");
        else
            assert_has(s, "\"poe\":{\"support\":15,\"pair\":2,\"class\":4,\"requested\":12.3,"
                          "\"allocated\":25}");
    }
}

/* Lists grow, wherever their elements stand; a value that stands twice is the first. */
static void organisations_again(void **state)
{
    (void)state;
    const char *s = to_server(
        &f, START "fe0a 0080c2 03 0005 03 616263 fe09 0080c2 07 01 00000000 fe06 0080c2 01 0005 "
                  "fe0a 0080c2 03 0006 03 646566 fe09 00120f 03 03 00000009 "
                  "fe06 0080c2 01 0006 fe07 0080c2 04 02 88cc fe07 0080c2 02 02 0007 "
                  "fe07 0080c2 04 02 8892 " END);
    assert_has(s, "\"vlans\":[{\"id\":5,\"name\":\"abc\"},{\"id\":6,\"name\":\"def\"},"
                  "{\"flags\":[\"supported\"],\"flags_code\":2,\"id\":7}]");
    assert_has(s, "\"aggregation\":[{\"status\":[\"capable\"],\"status_code\":1,\"port\":0},"
                  "{\"status\":[\"capable\",\"aggregated\"],\"status_code\":3,\"port\":9}]");
    assert_has(s, "\"protocol\":[\"88cc\",\"8892\"]");
    assert_has(s, "\"vlan\":5");
    assert_clean(s);
}

/* A TLV that is not read does not end the group that others of its organisation stand in. */
static void unread_between_read(void **state)
{
    (void)state;
    const char *s = to_server(
        &f, START "fe07 0012bb 01 003f 04 fe05 0012bb 0c 01 fe08 0012bb 02 01 40014e "
                  "fe05 000ecf 07 02 fe05 00005e 02 03 fe07 000ecf 03 703031 fe05 000ecf 00 04 "
                  "fe08 000ecf 02 0001 0002 fe07 0012bb 03 03 3131 fe05 0012bb 0b 41 "
                  "fe05 000ecf 06 05 " END);
    assert_has(s, "\"class_code\":4,\"policy\":[{\"application\":\"voice\"");
    assert_has(s, "\"location\":[{\"format\":\"elin\",\"format_code\":3,\"data\":\"3131\"}],"
                  "\"asset\":\"A\"}");
    assert_has(s, "\"pn\":{\"alias\":\"p01\",\"rtclass2\":\"synchronised_not_sending\"");
    assert_has(s, "\"rtclass3\":2,\"ptcp\":\"05\"}");
    assert_has(s, "{\"oui\":4795,\"subtype\":12,\"data\":\"01\"}");
    assert_has(s, "{\"oui\":3791,\"subtype\":7,\"data\":\"02\"}");
    assert_has(s, "{\"oui\":94,\"subtype\":2,\"data\":\"03\"}");
    assert_has(s, "{\"oui\":3791,\"subtype\":0,\"data\":\"04\"}");
    assert_clean(s);
}

/* Each text of the inventory is a fact of its own; the software is when there is no firmware. */
static void inventory(void **state)
{
    (void)state;
    const char *s = to_server(&f, START "fe06 0012bb 05 4857 fe06 0012bb 07 5357 "
                                        "fe06 0012bb 08 534e fe06 0012bb 09 4d46 "
                                        "fe06 0012bb 0a 4d4f fe06 0012bb 0b 4153 " END);
    assert_has(s, "\"fact\":\"hardware\",\"value\":\"HW\"");
    assert_has(s, "\"fact\":\"firmware\",\"value\":\"SW\"");
    assert_has(s, "\"fact\":\"serial\",\"value\":\"SN\"");
    assert_has(s, "\"fact\":\"vendor\",\"value\":\"MF\"");
    assert_has(s, "\"fact\":\"model\",\"value\":\"MO\"");
    assert_int_equal(feed_count(s, "{\"fact\""), 5);
    assert_has_not(s, "\"value\":\"AS\"");
    feed_next_flow(&f);
    s = to_server(&f, START "fe06 0012bb 06 4657 fe06 0012bb 07 5357 " END);
    assert_has(s, "\"fact\":\"firmware\",\"value\":\"FW\"");
    assert_int_equal(feed_count(s, "{\"fact\""), 1);
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
    /* A chassis that is another thing than a name; a port that is another thing than local. */
    feed_next_flow(&f);
    s = to_server(&f, "0208 06 76616c76652d38 0409 07 706f72742d303031 " TTL
                      "fe08 000ecf 02 0000 0000 " END);
    assert_has_not(s, "{\"fact\"");
    feed_next_flow(&f);
    s = to_server(&f, "0208 07 2076616c766538 0409 07 706f72742d303031 " TTL
                      "fe08 000ecf 02 0000 0000 " END);
    assert_has_not(s, "{\"fact\"");
    feed_next_flow(&f);
    s = to_server(&f, CHASSIS_MAC "0404 05 702e31 " TTL "fe08 000ecf 02 0000 0000 " END);
    assert_has_not(s, "{\"fact\"");
    feed_next_flow(&f);
    s = to_server(&f, CHASSIS_MAC "0403 07 2e78 " TTL "fe08 000ecf 02 0000 0000 " END);
    assert_has(s, "\"fact\":\"name\",\"value\":\"x\"");
    /* Only where there is no other name. */
    feed_next_flow(&f);
    s = to_server(&f, CHASSIS_MAC "0403 07 2e78 " TTL NAME "fe08 000ecf 02 0000 0000 " END);
    assert_has(s, "\"fact\":\"name\",\"value\":\"sw1\"");
    feed_next_flow(&f);
    s = to_server(&f, CHASSIS_MAC "0403 07 2e78 " TTL "0a0f 7379734e616d65204e6f7420536574 "
                                  "fe08 000ecf 02 0000 0000 " END);
    assert_has(s, "\"sysname\":\"sysName Not Set\"");
    assert_has(s, "\"fact\":\"name\",\"value\":\"x\"");
    assert_has_not(s, "\"value\":\"sysName Not Set\"");
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

/* What MED says of itself is told before what its description seems to say. */
static void inventory_and_description(void **state)
{
    (void)state;
    const char *s =
        to_server(&f, START "0c1c 486972736368 6d616e6e204d4152202d2053573a204c32502d302e31 "
                            "fe08 0012bb 06 46573032 fe08 0012bb 09 41636d65 " END);
    assert_has(s, "\"sysdescr\":\"Hirschmann MAR - SW: L2P-0.1\"");
    assert_has(s, "\"fact\":\"vendor\",\"value\":\"Acme\"");
    assert_has(s, "\"fact\":\"firmware\",\"value\":\"FW02\"");
    assert_has(s, "\"fact\":\"model\",\"value\":\"MAR\"");
    assert_has_not(s, "\"value\":\"Hirschmann\"");
    assert_has_not(s, "\"value\":\"L2P-0.1\"");
}

static void shutdown(void **state)
{
    (void)state;
    const char *s = to_server(&f, CHASSIS_MAC PORT "0602 0000 " END);
    assert_has(s, "\"command\":\"shutdown\"");
    assert_has(s, "\"class\":\"event\",\"kind\":\"unsolicited\"");
    assert_has_not(s, "{\"fact\"");
    assert_clean(s);
    s = to_server(&f, CHASSIS_MAC PORT "0602 0001 " NAME END);
    assert_has(s, "\"command\":\"advertisement\"");
    assert_has(s, "\"kind\":\"data\"");
    assert_has(s, "{\"fact\"");
    /* Without a time to live, or with one that is too long to be read, it is none. */
    assert_has(to_server(&f, CHASSIS_MAC PORT), "\"command\":\"advertisement\"");
    assert_has(to_server(&f, CHASSIS_MAC PORT "0604 0000 0000"), "\"command\":\"advertisement\"");
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
    assert_int_equal(feed_count(to_server(&f, START TTL END), "\"name\":\"duplicate\""), 1);
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
        TEST(advertisement),
        TEST(identities),
        TEST(management),
        TEST(lengths),
        TEST(organisations),
        TEST(organisations_one_by_one),
        TEST(power_of_both_kinds),
        TEST(organisations_again),
        TEST(unread_between_read),
        TEST(inventory),
        TEST(profinet),
        TEST(ports_of_a_device),
        TEST(descriptions),
        TEST(inventory_and_description),
        TEST(shutdown),
        TEST(is_told_once),
        TEST(identity),
        TEST(violations),
        TEST(hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
