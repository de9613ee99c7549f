/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reader: takes packets from captures, decodes them far enough to know their shard, puts
 * fragments together, and gives each packet to the worker that owns its shard, in order.
 *
 * It stands where a NIC with receive-side scaling stands on a live port: the rings behind it are
 * the same.
 */
#include "sensor.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000ull

/* A jump of the time stamps by more than this is not time passing. */
#define JUMP_NS (3600ull * SECOND)

#define PENDING 32u

struct reader {
    struct sensor *sensor;
    uint64_t seq, number;
    uint64_t given; /* seq of the last packet or tick that all it is for have been given */
    uint64_t last_stamp, clock, tick_second; /* clock: running maximum of the sensor clock */
    int64_t offset;                          /* sensor clock = time stamp + offset */
    uint64_t next_stats_ns;
    struct rte_mbuf *pending[WORKERS_MAX][PENDING];
    uint32_t pending_count[WORKERS_MAX];
    uint32_t unflushed;
    bool has_clock;
    uint64_t wall_start, capture_start; /* --speed */
};

static uint64_t wall_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

/* Put what waits for a worker into its ring, as far as it goes. True when nothing waits any more.
 */
static bool push(struct reader *r, uint32_t w)
{
    struct rte_mbuf **pending = r->pending[w];
    uint32_t n = r->pending_count[w];
    if (!n)
        return true;
    uint32_t done = rte_ring_enqueue_burst(r->sensor->workers[w].input, (void **)pending, n, NULL);
    memmove(pending, pending + done, (n - done) * sizeof(*pending));
    r->pending_count[w] = n - done;
    return n == done;
}

/*
 * Give everything taken so far to its workers. First all are told what is theirs and that all is
 * given out, then it is put into the rings as they have room: a worker whose ring is full may be
 * waiting for the alerting loop, which may be waiting for another worker, which must get its
 * packets.
 */
static void flush_all(struct reader *r)
{
    struct sensor *s = r->sensor;
    for (uint32_t w = 0; w < s->worker_count; w++)
        if (r->pending_count[w])
            atomic_store_explicit(&s->workers[w].sent,
                                  packet_of(r->pending[w][r->pending_count[w] - 1])->seq,
                                  memory_order_release);
    atomic_store_explicit(&s->dispatched_through, r->given, memory_order_release);
    r->unflushed = 0;
    for (;;) {
        bool is_done = true;
        for (uint32_t w = 0; w < s->worker_count; w++)
            is_done &= push(r, w);
        if (is_done)
            return;
        sched_yield();
    }
}

static void give(struct reader *r, uint32_t w, struct rte_mbuf *m)
{
    r->pending[w][r->pending_count[w]++] = m;
    if (r->pending_count[w] == PENDING)
        flush_all(r);
}

/* An mbuf with room for `size` bytes; waits for the workers when all are in use. */
static struct rte_mbuf *get_mbuf(struct reader *r, uint32_t size)
{
    struct sensor *s = r->sensor;
    uint32_t room = rte_pktmbuf_data_room_size(s->packets) - RTE_PKTMBUF_HEADROOM;
    struct rte_mempool *pool = size <= room ? s->packets : s->jumbos;
    struct rte_mbuf *m;
    while (!(m = rte_pktmbuf_alloc(pool))) {
        flush_all(r);
        sched_yield();
    }
    return m;
}

static struct rte_mbuf *control_mbuf(struct reader *r, uint32_t flags)
{
    struct rte_mbuf *m = get_mbuf(r, 0);
    struct ft_packet *p = packet_of(m);
    memset(p, 0, sizeof(*p));
    p->seq = r->seq;
    p->number = r->number;
    p->time_ns = r->clock;
    p->stamp_ns = r->last_stamp;
    p->flags = flags;
    return m;
}

/*
 * Tell the workers and the alerting loop that a second of packet time has passed, or the end. Until
 * the last worker has its copy the tick does not count as given out: a flush on the way would
 * otherwise say that those who still wait for it have nothing more to tell of it.
 */
static void broadcast(struct reader *r, uint32_t flags)
{
    struct sensor *s = r->sensor;
    r->seq++;
    for (uint32_t w = 0; w < s->worker_count; w++)
        give(r, w, control_mbuf(r, flags));
    r->given = r->seq;
    struct ft_event *e;
    while (!(e = ft_ring_reserve(&s->ticks, false))) {
        flush_all(r);
        sched_yield();
    }
    memset(e, 0, sizeof(*e));
    e->size = sizeof(*e);
    e->type = FT_EVENT_TICK;
    e->shard = UINT8_MAX; /* behind what the workers tell at this tick */
    e->seq = r->seq;
    e->time_ns = r->last_stamp;
    e->clock_ns = r->clock;
    e->number = r->number;
    e->anomaly = flags;
    ft_ring_commit(&s->ticks);
    flush_all(r);
}

static void tick_if_due(struct reader *r)
{
    uint64_t second = r->clock / SECOND;
    uint32_t flags = FT_PACKET_TICK;
    if (second == r->tick_second)
        return;
    r->tick_second = second;
    for (unsigned shard = 0; shard < FT_SHARDS; shard++)
        ft_defrag_tick(r->sensor->defrag, (uint8_t)shard, r->clock);
    uint64_t interval = r->sensor->options->stats_interval * SECOND;
    if (interval && r->clock >= r->next_stats_ns) {
        if (r->next_stats_ns)
            flags |= FT_PACKET_STATS;
        r->next_stats_ns = r->clock - r->clock % interval + interval;
    }
    broadcast(r, flags);
}

/* The sensor clock for a time stamp: the stamp itself, until it jumps. */
static uint64_t clock_for(struct reader *r, uint64_t stamp)
{
    struct sensor *s = r->sensor;
    if (!r->has_clock) {
        r->has_clock = true;
        r->clock = stamp;
        r->tick_second = stamp / SECOND;
        s->first_ns = stamp;
    } else {
        uint64_t now = stamp + (uint64_t)r->offset;
        if (now > r->clock + JUMP_NS || now + JUMP_NS < r->clock) {
            s->clock_jumps++;
            r->offset = (int64_t)(r->clock - stamp);
        }
    }
    r->last_stamp = stamp;
    uint64_t now = stamp + (uint64_t)r->offset;
    if (now > r->clock)
        r->clock = now;
    return now;
}

/* Hold the packet back until its time has come, for --speed. */
static void pace(struct reader *r, uint64_t now)
{
    double speed = r->sensor->options->speed;
    if (speed <= 0)
        return;
    if (!r->wall_start) {
        r->wall_start = wall_ns();
        r->capture_start = now;
    }
    uint64_t due = r->wall_start + (uint64_t)((double)(now - r->capture_start) / speed);
    if (now < r->capture_start || due <= wall_ns())
        return;
    flush_all(r);
    while (due > wall_ns() && !atomic_load_explicit(&r->sensor->stop, memory_order_relaxed)) {
        uint64_t left = due - wall_ns();
        usleep((useconds_t)((left < SECOND / 10 ? left : SECOND / 10) / 1000 + 1));
    }
}

/* Decode a packet; a completed datagram takes the place of its last fragment. */
static struct rte_mbuf *decode(struct reader *r, struct rte_mbuf *m)
{
    struct sensor *s = r->sensor;
    struct ft_packet *p = packet_of(m);
    for (unsigned round = 0; round < FT_PACKET_LAYERS; round++) {
        if (ft_packet_decode(&s->decode, p) != FT_DECODE_FRAGMENT)
            return m;
        struct rte_mbuf *whole = get_mbuf(r, UINT16_MAX);
        uint8_t *buffer = rte_pktmbuf_mtod(whole, uint8_t *);
        switch (ft_defrag_add(s->defrag, p, buffer, JUMBO_ROOM, packet_of(whole))) {
        case FT_DEFRAG_DONE:
            rte_pktmbuf_free(m);
            m = whole;
            p = packet_of(m);
            continue;
        case FT_DEFRAG_HELD:
            p->bucket = FT_BUCKET_FRAGMENT_HELD;
            break;
        case FT_DEFRAG_FAILED:
            break;
        }
        rte_pktmbuf_free(whole);
        return m;
    }
    p->bucket = FT_BUCKET_TOO_MANY_LAYERS;
    return m;
}

static void take(struct reader *r, const struct ft_capture_record *record)
{
    struct sensor *s = r->sensor;
    uint32_t caplen = record->caplen < JUMBO_ROOM ? record->caplen : JUMBO_ROOM;
    uint64_t now = clock_for(r, record->time_ns);
    tick_if_due(r);
    pace(r, r->clock);
    struct rte_mbuf *m = get_mbuf(r, caplen);
    struct ft_packet *p = packet_of(m);
    memcpy(rte_pktmbuf_mtod(m, void *), record->data, caplen);
    p->seq = ++r->seq;
    p->number = ++r->number;
    p->time_ns = now;
    p->stamp_ns = record->time_ns;
    p->data = rte_pktmbuf_mtod(m, const uint8_t *);
    p->caplen = caplen;
    p->wirelen = record->wirelen;
    p->linktype = record->linktype;
    p->interface = (uint16_t)record->interface;
    p->flags = 0;
    s->packets_read++;
    s->bytes_read += record->wirelen;
    s->cut_records += caplen < record->caplen;
    s->last_ns = record->time_ns;
    m = decode(r, m);
    r->given = r->seq;
    give(r, s->owner[packet_of(m)->shard], m);
    if (++r->unflushed == 4 * PENDING)
        flush_all(r);
}

static void show_progress(const struct sensor *s, uint64_t started, bool is_last)
{
    uint64_t size = ft_capture_set_size(s->capture), at = ft_capture_set_position(s->capture);
    double seconds = (double)(wall_ns() - started) / 1e9;
    double rate = seconds > 0 ? (double)s->packets_read / seconds / 1e6 : 0;
    double share = size ? (double)at / (double)size : 0;
    if (size && !is_last)
        fprintf(stderr, "\r%5.1f %%  %.2f Mpps  %.0f s left   ", share * 100, rate,
                share > 0 ? seconds / share - seconds : 0);
    else
        fprintf(stderr, "\r%llu packets  %.2f Mpps                 ",
                (unsigned long long)s->packets_read, rate);
    if (is_last)
        fputc('\n', stderr);
}

void *reader_main(void *arg)
{
    struct sensor *s = arg;
    static struct reader reader; /* one source a process; too large for a stack */
    struct reader *r = &reader;
    struct ft_capture_record record;
    uint64_t started = wall_ns(), shown = started;
    bool shows = isatty(STDERR_FILENO) && !s->options->quiet;
    *r = (struct reader){.sensor = s};
    signals_open();
    while (!atomic_load_explicit(&s->stop, memory_order_relaxed) &&
           ft_capture_set_next(s->capture, &record) == 1) {
        take(r, &record);
        bool may_show = shows && ((r->number & 0xfff) == 0 || s->options->speed > 0);
        if (may_show && wall_ns() - shown > SECOND / 2) {
            shown = wall_ns();
            show_progress(s, started, false);
        }
    }
    broadcast(r, FT_PACKET_END | FT_PACKET_STATS);
    atomic_store_explicit(&s->is_read, true, memory_order_release);
    if (shows && wall_ns() - started > SECOND)
        show_progress(s, started, true);
    return NULL;
}
