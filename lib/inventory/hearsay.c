/* SPDX-License-Identifier: BSD-3-Clause */
/* Hearsay: a ring of facts with an index by address. */
#include "inventory/hearsay.h"

#include "base/hash.h"
#include "base/index.h"

#include <stdlib.h>
#include <string.h>

/* Facts of one address; who asks names of one address without end costs no more. */
#define FACTS_PER_ADDRESS 32u

struct ft_hearsay {
    uint64_t key[2];
    struct ft_index by_address;
    uint32_t next; /* place that is written next; its old content goes */
    struct ft_hearsay_fact *facts;
};

struct ft_hearsay *ft_hearsay_new(const uint64_t key[2])
{
    struct ft_hearsay *h = calloc(1, sizeof(*h));
    if (!h)
        return NULL;
    memcpy(h->key, key, sizeof(h->key));
    h->facts = calloc(FT_HEARSAY_MAX, sizeof(*h->facts));
    if (h->facts)
        return h;
    free(h);
    return NULL;
}

void ft_hearsay_free(struct ft_hearsay *h)
{
    if (!h)
        return;
    for (uint32_t i = 0; i < FT_HEARSAY_MAX; i++)
        free(h->facts[i].text);
    free(h->facts);
    ft_index_free(&h->by_address);
    free(h);
}

static uint64_t hash_of(const struct ft_hearsay *h, const struct ft_address *a)
{
    uint64_t words[3] = {a->ip.words[0], a->ip.words[1], a->family};
    return ft_siphash(h->key, words, sizeof(words));
}

static bool is_same(const struct ft_address *a, const struct ft_address *b)
{
    return a->family == b->family && !memcmp(&a->ip, &b->ip, sizeof(a->ip));
}

/* The place in which a fact is to be written: of the one it replaces, or the oldest. */
static uint32_t place_of(struct ft_hearsay *h, const struct ft_hearsay_fact *fact, uint64_t hash)
{
    struct ft_index_walk w = ft_index_walk(&h->by_address, hash);
    uint32_t n = 0, entry;
    while ((entry = ft_index_next(&h->by_address, &w))) {
        const struct ft_hearsay_fact *old = &h->facts[entry - 1];
        if (!is_same(&old->address, &fact->address))
            continue;
        bool is_update = old->fact == fact->fact && old->protocol == fact->protocol &&
                         old->sub_kind == fact->sub_kind && old->sub_value == fact->sub_value;
        if (is_update || ++n == FACTS_PER_ADDRESS)
            return entry - 1;
    }
    uint32_t place = h->next;
    h->next = (h->next + 1) % FT_HEARSAY_MAX;
    return place;
}

void ft_hearsay_add(struct ft_hearsay *h, const struct ft_hearsay_fact *fact)
{
    uint64_t hash = hash_of(h, &fact->address);
    char *text = ft_index_reserve(&h->by_address) ? strndup(fact->text, fact->length) : NULL;
    if (!text)
        return;
    uint32_t place = place_of(h, fact, hash);
    struct ft_hearsay_fact *to = &h->facts[place];
    if (to->text)
        ft_index_remove(&h->by_address, hash_of(h, &to->address), place + 1);
    free(to->text);
    *to = *fact;
    to->text = text;
    to->length = (uint16_t)strlen(text);
    ft_index_add(&h->by_address, hash, place + 1);
}

void ft_hearsay_of(const struct ft_hearsay *h, const struct ft_address *address,
                   ft_hearsay_fn *told, void *user)
{
    struct ft_index_walk w = ft_index_walk(&h->by_address, hash_of(h, address));
    uint32_t places[FACTS_PER_ADDRESS], n = 0, entry;
    while (n < FACTS_PER_ADDRESS && (entry = ft_index_next(&h->by_address, &w)))
        if (is_same(&h->facts[entry - 1].address, address))
            places[n++] = entry - 1;
    /* The walk's order depends on the key of the hash, which may be random; places do not. */
    for (uint32_t done = 0; done < n; done++) {
        uint32_t least = done;
        for (uint32_t i = done + 1; i < n; i++)
            if (places[i] < places[least])
                least = i;
        uint32_t place = places[least];
        places[least] = places[done];
        places[done] = place;
        told(user, &h->facts[place]);
    }
}
