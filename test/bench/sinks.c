/* SPDX-License-Identifier: BSD-3-Clause */
/* A journal with a sink to nowhere: see sinks.h. */
#include "sinks.h"

#include "output/sinks.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <jansson.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINES_A_MS 10u
#define BACKLOG    40000u

struct bench_sinks {
    enum bench_sink kind;
    char folder[64];
    struct ft_journal *journal;
    struct ft_sinks *sinks;
    struct ft_sinks_options options;
    int listener; /* nobody accepts from it: -1 = there is none */
    pthread_t feeder;
    bool has_feeder;
    atomic_bool is_over;
    uint64_t lines;
};

static void append(struct bench_sinks *b, uint32_t count)
{
    char line[512];
    for (uint32_t i = 0; i < count; i++, b->lines++) {
        uint64_t n = ft_journal_next(b->journal);
        int length = snprintf(line, sizeof(line),
                              "{\"timestamp\":\"2026-11-22T12:00:00.000000+0000\",\"event_type\":"
                              "\"flow\",\"src_ip\":\"10.1.2.3\",\"src_port\":%llu,\"fieldtap\":"
                              "{\"event_uid\":\"bench-%llu\",\"text\":\"%0200d\"}}",
                              (unsigned long long)(n % 60000), (unsigned long long)n, 0);
        ft_journal_append(b->journal, FT_JOURNAL_TYPE_FLOW, n, 4, n, line, (uint32_t)length);
    }
}

static void *feed(void *user)
{
    struct bench_sinks *b = user;
    while (!atomic_load_explicit(&b->is_over, memory_order_relaxed)) {
        append(b, LINES_A_MS);
        usleep(1000);
    }
    return NULL;
}

/* A port of this machine on which nobody listens, or which listens and never takes. */
static int make_port(struct bench_sinks *b)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    b->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (b->listener < 0 || bind(b->listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
        (b->kind == BENCH_SINK_BLOCKED && listen(b->listener, 4) < 0) ||
        getsockname(b->listener, (struct sockaddr *)&at, &size) < 0)
        return -1;
    return ntohs(at.sin_port);
}

static bool begin_sink(struct bench_sinks *b, char *error, size_t size)
{
    int port = make_port(b);
    json_t *outputs =
        json_pack("[{s:s, s:s, s:s, s:i, s:i, s:i}]", "name", "bench", "kind", "syslog", "host",
                  "127.0.0.1", "port", port, "retry_ms", 100, "timeout_ms", 60000);
    if (port < 0 || !outputs)
        return false;
    b->options.sensor.name = "bench";
    b->sinks = ft_sinks_new(outputs, "bench", NULL, &b->options, error, size);
    json_decref(outputs);
    return b->sinks && ft_sinks_start(b->sinks, b->journal, error, size);
}

/* So much that the receiver's system takes no more. */
static bool fill(struct bench_sinks *b)
{
    append(b, BACKLOG);
    bool ok = ft_journal_flush(b->journal, 10000);
    usleep(100000);
    return ok;
}

struct bench_sinks *bench_sinks_begin(enum bench_sink kind)
{
    struct bench_sinks *b = calloc(1, sizeof(*b));
    char error[512] = "no socket, or out of memory";
    if (!b)
        return NULL;
    b->kind = kind;
    b->listener = -1;
    snprintf(b->folder, sizeof(b->folder), "/tmp/fieldtap-bench-%d", (int)getpid());
    const struct ft_journal_options options = {.folder = b->folder, .sensor = "bench"};
    b->journal = ft_journal_open(&options, error, sizeof(error));
    if (b->journal && (kind == BENCH_SINK_NONE || begin_sink(b, error, sizeof(error))) && fill(b) &&
        pthread_create(&b->feeder, NULL, feed, b) == 0) {
        b->has_feeder = true;
        return b;
    }
    fprintf(stderr, "sinks: %s\n", error);
    bench_sinks_end(b);
    return NULL;
}

/* Did its sink do what it was made for? */
static bool is_as_meant(const struct bench_sinks *b)
{
    struct ft_sink_stats stats;
    if (!b->sinks || !ft_sinks_stats(b->sinks, 0, &stats))
        return !b->sinks;
    return stats.lag > 0 && (b->kind == BENCH_SINK_DEAD ? stats.failed && !stats.sent
                                                        : stats.connected == 1 && !stats.failed);
}

static void remove_folder(const char *path)
{
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.')
            unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
    rmdir(path);
}

bool bench_sinks_end(struct bench_sinks *b)
{
    struct ft_journal_stats stats = {0};
    if (!b)
        return true;
    atomic_store(&b->is_over, true);
    if (b->has_feeder)
        pthread_join(b->feeder, NULL);
    bool ok = !b->has_feeder || is_as_meant(b);
    if (b->sinks) {
        ft_sinks_stop(b->sinks, 0);
        ft_sinks_free(b->sinks);
    }
    if (b->journal)
        ok &= ft_journal_close(b->journal, 10000, &stats) &&
              stats.classes[FT_JOURNAL_FLOW].synced == b->lines;
    if (b->listener >= 0)
        close(b->listener);
    remove_folder(b->folder);
    free(b);
    return ok;
}
