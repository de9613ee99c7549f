/* SPDX-License-Identifier: BSD-3-Clause */
/* Conditions of rules: one test, and the values in it. */
#include "rules/content.h"
#include "rules/expression_internal.h"

#include "base/hash.h"
#include "base/nearest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NANOSECONDS 1000000000ull
#define PURDUE_MAX  5.0

/* ---- names ---- */

static bool is_inside(const struct ft_protocol *p, uint32_t field, uint32_t group)
{
    while (field && field != group)
        field = p->fields[field].parent;
    return field == group;
}

/* The only field inside a group, however deep, whose own name it is; 0: none, or several. */
static uint32_t only_inside(const struct ft_protocol *p, uint32_t group, const char *name)
{
    uint32_t found = 0;
    for (uint32_t i = 1; i < p->field_count; i++) {
        if (strcmp(p->fields[i].name, name) != 0 || i == group || !is_inside(p, i, group))
            continue;
        if (p->fields[i].parent == group)
            return i;
        if (found)
            return 0;
        found = i;
    }
    return found;
}

/* Is a field one of many within one element of a group? */
static bool is_many_inside(const struct ft_protocol *p, uint32_t field, uint32_t group)
{
    for (; field && field != group; field = p->fields[field].parent)
        if (p->fields[field].flags & FT_FIELD_LIST)
            return true;
    return false;
}

/* The innermost bound group that a field stands in decides how many values it has. */
static void bind(const struct ft_reader *r, struct ft_operand *o)
{
    if (o->is_tag)
        r->expression->is_broken |= r->vocabulary->tags[o->field].is_broken;
    const struct ft_protocol *p = r->vocabulary->registry->protocols[o->protocol];
    const struct ft_expression_node *nodes = r->expression->nodes;
    for (uint32_t s = o->keyword || o->is_tag ? 0 : r->scope; s; s = nodes[s].scope) {
        const struct ft_operand *group = &nodes[s].test.left;
        if (group->protocol == o->protocol && o->field != group->field &&
            is_inside(p, o->field, group->field)) {
            o->is_many = is_many_inside(p, o->field, group->field);
            return;
        }
    }
}

/* A slip in the name of a field of the innermost bound group? */
static void nearest_inside(const struct ft_reader *r, const char *name, char *error,
                           size_t error_size)
{
    if (!r->scope)
        return;
    const struct ft_operand *group = &r->expression->nodes[r->scope].test.left;
    const struct ft_protocol *p = r->vocabulary->registry->protocols[group->protocol];
    struct ft_nearest n = ft_nearest_begin(name);
    char whole[256];
    for (uint32_t i = 1; i < p->field_count; i++)
        if (i != group->field && is_inside(p, i, group->field))
            ft_nearest_offer(&n, p->fields[i].name);
    if (n.best)
        snprintf(error, error_size, "there is no %s in %s; did you mean %s?", name,
                 ft_vocabulary_name(r->vocabulary, group, whole, sizeof(whole)), n.best);
}

bool ft_reader_find(struct ft_reader *r, const char *name, struct ft_operand *to, char *error,
                    size_t error_size)
{
    const struct ft_expression_node *nodes = r->expression->nodes;
    for (uint32_t s = r->scope; s; s = nodes[s].scope) {
        const struct ft_operand *group = &nodes[s].test.left;
        const struct ft_protocol *p = r->vocabulary->registry->protocols[group->protocol];
        char whole[512], ignored[8];
        uint32_t field = only_inside(p, group->field, name);
        ft_vocabulary_name(r->vocabulary,
                           &(struct ft_operand){.protocol = group->protocol,
                                                .field = (uint16_t)(field ? field : group->field)},
                           whole, sizeof(whole));
        size_t used = strlen(whole);
        if (!field)
            snprintf(whole + used, sizeof(whole) - used, ".%s", name);
        if (ft_vocabulary_find(r->vocabulary, whole, to, ignored, sizeof(ignored))) {
            bind(r, to);
            return true;
        }
    }
    if (!ft_vocabulary_find(r->vocabulary, name, to, error, error_size)) {
        nearest_inside(r, name, error, error_size);
        return false;
    }
    bind(r, to);
    return true;
}

/* ---- numbers ---- */

static uint64_t largest(const struct ft_operand *o)
{
    switch (o->keyword) {
    case FT_KEYWORD_PORT_SRC:
    case FT_KEYWORD_PORT_DST:
    case FT_KEYWORD_PORT:
    case FT_KEYWORD_ETHERTYPE:
        return 65535;
    case FT_KEYWORD_VLAN:
        return 4095;
    case FT_KEYWORD_COMMAND_CODE:
        return UINT32_MAX;
    default:
        return o->type == FT_VALUE_TYPE_MAC ? 0xffffffffffff : UINT64_MAX;
    }
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A whole number, decimal or 0x. */
static bool read_unsigned(const char *text, uint64_t *to)
{
    char *end;
    bool is_hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    if (!is_digit(*text))
        return false;
    errno = 0;
    *to = strtoull(text, &end, is_hex ? 16 : 10);
    return !errno && !*end;
}

static bool read_signed(const char *text, uint64_t *key)
{
    uint64_t u;
    bool is_negative = *text == '-';
    if (!read_unsigned(text + is_negative, &u) || u > (uint64_t)INT64_MAX + is_negative)
        return false;
    *key = ft_key_of_int(is_negative ? (int64_t)(0 - u) : (int64_t)u);
    return true;
}

static bool read_float(const char *text, uint64_t *key)
{
    char *end;
    bool is_negative = *text == '-';
    double d = strtod(text, &end);
    *key = ft_key_of_float(d);
    return is_digit(text[is_negative]) && !*end;
}

/* "2026-11-22T08:15:00Z", or nanoseconds. */
static bool read_time(const char *text, uint64_t *key)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    if (!end || *end)
        return read_unsigned(text, key);
    time_t s = timegm(&tm);
    *key = (uint64_t)s * NANOSECONDS;
    return s >= 0 && (uint64_t)s <= UINT64_MAX / NANOSECONDS;
}

static bool read_name(const struct ft_name *names, const char *text, uint64_t *to)
{
    for (const struct ft_name *n = names; n && n->name; n++)
        if (strcmp(n->name, text) == 0) {
            *to = n->value;
            return true;
        }
    return false;
}

/* A name of several words stands in quotes. */
static const char *quote_of(const char *name)
{
    return strpbrk(name, " &()+,'<>=!\"") ? "\"" : "";
}

static void name_expected(struct ft_reader *r, const struct ft_token *t, const struct ft_operand *o)
{
    struct ft_nearest best = ft_nearest_begin(t->text);
    char list[256];
    size_t used = 0, count = 0;
    for (const struct ft_name *n = o->names; n && n->name; n++, count++) {
        ft_nearest_offer(&best, n->name);
        if (used < sizeof(list) - 40)
            used +=
                (size_t)snprintf(list + used, sizeof(list) - used, "%s%s%s%s", count ? ", " : "",
                                 quote_of(n->name), n->name, quote_of(n->name));
    }
    if (best.best)
        ft_reader_wrong(r, t->at, t->end, "there is no value %s here; did you mean %s%s%s?",
                        t->text, quote_of(best.best), best.best, quote_of(best.best));
    else if (!count)
        ft_reader_wrong(r, t->at, t->end, "there is no value %s here: none has a name", t->text);
    else
        ft_reader_wrong(r, t->at, t->end, "there is no value %s here; there are: %s%s", t->text,
                        list, used >= sizeof(list) - 40 ? " ..." : "");
}

static const char *example(const struct ft_operand *o)
{
    static const char *const examples[] = {
        [FT_VALUE_TYPE_UINT] = "17 or 0x11",
        [FT_VALUE_TYPE_INT] = "-40",
        [FT_VALUE_TYPE_FLOAT] = "21.5",
        [FT_VALUE_TYPE_BOOL] = "true or false",
        [FT_VALUE_TYPE_FLAGS] = "0x80",
        [FT_VALUE_TYPE_TIME] = "2026-01-31T08:00:00Z",
        [FT_VALUE_TYPE_MAC] = "00:0e:8c:01:02:03",
        [FT_VALUE_TYPE_ADDRESS] = "10.0.0.1",
        [FT_VALUE_TYPE_TEXT] = "\"a text\"",
        [FT_VALUE_TYPE_BYTES] = "\"a text\" or 00ff12 in hexadecimal",
    };
    return o->type < sizeof(examples) / sizeof(examples[0]) ? examples[o->type] : NULL;
}

/* All bits of a field are hardly meant to be that one. */
static void bit_expected(struct ft_reader *r, const struct ft_token *t, uint64_t bit)
{
    ft_reader_wrong(r, t->at, t->end,
                    "%s is one of several bits: write \"& %s\" if it is set whatever the others "
                    "are, or \"== 0x%llx\" if it is the only one",
                    t->text, t->text, (unsigned long long)bit);
}

/* The key of a number in text. False: it was told. */
static bool read_key(struct ft_reader *r, const struct ft_token *t, const struct ft_operand *o,
                     const char *text, uint64_t *key)
{
    bool ok = false, is_negative = *text == '-';
    switch (o->type) {
    case FT_VALUE_TYPE_FLAGS:
        if (!r->takes_bits && read_name(o->names, text, key)) {
            bit_expected(r, t, *key);
            return false;
        }
        ok = read_name(o->names, text, key) || read_unsigned(text, key);
        break;
    case FT_VALUE_TYPE_BOOL:
        *key = strcmp(text, "true") == 0;
        ok = *key || strcmp(text, "false") == 0;
        break;
    case FT_VALUE_TYPE_INT:
        ok = read_signed(text, key);
        break;
    case FT_VALUE_TYPE_FLOAT:
        ok = read_float(text, key);
        break;
    case FT_VALUE_TYPE_TIME:
        ok = read_time(text, key);
        break;
    case FT_VALUE_TYPE_ENUM:
        ok = read_name(o->names, text, key) || read_unsigned(text, key);
        break;
    default:
        ok = read_unsigned(text, key);
    }
    if (!ok && (o->type == FT_VALUE_TYPE_ENUM || o->type == FT_VALUE_TYPE_FLAGS) && !is_negative &&
        !is_digit(*text)) {
        name_expected(r, t, o);
        return false;
    }
    if (ok && o->type <= FT_VALUE_TYPE_TIME && o->type != FT_VALUE_TYPE_INT &&
        o->type != FT_VALUE_TYPE_FLOAT && *key > largest(o)) {
        ft_reader_wrong(r, t->at, t->end, "%s is too large: at most %llu", text,
                        (unsigned long long)largest(o));
        return false;
    }
    if (!ok)
        ft_reader_wrong(r, t->at, t->end,
                        is_negative && o->type == FT_VALUE_TYPE_UINT
                            ? "%s: a number that is never negative, such as %s"
                            : "%s is no value of this field; expected e.g. %s",
                        text, example(o) ? example(o) : "a name");
    return ok;
}

/* ---- sets ---- */

static struct ft_set *set_new(struct ft_reader *r, enum ft_set_kind kind)
{
    struct ft_expression *e = r->expression;
    struct ft_set **grown = reallocarray(e->sets, e->set_count + 1, sizeof(*grown));
    if (grown)
        e->sets = grown;
    struct ft_set *set = grown ? ft_set_new(kind) : NULL;
    if (set)
        e->sets[e->set_count++] = set;
    else
        ft_reader_wrong(r, r->token.at, r->token.end, "out of memory");
    return set;
}

static enum ft_set_kind set_kind(const struct ft_operand *o)
{
    return o->type == FT_VALUE_TYPE_ADDRESS                       ? FT_SET_ADDRESSES
           : ft_value_type_is_number((enum ft_value_type)o->type) ? FT_SET_NUMBERS
                                                                  : FT_SET_TEXTS;
}

/* "00ff12" as bytes, in place. False: it is not that. */
static bool read_hex(const char *text, uint32_t length, char *to, uint32_t *bytes)
{
    *bytes = 0;
    if (!length || length % 2)
        return false;
    for (uint32_t i = 0; i < length; i += 2) {
        unsigned value;
        if (!strchr("0123456789abcdefABCDEF", text[i]) ||
            !strchr("0123456789abcdefABCDEF", text[i + 1]) || sscanf(text + i, "%2x", &value) != 1)
            return false;
        to[(*bytes)++] = (char)value;
    }
    return true;
}

/* A text without what a number is of: "3" for "unit 3". No sub-address is it. */
static bool check_subaddress(struct ft_reader *r, const struct ft_token *t,
                             const struct ft_operand *o)
{
    if (o->keyword != FT_KEYWORD_SUBADDRESS || !*t->text || t->text[strspn(t->text, "0123456789")])
        return true;
    ft_reader_wrong(r, t->at, t->end,
                    "%s is a number among texts: write \"unit %s\" or the like, or numbers only",
                    t->text, t->text);
    return false;
}

/* Values of a test that does not tell letters by their size are in small ones. */
static void fold(char *text, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        text[i] = (char)ft_fold((uint8_t)text[i]);
}

/* The text that a token stands for; of bytes also a word in hexadecimal. */
static bool token_text(struct ft_reader *r, const struct ft_token *t, const struct ft_operand *o,
                       const char **text, uint32_t *length)
{
    char *own = (char *)(uintptr_t)t->text; /* in the expression's texts */
    *text = own;
    *length = t->length;
    if (t->kind == FT_TOKEN_WORD && o->type == FT_VALUE_TYPE_BYTES &&
        !read_hex(t->text, t->length, own, length)) {
        ft_reader_wrong(r, t->at, t->end, "%s: expected %s", t->text, example(o));
        return false;
    }
    if (r->folds)
        fold(own, *length);
    uint64_t ignored;
    if (o->names && !read_name(o->names, own, &ignored)) {
        name_expected(r, t, o);
        return false;
    }
    return check_subaddress(r, t, o);
}

static bool add_written(struct ft_reader *r, const struct ft_token *t, struct ft_set *set,
                        enum ft_value_kind kind)
{
    char error[256];
    if (ft_set_add_written(set, kind, t->text, t->length, error, sizeof(error)))
        return true;
    ft_reader_wrong(r, t->at, t->end, "%s", error);
    return false;
}

static bool out_of_memory(struct ft_reader *r, bool ok)
{
    if (!ok)
        ft_reader_wrong(r, r->token.at, r->token.end, "out of memory");
    return !ok;
}

/* "low..high" or one number. */
static bool add_numbers(struct ft_reader *r, const struct ft_token *t, const struct ft_operand *o,
                        struct ft_set *set)
{
    const char *dots = strstr(t->text, "..");
    char low_text[64];
    uint64_t low, high;
    if (dots && dots - t->text < (long)sizeof(low_text)) {
        snprintf(low_text, sizeof(low_text), "%.*s", (int)(dots - t->text), t->text);
        if (!read_key(r, t, o, low_text, &low) || !read_key(r, t, o, dots + 2, &high))
            return false;
    } else {
        if (!read_key(r, t, o, t->text, &low))
            return false;
        high = low;
    }
    if (low > high) {
        ft_reader_wrong(r, t->at, t->end, "%s: the first is larger than the last", t->text);
        return false;
    }
    return !out_of_memory(r, ft_set_add_numbers(set, low, high));
}

static bool add_value(struct ft_reader *r, const struct ft_token *t, const struct ft_operand *o,
                      struct ft_set *set)
{
    char error[512], ignored[512];
    struct ft_operand other;
    const char *text;
    uint32_t length;
    if (t->kind != FT_TOKEN_WORD && t->kind != FT_TOKEN_TEXT) {
        ft_reader_wrong(r, t->at, t->end, "a value is missing: %s",
                        example(o) ? example(o) : "a name");
        return false;
    }
    switch (o->type) {
    case FT_VALUE_TYPE_ADDRESS:
        return add_written(r, t, set, FT_VALUE_IP);
    case FT_VALUE_TYPE_MAC:
        return add_written(r, t, set, FT_VALUE_MAC);
    case FT_VALUE_TYPE_COMMAND:
        if (ft_vocabulary_command(r->vocabulary, t->text, set, error, sizeof(error)))
            return true;
        if (ft_reader_find(r, t->text, &other, ignored, sizeof(ignored)))
            snprintf(error, sizeof(error),
                     "%s is no command, and only numbers are compared with fields: the number of "
                     "the command is command.code",
                     t->text);
        ft_reader_wrong(r, t->at, t->end, "%s", error);
        return false;
    case FT_VALUE_TYPE_TEXT:
    case FT_VALUE_TYPE_BYTES:
        return token_text(r, t, o, &text, &length) &&
               !out_of_memory(r, ft_set_add_text(set, text, length));
    default:
        return add_numbers(r, t, o, set);
    }
}

/* What entries of a named set this operand can be one of. */
static bool is_fitting(const struct ft_operand *o, enum ft_value_kind kind)
{
    switch (o->type) {
    case FT_VALUE_TYPE_ADDRESS:
        return kind == FT_VALUE_IP;
    case FT_VALUE_TYPE_MAC:
        return kind == FT_VALUE_MAC;
    case FT_VALUE_TYPE_TEXT:
    case FT_VALUE_TYPE_BYTES:
        return kind == FT_VALUE_TEXT;
    case FT_VALUE_TYPE_UINT:
    case FT_VALUE_TYPE_ENUM:
    case FT_VALUE_TYPE_INT:
        return kind == FT_VALUE_PORT || kind == FT_VALUE_NUMBER;
    default:
        return false;
    }
}

/* The named set behind a $; NULL: it was told. */
static const struct ft_named_set *read_named(struct ft_reader *r, const struct ft_operand *o)
{
    char error[512];
    uint32_t at = r->token.at;
    ft_reader_next(r);
    struct ft_token t = r->token;
    if (t.kind != FT_TOKEN_WORD || t.at != at + 1) {
        ft_reader_wrong(r, at, at + 1, "$ stands right before the name of a set");
        return NULL;
    }
    const struct ft_named_set *named =
        ft_vocabulary_set(r->vocabulary, t.text, error, sizeof(error));
    if (!named) {
        ft_reader_wrong(r, at, t.end, "%s", error);
        return NULL;
    }
    if (!is_fitting(o, named->kind)) {
        ft_reader_wrong(r, at, t.end, "$%s is a set of type \"%s\": of no use for what is %s",
                        t.text, ft_value_kind_name(named->kind),
                        ft_value_type_name((enum ft_value_type)o->type));
        return NULL;
    }
    r->expression->is_broken |= named->is_broken;
    ft_reader_next(r);
    return named;
}

/* Add what another set has; its numbers are never negative. */
static bool add_named(struct ft_reader *r, const struct ft_operand *o, struct ft_set *set,
                      const struct ft_set *from)
{
    uint64_t low, high;
    struct ft_set_address first, last;
    const char *text;
    size_t length;
    bool ok = true;
    for (uint32_t i = 0; ok && ft_set_numbers_at(from, i, &low, &high); i++) {
        bool is_signed = o->type == FT_VALUE_TYPE_INT;
        high = is_signed && high > INT64_MAX ? INT64_MAX : high;
        if (low <= high)
            ok = ft_set_add_numbers(set, is_signed ? ft_key_of_int((int64_t)low) : low,
                                    is_signed ? ft_key_of_int((int64_t)high) : high);
    }
    for (uint32_t i = 0; ok && ft_set_addresses_at(from, i, &first, &last); i++)
        ok = ft_set_add_addresses(set, first, last);
    for (uint32_t i = 0; ok && ft_set_text_at(from, i, &text, &length); i++)
        ok = r->folds ? ft_set_add_folded(set, text, length) : ft_set_add_text(set, text, length);
    return !out_of_memory(r, ok);
}

/* { value, value, $set }. */
static bool read_list(struct ft_reader *r, const struct ft_operand *o, struct ft_set *set,
                      bool *is_named)
{
    uint32_t open = r->token.at;
    do {
        ft_reader_next(r);
        if (r->token.kind == FT_TOKEN_DOLLAR) {
            const struct ft_named_set *named = read_named(r, o);
            *is_named = true;
            if (!named || !add_named(r, o, set, named->set))
                return false;
            continue;
        }
        if (!add_value(r, &r->token, o, set))
            return false;
        ft_reader_next(r);
    } while (r->token.kind == FT_TOKEN_COMMA);
    if (r->token.kind != FT_TOKEN_CLOSE_SET) {
        ft_reader_wrong(r, open, r->token.end, "{ without }, or a comma is missing");
        return false;
    }
    ft_reader_next(r);
    return true;
}

/* Does a named set of numbers begin behind a $? */
static bool is_set_of_numbers(const struct ft_reader *r, const char *name)
{
    for (uint32_t i = 0; i < r->vocabulary->set_count; i++) {
        const struct ft_named_set *set = &r->vocabulary->sets[i];
        size_t n = strlen(set->name);
        if (strncmp(set->name, name, n) == 0 && !ft_reader_is_word(name[n]))
            return set->kind == FT_VALUE_NUMBER;
    }
    return false;
}

/* Is a sub-address asked for by its number, not by its text? */
static bool is_code(const struct ft_reader *r, const struct ft_operand *o)
{
    const char *inside = r->at + strspn(r->at, " \t\r\n");
    if (o->keyword != FT_KEYWORD_SUBADDRESS)
        return false;
    if (r->token.kind == FT_TOKEN_OPEN_SET)
        return is_digit(*inside) || (*inside == '$' && is_set_of_numbers(r, inside + 1));
    return (r->token.kind == FT_TOKEN_WORD && is_digit(*r->token.text)) ||
           (r->token.kind == FT_TOKEN_DOLLAR && is_set_of_numbers(r, r->at));
}

static void use_code(struct ft_test *test)
{
    test->left.type = FT_VALUE_TYPE_UINT;
    test->is_code = true;
}

/* The simplest test that asks whether a value is in a set. */
static void use_set(struct ft_test *test, const struct ft_set *set)
{
    uint64_t low, high;
    struct ft_set_address first, last;
    test->set = set;
    switch (ft_set_kind_of(set)) {
    case FT_SET_NUMBERS:
        test->kind = FT_TEST_NUMBERS;
        if (ft_set_numbers_at(set, 0, &test->low, &test->high) &&
            !ft_set_numbers_at(set, 1, &low, &high))
            test->kind = FT_TEST_RANGE;
        break;
    case FT_SET_ADDRESSES:
        test->kind = FT_TEST_ADDRESSES;
        if (ft_set_addresses_at(set, 0, &test->address_low, &test->address_high) &&
            !ft_set_addresses_at(set, 1, &first, &last))
            test->kind = FT_TEST_ADDRESS;
        break;
    case FT_SET_TEXTS:
        test->kind = FT_TEST_TEXTS;
        break;
    }
}

static bool read_in(struct ft_reader *r, struct ft_test *test)
{
    const struct ft_operand *o = &test->left;
    const struct ft_set *set = NULL;
    if (o->type == FT_VALUE_TYPE_BOOL || o->type == FT_VALUE_TYPE_GROUP) {
        ft_reader_wrong(r, r->token.at, r->token.end, "in is not for what is %s",
                        ft_value_type_name((enum ft_value_type)o->type));
        return false;
    }
    ft_reader_next(r);
    struct ft_token t = r->token;
    test->is_named = t.kind == FT_TOKEN_DOLLAR;
    if (is_code(r, o))
        use_code(test);
    if (t.kind == FT_TOKEN_DOLLAR && o->type != FT_VALUE_TYPE_INT && !r->folds) {
        const struct ft_named_set *named = read_named(r, o);
        set = named ? named->set : NULL;
    } else {
        struct ft_set *own = set_new(r, set_kind(o));
        bool ok = own != NULL;
        if (ok && t.kind == FT_TOKEN_OPEN_SET) {
            ok = read_list(r, o, own, &test->is_named);
        } else if (ok && t.kind == FT_TOKEN_DOLLAR) {
            const struct ft_named_set *named = read_named(r, o);
            if (named && o->type != FT_VALUE_TYPE_INT && ft_set_is_folded(named->set)) {
                use_set(test, named->set);
                return true;
            }
            ok = named && add_named(r, o, own, named->set);
        } else if (ok) {
            ok = add_value(r, &t, o, own);
            if (ok)
                ft_reader_next(r);
        }
        if (!ok || out_of_memory(r, ft_set_close(own)))
            return false;
        set = own;
    }
    if (set)
        use_set(test, set);
    return set != NULL;
}

/* ---- operators ---- */

static bool is_order(uint8_t operator)
{
    return operator>= FT_TOKEN_LESS && operator<= FT_TOKEN_GREATER_EQUAL;
}

/* Ranges of what is less or greater than one number. */
static bool use_order(struct ft_reader *r, struct ft_test *test, uint8_t operator, uint64_t key,
                      const struct ft_token *t)
{
    const struct ft_operand *o = &test->left;
    uint64_t most =
        o->type == FT_VALUE_TYPE_INT || o->type == FT_VALUE_TYPE_FLOAT ? UINT64_MAX : largest(o);
    bool is_less = operator== FT_TOKEN_LESS, is_more = operator== FT_TOKEN_GREATER;
    test->kind = FT_TEST_RANGE;
    if ((is_less && key == 0) || (is_more && key >= most)) {
        ft_reader_wrong(r, t->at, t->end, "no value is %s than that: it can never hold",
                        is_less ? "less" : "greater");
        return false;
    }
    test->low = operator== FT_TOKEN_GREATER || operator== FT_TOKEN_GREATER_EQUAL ? key + is_more
                                                                                 : 0;
    test->high = operator== FT_TOKEN_LESS || operator== FT_TOKEN_LESS_EQUAL ? key - is_less
                                                                            : UINT64_MAX;
    return true;
}

/* Another field in the place of a value? */
static bool is_operand(struct ft_reader *r, const struct ft_test *test, struct ft_operand *right)
{
    char ignored[512];
    uint64_t key;
    const struct ft_token *t = &r->token;
    if (t->kind != FT_TOKEN_WORD || is_digit(*t->text) || *t->text == '-' ||
        read_name(test->left.names, t->text, &key) || test->left.type == FT_VALUE_TYPE_COMMAND)
        return false;
    return ft_reader_find(r, t->text, right, ignored, sizeof(ignored));
}

static bool use_operand(struct ft_reader *r, struct ft_test *test, uint8_t operator)
{
    static const uint8_t sames[] = {
        [FT_TOKEN_EQUAL] = FT_SAME_EQUAL,     [FT_TOKEN_UNEQUAL] = FT_SAME_EQUAL,
        [FT_TOKEN_LESS] = FT_SAME_LESS,       [FT_TOKEN_LESS_EQUAL] = FT_SAME_LESS_EQUAL,
        [FT_TOKEN_GREATER] = FT_SAME_GREATER, [FT_TOKEN_GREATER_EQUAL] = FT_SAME_GREATER_EQUAL,
    };
    const struct ft_token *t = &r->token;
    enum ft_set_kind left = set_kind(&test->left), right = set_kind(&test->right);
    bool is_other = left == FT_SET_NUMBERS && test->left.type != test->right.type &&
                    (test->left.type == FT_VALUE_TYPE_MAC || test->right.type == FT_VALUE_TYPE_MAC);
    if (test->right.type == FT_VALUE_TYPE_COMMAND) {
        ft_reader_wrong(r, t->at, t->end, "%s is a name; the number of the command is command.code",
                        t->text);
        return false;
    }
    if (left != right || is_other || test->right.type == FT_VALUE_TYPE_GROUP ||
        test->left.level == FT_LEVEL_ASSET || test->right.level == FT_LEVEL_ASSET ||
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
    if (is_code(r, o))
        use_code(test);
    bool is_number = ft_value_type_is_number((enum ft_value_type)o->type);
    if (is_order(operator) && (!is_number || o->type == FT_VALUE_TYPE_BOOL ||
                               o->type == FT_VALUE_TYPE_COMMAND || o->type == FT_VALUE_TYPE_MAC)) {
        ft_reader_wrong(r, t.at, t.end, "only numbers are less or greater: this is %s",
                        ft_value_type_name((enum ft_value_type)o->type));
        return false;
    }
    if (is_order(operator)) {
        if (t.kind != FT_TOKEN_WORD) {
            ft_reader_wrong(r, t.at, t.end, "a value is missing: %s", example(o) ? example(o) : "");
            return false;
        }
        if (!read_key(r, &t, o, t.text, &key) || !use_order(r, test, operator, key, &t))
            return false;
        ft_reader_next(r);
        return true;
    }
    if (o->type == FT_VALUE_TYPE_TEXT || o->type == FT_VALUE_TYPE_BYTES) {
        test->kind = FT_TEST_TEXT;
        if (t.kind != FT_TOKEN_WORD && t.kind != FT_TOKEN_TEXT) {
            ft_reader_wrong(r, t.at, t.end, "a value is missing: %s", example(o));
            return false;
        }
        if (!token_text(r, &t, o, &test->text, &test->length))
            return false;
        ft_reader_next(r);
        return true;
    }
    struct ft_set *set = set_new(r, set_kind(o));
    if (!set || !add_value(r, &t, o, set) || out_of_memory(r, ft_set_close(set)))
        return false;
    use_set(test, set);
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
        ft_reader_wrong(r, t.at, t.end, "what it contains is missing: %s", example(o));
        return false;
    }
    struct ft_operand part = {.type = o->type}; /* a part of a name is none */
    if (!token_text(r, &t, &part, &test->text, &test->length) || !check_pattern(r, &t, test))
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
    if (!read_key(r, &r->token, o, r->token.text, &test->mask))
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

/* Is it a value of a keyword whose values are all known? */
static bool check_known(struct ft_reader *r, const struct ft_test *test, const struct ft_token *t)
{
    const struct ft_operand *o = &test->left;
    bool is_numbers = test->kind == FT_TEST_RANGE || test->kind == FT_TEST_NUMBERS;
    bool is_purdue = o->keyword == FT_KEYWORD_PURDUE_SRC || o->keyword == FT_KEYWORD_PURDUE_DST;
    bool is_listed = o->keyword && o->type == FT_VALUE_TYPE_ENUM &&
                     o->keyword != FT_KEYWORD_ZONE_SRC && o->keyword != FT_KEYWORD_ZONE_DST;
    if (test->is_negated || test->is_named)
        return true;
    if (is_listed && (is_numbers || test->kind == FT_TEST_MASK) && !is_named_value(test))
        ft_reader_wrong(r, t->at, r->last_end, "%s has no such value: it can never hold",
                        ft_keyword_name((enum ft_keyword)o->keyword));
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
    if (!test->has_mask || test->kind != FT_TEST_RANGE || test->low != test->high ||
        !(test->low & ~test->mask) || test->is_none || test->is_negated)
        return true;
    ft_reader_wrong(r, t->at, t->end,
                    "0x%llx has bits that the mask 0x%llx takes away: it can "
                    "never hold",
                    (unsigned long long)test->low, (unsigned long long)test->mask);
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
            return read_in(r, test);
        ft_reader_wrong(r, operator.at, operator.end, "after a name only in can follow on not");
        return false;
    case FT_TOKEN_IN:
        return read_in(r, test);
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

bool ft_reader_test(struct ft_reader *r, struct ft_test *test)
{
    struct ft_token first = r->token;
    return read_test(r, test) && check_known(r, test, &first);
}
