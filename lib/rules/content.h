/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Patterns in bytes: which of many literals and regular expressions does a text hold?
 *
 * One struct ft_content is a group of patterns that are looked for in the same bytes (all those on
 * http.uri, or on payloads of TCP port 502). Literals of four bytes and more, and regular
 * expressions, become a Hyperscan database in block mode, or one for each 64 expressions; shorter
 * literals are searched for directly unless a group has many; expressions that Hyperscan cannot
 * take (back references, look around) run in PCRE2 with match limits, and count when they were
 * given up. Hyperscan finds the texts on which they are worth running, in the same scan, where it
 * can (all but expressions with the rarest syntax and those that may match an empty text). Made by
 * one thread, then read by all; each thread has a scratch of its own. Scanning allocates nothing.
 *
 * An expression means the same whoever looks for it, and what PCRE2 calls correct is correct. Texts
 * are bytes, never UTF-8; letters are those of ASCII; ^ is the start of the text and $ its end, or
 * before a line feed that ends it as in Perl (\z is the end alone); with (?m) they are those of
 * lines, which end with a line feed.
 */
#ifndef FT_CONTENT_H
#define FT_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FT_CONTENT_MAX_PATTERNS   65536u
#define FT_CONTENT_MAX_LITERAL    2048u  /**< bytes; Hyperscan takes little more */
#define FT_CONTENT_MAX_EXPRESSION 65535u /**< bytes */

struct ft_pattern {
    const char *bytes; /**< literal, or expression in Perl syntax */
    uint32_t length;
    uint32_t least;    /**< bytes that a text has at least, or nobody cares whether it matches */
    bool is_regex;     /**< dot matches all (as (?s)); inline flags such as (?i) count */
    bool ignores_case; /**< of ASCII letters */
};

/** How a pattern is looked for: for people (--explain). */
enum ft_content_means {
    FT_CONTENT_DIRECT = 0, /**< a short literal, searched for directly */
    FT_CONTENT_HYPERSCAN,
    FT_CONTENT_PCRE2,
};

/**
 * May an expression match a text (is_match), or not match it? True where that is not found out
 * within its limits. Some 50 us.
 */
bool ft_content_may_match(const struct ft_pattern *p, const char *bytes, uint32_t length,
                          bool is_match);

struct ft_content;
struct ft_content_scratch;

/**
 * Can the pattern be used? False and one sentence, with the offset of what is wrong where it is
 * known (else UINT32_MAX). What would always hold is refused: empty literals, and expressions that
 * match every text ("a*", but not "^a*$"; with look around, those are not recognised). `means` is
 * what to expect: in a group, short literals may become Hyperscan's and expressions that it finds
 * too large PCRE2's. Some 50 us for an expression.
 */
bool ft_content_check(const struct ft_pattern *pattern, enum ft_content_means *means,
                      uint32_t *offset, char *error, size_t error_size);

/**
 * Compile a group; patterns are copied and known by their index from then on. NULL and a sentence.
 * Some 25 us for each literal; an expression costs 100 us and more, large ones of many repeats
 * seconds.
 */
struct ft_content *ft_content_new(const struct ft_pattern *patterns, uint32_t count, char *error,
                                  size_t error_size);
/** One more owner: it is freed with the last ft_content_free(). One thread at a time. */
struct ft_content *ft_content_share(struct ft_content *content);
void ft_content_free(struct ft_content *content);

/** A hash of all patterns in order: equal groups need not be compiled again. */
uint64_t ft_content_fingerprint(const struct ft_pattern *patterns, uint32_t count);

/**
 * Room that one thread needs to scan any of `count` groups; NULL when memory is short. What was
 * found is never carried from one scan to another, so groups can take turns.
 */
struct ft_content_scratch *ft_content_scratch_new(const struct ft_content *const *contents,
                                                  uint32_t count);
void ft_content_scratch_free(struct ft_content_scratch *scratch);

/** A pattern that was found. */
struct ft_content_hit {
    uint32_t pattern;
    /** Bytes: from, and behind the last; from == UINT32_MAX: not known (expressions). */
    uint32_t from, to;
};

/**
 * Find all patterns in `bytes` (NULL when `length` is 0). Each is reported once: a literal at the
 * first place where it is, an expression at the least end that it can have. There are two
 * exceptions, where it is one of its ends: expressions that ask what comes next ($, \b and the
 * like), and those in PCRE2, with the end of the match that Perl would find. Writes at most `room`
 * hits, ordered by pattern; returns how many there were. `*given_up` is increased for each
 * expression whose limits were reached, which is not reported then; and by one when the scratch was
 * not made for the group. The limits depend on the length alone. Cost: one Hyperscan scan (some 300
 * cycles and more) for each 64 expressions, and a cycle or two for ten bytes for each short
 * literal; an expression that is out of hand in PCRE2 is given up after some hundred microseconds
 * as a rule. Allocates nothing.
 */
uint32_t ft_content_scan(const struct ft_content *content, struct ft_content_scratch *scratch,
                         const uint8_t *bytes, uint32_t length, struct ft_content_hit *hits,
                         uint32_t room, uint64_t *given_up);

/** What tells that before a scan; the content's; NULL: nothing can. */
const struct ft_content_filter *ft_content_filter(const struct ft_content *content);

/**
 * False: none of the patterns is in `bytes`, nor in any part of them. True says nothing. Cost: for
 * short texts two cycles a byte or less, for others none.
 */
bool ft_content_may_hold(const struct ft_content *content, const uint8_t *bytes, uint32_t length);

/** How pattern `index` is looked for. */
enum ft_content_means ft_content_means(const struct ft_content *content, uint32_t index);

#endif
