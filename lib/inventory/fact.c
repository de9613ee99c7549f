/* SPDX-License-Identifier: BSD-3-Clause */
/* What is stated of an asset: facts by protocol, and what a text says of what it is. */
#include "dissect/context.h"
#include "inventory/internal.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static void note_fact(struct ft_inventory *inv, struct ft_asset *a, uint8_t fact)
{
    ft_inventory_mark(inv, a, FT_ASSET_FACT);
    for (unsigned i = 0; i < a->changed_facts_n; i++)
        if (a->changed_facts[i] == fact)
            return;
    if (a->changed_facts_n < sizeof(a->changed_facts))
        a->changed_facts[a->changed_facts_n++] = fact;
}

/* What a text about it says of what it is. */
static void learn_product(struct ft_inventory *inv, struct ft_asset *a, uint8_t fact,
                          const char *text)
{
    if (fact == FT_FACT_MODEL || fact == FT_FACT_DESCRIPTION)
        ft_inventory_add_role(inv, a, &a->roles_product, ft_role_of_product(text));
    if (fact == FT_FACT_MODEL || fact == FT_FACT_DESCRIPTION || fact == FT_FACT_VENDOR ||
        fact == FT_FACT_OS)
        a->is_network_device |= ft_role_is_network(text);
}

static void change_value(struct ft_inventory *inv, struct ft_asset *a, struct ft_asset_value *v,
                         const struct ft_event *e, const char *text, uint16_t length)
{
    if (v->length == length && !memcmp(v->text, text, length))
        return;
    char *after = strndup(text, length), *before = v->text;
    if (!after)
        return;
    v->text = after;
    v->length = length;
    v->since_ns = e->time_ns;
    v->changes++;
    note_fact(inv, a, v->fact);
    learn_product(inv, a, v->fact, after);
    if (inv->config.changed)
        inv->config.changed(inv->config.user, e, a, (enum ft_fact)v->fact, before, after);
    free(before);
}

/* LLDP tells by which of the network's functions a device has, not what it is for. */
static bool is_of_lldp(const struct ft_inventory *inv, uint16_t protocol)
{
    return protocol && !strcmp(inv->registry->protocols[protocol - 1u]->name, "lldp");
}

static void say_role(struct ft_inventory *inv, struct ft_asset *a, uint16_t protocol,
                     const char *text, uint16_t n)
{
    const uint32_t functions = 1u << FT_ROLE_SWITCH | 1u << FT_ROLE_ROUTER;
    for (unsigned role = 1; role < FT_ROLE_COUNT; role++)
        if (strlen(ft_role_name((enum ft_role)role)) == n &&
            !memcmp(ft_role_name((enum ft_role)role), text, n))
            ft_inventory_add_role(inv, a,
                                  functions >> role & 1 && is_of_lldp(inv, protocol)
                                      ? &a->roles_forwards
                                      : &a->roles_said,
                                  1u << role);
}

/* Who has no address yet says 0.0.0.0 where it is managed. */
static bool is_no_address(uint8_t fact, const char *text, uint16_t length)
{
    char copy[64] = {0};
    struct ft_address a = {.family = 4};
    if (fact != FT_FACT_MANAGEMENT || length >= sizeof(copy))
        return false;
    memcpy(copy, text, length);
    if (inet_pton(AF_INET, copy, a.ip.bytes) != 1) {
        a.family = 6;
        if (inet_pton(AF_INET6, copy, a.ip.bytes) != 1)
            return false; /* of another network, or a name */
    }
    return !ft_address_is_device(&a);
}

/* A fact of event `e`, whose text may lie elsewhere. */
static void state_text(struct ft_inventory *inv, struct ft_asset *a, const struct ft_event *e,
                       const char *text, uint16_t length)
{
    if (e->fact.fact == FT_FACT_ROLE) {
        say_role(inv, a, e->protocol, text, length);
        return;
    }
    if (!e->fact.fact || e->fact.fact >= FT_FACT_COUNT || !length ||
        is_no_address(e->fact.fact, text, length) ||
        ft_fact_says_nothing((enum ft_fact)e->fact.fact, text, length))
        return;
    struct ft_asset_value **at = &a->values;
    for (; *at; at = &(*at)->next)
        if ((*at)->fact == e->fact.fact && (*at)->protocol == e->protocol) {
            change_value(inv, a, *at, e, text, length);
            return;
        }
    struct ft_asset_value *v = a->value_count < FT_ASSET_VALUES_MAX ? calloc(1, sizeof(*v)) : NULL;
    if (!v || !(v->text = strndup(text, length))) {
        free(v);
        inv->refused++;
        return;
    }
    v->length = length;
    v->fact = e->fact.fact;
    v->protocol = e->protocol;
    v->is_of_service =
        e->protocol && ft_fact_is_of_service(inv->registry->protocols[e->protocol - 1u]->name);
    v->since_ns = e->time_ns;
    *at = v;
    a->value_count++;
    note_fact(inv, a, v->fact);
    learn_product(inv, a, v->fact, v->text);
}

void ft_inventory_state(struct ft_inventory *inv, struct ft_asset *a, const struct ft_event *e)
{
    const char *text = (const char *)e + e->fact.text;
    state_text(inv, a, e, text, (uint16_t)strnlen(text, e->fact.length));
}

struct hearer {
    struct ft_inventory *inv;
    struct ft_asset *asset;
    uint64_t time_ns;
};

static void hear(void *user, const struct ft_hearsay_fact *fact)
{
    const struct hearer *h = user;
    struct ft_event e = {.type = FT_EVENT_FACT, .protocol = fact->protocol, .time_ns = h->time_ns};
    e.fact.fact = fact->fact;
    state_text(h->inv, h->asset, &e, fact->text, fact->length);
}

void ft_inventory_learn_hearsay(struct ft_inventory *inv, struct ft_asset *a, uint64_t time_ns)
{
    struct hearer h = {inv, a, time_ns};
    ft_hearsay_of(inv->hearsay, &a->address, hear, &h);
}
