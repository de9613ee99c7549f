/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the alerting loop pays for a small event: encoding a flow as a line of JSON, alone and with
 * giving it to the journal.
 *
 *   bench_encode [--events N] [--folder DIR]
 *
 * With a folder, which is made and stays, lines go into a journal there; a sync is waited for each
 * time a quarter of its memory is full. Two numbers: by the time of the processor in this thread,
 * which is what the alerting loop pays; and by the clock, with all threads on one core and the
 * disk.
 */
#include "base/clock_ns.h"
#include "journal/journal.h"
#include "output/eve.h"

#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLUSH_BYTES (8u << 20)

struct bench {
    struct ft_journal *journal;
    uint64_t bytes;
};

static uint64_t next(void *user)
{
    struct bench *b = user;
    return ft_journal_next(b->journal);
}

static bool keep(void *user, const struct ft_output_line *line, const char *text, uint32_t length)
{
    struct bench *b = user;
    bool ok = ft_journal_append(b->journal, ft_journal_type_of(line->event_type), line->uid,
                                line->severity, line->time_ns, text, length);
    b->bytes += length;
    if (b->bytes < FLUSH_BYTES)
        return ok;
    b->bytes = 0;
    ft_journal_flush(b->journal, 60000);
    return ok;
}

static struct ft_output *open_output(struct bench *b, const char *folder)
{
    char error[512] = "out of memory";
    const struct ft_output_keeper keeper = {next, keep, b};
    const struct ft_journal_options options = {.folder = folder, .sensor = "bench"};
    if (!folder)
        return ft_output_open(NULL, error, sizeof(error));
    b->journal = ft_journal_open(&options, error, sizeof(error));
    if (!b->journal)
        fprintf(stderr, "%s\n", error);
    return b->journal ? ft_output_keep(&keeper) : NULL;
}

static void make_flow(struct ft_event *e)
{
    *e = (struct ft_event){.type = FT_EVENT_FLOW, .time_ns = 1700000000000000000ull};
    e->packet.family = 4;
    e->packet.proto = 6;
    e->packet.src_port = 40000;
    e->packet.dst_port = 502;
    memcpy(e->packet.src.bytes, "\12\0\0\1", 4);
    memcpy(e->packet.dst.bytes, "\12\0\0\2", 4);
    e->packet.flow_id = 123456789;
    e->flow.packets[0] = e->flow.packets[1] = 10;
    e->flow.bytes[0] = e->flow.bytes[1] = 1000;
    e->flow.first_ns = e->time_ns - 5000000000ull;
    e->flow.last_ns = e->time_ns;
}

/* All threads that are made from here on, too. */
static void stay_on_one_core(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    if (sched_setaffinity(0, sizeof(set), &set) < 0)
        perror("sched_setaffinity");
}

struct taken {
    uint64_t processor, clock;
};

static struct taken now(void)
{
    return (struct taken){ft_clock_ns(CLOCK_THREAD_CPUTIME_ID), ft_clock_ns(CLOCK_MONOTONIC)};
}

static void tell(const char *what, uint64_t events, struct taken from)
{
    struct taken to = now();
    double n = (double)events * 1e9;
    printf("%s: %.0f events/s of the processor, %.0f by the clock\n", what,
           n / (double)(to.processor - from.processor), n / (double)(to.clock - from.clock));
}

static void run(struct ft_eve *eve, struct ft_output *out, struct bench *b, uint64_t events)
{
    struct ft_event e;
    make_flow(&e);
    struct taken begin = now();
    for (uint64_t i = 0; i < events; i++) {
        struct ft_json j = ft_json_make(ft_output_reserve(out), FT_OUTPUT_LINE_MAX);
        e.number = i + 1;
        e.time_ns += 1000;
        e.packet.src_port = (uint16_t)(1024 + i % 60000);
        if (ft_eve_flow(eve, &e, &j))
            ft_output_commit(out, j.length, ft_eve_line(eve));
        if (b->journal)
            ft_eve_set_next_uid(eve, ft_output_next(out));
    }
    if (b->journal)
        ft_journal_flush(b->journal, 60000);
    tell(b->journal ? "encoded and appended" : "encoded", events, begin);
}

int main(int argc, char **argv)
{
    static const struct option names[] = {
        {"events", required_argument, NULL, 'e'}, {"folder", required_argument, NULL, 'f'}, {0}};
    uint64_t events = 1000000;
    const char *folder = NULL;
    struct bench b = {0};
    for (int c; (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        if (c == 'e')
            events = strtoull(optarg, NULL, 10);
        else if (c == 'f')
            folder = optarg;
        else
            return 2;
    }
    stay_on_one_core();
    struct ft_registry *registry = ft_registry_new();
    struct ft_output *out = open_output(&b, folder);
    if (!registry || !out)
        return 1;
    ft_registry_finish(registry);
    struct ft_eve *eve = ft_eve_new(
        &(struct ft_eve_config){.sensor = "bench", .first_uid = ft_output_next(out)}, registry);
    if (!eve)
        return 1;
    run(eve, out, &b, events);
    if (b.journal) {
        struct ft_journal_stats stats;
        bool is_whole = ft_journal_close(b.journal, 60000, &stats);
        printf("%llu given to the journal, %llu synced, %s\n",
               (unsigned long long)stats.classes[FT_JOURNAL_FLOW].appended,
               (unsigned long long)stats.classes[FT_JOURNAL_FLOW].synced,
               is_whole ? "whole" : "NOT WHOLE");
    }
    return 0;
}
