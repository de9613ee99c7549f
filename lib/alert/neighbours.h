/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Address resolution over the whole network: who asks for whom, who has which address.
 *
 * ARP (and neighbour discovery) sends questions to everybody and answers to one, so that a scan, an
 * answer that nobody asked for, or an address that two devices claim shows only to whoever sees the
 * messages of all pairs of hosts, in order: the alerting core. Nothing here is learned: all of it
 * follows from messages of the last seconds, or from an address that was another's before.
 *
 * Networks are told apart by VLAN tags, tunnel and interface where addresses are compared, since
 * cells of a plant are often built alike. Questions and answers are not: mirrors tag one direction
 * only, and the two ports of a TAP are one link.
 *
 * Bounded: tables of fixed size whose oldest entries give way. One thread; depends on the order of
 * events only.
 */
#ifndef FT_NEIGHBOURS_H
#define FT_NEIGHBOURS_H

#include "event/event.h"

enum ft_neighbours_finding {
    FT_NEIGHBOURS_SCAN = 0,    /**< asks for many that do not answer */
    FT_NEIGHBOURS_UNSOLICITED, /**< answers that nobody asked for, or announces without end */
    FT_NEIGHBOURS_FLOOD,
    FT_NEIGHBOURS_MOVED,      /**< an address is claimed by another device */
    FT_NEIGHBOURS_REASSIGNED, /**< the same, after it asked whether the address is free */
    FT_NEIGHBOURS_CONTESTED,  /**< and the former one claims it again */
    FT_NEIGHBOURS_TAKEOVER,   /**< one device claims addresses of several others */
    FT_NEIGHBOURS_SLOW_SCAN,  /**< asks, over minutes, for many addresses that nobody has */
    FT_NEIGHBOURS_FINDINGS
};

/** An address and whose it was and is; of SCAN, SLOW_SCAN, UNSOLICITED and FLOOD NULL is told. */
struct ft_neighbours_change {
    union ft_ip ip;
    uint8_t family; /**< 4 or 6 */
    uint8_t before[6], after[6];
};

/** `event`: the message that shows it, a RESOLUTION; valid during the call. */
typedef void ft_neighbours_found_fn(void *user, enum ft_neighbours_finding finding,
                                    const struct ft_event *event,
                                    const struct ft_neighbours_change *change);

struct ft_neighbours;

/** `key` of the hash tables. About 14 MB when all tables are full. NULL when memory is short. */
struct ft_neighbours *ft_neighbours_new(const uint64_t key[2], ft_neighbours_found_fn *found,
                                        void *user);
void ft_neighbours_free(struct ft_neighbours *n);

/** A RESOLUTION event. True when the inventory should learn of it: the sender's address is new, is
 * another's than before, or was not learned for an hour. */
bool ft_neighbours_event(struct ft_neighbours *n, const struct ft_event *event);

/** Who gives out addresses (DHCP) gave this one to this device: claiming it is no surprise. */
void ft_neighbours_assigned(struct ft_neighbours *n, const union ft_ip *ip, uint8_t family,
                            const uint8_t mac[6], uint64_t clock_ns);

/** Is it one of VRRP, CARP or HSRP, which whichever router is the master uses? */
bool ft_neighbours_is_virtual_router(const uint8_t mac[6]);

/** A second has passed: judges what had to wait for answers. UINT64_MAX: judge all, at the end. */
void ft_neighbours_tick(struct ft_neighbours *n, uint64_t clock_ns);

#endif
