/* SPDX-License-Identifier: BSD-3-Clause */
/* The SNMP dissector, snmp.c, and what objects mean, snmp_objects.c; messages are made by hand. */
#include "put_bytes.h"

extern const struct ft_dissector ft_dissector_snmp;

static struct feed f;

static int setup(void **state)
{
    const struct ft_dissector *const all[] = {&ft_dissector_snmp, NULL};
    (void)state;
    feed_open(&f, all, "snmp", FT_TRANSPORT_UDP, 161);
    f.time_ns = 1700000000ull * 1000000000;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    feed_close(&f);
    return 0;
}

/* ---- making messages ----------------------------------------------------------------------- */

static void put_tlv(struct bytes *b, uint8_t tag, const void *data, uint32_t length)
{
    const uint8_t head[] = {tag, 0x82, (uint8_t)(length >> 8), (uint8_t)length};
    put(b, head, 4);
    put(b, data, length);
}

static void put_hex(struct bytes *b, uint8_t tag, const char *hex)
{
    uint8_t bytes[FEED_MAX];
    put_tlv(b, tag, bytes, feed_bytes(hex, bytes));
}

static void put_int(struct bytes *b, uint32_t value)
{
    const uint8_t octets[] = {0, (uint8_t)(value >> 24), (uint8_t)(value >> 16),
                              (uint8_t)(value >> 8), (uint8_t)value};
    put_tlv(b, 2, octets, 5);
}

/* OID in hexadecimal, tag and content of the value. */
static void put_binding(struct bytes *list, const char *oid, uint8_t tag, const void *value,
                        uint32_t length)
{
    struct bytes in = {.length = 0};
    put_hex(&in, 6, oid);
    put_tlv(&in, tag, value, length);
    put_tlv(list, 0x30, in.data, in.length);
}

static void put_text(struct bytes *list, const char *oid, const char *text)
{
    put_binding(list, oid, 4, text, (uint32_t)strlen(text));
}

struct message {
    uint8_t version; /* as on the wire */
    const char *community;
    uint8_t pdu;
    uint32_t id, status, index;
    const struct bytes *bindings;
};

static struct bytes pdu_of(const struct message *m)
{
    static const struct bytes none;
    const struct bytes *list = m->bindings ? m->bindings : &none;
    struct bytes in = {.length = 0}, out = {.length = 0};
    put_int(&in, m->id);
    put_int(&in, m->status);
    put_int(&in, m->index);
    put_tlv(&in, 0x30, list->data, list->length);
    put_tlv(&out, m->pdu, in.data, in.length);
    return out;
}

static struct bytes message_of(const struct message *m)
{
    struct bytes in = {.length = 0}, out = {.length = 0}, pdu = pdu_of(m);
    const char *community = m->community ? m->community : "plant-7";
    put_tlv(&in, 2, &m->version, 1);
    put_tlv(&in, 4, community, (uint32_t)strlen(community));
    put(&in, pdu.data, pdu.length);
    put_tlv(&out, 0x30, in.data, in.length);
    return out;
}

static const char *say(enum ft_direction direction, const struct message *m)
{
    struct bytes b = message_of(m);
    return feed_raw(&f, direction, b.data, b.length);
}

#define SYS_DESCR    "2b06010201010100"
#define SYS_OBJECT   "2b06010201010200"
#define SYS_NAME     "2b06010201010500"
#define SYS_LOCATION "2b06010201010600"
#define SYS_SERVICES "2b06010201010700"

/* ---- versions 1 and 2c --------------------------------------------------------------------- */

static void test_get(void **state)
{
    (void)state;
    struct bytes asked = {.length = 0}, answer = {.length = 0};
    put_binding(&asked, SYS_NAME, 5, "", 0);
    const char *text = say(
        FT_TO_SERVER, &(struct message){.version = 1, .pdu = 0xa0, .id = 7, .bindings = &asked});
    assert_has(text, "\"command\":\"get_request\"");
    assert_has(text, "\"class\":\"read\"");
    assert_has(text, "\"kind\":\"request\"");
    assert_has(text, "\"version\":2");
    assert_has(text, "\"pdu_type\":\"get_request\"");
    assert_has(text, "\"community\":{\"length\":7,\"hash\":");
    assert_has_not(text, "plant-7");
    assert_has(text, "\"vars\":[\"1.3.6.1.2.1.1.5.0\"]");
    assert_violation(text, "clear_text");

    put_text(&answer, SYS_NAME, "switch-3");
    text = say(FT_TO_CLIENT,
               &(struct message){.version = 1, .pdu = 0xa2, .id = 7, .bindings = &answer});
    assert_has(text, "\"command\":\"response\"");
    assert_has(text, "\"kind\":\"response\"");
    assert_has(text, "\"paired\":true");
    assert_has(text, "\"varbind\":[{\"oid\":\"1.3.6.1.2.1.1.5.0\",\"type\":\"octet_string\","
                     "\"type_code\":4,\"text\":\"switch-3\"}]");
    assert_has(text, "\"fact\":\"name\",\"value\":\"switch-3\"");
    assert_clean(text); /* told once a flow */
    assert_has(say(FT_TO_CLIENT, &(struct message){.version = 1, .pdu = 0xa2, .id = 7}),
               "\"paired\":false");
}

static void test_values(void **state)
{
    (void)state;
    struct bytes list = {.length = 0};
    put_binding(&list, "2b0601", 2, "\xff", 1);
    put_binding(&list, "2b0602", 0x41, "\0\xff\xff\xff\xff", 5);
    put_binding(&list, "2b0603", 0x46, "\x01\0\0\0\0\0\0\0", 8);
    put_binding(&list, "2b0604", 0x40, "\x0a\0\0\x07", 4);
    put_binding(&list, "2b0605", 4, "\x01\xff", 2);
    put_binding(&list, "2b0606", 6, "\x2b\x06", 2);
    put_binding(&list, "2b0607", 0x82, "", 0);
    put_binding(&list, "2b060106031201010102", 4, "secret", 6); /* snmpCommunityName */
    const char *text = say(FT_TO_CLIENT, &(struct message){.pdu = 0xa2, .bindings = &list});
    assert_has(text, "\"version\":1");
    assert_has(text, "\"integer\":-1");
    assert_has(text, "\"type\":\"counter32\",\"type_code\":65,\"counter\":4294967295");
    assert_has(text, "\"counter\":72057594037927936");
    assert_has(text, "\"address\":\"10.0.0.7\"");
    assert_has(text, "\"bytes\":\"01ff\"");
    assert_has(text, "\"value_oid\":\"1.3.6\"");
    assert_has(text, "\"type\":\"end_of_mib_view\"");
    assert_has(text, "\"secret\":{\"length\":6");
    assert_has_not(text, "\"secret\"}");
}

static void test_errors(void **state)
{
    (void)state;
    say(FT_TO_SERVER, &(struct message){.pdu = 0xa1, .id = 9});
    const char *text =
        say(FT_TO_CLIENT, &(struct message){.pdu = 0xa2, .id = 9, .status = 2, .index = 1});
    assert_has(text, "\"kind\":\"exception\"");
    assert_has(text, "\"error\":\"NoSuchName\"");
    assert_has(text, "\"error_index\":1");
    text =
        say(FT_TO_SERVER, &(struct message){.version = 1, .pdu = 0xa5, .status = 1, .index = 1000});
    assert_has(text, "\"non_repeaters\":1");
    assert_has(text, "\"max_repetitions\":1000");
    assert_no_violation(text, "repetitions");
    text = say(FT_TO_SERVER, &(struct message){.version = 1, .pdu = 0xa5, .index = 1001});
    assert_violation(text, "repetitions");
    assert_no_violation(text, "error_in_request");
    assert_violation(say(FT_TO_SERVER, &(struct message){.pdu = 0xa0, .status = 5}),
                     "error_in_request");
    text = say(FT_TO_SERVER, &(struct message){.pdu = 0xab});
    assert_has(text, "\"code\":171");
}

static void test_set(void **state)
{
    static const struct {
        const char *oid, *command, *class_;
    } sets[] = {
        {"2b06010201010500", "set_request", "config"},
        {"2b0601040109020909 00", "set_restart", "mode"},
        {"2b06010401823e 0101010601 0100", "set_restart", "mode"}, /* APC upsBasicControl */
        {"2b060102012b 05010103 01", "set_restart", "mode"},
        {"2b060104010909 60 010101", "set_config_copy", "config"},
        {"2b060104010909 0a 010201 01", "set_firmware", "firmware"},
        {"2b06010401823e 01010c0303 01010401", "set_outlet", "operate"},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        struct bytes list = {.length = 0};
        char want[64];
        put_binding(&list, SYS_NAME, 4, "x", 1);
        put_binding(&list, sets[i].oid, 2, "\x01", 1);
        const char *text = say(FT_TO_SERVER, &(struct message){.pdu = 0xa3, .bindings = &list});
        snprintf(want, sizeof(want), "\"command\":\"%s\"", sets[i].command);
        assert_has(text, want);
        snprintf(want, sizeof(want), "\"class\":\"%s\"", sets[i].class_);
        assert_has(text, want);
    }
}

static void test_traps(void **state)
{
    (void)state;
    f.flow.server_port = 162;
    /* enterprise, agent, generic 4, specific 0, time */
    struct bytes in = {.length = 0}, list = {.length = 0}, out = {.length = 0}, all = {.length = 0};
    put_hex(&in, 6, "2b06010401c373");
    put_tlv(&in, 0x40, "\x0a\0\0\x07", 4);
    put_int(&in, 4);
    put_int(&in, 0);
    put_tlv(&in, 0x43, "\x01\0", 2);
    put_text(&list, SYS_LOCATION, "hall 2");
    put_tlv(&in, 0x30, list.data, list.length);
    put_hex(&out, 2, "00");
    put_tlv(&out, 4, "public", 6);
    put_tlv(&out, 0xa4, in.data, in.length);
    put_tlv(&all, 0x30, out.data, out.length);
    const char *text = feed_raw(&f, FT_TO_SERVER, all.data, all.length);
    assert_has(text, "\"command\":\"trap_v1\"");
    assert_has(text, "\"class\":\"event\"");
    assert_has(text, "\"kind\":\"unsolicited\"");
    assert_has(text, "\"trap_type\":\"AuthenticationFailure\"");
    assert_has(text, "\"trap_oid\":\"1.3.6.1.4.1.8691\"");
    assert_has(text, "\"trap_address\":\"10.0.0.7\"");
    assert_has(text, "\"trap_time\":256");
    assert_has(text, "\"party\":\"sender\"");
    assert_has(text, "\"fact\":\"location\",\"value\":\"hall 2\"");
    assert_violation(text, "authentication_failure");
    assert_violation(text, "default_community");

    list.length = 0;
    put_binding(&list, "2b06010603010104 0100", 6, "\x2b\x06\x01\x06\x03\x01\x01\x05\x01", 9);
    text = say(FT_TO_SERVER, &(struct message){.version = 1, .pdu = 0xa7, .bindings = &list});
    assert_has(text, "\"command\":\"trap_v2\"");
    assert_has(text, "\"trap_type\":\"ColdStart\"");
    assert_has(text, "\"trap_oid\":\"1.3.6.1.6.3.1.1.5.1\"");
    assert_violation(text, "restarted");

    /* An inform is answered by the manager, who is not what its own words tell of. */
    list.length = 0;
    put_text(&list, SYS_NAME, "agent");
    text =
        say(FT_TO_SERVER, &(struct message){.version = 1, .pdu = 0xa6, .id = 3, .bindings = &list});
    assert_has(text, "\"value\":\"agent\"");
    text =
        say(FT_TO_CLIENT, &(struct message){.version = 1, .pdu = 0xa2, .id = 3, .bindings = &list});
    assert_has(text, "\"paired\":true");
    assert_has_not(text, "\"fact\"");
}

/* ---- facts --------------------------------------------------------------------------------- */

static const char *describe(const char *description)
{
    struct bytes list = {.length = 0};
    put_text(&list, SYS_DESCR, description);
    return say(FT_TO_CLIENT, &(struct message){.pdu = 0xa2, .bindings = &list});
}

static void test_descriptions(void **state)
{
    (void)state;
    const char *text = describe("Siemens, SIMATIC NET, SCALANCE X208, 6GK5 208-0BA10-2AA3, HW: "
                                "Version 1, FW: Version V04.03.00, SVPL6147920");
    assert_has(text, "\"fact\":\"vendor\",\"value\":\"Siemens\"");
    assert_has(text, "\"fact\":\"model\",\"value\":\"SCALANCE X208\"");
    assert_has(text, "\"fact\":\"firmware\",\"value\":\"V04.03.00\"");
    assert_has(text, "\"fact\":\"hardware\",\"value\":\"1\"");
    assert_has(text, "\"fact\":\"description\",\"value\":\"Siemens, SIMATIC NET");
    text = describe("Cisco IOS Software, C2960 Software (C2960-LANBASEK9-M), Version 12.2(55)SE1, "
                    "RELEASE SOFTWARE (fc1)");
    assert_has(text, "\"fact\":\"os\",\"value\":\"IOS\"");
    assert_has(text, "\"fact\":\"firmware\",\"value\":\"12.2(55)SE1\"");
    text = describe("APC Web/SNMP Management Card (MB:v3.6.8 PF:v2.6.4 PN:apc_hw02_aos_264.bin "
                    "AF1:v2.6.1 MN:AP9617 HR:A10 SN: ZA0542025896 MD:10/19/2005)");
    assert_has(text, "\"fact\":\"model\",\"value\":\"AP9617\"");
    assert_has(text, "\"fact\":\"serial\",\"value\":\"ZA0542025896\"");
    text = describe("Linux gw 4.14.78 #1 SMP armv7l");
    assert_has(text, "\"fact\":\"os\",\"value\":\"Linux 4.14.78\"");
    text = describe("Hardware: Intel64 - Software: Windows Version 6.3");
    assert_has(text, "\"fact\":\"os\",\"value\":\"Windows\"");
}

static void test_facts(void **state)
{
    (void)state;
    struct bytes list = {.length = 0};
    put_binding(&list, SYS_OBJECT, 6, "\x2b\x06\x01\x04\x01\xf5\x1f\x02", 8); /* 15007: nobody */
    put_binding(&list, SYS_SERVICES, 2, "\x02", 1);
    put_text(&list, "2b060102012f010101010b01", "SER-1");
    put_text(&list, "2b060102012f010101010d01", "EDS-405A");
    put_text(&list, "2b060102012f010101010d05", "a module");
    const char *text = say(FT_TO_CLIENT, &(struct message){.pdu = 0xa2, .bindings = &list});
    assert_has_not(text, "\"fact\":\"vendor\"");
    assert_has(text, "\"fact\":\"role\",\"value\":\"switch\"");
    assert_has(text, "\"fact\":\"serial\",\"value\":\"SER-1\"");
    assert_has(text, "\"fact\":\"model\",\"value\":\"EDS-405A\"");
    assert_has_not(text, "\"fact\":\"model\",\"value\":\"a module\"");
    list.length = 0;
    put_binding(&list, SYS_OBJECT, 6, "\x2b\x06\x01\x04\x01\xc3\x73\x07", 8);
    text = say(FT_TO_CLIENT, &(struct message){.pdu = 0xa2, .bindings = &list});
    assert_has(text, "\"fact\":\"vendor\",\"value\":\"Moxa\"");
}

#define IS_MAC(ip, mac) "{\"address\":{\"ip\":\"" ip "\",\"mac\":\"" mac "\",\"management\":true}}"

/* RFC 3805 and 4293: a printer, and whom the agent knows by address resolution. */
static void test_tables(void **state)
{
    (void)state;
    static const char mac[] = "\x00\x1b\x1b\x0a\x0b\x0c";
    struct bytes list = {.length = 0};
    put_text(&list, "2b060102012b050101 10 01", "Packing");
    put_text(&list, "2b060102012b050101 11 01", "CN-7");
    put_text(&list, "2b060102012b050101 12 01", "of no meaning");
    put_binding(&list, "2b0601020104160102 02 0a000007", 4, mac, 6);
    put_binding(&list, "2b0601020104160102 8101 8140 8128 01 7f", 4, mac, 6);
    put_binding(&list, "2b0601020104230104 02 01 04 0a000008", 4, mac, 6);
    put_binding(&list, "2b0601020104230104 02 02 10 8101 20 00000000000000000000000000 01", 4, mac,
                6);
    const char *text = say(FT_TO_CLIENT, &(struct message){.pdu = 0xa2, .bindings = &list});
    assert_has(text, "\"fact\":\"name\",\"value\":\"Packing\"");
    assert_has(text, "\"fact\":\"serial\",\"value\":\"CN-7\"");
    assert_has_not(text, "\"value\":\"of no meaning\"}");
    assert_has(text, IS_MAC("10.0.0.7", "00:1b:1b:0a:0b:0c"));
    assert_has(text, IS_MAC("192.168.1.127", "00:1b:1b:0a:0b:0c"));
    assert_has(text, IS_MAC("10.0.0.8", "00:1b:1b:0a:0b:0c"));
    assert_has(text, IS_MAC("8120::1", "00:1b:1b:0a:0b:0c"));
    assert_int_equal(feed_count(text, "{\"address\":"), 4);
    /* No MAC address, too few and too large numbers, other kinds and columns */
    list.length = 0;
    put_binding(&list, "2b0601020104160102 02 0a000007", 4, mac, 5);
    put_binding(&list, "2b0601020104160102 02 0a000007", 0x40, mac, 4);
    put_binding(&list, "2b0601020104160102 02 0a0000", 4, mac, 6);
    put_binding(&list, "2b0601020104160102 02 0a00000701", 4, mac, 6);
    put_binding(&list, "2b0601020104160102 02 0a00008200", 4, mac, 6);
    put_binding(&list, "2b0601020104160103 02 0a000007", 4, mac, 6);
    put_binding(&list, "2b0601020104230104 02 01 05 0a00000801", 4, mac, 6);
    put_binding(&list, "2b0601020104230104 02 03 04 0a000008", 4, mac, 6);
    text = say(FT_TO_CLIENT, &(struct message){.pdu = 0xa2, .bindings = &list});
    assert_int_equal(feed_count(text, "{\"address\":"), 0);
}

/* ---- version 3 ----------------------------------------------------------------------------- */

struct message_3 {
    uint8_t flags;
    uint32_t id, boots, time;
    const char *engine; /* hexadecimal */
    uint8_t pdu;        /* 0: encrypted */
    const struct bytes *bindings;
};

static struct bytes message_3_of(const struct message_3 *m)
{
    struct bytes in = {.length = 0}, part = {.length = 0}, usm = {.length = 0}, out = {.length = 0};
    put_hex(&in, 2, "03");
    put_int(&part, m->id);
    put_int(&part, 65507);
    put_tlv(&part, 4, &m->flags, 1);
    put_int(&part, 3);
    put_tlv(&in, 0x30, part.data, part.length);
    part.length = 0;
    put_hex(&part, 4, m->engine);
    put_int(&part, m->boots);
    put_int(&part, m->time);
    put_tlv(&part, 4, "operator", 8);
    put_tlv(&part, 4, "", 0);
    put_tlv(&part, 4, "", 0);
    put_tlv(&usm, 0x30, part.data, part.length);
    put_tlv(&in, 4, usm.data, usm.length);
    if (m->pdu) {
        struct bytes pdu =
            pdu_of(&(struct message){.pdu = m->pdu, .id = m->id, .bindings = m->bindings});
        part.length = 0;
        put_hex(&part, 4, m->engine);
        put_tlv(&part, 4, "ctx", 3);
        put(&part, pdu.data, pdu.length);
        put_tlv(&in, 0x30, part.data, part.length);
    } else {
        put_hex(&in, 4, "000102030405060708");
    }
    put_tlv(&out, 0x30, in.data, in.length);
    return out;
}

static const char *say_3(enum ft_direction direction, const struct message_3 *m)
{
    struct bytes b = message_3_of(m);
    return feed_raw(&f, direction, b.data, b.length);
}

/* Moxa, by MAC address. */
static const char ENGINE[] = "800021f3 03 0090e8010203";

static void test_version_3(void **state)
{
    (void)state;
    f.flow.ip_version = 4;
    const char *text =
        say_3(FT_TO_SERVER, &(struct message_3){.flags = 4, .id = 5, .pdu = 0xa0, .engine = ""});
    assert_has(text, "\"version\":3");
    assert_has(text, "\"msg_id\":5");
    assert_has(text, "\"flags\":[\"reportable\"]");
    text = say_3(
        FT_TO_CLIENT,
        &(struct message_3){.id = 5, .pdu = 0xa8, .engine = ENGINE, .boots = 3, .time = 1000});
    assert_has(text, "\"command\":\"report\"");
    assert_has(text, "\"paired\":true");
    assert_has(text, "\"engine_id\":\"800021f3030090e8010203\"");
    assert_has(text, "\"engine_vendor\":\"Moxa\"");
    assert_has(text, "\"engine_mac\":\"00:90:e8:01:02:03\"");
    assert_has(text, "\"mac\":\"00:90:e8:01:02:03\",\"management\":true}");
    assert_has(text, "\"engine_boots\":3");
    assert_has(text, "\"usm\":\"operator\"");
    assert_has(text, "\"context_name\":\"ctx\"");
    assert_has(text, "\"fact\":\"vendor\",\"value\":\"Moxa\"");
    assert_clean(text);

    text =
        say_3(FT_TO_SERVER,
              &(struct message_3){.flags = 7, .id = 6, .engine = ENGINE, .boots = 3, .time = 1000});
    assert_has(text, "\"pdu_type\":\"encrypted\"");
    assert_has(text, "\"kind\":\"request\"");
    text =
        say_3(FT_TO_CLIENT,
              &(struct message_3){.flags = 3, .id = 6, .engine = ENGINE, .boots = 3, .time = 1000});
    assert_has(text, "\"kind\":\"response\"");
    assert_has(text, "\"paired\":true");
    assert_clean(text);
    assert_violation(say_3(FT_TO_SERVER, &(struct message_3){.flags = 6, .engine = ENGINE}),
                     "flags");
}

static void test_window(void **state)
{
    (void)state;
    struct message_3 m = {.flags = 3, .engine = ENGINE, .boots = 3, .time = 1000};
    say_3(FT_TO_CLIENT, &m);
    f.time_ns += 200000000000ull;
    m.flags = 7;
    m.time = 1060;
    assert_clean(say_3(FT_TO_SERVER, &m));
    m.time = 1040;
    assert_violation(say_3(FT_TO_SERVER, &m), "time_window");
    m.time = 1200;
    m.boots = 2;
    assert_violation(say_3(FT_TO_SERVER, &m), "time_window");
}

/* ---- violations, robustness ---------------------------------------------------------------- */

static void test_violations(void **state)
{
    static char community[257];
    (void)state;
    assert_violation(say(FT_TO_SERVER, &(struct message){.version = 2, .pdu = 0xa0}), "version");
    assert_violation(say(FT_TO_SERVER, &(struct message){.community = "", .pdu = 0xa0}),
                     "community_length");
    memset(community, 'x', 256);
    assert_violation(say(FT_TO_SERVER, &(struct message){.community = community, .pdu = 0xa0}),
                     "community_length");
    community[255] = 0;
    assert_no_violation(say(FT_TO_SERVER, &(struct message){.community = community, .pdu = 0xa0}),
                        "community_length");
    feed_next_flow(&f);
    assert_violation(say(FT_TO_SERVER, &(struct message){.community = "private", .pdu = 0xa0}),
                     "default_community");
    feed_next_flow(&f);
    assert_no_violation(say(FT_TO_SERVER, &(struct message){.community = "publicly", .pdu = 0xa0}),
                        "default_community");
    struct bytes list = {.length = 0};
    put_binding(&list, "2b0690ffffff7f", 5, "", 0);
    assert_violation(say(FT_TO_SERVER, &(struct message){.pdu = 0xa0, .bindings = &list}),
                     "object_identifier");
    list.length = 0;
    put_binding(&list, "2b068fffffff7f", 5, "", 0);
    assert_no_violation(say(FT_TO_SERVER, &(struct message){.pdu = 0xa0, .bindings = &list}),
                        "object_identifier");
    /* A length beyond the end, bytes behind it, an indefinite length. */
    assert_violation(to_server(&f, "3010 020100 0406 7075626c6963 a003 020101"), "malformed");
    assert_violation(to_server(&f, "3080 020100 0406 7075626c6963"), "malformed");
    struct bytes b = message_of(&(struct message){.pdu = 0xa0});
    put(&b, "xx", 2);
    assert_violation(feed_raw(&f, FT_TO_SERVER, b.data, b.length), "trailing_bytes");
}

static enum ft_verdict probe(const char *hex)
{
    uint8_t bytes[FEED_MAX];
    uint32_t n = feed_bytes(hex, bytes);
    return ft_harness_probe(f.harness, &f.flow, FT_TO_SERVER, bytes, n);
}

static void test_probe(void **state)
{
    (void)state;
    f.flow.server_port = 50000;
    assert_int_equal(probe("300f 020100 0403 616263 a005 020101 0500"), FT_YES);
    assert_int_equal(probe("300f 020100 0403 616263 a005 020101 0500 00"), FT_NO);
    assert_int_equal(probe("300f 020102 0403 616263 a005 020101 0500"), FT_NO);
    /* LDAP */
    assert_int_equal(probe("300c 020101 6007 020103 0400 8000"), FT_NO);
    assert_int_equal(probe("474554202f"), FT_NO);
}

/* TCP: cut by the message's own length, also byte by byte. */
static void test_stream(void **state)
{
    (void)state;
    f.flow.transport = FT_TRANSPORT_TCP;
    struct bytes b = message_of(&(struct message){.pdu = 0xa0, .id = 4});
    unsigned count = 0;
    for (unsigned round = 0; round < 2; round++)
        for (uint32_t i = 0; i < b.length; i++)
            count += feed_count(feed_raw(&f, FT_TO_SERVER, b.data + i, 1), "\"request_id\":4");
    assert_int_equal(count, 2);
}

static void test_hostile(void **state)
{
    static char text[2 * FEED_MAX + 1];
    (void)state;
    struct bytes list = {.length = 0};
    put_text(&list, SYS_DESCR, "Siemens, SIMATIC NET, X, FW: Version 1");
    put_text(&list, "2b060102012f010101010b01", "SER-1");
    put_binding(&list, SYS_OBJECT, 6, "\x2b\x06\x01\x04\x01\xc3\x73\x07", 8);
    for (unsigned i = 0; i < 2; i++) {
        struct bytes b =
            i ? message_of(&(struct message){.pdu = 0xa2, .bindings = &list})
              : message_3_of(&(struct message_3){.pdu = 0xa2, .engine = ENGINE, .bindings = &list});
        for (uint32_t at = 0; at < b.length; at++)
            snprintf(text + 2 * at, 3, "%02x", b.data[at]);
        feed_truncated(&f, FT_TO_CLIENT, text);
        feed_mutated(&f, FT_TO_CLIENT, text, 5000);
    }
    /* As many bindings as a datagram holds: read, but not all of them put. */
    list.length = 0;
    for (unsigned i = 0; i < 300; i++)
        put(&list, "\x30\x07\x06\x03\x2b\x06\x01\x05\x00", 9);
    assert_has(say(FT_TO_SERVER, &(struct message){.pdu = 0xa0, .bindings = &list}), "1.3.6.1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_get, setup, teardown),
        cmocka_unit_test_setup_teardown(test_values, setup, teardown),
        cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_set, setup, teardown),
        cmocka_unit_test_setup_teardown(test_traps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_descriptions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_facts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tables, setup, teardown),
        cmocka_unit_test_setup_teardown(test_version_3, setup, teardown),
        cmocka_unit_test_setup_teardown(test_window, setup, teardown),
        cmocka_unit_test_setup_teardown(test_violations, setup, teardown),
        cmocka_unit_test_setup_teardown(test_probe, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stream, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
