/* SPDX-License-Identifier: BSD-3-Clause */
/* A run of the sensor from start to exit code. */
#include "sensor.h"

#include "alert/summary.h"
#include "base/clock_ns.h"
#include "capture/interface.h"
#include "confine.h"
#include "core_map.h"
#include "describe.h"
#include "doctor.h"
#include "metrics.h"
#include "notify.h"
#include "plugin.h"
#include "protocols/protocols.h"
#include "watchdog.h"

#include <errno.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define EVENT_RING   (FT_EVENT_RING_MIB << 20)
#define TICK_RING    (256u << 10)
#define DEFRAG_SHARD 64u

/* The sensor that a signal stops. */
static struct sensor *running;

static bool fail(const char *what)
{
    fprintf(stderr, "fieldtap: %s\n", what);
    return false;
}

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
static void catch_signals(struct sensor *s)
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

static bool bind_ports(struct sensor *s)
{
    const struct ft_config *c = &s->options->config;
    char error[256];
    for (uint32_t i = 0; i < c->binding_count; i++) {
        const struct ft_config_binding *b = &c->bindings[i];
        if (ft_registry_bind(s->registry, b->is_udp ? FT_TRANSPORT_UDP : FT_TRANSPORT_TCP, b->port,
                             b->protocol, error, sizeof(error)))
            continue;
        fprintf(stderr, "%s:%u:%u: bindings: %s\n", s->options->config_file, b->line, b->column,
                error);
        return false;
    }
    return true;
}

/* Those of the command line, then those of the configuration. */
static bool load_plugins(struct sensor *s)
{
    const struct options *o = s->options;
    uint32_t of_config = o->plugin_count - o->config.plugin_count;
    char error[512];
    for (uint32_t i = 0; i < o->plugin_count; i++) {
        if (plugin_load(s->registry, o->plugins[i], error, sizeof(error)))
            continue;
        if (i < of_config)
            return fail(error);
        struct ft_place at = o->config.plugins_at[i - of_config];
        fprintf(stderr, "%s:%u:%u: plugins[%u]: %s\n", o->config_file, at.line, at.column,
                i - of_config, error);
        return false;
    }
    return true;
}

/* Dissectors: built in, plugins, bindings. What is wrong here is configuration: exit code 2. */
static bool make_registry(struct sensor *s)
{
    char error[512];
    s->registry = ft_registry_new();
    if (!s->registry)
        return fail("out of memory");
    for (const struct ft_dissector *const *d = ft_protocols; *d; d++)
        if (!ft_registry_add(s->registry, *d, NULL, error, sizeof(error)))
            return fail(error);
    if (!load_plugins(s))
        return false;
    ft_registry_finish(s->registry);
    if (!bind_ports(s))
        return false;
    if ((s->options->action == ACTION_RUN || s->options->action == ACTION_TEST) && !rules_start(s))
        return false;
    /* Compiling signatures takes a fifth of a second: not only to print a table. */
    if (s->options->action != ACTION_RUN && s->options->action != ACTION_TEST)
        return true;
    s->recogniser = ft_recogniser_new(s->registry, error, sizeof(error));
    return s->recogniser || fail(error);
}

static struct ft_shards_config shards_config(const struct sensor *s)
{
    const struct options *o = s->options;
    const struct ft_config *c = &o->config;
    bool drops_copies = c->duplicates == FT_CONFIG_DUPLICATES_DROP ||
                        (c->duplicates == FT_CONFIG_DUPLICATES_LIVE && s->is_live);
    struct ft_shards_config config;
    ft_shards_config_init(&config);
    config.log_messages = o->log_messages;
    config.log_transactions = o->log_transactions;
    config.flow.flows_per_shard = (c->max_flows + FT_SHARDS - 1) / FT_SHARDS;
    config.flow.tcp_new_s = c->tcp_new_s;
    config.flow.tcp_established_s = c->tcp_established_s;
    config.flow.tcp_ot_s = c->tcp_ot_s;
    config.flow.tcp_closed_s = c->tcp_closed_s;
    config.flow.udp_s = c->udp_s;
    config.flow.udp_ot_s = c->udp_ot_s;
    config.flow.other_s = c->other_s;
    config.flow.vlan_in_key = c->vlan_in_flow_key;
    config.duplicate_window_ns = drops_copies ? c->duplicate_window_us * 1000ull : 0;
    config.duplicate_seed = s->duplicate_seed;
    return config;
}

/* The offline path waits for the alerting loop instead of shedding. */
bool wait_for_core(void *user)
{
    (void)user;
    usleep(20);
    return true;
}

/* A filter that is none is usage: exit code 2. */
static bool make_filter(const struct sensor *s, struct ft_filter **filter)
{
    char error[512];
    if (!s->options->filter)
        return true;
    *filter = ft_filter_new(s->options->filter, error, sizeof(error));
    if (*filter)
        return true;
    const struct ft_config *c = &s->options->config;
    if (s->options->filter == c->filter)
        fprintf(stderr, "%s:%u:%u: capture.filter: %s\n", s->options->config_file,
                c->filter_at.line, c->filter_at.column, error);
    else
        fprintf(stderr, "fieldtap: --filter: %s\n", error);
    return false;
}

/* Its tables belong on the NUMA node of the CPU that its worker is pinned to. */
static void place_shard(const struct sensor *s, uint8_t shard)
{
    uint32_t cpu = s->options->config.worker_cpus[s->owner[shard]];
    int node = s->is_pinned ? core_map_node_of_cpu("", cpu) : -1;
    if (s->is_pinned)
        ft_shards_place(s->shards, shard, node);
    if (s->evidence.wishes)
        ft_evidence_own(s->evidence.wishes, shard, s->owner[shard], node);
}

static bool make_workers(struct sensor *s)
{
    for (uint32_t w = 0; w < s->worker_count; w++) {
        struct worker *worker = &s->workers[w];
        worker->sensor = s;
        worker->index = w;
        atomic_store(&worker->sent, s->is_polled ? UINT64_MAX : 0); /* it says itself what it did */
        if (!ft_ring_init(&worker->events, EVENT_RING))
            return fail("out of memory for event rings");
        struct ft_filter *filter = NULL;
        if (s->is_polled && !make_filter(s, &filter))
            return false;
        atomic_store(&worker->filter, filter);
        worker->inspector =
            ft_inspector_new(s->shards, &worker->events, s->is_live ? NULL : wait_for_core, worker);
        if (!worker->inspector)
            return fail("out of memory for workers");
        if (s->evidence.wishes)
            ft_inspector_keep_packets(worker->inspector, ft_evidence_history(s->evidence.wishes));
    }
    for (unsigned shard = 0; shard < FT_SHARDS; shard++) {
        s->owner[shard] = (uint8_t)(shard % s->worker_count);
        s->workers[s->owner[shard]].owns[shard] = true;
        place_shard(s, (uint8_t)shard);
    }
    return true;
}

/* A disk that is full when the run begins: better said now than after hours of reading. */
static bool has_room(const char *dir)
{
    struct statvfs disk;
    if (!dir || strcmp(dir, "-") == 0 || statvfs(dir, &disk) < 0 || disk.f_blocks == 0 ||
        (geteuid() == 0 ? disk.f_bfree : disk.f_bavail) > 0)
        return true;
    fprintf(stderr, "fieldtap: the disk of %s is full: free some of it or give another directory\n",
            dir);
    return false;
}

/* A journal takes its place on the disk by itself, and can do without for a while. */
static bool open_output(struct sensor *s)
{
    char error[512];
    if (s->outputs.is_used)
        return outputs_open(s);
    s->output = ft_output_open(s->options->log_dir, error, sizeof(error));
    return s->output ? has_room(s->options->log_dir) : fail(error);
}

static bool make_core(struct sensor *s)
{
    const struct ft_config *c = &s->options->config;
    char error[512];
    struct ft_core_config config = {.sensor = c->sensor_name,
                                    .site = c->sensor_site,
                                    .log_secrets = c->log_secrets,
                                    .arkime_addresses = c->arkime_addresses,
                                    .salt = {0x6669656c64746170ull, 1},
                                    .interfaces = s->options->links,
                                    .interface_count = s->options->link_count,
                                    .ports = s->port_names,
                                    .port_count = s->options->port_count};
    evidence_ask(s, &config);
    /* Nobody who sends to a live sensor may know its hashes; those of captures are the same. */
    if (s->is_live && getrandom(config.salt, sizeof(config.salt), 0) < 0)
        return fail("no random numbers: getrandom failed");
    for (uint32_t i = 0; i < s->options->port_count; i++)
        s->port_names[i] = s->options->ports[i].name;
    if (!open_output(s))
        return false;
    s->core = ft_core_new(&config, s->registry, s->output, error, sizeof(error));
    if (!s->core)
        return fail(error);
    rule_stats_read(s);
    return true;
}

static bool open_captures(struct sensor *s)
{
    char error[512];
    struct ft_capture_set_options options = {.merge = s->options->merge,
                                             .loops = s->options->loops};
    s->capture = ft_capture_set_open(s->options->sources, s->options->source_count, &options, error,
                                     sizeof(error));
    return s->capture || fail(error);
}

static void say(void *user, const char *text)
{
    (void)user;
    fprintf(stderr, "fieldtap: %s\n", text);
}

static bool open_ports(struct sensor *s)
{
    const struct options *o = s->options;
    struct ft_live_source sources[FT_LIVE_PORTS_MAX];
    struct ft_live_options options = {.ring_bytes = (uint64_t)o->config.ring << 20,
                                      .may_wait = o->config.waits};
    char error[512];
    for (uint32_t i = 0; i < o->port_count; i++)
        sources[i] = (struct ft_live_source){o->ports[i].name, o->ports[i].link};
    s->opened_ns = ft_clock_ns(CLOCK_REALTIME);
    s->live = ft_live_open(sources, o->port_count, &options, error, sizeof(error));
    for (uint32_t i = 0; s->live && i < o->port_count; i++)
        ft_interface_warn(o->ports[i].name, say, NULL);
    return s->live || fail(error);
}

/* What can be said before DPDK is started and has found the ports. */
static bool check_devices(const struct sensor *s)
{
    char error[512];
    for (uint32_t i = 0; i < s->options->port_count && !s->options->config.waits; i++)
        if (!ft_ethdev_is_usable(s->options->ports[i].device, error, sizeof(error)))
            return fail(error);
    return true;
}

/* Ports of DPDK are opened when there are buffers for them. */
static bool open_source(struct sensor *s)
{
    if (s->is_polled)
        return check_devices(s);
    return s->options->port_count ? open_ports(s) : open_captures(s);
}

static bool make_sensor(struct sensor *s)
{
    const struct options *o = s->options;
    struct ft_shards_config config;
    char error[512];
    ft_decode_config_init(&s->decode);
    s->decode.checksum = o->config.checksum_drop ? FT_CHECKSUM_DROP : FT_CHECKSUM_ACCEPT;
    s->decode.verify_checksums = true;
    s->decode.vlan_in_flow_key = o->config.vlan_in_flow_key;
    if (s->is_live && (getrandom(&s->decode.hash_seed, sizeof(s->decode.hash_seed), 0) < 0 ||
                       getrandom(&s->duplicate_seed, sizeof(s->duplicate_seed), 0) < 0))
        return fail("no random numbers: getrandom failed");
    config = shards_config(s);
    if (!eal_start(s, error, sizeof(error)) || !pools_make(s, error, sizeof(error)))
        return fail(error);
    s->shards = ft_shards_new(s->registry, s->recogniser, &config, error, sizeof(error));
    if (!s->shards)
        return fail(error);
    s->defrag = ft_defrag_new(DEFRAG_SHARD);
    if (s->defrag && o->config.vlan_in_flow_key)
        ft_defrag_separate_vlans(s->defrag);
    if (!s->defrag || !ft_ring_init(&s->ticks, TICK_RING))
        return fail("out of memory");
    return make_workers(s);
}

static bool open_polled(struct sensor *s)
{
    char error[512];
    if (s->is_polled && !ports_open(s, error, sizeof(error)))
        return fail(error);
    uint64_t wall = ft_clock_ns(CLOCK_REALTIME);
    s->started_ns = ft_clock_ns(CLOCK_MONOTONIC);
    s->clock_base = wall - s->started_ns;
    return true;
}

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

static void say_remarks(struct sensor *s)
{
    const char *remark;
    while (s->capture && (remark = ft_capture_set_remark(s->capture)))
        say(NULL, remark);
    if (s->filter && (remark = ft_filter_remark(s->filter)))
        say(NULL, remark);
}

/* Books that do not close are a fault of the sensor: told in every way there is. */
static bool check_books(struct sensor *s)
{
    if (s->options->miscounts)
        s->books.ledger.received++;
    if (books_balance(s))
        return true;
    ft_core_health(s->core, "books_do_not_balance", FT_SEVERITY_MAJOR,
                   "Packets, stream bytes or events are not all accounted for: see stats.json.");
    return fail("the books do not balance: packets, stream bytes or events are not all accounted "
                "for; this is a fault of fieldtap, please report it");
}

/* The end of the summary of a live run. */
static void print_ports(const struct sensor *s)
{
    for (uint32_t i = 0; i < s->options->port_count; i++) {
        struct ft_core_port p = port_figures(s, i);
        printf("%s (%s): %llu packets received, %llu shed by the sensor, ", p.name, p.state,
               (unsigned long long)p.received, (unsigned long long)p.shed);
        if (p.knows_drops)
            printf("%llu dropped by the %s\n", (unsigned long long)p.dropped,
                   s->is_polled ? "NIC" : "kernel");
        else
            printf("drops of the %s unknown\n", s->is_polled ? "NIC" : "kernel");
    }
}

/* What a run leaves besides the events: files beside eve.json, or tables for people. */
static bool write_results(struct sensor *s)
{
    const char *dir = s->options->log_dir;
    char path[4096], error[512] = "";
    if (!dir) {
        ft_summary_print(stdout, s->core, &s->books.ledger, 0);
        print_ports(s);
        return true;
    }
    if (strcmp(dir, "-") == 0)
        return true;
    snprintf(path, sizeof(path), "%s/assets.json", dir);
    bool has_assets =
        ft_inventory_write(ft_core_inventory(s->core), path, error, sizeof(error)) || fail(error);
    bool has_rules = rule_stats_write(s, error, sizeof(error)) || fail(error);
    return (stats_write(s, dir, error, sizeof(error)) || fail(error)) && has_assets && has_rules;
}

/* Close the books, write what is written at the end. Returns the exit code. */
static int finish(struct sensor *s)
{
    char error[512] = "";
    bool is_fine = check_books(s);
    ft_core_finish(s->core);
    bool is_written = ft_output_close(s->output, &s->written, error, sizeof(error));
    s->output = NULL;
    is_fine &= is_written || s->outputs.is_used || fail(error);
    is_fine &= outputs_close(s); /* what the journal did not take is told there */
    is_fine &= write_results(s);
    say_remarks(s);
    is_fine &= !s->capture || !ft_capture_set_is_incomplete(s->capture);
    if (s->capture && atomic_load(&s->stop))
        fprintf(stderr, "fieldtap: stopped by a signal after %llu packets\n",
                (unsigned long long)s->packets_read);
    return is_fine ? 0 : 1;
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
        say(NULL, text);
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
    if (s->outputs.is_stuck)
        return; /* a thread may still use all of it; the process ends */
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
    outputs_free(s);
    ft_defrag_free(s->defrag);
    ft_shards_free(s->shards);
    ft_recogniser_free(s->recogniser);
    ft_registry_free(s->registry);
    ft_capture_set_close(s->capture);
    ft_live_close(s->live);
    ft_filter_free(s->filter);
    rules_free(s);
    control_end(s); /* of a run that could not begin */
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

/* Where only root may make a socket, and give it to a group. */
static bool open_control(struct sensor *s)
{
    char error[512];
    return control_open(s, error, sizeof(error)) || fail(error);
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
    catch_signals(s);
    examine(s);
    if (!evidence_make(s, error, sizeof(error)))
        return fail(error) ? 0 : 1;
    if (!make_sensor(s) || !open_polled(s) || !open_control(s) || !give_up_rights(s) ||
        !make_core(s))
        return 1;
    if (!evidence_open(s, error, sizeof(error)))
        return fail(error) ? 0 : 1;
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
    pthread_join(s->reader, NULL);
    for (uint32_t w = 0; w < s->worker_count; w++)
        pthread_join(s->workers[w].thread, NULL);
    evidence_end(s);
    s->ended_tsc = rte_rdtsc();
    int code = finish(s);
    rte_eal_cleanup();
    watchdog_end();
    return code;
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
    bool runs = o->action == ACTION_RUN || o->action == ACTION_TEST;
    if ((runs && !confine_find_user(o)) || !make_registry(s) || !make_filter(s, &s->filter) ||
        !outputs_read(s)) {
        code = 2;
    } else if (o->action != ACTION_RUN) {
        code = answer(s);
    } else if (open_source(s)) {
        code = run(s);
    }
    running = NULL;
    free_sensor(s);
    return code;
}
