/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a look-up costs: the flow table beside rte_hash, at 1 k, 100 k and 1 M flows.
 *
 * Packets come in bursts of 32 of random flows; only the look-up is timed, in TSC cycles a packet:
 * of several rounds, in which the contenders take turns, the best median of the bursts. Both make
 * the sorted key, find a record by hash (given) and key, prefetched by burst, and book the packet
 * in it; the flow table follows the TCP state, too. What rte_hash takes for its bulk look-up alone,
 * with keys made before, is shown as well.
 *
 *   bench_flow [small]    small: 1 k flows only, as a test that it runs
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>

#include "flow/flow.h"

#define BURST        32u
#define BURSTS       5000u
#define ROUNDS       5u
#define RTE_KEY_SIZE 40u /* addresses, ports, protocol, family: without VLAN and padding */

static uint64_t g_random = 88172645463325252ull;

static uint32_t random_u32(void)
{
    g_random ^= g_random << 13;
    g_random ^= g_random >> 7;
    g_random ^= g_random << 17;
    return (uint32_t)(g_random >> 16);
}

/** Packet of flow n: a few thousand hosts talk to servers on four ports. */
static void make_packet(struct ft_packet *p, uint32_t n, bool is_reply)
{
    static const uint16_t ports[] = {502, 102, 20000, 44818};
    union ft_ip client = {.bytes = {10, 1, (uint8_t)(n >> 8), (uint8_t)n}};
    union ft_ip server = {.bytes = {10, 2, (uint8_t)(n >> 12), (uint8_t)(n >> 4)}};
    uint16_t client_port = (uint16_t)(1024 + (n >> 16) * 7 + n % 13), server_port = ports[n & 3];

    p->src = is_reply ? server : client;
    p->dst = is_reply ? client : server;
    p->src_port = is_reply ? server_port : client_port;
    p->dst_port = is_reply ? client_port : server_port;
}

struct source {
    uint32_t flows;
    uint32_t *hash;
    uint8_t *shard;
    struct ft_packet packets[BURST], *pointers[BURST];
    struct ft_flow_key keys[BURST];
    uint64_t now;
};

/** Work out hash and shard of each flow once, as decoding would have. */
static void source_init(struct source *s, uint32_t flows)
{
    memset(s, 0, sizeof(*s));
    s->flows = flows;
    s->hash = malloc(flows * sizeof(*s->hash));
    s->shard = malloc(flows);
    for (uint32_t i = 0; i < BURST; i++) {
        s->pointers[i] = &s->packets[i];
        s->packets[i].flags = FT_PACKET_ETHERNET | FT_PACKET_IPV4 | FT_PACKET_TCP;
        s->packets[i].proto = 6;
        s->packets[i].tcp_flags = FT_TCP_ACK;
        s->packets[i].wirelen = 100;
        s->packets[i].payload_len = 0;
    }
    for (uint32_t n = 0; n < flows; n++) {
        struct ft_packet *p = &s->packets[0];
        make_packet(p, n, false);
        ft_flow_key_of(p, false, &s->keys[0]);
        s->hash[n] = rte_hash_crc(&s->keys[0], RTE_KEY_SIZE, 7);
        s->shard[n] = ft_shard_ip(&p->src, &p->dst, false);
    }
}

static void source_free(struct source *s)
{
    free(s->hash);
    free(s->shard);
}

static void set_packet(struct source *s, uint32_t i, uint32_t n)
{
    struct ft_packet *p = &s->packets[i];

    make_packet(p, n, random_u32() & 1);
    p->flow_hash = s->hash[n];
    p->shard = s->shard[n];
    p->time_ns = ++s->now;
    ft_flow_key_of(p, false, &s->keys[i]);
}

static void next_burst(struct source *s)
{
    for (uint32_t i = 0; i < BURST; i++)
        set_packet(s, i, random_u32() % s->flows);
}

/** Cycles a burst: the median is not moved by what else the machine does. */
static uint32_t g_samples[BURSTS];

static int compare_samples(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

    return (a > b) - (a < b);
}

static double median_of_packet(void)
{
    qsort(g_samples, BURSTS, sizeof(g_samples[0]), compare_samples);
    return (double)g_samples[BURSTS / 2] / BURST;
}

static double smaller(double best, double now)
{
    return best == 0 || now < best ? now : best;
}

static struct ft_flow_table *make_table(struct source *s, bool huge_pages)
{
    struct ft_flow_config config;
    uint8_t side;

    ft_flow_config_init(&config);
    config.flows_per_shard = s->flows / FT_SHARDS * 2 > 8192 ? 16384 : 8192;
    config.huge_pages = huge_pages;
    struct ft_flow_table *table = ft_flow_table_new(&config);
    for (uint32_t n = 0; table && n < s->flows; n++) {
        set_packet(s, 0, n);
        ft_flow_take(table, &s->packets[0], NULL, &side, NULL, NULL);
    }
    return table;
}

static double bench_table(struct source *s, struct ft_flow_table *table, uint32_t *lost)
{
    struct ft_flow *hints[BURST];
    uint8_t side;

    for (uint32_t burst = 0; burst < BURSTS; burst++) {
        next_burst(s);
        uint64_t start = rte_rdtsc_precise();
        ft_flow_prepare(table, s->pointers, BURST, hints);
        for (uint32_t i = 0; i < BURST; i++)
            *lost += !ft_flow_take(table, s->pointers[i], hints[i], &side, NULL, NULL);
        g_samples[burst] = (uint32_t)(rte_rdtsc_precise() - start);
    }
    return median_of_packet();
}

static struct rte_hash *make_rte_hash(struct source *s, struct ft_flow *records)
{
    struct rte_hash_parameters parameters = {.name = "flows",
                                             .entries = s->flows * 2,
                                             .key_len = RTE_KEY_SIZE,
                                             .hash_func = rte_hash_crc,
                                             .hash_func_init_val = 7};
    struct rte_hash *hash = rte_hash_create(&parameters);

    for (uint32_t n = 0; hash && n < s->flows; n++) {
        set_packet(s, 0, n);
        if (rte_hash_add_key_with_hash_data(hash, &s->keys[0], s->hash[n], &records[n]) != 0) {
            rte_hash_free(hash);
            return NULL;
        }
        records[n].key = s->keys[0];
    }
    return hash;
}

static void book(struct ft_flow *flow, const struct ft_packet *p)
{
    flow->packets[0]++;
    flow->bytes[0] += p->wirelen;
    flow->last_ns = p->time_ns;
    flow->tcp_flags[0] |= p->tcp_flags;
}

/** `is_bare`: the look-up only, without records. */
static double bench_rte_hash(struct source *s, const struct rte_hash *hash, bool is_bare,
                             uint32_t *lost)
{
    const void *keys[BURST];
    void *found[BURST];
    hash_sig_t hashes[BURST];
    uint64_t hits;

    for (uint32_t i = 0; i < BURST; i++)
        keys[i] = &s->keys[i];
    for (uint32_t burst = 0; burst < BURSTS; burst++) {
        next_burst(s);
        for (uint32_t i = 0; i < BURST; i++)
            hashes[i] = s->packets[i].flow_hash;
        uint64_t start = rte_rdtsc_precise();
        for (uint32_t i = 0; i < BURST && !is_bare; i++)
            ft_flow_key_of(&s->packets[i], false, &s->keys[i]);
        rte_hash_lookup_with_hash_bulk_data(hash, keys, hashes, BURST, &hits, found);
        if (!is_bare) {
            for (uint32_t i = 0; i < BURST; i++) {
                __builtin_prefetch(found[i], 1);
                __builtin_prefetch((uint8_t *)found[i] + 64, 1);
            }
            for (uint32_t i = 0; i < BURST; i++)
                book(found[i], &s->packets[i]);
        }
        g_samples[burst] = (uint32_t)(rte_rdtsc_precise() - start);
        *lost += BURST - (uint32_t)__builtin_popcountll(hits);
    }
    return median_of_packet();
}

int main(int argc, char **argv)
{
    char *eal[] = {argv[0], "--no-huge",      "-m",          "700", "--no-pci", "--no-shconf", "-l",
                   "0",     "--no-telemetry", "--log-level", "4"};
    static const uint32_t sizes[] = {1000, 100000, 1000000};
    uint32_t count = argc > 1 && strcmp(argv[1], "small") == 0 ? 1 : 3, lost = 0;
    static struct source source;

    if (rte_eal_init(sizeof(eal) / sizeof(eal[0]), eal) < 0)
        return 77; /* no EAL here: skipped */
    printf("TSC cycles a packet\n%9s %12s %12s %14s %14s\n", "flows", "flow table", "huge pages",
           "rte_hash", "its look-up");
    for (uint32_t i = 0; i < count; i++) {
        double best[4] = {0};
        uint64_t size = (uint64_t)sizes[i] * sizeof(struct ft_flow);
        struct ft_flow *records = ft_map(size, false);

        source_init(&source, sizes[i]);
        struct ft_flow_table *table = make_table(&source, false), *huge = make_table(&source, true);
        struct rte_hash *hash = make_rte_hash(&source, records);
        if (!table || !huge || !hash)
            return 1;
        for (uint32_t round = 0; round < ROUNDS; round++) {
            best[0] = smaller(best[0], bench_table(&source, table, &lost));
            best[1] = smaller(best[1], bench_table(&source, huge, &lost));
            best[2] = smaller(best[2], bench_rte_hash(&source, hash, false, &lost));
            best[3] = smaller(best[3], bench_rte_hash(&source, hash, true, &lost));
        }
        printf("%9u %12.1f %12.1f %14.1f %14.1f\n", sizes[i], best[0], best[1], best[2], best[3]);
        ft_flow_table_free(table);
        ft_flow_table_free(huge);
        rte_hash_free(hash);
        ft_unmap(records, size);
        source_free(&source);
    }
    if (lost)
        printf("%u packets found no flow\n", lost);
    return lost != 0;
}
