/* SPDX-License-Identifier: BSD-3-Clause */
/* The books of an inspector, and of the shards that it has. */
#include "flow/inspect_internal.h"

#include <string.h>

void ft_books_add(struct ft_books *to, const struct ft_books *from)
{
    ft_ledger_add(&to->ledger, &from->ledger);
    uint64_t *a = (uint64_t *)(void *)&to->flows;
    const uint64_t *b = (const uint64_t *)(const void *)&from->flows;
    for (unsigned i = 0; i < (sizeof(*to) - offsetof(struct ft_books, flows)) / sizeof(*a); i++)
        a[i] += b[i];
}

/* Take apart what was counted by kind. */
static void book_kinds(const struct ft_inspector *ins, struct ft_ledger *l)
{
    for (uint32_t kind = 0; kind < KINDS; kind++) {
        uint64_t n = ins->kinds[kind];
        l->ethernet += kind & FT_PACKET_ETHERNET ? n : 0;
        l->ipv4 += kind & FT_PACKET_IPV4 ? n : 0;
        l->ipv6 += kind & FT_PACKET_IPV6 ? n : 0;
        l->tcp += kind & FT_PACKET_TCP ? n : 0;
        l->udp += kind & FT_PACKET_UDP ? n : 0;
    }
}

void ft_inspect_books(const struct ft_inspector *ins, const bool owned[FT_SHARDS],
                      struct ft_books *books)
{
    *books = (struct ft_books){
        .ledger = ins->ledger,
        .requests = {.asked = ins->call.asked, .answered = ins->call.answered},
    };
    book_kinds(ins, &books->ledger);
    for (unsigned shard = 0; shard < FT_SHARDS; shard++) {
        if (!owned[shard])
            continue;
        struct ft_books one = {.flows = ft_flow_stats(ins->shards->flows, (uint8_t)shard),
                               .state = ins->shards->state[shard].stats,
                               .requests.waiting =
                                   ins->shards->state[shard].count[FT_ENTRY_REQUEST],
                               .novelty_forgotten = ins->shards->novelty[shard].forgotten,
                               .ledger.rule_hits_waiting = ins->shards->rule_hits[shard].held};
        ft_books_add(books, &one);
    }
}

bool ft_books_requests_balance(const struct ft_books *b)
{
    uint64_t ended = b->requests.answered + b->state.unanswered + b->state.requests_displaced +
                     b->state.requests_evicted + b->state.requests_refused;
    return b->requests.waiting == 0 && b->requests.asked == ended;
}

_Static_assert(sizeof(struct ft_event) + sizeof(struct ft_books) <= FT_EVENT_MAX,
               "the books fit one record");

_Static_assert(sizeof(struct ft_event) + sizeof(struct ft_mirror) <= FT_EVENT_MAX,
               "a mirror fits one record");

static void tell_mirror(struct ft_inspector *ins, const struct ft_packet *tick, uint8_t shard)
{
    const struct ft_mirror *mirror = &ins->shards->mirrors[shard];
    struct ft_packet of_shard = *tick;
    of_shard.shard = shard;
    ins->packet = &of_shard;
    struct ft_event *e = mirror->used ? ft_inspect_event_begin(ins, FT_EVENT_LEDGER) : NULL;
    if (!e)
        return;
    memcpy(e + 1, mirror, ft_mirror_size(mirror));
    e->size += ft_mirror_size(mirror);
    ft_inspect_event_end(ins, e);
}

void ft_inspect_tell_books(struct ft_inspector *ins, const struct ft_packet *tick,
                           const bool owned[FT_SHARDS])
{
    struct ft_packet last = *tick;
    for (unsigned shard = 0; shard < FT_SHARDS; shard++)
        if (owned[shard])
            tell_mirror(ins, tick, (uint8_t)shard);
    last.shard = FT_SHARDS; /* behind everything the shards tell at this tick */
    ins->packet = &last;
    struct ft_event *e = ft_inspect_event_begin(ins, FT_EVENT_LEDGER);
    if (!e)
        return;
    ft_inspect_books(ins, owned, (struct ft_books *)(void *)(e + 1));
    e->size += sizeof(struct ft_books);
    ft_inspect_event_end(ins, e);
}
