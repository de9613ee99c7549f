/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading several live ports as one. */
#include "capture/live.h"

#include "base/clock_ns.h"

#include "capture/packet_socket.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define NS_PER_SECOND 1000000000ull
#define NS_PER_MS     1000000ull

#define BURST 64u

/* A block is handed over after at most two runs of its timer; the rest is for a busy machine. */
#define HOLD_NS (2 * FT_PACKET_SOCKET_RETIRE_MS * NS_PER_MS + 10 * NS_PER_MS)

/* A packet this far ahead of the clock was not held back by a block: the clock was set. */
#define CLOCK_SET_NS NS_PER_SECOND

struct source {
    struct ft_port *port;
    struct ft_capture_record records[BURST];
    uint32_t at, count; /* of the burst: next, end */
    enum ft_port_state told;
};

struct ft_live {
    uint32_t count;
    uint64_t safe_until; /* what is stamped before may go: no port has anything earlier */
    uint64_t next_check; /* monotonic */
    bool has_trouble, is_holding, is_stopped;
    struct source sources[];
};

struct ft_live *ft_live_open(const struct ft_live_source *sources, uint32_t count,
                             const struct ft_live_options *options, char *error, size_t error_size)
{
    struct ft_packet_socket_options port_options = {.ring_bytes = options->ring_bytes,
                                                    .may_wait = options->may_wait};
    struct ft_live *live = calloc(1, sizeof(*live) + count * sizeof(live->sources[0]));
    if (!live) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    for (; live->count < count; live->count++) {
        struct source *s = &live->sources[live->count];
        s->port = ft_packet_socket_open(sources[live->count].name, sources[live->count].link,
                                        &port_options, error, error_size);
        if (!s->port) {
            ft_live_close(live);
            return NULL;
        }
    }
    return live;
}

void ft_live_close(struct ft_live *live)
{
    for (uint32_t i = 0; live && i < live->count; i++)
        live->sources[i].port->ops->close(live->sources[i].port);
    free(live);
}

/* Is there a packet of this source at hand? */
static bool fill(struct source *s)
{
    if (s->at < s->count)
        return true;
    s->at = 0;
    s->count = s->port->ops->poll(s->port, s->records, BURST);
    return s->count > 0;
}

/* The source with the earliest packet, NULL without any; *is_complete when all have one. */
static struct source *earliest(struct ft_live *live, bool *is_complete)
{
    struct source *best = NULL;
    *is_complete = true;
    for (uint32_t i = 0; i < live->count; i++) {
        struct source *s = &live->sources[i];
        if (!fill(s))
            *is_complete = false;
        else if (!best || s->records[s->at].time_ns < best->records[best->at].time_ns)
            best = s;
    }
    return best;
}

/* May a packet stamped `stamp` go, although some port has nothing to compare with? */
static bool may_go(struct ft_live *live, uint64_t stamp, uint64_t now)
{
    bool is_set_back = now + CLOCK_SET_NS < live->safe_until;
    if (now - HOLD_NS > live->safe_until || is_set_back)
        live->safe_until = now - HOLD_NS;
    return stamp <= live->safe_until || stamp > now + CLOCK_SET_NS;
}

bool ft_live_next(struct ft_live *live, struct ft_capture_record *record, uint32_t *port)
{
    bool is_complete;
    /* Read before the ports are looked at: what they do not have then came later. */
    uint64_t now = live->count > 1 ? ft_clock_ns(CLOCK_REALTIME) : 0;
    struct source *s = earliest(live, &is_complete);
    live->is_holding =
        s && live->count > 1 && !is_complete && !may_go(live, s->records[s->at].time_ns, now);
    if (!s || live->is_holding)
        return false;
    *record = s->records[s->at++];
    *port = (uint32_t)(s - live->sources);
    return true;
}

bool ft_live_has_room(const struct ft_live *live)
{
    for (uint32_t i = 0; i < live->count; i++)
        if (!live->sources[i].port->ops->has_room(live->sources[i].port))
            return false;
    return true;
}

void ft_live_wait(struct ft_live *live, uint32_t milliseconds)
{
    struct pollfd descriptors[FT_LIVE_PORTS_MAX];
    uint32_t n = 0;
    for (; n < live->count && n < FT_LIVE_PORTS_MAX; n++)
        descriptors[n] = (struct pollfd){
            /* A port with packets at hand would end the wait at once. */
            .fd = live->sources[n].at < live->sources[n].count ? -1
                                                               : live->sources[n].port->descriptor,
            .events = POLLIN};
    if (live->is_holding && milliseconds > FT_PACKET_SOCKET_RETIRE_MS)
        milliseconds = FT_PACKET_SOCKET_RETIRE_MS;
    if (poll(descriptors, n, (int)milliseconds) <= 0)
        return;
    for (uint32_t i = 0; i < n; i++)
        if (descriptors[i].revents & (POLLERR | POLLHUP | POLLNVAL))
            live->next_check = 0;
}

/* Look at all ports. */
static void check_all(struct ft_live *live, char *trouble, size_t trouble_size)
{
    bool had_trouble = live->has_trouble;
    char sentence[256];
    live->has_trouble = false;
    for (uint32_t i = 0; i < live->count; i++) {
        struct ft_port *port = live->sources[i].port;
        if (port->ops->check(port, sentence, sizeof(sentence)))
            continue;
        live->has_trouble = true;
        if (!had_trouble)
            snprintf(trouble, trouble_size, "%s", sentence);
    }
}

bool ft_live_changed(struct ft_live *live, uint32_t *port, char *trouble, size_t trouble_size)
{
    uint64_t now = ft_clock_ns(CLOCK_MONOTONIC_COARSE);
    *trouble = 0;
    if (now >= live->next_check && !live->is_stopped) {
        live->next_check = now + NS_PER_SECOND;
        check_all(live, trouble, trouble_size);
    }
    for (uint32_t i = 0; i < live->count; i++) {
        struct source *s = &live->sources[i];
        if (s->told == s->port->state)
            continue;
        s->told = s->port->state;
        *port = i;
        return true;
    }
    return false;
}

void ft_live_count(struct ft_live *live)
{
    for (uint32_t i = 0; i < live->count; i++)
        live->sources[i].port->ops->count(live->sources[i].port);
}

void ft_live_stop(struct ft_live *live)
{
    live->is_stopped = true;
    for (uint32_t i = 0; i < live->count; i++)
        live->sources[i].port->ops->stop(live->sources[i].port);
}

bool ft_live_is_drained(struct ft_live *live)
{
    ft_live_count(live);
    for (uint32_t i = 0; i < live->count; i++) {
        const struct source *s = &live->sources[i];
        const struct ft_port_stats *stats = &s->port->stats;
        if (s->at < s->count || stats->arrived != stats->received + stats->dropped + stats->damaged)
            return false;
    }
    return true;
}

void ft_live_hold(struct ft_live *live, bool is_held)
{
    for (uint32_t i = 0; i < live->count; i++)
        live->sources[i].port->ops->hold(live->sources[i].port, is_held);
}

uint32_t ft_live_count_ports(const struct ft_live *live)
{
    return live->count;
}

const struct ft_port *ft_live_port(const struct ft_live *live, uint32_t port)
{
    return live->sources[port].port;
}
