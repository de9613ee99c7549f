/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reader: takes packets from captures or live ports, decodes them far enough to know their
 * shard, puts fragments together, and gives each packet to the worker that owns its shard, in
 * order.
 *
 * It stands where a NIC with receive-side scaling stands for workers that poll a port themselves:
 * the rings behind it are the same.
 */
#include "reader.h"

#include "base/clock_ns.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SECOND 1000000000ull

/* What arrived before a port was found empty may still be in an unfinished block of the kernel. */
#define IDLE_MARGIN_NS (SECOND / 10)

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
void reader_flush(struct reader *r)
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
        if (is_done || !r->may_wait)
            return;
        sched_yield();
    }
}

static void give(struct reader *r, uint32_t w, struct rte_mbuf *m)
{
    r->pending[w][r->pending_count[w]++] = m;
    if (r->pending_count[w] == PENDING)
        reader_flush(r);
}

/* May the reader wait for a worker? A capture waits, and what arrives live does as long as the
 * ports' memory is not half full: it is larger than what lies in front of workers. */
static bool may_wait(const struct reader *r)
{
    return r->may_wait || ft_live_has_room(r->sensor->live);
}

/* Is there room for a packet to a worker, be it after a while? */
static bool has_room(struct reader *r, uint32_t w)
{
    while (!r->may_wait && r->pending_count[w] >= PENDING - 1) {
        reader_flush(r);
        if (r->pending_count[w] < PENDING - 1)
            break;
        if (!may_wait(r))
            return false;
        sched_yield();
    }
    return true;
}

/* An mbuf with room for `size` bytes; waits for the workers when all are in use, or is NULL. */
static struct rte_mbuf *get_mbuf(struct reader *r, uint32_t size)
{
    struct sensor *s = r->sensor;
    uint32_t room = rte_pktmbuf_data_room_size(s->packets) - RTE_PKTMBUF_HEADROOM;
    struct rte_mempool *pool = size <= room ? s->packets : s->jumbos;
    struct rte_mbuf *m;
    while (!(m = rte_pktmbuf_alloc(pool)) && may_wait(r)) {
        reader_flush(r);
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
    p->time_ns = r->clock.now;
    p->stamp_ns = r->clock.last_stamp;
    p->flags = flags;
    return m;
}

/* A record for the alerting loop at the reader's place in the order; waits for room. */
static struct ft_event *event_for_core(struct reader *r, enum ft_event_type type, uint8_t shard)
{
    struct ft_event *e;
    while (!(e = ft_ring_reserve(&r->sensor->ticks, false))) {
        reader_flush(r);
        sched_yield();
    }
    memset(e, 0, sizeof(*e));
    e->size = sizeof(*e);
    e->type = (uint8_t)type;
    e->shard = shard;
    e->seq = r->seq;
    e->time_ns = r->clock.last_stamp;
    e->clock_ns = r->clock.now;
    e->number = r->number;
    return e;
}

/* The reader's own books and those of the ports, as they are at this tick. */
static void tell_books(struct reader *r)
{
    struct ft_live *live = r->sensor->live;
    uint32_t ports = live ? ft_live_count_ports(live) : 0;
    if (live)
        ft_live_count(live);
    struct ft_event *e = event_for_core(r, FT_EVENT_LEDGER, READER_SHARD);
    struct reader_books *b = (struct reader_books *)(void *)(e + 1);
    memset(b, 0, sizeof(*b));
    b->books.ledger = r->ledger;
    for (uint32_t i = 0; i < ports; i++) {
        const struct ft_port *port = ft_live_port(live, i);
        b->ports[i] =
            (struct port_books){.stats = port->stats, .shed = r->shed[i], .state = port->state};
    }
    e->size += sizeof(*b);
    ft_ring_commit(&r->sensor->ticks);
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
    if (flags & FT_PACKET_STATS)
        tell_books(r);
    struct ft_event *e = event_for_core(r, FT_EVENT_TICK, UINT8_MAX);
    e->anomaly = flags;
    ft_ring_commit(&s->ticks);
    reader_flush(r);
}

/* Is there room for a tick everywhere? Told to some and not to others it would make no sense. */
static bool can_broadcast(struct reader *r)
{
    struct sensor *s = r->sensor;
    if (r->may_wait)
        return true;
    reader_flush(r);
    for (uint32_t w = 0; w < s->worker_count; w++)
        if (r->pending_count[w] == PENDING)
            return false;
    return rte_mempool_avail_count(s->packets) >= s->worker_count &&
           ft_ring_reserve(&s->ticks, true); /* three quarters full: there is room for all of it */
}

static void tick_if_due(struct reader *r)
{
    uint64_t second = r->clock.now / SECOND;
    uint32_t flags = FT_PACKET_TICK;
    if (second == r->tick_second || !can_broadcast(r))
        return;
    r->tick_second = second;
    for (unsigned shard = 0; shard < FT_SHARDS; shard++)
        ft_defrag_tick(r->sensor->defrag, (uint8_t)shard, r->clock.now);
    uint64_t interval = r->sensor->options->stats_interval * SECOND;
    if (interval && r->clock.now >= r->next_stats_ns) {
        if (r->next_stats_ns)
            flags |= FT_PACKET_STATS;
        r->next_stats_ns = r->clock.now - r->clock.now % interval + interval;
    }
    broadcast(r, flags);
}

void reader_tell(struct reader *r, enum ft_health health, uint16_t port)
{
    r->ledger.events[FT_EVENT_HEALTH]++;
    if (!ft_ring_reserve(&r->sensor->ticks, false)) {
        r->ledger.events_shed[FT_EVENT_HEALTH]++;
        return;
    }
    r->seq++;
    struct ft_event *e = event_for_core(r, FT_EVENT_HEALTH, READER_SHARD);
    e->time_ns = ft_clock_ns(CLOCK_REALTIME);
    e->health.health = (uint8_t)health;
    e->health.port = port;
    ft_ring_commit(&r->sensor->ticks);
    r->given = r->seq;
    reader_flush(r);
}

/* What a change of the clock brings with it: its jumps are told live, its seconds are ticks. */
static void follow_clock(struct reader *r)
{
    struct sensor *s = r->sensor;
    if (r->clock.jumps != s->clock_jumps) {
        s->clock_jumps = r->clock.jumps;
        if (r->is_live)
            reader_tell(r, FT_HEALTH_TIME_BACKWARDS, 0);
    }
    if (!r->has_ticked) {
        r->has_ticked = true;
        r->tick_second = r->clock.now / SECOND;
        s->first_ns = r->clock.last_stamp;
    }
    tick_if_due(r);
}

void reader_idle(struct reader *r, uint64_t wall)
{
    ft_clock_idle(&r->clock, wall - IDLE_MARGIN_NS);
    follow_clock(r);
}

/* Hold the packet back until its time has come, for --speed. */
static void pace(struct reader *r, uint64_t now)
{
    double speed = r->sensor->options->speed;
    if (speed <= 0)
        return;
    if (!r->wall_start) {
        r->wall_start = ft_clock_ns(CLOCK_MONOTONIC);
        r->capture_start = now;
    }
    uint64_t due = r->wall_start + (uint64_t)((double)(now - r->capture_start) / speed);
    if (now < r->capture_start || due <= ft_clock_ns(CLOCK_MONOTONIC))
        return;
    reader_flush(r);
    while (due > ft_clock_ns(CLOCK_MONOTONIC) &&
           !atomic_load_explicit(&r->sensor->stop, memory_order_relaxed)) {
        uint64_t left = due - ft_clock_ns(CLOCK_MONOTONIC);
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
        if (!whole) {
            p->bucket = FT_BUCKET_SHED_FRAGMENT;
            return m;
        }
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

/* Book a packet that no worker gets. */
static void book(struct reader *r, enum ft_bucket bucket, const struct ft_capture_record *record)
{
    struct ft_ledger *l = &r->ledger;
    l->received++;
    l->received_bytes += record->wirelen;
    l->max_size = record->wirelen > l->max_size ? record->wirelen : l->max_size;
    l->packets[bucket]++;
}

static void shed(struct reader *r, const struct ft_capture_record *record, uint32_t port)
{
    book(r, FT_BUCKET_SHED_RING, record);
    r->shed[port]++;
}

/* Live, what is neither the interface's nor the kernel's was made by the port that read it. */
static enum ft_stamp stamp_of(const struct reader *r, const struct ft_capture_record *record)
{
    if (!r->is_live)
        return FT_STAMP_CAPTURE;
    return record->is_nic_time      ? FT_STAMP_INTERFACE
           : record->is_kernel_time ? FT_STAMP_KERNEL
                                    : FT_STAMP_HOST;
}

/* Put a packet into a buffer. */
static void fill(struct reader *r, struct rte_mbuf *m, const struct ft_capture_record *record,
                 uint32_t caplen, uint64_t now)
{
    struct ft_packet *p = packet_of(m);
    memcpy(rte_pktmbuf_mtod(m, void *), record->data, caplen);
    p->seq = r->seq;
    p->number = r->number;
    p->time_ns = now;
    p->stamp_ns = record->time_ns;
    p->data = rte_pktmbuf_mtod(m, const uint8_t *);
    p->caplen = caplen;
    p->wirelen = record->wirelen;
    p->linktype = record->linktype;
    p->interface = (uint16_t)record->interface;
    p->flags = FT_PACKET_STAMPED(stamp_of(r, record)) |
               (record->is_checksum_open ? FT_PACKET_CHECKSUM_OPEN : 0);
}

static void dispatch(struct reader *r, struct rte_mbuf *m, const struct ft_capture_record *record,
                     uint32_t port)
{
    struct sensor *s = r->sensor;
    m = decode(r, m);
    uint32_t w = s->owner[packet_of(m)->shard];
    if (!has_room(r, w)) {
        shed(r, record, port);
        rte_pktmbuf_free(m);
        r->given = r->seq;
        return;
    }
    r->given = r->seq;
    give(r, w, m);
    if (++r->unflushed == 4 * PENDING)
        reader_flush(r);
}

void reader_take(struct reader *r, const struct ft_capture_record *record, uint32_t port)
{
    struct sensor *s = r->sensor;
    uint32_t caplen = record->caplen < JUMBO_ROOM ? record->caplen : JUMBO_ROOM;
    uint64_t now = ft_clock_take(&r->clock, record->time_ns);
    struct rte_mbuf *m;
    follow_clock(r);
    pace(r, r->clock.now);
    r->number++;
    s->packets_read++;
    s->bytes_read += record->wirelen;
    s->cut_records += caplen < record->caplen;
    s->last_ns = record->time_ns;
    if (s->filter && !ft_filter_passes(s->filter, record)) {
        book(r, FT_BUCKET_FILTERED, record);
        return;
    }
    m = get_mbuf(r, caplen);
    if (!m) {
        shed(r, record, port);
        return;
    }
    r->seq++;
    fill(r, m, record, caplen, now);
    dispatch(r, m, record, port);
}

void reader_publish(struct reader *r)
{
    struct control_points *points = &r->sensor->points;
    uint64_t wish = atomic_load_explicit(&points->count_wish, memory_order_acquire);
    if (wish == atomic_load_explicit(&points->count_done, memory_order_relaxed))
        return;
    if (r->is_live)
        ft_live_count(r->sensor->live);
    for (unsigned i = 0; i < FT_BUCKET_COUNT; i++)
        atomic_store_explicit(&points->reader[i], r->ledger.packets[i], memory_order_relaxed);
    atomic_store_explicit(&points->count_done, wish, memory_order_release);
}

static void show_progress(const struct sensor *s, uint64_t started, bool is_last)
{
    uint64_t size = ft_capture_set_size(s->capture), at = ft_capture_set_position(s->capture);
    double seconds = (double)(ft_clock_ns(CLOCK_MONOTONIC) - started) / 1e9;
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

static bool is_stopped(const struct sensor *s)
{
    return atomic_load_explicit(&s->stop, memory_order_relaxed);
}

/* Until "capture start", or the end of the run. */
static __attribute__((noinline, cold)) void hold(struct reader *r)
{
    struct sensor *s = r->sensor;
    struct control_points *points = &s->points;
    reader_flush(r);
    atomic_store_explicit(&points->is_holding, true, memory_order_release);
    while (atomic_load_explicit(&points->is_held, memory_order_relaxed) && !is_stopped(s)) {
        reader_flush(r);
        reader_publish(r);
        usleep(5000);
    }
    atomic_store_explicit(&points->is_holding, false, memory_order_release);
}

static void read_captures(struct reader *r)
{
    struct sensor *s = r->sensor;
    struct ft_capture_record record;
    uint64_t started = ft_clock_ns(CLOCK_MONOTONIC), shown = started;
    bool shows = isatty(STDERR_FILENO) && !s->options->quiet;
    while (!is_stopped(s) && ft_capture_set_next(s->capture, &record) == 1) {
        reader_take(r, &record, 0);
        if (__builtin_expect(atomic_load_explicit(&s->points.is_held, memory_order_relaxed), 0))
            hold(r);
        if ((r->number & 0xff) == 0)
            reader_publish(r);
        bool may_show = shows && ((r->number & 0xfff) == 0 || s->options->speed > 0);
        if (may_show && ft_clock_ns(CLOCK_MONOTONIC) - shown > SECOND / 2) {
            shown = ft_clock_ns(CLOCK_MONOTONIC);
            show_progress(s, started, false);
        }
    }
    if (shows && ft_clock_ns(CLOCK_MONOTONIC) - started > SECOND)
        show_progress(s, started, true);
}

void *reader_main(void *arg)
{
    struct sensor *s = arg;
    static struct reader reader; /* one source a process; too large for a stack */
    struct reader *r = &reader;
    *r = (struct reader){
        .sensor = s, .is_live = s->is_live, .may_wait = !s->is_live, .clock.is_live = s->is_live};
    signals_open();
    if (r->is_live)
        reader_live(r);
    else
        read_captures(r);
    r->may_wait = true;
    broadcast(r, FT_PACKET_END | FT_PACKET_STATS);
    atomic_store_explicit(&s->is_read, true, memory_order_release);
    return NULL;
}
