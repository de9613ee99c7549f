/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory of the flow table, its settings, and looking at it from outside. */
#include "flow/flow_internal.h"

#include "flow/stream.h"

#define UNUSED_BETWEEN 3u /* 1,344 bytes: 128 shards of a dozen flows then fill a cache evenly */

void ft_flow_config_init(struct ft_flow_config *config)
{
    *config = (struct ft_flow_config){
        .flows_per_shard = 8192,
        .segments_per_shard = 256,
        .held_bytes_max = 256 * 1024,
        .held_count_max = 64,
        .tcp_new_s = 30,
        .tcp_established_s = 3600,
        .tcp_ot_s = 86400,
        .tcp_closed_s = 10,
        .udp_s = 60,
        .udp_ot_s = 300,
        .other_s = 300,
    };
}

/** Buckets for `flows`: half full, a power of two, at least the two of a place. */
static uint32_t bucket_count(uint32_t flows)
{
    uint32_t buckets = 2;

    while (buckets * 8 < flows)
        buckets *= 2;
    return buckets;
}

/*
 * Records of a shard, and a few that are not used: tables of a size that is a multiple of 128 KiB
 * have their first records, which is where the flows are, in the same few sets of a cache.
 */
static uint64_t records_apart(const struct ft_flow_config *config)
{
    return config->flows_per_shard + UNUSED_BETWEEN;
}

static bool shard_init(struct ft_flow_table *table, uint32_t number)
{
    const struct ft_flow_config *config = &table->config;
    struct ft_flow_shard *shard = &table->shards[number];
    uint32_t buckets = bucket_count(config->flows_per_shard);

    shard->bucket_mask = buckets - 1;
    shard->buckets = table->buckets + (uint64_t)number * buckets;
    for (uint32_t i = 0; i < 2; i++)
        shard->wheels[i].slots = table->slots + (uint64_t)(number * 2 + i) * SLOTS;
    shard->ending = table->ending + (uint64_t)number * config->flows_per_shard;
    shard->records = table->records + number * records_apart(config);
    if (!ft_pool_init(&shard->segments, config->segments_per_shard, FT_STREAM_BLOCK))
        return false;
    shard->stats.memory =
        (uint64_t)config->flows_per_shard * (sizeof(struct ft_flow) + sizeof(uint32_t)) +
        (uint64_t)config->segments_per_shard * (FT_STREAM_BLOCK + sizeof(uint32_t)) +
        buckets * sizeof(struct ft_flow_bucket) + 2 * SLOTS * sizeof(struct ft_flow_slot);
    return true;
}

struct ft_flow_table *ft_flow_table_new(const struct ft_flow_config *config)
{
    if (!config->flows_per_shard || config->flows_per_shard > FT_FLOWS_PER_SHARD_MAX ||
        !config->segments_per_shard)
        return NULL;

    struct ft_flow_table *table = ft_map(sizeof(*table), false);
    if (!table)
        return NULL;
    table->config = *config;
    table->records_size = FT_SHARDS * records_apart(config) * sizeof(struct ft_flow);
    table->buckets_size =
        (uint64_t)FT_SHARDS * bucket_count(config->flows_per_shard) * sizeof(struct ft_flow_bucket);
    table->slots_size = (uint64_t)FT_SHARDS * 2 * SLOTS * sizeof(struct ft_flow_slot);
    table->ending_size = (uint64_t)FT_SHARDS * config->flows_per_shard * sizeof(uint32_t);
    /* Buckets are small and used at random all over: huge pages always pay. */
    table->buckets = ft_map(table->buckets_size, true);
    table->records = ft_map(table->records_size, config->huge_pages);
    table->slots = ft_map(table->slots_size, false);
    table->ending = ft_map(table->ending_size, false);

    bool is_complete = table->records && table->buckets && table->slots && table->ending;
    for (uint32_t i = 0; i < FT_SHARDS && is_complete; i++)
        is_complete = shard_init(table, i);
    if (!is_complete) {
        ft_flow_table_free(table);
        return NULL;
    }
    return table;
}

void ft_flow_table_free(struct ft_flow_table *table)
{
    if (!table)
        return;
    for (uint32_t i = 0; i < FT_SHARDS; i++)
        ft_pool_free(&table->shards[i].segments);
    ft_unmap(table->records, table->records_size);
    ft_unmap(table->buckets, table->buckets_size);
    ft_unmap(table->slots, table->slots_size);
    ft_unmap(table->ending, table->ending_size);
    ft_unmap(table, sizeof(*table));
}

void ft_flow_place(struct ft_flow_table *table, uint8_t number, int node)
{
    const struct ft_flow_shard *shard = &table->shards[number];
    uint32_t flows = table->config.flows_per_shard;
    const struct ft_pool *segments = &shard->segments;

    ft_map_place(shard->records, (uint64_t)flows * sizeof(struct ft_flow), node);
    ft_map_place(shard->buckets, bucket_count(flows) * sizeof(struct ft_flow_bucket), node);
    ft_map_place(shard->wheels[0].slots, 2 * SLOTS * sizeof(struct ft_flow_slot), node);
    ft_map_place(shard->ending, (uint64_t)flows * sizeof(uint32_t), node);
    ft_map_place(segments->memory, (uint64_t)segments->blocks * segments->block_size, node);
    ft_map_place(segments->next_free, (uint64_t)segments->blocks * sizeof(uint32_t), node);
}

void ft_flow_set_mirrors(struct ft_flow_table *table, struct ft_mirror *mirrors)
{
    table->mirrors = mirrors;
}

void ft_flow_set_server_ports(struct ft_flow_table *table, const uint8_t bitmap_tcp[8192],
                              const uint8_t bitmap_udp[8192])
{
    memcpy(table->server_tcp, bitmap_tcp, sizeof(table->server_tcp));
    memcpy(table->server_udp, bitmap_udp, sizeof(table->server_udp));
}

struct ft_flow_stats ft_flow_stats(const struct ft_flow_table *table, uint8_t shard)
{
    return table->shards[shard].stats;
}

uint64_t ft_flow_id(const struct ft_flow *flow)
{
    uint64_t id = flow->first_ns ^ flow->first_number << 32 ^ flow->first_number >> 32;

    id = (id ^ id >> 32) * 0x9e3779b97f4a7c15ull + flow->hash;
    id = (id ^ id >> 29) * 0xbf58476d1ce4e5b9ull;
    return id >> 13;
}

struct ft_pool *ft_flow_segments(const struct ft_flow_table *table, uint8_t shard)
{
    return (struct ft_pool *)&table->shards[shard].segments;
}

struct ft_flow *ft_flow_at(const struct ft_flow_table *table, uint8_t shard, uint32_t index)
{
    if (!index || index > table->shards[shard].untouched)
        return NULL;

    struct ft_flow *flow = ft_flow_record(&table->shards[shard], index);

    return flow->key.family ? flow : NULL;
}

uint32_t ft_flow_highest(const struct ft_flow_table *table, uint8_t shard)
{
    return table->shards[shard].untouched;
}

const struct ft_flow_config *ft_flow_config(const struct ft_flow_table *table)
{
    return &table->config;
}
