/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a service manager is told, by the protocol of sd_notify(3): datagrams to the socket that
 * $NOTIFY_SOCKET names. Without one nothing is told. Never waits.
 */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <stdint.h>

/** Open the socket, before the sensor is confined. */
void notify_open(void);

/** Tell lines such as "READY=1\nSTATUS=...". Any thread. */
__attribute__((format(printf, 1, 2))) void notify(const char *format, ...);

/** A reload begins, or one has ended; several at once are one to the service manager. Any thread.
 */
void notify_reload(void);
void notify_reloaded(void);

/** Nanoseconds within which the watchdog wants to be fed, 0: there is none for this process. */
uint64_t notify_watchdog_ns(void);

#endif
