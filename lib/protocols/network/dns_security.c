/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What secures DNS: signatures of records, proofs that a name or type does not exist, keys and
 * signatures of transactions. Read as zone files have them; what is key, signature or digest is
 * left as bytes.
 *
 * Specification: RFC 4034 (RRSIG, NSEC), 2931 (SIG), 5155 (NSEC3), 8945 (TSIG), 2930 (TKEY).
 */
#include "dns_rdata.h"

enum {
    BITMAP_MAX = 32, /* bytes of types in one window of 256 */
};

static void put(struct ft_context *ctx, const struct ft_dns_record *r, const struct ft_dns_text *t,
                const struct ft_view *at)
{
    if (ft_view_ok(at))
        ft_put_text(ctx, r->first + RR_RDATA, t->text, t->length, at);
}

/* "A 8 3 86400 20030322173103 20030220173103 2642 example.com", the signature in bytes. */
static void read_signature(struct ft_context *ctx, const struct ft_view *message,
                           struct ft_dns_record *r, struct ft_view *v)
{
    struct ft_dns_name signer;
    struct ft_dns_text t;

    t.length = 0;
    ft_dns_text_type(&t, ft_u16be(v));
    ft_dns_text_number(&t, ft_u8(v));
    ft_dns_text_number(&t, ft_u8(v));
    ft_dns_text_number(&t, ft_u32be(v));
    ft_dns_text_time(&t, ft_u32be(v));
    ft_dns_text_time(&t, ft_u32be(v));
    ft_dns_text_number(&t, ft_u16be(v));
    ft_dns_rdata_name(ctx, message, v, &signer);
    ft_dns_text_name(&t, &signer);
    put(ctx, r, &t, v);
    if (ft_view_ok(v))
        ft_put_bytes(ctx, r->first + RR_BYTES, ft_rest(v));
}

static void add_bits(struct ft_dns_text *t, uint16_t first, uint8_t bits)
{
    for (uint16_t i = 0; i < 8; i++)
        if (bits << i & 0x80)
            ft_dns_text_type(t, (uint16_t)(first + i));
}

/* The types that a name has: windows of 256, each number 1, length 1, a bit for each type. */
static void read_types(struct ft_dns_text *t, bool is_wanted, struct ft_view *v)
{
    int last = -1;

    while (v->len && ft_view_ok(v)) {
        uint8_t window = ft_u8(v), n = ft_u8(v);
        struct ft_view bitmap = ft_sub(v, n);
        if (!n || n > BITMAP_MAX || window <= last) {
            ft_view_fail(v);
            return;
        }
        last = window;
        uint16_t type = (uint16_t)(window * 256);
        for (; is_wanted && bitmap.len && !ft_dns_text_is_full(t); type += 8)
            add_bits(t, type, ft_u8(&bitmap));
    }
}

/* "host.example.com A MX RRSIG NSEC TYPE1234" */
static void read_next(struct ft_context *ctx, const struct ft_view *message,
                      struct ft_dns_record *r, struct ft_view *v)
{
    struct ft_dns_text t;

    t.length = 0;
    ft_dns_rdata_name(ctx, message, v, &r->target);
    ft_dns_text_name(&t, &r->target);
    read_types(&t, ft_wants(ctx, r->first + RR_RDATA), v);
    put(ctx, r, &t, v);
}

/* "1 0 12 aabbccdd": the parameters of hashed names. */
static void read_hashing(struct ft_dns_text *t, struct ft_view *v)
{
    t->length = 0;
    ft_dns_text_number(t, ft_u8(v));
    ft_dns_text_number(t, ft_u8(v));
    ft_dns_text_number(t, ft_u16be(v));
    ft_dns_text_hex(t, ft_sub_u8(v));
}

/* "1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr A RRSIG" */
static void read_next_hashed(struct ft_context *ctx, struct ft_dns_record *r, struct ft_view *v)
{
    struct ft_dns_text t;

    read_hashing(&t, v);
    ft_dns_text_base32(&t, ft_sub_u8(v));
    read_types(&t, ft_wants(ctx, r->first + RR_RDATA), v);
    put(ctx, r, &t, v);
}

static void read_hashing_alone(struct ft_context *ctx, struct ft_dns_record *r, struct ft_view *v)
{
    struct ft_dns_text t;

    read_hashing(&t, v);
    put(ctx, r, &t, v);
}

/* "hmac-sha256 20180117022846 300 39149 NOERROR": when, for how long, of which message, and what
 * was wrong; the digest in bytes. */
static void read_transaction(struct ft_context *ctx, const struct ft_view *message,
                             struct ft_dns_record *r, struct ft_view *v)
{
    struct ft_dns_text t;

    t.length = 0;
    ft_dns_rdata_name(ctx, message, v, &r->target);
    ft_dns_text_name(&t, &r->target);
    uint64_t seconds = ft_u48be(v);
    if (seconds <= UINT32_MAX)
        ft_dns_text_time(&t, (uint32_t)seconds);
    else
        ft_dns_text_number(&t, seconds);
    ft_dns_text_number(&t, ft_u16be(v));
    struct ft_view digest = ft_sub_u16be(v);
    ft_dns_text_number(&t, ft_u16be(v));
    ft_dns_text_result(&t, ft_u16be(v));
    ft_sub_u16be(v);
    put(ctx, r, &t, v);
    if (ft_view_ok(v))
        ft_put_bytes(ctx, r->first + RR_BYTES, digest);
}

/* "gss-tsig 20030220173103 20030322173103 3 NOERROR": from when until when a key is valid, how it
 * is agreed on; the key, or what it is made of, in bytes. */
static void read_key_agreement(struct ft_context *ctx, const struct ft_view *message,
                               struct ft_dns_record *r, struct ft_view *v)
{
    struct ft_dns_text t;

    t.length = 0;
    ft_dns_rdata_name(ctx, message, v, &r->target);
    ft_dns_text_name(&t, &r->target);
    ft_dns_text_time(&t, ft_u32be(v));
    ft_dns_text_time(&t, ft_u32be(v));
    ft_dns_text_number(&t, ft_u16be(v));
    ft_dns_text_result(&t, ft_u16be(v));
    struct ft_view key = ft_sub_u16be(v);
    ft_sub_u16be(v);
    put(ctx, r, &t, v);
    if (ft_view_ok(v))
        ft_put_bytes(ctx, r->first + RR_BYTES, key);
}

bool ft_dns_rdata_security(struct ft_context *ctx, const struct ft_view *message,
                           struct ft_dns_record *r, struct ft_view *v)
{
    switch (r->type) {
    case FT_DNS_SIG:
    case FT_DNS_RRSIG:
        read_signature(ctx, message, r, v);
        return true;
    case FT_DNS_NSEC:
        read_next(ctx, message, r, v);
        return true;
    case FT_DNS_NSEC3:
        read_next_hashed(ctx, r, v);
        return true;
    case FT_DNS_NSEC3PARAM:
        read_hashing_alone(ctx, r, v);
        return true;
    case FT_DNS_TSIG:
        read_transaction(ctx, message, r, v);
        return true;
    case FT_DNS_TKEY:
        read_key_agreement(ctx, message, r, v);
        return true;
    default:
        return false;
    }
}
