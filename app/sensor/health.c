/* SPDX-License-Identifier: BSD-3-Clause */
/* Silent interfaces and full rings, see health.h. Time is that of this machine, monotonic. */
#include "health.h"

#include "base/clock_ns.h"
#include "figures.h"

#include <stdio.h>

#define SECOND_NS 1000000000ull
#define AGAIN_NS  (60 * SECOND_NS) /* the same ring is told once a minute at most */

/* Percent of a ring. From 75 on events that can be done without are left out. */
#define HIGH_PERCENT 70u

/* A ring of one worker. */
struct ring_watch {
    uint64_t most;    /* high-water mark as of the last look */
    uint64_t told_ns; /* 0 = never */
};

/* One sensor a process. */
static struct {
    uint64_t looked_ns;
    struct {
        uint64_t received, heard_ns; /* packets, and when there were more */
        bool is_told;
    } ports[FT_LIVE_PORTS_MAX];
    struct ring_watch packets[WORKERS_MAX], events[WORKERS_MAX];
} health;

/* ---- silence ---- */

static void tell_silence(struct sensor *s, uint32_t i, bool is_first)
{
    const char *name = s->options->ports[i].name;
    char text[384];
    snprintf(text, sizeof(text),
             "Nothing was seen on %s for %u seconds%s: is the mirror port still set up, does the "
             "capture filter leave anything?",
             name, s->options->config.silence_s, is_first ? ", since the sensor began" : "");
    ft_core_health_port(s->core, i, "interface_silent", FT_SEVERITY_CRITICAL, text,
                        ft_clock_ns(CLOCK_REALTIME));
}

static void tell_traffic(struct sensor *s, uint32_t i, uint64_t seconds)
{
    char text[256];
    snprintf(text, sizeof(text), "There are packets on %s again, after %llu seconds",
             s->options->ports[i].name, (unsigned long long)seconds);
    ft_core_health_port(s->core, i, "interface_heard", FT_SEVERITY_WARNING, text,
                        ft_clock_ns(CLOCK_REALTIME));
}

/* One that is down or gone is told as such; behind that it has as long as at the start. */
static void watch_port(struct sensor *s, uint32_t i, uint64_t now)
{
    bool is_up;
    uint64_t received = figures_received(s, i, &is_up);
    uint64_t since = now - health.ports[i].heard_ns;
    if (received != health.ports[i].received || !health.ports[i].heard_ns) {
        if (health.ports[i].is_told)
            tell_traffic(s, i, since / SECOND_NS);
        health.ports[i].is_told = false;
        health.ports[i].received = received;
        health.ports[i].heard_ns = now;
    } else if (!is_up && !health.ports[i].is_told) {
        health.ports[i].heard_ns = now;
    } else if (!health.ports[i].is_told && since >= s->options->config.silence_s * SECOND_NS) {
        health.ports[i].is_told = true;
        tell_silence(s, i, !received);
    }
}

/* ---- rings ---- */

/* Its mark rose above the line, or it is there again, and that was not told for a while. */
static bool is_high(struct ring_watch *r, uint64_t most, uint64_t now_in_it, uint64_t size,
                    uint64_t now)
{
    uint64_t line = size * HIGH_PERCENT / 100;
    bool is_new = most > r->most && most >= line;
    r->most = most;
    if ((!is_new && now_in_it < line) || (r->told_ns && now - r->told_ns < AGAIN_NS))
        return false;
    r->told_ns = now;
    return true;
}

static void tell_ring(struct sensor *s, uint32_t worker, uint64_t most, uint64_t size,
                      const char *what, const char *remedy)
{
    char text[384];
    snprintf(text, sizeof(text),
             "%s worker %u: up to %llu of %llu waited (%llu %%). When the ring is full, they are "
             "lost. What helps: %s",
             what, worker, (unsigned long long)most, (unsigned long long)size,
             (unsigned long long)(100 * most / size), remedy);
    ft_core_health_at(s->core, "ring_high_water", FT_SEVERITY_MINOR, text,
                      ft_clock_ns(CLOCK_REALTIME));
}

static void watch_rings(struct sensor *s, uint32_t i, uint64_t now)
{
    const struct worker *w = &s->workers[i];
    const struct ft_ring *events = &w->events;
    uint64_t size = rte_ring_get_capacity(w->input), waiting = rte_ring_count(w->input);
    uint64_t most = w->input_high_water > waiting ? w->input_high_water : waiting;
    if (is_high(&health.packets[i], most, waiting, size, now))
        tell_ring(s, i, most, size, "Packets for",
                  "more workers (-w, cores.workers), a larger cores.ring, a filter");
    waiting = atomic_load_explicit(&events->written, memory_order_relaxed) -
              atomic_load_explicit(&events->read, memory_order_relaxed);
    most = events->high_water > waiting ? events->high_water : waiting;
    if (is_high(&health.events[i], most, waiting, events->size, now))
        tell_ring(
            s, i, most, events->size, "Bytes of events of",
            "a CPU of its own for the alerting loop (cores.alerting), --log without messages");
}

/* ---- */

void health_watch(struct sensor *s)
{
    uint64_t now = ft_clock_ns(CLOCK_MONOTONIC);
    bool is_held = atomic_load_explicit(&s->points.is_held, memory_order_relaxed) ||
                   atomic_load_explicit(&s->points.is_holding, memory_order_relaxed);
    if (!s->is_live || now - health.looked_ns < SECOND_NS ||
        atomic_load_explicit(&s->is_read, memory_order_relaxed))
        return;
    health.looked_ns = now;
    for (uint32_t i = 0; s->options->config.silence_s && i < s->options->port_count; i++) {
        if (is_held && !health.ports[i].is_told)
            health.ports[i].heard_ns = now; /* whoever stopped it knows why it is silent */
        else if (!is_held)
            watch_port(s, i, now);
    }
    for (uint32_t i = 0; i < s->worker_count; i++)
        if (s->workers[i].input)
            watch_rings(s, i, now);
}
