/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What reading captures and reading live ports have in common: the order of packets and ticks, the
 * sensor clock, the way to the workers, the reader's own books.
 *
 * From a capture nothing is lost: the reader waits for room. A live port does not wait: what finds
 * no room is booked shed.ring, and a tick that finds none is given out later.
 */
#ifndef READER_H
#define READER_H

#include "packet/clock.h"
#include "sensor.h"

/** Packets and ticks that wait for room in a worker's ring; live the last place is for a tick. */
#define PENDING 32u

struct reader {
    struct sensor *sensor;
    bool is_live;
    bool may_wait; /**< for room in rings and for buffers: not as long as packets arrive live */
    uint64_t seq, number;
    uint64_t given; /**< seq of the last packet or tick that all it is for have been given */
    struct ft_clock clock;
    uint64_t tick_second; /**< the last one that was told */
    uint64_t next_stats_ns;
    struct rte_mbuf *pending[WORKERS_MAX][PENDING];
    uint32_t pending_count[WORKERS_MAX];
    uint32_t unflushed;
    bool has_ticked;
    uint64_t wall_start, capture_start;  /**< --speed */
    struct ft_ledger ledger;             /**< packets that no worker gets, and own events */
    uint64_t shed[FT_LIVE_PORTS_MAX];    /**< of those, for want of room, by port */
    bool was_missing[FT_LIVE_PORTS_MAX]; /**< and has not been up since */
};

/** Take a packet: decode it and give it to its worker, or book it. `port`: live, its port. */
void reader_take(struct reader *r, const struct ft_capture_record *record, uint32_t port);

/** Nothing had arrived at `wall_ns` (UTC): time passes all the same. */
void reader_idle(struct reader *r, uint64_t wall_ns);

/** Put what was given out into the rings, as far as there is room. */
void reader_flush(struct reader *r);

/** Tell the alerting loop something about the sensor. `port`: index + 1, 0 = about none. */
void reader_tell(struct reader *r, enum ft_health health, uint16_t port);

/** Bring what the control thread shows up to date, if it asked for that. */
void reader_publish(struct reader *r);

/** Read live ports until a signal, then what they still had. */
void reader_live(struct reader *r);

#endif
