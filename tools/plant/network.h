/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the network says of itself: LLDP, rapid spanning tree and link aggregation of the switch, a
 * DHCP lease that is renewed; and who looks after devices: SSH to the switch, a PLC's web page.
 */
#ifndef FT_PLANT_NETWORK_H
#define FT_PLANT_NETWORK_H

#include "conv.h"

extern const struct ft_conv_kind ft_network_ssh;
extern const struct ft_conv_kind ft_network_web;

/** What repeats for ever. */
struct ft_network {
    struct ft_actor lldp, stp, lacp[2], dhcp;
};

/** Start it; the hosts are those of the cast. */
void ft_network_start(struct ft_plant *plant, struct ft_network *network);

#endif
