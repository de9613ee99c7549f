/* SPDX-License-Identifier: BSD-3-Clause */
/* A worker: takes bursts from its ring, inspects them, accounts for them. */
#include "confine.h"
#include "sensor.h"

#include <rte_cycles.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>

/* Where cores are shared an idle worker must let others run: yield first, then sleep. */
void worker_idle(uint32_t empty, bool may_sleep)
{
    static const struct timespec nap = {.tv_nsec = 50000};
    if (empty < 16 || !may_sleep)
        rte_pause();
    else if (empty < 256)
        sched_yield();
    else
        nanosleep(&nap, NULL);
}

/* The CPU that the configuration names for it. */
void worker_pin(const struct worker *w)
{
    const struct ft_config *c = &w->sensor->options->config;
    cpu_set_t set;
    if (!w->sensor->is_pinned)
        return;
    CPU_ZERO(&set);
    CPU_SET(c->worker_cpus[w->index], &set);
    sched_setaffinity(0, sizeof(set), &set);
}

/* A tick or the end, for all its shards. */
void worker_control(struct worker *w, const struct ft_packet *p)
{
    w->now_ns = p->time_ns;
    for (unsigned shard = 0; shard < FT_SHARDS; shard++) {
        if (!w->owns[shard])
            continue;
        if (p->flags & FT_PACKET_TICK)
            ft_inspect_tick(w->inspector, p, (uint8_t)shard);
        else
            ft_inspect_end(w->inspector, p, (uint8_t)shard);
    }
    if (p->flags & FT_PACKET_STATS)
        ft_inspect_tell_books(w->inspector, p, w->owns);
}

/* Work a burst in order: runs of packets at once, ticks between them. True at the end. */
static bool work(struct worker *w, struct rte_mbuf **mbufs, uint32_t n)
{
    struct ft_packet *packets[WORKER_BURST];
    uint32_t run = 0;
    bool is_end = false;
    for (uint32_t i = 0; i < n; i++) {
        struct ft_packet *p = packet_of(mbufs[i]);
        if (!(p->flags & (FT_PACKET_TICK | FT_PACKET_END))) {
            packets[run++] = p;
            continue;
        }
        ft_inspect_burst(w->inspector, packets, run);
        run = 0;
        worker_control(w, p);
        is_end |= (p->flags & FT_PACKET_END) != 0;
    }
    ft_inspect_burst(w->inspector, packets, run);
    atomic_store_explicit(&w->done, packet_of(mbufs[n - 1])->seq, memory_order_release);
    rte_pktmbuf_free_bulk(mbufs, n);
    return is_end;
}

void *worker_main(void *arg)
{
    struct worker *w = arg;
    struct ft_ledger *ledger = ft_inspector_ledger(w->inspector);
    struct rte_mbuf *mbufs[WORKER_BURST];
    uint32_t empty = 0;
    bool is_end = false;
    worker_pin(w);
    ft_inspect_guard_thread(w->inspector);
    rules_enter(w);
    confine_worker(w);
    for (uint64_t turns = 1; !is_end; turns++) {
        atomic_store_explicit(&w->turns, turns, memory_order_relaxed);
        rules_turn(w);
        evidence_turn(w);
        control_worker_turn(w);
        uint32_t left;
        uint32_t n = rte_ring_dequeue_burst(w->input, (void **)mbufs, WORKER_BURST, &left);
        if (!n) {
            worker_idle(++empty, true);
            continue;
        }
        empty = 0;
        if (n + left > w->input_high_water)
            w->input_high_water = n + left;
        uint64_t start = rte_rdtsc();
        is_end = work(w, mbufs, n);
        ledger->cycles_busy += rte_rdtsc() - start;
        ledger->bursts++;
    }
    rules_leave(w);
    ft_inspect_unguard_thread(w->inspector);
    return NULL;
}
