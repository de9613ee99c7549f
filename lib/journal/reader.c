/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Readers: the four series merged by sequence, as far as it is synced.
 *
 * A reader looks one record ahead in each series and gives the least. It may give what is at or
 * below the sequence that was published last: up to there each series has all that it will ever
 * have. The index of segments is looked at under the lock, the files are read without it; a file
 * that is gone when it is opened was removed, and the numbers of the records behind it tell how
 * many are missed.
 */
#include "journal/cursor.h"

#include "base/clock_ns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define OPEN_MAX  4096u /* records given and not acknowledged, whose numbers are remembered */
#define CURSOR_NS 1000000000ull
#define FAULTS    10u /* calls in which a place cannot be read before it counts as damaged */

/* One series. */
struct stream {
    struct ft_segment segment;
    struct ft_indexed row;  /* of the segment that is open */
    uint64_t behind;        /* first sequence of the last segment that was left; 0 = none */
    uint64_t expected;      /* number of the next record; 0 = not known yet */
    uint64_t last_sequence; /* of the last record or gap given */
    uint64_t exhausted;     /* generation of the journal in which there was no more */
    struct ft_segment_record record; /* the one ahead */
    bool has_record;
    bool is_wanted;
    bool has_fault; /* the file could not be read: nothing behind it is given before that is settled
                     */
    unsigned faults;                            /* in a row, at one place */
    bool was_damaged, was_missing, was_removed; /* what was seen before it */
};

/* Of a series, as last looked at: see struct ft_journal and struct ft_index. */
struct bounds {
    uint64_t next_number, removed_through, lost_through;
};

struct open_item {
    uint64_t sequence, number;
    enum ft_journal_class class;
};

struct ft_journal_reader {
    struct ft_journal *journal;
    struct ft_journal_reader *next; /* in the journal's list */
    char name[FT_JOURNAL_NAME_SIZE];
    struct stream streams[FT_JOURNAL_CLASSES];
    uint64_t generation, through; /* of the journal, as last looked at */
    uint64_t last;                /* the last sequence that is known there */
    struct bounds bounds[FT_JOURNAL_CLASSES];
    bool is_closed;
    uint64_t start; /* what is at or below it is passed over */
    bool is_woken;  /* under the journal's lock */

    struct open_item open[OPEN_MAX]; /* a ring */
    uint32_t open_first, open_count;

    struct ft_cursor cursor;
    uint64_t acknowledged_numbers[FT_JOURNAL_CLASSES];
    uint64_t cursor_ns; /* CLOCK_MONOTONIC of the last write that was tried */
    struct ft_journal_reader_status status;
};

/* ---- segments of a series ---- */

/* The first row behind segment `behind`; at the start the one that has `start` or is behind it. */
static bool find_next(struct ft_journal_reader *r, struct stream *t, struct ft_indexed *row)
{
    struct ft_journal *j = r->journal;
    bool is_found = false;
    pthread_mutex_lock(&j->lock);
    const struct ft_index *index = &j->index[t - r->streams];
    for (uint32_t i = 0; i < index->count && !is_found; i++) {
        const struct ft_indexed *at = &index->rows[i];
        if (at->first_sequence <= t->behind ||
            (r->start && at->is_closed && at->last_sequence <= r->start))
            continue;
        *row = *at;
        is_found = true;
        t->was_removed |= i == 0; /* whatever was before it is not there any more */
        t->was_missing |= at->is_behind_hole;
    }
    pthread_mutex_unlock(&j->lock);
    return is_found;
}

/* How far the segment that is open may be read by now. */
static bool look_again(struct ft_journal_reader *r, struct stream *t)
{
    struct ft_journal *j = r->journal;
    bool is_found = false;
    pthread_mutex_lock(&j->lock);
    const struct ft_index *index = &j->index[t - r->streams];
    for (uint32_t i = index->count; i-- > 0 && !is_found;)
        if (index->rows[i].first_sequence == t->row.first_sequence) {
            t->row = index->rows[i];
            is_found = true;
        }
    pthread_mutex_unlock(&j->lock);
    return is_found;
}

/* Open the next segment; false when there is none. */
static bool open_next(struct ft_journal_reader *r, struct stream *t)
{
    struct ft_indexed row;
    char name[64];
    while (find_next(r, t, &row)) {
        ft_journal_segment_name(name, (enum ft_journal_class)(t - r->streams), row.first_sequence);
        t->row = row;
        if (ft_segment_open(&t->segment, r->journal->folder, name)) {
            t->segment.skip_through = r->start;
            if (!row.is_closed && !t->segment.is_packed && row.data_bytes < t->segment.limit)
                t->segment.limit = row.data_bytes;
            return true;
        }
        t->behind = row.first_sequence;
        t->was_removed |= errno == ENOENT;
        t->was_damaged |= errno != ENOENT;
    }
    return false;
}

/* What could be read of the segment is read. True when there is more of it by now. */
static bool is_longer(struct ft_journal_reader *r, struct stream *t)
{
    uint64_t limit = t->segment.limit;
    struct stat st;
    if (t->row.is_closed || t->segment.is_packed || t->segment.has_footer)
        return false;
    if (look_again(r, t)) {
        if (t->row.data_bytes > limit)
            t->segment.limit = t->row.data_bytes;
    } else { /* removed while it was read: what is still open is read to its end */
        t->row.is_closed = true;
        if (fstat(t->segment.fd, &st) == 0 && (uint64_t)st.st_size > limit)
            t->segment.limit = (uint64_t)st.st_size;
    }
    return t->segment.limit > limit;
}

/* A whole record was read; true when it is one to give. */
static bool take_record(struct ft_journal_reader *r, struct stream *t)
{
    t->was_damaged |= t->segment.damaged > 0;
    t->segment.damaged = 0;
    if (t->record.head.sequence > r->start)
        return true;
    if (t->record.head.number >= t->expected) { /* acknowledged, and not known to the cursor */
        t->expected = t->record.head.number + 1;
        t->was_damaged = t->was_removed = t->was_missing = false;
    }
    return false;
}

/* Look one record ahead, if there is one. */
static void look_ahead(struct ft_journal_reader *r, struct stream *t)
{
    while (!t->has_record && t->exhausted != r->generation) {
        if (t->segment.fd < 0 && !open_next(r, t)) {
            t->exhausted = r->generation;
        } else if (ft_segment_next(&t->segment, &t->record)) {
            t->has_record = take_record(r, t);
            t->faults = 0;
        } else if (t->segment.error && t->faults < FAULTS) {
            t->has_fault = true;
            return;
        } else if (t->segment.error) {
            ft_segment_pass_fault(&t->segment, true);
        } else if (is_longer(r, t)) {
            continue;
        } else if (!t->row.is_closed && !t->segment.is_packed && !t->segment.has_footer) {
            t->exhausted = r->generation; /* it is still being written */
        } else {
            t->was_damaged |=
                t->segment.damaged || (t->segment.is_packed && !t->segment.has_footer);
            t->behind = t->row.first_sequence;
            ft_segment_close(&t->segment);
        }
    }
}

/* ---- giving ---- */

static void remember(struct ft_journal_reader *r, enum ft_journal_class class, uint64_t sequence,
                     uint64_t number)
{
    if (r->open_count == OPEN_MAX) {
        r->open_first = (r->open_first + 1) % OPEN_MAX;
        r->open_count--;
    }
    r->open[(r->open_first + r->open_count++) % OPEN_MAX] =
        (struct open_item){sequence, number, class};
}

static enum ft_journal_gap reason_of(const struct ft_journal_reader *r, const struct stream *t)
{
    const struct bounds *bounds = &r->bounds[t - r->streams];
    if (t->was_damaged)
        return FT_JOURNAL_GAP_DAMAGED;
    if (t->was_missing || t->expected <= bounds->lost_through)
        return FT_JOURNAL_GAP_MISSING;
    if (t->was_removed || t->expected <= bounds->removed_through)
        return FT_JOURNAL_GAP_REMOVED;
    return FT_JOURNAL_GAP_GIVEN_UP;
}

/* Records up to `number` are missing, the next one is not, or not known yet. */
static void give_gap(struct ft_journal_reader *r, struct stream *t, uint64_t number,
                     uint64_t last_sequence, struct ft_journal_item *item)
{
    enum ft_journal_class class = (enum ft_journal_class)(t - r->streams);
    *item = (struct ft_journal_item){.kind = FT_JOURNAL_GAP,
                                     .class = class,
                                     .gap = reason_of(r, t),
                                     .count = number - t->expected,
                                     .first_sequence = t->last_sequence + 1,
                                     .last_sequence = last_sequence};
    t->expected = number;
    t->last_sequence = last_sequence;
    t->was_damaged = t->was_removed = t->was_missing = false;
    r->status.skipped += item->count;
    remember(r, class, last_sequence, number - 1);
}

static void give_record(struct ft_journal_reader *r, struct stream *t, struct ft_journal_item *item)
{
    const struct ft_journal_record *head = &t->record.head;
    enum ft_journal_class class = (enum ft_journal_class)(t - r->streams);
    *item = (struct ft_journal_item){.kind = FT_JOURNAL_RECORD,
                                     .class = class,
                                     .type = (enum ft_journal_type)head->type,
                                     .severity = head->severity,
                                     .sequence = head->sequence,
                                     .number = head->number,
                                     .time_ns = head->time_ns,
                                     .bytes = t->record.raw + FT_JOURNAL_RECORD_HEAD,
                                     .length = head->length};
    t->has_record = false;
    t->expected = head->number + 1;
    t->last_sequence = head->sequence;
    t->was_damaged = t->was_removed = t->was_missing = false;
    r->status.records++;
    remember(r, class, head->sequence, head->number);
}

/* What could not be read is tried again once in each call. */
static bool face_faults(struct ft_journal_reader *r)
{
    bool has_fault = false;
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++) {
        struct stream *t = &r->streams[c];
        if (!t->has_fault)
            continue;
        has_fault = true;
        t->has_fault = false;
        t->faults++;
        ft_segment_pass_fault(&t->segment, false);
    }
    return has_fault;
}

/* The least of the records ahead, or the gap before it; false when none may be given yet. */
static bool give_next(struct ft_journal_reader *r, struct ft_journal_item *item)
{
    struct stream *least = NULL;
    bool has_fault = false;
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++) {
        struct stream *t = &r->streams[c];
        if (!t->is_wanted)
            continue;
        look_ahead(r, t);
        has_fault |= t->has_fault;
        if (t->has_record && (!least || t->record.head.sequence < least->record.head.sequence))
            least = t;
    }
    if (!least || least->record.head.sequence > r->through || has_fault)
        return false;
    if (least->expected && least->record.head.number > least->expected)
        give_gap(r, least, least->record.head.number, least->record.head.sequence - 1, item);
    else
        give_record(r, least, item);
    return true;
}

/* Nothing more is on disk up to `through`: what should be there and is not, is missing. */
static bool give_missing(struct ft_journal_reader *r, struct ft_journal_item *item)
{
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++) {
        struct stream *t = &r->streams[c];
        if (!t->is_wanted || t->has_record || t->has_fault || !t->expected ||
            r->bounds[c].next_number <= t->expected)
            continue;
        give_gap(r, t, r->bounds[c].next_number, r->last, item);
        return true;
    }
    return false;
}

/* ---- what is published ---- */

/* The lock is held. */
static bool refresh(struct ft_journal_reader *r)
{
    struct ft_journal *j = r->journal;
    if (r->generation == j->generation)
        return false;
    r->generation = j->generation;
    r->through = j->published;
    r->last = j->is_read_only ? j->next_sequence - 1 : j->published;
    r->is_closed = j->is_closed;
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++)
        r->bounds[c] = (struct bounds){.next_number = j->published_number[c],
                                       .removed_through = j->index[c].removed_through,
                                       .lost_through = j->index[c].lost_through};
    return true;
}

/* Wait until there is news; false when there was none or it was woken. */
static bool wait_for_news(struct ft_journal_reader *r, const struct timespec *until)
{
    struct ft_journal *j = r->journal;
    bool is_late = false;
    pthread_mutex_lock(&j->lock);
    bool is_new = refresh(r);
    while (!is_new && !r->is_woken && !is_late && !r->is_closed) {
        is_late = pthread_cond_timedwait(&j->news, &j->lock, until) == ETIMEDOUT;
        is_new = refresh(r);
    }
    if (!is_new)
        r->is_woken = false;
    pthread_mutex_unlock(&j->lock);
    return is_new;
}

static bool is_behind(const struct ft_journal_reader *r)
{
    return r->name[0] && !r->journal->is_read_only &&
           (!r->cursor.position.generation ||
            r->status.acknowledged != r->cursor.position.sequence);
}

static void follow(struct ft_journal_reader *r)
{
    if (is_behind(r) && ft_clock_ns(CLOCK_MONOTONIC) - r->cursor_ns >= CURSOR_NS)
        ft_journal_reader_sync(r);
}

void ft_journal_reader_next(struct ft_journal_reader *r, struct ft_journal_item *item,
                            uint32_t timeout_ms)
{
    struct timespec until = {0};
    face_faults(r);
    for (;;) {
        if (give_next(r, item))
            return;
        pthread_mutex_lock(&r->journal->lock);
        bool is_new = refresh(r);
        pthread_mutex_unlock(&r->journal->lock);
        if (is_new)
            continue;
        if (give_missing(r, item))
            return;
        follow(r);
        *item =
            (struct ft_journal_item){.kind = r->is_closed ? FT_JOURNAL_END : FT_JOURNAL_NOTHING};
        if (r->is_closed)
            return;
        if (!until.tv_sec)
            until = ft_journal_deadline(timeout_ms);
        if (!wait_for_news(r, &until))
            return;
    }
}

/* ---- acknowledging ---- */

bool ft_journal_reader_sync(struct ft_journal_reader *r)
{
    if (!is_behind(r))
        return true;
    r->cursor_ns = ft_clock_ns(CLOCK_MONOTONIC);
    if (ft_cursor_write(&r->cursor, r->journal, r->status.acknowledged, r->acknowledged_numbers))
        return true;
    pthread_mutex_lock(&r->journal->lock);
    r->journal->stats.cursor_faults++;
    pthread_mutex_unlock(&r->journal->lock);
    return false;
}

void ft_journal_reader_ack(struct ft_journal_reader *r, uint64_t sequence)
{
    while (r->open_count && r->open[r->open_first].sequence <= sequence) {
        const struct open_item *item = &r->open[r->open_first];
        r->acknowledged_numbers[item->class] = item->number + 1;
        r->open_first = (r->open_first + 1) % OPEN_MAX;
        r->open_count--;
    }
    if (sequence > r->status.acknowledged)
        r->status.acknowledged = sequence;
    follow(r);
}

void ft_journal_reader_wake(struct ft_journal_reader *r)
{
    pthread_mutex_lock(&r->journal->lock);
    r->is_woken = true;
    pthread_cond_broadcast(&r->journal->news);
    pthread_mutex_unlock(&r->journal->lock);
}

struct ft_journal_reader_status ft_journal_reader_status(const struct ft_journal_reader *r)
{
    struct ft_journal_reader_status status = r->status;
    status.lag = r->last > status.acknowledged ? r->last - status.acknowledged : 0;
    status.seen = r->last;
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++)
        if (r->streams[c].has_fault) /* there is more, and it cannot be read now */
            status.seen = status.acknowledged;
    memcpy(status.numbers, r->acknowledged_numbers, sizeof(status.numbers));
    return status;
}

uint64_t ft_journal_synced_through(struct ft_journal *j)
{
    pthread_mutex_lock(&j->lock);
    uint64_t through = j->published;
    pthread_mutex_unlock(&j->lock);
    return through;
}

/* ---- opening ---- */

static bool is_name(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    size_t n = strlen(name);
    return n && n < FT_JOURNAL_NAME_SIZE && strspn(name, allowed) == n;
}

/* Into the journal's list, unless there is one of this name. */
static bool enlist(struct ft_journal_reader *r)
{
    struct ft_journal *j = r->journal;
    bool is_free = true;
    pthread_mutex_lock(&j->lock);
    for (const struct ft_journal_reader *other = j->readers; other; other = other->next)
        is_free &= !r->name[0] || strcmp(other->name, r->name) != 0;
    if (is_free) {
        r->next = j->readers;
        j->readers = r;
        j->stats.readers++;
        refresh(r);
    }
    pthread_mutex_unlock(&j->lock);
    return is_free;
}

static void leave(struct ft_journal_reader *r)
{
    struct ft_journal *j = r->journal;
    pthread_mutex_lock(&j->lock);
    for (struct ft_journal_reader **at = &j->readers; *at; at = &(*at)->next)
        if (*at == r) {
            *at = r->next;
            j->stats.readers--;
            break;
        }
    pthread_mutex_unlock(&j->lock);
}

static void set_expected(struct ft_journal_reader *r, const uint64_t *numbers)
{
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++) {
        r->streams[c].expected = r->acknowledged_numbers[c] = numbers[c];
        r->streams[c].last_sequence = r->start;
    }
}

/* Of the oldest records that are there now: who begins with them is told what is removed before it
 * comes to read it. */
static void find_oldest(const struct ft_journal_reader *r, uint64_t *numbers)
{
    struct ft_journal *j = r->journal;
    pthread_mutex_lock(&j->lock);
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++)
        numbers[c] =
            j->index[c].count ? j->index[c].rows[0].first_number : r->bounds[c].next_number;
    pthread_mutex_unlock(&j->lock);
}

static void set_start(struct ft_journal_reader *r, const struct ft_journal_reader_options *o)
{
    uint64_t numbers[FT_JOURNAL_CLASSES] = {0};
    if (r->name[0])
        r->status.cursor = ft_cursor_open(&r->cursor, r->journal, r->name);
    if (r->status.cursor == FT_JOURNAL_CURSOR_DAMAGED) {
        find_oldest(r, numbers);
    } else if (r->status.cursor != FT_JOURNAL_CURSOR_NEW) {
        r->start = r->cursor.position.sequence;
        memcpy(numbers, r->cursor.position.numbers, sizeof(numbers));
    } else if (o->start == FT_JOURNAL_START_OLDEST) {
        find_oldest(r, numbers);
    } else if (o->start == FT_JOURNAL_START_NEWEST) {
        r->start = r->last;
        for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++)
            numbers[c] = r->bounds[c].next_number;
    } else if (o->start == FT_JOURNAL_START_SEQUENCE && o->start_sequence) {
        r->start = o->start_sequence - 1;
        memcpy(numbers, o->start_numbers, sizeof(numbers));
    }
    set_expected(r, numbers);
    r->status.acknowledged = r->start;
}

static struct ft_journal_reader *make(struct ft_journal *j,
                                      const struct ft_journal_reader_options *o)
{
    struct ft_journal_reader *r = calloc(1, sizeof(*r));
    bool is_made = r;
    if (!r)
        return NULL;
    r->journal = j;
    if (o->name)
        strcpy(r->name, o->name);
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++) {
        r->streams[c].is_wanted = !o->classes || (o->classes >> c & 1);
        is_made &= ft_segment_init(&r->streams[c].segment);
        r->streams[c].segment.read = j->disk.read;
    }
    if (is_made)
        return r;
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++)
        ft_segment_free(&r->streams[c].segment);
    free(r);
    return NULL;
}

static void destroy(struct ft_journal_reader *r)
{
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++)
        ft_segment_free(&r->streams[c].segment);
    free(r);
}

struct ft_journal_reader *ft_journal_reader_open(struct ft_journal *j,
                                                 const struct ft_journal_reader_options *options,
                                                 char *error, size_t error_size)
{
    if (options->name && !is_name(options->name)) {
        ft_journal_say(error, error_size,
                       "\"%s\" is no name of a reader: 1 to %u letters, digits, - and _",
                       options->name, FT_JOURNAL_NAME_SIZE - 1);
        return NULL;
    }
    struct ft_journal_reader *r = make(j, options);
    if (!r) {
        ft_journal_say(error, error_size, "out of memory");
        return NULL;
    }
    if (!enlist(r)) {
        ft_journal_say(error, error_size, "the journal has a reader %s already", r->name);
        destroy(r);
        return NULL;
    }
    set_start(r, options);
    ft_journal_reader_sync(r); /* from now on, even if the sensor is killed before it reads */
    return r;
}

void ft_journal_reader_close(struct ft_journal_reader *r)
{
    if (!r)
        return;
    ft_journal_reader_sync(r);
    leave(r);
    destroy(r);
}
