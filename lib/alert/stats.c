/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The `stats` event: totals made of packets only, under the keys that dashboards of EVE read, and
 * the books under keys of our own.
 */
#include "alert/core_internal.h"

#include "flow/flow.h"

#include <string.h>

/* One port. Numbers only, as in all of stats: what nobody knows is left out, not 0. */
static void put_port(struct ft_json *j, const struct ft_core_port *p)
{
    ft_json_key(j, p->name);
    ft_json_object(j);
    ft_json_put_uint(j, "up", strcmp(p->state, "up") == 0);
    ft_json_put_uint(j, "link_changes", p->link_changes);
    ft_json_put_uint(j, "received", p->received);
    ft_json_put_uint(j, "bytes", p->bytes);
    ft_json_put_uint(j, "shed", p->shed);
    if (p->is_polled) {
        ft_json_put_uint(j, "handed_over", p->handed_over);
        ft_json_put_uint(j, "plain_ip", p->plain);
        ft_json_put_uint(j, "plain_ip_handed_over", p->plain_handed_over);
    }
    if (p->knows_drops) {
        ft_json_put_uint(j, "kernel_packets", p->arrived);
        ft_json_put_uint(j, "kernel_drops", p->dropped);
        ft_json_put_uint(j, "kernel_freezes", p->freezes);
    }
    if (p->knows_nic) {
        ft_json_put_uint(j, "nic_packets", p->nic_packets);
        if (!p->hides_missed)
            ft_json_put_uint(j, "nic_missed", p->nic_missed);
        if (!p->hides_errors)
            ft_json_put_uint(j, "nic_errors", p->nic_errors);
    }
    ft_json_object_end(j);
}

/* By link: bytes that receivers acknowledged and nobody here saw. */
static void put_unseen(const struct ft_core *core, struct ft_json *j,
                       const struct ft_core_totals *t)
{
    ft_json_key(j, "unseen_bytes");
    ft_json_object(j);
    for (uint32_t i = 0; i < core->config.interface_count && i < FT_STREAM_LINKS; i++)
        ft_json_put_uint(j, core->config.interfaces[i], t->ledger->stream.unseen[i]);
    ft_json_object_end(j);
}

/* Of a capture what was read; live what the kernel had for us, its drops included. */
static void put_capture(const struct ft_core *core, struct ft_json *j,
                        const struct ft_core_totals *t)
{
    uint64_t packets = 0, drops = 0;
    bool knows_drops = t->port_count > 0;
    for (uint32_t i = 0; i < t->port_count; i++) {
        const struct ft_core_port *p = &t->ports[i];
        packets += p->knows_drops ? p->arrived : p->received;
        drops += p->dropped;
        knows_drops &= p->knows_drops;
    }
    ft_json_key(j, "capture");
    ft_json_object(j);
    ft_json_put_uint(j, "kernel_packets", t->port_count ? packets : t->ledger->received);
    if (knows_drops)
        ft_json_put_uint(j, "kernel_drops", drops);
    if (t->port_count) {
        ft_json_key(j, "interfaces");
        ft_json_object(j);
        for (uint32_t i = 0; i < t->port_count; i++)
            put_port(j, &t->ports[i]);
        ft_json_object_end(j);
        put_unseen(core, j, t);
    }
    ft_json_object_end(j);
}

static void put_decoder(struct ft_json *j, const struct ft_ledger *l)
{
    uint64_t invalid = 0;
    for (unsigned i = FT_BUCKET_UNDECODABLE; i < FT_BUCKET_SHED; i++)
        invalid += l->packets[i];
    ft_json_key(j, "decoder");
    ft_json_object(j);
    ft_json_put_uint(j, "pkts", l->received);
    ft_json_put_uint(j, "bytes", l->received_bytes);
    ft_json_put_uint(j, "avg_pkt_size", l->received ? l->received_bytes / l->received : 0);
    ft_json_put_uint(j, "max_pkt_size", l->max_size);
    ft_json_put_uint(j, "invalid", invalid);
    ft_json_put_uint(j, "ethernet", l->ethernet);
    ft_json_put_uint(j, "vlan", l->vlan);
    ft_json_put_uint(j, "ipv4", l->ipv4);
    ft_json_put_uint(j, "ipv6", l->ipv6);
    ft_json_put_uint(j, "tcp", l->tcp);
    ft_json_put_uint(j, "udp", l->udp);
    ft_json_put_uint(j, "icmp", l->icmp);
    ft_json_put_uint(j, "other_ip", l->other_ip);
    ft_json_put_uint(j, "not_ip", l->not_ip);
    ft_json_put_uint(j, "tunnelled", l->tunnelled);
    ft_json_object_end(j);
}

static void put_flow(struct ft_json *j, const struct ft_core_totals *t)
{
    uint64_t spare = t->flow_capacity > t->flow_active ? t->flow_capacity - t->flow_active : 0;
    ft_json_key(j, "flow");
    ft_json_object(j);
    ft_json_put_uint(j, "active", t->flow_active);
    ft_json_put_uint(j, "total", t->flow_created);
    ft_json_put_uint(j, "spare", spare);
    ft_json_put_uint(j, "memuse", t->flow_capacity * sizeof(struct ft_flow));
    ft_json_object_end(j);
    ft_json_key(j, "tcp");
    ft_json_object(j);
    ft_json_put_uint(j, "memuse", 0); /* TCP state is part of the flow records */
    ft_json_put_uint(j, "reassembly_memuse", t->ledger->stream.held);
    ft_json_object_end(j);
}

static void put_by_protocol(const struct ft_core *core, struct ft_json *j, const char *key,
                            const uint64_t *counts, uint64_t failed)
{
    ft_json_key(j, key);
    ft_json_object(j);
    for (uint32_t i = 0; i < core->registry->count; i++)
        if (counts[i])
            ft_json_put_uint(j, core->registry->protocols[i]->name, counts[i]);
    if (failed)
        ft_json_put_uint(j, "failed", failed);
    ft_json_object_end(j);
}

static void put_detect(const struct ft_core *core, struct ft_json *j)
{
    ft_json_key(j, "detect");
    ft_json_object(j);
    ft_json_put_uint(j, "alert", core->counts.alerts);
    ft_json_put_uint(j, "alert_queue_overflow", ft_windows_refused(core->alerts));
    ft_json_object_end(j);
    ft_json_key(j, "app_layer");
    ft_json_object(j);
    put_by_protocol(core, j, "flow", core->counts.flows, core->counts.flows_failed);
    put_by_protocol(core, j, "tx", core->counts.messages, 0);
    put_by_protocol(core, j, "error", core->counts.errors, 0);
    ft_json_object_end(j);
}

/* Buckets by name; "undecodable.tag" becomes a member of an object. The order of enum ft_bucket
 * keeps those of one object together. */
static void put_buckets(struct ft_json *j, const struct ft_ledger *l)
{
    char open[32] = "";
    for (unsigned i = FT_BUCKET_ANALYSED; i < FT_BUCKET_COUNT; i++) {
        const char *name = ft_bucket_name((enum ft_bucket)i), *dot = strchr(name, '.');
        size_t n = dot ? (size_t)(dot - name) : 0;
        if (*open && (!dot || strncmp(open, name, n) != 0 || open[n])) {
            ft_json_object_end(j);
            *open = 0;
        }
        if (dot && !*open && n < sizeof(open)) {
            memcpy(open, name, n);
            open[n] = 0;
            ft_json_key(j, open);
            ft_json_object(j);
        }
        ft_json_put_uint(j, dot ? dot + 1 : name, l->packets[i]);
    }
    if (*open)
        ft_json_object_end(j);
}

/* What carried the packets of unknown protocols, those that there were. */
static void put_carriers(struct ft_json *j, const struct ft_ledger *l)
{
    ft_json_key(j, "unknown_carriers");
    ft_json_object(j);
    for (unsigned i = 0; i < FT_CARRIERS; i++)
        if (l->carriers[i])
            ft_json_put_uint(j, ft_carrier_name(i), l->carriers[i]);
    ft_json_object_end(j);
}

static void put_events(struct ft_json *j, const struct ft_ledger *l)
{
    uint64_t made = 0, shed = 0;
    for (unsigned i = 0; i < FT_EVENT_TYPES; i++) {
        bool is_own =
            i == FT_EVENT_LEDGER || i == FT_EVENT_TICK; /* their number tells of workers */
        made += is_own ? 0 : l->events[i];
        shed += is_own ? 0 : l->events_shed[i];
    }
    ft_json_key(j, "events");
    ft_json_object(j);
    ft_json_put_uint(j, "made", made);
    ft_json_put_uint(j, "shed", shed);
    ft_json_object_end(j);
}

static void put_requests(struct ft_json *j, const struct ft_core_totals *t)
{
    ft_json_key(j, "requests");
    ft_json_object(j);
    ft_json_put_uint(j, "asked", t->requests.asked);
    ft_json_put_uint(j, "answered", t->requests.answered);
    ft_json_put_uint(j, "unanswered", t->requests.unanswered);
    ft_json_put_uint(j, "displaced", t->requests.displaced);
    ft_json_put_uint(j, "evicted", t->requests.evicted);
    ft_json_put_uint(j, "refused", t->requests.refused);
    ft_json_object_end(j);
}

static void put_ledger(struct ft_json *j, const struct ft_core_totals *t)
{
    const struct ft_ledger *l = t->ledger;
    const struct ft_stream_bytes *s = &l->stream;
    ft_json_key(j, "ledger");
    ft_json_object(j);
    ft_json_put_uint(j, "balanced", ft_ledger_is_balanced(l)); /* Telegraf wants numbers */
    ft_json_key(j, "packets");
    ft_json_object(j);
    ft_json_put_uint(j, "received", l->received);
    put_buckets(j, l);
    ft_json_object_end(j);
    ft_json_key(j, "stream_bytes");
    ft_json_object(j);
    ft_json_put_uint(j, "received", l->stream_received);
    ft_json_put_uint(j, "delivered", s->delivered);
    ft_json_put_uint(j, "skipped", s->skipped);
    ft_json_put_uint(j, "encrypted", s->encrypted);
    ft_json_put_uint(j, "resync", s->resync);
    ft_json_put_uint(j, "abandoned", s->abandoned);
    ft_json_put_uint(j, "duplicate", s->duplicate);
    ft_json_put_uint(j, "held", s->held);
    ft_json_put_uint(j, "lost", s->lost);
    ft_json_object_end(j);
    put_carriers(j, l);
    put_events(j, l);
    put_requests(j, t);
    ft_json_put_uint(j, "messages", l->messages);
    ft_json_put_uint(j, "violations", l->violations);
    ft_json_put_uint(j, "unknown_children", l->unknown_children);
    ft_json_put_uint(j, "dropped_fields", l->dropped_fields);
    ft_json_put_uint(j, "faults", l->faults);
    ft_json_put_uint(j, "bad_ip_checksums", l->bad_ip_checksums);
    ft_json_put_uint(j, "bad_l4_checksums", l->bad_l4_checksums);
    ft_json_put_uint(j, "open_checksums", l->open_checksums);
    ft_json_object_end(j);
}

static void put_core(const struct ft_core *core, struct ft_json *j)
{
    ft_json_key(j, "core");
    ft_json_object(j);
    ft_json_put_uint(j, "assets", ft_inventory_count(core->inventory));
    ft_json_put_uint(j, "assets_with_nested", ft_inventory_count_all(core->inventory));
    ft_json_put_uint(j, "assets_refused", ft_inventory_refused(core->inventory));
    ft_json_put_uint(j, "conversations", ft_conversations_count(core->conversations));
    ft_json_put_uint(j, "conversations_refused", ft_conversations_refused(core->conversations));
    ft_json_put_uint(j, "operations", core->counts.operations);
    ft_json_put_uint(j, "anomalies_refused", ft_windows_refused(core->anomalies));
    ft_json_object_end(j);
}

void ft_core_stats(struct ft_core *core, const struct ft_core_totals *totals)
{
    struct ft_event now = {.time_ns = totals->stamp_ns, .number = totals->number};
    uint64_t age =
        core->first_ns && now.time_ns > core->first_ns ? now.time_ns - core->first_ns : 0;
    struct ft_json j;
    if (!totals->ledger->received && !totals->stamp_ns)
        return;
    ft_core_mirror_watch(core, totals, ft_core_losses_watch(core, totals));
    ft_rule_desk_watch(core, totals->ledger);
    if (!ft_core_line(core, &j))
        return;
    ft_eve_begin(core->eve, &now, "stats", &j);
    ft_json_key(&j, "stats");
    ft_json_object(&j);
    ft_json_put_uint(&j, "uptime", age / 1000000000u);
    put_capture(core, &j, totals);
    put_decoder(&j, totals->ledger);
    put_flow(&j, totals);
    put_detect(core, &j);
    ft_core_mirror_stats(core, &j);
    put_ledger(&j, totals);
    put_core(core, &j);
    ft_rule_desk_stats(core, totals->ledger, &j);
    if (totals->put_more)
        totals->put_more(totals->user, &j);
    ft_json_object_end(&j);
    ft_core_commit(core, &j, ft_eve_end(core->eve, &j));
}
