/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers of the control socket: the state of the sensor and its counters. */
#include "control_answers.h"

#include "base/clock_ns.h"

#include <string.h>
#include <unistd.h>

#define MS 1000000ull

/* Counters of ports are waited for so long; then they are shown as they are. */
#define FRESH_NS (300 * MS)

static uint64_t age_of(const struct control_job *job)
{
    return ft_clock_ns(CLOCK_MONOTONIC) - job->began_ns;
}

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

/* Null where there is none. */
static json_t *journal_of(const struct sensor *s)
{
    const struct outputs *out = &s->outputs;
    struct ft_journal_stats stats;
    uint64_t given_up = 0, appended = 0;
    if (!out->journal)
        return json_null();
    struct ft_journal_state state = ft_journal_state(out->journal);
    ft_journal_stats(out->journal, &stats);
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++) {
        appended += stats.classes[c].appended;
        for (unsigned i = 0; i < FT_JOURNAL_LOSSES; i++)
            given_up += stats.classes[c].given_up[i];
    }
    json_t *o = json_object();
    put_text(o, "folder", out->folder);
    put_text(o, "state", state.is_ok ? "writing" : "trouble");
    put_text(o, "trouble", state.is_ok ? NULL : state.text);
    put_real(o, "since", (double)(state.since_ns / MS) / 1e3);
    put(o, "events", appended);
    put(o, "given_up", given_up);
    return o;
}

enum control_outcome control_status(struct control *c, struct control_job *job)
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
    control_put_filter(c, r);
    put_text(r, "configuration", o->config_file);
    put_text(r, "log_dir", o->log_dir);
    json_object_set_new(r, "journal", journal_of(s));
    put_text(r, "log_level", control_levels[atomic_load(&c->level)]);
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

/* Null where packets of alerts are not kept. */
static json_t *evidence_of(const struct figures *f)
{
    json_t *o = json_object();
    uint64_t dropped = 0;
    if (!f->has_evidence) {
        json_decref(o);
        return json_null();
    }
    for (unsigned i = 0; i < FT_EVIDENCE_DROPS; i++)
        dropped += f->evidence.dropped[i];
    put(o, "wanted", f->evidence.wanted);
    put(o, "written", f->evidence.written);
    put(o, "pending", f->evidence.pending);
    put(o, "dropped", dropped);
    put(o, "files", f->evidence_folder.files);
    put(o, "files_bytes", f->evidence_folder.bytes);
    put(o, "removed", f->evidence_folder.removed);
    return o;
}

enum control_outcome control_stats(struct control *c, struct control_job *job)
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
    json_object_set_new(r, "evidence", evidence_of(f));
    json_object_set_new(r, "ports", port_list(c));
    json_object_set_new(r, "workers", worker_list(c));
    return CONTROL_DONE;
}

enum control_outcome control_ports(struct control *c, struct control_job *job)
{
    if (!has_figures(c, job))
        return CONTROL_WAITS;
    json_object_set_new(job->result, "ports", port_list(c));
    return CONTROL_DONE;
}

enum control_outcome control_workers(struct control *c, struct control_job *job)
{
    if (!has_figures(c, job))
        return CONTROL_WAITS;
    json_object_set_new(job->result, "workers", worker_list(c));
    return CONTROL_DONE;
}

enum control_outcome control_ledger(struct control *c, struct control_job *job)
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
