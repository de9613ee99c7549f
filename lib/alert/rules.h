/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rules in the alerting core: from a hit to an alert, or to an event of the timeline.
 *
 * A worker tells that a rule held for what it sees. What it cannot know is decided here: is it time
 * (schedule), are the devices those that are meant (asset.*), did it come often enough or too often
 * (threshold). Then it is an alert like others: windows, counts, first and last.
 *
 * Alerts outlive rule sets: of each rule that was hit what its alerts say is kept, once for the
 * same rule, as long as it is at work, an alert of it is open or in the list of the summary. What
 * is of no use any more is forgotten when another rule set comes: so this is bounded by two rule
 * sets and the tables of alerts. The thread of the core.
 */
#ifndef FT_ALERT_RULES_H
#define FT_ALERT_RULES_H

#include "alert/core.h"

struct ft_rule_desk;

/** NULL when memory is short. `max` keys of thresholds; `key` of hash tables. */
struct ft_rule_desk *ft_rule_desk_new(uint32_t max, const uint64_t key[2]);
void ft_rule_desk_free(struct ft_rule_desk *desk);

/** An event of type RULE. Cost: some microseconds for one that is told, less for others. */
void ft_rule_desk_event(struct ft_core *core, const struct ft_event *event);

/** Look at what was lost of hits since the last statistics: a health event. Before they are
 * written.
 */
void ft_rule_desk_watch(struct ft_core *core, const struct ft_ledger *ledger);

/** The member "rules" of the statistics. */
void ft_rule_desk_stats(const struct ft_core *core, const struct ft_ledger *ledger,
                        struct ft_json *j);

/** Is the table of thresholds full, or that of rules? */
bool ft_rule_desk_is_full(const struct ft_rule_desk *desk);

#endif
