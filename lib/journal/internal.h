/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of lib/journal share. Private to it.
 *
 * Two locks, never held together: queue.lock between core and writer; `lock` for the index of
 * segments, what is published to readers, state and counters.
 */
#ifndef FT_JOURNAL_INTERNAL_H
#define FT_JOURNAL_INTERNAL_H

#include "journal/queue.h"
#include "journal/segment.h"

#include <stdatomic.h>

/* A segment on disk. */
struct ft_indexed {
    uint64_t first_sequence, last_sequence; /* last: 0 = no record yet */
    uint64_t first_number, last_number;
    uint64_t count;
    uint64_t data_bytes; /* plain: header and records, synced */
    uint64_t file_bytes;
    uint64_t created_ns, closed_ns;
    uint8_t hash[FT_JOURNAL_HASH]; /* zeros: not known */
    uint8_t previous[FT_JOURNAL_HASH];
    bool is_closed; /* nothing is appended any more */
    bool is_packed;
    bool stays_plain;    /* damaged: not to be packed */
    bool is_behind_hole; /* the one before it in the series is missing */
};

struct ft_index {
    struct ft_indexed *rows; /* in order of sequence */
    uint32_t count, room;
    uint64_t removed_through; /* numbers up to which records were removed by the keeper, ... */
    uint64_t lost_through;    /* ... and with a folder or file that somebody else removed */
};

/* A series as the writer has it. */
struct ft_series {
    int fd;       /* -1: not made yet */
    bool is_open; /* a segment is begun, perhaps in the buffer only */
    bool is_closing;
    bool is_new; /* made since the folder was synced */
    char name[64];
    uint8_t *buffer;          /* what is not synced */
    uint32_t length, written; /* in it; given to the system */
    uint32_t digested;        /* part of the digest */
    uint64_t base;            /* offset of the buffer in the file */
    EVP_MD_CTX *digest, *scratch;
    uint64_t begun_ns, dirty_ns; /* CLOCK_MONOTONIC; dirty 0 = all synced */
    uint64_t unsynced;           /* records in the buffer */
    struct ft_indexed row;
    uint8_t previous[FT_JOURNAL_HASH];
};

struct ft_journal {
    struct ft_journal_limits limits[FT_JOURNAL_CLASSES];
    uint64_t total_bytes;
    uint32_t segment_bytes[FT_JOURNAL_CLASSES];
    mode_t file_mode;
    bool is_read_only;
    char *path;
    char sensor[FT_JOURNAL_NAME_SIZE];
    struct ft_journal_disk disk;
    ft_journal_report_fn *report; /* while opening */
    void *user;

    int folder; /* file descriptor; the same number when the folder was gone and made again */
    int lock_file;
    _Atomic uint64_t next_sequence;
    struct ft_queue queue;

    /* the writer's */
    struct ft_series series[FT_JOURNAL_CLASSES];
    struct ft_queue_batch batch;
    uint64_t placed_sequence; /* all up to it is in buffers or synced */
    uint64_t placed_number[FT_JOURNAL_CLASSES];
    struct ft_journal_saved saved; /* as on disk */
    bool needs_saving;
    bool owes_sync; /* somebody waits in ft_journal_flush() */
    uint32_t back_off_ms;
    char trouble[160]; /* of the step that failed */
    pthread_t writer, keeper;
    bool has_threads;
    atomic_bool gives_up;           /* the writer ends, whatever is not written */
    _Atomic uint64_t sync_began_ns; /* CLOCK_MONOTONIC; 0 = none is under way */
    uint64_t clock_offset;          /* see ft_journal_now() */

    pthread_mutex_t lock;
    pthread_cond_t news;  /* to readers: something was published */
    pthread_cond_t chore; /* to the keeper */
    struct ft_index index[FT_JOURNAL_CLASSES];
    uint64_t generation; /* grows with each publication and each change of the index */
    uint64_t published;  /* sequence up to which readers may read */
    uint64_t published_number[FT_JOURNAL_CLASSES]; /* the next to come behind that */
    bool is_closed;                                /* the writer has ended */
    atomic_bool keeper_stops;
    bool wants_room; /* the disk is full: see give_room() in keeper.c */
    struct ft_journal_reader *readers;
    uint64_t found_cursor;  /* greatest sequence in any cursor, when opened */
    uint64_t numbers_after; /* of the options */
    struct ft_journal_state state;
    struct ft_journal_stats stats; /* the counters that are kept here */
};

/** A clock for the age of segments: CLOCK_REALTIME as it was when the journal was opened, and
 * nothing that was done to it since; so a clock set wrong expires nothing while the sensor runs. */
uint64_t ft_journal_now(const struct ft_journal *j);

struct timespec ft_journal_deadline(uint32_t ms); /* CLOCK_MONOTONIC */

/** printf into `to` of `size`, cut where it does not fit; always false. */
bool ft_journal_say(char *to, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* folder.c */
bool ft_journal_open_folder(struct ft_journal *j, char *error, size_t size);
bool ft_journal_folder_is_gone(struct ft_journal *j);
bool ft_journal_read_saved(struct ft_journal *j, struct ft_journal_saved *saved);
bool ft_journal_write_saved(struct ft_journal *j, const struct ft_journal_saved *saved);
bool ft_journal_write_all(struct ft_journal *j, int fd, const void *data, size_t size,
                          uint64_t offset);

/* recover.c: fill the index from the folder; unless read-only, cut and close what was left open */
bool ft_journal_load(struct ft_journal *j, bool is_opening);
struct ft_indexed *ft_journal_index_add(struct ft_index *index, const struct ft_indexed *row);
void ft_journal_index_remove(struct ft_index *index, uint32_t at);
void ft_journal_tell(struct ft_journal *j, enum ft_journal_finding finding, const char *file,
                     uint64_t offset, uint64_t bytes, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* writer.c, keeper.c: threads */
void *ft_journal_write_loop(void *journal);
void *ft_journal_keep_loop(void *journal);
bool ft_journal_reserve(struct ft_journal *j);
bool ft_journal_series_init(struct ft_series *s);
void ft_journal_series_free(struct ft_series *s);

#endif
