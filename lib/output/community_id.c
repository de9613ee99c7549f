/* SPDX-License-Identifier: BSD-3-Clause */
/* Community ID version 1. */
#include "output/community_id.h"

#include "base/hash.h"
#include "packet/packet.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define CACHE 4096u /* a power of two; 300 KiB */

struct ft_community_id {
    EVP_MD *sha1;
    EVP_MD_CTX *digest;
    struct entry {
        struct ft_community_tuple tuple;
        char text[FT_COMMUNITY_ID_SIZE];
        bool is_used;
    } cache[CACHE];
};

_Static_assert(sizeof(struct ft_community_tuple) == 40, "compared and hashed as bytes");

struct ft_community_id *ft_community_id_new(void)
{
    struct ft_community_id *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    c->digest = EVP_MD_CTX_new();
    if (c->sha1 && c->digest)
        return c;
    ft_community_id_free(c);
    return NULL;
}

void ft_community_id_free(struct ft_community_id *c)
{
    if (!c)
        return;
    EVP_MD_CTX_free(c->digest);
    EVP_MD_free(c->sha1);
    free(c);
}

static bool has_ports(uint8_t proto)
{
    return proto == 6 || proto == 17 || proto == 132;
}

static uint32_t put(uint8_t *to, const void *from, uint32_t n)
{
    memcpy(to, from, n);
    return n;
}

static uint32_t put_port(uint8_t *to, uint16_t port)
{
    to[0] = (uint8_t)(port >> 8);
    to[1] = (uint8_t)port;
    return 2;
}

/* The bytes that are hashed: seed, addresses, protocol, pad, ports. */
static uint32_t serialise(const struct ft_community_tuple *t, uint8_t bytes[40])
{
    uint32_t size = t->is_ipv6 ? 16 : 4, n = 2;
    uint16_t src_port = t->src_port, dst_port = t->dst_port;
    bool is_one_way = false, is_icmp = t->proto == 1 || t->proto == 58;
    if (is_icmp) {
        int other = ft_icmp_counterpart(t->src_port, t->proto == 58);
        is_one_way = other < 0;
        dst_port = is_one_way ? t->dst_port : (uint16_t)other;
    } else if (!has_ports(t->proto)) {
        src_port = dst_port = 0;
    }
    int order = memcmp(t->src, t->dst, size);
    bool swap = !is_one_way && (order > 0 || (order == 0 && src_port > dst_port));
    bytes[0] = bytes[1] = 0; /* seed */
    n += put(bytes + n, swap ? t->dst : t->src, size);
    n += put(bytes + n, swap ? t->src : t->dst, size);
    bytes[n++] = t->proto;
    bytes[n++] = 0;
    if (is_icmp || has_ports(t->proto)) {
        n += put_port(bytes + n, swap ? dst_port : src_port);
        n += put_port(bytes + n, swap ? src_port : dst_port);
    }
    return n;
}

const char *ft_community_id(struct ft_community_id *c, const struct ft_community_tuple *tuple)
{
    struct entry *e = &c->cache[ft_hash_bytes(0, tuple, sizeof(*tuple)) & (CACHE - 1)];
    if (e->is_used && !memcmp(&e->tuple, tuple, sizeof(*tuple)))
        return e->text;
    uint8_t bytes[40], hash[EVP_MAX_MD_SIZE] = {0};
    uint32_t n = serialise(tuple, bytes);
    if (EVP_DigestInit_ex2(c->digest, c->sha1, NULL) != 1 ||
        EVP_DigestUpdate(c->digest, bytes, n) != 1 ||
        EVP_DigestFinal_ex(c->digest, hash, NULL) != 1)
        memset(hash, 0, sizeof(hash));
    memcpy(e->text, "1:", 2);
    EVP_EncodeBlock((uint8_t *)e->text + 2, hash, 20);
    e->tuple = *tuple;
    e->is_used = true;
    return e->text;
}
