/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What somebody meant who misspelled a word: of the valid ones the nearest, if it is near enough to
 * be a slip; else the longest that the word says and more, such as "severity" of
 * "minimum_severity"; else the one that begins with the word, such as "s7comm" of "s7", or says it
 * and more, such as "http_method" of "method". For error messages; any thread.
 */
#ifndef FT_NEAREST_H
#define FT_NEAREST_H

#include <stdbool.h>

struct ft_nearest {
    const char *word;  /**< as it was written */
    const char *best;  /**< the nearest so far: one of those offered, not copied; NULL = none */
    unsigned least;    /**< edits that make one of the other */
    bool is_near;      /**< best is there by its edits */
    unsigned within;   /**< else: letters of best, which the word contains */
    const char *begun; /**< else: what says more than the word, and begins all others that do */
    bool is_any;       /**< there is no such: they differ */
};

/** Begin with the word that was written. */
struct ft_nearest ft_nearest_begin(const char *word);

/** Offer a valid word. */
void ft_nearest_offer(struct ft_nearest *n, const char *valid);

/** Does a valid word begin with a word, or say it and other words: "http_method" for "method"? */
bool ft_nearest_says_more(const char *valid, const char *word);

#endif
