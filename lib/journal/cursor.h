/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A reader's place, kept in a file of two sectors that are written in turn: a write that is torn
 * costs the newer generation only, and there is always the one before. Private to lib/journal.
 */
#ifndef FT_JOURNAL_CURSOR_H
#define FT_JOURNAL_CURSOR_H

#include "journal/internal.h"

struct ft_cursor {
    char file[FT_JOURNAL_NAME_SIZE + 8];
    struct ft_journal_position position; /* as on disk */
};

/** Read what is there; the position is all zero for NEW and DAMAGED. */
enum ft_journal_cursor ft_cursor_open(struct ft_cursor *cursor, const struct ft_journal *j,
                                      const char *name);

/** Write the next generation and sync it; false with errno. */
bool ft_cursor_write(struct ft_cursor *cursor, struct ft_journal *j, uint64_t sequence,
                     const uint64_t numbers[FT_JOURNAL_CLASSES]);

#endif
