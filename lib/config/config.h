/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The configuration file: JSON, read once at start.
 *
 * Unknown keys and wrong values are errors that name file, line, column, key, what is wrong and
 * what would be right; a misspelled key gets the nearest valid one as a suggestion. All errors of a
 * file are told, not only the first.
 */
#ifndef FT_CONFIG_H
#define FT_CONFIG_H

#include "base/locate.h"
#include "config/journal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define FT_CONFIG_PLUGINS  64u
#define FT_CONFIG_BINDINGS 1024u
#define FT_CONFIG_PORTS    32u
#define FT_CONFIG_RULES    64u
#define FT_CONFIG_CPUS     128u
#define FT_CONFIG_NO_CPU   UINT32_MAX

/** bindings{}: a port given to a protocol. The name is checked when the dissectors are known. */
struct ft_config_binding {
    const char *protocol;
    uint16_t port;
    bool is_udp;
    uint32_t line, column; /**< of the value, for errors found later */
};

/** decode.duplicates: what becomes of packets that a mirror delivers twice. */
enum ft_config_duplicates {
    FT_CONFIG_DUPLICATES_LIVE = 0, /**< "live", default: dropped live, kept of captures */
    FT_CONFIG_DUPLICATES_DROP,     /**< "drop" */
    FT_CONFIG_DUPLICATES_KEEP,     /**< "keep" */
};

/** evidence.enabled: when packets of alerts are kept. */
enum ft_config_evidence {
    FT_CONFIG_EVIDENCE_LIVE = 0, /**< "live", default */
    FT_CONFIG_EVIDENCE_ON,       /**< "on": of captures too */
    FT_CONFIG_EVIDENCE_OFF,      /**< "off" */
};

struct ft_config {
    const char *sensor_name;    /**< sensor.name, default "fieldtap" */
    const char *sensor_site;    /**< sensor.site, default "" */
    const char *sensor_address; /**< sensor.address, default "" */
    const char *sensor_zone;    /**< sensor.zone, default "" */
    uint32_t max_flows;         /**< flow.max_flows, default 1048576 */
    uint32_t tcp_new_s, tcp_established_s, tcp_ot_s, tcp_closed_s, udp_s, udp_ot_s, other_s;
    uint64_t stats_interval;      /**< stats.interval, seconds, default 60 */
    bool log_secrets;             /**< output.log_secrets, default false */
    bool arkime_addresses;        /**< output.arkime_addresses: 0.0.0.0 in events without IP */
    bool checksum_drop;           /**< decode.checksum: "accept" (default) or "drop" */
    bool vlan_in_flow_key;        /**< decode.vlan_in_flow_key, default false */
    uint32_t duplicates;          /**< decode.duplicates: enum ft_config_duplicates */
    uint32_t duplicate_window_us; /**< decode.duplicate_window_us, default 2000 */
    uint32_t evidence;            /**< evidence.enabled: enum ft_config_evidence */
    const char *evidence_folder;  /**< evidence.folder, default "" = beside eve.json */
    uint32_t evidence_severity;   /**< evidence.minimum_severity: enum ft_severity - 1, default 3 */
    uint32_t evidence_memory;     /**< evidence.memory: MiB, default 64 */
    uint32_t evidence_snap_length;                /**< evidence.snap_length, default 4096 */
    uint32_t evidence_before_s, evidence_after_s; /**< evidence.before_seconds, default 30; 10 */
    uint32_t evidence_packets, evidence_bytes;    /**< of an alert, default 200; 256 KiB */
    uint64_t evidence_total;                      /**< evidence.total_bytes, default 1 GiB */
    uint32_t evidence_days;                       /**< evidence.max_days, default 90 */
    const char *filter;    /**< capture.filter, default "" = everything passes */
    uint32_t ring;         /**< capture.ring: MiB of kernel memory for each -i, default 64 */
    uint32_t silence_s;    /**< capture.silence: seconds without a packet, default 60 */
    bool waits;            /**< capture.wait: an interface need not exist at start */
    uint32_t descriptors;  /**< capture.descriptors: packets that a queue of a --port holds */
    uint32_t ring_packets; /**< cores.ring: packets that wait for a worker, 0 = computed */
    uint32_t workers;      /**< cores.workers: a number, default 0 = from the machine */
    uint32_t worker_cpus[FT_CONFIG_CPUS]; /**< cores.workers: a list, each worker's CPU */
    uint32_t worker_cpu_count;            /**< then `workers` too; 0 = they run anywhere */
    uint32_t alerting_cpu;                /**< cores.alerting, default FT_CONFIG_NO_CPU */
    const char *ports[FT_CONFIG_PORTS];   /**< ports[]: devices of DPDK */
    uint32_t port_count;
    const char *interfaces[FT_CONFIG_PORTS]; /**< interfaces[]: "eth1", a TAP's "eth1,eth2" */
    uint32_t interface_count;
    const char *user; /**< service.user, default "": who starts it */
    uint32_t seccomp; /**< service.seccomp: "on" (default), "log", "off" */
    bool core_dumps;  /**< service.core_dumps, default false */
    const char *plugins[FT_CONFIG_PLUGINS];
    uint32_t plugin_count;
    bool leaves_out_built_in; /**< alerts.built_in_rules, default true: then this is false */
    const char *rules[FT_CONFIG_RULES]; /**< rules[]: files and folders of rules */
    uint32_t rule_count;
    const char *control_socket; /**< control.socket: "" = the default of live runs, "none" */
    const char *control_mode;   /**< control.mode, octal, default "0660" */
    const char *control_group;  /**< control.group, default "" = the sensor's own */
    const char *metrics_listen; /**< metrics.listen: ADDRESS:PORT, "" = none */
    const char *metrics_file;   /**< metrics.file: "" = none */
    bool metrics_telemetry;     /**< metrics.telemetry: counters by DPDK's telemetry socket */
    struct ft_config_binding bindings[FT_CONFIG_BINDINGS];
    uint32_t binding_count;
    struct ft_config_journal journal;
    bool has_outputs;          /**< outputs[] has some: drivers/output reads them */
    struct ft_place filter_at; /**< where capture.filter stands, line 0 = nowhere */
    struct ft_place control_mode_at, control_group_at, metrics_listen_at, user_at; /**< likewise */
    struct ft_place sensor_address_at;                                             /**< likewise */
    struct ft_place plugins_at[FT_CONFIG_PLUGINS]; /**< for errors that come when they are used */
    void *private_;                                /**< owns the strings */
};

/** The defaults named above. */
void ft_config_init(struct ft_config *config);

/** Read a file over the defaults. False and one line per error in `error` when anything is wrong.
 */
bool ft_config_read(struct ft_config *config, const char *file, char *error, size_t error_size);

/** Print every key: name, values, meaning, default; columns two blanks apart. */
void ft_config_describe(FILE *to);

/** Free what the configuration owns. */
void ft_config_free(struct ft_config *config);

#endif
