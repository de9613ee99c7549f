/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sink `file`: a line for each event, in files that are turned over by size and age.
 *
 * A record counts as delivered when the file is synced. After a crash some may be in the file that
 * were not acknowledged: the last line that is whole says how far it came, by its event_uid, and
 * what is behind it is cut off.
 *
 * A file is locked as long as it may be written, as the one that a run without a journal writes is:
 * between two tries, too, so nobody else writes to it because a disk was full for a moment.
 */
#include "base/clock_ns.h"
#include "output/file_tail.h"
#include "output/kinds.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ROOM      (256u << 10)
#define BODY_SIZE (FT_JOURNAL_RECORD_MAX + 1024u)
#define TRIES     8 /* to lock a file that is turned over by others meanwhile */

struct file {
    const char *path;
    uint64_t max_bytes;
    uint32_t max_age_s, keep, mode;

    char full[PATH_MAX];
    int fd;          /* -1: none; a regular file stays open, and locked, while it is tried again */
    bool is_regular; /* no pipe, no device */
    uint64_t size;   /* of whole lines, synced */
    int64_t begun_s; /* by CLOCK_BOOTTIME, which nobody sets */
    char *room;
    uint32_t used;
};

/* clang-format off */
#define AT(member) offsetof(struct file, member)
static const struct ft_sink_key keys[] = {
    {.name = "path", .kind = FT_SINK_KEY_TEXT, .is_required = true, .is_destination = true, .low = 1, .high = 1024,
     .offset = AT(path), .standard = "none",
     .meaning = "the file, such as \"/var/log/fieldtap/eve.json\"; relative: in the folder of -l. "
                "While its folder is not there (yet), the sink is down and tries again"},
    {.name = "max_bytes", .kind = FT_SINK_KEY_LONG, .high = 1ull << 50, .offset = AT(max_bytes),
     .standard = "268435456", .meaning = "before a file gets longer, the next is begun; 0: never"},
    {.name = "max_age_s", .kind = FT_SINK_KEY_NUMBER, .high = 31622400, .offset = AT(max_age_s),
     .standard = "0", .meaning = "seconds after which the next file is begun; 0: never"},
    {.name = "keep", .kind = FT_SINK_KEY_NUMBER, .high = 1000, .offset = AT(keep), .standard = "8",
     .meaning = "older files that are kept: path.1 is the youngest of them"},
    {.name = "mode", .kind = FT_SINK_KEY_MODE, .offset = AT(mode), .standard = "\"0640\"",
     .meaning = "permissions of files"},
};
/* clang-format on */

static void file_init(void *state)
{
    struct file *f = state;
    f->max_bytes = 256u << 20;
    f->keep = 8;
    f->mode = 0640;
    f->fd = -1;
}

/* A folder that is not there may be mounted later: the sink is down until then. */
static bool can_be_file(const struct ft_sink *sink, const struct file *f)
{
    struct stat st;
    if (f->path[strlen(f->path) - 1] == '/')
        return false;
    if (*f->path != '/' && !sink->options->folder)
        return true; /* a check without -l */
    return stat(f->full, &st) < 0 ? errno != ENOTDIR : !S_ISDIR(st.st_mode);
}

static void file_check(struct ft_sink_reading *r, struct ft_sink *sink, void *state)
{
    struct file *f = state;
    /* room for ".1000" */
    if (!ft_sink_path(sink, f->path, f->full, sizeof(f->full) - 8))
        ft_sink_wrong(r, "path", "expected a shorter path");
    else if (!can_be_file(sink, f))
        ft_sink_wrong(r, "path", "expected the name of a file, not of a folder or below a file: %s",
                      f->full);
    if (f->max_bytes && f->max_bytes < 65536)
        ft_sink_wrong(r, "max_bytes", "expected 0 or at least 65536");
}

static void file_target(const struct ft_sink *sink, const void *state, char *to, size_t size)
{
    const struct file *f = state;
    (void)sink;
    snprintf(to, size, "%s", f->full);
}

static int64_t up_s(void)
{
    return (int64_t)(ft_clock_ns(CLOCK_BOOTTIME) / 1000000000u);
}

/* When the file was begun, as far as the file system knows it. What was begun in days that are yet
 * to come was so by another clock: long ago. */
static int64_t begin_of(int fd)
{
    struct statx x;
    if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &x) < 0 || !(x.stx_mask & STATX_BTIME))
        return up_s();
    int64_t age = time(NULL) - x.stx_btime.tv_sec;
    return age < 0 ? INT64_MIN / 2 : up_s() - age;
}

static void sync_folder(const char *path)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof(folder), "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash)
        *(slash == folder ? slash + 1 : slash) = 0;
    int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fsync(fd) < 0 && errno == EIO)
        errno = 0; /* a folder that cannot be synced is found in another place after a crash */
    close(fd);
}

/* file_check() left room for it. */
static void numbered(const struct file *f, uint32_t number, char to[PATH_MAX])
{
    size_t n = strlen(f->full);
    memcpy(to, f->full, n);
    snprintf(to + n, PATH_MAX - n, ".%u", number);
}

/* How far this file, or the one before it, came. */
static void resume(struct ft_sink *sink, struct file *f)
{
    const char *sensor = sink->options->sensor.name;
    struct ft_journal_stats stats;
    uint64_t sequence = ft_file_tail_sequence(f->fd, sensor);
    if (!sequence && f->keep) {
        char before[PATH_MAX];
        numbered(f, 1, before);
        int fd = open(before, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        sequence = fd >= 0 ? ft_file_tail_sequence(fd, sensor) : 0;
        if (fd >= 0)
            close(fd);
    }
    /* a number that the journal has not given yet is of another journal */
    ft_journal_stats(sink->journal, &stats);
    if (sequence < stats.next_sequence)
        sink->resume_through = sequence;
}

static void close_file(struct file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}

/* What is open is what the path names: not moved away, nor removed. */
static bool is_in_place(const struct file *f)
{
    struct stat here, there;
    return f->fd >= 0 && fstat(f->fd, &here) == 0 && stat(f->full, &there) == 0 &&
           here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/* Some file systems have no locks: then there is none. */
static bool lock_file(struct ft_sink *sink, struct file *f)
{
    if (flock(f->fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return true;
    close_file(f);
    return ft_sink_fail(sink, "%s is being written by another process: give each its own file",
                        f->full);
}

/* What a lock was got for may have been moved away by who had it. */
static bool open_file(struct ft_sink *sink, struct file *f)
{
    struct stat st;
    for (int i = 0; !is_in_place(f) && i < TRIES; i++) {
        close_file(f);
        f->fd =
            open(f->full, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, f->mode);
        if (f->fd < 0 && errno == ENXIO)
            return ft_sink_fail(sink, "%s: nobody reads the pipe", f->full);
        if (f->fd < 0 || fstat(f->fd, &st) < 0)
            return ft_sink_fail(sink, "%s: %s", f->full, strerror(errno));
        f->is_regular = S_ISREG(st.st_mode);
        if (!f->is_regular)
            return true;
        if (!lock_file(sink, f))
            return false;
    }
    return is_in_place(f) || ft_sink_fail(sink, "%s is moved away again and again", f->full);
}

static bool open_path(struct ft_sink *sink, struct file *f)
{
    struct stat st;
    if (!open_file(sink, f))
        return false;
    if (fstat(f->fd, &st) < 0)
        return ft_sink_fail(sink, "%s: %s", f->full, strerror(errno));
    f->size = (uint64_t)st.st_size;
    f->begun_s = st.st_size ? begin_of(f->fd) : up_s();
    if (!f->is_regular)
        return true;
    if (!st.st_size)
        sync_folder(f->full);
    return ft_file_tail_mend(f->fd, &f->size) ||
           ft_sink_fail(sink, "%s: the line that is torn cannot be cut off: %s", f->full,
                        strerror(errno));
}

static bool file_open(struct ft_sink *sink, void *state)
{
    struct file *f = state;
    if (!f->room && !(f->room = malloc(ROOM)))
        return ft_sink_fail(sink, "out of memory");
    f->used = 0;
    if (!open_path(sink, f))
        return false;
    if (f->is_regular && sink->may_resume && sink->body.format == FT_BODY_JSON)
        resume(sink, f);
    sink->syncs_cursor = f->is_regular && sink->body.format != FT_BODY_JSON;
    return true;
}

static void file_close(struct ft_sink *sink, void *state)
{
    struct file *f = state;
    if (!f->is_regular || ft_sink_is_stopping(sink))
        close_file(f);
}

static void file_free(void *state)
{
    struct file *f = state;
    close_file(f);
    free(f->room);
}

/* path.1 becomes path.2 and so on; the oldest goes. Killed in between, a number is missing. */
static bool turn_over(struct ft_sink *sink, struct file *f)
{
    char from[PATH_MAX], to[PATH_MAX];
    numbered(f, f->keep + 1, to);
    for (uint32_t i = f->keep; i > 0; i--) {
        numbered(f, i, from);
        if (i == f->keep)
            unlink(from);
        else
            rename(from, to);
        memcpy(to, from, sizeof(to));
    }
    if (f->keep ? rename(f->full, to) : unlink(f->full))
        return ft_sink_fail(sink, "%s: cannot be turned over: %s", f->full, strerror(errno));
    return open_path(sink, f);
}

static bool write_all(struct ft_sink *sink, struct file *f)
{
    for (uint32_t done = 0; done < f->used;) {
        ssize_t n = write(f->fd, f->room + done, f->used - done);
        if (n < 0 && errno == EAGAIN && ft_sink_wait(sink, f->fd, POLLOUT, 10000) == 1)
            continue;
        if (n < 0 && errno != EINTR)
            return false;
        done += n > 0 ? (uint32_t)n : 0;
    }
    return fdatasync(f->fd) == 0 || !f->is_regular;
}

/* Somebody removed it: what would be written is nowhere. One that was moved away is written until
 * SIGHUP, as who moves files expects. */
static bool is_removed(const struct file *f)
{
    struct stat st;
    return f->is_regular && fstat(f->fd, &st) == 0 && st.st_nlink == 0;
}

/* Write and sync what was collected; what cannot be is not left there by half. */
static bool flush(struct ft_sink *sink, struct file *f)
{
    if (!f->used)
        return true;
    if (is_removed(f)) {
        f->used = 0;
        close_file(f);
        ft_sink_tell(sink, FT_SINK_NOTICE_REMOVED, 0,
                     "The file %s of the sink %s was removed: a new one is begun.", f->full,
                     sink->name);
        return ft_sink_fail(sink, "%s was removed: a new one is begun", f->full);
    }
    if (!write_all(sink, f)) {
        ft_sink_fail(sink, "%s: %s", f->full, strerror(errno));
        if (f->is_regular && ftruncate(f->fd, (off_t)f->size) < 0)
            f->size = 0; /* it is looked at again when it is opened */
        f->used = 0;
        return false;
    }
    f->size += f->used;
    f->used = 0;
    return true;
}

/* Time for the next file, before `more` bytes? */
static bool is_full(const struct file *f, uint32_t more)
{
    uint64_t size = f->size + f->used;
    if (!f->is_regular || !size)
        return false;
    return (f->max_bytes && size + more > f->max_bytes) ||
           (f->max_age_s && up_s() - f->begun_s >= (int64_t)f->max_age_s);
}

static struct ft_sink_sent file_send(struct ft_sink *sink, void *state,
                                     struct ft_sink_record *records, uint32_t count)
{
    struct file *f = state;
    struct ft_sink_sent sent = {0}, synced = {0};
    char *body = f->room;
    for (uint32_t i = 0; i < count; i++) {
        bool ok = f->used + BODY_SIZE <= ROOM || flush(sink, f);
        body = f->room + f->used;
        uint32_t length = ok ? ft_sink_body(sink, &records[i], body, BODY_SIZE - 1) : 0;
        if (ok && length && is_full(f, length + 1)) {
            ok = flush(sink, f);
            if (ok)
                synced = sent;
            ok = ok && turn_over(sink, f);
            if (ok)
                memmove(f->room, body, length);
            body = f->room;
        }
        if (!ok) {
            synced.is_failed = true;
            return synced;
        }
        if (!f->used)
            synced = sent;
        if (length) {
            body[length] = '\n';
            f->used += length + 1;
            sent.bytes += length + 1;
        } else {
            ft_sink_fail(sink, "an event has no body of this format");
        }
        sent.done++;
        sent.refused += !length;
    }
    if (flush(sink, f))
        return sent;
    synced.is_failed = true;
    return synced;
}

const struct ft_sink_kind ft_sink_file = {
    .name = "file",
    .meaning = "a file of lines",
    .state_size = sizeof(struct file),
    .keys = keys,
    .key_count = sizeof(keys) / sizeof(keys[0]),
    .has_body = true,
    .batch = 1000,
    .init = file_init,
    .check_settings = file_check,
    .target = file_target,
    .open = file_open,
    .send = file_send,
    .close = file_close,
    .free = file_free,
};
