/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Thresholds of rules: how many of the hits that came are to be told.
 *
 * For each rule and whom its threshold counts by, the hits of the last `seconds`, and, where
 * different values are counted, the values that were seen last: as many as are asked for, so that
 * it is exact. Time is the sensor clock, so the same packets give the same. Bounded: when the table
 * is full what was used longest ago is forgotten, and counted; of a rule that has half of the table
 * it is one of its own, so that a flood from many sources on one rule does not end what others
 * count. The values of all keys have a bound of their own. One thread.
 */
#ifndef FT_THRESHOLD_H
#define FT_THRESHOLD_H

#include "inventory/inventory.h"
#include "rules/rule.h"

/** Hits told apart; what is more is counted together with its neighbours in time. */
#define FT_THRESHOLD_HITS 32u

/** Values of all keys together. */
#define FT_THRESHOLD_VALUES (1u << 20)

/** Whose hits are counted together. Zeroed first: compared as bytes. */
struct ft_threshold_key {
    uint64_t rule; /**< a number of the rule that a reload does not change */
    struct ft_address a, b;
    uint64_t sub; /**< ASSET: the device behind the address; SERVICE: the port */
    uint64_t sub_kind;
};

/** Hits that came. */
struct ft_threshold_hits {
    uint64_t clock_ns;      /**< sensor clock */
    uint64_t time_ns;       /**< time stamp */
    uint64_t times;         /**< how many */
    const uint64_t *values; /**< DISTINCT: theirs */
    uint32_t value_count;
};

/** What is to be told. */
struct ft_threshold_told {
    uint64_t times;    /**< 0: nothing */
    uint64_t first_ns; /**< time stamp of the first of them */
    /** Belongs to the key: what the caller wants to keep with it, freed with free(). NULL: there
     * is no key. */
    char **message;
};

struct ft_thresholds;

/** Room for `max` keys; `key` of the hash table. About 1,000 bytes each, when used, and 16 for each
 * value. */
struct ft_thresholds *ft_thresholds_new(uint32_t max, const uint64_t key[2]);
void ft_thresholds_free(struct ft_thresholds *t);

/**
 * Count hits now; how many are to be told.
 *
 * LIMIT: as many as leave at most `count` told in any `seconds`. AT_LEAST: none until `count` came
 * in the last `seconds`, DISTINCT: with `count` different values; then all of these at once, and
 * each further one for as long as that is so. What came a full `seconds` ago does not count any
 * more, nor what came before the stamps jumped, by `seconds` or (back) 10 s more: captures of
 * another time, a clock that was set. Of a key without room for want of memory all are. Cost:
 * DISTINCT up to `count` comparisons for each value, else little.
 */
struct ft_threshold_told ft_thresholds_pass(struct ft_thresholds *t, const struct ft_threshold *how,
                                            const struct ft_threshold_key *key,
                                            const struct ft_threshold_hits *hits);

/** Count hits that others ask for with ft_thresholds_came(), over so many seconds. */
void ft_thresholds_note(struct ft_thresholds *t, const struct ft_threshold_key *key,
                        const struct ft_threshold_hits *hits, uint32_t seconds);
/** How many came in the last so many seconds up to `clock_ns` (its time stamp `time_ns`); what came
 * later is not among them. */
uint64_t ft_thresholds_came(struct ft_thresholds *t, const struct ft_threshold_key *key,
                            uint64_t clock_ns, uint64_t time_ns, uint32_t seconds);

uint32_t ft_thresholds_count(const struct ft_thresholds *t);

/** Values that are kept of all keys. */
uint32_t ft_thresholds_values(const struct ft_thresholds *t);

/** Keys that were forgotten to make room. */
uint64_t ft_thresholds_evicted(const struct ft_thresholds *t);

#endif
