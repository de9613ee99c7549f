/* SPDX-License-Identifier: BSD-3-Clause */
/* Events that a sink tells its receiver of itself: they are of no journal. */
#include "base/json.h"
#include "output/sink.h"

#include <stdio.h>
#include <time.h>

static uint64_t clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* A sensor's name has at most 55 characters, a sink's 40: nothing here can be too long. */
static void begin(const struct ft_sink *s, struct ft_json *j, const char *event,
                  const char *severity, const char *text)
{
    ft_json_object(j);
    ft_json_key(j, "timestamp");
    ft_json_time(j, clock_ns());
    ft_json_put_string(j, "event_type", "health");
    ft_json_key(j, "health");
    ft_json_object(j);
    ft_json_put_string(j, "event", event);
    ft_json_put_string(j, "severity", severity);
    ft_json_put_string(j, "text", text);
    ft_json_put_string(j, "sink", s->name);
}

static uint32_t end(const struct ft_sink *s, struct ft_json *j, const char *uid)
{
    const struct ft_forward_sensor *sensor = &s->options->sensor;
    ft_json_object_end(j);
    ft_json_put_string(j, "host", sensor->name);
    ft_json_key(j, "fieldtap");
    ft_json_object(j);
    ft_json_put_uint(j, "schema_version", 1);
    ft_json_put_string(j, "event_uid", uid);
    ft_json_put_string(j, "sensor", sensor->name);
    if (sensor->site && *sensor->site)
        ft_json_put_string(j, "site", sensor->site);
    ft_json_object_end(j);
    ft_json_object_end(j);
    return j->is_full ? 0 : j->length;
}

uint32_t ft_sink_line_test(const struct ft_sink *s, char to[FT_SINK_LINE_SIZE])
{
    struct ft_json j = ft_json_make(to, FT_SINK_LINE_SIZE);
    char text[128], uid[160];
    snprintf(text, sizeof(text), "This is a test of the sink %s.", s->name);
    snprintf(uid, sizeof(uid), "%s-test-%llu", s->options->sensor.name,
             (unsigned long long)clock_ns());
    begin(s, &j, "sink_test", "warning", text);
    ft_json_put_bool(&j, "test", true);
    return end(s, &j, uid);
}

uint32_t ft_sink_line_gap(const struct ft_sink *s, const struct ft_journal_item *gap,
                          char to[FT_SINK_LINE_SIZE])
{
    struct ft_json j = ft_json_make(to, FT_SINK_LINE_SIZE);
    const char *class = ft_journal_class_name(gap->class), *why = ft_journal_gap_name(gap->gap);
    unsigned long long count = gap->count, first = gap->first_sequence, last = gap->last_sequence;
    char text[256], uid[200];
    snprintf(text, sizeof(text),
             "The sink %s missed %llu record%s of class %s: the journal could not keep %s (%s).",
             s->name, count, count == 1 ? "" : "s", class, count == 1 ? "it" : "them", why);
    snprintf(uid, sizeof(uid), "%s-gap-%s-%llu-%llu", s->options->sensor.name, class, first, last);
    begin(s, &j, "records_missed", "major", text);
    ft_json_put_string(&j, "class", class);
    ft_json_put_string(&j, "reason", why);
    ft_json_put_uint(&j, "count", count);
    ft_json_put_uint(&j, "first_sequence", first);
    ft_json_put_uint(&j, "last_sequence", last);
    return end(s, &j, uid);
}
