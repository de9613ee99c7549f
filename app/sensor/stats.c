/* SPDX-License-Identifier: BSD-3-Clause */
/* The books of a run: OUTDIR/stats.json. */
#include "sensor.h"

#include "base/clock_ns.h"

#include <errno.h>
#include <jansson.h>
#include <rte_cycles.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const event_names[FT_EVENT_TYPES] = {
    [FT_EVENT_TALK] = "talk",
    [FT_EVENT_FACT] = "fact",
    [FT_EVENT_OPERATION] = "operation",
    [FT_EVENT_ALERT] = "alert",
    [FT_EVENT_VIOLATION] = "violation",
    [FT_EVENT_ANOMALY] = "anomaly",
    [FT_EVENT_MESSAGE] = "message",
    [FT_EVENT_TRANSACTION] = "transaction",
    [FT_EVENT_UNANSWERED] = "unanswered",
    [FT_EVENT_FLOW] = "flow",
    [FT_EVENT_HEALTH] = "health",
    [FT_EVENT_LEDGER] = "ledger",
    [FT_EVENT_RESOLUTION] = "resolution",
    [FT_EVENT_CLAIM] = "claim",
    [FT_EVENT_RULE] = "rule",
};

static json_t *count(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static void put(json_t *object, const char *key, uint64_t n)
{
    json_object_set_new(object, key, count(n));
}

/* The core counts what it got; the workers what they made and what the ring refused. */
static bool events_balance(const struct sensor *s)
{
    uint64_t made = 0, shed = 0;
    for (unsigned i = 0; i < FT_EVENT_TYPES; i++) {
        if (i == FT_EVENT_LEDGER)
            continue;
        made += s->books.ledger.events[i];
        shed += s->books.ledger.events_shed[i];
    }
    return made == s->events_received + shed;
}

struct ft_core_port port_figures(const struct sensor *s, uint32_t port)
{
    static const char *const states[] = {
        [FT_PORT_UP] = "up", [FT_PORT_DOWN] = "down", [FT_PORT_MISSING] = "missing"};
    const struct port_books *b = &s->ports[port];
    const struct ft_port_stats *p = &b->stats;
    return (struct ft_core_port){
        .name = s->options->ports[port].name,
        .state = states[b->state],
        .received = p->received,
        .bytes = p->bytes,
        .arrived = p->arrived,
        .dropped = p->dropped,
        .freezes = p->freezes,
        .shed = b->shed,
        .handed_over = b->handed_over,
        .plain = b->plain,
        .plain_handed_over = b->plain_handed_over,
        .is_polled = s->is_polled,
        .link_changes = p->link_changes,
        .nic_packets = p->nic_packets,
        .nic_missed = p->nic_missed,
        .nic_errors = p->nic_errors,
        .knows_drops = p->knows_drops,
        .knows_nic = p->knows_nic,
        .hides_missed = s->is_polled && !p->knows_drops,
        .hides_errors = p->hides_errors,
    };
}

/* What a worker handed over another took. */
static bool handed_is_taken(const struct sensor *s)
{
    uint64_t handed = 0, taken = 0;
    for (uint32_t w = 0; w < s->worker_count; w++) {
        handed += atomic_load(&s->workers[w].handed_over);
        taken += atomic_load(&s->workers[w].taken_over);
    }
    return handed == taken;
}

/* At the end: what the kernel had for us was taken or dropped, what was taken was read, and what
 * was shed is in its bucket. */
static bool ports_balance(const struct sensor *s)
{
    uint64_t received = 0, shed = 0;
    bool ok = true;
    for (uint32_t i = 0; i < s->options->port_count; i++) {
        const struct ft_port_stats *p = &s->ports[i].stats;
        received += p->received;
        shed += s->ports[i].shed;
        /* A NIC goes on receiving when nobody polls it any more. */
        ok &=
            s->is_polled || !p->knows_drops || p->arrived == p->received + p->dropped + p->damaged;
    }
    return ok && handed_is_taken(s) &&
           (!s->options->port_count ||
            (received == s->packets_read && shed == s->books.ledger.packets[FT_BUCKET_SHED_RING]));
}

bool books_balance(const struct sensor *s)
{
    return ports_balance(s) && ft_ledger_is_balanced(&s->books.ledger) &&
           s->books.ledger.received == s->packets_read && events_balance(s) &&
           ft_books_requests_balance(&s->books) && outputs_balance(s) &&
           ft_core_rules_balance(s->core, &s->books.ledger);
}

static json_t *packet_ledger(const struct sensor *s)
{
    const struct ft_ledger *l = &s->books.ledger;
    json_t *packets = json_object(), *buckets = json_object();
    put(packets, "read", s->packets_read);
    put(packets, "received", l->received);
    put(packets, "bytes", s->bytes_read);
    for (unsigned i = 1; i < FT_BUCKET_COUNT; i++)
        put(buckets, ft_bucket_name((enum ft_bucket)i), l->packets[i]);
    json_object_set_new(packets, "buckets", buckets);
    return packets;
}

static void put_if_known(json_t *object, const char *key, uint64_t n, bool is_known)
{
    json_object_set_new(object, key, is_known ? count(n) : json_string("unknown"));
}

/* Bytes that receivers acknowledged and nobody here saw: an estimate of what is lost before the
 * interface. */
static json_t *unseen(const struct sensor *s)
{
    json_t *o = json_object();
    for (uint32_t i = 0; i < s->options->link_count && i < FT_STREAM_LINKS; i++)
        put(o, s->options->links[i], s->books.ledger.stream.unseen[i]);
    return o;
}

/* Whose time stamps packets of a port carry. */
static const char *stamps_of(const struct sensor *s, uint32_t port)
{
    static const char *const names[] = {[FT_ETHDEV_STAMPS_HOST] = "host",
                                        [FT_ETHDEV_STAMPS_KERNEL] = "kernel",
                                        [FT_ETHDEV_STAMPS_NIC] = "interface"};
    if (s->is_polled)
        return names[s->ethdevs[port].stamps];
    return s->ports[port].stats.is_nic_time ? "interface" : "kernel";
}

/* What only a port of DPDK has. */
static void put_device(json_t *o, const struct ft_ethdev *e, const struct port_books *b)
{
    static const char *const spreads[] = {[FT_ETHDEV_SPREAD_NOT] = "no",
                                          [FT_ETHDEV_SPREAD_CONNECTION] = "connection",
                                          [FT_ETHDEV_SPREAD_ADDRESSES] = "addresses"};
    static const char *const pauses[] = {[FT_ETHDEV_PAUSE_NONE] = "none",
                                         [FT_ETHDEV_PAUSE_OFF] = "off",
                                         [FT_ETHDEV_PAUSE_UNKNOWN] = "unknown",
                                         [FT_ETHDEV_PAUSE_ON] = "on"};
    put(o, "handed_over", b->handed_over);
    put(o, "plain_ip", b->plain);
    put(o, "plain_ip_handed_over", b->plain_handed_over);
    put(o, "odd_stamps", b->odd_stamps);
    put(o, "queues", e->queues);
    json_object_set_new(o, "spreads_by", json_string(spreads[e->spread]));
    json_object_set_new(o, "pause", json_string(pauses[e->pause]));
}

/* What came in where, and what was lost on the way in. */
static json_t *capture_ledger(const struct sensor *s)
{
    json_t *o = json_object(), *interfaces = json_object();
    uint64_t packets = 0, drops = 0;
    bool knows = true;
    for (uint32_t i = 0; i < s->options->port_count; i++) {
        struct ft_core_port p = port_figures(s, i);
        json_t *one = json_object();
        json_object_set_new(one, "state", json_string(p.state));
        put(one, "link_changes", p.link_changes);
        json_object_set_new(one, "timestamps", json_string(stamps_of(s, i)));
        put(one, "received", p.received);
        put(one, "bytes", p.bytes);
        put(one, "shed", p.shed);
        if (s->is_polled)
            put_device(one, &s->ethdevs[i], &s->ports[i]);
        put_if_known(one, "kernel_packets", p.arrived, p.knows_drops);
        put_if_known(one, "kernel_drops", p.dropped, p.knows_drops);
        put_if_known(one, "kernel_freezes", p.freezes, p.knows_drops);
        put(one, "kernel_damaged", s->ports[i].stats.damaged);
        put_if_known(one, "nic_packets", p.nic_packets, p.knows_nic);
        put_if_known(one, "nic_missed", p.nic_missed, p.knows_nic && !p.hides_missed);
        put_if_known(one, "nic_errors", p.nic_errors, p.knows_nic && !p.hides_errors);
        json_object_set_new(interfaces, p.name, one);
        packets += p.arrived;
        drops += p.dropped;
        knows &= p.knows_drops;
    }
    put_if_known(o, "kernel_packets", packets, knows);
    put_if_known(o, "kernel_drops", drops, knows);
    json_object_set_new(o, "interfaces", interfaces);
    json_object_set_new(o, "unseen_bytes", unseen(s));
    return o;
}

static json_t *mirror_place(const struct sensor *s, struct ft_mirror_place place)
{
    json_t *o = json_object();
    if (place.link < s->options->link_count)
        json_object_set_new(o, "interface", json_string(s->options->links[place.link]));
    json_object_set_new(o, "vlan",
                        place.vlan == FT_MIRROR_UNTAGGED ? json_null() : count(place.vlan));
    return o;
}

/* All that the mirror did, by where packets came in. */
static json_t *mirror(const struct sensor *s)
{
    static const struct {
        const char *list, *place, *copy, *count, *part, *other;
    } kinds[FT_MIRROR_KINDS] = {
        [FT_MIRROR_COPIES] = {"copies", "first", "copy", "packets", "routed", "copies_elsewhere"},
        [FT_MIRROR_UNSEEN] = {"unseen", "at", NULL, "bytes", "holes", "unseen_bytes_elsewhere"},
        [FT_MIRROR_ONE_WAY] = {"one_way", "at", NULL, "connections", NULL, "one_way_elsewhere"},
    };
    json_t *o = json_object(), *lists[FT_MIRROR_KINDS];
    for (unsigned i = 0; i < FT_MIRROR_KINDS; i++) {
        lists[i] = json_array();
        json_object_set_new(o, kinds[i].list, lists[i]);
        put(o, kinds[i].other, s->mirror.other[i].count);
    }
    for (uint32_t i = 0; i < s->mirror.used; i++) {
        const struct ft_mirror_row *row = &s->mirror.rows[i];
        json_t *one = json_object();
        json_object_set_new(one, kinds[row->kind].place, mirror_place(s, row->place));
        if (kinds[row->kind].copy)
            json_object_set_new(one, kinds[row->kind].copy, mirror_place(s, row->copy));
        put(one, kinds[row->kind].count, row->count);
        if (kinds[row->kind].part)
            put(one, kinds[row->kind].part, row->part);
        json_array_append_new(lists[row->kind], one);
    }
    return o;
}

static json_t *stream_ledger(const struct ft_ledger *l)
{
    json_t *o = json_object();
    uint64_t all_unseen = 0;
    for (unsigned i = 0; i < FT_STREAM_LINKS; i++)
        all_unseen += l->stream.unseen[i];
    put(o, "received", l->stream_received);
    put(o, "delivered", l->stream.delivered);
    put(o, "skipped", l->stream.skipped);
    put(o, "encrypted", l->stream.encrypted);
    put(o, "resync", l->stream.resync);
    put(o, "abandoned", l->stream.abandoned);
    put(o, "duplicate", l->stream.duplicate);
    put(o, "held", l->stream.held);
    put(o, "lost", l->stream.lost);
    put(o, "unseen", all_unseen);
    return o;
}

static json_t *event_ledger(const struct sensor *s)
{
    json_t *o = json_object(), *kinds = json_object();
    for (unsigned i = 1; i < FT_EVENT_TYPES; i++) {
        if (i == FT_EVENT_LEDGER || i == FT_EVENT_TICK)
            continue;
        json_t *one = json_object();
        put(one, "made", s->books.ledger.events[i]);
        put(one, "shed", s->books.ledger.events_shed[i]);
        json_object_set_new(kinds, event_names[i], one);
    }
    put(o, "received", s->events_received);
    json_object_set_new(o, "by_type", kinds);
    return o;
}

/* Requests that the protocols paired: each was answered, told as unanswered, or counted. */
static json_t *request_ledger(const struct ft_books *b)
{
    json_t *o = json_object();
    put(o, "asked", b->requests.asked);
    put(o, "answered", b->requests.answered);
    put(o, "unanswered", b->state.unanswered);
    put(o, "displaced", b->state.requests_displaced);
    put(o, "evicted", b->state.requests_evicted);
    put(o, "refused", b->state.requests_refused);
    put(o, "waiting", b->requests.waiting);
    return o;
}

/* Lines of eve.json: each was written or lost. */
static json_t *line_ledger(const struct ft_output_status *written)
{
    json_t *o = json_object();
    put(o, "made", written->lines + written->lost);
    put(o, "written", written->lines);
    put(o, "lost", written->lost);
    put(o, "bytes", written->bytes);
    return o;
}

static json_t *worker_stats(const struct sensor *s)
{
    json_t *list = json_array();
    for (uint32_t w = 0; w < s->worker_count; w++) {
        const struct worker *worker = &s->workers[w];
        const struct ft_ledger *l = ft_inspector_ledger(worker->inspector);
        json_t *o = json_object();
        put(o, "packets", l->received);
        put(o, "cycles", l->cycles_busy);
        put(o, "cycles_per_packet", l->received ? l->cycles_busy / l->received : 0);
        put(o, "bursts", l->bursts);
        put(o, "input_high_water", worker->input_high_water);
        put(o, "events_high_water_bytes", worker->events.high_water);
        if (s->is_polled) {
            put(o, "handed_over", atomic_load(&worker->handed_over));
            put(o, "taken_over", atomic_load(&worker->taken_over));
            put(o, "refused", atomic_load(&worker->refused));
        }
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *tables(const struct sensor *s)
{
    const struct ft_books *b = &s->books;
    struct ft_defrag_stats d = ft_defrag_stats(s->defrag);
    json_t *o = json_object(), *flows = json_object(), *state = json_object(),
           *fragments = json_object();
    put(flows, "created", b->flows.created);
    put(flows, "expired", b->flows.expired);
    put(flows, "evicted", b->flows.evicted);
    put(flows, "refused", b->flows.refused);
    put(flows, "reused", b->flows.reused);
    put(flows, "memory", b->flows.memory);
    put(state, "evicted", b->state.evicted);
    put(state, "refused", b->state.refused);
    put(state, "expired", b->state.expired);
    put(state, "unanswered", b->state.unanswered);
    put(state, "novelty_forgotten", b->novelty_forgotten);
    put(fragments, "fragments", d.fragments);
    put(fragments, "datagrams", d.datagrams);
    put(fragments, "overlaps", d.overlaps);
    put(fragments, "expired", d.expired);
    put(fragments, "evicted", d.evicted);
    put(fragments, "impossible", d.impossible);
    json_object_set_new(o, "flows", flows);
    json_object_set_new(o, "state", state);
    json_object_set_new(o, "fragments", fragments);
    return o;
}

/* By way of another name: a reader sees the books of the run before or the whole new ones. */
static bool dump(const json_t *o, const char *dir, char *error, size_t error_size)
{
    char path[4096], fresh[4096 + 8];
    snprintf(path, sizeof(path), "%s/stats.json", dir);
    snprintf(fresh, sizeof(fresh), "%s.new", path);
    FILE *f = fopen(fresh, "w");
    bool ok = f && json_dumpf(o, f, JSON_INDENT(2)) == 0 && fputc('\n', f) != EOF;
    int reason = errno;
    if (f && fclose(f) != 0 && ok) {
        ok = false;
        reason = errno;
    }
    if (ok && rename(fresh, path) < 0) {
        ok = false;
        reason = errno;
    }
    if (!ok) {
        unlink(fresh);
        snprintf(error, error_size, "cannot write %s: %s", path, strerror(reason));
    }
    return ok;
}

/* Packets of alerts: what was wanted was written or dropped. */
static json_t *evidence(const struct sensor *s)
{
    struct ft_evidence_stats e = ft_evidence_stats(s->evidence.wishes);
    struct ft_evidence_store_stats folder = ft_evidence_store_stats(s->evidence.store);
    json_t *o = json_object(), *dropped = json_object();
    put(o, "wanted", e.wanted);
    put(o, "written", e.written);
    put(o, "pending", e.pending);
    for (unsigned i = 0; i < FT_EVIDENCE_DROPS; i++)
        put(dropped, ft_evidence_drop_name((enum ft_evidence_drop)i), e.dropped[i]);
    json_object_set_new(o, "dropped", dropped);
    put(o, "incomplete", e.incomplete);
    put(o, "without_trigger", e.without);
    put(o, "packets", e.packets);
    put(o, "bytes", e.bytes);
    put(o, "files", folder.files);
    put(o, "files_bytes", folder.bytes);
    put(o, "removed", folder.removed);
    return o;
}

static json_t *all_books(const struct sensor *s)
{
    const struct ft_ledger *l = &s->books.ledger;
    json_t *o = json_object();
    json_object_set_new(o, "balanced", json_boolean(books_balance(s)));
    if (s->is_live)
        json_object_set_new(o, "capture", capture_ledger(s));
    json_object_set_new(o, "packets", packet_ledger(s));
    json_object_set_new(o, "mirror", mirror(s));
    json_object_set_new(o, "stream_bytes", stream_ledger(l));
    json_object_set_new(o, "events", event_ledger(s));
    json_object_set_new(o, "requests", request_ledger(&s->books));
    json_object_set_new(o, "lines", line_ledger(&s->written));
    if (s->evidence.store)
        json_object_set_new(o, "evidence", evidence(s));
    if (s->outputs.is_used) {
        json_object_set_new(o, "journal", outputs_journal_books(s));
        json_object_set_new(o, "outputs", outputs_sink_books(s));
    }
    put(o, "messages", l->messages);
    put(o, "violations", l->violations);
    put(o, "unknown_children", l->unknown_children);
    put(o, "dropped_fields", l->dropped_fields);
    put(o, "faults", l->faults);
    put(o, "clock_jumps", s->clock_jumps);
    put(o, "cut_records", s->cut_records);
    put(o, "damaged_blocks", s->capture ? ft_capture_set_left_out(s->capture) : 0);
    put(o, "bad_ip_checksums", l->bad_ip_checksums);
    put(o, "bad_l4_checksums", l->bad_l4_checksums);
    put(o, "open_checksums", l->open_checksums);
    json_object_set_new(o, "tables", tables(s));
    json_object_set_new(o, "workers", worker_stats(s));
    json_object_set_new(
        o, "seconds",
        json_real((double)(s->ended_tsc - s->started_tsc) / (double)rte_get_tsc_hz()));
    return o;
}

/* ---- rules.json ---- */

/* DIR/rules.json; false: nothing is written, or there are no rules. */
static bool rules_path(const struct sensor *s, char *path, size_t size)
{
    const char *dir = s->options->log_dir;
    if (!dir || strcmp(dir, "-") == 0 || !atomic_load(&s->rules.now))
        return false;
    snprintf(path, size, "%s/rules.json", dir);
    return true;
}

void rule_stats_read(const struct sensor *s)
{
    char path[4096], error[4096 + 128];
    if (rules_path(s, path, sizeof(path)) &&
        !ft_rule_statistics_read(ft_core_rule_statistics(s->core), path, error, sizeof(error)))
        fprintf(stderr, "fieldtap: %s\n", error);
}

void rule_stats_add(const struct sensor *s, const struct rules *r, bool is_over)
{
    struct ft_rule_statistics *st = ft_core_rule_statistics(s->core);
    for (uint32_t w = 0; w < r->matcher_count; w++)
        ft_rule_statistics_counts(st, r->set, r->matchers[w], is_over);
}

bool rule_stats_write(const struct sensor *s, char *error, size_t error_size)
{
    struct ft_rule_statistics *st = ft_core_rule_statistics(s->core);
    char path[4096];
    if (!rules_path(s, path, sizeof(path)))
        return true;
    const struct rules *r = atomic_load_explicit(&s->rules.now, memory_order_acquire);
    ft_rule_statistics_begin(st);
    rule_stats_add(s, r, false);
    return ft_rule_statistics_write(st, r->set, ft_clock_ns(CLOCK_REALTIME), path, error,
                                    error_size);
}

bool stats_write(const struct sensor *s, const char *dir, char *error, size_t error_size)
{
    json_t *o = all_books(s);
    bool ok = dump(o, dir, error, error_size);
    json_decref(o);
    return ok;
}
