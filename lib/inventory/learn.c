/* SPDX-License-Identifier: BSD-3-Clause */
/* What events say of assets. */
#include "inventory/internal.h"

#include <string.h>

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
        ft_inventory_add_vlan(inv, a, vlan_of(&e->packet));
}

static void tell_moved(struct ft_inventory *inv, const struct ft_event *e, const struct ft_asset *a,
                       const uint8_t mac[6])
{
    struct ft_address from = ft_address_of_mac(a->mac->mac), to = ft_address_of_mac(mac);
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
    struct ft_asset *a = ft_inventory_lookup(inv, address);
    if (a && ft_inventory_is_moving(inv, a, mac, e)) {
        /* Of the others the core knows more, and a lease is no surprise. */
        if (e->type == FT_EVENT_FACT && !e->fact.is_lease)
            tell_moved(inv, e, a, mac);
        ft_inventory_leave(inv, a, mac, e->time_ns);
    }
    a = ft_inventory_see(inv, address, e->time_ns);
    if (!a)
        return;
    ft_inventory_bind_stated(inv, a, mac, e);
    if (!memcmp(mac, e->packet.src_mac, 6))
        learn_vlan(inv, a, mac, e);
}

/* By which address a device is managed. Many come from the factory with the same, and the card for
 * management may have a MAC address of its own: whatever else was seen or said counts more, and
 * then an address that nobody was heard from is no device. */
static void learn_management(struct ft_inventory *inv, const struct ft_address *address,
                             const uint8_t mac[6], const struct ft_event *e)
{
    const struct ft_asset_mac *m = ft_inventory_mac_find(inv, mac);
    const struct ft_asset *known = ft_inventory_lookup(inv, address);
    bool is_taken =
        known && known->mac && (known->mac_is_strong || memcmp(known->mac->mac, mac, 6) != 0);
    struct ft_asset *a =
        is_taken || (m && m->strong) ? NULL : ft_inventory_see(inv, address, e->time_ns);
    if (!a)
        return;
    ft_inventory_bind_stated(inv, a, mac, e);
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
    struct ft_address address = ft_address_of_mac(device), own = ft_address_of_mac(port);
    if (!ft_address_is_device(&address) || !ft_address_is_device(&own) || !memcmp(device, port, 6))
        return;
    struct ft_asset_mac *d = ft_inventory_mac_get(inv, device),
                        *m = ft_inventory_mac_get(inv, port);
    if (!d || !m || d->device || m->has_ports || m->strong || m->device == d)
        return;
    struct ft_asset_key k = {.address = own};
    struct ft_asset *to = ft_inventory_see(inv, &address, time_ns),
                    *from = ft_inventory_get(inv, &k);
    if (!to)
        return;
    m->device = d;
    d->has_ports = true;
    if (from)
        ft_inventory_merge(inv, to, from);
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
    struct ft_asset *a = address.family == 2 ? ft_inventory_see(inv, &address, e->time_ns)
                                             : ft_inventory_lookup(inv, &address);
    if (a) {
        ft_inventory_state(inv, a, e);
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
    struct ft_asset *a = ft_inventory_nested(inv, ft_inventory_see(inv, &address, e->time_ns),
                                             ft_behind(e, &e->fact.sub), e->time_ns);
    if (a)
        ft_inventory_state(inv, a, e);
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
    struct ft_behind sub = {.value = fact->sub_value,
                            .text = fact->length ? fact->text : NULL,
                            .kind = fact->sub_kind,
                            .length = (uint8_t)fact->length};
    if (fact->protocol == a->protocol)
        ft_inventory_nested(a->inv, a->server, sub, a->time_ns);
}

/* A device was seen to serve a protocol: what was asked of it before counts now. */
static void serves(struct ft_inventory *inv, const struct ft_event *e, struct ft_asset *server)
{
    const struct ft_protocol *p = inv->registry->protocols[e->protocol - 1u];
    struct asker a = {inv, server, e->time_ns, e->protocol};
    set_bit(server->as_server, e->protocol);
    if (!(p->flags & FT_DISSECTOR_OT) || e->packet.proto != 17 || e->packet.server_side == 2)
        return;
    ft_inventory_add_role(inv, server, &server->roles_derived, ft_role_of_server(p));
    ft_hearsay_of(inv->asked, &server->address, answer, &a);
}

/* A device was asked for another behind it, and may not even be there. */
static void ask(struct ft_inventory *inv, const struct ft_event *e, const struct ft_event_sub *sub)
{
    struct ft_behind b = ft_behind(e, sub);
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
        return ft_inventory_see(inv, &address, e->time_ns);
    return ft_address_is_device(&address) ? ft_inventory_lookup(inv, &address) : NULL;
}

/* The sender if it is known, and when it was heard in any case. */
static struct ft_asset *sender_of(struct ft_inventory *inv, const struct ft_event *e,
                                  bool was_heard)
{
    struct ft_address address = ft_event_address(e, FT_SENDER);
    if (was_heard)
        return ft_inventory_see(inv, &address, e->time_ns);
    return ft_address_is_device(&address) ? ft_inventory_lookup(inv, &address) : NULL;
}

static void learn_end(struct ft_inventory *inv, const struct ft_event *e, struct ft_asset *a,
                      const uint8_t mac[6])
{
    if (!a)
        return;
    if (e->packet.family != 2)
        ft_inventory_bind_seen(inv, a, mac, e->time_ns);
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
        ft_asset_touch(sender, e->flow.last_ns);
    if (receiver && e->flow.packets[1])
        ft_asset_touch(receiver, e->flow.last_ns);
    learn_frame(inv, e, sender, receiver);
    if (e->protocol)
        speaks(inv, e, sender, receiver);
}

/* Among equals, or data for a group: a publisher, whose sub-addresses are its own. */
static void learn_published(struct ft_inventory *inv, const struct ft_event *e,
                            struct ft_asset *sender, struct ft_asset *receiver)
{
    const struct ft_event_sub *sub = e->message.sub;
    ft_inventory_nested(inv, sender, ft_behind(e, &sub[0]), e->time_ns);
    ft_inventory_nested(inv, receiver ? receiver : sender, ft_behind(e, &sub[1]), e->time_ns);
    if (sender && is_for_group(&e->packet))
        ft_inventory_add_role(inv, sender, &sender->roles_derived,
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
        ft_inventory_add_role(inv, server, &server->roles_derived, ft_role_of_server(p));
        ft_inventory_nested(inv, server, ft_behind(e, &e->message.sub[1]), e->time_ns);
    } else {
        ask(inv, e, &e->message.sub[1]);
    }
    if (client) {
        ft_inventory_add_role(inv, client, &client->roles_derived,
                              ft_role_of_client(p, (enum ft_class)e->message.class_));
        ft_inventory_nested(inv, client, ft_behind(e, &e->message.sub[0]), e->time_ns);
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
