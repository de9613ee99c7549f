/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the packets of a run come from: captures, interfaces, ports of DPDK. */
#include "run_internal.h"

#include "base/clock_ns.h"
#include "capture/interface.h"

#include <stdio.h>

static bool open_captures(struct sensor *s)
{
    char error[512];
    struct ft_capture_set_options options = {.merge = s->options->merge,
                                             .loops = s->options->loops};
    s->capture = ft_capture_set_open(s->options->sources, s->options->source_count, &options, error,
                                     sizeof(error));
    return s->capture || fail(error);
}

static void say(void *user, const char *text)
{
    (void)user;
    fail(text);
}

static bool open_ports(struct sensor *s)
{
    const struct options *o = s->options;
    struct ft_live_source sources[FT_LIVE_PORTS_MAX];
    struct ft_live_options options = {.ring_bytes = (uint64_t)o->config.ring << 20,
                                      .may_wait = o->config.waits};
    char error[512];
    for (uint32_t i = 0; i < o->port_count; i++)
        sources[i] = (struct ft_live_source){o->ports[i].name, o->ports[i].link};
    s->opened_ns = ft_clock_ns(CLOCK_REALTIME);
    s->live = ft_live_open(sources, o->port_count, &options, error, sizeof(error));
    for (uint32_t i = 0; s->live && i < o->port_count; i++)
        ft_interface_warn(o->ports[i].name, say, NULL);
    return s->live || fail(error);
}

/* What can be said before DPDK is started and has found the ports. */
static bool check_devices(const struct sensor *s)
{
    char error[512];
    for (uint32_t i = 0; i < s->options->port_count && !s->options->config.waits; i++)
        if (!ft_ethdev_is_usable(s->options->ports[i].device, error, sizeof(error)))
            return fail(error);
    return true;
}

/* Ports of DPDK are opened when there are buffers for them. */
bool run_open_source(struct sensor *s)
{
    if (s->is_polled)
        return check_devices(s);
    return s->options->port_count ? open_ports(s) : open_captures(s);
}

bool run_open_polled(struct sensor *s)
{
    char error[512];
    if (s->is_polled && !ports_open(s, error, sizeof(error)))
        return fail(error);
    uint64_t wall = ft_clock_ns(CLOCK_REALTIME);
    s->started_ns = ft_clock_ns(CLOCK_MONOTONIC);
    s->clock_base = wall - s->started_ns;
    return true;
}
