/* SPDX-License-Identifier: BSD-3-Clause */
/* What packets are worked on with: memory, shards, filters, workers. */
#include "run_internal.h"

#include "core_map.h"

#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#define EVENT_RING   (FT_EVENT_RING_MIB << 20)
#define TICK_RING    (256u << 10)
#define DEFRAG_SHARD 64u

static struct ft_shards_config shards_config(const struct sensor *s)
{
    const struct options *o = s->options;
    const struct ft_config *c = &o->config;
    bool drops_copies = c->duplicates == FT_CONFIG_DUPLICATES_DROP ||
                        (c->duplicates == FT_CONFIG_DUPLICATES_LIVE && s->is_live);
    struct ft_shards_config config;
    ft_shards_config_init(&config);
    config.log_messages = o->log_messages;
    config.log_transactions = o->log_transactions;
    config.flow.flows_per_shard = (c->max_flows + FT_SHARDS - 1) / FT_SHARDS;
    config.flow.tcp_new_s = c->tcp_new_s;
    config.flow.tcp_established_s = c->tcp_established_s;
    config.flow.tcp_ot_s = c->tcp_ot_s;
    config.flow.tcp_closed_s = c->tcp_closed_s;
    config.flow.udp_s = c->udp_s;
    config.flow.udp_ot_s = c->udp_ot_s;
    config.flow.other_s = c->other_s;
    config.flow.vlan_in_key = c->vlan_in_flow_key;
    config.duplicate_window_ns = drops_copies ? c->duplicate_window_us * 1000ull : 0;
    config.duplicate_seed = s->duplicate_seed;
    return config;
}

/* The offline path waits for the alerting loop instead of shedding. */
bool wait_for_core(void *user)
{
    (void)user;
    usleep(20);
    return true;
}

/* A filter that is none is usage: exit code 2. */
bool run_make_filter(const struct sensor *s, struct ft_filter **filter)
{
    char error[512];
    if (!s->options->filter)
        return true;
    *filter = ft_filter_new(s->options->filter, error, sizeof(error));
    if (*filter)
        return true;
    const struct ft_config *c = &s->options->config;
    if (s->options->filter == c->filter)
        fprintf(stderr, "%s:%u:%u: capture.filter: %s\n", s->options->config_file,
                c->filter_at.line, c->filter_at.column, error);
    else
        fprintf(stderr, "fieldtap: --filter: %s\n", error);
    return false;
}

/* Its tables belong on the NUMA node of the CPU that its worker is pinned to. */
static void place_shard(const struct sensor *s, uint8_t shard)
{
    uint32_t cpu = s->options->config.worker_cpus[s->owner[shard]];
    int node = s->is_pinned ? core_map_node_of_cpu("", cpu) : -1;
    if (s->is_pinned)
        ft_shards_place(s->shards, shard, node);
    if (s->evidence.wishes)
        ft_evidence_own(s->evidence.wishes, shard, s->owner[shard], node);
}

static bool make_workers(struct sensor *s)
{
    for (uint32_t w = 0; w < s->worker_count; w++) {
        struct worker *worker = &s->workers[w];
        worker->sensor = s;
        worker->index = w;
        atomic_store(&worker->sent, s->is_polled ? UINT64_MAX : 0); /* it says itself what it did */
        if (!ft_ring_init(&worker->events, EVENT_RING))
            return fail("out of memory for event rings");
        struct ft_filter *filter = NULL;
        if (s->is_polled && !run_make_filter(s, &filter))
            return false;
        atomic_store(&worker->filter, filter);
        worker->inspector =
            ft_inspector_new(s->shards, &worker->events, s->is_live ? NULL : wait_for_core, worker);
        if (!worker->inspector)
            return fail("out of memory for workers");
        if (s->evidence.wishes)
            ft_inspector_keep_packets(worker->inspector, ft_evidence_history(s->evidence.wishes));
    }
    for (unsigned shard = 0; shard < FT_SHARDS; shard++) {
        s->owner[shard] = (uint8_t)(shard % s->worker_count);
        s->workers[s->owner[shard]].owns[shard] = true;
        place_shard(s, (uint8_t)shard);
    }
    return true;
}

bool run_make_sensor(struct sensor *s)
{
    const struct options *o = s->options;
    struct ft_shards_config config;
    char error[512];
    ft_decode_config_init(&s->decode);
    s->decode.checksum = o->config.checksum_drop ? FT_CHECKSUM_DROP : FT_CHECKSUM_ACCEPT;
    s->decode.verify_checksums = true;
    s->decode.vlan_in_flow_key = o->config.vlan_in_flow_key;
    if (s->is_live && (getrandom(&s->decode.hash_seed, sizeof(s->decode.hash_seed), 0) < 0 ||
                       getrandom(&s->duplicate_seed, sizeof(s->duplicate_seed), 0) < 0))
        return fail("no random numbers: getrandom failed");
    config = shards_config(s);
    if (!eal_start(s, error, sizeof(error)) || !pools_make(s, error, sizeof(error)))
        return fail(error);
    s->shards = ft_shards_new(s->registry, s->recogniser, &config, error, sizeof(error));
    if (!s->shards)
        return fail(error);
    s->defrag = ft_defrag_new(DEFRAG_SHARD);
    if (s->defrag && o->config.vlan_in_flow_key)
        ft_defrag_separate_vlans(s->defrag);
    if (!s->defrag || !ft_ring_init(&s->ticks, TICK_RING))
        return fail("out of memory");
    return make_workers(s);
}
