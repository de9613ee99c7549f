/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv4 (RFC 791), IPv6 and its extension headers (RFC 8200). */
#include "packet/checksum.h"
#include "packet/decoder.h"

enum {
    PROTO_HOP_BY_HOP = 0,
    PROTO_ICMP = 1,
    PROTO_IPV4 = 4,
    PROTO_TCP = 6,
    PROTO_UDP = 17,
    PROTO_IPV6 = 41,
    PROTO_ROUTING = 43,
    PROTO_FRAGMENT = 44,
    PROTO_GRE = 47,
    PROTO_ESP = 50,
    PROTO_AH = 51,
    PROTO_ICMPV6 = 58,
    PROTO_NONE = 59,
    PROTO_DESTINATION = 60,
    PROTO_ETHERIP = 97,
    PROTO_SCTP = 132,
    PROTO_MOBILITY = 135,
    PROTO_UDP_LITE = 136,
    PROTO_MPLS = 137,
    PROTO_HIP = 139,
    PROTO_SHIM6 = 140,
};

/* "No next header": what is left is to be ignored (RFC 8200, 4.7). */
static enum ft_step no_next(struct ft_decoder *d)
{
    d->end = d->at;
    d->p->bucket = FT_BUCKET_NO_PAYLOAD;
    return FT_STEP_DONE;
}

static enum ft_step encrypted(struct ft_decoder *d)
{
    d->p->bucket = FT_BUCKET_ENCRYPTED;
    return FT_STEP_DONE;
}

/* What follows an IPv6 header only; others are unassigned there. */
static enum ft_step proto_v6(struct ft_decoder *d, uint8_t proto)
{
    switch (proto) {
    case PROTO_HOP_BY_HOP:
    case PROTO_ROUTING:
    case PROTO_FRAGMENT:
    case PROTO_DESTINATION:
    case PROTO_MOBILITY:
    case PROTO_HIP:
    case PROTO_SHIM6:
        return FT_STEP_EXTENSION;
    case PROTO_NONE:
        return no_next(d);
    case PROTO_ICMPV6:
        return FT_STEP_ICMP;
    default:
        return FT_STEP_DONE;
    }
}

enum ft_step ft_ip_proto(struct ft_decoder *d, uint8_t proto)
{
    d->proto = proto;
    d->p->proto = proto;
    switch (proto) {
    case PROTO_TCP:
        return FT_STEP_TCP;
    case PROTO_UDP:
        return FT_STEP_UDP;
    case PROTO_UDP_LITE:
        return FT_STEP_UDP_LITE;
    case PROTO_SCTP:
        return FT_STEP_SCTP;
    case PROTO_GRE:
        return FT_STEP_GRE;
    case PROTO_IPV4:
    case PROTO_IPV6:
        return FT_STEP_IPIP;
    case PROTO_ETHERIP:
        return FT_STEP_ETHERIP;
    case PROTO_MPLS:
        return FT_STEP_MPLS_IN_IP;
    case PROTO_AH:
        return FT_STEP_EXTENSION;
    case PROTO_ESP:
        return encrypted(d);
    case PROTO_ICMP:
        return d->p->flags & FT_PACKET_IPV4 ? FT_STEP_ICMP : FT_STEP_DONE;
    default:
        return d->p->flags & FT_PACKET_IPV6 ? proto_v6(d, proto) : FT_STEP_DONE;
    }
}

enum ft_step ft_ip_any(struct ft_decoder *d)
{
    const uint8_t *header = ft_decoder_need(d, 1, FT_BUCKET_IPV4_HEADER);

    if (!header)
        return FT_STEP_FAILED;
    return header[0] >> 4 == 6 ? FT_STEP_IPV6 : FT_STEP_IPV4;
}

/*
 * A fragment of `offset` bytes before it, its data at `at`. Every fragment but the last has a
 * multiple of eight bytes, none is empty, and none ends beyond the largest datagram, of which
 * `before` bytes stand before the fragmented part.
 */
static enum ft_step fragment(struct ft_decoder *d, uint32_t offset, bool has_more, uint32_t before)
{
    uint32_t length = ft_decoder_left(d);

    if (length == 0 || (has_more && length % 8) || before + offset + length > 65535)
        return ft_decoder_fail(d, FT_BUCKET_FRAGMENT);
    d->p->flags |= FT_PACKET_FRAGMENT;
    return FT_STEP_FRAGMENT;
}

/* ---- IPv4 ---------------------------------------------------------------------------------- */

static bool is_checksum_v4_refused(struct ft_decoder *d, const uint8_t *header, uint32_t length)
{
    if (!d->verify || ft_checksum_finish(ft_checksum_add(0, header, length)) == 0)
        return false;
    if (header[10] == 0 && header[11] == 0) {
        d->p->flags |= FT_PACKET_CHECKSUM_OPEN; /* left to the NIC */
        return false;
    }
    d->p->flags |= FT_PACKET_IP_CHECKSUM_BAD;
    return d->config->checksum == FT_CHECKSUM_DROP;
}

/* An option moves the destination: the last address of a source route (RFC 791) is the real one. */
static bool has_source_route(const uint8_t *header, uint32_t length)
{
    enum {
        END = 0,
        NOP = 1,
        LOOSE = 131,
        STRICT = 137
    };

    for (uint32_t at = 20; at + 2 < length && header[at] != END;) {
        if ((header[at] == LOOSE || header[at] == STRICT) && header[at + 2] < header[at + 1])
            return true;
        if (header[at] != NOP && header[at + 1] < 2)
            return false;
        at += header[at] == NOP ? 1 : header[at + 1];
    }
    return false;
}

enum ft_step ft_ip_v4(struct ft_decoder *d)
{
    struct ft_packet *p = d->p;
    const uint8_t *header = ft_decoder_need(d, 20, FT_BUCKET_IPV4_HEADER);

    if (!header)
        return FT_STEP_FAILED;

    uint32_t length = (header[0] & 15u) * 4, total = ft_be16(header + 2);

    /* Hosts that leave segmentation to the adapter capture packets without a total length. */
    if (total == 0)
        total = ft_decoder_left(d);
    if (header[0] >> 4 != 4 || length < 20 || total < length || !ft_decoder_limit(d, total))
        return ft_decoder_fail(d, FT_BUCKET_IPV4_HEADER);
    if (!ft_decoder_need(d, length, FT_BUCKET_IPV4_HEADER))
        return FT_STEP_FAILED;
    if (ft_decoder_is_bound(d) && is_checksum_v4_refused(d, header, length))
        return ft_decoder_fail(d, FT_BUCKET_IPV4_CHECKSUM);

    p->flags = (p->flags & ~FT_PACKET_IPV6) | FT_PACKET_IPV4;
    p->ethertype = 0x0800;
    p->l3 = d->at;
    p->ttl = header[8];
    p->proto = header[9];
    p->src = (union ft_ip){.words = {0}};
    p->dst = (union ft_ip){.words = {0}};
    memcpy(&p->src.v4, header + 12, 4);
    memcpy(&p->dst.v4, header + 16, 4);
    d->is_rerouted = has_source_route(header, length);

    uint16_t fragmentation = ft_be16(header + 6);
    bool is_whole = (fragmentation & 0x3fff) == 0 || !ft_decoder_is_bound(d);

    d->at += length;
    if (!is_whole)
        return fragment(d, (fragmentation & 0x1fffu) * 8, fragmentation & 0x2000, length);
    return ft_ip_proto(d, header[9]);
}

/* ---- IPv6 ---------------------------------------------------------------------------------- */

/* RFC 2675: the length stands in an option of the hop-by-hop header, which comes first. */
static uint32_t jumbo_length(const struct ft_decoder *d, const uint8_t *header)
{
    const uint8_t *options = header + 40;
    uint32_t here = ft_decoder_here(d) - 40;

    if (header[6] != PROTO_HOP_BY_HOP || here < 8 || options[2] != 0xc2 || options[3] != 4)
        return 0;
    return ft_be32(options + 4);
}

enum ft_step ft_ip_v6(struct ft_decoder *d)
{
    struct ft_packet *p = d->p;
    const uint8_t *header = ft_decoder_need(d, 40, FT_BUCKET_IPV6_HEADER);

    if (!header)
        return FT_STEP_FAILED;

    uint32_t length = ft_be16(header + 4);

    if (length == 0)
        length = jumbo_length(d, header);
    /* As for IPv4: a packet that an adapter was to segment. */
    if (length == 0 && header[6] != PROTO_NONE)
        length = ft_decoder_left(d) - 40;
    if (header[0] >> 4 != 6 || length > UINT32_MAX - 40 || !ft_decoder_limit(d, 40 + length))
        return ft_decoder_fail(d, FT_BUCKET_IPV6_HEADER);

    p->flags = (p->flags & ~FT_PACKET_IPV4) | FT_PACKET_IPV6;
    p->ethertype = 0x86dd;
    p->l3 = d->at;
    p->ttl = header[7];
    p->proto = header[6];
    memcpy(p->src.bytes, header + 8, 16);
    memcpy(p->dst.bytes, header + 24, 16);
    d->is_rerouted = false;
    d->at += 40;
    return ft_ip_proto(d, header[6]);
}

/* Next header (1), reserved (1), offset (13 bits), reserved, more (1 bit), identification (4). */
static enum ft_step extension_fragment(struct ft_decoder *d)
{
    const uint8_t *header = ft_decoder_need(d, 8, FT_BUCKET_IPV6_EXTENSION);

    if (!header)
        return FT_STEP_FAILED;

    uint16_t field = ft_be16(header + 2);

    d->at += 8;
    d->p->proto = header[0];
    if (!ft_decoder_is_bound(d))
        return ft_ip_proto(d, header[0]);
    /* RFC 6946: offset 0 and no more fragments is a packet of its own. */
    if ((field & 0xfff9) == 0)
        return ft_ip_proto(d, header[0]);
    return fragment(d, field & 0xfff8, field & 1, d->at - 8 - d->p->l3 - 40);
}

/* The destination of the pseudo-header is the last one, which is on its way in these two. */
static bool is_rerouting(uint8_t proto, const uint8_t *header, uint32_t length)
{
    enum {
        HOME_ADDRESS = 0xc9
    };

    if (proto == PROTO_ROUTING)
        return header[3] > 0;
    /* RFC 6275 asks for the option's alignment 8 n + 6, so two bytes of padding come first. */
    return proto == PROTO_DESTINATION && length >= 24 &&
           (header[2] == HOME_ADDRESS || header[4] == HOME_ADDRESS || header[6] == HOME_ADDRESS);
}

enum ft_step ft_ip_extension(struct ft_decoder *d)
{
    uint8_t proto = d->proto;

    if (proto == PROTO_FRAGMENT)
        return extension_fragment(d);

    const uint8_t *header = ft_decoder_need(d, 8, FT_BUCKET_IPV6_EXTENSION);

    if (!header)
        return FT_STEP_FAILED;

    uint32_t length = proto == PROTO_AH ? (header[1] + 2u) * 4 : (header[1] + 1u) * 8;

    if (!ft_decoder_need(d, length, FT_BUCKET_IPV6_EXTENSION))
        return FT_STEP_FAILED;
    /* Signalling without data: the header is the message. */
    if (proto >= PROTO_MOBILITY && header[0] == PROTO_NONE)
        return FT_STEP_DONE;
    if (is_rerouting(proto, header, length))
        d->is_rerouted = true;
    d->at += length;
    return ft_ip_proto(d, header[0]);
}
