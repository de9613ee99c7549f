/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ports thread: looks after the ports while workers poll them. It makes the ticks of the
 * alerting loop, follows links, takes a port out of service that was removed or wants a reset and
 * opens it again when it is back, and ends the run so that the books close.
 */
#include "sensor.h"

#include "base/clock_ns.h"
#include "confine.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SECOND 1000000000ull

/* Between two looks: ticks and the stop are noticed at the next one, and what workers tell is
 * released up to the last one. */
#define LOOK_US 10000u

/* The clock of day may drift and be slewed; more than this at once is a jump. */
#define JUMP_NS (2 * SECOND)

/* The end, in the order of everything. */
#define END_SEQ (UINT64_MAX - 1)

struct ports {
    struct sensor *sensor;
    uint64_t now, second; /* CLOCK_MONOTONIC, and the last tick */
    uint64_t day;         /* CLOCK_REALTIME - CLOCK_MONOTONIC */
    struct ft_ledger ledger;
    uint64_t shown, packets; /* second and packets of the last status line */
    bool shows_status;
    struct test { /* of how a port spreads packets, since it began or the last one failed */
        uint64_t plain, handed_over;
        bool is_told;
    } tests[FT_LIVE_PORTS_MAX];
};

static uint64_t load(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* ---- books ---- */

/* A port's own counters, and the sums of what workers counted of it. */
static struct port_books books_of(struct sensor *s, uint32_t port)
{
    struct ft_ethdev *e = &s->ethdevs[port];
    ft_ethdev_count(e);
    struct port_books b = {.stats = e->port.stats, .state = e->port.state};
    for (uint32_t w = 0; w < s->worker_count; w++) {
        const struct worker_port *of = &s->workers[w].ports[port];
        b.stats.received += load(&of->packets);
        b.stats.bytes += load(&of->bytes);
        b.shed += load(&of->shed);
        b.handed_over += load(&of->handed_over);
        b.plain += load(&of->plain);
        b.plain_handed_over += load(&of->plain_handed_over);
        b.odd_stamps += load(&of->odd_stamps);
    }
    return b;
}

static uint64_t packets_taken(const struct sensor *s)
{
    uint64_t n = 0;
    for (uint32_t w = 0; w < s->worker_count; w++)
        n += load(&s->workers[w].number);
    return n;
}

/* ---- what the alerting loop is told ---- */

/* A record at a place in the order; waits for room. */
static struct ft_event *event(struct ports *p, enum ft_event_type type, uint8_t shard, uint64_t seq)
{
    struct sensor *s = p->sensor;
    struct ft_event *e;
    while (!(e = ft_ring_reserve(&s->ticks, false)))
        sched_yield();
    memset(e, 0, sizeof(*e));
    e->size = sizeof(*e);
    e->type = (uint8_t)type;
    e->shard = shard;
    e->seq = seq;
    e->time_ns = ft_clock_ns(CLOCK_REALTIME);
    e->clock_ns = (seq == END_SEQ ? p->now : seq) + s->clock_base;
    e->number = packets_taken(s) * s->worker_count;
    return e;
}

static void tell_books(struct ports *p, uint64_t seq)
{
    struct sensor *s = p->sensor;
    struct ft_event *e = event(p, FT_EVENT_LEDGER, READER_SHARD, seq);
    struct reader_books *b = (struct reader_books *)(void *)(e + 1);
    memset(b, 0, sizeof(*b));
    b->books.ledger = p->ledger;
    for (uint32_t i = 0; i < s->options->port_count; i++)
        b->ports[i] = books_of(s, i);
    e->size += sizeof(*b);
    ft_ring_commit(&s->ticks);
}

static void send_tick(struct ports *p, uint64_t seq, uint32_t flags)
{
    if (flags & FT_PACKET_STATS)
        tell_books(p, seq);
    event(p, FT_EVENT_TICK, UINT8_MAX, seq)->anomaly = flags;
    ft_ring_commit(&p->sensor->ticks);
}

/* The same seconds as the workers', by the same rule. */
static void send_ticks(struct ports *p)
{
    uint64_t interval = p->sensor->options->stats_interval;
    p->now = ft_clock_ns(CLOCK_MONOTONIC);
    for (uint64_t t = p->second + 1; t <= p->now / SECOND; t++) {
        bool tells = interval && t % interval == 0;
        if (t == p->now / SECOND || tells)
            send_tick(p, t * SECOND, FT_PACKET_TICK | (tells ? FT_PACKET_STATS : 0));
    }
    p->second = p->now / SECOND;
    atomic_store_explicit(&p->sensor->dispatched_through, p->now, memory_order_release);
}

/* About port + 1, 0: about none. Behind all ticks that are due. */
static void tell(struct ports *p, enum ft_health health, uint32_t port)
{
    send_ticks(p);
    p->ledger.events[FT_EVENT_HEALTH]++;
    struct ft_event *e = event(p, FT_EVENT_HEALTH, READER_SHARD, p->now + 1);
    e->health.health = (uint8_t)health;
    e->health.port = (uint16_t)port;
    ft_ring_commit(&p->sensor->ticks);
    while (ft_clock_ns(CLOCK_MONOTONIC) <= p->now + 1) {} /* so that the next tick is behind it */
}

/* ---- ports that come and go ---- */

/* When this returns nobody polls the port: each worker has begun a turn since. */
static void withdraw(struct sensor *s, struct ft_ethdev *port)
{
    atomic_store_explicit(&port->is_started, false, memory_order_seq_cst);
    workers_begin_turn(s);
}

static void tell_state(struct ports *p, uint32_t port)
{
    static const enum ft_health healths[] = {[FT_PORT_UP] = FT_HEALTH_INTERFACE_UP,
                                             [FT_PORT_DOWN] = FT_HEALTH_INTERFACE_DOWN,
                                             [FT_PORT_MISSING] = FT_HEALTH_INTERFACE_MISSING};
    tell(p, healths[p->sensor->ethdevs[port].port.state], port + 1);
}

/*
 * Does a NIC that took table and key spread plain IP as they say? Looked at over a thousand packets
 * and more, the first right after the start, and told once.
 */
static void test_spread(struct ports *p, uint32_t i)
{
    struct sensor *s = p->sensor;
    struct test *test = &p->tests[i];
    struct port_books b = books_of(s, i);
    uint64_t plain = b.plain - test->plain, handed = b.plain_handed_over - test->handed_over;
    if (s->ethdevs[i].spread != FT_ETHDEV_SPREAD_ADDRESSES || test->is_told || plain < 1000)
        return;
    if (s->options->verbose && !test->plain)
        fprintf(stderr,
                "fieldtap: port %s: of the first %llu packets of plain IP %llu were not "
                "on their worker's queue\n",
                s->ethdevs[i].name, (unsigned long long)plain, (unsigned long long)handed);
    test->plain = b.plain;
    test->handed_over = b.plain_handed_over;
    test->is_told = ft_ethdev_is_misled(plain, handed);
    if (!test->is_told)
        return;
    fprintf(stderr,
            "fieldtap: port %s: its NIC does not spread packets as it was told to: %llu of "
            "%llu had to be handed over; fewer workers may do more\n",
            s->ethdevs[i].name, (unsigned long long)handed, (unsigned long long)plain);
    tell(p, FT_HEALTH_NOT_SPREAD, i + 1);
}

/* "capture stop": a port is closed until "capture start", as if it had been removed. */
static void close_held(struct ports *p, uint32_t i)
{
    struct ft_ethdev *port = &p->sensor->ethdevs[i];
    if (!atomic_load_explicit(&port->is_started, memory_order_relaxed))
        return;
    ft_ethdev_count(port);
    withdraw(p->sensor, port);
    ft_ethdev_close(port);
    port->port.state = FT_PORT_DOWN;
    tell_state(p, i);
}

static void publish(struct ports *p)
{
    struct control_points *points = &p->sensor->points;
    uint64_t wish = atomic_load_explicit(&points->count_wish, memory_order_acquire);
    if (wish == atomic_load_explicit(&points->count_done, memory_order_relaxed))
        return;
    for (uint32_t i = 0; i < p->sensor->options->port_count; i++)
        ft_ethdev_count(&p->sensor->ethdevs[i]);
    atomic_store_explicit(&points->count_done, wish, memory_order_release);
}

static void look_after(struct ports *p, uint32_t i)
{
    struct sensor *s = p->sensor;
    struct ft_ethdev *port = &s->ethdevs[i];
    enum ft_port_state before = port->port.state;
    char error[512];
    if (!atomic_load_explicit(&port->is_started, memory_order_relaxed)) {
        if (ft_ethdev_open(port, error, sizeof(error))) {
            p->tests[i].is_told = false;
            tell_state(p, i);
        }
        return;
    }
    test_spread(p, i);
    if (ft_ethdev_check(port)) {
        ft_ethdev_count(port);
        withdraw(s, port);
        ft_ethdev_close(port);
        port->port.state = FT_PORT_MISSING;
    }
    if (port->port.state != before)
        tell_state(p, i);
}

/* ---- the clock of day, the status line ---- */

static void follow_day(struct ports *p)
{
    uint64_t day = ft_clock_ns(CLOCK_REALTIME) - ft_clock_ns(CLOCK_MONOTONIC);
    bool is_set = day > p->day + JUMP_NS || day + JUMP_NS < p->day;
    p->day = day;
    if (!is_set)
        return;
    p->sensor->clock_jumps++;
    tell(p, FT_HEALTH_TIME_BACKWARDS, 0);
}

static void show_status(struct ports *p)
{
    struct sensor *s = p->sensor;
    uint64_t packets = packets_taken(s), lost = 0, seconds = p->second - p->shown;
    if (!p->shows_status || !seconds)
        return;
    for (uint32_t i = 0; i < s->options->port_count; i++) {
        struct port_books b = books_of(s, i);
        lost += b.stats.dropped + b.shed;
    }
    fprintf(stderr, "\r%.3f Mpps  %llu packets  %llu dropped  %llu alerts   ",
            (double)(packets - p->packets) / (double)seconds / 1e6, (unsigned long long)packets,
            (unsigned long long)lost,
            (unsigned long long)atomic_load_explicit(&s->alerts, memory_order_relaxed));
    p->shown = p->second;
    p->packets = packets;
}

/* ---- the end ---- */

/* Taken is read first: what is equal then was nowhere on its way when it was read. */
static bool is_quiet(struct sensor *s)
{
    uint64_t taken = 0, handed = 0;
    for (uint32_t w = 0; w < s->worker_count; w++)
        taken += atomic_load_explicit(&s->workers[w].taken_over, memory_order_acquire);
    for (uint32_t w = 0; w < s->worker_count; w++)
        handed += load(&s->workers[w].handed_over);
    return taken == handed;
}

/*
 * First nobody polls any more, then nothing is on its way between workers any more, then each ends.
 * They may have to wait for the alerting loop, which must not wait for this thread: nothing comes
 * from here until they have ended.
 */
static void end_workers(struct sensor *s)
{
    atomic_store_explicit(&s->dispatched_through, END_SEQ, memory_order_release);
    atomic_store_explicit(&s->phase, PHASE_DRAINING, memory_order_release);
    for (uint32_t w = 0; w < s->worker_count; w++)
        while (!atomic_load_explicit(&s->workers[w].has_stopped, memory_order_acquire))
            usleep(100);
    while (!is_quiet(s))
        usleep(100);
    atomic_store_explicit(&s->phase, PHASE_ENDING, memory_order_release);
    for (uint32_t w = 0; w < s->worker_count; w++)
        while (atomic_load_explicit(&s->workers[w].done, memory_order_acquire) != UINT64_MAX)
            usleep(100);
}

static void end(struct ports *p)
{
    struct sensor *s = p->sensor;
    end_workers(s);
    for (uint32_t i = 0; i < s->options->port_count; i++) {
        struct port_books b = books_of(s, i);
        s->packets_read += b.stats.received;
        s->bytes_read += b.stats.bytes;
    }
    for (uint32_t w = 0; w < s->worker_count; w++)
        s->cut_records += load(&s->workers[w].cut);
    p->now = ft_clock_ns(CLOCK_MONOTONIC);
    send_tick(p, END_SEQ, FT_PACKET_END | FT_PACKET_STATS);
    atomic_store_explicit(&s->dispatched_through, UINT64_MAX, memory_order_release);
    atomic_store_explicit(&s->is_read, true, memory_order_release);
}

void *ports_main(void *arg)
{
    struct sensor *s = arg;
    static struct ports ports; /* one a process */
    enum ft_health health;
    struct ports *p = &ports;
    uint64_t looked = s->started_ns / SECOND;
    *p = (struct ports){.sensor = s,
                        .second = looked,
                        .shown = looked,
                        .day = s->clock_base,
                        .shows_status = isatty(STDERR_FILENO) && !s->options->quiet};
    signals_open();
    confine_all_others(s);
    send_ticks(p);
    for (uint32_t i = 0; i < s->options->port_count; i++)
        if (s->ethdevs[i].port.state != FT_PORT_UP)
            tell_state(p, i);
    while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
        atomic_fetch_add_explicit(&s->reader_turns, 1, memory_order_relaxed);
        send_ticks(p);
        if (p->second != looked) {
            bool is_held = atomic_load_explicit(&s->points.is_held, memory_order_relaxed);
            for (uint32_t i = 0; i < s->options->port_count; i++)
                if (is_held)
                    close_held(p, i);
                else
                    look_after(p, i);
            atomic_store_explicit(&s->points.is_holding, is_held, memory_order_release);
            follow_day(p);
            show_status(p);
        }
        publish(p);
        if (reload_if_asked(s, &health))
            tell(p, health, 0);
        looked = p->second;
        usleep(LOOK_US);
    }
    end(p);
    ports_close(s); /* who alone has the rights that some take */
    if (p->shows_status && p->packets)
        fputc('\n', stderr);
    return NULL;
}

/* ---- opening ---- */

static void remark(const char *port, const char *text)
{
    fprintf(stderr, "fieldtap: port %s: %s\n", port, text);
}

static void say_remarks(const struct sensor *s, const struct ft_ethdev *e)
{
    if (e->has_tx_queue)
        remark(e->name, "its driver insists on a transmit queue; it is never used");
    if (e->pause == FT_ETHDEV_PAUSE_ON)
        remark(e->name, "it may send PAUSE frames, which cannot be switched off here: do so at the "
                        "switch");
    if (e->pause == FT_ETHDEV_PAUSE_UNKNOWN)
        remark(e->name, "its driver does not tell whether it sends PAUSE frames: switch flow "
                        "control off at the switch");
    if (!e->hears_all)
        remark(e->name, "it is not promiscuous: it takes only what is sent to its own address");
    if (e->cuts_at != UINT32_MAX)
        fprintf(stderr,
                "fieldtap: port %s: of packets of more than %u bytes, and of fragments that the "
                "kernel puts together to more, it has the beginning only (cut_records); -i %s has "
                "all of them\n",
                e->name, e->cuts_at, e->interface);
    if (s->worker_count < 2 || !s->options->verbose)
        return;
    if (e->spread == FT_ETHDEV_SPREAD_NOT)
        remark(e->name, "it does not spread packets over the workers by their addresses: who takes "
                        "them hands over what is not its own");
    if (e->spread == FT_ETHDEV_SPREAD_CONNECTION)
        remark(e->name, "it spreads packets by connection, not by addresses: who takes them hands "
                        "over what is not its own");
}

bool ports_open(struct sensor *s, char *error, size_t error_size)
{
    for (uint32_t i = 0; i < s->options->port_count; i++) {
        struct ft_ethdev_config config = {
            .device = s->options->ports[i].device,
            .queues = (uint16_t)s->worker_count,
            .descriptors = (uint16_t)s->options->config.descriptors,
            .buffers = s->port_packets[i],
            .shard_queue = s->owner,
        };
        ft_ethdev_init(&s->ethdevs[i], &config, (uint16_t)i);
        if (ft_ethdev_open(&s->ethdevs[i], error, error_size)) {
            say_remarks(s, &s->ethdevs[i]);
            if (s->options->misleads)
                s->ethdevs[i].spread = FT_ETHDEV_SPREAD_ADDRESSES;
        } else if (!s->options->config.waits)
            return false;
        else {
            fprintf(stderr, "fieldtap: %s; waiting for it\n", error);
        }
    }
    return true;
}

void ports_close(struct sensor *s)
{
    for (uint32_t i = 0; i < s->options->port_count; i++)
        if (atomic_load(&s->ethdevs[i].is_started))
            ft_ethdev_close(&s->ethdevs[i]);
}
