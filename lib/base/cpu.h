/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Builds are for a processor (meson option cpu). On an older one they would die of an unknown
 * instruction, without a word; so the program asks first.
 */
#ifndef FT_CPU_H
#define FT_CPU_H

/** Name of a group of instructions that this build uses and this processor lacks; NULL = none. */
const char *ft_cpu_missing(void);

#endif
