/* SPDX-License-Identifier: BSD-3-Clause */
/* Cursors: see cursor.h. */
#include "journal/cursor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum ft_journal_cursor ft_cursor_open(struct ft_cursor *cursor, const struct ft_journal *j,
                                      const char *name)
{
    uint8_t bytes[2 * FT_JOURNAL_SECTOR] = {0};
    struct ft_journal_position p;
    unsigned good = 0;
    snprintf(cursor->file, sizeof(cursor->file), "cursor-%s", name);
    memset(&cursor->position, 0, sizeof(cursor->position));
    int file = openat(j->folder, cursor->file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0)
        return errno == ENOENT ? FT_JOURNAL_CURSOR_NEW : FT_JOURNAL_CURSOR_DAMAGED;
    ssize_t n = pread(file, bytes, sizeof(bytes), 0); /* the first generation is alone */
    close(file);
    for (unsigned i = 0; i < 2; i++) {
        if (!ft_journal_get_position(bytes + i * FT_JOURNAL_SECTOR, &p))
            continue;
        good++;
        if (p.generation > cursor->position.generation)
            cursor->position = p;
    }
    if (!good)
        return n == 0 ? FT_JOURNAL_CURSOR_NEW : FT_JOURNAL_CURSOR_DAMAGED;
    bool is_newest = good == 2 || (cursor->position.generation == 1 && n <= FT_JOURNAL_SECTOR);
    return is_newest ? FT_JOURNAL_CURSOR_RESUMED : FT_JOURNAL_CURSOR_OLDER;
}

bool ft_cursor_write(struct ft_cursor *cursor, struct ft_journal *j, uint64_t sequence,
                     const uint64_t numbers[FT_JOURNAL_CLASSES])
{
    struct ft_journal_position p = {.generation = cursor->position.generation + 1,
                                    .sequence = sequence};
    uint8_t bytes[FT_JOURNAL_SECTOR] = {0};
    memcpy(p.numbers, numbers, sizeof(p.numbers));
    ft_journal_put_position(bytes, &p);
    int file = j->disk.open(j->folder, cursor->file,
                            O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, j->file_mode);
    if (file < 0)
        return false;
    bool is_done = ft_journal_write_all(j, file, bytes, sizeof(bytes),
                                        p.generation % 2 ? 0 : FT_JOURNAL_SECTOR) &&
                   j->disk.sync(file) == 0 && (p.generation > 1 || j->disk.sync(j->folder) == 0);
    int reason = errno;
    close(file);
    if (is_done)
        cursor->position = p;
    errno = reason;
    return is_done;
}
