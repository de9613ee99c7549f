/* SPDX-License-Identifier: BSD-3-Clause */
/* Conditions of rules: words, and the tree they make. */
#include "rules/expression_internal.h"

#include "base/hash.h"
#include "base/nearest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- errors ---- */

void ft_reader_wrong(struct ft_reader *r, uint32_t at, uint32_t end, const char *format, ...)
{
    char text[768];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    r->is_wrong = true;
    r->wrong(r->user, at, end, text);
}

/* ---- tokens ---- */

bool ft_reader_is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == ':' || c == '/' || c == '-';
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* One character of a text in quotes: \" \\ \n \r \t \xHH. False: no such escape. */
static bool take_character(const char **from, char *to)
{
    static const char escapes[] = "\"\\nrt", meant[] = "\"\\\n\r\t";
    const char *p = *from;
    if (*p != '\\') {
        *to = *p;
        *from = p + 1;
        return true;
    }
    if (p[1] == 'x' && hex(p[2]) >= 0 && hex(p[3]) >= 0) {
        *to = (char)(hex(p[2]) << 4 | hex(p[3]));
        *from = p + 4;
        return true;
    }
    const char *known = p[1] ? strchr(escapes, p[1]) : NULL;
    if (!known)
        return false;
    *to = meant[known - escapes];
    *from = p + 2;
    return true;
}

/* A text in quotes. For `matches` backslashes stay: they are the expression's. */
static void take_text(struct ft_reader *r, struct ft_token *t)
{
    const char *p = r->at + 1;
    struct ft_expression *e = r->expression;
    t->kind = FT_TOKEN_TEXT;
    t->text = e->texts + e->texts_used;
    while (*p && *p != '"') {
        char *to = &e->texts[e->texts_used];
        if (r->is_raw && *p == '\\' && p[1] && p[1] != '"') {
            to[0] = *p++;
            to[1] = *p++;
            e->texts_used += 2;
        } else if (r->is_raw && *p == '\\' && p[1]) {
            *to = p[1];
            p += 2;
            e->texts_used++;
        } else if (!take_character(&p, to)) {
            uint32_t at = (uint32_t)(p - r->text);
            ft_reader_wrong(r, at, at + 1 + (p[1] != 0),
                            "no such escape: in texts there are \\\" \\\\ \\n \\r \\t and \\xHH");
            p += p[1] ? 2 : 1;
        } else {
            e->texts_used++;
        }
    }
    t->length = (uint32_t)(e->texts + e->texts_used - t->text);
    e->texts[e->texts_used++] = 0;
    r->at = p + (*p == '"');
    if (!*p)
        ft_reader_wrong(r, t->at, (uint32_t)(p - r->text),
                        "a text that does not end: \" is missing");
}

static void take_word(struct ft_reader *r, struct ft_token *t)
{
    struct ft_expression *e = r->expression;
    const char *p = r->at;
    while (ft_reader_is_word(*p))
        p++;
    t->kind = FT_TOKEN_WORD;
    t->length = (uint32_t)(p - r->at);
    t->text = memcpy(e->texts + e->texts_used, r->at, t->length);
    e->texts[e->texts_used + t->length] = 0;
    e->texts_used += t->length + 1;
    r->at = p;
}

struct sign {
    const char *text;
    uint8_t kind;
};

/* Longer ones first. */
static const struct sign signs[] = {
    {"&&", FT_TOKEN_AND},      {"||", FT_TOKEN_OR},         {"==", FT_TOKEN_EQUAL},
    {"!=", FT_TOKEN_UNEQUAL},  {"<=", FT_TOKEN_LESS_EQUAL}, {">=", FT_TOKEN_GREATER_EQUAL},
    {"<", FT_TOKEN_LESS},      {">", FT_TOKEN_GREATER},     {"!", FT_TOKEN_NOT},
    {"(", FT_TOKEN_OPEN},      {")", FT_TOKEN_CLOSE},       {"{", FT_TOKEN_OPEN_SET},
    {"}", FT_TOKEN_CLOSE_SET}, {",", FT_TOKEN_COMMA},       {"&", FT_TOKEN_MASK},
    {"$", FT_TOKEN_DOLLAR},
};

/* Capital letters are for those only that are no value of any field: IN is a class of DNS. */
static const struct sign words[] = {
    {"and", FT_TOKEN_AND},         {"or", FT_TOKEN_OR}, {"not", FT_TOKEN_NOT},
    {"AND", FT_TOKEN_AND},         {"OR", FT_TOKEN_OR}, {"NOT", FT_TOKEN_NOT},
    {"any", FT_TOKEN_ANY},         {"in", FT_TOKEN_IN}, {"contains", FT_TOKEN_CONTAINS},
    {"matches", FT_TOKEN_MATCHES},
};

static bool take_sign(struct ft_reader *r, struct ft_token *t)
{
    for (unsigned i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        size_t n = strlen(signs[i].text);
        if (strncmp(r->at, signs[i].text, n) == 0) {
            t->kind = signs[i].kind;
            r->at += n;
            return true;
        }
    }
    return false;
}

/* A character that begins nothing: told with what was probably meant. */
static void take_rubbish(struct ft_reader *r, struct ft_token *t)
{
    const char *p = r->at++;
    while (((uint8_t)*r->at & 0xc0) == 0x80)
        r->at++;
    if (*p == '=')
        ft_reader_wrong(r, t->at, t->at + 1, "one = is no operator: write ==");
    else if (*p == '[' || *p == ']')
        ft_reader_wrong(r, t->at, t->at + 1, "lists stand in braces: {1, 2, 5..9}");
    else if (*p == '\'' || *p == '`')
        ft_reader_wrong(r, t->at, t->at + 1, "texts stand in double quotes: \"...\"");
    else
        ft_reader_wrong(r, t->at, (uint32_t)(r->at - r->text), "\"%.*s\" has no meaning here",
                        (int)(r->at - p), p);
}

void ft_reader_next(struct ft_reader *r)
{
    struct ft_token *t = &r->token;
    do {
        r->last_end = t->end;
        r->at += strspn(r->at, " \t\r\n");
        *t = (struct ft_token){.at = (uint32_t)(r->at - r->text), .text = ""};
        if (!*r->at)
            t->kind = FT_TOKEN_END;
        else if (*r->at == '"')
            take_text(r, t);
        else if (ft_reader_is_word(*r->at))
            take_word(r, t);
        else if (!take_sign(r, t))
            take_rubbish(r, t);
        t->end = (uint32_t)(r->at - r->text);
    } while (t->kind == FT_TOKEN_NONE);
    for (unsigned i = 0; t->kind == FT_TOKEN_WORD && i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(t->text, words[i].text) == 0)
            t->kind = words[i].kind;
}

void ft_reader_next_raw(struct ft_reader *r)
{
    r->is_raw = true;
    ft_reader_next(r);
    r->is_raw = false;
}

/* ---- the tree ---- */

static uint32_t node_new(struct ft_reader *r, enum ft_expression_kind kind, uint32_t at)
{
    struct ft_expression *e = r->expression;
    if (e->count == r->room) {
        uint32_t room = r->room ? r->room * 2 : 16;
        struct ft_expression_node *grown = reallocarray(e->nodes, room, sizeof(*grown));
        if (!grown) {
            if (!r->is_wrong)
                ft_reader_wrong(r, at, at, "out of memory");
            return 0;
        }
        e->nodes = grown;
        r->room = room;
        if (!e->count)
            e->nodes[e->count++] = (struct ft_expression_node){0}; /* none */
    }
    uint32_t n = e->count++;
    e->nodes[n] = (struct ft_expression_node){.kind = (uint8_t)kind, .at = at, .scope = r->scope};
    return n;
}

/* Back to where an expression can go on after an error. */
static void recover(struct ft_reader *r)
{
    for (uint32_t depth = 0;; ft_reader_next(r)) {
        switch (r->token.kind) {
        case FT_TOKEN_END:
            return;
        case FT_TOKEN_OPEN:
        case FT_TOKEN_OPEN_SET:
            depth++;
            break;
        case FT_TOKEN_CLOSE:
            if (!depth)
                return;
            depth--;
            break;
        case FT_TOKEN_CLOSE_SET:
            depth -= depth > 0;
            break;
        case FT_TOKEN_AND:
        case FT_TOKEN_OR:
            if (!depth)
                return;
            break;
        default:
            break;
        }
    }
}

static uint32_t read_or(struct ft_reader *r, bool is_negated);

/* The name of a group, and what is asked of one element of it. */
static uint32_t read_any(struct ft_reader *r, bool is_negated)
{
    char error[512];
    uint32_t at = r->token.at;
    ft_reader_next(r);
    struct ft_token name = r->token;
    struct ft_operand group = {0};
    bool is_known = false;
    if (name.kind != FT_TOKEN_WORD)
        ft_reader_wrong(r, name.at, name.end,
                        "after any stands a group: any dnp3.object (group == 12)");
    else if (!ft_reader_find(r, name.text, &group, error, sizeof(error)))
        ft_reader_wrong(r, name.at, name.end, "%s", error);
    else if (group.type != FT_VALUE_TYPE_GROUP)
        ft_reader_wrong(r, name.at, name.end, "%s is no group: nothing stands in it", name.text);
    else
        is_known = true;
    if (r->bindings == FT_EXPRESSION_BINDINGS) {
        ft_reader_wrong(r, at, name.end, "any in any, at most %u deep", FT_EXPRESSION_BINDINGS);
        is_known = false;
    }
    if (name.kind == FT_TOKEN_WORD)
        ft_reader_next(r);
    if (!is_known || r->token.kind != FT_TOKEN_OPEN) {
        if (is_known)
            ft_reader_wrong(r, r->token.at, r->token.end,
                            "( is missing: any %s (what holds for one element)", name.text);
        recover(r);
        return 0;
    }
    uint32_t open = r->token.at;
    ft_reader_next(r);
    uint32_t n = node_new(r, FT_EXPRESSION_ANY, at), outer = r->scope;
    if (!n)
        return 0;
    r->expression->nodes[n].test.left = group;
    r->expression->nodes[n].is_negated = is_negated;
    r->scope = n;
    r->bindings++;
    bool was_wrong = r->is_wrong;
    r->is_wrong = false;
    uint32_t child = read_or(r, false);
    r->bindings--;
    r->scope = outer;
    r->expression->nodes[n].child = child;
    if (r->token.kind == FT_TOKEN_CLOSE)
        ft_reader_next(r);
    else if (!r->is_wrong)
        ft_reader_wrong(r, open, open + 1, "( without )");
    r->is_wrong |= was_wrong;
    r->expression->nodes[n].end = r->last_end;
    return n;
}

/* What follows on a test, and is neither `and` nor `or`: most often an operator that is none. */
static void not_joined(struct ft_reader *r)
{
    static const char *const operators[] = {"and", "or", "in", "contains", "matches"};
    const struct ft_token *t = &r->token;
    char small[32];
    uint32_t i = 0;
    for (; i + 1 < sizeof(small) && t->text[i]; i++)
        small[i] = (char)ft_fold((uint8_t)t->text[i]);
    small[i] = 0;
    struct ft_nearest n = ft_nearest_begin(small);
    for (i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
        ft_nearest_offer(&n, operators[i]);
    if (t->kind == FT_TOKEN_CLOSE)
        ft_reader_wrong(r, t->at, t->end, ") without (");
    else if (t->kind == FT_TOKEN_WORD && n.best)
        ft_reader_wrong(r, t->at, t->end, "there is no %s; did you mean %s?", t->text, n.best);
    else if (t->kind == FT_TOKEN_WORD || t->kind == FT_TOKEN_TEXT)
        ft_reader_wrong(r, t->at, t->end,
                        "here and, or or the end is expected; values follow on an operator: ==, "
                        "!=, <, <=, >, >=, in, contains, matches");
    else
        ft_reader_wrong(r, t->at, t->end, "here and, or or the end is expected");
}

static uint32_t read_test(struct ft_reader *r, bool is_negated)
{
    struct ft_test test = {.is_negated = is_negated};
    uint32_t at = r->token.at;
    if (!ft_reader_test(r, &test)) {
        recover(r);
        return 0;
    }
    uint32_t n = node_new(r, FT_EXPRESSION_TEST, at);
    if (!n)
        return 0;
    r->expression->nodes[n].test = test;
    r->expression->nodes[n].end = r->last_end;
    if (++r->expression->test_count == FT_EXPRESSION_TESTS + 1)
        ft_reader_wrong(r, at, r->last_end,
                        "more than %u tests in one condition: put the values into a set",
                        FT_EXPRESSION_TESTS);
    return n;
}

static uint32_t read_factor(struct ft_reader *r, bool is_negated)
{
    while (r->token.kind == FT_TOKEN_NOT) {
        is_negated = !is_negated;
        ft_reader_next(r);
    }
    if (r->token.kind == FT_TOKEN_ANY)
        return read_any(r, is_negated);
    if (r->token.kind != FT_TOKEN_OPEN)
        return read_test(r, is_negated);
    uint32_t open = r->token.at;
    if (++r->depth > FT_EXPRESSION_DEPTH) {
        ft_reader_wrong(r, open, open + 1, "more than %u parentheses in one another",
                        FT_EXPRESSION_DEPTH);
        while (r->token.kind != FT_TOKEN_END)
            ft_reader_next(r);
        return 0;
    }
    ft_reader_next(r);
    bool was_wrong = r->is_wrong; /* only an error inside may be why there is no end */
    r->is_wrong = false;
    uint32_t n = read_or(r, is_negated);
    r->depth--;
    if (r->token.kind == FT_TOKEN_CLOSE)
        ft_reader_next(r);
    else if (!r->is_wrong && r->token.kind != FT_TOKEN_END)
        not_joined(r);
    else if (!r->is_wrong)
        ft_reader_wrong(r, open, open + 1, "( without )");
    r->is_wrong |= was_wrong;
    return n;
}

/* Hang a node into one of `kind`; one of the same kind gives its children. */
static void adopt(struct ft_expression *e, uint32_t parent, uint32_t *last, uint32_t child)
{
    struct ft_expression_node *n = e->nodes;
    uint32_t first = child;
    if (n[child].kind == n[parent].kind) {
        first = n[child].child;
        n[child].child = 0; /* it is in the tree no more */
    }
    if (*last)
        n[*last].next = first;
    else
        n[parent].child = first;
    for (*last = first; n[*last].next;)
        *last = n[*last].next;
}

/* A chain of `one`, joined by and (or). Under `not` the one is the other, of contraries. */
static uint32_t read_chain(struct ft_reader *r, bool is_negated, uint8_t joint,
                           uint32_t (*one)(struct ft_reader *, bool))
{
    bool is_and = (joint == FT_TOKEN_AND) != is_negated;
    uint32_t at = r->token.at, first = one(r, is_negated), parent = 0, last = 0;
    while (r->token.kind == joint) {
        ft_reader_next(r);
        uint32_t more = one(r, is_negated);
        if (!parent)
            parent = node_new(r, is_and ? FT_EXPRESSION_AND : FT_EXPRESSION_OR, at);
        if (!parent || r->is_wrong)
            continue;
        if (!last)
            adopt(r->expression, parent, &last, first);
        adopt(r->expression, parent, &last, more);
        r->expression->nodes[parent].end = r->last_end;
    }
    return parent ? parent : first;
}

static uint32_t read_and(struct ft_reader *r, bool is_negated)
{
    return read_chain(r, is_negated, FT_TOKEN_AND, read_factor);
}

static uint32_t read_or(struct ft_reader *r, bool is_negated)
{
    return read_chain(r, is_negated, FT_TOKEN_OR, read_and);
}

void ft_expression_free(struct ft_expression *e)
{
    if (!e)
        return;
    for (uint32_t i = 0; i < e->set_count; i++)
        ft_set_free(e->sets[i]);
    free(e->sets);
    free(e->nodes);
    free(e->texts);
    free(e);
}

static struct ft_expression *give_up(struct ft_expression *e)
{
    ft_expression_free(e);
    return NULL;
}

static struct ft_expression *read_all(const struct ft_vocabulary *vocabulary, const char *text,
                                      bool is_checked, ft_expression_error_fn *wrong, void *user)
{
    struct ft_expression *e = calloc(1, sizeof(*e));
    struct ft_reader r = {.vocabulary = vocabulary,
                          .text = text,
                          .at = text,
                          .expression = e,
                          .wrong = wrong,
                          .user = user};
    size_t length = strlen(text);
    if (length > FT_EXPRESSION_TEXT_MAX) {
        ft_reader_wrong(&r, 0, 0, "a condition of more than %u bytes: put the values into a set",
                        FT_EXPRESSION_TEXT_MAX);
        return give_up(e);
    }
    /* Each token takes no more than it has bytes, and its end. */
    if (e)
        e->texts = malloc(length * 2 + 2);
    if (!e || !e->texts) {
        ft_reader_wrong(&r, 0, 0, "out of memory");
        return give_up(e);
    }
    ft_reader_next(&r);
    if (r.token.kind == FT_TOKEN_END)
        ft_reader_wrong(&r, 0, 0, "an empty condition: at least one test");
    else
        e->root = read_or(&r, false);
    if (!r.is_wrong && r.token.kind != FT_TOKEN_END)
        not_joined(&r);
    if (!r.is_wrong && is_checked)
        ft_reader_contradictions(&r);
    if (!r.is_wrong && is_checked)
        ft_reader_impossible(&r);
    if (!r.is_wrong && node_new(&r, FT_EXPRESSION_AND, 0))
        ft_reader_split(&r);
    return r.is_wrong ? give_up(e) : e;
}

struct ft_expression *ft_expression_read(const struct ft_vocabulary *vocabulary, const char *text,
                                         ft_expression_error_fn *wrong, void *user)
{
    return read_all(vocabulary, text, true, wrong, user);
}

struct ft_expression *ft_expression_read_unchecked(const struct ft_vocabulary *vocabulary,
                                                   const char *text, ft_expression_error_fn *wrong,
                                                   void *user)
{
    return read_all(vocabulary, text, false, wrong, user);
}
