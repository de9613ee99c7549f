/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A sink sends a batch, and knows what arrived: at once, or of a kind that settles, when the
 * connection has stood behind it; and what follows from a failure.
 */
#include "output/run.h"

#include "base/clock_ns.h"

#define FIRST_RETRY_MS 250u
#define CALM_MS        60000u /* without refusals: the next one is told again */

bool ft_sink_call_open(struct ft_sink *s)
{
    atomic_store(&s->call_ms, ft_sink_now_ms());
    bool ok = s->kind->open(s, s->state);
    atomic_store(&s->call_ms, 0);
    return ok;
}

struct ft_sink_sent ft_sink_call_send(struct ft_sink *s, struct ft_sink_record *records,
                                      uint32_t count)
{
    atomic_store(&s->call_ms, ft_sink_now_ms());
    struct ft_sink_sent sent = s->kind->send(s, s->state, records, count);
    atomic_store(&s->call_ms, 0);
    return sent;
}

static void note_sent(struct ft_sink *s, const struct ft_sink_sent *sent)
{
    uint64_t now = ft_sink_now_ms();
    pthread_mutex_lock(&s->lock);
    s->stats.sent += sent->done - sent->refused;
    s->stats.refused += sent->refused;
    s->stats.bytes += sent->bytes;
    if (sent->done > sent->refused)
        s->stats.last_sent_ns = ft_clock_ns(CLOCK_REALTIME);
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
    ms = ms / 2 + (s->jitter >> 33) % (ms / 2 + 1);
    /* What the receiver asked for, and up to an eighth more, so that not all sensors come at once.
     */
    uint64_t after = s->retry_after_ms + (s->jitter >> 33) % (s->retry_after_ms / 8 + 1);
    s->retry_after_ms = 0;
    return ms > after ? ms : after;
}

void ft_sink_has_failed(struct ft_sink *s)
{
    s->has_all = false;
    s->failures++;
    ft_sink_note_failure(s);
    s->kind->close(s, s->state);
    s->is_open = false;
    if (s->settle_ms)
        ft_sink_rewind(s);
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

bool ft_sink_look_at_flights(struct ft_sink *s)
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
        ft_sink_acknowledge(s, f->through);
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
    ft_sink_acknowledge(s, through);
    if (s->syncs_cursor)
        ft_journal_reader_sync(s->reader); /* else it is tried again within a second */
    is_working(s);
    return true;
}

/* A rate that is bounded, catching up too. */
static void keep_pace(struct ft_sink *s, uint32_t records)
{
    uint64_t now = ft_clock_ns(CLOCK_MONOTONIC) / 1000u;
    if (!s->max_rate)
        return;
    while (s->paced_us > now && !ft_sink_is_over(s)) {
        ft_sink_wait(s, -1, 0, (uint32_t)((s->paced_us - now) / 1000u + 1));
        now = ft_clock_ns(CLOCK_MONOTONIC) / 1000u;
    }
    s->paced_us = (s->paced_us > now ? s->paced_us : now) + records * 1000000ull / s->max_rate;
}

bool ft_sink_send_batch(struct ft_sink *s)
{
    while (s->first < s->count) {
        keep_pace(s, s->count - s->first);
        struct ft_sink_sent sent = ft_sink_call_send(s, s->records + s->first, s->count - s->first);
        note_sent(s, &sent);
        if (sent.done) {
            s->first += sent.done;
            if (!is_delivered(s, s->records[s->first - 1].through))
                return false;
        }
        if (sent.is_failed || ft_sink_is_over(s))
            return !sent.is_failed;
    }
    ft_sink_free_records(s);
    if (s->flight_count)
        /* what was left out behind the last one goes with it */
        s->flights[(s->flight_first + s->flight_count - 1) % FT_SINK_FLIGHTS].through = s->through;
    else
        ft_sink_acknowledge(s, s->through);
    return true;
}
