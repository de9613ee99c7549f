/* SPDX-License-Identifier: BSD-3-Clause */
/* LLC: frames of information by SAP and SNAP number, LLC's own frames, NetBIOS names. */
#include "feed.h"

extern const struct ft_dissector ft_dissector_llc;

static const struct ft_dissector *const dissectors[] = {&ft_dissector_llc, NULL};

static struct feed f;

static int open_feed(void **state)
{
    (void)state;
    feed_open(&f, dissectors, "llc", FT_TRANSPORT_L2, 0);
    return 0;
}

static int close_feed(void **state)
{
    (void)state;
    feed_close(&f);
    return 0;
}

static void information(void **state)
{
    (void)state;
    const char *s = to_server(&f, "f4 f4 03 0102");
    assert_has(s, "\"command\":\"ibm_management\",\"code\":3,\"qualifier\":244,\"class\":\"data\"");
    assert_has(s, "\"dsap\":\"ibm_management\",\"dsap_code\":244,\"group\":false");
    assert_has(s, "\"control\":\"ui\"");
    assert_has(s, "\"length\":5");
    assert_clean(s);
    s = to_server(&f, "aa aa 03 00000c 2004 01");
    assert_has(s, "\"command\":\"cisco_dtp\"");
    assert_has(s, "\"class\":\"config\"");
    assert_has(s, "\"oui\":12,\"pid\":8196");
    feed_next_flow(&f);
    s = to_server(&f, "aa aa 03 00000c 2004 01");
    assert_violation(s, "switch_protocol");
    assert_has(s, "\"fact\":\"vendor\",\"value\":\"Cisco\"");
    assert_clean(to_server(&f, "aa aa 03 00000c 2004 01"));
    assert_has(to_server(&f, "aa aa 03 123456 0001 01"), "\"command\":\"unnumbered_information\"");
}

/* Who gave the number of a protocol, told once. */
static void organisations(void **state)
{
    (void)state;
    static const char *const known[] = {
        "aa aa 03 0080c2 0007 01", "aa aa 03 00e052 2000 01", "aa aa 03 00e02b 00bb 01",
        "aa aa 03 000081 01a2 01", "aa aa 03 080007 809b 01", "aa aa 03 001090 0001 01",
        "aa aa 03 0000f8 80f3 01", "aa aa 03 000000 0900 01", "aa aa 03 00000c 2000 01",
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        feed_next_flow(&f);
        assert_clean(to_server(&f, known[i]));
    }
    feed_next_flow(&f);
    assert_violation(to_server(&f, "aa aa 03 123456 0001 01"), "organisation");
    assert_clean(to_server(&f, "aa aa 03 123456 0001 01"));
    feed_next_flow(&f);
    assert_clean(to_server(&f, "7e 7e 03 123456 0001 01")); /* no SNAP */
    static const struct {
        const char *hex, *command;
    } named[] = {{"02 02 03 00", "llc_management"},
                 {"04 04 03 00", "sna_path"},
                 {"08 08 03 00", "sna"},
                 {"0c 0c 03 00", "sna_2"},
                 {"7e 7e 03 00", "x25"},
                 {"98 98 03 00", "arp"},
                 {"aa aa 03 0080c2 0001 01", "bridged_ethernet_with_fcs"},
                 {"aa aa 03 0080c2 0007 01", "bridged_ethernet"}};
    char expected[100];
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
        snprintf(expected, sizeof(expected), "\"command\":\"%s\"", named[i].command);
        assert_has(to_server(&f, named[i].hex), expected);
    }
}

static void connections(void **state)
{
    (void)state;
    const char *s = to_server(&f, "f0 f0 7f");
    assert_has(s, "\"command\":\"connect\"");
    assert_has(s, "\"class\":\"admin\",\"kind\":\"request\"");
    assert_has(s, "\"poll\":true");
    assert_clean(s);
    assert_has(to_client(&f, "f0 f1 73"), "\"command\":\"acknowledge\"");
    s = to_server(&f, "f0 f0 0204 00");
    assert_has(s, "\"command\":\"information\"");
    assert_has(s, "\"sent\":1,\"received\":2,\"poll\":false");
    assert_has(to_client(&f, "f0 f1 0105"), "\"command\":\"receive_ready\"");
    assert_has(to_client(&f, "f0 f1 0105"), "\"received\":2,\"poll\":true");
}

static void questions(void **state)
{
    (void)state;
    const char *s = to_server(&f, "00 04 bf 810100");
    assert_has(s, "\"command\":\"exchange_identification\"");
    assert_has(s, "\"class\":\"diagnostic\"");
    s = to_client(&f, "04 01 bf 810100");
    assert_has(s, "\"kind\":\"response\",\"direction\":\"to_client\",\"paired\":true");
    to_server(&f, "00 04 f3 0102");
    assert_has(to_client(&f, "04 01 f3 0102"), "\"paired\":true");
    assert_has(to_client(&f, "04 01 f3 0102"), "\"paired\":false");
}

static void netbios(void **state)
{
    (void)state;
    const char *s =
        to_server(&f, "f0 f0 03 2c00 ffef 0a 00 0000 0000 0000 53455256455231202020202020202020 "
                      "504c414e5431202020202020202020 00");
    assert_has(s, "\"netbios_command\":\"name_query\"");
    assert_has(s, "\"netbios_to\":\"SERVER1\",\"netbios_from\":\"PLANT1\"");
    assert_has(s, "\"fact\":\"name\",\"value\":\"PLANT1\"");
    assert_violation(s, "obsolete");
    s = to_server(&f, "f0 f0 03 2c00 ffef 0a 00 0000 0000 0000 53455256455231202020202020202020 "
                      "504c414e5431202020202020202020 00");
    assert_has_not(s, "{\"fact\"");
    assert_clean(s);
}

static void hostile(void **state)
{
    (void)state;
    static const char query[] =
        "f0 f0 03 2c00 ffef 0a 00 0000 0000 0000 53455256455231202020202020202020 "
        "504c414e5431202020202020202020 00";
    assert_violation(to_server(&f, "04 04 8b"), "control");
    assert_violation(to_server(&f, "04 04"), "malformed");
    feed_truncated(&f, FT_TO_SERVER, query);
    feed_mutated(&f, FT_TO_SERVER, query, 4000);
    feed_mutated(&f, FT_TO_SERVER, "aa aa 03 00000c 2004 01", 2000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_feed, close_feed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(information), TEST(organisations), TEST(connections),
        TEST(questions),   TEST(netbios),       TEST(hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
