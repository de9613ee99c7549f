/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is there: the hosts of the plant and the conversations of its normal operation. */
#ifndef FT_PLANT_CAST_H
#define FT_PLANT_CAST_H

#include "conv.h"
#include "goose.h"
#include "it.h"
#include "network.h"

/** The hosts of the small plant, all in 10.10.1.0/24; indexes into ft_cast.hosts. */
enum ft_cast_host {
    FT_HOST_GATEWAY,
    FT_HOST_SERVER, /* names, time, log */
    FT_HOST_SCADA,
    FT_HOST_HMI1,
    FT_HOST_HMI2,
    FT_HOST_ENGINEERING,
    FT_HOST_HISTORIAN,
    FT_HOST_SWITCH,

    FT_HOST_MODICON1, /* the devices begin here: FT_HOST_FIRST_DEVICE */
    FT_HOST_MODICON2,
    FT_HOST_MODBUS_GATEWAY,
    FT_HOST_SERIAL_SERVER,
    FT_HOST_S7_LINE7,
    FT_HOST_S7_LINE8,
    FT_HOST_RTU1,
    FT_HOST_RTU2,
    FT_HOST_RTU_UDP,
    FT_HOST_LOGIX,
    FT_HOST_REMOTE_IO,
    FT_HOST_MICROLOGIX,
    FT_HOST_IED1,
    FT_HOST_IED2,

    FT_HOST_LAPTOP, /* nobody knows it; appears in the incident */
    FT_HOST_COUNT,
    FT_HOST_FIRST_DEVICE = FT_HOST_MODICON1,
};

enum {
    FT_CAST_POLLED = 12, /* polled devices of the small plant; the IEDs publish by themselves */
    FT_CAST_CONVS_MAX = 40,
};

struct ft_cast {
    struct ft_host hosts[FT_HOST_COUNT];
    struct ft_conv convs[FT_CAST_CONVS_MAX];
    size_t n_convs;
    struct ft_goose goose[2];
    struct ft_it_arp arp;
    struct ft_it_ping ping;
    struct ft_network network;

    struct ft_host *extra_hosts; /* the devices beyond the small plant, one flow each */
    struct ft_conv *extra_convs;
    struct ft_host *front_ends; /* who polls them */
};

/**
 * Put the plant's hosts in place and start normal operation with @flows polled devices
 * (FT_CAST_POLLED at least). Ends the program when memory is out.
 */
void ft_cast_start(struct ft_plant *plant, struct ft_cast *cast, size_t flows);

#endif
