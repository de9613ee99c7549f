/* SPDX-License-Identifier: BSD-3-Clause */
/* A clock of the system as one number. */
#ifndef FT_CLOCK_NS_H
#define FT_CLOCK_NS_H

#include <stdint.h>
#include <time.h>

/** Nanoseconds of CLOCK_REALTIME, CLOCK_MONOTONIC, ...; no system call: the kernel's page does it.
 */
static inline uint64_t ft_clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

#endif
