/* SPDX-License-Identifier: BSD-3-Clause */
/* Layer 4: TCP (RFC 9293), UDP (RFC 768), UDP-Lite (RFC 3828), SCTP (RFC 9260), ICMP. */
#include "packet/checksum.h"
#include "packet/decoder.h"

#include <string.h>

/* What a sender that leaves it to its NIC writes into the checksum, `field` bytes behind `at`. */
static bool is_left_open(const struct ft_decoder *d, uint8_t proto, uint32_t length, uint32_t field)
{
    uint16_t stored, whole = ~ft_checksum_finish(ft_checksum_pseudo(d->p, proto, length)),
                     uncut = ~ft_checksum_finish(ft_checksum_pseudo(d->p, proto, 0));

    memcpy(&stored, d->data + d->at + field, 2);
    return stored == whole || stored == uncut;
}

/*
 * True when the `length` bytes at `at` do not fit their checksum, `field` bytes behind `at`, and
 * the policy is to drop them. ICMP has no pseudo-header.
 */
static bool is_checksum_refused(struct ft_decoder *d, uint8_t proto, uint32_t length,
                                uint32_t field)
{
    bool is_known = ft_decoder_is_bound(d) && !d->is_rerouted && !d->is_length_open &&
                    ft_decoder_here(d) >= length && !d->is_open;
    uint64_t sum = proto == 1 ? 0 : ft_checksum_pseudo(d->p, proto, length);

    if (!is_known || ft_checksum_finish(ft_checksum_add(sum, d->data + d->at, length)) == 0)
        return false;
    if (proto != 1 && is_left_open(d, proto, length, field)) {
        d->p->flags |= FT_PACKET_CHECKSUM_OPEN;
        return false;
    }
    d->p->flags |= FT_PACKET_L4_CHECKSUM_BAD;
    return d->config->checksum == FT_CHECKSUM_DROP;
}

static void set_ports(struct ft_packet *p, const uint8_t *header)
{
    p->src_port = ft_be16(header);
    p->dst_port = ft_be16(header + 2);
}

/* Ports (4), sequence (4), acknowledgement (4), data offset and flags (2), window (2), ... */
enum ft_step ft_transport_tcp(struct ft_decoder *d)
{
    struct ft_packet *p = d->p;
    const uint8_t *header = ft_decoder_need(d, 20, FT_BUCKET_TCP_HEADER);

    if (!header)
        return FT_STEP_FAILED;

    uint32_t length = header[12] >> 4 << 2;

    if (length < 20)
        return ft_decoder_fail(d, FT_BUCKET_TCP_HEADER);
    if (!ft_decoder_need(d, length, FT_BUCKET_TCP_HEADER))
        return FT_STEP_FAILED;
    if (d->verify && is_checksum_refused(d, 6, ft_decoder_left(d), 16))
        return ft_decoder_fail(d, FT_BUCKET_L4_CHECKSUM);

    set_ports(p, header);
    p->flags |= FT_PACKET_TCP;
    p->tcp_seq = ft_be32(header + 4);
    p->tcp_ack = ft_be32(header + 8);
    p->tcp_flags = header[13];
    p->tcp_window = ft_be16(header + 14);
    d->at += length;
    return FT_STEP_DONE;
}

/* A checksum of 0 is none over IPv4; over IPv6 only tunnels may do that (RFC 6935). */
static bool is_udp_checksum_refused(struct ft_decoder *d, const uint8_t *header, uint32_t length,
                                    bool is_tunnel)
{
    bool is_none = header[6] == 0 && header[7] == 0;

    if (!d->verify || (is_none && (is_tunnel || d->p->flags & FT_PACKET_IPV4)))
        return false;
    return is_checksum_refused(d, 17, length, 6);
}

/* What reads the datagram behind the header, if its port and its bytes say that it is a tunnel. */
static enum ft_step udp_tunnel(struct ft_decoder *d)
{
    if (ft_tunnel_is_vxlan(d, d->p->dst_port))
        return FT_STEP_VXLAN;
    if (ft_tunnel_is_geneve(d, d->p->dst_port))
        return FT_STEP_GENEVE;
    return FT_STEP_DONE;
}

/* Ports (4), length with the header (2), checksum (2). */
enum ft_step ft_transport_udp(struct ft_decoder *d)
{
    struct ft_packet *p = d->p;
    const uint8_t *header = ft_decoder_need(d, 8, FT_BUCKET_UDP_HEADER);

    if (!header)
        return FT_STEP_FAILED;

    uint32_t length = ft_be16(header + 4);

    if (length == 0 && p->flags & FT_PACKET_IPV6) /* jumbogram (RFC 2675, 4) */
        length = ft_decoder_left(d);
    if (length < 8 || !ft_decoder_limit(d, length))
        return ft_decoder_fail(d, FT_BUCKET_UDP_HEADER);
    set_ports(p, header);
    p->flags |= FT_PACKET_UDP;
    d->at += 8;

    enum ft_step next = udp_tunnel(d);

    d->at -= 8;
    if (is_udp_checksum_refused(d, header, length, next != FT_STEP_DONE))
        return ft_decoder_fail(d, FT_BUCKET_L4_CHECKSUM);
    d->at += 8;
    return next;
}

/* As UDP, but the length is that of IP; the third field tells what the checksum covers. */
enum ft_step ft_transport_udp_lite(struct ft_decoder *d)
{
    const uint8_t *header = ft_decoder_need(d, 8, FT_BUCKET_UDP_HEADER);

    if (!header)
        return FT_STEP_FAILED;
    set_ports(d->p, header);
    d->at += 8;
    return FT_STEP_DONE;
}

/* Ports (4), verification tag (4), checksum (4); the payload is the chunks. */
enum ft_step ft_transport_sctp(struct ft_decoder *d)
{
    const uint8_t *header = ft_decoder_need(d, 12, FT_BUCKET_SCTP_HEADER);

    if (!header)
        return FT_STEP_FAILED;
    set_ports(d->p, header);
    d->at += 12;
    return FT_STEP_DONE;
}

/* Type (1), code (1), checksum (2), four bytes by type (RFC 792, RFC 4443); the payload is all. */
enum ft_step ft_transport_icmp(struct ft_decoder *d)
{
    struct ft_packet *p = d->p;
    bool is_v6 = d->proto == 58;
    const uint8_t *header = ft_decoder_need(d, is_v6 ? 4 : 8, FT_BUCKET_ICMP_HEADER);

    if (!header)
        return FT_STEP_FAILED;

    uint32_t length = ft_decoder_left(d);

    if (d->verify && is_checksum_refused(d, is_v6 ? 58 : 1, length, 2))
        return ft_decoder_fail(d, FT_BUCKET_L4_CHECKSUM);
    p->src_port = header[0];
    p->dst_port = header[1];
    return FT_STEP_DONE;
}

int ft_icmp_counterpart(uint16_t type, bool is_v6)
{
    static const uint8_t v4[][2] = {{8, 0}, {13, 14}, {15, 16}, {17, 18}, {10, 9}};
    static const uint8_t v6[][2] = {{128, 129}, {133, 134}, {135, 136},
                                    {130, 131}, {139, 140}, {144, 145}};
    const uint8_t(*pairs)[2] = is_v6 ? v6 : v4;
    size_t n = is_v6 ? sizeof(v6) / sizeof(v6[0]) : sizeof(v4) / sizeof(v4[0]);
    for (size_t i = 0; i < n; i++)
        for (int side = 0; side < 2; side++)
            if (pairs[i][side] == type)
                return pairs[i][!side];
    return -1;
}
