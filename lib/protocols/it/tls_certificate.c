/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Certificate message of TLS 1.2 and older: list<3> of certificate<3>, that of the sender
 * first. In TLS 1.3 it is encrypted.
 */
#include "tls.h"
#include "x509.h"

#include <stdio.h>

/* Names that a sender without a name of its own puts into its certificate. */
static const char *const placeholders[] = {
    "localhost",
    "Internet Widgits Pty Ltd",
    "Default Company Ltd",
    "SomeOrganization",
    "Some-State",
    "example.com",
    "Unknown",
    "default",
    "test",
};

/* Makers of industrial devices, as the organization in certificates that left their works names
 * them. A plant's own certificates have the plant's name there, which is no vendor. */
static const struct {
    const char *organization, *vendor;
} vendors[] = {
    {"Siemens", "Siemens"},
    {"Schneider Electric", "Schneider Electric"},
    {"Rockwell Automation", "Rockwell Automation"},
    {"Allen-Bradley", "Rockwell Automation"},
    {"ABB", "ABB"},
    {"Phoenix Contact", "Phoenix Contact"},
    {"PHOENIX CONTACT", "Phoenix Contact"},
    {"WAGO", "WAGO"},
    {"Beckhoff", "Beckhoff"},
    {"Hirschmann", "Hirschmann"},
    {"Belden", "Belden"},
    {"Moxa", "Moxa"},
    {"MOXA", "Moxa"},
    {"Westermo", "Westermo"},
    {"Advantech", "Advantech"},
    {"Lantronix", "Lantronix"},
    {"Digi International", "Digi International"},
    {"American Power Conversion", "APC"},
    {"Eaton", "Eaton"},
    {"Honeywell", "Honeywell"},
    {"Emerson", "Emerson"},
    {"Yokogawa", "Yokogawa"},
    {"General Electric", "General Electric"},
    {"Mitsubishi Electric", "Mitsubishi Electric"},
    {"OMRON", "Omron"},
    {"Omron", "Omron"},
    {"Bosch Rexroth", "Bosch Rexroth"},
    {"B&R", "B&R"},
    {"Schweitzer Engineering", "Schweitzer Engineering Laboratories"},
    {"Cisco", "Cisco"},
    {"Hewlett", "Hewlett-Packard"},
    {"VMware", "VMware"},
    {"Fortinet", "Fortinet"},
    {"Axis Communications", "Axis"},
    {"Hikvision", "Hikvision"},
    {"Synology", "Synology"},
    {"QNAP", "QNAP"},
    {"Xerox", "Xerox"},
    {"Brother", "Brother"},
    {"Lexmark", "Lexmark"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool is_placeholder(const char *text, uint32_t length)
{
    for (unsigned i = 0; i < COUNT(placeholders); i++)
        if (strlen(placeholders[i]) == length && memcmp(placeholders[i], text, length) == 0)
            return true;
    return length == 0;
}

static void tell_vendor(struct ft_context *ctx, const char *text, uint32_t length)
{
    for (unsigned i = 0; i < COUNT(vendors); i++) {
        uint32_t n = (uint32_t)strlen(vendors[i].organization);

        if (length >= n && memcmp(text, vendors[i].organization, n) == 0) {
            ft_asset_text(ctx, FT_SENDER, FT_FACT_VENDOR, vendors[i].vendor);
            return;
        }
    }
}

/* What a device says of itself in a certificate that it made or that its maker gave it. */
static void tell_facts(struct ft_context *ctx, const struct ft_x509 *c)
{
    char text[FT_X509_NAME_MAX];
    uint32_t n = ft_x509_name_part(c->subject, FT_X509_COMMON_NAME, text);

    if (!is_placeholder(text, n) && text[0] != '*')
        ft_asset(ctx, FT_SENDER, FT_FACT_NAME, ft_view_make(text, n, false));
    n = ft_x509_name_part(c->subject, FT_X509_ORGANIZATION, text);
    tell_vendor(ctx, text, n);
    n = ft_x509_name_part(c->subject, FT_X509_SERIAL_NUMBER, text);
    if (n)
        ft_asset(ctx, FT_SENDER, FT_FACT_SERIAL, ft_view_make(text, n, false));
}

/* ---- fields --------------------------------------------------------------------------------- */

static void put_name(struct ft_context *ctx, uint32_t field, struct ft_view name)
{
    char text[FT_X509_NAME_MAX];

    if (ft_wants(ctx, field))
        ft_put_text(ctx, field, text, ft_x509_name_text(name, text), &name);
}

static void put_time(struct ft_context *ctx, uint32_t field, int64_t seconds)
{
    char text[FT_X509_TIME_MAX];

    if (ft_wants(ctx, field))
        ft_put_text(ctx, field, text, ft_x509_time_text(seconds, text), NULL);
}

/* "0A:1B:...": bytes as EVE writes serial numbers (upper case) and fingerprints (lower case). */
static void put_colons(struct ft_context *ctx, uint32_t field, struct ft_view bytes, bool is_upper)
{
    enum {
        BYTES_MAX = 64
    };
    char text[3 * BYTES_MAX + 1]; /* the last has a zero behind its colon */
    uint32_t n = 0;

    if (!ft_wants(ctx, field))
        return;
    for (uint32_t i = 0; i < bytes.len && i < BYTES_MAX; i++, n += 3)
        snprintf(text + n, 4, is_upper ? "%02X:" : "%02x:", bytes.data[i]);
    ft_put_text(ctx, field, text, n ? n - 1 : 0, NULL);
}

static void put_digests(struct ft_context *ctx, uint32_t field, struct ft_view der)
{
    struct ft_digest d;
    uint8_t out[FT_DIGEST_MAX];

    if (ft_wants(ctx, field + TLS_C_FINGERPRINT)) {
        ft_digest_begin(&d, FT_SHA1);
        ft_digest_add(&d, der.data, der.len);
        uint32_t n = ft_digest_end(&d, out);
        put_colons(ctx, field + TLS_C_FINGERPRINT, ft_view_make(out, n, false), false);
    }
    if (ft_wants(ctx, field + TLS_C_SHA256)) {
        ft_digest_begin(&d, FT_SHA256);
        ft_digest_add(&d, der.data, der.len);
        uint32_t n = ft_digest_end(&d, out);
        ft_put_bytes(ctx, field + TLS_C_SHA256, ft_view_make(out, n, false));
    }
}

/* GeneralNames: names of hosts, mail, URIs as they are, addresses as text. */
static void put_alternatives(struct ft_context *ctx, uint32_t field, struct ft_view names)
{
    struct ft_ber e;

    while (ft_wants(ctx, field) && ft_ber_next(&names, &e)) {
        const uint8_t *ip = e.value.data;
        char text[48];
        int n = 0;

        if (e.tag == 0x81 || e.tag == 0x82 || e.tag == 0x86)
            ft_put_string(ctx, field, e.value);
        else if (e.tag == 0x87 && e.value.len == 4)
            n = snprintf(text, sizeof(text), "%u.%u.%u.%u", ip[0], ip[1], ip[2], ip[3]);
        else if (e.tag == 0x87 && e.value.len == 16)
            for (unsigned i = 0; i < 16; i += 2)
                n += snprintf(text + n, sizeof(text) - (unsigned)n, "%s%x", i ? ":" : "",
                              ip[i] << 8 | ip[i + 1]);
        if (n > 0)
            ft_put_text(ctx, field, text, (uint32_t)n, &names);
    }
}

static void put_algorithms(struct ft_context *ctx, uint32_t field, const struct ft_x509 *c)
{
    const char *name = ft_x509_signature_name(c);
    char dotted[64];

    ft_put_uint(ctx, field + TLS_C_KEY, c->key, NULL);
    if (c->key_bits)
        ft_put_uint(ctx, field + TLS_C_KEY_BITS, c->key_bits, NULL);
    if (!ft_wants(ctx, field + TLS_C_SIGNATURE))
        return;
    if (name)
        ft_put_text(ctx, field + TLS_C_SIGNATURE, name, (uint32_t)strlen(name), NULL);
    else
        ft_put_text(ctx, field + TLS_C_SIGNATURE, dotted,
                    ft_oid_text(dotted, sizeof(dotted), c->signature), NULL);
}

static void put_certificate(struct ft_context *ctx, uint32_t field, const struct ft_x509 *c,
                            struct ft_view der)
{
    put_name(ctx, field + TLS_C_SUBJECT, c->subject);
    put_name(ctx, field + TLS_C_ISSUER, c->issuer);
    put_colons(ctx, field + TLS_C_SERIAL, c->serial, true);
    put_digests(ctx, field, der);
    if (c->has_validity) {
        put_time(ctx, field + TLS_C_NOT_BEFORE, c->not_before);
        put_time(ctx, field + TLS_C_NOT_AFTER, c->not_after);
    }
    put_alternatives(ctx, field + TLS_C_ALTERNATIVE, c->alternative);
    ft_put_bool(ctx, field + TLS_C_SELF_SIGNED, c->is_self_issued, NULL);
    put_algorithms(ctx, field, c);
    if (c->key_usage)
        ft_put_uint(ctx, field + TLS_C_KEY_USAGE, c->key_usage, NULL);
}

/* ---- violations ----------------------------------------------------------------------------- */

/* A certificate is judged at packet time: what a capture of last year shows was valid then. */
static void check(struct ft_context *ctx, const struct ft_x509 *c, const struct ft_view *at)
{
    int64_t now = (int64_t)(ctx->time_ns / 1000000000u);

    if (c->has_validity && now > c->not_after)
        ft_violation(ctx, TLS_V_EXPIRED, at);
    if (c->has_validity && now < c->not_before)
        ft_violation(ctx, TLS_V_NOT_YET_VALID, at);
    if (c->is_self_issued)
        ft_violation(ctx, TLS_V_SELF_SIGNED, at);
    if (ft_x509_has_weak_key(c))
        ft_violation(ctx, TLS_V_WEAK_KEY, at);
    if (ft_x509_has_weak_signature(c))
        ft_violation(ctx, TLS_V_WEAK_SIGNATURE, at);
}

void ft_tls_one_certificate(struct ft_context *ctx, struct ft_view der, uint32_t field,
                            const struct ft_view *at)
{
    struct ft_x509 c;

    if (!ft_x509_read(der, &c)) {
        ft_violation(ctx, TLS_V_CERTIFICATE, at);
        return;
    }
    check(ctx, &c, at);
    put_certificate(ctx, field, &c, der);
    if (field == TLS_SERVER_CERTIFICATE)
        tell_facts(ctx, &c);
}

void ft_tls_certificates(struct ft_context *ctx, struct ft_view *body, uint32_t field)
{
    struct ft_view list = ft_sub(body, ft_u24be(body));
    uint32_t chain;

    if (!list.len) /* a client without a certificate says so by an empty list */
        return;
    struct ft_view first = ft_sub(&list, ft_u24be(&list));
    struct ft_view at = list;
    for (chain = 1; list.len && ft_view_ok(&list); chain++)
        ft_skip(&list, ft_u24be(&list));
    if (!ft_view_ok(&list)) {
        ft_view_fail(body);
        return;
    }
    ft_tls_one_certificate(ctx, first, field, &at);
    ft_put_uint(ctx, field + TLS_C_CHAIN, chain, NULL);
}
