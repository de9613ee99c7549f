/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Conditions of rules judged plainly: by the tree of the condition, on all fields of a message, one
 * after another. No index, no program, no demand, no Hyperscan: what lib/rules must agree with.
 *
 * Written after what rules/expression.h and rules/ruleset.h promise, for tests only: it is slow,
 * allocates, and ends the process when memory is short. One thread.
 */
#ifndef FT_TEST_RULES_NAIVE_H
#define FT_TEST_RULES_NAIVE_H

#include "rules/program.h"

/** Does the part of a condition under `root` hold? 0: there is no condition, so it does. */
bool rules_naive_holds(const struct ft_vocabulary *v, const struct ft_expression *e, uint32_t root,
                       const struct ft_subject *s);

/** With what a condition is tested: enum ft_level of the most that any part of it asks for. */
uint8_t rules_naive_level(const struct ft_expression *e, uint32_t root);

/** Forget what was compiled: before conditions are freed, whose texts it is known by. */
void rules_naive_forget(void);

#endif
