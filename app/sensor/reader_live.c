/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading live ports: until a signal, through whatever happens to them. */
#include "reader.h"

#include "base/clock_ns.h"
#include "capture/interface.h"

#include <stdio.h>
#include <unistd.h>

#define SECOND 1000000000ull

/* Wake up so often when nothing arrives: ticks, and signals that came at a bad moment. */
#define WAIT_MS 100u

/* Look after other things at least every so many packets. */
#define PACKETS_BETWEEN 1024u

/* For what the kernel had received before the end to come out of its last block. */
#define DRAIN_NS SECOND

struct status {
    bool is_shown;
    uint64_t next, packets; /* when to show it again; packets at the last time */
};

static void say(void *user, const char *text)
{
    (void)user;
    fprintf(stderr, "fieldtap: %s\n", text);
}

/* An interface that was not there is looked at when it is, as others are at the start: whoever made
 * it may have given it an address. */
static void look_at_new(struct reader *r, uint32_t port)
{
    const struct ft_port *p = ft_live_port(r->sensor->live, port);
    if (p->state == FT_PORT_MISSING)
        r->was_missing[port] = true;
    if (p->state != FT_PORT_UP || !r->was_missing[port])
        return;
    r->was_missing[port] = false;
    ft_interface_warn(p->name, say, NULL);
}

static void tell_changes(struct reader *r)
{
    static const enum ft_health healths[] = {[FT_PORT_UP] = FT_HEALTH_INTERFACE_UP,
                                             [FT_PORT_DOWN] = FT_HEALTH_INTERFACE_DOWN,
                                             [FT_PORT_MISSING] = FT_HEALTH_INTERFACE_MISSING};
    struct ft_live *live = r->sensor->live;
    char trouble[256];
    uint32_t port;
    bool is_changed;
    do {
        is_changed = ft_live_changed(live, &port, trouble, sizeof(trouble));
        if (*trouble)
            say(NULL, trouble);
        if (!is_changed)
            continue;
        look_at_new(r, port);
        reader_tell(r, healths[ft_live_port(live, port)->state], (uint16_t)(port + 1));
    } while (is_changed);
}

static uint64_t lost(const struct reader *r)
{
    const struct ft_live *live = r->sensor->live;
    uint64_t n = r->ledger.packets[FT_BUCKET_SHED_RING];
    for (uint32_t i = 0; i < ft_live_count_ports(live); i++)
        n += ft_live_port(live, i)->stats.dropped;
    return n;
}

static void show_status(struct reader *r, struct status *status)
{
    struct sensor *s = r->sensor;
    uint64_t now = ft_clock_ns(CLOCK_MONOTONIC_COARSE);
    if (!status->is_shown || now < status->next)
        return;
    double seconds = status->next ? (double)(now - status->next + SECOND) / 1e9 : 1;
    ft_live_count(s->live);
    fprintf(stderr, "\r%.3f Mpps  %llu packets  %llu dropped  %llu alerts   ",
            (double)(s->packets_read - status->packets) / seconds / 1e6,
            (unsigned long long)s->packets_read, (unsigned long long)lost(r),
            (unsigned long long)atomic_load_explicit(&s->alerts, memory_order_relaxed));
    status->next = now + SECOND;
    status->packets = s->packets_read;
}

/*
 * What the ports had when they were stopped. Now the reader may wait for workers: nothing arrives
 * any more. Time for it is counted from the last packet, so a full ring may take as long as it
 * needs.
 */
static void drain(struct reader *r)
{
    struct ft_live *live = r->sensor->live;
    struct ft_capture_record record;
    uint32_t port;
    uint64_t last = ft_clock_ns(CLOCK_MONOTONIC);
    r->may_wait = true;
    ft_live_stop(live);
    while (!ft_live_is_drained(live) && ft_clock_ns(CLOCK_MONOTONIC) - last < DRAIN_NS) {
        while (ft_live_next(live, &record, &port)) {
            reader_take(r, &record, port);
            last = ft_clock_ns(CLOCK_MONOTONIC);
        }
        reader_flush(r);
        usleep(2000);
    }
}

/* "capture stop" and "capture start": nothing more is let in. What is in is still taken. */
static void follow_hold(struct reader *r)
{
    struct control_points *points = &r->sensor->points;
    bool is_held = atomic_load_explicit(&points->is_held, memory_order_relaxed);
    if (is_held == atomic_load_explicit(&points->is_holding, memory_order_relaxed))
        return;
    ft_live_hold(r->sensor->live, is_held);
    atomic_store_explicit(&points->is_holding, is_held, memory_order_release);
}

void reader_live(struct reader *r)
{
    struct sensor *s = r->sensor;
    struct ft_capture_record record;
    struct status status = {.is_shown = isatty(STDERR_FILENO) && !s->options->quiet};
    uint32_t port, busy = 0;
    enum ft_health health;
    /* When the ports were last begun to be looked at in vain. From the start time passes, and the
     * kernel has been collecting since before it. */
    uint64_t before = s->opened_ns;
    reader_idle(r, before);
    while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
        atomic_fetch_add_explicit(&s->reader_turns, 1, memory_order_relaxed);
        bool has_packet = ft_live_next(s->live, &record, &port);
        if (has_packet) {
            reader_take(r, &record, port);
            before = 0; /* of a look before this packet, which may be long ago, nothing follows */
            if (++busy < PACKETS_BETWEEN)
                continue;
        }
        busy = 0;
        if (reload_if_asked(s, &health))
            reader_tell(r, health, 0);
        follow_hold(r);
        reader_publish(r);
        tell_changes(r);
        show_status(r, &status);
        if (has_packet)
            continue;
        if (before)
            reader_idle(r, before);
        reader_flush(r);
        ft_live_wait(s->live, WAIT_MS);
        before = ft_clock_ns(CLOCK_REALTIME);
    }
    drain(r);
    tell_changes(r);
    if (status.is_shown && status.next)
        fputc('\n', stderr);
}
