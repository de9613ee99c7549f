/* SPDX-License-Identifier: BSD-3-Clause */
/* Groups of patterns from the inside: what their files have in common. */
#ifndef FT_CONTENT_INTERNAL_H
#define FT_CONTENT_INTERNAL_H

#include "rules/content.h"
#include "rules/content_filter.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <hs.h>
#include <pcre2.h>

enum {
    SHORT_BYTES = 3, /* literals up to here are searched for directly ... */
    SHORTS_MAX = 8,  /* ... when a group has no more of them: each is a pass over the bytes */
};

/** Steps of PCRE2 from each start, at most: see content_scan.c. */
#define STEPS_MAX 50000u

/* What becomes of a pattern; finer than enum ft_content_means. */
enum ft_content_plan {
    PLAN_DIRECT,
    PLAN_SCANNED,    /* by Hyperscan */
    PLAN_FILTERED,   /* by Hyperscan, which lets too much pass, then by PCRE2 */
    PLAN_UNFILTERED, /* by PCRE2 alone, on each text */
};

struct ft_content_short {
    uint32_t pattern;
    uint8_t length;
    uint8_t bytes[SHORT_BYTES]; /* letters in lower case where case does not count ... */
    uint8_t fold[SHORT_BYTES];  /* ... and then 0x20, which makes others of them lower case too */
};

struct ft_content {
    uint32_t shares; /* owners besides the first */
    uint32_t count;
    uint8_t *plans;            /* enum ft_content_plan of each pattern */
    uint32_t *lengths;         /* of each literal; 0: an expression */
    pcre2_code **codes;        /* of those in PCRE2 */
    hs_database_t **databases; /* NULL: nothing is Hyperscan's */
    uint32_t database_count;
    struct ft_content_filter *filter; /* before all of them; NULL: there is none */
    struct ft_content_short shorts[SHORTS_MAX];
    uint32_t short_count;
    uint32_t *unfiltered;
    uint32_t unfiltered_count;
};

/* ---- one pattern: content_pattern.c ---- */

/** Compile an expression for PCRE2, the caller's; NULL, a sentence, and the offset it is about. */
pcre2_code *ft_content_expression(const struct ft_pattern *p, uint32_t *offset, char *error,
                                  size_t error_size);

/** How Hyperscan is asked to take a pattern that is so planned. */
unsigned ft_content_hs_flags(const struct ft_pattern *p, enum ft_content_plan plan);

/** As an expression for Hyperscan; freed by the caller. NULL: out of memory. */
char *ft_content_hs_text(const struct ft_pattern *p);

/**
 * Is the pattern right, and what becomes of it? False and a sentence. `*code`: of an expression for
 * PCRE2, the caller's; NULL for others.
 */
bool ft_content_examine(const struct ft_pattern *p, enum ft_content_plan *plan, pcre2_code **code,
                        uint32_t *offset, char *error, size_t error_size);

enum ft_content_means ft_content_means_of(enum ft_content_plan plan);

#endif
