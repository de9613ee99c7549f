/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tests of lib/protocols/it/x509.c and tls_certificate.c: certificates put together part by part,
 * read directly and as a server's in a TLS handshake.
 */
#include "feed.h"

#include "protocols/it/x509.h"

/* ---- making certificates -------------------------------------------------------------------- */

#define DER_MAX 8192u

struct der {
    uint8_t bytes[DER_MAX];
    uint32_t n;
};

static struct der raw(const void *bytes, size_t n)
{
    struct der d = {.n = (uint32_t)n};
    assert_true(n <= DER_MAX);
    memcpy(d.bytes, bytes, n);
    return d;
}

static struct der hex(const char *text)
{
    uint8_t bytes[FEED_MAX];
    uint32_t n = feed_bytes(text, bytes);
    return raw(bytes, n);
}

static void add(struct der *to, struct der d)
{
    assert_true(to->n + d.n <= DER_MAX);
    memcpy(to->bytes + to->n, d.bytes, d.n);
    to->n += d.n;
}

/* An element with the shortest length there is. */
static struct der element(uint8_t tag, struct der content)
{
    struct der d = {.n = 0};
    uint32_t n = content.n;
    if (n < 0x80)
        d = raw((uint8_t[]){tag, (uint8_t)n}, 2);
    else if (n < 0x100)
        d = raw((uint8_t[]){tag, 0x81, (uint8_t)n}, 3);
    else
        d = raw((uint8_t[]){tag, 0x82, (uint8_t)(n >> 8), (uint8_t)n}, 4);
    add(&d, content);
    return d;
}

static struct der string(uint8_t tag, const char *text)
{
    return element(tag, raw(text, strlen(text)));
}

/* A relative name of one attribute; the type in hexadecimal. */
static struct der attribute(const char *type, struct der value)
{
    struct der pair = element(6, hex(type));
    add(&pair, value);
    return element(0x31, element(0x30, pair));
}

#define CN           "550403"
#define ORGANIZATION "55040a"
#define NUMBER       "550405"

static struct der common_name(const char *text)
{
    return attribute(CN, string(0x0c, text));
}

static struct der validity_of(uint8_t tag, const char *from, const char *to)
{
    struct der d = string(tag, from);
    add(&d, string(tag, to));
    return d;
}

/* The key of an algorithm, with the parameters of the algorithm. */
static struct der key_of(const char *type, struct der parameters, struct der key)
{
    struct der algorithm = element(6, hex(type)), bits = hex("00"), d;
    add(&algorithm, parameters);
    d = element(0x30, algorithm);
    add(&bits, key);
    add(&d, element(3, bits));
    return d;
}

/* A number of so many bits. */
static struct der number_of(uint32_t bits)
{
    struct der d = {.n = 0};
    if (bits % 8 == 0)
        d.bytes[d.n++] = 0;
    d.bytes[d.n++] = (uint8_t)(1u << (bits + 7) % 8);
    while (d.n < (bits + 7) / 8 + (bits % 8 == 0))
        d.bytes[d.n++] = 0x5a;
    return element(2, d);
}

#define RSA    "2a864886f70d010101"
#define DSA    "2a8648ce380401"
#define EC     "2a8648ce3d0201"
#define SHA256 "2a864886f70d01010b"

static struct der rsa_key(uint32_t bits)
{
    struct der numbers = number_of(bits);
    add(&numbers, hex("0203010001"));
    return key_of(RSA, hex("0500"), element(0x30, numbers));
}

static struct der ec_key(const char *begin, uint32_t length)
{
    struct der point = hex(begin);
    while (point.n < length)
        point.bytes[point.n++] = 0x5a;
    return key_of(EC, hex("06082a8648ce3d030107"), point);
}

static struct der extension(const char *type, bool is_critical, struct der value)
{
    struct der d = element(6, hex(type));
    if (is_critical)
        add(&d, hex("0101ff"));
    add(&d, element(4, value));
    return element(0x30, d);
}

/* What a certificate is made of: contents, without their own tags. */
struct parts {
    bool is_v1;
    struct der serial, issuer, validity, subject, key, extensions;
    const char *signature;
};

static struct parts usual(void)
{
    return (struct parts){.serial = hex("0102"),
                          .issuer = common_name("ca"),
                          .validity = validity_of(0x17, "200101000000Z", "300101000000Z"),
                          .subject = common_name("plc"),
                          .key = rsa_key(2048),
                          .signature = SHA256};
}

static struct der certificate(const struct parts *p)
{
    struct der tbs = {.n = 0}, all, algorithm = element(0x30, element(6, hex(p->signature)));
    if (!p->is_v1)
        add(&tbs, hex("a003020102"));
    add(&tbs, element(2, p->serial));
    add(&tbs, algorithm);
    add(&tbs, element(0x30, p->issuer));
    add(&tbs, element(0x30, p->validity));
    add(&tbs, element(0x30, p->subject));
    add(&tbs, element(0x30, p->key));
    if (p->extensions.n)
        add(&tbs, element(0xa3, element(0x30, p->extensions)));
    all = element(0x30, tbs);
    add(&all, algorithm);
    add(&all, hex("03020000"));
    return element(0x30, all);
}

static struct ft_view view(const struct der *d)
{
    return ft_view_make(d->bytes, d->n, false);
}

/* Read what the parts make; the views are into memory that lasts until the next call. */
static struct ft_x509 read_of(const struct parts *p)
{
    static struct der d;
    struct ft_x509 c;
    d = certificate(p);
    assert_true(ft_x509_read(view(&d), &c));
    return c;
}

/* ---- reading -------------------------------------------------------------------------------- */

static void whole(void **state)
{
    (void)state;
    struct parts p = usual();
    struct ft_x509 c = read_of(&p);
    char text[FT_X509_NAME_MAX];
    assert_int_equal(c.serial.len, 2);
    assert_memory_equal(c.serial.data, "\1\2", 2);
    assert_string_equal(ft_x509_signature_name(&c), "sha256WithRSAEncryption");
    assert_int_equal(ft_x509_name_text(c.issuer, text), 5);
    assert_memory_equal(text, "CN=ca", 5);
    assert_true(c.has_validity);
    assert_int_equal(c.not_before, 1577836800);
    assert_int_equal(c.not_after, 1893456000);
    assert_int_equal(c.key, FT_X509_KEY_RSA);
    assert_int_equal(c.key_bits, 2048);
    assert_int_equal(c.key_usage, 0);
    assert_false(c.is_self_issued || c.is_ca || c.alternative.len);
    p.is_v1 = true;
    p.issuer = p.subject;
    c = read_of(&p);
    assert_int_equal(c.key_bits, 2048);
    assert_true(c.is_self_issued);
    p.issuer = common_name("plC");
    assert_false(read_of(&p).is_self_issued);
}

static void assert_name(struct der name, const char *expected)
{
    char text[FT_X509_NAME_MAX];
    uint32_t n = ft_x509_name_text(view(&name), text);
    if (n != strlen(expected) || memcmp(text, expected, n) != 0)
        fail_msg("%.*s is not %s", (int)n, text, expected);
}

static void names(void **state)
{
    (void)state;
    assert_name(attribute(CN, string(0x0c, "M\xc3\xbcller")), "CN=M\xc3\xbcller");
    assert_name(attribute(CN, string(0x13, "Printable (1)")), "CN=Printable (1)");
    assert_name(attribute(CN, string(0x16, "a@b")), "CN=a@b");
    assert_name(attribute(CN, string(0x14, "M\xfcller")), "CN=M\xc3\xbcller");
    assert_name(attribute(CN, element(0x1e, hex("004d 00fc 4e2d 07ff 0800"))),
                "CN=M\xc3\xbc\xe4\xb8\xad\xdf\xbf\xe0\xa0\x80");
    /* a pair of surrogates, one half alone, half a letter at the end */
    assert_name(attribute(CN, element(0x1e, hex("d83dde00 0041 d83d 0042 00"))),
                "CN=\xf0\x9f\x98\x80"
                "A\xef\xbf\xbd"
                "B");
    assert_name(attribute(CN, element(0x1c, hex("00000041 000000fc 0001f600 00110000 0000"))),
                "CN=A\xc3\xbc\xf0\x9f\x98\x80\xef\xbf\xbd");
    assert_name(attribute(CN, element(0x1e, hex("d83de000 dc000041"))),
                "CN=\xef\xbf\xbd\xee\x80\x80\xef\xbf\xbd"
                "A");
    assert_name(attribute(CN, element(0x1e, hex("007f 0080"))), "CN=\x7f\xc2\x80");
    assert_name(attribute(CN, element(0x0c, hex(""))), "CN=");
    assert_name(hex(""), "");
    assert_name(hex("3100"), "");
    static const char *const types[][2] = {
        {"550403", "CN"},
        {"550404", "SN"},
        {"550405", "serialNumber"},
        {"550406", "C"},
        {"550407", "L"},
        {"550408", "ST"},
        {"550409", "street"},
        {"55040a", "O"},
        {"55040b", "OU"},
        {"55040c", "title"},
        {"55040d", "description"},
        {"55040f", "businessCategory"},
        {"550411", "postalCode"},
        {"55042a", "GN"},
        {"55042e", "dnQualifier"},
        {"2a864886f70d010901", "emailAddress"},
        {"0992268993f22c640119", "DC"},
        {"0992268993f22c640101", "UID"},
        {"550410", "2.5.4.16"},
        {"2b0601040182370f", "1.3.6.1.4.1.311.15"},
    };
    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        char expected[64];
        snprintf(expected, sizeof(expected), "%s=x", types[i][1]);
        assert_name(attribute(types[i][0], string(0x13, "x")), expected);
    }
    /* two attributes in one relative name */
    struct der one = element(6, hex(CN)), two = element(6, hex(ORGANIZATION)), set, name;
    add(&one, string(0x13, "a"));
    add(&two, string(0x13, "b"));
    set = element(0x30, one);
    add(&set, element(0x30, two));
    name = element(0x31, set);
    add(&name, common_name("c"));
    assert_name(name, "CN=a, O=b, CN=c");
}

static void parts_of_names(void **state)
{
    (void)state;
    char text[FT_X509_NAME_MAX];
    struct der name = attribute(NUMBER, string(0x13, "123"));
    add(&name, common_name(""));
    add(&name, common_name("first"));
    add(&name, common_name("second"));
    add(&name, attribute("55041e", string(0x13, "x")));
    assert_int_equal(ft_x509_name_part(view(&name), FT_X509_COMMON_NAME, text), 5);
    assert_memory_equal(text, "first", 5);
    assert_int_equal(ft_x509_name_part(view(&name), FT_X509_SERIAL_NUMBER, text), 3);
    assert_memory_equal(text, "123", 3);
    assert_int_equal(ft_x509_name_part(view(&name), FT_X509_ORGANIZATION, text), 0);
}

/* A long name is cut, between two letters. */
static void long_names(void **state)
{
    (void)state;
    static struct {
        char text[FT_X509_NAME_MAX];
        char behind[16];
    } room;
    for (unsigned before = 500; before < 516; before++) {
        char value[1200];
        memset(value, 'a', before);
        for (unsigned i = before; i + 2 < sizeof(value); i += 2)
            memcpy(value + i, "\xc3\xbc", 2);
        uint32_t length = before + 2 * ((1198 - before) / 2);
        struct der name = attribute(CN, element(0x0c, raw(value, length)));
        add(&name, common_name("behind"));
        memset(room.behind, 0x5a, sizeof(room.behind));
        uint32_t n = ft_x509_name_text(view(&name), room.text);
        uint32_t letters = 3 + before < FT_X509_NAME_MAX ? (FT_X509_NAME_MAX - 3 - before) / 2 : 0;
        assert_int_equal(n, letters || 3 + before < FT_X509_NAME_MAX ? 3 + before + 2 * letters
                                                                     : FT_X509_NAME_MAX);
        for (unsigned i = 0; i < sizeof(room.behind); i++)
            assert_int_equal(room.behind[i], 0x5a);
    }
}

static void times(void **state)
{
    (void)state;
    enum {
        UTC = 0x17,
        GENERAL = 0x18
    };
    static const struct {
        uint8_t tag;
        const char *text;
        int64_t seconds;
        const char *shown; /* NULL: it is no time */
    } cases[] = {
        {UTC, "700101000000Z", 0, "1970-01-01T00:00:00"},
        {UTC, "691231235959Z", -1, "1969-12-31T23:59:59"},
        {UTC, "500101000000Z", -631152000, "1950-01-01T00:00:00"},
        {UTC, "491231235959Z", 2524607999, "2049-12-31T23:59:59"},
        {UTC, "000229120000Z", 951825600, "2000-02-29T12:00:00"},
        {UTC, "2611220259Z", 1795316340, "2026-11-22T02:59:00"},
        {GENERAL, "19000228235959Z", -2203891201, "1900-02-28T23:59:59"},
        {GENERAL, "19000301000000Z", -2203891200, "1900-03-01T00:00:00"},
        {GENERAL, "20500101000000Z", 2524608000, "2050-01-01T00:00:00"},
        {GENERAL, "99991231235959Z", 253402300799, "9999-12-31T23:59:59"},
        {GENERAL, "00000101000000Z", -62167219200, "0000-01-01T00:00:00"},
        {GENERAL, "00010101000000Z", -62135596800, "0001-01-01T00:00:00"},
        {GENERAL, "20001231235960Z", 978307200, "2001-01-01T00:00:00"},
        {UTC, "700001000000Z", 0, NULL},
        {UTC, "701301000000Z", 0, NULL},
        {UTC, "700100000000Z", 0, NULL},
        {UTC, "700132000000Z", 0, NULL},
        {UTC, "700101240000Z", 0, NULL},
        {UTC, "700101006000Z", 0, NULL},
        {UTC, "700101000061Z", 0, NULL},
        {UTC, "70010100000", 0, NULL},
        {UTC, "7001010000", 0, NULL},
        {UTC, "7x0101000000Z", 0, NULL},
        {UTC, "70010100:000Z", 0, NULL},
        {UTC, "700101000/00Z", 0, NULL},
        {GENERAL, "19700101", 0, NULL},
        {UTC, "", 0, NULL},
        {0x0c, "700101000000Z", 0, NULL},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct parts p = usual();
        char text[FT_X509_TIME_MAX];
        p.validity = validity_of(cases[i].tag, cases[i].text, cases[i].text);
        struct ft_x509 c = read_of(&p);
        if (c.has_validity != (cases[i].shown != NULL))
            fail_msg("%s", cases[i].text);
        if (!cases[i].shown)
            continue;
        assert_int_equal(c.not_before, cases[i].seconds);
        assert_int_equal(c.not_after, cases[i].seconds);
        assert_int_equal(ft_x509_time_text(c.not_before, text), 19);
        assert_string_equal(text, cases[i].shown);
    }
}

/* Every day of 800 years, by the calendar. */
static void days(void **state)
{
    (void)state;
    static const unsigned lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t seconds = -11676096000; /* 1600-01-01 */
    for (unsigned year = 1600; year < 2400; year++)
        for (unsigned month = 1; month <= 12; month++) {
            bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            unsigned last = lengths[month - 1] + (month == 2 && is_leap);
            for (unsigned day = 1; day <= last; day++, seconds += 86400) {
                char expected[32], text[FT_X509_TIME_MAX];
                snprintf(expected, sizeof(expected), "%04u-%02u-%02uT00:00:00", year, month, day);
                ft_x509_time_text(seconds, text);
                assert_string_equal(text, expected);
            }
        }
}

static void assert_key(struct der key, enum ft_x509_key kind, uint32_t bits, bool is_weak)
{
    struct parts p = usual();
    p.key = key;
    struct ft_x509 c = read_of(&p);
    assert_int_equal(c.key, kind);
    assert_int_equal(c.key_bits, bits);
    assert_int_equal(ft_x509_has_weak_key(&c), is_weak);
}

static void keys(void **state)
{
    (void)state;
    struct der none = {.n = 0}, point = hex("5a5a");
    assert_key(rsa_key(512), FT_X509_KEY_RSA, 512, true);
    assert_key(rsa_key(2047), FT_X509_KEY_RSA, 2047, true);
    assert_key(rsa_key(2048), FT_X509_KEY_RSA, 2048, false);
    assert_key(rsa_key(4096), FT_X509_KEY_RSA, 4096, false);
    assert_key(key_of(RSA, none, hex("30020200")), FT_X509_KEY_RSA, 0, false);
    assert_key(key_of(RSA, none, hex("3003020100")), FT_X509_KEY_RSA, 0, false);
    assert_key(key_of(RSA, none, hex("0500")), FT_X509_KEY_RSA, 0, false);
    assert_key(key_of("2a864886f70d01010a", none, element(0x30, number_of(3072))), FT_X509_KEY_RSA,
               3072, false);
    assert_key(key_of(DSA, element(0x30, number_of(1024)), hex("020101")), FT_X509_KEY_DSA, 1024,
               true);
    assert_key(key_of(DSA, element(0x30, number_of(2048)), hex("020101")), FT_X509_KEY_DSA, 2048,
               false);
    assert_key(ec_key("04", 65), FT_X509_KEY_EC, 256, false);
    assert_key(ec_key("02", 33), FT_X509_KEY_EC, 256, false);
    assert_key(ec_key("03", 33), FT_X509_KEY_EC, 256, false);
    assert_key(ec_key("04", 49), FT_X509_KEY_EC, 192, true);
    assert_key(ec_key("04", 57), FT_X509_KEY_EC, 224, false);
    assert_key(ec_key("04", 97), FT_X509_KEY_EC, 384, false);
    assert_key(ec_key("04", 133), FT_X509_KEY_EC, 521, false);
    assert_key(ec_key("02", 67), FT_X509_KEY_EC, 521, false);
    assert_key(ec_key("", 0), FT_X509_KEY_EC, 0, false);
    assert_key(key_of("2b6570", none, point), FT_X509_KEY_ED25519, 256, false);
    assert_key(key_of("2b6571", none, point), FT_X509_KEY_ED448, 456, false);
    assert_key(key_of("608648016503040311", none, point), FT_X509_KEY_ML_DSA, 10496, false);
    assert_key(key_of("608648016503040312", none, point), FT_X509_KEY_ML_DSA, 15616, false);
    assert_key(key_of("608648016503040313", none, point), FT_X509_KEY_ML_DSA, 20736, false);
    assert_key(key_of("2b6572", none, point), FT_X509_KEY_UNKNOWN, 0, false);
    assert_key(none, FT_X509_KEY_UNKNOWN, 0, false);
    assert_key(hex("3000"), FT_X509_KEY_UNKNOWN, 0, false);
}

static void signatures(void **state)
{
    (void)state;
    static const struct {
        const char *oid, *name;
        bool is_weak;
    } cases[] = {
        {"2a864886f70d010102", "md2WithRSAEncryption", true},
        {"2a864886f70d010103", "md4WithRSAEncryption", true},
        {"2a864886f70d010104", "md5WithRSAEncryption", true},
        {"2a864886f70d010105", "sha1WithRSAEncryption", true},
        {"2a864886f70d01010a", "rsassaPss", false},
        {"2a864886f70d01010b", "sha256WithRSAEncryption", false},
        {"2a864886f70d01010c", "sha384WithRSAEncryption", false},
        {"2a864886f70d01010d", "sha512WithRSAEncryption", false},
        {"2a864886f70d01010e", "sha224WithRSAEncryption", false},
        {"2b0e03021d", "sha1WithRSASignature", true},
        {"2a8648ce380403", "dsa-with-sha1", true},
        {"608648016503040301", "dsa-with-sha224", false},
        {"608648016503040302", "dsa-with-sha256", false},
        {"2a8648ce3d0401", "ecdsa-with-SHA1", true},
        {"2a8648ce3d040301", "ecdsa-with-SHA224", false},
        {"2a8648ce3d040302", "ecdsa-with-SHA256", false},
        {"2a8648ce3d040303", "ecdsa-with-SHA384", false},
        {"2a8648ce3d040304", "ecdsa-with-SHA512", false},
        {"2b6570", "ed25519", false},
        {"2b6571", "ed448", false},
        {"608648016503040311", "ml-dsa-44", false},
        {"608648016503040312", "ml-dsa-65", false},
        {"608648016503040313", "ml-dsa-87", false},
        {"2a864886f70d01010f", NULL, false},
        {"2b65", NULL, false},
        {"", NULL, false},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct parts p = usual();
        p.signature = cases[i].oid;
        struct ft_x509 c = read_of(&p);
        const char *name = ft_x509_signature_name(&c);
        assert_int_equal(ft_x509_has_weak_signature(&c), cases[i].is_weak);
        assert_int_equal(name != NULL, cases[i].name != NULL);
        if (name)
            assert_string_equal(name, cases[i].name);
    }
}

static uint16_t usage_of(const char *bits, bool is_critical)
{
    struct parts p = usual();
    p.extensions = extension("551d0f", is_critical, hex(bits));
    return read_of(&p).key_usage;
}

static void extensions(void **state)
{
    (void)state;
    assert_int_equal(usage_of("03020780", true), 1);
    assert_int_equal(usage_of("03020780", false), 1);
    assert_int_equal(usage_of("030205a0", true), 5);
    assert_int_equal(usage_of("03020106", true), 0x60);
    assert_int_equal(usage_of("0303070080", true), 0x100);
    assert_int_equal(usage_of("030307ff80", true), 0x1ff);
    assert_int_equal(usage_of("030100", true), 0);
    assert_int_equal(usage_of("0300", true), 0);
    assert_int_equal(usage_of("04020780", true), 0);
    static const struct {
        const char *value;
        bool is_ca;
    } constraints[] = {{"30030101ff", true}, {"30060101ff020100", true}, {"3003010100", false},
                       {"3000", false},      {"3003020101", false},      {"0101ff", false}};
    for (unsigned i = 0; i < sizeof(constraints) / sizeof(constraints[0]); i++) {
        struct parts p = usual();
        p.extensions = extension("551d13", true, hex(constraints[i].value));
        add(&p.extensions, extension("551d0f", true, hex("03020780")));
        struct ft_x509 c = read_of(&p);
        assert_int_equal(c.is_ca, constraints[i].is_ca);
        assert_int_equal(c.key_usage, 1); /* what stands behind is read, too */
    }
    /* others, by their last byte alone the same */
    struct parts p = usual();
    p.extensions = extension("551e0f", true, hex("03020780"));
    add(&p.extensions, extension("551d0f00", true, hex("03020780")));
    assert_int_equal(read_of(&p).key_usage, 0);
}

/* ---- certificates that are none ------------------------------------------------------------- */

static struct parts rich(void)
{
    struct parts p = usual();
    p.extensions = extension("551d0f", true, hex("030307ff80"));
    add(&p.extensions, extension("551d11", false, element(0x30, hex("8201618704 0a000001"))));
    add(&p.extensions, extension("551d13", true, hex("30030101ff")));
    return p;
}

static void use(struct ft_view v)
{
    struct ft_x509 c;
    char text[FT_X509_NAME_MAX];
    if (!ft_x509_read(v, &c))
        return;
    ft_x509_name_text(c.subject, text);
    ft_x509_name_text(c.issuer, text);
    ft_x509_name_part(c.subject, FT_X509_COMMON_NAME, text);
    ft_x509_time_text(c.not_before, text);
    ft_x509_signature_name(&c);
    ft_x509_has_weak_key(&c);
}

/* In memory of just that size, so that a read beyond it is found. */
static void truncated(void **state)
{
    (void)state;
    struct parts p = rich();
    struct der d = certificate(&p);
    struct ft_x509 c;
    for (uint32_t n = 0; n < d.n; n++) {
        uint8_t *some = malloc(n ? n : 1);
        memcpy(some, d.bytes, n);
        use(ft_view_make(some, n, false));
        use(ft_view_make(some, n, true));
        if (n < 60) /* before the key */
            assert_false(ft_x509_read(ft_view_make(some, n, false), &c));
        free(some);
    }
    /* each part that must be there */
    for (unsigned missing = 0; missing < 6; missing++) {
        struct der tbs = hex("a003020102"), all;
        struct der has[6] = {element(2, p.serial),     element(0x30, element(6, hex(SHA256))),
                             element(0x30, p.issuer),  element(0x30, p.validity),
                             element(0x30, p.subject), element(0x30, p.key)};
        for (unsigned i = 0; i < 6; i++)
            if (i != missing)
                add(&tbs, has[i]);
        all = element(0x30, element(0x30, tbs));
        assert_false(ft_x509_read(view(&all), &c));
    }
    d = element(0x31, hex("3000"));
    assert_false(ft_x509_read(view(&d), &c));
}

/* Each byte is a length once: indefinite, longer than there is, as long as can be said. */
static void hostile_lengths(void **state)
{
    (void)state;
    static const char *const lengths[] = {"80", "81ff", "82ffff", "84ffffffff", "84000000ff",
                                          "85", "ff",   "7f",     "00"};
    struct parts p = rich();
    struct der d = certificate(&p);
    for (uint32_t at = 1; at < d.n; at++)
        for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
            struct der length = hex(lengths[i]), changed = raw(d.bytes, at);
            add(&changed, length);
            if (at + 1 < d.n)
                add(&changed, raw(d.bytes + at + 1, d.n - at - 1));
            uint8_t *some = malloc(changed.n);
            memcpy(some, changed.bytes, changed.n);
            use(ft_view_make(some, changed.n, false));
            free(some);
        }
    /* the outer ones without an end: BER, which no certificate may be */
    struct ft_x509 c;
    struct der indefinite = hex("3080");
    add(&indefinite, raw(d.bytes + 4, d.n - 4));
    add(&indefinite, hex("0000"));
    assert_false(ft_x509_read(view(&indefinite), &c));
}

/* ---- in a handshake ------------------------------------------------------------------------- */

extern const struct ft_dissector ft_dissector_tls;
static const struct ft_dissector *const all_dissectors[] = {&ft_dissector_tls, NULL};

static struct feed f;

static int setup(void **state)
{
    (void)state;
    feed_open(&f, all_dissectors, "tls", FT_TRANSPORT_TCP, 443);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    feed_close(&f);
    return 0;
}

static struct der counted(unsigned size, struct der content)
{
    struct der d = {.n = size};
    for (unsigned i = 0; i < size; i++)
        d.bytes[i] = (uint8_t)(content.n >> 8 * (size - 1 - i));
    add(&d, content);
    return d;
}

/* A server's handshake message, behind its hello. */
static const char *show_body(struct der body)
{
    struct der hello =
                   hex("02000026 0303 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c"
                       "1d1e1f 00 c02f 00"),
               message = hex("0b"), record = hex("160303");
    assert_true(ft_harness_forget(f.harness));
    add(&message, counted(3, body));
    add(&hello, message);
    add(&record, counted(2, hello));
    return ft_harness_feed(f.harness, &f.flow, FT_TO_CLIENT, f.time_ns, record.bytes, record.n);
}

static const char *show_list(struct der list)
{
    return show_body(counted(3, list));
}

static const char *show(const struct parts *p)
{
    return show_list(counted(3, certificate(p)));
}

#define SECOND  1000000000ull
#define IN_2025 (1735689600 * SECOND)

static const char *show_names(const char *names)
{
    struct parts p = usual();
    p.extensions = extension("551d11", false, element(0x30, hex(names)));
    return show(&p);
}

static void alternative_names(void **state)
{
    (void)state;
    f.time_ns = IN_2025;
    const char *out = show_names("820a2a2e706c632e74657374 8704c0a80a01 8710 "
                                 "20010db8000000000000000000000abc 8603613a62 8103614062");
    assert_has(out, "\"subjectaltname\":[\"*.plc.test\",\"192.168.10.1\","
                    "\"2001:db8:0:0:0:0:0:abc\",\"a:b\",\"a@b\"]");
    assert_clean(out);
    assert_has(show_names("8710 ffffffffffffffffffffffffffffffff"),
               "\"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\"");
    assert_has(show_names("8704ffffffff"), "\"255.255.255.255\"");
    /* addresses of other sizes, names of other kinds, a list that is cut */
    assert_has_not(show_names("8705c0a80a0101 8700 870f20010db80000000000000000000ab"
                              "c 8403613a62 8803613a62"),
                   "subjectaltname");
    assert_has(show_names("820161 8210"), "\"subjectaltname\":[\"a\"");
}

static void facts(void **state)
{
    (void)state;
    f.time_ns = IN_2025;
    static const char *const no_names[] = {"localhost", "*.plant.test", "example.com", "Unknown",
                                           "default",   "test",         "Some-State",  ""};
    for (unsigned i = 0; i < sizeof(no_names) / sizeof(no_names[0]); i++) {
        struct parts p = usual();
        p.subject = common_name(no_names[i]);
        assert_has_not(show(&p), "\"fact\"");
    }
    static const char *const organizations[][2] = {
        {"Siemens AG", "Siemens"},
        {"Allen-Bradley", "Rockwell Automation"},
        {"MOXA Inc.", "Moxa"},
        {"American Power Conversion Corp", "APC"},
        {"PHOENIX CONTACT GmbH", "Phoenix Contact"},
        {"Schweitzer Engineering Labs", "Schweitzer Engineering Laboratories"},
        {"Lexmark", "Lexmark"},
        {"Kiln of Siemens", NULL},
        {"Lexmar", NULL},
        {"siemens", NULL},
    };
    for (unsigned i = 0; i < sizeof(organizations) / sizeof(organizations[0]); i++) {
        struct parts p = usual();
        char expected[96];
        p.subject = attribute(ORGANIZATION, string(0x0c, organizations[i][0]));
        const char *out = show(&p);
        snprintf(expected, sizeof(expected), "\"fact\":\"vendor\",\"value\":\"%s\"",
                 organizations[i][1] ? organizations[i][1] : "");
        if (organizations[i][1])
            assert_has(out, expected);
        else
            assert_has_not(out, "\"fact\"");
    }
    struct parts p = usual();
    add(&p.subject, attribute(NUMBER, string(0x13, "S 1")));
    const char *out = show(&p);
    assert_has(out, "\"fact\":\"name\",\"value\":\"plc\"");
    assert_has(out, "\"fact\":\"serial\",\"value\":\"S 1\"");
    p.subject = attribute(CN, element(0x1e, hex("004d00fc")));
    assert_has(show(&p), "\"fact\":\"name\",\"value\":\"M\xc3\xbc\"");
}

/* To the second. */
static void judged(void **state)
{
    (void)state;
    struct parts p = usual();
    f.time_ns = 1893456000 * SECOND;
    assert_clean(show(&p));
    f.time_ns = 1893456001 * SECOND;
    const char *out = show(&p);
    assert_violation(out, "certificate_expired");
    assert_int_equal(feed_count(out, "{\"violation\""), 1);
    f.time_ns = 1577836800 * SECOND;
    assert_clean(show(&p));
    f.time_ns = 1577836799 * SECOND;
    out = show(&p);
    assert_violation(out, "certificate_not_yet_valid");
    assert_int_equal(feed_count(out, "{\"violation\""), 1);
    p.validity = hex("");
    out = show(&p);
    assert_clean(out);
    assert_has_not(out, "\"notbefore\"");
    f.time_ns = IN_2025;
    p = usual();
    p.issuer = p.subject;
    assert_violation(show(&p), "certificate_self_signed");
    p = usual();
    p.key = rsa_key(1024);
    assert_violation(show(&p), "certificate_weak_key");
    p = usual();
    p.signature = "2a864886f70d010105";
    assert_violation(show(&p), "certificate_weak_signature");
    /* before 1970 */
    p = usual();
    p.validity = validity_of(0x18, "19500101000000Z", "20500101000000Z");
    out = show(&p);
    assert_clean(out);
    assert_has(out, "\"notbefore\":\"1950-01-01T00:00:00\",\"notafter\":\"2050-01-01T00:00:00\"");
}

static void fields(void **state)
{
    (void)state;
    f.time_ns = IN_2025;
    struct parts p = usual();
    p.signature = "2b0601040182370f";
    p.key = key_of("2b6572", hex(""), hex("5a"));
    const char *out = show(&p);
    assert_has(out, "\"signature_algorithm\":\"1.3.6.1.4.1.311.15\"");
    assert_has(out, "\"serial\":\"01:02\"");
    assert_has(out, "\"self_signed\":false");
    assert_has_not(out, "\"key_bits\"");
    p.key = rsa_key(3000);
    assert_has(show(&p), "\"key_algorithm\":\"rsa\",\"key_algorithm_code\":1,\"key_bits\":3000");
    out = show(&p);
    assert_has_not(out, "\"key_usage\"");
    assert_clean(out);
    /* a serial number as long as nobody's is cut */
    p.serial = raw((uint8_t[100]){0x7f}, 100);
    out = show(&p);
    assert_has(out, "\"serial\":\"7F:00:");
    assert_has_not(out, ":00:\"");
    p.serial = hex("");
    assert_has(show(&p), "\"serial\":\"\"");
}

static void chains(void **state)
{
    (void)state;
    f.time_ns = IN_2025;
    struct parts p = usual();
    struct der one = counted(3, certificate(&p)), list = one;
    assert_has(show_list(list), "\"chain_length\":1");
    for (unsigned i = 2; i <= 5; i++) {
        char expected[32];
        add(&list, one);
        snprintf(expected, sizeof(expected), "\"chain_length\":%u", i);
        const char *out = show_list(list);
        assert_has(out, expected);
        assert_has(out, "\"subject\":\"CN=plc\"");
        assert_clean(out);
    }
    /* what stands behind the first is counted, not read */
    list = one;
    add(&list, hex("000003 010203 000000"));
    assert_has(show_list(list), "\"chain_length\":3");
    /* one that is longer than the list, a length that is cut */
    list = one;
    add(&list, hex("000004 010203"));
    assert_violation(show_list(list), "malformed");
    list = one;
    add(&list, hex("0000"));
    assert_violation(show_list(list), "malformed");
    assert_violation(show_list(hex("000004 010203")), "malformed");
    assert_violation(show_body(hex("ffffff 000001")), "malformed");
    assert_violation(show_body(hex("0000")), "malformed");
    assert_clean(show_list(hex("")));
    assert_violation(show_list(hex("000000")), "certificate");
    assert_violation(show_list(hex("000002 3000")), "certificate");
}

static void hostile_handshakes(void **state)
{
    (void)state;
    f.time_ns = IN_2025;
    struct parts p = rich();
    struct der d = certificate(&p);
    for (uint32_t n = 0; n < d.n; n++)
        assert_has_not(show_list(counted(3, raw(d.bytes, n))), "{\"error\"");
    uint32_t seed = 1;
    for (unsigned i = 0; i < 3000; i++) {
        struct der changed = d;
        for (unsigned change = 0; change <= i % 4; change++) {
            seed = seed * 1664525u + 1013904223u;
            changed.bytes[(seed >> 8) % d.n] = (uint8_t)(seed >> 24);
        }
        assert_has_not(show_list(counted(3, changed)), "{\"error\"");
    }
}

#define TLS(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),
        cmocka_unit_test(names),
        cmocka_unit_test(parts_of_names),
        cmocka_unit_test(long_names),
        cmocka_unit_test(times),
        cmocka_unit_test(days),
        cmocka_unit_test(keys),
        cmocka_unit_test(signatures),
        cmocka_unit_test(extensions),
        cmocka_unit_test(truncated),
        cmocka_unit_test(hostile_lengths),
        TLS(alternative_names),
        TLS(facts),
        TLS(judged),
        TLS(fields),
        TLS(chains),
        TLS(hostile_handshakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
