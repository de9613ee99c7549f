/* SPDX-License-Identifier: BSD-3-Clause */
/* Conditions of rules: one test. */
#include "rules/content.h"
#include "rules/expression_internal.h"

#include <stdio.h>
#include <string.h>

#define PURDUE_MAX 5.0

static bool is_order(uint8_t operator)
{
    return operator>= FT_TOKEN_LESS && operator<= FT_TOKEN_GREATER_EQUAL;
}

/* Ranges of what is less or greater than one number. */
static bool use_order(struct ft_reader *r, struct ft_test *test, uint8_t operator, uint64_t key,
                      const struct ft_token *t)
{
    const struct ft_operand *o = &test->left;
    uint64_t most = o->type == FT_VALUE_TYPE_FLOAT ? UINT64_MAX : ft_reader_largest(o), low, high;
    bool is_less = operator== FT_TOKEN_LESS, is_more = operator== FT_TOKEN_GREATER;
    test->kind = FT_TEST_RANGE;
    ft_reader_written(o, key, &low, &high);
    if ((is_less && key == ft_reader_smallest(o)) || (is_more && key >= most)) {
        ft_reader_wrong(r, t->at, t->end, "no value is %s than that: it can never hold",
                        is_less ? "less" : "greater");
        return false;
    }
    test->low = is_more ? high + 1 : operator== FT_TOKEN_GREATER_EQUAL ? low : 0;
    test->high = is_less ? low - 1 : operator== FT_TOKEN_LESS_EQUAL ? high : UINT64_MAX;
    return true;
}

/* Another field in the place of a value? */
static bool is_operand(struct ft_reader *r, const struct ft_test *test, struct ft_operand *right)
{
    char error[512];
    uint64_t key;
    const struct ft_token *t = &r->token;
    if (t->kind != FT_TOKEN_WORD || ft_is_digit(*t->text) || *t->text == '-' ||
        ft_reader_name_of_value(test->left.names, t->text, &key) ||
        test->left.type == FT_VALUE_TYPE_COMMAND)
        return false;
    return ft_reader_find(r, t->text, right, error, sizeof(error));
}

static bool use_operand(struct ft_reader *r, struct ft_test *test, uint8_t operator)
{
    static const uint8_t sames[] = {
        [FT_TOKEN_EQUAL] = FT_SAME_EQUAL,     [FT_TOKEN_UNEQUAL] = FT_SAME_EQUAL,
        [FT_TOKEN_LESS] = FT_SAME_LESS,       [FT_TOKEN_LESS_EQUAL] = FT_SAME_LESS_EQUAL,
        [FT_TOKEN_GREATER] = FT_SAME_GREATER, [FT_TOKEN_GREATER_EQUAL] = FT_SAME_GREATER_EQUAL,
    };
    const struct ft_token *t = &r->token;
    enum ft_set_kind left = ft_reader_set_kind(&test->left),
                     right = ft_reader_set_kind(&test->right);
    bool is_other = left == FT_SET_NUMBERS && test->left.type != test->right.type &&
                    (test->left.type == FT_VALUE_TYPE_MAC || test->right.type == FT_VALUE_TYPE_MAC);
    if (test->right.type == FT_VALUE_TYPE_COMMAND) {
        ft_reader_wrong(r, t->at, t->end, "%s is a name; the number of the command is command.code",
                        t->text);
        return false;
    }
    if (test->left.level == FT_LEVEL_ASSET || test->right.level == FT_LEVEL_ASSET) {
        ft_reader_wrong(r, t->at, t->end,
                        "what is known of assets is compared with values only, not with %s",
                        t->text);
        return false;
    }
    if (left != right || is_other || test->right.type == FT_VALUE_TYPE_GROUP ||
        (is_order(operator) && left != FT_SET_NUMBERS)) {
        ft_reader_wrong(r, t->at, t->end, "%s is %s: it cannot be compared with what is %s",
                        t->text, ft_value_type_name((enum ft_value_type)test->right.type),
                        ft_value_type_name((enum ft_value_type)test->left.type));
        return false;
    }
    test->kind = FT_TEST_SAME;
    test->same = sames[operator];
    ft_reader_next(r);
    return true;
}

/* lower(NAME) on the right: it is enough on the left. True: it was wrong, and told. */
static bool is_lower_on_right(struct ft_reader *r)
{
    struct ft_token t = r->token;
    const char *p = r->at + strspn(r->at, " \t\r\n");
    if (t.kind != FT_TOKEN_WORD || strcmp(t.text, "lower") != 0 || *p != '(')
        return false;
    ft_reader_wrong(r, t.at, t.end,
                    "lower() stands on the left, and means both sides: lower(a) == b");
    return true;
}

static bool read_comparison(struct ft_reader *r, struct ft_test *test, uint8_t operator)
{
    struct ft_operand *o = &test->left;
    test->is_none = operator== FT_TOKEN_UNEQUAL;
    ft_reader_next(r);
    if (is_lower_on_right(r))
        return false;
    if (is_operand(r, test, &test->right))
        return use_operand(r, test, operator);
    struct ft_token t = r->token;
    uint64_t key;
    if (ft_reader_is_code(r, o))
        ft_reader_use_code(test);
    bool is_number = ft_value_type_is_number((enum ft_value_type)o->type);
    if (is_order(operator) && (!is_number || o->type == FT_VALUE_TYPE_BOOL ||
                               o->type == FT_VALUE_TYPE_COMMAND || o->type == FT_VALUE_TYPE_MAC)) {
        ft_reader_wrong(r, t.at, t.end, "only numbers are less or greater: this is %s",
                        ft_value_type_name((enum ft_value_type)o->type));
        return false;
    }
    if (is_order(operator)) {
        if (t.kind == FT_TOKEN_TEXT) {
            ft_reader_wrong(r, t.at, t.end, "\"%s\" is a text: a number stands without quotes",
                            t.text);
            return false;
        }
        if (t.kind != FT_TOKEN_WORD) {
            ft_reader_wrong(r, t.at, t.end, "a value is missing: %s",
                            ft_reader_example(o) ? ft_reader_example(o) : "");
            return false;
        }
        if (!ft_reader_key(r, &t, o, t.text, &key) || !use_order(r, test, operator, key, &t))
            return false;
        ft_reader_next(r);
        return true;
    }
    if (o->type == FT_VALUE_TYPE_TEXT || o->type == FT_VALUE_TYPE_BYTES) {
        test->kind = FT_TEST_TEXT;
        if (t.kind != FT_TOKEN_WORD && t.kind != FT_TOKEN_TEXT) {
            ft_reader_wrong(r, t.at, t.end, "a value is missing: %s", ft_reader_example(o));
            return false;
        }
        if (!ft_reader_text(r, &t, o, &test->text, &test->length))
            return false;
        ft_reader_next(r);
        return true;
    }
    struct ft_set *set = ft_reader_set_new(r, ft_reader_set_kind(o));
    if (!set || !ft_reader_value(r, &t, o, set) || ft_reader_out_of_memory(r, ft_set_close(set)))
        return false;
    ft_reader_use_set(test, set);
    ft_reader_next(r);
    return true;
}

/* Where byte `offset` of an expression stands: the backslash before a quote is none of its bytes.
 */
static uint32_t raw_place(const struct ft_reader *r, const struct ft_token *t, uint32_t offset)
{
    uint32_t at = t->at + 1;
    for (; offset; offset--, at++) {
        if (r->text[at] != '\\' || (r->text[at + 1] != '"' && offset == 1))
            continue;
        offset -= r->text[at + 1] != '"';
        at++;
    }
    return at;
}

/* Can the pattern be looked for? */
static bool check_pattern(struct ft_reader *r, const struct ft_token *t, const struct ft_test *test)
{
    char error[512];
    enum ft_content_means means;
    uint32_t offset = 0;
    bool is_regex = test->kind == FT_TEST_MATCHES;
    struct ft_pattern pattern = {.bytes = test->text,
                                 .length = test->length,
                                 .is_regex = is_regex,
                                 .ignores_case = test->ignores_case};
    if (ft_content_check(&pattern, &means, &offset, error, sizeof(error)))
        return true;
    bool is_known = is_regex && offset <= test->length;
    ft_reader_wrong(r, is_known ? raw_place(r, t, offset) : t->at, t->end, "%s", error);
    return false;
}

static bool read_contains(struct ft_reader *r, struct ft_test *test)
{
    const struct ft_operand *o = &test->left;
    if (o->type != FT_VALUE_TYPE_TEXT && o->type != FT_VALUE_TYPE_BYTES) {
        ft_reader_wrong(r, r->token.at, r->token.end, "contains is for texts and bytes; this is %s",
                        ft_value_type_name((enum ft_value_type)o->type));
        return false;
    }
    ft_reader_next(r);
    struct ft_token t = r->token;
    test->kind = FT_TEST_CONTAINS;
    if ((t.kind != FT_TOKEN_WORD && t.kind != FT_TOKEN_TEXT) || !t.length) {
        ft_reader_wrong(r, t.at, t.end, "what it contains is missing: %s", ft_reader_example(o));
        return false;
    }
    struct ft_operand part = {.type = o->type}; /* a part of a name is none */
    if (!ft_reader_text(r, &t, &part, &test->text, &test->length) || !check_pattern(r, &t, test))
        return false;
    ft_reader_next(r);
    return true;
}

static bool read_matches(struct ft_reader *r, struct ft_test *test)
{
    if (test->left.type != FT_VALUE_TYPE_TEXT && test->left.type != FT_VALUE_TYPE_BYTES) {
        ft_reader_wrong(r, r->token.at, r->token.end, "matches is for texts and bytes; this is %s",
                        ft_value_type_name((enum ft_value_type)test->left.type));
        return false;
    }
    ft_reader_next_raw(r);
    struct ft_token t = r->token;
    test->kind = FT_TEST_MATCHES;
    if (t.kind != FT_TOKEN_TEXT) {
        ft_reader_wrong(r, t.at, t.end, "after matches stands a regular expression in quotes");
        return false;
    }
    test->text = t.text;
    test->length = t.length;
    if (!check_pattern(r, &t, test))
        return false;
    ft_reader_next(r);
    return true;
}

/* & MASK, or & NAME OF A BIT. */
static bool read_mask(struct ft_reader *r, struct ft_test *test)
{
    const struct ft_operand *o = &test->left;
    bool is_bits = o->type == FT_VALUE_TYPE_UINT || o->type == FT_VALUE_TYPE_FLAGS ||
                   o->type == FT_VALUE_TYPE_ENUM;
    if (!is_bits) {
        ft_reader_wrong(r, r->token.at, r->token.end, "& is for whole numbers and bits; this is %s",
                        ft_value_type_name((enum ft_value_type)o->type));
        return false;
    }
    ft_reader_next(r);
    if (r->token.kind != FT_TOKEN_WORD && r->token.kind != FT_TOKEN_TEXT) {
        ft_reader_wrong(r, r->token.at, r->token.end, "a mask is missing: & 0x80");
        return false;
    }
    r->takes_bits = true;
    if (!ft_reader_key(r, &r->token, o, r->token.text, &test->mask))
        return false;
    if (!test->mask) {
        ft_reader_wrong(r, r->token.at, r->token.end, "& 0 is always 0");
        return false;
    }
    test->has_mask = true;
    test->kind = FT_TEST_MASK;
    ft_reader_next(r);
    return true;
}

/* Is one of the values that there are, all of which have names, asked for? */
static bool is_named_value(const struct ft_test *t)
{
    for (const struct ft_name *n = t->left.names; n && n->name; n++) {
        uint64_t value = t->has_mask && t->kind != FT_TEST_MASK ? n->value & t->mask : n->value;
        if (ft_test_has_number(t, value) != t->is_none)
            return true;
    }
    return false;
}

static bool meets(const struct ft_test *t, uint64_t low, uint64_t high)
{
    uint64_t first, last;
    for (uint32_t i = 0; ft_test_numbers_at(t, i, &first, &last); i++)
        if (first <= high && last >= low)
            return true;
    return false;
}

/* Told with those that there are, if these are not too many. */
static void no_such_value(struct ft_reader *r, const struct ft_operand *o, const struct ft_token *t)
{
    char list[256] = "";
    size_t used = o->keyword == FT_KEYWORD_PROTOCOL ? sizeof(list) : 0, count = 0;
    for (const struct ft_name *n = o->names; n && n->name && used < sizeof(list); n++, count++)
        used +=
            (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", count ? ", " : "", n->name);
    ft_reader_wrong(
        r, t->at, r->last_end, "%s has no such value: it can never hold%s%s%s",
        ft_keyword_name((enum ft_keyword)o->keyword), used < sizeof(list) ? "; there are: " : "",
        used < sizeof(list) ? list : "",
        o->keyword == FT_KEYWORD_TRANSPORT ? "; the number of an IP protocol is ip.protocol" : "");
}

/* Is it a value of a keyword whose values are all known? */
static bool check_known(struct ft_reader *r, const struct ft_test *test, const struct ft_token *t)
{
    const struct ft_operand *o = &test->left;
    bool is_numbers = test->kind == FT_TEST_RANGE || test->kind == FT_TEST_NUMBERS;
    bool is_purdue = o->keyword == FT_KEYWORD_PURDUE_SRC || o->keyword == FT_KEYWORD_PURDUE_DST;
    bool is_listed = o->keyword && o->type == FT_VALUE_TYPE_ENUM &&
                     o->keyword != FT_KEYWORD_ZONE_SRC && o->keyword != FT_KEYWORD_ZONE_DST &&
                     o->keyword != FT_KEYWORD_IP_PROTOCOL && o->keyword != FT_KEYWORD_TCP_FLAGS;
    if (test->is_negated || test->is_named)
        return true;
    if (o->keyword == FT_KEYWORD_FIRST && is_numbers &&
        ft_test_has_number(test, true) == test->is_none) {
        ft_reader_wrong(r, t->at, r->last_end,
                        "flow.first is true or not there: write not flow.first");
        return false;
    }
    if (is_listed && (is_numbers || test->kind == FT_TEST_MASK) && !is_named_value(test))
        no_such_value(r, o, t);
    else if (is_purdue && is_numbers && !test->is_none &&
             !meets(test, ft_key_of_float(0), ft_key_of_float(PURDUE_MAX)))
        ft_reader_wrong(r, t->at, r->last_end, "levels are from 0 to 5: it can never hold");
    else
        return true;
    return false;
}

/* A masked number is never another than its mask allows. */
static bool check_mask(struct ft_reader *r, const struct ft_test *test, const struct ft_token *t)
{
    if (test->is_negated || test->is_named || ft_test_mask_leaves_any(test))
        return true;
    if (test->kind == FT_TEST_RANGE && test->low == test->high && !test->is_none)
        ft_reader_wrong(r, t->at, t->end,
                        "0x%llx has bits that the mask 0x%llx takes away: it can never hold",
                        (unsigned long long)test->low, (unsigned long long)test->mask);
    else
        ft_reader_wrong(r, t->at, r->last_end,
                        "what the mask 0x%llx leaves of a number is never such: it can never hold",
                        (unsigned long long)test->mask);
    return false;
}

/* lower(NAME): the test does not tell capital letters from small ones. To the name, if it is so. */
static bool read_lower(struct ft_reader *r, struct ft_test *test)
{
    const char *p = r->at + strspn(r->at, " \t\r\n");
    if (r->token.kind != FT_TOKEN_WORD || strcmp(r->token.text, "lower") != 0 || *p != '(')
        return false;
    test->ignores_case = true;
    ft_reader_next(r);
    ft_reader_next(r);
    return true;
}

/* The name, with the parenthesis behind it. False: it was told what is wrong. */
static bool read_name_of_test(struct ft_reader *r, struct ft_test *test)
{
    char error[768];
    bool is_lower = read_lower(r, test);
    struct ft_token name = r->token;
    if (name.kind != FT_TOKEN_WORD) {
        ft_reader_wrong(r, name.at, name.end,
                        name.kind == FT_TOKEN_END ? "the condition ends where a test is expected"
                                                  : "expected the name of a field or keyword");
        return false;
    }
    if (!ft_reader_find(r, name.text, &test->left, error, sizeof(error))) {
        ft_reader_wrong(r, name.at, name.end, "%s", error);
        ft_reader_next(r);
        return false;
    }
    ft_reader_next(r);
    if (!is_lower)
        return true;
    if (test->left.type != FT_VALUE_TYPE_TEXT && test->left.type != FT_VALUE_TYPE_BYTES) {
        ft_reader_wrong(r, name.at, name.end, "lower() is for texts and bytes; this is %s",
                        ft_value_type_name((enum ft_value_type)test->left.type));
        return false;
    }
    if (r->token.kind != FT_TOKEN_CLOSE) {
        ft_reader_wrong(r, name.at, name.end, ") is missing: lower(%s)", name.text);
        return false;
    }
    ft_reader_next(r);
    return true;
}

static bool read_test(struct ft_reader *r, struct ft_test *test)
{
    r->takes_bits = r->folds = false;
    struct ft_token name = r->token;
    if (!read_name_of_test(r, test))
        return false;
    r->folds = test->ignores_case;
    test->kind = FT_TEST_EXISTS;
    if (r->token.kind == FT_TOKEN_MASK && !read_mask(r, test))
        return false;
    struct ft_token operator= r->token;
    if (test->left.type == FT_VALUE_TYPE_GROUP && operator.kind >= FT_TOKEN_IN && operator.kind <=
                                                  FT_TOKEN_GREATER_EQUAL) {
        ft_reader_wrong(r, name.at, name.end, "%s is a group: ask for a field in it", name.text);
        return false;
    }
    switch (operator.kind) {
    case FT_TOKEN_NOT:
        ft_reader_next(r);
        test->is_none = true;
        if (r->token.kind == FT_TOKEN_IN)
            return ft_reader_in(r, test) && check_mask(r, test, &operator);
        ft_reader_wrong(r, operator.at, operator.end, "after a name only in can follow on not");
        return false;
    case FT_TOKEN_IN:
        return ft_reader_in(r, test) && check_mask(r, test, &operator);
    case FT_TOKEN_CONTAINS:
        return read_contains(r, test);
    case FT_TOKEN_MATCHES:
        return read_matches(r, test);
    case FT_TOKEN_EQUAL:
    case FT_TOKEN_UNEQUAL:
    case FT_TOKEN_LESS:
    case FT_TOKEN_LESS_EQUAL:
    case FT_TOKEN_GREATER:
    case FT_TOKEN_GREATER_EQUAL:
        return read_comparison(r, test, operator.kind) && check_mask(r, test, &operator);
    default:
        return true; /* the name alone: there is a value */
    }
}

/* Can a text be one that the test asks for, which has as many bytes as it is told? */
static bool fits_length(const struct ft_test *t, uint32_t bytes)
{
    const char *text;
    size_t length;
    if (t->kind == FT_TEST_TEXT)
        return t->length == bytes;
    if (t->kind == FT_TEST_CONTAINS)
        return t->length <= bytes;
    if (t->kind != FT_TEST_TEXTS)
        return true;
    for (uint32_t i = 0; ft_set_text_at(t->set, i, &text, &length); i++)
        if (length == bytes)
            return true;
    return false;
}

/* Texts and bytes of a tag are as long as it says. */
static bool check_tag(struct ft_reader *r, const struct ft_test *test, const struct ft_token *t)
{
    if (!test->left.is_tag)
        return true;
    const struct ft_tag *tag = &r->vocabulary->tags[test->left.field];
    if (tag->is_broken || test->is_none || test->is_negated || test->is_named ||
        fits_length(test, tag->length))
        return true;
    ft_reader_wrong(r, t->at, r->last_end, "tag.%s has %u byte%s: it can never hold", tag->name,
                    tag->length, tag->length == 1 ? "" : "s");
    return false;
}

bool ft_reader_test(struct ft_reader *r, struct ft_test *test)
{
    struct ft_token first = r->token;
    return read_test(r, test) && check_known(r, test, &first) && check_tag(r, test, &first);
}
