/* SPDX-License-Identifier: BSD-3-Clause */
/* CDP: every TLV, the two checksums, what it tells of the neighbour, attacks on receivers. */
#include "feed.h"

extern const struct ft_dissector ft_dissector_cdp;

static const struct ft_dissector *const dissectors[] = {&ft_dissector_cdp, NULL};

static struct feed f;

static int open_feed(void **state)
{
    (void)state;
    feed_open(&f, dissectors, "cdp", FT_TRANSPORT_L2, 0x2000);
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

/* The message with its checksum filled in; `is_cisco`: as Cisco's own code does for odd lengths. */
static const char *advertise(const char *tlvs, bool is_cisco)
{
    uint8_t bytes[FEED_MAX];
    char hex[8192];
    snprintf(hex, sizeof(hex), "02 b4 0000 %s", tlvs);
    uint32_t n = feed_bytes(hex, bytes), sum = 0;
    for (uint32_t i = 0; i + 1 < n; i += 2)
        sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
    if (n % 2 && is_cisco)
        sum += bytes[n - 1] < 0x80 ? bytes[n - 1] : (0xff00u | bytes[n - 1]) - 1;
    else if (n % 2)
        sum += (uint32_t)bytes[n - 1] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    bytes[2] = (uint8_t)(~sum >> 8);
    bytes[3] = (uint8_t)~sum;
    return feed_raw(&f, FT_TO_SERVER, bytes, n);
}

#define DEVICE   "0001 0006 5331 "
#define PLATFORM "0006 0012 636973636f2057532d4333353630 "
#define ADDRESS  "0002 0011 00000001 01 01 cc 0004 c0a80001 "

#define ZEROS(n) ZEROS_##n
#define ZEROS_8  "0000000000000000 "
#define ZEROS_28 ZEROS_8 ZEROS_8 ZEROS_8 "00000000 "

/* Model, hardware and serial number of who can be switched off; what is told itself counts more. */
static void energy(void **state)
{
    (void)state;
#define ENERGY                                                                                     \
    ZEROS(28) "57532d43333536302d3850430000 0000 0000 563031 464f433132333458303031 " ZEROS(8)
    const char *s = advertise(DEVICE "001d 0048 " ENERGY, false);
    assert_clean(s);
    assert_has(s, "\"fact\":\"model\",\"value\":\"WS-C3560-8PC\"");
    assert_has(s, "\"fact\":\"hardware\",\"value\":\"V01\"");
    assert_has(s, "\"fact\":\"serial\",\"value\":\"FOC1234X001\"");
    feed_next_flow(&f);
    s = advertise(DEVICE PLATFORM "001d 0048 " ENERGY "1001 0008 53455231", false);
    assert_has(s, "\"fact\":\"model\",\"value\":\"WS-C3560\"");
    assert_has(s, "\"fact\":\"serial\",\"value\":\"SER1\"");
    assert_has_not(s, "FOC1234X001\"}");
    feed_next_flow(&f);
    s = advertise(DEVICE "001d 000c " ZEROS(8), false);
    assert_clean(s);
    assert_has_not(s, "\"fact\":\"model\"");
}

static void advertisement(void **state)
{
    (void)state;
    const char *s =
        advertise(DEVICE ADDRESS PLATFORM
                  "0003 0009 4661302f31 0004 0008 00000028 0005 001d "
                  "436973636f20494f532c2056657273696f6e20312e322c2078 "
                  "0009 0007 4c6162 000a 0006 0001 000b 0005 01 000e 0007 01 000a "
                  "0010 0006 1388 0011 0008 000005dc 0012 0005 00 0013 0005 00 "
                  "0014 0006 5332 0016 0011 00000001 01 01 cc 0004 c0a80002 "
                  "001a 0010 0000 0001 00003a98 00003a98 1001 0008 53455231 0007 0009 0a000000 08 "
                  "7777 0006 abcd",
                  false);
    assert_has(s, "\"command\":\"advertisement\"");
    assert_has(s, "\"version\":2,\"ttl\":180,\"checksum_ok\":true,\"device_id\":\"S1\"");
    assert_has(s, "\"addresses\":[\"192.168.0.1\"]");
    assert_has(s, "\"port_id\":\"Fa0/1\",\"capabilities\":[\"switch\",\"igmp\"]");
    assert_has(s, "\"vtp_domain\":\"Lab\",\"native_vlan\":1,\"full_duplex\":true,\"voice_vlan\":10,"
                  "\"power\":5000,\"mtu\":1500");
    assert_has(s, "\"mgmt_addresses\":[\"192.168.0.2\"]");
    assert_has(s, "\"power_available\":[15000,15000]");
    assert_has(s, "\"prefixes\":[\"10.0.0.0/8\"]");
    assert_has(s, "\"other\":[{\"type\":30583,\"data\":\"abcd\"}]");
    assert_has(s, "\"fact\":\"name\",\"value\":\"S2\"");
    assert_has(s, "\"fact\":\"vendor\",\"value\":\"Cisco\"");
    assert_has(s, "\"fact\":\"model\",\"value\":\"WS-C3560\"");
    assert_has(s, "\"fact\":\"firmware\",\"value\":\"1.2\"");
    assert_has(s, "\"fact\":\"serial\",\"value\":\"SER1\"");
    assert_has(s, "\"fact\":\"management\",\"value\":\"192.168.0.2\"");
    assert_has(s, "\"fact\":\"role\",\"value\":\"switch\"");
    assert_clean(s);
}

static void serial_in_brackets(void **state)
{
    (void)state;
    const char *s = advertise("0001 0009 5341285829 ", true);
    assert_has(s, "\"fact\":\"name\",\"value\":\"SA\"");
    assert_has(s, "\"fact\":\"serial\",\"value\":\"X\"");
}

static void checksums(void **state)
{
    (void)state;
    assert_clean(advertise("0001 0005 41", true));
    feed_next_flow(&f);
    assert_clean(advertise("0001 0005 c1", true));
    feed_next_flow(&f);
    assert_clean(advertise("0001 0005 c2", false));
    assert_violation(to_server(&f, "02 b4 1234 0001 0005 c1"), "checksum");
    assert_has(to_server(&f, "02 b4 1234 0001 0005 c1"), "\"checksum_ok\":false");
}

static void cluster(void **state)
{
    (void)state;
    const char *s =
        advertise(DEVICE "0008 0024 00000c 0112 c0a80001 00000000 01 02 03 ff 0080f4010203 "
                         "0080f4010204 00 0001 ",
                  false);
    assert_has(s, "\"cluster\":{\"master\":\"192.168.0.1\",\"commander\":\"00:80:f4:01:02:03\","
                  "\"mac\":\"00:80:f4:01:02:04\",\"vlan\":1}");
    assert_clean(s);
}

static void is_told_once(void **state)
{
    (void)state;
    assert_has(advertise(DEVICE PLATFORM, false), "{\"fact\"");
    assert_has_not(advertise(DEVICE PLATFORM, false), "{\"fact\"");
    assert_violation(advertise("0001 0006 5332 " PLATFORM, false), "identity_changed");
    assert_no_violation(advertise("0001 0006 5332 " PLATFORM "000a 0006 0001", false),
                        "identity_changed");
}

static void violations(void **state)
{
    (void)state;
    char text[2048] = "0001 0110 ";
    for (unsigned i = 0; i < 0x110 - 4; i++)
        strcat(text, "41");
    assert_violation(advertise(text, false), "name_length");
    assert_violation(to_server(&f, "03 b4 1234 0001 0005 c1"), "version");
    assert_violation(advertise("0001 0003 00", true), "tlv_length");
    assert_violation(advertise("0001 00ff 00", true), "tlv_length");
    assert_violation(advertise("000a 0005 00", true), "tlv_length");
    assert_violation(advertise("0002 0011 ffffffff 01 01 cc 0004 c0a80001 ", true),
                     "address_count");
    assert_violation(
        advertise("0019 0034 0000 0000 00000001 00000001 00000001 00000001 00000001 00000001 "
                  "00000001 00000001 00000001 00000001 00000001",
                  false),
        "power_levels");
    assert_clean(
        advertise("0019 0030 0000 0000 00000001 00000001 00000001 00000001 00000001 00000001 "
                  "00000001 00000001 00000001 00000001",
                  false));
    assert_violation(advertise("0001 0008 41256e42", false), "format_string");
    assert_no_violation(advertise("0001 000a 313030252041", false), "format_string");
}

static void hostile(void **state)
{
    (void)state;
    static const char whole[] =
        "02 b4 0000 " DEVICE ADDRESS PLATFORM "0019 0010 0000 0000 00000001 00000001 "
        "0008 0024 00000c 0112 c0a80001 00000000 01 02 03 ff 0080f4010203 "
        "0080f4010204 00 0001 0005 0009 2556657273";
    feed_truncated(&f, FT_TO_SERVER, whole);
    feed_mutated(&f, FT_TO_SERVER, whole, 8000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_feed, close_feed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(energy),  TEST(advertisement), TEST(serial_in_brackets), TEST(checksums),
        TEST(cluster), TEST(is_told_once),  TEST(violations),         TEST(hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
