/* SPDX-License-Identifier: BSD-3-Clause */
/* The folder of a journal: made, locked, made again; and the small state file in it. */
#include "journal/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

bool ft_journal_say(char *to, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(to, size, format, arguments);
    va_end(arguments);
    return false;
}

/* Who may read files may search the folder. */
static mode_t folder_mode(mode_t file_mode)
{
    return file_mode | (file_mode & 0444) >> 2;
}

/* So that a folder just made is there after a loss of power. */
static void sync_parent(const struct ft_journal *j)
{
    char *copy = strdup(j->path);
    int parent = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (parent >= 0) {
        j->disk.sync(parent);
        close(parent);
    }
    free(copy);
}

static bool open_path(struct ft_journal *j, int *folder, char *error, size_t size)
{
    if (!j->is_read_only && mkdir(j->path, folder_mode(j->file_mode)) == 0)
        sync_parent(j);
    else if (!j->is_read_only && errno != EEXIST)
        return ft_journal_say(error, size, "cannot make the folder %s: %s", j->path,
                              strerror(errno));
    *folder = open(j->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*folder < 0)
        return ft_journal_say(error, size, "cannot open the folder %s: %s", j->path,
                              strerror(errno));
    return true;
}

/* A file, since not every file system can lock a folder. It holds nothing and may stay. */
static bool lock_folder(struct ft_journal *j, int folder, int *file, char *error, size_t size)
{
    *file = openat(folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                   j->file_mode);
    if (*file < 0)
        return ft_journal_say(error, size, "cannot make %s/lock: %s", j->path, strerror(errno));
    if (flock(*file, LOCK_EX | LOCK_NB) == 0)
        return true;
    ft_journal_say(error, size,
                   errno == EWOULDBLOCK
                       ? "the journal %s is in use by another sensor: give each its own folder"
                       : "cannot lock the journal %s",
                   j->path);
    close(*file);
    return false;
}

bool ft_journal_open_folder(struct ft_journal *j, char *error, size_t size)
{
    int folder = -1, file = -1;
    if (!open_path(j, &folder, error, size))
        return false;
    if (!j->is_read_only && !lock_folder(j, folder, &file, error, size)) {
        close(folder);
        return false;
    }
    if (j->folder < 0) {
        j->folder = folder;
        j->lock_file = file;
        return true;
    }
    /* Readers use the number at this moment: it goes over to the new folder at once. */
    dup3(folder, j->folder, O_CLOEXEC);
    dup3(file, j->lock_file, O_CLOEXEC);
    close(folder);
    close(file);
    return true;
}

bool ft_journal_folder_is_gone(struct ft_journal *j)
{
    struct stat here, there;
    if (stat(j->path, &there) < 0)
        return errno == ENOENT || errno == ENOTDIR;
    return fstat(j->folder, &here) == 0 &&
           (here.st_dev != there.st_dev || here.st_ino != there.st_ino);
}

bool ft_journal_write_all(struct ft_journal *j, int fd, const void *data, size_t size,
                          uint64_t offset)
{
    for (size_t done = 0; done < size;) {
        ssize_t n =
            j->disk.write(fd, (const uint8_t *)data + done, size - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            if (n == 0)
                errno = ENOSPC;
            return false;
        }
        done += (size_t)n;
    }
    return true;
}

bool ft_journal_read_saved(struct ft_journal *j, struct ft_journal_saved *saved)
{
    uint8_t bytes[FT_JOURNAL_SAVED];
    int file = openat(j->folder, "state", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0)
        return false;
    ssize_t n = read(file, bytes, sizeof(bytes));
    close(file);
    return n == sizeof(bytes) && ft_journal_get_saved(bytes, saved);
}

bool ft_journal_write_saved(struct ft_journal *j, const struct ft_journal_saved *saved)
{
    uint8_t bytes[FT_JOURNAL_SAVED];
    ft_journal_put_saved(bytes, saved);
    int file = j->disk.open(j->folder, "state.new",
                            O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, j->file_mode);
    if (file < 0)
        return false;
    bool is_done =
        ft_journal_write_all(j, file, bytes, sizeof(bytes), 0) && j->disk.sync(file) == 0;
    int reason = errno;
    close(file);
    if (is_done) {
        is_done = renameat(j->folder, "state.new", j->folder, "state") == 0 &&
                  j->disk.sync(j->folder) == 0;
        reason = errno;
    }
    errno = reason;
    return is_done;
}
