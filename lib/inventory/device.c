/* SPDX-License-Identifier: BSD-3-Clause */
/* Which addresses are one device: MAC addresses, whose they are, merging and moving. */
#include "base/hash.h"
#include "inventory/internal.h"

#include <stdlib.h>
#include <string.h>

/* A MAC address that carries packets of so many IP addresses, none of them stated to be its own, is
 * a router's: a host has an address or two (IPv6: link-local, stable, temporary ones). */
#define ROUTER_IPV4 3u
#define ROUTER_IPV6 6u

/* Who claims its address again within this time never was away. */
#define RETURN_NS (600ull * 1000000000)

static bool grow_macs(struct ft_inventory *inv)
{
    uint32_t more = inv->mac_size ? inv->mac_size * 2 : 64;
    if (inv->mac_count < inv->mac_size)
        return true;
    if (!ft_inventory_resize(&inv->macs, more, sizeof(*inv->macs)))
        return false;
    inv->mac_size = more;
    return true;
}

struct ft_asset_mac *ft_inventory_mac_find(const struct ft_inventory *inv, const uint8_t mac[6])
{
    uint32_t entry;
    struct ft_index_walk w = ft_index_walk(&inv->by_mac, ft_siphash(inv->config.key, mac, 6));
    while ((entry = ft_index_next(&inv->by_mac, &w)))
        if (!memcmp(inv->macs[entry - 1]->mac, mac, 6))
            return inv->macs[entry - 1];
    return NULL;
}

struct ft_asset_mac *ft_inventory_mac_get(struct ft_inventory *inv, const uint8_t mac[6])
{
    struct ft_asset_mac *m = ft_inventory_mac_find(inv, mac);
    if (m)
        return m;
    if (inv->mac_count < inv->config.max_assets && grow_macs(inv) && ft_index_reserve(&inv->by_mac))
        m = calloc(1, sizeof(*m));
    if (!m) {
        inv->refused++;
        return NULL;
    }
    memcpy(m->mac, mac, 6);
    inv->macs[inv->mac_count++] = m;
    ft_index_add(&inv->by_mac, ft_siphash(inv->config.key, mac, 6), inv->mac_count);
    return m;
}

/* Is `mac`, of which `to` may be known, the MAC address `from` or that of the same device? */
static bool is_one_device(const struct ft_asset_mac *from, const struct ft_asset_mac *to,
                          const uint8_t mac[6])
{
    if (!to)
        return !memcmp(from->mac, mac, 6);
    return (from->device ? from->device : from) == (to->device ? to->device : to);
}

const uint8_t *ft_asset_mac_address(const struct ft_asset *asset)
{
    if (asset->parent)
        return NULL;
    if (asset->address.family == 2)
        return asset->address.ip.bytes;
    return asset->mac ? asset->mac->mac : NULL;
}

/* The asset of an address, or where it would be: a MAC address that was stated to belong to an IP
 * address is that, one of a port that of the device. */
static struct ft_asset *place_of(const struct ft_inventory *inv, const struct ft_address *address,
                                 struct ft_asset_key *k)
{
    *k = (struct ft_asset_key){.address = *address};
    const struct ft_asset_mac *m =
        address->family == 2 ? ft_inventory_mac_find(inv, address->ip.bytes) : NULL;
    if (m && !m->strong && m->device) {
        m = m->device;
        memcpy(k->address.ip.bytes, m->mac, 6);
    }
    return m && m->strong ? m->strong : ft_inventory_get(inv, k);
}

struct ft_asset *ft_inventory_lookup(const struct ft_inventory *inv,
                                     const struct ft_address *address)
{
    struct ft_asset_key k;
    return place_of(inv, address, &k);
}

struct ft_asset *ft_inventory_see(struct ft_inventory *inv, const struct ft_address *address,
                                  uint64_t time_ns)
{
    struct ft_asset_key k;
    if (!ft_address_is_device(address))
        return NULL;
    struct ft_asset *a = place_of(inv, address, &k);
    if (!a)
        a = ft_inventory_create(inv, &k, time_ns);
    if (a)
        ft_asset_touch(a, time_ns);
    return a;
}

/* All of it in constant time: who forges ARP must not be able to make the lists long and have them
 * walked. Weakly bound assets are few, since a router's MAC address binds no more. */
static void mac_unbind(struct ft_asset *a)
{
    struct ft_asset_mac *m = a->mac;
    if (!m)
        return;
    *(a->mac_previous ? &a->mac_previous->mac_next : &m->first) = a->mac_next;
    if (a->mac_next)
        a->mac_next->mac_previous = a->mac_previous;
    if (!a->mac_is_strong)
        *(a->address.family == 4 ? &m->weak_ipv4 : &m->weak_ipv6) -= 1;
    if (m->strong == a) {
        m->strong = m->first;
        while (m->strong && !m->strong->mac_is_strong)
            m->strong = m->strong->mac_next;
    }
    a->mac = NULL;
    a->mac_is_strong = false;
}

static void mac_bind(struct ft_asset *a, struct ft_asset_mac *m, bool is_strong)
{
    a->mac = m;
    a->mac_is_strong = is_strong;
    a->mac_previous = NULL;
    a->mac_next = m->first;
    if (m->first)
        m->first->mac_previous = a;
    m->first = a;
    if (is_strong && !m->strong)
        m->strong = a;
    if (!is_strong)
        *(a->address.family == 4 ? &m->weak_ipv4 : &m->weak_ipv6) += 1;
}

/* From now on the MAC address is nobody's by traffic alone; the router itself is an asset. */
static void becomes_router(struct ft_inventory *inv, struct ft_asset_mac *m, uint64_t time_ns)
{
    m->is_router = true;
    for (struct ft_asset *a = m->first, *next; a; a = next) {
        next = a->mac_next;
        if (a->mac_is_strong)
            continue;
        a->vlan_count = 0; /* those are the router's */
        ft_inventory_mark(inv, a, FT_ASSET_MAC);
        mac_unbind(a);
    }
    struct ft_address address = ft_address_of_mac(m->mac);
    struct ft_asset *router = ft_inventory_see(inv, &address, time_ns);
    if (router)
        ft_inventory_add_role(inv, router, &router->roles_derived, 1u << FT_ROLE_ROUTER);
}

/* Addresses that can be on the network itself; others come through a router, with its MAC. */
static bool may_be_local(const struct ft_address *a)
{
    const uint8_t *b = a->ip.bytes;
    if (a->family == 6)
        return (b[0] & 0xfe) == 0xfc || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80);
    return b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) || (b[0] == 192 && b[1] == 168) ||
           (b[0] == 169 && b[1] == 254) || (b[0] == 100 && (b[1] & 0xc0) == 64);
}

/* An IP address was seen with a MAC address in a packet. */
void ft_inventory_bind_seen(struct ft_inventory *inv, struct ft_asset *a, const uint8_t mac[6],
                            uint64_t time_ns)
{
    struct ft_address address = ft_address_of_mac(mac);
    if (a->mac || !may_be_local(&a->address) || !ft_address_is_device(&address))
        return;
    struct ft_asset_mac *m = ft_inventory_mac_get(inv, mac);
    if (!m || m->is_router)
        return;
    mac_bind(a, m, false);
    ft_inventory_mark(inv, a, FT_ASSET_MAC);
    if (m->weak_ipv4 >= ROUTER_IPV4 || m->weak_ipv6 >= ROUTER_IPV6)
        becomes_router(inv, m, time_ns);
}

/* Whoever keeps assets by their ids has to know that one is another's from now on. */
static void tell_merged(struct ft_inventory *inv, const struct ft_asset *from,
                        const struct ft_asset *to)
{
    if (from->changes & FT_ASSET_NEW)
        return; /* nobody was told of it */
    struct ft_asset *copy = calloc(1, sizeof(*copy));
    if (!copy || (from->sub_text && !(copy->sub_text = strdup(from->sub_text)))) {
        free(copy);
        inv->refused++;
        return;
    }
    copy->address = from->address;
    copy->parent = from->parent;
    copy->sub_kind = from->sub_kind;
    copy->sub_value = from->sub_value;
    copy->sub_length = from->sub_length;
    copy->first_ns = from->first_ns;
    copy->last_ns = from->last_ns;
    copy->into = to->address;
    ft_inventory_mark(inv, copy, FT_ASSET_MERGED);
}

/* Take over a fact of another asset that was found to be the same: what was said last counts. Is it
 * news? */
static bool merge_value(struct ft_inventory *inv, struct ft_asset *to, struct ft_asset_value *v)
{
    struct ft_asset_value **at = &to->values;
    while (*at && ((*at)->fact != v->fact || (*at)->protocol != v->protocol))
        at = &(*at)->next;
    struct ft_asset_value *old = *at;
    bool is_full = !old && to->value_count >= FT_ASSET_VALUES_MAX;
    inv->refused += is_full;
    if (is_full || (old && v->since_ns < old->since_ns)) {
        ft_asset_value_free(v);
        return false;
    }
    v->next = old ? old->next : NULL;
    *at = v;
    if (!old) {
        to->value_count++;
        return true;
    }
    bool is_news = strcmp(v->text, old->text) != 0;
    v->changes += old->changes + is_news;
    ft_asset_value_free(old);
    return is_news;
}

/* All that is known of `from` but what is behind it is known of `to`. */
static void merge_known(struct ft_inventory *inv, struct ft_asset *to, struct ft_asset *from)
{
    ft_asset_touch(to, from->first_ns);
    ft_asset_touch(to, from->last_ns);
    for (unsigned i = 0; i < FT_PROTOCOL_WORDS; i++) {
        to->as_client[i] |= from->as_client[i];
        to->as_server[i] |= from->as_server[i];
    }
    ft_inventory_add_role(inv, to, &to->roles_product, from->roles_product);
    ft_inventory_add_role(inv, to, &to->roles_said, from->roles_said);
    ft_inventory_add_role(inv, to, &to->roles_forwards, from->roles_forwards);
    ft_inventory_add_role(inv, to, &to->roles_derived, from->roles_derived);
    to->is_network_device |= from->is_network_device;
    for (unsigned i = 0; i < from->vlan_count; i++)
        ft_inventory_add_vlan(inv, to, from->vlans[i]);
    for (struct ft_asset_value *v = from->values, *next; v; v = next) {
        next = v->next;
        if (merge_value(inv, to, v))
            ft_inventory_mark(inv, to, FT_ASSET_FACT);
    }
    from->values = NULL;
}

/* As many as any other asset may have; what is behind a device that moves often is told to be its
 * all the same, and forgotten. */
static void adopt(struct ft_inventory *inv, struct ft_asset *to, struct ft_asset *child)
{
    struct ft_asset_key k = ft_asset_key_of(child);
    k.address = to->address;
    tell_merged(inv, child, to);
    struct ft_asset *known = ft_inventory_get(inv, &k);
    if (known) { /* there too */
        merge_known(inv, known, child);
        ft_inventory_drop(inv, child);
        return;
    }
    if (to->child_count >= FT_ASSET_CHILDREN_MAX) {
        inv->refused++;
        ft_inventory_drop(inv, child);
        return;
    }
    struct ft_asset_key old = ft_asset_key_of(child);
    ft_index_remove(&inv->by_address, ft_inventory_hash(inv, &old), child->number);
    child->address = to->address;
    child->parent = to;
    child->sibling = to->children;
    to->children = child;
    to->child_count++;
    ft_index_add(&inv->by_address, ft_inventory_hash(inv, &k), child->number);
    ft_inventory_mark(inv, child, FT_ASSET_NEW); /* under its new id */
}

/* What the same packet said of `from`, and is not told yet, is said of `to`. */
static void turn_merged(struct ft_inventory *inv, const struct ft_asset *to,
                        const struct ft_asset *from)
{
    for (struct ft_asset *a = inv->changed_first; a; a = a->next_changed) {
        if (a->changes == FT_ASSET_MERGED && !ft_address_compare(&a->into, &from->address))
            a->into = to->address;
        if (a->former.family && !ft_address_compare(&a->former, &from->address))
            a->former = to->address;
    }
}

/* All that is known of `from`, and what is behind it. */
static void move_known(struct ft_inventory *inv, struct ft_asset *to, struct ft_asset *from)
{
    merge_known(inv, to, from);
    for (struct ft_asset *c = from->children, *next; c; c = next) {
        next = c->sibling;
        adopt(inv, to, c);
    }
    from->children = NULL;
    from->child_count = 0;
}

/* Move all that is known of `from`, a MAC address, to `to`, its device, and forget `from`. */
void ft_inventory_merge(struct ft_inventory *inv, struct ft_asset *to, struct ft_asset *from)
{
    turn_merged(inv, to, from);
    tell_merged(inv, from, to);
    move_known(inv, to, from);
    ft_inventory_drop(inv, from);
}

/* A router answers for others (proxy ARP): what is known of such an address is not the router's. */
static bool is_for_others(const struct ft_asset *a)
{
    for (const struct ft_asset *other = a->mac->first; other; other = other->mac_next)
        if (other != a && other->mac_is_strong)
            return a->mac->is_router || ft_asset_roles(other) >> FT_ROLE_ROUTER & 1;
    return a->mac->is_router;
}

/*
 * An IP address of which it was stated that a device has it is stated to be another's. By who gives
 * addresses out, or in the same network: cells of a plant that are built alike use the same
 * addresses, and a router may answer for those of another network.
 */
bool ft_inventory_is_moving(const struct ft_inventory *inv, const struct ft_asset *a,
                            const uint8_t mac[6], const struct ft_event *e)
{
    struct ft_address to = ft_address_of_mac(mac);
    if (!a->mac || !a->mac_is_strong || a->mac_is_management || !ft_address_is_device(&to) ||
        is_one_device(a->mac, ft_inventory_mac_find(inv, mac), mac) || is_for_others(a))
        return false;
    return (e->type == FT_EVENT_FACT && e->fact.is_lease) ||
           a->mac_network == ft_event_network(inv->config.key, e);
}

static void forget_known(struct ft_asset *a, uint64_t time_ns)
{
    memset(a->as_client, 0, sizeof(a->as_client));
    memset(a->as_server, 0, sizeof(a->as_server));
    a->value_count = 0;
    a->roles_product = a->roles_said = a->roles_forwards = a->roles_derived = 0;
    a->is_network_device = false;
    a->vlan_count = 0;
    a->first_ns = a->last_ns = time_ns;
}

/* Did the device with this MAC address, which may have another IP address, leave `a` just now? */
static bool comes_back(const struct ft_inventory *inv, const struct ft_asset *a,
                       const uint8_t mac[6], uint64_t time_ns)
{
    struct ft_address address = ft_address_of_mac(mac);
    const struct ft_asset *own = ft_inventory_lookup(inv, &address);
    return own && own->left.family && !ft_address_compare(&own->left, &a->address) &&
           time_ns - own->left_ns < RETURN_NS;
}

/*
 * The device that has this address does no more. It stays, with all that is known of it and what is
 * behind it, under its MAC address or another IP address that it has; whoever has the address now
 * begins anew. When one comes back at once, what was learned in between is kept with the address:
 * an intruder who claimed it does not go away with what he passed on. Costs by what is behind it,
 * as merging does.
 */
void ft_inventory_leave(struct ft_inventory *inv, struct ft_asset *a, const uint8_t mac[6],
                        uint64_t time_ns)
{
    bool is_kept = comes_back(inv, a, mac, time_ns);
    struct ft_address address = ft_address_of_mac(a->mac->mac);
    struct ft_asset_key k;
    mac_unbind(a);
    struct ft_asset *former = place_of(inv, &address, &k);
    if (!former)
        former = ft_inventory_create(inv, &k, a->last_ns);
    if (!former)
        return;
    ft_inventory_mark(inv, a, FT_ASSET_MOVED);
    a->former = former->address;
    if (is_kept)
        return;
    former->left = a->address;
    former->left_ns = time_ns;
    move_known(inv, former, a);
    forget_known(a, time_ns);
}

/* It was stated that an IP address has a MAC address. */
void ft_inventory_bind_stated(struct ft_inventory *inv, struct ft_asset *a, const uint8_t mac[6],
                              const struct ft_event *e)
{
    struct ft_address address = ft_address_of_mac(mac);
    a->mac_is_management = false;
    if (!ft_address_is_device(&address))
        return;
    a->mac_network = ft_event_network(inv->config.key, e);
    if (a->mac && a->mac_is_strong && !memcmp(a->mac->mac, mac, 6))
        return;
    struct ft_asset_mac *m = ft_inventory_mac_get(inv, mac);
    if (!m)
        return;
    bool is_shown = ft_asset_mac_address(a) && !memcmp(ft_asset_mac_address(a), mac, 6);
    mac_unbind(a);
    mac_bind(a, m, true);
    if (!is_shown)
        ft_inventory_mark(inv, a, FT_ASSET_MAC);
    struct ft_asset_key k = {.address = address};
    struct ft_asset *own = ft_inventory_get(inv, &k);
    if (own)
        ft_inventory_merge(inv, a, own);
    else if (m->is_router)
        ft_inventory_add_role(inv, a, &a->roles_derived, 1u << FT_ROLE_ROUTER);
}
