/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A live port: something that packets arrive at, whatever receives them. What all kinds have in
 * common: they are polled in bursts, keep count, come and go, and are stopped before they are
 * closed so that the books close. capture/packet_socket.h is one kind; capture/live.h reads several
 * as one.
 *
 * Thread: one at a time per port. A port never sends.
 */
#ifndef FT_CAPTURE_PORT_H
#define FT_CAPTURE_PORT_H

#include "capture/file.h"

enum ft_port_state {
    FT_PORT_UP = 0,
    FT_PORT_DOWN,    /**< it is there, but has no link or is switched off */
    FT_PORT_MISSING, /**< it does not exist (any more) */
};

/** What a port counted since it was opened. */
struct ft_port_stats {
    uint64_t received; /**< packets given out by poll */
    uint64_t bytes;    /**< of those, on the wire */
    uint64_t arrived;  /**< packets the receiver (kernel) had for us, `dropped` included */
    uint64_t dropped;  /**< of those, lost because nobody took the ones before */
    uint64_t damaged;  /**< of those, found unreadable in the receiver's memory */
    uint64_t freezes;  /**< times the receiver found all its memory in use */
    uint64_t nic_packets, nic_missed, nic_errors; /**< counters of the interface itself */
    uint64_t link_changes;                        /**< times the state changed */
    bool knows_drops;                             /**< arrived, dropped and freezes are known */
    bool knows_nic;                               /**< nic_* are known */
    bool hides_errors;                            /**< nic_errors is not, all the same */
    bool is_nic_time; /**< packets carry the interface's time stamps, not the host's */
};

struct ft_port;

struct ft_port_ops {
    /**
     * Take up to `max` packets, oldest first. What is given out is valid until the next call, and
     * record->interface is the port's `link`. 0: there is nothing now.
     */
    uint32_t (*poll)(struct ft_port *port, struct ft_capture_record *records, uint32_t max);
    /** Has it memory to keep what arrives for a while, if it is not polled? Half of it, at least.
     */
    bool (*has_room)(const struct ft_port *port);
    /** Bring port->stats up to date. Cost: system calls; once a second is often enough. */
    void (*count)(struct ft_port *port);
    /**
     * Bring port->state up to date; open again what came back. To be called once a second, and when
     * waiting on the descriptor tells of an error. False, with a sentence in `error`, when the port
     * is there and yet cannot be used.
     */
    bool (*check)(struct ft_port *port, char *error, size_t error_size);
    /** Let no more packets in; those that are in are still to be polled. */
    void (*stop)(struct ft_port *port);
    void (*close)(struct ft_port *port);
    /** Let packets in no more, or again. NULL: a kind that is closed instead. */
    void (*hold)(struct ft_port *port, bool is_held);
};

/** The part that all kinds begin with. */
struct ft_port {
    const struct ft_port_ops *ops;
    const char *name; /**< owned by who opened it */
    int descriptor;   /**< to wait on with poll(2); -1: has to be polled */
    uint16_t link;    /**< which link it is a port of: two ports of a TAP are one link */
    enum ft_port_state state;
    struct ft_port_stats stats;
};

#endif
