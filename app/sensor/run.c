/* SPDX-License-Identifier: BSD-3-Clause */
/* A run of the sensor from start to exit code. */
#include "run_internal.h"

#include "base/clock_ns.h"
#include "confine.h"
#include "describe.h"
#include "doctor.h"
#include "metrics.h"
#include "notify.h"
#include "protocols/protocols.h"
#include "watchdog.h"

#include <rte_cycles.h>
#include <rte_eal.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* This thread, when the others have been made, which would inherit it. */
static void pin_core(const struct sensor *s)
{
    cpu_set_t set;
    if (s->options->config.alerting_cpu == FT_CONFIG_NO_CPU)
        return;
    CPU_ZERO(&set);
    CPU_SET(s->options->config.alerting_cpu, &set);
    sched_setaffinity(0, sizeof(set), &set);
}

/* With a name, for those who look at threads: top -H. */
static bool start_thread(pthread_t *thread, void *(*begin)(void *), void *arg, const char *name)
{
    if (pthread_create(thread, NULL, begin, arg) != 0)
        return false;
    pthread_setname_np(*thread, name);
    return true;
}

static void start_threads(struct sensor *s)
{
    bool ok = true;
    for (uint32_t w = 0; ok && w < s->worker_count; w++) {
        char name[24];
        snprintf(name, sizeof(name), "worker %u", w);
        ok = start_thread(&s->workers[w].thread, s->is_polled ? poller_main : worker_main,
                          &s->workers[w], name);
    }
    if (ok && rules_begin(s) && control_begin(s) &&
        start_thread(&s->reader, s->is_polled ? ports_main : reader_main, s,
                     s->is_polled ? "ports" : "reader") &&
        watchdog_begin(s)) {
        pin_core(s);
        return;
    }
    /* Those that did start use what would have to be freed; nothing is written yet. */
    fail("cannot start threads");
    _exit(1);
}

uint32_t sensor_workers(const struct options *o)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    /* One for the reader, one for the alerting loop, the rest work. */
    uint32_t from_machine = cpus <= 3 ? 1 : cpus - 2 > 16 ? 16 : (uint32_t)(cpus - 2);
    return o->workers ? o->workers : o->config.workers ? o->config.workers : from_machine;
}

/* What there is about an interface was said when it was opened. */
static void say_finding(void *user, bool is_wrong, const char *text)
{
    const struct sensor *s = user;
    if (is_wrong && (s->is_polled || strncmp(text, "port ", 5) != 0))
        ft_say("fieldtap", "%s", text);
}

/*
 * What the machine lacks: where somebody gave CPUs to workers, or a NIC, and so expects that
 * nothing is lost; elsewhere who wants to know asks for it.
 */
static void examine(struct sensor *s)
{
    if (s->is_live && (options_have_nic(s->options) || s->is_pinned || s->options->verbose))
        doctor_examine("", s->options, eal_megabytes(s->options), say_finding, s);
}

static void free_sensor(struct sensor *s)
{
    char error[512];
    for (uint32_t w = 0; w < s->worker_count; w++) {
        ft_inspector_free(s->workers[w].inspector);
        ft_filter_free(atomic_load(&s->workers[w].filter));
        ft_ring_free(&s->workers[w].events);
    }
    evidence_free(s);
    ft_ring_free(&s->ticks);
    if (s->core)
        ft_core_free(s->core);
    if (s->output) /* of a run that could not begin */
        ft_output_close(s->output, NULL, error, sizeof(error));
    control_end(s); /* of a run that could not begin */
    if (!outputs_free(s))
        return; /* a sink's thread may still use the rest; the process ends */
    ft_defrag_free(s->defrag);
    ft_shards_free(s->shards);
    ft_recogniser_free(s->recogniser);
    ft_registry_free(s->registry);
    ft_capture_set_close(s->capture);
    ft_live_close(s->live);
    ft_filter_free(s->filter);
    free(s->filter_text);
    rules_free(s);
    control_scans_free(s);
    free(s);
}

static unsigned plugin_protocols(const struct ft_registry *r)
{
    unsigned n = r->count;
    for (const struct ft_dissector *const *d = ft_protocols; *d; d++)
        n--;
    return n;
}

/* A protocol, or a word that rules can ask about. */
static int describe(const struct sensor *s, const char *name)
{
    const struct ft_protocol *p = ft_registry_find(s->registry, name);
    char error[768];
    if (p) {
        describe_protocol(p);
        return 0;
    }
    if (describe_word(s->registry, name, error, sizeof(error)))
        return 0;
    if (!strchr(name, '.'))
        ft_registry_unknown(s->registry, name, error, sizeof(error));
    fprintf(stderr, "fieldtap: %s\n", error);
    return 2;
}

/* What needs the dissectors but no capture. */
static int answer(struct sensor *s)
{
    const struct options *o = s->options;
    if (o->action == ACTION_TEST) {
        printf("configuration OK: %u protocols", s->registry->count);
        if (o->plugin_count)
            printf(", %u of them from plugins", plugin_protocols(s->registry));
        if (s->rules.quiescent)
            printf(", %u rules", ft_ruleset_count(atomic_load(&s->rules.now)->set));
        if (s->outputs.sinks)
            printf(", %u outputs", ft_sinks_count(s->outputs.sinks));
        putchar('\n');
    } else if (o->action == ACTION_LIST_PROTOCOLS) {
        list_protocols(s->registry);
    } else if (o->action == ACTION_CHECK_RULES) {
        return rules_check(s);
    } else if (o->action == ACTION_EXPLAIN) {
        return rules_explain(s);
    } else {
        return describe(s, o->describe);
    }
    return 0;
}

/* All sockets, while the sensor may still make them anywhere and give them to any group, and before
 * there is anything that would have to be ended: a place that is taken is a wrong configuration. */
static bool open_sockets(struct sensor *s)
{
    char error[512];
    return (control_open(s, error, sizeof(error)) && metrics_listen(s, error, sizeof(error)) &&
            outputs_listen(s, error, sizeof(error))) ||
           fail(error);
}

/*
 * With the ports open. All that is opened from here on is opened by who the sensor is then; its
 * folders are made while root can. The output comes last: its folder tells that the sensor listens.
 */
static bool give_up_rights(struct sensor *s)
{
    char packets[4096];
    bool keeps = s->evidence.wishes && evidence_folder(s->options, packets, sizeof(packets));
    return confine_give_folder(s->options->log_dir) && outputs_give_folders(s) &&
           (!keeps || confine_give_folder(packets)) && confine(s);
}

/* Read, work and write everything. Returns the exit code. */
static int run(struct sensor *s)
{
    char error[512];
    signals_catch(s);
    examine(s);
    if (!evidence_make(s, error, sizeof(error)))
        return fail(error) ? 0 : 1;
    if (!run_make_sensor(s) || !run_open_polled(s))
        return 1;
    if (!open_sockets(s))
        return 2;
    if (!give_up_rights(s))
        return 1;
    if (!metrics_try_file(s, error, sizeof(error)))
        return fail(error) ? 0 : 2;
    if (!run_make_core(s))
        return 1;
    if (!evidence_open(s, error, sizeof(error))) /* its folder may be in that of the output */
        return fail(error) ? 0 : 2;
    s->began_ns = ft_clock_ns(CLOCK_MONOTONIC);
    s->started_tsc = rte_rdtsc();
    if (!outputs_start(s))
        return 1;
    if (!metrics_begin(s, error, sizeof(error))) {
        outputs_close(s);
        return fail(error) ? 0 : 1;
    }
    start_threads(s);
    if (s->is_live)
        notify("READY=1\nSTATUS=Listening");
    alerting_loop(s);
    control_end(s);
    metrics_end(s);
    rules_end(s);
    for (uint32_t w = 0; w < s->worker_count; w++)
        pthread_join(s->workers[w].thread, NULL);
    evidence_end(s);
    s->ended_tsc = rte_rdtsc();
    int code = run_finish(s);
    watchdog_all_is_written(code);
    pthread_join(s->reader, NULL); /* who closes ports, which may take the kernel its time */
    rules_join(s);
    rte_eal_cleanup();
    watchdog_end();
    return code;
}

/* What needs the dissectors, and what needs libpcap: all that is wrong of both is told. */
static bool read_rest(struct sensor *s)
{
    bool has_filter = run_make_filter(s, &s->filter);
    return outputs_read(s) && has_filter;
}

int sensor_run(const struct options *o)
{
    struct sensor *s = aligned_alloc(64, (sizeof(*s) + 63) & ~(size_t)63);
    int code = 1;
    if (!s)
        return fail("out of memory") ? 0 : 1;
    memset(s, 0, sizeof(*s));
    s->options = o;
    s->is_live = o->port_count > 0;
    s->is_polled = o->is_polled;
    s->worker_count = sensor_workers(o);
    s->is_pinned = s->worker_count <= o->config.worker_cpu_count;
    notify_open();
    if (!run_make_registry(s) || !read_rest(s)) {
        code = 2;
    } else if (o->action != ACTION_RUN) {
        code = answer(s);
    } else if (run_open_source(s)) {
        code = run(s);
    }
    signals_forget();
    free_sensor(s);
    return code;
}
