/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a service is reached: priority 2, target, then parameters in ascending order of their keys,
 * each key 2, length 2, value. Written "16 foo.example.com alpn=h2,h3 port=443".
 *
 * Specification: RFC 9460, 9461.
 */
#include "dns_rdata.h"

#include <stdio.h>

enum parameter {
    MANDATORY = 0,
    ALPN = 1,
    PORT = 3,
    IPV4_HINT = 4,
    ECH = 5,
    IPV6_HINT = 6,
};

static const char *const key_names[] = {"mandatory", "alpn",     "no-default-alpn",
                                        "port",      "ipv4hint", "ech",
                                        "ipv6hint",  "dohpath",  "ohttp"};

enum {
    KEY_NAMES = sizeof(key_names) / sizeof(key_names[0])
};

static void add_key(struct ft_dns_text *t, uint16_t key)
{
    char text[16];
    if (key >= KEY_NAMES)
        snprintf(text, sizeof(text), "key%u", key);
    const char *name = key < KEY_NAMES ? key_names[key] : text;
    ft_dns_text_add(t, name, (uint32_t)strlen(name));
}

/* Text without the blank that stands before it elsewhere. */
static void add_joined(struct ft_dns_text *t, const struct ft_dns_text *part)
{
    ft_dns_text_add(t, part->text, part->length);
}

static void add_item(struct ft_dns_text *t, uint16_t key, struct ft_view *value)
{
    struct ft_dns_text part;

    part.length = 0;
    if (key == MANDATORY)
        add_key(&part, ft_u16be(value));
    else if (key == ALPN)
        ft_dns_text_string(&part, ft_sub_u8(value));
    else if (key == PORT)
        ft_dns_text_number(&part, ft_u16be(value));
    else if (key == IPV4_HINT || key == IPV6_HINT)
        ft_dns_text_address(&part, ft_sub(value, key == IPV4_HINT ? 4 : 16));
    else if (key < KEY_NAMES && key != ECH)
        ft_dns_text_string(&part, ft_rest(value));
    else
        ft_dns_text_hex(&part, ft_rest(value));
    add_joined(t, &part);
}

static void add_parameter(struct ft_dns_text *t, uint16_t key, struct ft_view value)
{
    const char *before = "=";

    ft_dns_text_gap(t);
    add_key(t, key);
    while (value.len && !ft_dns_text_is_full(t)) {
        ft_dns_text_add(t, before, 1);
        add_item(t, key, &value);
        before = ",";
    }
}

void ft_dns_rdata_binding(struct ft_context *ctx, const struct ft_view *message,
                          struct ft_dns_record *r, struct ft_view *v)
{
    uint16_t priority = ft_u16be(v);
    struct ft_dns_text t;

    ft_dns_rdata_name(ctx, message, v, &r->target);
    ft_put_bytes(ctx, r->first + RR_BYTES, *v);
    t.length = 0;
    ft_dns_text_number(&t, priority);
    ft_dns_text_name(&t, &r->target);
    while (v->len && ft_view_ok(v)) {
        uint16_t key = ft_u16be(v);
        struct ft_view value = ft_sub_u16be(v);
        if (ft_view_ok(v) && ft_wants(ctx, r->first + RR_RDATA))
            add_parameter(&t, key, value);
    }
    if (ft_view_ok(v))
        ft_put_text(ctx, r->first + RR_RDATA, t.text, t.length, v);
}
