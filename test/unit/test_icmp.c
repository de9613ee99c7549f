/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP (icmp.c): questions and answers, errors, extensions, violations; with what it shares with
 * ICMPv6 (icmp_common.c): quoted packets at every length, echo data, checksums.
 */
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
static const char *say_bytes(enum ft_direction direction, uint8_t *bytes, uint32_t n)
{
    uint32_t sum = 0;
    bytes[2] = bytes[3] = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += (uint32_t)bytes[i] << (i % 2 ? 0 : 8);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    bytes[2] = (uint8_t)(~sum >> 8);
    bytes[3] = (uint8_t)~sum;
    return feed_raw(&f, direction, bytes, n);
}

static const char *say(enum ft_direction direction, const char *hex)
{
    uint8_t bytes[FEED_MAX];
    uint32_t n = feed_bytes(hex, bytes);
    return say_bytes(direction, bytes, n);
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
    s = ASK("0000 0000 0001 0001 62");
    assert_has(s, "\"paired\":true");
    assert_clean(s);
    s = ANSWER("0000 0000 0001 0001 61");
    assert_has(s, "\"paired\":true");
    assert_clean(s);
    /* Numbers may be zero. */
    ASK("0800 0000 0000 0000 61");
    s = ANSWER("0000 0000 0000 0000 61");
    assert_has(s, "\"paired\":true");
    assert_has(s, "\"len\":1");
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

static const char *echo_of(const char *data)
{
    char hex[2 * FEED_MAX] = "0800 0000 0001 0001 ";
    strcat(hex, data);
    feed_next_flow(&f);
    return ASK(hex);
}

#define WINDOWS  "6162636465666768696a6b6c6d6e6f70717273747576776162636465666768"
#define RAMP_8   "08090a0b0c0d0e0f"
#define RAMP_16  "101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e"
#define ABCD_34  "abcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcd"
#define COUNT_8  "0000000000000001"
#define IS_OS(s) "\"fact\":\"os\",\"value\":\"" s "\""

/* A byte less or another one makes it nobody's. */
static void systems_by_data(void **state)
{
    (void)state;
    assert_has(echo_of(WINDOWS "69"), IS_OS("Windows"));
    assert_has(echo_of(WINDOWS "6900"), IS_OS("Windows"));
    assert_has_not(echo_of(WINDOWS), "{\"fact\"");
    assert_has_not(echo_of(WINDOWS "6a"), "{\"fact\"");
    assert_has(echo_of("40b9575e00000000 982c020000000000" RAMP_16 "2f"), IS_OS("Linux"));
    assert_has(echo_of("40b9575e00000000 982c020000000000" RAMP_16 "2f30"), IS_OS("Linux"));
    assert_has_not(echo_of("40b9575e00000000 982c020000000000" RAMP_16), "{\"fact\"");
    assert_has_not(echo_of("40b9575e00000000 982c020000000000" RAMP_16 "30"), "{\"fact\"");
    assert_has(echo_of("40b9575e00000000" RAMP_8 RAMP_16 "2f"), IS_OS("Unix"));
    assert_has(echo_of("40b9575e00000000"
                       "00090a0b0c0d0e0f" RAMP_16 "2f"),
               IS_OS("Linux"));
    assert_has_not(echo_of("40b9575e00000000" RAMP_8 "00" RAMP_16), "{\"fact\"");
    assert_has(echo_of(ABCD_34 "abcd 0000000000000000"), IS_OS("Cisco IOS"));
    assert_has(echo_of(COUNT_8 ABCD_34 "abcd"), IS_OS("Cisco IOS"));
    assert_has_not(echo_of(COUNT_8 ABCD_34 "ab"), "{\"fact\"");
    assert_has_not(echo_of(COUNT_8 ABCD_34 "abce"), "{\"fact\"");
    assert_has_not(echo_of(COUNT_8 "0000" ABCD_34), "{\"fact\"");
}

/* Each of both hosts is told, once. */
static void systems_of_both(void **state)
{
    (void)state;
    const char *windows = "0800 0000 0001 0001 " WINDOWS "69";
    const char *cisco = "0800 0000 0001 0001 " COUNT_8 ABCD_34 "abcd";
    assert_has(ASK(windows), IS_OS("Windows"));
    assert_has(ANSWER(cisco), IS_OS("Cisco IOS"));
    assert_has_not(ASK(windows), "{\"fact\"");
    assert_has_not(ANSWER(cisco), "{\"fact\"");
    /* Who answers only repeats what was sent. */
    feed_next_flow(&f);
    assert_has_not(ANSWER("0000 0000 0001 0001 " WINDOWS "69"), "{\"fact\"");
}

static void echo_at_any_length(void **state)
{
    (void)state;
    feed_truncated(&f, FT_TO_SERVER, "0800 f7f6 0001 0001 0203");
    const char *s = echo_of("");
    assert_has(s, "\"id\":1,\"seq\":1,\"len\":0,\"data_hash\":");
    assert_clean(s);
    assert_violation(to_server(&f, "0800 0000 0001 00"), "malformed");
    /* The same data has the same hash. */
    char first[64] = "", second[64] = "", other[64] = "";
    sscanf(strstr(echo_of("0102"), "\"data_hash\""), "\"data_hash\":%60[0-9]", first);
    sscanf(strstr(echo_of("0102"), "\"data_hash\""), "\"data_hash\":%60[0-9]", second);
    sscanf(strstr(echo_of("0103"), "\"data_hash\""), "\"data_hash\":%60[0-9]", other);
    assert_true(strlen(first) > 3);
    assert_string_equal(first, second);
    assert_string_not_equal(first, other);
}

/* What was cut by the snap length cannot be compared: neither the question nor the answer. */
static void echo_that_is_cut(void **state)
{
    (void)state;
    static const uint8_t question[] = {8, 0, 0, 0, 0, 7, 0, 1, 'a', 'b'};
    static const uint8_t answer[] = {0, 0, 0, 0, 0, 7, 0, 1, 'x', 'y'};
    ft_harness_feed_cut(f.harness, &f.flow, FT_TO_SERVER, ++f.time_ns, question, sizeof(question));
    const char *s = ANSWER("0000 0000 0007 0001 7879");
    assert_has(s, "\"paired\":true");
    assert_clean(s);
    ASK("0800 0000 0007 0001 6162");
    s = ft_harness_feed_cut(f.harness, &f.flow, FT_TO_CLIENT, ++f.time_ns, answer, sizeof(answer));
    assert_has(s, "\"paired\":true");
    assert_clean(s);
}

/* A packet of IP in a ping, whole, by its own length; near misses are data. */
static void tunnels_of_ip(void **state)
{
    (void)state;
    static const char v6[] = "6000 0000 0008 11 40 fe800000000000000000000000000001 "
                             "fe800000000000000000000000000002 1000 0035 0008 00";
    char hex[256];
    snprintf(hex, sizeof(hex), "%s00", v6);
    assert_violation(echo_of(hex), "tunnel");
    assert_no_violation(echo_of(v6), "tunnel");
    hex[0] = '7';
    assert_no_violation(echo_of(hex), "tunnel");
    /* Nothing behind the header is too short for a tunnel. */
    assert_no_violation(echo_of("6000 0000 0007 11 40 fe800000000000000000000000000001 "
                                "fe800000000000000000000000000002 1000 0035 0008 00"),
                        "tunnel");
    assert_violation(
        echo_of("4500 001c 0000 0000 40 11 0000 c0a80001 0a000009 1000 0035 0008 0000"), "tunnel");
    assert_no_violation(
        echo_of("4500 001b 0000 0000 40 11 0000 c0a80001 0a000009 1000 0035 0008 00"), "tunnel");
    assert_no_violation(
        echo_of("4600 001c 0000 0000 40 11 0000 c0a80001 0a000009 1000 0035 0008 0000"), "tunnel");
    assert_violation(echo_of("d5200880"), "tunnel");
    assert_no_violation(echo_of("d52008"), "tunnel");
    assert_no_violation(echo_of("d5200881"), "tunnel");
}

/* Answers with 64 bytes of other data are odd, with 65 a tunnel. */
static void data_that_differs_much(void **state)
{
    (void)state;
    char hex[512];
    for (unsigned n = 64; n <= 65; n++) {
        ASK("0800 0000 0009 0001 61626364");
        strcpy(hex, "0000 0000 0009 0001 ");
        for (unsigned i = 0; i < n; i++)
            strcat(hex, "62");
        const char *s = ANSWER(hex);
        assert_has(s, "\"paired\":true");
        if (n == 64)
            assert_violation(s, "echo_data");
        else
            assert_violation(s, "tunnel");
    }
}

/* Of odd and even lengths, with carries. */
static void checksums(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        bool is_good;
    } messages[] = {
        {"0800 f7fd 0001 0001", true},      {"0800 f7fe 0001 0001", false},
        {"0800 95fd 0001 0001 62", true},   {"0800 f79b 0001 0001 62", false},
        {"0800 f7fd ffff ffff 0002", true}, {"0800 f7fc ffff ffff 0002", false},
        {"0800 f7ff ffff ffff", true},      {"0800 f8fd 0001 0000 ff", true},
        {"0800 f8fe 0000 0000 ff", true},   {"0800 f8ff 0000 0000 ff", false},
    };
    for (unsigned i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        const char *s = to_server(&f, messages[i].hex);
        if (messages[i].is_good)
            assert_no_violation(s, "checksum");
        else
            assert_violation(s, "checksum");
    }
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

/* A packet in an error, what is said of it when all of it is quoted. */
struct quoted {
    const char *hex;
    uint32_t ports_at; /* behind its header; 0: none are told */
    const char *says;
};

#define HEAD_OF(proto) "4500 0040 0000 0000 3f " proto " 0000 c0a80001 0a000009 "
#define OF(proto)                                                                                  \
    "\"inner\":{\"src\":\"192.168.0.1\",\"dst\":\"10.0.0.9\",\"proto\":" proto ",\"ttl\":63"

static const struct quoted quoted[] = {
    {HEAD_OF("06") "c350 01f6 00000001 00000002", 20,
     OF("\"tcp\",\"proto_code\":6") ",\"sport\":50000,\"dport\":502}"},
    {HEAD_OF("11") "0102 0304 0008 0000", 20,
     OF("\"udp\",\"proto_code\":17") ",\"sport\":258,\"dport\":772}"},
    {HEAD_OF("21") "0102 0304", 20,
     OF("\"dccp\",\"proto_code\":33") ",\"sport\":258,\"dport\":772}"},
    {HEAD_OF("84") "0102 0304", 20,
     OF("\"sctp\",\"proto_code\":132") ",\"sport\":258,\"dport\":772}"},
    {HEAD_OF("88") "0102 0304", 20,
     OF("\"udp_lite\",\"proto_code\":136") ",\"sport\":258,\"dport\":772}"},
    {HEAD_OF("01") "0d09 1234 0001 0002", 20,
     OF("\"icmp\",\"proto_code\":1") ",\"type\":13,\"code\":9}"},
    {HEAD_OF("3a") "0102 1234", 20, OF("\"icmpv6\",\"proto_code\":58") ",\"type\":1,\"code\":2}"},
    /* A tunnel: what is in it is not looked at. */
    {HEAD_OF("04") "4500 0020 0000 0000 40 11 0000 c0a80001 0a000009 1000 0035", 0,
     OF("\"ipv4\",\"proto_code\":4") "}"},
    {HEAD_OF("2f") "0000 0800 4500 0020", 0, OF("\"gre\",\"proto_code\":47") "}"},
    {HEAD_OF("32") "0102 0304", 0, OF("\"esp\",\"proto_code\":50") "}"},
    {HEAD_OF("fe") "0102 0304", 0, OF("\"unknown\",\"proto_code\":254") "}"},
    /* Options of IP, and a header that is longer than what is there. */
    {"4700 0040 0000 0000 3f 11 0000 c0a80001 0a000009 0101010101010101 0102 0304", 28,
     OF("\"udp\",\"proto_code\":17") ",\"sport\":258,\"dport\":772}"},
    {"4f00 0040 0000 0000 3f 11 0000 c0a80001 0a000009 0102 0304 0506 0708", 0,
     OF("\"udp\",\"proto_code\":17") "}"},
    /* Not to be cut; the first fragment; a later one, by each end of the number. */
    {"4500 0040 0000 4000 3f 11 0000 c0a80001 0a000009 0102 0304", 20,
     OF("\"udp\",\"proto_code\":17") ",\"sport\":258,\"dport\":772}"},
    {"4500 0040 0000 2000 3f 11 0000 c0a80001 0a000009 0102 0304", 20,
     OF("\"udp\",\"proto_code\":17") ",\"sport\":258,\"dport\":772}"},
    {"4500 0040 0000 0001 3f 11 0000 c0a80001 0a000009 0102 0304", 0,
     OF("\"udp\",\"proto_code\":17") "}"},
    {"4500 0040 0000 1000 3f 11 0000 c0a80001 0a000009 0102 0304", 0,
     OF("\"udp\",\"proto_code\":17") "}"},
};

/* An error about the first n bytes of a packet: all of it is well, however little. */
static const char *about(const uint8_t *packet, uint32_t n)
{
    uint8_t error[FEED_MAX] = {3, 1};
    memcpy(error + 8, packet, n);
    const char *s = say_bytes(FT_TO_CLIENT, error, 8 + n);
    assert_clean(s);
    return s;
}

static void quoted_packets(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(quoted) / sizeof(quoted[0]); i++) {
        uint8_t packet[FEED_MAX];
        uint32_t whole = feed_bytes(quoted[i].hex, packet), ports = quoted[i].ports_at;
        for (uint32_t n = 0; n <= whole; n++) {
            const char *s = about(packet, n);
            if (n < 20)
                assert_has_not(s, "\"inner\"");
            else if (ports && n < ports + 4)
                assert_has(s, "\"ttl\":63}");
            else
                assert_has(s, quoted[i].says);
        }
    }
    /* No packet of IP; a header shorter than it can be. */
    uint8_t packet[FEED_MAX];
    static const uint8_t firsts[] = {0x55, 0x05, 0x44, 0x40};
    uint32_t n = feed_bytes(QUOTED, packet);
    for (unsigned i = 0; i < sizeof(firsts); i++) {
        packet[0] = firsts[i];
        assert_has_not(about(packet, n), "\"inner\"");
    }
    /* One of IPv6 has no addresses of IPv4. */
    n = feed_bytes("60000000 0008 11 40 fe800000000000000000000000000001 "
                   "fe800000000000000000000000000002 0102 0304",
                   packet);
    assert_has(about(packet, n), "\"inner\":{\"proto\":\"udp\",\"proto_code\":17,\"ttl\":64,"
                                 "\"sport\":258,\"dport\":772}");
}

/* The error's own, and the one that it is about, have to be errors. */
static void errors_about_errors(void **state)
{
    (void)state;
    static const uint8_t types[] = {3, 4, 5, 11, 12}, others[] = {0, 8, 13, 14, 17, 42};
    char hex[256];
    for (unsigned i = 0; i < sizeof(types); i++) {
        snprintf(hex, sizeof(hex), "0301 0000 00000000 " HEAD_OF("01") "%02x00 0000", types[i]);
        assert_violation(ANSWER(hex), "error_about_error");
        snprintf(hex, sizeof(hex), "0301 0000 00000000 " HEAD_OF("3a") "%02x00 0000", types[i]);
        assert_clean(ANSWER(hex));
    }
    for (unsigned i = 0; i < sizeof(others); i++) {
        snprintf(hex, sizeof(hex), "0301 0000 00000000 " HEAD_OF("01") "%02x00 0000", others[i]);
        assert_clean(ANSWER(hex));
    }
}

/* Time exceeded about `length` bytes of a packet, told as words of four; then `more`. */
static const char *extended(unsigned words, unsigned length, const char *more)
{
    char hex[2 * FEED_MAX];
    int n = snprintf(hex, sizeof(hex), "0b00 0000 00 %02x 0000 " QUOTED, words);
    for (unsigned i = 28; i < length; i++)
        n += snprintf(hex + n, sizeof(hex) - (unsigned)n, "00");
    snprintf(hex + n, sizeof(hex) - (unsigned)n, "%s", more);
    const char *s = ANSWER(hex);
    assert_clean(s);
    return s;
}

/* RFC 4950: label (20), experimental (3), bottom (1), time to live (8). */
#define STACK "000c 01 01 00010140 fffff9fe "
#define SAID  "\"mpls\":[{\"label\":16,\"ttl\":64},{\"label\":1048575,\"ttl\":254}]"

static void labels(void **state)
{
    (void)state;
    assert_has(extended(0x20, 128, "2000 0000 " STACK), SAID);
    assert_has(extended(0x22, 136, "2000 0000 " STACK), SAID);
    assert_has(extended(0x08, 32, "2000 0000 " STACK), SAID);
    /* Half an entry; an object of the class that is no stack; one without data. */
    assert_has(extended(0x20, 128, "2000 0000 000e 01 01 00010140 fffff9fe 0001"), SAID "}");
    assert_has(extended(0x20, 128, "2000 0000 0008 01 02 00010140 0004 03 04"),
               "\"extension\":[{\"class\":1,\"type\":2,\"data\":\"00010140\"},"
               "{\"class\":3,\"type\":4,\"data\":\"\"}]");
    /* An object that is shorter than its head, or longer than what is left, ends the list. */
    assert_has_not(extended(0x20, 128, "2000 0000 0003 01 01 00010140 " STACK), "\"mpls\"");
    assert_has_not(extended(0x20, 128, "2000 0000 0009 01 01 00010140"), "\"mpls\"");
    assert_has(extended(0x20, 128, "2000 0000 " STACK "0000 02 01"), SAID "}");
    /* Of another version; too short for an object. */
    assert_has_not(extended(0x20, 128, "1000 0000 " STACK), "\"mpls\"");
    assert_has_not(extended(0x20, 128, "2000 0000 0004 02"), "\"extension\"");
    assert_has(extended(0x20, 128, "2000 0000 0004 02 01"),
               "\"extension\":[{\"class\":2,\"type\":1,\"data\":\"\"}]");
    /* Words that reach beyond the message. */
    assert_has_not(extended(0xff, 128, "2000 0000 " STACK), "\"mpls\"");
    feed_truncated(&f, FT_TO_CLIENT, "0b00 0000 00 07 0000 " QUOTED "2000 0000 " STACK);
}

/* Before RFC 4884 nothing said that there are extensions, but their checksum. */
static void labels_at_128(void **state)
{
    (void)state;
    assert_has(extended(0, 128, "2000 e3b2 " STACK), SAID);
    assert_has_not(extended(0, 128, "2000 e3b3 " STACK), "\"mpls\"");
    assert_has_not(extended(0, 128, "2000 0000 " STACK), "\"mpls\"");
    assert_has_not(extended(0, 124, "2000 e3b2 " STACK), "\"mpls\"");
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

/* IANA, ICMP parameters: types that nobody has, and reserved ones. */
static bool is_unassigned(unsigned type)
{
    return type == 1 || type == 2 || type == 7 || (type >= 19 && type <= 29) ||
           (type >= 44 && type <= 252) || type == 255;
}

static void types(void **state)
{
    (void)state;
    char hex[64];
    for (unsigned type = 0; type < 256; type++) {
        snprintf(hex, sizeof(hex), "%02x00 0000 00000000", type);
        assert_true(ft_harness_forget(f.harness));
        const char *s = ASK(hex);
        assert_no_violation(s, "code");
        if (is_unassigned(type))
            assert_violation(s, "type");
        else
            assert_no_violation(s, "type");
    }
}

/* The highest code of a type; of a router advertisement it is 0 or 16. */
static void codes(void **state)
{
    (void)state;
    static const struct {
        uint8_t type, last;
    } last[] = {
        {0, 0},  {3, 15}, {4, 0},  {5, 3},  {6, 0},  {8, 0},  {9, 0},  {10, 0}, {11, 1}, {12, 2},
        {13, 0}, {14, 0}, {15, 0}, {16, 0}, {17, 0}, {18, 0}, {40, 5}, {41, 0}, {42, 0}, {43, 4},
    };
    char hex[64];
    for (unsigned i = 0; i < sizeof(last) / sizeof(last[0]); i++) {
        snprintf(hex, sizeof(hex), "%02x%02x 0000 c0a80009", last[i].type, last[i].last);
        assert_true(ft_harness_forget(f.harness));
        assert_no_violation(ASK(hex), "code");
        snprintf(hex, sizeof(hex), "%02x%02x 0000 c0a80009", last[i].type, last[i].last + 1);
        assert_violation(ASK(hex), "code");
    }
    assert_violation(ASK("090f 0000 00020708"), "code");
    assert_no_violation(ASK("0910 0000 00020708"), "code");
    assert_violation(ASK("0911 0000 00020708"), "code");
    /* Not known of the old and the experimental. */
    assert_no_violation(ASK("1e01 0000 00000000"), "code");
    assert_no_violation(ASK("2701 0000 00000000"), "code");
    assert_no_violation(ASK("fd01 0000 00000000"), "code");
}

static void kinds(void **state)
{
    (void)state;
    static const uint8_t asks[] = {8, 13, 15, 17, 42}, answers[] = {0, 14, 16, 18, 43};
    static const uint8_t others[] = {3, 4, 5, 9, 11, 12, 30, 40};
    char hex[64];
    for (unsigned i = 0; i < sizeof(asks); i++) {
        snprintf(hex, sizeof(hex), "%02x00 0000 00000000 000000000000000000000000", asks[i]);
        const char *s = ANSWER(hex);
        assert_has(s, "\"kind\":\"request\",\"direction\":\"to_server\",\"paired\":false");
        snprintf(hex, sizeof(hex), "%02x00 0000 00000000 000000000000000000000000", answers[i]);
        s = ASK(hex);
        assert_has(s, "\"kind\":\"response\",\"direction\":\"to_client\",\"paired\":true");
    }
    for (unsigned i = 0; i < sizeof(others); i++) {
        snprintf(hex, sizeof(hex), "%02x00 0000 c0a80009", others[i]);
        assert_has(ANSWER(hex), "\"kind\":\"unsolicited\",\"direction\":\"to_client\"");
    }
    assert_has(ANSWER("0a00 0000 00000000"), "\"kind\":\"request\",\"direction\":\"to_client\"");
}

/* Each value another, in its place; what is shorter is malformed. */
static void values_of_questions(void **state)
{
    (void)state;
    const char *s = ASK("0e00 0000 0102 0304 05060708 090a0b0c 0d0e0f10");
    assert_has(s, "\"id\":258,\"seq\":772,\"originated\":84281096,\"received\":151653132,"
                  "\"transmitted\":219025168}");
    assert_violation(ASK("0e00 0000 0102 0304 05060708 090a0b0c 0d0e0f"), "malformed");
    s = ASK("1200 0000 0102 0304 ffff0000");
    assert_has(s, "\"id\":258,\"seq\":772,\"mask\":\"255.255.0.0\"}");
    assert_violation(ASK("1200 0000 0102 0304 ffff00"), "malformed");
    s = ASK("1000 0000 0102 0304");
    assert_has(s, "\"id\":258,\"seq\":772}");
    assert_clean(s);
    assert_violation(ASK("1000 0000 0102 03"), "malformed");
    /* An interface by its name (RFC 8335, 2.1); an answer has none. */
    s = ASK("2a00 0000 0102 03 01 2000 0000 0008 03 01 65746830");
    assert_has(s, "\"id\":258,\"seq\":3,\"probe\":1,\"extension\":[{\"class\":3,\"type\":1,"
                  "\"data\":\"65746830\"}]}");
    assert_clean(s);
    s = ASK("2b00 0000 0102 03 24 2000 0000 0008 03 01 65746830");
    assert_has(s, "\"id\":258,\"seq\":3,\"probe\":36}");
    assert_violation(ASK("2a00 0000 0102 03"), "malformed");
}

/* Entries may be longer than an address and a preference, and never shorter. */
static void routers(void **state)
{
    (void)state;
    const char *s = ANSWER("0900 0000 02 03 0102 c0a80001 00000001 aaaaaaaa c0a80002 80000000 "
                           "bbbbbbbb");
    assert_has(s, "\"lifetime\":258,\"router\":[{\"address\":\"192.168.0.1\",\"preference\":1},"
                  "{\"address\":\"192.168.0.2\",\"preference\":-2147483648}]}");
    assert_clean(s);
    assert_violation(ANSWER("0900 0000 02 03 0102 c0a80001 00000001 aaaaaaaa c0a80002 80000000"),
                     "malformed");
    /* Entries too short for an address and a preference; of none it does not matter. */
    s = ANSWER("0900 0000 02 01 0102 c0a80001 c0a80002");
    assert_has_not(s, "{\"address\"");
    assert_violation(s, "router_entries");
    assert_violation(ANSWER("0900 0000 01 00 0102 c0a80001 c0a80002"), "router_entries");
    assert_clean(ANSWER("0900 0000 00 00 0102"));
    feed_truncated(&f, FT_TO_CLIENT, "0900 0000 02 02 0708 c0a80001 00000000 c0a80002 ffffffff");
}

static void gateways(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        bool is_good;
    } gateways[] = {
        {"0501 0000 00ffffff " QUOTED, false}, {"0501 0000 01000000 " QUOTED, true},
        {"0501 0000 7effffff " QUOTED, true},  {"0501 0000 7f000001 " QUOTED, false},
        {"0501 0000 80000000 " QUOTED, true},  {"0501 0000 dfffffff " QUOTED, true},
        {"0501 0000 e0000000 " QUOTED, false}, {"0501 0000 ffffffff " QUOTED, false},
        {"0501 0000 0100007f " QUOTED, true},
    };
    for (unsigned i = 0; i < sizeof(gateways) / sizeof(gateways[0]); i++) {
        const char *s = ANSWER(gateways[i].hex);
        if (gateways[i].is_good)
            assert_clean(s);
        else
            assert_violation(s, "redirect_gateway");
    }
    assert_violation(ANSWER("0501 0000 e00000"), "malformed");
}

/* To a group, to all of a network by IP or by Ethernet: nobody in particular is asked. */
static void pings_to_all(void **state)
{
    (void)state;
    static const char *const addresses[] = {"\xe0\x00\x00\x01", "\xef\xff\xff\xff",
                                            "\xff\xff\xff\xff"};
    for (unsigned i = 0; i < 3; i++) {
        memcpy(f.flow.server_ip, addresses[i], 4);
        feed_next_flow(&f);
        assert_violation(ASK("0800 0000 0007 0001 61"), "broadcast_echo");
        assert_clean(ASK("0d00 0000 0007 0001 00000000 00000000 00000000"));
        assert_has(ANSWER("0000 0000 0007 0001 61"), "\"paired\":false");
        assert_has(ANSWER("0e00 0000 0007 0001 00000000 00000000 00000000"), "\"paired\":false");
    }
    memcpy(f.flow.server_ip, "\xdf\xff\xff\xff", 4);
    assert_clean(ASK("0800 0000 0007 0001 61"));
    memcpy(f.flow.server_mac, "\xff\xff\xff\xff\xff\xff", 6);
    assert_violation(ASK("0800 0000 0007 0002 61"), "broadcast_echo");
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
        TEST(echo),
        TEST(both_ask),
        TEST(echo_at_any_length),
        TEST(echo_that_is_cut),
        TEST(data_that_differs),
        TEST(data_that_differs_much),
        TEST(tunnels),
        TEST(tunnels_of_ip),
        TEST(systems),
        TEST(systems_by_data),
        TEST(systems_of_both),
        TEST(checksums),
        TEST(errors),
        TEST(quoted_packets),
        TEST(errors_about_errors),
        TEST(extensions),
        TEST(labels),
        TEST(labels_at_128),
        TEST(types),
        TEST(codes),
        TEST(kinds),
        TEST(values_of_questions),
        TEST(routers),
        TEST(gateways),
        TEST(pings_to_all),
        TEST(other_questions),
        TEST(violations),
        TEST(hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
