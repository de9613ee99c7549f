/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A filter before a search: what an expression must have.
 *
 * The expression is read from left to right; what stands for one byte that has to be there goes on
 * with a run, what does not ends it. Where anything is not sure nothing is said.
 */
#include "rules/content_filter.h"

#include <string.h>

enum {
    RUN_MAX = 64, /* bytes of a run; more would not choose better */
};

/* Reads an expression in Perl syntax from left to right, and gives up where it is not sure. */
struct reader {
    const uint8_t *at, *end;
    uint8_t run[RUN_MAX], best[RUN_MAX];
    uint32_t length, best_length;
};

static void run_end(struct reader *r)
{
    if (r->length > r->best_length) {
        memcpy(r->best, r->run, r->length);
        r->best_length = r->length;
    }
    r->length = 0;
}

static void run_add(struct reader *r, uint8_t byte)
{
    if (r->length == RUN_MAX)
        run_end(r);
    r->run[r->length++] = byte;
}

static int hex(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool is_word(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Behind a backslash: one byte (returned), something else that takes one letter (-1), or what is
 * not read here (-2). */
static int escaped(struct reader *r)
{
    uint8_t c = *r->at++;
    if (c == 'x' && r->end - r->at >= 2 && hex(r->at[0]) >= 0 && hex(r->at[1]) >= 0) {
        r->at += 2;
        return hex(r->at[-2]) << 4 | hex(r->at[-1]);
    }
    if (c == 'n' || c == 'r' || c == 't')
        return c == 'n' ? '\n' : c == 'r' ? '\r' : '\t';
    if (!is_word(c) && c < 0x80)
        return c;
    return strchr("dDwWsSbBAzZhHvVNR", c) ? -1 : -2;
}

/* Past a class, from behind its bracket. */
static bool skip_class(struct reader *r)
{
    if (r->at < r->end && *r->at == '^')
        r->at++;
    if (r->at < r->end && *r->at == ']')
        r->at++;
    for (; r->at < r->end && *r->at != ']'; r->at++)
        if (*r->at == '[' || (*r->at == '\\' && (++r->at == r->end || *r->at == 'Q')))
            return false; /* names of classes, quotes */
    return r->at++ < r->end;
}

/* Past a group, from behind its parenthesis: nothing that is in it counts. */
static bool skip_group(struct reader *r)
{
    if (r->at < r->end && *r->at == '*')
        return false;
    if (r->at < r->end && *r->at == '?' && (r->end - r->at < 2 || r->at[1] != ':'))
        return false; /* flags for what follows, names, conditions */
    for (unsigned depth = 1; depth;) {
        if (r->at == r->end)
            return false;
        uint8_t c = *r->at++;
        if (c == '\\') {
            if (r->at == r->end || *r->at == 'Q' || *r->at == 'E')
                return false;
            r->at++;
        } else if (c == '[') {
            if (!skip_class(r))
                return false;
        } else if (c == '(') {
            if (r->at < r->end && (*r->at == '*' || *r->at == '?') &&
                (r->end - r->at < 2 || r->at[0] == '*' || r->at[1] != ':'))
                return false;
            depth++;
        } else if (c == ')') {
            depth--;
        }
    }
    return true;
}

/* How often what was read last may come: "{2,6}" and the like. */
static bool quantifier(struct reader *r)
{
    if (r->at == r->end)
        return true;
    uint8_t c = *r->at;
    if (c != '*' && c != '?' && c != '+' && c != '{')
        return true;
    if (c == '{') {
        const uint8_t *close = r->at + 1;
        while (close < r->end && ((*close >= '0' && *close <= '9') || *close == ','))
            close++;
        if (close == r->end || *close != '}')
            return false; /* a brace, not a quantifier */
        r->at = close;
    }
    r->at++;
    if (c != '+' && r->length)
        r->length--; /* perhaps not at all */
    run_end(r);
    if (r->at < r->end && (*r->at == '?' || *r->at == '+'))
        r->at++; /* lazy, possessive */
    return true;
}

/* One atom; false: not understood, or alternatives. */
static bool atom(struct reader *r)
{
    uint8_t c = *r->at++;
    int byte = c;
    switch (c) {
    case '|':
    case ')':
    case '*':
    case '+':
    case '?':
    case '{':
        return false;
    case '^':
    case '$':
    case '.':
        byte = -1;
        break;
    case '[':
        if (!skip_class(r))
            return false;
        byte = -1;
        break;
    case '(':
        if (!skip_group(r))
            return false;
        byte = -1;
        break;
    case '\\':
        if (r->at == r->end || (byte = escaped(r)) == -2)
            return false;
        break;
    default:
        break;
    }
    if (byte < 0)
        run_end(r);
    else
        run_add(r, (uint8_t)byte);
    return quantifier(r);
}

/* (?i) and (?s), as nearly all rules have their flags, do not change what is read here. */
static bool skip_flags(struct reader *r, bool *folds)
{
    while (r->end - r->at > 3 && r->at[0] == '(' && r->at[1] == '?' && strchr("ism", r->at[2]) &&
           r->at[2]) {
        const uint8_t *c = r->at + 2;
        for (; c < r->end && (*c == 'i' || *c == 's' || *c == 'm'); c++)
            *folds |= *c == 'i';
        if (c == r->end || *c != ')')
            return false;
        r->at = c + 1;
    }
    return true;
}

uint32_t ft_content_filter_required(const struct ft_pattern *p, uint8_t *to, uint32_t room,
                                    bool *folds)
{
    struct reader r = {.at = (const uint8_t *)p->bytes,
                       .end = (const uint8_t *)p->bytes + p->length};
    *folds = p->ignores_case;
    if (!skip_flags(&r, folds))
        return 0;
    while (r.at < r.end)
        if (!atom(&r))
            return 0;
    run_end(&r);
    uint32_t n = r.best_length < room ? r.best_length : room;
    memcpy(to, r.best, n);
    return n;
}
