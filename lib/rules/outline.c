/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the values of a JSON text stand. */
#include "rules/outline.h"

#include <stdlib.h>
#include <string.h>

#define MARK_BYTES 4096u

/* ---- places ---- */

static bool is_start(char c)
{
    return ((uint8_t)c & 0xc0) != 0x80;
}

/* As ft_locate() counts: characters, not bytes of UTF-8. */
static struct ft_place count(const char *text, uint32_t from, uint32_t to, struct ft_place place)
{
    for (uint32_t i = from; i < to; i++) {
        if (text[i] == '\n')
            place = (struct ft_place){place.line + 1, 1};
        else
            place.column += is_start(text[i]);
    }
    return place;
}

/* A place is that of the last character that begins at it or before: its own start not counted. */
struct ft_place ft_outline_place(const struct ft_outline *o, uint32_t at)
{
    if (at > o->length)
        at = (uint32_t)o->length;
    while (at > 0 && at < o->length && !is_start(o->text[at]))
        at--;
    uint32_t mark = at / MARK_BYTES;
    return count(o->text, mark * MARK_BYTES, at, o->marks[mark]);
}

static bool make_marks(struct ft_outline *o)
{
    uint32_t marks = (uint32_t)(o->length / MARK_BYTES) + 1;
    o->marks = calloc(marks, sizeof(*o->marks));
    if (!o->marks)
        return false;
    o->marks[0] = (struct ft_place){1, 1};
    for (uint32_t i = 1; i < marks; i++)
        o->marks[i] = count(o->text, (i - 1) * MARK_BYTES, i * MARK_BYTES, o->marks[i - 1]);
    return true;
}

/* ---- values ---- */

/* Behind the text in quotes that begins at `p`. */
static const char *skip_text(const char *p)
{
    for (p++; *p && *p != '"'; p++)
        if (*p == '\\' && p[1])
            p++;
    return p + (*p == '"');
}

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

static bool node_add(struct ft_outline *o, uint32_t *room, const char *p)
{
    if (o->count == *room) {
        uint32_t more = *room ? *room * 2 : 64;
        struct ft_outline_node *grown = reallocarray(o->nodes, more, sizeof(*grown));
        if (!grown)
            return false;
        o->nodes = grown;
        *room = more;
    }
    o->nodes[o->count] = (struct ft_outline_node){(uint32_t)(p - o->text), o->count + 1};
    o->count++;
    return true;
}

/* While a value is open its `next` is the value around it: memory for any depth. */
static bool make_nodes(struct ft_outline *o)
{
    uint32_t room = 0, open = UINT32_MAX;
    const char *p = o->text, *key = NULL;
    while (*(p = skip_blanks(p))) {
        if (*p == '}' || *p == ']') {
            if (open == UINT32_MAX)
                return true;
            uint32_t outer = o->nodes[open].next;
            o->nodes[open].next = o->count;
            open = outer;
            p++;
            continue;
        }
        if (*p == ',') {
            p++;
            continue;
        }
        const char *end = *p == '"' ? skip_text(p) : p;
        if (*p == '"' && !key && *skip_blanks(end) == ':') {
            key = p;
            p = skip_blanks(end) + 1;
            continue;
        }
        if (!node_add(o, &room, key ? key : p))
            return false;
        key = NULL;
        if (*p == '{' || *p == '[') {
            o->nodes[o->count - 1].next = open;
            open = o->count - 1;
            p++;
        } else {
            p = *p == '"' ? end : p + strcspn(p, ",]} \t\r\n");
        }
    }
    return o->count > 0;
}

bool ft_outline_open(struct ft_outline *o, const char *text, size_t length)
{
    *o = (struct ft_outline){.text = text, .length = length};
    if (make_marks(o) && make_nodes(o))
        return true;
    ft_outline_close(o);
    return false;
}

void ft_outline_close(struct ft_outline *o)
{
    free(o->nodes);
    free(o->marks);
    o->nodes = NULL;
    o->marks = NULL;
    o->count = 0;
}

uint32_t ft_outline_value(const struct ft_outline *o, uint32_t node)
{
    const char *p = o->text + o->nodes[node].at;
    if (*p == '"') {
        const char *end = skip_blanks(skip_text(p));
        if (*end == ':')
            p = skip_blanks(end + 1);
    }
    return (uint32_t)(p - o->text);
}

/* ---- texts ---- */

static unsigned hex4(const char *p)
{
    unsigned value = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        unsigned digit =
            c >= '0' && c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 32) - 'a') + 10;
        value = value << 4 | (digit & 15);
    }
    return value;
}

static unsigned put_utf8(unsigned c, char to[4])
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    unsigned bytes = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (unsigned i = bytes - 1; i; i--, c >>= 6)
        to[i] = (char)(0x80 | (c & 0x3f));
    to[0] = (char)((0xf00u >> bytes & 0xffu) | c);
    return bytes;
}

/* One character as it is written, or an escape: its bytes in the value. Returns behind it. */
static const char *take(const char *p, char to[4], unsigned *bytes)
{
    static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
    *bytes = 1;
    if (*p != '\\') {
        *to = *p;
        return p + 1;
    }
    if (p[1] != 'u') {
        const char *letter = strchr(letters, p[1]);
        *to = letter ? meant[letter - letters] : p[1];
        return p + 2;
    }
    unsigned c = hex4(p + 2);
    p += 6;
    if (c >= 0xd800 && c < 0xdc00) {
        c = 0x10000 + ((c & 0x3ff) << 10 | (hex4(p + 2) & 0x3ff));
        p += 6;
    }
    *bytes = put_utf8(c, to);
    return p;
}

uint32_t ft_outline_inside(const struct ft_outline *o, uint32_t node, uint32_t offset)
{
    const char *p = o->text + ft_outline_value(o, node);
    char ignored[4];
    unsigned bytes;
    if (*p != '"')
        return (uint32_t)(p - o->text);
    for (p++; *p != '"'; offset -= bytes) {
        const char *after = take(p, ignored, &bytes);
        if (offset < bytes)
            break;
        p = after;
    }
    return (uint32_t)(p - o->text);
}

/* The key of a member as jansson has it; to be freed. NULL when memory is short. */
static char *key_of(const struct ft_outline *o, uint32_t node)
{
    const char *p = o->text + o->nodes[node].at;
    char *name = malloc((size_t)(skip_text(p) - p)), *to = name;
    unsigned bytes;
    for (p++; name && *p != '"'; to += bytes) {
        char character[4];
        p = take(p, character, &bytes);
        memcpy(to, character, bytes);
    }
    if (name)
        *to = 0;
    return name;
}

/* ---- walks ---- */

static uint32_t members(const struct ft_outline *o, uint32_t node)
{
    uint32_t n = 0;
    for (uint32_t i = node + 1; i < o->nodes[node].next; i = o->nodes[i].next)
        n++;
    return n;
}

/* For each member the number of the next one with the same key, or 0: jansson keeps the last. NULL
 * when memory is short: then none is told. */
static uint32_t *next_of_same(const struct ft_outline *o, uint32_t node)
{
    uint32_t first = node + 1, end = o->nodes[node].next;
    uint32_t *same = calloc(end - first, sizeof(*same));
    json_t *seen = json_object();
    for (uint32_t i = first; same && i < end; i = o->nodes[i].next) {
        char *name = key_of(o, i);
        const json_t *before = name ? json_object_get(seen, name) : NULL;
        if (before)
            same[json_integer_value(before) - first] = i;
        if (name)
            json_object_set_new_nocheck(seen, name, json_integer(i));
        free(name);
    }
    json_decref(seen);
    return same;
}

struct ft_outline_walk ft_outline_walk(const struct ft_outline *o, const json_t *in, uint32_t node)
{
    struct ft_outline_walk w = {
        .in = in, .first = node + 1, .next = node + 1, .end = o->nodes[node].next};
    if (json_is_object(in) && members(o, node) != json_object_size(in))
        w.same = next_of_same(o, node);
    if (!json_is_object(in) && !json_is_array(in))
        w.end = w.next;
    return w;
}

static bool end_walk(struct ft_outline_walk *w)
{
    free(w->name);
    free(w->same);
    w->name = NULL;
    w->same = NULL;
    return false;
}

bool ft_outline_next(const struct ft_outline *o, struct ft_outline_walk *w)
{
    free(w->name);
    w->name = NULL;
    w->is_twice = false;
    if (w->next >= w->end)
        return end_walk(w);
    w->node = w->next;
    w->next = o->nodes[w->node].next;
    if (json_is_array(w->in)) {
        w->value = json_array_get(w->in, w->index++);
        return w->value ? true : end_walk(w);
    }
    w->key = w->name = key_of(o, w->node);
    w->value = w->name ? json_object_get(w->in, w->name) : NULL;
    if (!w->value)
        return end_walk(w);
    w->again = w->same ? w->same[w->node - w->first] : 0;
    w->is_twice = w->again != 0;
    return true;
}
