/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rules in the alerting core: from a hit to an alert, or to an event of the timeline.
 *
 * A worker tells that a rule held for what it sees. What it cannot know is decided here: is it time
 * (schedule), are the devices those that are meant (asset.*), did it come often enough or too often
 * (threshold). Then it is an alert like others: windows, counts, first and last.
 *
 * Alerts outlive rule sets: of each rule that was ever hit what its alerts say is kept for the life
 * of the core, once for the same rule. The thread of the core.
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

/** The member "rules" of the statistics. */
void ft_rule_desk_stats(const struct ft_core *core, const struct ft_ledger *ledger,
                        struct ft_json *j);

/** Is the table of thresholds full, or that of rules? */
bool ft_rule_desk_is_full(const struct ft_rule_desk *desk);

#endif
