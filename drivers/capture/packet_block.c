/* SPDX-License-Identifier: BSD-3-Clause */
/* Walking a block of a TPACKET_V3 ring. */
#include "capture/packet_block.h"

#include <linux/if_packet.h>
#include <string.h>

#define NS_PER_SECOND 1000000000ull
#define MAC_PAIR      12u
#define ETH_8021Q     0x8100u

/* Of headers in a block: V3_ALIGNMENT of the kernel's af_packet.c, half of TPACKET_ALIGNMENT. */
#define HEADER_ALIGNMENT 8u

void ft_packet_block_begin(struct ft_packet_block *block, void *memory, uint32_t size)
{
    const struct tpacket_block_desc *desc = memory;
    *block = (struct ft_packet_block){.memory = memory,
                                      .size = size,
                                      .at = desc->hdr.bh1.offset_to_first_pkt,
                                      .left = desc->hdr.bh1.num_pkts};
}

/* The header at the walk's offset; NULL when there can be none. */
static const struct tpacket3_hdr *header_at(const struct ft_packet_block *block)
{
    if (block->at % HEADER_ALIGNMENT || block->at < sizeof(struct tpacket_block_desc) ||
        block->at > block->size || block->size - block->at < sizeof(struct tpacket3_hdr))
        return NULL;
    return (const void *)(block->memory + block->at);
}

static uint16_t tag_protocol(const struct tpacket3_hdr *h)
{
    if (h->tp_status & TP_STATUS_VLAN_TPID_VALID && h->hv1.tp_vlan_tpid)
        return h->hv1.tp_vlan_tpid;
    return ETH_8021Q;
}

/* Move the addresses into the room in front and write the tag into the place between. */
static void restore_tag(const struct tpacket3_hdr *h, uint8_t *data, struct ft_packet_frame *frame)
{
    uint16_t protocol = tag_protocol(h), tci = (uint16_t)h->hv1.tp_vlan_tci;
    uint8_t *begin = data - FT_PACKET_BLOCK_RESERVE;
    memmove(begin, data, MAC_PAIR);
    begin[MAC_PAIR] = (uint8_t)(protocol >> 8);
    begin[MAC_PAIR + 1] = (uint8_t)protocol;
    begin[MAC_PAIR + 2] = (uint8_t)(tci >> 8);
    begin[MAC_PAIR + 3] = (uint8_t)tci;
    frame->data = begin;
    frame->caplen += FT_PACKET_BLOCK_RESERVE;
    frame->wirelen += FT_PACKET_BLOCK_RESERVE;
}

/* Go to the next header. 0 is said of the last packet only. */
static void advance(struct ft_packet_block *block, uint32_t next)
{
    block->left--;
    if (block->left && next >= sizeof(struct tpacket3_hdr) && next < block->size - block->at)
        block->at += next;
    else
        block->at = block->size;
}

bool ft_packet_block_next(struct ft_packet_block *block, bool is_ethernet,
                          struct ft_packet_frame *frame)
{
    const struct tpacket3_hdr *h = block->left ? header_at(block) : NULL;
    if (!h)
        return false;
    uint32_t room = block->size - block->at;
    if (h->tp_mac < sizeof(*h) + FT_PACKET_BLOCK_RESERVE || h->tp_mac > room ||
        h->tp_snaplen > room - h->tp_mac)
        return false;
    uint8_t *data = block->memory + block->at + h->tp_mac;
    *frame = (struct ft_packet_frame){
        .data = data,
        .caplen = h->tp_snaplen,
        .wirelen = h->tp_len > h->tp_snaplen ? h->tp_len : h->tp_snaplen,
        .time_ns = h->tp_sec * NS_PER_SECOND + h->tp_nsec,
        .is_nic_time = (h->tp_status & TP_STATUS_TS_RAW_HARDWARE) != 0,
        .is_checksum_open = (h->tp_status & TP_STATUS_CSUMNOTREADY) != 0,
    };
    if (is_ethernet && h->tp_status & TP_STATUS_VLAN_VALID && h->tp_snaplen >= MAC_PAIR)
        restore_tag(h, data, frame);
    advance(block, h->tp_next_offset);
    return true;
}
