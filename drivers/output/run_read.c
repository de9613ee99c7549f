/* SPDX-License-Identifier: BSD-3-Clause */
/* A sink reads the journal: batches of records, what its filter leaves out, gaps, its cursor. */
#include "output/run.h"

#include <stdio.h>
#include <string.h>

#define ROOM_RECORD (FT_JOURNAL_RECORD_MAX + FT_SINK_LINE_SIZE)
#define READ_MAX    4096u /* records read before what was left out of them is acknowledged */

static void set_awake(struct ft_sink *s, struct ft_journal_reader *reader)
{
    pthread_mutex_lock(&s->lock);
    s->awake = reader;
    pthread_mutex_unlock(&s->lock);
}

bool ft_sink_open_reader(struct ft_sink *s)
{
    struct ft_journal_reader *reader =
        ft_journal_reader_open(s->journal, &s->where, s->error, sizeof(s->error));
    s->reader = reader;
    set_awake(s, reader);
    return reader != NULL;
}

/* For the next one, should the cursor not be on disk: the folder may be gone, or full. */
static void keep_place(struct ft_sink *s)
{
    struct ft_journal_reader_status status = ft_journal_reader_status(s->reader);
    s->where.start = FT_JOURNAL_START_SEQUENCE;
    s->where.start_sequence = status.acknowledged + 1;
    memcpy(s->where.start_numbers, status.numbers, sizeof(status.numbers));
}

void ft_sink_close_reader(struct ft_sink *s)
{
    struct ft_journal_reader *reader = s->reader;
    if (reader)
        keep_place(s);
    set_awake(s, NULL);
    s->reader = NULL;
    if (reader)
        ft_journal_reader_close(reader);
}

void ft_sink_free_records(struct ft_sink *s)
{
    for (uint32_t i = 0; i < s->count; i++)
        ft_forward_event_free(&s->records[i].event);
    s->count = s->first = 0;
}

void ft_sink_acknowledge(struct ft_sink *s, uint64_t through)
{
    if (through <= s->acknowledged)
        return;
    ft_journal_reader_ack(s->reader, through);
    s->acknowledged = through;
}

void ft_sink_rewind(struct ft_sink *s)
{
    ft_sink_free_records(s);
    s->flight_count = 0;
    s->through = 0;
    ft_sink_close_reader(s);
}

/* ---- a batch ---- */

static bool add_record(struct ft_sink *s, const void *line, uint32_t length, uint64_t through,
                       uint32_t *used, bool is_own)
{
    struct ft_sink_record *r = &s->records[s->count];
    const char *from = line;
    while (length && (from[length - 1] == '\n' || from[length - 1] == '\r'))
        length--;
    memset(r, 0, sizeof(*r));
    memcpy(s->room + *used, from, length);
    ft_forward_event_skim(&r->event, s->room + *used, length);
    if (!is_own && !ft_sink_filter_passes(&s->filter, &r->event)) {
        ft_forward_event_free(&r->event);
        return false;
    }
    r->through = through;
    r->is_own = is_own;
    *used += length;
    s->count++;
    return true;
}

static void add_gap(struct ft_sink *s, const struct ft_journal_item *gap, uint32_t *used)
{
    char line[FT_SINK_LINE_SIZE];
    uint32_t length = ft_sink_line_gap(s, gap, line);
    if (length)
        add_record(s, line, length, gap->last_sequence, used, true);
    if (gap->last_sequence <= s->counted_gap[gap->class])
        return; /* it was told before, and is sent again only */
    s->counted_gap[gap->class] = gap->last_sequence;
    pthread_mutex_lock(&s->lock);
    s->stats.missed += gap->count;
    pthread_mutex_unlock(&s->lock);
    ft_sink_tell(s, FT_SINK_NOTICE_MISSED, gap->count,
                 "The sink %s missed records that the journal could not keep, the last of class %s "
                 "(%s).",
                 s->name, ft_journal_class_name(gap->class), ft_journal_gap_name(gap->gap));
}

/* Milliseconds that reading may wait for the first record. */
static uint32_t patience(const struct ft_sink *s)
{
    if (ft_sink_is_stopping(s))
        return s->flight_count ? 20 : 0;
    return s->flight_count ? 50 : FT_SINK_IDLE_MS;
}

static uint32_t batch_of(const struct ft_sink *s)
{
    uint32_t tenth = s->max_rate / 10 ? s->max_rate / 10 : 1;
    return s->max_rate && tenth < s->batch ? tenth : s->batch;
}

bool ft_sink_read_batch(struct ft_sink *s)
{
    uint32_t used = 0, seen = 0, left_out = 0, batch = batch_of(s);
    uint64_t until = 0;
    while (s->count < batch && used + ROOM_RECORD <= FT_SINK_ROOM && seen < READ_MAX) {
        struct ft_journal_item item;
        uint64_t now = until ? ft_sink_now_ms() : 0;
        bool is_hurried = ft_sink_is_stopping(s);
        uint32_t wait = !seen                        ? patience(s)
                        : until > now && !is_hurried ? (uint32_t)(until - now)
                                                     : 0;
        ft_journal_reader_next(s->reader, &item, wait);
        if (item.kind == FT_JOURNAL_NOTHING || item.kind == FT_JOURNAL_END)
            break;
        if (!seen++)
            until = ft_sink_now_ms() + s->linger_ms;
        if (item.kind == FT_JOURNAL_GAP) {
            add_gap(s, &item, &used);
            s->through = item.last_sequence;
            continue;
        }
        s->through = item.sequence;
        if (item.sequence > s->resume_through &&
            !add_record(s, item.bytes, item.length, item.sequence, &used, false))
            left_out++;
    }
    if (left_out) {
        pthread_mutex_lock(&s->lock);
        s->stats.filtered += left_out;
        pthread_mutex_unlock(&s->lock);
    }
    return seen > 0;
}
