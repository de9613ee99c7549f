/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMP: questions and answers, errors with the packets they quote, violations. */
#include "feed.h"

extern const struct ft_dissector ft_dissector_icmp;

static const struct ft_dissector *const dissectors[] = {&ft_dissector_icmp, NULL};

static struct feed f;

static int open_feed(void **state)
{
    (void)state;
    feed_open(&f, dissectors, "icmp", FT_TRANSPORT_IP, 0);
    f.flow.client_port = 0;
    f.flow.ip_version = 4;
    f.flow.ttl = 64;
    memcpy(f.flow.client_ip, "\xc0\xa8\x00\x01", 4);
    memcpy(f.flow.server_ip, "\xc0\xa8\x00\x02", 4);
    return 0;
}

static int close_feed(void **state)
{
    (void)state;
    feed_close(&f);
    return 0;
}

/* The message with its checksum filled in. */
static const char *say(enum ft_direction direction, const char *hex)
{
    uint8_t bytes[FEED_MAX];
    uint32_t n = feed_bytes(hex, bytes), sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += (uint32_t)bytes[i] << (i % 2 ? 0 : 8);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    bytes[2] = (uint8_t)(~sum >> 8);
    bytes[3] = (uint8_t)~sum;
    return feed_raw(&f, direction, bytes, n);
}

#define ASK(hex)    say(FT_TO_SERVER, hex)
#define ANSWER(hex) say(FT_TO_CLIENT, hex)

/* Of UDP from 192.168.0.1 (the client) to 10.0.0.9, quoted. */
#define QUOTED      "4500 0020 0000 0000 40 11 0000 c0a80001 0a000009 1000 0035 000c 0000 "
#define QUOTED_ICMP "4500 0020 0000 0000 40 01 0000 c0a80001 0a000009 0301 0000 0000 0000 "

static void echo(void **state)
{
    (void)state;
    const char *s = ASK("0800 0000 0007 0001 61626364");
    assert_has(s,
               "\"command\":\"echo_request\",\"code\":8,\"qualifier\":0,\"class\":\"diagnostic\","
               "\"kind\":\"request\",\"direction\":\"to_server\"");
    assert_has(s,
               "\"type\":\"echo_request\",\"type_code\":8,\"code\":0,\"ttl\":64,\"id\":7,\"seq\":1,"
               "\"len\":4");
    assert_clean(s);
    s = ANSWER("0000 0000 0007 0001 61626364");
    assert_has(s, "\"kind\":\"response\",\"direction\":\"to_client\",\"paired\":true");
    assert_clean(s);
    assert_has(ANSWER("0000 0000 0007 0001 61626364"), "\"paired\":false");
    assert_has(ANSWER("0000 0000 0007 0002 61626364"), "\"paired\":false");
}

/* Both ask, with the same numbers; each gets its own answer. */
static void both_ask(void **state)
{
    (void)state;
    ASK("0800 0000 0001 0001 61");
    const char *s = ANSWER("0800 0000 0001 0001 62");
    assert_has(s, "\"direction\":\"to_server\"");
    s = ANSWER("0000 0000 0001 0001 61");
    assert_has(s, "\"paired\":true");
    assert_clean(s);
    s = ASK("0000 0000 0001 0001 62");
    assert_clean(s);
}

static void data_that_differs(void **state)
{
    (void)state;
    ASK("0800 0000 0007 0001 61626364");
    assert_violation(ANSWER("0000 0000 0007 0001 61626365"), "echo_data");
    ASK("0800 0000 0007 0002 61626364");
    assert_violation(ANSWER("0000 0000 0007 0002 616263"), "echo_data");
    ASK("0800 0000 0007 0003 61626364");
    assert_violation(ANSWER("0000 0000 0007 0003 "
                            "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f"
                            "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f00"),
                     "tunnel");
}

static void tunnels(void **state)
{
    (void)state;
    assert_violation(ASK("0800 0000 0007 0001 d5200880 0a000001"), "tunnel");
    assert_violation(ASK("0800 0000 0007 0002 " QUOTED "00000000"), "tunnel");
    /* One byte more than the packet says. */
    assert_no_violation(ASK("0800 0000 0007 0003 " QUOTED "0000000000"), "tunnel");
    char large[4096] = "0800 0000 0007 0004 ";
    for (unsigned i = 0; i < 1472; i++)
        strcat(large, "61");
    assert_clean(ASK(large));
    large[18] = '5';
    strcat(large, "61");
    assert_violation(ASK(large), "large_echo");
}

static void systems(void **state)
{
    (void)state;
    assert_has(
        ASK("0800 0000 0001 0001 6162636465666768696a6b6c6d6e6f7071727374757677616263646566676869"),
        "\"fact\":\"os\",\"value\":\"Windows\"");
    feed_next_flow(&f);
    const char *ping =
        "0800 0000 0001 0001 40b9575e00000000982c020000000000"
        "101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637";
    const char *s = ASK(ping);
    assert_has(s, "\"fact\":\"os\",\"value\":\"Linux\"");
    assert_has(s, "\"os\":\"Linux\"");
    assert_has_not(ASK(ping), "{\"fact\"");
}

static void errors(void **state)
{
    (void)state;
    const char *s = ANSWER("0303 0000 00000000 " QUOTED);
    assert_has(s, "\"command\":\"port_unreachable\",\"code\":3,\"qualifier\":3");
    assert_has(s, "\"kind\":\"unsolicited\"");
    assert_has(s, "\"inner\":{\"src\":\"192.168.0.1\",\"dst\":\"10.0.0.9\",\"proto\":\"udp\","
                  "\"proto_code\":17,\"ttl\":64,\"sport\":4096,\"dport\":53}");
    assert_has_not(s, "{\"fact\"");
    assert_clean(s);
    s = ANSWER("0304 0000 0000 05dc " QUOTED);
    assert_has(s, "\"mtu\":1500");
    s = ANSWER("0b00 0000 00000000 " QUOTED);
    assert_has(s, "\"command\":\"ttl_exceeded\"");
    assert_has(s, "\"fact\":\"role\",\"value\":\"router\"");
    assert_clean(s);
    s = ANSWER("0501 0000 c0a800fe " QUOTED);
    assert_has(s, "\"command\":\"redirect_host\"");
    assert_has(s, "\"class\":\"config\"");
    assert_has(s, "\"redirect_gw\":\"192.168.0.254\"");
    assert_clean(s);
    s = ANSWER("0c00 0000 14000000 " QUOTED);
    assert_has(s, "\"pointer\":20");
    s = ANSWER("0303 0000 00000000 45");
    assert_has_not(s, "\"inner\"");
    assert_clean(s);
}

static void extensions(void **state)
{
    (void)state;
    char hex[1024] = "0b00 0000 00 20 0000 " QUOTED;
    for (unsigned i = 28; i < 128; i++)
        strcat(hex, "00");
    strcat(hex, "2000 0000 0008 01 01 00010140 0008 02 01 c0a80001");
    const char *s = ANSWER(hex);
    assert_has(s, "\"mpls\":[{\"label\":16,\"ttl\":64}]");
    assert_has(s, "\"extension\":[{\"class\":2,\"type\":1,\"data\":\"c0a80001\"}]");
}

static void other_questions(void **state)
{
    (void)state;
    const char *s = ASK("0d00 0000 0001 0002 00000064 00000000 00000000");
    assert_has(s, "\"command\":\"timestamp_request\"");
    assert_has(s, "\"class\":\"read\"");
    assert_has(s, "\"originated\":100");
    s = ANSWER("0e00 0000 0001 0002 00000064 00000065 00000066");
    assert_has(s, "\"paired\":true");
    assert_has(s, "\"transmitted\":102");
    ASK("1100 0000 0001 0003 00000000");
    s = ANSWER("1200 0000 0001 0003 ffffff00");
    assert_has(s, "\"paired\":true");
    assert_has(s, "\"mask\":\"255.255.255.0\"");
    ASK("2a00 0000 0009 01 01 2000 0000");
    s = ANSWER("2b00 0000 0009 01 24");
    assert_has(s, "\"paired\":true");
    assert_has(s, "\"probe\":36");
    s = ANSWER("0900 0000 02 02 0708 c0a80001 00000000 c0a80002 ffffffff");
    assert_has(s, "\"router\":[{\"address\":\"192.168.0.1\",\"preference\":0},"
                  "{\"address\":\"192.168.0.2\",\"preference\":-1}]");
    assert_has(s, "\"value\":\"router\"");
    assert_clean(s);
    assert_violation(ANSWER("0900 0000 ff 02 0708 c0a80001 00000000"), "malformed");
    assert_has(ASK("1e00 0000 00000000"), "\"command\":\"traceroute\"");
}

static void violations(void **state)
{
    (void)state;
    assert_violation(to_server(&f, "0800 1234 0007 0001 61626364"), "checksum");
    assert_violation(ASK("0700 0000 00000000"), "type");
    assert_has(ASK("6300 0000 00000000"), "\"command\":\"code_99\"");
    assert_violation(ASK("0801 0000 00000000"), "code");
    assert_violation(ANSWER("0310 0000 00000000 " QUOTED), "code");
    assert_violation(ANSWER("0301 0000 00000000 " QUOTED_ICMP), "error_about_error");
    assert_violation(ASK("0303 0000 00000000 " QUOTED), "foreign_error");
    assert_violation(ANSWER("0501 0000 e0000001 " QUOTED), "redirect_gateway");
    memcpy(f.flow.server_ip, "\xff\xff\xff\xff", 4);
    assert_violation(ASK("0800 0000 0007 0001 61626364"), "broadcast_echo");
}

static void hostile(void **state)
{
    (void)state;
    feed_truncated(&f, FT_TO_CLIENT, "0b00 0000 00 20 0000 " QUOTED);
    feed_mutated(&f, FT_TO_CLIENT, "0b00 0000 00 07 0000 " QUOTED "2000 0000 0008 01 01 00010140",
                 8000);
    feed_mutated(&f, FT_TO_SERVER, "0800 0000 0007 0002 " QUOTED, 4000);
    feed_mutated(&f, FT_TO_SERVER, "0900 0000 02 02 0708 c0a80001 00000000 c0a80002 ffffffff",
                 4000);
    /* Without addresses, as in a harness that has none. */
    f.flow.ip_version = 0;
    feed_mutated(&f, FT_TO_SERVER, "0800 0000 0007 0002 " QUOTED, 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_feed, close_feed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(echo),   TEST(both_ask),   TEST(data_that_differs), TEST(tunnels),    TEST(systems),
        TEST(errors), TEST(extensions), TEST(other_questions),   TEST(violations), TEST(hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
