/* SPDX-License-Identifier: BSD-3-Clause */
/* Proving a folder: every checksum, every hash, every link. */
#include "journal/internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct proof {
    ft_journal_report_fn *report;
    void *user;
    struct ft_journal_verified *sum;
};

static void note(void *user, const struct ft_journal_report *report)
{
    struct proof *proof = user;
    /* That it was not closed or is still being written is nothing wrong. */
    if (report->finding != FT_JOURNAL_FOUND_UNCLEAN)
        proof->sum->findings++;
    if (proof->report)
        proof->report(proof->user, report);
}

static void check_hash(struct ft_journal *j, struct ft_segment *s, const char *name)
{
    uint8_t hash[FT_JOURNAL_HASH];
    if (ft_segment_hash(s, s->footer.data_bytes, hash) &&
        !memcmp(hash, s->footer.hash, FT_JOURNAL_HASH))
        return;
    ft_journal_tell(j, FT_JOURNAL_FOUND_HASH, name, 0, s->footer.data_bytes,
                    "%s is not what its footer says: it was changed or damaged", name);
}

/* Segments without a footer were read when the folder was opened, and told about then. */
static void check_segment(struct ft_journal *j, struct ft_segment *s, enum ft_journal_class class,
                          const struct ft_indexed *row, struct ft_journal_verified *sum)
{
    char name[64];
    struct ft_segment_record r;
    struct ft_journal_footer footer;
    ft_journal_segment_name(name, class, row->first_sequence);
    if (!ft_segment_open(s, j->folder, name)) {
        ft_journal_tell(j, FT_JOURNAL_FOUND_UNREADABLE, name, 0, 0, "%s cannot be opened: %s", name,
                        strerror(errno));
        return;
    }
    bool is_closed = ft_segment_read_footer(s, &footer);
    sum->segments++;
    sum->closed += is_closed;
    sum->bytes += s->limit;
    s->hashes = true;
    while (ft_segment_next(s, &r))
        sum->records++;
    if (!is_closed)
        return;
    if (s->damaged)
        ft_journal_tell(j, FT_JOURNAL_FOUND_DAMAGED, name, s->damaged_at, s->damaged,
                        "%s: %llu bytes are damaged, the first at %llu", name,
                        (unsigned long long)s->damaged, (unsigned long long)s->damaged_at);
    check_hash(j, s, name);
}

bool ft_journal_verify(const char *folder, ft_journal_report_fn *report, void *user,
                       struct ft_journal_verified *verified, char *error, size_t error_size)
{
    struct proof proof = {report, user, verified};
    struct ft_journal_options options = {
        .folder = folder, .is_read_only = true, .report = note, .user = &proof};
    struct ft_segment s;
    memset(verified, 0, sizeof(*verified));
    struct ft_journal *j = ft_journal_open(&options, error, error_size);
    if (!j)
        return false;
    bool has_memory = ft_segment_init(&s);
    j->report = note;
    for (unsigned c = 0; has_memory && c < FT_JOURNAL_CLASSES; c++)
        for (uint32_t i = 0; i < j->index[c].count; i++)
            check_segment(j, &s, (enum ft_journal_class)c, &j->index[c].rows[i], verified);
    ft_segment_free(&s);
    ft_journal_close(j, 0, NULL);
    return has_memory || ft_journal_say(error, error_size, "out of memory");
}
