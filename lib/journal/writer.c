/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The writer thread: takes records out of the queue, builds segments in memory, and brings them to
 * disk in steps ("syncs") that either succeed for all series or are done again.
 *
 * A series' buffer keeps everything since the last sync that succeeded. A failed fsync may have
 * dropped pages that the system then calls clean, so afterwards all of the buffer is written again,
 * not only synced again; and when the file itself is gone, the buffer becomes the start of a new
 * one. Readers are told of a sync when all series have it, so that the one order over all series
 * has no holes that fill up later.
 */
#include "journal/internal.h"

#include "base/clock_ns.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MS            1000000ull
#define DAY           (86400ull * 1000 * MS)
#define BUFFER        (4u << 20)   /* of each series; full, it is synced */
#define RESERVE       (1ull << 20) /* sequences reserved at a time */
#define GROUP         (1u << 20)   /* bytes for which a sync of urgent records waits, ... */
#define GROUP_NS      (20 * MS)    /* ... but not longer, while there is more in the queue */
#define IDLE_MS       100u         /* a trickle of records is fetched so often */
#define BACK_OFF_MAX  5000u
#define BACK_OFF_FROM 50u
#define PATIENCE_MS   200u /* a disk that is full for longer is given room */

bool ft_journal_series_init(struct ft_series *s)
{
    s->fd = -1;
    s->buffer = malloc(BUFFER + FT_JOURNAL_HEADER); /* see begin_again() */
    s->digest = EVP_MD_CTX_new();
    s->scratch = EVP_MD_CTX_new();
    return s->buffer && s->digest && s->scratch;
}

void ft_journal_series_free(struct ft_series *s)
{
    if (s->fd >= 0)
        close(s->fd);
    free(s->buffer);
    EVP_MD_CTX_free(s->digest);
    EVP_MD_CTX_free(s->scratch);
}

static uint64_t monotonic(void)
{
    return ft_clock_ns(CLOCK_MONOTONIC);
}

/* ---- building ---- */

/* The header of a new segment, at the start of the buffer. */
static void put_header(struct ft_journal *j, struct ft_series *s,
                       const struct ft_journal_record *first)
{
    enum ft_journal_class class = (enum ft_journal_class)(s - j->series);
    struct ft_journal_header h = {.class = class,
                                  .first_sequence = first->sequence,
                                  .first_number = first->number,
                                  .created_ns = ft_journal_now(j)};
    memcpy(h.previous, s->previous, FT_JOURNAL_HASH);
    memcpy(h.sensor, j->sensor, FT_JOURNAL_NAME_SIZE);
    ft_journal_put_header(s->buffer, &h);
    ft_journal_segment_name(s->name, class, first->sequence);
    memset(&s->row, 0, sizeof(s->row));
    s->row.first_sequence = first->sequence;
    s->row.first_number = first->number;
    s->row.created_ns = h.created_ns;
    memcpy(s->row.previous, s->previous, FT_JOURNAL_HASH);
    s->base = s->written = s->digested = 0;
    s->begun_ns = monotonic();
    s->is_open = true;
    EVP_DigestInit_ex(s->digest, EVP_sha256(), NULL);
}

static void count_record(struct ft_series *s, const struct ft_journal_record *r)
{
    s->row.count++;
    s->row.last_sequence = r->sequence;
    s->row.last_number = r->number;
}

/* False when the series has to be synced first: full, or its segment is. */
static bool place_record(struct ft_journal *j, const struct ft_journal_record *r,
                         const uint8_t *bytes)
{
    enum ft_journal_class class = ft_journal_class_of((enum ft_journal_type)r->type);
    struct ft_series *s = &j->series[class];
    uint32_t length = FT_JOURNAL_RECORD_HEAD + r->length;
    if (s->is_closing || s->length + length > BUFFER)
        return false;
    if (s->is_open && s->row.count &&
        s->base + s->length + length + FT_JOURNAL_FOOTER > j->segment_bytes[class]) {
        s->is_closing = true;
        return false;
    }
    if (!s->is_open) {
        put_header(j, s, r);
        s->length = FT_JOURNAL_HEADER;
    }
    memcpy(s->buffer + s->length + FT_JOURNAL_RECORD_HEAD, bytes, r->length);
    ft_journal_put_record(s->buffer + s->length, r);
    s->length += length;
    s->unsynced++;
    count_record(s, r);
    if (!s->dirty_ns)
        s->dirty_ns = monotonic();
    return true;
}

/* Records of the batch into buffers; false when one of them waits for a sync. */
static bool place_batch(struct ft_journal *j)
{
    struct ft_queue_batch *b = &j->batch;
    while (b->at < b->length) {
        const struct ft_journal_record *r = (const struct ft_journal_record *)(b->bytes + b->at);
        if (!place_record(j, r, (const uint8_t *)(r + 1)))
            return false;
        j->placed_sequence = r->sequence;
        b->at += FT_QUEUE_ROOM(r->length);
    }
    j->placed_sequence = b->last_sequence;
    memcpy(j->placed_number, b->next_number, sizeof(j->placed_number));
    return true;
}

/* The file of this series is gone, or its folder: what is not synced begins a new one. */
static void begin_again(struct ft_journal *j, struct ft_series *s)
{
    struct ft_journal_record r;
    uint32_t from = s->base ? 0 : FT_JOURNAL_HEADER;
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    if (s->length <= from) {
        s->is_open = s->is_closing = false;
        s->length = s->written = 0;
        s->dirty_ns = 0;
        return;
    }
    uint32_t bytes = s->length - from;
    memmove(s->buffer + FT_JOURNAL_HEADER, s->buffer + from, bytes);
    ft_journal_get_record(s->buffer + FT_JOURNAL_HEADER, &r);
    put_header(j, s, &r);
    s->length = FT_JOURNAL_HEADER + bytes;
    s->is_closing = false;
    for (uint32_t at = FT_JOURNAL_HEADER; at < s->length;) {
        ft_journal_get_record(s->buffer + at, &r);
        count_record(s, &r);
        at += FT_JOURNAL_RECORD_HEAD + r.length;
    }
}

/* ---- bringing to disk ---- */

static bool fail(struct ft_journal *j, const char *what, const char *name)
{
    int reason = errno;
    ft_journal_say(j->trouble, sizeof(j->trouble), "cannot %s %s/%s: %s", what, j->path, name,
                   strerror(reason));
    errno = reason ? reason : EIO;
    return false;
}

/* Of all that its files held, and nobody may have read. With the lock held. */
static uint64_t count_all(const struct ft_index *index)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < index->count; i++)
        n += index->rows[i].count;
    return n;
}

static void clear_index(struct ft_journal *j)
{
    pthread_mutex_lock(&j->lock);
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++) {
        struct ft_index *index = &j->index[c];
        if (index->count)
            index->lost_through = index->rows[index->count - 1].last_number;
        j->stats.classes[c].lost += count_all(index);
        index->count = 0;
    }
    j->generation++;
    pthread_mutex_unlock(&j->lock);
}

/* The folder was removed, or another file system is mounted there now. */
static bool check_folder(struct ft_journal *j)
{
    char error[160];
    if (!ft_journal_folder_is_gone(j))
        return true;
    errno = 0;
    if (!ft_journal_open_folder(j, error, sizeof(error))) {
        int reason = errno;
        ft_journal_say(j->trouble, sizeof(j->trouble), "%s", error);
        errno = reason ? reason : EIO;
        return false;
    }
    clear_index(j);
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++)
        begin_again(j, &j->series[c]);
    j->needs_saving = true;
    pthread_mutex_lock(&j->lock);
    j->stats.folders_made++;
    bool is_loaded = ft_journal_load(j, false);
    j->generation++;
    pthread_mutex_unlock(&j->lock);
    return is_loaded || fail(j, "read", "");
}

/* Of what is on disk already: numbers of records that a crash may still take come again. */
static void note_series(const struct ft_journal *j, struct ft_journal_saved *saved)
{
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++) {
        saved->series[c].next_number = j->published_number[c];
        memcpy(saved->series[c].hash, j->series[c].previous, FT_JOURNAL_HASH);
    }
}

/* No sequence reaches a segment that is not reserved on disk before; and as long as the disk works
 * none is handed out. */
bool ft_journal_reserve(struct ft_journal *j)
{
    struct ft_journal_saved saved = j->saved;
    saved.is_clean = false;
    if (j->next_sequence + RESERVE / 2 > saved.reserved_through)
        saved.reserved_through = j->next_sequence + RESERVE;
    else if (!j->needs_saving && !j->saved.is_clean)
        return true;
    note_series(j, &saved);
    if (!ft_journal_write_saved(j, &saved))
        return fail(j, "write", "state");
    j->saved = saved;
    j->needs_saving = false;
    return true;
}

/* The file that is being written was removed by somebody. */
static bool is_unlinked(const struct ft_series *s)
{
    struct stat st;
    return s->fd >= 0 && fstat(s->fd, &st) == 0 && st.st_nlink == 0;
}

static void forget_row(struct ft_journal *j, const struct ft_series *s)
{
    struct ft_index *index = &j->index[s - j->series];
    pthread_mutex_lock(&j->lock);
    j->stats.files_gone++;
    if (index->count && index->rows[index->count - 1].first_sequence == s->row.first_sequence) {
        index->lost_through = index->rows[index->count - 1].last_number;
        j->stats.classes[s - j->series].lost += index->rows[index->count - 1].count;
        ft_journal_index_remove(index, index->count - 1);
    }
    j->generation++;
    pthread_mutex_unlock(&j->lock);
}

static bool open_file(struct ft_journal *j, struct ft_series *s)
{
    if (is_unlinked(s)) {
        forget_row(j, s);
        begin_again(j, s);
    }
    if (s->fd >= 0 || !s->length)
        return true;
    s->fd = j->disk.open(j->folder, s->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                         j->file_mode);
    if (s->fd < 0)
        return fail(j, "make", s->name);
    s->is_new = true;
    return true;
}

static void make_footer(struct ft_journal *j, struct ft_series *s, uint8_t *bytes)
{
    struct ft_journal_footer f = {.count = s->row.count,
                                  .last_sequence = s->row.last_sequence,
                                  .last_number = s->row.last_number,
                                  .closed_ns = ft_journal_now(j),
                                  .data_bytes = s->base + s->length};
    /* Of a copy: the footer may have to be made again. */
    EVP_MD_CTX_copy_ex(s->scratch, s->digest);
    EVP_DigestFinal_ex(s->scratch, f.hash, NULL);
    s->row.closed_ns = f.closed_ns;
    memcpy(s->row.hash, f.hash, FT_JOURNAL_HASH);
    ft_journal_put_footer(bytes, &f);
}

static bool write_series(struct ft_journal *j, struct ft_series *s)
{
    uint8_t footer[FT_JOURNAL_FOOTER];
    if (!open_file(j, s))
        return false;
    if (!s->length && !s->is_closing)
        return true;
    EVP_DigestUpdate(s->digest, s->buffer + s->digested, s->length - s->digested);
    s->digested = s->length;
    while (s->written < s->length) {
        ssize_t n = j->disk.write(s->fd, s->buffer + s->written, s->length - s->written,
                                  (off_t)(s->base + s->written));
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = ENOSPC;
        if (n <= 0)
            return fail(j, "write", s->name);
        s->written += (uint32_t)n;
    }
    if (!s->is_closing)
        return true;
    make_footer(j, s, footer);
    return ft_journal_write_all(j, s->fd, footer, sizeof(footer), s->base + s->length) ||
           fail(j, "write", s->name);
}

static bool sync_files(struct ft_journal *j)
{
    bool has_new = false;
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++) {
        struct ft_series *s = &j->series[c];
        if (!s->length && !s->is_closing)
            continue;
        if (j->disk.sync(s->fd) < 0) {
            s->written = 0;
            return fail(j, "sync", s->name);
        }
        has_new |= s->is_new;
    }
    if (has_new && j->disk.sync(j->folder) < 0)
        return fail(j, "sync", "");
    return true;
}

/* ---- telling readers ---- */

static void publish_series(struct ft_journal *j, unsigned c)
{
    struct ft_series *s = &j->series[c];
    struct ft_index *index = &j->index[c];
    if (!s->length && !s->is_closing)
        return;
    s->row.data_bytes = s->row.file_bytes = s->base + s->length;
    if (s->is_closing) {
        s->row.file_bytes += FT_JOURNAL_FOOTER;
        s->row.is_closed = true;
    }
    struct ft_indexed *last = index->count ? &index->rows[index->count - 1] : NULL;
    if (last && last->first_sequence == s->row.first_sequence)
        *last = s->row;
    else if (!ft_journal_index_add(index, &s->row))
        j->stats.failures++; /* no memory: on disk, and seen after the next start */
    j->stats.classes[c].synced += s->unsynced;
    j->stats.classes[c].bytes += s->length;
}

static void settle_series(struct ft_journal *j, struct ft_series *s)
{
    s->base += s->length;
    s->length = s->written = s->digested = 0;
    s->unsynced = s->dirty_ns = 0;
    s->is_new = false;
    if (!s->is_closing)
        return;
    close(s->fd);
    s->fd = -1;
    memcpy(s->previous, s->row.hash, FT_JOURNAL_HASH);
    s->is_open = s->is_closing = false;
    j->needs_saving = true;
}

static void publish(struct ft_journal *j, uint64_t took_ns)
{
    bool has_closed = false;
    pthread_mutex_lock(&j->lock);
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++) {
        publish_series(j, c);
        has_closed |= j->series[c].is_closing;
    }
    j->published = j->placed_sequence;
    memcpy(j->published_number, j->placed_number, sizeof(j->published_number));
    j->generation++;
    j->stats.syncs++;
    if (took_ns / 1000 > j->stats.sync_max_us)
        j->stats.sync_max_us = took_ns / 1000;
    pthread_cond_broadcast(&j->news);
    if (has_closed)
        pthread_cond_signal(&j->chore);
    pthread_mutex_unlock(&j->lock);
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++)
        settle_series(j, &j->series[c]);
}

/* ---- state ---- */

static void set_state(struct ft_journal *j, int error)
{
    pthread_mutex_lock(&j->lock);
    if (j->state.is_ok != !error || j->state.error != error)
        j->state.since_ns = ft_clock_ns(CLOCK_REALTIME);
    j->state.is_ok = !error;
    j->state.error = error;
    j->stats.failures += error != 0;
    memcpy(j->state.text, error ? j->trouble : "", error ? sizeof(j->state.text) : 1);
    if ((error == ENOSPC || error == EDQUOT) && j->back_off_ms >= PATIENCE_MS) {
        j->wants_room = true;
        pthread_cond_signal(&j->chore);
    }
    pthread_mutex_unlock(&j->lock);
    pthread_mutex_lock(&j->queue.lock);
    j->queue.loss = error ? FT_JOURNAL_LOSS_TROUBLE : FT_JOURNAL_LOSS_SLOW;
    pthread_mutex_unlock(&j->queue.lock);
}

static bool write_everything(struct ft_journal *j)
{
    if (!check_folder(j) || !ft_journal_reserve(j))
        return false;
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++)
        if (!write_series(j, &j->series[c]))
            return false;
    return sync_files(j);
}

/* One sync of all series. */
static bool sync_all(struct ft_journal *j)
{
    uint64_t began = monotonic();
    j->sync_began_ns = began;
    bool is_done = write_everything(j);
    int error = is_done ? 0 : errno;
    j->sync_began_ns = 0;
    if (!is_done) {
        set_state(j, error ? error : EIO);
        return false;
    }
    if (j->back_off_ms)
        set_state(j, 0);
    j->back_off_ms = 0;
    publish(j, monotonic() - began);
    return true;
}

/* ---- the loop ---- */

/* When a series is to be synced; 0 = there is nothing to. A flood of records that are urgent is
 * synced in groups. */
static uint64_t due_at(const struct ft_journal *j, const struct ft_series *s)
{
    const struct ft_journal_limits *limits = &j->limits[s - j->series];
    if (s->is_closing || !s->dirty_ns)
        return s->is_closing;
    if (!limits->sync_every)
        return s->dirty_ns + limits->sync_ms * MS;
    return s->dirty_ns + (j->batch.is_all || s->length >= GROUP ? 0 : GROUP_NS);
}

/* Milliseconds until something is to be done; 0 = now. */
static uint32_t due_in(const struct ft_journal *j, uint64_t now)
{
    uint64_t least = IDLE_MS;
    bool is_clean = true;
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++) {
        uint64_t at = due_at(j, &j->series[c]);
        is_clean &= !at;
        if (at && at <= now)
            return 0;
        if (at && (at - now) / MS + 1 < least)
            least = (at - now) / MS + 1;
    }
    /* Records were given up and none written: that, too, is told. */
    return is_clean && j->published != j->placed_sequence ? 0 : (uint32_t)least;
}

static void close_old(struct ft_journal *j, uint64_t now)
{
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++)
        if (j->series[c].is_open && now - j->series[c].begun_ns > DAY)
            j->series[c].is_closing = true;
}

static bool close_all(struct ft_journal *j)
{
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++)
        j->series[c].is_closing = j->series[c].is_open;
    if (!sync_all(j))
        return false;
    struct ft_journal_saved saved = j->saved;
    saved.is_clean = true;
    saved.next_sequence = j->next_sequence;
    if (saved.reserved_through < saved.next_sequence)
        saved.reserved_through = saved.next_sequence;
    note_series(j, &saved);
    return ft_journal_write_saved(j, &saved);
}

/* Wait for records, or until `ms` have passed, and take them unless some are in hand still. True
 * when the journal is to be closed and this was all. */
static bool fetch(struct ft_journal *j, uint32_t ms)
{
    struct ft_queue *q = &j->queue;
    struct timespec until = ft_journal_deadline(ms);
    bool is_last = false;
    pthread_mutex_lock(&q->lock);
    if (ms && !q->is_urgent && !q->is_stopping && !q->is_flushing && q->used <= q->blocks / 8) {
        q->is_waiting = true;
        while (q->is_waiting && pthread_cond_timedwait(&q->wake, &q->lock, &until) == 0)
            ;
        q->is_waiting = false;
    }
    if (j->batch.at == j->batch.length) {
        ft_queue_take(q, &j->batch);
        if (j->batch.is_all) {
            is_last = q->is_stopping;
            j->owes_sync |= q->is_flushing;
            q->is_urgent = q->is_flushing = false;
        }
    }
    pthread_mutex_unlock(&q->lock);
    return is_last;
}

/* Wait before the next attempt, unless the keeper made room; in a hurry when the journal is to be
 * closed. */
static void back_off(struct ft_journal *j)
{
    struct ft_queue *q = &j->queue;
    j->back_off_ms = j->back_off_ms ? 2 * j->back_off_ms : BACK_OFF_FROM;
    if (j->back_off_ms > BACK_OFF_MAX)
        j->back_off_ms = BACK_OFF_MAX;
    pthread_mutex_lock(&q->lock);
    bool is_hurried = q->is_stopping;
    struct timespec until = ft_journal_deadline(is_hurried ? BACK_OFF_FROM : j->back_off_ms);
    while (q->is_stopping == is_hurried && !q->is_retrying &&
           pthread_cond_timedwait(&q->wake, &q->lock, &until) == 0)
        ;
    q->is_retrying = false;
    pthread_mutex_unlock(&q->lock);
}

/* One turn; false when all is written and closed. */
static bool turn(struct ft_journal *j, uint64_t *old_ns)
{
    bool is_idle = j->batch.is_all && j->batch.at == j->batch.length;
    bool is_last = fetch(j, is_idle ? due_in(j, monotonic()) : 0);
    bool is_placed = place_batch(j);
    uint64_t now = monotonic();
    if (now - *old_ns > 1000 * MS) {
        close_old(j, now);
        *old_ns = now;
    }
    if (is_last && is_placed) {
        if (close_all(j))
            return false;
        back_off(j);
    } else if (!is_placed || j->owes_sync || !due_in(j, now)) {
        if (!sync_all(j))
            back_off(j);
        else if (is_placed)
            j->owes_sync = false;
    }
    return true;
}

void *ft_journal_write_loop(void *journal)
{
    struct ft_journal *j = journal;
    uint64_t old_ns = monotonic();
    while (!atomic_load(&j->gives_up) && turn(j, &old_ns))
        ;
    pthread_mutex_lock(&j->lock);
    j->is_closed = true;
    j->generation++;
    pthread_cond_broadcast(&j->news);
    pthread_mutex_unlock(&j->lock);
    return NULL;
}
