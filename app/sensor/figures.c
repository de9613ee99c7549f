/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters of a running sensor at the moment. */
#include "figures.h"

#include "base/clock_ns.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static uint64_t load(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void figures_want(struct sensor *s)
{
    atomic_fetch_add_explicit(&s->points.count_wish, 1, memory_order_release);
}

bool figures_are_fresh(const struct sensor *s)
{
    return atomic_load_explicit(&s->points.count_done, memory_order_acquire) ==
           atomic_load_explicit(&s->points.count_wish, memory_order_relaxed);
}

static void read_worker(struct sensor *s, struct figures *f, uint32_t w)
{
    const struct worker *of = &s->workers[w];
    const struct ft_ledger *l = ft_inspector_ledger(of->inspector);
    ft_ledger_add(&f->ledger, l);
    f->workers[w] = (struct figures_worker){
        .packets = l->received,
        .bytes = l->received_bytes,
        .messages = l->messages,
        .cycles = l->cycles_busy,
        .bursts = l->bursts,
        .input_waiting = of->input ? rte_ring_count(of->input) : 0,
        .input_high_water = of->input_high_water,
        .events_high_water = of->events.high_water,
        .events_size = (uint64_t)FT_EVENT_RING_MIB << 20,
        .handed_over = load(&of->handed_over),
        .taken_over = load(&of->taken_over),
    };
}

uint64_t figures_received(const struct sensor *s, uint32_t i, bool *is_up)
{
    const struct ft_port *port = s->is_polled ? &s->ethdevs[i].port : ft_live_port(s->live, i);
    uint64_t received = port->stats.received;
    for (uint32_t w = 0; s->is_polled && w < s->worker_count; w++)
        received += load(&s->workers[w].ports[i].packets);
    *is_up = port->state == FT_PORT_UP;
    return received;
}

static void read_port(struct sensor *s, struct figures *f, uint32_t i)
{
    static const char *const states[] = {
        [FT_PORT_UP] = "up", [FT_PORT_DOWN] = "down", [FT_PORT_MISSING] = "missing"};
    const struct ft_port *port = s->is_polled ? &s->ethdevs[i].port : ft_live_port(s->live, i);
    struct ft_port_stats p = port->stats;
    uint64_t shed = s->ports[i].shed, handed = 0; /* of -i: as of the last statistics */
    for (uint32_t w = 0; s->is_polled && w < s->worker_count; w++) {
        const struct worker_port *of = &s->workers[w].ports[i];
        shed = (w ? shed : 0) + load(&of->shed);
        p.received += load(&of->packets);
        p.bytes += load(&of->bytes);
        handed += load(&of->handed_over);
    }
    f->ports[i] = (struct figures_port){
        .name = s->options->ports[i].name,
        .state = f->is_holding ? "held" : states[port->state],
        .received = p.received,
        .bytes = p.bytes,
        .shed = shed,
        .arrived = p.arrived,
        .dropped = p.dropped,
        .freezes = p.freezes,
        .nic_packets = p.nic_packets,
        .nic_missed = p.nic_missed,
        .nic_errors = p.nic_errors,
        .link_changes = p.link_changes,
        .handed_over = handed,
        .knows_drops = p.knows_drops,
        .knows_nic = p.knows_nic,
    };
    f->dropped += p.knows_drops ? p.dropped : 0;
    if (s->is_polled) {
        f->packets += p.received;
        f->bytes += p.bytes;
    }
}

static void read_flows(struct sensor *s, struct figures *f)
{
    for (unsigned shard = 0; shard < FT_SHARDS; shard++) {
        struct ft_flow_stats one = ft_flow_stats(s->shards->flows, (uint8_t)shard);
        f->flows += one.active;
        f->flows_created += one.created;
        f->flows_expired += one.expired;
        f->flows_evicted += one.evicted;
        f->flows_refused += one.refused;
    }
    f->flow_capacity = s->options->config.max_flows;
}

static void read_evidence(struct sensor *s, struct figures *f)
{
    f->has_evidence = s->evidence.store;
    if (!f->has_evidence)
        return;
    f->evidence = ft_evidence_stats(s->evidence.wishes);
    f->evidence_folder = ft_evidence_store_stats(s->evidence.store);
}

static void read_journal(struct sensor *s, struct figures *f)
{
    struct ft_journal_stats stats;
    f->has_journal = s->outputs.journal;
    if (!f->has_journal)
        return;
    ft_journal_stats(s->outputs.journal, &stats);
    f->journal_ok = ft_journal_state(s->outputs.journal).is_ok;
    f->journal_memory = stats.memory_used;
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++) {
        f->classes[c] = (struct figures_class){
            .name = ft_journal_class_name((enum ft_journal_class)c),
            .appended = stats.classes[c].appended,
            .synced = stats.classes[c].synced,
            .removed = stats.classes[c].removed,
            .disk_bytes = stats.classes[c].disk_bytes,
        };
        for (unsigned i = 0; i < FT_JOURNAL_LOSSES; i++)
            f->classes[c].given_up += stats.classes[c].given_up[i];
    }
}

static void read_sinks(struct sensor *s, struct figures *f)
{
    struct ft_sink_stats st;
    for (uint32_t i = 0;
         s->outputs.is_running && i < FT_SINKS_MAX && ft_sinks_stats(s->outputs.sinks, i, &st); i++)
        f->sinks[f->sink_count++] = (struct figures_sink){
            .name = st.name,
            .is_up = st.state == FT_SINK_UP,
            .lag = st.lag,
            .sent = st.sent,
            .bytes = st.bytes,
            .refused = st.refused,
            .missed = st.missed,
            .failed = st.failed,
        };
}

static uint64_t resident(void)
{
    unsigned long long pages = 0, of_them = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%llu %llu", &pages, &of_them) != 2)
        of_them = 0;
    if (file)
        fclose(file);
    return of_them * (uint64_t)sysconf(_SC_PAGESIZE);
}

void figures_read(struct sensor *s, struct figures *f)
{
    memset(f, 0, sizeof(*f));
    f->is_holding = atomic_load_explicit(&s->points.is_holding, memory_order_relaxed);
    f->worker_count = s->worker_count;
    f->port_count = s->options->port_count;
    for (uint32_t w = 0; w < s->worker_count; w++)
        read_worker(s, f, w);
    for (unsigned i = 1; i < FT_BUCKET_COUNT; i++) {
        uint64_t of_reader = load(&s->points.reader[i]);
        f->ledger.packets[i] += of_reader;
        f->ledger.received += of_reader;
    }
    f->packets = s->packets_read; /* of the reader; where workers poll it is 0 until the end */
    f->bytes = s->bytes_read;
    if (s->is_polled)
        f->packets = f->bytes = 0;
    for (uint32_t i = 0; i < f->port_count; i++)
        read_port(s, f, i);
    f->dropped += f->ledger.packets[FT_BUCKET_SHED_RING];
    read_flows(s, f);
    read_evidence(s, f);
    read_journal(s, f);
    read_sinks(s, f);
    f->assets = load(&s->points.assets);
    f->alerts = load(&s->alerts);
    f->events_received = load(&s->points.events);
    f->faults = f->ledger.faults;
    f->memory = resident();
    f->uptime = (double)(ft_clock_ns(CLOCK_MONOTONIC) - s->began_ns) / 1e9;
    f->started = (double)(ft_clock_ns(CLOCK_REALTIME) / 1000000u) / 1e3 - f->uptime;
    f->protocols = s->registry->count;
    const struct rules *r = rules_look(s);
    f->rules = r ? ft_ruleset_count(r->set) : 0;
    f->rules_generation = r ? r->generation : 0;
    rules_look_away(s);
}
