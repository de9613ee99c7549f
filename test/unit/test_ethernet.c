/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames of Ethernet itself: each type, what it tells, what is wrong with it, cuts, garbage. */
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
    assert_violation(to_server(&f, "0102 0000"), "control_opcode");
    assert_violation(to_server(&f, "0001 ff"), "malformed");
    feed_truncated(&f, FT_TO_SERVER, "0101 0009 0001 0002 0003 0004 0005 0006 0007 0008");
    use(0x8808, STATION);
    assert_clean(to_server(&f, "0001 ffff"));
    use(0x8808, EVERYBODY);
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
    feed_truncated(&f, FT_TO_SERVER, "0800 0200 0080f40a0b0c 0100 3412");
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
    feed_truncated(&f, FT_TO_SERVER, "1001 0007 " OWN_NODE "1e06 0080f4010203 0000");
}

/* Supervision frame at a second, by a LAN. */
static const char *heard(unsigned second, uint8_t lan)
{
    f.flow.lan = lan;
    f.time_ns = second * 1000000000ull;
    return to_server(&f, "1001 0007 " OWN_NODE "0000");
}

static void lost_lan(void **state)
{
    (void)state;
    use(0x88fb, TO_NODES);
    assert_has(heard(100, 10), "\"lan\":\"a\",\"lan_code\":10");
    assert_has(heard(100, 11), "\"lan\":\"b\",\"lan_code\":11");
    for (unsigned second = 102; second <= 110; second += 2)
        assert_clean(heard(second, 10));
    assert_violation(heard(112, 10), "lan_lost");
    assert_clean(heard(114, 10)); /* told once */
    assert_clean(heard(116, 11));
    assert_clean(heard(116, 10));
    /* The other one. */
    for (unsigned second = 118; second <= 126; second += 2)
        assert_clean(heard(second, 11));
    assert_violation(heard(128, 11), "lan_lost");
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
    feed_truncated(&f, FT_TO_SERVER, "01 01 " ACTOR("3d") PARTNER("3f") COLLECTOR "0000");
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
    feed_truncated(&f, FT_TO_SERVER, "0a 0019a7 0001 18 000000 01 0004 02");
    feed_truncated(&f, FT_TO_SERVER, "02 01 01 10 0003 0080f4010203 00000007 0000 0000");
    use(0x8809, EVERYBODY);
    assert_violation(to_server(&f, "02 01 01 10 0003 0080f4010203 00000007 0000"), "slow_address");
    use(0x8809, TO_PORT);
    assert_clean(to_server(&f, "02 01 01 10 0003 0080f4010203 00000007 0000"));
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
    feed_truncated(&f, FT_TO_SERVER, "03 0050 00 0110 " OAM_SIDE "0210 " OAM_SIDE);
    feed_truncated(&f, FT_TO_SERVER, "03 0050 03 07 001e 02 beef 07 001f 81 00");
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
    assert_has(s, "\"service\":[\"s1\"],\"other\":[{\"type\":409,\"data\":\"07\"}]");
    assert_violation(to_server(&f, "11 09 0000 0005 0101 0009 61"), "malformed");
    assert_violation(to_server(&f, "11 09 0000 0009 0101"), "malformed");
    assert_has(to_server(&f, "11 33 0000 0000"), "\"code_code\":51");
    feed_truncated(&f, FT_TO_CLIENT, "11 65 0012 000c 0103 0002 abcd 0120 0002 05dc");
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
    feed_truncated(&f, FT_TO_SERVER,
                   "11 00 0012 0017 c021 01 07 0015 0104 05d4 0305 c223 05 0506 11223344 0702");
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
    assert_violation(s, "login_failed");
    assert_clean(to_client(&f, "11 00 0012 0008 c223 03 0a 0006 6f6b"));
    s = to_client(&f, "11 00 0012 0007 c227 01 01 0005 01");
    assert_has(s, "\"command\":\"ppp_eap_request\"");
    feed_truncated(&f, FT_TO_SERVER, "11 00 0012 000e c023 01 09 000c 02 7531 04 70777764");
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
    feed_truncated(&f, FT_TO_SERVER, "01 00 000d 02 01 000d 01 686f73742f706331");
}

/* Frames of one type with bytes changed at random: no answer is checked, only that there is one. */
static void mutate(uint16_t type, const char *hex, uint32_t *seed)
{
    uint8_t bytes[FEED_MAX];
    use(type, STATION);
    for (unsigned i = 0; i < 1500; i++) {
        uint32_t n = feed_bytes(hex, bytes);
        for (unsigned k = 0; k < 1 + i % 5; k++) {
            *seed = *seed * 1664525u + 1013904223u;
            bytes[(*seed >> 8) % n] = (uint8_t)(*seed >> 24);
        }
        assert_non_null(feed_raw(&f, i & 1 ? FT_TO_CLIENT : FT_TO_SERVER, bytes, n));
    }
}

static void garbage(void **state)
{
    (void)state;
    uint32_t seed = 1;
    mutate(0x0842, PATTERN "c0a80001", &seed);
    mutate(0x8808, "0101 0009 0001 0002 0003 0004 0005 0006 0007 0008", &seed);
    mutate(0x9000, "0800 0200 0080f40a0b0c 0100 3412", &seed);
    mutate(0x88fb, "1001 0007 " OWN_NODE "1e06 0080f4010203 0000", &seed);
    mutate(0x8809, "01 01 " ACTOR("3d") PARTNER("3f") COLLECTOR "0000", &seed);
    mutate(0x8809, "03 0050 00 0110 " OAM_SIDE "0210 " OAM_SIDE "00", &seed);
    mutate(0x8809, "03 0050 03 07 001e 02 beef 07 001f 81 00", &seed);
    mutate(0x8863, "11 65 0012 000c 0103 0002 abcd 0120 0002 05dc", &seed);
    mutate(0x8864, "11 00 0012 0017 c021 01 07 0015 0104 05d4 0305 c223 05 0506 11223344 0702",
           &seed);
    mutate(0x8864, "11 00 0012 000e c023 01 09 000c 02 7531 04 70777764", &seed);
    mutate(0x888e, "01 00 000d 02 01 000d 01 686f73742f706331", &seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(wake_on_lan, open_feed, close_feed),
        cmocka_unit_test_setup_teardown(flow_control, open_feed, close_feed),
        cmocka_unit_test_setup_teardown(loop_test, open_feed, close_feed),
        cmocka_unit_test_setup_teardown(supervision, open_feed, close_feed),
        cmocka_unit_test_setup_teardown(lost_lan, open_feed, close_feed),
        cmocka_unit_test_setup_teardown(aggregation, open_feed, close_feed),
        cmocka_unit_test_setup_teardown(slow_protocols, open_feed, close_feed),
        cmocka_unit_test_setup_teardown(link_oam, open_feed, close_feed),
        cmocka_unit_test_setup_teardown(discovery, open_feed, close_feed),
        cmocka_unit_test_setup_teardown(ppp_setup, open_feed, close_feed),
        cmocka_unit_test_setup_teardown(ppp_passwords, open_feed, close_feed),
        cmocka_unit_test_setup_teardown(port_authentication, open_feed, close_feed),
        cmocka_unit_test_setup_teardown(garbage, open_feed, close_feed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
