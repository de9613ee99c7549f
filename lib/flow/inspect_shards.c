/* SPDX-License-Identifier: BSD-3-Clause */
/* What is kept of each shard: flows, state, novelty and what else lies beside them. */
#include "flow/inspect_internal.h"

#include "base/pool.h"

#include <stdio.h>
#include <stdlib.h>

_Static_assert(FT_PROTOCOL_SHARDS == FT_SHARDS, "a protocol is switched off by shard");

void ft_shards_config_init(struct ft_shards_config *config)
{
    *config = (struct ft_shards_config){
        .entries_per_shard = 8192, .small_buffers = 64, .large_buffers = 8};
    ft_flow_config_init(&config->flow);
}

/* Records of flows count from 1. */
static uint64_t outers_size(const struct ft_shards_config *config)
{
    return ((uint64_t)config->flow.flows_per_shard + 1) * sizeof(struct ft_outer);
}

void ft_shards_free(struct ft_shards *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < FT_SHARDS; i++) {
        ft_state_free(&s->state[i]);
        ft_unmap(s->novelty[i].slots, (uint64_t)s->novelty[i].buckets * 64);
        ft_unmap(s->watched[i].entries,
                 (uint64_t)s->watched[i].size * sizeof(*s->watched[i].entries));
        ft_unmap(s->outers[i], outers_size(&s->config));
        ft_unmap(s->tails[i], FT_TAILS * sizeof(*s->tails[i]));
    }
    ft_unmap(s->mirrors, FT_SHARDS * sizeof(*s->mirrors));
    ft_unmap(s->rule_hits, FT_SHARDS * sizeof(*s->rule_hits));
    ft_duplicates_free(s->duplicates);
    if (s->flows)
        ft_flow_table_free(s->flows);
    free(s);
}

/* The flow table guesses the server side by the ports that are bound. */
static void tell_ports(struct ft_shards *s)
{
    uint8_t tcp[8192] = {0}, udp[8192] = {0};
    for (uint32_t port = 0; port < 65536; port++) {
        tcp[port / 8] |= (uint8_t)((s->registry->tcp_port[port] != 0) << (port % 8));
        udp[port / 8] |= (uint8_t)((s->registry->udp_port[port] != 0) << (port % 8));
    }
    ft_flow_set_server_ports(s->flows, tcp, udp);
}

static uint32_t novelty_buckets(const struct ft_shards_config *config)
{
    uint32_t buckets = 256;
    while (buckets < config->flow.flows_per_shard)
        buckets *= 2;
    return config->novelty_buckets ? config->novelty_buckets : buckets;
}

struct ft_shards *ft_shards_new(const struct ft_registry *registry,
                                const struct ft_recogniser *recogniser,
                                const struct ft_shards_config *config, char *error,
                                size_t error_size)
{
    struct ft_shards *s = calloc(1, sizeof(*s));
    bool ok = s != NULL;
    if (ok) {
        s->registry = registry;
        s->recogniser = recogniser;
        s->config = *config;
        s->flows = ft_flow_table_new(&config->flow);
        s->mirrors = ft_map(FT_SHARDS * sizeof(*s->mirrors), false);
        s->rule_hits = ft_map(FT_SHARDS * sizeof(*s->rule_hits), false);
        ok = s->flows && s->mirrors && s->rule_hits;
    }
    if (ok && config->duplicate_window_ns) {
        s->duplicates = ft_duplicates_new(config->duplicate_seed, config->duplicate_window_ns,
                                          config->flow.vlan_in_key);
        ok = s->duplicates != NULL;
    }
    for (unsigned i = 0; ok && i < FT_SHARDS; i++) {
        s->novelty[i].buckets = novelty_buckets(config);
        s->novelty[i].slots = ft_map((uint64_t)s->novelty[i].buckets * 64, false);
        s->watched[i].size = config->flow.flows_per_shard;
        s->watched[i].entries =
            ft_map((uint64_t)s->watched[i].size * sizeof(*s->watched[i].entries), false);
        s->outers[i] = ft_map(outers_size(config), false);
        s->tails[i] = ft_map(FT_TAILS * sizeof(*s->tails[i]), false);
        ok = s->novelty[i].slots && s->watched[i].entries && s->outers[i] && s->tails[i] &&
             ft_state_init(&s->state[i], config->entries_per_shard, config->small_buffers,
                           config->large_buffers);
    }
    if (!ok) {
        snprintf(error, error_size, "not enough memory for the flow tables: lower flow.max_flows");
        ft_shards_free(s);
        return NULL;
    }
    tell_ports(s);
    ft_flow_set_mirrors(s->flows, s->mirrors);
    return s;
}

void ft_shards_place(struct ft_shards *s, uint8_t shard, int node)
{
    ft_flow_place(s->flows, shard, node);
    ft_map_place(s->novelty[shard].slots, (uint64_t)s->novelty[shard].buckets * 64, node);
    ft_map_place(s->watched[shard].entries,
                 (uint64_t)s->watched[shard].size * sizeof(*s->watched[shard].entries), node);
    ft_map_place(s->outers[shard], outers_size(&s->config), node);
    ft_map_place(s->tails[shard], FT_TAILS * sizeof(*s->tails[shard]), node);
}
