/* SPDX-License-Identifier: BSD-3-Clause */
/* The data of DNS resource records, by type. */
#include "dns_rdata.h"

#include <arpa/inet.h>
#include <stdio.h>

enum {
    OPTION_SERVER_NAME = 3,
    OPTION_NETWORK = 8,
    OPTION_ERROR = 15,
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

void ft_dns_rdata_name(struct ft_context *ctx, const struct ft_view *message, struct ft_view *v,
                       struct ft_dns_name *name)
{
    ft_dns_name_read(message, v, name);
    ft_dns_name_check(ctx, name, v);
}

/* ---- addresses ------------------------------------------------------------------------------ */

static void read_address(struct ft_context *ctx, struct ft_dns_record *r, struct ft_view *v,
                         uint32_t length)
{
    char text[INET6_ADDRSTRLEN];

    r->address = ft_sub(v, length);
    if (!ft_view_ok(v)) {
        r->address = ft_view_empty();
        return;
    }
    if (!ft_wants(ctx, r->first + RR_RDATA))
        return;
    inet_ntop(length == 4 ? AF_INET : AF_INET6, r->address.data, text, sizeof(text));
    ft_put_text(ctx, r->first + RR_RDATA, text, (uint32_t)strlen(text), v);
}

/* ---- names ---------------------------------------------------------------------------------- */

static void read_target(struct ft_context *ctx, const struct ft_view *message,
                        struct ft_dns_record *r, struct ft_view *v)
{
    ft_dns_rdata_name(ctx, message, v, &r->target);
    put_name(ctx, r->first + RR_RDATA, &r->target, v);
}

static void read_soa(struct ft_context *ctx, const struct ft_view *message, struct ft_dns_record *r,
                     struct ft_view *v)
{
    struct ft_dns_name mailbox;

    ft_dns_rdata_name(ctx, message, v, &r->target);
    put_name(ctx, r->first + RR_RDATA, &r->target, v);
    ft_group_begin(ctx, r->first + RR_SOA);
    put_name(ctx, r->first + RR_SOA_MNAME, &r->target, v);
    ft_dns_rdata_name(ctx, message, v, &mailbox);
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
    ft_dns_rdata_name(ctx, message, v, &r->target);
    put_name(ctx, r->first + RR_SRV_NAME, &r->target, v);
    ft_group_end(ctx, r->first + RR_SRV);
    put_name(ctx, r->first + RR_RDATA, &r->target, v);
}

static void read_mx(struct ft_context *ctx, const struct ft_view *message, struct ft_dns_record *r,
                    struct ft_view *v)
{
    ft_skip(v, 2);
    read_target(ctx, message, r, v);
}

/* "100 10 s SIP+D2U  target" */
static void read_naptr(struct ft_context *ctx, const struct ft_view *message,
                       struct ft_dns_record *r, struct ft_view *v)
{
    uint16_t order = ft_u16be(v);
    uint16_t preference = ft_u16be(v);
    struct ft_view flags = ft_sub_u8(v);
    struct ft_view service = ft_sub_u8(v);
    struct ft_view expression = ft_sub_u8(v);

    ft_dns_rdata_name(ctx, message, v, &r->target);
    if (!ft_view_ok(v) || !ft_wants(ctx, r->first + RR_RDATA))
        return;
    struct ft_dns_text t;
    t.length = 0;
    ft_dns_text_number(&t, order);
    ft_dns_text_number(&t, preference);
    ft_dns_text_string(&t, flags);
    ft_dns_text_string(&t, service);
    ft_dns_text_string(&t, expression);
    ft_dns_text_name(&t, &r->target);
    ft_put_text(ctx, r->first + RR_RDATA, t.text, t.length, v);
}

/* ---- texts ---------------------------------------------------------------------------------- */

/* Strings, each with its length: one after the other in rdata, one by one in the list. */
static void read_strings(struct ft_context *ctx, struct ft_dns_record *r, struct ft_view *v,
                         const char *between)
{
    bool wants = ft_wants(ctx, r->first + RR_RDATA) || ft_wants(ctx, r->first + RR_STRINGS);
    struct ft_view all = *v;
    struct ft_dns_text t;

    t.length = 0;
    while (v->len) {
        struct ft_view string = ft_sub_u8(v);
        if (!ft_view_ok(v))
            return;
        if (!wants)
            continue;
        ft_put_bytes(ctx, r->first + RR_STRINGS, string);
        if (t.length)
            ft_dns_text_add(&t, between, (uint32_t)strlen(between));
        ft_dns_text_add(&t, string.data, string.len);
    }
    r->text = all;
    ft_put_text(ctx, r->first + RR_RDATA, t.text, t.length, NULL);
}

/* "0 issue ca.example" */
static void read_caa(struct ft_context *ctx, struct ft_dns_record *r, struct ft_view *v)
{
    uint8_t flags = ft_u8(v);
    struct ft_view tag = ft_sub_u8(v);
    struct ft_view value = ft_rest(v);

    if (!ft_view_ok(v) || !ft_wants(ctx, r->first + RR_RDATA))
        return;
    struct ft_dns_text t;
    t.length = 0;
    ft_dns_text_number(&t, flags);
    ft_dns_text_string(&t, tag);
    ft_dns_text_string(&t, value);
    ft_put_text(ctx, r->first + RR_RDATA, t.text, t.length, v);
}

/* Some numbers, then a digest, signature or key: "8 2", and the rest in rdata_bytes. */
static void read_digest(struct ft_context *ctx, struct ft_dns_record *r, struct ft_view *v,
                        const char *sizes)
{
    struct ft_dns_text t;

    t.length = 0;
    for (; *sizes; sizes++)
        ft_dns_text_number(&t, ft_uint_be(v, (uint32_t)(*sizes - '0')));
    if (!ft_view_ok(v))
        return;
    ft_put_text(ctx, r->first + RR_RDATA, t.text, t.length, v);
    ft_put_bytes(ctx, r->first + RR_BYTES, ft_rest(v));
}

/* ---- EDNS ----------------------------------------------------------------------------------- */

/* The network that a resolver asks for: family 2, bits 1, bits that the answer is for 1, and as
 * many bytes of the address as the bits fill (RFC 7871, 6). "192.0.2.0/24" */
static void add_network(struct ft_dns_text *t, struct ft_view v)
{
    uint8_t address[16] = {0};
    uint16_t family = ft_u16be(&v);
    uint8_t bits = ft_u8(&v);
    uint32_t length = family == 1 ? 4 : 16, n = (bits + 7u) / 8;

    ft_skip(&v, 1);
    if (!ft_view_ok(&v) || (family != 1 && family != 2) || n > length || v.len != n)
        return;
    memcpy(address, v.data, n);
    ft_dns_text_address(t, ft_view_make(address, length, false));
    char text[8];
    int size = snprintf(text, sizeof(text), "/%u", bits);
    ft_dns_text_add(t, text, (uint32_t)size);
}

static void put_option_text(struct ft_context *ctx, uint16_t code, struct ft_view data)
{
    struct ft_dns_text t;

    t.length = 0;
    if (!ft_wants(ctx, DNS_EDNS_OPTION_TEXT))
        return;
    if (code == OPTION_NETWORK) {
        add_network(&t, data);
    } else if (code == OPTION_SERVER_NAME) {
        ft_dns_text_string(&t, data);
    } else if (code == OPTION_ERROR && data.len >= 2) {
        /* A number, and why in words (RFC 8914, 2) */
        ft_dns_text_number(&t, ft_u16be(&data));
        if (data.len)
            ft_dns_text_string(&t, data);
    }
    if (t.length)
        ft_put_text(ctx, DNS_EDNS_OPTION_TEXT, t.text, t.length, &data);
}

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
        put_option_text(ctx, code, data);
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
    case FT_DNS_MD:
    case FT_DNS_MF:
    case FT_DNS_MB:
    case FT_DNS_MG:
    case FT_DNS_MR:
        read_target(ctx, message, r, v);
        break;
    case FT_DNS_SOA:
        read_soa(ctx, message, r, v);
        break;
    case FT_DNS_MX:
    case FT_DNS_AFSDB:
    case FT_DNS_RT:
    case FT_DNS_KX:
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
        ft_dns_rdata_binding(ctx, message, r, v);
        break;
    case FT_DNS_CAA:
        read_caa(ctx, r, v);
        break;
    case FT_DNS_SSHFP:
        read_digest(ctx, r, v, "11");
        break;
    case FT_DNS_DS:
    case FT_DNS_CDS:
    case FT_DNS_TA:
    case FT_DNS_DLV:
        read_digest(ctx, r, v, "211");
        break;
    case FT_DNS_TLSA:
    case FT_DNS_SMIMEA:
        read_digest(ctx, r, v, "111");
        break;
    case FT_DNS_CERT:
        read_digest(ctx, r, v, "221");
        break;
    case FT_DNS_KEY:
    case FT_DNS_DNSKEY:
    case FT_DNS_CDNSKEY:
        read_digest(ctx, r, v, "211");
        break;
    case FT_DNS_LOC:
        ft_dns_rdata_location(ctx, r, v);
        break;
    default:
        if (!ft_dns_rdata_security(ctx, message, r, v))
            ft_put_bytes(ctx, r->first + RR_BYTES, ft_rest(v));
    }
}

/* The conditions and deletions of an update (RFC 2136, 2.4 and 2.5) have no data. */
static bool may_be_empty(const struct ft_dns_record *r)
{
    return r->class_ == FT_DNS_CLASS_NONE || r->class_ == FT_DNS_CLASS_ANY;
}

void ft_dns_rdata_read(struct ft_context *ctx, const struct ft_view *message,
                       struct ft_dns_record *r, struct ft_view rdata)
{
    struct ft_view v = rdata;

    r->target.length = r->target.first_label = 0;
    r->target.labels = r->target.longest = 0;
    r->target.fault = FT_DNS_NAME_OK;
    r->address = r->text = ft_view_empty();
    r->port = 0;
    if (r->type == FT_DNS_OPT)
        read_options(ctx, r, &v);
    else if (rdata.len || !may_be_empty(r))
        read_by_type(ctx, message, r, &v);
    r->is_whole = ft_view_ok(&v) && !v.len;
    if (!r->is_whole && (ft_view_ok(&v) || ft_view_is_malformed(&v)))
        ft_violation(ctx, FT_DNS_V_RDATA, &v);
}
