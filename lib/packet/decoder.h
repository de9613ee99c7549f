/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The decoder's general loop, shared by the files that read one family of headers each. Private to
 * lib/packet.
 *
 * Every header has a function that reads it at `at`, moves `at` behind it and names the step that
 * reads the next one; ft_packet_decode() runs the steps and bounds their number. A function that
 * cannot read its header calls ft_decoder_fail(). No function calls another header's function.
 */
#ifndef FT_DECODER_H
#define FT_DECODER_H

#include "packet/packet.h"

#include <string.h>

/** The next header, or how decoding ended. */
enum ft_step {
    FT_STEP_DONE = 0, /**< the payload is at `at` */
    FT_STEP_FRAGMENT,
    FT_STEP_FAILED, /**< p->bucket says why */
    FT_STEP_NEXT,   /**< first of the headers */
    FT_STEP_ETHERNET = FT_STEP_NEXT,
    FT_STEP_TAG, /**< decoder->type says which */
    FT_STEP_MACSEC,
    FT_STEP_LLC,
    FT_STEP_MPLS,
    FT_STEP_PPPOE,
    FT_STEP_IP, /**< version by its first digit */
    FT_STEP_IPV4,
    FT_STEP_IPV6,
    FT_STEP_EXTENSION, /**< decoder->proto says which */
    FT_STEP_TCP,
    FT_STEP_UDP,
    FT_STEP_UDP_LITE,
    FT_STEP_SCTP,
    FT_STEP_ICMP,
    FT_STEP_GRE,
    FT_STEP_ERSPAN2,
    FT_STEP_ERSPAN3,
    FT_STEP_VXLAN,
    FT_STEP_GENEVE,
    FT_STEP_IPIP,
    FT_STEP_ETHERIP,
    FT_STEP_MPLS_IN_IP,
};

struct ft_decoder {
    const struct ft_decode_config *config;
    struct ft_packet *p;
    const uint8_t *data;
    uint32_t at;     /**< offset of the next header; at <= end, at <= caplen */
    uint32_t end;    /**< offset where the current layer ends on the wire; may lie over caplen */
    uint32_t caplen; /**< bytes at data */
    uint32_t llc;    /**< offset of the innermost 802.2 header */
    uint32_t opened; /**< offset behind the ethertype in p->ethertype, for what is not read */
    /**
     * Of a packet from the defragmenter: offset of the IP header it wrote. The lengths in the
     * headers before it are those of one fragment, so they bound nothing.
     */
    uint32_t whole;
    uint16_t type;       /**< ethertype of FT_STEP_TAG */
    uint8_t proto;       /**< IP protocol of FT_STEP_EXTENSION and transport headers */
    bool is_rerouted;    /**< the pseudo-header has another destination than the header */
    bool is_length_open; /**< the mirror cut the frame: `end` is not known, only assumed */
    bool verify;         /**< checksums */
    bool is_open;        /**< the source knows that those of layer 4 were not computed yet */
};

/** Where the length of a frame that a mirror cut is assumed to be beyond. */
#define FT_DECODER_OPEN_LENGTH 0x100000u

/** ft_packet_decode() by the loop alone, without the straight line: for tests that compare them. */
enum ft_decode_result ft_packet_decode_loop(const struct ft_decode_config *config,
                                            struct ft_packet *p);

static inline uint16_t ft_be16(const uint8_t *b)
{
    uint16_t x;

    memcpy(&x, b, 2);
    return __builtin_bswap16(x);
}

static inline uint32_t ft_be32(const uint8_t *b)
{
    uint32_t x;

    memcpy(&x, b, 4);
    return __builtin_bswap32(x);
}

static inline enum ft_step ft_decoder_fail(struct ft_decoder *d, enum ft_bucket bucket)
{
    d->p->bucket = bucket;
    return FT_STEP_FAILED;
}

/** Bytes of the current layer on the wire, from `at` on. */
static inline uint32_t ft_decoder_left(const struct ft_decoder *d)
{
    return d->end - d->at;
}

/** Bytes of the current layer that are here, from `at` on. */
static inline uint32_t ft_decoder_here(const struct ft_decoder *d)
{
    return (d->end < d->caplen ? d->end : d->caplen) - d->at;
}

/** The bytes at `at` when n of them are here; else NULL, and p->bucket is `malformed` or CUT. */
static inline const uint8_t *ft_decoder_need(struct ft_decoder *d, uint32_t n,
                                             enum ft_bucket malformed)
{
    if (n <= ft_decoder_here(d))
        return d->data + d->at;
    d->p->bucket = n <= ft_decoder_left(d) ? FT_BUCKET_CUT : malformed;
    return NULL;
}

/** True when the lengths of the headers at `at` hold (see `whole`). */
static inline bool ft_decoder_is_bound(const struct ft_decoder *d)
{
    return d->at >= d->whole;
}

/** The layer ends `length` bytes behind `at`; false when the wire has fewer. */
static inline bool ft_decoder_limit(struct ft_decoder *d, uint32_t length)
{
    if (!ft_decoder_is_bound(d))
        return true;
    if (length > ft_decoder_left(d))
        return false;
    d->end = d->at + length;
    d->is_length_open = false;
    return true;
}

/** 224.0.0.0/4 or 255.255.255.255. */
static inline bool ft_packet_is_group_v4(const uint8_t address[4])
{
    return (address[0] & 0xf0) == 0xe0 || ft_be32(address) == 0xffffffff;
}

static inline bool ft_packet_is_broadcast_mac(const uint8_t mac[6])
{
    return ft_be32(mac) == 0xffffffff && ft_be16(mac + 4) == 0xffff;
}

/** What reads the header that `ethertype` announces; DONE (with the payload) when nothing does. */
enum ft_step ft_link_type(struct ft_decoder *d, uint16_t ethertype);

/** What reads the header that IP protocol `proto` announces; DONE when nothing does. */
enum ft_step ft_ip_proto(struct ft_decoder *d, uint8_t proto);

/**
 * True when an Ethernet frame seems to stand at `at` (an offset from data): with a tag, an ARP or
 * IP header that makes sense behind it. For headers that do not say what follows them.
 */
bool ft_link_is_plausible(const struct ft_decoder *d, uint32_t at);

/** What reads the PPP packet at `at`, and where it begins; DONE when it is not IP. */
enum ft_step ft_link_ppp_peek(const struct ft_decoder *d, uint32_t at, uint32_t *begin);

/** Add a VLAN id below those seen. */
void ft_link_add_vlan(struct ft_packet *p, uint16_t tci);

/** Begin at a link type. */
enum ft_step ft_link_begin(struct ft_decoder *d);

/** True when the port announces a tunnel whose header stands at `at` and makes sense. */
bool ft_tunnel_is_vxlan(const struct ft_decoder *d, uint16_t port);
bool ft_tunnel_is_geneve(const struct ft_decoder *d, uint16_t port);

/** One header each. */
enum ft_step ft_link_ethernet(struct ft_decoder *d);
enum ft_step ft_link_tag(struct ft_decoder *d);
enum ft_step ft_link_macsec(struct ft_decoder *d);
enum ft_step ft_link_llc(struct ft_decoder *d);
enum ft_step ft_link_mpls(struct ft_decoder *d);
enum ft_step ft_link_pppoe(struct ft_decoder *d);
enum ft_step ft_ip_any(struct ft_decoder *d);
enum ft_step ft_ip_v4(struct ft_decoder *d);
enum ft_step ft_ip_v6(struct ft_decoder *d);
enum ft_step ft_ip_extension(struct ft_decoder *d);
enum ft_step ft_transport_tcp(struct ft_decoder *d);
enum ft_step ft_transport_udp(struct ft_decoder *d);
enum ft_step ft_transport_udp_lite(struct ft_decoder *d);
enum ft_step ft_transport_sctp(struct ft_decoder *d);
enum ft_step ft_transport_icmp(struct ft_decoder *d);
enum ft_step ft_tunnel_gre(struct ft_decoder *d);
enum ft_step ft_tunnel_erspan2(struct ft_decoder *d);
enum ft_step ft_tunnel_erspan3(struct ft_decoder *d);
enum ft_step ft_tunnel_vxlan(struct ft_decoder *d);
enum ft_step ft_tunnel_geneve(struct ft_decoder *d);
enum ft_step ft_tunnel_ipip(struct ft_decoder *d);
enum ft_step ft_tunnel_etherip(struct ft_decoder *d);
enum ft_step ft_tunnel_mpls(struct ft_decoder *d);

#endif
