/* SPDX-License-Identifier: BSD-3-Clause */
/* What is in the folder: the index of segments, and what a run that did not end well left behind.
 */
#include "journal/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void ft_journal_tell(struct ft_journal *j, enum ft_journal_finding finding, const char *file,
                     uint64_t offset, uint64_t bytes, const char *format, ...)
{
    char text[256];
    struct ft_journal_report report = {finding, file, offset, bytes, text};
    va_list arguments;
    if (!j->report)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    j->report(j->user, &report);
}

/* ---- the index ---- */

struct ft_indexed *ft_journal_index_add(struct ft_index *index, const struct ft_indexed *row)
{
    if (index->count == index->room) {
        uint32_t room = index->room ? 2 * index->room : 64;
        struct ft_indexed *rows = realloc(index->rows, room * sizeof(*rows));
        if (!rows)
            return NULL;
        index->rows = rows;
        index->room = room;
    }
    uint32_t at = index->count++;
    for (; at && index->rows[at - 1].first_sequence > row->first_sequence; at--)
        index->rows[at] = index->rows[at - 1];
    index->rows[at] = *row;
    return &index->rows[at];
}

void ft_journal_index_remove(struct ft_index *index, uint32_t at)
{
    index->count--;
    memmove(index->rows + at, index->rows + at + 1, (index->count - at) * sizeof(*index->rows));
}

/* ---- one segment ---- */

/* Read all of a segment that has no footer at its end. */
static void scan(struct ft_journal *j, struct ft_segment *s, const char *name,
                 struct ft_indexed *row)
{
    struct ft_segment_record r;
    while (ft_segment_next(s, &r)) {
        if (!row->count++)
            row->first_number = r.head.number;
        if (r.head.sequence > row->last_sequence)
            row->last_sequence = r.head.sequence;
        if (r.head.number > row->last_number)
            row->last_number = r.head.number;
        if (s->damaged)
            ft_journal_tell(j, FT_JOURNAL_FOUND_DAMAGED, name, s->damaged_at, s->damaged,
                            "%s: %llu bytes at %llu are damaged; what is behind them is read", name,
                            (unsigned long long)s->damaged, (unsigned long long)s->damaged_at);
        s->damaged = 0;
    }
    if (s->error)
        ft_journal_tell(j, FT_JOURNAL_FOUND_UNREADABLE, name, s->at, 0, "%s cannot be read: %s",
                        name, strerror(s->error));
    row->data_bytes = s->is_packed ? 0 : s->whole_end;
}

/* Cut what is behind the last whole record and write a footer. False when the disk does not let us;
 * then the segment is read as it is. */
static bool cut_and_close(struct ft_journal *j, struct ft_segment *s, const char *name,
                          struct ft_indexed *row)
{
    struct ft_journal_footer footer = {.count = row->count,
                                       .last_sequence = row->last_sequence,
                                       .last_number = row->last_number,
                                       .closed_ns = ft_journal_now(j),
                                       .data_bytes = row->data_bytes};
    uint8_t bytes[FT_JOURNAL_FOOTER];
    if (row->file_bytes > row->data_bytes)
        ft_journal_tell(
            j, FT_JOURNAL_FOUND_TORN, name, row->data_bytes, row->file_bytes - row->data_bytes,
            "%s was torn: %llu bytes behind the last whole record, at %llu, are cut off", name,
            (unsigned long long)(row->file_bytes - row->data_bytes),
            (unsigned long long)row->data_bytes);
    memcpy(footer.hash, row->hash, FT_JOURNAL_HASH);
    ft_journal_put_footer(bytes, &footer);
    int file = j->disk.open(j->folder, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0);
    if (file < 0)
        return false;
    bool is_done = ftruncate(file, (off_t)row->data_bytes) == 0 &&
                   ft_journal_write_all(j, file, bytes, sizeof(bytes), row->data_bytes) &&
                   j->disk.sync(file) == 0;
    close(file);
    if (is_done)
        row->file_bytes = row->data_bytes + sizeof(bytes);
    row->closed_ns = footer.closed_ns;
    row->stays_plain = s->has_header && is_done ? row->stays_plain : true;
    return is_done;
}

/* Made and never filled, or with a first record that is torn: to be removed. */
static bool is_unfilled(const struct ft_journal *j, const struct ft_indexed *row, bool is_newest)
{
    return is_newest && !row->count && !j->is_read_only &&
           row->file_bytes <= FT_JOURNAL_HEADER + FT_JOURNAL_RECORD_ROOM;
}

/* A segment without a footer that is right. Only the newest of a series may have been open. */
static void take_open(struct ft_journal *j, struct ft_segment *s, const char *name, bool is_newest,
                      struct ft_indexed *row)
{
    scan(j, s, name, row);
    if (s->has_footer) { /* right, but not where it should be, or damage behind it */
        row->closed_ns = s->footer.closed_ns;
        memcpy(row->hash, s->footer.hash, FT_JOURNAL_HASH);
    } else if (!s->is_packed) {
        if (!ft_segment_hash(s, row->data_bytes, row->hash))
            memset(row->hash, 0, FT_JOURNAL_HASH);
    }
    row->stays_plain = true;
    if (is_newest && !s->has_footer && !s->error && !s->is_packed && !j->is_read_only &&
        row->count) {
        row->stays_plain = false;
        cut_and_close(j, s, name, row);
    } else if (s->damaged && !s->error && !is_unfilled(j, row, is_newest)) {
        bool is_torn = is_newest && !s->has_footer;
        ft_journal_tell(j, is_torn ? FT_JOURNAL_FOUND_TORN : FT_JOURNAL_FOUND_DAMAGED, name,
                        s->damaged_at, s->damaged, "%s: the last %llu bytes, from %llu on, are %s",
                        name, (unsigned long long)s->damaged, (unsigned long long)s->damaged_at,
                        is_torn ? "no whole record" : "damaged or were cut off");
    }
}

static void note_header(struct ft_journal *j, const struct ft_segment *s, const char *name,
                        struct ft_indexed *row)
{
    if (s->has_header || s->limit < FT_JOURNAL_HEADER)
        return;
    ft_journal_tell(j, FT_JOURNAL_FOUND_DAMAGED, name, 0, FT_JOURNAL_HEADER,
                    "%s: the header is damaged; its records are read", name);
    row->stays_plain = true;
}

/* False when the file holds nothing that is to be kept in the index. */
static bool take_segment(struct ft_journal *j, struct ft_segment *s, enum ft_journal_class class,
                         bool is_newest, struct ft_indexed *row)
{
    char name[64];
    struct ft_journal_footer footer;
    ft_journal_segment_name(name, class, row->first_sequence);
    if (!ft_segment_open(s, j->folder, name)) {
        ft_journal_tell(j, FT_JOURNAL_FOUND_UNREADABLE, name, 0, 0, "%s cannot be opened: %s", name,
                        strerror(errno));
        return false;
    }
    row->is_closed = true;
    row->is_packed = s->is_packed;
    row->file_bytes = s->limit;
    if (s->has_header) {
        row->created_ns = s->header.created_ns;
        row->first_number = s->header.first_number;
        memcpy(row->previous, s->header.previous, FT_JOURNAL_HASH);
    }
    if (ft_segment_read_footer(s, &footer)) {
        row->count = footer.count;
        row->last_sequence = footer.last_sequence;
        row->last_number = footer.last_number;
        row->closed_ns = footer.closed_ns;
        row->data_bytes = footer.data_bytes;
        memcpy(row->hash, footer.hash, FT_JOURNAL_HASH);
        note_header(j, s, name, row);
        return true;
    }
    take_open(j, s, name, is_newest, row);
    if (row->count || !is_newest) /* else it is torn: never was it synced */
        note_header(j, s, name, row);
    if (s->error || !is_unfilled(j, row, is_newest))
        return row->count > 0;
    if (row->file_bytes && row->file_bytes != FT_JOURNAL_HEADER)
        ft_journal_tell(j, FT_JOURNAL_FOUND_TORN, name, 0, row->file_bytes,
                        "%s was torn in its first record: removed", name);
    unlinkat(j->folder, name, 0);
    return false;
}

/* ---- the folder ---- */

/* Names into the index; cursors for the greatest sequence that was acknowledged. */
static void note_cursor(struct ft_journal *j, const char *name)
{
    uint8_t bytes[2 * FT_JOURNAL_SECTOR];
    struct ft_journal_position p;
    int file = openat(j->folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t n = file < 0 ? -1 : read(file, bytes, sizeof(bytes));
    if (file >= 0)
        close(file);
    for (unsigned i = 0; i < 2; i++)
        if (n >= (ssize_t)(i * FT_JOURNAL_SECTOR + FT_JOURNAL_POSITION) &&
            ft_journal_get_position(bytes + i * FT_JOURNAL_SECTOR, &p) &&
            p.sequence > j->found_cursor)
            j->found_cursor = p.sequence;
}

static bool list(struct ft_journal *j)
{
    int again = openat(j->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = again < 0 ? NULL : fdopendir(again);
    struct dirent *entry;
    if (!folder) {
        if (again >= 0)
            close(again);
        return false;
    }
    while ((entry = readdir(folder))) {
        struct ft_indexed row = {0};
        enum ft_journal_class class;
        bool is_left;
        if (!strncmp(entry->d_name, "cursor-", 7))
            note_cursor(j, entry->d_name);
        else if (ft_journal_parse_name(entry->d_name, &class, &row.first_sequence, &is_left)) {
            if (!is_left)
                ft_journal_index_add(&j->index[class], &row);
            else if (!j->is_read_only)
                unlinkat(j->folder, entry->d_name, 0);
        }
    }
    closedir(folder);
    return true;
}

/* Links of a series: each header has the hash of the segment before. */
static void check_chain(struct ft_journal *j, enum ft_journal_class class)
{
    struct ft_index *index = &j->index[class];
    for (uint32_t i = 1; i < index->count; i++) {
        struct ft_indexed *row = &index->rows[i], *before = row - 1;
        char name[64];
        if (ft_journal_is_zero(row->previous) || ft_journal_is_zero(before->hash) ||
            !memcmp(row->previous, before->hash, FT_JOURNAL_HASH))
            continue;
        row->is_behind_hole = true;
        ft_journal_segment_name(name, class, row->first_sequence);
        ft_journal_tell(j, FT_JOURNAL_FOUND_CHAIN, name, 0, 0,
                        "%s does not follow the segment before it: one is missing or was changed",
                        name);
    }
}

/* The newest segment that was closed is known to the state file. */
static void check_newest(struct ft_journal *j, enum ft_journal_class class,
                         const struct ft_journal_saved *saved)
{
    const struct ft_index *index = &j->index[class];
    const uint8_t *hash = saved->series[class].hash;
    char name[64];
    if (ft_journal_is_zero(hash) || !index->count)
        return;
    for (uint32_t i = index->count; i-- > 0;)
        if (!memcmp(index->rows[i].hash, hash, FT_JOURNAL_HASH) ||
            !memcmp(index->rows[i].previous, hash, FT_JOURNAL_HASH))
            return;
    ft_journal_segment_name(name, class, index->rows[index->count - 1].first_sequence);
    ft_journal_tell(j, FT_JOURNAL_FOUND_CHAIN, name, 0, 0,
                    "the segment of %s behind %s is missing or was changed",
                    ft_journal_class_name(class), name);
}

static void take_series(struct ft_journal *j, struct ft_segment *s, enum ft_journal_class class)
{
    struct ft_index *index = &j->index[class];
    for (uint32_t i = 0; i < index->count;) {
        struct ft_indexed row = index->rows[i];
        if (take_segment(j, s, class, i + 1 == index->count, &row))
            index->rows[i++] = row;
        else
            ft_journal_index_remove(index, i);
    }
    check_chain(j, class);
}

/* Where to go on: above all that is on disk or was acknowledged, or may have been, and above what
 * is in use elsewhere: of a folder that is lost. */
static void set_numbers(struct ft_journal *j, bool is_known, const struct ft_journal_saved *saved)
{
    uint64_t last = j->found_cursor;
    bool is_empty = !last;
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++) {
        const struct ft_index *index = &j->index[c];
        uint64_t next_number =
            is_known && saved->series[c].next_number ? saved->series[c].next_number : 1;
        if (is_known)
            memcpy(j->series[c].previous, saved->series[c].hash, FT_JOURNAL_HASH);
        if (index->count) {
            const struct ft_indexed *row = &index->rows[index->count - 1];
            is_empty = false;
            last = row->last_sequence > last ? row->last_sequence : last;
            if (row->last_number >= next_number)
                next_number = row->last_number + 1;
            if (!ft_journal_is_zero(row->hash))
                memcpy(j->series[c].previous, row->hash, FT_JOURNAL_HASH);
        }
        j->queue.next_number[c] = next_number;
    }
    if (is_known && saved->is_clean && saved->next_sequence > last)
        last = saved->next_sequence - 1;
    else if (is_known && saved->reserved_through > last)
        last = saved->reserved_through;
    else if (!is_known && !is_empty)
        last += 1u << 20; /* as far as is reserved at a time */
    if (j->numbers_after > last) {
        last = j->numbers_after;
        ft_journal_tell(
            j, FT_JOURNAL_FOUND_USED, "state", 0, 0,
            "numbers go on after %llu: they are in use up to there, although the journal "
            "knows of none so high",
            (unsigned long long)last);
    }
    j->next_sequence = last + 1;
    j->queue.last_sequence = last;
}

static void tell_state(struct ft_journal *j, bool is_known, const struct ft_journal_saved *saved)
{
    bool is_empty = !j->found_cursor;
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++)
        is_empty &= !j->index[c].count;
    if (!is_known && !is_empty)
        ft_journal_tell(j, FT_JOURNAL_FOUND_STATE, "state", 0, 0,
                        "the file state is damaged or missing: numbers go on far above the last");
    if (is_known && !saved->is_clean)
        ft_journal_tell(j, FT_JOURNAL_FOUND_UNCLEAN, "state", 0, 0,
                        "the run before ended without closing the journal: what was not yet synced "
                        "is lost");
}

bool ft_journal_load(struct ft_journal *j, bool is_opening)
{
    struct ft_journal_saved saved;
    struct ft_segment s;
    bool is_known = ft_journal_read_saved(j, &saved);
    if (!ft_segment_init(&s)) {
        ft_segment_free(&s);
        return false;
    }
    bool is_listed = list(j);
    for (unsigned c = 0; is_listed && c < FT_JOURNAL_CLASSES; c++) {
        take_series(j, &s, (enum ft_journal_class)c);
        if (is_known && is_opening)
            check_newest(j, (enum ft_journal_class)c, &saved);
    }
    ft_segment_free(&s);
    if (is_listed && is_opening) {
        tell_state(j, is_known, &saved);
        set_numbers(j, is_known, &saved);
        if (is_known)
            j->saved = saved;
    }
    return is_listed;
}
