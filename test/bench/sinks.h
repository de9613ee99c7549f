/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a sensor has beside its workers: a journal that lines come to, and a sink that reads it,
 * whose receiver is away or takes nothing. All of its threads run where the calling one may.
 */
#ifndef BENCH_SINKS_H
#define BENCH_SINKS_H

#include <stdbool.h>

enum bench_sink {
    BENCH_SINK_NONE,    /**< the journal only */
    BENCH_SINK_DEAD,    /**< nobody listens where it connects to, ten times a second */
    BENCH_SINK_BLOCKED, /**< it is connected to somebody who never reads */
    BENCH_SINK_KINDS,
};

struct bench_sinks;

/** NULL after saying what is wrong. */
struct bench_sinks *bench_sinks_begin(enum bench_sink kind);

/** False when it did not do what it should: lines that the journal lost, a receiver that took all,
 * a sink that did not try. NULL is allowed. */
bool bench_sinks_end(struct bench_sinks *sinks);

#endif
