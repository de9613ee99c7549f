/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside of a rule set: shared by who makes it, who matches, and who explains. */
#ifndef FT_RULESET_INTERNAL_H
#define FT_RULESET_INTERNAL_H

#include "rules/ruleset.h"

/** A set of protocols, by index. */
struct ft_protocols {
    uint64_t bits[(FT_MAX_PROTOCOLS + 63) / 64];
};

static inline void ft_protocols_add(struct ft_protocols *p, uint16_t protocol)
{
    p->bits[protocol / 64] |= 1ull << (protocol % 64);
}

static inline bool ft_protocols_has(const struct ft_protocols *p, uint16_t protocol)
{
    return p->bits[protocol / 64] >> (protocol % 64) & 1;
}

static inline bool ft_protocols_is_empty(const struct ft_protocols *p)
{
    return !(p->bits[0] | p->bits[1] | p->bits[2] | p->bits[3]);
}

struct ft_list {
    uint32_t *items, count;
};

/** A rule as it is run. */
struct ft_compiled {
    const struct ft_rule *rule;
    struct ft_program program; /**< without code: always true */
    struct ft_program core;    /**< what only the core can decide; without code: nothing */
    struct ft_protocols homes; /**< protocols whose messages it is tested on */
    uint8_t level;             /**< enum ft_level of `program` */
    bool is_anywhere;          /**< names no protocol */
    bool is_linear;            /**< found by protocol and command only */
    bool is_pattern;           /**< found by a pattern */
};

/** Rules that can hold at one place: for (protocol, command), for payloads, for flows. */
struct ft_place_of_rules {
    bool is_wanted;
    struct ft_list rules;  /**< tested each time */
    struct ft_list keyed;  /**< operands whose values find rules */
    struct ft_list groups; /**< pattern groups that find rules */
};

/** An operand by whose value rules are found. */
struct ft_keyed {
    struct ft_operand operand;
    uint64_t filter[64]; /**< a bit by hash of each value: most values end here */
};

struct ft_key {
    uint32_t operand;
    uint64_t value;
    struct ft_list rules; /**< empty: a free slot */
};

/* More of them are taken as any port. */
#define FT_PORT_RANGES 8u

/* What payloads must have to be searched for the patterns of a group. */
#define FT_BINDING_PORT      (1ull << 32) /* this port, of either side */
#define FT_BINDING_ETHERTYPE (1ull << 16) /* with PORT: this ethertype instead */
#define FT_BINDING_PORTS     (1ull << 17) /* with PORT: those of the list with this number */
#define FT_BINDING_PROTOCOL  (2ull << 32) /* messages of this protocol */
#define FT_BINDING_ANY       (3ull << 32) /* nothing */

/** Ports of either side, as ranges. */
struct ft_port_list {
    struct {
        uint16_t low, high;
    } ranges[FT_PORT_RANGES];
    uint32_t count;
};

struct ft_ruleset {
    struct ft_rule_files *files;
    struct ft_compiled *compiled; /**< by index of the rule */
    struct ft_patterns patterns;
    struct ft_port_list *port_lists; /**< that groups of patterns are bound to */
    uint32_t port_list_count;
    /* By protocol and command: first_place[protocol] + row + 1, row 0 = not in the table. */
    uint32_t first_place[FT_MAX_PROTOCOLS];
    struct ft_place_of_rules *places;
    uint32_t place_count;
    struct ft_place_of_rules flow, payload;
    struct ft_keyed *keyed;
    uint32_t keyed_count;
    struct ft_key *keys; /**< hash table, at most half full */
    uint32_t key_size, key_count;
    struct ft_list *pattern_rules; /**< first_pattern[group] + pattern */
    uint32_t *first_pattern, pattern_count;
    struct ft_demand demand[FT_MAX_PROTOCOLS];
    uint64_t *before[FT_MAX_PROTOCOLS]; /**< own bits; NULL: nothing is wanted */
    uint64_t **by_row;
    const uint64_t **demand_rows;
};

/** The rules that are found by a value, NULL = none. Cost: one bit, most often. */
const struct ft_list *ft_ruleset_keyed(const struct ft_ruleset *set, uint32_t operand,
                                       uint64_t value);

#endif
