/* SPDX-License-Identifier: BSD-3-Clause */
/* The data of DNS resource records, by type. */
#include <stdio.h>

#include "dns_wire.h"

enum {
    TEXT_MAX = 600, /* a name and some numbers */
    LOC_VERSION_0_LENGTH = 16,
};

void ft_dns_name_check(struct ft_context *ctx, const struct ft_dns_name *name,
                       const struct ft_view *at)
{
    switch (name->fault) {
    case FT_DNS_NAME_POINTER:
        ft_violation(ctx, FT_DNS_V_POINTER, at);
        break;
    case FT_DNS_NAME_LABEL:
        ft_violation(ctx, FT_DNS_V_LABEL, at);
        break;
    case FT_DNS_NAME_LENGTH:
        ft_violation(ctx, FT_DNS_V_NAME_LENGTH, at);
        break;
    default:
        break;
    }
}

static void put_name(struct ft_context *ctx, uint32_t field, const struct ft_dns_name *name,
                     const struct ft_view *at)
{
    ft_put_text(ctx, field, name->text, name->length, at);
}

/* A name that the data hold, checked. */
static void read_name(struct ft_context *ctx, const struct ft_view *message, struct ft_view *v,
                      struct ft_dns_name *name)
{
    ft_dns_name_read(message, v, name);
    ft_dns_name_check(ctx, name, v);
}

/* ---- addresses ------------------------------------------------------------------------------ */

static void put_ipv4(struct ft_context *ctx, uint32_t field, struct ft_view address)
{
    char text[16];
    struct ft_view at = address;
    ft_skip(&at, 4);
    uint8_t b[4];
    for (unsigned i = 0; i < 4; i++)
        b[i] = ft_u8(&address);
    int n = snprintf(text, sizeof(text), "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
    ft_put_text(ctx, field, text, (uint32_t)n, &at);
}

/* RFC 5952: the longest run of zeros, of two at least, is left out. */
static void put_ipv6(struct ft_context *ctx, uint32_t field, struct ft_view address)
{
    char text[48];
    uint16_t words[8];
    unsigned best = 8, best_run = 1, n = 0;
    struct ft_view at = address;

    ft_skip(&at, 16);
    for (unsigned i = 0; i < 8; i++)
        words[i] = ft_u16be(&address);
    for (unsigned i = 0, run = 0; i < 8; i++) {
        run = words[i] ? 0 : run + 1;
        if (run > best_run) {
            best_run = run;
            best = i + 1 - run;
        }
    }
    for (unsigned i = 0; i < 8;) {
        if (i == best) {
            n += (unsigned)snprintf(text + n, sizeof(text) - n, "::");
            i += best_run;
            continue;
        }
        const char *colon = i && i != best + best_run ? ":" : "";
        n += (unsigned)snprintf(text + n, sizeof(text) - n, "%s%x", colon, words[i]);
        i++;
    }
    ft_put_text(ctx, field, text, n, &at);
}

static void read_address(struct ft_context *ctx, struct ft_dns_record *r, struct ft_view *v,
                         uint32_t length)
{
    r->address = ft_sub(v, length);
    if (!ft_view_ok(v)) {
        r->address = ft_view_empty();
        return;
    }
    if (!ft_wants(ctx, r->first + RR_RDATA))
        return;
    if (length == 4)
        put_ipv4(ctx, r->first + RR_RDATA, r->address);
    else
        put_ipv6(ctx, r->first + RR_RDATA, r->address);
}

/* ---- names ---------------------------------------------------------------------------------- */

static void read_target(struct ft_context *ctx, const struct ft_view *message,
                        struct ft_dns_record *r, struct ft_view *v)
{
    read_name(ctx, message, v, &r->target);
    put_name(ctx, r->first + RR_RDATA, &r->target, v);
}

static void read_soa(struct ft_context *ctx, const struct ft_view *message, struct ft_dns_record *r,
                     struct ft_view *v)
{
    struct ft_dns_name mailbox;

    read_name(ctx, message, v, &r->target);
    put_name(ctx, r->first + RR_RDATA, &r->target, v);
    ft_group_begin(ctx, r->first + RR_SOA);
    put_name(ctx, r->first + RR_SOA_MNAME, &r->target, NULL);
    read_name(ctx, message, v, &mailbox);
    put_name(ctx, r->first + RR_SOA_RNAME, &mailbox, v);
    for (uint32_t field = RR_SOA_SERIAL; field <= RR_SOA_MINIMUM; field++)
        ft_put_uint(ctx, r->first + field, ft_u32be(v), v);
    ft_group_end(ctx, r->first + RR_SOA);
}

static void read_srv(struct ft_context *ctx, const struct ft_view *message, struct ft_dns_record *r,
                     struct ft_view *v)
{
    ft_group_begin(ctx, r->first + RR_SRV);
    ft_put_uint(ctx, r->first + RR_SRV_PRIORITY, ft_u16be(v), v);
    ft_put_uint(ctx, r->first + RR_SRV_WEIGHT, ft_u16be(v), v);
    r->port = ft_u16be(v);
    ft_put_uint(ctx, r->first + RR_SRV_PORT, r->port, v);
    read_name(ctx, message, v, &r->target);
    put_name(ctx, r->first + RR_SRV_NAME, &r->target, v);
    ft_group_end(ctx, r->first + RR_SRV);
    put_name(ctx, r->first + RR_RDATA, &r->target, NULL);
}

static void read_mx(struct ft_context *ctx, const struct ft_view *message, struct ft_dns_record *r,
                    struct ft_view *v)
{
    ft_skip(v, 2);
    read_target(ctx, message, r, v);
}

/* A name after some numbers and texts: "10 0 target", "100 10 S SIP+D2U ... target". */
static void put_numbers_and_name(struct ft_context *ctx, struct ft_dns_record *r,
                                 const char *before, const struct ft_dns_name *name,
                                 const struct ft_view *at)
{
    char text[TEXT_MAX + sizeof(name->text)];

    if (!ft_wants(ctx, r->first + RR_RDATA))
        return;
    int n = snprintf(text, sizeof(text), "%s %.*s", before, (int)name->length, name->text);
    if (n > 0)
        ft_put_text(ctx, r->first + RR_RDATA, text,
                    (uint32_t)n < sizeof(text) ? (uint32_t)n : (uint32_t)sizeof(text) - 1, at);
}

static void read_svcb(struct ft_context *ctx, const struct ft_view *message,
                      struct ft_dns_record *r, struct ft_view *v)
{
    char before[12];
    uint16_t priority = ft_u16be(v);

    read_name(ctx, message, v, &r->target);
    snprintf(before, sizeof(before), "%u", priority);
    put_numbers_and_name(ctx, r, before, &r->target, v);
    ft_put_bytes(ctx, r->first + RR_BYTES, *v);
    while (v->len && ft_view_ok(v)) {
        ft_skip(v, 2);
        ft_sub_u16be(v);
    }
}

static void read_naptr(struct ft_context *ctx, const struct ft_view *message,
                       struct ft_dns_record *r, struct ft_view *v)
{
    char before[TEXT_MAX];
    uint16_t order = ft_u16be(v);
    uint16_t preference = ft_u16be(v);
    struct ft_view flags = ft_sub_u8(v);
    struct ft_view service = ft_sub_u8(v);
    struct ft_view expression = ft_sub_u8(v);

    read_name(ctx, message, v, &r->target);
    if (!ft_view_ok(v) || !ft_wants(ctx, r->first + RR_RDATA))
        return;
    snprintf(before, sizeof(before), "%u %u %.*s %.*s %.*s", order, preference, (int)flags.len,
             (const char *)flags.data, (int)service.len, (const char *)service.data,
             (int)expression.len, (const char *)expression.data);
    put_numbers_and_name(ctx, r, before, &r->target, v);
}

/* ---- texts ---------------------------------------------------------------------------------- */

/* Strings, each with its length: one after the other in rdata, one by one in the list. */
static void read_strings(struct ft_context *ctx, struct ft_dns_record *r, struct ft_view *v,
                         const char *between)
{
    char text[TEXT_MAX];
    uint32_t n = 0, gap = (uint32_t)strlen(between);
    bool wants = ft_wants(ctx, r->first + RR_RDATA) || ft_wants(ctx, r->first + RR_STRINGS);
    struct ft_view all = *v;

    while (v->len) {
        struct ft_view string = ft_sub_u8(v);
        if (!ft_view_ok(v))
            return;
        if (!wants)
            continue;
        ft_put_bytes(ctx, r->first + RR_STRINGS, string);
        if (n && n + gap <= sizeof(text)) {
            memcpy(text + n, between, gap);
            n += gap;
        }
        uint32_t room = (uint32_t)sizeof(text) - n;
        uint32_t some = string.len < room ? string.len : room;
        memcpy(text + n, string.data, some);
        n += some;
    }
    r->text = all;
    ft_put_text(ctx, r->first + RR_RDATA, text, n, NULL);
}

static void read_caa(struct ft_context *ctx, struct ft_dns_record *r, struct ft_view *v)
{
    char text[TEXT_MAX];
    uint8_t flags = ft_u8(v);
    struct ft_view tag = ft_sub_u8(v);
    struct ft_view value = ft_rest(v);

    if (!ft_view_ok(v) || !ft_wants(ctx, r->first + RR_RDATA))
        return;
    int n =
        snprintf(text, sizeof(text), "%u %.*s %.*s", flags, (int)tag.len, (const char *)tag.data,
                 value.len < 256 ? (int)value.len : 256, (const char *)value.data);
    if (n > 0)
        ft_put_text(ctx, r->first + RR_RDATA, text,
                    (uint32_t)n < sizeof(text) ? (uint32_t)n : (uint32_t)sizeof(text) - 1, v);
}

/* Some numbers, then a digest, signature or key: "8 2 <hex in rdata_bytes>". */
static void read_digest(struct ft_context *ctx, struct ft_dns_record *r, struct ft_view *v,
                        const char *sizes)
{
    char text[64];
    uint32_t n = 0;

    for (; *sizes; sizes++) {
        uint64_t number = ft_uint_be(v, (uint32_t)(*sizes - '0'));
        n += (uint32_t)snprintf(text + n, sizeof(text) - n, "%s%llu", n ? " " : "",
                                (unsigned long long)number);
    }
    if (!ft_view_ok(v))
        return;
    ft_put_text(ctx, r->first + RR_RDATA, text, n, v);
    ft_put_bytes(ctx, r->first + RR_BYTES, ft_rest(v));
}

/* ---- EDNS ----------------------------------------------------------------------------------- */

static void read_options(struct ft_context *ctx, struct ft_dns_record *r, struct ft_view *v)
{
    ft_group_begin(ctx, DNS_EDNS);
    ft_put_uint(ctx, DNS_EDNS_SIZE, r->class_, NULL);
    ft_put_uint(ctx, DNS_EDNS_VERSION, r->ttl >> 16 & 0xff, NULL);
    ft_put_bool(ctx, DNS_EDNS_DO, r->ttl >> 15 & 1, NULL);
    while (v->len) {
        uint16_t code = ft_u16be(v);
        struct ft_view at = *v;
        struct ft_view data = ft_sub_u16be(v);
        if (!ft_view_ok(v))
            break;
        ft_group_begin(ctx, DNS_EDNS_OPTIONS);
        ft_put_uint(ctx, DNS_EDNS_OPTION_CODE, code, &at);
        ft_put_bytes(ctx, DNS_EDNS_OPTION_DATA, data);
        ft_group_end(ctx, DNS_EDNS_OPTIONS);
    }
    ft_group_end(ctx, DNS_EDNS);
}

/* ---- all ------------------------------------------------------------------------------------ */

static void read_by_type(struct ft_context *ctx, const struct ft_view *message,
                         struct ft_dns_record *r, struct ft_view *v)
{
    switch (r->type) {
    case FT_DNS_A:
        read_address(ctx, r, v, 4);
        break;
    case FT_DNS_AAAA:
        read_address(ctx, r, v, 16);
        break;
    case FT_DNS_NS:
    case FT_DNS_CNAME:
    case FT_DNS_PTR:
    case FT_DNS_DNAME:
        read_target(ctx, message, r, v);
        break;
    case FT_DNS_SOA:
        read_soa(ctx, message, r, v);
        break;
    case FT_DNS_MX:
        read_mx(ctx, message, r, v);
        break;
    case FT_DNS_SRV:
        read_srv(ctx, message, r, v);
        break;
    case FT_DNS_TXT:
    case FT_DNS_SPF:
        read_strings(ctx, r, v, "");
        break;
    case FT_DNS_HINFO:
        read_strings(ctx, r, v, " ");
        break;
    case FT_DNS_NAPTR:
        read_naptr(ctx, message, r, v);
        break;
    case FT_DNS_SVCB:
    case FT_DNS_HTTPS:
        read_svcb(ctx, message, r, v);
        break;
    case FT_DNS_CAA:
        read_caa(ctx, r, v);
        break;
    case FT_DNS_SSHFP:
        read_digest(ctx, r, v, "11");
        break;
    case FT_DNS_DS:
        read_digest(ctx, r, v, "211");
        break;
    case FT_DNS_TLSA:
        read_digest(ctx, r, v, "111");
        break;
    case FT_DNS_NSEC:
        read_target(ctx, message, r, v);
        ft_put_bytes(ctx, r->first + RR_BYTES, ft_rest(v));
        break;
    default:
        ft_put_bytes(ctx, r->first + RR_BYTES, ft_rest(v));
    }
}

void ft_dns_rdata_read(struct ft_context *ctx, const struct ft_view *message,
                       struct ft_dns_record *r, struct ft_view rdata)
{
    struct ft_view v = rdata;

    r->target.length = 0;
    r->target.fault = FT_DNS_NAME_OK;
    r->address = r->text = ft_view_empty();
    r->port = 0;
    if (r->type == FT_DNS_OPT)
        read_options(ctx, r, &v);
    else if (rdata.len) /* an update's conditions and deletions have none */
        read_by_type(ctx, message, r, &v);
    if (ft_view_is_malformed(&v) || (ft_view_ok(&v) && v.len))
        ft_violation(ctx, FT_DNS_V_RDATA, &v);
}
