/* SPDX-License-Identifier: BSD-3-Clause */
/* Rule sets: what a rule is about, by its text: protocols, commands, classes, levels. */
#include "rules/ruleset_making.h"

static bool may_number(const struct ft_test *t, uint64_t number)
{
    return (ft_test_has_number(t, t->has_mask && t->kind != FT_TEST_MASK ? number & t->mask
                                                                         : number) != t->is_none) !=
           t->is_negated;
}

/* ---- for which messages it may hold ---- */

/* A command of the protocol, none is known which. */
static bool may_be_command_of(const struct ft_test *t, const struct ft_protocol *p)
{
    uint64_t first = (uint64_t)p->index << 32, low, high;
    if (t->is_none || t->is_negated)
        return true;
    for (uint32_t i = 0; ft_test_numbers_at(t, i, &low, &high); i++)
        if (low <= (first | UINT32_MAX) && high >= first)
            return true;
    return false;
}

static bool may_command(const struct ft_test *t, const struct ft_slot *at)
{
    if (at->row == FT_ROW_ANY)
        return may_be_command_of(t, at->protocol);
    /* Without a row there may be no command at all. */
    return may_number(t, (uint64_t)at->protocol->index << 32 | at->row) ||
           (!at->row && t->is_negated);
}

static bool may_code(const struct ft_test *t, const struct ft_slot *at)
{
    return !at->row || at->row == FT_ROW_ANY ||
           may_number(t, at->protocol->commands[at->row - 1].code);
}

static bool may_class(const struct ft_test *t, const struct ft_slot *at)
{
    if (at->class_ < 0)
        return true;
    return at->class_ == FT_CLASS_COUNT ? t->is_negated : may_number(t, (uint64_t)at->class_);
}

/* Is there such a field, of the message itself or of what carries it? */
static bool may_have(const struct ft_operand *o, const struct ft_slot *at)
{
    return o->keyword || o->is_tag ||
           ft_reach_has_fields(&at->vocabulary->reach[at->protocol->index], o->protocol);
}

static bool may_test(const struct ft_test *t, const struct ft_slot *at)
{
    bool is_number =
        t->kind == FT_TEST_RANGE || t->kind == FT_TEST_NUMBERS || t->kind == FT_TEST_MASK;
    if (is_number && t->left.keyword == FT_KEYWORD_CLASS)
        return may_class(t, at);
    if (!at->protocol)
        return true;
    if (is_number && t->left.keyword == FT_KEYWORD_PROTOCOL)
        return may_number(t, at->protocol->index);
    if (is_number && t->left.keyword == FT_KEYWORD_COMMAND)
        return may_command(t, at);
    if (is_number && t->left.keyword == FT_KEYWORD_COMMAND_CODE)
        return may_code(t, at);
    return t->is_negated ||
           (may_have(&t->left, at) && (t->kind != FT_TEST_SAME || may_have(&t->right, at)));
}

bool ft_rule_may_hold(const struct ft_expression *e, uint32_t node, const struct ft_slot *at)
{
    const struct ft_expression_node *n = &e->nodes[node];
    if (n->kind == FT_EXPRESSION_TEST)
        return may_test(&n->test, at);
    if (n->kind == FT_EXPRESSION_ANY)
        return n->is_negated || !at->protocol || may_have(&n->test.left, at);
    bool is_and = n->kind == FT_EXPRESSION_AND;
    for (uint32_t child = n->child; child; child = e->nodes[child].next)
        if (ft_rule_may_hold(e, child, at) != is_and)
            return !is_and;
    return is_and;
}

bool ft_rule_is_home(const struct ft_vocabulary *v, const struct ft_expression *e,
                     uint32_t protocol)
{
    const struct ft_slot at = {v, v->registry->protocols[protocol], FT_ROW_ANY, -1};
    return !e->worker || ft_rule_may_hold(e, e->worker, &at);
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

bool ft_rule_has_all_commands(const struct ft_ruleset *set, const struct ft_compiled *c)
{
    const struct ft_registry *registry = set->files->vocabulary.registry;
    const struct ft_expression *e = c->rule->expression;
    for (uint32_t p = 0; p < registry->count; p++) {
        struct ft_slot at = {&set->files->vocabulary, registry->protocols[p], 0, -1};
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
