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

struct ft_list {
    uint32_t *items, count;
};

/** A rule as it is run. */
struct ft_compiled {
    const struct ft_rule *rule;
    struct ft_program program; /**< without code: always true */
    struct ft_program core;    /**< what only the core can decide; without code: nothing */
    struct ft_protocols homes; /**< protocols whose messages it is tested on */
    uint32_t classes;          /**< of the messages that it may hold for: a bit each, see below */
    uint64_t wanted;           /**< protocols that it wants fields of, ft_protocol_bit() */
    uint64_t wanted_outside;   /**< of them, those of other messages than its own: carriers */
    uint64_t whole;            /**< protocols of which it may hold for messages of any command */
    uint64_t commands;         /**< others that it may hold for, ft_command_bit() */
    struct ft_guard guard;     /**< what such a message has */
    uint8_t level;             /**< enum ft_level of `program` */
    bool is_anywhere;          /**< on those of any */
    bool is_broad;             /**< `whole` has so many protocols that classes tell more */
    bool is_linear;            /**< found by protocol and command only */
    bool is_pattern;           /**< found by a pattern, in an alternative at least */
    bool is_new;               /**< the rule set before had no such rule */
    bool is_joinable;          /**< may be tested where payloads meet: ft_match_joint() */
    bool is_of_flow;           /**< found once for a flow: by its addresses, ports and zones */
};

/** The bit of a message's class in ft_compiled.classes. */
#define FT_CLASS_BIT(message) (1u << ((message)->has_command ? (message)->class_ : FT_CLASS_COUNT))
#define FT_CLASSES_ALL        ((2u << FT_CLASS_COUNT) - 1)

/** Rules that can hold at one place: for (protocol, command), for payloads, for flows. */
struct ft_place_of_rules {
    uint32_t classes;      /**< of all its rules; 0: there are none */
    struct ft_list rules;  /**< tested each time */
    struct ft_list keyed;  /**< operands whose values find rules */
    struct ft_list groups; /**< pattern groups that find rules */
};

/** An operand by whose value rules are found. */
struct ft_keyed {
    struct ft_operand operand;
    uint8_t bits;        /**< at the end of addresses that do not count: by networks; of texts 1 if
                              capital letters and small ones are the same */
    uint64_t filter[64]; /**< a bit by hash of each value: most values end here */
};

struct ft_key {
    uint32_t operand;
    uint64_t value;
    struct ft_list rules; /**< empty: a free slot */
};

/* More of them are taken as any port. */
#define FT_PORT_RANGES 32u

/* What payloads must have to be searched for the patterns of a group. */
#define FT_BINDING_PORT      (1ull << 32) /* this port, of either side or of one: */
#define FT_BINDING_SRC       (1ull << 18) /* with PORT: of the sender */
#define FT_BINDING_DST       (1ull << 19) /* with PORT: of the receiver */
#define FT_BINDING_ETHERTYPE (1ull << 16) /* with PORT: this ethertype instead */
#define FT_BINDING_PORTS     (1ull << 17) /* with PORT: those of the list with this number */
#define FT_BINDING_PROTOCOL  (2ull << 32) /* messages of this protocol */
#define FT_BINDING_ANY       (3ull << 32) /* nothing */

/** Ports as ranges. */
struct ft_port_range {
    uint16_t low, high;
};

struct ft_port_list {
    struct ft_port_range ranges[FT_PORT_RANGES];
    uint32_t count;
};

/** Fields that are wanted of some messages of a protocol. */
struct ft_place_wants {
    uint64_t fields[FT_MAX_FIELDS / 64];
    uint64_t each[FT_MAX_FIELDS / 64]; /**< of them those of which each value or element counts */
    uint32_t count;
    uint32_t sharers;               /**< places that want the same, beside the first */
    struct ft_field_demand asked[]; /**< by field, so many; its `values` belong to it */
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
    struct ft_place_of_rules flow, connection, packet, payload;
    bool has_new_flow; /**< some rule about flows is new */
    bool has_payload;  /**< there are rules on payloads */
    bool has_joint;    /**< some of these look for patterns across two of them */
    bool has_unknown;  /**< some on messages may hold for what no dissector reads */
    /* Rules on messages and payloads that a flow decides first, see profile.c. */
    struct ft_list flow_operands; /**< keyed operands that find them */
    struct ft_list flow_rules;    /**< those that no value finds */
    struct ft_list flow_groups;   /**< groups of payloads that are bound to a port */
    struct ft_keyed *keyed;
    uint32_t keyed_count;
    struct ft_key *keys; /**< hash table, at most half full */
    uint32_t key_size, key_count;
    struct ft_list *pattern_rules; /**< first_pattern[group] + pattern */
    uint32_t *first_pattern, pattern_count;
    /* What is wanted of all messages, and, with what rules of flows want, of those of such flows:
     * before the command is known and by place; NULL: nothing. */
    struct ft_wants {
        struct ft_place_wants *before[FT_MAX_PROTOCOLS], **by_row;
    } wants[2];
    /* The same for dissectors; and what most messages end at. */
    struct ft_demand demand[FT_MAX_PROTOCOLS];
    struct ft_demand_row *demand_rows; /**< by place */
};

/** The rules that are found by a value, NULL = none. Cost: one bit, most often. */
const struct ft_list *ft_ruleset_keyed(const struct ft_ruleset *set, uint32_t operand,
                                       uint64_t value);

/** Are the patterns of a group meant for payloads such as the one at hand? */
bool ft_ruleset_is_bound(const struct ft_ruleset *set, uint32_t group, const struct ft_subject *s);

/* ---- matching ---- */

/** A rule that may hold in a flow, with what rules out most messages. */
struct ft_profile_rule {
    uint32_t rule, classes;
    uint64_t whole, commands; /**< of ft_compiled */
    struct ft_guard guard;
};

/**
 * What may hold for what is sent in a flow in one direction: most often nothing. Flows with the
 * same share one.
 */
struct ft_profile {
    struct ft_flow_wants wants;             /**< what finds its rules too, but for the broad ones */
    const struct ft_content_filter *filter; /**< of the first group: most have one at most */
    uint32_t classes;                       /**< of its broad rules on messages */
    uint32_t first, count;                  /**< rules on messages: first those ... */
    uint32_t payload_count;                 /**< ... then so many on payloads */
    uint32_t first_group, group_count;
    uint32_t hash;
} __attribute__((aligned(64)));

#define FT_PROFILES       16384u /**< of one matcher; then all are forgotten */
#define FT_PROFILE_RULES  (3 * 65536u)
#define FT_PROFILE_GROUPS 65536u

struct ft_profiles {
    struct ft_profile *all; /**< 0 is not used: it is of who asks without a flow */
    uint16_t *slots;        /**< by hash: index, 0 = none; twice as many */
    struct ft_profile_rule *rules;
    struct ft_profile_group {
        const struct ft_content_filter *filter; /**< of the group; NULL: none is possible */
        uint64_t group;
    } * groups;
    uint32_t count, rule_count, group_count;
};

/** Rules that hold where two payloads meet; further ones are not seen. */
struct ft_joint {
    uint32_t rules[64], count;
};

struct ft_matcher {
    const struct ft_ruleset *set;
    struct ft_program_run *run;
    struct ft_rule_counts *counts; /**< by index of the rule, as all below */
    uint64_t *seen;                /**< message that the rule was run on last, by serial */
    uint64_t *hit_pdu, *hit_bits;  /**< PDU in which it held last, or packet_of(); its messages */
    uint64_t serial, pdu;
    struct ft_profiles profiles;
    const struct ft_profile *profile; /**< of the flow at hand; NULL: not known */
    struct ft_joint *joint; /**< rules are gathered instead of told; NULL: they are told */
    bool is_part, is_new;   /**< is_part: only rules that are new, or only those that are not */
    bool tests_any_payload, searches_any_payload; /**< rules of no flow in particular */
};

bool ft_profiles_init(struct ft_matcher *m);
void ft_profiles_free(struct ft_matcher *m);

/** The profile of the subject: that of the flow, or one made for this call. */
const struct ft_profile *ft_profile_of(struct ft_matcher *m, const struct ft_subject *s);

#endif
