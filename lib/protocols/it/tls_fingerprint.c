/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * JA3, JA3S and JA4: digests of a hello, by which lists name the software that sent it.
 *
 * JA3 is MD5 of "version,ciphers,extensions,groups,formats", JA3S of "version,cipher,extensions":
 * decimal numbers joined by "-", in the order of the wire. JA4 is a_b_c: a says transport, version,
 * whether there is a server name, how many ciphers and extensions, and the first ALPN; b and c are
 * the beginnings of SHA-256 of the sorted ciphers, and of the sorted extensions with the signature
 * algorithms. GREASE values are left out of all.
 *
 * Specification: salesforce/ja3 (BSD-3-Clause), FoxIO-LLC/ja4, JA4.md (JA4 of clients alone is
 * BSD-3-Clause).
 */
#include "tls.h"

#include <stdio.h>

/* Values of one list that JA4 sorts; hellos of real software have some dozens. */
#define LIST_MAX 512u

/* Text that goes into a digest, and into a buffer as long as there is room. */
struct sink {
    struct ft_digest digest;
    char *text; /* NULL: nobody wants it */
    uint32_t length, size;
    bool is_full;
};

static void sink_begin(struct sink *s, enum ft_digest_kind kind, char *text, uint32_t size)
{
    s->text = text;
    s->length = 0;
    s->size = size;
    s->is_full = false;
    ft_digest_begin(&s->digest, kind);
}

static void sink_add(struct sink *s, const char *text, uint32_t n)
{
    ft_digest_add(&s->digest, text, n);
    if (!s->text)
        return;
    if (s->size - s->length < n)
        s->is_full = true;
    if (s->is_full)
        return;
    memcpy(s->text + s->length, text, n);
    s->length += n;
}

/* ---- JA3 ------------------------------------------------------------------------------------ */

/* A decimal number, behind a hyphen unless it is the first of its list. */
static void add_decimal(struct sink *s, uint16_t number, bool *is_first)
{
    char text[6];
    unsigned at = sizeof(text);

    do
        text[--at] = (char)('0' + number % 10);
    while (number /= 10);
    if (!*is_first)
        text[--at] = '-';
    *is_first = false;
    sink_add(s, text + at, (uint32_t)sizeof(text) - at);
}

/* The numbers of a list of values of one or two bytes. */
static void add_list(struct sink *s, struct ft_view list, unsigned size)
{
    bool is_first = true;

    while (list.len >= size) {
        uint16_t value = size == 1 ? ft_u8(&list) : ft_u16be(&list);

        if (size == 1 || !ft_tls_is_grease(value))
            add_decimal(s, value, &is_first);
    }
}

static void add_extensions(struct sink *s, struct ft_view v)
{
    bool is_first = true;

    while (v.len >= 4) {
        uint16_t type = ft_u16be(&v);

        ft_sub_u16be(&v);
        if (!ft_tls_is_grease(type))
            add_decimal(s, type, &is_first);
    }
}

void ft_tls_ja3(const struct tls_hello *hello, uint8_t hash[16], char *text, uint32_t *length)
{
    struct sink s;
    uint8_t digest[FT_DIGEST_MAX];
    bool is_first = true;

    sink_begin(&s, FT_MD5, text, TLS_JA3_TEXT_MAX);
    add_decimal(&s, hello->version, &is_first);
    sink_add(&s, ",", 1);
    is_first = true;
    if (hello->is_client)
        add_list(&s, hello->ciphers, 2);
    else
        add_decimal(&s, hello->cipher, &is_first);
    sink_add(&s, ",", 1);
    add_extensions(&s, hello->extensions);
    if (hello->is_client) {
        sink_add(&s, ",", 1);
        add_list(&s, hello->groups, 2);
        sink_add(&s, ",", 1);
        add_list(&s, hello->formats, 1);
    }
    ft_digest_end(&s.digest, digest);
    memcpy(hash, digest, 16);
    if (length)
        *length = s.is_full ? 0 : s.length;
}

/* ---- JA4 ------------------------------------------------------------------------------------ */

struct list {
    uint16_t values[LIST_MAX];
    uint32_t count;
    bool is_full;
};

static void list_add(struct list *l, uint16_t value)
{
    if (l->count < LIST_MAX)
        l->values[l->count++] = value;
    else
        l->is_full = true;
}

static void list_read(struct list *l, struct ft_view v)
{
    l->count = 0;
    l->is_full = false;
    while (v.len >= 2) {
        uint16_t value = ft_u16be(&v);

        if (!ft_tls_is_grease(value))
            list_add(l, value);
    }
}

static void list_read_extensions(struct list *l, struct ft_view v)
{
    l->count = 0;
    l->is_full = false;
    while (v.len >= 4) {
        uint16_t type = ft_u16be(&v);

        ft_sub_u16be(&v);
        if (!ft_tls_is_grease(type))
            list_add(l, type);
    }
}

/* Shell's sort: qsort() may allocate. */
static void list_sort(struct list *l)
{
    static const uint16_t gaps[] = {301, 132, 57, 23, 10, 4, 1};

    for (unsigned g = 0; g < sizeof(gaps) / sizeof(gaps[0]); g++)
        for (uint32_t i = gaps[g]; i < l->count; i++) {
            uint16_t value = l->values[i];
            uint32_t at = i;

            for (; at >= gaps[g] && l->values[at - gaps[g]] > value; at -= gaps[g])
                l->values[at] = l->values[at - gaps[g]];
            l->values[at] = value;
        }
}

/* Four hexadecimal digits each, joined by commas. */
static void add_hex(struct sink *s, const struct list *l)
{
    for (uint32_t i = 0; i < l->count; i++) {
        const uint8_t bytes[2] = {(uint8_t)(l->values[i] >> 8), (uint8_t)l->values[i]};
        char text[6] = ",";

        ft_hex(text + 1, bytes, 2);
        sink_add(s, i ? text : text + 1, i ? 5 : 4);
    }
}

static const char *version_text(uint16_t version)
{
    static const struct {
        uint16_t version;
        const char *text;
    } texts[] = {
        {TLS_1_3, "13"}, {TLS_1_2, "12"},   {TLS_1_1, "11"},  {TLS_1_0, "10"},  {TLS_SSL_3, "s3"},
        {0x0200, "s2"},  {TLS_SSL_2, "s2"}, {DTLS_1_0, "d1"}, {DTLS_1_2, "d2"}, {DTLS_1_3, "d3"},
    };

    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (texts[i].version == version)
            return texts[i].text;
    return "00";
}

static bool is_alphanumeric(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* First and last character of the first name, or of its hexadecimal text when either is odd. */
static void alpn_text(struct ft_view alpn, char text[3])
{
    memcpy(text, "00", 3);
    if (!alpn.len)
        return;
    struct ft_view name = ft_sub_u8(&alpn);
    if (!name.len || !ft_view_ok(&alpn))
        return;
    uint8_t first = name.data[0], last = name.data[name.len - 1];
    if (is_alphanumeric(first) && is_alphanumeric(last)) {
        text[0] = (char)first;
        text[1] = (char)last;
        return;
    }
    char hex[3];
    ft_hex(hex, &first, 1);
    text[0] = hex[0];
    ft_hex(hex, &last, 1);
    text[1] = hex[1];
}

static unsigned at_most_99(uint32_t n)
{
    return n < 99 ? n : 99;
}

/* The first 12 digits of the digest, zeros without values. */
static void end_part(struct sink *s, char text[13], bool is_empty)
{
    uint8_t digest[FT_DIGEST_MAX];

    ft_digest_end(&s->digest, digest);
    if (is_empty)
        memcpy(text, "000000000000", 13);
    else
        ft_hex(text, digest, 6);
}

/* Part c: extensions without server name and ALPN, sorted, then signature algorithms as they are.
 */
static bool add_part_c(struct sink *s, struct list *l, const struct tls_hello *h, bool *is_empty)
{
    uint32_t kept = 0;

    list_read_extensions(l, h->extensions);
    for (uint32_t i = 0; i < l->count; i++)
        if (l->values[i] != 0x0000 && l->values[i] != 0x0010)
            l->values[kept++] = l->values[i];
    l->count = kept;
    *is_empty = kept == 0;
    list_sort(l);
    add_hex(s, l);
    if (l->is_full || *is_empty)
        return !l->is_full;
    list_read(l, h->signatures);
    if (l->count) {
        sink_add(s, "_", 1);
        add_hex(s, l);
    }
    return !l->is_full;
}

bool ft_tls_ja4(const struct tls_hello *h, char ja4[TLS_JA4_LENGTH + 1], char *raw,
                uint32_t *raw_length)
{
    struct sink s;
    struct list l;
    char a[11], alpn[3], b[13], c[13];
    uint32_t extensions, at = 0;
    bool is_empty;

    list_read_extensions(&l, h->extensions);
    extensions = l.count;
    list_read(&l, h->ciphers);
    if (l.is_full)
        return false;
    alpn_text(h->alpn, alpn);
    snprintf(a, sizeof(a), "%c%s%c%02u%02u%s", h->is_datagram ? 'd' : 't', version_text(h->offered),
             h->has_sni ? 'd' : 'i', at_most_99(l.count), at_most_99(extensions), alpn);
    if (raw) {
        memcpy(raw, a, 10);
        raw[10] = '_';
        at = 11;
    }

    list_sort(&l);
    sink_begin(&s, FT_SHA256, raw ? raw + at : NULL, raw ? TLS_JA4_RAW_MAX - at - 1 : 0);
    add_hex(&s, &l);
    end_part(&s, b, l.count == 0);
    if (raw) {
        at += s.length;
        raw[at++] = '_';
    }
    bool is_full = s.is_full;

    sink_begin(&s, FT_SHA256, raw ? raw + at : NULL, raw ? TLS_JA4_RAW_MAX - at : 0);
    if (!add_part_c(&s, &l, h, &is_empty))
        return false;
    end_part(&s, c, is_empty);
    snprintf(ja4, TLS_JA4_LENGTH + 1, "%s_%s_%s", a, b, c);
    if (raw_length)
        *raw_length = is_full || s.is_full ? 0 : at + s.length;
    return true;
}
