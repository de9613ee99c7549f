/* SPDX-License-Identifier: BSD-3-Clause */
/* The protocol of sd_notify(3), see notify.h. It is one datagram; a library would be more than
 * this. */
#include "notify.h"

#include "base/clock_ns.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct {
    int fd; /* valid when length is not 0 */
    struct sockaddr_un to;
    socklen_t length;
} manager;

static _Atomic uint32_t reloads;

/* A path, or a name in the abstract namespace: @ stands for its first byte. */
void notify_open(void)
{
    const char *name = getenv("NOTIFY_SOCKET");
    size_t length = name ? strlen(name) : 0;
    if (length < 2 || length >= sizeof(manager.to.sun_path) || (*name != '/' && *name != '@'))
        return;
    manager.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (manager.fd < 0)
        return;
    manager.to.sun_family = AF_UNIX;
    memcpy(manager.to.sun_path, name, length);
    if (*name == '@')
        manager.to.sun_path[0] = 0;
    manager.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

/* A manager that is being started anew misses a line; the next one reaches it. */
void notify(const char *format, ...)
{
    char text[512];
    va_list ap;
    if (!manager.length)
        return;
    va_start(ap, format);
    int n = vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    size_t length = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
    ssize_t sent = sendto(manager.fd, text, length, MSG_NOSIGNAL,
                          (const struct sockaddr *)&manager.to, manager.length);
    (void)sent;
}

void notify_reload(void)
{
    if (atomic_fetch_add(&reloads, 1) == 0)
        notify("RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=Reading rules and filter again",
               (unsigned long long)(ft_clock_ns(CLOCK_MONOTONIC) / 1000));
}

void notify_reloaded(void)
{
    if (atomic_fetch_sub(&reloads, 1) == 1)
        notify("READY=1\nSTATUS=Listening");
}

uint64_t notify_watchdog_ns(void)
{
    const char *interval = getenv("WATCHDOG_USEC"), *of = getenv("WATCHDOG_PID");
    if (!manager.length || !interval || (of && strtol(of, NULL, 10) != getpid()))
        return 0;
    return strtoull(interval, NULL, 10) * 1000;
}
