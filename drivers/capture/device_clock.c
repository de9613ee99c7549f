/* SPDX-License-Identifier: BSD-3-Clause */
/* The clock of a NIC. */
#include "capture/device_clock.h"

/* The rate is taken over at most this long: what a warm NIC drifts shall show. */
#define WINDOW_NS 64000000000ull

/* One of the clocks was set: the moments before it say nothing about the rate. */
#define STEP_NS 10000000ll

static void publish(struct ft_device_clock *c, struct ft_device_time time)
{
    uint32_t version = atomic_load_explicit(&c->version, memory_order_relaxed);
    atomic_store_explicit(&c->version, version + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&c->ticks, time.ticks, memory_order_relaxed);
    atomic_store_explicit(&c->wall, time.wall, memory_order_relaxed);
    atomic_store_explicit(&c->scale, time.scale, memory_order_relaxed);
    atomic_store_explicit(&c->version, version + 2, memory_order_release);
}

struct ft_device_time ft_device_clock_time(const struct ft_device_clock *c)
{
    struct ft_device_time time;
    uint32_t before, after;
    do {
        before = atomic_load_explicit(&c->version, memory_order_acquire);
        time.ticks = atomic_load_explicit(&c->ticks, memory_order_relaxed);
        time.wall = atomic_load_explicit(&c->wall, memory_order_relaxed);
        time.scale = atomic_load_explicit(&c->scale, memory_order_relaxed);
        atomic_thread_fence(memory_order_acquire);
        after = atomic_load_explicit(&c->version, memory_order_relaxed);
    } while (before != after || before & 1);
    return time;
}

static void begin(struct ft_device_clock *c, uint64_t ticks, uint64_t wall)
{
    c->base_ticks = ticks;
    c->base_wall = wall;
    c->has_base = true;
}

static bool is_step(const struct ft_device_clock *c, const struct ft_device_time *known,
                    uint64_t ticks, uint64_t wall)
{
    if (!c->has_base || ticks <= c->base_ticks || wall <= c->base_wall)
        return true;
    if (!known->scale)
        return false;
    int64_t off = (int64_t)(wall - ft_device_time_wall(known, ticks));
    return off > STEP_NS || off < -STEP_NS;
}

void ft_device_clock_observe(struct ft_device_clock *c, uint64_t ticks, uint64_t wall)
{
    struct ft_device_time known = ft_device_clock_time(c);
    struct ft_device_time time = {.ticks = ticks, .wall = wall, .scale = known.scale};
    if (is_step(c, &known, ticks, wall)) {
        begin(c, ticks, wall);
    } else {
        unsigned __int128 passed = wall - c->base_wall;
        time.scale = (uint64_t)((passed << 32) / (ticks - c->base_ticks));
        if (wall - c->base_wall > WINDOW_NS)
            begin(c, ticks, wall);
    }
    if (time.scale)
        publish(c, time);
}

void ft_device_clock_fix(struct ft_device_clock *c, uint32_t nanoseconds)
{
    publish(c, (struct ft_device_time){.scale = (uint64_t)nanoseconds << 32});
}
