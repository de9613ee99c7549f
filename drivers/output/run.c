/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The thread of a sink: read the journal, filter, send, acknowledge.
 *
 * What is acknowledged, and when. A kind whose send() is final (a file that was synced, a webhook
 * that answered) has its records acknowledged at once, and when it fails the rest of them waits
 * here to be sent again. A kind that settles has what it sent noted in `flights`: acknowledged is
 * what the peer's kernel took and behind which the connection stood for settle_ms. When it breaks,
 * what was sent since is read from the journal again: the reader is opened anew, at its cursor.
 */
#include "output/internal.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define ROOM           (512u << 10) /* bytes of records that are sent together, at most */
#define ROOM_RECORD    (FT_JOURNAL_RECORD_MAX + FT_SINK_LINE_SIZE)
#define READ_MAX       4096u /* records read before what was left out of them is acknowledged */
#define IDLE_MS        500u
#define FIRST_RETRY_MS 250u
#define CALM_MS        60000u /* without refusals: the next one is told again */

static uint64_t clock_of(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t ft_sink_now_ms(void)
{
    return clock_of(CLOCK_MONOTONIC) / 1000000u;
}

bool ft_sink_is_stopping(const struct ft_sink *s)
{
    return atomic_load(&((struct ft_sink *)(uintptr_t)s)->asked) & FT_SINK_ASK_STOP;
}

bool ft_sink_is_over(const struct ft_sink *s)
{
    return ft_sink_is_stopping(s) &&
           ft_sink_now_ms() >= atomic_load(&((struct ft_sink *)(uintptr_t)s)->deadline_ms);
}

bool ft_sink_fail(struct ft_sink *s, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(s->error, sizeof(s->error), format, ap);
    va_end(ap);
    return false;
}

int ft_sink_wait(struct ft_sink *s, int fd, short events, uint32_t timeout_ms)
{
    uint64_t end = ft_sink_now_ms() + timeout_ms;
    for (;;) {
        struct pollfd p[2] = {{s->wake_fd, POLLIN, 0}, {fd, events, 0}};
        uint64_t now = ft_sink_now_ms(), until = end, ignored;
        if (ft_sink_is_over(s))
            return -1;
        if (ft_sink_is_stopping(s) && atomic_load(&s->deadline_ms) < until)
            until = atomic_load(&s->deadline_ms);
        int n = poll(p, fd < 0 ? 1 : 2, until > now ? (int)(until - now) : 0);
        if (n > 0 && p[0].revents && read(s->wake_fd, &ignored, sizeof(ignored)) > 0 && fd < 0)
            return ft_sink_is_over(s) ? -1 : 0; /* a pause ends when somebody asks for something */
        if (n > 0 && fd >= 0 && p[1].revents)
            return 1;
        if (ft_sink_now_ms() >= end)
            return ft_sink_is_over(s) ? -1 : 0;
    }
}

bool ft_sink_path(const struct ft_sink *s, const char *path, char *to, size_t size)
{
    const char *folder = s->options->folder;
    int n = *path == '/' || !folder ? snprintf(to, size, "%s", path)
                                    : snprintf(to, size, "%s/%s", folder, path);
    return n > 0 && (size_t)n < size;
}

bool ft_sink_parses(const struct ft_sink *s)
{
    return s->body.format != FT_BODY_JSON;
}

uint32_t ft_sink_body(const struct ft_sink *s, struct ft_sink_record *record, char *to,
                      uint32_t size)
{
    if (ft_sink_parses(s) && !record->event.root && !ft_forward_event_parse(&record->event))
        return 0;
    return ft_body_write(&s->body, &record->event, to, size);
}

/* ---- what is told of it ---- */

void ft_sink_set_state(struct ft_sink *s, enum ft_sink_state state)
{
    pthread_mutex_lock(&s->lock);
    if (s->stats.state != state) {
        s->stats.state = state;
        s->stats.since_ns = clock_of(CLOCK_REALTIME);
    }
    pthread_mutex_unlock(&s->lock);
}

void ft_sink_note_failure(struct ft_sink *s)
{
    pthread_mutex_lock(&s->lock);
    s->stats.failed++;
    s->stats.last_error_ns = clock_of(CLOCK_REALTIME);
    memcpy(s->stats.last_error, s->error, sizeof(s->stats.last_error));
    pthread_mutex_unlock(&s->lock);
}

/* The latest of a kind and a sink replaces the one before it, so few places are enough. */
static struct ft_sink_notice *place_of(struct ft_sinks *all, const char *sink,
                                       enum ft_sink_notice_kind kind)
{
    for (uint32_t i = 0; i < all->notice_count; i++)
        if (all->notices[i].kind == kind && !strcmp(all->notices[i].sink, sink))
            return &all->notices[i];
    if (all->notice_count == FT_SINKS_NOTICES)
        return NULL;
    struct ft_sink_notice *n = &all->notices[all->notice_count++];
    *n = (struct ft_sink_notice){.kind = kind};
    snprintf(n->sink, sizeof(n->sink), "%s", sink);
    return n;
}

void ft_sink_tell(struct ft_sink *s, enum ft_sink_notice_kind kind, uint64_t count,
                  const char *format, ...)
{
    struct ft_sinks *all = s->sinks;
    va_list ap;
    va_start(ap, format);
    pthread_mutex_lock(&all->lock);
    struct ft_sink_notice *n = place_of(all, s->name, kind);
    if (n) {
        n->count += count;
        vsnprintf(n->text, sizeof(n->text), format, ap);
    }
    pthread_mutex_unlock(&all->lock);
    va_end(ap);
}

/* By numbers of the sequence. Behind a crash it jumps ahead, so who has read all lags by nothing,
 * whatever the numbers say. */
static void update_lag(struct ft_sink *s)
{
    uint64_t acknowledged = s->acknowledged;
    struct ft_journal_stats journal;
    ft_journal_stats(s->journal, &journal);
    uint64_t through = journal.synced_through;
    pthread_mutex_lock(&s->lock);
    s->stats.lag = !s->has_all && through > acknowledged ? through - acknowledged : 0;
    s->stats.acknowledged = acknowledged;
    pthread_mutex_unlock(&s->lock);
}

/* ---- tests ---- */

bool ft_sink_take_test(struct ft_sink *s)
{
    return atomic_fetch_and(&s->asked, ~(unsigned)FT_SINK_ASK_TEST) & FT_SINK_ASK_TEST;
}

void ft_sink_end_test(struct ft_sink *s, bool is_ok, const char *text)
{
    pthread_mutex_lock(&s->lock);
    s->test_ok = is_ok;
    s->test_over = true;
    snprintf(s->test_text, sizeof(s->test_text), "%s", text);
    pthread_cond_broadcast(&s->told);
    pthread_mutex_unlock(&s->lock);
}

/* ---- the reader ---- */

static void set_awake(struct ft_sink *s, struct ft_journal_reader *reader)
{
    pthread_mutex_lock(&s->lock);
    s->awake = reader;
    pthread_mutex_unlock(&s->lock);
}

static bool open_reader(struct ft_sink *s)
{
    struct ft_journal_reader *reader =
        ft_journal_reader_open(s->journal, &s->where, s->error, sizeof(s->error));
    s->reader = reader;
    set_awake(s, reader);
    return reader != NULL;
}

static void close_reader(struct ft_sink *s)
{
    struct ft_journal_reader *reader = s->reader;
    set_awake(s, NULL);
    s->reader = NULL;
    if (reader)
        ft_journal_reader_close(reader);
}

static void free_records(struct ft_sink *s)
{
    for (uint32_t i = 0; i < s->count; i++)
        ft_forward_event_free(&s->records[i].event);
    s->count = s->first = 0;
}

static void acknowledge(struct ft_sink *s, uint64_t through)
{
    if (!through || (s->has_acknowledged && through <= s->acknowledged))
        return;
    ft_journal_reader_ack(s->reader, through);
    s->acknowledged = through;
    s->has_acknowledged = true;
    /* for a reader that is opened anew, should its cursor not be on disk */
    s->where.start = FT_JOURNAL_START_SEQUENCE;
    s->where.start_sequence = through + 1;
}

/* Back to what was acknowledged: all behind it is sent again. */
static void rewind_reader(struct ft_sink *s)
{
    free_records(s);
    s->flight_count = 0;
    s->through = 0;
    close_reader(s);
}

/* ---- reading a batch ---- */

static bool add_record(struct ft_sink *s, const void *line, uint32_t length, uint64_t through,
                       uint32_t *used, bool is_own)
{
    struct ft_sink_record *r = &s->records[s->count];
    const char *from = line;
    while (length && (from[length - 1] == '\n' || from[length - 1] == '\r'))
        length--;
    memset(r, 0, sizeof(*r));
    memcpy(s->room + *used, from, length);
    ft_forward_event_skim(&r->event, s->room + *used, length);
    if (!is_own && !ft_sink_filter_passes(&s->filter, &r->event)) {
        ft_forward_event_free(&r->event);
        return false;
    }
    r->through = through;
    r->is_own = is_own;
    *used += length;
    s->count++;
    return true;
}

static void add_gap(struct ft_sink *s, const struct ft_journal_item *gap, uint32_t *used)
{
    char line[FT_SINK_LINE_SIZE];
    uint32_t length = ft_sink_line_gap(s, gap, line);
    if (length)
        add_record(s, line, length, gap->last_sequence, used, true);
    if (gap->last_sequence <= s->counted_gap[gap->class])
        return; /* it was told before, and is sent again only */
    s->counted_gap[gap->class] = gap->last_sequence;
    pthread_mutex_lock(&s->lock);
    s->stats.missed += gap->count;
    pthread_mutex_unlock(&s->lock);
    ft_sink_tell(s, FT_SINK_NOTICE_MISSED, gap->count,
                 "The sink %s missed records that the journal could not keep, the last of class %s "
                 "(%s).",
                 s->name, ft_journal_class_name(gap->class), ft_journal_gap_name(gap->gap));
}

/* Milliseconds that reading may wait for the first record. */
static uint32_t patience(const struct ft_sink *s)
{
    if (ft_sink_is_stopping(s))
        return s->flight_count ? 20 : 0;
    return s->flight_count ? 50 : IDLE_MS;
}

static uint32_t batch_of(const struct ft_sink *s)
{
    uint32_t tenth = s->max_rate / 10 ? s->max_rate / 10 : 1;
    return s->max_rate && tenth < s->batch ? tenth : s->batch;
}

/* False: there was nothing, or somebody wants something. */
static bool read_batch(struct ft_sink *s)
{
    uint32_t used = 0, seen = 0, left_out = 0, batch = batch_of(s);
    uint64_t until = 0;
    while (s->count < batch && used + ROOM_RECORD <= ROOM && seen < READ_MAX) {
        struct ft_journal_item item;
        uint64_t now = until ? ft_sink_now_ms() : 0;
        bool is_hurried = ft_sink_is_stopping(s);
        uint32_t wait = !seen                        ? patience(s)
                        : until > now && !is_hurried ? (uint32_t)(until - now)
                                                     : 0;
        ft_journal_reader_next(s->reader, &item, wait);
        if (item.kind == FT_JOURNAL_NOTHING || item.kind == FT_JOURNAL_END)
            break;
        if (!seen++)
            until = ft_sink_now_ms() + s->linger_ms;
        if (item.kind == FT_JOURNAL_GAP) {
            add_gap(s, &item, &used);
            s->through = item.last_sequence;
            continue;
        }
        s->through = item.sequence;
        if (item.sequence > s->resume_through &&
            !add_record(s, item.bytes, item.length, item.sequence, &used, false))
            left_out++;
    }
    if (left_out) {
        pthread_mutex_lock(&s->lock);
        s->stats.filtered += left_out;
        pthread_mutex_unlock(&s->lock);
    }
    return seen > 0;
}

/* ---- sending ---- */

static void note_sent(struct ft_sink *s, const struct ft_sink_sent *sent)
{
    uint64_t now = ft_sink_now_ms();
    pthread_mutex_lock(&s->lock);
    s->stats.sent += sent->done - sent->refused;
    s->stats.refused += sent->refused;
    s->stats.bytes += sent->bytes;
    if (sent->done > sent->refused)
        s->stats.last_sent_ns = clock_of(CLOCK_REALTIME);
    pthread_mutex_unlock(&s->lock);
    if (sent->refused && (!s->is_told_refused || now - s->refused_ms > CALM_MS))
        ft_sink_tell(s, FT_SINK_NOTICE_REFUSED, sent->refused,
                     "The receiver of the sink %s refuses records: %s", s->name, s->error);
    if (sent->refused) {
        s->is_told_refused = true;
        s->refused_ms = now;
    }
}

/* The receiver took something: it is up. */
static void is_working(struct ft_sink *s)
{
    s->failures = 0;
    ft_sink_set_state(s, FT_SINK_UP);
    if (s->is_told_down)
        ft_sink_tell(s, FT_SINK_NOTICE_UP, 0, "The sink %s sends again to %s.", s->name, s->target);
    s->is_told_down = false;
}

/* Back-off: 1/4 s, doubled up to retry_ms, and of that between half and all, so that many sinks of
 * many sensors do not come back at the same moment. */
static uint64_t back_off(struct ft_sink *s)
{
    uint64_t ms = FIRST_RETRY_MS;
    for (uint32_t i = 1; i < s->failures && ms < s->retry_ms; i++)
        ms *= 2;
    ms = ms > s->retry_ms ? s->retry_ms : ms;
    s->jitter = s->jitter * 6364136223846793005u + 1442695040888963407u;
    return ms / 2 + (s->jitter >> 33) % (ms / 2 + 1);
}

static void has_failed(struct ft_sink *s)
{
    s->has_all = false;
    s->failures++;
    ft_sink_note_failure(s);
    s->kind->close(s, s->state);
    s->is_open = false;
    if (s->settle_ms)
        rewind_reader(s);
    ft_sink_set_state(s, s->failures > 1 ? FT_SINK_DOWN : FT_SINK_CONNECTING);
    s->retry_at_ms = ft_sink_now_ms() + back_off(s);
    if (s->failures == 2 && !s->is_told_down) {
        s->is_told_down = true;
        ft_sink_tell(s, FT_SINK_NOTICE_DOWN, 0, "The sink %s cannot send to %s: %s", s->name,
                     s->target, s->error);
    }
}

/* Note what is on its way. What was sent within a moment is one, so there is room for all of it.
 * False: the connection broke. */
static bool take_off(struct ft_sink *s, uint64_t through)
{
    uint64_t now = ft_sink_now_ms(), written = 0, taken = 0;
    uint32_t last = (s->flight_first + s->flight_count + FT_SINK_FLIGHTS - 1) % FT_SINK_FLIGHTS;
    struct ft_sink_flight *f = &s->flights[last];
    if (!s->kind->check(s, s->state, &written, &taken))
        return false;
    bool is_near = s->flight_count && now - f->sent_ms < s->settle_ms / 64 + 1 && !f->taken_ms;
    if (!is_near && s->flight_count < FT_SINK_FLIGHTS) {
        f = &s->flights[(s->flight_first + s->flight_count++) % FT_SINK_FLIGHTS];
        f->sent_ms = now;
    }
    f->through = through;
    f->mark = written;
    f->taken_ms = 0;
    return true;
}

/* What landed is acknowledged. False: the connection broke. */
static bool look_at_flights(struct ft_sink *s)
{
    uint64_t written = 0, taken = 0, now = ft_sink_now_ms();
    uint32_t settle = s->settle_ms;
    if (!s->settle_ms || !s->is_open)
        return true;
    if (!s->kind->check(s, s->state, &written, &taken))
        return false;
    if (ft_sink_is_stopping(s) && settle > 300)
        settle = 300;
    for (uint32_t i = 0; i < s->flight_count; i++) {
        struct ft_sink_flight *f = &s->flights[(s->flight_first + i) % FT_SINK_FLIGHTS];
        if (!f->taken_ms && taken >= f->mark)
            f->taken_ms = now;
    }
    while (s->flight_count) {
        struct ft_sink_flight *f = &s->flights[s->flight_first];
        if (!f->taken_ms || now - f->taken_ms < settle)
            break;
        acknowledge(s, f->through);
        is_working(s);
        s->flight_first = (s->flight_first + 1) % FT_SINK_FLIGHTS;
        s->flight_count--;
    }
    return true;
}

static bool is_delivered(struct ft_sink *s, uint64_t through)
{
    if (s->settle_ms)
        return take_off(s, through);
    acknowledge(s, through);
    is_working(s);
    return true;
}

/* A rate that is bounded, catching up too. */
static void keep_pace(struct ft_sink *s, uint32_t records)
{
    uint64_t now = clock_of(CLOCK_MONOTONIC) / 1000u;
    if (!s->max_rate)
        return;
    while (s->paced_us > now && !ft_sink_is_over(s)) {
        ft_sink_wait(s, -1, 0, (uint32_t)((s->paced_us - now) / 1000u + 1));
        now = clock_of(CLOCK_MONOTONIC) / 1000u;
    }
    s->paced_us = (s->paced_us > now ? s->paced_us : now) + records * 1000000ull / s->max_rate;
}

/* False: failed; the rest waits, if the kind does not settle. */
static bool send_batch(struct ft_sink *s)
{
    while (s->first < s->count) {
        keep_pace(s, s->count - s->first);
        struct ft_sink_sent sent =
            s->kind->send(s, s->state, s->records + s->first, s->count - s->first);
        note_sent(s, &sent);
        if (sent.done) {
            s->first += sent.done;
            if (!is_delivered(s, s->records[s->first - 1].through))
                return false;
        }
        if (sent.is_failed || ft_sink_is_over(s))
            return !sent.is_failed;
    }
    free_records(s);
    if (s->flight_count)
        /* what was left out behind the last one goes with it */
        s->flights[(s->flight_first + s->flight_count - 1) % FT_SINK_FLIGHTS].through = s->through;
    else
        acknowledge(s, s->through);
    return true;
}

/* ---- opening ---- */

static bool try_to_open(struct ft_sink *s)
{
    if (!s->reader && !open_reader(s))
        return false;
    if (!s->kind->open(s, s->state))
        return false;
    s->is_open = true;
    s->may_resume = false;
    pthread_mutex_lock(&s->lock);
    s->stats.connected++;
    pthread_mutex_unlock(&s->lock);
    if (!s->failures)
        ft_sink_set_state(s, FT_SINK_UP);
    return true;
}

/* Wait for the next try. */
static void stay_away(struct ft_sink *s)
{
    uint64_t now = ft_sink_now_ms();
    if (s->retry_at_ms > now) {
        uint64_t wait = s->retry_at_ms - now;
        ft_sink_wait(s, -1, 0, wait > IDLE_MS ? IDLE_MS : (uint32_t)wait);
    }
    s->has_all = false;
    update_lag(s);
}

/* ---- what others ask for ---- */

static bool wait_until_landed(struct ft_sink *s)
{
    uint64_t written, taken, end = ft_sink_now_ms() + s->settle_ms, mark = 0;
    if (!s->settle_ms)
        return true;
    if (!s->kind->check(s, s->state, &mark, &taken))
        return false;
    for (;;) {
        if (!s->kind->check(s, s->state, &written, &taken))
            return false;
        if (taken >= mark && ft_sink_now_ms() >= end)
            return true;
        if (ft_sink_now_ms() >= end + 10000)
            return ft_sink_fail(s, "the receiver does not take it");
        if (ft_sink_wait(s, -1, 0, 20) < 0)
            return ft_sink_fail(s, "stopped");
    }
}

static void answer_test(struct ft_sink *s)
{
    char line[FT_SINK_LINE_SIZE], text[FT_SINK_TEXT_SIZE + 64];
    struct ft_sink_record record = {.is_own = true};
    if (!ft_sink_take_test(s))
        return;
    s->error[0] = 0;
    bool ok = s->is_open || try_to_open(s);
    if (ok) {
        ft_forward_event_skim(&record.event, line, ft_sink_line_test(s, line));
        struct ft_sink_sent sent = s->kind->send(s, s->state, &record, 1);
        ok = sent.done && !sent.refused && wait_until_landed(s);
        ft_forward_event_free(&record.event);
        if (sent.is_failed || (!ok && !sent.refused))
            has_failed(s);
    }
    snprintf(text, sizeof(text), ok ? "The test event was sent to %s.%.0s" : "%s: %s", s->target,
             s->error);
    ft_sink_end_test(s, ok, text);
}

static void answer(struct ft_sink *s)
{
    unsigned asked =
        atomic_fetch_and(&s->asked, ~(unsigned)(FT_SINK_ASK_REOPEN | FT_SINK_ASK_RETRY));
    if (asked & FT_SINK_ASK_REOPEN && s->is_open && !s->settle_ms) {
        s->kind->close(s, s->state);
        s->is_open = false;
        s->retry_at_ms = 0;
    }
    if (asked & FT_SINK_ASK_RETRY)
        s->retry_at_ms = 0;
    if (asked & FT_SINK_ASK_TEST)
        answer_test(s);
}

/* ---- the thread ---- */

/* One turn; false when there is nothing left to do before the end. */
static bool turn(struct ft_sink *s)
{
    answer(s);
    if (!s->is_open) {
        if (ft_sink_now_ms() < s->retry_at_ms) {
            if (!ft_sink_is_stopping(s))
                stay_away(s);
            return !ft_sink_is_stopping(s);
        }
        if (!try_to_open(s))
            has_failed(s);
        return s->is_open || !ft_sink_is_stopping(s);
    }
    if (!s->reader && !open_reader(s)) {
        has_failed(s);
        return !ft_sink_is_stopping(s);
    }
    bool has_read = s->first < s->count || read_batch(s);
    if ((has_read && !send_batch(s)) || !look_at_flights(s)) {
        has_failed(s);
        return true;
    }
    s->has_all = !has_read && !s->flight_count && s->first == s->count;
    update_lag(s);
    return !(s->has_all && ft_sink_is_stopping(s));
}

void *ft_sink_run(void *argument)
{
    struct ft_sink *s = argument;
    if (s->kind->serve) {
        ft_sink_set_state(s, FT_SINK_UP);
        s->kind->serve(s, s->state);
        s->has_all = true;
    } else {
        while (turn(s) && !ft_sink_is_over(s))
            ;
        if (s->is_open)
            s->kind->close(s, s->state);
        free_records(s);
        close_reader(s);
    }
    ft_sink_set_state(s, FT_SINK_STOPPED);
    if (ft_sink_take_test(s))
        ft_sink_end_test(s, false, "the sensor stops");
    pthread_mutex_lock(&s->lock);
    s->has_ended = true;
    pthread_cond_broadcast(&s->told);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}
