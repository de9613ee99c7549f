/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMPv6 (icmpv6.c): neighbour discovery and its options, who has which address, listeners,
 * violations; with what it shares with ICMP (icmp_common.c): quoted packets and their extension
 * headers at every length, echo.
 */
#include "feed.h"

extern const struct ft_dissector ft_dissector_icmpv6;

static const struct ft_dissector *const dissectors[] = {&ft_dissector_icmpv6, NULL};

static struct feed f;

#define LL_A  "fe800000000000000000000000000001"
#define LL_B  "fe800000000000000000000000000002"
#define ALL   "ff020000000000000000000000000001"
#define MAC_A "0080f4010203"
#define MAC_B "000e8c0a0b0c"

static void set_ip(uint8_t to[16], const char *hex)
{
    uint8_t bytes[FEED_MAX];
    assert_int_equal(feed_bytes(hex, bytes), 16);
    memcpy(to, bytes, 16);
}

static int open_feed(void **state)
{
    (void)state;
    feed_open(&f, dissectors, "icmpv6", FT_TRANSPORT_IP, 0);
    f.flow.client_port = 0;
    f.flow.ip_version = 6;
    f.flow.ttl = 255;
    set_ip(f.flow.client_ip, LL_A);
    set_ip(f.flow.server_ip, LL_B);
    memcpy(f.flow.client_mac, "\x00\x80\xf4\x01\x02\x03", 6);
    memcpy(f.flow.server_mac, "\x00\x0e\x8c\x0a\x0b\x0c", 6);
    return 0;
}

static int close_feed(void **state)
{
    (void)state;
    feed_close(&f);
    return 0;
}

static uint32_t sum_of(uint32_t sum, const uint8_t *bytes, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        sum += (uint32_t)bytes[i] << (i % 2 ? 0 : 8);
    return sum;
}

/* The message with its checksum filled in. */
static const char *say_bytes(enum ft_direction direction, uint8_t *bytes, uint32_t n)
{
    uint32_t sum = n + 58;
    bytes[2] = bytes[3] = 0;
    sum = sum_of(sum_of(sum_of(sum, f.flow.client_ip, 16), f.flow.server_ip, 16), bytes, n);
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

static void neighbours(void **state)
{
    (void)state;
    const char *s = ASK("8700 0000 00000000 " LL_B " 0101 " MAC_A);
    assert_has(
        s, "\"command\":\"neighbor_solicitation\",\"code\":135,\"qualifier\":0,\"class\":\"read\"");
    assert_has(s, "\"nd\":{\"target\":\"fe80::2\",\"dad\":false,\"lladdr\":\"00:80:f4:01:02:03\"}");
    assert_has(s, "{\"resolution\":{\"what\":\"question\",\"mac\":\"00:80:f4:01:02:03\","
                  "\"ip\":\"fe80::1\",\"target\":\"fe80::2\"}}");
    assert_clean(s);
    s = ANSWER("8800 0000 e0000000 " LL_B " 0201 " MAC_B);
    assert_has(s, "\"kind\":\"response\",\"direction\":\"to_client\",\"paired\":true");
    assert_has(s, "\"flags\":[\"router\",\"solicited\",\"override\"]");
    assert_has(s, "{\"resolution\":{\"what\":\"answer\",\"mac\":\"00:0e:8c:0a:0b:0c\","
                  "\"ip\":\"fe80::2\",\"target\":\"fe80::1\"}}");
    assert_has(s, "\"value\":\"router\"");
    assert_clean(s);
    /* Both leave the MAC address out where it is known: it is that of the frame. */
    s = ASK("8700 0000 00000000 " LL_B);
    assert_has(s, "\"what\":\"question\",\"mac\":\"00:80:f4:01:02:03\"");
    s = ANSWER("8800 0000 40000000 " LL_B);
    assert_has(s, "\"what\":\"answer\",\"mac\":\"00:0e:8c:0a:0b:0c\"");
    /* An address that several have. */
    assert_has_not(ANSWER("8800 0000 40000000 " LL_B " 0201 " MAC_B), "{\"resolution\"");
    /* Through a router. */
    f.flow.ttl = 254;
    s = ANSWER("8800 0000 60000000 " LL_B " 0201 " MAC_B);
    assert_violation(s, "hop_limit");
    assert_has_not(s, "{\"resolution\"");
}

static void duplicate_address(void **state)
{
    (void)state;
    set_ip(f.flow.client_ip, "00000000000000000000000000000000");
    set_ip(f.flow.server_ip, "ff0200000000000000000001ff000001");
    const char *s = ASK("8700 0000 00000000 " LL_A);
    assert_has(s, "\"command\":\"duplicate_address_detection\",\"code\":135,\"qualifier\":1");
    assert_has(s, "\"dad\":true");
    assert_has(s, "{\"resolution\":{\"what\":\"probe\",\"mac\":\"00:80:f4:01:02:03\","
                  "\"target\":\"fe80::1\"}}");
    assert_clean(s);
    set_ip(f.flow.client_ip, LL_A);
    set_ip(f.flow.server_ip, ALL);
    s = ASK("8800 0000 20000000 " LL_A " 0201 " MAC_A);
    assert_has(s, "\"command\":\"unsolicited_advertisement\"");
    assert_has(s, "\"kind\":\"unsolicited\"");
    assert_has(s, "\"what\":\"announcement\",\"mac\":\"00:80:f4:01:02:03\",\"ip\":\"fe80::1\"");
    assert_clean(s);
}

#define RA "8600 0000 40 c8 0708 00000000 00000000 "

static void router(void **state)
{
    (void)state;
    set_ip(f.flow.server_ip, ALL);
    const char *s = ASK(RA "0101 " MAC_A " 0501 0000 000005dc "
                           "0304 40 c0 00278d00 00093a80 00000000 20010db8000000000000000000000000 "
                           "1803 30 08 00000e10 20010db800010000 0000000000000000 "
                           "1903 0000 00000e10 20010db8000000000000000000000053 "
                           "1f03 0000 00000e10 03 6c6162 04 74657374 00 000000000000 "
                           "2502 687474703a2f2f612f626364 0000 6302 000000000000 0102030405060708");
    assert_has(s, "\"class\":\"config\"");
    assert_has(
        s,
        "\"hop_limit\":64,\"flags\":[\"managed\",\"other\"],\"flags_code\":192,\"prf\":\"high\"");
    assert_has(s, "\"lifetime\":1800");
    assert_has(s, "\"mtu\":1500");
    assert_has(
        s, "\"prefix\":[{\"length\":64,\"flags\":[\"on_link\",\"autonomous\"],\"flags_code\":192,"
           "\"valid\":2592000,\"preferred\":604800,\"address\":\"2001:db8::\"}]");
    assert_has(s, "\"route\":[{\"length\":48,\"prf\":\"high\"");
    assert_has(s, "\"rdnss\":[\"2001:db8::53\"]");
    assert_has(s, "\"dnssl\":[\"lab.test\"]");
    assert_has(s, "\"captive_portal\":\"http://a/bcd\"");
    assert_has(s, "\"option\":[{\"type\":99,");
    assert_has(s, "\"value\":\"router\"");
    assert_has(s, "{\"address\":{\"ip\":\"fe80::1\"");
    assert_clean(s);
    assert_violation(ASK("8600 0000 40 00 0000 00000000 00000000"), "router_withdrawn");
    memcpy(f.flow.client_mac, "\x00\x80\xf4\x01\x02\x99", 6);
    assert_violation(ASK(RA), "router_mac");
    assert_clean(ASK(RA));
}

static void redirect(void **state)
{
    (void)state;
    const char *s = ASK("8900 0000 00000000 " LL_B " 20010db8000000000000000000000009 0201 " MAC_B);
    assert_has(s, "\"command\":\"redirect\"");
    assert_has(s, "\"target\":\"fe80::2\",\"destination\":\"2001:db8::9\"");
    assert_has_not(s, "{\"address\"");
    assert_clean(s);
    set_ip(f.flow.client_ip, "20010db8000000000000000000000001");
    assert_violation(ASK("8900 0000 00000000 " LL_B " 20010db8000000000000000000000009"),
                     "router_source");
    assert_violation(ASK(RA), "router_source");
}

static void echo_and_errors(void **state)
{
    (void)state;
    ASK("8000 0000 0007 0001 61626364");
    const char *s = ANSWER("8100 0000 0007 0001 61626364");
    assert_has(s, "\"paired\":true");
    assert_clean(s);
    ASK("8000 0000 0007 0002 61626364");
    assert_violation(ANSWER("8100 0000 0007 0002 61626365"), "echo_data");
    s = ANSWER("0104 0000 00000000 60000000 0008 11 40 " LL_A " " LL_B " 1000 0035 0008 0000");
    assert_has(s, "\"command\":\"port_unreachable\"");
    assert_has(
        s, "\"inner\":{\"src\":\"fe80::1\",\"dst\":\"fe80::2\",\"proto\":\"udp\",\"proto_code\":17,"
           "\"ttl\":64,\"sport\":4096,\"dport\":53}");
    assert_clean(s);
    /* Through a fragment header; a later fragment has no ports. */
    s = ANSWER("0200 0000 00000500 60000000 0010 2c 40 " LL_A " " LL_B
               " 11 00 0000 00000001 1000 0035");
    assert_has(s, "\"mtu\":1280");
    assert_has(s, "\"dport\":53");
    s = ANSWER("0200 0000 00000500 60000000 0010 2c 40 " LL_A " " LL_B
               " 11 00 0008 00000001 1000 0035");
    assert_has_not(s, "\"dport\"");
    s = ANSWER("0300 0000 00000000 60000000 0008 3a 01 " LL_A " " LL_B " 0100 0000");
    assert_violation(s, "error_about_error");
    assert_has(s, "\"value\":\"router\"");
    assert_violation(ASK("0104 0000 00000000 60000000 0008 11 40 " LL_A " " LL_B), "foreign_error");
}

/* A quoted packet: `next` header, what is behind the header; what is said of n bytes of that, from
 * each of three lengths on: nothing but the header, `known` as the protocol, the whole. */
struct quoted {
    const char *hex;
    uint32_t known_at, whole_at; /* bytes behind the header; 255: never */
    const char *first, *known, *whole;
};

#define HEAD_OF(next) "60000000 0040 " next " 3f " LL_A " " LL_B " "
#define OF(proto)                                                                                  \
    "\"inner\":{\"src\":\"fe80::1\",\"dst\":\"fe80::2\",\"proto\":" proto ",\"ttl\":63"
#define UDP      OF("\"udp\",\"proto_code\":17")
#define UDP_PORT UDP ",\"sport\":258,\"dport\":772}"

static const struct quoted quoted[] = {
    {HEAD_OF("11") "0102 0304 0008 0000", 0, 4, UDP "}", UDP "}", UDP_PORT},
    {HEAD_OF("06") "c350 01f6 00000001", 0, 4, OF("\"tcp\",\"proto_code\":6") "}",
     OF("\"tcp\",\"proto_code\":6") "}",
     OF("\"tcp\",\"proto_code\":6") ",\"sport\":50000,\"dport\":502}"},
    {HEAD_OF("3a") "8105 1234 0001 0002", 0, 4, OF("\"icmpv6\",\"proto_code\":58") "}",
     OF("\"icmpv6\",\"proto_code\":58") "}",
     OF("\"icmpv6\",\"proto_code\":58") ",\"type\":129,\"code\":5}"},
    {HEAD_OF("29") "60000000 0040 11 40", 0, 255, OF("\"ipv6\",\"proto_code\":41") "}",
     OF("\"ipv6\",\"proto_code\":41") "}", NULL},
    {HEAD_OF("3b") "0102 0304", 0, 255, OF("\"unknown\",\"proto_code\":59") "}",
     OF("\"unknown\",\"proto_code\":59") "}", NULL},
    /* Hop-by-hop, routing, destination options: length in 8 bytes, without the first. */
    {HEAD_OF("00") "11 00 000000000000 0102 0304", 2, 12, OF("\"hop_by_hop\",\"proto_code\":0") "}",
     UDP "}", UDP_PORT},
    {HEAD_OF("2b") "11 02 000000000000 0000000000000000 0000000000000000 0102 0304", 2, 28,
     OF("\"routing\",\"proto_code\":43") "}", UDP "}", UDP_PORT},
    {HEAD_OF("3c") "11 01 000000000000 0000000000000000 0102 0304", 2, 20,
     OF("\"options\",\"proto_code\":60") "}", UDP "}", UDP_PORT},
    /* Fragments: the first, with and without more of them; later ones, by each end of the number.
     * Bits that are reserved are none of it. */
    {HEAD_OF("2c") "11 ff 0001 00000001 0102 0304", 4, 12, OF("\"fragment\",\"proto_code\":44") "}",
     UDP "}", UDP_PORT},
    {HEAD_OF("2c") "11 00 0006 00000001 0102 0304", 4, 12, OF("\"fragment\",\"proto_code\":44") "}",
     UDP "}", UDP_PORT},
    {HEAD_OF("2c") "11 00 0008 00000001 0102 0304", 4, 255,
     OF("\"fragment\",\"proto_code\":44") "}", UDP "}", NULL},
    {HEAD_OF("2c") "11 00 0100 00000001 0102 0304", 4, 255,
     OF("\"fragment\",\"proto_code\":44") "}", UDP "}", NULL},
};

static const char *about(const uint8_t *packet, uint32_t n)
{
    uint8_t error[FEED_MAX] = {1, 4};
    memcpy(error + 8, packet, n);
    const char *s = say_bytes(FT_TO_CLIENT, error, 8 + n);
    assert_clean(s);
    return s;
}

static void quoted_packets(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(quoted) / sizeof(quoted[0]); i++) {
        const struct quoted *q = &quoted[i];
        uint8_t packet[FEED_MAX];
        uint32_t whole = feed_bytes(q->hex, packet);
        for (uint32_t n = 0; n <= whole; n++) {
            const char *s = about(packet, n);
            if (n < 40)
                assert_has_not(s, "\"inner\"");
            else if (n - 40 >= q->whole_at && q->whole)
                assert_has(s, q->whole);
            else
                assert_has(s, n - 40 >= q->known_at ? q->known : q->first);
        }
    }
    /* Eight headers are passed over, a ninth is not. */
    char hex[1024] = HEAD_OF("3c");
    for (unsigned i = 0; i < 7; i++)
        strcat(hex, "3c00000000000000");
    strcat(hex, "1100000000000000 0102 0304");
    uint8_t packet[FEED_MAX];
    uint32_t n = feed_bytes(hex, packet);
    assert_has(about(packet, n), UDP_PORT);
    packet[40 + 7 * 8] = 0x3c;
    memcpy(packet + n - 4, "\x11\x00\x00\x00", 4);
    assert_has(about(packet, n), OF("\"options\",\"proto_code\":60") "}");
    /* One of IPv4 has no addresses of IPv6. */
    n = feed_bytes("4500 0020 0000 0000 40 11 0000 c0a80001 0a000009 1000 0035", packet);
    assert_has(about(packet, n), "\"inner\":{\"proto\":\"udp\",\"proto_code\":17,\"ttl\":64,"
                                 "\"sport\":4096,\"dport\":53}");
}

/* The error's own, and the one that it is about, have to be errors. */
static void errors_about_errors(void **state)
{
    (void)state;
    static const uint8_t types[] = {1, 2, 3, 4}, others[] = {0, 5, 128, 129, 135};
    char hex[256];
    for (unsigned i = 0; i < sizeof(types); i++) {
        snprintf(hex, sizeof(hex), "0104 0000 00000000 " HEAD_OF("3a") "%02x00 0000", types[i]);
        assert_violation(ANSWER(hex), "error_about_error");
        snprintf(hex, sizeof(hex), "0104 0000 00000000 " HEAD_OF("01") "%02x00 0000", types[i]);
        assert_clean(ANSWER(hex));
    }
    for (unsigned i = 0; i < sizeof(others); i++) {
        snprintf(hex, sizeof(hex), "0104 0000 00000000 " HEAD_OF("3a") "%02x00 0000", others[i]);
        assert_clean(ANSWER(hex));
    }
}

/* A redirect quotes the packet that it is about in an option, behind six bytes. */
static void redirected_packet(void **state)
{
    (void)state;
    const char *s = ASK("8900 0000 00000000 " LL_B " 20010db8000000000000000000000009 0201 " MAC_B
                        " 0407 000000000000 " HEAD_OF("11") "0102 0304 0008 0000");
    assert_has(s, UDP_PORT);
    assert_has(s, "\"fact\":\"role\",\"value\":\"router\"");
    assert_clean(s);
}

#define WINDOWS "6162636465666768696a6b6c6d6e6f7071727374757677616263646566676869"

static void echo(void **state)
{
    (void)state;
    const char *s = ASK("8000 0000 0102 0304 " WINDOWS);
    assert_has(s, "\"kind\":\"request\",\"direction\":\"to_server\"");
    assert_has(s, "\"id\":258,\"seq\":772,\"len\":32,\"data_hash\":");
    assert_has(s, "\"os\":\"Windows\"");
    assert_has(s, "\"fact\":\"os\",\"value\":\"Windows\"");
    assert_has_not(ASK("8000 0000 0102 0305 " WINDOWS), "{\"fact\"");
    /* Both ask with the same numbers; the data is each one's own. */
    s = ANSWER("8000 0000 0102 0304 61");
    assert_has(s, "\"direction\":\"to_server\"");
    s = ASK("8100 0000 0102 0304 61");
    assert_has(s, "\"paired\":true");
    assert_clean(s);
    s = ANSWER("8100 0000 0102 0304 " WINDOWS);
    assert_has(s, "\"kind\":\"response\",\"direction\":\"to_client\",\"paired\":true");
    assert_clean(s);
    assert_has(ANSWER("8100 0000 0102 0304 " WINDOWS), "\"paired\":false");
    /* The other host is of another system. */
    feed_next_flow(&f);
    assert_has(ASK("8000 0000 0001 0001 " WINDOWS), "\"fact\":\"os\",\"value\":\"Windows\"");
    s = ANSWER(
        "8000 0000 0001 0001 abcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcd"
        "abcdabcd 0000000000000000");
    assert_has(s, "\"fact\":\"os\",\"value\":\"Cisco IOS\"");
    /* Much that differs; a packet in it; too much for a frame. */
    ASK("8000 0000 0007 0001 61626364");
    s = ANSWER("8100 0000 0007 0001 " WINDOWS WINDOWS "61");
    assert_violation(s, "tunnel");
    ASK("8000 0000 0007 0002 61626364");
    assert_violation(ANSWER("8100 0000 0007 0002 " WINDOWS WINDOWS), "echo_data");
    assert_violation(
        ASK("8000 0000 0007 0003 " HEAD_OF(
            "11") "0102 0304 0008 0000" WINDOWS "000000000000000000000000000000000000000000000000"),
        "tunnel");
    char large[FEED_MAX] = "8000 0000 0007 0004 ";
    for (unsigned i = 0; i < 1452; i++)
        strcat(large, "61");
    assert_clean(ASK(large));
    large[18] = '5';
    strcat(large, "61");
    assert_violation(ASK(large), "large_echo");
    feed_truncated(&f, FT_TO_SERVER, "8000 0000 0007 0001 61626364");
}

static void listeners(void **state)
{
    (void)state;
    f.flow.ttl = 1;
    const char *s = ASK("8200 0000 2710 0000 00000000000000000000000000000000 02 7d 0000");
    assert_has(s, "\"command\":\"mld_query\"");
    assert_has(s, "\"delay\":10000");
    assert_clean(s);
    s = ASK("8f00 0000 0000 0001 04 00 0001 " ALL " " LL_B);
    assert_has(s, "\"record\":[{\"type\":\"to_exclude\",\"type_code\":4,\"group\":\"ff02::1\","
                  "\"source\":[\"fe80::2\"]}]");
    assert_clean(s);
    assert_violation(ASK("8f00 0000 0000 ffff 04 00 0001 " ALL " " LL_B), "malformed");
    s = ASK("8300 0000 0102 aaaa " ALL);
    assert_has(s, "\"mld\":{\"delay\":258,\"group\":\"ff02::1\"}");
    assert_clean(s);
    /* Version 2 of a query (RFC 3810, 5.1): numbers beyond 32767 and 127 are mantissa and exponent.
     */
    s = ASK("8200 0000 8001 0000 " ALL " 0b 7f 0000");
    assert_has(s, "\"mld\":{\"delay\":32776,\"group\":\"ff02::1\",\"suppress\":true,"
                  "\"robustness\":3,\"interval\":127}");
    s = ASK("8200 0000 ffff 0000 " ALL " 02 ff 0001 " LL_B);
    assert_has(s, "\"mld\":{\"delay\":8387584,\"group\":\"ff02::1\",\"suppress\":false,"
                  "\"robustness\":2,\"interval\":31744,\"source\":[\"fe80::2\"]}");
    assert_clean(s);
    assert_has(ASK("8200 0000 8001 0000 " ALL), "\"mld\":{\"delay\":32769,\"group\":\"ff02::1\"}");
    assert_violation(ASK("8200 0000 ffff 0000 " ALL " 02 ff 0002 " LL_B), "malformed");
    assert_violation(ASK("8200 0000 ffff 0000 " ALL " 02 ff"), "malformed");
    /* Auxiliary data, in words of four, is passed over. */
    s = ASK("8f00 0000 aaaa 0002 01 02 0000 " ALL " 0102030405060708 06 00 0001 " LL_A " " LL_B);
    assert_has(s, "\"record\":[{\"type\":\"is_include\",\"type_code\":1,\"group\":\"ff02::1\"},"
                  "{\"type\":\"block_old\",\"type_code\":6,\"group\":\"fe80::1\","
                  "\"source\":[\"fe80::2\"]}]");
    assert_clean(s);
    feed_truncated(&f, FT_TO_SERVER, "8f00 0000 0000 0001 04 00 0001 " ALL " " LL_B);
    f.flow.ttl = 64;
    assert_violation(ASK("8300 0000 0000 0000 " ALL), "mld_hop_limit");
}

static void node_information(void **state)
{
    (void)state;
    ASK("8b00 0000 0002 0000 0102030405060708 " LL_B);
    const char *s = ANSWER("8c00 0000 0002 0000 0102030405060708 00000000 03 706c63 03 6c6162 00");
    assert_has(s, "\"paired\":true");
    assert_has(s, "\"name\":[\"plc.lab\"]");
    assert_has(s, "\"fact\":\"name\",\"value\":\"plc\"");
    assert_clean(s);
}

static void node_answers(void **state)
{
    (void)state;
    const char *s = ASK("8b00 0000 0003 000a 1112131415161718 " LL_B);
    assert_has(s, "\"ni\":{\"qtype\":\"addresses\",\"qtype_code\":3,\"flags\":10,"
                  "\"nonce\":\"1112131415161718\",\"data\":\"" LL_B "\"}");
    /* Addresses, and a refusal, are no names; a name in a question neither. */
    s = ANSWER("8c00 0000 0003 0000 1112131415161718 00000000 03 706c63 00");
    assert_has(s, "\"paired\":true");
    assert_has(s, "\"data\":\"0000000003706c6300\"");
    assert_has_not(s, "{\"fact\"");
    s = ANSWER("8c01 0000 0002 0000 1112131415161718 00000000 03 706c63 00");
    assert_has(s, "\"paired\":false");
    assert_has_not(s, "{\"fact\"");
    s = ASK("8b01 0000 0002 0000 1112131415161719 00000000 03 706c63 00");
    assert_has_not(s, "{\"fact\"");
    /* Several names of which the first is the sender's; one of a single label. */
    s = ANSWER("8c00 0000 0002 0000 1112131415161719 00000000 02 6161 01 62 00 02 6363 00 00");
    assert_has(s, "\"name\":[\"aa.b\",\"cc\"]");
    assert_has(s, "\"fact\":\"name\",\"value\":\"aa\"");
    assert_has(s, "\"paired\":true");
    assert_violation(ANSWER("8c00 0000 0002 0000 11121314151617"), "malformed");
    feed_truncated(&f, FT_TO_CLIENT, "8c00 0000 0002 0000 1112131415161718 00000000 03 706c63 00");
}

/* A router's list of names: `labels` of 63 letters, then more. */
static const char *names(const char *head, unsigned labels, const char *more)
{
    char hex[1024] = RA;
    strcat(hex, head);
    for (unsigned i = 0; i < labels; i++) {
        strcat(hex, "3f");
        for (unsigned k = 0; k < 63; k++)
            strcat(hex, "61");
    }
    strcat(hex, more);
    return ASK(hex);
}

/* Names of up to 255 characters; what is longer ends the list, what has no end is wrong. */
static void long_names(void **state)
{
    (void)state;
    set_ip(f.flow.server_ip, ALL);
    const char *s = names("1f1a 0000 00000e10", 3, "02 7878 00 01 79 00 00");
    assert_has(s, "aaa.xx\",\"y\"]");
    assert_clean(s);
    s = names("1f22 0000 00000e10", 4, "00 01 79 00 00000000");
    assert_has(s, "aaa\",\"y\"]");
    assert_clean(s);
    s = names("1f2a 0000 00000e10", 5, "00 01 79 00 00000000");
    assert_has_not(s, "\"dnssl\"");
    assert_clean(s);
    s = names("1f02 0000 00000e10", 0, "03 616263 03 646566");
    assert_has_not(s, "\"dnssl\"");
    assert_violation(s, "option_length");
}

static void extended_echo(void **state)
{
    (void)state;
    const char *s = ASK("a000 0000 0102 03 01 2000 0000");
    assert_has(s, "\"command\":\"extended_echo_request\"");
    assert_has(s, "\"kind\":\"request\",\"direction\":\"to_server\"");
    assert_has(s, "\"id\":258,\"seq\":3,\"probe\":1}");
    assert_has(ANSWER("a100 0000 0102 04 24"), "\"paired\":false");
    assert_has(ANSWER("a100 0000 0103 03 24"), "\"paired\":false");
    s = ANSWER("a100 0000 0102 03 24");
    assert_has(s, "\"kind\":\"response\",\"direction\":\"to_client\",\"paired\":true");
    assert_has(s, "\"id\":258,\"seq\":3,\"probe\":36}");
    assert_clean(s);
    assert_violation(ASK("a000 0000 0102 03"), "malformed");
    set_ip(f.flow.server_ip, ALL);
    ASK("a000 0000 0102 05 01");
    assert_has(ANSWER("a100 0000 0102 05 24"), "\"paired\":false");
}

/* Errors say one number each, or none. */
static void numbers_of_errors(void **state)
{
    (void)state;
    const char *s = ANSWER("0200 0000 01020304");
    assert_has(s, "\"mtu\":16909060}");
    s = ANSWER("0401 0000 01020304");
    assert_has(s, "\"pointer\":16909060}");
    assert_has_not(s, "\"mtu\"");
    s = ANSWER("0300 0000 01020304");
    assert_has(s, "\"code\":0,\"hop_limit\":255}");
    assert_has(s, "\"value\":\"router\"");
    s = ANSWER("0301 0000 01020304");
    assert_has_not(s, "\"value\":\"router\"");
    s = ANSWER("0100 0000 01020304");
    assert_has(s, "\"code\":0,\"hop_limit\":255}");
    assert_has_not(s, "\"value\":\"router\"");
    assert_violation(ANSWER("0100 0000 010203"), "malformed");
}

/* RFC 4861, 6.1 and 7.1; RFC 2710, 3: what comes over a router, by type. */
static void hop_limits(void **state)
{
    (void)state;
    char hex[128];
    for (unsigned type = 0; type < 256; type++) {
        bool is_discovery = type >= 133 && type <= 137;
        bool is_listener = (type >= 130 && type <= 132) || type == 143;
        snprintf(hex, sizeof(hex), "%02x00 0000 00000000", type);
        assert_true(ft_harness_forget(f.harness));
        f.flow.ttl = 255;
        const char *s = ASK(hex);
        assert_no_violation(s, "hop_limit");
        if (is_listener)
            assert_violation(s, "mld_hop_limit");
        else
            assert_no_violation(s, "mld_hop_limit");
        f.flow.ttl = 1;
        s = ASK(hex);
        assert_no_violation(s, "mld_hop_limit");
        if (is_discovery)
            assert_violation(s, "hop_limit");
        else
            assert_no_violation(s, "hop_limit");
        snprintf(hex, sizeof(hex), "%02x01 0000 00000000", type);
        if (is_discovery)
            assert_violation(ASK(hex), "code");
        else
            assert_no_violation(ASK(hex), "code");
    }
}

/* IANA: errors 1 to 4, what is not an error from 128 to 161, and four for experiments. */
static void types(void **state)
{
    (void)state;
    char hex[64];
    for (unsigned type = 0; type < 256; type++) {
        snprintf(hex, sizeof(hex), "%02x00 0000 00000000", type);
        assert_true(ft_harness_forget(f.harness));
        const char *s = ASK(hex);
        if ((type >= 1 && type <= 4) || (type >= 128 && type <= 161) || type == 100 ||
            type == 101 || type == 200 || type == 201)
            assert_no_violation(s, "type");
        else
            assert_violation(s, "type");
    }
}

/* Each option of a router's, every value another; at every length of the frame. */
static void options(void **state)
{
    (void)state;
    static const char *const whole =
        "8600 0000 41 24 0102 03040506 0708090a 0501 0000 01020304 "
        "0304 30 20 01020304 05060708 00000000 20010db8000100000000000000000000 "
        "1801 00 18 00000102 1802 40 00 03040506 20010db800020000 "
        "1905 0000 00000e10 20010db8000000000000000000000053 20010db8000000000000000000000054 "
        "2602 07080064ff9b0000000000000000 0e02 010203040506 0708090a0b0c0d0e";
    set_ip(f.flow.server_ip, ALL);
    const char *s = ASK(whole);
    assert_has(s, "\"ra\":{\"hop_limit\":65,\"flags\":[\"home_agent\",\"proxy\"],"
                  "\"flags_code\":36,\"prf\":\"medium\",\"prf_code\":0,\"lifetime\":258,"
                  "\"reachable\":50595078,\"retrans\":117967114,\"mtu\":16909060,"
                  "\"prefix\":[{\"length\":48,\"flags\":[\"router_address\"],"
                  "\"flags_code\":32,\"valid\":16909060,\"preferred\":84281096,"
                  "\"address\":\"2001:db8:1::\"}]");
    assert_has(s, "\"route\":[{\"length\":0,\"prf\":\"low\",\"prf_code\":3,\"lifetime\":258,"
                  "\"address\":\"\"},{\"length\":64,\"prf\":\"medium\",\"prf_code\":0,"
                  "\"lifetime\":50595078,\"address\":\"20010db800020000\"}]");
    assert_has(s, "\"rdnss\":[\"2001:db8::53\",\"2001:db8::54\"]");
    assert_has(s, "\"pref64\":[\"07080064ff9b0000000000000000\"]");
    assert_has(s, "\"nonce\":\"0102030405060708090a0b0c0d0e\"");
    assert_clean(s);
    /* Between options it may end, elsewhere their lengths do not fit. */
    uint8_t bytes[FEED_MAX];
    uint32_t length = feed_bytes(whole, bytes), next = 16;
    for (uint32_t i = 0; i <= length; i++) {
        s = say_bytes(FT_TO_SERVER, bytes, i);
        if (i < 16) {
            assert_violation(s, "malformed");
        } else if (i == next) {
            assert_clean(s);
            next += i < length ? bytes[i + 1] * 8u : 0;
        } else {
            assert_violation(s, "option_length");
        }
    }
    feed_truncated(&f, FT_TO_SERVER, whole);
}

static void violations(void **state)
{
    (void)state;
    assert_violation(to_server(&f, "8000 1234 0007 0001 61626364"), "checksum");
    assert_violation(ASK("d200 0000 00000000"), "type");
    assert_violation(ASK("8701 0000 00000000 " LL_B), "code");
    assert_violation(ASK("8700 0000 00000000 " LL_B " 0100 " MAC_A), "option_length");
    assert_violation(ASK("8700 0000 00000000 " LL_B " 0102 " MAC_A), "option_length");
    assert_violation(ASK("8700 0000 00000000 " LL_B " 01"), "option_length");
    assert_violation(ASK("8700 0000 00000000 " LL_B " 0101 " MAC_B), "sender_mac");
    assert_violation(ASK("8a00 0000 00000000"), "renumbering");
    set_ip(f.flow.server_ip, ALL);
    assert_violation(ASK("8800 0000 60000000 " LL_A " 0201 " MAC_A), "solicited_group");
    assert_violation(ASK("8000 0000 0007 0001 61626364"), "group_echo");
    f.flow.ttl = 64;
    assert_violation(ASK("8700 0000 00000000 " LL_B), "hop_limit");
}

static void hostile(void **state)
{
    (void)state;
    static const char solicitation[] = "8700 0000 00000000 " LL_B " 0101 " MAC_A;
    feed_truncated(&f, FT_TO_SERVER, solicitation);
    feed_mutated(&f, FT_TO_SERVER, solicitation, 4000);
    feed_mutated(&f, FT_TO_SERVER,
                 RA "1f03 0000 00000e10 03 6c6162 04 74657374 00 000000000000 1803 30 08 00000e10 "
                    "20010db800010000 0000000000000000",
                 8000);
    feed_mutated(&f, FT_TO_SERVER, "8f00 0000 0000 0001 04 00 0001 " ALL " " LL_B, 4000);
    feed_mutated(&f, FT_TO_SERVER,
                 "0104 0000 00000000 60000000 0008 2c 40 " LL_A " " LL_B " 1000 0035", 4000);
}

/* Extensions (RFC 4884, 4.4 and 4.5): where they begin, in words of 8 bytes; an interface asked for
 * by its name (RFC 8335, 2.1). */
static const char *extended(const char *type, unsigned words, unsigned length, const char *more)
{
    char hex[2 * FEED_MAX];
    int n = snprintf(hex, sizeof(hex), "%s 0000 %02x 000000 60000000 0008 11 40 " LL_A " " LL_B,
                     type, words);
    for (unsigned i = 40; i < length; i++)
        n += snprintf(hex + n, sizeof(hex) - (unsigned)n, "00");
    snprintf(hex + n, sizeof(hex) - (unsigned)n, "%s", more);
    const char *s = ANSWER(hex);
    assert_clean(s);
    return s;
}

static void extensions(void **state)
{
    (void)state;
#define STACK "2000 0000 000c 01 01 00010140 fffff9fe "
#define SAID  "\"mpls\":[{\"label\":16,\"ttl\":64},{\"label\":1048575,\"ttl\":254}]"
    assert_has(extended("0300", 16, 128, STACK), SAID);
    assert_has(extended("0104", 17, 136, STACK), SAID);
    assert_has(extended("0300", 16, 128, STACK "0008 02 01 c0a80001"),
               SAID ",\"extension\":[{\"class\":2,\"type\":1,\"data\":\"c0a80001\"}]");
    /* Elsewhere than it says; of errors without a length; where nothing says so, with a checksum */
    assert_has_not(extended("0300", 17, 128, STACK), "\"mpls\"");
    assert_has_not(extended("0200", 16, 128, STACK), "\"mpls\"");
    assert_has_not(extended("0400", 16, 128, STACK), "\"mpls\"");
    assert_has_not(extended("0300", 0, 128, STACK), "\"mpls\"");
    assert_has(extended("0300", 0, 128, "2000 e3b2 000c 01 01 00010140 fffff9fe"), SAID);
    assert_has(ASK("a000 0000 0102 03 01 2000 0000 0008 03 01 65746830"),
               "\"extension\":[{\"class\":3,\"type\":1,\"data\":\"65746830\"}]");
    assert_has_not(ANSWER("a100 0000 0102 03 24 2000 0000 0008 03 01 65746830"), "\"extension\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_feed, close_feed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(neighbours),     TEST(duplicate_address),
        TEST(router),         TEST(extensions),
        TEST(redirect),       TEST(redirected_packet),
        TEST(echo),           TEST(echo_and_errors),
        TEST(quoted_packets), TEST(errors_about_errors),
        TEST(listeners),      TEST(node_information),
        TEST(node_answers),   TEST(long_names),
        TEST(extended_echo),  TEST(numbers_of_errors),
        TEST(hop_limits),     TEST(types),
        TEST(options),        TEST(violations),
        TEST(hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
