/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters as OpenMetrics text (OpenMetrics 1.0.0): over HTTP on this host only, into a file, and
 * as numbers by DPDK's telemetry socket. doc/operations.md has the names.
 */
#ifndef METRICS_H
#define METRICS_H

#include <stdbool.h>
#include <stddef.h>

struct options;
struct sensor;

/** Is what the configuration says of metrics right? False after saying what is not. */
bool metrics_check(const struct options *o);

/** Take the address to serve at, before anything is begun. False and a sentence. */
bool metrics_listen(struct sensor *s, char *error, size_t error_size);

/**
 * Can the file be written by who the sensor is now? What is there stays. False and a sentence.
 */
bool metrics_try_file(struct sensor *s, char *error, size_t error_size);

/** Begin to serve and to write, where that is wished. False and a sentence when it cannot be. */
bool metrics_begin(struct sensor *s, char *error, size_t error_size);

/** End it; before anything is freed. The file keeps the last figures. */
void metrics_end(struct sensor *s);

#endif
