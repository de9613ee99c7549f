/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the control thread wants of others' tables: flows of the workers, assets of the alerting
 * loop. The owner walks its own table, a bounded piece between two bursts or events, and copies
 * what is wanted into memory that was made for it; the control thread reads that when the owner
 * says that it is through. A wish that nobody waits for any more is taken back by the next one.
 */
#include "sensor.h"

#include "base/json.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Records that a worker looks at between two bursts: some ten microseconds. */
#define FLOWS_A_TURN 256u

/* Assets that the alerting loop writes between two events, and places that it looks at. */
#define ASSETS_A_TURN 16u
#define PLACES_A_TURN 512u

#define ASSET_ROOM (256u << 10) /* for all of a list; one that is longer goes on with `next` */

enum order {
    BY_BYTES = 0,
    BY_PACKETS,
    BY_NEW,
};

/* A flow as it was when it was copied. */
struct copy {
    uint64_t rank;
    struct ft_flow_key key;
    uint64_t packets[2], bytes[2], first_ns, last_ns, id;
    uint32_t messages;
    uint16_t protocol, vlan;
    uint8_t state, server;
};

struct control_scan {
    uint64_t wish; /* that it is about; of the worker */
    uint64_t flows;
    uint32_t shard, index;
    uint32_t count;
    struct copy top[CONTROL_FLOWS]; /* the least first: a heap */
    struct control_protocol protocols[FT_MAX_PROTOCOLS + 1];
    _Atomic uint64_t done; /* wish that the rest is the answer to */
};

/* ---- by a worker ---- */

static uint64_t rank_of(const struct ft_flow *f, enum order by)
{
    return by == BY_BYTES     ? f->bytes[0] + f->bytes[1]
           : by == BY_PACKETS ? f->packets[0] + f->packets[1]
                              : f->first_ns;
}

/* Put it where it belongs below place `at`, which is free. */
static void sift(struct control_scan *c, uint32_t at, const struct copy *one)
{
    for (uint32_t child = 2 * at + 1; child < c->count; child = 2 * at + 1) {
        if (child + 1 < c->count && c->top[child + 1].rank < c->top[child].rank)
            child++;
        if (c->top[child].rank >= one->rank)
            break;
        c->top[at] = c->top[child];
        at = child;
    }
    c->top[at] = *one;
}

static void rise(struct control_scan *c, const struct copy *one)
{
    uint32_t at = c->count++;
    for (; at && c->top[(at - 1) / 2].rank > one->rank; at = (at - 1) / 2)
        c->top[at] = c->top[(at - 1) / 2];
    c->top[at] = *one;
}

static void copy_flow(struct control_scan *c, const struct ft_flow *f)
{
    struct control_protocol *p = &c->protocols[f->protocol];
    uint64_t rank = rank_of(f, (enum order)(c->wish & 3));
    c->flows++;
    p->flows++;
    p->packets += f->packets[0] + f->packets[1];
    p->bytes += f->bytes[0] + f->bytes[1];
    p->messages += f->messages;
    if (c->count == CONTROL_FLOWS && rank <= c->top[0].rank)
        return;
    struct copy one = {.rank = rank,
                       .key = f->key,
                       .packets = {f->packets[0], f->packets[1]},
                       .bytes = {f->bytes[0], f->bytes[1]},
                       .first_ns = f->first_ns,
                       .last_ns = f->last_ns,
                       .id = ft_flow_id(f),
                       .messages = f->messages,
                       .protocol = f->protocol,
                       .vlan = f->vlan[1] ? f->vlan[1] : f->vlan[0],
                       .state = f->state,
                       .server = f->server};
    if (c->count < CONTROL_FLOWS)
        rise(c, &one);
    else
        sift(c, 0, &one);
}

/* A piece of the walk over the worker's own shards. */
static __attribute__((noinline, cold)) void scan(struct worker *w, struct control_scan *c)
{
    const struct ft_flow_table *table = w->sensor->shards->flows;
    for (uint32_t n = 0; n < FLOWS_A_TURN && c->shard < FT_SHARDS;) {
        /* Records are used from 1 on, so as many as there ever were are the first ones. */
        if (!w->owns[c->shard] || c->index > ft_flow_highest(table, (uint8_t)c->shard)) {
            c->shard++;
            c->index = 1;
            continue;
        }
        const struct ft_flow *f = ft_flow_at(table, (uint8_t)c->shard, c->index++);
        if (f)
            copy_flow(c, f);
        n++;
    }
    if (c->shard == FT_SHARDS)
        atomic_store_explicit(&c->done, c->wish, memory_order_release);
}

void control_worker_turn(struct worker *w)
{
    struct control_scan *c = w->scan;
    uint64_t wish = atomic_load_explicit(&w->sensor->points.flow_wish, memory_order_relaxed);
    if (__builtin_expect(!c || wish == atomic_load_explicit(&c->done, memory_order_relaxed), 1))
        return;
    if (wish != c->wish) {
        c->wish = wish;
        c->flows = c->count = c->shard = 0;
        c->index = 1;
        memset(c->protocols, 0, sizeof(c->protocols));
    }
    scan(w, c);
}

/* ---- by the control thread ---- */

bool control_scans_make(struct sensor *s)
{
    for (uint32_t w = 0; w < s->worker_count; w++) {
        s->workers[w].scan = calloc(1, sizeof(struct control_scan));
        if (!s->workers[w].scan)
            return false;
    }
    return true;
}

void control_scans_free(struct sensor *s)
{
    for (uint32_t w = 0; w < s->worker_count; w++)
        free(s->workers[w].scan);
}

void control_flows_begin(struct sensor *s, unsigned by)
{
    uint64_t before = atomic_load_explicit(&s->points.flow_wish, memory_order_relaxed);
    atomic_store_explicit(&s->points.flow_wish, ((before >> 2) + 1) << 2 | by,
                          memory_order_release);
}

bool control_flows_are_ready(const struct sensor *s)
{
    uint64_t wish = atomic_load_explicit(&s->points.flow_wish, memory_order_relaxed);
    for (uint32_t w = 0; w < s->worker_count; w++)
        if (atomic_load_explicit(&s->workers[w].scan->done, memory_order_acquire) != wish)
            return false;
    return true;
}

static int descending(const void *a, const void *b)
{
    const struct copy *const *x = a, *const *y = b;
    if ((*x)->rank != (*y)->rank)
        return (*x)->rank < (*y)->rank ? 1 : -1;
    return (*x)->id < (*y)->id ? -1 : (*x)->id > (*y)->id;
}

static json_t *count(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *endpoint(const struct copy *c, unsigned side)
{
    struct ft_address address = {.ip = side ? c->key.b : c->key.a, .family = c->key.family};
    char text[64];
    json_t *o = json_object();
    ft_address_text(&address, text);
    json_object_set_new(o, "address", json_string(text));
    if (c->key.proto == 6 || c->key.proto == 17)
        json_object_set_new(o, "port", count(side ? c->key.port_b : c->key.port_a));
    json_object_set_new(o, "packets", count(c->packets[side]));
    json_object_set_new(o, "bytes", count(c->bytes[side]));
    return o;
}

static json_t *transport(const struct ft_flow_key *k)
{
    char text[24];
    if (k->family == 2)
        snprintf(text, sizeof(text), "ethernet 0x%04x", k->type);
    else if (k->proto == 6 || k->proto == 17)
        snprintf(text, sizeof(text), "%s", k->proto == 6 ? "tcp" : "udp");
    else if (k->proto == 1 || k->proto == 58)
        snprintf(text, sizeof(text), "icmp");
    else
        snprintf(text, sizeof(text), "ip %u", k->proto);
    return json_string(text);
}

static json_t *flow_of(const struct sensor *s, const struct copy *c)
{
    static const char *const states[] = {"new", "established", "closed"};
    json_t *o = json_object();
    unsigned client = c->server == FT_SIDE_A; /* not known: side A is shown first */
    json_object_set_new(o, "flow_id", count(c->id));
    json_object_set_new(o, "client", endpoint(c, client));
    json_object_set_new(o, "server", endpoint(c, !client));
    json_object_set_new(o, "transport", transport(&c->key));
    json_object_set_new(o, "protocol",
                        c->protocol && c->protocol <= s->registry->count
                            ? json_string(s->registry->protocols[c->protocol - 1]->name)
                            : json_null());
    if (c->vlan)
        json_object_set_new(o, "vlan", count(c->vlan));
    json_object_set_new(o, "state", json_string(c->state < 3 ? states[c->state] : "new"));
    json_object_set_new(o, "packets", count(c->packets[0] + c->packets[1]));
    json_object_set_new(o, "bytes", count(c->bytes[0] + c->bytes[1]));
    json_object_set_new(o, "messages", count(c->messages));
    json_object_set_new(o, "first", json_real((double)(c->first_ns / 1000) / 1e6));
    json_object_set_new(o, "last", json_real((double)(c->last_ns / 1000) / 1e6));
    return o;
}

uint64_t control_flows_take(const struct sensor *s, uint32_t top, json_t *list)
{
    const struct copy **all = calloc((size_t)s->worker_count * CONTROL_FLOWS, sizeof(*all));
    uint64_t flows = 0;
    uint32_t n = 0;
    for (uint32_t w = 0; all && w < s->worker_count; w++) {
        const struct control_scan *c = s->workers[w].scan;
        flows += c->flows;
        for (uint32_t i = 0; i < c->count; i++)
            all[n++] = &c->top[i];
    }
    if (all)
        qsort(all, n, sizeof(*all), descending);
    for (uint32_t i = 0; i < n && i < top; i++)
        json_array_append_new(list, flow_of(s, all[i]));
    free(all);
    return flows;
}

void control_flows_protocols(const struct sensor *s, struct control_protocol *sums)
{
    memset(sums, 0, (FT_MAX_PROTOCOLS + 1) * sizeof(*sums));
    for (uint32_t w = 0; w < s->worker_count; w++)
        for (uint32_t p = 0; p <= FT_MAX_PROTOCOLS; p++) {
            const struct control_protocol *one = &s->workers[w].scan->protocols[p];
            sums[p].flows += one->flows;
            sums[p].packets += one->packets;
            sums[p].bytes += one->bytes;
            sums[p].messages += one->messages;
        }
}

/* ---- assets ---- */

/* One list at a time. The control thread writes the wish before it counts asset_wish up, and reads
 * the rest after asset_done has followed; in between it is the alerting loop's. */
static struct {
    struct control_assets wish;
    uint64_t current; /* asset_wish that is worked at */
    uint32_t at, found, next;
    uint32_t used;
    char text[ASSET_ROOM]; /* objects with zeros between them */
} assets;

/* One device, whole; false: it does not fit any more. */
static bool write_asset(const struct ft_inventory *inv, const struct ft_asset *a, bool is_complete)
{
    struct ft_json j = ft_json_make(assets.text + assets.used, ASSET_ROOM - assets.used - 1);
    ft_json_object(&j);
    ft_asset_json(inv, a, is_complete, &j);
    ft_json_object_end(&j);
    if (j.is_full)
        return false;
    assets.used += j.length;
    assets.text[assets.used++] = 0;
    assets.found++;
    return true;
}

static bool address_of(const char *text, struct ft_address *a)
{
    unsigned m[6];
    char rest;
    memset(a, 0, sizeof(*a));
    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5],
               &rest) == 6) {
        uint8_t mac[6];
        for (unsigned i = 0; i < 6; i++)
            mac[i] = (uint8_t)m[i];
        *a = ft_address_of_mac(mac);
        return true;
    }
    a->family = strchr(text, ':') ? 6 : 4;
    return inet_pton(a->family == 6 ? AF_INET6 : AF_INET, text, a->ip.bytes) == 1;
}

static void write_one(const struct ft_inventory *inv)
{
    struct ft_address address;
    const struct ft_asset *a =
        address_of(assets.wish.address, &address) ? ft_inventory_find(inv, &address) : NULL;
    if (a && !write_asset(inv, a, true))
        write_asset(inv, a, false); /* with a thousand units behind it */
}

/* True when the list is complete. */
static bool write_some(const struct ft_inventory *inv)
{
    uint32_t places = ft_inventory_places(inv), written = 0;
    for (uint32_t n = 0; n < PLACES_A_TURN && written < ASSETS_A_TURN; n++) {
        if (assets.at >= places)
            return true;
        const struct ft_asset *a = ft_inventory_at(inv, assets.at + 1);
        if (a && !a->parent) {
            if (assets.found == assets.wish.limit || !write_asset(inv, a, false)) {
                assets.next = assets.at;
                return true;
            }
            written++;
        }
        assets.at++;
    }
    return false;
}

void control_core_turn(struct sensor *s)
{
    uint64_t wish = atomic_load_explicit(&s->points.asset_wish, memory_order_acquire);
    const struct ft_inventory *inv = ft_core_inventory(s->core);
    if (wish == atomic_load_explicit(&s->points.asset_done, memory_order_relaxed))
        return;
    if (wish != assets.current) {
        assets.current = wish;
        assets.at = assets.wish.after;
        assets.found = assets.next = assets.used = 0;
    }
    if (*assets.wish.address)
        write_one(inv);
    else if (!write_some(inv))
        return;
    atomic_store_explicit(&s->points.asset_done, wish, memory_order_release);
}

bool control_assets_begin(struct sensor *s, const struct control_assets *wish)
{
    if (!control_assets_are_ready(s))
        return false;
    assets.wish = *wish;
    atomic_fetch_add_explicit(&s->points.asset_wish, 1, memory_order_release);
    return true;
}

bool control_assets_are_ready(const struct sensor *s)
{
    return atomic_load_explicit(&s->points.asset_done, memory_order_acquire) ==
           atomic_load_explicit(&s->points.asset_wish, memory_order_relaxed);
}

void control_assets_take(struct sensor *s, json_t *list, uint32_t *next)
{
    (void)s;
    for (uint32_t at = 0; at < assets.used; at += (uint32_t)strlen(assets.text + at) + 1)
        json_array_append_new(list, json_loads(assets.text + at, 0, NULL));
    *next = assets.next;
}
