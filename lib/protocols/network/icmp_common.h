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

/**
 * Fields of the extensions of an error (RFC 4884), in this order in the schemas of both: the labels
 * of MPLS, then what else there is.
 */
enum ft_icmp_extension_field {
    FT_ICMP_MPLS = 0,
    FT_ICMP_MPLS_LABEL,
    FT_ICMP_MPLS_TTL,
    FT_ICMP_EXTENSION,
    FT_ICMP_EXTENSION_CLASS,
    FT_ICMP_EXTENSION_TYPE,
    FT_ICMP_EXTENSION_DATA,
    FT_ICMP_EXTENSION_FIELDS
};

/** Put the extensions at the start of `v`; `first` is the number of FT_ICMP_MPLS in the schema. */
void ft_icmp_extensions_put(struct ft_context *ctx, uint32_t first, struct ft_view v);

/**
 * Put the extensions behind a quoted packet, of whose bytes the error says that they are
 * `original`, 0 when it does not say.
 */
void ft_icmp_extensions_read(struct ft_context *ctx, uint32_t first, uint32_t original,
                             struct ft_view quoted);

/** Names of IP protocols. */
extern const struct ft_name ft_icmp_proto_names[];

/** Sum of 16-bit words, odd last byte first half, onto `sum`. */
uint32_t ft_icmp_sum(uint32_t sum, struct ft_view v);

/** True if a sum with the checksum in it is that of a good message. */
bool ft_icmp_is_sum_good(uint32_t sum);

/** What a dissector calls the parts of an echo. */
struct ft_icmp_echo_names {
    uint32_t id, seq, length, data_hash, os;     /**< fields */
    uint32_t tunnel, too_large, changed, to_all; /**< violations */
    uint32_t data_max;                           /**< more of it does not fit one Ethernet frame */
    uint8_t request;                             /**< its type */
};

/**
 * Read an echo behind its checksum: whether the answer brings back what was asked, whether there
 * is a tunnel in it, whose ping it is. `is_os_told` is kept with the two hosts: of that with the
 * lower address, of the other.
 */
void ft_icmp_echo_read(struct ft_context *ctx, const struct ft_icmp_echo_names *names, uint8_t type,
                       bool is_to_all, uint8_t is_os_told[2], struct ft_view *v);

/**
 * The key of a request: what it says of itself, and which of the two hosts asked, since both may
 * ask with the same numbers.
 */
uint64_t ft_icmp_key(const struct ft_context *ctx, uint8_t type, uint32_t numbers, bool is_request);

#endif
