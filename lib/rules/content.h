/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Patterns in bytes: which of many literals and regular expressions does a text hold?
 *
 * One struct ft_content is a group of patterns that are looked for in the same bytes (all those on
 * http.uri, or on payloads of TCP port 502). Literals of four bytes and more, and regular
 * expressions, become one Hyperscan database in block mode; shorter literals are searched for
 * directly; expressions that Hyperscan cannot take (back references, look around) run in PCRE2 with
 * match limits, and count when they were given up. Made by one thread, then read by all; each
 * thread has a scratch of its own. Scanning allocates nothing.
 */
#ifndef FT_CONTENT_H
#define FT_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FT_CONTENT_MAX_PATTERNS 65536u

struct ft_pattern {
    const char *bytes; /**< literal, or expression in Perl syntax */
    uint32_t length;
    bool is_regex;     /**< dot matches all (as (?s)); inline flags such as (?i) count */
    bool ignores_case; /**< of ASCII letters */
};

/** How a pattern is looked for: for people (--explain). */
enum ft_content_means {
    FT_CONTENT_DIRECT = 0, /**< a short literal, searched for directly */
    FT_CONTENT_HYPERSCAN,
    FT_CONTENT_PCRE2,
};

struct ft_content;
struct ft_content_scratch;

/**
 * Can the pattern be used? False and one sentence, with the offset of what is wrong where it is
 * known. An expression that matches nothing at all (an empty one) is refused: it would always hold.
 */
bool ft_content_check(const struct ft_pattern *pattern, enum ft_content_means *means,
                      uint32_t *offset, char *error, size_t error_size);

/** Compile a group; patterns are copied and known by their index from then on. NULL and a sentence.
 */
struct ft_content *ft_content_new(const struct ft_pattern *patterns, uint32_t count, char *error,
                                  size_t error_size);
/** One more owner: it is freed with the last ft_content_free(). One thread at a time. */
struct ft_content *ft_content_share(struct ft_content *content);
void ft_content_free(struct ft_content *content);

/** A hash of all patterns in order: equal groups need not be compiled again. */
uint64_t ft_content_fingerprint(const struct ft_pattern *patterns, uint32_t count);

/** Room that one thread needs to scan any of `count` groups; NULL when memory is short. */
struct ft_content_scratch *ft_content_scratch_new(const struct ft_content *const *contents,
                                                  uint32_t count);
void ft_content_scratch_free(struct ft_content_scratch *scratch);

/** A pattern that was found. */
struct ft_content_hit {
    uint32_t pattern;
    uint32_t from, to; /**< bytes of its first end; from == UINT32_MAX: not known (expressions) */
};

/**
 * Find all patterns in `bytes`. Each is reported once, at the least end. Writes at most `room`
 * hits, ordered by pattern; returns how many there were. `*given_up` is increased for each
 * expression whose limits were reached. Cost: one Hyperscan scan (some 300 cycles and more), less
 * for a group of short literals only. Allocates nothing.
 */
uint32_t ft_content_scan(const struct ft_content *content, struct ft_content_scratch *scratch,
                         const uint8_t *bytes, uint32_t length, struct ft_content_hit *hits,
                         uint32_t room, uint64_t *given_up);

/** How pattern `index` is looked for. */
enum ft_content_means ft_content_means(const struct ft_content *content, uint32_t index);

#endif
