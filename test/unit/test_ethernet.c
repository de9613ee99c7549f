/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames of Ethernet itself: each type, what it tells, what is wrong with it, cuts, garbage.
 *
 * ethernet.c: wake-up, flow control, loop tests, redundant networks; ethernet_slow.c: aggregation,
 * marker, OAM, clocks; ethernet_ppp.c: PPPoE, PPP, EAP, port authentication.
 */
#include "feed.h"

extern const struct ft_dissector ft_dissector_ethernet;

static const struct ft_dissector *const dissectors[] = {&ft_dissector_ethernet, NULL};

static struct feed f;

static int open_feed(void **state)
{
    (void)state;
    feed_open(&f, dissectors, "ethernet", FT_TRANSPORT_L2, 0);
    return 0;
}

static int close_feed(void **state)
{
    (void)state;
    feed_close(&f);
    return 0;
}

/* Another type of frame, from 00:80:f4:01:02:03, to `to`. */
static void use(uint16_t type, const char *to)
{
    feed_next_flow(&f);
    f.flow.server_port = type;
    memcpy(f.flow.client_mac, "\x00\x80\xf4\x01\x02\x03", 6);
    memcpy(f.flow.server_mac, to, 6);
}

/* The frame cut after each byte: malformed, but where it may end, and from the last end on. `ends`
 * go up to a zero. Cut by the snap length it never is. */
static void feed_ends(enum ft_direction direction, const char *hex, const uint8_t *ends)
{
    uint8_t bytes[FEED_MAX];
    uint32_t n = feed_bytes(hex, bytes);
    for (uint32_t i = 0; i < n; i++) {
        const char *s = feed_raw(&f, direction, bytes, i);
        if (ends[0] && (i == ends[0] || (i > ends[0] && !ends[1])))
            assert_no_violation(s, "malformed");
        else
            assert_violation(s, "malformed");
        ends += ends[0] && ends[1] && i == ends[0];
    }
    feed_truncated(&f, direction, hex);
}

#define ENDS(...) ((const uint8_t[]){__VA_ARGS__, 0})

/* A frame, what it is, its kind, and who sends it by what it is; NULL: whoever did. */
struct said {
    const char *hex, *command, *kind, *direction;
};

static void feed_said(const struct said *said, unsigned n)
{
    char text[128];
    for (unsigned i = 0; i < n; i++) {
        const char *s = to_server(&f, said[i].hex);
        snprintf(text, sizeof(text), "\"command\":\"%s\",", said[i].command);
        assert_has(s, text);
        snprintf(text, sizeof(text), "\"kind\":\"%s\",\"direction\":\"to_%s\"", said[i].kind,
                 said[i].direction ? said[i].direction : "server");
        assert_has(s, text);
    }
}

#define FEED_SAID(said) feed_said(said, sizeof(said) / sizeof((said)[0]))

#define STATION    "\x00\x80\xf4\x0a\x0b\x0c"
#define EVERYBODY  "\xff\xff\xff\xff\xff\xff"
#define TO_CONTROL "\x01\x80\xc2\x00\x00\x01"
#define TO_SLOW    "\x01\x80\xc2\x00\x00\x02"
#define TO_PORT    "\x01\x80\xc2\x00\x00\x03"
#define TO_NODES   "\x01\x15\x4e\x00\x01\x00"

#define MAC4    "0080f40a0b0c0080f40a0b0c0080f40a0b0c0080f40a0b0c"
#define PATTERN "ffffffffffff" MAC4 MAC4 MAC4 MAC4

static void wake_on_lan(void **state)
{
    (void)state;
    use(0x0842, EVERYBODY);
    const char *s = to_server(&f, PATTERN);
    assert_has(s, "\"command\":\"wake_on_lan\"");
    assert_has(s, "\"class\":\"admin\"");
    assert_has(s, "\"type\":\"wake_on_lan\",\"type_code\":2114");
    assert_has(s, "\"wake\":{\"mac\":\"00:80:f4:0a:0b:0c\"}");
    assert_clean(s);
    s = to_server(&f, "0102ff" PATTERN "010203040506");
    assert_has(s, "\"mac\":\"00:80:f4:0a:0b:0c\",\"password\":");
    assert_has_not(s, "010203040506");
    assert_clean(s);
    s = to_server(&f, PATTERN "c0a80001");
    assert_has(s, "\"password\":");
    /* The last byte of the pattern differs; too short. */
    s = to_server(&f,
                  "ffffffffffff" MAC4 MAC4 MAC4 "0080f40a0b0c0080f40a0b0c0080f40a0b0c0080f40a0b0d");
    assert_violation(s, "wake_pattern");
    assert_has_not(s, "\"mac\"");
    assert_violation(to_server(&f, "ffffffffffff" MAC4), "wake_pattern");
    feed_truncated(&f, FT_TO_SERVER, PATTERN "c0a80001");
}

static void flow_control(void **state)
{
    (void)state;
    use(0x8808, TO_CONTROL);
    const char *s = to_server(&f, "0001 ffff 0000 0000");
    assert_has(s, "\"command\":\"pause\"");
    assert_has(s, "\"control\":{\"opcode\":\"pause\",\"opcode_code\":1,\"quanta\":65535}");
    assert_clean(s);
    s = to_server(&f, "0101 0009 0001 0002 0003 0004 0005 0006 0007 0008");
    assert_has(s, "\"command\":\"priority_flow_control\"");
    assert_has(s, "\"classes\":[\"0\",\"3\"],\"classes_code\":9,\"times\":[1,2,3,4,5,6,7,8]");
    assert_clean(s);
    s = to_server(&f, "0002 00000010");
    assert_has(s, "\"command\":\"mpcp_gate\"");
    assert_has(s, "\"timestamp\":16");
    assert_clean(s);
    s = to_server(&f, "fffe 000102");
    assert_has(s, "\"opcode\":\"extension\"");
    assert_clean(s);
    assert_has(to_server(&f, "0001 0102"), "\"quanta\":258");
    static const struct said said[] = {
        {"0001 ffff", "pause", "unsolicited", NULL},
        {"0002 00000010", "mpcp_gate", "unsolicited", NULL},
        {"0003 00000010", "mpcp_report", "unsolicited", NULL},
        {"0004 00000010", "mpcp_register_request", "unsolicited", NULL},
        {"0005 00000010", "mpcp_register", "unsolicited", NULL},
        {"0006 01020304", "mpcp_register_acknowledge", "unsolicited", NULL},
        {"0007 00000010", "mac_control", "unsolicited", NULL},
        {"00", "mac_control", "unsolicited", NULL},
    };
    FEED_SAID(said);
    assert_has(to_server(&f, said[5].hex), "\"timestamp\":16909060");
    assert_violation(to_server(&f, said[6].hex), "control_opcode");
    assert_violation(to_server(&f, "0000 00000010"), "control_opcode");
    assert_violation(to_server(&f, "0102 0000"), "control_opcode");
    assert_violation(to_server(&f, "0001 ff"), "malformed");
    feed_truncated(&f, FT_TO_SERVER, "0101 0009 0001 0002 0003 0004 0005 0006 0007 0008");
    use(0x8808, STATION);
    assert_clean(to_server(&f, "0001 ffff"));
    use(0x8808, EVERYBODY);
    assert_violation(to_server(&f, "0001 ffff"), "control_address");
    assert_violation(to_server(&f, "0101 0001 0001 0000 0000 0000 0000 0000 0000 0000"),
                     "control_address");
    assert_clean(to_server(&f, "0002 00000010"));
    use(0x8808, "\x02\x80\xc2\x00\x00\x01");
    assert_clean(to_server(&f, "0001 ffff"));
    use(0x8808, "\x03\x80\xc2\x00\x00\x01");
    assert_violation(to_server(&f, "0001 ffff"), "control_address");
}

static void loop_test(void **state)
{
    (void)state;
    use(0x9000, "\x00\x80\xf4\x01\x02\x03");
    const char *s = to_server(&f, "0000 0100 0000 0000000000");
    assert_has(s, "\"command\":\"loopback_reply\"");
    assert_has(s, "\"loopback\":{\"skip\":0,\"function\":\"reply\",\"function_code\":1,"
                  "\"receipt\":0}");
    assert_clean(s);
    s = to_server(&f, "0800 0200 0080f40a0b0c 0100 3412");
    assert_has(s, "\"skip\":8,\"function\":\"reply\",\"function_code\":1,\"receipt\":4660");
    s = to_server(&f, "0000 0200 0080f40a0b0c 0100 3412");
    assert_has(s, "\"command\":\"loopback_forward\"");
    assert_has(s, "\"forward\":\"00:80:f4:0a:0b:0c\"");
    assert_clean(s);
    assert_violation(to_server(&f, "0000 0200 0180f40a0b0c"), "loopback_group");
    assert_violation(to_server(&f, "0000 0300 0000"), "loopback_function");
    assert_violation(to_server(&f, "ffff 0100 0000"), "malformed");
    static const struct said said[] = {
        {"0000 0200 0080f40a0b0c 0100 3412", "loopback_forward", "request", NULL},
        {"0000 0100 3412", "loopback_reply", "data", NULL},
        {"0000 0300 0000", "loopback", "data", NULL},
        {"0000", "loopback", "data", NULL},
    };
    FEED_SAID(said);
    feed_ends(FT_TO_SERVER, "0800 0200 0080f40a0b0c 0100 3412 00", ENDS(14));
}

#define OWN_NODE "1406 0080f4010203 "

static void supervision(void **state)
{
    (void)state;
    use(0x88fb, TO_NODES);
    const char *s = to_server(&f, "1001 0007 " OWN_NODE "0000");
    assert_has(s, "\"command\":\"prp_supervision\"");
    assert_has(s, "\"class\":\"diagnostic\"");
    assert_has(s, "\"path\":1,\"version\":1,\"sequence\":7,\"node\":[{\"type\":"
                  "\"prp_duplicate_discard\",\"type_code\":20,\"mac\":\"00:80:f4:01:02:03\"}]");
    assert_has_not(s, "\"lan\"");
    assert_has(s, "\"fact\":\"description\",\"value\":\"PRP node\"");
    assert_clean(s);
    s = to_server(&f, "0001 0008 1706 0080f4010203 0000");
    assert_has(s, "\"command\":\"hsr_supervision\"");
    assert_has(s, "\"value\":\"HSR node\"");
    /* A RedBox speaks for others, and says so. */
    s = to_server(&f, "0001 0009 1406 0080f40a0b0c 1e06 0080f4010203 1f06 0080f40a0b0c 0000");
    assert_has(s, "{\"type\":\"redbox\",\"type_code\":30,\"mac\":\"00:80:f4:01:02:03\"}");
    assert_has(s, "\"of\":\"00:80:f4:01:02:03\",\"fact\":\"description\",\"value\":\"PRP RedBox\"");
    assert_has(s, "\"fact\":\"role\",\"value\":\"switch\"");
    assert_clean(s);
    /* Who is no RedBox does not. */
    s = to_server(&f, "0001 000a 1406 0080f40a0b0c 0000");
    assert_violation(s, "supervision_sender");
    assert_has_not(s, "PRP node");
    assert_violation(to_server(&f, "0001 000b 1404 0080f401"), "malformed");
    /* Nothing is told by a frame that is not whole. */
    s = to_server(&f, "1001 000c " OWN_NODE "1e06 0080");
    assert_violation(s, "malformed");
    assert_has_not(s, "{\"fact\"");
    static const struct said said[] = {
        {"0001 0001 1406 0080f4010203", "prp_supervision", "unsolicited", NULL},
        {"0001 0001 1506 0080f4010203", "prp_supervision_accept", "unsolicited", NULL},
        {"0001 0001 1606 0080f4010203", "supervision", "unsolicited", NULL},
        {"0001 0001 1706 0080f4010203", "hsr_supervision", "unsolicited", NULL},
    };
    FEED_SAID(said);
    for (unsigned i = 0; i < sizeof(said) / sizeof(said[0]); i++)
        assert_has(to_server(&f, said[i].hex), i == 3 ? "\"HSR node\"" : "\"PRP node\"");
    /* The first node counts, and what is none does not. */
    s = to_server(&f, "0001 0001 1306 0080f40a0b0c 1806 0080f40a0b0c 1f06 0080f40a0b0c " OWN_NODE
                      "1706 0080f40a0b0c 0000");
    assert_has(s, "\"value\":\"PRP node\"");
    assert_clean(s);
    assert_has_not(to_server(&f, "0001 0001 1306 0080f4010203 1806 0080f4010203 0000"),
                   "{\"fact\"");
    feed_truncated(&f, FT_TO_SERVER, "1001 0007 " OWN_NODE "1e06 0080f4010203 0000");
}

/* Supervision frame at a second, by a LAN. */
static const char *heard(unsigned second, uint8_t lan)
{
    f.flow.lan = lan;
    f.time_ns = second * 1000000000ull;
    return to_server(&f, "1001 0007 " OWN_NODE "0000");
}

/* By this LAN only: after ten seconds the other is lost. */
static void heard_alone(unsigned second, uint8_t lan)
{
    for (unsigned i = 0; i < 5; i++)
        assert_clean(heard(second + 2 * i, lan));
    assert_violation(heard(second + 10, lan), "lan_lost");
}

static void lost_lan(void **state)
{
    (void)state;
    use(0x88fb, TO_NODES);
    assert_has(heard(100, 10), "\"lan\":\"a\",\"lan_code\":10");
    assert_has(heard(100, 11), "\"lan\":\"b\",\"lan_code\":11");
    heard_alone(102, 10);
    assert_clean(heard(114, 10)); /* told once */
    assert_clean(heard(116, 11));
    assert_clean(heard(116, 10));
    heard_alone(118, 11);
    assert_clean(heard(129, 10));
    /* Off, and on again. */
    assert_clean(heard(130, 11));
    assert_clean(heard(200, 10));
    assert_clean(heard(200, 11));
    assert_clean(heard(202, 10));
    /* Only one of them is mirrored. */
    use(0x88fb, TO_NODES);
    for (unsigned second = 300; second <= 330; second += 2)
        assert_clean(heard(second, 10));
    for (unsigned second = 332; second <= 360; second += 2)
        assert_clean(heard(second, 0));
    f.flow.lan = 0;
}

/* Priority 32768, system, key 1, priority 255, port 2, state. */
#define SIDE(mac, state) "8000 " mac " 0001 00ff 0002 " state " 000000 "
#define ACTOR(state)     "0114 " SIDE("0080f4010203", state)
#define PARTNER(state)   "0214 " SIDE("0080f40a0b0c", state)
#define COLLECTOR        "0310 0005 000000000000000000000000 "

static void aggregation(void **state)
{
    (void)state;
    use(0x8809, TO_SLOW);
    const char *s = to_server(&f, "01 01 " ACTOR("3d") PARTNER("3f") COLLECTOR "0000 00000000");
    assert_has(s, "\"command\":\"lacp\"");
    assert_has(s, "\"class\":\"config\"");
    assert_has(s, "\"subtype\":\"lacp\"");
    assert_has(s, "\"actor\":{\"system_priority\":32768,\"system\":\"00:80:f4:01:02:03\",\"key\":1,"
                  "\"port_priority\":255,\"port\":2,\"state\":[\"active\",\"aggregation\","
                  "\"synchronised\",\"collecting\",\"distributing\"]");
    assert_has(s, "\"partner\":{\"system_priority\":32768,\"system\":\"00:80:f4:0a:0b:0c\"");
    assert_has(s, "\"max_delay\":5");
    assert_clean(s);
    assert_violation(to_server(&f, "01 01 " ACTOR("45") PARTNER("3f")), "lacp_lost");
    assert_clean(to_server(&f, "01 01 " ACTOR("45") PARTNER("3f")));
    s = to_server(&f, "01 01 " ACTOR("05") "0214 " SIDE("0080f4010203", "05"));
    assert_violation(s, "lacp_loop");
    s = to_server(&f, "01 01 0114 " SIDE("0180f4010203", "05"));
    assert_violation(s, "lacp_system");
    s = to_server(&f, "01 01 0114 " SIDE("000000000000", "05"));
    assert_violation(s, "lacp_system");
    assert_violation(to_server(&f, "01 01 0112 " SIDE("0080f4010203", "05")), "lacp_length");
    assert_violation(to_server(&f, "01 01 0401"), "lacp_length");
    assert_clean(to_server(&f, "01 02 0404 0001 0000"));
    feed_ends(FT_TO_SERVER, "01 01 " ACTOR("3d") PARTNER("3f") COLLECTOR "0000",
              ENDS(2, 22, 42, 58, 60));
}

/* IEEE 802.1AX, 6.4.2.3, each value another. */
static void aggregation_fields(void **state)
{
    (void)state;
    use(0x8809, TO_SLOW);
    const char *s = to_server(&f, "01 01 0114 1234 0080f4010203 5678 9abc def0 a5 000000 "
                                  "0214 0102 0080f40a0b0c 0304 0506 0708 5a 000000 "
                                  "0310 1357 000000000000000000000000 0000");
    assert_has(s, "\"lacp\":{\"version\":1,\"actor\":{\"system_priority\":4660,"
                  "\"system\":\"00:80:f4:01:02:03\",\"key\":22136,\"port_priority\":39612,"
                  "\"port\":57072,\"state\":[\"active\",\"aggregation\",\"distributing\","
                  "\"expired\"],\"state_code\":165}");
    assert_has(s, "\"partner\":{\"system_priority\":258,\"system\":\"00:80:f4:0a:0b:0c\","
                  "\"key\":772,\"port_priority\":1286,\"port\":1800,\"state\":["
                  "\"short_timeout\",\"synchronised\",\"collecting\",\"defaulted\"],"
                  "\"state_code\":90},\"max_delay\":4951}");
    /* What version 2 added is skipped. */
    s = to_server(&f, "01 02 0404 0001 0501 " ACTOR("3d"));
    assert_violation(s, "lacp_length");
    s = to_server(&f, "01 02 0404 0001 0502 " ACTOR("3d"));
    assert_has(s, "\"actor\":{");
    assert_clean(s);
    assert_violation(to_server(&f, "01 01 0400 " ACTOR("3d")), "lacp_length");
    assert_violation(to_server(&f, "01 01 0213 " SIDE("0080f40a0b0c", "05")), "lacp_length");
    assert_violation(to_server(&f, "01 01 030f 0005 0000"), "lacp_length");
    assert_violation(to_server(&f, "01 01 " ACTOR("3d") "02ff 00"), "lacp_length");
    assert_violation(to_server(&f, "01 01 " ACTOR("3d") "04ff 00"), "malformed");
    /* What is behind the end is padding. */
    assert_clean(to_server(&f, "01 01 " ACTOR("3d") "0000 0101"));
    /* The violations point to the address. */
    s = to_server(&f, "01 01 0114 " SIDE("0180f4010203", "05"));
    assert_has(s, "\"name\":\"lacp_system\",\"offset\":6,\"length\":6");
    s = to_server(&f, "01 01 " ACTOR("05") "0214 " SIDE("0080f4010203", "05"));
    assert_has(s, "\"name\":\"lacp_loop\",\"offset\":6,\"length\":6");
    /* A frame that is not whole says nothing of loops. */
    s = to_server(&f, "01 01 " ACTOR("05") "0214 8000 0080f4010203");
    assert_no_violation(s, "lacp_loop");
}

static void slow_protocols(void **state)
{
    (void)state;
    use(0x8809, TO_SLOW);
    const char *s = to_server(&f, "02 01 01 10 0003 0080f4010203 00000007 0000 0000");
    assert_has(s, "\"command\":\"marker\"");
    assert_has(s, "\"marker\":{\"version\":1,\"type\":\"information\",\"type_code\":1,\"port\":3,"
                  "\"system\":\"00:80:f4:01:02:03\",\"transaction\":7}");
    assert_clean(s);
    s = to_server(&f, "02 01 02 10 0003 0080f4010203 00000007 0000 0000");
    assert_has(s, "\"command\":\"marker_response\"");
    s = to_server(&f, "0a 0019a7 0001 18 000000 01 0004 02");
    assert_has(s, "\"command\":\"esmc\"");
    assert_has(s, "\"esmc\":{\"version\":1,\"event\":true,\"quality\":\"primary_reference\"");
    assert_clean(s);
    s = to_server(&f, "0a 0019a7 0002 18");
    assert_has(s, "\"command\":\"slow_organisation\"");
    assert_has(s, "\"organisation\":{\"oui\":6567,\"data\":\"000218\"}");
    assert_violation(to_server(&f, "0b 00"), "slow_subtype");
    s = to_server(&f, "0a 0019a7 0001 20 ffffff 01 0004 ff");
    assert_has(s, "\"esmc\":{\"version\":2,\"event\":false,\"quality\":\"do_not_use\","
                  "\"quality_code\":15}");
    s = to_server(&f, "02 02 03 10 0104 0080f4010203 01020304 0000 0000");
    assert_has(s, "\"command\":\"marker_other\"");
    assert_has(s, "\"version\":2,\"type\":\"unknown\",\"type_code\":3,\"port\":260,"
                  "\"system\":\"00:80:f4:01:02:03\",\"transaction\":16909060}");
    s = to_server(&f, "0a 0080f4");
    assert_has(s, "\"organisation\":{\"oui\":33012,\"data\":\"\"}");
    assert_clean(s);
    feed_ends(FT_TO_SERVER, "0a 0019a7 0001 18 000000 01 0004 02", ENDS(4, 5, 14));
    feed_ends(FT_TO_SERVER, "02 01 01 10 0003 0080f4010203 00000007 0000 0000", ENDS(16));
    use(0x8809, EVERYBODY);
    assert_violation(to_server(&f, "02 01 01 10 0003 0080f4010203 00000007 0000"), "slow_address");
    static const char *const good[] = {TO_PORT, "\x01\x80\xc2\x00\x00\x0f", STATION,
                                       "\x02\x80\xc2\x00\x00\x10"};
    for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        use(0x8809, good[i]);
        assert_clean(to_server(&f, "02 01 01 10 0003 0080f4010203 00000007 0000"));
    }
    use(0x8809, "\x01\x80\xc2\x00\x00\x10");
    assert_violation(to_server(&f, "02 01 01 10 0003 0080f4010203 00000007 0000"), "slow_address");
}

static void slow_kinds(void **state)
{
    (void)state;
    static const struct said said[] = {
        {"01 01", "lacp", "data", NULL},
        {"02 01 01 10 0003 0080f4010203 00000007", "marker", "request", NULL},
        {"02 01 02 10 0003 0080f4010203 00000007", "marker_response", "response", NULL},
        {"02 01 03 10 0003 0080f4010203 00000007", "marker_other", "data", NULL},
        {"03 0050 00 00", "oam_information", "data", NULL},
        {"03 0050 01 0001 00", "oam_event_notification", "unsolicited", NULL},
        {"03 0050 02 00", "oam_variable_request", "request", NULL},
        {"03 0050 03 00", "oam_variable_response", "response", NULL},
        {"03 0050 04 02", "oam_loopback_control", "request", NULL},
        {"03 0050 05 0080f4", "slow_protocol", "data", NULL},
        {"03 0050 fe 0080f4", "oam_organisation", "data", NULL},
        {"0a 0019a7 0001 18 000000 01 0004 02", "esmc", "data", NULL},
        {"0a 0019a7 0000", "slow_organisation", "data", NULL},
        {"0b", "slow_protocol", "data", NULL},
        {"", "slow_protocol", "data", NULL},
    };
    use(0x8809, TO_SLOW);
    FEED_SAID(said);
}

#define OAM_SIDE "01 0002 00 1d 05ee 0080f4 01020304 "

static void link_oam(void **state)
{
    (void)state;
    use(0x8809, TO_SLOW);
    const char *s = to_server(&f, "03 0050 00 0110 " OAM_SIDE "0210 " OAM_SIDE "00 0000");
    assert_has(s, "\"command\":\"oam_information\"");
    assert_has(s, "\"flags\":[\"local_stable\",\"remote_stable\"]");
    assert_has(s,
               "\"local\":{\"version\":1,\"revision\":2,\"state\":0,\"configuration\":[\"active\","
               "\"remote_loopback\",\"link_events\",\"variables\"],\"configuration_code\":29,"
               "\"max_pdu\":1518,\"oui\":33012,\"vendor\":\"01020304\"}");
    assert_has(s, "\"remote\":{\"version\":1");
    assert_clean(s);
    s = to_server(&f, "03 0051 00 0110 " OAM_SIDE "00");
    assert_violation(s, "link_fault");
    assert_no_violation(s, "dying_gasp");
    assert_clean(to_server(&f, "03 0051 00 0110 " OAM_SIDE "00"));
    assert_violation(to_server(&f, "03 0052 00 00"), "dying_gasp");
    assert_violation(to_server(&f, "03 0054 00 00"), "critical_event");
    s = to_server(&f, "03 0050 01 0009 021a 000a 000a 00000001 00000005 0000000000000006 00000002 "
                      "00");
    assert_has(s, "\"command\":\"oam_event_notification\"");
    assert_has(s, "\"sequence\":9,\"event\":[{\"type\":\"frames\",\"type_code\":2,\"timestamp\":10,"
                  "\"window\":10,\"threshold\":1,\"errors\":5,\"total_errors\":6,"
                  "\"total_events\":2}]");
    assert_violation(s, "link_errors");
    s = to_server(&f, "03 0050 02 07 001e 00");
    assert_has(s, "\"variable\":[{\"branch\":7,\"leaf\":30}]");
    s = to_server(&f, "03 0050 03 07 001e 02 beef 07 001f 81 00");
    assert_has(s, "{\"branch\":7,\"leaf\":30,\"value\":\"beef\"}");
    assert_has(s, "{\"branch\":7,\"leaf\":31,\"indication\":1}");
    assert_clean(s);
    assert_violation(to_server(&f, "03 0050 04 01"), "remote_loopback");
    assert_clean(to_server(&f, "03 0050 04 02"));
    assert_has(to_server(&f, "03 0050 fe 0080f4 01"), "\"oui\":33012");
    assert_violation(to_server(&f, "03 0050 00 0101"), "malformed");
    assert_violation(to_server(&f, "03 0050 00 0106 01 0002 00"), "malformed");
    feed_ends(FT_TO_SERVER, "03 0050 00 0110 " OAM_SIDE "0210 " OAM_SIDE "00", ENDS(4, 20, 36));
    feed_ends(FT_TO_SERVER, "03 0050 03 07 001e 02 beef 07 001f 81 00", ENDS(4, 10, 14));
    feed_ends(FT_TO_SERVER, "03 0050 02 07 001e 07 001f", ENDS(4, 7, 10));
    feed_ends(FT_TO_SERVER, "03 0050 fe 0080f4 01", ENDS(7));
    feed_ends(FT_TO_SERVER, "03 0050 04 02", ENDS(5));
}

/* IEEE 802.3, 57.5.2: version, revision, state, configuration, longest PDU (11 bits), vendor. */
static void oam_sides(void **state)
{
    (void)state;
    use(0x8809, TO_SLOW);
    const char *s =
        to_server(&f, "03 0102 00 fe06 11223344 0110 01 0304 05 1f ffff 0080f4 01020304 "
                      "0210 02 0607 06 02 0840 000e8c 05060708 00");
    assert_has(s, "\"flags\":[\"dying_gasp\"],\"flags_code\":258,\"code\":\"information\","
                  "\"code_code\":0,\"local\":{\"version\":1,\"revision\":772,\"state\":5,"
                  "\"configuration\":[\"active\",\"unidirectional\",\"remote_loopback\","
                  "\"link_events\",\"variables\"],\"configuration_code\":31,\"max_pdu\":2047,"
                  "\"oui\":33012,\"vendor\":\"01020304\"},\"remote\":{\"version\":2,"
                  "\"revision\":1543,\"state\":6,\"configuration\":[\"unidirectional\"],"
                  "\"configuration_code\":2,\"max_pdu\":64,\"oui\":3724,"
                  "\"vendor\":\"05060708\"}}");
    /* Said again when it was over in between. */
    assert_no_violation(to_server(&f, "03 0002 00 00"), "dying_gasp");
    assert_clean(to_server(&f, "03 0000 00 00"));
    assert_violation(to_server(&f, "03 0002 00 00"), "dying_gasp");
    /* A length that stands still. */
    assert_violation(to_server(&f, "03 0000 00 0100 00"), "malformed");
    assert_clean(to_server(&f, "03 0000 00 0302 00"));
}

/* IEEE 802.3, 57.5.3: notifications by what was counted; each value another. */
static void oam_events(void **state)
{
    (void)state;
    static const struct {
        const char *tlv, *says;
    } events[] = {
        {"0128 0102 0000000000000304 0000000000000506 0000000000000708 0102030405060708 0000090a",
         "{\"type\":\"symbol_period\",\"type_code\":1,\"timestamp\":258,\"window\":772,"
         "\"threshold\":1286,\"errors\":1800,\"total_errors\":72623859790382856,"
         "\"total_events\":2314}"},
        {"021a 0102 0304 00000506 00000708 0000000000000900 0000090a",
         "{\"type\":\"frames\",\"type_code\":2,\"timestamp\":258,\"window\":772,"
         "\"threshold\":1286,\"errors\":1800,\"total_errors\":2304,\"total_events\":2314}"},
        {"031c 0102 00000304 00000506 00000708 0000000000000900 0000090a",
         "{\"type\":\"frame_period\",\"type_code\":3,\"timestamp\":258,\"window\":772,"
         "\"threshold\":1286,\"errors\":1800,\"total_errors\":2304,\"total_events\":2314}"},
        {"0412 0102 0304 0506 0708 00000900 0000090a",
         "{\"type\":\"frame_seconds\",\"type_code\":4,\"timestamp\":258,\"window\":772,"
         "\"threshold\":1286,\"errors\":1800,\"total_errors\":2304,\"total_events\":2314}"},
    };
    use(0x8809, TO_SLOW);
    for (unsigned i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        uint8_t bytes[FEED_MAX];
        uint32_t head = feed_bytes("03 0050 01 0203", bytes);
        uint32_t n = feed_bytes(events[i].tlv, bytes + head);
        const char *s = feed_raw(&f, FT_TO_SERVER, bytes, head + n);
        assert_has(s, "\"sequence\":515,\"event\":[");
        assert_has(s, events[i].says);
        assert_violation(s, "link_errors");
        assert_no_violation(s, "malformed");
        /* Shorter, by its length and by the frame's. */
        for (uint32_t less = 1; less < n; less++) {
            const char *cut = feed_raw(&f, FT_TO_SERVER, bytes, head + n - less);
            assert_violation(cut, "malformed");
            assert_no_violation(cut, "link_errors");
        }
        for (uint8_t said = 2; said < n; said++) {
            bytes[head + 1] = said;
            assert_violation(feed_raw(&f, FT_TO_SERVER, bytes, head + said), "malformed");
        }
    }
    const char *s = to_server(&f, "03 0050 01 0203 0508 010203040506 00");
    assert_has(s, "\"event\":[{\"type\":\"unknown\",\"type_code\":5}]");
    assert_no_violation(s, "malformed");
    s = to_server(&f, "03 0050 01 0203 fe06 0080f401 fe02 00");
    assert_has(s, "\"event\":[{\"type\":\"organisation\",\"type_code\":254},"
                  "{\"type\":\"organisation\",\"type_code\":254}]");
    assert_no_violation(s, "malformed");
}

/* A width of 0 is 128 bytes; one with the top bit is no width. */
static void oam_variables(void **state)
{
    (void)state;
    char hex[512] = "03 0050 03 07 0102 00 ";
    use(0x8809, TO_SLOW);
    for (unsigned i = 0; i < 128; i++)
        snprintf(hex + strlen(hex), 3, "%02x", i);
    strcat(hex, " 04 0304 ff 00 04 0005");
    const char *s = to_server(&f, hex);
    assert_has(s, "\"variable\":[{\"branch\":7,\"leaf\":258,\"value\":\"000102");
    assert_has(s, "7e7f\"},{\"branch\":4,\"leaf\":772,\"indication\":127}]");
    assert_clean(s);
}

static void discovery(void **state)
{
    (void)state;
    use(0x8863, EVERYBODY);
    const char *s = to_server(&f, "11 09 0000 000a 0101 0000 0103 0002 abcd 000000");
    assert_has(s, "\"command\":\"padi\"");
    assert_has(s, "\"kind\":\"request\"");
    assert_has(s, "\"pppoe\":{\"code\":\"padi\",\"code_code\":9,\"session\":0,\"service\":[\"\"],"
                  "\"host_uniq\":\"abcd\"}");
    assert_clean(s);
    use(0x8863, STATION);
    s = to_client(&f, "11 07 0000 0017 0101 0002 7331 0102 0003 616331 0103 0002 abcd "
                      "0104 0000");
    assert_has(s, "\"command\":\"pado\"");
    assert_has(s, "\"ac_name\":\"ac1\"");
    assert_has(s, "\"fact\":\"name\",\"value\":\"ac1\"");
    assert_has(s, "\"fact\":\"role\",\"value\":\"router\"");
    assert_clean(s);
    s = to_server(&f, "11 19 0000 0006 0103 0002 abcd");
    assert_has(s, "\"command\":\"padr\"");
    s = to_client(&f, "11 65 0012 000c 0103 0002 abcd 0120 0002 05dc");
    assert_has(s, "\"command\":\"pads\"");
    assert_has(s, "\"paired\":true");
    assert_has(s, "\"session\":18");
    assert_has(s, "\"max_payload\":1500");
    s = to_client(&f, "11 a7 0012 0000");
    assert_has(s, "\"command\":\"padt\"");
    assert_clean(s);
    s = to_client(&f, "11 65 0000 0008 0201 0004 6e6f6e65");
    assert_has(s, "\"kind\":\"exception\"");
    assert_has(s, "\"error\":\"none\"");
    assert_violation(s, "pppoe_refused");
    assert_violation(to_server(&f, "11 09 0001 0000"), "pppoe_session");
    assert_violation(to_server(&f, "12 09 0000 0000"), "pppoe_version");
    s = to_server(&f, "11 09 0000 000b 0199 0001 07 0101 0002 7331");
    assert_has(s, "\"other\":[{\"type\":409,\"data\":\"07\"}],\"service\":[\"s1\"]");
    assert_violation(to_server(&f, "11 09 0000 0005 0101 0009 61"), "malformed");
    assert_violation(to_server(&f, "11 09 0000 0009 0101"), "malformed");
    assert_has(to_server(&f, "11 33 0000 0000"), "\"code_code\":51");
    feed_ends(FT_TO_CLIENT, "11 65 0012 000c 0103 0002 abcd 0120 0002 05dc 0000", ENDS(18));
}

/* RFC 2516, RFC 4638: all tags, each with another value; what is behind the last is not read. */
static void discovery_tags(void **state)
{
    (void)state;
    use(0x8863, STATION);
    const char *s = to_client(
        &f,
        "11 07 0000 0056 0101 0002 7331 0104 0003 636b65 0110 0004 72656c61 0105 0005 0000018001 "
        "0103 0002 abcd 0120 0002 05d4 0102 0003 616331 0106 0004 00010002 0101 0003 733232 "
        "0200 0000 0204 0001 09 0111 0001 75 0000 0000 0102 0001 78");
    assert_has(s, "\"pppoe\":{\"code\":\"pado\",\"code_code\":7,\"session\":0,"
                  "\"service\":[\"s1\",\"s22\"],\"ac_cookie\":\"636b65\","
                  "\"relay\":\"72656c61\",\"vendor\":\"0000018001\",\"host_uniq\":\"abcd\","
                  "\"max_payload\":1492,\"ac_name\":\"ac1\",\"other\":[{\"type\":262,"
                  "\"data\":\"00010002\"},{\"type\":512,\"data\":\"\"},{\"type\":516,"
                  "\"data\":\"09\"},{\"type\":273,\"data\":\"75\"}]}");
    assert_has(s, "\"fact\":\"name\",\"value\":\"ac1\"");
    assert_clean(s);
    /* Longer than its tags, than the frame; a tag of which the length is missing. */
    assert_violation(to_client(&f, "11 07 0000 0005 0101 0002 73"), "malformed");
    assert_violation(to_client(&f, "11 07 0000 0003 0101 00 0000"), "malformed");
    s = to_client(&f, "11 07 0000 ffff 0101 0002 7331");
    assert_has(s, "\"service\":[\"s1\"]"); /* what is there of it is read */
    assert_violation(s, "malformed");
    assert_violation(to_client(&f, "11 07 0000 0005 0120 0001 05"), "malformed");
    assert_clean(to_client(&f, "11 07 0000 0006 0101 0002 7331 ffff ffff"));
}

static void discovery_errors(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        bool is_error;
    } tags[] = {
        {"11 65 0012 0005 0200 0001 6e", false}, {"11 65 0012 0005 0201 0001 6e", true},
        {"11 65 0012 0005 0202 0001 6e", true},  {"11 65 0012 0005 0203 0001 6e", true},
        {"11 65 0012 0005 0204 0001 6e", false},
    };
    use(0x8863, STATION);
    for (unsigned i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        const char *s = to_client(&f, tags[i].hex);
        if (tags[i].is_error) {
            assert_has(s, "\"error\":\"n\"");
            assert_violation(s, "pppoe_refused");
        } else {
            assert_has_not(s, "\"error\"");
            assert_clean(s);
        }
    }
}

static void discovery_kinds(void **state)
{
    (void)state;
    static const struct said said[] = {
        {"11 09 0000 0000", "padi", "request", "server"},
        {"11 07 0000 0000", "pado", "response", "client"},
        {"11 19 0000 0000", "padr", "request", "server"},
        {"11 65 0001 0000", "pads", "response", "client"},
        {"11 65 0000 0000", "pads", "exception", "client"},
        {"11 a7 0001 0000", "padt", "unsolicited", NULL},
        {"11 0a 0001 0000", "pppoe_discovery", "data", NULL},
        {"11", "pppoe_discovery", "data", NULL},
    };
    use(0x8863, STATION);
    FEED_SAID(said);
    assert_has(to_client(&f, said[0].hex), "\"direction\":\"to_server\"");
    assert_has(to_client(&f, said[2].hex), "\"direction\":\"to_server\"");
    /* A session is what PADS gives. */
    assert_violation(to_server(&f, "11 09 0100 0000"), "pppoe_session");
    assert_violation(to_server(&f, "11 07 0100 0000"), "pppoe_session");
    assert_violation(to_server(&f, "11 19 0100 0000"), "pppoe_session");
    assert_clean(to_server(&f, "11 65 0100 0000"));
    assert_clean(to_server(&f, "11 a7 0100 0000"));
    assert_violation(to_server(&f, "11 65 0000 0000"), "pppoe_refused");
    /* Who offers and grants routes; who asks does not. */
    assert_has(to_client(&f, "11 07 0000 0000"), "\"value\":\"router\"");
    assert_has(to_client(&f, "11 65 0001 0000"), "\"value\":\"router\"");
    assert_has_not(to_server(&f, "11 19 0000 0007 0102 0003 616331"), "{\"fact\"");
    /* Answers to another question. */
    use(0x8863, STATION);
    to_server(&f, "11 19 0000 0006 0103 0002 abcd");
    assert_has(to_client(&f, "11 65 0001 0006 0103 0002 abce"), "\"paired\":false");
    assert_has(to_client(&f, "11 65 0001 0006 0103 0002 abcd"), "\"paired\":true");
    assert_has(to_client(&f, "11 65 0001 0006 0103 0002 abcd"), "\"paired\":false");
}

static void ppp_setup(void **state)
{
    (void)state;
    use(0x8864, STATION);
    const char *s = to_server(&f, "11 00 0012 0017 c021 01 07 0015 0104 05d4 0305 c223 05 "
                                  "0506 11223344 0702 000000");
    assert_has(s, "\"command\":\"lcp_configure_request\"");
    assert_has(s, "\"ppp\":{\"protocol\":\"lcp\",\"protocol_code\":49185,\"code\":1,\"id\":7,"
                  "\"mru\":1492,\"authentication\":\"chap\",\"authentication_code\":49699,"
                  "\"algorithm\":\"md5\",\"algorithm_code\":5,\"magic\":287454020,"
                  "\"option\":[{\"type\":7,\"data\":\"\"}]}");
    assert_clean(s);
    s = to_client(&f, "11 00 0012 0006 c021 02 07 0004");
    assert_has(s, "\"command\":\"lcp_configure_ack\"");
    assert_has(s, "\"paired\":true");
    s = to_client(&f, "11 00 0012 000a c021 09 01 0008 11223344");
    assert_has(s, "\"command\":\"lcp_echo_request\"");
    assert_has(s, "\"magic\":287454020");
    assert_has(to_server(&f, "11 00 0012 000a c021 0a 01 0008 55667788"), "\"paired\":true");
    s = to_server(&f, "11 00 0012 000e c021 08 03 000c 8057 0103 00040000");
    assert_has(s, "\"rejected\":\"ipv6cp\"");
    assert_has(s, "\"kind\":\"exception\"");
    s = to_server(&f, "11 00 0012 0018 8021 01 02 0016 0306 00000000 8106 00000000 8306 00000000");
    assert_has(s, "\"command\":\"ipcp_configure_request\"");
    assert_has(s, "\"address\":\"0.0.0.0\",\"dns\":[\"0.0.0.0\",\"0.0.0.0\"]");
    assert_has_not(s, "\"lease\"");
    s = to_client(&f, "11 00 0012 000c 8021 02 02 000a 0306 0a000005");
    assert_has(s,
               "{\"address\":{\"ip\":\"10.0.0.5\",\"mac\":\"00:80:f4:01:02:03\",\"lease\":true}}");
    s = to_client(&f, "11 00 0012 0010 8057 01 02 000e 010a 0011223344556677");
    assert_has(s, "\"command\":\"ipv6cp_configure_request\"");
    assert_has(s, "\"interface\":\"0011223344556677\"");
    assert_has(to_client(&f, "11 00 0012 0004 c025 0000"), "\"command\":\"link_quality_report\"");
    assert_has(to_client(&f, "11 00 0012 0003 fd 0000"), "\"command\":\"ppp_data\"");
    assert_violation(to_server(&f, "11 00 0012 0008 c021 01 08 0006 0101"), "malformed");
    assert_violation(to_server(&f, "11 00 0012 0006 c021 01 08 0003"), "malformed");
    assert_violation(to_server(&f, "11 00 0012 0009 c021 01 08 0007 0103 05"), "malformed");
    feed_ends(FT_TO_SERVER,
              "11 00 0012 0017 c021 01 07 0015 0104 05d4 0305 c223 05 0506 11223344 0702 00",
              ENDS(29));
}

/* A frame of a session with one packet: code 1 of a protocol, with these options. */
static const char *configured(const char *protocol, const char *code, const char *options)
{
    char hex[256];
    uint8_t bytes[FEED_MAX];
    uint32_t n = feed_bytes(options, bytes);
    snprintf(hex, sizeof(hex), "11 00 0012 %04x %s %s 01 %04x %s", n + 6, protocol, code, n + 4,
             options);
    return to_client(&f, hex);
}

/* RFC 1661, 5.1; RFC 1332, 3; RFC 1877; RFC 5072, 4: options at every length. */
static void ppp_options(void **state)
{
    (void)state;
    static const struct {
        const char *protocol, *option;
        uint32_t least;
        const char *says;
    } options[] = {
        {"c021", "0104 0102", 4, "\"mru\":258"},
        {"c021", "0304 c023", 4, "\"authentication\":\"pap\",\"authentication_code\":49187"},
        {"c021", "0305 c223 81", 5, "\"algorithm\":\"mschap_v2\",\"algorithm_code\":129"},
        {"c021", "0506 01020304", 6, "\"magic\":16909060"},
        {"c021", "0804 0506", 2, "\"option\":[{\"type\":8,\"data\":\"0506\"}]"},
        {"8021", "0306 0a000005", 6, "\"address\":\"10.0.0.5\""},
        {"8021", "8106 0a000006", 6, "\"dns\":[\"10.0.0.6\"]"},
        {"8021", "8306 0a000007", 6, "\"dns\":[\"10.0.0.7\"]"},
        {"8021", "0104 0102", 2, "\"option\":[{\"type\":1,\"data\":\"0102\"}]"},
        {"8057", "010a 0011223344556677", 2, "\"interface\":\"0011223344556677\""},
        {"8057", "0204 0102", 2, "\"option\":[{\"type\":2,\"data\":\"0102\"}]"},
        {"80fd", "0104 0102", 2, "\"option\":[{\"type\":1,\"data\":\"0102\"}]"},
    };
    for (unsigned i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        uint8_t bytes[FEED_MAX];
        uint32_t n = feed_bytes(options[i].option, bytes);
        use(0x8864, STATION);
        for (uint32_t said = 0; said <= n; said++) {
            char hex[128] = "";
            bytes[1] = (uint8_t)said;
            for (uint32_t k = 0; k < (said < 2 ? 2 : said); k++)
                snprintf(hex + 2 * k, 3, "%02x", bytes[k]);
            const char *s = configured(options[i].protocol, "01", hex);
            if (said < options[i].least)
                assert_violation(s, "malformed");
            else
                assert_clean(s);
            if (said == n)
                assert_has(s, options[i].says);
        }
        assert_true(ft_harness_forget(f.harness));
    }
}

/* What is confirmed is a lease of whoever asked for it; a proposal and nothing are none. */
static void ppp_leases(void **state)
{
    (void)state;
    use(0x8864, STATION);
    assert_has(configured("8021", "02", "0306 0a000005"), "\"lease\":true");
    assert_has_not(configured("8021", "01", "0306 0a000005"), "\"lease\"");
    assert_has_not(configured("8021", "03", "0306 0a000005"), "\"lease\"");
    assert_has_not(configured("8021", "02", "0306 00000000"), "\"lease\"");
    assert_has_not(configured("8021", "02", "8106 0a000005"), "\"lease\"");
    assert_has_not(configured("8021", "02", "0305 0a0000"), "\"lease\"");
    /* A list of what one side sends, all in one. */
    const char *s = configured("c021", "01", "0702 0104 05d4 0802 0506 00000001");
    assert_has(s, "\"option\":[{\"type\":7,\"data\":\"\"},{\"type\":8,\"data\":\"\"}],"
                  "\"mru\":1492,\"magic\":1}");
    /* What is refused is what was asked; what ends has no options. */
    assert_has(configured("c021", "03", "0104 05d4"), "\"mru\":1492");
    assert_has(configured("c021", "04", "0104 05d4"), "\"mru\":1492");
    assert_has_not(configured("c021", "05", "0104 05d4"), "\"mru\"");
}

static void ppp_kinds(void **state)
{
    (void)state;
    static const struct said said[] = {
        {"11 00 0012 0006 c021 01 01 0004", "lcp_configure_request", "request", NULL},
        {"11 00 0012 0006 c021 02 01 0004", "lcp_configure_ack", "response", NULL},
        {"11 00 0012 0006 c021 03 01 0004", "lcp_configure_nak", "response", NULL},
        {"11 00 0012 0006 c021 04 01 0004", "lcp_configure_reject", "exception", NULL},
        {"11 00 0012 0006 c021 05 01 0004", "lcp_terminate_request", "request", NULL},
        {"11 00 0012 0006 c021 06 01 0004", "lcp_terminate_ack", "response", NULL},
        {"11 00 0012 0006 c021 07 01 0004", "lcp_code_reject", "exception", NULL},
        {"11 00 0012 0008 c021 08 01 0006 8057", "lcp_protocol_reject", "exception", NULL},
        {"11 00 0012 000a c021 09 01 0008 00000001", "lcp_echo_request", "request", NULL},
        {"11 00 0012 000a c021 0a 01 0008 00000001", "lcp_echo_reply", "response", NULL},
        {"11 00 0012 000a c021 0b 01 0008 00000001", "lcp_discard_request", "data", NULL},
        {"11 00 0012 0006 8021 01 01 0004", "ipcp_configure_request", "request", NULL},
        {"11 00 0012 0006 8057 04 01 0004", "ipv6cp_configure_reject", "exception", NULL},
        {"11 00 0012 000a c023 01 01 0008 01 75 01 70", "pap_request", "request", "server"},
        {"11 00 0012 0007 c023 02 01 0005 00", "pap_ack", "response", "client"},
        {"11 00 0012 0007 c023 03 01 0005 00", "pap_nak", "exception", "client"},
        {"11 00 0012 0008 c223 01 01 0006 01 02", "chap_challenge", "request", "client"},
        {"11 00 0012 0008 c223 02 01 0006 01 02", "chap_response", "response", "server"},
        {"11 00 0012 0006 c223 03 01 0004", "chap_success", "response", "client"},
        {"11 00 0012 0006 c223 04 01 0004", "chap_failure", "exception", "client"},
        {"11 00 0012 0007 c227 01 01 0005 01", "ppp_eap_request", "request", NULL},
        {"11 00 0012 0007 c227 02 01 0005 01", "ppp_eap_response", "response", NULL},
        {"11 00 0012 0006 c227 03 01 0004", "ppp_eap_success", "response", NULL},
        {"11 00 0012 0006 c227 04 01 0004", "ppp_eap_failure", "exception", NULL},
        {"11 00 0012 0004 c025 0000", "link_quality_report", "data", NULL},
        /* The protocol in one byte; with an address and a control byte before it. */
        {"11 00 0012 0002 fd 00", "ppp_data", "data", NULL},
        {"11 00 0012 0008 ff03 c021 05 01 0004", "lcp_terminate_request", "request", NULL},
        {"11 00 0012 0005 2d 45000000", "ppp_data", "data", NULL},
    };
    use(0x8864, STATION);
    FEED_SAID(said);
    assert_has(to_server(&f, said[25].hex), "\"ppp\":{\"protocol\":\"compressed\","
                                            "\"protocol_code\":253}");
    assert_has(to_server(&f, said[26].hex), "\"ppp\":{\"protocol\":\"lcp\","
                                            "\"protocol_code\":49185,\"code\":5,\"id\":1}");
    assert_has(to_server(&f, said[8].hex), "\"magic\":1}");
    assert_has(to_server(&f, said[10].hex), "\"magic\":1}");
    assert_has_not(to_server(&f, "11 00 0012 000a c021 0c 01 0008 00000001"), "\"magic\"");
    assert_has_not(to_server(&f, said[6].hex), "\"magic\"");
}

/* Each answer is to the question of its own kind, protocol and number. */
static void ppp_pairs(void **state)
{
    (void)state;
    static const struct {
        const char *question, *answer;
        bool is_pair;
    } pairs[] = {
        {"11 00 0012 0006 c021 01 01 0004", "11 00 0012 0006 c021 02 01 0004", true},
        {"11 00 0012 0006 c021 01 01 0004", "11 00 0012 0006 c021 03 01 0004", true},
        {"11 00 0012 0006 c021 01 01 0004", "11 00 0012 0006 c021 04 01 0004", true},
        {"11 00 0012 0006 c021 05 01 0004", "11 00 0012 0006 c021 06 01 0004", true},
        {"11 00 0012 000a c021 09 01 0008 00000001", "11 00 0012 000a c021 0a 01 0008 00000002",
         true},
        {"11 00 0012 0006 c021 01 01 0004", "11 00 0012 0006 c021 02 02 0004", false},
        {"11 00 0012 0006 c021 01 01 0004", "11 00 0012 0006 c021 06 01 0004", false},
        {"11 00 0012 0006 c021 01 01 0004", "11 00 0012 0006 8021 02 01 0004", false},
        {"11 00 0012 000a c023 01 01 0008 01 75 01 70", "11 00 0012 0007 c023 02 01 0005 00", true},
        {"11 00 0012 000a c023 01 01 0008 01 75 01 70", "11 00 0012 0007 c023 02 02 0005 00",
         false},
        {"11 00 0012 0008 c223 01 01 0006 01 02", "11 00 0012 0008 c223 02 01 0006 01 02", true},
        {"11 00 0012 0008 c223 01 01 0006 01 02", "11 00 0012 0008 c223 02 02 0006 01 02", false},
        {"11 00 0012 0007 c227 01 01 0005 01", "11 00 0012 0007 c227 02 01 0005 01", true},
        {"11 00 0012 0007 c227 01 01 0005 01", "11 00 0012 0007 c227 02 02 0005 01", false},
    };
    for (unsigned i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        use(0x8864, STATION);
        assert_has(to_client(&f, pairs[i].question), "\"paired\":false");
        const char *s = to_server(&f, pairs[i].answer);
        assert_has(s, pairs[i].is_pair ? "\"paired\":true" : "\"paired\":false");
    }
}

static void ppp_passwords(void **state)
{
    (void)state;
    use(0x8864, STATION);
    const char *s = to_server(&f, "11 00 0012 000e c023 01 09 000c 02 7531 04 70777764");
    assert_has(s, "\"command\":\"pap_request\"");
    assert_has(s, "\"user\":\"u1\",\"password\":");
    assert_has_not(s, "70777764");
    assert_violation(s, "credential_clear_text");
    s = to_client(&f, "11 00 0012 0009 c023 03 09 0007 02 6e6f");
    assert_has(s, "\"command\":\"pap_nak\"");
    assert_has(s, "\"kind\":\"exception\"");
    assert_has(s, "\"message\":\"no\"");
    assert_has(s, "\"paired\":true");
    assert_violation(s, "login_failed");
    assert_clean(to_server(&f, "11 00 0012 000a c023 01 09 0008 02 7531 00"));
    assert_clean(to_client(&f, "11 00 0012 0007 c023 02 09 0005 00"));
    s = to_client(&f, "11 00 0012 000d c223 01 0a 000b 04 01020304 6163");
    assert_has(s, "\"command\":\"chap_challenge\"");
    assert_has(s, "\"challenge\":\"01020304\",\"user\":\"ac\"");
    s = to_server(&f, "11 00 0012 000d c223 02 0a 000b 04 05060708 7531");
    assert_has(s, "\"paired\":true");
    assert_has_not(s, "05060708");
    assert_clean(s);
    s = to_client(&f, "11 00 0012 0008 c223 04 0a 0006 6e6f");
    assert_has(s, "\"message\":\"no\"");
    assert_violation(s, "login_failed");
    assert_clean(to_client(&f, "11 00 0012 0008 c223 03 0a 0006 6f6b"));
    s = to_client(&f, "11 00 0012 0007 c227 01 01 0005 01");
    assert_has(s, "\"command\":\"ppp_eap_request\"");
    feed_ends(FT_TO_SERVER, "11 00 0012 000e c023 01 09 000c 02 7531 04 70777764 00", ENDS(20));
    feed_ends(FT_TO_SERVER, "11 00 0012 000d c223 02 0a 000b 04 05060708 7531 00", ENDS(19));
    feed_ends(FT_TO_SERVER, "11 00 0012 0008 c223 04 0a 0006 6e6f 00", ENDS(14));
    feed_ends(FT_TO_SERVER, "11 00 0012 0008 c021 08 03 0006 8057 00", ENDS(14));
    s = to_server(&f, "11 00 0012 0020 c021 08 03 0006 8057");
    assert_has(s, "\"rejected\":\"ipv6cp\"");
    assert_violation(s, "malformed");
    s = to_server(&f, "11 00 0012 0008 c021 08 03 0016 8057");
    assert_has(s, "\"rejected\":\"ipv6cp\"");
    assert_violation(s, "malformed");
    /* What the packet says is longer than the frame's PPP; the user than the packet. */
    assert_violation(to_server(&f, "11 00 0012 000e c023 01 09 000d 02 7531 04 70777764"),
                     "malformed");
    assert_violation(to_server(&f, "11 00 0012 000a c023 01 09 0008 04 753132"), "malformed");
    assert_violation(to_server(&f, "11 00 0012 0008 c223 01 0a 0006 02 01"), "malformed");
}

static void port_authentication(void **state)
{
    (void)state;
    use(0x888e, TO_PORT);
    const char *s = to_server(&f, "01 01 0000");
    assert_has(s, "\"command\":\"eapol_start\"");
    assert_clean(s);
    s = to_client(&f, "01 00 0005 01 01 0005 01");
    assert_has(s, "\"command\":\"eap_request\"");
    s = to_server(&f, "01 00 000d 02 01 000d 01 686f73742f706331 0000");
    assert_has(s, "\"command\":\"eap_response\"");
    assert_has(s, "\"eap\":{\"code\":\"response\",\"code_code\":2,\"id\":1,\"type\":\"identity\","
                  "\"type_code\":1,\"identity\":\"host/pc1\"}");
    assert_has(s, "\"fact\":\"name\",\"value\":\"pc1\"");
    assert_has(s, "\"paired\":true");
    assert_clean(s);
    s = to_server(&f, "01 00 0007 02 02 0007 01 7531");
    assert_has(s, "\"identity\":\"u1\"");
    assert_has_not(s, "{\"fact\"");
    s = to_server(&f, "01 00 0007 02 03 0007 03 190d");
    assert_has(s, "\"wanted\":[\"peap\",\"tls\"]");
    assert_violation(to_server(&f, "01 00 0008 02 04 0008 04 02 0102"), "weak_method");
    assert_clean(to_server(&f, "01 00 0008 02 05 0008 0d 00 0102"));
    assert_clean(to_client(&f, "01 00 0004 03 06 0004"));
    s = to_client(&f, "01 00 0004 04 06 0004");
    assert_has(s, "\"kind\":\"exception\"");
    assert_violation(s, "login_failed");
    s = to_client(&f, "02 03 0003 02 008a");
    assert_has(s, "\"command\":\"eapol_key\"");
    assert_has(s, "\"key\":\"rsn\"");
    s = to_client(&f, "03 05 0022 01 10 e01e 0080f401020300 01 000000000000000000000000 00000005 "
                      "0080c201 4341 0000");
    assert_has(s, "\"command\":\"mka\"");
    assert_has(s, "\"mka\":{\"version\":1,\"priority\":16,\"flags\":[\"key_server\","
                  "\"macsec_desired\"],\"flags_code\":192,\"sci\":\"0080f40102030001\","
                  "\"number\":5,\"key_name\":\"4341\"}");
    assert_clean(s);
    assert_violation(to_client(&f, "01 00 0004 01 01 0003"), "malformed");
    assert_violation(to_client(&f, "01 00 0009 01 01 0005 01"), "malformed");
    assert_has(to_server(&f, "01 09 0000"), "\"command\":\"eapol\"");
    feed_ends(FT_TO_SERVER, "01 00 000d 02 01 000d 01 686f73742f706331 00", ENDS(17));
    feed_ends(FT_TO_SERVER,
              "03 05 0022 01 10 e01e 0080f401020300 01 000000000000000000000000 00000005 0080c201 "
              "4341 0000",
              ENDS(38));
    feed_ends(FT_TO_SERVER, "02 03 0001 02 00", ENDS(5));
}

static void port_authentication_kinds(void **state)
{
    (void)state;
    static const struct said said[] = {
        {"01 00 0005 01 01 0005 01", "eap_request", "request", "client"},
        {"01 00 0006 02 01 0006 0d 00", "eap_response", "response", "server"},
        {"01 00 0004 03 01 0004", "eap_success", "response", "client"},
        {"01 00 0004 04 01 0004", "eap_failure", "exception", "client"},
        {"01 00 0004 05 01 0004", "eap_initiate", "data", NULL},
        {"01 00 0004 06 01 0004", "eap_finish", "data", NULL},
        {"01 01 0000", "eapol_start", "data", "server"},
        {"01 02 0000", "eapol_logoff", "data", "server"},
        {"01 03 0001 01", "eapol_key", "data", NULL},
        {"01 04 0000", "eapol_alert", "data", NULL},
        {"01 06 0000", "eapol_announcement", "data", NULL},
        {"01 07 0000", "eapol_announcement_specific", "data", NULL},
        {"01 08 0000", "eapol_announcement_request", "data", NULL},
        {"01", "eapol", "data", NULL},
    };
    use(0x888e, TO_PORT);
    FEED_SAID(said);
    const char *s = to_client(&f, "02 03 0001 fe");
    assert_has(s, "\"type\":\"eapol\",\"type_code\":34958,\"eapol\":{\"version\":2,"
                  "\"type\":\"key\",\"type_code\":3,\"key\":\"wpa\",\"key_code\":254}");
    /* Start and logoff are the station's, from whichever side the flow was first seen. */
    assert_has(to_client(&f, "01 01 0000"), "\"direction\":\"to_server\"");
    assert_has(to_client(&f, "01 02 0000"), "\"direction\":\"to_server\"");
    assert_has(to_client(&f, "01 03 0001 01"), "\"direction\":\"to_client\"");
    assert_has(to_client(&f, said[1].hex), "\"direction\":\"to_server\"");
    assert_has(to_client(&f, said[5].hex), "\"direction\":\"to_client\"");
}

/* What methods say, in requests and in responses. */
static void methods(void **state)
{
    (void)state;
    use(0x888e, TO_PORT);
    const char *s = to_client(&f, "01 00 0008 01 05 0008 01 686579");
    assert_has(s, "\"eap\":{\"code\":\"request\",\"code_code\":1,\"id\":5,"
                  "\"type\":\"identity\",\"type_code\":1,\"message\":\"hey\"}");
    s = to_client(&f, "01 00 0008 01 06 0008 02 6f6c64");
    assert_has(s, "\"type\":\"notification\",\"type_code\":2,\"message\":\"old\"");
    assert_has(to_client(&f, "01 00 0005 01 06 0005 01"), "\"type_code\":1}");
    s = to_server(&f, "01 00 0008 02 06 0008 03 040d19");
    assert_has(s, "\"wanted\":[\"md5\",\"tls\",\"peap\"],\"wanted_code\":[4,13,25]");
    assert_violation(to_server(&f, "01 00 0006 02 06 0006 11 01"), "weak_method");
    assert_clean(to_client(&f, "01 00 0006 01 06 0006 04 01"));
    assert_clean(to_server(&f, "01 00 0006 02 06 0006 05 01"));
    assert_has_not(to_server(&f, "01 00 000a 02 06 000a 01 686f73742f"), "{\"fact\"");
    assert_has_not(to_server(&f, "01 00 000d 02 01 000d 01 686f7374737c7031"), "{\"fact\"");
    s = to_server(&f, "01 00 0020 02 06 0007 01 7531");
    assert_has(s, "\"identity\":\"u1\"");
    assert_violation(s, "malformed");
    assert_violation(to_server(&f, "01 00 0004 02 06 0004"), "malformed");
    assert_violation(to_server(&f, "01 00 0003 02 06 00"), "malformed");
}

static void mutate(uint16_t type, const char *hex)
{
    use(type, STATION);
    feed_mutated(&f, FT_TO_SERVER, hex, 1000);
    feed_mutated(&f, FT_TO_CLIENT, hex, 1000);
}

static void garbage(void **state)
{
    (void)state;
    mutate(0x0842, PATTERN "c0a80001");
    mutate(0x8808, "0101 0009 0001 0002 0003 0004 0005 0006 0007 0008");
    mutate(0x9000, "0800 0200 0080f40a0b0c 0100 3412");
    mutate(0x88fb, "1001 0007 " OWN_NODE "1e06 0080f4010203 0000");
    mutate(0x8809, "01 01 " ACTOR("3d") PARTNER("3f") COLLECTOR "0000");
    mutate(0x8809, "03 0050 00 0110 " OAM_SIDE "0210 " OAM_SIDE "00");
    mutate(0x8809, "03 0050 03 07 001e 02 beef 07 001f 81 00");
    mutate(0x8863, "11 65 0012 000c 0103 0002 abcd 0120 0002 05dc");
    mutate(0x8864, "11 00 0012 0017 c021 01 07 0015 0104 05d4 0305 c223 05 0506 11223344 0702");
    mutate(0x8864, "11 00 0012 000e c023 01 09 000c 02 7531 04 70777764");
    mutate(0x888e, "01 00 000d 02 01 000d 01 686f73742f706331");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_feed, close_feed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(wake_on_lan),
        TEST(flow_control),
        TEST(loop_test),
        TEST(supervision),
        TEST(lost_lan),
        TEST(aggregation),
        TEST(aggregation_fields),
        TEST(slow_protocols),
        TEST(slow_kinds),
        TEST(link_oam),
        TEST(oam_sides),
        TEST(oam_events),
        TEST(oam_variables),
        TEST(discovery),
        TEST(discovery_tags),
        TEST(discovery_errors),
        TEST(discovery_kinds),
        TEST(ppp_setup),
        TEST(ppp_options),
        TEST(ppp_leases),
        TEST(ppp_kinds),
        TEST(ppp_pairs),
        TEST(ppp_passwords),
        TEST(port_authentication),
        TEST(port_authentication_kinds),
        TEST(methods),
        TEST(garbage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
