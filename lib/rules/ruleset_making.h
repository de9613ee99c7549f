/* SPDX-License-Identifier: BSD-3-Clause */
/* Making a rule set: what its steps hand to each other. One thread; nothing of it is run later. */
#ifndef FT_RULESET_MAKING_H
#define FT_RULESET_MAKING_H

#include "rules/ruleset_internal.h"

#include <stdlib.h>

/* ---- lists ---- */

/** False when memory is short, as all below. */
static inline bool ft_list_append(struct ft_list *l, uint32_t value)
{
    if (!(l->count & (l->count - 1))) {
        uint32_t *grown = reallocarray(l->items, l->count ? l->count * 2 : 1, sizeof(*grown));
        if (!grown)
            return false;
        l->items = grown;
    }
    l->items[l->count++] = value;
    return true;
}

/** Once each. */
static inline bool ft_list_include(struct ft_list *l, uint32_t value)
{
    for (uint32_t i = 0; i < l->count; i++)
        if (l->items[i] == value)
            return true;
    return ft_list_append(l, value);
}

/* ---- what a rule is about (ruleset_about.c) ---- */

/** What is known of a message. */
struct ft_slot {
    const struct ft_vocabulary *vocabulary; /**< NULL where the protocol is */
    const struct ft_protocol *protocol;     /**< NULL: not known */
    uint32_t row; /**< of the command: 0 = none that the table has; FT_ROW_ANY: not known */
    int class_;   /**< -1: not known; FT_CLASS_COUNT: no command, and so no class */
};

#define FT_ROW_ANY UINT32_MAX

/** May the part under `node` hold for such a message, by what it asks of these and by its fields?
 */
bool ft_rule_may_hold(const struct ft_expression *e, uint32_t node, const struct ft_slot *at);
/** May it hold for messages of a protocol? */
bool ft_rule_is_home(const struct ft_vocabulary *v, const struct ft_expression *e,
                     uint32_t protocol);
/** The most that the part under `node` asks for: enum ft_level. */
uint8_t ft_rule_level(const struct ft_expression *e, uint32_t node);
/** Is it about all messages of its protocols, as far as their commands go? */
bool ft_rule_has_all_commands(const struct ft_ruleset *set, const struct ft_compiled *c);
/** Classes of messages that it may hold for, a bit each. */
uint32_t ft_rule_classes(const struct ft_expression *e);

/* ---- ways (ruleset_ways.c) ---- */

/** A rule may be found by so many values; one with more is tested where its protocol is. */
#define FT_WAY_KEYS_MAX 64u
#define FT_WAY_PATTERN  UINT32_MAX

/** A way to find a rule: it can hold only if one of these is there. */
struct ft_way {
    struct ft_way_key {
        uint32_t operand; /**< of the set's keyed operands, or PATTERN */
        uint32_t group;
        uint64_t value; /**< or pattern */
    } keys[FT_WAY_KEYS_MAX];
    uint32_t count; /**< 0: there is no such way */
};

/** How often each key is demanded by all rules: the rarest is the best way. */
struct ft_tally {
    struct {
        struct ft_way_key key;
        uint64_t count;
    } * slots;
    uint32_t size, used;
};

struct ft_making {
    struct ft_ruleset *set;
    struct ft_tally tally; /**< `slots` belong to who makes the set */
    uint8_t both[8192];    /**< ports, a bit each, of which either side is searched for patterns */
    bool is_counting, is_short;
};

/** The best way to find what fulfils a part of a rule; while counting, all ways are counted. */
void ft_way_of(struct ft_making *m, const struct ft_compiled *c, uint32_t node, struct ft_way *way);
/** Is a key, no pattern, the same for all that one side of a flow sends? */
bool ft_way_key_is_of_flow(const struct ft_ruleset *set, const struct ft_way_key *k);
/** Are the patterns of a group looked for in payloads of ports only? */
bool ft_ruleset_is_port_group(const struct ft_ruleset *set, uint32_t group);

/* ---- what is found there ---- */

/** A value of a keyed operand finds one more rule. */
bool ft_ruleset_add_key(struct ft_ruleset *set, uint32_t operand, uint64_t value, uint32_t rule);

/**
 * The ports or the protocol that payloads must have to be searched for a rule's patterns:
 * ft_patterns.binding.
 */
uint64_t ft_ruleset_binding(struct ft_ruleset *set, const struct ft_compiled *c);
/** Bytes that a payload has at least, or the rule does not hold: ft_patterns.least. */
uint32_t ft_ruleset_least(const struct ft_compiled *c);

bool ft_wants_init(struct ft_ruleset *set);
void ft_wants_free(struct ft_ruleset *set);
/** All fields that a rule asks for, where messages of (protocol, row) are read. */
bool ft_ruleset_want(struct ft_ruleset *set, struct ft_compiled *rule, uint32_t protocol,
                     uint32_t row);

/**
 * Put a rule where it may hold, with the best way to it; `way` is room. If there is no such place,
 * that is a sentence more in `error`.
 */
bool ft_ruleset_place(struct ft_making *m, uint32_t rule, struct ft_way *way, char *error,
                      size_t size);

/** When all are placed: what dissectors are told of it, and what most messages end at. */
void ft_ruleset_make_demand(struct ft_ruleset *set);

#endif
