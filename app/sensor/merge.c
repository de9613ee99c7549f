/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The alerting loop: merges the events of all workers in packet order and gives them to the core.
 *
 * The next event is the least by (seq, shard, n) among the oldest ones of all rings. A ring that is
 * empty can still bring a lesser one unless its worker is done through that seq.
 */
#include "sensor.h"

#include "base/clock_ns.h"
#include "base/say.h"
#include "health.h"
#include "notify.h"
#include "outputs.h"
#include "watchdog.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define WATCH_NS 200000000ull

struct merge {
    struct sensor *sensor;
    struct ft_books books; /* of the workers that told theirs at one tick */
    struct ft_mirror mirror;
    uint64_t books_seq; /* that tick; a worker may tell a last one that nobody else does */
    uint64_t last_watch;
    uint64_t begun_anew; /* files of events, as far as that was told */
    bool is_over;
};

static bool is_before(const struct ft_event *a, const struct ft_event *b)
{
    if (a->seq != b->seq)
        return a->seq < b->seq;
    if (a->shard != b->shard)
        return a->shard < b->shard;
    return a->n < b->n;
}

/* How far a worker is: what it has done, or all that was dispatched when it has nothing to do. */
static uint64_t done_through(struct sensor *s, struct worker *w)
{
    uint64_t dispatched = atomic_load_explicit(&s->dispatched_through, memory_order_acquire);
    uint64_t sent = atomic_load_explicit(&w->sent, memory_order_acquire);
    uint64_t done = atomic_load_explicit(&w->done, memory_order_acquire);
    return done >= sent && dispatched > done ? dispatched : done;
}

/* Workers of captures may go on as far as this: all up to `seq` was handled. */
static void tell_through(struct sensor *s, uint64_t seq)
{
    if (s->evidence.wishes)
        ft_evidence_through(s->evidence.wishes, seq);
}

/* The ring with the next event, or NULL when it cannot be known yet. */
static struct ft_ring *next_ring(struct sensor *s)
{
    struct ft_ring *best_ring = NULL;
    const struct ft_event *best = NULL;
    uint64_t horizon = UINT64_MAX; /* least seq through which an empty ring is done */
    for (uint32_t i = 0; i <= s->worker_count; i++) {
        bool is_reader = i == s->worker_count;
        struct ft_ring *ring = is_reader ? &s->ticks : &s->workers[i].events;
        uint64_t done = is_reader
                            ? atomic_load_explicit(&s->dispatched_through, memory_order_acquire)
                            : done_through(s, &s->workers[i]);
        const struct ft_event *e = ft_ring_peek(ring);
        if (!e) {
            horizon = done < horizon ? done : horizon;
        } else if (!best || is_before(e, best)) {
            best = e;
            best_ring = ring;
        }
    }
    bool is_next = best && best->seq <= horizon;
    tell_through(s, is_next ? best->seq - 1 : horizon);
    return is_next ? best_ring : NULL;
}

/* What the core does not know of. */
static void put_more(void *user, struct ft_json *j)
{
    evidence_put_stats(user, j);
    outputs_put_stats(user, j);
}

static void tell_stats(struct merge *m, const struct ft_event *tick)
{
    const struct ft_books *b = &m->books;
    struct ft_core_port ports[FT_LIVE_PORTS_MAX];
    for (uint32_t i = 0; i < m->sensor->options->port_count; i++)
        ports[i] = port_figures(m->sensor, i);
    struct ft_core_totals totals = {
        .ledger = &b->ledger,
        .mirror = &m->mirror,
        .flow_active = b->flows.active,
        .flow_created = b->flows.created,
        .flow_capacity = m->sensor->options->config.max_flows,
        .stamp_ns = tick->time_ns,
        .number = tick->number,
        .ports = ports,
        .port_count = m->sensor->options->port_count,
        .requests = {.asked = b->requests.asked,
                     .answered = b->requests.answered,
                     .unanswered = b->state.unanswered,
                     .displaced = b->state.requests_displaced,
                     .evicted = b->state.requests_evicted,
                     .refused = b->state.requests_refused},
        .put_more = put_more,
        .user = m->sensor,
    };
    ft_core_stats(m->sensor->core, &totals);
    bool is_kept = !m->sensor->outputs.journal || m->sensor->outputs.state.is_ok;
    if (m->sensor->is_live && !m->is_over)
        notify("STATUS=Listening: %llu packets, %llu alerts%s%s", (unsigned long long)tick->number,
               (unsigned long long)atomic_load_explicit(&m->sensor->alerts, memory_order_relaxed),
               is_kept ? "" : "; the journal cannot write: ",
               is_kept ? "" : m->sensor->outputs.state.text);
    rules_want(m->sensor, RULES_WISH_STATISTICS); /* by its thread: this one waits for no disk */
}

/* The reader's books begin as all do; behind them are the ports. */
static void take_ports(struct sensor *s, const struct reader_books *b)
{
    memcpy(s->ports, b->ports, sizeof(s->ports));
}

/* For the status line and the control socket. */
static void publish_figures(struct sensor *s)
{
    uint32_t kept;
    uint64_t more;
    ft_core_alerts(s->core, &kept, &more);
    atomic_store_explicit(&s->alerts, kept + more, memory_order_relaxed);
    atomic_store_explicit(&s->points.assets, ft_inventory_count(ft_core_inventory(s->core)),
                          memory_order_relaxed);
    atomic_store_explicit(&s->points.events, s->events_received, memory_order_relaxed);
}

/* Books of a shard's mirror, of a worker, or of the reader: what is told at one tick is added up.
 */
static void take_books(struct merge *m, const struct ft_event *e)
{
    const void *books = e + 1;
    if (e->seq != m->books_seq) {
        memset(&m->books, 0, sizeof(m->books));
        memset(&m->mirror, 0, sizeof(m->mirror));
    }
    m->books_seq = e->seq;
    if (e->shard < FT_SHARDS) {
        ft_mirror_add(&m->mirror, books);
        return;
    }
    ft_books_add(&m->books, books);
    if (e->shard == READER_SHARD)
        take_ports(m->sensor, books);
}

static void handle(struct merge *m, const struct ft_event *e)
{
    struct sensor *s = m->sensor;
    if (e->type == FT_EVENT_LEDGER) {
        take_books(m, e);
        return;
    }
    if (e->type != FT_EVENT_TICK) {
        s->events_received++;
        if (e->type == FT_EVENT_RULE)
            rules_tell_core(s); /* what a worker has, the core shall know */
        ft_core_event(s->core, e);
        return;
    }
    rules_tick(s);
    evidence_tick(s);
    if (e->anomaly & FT_PACKET_END)
        ft_core_finish(s->core); /* so that the last statistics count all lines */
    if (e->anomaly & FT_PACKET_STATS) {
        s->books = m->books;
        s->mirror = m->mirror;
        tell_stats(m, e);
    }
    if (e->anomaly & FT_PACKET_END)
        m->is_over = true;
    else
        ft_core_tick(s->core, e->clock_ns, e->seq);
    publish_figures(s);
}

/* Without a journal; with one its sink tells it. */
static void tell_begun_anew(struct merge *m)
{
    uint64_t begun_anew = ft_output_status(m->sensor->output).begun_anew;
    char text[4200];
    if (begun_anew == m->begun_anew)
        return;
    m->begun_anew = begun_anew;
    snprintf(text, sizeof(text), "The file %s/eve.json was removed: a new one is begun.",
             m->sensor->options->log_dir);
    ft_say("fieldtap", "%s", text);
    outputs_tell(m->sensor, "sink_file_removed", FT_SEVERITY_MINOR, text);
}

/* Five times a second what was told is written. A worker that stays in one dissector call from one
 * visit to the next is called back; so is a reader that waits although it is to stop. */
static void watch(struct merge *m)
{
    uint64_t now = ft_clock_ns(CLOCK_MONOTONIC);
    if (now - m->last_watch < WATCH_NS)
        return;
    m->last_watch = now;
    watchdog_look(m->sensor);
    ft_output_flush(m->sensor->output);
    tell_begun_anew(m);
    outputs_watch(m->sensor);
    health_watch(m->sensor);
    /* A stop that came right before the reader began to wait for input did not wake it. */
    if (atomic_load_explicit(&m->sensor->stop, memory_order_relaxed) &&
        !atomic_load_explicit(&m->sensor->is_read, memory_order_acquire))
        pthread_kill(m->sensor->reader, SIGTERM);
    for (uint32_t i = 0; i < m->sensor->worker_count; i++)
        ft_inspect_watch(m->sensor->workers[i].inspector, m->sensor->workers[i].thread);
}

void alerting_loop(struct sensor *s)
{
    static const struct timespec nap = {.tv_nsec = 50000};
    struct merge m = {.sensor = s};
    uint32_t empty = 0, since_watch = 0;
    while (!m.is_over) {
        struct ft_ring *ring = next_ring(s);
        if (++since_watch % 1024 == 0 || !ring) {
            watch(&m);
            control_core_turn(s);
        }
        if (!ring) {
            if (++empty < 16)
                sched_yield();
            else
                nanosleep(&nap, NULL);
            continue;
        }
        empty = 0;
        handle(&m, ft_ring_peek(ring));
        ft_ring_release(ring);
    }
}
