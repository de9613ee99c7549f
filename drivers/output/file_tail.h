/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of a file of events: what a crash left there. */
#ifndef FT_FILE_TAIL_H
#define FT_FILE_TAIL_H

#include <stdbool.h>
#include <stdint.h>

/**
 * Cut off what is behind the last line end; `size` is what remains. When that is more than any
 * event is long, somebody else wrote it: it gets a line end instead. False and errno.
 */
bool ft_file_tail_mend(int fd, uint64_t *size);

/** Greatest sequence of the journal in the last lines, by their event_uid: SENSOR-NUMBER. 0: none.
 * Reads at most 256 KiB. */
uint64_t ft_file_tail_sequence(int fd, const char *sensor);

#endif
