/* SPDX-License-Identifier: BSD-3-Clause */
/* Rule sets: what a rule is about, by its text: protocols, commands, classes, levels. */
#include "rules/ruleset_making.h"

static bool may_number(const struct ft_test *t, uint64_t number)
{
    return (ft_test_has_number(t, t->has_mask && t->kind != FT_TEST_MASK ? number & t->mask
                                                                         : number) != t->is_none) !=
           t->is_negated;
}

/* ---- what a rule names ---- */

/* Does a test ask for a protocol, or for a command of it? */
static bool asks_for(const struct ft_test *t, uint32_t protocol)
{
    uint64_t first = (uint64_t)protocol << 32, low, high;
    if (t->left.keyword == FT_KEYWORD_PROTOCOL)
        return may_number(t, protocol);
    for (uint32_t i = 0; ft_test_numbers_at(t, i, &low, &high); i++)
        if (low <= (first | UINT32_MAX) && high >= first)
            return true;
    return false;
}

void ft_rule_homes(const struct ft_vocabulary *v, const struct ft_expression *e, uint32_t node,
                   struct ft_protocols *homes)
{
    const struct ft_expression_node *n = &e->nodes[node];
    const struct ft_test *t = &n->test;
    for (uint32_t child = n->child; child; child = e->nodes[child].next)
        ft_rule_homes(v, e, child, homes);
    if (n->kind == FT_EXPRESSION_AND || n->kind == FT_EXPRESSION_OR)
        return;
    if (!t->left.keyword && !t->left.is_tag)
        ft_protocols_add(homes, t->left.protocol);
    if (n->kind == FT_EXPRESSION_TEST && t->kind == FT_TEST_SAME && !t->right.keyword &&
        !t->right.is_tag)
        ft_protocols_add(homes, t->right.protocol);
    if (n->kind != FT_EXPRESSION_TEST || t->is_none || t->is_negated)
        return;
    bool names = t->left.keyword == FT_KEYWORD_PROTOCOL || t->left.keyword == FT_KEYWORD_COMMAND;
    for (uint32_t p = 0; names && p < v->registry->count; p++)
        if (asks_for(t, p))
            ft_protocols_add(homes, (uint16_t)p);
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
