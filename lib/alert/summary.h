/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a run found, as tables for people: assets, who talks to whom, alerts, and the books.
 *
 * Text from the network is shown without control characters, so that it can neither break the table
 * nor command the terminal.
 */
#ifndef FT_SUMMARY_H
#define FT_SUMMARY_H

#include "alert/core.h"

#include <stdio.h>

/** Print the summary; at most `rows` rows a table (0 = 200), then how many more there are. */
void ft_summary_print(FILE *to, const struct ft_core *core, const struct ft_ledger *ledger,
                      uint32_t rows);

/**
 * Copy text as it may be shown: control characters, line and direction marks become '?', bytes that
 * are no UTF-8 become \xNN, and what is wider than `width` columns ends in an ellipsis. Returns the
 * columns used.
 */
uint32_t ft_summary_text(const char *from, char *to, size_t size, uint32_t width);

#endif
