/* SPDX-License-Identifier: BSD-3-Clause */
/* What the metrics are: a table of families, written as OpenMetrics text. Any thread. */
#ifndef METRICS_TEXT_H
#define METRICS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct figures;
struct sensor;

/** All as text, which is the caller's; NULL without memory. */
char *metrics_text(struct sensor *s, size_t *size);

/**
 * The i-th family, if it is one number of the sensor: its name without fieldtap_, else NULL. False
 * behind the last.
 */
bool metrics_single(const struct figures *figures, unsigned i, const char **name, uint64_t *value);

#endif
