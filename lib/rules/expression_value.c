/* SPDX-License-Identifier: BSD-3-Clause */
/* Conditions of rules: the values in a test, and sets of them. */
#include "rules/expression_internal.h"

#include "base/hash.h"
#include "base/nearest.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NANOSECONDS 1000000000ull

/* ---- numbers ---- */

uint64_t ft_reader_largest(const struct ft_operand *o)
{
    switch (o->keyword) {
    case FT_KEYWORD_PORT_SRC:
    case FT_KEYWORD_PORT_DST:
    case FT_KEYWORD_PORT:
    case FT_KEYWORD_ETHERTYPE:
    case FT_KEYWORD_IP_ID:
    case FT_KEYWORD_TCP_WINDOW:
        return 65535;
    case FT_KEYWORD_IP_PROTOCOL:
    case FT_KEYWORD_IP_TTL:
    case FT_KEYWORD_TCP_FLAGS:
        return 255;
    case FT_KEYWORD_VLAN:
        return 4095;
    case FT_KEYWORD_COMMAND_CODE:
        return UINT32_MAX;
    default:
        break;
    }
    if (o->type == FT_VALUE_TYPE_MAC)
        return 0xffffffffffff;
    if (o->type == FT_VALUE_TYPE_INT)
        return ft_key_of_int(INT64_MAX >> (o->bits ? 64 - o->bits : 0));
    return UINT64_MAX >> (o->bits ? 64 - o->bits : 0);
}

uint64_t ft_reader_smallest(const struct ft_operand *o)
{
    return o->type == FT_VALUE_TYPE_INT ? ~ft_reader_largest(o) : 0;
}

/* Told with what would be right. */
static bool is_too_far(struct ft_reader *r, const struct ft_token *t, const struct ft_operand *o,
                       const char *text, uint64_t key)
{
    char name[256], end[64];
    uint64_t low = ft_reader_smallest(o), high = ft_reader_largest(o);
    if (o->type > FT_VALUE_TYPE_TIME || o->type == FT_VALUE_TYPE_FLOAT ||
        (key >= low && key <= high))
        return false;
    const struct ft_operand number = {.type = o->type};
    ft_key_text(&number, key < low ? low : high, end, sizeof(end));
    ft_reader_wrong(r, t->at, t->end, "%s can never be: %s is at %s %s", text,
                    ft_vocabulary_name(r->vocabulary, o, name, sizeof(name)),
                    key < low ? "least" : "most", end);
    return true;
}

/* A whole number, decimal or 0x. */
static bool read_unsigned(const char *text, uint64_t *to)
{
    char *end;
    bool is_hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    if (!ft_is_digit(*text))
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
    return ft_is_digit(text[is_negative]) && !*end && isfinite(d);
}

void ft_reader_written(const struct ft_operand *o, uint64_t key, uint64_t *low, uint64_t *high)
{
    double d = ft_key_number(o, key);
    *low = *high = key;
    if (o->type == FT_VALUE_TYPE_TIME && key % NANOSECONDS && key % 1000 == 0)
        *high = key + 999;
    if (o->type != FT_VALUE_TYPE_FLOAT || d == trunc(d)) /* so are those that are too large */
        return;
    uint64_t single = ft_key_of_float((double)(float)d);
    if (single < key)
        *low = single;
    else
        *high = single;
}

/* ".475505": nanoseconds. Returns behind it. */
static const char *read_fraction(const char *text, uint64_t *nanoseconds)
{
    uint64_t unit = NANOSECONDS / 10;
    for (text++; ft_is_digit(*text) && unit; text++, unit /= 10)
        *nanoseconds += (uint64_t)(*text - '0') * unit;
    return text;
}

/* "2026-11-22T08:15:00Z", "2026-11-22T08:15:00.475505Z", or nanoseconds. */
static bool read_time(const char *text, uint64_t *key)
{
    struct tm tm = {0};
    uint64_t fraction = 0;
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (!end)
        return read_unsigned(text, key);
    if (*end == '.')
        end = read_fraction(end, &fraction);
    if (strcmp(end, "Z") != 0)
        return false;
    struct tm day = {.tm_year = tm.tm_year, .tm_mon = tm.tm_mon, .tm_mday = tm.tm_mday};
    timegm(&day); /* makes another day of one that the month does not have */
    bool is_day = day.tm_mday == tm.tm_mday;
    time_t s = timegm(&tm);
    *key = (uint64_t)s * NANOSECONDS + fraction;
    return is_day && s >= 0 && (uint64_t)s < UINT64_MAX / NANOSECONDS;
}

bool ft_reader_name_of_value(const struct ft_name *names, const char *text, uint64_t *to)
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

/* TCP is a protocol, too, but not what `protocol` is about. */
static bool is_transport(const struct ft_reader *r, const struct ft_operand *o, const char *text)
{
    struct ft_operand transport;
    char ignored[8];
    uint64_t value;
    return o->keyword == FT_KEYWORD_PROTOCOL &&
           ft_vocabulary_find(r->vocabulary, "transport", &transport, ignored, sizeof(ignored)) &&
           ft_reader_name_of_value(transport.names, text, &value);
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
    if (is_transport(r, o, t->text))
        ft_reader_wrong(r, t->at, t->end, "%s is a transport: write transport == %s", t->text,
                        t->text);
    else if (best.best)
        ft_reader_wrong(r, t->at, t->end, "there is no value %s here; did you mean %s%s%s?",
                        t->text, quote_of(best.best), best.best, quote_of(best.best));
    else if (!count)
        ft_reader_wrong(r, t->at, t->end, "there is no value %s here: none has a name%s", t->text,
                        o->keyword == FT_KEYWORD_ZONE_SRC || o->keyword == FT_KEYWORD_ZONE_DST
                            ? "; zones[] of the configuration (-c FILE) names zones"
                            : "");
    else
        ft_reader_wrong(r, t->at, t->end, "there is no value %s here; there are: %s%s", t->text,
                        list, used >= sizeof(list) - 40 ? " ..." : "");
}

const char *ft_reader_example(const struct ft_operand *o)
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
bool ft_reader_key(struct ft_reader *r, const struct ft_token *t, const struct ft_operand *o,
                   const char *text, uint64_t *key)
{
    bool ok = false, is_negative = *text == '-';
    switch (o->type) {
    case FT_VALUE_TYPE_FLAGS:
        if (!r->takes_bits && ft_reader_name_of_value(o->names, text, key)) {
            bit_expected(r, t, *key);
            return false;
        }
        ok = ft_reader_name_of_value(o->names, text, key) || read_unsigned(text, key);
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
        ok = ft_reader_name_of_value(o->names, text, key) || read_unsigned(text, key);
        break;
    default:
        ok = read_unsigned(text, key);
    }
    if (!ok && (o->type == FT_VALUE_TYPE_ENUM || o->type == FT_VALUE_TYPE_FLAGS) && !is_negative &&
        !ft_is_digit(*text)) {
        name_expected(r, t, o);
        return false;
    }
    if (ok && is_too_far(r, t, o, text, *key))
        return false;
    if (!ok)
        ft_reader_wrong(r, t->at, t->end,
                        is_negative && o->type == FT_VALUE_TYPE_UINT
                            ? "%s: a number that is never negative, such as %s"
                            : "%s is no value of this field; expected e.g. %s",
                        text, ft_reader_example(o) ? ft_reader_example(o) : "a name");
    return ok;
}

/* ---- sets ---- */

struct ft_set *ft_reader_set_new(struct ft_reader *r, enum ft_set_kind kind)
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

enum ft_set_kind ft_reader_set_kind(const struct ft_operand *o)
{
    return o->type == FT_VALUE_TYPE_ADDRESS                       ? FT_SET_ADDRESSES
           : ft_value_type_is_number((enum ft_value_type)o->type) ? FT_SET_NUMBERS
                                                                  : FT_SET_TEXTS;
}

/* "00ff12" as bytes, in place. */
static void read_hex(const char *text, uint32_t length, char *to, uint32_t *bytes)
{
    unsigned value;
    *bytes = 0;
    for (uint32_t i = 0; i < length && sscanf(text + i, "%2x", &value) == 1; i += 2)
        to[(*bytes)++] = (char)value;
}

/* Bytes in hexadecimal? Told from where on they are none. */
static bool check_hex(struct ft_reader *r, const struct ft_token *t, const struct ft_operand *o)
{
    uint32_t digits = (uint32_t)strspn(t->text, "0123456789abcdefABCDEF");
    if (digits < t->length && digits < 2)
        ft_reader_wrong(r, t->at, t->end, "%s: expected %s", t->text, ft_reader_example(o));
    else if (digits < t->length)
        ft_reader_wrong(r, t->at + digits, t->end,
                        "%s: bytes in hexadecimal go on with 0-9 and a-f, not with \"%s\"; a text "
                        "stands in quotes",
                        t->text, t->text + digits);
    else if (digits % 2)
        ft_reader_wrong(r, t->at, t->end,
                        "%s: %u digits: a byte is two in hexadecimal; a text stands in quotes",
                        t->text, digits);
    return digits == t->length && digits % 2 == 0;
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

/* A word that is the name of a field, or begins as one: most likely no text. */
static bool check_no_name(struct ft_reader *r, const struct ft_token *t)
{
    char error[512];
    struct ft_operand other;
    if (ft_reader_find(r, t->text, &other, error, sizeof(error)))
        ft_reader_wrong(r, t->at, t->end,
                        "%s is the name of a value: it can stand behind == and !=, by itself; a "
                        "text stands in quotes",
                        t->text);
    else if (ft_vocabulary_is_begun(r->vocabulary, t->text))
        ft_reader_wrong(r, t->at, t->end, "%s (a text stands in quotes)", error);
    else
        return true;
    return false;
}

/* The text that a token stands for; of bytes also a word in hexadecimal. */
bool ft_reader_text(struct ft_reader *r, const struct ft_token *t, const struct ft_operand *o,
                    const char **text, uint32_t *length)
{
    char *own = (char *)(uintptr_t)t->text; /* in the expression's texts */
    *text = own;
    *length = t->length;
    if (t->kind == FT_TOKEN_WORD && o->type == FT_VALUE_TYPE_BYTES) {
        if (!check_hex(r, t, o))
            return false;
        read_hex(t->text, t->length, own, length);
    }
    if (r->folds)
        fold(own, *length);
    uint64_t ignored;
    if (o->names && !ft_reader_name_of_value(o->names, own, &ignored)) {
        name_expected(r, t, o);
        return false;
    }
    if (t->kind == FT_TOKEN_WORD && o->type == FT_VALUE_TYPE_TEXT && !o->names &&
        !check_no_name(r, t))
        return false;
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

bool ft_reader_out_of_memory(struct ft_reader *r, bool ok)
{
    if (!ok)
        ft_reader_wrong(r, r->token.at, r->token.end, "out of memory");
    return !ok;
}

/* A number, but for names such as "10 Mbit/s", is written without quotes. */
static bool is_quoted_number(const struct ft_token *t, const struct ft_operand *o)
{
    const char *digits = t->text + (t->text[0] == '-');
    uint64_t ignored;
    return t->kind == FT_TOKEN_TEXT && *digits >= '0' && *digits <= '9' &&
           !(o->names && ft_reader_name_of_value(o->names, t->text, &ignored));
}

/* "low..high" or one number. */
static bool add_numbers(struct ft_reader *r, const struct ft_token *t, const struct ft_operand *o,
                        struct ft_set *set)
{
    const char *dots = strstr(t->text, "..");
    char low_text[64];
    uint64_t low, high, ignored;
    if (is_quoted_number(t, o)) {
        ft_reader_wrong(r, t->at, t->end, "\"%s\" is a text: a number stands without quotes",
                        t->text);
        return false;
    }
    if (dots && (dots == t->text || !dots[2])) {
        ft_reader_wrong(r, t->at, t->end, "%s: a range has two ends: 100..199; else < or >",
                        t->text);
        return false;
    }
    if (dots && dots - t->text < (long)sizeof(low_text)) {
        snprintf(low_text, sizeof(low_text), "%.*s", (int)(dots - t->text), t->text);
        if (!ft_reader_key(r, t, o, low_text, &low) || !ft_reader_key(r, t, o, dots + 2, &high))
            return false;
    } else {
        if (!ft_reader_key(r, t, o, t->text, &low))
            return false;
        high = low;
    }
    if (low > high) {
        ft_reader_wrong(r, t->at, t->end, "%s: the first is larger than the last", t->text);
        return false;
    }
    ft_reader_written(o, high, &ignored, &high);
    ft_reader_written(o, low, &low, &ignored);
    return !ft_reader_out_of_memory(r, ft_set_add_numbers(set, low, high));
}

bool ft_reader_value(struct ft_reader *r, const struct ft_token *t, const struct ft_operand *o,
                     struct ft_set *set)
{
    char error[512], ignored[512];
    struct ft_operand other;
    const char *text;
    uint32_t length;
    if (t->kind == FT_TOKEN_DOLLAR || t->kind == FT_TOKEN_OPEN_SET) {
        ft_reader_wrong(r, t->at, t->end, "sets and lists follow on in: in $name, in {1, 2}");
        return false;
    }
    if (t->kind != FT_TOKEN_WORD && t->kind != FT_TOKEN_TEXT) {
        ft_reader_wrong(r, t->at, t->end, "a value is missing: %s",
                        ft_reader_example(o) ? ft_reader_example(o) : "a name");
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
        return ft_reader_text(r, t, o, &text, &length) &&
               !ft_reader_out_of_memory(r, ft_set_add_text(set, text, length));
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
    return !ft_reader_out_of_memory(r, ok);
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
        if (!ft_reader_value(r, &r->token, o, set))
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
bool ft_reader_is_code(const struct ft_reader *r, const struct ft_operand *o)
{
    const char *inside = r->at + strspn(r->at, " \t\r\n");
    if (o->keyword != FT_KEYWORD_SUBADDRESS)
        return false;
    if (r->token.kind == FT_TOKEN_OPEN_SET)
        return ft_is_digit(*inside) || (*inside == '$' && is_set_of_numbers(r, inside + 1));
    return (r->token.kind == FT_TOKEN_WORD && ft_is_digit(*r->token.text)) ||
           (r->token.kind == FT_TOKEN_DOLLAR && is_set_of_numbers(r, r->at));
}

void ft_reader_use_code(struct ft_test *test)
{
    test->left.type = FT_VALUE_TYPE_UINT;
    test->is_code = true;
}

/* The simplest test that asks whether a value is in a set. */
void ft_reader_use_set(struct ft_test *test, const struct ft_set *set)
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

bool ft_reader_in(struct ft_reader *r, struct ft_test *test)
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
    if (ft_reader_is_code(r, o))
        ft_reader_use_code(test);
    if (t.kind == FT_TOKEN_DOLLAR && o->type != FT_VALUE_TYPE_INT && !r->folds) {
        const struct ft_named_set *named = read_named(r, o);
        set = named ? named->set : NULL;
    } else {
        struct ft_set *own = ft_reader_set_new(r, ft_reader_set_kind(o));
        bool ok = own != NULL;
        if (ok && t.kind == FT_TOKEN_OPEN_SET) {
            ok = read_list(r, o, own, &test->is_named);
        } else if (ok && t.kind == FT_TOKEN_DOLLAR) {
            const struct ft_named_set *named = read_named(r, o);
            if (named && o->type != FT_VALUE_TYPE_INT && ft_set_is_folded(named->set)) {
                ft_reader_use_set(test, named->set);
                return true;
            }
            ok = named && add_named(r, o, own, named->set);
        } else if (ok) {
            ok = ft_reader_value(r, &t, o, own);
            if (ok)
                ft_reader_next(r);
        }
        if (!ok || ft_reader_out_of_memory(r, ft_set_close(own)))
            return false;
        set = own;
    }
    if (set)
        ft_reader_use_set(test, set);
    return set != NULL;
}
