/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses of a host. */
#include "output/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Owned by the thread that asks and by who waits; the last one frees it. */
struct question {
    atomic_uint owners;
    atomic_bool is_answered;
    char host[256], port[8];
    int type, ready_fd, answer;
    struct ft_resolved resolved;
};

static void let_go(struct question *q)
{
    if (atomic_fetch_sub(&q->owners, 1) > 1)
        return;
    close(q->ready_fd);
    free(q);
}

static void *ask(void *argument)
{
    struct question *q = argument;
    struct addrinfo hints = {.ai_socktype = q->type, .ai_flags = AI_ADDRCONFIG}, *found = NULL;
    uint64_t one = 1;
    q->answer = getaddrinfo(q->host, q->port, &hints, &found);
    for (struct addrinfo *a = found; a && q->resolved.count < FT_RESOLVE_MAX; a = a->ai_next) {
        uint32_t i = q->resolved.count++;
        memcpy(&q->resolved.addresses[i], a->ai_addr, a->ai_addrlen);
        q->resolved.lengths[i] = a->ai_addrlen;
    }
    if (found)
        freeaddrinfo(found);
    atomic_store(&q->is_answered, true);
    if (write(q->ready_fd, &one, sizeof(one)) < 0)
        errno = 0; /* it cannot fail: the counter of the descriptor is zero */
    let_go(q);
    return NULL;
}

/* Addresses need nobody to be asked. */
static bool is_numeric(const char *host, const char *port, int type, struct ft_resolved *resolved)
{
    struct addrinfo hints = {.ai_socktype = type, .ai_flags = AI_NUMERICHOST}, *found = NULL;
    if (getaddrinfo(host, port, &hints, &found))
        return false;
    memcpy(&resolved->addresses[0], found->ai_addr, found->ai_addrlen);
    resolved->lengths[0] = found->ai_addrlen;
    resolved->count = 1;
    freeaddrinfo(found);
    return true;
}

static struct question *begin(struct ft_sink *sink, const char *host, const char *port, int type)
{
    struct question *q = calloc(1, sizeof(*q));
    pthread_t thread;
    if (!q)
        return NULL;
    snprintf(q->host, sizeof(q->host), "%s", host);
    snprintf(q->port, sizeof(q->port), "%s", port);
    q->type = type;
    q->ready_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    atomic_store(&q->owners, 2);
    int wrong = q->ready_fd < 0 ? errno : pthread_create(&thread, NULL, ask, q);
    if (wrong) {
        ft_sink_fail(sink, "%s cannot be looked up: %s", host, strerror(wrong));
        atomic_store(&q->owners, 1);
        let_go(q);
        return NULL;
    }
    pthread_detach(thread);
    return q;
}

bool ft_resolve(struct ft_sink *sink, const char *host, uint32_t port, int type,
                uint32_t timeout_ms, struct ft_resolved *resolved)
{
    char number[8];
    snprintf(number, sizeof(number), "%u", port & 0xffff);
    if (is_numeric(host, number, type, resolved))
        return true;
    ft_sink_fail(sink, "%s cannot be looked up: out of memory", host);
    struct question *q = begin(sink, host, number, type);
    if (!q)
        return false;
    ft_sink_wait(sink, q->ready_fd, POLLIN, timeout_ms);
    bool has_answer = atomic_load(&q->is_answered);
    if (!has_answer)
        ft_sink_fail(sink, "%s: nobody answers who its address is", host);
    else if (q->answer || !q->resolved.count)
        ft_sink_fail(sink, "%s: %s", host, gai_strerror(q->answer));
    else
        *resolved = q->resolved;
    bool ok = has_answer && !q->answer && q->resolved.count;
    let_go(q);
    return ok;
}
