/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The interface of one kind of sink: a file here each, and a row in kinds.c.
 *
 * A kind is a table of keys that it is configured with and a few functions on a state of its own.
 * Reading the journal, filters, order, back-off, acknowledging, statistics are the runner's
 * (run.c): a kind makes bodies and sends them, and says how far it came. It runs in the sink's
 * thread, so it may block, but only in ft_sink_wait() or for a few seconds at most.
 *
 * At least once, with receivers that acknowledge nothing: a kind over a network gives `settle_ms`
 * and check(). What was sent counts as delivered when the peer's kernel has taken it and the
 * connection stood that long behind it; when it breaks before, all of that is sent again.
 */
#ifndef FT_SINK_H
#define FT_SINK_H

#include "base/locate.h"
#include "forward/body.h"
#include "forward/sink_filter.h"
#include "output/sinks.h"

#include <pthread.h>
#include <stdatomic.h>

struct ft_sink;

/** A record on its way: of the journal, or one of the sink's own (a gap, a test). */
struct ft_sink_record {
    struct ft_forward_event event; /**< skimmed; whoever needs more parses it; the runner frees */
    uint64_t through;              /**< sequence in the journal that is done with it; of a test 0 */
    bool is_own;
};

/** What became of sending. */
struct ft_sink_sent {
    uint32_t done;    /**< records from the front that need not be sent again */
    uint32_t refused; /**< of them, those that nobody got and never will */
    uint64_t bytes;
    bool is_failed; /**< sink->error says why: it is closed and opened again later */
};

/* ---- keys ---- */

enum ft_sink_key_kind {
    FT_SINK_KEY_TEXT = 0, /**< const char *; low..high characters */
    FT_SINK_KEY_NUMBER,   /**< uint32_t; low..high */
    FT_SINK_KEY_LONG,     /**< uint64_t; low..high */
    FT_SINK_KEY_TRUTH,    /**< bool */
    FT_SINK_KEY_WORD,     /**< uint32_t: which of the names */
    FT_SINK_KEY_MODE,     /**< uint32_t: permissions as octal text, "0640" */
    FT_SINK_KEY_OWN,      /**< read by a function */
};

struct ft_sink_reading;

struct ft_sink_key {
    const char *name;
    enum ft_sink_key_kind kind;
    bool is_required, is_destination; /**< where events go: two sinks of the same are looked at */
    bool is_file;                     /**< of texts: names a file that has to be there */
    uint64_t low, high;
    size_t offset; /**< in the state */
    const char *(*names)(uint32_t i);
    void (*own)(struct ft_sink_reading *reading, const json_t *value, void *state);
    const char *values;   /**< of a key that is read by a function, for the reference */
    const char *standard; /**< the default, likewise */
    const char *meaning;  /**< one line, likewise */
};

/** Say what is wrong with a key (NULL: with the sink as a whole); below it with `steps` more. */
__attribute__((format(printf, 3, 4))) void ft_sink_wrong(struct ft_sink_reading *reading,
                                                         const char *key, const char *format, ...);
__attribute__((format(printf, 4, 5))) void ft_sink_wrong_below(struct ft_sink_reading *reading,
                                                               const char *key,
                                                               struct ft_step below,
                                                               const char *format, ...);

/* ---- a kind ---- */

struct ft_sink_kind {
    const char *name, *meaning;
    const char
        *lacks; /**< the library that this build has not; then only name and this are there */
    uint32_t state_size;
    const struct ft_sink_key *keys;
    uint32_t key_count;
    bool takes_many;    /**< several sinks may have the same `path`, which is a receiver's */
    bool has_body;      /**< takes format, dialect, delimiter: sink->body */
    uint32_t batch;     /**< records given to one send(), at most; the default of the key */
    uint32_t linger_ms; /**< waits that long for a batch to fill up */
    uint32_t settle_ms; /**< see above; 0: what send() says is final */

    /** Defaults, into a zeroed state. */
    void (*init)(void *state);
    /** What keys alone cannot tell; errors by ft_sink_wrong(). */
    void (*check_settings)(struct ft_sink_reading *reading, struct ft_sink *sink, void *state);
    /** Who the receiver is, for people. */
    void (*target)(const struct ft_sink *sink, const void *state, char *to, size_t size);
    /** Connect, open. False and sink->error. */
    bool (*open)(struct ft_sink *sink, void *state);
    struct ft_sink_sent (*send)(struct ft_sink *sink, void *state, struct ft_sink_record *records,
                                uint32_t count);
    /** Is it still there? Bytes written since it was opened, and how many of them the peer's kernel
     * has. False and sink->error: broken. */
    bool (*check)(struct ft_sink *sink, void *state, uint64_t *written, uint64_t *taken);
    /** Behind open(), also a failed one; any number of times. */
    void (*close)(struct ft_sink *sink, void *state);
    void (*free)(void *state);

    /** Instead of all but the first three: run until ft_sink_is_over(), serving who connects. */
    /** Before, as ft_sinks_listen() does; nothing when it does already. False and sink->error. */
    bool (*listen)(struct ft_sink *sink, void *state, uid_t owner, gid_t group);
    void (*serve)(struct ft_sink *sink, void *state);
};

/** The i-th kind; NULL behind the last. */
const struct ft_sink_kind *ft_sink_kind(uint32_t i);

/* ---- what a kind sees of its sink ---- */

enum {
    FT_SINK_ASK_STOP = 1,
    FT_SINK_ASK_REOPEN = 2,
    FT_SINK_ASK_TEST = 4,
};

/** Sent, and not yet known to be with the receiver. */
struct ft_sink_flight {
    uint64_t through, mark, sent_ms, taken_ms;
};
#define FT_SINK_FLIGHTS 128u

struct ft_sink {
    /* Of the configuration; nobody writes it once the thread runs. */
    char name[FT_SINK_NAME_SIZE];
    char target[FT_SINK_TEXT_SIZE];
    const struct ft_sink_kind *kind;
    void *state;
    const struct ft_sinks_options *options;
    struct ft_body body;
    struct ft_time_zone *zone;
    struct ft_sink_filter filter;
    uint32_t max_rate; /**< records a second; 0 = any */
    uint32_t batch, linger_ms, settle_ms, retry_ms;
    uint32_t start; /**< 0 oldest, 1 newest */
    bool is_disabled;
    struct ft_sinks *sinks;
    struct ft_journal *journal;

    /* The thread's own. */
    char error[FT_SINK_TEXT_SIZE]; /**< of the last call that failed, one sentence */
    uint64_t resume_through; /**< of a kind that knows what it wrote before a crash: up to here is
                                  not given to it again; open() may raise it */
    bool syncs_cursor; /**< of a kind that has no other way to know after a crash: the cursor on
                          disk follows each batch, and not within a second; open() may set it */
    bool may_resume;   /**< open() may: nothing was sent by this process yet */
    struct ft_journal_reader *reader;
    struct ft_journal_reader_options where;
    struct ft_sink_record *records;
    char *room;
    uint32_t count, first; /**< records that wait are first..count */
    uint64_t through;      /**< all that was read is done up to here when they are */
    uint64_t acknowledged;
    bool is_open, is_told_down, is_told_refused;
    uint32_t failures; /**< in a row */
    uint64_t retry_at_ms, paced_us, refused_ms;
    uint64_t retry_after_ms; /**< a kind's send(): the receiver wants not to be asked for so long */
    uint64_t counted_gap[FT_JOURNAL_CLASSES];
    struct ft_sink_flight flights[FT_SINK_FLIGHTS];
    uint32_t flight_first, flight_count;
    uint64_t jitter;

    /* Between threads. */
    pthread_t thread;
    bool is_running; /**< the thread was started */
    bool has_ended;  /**< the thread is about to return; under the lock */
    bool has_all;    /**< then: everything was sent */
    int wake_fd;
    atomic_uint asked;            /**< FT_SINK_ASK_* */
    _Atomic uint64_t deadline_ms; /**< of stopping */
    _Atomic uint64_t call_ms;     /**< the thread is in open() or send() since then; 0: no */
    uint64_t done_through; /**< in the journal, under the lock: behind it lies what it lags by */
    bool is_moving; /**< likewise: its lag follows the journal; else it is what it was at the end */
    pthread_mutex_t lock;            /**< stats, test, reader as seen by who wakes it */
    pthread_cond_t told;             /**< test is over; the thread has ended */
    struct ft_journal_reader *awake; /**< the reader that may wait */
    struct ft_sink_stats stats;
    uint64_t test_asked, test_taken, test_answered; /**< numbers of tests */
    bool test_ok;
    char test_text[FT_SINK_TEXT_SIZE];
};

/** CLOCK_MONOTONIC. */
uint64_t ft_sink_now_ms(void);

/** Is it time to leave: stopping, and the time for it is over? */
bool ft_sink_is_over(const struct ft_sink *sink);
bool ft_sink_is_stopping(const struct ft_sink *sink);

/**
 * Wait until `fd` (-1: nobody) is ready for `events` of poll(). 1 = it is, 0 = the time is over, -1
 * = the sink has to stop.
 */
int ft_sink_wait(struct ft_sink *sink, int fd, short events, uint32_t timeout_ms);

/** sink->error; returns false. */
__attribute__((format(printf, 2, 3))) bool ft_sink_fail(struct ft_sink *sink, const char *format,
                                                        ...);

/** The path below options->folder, if it is relative. False when it is too long. */
bool ft_sink_path(const struct ft_sink *sink, const char *path, char *to, size_t size);

/** Parse the event if the format needs it, write the body; 0: it has none. */
uint32_t ft_sink_body(const struct ft_sink *sink, struct ft_sink_record *record, char *to,
                      uint32_t size);
/** Does the format of the sink's body need events parsed? */
bool ft_sink_parses(const struct ft_sink *sink);

/* ---- for kinds that serve ---- */

/** Tell a notice to the sensor. Any thread. */
__attribute__((format(printf, 4, 5))) void ft_sink_tell(struct ft_sink *sink,
                                                        enum ft_sink_notice_kind kind,
                                                        uint64_t count, const char *format, ...);

/** Take a test that is asked for; the answer to it. */
bool ft_sink_take_test(struct ft_sink *sink);
void ft_sink_end_test(struct ft_sink *sink, bool is_ok, const char *text);

/** The line of a test, and of a gap; no line end. Length. */
#define FT_SINK_LINE_SIZE 1536u
uint32_t ft_sink_line_test(const struct ft_sink *sink, char to[FT_SINK_LINE_SIZE]);
uint32_t ft_sink_line_gap(const struct ft_sink *sink, const struct ft_journal_item *gap,
                          char to[FT_SINK_LINE_SIZE]);

#endif
