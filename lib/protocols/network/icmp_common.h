/* SPDX-License-Identifier: BSD-3-Clause */
/* What ICMP and ICMPv6 share: checksum, echo data, the packet that an error quotes. */
#ifndef FT_PROTOCOLS_ICMP_COMMON_H
#define FT_PROTOCOLS_ICMP_COMMON_H

#include <fieldtap/dissector.h>

/** The packet that an error is about, as far as it is quoted. */
struct ft_icmp_inner {
    struct ft_view src, dst; /**< 4 or 16 bytes; empty: not quoted */
    uint8_t version, proto, ttl;
    bool has_ports; /**< TCP, UDP, UDP-Lite, SCTP, DCCP */
    bool has_type;  /**< ICMP, ICMPv6 */
    uint16_t src_port, dst_port;
    uint8_t type, code;
};

/**
 * Fields of the quoted packet, in this order in the schemas of both: a group and what is in it.
 * Addresses are FT_TYPE_IPV4 or FT_TYPE_IPV6.
 */
enum ft_icmp_inner_field {
    FT_ICMP_INNER = 0,
    FT_ICMP_INNER_SRC,
    FT_ICMP_INNER_DST,
    FT_ICMP_INNER_PROTO,
    FT_ICMP_INNER_TTL,
    FT_ICMP_INNER_SPORT,
    FT_ICMP_INNER_DPORT,
    FT_ICMP_INNER_TYPE,
    FT_ICMP_INNER_CODE,
    FT_ICMP_INNER_FIELDS
};

/** Read a quoted packet, to its end. What is missing of it is nobody's fault. */
struct ft_icmp_inner ft_icmp_inner_read(struct ft_view quoted);

/** Put it; `first` is the number of its group in the schema. */
void ft_icmp_inner_put(struct ft_context *ctx, uint32_t first, const struct ft_icmp_inner *inner);

/** True if the packet was sent by the receiver of this one: an error about anything else is odd. */
bool ft_icmp_inner_is_of_receiver(const struct ft_context *ctx, const struct ft_icmp_inner *inner);

/** Names of IP protocols. */
extern const struct ft_name ft_icmp_proto_names[];

/** What echo data shows of a tunnel. */
enum ft_icmp_tunnel {
    FT_ICMP_TUNNEL_NO = 0,
    FT_ICMP_TUNNEL_PTUNNEL, /**< its magic number */
    FT_ICMP_TUNNEL_IP,      /**< an IP packet, whole */
};
enum ft_icmp_tunnel ft_icmp_tunnel_of(struct ft_view data);

/** The operating system whose ping sends such data; NULL: not known. */
const char *ft_icmp_os_of(struct ft_view data);

/** Sum of 16-bit words, odd last byte first half, onto `sum`. */
uint32_t ft_icmp_sum(uint32_t sum, struct ft_view v);

/** True if a sum with the checksum in it is that of a good message. */
bool ft_icmp_is_sum_good(uint32_t sum);

/** What is kept of an echo request for its reply. */
struct ft_icmp_echo {
    uint64_t hash; /**< of the data */
    uint32_t length;
    uint8_t is_cut;
};

struct ft_icmp_echo ft_icmp_echo_of(const struct ft_context *ctx, struct ft_view data,
                                    uint32_t header);

/** True when the reply does not bring back what the request sent. Not when either is cut. */
bool ft_icmp_echo_differs(const struct ft_icmp_echo *request, const struct ft_icmp_echo *reply);

/**
 * The key of a request: what it says of itself, and which of the two hosts asked, since both may
 * ask with the same numbers.
 */
uint64_t ft_icmp_key(const struct ft_context *ctx, uint8_t type, uint32_t numbers, bool is_request);

#endif
