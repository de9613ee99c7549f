/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The flow table: one record for each conversation, in 128 shards of fixed capacity.
 *
 * A flow is two endpoints (address and port, or MAC address and ethertype) in sorted order; both
 * directions are one flow. The table is a bucket table made for bursts: prepare a burst (buckets,
 * then records, are prefetched), then take its packets one by one. What is expired or evicted
 * depends on the shard's own packets and on ticks only, so any number of workers gives the same
 * flows.
 *
 * A shard is used by one thread at a time. All memory is mapped when the table is made; nothing
 * allocates afterwards.
 */
#ifndef FT_FLOW_H
#define FT_FLOW_H

#include "base/pool.h"
#include "dissect/framer.h"
#include "dissect/state.h"
#include "packet/mirror.h"
#include "packet/packet.h"

/** Packets after which a TCP connection that shows one direction only is not just slow to answer:
 * more than any sender repeats what is never acknowledged. */
#define FT_FLOW_ONE_WAY_PACKETS 32u

/** What makes two packets one flow. Sorted: `a` is the smaller endpoint (address, then port). */
struct ft_flow_key {
    union ft_ip a, b;        /**< MAC addresses in the first six bytes when not IP */
    uint16_t port_a, port_b; /**< host order; 0 without ports */
    uint16_t type;           /**< not IP: ethertype, SAPs (b << 8 | a), or SNAP PID; else 0 */
    uint8_t proto;           /**< IP protocol, 0 when not IP */
    uint8_t family;          /**< 4, 6, or 2 for layer 2; 0 in a record that is not in use */
    uint16_t vlan[2];        /**< two outermost VLAN ids when configured, else 0 */
    uint8_t encapsulation;   /**< enum ft_flow_encapsulation: what `type` is */
    uint8_t zero[3];         /**< keys are compared as six words */
};

_Static_assert(sizeof(struct ft_flow_key) == 48, "a key is six words");

/** Whose number `type` is. An 802.2 type may equal an ethertype of another protocol. */
enum ft_flow_encapsulation {
    FT_FLOW_ETHERTYPE = 0, /**< also for IP */
    FT_FLOW_LLC,
    FT_FLOW_SNAP,
};

/** Side of a flow: index of everything that is kept per direction (sender a or sender b). */
enum ft_side {
    FT_SIDE_A = 0,
    FT_SIDE_B = 1,
    FT_SIDE_NONE = 2,
};

enum ft_flow_state {
    FT_FLOW_NEW = 0,     /**< one direction seen */
    FT_FLOW_ESTABLISHED, /**< both seen */
    FT_FLOW_CLOSED,      /**< TCP FIN from both or RST */
};

/** Why a flow ended. */
enum ft_flow_end {
    FT_FLOW_END_TIMEOUT = 0,
    FT_FLOW_END_EVICTED,  /**< EVE reason "forced" */
    FT_FLOW_END_SHUTDOWN, /**< the capture ended */
    FT_FLOW_END_REUSED,   /**< a new SYN on a closed flow: EVE reason "tcp_reuse" */
};

enum ft_flow_flag {
    FT_FLOW_OT = 1,       /**< its protocol is industrial: never evicted by the others */
    FT_FLOW_SYN_SEEN = 2, /**< its handshake was seen, and the first bytes behind it */
    FT_FLOW_UNKNOWN = 4,  /**< recognition gave up */
    FT_FLOW_ENCRYPTED = 8,
    FT_FLOW_ALERTED = 16,
    FT_FLOW_GAP = 32,           /**< bytes of it were never seen */
    FT_FLOW_UNEXPECTED = 64,    /**< other content than its port promises was reported */
    FT_FLOW_BY_SIGNATURE = 128, /**< its protocol was recognised by content */
};

/** Reassembly state of one direction of a TCP flow (stream.c). */
struct ft_stream_half {
    uint32_t next_seq;   /**< sequence number of the next byte in order */
    uint32_t held;       /**< first block of segments that wait, 0 = none */
    uint32_t held_bytes; /**< bytes that wait */
    uint16_t held_count; /**< segments that wait */
    uint8_t is_known;    /**< next_seq is valid */
    uint8_t flags;       /**< private to stream.c: FIN seen, ... */
};

/** Bytes that a gap skipped and that may still come late (stream.c): [start, end). */
struct ft_stream_late {
    uint32_t start, end;
};

/**
 * A flow. Two cache lines are touched by each packet: the key and what changes per packet; the
 * framers on the third by packets with payload. The rest is written once.
 */
struct ft_flow {
    struct ft_flow_key key;
    uint64_t last_ns;       /**< packet time of the last packet; never runs backwards */
    uint16_t protocol;      /**< index of its dissector in the registry + 1; 0 = not known (yet) */
    uint8_t state;          /**< enum ft_flow_state */
    uint8_t server : 4;     /**< enum ft_side of the server, a guess by `confidence` */
    uint8_t confidence : 4; /**< enum ft_confidence */
    uint8_t tunnel : 4;     /**< enum ft_tunnel of its first packet */
    uint8_t is_multicast : 1; /**< the side that did not send the first packet is a group */
    uint8_t is_confirmed : 1; /**< a PDU of `protocol` was read: before, it is what the port says */
    uint8_t first : 1;        /**< enum ft_side of the sender of the first packet */
    uint8_t is_one_way : 1;   /**< counted as such */
    uint8_t flags;            /**< enum ft_flow_flag */
    union {
        uint8_t tcp_flags[2]; /**< TCP: flags seen, by sender side */
        uint8_t icmp[2];      /**< ICMP: type and code of its first packet */
    };
    /* second line */
    uint64_t packets[2];           /**< by sender side */
    uint64_t bytes[2];             /**< layer 2 bytes on the wire, by sender side */
    struct ft_stream_half half[2]; /**< by sender side */
    /* third line */
    struct ft_framer framer[2]; /**< by sender side */
    uint32_t messages;          /**< messages dissected */
    uint8_t tries;              /**< recognition attempts */
    uint8_t shard;
    uint8_t list; /**< private: which expiry list */
    uint8_t priority;
    uint32_t recent[4];     /**< novelty: hashes of operations last told of in this flow */
    uint32_t profile_epoch; /**< of the numbers; another than the inspector's: they are void */
    uint16_t profile[2];    /**< what rules may hold, by sender side; 0: not judged yet */
    /* cold */
    uint64_t state_words[9]; /**< flow_state of its dissector, and of those above that fit */
    struct ft_inline_state state_map; /**< which those are */
    struct ft_request_slot request;   /**< that waits for its response */
    uint64_t first_ns;
    uint64_t first_number;         /**< number of its first packet; part of its id */
    uint32_t hash;                 /**< flow_hash of its packets */
    uint16_t index;                /**< number of the record in its shard, from 1 */
    uint16_t older, newer;         /**< private: neighbours in the expiry list */
    uint16_t slot;                 /**< private: which second of the expiry list */
    struct ft_stream_late late[2]; /**< by sender side */
    uint32_t unknown_since_s;      /**< second of the sensor clock when recognition gave up */
    uint16_t interface;            /**< that its first packet came from */
    uint16_t maybe;                /**< protocol index + 1 whose probe said maybe, 0 = none */
    uint8_t children[FT_INLINE_CHILDREN]; /**< by layer: which child goes on, index + 1 */
    uint16_t vlan[2];  /**< VLAN ids of its first packet, outermost first, 0 = none */
    uint8_t mac[2][6]; /**< MAC address of each side, from its first packet */
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct ft_flow) == 448, "a flow is seven cache lines");
_Static_assert(offsetof(struct ft_flow, packets) == 64, "counters begin the second line");
_Static_assert(offsetof(struct ft_flow, framer) == 128, "framers begin the third line");
_Static_assert(offsetof(struct ft_flow, state_words) == 192, "it has all that is hot");

/** Flows of one shard at most: numbers of records are 16 bits wide in the buckets. */
#define FT_FLOWS_PER_SHARD_MAX 65535u

/** Sizes and times; the init function fills in the defaults. */
struct ft_flow_config {
    uint32_t flows_per_shard;    /**< default 8192: 1 M flows; at most FT_FLOWS_PER_SHARD_MAX */
    uint32_t segments_per_shard; /**< 2 KiB blocks for segments that wait; default 256 */
    uint32_t held_bytes_max;     /**< per direction; default 256 KiB */
    uint32_t held_count_max;     /**< per direction; default 64 */
    uint32_t tcp_new_s, tcp_established_s, tcp_ot_s, tcp_closed_s; /**< 30, 3600, 86400, 10 */
    uint32_t udp_s, udp_ot_s, other_s;                             /**< 60, 300, 300 */
    bool vlan_in_key; /**< as ft_decode_config.vlan_in_flow_key; default false */
    bool huge_pages;  /**< ask for huge pages for the records, see ft_flow_table_new() */
};

void ft_flow_config_init(struct ft_flow_config *config);

struct ft_flow_table;

/**
 * Called when a flow ends, before its record is used again. The callback hands out what waits with
 * ft_stream_flush(); blocks that it leaves are given back by the table after the call. It must not
 * look up, tick or flush. It may be left by longjmp: then the flow has not ended, and the call that
 * was under way may be made again.
 */
typedef void ft_flow_end_fn(void *user, struct ft_flow *flow, enum ft_flow_end why);

/**
 * Make a table for the shards [0, FT_SHARDS); NULL when memory is short or a size is 0 or beyond
 * its bound. The caller owns it. Memory is reserved for all flows and touched on use.
 *
 * config.huge_pages is for sensors with memory to spare: with a million flows a look-up takes a
 * quarter to a third less, with a hundred thousand and fewer nothing is gained, and each shard has
 * 2 MiB resident from its first flow on.
 */
struct ft_flow_table *ft_flow_table_new(const struct ft_flow_config *config);
void ft_flow_table_free(struct ft_flow_table *table);

/** Memory of a shard shall come from NUMA node `node`: its worker's. Before the first packet. */
void ft_flow_place(struct ft_flow_table *table, uint8_t shard, int node);

/**
 * Name the ports that protocols are bound to: bit p & 7 of byte p >> 3 is port p. A flow with one
 * such port has its server there (FT_CONFIDENCE_PORT). The bitmaps are copied. Not while another
 * thread takes packets.
 */
void ft_flow_set_server_ports(struct ft_flow_table *table, const uint8_t bitmap_tcp[8192],
                              const uint8_t bitmap_udp[8192]);

/**
 * Count connections of which one direction only is seen in mirrors[shard], as FT_MIRROR_ONE_WAY. A
 * one-sided flow that acknowledges is one: what it acknowledges was sent. It is counted at
 * FT_FLOW_ONE_WAY_PACKETS packets, or when it ends with 4 and more; no longer when the other
 * direction shows up. Cost: nothing for flows that both directions were seen of.
 */
void ft_flow_set_mirrors(struct ft_flow_table *table, struct ft_mirror *mirrors);

/** Where the first packet of a flow came in. */
static inline struct ft_mirror_place ft_flow_seen_at(const struct ft_flow *flow)
{
    uint16_t vlan = flow->vlan[1] ? flow->vlan[1] : flow->vlan[0];
    return (struct ft_mirror_place){flow->interface, vlan ? vlan : FT_MIRROR_UNTAGGED};
}

/**
 * The flow key of a decoded packet; returns the sender's side. Type and code of ICMP are not part
 * of it, nor is the command/response bit of 802.2. Packets of equal keys must have equal flow_hash
 * (ft_packet_decode() sees to it).
 */
enum ft_side ft_flow_key_of(const struct ft_packet *packet, bool vlan_in_key,
                            struct ft_flow_key *key);

/**
 * First half of a look-up: prefetch what the packets of a burst will need, in two passes. hints[i]
 * is for ft_flow_take() of packets[i]. Changes nothing. Packets of any shards that the thread owns.
 */
void ft_flow_prepare(const struct ft_flow_table *table, struct ft_packet *const *packets,
                     uint32_t count, struct ft_flow **hints);

/**
 * Prefetch the rest of a record for a packet with payload: a few packets before its turn, so that
 * no more lines are asked for at a time than the core can wait for.
 */
static inline void ft_flow_prefetch(const struct ft_packet *packet, const struct ft_flow *hint)
{
    const uint8_t *record = (const uint8_t *)hint;
    if (hint && packet->payload_len)
        for (uint32_t line = 128; line < sizeof(struct ft_flow); line += 64)
            __builtin_prefetch(record + line, 1);
}

/**
 * Second half: find or make the flow of one packet; *side is the sender's side. NULL when the shard
 * is full of flows that may not be evicted (the packet is booked shed.flow_table). Updates packets,
 * bytes, last_ns, state and the guess of the server side; a new flow has packets[0] + packets[1] ==
 * 1. `end` is called for a flow that is evicted (the one nearest to its time-out, never FT_FLOW_OT)
 * or reused (SYN on a closed flow, or a SYN out of window on an idle one).
 *
 * Take a packet when the one before it has been analysed, not earlier: then what its flow says, and
 * the flows that end for its sake, do not depend on where the bursts were cut.
 *
 * `hint`: from ft_flow_prepare(), or NULL: a record to look at first. A hint that is no longer true
 * costs time only.
 */
struct ft_flow *ft_flow_take(struct ft_flow_table *table, const struct ft_packet *packet,
                             struct ft_flow *hint, uint8_t *side, ft_flow_end_fn *end, void *user);

/**
 * Prepare and take a whole burst, in order; NULL in flows[i] as ft_flow_take() does. For callers
 * that only count: the flow of an earlier packet may have ended, and its record been used again,
 * for the sake of a later one.
 */
void ft_flow_lookup(struct ft_flow_table *table, struct ft_packet *const *packets, uint32_t count,
                    struct ft_flow **flows, uint8_t *sides, ft_flow_end_fn *end, void *user);

/**
 * Expire what is idle in one shard at packet time time_ns, in order of creation. Expected once a
 * second; a flow ends at the first tick of the second after its time-out. Times that run backwards
 * are ignored.
 */
void ft_flow_tick(struct ft_flow_table *table, uint8_t shard, uint64_t time_ns, ft_flow_end_fn *end,
                  void *user);

/** End all flows of one shard, in order of creation. */
void ft_flow_flush(struct ft_flow_table *table, uint8_t shard, ft_flow_end_fn *end, void *user);

/** Tell the table that `flags` (FT_FLOW_OT) or `state` of a flow changed: its time-out may too. */
void ft_flow_changed(struct ft_flow_table *table, struct ft_flow *flow);

/** Flows in one shard now, and counters. */
struct ft_flow_stats {
    uint64_t active, created, expired, evicted, refused, reused;
    uint64_t tcp, udp, other; /**< active by kind */
    uint64_t memory;          /**< bytes reserved */
};
struct ft_flow_stats ft_flow_stats(const struct ft_flow_table *table, uint8_t shard);

/** The EVE flow_id: 51 bits (exact in a double) made of the first packet's time, number and hash.
 */
uint64_t ft_flow_id(const struct ft_flow *flow);

/* ---- for stream.c and inspect.c ------------------------------------------------------------- */

/** The shard's blocks for segments that wait. */
struct ft_pool *ft_flow_segments(const struct ft_flow_table *table, uint8_t shard);

/** Record `index` of a shard, NULL if it is not in use. Compare first_number: it may be another. */
struct ft_flow *ft_flow_at(const struct ft_flow_table *table, uint8_t shard, uint32_t index);

/** The highest index of a shard that was ever in use; all in use are from 1 to it. */
uint32_t ft_flow_highest(const struct ft_flow_table *table, uint8_t shard);

/** As given to ft_flow_table_new(). */
const struct ft_flow_config *ft_flow_config(const struct ft_flow_table *table);

#endif
