/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A rule set: all rules compiled, and found by what a packet or message has.
 *
 * Each rule is reached by one way only, the rarest that it has: by a number that it demands (an
 * address, a port, the value of a field), by a pattern that must be found, or, without any of
 * these, by the protocol and command of the message. What is found is run (program.h); so a message
 * that no rule is about costs one look-up, however many rules there are. Fields are read from
 * messages only where a rule may need them (ft_ruleset_demand()).
 *
 * A rule is tested on
 *  - each message of the protocols of which it may be true, seeing also the fields of the messages
 *    that carry it; payloads that no dissector reads are messages of the protocol "unknown". It
 *    counts once where carrier and carried both fulfil it;
 *  - each payload, if it asks for bytes or tags, and nothing of messages: each PDU, and each
 * payload of a packet;
 *  - packets that open or end connections, and the first of a flow in each direction, if it asks
 * for headers (tcp.flags), and nothing of payloads;
 *  - connections, once it is known how they came out, if it asks for that;
 *  - the first packet of a flow in each direction, if it asks only for addresses, ports and zones.
 *
 * A rule set is made by one thread and then read by all; a struct ft_matcher is one thread's.
 */
#ifndef FT_RULESET_H
#define FT_RULESET_H

#include "rules/program.h"
#include "rules/rule.h"

#include <stdio.h>

struct ft_ruleset;
struct ft_matcher;

/**
 * Compile. `files` are the set's from then on, also when it fails. Patterns that `before` (NULL:
 * none) has compiled are shared. NULL and one sentence, or several lines, when it cannot be.
 */
struct ft_ruleset *ft_ruleset_new(struct ft_rule_files *files, const struct ft_ruleset *before,
                                  char *error, size_t error_size);
void ft_ruleset_free(struct ft_ruleset *set);

uint32_t ft_ruleset_count(const struct ft_ruleset *set);
const struct ft_rule *ft_ruleset_rule(const struct ft_ruleset *set, uint32_t index);

/**
 * Fields that the rules want, by protocol: for struct ft_call. "Of flow": with those that rules
 * want which are found by addresses, ports or zones, see ft_match_use().
 */
const struct ft_demand *ft_ruleset_demand(const struct ft_ruleset *set);
/** Protocols of which the rules want any field or message, those found by flows apart: a bit of 64
 * each. */
uint64_t ft_ruleset_wanted(const struct ft_ruleset *set);

/** Is there any rule about payloads, about flows? */
bool ft_ruleset_has_payload(const struct ft_ruleset *set);
bool ft_ruleset_has_flow(const struct ft_ruleset *set);
/** About how connections came out, about single packets? */
bool ft_ruleset_has_connection(const struct ft_ruleset *set);
bool ft_ruleset_has_packet(const struct ft_ruleset *set);
/** The protocol of what no dissector reads; NULL: no rule on messages may hold for that. */
const struct ft_protocol *ft_ruleset_unknown(const struct ft_ruleset *set);
/** Is there any for ft_match_joint()? */
bool ft_ruleset_has_joint(const struct ft_ruleset *set);
/** Is one of these about flows not as it was in the rule set before? */
bool ft_ruleset_has_new_flow(const struct ft_ruleset *set);

/** The part of a rule that only the alerting core can decide; NULL: there is none. */
const struct ft_program *ft_ruleset_core_program(const struct ft_ruleset *set, uint32_t index);
const struct ft_vocabulary *ft_ruleset_vocabulary(const struct ft_ruleset *set);
const struct ft_patterns *ft_ruleset_patterns(const struct ft_ruleset *set);

/** How a rule is found and what it costs, for people: several lines. */
void ft_ruleset_explain(const struct ft_ruleset *set, uint32_t index, FILE *to);

/** What a rule costs packets that have nothing to do with it. */
enum ft_rule_cost {
    FT_RULE_COST_KEYED = 0,     /**< found by a value: nothing */
    FT_RULE_COST_COMMAND,       /**< tested on each message of its protocols and commands */
    FT_RULE_COST_CONTENT,       /**< payloads of its port or protocol are searched */
    FT_RULE_COST_EVERY_MESSAGE, /**< tested on every message or flow */
    FT_RULE_COST_EVERY_PAYLOAD, /**< every payload is searched: any to any */
};
enum ft_rule_cost ft_ruleset_cost(const struct ft_ruleset *set, uint32_t index);
const char *ft_rule_cost_name(enum ft_rule_cost cost);

/* ---- matching ---- */

/** What a worker counts of a rule. */
struct ft_rule_counts {
    uint64_t evaluations, hits;
    uint64_t cycles, timed; /**< TSC cycles of every 64th evaluation, and how many those were */
    uint64_t lost;          /**< of the hits: those that nobody could be told of */
};

/** Told of a hit; `run` has the evidence. */
typedef void ft_hit_fn(void *user, uint32_t rule, const struct ft_program_run *run);

/** One thread's; NULL when memory is short. */
struct ft_matcher *ft_matcher_new(const struct ft_ruleset *set);
void ft_matcher_free(struct ft_matcher *m);

/** Counts by index of the rule. */
const struct ft_rule_counts *ft_matcher_counts(const struct ft_matcher *m);
/** So many hits of a rule were lost on the way to the alerting core. */
void ft_matcher_lose(struct ft_matcher *m, uint32_t rule, uint64_t hits);
/** The hit that was told of last was one before already. */
void ft_matcher_take_back(struct ft_matcher *m, uint32_t rule);
/** Programs and expressions that reached their limits. */
uint64_t ft_matcher_given_up(const struct ft_matcher *m);

/** A new PDU: its messages follow, carriers before what they carry. */
void ft_match_begin(struct ft_matcher *m);
void ft_match_message(struct ft_matcher *m, const struct ft_subject *s, ft_hit_fn *hit, void *user);
void ft_match_payload(struct ft_matcher *m, const struct ft_subject *s, ft_hit_fn *hit, void *user);
/**
 * Where two payloads of a stream meet: the first `border` bytes of the subject's are the end of
 * what came before, the rest is the beginning of what follows. Only rules that look for patterns,
 * and only those that hold for both together and for neither alone. Cost: as ft_match_payload(),
 * and the same for each half if any holds. `unknown`: the message that each of the payloads is, of
 * the protocol of ft_ruleset_unknown(); NULL: none.
 */
void ft_match_joint(struct ft_matcher *m, const struct ft_subject *s,
                    const struct ft_message *unknown, uint32_t border, ft_hit_fn *hit, void *user);
void ft_match_flow(struct ft_matcher *m, const struct ft_subject *s, ft_hit_fn *hit, void *user);

/** A packet that is to be looked at by itself; `s->packet` gives its values. */
void ft_match_packet(struct ft_matcher *m, const struct ft_subject *s, ft_hit_fn *hit, void *user);

/** It is known how a connection came out: `s->connection`. */
void ft_match_connection(struct ft_matcher *m, const struct ft_subject *s, ft_hit_fn *hit,
                         void *user);

/** As ft_match_flow(), only rules that the set before had as well, or only the others. */
void ft_match_flow_part(struct ft_matcher *m, const struct ft_subject *s, bool is_new,
                        ft_hit_fn *hit, void *user);

/**
 * Which rules may hold for all that is sent in a flow in one direction: a number for
 * ft_match_use(). Only addresses, ports and the transport of `s` are looked at. Most rules are
 * ruled out here, once for a flow: the address is another, or the sender may do it. `*is_new` says
 * that all numbers given out before are void (there is room for 16,383). Cost: the rules that its
 * addresses and ports find, and those that only ask for addresses in ranges.
 */
uint16_t ft_match_judge(struct ft_matcher *m, const struct ft_subject *s, bool *is_new);

/**
 * What follows is of a flow with this profile; 0: not known, so that each call judges anew. Returns
 * what the flow's rules want: for struct ft_call, until the next call.
 */
const struct ft_flow_wants *ft_match_use(struct ft_matcher *m, uint16_t profile);

/** Where the profiles lie, each of so many bytes: for prefetching the one with a number. */
#define FT_PROFILE_SIZE 64u
const uint8_t *ft_match_profiles(const struct ft_matcher *m);

/** May any rule be about payloads of the flow? */
bool ft_match_wants_payload(const struct ft_matcher *m);

/**
 * May any rule hold for such a payload of the flow? Without it ft_match_payload() does nothing.
 * Cost: a few cycles, and a look at short payloads for the patterns that are meant for them.
 */
bool ft_match_may_hold(const struct ft_matcher *m, const uint8_t *bytes, uint32_t length);

/** May any rule be about this message? One look-up; without it ft_match_message() does nothing. */
bool ft_match_is_wanted(const struct ft_matcher *m, const struct ft_message *message);

/** The messages of a call that any rule may be about, a bit each. */
uint64_t ft_match_wanted(const struct ft_matcher *m, const struct ft_call *call);

#endif
