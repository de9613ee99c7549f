/* SPDX-License-Identifier: BSD-3-Clause */
/* Rule sets: what a rule is about, by its text: protocols, commands, classes, levels. */
#include "rules/ruleset_making.h"

static bool may_number(const struct ft_test *t, uint64_t number)
{
    return (ft_test_has_number(t, t->has_mask && t->kind != FT_TEST_MASK ? number & t->mask
                                                                         : number) != t->is_none) !=
           t->is_negated;
}

/* ---- whose messages it may hold for ---- */

static bool may_command(const struct ft_test *t, uint32_t protocol)
{
    uint64_t first = (uint64_t)protocol << 32, low, high;
    if (t->is_none || t->is_negated)
        return true;
    for (uint32_t i = 0; ft_test_numbers_at(t, i, &low, &high); i++)
        if (low <= (first | UINT32_MAX) && high >= first)
            return true;
    return false;
}

/* Is there such a field, of the message itself or of what carries it? */
static bool may_have(const struct ft_vocabulary *v, const struct ft_operand *o, uint32_t protocol)
{
    return o->keyword || o->is_tag || ft_reach_has_fields(&v->reach[protocol], o->protocol);
}

static bool may_be_of(const struct ft_vocabulary *v, const struct ft_expression_node *n,
                      uint32_t protocol)
{
    const struct ft_test *t = &n->test;
    if (n->kind == FT_EXPRESSION_ANY)
        return n->is_negated || may_have(v, &t->left, protocol);
    bool is_number = t->kind == FT_TEST_RANGE || t->kind == FT_TEST_NUMBERS;
    if (is_number && t->left.keyword == FT_KEYWORD_PROTOCOL)
        return may_number(t, protocol);
    if (is_number && t->left.keyword == FT_KEYWORD_COMMAND)
        return may_command(t, protocol);
    return t->is_negated || (may_have(v, &t->left, protocol) &&
                             (t->kind != FT_TEST_SAME || may_have(v, &t->right, protocol)));
}

bool ft_rule_is_home(const struct ft_vocabulary *v, const struct ft_expression *e, uint32_t node,
                     uint32_t protocol)
{
    const struct ft_expression_node *n = &e->nodes[node];
    if (n->kind == FT_EXPRESSION_TEST || n->kind == FT_EXPRESSION_ANY)
        return may_be_of(v, n, protocol);
    bool is_and = n->kind == FT_EXPRESSION_AND;
    for (uint32_t child = n->child; child; child = e->nodes[child].next)
        if (ft_rule_is_home(v, e, child, protocol) != is_and)
            return !is_and;
    return is_and;
}

uint8_t ft_rule_level(const struct ft_expression *e, uint32_t node)
{
    const struct ft_expression_node *n = &e->nodes[node];
    uint8_t most = FT_LEVEL_FLOW;
    for (uint32_t child = n->child; child; child = e->nodes[child].next) {
        uint8_t one = ft_rule_level(e, child);
        most = one > most ? one : most;
    }
    if (n->kind == FT_EXPRESSION_ANY)
        return FT_LEVEL_MESSAGE;
    if (n->kind == FT_EXPRESSION_TEST) {
        most = n->test.left.level;
        if (n->test.kind == FT_TEST_SAME && n->test.right.level > most)
            most = n->test.right.level;
    }
    return most;
}

/* ---- may it hold for a message of a protocol and command? ---- */

static bool may_test(const struct ft_test *t, const struct ft_slot *at)
{
    if (t->kind != FT_TEST_RANGE && t->kind != FT_TEST_NUMBERS && t->kind != FT_TEST_MASK)
        return true;
    if (t->left.keyword == FT_KEYWORD_CLASS && at->class_ >= 0)
        return at->class_ == FT_CLASS_COUNT ? t->is_negated : may_number(t, (uint64_t)at->class_);
    if (!at->protocol)
        return true;
    switch (t->left.keyword) {
    case FT_KEYWORD_PROTOCOL:
        return may_number(t, at->protocol->index);
    case FT_KEYWORD_COMMAND:
        /* Without a row there may be no command at all. */
        return may_number(t, (uint64_t)at->protocol->index << 32 | at->row) ||
               (!at->row && t->is_negated);
    case FT_KEYWORD_COMMAND_CODE:
        return !at->row || may_number(t, at->protocol->commands[at->row - 1].code);
    default:
        return true;
    }
}

bool ft_rule_may_hold(const struct ft_expression *e, uint32_t node, const struct ft_slot *at)
{
    const struct ft_expression_node *n = &e->nodes[node];
    if (n->kind == FT_EXPRESSION_TEST)
        return may_test(&n->test, at);
    if (n->kind == FT_EXPRESSION_ANY)
        return true;
    bool is_and = n->kind == FT_EXPRESSION_AND;
    for (uint32_t child = n->child; child; child = e->nodes[child].next)
        if (ft_rule_may_hold(e, child, at) != is_and)
            return !is_and;
    return is_and;
}

bool ft_rule_has_all_commands(const struct ft_ruleset *set, const struct ft_compiled *c)
{
    const struct ft_registry *registry = set->files->vocabulary.registry;
    const struct ft_expression *e = c->rule->expression;
    for (uint32_t p = 0; p < registry->count; p++) {
        struct ft_slot at = {.protocol = registry->protocols[p], .class_ = -1};
        if (!ft_protocols_has(&c->homes, (uint16_t)p))
            continue;
        for (; at.row <= at.protocol->command_count; at.row++)
            if (!ft_rule_may_hold(e, e->worker, &at))
                return false;
    }
    return true;
}

uint32_t ft_rule_classes(const struct ft_expression *e)
{
    uint32_t classes = 0;
    for (int class_ = 0; class_ <= FT_CLASS_COUNT; class_++) {
        const struct ft_slot at = {.class_ = class_};
        classes |= (uint32_t)(!e->worker || ft_rule_may_hold(e, e->worker, &at)) << class_;
    }
    return classes;
}
