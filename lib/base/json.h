/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An append-only JSON writer for the output path (jansson reads, and writes what is rare).
 *
 * It writes into a buffer of fixed size that the caller owns. What does not fit sets `is_full` and
 * is dropped as a whole; the caller looks at it once at the end. Commas are the writer's business.
 * One thread. Cost: a few cycles a byte, no allocation.
 */
#ifndef FT_JSON_H
#define FT_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct ft_json {
    char *text;
    uint32_t length, size;
    bool is_full;
    bool wants_comma;
};

/** A writer on `size` bytes at `text`. */
static inline struct ft_json ft_json_make(char *text, uint32_t size)
{
    struct ft_json j = {.text = text, .size = size};
    return j;
}

/** Room for n bytes at the end; NULL, and from then on always, when there is none. For the writer's
 * own functions, which are inline where what they write is known when compiled. */
static inline char *ft_json_room(struct ft_json *j, uint32_t n)
{
    if (__builtin_expect(j->is_full || j->size - j->length < n, 0)) {
        j->is_full = true;
        return NULL;
    }
    return j->text + j->length;
}

static inline void ft_json_open(struct ft_json *j, char bracket)
{
    char *to = ft_json_room(j, 1u + j->wants_comma);
    if (!to)
        return;
    *to = ',';
    to[j->wants_comma] = bracket;
    j->length += 1u + j->wants_comma;
    j->wants_comma = false;
}

static inline void ft_json_close(struct ft_json *j, char bracket)
{
    char *to = ft_json_room(j, 1);
    if (to)
        *to = bracket;
    j->length += to != NULL;
    j->wants_comma = true;
}

/** { */
static inline void ft_json_object(struct ft_json *j)
{
    ft_json_open(j, '{');
}

/** } */
static inline void ft_json_object_end(struct ft_json *j)
{
    ft_json_close(j, '}');
}

/** [ */
static inline void ft_json_array(struct ft_json *j)
{
    ft_json_open(j, '[');
}

/** ] */
static inline void ft_json_array_end(struct ft_json *j)
{
    ft_json_close(j, ']');
}

/** A key of n bytes; it is trusted text without characters to escape. */
__attribute__((always_inline)) static inline void ft_json_key_of(struct ft_json *j, const char *key,
                                                                 uint32_t n)
{
    char *to = ft_json_room(j, n + 4);
    if (!to)
        return;
    *to = ',';
    to += j->wants_comma;
    *to = '"';
    memcpy(to + 1, key, n);
    to[n + 1] = '"';
    to[n + 2] = ':';
    j->length += n + 3 + j->wants_comma;
    j->wants_comma = false;
}

/** The same of a string: when it is a literal, its length is known and its bytes are in the code.
 */
__attribute__((always_inline)) static inline void ft_json_key(struct ft_json *j, const char *key)
{
    ft_json_key_of(j, key, (uint32_t)strlen(key));
}

/** Key from two parts: "name" "_code". */
void ft_json_key2(struct ft_json *j, const char *key, const char *suffix);

/** Text of n bytes. UTF-8 passes; each byte that is not becomes \\xNN (a backslash, an x, hex). */
void ft_json_text(struct ft_json *j, const char *text, uint32_t n);
void ft_json_string(struct ft_json *j, const char *text);
void ft_json_uint(struct ft_json *j, uint64_t value);
void ft_json_int(struct ft_json *j, int64_t value);
/** Shortest decimal that reads back the same (as a binary32 if it is one); null for infinities and
 * not-a-number. */
void ft_json_double(struct ft_json *j, double value);
void ft_json_bool(struct ft_json *j, bool value);
void ft_json_null(struct ft_json *j);
/** Lower-case hex of n bytes. */
void ft_json_hex(struct ft_json *j, const uint8_t *bytes, uint32_t n);
/** 00:11:22:33:44:55 */
void ft_json_mac(struct ft_json *j, const uint8_t mac[6]);
/** Text of an address: 4 (network order) or 16 bytes. */
void ft_json_ip(struct ft_json *j, const uint8_t *address, bool is_ipv6);
/** 2026-01-31T10:20:30.123456+0000 of nanoseconds since 1970. */
void ft_json_time(struct ft_json *j, uint64_t ns);
/** Text that is JSON already. */
void ft_json_raw(struct ft_json *j, const char *text, uint32_t n);

/* A key and its value in one call. */
__attribute__((always_inline)) static inline void ft_json_put_string(struct ft_json *j,
                                                                     const char *key,
                                                                     const char *value)
{
    ft_json_key(j, key);
    ft_json_text(j, value, (uint32_t)strlen(value));
}

__attribute__((always_inline)) static inline void ft_json_put_uint(struct ft_json *j,
                                                                   const char *key, uint64_t value)
{
    ft_json_key(j, key);
    ft_json_uint(j, value);
}

__attribute__((always_inline)) static inline void ft_json_put_bool(struct ft_json *j,
                                                                   const char *key, bool value)
{
    ft_json_key(j, key);
    ft_json_bool(j, value);
}

/** Bytes that the digits of any number take. */
#define FT_DECIMAL_MAX 20u

/** Write the digits of a number; returns what is behind them. No NUL. */
char *ft_decimal(char *to, uint64_t value);

/** Write the 31 characters of ft_json_time() and a NUL to `text`. */
void ft_time_text(char text[32], uint64_t ns);

#endif
