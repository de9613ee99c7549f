/* SPDX-License-Identifier: BSD-3-Clause */
/* The office side of the plant: names, time, web pages, management; and ARP and ping. */
#ifndef FT_PLANT_IT_H
#define FT_PLANT_IT_H

#include "conv.h"

extern const struct ft_conv_kind ft_it_dns;
extern const struct ft_conv_kind ft_it_ntp;
extern const struct ft_conv_kind ft_it_http;
extern const struct ft_conv_kind ft_it_tls;
extern const struct ft_conv_kind ft_it_snmp;
extern const struct ft_conv_kind ft_it_syslog;

/** An actor that makes hosts of the cast refresh their ARP tables now and then. */
struct ft_it_arp {
    struct ft_actor actor;
    uint64_t rng;
};

/** An actor that pings @target from @client every 5 s. */
struct ft_it_ping {
    struct ft_actor actor;
    struct ft_host *client;
    struct ft_host *target;
    uint16_t sequence;
};

void ft_it_arp_start(struct ft_plant *plant, struct ft_it_arp *arp, uint64_t delay);

void ft_it_ping_start(struct ft_plant *plant, struct ft_it_ping *ping, struct ft_host *client,
                      struct ft_host *target, uint64_t delay);

#endif
