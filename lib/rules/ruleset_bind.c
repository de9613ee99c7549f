/* SPDX-License-Identifier: BSD-3-Clause */
/* Rule sets: which payloads are searched for the patterns of a rule. */
#include "rules/ruleset_making.h"

#include <stdlib.h>
#include <string.h>

/* Ports that packets must have, or the ethertype, for a condition to hold. */
struct bound {
    struct ft_port_list list;
    uint64_t sides; /* FT_BINDING_SRC, FT_BINDING_DST; 0: either */
    bool is_ethertype;
};

static bool bound_add(struct bound *b, struct ft_port_range range)
{
    for (uint32_t i = 0; i < b->list.count; i++)
        if (range.low >= b->list.ranges[i].low && range.high <= b->list.ranges[i].high)
            return true;
    if (b->list.count == FT_PORT_RANGES)
        return false;
    b->list.ranges[b->list.count++] = range;
    return true;
}

/* What a test demands of ports or the ethertype; false: nothing that helps. */
static bool bound_of_test(const struct ft_test *t, struct bound *b)
{
    bool is_port = t->left.keyword == FT_KEYWORD_PORT || t->left.keyword == FT_KEYWORD_PORT_SRC ||
                   t->left.keyword == FT_KEYWORD_PORT_DST;
    uint64_t low, high;
    *b = (struct bound){.is_ethertype = t->left.keyword == FT_KEYWORD_ETHERTYPE,
                        .sides = t->left.keyword == FT_KEYWORD_PORT_SRC   ? FT_BINDING_SRC
                                 : t->left.keyword == FT_KEYWORD_PORT_DST ? FT_BINDING_DST
                                                                          : 0};
    if ((!is_port && !b->is_ethertype) || t->is_none || t->is_negated || t->has_mask ||
        (t->kind != FT_TEST_RANGE && t->kind != FT_TEST_NUMBERS))
        return false;
    for (uint32_t i = 0; ft_test_numbers_at(t, i, &low, &high); i++)
        if (!bound_add(b, (struct ft_port_range){(uint16_t)low, (uint16_t)high}))
            return false;
    return true;
}

static bool bound_of(const struct ft_expression *e, uint32_t node, struct bound *b);

/* Whichever of them holds: all are bound, and the ports of all are few. */
static bool bound_of_any(const struct ft_expression *e, uint32_t node, struct bound *b)
{
    struct bound one;
    if (!bound_of(e, node, b))
        return false;
    while ((node = e->nodes[node].next)) {
        if (!bound_of(e, node, &one) || one.is_ethertype != b->is_ethertype)
            return false;
        b->sides = one.sides == b->sides ? one.sides : 0;
        for (uint32_t i = 0; i < one.list.count; i++)
            if (!bound_add(b, one.list.ranges[i]))
                return false;
    }
    return true;
}

/* Conditions are not deep: FT_EXPRESSION_DEPTH. */
static bool bound_of(const struct ft_expression *e, uint32_t node, struct bound *b)
{
    const struct ft_expression_node *n = &e->nodes[node];
    if (n->kind == FT_EXPRESSION_TEST)
        return bound_of_test(&n->test, b);
    if (n->kind == FT_EXPRESSION_OR)
        return bound_of_any(e, n->child, b);
    for (uint32_t child = n->kind == FT_EXPRESSION_AND ? n->child : 0; child;
         child = e->nodes[child].next)
        if (bound_of(e, child, b))
            return true;
    return false;
}

/* A list that others may have, too; 0: memory is short, or there are too many. */
static uint64_t list_binding(struct ft_ruleset *set, const struct ft_port_list *list)
{
    uint32_t i = 0;
    while (i < set->port_list_count && memcmp(&set->port_lists[i], list, sizeof(*list)) != 0)
        i++;
    if (i > UINT16_MAX)
        return 0;
    if (i == set->port_list_count) {
        struct ft_port_list *grown = reallocarray(set->port_lists, i + 1, sizeof(*grown));
        if (!grown)
            return 0;
        set->port_lists = grown;
        grown[set->port_list_count++] = *list;
    }
    return FT_BINDING_PORT | FT_BINDING_PORTS | i;
}

/* 0: of nothing that helps. */
static uint64_t binding_of(struct ft_ruleset *set, const struct bound *b)
{
    const struct ft_port_range *first = &b->list.ranges[0];
    uint64_t binding = 0;
    if (b->list.count == 1 && first->low == first->high)
        binding = FT_BINDING_PORT | (b->is_ethertype ? FT_BINDING_ETHERTYPE : 0) | first->low;
    else if (!b->is_ethertype)
        binding = list_binding(set, &b->list);
    return binding ? binding | b->sides : 0;
}

/* Must it hold for the rule to hold? */
static bool is_demanded(const struct ft_expression *e, uint32_t node)
{
    return e->nodes[node].kind == FT_EXPRESSION_TEST &&
           (e->worker == node || (e->nodes[e->worker].kind == FT_EXPRESSION_AND &&
                                  ft_expression_is_child(e, e->worker, node)));
}

uint64_t ft_ruleset_binding(struct ft_ruleset *set, const struct ft_compiled *c)
{
    const struct ft_expression *e = c->rule->expression;
    struct bound b;
    uint64_t binding = e->worker && bound_of(e, e->worker, &b) ? binding_of(set, &b) : 0;
    if (c->level == FT_LEVEL_MESSAGE && !c->is_anywhere)
        for (uint32_t p = 0; p < FT_MAX_PROTOCOLS && !binding; p++)
            if (ft_protocols_has(&c->homes, (uint16_t)p))
                binding = FT_BINDING_PROTOCOL | p;
    return binding ? binding : FT_BINDING_ANY | c->level;
}

uint32_t ft_ruleset_least(const struct ft_compiled *c)
{
    const struct ft_expression *e = c->rule->expression;
    uint64_t least = 0, low, high;
    for (uint32_t i = 1; i < e->count; i++) {
        const struct ft_test *t = &e->nodes[i].test;
        bool is_length = is_demanded(e, i) && t->left.keyword == FT_KEYWORD_PAYLOAD_LENGTH;
        if (is_length && t->kind == FT_TEST_RANGE && !t->is_negated && !t->is_none &&
            !t->has_mask && ft_test_numbers_at(t, 0, &low, &high) && low > least)
            least = low;
    }
    return least < UINT32_MAX ? (uint32_t)least : UINT32_MAX;
}
