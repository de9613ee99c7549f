/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of dissectors in one shard. */
#include "dissect/state.h"

#include "base/hash.h"

#include <string.h>

_Static_assert(sizeof(struct ft_entry) <= 272, "entries are sized for four cache lines and a bit");

bool ft_framer_pools_init(struct ft_framer_pools *pools, uint32_t small, uint32_t large)
{
    *pools = (struct ft_framer_pools){0};
    if (ft_pool_init(&pools->small, small, FT_BUFFER_SMALL_SIZE) &&
        ft_pool_init(&pools->large, large, FT_MAX_PDU))
        return true;
    ft_framer_pools_free(pools);
    return false;
}

void ft_framer_pools_free(struct ft_framer_pools *pools)
{
    ft_pool_free(&pools->small);
    ft_pool_free(&pools->large);
}

uint32_t ft_buffer_get(struct ft_framer_pools *pools, uint32_t size)
{
    uint32_t n = size <= FT_BUFFER_SMALL_SIZE ? ft_pool_get(&pools->small) : 0;
    if (n)
        return n;
    n = size <= FT_MAX_PDU ? ft_pool_get(&pools->large) : 0;
    return n ? n | FT_BUFFER_LARGE : 0;
}

void ft_buffer_put(struct ft_framer_pools *pools, uint32_t buffer)
{
    if (buffer & FT_BUFFER_LARGE)
        ft_pool_put(&pools->large, buffer & ~FT_BUFFER_LARGE);
    else if (buffer)
        ft_pool_put(&pools->small, buffer);
}

uint8_t *ft_buffer_at(const struct ft_framer_pools *pools, uint32_t buffer)
{
    return buffer & FT_BUFFER_LARGE ? ft_pool_at(&pools->large, buffer & ~FT_BUFFER_LARGE)
                                    : ft_pool_at(&pools->small, buffer);
}

uint32_t ft_buffer_size(uint32_t buffer)
{
    return buffer & FT_BUFFER_LARGE ? FT_MAX_PDU : FT_BUFFER_SMALL_SIZE;
}

bool ft_state_init(struct ft_state *s, uint32_t entries, uint32_t small, uint32_t large)
{
    *s = (struct ft_state){0};
    uint32_t chains = 16;
    while (chains < entries)
        chains *= 2;
    s->chain_mask = chains - 1;
    s->chains = ft_map((uint64_t)chains * sizeof(uint32_t), false);
    s->by_flow = ft_map((uint64_t)chains * sizeof(uint32_t), false);
    if (s->chains && s->by_flow && ft_pool_init(&s->entries, entries, sizeof(struct ft_entry)) &&
        ft_framer_pools_init(&s->pools, small, large))
        return true;
    ft_state_free(s);
    return false;
}

void ft_state_free(struct ft_state *s)
{
    ft_unmap(s->chains, ((uint64_t)s->chain_mask + 1) * sizeof(uint32_t));
    ft_unmap(s->by_flow, ((uint64_t)s->chain_mask + 1) * sizeof(uint32_t));
    ft_pool_free(&s->entries);
    ft_framer_pools_free(&s->pools);
    *s = (struct ft_state){0};
}

static struct ft_entry *entry_at(const struct ft_state *s, uint32_t n)
{
    return ft_pool_at(&s->entries, n);
}

static uint32_t number_of(const struct ft_state *s, const struct ft_entry *e)
{
    return (uint32_t)(((const uint8_t *)e - s->entries.memory) / s->entries.block_size) + 1;
}

static uint32_t *chain_of(const struct ft_state *s, uint64_t owner, uint16_t protocol, uint8_t kind,
                          uint64_t key)
{
    uint64_t h = ft_hash_mix(owner ^ ((uint64_t)protocol << 48 | (uint64_t)kind << 40), key);
    return &s->chains[h & s->chain_mask];
}

struct ft_entry *ft_state_find(struct ft_state *s, uint64_t owner, uint16_t protocol,
                               enum ft_entry_kind kind, uint64_t key)
{
    for (uint32_t n = *chain_of(s, owner, protocol, kind, key); n;) {
        struct ft_entry *e = entry_at(s, n);
        if (e->owner == owner && e->key == key && e->protocol == protocol && e->kind == kind)
            return e;
        n = e->next;
    }
    return NULL;
}

static void list_remove(struct ft_state *s, struct ft_entry *e)
{
    if (e->older)
        entry_at(s, e->older)->newer = e->newer;
    else
        s->oldest[e->kind] = e->newer;
    if (e->newer)
        entry_at(s, e->newer)->older = e->older;
    else
        s->newest[e->kind] = e->older;
    s->count[e->kind]--;
}

static void list_append(struct ft_state *s, struct ft_entry *e)
{
    uint32_t n = number_of(s, e), last = s->newest[e->kind];
    e->older = last;
    e->newer = 0;
    if (last)
        entry_at(s, last)->newer = n;
    else
        s->oldest[e->kind] = n;
    s->newest[e->kind] = n;
    s->count[e->kind]++;
}

static uint32_t *flow_chain_of(const struct ft_state *s, uint64_t flow)
{
    return &s->by_flow[ft_hash_mix(flow, FT_ENTRY_REQUEST) & s->chain_mask];
}

/* What is of a pair of hosts outlives the flow it was made in; only a request does not. */
static bool ends_with_flow(const struct ft_entry *e)
{
    return e->kind == FT_ENTRY_REQUEST || e->owner == e->flow;
}

static void flow_append(struct ft_state *s, struct ft_entry *e)
{
    uint32_t n = number_of(s, e), *newest = flow_chain_of(s, e->flow);
    e->flow_older = *newest;
    e->flow_newer = 0;
    if (*newest)
        entry_at(s, *newest)->flow_newer = n;
    *newest = n;
}

static void flow_remove(struct ft_state *s, const struct ft_entry *e)
{
    uint32_t older = e->flow_older, newer = e->flow_newer;
    if (older)
        entry_at(s, older)->flow_newer = newer;
    if (newer)
        entry_at(s, newer)->flow_older = older;
    else
        *flow_chain_of(s, e->flow) = older;
}

void ft_state_remove(struct ft_state *s, struct ft_entry *e)
{
    uint32_t n = number_of(s, e);
    for (uint32_t *at = chain_of(s, e->owner, e->protocol, e->kind, e->key); *at;
         at = &entry_at(s, *at)->next) {
        if (*at == n) {
            *at = e->next;
            break;
        }
    }
    list_remove(s, e);
    if (ends_with_flow(e))
        flow_remove(s, e);
    if (e->kind == FT_ENTRY_REASSEMBLY)
        ft_buffer_put(&s->pools, e->reassembly.buffer);
    if (e->kind == FT_ENTRY_CHANNEL && e->deadline_ns)
        s->deadlines--;
    ft_pool_put(&s->entries, n);
}

/* A dissector holds the address of the data; nothing is handed out of the other kinds. */
static bool is_held(const struct ft_state *s, const struct ft_entry *e)
{
    return (e->kind == FT_ENTRY_CHANNEL || e->kind == FT_ENTRY_FLOW_STATE) &&
           e->used_by == s->serial;
}

/*
 * The entry of a kind to evict, 0 = none. Held entries are at the newer end, because being given
 * out is being used; only the flow state of the layers may stand anywhere (see ft_state_touch()'s
 * caller), and there are FT_MAX_LAYERS of those at most.
 */
static uint32_t victim(const struct ft_state *s, unsigned kind)
{
    uint32_t n = s->oldest[kind];
    for (uint32_t i = 0; n && i <= FT_MAX_LAYERS; i++) {
        if (!is_held(s, entry_at(s, n)))
            return n;
        n = entry_at(s, n)->newer;
    }
    return 0;
}

/* Make room: the kind that has most entries gives one. */
static bool evict(struct ft_state *s)
{
    uint32_t found = 0, most = 0;
    for (unsigned kind = 0; kind < FT_ENTRY_KINDS; kind++) {
        uint32_t n = s->count[kind] > most ? victim(s, kind) : 0;
        if (!n)
            continue;
        found = n;
        most = s->count[kind];
    }
    if (!found)
        return false;
    s->stats.evicted++;
    s->stats.requests_evicted += entry_at(s, found)->kind == FT_ENTRY_REQUEST;
    ft_state_remove(s, entry_at(s, found));
    return true;
}

/*
 * Put an entry at the end of its chain, so that of several requests under one key the oldest is
 * found first. When too many wait under its key the oldest of them goes: a chain that anybody can
 * make long by asking without ever being answered would be walked for each further request.
 */
static void append(struct ft_state *s, struct ft_entry *e, uint32_t n)
{
    uint32_t *at = chain_of(s, e->owner, e->protocol, e->kind, e->key), same = 0;
    struct ft_entry *oldest = NULL;
    while (*at) {
        struct ft_entry *other = entry_at(s, *at);
        at = &other->next;
        if (other->key != e->key || other->owner != e->owner || other->kind != e->kind ||
            other->protocol != e->protocol)
            continue;
        same++;
        if (!oldest)
            oldest = other;
    }
    *at = n;
    if (e->kind == FT_ENTRY_REQUEST && same >= FT_REQUESTS_PER_KEY) {
        s->stats.requests_displaced++;
        ft_state_remove(s, oldest);
    }
}

struct ft_entry *ft_state_add(struct ft_state *s, uint64_t owner, uint16_t protocol,
                              enum ft_entry_kind kind, uint64_t key, uint64_t flow,
                              uint64_t time_ns)
{
    if (s->entries.used == s->entries.blocks && !evict(s)) {
        s->stats.refused++;
        s->stats.requests_refused += kind == FT_ENTRY_REQUEST;
        return NULL;
    }
    uint32_t n = ft_pool_get(&s->entries);
    struct ft_entry *e = entry_at(s, n);
    /* A request's kept bytes are zeroed by ft_request(); the rest of the union stays untouched. */
    e->owner = owner;
    e->key = key;
    e->flow = flow;
    e->protocol = protocol;
    e->kind = kind;
    e->from = 0;
    e->time_ns = time_ns;
    e->deadline_ns = 0;
    e->used_by = s->serial;
    e->next = 0;
    if (kind == FT_ENTRY_REASSEMBLY)
        memset(&e->reassembly, 0, sizeof(e->reassembly));
    else if (kind != FT_ENTRY_REQUEST)
        memset(e->data, 0, sizeof(e->data));
    append(s, e, n);
    list_append(s, e);
    if (ends_with_flow(e))
        flow_append(s, e);
    return e;
}

void ft_state_end_flow(struct ft_state *s, uint64_t flow, const struct ft_state_ops *ops,
                       void *user)
{
    uint32_t oldest = 0;
    if (!s->entries.used)
        return;
    for (uint32_t n = *flow_chain_of(s, flow); n; n = entry_at(s, n)->flow_older)
        oldest = n;
    for (uint32_t n = oldest, newer; n; n = newer) {
        struct ft_entry *e = entry_at(s, n);
        newer = e->flow_newer;
        if (e->flow != flow)
            continue;
        if (e->kind == FT_ENTRY_REQUEST) {
            s->stats.unanswered++;
            ops->unanswered(user, e);
        }
        ft_state_remove(s, e);
    }
}

void ft_state_touch(struct ft_state *s, struct ft_entry *e, uint64_t time_ns)
{
    e->time_ns = time_ns;
    e->used_by = s->serial;
    if (s->newest[e->kind] == number_of(s, e))
        return;
    list_remove(s, e);
    list_append(s, e);
}

void ft_state_gap(struct ft_state *s, uint64_t flow, enum ft_direction direction)
{
    for (uint32_t n = s->oldest[FT_ENTRY_REASSEMBLY], newer; n; n = newer) {
        struct ft_entry *e = entry_at(s, n);
        newer = e->newer;
        if (e->flow == flow && e->from == direction)
            ft_state_remove(s, e);
    }
}

static void fire_deadlines(struct ft_state *s, uint64_t time_ns, const struct ft_state_ops *ops,
                           void *user)
{
    for (uint32_t n = s->oldest[FT_ENTRY_CHANNEL]; n && s->deadlines;) {
        struct ft_entry *e = entry_at(s, n);
        if (e->deadline_ns && e->deadline_ns < time_ns) {
            ops->silent(user, e);
            e->deadline_ns = 0;
            s->deadlines--;
        }
        n = e->newer;
    }
}

void ft_state_tick(struct ft_state *s, uint64_t time_ns, const struct ft_state_ops *ops, void *user)
{
    static const uint32_t seconds[FT_ENTRY_KINDS] = {
        [FT_ENTRY_CHANNEL] = FT_CHANNEL_SECONDS,       [FT_ENTRY_FLOW_STATE] = FT_CHANNEL_SECONDS,
        [FT_ENTRY_CHILD] = FT_CHANNEL_SECONDS,         [FT_ENTRY_REQUEST] = FT_REQUEST_SECONDS,
        [FT_ENTRY_REASSEMBLY] = FT_REASSEMBLY_SECONDS, [FT_ENTRY_EXPECTED] = FT_EXPECTED_SECONDS,
    };
    fire_deadlines(s, time_ns, ops, user);
    for (unsigned kind = 0; kind < FT_ENTRY_KINDS; kind++) {
        uint64_t age = seconds[kind] * 1000000000ull;
        for (uint32_t n; (n = s->oldest[kind]) && entry_at(s, n)->time_ns + age < time_ns;) {
            struct ft_entry *e = entry_at(s, n);
            if (kind == FT_ENTRY_REQUEST) {
                s->stats.unanswered++;
                ops->unanswered(user, e);
            } else {
                s->stats.expired++;
            }
            ft_state_remove(s, e);
        }
    }
}
