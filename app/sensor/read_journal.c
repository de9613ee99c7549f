/* SPDX-License-Identifier: BSD-3-Clause */
/* --read-journal: the events of a journal, and whether it is whole. */
#include "read_journal.h"

#include "base/say.h"
#include "journal/journal.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

/* That it was not closed, and the tail of a segment, belong to a sensor that runs or was killed. */
static void say(void *user, const struct ft_journal_report *report)
{
    bool *is_damaged = user;
    if (report->finding == FT_JOURNAL_FOUND_UNCLEAN || report->finding == FT_JOURNAL_FOUND_TORN)
        return;
    *is_damaged = true;
    ft_say("fieldtap", "%s", report->text);
}

static void say_gap(const struct ft_journal_item *gap)
{
    fprintf(stderr, "fieldtap: %llu events of the class %s are missing, from %llu to %llu: %s\n",
            (unsigned long long)gap->count, ft_journal_class_name(gap->class),
            (unsigned long long)gap->first_sequence, (unsigned long long)gap->last_sequence,
            ft_journal_gap_name(gap->gap));
}

static void print(struct ft_journal_reader *reader)
{
    struct ft_journal_item item;
    for (;;) {
        ft_journal_reader_next(reader, &item, 0);
        if (item.kind == FT_JOURNAL_END || item.kind == FT_JOURNAL_NOTHING || ferror(stdout))
            return;
        if (item.kind == FT_JOURNAL_GAP) {
            say_gap(&item);
            continue;
        }
        fwrite(item.bytes, 1, item.length, stdout);
        putchar('\n');
    }
}

static int fail(const char *error)
{
    fprintf(stderr, "fieldtap: %s\n", error);
    return 1;
}

/* Opening a folder to read asks for nothing in it, as a sensor that starts does. */
static bool has_files(struct ft_journal *journal, const char *folder)
{
    struct ft_journal_stats stats;
    char path[PATH_MAX];
    uint64_t segments = 0;
    ft_journal_stats(journal, &stats);
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++)
        segments += stats.classes[c].segments;
    snprintf(path, sizeof(path), "%s/state", folder);
    return segments || access(path, F_OK) == 0;
}

int read_journal(const char *folder)
{
    char error[512];
    struct ft_journal_verified verified;
    bool is_damaged = false;
    const struct ft_journal_options options = {.folder = folder, .is_read_only = true};
    const struct ft_journal_reader_options from = {.start = FT_JOURNAL_START_OLDEST};
    struct ft_journal *journal = ft_journal_open(&options, error, sizeof(error));
    if (!journal)
        return fail(error);
    if (!has_files(journal, folder)) {
        ft_journal_close(journal, 0, NULL);
        snprintf(error, sizeof(error), "%s is no journal: no file in it is one of a journal's",
                 folder);
        return fail(error);
    }
    struct ft_journal_reader *reader = ft_journal_reader_open(journal, &from, error, sizeof(error));
    if (reader) {
        print(reader);
        ft_journal_reader_close(reader);
    }
    ft_journal_close(journal, 0, NULL);
    if (!reader || !ft_journal_verify(folder, say, &is_damaged, &verified, error, sizeof(error)))
        return fail(error);
    return is_damaged ? 1 : 0;
}
