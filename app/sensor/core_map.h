/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which CPU does what: what the machine has, read from sysfs, and a proposal. Nothing is changed.
 */
#ifndef CORE_MAP_H
#define CORE_MAP_H

#include "options.h"

#include <sched.h>
#include <stdio.h>

#define CORE_MAP_CPUS  1024u
#define CORE_MAP_NODES 8u

/** What sysfs says of the CPUs that this process may use. */
struct core_map_machine {
    uint32_t count;
    struct core_map_cpu {
        uint32_t cpu;
        int node;         /**< NUMA node, -1 = unknown */
        uint32_t sibling; /**< least CPU of the same core */
        bool is_isolated;
    } cpus[CORE_MAP_CPUS];
};

/** Which CPUs to take. */
struct core_map {
    uint32_t workers[FT_CONFIG_CPUS];
    uint32_t worker_count;
    uint32_t alerting;
    bool has_alerting; /**< false: it shares the CPU that is left for everything else */
};

/** The CPUs that threads of this process may be put on: its own, and isolated ones. */
void core_map_cpus(cpu_set_t *to);

/** Read the machine. `root` is "" but in tests. */
void core_map_read(struct core_map_machine *m, const char *root);

/** NUMA node of a CPU, of a PCI device ("0000:3b:00.0"), of a port of the options; -1 = none or not
 * known. */
int core_map_node_of_cpu(const char *root, uint32_t cpu);
int core_map_node_of_pci(const char *root, const char *device);
int core_map_node_of_port(const char *root, const struct options *o, uint32_t port);

/** Hugepages of a size ("2048kB") in a state ("free", "resv"; by node only "free"); node -1: all.
 */
unsigned long core_map_hugepages(const char *root, int node, const char *size, const char *state);

/**
 * Propose: one thread of each core, on node `node` (-1: any) as far as there are some, isolated
 * ones if there are; the first CPU is left for everything else. `wanted` workers, 0 = as many as
 * fit.
 */
struct core_map core_map_propose(const struct core_map_machine *m, int node, uint32_t wanted);

/**
 * Why it cannot be known which socket a port of the options is on: it is not there, or nobody
 * tells. NULL when it can, or does not matter.
 */
const char *core_map_why_unplaced(const struct core_map_machine *m, const char *root,
                                  const struct options *o, uint32_t port);

/**
 * --print-core-map: the proposal as a part of a configuration, with the ports of DPDK that were
 * named. To `remarks` a line for each port of which it cannot be told where it is, and what was
 * assumed; for each NIC on another socket than the first; and when more workers were asked for.
 */
void core_map_print(FILE *to, FILE *remarks, const char *root, const struct options *o);

/** The map that the options have, or the one that would be proposed for them. */
struct core_map core_map_of(const struct core_map_machine *m, const char *root,
                            const struct options *o);

/** The first line of a file named as printf() does, without its end; "" and false: there is none.
 */
bool core_map_line(char *to, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Is a CPU in a list as the kernel writes it, "0-3,8"? */
bool core_map_is_listed(const char *list, uint32_t cpu);

#endif
