/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tunnels over IP: GRE (RFC 2784, 2890, 2637), ERSPAN (draft-foschiano-erspan), VXLAN (RFC 7348 and
 * its Generic Protocol Extension), GENEVE (RFC 8926), IP in IP (RFC 2003, 4213), EtherIP (RFC
 * 3378), MPLS in IP (RFC 4023).
 *
 * What a tunnel's header announces but this sensor does not read stays the payload of the packet
 * that carries it: a packet counts as tunnelled only when its inside is analysed.
 */
#include "packet/decoder.h"

enum {
    TYPE_IPV4 = 0x0800,
    TYPE_BRIDGING = 0x6558,
    TYPE_IPV6 = 0x86dd,
    TYPE_PPP = 0x880b,
    TYPE_MPLS = 0x8847,
    TYPE_MPLS_UPSTREAM = 0x8848,
    TYPE_ERSPAN = 0x88be, /* I and II */
    TYPE_ERSPAN3 = 0x22eb,
};

/* Keep the outermost addresses and forget what the headers so far said about the packet. */
static enum ft_step enter(struct ft_decoder *d, enum ft_tunnel tunnel, uint32_t id, uint32_t begin,
                          enum ft_step inside)
{
    struct ft_packet *p = d->p;

    if (p->outer.depth++ == 0) {
        p->outer.src = p->src;
        p->outer.dst = p->dst;
        p->outer.src_port = p->src_port;
        p->outer.dst_port = p->dst_port;
        p->outer.proto = p->proto;
        p->outer.is_ipv6 = (p->flags & FT_PACKET_IPV6) != 0;
    }
    p->outer.tunnel = (uint8_t)tunnel;
    p->outer.id = id;

    uint32_t about_outer = FT_PACKET_IPV4 | FT_PACKET_IPV6 | FT_PACKET_TCP | FT_PACKET_UDP |
                           FT_PACKET_LLC | FT_PACKET_SNAP | FT_PACKET_MULTICAST;

    p->flags = (p->flags & ~about_outer) | FT_PACKET_TUNNELLED;
    p->src = (union ft_ip){.words = {0}};
    p->dst = (union ft_ip){.words = {0}};
    p->src_port = p->dst_port = 0;
    p->proto = p->ttl = 0;
    p->ethertype = 0;
    p->snap = 0;
    if (inside == FT_STEP_ETHERNET) {
        /* The tags outside are those of the network between the tunnel's ends. */
        p->vlan_count = p->priority = 0;
        memset(p->vlan, 0, sizeof(p->vlan));
    }
    d->at = begin;
    d->opened = begin;
    return inside;
}

/* Which header an ethertype of a tunnel announces; DONE for those that stay payload. */
static enum ft_step inside_of(uint16_t type)
{
    switch (type) {
    case TYPE_IPV4:
        return FT_STEP_IPV4;
    case TYPE_IPV6:
        return FT_STEP_IPV6;
    case TYPE_BRIDGING:
        return FT_STEP_ETHERNET;
    case TYPE_MPLS:
    case TYPE_MPLS_UPSTREAM:
        return FT_STEP_MPLS;
    default:
        return FT_STEP_DONE;
    }
}

/* ---- GRE ----------------------------------------------------------------------------------- */

enum {
    GRE_CHECKSUM = 0x8000,
    GRE_ROUTING = 0x4000,
    GRE_KEY = 0x2000,
    GRE_SEQUENCE = 0x1000,
    GRE_ACK = 0x0080, /* version 1 */
    GRE_VERSION = 0x0007,
};

struct gre {
    uint32_t length; /* of the header */
    uint32_t key;
};

/*
 * Source route entries of RFC 1701: family (2), offset (1), length (1), address; one of family 0
 * and length 0 ends them.
 */
static bool skip_routes(struct ft_decoder *d, struct gre *gre)
{
    for (;;) {
        const uint8_t *header = ft_decoder_need(d, gre->length + 4, FT_BUCKET_TUNNEL);

        if (!header)
            return false;

        const uint8_t *entry = header + gre->length;

        gre->length += 4u + entry[3];
        if (ft_be16(entry) == 0 && entry[3] == 0)
            return true;
    }
}

/* Read the optional fields behind flags and protocol; false with the bucket set. */
static bool read_gre(struct ft_decoder *d, uint16_t flags, struct gre *gre)
{
    uint32_t key = flags & (GRE_CHECKSUM | GRE_ROUTING) ? 8 : 4;

    gre->length = key + (flags & GRE_KEY ? 4 : 0) + (flags & GRE_SEQUENCE ? 4 : 0);

    const uint8_t *header = ft_decoder_need(d, gre->length, FT_BUCKET_TUNNEL);

    if (!header)
        return false;
    if (flags & GRE_KEY)
        gre->key = ft_be32(header + key);
    return !(flags & GRE_ROUTING) || skip_routes(d, gre);
}

static enum ft_step gre_payload(struct ft_decoder *d, uint16_t flags, uint16_t type,
                                const struct gre *gre)
{
    uint32_t begin = d->at + gre->length;
    enum ft_step inside = inside_of(type);

    if (type == TYPE_ERSPAN3) {
        inside = FT_STEP_ERSPAN3;
    } else if (type == TYPE_ERSPAN) {
        if (!(flags & GRE_SEQUENCE)) /* type I: the frame follows at once */
            return enter(d, FT_TUNNEL_ERSPAN, 0, begin, FT_STEP_ETHERNET);
        inside = FT_STEP_ERSPAN2;
    } else if (type == TYPE_PPP) {
        inside = ft_link_ppp_peek(d, begin, &begin);
    }
    if (inside == FT_STEP_ERSPAN2 || inside == FT_STEP_ERSPAN3) {
        d->opened = d->at;
        d->at = begin;
        return inside;
    }
    if (inside == FT_STEP_DONE)
        return FT_STEP_DONE;
    return enter(d, FT_TUNNEL_GRE, gre->key, begin, inside);
}

/* Version 1 (RFC 2637): the key is payload length (2) and call (2); there may be an acknowledgement
 * behind the sequence; a header without payload acknowledges only. */
static enum ft_step gre_v1(struct ft_decoder *d, uint16_t flags)
{
    uint32_t length = 8 + (flags & GRE_SEQUENCE ? 4 : 0) + (flags & GRE_ACK ? 4 : 0);
    const uint8_t *header = ft_decoder_need(d, length, FT_BUCKET_TUNNEL);

    if (!header)
        return FT_STEP_FAILED;

    uint32_t payload = ft_be16(header + 4);

    if (!(flags & GRE_KEY) || (ft_decoder_is_bound(d) && payload > ft_decoder_left(d) - length))
        return ft_decoder_fail(d, FT_BUCKET_TUNNEL);
    if (payload == 0 || ft_be16(header + 2) != TYPE_PPP)
        return FT_STEP_DONE;
    return gre_payload(d, flags, TYPE_PPP,
                       &(struct gre){.length = length, .key = ft_be16(header + 6)});
}

/* Flags and version (2), protocol (2), then what the flags tell. */
enum ft_step ft_tunnel_gre(struct ft_decoder *d)
{
    const uint8_t *header = ft_decoder_need(d, 4, FT_BUCKET_TUNNEL);
    struct gre gre = {0};

    if (!header)
        return FT_STEP_FAILED;

    uint16_t flags = ft_be16(header);

    if ((flags & GRE_VERSION) == 1)
        return gre_v1(d, flags);
    if (flags & GRE_VERSION)
        return ft_decoder_fail(d, FT_BUCKET_TUNNEL);
    if (!read_gre(d, flags, &gre))
        return FT_STEP_FAILED;
    return gre_payload(d, flags, ft_be16(header + 2), &gre);
}

/* ---- ERSPAN -------------------------------------------------------------------------------- */

/* The switch that mirrored the frame may have cut it; then no length inside is a lie. */
static enum ft_step mirrored(struct ft_decoder *d, const uint8_t *header, uint32_t length,
                             enum ft_step inside)
{
    uint16_t tci = ft_be16(header), status = ft_be16(header + 2);
    bool is_cut = status & 0x0400;
    bool is_tag_inside = (status & 0x1800) == 0x1800;

    enter(d, FT_TUNNEL_ERSPAN, status & 0x3ff, d->at + length, inside);
    if (inside == FT_STEP_ETHERNET && !is_tag_inside && (tci & 0xfff))
        ft_link_add_vlan(d->p, (uint16_t)((tci & 0xfff) | (status & 0xe000)));
    if (is_cut) {
        d->end = d->at + FT_DECODER_OPEN_LENGTH;
        d->is_length_open = true;
    }
    return inside;
}

/* Version and VLAN (2), COS, encapsulation, cut, session (2), reserved and index (4). */
enum ft_step ft_tunnel_erspan2(struct ft_decoder *d)
{
    const uint8_t *header = ft_decoder_need(d, 8, FT_BUCKET_TUNNEL);

    if (!header)
        return FT_STEP_FAILED;
    if (header[0] >> 4 != 1)
        return ft_decoder_fail(d, FT_BUCKET_TUNNEL);
    return mirrored(d, header, 8, FT_STEP_ETHERNET);
}

/* As type II, then time stamp (4), group tag (2), frame type and more (2); with O 8 bytes more. */
enum ft_step ft_tunnel_erspan3(struct ft_decoder *d)
{
    enum {
        FRAME_ETHERNET = 0,
        FRAME_IP = 2
    };
    const uint8_t *header = ft_decoder_need(d, 12, FT_BUCKET_TUNNEL);

    if (!header)
        return FT_STEP_FAILED;

    uint16_t about = ft_be16(header + 10);
    bool has_subheader = about & 1, has_frame = about & 0x8000 || !has_subheader;
    uint32_t frame_type = about >> 10 & 0x1f, length = has_subheader ? 20 : 12;

    if (header[0] >> 4 != 2)
        return ft_decoder_fail(d, FT_BUCKET_TUNNEL);
    if (!ft_decoder_need(d, length, FT_BUCKET_TUNNEL))
        return FT_STEP_FAILED;
    /* There are switches that forget the P bit. */
    if (!has_frame && frame_type == FRAME_ETHERNET)
        has_frame = ft_link_is_plausible(d, d->at + length);
    if (!has_frame || (frame_type != FRAME_ETHERNET && frame_type != FRAME_IP)) {
        d->at = d->opened;
        return FT_STEP_DONE;
    }
    return mirrored(d, header, length, frame_type == FRAME_IP ? FT_STEP_IP : FT_STEP_ETHERNET);
}

/* ---- over UDP ------------------------------------------------------------------------------ */

enum {
    VXLAN_I = 0x08,   /* the VNI is valid */
    VXLAN_GPE = 0x04, /* the next protocol stands in the fourth byte */
    VXLAN_GBP = 0x80, /* group policy in bytes 2 to 4 */
};

/* The header a VXLAN GPE next protocol announces. */
static enum ft_step vxlan_gpe_inside(uint8_t next)
{
    switch (next) {
    case 1:
        return FT_STEP_IPV4;
    case 2:
        return FT_STEP_IPV6;
    case 3:
        return FT_STEP_ETHERNET;
    default:
        return FT_STEP_DONE;
    }
}

/*
 * The port alone proves nothing: any host may use it. The VNI flag must be set, and either all that
 * is reserved is zero, or what is inside makes sense nevertheless (a sender that sets reserved bits
 * is not to hide its frames by that).
 */
bool ft_tunnel_is_vxlan(const struct ft_decoder *d, uint16_t port)
{
    const uint16_t *ports = d->config->vxlan_ports;
    const uint8_t *header = d->data + d->at;

    if (port == 0 || (port != ports[0] && port != ports[1] && port != ports[2] && port != ports[3]))
        return false;
    if (ft_decoder_here(d) < 8 || !(header[0] & VXLAN_I))
        return false;
    if (header[0] & VXLAN_GPE)
        return vxlan_gpe_inside(header[3]) != FT_STEP_DONE && header[7] == 0;
    if (ft_decoder_here(d) < 8 + 14)
        return false;

    bool is_reserved_zero = !(header[0] & ~(VXLAN_I | VXLAN_GBP)) && header[7] == 0 &&
                            (header[0] & VXLAN_GBP || ft_be16(header + 2) == 0) &&
                            (header[0] & VXLAN_GBP || header[1] == 0);

    return is_reserved_zero || ft_link_is_plausible(d, d->at + 8);
}

/* Flags (1), reserved (3), VNI (3), reserved (1). */
enum ft_step ft_tunnel_vxlan(struct ft_decoder *d)
{
    const uint8_t *header = d->data + d->at;
    enum ft_step inside = header[0] & VXLAN_GPE ? vxlan_gpe_inside(header[3]) : FT_STEP_ETHERNET;

    return enter(d, FT_TUNNEL_VXLAN, ft_be32(header + 4) >> 8, d->at + 8, inside);
}

bool ft_tunnel_is_geneve(const struct ft_decoder *d, uint16_t port)
{
    const uint8_t *header = d->data + d->at;

    if (port == 0 || port != d->config->geneve_port || ft_decoder_here(d) < 8)
        return false;

    uint32_t length = 8 + (header[0] & 0x3fu) * 4;

    return header[0] >> 6 == 0 && (header[1] & 0x3f) == 0 && header[7] == 0 &&
           inside_of(ft_be16(header + 2)) != FT_STEP_DONE && length <= ft_decoder_here(d);
}

/* Version and options' length (1), flags (1), protocol (2), VNI (3), reserved (1), options. */
enum ft_step ft_tunnel_geneve(struct ft_decoder *d)
{
    const uint8_t *header = d->data + d->at;

    return enter(d, FT_TUNNEL_GENEVE, ft_be32(header + 4) >> 8, d->at + 8 + (header[0] & 0x3fu) * 4,
                 inside_of(ft_be16(header + 2)));
}

/* ---- straight over IP ---------------------------------------------------------------------- */

enum ft_step ft_tunnel_ipip(struct ft_decoder *d)
{
    return enter(d, FT_TUNNEL_IPIP, 0, d->at, d->proto == 4 ? FT_STEP_IPV4 : FT_STEP_IPV6);
}

enum ft_step ft_tunnel_mpls(struct ft_decoder *d)
{
    return enter(d, FT_TUNNEL_IPIP, 0, d->at, FT_STEP_MPLS);
}

/* Version 3 and reserved (2), then a frame. */
enum ft_step ft_tunnel_etherip(struct ft_decoder *d)
{
    const uint8_t *header = ft_decoder_need(d, 2, FT_BUCKET_TUNNEL);

    if (!header)
        return FT_STEP_FAILED;
    if (header[0] >> 4 != 3)
        return ft_decoder_fail(d, FT_BUCKET_TUNNEL);
    return enter(d, FT_TUNNEL_ETHERIP, 0, d->at + 2, FT_STEP_ETHERNET);
}
