/* SPDX-License-Identifier: BSD-3-Clause */
/* A connection to a receiver. */
#include "output/connection.h"
#include "output/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>

const char *ft_transport_name(uint32_t i)
{
    static const char *const names[] = {"udp", "tcp", "tls"};
    return i < 3 ? names[i] : NULL;
}

static bool fail_at(struct ft_sink *sink, const struct ft_connection *c, int error)
{
    return ft_sink_fail(sink, "%s port %u: %s", c->host, c->port, strerror(error));
}

/* A receiver that vanished without a word is noticed within half a minute. */
static void watch(int fd)
{
    int on = 1, idle = 10, interval = 5, count = 3;
    unsigned timeout = 30000;
    bool ok = !setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) &&
              !setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle)) &&
              !setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval)) &&
              !setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count)) &&
              !setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout)) &&
              !setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (!ok)
        errno = 0; /* then TCP's own time-outs tell, later */
}

static bool connect_to(struct ft_sink *sink, struct ft_connection *c,
                       const struct sockaddr_storage *to, socklen_t length)
{
    int type = c->transport == FT_TRANSPORT_UDP ? SOCK_DGRAM : SOCK_STREAM, error = 0;
    socklen_t size = sizeof(error);
    c->fd = socket(to->ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->fd < 0)
        return fail_at(sink, c, errno);
    if (connect(c->fd, (const struct sockaddr *)to, length) == 0)
        return true;
    if (errno != EINPROGRESS)
        return fail_at(sink, c, errno);
    if (ft_sink_wait(sink, c->fd, POLLOUT, c->timeout_ms) != 1)
        return ft_sink_fail(sink, "%s port %u: no answer within %u ms", c->host, c->port,
                            c->timeout_ms);
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error)
        return fail_at(sink, c, error ? error : errno);
    return true;
}

bool ft_connection_open(struct ft_sink *sink, struct ft_connection *c)
{
    struct ft_resolved to = {.count = 0};
    int type = c->transport == FT_TRANSPORT_UDP ? SOCK_DGRAM : SOCK_STREAM;
    bool ok = false;
    c->written = c->taken = 0;
    c->has_all = true;
    if (!ft_resolve(sink, c->host, c->port, type, c->timeout_ms, &to))
        return false;
    for (uint32_t i = 0; i < to.count && !ok && !ft_sink_is_over(sink); i++) {
        ft_connection_close(c);
        ok = connect_to(sink, c, &to.addresses[i], to.lengths[i]);
    }
    if (ok && type == SOCK_STREAM)
        watch(c->fd);
    if (ok && c->transport == FT_TRANSPORT_TLS)
        c->session = ft_tls_open(sink, c->fd, c->host, &c->tls, c->timeout_ms);
    return ok && (c->transport != FT_TRANSPORT_TLS || c->session);
}

static bool write_plain(struct ft_sink *sink, struct ft_connection *c, const char *bytes,
                        uint32_t length)
{
    for (uint32_t done = 0; done < length;) {
        ssize_t n = send(c->fd, bytes + done, length - done, MSG_NOSIGNAL);
        if (n >= 0) {
            done += (uint32_t)n;
            c->written += (uint64_t)n;
        } else if (errno == EAGAIN || errno == ENOBUFS) {
            if (ft_sink_wait(sink, c->fd, POLLOUT, c->timeout_ms) != 1)
                return ft_sink_fail(sink, "%s port %u takes nothing since %u ms", c->host, c->port,
                                    c->timeout_ms);
        } else if (errno != EINTR) {
            return fail_at(sink, c, errno);
        }
    }
    return true;
}

bool ft_connection_write(struct ft_sink *sink, struct ft_connection *c, const void *bytes,
                         uint32_t length)
{
    if (c->session)
        return ft_tls_write(sink, c->session, bytes, length, c->timeout_ms);
    return write_plain(sink, c, bytes, length);
}

/* Is the peer there? What it says nobody asked for; if it says more it has to wait. */
static bool look(struct ft_sink *sink, struct ft_connection *c)
{
    char ignored[4096];
    for (unsigned i = 0; i < FT_CONNECTION_READS; i++) {
        ssize_t n = recv(c->fd, ignored, sizeof(ignored), MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return true;
        if (n < 0 && errno != EINTR)
            return fail_at(sink, c, errno);
        if (n == 0 && c->transport != FT_TRANSPORT_UDP)
            return ft_sink_fail(sink, "%s port %u closed the connection", c->host, c->port);
    }
    return true;
}

/* The kernel would notice after half a minute, and has room for megabytes until then. */
static bool is_taking(struct ft_sink *sink, struct ft_connection *c, uint64_t written,
                      uint64_t taken)
{
    uint64_t now = ft_sink_now_ms();
    if (taken != c->taken || c->has_all) {
        c->taken = taken;
        c->taken_ms = now;
    }
    c->has_all = taken >= written;
    return now - c->taken_ms <= c->timeout_ms ||
           ft_sink_fail(sink, "%s port %u takes nothing since %u ms", c->host, c->port,
                        c->timeout_ms);
}

bool ft_connection_check(struct ft_sink *sink, struct ft_connection *c, uint64_t *written,
                         uint64_t *taken)
{
    int waiting = 0;
    *written = c->session ? ft_tls_written(c->session) : c->written;
    *taken = *written;
    if (c->session ? !ft_tls_look(sink, c->session) : !look(sink, c))
        return false;
    if (c->transport != FT_TRANSPORT_UDP && ioctl(c->fd, SIOCOUTQ, &waiting) == 0 && waiting > 0)
        *taken -= (uint64_t)waiting < *taken ? (uint64_t)waiting : *taken;
    return is_taking(sink, c, *written, *taken);
}

void ft_connection_close(struct ft_connection *c)
{
    if (c->session)
        ft_tls_close(c->session);
    c->session = NULL;
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}
