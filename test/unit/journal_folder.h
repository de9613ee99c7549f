/* SPDX-License-Identifier: BSD-3-Clause */
/* For tests of the journal: folders of files, and records whose content follows from their number.
 */
#ifndef JOURNAL_FOLDER_H
#define JOURNAL_FOLDER_H

#include "journal/journal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static inline void make_folder(char path[64])
{
    strcpy(path,
           access("/dev/shm", W_OK) ? "/tmp/ft_journal_XXXXXX" : "/dev/shm/ft_journal_XXXXXX");
    if (!mkdtemp(path))
        abort();
}

static inline void each_file(const char *folder,
                             void (*visit)(const char *path, const char *name, void *user),
                             void *user)
{
    DIR *d = opendir(folder);
    struct dirent *e;
    char path[512];
    while (d && (e = readdir(d))) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        visit(path, e->d_name, user);
    }
    if (d)
        closedir(d);
}

static inline void unlink_visited(const char *path, const char *name, void *user)
{
    (void)name;
    (void)user;
    unlink(path);
}

static inline void empty_folder(const char *folder)
{
    each_file(folder, unlink_visited, NULL);
}

/* Also while somebody makes files in it. */
static inline void remove_folder(const char *folder)
{
    do
        empty_folder(folder);
    while (rmdir(folder) < 0 && access(folder, F_OK) == 0);
}

static inline uint8_t *read_whole(const char *path, size_t *size)
{
    struct stat st = {0};
    FILE *f = fopen(path, "r");
    *size = 0;
    if (f && fstat(fileno(f), &st) < 0)
        abort();
    uint8_t *bytes = malloc((size_t)st.st_size + 1);
    if (f && bytes)
        *size = fread(bytes, 1, (size_t)st.st_size, f);
    if (f)
        fclose(f);
    return bytes;
}

static inline void write_whole(const char *path, const void *bytes, size_t size)
{
    FILE *f = fopen(path, "w");
    if (!f || fwrite(bytes, 1, size, f) != size)
        abort();
    fclose(f);
}

static inline void copy_visited(const char *path, const char *name, void *user)
{
    char to[512];
    size_t size;
    uint8_t *bytes = read_whole(path, &size);
    snprintf(to, sizeof(to), "%s/%s", (const char *)user, name);
    write_whole(to, bytes, size);
    free(bytes);
}

/* What another machine would find if this one lost its power now, and all was written. */
static inline void copy_folder(const char *from, const char *to)
{
    empty_folder(to);
    each_file(from, copy_visited, (void *)(uintptr_t)to);
}

/* The type, severity and bytes of a record follow from its sequence. */
static inline enum ft_journal_type type_of(uint64_t sequence)
{
    return (enum ft_journal_type)(1 + sequence * 2654435761u % 9);
}

static inline uint32_t fill_record(uint64_t sequence, char *bytes, uint32_t room)
{
    uint32_t length =
        (uint32_t)snprintf(bytes, room, "{\"seq\":%llu,\"text\":\"", (unsigned long long)sequence);
    uint32_t more = (uint32_t)(sequence * 40503u % 61);
    if (length + more + 2 > room)
        more = 0;
    memset(bytes + length, 'a' + (int)(sequence % 26), more);
    memcpy(bytes + length + more, "\"}", 2);
    return length + more + 2;
}

static inline bool append_record(struct ft_journal *j, enum ft_journal_type type)
{
    char bytes[256];
    uint64_t sequence = ft_journal_next(j);
    uint32_t length = fill_record(sequence, bytes, sizeof(bytes));
    return ft_journal_append(j, type, sequence, (uint8_t)(1 + sequence % 4), sequence * 1000, bytes,
                             length);
}

static inline bool is_record_right(const struct ft_journal_item *item)
{
    char bytes[256];
    uint32_t length = fill_record(item->sequence, bytes, sizeof(bytes));
    return item->kind == FT_JOURNAL_RECORD && item->length == length &&
           !memcmp(item->bytes, bytes, length) && item->time_ns == item->sequence * 1000 &&
           item->severity == 1 + item->sequence % 4;
}

#endif
