/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Layer 2: link types, Ethernet and its tags, LLC and SNAP, MPLS, PPPoE.
 *
 * IEEE 802.3, 802.1Q, 802.1ah, 802.1AE, 802.1BR, 802.1CB, 802.2; IEC 62439-3 (HSR, PRP);
 * RFC 3032, 4385 (MPLS), RFC 2516 (PPPoE).
 */
#include "packet/decoder.h"

enum {
    TYPE_IPV4 = 0x0800,
    TYPE_ARP = 0x0806,
    TYPE_BRIDGING = 0x6558, /* a whole Ethernet frame */
    TYPE_VLAN = 0x8100,
    TYPE_IPX = 0x8137,
    TYPE_IPV6 = 0x86dd,
    TYPE_MPLS = 0x8847,
    TYPE_MPLS_UPSTREAM = 0x8848,
    TYPE_PPPOE_SESSION = 0x8864,
    TYPE_JUMBO_LLC = 0x8870,
    TYPE_SERVICE_VLAN = 0x88a8,
    TYPE_MACSEC = 0x88e5,
    TYPE_PBB = 0x88e7,
    TYPE_FABRICPATH = 0x8903,
    TYPE_CISCO_METADATA = 0x8909,
    TYPE_VN_TAG = 0x8926,
    TYPE_HSR = 0x892f,
    TYPE_E_TAG = 0x893f,
    TYPE_VLAN_9100 = 0x9100,
    TYPE_VLAN_9200 = 0x9200,
    TYPE_VLAN_9300 = 0x9300,
    TYPE_R_TAG = 0xf1c1,
};

/* ---- ethertypes ---------------------------------------------------------------------------- */

static bool is_vlan(uint16_t type)
{
    return type == TYPE_VLAN || type == TYPE_SERVICE_VLAN || type == TYPE_VLAN_9100 ||
           type == TYPE_VLAN_9200 || type == TYPE_VLAN_9300;
}

enum ft_step ft_link_type(struct ft_decoder *d, uint16_t ethertype)
{
    d->type = ethertype;
    d->p->ethertype = ethertype;
    d->opened = d->at;
    switch (ethertype) {
    case TYPE_IPV4:
        return FT_STEP_IPV4;
    case TYPE_IPV6:
        return FT_STEP_IPV6;
    case TYPE_VLAN:
    case TYPE_SERVICE_VLAN:
    case TYPE_VLAN_9100:
    case TYPE_VLAN_9200:
    case TYPE_VLAN_9300:
    case TYPE_PBB:
    case TYPE_FABRICPATH:
    case TYPE_CISCO_METADATA:
    case TYPE_VN_TAG:
    case TYPE_HSR:
    case TYPE_E_TAG:
    case TYPE_R_TAG:
        return FT_STEP_TAG;
    case TYPE_BRIDGING:
        return FT_STEP_ETHERNET;
    case TYPE_MPLS:
    case TYPE_MPLS_UPSTREAM:
        return FT_STEP_MPLS;
    case TYPE_PPPOE_SESSION:
        return FT_STEP_PPPOE;
    case TYPE_JUMBO_LLC:
        return FT_STEP_LLC;
    case TYPE_MACSEC:
        return FT_STEP_MACSEC;
    default:
        return FT_STEP_DONE;
    }
}

/*
 * The type/length field of a frame: a length up to 1500, else a type. Bridges from BACnet MS/TP
 * count the 14 bytes of the header too: such a length goes past the end, but by no more.
 */
static enum ft_step type_or_length(struct ft_decoder *d, uint16_t field)
{
    if (field >= 0x0600)
        return ft_link_type(d, field);
    if (field > 0x05dc)
        return ft_decoder_fail(d, FT_BUCKET_ETHERNET);
    if (!ft_decoder_limit(d, field) && field > ft_decoder_left(d) + 14)
        return ft_decoder_fail(d, FT_BUCKET_ETHERNET);
    return FT_STEP_LLC;
}

/* ---- Ethernet ------------------------------------------------------------------------------ */

/*
 * The LSDU ends with the redundancy control trailer: sequence (2), LAN (4 bits), LSDU size with the
 * trailer (12 bits), 88fb. An FCS may follow that the capture has kept. Bytes that happen to be
 * 88fb do not also tell the size of the frame.
 */
static void remove_prp_trailer(struct ft_decoder *d)
{
    uint32_t lsdu = 14;

    if (d->caplen < d->end)
        return;
    while (lsdu + 4 <= d->end && is_vlan(ft_be16(d->data + lsdu - 2)))
        lsdu += 4;
    for (uint32_t fcs = 0; fcs <= 4 && d->end >= lsdu + 6 + fcs; fcs += 4) {
        const uint8_t *trailer = d->data + d->end - fcs - 6;
        uint32_t lan = trailer[2] >> 4, size = ft_be16(trailer + 2) & 0xfff;

        if (ft_be16(trailer + 4) != 0x88fb || (lan != 0xa && lan != 0xb) ||
            size != d->end - fcs - lsdu)
            continue;
        d->end -= fcs + 6;
        d->p->flags |= FT_PACKET_PRP | (lan == 0xb ? FT_PACKET_PRP_B : 0);
        return;
    }
}

enum ft_step ft_link_ethernet(struct ft_decoder *d)
{
    const uint8_t *header = ft_decoder_need(d, 14, FT_BUCKET_ETHERNET);

    if (!header)
        return FT_STEP_FAILED;
    if (d->at == 0)
        remove_prp_trailer(d);
    memcpy(d->p->dst_mac, header, 6);
    memcpy(d->p->src_mac, header + 6, 6);
    d->p->flags |= FT_PACKET_ETHERNET;
    d->at += 14;
    return type_or_length(d, ft_be16(header + 12));
}

void ft_link_add_vlan(struct ft_packet *p, uint16_t tci)
{
    if (p->vlan_count < FT_PACKET_VLANS)
        p->vlan[p->vlan_count++] = tci & 0xfff;
    p->priority = tci >> 13;
}

/* Bytes between the type that announces a tag and the next type. */
static uint32_t tag_length(uint16_t type)
{
    switch (type) {
    case TYPE_VN_TAG: /* two virtual interfaces */
    case TYPE_HSR:    /* path and size, sequence */
    case TYPE_R_TAG:  /* reserved, sequence */
        return 4;
    case TYPE_E_TAG:
    case TYPE_CISCO_METADATA:
        return 6;
    default:
        return 2;
    }
}

/* These two carry a whole frame behind their 4 and 2 bytes. */
static enum ft_step encapsulated_frame(struct ft_decoder *d, uint32_t length)
{
    if (!ft_decoder_need(d, length, FT_BUCKET_TAG))
        return FT_STEP_FAILED;
    d->at += length;
    return FT_STEP_ETHERNET;
}

enum ft_step ft_link_tag(struct ft_decoder *d)
{
    if (d->type == TYPE_PBB)
        return encapsulated_frame(d, 4);
    if (d->type == TYPE_FABRICPATH)
        return encapsulated_frame(d, 2);

    uint32_t length = tag_length(d->type);
    const uint8_t *tag = ft_decoder_need(d, length + 2, FT_BUCKET_TAG);

    if (!tag)
        return FT_STEP_FAILED;
    if (is_vlan(d->type))
        ft_link_add_vlan(d->p, ft_be16(tag));
    if (d->type == TYPE_HSR)
        d->p->flags |= FT_PACKET_HSR;
    d->at += length + 2;
    return type_or_length(d, ft_be16(tag + length));
}

/*
 * 802.1AE 9.3: TCI and AN (1), short length (1), packet number (4), SCI (8) when SC is set; the
 * secured type and data; ICV. With neither E nor C the data is in the clear.
 */
enum ft_step ft_link_macsec(struct ft_decoder *d)
{
    enum {
        VERSION = 0x80,
        SC = 0x20,
        E = 0x08,
        C = 0x04,
        ICV_LEN = 16
    };
    const uint8_t *tag = ft_decoder_need(d, 6, FT_BUCKET_TAG);

    if (!tag)
        return FT_STEP_FAILED;
    if (tag[0] & VERSION)
        return ft_decoder_fail(d, FT_BUCKET_TAG);
    if (tag[0] & (E | C)) {
        d->p->bucket = FT_BUCKET_ENCRYPTED;
        return FT_STEP_DONE;
    }

    uint32_t length = tag[0] & SC ? 14 : 6, secured = tag[1] & 0x3f;

    if (!ft_decoder_need(d, length, FT_BUCKET_TAG))
        return FT_STEP_FAILED;
    d->at += length;
    if (!secured && ft_decoder_left(d) >= 2 + ICV_LEN)
        secured = ft_decoder_left(d) - ICV_LEN;
    if (!ft_decoder_limit(d, secured))
        return ft_decoder_fail(d, FT_BUCKET_TAG);
    tag = ft_decoder_need(d, 2, FT_BUCKET_TAG);
    if (!tag)
        return FT_STEP_FAILED;
    d->at += 2;
    return type_or_length(d, ft_be16(tag));
}

/* ---- 802.2 --------------------------------------------------------------------------------- */

/* OUI (3), PID (2). */
static enum ft_step snap(struct ft_decoder *d)
{
    const uint8_t *header = ft_decoder_need(d, 8, FT_BUCKET_ETHERNET);

    if (!header)
        return FT_STEP_FAILED;

    uint32_t oui = ft_be32(header + 2) & 0xffffff;
    uint16_t pid = ft_be16(header + 6);

    d->at += 8;
    d->p->flags |= FT_PACKET_SNAP;
    d->p->snap = (uint64_t)oui << 16 | pid;

    /* RFC 1042 and the tunnel of 802.1H: the PID is an ethertype. */
    if ((oui == 0x000000 || oui == 0x0000f8) && pid >= 0x0600) {
        d->p->flags &= ~FT_PACKET_LLC;
        return ft_link_type(d, pid);
    }
    /* 802.1: a bridged frame, with and without FCS. */
    if (oui == 0x0080c2 && (pid == 0x0001 || pid == 0x0007)) {
        d->p->flags &= ~(FT_PACKET_LLC | FT_PACKET_SNAP);
        return FT_STEP_ETHERNET;
    }
    return FT_STEP_DONE;
}

enum ft_step ft_link_llc(struct ft_decoder *d)
{
    const uint8_t *header = ft_decoder_need(d, 3, FT_BUCKET_ETHERNET);

    if (!header)
        return FT_STEP_FAILED;
    if (header[0] == 0xff && header[1] == 0xff) { /* Novell: IPX without LLC */
        d->p->ethertype = TYPE_IPX;
        return FT_STEP_DONE;
    }
    d->llc = d->at;
    d->p->flags |= FT_PACKET_LLC;
    d->p->ethertype = ft_be16(header);
    if (header[0] == 0xaa && header[1] == 0xaa && header[2] == 0x03)
        return snap(d);

    uint32_t length = (header[2] & 3) == 3 ? 3 : 4;

    if (!ft_decoder_need(d, length, FT_BUCKET_ETHERNET))
        return FT_STEP_FAILED;
    d->at += length;
    return FT_STEP_DONE;
}

/* ---- MPLS ---------------------------------------------------------------------------------- */

static bool is_plausible_ip(const struct ft_decoder *d, uint32_t at)
{
    const uint8_t *b = d->data + at;

    if (at + 20 > d->end || at + 20 > d->caplen)
        return false;
    if (b[0] >> 4 == 6)
        return at + 40 + ft_be16(b + 4) <= d->end;
    return b[0] >> 4 == 4 && (b[0] & 15) >= 5 && at + ft_be16(b + 2) <= d->end;
}

bool ft_link_is_plausible(const struct ft_decoder *d, uint32_t at)
{
    uint32_t here = d->end < d->caplen ? d->end : d->caplen;

    if (at + 18 > here)
        return false;

    uint16_t type = ft_be16(d->data + at + 12);

    if (type == TYPE_IPV4 || type == TYPE_IPV6)
        return is_plausible_ip(d, at + 14);
    if (type == TYPE_ARP) /* hardware Ethernet, protocol IPv4 */
        return ft_be32(d->data + at + 14) == 0x00010800;
    return is_vlan(type);
}

/*
 * What is behind the last label is known to the label's end points only. RFC 4928: IP shows its
 * version in the first digit, a pseudowire's control word 0, its associated channel 1. A pseudowire
 * without control word begins with any MAC address.
 */
static enum ft_step mpls_payload(struct ft_decoder *d)
{
    if (ft_decoder_here(d) == 0)
        return FT_STEP_DONE;

    uint8_t digit = d->data[d->at] >> 4;
    bool is_frame = ft_link_is_plausible(d, d->at);
    bool is_controlled_frame = digit == 0 && ft_link_is_plausible(d, d->at + 4);

    if (is_plausible_ip(d, d->at))
        return FT_STEP_IP;
    if (is_frame && !is_controlled_frame)
        return FT_STEP_ETHERNET;
    if (digit == 4 || digit == 6)
        return FT_STEP_IP;
    if (digit == 0 && ft_decoder_left(d) >= 4 + 14 && ft_decoder_here(d) >= 4) {
        d->at += 4;
        return FT_STEP_ETHERNET;
    }
    d->at = d->opened;
    d->p->ethertype = TYPE_MPLS;
    return FT_STEP_DONE;
}

/* One label: label (20 bits), traffic class (3), bottom of stack (1), TTL (8). */
enum ft_step ft_link_mpls(struct ft_decoder *d)
{
    const uint8_t *label = ft_decoder_need(d, 4, FT_BUCKET_TAG);

    if (!label)
        return FT_STEP_FAILED;
    d->at += 4;
    return label[2] & 1 ? mpls_payload(d) : FT_STEP_MPLS;
}

/* ---- PPP ----------------------------------------------------------------------------------- */

enum ft_step ft_link_ppp_peek(const struct ft_decoder *d, uint32_t at, uint32_t *begin)
{
    uint32_t here = d->end < d->caplen ? d->end : d->caplen;

    /* Address and control, when they are not compressed (RFC 1661, 6.6). */
    if (at + 2 <= here && ft_be16(d->data + at) == 0xff03)
        at += 2;
    if (at + 2 > here)
        return FT_STEP_DONE;

    /* An odd first byte is a protocol of one byte (RFC 1661, 6.5). */
    bool is_short = d->data[at] & 1;
    uint16_t proto = is_short ? d->data[at] : ft_be16(d->data + at);

    *begin = at + (is_short ? 1 : 2);
    switch (proto) {
    case 0x0021:
        return FT_STEP_IPV4;
    case 0x0057:
        return FT_STEP_IPV6;
    default:
        return FT_STEP_DONE;
    }
}

/* Version and type (1), code (1), session (2), length (2); PPP. */
enum ft_step ft_link_pppoe(struct ft_decoder *d)
{
    const uint8_t *header = ft_decoder_need(d, 6, FT_BUCKET_TAG);
    uint32_t begin;

    if (!header)
        return FT_STEP_FAILED;

    uint32_t length = ft_be16(header + 4);

    if (header[0] != 0x11 || header[1] != 0)
        return ft_decoder_fail(d, FT_BUCKET_TAG);
    if (!ft_decoder_limit(d, 6 + length))
        return ft_decoder_fail(d, FT_BUCKET_TAG);

    enum ft_step step = ft_link_ppp_peek(d, d->at + 6, &begin);

    if (step != FT_STEP_DONE)
        d->at = begin;
    return step;
}

/* ---- link types ---------------------------------------------------------------------------- */

/* The family is a 32-bit number in the byte order of the machine that captured. */
static enum ft_step begin_null(struct ft_decoder *d)
{
    const uint8_t *header = ft_decoder_need(d, 4, FT_BUCKET_LINKTYPE);

    if (!header)
        return FT_STEP_FAILED;

    uint32_t family = ft_be32(header);

    if (family > 0xffff)
        family = __builtin_bswap32(family);
    d->at += 4;
    switch (family) {
    case 2:
        return FT_STEP_IPV4;
    case 10: /* Linux */
    case 23: /* Windows */
    case 24: /* NetBSD, OpenBSD */
    case 26: /* Solaris */
    case 28: /* FreeBSD */
    case 30: /* Darwin */
        return FT_STEP_IPV6;
    default:
        return ft_decoder_fail(d, FT_BUCKET_LINKTYPE);
    }
}

/* The protocol field of SLL: an ethertype, or one of Linux' own numbers below. */
static enum ft_step begin_sll_type(struct ft_decoder *d, uint16_t hardware, uint16_t type)
{
    enum {
        HARDWARE_NETLINK = 824,
        HARDWARE_80211 = 801,
        HARDWARE_80211_RADIOTAP = 803,
        TYPE_LINUX_802_2 = 4,
        TYPE_LINUX_802_3 = 1
    };

    /* Netlink has no ethertype, 802.11 a header of its own before LLC. */
    if (hardware == HARDWARE_NETLINK ||
        (hardware >= HARDWARE_80211 && hardware <= HARDWARE_80211_RADIOTAP))
        return ft_decoder_fail(d, FT_BUCKET_LINKTYPE);
    if (type == TYPE_LINUX_802_2 || type == TYPE_LINUX_802_3)
        return FT_STEP_LLC;
    return ft_link_type(d, type);
}

static void sll_sender(struct ft_packet *p, uint16_t packet_type, const uint8_t *address,
                       uint16_t length)
{
    enum {
        BROADCAST = 1,
        MULTICAST = 2
    };

    if (length == 6)
        memcpy(p->src_mac, address, 6);
    if (packet_type == BROADCAST || packet_type == MULTICAST)
        p->flags |= FT_PACKET_MULTICAST;
}

/* Packet type (2), hardware (2), address length (2), address (8), protocol (2). */
static enum ft_step begin_sll(struct ft_decoder *d)
{
    const uint8_t *header = ft_decoder_need(d, 16, FT_BUCKET_LINKTYPE);

    if (!header)
        return FT_STEP_FAILED;
    sll_sender(d->p, ft_be16(header), header + 6, ft_be16(header + 4));
    d->at += 16;
    return begin_sll_type(d, ft_be16(header + 2), ft_be16(header + 14));
}

/* Protocol (2), reserved (2), interface (4), hardware (2), packet type, length, address (8). */
static enum ft_step begin_sll2(struct ft_decoder *d)
{
    const uint8_t *header = ft_decoder_need(d, 20, FT_BUCKET_LINKTYPE);

    if (!header)
        return FT_STEP_FAILED;
    sll_sender(d->p, header[10], header + 12, header[11]);
    d->at += 20;
    return begin_sll_type(d, ft_be16(header + 8), ft_be16(header));
}

enum ft_step ft_link_begin(struct ft_decoder *d)
{
    switch (d->p->linktype) {
    case FT_LINKTYPE_ETHERNET:
        return FT_STEP_ETHERNET;
    case FT_LINKTYPE_NULL:
    case FT_LINKTYPE_LOOP:
        return begin_null(d);
    case FT_LINKTYPE_RAW:
    case FT_LINKTYPE_RAW_BSD:
    case FT_LINKTYPE_RAW_OPENBSD:
        return FT_STEP_IP;
    case FT_LINKTYPE_IPV4:
        return FT_STEP_IPV4;
    case FT_LINKTYPE_IPV6:
        return FT_STEP_IPV6;
    case FT_LINKTYPE_LINUX_SLL:
        return begin_sll(d);
    case FT_LINKTYPE_LINUX_SLL2:
        return begin_sll2(d);
    default:
        return ft_decoder_fail(d, FT_BUCKET_LINKTYPE);
    }
}
