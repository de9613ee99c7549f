/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Builds Ethernet, IPv4, TCP, UDP, ICMP and ARP packets with right lengths and checksums.
 *
 * Every function takes a delay: 0 writes the packet now, more keeps a copy until its time has come,
 * for packets that must not overtake those of other actors (segments of one message, for example).
 */
#ifndef FT_PLANT_FRAME_H
#define FT_PLANT_FRAME_H

#include "plant.h"

/** A station on the network. Addresses in host order unless they are bytes. */
struct ft_host {
    uint8_t mac[6];
    uint16_t ip_id; /* counts up with every packet sent */
    uint32_t ip;
    uint16_t mss;    /* largest TCP payload it accepts */
    uint16_t window; /* TCP window it offers */
    uint8_t ttl;
};

enum {
    FT_TCP_FIN = 0x01,
    FT_TCP_SYN = 0x02,
    FT_TCP_RST = 0x04,
    FT_TCP_PSH = 0x08,
    FT_TCP_ACK = 0x10,
};

enum {
    FT_ETHERTYPE_IPV4 = 0x0800,
    FT_ETHERTYPE_ARP = 0x0806,
    FT_ETHERTYPE_VLAN = 0x8100,
    FT_ETHERTYPE_GOOSE = 0x88b8,
};

/** One TCP segment without its payload. */
struct ft_tcp {
    uint16_t src_port;
    uint16_t dst_port;
    uint32_t seq;
    uint32_t ack;
    uint8_t flags; /* FT_TCP_*; with SYN the sender's MSS option is added */
};

extern const uint8_t FT_MAC_BROADCAST[6];

/** Send a TCP segment; @len must fit the MSS of @dst. */
void ft_frame_tcp(struct ft_plant *plant, uint64_t delay, struct ft_host *src,
                  const struct ft_host *dst, const struct ft_tcp *tcp, const void *payload,
                  size_t len);

/** Send a UDP datagram of at most 1472 octets. */
void ft_frame_udp(struct ft_plant *plant, uint64_t delay, struct ft_host *src,
                  const struct ft_host *dst, uint16_t src_port, uint16_t dst_port,
                  const void *payload, size_t len);

/** Send an ICMP echo request (@type 8) or reply (0) with 56 octets of data. */
void ft_frame_echo(struct ft_plant *plant, uint64_t delay, struct ft_host *src,
                   const struct ft_host *dst, uint8_t type, uint16_t id, uint16_t seq);

/** ARP request of @src for @target_ip. With a sender address of 0 it is a probe (RFC 5227). */
void ft_frame_arp_request(struct ft_plant *plant, uint64_t delay, const struct ft_host *src,
                          uint32_t sender_ip, uint32_t target_ip);

/** ARP reply of @src to @dst. */
void ft_frame_arp_reply(struct ft_plant *plant, uint64_t delay, const struct ft_host *src,
                        const struct ft_host *dst);

/** Any payload under an Ethernet header; @type up to 1500 is the length of an 802.3 frame. */
void ft_frame_ethernet(struct ft_plant *plant, uint64_t delay, const uint8_t src[6],
                       const uint8_t dst[6], uint16_t type, const void *payload, size_t len);

/** Any payload under an Ethernet header with VLAN tag (@tci: priority and id). */
void ft_frame_vlan(struct ft_plant *plant, uint64_t delay, const uint8_t src[6],
                   const uint8_t dst[6], uint16_t tci, uint16_t ethertype, const void *payload,
                   size_t len);

#endif
