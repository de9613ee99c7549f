/* SPDX-License-Identifier: BSD-3-Clause */
/* Rule sets: by which values or patterns a rule is found best. */
#include "base/hash.h"
#include "rules/ruleset_making.h"

#include <stdlib.h>
#include <string.h>

/* A key that a flow has may find so many rules more than one that each message is asked for ... */
#define MESSAGE_KEY_PRICE 64u
/* ... and than a pattern that payloads of a port are searched for, with all others of the port. */
#define PORT_PATTERN_PRICE 4u
/* What no flow has each payload is asked for, of whatever flow. */
#define ANY_PAYLOAD_PRICE 4096u

/* Number of a keyed operand, which is made when it is new. */
static uint32_t keyed_operand(struct ft_making *m, const struct ft_operand *o, uint8_t bits)
{
    struct ft_ruleset *set = m->set;
    for (uint32_t i = 0; i < set->keyed_count; i++)
        if (set->keyed[i].bits == bits && ft_operand_is_same(&set->keyed[i].operand, o))
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

static void number_keys(struct ft_making *m, const struct ft_test *t, struct ft_way *way)
{
    uint64_t low, high;
    uint32_t operand = keyed_operand(m, &t->left, 0);
    for (uint32_t i = 0; ft_test_numbers_at(t, i, &low, &high); i++)
        for (uint64_t v = low;; v++) {
            if (way->count == FT_WAY_KEYS_MAX) {
                way->count = 0;
                return;
            }
            way->keys[way->count++] = (struct ft_way_key){.operand = operand, .value = v};
            if (v == high)
                break;
        }
}

/* The networks, without so many bits, that a test asks for; false: they are too many. */
static bool network_keys(const struct ft_test *t, unsigned bits, struct ft_way *way)
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
            if (way->count == FT_WAY_KEYS_MAX)
                return false;
            way->keys[way->count++].value = value;
        }
    }
    return true;
}

/* Addresses one by one, else the least networks in which they are. */
static void address_keys(struct ft_making *m, const struct ft_test *t, struct ft_way *way)
{
    static const uint8_t bits[] = {0, 8, 16, 24, 64};
    for (unsigned i = 0; i < sizeof(bits); i++) {
        if (!network_keys(t, bits[i], way))
            continue;
        uint32_t operand = keyed_operand(m, &t->left, bits[i]);
        for (uint32_t k = 0; k < way->count; k++)
            way->keys[k] = (struct ft_way_key){.operand = operand, .value = way->keys[k].value};
        return;
    }
    way->count = 0;
}

/* A tag is in payloads of its port only. */
static void tag_keys(struct ft_making *m, const struct ft_test *t, struct ft_way *way)
{
    const struct ft_tag *tag = &m->set->files->vocabulary.tags[t->left.field];
    bool is_l2 = tag->transport == FT_TRANSPORT_L2;
    struct ft_operand port = {.keyword = is_l2 ? FT_KEYWORD_ETHERTYPE : FT_KEYWORD_PORT,
                              .type = FT_VALUE_TYPE_UINT,
                              .is_many = !is_l2};
    way->keys[way->count++] =
        (struct ft_way_key){.operand = keyed_operand(m, &port, 0), .value = tag->port};
}

static void pattern_key(const struct ft_program *p, const struct ft_test *t, struct ft_way *way)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (p->code[i].test == t && p->code[i].kind == FT_INSTRUCTION_TEST)
            way->keys[way->count++] = (struct ft_way_key){
                .operand = FT_WAY_PATTERN, .group = p->code[i].group, .value = p->code[i].pattern};
}

static uint32_t tally_slot(const struct ft_tally *t, const struct ft_way_key *k)
{
    uint64_t hash = ft_hash_mix((uint64_t)k->operand << 32 | k->group, k->value);
    uint32_t at = (uint32_t)(hash >> 20) & (t->size - 1);
    while (t->slots[at].count &&
           (t->slots[at].key.operand != k->operand || t->slots[at].key.group != k->group ||
            t->slots[at].key.value != k->value))
        at = (at + 1) & (t->size - 1);
    return at;
}

static bool tally_grow(struct ft_tally *t)
{
    struct ft_tally bigger = {.size = t->size ? t->size * 2 : 1024, .used = t->used};
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

static void tally_add(struct ft_making *m, const struct ft_way *way)
{
    struct ft_tally *t = &m->tally;
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

bool ft_way_key_is_of_flow(const struct ft_ruleset *set, const struct ft_way_key *k)
{
    const struct ft_test t = {.kind = FT_TEST_EXISTS, .left = set->keyed[k->operand].operand};
    return ft_test_is_of_flow(&t);
}

bool ft_ruleset_is_port_group(const struct ft_ruleset *set, uint32_t group)
{
    uint64_t binding = set->patterns.groups[group].binding;
    return binding >> 32 == FT_BINDING_PORT >> 32 && !(binding & FT_BINDING_ETHERTYPE);
}

/* What a key costs messages, in rules that it might find as well. */
static uint64_t key_price(const struct ft_ruleset *set, const struct ft_compiled *c,
                          const struct ft_way_key *k)
{
    if (k->operand == FT_WAY_PATTERN)
        return ft_ruleset_is_port_group(set, k->group) ? PORT_PATTERN_PRICE : MESSAGE_KEY_PRICE;
    if (!ft_way_key_is_of_flow(set, k))
        return c->level == FT_LEVEL_PAYLOAD ? ANY_PAYLOAD_PRICE : MESSAGE_KEY_PRICE;
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
static uint64_t price(const struct ft_making *m, const struct ft_compiled *c,
                      const struct ft_way *way)
{
    uint64_t sum = 0, most = 0;
    for (uint32_t i = 0; m->tally.size && i < way->count; i++) {
        const struct ft_way_key *k = &way->keys[i];
        uint64_t one = key_price(m->set, c, k);
        most = one > most ? one : most;
        sum += m->tally.slots[tally_slot(&m->tally, k)].count;
    }
    return sum + most;
}

static void way_of_chain(struct ft_making *m, const struct ft_compiled *c, uint32_t node,
                         struct ft_way *way)
{
    const struct ft_expression *e = c->rule->expression;
    bool is_and = e->nodes[node].kind == FT_EXPRESSION_AND, is_first = true;
    struct ft_way *one = malloc(sizeof(*one));
    if (!one) {
        m->is_short = true;
        return;
    }
    for (uint32_t child = e->nodes[node].child; child; child = e->nodes[child].next) {
        ft_way_of(m, c, child, one);
        if (is_and) {
            if (one->count && (!way->count || price(m, c, one) < price(m, c, way)))
                *way = *one;
        } else if (!one->count || (!is_first && !way->count) ||
                   way->count + one->count > FT_WAY_KEYS_MAX) {
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

void ft_way_of(struct ft_making *m, const struct ft_compiled *c, uint32_t node, struct ft_way *way)
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
            ft_way_of(m, c, n->child, way);
        return;
    }
    bool is_pattern = t->kind == FT_TEST_CONTAINS || t->kind == FT_TEST_MATCHES;
    if (is_pattern && !t->is_negated)
        pattern_key(&c->program, t, way);
    else if (t->left.is_tag && !t->is_negated)
        tag_keys(m, t, way);
    else if (is_key(t) && t->kind == FT_TEST_TEXT)
        way->keys[way->count++] =
            (struct ft_way_key){.operand = keyed_operand(m, &t->left, t->ignores_case),
                                .value = ft_key_of_text(t->text, t->length)};
    else if (is_key(t) && t->left.type == FT_VALUE_TYPE_ADDRESS)
        address_keys(m, t, way);
    else if (is_key(t))
        number_keys(m, t, way);
    if (m->is_counting)
        tally_add(m, way);
}
