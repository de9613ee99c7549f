/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading several live ports as one: packets in the order of their time stamps, and what happens to
 * the ports.
 *
 * The kernel hands packets over in blocks, so of two ports one is always ahead. A packet is held
 * back until every other port has something later or has shown nothing for as long as a block may
 * stay open: then requests and responses that came through the two ports of a TAP are in order.
 * With one port nothing is held back.
 *
 * Thread: one at a time.
 */
#ifndef FT_CAPTURE_LIVE_H
#define FT_CAPTURE_LIVE_H

#include "capture/port.h"

#define FT_LIVE_PORTS_MAX 32u

struct ft_live;

/** A port that ft_live_open() is to open. */
struct ft_live_source {
    const char *name; /**< interface; stays the caller's */
    uint16_t link;    /**< as struct ft_port.link */
};

struct ft_live_options {
    uint64_t ring_bytes; /**< for each port */
    bool may_wait;       /**< interfaces need not exist yet */
};

/** Open packet sockets; NULL and one sentence when one cannot be opened. */
struct ft_live *ft_live_open(const struct ft_live_source *sources, uint32_t count,
                             const struct ft_live_options *options, char *error, size_t error_size);

/**
 * The next packet: true with *record, valid until the next call, and its port in *port. False when
 * there is none that may go now. Never waits. Cost: about ten cycles with one port.
 */
bool ft_live_next(struct ft_live *live, struct ft_capture_record *record, uint32_t *port);

/** Can all ports keep what arrives for a while? If not, whoever takes packets should not wait. */
bool ft_live_has_room(const struct ft_live *live);

/** Wait until there may be a packet, a port changed, a signal came, or the time is over. */
void ft_live_wait(struct ft_live *live, uint32_t milliseconds);

/**
 * A port whose state is another one than was told before: true with its index. Told once. `trouble`
 * gets a sentence when the port is there and yet cannot be used, else "". Once a second this looks
 * at the ports, which makes system calls; in between it costs a look at the clock.
 */
bool ft_live_changed(struct ft_live *live, uint32_t *port, char *trouble, size_t trouble_size);

/** Bring the statistics of all ports up to date. */
void ft_live_count(struct ft_live *live);

/**
 * Let no more packets in. What came before is still given out by ft_live_next(); is_drained says
 * when that was all, by the kernel's own count.
 */
void ft_live_stop(struct ft_live *live);
bool ft_live_is_drained(struct ft_live *live);

/** Let packets in no more, or again; the ports stay open. What is in is still given out. */
void ft_live_hold(struct ft_live *live, bool is_held);

uint32_t ft_live_count_ports(const struct ft_live *live);
const struct ft_port *ft_live_port(const struct ft_live *live, uint32_t port);

/** Close all; NULL is allowed. */
void ft_live_close(struct ft_live *live);

#endif
