/* SPDX-License-Identifier: BSD-3-Clause */
/* Signals of a run: which end it, which let it read its files again, and who receives them. */
#include "run_internal.h"

#include "watchdog.h"

#include <signal.h>

/* The sensor that a signal stops. */
static struct sensor *running;

/* SIGHUP ends a run on captures, and one without anything to read again: a terminal was closed. */
static void on_stop(int signal)
{
    if (!running)
        return;
    const struct options *o = running->options;
    bool is_reload = signal == SIGHUP && running->is_live &&
                     (o->config_file || o->has_own_rules || running->outputs.is_used);
    if (signal == SIGTERM)
        watchdog_stop();
    if (is_reload) {
        rules_want(running, RULES_WISH_RELOAD);
        atomic_store_explicit(&running->reopen, true, memory_order_relaxed);
    }
    if (!is_reload || o->config_file)
        atomic_store_explicit(is_reload ? &running->reload : &running->stop, true,
                              memory_order_relaxed);
}

static void stop_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
}

/*
 * From here on, where something is written, a stop signal ends the run in order. It is for the
 * reader alone, which may be waiting for input: all threads that are made from now on, DPDK's too,
 * inherit that it is blocked, and the reader opens it for itself. Without SA_RESTART, so that a
 * read from a pipe ends.
 */
void signals_catch(struct sensor *s)
{
    struct sigaction sa = {.sa_handler = on_stop};
    sigset_t stops;
    running = s;
    stop_signals(&stops);
    pthread_sigmask(SIG_BLOCK, &stops, NULL);
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGHUP, &sa, NULL);
    /* A pipe without reader and a file at its limit are errors of write(2), told at the end. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    ft_inspect_install_guard();
}

void signals_open(void)
{
    sigset_t stops;
    stop_signals(&stops);
    pthread_sigmask(SIG_UNBLOCK, &stops, NULL);
}

void signals_forget(void)
{
    running = NULL;
}
