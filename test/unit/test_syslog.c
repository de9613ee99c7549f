/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Syslog, syslog.c: both formats, both ways of a stream, facts, violations; and what messages tell
 * of, syslog_event.c.
 */
#include "feed.h"

extern const struct ft_dissector ft_dissector_syslog;

static const struct ft_dissector *const dissectors[] = {&ft_dissector_syslog, NULL};

static struct feed f;

static int open_feed(void **state)
{
    (void)state;
    feed_open(&f, dissectors, "syslog", FT_TRANSPORT_UDP, 514);
    return 0;
}

static int open_stream(void **state)
{
    (void)state;
    feed_open(&f, dissectors, "syslog", FT_TRANSPORT_TCP, 514);
    return 0;
}

static int close_feed(void **state)
{
    (void)state;
    feed_close(&f);
    return 0;
}

static const char *say(const char *text)
{
    return feed_raw(&f, FT_TO_SERVER, (const uint8_t *)text, (uint32_t)strlen(text));
}

static void bsd(void **state)
{
    (void)state;
    const char *s = say("<30>Aug 21 00:02:11 plc-7 sshd[123]: session opened\n");
    assert_has(s, "\"command\":\"message\",\"code\":0");
    assert_has(s, "\"class\":\"event\",\"kind\":\"unsolicited\",\"direction\":\"to_server\"");
    assert_has(s, "\"facility\":\"daemon\",\"facility_code\":3,\"severity\":\"info\","
                  "\"severity_code\":6,\"proto\":\"rfc3164\"");
    assert_has(s,
               "\"time\":\"Aug 21 00:02:11\",\"host\":\"plc-7\",\"app\":\"sshd\",\"pid\":\"123\","
               "\"msg\":\"session opened\"");
    assert_has(s, "\"fact\":\"name\",\"value\":\"plc-7\"");
    assert_clean(s);
    /* Without a host, without anything. */
    s = say("<13>Aug  1 00:02:11 cron: tick");
    assert_has(s, "\"app\":\"cron\",\"msg\":\"tick\"");
    assert_has_not(s, "\"host\":\"cron");
    s = say("<13>only text");
    assert_has(s, "\"proto\":\"none\",\"proto_code\":0,\"msg\":\"only text\"");
    assert_clean(s);
}

static void ietf(void **state)
{
    (void)state;
    const char *s = say("<165>1 2003-10-11T22:14:15.003Z sw-1 evntslog - ID47 "
                        "[ex@32473 iut=\"3\" a=\"x \\\"y\\\" ]\"][b@1] \xef\xbb\xbftext");
    assert_has(s, "\"proto\":\"rfc5424\",\"proto_code\":2,\"time\":\"2003-10-11T22:14:15.003Z\","
                  "\"host\":\"sw-1\",\"app\":\"evntslog\",\"msgid\":\"ID47\"");
    assert_has_not(s, "\"pid\"");
    assert_has(s, "\"sd\":[{\"id\":\"ex@32473\",\"params\":[{\"name\":\"iut\",\"value\":\"3\"},"
                  "{\"name\":\"a\",\"value\":\"x \\\\\\\"y\\\\\\\" ]\"}]},{\"id\":\"b@1\"}]");
    assert_has(s, "\"msg\":\"text\"");
    assert_clean(s);
    s = say("<165>1 - - - - - - nothing");
    assert_has_not(s, "\"host\":\"");
    assert_has(s, "\"msg\":\"nothing\"");
    assert_clean(s);
    assert_violation(say("<165>1 - - - - - [a b=\"c"), "structured_data");
    assert_violation(say("<165>1 - - - - - [a b"), "structured_data");
}

static void vendors(void **state)
{
    (void)state;
    assert_has(say("<189>29: *Mar  1 18:48:50.483 UTC: %SYS-5-CONFIG_I: Configured from console"),
               "\"fact\":\"vendor\",\"value\":\"Cisco\"");
    assert_has_not(say("<189>load is 50%: fine"), "\"fact\":\"vendor\"");
    /* letters from A to Z, and what stands beside them */
    assert_has(say("<189>30: %AZ-5-ZA: x"), "\"fact\":\"vendor\",\"value\":\"Cisco\"");
    assert_has_not(say("<189>30: %A[-5-ZA: x"), "\"fact\":\"vendor\"");
    assert_has_not(say("<189>30: %A@-5-ZA: x"), "\"fact\":\"vendor\"");
    assert_has_not(say("<189>30: %Az-5-ZA: x"), "\"fact\":\"vendor\"");
    assert_has_not(say("<189>30: %Aa-5-ZA: x"), "\"fact\":\"vendor\"");
    assert_has(say("<13>Aug  1 00:02:11 h CEF:0|a|b|c|d|e|1|x=y"), "\"payload\":\"cef\"");
}

/* Who sends what several hosts wrote has the name of none. */
/* What is said, as the makers of the devices write it. */
static void events(void **state)
{
    (void)state;
    static const struct {
        const char *text, *event;
        bool is_violation;
    } cases[] = {
        {"<189>29: Mar 1 00:00:01: %SYS-5-CONFIG_I: Configured from console by vty0",
         "configuration_changed", true},
        {"<14>Aug 21 00:02:11 sw1 Configuration saved by admin", "configuration_changed", true},
        {"<86>Aug 21 00:02:11 gw sshd[7]: Failed password for root from 10.0.0.9 port 4 ssh2",
         "login_failed", true},
        {"<86>Aug 21 00:02:11 gw sshd[7]: Invalid user pi from 10.0.0.9", "login_failed", true},
        {"<14>Aug 21 00:02:11 sw1 LOGIN FAILED on web", "login_failed", true},
        {"<86>Aug 21 00:02:11 gw sshd[7]: Accepted publickey for root from 10.0.0.9", "login",
         false},
        {"<187>30: %LINK-3-UPDOWN: Interface Gi0/1, changed state to down", "link_down", true},
        {"<187>30: %LINK-3-UPDOWN: Interface Gi0/1, changed state to up", "link_up", false},
        {"<6>Aug 21 00:02:11 gw kernel: e1000e: eth0 NIC Link is Down", "link_down", true},
        {"<14>Aug 21 00:02:11 sw1 Firmware upgrade finished", "firmware_changed", true},
        {"<14>Aug 21 00:02:11 sw1 Cold start", "restarted", true},
        {"<189>31: %SYS-5-RESTART: System restarted --", "restarted", true},
        {"<12>1 - sw1 - - - - Power supply failed", "power_failed", true},
        {"<30>Aug 21 00:02:11 gw crond[1]: (root) CMD (true)", NULL, false},
        {"<30>Aug 21 00:02:11 gw d: link dow", NULL, false},
    };
    char expected[100];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *s = say(cases[i].text), *event = cases[i].event;
        snprintf(expected, sizeof(expected), "\"command\":\"%s\"", event ? event : "message");
        assert_has(s, expected);
        snprintf(expected, sizeof(expected), "\"event\":\"%s\"", event);
        assert_int_equal(feed_count(s, expected), event != NULL);
        assert_int_equal(feed_count(s, "{\"violation\""), cases[i].is_violation);
        snprintf(expected, sizeof(expected), "\"name\":\"%s\"", event ? event : "");
        if (cases[i].is_violation)
            assert_has(s, expected);
    }
    /* Only the beginning is looked at: 256 bytes. */
    char text[400] = "<13>";
    memset(text + 4, 'x', 247);
    strcpy(text + 251, "link down");
    assert_has(say(text), "\"command\":\"link_down\"");
    memset(text + 4, 'x', 248);
    strcpy(text + 252, "link down");
    assert_has(say(text), "\"command\":\"message\"");
}

static void relay(void **state)
{
    (void)state;
    assert_has(say("<13>Aug  1 00:02:11 plc-1 a: b"), "\"value\":\"plc-1\"");
    assert_has_not(say("<13>Aug  1 00:02:11 plc-2 a: b"), "\"fact\"");
    assert_has_not(say("<13>Aug  1 00:02:11 plc-1 a: b"), "\"fact\"");
    feed_next_flow(&f);
    assert_has_not(say("<13>Aug  1 00:02:11 10.0.0.1 a: b"), "\"fact\"");
}

/* Names of hosts: of letters and digits, neither too short nor too long, and no addresses. */
static void names(void **state)
{
    (void)state;
    static const char *const hosts[] = {"ab", "PLC-Z.plant_1", "a9"};
    static const char *const others[] = {"a", "10.0.0.1", "a+b", "17"};
    char text[512] = "<13>Aug  1 00:02:11 ", expected[300];
    for (unsigned i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        feed_next_flow(&f);
        snprintf(text + 20, sizeof(text) - 20, "%s a: b", hosts[i]);
        snprintf(expected, sizeof(expected), "\"fact\":\"name\",\"value\":\"%s\"", hosts[i]);
        assert_has(say(text), expected);
    }
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        feed_next_flow(&f);
        snprintf(text + 20, sizeof(text) - 20, "%s a: b", others[i]);
        assert_has_not(say(text), "\"fact\"");
    }
    for (unsigned length = 255; length <= 256; length++) {
        feed_next_flow(&f);
        memset(text + 20, 'x', length);
        strcpy(text + 20 + length, " a: b");
        assert_int_equal(feed_count(say(text), "{\"fact\""), length == 255);
    }
}

static void violations(void **state)
{
    (void)state;
    assert_clean(say("<191>text"));
    assert_violation(say("<192>text"), "priority");
    assert_violation(say("text without"), "priority");
    assert_violation(say("<13>one\n<13>two"), "several_lines");
    assert_clean(say("<13>one\r\n"));
    assert_violation(say("<13>one\033[31m"), "control_characters");
    assert_clean(say("<13>one\ttwo"));
}

static void counted_stream(void **state)
{
    (void)state;
    const char *s = say("9 <13>a b c9 <14>d\ne f");
    assert_int_equal(feed_count(s, "\"command\":\"message\""), 2);
    assert_has(s, "\"msg\":\"a b c\"");
    assert_has(s, "\"msg\":\"d\\ne f\"");
    /* more digits than any count has */
    feed_next_flow(&f);
    assert_has_not(say("123456 <13>a b c\n"), "\"command\"");
    feed_next_flow(&f);
    static const char text[] = "15 <13>hello world";
    unsigned n = 0;
    for (const char *at = text; *at; at++)
        n += feed_count(feed_raw(&f, FT_TO_SERVER, (const uint8_t *)at, 1), "\"msg\"");
    assert_int_equal(n, 1);
}

static void lines(void **state)
{
    (void)state;
    const char *s = say("<13>one\n<13>two\r\n\n<13>thr");
    assert_int_equal(feed_count(s, "\"command\":\"message\""), 2);
    assert_clean(s);
    s = say("ee\n");
    assert_has(s, "\"msg\":\"three\"");
    feed_next_flow(&f);
    f.flow.is_midstream = 1;
    s = say("d of a line\n");
    assert_has_not(s, "\"command\"");
    assert_has(say("<13>whole\n"), "\"msg\":\"whole\"");
}

static void recognition(void **state)
{
    (void)state;
    static const char line[] = "<13>Aug  1 00:02:11 h a: b", shell[] = "1022\0user\0user\0ls\0";
    struct ft_harness_flow other = f.flow, stream = f.flow;
    other.server_port = 5514;
    stream.transport = FT_TRANSPORT_TCP;
    assert_int_equal(ft_harness_probe(f.harness, &other, FT_TO_SERVER, line, sizeof(line) - 1),
                     FT_YES);
    assert_int_equal(ft_harness_probe(f.harness, &other, FT_TO_SERVER, "<13>xml", 7), FT_NO);
    assert_int_equal(ft_harness_probe(f.harness, &stream, FT_TO_SERVER, shell, sizeof(shell) - 1),
                     FT_NO);
    assert_int_equal(ft_harness_probe(f.harness, &f.flow, FT_TO_SERVER, "\1\2\3\4\5\6\7\10", 8),
                     FT_NO);
}

static void truncated_and_mutated(void **state)
{
    (void)state;
    static const char text[] = "<165>1 2003-10-11T22:14:15.003Z sw-1 e - ID47 [a b=\"c\"] text";
    char hex[400];
    for (size_t i = 0; i < sizeof(text) - 1; i++)
        snprintf(hex + 2 * i, 3, "%02x", (uint8_t)text[i]);
    feed_truncated(&f, FT_TO_SERVER, hex);
    feed_mutated(&f, FT_TO_SERVER, hex, 3000);
}

#define TEST(test)   cmocka_unit_test_setup_teardown(test, open_feed, close_feed)
#define STREAM(test) cmocka_unit_test_setup_teardown(test, open_stream, close_feed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bsd),
        TEST(ietf),
        TEST(vendors),
        TEST(relay),
        TEST(events),
        TEST(names),
        TEST(violations),
        STREAM(counted_stream),
        STREAM(lines),
        TEST(recognition),
        TEST(truncated_and_mutated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
