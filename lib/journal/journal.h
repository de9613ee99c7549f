/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The journal: what the sensor says, kept on disk until everybody has it.
 *
 * The alerting core appends lines; sinks read them, each at its own speed, and acknowledge what
 * they have delivered. Between them lies a folder of segment files (doc/journal.md has the format):
 * four series by class, so that a flood of transactions never pushes an alert out; one sequence
 * over all four, so that everybody sees one order; records with checksums, segments chained by
 * hashes.
 *
 *     core thread                writer thread                 keeper thread      sinks' threads
 *     ft_journal_next()   memory, bounded:       files,        compresses closed  ft_journal_
 *     ft_journal_append() ──least important──▶   fsync  ──▶    segments, removes  reader_next()
 *                           is given up                        the oldest         _ack()
 *
 * What it promises
 * - The core never waits for the disk. What the disk does not take in time stays in memory up to
 *   `memory_bytes`; then the oldest of the least important is given up, by class (alert before
 *   inventory before flow before transaction) and in a class by severity, and counted.
 * - Readers get what is synced and nothing else, in the order of the sequence. After kill -9 or a
 *   loss of power all of that is there; what was torn behind it is cut off at the last whole record
 *   and said. A reader that was killed gets what it had not acknowledged once more: at least once.
 * - What a reader missed, because it was given up, removed or damaged, the reader is told: how many
 *   records of which class and between which numbers. The records of a class are numbered without
 *   holes when they are appended, so every loss is seen by whoever reads on.
 * - A sequence number that reached the disk is never used twice as long as anything of the folder
 *   is there; when all of it is lost, none up to `numbers_after` is.
 * - Damage costs what is damaged: a record in an open segment, a frame of about 64 KiB in a
 *   compressed one. What is before and behind it is read.
 * - A disk that is full before the limits are reached gets room: the oldest segments of
 * transactions, then of flows, are removed; never those of alerts and inventory.
 * - A full disk, a read-only one, one that fails, hangs or is gone: ft_journal_state() says so and
 *   since when; it is tried again with back-off, up to every 5 s; a folder that is gone is made
 *   again. Nothing ends the process.
 *
 * Threads. ft_journal_next() and ft_journal_append(): one thread, the core's. Everything with a
 * reader: one thread for each reader, but ft_journal_reader_wake() any. ft_journal_stats(),
 * ft_journal_state(), ft_journal_flush() and ft_journal_reader_open(): any thread. Opening and
 * closing: when nobody else uses the journal; readers are closed before it.
 *
 * The journal's two threads block all signals and inherit the affinity of who opens it: open it on
 * a core that is not a worker's.
 *
 * Readers hold nothing back: a segment is removed when its time has come, and who had not read it
 * is told. No lock is held while a file is read or written.
 */
#ifndef FT_JOURNAL_H
#define FT_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** The longest record, in bytes; longer ones are given up. */
#define FT_JOURNAL_RECORD_MAX (64u << 10)

/** Bytes of a sensor's or a reader's name, with its NUL. */
#define FT_JOURNAL_NAME_SIZE 56u

/** The series, most important first. */
enum ft_journal_class {
    FT_JOURNAL_ALERT,       /**< alert, health */
    FT_JOURNAL_INVENTORY,   /**< anomaly, asset, operation, rule */
    FT_JOURNAL_FLOW,        /**< flow, stats */
    FT_JOURNAL_TRANSACTION, /**< transactions of all protocols, messages */
    FT_JOURNAL_CLASSES
};

/** What a record is; numbers are in files and never change. */
enum ft_journal_type {
    FT_JOURNAL_TYPE_ALERT = 1,
    FT_JOURNAL_TYPE_HEALTH = 2,
    FT_JOURNAL_TYPE_ANOMALY = 3,
    FT_JOURNAL_TYPE_ASSET = 4,
    FT_JOURNAL_TYPE_OPERATION = 5,
    FT_JOURNAL_TYPE_RULE = 6,
    FT_JOURNAL_TYPE_FLOW = 7,
    FT_JOURNAL_TYPE_STATS = 8,
    FT_JOURNAL_TYPE_TRANSACTION = 9, /**< the event_type is a protocol's name */
    FT_JOURNAL_TYPE_MESSAGE = 10,
    FT_JOURNAL_TYPES
};

/** The type of an EVE event_type; every other name is a protocol's: TRANSACTION. */
enum ft_journal_type ft_journal_type_of(const char *event_type);
enum ft_journal_class ft_journal_class_of(enum ft_journal_type type);
/** "alert", "inventory", "flow", "transaction". */
const char *ft_journal_class_name(enum ft_journal_class c);

/* ---- opening ---- */

/** What one class may use. 0 is the default. */
struct ft_journal_limits {
    uint64_t max_bytes; /**< of files; defaults 256 MiB, 256 MiB, 512 MiB, 1 GiB */
    uint32_t max_days;  /**< since a segment was closed; defaults 90, 90, 30, 7 */
    uint32_t sync_ms;   /**< within which a record is synced; defaults 0, 200, 1000, 1000 (0 is not
                             replaced when sync_every is set) */
    bool sync_every;    /**< sync as soon as a record is there; the default of alerts */
};

/** Calls of the system that may fail or hang; tests give their own. */
struct ft_journal_disk {
    int (*open)(int folder, const char *name, int flags, mode_t mode);
    ssize_t (*write)(int fd, const void *data, size_t size, off_t offset);
    int (*sync)(int fd);
    ssize_t (*read)(int fd, void *data, size_t size, off_t offset); /**< of readers; NULL = pread */
};

enum ft_journal_finding {
    FT_JOURNAL_FOUND_UNCLEAN, /**< the run before did not close the journal; `bytes` 0 */
    FT_JOURNAL_FOUND_TORN,    /**< a tail that was never whole, cut off */
    FT_JOURNAL_FOUND_DAMAGED, /**< bytes that are no record any more; skipped */
    FT_JOURNAL_FOUND_CHAIN,   /**< the segment before this one is missing or another */
    FT_JOURNAL_FOUND_HASH,    /**< the segment is not what its footer says (ft_journal_verify()) */
    FT_JOURNAL_FOUND_UNREADABLE, /**< a file that cannot be opened or read */
    FT_JOURNAL_FOUND_STATE, /**< the state file was damaged or missing: sequence skipped ahead */
    FT_JOURNAL_FOUND_USED,  /**< `numbers_after` is above all that the journal knows */
};

/** What was found when opening or verifying. */
struct ft_journal_report {
    enum ft_journal_finding finding;
    const char *file; /**< name in the folder */
    uint64_t offset;  /**< in bytes */
    uint64_t bytes;   /**< concerned */
    const char *text; /**< one sentence with all of that */
};
typedef void ft_journal_report_fn(void *user, const struct ft_journal_report *report);

struct ft_journal_options {
    const char *folder; /**< made if it is not there; its parent must be */
    const char *sensor; /**< name, in every segment; at most FT_JOURNAL_NAME_SIZE - 1 bytes */
    struct ft_journal_limits limits[FT_JOURNAL_CLASSES];
    uint64_t total_bytes;   /**< of all files; 0 = the sum of the classes */
    uint32_t segment_bytes; /**< default 16 MiB; at most 1/8 of a class, 1/32 of total_bytes */
    uint64_t memory_bytes; /**< default 32 MiB, at least 4 MiB: of records that wait for the writer;
                                16 MiB more for those that it has in hand */
    uint64_t numbers_after; /**< sequences begin above this: numbers that the caller knows to be in
                                 use, whatever became of the journal that gave them; 0 = none */
    mode_t file_mode;       /**< default 0640; the folder gets the search bits too */
    bool is_read_only; /**< for tools: nothing is changed or locked, no threads; readers get what
                            the files hold, synced or not, and then FT_JOURNAL_END */
    ft_journal_report_fn *report; /**< may be NULL; called while opening only */
    void *user;
    const struct ft_journal_disk *disk; /**< NULL = the system */
};

struct ft_journal;

/**
 * Open a folder and recover what is in it: tails are cut at the last whole record, segments that
 * were left open are closed, files that are not ours are left alone.
 *
 * NULL and one sentence in `error`: the folder cannot be made or is in use by another sensor, an
 * option is wrong, memory is short. A disk that is full or fails is no error: the journal is then
 * open and degraded. Cost: two small reads for each segment, and the open ones whole.
 */
struct ft_journal *ft_journal_open(const struct ft_journal_options *options, char *error,
                                   size_t error_size);

/**
 * Write and sync everything, close all segments, free. At most `timeout_ms`; what the disk did not
 * take by then is lost and counted in `stats` (may be NULL), and false is returned. When the disk
 * hangs in a system call the memory and the thread are left behind; the process can exit.
 */
struct ft_journal_stats;
bool ft_journal_close(struct ft_journal *journal, uint32_t timeout_ms,
                      struct ft_journal_stats *stats);

/* ---- writing ---- */

/**
 * The next sequence number, for the line about to be made; begins at 1, or above `numbers_after`.
 * Goes on after a restart above every number that reached the disk. Not giving it to
 * ft_journal_append() afterwards is allowed. Core thread, some nanoseconds.
 */
uint64_t ft_journal_next(struct ft_journal *journal);

/**
 * Append a record: `sequence` from ft_journal_next(), above that of the last append; `severity` 1
 * (critical) to 4 (warning) as enum ft_severity, anything else counts as 4; `time_ns` of the event.
 * The bytes are copied. False when this record was given up at once: too long, or memory is full of
 * what is more important.
 *
 * Core thread. No allocation, no system call but waking the writer; about 100 ns. It may wait for a
 * lock that the writer holds for at most the copying of 32 KiB.
 */
bool ft_journal_append(struct ft_journal *journal, enum ft_journal_type type, uint64_t sequence,
                       uint8_t severity, uint64_t time_ns, const void *bytes, uint32_t length);

/** Wait until all that was appended before this call is synced; false after `timeout_ms`. */
bool ft_journal_flush(struct ft_journal *journal, uint32_t timeout_ms);

/* ---- watching ---- */

/** Why records were given up before they were written. */
enum ft_journal_loss {
    FT_JOURNAL_LOSS_SLOW,    /**< memory full while the disk works: it is too slow */
    FT_JOURNAL_LOSS_TROUBLE, /**< memory full while the disk does not work */
    FT_JOURNAL_LOSS_INVALID, /**< too long, or a sequence not above the last */
    FT_JOURNAL_LOSS_CLOSED,  /**< not written when the journal was closed */
    FT_JOURNAL_LOSSES
};

struct ft_journal_state {
    bool is_ok;
    int error;         /**< errno; 0 with !is_ok: the disk answers slowly (a sync takes over 5 s) */
    uint64_t since_ns; /**< CLOCK_REALTIME: since when it is as it is */
    char text[160];    /**< one sentence; "" when ok */
};
struct ft_journal_state ft_journal_state(struct ft_journal *journal);

struct ft_journal_stats {
    struct {
        uint64_t appended; /**< records given to ft_journal_append() */
        uint64_t synced;   /**< records on disk since the start */
        uint64_t bytes;    /**< written, of the series' files before compression */
        uint64_t given_up[FT_JOURNAL_LOSSES];
        uint64_t removed;       /**< records removed for room or age */
        uint64_t removed_bytes; /**< likewise, of files */
        uint64_t lost; /**< records on disk that went with a folder or file somebody else removed */
        uint64_t segments;   /**< there now */
        uint64_t disk_bytes; /**< of files, now */
        uint64_t oldest_ns;  /**< when the oldest segment was begun, CLOCK_REALTIME; 0 = none */
    } classes[FT_JOURNAL_CLASSES];
    uint64_t next_sequence;
    uint64_t synced_through; /**< sequence up to which all is synced or given up */
    uint64_t memory_used, memory_high, memory_bytes;
    uint64_t syncs, sync_max_us;
    uint64_t failures;      /**< system calls of writer and keeper that failed */
    uint64_t folders_made;  /**< times that the folder was gone and made again */
    uint64_t files_gone;    /**< files that were removed by somebody while they were written */
    uint64_t compressed;    /**< segments */
    uint64_t cursor_faults; /**< writes of cursors that failed; tried again */
    uint32_t readers;
};
void ft_journal_stats(struct ft_journal *journal, struct ft_journal_stats *stats);

/** synced_through alone. A lock held for a moment; any thread. */
uint64_t ft_journal_synced_through(struct ft_journal *journal);

/* ---- reading ---- */

enum ft_journal_start {
    FT_JOURNAL_START_OLDEST,   /**< with the oldest record there is */
    FT_JOURNAL_START_NEWEST,   /**< with what comes from now on */
    FT_JOURNAL_START_SEQUENCE, /**< with the first record at or above start_sequence */
};

struct ft_journal_reader_options {
    const char *name; /**< of the cursor: letters, digits, - and _; NULL = none is kept */
    uint8_t classes;  /**< bits 1 << enum ft_journal_class; 0 = all. Others are not even read */
    enum ft_journal_start start; /**< where there is no cursor */
    uint64_t start_sequence;
    /** Of FT_JOURNAL_START_SEQUENCE: the number expected next in each class, as
     * ft_journal_reader_status() gave it, so that what is missing there is told; 0 = not known. */
    uint64_t start_numbers[FT_JOURNAL_CLASSES];
};

enum ft_journal_item_kind {
    FT_JOURNAL_RECORD,
    FT_JOURNAL_GAP,     /**< records are missing here */
    FT_JOURNAL_NOTHING, /**< nothing new within the time-out, or woken */
    FT_JOURNAL_END,     /**< a read-only journal has no more */
};

/** Why records are missing. */
enum ft_journal_gap {
    FT_JOURNAL_GAP_GIVEN_UP, /**< never written */
    FT_JOURNAL_GAP_REMOVED,  /**< removed for room or age before they were read */
    FT_JOURNAL_GAP_DAMAGED,  /**< the bytes are no record any more */
    FT_JOURNAL_GAP_MISSING,  /**< a segment is missing that was not removed by the journal */
};
const char *ft_journal_gap_name(enum ft_journal_gap gap);

struct ft_journal_item {
    enum ft_journal_item_kind kind;
    enum ft_journal_class class;
    /* FT_JOURNAL_RECORD */
    enum ft_journal_type type;
    uint8_t severity;
    uint64_t sequence;
    uint64_t number; /**< in its class, without holes */
    uint64_t time_ns;
    const uint8_t *bytes; /**< the reader's, until its next call */
    uint32_t length;
    /* FT_JOURNAL_GAP: `count` records of the class, with sequences between these two */
    enum ft_journal_gap gap;
    uint64_t count, first_sequence, last_sequence;
};

struct ft_journal_reader;

/**
 * A reader that goes on behind what its cursor says was acknowledged. Where there is none, it is
 * written at once: what the journal holds then, if the reader starts with the oldest, and all that
 * comes from then on is either given or told as a gap, also when the sensor is killed before
 * anything was acknowledged. A cursor that is damaged in both of its generations means the oldest
 * record: doubled rather than lost. A name may be used by
 * one reader at a time. NULL and one sentence: a bad name, a name in use, memory. 1.6 MB each.
 */
struct ft_journal_reader *ft_journal_reader_open(struct ft_journal *journal,
                                                 const struct ft_journal_reader_options *options,
                                                 char *error, size_t error_size);

/** Write the cursor if it is behind, free. */
void ft_journal_reader_close(struct ft_journal_reader *reader);

/**
 * The next record or gap in order; waits for one up to `timeout_ms`. A gap stands before the record
 * behind it, and belongs to what ft_journal_reader_ack() of its last_sequence acknowledges.
 */
void ft_journal_reader_next(struct ft_journal_reader *reader, struct ft_journal_item *item,
                            uint32_t timeout_ms);

/**
 * All up to and with `sequence` is delivered. The cursor on disk follows within a second, when the
 * reader waits in ft_journal_reader_next() or is closed. Acknowledge at least every 4,096 records
 * or counts of gaps after a restart may be too large by those that were open.
 */
void ft_journal_reader_ack(struct ft_journal_reader *reader, uint64_t sequence);

/** Write the cursor now; false when the disk does not take it (it is tried again later). */
bool ft_journal_reader_sync(struct ft_journal_reader *reader);

/** End the wait of ft_journal_reader_next(), or the next one: it gives NOTHING. Any thread. */
void ft_journal_reader_wake(struct ft_journal_reader *reader);

enum ft_journal_cursor {
    FT_JOURNAL_CURSOR_NEW,     /**< there was none */
    FT_JOURNAL_CURSOR_RESUMED, /**< taken up */
    FT_JOURNAL_CURSOR_OLDER,   /**< its newer generation was damaged: some may come twice */
    FT_JOURNAL_CURSOR_DAMAGED, /**< both were: all may come twice */
};

struct ft_journal_reader_status {
    enum ft_journal_cursor cursor; /**< as it was opened */
    uint64_t acknowledged;         /**< sequence */
    uint64_t records, skipped;     /**< given by ft_journal_reader_next(); in gaps */
    uint64_t lag;                  /**< sequences synced and not acknowledged */
    uint64_t seen; /**< behind FT_JOURNAL_NOTHING: up to this sequence there is no more to give */
    uint64_t numbers[FT_JOURNAL_CLASSES]; /**< expected next behind what is acknowledged; 0 = not
                                               known */
};
/** As seen by the reader's own thread. */
struct ft_journal_reader_status ft_journal_reader_status(const struct ft_journal_reader *reader);

/* ---- proving ---- */

struct ft_journal_verified {
    uint64_t segments, closed, records, bytes;
    uint64_t findings;
};

/**
 * Read every segment of a folder and check every checksum, hash and link of the chain; each finding
 * is reported. False and one sentence when the folder cannot be read. Changes nothing; a sensor may
 * be writing, whose open segments are read as far as they are whole.
 */
bool ft_journal_verify(const char *folder, ft_journal_report_fn *report, void *user,
                       struct ft_journal_verified *verified, char *error, size_t error_size);

#endif
