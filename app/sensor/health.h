/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Health that shows while a live sensor runs, whether packets come or not: interfaces on which
 * nothing is seen any more, and rings that fill up before something is lost.
 */
#ifndef HEALTH_H
#define HEALTH_H

struct sensor;

/** By the alerting loop, some times a second; it looks once a second. Cost: some loads. */
void health_watch(struct sensor *s);

#endif
