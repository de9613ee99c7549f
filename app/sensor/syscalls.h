/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The system calls that a running sensor may make, by libseccomp.
 *
 * Two lists: one for the whole process, taken when it is set up, for all threads at once; and a
 * short one for threads that read packets, on top of it. A call that is in none ends the process:
 * standard error says which thread made which call. Built without libseccomp nothing is filtered.
 */
#ifndef SYSCALLS_H
#define SYSCALLS_H

#include <stdbool.h>
#include <stddef.h>

enum syscalls_mode {
    SYSCALLS_FILTERED = 0,
    SYSCALLS_LOGGED, /**< what would end the process is allowed, and told in the kernel's log */
    SYSCALLS_FREE,
};

/** What of it depends on the run. */
struct syscalls_needs {
    enum syscalls_mode mode;
    bool polls;     /**< ports of DPDK: workers make the calls of their drivers */
    bool opens_raw; /**< such a port may be opened again: packet sockets */
    bool compiles;  /**< rules may be read again: machine code of regular expressions */
};

/** Was this built with it? */
bool syscalls_can_filter(void);

/** The list of the process, for all its threads. False and a sentence when it cannot be. */
bool syscalls_filter_process(const struct syscalls_needs *needs, char *error, size_t error_size);

/** The list of threads that read packets, for the calling one. Likewise. */
bool syscalls_filter_worker(const struct syscalls_needs *needs, char *error, size_t error_size);

#endif
