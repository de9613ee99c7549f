/* SPDX-License-Identifier: BSD-3-Clause */
/* Opening and closing, the core's two calls, and what can be seen from outside. */
#include "journal/internal.h"

#include "base/clock_ns.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB        (1ull << 20)
#define SLOW_NS    5000000000ull
#define MEMORY     (32 * MIB)
#define MEMORY_MIN (4 * MIB)
#define SEGMENT    (16u << 20)
#define CLASS_MIN  (8 * 4 * (uint64_t)FT_JOURNAL_RECORD_ROOM)

static const struct ft_journal_limits defaults[FT_JOURNAL_CLASSES] = {
    [FT_JOURNAL_ALERT] = {256 * MIB, 90, 0, true},
    [FT_JOURNAL_INVENTORY] = {256 * MIB, 90, 200, false},
    [FT_JOURNAL_FLOW] = {512 * MIB, 30, 1000, false},
    [FT_JOURNAL_TRANSACTION] = {1024 * MIB, 7, 1000, false},
};

static int system_open(int folder, const char *name, int flags, mode_t mode)
{
    return openat(folder, name, flags, mode);
}

/* Of the contents and the length; fdatasync() is enough for both, and right for folders too. */
static int system_sync(int fd)
{
    return fdatasync(fd);
}

static const struct ft_journal_disk system_disk = {system_open, pwrite, system_sync, pread};

struct timespec ft_journal_deadline(uint32_t ms)
{
    uint64_t at = ft_clock_ns(CLOCK_MONOTONIC) + ms * 1000000ull;
    return (struct timespec){(time_t)(at / 1000000000u), (long)(at % 1000000000u)};
}

uint64_t ft_journal_now(const struct ft_journal *j)
{
    return ft_clock_ns(CLOCK_BOOTTIME) + j->clock_offset;
}

/* ---- options ---- */

static uint32_t least(uint64_t a, uint64_t b)
{
    return (uint32_t)(a < b ? a : b);
}

static bool take_limits(struct ft_journal *j, const struct ft_journal_options *o, char *error,
                        size_t size)
{
    uint64_t sum = 0;
    uint32_t segment = o->segment_bytes ? o->segment_bytes : SEGMENT;
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++) {
        struct ft_journal_limits l = o->limits[c];
        if (!l.sync_ms && !l.sync_every) {
            l.sync_ms = defaults[c].sync_ms;
            l.sync_every = defaults[c].sync_every;
        }
        l.max_bytes = l.max_bytes ? l.max_bytes : defaults[c].max_bytes;
        l.max_days = l.max_days ? l.max_days : defaults[c].max_days;
        if (l.max_bytes < CLASS_MIN)
            return ft_journal_say(
                error, size, "the class %s of the journal needs %llu bytes at least",
                ft_journal_class_name((enum ft_journal_class)c), (unsigned long long)CLASS_MIN);
        j->limits[c] = l;
        sum += l.max_bytes;
    }
    j->total_bytes = o->total_bytes ? o->total_bytes : sum;
    if (j->total_bytes < 4 * CLASS_MIN)
        return ft_journal_say(error, size, "the journal needs %llu bytes at least",
                              (unsigned long long)(4 * CLASS_MIN));
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++)
        j->segment_bytes[c] =
            least(segment, least(j->limits[c].max_bytes / 8, j->total_bytes / 32));
    return true;
}

static bool take_options(struct ft_journal *j, const struct ft_journal_options *o, char *error,
                         size_t size)
{
    if (!o->folder || !*o->folder)
        return ft_journal_say(error, size, "the journal needs a folder");
    if (o->sensor && strlen(o->sensor) >= FT_JOURNAL_NAME_SIZE)
        return ft_journal_say(error, size, "the sensor's name is longer than %u bytes",
                              FT_JOURNAL_NAME_SIZE - 1);
    if (o->memory_bytes && o->memory_bytes < MEMORY_MIN)
        return ft_journal_say(error, size, "the journal needs %llu bytes of memory at least",
                              (unsigned long long)MEMORY_MIN);
    if (o->sensor)
        strcpy(j->sensor, o->sensor);
    j->path = strdup(o->folder);
    j->file_mode = o->file_mode ? o->file_mode : 0640;
    j->is_read_only = o->is_read_only;
    j->numbers_after = o->numbers_after;
    j->disk = o->disk ? *o->disk : system_disk;
    if (!j->disk.read)
        j->disk.read = pread;
    j->report = o->report;
    j->user = o->user;
    if (!j->path)
        return ft_journal_say(error, size, "out of memory");
    return take_limits(j, o, error, size);
}

/* ---- opening ---- */

static bool make_parts(struct ft_journal *j, uint64_t memory_bytes)
{
    pthread_condattr_t attributes;
    if (!ft_queue_init(&j->queue, memory_bytes ? memory_bytes : MEMORY))
        return false;
    j->batch.bytes = malloc(FT_QUEUE_BATCH_MAX);
    j->batch.is_all = true;
    bool is_made = j->batch.bytes;
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES && !j->is_read_only; c++)
        is_made &= ft_journal_series_init(&j->series[c]);
    pthread_mutex_init(&j->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&j->news, &attributes);
    pthread_cond_init(&j->chore, &attributes);
    pthread_condattr_destroy(&attributes);
    return is_made;
}

static void release(struct ft_journal *j)
{
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++) {
        ft_journal_series_free(&j->series[c]);
        free(j->index[c].rows);
    }
    if (j->queue.memory) {
        pthread_mutex_destroy(&j->lock);
        pthread_cond_destroy(&j->news);
        pthread_cond_destroy(&j->chore);
    }
    ft_queue_free(&j->queue);
    free(j->batch.bytes);
    if (j->lock_file >= 0)
        close(j->lock_file);
    if (j->folder >= 0)
        close(j->folder);
    free(j->path);
    free(j);
}

/* What was found is what readers may read; the writer goes on behind it. */
static void take_up(struct ft_journal *j)
{
    j->published = j->queue.last_sequence;
    j->placed_sequence = j->batch.last_sequence = j->queue.last_sequence;
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++)
        j->published_number[c] = j->placed_number[c] = j->batch.next_number[c] =
            j->queue.next_number[c];
    if (j->is_read_only) {
        j->published = UINT64_MAX;
        j->is_closed = true;
    }
    j->generation = 1;
    j->state.is_ok = true;
    j->state.since_ns = ft_clock_ns(CLOCK_REALTIME);
}

static bool start_both(struct ft_journal *j)
{
    if (pthread_create(&j->writer, NULL, ft_journal_write_loop, j) != 0)
        return false;
    j->has_threads = true;
    if (pthread_create(&j->keeper, NULL, ft_journal_keep_loop, j) == 0) {
        pthread_setname_np(j->writer, "journal-writer");
        pthread_setname_np(j->keeper, "journal-keeper");
        return true;
    }
    atomic_store(&j->gives_up, true);
    pthread_join(j->writer, NULL);
    return false;
}

/* Signals are for the process's own threads. */
static bool start_threads(struct ft_journal *j)
{
    sigset_t all, before;
    if (j->is_read_only)
        return true;
    ft_journal_reserve(j); /* a disk that refuses is the writer's business */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool is_started = start_both(j);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return is_started;
}

struct ft_journal *ft_journal_open(const struct ft_journal_options *options, char *error,
                                   size_t error_size)
{
    struct ft_journal *j = calloc(1, sizeof(*j));
    if (!j) {
        ft_journal_say(error, error_size, "out of memory");
        return NULL;
    }
    j->folder = j->lock_file = -1;
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++)
        j->series[c].fd = -1;
    j->clock_offset = ft_clock_ns(CLOCK_REALTIME) - ft_clock_ns(CLOCK_BOOTTIME);
    bool is_open = take_options(j, options, error, error_size);
    if (is_open && !make_parts(j, j->is_read_only ? MEMORY_MIN : options->memory_bytes))
        is_open = ft_journal_say(error, error_size, "out of memory");
    if (is_open && ft_journal_open_folder(j, error, error_size)) {
        if (!ft_journal_load(j, true))
            is_open = ft_journal_say(error, error_size, "cannot read the folder %s: %s", j->path,
                                     strerror(errno));
    } else {
        is_open = false;
    }
    if (is_open) {
        take_up(j);
        j->report = NULL;
        if (start_threads(j))
            return j;
        ft_journal_say(error, error_size, "cannot start the journal's threads");
    }
    release(j);
    return NULL;
}

/* ---- closing ---- */

static void order_stop(struct ft_journal *j)
{
    pthread_mutex_lock(&j->queue.lock);
    j->queue.is_stopping = true;
    j->queue.is_waiting = false;
    pthread_cond_broadcast(&j->queue.wake);
    pthread_mutex_unlock(&j->queue.lock);
    pthread_mutex_lock(&j->lock);
    j->keeper_stops = true;
    pthread_cond_signal(&j->chore);
    pthread_mutex_unlock(&j->lock);
}

static bool join(pthread_t thread, uint32_t ms)
{
    uint64_t at = ft_clock_ns(CLOCK_MONOTONIC) + ms * 1000000ull;
    struct timespec until = {(time_t)(at / 1000000000u), (long)(at % 1000000000u)};
    return pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) == 0;
}

/* What never got to the disk: in the queue, in the batch, in buffers. */
static uint64_t count_unwritten(struct ft_journal *j)
{
    uint64_t all = 0;
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++) {
        uint64_t n = j->queue.appended[c] - j->stats.classes[c].synced;
        for (unsigned i = 0; i < FT_JOURNAL_LOSSES; i++)
            n -= j->queue.given_up[c][i];
        j->queue.given_up[c][FT_JOURNAL_LOSS_CLOSED] += n;
        all += n;
    }
    return all;
}

bool ft_journal_close(struct ft_journal *j, uint32_t timeout_ms, struct ft_journal_stats *stats)
{
    bool is_ended = true, is_whole = true;
    if (j->has_threads) {
        order_stop(j);
        is_ended = join(j->writer, timeout_ms);
        if (!is_ended) {
            atomic_store(&j->gives_up, true);
            is_ended = join(j->writer, 500);
        }
        is_whole = !count_unwritten(j);
        is_ended &= join(j->keeper, 1000); /* longer only in a call of the system */
    }
    if (stats)
        ft_journal_stats(j, stats);
    if (is_ended)
        release(j);
    return is_whole;
}

/* ---- the core's ---- */

uint64_t ft_journal_next(struct ft_journal *j)
{
    uint64_t sequence = atomic_load_explicit(&j->next_sequence, memory_order_relaxed);
    atomic_store_explicit(&j->next_sequence, sequence + 1, memory_order_relaxed);
    return sequence;
}

bool ft_journal_append(struct ft_journal *j, enum ft_journal_type type, uint64_t sequence,
                       uint8_t severity, uint64_t time_ns, const void *bytes, uint32_t length)
{
    struct ft_journal_record r = {.type = (uint8_t)type,
                                  .severity = severity,
                                  .length = length,
                                  .sequence = sequence,
                                  .time_ns = time_ns};
    return ft_queue_put(&j->queue, &r, bytes, j->limits[ft_journal_class_of(type)].sync_every);
}

bool ft_journal_flush(struct ft_journal *j, uint32_t timeout_ms)
{
    struct timespec until = ft_journal_deadline(timeout_ms);
    pthread_mutex_lock(&j->queue.lock);
    uint64_t wanted = j->queue.last_sequence;
    j->queue.is_flushing = true;
    j->queue.is_waiting = false;
    pthread_cond_broadcast(&j->queue.wake);
    pthread_mutex_unlock(&j->queue.lock);
    pthread_mutex_lock(&j->lock);
    while (j->published < wanted && !j->is_closed &&
           pthread_cond_timedwait(&j->news, &j->lock, &until) == 0)
        ;
    bool is_done = j->published >= wanted;
    pthread_mutex_unlock(&j->lock);
    return is_done;
}

/* ---- watching ---- */

struct ft_journal_state ft_journal_state(struct ft_journal *j)
{
    uint64_t began = j->sync_began_ns, now = ft_clock_ns(CLOCK_MONOTONIC);
    pthread_mutex_lock(&j->lock);
    struct ft_journal_state state = j->state;
    pthread_mutex_unlock(&j->lock);
    if (state.is_ok && began && now > began && now - began > SLOW_NS) {
        state.is_ok = false;
        state.since_ns = ft_clock_ns(CLOCK_REALTIME) - (now - began);
        ft_journal_say(state.text, sizeof(state.text), "%s has not answered for %llu s", j->path,
                       (unsigned long long)((now - began) / 1000000000u));
    }
    return state;
}

static void fill_class(struct ft_journal *j, unsigned c, struct ft_journal_stats *stats)
{
    const struct ft_index *index = &j->index[c];
    stats->classes[c].segments = index->count;
    stats->classes[c].oldest_ns = index->count ? index->rows[0].created_ns : 0;
    stats->classes[c].disk_bytes = 0;
    for (uint32_t i = 0; i < index->count; i++)
        stats->classes[c].disk_bytes += index->rows[i].file_bytes;
}

void ft_journal_stats(struct ft_journal *j, struct ft_journal_stats *stats)
{
    pthread_mutex_lock(&j->lock);
    *stats = j->stats;
    stats->synced_through = j->published;
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++)
        fill_class(j, c, stats);
    pthread_mutex_unlock(&j->lock);
    stats->next_sequence = j->next_sequence;
    pthread_mutex_lock(&j->queue.lock);
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++) {
        stats->classes[c].appended = j->queue.appended[c];
        memcpy(stats->classes[c].given_up, j->queue.given_up[c],
               sizeof(stats->classes[c].given_up));
    }
    stats->memory_bytes = (uint64_t)j->queue.blocks * FT_QUEUE_BLOCK;
    stats->memory_used = (uint64_t)j->queue.used * FT_QUEUE_BLOCK;
    stats->memory_high = (uint64_t)j->queue.high * FT_QUEUE_BLOCK;
    pthread_mutex_unlock(&j->queue.lock);
}
