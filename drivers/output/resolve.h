/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses of a host, without the caller hanging where its name is looked up: getaddrinfo() cannot
 * be interrupted, so a thread of its own asks, which is left behind when time is over.
 */
#ifndef FT_RESOLVE_H
#define FT_RESOLVE_H

#include "output/sink.h"

#include <sys/socket.h>

#define FT_RESOLVE_MAX 8u

struct ft_resolved {
    struct sockaddr_storage addresses[FT_RESOLVE_MAX];
    socklen_t lengths[FT_RESOLVE_MAX];
    uint32_t count;
};

/** `type`: SOCK_STREAM, SOCK_DGRAM. False and sink->error. */
bool ft_resolve(struct ft_sink *sink, const char *host, uint32_t port, int type,
                uint32_t timeout_ms, struct ft_resolved *resolved);

#endif
