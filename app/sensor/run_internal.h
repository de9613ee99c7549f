/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of a run have in common: how it is put together, and how it ends. */
#ifndef RUN_INTERNAL_H
#define RUN_INTERNAL_H

#include "base/say.h"
#include "sensor.h"

/** Say what is wrong; false. */
static inline bool fail(const char *what)
{
    return ft_say("fieldtap", "%s", what);
}

/* All that return bool have said what is wrong when they return false. On the main thread. */

/* ---- signals.c ---- */

/** From here on a stop signal ends the run of `s` in order. */
void signals_catch(struct sensor *s);
/** There is no run any more. */
void signals_forget(void);

/* ---- run_dissectors.c ---- */

/** Dissectors, rules and, for a run, the recogniser. False: exit code 2. */
bool run_make_registry(struct sensor *s);

/* ---- run_make.c ---- */

/** The filter of the options, NULL without. False: exit code 2. */
bool run_make_filter(const struct sensor *s, struct ft_filter **filter);
/** DPDK, buffers, shards, workers. */
bool run_make_sensor(struct sensor *s);

/* ---- run_core.c ---- */
bool run_make_core(struct sensor *s);

/* ---- run_sources.c ---- */

/** Captures or interfaces; ports of DPDK are opened by run_open_polled(), when there are buffers.
 */
bool run_open_source(struct sensor *s);
bool run_open_polled(struct sensor *s);

/* ---- run_finish.c ---- */

/** Close the books, write what is written at the end. Returns the exit code. */
int run_finish(struct sensor *s);

#endif
