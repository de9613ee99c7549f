/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters of a running sensor as they are at the moment, for those who watch it: the control
 * socket and OpenMetrics. They are read while their owners count on, so sums over them may miss
 * what happened in between; books that close are in stats.json, at the end.
 */
#ifndef FIGURES_H
#define FIGURES_H

#include "sensor.h"

struct figures_port {
    const char *name, *state;
    uint64_t received, bytes, shed;
    uint64_t arrived, dropped, freezes; /**< of no meaning without knows_drops */
    uint64_t nic_packets, nic_missed, nic_errors;
    uint64_t link_changes, handed_over;
    bool knows_drops, knows_nic;
};

struct figures_worker {
    uint64_t packets, bytes, messages, cycles, bursts;
    uint64_t input_waiting, input_high_water; /**< packets */
    uint64_t events_high_water;               /**< bytes */
    uint64_t events_size;
    uint64_t handed_over, taken_over;
};

struct figures_sink {
    const char *name;
    uint64_t is_up, lag, sent, bytes, refused, missed, failed;
};

struct figures_class { /* of the journal */
    const char *name;
    uint64_t appended, synced, given_up, removed, disk_bytes;
};

struct figures {
    struct ft_ledger ledger; /**< of all workers, with the packets that only the reader booked */
    uint64_t packets, bytes; /**< taken from captures or ports */
    uint64_t dropped;        /**< by kernel or NIC, and by the sensor for want of room */
    uint64_t flows, flows_created, flows_expired, flows_evicted, flows_refused, flow_capacity;
    uint64_t assets, alerts, events_received, faults;
    uint64_t memory;        /**< resident bytes */
    double uptime, started; /**< seconds; seconds since 1970 */
    uint32_t rules, rules_generation, protocols;
    bool is_holding, has_evidence, has_journal;
    struct ft_evidence_stats evidence; /**< of no meaning without has_evidence */
    struct ft_evidence_store_stats evidence_folder;
    uint64_t journal_ok, journal_memory; /**< of no meaning without has_journal */
    struct figures_class classes[FT_JOURNAL_CLASSES];
    struct figures_sink sinks[FT_SINKS_MAX];
    uint32_t sink_count;
    uint32_t port_count, worker_count;
    struct figures_port ports[FT_LIVE_PORTS_MAX];
    struct figures_worker workers[WORKERS_MAX];
};

/** Any thread, while the sensor runs. Cost: some ten microseconds. */
void figures_read(struct sensor *s, struct figures *f);

/** Packets taken from a port so far; and whether it is there and has a link. */
uint64_t figures_received(const struct sensor *s, uint32_t port, bool *is_up);

/** Ask the owner of the ports to bring their counters up to date; and whether it has. */
void figures_want(struct sensor *s);
bool figures_are_fresh(const struct sensor *s);

#endif
