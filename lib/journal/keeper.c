/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The keeper thread: packs closed segments, and removes the oldest when a class or the whole
 * journal uses more than it may, or they are too old. Least important first.
 */
#include "journal/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROUND_MS 10000u
#define DAY_NS   (86400ull * 1000000000ull)

/* ---- packing ---- */

/* The oldest closed segment of any class that is to be packed. */
static bool find_plain(struct ft_journal *j, enum ft_journal_class *class, uint64_t *first)
{
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++)
        for (uint32_t i = 0; i < j->index[c].count; i++) {
            const struct ft_indexed *row = &j->index[c].rows[i];
            if (!row->is_closed || row->is_packed || row->stays_plain)
                continue;
            *class = (enum ft_journal_class)c;
            *first = row->first_sequence;
            return true;
        }
    return false;
}

static struct ft_indexed *find_row(struct ft_journal *j, enum ft_journal_class class,
                                   uint64_t first)
{
    struct ft_index *index = &j->index[class];
    for (uint32_t i = 0; i < index->count; i++)
        if (index->rows[i].first_sequence == first)
            return &index->rows[i];
    return NULL;
}

/* Called and returns with the lock held. False when the disk refuses: later. */
static bool pack_one(struct ft_journal *j, struct ft_segment *s, enum ft_journal_class class,
                     uint64_t first)
{
    char name[64];
    uint64_t size = 0;
    ft_journal_segment_name(name, class, first);
    pthread_mutex_unlock(&j->lock);
    /* All of it in one folder: what is packed when the folder is removed stays out of the new one.
     */
    int folder = fcntl(j->folder, F_DUPFD_CLOEXEC, 0), result = -1;
    if (folder >= 0)
        result = ft_segment_pack(s, folder, name, j->file_mode, &j->disk, &j->keeper_stops, &size);
    int reason = errno;
    if (folder >= 0)
        close(folder);
    pthread_mutex_lock(&j->lock);
    struct ft_indexed *row = find_row(j, class, first);
    if (result < 0 && reason != ECANCELED)
        j->stats.failures++;
    if (row && result == 1) {
        row->is_packed = true;
        row->file_bytes = size;
        j->stats.compressed++;
    } else if (row && (result == 0 || reason == ENOENT)) {
        row->stays_plain = true;
    }
    return result >= 0 || reason == ENOENT;
}

/* ---- removing ---- */

static uint64_t bytes_of(const struct ft_index *index)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < index->count; i++)
        bytes += index->rows[i].file_bytes;
    return bytes;
}

/* The class's own bounds. The segment that is being written counts as full. */
static bool is_over(struct ft_journal *j, unsigned c)
{
    const struct ft_index *index = &j->index[c];
    const struct ft_indexed *oldest = index->rows;
    uint64_t now = ft_journal_now(j);
    if (index->count == 0 || !oldest->is_closed)
        return false;
    return bytes_of(index) + j->segment_bytes[c] > j->limits[c].max_bytes ||
           (oldest->closed_ns && now > oldest->closed_ns &&
            now - oldest->closed_ns > j->limits[c].max_days * DAY_NS);
}

static bool is_over_total(struct ft_journal *j)
{
    uint64_t bytes = 0;
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++)
        bytes += bytes_of(&j->index[c]) + j->segment_bytes[c];
    return bytes > j->total_bytes;
}

/* The class whose oldest segment goes next; FT_JOURNAL_CLASSES = none. */
static unsigned next_to_go(struct ft_journal *j)
{
    for (unsigned c = FT_JOURNAL_CLASSES; c-- > 0;)
        if (is_over(j, c))
            return c;
    if (is_over_total(j))
        for (unsigned c = FT_JOURNAL_CLASSES; c-- > 0;)
            if (j->index[c].count && j->index[c].rows[0].is_closed)
                return c;
    return FT_JOURNAL_CLASSES;
}

/* To the writer. Called and returns with the lock held. */
static void tell_room(struct ft_journal *j)
{
    pthread_mutex_unlock(&j->lock);
    pthread_mutex_lock(&j->queue.lock);
    j->queue.is_retrying = true;
    pthread_cond_broadcast(&j->queue.wake);
    pthread_mutex_unlock(&j->queue.lock);
    pthread_mutex_lock(&j->lock);
}

/* Called and returns with the lock held, so that who finds a file gone finds it gone from the index
 * too. False when the disk refuses. */
static bool remove_oldest(struct ft_journal *j, unsigned c)
{
    struct ft_indexed row = j->index[c].rows[0];
    char name[64];
    ft_journal_segment_name(name, (enum ft_journal_class)c, row.first_sequence);
    if (unlinkat(j->folder, name, 0) < 0 && errno != ENOENT) {
        j->stats.failures++;
        return false;
    }
    ft_journal_index_remove(&j->index[c], 0);
    j->index[c].removed_through = row.last_number;
    j->stats.classes[c].removed += row.count;
    j->stats.classes[c].removed_bytes += row.file_bytes;
    j->generation++;
    pthread_cond_broadcast(&j->news);
    return true;
}

/* The disk is full before the limits are reached: the oldest segment of transactions, or else of
 * flows, for each attempt to write that failed. Not of what is more important: who fills the disk
 * may be somebody else, and go on. */
static bool give_room(struct ft_journal *j)
{
    j->wants_room = false;
    for (unsigned c = FT_JOURNAL_CLASSES; c-- > FT_JOURNAL_FLOW;)
        if (j->index[c].count && j->index[c].rows[0].is_closed)
            return remove_oldest(j, c);
    return false;
}

/* ---- the loop ---- */

void *ft_journal_keep_loop(void *journal)
{
    struct ft_journal *j = journal;
    struct ft_segment s;
    bool has_memory = ft_segment_init(&s);
    pthread_mutex_lock(&j->lock);
    while (!j->keeper_stops) {
        enum ft_journal_class class;
        uint64_t first;
        unsigned over = next_to_go(j);
        if (j->wants_room && give_room(j)) {
            tell_room(j);
            continue;
        }
        if (over < FT_JOURNAL_CLASSES && remove_oldest(j, over))
            continue;
        bool refuses = !has_memory;
        if (has_memory && find_plain(j, &class, &first)) {
            if (pack_one(j, &s, class, first))
                continue;
            refuses = true;
        }
        struct timespec until = ft_journal_deadline(ROUND_MS);
        int result = 0;
        while (!result && !j->keeper_stops && !j->wants_room &&
               (refuses || !find_plain(j, &class, &first)))
            result = pthread_cond_timedwait(&j->chore, &j->lock, &until);
    }
    pthread_mutex_unlock(&j->lock);
    ft_segment_free(&s);
    return NULL;
}
