/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Statistics of rules: when each held last, how often on which day, and what it costs.
 *
 * Days and the time of the last hit are of packets. A hit counts when all of the rule's condition
 * held, schedule and devices included, before its threshold; by the rule's id, whatever revision it
 * has. What workers count (evaluations, cycles) is there for this run and for all. All of it goes
 * on over reloads, and by a file over restarts; so do the titles of rules that were deleted. Cycles
 * differ from run to run: they are in this file and nowhere in events.
 *
 * Two threads: the alerting loop counts hits (ft_rule_statistics_hit()) and never waits for
 * anybody; all else is done by one thread at a time, in a running sensor that of the rules, which
 * takes its time to write.
 */
#ifndef FT_RULE_STATISTICS_H
#define FT_RULE_STATISTICS_H

#include "rules/ruleset.h"

#define FT_RULE_STATISTICS_DAYS                                                                    \
    30u /**< days of UTC that are kept of a rule, up to its last hit                               \
         */

#define FT_RULE_STATISTICS_DELETED                                                                 \
    4096u /**< deleted rules that are kept in the file: those deleted last                         \
           */

struct ft_rule_statistics;

/** NULL when memory is short. */
struct ft_rule_statistics *ft_rule_statistics_new(void);
void ft_rule_statistics_free(struct ft_rule_statistics *st);

/**
 * A rule held so often; `time_ns` since 1970 UTC. Without memory it is not counted. Takes no lock:
 * who reads meanwhile reads again. Cost: some 100 ns.
 */
void ft_rule_statistics_hit(struct ft_rule_statistics *st, uint32_t id, uint64_t time_ns,
                            uint64_t times);

/** What workers count begins anew with the next ft_rule_statistics_counts(). */
void ft_rule_statistics_begin(struct ft_rule_statistics *st);

/**
 * Add what a worker counted: up to now, or, with `is_over`, for good, before its matcher goes. It
 * may be at work: then its figures are those of a moment ago.
 */
void ft_rule_statistics_counts(struct ft_rule_statistics *st, const struct ft_ruleset *set,
                               const struct ft_matcher *m, bool is_over);

/** What is known of a rule. */
struct ft_rule_statistic {
    uint64_t hits;    /**< ever */
    uint64_t last_ns; /**< 0 = never */
    uint64_t day_count;
    struct {
        uint64_t day; /**< since 1970 */
        uint64_t hits;
    } days[FT_RULE_STATISTICS_DAYS]; /**< in order, those with hits */
    struct ft_rule_counts run;       /**< of this run */
    struct ft_rule_counts ever;      /**< of this run and those before it */
    uint64_t deleted_ns;             /**< when it was found to be at work no more; 0 = it is */
};

/** False: nothing is known of this id. */
bool ft_rule_statistics_of(struct ft_rule_statistics *st, uint32_t id,
                           struct ft_rule_statistic *to);

/**
 * Go on with the figures of a file. False and one sentence when it is damaged or cannot be read:
 * then all begins anew. That there is none is no error.
 */
bool ft_rule_statistics_read(struct ft_rule_statistics *st, const char *path, char *error,
                             size_t error_size);

/**
 * Write all to a file, by way of a temporary one and rename(2): readers see the old file or the
 * whole new one. Rules of `set` (may be NULL) are there, hit or not; others as long as their last
 * hit is of the last 30 days, the FT_RULE_STATISTICS_DELETED that were deleted last, with the title
 * that they had and when they were first missed here (`now_ns`, wall clock). False and one sentence
 * on failure.
 */
bool ft_rule_statistics_write(struct ft_rule_statistics *st, const struct ft_ruleset *set,
                              uint64_t now_ns, const char *path, char *error, size_t error_size);

#endif
