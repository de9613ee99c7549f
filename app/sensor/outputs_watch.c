/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What becomes of lines after they were made, told: health events of the journal and of sinks, and
 * the members `journal` and `outputs` of statistics.
 *
 * Health events are lines as well: they are in the journal's memory before anything else is, and
 * rank with alerts. What could come often is told with a pause.
 */
#include "outputs.h"

#include "notify.h"
#include "sensor.h"

#include "base/clock_ns.h"
#include "base/say.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SECOND_NS   1000000000ull
#define STATE_NS    (5 * SECOND_NS)  /* between two events about trouble and its end */
#define GIVEN_UP_NS (60 * SECOND_NS) /* between two about lines given up */
#define FAR_BEHIND  50000u           /* lines that wait for a sink that is up, ... */
#define BEHIND_NS   (30 * SECOND_NS) /* ... for so long, are told */
#define CAUGHT_UP   (FAR_BEHIND / 10)
#define NOTICES_MAX 16u /* at a time */

static const char *const loss_names[FT_JOURNAL_LOSSES] = {
    [FT_JOURNAL_LOSS_SLOW] = "slow",
    [FT_JOURNAL_LOSS_TROUBLE] = "trouble",
    [FT_JOURNAL_LOSS_INVALID] = "invalid",
    [FT_JOURNAL_LOSS_CLOSED] = "closed",
};

void outputs_tell(struct sensor *s, const char *name, enum ft_severity severity, const char *text)
{
    if (s->is_live)
        ft_core_health_at(s->core, name, severity, text, ft_clock_ns(CLOCK_REALTIME));
    else
        ft_core_health(s->core, name, severity, text);
}

/* ---- the journal ---- */

static bool has_passed(uint64_t since, uint64_t now, uint64_t ns)
{
    return !since || now - since >= ns;
}

/* What was on disk and went with a folder or files that somebody removed, when that was not told
 * yet: one sentence; "" = nothing. */
static void take_gone(struct outputs *o, char *text, size_t size)
{
    struct ft_journal_stats stats;
    ft_journal_stats(o->journal, &stats);
    bool is_folder = stats.folders_made != o->told.folders_made;
    size_t used = 0;
    *text = 0;
    if (!is_folder && stats.files_gone == o->told.files_gone)
        return;
    used =
        (size_t)snprintf(text, size, is_folder ? " Its folder %.512s was %s." : "%.0s%s", o->folder,
                         is_folder ? "removed, moved away or mounted over, and made again"
                                   : " Files that it was writing were removed.");
    for (unsigned c = 0, n = 0; c < FT_JOURNAL_CLASSES; c++) {
        uint64_t lost = stats.classes[c].lost - o->told.lost[c];
        if (lost && used < size)
            used += (size_t)snprintf(text + used, size - used, "%s%s %" PRIu64,
                                     n++ ? ", " : " Gone with it are events, by class: ",
                                     ft_journal_class_name((enum ft_journal_class)c), lost);
        o->told.lost[c] = stats.classes[c].lost;
    }
    if (used < size && text[used - 1] != '.')
        snprintf(text + used, size - used, ".");
    o->told.folders_made = stats.folders_made;
    o->told.files_gone = stats.files_gone;
}

/* Something that is over when it is seen, as a folder that was made again, is trouble, too, and its
 * end is told behind the pause; what is lost in trouble that was told, with its end. */
static void watch_state(struct sensor *s, uint64_t now)
{
    struct outputs *o = &s->outputs;
    char gone[768] = "", text[1024];
    o->state = ft_journal_state(o->journal);
    if (!has_passed(o->told.state_ns, now, STATE_NS))
        return;
    if (o->state.is_ok)
        take_gone(o, gone, sizeof(gone));
    if (o->state.is_ok == !o->told.is_trouble && !*gone)
        return;
    bool is_over = o->told.is_trouble;
    o->told.is_trouble = !is_over;
    o->told.state_ns = now;
    if (is_over)
        snprintf(text, sizeof(text), "The journal writes again.%s", gone);
    else if (o->state.is_ok)
        snprintf(text, sizeof(text), "The journal has lost what it had.%s Analysis goes on.", gone);
    else
        snprintf(
            text, sizeof(text),
            "The journal cannot write: %s. Analysis goes on; the most important events stay in "
            "memory.",
            o->state.text);
    ft_say("fieldtap", "%s", text); /* no sink can tell it: they send what is in the journal */
    if (s->is_live)
        notify("STATUS=%s", text); /* until the next figures, which say it again while it is so */
    outputs_tell(s, is_over ? "journal_recovered" : "journal_trouble",
                 is_over ? FT_SEVERITY_WARNING : FT_SEVERITY_MAJOR, text);
}

/* "transaction 120 (slow), flow 3 (trouble)"; 0 = nothing that was not told. */
static uint64_t list_given_up(struct outputs *o, const struct ft_journal_stats *stats, char *text,
                              size_t size)
{
    uint64_t all = 0;
    size_t used = 0;
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++)
        for (unsigned i = 0; i < FT_JOURNAL_LOSSES; i++) {
            uint64_t n = stats->classes[c].given_up[i] - o->told.given_up[c][i];
            all += n;
            if (n && used < size)
                used += (size_t)snprintf(
                    text + used, size - used, "%s%s %" PRIu64 " (%s)", used ? ", " : "",
                    ft_journal_class_name((enum ft_journal_class)c), n, loss_names[i]);
        }
    return all;
}

static void watch_given_up(struct sensor *s, uint64_t now)
{
    struct outputs *o = &s->outputs;
    struct ft_journal_stats stats;
    char list[512], text[640];
    if (!has_passed(o->told.given_up_ns, now, GIVEN_UP_NS))
        return;
    ft_journal_stats(o->journal, &stats);
    uint64_t n = list_given_up(o, &stats, list, sizeof(list));
    if (!n)
        return;
    o->told.given_up_ns = now;
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++)
        memcpy(o->told.given_up[c], stats.classes[c].given_up, sizeof(o->told.given_up[c]));
    snprintf(text, sizeof(text), "The journal gave up %" PRIu64 " events, by class and reason: %s.",
             n, list);
    ft_say("fieldtap", "%s", text);
    outputs_tell(s, "journal_given_up", FT_SEVERITY_MAJOR, text);
}

/* ---- sinks ---- */

static void watch_lag(struct sensor *s, uint32_t i, const struct ft_sink_stats *sink, uint64_t now)
{
    struct outputs *o = &s->outputs;
    char text[256];
    bool is_behind = sink->lag >= (o->lag[i].behind_ns ? CAUGHT_UP : FAR_BEHIND);
    if (is_behind && !o->lag[i].behind_ns)
        o->lag[i].behind_ns = now;
    if (is_behind && !o->lag[i].is_told && sink->state == FT_SINK_UP &&
        now - o->lag[i].behind_ns >= BEHIND_NS) {
        o->lag[i].is_told = true;
        snprintf(text, sizeof(text),
                 "The output %s is %" PRIu64 " events behind: its receiver takes them slower than "
                 "they come.",
                 sink->name, sink->lag);
        outputs_tell(s, "sink_lag", FT_SEVERITY_MINOR, text);
    }
    if (is_behind)
        return;
    if (o->lag[i].is_told) {
        snprintf(text, sizeof(text), "The output %s has caught up.", sink->name);
        outputs_tell(s, "sink_lag_ended", FT_SEVERITY_WARNING, text);
    }
    o->lag[i].behind_ns = 0;
    o->lag[i].is_told = false;
}

static void watch_sinks(struct sensor *s, uint64_t now)
{
    struct ft_sink_stats sink;
    for (uint32_t i = 0; i < FT_SINKS_MAX && ft_sinks_stats(s->outputs.sinks, i, &sink); i++)
        watch_lag(s, i, &sink, now);
}

static void tell_notices(struct sensor *s)
{
    struct ft_sink_notice notice;
    for (unsigned i = 0; i < NOTICES_MAX && ft_sinks_next_notice(s->outputs.sinks, &notice); i++)
        outputs_tell(s, ft_sink_notice_name(notice.kind),
                     (enum ft_severity)ft_sink_notice_severity(notice.kind), notice.text);
}

void outputs_watch(struct sensor *s)
{
    struct outputs *o = &s->outputs;
    uint64_t now = ft_clock_ns(CLOCK_MONOTONIC);
    if (!o->journal)
        return;
    if (atomic_load_explicit(&s->reopen, memory_order_relaxed) &&
        atomic_exchange_explicit(&s->reopen, false, memory_order_relaxed))
        ft_sinks_reopen(o->sinks);
    tell_notices(s);
    if (now - o->looked_ns < SECOND_NS)
        return;
    o->looked_ns = now;
    watch_state(s, now);
    watch_given_up(s, now);
    watch_sinks(s, now);
}

/* ---- statistics ---- */

/* Numbers only, as in all of a stats event. */
static void put_class(struct ft_json *j, const struct ft_journal_stats *stats, unsigned c)
{
    uint64_t given_up = 0;
    for (unsigned i = 0; i < FT_JOURNAL_LOSSES; i++)
        given_up += stats->classes[c].given_up[i];
    ft_json_key(j, ft_journal_class_name((enum ft_journal_class)c));
    ft_json_object(j);
    ft_json_put_uint(j, "appended", stats->classes[c].appended);
    ft_json_put_uint(j, "synced", stats->classes[c].synced);
    ft_json_put_uint(j, "given_up", given_up);
    ft_json_put_uint(j, "removed", stats->classes[c].removed);
    ft_json_put_uint(j, "disk_bytes", stats->classes[c].disk_bytes);
    ft_json_object_end(j);
}

static void put_journal(struct ft_json *j, const struct outputs *o)
{
    struct ft_journal_stats stats;
    ft_journal_stats(o->journal, &stats);
    ft_json_key(j, "journal");
    ft_json_object(j);
    ft_json_put_uint(j, "ok", ft_journal_state(o->journal).is_ok);
    ft_json_put_uint(j, "next_sequence", stats.next_sequence);
    ft_json_put_uint(j, "synced_through", stats.synced_through);
    ft_json_put_uint(j, "memory_used", stats.memory_used);
    ft_json_put_uint(j, "memory_high", stats.memory_high);
    ft_json_put_uint(j, "syncs", stats.syncs);
    ft_json_put_uint(j, "sync_max_us", stats.sync_max_us);
    ft_json_put_uint(j, "failures", stats.failures);
    ft_json_key(j, "classes");
    ft_json_object(j);
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++)
        put_class(j, &stats, c);
    ft_json_object_end(j);
    ft_json_object_end(j);
}

static void put_sink(struct ft_json *j, const struct ft_sink_stats *sink)
{
    ft_json_key(j, sink->name);
    ft_json_object(j);
    ft_json_put_uint(j, "up", sink->state == FT_SINK_UP);
    ft_json_put_uint(j, "lag", sink->lag);
    ft_json_put_uint(j, "sent", sink->sent);
    ft_json_put_uint(j, "bytes", sink->bytes);
    ft_json_put_uint(j, "filtered", sink->filtered);
    ft_json_put_uint(j, "refused", sink->refused);
    ft_json_put_uint(j, "missed", sink->missed);
    ft_json_put_uint(j, "failed", sink->failed);
    ft_json_put_uint(j, "connected", sink->connected);
    ft_json_object_end(j);
}

void outputs_put_stats(void *user, struct ft_json *j)
{
    const struct sensor *s = user;
    struct ft_sink_stats sink;
    if (!s->outputs.journal)
        return;
    put_journal(j, &s->outputs);
    ft_json_key(j, "outputs");
    ft_json_object(j);
    for (uint32_t i = 0; ft_sinks_stats(s->outputs.sinks, i, &sink); i++)
        put_sink(j, &sink);
    ft_json_object_end(j);
}

/* ---- stats.json ---- */

static void put(json_t *object, const char *key, uint64_t n)
{
    json_object_set_new(object, key, json_integer((json_int_t)n));
}

json_t *outputs_journal_books(const struct sensor *s)
{
    const struct ft_journal_stats *stats = &s->outputs.journal_stats;
    json_t *o = json_object(), *classes = json_object();
    json_object_set_new(o, "folder", json_string(s->outputs.folder));
    json_object_set_new(o, "state",
                        json_string(s->outputs.state.is_ok ? "ok" : s->outputs.state.text));
    put(o, "next_sequence", stats->next_sequence);
    put(o, "synced_through", stats->synced_through);
    put(o, "memory_high", stats->memory_high);
    put(o, "memory_bytes", stats->memory_bytes);
    put(o, "syncs", stats->syncs);
    put(o, "sync_max_us", stats->sync_max_us);
    put(o, "failures", stats->failures);
    put(o, "folders_made", stats->folders_made);
    put(o, "files_gone", stats->files_gone);
    put(o, "compressed", stats->compressed);
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++) {
        json_t *one = json_object(), *given_up = json_object();
        put(one, "appended", stats->classes[c].appended);
        put(one, "synced", stats->classes[c].synced);
        for (unsigned i = 0; i < FT_JOURNAL_LOSSES; i++)
            put(given_up, loss_names[i], stats->classes[c].given_up[i]);
        json_object_set_new(one, "given_up", given_up);
        put(one, "removed", stats->classes[c].removed);
        put(one, "lost", stats->classes[c].lost);
        put(one, "segments", stats->classes[c].segments);
        put(one, "disk_bytes", stats->classes[c].disk_bytes);
        json_object_set_new(classes, ft_journal_class_name((enum ft_journal_class)c), one);
    }
    json_object_set_new(o, "classes", classes);
    return o;
}

json_t *outputs_sink_books(const struct sensor *s)
{
    struct ft_sink_stats sink;
    json_t *list = json_array();
    for (uint32_t i = 0; ft_sinks_stats(s->outputs.sinks, i, &sink); i++) {
        json_t *one = json_object();
        json_object_set_new(one, "name", json_string(sink.name));
        json_object_set_new(one, "type", json_string(sink.kind));
        json_object_set_new(one, "target", json_string(sink.target));
        put(one, "lag", sink.lag);
        put(one, "acknowledged", sink.acknowledged);
        put(one, "sent", sink.sent);
        put(one, "bytes", sink.bytes);
        put(one, "filtered", sink.filtered);
        put(one, "refused", sink.refused);
        put(one, "missed", sink.missed);
        put(one, "failed", sink.failed);
        put(one, "connected", sink.connected);
        if (sink.last_error_ns)
            json_object_set_new(one, "last_error", json_string(sink.last_error));
        json_array_append_new(list, one);
    }
    return list;
}
