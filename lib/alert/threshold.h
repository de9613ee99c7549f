/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Thresholds of rules: how many of the hits that came are to be told.
 *
 * For each rule and whom its threshold counts by, the hits of the last `seconds`. Time is the
 * sensor clock, so the same packets give the same. Bounded: when the table is full what was used
 * longest ago is forgotten, and counted; of a rule that has half of the table it is one of its own,
 * so that a flood from many sources on one rule does not end what others count. One thread.
 */
#ifndef FT_THRESHOLD_H
#define FT_THRESHOLD_H

#include "inventory/inventory.h"
#include "rules/rule.h"

/** Hits told apart; what is more is counted together with its neighbours in time. */
#define FT_THRESHOLD_HITS 32u

/** Whose hits are counted together. Zeroed first: compared as bytes. */
struct ft_threshold_key {
    uint64_t rule; /**< a number of the rule that a reload does not change */
    struct ft_address a, b;
    uint64_t sub; /**< ASSET: the device behind the address */
    uint64_t sub_kind;
};

struct ft_thresholds;

/** Room for `max` keys; `key` of the hash table. About 700 bytes each, when used. */
struct ft_thresholds *ft_thresholds_new(uint32_t max, const uint64_t key[2]);
void ft_thresholds_free(struct ft_thresholds *t);

/**
 * Count `times` hits now; how many are to be told.
 *
 * LIMIT: as many as leave at most `count` told in any `seconds`. AT_LEAST: none until `count` came
 * in the last `seconds`; then all of these at once, and none for further `seconds`. What came a
 * full `seconds` ago does not count any more. Of a key without room for want of memory all are.
 *
 * *message belongs to the key: what the caller wants to keep with it, freed with free().
 */
uint64_t ft_thresholds_pass(struct ft_thresholds *t, const struct ft_threshold *how,
                            const struct ft_threshold_key *key, uint64_t clock_ns, uint64_t times,
                            char ***message);

uint32_t ft_thresholds_count(const struct ft_thresholds *t);

/** Keys that were forgotten to make room. */
uint64_t ft_thresholds_evicted(const struct ft_thresholds *t);

#endif
