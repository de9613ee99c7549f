/* SPDX-License-Identifier: BSD-3-Clause */
/* Watching the sensor's own threads, see watchdog.h. */
#include "watchdog.h"

#include "base/clock_ns.h"
#include "notify.h"
#include "sensor.h"

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* From SIGTERM on; a service manager's patience is longer. */
#define STOP_S 4

/* Less often than this nobody is asked, however long the watchdog's interval is. */
#define FEED_NS_MAX 10000000000ull

/* One more than workers: the reader. */
static struct {
    uint64_t interval_ns, fed_ns; /* 0: not fed */
    uint64_t turns[WORKERS_MAX + 1];
    bool is_told; /* who does not go on */
} watch;

static struct {
    sem_t asked, ended;
    pthread_t thread;
    bool has_thread;
    _Atomic bool is_over;
    _Atomic int code; /* once all is written; -1 */
} stopping = {.code = -1};

/* ---- while it listens ---- */

static uint64_t turns_of(const struct sensor *s, uint32_t i)
{
    return i < s->worker_count ? atomic_load_explicit(&s->workers[i].turns, memory_order_relaxed)
                               : atomic_load_explicit(&s->reader_turns, memory_order_relaxed);
}

/* The first that has not begun a turn since it was fed; -1: all have. */
static int find_stuck(const struct sensor *s)
{
    for (uint32_t i = 0; i <= s->worker_count; i++)
        if (turns_of(s, i) == watch.turns[i])
            return (int)i;
    return -1;
}

static void tell_stuck(const struct sensor *s, int who, uint64_t now)
{
    if (watch.is_told || now - watch.fed_ns < watch.interval_ns / 2)
        return;
    watch.is_told = true;
    char name[24] = "the reader";
    if ((uint32_t)who < s->worker_count)
        snprintf(name, sizeof(name), "worker %d", who);
    fprintf(stderr, "fieldtap: %s makes no progress: the watchdog is not fed\n", name);
    notify("STATUS=%s makes no progress", name);
}

void watchdog_look(struct sensor *s)
{
    uint64_t now = ft_clock_ns(CLOCK_MONOTONIC);
    uint64_t pause = watch.interval_ns / 4 < FEED_NS_MAX ? watch.interval_ns / 4 : FEED_NS_MAX;
    if (!watch.interval_ns || now - watch.fed_ns < pause)
        return;
    int stuck = atomic_load_explicit(&s->is_read, memory_order_relaxed) ? -1 : find_stuck(s);
    if (stuck >= 0) {
        tell_stuck(s, stuck, now);
        return;
    }
    for (uint32_t i = 0; i <= s->worker_count; i++)
        watch.turns[i] = turns_of(s, i);
    notify(watch.is_told ? "WATCHDOG=1\nSTATUS=Listening" : "WATCHDOG=1");
    watch.is_told = false;
    watch.fed_ns = now;
}

/* ---- while it stops ---- */

void watchdog_stop(void)
{
    if (stopping.has_thread)
        sem_post(&stopping.asked);
}

/* What keeps it: asked in the order in which things end. */
static const char *find_obstacle(const struct sensor *s)
{
    if (!atomic_load(&s->is_read))
        return "packets that were received are still being taken";
    for (uint32_t w = 0; w < s->worker_count; w++)
        if (atomic_load(&s->workers[w].done) < atomic_load(&s->dispatched_through))
            return "packets are still being analysed, or what they told waits for the output";
    return "what is to be written is still being written: is the disk, or who reads the output, "
           "hanging?";
}

static void *stop_main(void *arg)
{
    const struct sensor *s = arg;
    struct timespec until;
    sigset_t term;
    /* Heard here too: the reader may be the one that hangs. The alerting loop wakes it. */
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    pthread_sigmask(SIG_UNBLOCK, &term, NULL);
    while (sem_wait(&stopping.asked) != 0) {}
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += STOP_S;
    if (!atomic_load(&stopping.is_over))
        notify("STOPPING=1\nSTATUS=Stopping: what was received is analysed and written");
    int failed;
    while ((failed = sem_clockwait(&stopping.ended, CLOCK_MONOTONIC, &until)) != 0 &&
           errno == EINTR) {}
    if (failed && atomic_load(&stopping.code) >= 0)
        _exit(atomic_load(&stopping.code));
    if (failed) {
        fprintf(stderr,
                "fieldtap: it has not ended %d seconds after SIGTERM: %s; it ends now, and what "
                "was not written is lost\n",
                STOP_S, find_obstacle(s));
        _exit(1);
    }
    return NULL;
}

/* ---- begin and end ---- */

bool watchdog_begin(struct sensor *s)
{
    watch.interval_ns = notify_watchdog_ns();
    watch.fed_ns = ft_clock_ns(CLOCK_MONOTONIC);
    if (!s->is_live)
        return true;
    sem_init(&stopping.asked, 0, 0);
    sem_init(&stopping.ended, 0, 0);
    if (pthread_create(&stopping.thread, NULL, stop_main, s) != 0)
        return false;
    pthread_setname_np(stopping.thread, "stop");
    stopping.has_thread = true;
    return true;
}

void watchdog_all_is_written(int code)
{
    fflush(NULL);
    atomic_store(&stopping.code, code);
}

void watchdog_end(void)
{
    if (!stopping.has_thread)
        return;
    stopping.has_thread = false;
    atomic_store(&stopping.is_over, true);
    sem_post(&stopping.ended);
    sem_post(&stopping.asked);
    pthread_join(stopping.thread, NULL);
}
