/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IP fragments put together, bounded.
 *
 * One struct ft_defrag holds the datagrams of all 128 shards with a fixed capacity for each, so
 * that what is evicted depends on a shard's own traffic only. A fragment's bytes are copied; no
 * buffer of the source is held. First copy of a byte wins; overlaps with other content are noted
 * (FT_PACKET_FRAGMENT_OVERLAP) on the packet that results. Incomplete datagrams end after
 * FT_DEFRAG_TIMEOUT_NS of packet time, noticed at ticks.
 *
 * One thread at a time may use the datagrams of a shard. All memory is reserved when created.
 */
#ifndef FT_DEFRAG_H
#define FT_DEFRAG_H

#include "packet/packet.h"

#define FT_DEFRAG_TIMEOUT_NS (30ull * 1000000000ull)

struct ft_defrag;

/**
 * What became of the fragments: fragments = completed + held + expired + evicted + impossible +
 * refused. Duplicates count as part of their datagram.
 */
struct ft_defrag_stats {
    uint64_t fragments; /**< given to ft_defrag_add() */
    uint64_t datagrams; /**< put together */
    uint64_t overlaps; /**< fragments with other content than an earlier one (taken all the same) */
    uint64_t expired;  /**< in datagrams that were not complete in time */
    uint64_t evicted;  /**< in datagrams that made room for newer ones */
    uint64_t impossible; /**< that contradict the datagram's end, or make it too long */
    uint64_t completed;  /**< in datagrams that were put together */
    uint64_t held;       /**< in datagrams that wait */
    uint64_t refused;    /**< cut by the snap length, or no room in the caller's buffer */
};

/**
 * Make one; per_shard = datagrams that may wait in each shard, of 16 KiB on average. Reserves about
 * 2.3 MiB for each of them, touched on use. NULL when memory is short.
 */
struct ft_defrag *ft_defrag_new(uint32_t per_shard);
void ft_defrag_free(struct ft_defrag *d);

/** From now on fragments in different VLANs are of different datagrams, as with
 * ft_decode_config.vlan_in_flow_key. Before the first fragment. */
void ft_defrag_separate_vlans(struct ft_defrag *d);

enum ft_defrag_result {
    FT_DEFRAG_HELD = 0, /**< copied; book the packet as FT_BUCKET_FRAGMENT_HELD */
    FT_DEFRAG_DONE,     /**< *whole describes the whole datagram as a frame */
    FT_DEFRAG_FAILED,   /**< p->bucket says why */
};

/**
 * Add a fragment (p as ft_packet_decode() left it). When it completes its datagram, the datagram
 * is written to `buffer` as a frame: the L2 header and tags of this fragment (so MACs and VLANs
 * stay), then the IP header without fragmentation, then the payload. `whole` becomes a packet on
 * it with number, seq, times, interface and linktype of p, FT_PACKET_REASSEMBLED set, to be decoded
 * again by the caller (whole->l3 tells the decoder which lengths hold). A buffer too small for it
 * is FT_DEFRAG_FAILED with FT_BUCKET_SHED_FRAGMENT. `buffer` may be where p->data lies (a fragment
 * inside a packet put together before).
 *
 * A fragment that the snap length cut is refused (FT_BUCKET_CUT); one that contradicts the end of
 * its datagram is FT_BUCKET_FRAGMENT, and the datagram counts as overlapping. p must be what
 * ft_packet_decode() returned FT_DECODE_FRAGMENT for. Cost: a few hundred cycles, and a copy.
 */
enum ft_defrag_result ft_defrag_add(struct ft_defrag *d, struct ft_packet *p, uint8_t *buffer,
                                    uint32_t buffer_size, struct ft_packet *whole);

/** Expire what is older than the timeout in one shard; called at ticks. */
void ft_defrag_tick(struct ft_defrag *d, uint8_t shard, uint64_t time_ns);

/** The sums over all shards. */
struct ft_defrag_stats ft_defrag_stats(const struct ft_defrag *d);

#endif
