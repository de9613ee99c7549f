/* SPDX-License-Identifier: BSD-3-Clause */
/* The peer of the benchmark: nDPI as a library behind a plain hash table. It classifies only. */
#ifndef BENCH_NDPI_PEER_H
#define BENCH_NDPI_PEER_H

#include "packets.h"

/** Cycles a packet over the last quarter of the list; 0 when built without nDPI. `known`: flows
 * whose protocol it named. */
double ndpi_peer_measure(const struct bench_list *list, uint32_t flows, uint32_t *known);

#endif
