/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Capturing from a Linux network interface, any kind, without taking it away from the kernel: a
 * packet socket with a ring of blocks that the kernel fills (AF_PACKET, TPACKET_V3; packet(7) and
 * Documentation/networking/packet_mmap.rst). Needs CAP_NET_RAW.
 *
 * Packets are read where the kernel put them. VLAN tags are put back, so that packets are as on the
 * wire. The interface is put into promiscuous mode as long as it is open; nothing else about it is
 * changed, and nothing is ever sent. What this host sends on it is seen as well, once: on loopback,
 * where it would come back, only what arrives is taken.
 *
 * Drops are exact: the kernel counts what it had for us and what found the ring full.
 *
 * The socket and the ring outlive the interface: when that is removed, what it had received is
 * still read, and when one of the same name is back, it is bound again.
 */
#ifndef FT_PACKET_SOCKET_H
#define FT_PACKET_SOCKET_H

#include "capture/port.h"

struct ft_packet_socket_options {
    uint64_t ring_bytes;      /**< of the kernel's memory; less is taken when there is less */
    bool may_wait;            /**< the interface need not exist yet: state MISSING until it does */
    bool takes_kernel_stamps; /**< never the interface's own time stamps */
};

/** How long a packet may lie in a block that is not full, in milliseconds. */
#define FT_PACKET_SOCKET_RETIRE_MS 10u

/**
 * Open. `name` and `link` as in struct ft_port; `name` stays the caller's. NULL and one sentence
 * that says what to do: no permission, no such interface, one of an unknown kind, no memory.
 */
struct ft_port *ft_packet_socket_open(const char *name, uint16_t link,
                                      const struct ft_packet_socket_options *options, char *error,
                                      size_t error_size);

#endif
