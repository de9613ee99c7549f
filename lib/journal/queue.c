/* SPDX-License-Identifier: BSD-3-Clause */
/* Lanes of blocks: see queue.h. */
#include "journal/queue.h"

#include <string.h>
#include <sys/mman.h>
#include <time.h>

bool ft_queue_init(struct ft_queue *q, uint64_t memory_bytes)
{
    pthread_condattr_t attributes;
    memset(q, 0, sizeof(*q));
    q->blocks = (uint32_t)(memory_bytes / FT_QUEUE_BLOCK);
    q->memory = mmap(NULL, (size_t)q->blocks * FT_QUEUE_BLOCK, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (q->memory == MAP_FAILED) {
        q->memory = NULL;
        return false;
    }
    for (uint32_t i = q->blocks; i-- > 0;) {
        q->memory[i].next = q->free;
        q->free = &q->memory[i];
    }
    memset(q->next, 0xff, sizeof(q->next));
    for (unsigned i = 0; i < FT_JOURNAL_CLASSES; i++)
        q->next_number[i] = 1;
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&q->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    return true;
}

void ft_queue_free(struct ft_queue *q)
{
    if (!q->memory)
        return;
    munmap(q->memory, (size_t)q->blocks * FT_QUEUE_BLOCK);
    pthread_cond_destroy(&q->wake);
    pthread_mutex_destroy(&q->lock);
    q->memory = NULL;
}

static struct ft_journal_record *head_of(struct ft_queue *q, unsigned lane)
{
    struct ft_queue_block *b = q->lanes[lane].head;
    return (struct ft_journal_record *)(b->bytes + b->begin);
}

/* Take the oldest block out of a lane. */
static struct ft_queue_block *unlink_head(struct ft_queue *q, unsigned lane)
{
    struct ft_queue_block *b = q->lanes[lane].head;
    q->lanes[lane].head = b->next;
    if (!b->next)
        q->lanes[lane].tail = NULL;
    q->next[lane] = b->next ? head_of(q, lane)->sequence : UINT64_MAX;
    q->used--;
    return b;
}

/* The least important lane that has anything, if it is not above `lane`: its oldest block. */
static struct ft_queue_block *give_up(struct ft_queue *q, unsigned lane)
{
    for (unsigned least = FT_QUEUE_LANES; least-- > lane;) {
        if (!q->lanes[least].head)
            continue;
        struct ft_queue_block *b = unlink_head(q, least);
        q->given_up[least / FT_QUEUE_SEVERITIES][q->loss] += b->count;
        return b;
    }
    return NULL;
}

/* A block at the end of a lane with room for a record; NULL when there is none for it. */
static struct ft_queue_block *block_for(struct ft_queue *q, unsigned lane, uint32_t room)
{
    struct ft_queue_block *b = q->lanes[lane].tail;
    if (b && sizeof(b->bytes) - b->end >= room)
        return b;
    b = q->free;
    if (b)
        q->free = b->next;
    else
        b = give_up(q, lane);
    if (!b)
        return NULL;
    b->next = NULL;
    b->begin = b->end = b->count = 0;
    if (q->lanes[lane].tail)
        q->lanes[lane].tail->next = b;
    else
        q->lanes[lane].head = b;
    q->lanes[lane].tail = b;
    q->used++;
    if (q->used > q->high)
        q->high = q->used;
    return b;
}

static unsigned lane_of(const struct ft_journal_record *r)
{
    unsigned class = ft_journal_class_of((enum ft_journal_type)r->type);
    return class * FT_QUEUE_SEVERITIES + r->severity - 1;
}

/* Returns whether the taker is to be woken. */
static bool put_locked(struct ft_queue *q, struct ft_journal_record *r, const void *bytes,
                       bool is_urgent, bool *is_kept)
{
    unsigned lane = lane_of(r), class = lane / FT_QUEUE_SEVERITIES;
    uint32_t used = q->used;
    *is_kept = false;
    q->appended[class]++;
    r->number = q->next_number[class]++;
    bool is_valid = r->sequence > q->last_sequence && r->length <= FT_JOURNAL_RECORD_MAX;
    if (r->sequence > q->last_sequence)
        q->last_sequence = r->sequence;
    if (!is_valid) {
        q->given_up[class][FT_JOURNAL_LOSS_INVALID]++;
        return false;
    }
    struct ft_queue_block *b = block_for(q, lane, FT_QUEUE_ROOM(r->length));
    if (!b) {
        q->given_up[class][q->loss]++;
        return false;
    }
    memcpy(b->bytes + b->end, r, sizeof(*r));
    memcpy(b->bytes + b->end + sizeof(*r), bytes, r->length);
    b->end += FT_QUEUE_ROOM(r->length);
    b->count++;
    if (q->next[lane] == UINT64_MAX)
        q->next[lane] = r->sequence;
    *is_kept = true;
    q->is_urgent |= is_urgent;
    /* Full blocks are worth a wake-up; a trickle is fetched when the taker's wait times out. */
    return q->is_waiting && (is_urgent || (q->used > used && q->used > q->blocks / 8));
}

bool ft_queue_put(struct ft_queue *q, struct ft_journal_record *r, const void *bytes,
                  bool is_urgent)
{
    bool is_kept;
    if (r->severity < 1 || r->severity > FT_QUEUE_SEVERITIES)
        r->severity = FT_QUEUE_SEVERITIES;
    pthread_mutex_lock(&q->lock);
    bool wakes = put_locked(q, r, bytes, is_urgent, &is_kept);
    if (wakes)
        q->is_waiting = false;
    pthread_mutex_unlock(&q->lock);
    if (wakes)
        pthread_cond_signal(&q->wake);
    return is_kept;
}

/* ---- taking ---- */

/* The lane with the least sequence, and the least of the others. */
static unsigned least_lane(const struct ft_queue *q, uint64_t *second)
{
    unsigned least = 0;
    *second = UINT64_MAX;
    for (unsigned i = 1; i < FT_QUEUE_LANES; i++) {
        if (q->next[i] < q->next[least]) {
            *second = q->next[least];
            least = i;
        } else if (q->next[i] < *second) {
            *second = q->next[i];
        }
    }
    return least;
}

/* Move one record; the block goes back to the pool when it was the last in it. */
static void move_record(struct ft_queue *q, unsigned lane, struct ft_queue_batch *batch)
{
    struct ft_queue_block *b = q->lanes[lane].head;
    struct ft_journal_record *r = head_of(q, lane);
    uint32_t room = FT_QUEUE_ROOM(r->length);
    memcpy(batch->bytes + batch->length, r, room);
    batch->length += room;
    batch->last_sequence = r->sequence;
    batch->next_number[lane / FT_QUEUE_SEVERITIES] = r->number + 1;
    b->begin += room;
    b->count--;
    if (b->begin < b->end) {
        q->next[lane] = head_of(q, lane)->sequence;
        return;
    }
    unlink_head(q, lane);
    b->next = q->free;
    q->free = b;
}

void ft_queue_take(struct ft_queue *q, struct ft_queue_batch *batch)
{
    batch->length = batch->at = 0;
    while (q->used && batch->length < FT_QUEUE_BATCH) {
        uint64_t second;
        unsigned lane = least_lane(q, &second);
        do
            move_record(q, lane, batch);
        while (q->next[lane] < second && batch->length < FT_QUEUE_BATCH);
    }
    batch->is_all = !q->used;
    if (batch->is_all) { /* whatever was given up up to here is behind us too */
        batch->last_sequence = q->last_sequence;
        memcpy(batch->next_number, q->next_number, sizeof(batch->next_number));
    }
}
