/* SPDX-License-Identifier: BSD-3-Clause */
/* For tests of sinks: a journal of events that can be told apart, sinks made of a configuration,
 * and what a receiver got. */
#ifndef SINKS_WORLD_H
#define SINKS_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "journal_folder.h"
#include "output/sinks.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>

#define SEEN_MAX 65536u

/** What a receiver got: how often each event of the journal, by its number. */
struct seen {
    pthread_mutex_t lock;
    uint8_t times[SEEN_MAX];
    uint32_t count, gaps, tests;
    uint64_t last, missed;
    bool is_disordered; /* a number below one that came before, for the first time */
};

struct world {
    char folder[64], journal_folder[80];
    struct ft_journal *journal;
    struct ft_sinks *sinks;
    struct ft_sinks_options options;
    json_t *outputs;
};

static inline uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

static inline void nap(uint32_t ms)
{
    poll(NULL, 0, (int)ms);
}

/* Wait for something for at most ten seconds. */
#define WAIT_FOR(condition)                                                                        \
    do {                                                                                           \
        uint64_t end_ = now_ms() + 10000;                                                          \
        while (!(condition) && now_ms() < end_)                                                    \
            nap(5);                                                                                \
        assert_true(condition);                                                                    \
    } while (0)

/* Send a test event by a sink, and see what becomes of it. */
static inline bool test_sink(struct world *w, const char *name, uint32_t timeout_ms, char *text,
                             size_t size)
{
    bool is_ok = false;
    uint64_t end = now_ms() + timeout_ms;
    uint64_t number = ft_sinks_test_begin(w->sinks, name, text, size);
    while (number && now_ms() < end &&
           !ft_sinks_test_is_over(w->sinks, name, number, &is_ok, text, size))
        nap(5);
    return is_ok;
}

static inline void open_journal(struct world *w, uint64_t class_bytes)
{
    char error[256] = "";
    struct ft_journal_options o = {.folder = w->journal_folder, .sensor = "line3"};
    for (uint32_t c = 0; class_bytes && c < FT_JOURNAL_CLASSES; c++)
        o.limits[c].max_bytes = class_bytes;
    w->journal = ft_journal_open(&o, error, sizeof(error));
    if (!w->journal)
        fail_msg("%s", error);
}

static inline void begin_world(struct world *w)
{
    memset(w, 0, sizeof(*w));
    make_folder(w->folder);
    snprintf(w->journal_folder, sizeof(w->journal_folder), "%s/journal", w->folder);
    w->options.sensor.name = "line3";
    w->options.sensor.version = "0.1";
    w->options.folder = w->folder;
}

/* `outputs` with ' for ". */
static inline bool configure(struct world *w, const char *outputs, char *error, size_t size)
{
    char text[4096];
    snprintf(text, sizeof(text), "%s", outputs);
    for (char *c = text; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    json_t *value = json_loads(text, 0, NULL);
    if (!value)
        fail_msg("no JSON: %s", text);
    w->sinks = ft_sinks_new(value, "test", NULL, &w->options, error, size);
    json_decref(value);
    return w->sinks != NULL;
}

__attribute__((format(printf, 2, 3))) static inline void start_sinks(struct world *w,
                                                                     const char *format, ...)
{
    char text[2048], error[1024] = "";
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    if (!configure(w, text, error, sizeof(error)) ||
        !ft_sinks_start(w->sinks, w->journal, error, sizeof(error)))
        fail_msg("%s", error);
}

static inline bool stop_sinks(struct world *w, uint32_t timeout_ms)
{
    bool has_all = ft_sinks_stop(w->sinks, timeout_ms);
    ft_sinks_free(w->sinks);
    w->sinks = NULL;
    return has_all;
}

static inline void end_world(struct world *w)
{
    if (w->sinks)
        stop_sinks(w, 2000);
    if (w->journal)
        ft_journal_close(w->journal, 5000, NULL);
    remove_folder(w->journal_folder);
    remove_folder(w->folder);
}

/* Every fourth is an alert, every eighth a critical one, the others are transactions. */
static inline uint64_t append_event(struct world *w)
{
    char line[512];
    uint64_t n = ft_journal_next(w->journal);
    bool is_alert = n % 4 == 0;
    uint8_t severity = n % 8 == 0 ? 1 : 4;
    int length = snprintf(
        line, sizeof(line),
        "{\"timestamp\":\"2026-01-31T10:20:30.000000+0000\",\"event_type\":\"%s\","
        "\"app_proto\":\"modbus\",%s\"host\":\"line3\",\"fieldtap\":{\"schema_version\":1,"
        "\"event_uid\":\"line3-%llu\",\"sensor\":\"line3\"%s}}\n",
        is_alert ? "alert" : "modbus",
        is_alert ? "\"alert\":{\"severity\":1,\"signature\":\"a\"}," : "", (unsigned long long)n,
        !is_alert      ? ""
        : severity < 4 ? ",\"engine\":\"malware\",\"severity\":\"critical\""
                       : ",\"engine\":\"anomaly\",\"severity\":\"warning\"");
    ft_journal_append(w->journal, is_alert ? FT_JOURNAL_TYPE_ALERT : FT_JOURNAL_TYPE_TRANSACTION, n,
                      severity, n * 1000, line, (uint32_t)length);
    return n;
}

static inline uint64_t append_events(struct world *w, uint32_t count)
{
    uint64_t last = 0;
    while (count--)
        last = append_event(w);
    assert_true(ft_journal_flush(w->journal, 5000));
    return last;
}

/* ---- what was received ---- */

/* An event, or something around one: its event_uid is looked for. */
static inline void see(struct seen *seen, const char *text)
{
    const char *uid = strstr(text, "\"event_uid\":\"line3-");
    pthread_mutex_lock(&seen->lock);
    if (strstr(text, "\"records_missed\"")) {
        const char *count = strstr(text, "\"count\":");
        seen->gaps++;
        seen->missed += count ? strtoull(count + 8, NULL, 10) : 0;
    } else if (strstr(text, "\"sink_test\"")) {
        seen->tests++;
    } else if (uid) {
        uint64_t n = strtoull(uid + 19, NULL, 10);
        if (n < SEEN_MAX && seen->times[n] < 255 && !seen->times[n]++) {
            seen->count++;
            seen->is_disordered = seen->is_disordered || n < seen->last;
            seen->last = n;
        }
    }
    pthread_mutex_unlock(&seen->lock);
}

static inline uint32_t seen_count(struct seen *seen)
{
    pthread_mutex_lock(&seen->lock);
    uint32_t n = seen->count;
    pthread_mutex_unlock(&seen->lock);
    return n;
}

static inline struct ft_sink_stats stats_of(struct world *w)
{
    struct ft_sink_stats stats;
    assert_true(ft_sinks_stats(w->sinks, 0, &stats));
    return stats;
}

/* ---- sockets ---- */

static inline int listen_on(uint16_t *port)
{
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

/* A receiver in a thread of its own, which is given its listening socket: (int)(intptr_t)arg. */
static inline int begin_receiver(pthread_t *thread, void *(*run)(void *), uint16_t *port)
{
    int listener = listen_on(port);
    assert_int_equal(pthread_create(thread, NULL, run, (void *)(intptr_t)listener), 0);
    return listener;
}

#endif
