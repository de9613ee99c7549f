/* SPDX-License-Identifier: BSD-3-Clause */
/* Rule sets: where a rule may hold, and how it is found there. */
#include "rules/ruleset_making.h"

#include <stdio.h>
#include <string.h>

/* Rules about all messages of more protocols are passed over by their classes. */
#define BROAD 4u

/* Put a rule where messages of (protocol, row) find it. */
static bool place_message_rule(struct ft_ruleset *set, uint32_t rule, const struct ft_way *way,
                               uint32_t protocol, uint32_t row)
{
    struct ft_place_of_rules *at = &set->places[set->first_place[protocol] + row];
    struct ft_compiled *c = &set->compiled[rule];
    bool ok = ft_ruleset_want(set, c, protocol, row);
    if (c->is_of_flow)
        return ok;
    at->classes |= c->classes;
    if (!way->count)
        return ok && ft_list_append(&at->rules, rule);
    for (uint32_t i = 0; ok && i < way->count; i++)
        ok = way->keys[i].operand == FT_WAY_PATTERN
                 ? ft_list_include(&at->groups, way->keys[i].group)
                 : ft_list_include(&at->keyed, way->keys[i].operand);
    return ok;
}

static bool place_other_rule(struct ft_ruleset *set, struct ft_place_of_rules *at, uint32_t rule,
                             const struct ft_way *way)
{
    bool ok = true;
    at->classes = FT_CLASSES_ALL;
    if (!way->count)
        return ft_list_append(&at->rules, rule);
    for (uint32_t i = 0; ok && i < way->count; i++) {
        const struct ft_way_key *k = &way->keys[i];
        bool is_port = k->operand == FT_WAY_PATTERN && at == &set->payload &&
                       ft_ruleset_is_port_group(set, k->group);
        ok = is_port                        ? ft_list_include(&set->flow_groups, k->group)
             : k->operand == FT_WAY_PATTERN ? ft_list_include(&at->groups, k->group)
                                            : ft_list_include(&at->keyed, k->operand);
    }
    return ok;
}

static bool has_test_of_flow(const struct ft_program *p)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (p->code[i].kind == FT_INSTRUCTION_TEST && ft_test_is_of_flow(p->code[i].test))
            return true;
    return false;
}

/*
 * Rules that are found by addresses or ports are found once for a flow. So are those that nothing
 * finds, if they ask for addresses at all, and would be tested on each message of a protocol.
 */
static bool is_of_flow(const struct ft_ruleset *set, const struct ft_compiled *c,
                       const struct ft_way *way)
{
    if (c->level < FT_LEVEL_PAYLOAD)
        return false;
    for (uint32_t i = 0; i < way->count; i++)
        if (way->keys[i].operand == FT_WAY_PATTERN || !ft_way_key_is_of_flow(set, &way->keys[i]))
            return false;
    return way->count || (has_test_of_flow(&c->program) &&
                          (c->level == FT_LEVEL_PAYLOAD || ft_rule_has_all_commands(set, c)));
}

static bool place_flow_rule(struct ft_ruleset *set, uint32_t rule, const struct ft_way *way)
{
    bool ok = way->count || ft_list_append(&set->flow_rules, rule);
    for (uint32_t i = 0; ok && i < way->count; i++)
        ok = ft_list_include(&set->flow_operands, way->keys[i].operand);
    return ok;
}

static bool add_way(struct ft_ruleset *set, uint32_t rule, const struct ft_way *way)
{
    bool ok = true;
    for (uint32_t i = 0; ok && i < way->count; i++) {
        const struct ft_way_key *k = &way->keys[i];
        if (k->operand == FT_WAY_PATTERN)
            ok = ft_list_append(&set->pattern_rules[set->first_pattern[k->group] + k->value], rule);
        else
            ok = ft_ruleset_add_key(set, k->operand, k->value, rule);
    }
    return ok;
}

/* It may hold for payloads that nobody reads, as those that ask for nothing of messages. */
static void place_unknown(struct ft_ruleset *set, struct ft_compiled *c)
{
    set->has_unknown = true;
    c->is_joinable = ft_program_is_joinable(&c->program);
    set->has_joint |= c->is_joinable;
}

bool ft_ruleset_place(struct ft_making *m, uint32_t rule, struct ft_way *way, char *error,
                      size_t size)
{
    struct ft_ruleset *set = m->set;
    struct ft_compiled *c = &set->compiled[rule];
    const struct ft_registry *registry = set->files->vocabulary.registry;
    const struct ft_expression *e = c->rule->expression;
    bool ok = true, is_placed = false;
    uint32_t whole = 0;
    way->count = 0;
    if (e->worker)
        ft_way_of(m, c, e->worker, way);
    c->is_linear = !way->count;
    for (uint32_t i = 0; i < way->count; i++)
        c->is_pattern |= way->keys[i].operand == FT_WAY_PATTERN;
    c->is_of_flow = is_of_flow(set, c, way);
    c->classes = c->level == FT_LEVEL_MESSAGE ? ft_rule_classes(e) : FT_CLASSES_ALL;
    c->guard = e->worker ? ft_guard_of(e, e->worker) : (struct ft_guard){.protocol = UINT16_MAX};
    if (!add_way(set, rule, way) || (c->is_of_flow && !place_flow_rule(set, rule, way)))
        return false;
    if (c->level == FT_LEVEL_FLOW)
        return place_other_rule(set, &set->flow, rule, way);
    if (c->level == FT_LEVEL_CONNECTION)
        return place_other_rule(set, &set->connection, rule, way);
    if (c->level == FT_LEVEL_PACKET)
        return place_other_rule(set, &set->packet, rule, way);
    if (c->level == FT_LEVEL_PAYLOAD) {
        set->has_payload = true;
        c->is_joinable = ft_program_is_joinable(&c->program);
        set->has_joint |= c->is_joinable;
        return c->is_of_flow || place_other_rule(set, &set->payload, rule, way);
    }
    const struct ft_protocol *unknown = set->files->vocabulary.unknown;
    for (uint32_t p = 0; ok && p < registry->count; p++) {
        if (!ft_protocols_has(&c->homes, (uint16_t)p))
            continue;
        struct ft_slot at = {&set->files->vocabulary, registry->protocols[p], 0, -1};
        uint64_t commands = 0;
        uint32_t count = 0;
        for (; ok && at.row <= at.protocol->command_count; at.row++)
            if (ft_rule_may_hold(e, e->worker, &at)) {
                if (at.protocol == unknown)
                    place_unknown(set, c);
                count++;
                commands |= ft_command_bit((uint16_t)p, at.row);
                ok = place_message_rule(set, rule, way, p, at.row);
            }
        is_placed |= count > 0;
        if (count > at.protocol->command_count) {
            c->whole |= ft_protocol_bit((uint16_t)p);
            whole++;
        } else {
            c->commands |= commands;
        }
    }
    c->is_broad = whole > BROAD;
    if (ok && !is_placed) {
        size_t used = strlen(error);
        snprintf(error + used, size - used,
                 "%s%s:%u:%u: rule %u can never hold: no message has such a protocol and command",
                 used ? "\n" : "", c->rule->file, c->rule->when_place.line,
                 c->rule->when_place.column, c->rule->id);
    }
    return ok;
}
