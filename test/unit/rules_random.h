/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random rules about what was seen: conditions by the grammar of rules/expression.h over the
 * schemas of all dissectors, with values from messages, so that many of them hold now and then.
 *
 * For tests only: allocates, and ends the process when memory is short. One thread. The same seed
 * and the same messages give the same rules.
 */
#ifndef FT_TEST_RULES_RANDOM_H
#define FT_TEST_RULES_RANDOM_H

#include "rules/ruleset.h"

#define RULES_RANDOM_SEEN   512u /* subjects that are remembered */
#define RULES_RANDOM_NEVERS 256u

struct rules_random {
    uint64_t state;
    const struct ft_vocabulary *v;
    struct ft_rule_environment environment;
    struct ft_rule_files *base; /* the sets and tags that rules may use */
    struct ft_zone zones[3];
    struct rules_random_seen {
        struct rules_random_sample *samples;
        uint32_t count;
    } seen[RULES_RANDOM_SEEN];
    uint64_t seen_count;
    uint64_t written, refused;  /* conditions tried, and those that were no good */
    struct rules_random_never { /* parts of conditions that were refused as never holding */
        struct ft_expression *expression;
        uint32_t node;
        char text[1024]; /* of the part */
    } nevers[RULES_RANDOM_NEVERS];
    uint32_t never_count;
    bool is_repeating; /* fields that are no lists come more than once: what contradicts may hold */
};

/** splitmix64: the same numbers everywhere. */
uint64_t rules_random_next(uint64_t *state);

/** False, and the reason on stderr. */
bool rules_random_open(struct rules_random *r, const struct ft_registry *registry, uint64_t seed);
void rules_random_close(struct rules_random *r);

/** Remember a message or payload, perhaps. */
void rules_random_see(struct rules_random *r, const struct ft_subject *s);

/** One condition that is right by itself. Returns `to`. */
const char *rules_random_condition(struct rules_random *r, char *to, size_t size);

/** Which of `nevers` holds of a subject all the same; NULL: none, as it should be. */
const struct rules_random_never *rules_random_holds(const struct rules_random *r,
                                                    const struct ft_subject *s);

/** A rule set of up to `count` rules, read from a file as all are; NULL, and the reason on stderr.
 */
struct ft_ruleset *rules_random_set(struct rules_random *r, uint32_t count);

/** The same of given conditions, of which none may be wrong. */
struct ft_ruleset *rules_random_set_of(struct rules_random *r, const char *const *conditions,
                                       uint32_t count, const struct ft_ruleset *before);

#endif
