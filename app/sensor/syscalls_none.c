/* SPDX-License-Identifier: BSD-3-Clause */
/* Built without libseccomp: nothing is filtered. */
#include "syscalls.h"

#include <stdio.h>

bool syscalls_can_filter(void)
{
    return false;
}

bool syscalls_filter_process(const struct syscalls_needs *needs, char *error, size_t error_size)
{
    (void)needs;
    snprintf(error, error_size, "this fieldtap was built without libseccomp");
    return false;
}

bool syscalls_filter_worker(const struct syscalls_needs *needs, char *error, size_t error_size)
{
    return syscalls_filter_process(needs, error, error_size);
}
