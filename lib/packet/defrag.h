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

/** What became of the fragments; sums balance: added = completed parts + held + expired + ... */
struct ft_defrag_stats {
    uint64_t fragments, datagrams, overlaps, expired, evicted, impossible;
};

/** Make one; per_shard = datagrams that may wait in each shard. NULL when memory is short. */
struct ft_defrag *ft_defrag_new(uint32_t per_shard);
void ft_defrag_free(struct ft_defrag *d);

enum ft_defrag_result {
    FT_DEFRAG_HELD = 0, /**< copied; book the packet as FT_BUCKET_FRAGMENT_HELD */
    FT_DEFRAG_DONE,     /**< *out describes the whole datagram as a raw IP packet */
    FT_DEFRAG_FAILED,   /**< p->bucket says why */
};

/**
 * Add a fragment (p as ft_packet_decode() left it). When it completes its datagram, the datagram
 * is written to `buffer` as a frame: the L2 header and tags of this fragment (so MACs and VLANs
 * stay), then the IP header without fragmentation, then the payload. `whole` becomes a packet on
 * it with number, seq, time, interface and linktype of p, FT_PACKET_REASSEMBLED set, to be decoded
 * again by the caller. A buffer too small for it is FT_DEFRAG_FAILED with FT_BUCKET_SHED_FRAGMENT.
 */
enum ft_defrag_result ft_defrag_add(struct ft_defrag *d, struct ft_packet *p, uint8_t *buffer,
                                    uint32_t buffer_size, struct ft_packet *whole);

/** Expire what is older than the timeout in one shard; called at ticks. */
void ft_defrag_tick(struct ft_defrag *d, uint8_t shard, uint64_t time_ns);

/** The sums over all shards. */
struct ft_defrag_stats ft_defrag_stats(const struct ft_defrag *d);

#endif
