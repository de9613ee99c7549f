/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading packets from several captures as if they were one: files, the files of folders, and
 * standard input, one after another or merged by time stamp, once or several times over. This is
 * what the options -r, --merge and --loop mean.
 *
 * Thread: any, one at a time per set. No DPDK, no global state. The order of the records depends on
 * the arguments and the contents of the files only.
 */
#ifndef FT_CAPTURE_SET_H
#define FT_CAPTURE_SET_H

#include "capture/file.h"

struct ft_capture_set;

struct ft_capture_set_options {
    bool merge;     /* by time stamp; else in argument order, a folder's files in name order */
    uint32_t loops; /* how often the whole set is read; 0 means once, as 1 does */
};

/*
 * Open every source and check that it is a capture.
 *
 * sources: count paths, each a file, a folder (its regular files by byte order of their names, not
 * those of folders in it) or "-" for standard input (once).
 * options: copied; NULL for none.
 * error: one sentence that begins with the source at fault, when NULL is returned.
 *
 * Returns NULL if a named file is no capture or cannot be read, a folder holds none, or loops are
 * wanted of a pipe. What is no capture in a folder is skipped with a remark. With merge all files
 * stay open until they are read. Free with ft_capture_set_close().
 */
struct ft_capture_set *ft_capture_set_open(const char *const *sources, size_t count,
                                           const struct ft_capture_set_options *options,
                                           char *error, size_t error_size);

/*
 * Read the next record. Returns 1, or 0 at the end of the whole set; then, and at any time before,
 * ft_capture_set_remark() has what there is to say.
 *
 * record->interface counts over all files, in the order in which interfaces first carry a packet.
 * Merged: the record with the least time stamp among the next ones of all files, of equal ones that
 * of the first source; order within a file is kept even where time goes backwards. Looped: the
 * second reading is later by the last time stamp minus the first plus the mean gap, and so on. Cost
 * beyond ft_capture_file_next(): merged, the logarithm of the number of files.
 */
int ft_capture_set_next(struct ft_capture_set *set, struct ft_capture_record *record);

/*
 * The next remark not yet taken, with its path at the front; NULL when there is none. Each is given
 * once (not again for each loop). Owned by the set until the close.
 */
const char *ft_capture_set_remark(struct ft_capture_set *set);

/*
 * Whether some of what the set names could not be read: a file was damaged before its end, reading
 * failed, or a file is gone since the set was opened. A torn last record and what is no capture in
 * a folder are not counted. Tells of the files that were read to their end.
 */
bool ft_capture_set_is_incomplete(const struct ft_capture_set *set);

/* Blocks, and stretches between blocks, left out of the middle of files; not again for each loop.
 */
uint64_t ft_capture_set_left_out(const struct ft_capture_set *set);

/* Bytes of all files times loops, for a progress display; 0 if not known because of a pipe. */
uint64_t ft_capture_set_size(const struct ft_capture_set *set);

/* Bytes read so far of those; merged, it looks at every file, so ask once a second, not per packet.
 */
uint64_t ft_capture_set_position(const struct ft_capture_set *set);

/* Number of captures in the set. */
/*
 * An interface by the index of a record; NULL if there is none. Its strings are copies owned by the
 * set: valid until the close, for any thread that learned of the index after the record was read.
 */
const struct ft_capture_interface *ft_capture_set_interface(const struct ft_capture_set *set,
                                                            uint32_t index);

/* Close all files and free; NULL is allowed. */
void ft_capture_set_close(struct ft_capture_set *set);

#endif
