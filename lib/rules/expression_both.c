/* SPDX-License-Identifier: BSD-3-Clause */
/* Conditions of rules: two tests, can both hold? */
#include "rules/expression_internal.h"

#include <string.h>

/* Ranges looked at of a set; a larger one is taken to meet anything. */
#define RANGES_MAX 4096u

/* Bits of a number whose values are all tried. */
#define VALUE_BITS 16

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

struct ft_test ft_test_without_not(const struct ft_test *t)
{
    struct ft_test plain = *t;
    plain.is_none = t->is_none != t->is_negated;
    plain.is_negated = false;
    return plain;
}

/* ---- senders and receivers ---- */

static const struct ft_sides all_sides[] = {
    {FT_KEYWORD_IP_ADDR, {FT_KEYWORD_IP_SRC, FT_KEYWORD_IP_DST}},
    {FT_KEYWORD_ETH_ADDR, {FT_KEYWORD_ETH_SRC, FT_KEYWORD_ETH_DST}},
    {FT_KEYWORD_PORT, {FT_KEYWORD_PORT_SRC, FT_KEYWORD_PORT_DST}},
    {FT_KEYWORD_VENDOR, {FT_KEYWORD_VENDOR_SRC, FT_KEYWORD_VENDOR_DST}},
    {FT_KEYWORD_MODEL, {FT_KEYWORD_MODEL_SRC, FT_KEYWORD_MODEL_DST}},
    {FT_KEYWORD_TYPE, {FT_KEYWORD_TYPE_SRC, FT_KEYWORD_TYPE_DST}},
};

const struct ft_sides *ft_sides_of(const struct ft_operand *either)
{
    for (unsigned i = 0; i < sizeof(all_sides) / sizeof(all_sides[0]); i++)
        if (all_sides[i].either == either->keyword)
            return &all_sides[i];
    return NULL;
}

bool ft_test_is_side_of(const struct ft_test *either, const struct ft_test *one)
{
    const struct ft_sides *s = ft_sides_of(&either->left);
    return s && (one->left.keyword == s->side[0] || one->left.keyword == s->side[1]);
}

bool ft_test_excludes_side(const struct ft_test *one, const struct ft_test *either)
{
    if (!ft_test_is_side_of(either, one) || one->is_negated)
        return false;
    if (either->kind == FT_TEST_EXISTS)
        return either->is_negated;
    struct ft_test none = ft_test_without_not(either);
    if (!none.is_none || one->is_none || one->ignores_case != none.ignores_case ||
        !same_mask(one, &none))
        return false;
    if (same_asked(one, &none))
        return true;
    return !one->is_named && !none.is_named && !can_both(one, &none);
}

/* ---- two tests ---- */

bool ft_test_lacks_group(const struct ft_clashes *c, const struct ft_test *group,
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

bool ft_tests_are_beside(const struct ft_test *a, const struct ft_test *b)
{
    return (ft_operand_is_same(&a->left, &b->left) && a->is_code == b->is_code) ||
           (a->left.keyword == FT_KEYWORD_PAYLOAD && b->left.keyword == FT_KEYWORD_PAYLOAD_LENGTH);
}

/* Of texts that one of two tests names, is there one for which the other holds? */
static bool has_text_for(const struct ft_test *a, const struct ft_test *b, uint32_t *budget)
{
    if (!ft_tests_are_beside(a, b) || a->is_named || b->is_named ||
        (a->is_negated && b->is_negated))
        return true;
    struct ft_test x = ft_test_without_not(a), y = ft_test_without_not(b);
    return !is_whole_text(&x) || ft_test_has_value_for(&x, &y, 1, budget);
}

bool ft_tests_can_hold(struct ft_clashes *c, const struct ft_test *a, const struct ft_test *b)
{
    uint32_t *budget = &c->budget;
    if (ft_test_excludes_side(a, b) || ft_test_excludes_side(b, a) || is_too_long(a, b) ||
        is_too_long(b, a) || ft_test_lacks_group(c, a, b) || ft_test_lacks_group(c, b, a) ||
        !has_text_for(a, b, budget) || !has_text_for(b, a, budget))
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
    struct ft_test x = ft_test_without_not(a), y = ft_test_without_not(b);
    if (ft_operand_may_be_many(&x.left) && !x.is_none && !y.is_none)
        return true;
    if (x.kind == FT_TEST_SAME && y.kind == FT_TEST_SAME)
        return can_both_same(&x, &y);
    if (same_mask(&x, &y) && (!can_both(&x, &y) || !can_both(&y, &x)))
        return false;
    return (!x.has_mask && !y.has_mask) || x.left.is_many || !ft_test_is_of_number(&x) ||
           !ft_test_is_of_number(&y) || can_both_masked(&x, &y, budget);
}

bool ft_test_is_never_itself(const struct ft_test *t)
{
    return t->kind == FT_TEST_SAME && !t->is_negated && !t->has_mask &&
           ft_operand_is_same(&t->left, &t->right) && !(orders_of(t) & 2) &&
           (t->is_none || !t->left.is_many);
}
