/* SPDX-License-Identifier: BSD-3-Clause */
/* Signatures of bytes at the first places. */
#include "match/places.h"

#include <stdlib.h>
#include <string.h>

struct ft_places {
    uint64_t may[FT_PLACES_MAX][256];  /* go on, with this byte at this place */
    uint64_t open[FT_PLACES_MAX + 1];  /* complete after so many places ... */
    uint64_t whole[FT_PLACES_MAX + 1]; /* ... if the payload ends there */
    uint32_t ids[FT_PLACES_MAX_SIGNATURES];
    uint32_t count;
};

/* A pattern that is being read. */
struct reading {
    const char *at;
    bool is_clear; /* it is of this kind as far as it was read */
};

/* Bytes that one place may have. */
struct class
{
    bool has[256];
};

struct ft_places *ft_places_new(void)
{
    return calloc(1, sizeof(struct ft_places));
}

void ft_places_free(struct ft_places *p)
{
    free(p);
}

/* ---- reading ---- */

static int digit(char c, unsigned base)
{
    static const char digits[] = "0123456789abcdef";
    const char lower = c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
    const char *found = c ? memchr(digits, lower, base) : NULL;
    return found ? (int)(found - digits) : -1;
}

/* What stands behind a backslash: \xHH, \r, \n, or punctuation that is meant as it is. */
static uint8_t read_escaped(struct reading *r)
{
    const char c = *r->at++;
    if (c == 'x' && digit(r->at[0], 16) >= 0 && digit(r->at[1], 16) >= 0) {
        r->at += 2;
        return (uint8_t)(digit(r->at[-2], 16) << 4 | digit(r->at[-1], 16));
    }
    if (c == 'r' || c == 'n')
        return c == 'r' ? '\r' : '\n';
    r->is_clear &= c && strchr(".*+?^$|/()[]{}-\\", c);
    r->at -= !c; /* the end is not passed */
    return (uint8_t)c;
}

static uint8_t read_byte(struct reading *r)
{
    if (!*r->at) {
        r->is_clear = false;
        return 0;
    }
    if (*r->at++ == '\\')
        return read_escaped(r);
    return (uint8_t)r->at[-1];
}

static uint8_t read_byte_in_brackets(struct reading *r)
{
    r->is_clear &= *r->at != '['; /* of "[:alpha:]" */
    return read_byte(r);
}

/* Behind the bracket. */
static void read_brackets(struct reading *r, struct class *class)
{
    const bool is_negated = *r->at == '^';
    r->at += is_negated;
    r->is_clear &= *r->at != ']' && *r->at != '-'; /* Perl has rules for these */
    while (r->is_clear && *r->at && *r->at != ']') {
        const uint8_t low = read_byte_in_brackets(r);
        uint8_t high = low;
        if (r->at[0] == '-' && r->at[1] != ']') {
            r->at++;
            high = read_byte_in_brackets(r);
        }
        r->is_clear &= low <= high;
        for (unsigned i = low; i <= high; i++)
            class->has[i] = true;
    }
    r->is_clear &= *r->at == ']';
    r->at += *r->at == ']';
    for (unsigned i = 0; is_negated && i < 256; i++)
        class->has[i] = !class->has[i];
}

static void read_class(struct reading *r, struct class *class)
{
    memset(class, 0, sizeof(*class));
    if (*r->at == '.') {
        r->at++;
        memset(class->has, true, sizeof(class->has));
    } else if (*r->at == '[') {
        r->at++;
        read_brackets(r, class);
    } else {
        r->is_clear &= !strchr("^$|()]{}*+?", *r->at);
        class->has[read_byte(r)] = true;
    }
}

/* {n}, or 1. */
static uint32_t read_repeat(struct reading *r)
{
    uint32_t n = 0;
    if (*r->at != '{') {
        r->is_clear &= !*r->at || !strchr("*+?", *r->at);
        return 1;
    }
    for (r->at++; digit(*r->at, 10) >= 0 && n <= FT_PLACES_MAX; r->at++)
        n = n * 10 + (uint32_t)digit(*r->at, 10);
    r->is_clear &= *r->at == '}' && n > 0;
    r->at += *r->at == '}';
    r->is_clear &= !*r->at || !strchr("{*+?", *r->at);
    return n;
}

/* ---- adding ---- */

static bool is_at_end(const struct reading *r)
{
    return !*r->at || strcmp(r->at, "\\z") == 0;
}

static void let(struct ft_places *p, uint32_t place, const struct class *class, uint64_t bit)
{
    for (unsigned byte = 0; byte < 256; byte++)
        if (class->has[byte])
            p->may[place][byte] |= bit;
}

bool ft_places_add(struct ft_places *p, const char *pattern, uint32_t id)
{
    struct reading r = {.at = pattern + 1, .is_clear = pattern[0] == '^'};
    struct class classes[FT_PLACES_MAX];
    uint32_t places = 0;
    if (p->count == FT_PLACES_MAX_SIGNATURES)
        return false;
    while (r.is_clear && !is_at_end(&r)) {
        struct class class;
        read_class(&r, &class);
        uint32_t repeat = r.is_clear ? read_repeat(&r) : 0;
        if (repeat > FT_PLACES_MAX - places)
            return false;
        for (; repeat; repeat--)
            classes[places++] = class;
    }
    if (!r.is_clear)
        return false;
    const uint64_t bit = 1ull << p->count;
    for (uint32_t i = 0; i < places; i++)
        let(p, i, &classes[i], bit);
    *(*r.at ? &p->whole[places] : &p->open[places]) |= bit;
    p->ids[p->count++] = id;
    return true;
}

/* ---- looking ---- */

void ft_places_look(const struct ft_places *p, const uint8_t *bytes, uint32_t length,
                    void (*hit)(void *user, uint32_t id), void *user)
{
    uint64_t hits = 0, live = ~0ull;
    for (uint32_t i = 0; live; i++) {
        hits |= live & (p->open[i] | (i == length ? p->whole[i] : 0));
        if (i == length || i == FT_PLACES_MAX)
            break;
        live &= p->may[i][bytes[i]];
    }
    for (; hits; hits &= hits - 1)
        hit(user, p->ids[__builtin_ctzll(hits)]);
}
