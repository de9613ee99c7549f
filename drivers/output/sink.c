/* SPDX-License-Identifier: BSD-3-Clause */
/* What sinks of all kinds are made with: waiting, paths, bodies; what is told of them. */
#include "output/internal.h"

#include "base/clock_ns.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

uint64_t ft_sink_now_ms(void)
{
    return ft_clock_ns(CLOCK_MONOTONIC) / 1000000u;
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
        s->stats.since_ns = ft_clock_ns(CLOCK_REALTIME);
    }
    pthread_mutex_unlock(&s->lock);
}

void ft_sink_note_failure(struct ft_sink *s)
{
    pthread_mutex_lock(&s->lock);
    s->stats.failed++;
    s->stats.last_error_ns = ft_clock_ns(CLOCK_REALTIME);
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

/* By numbers of the sequence. Behind a crash it jumps ahead, so who has read all is done with all
 * that the reader has seen, whatever was acknowledged last. */
void ft_sink_note_progress(struct ft_sink *s)
{
    uint64_t done = s->acknowledged;
    if (s->has_all && s->reader) {
        struct ft_journal_reader_status status = ft_journal_reader_status(s->reader);
        done = status.seen > done ? status.seen : done;
    }
    pthread_mutex_lock(&s->lock);
    if (done > s->done_through)
        s->done_through = done;
    s->stats.acknowledged = s->acknowledged;
    pthread_mutex_unlock(&s->lock);
}

void ft_sink_set_lag(struct ft_sink *s)
{
    uint64_t synced = ft_journal_synced_through(s->journal);
    s->stats.lag = synced > s->done_through ? synced - s->done_through : 0;
}

/* ---- tests ---- */

bool ft_sink_take_test(struct ft_sink *s)
{
    if (!(atomic_fetch_and(&s->asked, ~(unsigned)FT_SINK_ASK_TEST) & FT_SINK_ASK_TEST))
        return false;
    pthread_mutex_lock(&s->lock);
    s->test_taken = s->test_asked; /* who asks from now on is answered by the next */
    pthread_mutex_unlock(&s->lock);
    return true;
}

void ft_sink_end_test(struct ft_sink *s, bool is_ok, const char *text)
{
    pthread_mutex_lock(&s->lock);
    s->test_ok = is_ok;
    s->test_answered = s->test_taken;
    snprintf(s->test_text, sizeof(s->test_text), "%s", text);
    pthread_mutex_unlock(&s->lock);
}
