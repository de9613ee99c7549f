/* SPDX-License-Identifier: BSD-3-Clause */
/* The metrics as text: a table of families, and how OpenMetrics writes them. */
#include "metrics_text.h"

#include "figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the table ---- */

enum kind {
    COUNTER = 0,
    GAUGE,
};

/* Of what a family has one sample each. */
enum scope {
    SENSOR = 0,
    PORT,       /* port="eth1" */
    PORT_DROPS, /* likewise, those that know drops */
    PORT_NIC,   /* likewise, those that know their NIC's counters */
    WORKER,     /* worker="0" */
    FATE,       /* fate="analysed": packets by bucket */
    EVIDENCE,   /* of a sensor that keeps packets of alerts */
    DROP,       /* why="disk": likewise, alerts without a file */
    JOURNAL,    /* of a sensor with a journal */
    CLASS,      /* class="alert": likewise */
    SINK,       /* sink="siem" */
};

struct family {
    const char *name, *unit, *help; /* the name ends in the unit, as OpenMetrics wants it */
    enum kind kind;
    enum scope scope;
    size_t at; /* in struct figures, or struct figures_port and so on */
};

#define OF(member)        offsetof(struct figures, member)
#define OF_PORT(member)   offsetof(struct figures_port, member)
#define OF_WORKER(member) offsetof(struct figures_worker, member)
#define OF_CLASS(member)  offsetof(struct figures_class, member)
#define OF_SINK(member)   offsetof(struct figures_sink, member)

/* clang-format off */
static const struct family families[] = {
    {"fieldtap_received_packets", "packets", "Packets taken from captures or ports.",
     COUNTER, SENSOR, OF(packets)},
    {"fieldtap_received_bytes", "bytes", "Bytes of these packets.",
     COUNTER, SENSOR, OF(bytes)},
    {"fieldtap_dropped_packets", "packets", "Packets lost by kernel, NIC or sensor for want of room.",
     COUNTER, SENSOR, OF(dropped)},
    {"fieldtap_booked_packets", "packets", "What became of packets.",
     COUNTER, FATE, 0},
    {"fieldtap_stream_bytes", "bytes", "TCP payload that reached a stream.",
     COUNTER, SENSOR, OF(ledger.stream_received)},
    {"fieldtap_stream_lost_bytes", "bytes", "TCP payload that was never seen.",
     COUNTER, SENSOR, OF(ledger.stream.lost)},
    {"fieldtap_messages", "", "Messages dissected.",
     COUNTER, SENSOR, OF(ledger.messages)},
    {"fieldtap_violations", "", "Violations of protocols.",
     COUNTER, SENSOR, OF(ledger.violations)},
    {"fieldtap_rule_hits", "", "Hits of rules.",
     COUNTER, SENSOR, OF(ledger.rule_hits)},
    {"fieldtap_dissector_faults", "", "Dissectors that were abandoned.",
     COUNTER, SENSOR, OF(faults)},
    {"fieldtap_events", "", "Events that the alerting loop received.",
     COUNTER, SENSOR, OF(events_received)},
    {"fieldtap_alerts", "", "Alerts raised.",
     COUNTER, SENSOR, OF(alerts)},
    {"fieldtap_assets", "", "Devices in the inventory.",
     GAUGE, SENSOR, OF(assets)},
    {"fieldtap_flows", "", "Flows that are open.",
     GAUGE, SENSOR, OF(flows)},
    {"fieldtap_flow_capacity", "", "Flows that the table has room for.",
     GAUGE, SENSOR, OF(flow_capacity)},
    {"fieldtap_flows_created", "", "Flows begun.",
     COUNTER, SENSOR, OF(flows_created)},
    {"fieldtap_flows_evicted", "", "Flows that had to make room.",
     COUNTER, SENSOR, OF(flows_evicted)},
    {"fieldtap_flows_refused", "", "Packets of flows that found no room.",
     COUNTER, SENSOR, OF(flows_refused)},
    {"fieldtap_resident_memory_bytes", "bytes", "Resident memory.",
     GAUGE, SENSOR, OF(memory)},
    {"fieldtap_port_received_packets", "packets", "Packets taken from a port.",
     COUNTER, PORT, OF_PORT(received)},
    {"fieldtap_port_received_bytes", "bytes", "Bytes taken from a port.",
     COUNTER, PORT, OF_PORT(bytes)},
    {"fieldtap_port_shed_packets", "packets", "Packets of a port that found no room in the sensor.",
     COUNTER, PORT, OF_PORT(shed)},
    {"fieldtap_port_link_changes", "", "Times that a port's link changed.",
     COUNTER, PORT, OF_PORT(link_changes)},
    {"fieldtap_port_dropped_packets", "packets", "Packets that kernel or NIC dropped before the sensor.",
     COUNTER, PORT_DROPS, OF_PORT(dropped)},
    {"fieldtap_port_nic_missed_packets", "packets", "Packets that the interface itself missed.",
     COUNTER, PORT_NIC, OF_PORT(nic_missed)},
    {"fieldtap_port_nic_errors", "", "Errors that the interface itself counted.",
     COUNTER, PORT_NIC, OF_PORT(nic_errors)},
    {"fieldtap_worker_packets", "packets", "Packets of a worker.",
     COUNTER, WORKER, OF_WORKER(packets)},
    {"fieldtap_worker_busy_cycles", "cycles", "Cycles in which a worker was not idle.",
     COUNTER, WORKER, OF_WORKER(cycles)},
    {"fieldtap_worker_waiting_packets", "packets", "Packets that wait for a worker.",
     GAUGE, WORKER, OF_WORKER(input_waiting)},
    {"fieldtap_worker_events_most_bytes", "bytes", "Most bytes of events that waited in a worker's ring.",
     GAUGE, WORKER, OF_WORKER(events_high_water)},
    {"fieldtap_evidence_wanted", "", "Alerts whose packets were asked for.",
     COUNTER, EVIDENCE, OF(evidence.wanted)},
    {"fieldtap_evidence_written", "", "Alerts whose packets were written to a file.",
     COUNTER, EVIDENCE, OF(evidence.written)},
    {"fieldtap_evidence_pending", "", "Alerts whose packets are being collected.",
     GAUGE, EVIDENCE, OF(evidence.pending)},
    {"fieldtap_evidence_dropped", "", "Alerts whose packets were asked for, and have no file.",
     COUNTER, DROP, 0},
    {"fieldtap_evidence_incomplete", "", "Files in which packets are missing.",
     COUNTER, EVIDENCE, OF(evidence.incomplete)},
    {"fieldtap_evidence_files", "", "Files with packets of alerts in the folder.",
     GAUGE, EVIDENCE, OF(evidence_folder.files)},
    {"fieldtap_evidence_folder_bytes", "bytes", "Bytes of these files.",
     GAUGE, EVIDENCE, OF(evidence_folder.bytes)},
    {"fieldtap_evidence_removed", "", "Files removed because of their bounds.",
     COUNTER, EVIDENCE, OF(evidence_folder.removed)},
    {"fieldtap_journal_writes", "", "1: the journal can write.",
     GAUGE, JOURNAL, OF(journal_ok)},
    {"fieldtap_journal_memory_bytes", "bytes", "Bytes that wait for the disk.",
     GAUGE, JOURNAL, OF(journal_memory)},
    {"fieldtap_journal_appended", "", "Events given to the journal.",
     COUNTER, CLASS, OF_CLASS(appended)},
    {"fieldtap_journal_synced", "", "Events that are on disk for sure.",
     COUNTER, CLASS, OF_CLASS(synced)},
    {"fieldtap_journal_given_up", "", "Events that the disk never got.",
     COUNTER, CLASS, OF_CLASS(given_up)},
    {"fieldtap_journal_removed", "", "Events removed from the disk because of its bounds.",
     COUNTER, CLASS, OF_CLASS(removed)},
    {"fieldtap_journal_disk_bytes", "bytes", "Bytes of the journal's files.",
     GAUGE, CLASS, OF_CLASS(disk_bytes)},
    {"fieldtap_sink_up", "", "1: the receiver takes what it is sent.",
     GAUGE, SINK, OF_SINK(is_up)},
    {"fieldtap_sink_lag", "", "Events that wait for the sink.",
     GAUGE, SINK, OF_SINK(lag)},
    {"fieldtap_sink_sent", "", "Events delivered.",
     COUNTER, SINK, OF_SINK(sent)},
    {"fieldtap_sink_sent_bytes", "bytes", "Bytes of them, as sent.",
     COUNTER, SINK, OF_SINK(bytes)},
    {"fieldtap_sink_refused", "", "Events that the receiver will never take.",
     COUNTER, SINK, OF_SINK(refused)},
    {"fieldtap_sink_missed", "", "Events that the journal could not keep until they were sent.",
     COUNTER, SINK, OF_SINK(missed)},
    {"fieldtap_sink_failed", "", "Attempts to connect or to send that failed.",
     COUNTER, SINK, OF_SINK(failed)},
};
/* clang-format on */

#define FAMILIES (sizeof(families) / sizeof(families[0]))

/* ---- writing ---- */

/* A label's value: backslash, quote and line end are escaped. */
static void write_label(FILE *to, const char *name, const char *value)
{
    fprintf(to, "{%s=\"", name);
    for (; *value; value++) {
        if (*value == '\\' || *value == '"')
            fputc('\\', to);
        fputs(*value == '\n' ? "\\n" : "", to);
        if (*value != '\n')
            fputc(*value, to);
    }
    fputs("\"}", to);
}

static void write_sample(FILE *to, const struct family *f, const char *label, const char *value,
                         uint64_t n)
{
    fprintf(to, "%s%s", f->name, f->kind == COUNTER ? "_total" : "");
    if (label)
        write_label(to, label, value);
    fprintf(to, " %llu\n", (unsigned long long)n);
}

static uint64_t at(const void *base, size_t offset)
{
    return *(const uint64_t *)(const void *)((const char *)base + offset);
}

static bool is_known(const struct family *f, const struct figures_port *p)
{
    return f->scope == PORT || (f->scope == PORT_DROPS && p->knows_drops) ||
           (f->scope == PORT_NIC && p->knows_nic);
}

/* One number of the sensor, which it has. */
static bool is_single(const struct family *f, const struct figures *g)
{
    return f->scope == SENSOR || (f->scope == EVIDENCE && g->has_evidence) ||
           (f->scope == JOURNAL && g->has_journal);
}

static void write_of_outputs(FILE *to, const struct family *f, const struct figures *g)
{
    for (unsigned i = 0; f->scope == DROP && g->has_evidence && i < FT_EVIDENCE_DROPS; i++)
        write_sample(to, f, "why", ft_evidence_drop_name((enum ft_evidence_drop)i),
                     g->evidence.dropped[i]);
    for (unsigned i = 0; f->scope == CLASS && g->has_journal && i < FT_JOURNAL_CLASSES; i++)
        write_sample(to, f, "class", g->classes[i].name, at(&g->classes[i], f->at));
    for (uint32_t i = 0; f->scope == SINK && i < g->sink_count; i++)
        write_sample(to, f, "sink", g->sinks[i].name, at(&g->sinks[i], f->at));
}

static void write_samples(FILE *to, const struct family *f, const struct figures *g)
{
    char number[16];
    switch (f->scope) {
    case SENSOR:
    case EVIDENCE:
    case JOURNAL:
        if (is_single(f, g))
            write_sample(to, f, NULL, NULL, at(g, f->at));
        return;
    case DROP:
    case CLASS:
    case SINK:
        write_of_outputs(to, f, g);
        return;
    case FATE:
        for (unsigned i = 1; i < FT_BUCKET_COUNT; i++)
            write_sample(to, f, "fate", ft_bucket_name((enum ft_bucket)i), g->ledger.packets[i]);
        return;
    case WORKER:
        for (uint32_t w = 0; w < g->worker_count; w++) {
            snprintf(number, sizeof(number), "%u", w);
            write_sample(to, f, "worker", number, at(&g->workers[w], f->at));
        }
        return;
    default:
        for (uint32_t p = 0; p < g->port_count; p++)
            if (is_known(f, &g->ports[p]))
                write_sample(to, f, "port", g->ports[p].name, at(&g->ports[p], f->at));
    }
}

static void write_all(FILE *to, const struct figures *g)
{
    fputs("# TYPE fieldtap_build info\n# HELP fieldtap_build What runs.\n", to);
    fputs("fieldtap_build_info", to);
    write_label(to, "version", FIELDTAP_VERSION);
    fputs(" 1\n# TYPE fieldtap_uptime_seconds gauge\n# UNIT fieldtap_uptime_seconds seconds\n"
          "# HELP fieldtap_uptime_seconds Time since the sensor began.\n",
          to);
    fprintf(to, "fieldtap_uptime_seconds %.3f\n", g->uptime);
    for (unsigned i = 0; i < FAMILIES; i++) {
        const struct family *f = &families[i];
        fprintf(to, "# TYPE %s %s\n", f->name, f->kind == COUNTER ? "counter" : "gauge");
        if (*f->unit)
            fprintf(to, "# UNIT %s %s\n", f->name, f->unit);
        fprintf(to, "# HELP %s %s\n", f->name, f->help);
        write_samples(to, f, g);
    }
    fputs("# EOF\n", to);
}

char *metrics_text(struct sensor *s, size_t *size)
{
    struct figures *g = malloc(sizeof(*g));
    char *text = NULL;
    FILE *to = g ? open_memstream(&text, size) : NULL;
    figures_want(s); /* for the next time: nobody is waited for here */
    if (to) {
        figures_read(s, g);
        write_all(to, g);
        if (fclose(to) != 0) {
            free(text);
            text = NULL;
        }
    }
    free(g);
    return text;
}

bool metrics_single(const struct figures *g, unsigned i, const char **name, uint64_t *value)
{
    if (i >= FAMILIES)
        return false;
    *name = is_single(&families[i], g) ? families[i].name + strlen("fieldtap_") : NULL;
    *value = *name ? at(g, families[i].at) : 0;
    return true;
}
