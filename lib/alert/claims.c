/* SPDX-License-Identifier: BSD-3-Clause */
/* Who has what alone: a ring of keys in the order of their first statement, and an index. */
#include "alert/claims.h"

#include "base/hash.h"
#include "base/index.h"
#include "dissect/context.h"

#include <stdlib.h>
#include <string.h>

struct claim {
    uint64_t key, holder, until_ns;
    uint16_t protocol;
    uint8_t mac[6]; /* of who stated it last */
};

struct ft_claims {
    struct claim *ring;
    uint32_t size;
    uint64_t first, next; /* running numbers; modulo size their place */
    struct ft_index index;
    uint64_t hash_key[2];
};

struct ft_claims *ft_claims_new(uint32_t max, const uint64_t key[2])
{
    struct ft_claims *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->size = max;
    memcpy(c->hash_key, key, sizeof(c->hash_key));
    c->ring = calloc(max, sizeof(*c->ring));
    if (c->ring)
        return c;
    free(c);
    return NULL;
}

void ft_claims_free(struct ft_claims *c)
{
    if (!c)
        return;
    ft_index_free(&c->index);
    free(c->ring);
    free(c);
}

static uint64_t hash_of(const struct ft_claims *c, uint64_t key, uint16_t protocol)
{
    uint64_t words[2] = {key, protocol};
    return ft_siphash(c->hash_key, words, sizeof(words));
}

static struct claim *find(const struct ft_claims *c, uint64_t key, uint16_t protocol)
{
    uint32_t entry;
    struct ft_index_walk w = ft_index_walk(&c->index, hash_of(c, key, protocol));
    while ((entry = ft_index_next(&c->index, &w))) {
        struct claim *it = &c->ring[entry - 1];
        if (it->key == key && it->protocol == protocol)
            return it;
    }
    return NULL;
}

static struct claim *create(struct ft_claims *c, uint64_t key, uint16_t protocol)
{
    if (!ft_index_reserve(&c->index))
        return NULL;
    uint32_t place = (uint32_t)(c->next++ & (c->size - 1));
    struct claim *it = &c->ring[place];
    if (c->next - c->first > c->size) {
        ft_index_remove(&c->index, hash_of(c, it->key, it->protocol), place + 1);
        c->first++;
    }
    *it = (struct claim){.key = key, .protocol = protocol};
    ft_index_add(&c->index, hash_of(c, key, protocol), place + 1);
    return it;
}

uint32_t ft_claims_event(struct ft_claims *c, const struct ft_event *event, uint8_t before[6])
{
    struct ft_claim_fact stated;
    if (!event->message.claim)
        return FT_NO_VIOLATION;
    memcpy(&stated, (const char *)event + event->message.claim, sizeof(stated));
    uint32_t violation = FT_NO_VIOLATION;
    uint64_t until_ns = event->clock_ns + stated.milliseconds * 1000000ull;
    struct claim *it = find(c, stated.key, event->protocol);
    if (!it && !(it = create(c, stated.key, event->protocol)))
        return FT_NO_VIOLATION;
    bool is_same = it->holder == stated.holder || !it->until_ns;
    if (!is_same) {
        violation = event->clock_ns <= it->until_ns ? stated.contested : stated.replaced;
        memcpy(before, it->mac, 6);
    }
    it->until_ns = is_same && it->until_ns > until_ns ? it->until_ns : until_ns;
    it->holder = stated.holder;
    memcpy(it->mac, event->packet.src_mac, 6);
    return violation;
}
