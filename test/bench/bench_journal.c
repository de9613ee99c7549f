/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the journal takes: records appended, hashed, written, synced by interval and packed, with
 * all threads on one core.
 *
 *   bench_journal [--records N] [--bytes N] [--folder DIR] [--cores N] [--cpu N]
 *
 * The folder is made and removed; give one on the disk that is to be measured. Records are JSON
 * lines of the given length (300), 1 of 100 an alert (which has every record synced), 9 inventory,
 * 20 flows, 70 transactions. The appending thread waits when memory is half full, so nothing is
 * given up; the time counts to the end of the last sync. Then everything is read as a sink that was
 * away would.
 */
#include "base/clock_ns.h"
#include "journal/journal.h"

#include <dirent.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct options {
    uint64_t records;
    uint32_t bytes, cores, cpu;
    const char *folder;
};

static bool take_options(int argc, char **argv, struct options *o)
{
    static const struct option names[] = {
        {"records", required_argument, NULL, 'r'}, {"bytes", required_argument, NULL, 'b'},
        {"folder", required_argument, NULL, 'f'},  {"cores", required_argument, NULL, 'c'},
        {"cpu", required_argument, NULL, 'u'},     {0}};
    *o = (struct options){.records = 3000000, .bytes = 300, .cores = 1, .folder = "bench-journal"};
    for (int c; (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (c) {
        case 'r':
            o->records = strtoull(optarg, NULL, 10);
            break;
        case 'b':
            o->bytes = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'f':
            o->folder = optarg;
            break;
        case 'c':
            o->cores = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'u':
            o->cpu = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        default:
            return false;
        }
    }
    return o->records && o->cores && o->bytes >= 200 && o->bytes <= 4000;
}

static void pin(const struct options *o)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (uint32_t i = 0; i < o->cores; i++)
        CPU_SET(o->cpu + i, &set);
    if (sched_setaffinity(0, sizeof(set), &set) < 0)
        perror("sched_setaffinity");
}

/* A line like those of flows: numbers differ from line to line. */
static void fill(char *line, uint32_t length, uint64_t i)
{
    int n = snprintf(line, length,
                     "{\"timestamp\":\"2026-11-22T12:%02u:%02u.%06u+0000\",\"flow_id\":%llu,"
                     "\"event_type\":\"flow\",\"src_ip\":\"10.1.%u.%u\",\"src_port\":%u,"
                     "\"dest_ip\":\"10.2.0.%u\",\"dest_port\":502,\"proto\":\"TCP\",\"x\":\"",
                     (unsigned)(i / 60000000 % 60), (unsigned)(i / 1000000 % 60),
                     (unsigned)(i % 1000000), (unsigned long long)(i * 2654435761u),
                     (unsigned)(i / 250 % 250), (unsigned)(i % 250), (unsigned)(1024 + i % 60000),
                     (unsigned)(i % 100));
    for (uint32_t at = (uint32_t)n; at < length; at++)
        line[at] = "modbus.read_holding_registers "[(at + i) % 30];
}

static enum ft_journal_type type_of(uint64_t i)
{
    uint64_t part = i % 100;
    return part < 1    ? FT_JOURNAL_TYPE_ALERT
           : part < 10 ? FT_JOURNAL_TYPE_ASSET
           : part < 30 ? FT_JOURNAL_TYPE_FLOW
                       : FT_JOURNAL_TYPE_TRANSACTION;
}

/* Returns nanoseconds that the appending thread itself used. */
static uint64_t append_all(struct ft_journal *j, const struct options *o, char *lines,
                           uint32_t line_count)
{
    struct ft_journal_stats stats;
    uint64_t spent = 0;
    for (uint64_t i = 0; i < o->records;) {
        uint64_t began = ft_clock_ns(CLOCK_THREAD_CPUTIME_ID);
        for (unsigned k = 0; k < 1000 && i < o->records; k++, i++)
            ft_journal_append(j, type_of(i), ft_journal_next(j), 3, i,
                              lines + (i % line_count) * o->bytes, o->bytes);
        spent += ft_clock_ns(CLOCK_THREAD_CPUTIME_ID) - began;
        for (ft_journal_stats(j, &stats); stats.memory_used > stats.memory_bytes / 2;
             ft_journal_stats(j, &stats))
            usleep(1000);
    }
    return spent;
}

static void read_back(struct ft_journal *j)
{
    struct ft_journal_reader_options options = {.name = "sink"};
    struct ft_journal_item item;
    char error[256];
    uint64_t records = 0, missing = 0, began = ft_clock_ns(CLOCK_MONOTONIC);
    struct ft_journal_reader *r = ft_journal_reader_open(j, &options, error, sizeof(error));
    if (!r) {
        fprintf(stderr, "bench_journal: %s\n", error);
        return;
    }
    for (ft_journal_reader_next(r, &item, 0); item.kind != FT_JOURNAL_NOTHING;
         ft_journal_reader_next(r, &item, 0)) {
        records += item.kind == FT_JOURNAL_RECORD;
        missing += item.count;
        if (records % 1000 == 0)
            ft_journal_reader_ack(r, item.kind == FT_JOURNAL_RECORD ? item.sequence
                                                                    : item.last_sequence);
    }
    double seconds = (double)(ft_clock_ns(CLOCK_MONOTONIC) - began) / 1e9;
    printf("read back: %.0f records/s, %llu missing\n", (double)records / seconds,
           (unsigned long long)missing);
    ft_journal_reader_close(r);
}

static void remove_folder(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *e;
    while (d && (e = readdir(d)))
        if (e->d_name[0] != '.')
            unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
    rmdir(path);
}

static uint64_t cpu_ns(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return ((uint64_t)u.ru_utime.tv_sec + (uint64_t)u.ru_stime.tv_sec) * 1000000000u +
           ((uint64_t)u.ru_utime.tv_usec + (uint64_t)u.ru_stime.tv_usec) * 1000u;
}

int main(int argc, char **argv)
{
    enum {
        LINES = 4096
    };
    struct options o;
    char error[256];
    struct ft_journal_stats stats;
    if (!take_options(argc, argv, &o)) {
        fprintf(stderr, "usage: bench_journal [--records N] [--bytes 200-4000] [--folder DIR] "
                        "[--cores N] [--cpu N]\n");
        return 2;
    }
    char *lines = malloc((size_t)LINES * o.bytes);
    for (uint32_t i = 0; lines && i < LINES; i++)
        fill(lines + (size_t)i * o.bytes, o.bytes, i * 7919u);
    pin(&o);
    struct ft_journal_options options = {.folder = o.folder, .sensor = "bench"};
    struct ft_journal *j = lines ? ft_journal_open(&options, error, sizeof(error)) : NULL;
    if (!j) {
        fprintf(stderr, "bench_journal: %s\n", lines ? error : "out of memory");
        return 1;
    }
    uint64_t began = ft_clock_ns(CLOCK_MONOTONIC), cpu = cpu_ns();
    uint64_t appending = append_all(j, &o, lines, LINES);
    bool is_flushed = ft_journal_flush(j, 60000);
    double seconds = (double)(ft_clock_ns(CLOCK_MONOTONIC) - began) / 1e9;
    double busy = (double)(cpu_ns() - cpu) / 1e9;
    read_back(j);
    bool is_whole = ft_journal_close(j, 60000, &stats);
    uint64_t packed = 0;
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++)
        packed += stats.classes[c].disk_bytes;
    printf("%.0f records/s of %u bytes, %.1f MB/s; append %.0f ns, all threads %.0f ns a record\n",
           (double)o.records / seconds, o.bytes, (double)o.records * o.bytes / seconds / 1e6,
           (double)appending / (double)o.records, busy * 1e9 / (double)o.records);
    printf(
        "%llu syncs, the longest %.1f ms; %llu segments packed; %.1f MB on disk; memory %.1f MB\n",
        (unsigned long long)stats.syncs, (double)stats.sync_max_us / 1e3,
        (unsigned long long)stats.compressed, (double)packed / 1e6,
        (double)stats.memory_high / 1e6);
    remove_folder(o.folder);
    free(lines);
    return is_flushed && is_whole ? 0 : 1;
}
