/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A forward-moving window over the bytes of a file, a pipe or a block of memory: what the readers
 * of the capture formats stand on. They ask for n bytes in one piece and get a pointer or NULL;
 * nothing of theirs sees file offsets, short reads or the end of a buffer.
 *
 * Why pread into a window and not mmap: a mapped file that somebody truncates while it is read
 * raises SIGBUS, and no handler turns that into a clean end of a capture; and mapping is not
 * faster. Medians of 7 interleaved runs over 400 MB of pcap in the page cache, one core of a shared
 * machine: packets of 64 bytes 63 Mpps with pread, 66 with mmap; of 1400 bytes 9.1 with pread, 6.3
 * with mmap.
 *
 * Private to drivers/capture. One thread at a time per source.
 */
#ifndef FT_CAPTURE_SOURCE_H
#define FT_CAPTURE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that can be asked for in one piece: the largest record (256 KiB) with its header and as
 * many bytes of options again. Nothing is ever allocated above it, whatever a length field says. */
#define FT_SOURCE_NEED_MAX ((size_t)512 * 1024)

/* Bytes read by one system call, once a source has proved to be long. In the measurement above 128
 * KiB to 4 MiB differ little; from 1 MiB on longer packets gain nothing more. */
#define FT_SOURCE_WINDOW ((size_t)1024 * 1024)

struct ft_source {
    uint8_t *window;   /* the bytes at hand */
    size_t at;         /* next byte to be consumed, an index into the window */
    size_t filled;     /* bytes in the window */
    size_t capacity;   /* bytes allocated for it; 0 for memory, which is not ours */
    size_t window_max; /* the window grows up to this, more only for one large piece */
    uint64_t offset;   /* position of window[0], counted from the first byte of the capture */
    uint64_t size;     /* of the whole capture in bytes when it was opened; 0 if not known */
    uint64_t
        start; /* where the capture begins in a seekable file (standard input may have moved) */
    int fd;    /* -1 for memory */
    int error; /* errno that ended the reading, or 0 */
    bool is_borrowed; /* standard input: not ours to close */
    bool is_seekable; /* a regular file or memory: it has a size and can be rewound */
    bool is_at_end;   /* no byte follows those in the window */
};

/*
 * Open a path, or "-" for standard input. Blocks on a FIFO until somebody writes to it.
 * window_max: upper bound of the buffer in bytes, FT_SOURCE_WINDOW unless many are open at once.
 * Returns 0 or an errno (EISDIR for a directory); close after 0 only.
 */
int ft_source_open(struct ft_source *source, const char *path, size_t window_max);

/* Read from memory that the caller keeps unchanged until the close. */
void ft_source_open_memory(struct ft_source *source, const void *data, size_t size);

/* Release the buffer and the descriptor (standard input stays open). */
void ft_source_close(struct ft_source *source);

/* Go back to the first byte. Returns false on a pipe. */
bool ft_source_rewind(struct ft_source *source);

/* The slow path of ft_source_need(): move the rest to the front and read more. */
bool ft_source_fill(struct ft_source *source, size_t size);

/*
 * Consume size bytes without looking at them. Going beyond the end is seen by the next need(),
 * which then finds nothing; returns false where the end was met here already.
 */
bool ft_source_skip(struct ft_source *source, uint64_t size);

/*
 * The next size bytes (at most FT_SOURCE_NEED_MAX) in one piece, not consumed; NULL if fewer follow
 * or the reading failed. Valid until the next need() or skip() beyond these bytes.
 */
static inline const uint8_t *ft_source_need(struct ft_source *source, size_t size)
{
    if (source->filled - source->at < size && !ft_source_fill(source, size)) {
        return NULL;
    }
    return source->window + source->at;
}

/* Consume bytes that need() gave. */
static inline void ft_source_advance(struct ft_source *source, size_t size)
{
    source->at += size;
}

/* Bytes at hand; after need() failed: all that is left of the capture. */
static inline size_t ft_source_rest(const struct ft_source *source)
{
    return source->filled - source->at;
}

/* Bytes consumed so far. */
static inline uint64_t ft_source_position(const struct ft_source *source)
{
    return source->offset + source->at;
}

#endif
