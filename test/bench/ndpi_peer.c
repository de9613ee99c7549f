/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nDPI behind a plain hash table: the 5-tuple of IPv4 packets, chained; a flow is given to the
 * library until it has named a protocol or 24 packets were looked at, as its own example does.
 */
#include "ndpi_peer.h"

#ifdef HAVE_NDPI

#include <ndpi/ndpi_api.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#define PACKETS_MAX 24u

struct entry {
    uint32_t a, b;
    uint16_t port_a, port_b;
    uint8_t proto, is_done;
    uint16_t packets;
    struct entry *next;
    struct ndpi_flow_struct *flow;
};

struct table {
    struct entry **chains, *pool;
    uint32_t mask, used, size;
};

static struct entry *find(struct table *t, uint32_t a, uint32_t b, uint16_t pa, uint16_t pb,
                          uint8_t proto)
{
    if (a > b || (a == b && pa > pb)) {
        uint32_t x = a;
        uint16_t p = pa;
        a = b;
        b = x;
        pa = pb;
        pb = p;
    }
    uint64_t h = ((uint64_t)a << 32 | b) * 0x9e3779b97f4a7c15ull ^
                 ((uint64_t)pa << 24 | (uint64_t)pb << 8 | proto) * 0xe7037ed1a0b428dbull;
    struct entry **chain = &t->chains[(h >> 32) & t->mask];
    for (struct entry *e = *chain; e; e = e->next)
        if (e->a == a && e->b == b && e->port_a == pa && e->port_b == pb && e->proto == proto)
            return e;
    if (t->used == t->size)
        return NULL;
    struct entry *e = &t->pool[t->used++];
    *e = (struct entry){.a = a, .b = b, .port_a = pa, .port_b = pb, .proto = proto, .next = *chain};
    e->flow = ndpi_flow_malloc(SIZEOF_FLOW_STRUCT);
    memset(e->flow, 0, SIZEOF_FLOW_STRUCT);
    *chain = e;
    return e;
}

static void one(struct ndpi_detection_module_struct *ndpi, struct table *t,
                const struct bench_list *list, uint32_t i)
{
    const struct bench_packet *p = &list->packets[i];
    const uint8_t *f = list->arena + p->offset, *ip;
    uint32_t at = 12, a, b;
    while (at + 6 < p->length && f[at] == 0x81 && f[at + 1] == 0)
        at += 4;
    if (p->linktype != 1 || at + 26 > p->length || f[at] != 8 || f[at + 1] != 0)
        return;
    ip = f + at + 2;
    uint32_t header = (ip[0] & 15) * 4u;
    if ((ip[9] != 6 && ip[9] != 17) || at + 2 + header + 4 > p->length)
        return;
    memcpy(&a, ip + 12, 4);
    memcpy(&b, ip + 16, 4);
    struct entry *e = find(t, a, b, (uint16_t)(ip[header] << 8 | ip[header + 1]),
                           (uint16_t)(ip[header + 2] << 8 | ip[header + 3]), ip[9]);
    if (!e || e->is_done)
        return;
    ndpi_protocol found = ndpi_detection_process_packet(
        ndpi, e->flow, ip, (unsigned short)(p->length - at - 2), p->time_ns / 1000000);
    e->is_done = found.app_protocol != NDPI_PROTOCOL_UNKNOWN ||
                 found.master_protocol != NDPI_PROTOCOL_UNKNOWN || ++e->packets >= PACKETS_MAX;
}

double ndpi_peer_measure(const struct bench_list *list, uint32_t flows, uint32_t *known)
{
    struct ndpi_detection_module_struct *ndpi = ndpi_init_detection_module(ndpi_no_prefs);
    NDPI_PROTOCOL_BITMASK all;
    NDPI_BITMASK_SET_ALL(all);
    ndpi_set_protocol_detection_bitmask2(ndpi, &all);
    ndpi_finalize_initialization(ndpi);
    struct table t = {.size = flows * 2 + 65536, .mask = 1};
    while (t.mask < t.size)
        t.mask = t.mask * 2 + 1;
    t.chains = calloc((size_t)t.mask + 1, sizeof(*t.chains));
    t.pool = calloc(t.size, sizeof(*t.pool));
    uint32_t half = list->count / 4 * 3;
    for (uint32_t i = 0; i < half; i++)
        one(ndpi, &t, list, i);
    uint64_t start = __rdtsc();
    for (uint32_t i = half; i < list->count; i++) {
        if (i + 8 < list->count)
            __builtin_prefetch(list->arena + list->packets[i + 8].offset);
        one(ndpi, &t, list, i);
    }
    double cycles = (double)(__rdtsc() - start) / (list->count - half);
    *known = 0;
    for (uint32_t i = 0; i < t.used; i++) {
        *known += t.pool[i].flow->detected_protocol_stack[0] != NDPI_PROTOCOL_UNKNOWN;
        ndpi_free_flow(t.pool[i].flow);
    }
    free(t.chains);
    free(t.pool);
    ndpi_exit_detection_module(ndpi);
    return cycles;
}

#else

double ndpi_peer_measure(const struct bench_list *list, uint32_t flows, uint32_t *known)
{
    (void)list;
    (void)flows;
    *known = 0;
    return 0;
}

#endif
