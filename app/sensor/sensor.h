/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A running sensor: captures or live ports, workers, the alerting loop, and how they are tied
 * together.
 *
 *   reader thread --rte_ring of mbufs--> worker threads --byte rings--> alerting loop (main thread)
 *
 * The reader gives every packet, and every tick, a place in one order (seq). A worker tells through
 * `done` how far it got; the reader through `sent` what it gave to each worker and through
 * `dispatched_through` what it gave out at all. A worker that has done all it was sent is done
 * through whatever was dispatched to others: without that rule the merge would wait for a worker
 * that has nothing to say.
 *
 * Ports of DPDK are polled by the workers themselves, and what belongs to another worker's shard is
 * handed over to it:
 *
 *   queue of a NIC --> worker threads --byte rings--> alerting loop (main thread)
 *                       |         ^
 *                       +-rte_ring+
 *
 * Order is then by the host's clock, each worker says itself how far it is, and the ports thread
 * (ports.c) stands in the place of the reader.
 */
#ifndef SENSOR_H
#define SENSOR_H

#include "alert/core.h"
#include "capture/ethdev.h"
#include "capture/filter.h"
#include "capture/live.h"
#include "capture/set.h"
#include "control.h"
#include "evidence.h"
#include "flow/inspect.h"
#include "options.h"
#include "outputs.h"
#include "packet/defrag.h"
#include "rules.h"

#include <pthread.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

/** Most workers of one sensor: a shard has one owner. */
#define WORKERS_MAX FT_SHARDS

/** Bytes of the longest packet: a whole IP datagram behind tags and headers. */
#define JUMBO_ROOM 65792u

/** Packets taken from a ring at a time. */
#define WORKER_BURST 64u

/** Bytes of the longest frame that a port of DPDK is asked for, in one piece. */
#define LONG_ROOM (FT_PORT_FRAME_MAX + 64u)

/** Packet buffers that a worker keeps at hand, where workers receive themselves. */
#define PACKET_CACHE 256u

/** Shard of what the reader tells: behind the workers', before the tick itself. */
#define READER_SHARD 254u

struct port_books {
    struct ft_port_stats stats;
    uint64_t shed;        /**< packets of it that found no room on the way to a worker */
    uint64_t handed_over; /**< packets of it that another worker than the one who took them owns */
    uint64_t plain, plain_handed_over; /**< of plain IP, which a NIC could have spread right */
    uint64_t odd_stamps;               /**< time stamps that were not used */
    enum ft_port_state state;
};

/** What the reader tells at a tick with FT_PACKET_STATS, behind a record FT_EVENT_LEDGER. */
struct reader_books {
    struct ft_books books; /**< of the packets that no worker got */
    struct port_books ports[FT_LIVE_PORTS_MAX];
};

_Static_assert(sizeof(struct ft_event) + sizeof(struct reader_books) <= FT_EVENT_MAX,
               "the reader's books fit one record");

struct sensor;

struct worker {
    _Alignas(64) _Atomic uint64_t done; /**< seq of the last packet or tick fully worked */
    _Alignas(64) _Atomic uint64_t sent; /**< seq of the last one given to its ring */
    struct sensor *sensor;
    struct rte_ring *input;
    struct ft_ring events;
    struct ft_inspector *inspector;
    pthread_t thread;
    bool is_started;
    bool owns[FT_SHARDS];
    const struct rules *rules; /**< that it works with */
    uint64_t now_ns;           /**< sensor clock of the last tick */
    uint64_t input_high_water;
    uint32_t index;
    struct control_scan *scan; /**< what the control thread wants; NULL: there is none */

    _Atomic uint64_t turns; /**< of its loop, so far: it goes on */

    /* Where workers poll; written by the worker, read by the ports thread. */
    struct ft_filter *_Atomic filter; /**< its own, for it remembers; NULL: everything passes */
    _Atomic uint64_t through;         /**< all it received up to this seq was handed over */
    _Atomic bool has_stopped;         /**< it polls no more */
    _Atomic uint64_t handed_over, taken_over, refused; /**< to, from others; no room at others */
    _Atomic uint64_t number;                           /**< packets taken from ports */
    _Atomic uint64_t cut;                              /**< of those, too long for want of room */
    struct worker_port {
        _Atomic uint64_t packets, bytes, shed, handed_over, plain, plain_handed_over, odd_stamps;
    } ports[FT_LIVE_PORTS_MAX];
};

/** Where workers poll: what they do. */
enum phase {
    PHASE_LISTENING = 0,
    PHASE_DRAINING, /**< what the queues have is taken, then nobody polls any more */
    PHASE_ENDING,   /**< nothing is on its way between workers any more */
};

struct sensor {
    const struct options *options;
    struct ft_registry *registry;
    struct ft_recogniser *recogniser;
    struct ft_shards *shards;
    struct ft_capture_set *capture; /**< offline */
    uint64_t opened_ns;             /**< UTC, right before its ports were opened */
    struct ft_live *live;           /**< -i; just one of both is there, or is_polled */
    bool is_live;                   /**< from ports of any kind: nobody may be waited for */
    bool is_polled;                 /**< of them, those of DPDK: workers poll */
    bool is_pinned;                 /**< each worker has a CPU of its own: it need not sleep */
    struct ft_ethdev ethdevs[FT_LIVE_PORTS_MAX];
    uint64_t clock_base, started_ns; /**< sensor clock = CLOCK_MONOTONIC + clock_base; the start */
    _Atomic int phase;               /**< enum phase */
    const char *port_names[FT_LIVE_PORTS_MAX];
    struct ft_filter *filter; /**< NULL: everything passes */
    char *filter_text;        /**< in use since a reload; NULL: as at the start. See reload.c */
    struct ft_decode_config decode;
    uint64_t duplicate_seed; /**< 0 offline */
    struct ft_defrag *defrag;
    struct rules_state rules;
    struct evidence_state evidence;
    struct ft_core *core;
    struct ft_output *output;
    struct outputs outputs;

    struct rte_mempool *packets, *jumbos; /**< frames, or parts of long ones; datagrams */
    struct rte_mempool *longs;            /**< long frames in one piece, where workers poll */
    struct rte_mempool *port_packets[FT_LIVE_PORTS_MAX]; /**< of the port's NUMA node */
    struct worker workers[WORKERS_MAX];
    uint32_t worker_count;
    uint8_t owner[FT_SHARDS];

    pthread_t reader;
    struct ft_ring ticks; /**< from the reader to the alerting loop */
    _Alignas(64) _Atomic uint64_t dispatched_through;
    _Atomic bool is_read;          /**< the reader has given out its last */
    _Atomic bool stop;             /**< asked to end early */
    _Atomic uint64_t reader_turns; /**< live, of the reader or the ports thread */
    _Atomic bool reload;           /**< asked to read the configuration's filter again */
    _Atomic bool reopen;           /**< asked to open the files of outputs again */
    _Atomic uint64_t alerts;       /**< so far, for the status line */
    struct control_points points;
    uint64_t began_ns;       /**< CLOCK_MONOTONIC, when it was set up */
    struct control *control; /**< NULL: there is no control socket */

    /* Of the source; read when the reader has ended. */
    uint64_t packets_read, bytes_read, clock_jumps, cut_records;
    uint64_t first_ns, last_ns; /**< time stamps */
    uint64_t started_tsc, ended_tsc;
    uint64_t events_received; /**< by the alerting loop, without books and ticks */
    struct ft_books books;    /**< sum at the end */
    struct ft_mirror mirror;  /**< likewise */
    struct port_books ports[FT_LIVE_PORTS_MAX]; /**< likewise */
    struct ft_output_status written;
};

/** A packet's struct lies in the private area of its mbuf. */
static inline struct ft_packet *packet_of(struct rte_mbuf *m)
{
    return (struct ft_packet *)rte_mbuf_to_priv(m);
}

/** Thread functions; `arg` is the sensor, or the worker. */
void *reader_main(void *arg);
void *worker_main(void *arg);
void *ports_main(void *arg);  /**< in the reader's place */
void *poller_main(void *arg); /**< in the worker's place */

/** What both kinds of workers have in common. */
void worker_idle(uint32_t empty, bool may_sleep);
void worker_control(struct worker *w, const struct ft_packet *p);
void worker_pin(const struct worker *w);

/** Called by an event that finds no room: wait a moment for the alerting loop. */
bool wait_for_core(void *user);

/** Open all ports of DPDK. False and a sentence when one cannot be. */
bool ports_open(struct sensor *s, char *error, size_t error_size);

/** Close them; nobody polls. */
void ports_close(struct sensor *s);

/** Longest text of what is wrong with a configuration that is read again. */
#define RELOAD_ERROR_MAX 16384u

/**
 * If a signal has asked for it: take over the filter that the configuration names now. False when
 * none has; else *health says what became of it. By the thread that looks after the ports.
 */
bool reload_if_asked(struct sensor *s, enum ft_health *health);

/** Where workers poll: wait until each has begun another turn, and knows what it was given. */
void workers_begin_turn(struct sensor *s);

/** Let the stop signals through to the calling thread: the reader's. */
void signals_open(void);

/** Run the alerting loop on this thread until everything was read, worked and written. */
void alerting_loop(struct sensor *s);

/** Start DPDK without ports, hugepages used when free. False and a sentence on failure. */
bool eal_start(const struct sensor *s, char *error, size_t error_size);

/** Megabytes of memory for packets that a live sensor with these options takes. */
uint32_t eal_megabytes(const struct options *o);

/** How many workers, if nobody says: from the machine. */
uint32_t sensor_workers(const struct options *o);

/** Make the packet pools. */
bool pools_make(struct sensor *s, char *error, size_t error_size);

/** Run the sensor that the options describe; returns the exit code. */
int sensor_run(const struct options *o);

/** Write DIR/stats.json. False and a sentence on failure. */
bool stats_write(const struct sensor *s, const char *dir, char *error, size_t error_size);

/** Go on with DIR/rules.json; a damaged one is told, and begun anew. */
void rule_stats_read(const struct sensor *s);

/** Add what the matchers of a rule set counted, for good before they are freed. Any thread. */
void rule_stats_add(const struct sensor *s, const struct rules *r, bool is_over);

/** Write DIR/rules.json, if there is a DIR and rules. Live by the rules' thread, and at
 * the end. False and a sentence on failure. */
bool rule_stats_write(const struct sensor *s, char *error, size_t error_size);

/** What stats say of a live port, as of the last tick with statistics. */
struct ft_core_port port_figures(const struct sensor *s, uint32_t port);

/** True when the books of the sensor close: packets, stream bytes, events. */
bool books_balance(const struct sensor *s);

#endif
