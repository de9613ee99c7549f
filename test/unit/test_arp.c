/* SPDX-License-Identifier: BSD-3-Clause */
/* ARP: forms of requests and replies, address facts, violations. */
#include "feed.h"

extern const struct ft_dissector ft_dissector_arp;

static const struct ft_dissector *const dissectors[] = {&ft_dissector_arp, NULL};

static struct feed f;

static const uint8_t station_a[6] = {0x00, 0x80, 0xf4, 0x01, 0x02, 0x03};
static const uint8_t station_b[6] = {0x00, 0x0e, 0x8c, 0x0a, 0x0b, 0x0c};
static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static int open_feed(void **state)
{
    (void)state;
    feed_open(&f, dissectors, "arp", FT_TRANSPORT_L2, 0x0806);
    return 0;
}

static int close_feed(void **state)
{
    (void)state;
    feed_close(&f);
    return 0;
}

/* A frame from `src` to `dst`. */
static const char *frame(const uint8_t src[6], const uint8_t dst[6], const char *hex)
{
    memcpy(f.flow.client_mac, src, 6);
    memcpy(f.flow.server_mac, dst, 6);
    return to_server(&f, hex);
}

#define HEADER "0001 0800 06 04 "
#define A_MAC  "0080f4010203 "
#define B_MAC  "000e8c0a0b0c "
#define A_IP   "c0a80001 "
#define B_IP   "c0a80002 "
#define NO_MAC "000000000000 "
#define NO_IP  "00000000 "

static void request_and_reply(void **state)
{
    (void)state;
    const char *s = frame(station_a, everybody, HEADER "0001 " A_MAC A_IP NO_MAC B_IP);
    assert_has(s, "\"command\":\"request\",\"code\":1,\"qualifier\":0,\"class\":\"read\"");
    assert_has(s, "\"kind\":\"request\"");
    assert_has(s, "\"hw_type\":\"ethernet\"");
    assert_has(s, "\"proto_type\":\"ipv4\"");
    assert_has(s, "\"opcode\":\"request\"");
    assert_has(s, "\"src_mac\":\"00:80:f4:01:02:03\",\"src_ip\":\"192.168.0.1\"");
    assert_has(s, "\"dest_mac\":\"00:00:00:00:00:00\",\"dest_ip\":\"192.168.0.2\"");
    assert_has(s, "\"probe\":false,\"gratuitous\":false");
    assert_has(s, "{\"resolution\":{\"what\":\"question\",\"mac\":\"00:80:f4:01:02:03\","
                  "\"ip\":\"192.168.0.1\",\"target\":\"192.168.0.2\"}}");
    assert_clean(s);
    s = frame(station_b, station_a, HEADER "0002 " B_MAC B_IP A_MAC A_IP);
    assert_has(s, "\"command\":\"reply\"");
    assert_has(s, "\"kind\":\"response\"");
    assert_has(s, "{\"resolution\":{\"what\":\"answer\",\"mac\":\"00:0e:8c:0a:0b:0c\","
                  "\"ip\":\"192.168.0.2\",\"target\":\"192.168.0.1\"}}");
    assert_clean(s);
}

static void probes_and_announcements(void **state)
{
    (void)state;
    const char *s = frame(station_a, everybody, HEADER "0001 " A_MAC NO_IP NO_MAC B_IP);
    assert_has(s, "\"command\":\"probe\",\"code\":1,\"qualifier\":1,\"class\":\"diagnostic\"");
    assert_has(s, "\"probe\":true");
    assert_has(s, "{\"resolution\":{\"what\":\"probe\",\"mac\":\"00:80:f4:01:02:03\","
                  "\"target\":\"192.168.0.2\"}}");
    assert_clean(s);
    s = frame(station_a, everybody, HEADER "0001 " A_MAC A_IP NO_MAC A_IP);
    assert_has(s, "\"command\":\"announcement\"");
    assert_has(s, "\"kind\":\"unsolicited\"");
    assert_has(s, "\"gratuitous\":true");
    assert_has(s, "{\"resolution\":{\"what\":\"announcement\"");
    assert_clean(s);
    s = frame(station_a, everybody, HEADER "0002 " A_MAC A_IP "ffffffffffff " A_IP);
    assert_has(s, "\"command\":\"gratuitous_reply\"");
    assert_clean(s);
}

/* A stack that confirms an entry asks the one it knows. */
static void unicast_pair(void **state)
{
    (void)state;
    frame(station_a, station_b, HEADER "0001 " A_MAC A_IP NO_MAC B_IP);
    memcpy(f.flow.client_mac, station_a, 6);
    memcpy(f.flow.server_mac, station_b, 6);
    const char *s = to_client(&f, HEADER "0002 " B_MAC B_IP A_MAC A_IP);
    assert_has(s, "\"paired\":true");
    s = to_client(&f, HEADER "0002 " B_MAC B_IP A_MAC A_IP);
    assert_has(s, "\"paired\":false");
}

static void other_operations(void **state)
{
    (void)state;
    assert_has(frame(station_a, everybody, HEADER "0003 " A_MAC NO_IP A_MAC NO_IP),
               "\"command\":\"rarp_request\"");
    assert_has(frame(station_a, station_b, HEADER "0004 " A_MAC A_IP B_MAC B_IP),
               "\"command\":\"rarp_reply\"");
    assert_has(frame(station_a, station_b, HEADER "0008 " A_MAC A_IP B_MAC NO_IP),
               "\"command\":\"inarp_request\"");
    const char *s = frame(station_a, station_b, HEADER "0019 " A_MAC A_IP B_MAC B_IP);
    assert_has(s, "\"command\":\"code_25\"");
    assert_clean(s);
    assert_violation(frame(station_a, station_b, HEADER "001a " A_MAC A_IP B_MAC B_IP), "opcode");
    assert_violation(frame(station_a, station_b, HEADER "0000 " A_MAC A_IP B_MAC B_IP), "opcode");
    /* Another hardware: no addresses are read, none is wrong. */
    s = frame(station_a, station_b, "0007 0800 01 04 0001 aa c0a80001 00 c0a80002");
    assert_has(s, "\"hw_type\":\"arcnet\"");
    assert_has(s, "\"addresses\":\"aac0a8000100c0a80002\"");
    assert_clean(s);
}

static void violations(void **state)
{
    (void)state;
    const char *s = frame(station_b, everybody, HEADER "0001 " A_MAC A_IP NO_MAC B_IP);
    assert_violation(s, "frame_sender");
    s = frame(station_a, everybody, HEADER "0001 " NO_MAC A_IP NO_MAC B_IP);
    assert_violation(s, "sender_mac");
    assert_has_not(s, "{\"resolution\"");
    assert_violation(frame(station_a, everybody, HEADER "0001 01005e000001 " A_IP NO_MAC B_IP),
                     "sender_mac");
    s = frame(station_a, everybody, HEADER "0001 " A_MAC "e0000001 " NO_MAC B_IP);
    assert_violation(s, "sender_ip");
    assert_has_not(s, "{\"resolution\"");
    assert_violation(frame(station_a, everybody, HEADER "0001 " A_MAC "7f000001 " NO_MAC B_IP),
                     "sender_ip");
    assert_violation(frame(station_b, everybody, HEADER "0002 " B_MAC B_IP A_MAC A_IP),
                     "broadcast_reply");
    assert_violation(
        frame(station_a, everybody, "0001 0800 07 04 0001 " A_MAC A_IP NO_MAC B_IP "0000"),
        "address_lengths");
    assert_violation(frame(station_a, everybody, "0001 0800 06 ff 0001 " A_MAC A_IP NO_MAC B_IP),
                     "malformed");
}

static void padding_is_ignored(void **state)
{
    (void)state;
    assert_clean(frame(station_a, everybody,
                       HEADER "0001 " A_MAC A_IP NO_MAC B_IP
                              "deadbeefdeadbeefdeadbeefdeadbeefdead"));
}

static void truncated_and_mutated(void **state)
{
    (void)state;
    const char *hex = HEADER "0001 " A_MAC A_IP NO_MAC B_IP;
    uint8_t bytes[FEED_MAX];
    uint32_t n = feed_bytes(hex, bytes);
    for (uint32_t i = 0; i < n; i++)
        assert_violation(feed_raw(&f, FT_TO_SERVER, bytes, i), "malformed");
    feed_truncated(&f, FT_TO_SERVER, hex);
    feed_mutated(&f, FT_TO_SERVER, hex, 2000);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, open_feed, close_feed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(request_and_reply),
        TEST(probes_and_announcements),
        TEST(unicast_pair),
        TEST(other_operations),
        TEST(violations),
        TEST(padding_is_ignored),
        TEST(truncated_and_mutated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
