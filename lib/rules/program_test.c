/* SPDX-License-Identifier: BSD-3-Clause */
/* Conditions compiled: does one test hold, and by which value? */
#include "base/hash.h"
#include "rules/program_internal.h"

#include <float.h>
#include <string.h>

/* Which test says more about why a rule held. */
static uint8_t rank_of(const struct ft_operand *o)
{
    switch (o->keyword) {
    case FT_KEYWORD_NONE: /* fields and tags */
    case FT_KEYWORD_PAYLOAD:
        return 3;
    case FT_KEYWORD_COMMAND:
    case FT_KEYWORD_COMMAND_CODE:
    case FT_KEYWORD_CLASS:
    case FT_KEYWORD_SUBADDRESS:
    case FT_KEYWORD_RESPONSE_TIME:
    case FT_KEYWORD_PAYLOAD_LENGTH:
        return 2;
    case FT_KEYWORD_PROTOCOL:
    case FT_KEYWORD_KIND:
    case FT_KEYWORD_DIRECTION:
    case FT_KEYWORD_TRANSPORT:
        return 0;
    default:
        return 1;
    }
}

/* The test that a value was noted in held: it is the evidence, unless a better one is there. */
static void keep_noted(struct ft_program_run *run, const struct ft_instruction *i)
{
    struct ft_evidence *e = &run->evidence;
    uint8_t rank = rank_of(&i->test->left);
    if (!run->has_noted || (e->operand && e->rank > rank))
        return;
    e->operand = &i->test->left;
    e->value = run->noted;
    e->rank = rank;
    e->test = i;
    if (e->value.bytes != (const uint8_t *)run->text)
        return;
    memcpy(run->evidence_text, run->text, sizeof(run->text)); /* further tests write there */
    e->value.bytes = (const uint8_t *)run->evidence_text;
}

static bool is_equal_folded(const uint8_t *a, const uint8_t *b, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        if (ft_fold(a[i]) != ft_fold(b[i]))
            return false;
    return true;
}

static bool passes(const struct ft_test *t, const struct ft_program_value *v)
{
    uint64_t number = t->has_mask && t->kind != FT_TEST_MASK ? v->number & t->mask : v->number;
    switch (t->kind) {
    case FT_TEST_EXISTS:
        return true;
    case FT_TEST_RANGE:
        return number >= t->low && number <= t->high;
    case FT_TEST_NUMBERS:
    case FT_TEST_MASK:
        return ft_test_has_number(t, number);
    case FT_TEST_ADDRESS:
    case FT_TEST_ADDRESSES:
        return ft_test_has_address(t, v->address);
    case FT_TEST_TEXT:
        return v->length == t->length &&
               (t->ignores_case ? is_equal_folded(v->bytes, (const uint8_t *)t->text, t->length)
                                : memcmp(v->bytes, t->text, t->length) == 0);
    case FT_TEST_TEXTS:
        return t->ignores_case ? ft_set_has_folded(t->set, v->bytes, v->length)
                               : ft_set_has_text(t->set, v->bytes, v->length);
    default:
        return false;
    }
}

static bool is_same_kind(const struct ft_operand *o)
{
    return ft_value_type_is_number((enum ft_value_type)o->type);
}

/* Exact: a long double has 64 bits of mantissa or more on all machines that are meant. */
static long double meaning(const struct ft_operand *o, uint64_t key)
{
    return o->type == FT_VALUE_TYPE_INT     ? (long double)(int64_t)(key ^ 1ull << 63)
           : o->type == FT_VALUE_TYPE_FLOAT ? (long double)ft_key_number(o, key)
                                            : (long double)key;
}

_Static_assert(LDBL_MANT_DIG >= 64, "each number of 64 bits is a long double");

/* Numbers of different types are compared as what they mean, not by their keys. */
static int compare_numbers(const struct ft_test *t, const struct ft_program_value *a,
                           const struct ft_program_value *b)
{
    const struct ft_operand *l = &t->left, *r = &t->right;
    uint64_t x = t->has_mask ? a->number & t->mask : a->number, y = b->number;
    if (l->type != r->type && (l->type == FT_VALUE_TYPE_FLOAT || r->type == FT_VALUE_TYPE_FLOAT ||
                               l->type == FT_VALUE_TYPE_INT || r->type == FT_VALUE_TYPE_INT)) {
        long double p = meaning(l, x), q = meaning(r, y);
        return p < q ? -1 : p > q;
    }
    return x < y ? -1 : x > y;
}

static bool compare(const struct ft_test *t, const struct ft_program_value *a,
                    const struct ft_program_value *b)
{
    int order;
    if (is_same_kind(&t->left))
        order = compare_numbers(t, a, b);
    else if (t->left.type == FT_VALUE_TYPE_ADDRESS)
        order = a->address.high != b->address.high || a->address.low != b->address.low;
    else if (t->ignores_case)
        order = a->length != b->length || !is_equal_folded(a->bytes, b->bytes, a->length);
    else
        order = a->length != b->length || memcmp(a->bytes, b->bytes, a->length) != 0;
    switch (t->same) {
    case FT_SAME_EQUAL:
        return order == 0;
    case FT_SAME_LESS:
        return order < 0;
    case FT_SAME_LESS_EQUAL:
        return order <= 0;
    case FT_SAME_GREATER:
        return order > 0;
    default:
        return order >= 0;
    }
}

static bool test_same(struct ft_program_run *run, const struct ft_subject *s,
                      const struct ft_instruction *i, const struct ft_element *elements,
                      bool *has_value)
{
    const struct ft_test *t = i->test;
    const struct ft_element *l = i->binding < 0 ? NULL : &elements[i->binding];
    const struct ft_element *r = i->right_binding < 0 ? NULL : &elements[i->right_binding];
    struct ft_value_cursor c = ft_value_first(run, s, &t->left, l);
    struct ft_program_value a = {0}, b = {0};
    while (run->steps < FT_PROGRAM_STEPS && ft_value_next(run, s, &t->left, t->is_code, &c, &a)) {
        struct ft_value_cursor d = ft_value_first(run, s, &t->right, r);
        while (run->steps < FT_PROGRAM_STEPS && ft_value_next(run, s, &t->right, false, &d, &b)) {
            *has_value = true;
            bool passed = compare(t, &a, &b);
            if (passed == (t->is_none == t->is_negated))
                ft_program_note(run, &a);
            if (passed)
                return true;
        }
    }
    return false;
}

bool ft_test_holds(struct ft_program_run *run, const struct ft_subject *s,
                   const struct ft_instruction *i, const struct ft_element *elements)
{
    const struct ft_test *t = i->test;
    bool has_value = false, passed = false;
    run->has_noted = false;
    if (t->kind == FT_TEST_SAME) {
        passed = test_same(run, s, i, elements, &has_value);
    } else if (t->kind == FT_TEST_CONTAINS || t->kind == FT_TEST_MATCHES) {
        passed = ft_test_pattern(run, s, i, elements);
    } else {
        struct ft_value_cursor c =
            ft_value_first(run, s, &t->left, i->binding < 0 ? NULL : &elements[i->binding]);
        struct ft_program_value v = {0};
        while (!passed && run->steps < FT_PROGRAM_STEPS &&
               ft_value_next(run, s, &t->left, t->is_code, &c, &v)) {
            has_value = true;
            passed = passes(t, &v);
            if (passed == (t->is_none == t->is_negated))
                ft_program_note(run, &v);
        }
    }
    bool held = (t->is_none ? has_value && !passed : passed) != t->is_negated;
    if (held)
        keep_noted(run, i);
    return held;
}
