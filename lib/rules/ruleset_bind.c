/* SPDX-License-Identifier: BSD-3-Clause */
/* Rule sets: which payloads are searched for the patterns of a rule. */
#include "rules/ruleset_making.h"

#include <stdlib.h>
#include <string.h>

/* Ports by a list; 0: they are too many, or memory is short. */
static uint64_t list_binding(struct ft_ruleset *set, const struct ft_test *t)
{
    struct ft_port_list list = {0};
    uint64_t low, high;
    for (uint32_t i = 0; ft_test_numbers_at(t, i, &low, &high); i++) {
        if (list.count == FT_PORT_RANGES)
            return 0;
        list.ranges[list.count].low = (uint16_t)low;
        list.ranges[list.count++].high = (uint16_t)high;
    }
    uint32_t i = 0;
    while (i < set->port_list_count && memcmp(&set->port_lists[i], &list, sizeof(list)) != 0)
        i++;
    if (i > UINT16_MAX)
        return 0;
    if (i == set->port_list_count) {
        struct ft_port_list *grown = reallocarray(set->port_lists, i + 1, sizeof(*grown));
        if (!grown)
            return 0;
        set->port_lists = grown;
        grown[set->port_list_count++] = list;
    }
    return FT_BINDING_PORT | FT_BINDING_PORTS | i;
}

/* What a test demands of ports or the ethertype; 0: nothing that helps. */
static uint64_t binding_of_test(struct ft_ruleset *set, const struct ft_test *t)
{
    bool is_ethertype = t->left.keyword == FT_KEYWORD_ETHERTYPE;
    bool is_port = t->left.keyword == FT_KEYWORD_PORT || t->left.keyword == FT_KEYWORD_PORT_SRC ||
                   t->left.keyword == FT_KEYWORD_PORT_DST;
    if ((!is_port && !is_ethertype) || t->is_none || t->is_negated || t->has_mask)
        return 0;
    uint64_t binding = 0;
    if (t->kind == FT_TEST_RANGE && t->low == t->high)
        binding = FT_BINDING_PORT | (is_ethertype ? FT_BINDING_ETHERTYPE : 0) | t->low;
    else if (is_port && (t->kind == FT_TEST_RANGE || t->kind == FT_TEST_NUMBERS))
        binding = list_binding(set, t);
    uint64_t side = t->left.keyword == FT_KEYWORD_PORT_SRC   ? FT_BINDING_SRC
                    : t->left.keyword == FT_KEYWORD_PORT_DST ? FT_BINDING_DST
                                                             : 0;
    return binding ? binding | side : 0;
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
    uint64_t binding = 0;
    for (uint32_t i = 1; i < e->count && !binding; i++)
        if (is_demanded(e, i))
            binding = binding_of_test(set, &e->nodes[i].test);
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
