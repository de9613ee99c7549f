/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sink `unix_datagram`: each event a datagram to the socket of a receiver on this machine.
 *
 * The kernel knows what the receiver has not read yet, so a record counts as delivered when it is
 * read. A receiver that ends drops what it had not read without a word; whether it is still there
 * is asked by connecting once more.
 */
#include "output/kinds.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/sockios.h>

struct datagram {
    const char *path;
    uint32_t max_message;
    struct sockaddr_un to;
    int fd;
    struct stat seen; /* the socket that was connected to */
    uint64_t written;
    char *room;
};

/* clang-format off */
#define AT(member) offsetof(struct datagram, member)
static const struct ft_sink_key keys[] = {
    {.name = "path", .kind = FT_SINK_KEY_TEXT, .is_required = true, .is_destination = true, .low = 1, .high = 107,
     .offset = AT(path), .standard = "none", .meaning = "the receiver's socket"},
    {.name = "max_message", .kind = FT_SINK_KEY_NUMBER, .low = 1024, .high = 65536,
     .offset = AT(max_message), .standard = "65536", .meaning = "bytes of a datagram, at most"},
};
/* clang-format on */

static void datagram_init(void *state)
{
    struct datagram *d = state;
    d->fd = -1;
    d->max_message = 65536;
}

static void datagram_check(struct ft_sink_reading *r, struct ft_sink *sink, void *state)
{
    struct datagram *d = state;
    d->to.sun_family = AF_UNIX;
    if (!ft_sink_path(sink, d->path, d->to.sun_path, sizeof(d->to.sun_path)))
        ft_sink_wrong(r, "path", "expected a path of at most %zu bytes, the folder included",
                      sizeof(d->to.sun_path) - 1);
}

static void datagram_target(const struct ft_sink *sink, const void *state, char *to, size_t size)
{
    const struct datagram *d = state;
    (void)sink;
    snprintf(to, size, "unix-datagram:%s", d->to.sun_path);
}

static int connect_once(const struct datagram *d)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&d->to, sizeof(d->to)) < 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static bool datagram_open(struct ft_sink *sink, void *state)
{
    struct datagram *d = state;
    int room = 4 << 20;
    if (!d->room && !(d->room = malloc(d->max_message)))
        return ft_sink_fail(sink, "out of memory");
    d->written = 0;
    d->fd = connect_once(d);
    if (d->fd < 0 || stat(d->to.sun_path, &d->seen) < 0)
        return ft_sink_fail(sink, "%s: %s", d->to.sun_path, strerror(errno));
    if (setsockopt(d->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)) < 0)
        errno = 0; /* fewer datagrams wait then */
    return true;
}

static void datagram_close(struct ft_sink *sink, void *state)
{
    struct datagram *d = state;
    (void)sink;
    if (d->fd >= 0)
        close(d->fd);
    d->fd = -1;
}

static bool send_one(struct ft_sink *sink, struct datagram *d, uint32_t length)
{
    for (;;) {
        if (send(d->fd, d->room, length, MSG_NOSIGNAL) >= 0) {
            d->written += length;
            return true;
        }
        bool is_full = errno == EAGAIN || errno == ENOBUFS;
        if (is_full && ft_sink_wait(sink, d->fd, POLLOUT, 10000) != 1)
            return ft_sink_fail(sink, "%s: nobody reads it", d->to.sun_path);
        if (!is_full && errno != EINTR)
            return ft_sink_fail(sink, "%s: %s", d->to.sun_path, strerror(errno));
    }
}

static struct ft_sink_sent datagram_send(struct ft_sink *sink, void *state,
                                         struct ft_sink_record *records, uint32_t count)
{
    struct datagram *d = state;
    struct ft_sink_sent sent = {0};
    for (; sent.done < count; sent.done++) {
        uint32_t length = ft_sink_body(sink, &records[sent.done], d->room, d->max_message);
        if (!length)
            ft_sink_fail(sink, "an event has no body of this format");
        if (length && !send_one(sink, d, length)) {
            sent.is_failed = true;
            break;
        }
        sent.refused += !length;
        sent.bytes += length;
    }
    return sent;
}

/* The number of a socket that is removed may be that of the next one. */
static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static bool datagram_look(struct ft_sink *sink, void *state, uint64_t *written, uint64_t *taken)
{
    struct datagram *d = state;
    struct stat st;
    int waiting = 0, probe = connect_once(d), error = errno;
    if (probe >= 0)
        close(probe);
    if (probe < 0 || stat(d->to.sun_path, &st) < 0)
        return ft_sink_fail(sink, "%s: %s", d->to.sun_path, strerror(error));
    if (!is_same(&st, &d->seen))
        return ft_sink_fail(sink, "%s: the receiver is another one", d->to.sun_path);
    /* what the kernel holds is counted with its own overhead, so nothing is known but all or none
     */
    *written = d->written;
    *taken = ioctl(d->fd, SIOCOUTQ, &waiting) == 0 && waiting > 0
                 ? d->written - ((uint64_t)waiting < d->written ? (uint64_t)waiting : d->written)
                 : d->written;
    return true;
}

static void datagram_free(void *state)
{
    struct datagram *d = state;
    free(d->room);
}

const struct ft_sink_kind ft_sink_unix_datagram = {
    .name = "unix_datagram",
    .meaning = "datagrams to a socket of this machine",
    .state_size = sizeof(struct datagram),
    .keys = keys,
    .key_count = sizeof(keys) / sizeof(keys[0]),
    .takes_many = true,
    .has_body = true,
    .batch = 500,
    .settle_ms = 200,
    .init = datagram_init,
    .check_settings = datagram_check,
    .target = datagram_target,
    .open = datagram_open,
    .send = datagram_send,
    .check = datagram_look,
    .close = datagram_close,
    .free = datagram_free,
};
