/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sinks: who gets the events, by `outputs[]` of the configuration. doc/forwarding.md is for
 * people who configure them.
 *
 *     journal ──▶ a thread for each sink: reader with its cursor, filter, body, sending ──▶
 * receiver
 *
 * Each sink sends what is synced in the journal, in order, at least once; it goes on where it was
 * after a restart, an outage or a crash. A sink that is away slows nobody: the journal keeps what
 * there is for it, and what the journal could not keep the receiver is told by an event.
 *
 * The life of it, as the sensor calls it (from one thread, where nothing else is said):
 *
 *     sinks = ft_sinks_read(file, &options, error, sizeof(error));   configuration; no thread yet
 *     ft_sinks_listen(sinks, owner, group, error, sizeof(error));    as root, before the journal
 *     ft_sinks_start(sinks, journal, error, sizeof(error));
 *     while (...)  ft_sinks_next_notice(sinks, &notice)              what to tell as health events
 *     ft_journal_flush(journal, ...);                                the last lines
 *     ft_sinks_stop(sinks, 3000);                                    sends them
 *     ft_sinks_free(sinks);  ft_journal_close(journal, ...);
 */
#ifndef FT_SINKS_H
#define FT_SINKS_H

#include "forward/source.h"
#include "journal/journal.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define FT_SINKS_MAX 32u
/** Bytes of a sink's name, with its NUL: letters, digits, - and _. It names its cursor, too. */
#define FT_SINK_NAME_SIZE 41u
#define FT_SINK_TEXT_SIZE 256u

struct ft_sinks;

/** Nothing of it is owned; all of it must live as long as the sinks. */
struct ft_sinks_options {
    struct ft_forward_sensor sensor; /**< as bodies name it; `name` is needed */
    const char *hostname;            /**< of syslog's header; NULL: the sensor's name */
    const char *folder;              /**< where relative paths of files begin; NULL: "." */
    const char *const *protocols;    /**< valid names in filters, ended by NULL; NULL: any */
};

/**
 * Make the sinks that a configuration file wants. A file without `outputs` has none: that is no
 * error. NULL and a line for each error in `error`, "FILE:LINE:COLUMN: what is wrong and what would
 * be right". The file is well-formed as far as ft_config_read() took it; `outputs` is read here
 * alone. Nothing is connected, no file is written.
 */
struct ft_sinks *ft_sinks_read(const char *file, const struct ft_sinks_options *options,
                               char *error, size_t error_size);

/**
 * The same of `outputs` alone (the array, or NULL: none), which is kept. `file` names it in errors,
 * `text` is the whole text for lines and columns, or NULL: these are 1 then.
 */
struct ft_sinks *ft_sinks_new(const json_t *outputs, const char *file, const char *text,
                              const struct ft_sinks_options *options, char *error,
                              size_t error_size);

/** How many there are. */
uint32_t ft_sinks_count(const struct ft_sinks *sinks);

/** Is there one that ft_sinks_listen() makes a socket for? */
bool ft_sinks_will_listen(const struct ft_sinks *sinks);

/**
 * Listen on the sockets of `unix_stream` sinks, before privileges are dropped, which a socket's
 * group may take, and before the journal is opened. They become `owner`'s and, if a sink names no
 * group, `group`'s; -1: as they are made. False and one sentence when one cannot be made.
 */
bool ft_sinks_listen(struct ft_sinks *sinks, uid_t owner, gid_t group, char *error,
                     size_t error_size);

/**
 * Start the threads (all signals blocked in them), and listen where ft_sinks_listen() was not
 * called. False and one sentence when there is no memory or no thread, or a name is in use;
 * none runs then. A receiver that does not answer, a file that cannot be written is no error: that
 * sink is down, and tries again.
 *
 * Threads and names are "sink-NAME". Privileges may be dropped before: what is read from files
 * (certificates of authorities, keys) is read at each connecting.
 */
bool ft_sinks_start(struct ft_sinks *sinks, struct ft_journal *journal, char *error,
                    size_t error_size);

/**
 * Send what the journal has synced, for at most `timeout_ms`, then end the threads. A sink that is
 * down gets no more tries. True when every sink has sent all; what it has not, it sends when it is
 * started again. Behind it only ft_sinks_stats() and ft_sinks_free() are allowed.
 */
bool ft_sinks_stop(struct ft_sinks *sinks, uint32_t timeout_ms);

/** Has no thread been left behind? False behind a stop, or a start that failed: one hangs in a call
 * of the system, and uses the journal when it comes back. */
bool ft_sinks_have_ended(const struct ft_sinks *sinks);

/**
 * Stopped ones, or never started; NULL is allowed. False: a thread hangs in a call of the system (a
 * disk that does not answer), so it and its memory were left behind, and the journal, which it may
 * still use, must be flushed and left open, too; the process can exit.
 */
bool ft_sinks_free(struct ft_sinks *sinks);

/* ---- any thread, while they run ---- */

/** Open files anew (SIGHUP, behind logrotate). At once, the threads do it. No system call but
 * waking them. */
void ft_sinks_reopen(struct ft_sinks *sinks);

/**
 * Send one event, marked as a test (event_type health, event "sink_test", `test` true), past filter
 * and journal. Returns a number for ft_sinks_test_is_over(); 0 and a sentence: there is no such
 * sink that runs.
 */
uint64_t ft_sinks_test_begin(struct ft_sinks *sinks, const char *name, char *text,
                             size_t text_size);

/**
 * Is that test over? Then *is_ok and `text`, one sentence, say how it ended: it is when the
 * receiver has the event, as far as its protocol tells.
 */
bool ft_sinks_test_is_over(struct ft_sinks *sinks, const char *name, uint64_t number, bool *is_ok,
                           char *text, size_t text_size);

enum ft_sink_state {
    FT_SINK_STOPPED,    /**< not started, or stopped */
    FT_SINK_CONNECTING, /**< for the first time, or again after it was up */
    FT_SINK_UP,         /**< the receiver takes what it is sent */
    FT_SINK_DOWN,       /**< it does not, or not since 5 s; tried again with back-off */
};
/** "stopped", "connecting", "up", "down". */
const char *ft_sink_state_name(enum ft_sink_state state);

struct ft_sink_stats {
    const char *name, *kind; /**< live as long as the sinks */
    const char *target;      /**< "tls://siem.example:6514", "/var/log/eve.json" */
    enum ft_sink_state state;
    uint64_t since_ns; /**< CLOCK_REALTIME: since when it is in that state */
    uint64_t lag;      /**< records synced in the journal and not acknowledged, of all classes, at
                            this moment, whatever the sink's thread waits for */
    uint64_t acknowledged;  /**< sequence through which all is delivered or not wanted */
    uint64_t sent;          /**< records delivered; what was sent again counts again */
    uint64_t bytes;         /**< of them, as sent */
    uint64_t filtered;      /**< not wanted by the filter */
    uint64_t refused;       /**< left out since the receiver will never take them, or the format has
                                 no such body */
    uint64_t missed;        /**< that the journal could not keep until they were sent */
    uint64_t failed;        /**< attempts to connect or to send that failed */
    uint64_t connected;     /**< times that it was connected, or its file opened */
    uint64_t last_sent_ns;  /**< CLOCK_REALTIME; 0 = never */
    uint32_t readers;       /**< of a `unix` stream, now */
    uint64_t dropped;       /**< of its readers, for being too slow */
    uint64_t last_error_ns; /**< CLOCK_REALTIME; 0 = there was none */
    char last_error[FT_SINK_TEXT_SIZE]; /**< one sentence */
};

/** Of the sink number `i`; false behind the last. A lock held for the copying. */
bool ft_sinks_stats(const struct ft_sinks *sinks, uint32_t i, struct ft_sink_stats *stats);

/** What the sensor tells as health events. */
enum ft_sink_notice_kind {
    FT_SINK_NOTICE_DOWN,    /**< "sink_down", major: the receiver is away since two tries */
    FT_SINK_NOTICE_UP,      /**< "sink_up", warning: it is back, and took something */
    FT_SINK_NOTICE_MISSED,  /**< "sink_missed", major: the journal could not keep records for it */
    FT_SINK_NOTICE_REFUSED, /**< "sink_refused", minor: the receiver refuses records; once until it
                                 takes all for a minute */
    FT_SINK_NOTICE_DROPPED, /**< "sink_reader_dropped", minor: a reader of a `unix` stream */
    FT_SINK_NOTICE_REMOVED, /**< "sink_file_removed", minor: a new file is begun */
};

struct ft_sink_notice {
    enum ft_sink_notice_kind kind;
    char sink[FT_SINK_NAME_SIZE];
    uint64_t count;               /**< records, where it is about some */
    char text[FT_SINK_TEXT_SIZE]; /**< one sentence for people, with the sink's name */
};

/** Name of the health event, "sink_down", and its severity: 1 critical .. 4 warning. */
const char *ft_sink_notice_name(enum ft_sink_notice_kind kind);
uint8_t ft_sink_notice_severity(enum ft_sink_notice_kind kind);

/** The next notice; false when there is none. At most 64 wait; MISSED are added up, of others the
 * latest is what counts. A lock, no system call. */
bool ft_sinks_next_notice(struct ft_sinks *sinks, struct ft_sink_notice *notice);

/** Print every key of `outputs[]`, columns two blanks apart, as ft_config_describe() does. */
void ft_sinks_describe(FILE *to);

#endif
