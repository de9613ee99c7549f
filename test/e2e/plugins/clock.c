/* SPDX-License-Identifier: BSD-3-Clause */
/* Preloaded into the sensor: its wall clock goes wrong by as many seconds as the file that
 * FIELDTAP_TEST_CLOCK names says (a signed integer of 64 bits); the kernel's does not. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *offset;

__attribute__((constructor)) static void find_offset(void)
{
    const char *path = getenv("FIELDTAP_TEST_CLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *memory = mmap(NULL, sizeof(*offset), PROT_READ, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    offset = memory == MAP_FAILED ? NULL : memory;
}

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *t)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, t);
    if (result == 0 && clock == CLOCK_REALTIME && offset)
        t->tv_sec += *offset;
    return result;
}

/* It reads the clock by itself, in the library. */
__attribute__((visibility("default"))) time_t time(time_t *to)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (to)
        *to = now.tv_sec;
    return now.tv_sec;
}
