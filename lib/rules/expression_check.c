/* SPDX-License-Identifier: BSD-3-Clause */
/* Conditions of rules: what can never hold; and tests as text. */
#include "rules/expression_internal.h"

#include <arpa/inet.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>

/* Ranges looked at of a set; a larger one is taken to meet anything. */
#define RANGES_MAX 4096u

/* Bits of a number whose values are all tried; and values that are tried for one condition. */
#define VALUE_BITS 16
#define VALUES_MAX (1u << 20)

/* Tests on one field, joined by `and`, that are looked at together. */
#define OTHERS_MAX 64u

/* What contradictions are looked for in, and how many values may still be tried for that. */
struct clashes {
    const struct ft_vocabulary *v;
    const struct ft_expression *e;
    uint32_t budget;
};

bool ft_test_has_number(const struct ft_test *test, uint64_t key)
{
    switch (test->kind) {
    case FT_TEST_RANGE:
        return key >= test->low && key <= test->high;
    case FT_TEST_NUMBERS:
        return ft_set_has_number(test->set, key);
    case FT_TEST_MASK:
        return (key & test->mask) != 0;
    default:
        return false;
    }
}

static bool is_less(struct ft_set_address a, struct ft_set_address b)
{
    return a.high != b.high ? a.high < b.high : a.low < b.low;
}

bool ft_test_has_address(const struct ft_test *test, struct ft_set_address address)
{
    if (test->kind == FT_TEST_ADDRESS)
        return !is_less(address, test->address_low) && !is_less(test->address_high, address);
    return test->kind == FT_TEST_ADDRESSES && ft_set_has_address(test->set, address);
}

/* The ranges of a test, however it is written. */
bool ft_test_numbers_at(const struct ft_test *t, uint32_t i, uint64_t *low, uint64_t *high)
{
    if (t->kind == FT_TEST_NUMBERS)
        return ft_set_numbers_at(t->set, i, low, high);
    *low = t->low;
    *high = t->high;
    return t->kind == FT_TEST_RANGE && i == 0;
}

bool ft_test_addresses_at(const struct ft_test *t, uint32_t i, struct ft_set_address *low,
                          struct ft_set_address *high)
{
    if (t->kind == FT_TEST_ADDRESSES)
        return ft_set_addresses_at(t->set, i, low, high);
    *low = t->address_low;
    *high = t->address_high;
    return t->kind == FT_TEST_ADDRESS && i == 0;
}

/* Has `b` a value that `a` has? */
static bool numbers_meet(const struct ft_test *a, const struct ft_test *b)
{
    uint64_t al, ah, bl, bh;
    uint32_t i = 0, j = 0;
    while (i < RANGES_MAX && j < RANGES_MAX) {
        if (!ft_test_numbers_at(a, i, &al, &ah) || !ft_test_numbers_at(b, j, &bl, &bh))
            return false;
        if (ah < bl)
            i++;
        else if (bh < al)
            j++;
        else
            return true;
    }
    return true;
}

static bool addresses_meet(const struct ft_test *a, const struct ft_test *b)
{
    struct ft_set_address al, ah, bl, bh;
    uint32_t i = 0, j = 0;
    while (i < RANGES_MAX && j < RANGES_MAX) {
        if (!ft_test_addresses_at(a, i, &al, &ah) || !ft_test_addresses_at(b, j, &bl, &bh))
            return false;
        if (is_less(ah, bl))
            i++;
        else if (is_less(bh, al))
            j++;
        else
            return true;
    }
    return true;
}

/* Is all that `a` has in `b`? Ranges are joined: one of `a` lies in one of `b`, or not at all. */
static bool numbers_within(const struct ft_test *a, const struct ft_test *b)
{
    uint64_t al, ah, bl, bh;
    for (uint32_t i = 0, j = 0; ft_test_numbers_at(a, i, &al, &ah); i++) {
        while (ft_test_numbers_at(b, j, &bl, &bh) && bh < al)
            j++;
        if (i == RANGES_MAX || !ft_test_numbers_at(b, j, &bl, &bh) || al < bl || ah > bh)
            return false;
    }
    return true;
}

static bool addresses_within(const struct ft_test *a, const struct ft_test *b)
{
    struct ft_set_address al, ah, bl, bh;
    for (uint32_t i = 0, j = 0; ft_test_addresses_at(a, i, &al, &ah); i++) {
        while (ft_test_addresses_at(b, j, &bl, &bh) && is_less(bh, al))
            j++;
        if (i == RANGES_MAX || !ft_test_addresses_at(b, j, &bl, &bh) || is_less(al, bl) ||
            is_less(bh, ah))
            return false;
    }
    return true;
}

static bool is_numbers(const struct ft_test *t)
{
    return t->kind == FT_TEST_RANGE || t->kind == FT_TEST_NUMBERS;
}

static bool is_addresses(const struct ft_test *t)
{
    return t->kind == FT_TEST_ADDRESS || t->kind == FT_TEST_ADDRESSES;
}

static bool has_text(const struct ft_test *texts, const struct ft_test *one)
{
    if (texts->kind == FT_TEST_TEXTS)
        return ft_set_has_text(texts->set, one->text, one->length);
    return texts->length == one->length && memcmp(texts->text, one->text, one->length) == 0;
}

static bool is_whole_text(const struct ft_test *t)
{
    return t->kind == FT_TEST_TEXT || t->kind == FT_TEST_TEXTS;
}

/* Are they about the same values, before masks? */
static bool same_operand(const struct ft_test *a, const struct ft_test *b)
{
    return ft_operand_is_same(&a->left, &b->left) && a->is_code == b->is_code &&
           a->ignores_case == b->ignores_case;
}

static bool same_mask(const struct ft_test *a, const struct ft_test *b)
{
    return a->has_mask == b->has_mask && a->mask == b->mask;
}

/* Can both hold of one value? */
static bool can_both(const struct ft_test *a, const struct ft_test *b)
{
    if (b->is_none && !a->is_none) {
        if (is_numbers(a) && is_numbers(b))
            return !numbers_within(a, b);
        if (is_addresses(a) && is_addresses(b))
            return !addresses_within(a, b);
        return !(a->kind == FT_TEST_TEXT && is_whole_text(b) && has_text(b, a));
    }
    if (a->is_none || b->is_none)
        return true;
    if (is_numbers(a) && is_numbers(b))
        return numbers_meet(a, b);
    if (is_addresses(a) && is_addresses(b))
        return addresses_meet(a, b);
    if (a->kind == FT_TEST_TEXT && is_whole_text(b))
        return has_text(b, a);
    return !(b->kind == FT_TEST_TEXT && is_whole_text(a) && !has_text(a, b));
}

/* Is a text looked for in payloads that are shorter? */
static bool is_too_long(const struct ft_test *text, const struct ft_test *length)
{
    return text->kind == FT_TEST_CONTAINS && text->left.keyword == FT_KEYWORD_PAYLOAD &&
           !text->is_negated && length->kind == FT_TEST_RANGE &&
           length->left.keyword == FT_KEYWORD_PAYLOAD_LENGTH && !length->is_none &&
           !length->is_negated && length->high < text->length;
}

/* ---- masks ---- */

bool ft_test_is_of_number(const struct ft_test *t)
{
    return is_numbers(t) || t->kind == FT_TEST_MASK;
}

bool ft_test_passes(const struct ft_test *t, uint64_t value)
{
    return ft_test_has_number(t, t->has_mask ? value & t->mask : value) != t->is_none;
}

/* The least number from `low` on that has no bits but those of a mask; false: there is none. */
static bool next_within(uint64_t mask, uint64_t low, uint64_t *next)
{
    uint64_t outside = low & ~mask;
    *next = low;
    if (!outside)
        return true;
    /* A bit of the mask above the first one outside is set, and what is below it is not. */
    unsigned first = 63 - (unsigned)__builtin_clzll(outside);
    for (unsigned bit = first + 1; bit < 64; bit++)
        if (mask >> bit & 1 && !(low >> bit & 1)) {
            *next = (low >> bit | 1) << bit;
            return true;
        }
    return false;
}

bool ft_test_mask_leaves_any(const struct ft_test *t)
{
    uint64_t low, high, value = 0;
    if (!t->has_mask || !is_numbers(t))
        return true;
    if (t->is_none) {
        if (__builtin_popcountll(t->mask) > VALUE_BITS)
            return true;
        do {
            if (!ft_test_has_number(t, value))
                return true;
            value = (value - t->mask) & t->mask;
        } while (value);
        return false;
    }
    for (uint32_t i = 0; i < RANGES_MAX; i++) {
        if (!ft_test_numbers_at(t, i, &low, &high))
            return false;
        if (next_within(t->mask, low, &value) && value <= high)
            return true;
    }
    return true;
}

/* Which bits of a value matter for a test. */
static uint64_t bits_of(const struct ft_test *t)
{
    return t->has_mask ? t->mask : ft_reader_largest(&t->left);
}

/* Is there a value among those that `listed` names for which both hold? With too many there may be.
 */
static bool has_listed(const struct ft_test *listed, const struct ft_test *other, uint32_t *budget)
{
    uint64_t low, high;
    for (uint32_t i = 0; ft_test_numbers_at(listed, i, &low, &high); i++) {
        if (high - low >= *budget)
            return true;
        *budget -= (uint32_t)(high - low) + 1;
        for (uint64_t n = 0; n <= high - low; n++)
            if (ft_test_passes(other, low + n))
                return true;
    }
    return false;
}

/* Can both hold of one number, of which at least one looks at some bits only? */
static bool can_both_masked(const struct ft_test *a, const struct ft_test *b, uint32_t *budget)
{
    uint64_t bits = bits_of(a) | bits_of(b), value = 0;
    if (!a->has_mask && is_numbers(a) && !a->is_none)
        return has_listed(a, b, budget);
    if (!b->has_mask && is_numbers(b) && !b->is_none)
        return has_listed(b, a, budget);
    if (__builtin_popcountll(bits) > VALUE_BITS || *budget < 1u << VALUE_BITS)
        return true;
    *budget -= 1u << __builtin_popcountll(bits);
    do {
        if (ft_test_passes(a, value) && ft_test_passes(b, value))
            return true;
        value = (value - bits) & bits;
    } while (value);
    return false;
}

/* ---- the same ---- */

static bool same_set(const struct ft_set *a, const struct ft_set *b)
{
    struct ft_set_address first[2], last[2];
    uint64_t low[2], high[2];
    const char *text;
    size_t length;
    if (a == b)
        return true;
    if (!a || !b || ft_set_kind_of(a) != ft_set_kind_of(b) || ft_set_size(a) != ft_set_size(b))
        return false;
    for (uint32_t i = 0; ft_set_numbers_at(a, i, &low[0], &high[0]); i++)
        if (!ft_set_numbers_at(b, i, &low[1], &high[1]) || low[0] != low[1] || high[0] != high[1])
            return false;
    for (uint32_t i = 0; ft_set_addresses_at(a, i, &first[0], &last[0]); i++)
        if (!ft_set_addresses_at(b, i, &first[1], &last[1]) || is_less(first[0], first[1]) ||
            is_less(first[1], first[0]) || is_less(last[0], last[1]) || is_less(last[1], last[0]))
            return false;
    for (uint32_t i = 0; ft_set_text_at(a, i, &text, &length); i++)
        if (!ft_set_has_text(b, text, length))
            return false;
    return true;
}

static bool same_value(const struct ft_test *a, const struct ft_test *b)
{
    switch (a->kind) {
    case FT_TEST_RANGE:
        return a->low == b->low && a->high == b->high;
    case FT_TEST_ADDRESS:
        return !is_less(a->address_low, b->address_low) &&
               !is_less(b->address_low, a->address_low) &&
               !is_less(a->address_high, b->address_high) &&
               !is_less(b->address_high, a->address_high);
    case FT_TEST_NUMBERS:
    case FT_TEST_ADDRESSES:
    case FT_TEST_TEXTS:
        return same_set(a->set, b->set);
    case FT_TEST_TEXT:
    case FT_TEST_CONTAINS:
    case FT_TEST_MATCHES:
        return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
    case FT_TEST_SAME:
        return a->same == b->same && ft_operand_is_same(&a->right, &b->right);
    default:
        return true;
    }
}

/* Do they ask for the same values, also when named sets are others? */
static bool same_asked(const struct ft_test *a, const struct ft_test *b)
{
    if (a->kind != b->kind || a->is_named != b->is_named)
        return false;
    return a->is_named ? a->set == b->set : same_value(a, b);
}

/* Do they say the same, but for `not`? */
static bool same_test(const struct ft_test *a, const struct ft_test *b)
{
    return a->is_none == b->is_none && same_operand(a, b) && same_mask(a, b) && same_asked(a, b);
}

/* "a < b and a == b": which orders of two values pass, a bit each: less, equal, greater. */
static unsigned orders_of(const struct ft_test *t)
{
    static const unsigned orders[] = {[FT_SAME_EQUAL] = 2,
                                      [FT_SAME_LESS] = 1,
                                      [FT_SAME_LESS_EQUAL] = 3,
                                      [FT_SAME_GREATER] = 4,
                                      [FT_SAME_GREATER_EQUAL] = 6};
    return t->is_none ? 7 & ~orders[t->same] : orders[t->same];
}

static bool can_both_same(const struct ft_test *a, const struct ft_test *b)
{
    bool is_many = a->left.is_many || a->right.is_many;
    return is_many || !same_mask(a, b) || !ft_operand_is_same(&a->right, &b->right) ||
           orders_of(a) & orders_of(b);
}

/*
 * `not x == 1` beside what asks for a value of x: there is one, and none is 1; so `x != 1`. And
 * `not x != 1` is `x == 1`.
 */
static struct ft_test without_not(const struct ft_test *t)
{
    struct ft_test plain = *t;
    plain.is_none = t->is_none != t->is_negated;
    plain.is_negated = false;
    return plain;
}

/* ---- senders and receivers ---- */

/* Words that mean either side, with those that mean one. */
static const struct sides {
    uint8_t either, side[2];
} all_sides[] = {
    {FT_KEYWORD_IP_ADDR, {FT_KEYWORD_IP_SRC, FT_KEYWORD_IP_DST}},
    {FT_KEYWORD_ETH_ADDR, {FT_KEYWORD_ETH_SRC, FT_KEYWORD_ETH_DST}},
    {FT_KEYWORD_PORT, {FT_KEYWORD_PORT_SRC, FT_KEYWORD_PORT_DST}},
    {FT_KEYWORD_VENDOR, {FT_KEYWORD_VENDOR_SRC, FT_KEYWORD_VENDOR_DST}},
    {FT_KEYWORD_MODEL, {FT_KEYWORD_MODEL_SRC, FT_KEYWORD_MODEL_DST}},
    {FT_KEYWORD_TYPE, {FT_KEYWORD_TYPE_SRC, FT_KEYWORD_TYPE_DST}},
};

static const struct sides *sides_of(const struct ft_operand *either)
{
    for (unsigned i = 0; i < sizeof(all_sides) / sizeof(all_sides[0]); i++)
        if (all_sides[i].either == either->keyword)
            return &all_sides[i];
    return NULL;
}

static bool is_side_of(const struct ft_test *either, const struct ft_test *one)
{
    const struct sides *s = sides_of(&either->left);
    return s && (one->left.keyword == s->side[0] || one->left.keyword == s->side[1]);
}

/*
 * "port.dst == 502 and port != 502", "... and not port == 502": what one side has to be neither may
 * be. The one asks for a value, so there are some.
 */
static bool is_one_excluded(const struct ft_test *one, const struct ft_test *either)
{
    if (!is_side_of(either, one) || one->is_negated)
        return false;
    if (either->kind == FT_TEST_EXISTS)
        return either->is_negated;
    struct ft_test none = without_not(either);
    if (!none.is_none || one->is_none || one->ignores_case != none.ignores_case ||
        !same_mask(one, &none))
        return false;
    if (same_asked(one, &none))
        return true;
    return !one->is_named && !none.is_named && !can_both(one, &none);
}

/* ---- two tests ---- */

/* "x.y == 1 and not x": what stands in a group is not there without it. */
static bool is_group_absent(const struct clashes *c, const struct ft_test *group,
                            const struct ft_test *inside)
{
    const struct ft_operand *g = &group->left, *o[] = {&inside->left, &inside->right};
    if (g->type != FT_VALUE_TYPE_GROUP || !group->is_negated || inside->is_negated)
        return false;
    for (unsigned i = 0; i < (inside->kind == FT_TEST_SAME ? 2 : 1); i++)
        if (!o[i]->keyword && !o[i]->is_tag && o[i]->protocol == g->protocol &&
            ft_field_is_inside(c->v->registry->protocols[g->protocol], o[i]->field, g->field))
            return true;
    return false;
}

/* Are they about the same values, or the second about the length of the first? */
static bool is_beside(const struct ft_test *a, const struct ft_test *b)
{
    return (ft_operand_is_same(&a->left, &b->left) && a->is_code == b->is_code) ||
           (a->left.keyword == FT_KEYWORD_PAYLOAD && b->left.keyword == FT_KEYWORD_PAYLOAD_LENGTH);
}

/* Of texts that one of two tests names, is there one for which the other holds? */
static bool has_text_for(const struct ft_test *a, const struct ft_test *b, uint32_t *budget)
{
    if (!is_beside(a, b) || a->is_named || b->is_named || (a->is_negated && b->is_negated))
        return true;
    struct ft_test x = without_not(a), y = without_not(b);
    return !is_whole_text(&x) || ft_test_has_value_for(&x, &y, 1, budget);
}

/* Can two tests that are joined by `and` hold of one message? */
static bool can_hold(struct clashes *c, const struct ft_test *a, const struct ft_test *b)
{
    uint32_t *budget = &c->budget;
    if (is_one_excluded(a, b) || is_one_excluded(b, a) || is_too_long(a, b) || is_too_long(b, a) ||
        is_group_absent(c, a, b) || is_group_absent(c, b, a) || !has_text_for(a, b, budget) ||
        !has_text_for(b, a, budget))
        return false;
    if (!same_operand(a, b))
        return true;
    if (same_test(a, b))
        return a->is_negated == b->is_negated;
    /* "not x": there is no value. */
    bool absent_a = a->is_negated && a->kind == FT_TEST_EXISTS;
    bool absent_b = b->is_negated && b->kind == FT_TEST_EXISTS;
    if (absent_a != absent_b)
        return absent_a ? b->is_negated : a->is_negated;
    if (a->is_named || b->is_named) /* a list may hold others tomorrow, and the rule with it */
        return true;
    if (a->is_negated && b->is_negated)
        return true;
    struct ft_test x = without_not(a), y = without_not(b);
    if (ft_operand_may_be_many(&x.left) && !x.is_none && !y.is_none)
        return true;
    if (x.kind == FT_TEST_SAME && y.kind == FT_TEST_SAME)
        return can_both_same(&x, &y);
    if (same_mask(&x, &y) && (!can_both(&x, &y) || !can_both(&y, &x)))
        return false;
    return (!x.has_mask && !y.has_mask) || x.left.is_many || !ft_test_is_of_number(&x) ||
           !ft_test_is_of_number(&y) || can_both_masked(&x, &y, budget);
}

/* "a != a", "a < a": what is compared with itself. Of a list two may be meant. */
static bool is_never_itself(const struct ft_test *t)
{
    return t->kind == FT_TEST_SAME && !t->is_negated && !t->has_mask &&
           ft_operand_is_same(&t->left, &t->right) && !(orders_of(t) & 2) &&
           (t->is_none || !t->left.is_many);
}

/* ---- the parts of an `and` ---- */

static bool is_leaf(const struct ft_expression_node *n)
{
    return n->kind == FT_EXPRESSION_TEST || n->kind == FT_EXPRESSION_ANY;
}

static bool implies(struct clashes *c, uint32_t a, uint32_t b);

static bool leaf_implies(struct clashes *c, uint32_t a, uint32_t b)
{
    const struct ft_expression_node *x = &c->e->nodes[a], *y = &c->e->nodes[b];
    if (x->kind != y->kind)
        return false;
    if (x->kind == FT_EXPRESSION_ANY)
        return x->is_negated == y->is_negated && ft_operand_is_same(&x->test.left, &y->test.left) &&
               (x->is_negated ? implies(c, y->child, x->child) : implies(c, x->child, y->child));
    struct ft_test contrary = y->test;
    contrary.is_negated = !contrary.is_negated;
    return !can_hold(c, &x->test, &contrary);
}

/* Does one part of the tree hold wherever another does? No, if it is too much work to tell. */
static bool implies(struct clashes *c, uint32_t a, uint32_t b)
{
    const struct ft_expression_node *nodes = c->e->nodes, *x = &nodes[a], *y = &nodes[b];
    uint32_t child;
    if (!c->budget)
        return false;
    c->budget--;
    if (is_leaf(x) && is_leaf(y))
        return leaf_implies(c, a, b);
    /* All of an `or` have to, and all of an `and` have to be; of the others one is enough. */
    if (x->kind == FT_EXPRESSION_OR) {
        for (child = x->child; child && implies(c, child, b); child = nodes[child].next) {}
        return !child;
    }
    if (y->kind == FT_EXPRESSION_AND) {
        for (child = y->child; child && implies(c, a, child); child = nodes[child].next) {}
        return !child;
    }
    for (child = is_leaf(x) ? 0 : x->child; child; child = nodes[child].next)
        if (implies(c, child, b))
            return true;
    for (child = is_leaf(y) ? 0 : y->child; child; child = nodes[child].next)
        if (implies(c, a, child))
            return true;
    return false;
}

/* "any x (...)" and `not any` of the same or more; or "not x". */
static bool is_any_excluded(struct clashes *c, uint32_t any, uint32_t other)
{
    const struct ft_expression_node *x = &c->e->nodes[any], *y = &c->e->nodes[other];
    if (x->kind != FT_EXPRESSION_ANY || x->is_negated)
        return false;
    if (y->kind == FT_EXPRESSION_TEST)
        return is_group_absent(c, &y->test, &x->test);
    return y->is_negated && ft_operand_is_same(&x->test.left, &y->test.left) &&
           implies(c, x->child, y->child);
}

/* Of an `or` one of its parts has to go with the other, of an `and` all. */
static bool go_together(struct clashes *c, uint32_t a, uint32_t b)
{
    const struct ft_expression_node *nodes = c->e->nodes, *x = &nodes[a], *y = &nodes[b];
    if (is_leaf(x) && is_leaf(y)) {
        if (x->kind == FT_EXPRESSION_TEST && y->kind == FT_EXPRESSION_TEST)
            return can_hold(c, &x->test, &y->test);
        return !is_any_excluded(c, a, b) && !is_any_excluded(c, b, a);
    }
    if (is_leaf(x))
        return go_together(c, b, a);
    bool is_or = x->kind == FT_EXPRESSION_OR;
    for (uint32_t child = x->child; child; child = nodes[child].next)
        if (go_together(c, child, b) == is_or)
            return is_or;
    return !is_or;
}

/* Is there a part of an `or` that goes with all it is joined with? */
static bool has_alternative(struct clashes *c, uint32_t and, uint32_t or)
{
    const struct ft_expression_node *nodes = c->e->nodes;
    for (uint32_t one = nodes[or].child; one; one = nodes[one].next) {
        uint32_t other = nodes[and].child;
        while (other && (other == or || go_together(c, one, other)))
            other = nodes[other].next;
        if (!other)
            return true;
    }
    return false;
}

/* "port == 5", or a tag of port 5, which asks for that too: as a test that knows sides. */
static bool either_side(const struct clashes *c, const struct ft_test *t, struct ft_test *either)
{
    *either = *t;
    if (t->is_negated || t->is_none || t->kind == FT_TEST_SAME)
        return false;
    if (!t->left.is_tag)
        return sides_of(&t->left) != NULL;
    const struct ft_tag *tag = &c->v->tags[t->left.field];
    *either = (struct ft_test){.kind = FT_TEST_RANGE,
                               .left = {.keyword = FT_KEYWORD_PORT, .type = FT_VALUE_TYPE_UINT},
                               .low = tag->port,
                               .high = tag->port};
    return tag->transport != FT_TRANSPORT_L2 && !tag->is_broken;
}

/* Do all others go with a test that is meant of one side? */
static bool go_all_with(struct clashes *c, uint32_t and, uint32_t node, const struct ft_test *one)
{
    const struct ft_expression_node *nodes = c->e->nodes;
    uint32_t other = nodes[and].child;
    while (other && (other == node || nodes[other].kind != FT_EXPRESSION_TEST ||
                     can_hold(c, one, &nodes[other].test)))
        other = nodes[other].next;
    return !other;
}

/*
 * "port == 1 and port == 2 and port == 3": of the tests on either side those that cannot hold where
 * this one does have to on the other side, all of them.
 */
static bool others_have_side(struct clashes *c, uint32_t and, uint32_t node,
                             const struct ft_test *one, uint8_t other_side)
{
    const struct ft_expression_node *nodes = c->e->nodes;
    struct ft_test others[OTHERS_MAX];
    uint32_t count = 0;
    for (uint32_t i = nodes[and].child; i && count < OTHERS_MAX; i = nodes[i].next) {
        struct ft_test *t = &others[count];
        if (i == node || nodes[i].kind != FT_EXPRESSION_TEST ||
            !either_side(c, &nodes[i].test, t) || !is_side_of(t, one))
            continue;
        t->left = one->left;
        if (can_hold(c, one, t))
            continue;
        t->left.keyword = other_side;
        if (!go_all_with(c, and, i, t))
            return false;
        for (uint32_t j = 0; j < count; j++)
            if (!can_hold(c, &others[j], t))
                return false;
        count++;
    }
    return true;
}

/* Is there a side for which it can hold beside all it is joined with? */
static bool has_side(struct clashes *c, uint32_t and, uint32_t node)
{
    struct ft_test one;
    if (!either_side(c, &c->e->nodes[node].test, &one))
        return true;
    const struct sides *s = sides_of(&one.left);
    one.left.is_many = false; /* addresses and ports; devices are many all the same */
    for (unsigned side = 0; side < 2; side++) {
        one.left.keyword = s->side[side];
        if (go_all_with(c, and, node, &one) && others_have_side(c, and, node, &one, s->side[!side]))
            return true;
    }
    return false;
}

/* Of the values that it names, is there one for which all hold that it is joined with? */
static bool has_value(struct clashes *c, uint32_t and, uint32_t node)
{
    const struct ft_expression_node *nodes = c->e->nodes;
    struct ft_test others[OTHERS_MAX];
    uint32_t count = 0;
    for (uint32_t other = nodes[and].child; other && count < OTHERS_MAX; other = nodes[other].next)
        if (other != node && nodes[other].kind == FT_EXPRESSION_TEST &&
            !nodes[other].test.is_named && is_beside(&nodes[node].test, &nodes[other].test))
            others[count++] = without_not(&nodes[other].test);
    return count < 2 || ft_test_has_value_for(&nodes[node].test, others, count, &c->budget);
}

static bool has_way(struct clashes *c, uint32_t and, uint32_t node)
{
    const struct ft_expression_node *n = &c->e->nodes[node];
    if (n->kind == FT_EXPRESSION_OR)
        return has_alternative(c, and, node);
    return n->kind != FT_EXPRESSION_TEST || (has_side(c, and, node) && has_value(c, and, node));
}

/* Told of each pair of children that cannot both hold; `b` 0: of one that cannot beside the others.
 */
typedef void clash_fn(void *user, uint32_t a, uint32_t b);

static bool find_clashes(struct clashes *c, uint32_t and, clash_fn *tell, void *user)
{
    const struct ft_expression_node *nodes = c->e->nodes;
    bool is_found = false;
    for (uint32_t i = nodes[and].child; i; i = nodes[i].next)
        for (uint32_t j = nodes[i].next; j; j = nodes[j].next) {
            if (!is_leaf(&nodes[i]) || !is_leaf(&nodes[j]) || go_together(c, i, j))
                continue;
            is_found = true;
            tell(user, i, j);
        }
    for (uint32_t i = nodes[and].child; i && !is_found; i = nodes[i].next)
        if (!has_way(c, and, i)) {
            is_found = true;
            tell(user, i, 0);
        }
    return is_found;
}

static void tell_nobody(void *user, uint32_t a, uint32_t b)
{
    (void)user;
    (void)a;
    (void)b;
}

bool ft_expression_is_contradictory(const struct ft_vocabulary *v, const struct ft_expression *e,
                                    uint32_t node)
{
    struct clashes c = {v, e, VALUES_MAX};
    if (e->nodes[node].kind == FT_EXPRESSION_TEST)
        return is_never_itself(&e->nodes[node].test);
    return e->nodes[node].kind == FT_EXPRESSION_AND && find_clashes(&c, node, tell_nobody, NULL);
}

const char *ft_expression_not(const struct ft_expression_node *n)
{
    return n->kind == FT_EXPRESSION_TEST ? n->test.is_negated ? "not " : ""
           : n->is_negated               ? "not "
                                         : "";
}

static bool is_neither_side(const struct ft_expression_node *one,
                            const struct ft_expression_node *either)
{
    return one->kind == FT_EXPRESSION_TEST && either->kind == FT_EXPRESSION_TEST &&
           either->test.is_negated && is_one_excluded(&one->test, &either->test);
}

static void tell_clash(void *user, uint32_t i, uint32_t j)
{
    struct ft_reader *r = user;
    const struct ft_expression_node *a = &r->expression->nodes[i], *b = &r->expression->nodes[j];
    if (!j)
        ft_reader_wrong(r, a->at, a->end,
                        "\"%.*s\" can never hold here: each way in which it could contradicts what "
                        "it is joined with by and",
                        (int)(a->end - a->at), r->text + a->at);
    else
        ft_reader_wrong(r, b->at, b->end, "\"%s%.*s\" and \"%s%.*s\" can never hold both%s",
                        ft_expression_not(a), (int)(a->end - a->at), r->text + a->at,
                        ft_expression_not(b), (int)(b->end - b->at), r->text + b->at,
                        is_neither_side(a, b) || is_neither_side(b, a)
                            ? ": what has no .src or .dst is of either side, and of neither with "
                              "not"
                            : "");
}

/* Which levels of words stand under a node, a bit each. */
static uint32_t levels(const struct ft_expression *e, uint32_t node)
{
    const struct ft_expression_node *n = &e->nodes[node];
    uint32_t all = 0;
    for (uint32_t child = n->child; child; child = e->nodes[child].next)
        all |= levels(e, child);
    if (n->kind == FT_EXPRESSION_TEST)
        all |= 1u << n->test.left.level;
    return n->kind == FT_EXPRESSION_ANY ? all | 1u << FT_LEVEL_MESSAGE : all;
}

bool ft_expression_is_child(const struct ft_expression *e, uint32_t parent, uint32_t node)
{
    uint32_t child = e->nodes[parent].child;
    while (child && child != node)
        child = e->nodes[child].next;
    return child != 0;
}

static void hang(struct ft_expression *e, uint32_t parent, uint32_t *last, uint32_t child)
{
    *(*last ? &e->nodes[*last].next : &e->nodes[parent].child) = child;
    *last = child;
}

/* How a connection came out is no packet's; what is asked for with it is the same for all. */
static void check_connection(struct ft_reader *r, uint32_t all)
{
    const struct ft_expression_node *root = &r->expression->nodes[r->expression->root];
    uint32_t others = 1u << FT_LEVEL_PACKET | 1u << FT_LEVEL_PAYLOAD | 1u << FT_LEVEL_MESSAGE;
    if (all & 1u << FT_LEVEL_CONNECTION && all & others)
        ft_reader_wrong(r, root->at, root->end,
                        "connection goes with addresses, ports, zones and devices; what is in "
                        "packets and messages is asked for in another rule");
}

/*
 * What is known of devices only the alerting core can test; what is in a message only a worker. So
 * both stand side by side, joined by `and`.
 */
void ft_reader_split(struct ft_reader *r)
{
    struct ft_expression *e = r->expression;
    uint32_t asset = 1u << FT_LEVEL_ASSET, last = 0, last_core = 0, next;
    uint32_t all = levels(e, e->root);
    e->worker = e->root;
    check_connection(r, all);
    if (!(all & asset))
        return;
    e->worker = 0;
    if (e->nodes[e->root].kind != FT_EXPRESSION_AND) {
        e->core = e->root;
    } else {
        /* The root keeps what is the worker's; the last node, which was kept free, gets the rest.
         */
        e->core = e->count - 1;
        e->nodes[e->core] = e->nodes[e->root];
        uint32_t child = e->nodes[e->root].child;
        e->nodes[e->root].child = e->nodes[e->core].child = 0;
        for (; child; child = next) {
            bool is_core = levels(e, child) & asset;
            next = e->nodes[child].next;
            hang(e, is_core ? e->core : e->root, is_core ? &last_core : &last, child);
            e->nodes[child].next = 0;
        }
        e->worker = last ? e->root : 0;
    }
    if (levels(e, e->core) & ~(asset | 1u << FT_LEVEL_FLOW))
        ft_reader_wrong(r, e->nodes[e->core].at, e->nodes[e->core].end,
                        "asset.* and what is in messages can only be joined by and");
}

void ft_reader_contradictions(struct ft_reader *r)
{
    const struct ft_expression_node *nodes = r->expression->nodes;
    struct clashes c = {r->vocabulary, r->expression, VALUES_MAX};
    for (uint32_t i = 1; i < r->expression->count; i++)
        if (nodes[i].kind == FT_EXPRESSION_AND)
            find_clashes(&c, i, tell_clash, r);
        else if (nodes[i].kind == FT_EXPRESSION_TEST && is_never_itself(&nodes[i].test))
            ft_reader_wrong(r, nodes[i].at, nodes[i].end,
                            "\"%.*s\" can never hold: it is compared with itself",
                            (int)(nodes[i].end - nodes[i].at), r->text + nodes[i].at);
}

/* ---- tests as text ---- */

/* An address as people write it. */
static void address_text(struct ft_set_address a, char to[INET6_ADDRSTRLEN])
{
    uint64_t words[2] = {htobe64(a.high), htobe64(a.low)};
    bool is_v4 = !a.high && a.low >> 32 == 0xffff;
    const char *bytes = (const char *)words;
    inet_ntop(is_v4 ? AF_INET : AF_INET6, bytes + (is_v4 ? 12 : 0), to, INET6_ADDRSTRLEN);
}

static void addresses_text(const struct ft_test *t, char *to, size_t size)
{
    char low[INET6_ADDRSTRLEN], high[INET6_ADDRSTRLEN];
    address_text(t->address_low, low);
    address_text(t->address_high, high);
    if (!is_less(t->address_low, t->address_high))
        snprintf(to, size, " %s %s", t->is_none ? "!=" : "==", low);
    else
        snprintf(to, size, " %sin %s..%s", t->is_none ? "not " : "", low, high);
}

/* A text in quotes, with the escapes that conditions know; an expression has its own. */
static void quoted_text(const char *before, const struct ft_test *t, char *to, size_t size)
{
    bool is_raw = t->kind == FT_TEST_MATCHES;
    size_t used = (size_t)snprintf(to, size, " %s \"", before);
    for (uint32_t i = 0; i < t->length && used + 6 < size; i++) {
        uint8_t c = (uint8_t)t->text[i];
        if (c < 0x20 || c == 0x7f)
            used += (size_t)snprintf(to + used, size - used, "\\x%02x", c);
        else
            used += (size_t)snprintf(to + used, size - used, "%s%c",
                                     c == '"' || (c == '\\' && !is_raw) ? "\\" : "", c);
    }
    snprintf(to + used, size - used, "\"");
}

static void value_text(const struct ft_test *t, char *to, size_t size)
{
    static const char *const sames[] = {"==", "<", "<=", ">", ">="};
    char low[64], high[64];
    switch (t->kind) {
    case FT_TEST_RANGE:
        ft_key_text(&t->left, t->low, low, sizeof(low));
        ft_key_text(&t->left, t->high, high, sizeof(high));
        if (t->low == t->high)
            snprintf(to, size, " %s %s", t->is_none ? "!=" : "==", low);
        else if (!t->low && !t->is_none)
            snprintf(to, size, " <= %s", high);
        else if (t->high == UINT64_MAX && !t->is_none)
            snprintf(to, size, " >= %s", low);
        else
            snprintf(to, size, " %sin %s..%s", t->is_none ? "not " : "", low, high);
        return;
    case FT_TEST_TEXT:
        quoted_text(t->is_none ? "!=" : "==", t, to, size);
        return;
    case FT_TEST_CONTAINS:
    case FT_TEST_MATCHES:
        quoted_text(t->kind == FT_TEST_CONTAINS ? "contains" : "matches", t, to, size);
        return;
    case FT_TEST_ADDRESS:
        addresses_text(t, to, size);
        return;
    case FT_TEST_NUMBERS:
    case FT_TEST_ADDRESSES:
    case FT_TEST_TEXTS:
        snprintf(to, size, " %sin a set of %llu", t->is_none ? "not " : "",
                 (unsigned long long)ft_set_size(t->set));
        return;
    case FT_TEST_SAME:
        snprintf(to, size, " %s", t->is_none ? "!=" : sames[t->same]);
        return;
    default:
        *to = 0;
    }
}

char *ft_test_text(const struct ft_vocabulary *v, const struct ft_test *t, char *to, size_t size)
{
    char name[256], value[512], right[256] = "", mask[32] = "";
    bool is_lower = t->ignores_case;
    ft_vocabulary_name(v, &t->left, name, sizeof(name));
    value_text(t, value, sizeof(value));
    if (t->kind == FT_TEST_SAME)
        ft_vocabulary_name(v, &t->right, right, sizeof(right));
    if (t->has_mask)
        snprintf(mask, sizeof(mask), " & 0x%llx", (unsigned long long)t->mask);
    snprintf(to, size, "%s%s%s%s%s%s%s%s", t->is_negated ? "not " : "", is_lower ? "lower(" : "",
             name, is_lower ? ")" : "", mask, value, *right ? " " : "", right);
    return to;
}
