/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records between the core and the writer: bounded memory that keeps the most important.
 *
 * A lane for each class and severity, oldest first, made of blocks of one pool. When the pool is
 * empty, the oldest block of the least important lane is taken, and its records are given up; a
 * record that is less important than all that is there is given up itself. So a full queue costs
 * no search, and what is lost is lost by the block (72 KiB).
 *
 * One thread puts, one takes; a lock is held for the copying of one record, or of 32 KiB.
 */
#ifndef FT_JOURNAL_QUEUE_H
#define FT_JOURNAL_QUEUE_H

#include "journal/format.h"

#include <pthread.h>

#define FT_QUEUE_SEVERITIES 4u
#define FT_QUEUE_LANES      (FT_JOURNAL_CLASSES * FT_QUEUE_SEVERITIES)

/** Blocks hold at least one record of any length. */
#define FT_QUEUE_BLOCK (72u << 10)

/** Taken at once: at most this and one record. */
#define FT_QUEUE_BATCH (32u << 10)

/** A record in the queue and in a batch: its head as a struct, its bytes, padded to eight. */
#define FT_QUEUE_ROOM(length) ((uint32_t)sizeof(struct ft_journal_record) + (((length) + 7) & ~7u))
#define FT_QUEUE_BATCH_MAX    (FT_QUEUE_BATCH + FT_QUEUE_ROOM(FT_JOURNAL_RECORD_MAX))

struct ft_queue_block {
    struct ft_queue_block *next;
    uint32_t begin, end; /**< of what is in `bytes`, begin < end */
    uint32_t count;
    uint32_t zero;
    uint8_t bytes[FT_QUEUE_BLOCK - 24];
};
_Static_assert(sizeof(struct ft_queue_block) == FT_QUEUE_BLOCK, "blocks fill the pool");
_Static_assert(sizeof(((struct ft_queue_block *)0)->bytes) >= FT_QUEUE_ROOM(FT_JOURNAL_RECORD_MAX),
               "a block holds the longest record");

struct ft_queue {
    pthread_mutex_t lock;
    pthread_cond_t wake; /**< of the taker; CLOCK_MONOTONIC */
    struct {
        struct ft_queue_block *head, *tail;
    } lanes[FT_QUEUE_LANES];
    uint64_t next[FT_QUEUE_LANES]; /**< sequence at the head of each lane; UINT64_MAX = empty */
    struct ft_queue_block *memory, *free;
    uint32_t blocks, used, high;
    enum ft_journal_loss loss; /**< why records are given up now when there is no room */
    bool is_urgent;            /**< the taker is to come at once */
    bool is_waiting;           /**< the taker waits */
    bool is_stopping, is_flushing, is_retrying; /**< the taker's orders, from other threads */
    uint64_t last_sequence;
    uint64_t next_number[FT_JOURNAL_CLASSES];
    uint64_t appended[FT_JOURNAL_CLASSES];
    uint64_t given_up[FT_JOURNAL_CLASSES][FT_JOURNAL_LOSSES];
};

/** What was taken. */
struct ft_queue_batch {
    uint8_t *bytes; /**< room of FT_QUEUE_BATCH_MAX */
    uint32_t length;
    uint32_t at;                              /**< the writer's: first byte not yet placed */
    bool is_all;                              /**< the queue was empty afterwards */
    uint64_t last_sequence;                   /**< all up to it is taken or given up */
    uint64_t next_number[FT_JOURNAL_CLASSES]; /**< behind that */
};

/** False when memory is short. Numbers and last_sequence are set by the caller then. */
bool ft_queue_init(struct ft_queue *q, uint64_t memory_bytes);
void ft_queue_free(struct ft_queue *q);

/** Put a record (number is filled in). False when it was given up. */
bool ft_queue_put(struct ft_queue *q, struct ft_journal_record *record, const void *bytes,
                  bool is_urgent);

/** Take the next records in order of their sequence. The lock is held by the caller. */
void ft_queue_take(struct ft_queue *q, struct ft_queue_batch *batch);

static inline bool ft_queue_is_empty(const struct ft_queue *q)
{
    return !q->used;
}

#endif
