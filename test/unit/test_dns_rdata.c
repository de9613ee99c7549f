/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The data of resource records by type: dns_rdata.c, with dns_text.c, dns_security.c,
 * dns_location.c and dns_binding.c, through messages that are made around them.
 * The data are made by hand from the RFC that each case names.
 */
#include "feed.h"

#include "protocols/network/dns_wire.h"

extern const struct ft_dissector ft_dissector_dns;

static const struct ft_dissector *const dissectors[] = {&ft_dissector_dns, NULL};

static struct feed f;

static int open_feed(void **state)
{
    (void)state;
    feed_open(&f, dissectors, "dns", FT_TRANSPORT_UDP, 53);
    return 0;
}

static int close_feed(void **state)
{
    (void)state;
    feed_close(&f);
    return 0;
}

/* plc.example.com at offset 12, so example.com is c010, com is c018 */
#define QUESTION "03 706c63 07 6578616d706c65 03 636f6d 00 00ff 0001 "

enum {
    DATA_AT = 45, /* header 12, question 21, record up to its data 12 */
    MAX_FITS = 8,
};

/* One type: its data, what is said of them, and which shorter lengths are good data too. */
struct kind {
    uint16_t type;
    const char *data;
    const char *said; /**< behind "ttl":60 */
    uint16_t fits[MAX_FITS];
};

static const struct kind kinds[] = {
    /* RFC 1035, 3.4.1 */
    {FT_DNS_A, "c0a80a14", ",\"rdata\":\"192.168.10.20\"}", {0}},
    /* RFC 3596, 2.2 */
    {FT_DNS_AAAA, "20010db8000000010000000000000001", ",\"rdata\":\"2001:db8:0:1::1\"}", {0}},
    /* RFC 1035, 3.3.11, 3.3.1, 3.3.12; RFC 6672, 2.1 */
    {FT_DNS_NS, "02 6e73 c010", ",\"rdata\":\"ns.example.com\"}", {0}},
    {FT_DNS_CNAME, "03 777777 00", ",\"rdata\":\"www\"}", {0}},
    {FT_DNS_PTR, "c00c", ",\"rdata\":\"plc.example.com\"}", {0}},
    {FT_DNS_DNAME, "01 62 c018", ",\"rdata\":\"b.com\"}", {0}},
    /* RFC 1035, 3.3.13 */
    {FT_DNS_SOA,
     "02 6e73 c010 01 61 c010 78a3f1c5 00001c20 00000e10 00127500 00000258",
     ",\"rdata\":\"ns.example.com\",\"soa\":{\"mname\":\"ns.example.com\","
     "\"rname\":\"a.example.com\",\"serial\":2024010181,\"refresh\":7200,\"retry\":3600,"
     "\"expire\":1209600,\"minimum\":600}}",
     {0}},
    /* RFC 1035, 3.3.9 */
    {FT_DNS_MX, "000a 04 6d61696c c010", ",\"rdata\":\"mail.example.com\"}", {0}},
    /* RFC 2782 */
    {FT_DNS_SRV,
     "000a 0014 12c0 04 6f706375 c010",
     ",\"srv\":{\"priority\":10,\"weight\":20,\"port\":4800,\"name\":\"opcu.example.com\"},"
     "\"rdata\":\"opcu.example.com\"}",
     {0}},
    /* RFC 1035, 3.3.14: a string less is good too */
    {FT_DNS_TXT,
     "03 613d31 00 03 623d32",
     ",\"txt\":[\"a=1\",\"\",\"b=2\"],\"rdata\":\"a=1b=2\"}",
     {0, 4, 5}},
    {FT_DNS_SPF, "07 763d73706631 20", ",\"txt\":[\"v=spf1 \"],\"rdata\":\"v=spf1 \"}", {0}},
    /* RFC 1035, 3.3.2 */
    {FT_DNS_HINFO,
     "03 41524d 05 4c494e5558",
     ",\"txt\":[\"ARM\",\"LINUX\"],\"rdata\":\"ARM LINUX\"}",
     {0, 4}},
    /* RFC 3403, 4.1: of its example, "s" "http+N2L" and a replacement */
    {FT_DNS_NAPTR,
     "0064 0032 01 73 08 687474702b4e324c 00 04 68747470 c010",
     ",\"rdata\":\"100 50 s http+N2L  http.example.com\"}",
     {0}},
    /* RFC 9460, 2.2: priority, target, parameters port=443 and alpn=h2 */
    {FT_DNS_SVCB,
     "0010 03 666f6f c010 0001 0003 02 6832 0003 0002 01bb",
     ",\"rdata_bytes\":\"000100030268320003000201bb\","
     "\"rdata\":\"16 foo.example.com alpn=h2 port=443\"}",
     {8, 15}},
    {FT_DNS_HTTPS, "0000 c00c", ",\"rdata_bytes\":\"\",\"rdata\":\"0 plc.example.com\"}", {0}},
    /* RFC 8659, 4.1: without a value is what cuts it leave */
    {FT_DNS_CAA, "80 05 6973737565 63612e", ",\"rdata\":\"128 issue ca.\"}", {7, 8, 9}},
    /* RFC 4255, 3.1; RFC 4034, 5.1; RFC 6698, 2.1: what cuts them short is the digest */
    {FT_DNS_SSHFP, "04 02 abcdef", ",\"rdata\":\"4 2\",\"rdata_bytes\":\"abcdef\"}", {2, 3, 4}},
    {FT_DNS_DS, "1234 08 02 abcd", ",\"rdata\":\"4660 8 2\",\"rdata_bytes\":\"abcd\"}", {4, 5}},
    {FT_DNS_TLSA, "03 01 02 abcd", ",\"rdata\":\"3 1 2\",\"rdata_bytes\":\"abcd\"}", {3, 4}},
    {FT_DNS_CDS, "1234 08 02 abcd", ",\"rdata\":\"4660 8 2\",\"rdata_bytes\":\"abcd\"}", {4, 5}},
    {FT_DNS_SMIMEA, "03 01 02 abcd", ",\"rdata\":\"3 1 2\",\"rdata_bytes\":\"abcd\"}", {3, 4}},
    /* RFC 4398, 2; RFC 2230, 3.1 */
    {FT_DNS_CERT, "0001 1234 05 abcd", ",\"rdata\":\"1 4660 5\",\"rdata_bytes\":\"abcd\"}", {5, 6}},
    {FT_DNS_KX, "000a 04 6d61696c c010", ",\"rdata\":\"mail.example.com\"}", {0}},
    /* RFC 4034, 2.3 and 3.3: of their examples, with other keys */
    {FT_DNS_DNSKEY, "0100 03 05 abcd", ",\"rdata\":\"256 3 5\",\"rdata_bytes\":\"abcd\"}", {4, 5}},
    {FT_DNS_RRSIG,
     "0001 05 03 00015180 3e7c9dd7 3e5510d7 0a52 c010 abcd",
     ",\"rdata\":\"A 5 3 86400 20030322173103 20030220173103 2642 example.com\","
     "\"rdata_bytes\":\"abcd\"}",
     {20, 21}},
    /* RFC 4034, 4.3 */
    {FT_DNS_NSEC,
     "04 686f7374 c010 0006 400100000003 "
     "041b 0000000000000000000000000000000000000000000000000000 20",
     ",\"rdata\":\"host.example.com A MX RRSIG NSEC TYPE1234\"}",
     {7, 15}},
    /* RFC 5155, appendix A, 3.3 and 4.3 */
    {FT_DNS_NSEC3,
     "01 01 000c 04 aabbccdd 14 174eb2409fe28bcb4887a1836f957f0a8425e27b 00 07 22010000000290",
     ",\"rdata\":\"1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr NS SOA MX RRSIG DNSKEY "
     "NSEC3PARAM\"}",
     {30}},
    {FT_DNS_NSEC3PARAM, "01 00 000c 04 aabbccdd", ",\"rdata\":\"1 0 12 aabbccdd\"}", {0}},
    {FT_DNS_NSEC3PARAM, "01 00 0000 00", ",\"rdata\":\"1 0 0 -\"}", {0}},
    /* RFC 8945, 4.2: of midnight on 21 January 1997; RFC 2930, 2 */
    {FT_DNS_TSIG,
     "03 6d6435 00 000032e40700 012c 0002 abcd 04d2 0010 0000",
     ",\"rdata\":\"md5 19970121000000 300 1234 BADSIG\",\"rdata_bytes\":\"abcd\"}",
     {0}},
    {FT_DNS_TKEY,
     "08 6773732d74736967 00 00000000 ffffffff 0003 0011 0002 abcd 0001 00",
     ",\"rdata\":\"gss-tsig 19700101000000 21060207062815 3 BADKEY\",\"rdata_bytes\":\"abcd\"}",
     {0}},
    /* RFC 1876, 4: of its example */
    {FT_DNS_LOC,
     "00 33 16 13 89172dd0 70be15f0 00988d20",
     ",\"rdata\":\"42 21 54.000 N 71 6 18.000 W -24.00m 30.00m 10000.00m 10.00m\"}",
     {0}},
    /* of another version, and what is not assigned */
    {FT_DNS_LOC, "01 0203", ",\"rdata_bytes\":\"010203\"}", {1, 2}},
    {65280, "010203", ",\"rdata_bytes\":\"010203\"}", {0xffff}},
};

static bool fits(const struct kind *k, uint32_t length)
{
    if (k->fits[0] == 0xffff)
        return true;
    for (unsigned i = 0; i < MAX_FITS; i++)
        if (length ? k->fits[i] == length
                   : k->type == FT_DNS_TXT || k->type == FT_DNS_SPF || k->type == FT_DNS_HINFO)
            return true;
    return false;
}

/* An answer whose one record has `n` bytes of the data and says that they are `length`. */
static uint32_t answer_bytes(uint8_t bytes[FEED_MAX], uint16_t type, uint16_t class_,
                             const uint8_t *data, uint32_t n, uint32_t length)
{
    char head[200];
    snprintf(head, sizeof(head),
             "1234 8180 0001 0001 0000 0000 " QUESTION "c00c %04x %04x 0000003c %04x", type, class_,
             length);
    uint32_t at = feed_bytes(head, bytes);
    assert_int_equal(at, DATA_AT);
    memcpy(bytes + at, data, n);
    return at + n;
}

static const char *answer(uint16_t type, const char *hex)
{
    uint8_t data[FEED_MAX], bytes[FEED_MAX + DATA_AT];
    uint32_t n = feed_bytes(hex, data);
    n = answer_bytes(bytes, type, 1, data, n, n);
    return feed_raw(&f, FT_TO_CLIENT, bytes, n);
}

static void good(void **state)
{
    (void)state;
    char expected[1000];
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const char *s = answer(kinds[i].type, kinds[i].data);
        assert_clean(s);
        snprintf(expected, sizeof(expected), "\"ttl\":60%s]", kinds[i].said);
        assert_has(s, expected);
    }
}

/* Data that end early: the record says how long it is, and it does not fit. */
static void too_short(void **state)
{
    (void)state;
    uint8_t data[FEED_MAX], bytes[FEED_MAX + DATA_AT];
    char where[100];

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        uint32_t whole = feed_bytes(kinds[i].data, data);
        for (uint32_t length = 0; length < whole; length++) {
            uint32_t n = answer_bytes(bytes, kinds[i].type, 1, data, length, length);
            const char *s = feed_raw(&f, FT_TO_CLIENT, bytes, n);
            if (feed_count(s, "\"name\":\"rdata\"") != !fits(&kinds[i], length))
                fail_msg("type %u, %u of %u bytes:\n%s", kinds[i].type, length, whole, s);
            /* The message itself is whole: nothing else is said, and what failed stands last. */
            assert_int_equal(feed_count(s, "{\"violation\""), !fits(&kinds[i], length));
            snprintf(where, sizeof(where), "\"rdata\",\"offset\":%u,\"length\":0", n);
            if (!fits(&kinds[i], length))
                assert_has(s, where);
        }
    }
}

/* The message ends within the data: as sent that is malformed, as captured nobody's fault. */
static void cut(void **state)
{
    (void)state;
    uint8_t data[FEED_MAX], bytes[FEED_MAX + DATA_AT];

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        uint32_t whole = feed_bytes(kinds[i].data, data);
        for (uint32_t some = 0; some < whole; some++) {
            uint32_t n = answer_bytes(bytes, kinds[i].type, 1, data, some, whole);
            assert_violation(feed_raw(&f, FT_TO_CLIENT, bytes, n), "malformed");
            const char *s =
                ft_harness_feed_cut(f.harness, &f.flow, FT_TO_CLIENT, ++f.time_ns, bytes, n);
            assert_clean(s);
            assert_has(s, "\"rrname\":\"plc.example.com\"");
            assert_has_not(s, "\"of\":");
        }
    }
}

/* One byte more than the type has. */
static void too_long(void **state)
{
    (void)state;
    static const uint16_t types[] = {FT_DNS_A,   FT_DNS_AAAA,  FT_DNS_NS,   FT_DNS_CNAME,
                                     FT_DNS_PTR, FT_DNS_DNAME, FT_DNS_SOA,  FT_DNS_MX,
                                     FT_DNS_SRV, FT_DNS_NAPTR, FT_DNS_SVCB, FT_DNS_HTTPS};
    uint8_t data[FEED_MAX], bytes[FEED_MAX + DATA_AT];

    for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++)
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
            if (kinds[i].type != types[t])
                continue;
            uint32_t whole = feed_bytes(kinds[i].data, data);
            data[whole] = 0;
            uint32_t n = answer_bytes(bytes, types[t], 1, data, whole + 1, whole + 1);
            const char *s = feed_raw(&f, FT_TO_CLIENT, bytes, n);
            assert_violation(s, "rdata");
            assert_has_not(s, "\"of\":"); /* such a record states nothing */
        }
}

/* What could not be read has no value; what was, has. */
static void parts(void **state)
{
    (void)state;
    const char *s = answer(FT_DNS_SRV, "000a 0014 12");
    assert_has(s, "\"srv\":{\"priority\":10,\"weight\":20}}");
    s = answer(FT_DNS_SRV, "000a 0014 12c0 04 6f70");
    assert_has(s, "\"srv\":{\"priority\":10,\"weight\":20,\"port\":4800}}");
    s = answer(FT_DNS_SOA, "02 6e73 c010 01 61 c010 00000001 0000");
    assert_has(s, "\"soa\":{\"mname\":\"ns.example.com\",\"rname\":\"a.example.com\","
                  "\"serial\":1}}");
    assert_has(answer(FT_DNS_SOA, "02 6e"), "\"ttl\":60,\"soa\":{}}]");
    s = answer(FT_DNS_TXT, "03 613d31 03 623d");
    assert_has(s, "\"ttl\":60,\"txt\":[\"a=1\"]}]");
    assert_has(answer(FT_DNS_DS, "1234 08"), "\"ttl\":60}]");
    assert_has(answer(FT_DNS_SVCB, "0010 03 66"), "\"ttl\":60}]");
}

static void addresses(void **state)
{
    (void)state;
    static const struct {
        const char *hex, *text;
    } cases[] = {
        /* RFC 5952, 4.2 and 5 */
        {"00000000000000000000000000000000", "::"},
        {"00000000000000000000000000000001", "::1"},
        {"20010db8000000000000000000000000", "2001:db8::"},
        {"20010db8000100020003000400050006", "2001:db8:1:2:3:4:5:6"},
        {"20010db8000000010001000100010001", "2001:db8:0:1:1:1:1:1"},
        {"20010000000000010000000000000001", "2001:0:0:1::1"},
        {"20010db8000000000001000000000001", "2001:db8::1:0:0:1"},
        {"fe80000000000000021b1bfffe0a0b0c", "fe80::21b:1bff:fe0a:b0c"},
        {"00000000000000000000ffffc0a80a14", "::ffff:192.168.10.20"},
        {"ffffffffffffffffffffffffffffffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    };
    char expected[200];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(expected, sizeof(expected), "\"rdata\":\"%s\"", cases[i].text);
        assert_has(answer(FT_DNS_AAAA, cases[i].hex), expected);
    }
    assert_has(answer(FT_DNS_A, "00000000"), "\"rdata\":\"0.0.0.0\"");
    assert_has(answer(FT_DNS_A, "ffffffff"), "\"rdata\":\"255.255.255.255\"");
}

/* Names in data that are at fault: said as that, not as data that do not fit. */
static void names(void **state)
{
    (void)state;
    /* Data begin at 45 = 2d. To itself, forward, into the header */
    const char *s = answer(FT_DNS_CNAME, "c02d");
    assert_violation(s, "pointer");
    assert_no_violation(s, "rdata");
    assert_violation(answer(FT_DNS_MX, "000a c030 00"), "pointer");
    assert_violation(answer(FT_DNS_SRV, "0000 0000 0000 c002"), "pointer");
    assert_violation(answer(FT_DNS_SOA, "c02d c00c 00000001 00000002 00000003 00000004 00000005"),
                     "pointer");
    assert_violation(answer(FT_DNS_SOA, "c00c c0ff 00000001 00000002 00000003 00000004 00000005"),
                     "pointer");
    assert_violation(answer(FT_DNS_NAPTR, "0001 0002 00 00 00 c035"), "pointer");
    assert_violation(answer(FT_DNS_HTTPS, "0001 c02f"), "pointer");
    assert_violation(answer(FT_DNS_NSEC, "c02d 0001 40"), "pointer");
    /* A label of a kind that there is not ends what can be read. */
    s = answer(FT_DNS_NS, "40 61 00");
    assert_violation(s, "label");
    assert_violation(s, "rdata");
    assert_violation(answer(FT_DNS_NS, "80"), "label");
    /* Too long: 4 labels of 63 */
    char hex[600] = "";
    for (unsigned label = 0; label < 4; label++) {
        strcat(hex, "3f");
        for (unsigned i = 0; i < 63; i++)
            strcat(hex, "61");
    }
    strcat(hex, "00");
    assert_violation(answer(FT_DNS_PTR, hex), "name_length");
    /* A name that ends where the data do is cut, not at fault. */
    s = answer(FT_DNS_NS, "03 6162");
    assert_violation(s, "rdata");
    assert_int_equal(feed_count(s, "{\"violation\""), 1);
}

/* RFC 9460, appendix D.2: of its examples; keys of nobody, values that do not fit theirs. */
static void bindings(void **state)
{
    (void)state;
    static const struct {
        const char *data, *text;
    } cases[] = {
        {"0001 00 0003 0002 0035", "1  port=53"},
        {"0001 00 029b 0005 68656c6c6f", "1  key667=68656c6c6f"},
        {"0001 00 0008 0000", "1  ohttp"}, /* the last that has a name, and the next */
        {"0001 00 0009 0001 61", "1  key9=61"},
        {"0001 00 0006 0020 20010db8000000000000000000000001 20010db8000000000000000000530001",
         "1  ipv6hint=2001:db8::1,2001:db8::53:1"},
        {"0010 03 666f6f c010 0000 0004 0001 0004 0001 0009 02 6832 05 68332d3139 "
         "0004 0004 c0000201",
         "16 foo.example.com mandatory=alpn,ipv4hint alpn=h2,h3-19 ipv4hint=192.0.2.1"},
        {"0001 00 0001 0003 02 6832 0002 0000", "1  alpn=h2 no-default-alpn"},
        {"0001 00 0005 0002 fe0d", "1  ech=fe0d"},
        {"0001 00 0007 0004 2f647b7d", "1  dohpath=/d{}"},
        /* a port of one byte, an alpn longer than its parameter */
        {"0001 00 0003 0001 35", "1  port=0"},
        {"0001 00 0001 0002 09 68", "1  alpn=h"},
    };
    char expected[200];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *s = answer(FT_DNS_SVCB, cases[i].data);
        snprintf(expected, sizeof(expected), "\"rdata\":\"%s\"", cases[i].text);
        assert_clean(s);
        assert_has(s, expected);
    }
}

/* Lists of types: windows in order, of 1 to 32 bytes. */
static void type_lists(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "00 0000", /* an empty window */
        "00 0021 00000000000000000000000000000000000000000000000000000000000000000080",
        "00 000140 000140", /* the same window again */
        "00 010140 000140", /* an earlier one */
        "00 0002 40",       /* ends early */
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_violation(answer(FT_DNS_NSEC, bad[i]), "rdata");
    assert_has(answer(FT_DNS_NSEC, "00 000120 0101 80 ff01 01"), "\"rdata\":\"NS URI TYPE65287\"");
    /* All types there are: as many as fit */
    char hex[FEED_MAX] = "00";
    for (unsigned window = 0; window < 30; window++) {
        sprintf(hex + strlen(hex), "%02x20", window);
        for (unsigned i = 0; i < 32; i++)
            strcat(hex, "ff");
    }
    const char *s = answer(FT_DNS_NSEC, hex);
    assert_clean(s);
    assert_has(s, "\"rdata\":\"TYPE0 A NS ");
    assert_has_not(s, "TYPE7000");
    /* Hashes of any length in base 32 (RFC 4648, 10: "f", "fo", "foo", "foob", "fooba") */
    static const struct {
        const char *hash, *text;
    } hashes[] = {{"01 66", "co"},
                  {"02 666f", "cpng"},
                  {"03 666f6f", "cpnmu"},
                  {"04 666f6f62", "cpnmuog"},
                  {"05 666f6f6261", "cpnmuoj1"},
                  {"00", ""}};
    char data[100], expected[100];
    for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
        snprintf(data, sizeof(data), "01 00 0000 00 %s 0001 40", hashes[i].hash);
        snprintf(expected, sizeof(expected), "\"rdata\":\"1 0 0 - %s A\"", hashes[i].text);
        assert_has(answer(FT_DNS_NSEC3, data), expected);
    }
}

/* RFC 1876, 2: the poles, the other sides, what is on no globe. */
static void locations(void **state)
{
    (void)state;
    assert_has(answer(FT_DNS_LOC, "00 12 00 99 934fd900 59604e00 00989681"),
               "\"rdata\":\"90 0 0.000 N 180 0 0.000 W 0.01m 1.00m 0.00m 90000000.00m\"");
    assert_has(answer(FT_DNS_LOC, "00 12 16 13 80000000 7fffffff 00989680"),
               "\"rdata\":\"0 0 0.000 N 0 0 0.001 W 0.00m ");
    assert_has(answer(FT_DNS_LOC, "00 12 16 13 7ffffffe 80000001 00000000"),
               "\"rdata\":\"0 0 0.002 S 0 0 0.001 E -100000.00m ");
    static const char *const bad[] = {
        "00 a2 16 13 80000000 80000000 00989680", /* ten times */
        "00 1a 16 13 80000000 80000000 00989680", /* to the tenth power */
        "00 12 16 1a 80000000 80000000 00989680",
        "00 12 16 13 934fd901 80000000 00989680", /* beyond the pole */
        "00 12 16 13 80000000 a69fb201 00989680",
        "00 12 16 13 80000000 80000000 009896",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_violation(answer(FT_DNS_LOC, bad[i]), "rdata");
}

/* Lengths within data that reach beyond them. */
static void hostile_lengths(void **state)
{
    (void)state;
    static const struct {
        uint16_t type;
        const char *data;
    } cases[] = {
        {FT_DNS_TXT, "ff 61"},
        {FT_DNS_TXT, "01 61 ff"},
        {FT_DNS_HINFO, "03 41524d 06 4c494e5558"},
        {FT_DNS_NAPTR, "0001 0002 ff 73 00 00 00"},
        {FT_DNS_NAPTR, "0001 0002 01 73 ff 00 00"},
        {FT_DNS_NAPTR, "0001 0002 01 73 00 02 00"},
        {FT_DNS_CAA, "00 ff 6973737565"},
        {FT_DNS_SVCB, "0001 00 0001 ffff 02 6832"},
        {FT_DNS_HTTPS, "0001 00 0001 0003 02 68"},
        {FT_DNS_HTTPS, "0001 00 0001 0003 02 6832 0003 00"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *s = answer(cases[i].type, cases[i].data);
        assert_violation(s, "rdata");
        assert_int_equal(feed_count(s, "{\"violation\""), 1);
    }
    /* The record's own length */
    uint8_t bytes[FEED_MAX];
    uint32_t n = answer_bytes(bytes, FT_DNS_A, 1, (const uint8_t *)"\x0a\0\0\x01", 4, 0xffff);
    const char *s = feed_raw(&f, FT_TO_CLIENT, bytes, n);
    assert_violation(s, "malformed");
    assert_has_not(s, "\"of\":");
}

/* What updates demand and delete has no data; an address of a host has. */
static void empty(void **state)
{
    (void)state;
    uint8_t bytes[FEED_MAX], nothing[1] = {0};
    static const struct {
        uint16_t type, class_;
        bool is_good;
    } cases[] = {
        {FT_DNS_A, 1, false},    {FT_DNS_A, FT_DNS_CLASS_NONE, true},
        {FT_DNS_A, 255, true},   {FT_DNS_PTR, 1, false},
        {FT_DNS_PTR, 254, true}, {FT_DNS_SRV, 3, false},
        {FT_DNS_NULL, 1, true},  {FT_DNS_SOA, 255, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t n = answer_bytes(bytes, cases[i].type, cases[i].class_, nothing, 0, 0);
        const char *s = feed_raw(&f, FT_TO_CLIENT, bytes, n);
        assert_int_equal(feed_count(s, "\"name\":\"rdata\""), !cases[i].is_good);
        assert_has_not(s, "\"of\":");
    }
}

/* Bytes of any kind are in the text, a NUL too; what is longer than any name is left out. */
static void texts(void **state)
{
    (void)state;
    const char *s = answer(FT_DNS_CAA, "00 03 620063 780079");
    assert_has(s, "\"rdata\":\"0 b\\u0000c x\\u0000y\"");
    s = answer(FT_DNS_NAPTR, "0001 0002 01 00 02 6100 01 62 00");
    assert_has(s, "\"rdata\":\"1 2 \\u0000 a\\u0000 b \"");
    /* Six strings of 255: all are listed, 1024 characters in one */
    char hex[4000] = "", expected[1400] = "\"rdata\":\"";
    for (unsigned i = 0; i < 6 * 256; i++)
        strcat(hex, i % 256 ? "61" : "ff");
    s = answer(FT_DNS_TXT, hex);
    assert_clean(s);
    memset(expected + strlen(expected), 'a', 1024);
    strcat(expected, "\"");
    assert_has(s, expected);
    char one[300] = "\"";
    memset(one + 1, 'a', 255);
    strcat(one, "\"");
    assert_int_equal(feed_count(s, one), 6);
    /* The longest of NAPTR, whole: three strings of 100 and a name of dots */
    strcpy(hex, "ffff ffff ");
    for (unsigned i = 0; i < 3 * 101; i++)
        strcat(hex, i % 101 ? "61" : "64");
    for (unsigned label = 0; label < 4; label++) {
        unsigned length = label < 3 ? 63 : 61;
        sprintf(hex + strlen(hex), "%02x", length);
        for (unsigned i = 0; i < length; i++)
            strcat(hex, "2e");
    }
    strcat(hex, "00");
    s = answer(FT_DNS_NAPTR, hex);
    assert_clean(s);
    assert_has(s, "\"rdata\":\"65535 65535 aaa");
    assert_has(s, "\\\\.\\\\.\"");
    assert_int_equal(feed_count(s, "\\\\."), 250);
}

/* RFC 6891, 6.1: size in the class; upper result, version and flags in the TTL */
static void extensions(void **state)
{
    (void)state;
#define WITH_OPT(opt) "1234 8180 0001 0000 0000 0001 " QUESTION "00 0029 " opt
    const char *s = to_client(&f, WITH_OPT("04d0 00008000 0000"));
    assert_has(s, "\"edns\":{\"size\":1232,\"version\":0,\"do\":true}");
    assert_has_not(s, "\"additionals\"");
    assert_clean(s);
    s = to_client(&f, WITH_OPT("1000 01027fff 0000"));
    assert_has(s, "\"edns\":{\"size\":4096,\"version\":2,\"do\":false}");
    assert_has(s, "\"rcode\":\"BADVERS\",\"rcode_code\":16");
    /* A cookie (RFC 7873), an empty NSID (RFC 5001), an option that is not assigned */
    s = to_client(&f, WITH_OPT("04d0 00000000 0017 000a 0008 0102030405060708 0003 0000 "
                               "fde9 0003 616263"));
    assert_has(s, "\"opts\":[{\"code\":\"cookie\",\"code_code\":10,\"data\":\"0102030405060708\"},"
                  "{\"code\":\"nsid\",\"code_code\":3,\"data\":\"\"},"
                  "{\"code\":\"unknown\",\"code_code\":65001,\"data\":\"616263\"}]}");
    assert_clean(s);
    /* RFC 7871, 6; RFC 8914, 2; RFC 5001, 2.3: read as text */
    s = to_client(&f, WITH_OPT("04d0 00000000 0023 0008 0007 0001 18 00 c00002 "
                               "0008 0006 0002 0f 00 2001 000f 0004 0012 6e6f 0003 0002 6e31"));
    assert_has(s, "\"text\":\"192.0.2.0/24\"}");
    assert_has(s, "\"text\":\"2001::/15\"}");
    assert_has(s, "\"text\":\"18 no\"}");
    assert_has(s, "\"text\":\"n1\"}");
    assert_clean(s);
    /* Another family, more bits than an address has, fewer bytes than bits */
    s = to_client(&f, WITH_OPT("04d0 00000000 001f 0008 0004 0003 00 00 0008 0009 0001 21 00 "
                               "c000020000 0008 0006 0001 18 00 c000"));
    assert_has_not(s, "\"text\"");
    /* Options that end early, and one that reaches beyond the data */
    assert_violation(to_client(&f, WITH_OPT("04d0 00000000 0001 00")), "rdata");
    assert_violation(to_client(&f, WITH_OPT("04d0 00000000 0003 000a00")), "rdata");
    s = to_client(&f, WITH_OPT("04d0 00000000 000b 0003 0001 61 000a ffff 0102"));
    assert_violation(s, "rdata");
    assert_has(s, "\"opts\":[{\"code\":\"nsid\",\"code_code\":3,\"data\":\"61\",\"text\":\"a\"}]}");
}

/* Between records nothing is left of the one before: a host without a name has none. */
static void fresh(void **state)
{
    (void)state;
    const char *s = to_client(&f, "1234 8180 0001 0003 0000 0000 " QUESTION
                                  "c00c 0021 0001 0000003c 000a 0001 0002 0003 01 61 c018 "
                                  "c00c 0005 0001 0000003c 0000 "
                                  "c00c 0005 0001 0000003c 0001 00 ");
    assert_has(s, "\"rdata\":\"a.com\"}");
    assert_has(s, "\"ttl\":60},{");
    assert_has(s, "\"ttl\":60,\"rdata\":\"\"}]");
    assert_int_equal(feed_count(s, "a.com"), 2);
}

static void mutated(void **state)
{
    (void)state;
    char hex[1000];
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        uint8_t data[FEED_MAX];
        snprintf(hex, sizeof(hex),
                 "1234 8180 0001 0001 0000 0000 " QUESTION "c00c %04x 0001 0000003c %04x %s",
                 kinds[i].type, feed_bytes(kinds[i].data, data), kinds[i].data);
        feed_mutated(&f, FT_TO_CLIENT, hex, 400);
    }
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, open_feed, close_feed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(good),    TEST(too_short), TEST(cut),        TEST(too_long),
        TEST(parts),   TEST(addresses), TEST(names),      TEST(hostile_lengths),
        TEST(empty),   TEST(texts),     TEST(extensions), TEST(fresh),
        TEST(mutated), TEST(bindings),  TEST(type_lists), TEST(locations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
