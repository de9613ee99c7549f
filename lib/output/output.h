/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where lines go: an append-only file, standard output, a keeper such as the journal, or nowhere.
 *
 * A reader of the file never sees half a line that stays half: lines are appended from one buffer;
 * what a full disk takes of a line is cut off again, or the line is finished before any other. When
 * the disk is full the sensor goes on; lines that find the buffer full too are counted as lost, and
 * writing resumes when there is room.
 *
 * One thread. No allocation after opening; one write(2) a mebibyte, or a flush.
 */
#ifndef FT_OUTPUT_H
#define FT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The longest line, with its newline. */
#define FT_OUTPUT_LINE_MAX (64u << 10)

struct ft_output;

/** What a line is, for who keeps it. */
struct ft_output_line {
    const char *event_type;
    uint64_t uid;     /**< the number in its event_uid */
    uint64_t time_ns; /**< UTC */
    uint8_t severity; /**< enum ft_severity; 0 = it has none */
};

/** Who takes lines instead of a file. Neither may wait. */
struct ft_output_keeper {
    /** The number that the next line gets. */
    uint64_t (*next)(void *user);
    /** Take a line of `length` bytes without its newline; false: it is given up. */
    bool (*keep)(void *user, const struct ft_output_line *line, const char *text, uint32_t length);
    void *user;
};

/**
 * Open a sink.
 * directory NULL: nowhere; "-": standard output; else directory/eve.json is opened for append, made
 * if needed with its directory, locked for this process, and a torn last line is cut off. NULL and
 * one sentence in `error` when that cannot be done: not writable, in use by another run, not a
 * file of lines.
 * The caller ignores SIGPIPE if standard output may be a pipe.
 */
struct ft_output *ft_output_open(const char *directory, char *error, size_t error_size);

/** One whose lines `keeper`, which is copied, takes as they are made. NULL: out of memory. */
struct ft_output *ft_output_keep(const struct ft_output_keeper *keeper);

/** The number that the next line gets from the keeper; 0 = there is none, lines number themselves.
 */
uint64_t ft_output_next(struct ft_output *out);

/** True when nothing is written, so that nothing need be encoded. */
bool ft_output_is_nowhere(const struct ft_output *out);

/** The last line of the file as it was opened, without newline; "" when there was none. */
const char *ft_output_last_line(const struct ft_output *out);

/**
 * Room for a line: FT_OUTPUT_LINE_MAX bytes in the buffer. NULL when the line is lost because the
 * disk takes nothing and the buffer is full; it is counted.
 */
char *ft_output_reserve(struct ft_output *out);

/** Append the line of `length` bytes, with its newline, that was written to the room reserved.
 * `line`: for the keeper, else it may be NULL. */
void ft_output_commit(struct ft_output *out, uint32_t length, const struct ft_output_line *line);

/** Count a line that could not be made. */
void ft_output_lose(struct ft_output *out);

/** Write what is in the buffer; tries again what failed before. A file that was removed meanwhile
 * is begun anew. */
void ft_output_flush(struct ft_output *out);

struct ft_output_status {
    uint64_t lines;      /**< given to the file or, not yet flushed, to the buffer */
    uint64_t lost;       /**< could not be written */
    uint64_t bytes;      /**< written */
    uint64_t failures;   /**< write calls that failed */
    uint64_t begun_anew; /**< files begun because the one before was removed */
    int error;           /**< errno of the last failure, 0 = none */
};
struct ft_output_status ft_output_status(const struct ft_output *out);

/**
 * Flush and close. False and one sentence in `error` when lines were lost, now or before. `status`
 * (may be NULL) is as it is at the end. Frees `out`.
 */
bool ft_output_close(struct ft_output *out, struct ft_output_status *status, char *error,
                     size_t error_size);

#endif
