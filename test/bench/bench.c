/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fieldtap-bench: what a packet costs on one worker core.
 *
 * Packets lie in memory; a worker takes them in bursts as from a NIC queue, decodes them, finds
 * their flows, puts streams in order, dissects every message, keeps novelty, and writes events into
 * its ring; a second core takes the events out. The first part of the packets warms up: tables
 * filled, flows made. Then a seccomp filter kills the process on any system call of the worker, and
 * allocations are counted. nDPI (a classifier only) runs on the same packets in the same process,
 * turn by turn; medians are told. Cycles are those of the time stamp counter. What is between a
 * port and the worker, hand-over and several ports, test/bench/ports measures with the sensor.
 *
 *   fieldtap-bench [--json FILE] [-r PCAP ...] [--packets N] [--rounds N] [--captures DIR]
 *                  [--row NAME] [--small] [--evidence]
 *
 * The row evidence is ot_mix_1k with the last packets kept as for evidence of alerts (the default
 * size), evidence_off, measured in turn with it, without. --evidence keeps them with -r.
 *
 * The row sink is ot_mix_1k in a process whose other core writes 10,000 lines a second into a
 * journal: sink_none without an output, sink_dead with one whose receiver is away, sink_blocked
 * with one whose receiver takes nothing.
 *
 * The rows rules_* are the packets of ot_mix_1k with so many rules that do not hold (rules_made.h);
 * rules_*_hits has some that do, rules_builtin is what the sensor comes with. What is compared with
 * rules_0 is the median burst.
 */
#include "ndpi_peer.h"
#include "packets.h"
#include "rules_made.h"
#include "sinks.h"

#include "evidence/history.h"
#include "flow/inspect.h"
#include "protocols/protocols.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define BURST       64u
#define ROUNDS_MAX  31u
#define FOLDERS_MAX 16u
#define SECOND      1000000000ull

/* ---- allocations, counted on every thread ---- */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *old, size_t size);

static _Thread_local uint64_t allocations;

void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    allocations++;
    return __libc_realloc(old, size);
}

/* Part of the packets that fills tables: until flows are old and their operations known. */
static double warm_share = 0.9;

static bool is_live; /* copies that a mirror makes are looked for, as is the default of ports */

static const struct ft_ruleset *rules; /* tested on everything; NULL: none */

static struct ft_history *history; /* where packets are kept for evidence; NULL: they are not */

static bool unfiltered; /* for profilers, which make system calls of their own */

/* From here on any system call of this thread but exit kills the process. */
static bool forbid_system_calls(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* ---- a worker ---- */

struct engine {
    struct ft_registry *registry;
    struct ft_recogniser *recogniser;
};

struct bench_worker {
    const struct bench_list *list;
    const uint32_t *order; /* indexes of its packets, NULL = all */
    uint32_t count, warm;
    struct ft_shards *shards;
    struct ft_ring ring;
    struct ft_inspector *inspector;
    struct ft_matcher *matcher;
    struct ft_decode_config decode;
    bool owns[FT_SHARDS];
    bool drains;  /* takes its own events out */
    bool is_free; /* system calls allowed */
    unsigned cpu;
    uint64_t decode_cycles, inspect_cycles, allocs;
    uint32_t *bursts; /* cycles of each full burst of the measured part */
    uint32_t burst_count;
    uint32_t measured;
    pthread_barrier_t *barrier;
    _Atomic bool is_done;
};

static void pin(unsigned cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof(set), &set);
}

static bool spin(void *user)
{
    (void)user;
    _mm_pause();
    return true;
}

static void drain(struct ft_ring *ring)
{
    while (ft_ring_peek(ring))
        ft_ring_release(ring);
}

static void load(struct ft_packet *p, const struct bench_worker *w, uint32_t i)
{
    uint32_t n = w->order ? w->order[i] : i;
    const struct bench_packet *from = &w->list->packets[n];
    p->seq = p->number = n + 1;
    p->time_ns = p->stamp_ns = from->time_ns;
    p->data = w->list->arena + from->offset;
    p->caplen = p->wirelen = from->length;
    p->linktype = from->linktype;
    p->interface = 0;
    p->flags = 0;
}

/* A NIC places packets in the cache, and a driver asks for their first lines; so does this. */
static void ask_for(const struct bench_worker *w, uint32_t i)
{
    if (i >= w->count)
        return;
    const struct bench_packet *p = &w->list->packets[w->order ? w->order[i] : i];
    __builtin_prefetch(w->list->arena + p->offset);
    __builtin_prefetch(w->list->arena + p->offset + 64);
}

static void tick(struct bench_worker *w, const struct ft_packet *at)
{
    struct ft_packet t = *at;
    t.flags = FT_PACKET_TICK;
    for (unsigned shard = 0; shard < FT_SHARDS; shard++)
        if (w->owns[shard])
            ft_inspect_tick(w->inspector, &t, (uint8_t)shard);
}

static void run_part(struct bench_worker *w, uint32_t from, uint32_t to)
{
    struct ft_packet packets[BURST];
    struct ft_packet *pointers[BURST];
    uint64_t second = 0;
    for (uint32_t i = 0; i < BURST; i++)
        pointers[i] = &packets[i];
    for (uint32_t at = from; at < to; at += BURST) {
        uint32_t n = to - at < BURST ? to - at : BURST;
        for (uint32_t i = 0; i < n; i++)
            load(&packets[i], w, at + i);
        for (uint32_t i = 0; i < BURST; i++)
            ask_for(w, at + BURST + i);
        uint64_t start = __rdtsc();
        for (uint32_t i = 0; i < n; i++)
            if (ft_packet_decode(&w->decode, &packets[i]) == FT_DECODE_FRAGMENT)
                packets[i].bucket = FT_BUCKET_FRAGMENT_HELD;
        uint64_t decoded = __rdtsc();
        ft_inspect_burst(w->inspector, pointers, n);
        if (packets[n - 1].time_ns / SECOND != second) {
            second = packets[n - 1].time_ns / SECOND;
            tick(w, &packets[n - 1]);
        }
        if (w->drains)
            drain(&w->ring);
        w->decode_cycles += decoded - start;
        uint64_t done = __rdtsc();
        w->inspect_cycles += done - decoded;
        if (w->bursts && n == BURST)
            w->bursts[w->burst_count++] = (uint32_t)(done - start);
    }
}

static void *worker_main(void *arg)
{
    struct bench_worker *w = arg;
    pin(w->cpu);
    prctl(PR_SET_NAME, "bench-worker", 0, 0, 0);
    ft_inspect_guard_thread(w->inspector);
    run_part(w, 0, w->warm);
    if (w->barrier)
        pthread_barrier_wait(w->barrier);
    w->decode_cycles = w->inspect_cycles = 0;
    w->burst_count = 0;
    if (!w->is_free && !unfiltered && !forbid_system_calls()) {
        perror("seccomp");
        exit(1);
    }
    uint64_t before = allocations;
    run_part(w, w->warm, w->count);
    w->allocs = allocations - before;
    w->measured = w->count - w->warm;
    atomic_store(&w->is_done, true);
    if (w->is_free || unfiltered)
        return NULL;
    syscall(SYS_exit, 0);
    return NULL;
}

static bool worker_make(struct bench_worker *w, const struct engine *engine,
                        const struct bench_list *list, struct ft_shards *shards, unsigned cpu)
{
    *w = (struct bench_worker){.list = list, .count = list->count, .shards = shards, .cpu = cpu};
    w->warm = (uint32_t)(list->count * warm_share);
    ft_decode_config_init(&w->decode);
    w->decode.verify_checksums = true; /* as the sensor does */
    (void)engine;
    if (!ft_ring_init(&w->ring, 4u << 20))
        return false;
    w->inspector = ft_inspector_new(shards, &w->ring, spin, NULL);
    for (unsigned i = 0; i < FT_SHARDS; i++)
        w->owns[i] = true;
    if (!w->inspector || !rules)
        return w->inspector != NULL;
    if ((w->matcher = ft_matcher_new(rules)))
        ft_inspector_use_rules(w->inspector, rules, w->matcher, 1, w->owns);
    return w->matcher != NULL;
}

static void worker_free(struct bench_worker *w)
{
    ft_inspector_free(w->inspector);
    ft_matcher_free(w->matcher);
    ft_ring_free(&w->ring);
}

static struct ft_shards *make_shards(const struct engine *e, uint32_t flows)
{
    struct ft_shards_config config;
    char error[256];
    ft_shards_config_init(&config);
    config.flow.flows_per_shard = flows / FT_SHARDS * 5 / 4 + 1024;
    config.entries_per_shard = flows / FT_SHARDS * 5 / 4 + 1024;
    config.flow.huge_pages = true; /* as on a sensor with memory to spare */
    config.duplicate_window_ns = is_live ? 2000000 : 0;
    struct ft_shards *s = ft_shards_new(e->registry, e->recogniser, &config, error, sizeof(error));
    if (!s)
        fprintf(stderr, "%s\n", error);
    return s;
}

/* ---- measurements ---- */

struct result {
    double cycles, decode, inspect;
    double typical; /* the median burst: without ticks, and without what else the machine does */
    uint64_t allocs, messages, flows;
    uint64_t memory_per_flow;
    uint64_t hits, evaluations; /* of rules */
};

static int compare_counts(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void count_rules(const struct bench_worker *w, struct result *r)
{
    const struct ft_rule_counts *counts = ft_matcher_counts(w->matcher);
    r->hits = r->evaluations = 0;
    for (uint32_t i = 0; i < ft_ruleset_count(rules); i++) {
        r->hits += counts[i].hits;
        r->evaluations += counts[i].evaluations;
    }
}

static bool measure(const struct engine *e, const struct bench_list *list, uint32_t flows,
                    struct result *r)
{
    struct ft_shards *shards = make_shards(e, flows);
    struct bench_worker w;
    pthread_t thread;
    pin(1); /* the new thread begins where this one may run: not where this one is going to spin */
    if (!shards || !worker_make(&w, e, list, shards, 1) ||
        !(w.bursts = __libc_malloc((list->count / BURST + 1) * sizeof(*w.bursts))))
        return false;
    ft_inspector_keep_packets(w.inspector, history);
    if (pthread_create(&thread, NULL, worker_main, &w) != 0)
        return false;
    pin(0);
    while (!atomic_load(&w.is_done)) {
        drain(&w.ring);
        _mm_pause();
    }
    pthread_join(thread, NULL);
    struct ft_books books;
    ft_inspect_books(w.inspector, w.owns, &books);
    r->decode = (double)w.decode_cycles / w.measured;
    r->inspect = (double)w.inspect_cycles / w.measured;
    r->cycles = r->decode + r->inspect;
    qsort(w.bursts, w.burst_count, sizeof(*w.bursts), compare_counts);
    r->typical = w.burst_count ? (double)w.bursts[w.burst_count / 2] / BURST : 0;
    free(w.bursts);
    r->allocs = w.allocs;
    r->messages = books.ledger.messages;
    r->flows = books.flows.active;
    if (rules)
        count_rules(&w, r);
    r->memory_per_flow = sizeof(struct ft_flow) + 8;
    bool ok = ft_ledger_is_balanced(&books.ledger);
    if (!ok)
        fprintf(stderr, "the books do not balance\n");
    worker_free(&w);
    ft_shards_free(shards);
    return ok;
}

/* Only the flow look-up on the same packets: a stage of its own. */
static double measure_flows(const struct bench_list *list, uint32_t flows)
{
    struct ft_flow_config config;
    struct ft_decode_config decode;
    struct ft_packet packets[BURST], *pointers[BURST];
    struct ft_flow *found[BURST];
    uint8_t sides[BURST];
    uint64_t cycles = 0;
    ft_flow_config_init(&config);
    ft_decode_config_init(&decode);
    config.flows_per_shard = flows / FT_SHARDS * 5 / 4 + 1024;
    config.huge_pages = true;
    struct ft_flow_table *table = ft_flow_table_new(&config);
    struct bench_worker w = {.list = list, .count = list->count};
    if (!table)
        return 0;
    uint32_t measured = 0;
    for (uint32_t at = 0; at + BURST <= list->count; at += BURST) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < BURST; i++) {
            load(&packets[n], &w, at + i);
            pointers[n] = &packets[n];
            n += ft_packet_decode(&decode, &packets[n]) == FT_DECODED;
            ask_for(&w, at + BURST + i);
        }
        uint64_t start = __rdtsc();
        ft_flow_lookup(table, pointers, n, found, sides, NULL, NULL);
        if (at >= list->count * warm_share) {
            cycles += __rdtsc() - start;
            measured += n;
        }
    }
    ft_flow_table_free(table);
    return measured ? (double)cycles / measured : 0;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, uint32_t n)
{
    qsort(values, n, sizeof(*values), compare);
    return values[n / 2];
}

static double tsc_hz(void)
{
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    uint64_t start = __rdtsc();
    usleep(200000);
    uint64_t end = __rdtsc();
    clock_gettime(CLOCK_MONOTONIC, &b);
    double ns = (double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec);
    return (double)(end - start) / ns * 1e9;
}

static double average_length(const struct bench_list *list)
{
    double sum = 0;
    for (uint32_t i = 0; i < list->count; i++)
        sum += list->packets[i].length;
    return list->count ? sum / list->count : 0;
}

/* One row: fieldtap and the peer in turn; medians. */
static bool row(const struct engine *e, const char *name, const struct bench_list *list,
                uint32_t flows, uint32_t rounds, double hz, json_t *rows)
{
    double cycles[ROUNDS_MAX], decode[ROUNDS_MAX], peer[ROUNDS_MAX], typical[ROUNDS_MAX];
    struct result r = {0};
    uint64_t allocs = 0;
    uint32_t known = 0;
    for (uint32_t i = 0; i < rounds; i++) {
        if (!measure(e, list, flows, &r))
            return false;
        cycles[i] = r.cycles;
        typical[i] = r.typical;
        decode[i] = r.decode;
        allocs += r.allocs;
        peer[i] = ndpi_peer_measure(list, flows, &known);
    }
    double flow_stage = measure_flows(list, flows);
    double c = median(cycles, rounds), d = median(decode, rounds), p = median(peer, rounds);
    double t = median(typical, rounds);
    printf("%-14s %8llu flows %4.0f B  %5.0f cycles (median burst %5.0f)  %5.2f Mpps  decode %4.0f "
           "flow %4.0f rest %4.0f"
           "  allocs %llu",
           name, (unsigned long long)r.flows, average_length(list), c, t, hz / c / 1e6, d,
           flow_stage, c - d - flow_stage, (unsigned long long)allocs);
    if (p > 0)
        printf("  nDPI %5.0f cycles %5.2f Mpps", p, hz / p / 1e6);
    putchar('\n');
    json_t *stages = json_pack("{s:f,s:f,s:f}", "decode", d, "flow", flow_stage,
                               "stream_dissect_novelty", c - d - flow_stage);
    json_array_append_new(
        rows,
        json_pack("{s:s,s:I,s:I,s:f,s:f,s:f,s:o,s:I,s:I,s:I,s:I,s:f,s:f}", "mix", name, "flows",
                  (json_int_t)r.flows, "packets", (json_int_t)list->count, "average_length",
                  average_length(list), "cycles_per_packet", c, "mpps", hz / c / 1e6, "stages",
                  stages, "allocs", (json_int_t)allocs, "syscalls", (json_int_t)0, "messages",
                  (json_int_t)r.messages, "bytes_per_flow", (json_int_t)r.memory_per_flow,
                  "ndpi_cycles_per_packet", p, "median_burst_cycles_per_packet", t));
    return true;
}

/* Two workers that share nothing, each draining its own ring, against one doing the same. */
static double elapsed_with(const struct engine *e, const struct bench_list *list, uint32_t flows,
                           uint32_t workers)
{
    struct ft_shards *shards = make_shards(e, flows);
    struct bench_worker w[2];
    uint32_t *order[2] = {NULL, NULL}, count[2] = {0, 0};
    pthread_barrier_t barrier;
    pthread_t threads[2];
    struct ft_decode_config decode;
    ft_decode_config_init(&decode);
    for (uint32_t i = 0; i < workers; i++)
        order[i] = __libc_malloc(list->count * sizeof(uint32_t));
    for (uint32_t i = 0; i < list->count; i++) {
        const struct bench_packet *from = &list->packets[i];
        struct ft_packet p = {.data = list->arena + from->offset,
                              .caplen = from->length,
                              .wirelen = from->length,
                              .linktype = from->linktype};
        ft_packet_decode(&decode, &p);
        uint32_t to = p.shard % workers;
        order[to][count[to]++] = i;
    }
    pthread_barrier_init(&barrier, NULL, workers + 1);
    for (uint32_t i = 0; i < workers; i++) {
        if (!shards || !worker_make(&w[i], e, list, shards, i))
            return 0;
        w[i].order = order[i];
        w[i].count = count[i];
        w[i].warm = (uint32_t)(count[i] * warm_share);
        w[i].drains = true;
        w[i].is_free = true;
        w[i].barrier = &barrier;
        for (unsigned s = 0; s < FT_SHARDS; s++)
            w[i].owns[s] = s % workers == i;
        pthread_create(&threads[i], NULL, worker_main, &w[i]);
    }
    pthread_barrier_wait(&barrier);
    double slowest = 0;
    for (uint32_t i = 0; i < workers; i++) {
        pthread_join(threads[i], NULL);
        double cycles = (double)(w[i].decode_cycles + w[i].inspect_cycles);
        slowest = cycles > slowest ? cycles : slowest;
        worker_free(&w[i]);
        free(order[i]);
    }
    pthread_barrier_destroy(&barrier);
    ft_shards_free(shards);
    return slowest;
}

static void scaling(const struct engine *e, const struct bench_list *list, uint32_t flows,
                    uint32_t rounds, json_t *root)
{
    double ratio[ROUNDS_MAX];
    for (uint32_t i = 0; i < rounds; i++) {
        double one = elapsed_with(e, list, flows, 1), two = elapsed_with(e, list, flows, 2);
        ratio[i] = two > 0 ? one / two : 0;
    }
    double m = median(ratio, rounds);
    printf("two workers        %.2f times one\n", m);
    json_object_set_new(root, "two_workers", json_real(m));
}

struct arguments {
    const char *json, *captures;
    const char *sources[64];
    const char *row; /* only rows whose name begins so */
    uint32_t source_count, packets, rounds;
    bool small, keeps_packets;
};

static bool is_wanted(const struct arguments *a, const char *name)
{
    return !a->row || strncmp(name, a->row, strlen(a->row)) == 0;
}

static bool make_engine(struct engine *e)
{
    char error[512];
    e->registry = ft_registry_new();
    for (const struct ft_dissector *const *d = ft_protocols; *d; d++) {
        if (!ft_registry_add(e->registry, *d, NULL, error, sizeof(error))) {
            fprintf(stderr, "%s\n", error);
            return false;
        }
    }
    ft_registry_finish(e->registry);
    e->recogniser = ft_recogniser_new(e->registry, error, sizeof(error));
    return e->recogniser != NULL;
}

/* Captures that lie beside the checkout, if any, with copies up to the number of packets. */
static void captured_row(const struct engine *e, const struct arguments *a, const char *name,
                         const char *const *folders, double hz, json_t *rows)
{
    char paths[FOLDERS_MAX][512];
    const char *sources[FOLDERS_MAX];
    struct bench_list base, list;
    struct stat st;
    uint32_t n = 0;
    for (uint32_t i = 0; is_wanted(a, name) && folders[i]; i++) {
        snprintf(paths[n], sizeof(paths[n]), "%s/%s", a->captures, folders[i]);
        if (stat(paths[n], &st) == 0) {
            sources[n] = paths[n];
            n++;
        }
    }
    if (!n || !bench_load(&base, sources, n, 1u << 22))
        return;
    if (bench_multiply(&list, &base, a->packets / base.count + 1)) {
        row(e, name, &list, 200000, a->rounds, hz, rows);
        bench_free(&list);
    }
    bench_free(&base);
}

static void captured_rows(const struct engine *e, const struct arguments *a, double hz,
                          json_t *rows)
{
    static const char *const ot[FOLDERS_MAX] = {
        "modbus-tcp", "dnp3", "s7comm", "enip-cip", "iec61850-goose", "modbus-umas", "arp"};
    static const char *const network[FOLDERS_MAX] = {
        "stp",  "lldp",    "cdp",    "llc",    "icmp-ipv6",      "dns", "snmp", "mdns-llmnr",
        "tftp", "netbios", "syslog", "telnet", "dhcp-ntp-radius"};
    static const char *const office[FOLDERS_MAX] = {"http", "tls", "ssh", "ftp"};
    captured_row(e, a, "ot_captures", ot, hz, rows);
    captured_row(e, a, "network_captures", network, hz, rows);
    captured_row(e, a, "office_captures", office, hz, rows);
}

static void generated_row(const struct engine *e, const struct arguments *a, const char *name,
                          uint32_t flows, double hz, json_t *rows, json_t *root)
{
    struct bench_list list;
    uint32_t packets = flows * 20 > a->packets ? flows * 20 : a->packets;
    if (!is_wanted(a, name) || !bench_generate(&list, flows, packets))
        return;
    row(e, name, &list, flows * 2, a->rounds, hz, rows);
    if (root)
        scaling(e, &list, flows * 2, a->rounds, root);
    bench_free(&list);
}

static void smallest_row(const struct engine *e, const struct arguments *a, uint32_t flows,
                         double hz, json_t *rows)
{
    struct bench_list list;
    char name[32];
    uint32_t packets = flows * 4 > a->packets ? flows * 4 : a->packets;
    snprintf(name, sizeof(name), "64_byte_%uk", flows / 1000);
    if (!is_wanted(a, name))
        return;
    if (bench_smallest(&list, flows, packets))
        row(e, name, &list, flows, a->rounds, hz, rows);
    bench_free(&list);
}

/* The smallest packets, in tunnels: what the headers around them cost. */
static void tunnel_row(const struct engine *e, const struct arguments *a, uint32_t flows, double hz,
                       json_t *rows)
{
    struct bench_list plain, list;
    if (!is_wanted(a, "vxlan"))
        return;
    if (bench_smallest(&plain, flows, a->packets) && bench_tunnel(&list, &plain)) {
        row(e, "vxlan", &list, flows, a->rounds, hz, rows);
        bench_free(&list);
    }
    bench_free(&plain);
}

/* ---- rules ---- */

struct rules_row {
    const char *name;
    enum bench_rules kind;
    uint32_t count;
    bool is_builtin;        /* the rules that the sensor comes with */
    struct ft_ruleset *set; /* NULL: no rules */
    double load_ms, load_mb;
    double cycles[ROUNDS_MAX], typical[ROUNDS_MAX];
    double times[ROUNDS_MAX]; /* a round's typical burst, of that without rules right before it */
    struct result last;
    uint64_t allocs;
};

static void say_rule_error(void *user, bool is_error, const char *line)
{
    (void)user;
    if (is_error)
        fprintf(stderr, "%s\n", line);
}

static bool rules_load(const struct engine *e, struct rules_row *r)
{
    const struct ft_rule_environment environment = {.registry = e->registry};
    char file[64], error[1024];
    const char *path = r->is_builtin ? BENCH_BUILTIN_RULES : file;
    bool is_sound = false;
    if (!r->count && !r->is_builtin)
        return true;
    snprintf(file, sizeof(file), "/tmp/fieldtap-bench-%d.json", (int)getpid());
    if (!r->is_builtin && !bench_rules_write(file, r->kind, r->count))
        return false;
    size_t before = mallinfo2().uordblks;
    uint64_t start = __rdtsc();
    struct ft_rule_files *files =
        ft_rule_files_read(&path, 1, &environment, say_rule_error, NULL, &is_sound);
    if (is_sound && !(r->set = ft_ruleset_new(files, NULL, error, sizeof(error))))
        fprintf(stderr, "%s\n", error);
    r->load_ms = (double)(__rdtsc() - start); /* cycles, until the frequency is at hand */
    r->load_mb = (double)(mallinfo2().uordblks - before) / 1048576.0;
    unlink(file);
    r->count = r->set ? ft_ruleset_count(r->set) : 0;
    return r->set != NULL;
}

static bool rules_measure(const struct engine *e, const struct bench_list *list,
                          struct rules_row *r, uint32_t round)
{
    rules = r->set;
    bool ok = measure(e, list, 2000, &r->last);
    rules = NULL;
    r->cycles[round] = r->last.cycles;
    r->typical[round] = r->last.typical;
    r->allocs += r->last.allocs;
    return ok;
}

static void rules_told(struct rules_row *r, uint32_t rounds, double hz, json_t *rows)
{
    double c = median(r->cycles, rounds), t = median(r->typical, rounds);
    double times = median(r->times, rounds);
    printf("%-18s %6.0f cycles (median burst %5.0f)  %5.2f Mpps  x %.3f  %6.3f hits/message  %6.3f "
           "tests/message  allocs %llu  loaded in %.0f ms, %.1f MB\n",
           r->name, c, t, hz / c / 1e6, times, (double)r->last.hits / (double)r->last.messages,
           (double)r->last.evaluations / (double)r->last.messages, (unsigned long long)r->allocs,
           r->load_ms / hz * 1e3, r->load_mb);
    json_array_append_new(
        rows, json_pack("{s:s,s:I,s:f,s:f,s:f,s:f,s:I,s:I,s:I,s:I,s:f,s:f}", "mix", r->name,
                        "rules", (json_int_t)r->count, "cycles_per_packet", c, "mpps", hz / c / 1e6,
                        "median_burst_cycles_per_packet", t, "times_no_rules", times, "hits",
                        (json_int_t)r->last.hits, "evaluations", (json_int_t)r->last.evaluations,
                        "allocs", (json_int_t)r->allocs, "syscalls", (json_int_t)0, "load_ms",
                        r->load_ms / hz * 1e3, "load_mb", r->load_mb));
}

/* One round: each beside none, so that what the machine does meanwhile slows both. */
static bool rules_round(const struct engine *e, const struct bench_list *list,
                        struct rules_row *none, struct rules_row *r, uint32_t round)
{
    if (!rules_measure(e, list, none, round) || (r != none && !rules_measure(e, list, r, round)))
        return false;
    r->times[round] = r->typical[round] / none->typical[round];
    return true;
}

/* What rules cost traffic that they do not hold for, beside none: all in turn, medians. */
static bool rules_rows(const struct engine *e, const struct arguments *a, double hz, json_t *rows)
{
    struct rules_row all[] = {
        {.name = "rules_0"},
        {.name = "rules_builtin", .is_builtin = true},
        {.name = "rules_100", .count = 100},
        {.name = "rules_1000", .count = 1000},
        {.name = "rules_10000", .count = 10000},
        {.name = "rules_1000_hits", .kind = BENCH_RULES_HITTING, .count = 1000},
        {.name = "rules_any_100", .kind = BENCH_RULES_CONTENT, .count = 100},
        {.name = "rules_any_1000", .kind = BENCH_RULES_CONTENT, .count = 1000},
    };
    const uint32_t n = sizeof(all) / sizeof(all[0]);
    bool wanted[sizeof(all) / sizeof(all[0])], is_any = false, ok = true;
    struct bench_list list;
    for (uint32_t i = 0; i < n; i++)
        is_any |= wanted[i] = is_wanted(a, all[i].name) && !(a->small && all[i].count > 1000);
    wanted[0] = is_any; /* what the others are compared with */
    if (!is_any)
        return true;
    if (!bench_generate(&list, 1000, a->packets))
        return false;
    for (uint32_t i = 0; ok && i < n; i++)
        ok = !wanted[i] || rules_load(e, &all[i]);
    for (uint32_t round = 0; ok && round < a->rounds; round++)
        for (uint32_t i = 0; ok && i < n; i++)
            ok = !wanted[i] || rules_round(e, &list, &all[0], &all[i], round);
    for (uint32_t i = 0; ok && i < n; i++) {
        if (!wanted[i])
            continue;
        rules_told(&all[i], a->rounds, hz, rows);
        /* in traffic of millions of packets some value comes to a limit */
        bool holds = all[i].last.hits * 1000 > all[i].last.messages;
        if (!all[i].is_builtin && holds != (all[i].kind == BENCH_RULES_HITTING))
            ok = false;
    }
    if (!ok)
        fprintf(stderr, "rules: they do not hold for as much as they should, or could not be "
                        "loaded\n");
    for (uint32_t i = 0; i < n; i++)
        ft_ruleset_free(all[i].set);
    bench_free(&list);
    return ok;
}

/* ---- what a sensor does beside, in turn with not doing it ---- */

struct turns {
    const char *names[BENCH_SINK_KINDS]; /* the first is what the others are compared with */
    uint32_t count;
    bool (*begin)(void *user, uint32_t which);
    bool (*end)(void *user); /* also behind a begin() that failed */
    void *user;
};

struct turn {
    double cycles[ROUNDS_MAX], typical[ROUNDS_MAX];
    double times[ROUNDS_MAX]; /* a round's typical burst, of that of the first in the same round */
    uint64_t allocs;
};

static void turn_told(const char *name, struct turn *turn, const struct arguments *a, double hz,
                      json_t *rows)
{
    double c = median(turn->cycles, a->rounds), t = median(turn->typical, a->rounds);
    double times = median(turn->times, a->rounds);
    printf("%-18s %6.0f cycles (median burst %5.0f)  %5.2f Mpps  x %.3f  allocs %llu\n", name, c, t,
           hz / c / 1e6, times, (unsigned long long)turn->allocs);
    json_array_append_new(
        rows, json_pack("{s:s,s:f,s:f,s:f,s:f,s:I,s:I}", "mix", name, "cycles_per_packet", c,
                        "mpps", hz / c / 1e6, "median_burst_cycles_per_packet", t, "times_off",
                        times, "allocs", (json_int_t)turn->allocs, "syscalls", (json_int_t)0));
}

/* ot_mix_1k with each in turn; medians. */
static bool turns_rows(const struct engine *e, const struct arguments *a, const struct turns *turns,
                       double hz, json_t *rows)
{
    struct turn all[BENCH_SINK_KINDS] = {0};
    struct bench_list list;
    bool ok = bench_generate(&list, 1000, a->packets);
    if (!ok)
        return false;
    for (uint32_t round = 0; ok && round < a->rounds; round++)
        for (uint32_t i = 0; ok && i < turns->count; i++) {
            struct result r = {0};
            ok = turns->begin(turns->user, i) && measure(e, &list, 2000, &r);
            ok &= turns->end(turns->user);
            all[i].cycles[round] = r.cycles;
            all[i].typical[round] = r.typical;
            all[i].times[round] = r.typical / all[0].typical[round];
            all[i].allocs += r.allocs;
        }
    for (uint32_t i = 0; ok && i < turns->count; i++)
        turn_told(turns->names[i], &all[i], a, hz, rows);
    bench_free(&list);
    return ok;
}

static bool keep_packets(void *user, uint32_t which)
{
    history = which ? user : NULL;
    return user;
}

static bool keep_no_packets(void *user)
{
    history = NULL;
    return user;
}

/* What keeping packets costs: as a live sensor does by default, and not at all. */
static bool evidence_rows(const struct engine *e, const struct arguments *a, double hz,
                          json_t *rows)
{
    if (!is_wanted(a, "evidence"))
        return true;
    struct turns turns = {{"evidence_off", "evidence"},
                          2,
                          keep_packets,
                          keep_no_packets,
                          ft_history_new(64u << 20, 4096, 0)};
    bool ok = turns_rows(e, a, &turns, hz, rows);
    ft_history_free(turns.user);
    return ok;
}

static bool begin_sinks(void *user, uint32_t which)
{
    struct bench_sinks **sinks = user;
    pin(0);
    *sinks = bench_sinks_begin((enum bench_sink)which);
    return *sinks;
}

static bool end_sinks(void *user)
{
    struct bench_sinks **sinks = user;
    bool ok = bench_sinks_end(*sinks);
    if (!ok)
        fprintf(stderr, "sinks: the journal or the sink did not do what it should\n");
    return ok;
}

/* What a sink whose receiver is away costs a worker: nothing. */
static bool sink_rows(const struct engine *e, const struct arguments *a, double hz, json_t *rows)
{
    struct bench_sinks *sinks = NULL;
    struct turns turns = {{"sink_none", "sink_dead", "sink_blocked"},
                          BENCH_SINK_KINDS,
                          begin_sinks,
                          end_sinks,
                          &sinks};
    return !is_wanted(a, "sink") || turns_rows(e, a, &turns, hz, rows);
}

static bool read_arguments(struct arguments *a, int argc, char **argv)
{
    static const struct option options[] = {
        {"json", required_argument, NULL, 'j'},     {"read", required_argument, NULL, 'r'},
        {"packets", required_argument, NULL, 'p'},  {"rounds", required_argument, NULL, 'n'},
        {"captures", required_argument, NULL, 'c'}, {"small", no_argument, NULL, 's'},
        {"unfiltered", no_argument, NULL, 'u'},     {"row", required_argument, NULL, 'o'},
        {"evidence", no_argument, NULL, 'e'},       {0}};
    int c;
    *a = (struct arguments){.packets = 4000000, .rounds = 5, .captures = "../shared/captures"};
    while ((c = getopt_long(argc, argv, "r:", options, NULL)) != -1) {
        if (c == 'j')
            a->json = optarg;
        else if (c == 'r' && a->source_count < 64)
            a->sources[a->source_count++] = optarg;
        else if (c == 'p')
            a->packets = (uint32_t)strtoul(optarg, NULL, 10);
        else if (c == 'n')
            a->rounds = (uint32_t)strtoul(optarg, NULL, 10);
        else if (c == 'c')
            a->captures = optarg;
        else if (c == 'o')
            a->row = optarg;
        else if (c == 's')
            a->small = true;
        else if (c == 'e')
            a->keeps_packets = true;
        else if (c == 'u')
            unfiltered = true;
        else
            return false;
    }
    if (a->small) {
        a->packets = 200000;
        a->rounds = 1;
    }
    return optind == argc && a->rounds >= 1 && a->rounds <= ROUNDS_MAX && a->packets >= 1000;
}

int main(int argc, char **argv)
{
    struct arguments a;
    struct engine e;
    if (!read_arguments(&a, argc, argv)) {
        fprintf(stderr, "usage: fieldtap-bench [--json FILE] [-r PCAP ...] [--packets N] "
                        "[--rounds 1..31] [--captures DIR] [--row NAME] [--small] "
                        "[--evidence]\n"
                        "Several ports, and packets that workers hand over to each other: "
                        "test/bench/ports FIELDTAP\n");
        return 2;
    }
    if (!make_engine(&e))
        return 1;
    double hz = tsc_hz();
    json_t *root = json_object(), *rows = json_array();
    json_object_set_new(root, "tsc_hz", json_real(hz));
    json_object_set_new(root, "flow_bytes", json_integer(sizeof(struct ft_flow)));
    printf("TSC %.0f MHz, %u packets, %u rounds, medians\n", hz / 1e6, a.packets, a.rounds);
    if (a.source_count) {
        struct bench_list list;
        if (a.keeps_packets && !(history = ft_history_new(64u << 20, 4096, 0)))
            return 1;
        if (!bench_load(&list, a.sources, a.source_count, 1u << 25) ||
            !row(&e, "capture", &list, 1000000, a.rounds, hz, rows))
            return 1;
        bench_free(&list);
        ft_history_free(history);
    } else {
        generated_row(&e, &a, "ot_mix_1k", 1000, hz, rows, a.small ? NULL : root);
        if (!a.small) {
            is_live = true;
            generated_row(&e, &a, "live_1k", 1000, hz, rows, NULL);
            is_live = false;
            generated_row(&e, &a, "ot_mix_100k", 100000, hz, rows, NULL);
            generated_row(&e, &a, "ot_mix_1M", 1000000, hz, rows, NULL);
            captured_rows(&e, &a, hz, rows);
        }
        smallest_row(&e, &a, 1000, hz, rows);
        tunnel_row(&e, &a, 1000, hz, rows);
        if (!a.small)
            smallest_row(&e, &a, 1000000, hz, rows);
        if (!evidence_rows(&e, &a, hz, rows) || !sink_rows(&e, &a, hz, rows) ||
            !rules_rows(&e, &a, hz, rows))
            return 1;
    }
    json_object_set_new(root, "rows", rows);
    if (a.json && json_dump_file(root, a.json, JSON_INDENT(2)) != 0) {
        fprintf(stderr, "%s: %s\n", a.json, strerror(errno));
        return 1;
    }
    return 0;
}
