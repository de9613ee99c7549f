/* SPDX-License-Identifier: BSD-3-Clause */
/* Where in a JSON text a value stands: jansson keeps values, not their places. */
#ifndef FT_LOCATE_H
#define FT_LOCATE_H

#include <stdbool.h>
#include <stdint.h>

/** One step of a path: a key of an object, or (key NULL) an index of an array. */
struct ft_step {
    const char *key;
    uint32_t index;
};

struct ft_place {
    uint32_t line, column; /**< from 1 */
};

/**
 * Find the place of the key (for the last step of a path through objects) or the element that the
 * path names in a text that is well-formed JSON. Keys are compared as written, without escapes.
 * Returns the place of what encloses it when it is not found.
 */
struct ft_place ft_locate(const char *text, const struct ft_step *path, uint32_t steps);

/** The place of the byte 0 that ends a text: of a file that has one inside, where it stands. */
struct ft_place ft_locate_end(const char *text);

/**
 * What is told of a byte 0 inside a file. Who reads JSON may pass over it, and who looks for places
 * would take it for the end.
 */
#define FT_LOCATE_NUL "a byte 0 stands here: this is no text"

#endif
