/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where messages of a protocol can be: what may carry it, in flows of which transport, with which
 * classes. For who says that a condition can never hold; so what is not known for sure may be.
 */
#include "rules/vocabulary.h"

#define TRANSPORTS_ALL                                                                             \
    (1u << FT_TRANSPORT_L2 | 1u << FT_TRANSPORT_IP | 1u << FT_TRANSPORT_UDP |                      \
     1u << FT_TRANSPORT_TCP)

/* Flows that can be found to be of the protocol itself. */
static uint8_t own_transports(const struct ft_protocol *p)
{
    static const uint8_t of[] = {
        [FT_CARRIER_TCP] = 1u << FT_TRANSPORT_TCP,
        [FT_CARRIER_UDP] = 1u << FT_TRANSPORT_UDP,
        [FT_CARRIER_ETHERTYPE] = 1u << FT_TRANSPORT_L2,
        [FT_CARRIER_LLC] = 1u << FT_TRANSPORT_L2,
        [FT_CARRIER_SNAP] = 1u << FT_TRANSPORT_L2,
        [FT_CARRIER_IP] = 1u << FT_TRANSPORT_IP,
        [FT_CARRIER_PARENT] = 0,
    };
    uint8_t all = p->dissector->frame ? 1u << FT_TRANSPORT_TCP : 0;
    for (uint32_t i = 0; i < p->carrier_count; i++)
        all |= of[p->carriers[i].kind];
    for (uint32_t i = 0; i < p->signature_count; i++) {
        all |= p->signatures[i].flags & FT_SIGNATURE_TCP ? 1u << FT_TRANSPORT_TCP : 0;
        all |= p->signatures[i].flags & FT_SIGNATURE_UDP ? 1u << FT_TRANSPORT_UDP : 0;
    }
    return all;
}

/* Ports that the configuration binds. */
static void bound_transports(struct ft_reach *reach, const struct ft_registry *registry)
{
    for (uint32_t port = 0; port < 65536; port++) {
        if (registry->tcp_port[port])
            reach[registry->tcp_port[port] - 1].transports |= 1u << FT_TRANSPORT_TCP;
        if (registry->udp_port[port])
            reach[registry->udp_port[port] - 1].transports |= 1u << FT_TRANSPORT_UDP;
    }
}

static void add_carrier(struct ft_reach *reach, uint16_t carrier)
{
    reach->carriers[carrier / 64] |= 1ull << (carrier % 64);
}

/* A plugin may hand over to any protocol by its name. */
static void add_carriers(struct ft_reach *reach, const struct ft_registry *registry,
                         const struct ft_protocol *p)
{
    for (uint32_t i = 0; i < p->children_any_count; i++)
        add_carrier(&reach[p->children_any[i]], p->index);
    for (uint32_t i = 0; i < p->child_count; i++)
        add_carrier(&reach[p->children[i].protocol], p->index);
    for (uint32_t i = 0; p->origin && i < registry->count; i++)
        add_carrier(&reach[i], p->index);
}

/* What carries a carrier carries what it carries. */
static bool join_carriers(struct ft_reach *reach, uint32_t count)
{
    bool is_more = false;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t by = 0; by < count; by++)
            for (unsigned w = 0; w < sizeof(reach->carriers) / sizeof(reach->carriers[0]); w++) {
                uint64_t has = reach[i].carriers[w];
                if (ft_reach_has_fields(&reach[i], (uint16_t)by))
                    reach[i].carriers[w] |= reach[by].carriers[w];
                is_more |= reach[i].carriers[w] != has;
            }
    return is_more;
}

void ft_reach_make(struct ft_reach *reach, const struct ft_registry *registry)
{
    bool has_plugin = false;
    for (uint32_t i = 0; i < registry->count; i++) {
        const struct ft_protocol *p = registry->protocols[i];
        has_plugin |= p->origin != NULL;
        reach[i] = (struct ft_reach){
            .transports = own_transports(p),
            .has_own_classes = p->origin || p->flags & FT_DISSECTOR_OWN_CLASSES,
        };
    }
    bound_transports(reach, registry);
    for (uint32_t i = 0; i < registry->count; i++) {
        add_carrier(&reach[i], (uint16_t)i);
        add_carriers(reach, registry, registry->protocols[i]);
    }
    while (join_carriers(reach, registry->count)) {}
    for (uint32_t i = 0; i < registry->count; i++)
        for (uint32_t by = 0; by < registry->count; by++)
            if (ft_reach_has_fields(&reach[i], (uint16_t)by))
                reach[i].transports |= reach[by].transports;
    /* A stream of a plugin may become any protocol; and one that nothing carries is for tests. */
    for (uint32_t i = 0; i < registry->count; i++)
        if (has_plugin || !reach[i].transports)
            reach[i].transports = TRANSPORTS_ALL;
}
