/* SPDX-License-Identifier: BSD-3-Clause */
/* Rule sets: which fields are read, because a rule asks for them. */
#include "rules/ruleset_making.h"

#include <stdlib.h>
#include <string.h>

/* Room for what is wanted of messages of a protocol. */
static struct ft_place_wants *place_wants_new(const struct ft_protocol *p)
{
    size_t size = sizeof(struct ft_place_wants) + p->field_count * sizeof(struct ft_field_demand);
    struct ft_place_wants *w = aligned_alloc(64, (size + 63) & ~(size_t)63);
    if (w) {
        memset(w, 0, size);
        w->count = p->field_count;
    }
    return w;
}

static void place_wants_free(struct ft_place_wants *w)
{
    if (w && w->sharers) {
        w->sharers--;
        return;
    }
    for (uint32_t i = 0; w && i < w->count; i++)
        free((void *)w->asked[i].values);
    free(w);
}

static void want_each(struct ft_place_wants *w, uint32_t field)
{
    w->fields[field / 64] |= 1ull << (field % 64);
    w->each[field / 64] |= 1ull << (field % 64);
}

/* Is it a test that has the same result when a value is gone that it does not ask for? */
static bool asks_for_values(const struct ft_test *t)
{
    uint64_t low, high, count = 0;
    bool is_number = t->left.type == FT_VALUE_TYPE_UINT || t->left.type == FT_VALUE_TYPE_BOOL ||
                     t->left.type == FT_VALUE_TYPE_ENUM || t->left.type == FT_VALUE_TYPE_FLAGS;
    /* What a negated test passed is the evidence, and is a value that it does not ask for. */
    if (t->is_none || t->is_negated)
        return false;
    if (t->left.type == FT_VALUE_TYPE_TEXT)
        return t->kind == FT_TEST_TEXT && !t->ignores_case;
    if (!is_number || t->has_mask || (t->kind != FT_TEST_RANGE && t->kind != FT_TEST_NUMBERS))
        return false;
    for (uint32_t i = 0; ft_test_numbers_at(t, i, &low, &high); i++) {
        if (high - low >= FT_WAY_KEYS_MAX || count > FT_WAY_KEYS_MAX)
            return false;
        count += high - low + 1;
    }
    return count <= FT_WAY_KEYS_MAX;
}

static void add_value(uint64_t *values, uint64_t value)
{
    values[ft_value_bit(value) / 64] |= 1ull << (ft_value_bit(value) % 64);
}

static bool want_values(struct ft_place_wants *w, uint32_t field, const struct ft_test *t)
{
    struct ft_field_demand *asked = &w->asked[field];
    uint64_t low, high;
    uint64_t *values = (uint64_t *)asked->values;
    if (!values)
        asked->values = values = calloc(FT_VALUE_BITS / 64, sizeof(*values));
    if (!values)
        return false;
    if (t->kind == FT_TEST_TEXT)
        add_value(values, ft_text_value(t->text, t->length));
    for (uint32_t i = 0; ft_test_numbers_at(t, i, &low, &high); i++)
        for (uint64_t v = low;; v++) {
            add_value(values, v);
            if (v == high)
                break;
        }
    return true;
}

/* What a part of a rule asks for. */
struct want {
    const struct ft_operand *operand;
    const struct ft_test *test; /* values of it; NULL: each counts */
    bool is_whole; /* all that is in it too, for a group is there as soon as anything in it is */
};

static bool want_field(struct ft_place_wants *w, const struct ft_protocol *p,
                       const struct want *what)
{
    uint32_t field = what->operand->field;
    /* Which of several a value is, is counted: see element_text() in lib/flow/inspect_rules.c. */
    bool is_list = p->fields[field].flags & FT_FIELD_LIST;
    bool by_value = what->test && !is_list && asks_for_values(what->test);
    for (uint32_t i = 1; what->is_whole && i < p->field_count; i++)
        if (ft_field_is_inside(p, i, field))
            want_each(w, i);
    if (p->fields[field].type != FT_TYPE_GROUP && !by_value)
        want_each(w, field);
    /* A group around it as well: an element of a list begins with its group. The root: anything. */
    w->fields[0] |= 1;
    for (uint32_t up = field; up; up = p->fields[up].parent)
        w->fields[up / 64] |= 1ull << (up % 64);
    return !by_value || want_values(w, field, what->test);
}

/* Where a rule may hold, and whether a flow decides first. */
struct wanting {
    struct ft_ruleset *set;
    struct ft_compiled *rule;
    uint32_t protocol, row;
};

/* Of one place of a protocol: before the command is known (row UINT32_MAX), and by row. */
static struct ft_place_wants *wants_of(const struct ft_ruleset *set, struct ft_wants *wants,
                                       uint32_t protocol, uint32_t row)
{
    struct ft_place_wants **at = row == UINT32_MAX
                                     ? &wants->before[protocol]
                                     : &wants->by_row[set->first_place[protocol] + row];
    if (!*at)
        *at = place_wants_new(set->files->vocabulary.registry->protocols[protocol]);
    return *at;
}

static bool want_at(const struct wanting *w, uint32_t row, const struct want *what)
{
    uint32_t protocol = what->operand->protocol;
    const struct ft_protocol *p = w->set->files->vocabulary.registry->protocols[protocol];
    for (unsigned i = w->rule->is_of_flow; i < 2; i++) {
        struct ft_place_wants *at = wants_of(w->set, &w->set->wants[i], protocol, row);
        if (!at || !want_field(at, p, what))
            return false;
    }
    return true;
}

static bool want(const struct wanting *w, const struct want *what)
{
    const struct ft_operand *o = what->operand;
    const struct ft_protocol *p = w->set->files->vocabulary.registry->protocols[o->protocol];
    if (o->keyword || o->is_tag)
        return true;
    w->rule->wanted |= ft_protocol_bit(o->protocol);
    if (!want_at(w, UINT32_MAX, what))
        return false;
    if (o->protocol == w->protocol)
        return want_at(w, w->row, what);
    w->rule->wanted_outside |= ft_protocol_bit(o->protocol);
    /* Of a carrier: it knows nothing yet of what it carries. */
    for (uint32_t any = 0; any <= p->command_count; any++)
        if (!want_at(w, any, what))
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
                    ft_field_is_inside(v->registry->protocols[o->protocol], o->field, group->field);
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
    const struct want left = {&t->left, is_any ? NULL : t, is_whole},
                      right = {.operand = &t->right};
    return want(w, &left) && (is_any || t->kind != FT_TEST_SAME || want(w, &right));
}

/* Whoever shows a payload has to know where the passwords in it stand. */
static bool want_secrets(const struct wanting *w)
{
    const struct ft_protocol *p = w->set->files->vocabulary.registry->protocols[w->protocol];
    bool ok = true;
    for (uint32_t i = 1; ok && i < p->field_count; i++) {
        const struct ft_operand o = {.protocol = (uint16_t)w->protocol, .field = (uint16_t)i};
        if (p->fields[i].flags & FT_FIELD_SECRET)
            ok = want(w, &(struct want){.operand = &o});
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
    for (uint32_t i = 0; ok && i < rule->part_count; i++) {
        const struct ft_operand *o = &rule->parts[i];
        const struct want part = {.operand = o, .is_whole = o->type == FT_VALUE_TYPE_GROUP};
        ok = o->keyword == FT_KEYWORD_PAYLOAD ? want_secrets(&w) : want(&w, &part);
    }
    if (ok && rule->threshold.kind == FT_THRESHOLD_DISTINCT)
        ok = want(&w, &(struct want){.operand = &rule->threshold.of});
    return ok;
}

bool ft_wants_init(struct ft_ruleset *set)
{
    for (unsigned i = 0; i < 2; i++)
        set->wants[i].by_row = calloc(set->place_count + 1, sizeof(*set->wants[i].by_row));
    set->demand_rows = aligned_alloc(64, (set->place_count + 1) * sizeof(*set->demand_rows));
    return set->wants[0].by_row && set->wants[1].by_row && set->demand_rows;
}

void ft_wants_free(struct ft_ruleset *set)
{
    for (unsigned i = 0; i < 2; i++) {
        struct ft_wants *w = &set->wants[i];
        for (uint32_t place = 0; w->by_row && place < set->place_count; place++)
            place_wants_free(w->by_row[place]);
        for (uint32_t p = 0; p < FT_MAX_PROTOCOLS; p++)
            place_wants_free(w->before[p]);
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

static bool is_in_list(const struct ft_protocol *p, uint32_t field)
{
    for (uint32_t up = p->fields[field].parent; up; up = p->fields[up].parent)
        if (p->fields[up].flags & FT_FIELD_LIST)
            return true;
    return false;
}

/* All rules have said what they want: what is left when each value of a field counts? */
static void settle(struct ft_place_wants *w, const struct ft_protocol *p)
{
    for (uint32_t i = 1; i < p->field_count; i++) {
        bool is_each = w->each[i / 64] >> (i % 64) & 1;
        if (is_each) {
            free((void *)w->asked[i].values);
            w->asked[i].values = NULL;
        }
        w->asked[i].is_lazy = p->fields[i].type == FT_TYPE_GROUP && !is_each && !is_in_list(p, i);
    }
}

static bool is_same(const struct ft_place_wants *a, const struct ft_place_wants *b)
{
    if (a->count != b->count || memcmp(a->fields, b->fields, sizeof(a->fields)) != 0)
        return false;
    for (uint32_t i = 0; i < a->count; i++) {
        const uint64_t *of_a = a->asked[i].values, *of_b = b->asked[i].values;
        if (a->asked[i].is_lazy != b->asked[i].is_lazy || !of_a != !of_b ||
            (of_a && memcmp(of_a, of_b, FT_VALUE_BITS / 8) != 0))
            return false;
    }
    return true;
}

/* Of `rows` commands of a protocol, and before they are known, each of which has its place. */
static struct ft_place_wants **place_at(struct ft_ruleset *set, uint32_t protocol, uint32_t rows,
                                        uint32_t i)
{
    struct ft_wants *w = &set->wants[i > rows];
    i %= rows + 1;
    return i == rows ? &w->before[protocol] : &w->by_row[set->first_place[protocol] + i];
}

/*
 * Many commands want the same: then it lies in the cache once, where traffic of several of them
 * finds it. Without memory each keeps its own.
 */
static void share_wants(struct ft_ruleset *set, uint32_t protocol, const struct ft_protocol *p)
{
    uint32_t rows = p->command_count + 1, places = 2 * (rows + 1), count = 0;
    struct ft_place_wants **known = calloc(places, sizeof(struct ft_place_wants *));
    for (uint32_t i = 0; i < places; i++) {
        struct ft_place_wants **at = place_at(set, protocol, rows, i);
        uint32_t same = 0;
        if (!*at)
            continue;
        settle(*at, p);
        while (same < count && !is_same(known[same], *at))
            same++;
        if (!known)
            continue;
        if (same == count) {
            known[count++] = *at;
        } else {
            place_wants_free(*at);
            *at = known[same];
            known[same]->sharers++;
        }
    }
    free(known);
}

static struct ft_wanted wanted_of(const struct ft_place_wants *w)
{
    return w ? (struct ft_wanted){.fields = w->fields, .asked = w->asked} : ft_demand_nothing;
}

void ft_ruleset_make_demand(struct ft_ruleset *set)
{
    const struct ft_registry *registry = set->files->vocabulary.registry;
    for (uint32_t p = 0; p < registry->count; p++) {
        const struct ft_protocol *protocol = registry->protocols[p];
        uint32_t first = set->first_place[p];
        share_wants(set, p, protocol);
        for (uint32_t row = 0; row <= protocol->command_count; row++) {
            const struct ft_place_of_rules *place = &set->places[first + row];
            set->demand_rows[first + row] = (struct ft_demand_row){
                .all = wanted_of(set->wants[0].by_row[first + row]),
                .of_flow = wanted_of(set->wants[1].by_row[first + row]),
                .gate_fields = fields_of_place(set, place, p),
                .gate_classes = place->classes,
            };
        }
        set->demand[p] = (struct ft_demand){
            .before = wanted_of(set->wants[0].before[p]),
            .before_of_flow = wanted_of(set->wants[1].before[p]),
            .rows = &set->demand_rows[first],
        };
    }
}

/* Does anybody want a field of it, or look at its messages? */
static bool wants_any(const struct ft_ruleset *set, uint32_t protocol)
{
    const struct ft_wants *w = &set->wants[0];
    uint32_t rows = set->files->vocabulary.registry->protocols[protocol]->command_count + 1;
    for (uint32_t row = 0; row < rows; row++)
        if (w->by_row[set->first_place[protocol] + row] ||
            set->places[set->first_place[protocol] + row].classes)
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
