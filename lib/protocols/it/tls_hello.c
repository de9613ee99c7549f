/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ClientHello and ServerHello.
 *
 *   client: version2 random32 session_id<1> [DTLS: cookie<1>] ciphers<2> compressions<1> ext<2>
 *   server: version2 random32 session_id<1> cipher2 compression1 ext<2>
 *
 * Specification: RFC 8446, 4.1 and 4.2; RFC 5246, 7.4.1; RFC 6347, 4.2.1.
 */
#include "tls.h"

enum {
    EXT_SERVER_NAME = 0,
    EXT_GROUPS = 10,
    EXT_POINT_FORMATS = 11,
    EXT_SIGNATURES = 13,
    EXT_ALPN = 16,
    EXT_PRE_SHARED_KEY = 41,
    EXT_VERSIONS = 43,
    EXT_ECH = 0xfe0d,
};

/* list<2> of {type1, name<2>}; type 0 is a host name. A server answers with an empty extension. */
static void read_sni(struct ft_view v, struct tls_hello *h)
{
    h->has_sni = true;
    if (!v.len)
        return;
    struct ft_view list = ft_sub_u16be(&v);
    while (list.len && ft_view_ok(&list)) {
        uint8_t type = ft_u8(&list);
        struct ft_view name = ft_sub_u16be(&list);

        if (type == 0 && !h->sni.len && ft_view_ok(&list))
            h->sni = name;
    }
    h->is_sni_broken = ft_view_is_malformed(&v) || ft_view_is_malformed(&list);
}

/* A client's list<1>, a server's choice. */
static void read_versions(struct ft_view v, struct tls_hello *h)
{
    h->has_versions = true;
    if (!h->is_client) {
        h->offered = ft_u16be(&v);
        return;
    }
    h->versions = ft_sub_u8(&v);
    struct ft_view list = h->versions;
    uint16_t newest = 0;
    while (list.len >= 2) {
        uint16_t version = ft_u16be(&list);

        if (!ft_tls_is_grease(version) && ft_tls_is_newer(version, newest))
            newest = version;
    }
    if (newest)
        h->offered = newest;
}

static void read_extension(uint16_t type, struct ft_view v, struct tls_hello *h)
{
    switch (type) {
    case EXT_SERVER_NAME:
        read_sni(v, h);
        break;
    case EXT_GROUPS:
        h->has_groups = true;
        h->groups = ft_sub_u16be(&v);
        break;
    case EXT_POINT_FORMATS:
        h->has_formats = true;
        h->formats = ft_sub_u8(&v);
        break;
    case EXT_SIGNATURES:
        h->has_signatures = true;
        h->signatures = ft_sub_u16be(&v);
        break;
    case EXT_ALPN:
        h->has_alpn = true;
        h->alpn = ft_sub_u16be(&v);
        break;
    case EXT_VERSIONS:
        read_versions(v, h);
        break;
    case EXT_PRE_SHARED_KEY:
        h->has_psk = true;
        break;
    case EXT_ECH:
        h->has_ech = true;
        break;
    default:
        break;
    }
}

static void read_extensions(struct ft_view *body, struct tls_hello *h)
{
    if (!body->len)
        return;
    h->has_extensions = true;
    h->extensions = ft_sub_u16be(body);
    struct ft_view v = h->extensions;
    while (v.len) {
        uint16_t type = ft_u16be(&v);
        struct ft_view content = ft_sub_u16be(&v);

        if (!ft_view_ok(&v))
            break;
        read_extension(type, content, h);
    }
    if (!ft_view_ok(&v))
        ft_view_fail(body);
}

bool ft_tls_read_hello(struct ft_view *body, struct tls_hello *h)
{
    h->sni = h->alpn = h->versions = h->groups = h->formats = h->signatures = ft_view_empty();
    h->ciphers = h->extensions = ft_view_empty();
    h->version = h->offered = ft_u16be(body);
    h->is_dtls = h->version >> 8 == 0xfe;
    h->random = ft_sub(body, 32);
    h->session_id = ft_view_empty();
    /* Drafts of TLS 1.3 left it out of the ServerHello, and the compression. */
    bool is_draft = !h->is_client && h->version >> 8 == 0x7f;
    if (!is_draft)
        h->session_id = ft_sub_u8(body);
    if (h->is_client) {
        if (h->is_datagram)
            ft_sub_u8(body);
        h->ciphers = ft_sub_u16be(body);
        ft_sub_u8(body);
    } else {
        h->cipher = ft_u16be(body);
        h->compression = is_draft ? 0 : ft_u8(body);
    }
    if (!ft_view_ok(body))
        return false;
    read_extensions(body, h);
    return true;
}
