/* SPDX-License-Identifier: BSD-3-Clause */
/* What the command line and the configuration ask for. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "config/config.h"

#include <stdbool.h>
#include <stdint.h>

#define OPTIONS_MAX 256u

#define OPTIONS_PORTS 32u

enum options_action {
    ACTION_RUN = 0,
    ACTION_TEST,            /**< -T: read configuration and plugins, say OK */
    ACTION_VERSION,         /**< -V */
    ACTION_HELP,            /**< -h */
    ACTION_LIST_PROTOCOLS,  /**< --list-protocols */
    ACTION_DESCRIBE,        /**< --describe PROTOCOL */
    ACTION_DESCRIBE_CONFIG, /**< --describe-config */
    ACTION_PRINT_CORE_MAP,  /**< --print-core-map */
    ACTION_DOCTOR,          /**< --doctor */
    ACTION_CHECK_RULES,     /**< --check-rules */
    ACTION_EXPLAIN,         /**< --explain ID */
    ACTION_LIST_KEYWORDS,   /**< --list-keywords */
    ACTION_LIST_FORMATS,    /**< --list-formats */
    ACTION_READ_JOURNAL,    /**< --read-journal DIR */
};

/** -i, --tap and --port. */
struct options_port {
    char name[64];
    const char *device; /**< --port: the PCI device, or the virtual one with its arguments */
    uint16_t link;      /**< index of its link: the two ports of a --tap are one */
};

struct options {
    enum options_action action;
    const char *sources[OPTIONS_MAX]; /**< -r */
    uint32_t source_count;
    struct options_port ports[OPTIONS_PORTS];
    uint32_t port_count;
    bool is_polled;                   /**< they are ports of DPDK */
    bool has_interfaces;              /**< -i or --tap were given */
    const char *links[OPTIONS_PORTS]; /**< as in_iface names them: "eth1", "eth1,eth2" */
    uint32_t link_count;
    const char *filter;               /**< --filter, then capture.filter; NULL = none */
    const char *plugins[OPTIONS_MAX]; /**< --plugin, then plugins[] */
    uint32_t plugin_count;
    const char *rules[OPTIONS_MAX]; /**< --rules, then rules[]: files, folders */
    uint32_t rule_count;
    const char *built_in_rules; /**< folder of those that fieldtap brings; NULL: without them */
    bool has_own_rules;         /* --rules: more than those that fieldtap brings */
    uint32_t explain;           /**< --explain: id of a rule */
    const char *config_file;    /**< -c */
    const char *control_socket; /**< --control-socket, then control.socket; "" = the default */
    const char *log_dir;        /**< -l: NULL = summary only, "-" = standard output */
    const char *describe;
    const char *journal; /**< --read-journal: its folder */
    uint32_t workers;    /**< -w; 0 = from the machine */
    uint32_t loops;      /**< --loop */
    double speed;        /**< --speed; 0 = as fast as it goes */
    bool has_loop;
    bool merge;       /**< --merge */
    const char *user; /**< --user; NULL = service.user, or nobody else */
    uint32_t seccomp; /**< --seccomp: enum syscalls_mode, if has_seccomp */
    bool has_seccomp;
    bool quiet;                          /**< -q */
    uint32_t verbose;                    /**< -v */
    bool log_messages, log_transactions; /**< --log */
    uint64_t stats_interval;             /**< seconds of packet time, 0 = only at the end */
    bool miscounts;                      /**< a test: book one packet too many */
    bool misleads;                       /**< a test: ports claim to spread packets by addresses */
    struct ft_config config;
};

/**
 * Read the command line and the configuration file it names. Returns false after saying on standard
 * error what is wrong and what would be right (exit code 2).
 */
bool options_read(struct options *o, int argc, char **argv);
void options_free(struct options *o);

/** Is one of the ports a NIC that DPDK drives, and no virtual device? */
bool options_have_nic(const struct options *o);

void options_help(void);

/** Say what is wrong with a value of the configuration: FILE:LINE:COLUMN: and the sentence, which
 * begins with the key. False. */
__attribute__((format(printf, 3, 4))) bool options_wrong_at(const struct options *o,
                                                            struct ft_place at, const char *format,
                                                            ...);

#endif
