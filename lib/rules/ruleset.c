/* SPDX-License-Identifier: BSD-3-Clause */
/* Rule sets: from rules to ways of finding them. */
#include "rules/ruleset_internal.h"

#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A rule may be found by so many values; one with more is tested where its protocol is. */
#define KEYS_MAX 64u

/* A way to find a rule: it can hold only if one of these is there. */
struct way {
    struct way_key {
        uint32_t operand; /* of the set's keyed operands, or PATTERN */
        uint32_t group;
        uint64_t value; /* or pattern */
    } keys[KEYS_MAX];
    uint32_t count; /* 0: there is no such way */
};

#define PATTERN UINT32_MAX

/* A key that a flow has may find so many rules more than one that each message is asked for ... */
#define MESSAGE_KEY_PRICE 64u
/* ... and than a pattern that payloads of a port are searched for, with all others of the port. */
#define PORT_PATTERN_PRICE 4u

/* How often each key is demanded by all rules: the rarest is the best way. */
struct tally {
    struct {
        struct way_key key;
        uint64_t count;
    } * slots;
    uint32_t size, used;
};

struct making {
    struct ft_ruleset *set;
    struct tally tally;
    bool is_counting, is_short;
};

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

static void homes_of(const struct ft_vocabulary *v, const struct ft_expression *e, uint32_t node,
                     struct ft_protocols *homes)
{
    const struct ft_expression_node *n = &e->nodes[node];
    const struct ft_test *t = &n->test;
    for (uint32_t child = n->child; child; child = e->nodes[child].next)
        homes_of(v, e, child, homes);
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

static uint8_t level_of(const struct ft_expression *e, uint32_t node)
{
    const struct ft_expression_node *n = &e->nodes[node];
    uint8_t most = FT_LEVEL_FLOW;
    for (uint32_t child = n->child; child; child = e->nodes[child].next) {
        uint8_t one = level_of(e, child);
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

/* Row of the command: 0 = none that the table has. */
struct slot_of {
    const struct ft_protocol *protocol; /* NULL: not known */
    uint32_t row;
    int class_; /* -1: not known; FT_CLASS_COUNT: no command, and so no class */
};

static bool may_test(const struct ft_test *t, const struct slot_of *at)
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

static bool may_hold(const struct ft_expression *e, uint32_t node, const struct slot_of *at)
{
    const struct ft_expression_node *n = &e->nodes[node];
    if (n->kind == FT_EXPRESSION_TEST)
        return may_test(&n->test, at);
    if (n->kind == FT_EXPRESSION_ANY)
        return true;
    bool is_and = n->kind == FT_EXPRESSION_AND;
    for (uint32_t child = n->child; child; child = e->nodes[child].next)
        if (may_hold(e, child, at) != is_and)
            return !is_and;
    return is_and;
}

/* ---- ways ---- */

static bool same_operand(const struct ft_operand *a, const struct ft_operand *b)
{
    return a->keyword == b->keyword && a->is_tag == b->is_tag && a->protocol == b->protocol &&
           a->field == b->field;
}

/* Number of a keyed operand, which is made when it is new. */
static uint32_t keyed_operand(struct making *m, const struct ft_operand *o, uint8_t bits)
{
    struct ft_ruleset *set = m->set;
    for (uint32_t i = 0; i < set->keyed_count; i++)
        if (set->keyed[i].bits == bits && same_operand(&set->keyed[i].operand, o))
            return i;
    struct ft_keyed *grown = reallocarray(set->keyed, set->keyed_count + 1, sizeof(*grown));
    if (!grown) {
        m->is_short = true;
        return 0;
    }
    set->keyed = grown;
    grown[set->keyed_count] = (struct ft_keyed){.operand = *o, .bits = bits};
    return set->keyed_count++;
}

static bool is_key(const struct ft_test *t)
{
    const struct ft_operand *o = &t->left;
    bool is_range = t->kind == FT_TEST_RANGE || t->kind == FT_TEST_NUMBERS ||
                    t->kind == FT_TEST_ADDRESS || t->kind == FT_TEST_ADDRESSES ||
                    (t->kind == FT_TEST_TEXT && !o->keyword);
    /* What has a look-up of its own, or costs more to find out than the test. */
    bool is_bad = o->keyword == FT_KEYWORD_PROTOCOL || o->keyword == FT_KEYWORD_COMMAND ||
                  o->keyword == FT_KEYWORD_TRANSPORT || o->keyword == FT_KEYWORD_ZONE_SRC ||
                  o->keyword == FT_KEYWORD_ZONE_DST || o->keyword == FT_KEYWORD_PURDUE_SRC ||
                  o->keyword == FT_KEYWORD_PURDUE_DST || o->keyword == FT_KEYWORD_KIND ||
                  o->keyword == FT_KEYWORD_COMMAND_CODE || o->keyword == FT_KEYWORD_CLASS ||
                  o->keyword == FT_KEYWORD_DIRECTION || o->keyword == FT_KEYWORD_SUBADDRESS ||
                  o->type == FT_VALUE_TYPE_BOOL || o->is_tag;
    return is_range && !t->is_none && !t->is_negated && !t->has_mask && !is_bad;
}

static void number_keys(struct making *m, const struct ft_test *t, struct way *way)
{
    uint64_t low, high;
    uint32_t operand = keyed_operand(m, &t->left, 0);
    for (uint32_t i = 0; ft_test_numbers_at(t, i, &low, &high); i++)
        for (uint64_t v = low;; v++) {
            if (way->count == KEYS_MAX) {
                way->count = 0;
                return;
            }
            way->keys[way->count++] = (struct way_key){.operand = operand, .value = v};
            if (v == high)
                break;
        }
}

/* The networks, without so many bits, that a test asks for; false: they are too many. */
static bool network_keys(const struct ft_test *t, unsigned bits, struct way *way)
{
    struct ft_set_address low, high;
    uint64_t step = bits < 64 ? 1ull << bits : 0;
    way->count = 0;
    for (uint32_t i = 0; ft_test_addresses_at(t, i, &low, &high); i++) {
        low.low &= ~(step - 1);
        high.low &= ~(step - 1);
        for (bool is_last = false; !is_last; low.low += step, low.high += low.low < step || !step) {
            uint64_t value = ft_key_of_address(low, bits);
            is_last = low.high == high.high && low.low == high.low;
            if (way->count && way->keys[way->count - 1].value == value)
                continue;
            if (way->count == KEYS_MAX)
                return false;
            way->keys[way->count++].value = value;
        }
    }
    return true;
}

/* Addresses one by one, else the least networks in which they are. */
static void address_keys(struct making *m, const struct ft_test *t, struct way *way)
{
    static const uint8_t bits[] = {0, 8, 16, 24, 64};
    for (unsigned i = 0; i < sizeof(bits); i++) {
        if (!network_keys(t, bits[i], way))
            continue;
        uint32_t operand = keyed_operand(m, &t->left, bits[i]);
        for (uint32_t k = 0; k < way->count; k++)
            way->keys[k] = (struct way_key){.operand = operand, .value = way->keys[k].value};
        return;
    }
    way->count = 0;
}

/* A tag is in payloads of its port only. */
static void tag_keys(struct making *m, const struct ft_test *t, struct way *way)
{
    const struct ft_tag *tag = &m->set->files->vocabulary.tags[t->left.field];
    bool is_l2 = tag->transport == FT_TRANSPORT_L2;
    struct ft_operand port = {.keyword = is_l2 ? FT_KEYWORD_ETHERTYPE : FT_KEYWORD_PORT,
                              .type = FT_VALUE_TYPE_UINT,
                              .is_many = !is_l2};
    way->keys[way->count++] =
        (struct way_key){.operand = keyed_operand(m, &port, 0), .value = tag->port};
}

static void pattern_key(const struct ft_program *p, const struct ft_test *t, struct way *way)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (p->code[i].test == t && p->code[i].kind == FT_INSTRUCTION_TEST)
            way->keys[way->count++] = (struct way_key){
                .operand = PATTERN, .group = p->code[i].group, .value = p->code[i].pattern};
}

static uint32_t tally_slot(const struct tally *t, const struct way_key *k)
{
    uint64_t hash = ft_hash_mix((uint64_t)k->operand << 32 | k->group, k->value);
    uint32_t at = (uint32_t)(hash >> 20) & (t->size - 1);
    while (t->slots[at].count &&
           (t->slots[at].key.operand != k->operand || t->slots[at].key.group != k->group ||
            t->slots[at].key.value != k->value))
        at = (at + 1) & (t->size - 1);
    return at;
}

static bool tally_grow(struct tally *t)
{
    struct tally bigger = {.size = t->size ? t->size * 2 : 1024, .used = t->used};
    bigger.slots = calloc(bigger.size, sizeof(*bigger.slots));
    if (!bigger.slots)
        return false;
    for (uint32_t i = 0; i < t->size; i++)
        if (t->slots[i].count)
            bigger.slots[tally_slot(&bigger, &t->slots[i].key)] = t->slots[i];
    free(t->slots);
    *t = bigger;
    return true;
}

static void tally_add(struct making *m, const struct way *way)
{
    struct tally *t = &m->tally;
    for (uint32_t i = 0; i < way->count; i++) {
        if (t->used * 2 >= t->size && !tally_grow(t)) {
            m->is_short = true;
            return;
        }
        uint32_t at = tally_slot(t, &way->keys[i]);
        t->used += !t->slots[at].count;
        t->slots[at].key = way->keys[i];
        t->slots[at].count++;
    }
}

static bool is_key_of_flow(const struct ft_ruleset *set, const struct way_key *k)
{
    const struct ft_test t = {.kind = FT_TEST_EXISTS, .left = set->keyed[k->operand].operand};
    return ft_test_is_of_flow(&t);
}

static bool is_port_group(const struct ft_ruleset *set, uint32_t group)
{
    uint64_t binding = set->patterns.groups[group].binding;
    return binding >> 32 == FT_BINDING_PORT >> 32 && !(binding & FT_BINDING_ETHERTYPE);
}

/* What a key costs messages, in rules that it might find as well. */
static uint64_t key_price(const struct ft_ruleset *set, const struct ft_compiled *c,
                          const struct way_key *k)
{
    if (k->operand == PATTERN)
        return is_port_group(set, k->group) ? PORT_PATTERN_PRICE : MESSAGE_KEY_PRICE;
    if (!is_key_of_flow(set, k))
        return MESSAGE_KEY_PRICE;
    /* A port is what all flows of a service have: its payloads are rather searched once for all. */
    enum ft_keyword keyword = set->keyed[k->operand].operand.keyword;
    bool is_port = keyword == FT_KEYWORD_PORT_SRC || keyword == FT_KEYWORD_PORT_DST ||
                   keyword == FT_KEYWORD_PORT;
    return is_port && c->level == FT_LEVEL_PAYLOAD ? MESSAGE_KEY_PRICE : 0;
}

/*
 * How many rules are found by the keys of a way: less is better. What the flow is found by costs
 * its messages nothing, so it may find some rules more.
 */
static uint64_t price(const struct making *m, const struct ft_compiled *c, const struct way *way)
{
    uint64_t sum = 0, most = 0;
    for (uint32_t i = 0; m->tally.size && i < way->count; i++) {
        const struct way_key *k = &way->keys[i];
        uint64_t one = key_price(m->set, c, k);
        most = one > most ? one : most;
        sum += m->tally.slots[tally_slot(&m->tally, k)].count;
    }
    return sum + most;
}

static void way_of(struct making *m, const struct ft_compiled *c, uint32_t node, struct way *way);

static void way_of_chain(struct making *m, const struct ft_compiled *c, uint32_t node,
                         struct way *way)
{
    const struct ft_expression *e = c->rule->expression;
    bool is_and = e->nodes[node].kind == FT_EXPRESSION_AND, is_first = true;
    struct way *one = malloc(sizeof(*one));
    if (!one) {
        m->is_short = true;
        return;
    }
    for (uint32_t child = e->nodes[node].child; child; child = e->nodes[child].next) {
        way_of(m, c, child, one);
        if (is_and) {
            if (one->count && (!way->count || price(m, c, one) < price(m, c, way)))
                *way = *one;
        } else if (!one->count || (!is_first && !way->count) ||
                   way->count + one->count > KEYS_MAX) {
            way->count = 0; /* one of them is found by nothing */
            if (!m->is_counting)
                break;
        } else {
            memcpy(&way->keys[way->count], one->keys, one->count * sizeof(one->keys[0]));
            way->count += one->count;
        }
        is_first = false;
    }
    free(one);
}

/* The best way to find what fulfils a part of a rule; while counting, all ways are counted. */
static void way_of(struct making *m, const struct ft_compiled *c, uint32_t node, struct way *way)
{
    const struct ft_expression_node *n = &c->rule->expression->nodes[node];
    const struct ft_test *t = &n->test;
    way->count = 0;
    if (n->kind == FT_EXPRESSION_AND || n->kind == FT_EXPRESSION_OR) {
        way_of_chain(m, c, node, way);
        return;
    }
    if (n->kind == FT_EXPRESSION_ANY) {
        if (!n->is_negated)
            way_of(m, c, n->child, way);
        return;
    }
    bool is_pattern = t->kind == FT_TEST_CONTAINS || t->kind == FT_TEST_MATCHES;
    if (is_pattern && !t->is_negated)
        pattern_key(&c->program, t, way);
    else if (t->left.is_tag && !t->is_negated)
        tag_keys(m, t, way);
    else if (is_key(t) && t->kind == FT_TEST_TEXT)
        way->keys[way->count++] =
            (struct way_key){.operand = keyed_operand(m, &t->left, t->ignores_case),
                             .value = ft_key_of_text(t->text, t->length)};
    else if (is_key(t) && t->left.type == FT_VALUE_TYPE_ADDRESS)
        address_keys(m, t, way);
    else if (is_key(t))
        number_keys(m, t, way);
    if (m->is_counting)
        tally_add(m, way);
}

/* ---- lists ---- */

static bool append(struct ft_list *l, uint32_t value)
{
    if (!(l->count & (l->count - 1))) {
        uint32_t *grown = reallocarray(l->items, l->count ? l->count * 2 : 1, sizeof(*grown));
        if (!grown)
            return false;
        l->items = grown;
    }
    l->items[l->count++] = value;
    return true;
}

/* Once each. */
static bool include(struct ft_list *l, uint32_t value)
{
    for (uint32_t i = 0; i < l->count; i++)
        if (l->items[i] == value)
            return true;
    return append(l, value);
}

static struct ft_place_of_rules *place_of(struct ft_ruleset *set, uint32_t protocol, uint32_t row)
{
    return &set->places[set->first_place[protocol] + row];
}

/* ---- finding by key ---- */

static uint64_t hash_of_key(uint32_t operand, uint64_t value)
{
    return ft_hash_mix(value, operand + 1);
}

const struct ft_list *ft_ruleset_keyed(const struct ft_ruleset *set, uint32_t operand,
                                       uint64_t value)
{
    uint64_t hash = hash_of_key(operand, value);
    const struct ft_keyed *k = &set->keyed[operand];
    if (!(k->filter[hash >> 52 & 63] >> (hash >> 58) & 1) || !set->key_size)
        return NULL;
    for (uint32_t at = (uint32_t)hash & (set->key_size - 1); set->keys[at].rules.count;
         at = (at + 1) & (set->key_size - 1))
        if (set->keys[at].operand == operand && set->keys[at].value == value)
            return &set->keys[at].rules;
    return NULL;
}

static bool keys_grow(struct ft_ruleset *set)
{
    uint32_t size = set->key_size ? set->key_size * 2 : 1024;
    struct ft_key *bigger = calloc(size, sizeof(*bigger));
    if (!bigger)
        return false;
    for (uint32_t i = 0; i < set->key_size; i++) {
        const struct ft_key *k = &set->keys[i];
        uint32_t at = (uint32_t)hash_of_key(k->operand, k->value) & (size - 1);
        while (k->rules.count && bigger[at].rules.count)
            at = (at + 1) & (size - 1);
        if (k->rules.count)
            bigger[at] = *k;
    }
    free(set->keys);
    set->keys = bigger;
    set->key_size = size;
    return true;
}

static bool add_key(struct ft_ruleset *set, uint32_t operand, uint64_t value, uint32_t rule)
{
    if (set->key_count * 2 >= set->key_size && !keys_grow(set))
        return false;
    uint64_t hash = hash_of_key(operand, value);
    uint32_t at = (uint32_t)hash & (set->key_size - 1);
    while (set->keys[at].rules.count &&
           (set->keys[at].operand != operand || set->keys[at].value != value))
        at = (at + 1) & (set->key_size - 1);
    struct ft_key *k = &set->keys[at];
    set->key_count += !k->rules.count;
    k->operand = operand;
    k->value = value;
    set->keyed[operand].filter[hash >> 52 & 63] |= 1ull << (hash >> 58);
    return append(&k->rules, rule);
}

/* ---- demand ---- */

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
static uint64_t *wants_of(struct ft_ruleset *set, struct ft_wants *wants, uint32_t protocol,
                          uint32_t row)
{
    bool is_before = row == UINT32_MAX;
    uint32_t place = set->first_place[protocol] + (is_before ? 0 : row);
    uint64_t **at = is_before ? &wants->before[protocol] : &wants->by_row[place];
    if (*at)
        return *at;
    *at = calloc(FT_MAX_FIELDS / 64, sizeof(**at));
    if (is_before)
        wants->demand[protocol].before = *at ? *at : ft_demand_nothing;
    else
        wants->demand_rows[place] = *at ? *at : ft_demand_nothing;
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

static bool want_all(const struct wanting *w)
{
    const struct ft_rule *rule = w->rule->rule;
    bool ok = want_node(w, rule->expression, rule->expression->worker);
    for (uint32_t i = 0; ok && i < rule->part_count; i++)
        ok = want(w, &rule->parts[i], rule->parts[i].type == FT_VALUE_TYPE_GROUP);
    return ok;
}

/* ---- making ---- */

/* Put a rule where messages of (protocol, row) find it. */
static bool place_message_rule(struct ft_ruleset *set, uint32_t rule, const struct way *way,
                               uint32_t protocol, uint32_t row)
{
    struct ft_place_of_rules *at = place_of(set, protocol, row);
    struct ft_compiled *c = &set->compiled[rule];
    struct wanting w = {set, c, protocol, row};
    bool ok = want_all(&w);
    if (c->is_of_flow)
        return ok;
    at->classes |= c->classes;
    if (!way->count)
        return ok && append(&at->rules, rule);
    for (uint32_t i = 0; ok && i < way->count; i++)
        ok = way->keys[i].operand == PATTERN ? include(&at->groups, way->keys[i].group)
                                             : include(&at->keyed, way->keys[i].operand);
    return ok;
}

static bool place_other_rule(struct ft_ruleset *set, struct ft_place_of_rules *at, uint32_t rule,
                             const struct way *way)
{
    bool ok = true;
    at->classes = FT_CLASSES_ALL;
    if (!way->count)
        return append(&at->rules, rule);
    for (uint32_t i = 0; ok && i < way->count; i++) {
        const struct way_key *k = &way->keys[i];
        bool is_port = k->operand == PATTERN && at == &set->payload && is_port_group(set, k->group);
        ok = is_port                 ? include(&set->flow_groups, k->group)
             : k->operand == PATTERN ? include(&at->groups, k->group)
                                     : include(&at->keyed, k->operand);
    }
    return ok;
}

/* ---- what flows decide ---- */

static bool has_test_of_flow(const struct ft_program *p)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (p->code[i].kind == FT_INSTRUCTION_TEST && ft_test_is_of_flow(p->code[i].test))
            return true;
    return false;
}

/* Is it about all messages of its protocols, as far as their commands go? */
static bool is_of_all_commands(const struct ft_ruleset *set, const struct ft_compiled *c)
{
    const struct ft_registry *registry = set->files->vocabulary.registry;
    const struct ft_expression *e = c->rule->expression;
    for (uint32_t p = 0; p < registry->count; p++) {
        struct slot_of at = {.protocol = registry->protocols[p], .class_ = -1};
        if (!ft_protocols_has(&c->homes, (uint16_t)p))
            continue;
        for (; at.row <= at.protocol->command_count; at.row++)
            if (!may_hold(e, e->worker, &at))
                return false;
    }
    return true;
}

/*
 * Rules that are found by addresses or ports are found once for a flow. So are those that nothing
 * finds, if they ask for addresses at all, and would be tested on each message of a protocol.
 */
static bool is_of_flow(const struct ft_ruleset *set, const struct ft_compiled *c,
                       const struct way *way)
{
    if (c->level == FT_LEVEL_FLOW)
        return false;
    for (uint32_t i = 0; i < way->count; i++)
        if (way->keys[i].operand == PATTERN || !is_key_of_flow(set, &way->keys[i]))
            return false;
    return way->count || (has_test_of_flow(&c->program) &&
                          (c->level == FT_LEVEL_PAYLOAD || is_of_all_commands(set, c)));
}

static bool place_flow_rule(struct ft_ruleset *set, uint32_t rule, const struct way *way)
{
    bool ok = way->count || append(&set->flow_rules, rule);
    for (uint32_t i = 0; ok && i < way->count; i++)
        ok = include(&set->flow_operands, way->keys[i].operand);
    return ok;
}

/* Classes of messages that it may hold for, a bit each. */
static uint32_t classes_of(const struct ft_expression *e)
{
    uint32_t classes = 0;
    for (int class_ = 0; class_ <= FT_CLASS_COUNT; class_++) {
        const struct slot_of at = {.class_ = class_};
        classes |= (uint32_t)(!e->worker || may_hold(e, e->worker, &at)) << class_;
    }
    return classes;
}

static bool add_way(struct ft_ruleset *set, uint32_t rule, const struct way *way)
{
    bool ok = true;
    for (uint32_t i = 0; ok && i < way->count; i++) {
        const struct way_key *k = &way->keys[i];
        if (k->operand == PATTERN)
            ok = append(&set->pattern_rules[set->first_pattern[k->group] + k->value], rule);
        else
            ok = add_key(set, k->operand, k->value, rule);
    }
    return ok;
}

/* Where the rule may hold, and how it is found there. */
static bool place_rule(struct making *m, uint32_t rule, struct way *way, char *error, size_t size)
{
    struct ft_ruleset *set = m->set;
    struct ft_compiled *c = &set->compiled[rule];
    const struct ft_registry *registry = set->files->vocabulary.registry;
    const struct ft_expression *e = c->rule->expression;
    bool ok = true, is_placed = false;
    way->count = 0;
    if (e->worker)
        way_of(m, c, e->worker, way);
    c->is_linear = !way->count;
    c->is_pattern = way->count && way->keys[0].operand == PATTERN;
    c->is_of_flow = is_of_flow(set, c, way);
    c->classes = c->level == FT_LEVEL_MESSAGE ? classes_of(e) : FT_CLASSES_ALL;
    c->guard = e->worker ? ft_guard_of(e, e->worker) : (struct ft_guard){.protocol = UINT16_MAX};
    if (!add_way(set, rule, way) || (c->is_of_flow && !place_flow_rule(set, rule, way)))
        return false;
    if (c->level == FT_LEVEL_FLOW)
        return place_other_rule(set, &set->flow, rule, way);
    if (c->level == FT_LEVEL_PAYLOAD) {
        set->has_payload = true;
        c->is_joinable = ft_program_is_joinable(&c->program);
        set->has_joint |= c->is_joinable;
        return c->is_of_flow || place_other_rule(set, &set->payload, rule, way);
    }
    for (uint32_t p = 0; ok && p < registry->count; p++) {
        if (!ft_protocols_has(&c->homes, (uint16_t)p))
            continue;
        struct slot_of at = {.protocol = registry->protocols[p], .class_ = -1};
        for (; ok && at.row <= at.protocol->command_count; at.row++)
            if (may_hold(e, e->worker, &at)) {
                is_placed = true;
                c->slots |= ft_slot_bit(set->first_place[p] + at.row);
                ok = place_message_rule(set, rule, way, p, at.row);
            }
    }
    if (ok && !is_placed) {
        size_t used = strlen(error);
        snprintf(error + used, size - used,
                 "%s%s:%u:%u: rule %u can never hold: no message has such a protocol and command",
                 used ? "\n" : "", c->rule->file, c->rule->when_place.line,
                 c->rule->when_place.column, c->rule->id);
    }
    return ok;
}

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

/* Ports or a protocol that payloads must have, so that only those are searched; 0: any. */
static uint64_t binding_of(struct ft_ruleset *set, const struct ft_compiled *c)
{
    const struct ft_expression *e = c->rule->expression;
    uint64_t binding = 0;
    for (uint32_t i = 1; i < e->count && !binding; i++) {
        bool is_demanded = e->worker == i || (e->nodes[e->worker].kind == FT_EXPRESSION_AND &&
                                              ft_expression_is_child(e, e->worker, i));
        if (e->nodes[i].kind == FT_EXPRESSION_TEST && is_demanded)
            binding = binding_of_test(set, &e->nodes[i].test);
    }
    if (c->level == FT_LEVEL_MESSAGE && !c->is_anywhere)
        for (uint32_t p = 0; p < FT_MAX_PROTOCOLS && !binding; p++)
            if (ft_protocols_has(&c->homes, (uint16_t)p))
                binding = FT_BINDING_PROTOCOL | p;
    return binding ? binding : FT_BINDING_ANY | c->level;
}

static bool compile_rule(struct making *m, uint32_t index)
{
    struct ft_ruleset *set = m->set;
    struct ft_compiled *c = &set->compiled[index];
    const struct ft_vocabulary *v = &set->files->vocabulary;
    c->rule = &set->files->rules[index];
    const struct ft_expression *e = c->rule->expression;
    c->level = e->worker ? level_of(e, e->worker) : FT_LEVEL_FLOW;
    if (e->worker)
        homes_of(v, e, e->worker, &c->homes);
    c->is_anywhere = ft_protocols_is_empty(&c->homes);
    for (uint32_t p = 0; c->is_anywhere && p < v->registry->count; p++)
        ft_protocols_add(&c->homes, (uint16_t)p);
    set->patterns.binding = binding_of(set, c);
    return (!e->worker || ft_program_make(&c->program, v, e, e->worker, &set->patterns)) &&
           (!e->core || ft_program_make(&c->core, v, e, e->core, &set->patterns));
}

static bool make_wants(const struct ft_ruleset *set, struct ft_wants *wants)
{
    wants->by_row = calloc(set->place_count + 1, sizeof(*wants->by_row));
    wants->demand_rows = calloc(set->place_count + 1, sizeof(*wants->demand_rows));
    if (!wants->by_row || !wants->demand_rows)
        return false;
    for (uint32_t i = 0; i < set->place_count; i++)
        wants->demand_rows[i] = ft_demand_nothing;
    for (uint32_t p = 0; p < set->files->vocabulary.registry->count; p++)
        wants->demand[p] = (struct ft_demand){.before = ft_demand_nothing,
                                              .by_row = &wants->demand_rows[set->first_place[p]]};
    return true;
}

static bool make_tables(struct ft_ruleset *set)
{
    const struct ft_registry *registry = set->files->vocabulary.registry;
    uint32_t places = 0, patterns = 0;
    for (uint32_t p = 0; p < registry->count; p++) {
        set->first_place[p] = places;
        places += registry->protocols[p]->command_count + 1;
    }
    set->place_count = places;
    set->places = calloc(places + 1, sizeof(*set->places));
    set->gates = calloc(places + 1, sizeof(*set->gates));
    set->first_pattern = calloc(set->patterns.count + 1, sizeof(*set->first_pattern));
    if (!set->places || !set->gates || !make_wants(set, &set->wants[0]) ||
        !make_wants(set, &set->wants[1]) || !set->first_pattern)
        return false;
    for (uint32_t g = 0; g < set->patterns.count; g++) {
        set->first_pattern[g] = patterns;
        patterns += set->patterns.groups[g].count;
    }
    set->pattern_count = patterns;
    set->pattern_rules = calloc(patterns + 1, sizeof(*set->pattern_rules));
    return set->pattern_rules != NULL;
}

/* Which rules say what none of the set before said; both are in order of id. */
static void mark_new(struct ft_ruleset *set, const struct ft_ruleset *before)
{
    uint32_t at = 0, count = before ? before->files->count : 0;
    for (uint32_t i = 0; i < set->files->count; i++) {
        const struct ft_rule *r = &set->files->rules[i],
                             *was = before ? before->files->rules : NULL;
        while (at < count && was[at].id < r->id)
            at++;
        struct ft_compiled *c = &set->compiled[i];
        c->is_new = at == count || was[at].id != r->id || was[at].fingerprint != r->fingerprint;
        set->has_new_flow |= c->is_new && c->level == FT_LEVEL_FLOW;
    }
}

/* Where a rule asks for a pattern; NULL: it does not. */
static const struct ft_place *place_of_pattern(const struct ft_compiled *c,
                                               const struct ft_program *p, uint32_t group,
                                               uint32_t pattern)
{
    const struct ft_expression *e = c->rule->expression;
    for (uint32_t i = 0; i < p->count; i++)
        for (uint32_t node = 1; p->code[i].group == group && p->code[i].pattern == pattern &&
                                c->rule->test_places && node < e->count;
             node++)
            if (p->code[i].test == &e->nodes[node].test && c->rule->test_places[node].line)
                return &c->rule->test_places[node];
    return NULL;
}

/* A group of patterns that cannot be compiled: the place of the last, which was one too many. */
static void tell_pattern(const struct ft_ruleset *set, uint32_t group, const char *wrong,
                         char *error, size_t size)
{
    for (uint32_t i = set->files->count; i-- > 0;) {
        const struct ft_compiled *c = &set->compiled[i];
        uint32_t last = set->patterns.groups[group].count - 1;
        const struct ft_place *at = place_of_pattern(c, &c->program, group, last);
        at = at ? at : place_of_pattern(c, &c->core, group, last);
        if (!at)
            continue;
        size_t used = strlen(error);
        snprintf(error + used, size - used, "%s%s:%u:%u: when: %s", used ? "\n" : "", c->rule->file,
                 at->line, at->column, wrong);
        return;
    }
}

/* All that cannot be are told. */
static bool compile_patterns(struct ft_ruleset *set, const struct ft_ruleset *before, char *error,
                             size_t size)
{
    char wrong[512];
    for (uint32_t i = 0; i < set->patterns.count; i++)
        if (!ft_patterns_compile(&set->patterns, i, before ? &before->patterns : NULL, wrong,
                                 sizeof(wrong)))
            tell_pattern(set, i, wrong, error, size);
    return !*error;
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

static void make_gates(struct ft_ruleset *set)
{
    const struct ft_registry *registry = set->files->vocabulary.registry;
    for (uint32_t p = 0; p < registry->count; p++) {
        for (uint32_t row = 0; row <= registry->protocols[p]->command_count; row++) {
            uint32_t place = set->first_place[p] + row;
            set->gates[place] = (struct ft_place_gate){fields_of_place(set, &set->places[place], p),
                                                       set->places[place].classes};
        }
    }
}

static bool make_set(struct making *m, const struct ft_ruleset *before, char *error, size_t size)
{
    struct ft_ruleset *set = m->set;
    struct way *way = malloc(sizeof(*way));
    bool ok = way != NULL;
    for (uint32_t i = 0; ok && i < set->files->count; i++)
        ok = compile_rule(m, i);
    mark_new(set, before);
    ok = ok && make_tables(set);
    m->is_counting = true;
    for (uint32_t i = 0; ok && i < set->files->count; i++)
        if (set->compiled[i].rule->expression->worker)
            way_of(m, &set->compiled[i], set->compiled[i].rule->expression->worker, way);
    m->is_counting = false;
    for (uint32_t i = 0; ok && i < set->files->count; i++)
        ok = place_rule(m, i, way, error, size);
    if (ok)
        make_gates(set);
    free(way);
    free(m->tally.slots);
    if (!ok || m->is_short) {
        snprintf(error, size, "not enough memory for the rules");
        return false;
    }
    return compile_patterns(set, before, error, size);
}

struct ft_ruleset *ft_ruleset_new(struct ft_rule_files *files, const struct ft_ruleset *before,
                                  char *error, size_t error_size)
{
    struct ft_ruleset *set = calloc(1, sizeof(*set));
    struct making m = {.set = set};
    *error = 0;
    if (!set) {
        ft_rule_files_free(files);
        snprintf(error, error_size, "not enough memory for the rules");
        return NULL;
    }
    set->files = files;
    set->compiled = calloc(files->count + 1, sizeof(*set->compiled));
    if (set->compiled && make_set(&m, before, error, error_size))
        return set;
    if (!*error)
        snprintf(error, error_size, "not enough memory for the rules");
    ft_ruleset_free(set);
    return NULL;
}

static void free_place(struct ft_place_of_rules *p)
{
    free(p->rules.items);
    free(p->keyed.items);
    free(p->groups.items);
}

static void free_wants(const struct ft_ruleset *set, struct ft_wants *wants)
{
    for (uint32_t i = 0; wants->by_row && i < set->place_count; i++)
        free(wants->by_row[i]);
    for (uint32_t p = 0; p < FT_MAX_PROTOCOLS; p++)
        free(wants->before[p]);
    free(wants->by_row);
    free(wants->demand_rows);
}

void ft_ruleset_free(struct ft_ruleset *set)
{
    if (!set)
        return;
    for (uint32_t i = 0; set->compiled && i < set->files->count; i++) {
        ft_program_free(&set->compiled[i].program);
        ft_program_free(&set->compiled[i].core);
    }
    for (uint32_t i = 0; set->places && i < set->place_count; i++)
        free_place(&set->places[i]);
    for (unsigned i = 0; i < 2; i++)
        free_wants(set, &set->wants[i]);
    for (uint32_t i = 0; i < set->key_size; i++)
        free(set->keys[i].rules.items);
    for (uint32_t i = 0; set->pattern_rules && i < set->pattern_count; i++)
        free(set->pattern_rules[i].items);
    free_place(&set->flow);
    free_place(&set->payload);
    ft_patterns_free(&set->patterns);
    free(set->compiled);
    free(set->places);
    free(set->gates);
    free(set->flow_operands.items);
    free(set->flow_rules.items);
    free(set->flow_groups.items);
    free(set->first_pattern);
    free(set->pattern_rules);
    free(set->keys);
    free(set->keyed);
    free(set->port_lists);
    ft_rule_files_free(set->files);
    free(set);
}

/* ---- asking ---- */

uint32_t ft_ruleset_count(const struct ft_ruleset *set)
{
    return set->files->count;
}

const struct ft_rule *ft_ruleset_rule(const struct ft_ruleset *set, uint32_t index)
{
    return &set->files->rules[index];
}

const struct ft_demand *ft_ruleset_demand(const struct ft_ruleset *set, bool is_of_flow)
{
    return set->wants[is_of_flow].demand;
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

bool ft_ruleset_has_payload(const struct ft_ruleset *set)
{
    return set->has_payload;
}

bool ft_ruleset_has_joint(const struct ft_ruleset *set)
{
    return set->has_joint;
}

bool ft_ruleset_has_flow(const struct ft_ruleset *set)
{
    return set->flow.classes != 0;
}

bool ft_ruleset_has_new_flow(const struct ft_ruleset *set)
{
    return set->has_new_flow;
}

const struct ft_program *ft_ruleset_core_program(const struct ft_ruleset *set, uint32_t index)
{
    return set->compiled[index].core.count ? &set->compiled[index].core : NULL;
}

const struct ft_vocabulary *ft_ruleset_vocabulary(const struct ft_ruleset *set)
{
    return &set->files->vocabulary;
}

const struct ft_patterns *ft_ruleset_patterns(const struct ft_ruleset *set)
{
    return &set->patterns;
}

enum ft_rule_cost ft_ruleset_cost(const struct ft_ruleset *set, uint32_t index)
{
    const struct ft_compiled *c = &set->compiled[index];
    bool searches_any = false, searches = false;
    for (uint32_t i = 0; i < c->program.count; i++) {
        const struct ft_instruction *code = &c->program.code[i];
        if (code->kind != FT_INSTRUCTION_TEST || code->test->left.keyword != FT_KEYWORD_PAYLOAD ||
            (code->test->kind != FT_TEST_CONTAINS && code->test->kind != FT_TEST_MATCHES))
            continue;
        searches = true;
        searches_any |= set->patterns.groups[code->group].binding >= FT_BINDING_ANY;
    }
    if (searches && (c->is_pattern || c->is_linear))
        return searches_any ? FT_RULE_COST_EVERY_PAYLOAD : FT_RULE_COST_CONTENT;
    if (!c->is_linear)
        return FT_RULE_COST_KEYED;
    return c->is_of_flow || (c->level == FT_LEVEL_MESSAGE && !c->is_anywhere)
               ? FT_RULE_COST_COMMAND
               : FT_RULE_COST_EVERY_MESSAGE;
}

const char *ft_rule_cost_name(enum ft_rule_cost cost)
{
    static const char *const names[] = {"by value", "by command", "content", "every message",
                                        "every payload"};
    return names[cost];
}
