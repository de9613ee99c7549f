/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What carries a packet that no protocol is known for, by name: an ethertype, an 802.2 SAP, a SNAP
 * number or an IP protocol. Pure functions, any thread.
 */
#ifndef FT_CARRIER_H
#define FT_CARRIER_H

#include "packet/packet.h"

/** Number of names; the last four stand for what has no name of its own. */
#define FT_CARRIERS 75u

/** The number of what carries a decoded packet that is neither TCP nor UDP. Cost: about 30 cycles.
 */
unsigned ft_carrier_of(const struct ft_packet *packet);

/** "ethertype_88a4_ethercat", "llc_fe_osi", "snap_cisco_vtp", "ip_2_igmp", "ethertype_other". */
const char *ft_carrier_name(unsigned number);

#endif
