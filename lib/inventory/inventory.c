/* SPDX-License-Identifier: BSD-3-Clause */
/* The inventory: assets, their MAC addresses, facts and nested identities. */
#include "inventory/inventory.h"

#include "base/hash.h"
#include "base/index.h"
#include "dissect/context.h"
#include "inventory/hearsay.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* A MAC address that carries packets of so many IP addresses, none of them stated to be its own, is
 * a router's: a host has an address or two (IPv6: link-local, stable, temporary ones). */
#define ROUTER_IPV4 3u
#define ROUTER_IPV6 6u

/* Who claims its address again within this time never was away. */
#define RETURN_NS (600ull * 1000000000)

struct ft_asset_mac {
    uint8_t mac[6];
    bool is_router;
    bool has_ports;              /* others have it as their device */
    struct ft_asset_mac *device; /* it is a port of that one, which is no port itself */
    uint32_t weak_ipv4, weak_ipv6;
    struct ft_asset *first;  /* assets bound to it, by mac_next */
    struct ft_asset *strong; /* the first of them that was stated */
};

struct ft_inventory {
    struct ft_inventory_config config;
    const struct ft_registry *registry;
    struct ft_oui *oui;
    struct ft_asset **assets; /* by number - 1; NULL: a hole where one was merged */
    uint32_t *holes;          /* numbers to be used again, last one first; room for all */
    uint32_t asset_count, asset_size, hole_count, alive, nested;
    struct ft_asset_mac **macs;
    uint32_t mac_count, mac_size;
    struct ft_index by_address, by_mac;
    struct ft_asset *changed_first, *changed_last;
    struct ft_asset *taken; /* a copy that was taken last */
    struct ft_hearsay *hearsay;
    struct ft_hearsay *asked; /* what datagrams were sent to and has not answered yet */
    uint64_t refused;
};

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

static void value_free(struct ft_asset_value *v)
{
    free(v->text);
    free(v);
}

static void asset_free(struct ft_asset *a)
{
    for (struct ft_asset_value *v = a->values, *next; v; v = next) {
        next = v->next;
        value_free(v);
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

/* ---- addresses ---- */

struct ft_address ft_event_address(const struct ft_event *event, enum ft_party party)
{
    const struct ft_event_packet *p = &event->packet;
    struct ft_address a = {.family = p->family};
    if (p->family == 2)
        memcpy(a.ip.bytes, party == FT_SENDER ? p->src_mac : p->dst_mac, 6);
    else
        a.ip = party == FT_SENDER ? p->src : p->dst;
    return a;
}

bool ft_address_is_external(const struct ft_address *address)
{
    const uint8_t *b = address->ip.bytes;
    if (address->family == 6)
        return (b[0] & 0xe0) == 0x20; /* 2000::/3, all that is global (RFC 4291, 2.4) */
    return address->family == 4 && b[0] != 0 && b[0] != 10 && b[0] != 127 && b[0] < 224 &&
           !(b[0] == 100 && (b[1] & 0xc0) == 64) && !(b[0] == 169 && b[1] == 254) &&
           !(b[0] == 172 && (b[1] & 0xf0) == 16) && !(b[0] == 192 && b[1] == 168);
}

bool ft_address_is_device(const struct ft_address *address)
{
    static const uint8_t zero[16];
    const uint8_t *b = address->ip.bytes;
    switch (address->family) {
    case 4:
        return b[0] != 0 && b[0] != 127 && b[0] < 224;
    case 6:
        return b[0] != 0xff && memcmp(b, zero, 15) != 0;
    case 2:
        return !(b[0] & 1) && memcmp(b, zero, 6) != 0;
    default:
        return false;
    }
}

int ft_address_compare(const struct ft_address *a, const struct ft_address *b)
{
    static const uint8_t order[8] = {[4] = 0, [6] = 1, [2] = 2};
    if (a->family != b->family)
        return (int)order[a->family & 7] - (int)order[b->family & 7];
    return memcmp(a->ip.bytes, b->ip.bytes, sizeof(a->ip.bytes));
}

void ft_address_text(const struct ft_address *address, char text[64])
{
    const uint8_t *b = address->ip.bytes;
    if (address->family == 2)
        snprintf(text, 64, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
    else
        inet_ntop(address->family == 6 ? AF_INET6 : AF_INET, b, text, 64);
}

static struct ft_address mac_address(const uint8_t mac[6])
{
    struct ft_address a = {.family = 2};
    memcpy(a.ip.bytes, mac, 6);
    return a;
}

uint64_t ft_event_network(const uint64_t key[2], const struct ft_event *event)
{
    const struct ft_event_packet *p = &event->packet;
    uint32_t words[FT_PACKET_VLANS + 4] = {p->interface, p->vlan_count, p->outer.tunnel,
                                           p->outer.tunnel ? p->outer.id : 0};
    for (unsigned i = 0; i < p->vlan_count && i < FT_PACKET_VLANS; i++)
        words[4 + i] = p->vlan[i];
    return ft_siphash(key, words, sizeof(words)) | 1;
}

/* ---- the table ---- */

/* What makes an asset: its address, and what is behind it. */
struct key {
    struct ft_address address;
    uint8_t sub_kind;
    uint64_t sub_value;
    const char *sub_text; /* told apart by its hash in sub_value */
    uint8_t sub_length;
};

static uint64_t key_hash(const struct ft_inventory *inv, const struct key *k)
{
    uint64_t words[4] = {k->address.ip.words[0], k->address.ip.words[1], k->sub_value,
                         (uint64_t)k->address.family << 8 | k->sub_kind};
    return ft_siphash(inv->config.key, words, sizeof(words));
}

static struct key key_of(const struct ft_asset *a)
{
    struct key k = {.address = a->address, .sub_kind = a->sub_kind, .sub_value = a->sub_value};
    return k;
}

static struct ft_asset *find(const struct ft_inventory *inv, const struct key *k)
{
    uint32_t entry;
    struct ft_index_walk w = ft_index_walk(&inv->by_address, key_hash(inv, k));
    while ((entry = ft_index_next(&inv->by_address, &w))) {
        struct ft_asset *a = inv->assets[entry - 1];
        if (a->address.family == k->address.family && a->sub_kind == k->sub_kind &&
            a->sub_value == k->sub_value &&
            !memcmp(&a->address.ip, &k->address.ip, sizeof(a->address.ip)))
            return a;
    }
    return NULL;
}

static void mark(struct ft_inventory *inv, struct ft_asset *a, enum ft_asset_change change)
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

static bool resize(void *array, uint32_t count, size_t width)
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
    if (!resize(&inv->assets, more, sizeof(*inv->assets)) ||
        !resize(&inv->holes, more, sizeof(*inv->holes)))
        return false;
    inv->asset_size = more;
    return true;
}

static bool grow_macs(struct ft_inventory *inv)
{
    uint32_t more = inv->mac_size ? inv->mac_size * 2 : 64;
    if (inv->mac_count < inv->mac_size)
        return true;
    if (!resize(&inv->macs, more, sizeof(*inv->macs)))
        return false;
    inv->mac_size = more;
    return true;
}

static void learn_hearsay(struct ft_inventory *inv, struct ft_asset *a, uint64_t time_ns);

static struct ft_asset *create(struct ft_inventory *inv, const struct key *k, uint64_t time_ns)
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
    ft_index_add(&inv->by_address, key_hash(inv, k), a->number);
    *(k->sub_kind ? &inv->nested : &inv->alive) += 1;
    mark(inv, a, FT_ASSET_NEW);
    if (!a->sub_kind)
        learn_hearsay(inv, a, time_ns);
    return a;
}

static void touch(struct ft_asset *a, uint64_t time_ns)
{
    if (time_ns > a->last_ns)
        a->last_ns = time_ns;
    if (time_ns < a->first_ns)
        a->first_ns = time_ns;
}

/* What is behind an address: the text lies in an event or in hearsay. */
struct behind {
    uint64_t value;
    const char *text;
    uint8_t kind, length;
};

static struct behind behind(const struct ft_event *e, const struct ft_event_sub *sub)
{
    return (struct behind){.value = sub->value,
                           .text = sub->text ? (const char *)e + sub->text : NULL,
                           .kind = sub->kind,
                           .length = sub->length};
}

/* The asset behind `a` that a sub-address names, made when it is new; `a` itself without one. */
static struct ft_asset *nested(struct ft_inventory *inv, struct ft_asset *a, struct behind sub,
                               uint64_t time_ns)
{
    if (!a || sub.kind == FT_SUB_NONE || a->parent)
        return a;
    struct key k = {.address = a->address,
                    .sub_kind = sub.kind,
                    .sub_value = sub.value,
                    .sub_text = sub.text,
                    .sub_length = sub.length};
    struct ft_asset *child = find(inv, &k);
    if (!child) {
        if (a->child_count >= FT_ASSET_CHILDREN_MAX) {
            inv->refused++;
            return NULL;
        }
        child = create(inv, &k, time_ns);
        if (!child)
            return NULL;
        child->parent = a;
        child->sibling = a->children;
        a->children = child;
        a->child_count++;
    }
    touch(child, time_ns);
    return child;
}

/* ---- MAC addresses ---- */

static struct ft_asset_mac *mac_find(const struct ft_inventory *inv, const uint8_t mac[6])
{
    uint32_t entry;
    struct ft_index_walk w = ft_index_walk(&inv->by_mac, ft_siphash(inv->config.key, mac, 6));
    while ((entry = ft_index_next(&inv->by_mac, &w)))
        if (!memcmp(inv->macs[entry - 1]->mac, mac, 6))
            return inv->macs[entry - 1];
    return NULL;
}

static struct ft_asset_mac *mac_get(struct ft_inventory *inv, const uint8_t mac[6])
{
    struct ft_asset_mac *m = mac_find(inv, mac);
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
                                 struct key *k)
{
    *k = (struct key){.address = *address};
    const struct ft_asset_mac *m = address->family == 2 ? mac_find(inv, address->ip.bytes) : NULL;
    if (m && !m->strong && m->device) {
        m = m->device;
        memcpy(k->address.ip.bytes, m->mac, 6);
    }
    return m && m->strong ? m->strong : find(inv, k);
}

static struct ft_asset *lookup(const struct ft_inventory *inv, const struct ft_address *address)
{
    struct key k;
    return place_of(inv, address, &k);
}

static struct ft_asset *see(struct ft_inventory *inv, const struct ft_address *address,
                            uint64_t time_ns)
{
    struct key k;
    if (!ft_address_is_device(address))
        return NULL;
    struct ft_asset *a = place_of(inv, address, &k);
    if (!a)
        a = create(inv, &k, time_ns);
    if (a)
        touch(a, time_ns);
    return a;
}

static void add_role(struct ft_inventory *inv, struct ft_asset *a, uint32_t *roles, uint32_t more)
{
    if ((*roles | more) == *roles)
        return;
    *roles |= more;
    mark(inv, a, FT_ASSET_ROLE);
}

static void add_vlan(struct ft_inventory *inv, struct ft_asset *a, uint16_t id)
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
    mark(inv, a, FT_ASSET_VLAN);
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
        mark(inv, a, FT_ASSET_MAC);
        mac_unbind(a);
    }
    struct ft_address address = mac_address(m->mac);
    struct ft_asset *router = see(inv, &address, time_ns);
    if (router)
        add_role(inv, router, &router->roles_derived, 1u << FT_ROLE_ROUTER);
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
static void bind_weak(struct ft_inventory *inv, struct ft_asset *a, const uint8_t mac[6],
                      uint64_t time_ns)
{
    struct ft_address address = mac_address(mac);
    if (a->mac || !may_be_local(&a->address) || !ft_address_is_device(&address))
        return;
    struct ft_asset_mac *m = mac_get(inv, mac);
    if (!m || m->is_router)
        return;
    mac_bind(a, m, false);
    mark(inv, a, FT_ASSET_MAC);
    if (m->weak_ipv4 >= ROUTER_IPV4 || m->weak_ipv6 >= ROUTER_IPV6)
        becomes_router(inv, m, time_ns);
}

/* Forget an asset; what refers to it has been taken away before. */
static void drop(struct ft_inventory *inv, struct ft_asset *a)
{
    struct key k = key_of(a);
    ft_index_remove(&inv->by_address, key_hash(inv, &k), a->number);
    unmark(inv, a);
    inv->assets[a->number - 1] = NULL;
    inv->holes[inv->hole_count++] = a->number;
    *(a->sub_kind ? &inv->nested : &inv->alive) -= 1;
    asset_free(a);
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
    mark(inv, copy, FT_ASSET_MERGED);
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
        value_free(v);
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
    value_free(old);
    return is_news;
}

/* All that is known of `from` but what is behind it is known of `to`. */
static void merge_known(struct ft_inventory *inv, struct ft_asset *to, struct ft_asset *from)
{
    touch(to, from->first_ns);
    touch(to, from->last_ns);
    for (unsigned i = 0; i < FT_PROTOCOL_WORDS; i++) {
        to->as_client[i] |= from->as_client[i];
        to->as_server[i] |= from->as_server[i];
    }
    add_role(inv, to, &to->roles_product, from->roles_product);
    add_role(inv, to, &to->roles_said, from->roles_said);
    add_role(inv, to, &to->roles_forwards, from->roles_forwards);
    add_role(inv, to, &to->roles_derived, from->roles_derived);
    to->is_network_device |= from->is_network_device;
    for (unsigned i = 0; i < from->vlan_count; i++)
        add_vlan(inv, to, from->vlans[i]);
    for (struct ft_asset_value *v = from->values, *next; v; v = next) {
        next = v->next;
        if (merge_value(inv, to, v))
            mark(inv, to, FT_ASSET_FACT);
    }
    from->values = NULL;
}

static void adopt(struct ft_inventory *inv, struct ft_asset *to, struct ft_asset *child)
{
    struct key k = key_of(child);
    k.address = to->address;
    tell_merged(inv, child, to);
    struct ft_asset *known = find(inv, &k);
    if (known) { /* there too */
        merge_known(inv, known, child);
        drop(inv, child);
        return;
    }
    struct key old = key_of(child);
    ft_index_remove(&inv->by_address, key_hash(inv, &old), child->number);
    child->address = to->address;
    child->parent = to;
    child->sibling = to->children;
    to->children = child;
    to->child_count++;
    ft_index_add(&inv->by_address, key_hash(inv, &k), child->number);
    mark(inv, child, FT_ASSET_NEW); /* under its new id */
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
static void merge(struct ft_inventory *inv, struct ft_asset *to, struct ft_asset *from)
{
    turn_merged(inv, to, from);
    tell_merged(inv, from, to);
    move_known(inv, to, from);
    drop(inv, from);
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
static bool is_moving(const struct ft_inventory *inv, const struct ft_asset *a,
                      const uint8_t mac[6], const struct ft_event *e)
{
    struct ft_address to = mac_address(mac);
    if (!a->mac || !a->mac_is_strong || a->mac_is_management || !ft_address_is_device(&to) ||
        is_one_device(a->mac, mac_find(inv, mac), mac) || is_for_others(a))
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

/* Did the device with this MAC address leave `a` just now? */
static bool comes_back(const struct ft_inventory *inv, const struct ft_asset *a,
                       const uint8_t mac[6], uint64_t time_ns)
{
    struct key k = {.address = mac_address(mac)};
    const struct ft_asset *own = find(inv, &k);
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
static void leave(struct ft_inventory *inv, struct ft_asset *a, const uint8_t mac[6],
                  uint64_t time_ns)
{
    bool is_kept = comes_back(inv, a, mac, time_ns);
    struct ft_address address = mac_address(a->mac->mac);
    struct key k;
    mac_unbind(a);
    struct ft_asset *former = place_of(inv, &address, &k);
    if (!former)
        former = create(inv, &k, a->last_ns);
    if (!former)
        return;
    mark(inv, a, FT_ASSET_MOVED);
    a->former = former->address;
    if (is_kept)
        return;
    former->left = a->address;
    former->left_ns = time_ns;
    move_known(inv, former, a);
    forget_known(a, time_ns);
}

/* It was stated that an IP address has a MAC address. */
static void bind_strong(struct ft_inventory *inv, struct ft_asset *a, const uint8_t mac[6],
                        const struct ft_event *e)
{
    struct ft_address address = mac_address(mac);
    a->mac_is_management = false;
    if (!ft_address_is_device(&address))
        return;
    a->mac_network = ft_event_network(inv->config.key, e);
    if (a->mac && a->mac_is_strong && !memcmp(a->mac->mac, mac, 6))
        return;
    struct ft_asset_mac *m = mac_get(inv, mac);
    if (!m)
        return;
    bool is_shown = ft_asset_mac_address(a) && !memcmp(ft_asset_mac_address(a), mac, 6);
    mac_unbind(a);
    mac_bind(a, m, true);
    if (!is_shown)
        mark(inv, a, FT_ASSET_MAC);
    struct key k = {.address = address};
    struct ft_asset *own = find(inv, &k);
    if (own)
        merge(inv, a, own);
    else if (m->is_router)
        add_role(inv, a, &a->roles_derived, 1u << FT_ROLE_ROUTER);
}

/* ---- facts ---- */

static void note_fact(struct ft_inventory *inv, struct ft_asset *a, uint8_t fact)
{
    mark(inv, a, FT_ASSET_FACT);
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
        add_role(inv, a, &a->roles_product, ft_role_of_product(text));
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
            add_role(inv, a,
                     functions >> role & 1 && is_of_lldp(inv, protocol) ? &a->roles_forwards
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

static void state(struct ft_inventory *inv, struct ft_asset *a, const struct ft_event *e)
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

static void learn_hearsay(struct ft_inventory *inv, struct ft_asset *a, uint64_t time_ns)
{
    struct hearer h = {inv, a, time_ns};
    ft_hearsay_of(inv->hearsay, &a->address, hear, &h);
}

/* ---- events ---- */

static bool is_direct(const struct ft_event_packet *p)
{
    /* Tunnels that carry no Ethernet header leave the MAC addresses of the outer packet. */
    return p->has_mac && p->outer.tunnel != FT_TUNNEL_GRE && p->outer.tunnel != FT_TUNNEL_IPIP;
}

/* The VLAN of the network that a packet is of, 0 = none: the innermost tag that names one. Those
 * before it are a carrier's, or the mirror's. */
static uint16_t vlan_of(const struct ft_event_packet *p)
{
    for (unsigned i = p->vlan_count; i-- > 0;)
        if (p->vlan[i] && p->vlan[i] != 0xfff)
            return p->vlan[i];
    return 0;
}

/* Who has this MAC address in a frame is in its VLAN; who is behind a router is not. */
static void learn_vlan(struct ft_inventory *inv, struct ft_asset *a, const uint8_t mac[6],
                       const struct ft_event *e)
{
    const uint8_t *own = ft_asset_mac_address(a);
    if (e->packet.family == 2 || (own && !memcmp(own, mac, 6)))
        add_vlan(inv, a, vlan_of(&e->packet));
}

static void tell_moved(struct ft_inventory *inv, const struct ft_event *e, const struct ft_asset *a,
                       const uint8_t mac[6])
{
    struct ft_address from = mac_address(a->mac->mac), to = mac_address(mac);
    char before[64], after[64];
    if (!inv->config.changed)
        return;
    ft_address_text(&from, before);
    ft_address_text(&to, after);
    inv->config.changed(inv->config.user, e, a, (enum ft_fact)FT_INVENTORY_MAC, before, after);
}

/* An IP address was stated to be that of a device. */
static void learn_stated(struct ft_inventory *inv, const struct ft_address *address,
                         const uint8_t mac[6], const struct ft_event *e)
{
    struct ft_asset *a = lookup(inv, address);
    if (a && is_moving(inv, a, mac, e)) {
        /* Of the others the core knows more, and a lease is no surprise. */
        if (e->type == FT_EVENT_FACT && !e->fact.is_lease)
            tell_moved(inv, e, a, mac);
        leave(inv, a, mac, e->time_ns);
    }
    a = see(inv, address, e->time_ns);
    if (!a)
        return;
    bind_strong(inv, a, mac, e);
    if (!memcmp(mac, e->packet.src_mac, 6))
        learn_vlan(inv, a, mac, e);
}

/* By which address a device is managed. Many come from the factory with the same, and the card for
 * management may have a MAC address of its own: whatever else was seen or said counts more, and
 * then an address that nobody was heard from is no device. */
static void learn_management(struct ft_inventory *inv, const struct ft_address *address,
                             const uint8_t mac[6], const struct ft_event *e)
{
    const struct ft_asset_mac *m = mac_find(inv, mac);
    const struct ft_asset *known = lookup(inv, address);
    bool is_taken =
        known && known->mac && (known->mac_is_strong || memcmp(known->mac->mac, mac, 6) != 0);
    struct ft_asset *a = is_taken || (m && m->strong) ? NULL : see(inv, address, e->time_ns);
    if (!a)
        return;
    bind_strong(inv, a, mac, e);
    a->mac_is_management = a->mac != NULL;
}

/*
 * A MAC address is that of a port of a device, which has another: what was known of it is the
 * device's. Nothing is joined that has an IP address of its own, nor ports of ports: who states
 * what is wrong cannot hide more than his own MAC address, and that is told.
 */
static void learn_port(struct ft_inventory *inv, const uint8_t device[6], const uint8_t port[6],
                       uint64_t time_ns)
{
    struct ft_address address = mac_address(device), own = mac_address(port);
    if (!ft_address_is_device(&address) || !ft_address_is_device(&own) || !memcmp(device, port, 6))
        return;
    struct ft_asset_mac *d = mac_get(inv, device), *m = mac_get(inv, port);
    if (!d || !m || d->device || m->has_ports || m->strong || m->device == d)
        return;
    struct key k = {.address = own};
    struct ft_asset *to = see(inv, &address, time_ns), *from = find(inv, &k);
    if (!to)
        return;
    m->device = d;
    d->has_ports = true;
    if (from)
        merge(inv, to, from);
}

static void learn_address(struct ft_inventory *inv, const struct ft_event *e)
{
    const uint8_t *bytes = (const uint8_t *)e + e->fact.text;
    if (e->fact.length == 12) {
        learn_port(inv, bytes, bytes + 6, e->time_ns);
        return;
    }
    if (e->fact.length != 10 && e->fact.length != 22)
        return;
    struct ft_address address = {.family = e->fact.length == 10 ? 4 : 6};
    const uint8_t *mac = bytes + e->fact.length - 6;
    memcpy(address.ip.bytes, bytes, e->fact.length - 6u);
    if (e->fact.is_management)
        learn_management(inv, &address, mac, e);
    else
        learn_stated(inv, &address, mac, e);
}

/* What a host says of another. Who names a MAC address knows it from the device; an IP address in
 * an answer may be anybody's: of those only who is there, or will be, is told of. */
static void learn_of(struct ft_inventory *inv, const struct ft_event *e)
{
    struct ft_address address = {.family = e->fact.of_family, .ip = e->fact.of};
    const char *text = (const char *)e + e->fact.text;
    if (!ft_address_is_device(&address))
        return;
    struct ft_asset *a =
        address.family == 2 ? see(inv, &address, e->time_ns) : lookup(inv, &address);
    if (a) {
        state(inv, a, e);
        return;
    }
    if (address.family == 2)
        return;
    struct ft_hearsay_fact fact = {.address = address,
                                   .time_ns = e->time_ns,
                                   .protocol = e->protocol,
                                   .fact = e->fact.fact,
                                   .length = (uint16_t)strnlen(text, e->fact.length)};
    char copy[257] = {0};
    memcpy(copy, text, fact.length < sizeof(copy) - 1 ? fact.length : sizeof(copy) - 1);
    fact.text = copy;
    ft_hearsay_add(inv->hearsay, &fact);
}

void ft_inventory_resolution(struct ft_inventory *inv, const struct ft_event *event)
{
    struct ft_address address = {.ip = event->resolution.ip, .family = event->resolution.family};
    learn_stated(inv, &address, event->resolution.mac, event);
}

bool ft_inventory_is_router(const struct ft_inventory *inv, const struct ft_address *address)
{
    const struct ft_asset *a = lookup(inv, address);
    return a && ft_asset_roles(a) >> FT_ROLE_ROUTER & 1;
}

static void learn_fact(struct ft_inventory *inv, const struct ft_event *e)
{
    if (e->fact.is_address) {
        learn_address(inv, e);
        return;
    }
    if (e->fact.of_family) {
        learn_of(inv, e);
        return;
    }
    struct ft_address address = ft_event_address(e, (enum ft_party)e->fact.party);
    struct ft_asset *a =
        nested(inv, see(inv, &address, e->time_ns), behind(e, &e->fact.sub), e->time_ns);
    if (a)
        state(inv, a, e);
}

/* ---- who serves ---- */

static void set_bit(uint64_t *words, uint16_t protocol)
{
    words[(protocol - 1u) / 64] |= 1ull << (protocol - 1u) % 64;
}

/* Was the packet for a group? */
static bool is_for_group(const struct ft_event_packet *p)
{
    return p->is_multicast || (is_direct(p) && p->dst_mac[0] & 1);
}

/*
 * Is the server known to serve? Anybody can send anybody a datagram: it shows nothing of whom it
 * was sent to, until that answers. Over TCP there is a session, and layer 2 reaches who is there.
 */
static bool is_served(const struct ft_event *e, const struct ft_asset *server, bool is_receiver)
{
    if (e->packet.proto != 17 || !is_receiver)
        return true;
    if (e->type == FT_EVENT_FLOW)
        return e->flow.packets[1] != 0;
    return server && server->as_server[(e->protocol - 1u) / 64] >> (e->protocol - 1u) % 64 & 1;
}

struct asker {
    struct ft_inventory *inv;
    struct ft_asset *server;
    uint64_t time_ns;
    uint16_t protocol;
};

static void answer(void *user, const struct ft_hearsay_fact *fact)
{
    const struct asker *a = user;
    struct behind sub = {.value = fact->sub_value,
                         .text = fact->length ? fact->text : NULL,
                         .kind = fact->sub_kind,
                         .length = (uint8_t)fact->length};
    if (fact->protocol == a->protocol)
        nested(a->inv, a->server, sub, a->time_ns);
}

/* A device was seen to serve a protocol: what was asked of it before counts now. */
static void serves(struct ft_inventory *inv, const struct ft_event *e, struct ft_asset *server)
{
    const struct ft_protocol *p = inv->registry->protocols[e->protocol - 1u];
    struct asker a = {inv, server, e->time_ns, e->protocol};
    set_bit(server->as_server, e->protocol);
    if (!(p->flags & FT_DISSECTOR_OT) || e->packet.proto != 17 || e->packet.server_side == 2)
        return;
    add_role(inv, server, &server->roles_derived, ft_role_of_server(p));
    ft_hearsay_of(inv->asked, &server->address, answer, &a);
}

/* A device was asked for another behind it, and may not even be there. */
static void ask(struct ft_inventory *inv, const struct ft_event *e, const struct ft_event_sub *sub)
{
    struct behind b = behind(e, sub);
    struct ft_hearsay_fact fact = {.address = ft_event_address(e, FT_RECEIVER),
                                   .time_ns = e->time_ns,
                                   .protocol = e->protocol,
                                   .length = b.text ? b.length : 0,
                                   .sub_kind = b.kind,
                                   .sub_value = b.value};
    char copy[256] = {0};
    memcpy(copy, b.text ? b.text : "", fact.length);
    fact.text = copy;
    if (sub->kind != FT_SUB_NONE && ft_address_is_device(&fact.address) &&
        !is_for_group(&e->packet))
        ft_hearsay_add(inv->asked, &fact);
}

static void speaks(struct ft_inventory *inv, const struct ft_event *e, struct ft_asset *sender,
                   struct ft_asset *receiver)
{
    const struct ft_protocol *p = inv->registry->protocols[e->protocol - 1u];
    uint8_t side = e->packet.server_side;
    /* Layers that only carry, and what keeps an Ethernet going, tell nothing of a device. */
    if (p->flags & FT_DISSECTOR_TRANSPORT ||
        (e->packet.family == 2 && !(p->flags & FT_DISSECTOR_OT)))
        return;
    /* Who sends cyclic data to a group serves it; who asks a group is a client. */
    if (is_for_group(&e->packet) && p->flags & FT_DISSECTOR_CYCLIC)
        side = 2;
    struct ft_asset *server = side == 1 ? receiver : sender;
    struct ft_asset *client = side == 0 ? receiver : side == 1 ? sender : NULL;
    if (server && (!(p->flags & FT_DISSECTOR_OT) || is_served(e, server, server == receiver)))
        serves(inv, e, server);
    if (client)
        set_bit(client->as_client, e->protocol);
}

static struct ft_asset *receiver_of(struct ft_inventory *inv, const struct ft_event *e,
                                    bool is_there)
{
    struct ft_address address = ft_event_address(e, FT_RECEIVER);
    if (is_for_group(&e->packet))
        return NULL;
    if (is_there)
        return see(inv, &address, e->time_ns);
    return ft_address_is_device(&address) ? lookup(inv, &address) : NULL;
}

/* The sender if it is known, and when it was heard in any case. */
static struct ft_asset *sender_of(struct ft_inventory *inv, const struct ft_event *e,
                                  bool was_heard)
{
    struct ft_address address = ft_event_address(e, FT_SENDER);
    if (was_heard)
        return see(inv, &address, e->time_ns);
    return ft_address_is_device(&address) ? lookup(inv, &address) : NULL;
}

static void learn_end(struct ft_inventory *inv, const struct ft_event *e, struct ft_asset *a,
                      const uint8_t mac[6])
{
    if (!a)
        return;
    if (e->packet.family != 2)
        bind_weak(inv, a, mac, e->time_ns);
    learn_vlan(inv, a, mac, e);
}

/* The MAC addresses and the VLAN of a frame, for the two it was between. */
static void learn_frame(struct ft_inventory *inv, const struct ft_event *e, struct ft_asset *sender,
                        struct ft_asset *receiver)
{
    if (!is_direct(&e->packet))
        return;
    learn_end(inv, e, sender, e->packet.src_mac);
    learn_end(inv, e, receiver, e->packet.dst_mac);
}

/* Two endpoints talk: the sender is there; the receiver if a TCP session speaks a protocol to it,
 * else it has yet to be heard. */
static void learn_talk(struct ft_inventory *inv, const struct ft_event *e)
{
    struct ft_asset *sender = sender_of(inv, e, true);
    struct ft_asset *receiver = receiver_of(inv, e, e->protocol && e->packet.proto == 6);
    learn_frame(inv, e, sender, receiver);
    if (e->protocol)
        speaks(inv, e, sender, receiver);
}

/* A flow ended: whoever sent a packet in it is there, and was until its last packet. */
static void learn_flow(struct ft_inventory *inv, const struct ft_event *e)
{
    struct ft_event at = *e;
    at.time_ns = e->flow.first_ns;
    struct ft_asset *sender = sender_of(inv, &at, e->flow.packets[0] != 0);
    struct ft_asset *receiver = receiver_of(inv, &at, e->flow.packets[1] != 0);
    if (sender && e->flow.packets[0])
        touch(sender, e->flow.last_ns);
    if (receiver && e->flow.packets[1])
        touch(receiver, e->flow.last_ns);
    learn_frame(inv, e, sender, receiver);
    if (e->protocol)
        speaks(inv, e, sender, receiver);
}

/* Among equals, or data for a group: a publisher, whose sub-addresses are its own. */
static void learn_published(struct ft_inventory *inv, const struct ft_event *e,
                            struct ft_asset *sender, struct ft_asset *receiver)
{
    const struct ft_event_sub *sub = e->message.sub;
    nested(inv, sender, behind(e, &sub[0]), e->time_ns);
    nested(inv, receiver ? receiver : sender, behind(e, &sub[1]), e->time_ns);
    if (sender && is_for_group(&e->packet))
        add_role(inv, sender, &sender->roles_derived,
                 ft_role_of_server(inv->registry->protocols[e->protocol - 1u]));
}

static void learn_message(struct ft_inventory *inv, const struct ft_event *e)
{
    bool is_there = e->packet.proto == 6 || e->packet.family == 2;
    struct ft_asset *sender = sender_of(inv, e, true);
    struct ft_asset *receiver = receiver_of(inv, e, is_there);
    learn_frame(inv, e, sender, receiver);
    if (!e->protocol)
        return;
    speaks(inv, e, sender, receiver);
    bool is_data = e->message.kind == FT_KIND_DATA || e->message.kind == FT_KIND_UNSOLICITED;
    if (e->packet.server_side == 2 || (is_for_group(&e->packet) && is_data)) {
        learn_published(inv, e, sender, receiver);
        return;
    }
    const struct ft_protocol *p = inv->registry->protocols[e->protocol - 1u];
    struct ft_asset *server = e->packet.server_side == 1 ? receiver : sender;
    struct ft_asset *client = e->packet.server_side == 1 ? sender : receiver;
    if (server && is_served(e, server, server == receiver)) {
        add_role(inv, server, &server->roles_derived, ft_role_of_server(p));
        nested(inv, server, behind(e, &e->message.sub[1]), e->time_ns);
    } else {
        ask(inv, e, &e->message.sub[1]);
    }
    if (client) {
        add_role(inv, client, &client->roles_derived,
                 ft_role_of_client(p, (enum ft_class)e->message.class_));
        nested(inv, client, behind(e, &e->message.sub[0]), e->time_ns);
    }
}

void ft_inventory_event(struct ft_inventory *inv, const struct ft_event *event)
{
    switch (event->type) {
    case FT_EVENT_TALK:
        learn_talk(inv, event);
        break;
    case FT_EVENT_FLOW:
        learn_flow(inv, event);
        break;
    case FT_EVENT_FACT:
        learn_fact(inv, event);
        break;
    case FT_EVENT_OPERATION:
    case FT_EVENT_ALERT:
        learn_message(inv, event);
        break;
    default:
        break;
    }
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
    return lookup(inv, address);
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

uint32_t ft_asset_roles(const struct ft_asset *asset)
{
    return asset->roles_product | asset->roles_said | asset->roles_forwards | asset->roles_derived;
}

enum ft_role ft_asset_role_of(const struct ft_asset *asset)
{
    /* What it was seen to be used for tells more than that it also asks others. */
    static const uint8_t order[] = {
        FT_ROLE_ENGINEERING, FT_ROLE_PLC,    FT_ROLE_RTU,        FT_ROLE_IED,       FT_ROLE_IO,
        FT_ROLE_SCADA,       FT_ROLE_HMI,    FT_ROLE_GATEWAY,    FT_ROLE_HISTORIAN, FT_ROLE_ROUTER,
        FT_ROLE_SWITCH,      FT_ROLE_SERVER, FT_ROLE_WORKSTATION};
    /* That a computer calls itself a server or a workstation says nothing of what it does here. */
    const uint32_t plain = 1u << FT_ROLE_SERVER | 1u << FT_ROLE_WORKSTATION;
    const uint32_t both = 1u << FT_ROLE_SWITCH | 1u << FT_ROLE_ROUTER;
    const uint32_t controllers = 1u << FT_ROLE_PLC | 1u << FT_ROLE_RTU | 1u << FT_ROLE_IED;
    bool serves = (asset->roles_said | asset->roles_derived) & controllers;
    uint32_t said = asset->roles_said & ~(serves ? 1u << FT_ROLE_SCADA : 0);
    uint32_t forwards = asset->roles_forwards;
    if ((forwards & both) == both)
        forwards &= ~(1u << FT_ROLE_ROUTER);
    const uint32_t ranks[] = {asset->roles_product,
                              asset->is_network_device ? forwards : 0,
                              said & ~plain,
                              asset->roles_derived & ~plain,
                              forwards,
                              asset->roles_said,
                              asset->roles_derived};
    for (size_t rank = 0; rank < sizeof(ranks) / sizeof(ranks[0]); rank++)
        for (size_t i = 0; i < sizeof(order); i++)
            if (ranks[rank] >> order[i] & 1)
                return (enum ft_role)order[i];
    return FT_ROLE_UNKNOWN;
}

void ft_asset_sub_text(const struct ft_asset *asset, char *text, uint32_t size)
{
    ft_sub_text(asset->sub_kind, asset->sub_value, asset->sub_text, asset->sub_length, text, size);
}
