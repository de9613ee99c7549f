/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Look-ups by JNDI in text that a program may log: "${jndi:ldap://..}" makes Log4j 2 load code
 * (CVE-2021-44228). Log4j resolves what stands inside first, so attackers write the name in pieces:
 *
 *   ${${lower:J}ndi:   a look-up yields what stands behind its colon,
 *   ${${env:X:-j}ndi:  or its default, behind ":-", when there is nothing of that name
 *
 * to any depth. The text is read once, from its first byte to its last, and look-ups are reduced as
 * they close; of what one yields the first bytes are kept, which is more than the name is long. On
 * its way to the log the text may be decoded, so it is read as it is after that: percent-encoding,
 * however often, escapes of JSON, and character references of XML.
 *
 * A look-up that has no colon is left by Log4j as it stands, and is the end of a name here, too.
 */
#include "http.h"

enum {
    DEPTH_MAX = 32, /* look-ups in each other; of more the innermost */
    VALUE_MAX = 16, /* bytes of what a look-up yields */
    ENTITY_MAX = 6, /* digits of a character reference */
};

static const char name[] = "jndi:";

/* Which part of a look-up is being read. */
enum part {
    PART_NAME = 0,
    PART_COLON, /* right behind a colon: "-" would begin the default */
    PART_VALUE,
    PART_DEFAULT,
};

/* A look-up that is open. */
struct lookup {
    uint32_t start;
    int8_t matched; /* letters of the name that it begins with; -1: it begins otherwise */
    uint8_t part;
    uint8_t length;
    uint8_t value[VALUE_MAX];
};

struct scan {
    uint32_t depth;
    bool is_found;
    uint32_t found_at;
    struct lookup open[DEPTH_MAX];
};

/* ---- characters ----------------------------------------------------------------------------- */

static int digit_of(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The number at `from`, of `min` to `max` digits; how many there are, or 0 when it is none. */
static uint32_t read_digits(const struct ft_view *v, uint32_t from, uint32_t min, uint32_t max,
                            unsigned base, uint32_t *number)
{
    uint32_t n = 0;
    *number = 0;
    for (; n < max; n++) {
        int c = ft_peek_u8(v, from + n), digit = c < 0 ? -1 : digit_of(c);
        if (digit < 0 || (unsigned)digit >= base)
            break;
        *number = *number * base + (unsigned)digit;
    }
    return n < min ? 0 : n;
}

/* "%24"; "%2524" is what becomes of it when it is encoded again; "%u0024". */
static uint32_t percent(struct ft_view *v)
{
    uint32_t code, n;
    while (ft_peek_u8(v, 0) == '2' && ft_peek_u8(v, 1) == '5')
        ft_skip(v, 2);
    bool is_wide = ft_peek_u8(v, 0) == 'u';
    n = is_wide ? read_digits(v, 1, 4, 4, 16, &code) : read_digits(v, 0, 2, 2, 16, &code);
    if (!n)
        return '%';
    ft_skip(v, n + is_wide);
    return code;
}

/* "\u0024" and "\x24", with more backslashes when they are escaped themselves. */
static uint32_t escape(struct ft_view *v)
{
    uint32_t code, n;
    while (ft_peek_u8(v, 0) == '\\')
        ft_skip(v, 1);
    int kind = ft_peek_u8(v, 0);
    if (kind != 'u' && kind != 'x')
        return '\\';
    n = kind == 'u' ? read_digits(v, 1, 4, 4, 16, &code) : read_digits(v, 1, 2, 2, 16, &code);
    if (!n)
        return '\\';
    ft_skip(v, n + 1);
    return code;
}

/* "&#36;" and "&#x24;" */
static uint32_t reference(struct ft_view *v)
{
    uint32_t code, n;
    if (ft_peek_u8(v, 0) != '#')
        return '&';
    bool is_hex = ft_peek_u8(v, 1) == 'x' || ft_peek_u8(v, 1) == 'X';
    n = read_digits(v, 1u + is_hex, 1, ENTITY_MAX, is_hex ? 16 : 10, &code);
    if (!n || ft_peek_u8(v, 1 + is_hex + n) != ';')
        return '&';
    ft_skip(v, n + 2 + is_hex);
    return code;
}

/* Take one character as it is once decoded. */
static uint32_t take(struct ft_view *v)
{
    uint8_t c = ft_u8(v);
    switch (c) {
    case '%':
        return percent(v);
    case '\\':
        return escape(v);
    case '&':
        return reference(v);
    default:
        return c;
    }
}

/* ---- look-ups ------------------------------------------------------------------------------- */

static void open_lookup(struct scan *s, uint32_t start)
{
    if (s->depth == DEPTH_MAX) {
        memmove(s->open, s->open + 1, (DEPTH_MAX - 1) * sizeof(s->open[0]));
        s->depth--;
    }
    struct lookup *l = &s->open[s->depth++];
    l->start = start;
    l->matched = 0;
    l->part = PART_NAME;
    l->length = 0;
}

static void keep_value(struct lookup *l, uint8_t c)
{
    if (l->part == PART_NAME) {
        if (c == ':')
            l->part = PART_COLON;
        return;
    }
    if (l->part == PART_COLON && c == '-') {
        l->part = PART_DEFAULT;
        l->length = 0;
        return;
    }
    if (l->part != PART_DEFAULT)
        l->part = c == ':' ? PART_COLON : PART_VALUE;
    if (c != '\'' && l->length < VALUE_MAX) /* "${date:'j'}" yields j */
        l->value[l->length++] = c;
}

/* One more character of the innermost look-up. */
static void add(struct scan *s, uint8_t c)
{
    struct lookup *l = &s->open[s->depth - 1];
    if (l->matched >= 0)
        l->matched = c == (uint8_t)name[l->matched] ? (int8_t)(l->matched + 1) : -1;
    if (l->matched == sizeof(name) - 1) {
        s->is_found = true;
        s->found_at = l->start;
        return;
    }
    keep_value(l, c);
}

/* What the innermost look-up yields becomes part of the one around it. */
static void close_lookup(struct scan *s)
{
    struct lookup closed = s->open[--s->depth];
    if (!s->depth)
        return;
    if (closed.part == PART_NAME)
        add(s, '}');
    for (uint32_t i = 0; i < closed.length && !s->is_found; i++)
        add(s, closed.value[i]);
}

/* Letters are the same in either case; "${upper:\u0131}" yields an I, though it is no i. */
static void add_letter(struct scan *s, uint32_t c)
{
    enum {
        DOTLESS_I = 0x131,
        DOTLESS_I_FIRST = 0xc4, /* and as UTF-8 */
        DOTLESS_I_SECOND = 0xb1,
    };
    if (c == DOTLESS_I || c == DOTLESS_I_SECOND)
        c = 'i';
    if (c != DOTLESS_I_FIRST)
        add(s, c < 0x80 ? ft_text_lower((uint8_t)c) : 0x80);
}

/* Most texts have no dollar in any form. */
static bool has_dollar(const struct ft_view *text)
{
    return ft_find_u8(text, '$', 0) >= 0 || ft_find_u8(text, '%', 0) >= 0 ||
           ft_find_u8(text, '\\', 0) >= 0 || ft_find_u8(text, '&', 0) >= 0;
}

bool http_find_jndi(struct ft_view text, struct ft_view *seen)
{
    struct scan s; /* only what is open is ever read */
    struct ft_view v = text;
    bool was_dollar = false;
    uint32_t dollar_at = 0;
    s.depth = 0;
    s.is_found = false;
    if (!has_dollar(&text))
        return false;
    while (v.len && !s.is_found) {
        uint32_t at = text.len - v.len, c = take(&v);
        if (c == '$')
            dollar_at = at;
        else if (was_dollar && c == '{')
            open_lookup(&s, dollar_at);
        else if (s.depth && c == '}')
            close_lookup(&s);
        else if (s.depth)
            add_letter(&s, c);
        was_dollar = c == '$';
    }
    if (s.is_found)
        *seen = ft_text_seen(ft_text_part(text, s.found_at, text.len - v.len));
    return s.is_found;
}
