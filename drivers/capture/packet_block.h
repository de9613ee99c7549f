/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Walking a block of a TPACKET_V3 ring: memory that the kernel filled with packets and lent to us.
 *
 * Each packet is a struct tpacket3_hdr that says where its bytes begin, how many there are, and
 * where the next header is (Documentation/networking/packet_mmap.rst of Linux). The lengths are
 * checked as if they came from the wire: a block that does not add up ends the walk, and what is
 * left of it is counted. No system calls here.
 */
#ifndef FT_PACKET_BLOCK_H
#define FT_PACKET_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

/** Bytes that the ring must keep free in front of each packet, for the VLAN tag (PACKET_RESERVE).
 */
#define FT_PACKET_BLOCK_RESERVE 4u

struct ft_packet_block {
    uint8_t *memory;
    uint32_t size;
    uint32_t at;   /**< offset of the next header */
    uint32_t left; /**< packets not given out yet */
};

struct ft_packet_frame {
    const uint8_t *data; /**< in the block */
    uint32_t caplen;
    uint32_t wirelen; /**< at least caplen */
    uint64_t time_ns;
    bool is_nic_time;      /**< stamped by the interface's own clock */
    bool is_checksum_open; /**< this host sends it, and its NIC is to compute the checksum */
};

/** Begin a block of `size` bytes that is ours. Its memory is aligned for struct tpacket3_hdr. */
void ft_packet_block_begin(struct ft_packet_block *block, void *memory, uint32_t size);

/**
 * The next packet. With `is_ethernet` a VLAN tag that the kernel or the NIC took out is put back
 * where it was, so that the bytes are those of the wire; lengths count it.
 *
 * False at the end of the block, and when the rest of it cannot be read: then block->left is the
 * number of packets that it should still have had. Cost: some ten cycles, one cache line a packet.
 */
bool ft_packet_block_next(struct ft_packet_block *block, bool is_ethernet,
                          struct ft_packet_frame *frame);

#endif
