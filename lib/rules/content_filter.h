/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A filter before a search: may a short text hold any of many patterns?
 *
 * Most payloads on a plant's network are shorter than what starting a Hyperscan scan costs. Each
 * pattern has a few bytes that every text that it matches must hold; those of all patterns are a
 * table of bits, and a text that has none of them at any place needs no search. Says yes too often,
 * never no too often. Made by one thread, then read by all.
 */
#ifndef FT_CONTENT_FILTER_H
#define FT_CONTENT_FILTER_H

#include "rules/content.h"

/* Tables of 128 bytes in one instruction, texts that end anywhere in one load. */
#if defined(__AVX512VBMI__) && defined(__AVX512BW__) && defined(__BMI2__)
#define FT_CONTENT_FILTER_WIDE 1
#endif

/**
 * Longer texts are not worth filtering: a scan costs less for each byte. Bytes. Where 64 places are
 * looked at at once, what a frame carries is.
 */
#ifdef FT_CONTENT_FILTER_WIDE
#define FT_CONTENT_FILTER_TEXT 1500u
#else
#define FT_CONTENT_FILTER_TEXT 256u
#endif

struct ft_content_filter;

/**
 * A filter for all of `patterns`, the caller's. NULL: some pattern has no bytes that a text must
 * hold (literals of one byte, expressions that begin anew at each turn), or memory is short.
 */
struct ft_content_filter *ft_content_filter_new(const struct ft_pattern *patterns, uint32_t count);
void ft_content_filter_free(struct ft_content_filter *filter);

/**
 * False: none of the patterns is in the text. Always true for a text that is longer than
 * FT_CONTENT_FILTER_TEXT. Cost: a cycle a byte or less.
 */
bool ft_content_filter_passes(const struct ft_content_filter *filter, const uint8_t *bytes,
                              uint32_t length);

/**
 * The longest run of bytes that each text must hold that an expression matches, as far as that is
 * seen without understanding much: 0 bytes, where it is not. Written to `to`, at most `room`.
 * `*folds`: letters count in either case. For tests.
 */
uint32_t ft_content_filter_required(const struct ft_pattern *pattern, uint8_t *to, uint32_t room,
                                    bool *folds);

#endif
