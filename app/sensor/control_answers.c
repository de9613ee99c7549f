/* SPDX-License-Identifier: BSD-3-Clause */
/* The answers of the control socket, a function a command. On the control thread. */
#include "control_internal.h"

#include "base/clock_ns.h"
#include "evidence/name.h"

#include <errno.h>
#include <rte_log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MS 1000000ull

/* Counters of ports are waited for so long; then they are shown as they are. */
#define FRESH_NS (300 * MS)

/* A sink that was asked to send a test event is waited for so long. */
#define SINK_TEST_MS 3000u

static const char *const levels[] = {"error", "warning", "notice", "info", "debug"};

static void put(json_t *o, const char *key, uint64_t n)
{
    json_object_set_new(o, key, json_integer((json_int_t)n));
}

static void put_text(json_t *o, const char *key, const char *text)
{
    json_object_set_new(o, key, text ? json_string(text) : json_null());
}

static void put_real(json_t *o, const char *key, double n)
{
    json_object_set_new(o, key, json_real(n));
}

static enum control_outcome refuse(struct control_job *job, const char *why)
{
    snprintf(job->error, sizeof(job->error), "%s", why);
    return CONTROL_REFUSED;
}

static uint64_t age_of(const struct control_job *job)
{
    return ft_clock_ns(CLOCK_MONOTONIC) - job->began_ns;
}

/* ---- figures ---- */

/* True when c->figures are of now. */
static bool has_figures(struct control *c, struct control_job *job)
{
    if (job->step == 0) {
        figures_want(c->sensor);
        job->step = 1;
    }
    if (!figures_are_fresh(c->sensor) && age_of(job) < FRESH_NS)
        return false;
    figures_read(c->sensor, &c->figures);
    return true;
}

static const char *state_of(const struct sensor *s, const struct figures *f)
{
    if (atomic_load(&s->stop))
        return "ending";
    if (f->is_holding || atomic_load(&s->points.is_held))
        return "held";
    return atomic_load(&s->is_read) ? "ending" : s->is_live ? "capturing" : "reading";
}

static json_t *sources(const struct sensor *s)
{
    const struct options *o = s->options;
    json_t *list = json_array();
    for (uint32_t i = 0; i < o->link_count; i++)
        json_array_append_new(list, json_string(o->links[i]));
    for (uint32_t i = 0; i < o->source_count; i++)
        json_array_append_new(list, json_string(o->sources[i]));
    return list;
}

static void put_filter(struct control *c, json_t *o)
{
    pthread_mutex_lock(&c->filter_lock);
    put_text(o, "filter", c->filter);
    pthread_mutex_unlock(&c->filter_lock);
}

static enum control_outcome status(struct control *c, struct control_job *job)
{
    const struct sensor *s = c->sensor;
    const struct options *o = s->options;
    const struct figures *f = &c->figures;
    json_t *r = job->result;
    if (!has_figures(c, job))
        return CONTROL_WAITS;
    put_text(r, "state", state_of(s, f));
    put_text(r, "sensor", o->config.sensor_name);
    put_text(r, "site", o->config.sensor_site);
    put_text(r, "version", FIELDTAP_VERSION);
    put(r, "pid", (uint64_t)getpid());
    put_text(r, "mode", s->is_polled ? "polled" : s->is_live ? "live" : "captures");
    json_object_set_new(r, "sources", sources(s));
    put_real(r, "started", f->started);
    put_real(r, "uptime", f->uptime);
    put(r, "workers", s->worker_count);
    put(r, "packets", f->packets);
    put(r, "bytes", f->bytes);
    put(r, "dropped", f->dropped);
    put(r, "alerts", f->alerts);
    put(r, "assets", f->assets);
    put(r, "flows", f->flows);
    put(r, "protocols", f->protocols);
    put(r, "rules", f->rules);
    put(r, "rules_generation", f->rules_generation);
    put(r, "faults", f->faults);
    put(r, "memory", f->memory);
    put_filter(c, r);
    put_text(r, "configuration", o->config_file);
    put_text(r, "log_dir", o->log_dir);
    put_text(r, "log_level", levels[atomic_load(&c->level)]);
    return CONTROL_DONE;
}

static json_t *port_of(const struct figures_port *p, bool is_polled)
{
    json_t *o = json_object();
    put_text(o, "name", p->name);
    put_text(o, "state", p->state);
    put(o, "packets", p->received);
    put(o, "bytes", p->bytes);
    put(o, "shed", p->shed);
    put(o, "link_changes", p->link_changes);
    if (p->knows_drops) {
        put(o, "arrived", p->arrived);
        put(o, "dropped", p->dropped);
    }
    if (p->knows_nic) {
        put(o, "nic_packets", p->nic_packets);
        put(o, "nic_missed", p->nic_missed);
        put(o, "nic_errors", p->nic_errors);
    }
    if (is_polled)
        put(o, "handed_over", p->handed_over);
    return o;
}

static json_t *port_list(const struct control *c)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < c->figures.port_count; i++)
        json_array_append_new(list, port_of(&c->figures.ports[i], c->sensor->is_polled));
    return list;
}

static json_t *worker_list(const struct control *c)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < c->figures.worker_count; i++) {
        const struct figures_worker *w = &c->figures.workers[i];
        json_t *o = json_object();
        put(o, "worker", i);
        put(o, "packets", w->packets);
        put(o, "bytes", w->bytes);
        put(o, "messages", w->messages);
        put(o, "cycles", w->cycles);
        put(o, "cycles_per_packet", w->packets ? w->cycles / w->packets : 0);
        put(o, "bursts", w->bursts);
        put(o, "input_waiting", w->input_waiting);
        put(o, "input_high_water", w->input_high_water);
        put(o, "events_high_water", w->events_high_water);
        put(o, "events_size", w->events_size);
        if (c->sensor->is_polled) {
            put(o, "handed_over", w->handed_over);
            put(o, "taken_over", w->taken_over);
        }
        json_array_append_new(list, o);
    }
    return list;
}

static enum control_outcome stats(struct control *c, struct control_job *job)
{
    const struct figures *f = &c->figures;
    json_t *r = job->result, *flows = json_object();
    if (!has_figures(c, job)) {
        json_decref(flows);
        return CONTROL_WAITS;
    }
    put_real(r, "time", (double)(ft_clock_ns(CLOCK_REALTIME) / MS) / 1e3);
    put_real(r, "uptime", f->uptime);
    put_text(r, "state", state_of(c->sensor, f));
    put(r, "packets", f->packets);
    put(r, "bytes", f->bytes);
    put(r, "dropped", f->dropped);
    put(r, "messages", f->ledger.messages);
    put(r, "violations", f->ledger.violations);
    put(r, "rule_hits", f->ledger.rule_hits);
    put(r, "alerts", f->alerts);
    put(r, "assets", f->assets);
    put(r, "events", f->events_received);
    put(r, "faults", f->faults);
    put(r, "memory", f->memory);
    put(flows, "active", f->flows);
    put(flows, "capacity", f->flow_capacity);
    put(flows, "created", f->flows_created);
    put(flows, "expired", f->flows_expired);
    put(flows, "evicted", f->flows_evicted);
    put(flows, "refused", f->flows_refused);
    json_object_set_new(r, "flows", flows);
    json_object_set_new(r, "ports", port_list(c));
    json_object_set_new(r, "workers", worker_list(c));
    return CONTROL_DONE;
}

static enum control_outcome ports(struct control *c, struct control_job *job)
{
    if (!has_figures(c, job))
        return CONTROL_WAITS;
    json_object_set_new(job->result, "ports", port_list(c));
    return CONTROL_DONE;
}

static enum control_outcome workers(struct control *c, struct control_job *job)
{
    if (!has_figures(c, job))
        return CONTROL_WAITS;
    json_object_set_new(job->result, "workers", worker_list(c));
    return CONTROL_DONE;
}

static enum control_outcome ledger(struct control *c, struct control_job *job)
{
    if (!has_figures(c, job))
        return CONTROL_WAITS;
    const struct ft_ledger *l = &c->figures.ledger;
    json_t *packets = json_object(), *stream = json_object(), *events = json_object();
    uint64_t made = 0, shed = 0;
    put(packets, "received", l->received);
    for (unsigned i = 1; i < FT_BUCKET_COUNT; i++)
        if (l->packets[i])
            put(packets, ft_bucket_name((enum ft_bucket)i), l->packets[i]);
    put(stream, "received", l->stream_received);
    put(stream, "delivered", l->stream.delivered);
    put(stream, "skipped", l->stream.skipped);
    put(stream, "encrypted", l->stream.encrypted);
    put(stream, "resync", l->stream.resync);
    put(stream, "abandoned", l->stream.abandoned);
    put(stream, "duplicate", l->stream.duplicate);
    put(stream, "held", l->stream.held);
    put(stream, "lost", l->stream.lost);
    for (unsigned i = 1; i < FT_EVENT_TYPES; i++) {
        made += l->events[i];
        shed += l->events_shed[i];
    }
    put(events, "made", made);
    put(events, "shed", shed);
    put(events, "received", c->figures.events_received);
    json_object_set_new(job->result, "packets", packets);
    json_object_set_new(job->result, "stream_bytes", stream);
    json_object_set_new(job->result, "events", events);
    return CONTROL_DONE;
}

/* ---- what others are asked for ---- */

/* One job at a time may have it. */
static bool own(const void **owner, const struct control_job *job)
{
    if (*owner && *owner != job)
        return false;
    *owner = job;
    return true;
}

static bool has_flows(struct control *c, struct control_job *job, unsigned by)
{
    if (!own(&c->flows_owner, job))
        return false;
    if (job->step == 0) {
        control_flows_begin(c->sensor, by);
        job->step = 1;
    }
    return control_flows_are_ready(c->sensor);
}

static enum control_outcome flows(struct control *c, struct control_job *job)
{
    static const char *const orders[] = {"bytes", "packets", "new"};
    const char *by = ft_control_text(&job->request, "by", orders[0]);
    unsigned order = 0;
    while (strcmp(orders[order], by) != 0)
        order++;
    if (!has_flows(c, job, order))
        return CONTROL_WAITS;
    json_t *list = json_array();
    uint64_t all =
        control_flows_take(c->sensor, (uint32_t)ft_control_number(&job->request, "top", 20), list);
    put(job->result, "active", all);
    put_text(job->result, "by", by);
    json_object_set_new(job->result, "flows", list);
    return CONTROL_DONE;
}

static bool is_disabled(const struct ft_protocol *p)
{
    for (unsigned shard = 0; shard < FT_SHARDS; shard++)
        if (!ft_protocol_is_off(p, (uint8_t)shard))
            return false;
    return true;
}

static enum control_outcome protocols(struct control *c, struct control_job *job)
{
    const struct ft_registry *registry = c->sensor->registry;
    if (!has_flows(c, job, 0))
        return CONTROL_WAITS;
    struct control_protocol *sums = calloc(FT_MAX_PROTOCOLS + 1, sizeof(*sums));
    if (!sums)
        return refuse(job, "out of memory");
    control_flows_protocols(c->sensor, sums);
    json_t *list = json_array();
    for (uint32_t i = 0; i <= registry->count; i++) {
        const struct ft_protocol *p = i ? registry->protocols[i - 1] : NULL;
        json_t *o = json_object();
        put_text(o, "name", p ? p->name : NULL);
        put_text(o, "title", p ? p->dissector->title : "not recognised");
        put_text(o, "state", p && is_disabled(p) ? "disabled" : "on");
        put(o, "flows", sums[i].flows);
        put(o, "packets", sums[i].packets);
        put(o, "bytes", sums[i].bytes);
        put(o, "messages", sums[i].messages);
        json_array_append_new(list, o);
    }
    free(sums);
    json_object_set_new(job->result, "protocols", list);
    return CONTROL_DONE;
}

static enum control_outcome assets(struct control *c, struct control_job *job)
{
    const char *address = ft_control_text(&job->request, "address", "");
    if (!own(&c->assets_owner, job))
        return CONTROL_WAITS;
    if (job->step == 0) {
        struct control_assets wish = {
            .after = (uint32_t)ft_control_number(&job->request, "after", 0),
            .limit = (uint32_t)ft_control_number(&job->request, "limit", 100)};
        snprintf(wish.address, sizeof(wish.address), "%s", address);
        job->step = control_assets_begin(c->sensor, &wish);
        return CONTROL_WAITS;
    }
    if (!control_assets_are_ready(c->sensor))
        return CONTROL_WAITS;
    json_t *list = json_array();
    uint32_t next;
    control_assets_take(c->sensor, list, &next);
    put(job->result, "count", atomic_load(&c->sensor->points.assets));
    json_object_set_new(job->result, "assets", list);
    if (next)
        put(job->result, "next", next);
    if (!*address || json_array_size(list))
        return CONTROL_DONE;
    return refuse(job, "no device has this address (yet)");
}

/* ---- rules ---- */

static enum control_outcome no_rules(struct control_job *job)
{
    return refuse(job, "the sensor runs without rules: name them with --rules or rules[]");
}

static enum control_outcome rules_list(struct control *c, struct control_job *job)
{
    uint64_t after = ft_control_number(&job->request, "after", 0);
    uint64_t limit = ft_control_number(&job->request, "limit", 1000);
    const struct rules *r = rules_look(c->sensor);
    json_t *list = json_array();
    for (uint32_t i = 0; r && i < ft_ruleset_count(r->set); i++) {
        const struct ft_rule *rule = ft_ruleset_rule(r->set, i);
        json_t *o;
        if (rule->id <= after)
            continue;
        if (json_array_size(list) == limit) {
            put(job->result, "next",
                (uint64_t)json_integer_value(
                    json_object_get(json_array_get(list, limit - 1), "id")));
            break;
        }
        o = json_object();
        put(o, "id", rule->id);
        put(o, "revision", rule->revision);
        put_text(o, "title", rule->title);
        put_text(o, "severity", ft_severity_name(rule->severity));
        put_text(o, "category", rule->category);
        put_text(o, "when", rule->when);
        put_text(o, "file", rule->file);
        put(o, "line", rule->place.line);
        json_object_set_new(o, "built_in", json_boolean(rule->is_built_in));
        json_array_append_new(list, o);
    }
    if (r) {
        put(job->result, "count", ft_ruleset_count(r->set));
        put(job->result, "generation", r->generation);
    }
    rules_look_away(c->sensor);
    json_object_set_new(job->result, "rules", list);
    return r ? CONTROL_DONE : no_rules(job);
}

struct rule_hits {
    uint32_t index;
    uint64_t hits, cycles;
};

static int by_hits(const void *a, const void *b)
{
    const struct rule_hits *x = a, *y = b;
    if (x->hits != y->hits)
        return x->hits < y->hits ? 1 : -1;
    if (x->cycles != y->cycles)
        return x->cycles < y->cycles ? 1 : -1;
    return x->index < y->index ? -1 : 1;
}

static json_t *rule_figures(const struct ft_rule *rule, const struct ft_rule_statistic *one)
{
    json_t *o = json_object();
    put(o, "id", rule->id);
    put_text(o, "title", rule->title);
    put(o, "hits", one->hits);
    if (one->last_ns)
        put_real(o, "last", (double)(one->last_ns / MS) / 1e3);
    put(o, "evaluations", one->run.evaluations);
    put(o, "cycles_per_evaluation", one->run.timed ? one->run.cycles / one->run.timed : 0);
    put(o, "lost", one->run.lost);
    return o;
}

static void put_rule_stats(struct control *c, struct control_job *job, const struct rules *r)
{
    uint32_t count = ft_ruleset_count(r->set);
    uint64_t top = ft_control_number(&job->request, "top", 20);
    struct rule_hits *all = calloc(count + 1, sizeof(*all));
    struct ft_rule_statistic *one = calloc(1, sizeof(*one));
    json_t *list = json_array();
    struct ft_rule_statistics *st = rules_statistics(c->sensor, r);
    for (uint32_t i = 0; all && one && i < count; i++) {
        bool is_known = ft_rule_statistics_of(st, ft_ruleset_rule(r->set, i)->id, one);
        all[i] = (struct rule_hits){i, is_known ? one->hits : 0, is_known ? one->run.cycles : 0};
    }
    if (all && one)
        qsort(all, count, sizeof(*all), by_hits);
    for (uint32_t i = 0; all && one && i < count && i < top; i++) {
        const struct ft_rule *rule = ft_ruleset_rule(r->set, all[i].index);
        memset(one, 0, sizeof(*one));
        ft_rule_statistics_of(st, rule->id, one);
        json_array_append_new(list, rule_figures(rule, one));
    }
    rules_statistics_end();
    free(all);
    free(one);
    put(job->result, "count", count);
    json_object_set_new(job->result, "rules", list);
}

static enum control_outcome rules_stats(struct control *c, struct control_job *job)
{
    const struct rules *r = rules_look(c->sensor);
    if (r)
        put_rule_stats(c, job, r);
    rules_look_away(c->sensor);
    return r ? CONTROL_DONE : no_rules(job);
}

static enum control_outcome rules_explain_one(struct control *c, struct control_job *job)
{
    uint64_t id = ft_control_number(&job->request, "rule", 0);
    const struct rules *r = rules_look(c->sensor);
    bool is_found = false;
    char *text = NULL;
    size_t size;
    for (uint32_t i = 0; r && i < ft_ruleset_count(r->set) && !is_found; i++) {
        if (ft_ruleset_rule(r->set, i)->id != id)
            continue;
        FILE *to = open_memstream(&text, &size);
        is_found = true;
        if (to) {
            ft_ruleset_explain(r->set, i, to);
            fclose(to);
        }
    }
    rules_look_away(c->sensor);
    if (!r)
        return no_rules(job);
    if (!is_found)
        return refuse(job, "no rule that is enabled has this id");
    put(job->result, "id", id);
    put_text(job->result, "text", text ? text : "");
    free(text);
    return CONTROL_DONE;
}

static enum control_outcome rules_reload(struct control *c, struct control_job *job)
{
    struct rules_state *state = &c->sensor->rules;
    if (!state->has_thread)
        return refuse(job,
                      atomic_load(&state->now)
                          ? "rules are read again where the sensor captures live; this run reads "
                            "captures"
                          : "the sensor was started without rules: there is nothing to read "
                            "again");
    if (job->step == 0) {
        job->step = 1;
        job->number = atomic_load(&state->begun) + 1;
        rules_want(c->sensor, RULES_WISH_RELOAD);
    }
    if (atomic_load_explicit(&state->ended, memory_order_acquire) < job->number)
        return CONTROL_WAITS;
    if (!atomic_load(&state->was_taken)) {
        rules_said(job->error, sizeof(job->error));
        return CONTROL_REFUSED;
    }
    char *said = malloc(CONTROL_ERROR_MAX);
    if (said)
        rules_said(said, CONTROL_ERROR_MAX);
    put_text(job->result, "said", said);
    free(said);
    const struct rules *r = rules_look(c->sensor);
    put(job->result, "count", r ? ft_ruleset_count(r->set) : 0);
    put(job->result, "generation", r ? r->generation : 0);
    rules_look_away(c->sensor);
    return CONTROL_DONE;
}

/* ---- sinks ---- */

static json_t *sink_of(const struct ft_sink_stats *st)
{
    json_t *o = json_object();
    put_text(o, "name", st->name);
    put_text(o, "type", st->kind);
    put_text(o, "target", st->target);
    put_text(o, "state", ft_sink_state_name(st->state));
    put_real(o, "since", (double)(st->since_ns / MS) / 1e3);
    put(o, "sent", st->sent);
    put(o, "bytes", st->bytes);
    put(o, "lag", st->lag);
    put(o, "filtered", st->filtered);
    put(o, "refused", st->refused);
    put(o, "missed", st->missed);
    put(o, "skipped", st->refused + st->missed);
    put(o, "failed", st->failed);
    put(o, "readers", st->readers);
    put(o, "dropped", st->dropped);
    if (st->last_error_ns)
        put_text(o, "error", st->last_error);
    return o;
}

static enum control_outcome sinks(struct control *c, struct control_job *job)
{
    const struct outputs *outputs = &c->sensor->outputs;
    json_t *list = json_array();
    struct ft_sink_stats st;
    for (uint32_t i = 0; outputs->is_running && ft_sinks_stats(outputs->sinks, i, &st); i++)
        json_array_append_new(list, sink_of(&st));
    json_object_set_new(job->result, "sinks", list);
    return CONTROL_DONE;
}

/* The only answer that others have to wait for: nobody tests sinks all day. */
static enum control_outcome sink_test(struct control *c, struct control_job *job)
{
    const struct outputs *outputs = &c->sensor->outputs;
    char text[512];
    if (!outputs->is_running || !ft_sinks_count(outputs->sinks))
        return refuse(job, "this sensor has no sinks: outputs[] of the configuration names them");
    if (!ft_sinks_test(outputs->sinks, ft_control_text(&job->request, "name", ""), SINK_TEST_MS,
                       text, sizeof(text)))
        return refuse(job, text);
    put_text(job->result, "said", text);
    return CONTROL_DONE;
}

/* ---- what changes the sensor ---- */

static enum control_outcome set_filter(struct control *c, struct control_job *job, const char *text)
{
    struct control_points *points = &c->sensor->points;
    char error[512];
    if (!c->sensor->is_live)
        return refuse(job, "the filter of a run on captures is its --filter: it cannot be changed");
    if (!own(&c->filter_owner, job))
        return CONTROL_WAITS;
    if (job->step == 0) {
        struct ft_filter *filter = *text ? ft_filter_new(text, error, sizeof(error)) : NULL;
        char *copy = strdup(text);
        if (*text && !filter) {
            free(copy);
            snprintf(job->error, sizeof(job->error), "%s", error);
            return CONTROL_REFUSED;
        }
        ft_filter_free(filter);
        job->step = 1;
        atomic_store(&points->filter_result, CONTROL_FILTER_PENDING);
        free(atomic_exchange(&points->filter_wish, copy));
    }
    int result = atomic_load_explicit(&points->filter_result, memory_order_acquire);
    if (result == CONTROL_FILTER_PENDING)
        return CONTROL_WAITS;
    put_filter(c, job->result);
    return result == CONTROL_FILTER_TAKEN ? CONTROL_DONE : refuse(job, "out of memory");
}

static enum control_outcome filter(struct control *c, struct control_job *job)
{
    const char *text = ft_control_text(&job->request, "expression", NULL);
    if (text)
        return set_filter(c, job, text);
    put_filter(c, job->result);
    return CONTROL_DONE;
}

static enum control_outcome log_level(struct control *c, struct control_job *job)
{
    static const uint32_t of_dpdk[] = {RTE_LOG_ERR, RTE_LOG_ERR, RTE_LOG_ERR, RTE_LOG_INFO,
                                       RTE_LOG_DEBUG};
    const char *wish = ft_control_text(&job->request, "level", NULL);
    for (int i = 0; wish && i <= CONTROL_LEVEL_DEBUG; i++) {
        if (strcmp(levels[i], wish) != 0)
            continue;
        atomic_store(&c->level, i);
        rte_log_set_global_level(of_dpdk[i]);
    }
    put_text(job->result, "level", levels[atomic_load(&c->level)]);
    return CONTROL_DONE;
}

static enum control_outcome capture(struct control *c, struct control_job *job, bool is_held)
{
    struct sensor *s = c->sensor;
    if (atomic_load(&s->is_read) || atomic_load(&s->stop))
        return refuse(job, "the sensor is ending: nothing is captured any more");
    atomic_store(&s->points.is_held, is_held);
    if (atomic_load_explicit(&s->points.is_holding, memory_order_acquire) != is_held)
        return CONTROL_WAITS;
    put_text(job->result, "state", is_held ? "held" : s->is_live ? "capturing" : "reading");
    if (!is_held)
        return CONTROL_DONE;
    put_text(job->result, "note",
             s->is_polled ? "the ports are closed, and what their queues still had is lost; a NIC "
                            "stays with its driver, hugepages stay taken"
             : s->is_live
                 ? "the sockets stay open and take nothing: what arrives is not counted; the "
                   "interfaces stay promiscuous, and the memory stays taken"
                 : "reading pauses; time does not go on");
    return CONTROL_DONE;
}

static enum control_outcome pcap(struct control *c, struct control_job *job)
{
    const char *id = ft_control_text(&job->request, "alert", "");
    char folder[4096], name[256];
    struct stat st;
    if (!c->sensor->evidence.wishes || !evidence_folder(c->sensor->options, folder, sizeof(folder)))
        return refuse(job, "packet evidence is off: this sensor keeps no packets");
    int fd = ft_evidence_open(folder, id);
    if (fd < 0 || fstat(fd, &st) < 0 || !ft_evidence_file_name(id, name, sizeof(name))) {
        int reason = errno;
        if (fd >= 0)
            close(fd);
        return refuse(job,
                      reason == EINVAL ? "this is no alert_id"
                      : reason == ENOENT
                          ? "there are no packets of this alert: not yet, not any more, or they "
                            "were never wanted"
                          : strerror(reason));
    }
    close(fd);
    json_object_set_new(job->result, "file", json_sprintf("%s/%s", folder, name));
    put(job->result, "bytes", (uint64_t)st.st_size);
    return CONTROL_DONE;
}

static enum control_outcome shut_down(struct control *c, struct control_job *job)
{
    atomic_store(&c->sensor->stop, true); /* the alerting loop wakes the reader */
    put_text(job->result, "state", "ending");
    return CONTROL_DONE;
}

enum control_outcome control_answer(struct control *c, struct control_job *job)
{
    switch (job->request.command) {
    case FT_CONTROL_STATUS:
        return status(c, job);
    case FT_CONTROL_STATS:
        return stats(c, job);
    case FT_CONTROL_PORTS:
        return ports(c, job);
    case FT_CONTROL_WORKERS:
        return workers(c, job);
    case FT_CONTROL_LEDGER:
        return ledger(c, job);
    case FT_CONTROL_FLOWS:
        return flows(c, job);
    case FT_CONTROL_ASSETS:
        return assets(c, job);
    case FT_CONTROL_PROTOCOLS:
        return protocols(c, job);
    case FT_CONTROL_RULES_LIST:
        return rules_list(c, job);
    case FT_CONTROL_RULES_STATS:
        return rules_stats(c, job);
    case FT_CONTROL_RULES_EXPLAIN:
        return rules_explain_one(c, job);
    case FT_CONTROL_RULES_RELOAD:
        return rules_reload(c, job);
    case FT_CONTROL_SINKS:
        return sinks(c, job);
    case FT_CONTROL_SINK_TEST:
        return sink_test(c, job);
    case FT_CONTROL_FILTER:
        return filter(c, job);
    case FT_CONTROL_LOG_LEVEL:
        return log_level(c, job);
    case FT_CONTROL_CAPTURE_STOP:
        return capture(c, job, true);
    case FT_CONTROL_CAPTURE_START:
        return capture(c, job, false);
    case FT_CONTROL_PCAP:
        return pcap(c, job);
    case FT_CONTROL_SHUTDOWN:
        return shut_down(c, job);
    case FT_CONTROL_COMMANDS:
        break;
    }
    return refuse(job, "there is no such command");
}

void control_job_end(struct control *c, struct control_job *job)
{
    const void **owners[] = {&c->flows_owner, &c->assets_owner, &c->filter_owner};
    for (unsigned i = 0; i < 3; i++)
        if (*owners[i] == job)
            *owners[i] = NULL;
    ft_control_request_free(&job->request);
    json_decref(job->result);
    job->result = NULL;
}

uint64_t control_patience(const struct control_job *job)
{
    /* Ten thousand rules take seconds to compile. */
    return job->request.command == FT_CONTROL_RULES_RELOAD ? 120000 * MS : 10000 * MS;
}
