/* SPDX-License-Identifier: BSD-3-Clause */
/* Spanning tree: all forms of BPDUs, changes of the root, timers, what is not told twice. */
#include "feed.h"

extern const struct ft_dissector ft_dissector_stp;

static const struct ft_dissector *const dissectors[] = {&ft_dissector_stp, NULL};

static struct feed f;

static int open_feed(void **state)
{
    (void)state;
    feed_open(&f, dissectors, "stp", FT_TRANSPORT_L2, 0x4242);
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

#define HEAD      "0000 00 00 "
#define ROOT_ID   "8001 0080f4010203 "
#define BETTER    "1001 0080f4010204 "
#define BRIDGE_ID "8001 0080f4010203 "
#define OTHER_ID  "8001 0080f4010209 "
#define PORT      "8005 "
#define TIMERS    "0000 1400 0200 0f00 "
#define CONFIG    HEAD "00 " ROOT_ID "00000000 " BRIDGE_ID PORT TIMERS
#define RST       "0000 02 02 3e " ROOT_ID "00000004 " OTHER_ID PORT "0100 1400 0200 0f00 00"
#define MST                                                                                        \
    "0000 03 02 78 " ROOT_ID "00000004 " OTHER_ID PORT "0100 1400 0200 0f00 00 0050 "              \
    "00 526567696f6e2031 000000000000000000000000000000000000000000000000 0007 "                   \
    "00112233445566778899aabbccddeeff 00000009 8000 0080f4010203 14 "                              \
    "7c 6001 0080f4010203 00000008 60 80 13"
#define PVST CONFIG "00 0000 0002 0005"

static void configuration(void **state)
{
    (void)state;
    const char *s = to_server(&f, CONFIG);
    assert_has(s, "\"command\":\"configuration\",\"code\":0,\"qualifier\":0,\"class\":\"data\"");
    assert_has(s, "\"version\":\"stp\"");
    assert_has(s, "\"root\":{\"priority\":32768,\"ext\":1,\"mac\":\"00:80:f4:01:02:03\"}");
    assert_has(s,
               "\"port\":32773,\"message_age\":0,\"max_age\":20,\"hello\":2,\"forward_delay\":15");
    assert_has(s, "\"fact\":\"role\",\"value\":\"switch\"");
    assert_has(s, "\"value\":\"bridge 32768.1.00:80:f4:01:02:03, port 5\"");
    assert_has_not(s, "\"role\":\"");
    assert_clean(s);
}

static void rapid_and_multiple(void **state)
{
    (void)state;
    const char *s = to_server(&f, RST);
    assert_has(s, "\"command\":\"rstp\"");
    assert_has(s, "\"role\":\"designated\"");
    assert_has(s, "\"flags\":[\"proposal\",\"learning\",\"forwarding\"]");
    assert_clean(s);
    feed_next_flow(&f);
    s = to_server(&f, MST);
    assert_has(s, "\"command\":\"mstp\",\"code\":2,\"qualifier\":3");
    assert_has(s, "\"region\":\"Region 1\",\"revision\":7");
    assert_has(s, "\"hops\":20");
    assert_has(
        s, "\"msti\":[{\"flags\":[\"learning\",\"forwarding\",\"agreement\"],\"flags_code\":112,"
           "\"role\":\"designated\",\"role_code\":3,\"priority\":24576,\"instance\":1");
    assert_has(s, ", region Region 1\"");
    assert_clean(s);
}

static void topology_change(void **state)
{
    (void)state;
    const char *s = to_server(&f, "0000 00 80");
    assert_has(s, "\"command\":\"topology_change\"");
    assert_has(s, "\"class\":\"event\"");
    assert_clean(s);
    s = to_server(&f, HEAD "01 " ROOT_ID "00000000 " BRIDGE_ID PORT TIMERS);
    assert_has(s, "\"command\":\"configuration_topology_change\"");
}

static void per_vlan(void **state)
{
    (void)state;
    const char *s = to_server(&f, PVST);
    assert_has(s, "\"pvst_vlan\":5");
    assert_has_not(s, "\"fact\":\"description\"");
    assert_clean(s);
    /* Trees of other VLANs have other roots. */
    s = to_server(&f, HEAD "00 " BETTER "00000000 " BRIDGE_ID PORT TIMERS "00 0000 0002 0006");
    assert_clean(s);
}

static void is_told_once(void **state)
{
    (void)state;
    assert_has(to_server(&f, CONFIG), "{\"fact\"");
    assert_has_not(to_server(&f, CONFIG), "{\"fact\"");
    f.time_ns += 700 * 1000000000ull;
    assert_has(to_server(&f, CONFIG), "{\"fact\"");
    /* Nor is what is wrong with it. */
    const char *wrong = HEAD "00 " ROOT_ID "00000000 " BRIDGE_ID PORT "0000 1400 0000 0f00";
    assert_violation(to_server(&f, wrong), "timers");
    assert_clean(to_server(&f, wrong));
}

static void changes_of_the_root(void **state)
{
    (void)state;
    to_server(&f, CONFIG);
    const char *s =
        to_server(&f, HEAD "00 " BETTER "00000004 " BRIDGE_ID PORT "0100 1400 0200 0f00");
    assert_violation(s, "root_changed");
    assert_no_violation(s, "root_claim");
    s = to_server(&f, HEAD "00 1001 0080f4010201 00000000 1001 0080f4010201 " PORT TIMERS);
    assert_violation(s, "root_claim");
    /* A bridge that lost its root claims to be one, which is no attack. */
    s = to_server(&f, CONFIG);
    assert_violation(s, "root_changed");
    assert_no_violation(s, "root_claim");
}

static void violations(void **state)
{
    (void)state;
    assert_violation(to_server(&f, "0001 00 00 00"), "protocol_id");
    assert_violation(to_server(&f, "0000 00 07 00"), "type");
    assert_violation(to_server(&f, "0000 00 02 3e " ROOT_ID "00000004 " OTHER_ID PORT TIMERS "00"),
                     "version_type");
    assert_violation(
        to_server(&f, HEAD "00 " ROOT_ID "00000000 " BRIDGE_ID PORT "1400 1400 0200 0f00"),
        "message_age");
    assert_violation(
        to_server(&f, HEAD "00 " ROOT_ID "00000000 " BRIDGE_ID PORT "0000 1400 0b00 0f00"),
        "timers");
    assert_violation(
        to_server(&f, HEAD "00 " ROOT_ID "00000000 " BRIDGE_ID PORT "0000 2000 0200 0f00"),
        "timers");
    /* Bridges of virtual machines. */
    assert_clean(
        to_server(&f, HEAD "00 " ROOT_ID "00000000 " BRIDGE_ID PORT "0000 1400 0200 0200"));
    assert_violation(to_server(&f, HEAD "00 " ROOT_ID "00000000 8001 0180f4010203 " PORT TIMERS),
                     "bridge_mac");
    assert_violation(to_server(&f, "0000 03 02 78 " ROOT_ID "00000004 " OTHER_ID PORT
                                   "0100 1400 0200 0f00 00 0060 00 4100"),
                     "malformed");
}

/* What is not in the PDU has no value, 0 least of all: a root of priority 0 were the best one. */
static void short_ones(void **state)
{
    (void)state;
    const char *s = to_server(&f, "0000");
    assert_has(s, "\"stp\":{\"protocol_id\":0}");
    assert_violation(s, "malformed");
    s = to_server(&f, "0000 00 00 30");
    assert_has(s, "\"type\":\"configuration\"");
    assert_has(s, "\"flags_code\":48");
    assert_has_not(s, "\"priority\"");
    assert_has_not(s, "\"mac\"");
    assert_has_not(s, "\"root_cost\"");
    assert_has_not(s, "\"max_age\"");
}

static void hostile(void **state)
{
    (void)state;
    feed_truncated(&f, FT_TO_SERVER, CONFIG);
    feed_truncated(&f, FT_TO_SERVER, MST);
    feed_truncated(&f, FT_TO_SERVER, PVST);
    feed_mutated(&f, FT_TO_SERVER, MST, 4000);
    feed_mutated(&f, FT_TO_SERVER, PVST, 2000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_feed, close_feed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(configuration), TEST(rapid_and_multiple), TEST(topology_change),
        TEST(per_vlan),      TEST(is_told_once),       TEST(changes_of_the_root),
        TEST(violations),    TEST(short_ones),         TEST(hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
