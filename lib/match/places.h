/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Signatures that ask for certain bytes at the first places of a payload, and nothing else:
 * "^\x05\x64[\x05-\xff]", "^..\x00\x00". Most signatures are such, and for them a table does: for
 * each place and byte the set of those that may go on, a bit each. It is made in no time, where
 * Hyperscan took a seventh of a second for the automaton of all of them together.
 *
 * Made by one thread, then read by all. Nothing is allocated while looking.
 */
#ifndef FT_PLACES_H
#define FT_PLACES_H

#include <stdbool.h>
#include <stdint.h>

#define FT_PLACES_MAX            64u /**< places of a signature */
#define FT_PLACES_MAX_SIGNATURES 64u /**< of one table */

struct ft_places;

/** An empty table; NULL when memory is short. */
struct ft_places *ft_places_new(void);
void ft_places_free(struct ft_places *p);

/**
 * Add a signature in Perl syntax, dot matches all: ^, then bytes, dots, classes and {n} behind
 * them, then \z or nothing. False: it is not of this kind, or not surely, or the table is full; it
 * is for Hyperscan then, which also says what is wrong with it.
 */
bool ft_places_add(struct ft_places *p, const char *pattern, uint32_t id);

/** Calls `hit` for each signature that the payload has. Cost: a load for each place until none can
 * match any more: few, most often. */
void ft_places_look(const struct ft_places *p, const uint8_t *bytes, uint32_t length,
                    void (*hit)(void *user, uint32_t id), void *user);

#endif
