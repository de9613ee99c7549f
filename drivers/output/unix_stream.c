/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sink `unix_stream`: a socket of the sensor's own that programs of this machine connect to and
 * read lines from. Live: a reader gets what comes from then on, or, when the first thing it says is
 * the line {"from":N}, all that the journal has from sequence N. There is no cursor; a reader that
 * wants to go on remembers the number in the last event_uid.
 *
 * The socket is made once, before the sensor gives up its rights, which its group may take; SIGHUP
 * leaves it alone.
 *
 * Each reader has a reader of the journal of its own. One that takes nothing for slow_ms while
 * something waits for it is dropped, and counted.
 */
#include "base/local_socket.h"
#include "output/internal.h"
#include "output/kinds.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define READERS_MAX 64u
#define ROOM        (256u << 10)
#define BODY_SIZE   (FT_JOURNAL_RECORD_MAX + 1024u)
#define HELLO_MS    250u /* within which a reader says where it wants to begin */
#define TURN        256u /* records for one reader before the next has its turn */

struct reader {
    int fd;
    struct ft_journal_reader *journal;
    uint64_t hello_until; /* 0: it is being served */
    uint64_t taken_ms;    /* when it last took something, or nothing waited */
    uint32_t hello_length, begin, end;
    char hello[64];
    char room[ROOM];
};

struct stream {
    const char *path, *group;
    uint32_t mode, max_readers, slow_ms;
    struct sockaddr_un at;
    int fd;
    uint32_t count;
    struct reader *readers[READERS_MAX];
};

/* clang-format off */
#define AT(member) offsetof(struct stream, member)
static const struct ft_sink_key keys[] = {
    {.name = "path", .kind = FT_SINK_KEY_TEXT, .is_required = true, .is_destination = true, .low = 1, .high = 107,
     .offset = AT(path), .standard = "none", .meaning = "the socket that the sensor makes"},
    {.name = "mode", .kind = FT_SINK_KEY_MODE, .offset = AT(mode), .standard = "\"0660\"",
     .meaning = "permissions of the socket"},
    {.name = "group", .kind = FT_SINK_KEY_TEXT, .low = 1, .high = 64, .offset = AT(group),
     .standard = "the sensor's", .meaning = "group of the socket"},
    {.name = "readers", .kind = FT_SINK_KEY_NUMBER, .low = 1, .high = READERS_MAX,
     .offset = AT(max_readers), .standard = "8", .meaning = "programs that may read at a time"},
    {.name = "slow_ms", .kind = FT_SINK_KEY_NUMBER, .low = 100, .high = 600000,
     .offset = AT(slow_ms), .standard = "5000",
     .meaning = "milliseconds after which a reader is dropped that takes nothing"},
};
/* clang-format on */

static void stream_init(void *state)
{
    struct stream *t = state;
    t->fd = -1;
    t->mode = 0660;
    t->max_readers = 8;
    t->slow_ms = 5000;
}

static void stream_check(struct ft_sink_reading *r, struct ft_sink *sink, void *state)
{
    struct stream *t = state;
    t->at.sun_family = AF_UNIX;
    if (!ft_sink_path(sink, t->path, t->at.sun_path, sizeof(t->at.sun_path)))
        ft_sink_wrong(r, "path", "expected a path of at most %zu bytes, the folder included",
                      sizeof(t->at.sun_path) - 1);
    const struct group *g = t->group ? getgrnam(t->group) : NULL;
    if (t->group && !g)
        ft_sink_wrong(r, "group", "there is no group \"%s\"", t->group);
    else if (g && !ft_local_socket_may_give(g->gr_gid))
        ft_sink_wrong(r, "group",
                      "only root and members of the group \"%s\" can give it a socket: start as "
                      "root (--user), or add this user to the group",
                      t->group);
}

static void stream_target(const struct ft_sink *sink, const void *state, char *to, size_t size)
{
    const struct stream *t = state;
    (void)sink;
    snprintf(to, size, "unix:%s", t->at.sun_path);
}

/* ---- the socket ---- */

static bool stream_listen(struct ft_sink *sink, void *state, uid_t owner, gid_t group)
{
    struct stream *t = state;
    const struct group *g = t->group ? getgrnam(t->group) : NULL;
    struct ft_local_socket what = {.path = t->at.sun_path,
                                   .mode = t->mode,
                                   .owner = owner,
                                   .group = g ? g->gr_gid : group,
                                   .backlog = 16};
    if (t->fd >= 0)
        return true;
    t->fd = ft_local_socket_listen(&what);
    return t->fd >= 0 || ft_sink_fail(sink, "%s: %s", t->at.sun_path, ft_local_socket_error(errno));
}

/* ---- readers ---- */

static void count_readers(struct ft_sink *sink, const struct stream *t, uint32_t dropped)
{
    pthread_mutex_lock(&sink->lock);
    sink->stats.readers = t->count;
    sink->stats.dropped += dropped;
    pthread_mutex_unlock(&sink->lock);
}

static void end_reader(struct ft_sink *sink, struct stream *t, uint32_t i, bool is_dropped)
{
    struct reader *r = t->readers[i];
    close(r->fd);
    if (r->journal)
        ft_journal_reader_close(r->journal);
    free(r);
    t->readers[i] = t->readers[--t->count];
    count_readers(sink, t, is_dropped);
    if (is_dropped) {
        ft_sink_fail(sink, "a reader took nothing for %u ms and was dropped", t->slow_ms);
        ft_sink_note_failure(sink);
        ft_sink_tell(sink, FT_SINK_NOTICE_DROPPED, 1,
                     "A reader of the sink %s took nothing for %u ms and was dropped.", sink->name,
                     t->slow_ms);
    }
}

static bool open_journal(struct ft_sink *sink, struct reader *r, bool has_start, uint64_t from)
{
    struct ft_journal_reader_options where = {.start = has_start ? FT_JOURNAL_START_SEQUENCE
                                                                 : FT_JOURNAL_START_NEWEST,
                                              .start_sequence = from};
    if (r->journal)
        ft_journal_reader_close(r->journal);
    r->journal = ft_journal_reader_open(sink->journal, &where, sink->error, sizeof(sink->error));
    return r->journal != NULL;
}

/* Live begins with the connecting, although the reader may still ask for more. */
static void add_reader(struct ft_sink *sink, struct stream *t)
{
    int fd = accept4(t->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    struct reader *r = t->count < t->max_readers ? calloc(1, sizeof(*r)) : NULL;
    if (!r || !open_journal(sink, r, false, 0)) {
        free(r);
        close(fd);
        if (!r)
            ft_sink_fail(sink, "more than %u readers", t->max_readers);
        ft_sink_note_failure(sink);
        return;
    }
    r->fd = fd;
    r->taken_ms = ft_sink_now_ms();
    r->hello_until = r->taken_ms + HELLO_MS;
    t->readers[t->count++] = r;
    pthread_mutex_lock(&sink->lock);
    sink->stats.connected++;
    pthread_mutex_unlock(&sink->lock);
    count_readers(sink, t, 0);
}

/* {"from":N} */
static bool read_start(const char *line, uint64_t *from)
{
    json_t *hello = json_loads(line, 0, NULL);
    const json_t *value = json_object_get(hello, "from");
    json_int_t n = json_integer_value(value);
    bool ok = json_is_integer(value) && n >= 0;
    *from = ok ? (uint64_t)n : 0;
    json_decref(hello);
    return ok;
}

/* What the reader says: where to begin, if it is the first; else nothing that matters. False: it is
 * gone, or says what nobody understands. */
static bool listen_to(struct ft_sink *sink, struct reader *r)
{
    char ignored[256];
    bool is_hello = r->hello_until != 0;
    uint32_t room = (uint32_t)sizeof(r->hello) - 1 - r->hello_length;
    ssize_t n = is_hello ? recv(r->fd, r->hello + r->hello_length, room, 0)
                         : recv(r->fd, ignored, sizeof(ignored), 0);
    if (n <= 0)
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    if (!is_hello)
        return true;
    r->hello_length += (uint32_t)n;
    r->hello[r->hello_length] = 0;
    uint64_t from;
    if (!strchr(r->hello, '\n'))
        return r->hello_length < sizeof(r->hello) - 1;
    r->hello_until = 0;
    return read_start(r->hello, &from) && open_journal(sink, r, true, from);
}

static void add_line(struct ft_sink *sink, struct reader *r, const char *line, uint32_t length,
                     bool is_own)
{
    struct ft_sink_record record = {.is_own = is_own};
    while (length && line[length - 1] == '\n')
        length--;
    ft_forward_event_skim(&record.event, line, length);
    bool is_wanted = is_own || ft_sink_filter_passes(&sink->filter, &record.event);
    uint32_t n = is_wanted ? ft_sink_body(sink, &record, r->room + r->end, BODY_SIZE - 1) : 0;
    ft_forward_event_free(&record.event);
    if (n)
        r->room[r->end + n] = '\n';
    r->end += n ? n + 1 : 0;
    pthread_mutex_lock(&sink->lock);
    sink->stats.sent += n > 0;
    sink->stats.filtered += !is_wanted;
    sink->stats.refused += is_wanted && !n;
    pthread_mutex_unlock(&sink->lock);
}

static void add_gap(struct ft_sink *sink, struct reader *r, const struct ft_journal_item *gap)
{
    char line[FT_SINK_LINE_SIZE];
    add_line(sink, r, line, ft_sink_line_gap(sink, gap, line), true);
    pthread_mutex_lock(&sink->lock);
    sink->stats.missed += gap->count;
    pthread_mutex_unlock(&sink->lock);
}

static bool has_room(const struct reader *r)
{
    return ROOM - r->end >= BODY_SIZE;
}

static void make_room(struct reader *r)
{
    if (r->begin == r->end) {
        r->begin = r->end = 0;
    } else if (r->begin > ROOM / 2) {
        memmove(r->room, r->room + r->begin, r->end - r->begin);
        r->end -= r->begin;
        r->begin = 0;
    }
}

/* From the journal into the reader's room. True: there may be more. */
static bool fill(struct ft_sink *sink, struct reader *r)
{
    struct ft_journal_item item;
    for (uint32_t i = 0; i < TURN && has_room(r); i++) {
        ft_journal_reader_next(r->journal, &item, 0);
        if (item.kind == FT_JOURNAL_RECORD)
            add_line(sink, r, (const char *)item.bytes, item.length, false);
        else if (item.kind == FT_JOURNAL_GAP)
            add_gap(sink, r, &item);
        else
            return false;
    }
    return true;
}

/* False: it is gone, or too slow. */
static bool drain(struct ft_sink *sink, const struct stream *t, struct reader *r, bool *is_slow)
{
    uint64_t now = ft_sink_now_ms();
    while (r->begin < r->end) {
        ssize_t n = send(r->fd, r->room + r->begin, r->end - r->begin, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            return false;
        if (n < 0)
            break;
        r->begin += (uint32_t)n;
        r->taken_ms = now;
        pthread_mutex_lock(&sink->lock);
        sink->stats.bytes += (uint64_t)n;
        pthread_mutex_unlock(&sink->lock);
    }
    if (r->begin == r->end)
        r->taken_ms = now;
    *is_slow = now - r->taken_ms > t->slow_ms;
    return !*is_slow;
}

/* One turn for one reader. 0: gone; 1: nothing to do; 2: there is more. */
static int serve_one(struct ft_sink *sink, struct stream *t, struct reader *r, short events,
                     bool *is_slow)
{
    if (events & (POLLIN | POLLHUP | POLLERR) && !listen_to(sink, r))
        return 0;
    if (r->hello_until && ft_sink_now_ms() < r->hello_until)
        return 1;
    r->hello_until = 0;
    make_room(r);
    bool has_more = fill(sink, r);
    if (!drain(sink, t, r, is_slow))
        return 0;
    make_room(r); /* what the journal has more is not to be waited for now that there is room */
    return has_more && has_room(r) ? 2 : 1;
}

static void answer_test(struct ft_sink *sink, struct stream *t)
{
    char line[FT_SINK_LINE_SIZE], text[128];
    uint32_t length = ft_sink_line_test(sink, line), told = 0;
    if (!ft_sink_take_test(sink))
        return;
    for (uint32_t i = 0; i < t->count; i++) {
        make_room(t->readers[i]);
        if (!has_room(t->readers[i]))
            continue;
        add_line(sink, t->readers[i], line, length, true);
        told++;
    }
    snprintf(text, sizeof(text), "The test event was sent to %u reader%s of %.60s.", told,
             told == 1 ? "" : "s", sink->name);
    ft_sink_end_test(sink, told > 0, told ? text : "Nobody is connected.");
}

/* Wait until somebody connects, says or takes something, or the journal may have more. */
static void wait_for_all(struct ft_sink *sink, struct stream *t, struct pollfd *p, bool is_busy)
{
    uint64_t ignored;
    p[0] = (struct pollfd){sink->wake_fd, POLLIN, 0};
    p[1] = (struct pollfd){t->fd, POLLIN, 0};
    for (uint32_t i = 0; i < t->count; i++) {
        const struct reader *r = t->readers[i];
        p[2 + i] = (struct pollfd){r->fd, (short)(POLLIN | (r->begin < r->end ? POLLOUT : 0)), 0};
    }
    if (poll(p, 2 + t->count, is_busy ? 0 : t->count ? 20 : 500) < 0)
        for (uint32_t i = 0; i < 2 + t->count; i++)
            p[i].revents = 0;
    if (p[0].revents && read(sink->wake_fd, &ignored, sizeof(ignored)) < 0)
        errno = 0; /* another one had it */
}

static void stream_serve(struct ft_sink *sink, void *state)
{
    struct stream *t = state;
    struct pollfd p[2 + READERS_MAX];
    bool is_busy = false, has_all = false;
    while (!ft_sink_is_over(sink) && !(has_all && ft_sink_is_stopping(sink))) {
        uint32_t before = t->count;
        has_all = ft_sink_is_stopping(sink);
        wait_for_all(sink, t, p, is_busy || has_all);
        answer_test(sink, t);
        is_busy = false;
        for (uint32_t i = before; i-- > 0;) {
            bool is_slow = false;
            int turn = serve_one(sink, t, t->readers[i], p[2 + i].revents, &is_slow);
            is_busy = is_busy || turn == 2;
            has_all = has_all && turn != 2 && t->readers[i]->begin == t->readers[i]->end;
            if (!turn)
                end_reader(sink, t, i, is_slow);
        }
        if (p[1].revents & POLLIN && !ft_sink_is_stopping(sink))
            add_reader(sink, t);
    }
    while (t->count)
        end_reader(sink, t, t->count - 1, false);
}

static void stream_close(struct ft_sink *sink, void *state)
{
    struct stream *t = state;
    (void)sink;
    if (t->fd < 0)
        return;
    close(t->fd);
    unlink(t->at.sun_path);
    t->fd = -1;
}

const struct ft_sink_kind ft_sink_unix_stream = {
    .name = "unix_stream",
    .meaning = "lines to programs of this machine that connect to a socket",
    .state_size = sizeof(struct stream),
    .keys = keys,
    .key_count = sizeof(keys) / sizeof(keys[0]),
    .has_body = true,
    .batch = 1,
    .init = stream_init,
    .check_settings = stream_check,
    .target = stream_target,
    .close = stream_close,
    .listen = stream_listen,
    .serve = stream_serve,
};
