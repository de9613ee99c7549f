/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A reader of CEF as receivers write them, by the format's documents and not by the writer: seven
 * fields in front, split at pipes without a backslash; then pairs, each key a word in front of an
 * equals sign without a backslash, each value up to the blank before the next key.
 */
#ifndef CEF_READER_H
#define CEF_READER_H

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CEF_FIELDS 7
#define CEF_PAIRS  64

struct cef {
    char *header[CEF_FIELDS]; /* unescaped */
    char *keys[CEF_PAIRS], *values[CEF_PAIRS];
    uint32_t count;
};

/* Take the backslashes away; false when one escapes what need not, or nothing. */
static inline bool cef_unescape(char *text, const char *may, bool has_ends)
{
    char *to = text;
    for (const char *at = text; *at; at++) {
        if (*at != '\\') {
            *to++ = *at;
            continue;
        }
        at++;
        if (has_ends && (*at == 'n' || *at == 'r'))
            *to++ = *at == 'n' ? '\n' : '\r';
        else if (*at && strchr(may, *at))
            *to++ = *at;
        else
            return false;
    }
    *to = 0;
    return true;
}

static inline void cef_free(struct cef *c)
{
    for (uint32_t i = 0; i < CEF_FIELDS; i++)
        free(c->header[i]);
    for (uint32_t i = 0; i < c->count; i++) {
        free(c->keys[i]);
        free(c->values[i]);
    }
}

/* Where the next pair begins: its key; NULL = there is none; `*equals` itself: an equals sign
 * without a key. `from` is the value of the one before. */
static inline const char *cef_next_key(const char *from, const char **equals)
{
    for (const char *at = from; (at = strchr(at, '=')); at++) {
        const char *key = at;
        uint32_t slashes = 0;
        while (at - slashes > from && at[-1 - (int)slashes] == '\\')
            slashes++;
        if (slashes % 2)
            continue;
        while (key > from && (isalnum((unsigned char)key[-1]) || key[-1] == '_'))
            key--;
        *equals = at;
        return key == at || (key > from && key[-1] != ' ') ? at : key;
    }
    return NULL;
}

/* Read n bytes. False when they are no CEF. What was read is freed by cef_free() in any case. */
static inline bool cef_read(struct cef *c, const char *text, uint32_t n)
{
    char *copy = strndup(text, n);
    const char *at = copy, *equals;
    bool is_right = copy && strlen(copy) == n && !strncmp(copy, "CEF:0|", 6);
    memset(c, 0, sizeof(*c));
    for (uint32_t i = 0; is_right && i < CEF_FIELDS; i++) {
        const char *end = at;
        while (*end && *end != '|')
            end += *end == '\\' && end[1] ? 2 : 1;
        is_right = *end == '|';
        c->header[i] = strndup(at, (size_t)(end - at));
        is_right = is_right && cef_unescape(c->header[i], "|\\", false);
        at = end + 1;
    }
    const char *key = is_right && *at ? cef_next_key(at, &equals) : NULL;
    is_right = is_right && (!*at || (key == at && equals > key));
    while (is_right && key && c->count < CEF_PAIRS) {
        const char *value = equals + 1, *next = cef_next_key(value, &equals);
        size_t length = next ? (size_t)(next - value) - (next > value) : strlen(value);
        c->keys[c->count] = strndup(key, (size_t)(value - 1 - key));
        c->values[c->count] = strndup(value, length);
        is_right = cef_unescape(c->values[c->count++], "=\\", true) && (!next || next < equals);
        key = next;
    }
    free(copy);
    return is_right && !key;
}

/* The value of a key; NULL = it is not there. */
static inline const char *cef_value(const struct cef *c, const char *key)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (!strcmp(c->keys[i], key))
            return c->values[i];
    return NULL;
}

#endif
