/* SPDX-License-Identifier: BSD-3-Clause */
/* The simulated plant as a whole: its clock, its output and its limits. One thread owns it. */
#ifndef FT_PLANT_PLANT_H
#define FT_PLANT_PLANT_H

#include "buf.h"
#include "pcap.h"
#include "rng.h"
#include "sched.h"

#include <stdbool.h>

#define FT_US UINT64_C(1000)
#define FT_MS UINT64_C(1000000)
#define FT_S  UINT64_C(1000000000)

enum {
    FT_PAYLOAD_MAX = 65536, /* the longest application message that one turn may build */
};

struct ft_cast;
struct ft_host;

struct ft_plant {
    uint64_t now;         /* simulated time, ns since the epoch */
    uint64_t start;       /* time of the first packet at the earliest */
    uint64_t end;         /* no packet at or after this time */
    uint64_t seed;        /* everything random derives from it */
    uint64_t n_packets;   /* written so far */
    uint64_t max_packets; /* the run ends with this many */
    bool is_over;         /* one of the limits was met */

    const struct ft_host *restarted; /* outstation that has not been told yet that all know */

    struct ft_sched sched;
    struct ft_pcap pcap;
    struct ft_buf payload; /* the message that the acting conversation builds */
    struct ft_cast *cast;  /* who is there: see cast.h */
};

/** Let @actor act @delay ns from now. */
static inline void ft_plant_add(struct ft_plant *plant, uint64_t delay, struct ft_actor *actor)
{
    ft_sched_add(&plant->sched, plant->now + delay, actor);
}

/**
 * The process value number @key at time @ns: a slow ramp up and down between 2000 and 27000 with a
 * little noise, as a level or a temperature looks in the raw counts of an analog input.
 */
uint16_t ft_process_value(uint64_t key, uint64_t ns);

/** The state of binary point number @key at time @ns; it changes every 10 to 70 s. */
bool ft_process_bit(uint64_t key, uint64_t ns);

#endif
