/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The registry: all dissectors of a sensor, checked, numbered and joined.
 *
 * Made at start-up by one thread (ft_registry_add() for each, bindings, ft_registry_finish()), then
 * read by all threads without locks. The only thing that changes later is what is switched off.
 */
#ifndef FT_REGISTRY_H
#define FT_REGISTRY_H

#include <fieldtap/dissector.h>

#include <stdatomic.h>

#define FT_MAX_PROTOCOLS   250u
#define FT_PROTOCOL_SHARDS 128u
#define FT_ALL_SHARDS      UINT32_MAX

/** One protocol: its dissector with the tables in this version's row sizes, and what follows. */
struct ft_protocol {
    const struct ft_dissector *dissector;
    const char *name;
    const char *origin; /**< file of the plugin, NULL for a built-in */
    uint16_t index;     /**< in ft_registry.protocols */
    uint16_t demand_words;
    uint32_t max_pdu;
    uint32_t flow_state_size, channel_size, flags;
    struct ft_field *fields;
    struct ft_command *commands; /**< sorted by code, then qualifier, FT_ANY_QUALIFIER last */
    struct ft_violation *violations;
    struct ft_carrier *carriers;
    struct ft_signature *signatures;
    uint32_t field_count, command_count, violation_count, carrier_count, signature_count;
    uint32_t *command_index; /**< 1 + row of `commands` by hash of (code, qualifier), 0 = none */
    uint32_t index_mask;     /**< its size - 1 */
    uint64_t *demand_all;    /**< every field */
    uint16_t *children_any;  /**< protocols that carry themselves in this one, found by probe */
    uint32_t children_any_count;
    struct ft_child_range {
        uint64_t first, last;
        uint16_t protocol;
    } * children; /**< sorted by first */
    uint32_t child_count;
    _Atomic uint64_t off[FT_PROTOCOL_SHARDS / 64]; /**< bit per shard: not called any more */
};

/** True when a fault has switched the protocol off in a shard. Any thread. */
static inline bool ft_protocol_is_off(const struct ft_protocol *p, uint8_t shard)
{
    return atomic_load_explicit(&p->off[shard / 64], memory_order_relaxed) >> (shard % 64) & 1;
}

/**
 * Switch a protocol off, in one shard or (FT_ALL_SHARDS) in all. Any thread. What happens in one
 * shard depends on its own packets only, so that files give the same result with any number of
 * workers; live, one fault is enough for all.
 */
static inline void ft_protocol_switch_off(struct ft_protocol *p, uint32_t shard)
{
    for (uint32_t word = 0; word < FT_PROTOCOL_SHARDS / 64; word++)
        if (shard == FT_ALL_SHARDS || shard / 64 == word)
            atomic_fetch_or(&p->off[word],
                            shard == FT_ALL_SHARDS ? UINT64_MAX : 1ull << (shard % 64));
}

struct ft_registry {
    struct ft_protocol *protocols[FT_MAX_PROTOCOLS];
    uint32_t count;
    /* index + 1 of the protocol bound there, 0 = none */
    uint8_t tcp_port[65536], udp_port[65536], ethertype[65536];
    uint8_t llc_sap[256], ip_protocol[256];
    struct {
        uint64_t id;
        uint8_t protocol;
    } snap[64];
    uint32_t snap_count;
    /* the same, of what nobody is bound to */
    uint8_t other_ethertype, other_llc;
};

struct ft_registry *ft_registry_new(void);
void ft_registry_free(struct ft_registry *r);

/**
 * Check and take a dissector. `origin`: the plugin's file, NULL for a built-in. False and one
 * sentence in `error` when its ABI, names, tables or limits are wrong, or its name is taken.
 */
bool ft_registry_add(struct ft_registry *r, const struct ft_dissector *d, const char *origin,
                     char *error, size_t error_size);

/** One sentence about a name that no protocol has, with the one that was probably meant. */
void ft_registry_unknown(const struct ft_registry *r, const char *name, char *error,
                         size_t error_size);

/**
 * Bind a port (transport TCP or UDP) to a protocol by name; overrides what was bound there. False
 * and one sentence in `error` when there is no such protocol, or one that has no ports.
 */
bool ft_registry_bind(struct ft_registry *r, enum ft_transport transport, uint16_t port,
                      const char *name, char *error, size_t error_size);

/** Join parents and children. To be called once after all were added. */
void ft_registry_finish(struct ft_registry *r);

/** A protocol by name, or NULL. */
struct ft_protocol *ft_registry_find(const struct ft_registry *r, const char *name);

/** The protocol bound to what carries a payload, NULL = none. */
const struct ft_protocol *ft_registry_snap(const struct ft_registry *r, uint64_t snap);

/** The child of `parent` under a selector, NULL = none. */
const struct ft_protocol *ft_registry_child(const struct ft_registry *r,
                                            const struct ft_protocol *parent, uint64_t selector);

/** The row of a command: the exact qualifier before any; NULL = not in the table. Cost: a look-up.
 */
const struct ft_command *ft_protocol_command(const struct ft_protocol *p, uint32_t code,
                                             uint32_t qualifier);

/** Can the field have this number (of an INT: its bits)? For tests: nothing checks it at run time.
 */
static inline bool ft_field_fits(const struct ft_field *f, uint64_t value)
{
    if (!f->bits || f->bits >= 64)
        return true;
    uint64_t high = value >> (f->bits - (f->type == FT_TYPE_INT));
    return !high || (f->type == FT_TYPE_INT && high == UINT64_MAX >> (f->bits - 1));
}

/** A violation by number: a row of the protocol or a common one; never NULL for a valid number. */
const struct ft_violation *ft_protocol_violation(const struct ft_protocol *p, uint32_t number);

/** Names of the enumerations as they stand in JSON. */
const char *ft_class_name(enum ft_class class_);
const char *ft_kind_name(enum ft_kind kind);
const char *ft_direction_name(enum ft_direction direction);
const char *ft_severity_name(enum ft_severity severity);
const char *ft_engine_name(enum ft_engine engine);
const char *ft_fact_name(enum ft_fact fact);
const char *ft_role_name(enum ft_role role);
const char *ft_subaddress_name(enum ft_subaddress_kind kind);

#endif
