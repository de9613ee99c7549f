/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The flow table: one record for each conversation, in 128 shards of fixed capacity.
 *
 * A flow is two endpoints (address and port, or MAC address and ethertype) in sorted order; both
 * directions are one flow. The table is a bucket table made for bursts: hash all, prefetch all,
 * look up all. What is expired or evicted depends on the shard's own packets and on ticks only, so
 * any number of workers gives the same flows.
 *
 * A shard is used by one thread at a time. All memory is mapped when the table is made; nothing
 * allocates afterwards.
 */
#ifndef FT_FLOW_H
#define FT_FLOW_H

#include "dissect/framer.h"
#include "packet/packet.h"

/** What makes two packets one flow. Sorted: `a` is the smaller endpoint (address, then port). */
struct ft_flow_key {
    union ft_ip a, b;        /**< MAC addresses in the first six bytes when not IP */
    uint16_t port_a, port_b; /**< host order; 0 without ports */
    uint16_t type;           /**< ethertype when not IP, else 0 */
    uint8_t proto;           /**< IP protocol, 0 when not IP */
    uint8_t family;          /**< 4, 6, or 2 for layer 2 */
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
    FT_FLOW_SYN_SEEN = 2, /**< its handshake was seen */
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

/** A flow. Hot members first; two cache lines are touched by a packet in order. */
struct ft_flow {
    struct ft_flow_key key;
    uint64_t last_ns; /**< packet time of the last packet */
    uint32_t hash;
    uint16_t protocol; /**< index of its dissector in the registry + 1; 0 = not known (yet) */
    uint8_t shard;
    uint8_t state;                 /**< enum ft_flow_state */
    uint8_t server;                /**< enum ft_side of the server, a guess by `confidence` */
    uint8_t confidence;            /**< enum ft_confidence */
    uint8_t flags;                 /**< enum ft_flow_flag */
    uint8_t tries;                 /**< recognition attempts */
    uint64_t packets[2];           /**< by sender side */
    uint64_t bytes[2];             /**< layer 2 bytes on the wire, by sender side */
    struct ft_stream_half half[2]; /**< by sender side */
    struct ft_framer framer[2];    /**< by sender side */
    uint32_t recent[4];            /**< novelty: hashes of operations last told of in this flow */
    uint64_t first_ns;
    uint64_t first_number; /**< number of its first packet; part of its id */
    uint32_t messages;     /**< messages dissected */
    uint32_t index;        /**< number of the record in its shard, from 1 */
    uint32_t older, newer; /**< expiry list of its class */
    uint8_t tcp_flags[2];  /**< flags seen, by sender side */
    uint8_t list;          /**< private: which expiry list */
    uint8_t priority;
    uint16_t vlan[2];     /**< outermost VLAN id of its first packet, 0 = none */
    uint8_t mac[2][6];    /**< MAC address of each side, from its first packet */
    uint8_t tunnel;       /**< enum ft_tunnel of its first packet */
    uint8_t is_multicast; /**< the side that is not the sender of the first packet is a group */
    uint8_t reserved[2];
    struct ft_outer outer;   /**< of its first packet */
    uint64_t state_words[8]; /**< flow_state of its dissector, FT_MAX_FLOW_STATE bytes */
};

_Static_assert(sizeof(struct ft_flow) <= 448, "a flow and its slot stay below 512 bytes");

/** Sizes and times; the init function fills in the defaults. */
struct ft_flow_config {
    uint32_t flows_per_shard;    /**< default 8192: 1 M flows */
    uint32_t segments_per_shard; /**< 2 KiB blocks for segments that wait; default 256 */
    uint32_t held_bytes_max;     /**< per direction; default 256 KiB */
    uint32_t held_count_max;     /**< per direction; default 64 */
    uint32_t tcp_new_s, tcp_established_s, tcp_ot_s, tcp_closed_s; /**< 30, 3600, 86400, 10 */
    uint32_t udp_s, udp_ot_s, other_s;                             /**< 60, 300, 300 */
};

void ft_flow_config_init(struct ft_flow_config *config);

struct ft_flow_table;

/** Called when a flow ends, before its record is used again; buffers of its streams are given back
 * by the table after the call. */
typedef void ft_flow_end_fn(void *user, struct ft_flow *flow, enum ft_flow_end why);

/** Make a table for the shards [0, FT_SHARDS); NULL when memory is short. Memory is touched on use.
 */
struct ft_flow_table *ft_flow_table_new(const struct ft_flow_config *config);
void ft_flow_table_free(struct ft_flow_table *table);

/**
 * Find or make the flows of a burst of decoded packets, in order; NULL in flows[i] when the shard
 * is full of flows that may not be evicted (then the packet is booked shed.flow_table). side[i] is
 * the sender's side. Updates packets, bytes, last_ns, state, first guesses of the server side (SYN,
 * bound ports via `is_server_port`, lower port); new flows have messages == 0 and packets[0] +
 * packets[1] == 1. `end` is called for evicted and reused flows. A packet of another shard than the
 * thread owns must not be given.
 */
void ft_flow_lookup(struct ft_flow_table *table, struct ft_packet *const *packets, uint32_t count,
                    struct ft_flow **flows, uint8_t *sides, ft_flow_end_fn *end, void *user);

/** Expire what is idle in one shard at packet time time_ns, in order of creation. */
void ft_flow_tick(struct ft_flow_table *table, uint8_t shard, uint64_t time_ns, ft_flow_end_fn *end,
                  void *user);

/** End all flows of one shard, oldest first. */
void ft_flow_flush(struct ft_flow_table *table, uint8_t shard, ft_flow_end_fn *end, void *user);

/** Tell the table that `protocol`, `flags` or `state` of a flow changed: its expiry class may too.
 */
void ft_flow_changed(struct ft_flow_table *table, struct ft_flow *flow);

/** Flows in one shard now, and counters. */
struct ft_flow_stats {
    uint64_t active, created, expired, evicted, refused, reused;
    uint64_t tcp, udp, other; /**< active by kind */
    uint64_t memory;          /**< bytes reserved */
};
struct ft_flow_stats ft_flow_stats(const struct ft_flow_table *table, uint8_t shard);

/** The EVE flow_id: 51 bits made of the flow's first packet time and hash. */
uint64_t ft_flow_id(const struct ft_flow *flow);

#endif
