/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Does everything go on? While the sensor listens, and while it stops.
 *
 * Listening: the service manager's watchdog is fed by the alerting loop, and only when each worker
 * and the reader have begun another turn since the last time. Stopping: a service has five seconds
 * from SIGTERM; what is not done shortly before is told and left.
 */
#ifndef WATCHDOG_H
#define WATCHDOG_H

#include <stdbool.h>

struct sensor;

/** Everything is up: tell the service manager, begin to watch. False when no thread can be made. */
bool watchdog_begin(struct sensor *s);

/** By the alerting loop, a few times a second. */
void watchdog_look(struct sensor *s);

/** From a signal handler: SIGTERM came. */
void watchdog_stop(void);

/** All is written, and this is the exit code. What is still going on, ports that the kernel closes
 * and rules that are compiled, is not worth more than the time that there is: behind it the process
 * ends without it. */
void watchdog_all_is_written(int code);

/** The process ends in order. */
void watchdog_end(void);

#endif
