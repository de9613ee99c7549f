/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a machine has for live capture, and what is wrong with it: read from sysfs and procfs,
 * nothing is changed.
 */
#ifndef DOCTOR_H
#define DOCTOR_H

#include "core_map.h"

/** Told of each finding: a sentence that begins with what it is about; is_wrong: with what to do.
 */
typedef void doctor_fn(void *user, bool is_wrong, const char *text);

/**
 * Look at everything. `root` is "" but in tests; `megabytes` is what packets need of hugepages.
 * Returns the number of findings that are wrong.
 */
unsigned doctor_examine(const char *root, const struct options *o, uint32_t megabytes,
                        doctor_fn *tell, void *user);

/** --doctor: one line each. Returns as doctor_examine(). */
unsigned doctor_print(FILE *to, const char *root, const struct options *o, uint32_t megabytes);

#endif
