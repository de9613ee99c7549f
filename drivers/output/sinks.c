/* SPDX-License-Identifier: BSD-3-Clause */
/* Sinks as the sensor uses them: starting, stopping, asking. */
#include "output/internal.h"

#include "base/clock_ns.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

uint32_t ft_sinks_count(const struct ft_sinks *all)
{
    return all->count;
}

/* ---- starting ---- */

static struct timespec in_ms(uint64_t ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    uint64_t ns = (uint64_t)t.tv_nsec + ms % 1000 * 1000000u;
    t.tv_sec += (time_t)(ms / 1000 + ns / 1000000000u);
    t.tv_nsec = (long)(ns % 1000000000u);
    return t;
}

static void wake(struct ft_sink *s)
{
    uint64_t one = 1;
    if (write(s->wake_fd, &one, sizeof(one)) < 0)
        return; /* it is awake */
    pthread_mutex_lock(&s->lock);
    if (s->awake)
        ft_journal_reader_wake(s->awake);
    pthread_mutex_unlock(&s->lock);
}

static bool allocate(struct ft_sink *s)
{
    s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->wake_fd < 0)
        return ft_sink_fail(s, "no event descriptor: %s", strerror(errno));
    if (s->kind->serve)
        return true;
    s->records = calloc(s->batch, sizeof(*s->records));
    s->room = malloc(FT_SINK_ROOM);
    return (s->records && s->room) || ft_sink_fail(s, "out of memory");
}

static bool open_first_reader(struct ft_sink *s)
{
    s->where = (struct ft_journal_reader_options){
        .name = s->name, .start = s->start ? FT_JOURNAL_START_NEWEST : FT_JOURNAL_START_OLDEST};
    if (s->kind->serve)
        return true;
    s->reader = ft_journal_reader_open(s->journal, &s->where, s->error, sizeof(s->error));
    s->awake = s->reader;
    if (!s->reader)
        return false;
    s->acknowledged = s->done_through = ft_journal_reader_status(s->reader).acknowledged;
    return true;
}

static bool start_thread(struct ft_sink *s)
{
    char name[16];
    s->has_ended = false;
    s->is_moving = !s->kind->serve;
    int wrong = pthread_create(&s->thread, NULL, ft_sink_run, s);
    if (wrong) {
        s->is_moving = false;
        return ft_sink_fail(s, "no thread: %s", strerror(wrong));
    }
    s->is_running = true;
    snprintf(name, sizeof(name), "sink-%.10s", s->name);
    pthread_setname_np(s->thread, name);
    return true;
}

static bool prepare(struct ft_sink *s, struct ft_journal *journal)
{
    s->journal = journal;
    s->may_resume = true;
    s->jitter = ft_sink_now_ms() ^ (uintptr_t)s;
    ft_sink_set_state(s, FT_SINK_CONNECTING);
    return allocate(s) && open_first_reader(s) &&
           (!s->kind->listen || s->kind->listen(s, s->state, (uid_t)-1, (gid_t)-1));
}

static void give_back(struct ft_sink *s)
{
    if (s->reader)
        ft_journal_reader_close(s->reader);
    if (s->kind->close && s->state)
        s->kind->close(s, s->state);
    s->reader = s->awake = NULL;
    free(s->records);
    free(s->room);
    s->records = NULL;
    s->room = NULL;
    if (s->wake_fd >= 0)
        close(s->wake_fd);
    s->wake_fd = -1;
    ft_sink_set_state(s, FT_SINK_STOPPED);
}

bool ft_sinks_will_listen(const struct ft_sinks *all)
{
    for (uint32_t i = 0; i < all->count; i++)
        if (all->sinks[i].kind->listen)
            return true;
    return false;
}

bool ft_sinks_listen(struct ft_sinks *all, uid_t owner, gid_t group, char *error, size_t error_size)
{
    for (uint32_t i = 0; i < all->count; i++) {
        struct ft_sink *s = &all->sinks[i];
        if (s->kind->listen && !s->kind->listen(s, s->state, owner, group)) {
            snprintf(error, error_size, "sink %s: %s", s->name, s->error);
            return false;
        }
    }
    return true;
}

bool ft_sinks_start(struct ft_sinks *all, struct ft_journal *journal, char *error,
                    size_t error_size)
{
    sigset_t blocked, before;
    bool ok = true;
    for (uint32_t i = 0; i < all->count && ok; i++) {
        ok = prepare(&all->sinks[i], journal);
        if (!ok)
            snprintf(error, error_size, "sink %s: %s", all->sinks[i].name, all->sinks[i].error);
    }
    sigfillset(&blocked);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    all->is_started = ok;
    for (uint32_t i = 0; i < all->count && ok; i++) {
        ok = start_thread(&all->sinks[i]);
        if (!ok)
            snprintf(error, error_size, "sink %s: %s", all->sinks[i].name, all->sinks[i].error);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!ok && all->is_started)
        ft_sinks_stop(all, 0);
    for (uint32_t i = 0; i < all->count && !ok; i++)
        if (!all->sinks[i].is_running)
            give_back(&all->sinks[i]);
    return ok;
}

static bool join(struct ft_sink *s, const struct timespec *last)
{
    pthread_mutex_lock(&s->lock);
    while (!s->has_ended && pthread_cond_timedwait(&s->told, &s->lock, last) != ETIMEDOUT)
        ;
    bool has_ended = s->has_ended;
    pthread_mutex_unlock(&s->lock);
    if (has_ended) {
        pthread_join(s->thread, NULL);
        s->is_running = false;
    }
    return has_ended;
}

bool ft_sinks_stop(struct ft_sinks *all, uint32_t timeout_ms)
{
    bool has_all = true;
    /* a send in a call of the system may take a little longer */
    struct timespec last = in_ms(timeout_ms + 1500u);
    for (uint32_t i = 0; i < all->count; i++) {
        atomic_store(&all->sinks[i].deadline_ms, ft_sink_now_ms() + timeout_ms);
        atomic_fetch_or(&all->sinks[i].asked, FT_SINK_ASK_STOP);
        if (all->sinks[i].is_running)
            wake(&all->sinks[i]);
    }
    for (uint32_t i = 0; i < all->count; i++) {
        struct ft_sink *s = &all->sinks[i];
        if (!s->is_running)
            continue;
        if (!join(s, &last)) {
            has_all = false; /* it hangs in a call of the system: left behind */
            continue;
        }
        has_all = has_all && s->has_all;
        give_back(s);
    }
    return has_all;
}

bool ft_sinks_have_ended(const struct ft_sinks *all)
{
    for (uint32_t i = 0; i < all->count; i++)
        if (all->sinks[i].is_running)
            return false;
    return true;
}

/* ---- asking ---- */

static void ask_all(struct ft_sinks *all, unsigned what)
{
    for (uint32_t i = 0; i < all->count; i++) {
        if (!all->sinks[i].is_running)
            continue;
        atomic_fetch_or(&all->sinks[i].asked, what);
        wake(&all->sinks[i]);
    }
}

void ft_sinks_reopen(struct ft_sinks *all)
{
    ask_all(all, FT_SINK_ASK_REOPEN);
}

static struct ft_sink *find(struct ft_sinks *all, const char *name)
{
    for (uint32_t i = 0; i < all->count; i++)
        if (!strcmp(all->sinks[i].name, name))
            return &all->sinks[i];
    return NULL;
}

uint64_t ft_sinks_test_begin(struct ft_sinks *all, const char *name, char *text, size_t text_size)
{
    struct ft_sink *s = find(all, name);
    if (!s || !s->is_running) {
        snprintf(text, text_size, s ? "The sink %s does not run." : "There is no sink \"%s\".",
                 name);
        return 0;
    }
    pthread_mutex_lock(&s->lock);
    uint64_t number = ++s->test_asked;
    pthread_mutex_unlock(&s->lock);
    atomic_fetch_or(&s->asked, FT_SINK_ASK_TEST);
    wake(s);
    return number;
}

/* With its lock held. */
static bool is_answered(const struct ft_sink *s, uint64_t number, bool *is_ok, char *text,
                        size_t text_size)
{
    if (s->test_answered < number)
        return false;
    *is_ok = s->test_ok;
    snprintf(text, text_size, "%s", s->test_text);
    return true;
}

bool ft_sinks_test_is_over(struct ft_sinks *all, const char *name, uint64_t number, bool *is_ok,
                           char *text, size_t text_size)
{
    struct ft_sink *s = find(all, name);
    *is_ok = false;
    snprintf(text, text_size, "%s: no answer yet; see the sink's state", s ? s->target : name);
    if (!s)
        return true;
    pthread_mutex_lock(&s->lock);
    bool is_over = is_answered(s, number, is_ok, text, text_size);
    pthread_mutex_unlock(&s->lock);
    return is_over;
}

/* Its thread has been in one call for long: it will find out itself when the time of that is over,
 * which may be a minute. */
static void mark_hanging(struct ft_sink *s, struct ft_sink_stats *stats)
{
    uint64_t began = atomic_load(&s->call_ms), now = ft_sink_now_ms();
    if (!began || now < began + FT_SINK_HANGING_MS || stats->state != FT_SINK_UP)
        return;
    stats->state = FT_SINK_DOWN;
    stats->since_ns = ft_clock_ns(CLOCK_REALTIME) - (now - began) * 1000000u;
    stats->last_error_ns = stats->since_ns;
    snprintf(stats->last_error, sizeof(stats->last_error), "it has taken nothing for %llu s",
             (unsigned long long)((now - began) / 1000u));
}

bool ft_sinks_stats(const struct ft_sinks *all, uint32_t i, struct ft_sink_stats *stats)
{
    if (i >= all->count)
        return false;
    struct ft_sink *s = &all->sinks[i];
    pthread_mutex_lock(&s->lock);
    if (s->is_moving) /* the journal is there: it outlives the thread, which ends under the lock */
        ft_sink_set_lag(s);
    *stats = s->stats;
    pthread_mutex_unlock(&s->lock);
    mark_hanging(s, stats);
    return true;
}

bool ft_sinks_next_notice(struct ft_sinks *all, struct ft_sink_notice *notice)
{
    pthread_mutex_lock(&all->lock);
    bool has_one = all->notice_count > 0;
    if (has_one) {
        *notice = all->notices[0];
        all->notice_count--;
        memmove(all->notices, all->notices + 1, all->notice_count * sizeof(*all->notices));
    }
    pthread_mutex_unlock(&all->lock);
    return has_one;
}

/* ---- names ---- */

const char *ft_sink_state_name(enum ft_sink_state state)
{
    static const char *const names[] = {"stopped", "connecting", "up", "down"};
    return (uint32_t)state < 4 ? names[state] : "unknown";
}

static const struct {
    const char *name;
    uint8_t severity;
} notices[] = {
    [FT_SINK_NOTICE_DOWN] = {"sink_down", 2},
    [FT_SINK_NOTICE_UP] = {"sink_up", 4},
    [FT_SINK_NOTICE_MISSED] = {"sink_missed", 2},
    [FT_SINK_NOTICE_REFUSED] = {"sink_refused", 3},
    [FT_SINK_NOTICE_DROPPED] = {"sink_reader_dropped", 3},
    [FT_SINK_NOTICE_REMOVED] = {"sink_file_removed", 3},
};

const char *ft_sink_notice_name(enum ft_sink_notice_kind kind)
{
    return (uint32_t)kind < sizeof(notices) / sizeof(notices[0]) ? notices[kind].name : "unknown";
}

uint8_t ft_sink_notice_severity(enum ft_sink_notice_kind kind)
{
    return (uint32_t)kind < sizeof(notices) / sizeof(notices[0]) ? notices[kind].severity : 4;
}
