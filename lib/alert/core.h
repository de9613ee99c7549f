/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The alerting core: all plant-wide state, and the lines that are written from it.
 *
 * One thread gives it the events of all workers, merged in order, and ticks in between. It learns
 * assets, conversations and operations, raises alerts, folds what repeats, and writes EVE lines to
 * one sink. What it writes depends on the events only: not on workers, wall clock or hashes.
 *
 * Memory is bounded by the maxima of struct ft_core_config; what finds no room is counted, told in
 * one health event, and part of the statistics.
 */
#ifndef FT_CORE_H
#define FT_CORE_H

#include "alert/conversation.h"
#include "event/ledger.h"

#include "inventory/inventory.h"
#include "output/eve.h"
#include "output/output.h"
#include "packet/mirror.h"
#include "rules/ruleset.h"
#include "rules/statistics.h"

/** A live port as the statistics show it. */
struct ft_core_port {
    const char *name;
    const char *state; /**< "up", "down", "missing" */
    uint64_t received, bytes;
    uint64_t arrived, dropped,
        freezes;          /**< the kernel's count; of no meaning without knows_drops */
    uint64_t shed;        /**< received, and lost on the way to a worker */
    uint64_t handed_over; /**< received by a worker that does not own them; where workers poll */
    uint64_t plain, plain_handed_over; /**< likewise, packets of plain IP and those handed over */
    uint64_t link_changes;
    uint64_t nic_packets, nic_missed, nic_errors; /**< the interface's own counters */
    bool knows_drops, knows_nic;
    bool hides_missed, hides_errors; /**< nic_missed, nic_errors are not, all the same */
    bool is_polled;                  /**< a port of DPDK */
};

/** An alert whose packets may be wanted. */
struct ft_core_wish {
    const struct ft_event *event; /**< that it comes from */
    const struct ft_eve_finding *finding;
    uint64_t now_seq; /**< what the core is at */
    char id[FT_EVE_UID_MAX];
};

struct ft_core_config {
    const char *sensor;            /**< name of the sensor; NULL = "fieldtap" */
    const char *site;              /**< NULL = none */
    bool log_secrets;              /**< print secrets instead of their length and hash */
    bool arkime_addresses;         /**< 0.0.0.0 as addresses of layer 2 events */
    uint64_t salt[2];              /**< of hashes of secrets and of tables: fixed offline */
    const char *const *interfaces; /**< names for in_iface by index; NULL offline */
    uint32_t interface_count;
    const char *const *ports; /**< names for health events by index of the port; NULL offline */
    uint32_t port_count;
    const char *oui;            /**< directory of the IEEE registries; NULL = Debian's */
    uint32_t max_assets;        /**< 0 = 100,000 */
    uint32_t max_conversations; /**< 0 = 200,000 */
    uint32_t max_operations;    /**< 0 = 1,000,000 */
    uint32_t max_windows;       /**< alerts, and anomalies, that may be open; 0 = 16,384 each */
    uint32_t max_alerts;        /**< alerts kept for the summary; 0 = 10,000 */
    /** Asked for each new alert, and event of a rule, of a flow: are its packets going to be kept?
     * Then its lines name the file. NULL: never. */
    bool (*wants_packets)(void *user, const struct ft_core_wish *wish);
    void *wants_user;
    uint64_t first_number;   /**< of the first line at least; lower: behind the last line of the
                                  file, or what the keeper says */
    uint32_t max_thresholds; /**< sources, pairs, ... that thresholds of rules count; 0 = 16,384 */
};

/** An alert as the summary shows it. */
struct ft_core_alert {
    uint64_t time_ns; /**< of the first */
    uint64_t count;
    const struct ft_eve_finding *finding;
    struct ft_address source, destination; /**< sender and receiver of the first */
    uint16_t protocol;                     /**< index + 1, 0 = none */
    struct ft_eve_commands commands;
};

/** Sums over the sensor, from packets only. */
struct ft_core_totals {
    const struct ft_ledger *ledger; /**< of all workers */
    const struct ft_mirror *mirror; /**< of all shards, in their order; NULL = did nothing */
    uint64_t flow_active, flow_created, flow_capacity;
    const struct ft_core_port *ports; /**< live; offline there are none */
    uint32_t port_count;
    uint64_t stamp_ns; /**< time stamp of the last packet */
    uint64_t number;   /**< of the last packet */
    struct {
        uint64_t asked, answered, unanswered, displaced, evicted, refused;
    } requests;                                      /**< all but `asked` are ends of them */
    void (*put_more)(void *user, struct ft_json *j); /**< further members; may be NULL */
    void *user;                                      /**< of that */
};

struct ft_core;

/**
 * Make a core that writes to `out` (not owned). Goes on with the numbers of the file's last line.
 * NULL and one sentence when memory is short.
 */
struct ft_core *ft_core_new(const struct ft_core_config *config, const struct ft_registry *registry,
                            struct ft_output *out, char *error, size_t error_size);
void ft_core_free(struct ft_core *core);

/** The next event in order. FT_EVENT_TICK is as ft_core_tick(); FT_EVENT_LEDGER is the caller's. */
void ft_core_event(struct ft_core *core, const struct ft_event *event);

/** A second of packet time has passed, on the sensor clock: closes the windows of what repeats. */
void ft_core_tick(struct ft_core *core, uint64_t clock_ns, uint64_t seq);

/** Write a `stats` event. To be called at points of packet time only, with all books closed. None
 * is written before the first packet: there is no time that it could carry. */
void ft_core_stats(struct ft_core *core, const struct ft_core_totals *totals);

/** Write a `health` event of the caller's: `name` lower_snake_case, `text` one sentence. */
void ft_core_health(struct ft_core *core, const char *name, enum ft_severity severity,
                    const char *text);

/** The same of what happens beside packets, at a time of its own: UTC, in nanoseconds. */
void ft_core_health_at(struct ft_core *core, const char *name, enum ft_severity severity,
                       const char *text, uint64_t time_ns);

/** The same about a live interface, the `port`-th of the configuration. */
void ft_core_health_port(struct ft_core *core, uint32_t port, const char *name,
                         enum ft_severity severity, const char *text, uint64_t time_ns);

/**
 * From now on events of `generation` (not 0) are of this set. The sets of this call and the one
 * before are read; the caller keeps a set until a later call has pushed it out, or to the end of
 * the core. What alerts of its rules say is kept as long as they are open or listed. NULL: no rules
 * any more.
 */
void ft_core_rules(struct ft_core *core, const struct ft_ruleset *set, uint32_t generation);

/**
 * Has the core got all hits that workers told of, and has each become something? With the books of
 * all workers, when nothing is on its way any more.
 */
bool ft_core_rules_balance(const struct ft_core *core, const struct ft_ledger *ledger);

/** Days and last hits of rules, and what workers count of them: the core adds hits. */
struct ft_rule_statistics *ft_core_rule_statistics(const struct ft_core *core);

/** The input has ended: tell what is still open, in order of opening. */
void ft_core_finish(struct ft_core *core);

/* For the summary; valid until the next event. */
const struct ft_registry *ft_core_registry(const struct ft_core *core);
const struct ft_inventory *ft_core_inventory(const struct ft_core *core);
const struct ft_conversations *ft_core_conversations(const struct ft_core *core);
/** In order of time; *count of them, and *more that were not kept. */
const struct ft_core_alert *ft_core_alerts(const struct ft_core *core, uint32_t *count,
                                           uint64_t *more);
/** How often an anomaly or violation came. */
struct ft_core_anomaly {
    const struct ft_eve_finding *finding;
    uint64_t count;
};
/** Which came, in order of their first. */
const struct ft_core_anomaly *ft_core_anomalies(const struct ft_core *core, uint32_t *count);

/**
 * What the mirror did up to the last statistics, as `line` 0, 1, ...: a sentence without its end.
 * False when there is no such line.
 */
bool ft_core_mirror_line(const struct ft_core *core, unsigned line, char *text, size_t size);

#endif
