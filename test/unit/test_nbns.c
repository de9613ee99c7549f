/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * NetBIOS names, nbns.c: encoding, registration, queries, node status, facts, violations. Messages
 * are made by hand from RFC 1002, 4.2.
 */
#include "feed.h"

extern const struct ft_dissector ft_dissector_nbns;

static const struct ft_dissector *const dissectors[] = {&ft_dissector_nbns, NULL};

static struct feed f;

static int open_feed(void **state)
{
    (void)state;
    static const uint8_t station[6] = {0x00, 0x0c, 0x29, 0x01, 0x02, 0x03};
    feed_open(&f, dissectors, "nbns", FT_TRANSPORT_UDP, 137);
    f.flow.client_port = 137;
    f.flow.ip_version = 4;
    f.flow.ttl = 128;
    memcpy(f.flow.client_ip, (uint8_t[]){10, 0, 0, 5}, 4);
    memcpy(f.flow.server_ip, (uint8_t[]){10, 0, 0, 6}, 4);
    memcpy(f.flow.server_mac, station, 6);
    return 0;
}

static int close_feed(void **state)
{
    (void)state;
    feed_close(&f);
    return 0;
}

/* A name of 15 characters and its suffix, encoded. */
static const char *encoded(const char *name, unsigned suffix, char text[80])
{
    char padded[32];
    size_t n = 0;
    snprintf(padded, sizeof(padded), "%-15s", name);
    padded[15] = (char)suffix;
    n += (size_t)snprintf(text + n, 80 - n, "20");
    for (unsigned i = 0; i < 16; i++)
        n += (size_t)snprintf(text + n, 80 - n, "%02x%02x", 'A' + ((uint8_t)padded[i] >> 4),
                              'A' + (padded[i] & 15));
    snprintf(text + n, 80 - n, "00 ");
    return text;
}

static const char *say(enum ft_direction direction, const char *header, const char *name,
                       unsigned suffix, const char *rest)
{
    char text[FEED_MAX], one[80];
    snprintf(text, sizeof(text), "%s %s %s", header, encoded(name, suffix, one), rest);
    return feed_hex(&f, direction, text);
}

static void query_and_response(void **state)
{
    (void)state;
    const char *s = say(FT_TO_SERVER, "8001 0100 0001 0000 0000 0000", "HMI1", 0, "0020 0001");
    assert_has(s, "\"command\":\"query\",\"code\":0,\"qualifier\":0,\"class\":\"read\"");
    assert_has(s, "\"name\":\"HMI1\",\"suffix\":\"workstation\",\"suffix_code\":0,\"type\":\"nb\"");
    assert_has_not(s, "\"fact\"");
    assert_clean(s);
    s = say(FT_TO_CLIENT, "8001 8500 0000 0001 0000 0000", "HMI1", 0,
            "0020 0001 000493e0 0006 2000 0a000006");
    assert_has(s, "\"kind\":\"response\",\"direction\":\"to_client\",\"paired\":true");
    assert_has(s, "\"addr\":[\"10.0.0.6\"]");
    assert_has(s, "\"type\":\"nb\",\"type_code\":32,\"ttl\":300000,");
    assert_has(s, "\"node_type\":\"p\"");
    assert_has(s, "{\"fact\":{\"of\":\"10.0.0.6\",\"fact\":\"name\",\"value\":\"HMI1\"}}");
    assert_clean(s);
    s = say(FT_TO_CLIENT, "8002 8583 0000 0001 0000 0000", "HMI2", 0, "0020 0001 00000000 0000");
    assert_has(s, "\"kind\":\"exception\"");
    assert_has(s, "\"rcode\":\"name_error\"");
    assert_has_not(s, "\"fact\"");
}

static void registration(void **state)
{
    (void)state;
    const char *s = say(FT_TO_SERVER, "8003 2910 0001 0000 0000 0001", "HMI1", 0x20,
                        "0020 0001 c00c 0020 0001 000493e0 0006 0000 0a000005");
    assert_has(s, "\"command\":\"registration\",\"code\":5,\"qualifier\":0,\"class\":\"config\"");
    assert_has(s, "\"suffix\":\"file_server\"");
    assert_int_equal(feed_count(s, "\"suffix_code\":"), 1); /* of the question alone */
    assert_has(s, "\"broadcast\":true");
    assert_has(s, "{\"fact\":{\"of\":\"10.0.0.5\",\"fact\":\"name\",\"value\":\"HMI1\"}}");
    assert_clean(s);
    /* The name of a group is nobody's. */
    s = say(FT_TO_SERVER, "8003 2910 0001 0000 0000 0001", "PLANT", 0,
            "0020 0001 c00c 0020 0001 000493e0 0006 8000 0a000005");
    assert_has(s, "\"group\":true");
    assert_has_not(s, "\"fact\"");
    s = say(FT_TO_SERVER, "8004 3000 0001 0000 0000 0001", "HMI1", 0,
            "0020 0001 c00c 0020 0001 00000000 0006 0000 0a000005");
    assert_has(s, "\"command\":\"release\"");
    s = say(FT_TO_CLIENT, "8005 8500 0000 0001 0000 0000", "PLANT", 0x1c,
            "0020 0001 000493e0 000c 8000 0a000007 8000 0a000008");
    assert_has(s, "\"addr\":[\"10.0.0.7\",\"10.0.0.8\"]");
    assert_has(s, "{\"fact\":{\"of\":\"10.0.0.8\",\"fact\":\"description\","
                  "\"value\":\"domain controller\"}}");
    assert_has(s, "{\"fact\":{\"of\":\"10.0.0.8\",\"fact\":\"role\",\"value\":\"server\"}}");
}

/* RFC 1002, 4.2.1.1 */
static void flags(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned bit;
    } bits[] = {
        {"aa", 0x0400}, {"tc", 0x0200}, {"rd", 0x0100}, {"ra", 0x0080}, {"broadcast", 0x0010}};
    char header[100], expected[200], one[40];
    for (size_t set = 0; set < sizeof(bits) / sizeof(bits[0]); set++) {
        snprintf(header, sizeof(header), "8001 %04x 0001 0000 0000 0000", bits[set].bit);
        snprintf(expected, sizeof(expected),
                 "\"id\":32769,\"r\":false,\"opcode\":\"query\",\"opcode_code\":0");
        for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
            snprintf(one, sizeof(one), ",\"%s\":%s", bits[i].name, i == set ? "true" : "false");
            strcat(expected, one);
        }
        const char *s = say(FT_TO_SERVER, header, "HMI1", 0, "0020 0001");
        assert_has(s, expected);
        assert_has_not(s, "\"rcode\"");
        assert_clean(s);
    }
    assert_has(say(FT_TO_CLIENT, "8001 8580 0000 0001 0000 0000", "HMI1", 0,
                   "0020 0001 000493e0 0006 2000 0a000006"),
               "\"r\":true,\"opcode\":\"query\",\"opcode_code\":0,\"aa\":true,\"tc\":false,"
               "\"rd\":true,\"ra\":true,\"broadcast\":false,\"rcode\":\"no_error\"");
}

/* Two names, then the statistics with the MAC address. */
#define STATUS(mac)                                                                                \
    "0021 0001 00000000 0042 02 "                                                                  \
    "484d4931202020202020202020202020 0400 "                                                       \
    "504c414e542020202020202020202000 8400 " mac " 0000000000000000000000000000000000000000000000"

static void node_status(void **state)
{
    (void)state;
    char wildcard[80], text[FEED_MAX];
    memset(wildcard, 0, sizeof(wildcard));
    strcpy(wildcard, "20 434b");
    for (unsigned i = 0; i < 30; i++)
        strcat(wildcard, "41");
    strcat(wildcard, "00 ");
    snprintf(text, sizeof(text), "8006 0000 0001 0000 0000 0000 %s 0021 0001", wildcard);
    const char *s = to_server(&f, text);
    assert_has(s, "\"command\":\"node_status\",\"code\":0,\"qualifier\":33");
    assert_has(s, "\"name\":\"*\"");
    assert_clean(s);
    snprintf(text, sizeof(text), "8006 8400 0000 0001 0000 0000 %s " STATUS("000c29010203"),
             wildcard);
    s = to_client(&f, text);
    assert_has(s, "\"paired\":true");
    assert_has(s, "\"names\":[{\"name\":\"HMI1\",\"suffix\":\"file_server\"");
    assert_has(s, "\"mac\":\"00:0c:29:01:02:03\"");
    assert_has(s, "\"fact\":\"description\",\"value\":\"workgroup PLANT\"");
    assert_has(s, "\"fact\":\"os\",\"value\":\"Windows\"");
    assert_has(s, "{\"address\":{\"ip\":\"10.0.0.6\",\"mac\":\"00:0c:29:01:02:03\"}}");
    assert_clean(s);
    /* On this link the frame has another address: of another adapter. */
    snprintf(text, sizeof(text), "8007 8400 0000 0001 0000 0000 %s " STATUS("000c29010204"),
             wildcard);
    assert_has_not(to_client(&f, text), "{\"address\"");
    /* As sent, a packet has lived 64, 128 or 255; what was forwarded has lived less. */
    static const struct {
        uint8_t ttl;
        bool is_of_link;
    } lives[] = {{64, true}, {128, true}, {255, true}, {0, true}, {63, false}, {126, false}};
    for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
        f.flow.ttl = lives[i].ttl;
        assert_int_equal(
            feed_count(to_client(&f, text),
                       "{\"address\":{\"ip\":\"10.0.0.6\",\"mac\":\"00:0c:29:01:02:04\"}}"),
            !lives[i].is_of_link);
    }
    snprintf(text, sizeof(text), "8008 8400 0000 0001 0000 0000 %s " STATUS("000000000000"),
             wildcard);
    s = to_client(&f, text);
    assert_has(s, "\"value\":\"Samba\"");
    assert_has_not(s, "{\"address\""); /* zeros are nobody's */
}

static void violations(void **state)
{
    (void)state;
    assert_violation(say(FT_TO_CLIENT, "8001 8500 0000 0001 0000 0000", "WPAD", 0,
                         "0020 0001 000493e0 0006 0000 0a000006"),
                     "wpad");
    assert_clean(say(FT_TO_SERVER, "8001 0110 0001 0000 0000 0000", "WPAD", 0, "0020 0001"));
    assert_violation(say(FT_TO_CLIENT, "8001 ad87 0000 0001 0000 0000", "HMI1", 0,
                         "0020 0001 00000000 0006 0000 0a000006"),
                     "conflict");
    assert_violation(say(FT_TO_SERVER, "8001 1100 0001 0000 0000 0000", "HMI1", 0, "0020 0001"),
                     "opcode");
    assert_violation(
        say(FT_TO_SERVER, "8001 0100 0002 0000 0000 0000", "HMI1", 0, "0020 0001 c00c 0020 0001"),
        "counts");
    assert_violation(to_server(&f, "8001 0100 0001 0000 0000 0000 03 484d49 00 0020 0001"),
                     "encoding");
    const char *s = to_server(&f, "8001 0100 0001 0000 0000 0000 c00c 0020 0001");
    assert_violation(s, "name");
    assert_has_not(s, "\"suffix\"");
    assert_violation(say(FT_TO_SERVER, "8001 0100 0001 0000 0000 0000", "HMI1", 0, "0020 0001 00"),
                     "trailing_bytes");
}

/* RFC 1001, 14.1: each byte is two letters from A to P; 15 characters, the suffix, the scope. */
static void encoding(void **state)
{
    (void)state;
    static const char header[] = "8001 0100 0001 0000 0000 0000 ";
    char text[FEED_MAX], label[100];
    /* "~" is 7e: HO; blanks (CA) at the end are none. */
    snprintf(label, sizeof(label), "20 %s", "484f");
    for (unsigned i = 0; i < 14; i++)
        strcat(label, "4341");
    snprintf(text, sizeof(text), "%s %s 4242 00 0020 0001", header, label);
    const char *s = to_server(&f, text);
    assert_has(s, "\"name\":\"~\",\"suffix\":\"unknown\",\"suffix_code\":17,\"type\":\"nb\"");
    assert_has_not(s, "\"scope\"");
    assert_clean(s);
    memcpy(label + 3, "504f", 4); /* fe */
    snprintf(text, sizeof(text), "%s %s 4242 00 0020 0001", header, label);
    assert_clean(to_server(&f, text));
    memcpy(label + 3, "4f50", 4); /* ef */
    snprintf(text, sizeof(text), "%s %s 4242 00 0020 0001", header, label);
    assert_clean(to_server(&f, text));
    memcpy(label + 3, "484f", 4);
    /* scope "ab.c" */
    snprintf(text, sizeof(text), "%s %s 4343 02 6162 01 63 00 0020 0001", header, label);
    s = to_server(&f, text);
    assert_has(s, "\"suffix_code\":34,\"scope\":\"ab.c\"");
    /* and "d" */
    snprintf(text, sizeof(text), "%s %s 4343 01 64 00 0020 0001", header, label);
    assert_has(to_server(&f, text), "\"suffix_code\":34,\"scope\":\"d\"");
    /* A to P, nothing beside: '@' and 'Q' in the upper and the lower half, first and last */
    static const char *const wrong[] = {"404f", "514f", "4840", "4851", "6868"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        memcpy(label + 3, wrong[i], 4);
        snprintf(text, sizeof(text), "%s %s 4141 00 0020 0001", header, label);
        s = to_server(&f, text);
        assert_violation(s, "encoding");
        assert_has_not(s, "\"suffix\"");
        assert_has(s, "\"type\":\"nb\"");
    }
    memcpy(label + 3, "5050", 4); /* ff */
    snprintf(text, sizeof(text), "%s %s 4151 00 0020 0001", header, label);
    assert_violation(to_server(&f, text), "encoding");
    /* 31 and 33 letters */
    snprintf(text, sizeof(text), "%s 1f %s 41 00 0020 0001", header, label + 3);
    assert_violation(to_server(&f, text), "encoding");
    snprintf(text, sizeof(text), "%s 21 %s 414141 00 0020 0001", header, label + 3);
    assert_violation(to_server(&f, text), "encoding");
}

static void operations(void **state)
{
    (void)state;
    static const char *const names[16] = {"query",   NULL,
                                          NULL,      NULL,
                                          NULL,      "registration",
                                          "release", "wack",
                                          "refresh", "refresh_alternate",
                                          NULL,      NULL,
                                          NULL,      NULL,
                                          NULL,      "registration_multihomed"};
    char header[100], expected[100];
    for (unsigned opcode = 0; opcode < 16; opcode++) {
        bool states = opcode == 5 || opcode == 8 || opcode == 9 || opcode == 15;
        snprintf(header, sizeof(header), "8001 %04x 0001 0000 0000 0001", opcode << 11);
        feed_next_flow(&f);
        const char *s = say(FT_TO_SERVER, header, "HMI1", 0,
                            "0020 0001 c00c 0020 0001 000493e0 0006 6000 0a000005");
        snprintf(expected, sizeof(expected), "\"command\":\"%s\",\"code\":%u,",
                 names[opcode] ? names[opcode] : "", opcode);
        if (names[opcode])
            assert_has(s, expected);
        assert_int_equal(feed_count(s, "\"name\":\"opcode\""), !names[opcode]);
        assert_int_equal(feed_count(s, "\"of\":\"10.0.0.5\""), states);
        assert_int_equal(feed_count(s, "\"node_type\":\"h\""), opcode != 7);
        /* Answers to these are the server's word on its own. */
        snprintf(header, sizeof(header), "8001 %04x 0000 0001 0000 0000", opcode << 11 | 0x8000);
        s = say(FT_TO_CLIENT, header, "HMI1", 0, "0020 0001 000493e0 0006 6000 0a000005");
        assert_int_equal(feed_count(s, "\"of\":\"10.0.0.5\""), opcode == 0);
    }
}

/* What becomes the name of an address, and what does not. */
static void owners(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned suffix;
        const char *flags;
        const char *fact;
    } cases[] = {
        {"HMI1", 0x00, "0000", "\"fact\":\"name\",\"value\":\"HMI1\""},
        {"HMI1", 0x20, "6000", "\"fact\":\"name\",\"value\":\"HMI1\""},
        {"HMI1", 0x00, "8000", NULL},
        {"HMI1", 0x03, "0000", NULL}, /* a user */
        {"*", 0x00, "0000", NULL},
        {"WPAD", 0x00, "0000", NULL},
        {"WPAD", 0x20, "0000", "\"fact\":\"name\",\"value\":\"WPAD\""},
        {"WPADS", 0x00, "0000", "\"fact\":\"name\",\"value\":\"WPADS\""},
        {"OT", 0x1c, "8000", "\"fact\":\"description\",\"value\":\"domain controller\""},
        {"OT", 0x1b, "0000", "\"fact\":\"description\",\"value\":\"domain controller\""},
        {"OT", 0x1d, "0000", NULL},
        {"OT", 0x1e, "8000", NULL},
    };
    char rest[200], expected[200];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        feed_next_flow(&f);
        snprintf(rest, sizeof(rest), "0020 0001 000493e0 0006 %s 0a000007", cases[i].flags);
        const char *s = say(FT_TO_CLIENT, "8001 8500 0000 0001 0000 0000", cases[i].name,
                            cases[i].suffix, rest);
        snprintf(expected, sizeof(expected), "{\"fact\":{\"of\":\"10.0.0.7\",%s}}",
                 cases[i].fact ? cases[i].fact : "");
        if (cases[i].fact)
            assert_has(s, expected);
        else
            assert_has_not(s, "{\"fact\"");
        assert_int_equal(feed_count(s, "\"name\":\"wpad\""),
                         cases[i].suffix == 0 && !strcmp(cases[i].name, "WPAD"));
    }
    /* A name that is none: "AB" and letters beyond P */
    char text[FEED_MAX] = "8001 8500 0000 0001 0000 0000 20 4542 4543 ";
    for (unsigned i = 0; i < 28; i++)
        strcat(text, "5a");
    strcat(text, "00 0020 0001 000493e0 0006 0000 0a000007");
    const char *s = to_client(&f, text);
    assert_violation(s, "encoding");
    assert_has(s, "\"addr\":[\"10.0.0.7\"]");
    assert_has_not(s, "{\"fact\"");
}

/* Data that end early; what is there is told. */
static void short_data(void **state)
{
    (void)state;
    const char *s = say(FT_TO_CLIENT, "8001 8500 0000 0001 0000 0000", "HMI1", 0,
                        "0020 0001 000493e0 0009 2000 0a000006 2000 0a");
    assert_has(s, "\"addr\":[\"10.0.0.6\"]");
    assert_violation(s, "malformed");
    s = say(FT_TO_CLIENT, "8001 8500 0000 0001 0000 0000", "HMI1", 0,
            "0020 0001 000493e0 0005 2000 0a0000");
    assert_has_not(s, "\"addr\"");
    assert_violation(s, "malformed");
    /* A count beyond the names; a MAC address that is not whole; none at all */
    s = say(FT_TO_CLIENT, "8006 8400 0000 0001 0000 0000", "*", 0,
            "0021 0001 00000000 0013 02 484d4931202020202020202020202020 0400");
    assert_int_equal(feed_count(s, "\"suffix\":\"file_server\""), 1);
    assert_violation(s, "malformed");
    s = say(FT_TO_CLIENT, "8006 8400 0000 0001 0000 0000", "*", 0,
            "0021 0001 00000000 0018 01 484d4931202020202020202020202000 0400 000c290102");
    assert_has(s, "{\"fact\":{\"party\":\"sender\",\"fact\":\"name\",\"value\":\"HMI1\"}}");
    assert_violation(s, "malformed");
    s = say(FT_TO_CLIENT, "8006 8400 0000 0001 0000 0000", "*", 0, "0021 0001 00000000 0001 00");
    assert_clean(s);
    assert_has_not(s, "\"os\"");
    /* The shortest records there are, and more than the message has room for */
    char text[FEED_MAX] = "8001 8500 0000 0014 0000 0000 ";
    for (unsigned i = 0; i < 20; i++)
        strcat(text, "00 0020 0001 00000000 0000 ");
    s = to_client(&f, text);
    assert_no_violation(s, "malformed");
    assert_no_violation(s, "trailing_bytes");
    strcpy(text, "8001 0100 0014 0000 0000 0000 ");
    for (unsigned i = 0; i < 20; i++)
        strcat(text, "00 0020 0001 ");
    s = to_server(&f, text);
    assert_no_violation(s, "malformed");
    assert_no_violation(s, "trailing_bytes");
    assert_violation(say(FT_TO_CLIENT, "8001 8500 0000 ffff 0000 0000", "HMI1", 0,
                         "0020 0001 000493e0 0006 2000 0a000006"),
                     "malformed");
}

/* A message is about the name of its question, or else of its first record. */
static void first_name(void **state)
{
    (void)state;
    char text[FEED_MAX], first[80], second[80];
    encoded("HMI1", 0, first);
    encoded("HMI2", 0x20, second);
    static const char record[] = "0020 0001 000493e0 0006 2000 0a000006";
    snprintf(text, sizeof(text), "8003 2910 0001 0000 0000 0001 %s 0020 0001 %s %s", first, second,
             record);
    const char *s = to_server(&f, text);
    assert_has(s, "\"name\":\"HMI1\",\"suffix\":\"workstation\"");
    assert_has_not(s, "\"name\":\"HMI2\",\"suffix\"");
    assert_has(s, "\"value\":\"HMI2\"");
    snprintf(text, sizeof(text), "8003 8500 0000 0002 0000 0000 %s %s %s %s", first, record, second,
             record);
    s = to_client(&f, text);
    assert_has(s, "\"name\":\"HMI1\",\"suffix\":\"workstation\"");
    assert_has_not(s, "\"name\":\"HMI2\",\"suffix\"");
    assert_has(s, "\"value\":\"HMI2\"");
}

/* What only the node itself says of itself, in an answer. */
static void status_of_others(void **state)
{
    (void)state;
    char text[FEED_MAX], one[80];
    static const char *const headers[] = {"8006 0000 0000 0001 0000 0000",  /* a query */
                                          "8006 8403 0000 0001 0000 0000",  /* a failure */
                                          "8006 a800 0000 0001 0000 0000"}; /* a registration */
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        feed_next_flow(&f);
        snprintf(text, sizeof(text), "%s %s " STATUS("000c29010203"), headers[i],
                 encoded("*", 0, one));
        const char *s = to_client(&f, text);
        assert_has(s, "\"mac\":\"00:0c:29:01:02:03\"");
        assert_has_not(s, "{\"fact\"");
        assert_has_not(s, "{\"address\"");
    }
    /* The flags of names: 1000, 0800, 0400, 0200 */
    const char *s = say(FT_TO_CLIENT, "8006 8400 0000 0001 0000 0000", "*", 0,
                        "0021 0001 00000000 0013 01 484d4931202020202020202020202003 1e00");
    assert_has(s, "\"suffix\":\"messenger\",\"suffix_code\":3,\"group\":false,\"flags\":"
                  "[\"deregistering\",\"conflict\",\"active\",\"permanent\"]");
    assert_has_not(s, "{\"fact\"");
    /* A domain's controllers are servers; the browsers' own group is no workgroup. */
    s = say(FT_TO_CLIENT, "8006 8400 0000 0001 0000 0000", "*", 0,
            "0021 0001 00000000 0025 02 4f5420202020202020202020202020 1c 8400 "
            "01025f5f4d5342524f5753455f5f02 00 8400");
    assert_has(s, "\"fact\":\"role\",\"value\":\"server\"");
    assert_int_equal(feed_count(s, "{\"fact\""), 1);
}

static void recognition(void **state)
{
    (void)state;
    char text[FEED_MAX], one[80];
    uint8_t bytes[FEED_MAX];
    struct ft_probe bound = {
        .size = sizeof(bound), .transport = FT_TRANSPORT_UDP, .is_bound = true};
    struct ft_probe free_port = {.size = sizeof(free_port), .transport = FT_TRANSPORT_UDP};
    static const struct {
        const char *header;
        bool is_mine;
    } cases[] = {
        {"8001 0110 0001 0000 0000 0000", true},  {"8001 2910 0001 0000 0000 0001", true},
        {"8001 0110 0000 0000 0000 0000", false}, {"8001 0110 0002 0000 0000 0000", false},
        {"8001 1110 0001 0000 0000 0000", false}, {"8001 0110 0000 0008 0000 0000", true},
        {"8001 0110 0000 0009 0000 0000", false}, {"8001 0110 0001 0003 0003 0003", false},
        {"8001 7910 0001 0000 0000 0001", true},  {"8001 5110 0001 0000 0000 0001", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(text, sizeof(text), "%s %s 0020 0001", cases[i].header, encoded("HMI1", 0, one));
        uint32_t n = feed_bytes(text, bytes);
        enum ft_verdict verdict = cases[i].is_mine ? FT_YES : FT_NO;
        assert_int_equal(ft_dissector_nbns.probe(&bound, ft_view_make(bytes, n, false)), verdict);
        assert_int_equal(ft_dissector_nbns.probe(&free_port, ft_view_make(bytes, n, false)),
                         verdict);
        assert_int_equal(ft_dissector_nbns.probe(&bound, ft_view_make(bytes, 11, true)), FT_MAYBE);
        assert_int_equal(ft_dissector_nbns.probe(&bound, ft_view_make(bytes, 11, false)), FT_NO);
        assert_int_equal(ft_dissector_nbns.probe(&free_port, ft_view_make(bytes, 11, true)), FT_NO);
        bytes[14] = 'Z'; /* no letter of a name: on its port a violation, elsewhere not this */
        assert_int_equal(ft_dissector_nbns.probe(&bound, ft_view_make(bytes, n, false)), verdict);
        assert_int_equal(ft_dissector_nbns.probe(&free_port, ft_view_make(bytes, n, false)), FT_NO);
    }
    bound.transport = FT_TRANSPORT_TCP;
    uint32_t n = feed_bytes("0012 8001 0110 0001 0000 0000 0000 00 0020 0001", bytes);
    assert_int_equal(ft_dissector_nbns.probe(&bound, ft_view_make(bytes, n, false)), FT_YES);
}

/* RFC 1002, 4.2: over TCP the length stands before the message. */
static void streams(void **state)
{
    (void)state;
    char text[FEED_MAX], one[80];
    f.flow.transport = FT_TRANSPORT_TCP;
    snprintf(text, sizeof(text),
             "0032 8001 0100 0001 0000 0000 0000 %s 0020 0001 0032 8002 0100 "
             "0001 0000 0000 0000 %s 0020 0001",
             encoded("HMI1", 0, one), one);
    const char *s = to_server(&f, text);
    assert_int_equal(feed_count(s, "\"command\":\"query\""), 2);
    assert_clean(s);
    snprintf(text, sizeof(text), "0033 8001 0100 0002 0000 0000 0000 %s 0020 0001 c0", one);
    s = to_server(&f, text);
    assert_violation(s, "malformed");
    uint8_t bytes[FEED_MAX];
    static const struct {
        const char *hex;
        uint32_t kind, length;
    } cases[] = {{"00", FT_FRAME_NEED, 2},
                 {"000b", FT_FRAME_NOT_MINE, 0},
                 {"000c", FT_FRAME_PDU, 14},
                 {"0032 80", FT_FRAME_PDU, 0x34}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t n = feed_bytes(cases[i].hex, bytes);
        struct ft_frame frame = ft_dissector_nbns.frame(NULL, ft_view_make(bytes, n, true));
        assert_int_equal(frame.kind, cases[i].kind);
        assert_int_equal(frame.length, cases[i].length);
    }
}

static void truncated_and_mutated(void **state)
{
    (void)state;
    char text[FEED_MAX], one[80];
    snprintf(text, sizeof(text), "8006 8400 0000 0001 0000 0000 %s " STATUS("000c29010203"),
             encoded("HMI1", 0, one));
    feed_truncated(&f, FT_TO_CLIENT, text);
    feed_mutated(&f, FT_TO_CLIENT, text, 3000);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, open_feed, close_feed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(query_and_response),
        TEST(registration),
        TEST(node_status),
        TEST(violations),
        TEST(truncated_and_mutated),
        TEST(flags),
        TEST(flags),
        TEST(encoding),
        TEST(operations),
        TEST(owners),
        TEST(short_data),
        TEST(first_name),
        TEST(status_of_others),
        TEST(recognition),
        TEST(streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
