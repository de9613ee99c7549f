/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inventory: which devices there are, learned from events only.
 *
 * An asset is an IP address, or a MAC address where no IP address is known to belong to it. Devices
 * behind an address (a Modbus unit, a slot, a DNP3 link address) are nested assets. A device is
 * there when it was heard, or when a TCP session or a layer 2 command speaks to it: a scan of empty
 * addresses makes no assets.
 *
 * MAC and IP address are joined by a statement (ARP: strong), or by traffic (weak): a MAC address
 * that sends for many IP addresses is a router's and is told to be no one else's. What is known is
 * known of the device: when its address is stated to be another's, it stays under its MAC address.
 *
 * One thread: that of the alerting core. Everything depends on the order of events only, never on
 * hashes. Memory is bounded by max_assets (about 700 bytes each with their facts).
 */
#ifndef FT_INVENTORY_H
#define FT_INVENTORY_H

#include "base/json.h"
#include "dissect/registry.h"
#include "event/event.h"
#include "inventory/oui.h"

#include <stdio.h>

#define FT_ASSET_CHILDREN_MAX 1024u /**< nested assets of one address; more are refused */
#define FT_ASSET_VALUES_MAX   64u   /**< facts of one asset; more are refused */
#define FT_ASSET_VLANS_MAX    8u    /**< VLANs of one asset: the first ones it was seen in */
#define FT_PROTOCOL_WORDS     ((FT_MAX_PROTOCOLS + 63) / 64)

/** An address of an asset: family 4, 6, or 2 (MAC address in the first six bytes). */
struct ft_address {
    union ft_ip ip;
    uint8_t family;
};

/** One fact as one protocol stated it last. */
struct ft_asset_value {
    struct ft_asset_value *next; /**< in the order of first statement */
    uint16_t protocol;           /**< index + 1 */
    uint16_t length;
    uint8_t fact; /**< enum ft_fact */
    bool is_of_service;
    uint32_t changes;
    uint64_t since_ns;
    char *text;
};

/** Why an asset is told. */
enum ft_asset_change {
    FT_ASSET_NEW = 1,
    FT_ASSET_FACT = 2,
    FT_ASSET_ROLE = 4,
    FT_ASSET_MAC = 8,
    FT_ASSET_MERGED = 16, /**< it is no more: it was found to be the asset `into` */
    FT_ASSET_MOVED = 32,  /**< the address is another device's: the former one is `former` */
    FT_ASSET_VLAN = 64,
};

struct ft_asset_mac; /* private */

/** In place of an enum ft_fact where a change is told: the MAC address of an IP address. */
#define FT_INVENTORY_MAC 0

struct ft_asset {
    struct ft_address address;
    struct ft_asset *parent;             /**< nested: the device it is behind */
    struct ft_asset *children, *sibling; /**< last found first */
    uint32_t child_count;
    uint8_t sub_kind; /**< enum ft_subaddress_kind; NONE: not nested */
    uint8_t sub_length;
    uint64_t sub_value;
    char *sub_text; /**< kinds that are text, NULL else */

    struct ft_asset_mac *mac; /**< binding, NULL = none; see ft_asset_mac_address() */
    struct ft_asset *mac_next, *mac_previous;
    bool mac_is_strong;
    bool mac_is_management; /**< strong, but only said with the address for management */
    uint64_t mac_network;   /**< strong: in which network it was stated last */

    struct ft_asset_value *values;
    uint32_t value_count;
    uint32_t roles_product;  /**< bit per enum ft_role: its maker's, by order number or name */
    uint32_t roles_said;     /**< stated by a protocol */
    uint32_t roles_forwards; /**< switch, router: it says with LLDP that it forwards for others */
    uint32_t roles_derived;  /**< concluded from what it does */
    bool is_network_device;  /**< a text about it says so: "switch", "router" */
    uint64_t as_client[FT_PROTOCOL_WORDS], as_server[FT_PROTOCOL_WORDS]; /**< by index */
    uint16_t vlans[FT_ASSET_VLANS_MAX]; /**< ids in whose frames its MAC address was, ascending */
    uint8_t vlan_count;
    uint64_t first_ns, last_ns;

    uint32_t number;         /**< place in the inventory's table, from 1 */
    uint8_t changes;         /**< enum ft_asset_change, not yet told */
    uint8_t changed_facts_n; /**< of changed_facts, since it was told last */
    uint8_t changed_facts[8];
    struct ft_address into;   /**< MERGED: of the asset it is one with */
    struct ft_address former; /**< MOVED: of the asset that had this address */
    struct ft_address left;   /**< which it had until left_ns; family 0 = none */
    uint64_t left_ns;
    struct ft_asset *next_changed;
};

/** A fact got another value than the same protocol stated before. */
typedef void ft_asset_changed_fn(void *user, const struct ft_event *event,
                                 const struct ft_asset *asset, enum ft_fact fact,
                                 const char *before, const char *after);

struct ft_inventory_config {
    uint32_t max_assets; /**< 0 = 100,000 */
    uint64_t key[2];     /**< of the hash tables: fixed offline, random live */
    const char *oui;     /**< directory of the IEEE registries, NULL = FT_OUI_DIRECTORY */
    ft_asset_changed_fn *changed;
    void *user;
};

struct ft_inventory;

struct ft_inventory *ft_inventory_new(const struct ft_inventory_config *config,
                                      const struct ft_registry *registry);
void ft_inventory_free(struct ft_inventory *inv);

/** Learn from an event of any type. */
void ft_inventory_event(struct ft_inventory *inv, const struct ft_event *event);

/** Learn from a RESOLUTION event that its sender has the address it names. `changed` is not called:
 * the core knows more of that. */
void ft_inventory_resolution(struct ft_inventory *inv, const struct ft_event *event);

/** May the asset of this address be a router? By what it does, or what a protocol says. */
bool ft_inventory_is_router(const struct ft_inventory *inv, const struct ft_address *address);

/**
 * Take the next asset that is new or changed, oldest change first; *changes says why. NULL when all
 * were taken. The core asks after the last event of a packet, so that what one packet says is told
 * once. An asset that was told and is found to be another's is taken as a copy with its old
 * address, changed by MERGED alone; it is valid until the next call, and only to be told.
 */
struct ft_asset *ft_inventory_take_changed(struct ft_inventory *inv, uint8_t *changes);

/** Assets with an address of their own, and all with the nested ones; those refused for want of
 * room. */
uint32_t ft_inventory_count(const struct ft_inventory *inv);
uint32_t ft_inventory_count_all(const struct ft_inventory *inv);
uint64_t ft_inventory_refused(const struct ft_inventory *inv);

/** Places of the inventory's table, and the asset at one of them, from 1: in order of discovery,
 * nested ones between the others. NULL: one was here that is no more. */
uint32_t ft_inventory_places(const struct ft_inventory *inv);
const struct ft_asset *ft_inventory_at(const struct ft_inventory *inv, uint32_t number);

/**
 * All assets with an address of their own, sorted by address: IPv4, IPv6, MAC. A new array of
 * ft_inventory_count() pointers that the caller frees; NULL when there are none or no memory.
 */
struct ft_asset **ft_inventory_sorted(const struct ft_inventory *inv);

/** The children of an asset, sorted by kind, value and text; as above. */
struct ft_asset **ft_asset_children_sorted(const struct ft_asset *asset);

/** The registry it was made with. */
const struct ft_registry *ft_inventory_registry(const struct ft_inventory *inv);

/** The asset of an address, NULL = none. */
const struct ft_asset *ft_inventory_find(const struct ft_inventory *inv,
                                         const struct ft_address *address);

/** The MAC address to show, NULL = none: its own, bound, or seen with it and nobody else. */
const uint8_t *ft_asset_mac_address(const struct ft_asset *asset);

/** Value of a fact: as the protocol that was first to state it says now, of those that tell of the
 * device; without such a one, of those that tell of a service. NULL = not known. */
const char *ft_asset_fact(const struct ft_asset *asset, enum ft_fact fact);

/** Vendor by fact, else by MAC address; NULL = not known. */
const char *ft_asset_vendor(const struct ft_inventory *inv, const struct ft_asset *asset);

/** All roles (bits) that it has, whoever says so. */
uint32_t ft_asset_roles(const struct ft_asset *asset);

/**
 * The role to show first, of all it has. What its maker sells it as counts most, then what
 * protocols say, then what it does. Two exceptions:
 *
 * - With LLDP everything says to be a switch that has two ports: controllers, drives, panels. That
 *   counts only where it was not seen to do anything else, or where a text about it says that it is
 *   made for the network; a managed switch may be spoken to like a controller.
 *   What forwards in both ways, as a switch and as a router, is a switch.
 * - Who asks with Modbus or DNP3 is called a SCADA; one that serves too is a controller.
 */
enum ft_role ft_asset_role_of(const struct ft_asset *asset);

struct ft_address ft_address_of_mac(const uint8_t mac[6]);

/** "192.0.2.1", "2001:db8::1", "00:11:22:33:44:55". */
void ft_address_text(const struct ft_address *address, char text[64]);

/** Numeric order of addresses: IPv4, IPv6, MAC. */
int ft_address_compare(const struct ft_address *a, const struct ft_address *b);

/** A number for the network that an event is of: its interface, VLAN tags and tunnel; never 0. */
uint64_t ft_event_network(const uint64_t key[2], const struct ft_event *event);

/** The sender (FT_SENDER) or receiver of an event. */
struct ft_address ft_event_address(const struct ft_event *event, enum ft_party party);

/** May the address be one device's? Not groups, broadcast, loopback, 0.0.0.0 and the like. */
bool ft_address_is_device(const struct ft_address *address);

/** Is the address one of the Internet: not private, shared, link-local or a MAC address? */
bool ft_address_is_external(const struct ft_address *address);

/** "unit 3" of a nested asset, empty else. */
void ft_asset_sub_text(const struct ft_asset *asset, char *text, uint32_t size);

/**
 * Write the members of an asset's JSON object, which is open. With `is_complete` also every fact
 * with its source and all nested assets: the form of assets.json.
 */
void ft_asset_json(const struct ft_inventory *inv, const struct ft_asset *asset, bool is_complete,
                   struct ft_json *j);

/**
 * Write all assets as a JSON array, sorted by address, to `path`, by way of a temporary file and
 * rename(2): readers see the old file or the whole new one. False and one sentence on failure.
 */
bool ft_inventory_write(const struct ft_inventory *inv, const char *path, char *error,
                        size_t error_size);

/* ---- worth.c ---- */

/** Does what a text says of vendor, model, serial number, operating system or description consist
 * of nothing but addresses and words that hold a place ("ready", "To be filled by O.E.M.")? */
bool ft_fact_says_nothing(enum ft_fact fact, const char *text, uint16_t length);

/** Does a protocol tell of a service, or of what others call the device, rather than of it? */
bool ft_fact_is_of_service(const char *protocol);

/* ---- role.c ---- */

/** Roles (bits) that using a protocol shows: as the server, and as a client. 0 = none. */
uint32_t ft_role_of_server(const struct ft_protocol *protocol);
uint32_t ft_role_of_client(const struct ft_protocol *protocol, enum ft_class class_);

/** The role (bit) of what has this model or description, by order numbers and names of products
 * that are one thing only. 0 = not known. */
uint32_t ft_role_of_product(const char *text);

/** Does a text about a device name one that is made for the network, or who makes nothing else? */
bool ft_role_is_network(const char *text);

#endif
