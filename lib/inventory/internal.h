/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the parts of the inventory share: the table of assets (inventory.c), which addresses are one
 * device (device.c), what is stated of an asset (fact.c), what events say (learn.c).
 */
#ifndef FT_INVENTORY_INTERNAL_H
#define FT_INVENTORY_INTERNAL_H

#include "base/index.h"
#include "inventory/hearsay.h"
#include "inventory/inventory.h"

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

/** What makes an asset: its address, and what is behind it. */
struct ft_asset_key {
    struct ft_address address;
    uint8_t sub_kind;
    uint64_t sub_value;
    const char *sub_text; /* told apart by its hash in sub_value */
    uint8_t sub_length;
};

/** What is behind an address: the text lies in an event or in hearsay. */
struct ft_behind {
    uint64_t value;
    const char *text;
    uint8_t kind, length;
};

/* ---- inventory.c ---- */

uint64_t ft_inventory_hash(const struct ft_inventory *inv, const struct ft_asset_key *k);
struct ft_asset_key ft_asset_key_of(const struct ft_asset *a);

/** The asset under a key; NULL = none. */
struct ft_asset *ft_inventory_get(const struct ft_inventory *inv, const struct ft_asset_key *k);

/** Make an asset and mark it as new; NULL, and counted as refused, when there is no room. */
struct ft_asset *ft_inventory_create(struct ft_inventory *inv, const struct ft_asset_key *k,
                                     uint64_t time_ns);

/** Forget an asset; what refers to it has been taken away before. */
void ft_inventory_drop(struct ft_inventory *inv, struct ft_asset *a);

/** It is to be told for this reason. */
void ft_inventory_mark(struct ft_inventory *inv, struct ft_asset *a, enum ft_asset_change change);

/** It was there at that time. */
void ft_asset_touch(struct ft_asset *a, uint64_t time_ns);

struct ft_behind ft_behind(const struct ft_event *e, const struct ft_event_sub *sub);

/** The asset behind `a` that a sub-address names, made when it is new; `a` itself without one. */
struct ft_asset *ft_inventory_nested(struct ft_inventory *inv, struct ft_asset *a,
                                     struct ft_behind sub, uint64_t time_ns);

/** Add to one of the asset's sets of roles; to its VLANs. */
void ft_inventory_add_role(struct ft_inventory *inv, struct ft_asset *a, uint32_t *roles,
                           uint32_t more);
void ft_inventory_add_vlan(struct ft_inventory *inv, struct ft_asset *a, uint16_t id);

/** Make an array of `count` elements of it; false when memory is short, and then it stays. */
bool ft_inventory_resize(void *array, uint32_t count, size_t width);

void ft_asset_value_free(struct ft_asset_value *v);

/* ---- device.c ---- */

/** What is known of a MAC address, NULL = nothing; made when it is new, NULL without room. */
struct ft_asset_mac *ft_inventory_mac_find(const struct ft_inventory *inv, const uint8_t mac[6]);
struct ft_asset_mac *ft_inventory_mac_get(struct ft_inventory *inv, const uint8_t mac[6]);

/** The asset that an address is of, NULL = none; made when it is new, and touched. */
struct ft_asset *ft_inventory_lookup(const struct ft_inventory *inv,
                                     const struct ft_address *address);
struct ft_asset *ft_inventory_see(struct ft_inventory *inv, const struct ft_address *address,
                                  uint64_t time_ns);

/** An IP address was seen with a MAC address in a packet. */
void ft_inventory_bind_seen(struct ft_inventory *inv, struct ft_asset *a, const uint8_t mac[6],
                            uint64_t time_ns);

/** It was stated that an IP address has a MAC address. */
void ft_inventory_bind_stated(struct ft_inventory *inv, struct ft_asset *a, const uint8_t mac[6],
                              const struct ft_event *e);

/** Does that take the address away from the device that it was stated to be of? Then that one
 * leaves before. */
bool ft_inventory_is_moving(const struct ft_inventory *inv, const struct ft_asset *a,
                            const uint8_t mac[6], const struct ft_event *e);
void ft_inventory_leave(struct ft_inventory *inv, struct ft_asset *a, const uint8_t mac[6],
                        uint64_t time_ns);

/** Move all that is known of `from`, a MAC address, to `to`, its device, and forget `from`. */
void ft_inventory_merge(struct ft_inventory *inv, struct ft_asset *to, struct ft_asset *from);

/* ---- fact.c ---- */

/** Take over the fact of a FACT event. */
void ft_inventory_state(struct ft_inventory *inv, struct ft_asset *a, const struct ft_event *e);

/** Take over what was said of a new asset before it was heard. */
void ft_inventory_learn_hearsay(struct ft_inventory *inv, struct ft_asset *a, uint64_t time_ns);

#endif
