/* SPDX-License-Identifier: BSD-3-Clause */
/* Rule sets: which fields are read, because a rule asks for them. */
#include "rules/ruleset_making.h"

#include <stdlib.h>

static bool is_inside(const struct ft_protocol *p, uint32_t field, uint32_t group)
{
    while (field && field != group)
        field = p->fields[field].parent;
    return field == group;
}

/* `is_whole`: all that is in it too, for a group is there as soon as anything in it is. */
static void want_field(uint64_t *bits, const struct ft_protocol *p, uint32_t field, bool is_whole)
{
    for (uint32_t i = 1; is_whole && i < p->field_count; i++)
        if (is_inside(p, i, field))
            bits[i / 64] |= 1ull << (i % 64);
    /* A group around it as well: an element of a list begins with its group. The root: anything. */
    bits[0] |= 1;
    for (; field; field = p->fields[field].parent)
        bits[field / 64] |= 1ull << (field % 64);
}

/* Where a rule may hold, and whether a flow decides first. */
struct wanting {
    struct ft_ruleset *set;
    struct ft_compiled *rule;
    uint32_t protocol, row;
};

/* Bits for one place of a protocol: before the command is known (row UINT32_MAX), and by row. */
static uint64_t *wants_of(const struct ft_ruleset *set, struct ft_wants *wants, uint32_t protocol,
                          uint32_t row)
{
    uint64_t **at = row == UINT32_MAX ? &wants->before[protocol]
                                      : &wants->by_row[set->first_place[protocol] + row];
    if (!*at)
        *at = calloc(FT_MAX_FIELDS / 64, sizeof(**at));
    return *at;
}

static bool want_at(const struct wanting *w, uint32_t protocol, uint32_t row,
                    const uint64_t *fields)
{
    for (unsigned i = w->rule->is_of_flow; i < 2; i++) {
        uint64_t *bits = wants_of(w->set, &w->set->wants[i], protocol, row);
        for (uint32_t word = 0; bits && word < FT_MAX_FIELDS / 64; word++)
            bits[word] |= fields[word];
        if (!bits)
            return false;
    }
    return true;
}

static bool want(const struct wanting *w, const struct ft_operand *o, bool is_whole)
{
    const struct ft_protocol *p = w->set->files->vocabulary.registry->protocols[o->protocol];
    if (o->keyword || o->is_tag)
        return true;
    w->rule->wanted |= ft_protocol_bit(o->protocol);
    uint64_t fields[FT_MAX_FIELDS / 64] = {0};
    want_field(fields, p, o->field, is_whole);
    if (!want_at(w, o->protocol, UINT32_MAX, fields))
        return false;
    if (o->protocol == w->protocol)
        return want_at(w, o->protocol, w->row, fields);
    w->rule->wanted_outside |= ft_protocol_bit(o->protocol);
    /* Of a carrier: it knows nothing yet of what it carries. */
    for (uint32_t any = 0; any <= p->command_count; any++)
        if (!want_at(w, o->protocol, any, fields))
            return false;
    return true;
}

/* May it hold for an element in which there is no field? */
static bool may_hold_empty(const struct ft_vocabulary *v, const struct ft_expression *e,
                           uint32_t node, const struct ft_operand *group)
{
    const struct ft_expression_node *n = &e->nodes[node];
    const struct ft_operand *o = &n->test.left;
    if (n->kind == FT_EXPRESSION_AND || n->kind == FT_EXPRESSION_OR) {
        bool is_and = n->kind == FT_EXPRESSION_AND;
        for (uint32_t child = n->child; child; child = e->nodes[child].next)
            if (may_hold_empty(v, e, child, group) != is_and)
                return !is_and;
        return is_and;
    }
    bool is_in_it = !o->keyword && !o->is_tag && o->protocol == group->protocol &&
                    is_inside(v->registry->protocols[o->protocol], o->field, group->field);
    if (!is_in_it)
        return true;
    if (n->kind == FT_EXPRESSION_ANY)
        return n->is_negated || may_hold_empty(v, e, n->child, o);
    return n->test.is_negated;
}

/* All that a part of a rule asks for. */
static bool want_node(const struct wanting *w, const struct ft_expression *e, uint32_t node)
{
    const struct ft_expression_node *n = &e->nodes[node];
    const struct ft_test *t = &n->test;
    bool is_any = n->kind == FT_EXPRESSION_ANY;
    for (uint32_t child = n->child; child; child = e->nodes[child].next)
        if (!want_node(w, e, child))
            return false;
    if (n->kind == FT_EXPRESSION_AND || n->kind == FT_EXPRESSION_OR)
        return true;
    bool is_whole = is_any ? may_hold_empty(&w->set->files->vocabulary, e, n->child, &t->left)
                           : t->left.type == FT_VALUE_TYPE_GROUP;
    return want(w, &t->left, is_whole) &&
           (is_any || t->kind != FT_TEST_SAME || want(w, &t->right, false));
}

/* Whoever shows a payload has to know where the passwords in it stand. */
static bool want_secrets(const struct wanting *w)
{
    const struct ft_protocol *p = w->set->files->vocabulary.registry->protocols[w->protocol];
    bool ok = true;
    for (uint32_t i = 1; ok && i < p->field_count; i++) {
        const struct ft_operand o = {.protocol = (uint16_t)w->protocol, .field = (uint16_t)i};
        if (p->fields[i].flags & FT_FIELD_SECRET)
            ok = want(w, &o, false);
    }
    return ok;
}

/* Is what an expression finds in the payload told as evidence? */
static bool shows_payload(const struct ft_expression *e)
{
    for (uint32_t i = 1; i < e->count; i++)
        if (e->nodes[i].kind == FT_EXPRESSION_TEST && e->nodes[i].test.kind == FT_TEST_MATCHES &&
            e->nodes[i].test.left.keyword == FT_KEYWORD_PAYLOAD)
            return true;
    return false;
}

bool ft_ruleset_want(struct ft_ruleset *set, struct ft_compiled *c, uint32_t protocol, uint32_t row)
{
    const struct wanting w = {set, c, protocol, row};
    const struct ft_rule *rule = c->rule;
    bool ok = want_node(&w, rule->expression, rule->expression->worker) &&
              (!shows_payload(rule->expression) || want_secrets(&w));
    for (uint32_t i = 0; ok && i < rule->part_count; i++)
        ok = rule->parts[i].keyword == FT_KEYWORD_PAYLOAD
                 ? want_secrets(&w)
                 : want(&w, &rule->parts[i], rule->parts[i].type == FT_VALUE_TYPE_GROUP);
    if (ok && rule->threshold.kind == FT_THRESHOLD_DISTINCT)
        ok = want(&w, &rule->threshold.of, false);
    return ok;
}

bool ft_wants_init(struct ft_ruleset *set)
{
    for (unsigned i = 0; i < 2; i++)
        set->wants[i].by_row = calloc(set->place_count + 1, sizeof(*set->wants[i].by_row));
    set->demand_rows = calloc(set->place_count + 1, sizeof(*set->demand_rows));
    return set->wants[0].by_row && set->wants[1].by_row && set->demand_rows;
}

void ft_wants_free(struct ft_ruleset *set)
{
    for (unsigned i = 0; i < 2; i++) {
        struct ft_wants *w = &set->wants[i];
        for (uint32_t place = 0; w->by_row && place < set->place_count; place++)
            free(w->by_row[place]);
        for (uint32_t p = 0; p < FT_MAX_PROTOCOLS; p++)
            free(w->before[p]);
        free(w->by_row);
    }
    free(set->demand_rows);
}

/* The fields by which all rules of a place are found; 0: some are not. */
static uint64_t fields_of_place(const struct ft_ruleset *set, const struct ft_place_of_rules *p,
                                uint32_t protocol)
{
    uint64_t fields = 0;
    for (uint32_t i = 0; i < p->keyed.count + p->groups.count; i++) {
        const struct ft_operand *o =
            i < p->keyed.count ? &set->keyed[p->keyed.items[i]].operand
                               : &set->patterns.groups[p->groups.items[i - p->keyed.count]].operand;
        if (o->keyword || o->is_tag || o->protocol != protocol)
            return 0;
        fields |= FT_FIELD_BIT(o->field);
    }
    return p->rules.count ? 0 : fields;
}

static const uint64_t *or_nothing(const uint64_t *fields)
{
    return fields ? fields : ft_demand_nothing;
}

void ft_ruleset_make_demand(struct ft_ruleset *set)
{
    const struct ft_registry *registry = set->files->vocabulary.registry;
    for (uint32_t p = 0; p < registry->count; p++) {
        uint32_t first = set->first_place[p];
        for (uint32_t row = 0; row <= registry->protocols[p]->command_count; row++) {
            const struct ft_place_of_rules *place = &set->places[first + row];
            set->demand_rows[first + row] = (struct ft_demand_row){
                .fields = or_nothing(set->wants[0].by_row[first + row]),
                .fields_of_flow = or_nothing(set->wants[1].by_row[first + row]),
                .gate_fields = fields_of_place(set, place, p),
                .gate_classes = place->classes,
            };
        }
        set->demand[p] = (struct ft_demand){
            .before = or_nothing(set->wants[0].before[p]),
            .before_of_flow = or_nothing(set->wants[1].before[p]),
            .rows = &set->demand_rows[first],
        };
    }
}

static bool wants_any(const struct ft_ruleset *set, uint32_t protocol)
{
    const struct ft_wants *w = &set->wants[0];
    uint32_t rows = set->files->vocabulary.registry->protocols[protocol]->command_count + 1;
    for (uint32_t row = 0; row < rows; row++)
        if (w->by_row[set->first_place[protocol] + row])
            return true;
    return w->before[protocol] != NULL;
}

uint64_t ft_ruleset_wanted(const struct ft_ruleset *set)
{
    uint64_t wanted = 0;
    for (uint32_t p = 0; p < set->files->vocabulary.registry->count; p++)
        wanted |= wants_any(set, p) ? ft_protocol_bit((uint16_t)p) : 0;
    return wanted;
}
