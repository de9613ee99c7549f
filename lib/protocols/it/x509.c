/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * X.509 certificates. Contract: x509.h.
 *
 *   Certificate ::= SEQUENCE {
 *     tbsCertificate SEQUENCE { [0] version, serialNumber, signature, issuer, validity, subject,
 *                               subjectPublicKeyInfo, [1], [2], [3] extensions },
 *     signatureAlgorithm, signatureValue }
 *
 * Specification: RFC 5280; ITU-T X.690.
 */
#include "x509.h"

#include <stdio.h>

enum tag {
    INTEGER = 0x02,
    BIT_STRING = 0x03,
    OCTET_STRING = 0x04,
    OBJECT_IDENTIFIER = 0x06,
    TELETEX_STRING = 0x14,
    UNIVERSAL_STRING = 0x1c,
    BMP_STRING = 0x1e,
    UTC_TIME = 0x17,
    GENERALIZED_TIME = 0x18,
    SEQUENCE = 0x30,
    SET = 0x31,
    EXTENSIONS = 0xa3,
    VERSION = 0xa0,
};

/* An object identifier as it is encoded. */
struct oid {
    const char *bytes;
    uint8_t length;
};

#define OID(text)                                                                                  \
    {                                                                                              \
        (text), sizeof(text) - 1                                                                   \
    }

static bool is_oid(struct ft_view v, const struct oid *oid)
{
    return v.len == oid->length && memcmp(v.data, oid->bytes, oid->length) == 0;
}

/* The next element, which must have that tag. */
static bool next(struct ft_view *v, uint32_t tag, struct ft_view *value)
{
    struct ft_ber e;

    *value = ft_view_empty();
    if (!ft_ber_next(v, &e) || e.tag != tag)
        return false;
    *value = e.value;
    return true;
}

/* ---- time ----------------------------------------------------------------------------------- */

/* Days from 1970-01-01 to a date of the Gregorian calendar; years begin in March to have February,
 * whose length varies, at the end. */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    unsigned of_era = (unsigned)(year - era * 400);
    unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool digits(struct ft_view *v, unsigned n, unsigned *number)
{
    *number = 0;
    for (unsigned i = 0; i < n; i++) {
        uint8_t c = ft_u8(v);

        if (c < '0' || c > '9')
            return false;
        *number = 10 * *number + (c - '0');
    }
    return true;
}

/* UTCTime YYMMDDhhmm[ss]Z, GeneralizedTime YYYYMMDDhhmm[ss]Z. */
static bool read_time(struct ft_view *v, int64_t *seconds)
{
    struct ft_ber e;
    unsigned year, month, day, hour, minute, second = 0;

    if (!ft_ber_next(v, &e) || (e.tag != UTC_TIME && e.tag != GENERALIZED_TIME))
        return false;
    if (!digits(&e.value, e.tag == UTC_TIME ? 2 : 4, &year) || !digits(&e.value, 2, &month) ||
        !digits(&e.value, 2, &day) || !digits(&e.value, 2, &hour) || !digits(&e.value, 2, &minute))
        return false;
    if (e.tag == UTC_TIME)
        year += year < 50 ? 2000 : 1900;
    if (ft_peek_u8(&e.value, 0) != 'Z' && !digits(&e.value, 2, &second))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
        return false;
    *seconds = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    return true;
}

uint32_t ft_x509_time_text(int64_t seconds, char text[FT_X509_TIME_MAX])
{
    int64_t days = seconds / 86400, rest = seconds % 86400;

    if (rest < 0) {
        rest += 86400;
        days--;
    }
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned of_era = (unsigned)(days - era * 146097);
    unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * of_year + 2) / 153;
    unsigned day = of_year - (153 * month + 2) / 5 + 1;

    month = month < 10 ? month + 3 : month - 9;
    int n = snprintf(text, FT_X509_TIME_MAX, "%04u-%02u-%02uT%02u:%02u:%02u",
                     (unsigned)(year + era * 400 + (month <= 2)) % 10000, month, day,
                     (unsigned)(rest / 3600), (unsigned)(rest / 60 % 60), (unsigned)(rest % 60));
    return n > 0 && n < (int)FT_X509_TIME_MAX ? (uint32_t)n : 0;
}

/* ---- names ---------------------------------------------------------------------------------- */

static const struct {
    struct oid oid;
    const char *name;
} attributes[] = {
    {OID("\x55\x04\x03"), "CN"},
    {OID("\x55\x04\x04"), "SN"},
    {OID("\x55\x04\x05"), "serialNumber"},
    {OID("\x55\x04\x06"), "C"},
    {OID("\x55\x04\x07"), "L"},
    {OID("\x55\x04\x08"), "ST"},
    {OID("\x55\x04\x09"), "street"},
    {OID("\x55\x04\x0a"), "O"},
    {OID("\x55\x04\x0b"), "OU"},
    {OID("\x55\x04\x0c"), "title"},
    {OID("\x55\x04\x0d"), "description"},
    {OID("\x55\x04\x0f"), "businessCategory"},
    {OID("\x55\x04\x11"), "postalCode"},
    {OID("\x55\x04\x2a"), "GN"},
    {OID("\x55\x04\x2e"), "dnQualifier"},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"), "emailAddress"},
    {OID("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19"), "DC"},
    {OID("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01"), "UID"},
};

/* Text being put together, cut at its end, but not inside a letter. */
struct text {
    char *at;
    uint32_t length;
    bool is_full;
};

static void append(struct text *t, const void *bytes, uint32_t n)
{
    const uint8_t *from = bytes;
    uint32_t room = t->is_full ? 0 : FT_X509_NAME_MAX - t->length;

    if (n > room) {
        t->is_full = true;
        for (n = room; n && (from[n] & 0xc0) == 0x80;)
            n--;
    }
    memcpy(t->at + t->length, bytes, n);
    t->length += n;
}

/* A letter of Unicode; what is none is U+FFFD. */
static void append_letter(struct text *t, uint32_t c)
{
    uint8_t utf8[4] = {(uint8_t)c};
    uint32_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
        append_letter(t, 0xfffd);
        return;
    }
    for (uint32_t i = n; n > 1 && i > 1; i--, c >>= 6)
        utf8[i - 1] = (uint8_t)(0x80 | (c & 0x3f));
    if (n > 1)
        utf8[0] = (uint8_t)(0xf00u >> n | c);
    append(t, utf8, n);
}

/* BMPString is UTF-16; the standard knows no surrogates, but they are sent. */
static void append_bmp(struct text *t, struct ft_view v)
{
    while (v.len >= 2) {
        uint32_t c = ft_u16be(&v);
        int32_t low = ft_peek_u16be(&v, 0);

        if (c >= 0xd800 && c < 0xdc00 && low >= 0xdc00 && low < 0xe000)
            c = 0x10000 + ((c & 0x3ff) << 10 | (ft_u16be(&v) & 0x3ff));
        append_letter(t, c);
    }
}

/* TeletexString is ISO 8859-1 in all certificates that have letters beyond ASCII in it. */
static void append_value(struct text *t, const struct ft_ber *value)
{
    struct ft_view v = value->value;

    switch (value->tag) {
    case BMP_STRING:
        append_bmp(t, v);
        break;
    case UNIVERSAL_STRING:
        while (v.len >= 4)
            append_letter(t, ft_u32be(&v));
        break;
    case TELETEX_STRING:
        while (v.len)
            append_letter(t, ft_u8(&v));
        break;
    default:
        append(t, v.data, v.len);
        break;
    }
}

/* The next attribute of a name: in `set` the rest of the relative name that it is of. */
static bool next_attribute(struct ft_view *name, struct ft_view *set, struct ft_view *type,
                           struct ft_ber *value)
{
    struct ft_view pair;

    if (!set->len && !next(name, SET, set))
        return false;
    return next(set, SEQUENCE, &pair) && next(&pair, OBJECT_IDENTIFIER, type) &&
           ft_ber_next(&pair, value);
}

static void append_type(struct text *t, struct ft_view type)
{
    char dotted[64];

    for (unsigned i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
        if (is_oid(type, &attributes[i].oid)) {
            append(t, attributes[i].name, (uint32_t)strlen(attributes[i].name));
            return;
        }
    append(t, dotted, ft_oid_text(dotted, sizeof(dotted), type));
}

uint32_t ft_x509_name_text(struct ft_view name, char text[FT_X509_NAME_MAX])
{
    struct text t = {text, 0, false};
    struct ft_view set = ft_view_empty(), type;
    struct ft_ber value;

    while (!t.is_full && next_attribute(&name, &set, &type, &value)) {
        if (t.length)
            append(&t, ", ", 2);
        append_type(&t, type);
        append(&t, "=", 1);
        append_value(&t, &value);
    }
    return t.length;
}

uint32_t ft_x509_name_part(struct ft_view name, enum ft_x509_attribute attribute,
                           char text[FT_X509_NAME_MAX])
{
    struct text t = {text, 0, false};
    struct ft_view set = ft_view_empty(), type;
    struct ft_ber value;

    while (!t.length && next_attribute(&name, &set, &type, &value))
        if (type.len == 3 && ft_u16be(&type) == 0x5504 && ft_u8(&type) == attribute)
            append_value(&t, &value);
    return t.length;
}

/* ---- algorithms ----------------------------------------------------------------------------- */

static const struct {
    struct oid oid;
    const char *name;
    bool is_weak;
} signatures[] = {
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02"), "md2WithRSAEncryption", true},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x03"), "md4WithRSAEncryption", true},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"), "md5WithRSAEncryption", true},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"), "sha1WithRSAEncryption", true},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), "rsassaPss", false},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"), "sha256WithRSAEncryption", false},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"), "sha384WithRSAEncryption", false},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"), "sha512WithRSAEncryption", false},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e"), "sha224WithRSAEncryption", false},
    {OID("\x2b\x0e\x03\x02\x1d"), "sha1WithRSASignature", true},
    {OID("\x2a\x86\x48\xce\x38\x04\x03"), "dsa-with-sha1", true},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x01"), "dsa-with-sha224", false},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x02"), "dsa-with-sha256", false},
    {OID("\x2a\x86\x48\xce\x3d\x04\x01"), "ecdsa-with-SHA1", true},
    {OID("\x2a\x86\x48\xce\x3d\x04\x03\x01"), "ecdsa-with-SHA224", false},
    {OID("\x2a\x86\x48\xce\x3d\x04\x03\x02"), "ecdsa-with-SHA256", false},
    {OID("\x2a\x86\x48\xce\x3d\x04\x03\x03"), "ecdsa-with-SHA384", false},
    {OID("\x2a\x86\x48\xce\x3d\x04\x03\x04"), "ecdsa-with-SHA512", false},
    {OID("\x2b\x65\x70"), "ed25519", false},
    {OID("\x2b\x65\x71"), "ed448", false},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x11"), "ml-dsa-44", false},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x12"), "ml-dsa-65", false},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x13"), "ml-dsa-87", false},
};

static const struct {
    struct oid oid;
    uint8_t key;
    uint16_t bits; /* 0: said by the key */
} keys[] = {
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"), FT_X509_KEY_RSA, 0},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), FT_X509_KEY_RSA, 0},
    {OID("\x2a\x86\x48\xce\x38\x04\x01"), FT_X509_KEY_DSA, 0},
    {OID("\x2a\x86\x48\xce\x3d\x02\x01"), FT_X509_KEY_EC, 0},
    {OID("\x2b\x65\x70"), FT_X509_KEY_ED25519, 256},
    {OID("\x2b\x65\x71"), FT_X509_KEY_ED448, 456},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x11"), FT_X509_KEY_ML_DSA, 10496},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x12"), FT_X509_KEY_ML_DSA, 15616},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x13"), FT_X509_KEY_ML_DSA, 20736},
};

static int signature_of(const struct ft_x509 *c)
{
    for (unsigned i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++)
        if (is_oid(c->signature, &signatures[i].oid))
            return (int)i;
    return -1;
}

const char *ft_x509_signature_name(const struct ft_x509 *certificate)
{
    int i = signature_of(certificate);

    return i < 0 ? NULL : signatures[i].name;
}

bool ft_x509_has_weak_signature(const struct ft_x509 *certificate)
{
    int i = signature_of(certificate);

    return i >= 0 && signatures[i].is_weak;
}

bool ft_x509_has_weak_key(const struct ft_x509 *certificate)
{
    uint32_t bits = certificate->key_bits;

    if (!bits)
        return false;
    if (certificate->key == FT_X509_KEY_RSA || certificate->key == FT_X509_KEY_DSA)
        return bits < 2048;
    return certificate->key == FT_X509_KEY_EC && bits < 224;
}

/* ---- the key -------------------------------------------------------------------------------- */

static uint32_t bits_of(struct ft_view number)
{
    while (number.len && number.data[0] == 0)
        ft_skip(&number, 1);
    if (!number.len)
        return 0;
    return 8 * number.len - ((uint32_t)__builtin_clz(number.data[0]) - 24);
}

/* An uncompressed point is 04 x y, a compressed one 02 or 03 x; 521 bits need 66 bytes. */
static uint32_t ec_bits(const struct ft_view *point)
{
    uint32_t size = ft_peek_u8(point, 0) == 4 ? (point->len - 1) / 2
                    : point->len              ? point->len - 1
                                              : 0;

    return size == 66 ? 521 : 8 * size;
}

/* The first INTEGER of a SEQUENCE: modulus of an RSA key, prime of DSA's parameters. */
static uint32_t first_integer_bits(struct ft_view v)
{
    struct ft_view inside, number;

    if (!next(&v, SEQUENCE, &inside) || !next(&inside, INTEGER, &number))
        return 0;
    return bits_of(number);
}

static void read_key(struct ft_view info, struct ft_x509 *c)
{
    struct ft_view algorithm, type, key;

    if (!next(&info, SEQUENCE, &algorithm) || !next(&algorithm, OBJECT_IDENTIFIER, &type) ||
        !next(&info, BIT_STRING, &key))
        return;
    ft_skip(&key, 1); /* unused bits: none */
    for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (is_oid(type, &keys[i].oid)) {
            c->key = keys[i].key;
            c->key_bits = keys[i].bits;
        }
    if (c->key == FT_X509_KEY_RSA)
        c->key_bits = first_integer_bits(key);
    else if (c->key == FT_X509_KEY_DSA)
        c->key_bits = first_integer_bits(algorithm);
    else if (c->key == FT_X509_KEY_EC)
        c->key_bits = ec_bits(&key);
}

/* ---- extensions ----------------------------------------------------------------------------- */

/* Named bits: bit 0 is the top bit of the first byte. */
static uint16_t read_key_usage(struct ft_view v)
{
    struct ft_view bits;
    uint16_t usage = 0;

    if (!next(&v, BIT_STRING, &bits))
        return 0;
    for (unsigned i = 0; i < 9; i++) {
        int byte = ft_peek_u8(&bits, 1 + i / 8);
        if (byte >= 0 && byte >> (7 - i % 8) & 1)
            usage |= (uint16_t)(1u << i);
    }
    return usage;
}

static void read_extension(struct ft_view v, struct ft_x509 *c)
{
    struct ft_view type, inside;
    struct ft_ber e;

    if (!next(&v, OBJECT_IDENTIFIER, &type) || !ft_ber_next(&v, &e))
        return;
    if (e.tag != OCTET_STRING && !ft_ber_next(&v, &e)) /* a BOOLEAN before it: critical */
        return;
    if (type.len != 3 || ft_u16be(&type) != 0x551d)
        return;
    switch (ft_u8(&type)) {
    case 15:
        c->key_usage = read_key_usage(e.value);
        break;
    case 17:
        next(&e.value, SEQUENCE, &c->alternative);
        break;
    case 19:
        c->is_ca = next(&e.value, SEQUENCE, &inside) && ft_peek_u8(&inside, 0) == 1 &&
                   ft_peek_u8(&inside, 2) > 0;
        break;
    default:
        break;
    }
}

static void read_extensions(struct ft_view *tbs, struct ft_x509 *c)
{
    struct ft_ber e;
    struct ft_view list, one;

    while (ft_ber_next(tbs, &e))
        if (e.tag == EXTENSIONS && next(&e.value, SEQUENCE, &list))
            while (next(&list, SEQUENCE, &one))
                read_extension(one, c);
}

/* ---- the certificate ------------------------------------------------------------------------ */

static bool same(struct ft_view a, struct ft_view b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

bool ft_x509_read(struct ft_view der, struct ft_x509 *c)
{
    struct ft_view outer, tbs, algorithm, validity, key;
    struct ft_ber e;

    memset(c, 0, sizeof(*c));
    c->serial = c->signature = c->issuer = c->subject = c->alternative = ft_view_empty();
    if (!next(&der, SEQUENCE, &outer) || !next(&outer, SEQUENCE, &tbs))
        return false;
    if (ft_peek_u8(&tbs, 0) == VERSION && !ft_ber_next(&tbs, &e))
        return false;
    if (!next(&tbs, INTEGER, &c->serial) || !next(&tbs, SEQUENCE, &algorithm) ||
        !next(&tbs, SEQUENCE, &c->issuer) || !next(&tbs, SEQUENCE, &validity) ||
        !next(&tbs, SEQUENCE, &c->subject) || !next(&tbs, SEQUENCE, &key))
        return false;
    next(&algorithm, OBJECT_IDENTIFIER, &c->signature);
    c->has_validity = read_time(&validity, &c->not_before) && read_time(&validity, &c->not_after);
    c->is_self_issued = same(c->issuer, c->subject);
    read_key(key, c);
    read_extensions(&tbs, c);
    return true;
}
