/* SPDX-License-Identifier: BSD-3-Clause */
/* Where in a JSON text a value stands. */
#include "base/locate.h"

#include <string.h>

struct scan {
    const char *at;
    struct ft_place place;
};

static void next(struct scan *s)
{
    if (!*s->at)
        return;
    if (*s->at == '\n') {
        s->place.line++;
        s->place.column = 1;
    } else if (((uint8_t)s->at[1] & 0xc0) != 0x80) {
        s->place.column++; /* characters, not bytes of UTF-8 */
    }
    s->at++;
}

static void blanks(struct scan *s)
{
    while (*s->at && strchr(" \t\r\n", *s->at))
        next(s);
}

/* Step over a string; its raw content. */
static const char *string(struct scan *s, size_t *length)
{
    next(s);
    const char *start = s->at;
    while (*s->at && *s->at != '"') {
        if (*s->at == '\\')
            next(s);
        next(s);
    }
    *length = (size_t)(s->at - start);
    next(s);
    return start;
}

/* Step over a value, however deep, without recursion. */
static void value(struct scan *s)
{
    uint32_t depth = 0;
    size_t length;
    blanks(s);
    do {
        if (*s->at == '"') {
            string(s, &length);
        } else if (*s->at == '{' || *s->at == '[') {
            depth++;
            next(s);
        } else if (*s->at == '}' || *s->at == ']') {
            depth--;
            next(s);
        } else if (depth) {
            next(s);
        } else {
            while (*s->at && !strchr(",}] \t\r\n", *s->at))
                next(s);
        }
    } while (depth && *s->at);
}

/* At an object or array: go to the member that the step names. False when there is none. */
static bool enter(struct scan *s, const struct ft_step *step, struct ft_place *where)
{
    char close = step->key ? '}' : ']';
    blanks(s);
    if (*s->at != (step->key ? '{' : '['))
        return false;
    next(s);
    for (uint32_t i = 0; blanks(s), *s->at && *s->at != close; i++) {
        struct ft_place here = s->place;
        bool is_it = !step->key && i == step->index;
        if (step->key) {
            size_t length;
            const char *key = string(s, &length);
            is_it = strlen(step->key) == length && memcmp(key, step->key, length) == 0;
            blanks(s);
            next(s);
        }
        if (is_it) {
            *where = here;
            return true;
        }
        value(s);
        blanks(s);
        if (*s->at == ',')
            next(s);
    }
    return false;
}

struct ft_place ft_locate(const char *text, const struct ft_step *path, uint32_t steps)
{
    struct scan s = {.at = text, .place = {1, 1}};
    struct ft_place where;
    blanks(&s);
    where = s.place;
    for (uint32_t i = 0; i < steps; i++)
        if (!enter(&s, &path[i], &where))
            break;
    return where;
}

struct ft_place ft_locate_end(const char *text)
{
    struct scan s = {.at = text, .place = {1, 1}};
    while (*s.at)
        next(&s);
    return s.place;
}
