/* SPDX-License-Identifier: BSD-3-Clause */
/* A forward-moving window over the bytes of a file, a pipe or a block of memory. */
#include "capture/source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* First allocation: a folder of a hundred thousand small captures is looked at without reading a
 * mebibyte of each. */
#define FIRST_WINDOW ((size_t)8 * 1024)
#define GROWTH       4

int ft_source_open(struct ft_source *source, const char *path, size_t window_max)
{
    struct stat status;

    *source = (struct ft_source){.fd = STDIN_FILENO, .window_max = window_max};
    source->is_borrowed = strcmp(path, "-") == 0;
    if (!source->is_borrowed) {
        source->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    }
    if (source->fd < 0) {
        return errno;
    }

    int error = 0;
    if (fstat(source->fd, &status) != 0) {
        error = errno;
    } else if (S_ISDIR(status.st_mode)) {
        error = EISDIR;
    }
    if (error != 0) {
        ft_source_close(source);
        return error;
    }

    off_t start = S_ISREG(status.st_mode) ? lseek(source->fd, 0, SEEK_CUR) : -1;
    if (start >= 0) {
        source->is_seekable = true;
        source->start = (uint64_t)start;
        source->size = status.st_size > start ? (uint64_t)(status.st_size - start) : 0;
        /* advice only: a refusal changes nothing */
        (void)posix_fadvise(source->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    return 0;
}

void ft_source_open_memory(struct ft_source *source, const void *data, size_t size)
{
    *source = (struct ft_source){
        .window = (uint8_t *)(uintptr_t)data,
        .filled = size,
        .size = size,
        .fd = -1,
        .is_seekable = true,
        .is_at_end = true,
    };
}

void ft_source_close(struct ft_source *source)
{
    if (source->capacity > 0) {
        free(source->window);
    }
    if (source->fd >= 0 && !source->is_borrowed) {
        close(source->fd);
    }
    source->window = NULL;
    source->fd = -1;
}

bool ft_source_rewind(struct ft_source *source)
{
    if (!source->is_seekable) {
        return false;
    }

    source->at = 0;
    if (source->fd < 0) {
        return true;
    }
    source->filled = 0;
    source->offset = 0;
    source->error = 0;
    source->is_at_end = false;
    return true;
}

/*
 * One read that gives at least one byte, 0 at the end and -1 on an error. A file is read again when
 * a signal interrupts it; a pipe is not, because a sensor that waits for `tcpdump -w -` must be
 * able to stop: handlers that mean "go on" are installed with SA_RESTART and never show up here.
 */
static ssize_t read_some(struct ft_source *source, uint8_t *to, size_t size)
{
    for (;;) {
        ssize_t got = source->is_seekable
                          ? pread(source->fd, to, size,
                                  (off_t)(source->start + source->offset + source->filled))
                          : read(source->fd, to, size);
        if (got >= 0) {
            return got;
        }
        if (errno == EAGAIN) {
            /* standard input may have been made non-blocking by whoever shares it */
            struct pollfd wait = {.fd = source->fd, .events = POLLIN};
            if (poll(&wait, 1, -1) >= 0) {
                continue;
            }
        }
        if (errno != EINTR || !source->is_seekable) {
            source->error = errno;
            return -1;
        }
    }
}

/* Make room for size bytes, and for more of them per read than last time up to window_max. */
static bool grow(struct ft_source *source, size_t size)
{
    size_t capacity = source->capacity == 0 ? FIRST_WINDOW : source->capacity * GROWTH;
    if (capacity > source->window_max) {
        capacity = source->window_max;
    }
    if (capacity < size) {
        capacity = size;
    }
    if (capacity <= source->capacity) {
        return true;
    }

    uint8_t *window = realloc(source->window, capacity);
    if (window == NULL) {
        source->error = ENOMEM;
        return false;
    }
    source->window = window;
    source->capacity = capacity;
    return true;
}

bool ft_source_fill(struct ft_source *source, size_t size)
{
    if (source->is_at_end || size > FT_SOURCE_NEED_MAX) {
        return false;
    }

    size_t rest = source->filled - source->at;
    if (source->at > 0) {
        memmove(source->window, source->window + source->at, rest);
        source->offset += source->at;
        source->at = 0;
        source->filled = rest;
    }

    bool is_ok = grow(source, size);
    while (is_ok && source->filled < size) {
        ssize_t got =
            read_some(source, source->window + source->filled, source->capacity - source->filled);
        is_ok = got > 0;
        source->filled += is_ok ? (size_t)got : 0;
    }
    source->is_at_end = !is_ok;
    return is_ok;
}

bool ft_source_skip(struct ft_source *source, uint64_t size)
{
    size_t rest = ft_source_rest(source);
    if (size <= rest) {
        source->at += (size_t)size;
        return true;
    }

    source->at = source->filled;
    size -= rest;
    if (source->fd >= 0 && source->is_seekable) {
        source->offset += source->filled + size;
        source->at = 0;
        source->filled = 0;
        return true;
    }
    while (size > 0) {
        size_t piece = size < FT_SOURCE_NEED_MAX ? (size_t)size : FT_SOURCE_NEED_MAX;
        /* one byte is asked for: the read brings what the pipe has, up to the window */
        if (ft_source_need(source, 1) == NULL) {
            return false;
        }
        if (piece > ft_source_rest(source)) {
            piece = ft_source_rest(source);
        }
        source->at += piece;
        size -= piece;
    }
    return true;
}
