/* SPDX-License-Identifier: BSD-3-Clause */
/* The append-only sink. */
#include "output/output.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER (1u << 20)

/* While the disk takes nothing, one line in so many that are lost tries it again; ticks do too. */
#define RETRY_LINES 4096u

struct ft_output {
    int fd;                         /* -1: nowhere, or to the keeper */
    struct ft_output_keeper keeper; /* keep NULL: none */
    bool is_regular;
    bool is_dead; /* the reader of the pipe is gone: nothing will ever be taken again */
    char *buffer;
    uint32_t length;  /* bytes in the buffer, whole lines */
    uint32_t partial; /* of those, bytes at the start that are written of a line not finished */
    uint32_t since_retry;
    uint64_t position; /* size of the file up to the last byte written */
    struct ft_output_status status;
    char *name;
    char *last_line;
};

static void say(char *error, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void say(char *error, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, size, format, arguments);
    va_end(arguments);
}

/* ---- opening ---- */

/* Offset behind the last newline before `end`; UINT64_MAX when a line would be longer than any of
 * ours, or on a read error. */
static uint64_t line_start(int fd, uint64_t end)
{
    char block[4096];
    for (uint64_t at = end; at > 0;) {
        uint64_t from = at > sizeof(block) ? at - sizeof(block) : 0;
        if (end - from > 2 * FT_OUTPUT_LINE_MAX ||
            pread(fd, block, at - from, (off_t)from) != (ssize_t)(at - from))
            return UINT64_MAX;
        const char *newline = memrchr(block, '\n', at - from);
        if (newline)
            return from + (uint64_t)(newline - block) + 1;
        at = from;
    }
    return 0;
}

/* Cut a torn last line off and keep the last whole one. */
static bool take_up(struct ft_output *out, char *error, size_t size)
{
    struct stat st;
    if (fstat(out->fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        say(error, size, "%s is not a regular file: move it away or give another directory",
            out->name);
        return false;
    }
    uint64_t end = line_start(out->fd, (uint64_t)st.st_size);
    if (end == UINT64_MAX) {
        say(error, size, "%s is not a file of JSON lines: move it away or give another directory",
            out->name);
        return false;
    }
    if (end < (uint64_t)st.st_size && ftruncate(out->fd, (off_t)end) < 0) {
        say(error, size, "cannot cut the torn last line of %s: %s", out->name, strerror(errno));
        return false;
    }
    out->position = end;
    uint64_t start = end ? line_start(out->fd, end - 1) : 0;
    size_t length = end && start != UINT64_MAX ? end - 1 - start : 0;
    out->last_line = calloc(1, length + 1);
    if (!out->last_line ||
        pread(out->fd, out->last_line, length, (off_t)start) != (ssize_t)length) {
        say(error, size, "cannot read the last line of %s", out->name);
        return false;
    }
    return true;
}

/* What the operator can do about it. */
static const char *advice(int reason)
{
    switch (reason) {
    case EACCES:
    case EPERM:
        return "give a directory that you may write to";
    case ENOSPC:
    case EDQUOT:
        return "free some of the disk or give another directory";
    default:
        return "give another directory";
    }
}

static void say_not_made(const char *directory, int reason, char *error, size_t size)
{
    struct stat st;
    char *copy = strdup(directory);
    const char *folder = copy ? dirname(copy) : "its folder";
    if (reason != ENOENT)
        say(error, size, "cannot make the directory %s: %s: %s", directory, strerror(reason),
            advice(reason));
    else if (stat(folder, &st) < 0)
        say(error, size, "cannot make the directory %s: %s does not exist: make that first",
            directory, folder);
    else
        say(error, size, "cannot make the directory %s: nothing can be made in %s: %s", directory,
            folder, advice(reason));
    free(copy);
}

/* Make the directory if it is not there; it has to be one that can be written to. */
static bool make_directory(const char *directory, char *error, size_t size)
{
    struct stat st;
    if (mkdir(directory, 0755) == 0)
        return true;
    if (errno != EEXIST) {
        say_not_made(directory, errno, error, size);
        return false;
    }
    if (stat(directory, &st) < 0)
        say(error, size, "%s is a link that leads nowhere: give a directory", directory);
    else if (!S_ISDIR(st.st_mode))
        say(error, size, "%s is a file and not a directory: give a directory", directory);
    else if (access(directory, W_OK | X_OK) < 0)
        say(error, size, "cannot write to %s: %s: %s", directory, strerror(errno), advice(errno));
    else
        return true;
    return false;
}

/* What is written at the end takes the place of a file: said now and not after hours of reading. */
static bool can_replace(const char *directory, char *error, size_t size)
{
    static const char *const names[] = {"assets.json", "stats.json", "rules.json"};
    char path[4096];
    struct stat st;
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (snprintf(path, sizeof(path), "%s/%s", directory, names[i]) < (int)sizeof(path) &&
            lstat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
            say(error, size, "%s is a directory: move it away or give another directory", path);
            return false;
        }
    }
    return true;
}

/* Not blocking, so that a pipe of that name is told about and not waited for. */
static int open_name(const struct ft_output *out)
{
    return open(out->name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0644);
}

static bool open_file(struct ft_output *out, const char *directory, char *error, size_t size)
{
    if (asprintf(&out->name, "%s/eve.json", directory) < 0) {
        out->name = NULL;
        say(error, size, "out of memory");
        return false;
    }
    if (!make_directory(directory, error, size) || !can_replace(directory, error, size))
        return false;
    out->fd = open_name(out);
    if (out->fd < 0) {
        say(error, size, "cannot open %s: %s: %s", out->name, strerror(errno),
            errno == EISDIR ? "move it away or give another directory" : advice(errno));
        return false;
    }
    if (flock(out->fd, LOCK_EX | LOCK_NB) < 0) {
        say(error, size,
            errno == EWOULDBLOCK
                ? "%s is being written by another run: give each run a directory of its own"
                : "%s cannot be locked: give another directory",
            out->name);
        return false;
    }
    out->is_regular = true;
    return take_up(out, error, size);
}

static void release(struct ft_output *out)
{
    if (out->fd >= 0 && out->is_regular)
        close(out->fd);
    free(out->buffer);
    free(out->name);
    free(out->last_line);
    free(out);
}

static struct ft_output *make(size_t buffer_size)
{
    struct ft_output *out = calloc(1, sizeof(*out));
    char *buffer = malloc(buffer_size);
    if (!out || !buffer) {
        free(out);
        free(buffer);
        return NULL;
    }
    out->buffer = buffer;
    out->fd = -1;
    return out;
}

struct ft_output *ft_output_keep(const struct ft_output_keeper *keeper)
{
    struct ft_output *out = make(FT_OUTPUT_LINE_MAX);
    if (out)
        out->keeper = *keeper;
    return out;
}

uint64_t ft_output_next(struct ft_output *out)
{
    return out->keeper.keep ? out->keeper.next(out->keeper.user) : 0;
}

struct ft_output *ft_output_open(const char *directory, char *error, size_t error_size)
{
    struct ft_output *out = make(BUFFER);
    if (!out) {
        say(error, error_size, "out of memory");
        return NULL;
    }
    bool is_open = true;
    if (directory && !strcmp(directory, "-")) {
        out->fd = STDOUT_FILENO;
        out->name = strdup("standard output");
    } else if (directory) {
        is_open = open_file(out, directory, error, error_size);
        if (!is_open && out->fd >= 0) {
            close(out->fd);
            out->fd = -1;
        }
    }
    if (is_open)
        return out;
    release(out);
    return NULL;
}

bool ft_output_is_nowhere(const struct ft_output *out)
{
    return out->fd < 0 && !out->keeper.keep;
}

const char *ft_output_last_line(const struct ft_output *out)
{
    return out->last_line ? out->last_line : "";
}

/* ---- writing ---- */

static uint32_t count_lines(const char *text, uint32_t length)
{
    uint32_t n = 0;
    for (const char *at = text; (at = memchr(at, '\n', length - (uint32_t)(at - text))); at++)
        n++;
    return n;
}

/* Take the written bytes out of the buffer. Where a line was torn: cut the file back, so that the
 * line is whole or not there; where that cannot be done the line is finished first of all. */
static void after_short_write(struct ft_output *out, uint32_t written)
{
    const char *newline = written ? memrchr(out->buffer, '\n', written) : NULL;
    uint32_t whole = newline ? (uint32_t)(newline - out->buffer) + 1 : 0;
    uint32_t torn = written - whole;
    if (torn && out->is_regular && out->position >= torn &&
        ftruncate(out->fd, (off_t)(out->position - torn)) == 0) {
        out->position -= torn;
        torn = 0;
    }
    out->length -= whole;
    memmove(out->buffer, out->buffer + whole, out->length);
    out->partial = torn;
}

static bool is_temporary(struct ft_output *out)
{
    if (errno == EINTR)
        return true;
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        return false;
    struct pollfd p = {.fd = out->fd, .events = POLLOUT};
    return poll(&p, 1, -1) >= 0 || errno == EINTR;
}

/* The file to write to from now on; -1 with errno. */
static int begin_anew(const struct ft_output *out, uint64_t *size)
{
    struct stat st;
    int fd = open_name(out);
    if (fd < 0)
        return -1;
    bool is_file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    if (is_file && flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *size = (uint64_t)st.st_size;
        return fd;
    }
    int reason = is_file ? errno : EEXIST;
    close(fd);
    errno = reason;
    return -1;
}

/* Somebody removed the file: what is written to it now nobody reads. A line that was begun in it
 * is still whole in the buffer. */
static bool follow_name(struct ft_output *out)
{
    struct stat st;
    if (!out->is_regular || fstat(out->fd, &st) < 0 || st.st_nlink)
        return true;
    int fd = begin_anew(out, &out->position);
    if (fd < 0) {
        out->status.failures++;
        out->status.error = errno;
        return false;
    }
    close(out->fd);
    out->fd = fd;
    out->partial = 0;
    out->status.begun_anew++;
    return true;
}

void ft_output_flush(struct ft_output *out)
{
    out->since_retry = 0;
    if (out->fd < 0 || out->is_dead || out->partial == out->length || !follow_name(out))
        return;
    uint32_t written = out->partial;
    while (written < out->length) {
        ssize_t n = write(out->fd, out->buffer + written, out->length - written);
        if (n > 0) {
            written += (uint32_t)n;
            out->position += (uint64_t)n;
            out->status.bytes += (uint64_t)n;
        } else if (n == 0 || !is_temporary(out)) {
            out->status.failures++;
            out->status.error = n == 0 ? ENOSPC : errno;
            out->is_dead = n < 0 && (errno == EPIPE || errno == EBADF);
            break;
        }
    }
    after_short_write(out, written);
}

char *ft_output_reserve(struct ft_output *out)
{
    if (out->fd < 0)
        return out->buffer;
    if (BUFFER - out->length >= FT_OUTPUT_LINE_MAX)
        return out->buffer + out->length;
    /* Full. The first lost line asks the disk, then every so many: it may have room again. */
    if (out->since_retry == 0 || out->since_retry >= RETRY_LINES || !out->status.error)
        ft_output_flush(out);
    if (BUFFER - out->length >= FT_OUTPUT_LINE_MAX)
        return out->buffer + out->length;
    out->since_retry++;
    ft_output_lose(out);
    return NULL;
}

void ft_output_commit(struct ft_output *out, uint32_t length, const struct ft_output_line *line)
{
    if (out->keeper.keep) {
        bool is_kept = out->keeper.keep(out->keeper.user, line, out->buffer, length - 1);
        out->status.lines += is_kept;
        out->status.lost += !is_kept;
        out->status.bytes += is_kept ? length : 0;
        return;
    }
    out->status.lines++;
    if (out->fd >= 0)
        out->length += length;
}

void ft_output_lose(struct ft_output *out)
{
    out->status.lost++;
}

struct ft_output_status ft_output_status(const struct ft_output *out)
{
    return out->status;
}

bool ft_output_close(struct ft_output *out, struct ft_output_status *status, char *error,
                     size_t error_size)
{
    ft_output_flush(out);
    uint32_t left = count_lines(out->buffer, out->length);
    if (out->fd >= 0) {
        out->status.lines -= left;
        out->status.lost += left;
    }
    bool is_whole = out->status.lost == 0;
    if (!is_whole && out->keeper.keep)
        say(error, error_size, "%llu of %llu lines found no room in the journal",
            (unsigned long long)out->status.lost,
            (unsigned long long)(out->status.lost + out->status.lines));
    else if (!is_whole && out->status.error)
        say(error, error_size, "%llu of %llu lines could not be written to %s: %s",
            (unsigned long long)out->status.lost,
            (unsigned long long)(out->status.lost + out->status.lines), out->name,
            strerror(out->status.error));
    else if (!is_whole)
        say(error, error_size, "%llu lines were too long to be written",
            (unsigned long long)out->status.lost);
    if (status)
        *status = out->status;
    release(out);
    return is_whole;
}
