/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets of a capture through decoder, defragmentation and inspection, as a worker does it. */
#ifndef FT_TEST_REPLAY_H
#define FT_TEST_REPLAY_H

#include "flow/inspect.h"
#include "packet/defrag.h"
#include "protocols/protocols.h"

#include <stdio.h>
#include <stdlib.h>

#define SECOND 1000000000ull
#define BURST  32u
#define JUMBO  (UINT16_MAX + 512u)

struct outcome;

/* The sensor's path, for all runs of a capture one after another. */
struct engine {
    struct ft_registry *registry;
    struct ft_recogniser *recogniser;
    struct ft_ring ring;
    struct ft_decode_config decode;
    uint8_t jumbo[BURST][JUMBO]; /* datagrams put together, single-byte segments */
};

struct run {
    struct engine *engine;
    struct ft_shards *shards;
    struct ft_inspector *inspector;
    struct ft_defrag *defrag;
    struct outcome *outcome; /* for drain() */
    struct ft_packet packets[BURST];
    struct ft_packet *pointers[BURST];
    uint32_t waiting;
    uint64_t seq, number, clock, second;
    uint64_t shift; /* added to the time stamps */
};

/* Takes what is in the ring; each test has one. */
static bool drain(void *user);

static inline void *must(void *memory)
{
    if (!memory) {
        fputs("not enough memory\n", stderr);
        exit(1);
    }
    return memory;
}

/* All dissectors, as the sensor has them. False after saying why. */
static inline bool engine_make(struct engine *e)
{
    char error[512];
    e->registry = ft_registry_new();
    for (const struct ft_dissector *const *d = ft_protocols; *d; d++) {
        if (!ft_registry_add(e->registry, *d, NULL, error, sizeof(error))) {
            fprintf(stderr, "%s\n", error);
            return false;
        }
    }
    ft_registry_finish(e->registry);
    ft_decode_config_init(&e->decode);
    e->recogniser = ft_recogniser_new(e->registry, error, sizeof(error));
    return e->recogniser && ft_ring_init(&e->ring, 1u << 20);
}

static inline struct run *run_new(struct engine *engine, bool logs_messages)
{
    struct ft_shards_config config;
    char error[256];
    struct run *r = must(calloc(1, sizeof(*r)));
    ft_shards_config_init(&config);
    config.log_messages = logs_messages;
    r->engine = engine;
    r->shards =
        must(ft_shards_new(engine->registry, engine->recogniser, &config, error, sizeof(error)));
    r->inspector = must(ft_inspector_new(r->shards, &engine->ring, drain, r));
    r->defrag = must(ft_defrag_new(4));
    for (unsigned i = 0; i < BURST; i++)
        r->pointers[i] = &r->packets[i];
    return r;
}

static inline void run_free(struct run *r)
{
    ft_inspector_free(r->inspector);
    ft_defrag_free(r->defrag);
    ft_shards_free(r->shards);
    free(r);
}

static inline void flush(struct run *r)
{
    ft_inspect_burst(r->inspector, r->pointers, r->waiting);
    r->waiting = 0;
    drain(r);
}

static inline void tick_if_due(struct run *r)
{
    if (r->clock / SECOND == r->second)
        return;
    r->second = r->clock / SECOND;
    flush(r);
    struct ft_packet tick = {
        .seq = ++r->seq, .number = r->number, .time_ns = r->clock, .flags = FT_PACKET_TICK};
    for (unsigned shard = 0; shard < FT_SHARDS; shard++) {
        ft_inspect_tick(r->inspector, &tick, (uint8_t)shard);
        ft_defrag_tick(r->defrag, (uint8_t)shard, r->clock);
        drain(r);
    }
}

/* Decode the packet that waits last; fragments as the sensor's reader does. */
static inline void decode(struct run *r)
{
    struct ft_packet *p = &r->packets[r->waiting], whole;
    uint8_t *buffer = r->engine->jumbo[r->waiting];
    for (unsigned round = 0; round < FT_PACKET_LAYERS; round++) {
        if (ft_packet_decode(&r->engine->decode, p) != FT_DECODE_FRAGMENT)
            return;
        enum ft_defrag_result result = ft_defrag_add(r->defrag, p, buffer, JUMBO, &whole);
        if (result == FT_DEFRAG_HELD)
            p->bucket = FT_BUCKET_FRAGMENT_HELD;
        if (result != FT_DEFRAG_DONE)
            return;
        *p = whole;
    }
    p->bucket = FT_BUCKET_TOO_MANY_LAYERS;
}

#endif
