/* SPDX-License-Identifier: BSD-3-Clause */
/* Conversations and operations. */
#include "alert/conversation.h"

#include "base/hash.h"
#include "base/index.h"

#include <stdlib.h>
#include <string.h>

/* What makes an operation, within its conversation. */
struct operation {
    uint64_t sub[2];
    uint32_t code, qualifier;
    uint32_t conversation; /* number from 1 */
    uint8_t sub_kind[2];
    uint8_t zero[2];
};

_Static_assert(sizeof(struct operation) == 32, "compared and hashed as bytes");

struct ft_conversations {
    struct ft_conversation *list;
    struct operation *operations;
    uint32_t count, size, max;
    uint32_t operation_count, operation_size, operation_max;
    struct ft_index index, operation_index;
    uint64_t key[2];
    uint64_t refused;
};

struct ft_conversations *ft_conversations_new(uint32_t max, uint32_t max_operations,
                                              const uint64_t key[2])
{
    struct ft_conversations *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->max = max;
    c->operation_max = max_operations;
    memcpy(c->key, key, sizeof(c->key));
    return c;
}

void ft_conversations_free(struct ft_conversations *c)
{
    if (!c)
        return;
    ft_index_free(&c->index);
    ft_index_free(&c->operation_index);
    free(c->list);
    free(c->operations);
    free(c);
}

/* Room for one more element of `width` bytes. */
static bool grow(void *array, size_t width, uint32_t count, uint32_t *size, uint32_t max)
{
    void **at = array;
    if (count >= max)
        return false;
    if (count < *size)
        return true;
    uint32_t more = *size ? *size * 2 : 64;
    void *bigger = realloc(*at, more * width);
    if (!bigger)
        return false;
    *at = bigger;
    *size = more;
    return true;
}

static uint64_t hash_of(const struct ft_conversations *c, const struct ft_address *client,
                        const struct ft_address *server, uint16_t protocol)
{
    uint64_t words[5] = {
        client->ip.words[0], client->ip.words[1], server->ip.words[0], server->ip.words[1],
        (uint64_t)client->family << 32 | (uint64_t)server->family << 24 | protocol};
    return ft_siphash(c->key, words, sizeof(words));
}

static uint32_t find(const struct ft_conversations *c, const struct ft_address *client,
                     const struct ft_address *server, uint16_t protocol, uint64_t hash)
{
    uint32_t entry;
    struct ft_index_walk w = ft_index_walk(&c->index, hash);
    while ((entry = ft_index_next(&c->index, &w))) {
        const struct ft_conversation *it = &c->list[entry - 1];
        if (it->protocol == protocol && !ft_address_compare(&it->client, client) &&
            !ft_address_compare(&it->server, server))
            return entry;
    }
    return 0;
}

struct ft_conversation *ft_conversation_of(struct ft_conversations *c, const struct ft_event *event)
{
    bool swap = event->packet.server_side == 0;
    struct ft_address client = ft_event_address(event, swap ? FT_RECEIVER : FT_SENDER);
    struct ft_address server = ft_event_address(event, swap ? FT_SENDER : FT_RECEIVER);
    const struct ft_event_packet *p = &event->packet;
    bool is_mutual = p->server_side == 2;
    bool is_for_group = p->is_multicast || (p->has_mac && p->dst_mac[0] & 1);
    if (is_mutual && !is_for_group && ft_address_is_device(&server) &&
        ft_address_compare(&client, &server) > 0) {
        /* Among equals one conversation for both ways. */
        struct ft_address swapped = client;
        client = server;
        server = swapped;
    }
    uint64_t hash = hash_of(c, &client, &server, event->protocol);
    uint32_t entry = find(c, &client, &server, event->protocol, hash);
    if (!entry) {
        if (!grow(&c->list, sizeof(*c->list), c->count, &c->size, c->max) ||
            !ft_index_reserve(&c->index)) {
            c->refused++;
            return NULL;
        }
        c->list[c->count] = (struct ft_conversation){.client = client,
                                                     .server = server,
                                                     .protocol = event->protocol,
                                                     .is_mutual = is_mutual,
                                                     .first_ns = event->time_ns,
                                                     .last_ns = event->time_ns};
        entry = ++c->count;
        ft_index_add(&c->index, hash, entry);
    }
    return &c->list[entry - 1];
}

bool ft_conversation_operation(struct ft_conversations *c, const struct ft_event *event)
{
    const struct ft_event_message *m = &event->message;
    struct ft_conversation *conversation = ft_conversation_of(c, event);
    if (!conversation)
        return false;
    struct operation o = {.sub = {m->sub[0].value, m->sub[1].value},
                          .code = m->code,
                          .qualifier = m->qualifier,
                          .conversation = (uint32_t)(conversation - c->list) + 1,
                          .sub_kind = {m->sub[0].kind, m->sub[1].kind}};
    uint64_t hash = ft_siphash(c->key, &o, sizeof(o));
    uint32_t entry;
    struct ft_index_walk w = ft_index_walk(&c->operation_index, hash);
    while ((entry = ft_index_next(&c->operation_index, &w)))
        if (!memcmp(&c->operations[entry - 1], &o, sizeof(o)))
            return false;
    if (!grow(&c->operations, sizeof(o), c->operation_count, &c->operation_size,
              c->operation_max) ||
        !ft_index_reserve(&c->operation_index)) {
        c->refused++;
        return false;
    }
    c->operations[c->operation_count++] = o;
    ft_index_add(&c->operation_index, hash, c->operation_count);
    conversation->operations++;
    conversation->by_class[m->class_ < FT_CLASS_COUNT ? m->class_ : 0]++;
    return true;
}

uint64_t ft_conversations_refused(const struct ft_conversations *c)
{
    return c->refused;
}

uint32_t ft_conversations_count(const struct ft_conversations *c)
{
    return c->count;
}

static int compare(const void *a, const void *b)
{
    const struct ft_conversation *x = *(const struct ft_conversation *const *)a;
    const struct ft_conversation *y = *(const struct ft_conversation *const *)b;
    int order = ft_address_compare(&x->client, &y->client);
    if (!order)
        order = ft_address_compare(&x->server, &y->server);
    return order ? order : (int)x->protocol - (int)y->protocol;
}

const struct ft_conversation **ft_conversations_sorted(const struct ft_conversations *c)
{
    const struct ft_conversation **all =
        c->count ? malloc(c->count * sizeof(struct ft_conversation *)) : NULL;
    for (uint32_t i = 0; all && i < c->count; i++)
        all[i] = &c->list[i];
    if (all)
        qsort(all, c->count, sizeof(struct ft_conversation *), compare);
    return all;
}
