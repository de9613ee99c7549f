/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rules for the benchmark, as operators and public rule sets of industrial networks write them,
 * about the plant whose traffic the benchmark generates: a quarter of the controllers that they
 * name are in the traffic, with the same protocols, ports and commands. Yet none holds, but those
 * that are to.
 */
#ifndef BENCH_RULES_MADE_H
#define BENCH_RULES_MADE_H

#include <stdbool.h>
#include <stdint.h>

enum bench_rules {
    BENCH_RULES_MIXED = 0, /**< fields, commands, addresses; content bound to ports, protocols */
    BENCH_RULES_HITTING,   /**< the same, and ten more that hold for about 1 % of messages */
    BENCH_RULES_CONTENT,   /**< content of any payload */
};

/** Write a rule file with `count` rules; the same each time. False when it cannot be written. */
bool bench_rules_write(const char *path, enum bench_rules kind, uint32_t count);

#endif
