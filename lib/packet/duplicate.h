/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copies that a mirror makes: the same packet delivered twice.
 *
 * A SPAN session that copies what enters and what leaves its ports delivers a frame between two of
 * them twice; one over two VLANs delivers what is routed between them before and after the router;
 * two mirrors overlap. Copies differ in VLAN tags, MAC addresses, TTL and the IPv4 header's
 * checksum, or in nothing, and come within microseconds, at most the time that a router needs.
 *
 * What makes a repetition genuine, and not a copy:
 *
 *   IPv4 with an identification other than 0: whoever sends a packet again, be it a retransmission,
 *     a keep-alive or the next poll with the same content, gives it a new identification. Equal
 *     addresses, identification and content is one packet, wherever it was seen.
 *   IPv4 with identification 0 (atomic datagrams, RFC 6864) and IPv6 have no such number: polls
 *     over UDP, duplicate acknowledgements and fast retransmissions may repeat every bit. There a
 *     packet is a copy only if it was seen at another *place*: with another TTL, other tags, other
 *     MAC addresses, on another link or in another tunnel. Who repeats does it at the same place.
 *     The place is compared with that of the first of them, so of two polls that are both mirrored
 *     twice, two remain.
 *   Layer 2: protocols without a counter repeat legally (LLDP, STP, ARP, DCP, ...) and are never
 *     touched. GOOSE, sampled values and cyclic PROFINET count in each frame: a frame is a copy if
 *     all of it is equal, its MAC addresses too (another sender is an attack, not a copy), and it
 *     was seen at another place: other tags or another link. Retransmissions of a GOOSE publisher
 *     count; those of one that does not come from the same place.
 *
 * Content is all behind the innermost IP header, with the checksum of layer 4. DSCP, options and
 * the flow label may be rewritten on the way and are not compared. Cut packets are never copies,
 * for tags move where they are cut; nor are fragments: their datagram is, when it is whole.
 *
 * Each shard remembers FT_DUPLICATE_SLOTS packets in 32 KiB (a packet 32 bytes), two for each line
 * of cache; a newer packet takes the place of the older one in its line. What was forgotten is not
 * recognised: a copy is analysed then, and nothing is lost. A packet is recognised by 64 bits of a
 * keyed hash of all its content; with a random key nobody can make two of one hash. For captures
 * the key is fixed: results depend on the packets of the shard and their time stamps alone.
 *
 * Cost, where it is on: one pass over the packet, 16 bytes at a time in two lanes, one line of
 * cache asked for beforehand, two compares: 256 instructions for packets of 92 bytes on average.
 * Off: a test for each burst.
 */
#ifndef FT_DUPLICATE_H
#define FT_DUPLICATE_H

#include "packet/mirror.h"

/** Packets that a shard remembers. */
#define FT_DUPLICATE_SLOTS 1024u

/** A copy comes within this time; also the most that can be asked for. */
#define FT_DUPLICATE_WINDOW_NS 2000000u

struct ft_duplicates;

/**
 * Make the memory of all shards, 4 MiB that are touched on use; NULL when there is none.
 * `window_ns`: what is as old or younger, on the sensor clock in either direction, is compared.
 * `is_vlan_identity`: packets in different VLANs are different (decode.vlan_in_flow_key).
 */
struct ft_duplicates *ft_duplicates_new(uint64_t seed, uint64_t window_ns, bool is_vlan_identity);
void ft_duplicates_free(struct ft_duplicates *d);

/**
 * Set the bucket of those packets of a burst that are copies to FT_BUCKET_DUPLICATE, and count them
 * in mirrors[shard]. In order of the packets; those whose fate is known already are passed over. By
 * the thread that owns their shards.
 */
void ft_duplicates_mark(struct ft_duplicates *d, struct ft_packet *const *packets, uint32_t count,
                        struct ft_mirror *mirrors);

#endif
