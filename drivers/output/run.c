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
#include "output/run.h"

#include <stdio.h>

static bool try_to_open(struct ft_sink *s)
{
    if (!s->reader && !ft_sink_open_reader(s))
        return false;
    if (!ft_sink_call_open(s))
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
        ft_sink_wait(s, -1, 0, wait > FT_SINK_IDLE_MS ? FT_SINK_IDLE_MS : (uint32_t)wait);
    }
    s->has_all = false;
    ft_sink_note_progress(s);
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
        struct ft_sink_sent sent = ft_sink_call_send(s, &record, 1);
        ok = sent.done && !sent.refused && wait_until_landed(s);
        ft_forward_event_free(&record.event);
        if (sent.is_failed || (!ok && !sent.refused))
            ft_sink_has_failed(s);
    }
    snprintf(text, sizeof(text), ok ? "The test event was sent to %s.%.0s" : "%s: %s", s->target,
             s->error);
    ft_sink_end_test(s, ok, text);
}

static void answer(struct ft_sink *s)
{
    unsigned asked = atomic_fetch_and(&s->asked, ~(unsigned)FT_SINK_ASK_REOPEN);
    if (asked & FT_SINK_ASK_REOPEN && s->is_open && !s->settle_ms) {
        s->kind->close(s, s->state);
        s->is_open = false;
        s->retry_at_ms = 0;
    }
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
            ft_sink_has_failed(s);
        return s->is_open || !ft_sink_is_stopping(s);
    }
    if (!s->reader && !ft_sink_open_reader(s)) {
        ft_sink_has_failed(s);
        return !ft_sink_is_stopping(s);
    }
    bool has_read = s->first < s->count || ft_sink_read_batch(s);
    if ((has_read && !ft_sink_send_batch(s)) || !ft_sink_look_at_flights(s)) {
        ft_sink_has_failed(s);
        return true;
    }
    s->has_all = !has_read && !s->flight_count && s->first == s->count;
    ft_sink_note_progress(s);
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
        ft_sink_free_records(s);
        ft_sink_note_progress(s);
        ft_sink_close_reader(s);
    }
    ft_sink_set_state(s, FT_SINK_STOPPED);
    if (ft_sink_take_test(s))
        ft_sink_end_test(s, false, "the sensor stops");
    pthread_mutex_lock(&s->lock);
    if (s->is_moving)
        ft_sink_set_lag(s);
    s->is_moving = false;
    s->has_ended = true;
    pthread_cond_broadcast(&s->told);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}
