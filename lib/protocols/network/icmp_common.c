/* SPDX-License-Identifier: BSD-3-Clause */
/* What ICMP and ICMPv6 share. */
#include "icmp_common.h"

#include "repeated.h"

enum {
    PROTO_HOP_BY_HOP = 0,
    PROTO_ICMP = 1,
    PROTO_TCP = 6,
    PROTO_UDP = 17,
    PROTO_DCCP = 33,
    PROTO_ROUTING = 43,
    PROTO_FRAGMENT = 44,
    PROTO_ICMPV6 = 58,
    PROTO_OPTIONS = 60,
    PROTO_SCTP = 132,
    PROTO_UDP_LITE = 136,
    EXTENSIONS_MAX = 8,
    ORIGINAL_MIN = 128, /* RFC 4884: bytes of the quoted packet, when extensions follow */
    CLASS_MPLS = 1,
    WINDOWS_LENGTH = 32, /* of the data of its ping */
    RAMP_LENGTH = 48,
    CISCO_LENGTH = 36,
    ECHO_HEADER = 8,
    TUNNEL_MIN = 64, /* bytes of data: who changes so much of it carries something */
};

const struct ft_name ft_icmp_proto_names[] = {
    {0, "hop_by_hop"}, {1, "icmp"},  {2, "igmp"},   {4, "ipv4"},     {6, "tcp"},
    {17, "udp"},       {33, "dccp"}, {41, "ipv6"},  {43, "routing"}, {44, "fragment"},
    {47, "gre"},       {50, "esp"},  {51, "ah"},    {58, "icmpv6"},  {60, "options"},
    {89, "ospf"},      {103, "pim"}, {112, "vrrp"}, {132, "sctp"},   {136, "udp_lite"},
    {0, NULL},
};

/* ---- the quoted packet ---------------------------------------------------------------------- */

static bool has_ports(uint8_t proto)
{
    return proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_DCCP || proto == PROTO_SCTP ||
           proto == PROTO_UDP_LITE;
}

static void read_transport(struct ft_icmp_inner *inner, struct ft_view v)
{
    if (v.len < 4)
        return;
    inner->has_ports = has_ports(inner->proto);
    inner->has_type = inner->proto == PROTO_ICMP || inner->proto == PROTO_ICMPV6;
    inner->type = (uint8_t)ft_peek_u8(&v, 0);
    inner->code = (uint8_t)ft_peek_u8(&v, 1);
    inner->src_port = ft_u16be(&v);
    inner->dst_port = ft_u16be(&v);
}

static void read_v4(struct ft_icmp_inner *inner, struct ft_view v)
{
    uint32_t length = (ft_u8(&v) & 15u) * 4;
    ft_skip(&v, 5);
    bool is_first = (ft_u16be(&v) & 0x1fff) == 0;
    inner->ttl = ft_u8(&v);
    inner->proto = ft_u8(&v);
    ft_skip(&v, 2);
    struct ft_view src = ft_sub(&v, 4), dst = ft_sub(&v, 4);
    if (!ft_view_ok(&v) || length < 20)
        return;
    inner->version = 4;
    inner->src = src;
    inner->dst = dst;
    if (is_first && ft_skip(&v, length - 20))
        read_transport(inner, v);
}

static bool is_extension(uint8_t proto)
{
    return proto == PROTO_HOP_BY_HOP || proto == PROTO_ROUTING || proto == PROTO_FRAGMENT ||
           proto == PROTO_OPTIONS;
}

/* Past the extension headers; false when they go on beyond what is quoted, or in a later fragment.
 */
static bool skip_extensions(struct ft_icmp_inner *inner, struct ft_view *v)
{
    for (unsigned i = 0; i < EXTENSIONS_MAX && is_extension(inner->proto); i++) {
        bool is_fragment = inner->proto == PROTO_FRAGMENT;
        uint8_t next = ft_u8(v);
        uint32_t more = ft_u8(v);
        bool is_later = is_fragment && ft_u16be(v) & 0xfff8;
        if (!ft_view_ok(v))
            return false;
        inner->proto = next;
        if (is_later || !ft_skip(v, is_fragment ? 4 : 6 + more * 8))
            return false;
    }
    return !is_extension(inner->proto);
}

static void read_v6(struct ft_icmp_inner *inner, struct ft_view v)
{
    ft_skip(&v, 6);
    inner->proto = ft_u8(&v);
    inner->ttl = ft_u8(&v);
    struct ft_view src = ft_sub(&v, 16), dst = ft_sub(&v, 16);
    if (!ft_view_ok(&v))
        return;
    inner->version = 6;
    inner->src = src;
    inner->dst = dst;
    if (skip_extensions(inner, &v))
        read_transport(inner, v);
}

struct ft_icmp_inner ft_icmp_inner_read(struct ft_view quoted)
{
    struct ft_icmp_inner inner = {.src = ft_view_empty(), .dst = ft_view_empty()};
    int first = ft_peek_u8(&quoted, 0);
    if (first >> 4 == 4)
        read_v4(&inner, quoted);
    else if (first >> 4 == 6)
        read_v6(&inner, quoted);
    return inner;
}

static void put_address(struct ft_context *ctx, uint32_t field, struct ft_view address)
{
    struct ft_view bytes = address;
    if (address.len == 4)
        ft_put_uint(ctx, field, ft_u32be(&bytes), &bytes);
    else
        ft_put_bytes(ctx, field, address);
}

void ft_icmp_inner_put(struct ft_context *ctx, uint32_t first, const struct ft_icmp_inner *inner)
{
    if (!inner->version || !ft_wants(ctx, first))
        return;
    ft_group_begin(ctx, first);
    /* Fields have one type: a packet of the other version is not what these errors are about. */
    if (inner->version == ctx->ip_version) {
        put_address(ctx, first + FT_ICMP_INNER_SRC, inner->src);
        put_address(ctx, first + FT_ICMP_INNER_DST, inner->dst);
    }
    ft_put_uint(ctx, first + FT_ICMP_INNER_PROTO, inner->proto, NULL);
    ft_put_uint(ctx, first + FT_ICMP_INNER_TTL, inner->ttl, NULL);
    if (inner->has_ports) {
        ft_put_uint(ctx, first + FT_ICMP_INNER_SPORT, inner->src_port, NULL);
        ft_put_uint(ctx, first + FT_ICMP_INNER_DPORT, inner->dst_port, NULL);
    } else if (inner->has_type) {
        ft_put_uint(ctx, first + FT_ICMP_INNER_TYPE, inner->type, NULL);
        ft_put_uint(ctx, first + FT_ICMP_INNER_CODE, inner->code, NULL);
    }
    ft_group_end(ctx, first);
}

bool ft_icmp_inner_is_of_receiver(const struct ft_context *ctx, const struct ft_icmp_inner *inner)
{
    return !inner->version || inner->version != ctx->ip_version ||
           ft_view_starts(&inner->src, ctx->dst_ip, inner->src.len);
}

/* ---- extensions (RFC 4884) ------------------------------------------------------------------ */

static void put_labels(struct ft_context *ctx, uint32_t first, struct ft_view *v)
{
    while (v->len >= 4) {
        uint32_t entry = ft_u32be(v);
        ft_group_begin(ctx, first + FT_ICMP_MPLS);
        ft_put_uint(ctx, first + FT_ICMP_MPLS_LABEL, entry >> 12, v);
        ft_put_uint(ctx, first + FT_ICMP_MPLS_TTL, entry & 0xff, v);
        ft_group_end(ctx, first + FT_ICMP_MPLS);
    }
}

/* Length (2), class (1), type (1), data. */
void ft_icmp_extensions_put(struct ft_context *ctx, uint32_t first, struct ft_view v)
{
    ft_skip(&v, 4);
    while (v.len >= 4) {
        uint16_t length = ft_u16be(&v);
        uint8_t class = ft_u8(&v), type = ft_u8(&v);
        if (length < 4 || length - 4u > v.len)
            return;
        struct ft_view data = ft_sub(&v, length - 4u);
        if (class == CLASS_MPLS && type == 1) {
            put_labels(ctx, first, &data);
            continue;
        }
        ft_group_begin(ctx, first + FT_ICMP_EXTENSION);
        ft_put_uint(ctx, first + FT_ICMP_EXTENSION_CLASS, class, NULL);
        ft_put_uint(ctx, first + FT_ICMP_EXTENSION_TYPE, type, NULL);
        ft_put_bytes(ctx, first + FT_ICMP_EXTENSION_DATA, data);
        ft_group_end(ctx, first + FT_ICMP_EXTENSION);
    }
}

/*
 * Before RFC 4884 extensions were at 128, where there may as well be more of the packet: its bytes
 * do not have their checksum (5.5).
 */
void ft_icmp_extensions_read(struct ft_context *ctx, uint32_t first, uint32_t original,
                             struct ft_view quoted)
{
    uint32_t at = original ? original : ORIGINAL_MIN;
    if (!ft_wants(ctx, 0) || quoted.len < at + 8 || ft_peek_u8(&quoted, at) >> 4 != 2)
        return;
    ft_skip(&quoted, at);
    if (original || (!ctx->is_truncated && ft_icmp_is_sum_good(ft_icmp_sum(0, quoted))))
        ft_icmp_extensions_put(ctx, first, quoted);
}

/* ---- echo data ------------------------------------------------------------------------------ */

/* The magic number of ptunnel, or an IP packet, whole. */
static bool is_tunnel(struct ft_view data)
{
    int first = ft_peek_u8(&data, 0);
    if (first == 0x45 && data.len >= 28 && ft_peek_u16be(&data, 2) == (int32_t)data.len)
        return true;
    if (first >> 4 == 6 && data.len >= 48 && ft_peek_u16be(&data, 4) + 40 == (int32_t)data.len)
        return true;
    return ft_view_starts(&data, "\xd5\x20\x08\x80", 4);
}

/* From byte `from` on each byte is its own number. */
static bool is_ramp(const struct ft_view *data, uint32_t from)
{
    for (uint32_t i = from; i < RAMP_LENGTH; i++)
        if (ft_peek_u8(data, i) != (int)i)
            return false;
    return true;
}

static bool is_abcd(const struct ft_view *data)
{
    for (uint32_t i = 0; i < CISCO_LENGTH; i += 2)
        if (ft_peek_u16be(data, i) != 0xabcd)
            return false;
    return true;
}

/* The operating system whose ping sends such data; NULL: not known. */
static const char *os_of(struct ft_view data)
{
    if (data.len >= WINDOWS_LENGTH &&
        ft_view_starts(&data, "abcdefghijklmnopqrstuvwabcdefghi", WINDOWS_LENGTH))
        return "Windows";
    /* A time of 8 or 16 bytes, then a ramp. */
    if (data.len >= RAMP_LENGTH && is_ramp(&data, 16))
        return is_ramp(&data, 8) ? "Unix" : "Linux";
    /* After 8 bytes that count up come the two words. */
    struct ft_view cisco = data;
    ft_skip(&cisco, 8);
    return data.len >= 8 + CISCO_LENGTH && (is_abcd(&data) || is_abcd(&cisco)) ? "Cisco IOS" : NULL;
}

/* What is kept of a request for its answer. */
struct echo {
    uint64_t hash; /* of the data */
    uint32_t length;
    uint8_t is_cut;
};

static struct echo echo_of(const struct ft_context *ctx, struct ft_view data)
{
    return (struct echo){.hash = repeated_hash(data),
                         .length = ctx->pdu_length - ECHO_HEADER,
                         .is_cut = ctx->is_truncated};
}

static void tell_os(struct ft_context *ctx, uint8_t is_told[2], struct ft_view data)
{
    uint32_t n = ctx->ip_version == 6 ? 16 : 4;
    uint8_t *is_sender_told = &is_told[memcmp(ctx->src_ip, ctx->dst_ip, n) > 0];
    const char *os = *is_sender_told ? NULL : os_of(data);
    if (os)
        ft_asset_text(ctx, FT_SENDER, FT_FACT_OS, os);
    *is_sender_told = true;
}

static void put_data(struct ft_context *ctx, const struct ft_icmp_echo_names *names,
                     const struct echo *echo, struct ft_view data)
{
    ft_put_uint(ctx, names->length, echo->length, NULL);
    ft_put_uint(ctx, names->data_hash, echo->hash >> 16, NULL); /* exact in a double */
    const char *os = ft_wants(ctx, names->os) ? os_of(data) : NULL;
    if (os)
        ft_put_text(ctx, names->os, os, (uint32_t)strlen(os), NULL);
}

/* Answers whose data is not what was asked: a tunnel if there is much of it. */
static void check_answer(struct ft_context *ctx, const struct ft_icmp_echo_names *names,
                         const struct echo *asked, const struct echo *answered)
{
    bool is_same = asked->length == answered->length && asked->hash == answered->hash;
    if (!is_same && !asked->is_cut && !answered->is_cut)
        ft_violation(ctx, answered->length > TUNNEL_MIN ? names->tunnel : names->changed, NULL);
}

void ft_icmp_echo_read(struct ft_context *ctx, const struct ft_icmp_echo_names *names, uint8_t type,
                       bool is_to_all, uint8_t is_os_told[2], struct ft_view *v)
{
    bool is_request = type == names->request;
    int64_t numbers = ft_peek_u32be(v, 0);
    ft_put_uint(ctx, names->id, ft_u16be(v), v);
    ft_put_uint(ctx, names->seq, ft_u16be(v), v);
    struct ft_view data = ft_rest(v);
    if (numbers < 0 || !ctx->src_ip)
        return;
    struct echo echo = echo_of(ctx, data);
    uint64_t key = ft_icmp_key(ctx, names->request, (uint32_t)numbers, is_request);
    put_data(ctx, names, &echo, data);
    if (is_tunnel(data))
        ft_violation(ctx, names->tunnel, v);
    else if (echo.length > names->data_max)
        ft_violation(ctx, names->too_large, NULL);
    if (!is_request) {
        const struct echo *asked = ft_response(ctx, FT_SCOPE_FLOW, key);
        if (asked)
            check_answer(ctx, names, asked, &echo);
        return;
    }
    tell_os(ctx, is_os_told, data);
    if (is_to_all)
        ft_violation(ctx, names->to_all, NULL);
    else
        ft_request(ctx, FT_SCOPE_FLOW, key, &echo, sizeof(echo));
}

/* ---- checksum, key -------------------------------------------------------------------------- */

uint64_t ft_icmp_key(const struct ft_context *ctx, uint8_t type, uint32_t numbers, bool is_request)
{
    uint32_t n = ctx->ip_version == 6 ? 16 : 4;
    bool is_lower = ctx->src_ip && memcmp(ctx->src_ip, ctx->dst_ip, n) < 0;
    return (uint64_t)numbers | (uint64_t)type << 32 | (uint64_t)(is_lower == is_request) << 40;
}

uint32_t ft_icmp_sum(uint32_t sum, struct ft_view v)
{
    while (v.len >= 2) {
        sum += ft_u16be(&v);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return v.len ? sum + ((uint32_t)ft_u8(&v) << 8) : sum;
}

bool ft_icmp_is_sum_good(uint32_t sum)
{
    return (sum & 0xffff) + (sum >> 16) == 0xffff;
}
