/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What Linux says about a network interface by name: its state, its counters, and what about it is
 * wrong for monitoring. Nothing is ever changed, nothing sent.
 *
 * All functions make system calls; any thread.
 */
#ifndef FT_CAPTURE_INTERFACE_H
#define FT_CAPTURE_INTERFACE_H

#include "capture/port.h"

struct ft_interface_counters {
    uint64_t packets, missed, errors, link_changes;
};

/** Index of the interface, 0 when there is none of that name. */
unsigned ft_interface_index(int socket, const char *name);

/** UP: switched on and with a link. */
enum ft_port_state ft_interface_state(int socket, const char *name);

/**
 * The link type of its packets: a LINKTYPE_ value in *linktype. False and a sentence when this
 * kind of interface is not read.
 */
bool ft_interface_linktype(int socket, const char *name, uint16_t *linktype, char *error,
                           size_t error_size);

bool ft_interface_is_loopback(int socket, const char *name);

/** Does it stamp every packet that it receives by its own clock, as it is configured now? */
bool ft_interface_stamps_packets(int socket, const char *name);

/**
 * Is there hardware under it, at once or, as under a VLAN, a bond or a bridge, under what it stands
 * on? What leaves by such an interface is this host's own. What leaves by a virtual one goes to
 * somebody on its other side: it is a mirror's copy, or for a virtual machine. `folder`: where
 * sysfs has interfaces, "/sys/class/net" but in tests.
 */
bool ft_interface_has_hardware(const char *folder, const char *name);

/**
 * Its counters in sysfs; false when they cannot be read. `packets` is what it received, and what
 * left by it too if `with_sent`.
 */
bool ft_interface_counters(const char *name, bool with_sent,
                           struct ft_interface_counters *counters);

/**
 * What is wrong with it for monitoring: that it is not there, switched off or without link, that
 * the NIC or the kernel merges packets before they are seen, and addresses of its own. Calls `say`
 * with one sentence each, which names the command that puts it right.
 */
void ft_interface_warn(const char *name, void (*say)(void *user, const char *text), void *user);

#endif
