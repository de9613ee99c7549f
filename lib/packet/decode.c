/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Decoding: the straight line for what most packets are (Ethernet, at most one VLAN tag, IPv4
 * without options, TCP or UDP), and the loop over headers for all others.
 */
#include "packet/checksum.h"
#include "packet/decoder.h"
#include "packet/hash.h"

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Flags of the source and the defragmenter, which outlive decoding. */
#define KEPT_FLAGS                                                                                 \
    (FT_PACKET_REASSEMBLED | FT_PACKET_FRAGMENT_OVERLAP | FT_PACKET_TICK | FT_PACKET_END |         \
     FT_PACKET_CHECKSUM_OPEN | FT_PACKET_STAMP)

void ft_decode_config_init(struct ft_decode_config *config)
{
    *config = (struct ft_decode_config){
        .checksum = FT_CHECKSUM_ACCEPT,
        .hash_seed = 0x0f1e1d7a,
        .vxlan_ports = {4789, 8472},
        .geneve_port = 6081,
    };
}

/*
 * Zero all that decoding sets but the flags. In two halves, because compilers make a loop or a
 * string instruction of the whole, which takes twice the time of the ten stores.
 */
static inline void clear(struct ft_packet *p)
{
    uint8_t *begin = (uint8_t *)p + offsetof(struct ft_packet, l3);
    const size_t size = sizeof(*p) - offsetof(struct ft_packet, l3), half = size / 2;

    memset(begin, 0, half);
    memset(begin + half, 0, size - half);
}

static inline uint32_t hash_vlan(const struct ft_decode_config *config, const struct ft_packet *p,
                                 uint32_t hash)
{
    if (LIKELY(!config->vlan_in_flow_key))
        return hash;
    return ft_crc32c_u64(hash, (uint64_t)p->vlan[0] << 16 | p->vlan[1]);
}

static inline uint32_t hash_v4(const struct ft_decode_config *config, const struct ft_packet *p,
                               uint16_t src_port, uint16_t dst_port)
{
    uint64_t a = (uint64_t)p->src.v4 << 16 | src_port, b = (uint64_t)p->dst.v4 << 16 | dst_port;

    return hash_vlan(config, p, ft_hash_short(config->hash_seed, a, b, p->proto));
}

/* ---- the straight line --------------------------------------------------------------------- */

static inline bool is_tunnel_port(const struct ft_decode_config *config, uint16_t port)
{
    return (port == config->vxlan_ports[0]) | (port == config->vxlan_ports[1]) |
           (port == config->vxlan_ports[2]) | (port == config->vxlan_ports[3]) |
           (port == config->geneve_port);
}

/* Bytes behind the IP packet may be padding, or end with (or 4 bytes before the end with) PRP. */
static inline bool may_be_prp(const uint8_t *data, uint32_t end, uint32_t caplen)
{
    return caplen - end >= 6 &&
           (ft_be16(data + caplen - 2) == 0x88fb || ft_be16(data + caplen - 6) == 0x88fb);
}

static inline uint32_t load32(const uint8_t *b)
{
    uint32_t x;

    memcpy(&x, b, 4);
    return x;
}

/* Are those of the IPv4 header of 20 bytes and of its TCP or UDP right? A UDP datagram may have
 * none. What is wrong is left to the loop, which says how. */
static inline bool are_checksums_right(const struct ft_packet *p, const uint8_t *ip, uint32_t total)
{
    uint64_t addresses = (uint64_t)load32(ip + 12) + load32(ip + 16);
    uint64_t sum = addresses + load32(ip) + load32(ip + 4) + load32(ip + 8);
    const uint8_t *header = ip + 20;
    uint32_t length = total - 20;

    if (!ft_checksum_is_right(sum))
        return false;
    if (p->flags & FT_PACKET_CHECKSUM_OPEN || (ip[9] == 17 && header[6] == 0 && header[7] == 0))
        return true;
    /* protocol and length of the pseudo-header, as words of the wire */
    sum = addresses + __builtin_bswap16((uint16_t)length) + __builtin_bswap16(ip[9]);
    return ft_checksum_is_right(ft_checksum_add(sum, header, length));
}

/*
 * True when p is what the straight line is for, and then decoded. False leaves p as it was: all
 * tests stand before the first write. Whatever is odd (cut, malformed, checksums wrong) is left to
 * the loop, which comes to the same result for what this function reads.
 */
static inline bool decode_straight(const struct ft_decode_config *config, struct ft_packet *p)
{
    const uint8_t *frame = p->data;
    uint32_t l3 = 14, tci = 0;

    if (UNLIKELY(p->caplen < 18 + 20 + 8 || p->linktype != FT_LINKTYPE_ETHERNET))
        return false;

    uint16_t type = ft_be16(frame + 12);

    if (type == 0x8100) {
        tci = 0x10000 | ft_be16(frame + 14);
        type = ft_be16(frame + 16);
        l3 = 18;
    }

    const uint8_t *ip = frame + l3;
    uint32_t total = ft_be16(ip + 2), l4 = l3 + 20;
    uint8_t proto = ip[9];

    /* The fragment test leaves DF and the reserved bit alone. */
    if (UNLIKELY(type != 0x0800 || ip[0] != 0x45 || (ft_be16(ip + 6) & 0x3fff) ||
                 l3 + total > p->caplen || total < 28 || may_be_prp(frame, l3 + total, p->caplen)))
        return false;

    const uint8_t *header = frame + l4;
    uint32_t header_len, flags = FT_PACKET_IPV4 | FT_PACKET_ETHERNET;
    uint16_t dst_port = ft_be16(header + 2);

    if (LIKELY(proto == 6)) {
        if (UNLIKELY(total < 40))
            return false;
        header_len = header[12] >> 4 << 2;
        if (UNLIKELY(header_len < 20 || header_len > total - 20))
            return false;
        flags |= FT_PACKET_TCP;
    } else {
        if (UNLIKELY(proto != 17 || ft_be16(header + 4) != total - 20 ||
                     is_tunnel_port(config, dst_port)))
            return false;
        header_len = 8;
        flags |= FT_PACKET_UDP;
    }

    if ((config->verify_checksums | (config->checksum != FT_CHECKSUM_ACCEPT)) &&
        UNLIKELY(!are_checksums_right(p, ip, total)))
        return false;
    clear(p);
    p->l3 = l3;
    p->payload = l4 + header_len;
    p->payload_len = total - 20 - header_len;
    p->payload_wirelen = p->payload_len;
    p->proto = proto;
    p->ttl = ip[8];
    p->ethertype = 0x0800;
    if (tci) {
        p->vlan_count = 1;
        p->vlan[0] = tci & 0xfff;
        p->priority = tci >> 13 & 7;
    }
    memcpy(p->dst_mac, frame, 6);
    memcpy(p->src_mac, frame + 6, 6);
    memcpy(&p->src.v4, ip + 12, 4);
    memcpy(&p->dst.v4, ip + 16, 4);
    p->src_port = ft_be16(header);
    p->dst_port = dst_port;
    if (LIKELY(proto == 6)) {
        p->tcp_seq = ft_be32(header + 4);
        p->tcp_ack = ft_be32(header + 8);
        p->tcp_flags = header[13];
        p->tcp_window = ft_be16(header + 14);
    }
    if (ft_packet_is_group_v4(p->dst.bytes) || ft_packet_is_broadcast_mac(frame))
        flags |= FT_PACKET_MULTICAST;
    p->flags = (p->flags & KEPT_FLAGS) | flags;
    p->flow_hash = hash_v4(config, p, p->src_port, dst_port);
    p->shard = ft_shard_fold(p->src.v4 ^ p->dst.v4);
    return true;
}

/* ---- the loop ------------------------------------------------------------------------------ */

static enum ft_step run(struct ft_decoder *d, enum ft_step step)
{
    switch (step) {
    case FT_STEP_ETHERNET:
        return ft_link_ethernet(d);
    case FT_STEP_TAG:
        return ft_link_tag(d);
    case FT_STEP_MACSEC:
        return ft_link_macsec(d);
    case FT_STEP_LLC:
        return ft_link_llc(d);
    case FT_STEP_MPLS:
        return ft_link_mpls(d);
    case FT_STEP_PPPOE:
        return ft_link_pppoe(d);
    case FT_STEP_IP:
        return ft_ip_any(d);
    case FT_STEP_IPV4:
        return ft_ip_v4(d);
    case FT_STEP_IPV6:
        return ft_ip_v6(d);
    case FT_STEP_EXTENSION:
        return ft_ip_extension(d);
    case FT_STEP_TCP:
        return ft_transport_tcp(d);
    case FT_STEP_UDP:
        return ft_transport_udp(d);
    case FT_STEP_UDP_LITE:
        return ft_transport_udp_lite(d);
    case FT_STEP_SCTP:
        return ft_transport_sctp(d);
    case FT_STEP_ICMP:
        return ft_transport_icmp(d);
    case FT_STEP_GRE:
        return ft_tunnel_gre(d);
    case FT_STEP_ERSPAN2:
        return ft_tunnel_erspan2(d);
    case FT_STEP_ERSPAN3:
        return ft_tunnel_erspan3(d);
    case FT_STEP_VXLAN:
        return ft_tunnel_vxlan(d);
    case FT_STEP_GENEVE:
        return ft_tunnel_geneve(d);
    case FT_STEP_IPIP:
        return ft_tunnel_ipip(d);
    case FT_STEP_ETHERIP:
        return ft_tunnel_etherip(d);
    case FT_STEP_MPLS_IN_IP:
        return ft_tunnel_mpls(d);
    case FT_STEP_DONE:
    case FT_STEP_FRAGMENT:
    case FT_STEP_FAILED:
        break;
    }
    return step;
}

static uint32_t hash_v6(const struct ft_decode_config *config, const struct ft_packet *p,
                        uint16_t src_port, uint16_t dst_port)
{
    int order = memcmp(p->src.bytes, p->dst.bytes, 16);
    bool is_swapped = order > 0 || (order == 0 && src_port > dst_port);
    const union ft_ip *a = is_swapped ? &p->dst : &p->src, *b = is_swapped ? &p->src : &p->dst;
    uint64_t ports =
        is_swapped ? (uint64_t)dst_port << 16 | src_port : (uint64_t)src_port << 16 | dst_port;
    uint32_t hash = ft_crc32c_u64(config->hash_seed, a->words[0]);

    hash = ft_crc32c_u64(hash, a->words[1]);
    hash = ft_crc32c_u64(hash, b->words[0]);
    hash = ft_crc32c_u64(hash, b->words[1]);
    return hash_vlan(config, p, ft_crc32c_u64(hash, ports | (uint64_t)p->proto << 48));
}

static uint32_t hash_mac(const struct ft_decode_config *config, const struct ft_packet *p)
{
    uint64_t a = 0, b = 0;

    memcpy(&a, p->src_mac, 6);
    memcpy(&b, p->dst_mac, 6);

    /* An answer over LLC swaps the two SAPs. */
    uint16_t type = p->flags & FT_PACKET_LLC ? 0 : p->ethertype;

    return hash_vlan(config, p, ft_hash_short(config->hash_seed, a, b, type));
}

/* Shard, hash and group flag, which depend on the innermost addresses. */
static void settle_addresses(const struct ft_decoder *d)
{
    struct ft_packet *p = d->p;
    /* A request and its answer differ in type, and fragments but the first have no ports. */
    bool has_ports = !(p->flags & FT_PACKET_FRAGMENT) && p->proto != 1 && p->proto != 58;
    uint16_t src_port = has_ports ? p->src_port : 0, dst_port = has_ports ? p->dst_port : 0;
    bool is_group;

    if (p->flags & FT_PACKET_IPV4) {
        p->shard = ft_shard_ip(&p->src, &p->dst, false);
        p->flow_hash = hash_v4(d->config, p, src_port, dst_port);
        is_group = ft_packet_is_group_v4(p->dst.bytes);
    } else if (p->flags & FT_PACKET_IPV6) {
        p->shard = ft_shard_ip(&p->src, &p->dst, true);
        p->flow_hash = hash_v6(d->config, p, src_port, dst_port);
        is_group = p->dst.bytes[0] == 0xff;
    } else {
        p->shard = ft_shard_mac(p->src_mac, p->dst_mac);
        p->flow_hash = hash_mac(d->config, p);
        is_group = p->dst_mac[0] & 1;
    }
    if (is_group || ft_packet_is_broadcast_mac(p->dst_mac))
        p->flags |= FT_PACKET_MULTICAST;
}

static void settle_payload(const struct ft_decoder *d)
{
    struct ft_packet *p = d->p;

    p->payload = d->at;
    p->payload_len = ft_decoder_here(d);
    p->payload_wirelen = d->is_length_open ? p->payload_len : ft_decoder_left(d);
    if (d->is_length_open || p->payload_len < p->payload_wirelen)
        p->flags |= FT_PACKET_CUT;
    if (!(p->flags & (FT_PACKET_IPV4 | FT_PACKET_IPV6)))
        p->l3 = p->flags & FT_PACKET_LLC ? d->llc : p->payload;
}

__attribute__((noinline)) enum ft_decode_result ft_packet_decode_loop(
    const struct ft_decode_config *config, struct ft_packet *p)
{
    struct ft_decoder d = {
        .config = config,
        .p = p,
        .data = p->data,
        .caplen = p->caplen,
        .end = p->wirelen > p->caplen ? p->wirelen : p->caplen,
        .whole = p->flags & FT_PACKET_REASSEMBLED ? p->l3 : 0,
        .verify = config->verify_checksums || config->checksum == FT_CHECKSUM_DROP,
        .is_open = (p->flags & FT_PACKET_CHECKSUM_OPEN) != 0,
    };

    clear(p);
    p->flags &= KEPT_FLAGS;

    enum ft_step step = ft_link_begin(&d);

    for (unsigned layers = 0; step >= FT_STEP_NEXT; layers++)
        step = layers < FT_PACKET_LAYERS ? run(&d, step)
                                         : ft_decoder_fail(&d, FT_BUCKET_TOO_MANY_LAYERS);
    if (step == FT_STEP_FAILED)
        return FT_DECODE_FAILED;
    settle_payload(&d);
    settle_addresses(&d);
    return step == FT_STEP_FRAGMENT ? FT_DECODE_FRAGMENT : FT_DECODED;
}

enum ft_decode_result ft_packet_decode(const struct ft_decode_config *config, struct ft_packet *p)
{
    if (LIKELY(decode_straight(config, p)))
        return FT_DECODED;
    return ft_packet_decode_loop(config, p);
}
