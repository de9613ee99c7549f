/* SPDX-License-Identifier: BSD-3-Clause */
/* --read-journal: what a journal holds, for people and programs. */
#ifndef READ_JOURNAL_H
#define READ_JOURNAL_H

/**
 * Print the events of a journal in order, a line each; what is missing or damaged goes to standard
 * error. A sensor may be writing it. Exit code: 0, or 1 when it cannot be read or is damaged.
 */
int read_journal(const char *folder);

#endif
