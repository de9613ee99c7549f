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

void ft_json_object(struct ft_json *j);     /**< { */
void ft_json_object_end(struct ft_json *j); /**< } */
void ft_json_array(struct ft_json *j);      /**< [ */
void ft_json_array_end(struct ft_json *j);  /**< ] */

/** A key; it is trusted text without characters to escape. */
void ft_json_key(struct ft_json *j, const char *key);

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
void ft_json_put_string(struct ft_json *j, const char *key, const char *value);
void ft_json_put_uint(struct ft_json *j, const char *key, uint64_t value);
void ft_json_put_bool(struct ft_json *j, const char *key, bool value);

/** Write the 31 characters of ft_json_time() and a NUL to `text`. */
void ft_time_text(char text[32], uint64_t ns);

#endif
