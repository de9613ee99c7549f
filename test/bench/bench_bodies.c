/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What it costs to tell an event to a sink, on one core: skimming and parsing its line, then each
 * body, as a syslog message where it is one.
 *
 *   bench_bodies [-s SECONDS] [EVE_JSON]
 *
 * The lines are those of a file, up to 10,000, or else one alert of 1.3 KB; a second for each row.
 */
#include "../unit/forward_lines.h"
#include "forward/syslog_message.h"
#include "forward/webhook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINES_MAX 10000u
#define ROOM      65536u

struct lines {
    char *text[LINES_MAX];
    struct ft_forward_event events[LINES_MAX];
    uint32_t count;
};

/* Does something with the i-th line; the bytes that came of it. */
typedef uint32_t work_fn(struct lines *l, uint32_t i, const struct ft_syslog *how);

static char to[ROOM];
static double seconds = 1;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint32_t skim(struct lines *l, uint32_t i, const struct ft_syslog *how)
{
    struct ft_forward_event e;
    (void)how;
    ft_forward_event_skim(&e, l->text[i], l->events[i].length);
    return e.length;
}

static uint32_t parse(struct lines *l, uint32_t i, const struct ft_syslog *how)
{
    struct ft_forward_event e;
    (void)how;
    ft_forward_event_read(&e, l->text[i], strlen(l->text[i]));
    ft_forward_event_free(&e);
    return l->events[i].length;
}

static uint32_t message(struct lines *l, uint32_t i, const struct ft_syslog *how)
{
    return ft_syslog_write(how, &l->events[i], l->events[i].time_ns, ROOM, to, ROOM);
}

static uint32_t webhook(struct lines *l, uint32_t i, const struct ft_syslog *how)
{
    struct ft_webhook w =
        ft_webhook_begin(FT_WEBHOOK_EXTENDED, &how->body, true, to, FT_WEBHOOK_SIZE_MIN);
    ft_webhook_add(&w, &l->events[i]);
    return ft_webhook_end(&w);
}

static void measure(struct lines *l, const char *name, work_fn *work, const struct ft_syslog *how)
{
    uint64_t events = 0, bytes = 0;
    double begin = now(), spent;
    do {
        for (uint32_t i = 0; i < l->count; i++)
            bytes += work(l, i, how);
        events += l->count;
        spent = now() - begin;
    } while (spent < seconds);
    printf("%-16s %10.0f events/s %8.0f ns %6llu bytes\n", name, (double)events / spent,
           spent / (double)events * 1e9, (unsigned long long)(bytes / events));
}

static bool add_line(struct lines *l, const char *text)
{
    char *copy = l->count < LINES_MAX ? strdup(text) : NULL;
    if (!copy || !ft_forward_event_read(&l->events[l->count], copy, strlen(copy))) {
        free(copy);
        return false;
    }
    l->text[l->count++] = copy;
    return true;
}

static bool read_lines(struct lines *l, const char *path)
{
    char *line = NULL;
    size_t size = 0;
    FILE *f = fopen(path, "r");
    while (f && l->count < LINES_MAX && getline(&line, &size, f) > 0)
        add_line(l, line);
    free(line);
    if (f)
        fclose(f);
    return l->count;
}

static void measure_all(struct lines *l)
{
    static const struct {
        const char *name;
        enum ft_dialect dialect;
        enum ft_body_format format;
    } rows[] = {{"json", 0, FT_BODY_JSON},
                {"text", 0, FT_BODY_TEXT},
                {"object", 0, FT_BODY_OBJECT},
                {"cef", 0, FT_BODY_CEF},
                {"cef standard", FT_DIALECT_STANDARD, FT_BODY_CEF},
                {"leef", 0, FT_BODY_LEEF},
                {"leef standard", FT_DIALECT_STANDARD, FT_BODY_LEEF}};
    struct ft_syslog how = {.frame = FT_SYSLOG_OCTETS,
                            .facility = FT_SYSLOG_USER,
                            .severity = FT_SYSLOG_ALERT,
                            .hostname = "sensor",
                            .app_name = "fieldtap",
                            .body = {.sensor = {.version = "0.1.0"}}};
    measure(l, "skimming", skim, &how);
    measure(l, "parsing", parse, &how);
    for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        how.body.format = rows[i].format;
        how.body.dialect = rows[i].dialect;
        measure(l, rows[i].name, message, &how);
    }
    measure(l, "webhook extended", webhook, &how);
}

int main(int argc, char **argv)
{
    static struct lines l;
    for (int c; (c = getopt(argc, argv, "s:")) != -1;) {
        if (c != 's')
            return 2;
        seconds = atof(optarg);
    }
    if (optind < argc ? !read_lines(&l, argv[optind]) : !add_line(&l, LINE_ALERT)) {
        fprintf(stderr, "bench_bodies: no events in %s\n", optind < argc ? argv[optind] : "memory");
        return 1;
    }
    measure_all(&l);
    for (uint32_t i = 0; i < l.count; i++) {
        ft_forward_event_free(&l.events[i]);
        free(l.text[i]);
    }
    return 0;
}
