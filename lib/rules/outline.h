/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the values of a JSON text stand, all of them: jansson keeps values, not their places.
 *
 * ft_locate() looks for one place and walks over the text for it; rule files are large and may have
 * as many errors as rules, so they are walked over once. A value is known by its number: the one
 * with which the text begins is 0, the members of an object and the elements of an array come after
 * it in the order in which they are written.
 */
#ifndef FT_OUTLINE_H
#define FT_OUTLINE_H

#include "base/locate.h"

#include <jansson.h>
#include <stddef.h>

struct ft_outline {
    const char *text; /**< not owned */
    size_t length;
    struct ft_outline_node {
        uint32_t at;   /**< byte of the text; of a member: where its key stands */
        uint32_t next; /**< number of the value behind this one and all that is in it */
    } * nodes;
    uint32_t count;
    struct ft_place *marks; /**< places of every so many bytes */
};

/**
 * Walk over a text that is well-formed JSON (as jansson says) of less than 4 GiB. False when memory
 * is short. Cost: some 5 ns for each byte.
 */
bool ft_outline_open(struct ft_outline *o, const char *text, size_t length);
void ft_outline_close(struct ft_outline *o);

/** Line and column (characters of UTF-8) of a byte. Cost: some microseconds. */
struct ft_place ft_outline_place(const struct ft_outline *o, uint32_t at);

/** A walk over the members of an object or the elements of an array. */
struct ft_outline_walk {
    const json_t *value; /**< of the member or element */
    uint32_t node;       /**< its number */
    const char *key;     /**< of the member; NULL of elements */
    bool is_twice;       /**< another member behind it has the same key, and counts */
    uint32_t again;      /**< ... the next that has it */
    uint32_t *same;      /**< of each member, where keys are there twice; or NULL */
    const json_t *in;
    uint32_t first, next, end, index;
    char *name; /**< the key without its escapes */
};

/** Begin: while (ft_outline_next(o, &walk)) ... */
struct ft_outline_walk ft_outline_walk(const struct ft_outline *o, const json_t *in, uint32_t node);

/** Go to the next; false: there is none, and what the walk needed is freed. */
bool ft_outline_next(const struct ft_outline *o, struct ft_outline_walk *walk);

/** The byte of the file where byte `offset` of a text (the value of a node) stands. */
uint32_t ft_outline_inside(const struct ft_outline *o, uint32_t node, uint32_t offset);

/** The byte where the value of a node begins: of a member, behind its key. */
uint32_t ft_outline_value(const struct ft_outline *o, uint32_t node);

#endif
