/* SPDX-License-Identifier: BSD-3-Clause */
/* A disk that hangs or is slow, for tests: loaded before libc, it lets no sync of data return while
 * the file that FIELDTAP_TEST_HANG names is there, and each takes FIELDTAP_TEST_SLOW_MS more. With
 * FIELDTAP_TEST_DISK only files whose path begins with it are on that disk. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool is_on_disk(int fd)
{
    char name[32], path[4096] = "";
    const char *disk = getenv("FIELDTAP_TEST_DISK");
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    return !disk ||
           (readlink(name, path, sizeof(path) - 1) > 0 && strncmp(path, disk, strlen(disk)) == 0);
}

int fdatasync(int fd)
{
    const char *file = getenv("FIELDTAP_TEST_HANG"), *slow = getenv("FIELDTAP_TEST_SLOW_MS");
    bool is_on = is_on_disk(fd);
    while (is_on && file && access(file, F_OK) == 0)
        usleep(50000);
    if (is_on && slow)
        usleep((useconds_t)strtoul(slow, NULL, 10) * 1000);
    return (int)syscall(SYS_fdatasync, fd);
}
