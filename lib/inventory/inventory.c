/* SPDX-License-Identifier: BSD-3-Clause */
/* The inventory: the table of assets, what changed, reading. */
#include "inventory/internal.h"

#include "base/hash.h"
#include "dissect/context.h"

#include <stdlib.h>
#include <string.h>

struct ft_inventory *ft_inventory_new(const struct ft_inventory_config *config,
                                      const struct ft_registry *registry)
{
    struct ft_inventory *inv = calloc(1, sizeof(*inv));
    if (!inv)
        return NULL;
    inv->config = *config;
    inv->registry = registry;
    if (!inv->config.max_assets)
        inv->config.max_assets = 100000;
    inv->hearsay = ft_hearsay_new(config->key);
    inv->asked = ft_hearsay_new(config->key);
    if (!inv->hearsay || !inv->asked) {
        ft_hearsay_free(inv->hearsay);
        ft_hearsay_free(inv->asked);
        free(inv);
        return NULL;
    }
    inv->oui = ft_oui_load(config->oui ? config->oui : FT_OUI_DIRECTORY);
    return inv;
}

void ft_asset_value_free(struct ft_asset_value *v)
{
    free(v->text);
    free(v);
}

static void asset_free(struct ft_asset *a)
{
    for (struct ft_asset_value *v = a->values, *next; v; v = next) {
        next = v->next;
        ft_asset_value_free(v);
    }
    free(a->sub_text);
    free(a);
}

void ft_inventory_free(struct ft_inventory *inv)
{
    if (!inv)
        return;
    for (struct ft_asset *a = inv->changed_first, *next; a; a = next) {
        next = a->next_changed;
        if (a->changes == FT_ASSET_MERGED)
            asset_free(a);
    }
    if (inv->taken)
        asset_free(inv->taken);
    for (uint32_t i = 0; i < inv->asset_count; i++)
        if (inv->assets[i])
            asset_free(inv->assets[i]);
    for (uint32_t i = 0; i < inv->mac_count; i++)
        free(inv->macs[i]);
    free(inv->assets);
    free(inv->holes);
    free(inv->macs);
    ft_index_free(&inv->by_address);
    ft_index_free(&inv->by_mac);
    ft_oui_free(inv->oui);
    ft_hearsay_free(inv->hearsay);
    ft_hearsay_free(inv->asked);
    free(inv);
}

/* ---- the table ---- */

uint64_t ft_inventory_hash(const struct ft_inventory *inv, const struct ft_asset_key *k)
{
    uint64_t words[4] = {k->address.ip.words[0], k->address.ip.words[1], k->sub_value,
                         (uint64_t)k->address.family << 8 | k->sub_kind};
    return ft_siphash(inv->config.key, words, sizeof(words));
}

struct ft_asset_key ft_asset_key_of(const struct ft_asset *a)
{
    struct ft_asset_key k = {
        .address = a->address, .sub_kind = a->sub_kind, .sub_value = a->sub_value};
    return k;
}

struct ft_asset *ft_inventory_get(const struct ft_inventory *inv, const struct ft_asset_key *k)
{
    uint32_t entry;
    struct ft_index_walk w = ft_index_walk(&inv->by_address, ft_inventory_hash(inv, k));
    while ((entry = ft_index_next(&inv->by_address, &w))) {
        struct ft_asset *a = inv->assets[entry - 1];
        if (a->address.family == k->address.family && a->sub_kind == k->sub_kind &&
            a->sub_value == k->sub_value &&
            !memcmp(&a->address.ip, &k->address.ip, sizeof(a->address.ip)))
            return a;
    }
    return NULL;
}

void ft_inventory_mark(struct ft_inventory *inv, struct ft_asset *a, enum ft_asset_change change)
{
    if (!a->changes) {
        a->next_changed = NULL;
        a->changed_facts_n = 0;
        a->former.family = 0;
        if (inv->changed_last)
            inv->changed_last->next_changed = a;
        else
            inv->changed_first = a;
        inv->changed_last = a;
    }
    a->changes |= (uint8_t)change;
}

struct ft_asset *ft_inventory_take_changed(struct ft_inventory *inv, uint8_t *changes)
{
    struct ft_asset *a = inv->changed_first;
    if (inv->taken)
        asset_free(inv->taken);
    inv->taken = NULL;
    if (!a)
        return NULL;
    inv->changed_first = a->next_changed;
    if (!inv->changed_first)
        inv->changed_last = NULL;
    *changes = a->changes;
    a->changes = 0;
    if (*changes == FT_ASSET_MERGED)
        inv->taken = a;
    return a;
}

static void unmark(struct ft_inventory *inv, struct ft_asset *a)
{
    struct ft_asset **at = &inv->changed_first, *last = NULL;
    if (!a->changes)
        return;
    while (*at != a) {
        last = *at;
        at = &(*at)->next_changed;
    }
    *at = a->next_changed;
    if (inv->changed_last == a)
        inv->changed_last = last;
}

bool ft_inventory_resize(void *array, uint32_t count, size_t width)
{
    void **at = array, *bigger = realloc(*at, count * width);
    if (bigger)
        *at = bigger;
    return bigger != NULL;
}

/* Room for one more asset and its hole. */
static bool grow_assets(struct ft_inventory *inv)
{
    uint32_t more = inv->asset_size ? inv->asset_size * 2 : 64;
    if (inv->hole_count || inv->asset_count < inv->asset_size)
        return true;
    if (!ft_inventory_resize(&inv->assets, more, sizeof(*inv->assets)) ||
        !ft_inventory_resize(&inv->holes, more, sizeof(*inv->holes)))
        return false;
    inv->asset_size = more;
    return true;
}

struct ft_asset *ft_inventory_create(struct ft_inventory *inv, const struct ft_asset_key *k,
                                     uint64_t time_ns)
{
    struct ft_asset *a = NULL;
    if (inv->alive + inv->nested < inv->config.max_assets && grow_assets(inv) &&
        ft_index_reserve(&inv->by_address))
        a = calloc(1, sizeof(*a));
    if (a && k->sub_text && !(a->sub_text = strndup(k->sub_text, k->sub_length))) {
        free(a);
        a = NULL;
    }
    if (!a) {
        inv->refused++;
        return NULL;
    }
    a->address = k->address;
    a->sub_kind = k->sub_kind;
    a->sub_value = k->sub_value;
    a->sub_length = k->sub_length;
    a->first_ns = a->last_ns = time_ns;
    a->number = inv->hole_count ? inv->holes[--inv->hole_count] : ++inv->asset_count;
    inv->assets[a->number - 1] = a;
    ft_index_add(&inv->by_address, ft_inventory_hash(inv, k), a->number);
    *(k->sub_kind ? &inv->nested : &inv->alive) += 1;
    ft_inventory_mark(inv, a, FT_ASSET_NEW);
    if (!a->sub_kind)
        ft_inventory_learn_hearsay(inv, a, time_ns);
    return a;
}

void ft_asset_touch(struct ft_asset *a, uint64_t time_ns)
{
    if (time_ns > a->last_ns)
        a->last_ns = time_ns;
    if (time_ns < a->first_ns)
        a->first_ns = time_ns;
}

struct ft_behind ft_behind(const struct ft_event *e, const struct ft_event_sub *sub)
{
    return (struct ft_behind){.value = sub->value,
                              .text = sub->text ? (const char *)e + sub->text : NULL,
                              .kind = sub->kind,
                              .length = sub->length};
}

/* The asset behind `a` that a sub-address names, made when it is new; `a` itself without one. */
struct ft_asset *ft_inventory_nested(struct ft_inventory *inv, struct ft_asset *a,
                                     struct ft_behind sub, uint64_t time_ns)
{
    if (!a || sub.kind == FT_SUB_NONE || a->parent)
        return a;
    struct ft_asset_key k = {.address = a->address,
                             .sub_kind = sub.kind,
                             .sub_value = sub.value,
                             .sub_text = sub.text,
                             .sub_length = sub.length};
    struct ft_asset *child = ft_inventory_get(inv, &k);
    if (!child) {
        if (a->child_count >= FT_ASSET_CHILDREN_MAX) {
            inv->refused++;
            return NULL;
        }
        child = ft_inventory_create(inv, &k, time_ns);
        if (!child)
            return NULL;
        child->parent = a;
        child->sibling = a->children;
        a->children = child;
        a->child_count++;
    }
    ft_asset_touch(child, time_ns);
    return child;
}

/* Forget an asset; what refers to it has been taken away before. */
void ft_inventory_drop(struct ft_inventory *inv, struct ft_asset *a)
{
    struct ft_asset_key k = ft_asset_key_of(a);
    ft_index_remove(&inv->by_address, ft_inventory_hash(inv, &k), a->number);
    unmark(inv, a);
    inv->assets[a->number - 1] = NULL;
    inv->holes[inv->hole_count++] = a->number;
    *(a->sub_kind ? &inv->nested : &inv->alive) -= 1;
    asset_free(a);
}

/* ---- what is known ---- */

void ft_inventory_add_role(struct ft_inventory *inv, struct ft_asset *a, uint32_t *roles,
                           uint32_t more)
{
    if ((*roles | more) == *roles)
        return;
    *roles |= more;
    ft_inventory_mark(inv, a, FT_ASSET_ROLE);
}

void ft_inventory_add_vlan(struct ft_inventory *inv, struct ft_asset *a, uint16_t id)
{
    unsigned at = 0;
    while (at < a->vlan_count && a->vlans[at] < id)
        at++;
    bool is_known = at < a->vlan_count && a->vlans[at] == id;
    if (!id || is_known || a->vlan_count == FT_ASSET_VLANS_MAX)
        return;
    memmove(a->vlans + at + 1, a->vlans + at, (a->vlan_count - at) * sizeof(a->vlans[0]));
    a->vlans[at] = id;
    a->vlan_count++;
    ft_inventory_mark(inv, a, FT_ASSET_VLAN);
}

/* ---- reading ---- */

uint32_t ft_inventory_count(const struct ft_inventory *inv)
{
    return inv->alive;
}

uint32_t ft_inventory_count_all(const struct ft_inventory *inv)
{
    return inv->alive + inv->nested;
}

uint32_t ft_inventory_places(const struct ft_inventory *inv)
{
    return inv->asset_count;
}

const struct ft_asset *ft_inventory_at(const struct ft_inventory *inv, uint32_t number)
{
    return number && number <= inv->asset_count ? inv->assets[number - 1] : NULL;
}

uint64_t ft_inventory_refused(const struct ft_inventory *inv)
{
    return inv->refused;
}

const struct ft_registry *ft_inventory_registry(const struct ft_inventory *inv)
{
    return inv->registry;
}

const struct ft_asset *ft_inventory_find(const struct ft_inventory *inv,
                                         const struct ft_address *address)
{
    return ft_inventory_lookup(inv, address);
}

bool ft_inventory_is_router(const struct ft_inventory *inv, const struct ft_address *address)
{
    const struct ft_asset *a = ft_inventory_lookup(inv, address);
    return a && ft_asset_roles(a) >> FT_ROLE_ROUTER & 1;
}

static int compare_assets(const void *a, const void *b)
{
    const struct ft_asset *x = *(struct ft_asset *const *)a, *y = *(struct ft_asset *const *)b;
    return ft_address_compare(&x->address, &y->address);
}

struct ft_asset **ft_inventory_sorted(const struct ft_inventory *inv)
{
    struct ft_asset **all = inv->alive ? malloc(inv->alive * sizeof(struct ft_asset *)) : NULL;
    uint32_t n = 0;
    for (uint32_t i = 0; all && i < inv->asset_count; i++)
        if (inv->assets[i] && !inv->assets[i]->parent)
            all[n++] = inv->assets[i];
    if (all)
        qsort(all, n, sizeof(struct ft_asset *), compare_assets);
    return all;
}

static int compare_children(const void *a, const void *b)
{
    const struct ft_asset *x = *(struct ft_asset *const *)a, *y = *(struct ft_asset *const *)b;
    if (x->sub_kind != y->sub_kind)
        return (int)x->sub_kind - (int)y->sub_kind;
    if (x->sub_text && y->sub_text && strcmp(x->sub_text, y->sub_text) != 0)
        return strcmp(x->sub_text, y->sub_text);
    return x->sub_value < y->sub_value ? -1 : x->sub_value > y->sub_value;
}

struct ft_asset **ft_asset_children_sorted(const struct ft_asset *asset)
{
    struct ft_asset **all =
        asset->child_count ? malloc(asset->child_count * sizeof(struct ft_asset *)) : NULL;
    uint32_t n = 0;
    for (struct ft_asset *c = asset->children; all && c; c = c->sibling)
        all[n++] = c;
    if (all)
        qsort(all, n, sizeof(struct ft_asset *), compare_children);
    return all;
}

const char *ft_asset_fact(const struct ft_asset *asset, enum ft_fact fact)
{
    const char *of_service = NULL;
    for (const struct ft_asset_value *v = asset->values; v; v = v->next) {
        if (v->fact != fact)
            continue;
        if (!v->is_of_service)
            return v->text;
        if (!of_service)
            of_service = v->text;
    }
    return of_service;
}

const char *ft_asset_vendor(const struct ft_inventory *inv, const struct ft_asset *asset)
{
    const char *said = ft_asset_fact(asset, FT_FACT_VENDOR);
    const uint8_t *mac = ft_asset_mac_address(asset);
    return said || !mac ? said : ft_oui_vendor(inv->oui, mac);
}

void ft_asset_sub_text(const struct ft_asset *asset, char *text, uint32_t size)
{
    ft_sub_text(asset->sub_kind, asset->sub_value, asset->sub_text, asset->sub_length, text, size);
}
