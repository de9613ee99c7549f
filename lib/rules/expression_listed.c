/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Conditions of rules: values that are listed. Where a test names the few values that there can be,
 * each is tried on what the test is joined with by `and`: this also finds what only three tests
 * together do not allow, and what a text does not hold.
 */
#include "rules/expression_internal.h"

#include "base/hash.h"
#include "rules/content.h"

#include <string.h>

/* Values in one range that are tried; with more there may be one. */
#define VALUES_MAX 4096u

/* What an expression costs that is tried on a text, in values that are tried. */
#define EXPRESSION_COST 4096u

/* A text that a value is. Folded: it is known but for the size of its letters. */
struct text {
    const char *bytes;
    uint32_t length;
    bool is_folded;
};

/* Are the bytes there? In a folded text any that may be them count. */
static bool has_bytes(const struct text *text, const struct ft_test *t)
{
    bool folds = text->is_folded || t->ignores_case;
    for (uint32_t at = 0; at + t->length <= text->length; at++) {
        uint32_t i = 0;
        for (; i < t->length; i++) {
            uint8_t a = (uint8_t)text->bytes[at + i], b = (uint8_t)t->text[i];
            if (folds ? ft_fold(a) != ft_fold(b) : a != b)
                break;
        }
        if (i == t->length)
            return true;
    }
    return false;
}

static bool is_one_of(const struct text *text, const struct ft_test *t)
{
    if (t->kind == FT_TEST_TEXT)
        return text->length == t->length && has_bytes(text, t);
    return t->ignores_case ? ft_set_has_folded(t->set, text->bytes, text->length)
                           : ft_set_has_text(t->set, text->bytes, text->length);
}

/* May the text pass? What is not known it may. */
static bool text_may_pass(const struct text *text, const struct ft_test *t, uint32_t *budget)
{
    bool is_unknown = text->is_folded && !t->ignores_case;
    const struct ft_pattern pattern = {
        .bytes = t->text, .length = t->length, .is_regex = true, .ignores_case = t->ignores_case};
    switch (t->kind) {
    case FT_TEST_CONTAINS:
        return has_bytes(text, t) ? !t->is_none || is_unknown : t->is_none;
    case FT_TEST_MATCHES:
        if (text->is_folded || *budget < EXPRESSION_COST)
            return true;
        *budget -= EXPRESSION_COST;
        return ft_content_may_match(&pattern, text->bytes, text->length, !t->is_none);
    case FT_TEST_TEXT:
        return is_one_of(text, t) ? !t->is_none || is_unknown : t->is_none;
    case FT_TEST_TEXTS:
        return is_unknown || (t->ignores_case && !ft_set_is_folded(t->set)) ||
               is_one_of(text, t) != t->is_none;
    case FT_TEST_RANGE: /* payload.length */
    case FT_TEST_NUMBERS:
    case FT_TEST_MASK:
        return ft_test_passes(t, text->length);
    default:
        return true;
    }
}

static bool may_all_pass_text(const struct text *text, const struct ft_test *others, uint32_t count,
                              uint32_t *budget)
{
    for (uint32_t i = 0; i < count; i++)
        if (!text_may_pass(text, &others[i], budget))
            return false;
    return true;
}

static bool may_all_pass_number(uint64_t value, const struct ft_test *others, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (ft_test_is_of_number(&others[i]) && !ft_test_passes(&others[i], value))
            return false;
    return true;
}

static bool may_all_pass_address(struct ft_set_address value, const struct ft_test *others,
                                 uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if ((others[i].kind == FT_TEST_ADDRESS || others[i].kind == FT_TEST_ADDRESSES) &&
            ft_test_has_address(&others[i], value) == others[i].is_none)
            return false;
    return true;
}

static bool has_number(const struct ft_test *t, const struct ft_test *others, uint32_t count,
                       uint32_t *budget)
{
    uint64_t low, high;
    for (uint32_t i = 0; ft_test_numbers_at(t, i, &low, &high); i++)
        for (uint64_t n = 0; n <= high - low; n++) {
            if (high - low >= VALUES_MAX || !*budget || may_all_pass_number(low + n, others, count))
                return true;
            --*budget;
        }
    return false;
}

static bool has_address(const struct ft_test *t, const struct ft_test *others, uint32_t count,
                        uint32_t *budget)
{
    struct ft_set_address low, high;
    for (uint32_t i = 0; ft_test_addresses_at(t, i, &low, &high); i++)
        for (uint64_t last = high.low;; low.low++) {
            if (low.high != high.high || last - low.low >= VALUES_MAX || !*budget ||
                may_all_pass_address(low, others, count))
                return true;
            --*budget;
            if (low.low == last)
                break;
        }
    return false;
}

static bool has_text(const struct ft_test *t, const struct ft_test *others, uint32_t count,
                     uint32_t *budget)
{
    struct text text = {.is_folded = t->ignores_case};
    size_t length;
    for (uint32_t i = 0; ft_set_text_at(t->set, i, &text.bytes, &length); i++) {
        text.length = (uint32_t)length;
        if (!*budget || may_all_pass_text(&text, others, count, budget))
            return true;
        --*budget;
    }
    return false;
}

bool ft_test_has_value_for(const struct ft_test *t, const struct ft_test *others, uint32_t count,
                           uint32_t *budget)
{
    struct text text = {t->text, t->length, t->ignores_case};
    if (t->is_none || t->is_negated || t->has_mask || t->is_named ||
        ft_operand_may_be_many(&t->left))
        return true;
    switch (t->kind) {
    case FT_TEST_RANGE:
    case FT_TEST_NUMBERS:
        return has_number(t, others, count, budget);
    case FT_TEST_ADDRESS:
    case FT_TEST_ADDRESSES:
        return has_address(t, others, count, budget);
    case FT_TEST_TEXT:
        return may_all_pass_text(&text, others, count, budget);
    case FT_TEST_TEXTS:
        return has_text(t, others, count, budget);
    default:
        return true;
    }
}
