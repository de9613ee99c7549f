/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A packet on its way through the sensor, and how it is decoded.
 *
 * struct ft_packet is made by whoever receives from a source (a worker that polls a port, or the
 * reader of a capture file), carried with the packet's buffer to the worker that owns its shard,
 * and never copied. Decoding reads layers 2 to 4, peels tags and tunnels, puts fragments together,
 * and names the shard. No EAL, no allocation.
 */
#ifndef FT_PACKET_H
#define FT_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Number of shards; a constant, so that neither worker count nor hardware changes results. */
#define FT_SHARDS 128u

/** VLAN tags kept of a packet, outermost first; deeper ones are peeled and not kept. */
#define FT_PACKET_VLANS 4u

/** Headers peeled before a packet counts as undecodable.too_many_layers. */
#define FT_PACKET_LAYERS 16u

/** Link types of libpcap that are read. */
enum ft_linktype {
    FT_LINKTYPE_NULL = 0,
    FT_LINKTYPE_ETHERNET = 1,
    FT_LINKTYPE_RAW_BSD = 12,
    FT_LINKTYPE_RAW_OPENBSD = 14,
    FT_LINKTYPE_RAW = 101,
    FT_LINKTYPE_LOOP = 108,
    FT_LINKTYPE_LINUX_SLL = 113,
    FT_LINKTYPE_IPV4 = 228,
    FT_LINKTYPE_IPV6 = 229,
    FT_LINKTYPE_LINUX_SLL2 = 276,
};

/**
 * The buckets of the packet ledger: every received packet is booked in exactly one, where its fate
 * is known. The order is that of stats.json. ft_bucket_name() gives the dotted names.
 */
enum ft_bucket {
    FT_BUCKET_NONE = 0, /**< not known yet; never booked */
    FT_BUCKET_ANALYSED,
    FT_BUCKET_NO_PAYLOAD,
    FT_BUCKET_UNKNOWN_PROTOCOL,
    FT_BUCKET_ENCRYPTED,
    FT_BUCKET_FRAGMENT_HELD,
    FT_BUCKET_DUPLICATE,
    FT_BUCKET_FILTERED,
    /* undecodable.<reason> */
    FT_BUCKET_UNDECODABLE,                      /**< first of the reasons */
    FT_BUCKET_LINKTYPE = FT_BUCKET_UNDECODABLE, /**< link type that is not read */
    FT_BUCKET_CUT,                              /**< snap length cut a header of layer 2 to 4 */
    FT_BUCKET_ETHERNET,                         /**< header too short, type/length 0x05dd..0x05ff */
    FT_BUCKET_TAG,                              /**< VLAN, MPLS, PPPoE, HSR, ... header malformed */
    FT_BUCKET_IPV4_HEADER,
    FT_BUCKET_IPV4_CHECKSUM, /**< only under checksum policy drop */
    FT_BUCKET_IPV6_HEADER,
    FT_BUCKET_IPV6_EXTENSION,
    FT_BUCKET_FRAGMENT, /**< offset or length impossible, datagram over 65535 bytes */
    FT_BUCKET_TCP_HEADER,
    FT_BUCKET_UDP_HEADER,
    FT_BUCKET_ICMP_HEADER,
    FT_BUCKET_SCTP_HEADER,
    FT_BUCKET_L4_CHECKSUM, /**< only under checksum policy drop */
    FT_BUCKET_TUNNEL,      /**< GRE, ERSPAN, ... header malformed */
    FT_BUCKET_TOO_MANY_LAYERS,
    /* shed.<reason> */
    FT_BUCKET_SHED,                       /**< first of the reasons */
    FT_BUCKET_SHED_RING = FT_BUCKET_SHED, /**< the owner's ring was full (live only) */
    FT_BUCKET_SHED_FLOW_TABLE,            /**< no flow could be made or evicted */
    FT_BUCKET_SHED_FRAGMENT,              /**< no fragment buffer free */
    FT_BUCKET_SHED_FAULT,                 /**< its dissector was abandoned while reading it */
    FT_BUCKET_COUNT
};

/** "analysed", "undecodable.ipv4_header", "shed.ring", ... */
const char *ft_bucket_name(enum ft_bucket bucket);

enum ft_packet_flag {
    FT_PACKET_IPV4 = 1u << 0,
    FT_PACKET_IPV6 = 1u << 1,
    FT_PACKET_TCP = 1u << 2,
    FT_PACKET_UDP = 1u << 3,
    FT_PACKET_ETHERNET = 1u << 4, /**< src_mac and dst_mac are set */
    FT_PACKET_LLC =
        1u << 5, /**< payload follows an 802.2 header; ethertype holds DSAP << 8 | SSAP */
    FT_PACKET_SNAP = 1u << 6, /**< snap holds OUI << 16 | PID */
    FT_PACKET_CUT = 1u << 7,  /**< the payload ends at the snap length, not at its own length */
    FT_PACKET_REASSEMBLED = 1u << 8,      /**< put together from fragments */
    FT_PACKET_FRAGMENT_OVERLAP = 1u << 9, /**< fragments overlapped with different content */
    FT_PACKET_IP_CHECKSUM_BAD = 1u << 10,
    FT_PACKET_L4_CHECKSUM_BAD = 1u << 11,
    FT_PACKET_TUNNELLED = 1u << 12, /**< `outer` is set */
    /** The destination is a group or broadcast: by its IP or the MAC ff:ff:ff:ff:ff:ff (so that
     * directed broadcasts count); of non-IP by the group bit of the MAC. */
    FT_PACKET_MULTICAST = 1u << 13,
    FT_PACKET_TICK = 1u << 14, /**< no packet: a second of packet time has passed */
    FT_PACKET_END = 1u << 15,  /**< no packet: the source has ended */
    FT_PACKET_PRP = 1u << 16,  /**< a PRP trailer was removed */

    FT_PACKET_HSR = 1u << 17,      /**< an HSR tag was removed */
    FT_PACKET_FRAGMENT = 1u << 18, /**< an IP fragment: no ports; payload is the fragment's data */
    FT_PACKET_STATS = 1u << 19,    /**< a tick or end at which workers tell their books */
    /**
     * A checksum that nobody has computed yet, which is not wrong: set by a source that knows it of
     * layer 4, or found as ft_packet_decode() says.
     */
    FT_PACKET_CHECKSUM_OPEN = 1u << 20,
    FT_PACKET_STAMP = 3u << 21, /**< enum ft_stamp: set by the source */
    FT_PACKET_PRP_B = 1u << 20, /**< with FT_PACKET_PRP: the trailer was of LAN B, else of A */
};

/** Whose time stamp a packet carries: bits 21 and 22 of its flags. */
enum ft_stamp {
    FT_STAMP_CAPTURE = 0, /**< what the capture says */
    FT_STAMP_HOST,        /**< the sensor, when it took the packet from a queue */
    FT_STAMP_KERNEL,      /**< the host's kernel, when it received the packet */
    FT_STAMP_INTERFACE,   /**< the NIC, when the packet arrived */
};

/** Flags of a packet with such a stamp. */
#define FT_PACKET_STAMPED(stamp) ((uint32_t)(stamp) << 21)

static inline enum ft_stamp ft_packet_stamp(uint32_t flags)
{
    return (enum ft_stamp)((flags & FT_PACKET_STAMP) >> 21);
}

enum ft_tunnel {
    FT_TUNNEL_NONE = 0,
    FT_TUNNEL_GRE,
    FT_TUNNEL_ERSPAN,
    FT_TUNNEL_VXLAN,
    FT_TUNNEL_GENEVE,
    FT_TUNNEL_IPIP, /**< IP in IP, 6in4, MPLS in IP */
    FT_TUNNEL_ETHERIP,
};

/** An IP address; IPv4 in the first four bytes, network order, the rest zero. */
union ft_ip {
    uint8_t bytes[16];
    uint32_t v4; /**< network order */
    uint64_t words[2];
};

/** The outermost addresses of a packet that came through a tunnel. */
struct ft_outer {
    union ft_ip src, dst;
    uint16_t src_port, dst_port; /**< host order, 0 without ports */
    uint8_t proto;               /**< IP protocol */
    uint8_t is_ipv6;
    uint8_t tunnel; /**< enum ft_tunnel of the innermost tunnel */
    uint8_t depth;  /**< tunnels in tunnels */
    uint32_t id;    /**< VNI, GRE key, ERSPAN session */
};

struct ft_packet {
    /* set by the source */
    uint64_t seq; /**< order of everything dispatched, ticks too; from 1 */
    uint64_t
        number; /**< order of packets, as pcap_cnt; from 1. For a tick: the last packet before */
    uint64_t time_ns;  /**< sensor clock: stamp_ns without jumps of more than an hour */
    uint64_t stamp_ns; /**< time stamp of the packet, nanoseconds since 1970 UTC */
    const uint8_t *data;
    uint32_t caplen;    /**< bytes at data */
    uint32_t wirelen;   /**< bytes on the wire */
    uint16_t linktype;  /**< enum ft_linktype */
    uint16_t interface; /**< index of the interface or port */

    /**
     * enum ft_packet_flag. The source sets 0 (or TICK, END, CHECKSUM_OPEN) and STAMP,
     * ft_defrag_add() REASSEMBLED and FRAGMENT_OVERLAP, which ft_packet_decode() keeps; it adds all
     * others.
     */
    uint32_t flags;

    /* set by ft_packet_decode() */
    uint32_t l3; /**< offset of the innermost IP header from data; non-IP: that of the LLC header,
                    else that of the payload */
    /**
     * Offset of the payload from data: of TCP, UDP, UDP-Lite, SCTP behind their header; of all
     * other IP protocols (ICMP and ICMPv6 too) behind the IP header; of non-IP behind the ethertype
     * or the LLC/SNAP header.
     */
    uint32_t payload;
    uint32_t payload_len;     /**< bytes of it that are here */
    uint32_t payload_wirelen; /**< bytes of it on the wire; more than payload_len when cut */
    uint32_t flow_hash;       /**< seeded hash of the sorted flow key; ICMP: without type, code */
    uint8_t shard;            /**< 0 .. FT_SHARDS - 1 */
    /**
     * enum ft_bucket, when the fate is known at decoding. Of a decoded packet: ENCRYPTED (ESP,
     * MACsec) or NO_PAYLOAD (IPv6 "no next header"), and there is nothing to dissect.
     */
    uint8_t bucket;
    uint8_t proto; /**< IP protocol of the innermost packet */
    uint8_t vlan_count;
    uint16_t vlan[FT_PACKET_VLANS]; /**< VID, outermost first */
    uint8_t priority;               /**< PCP of the innermost tag */
    uint8_t ttl;                    /**< TTL or hop limit */
    uint16_t ethertype;             /**< of the innermost frame, host order */
    uint16_t src_port, dst_port;    /**< host order; ICMP: type and code */
    /** Of the innermost Ethernet frame. SLL and SLL2 know the source only (no ETHERNET flag). */
    uint8_t src_mac[6], dst_mac[6];
    union ft_ip src, dst;
    uint32_t tcp_seq, tcp_ack;
    uint16_t tcp_window;
    uint8_t tcp_flags;
    uint8_t reserved;
    uint64_t snap; /**< OUI << 16 | PID */
    struct ft_outer outer;
};

_Static_assert(sizeof(struct ft_packet) <= 256, "fits the private area of an mbuf");

/** TCP flag bits of tcp_flags. */
enum ft_tcp_flag {
    FT_TCP_FIN = 1,
    FT_TCP_SYN = 2,
    FT_TCP_RST = 4,
    FT_TCP_PSH = 8,
    FT_TCP_ACK = 16,
    FT_TCP_URG = 32,
};

/** What to do with wrong IPv4, TCP, UDP checksums. They are always counted. */
enum ft_checksum_policy {
    FT_CHECKSUM_ACCEPT = 0, /**< default: mirrors and offload make wrong checksums normal */
    FT_CHECKSUM_DROP,
};

struct ft_decode_config {
    enum ft_checksum_policy checksum;
    bool verify_checksums; /**< count wrong ones even when accepted; costs a pass over the bytes */
    uint32_t hash_seed;    /**< of flow_hash: fixed offline, random live */
    bool vlan_in_flow_key; /**< default false: mirrors tag one direction only */
    uint16_t vxlan_ports[4]; /**< 0 = unused; default 4789, 8472 */
    uint16_t geneve_port;    /**< default 6081 */
};

/** The defaults named above. */
void ft_decode_config_init(struct ft_decode_config *config);

enum ft_decode_result {
    FT_DECODED = 0,     /**< shard, addresses and payload are set */
    FT_DECODE_FRAGMENT, /**< an IP fragment: give it to ft_defrag_add(); shard is that of its pair
                         */
    FT_DECODE_FAILED,   /**< bucket says why; shard is 0 */
};

/**
 * Checksums that a sender leaves to its NIC are seen where packets are copied before they get
 * there: on the sending host itself, between virtual machines. They are FT_PACKET_CHECKSUM_OPEN,
 * not wrong, and no policy drops them: the checksum of TCP, UDP or ICMPv6 that is the sum of the
 * pseudo-header alone, with or without the length (of segments that the NIC is to cut), and a
 * checksum of 0 of the IPv4 header. Who forges packets can make theirs look so, and have the sensor
 * read what their receiver drops; a sensor blind for whole hosts would be worse.
 *
 * Decode `p` (data, caplen, wirelen, linktype, flags set; the rest zeroed by this function except
 * the members set by the source). Pure: same bytes, same result, no state. Any thread. A caplen
 * over wirelen counts as both. Cost: about 60 cycles for Ethernet/IPv4/TCP without tags, and a
 * quarter of a cycle for each byte whose checksum is verified.
 */
enum ft_decode_result ft_packet_decode(const struct ft_decode_config *config, struct ft_packet *p);

/** The ICMP type that answers another or is answered by it; -1: messages of this type have none. */
int ft_icmp_counterpart(uint16_t type, bool is_v6);

/**
 * The shard of two addresses: the low 7 bits of the symmetric Toeplitz RSS hash (key 6d5a repeated)
 * over the IP pair, so that a 128-entry redirection table gives each shard a queue.
 */
uint8_t ft_shard_ip(const union ft_ip *a, const union ft_ip *b, bool is_ipv6);

/** The shard of a MAC pair, for packets that are not IP. */
uint8_t ft_shard_mac(const uint8_t a[6], const uint8_t b[6]);

#endif
