/* SPDX-License-Identifier: BSD-3-Clause */
/* A disk that hangs, for tests: loaded before libc, it lets no sync of data return while the file
 * that FIELDTAP_TEST_HANG names is there. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int fdatasync(int fd)
{
    const char *file = getenv("FIELDTAP_TEST_HANG");
    while (file && access(file, F_OK) == 0)
        usleep(50000);
    return (int)syscall(SYS_fdatasync, fd);
}
