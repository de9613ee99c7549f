/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whole messages of DNS, mDNS and LLMNR: dns_message.c, and the names of codes: dns_tables.c.
 * Messages are made by hand from RFC 1035, 2136, 6762, 6891, 7766 and 8490; what they say of hosts
 * is in test_dns_facts.c.
 */
#include "dns_feed.h"

static int open_stream(void **state)
{
    (void)state;
    feed_open(&f, dissectors, "dns", FT_TRANSPORT_TCP, 53);
    return 0;
}

/* A message of id 1: flags and counts, then the rest. */
static const char *message(unsigned flags, const char *counts, const char *rest)
{
    char hex[3000];
    snprintf(hex, sizeof(hex), "0001 %04x %s %s", flags, counts, rest);
    return feed_hex(&f, flags & FT_DNS_QR ? FT_TO_CLIENT : FT_TO_SERVER, hex);
}

/* ---- the header ----------------------------------------------------------------------------- */

/* RFC 1035, 4.1.1; AD and CD: RFC 4035, 3.1.6 and 3.2.2. */
static void flags(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned bit;
    } bits[] = {{"qr", 0x8000}, {"aa", 0x0400}, {"tc", 0x0200}, {"rd", 0x0100},
                {"ra", 0x0080}, {"z", 0x0040},  {"ad", 0x0020}, {"cd", 0x0010}};
    char expected[300], one[40];

    for (size_t set = 0; set <= sizeof(bits) / sizeof(bits[0]); set++) {
        unsigned value = set < sizeof(bits) / sizeof(bits[0]) ? bits[set].bit : 0;
        snprintf(expected, sizeof(expected), "\"id\":1,\"flags\":\"%x\"", value);
        for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
            snprintf(one, sizeof(one), ",\"%s\":%s", bits[i].name, i == set ? "true" : "false");
            strcat(expected, one);
        }
        strcat(expected, ",\"opcode\":0,\"tcp\":false");
        const char *s = message(value, "0001 0000 0000 0000", QUESTION);
        assert_has(s, expected);
        assert_has(s, value == 0x8000 ? "\"version\":2,\"type\":\"answer\",\"type_code\":1,"
                                      : "\"version\":2,\"type\":\"query\",\"type_code\":0,");
        /* Nothing but the reserved bit is against the rules, truncated neither. */
        assert_int_equal(feed_count(s, "{\"violation\""), value == 0x40);
        feed_next_flow(&f);
    }
    assert_violation(message(0x40, "0001 0000 0000 0000", QUESTION), "reserved_bit");
}

static void header_cut(void **state)
{
    (void)state;
    uint8_t bytes[FEED_MAX];
    uint32_t n = feed_bytes("0001 0100 0001 0000 0000 0000 " QUESTION, bytes);

    for (uint32_t i = 1; i < n; i++) {
        const char *s = feed_raw(&f, FT_TO_SERVER, bytes, i);
        assert_violation(s, "malformed");
        assert_has_not(s, i < 12 ? "\"command\":\"query\"" : "{\"error");
        if (i >= 12)
            assert_has(s, "\"command\":\"query\"");
        s = ft_harness_feed_cut(f.harness, &f.flow, FT_TO_SERVER, ++f.time_ns, bytes, i);
        assert_clean(s);
    }
}

/* RFC 1035, 4.1.1; NOTIFY: RFC 1996; UPDATE: RFC 2136; DSO: RFC 8490. */
static void opcodes(void **state)
{
    (void)state;
    static const char *const names[16] = {"\"query\"",  "\"inverse_query\"", "\"status\"", NULL,
                                          "\"notify\"", "\"update\"",        "\"session\""};
    char expected[100];

    for (unsigned opcode = 0; opcode < 16; opcode++) {
        const char *s = message(opcode << 11, "0001 0000 0000 0000", QUESTION);
        snprintf(expected, sizeof(expected), "\"code\":%u,", opcode);
        assert_has(s, expected);
        snprintf(expected, sizeof(expected), "\"opcode\":%u,", opcode);
        assert_has(s, expected);
        if (names[opcode]) {
            snprintf(expected, sizeof(expected), "\"command\":%s", names[opcode]);
            assert_has(s, expected);
            assert_clean(s);
        } else {
            assert_violation(s, "opcode");
        }
        feed_next_flow(&f);
    }
}

/* Types that are an operation of their own when they are asked for, and only then. */
static void qualifiers(void **state)
{
    (void)state;
    static const struct {
        unsigned type;
        const char *name;
    } types[] = {{10, "query_null"},
                 {25, "query_key"},
                 {16, "query_txt"},
                 {249, "query_tkey"},
                 {251, "transfer_changes"},
                 {252, "transfer_zone"},
                 {255, "query_any"},
                 {1, "query"},
                 {28, "query"},
                 {250, "query"},
                 {253, "query"},
                 {65, "query"}};
    char rest[100], expected[100];

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        snprintf(rest, sizeof(rest), NAME "%04x 0001", types[i].type);
        snprintf(expected, sizeof(expected), "\"command\":\"%s\",\"code\":0,\"qualifier\":%u,",
                 types[i].name, strcmp(types[i].name, "query") ? types[i].type : 0);
        assert_has(message(0x0100, "0001 0000 0000 0000", rest), expected);
        feed_next_flow(&f);
        assert_has(message(0x2400, "0001 0000 0000 0000", rest),
                   "\"command\":\"notify\",\"code\":4,\"qualifier\":0,");
        feed_next_flow(&f);
    }
}

static void results(void **state)
{
    (void)state;
    static const char *const names[16] = {
        "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",  "NOTIMP",  "REFUSED", "YXDOMAIN", "YXRRSET",
        "NXRRSET", "NOTAUTH", "NOTZONE",  "DSOTYPENI", "unknown", "unknown", "unknown",  "unknown"};
    char expected[100];

    for (unsigned rcode = 0; rcode < 16; rcode++) {
        const char *s = message(0x8180 | rcode, "0001 0000 0000 0000", QUESTION);
        snprintf(expected, sizeof(expected), "\"rcode\":\"%s\",\"rcode_code\":%u}", names[rcode],
                 rcode);
        assert_has(s, expected);
        /* That a name does not exist is an answer. */
        assert_has(s, rcode && rcode != 3 ? "\"kind\":\"exception\"" : "\"kind\":\"response\"");
        assert_clean(s);
        feed_next_flow(&f);
    }
    /* A query has none. */
    assert_has_not(message(0x0100, "0001 0000 0000 0000", QUESTION), "\"rcode\"");
    /* RFC 6891, 6.1.3: the eight upper bits are in the OPT record: 1 << 4 | 7 */
    assert_has(message(0x8187, "0001 0000 0000 0001", QUESTION "00 0029 04d0 01000000 0000"),
               "\"rcode\":\"BADCOOKIE\",\"rcode_code\":23}");
    assert_has(message(0x818f, "0001 0000 0000 0001", QUESTION "00 0029 04d0 ff000000 0000"),
               "\"rcode_code\":4095}");
}

/* ---- sections ------------------------------------------------------------------------------- */

static void sections(void **state)
{
    (void)state;
    const char *s = message(0x8580, "0001 0001 0001 0001",
                            QUESTION "c00c 0005 0001 0000003c 0004 01 61 c010 "
                                     "c010 0002 0001 00000e10 0005 02 6e73 c010 "
                                     "02 6e73 c010 0001 0001 00000e10 0004 0a000035");
    assert_has(s, "\"queries\":[{\"rrname\":\"plc.example.com\",\"rrtype\":\"A\",\"rrtype_code\":1,"
                  "\"class\":\"IN\",\"class_code\":1}]");
    assert_has(s, "\"answers\":[{\"rrname\":\"plc.example.com\",\"rrtype\":\"CNAME\","
                  "\"rrtype_code\":5,\"class\":\"IN\",\"class_code\":1,\"ttl\":60,"
                  "\"rdata\":\"a.example.com\"}]");
    assert_has(s, "\"authorities\":[{\"rrname\":\"example.com\",\"rrtype\":\"NS\","
                  "\"rrtype_code\":2,\"class\":\"IN\",\"class_code\":1,\"ttl\":3600,"
                  "\"rdata\":\"ns.example.com\"}]");
    assert_has(s, "\"additionals\":[{\"rrname\":\"ns.example.com\",\"rrtype\":\"A\","
                  "\"rrtype_code\":1,\"class\":\"IN\",\"class_code\":1,\"ttl\":3600,"
                  "\"rdata\":\"10.0.0.53\"}]");
    assert_clean(s);
    /* A question and a record of the top class bit: nothing of mDNS here */
    s = message(0x8580, "0001 0001 0000 0000",
                NAME "0001 8001 c00c 0001 8001 00000000 0004 0a000001");
    assert_has(s, "\"class\":\"unknown\",\"class_code\":32769}]");
    assert_has_not(s, "unicast");
    assert_has_not(s, "cache_flush");
    /* Several of each, in order */
    s = message(0x8180, "0001 0002 0000 0000",
                QUESTION RECORD "c00c 0001 0001 0000003c 0004 0a000002");
    assert_has(s, "\"rdata\":\"10.0.0.1\"},{");
    assert_has(s, "\"rdata\":\"10.0.0.2\"}]");
    /* The first question is the message's. */
    s = message(0x0100, "0002 0000 0000 0000", NAME "001c 0001 03 6f7468 00 0010 0001");
    assert_has(s, "\"rrname\":\"plc.example.com\",\"rrtype\":\"AAAA\",\"rrtype_code\":28,"
                  "\"query_len\":15,\"label_len\":7,");
    assert_has(s, "{\"rrname\":\"oth\",\"rrtype\":\"TXT\"");
    /* None is asked. */
    s = message(0x8180, "0000 0001 0000 0000", NAME "0001 0001 0000003c 0004 0a000001");
    assert_has(s, "\"tcp\":false,\"answers\":");
    assert_clean(s);
}

/* More, and fewer, than the header counts. */
static void counts(void **state)
{
    (void)state;
    static const struct {
        const char *counts, *rest, *violation;
    } cases[] = {
        {"0002 0000 0000 0000", QUESTION, "malformed"},
        {"ffff 0000 0000 0000", QUESTION, "malformed"},
        {"0001 0002 0000 0000", QUESTION RECORD, "malformed"},
        {"0001 ffff 0000 0000", QUESTION RECORD, "malformed"},
        {"0001 0001 0001 0000", QUESTION RECORD, "malformed"},
        {"0001 0001 0000 0001", QUESTION RECORD, "malformed"},
        {"0001 0001 ffff ffff", QUESTION RECORD, "malformed"},
        {"0001 0000 0000 0000", QUESTION RECORD, "trailing_bytes"},
        {"0001 0001 0000 0000", QUESTION RECORD "00", "trailing_bytes"},
        {"0000 0000 0000 0000", "00", "trailing_bytes"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *s = message(0x8180, cases[i].counts, cases[i].rest);
        if (!strcmp(cases[i].violation, "malformed"))
            assert_violation(s, "malformed");
        else
            assert_violation(s, "trailing_bytes");
        feed_next_flow(&f);
    }
    /* The shortest there are: 5 bytes a question, 11 a record */
    char hex[2000] = "";
    for (unsigned i = 0; i < 20; i++)
        strcat(hex, "00 0001 0001 ");
    for (unsigned i = 0; i < 20; i++)
        strcat(hex, "00 000a 0001 00000000 0000 ");
    assert_violation(message(0x8580, "0014 0013 0000 0000", hex), "trailing_bytes");
    const char *s = message(0x8580, "0014 0014 0000 0000", hex);
    assert_int_equal(feed_count(s, "\"rrtype\":\"NULL\""), 20);
    assert_no_violation(s, "malformed");
    assert_no_violation(s, "trailing_bytes");
    hex[20 * 13] = 0;
    s = message(0x2000, "0014 0000 0000 0000", hex);
    assert_int_equal(feed_count(s, "\"rrtype\":\"A\""), 21); /* and the first once more */
    assert_clean(s);
}

/* A name without an end takes what follows it along. */
static void names(void **state)
{
    (void)state;
    assert_violation(message(0x0100, "0001 0000 0000 0000", "c00c 0001 0001"), "pointer");
    const char *s = message(0x0100, "0001 0000 0000 0000", "41 61 00 0001 0001");
    assert_violation(s, "label");
    assert_violation(s, "malformed");
    assert_has_not(s, "\"queries\"");
    assert_violation(
        message(0x8180, "0001 0001 0000 0000", QUESTION "c021 0001 0001 0000003c 0004 0a000001"),
        "pointer");
    assert_violation(
        message(0x8180, "0001 0001 0000 0000", QUESTION "80 0001 0001 0000003c 0004 0a000001"),
        "label");
}

/* RFC 9619: one question at most. RFC 1035, 4.1: answers are for responses. */
static void header_violations(void **state)
{
    (void)state;
    static const char two[] = QUESTION "c00c 001c 0001";
    assert_violation(message(0x0100, "0002 0000 0000 0000", two), "questions");
    assert_violation(message(0x8180, "0002 0000 0000 0000", two), "questions");
    feed_next_flow(&f);
    assert_clean(message(0x2000, "0002 0000 0000 0000", two)); /* a notification */
    assert_clean(message(0x0100, "0000 0000 0000 0001", "00 0029 04d0 00000000 0000"));
    assert_violation(message(0x0100, "0001 0001 0000 0000", QUESTION RECORD), "query_with_answers");
    feed_next_flow(&f);
    assert_clean(message(0x8180, "0001 0001 0000 0000", QUESTION RECORD));
    assert_clean(message(0x0100, "0001 0000 0001 0000", QUESTION RECORD)); /* IXFR has one */
    assert_clean(message(0x2400, "0001 0001 0000 0000", QUESTION RECORD)); /* RFC 1996, 3.7 */
}

/* RFC 8490, 5.4: no sections, a list of type, length, value. */
static void sessions(void **state)
{
    (void)state;
    static const char keep_alive[] = "0001 0008 00003a98 00003a98 ";
    const char *s = message(0x3000, "0000 0000 0000 0000", keep_alive);
    assert_has(s, "\"command\":\"session\"");
    assert_clean(s);
    assert_clean(
        message(0x3000, "0000 0000 0000 0000", "0001 0008 00003a98 00003a98 0003 0002 0000"));
    assert_clean(message(0xb000, "0000 0000 0000 0000", ""));
    assert_violation(message(0x3000, "0000 0000 0000 0000", "0001 0009 00003a98 00003a98"),
                     "malformed");
    assert_violation(message(0x3000, "0000 0000 0000 0000", "0001 00"), "malformed");
    /* In other operations that is nothing. */
    assert_violation(message(0x1000, "0000 0000 0000 0000", keep_alive), "trailing_bytes");
}

/* ---- the question --------------------------------------------------------------------------- */

static void assert_entropy(const char *hex, double expected)
{
    char rest[600];
    snprintf(rest, sizeof(rest), "%s 00 0001 0001", hex);
    const char *s = message(0x0100, "0001 0000 0000 0000", rest);
    const char *at = strstr(s, "\"label_entropy\":");
    assert_non_null(at);
    double value = strtod(at + strlen("\"label_entropy\":"), NULL);
    if (value < expected - 0.0001 || value > expected + 0.0001)
        fail_msg("%f, not %f", value, expected);
    feed_next_flow(&f);
}

/* Shannon: the sum of -p log2 p. */
static void entropy(void **state)
{
    (void)state;
    assert_entropy("", 0);
    assert_entropy("04 61616161", 0);
    assert_entropy("02 6162", 1);
    assert_entropy("04 61616262", 1);
    assert_entropy("04 61626364", 2);
    assert_entropy("08 6162636465666768", 3);
    assert_entropy("03 706c63", 1.5849625);               /* log2 3 */
    assert_entropy("04 61616162", 0.8112781);             /* 3/4 and 1/4 */
    assert_entropy("06 616162626364", 1.9182958);         /* 1/3, 1/3, 1/6, 1/6 */
    assert_entropy("02 6162 04 65666768", 1);             /* of the first label alone */
    assert_entropy("0a 61626364656667686970", 3.3219281); /* log2 10 */
    assert_entropy("04 612e622e 01 63", 1.5);             /* "a.b." */
    assert_entropy("04 615c5c5c 01 63", 0.8112781);
    char label[200] = "3f"; /* 63 characters, each once */
    for (unsigned c = 128; c < 128 + 63; c++)
        snprintf(label + strlen(label), 4, "%02x", c);
    assert_entropy(label, 5.9772799); /* log2 63 */
    /* The lengths are of the name, for queries only. */
    const char *s = message(0x0100, "0001 0000 0000 0000", "02 6162 04 65666768 00 0001 0001");
    assert_has(s, "\"query_len\":7,\"label_len\":4,");
    s = message(0x8180, "0001 0000 0000 0000", "02 6162 04 65666768 00 0001 0001");
    assert_has_not(s, "query_len");
    assert_has_not(s, "label_entropy");
}

/* ---- questions and answers ------------------------------------------------------------------ */

#define ANSWER(id, address)                                                                        \
    id " 8180 0001 0001 0000 0000 " QUESTION "c00c 0001 0001 0000003c 0004 " address

static void pairs(void **state)
{
    (void)state;
    to_server(&f, "0001 0100 0001 0000 0000 0000 " QUESTION);
    to_server(&f, "0002 0100 0001 0000 0000 0000 " QUESTION);
    /* In any order, whatever the case of letters: PLC.example.com */
    assert_has(to_client(&f, ANSWER("0002", "0a000001")), "\"paired\":true");
    assert_has(to_client(&f, "0001 8180 0001 0000 0000 0000 "
                             "03 504c43 07 6578616d706c65 03 636f6d 00 0001 0001"),
               "\"paired\":true");
    /* Id, name and type have to be the same. */
    static const char *const others[] = {
        "0004 8180 0001 0000 0000 0000 " QUESTION,
        "0003 8180 0001 0000 0000 0000 03 706c64 07 6578616d706c65 03 636f6d 00 0001 0001",
        "0003 8180 0001 0000 0000 0000 " NAME "001c 0001"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        feed_next_flow(&f);
        to_server(&f, "0003 0100 0001 0000 0000 0000 " QUESTION);
        const char *s = to_client(&f, others[i]);
        assert_has(s, "\"paired\":false");
        assert_violation(s, "unsolicited");
        s = to_client(&f, "0003 8180 0001 0000 0000 0000 " QUESTION);
        assert_has(s, "\"paired\":true");
        assert_clean(s);
    }
}

/* Nobody asked: said of answers within ten seconds of a query. */
static void unsolicited(void **state)
{
    (void)state;
    for (unsigned late = 0; late < 2; late++) {
        feed_next_flow(&f);
        to_server(&f, "0001 0100 0001 0000 0000 0000 " QUESTION);
        f.time_ns += 10000000000ull - 1000000 + late; /* a feed is a millisecond */
        const char *s = to_client(&f, ANSWER("0009", "0a000001"));
        assert_int_equal(feed_count(s, "\"name\":\"unsolicited\""), !late);
    }
    /* Without a question it cannot be known. */
    feed_next_flow(&f);
    to_server(&f, "0001 0100 0001 0000 0000 0000 " QUESTION);
    assert_clean(to_client(&f, "0009 8181 0000 0000 0000 0000"));
}

static void two_answers(void **state)
{
    (void)state;
    to_server(&f, "0001 0100 0001 0000 0000 0000 " QUESTION);
    assert_clean(to_client(&f, ANSWER("0001", "0a000001")));
    assert_clean(to_client(&f, ANSWER("0001", "0a000001"))); /* a copy */
    const char *s = to_client(&f, ANSWER("0001", "0a000002"));
    assert_violation(s, "answers_differ");
    assert_no_violation(s, "unsolicited");
    /* The last bytes count too: 8 at a time, then the rest. */
    assert_violation(to_client(&f, ANSWER("0001", "0b000001")), "answers_differ");
    /* To another id it is no second answer. */
    s = to_client(&f, ANSWER("0002", "0a000001"));
    assert_violation(s, "unsolicited");
    assert_no_violation(s, "answers_differ");
}

/* ---- streams -------------------------------------------------------------------------------- */

static void frames(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        uint32_t kind, length;
    } cases[] = {
        {"", FT_FRAME_NEED, 2},
        {"00", FT_FRAME_NEED, 2},
        {"0000", FT_FRAME_NOT_MINE, 0},
        {"000b", FT_FRAME_NOT_MINE, 0},
        {"000c", FT_FRAME_PDU, 14},
        {"0021 1234", FT_FRAME_PDU, 0x23},
        {"0021 12340100", FT_FRAME_PDU, 0x23},
        {"ffff 12340100", FT_FRAME_PDU, 0x10001},
        {"0021 3234", FT_FRAME_PDU, 0x23},
        {"0021 12343000", FT_FRAME_PDU, 0x23},   /* DSO */
        {"0021 1234b000", FT_FRAME_PDU, 0x23},   /* its answer */
        {"0021 12343800", FT_FRAME_NOT_MINE, 0}, /* operation 7 */
        {"0021 12347800", FT_FRAME_NOT_MINE, 0}, /* 15 */
        {"0021 123438", FT_FRAME_PDU, 0x23},     /* not here yet */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t bytes[FEED_MAX];
        uint32_t n = feed_bytes(cases[i].hex, bytes);
        struct ft_frame frame = ft_dns_frame(NULL, ft_view_make(bytes, n, true));
        assert_int_equal(frame.kind, cases[i].kind);
        assert_int_equal(frame.length, cases[i].length);
    }
}

static void streams(void **state)
{
    (void)state;
    const char *s = to_server(&f, "0021 0001 0100 0001 0000 0000 0000 " QUESTION);
    assert_has(s, "\"tcp\":true");
    assert_clean(s);
    /* What is wrong inside is told, and the stream goes on. */
    s = to_server(&f, "0021 0002 0100 0002 0000 0000 0000 " QUESTION
                      "0022 0003 0100 0001 0000 0000 0000 " QUESTION "00"
                      "0021 0004 0300 0001 0000 0000 0000 " QUESTION);
    assert_int_equal(feed_count(s, "\"command\":\"query\""), 3);
    assert_int_equal(feed_count(s, "\"name\":\"malformed\""), 1);
    assert_int_equal(feed_count(s, "\"name\":\"trailing_bytes\""), 1);
    assert_int_equal(feed_count(s, "\"name\":\"truncated_over_tcp\""), 1);
    /* A zone comes in several messages: none is a second answer. */
    to_server(&f, "0021 0005 0000 0001 0000 0000 0000 " NAME "00fc 0001");
    s = to_client(&f, "0031 0005 8400 0001 0001 0000 0000 " NAME "00fc 0001 " RECORD);
    assert_has(s, "\"command\":\"transfer_zone\"");
    assert_clean(s);
    assert_clean(to_client(&f, "0031 0005 8400 0001 0001 0000 0000 " NAME "00fc 0001 "
                               "c00c 0001 0001 0000003c 0004 0a000002"));
}

/* ---- mDNS ----------------------------------------------------------------------------------- */

/* cam.local; _ipp._tcp.local */
#define CAM "03 63616d 05 6c6f63616c 00 "
#define IPP "04 5f697070 04 5f746370 05 6c6f63616c 00 "

static void multicast_commands(void **state)
{
    (void)state;
    static const struct {
        const char *hex, *expected;
    } cases[] = {
        {"0000 0000 0001 0000 0000 0000 " CAM "0001 0001",
         "\"command\":\"query\",\"code\":0,\"qualifier\":0,"},
        /* A query for everything is a probe only with what is claimed: RFC 6762, 8.1 */
        {"0000 0000 0001 0000 0000 0000 " CAM "00ff 0001", "\"qualifier\":0,"},
        {"0000 0000 0001 0000 0001 0000 " CAM "0001 0001 " RECORD, "\"qualifier\":0,"},
        {"0000 0000 0001 0000 0001 0000 " CAM "00ff 0001 " RECORD, "\"command\":\"probe\""},
        {"0000 8400 0000 0001 0000 0000 " CAM "0001 0001 00000078 0004 0a000009",
         "\"command\":\"response\",\"code\":0,\"qualifier\":65537,"},
        {"0000 8400 0000 0001 0000 0000 " CAM "0001 0001 00000000 0004 0a000009",
         "\"command\":\"goodbye\",\"code\":0,\"qualifier\":65538,"},
        /* What is taken back stands first, behind the questions if there are any. */
        {"0000 8400 0001 0001 0000 0000 " CAM "0001 0001 c00c 0001 0001 00000000 0004 0a000009",
         "\"command\":\"goodbye\""},
        {"0000 8400 0001 0001 0000 0000 " CAM "0001 0001 c00c 0001 0001 00000001 0004 0a000009",
         "\"command\":\"response\""},
        {"0000 8400 0000 0001 0000 0000 " CAM "0001 0001 01000000 0004 0a000009",
         "\"command\":\"response\""},
        {"0000 8400 0000 0000 0000 0001 " CAM "0001 0001 00000000 0004 0a000009",
         "\"command\":\"response\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *s = to_server(&f, cases[i].hex);
        assert_has(s, cases[i].expected);
        assert_clean(s);
        assert_has(s, strstr(cases[i].hex, " 8400 ") ? "\"kind\":\"unsolicited\""
                                                     : "\"kind\":\"request\"");
        assert_int_equal(feed_count(s, "\"goodbye\":"), strstr(cases[i].hex, " 8400 ") != NULL);
    }
    /* To who asked alone */
    f.flow.client_port = 40000;
    assert_has(to_client(&f, cases[4].hex), "\"kind\":\"response\"");
}

/* The top bit of classes: RFC 6762, 5.4 and 10.2. */
static void multicast_classes(void **state)
{
    (void)state;
    const char *s = to_server(&f, "0000 8400 0002 0002 0000 0000 " CAM "0001 8001 c00c 001c 0001 "
                                  "c00c 0001 8001 00000078 0004 0a000009 "
                                  "c00c 0001 0001 00000078 0004 0a00000a");
    assert_has(s, "\"class\":\"IN\",\"class_code\":1,\"unicast\":true},");
    assert_has(s, "\"class\":\"IN\",\"class_code\":1,\"unicast\":false}]");
    assert_has(s, "\"class\":\"IN\",\"class_code\":1,\"cache_flush\":true,");
    assert_has(s, "\"class\":\"IN\",\"class_code\":1,\"cache_flush\":false,");
    assert_clean(s);
    /* The size of EDNS is no class. */
    s = to_server(&f, "0000 0000 0001 0000 0000 0001 " CAM "0001 0001 00 0029 85a0 00000000 0000");
    assert_has(s, "\"size\":34208");
}

/* RFC 6763: PTR of a kind to an instance, SRV and TXT of that. */
static void multicast_services(void **state)
{
    (void)state;
    const char *s = to_server(&f, "0000 8400 0000 0001 0000 0000 " IPP "000c 0001 00001194 0005 "
                                  "02 5031 c00c");
    assert_has(s, "\"service\":[\"_ipp._tcp.local\"]");
    assert_has(s, "\"instance\":[\"P1._ipp._tcp.local\"]");
    /* What kinds there are: RFC 6763, 9 */
    s = to_server(&f, "0000 8400 0000 0001 0000 0000 "
                      "09 5f7365727669636573 07 5f646e732d7364 04 5f756470 05 6c6f63616c 00 "
                      "000c 0001 00001194 000c 04 5f697070 04 5f746370 c023");
    assert_has(s, "\"service\":[\"_ipp._tcp.local\"]");
    assert_has_not(s, "\"instance\"");
    /* Of UDP too; a PTR of an address is no service. */
    s = to_server(&f, "0000 8400 0000 0001 0000 0000 04 5f6e7470 04 5f756470 05 6c6f63616c 00 "
                      "000c 0001 00001194 0004 01 61 c00c");
    assert_has(s, "\"instance\":[\"a._ntp._udp.local\"]");
    s = to_server(&f, "0000 8400 0000 0001 0000 0000 "
                      "01 31 01 30 01 30 02 3130 07 696e2d61646472 04 61727061 00 "
                      "000c 0001 00001194 0005 03 63616d 00");
    assert_has_not(s, "\"instance\"");
    assert_has_not(s, "\"service\"");
    /* TXT: of services alone; an empty string is one. */
    s = to_server(&f, "0000 8400 0000 0001 0000 0000 02 5031 " IPP "0010 8001 00001194 0007 "
                      "03 613d31 00 01 62");
    assert_has(s, "\"txt\":[\"a=1\",\"\",\"b\"]");
    assert_int_equal(feed_count(s, "\"txt\":"), 2); /* of the record and of the message */
    s = to_server(&f, "0000 8400 0000 0001 0000 0000 " CAM "0010 8001 00001194 0004 03 613d31");
    assert_int_equal(feed_count(s, "\"txt\":"), 1);
    s = to_server(&f, "0000 8400 0000 0001 0000 0000 02 5031 " IPP "0021 8001 00000078 000e "
                      "0000 0000 0277 03 63616d 02 6c6f 00");
    assert_has(s, "\"host\":[\"cam.lo\"],\"port\":[631]");
    /* Data that do not fit are nobody's host. */
    s = to_server(&f, "0000 8400 0000 0002 0000 0000 02 5031 " IPP "0021 8001 00000078 0004 "
                      "0000 0000 c00c 000c 0001 00001194 0000");
    assert_violation(s, "rdata");
    assert_has_not(s, "\"host\"");
    assert_has_not(s, "\"port\":[");
    assert_has_not(s, "\"instance\"");
}

/* RFC 6762, 6: responses come from port 5353. */
static void multicast_ports(void **state)
{
    (void)state;
    static const char response[] =
        "0000 8400 0000 0001 0000 0000 " CAM "0001 8001 00000078 0004 0a000009";
    assert_clean(to_server(&f, response));
    assert_clean(to_client(&f, response));
    f.flow.client_port = 40000;
    assert_violation(to_server(&f, response), "source_port");
    /* Queries may come from any, and what DNS forbids is usual here. */
    assert_clean(
        to_server(&f, "0000 0200 0002 0001 0000 0000 " CAM "0001 0001 c00c 001c 0001 " RECORD));
    assert_violation(to_server(&f, "0000 3800 0001 0000 0000 0000 " CAM "0001 0001"), "opcode");
    assert_violation(to_server(&f, "0000 0040 0001 0000 0000 0000 " CAM "0001 0001"),
                     "reserved_bit");
}

static void wpad(void **state)
{
    (void)state;
    bool is_llmnr = f.flow.server_port == 5355;
    /* wpad, wpad.local, wpad.lan; A, AAAA and a text */
    static const struct {
        const char *record;
        bool is_told;
    } cases[] = {
        {"04 77706164 00 0001 0001 0000001e 0004 0a000003", true},
        {"04 57506144 00 001c 0001 0000001e 0010 fe800000000000000000000000000001", true},
        {"04 77706164 05 6c6f63616c 00 0001 0001 0000001e 0004 0a000003", true},
        {"04 77706164 03 6c616e 00 0001 0001 0000001e 0004 0a000003", false},
        {"05 7770616464 00 0001 0001 0000001e 0004 0a000003", false},
        {"04 77706164 00 0010 0001 0000001e 0002 01 61", false},
    };
    char hex[300];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(hex, sizeof(hex), "0000 8000 0000 0001 0000 0000 %s", cases[i].record);
        const char *s = feed_hex(&f, is_llmnr ? FT_TO_CLIENT : FT_TO_SERVER, hex);
        assert_int_equal(feed_count(s, "\"name\":\"wpad\""), cases[i].is_told);
        assert_int_equal(feed_count(s, "{\"violation\""), cases[i].is_told);
        /* Who asks, or says that there is none, is not told. */
        snprintf(hex, sizeof(hex), "0000 0000 0000 0000 0001 0000 %s", cases[i].record);
        assert_no_violation(to_server(&f, hex), "wpad");
        snprintf(hex, sizeof(hex), "0000 8003 0000 0001 0000 0000 %s", cases[i].record);
        assert_no_violation(feed_hex(&f, is_llmnr ? FT_TO_CLIENT : FT_TO_SERVER, hex), "wpad");
    }
}

/* In DNS there may be such a host. */
static void wpad_of_dns(void **state)
{
    (void)state;
    assert_clean(
        message(0x8180, "0000 0001 0000 0000", "04 77706164 00 0001 0001 0000001e 0004 0a000003"));
}

/* ---- names of codes ------------------------------------------------------------------------- */

static const char *name_of(const struct ft_name *table, uint64_t value)
{
    for (; table->name; table++)
        if (table->value == value)
            return table->name;
    return "";
}

/* IANA's registry "Domain Name System (DNS) Parameters". */
static void tables(void **state)
{
    (void)state;
    static const struct {
        const struct ft_name *table;
        struct ft_name row;
    } rows[] = {
        {ft_dns_type_names, {1, "A"}},           {ft_dns_type_names, {2, "NS"}},
        {ft_dns_type_names, {5, "CNAME"}},       {ft_dns_type_names, {6, "SOA"}},
        {ft_dns_type_names, {10, "NULL"}},       {ft_dns_type_names, {12, "PTR"}},
        {ft_dns_type_names, {13, "HINFO"}},      {ft_dns_type_names, {15, "MX"}},
        {ft_dns_type_names, {16, "TXT"}},        {ft_dns_type_names, {25, "KEY"}},
        {ft_dns_type_names, {28, "AAAA"}},       {ft_dns_type_names, {29, "LOC"}},
        {ft_dns_type_names, {33, "SRV"}},        {ft_dns_type_names, {35, "NAPTR"}},
        {ft_dns_type_names, {39, "DNAME"}},      {ft_dns_type_names, {41, "OPT"}},
        {ft_dns_type_names, {43, "DS"}},         {ft_dns_type_names, {44, "SSHFP"}},
        {ft_dns_type_names, {46, "RRSIG"}},      {ft_dns_type_names, {47, "NSEC"}},
        {ft_dns_type_names, {48, "DNSKEY"}},     {ft_dns_type_names, {50, "NSEC3"}},
        {ft_dns_type_names, {52, "TLSA"}},       {ft_dns_type_names, {64, "SVCB"}},
        {ft_dns_type_names, {65, "HTTPS"}},      {ft_dns_type_names, {99, "SPF"}},
        {ft_dns_type_names, {249, "TKEY"}},      {ft_dns_type_names, {250, "TSIG"}},
        {ft_dns_type_names, {251, "IXFR"}},      {ft_dns_type_names, {252, "AXFR"}},
        {ft_dns_type_names, {255, "ANY"}},       {ft_dns_type_names, {257, "CAA"}},
        {ft_dns_type_names, {65399, "PRIVATE"}}, {ft_dns_rcode_names, {0, "NOERROR"}},
        {ft_dns_rcode_names, {1, "FORMERR"}},    {ft_dns_rcode_names, {2, "SERVFAIL"}},
        {ft_dns_rcode_names, {3, "NXDOMAIN"}},   {ft_dns_rcode_names, {4, "NOTIMP"}},
        {ft_dns_rcode_names, {5, "REFUSED"}},    {ft_dns_rcode_names, {6, "YXDOMAIN"}},
        {ft_dns_rcode_names, {9, "NOTAUTH"}},    {ft_dns_rcode_names, {16, "BADVERS"}},
        {ft_dns_rcode_names, {23, "BADCOOKIE"}}, {ft_dns_class_names, {1, "IN"}},
        {ft_dns_class_names, {3, "CH"}},         {ft_dns_class_names, {4, "HS"}},
        {ft_dns_class_names, {254, "NONE"}},     {ft_dns_class_names, {255, "ANY"}},
        {ft_dns_option_names, {3, "nsid"}},      {ft_dns_option_names, {8, "client_subnet"}},
        {ft_dns_option_names, {10, "cookie"}},   {ft_dns_option_names, {11, "tcp_keepalive"}},
        {ft_dns_option_names, {12, "padding"}},  {ft_dns_option_names, {15, "extended_error"}},
        {ft_dns_kind_names, {0, "query"}},       {ft_dns_kind_names, {1, "answer"}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(name_of(rows[i].table, rows[i].row.value), rows[i].row.name);
}

/* Rows in order, each code once, each name once. */
static void tables_in_order(void **state)
{
    (void)state;
    static const struct ft_name *const all[] = {ft_dns_type_names, ft_dns_rcode_names,
                                                ft_dns_class_names, ft_dns_option_names,
                                                ft_dns_kind_names};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        for (const struct ft_name *row = all[i]; row->name; row++)
            for (const struct ft_name *next = row + 1; next->name; next++) {
                assert_true(next->value > row->value);
                assert_string_not_equal(next->name, row->name);
            }
}

#define DNS(test)    cmocka_unit_test_setup_teardown(test, open_dns, close_feed)
#define STREAM(test) cmocka_unit_test_setup_teardown(test, open_stream, close_feed)
#define MDNS(test)   cmocka_unit_test_setup_teardown(test, open_mdns, close_feed)
#define LLMNR(test)  cmocka_unit_test_setup_teardown(test, open_llmnr, close_feed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DNS(flags),
        DNS(header_cut),
        DNS(opcodes),
        DNS(qualifiers),
        DNS(results),
        DNS(sections),
        DNS(counts),
        DNS(names),
        DNS(header_violations),
        DNS(sessions),
        DNS(entropy),
        DNS(pairs),
        DNS(unsolicited),
        DNS(two_answers),
        cmocka_unit_test(frames),
        STREAM(streams),
        MDNS(multicast_commands),
        MDNS(multicast_classes),
        MDNS(multicast_services),
        MDNS(multicast_ports),
        MDNS(wpad),
        LLMNR(wpad),
        DNS(wpad_of_dns),
        cmocka_unit_test(tables),
        cmocka_unit_test(tables_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
