/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The server of the control socket. One thread, all sockets non-blocking: who sends half a request,
 * or takes no answer, costs a place for some seconds and nobody else anything.
 */
#include "control_internal.h"

#include "base/clock_ns.h"
#include "base/local_socket.h"
#include "base/say.h"
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <rte_log.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SECOND 1000000000ull

#define CONNECTIONS 32u

/* Half a request, or half an answer, is waited for so long; a connection without any longer. */
#define PATIENCE_NS (10 * SECOND)
#define IDLE_NS     (600 * SECOND)

/* How often is looked whether others have done what was wished, and whether the sensor ends. */
#define BUSY_MS 5
#define IDLE_MS 100

#define ANSWER_MAX (16u << 20)

struct connection {
    int fd; /* -1: free */
    struct ucred peer;
    char *in; /* FT_CONTROL_REQUEST_MAX */
    size_t used;
    char *out;
    size_t length, sent;
    uint64_t since_ns; /* of the last byte that came or went */
    bool has_job, is_last;
    struct control_job job;
};

/* ---- opening ---- */

static bool is_wished(const struct sensor *s, bool *is_named)
{
    const char *path = s->options->control_socket;
    *is_named = *path != 0;
    return *path ? strcmp(path, "none") != 0 : s->is_live;
}

static bool mode_of(const char *text, unsigned *mode)
{
    char *end;
    unsigned long n = strtoul(text, &end, 8);
    *mode = (unsigned)n;
    return *text >= '0' && *text <= '7' && !*end && n <= 0777;
}

bool control_check(const struct options *o)
{
    struct sockaddr_un a;
    unsigned mode;
    const char *group = o->config.control_group;
    bool ok = true;
    if (strlen(o->control_socket) >= sizeof(a.sun_path))
        ok = ft_say("fieldtap", "--control-socket: a path of at most %zu bytes",
                    sizeof(a.sun_path) - 1);
    if (!mode_of(o->config.control_mode, &mode))
        ok = options_wrong_at(o, o->config.control_mode_at,
                              "control.mode \"%s\": expected permissions in octal, such as "
                              "\"0660\"",
                              o->config.control_mode);
    if (*group && !getgrnam(group))
        ok =
            options_wrong_at(o, o->config.control_group_at,
                             "control.group \"%s\": there is no such group on this machine", group);
    return ok;
}

/* The folder of the default socket, which the system forgets when it restarts. */
static void make_folder(const char *path)
{
    char folder[108];
    snprintf(folder, sizeof(folder), "%s", path);
    *strrchr(folder, '/') = 0;
    if (mkdir(folder, 0755) == 0) /* else bind(2) says why */
        confine_give_path(folder);
}

static bool bind_socket(struct control *c, char *error, size_t size)
{
    const char *group = c->sensor->options->config.control_group;
    const struct group *g = *group ? getgrnam(group) : NULL;
    struct ft_local_socket what = {.path = c->path, .backlog = CONNECTIONS};
    unsigned mode = 0660;
    mode_of(c->sensor->options->config.control_mode, &mode);
    confine_user(&what.owner, &what.group);
    what.mode = mode;
    what.group = g ? g->gr_gid : what.group;
    c->listener = ft_local_socket_listen(&what);
    if (c->listener >= 0)
        return true;
    snprintf(error, size, "control socket %s: %s", c->path,
             errno == EADDRINUSE ? "another sensor has it; give each its own with "
                                   "--control-socket, or none"
                                 : ft_local_socket_error(errno));
    return false;
}

bool control_open(struct sensor *s, char *error, size_t error_size)
{
    bool is_named;
    if (!is_wished(s, &is_named))
        return true;
    struct control *c = calloc(1, sizeof(*c));
    if (!c || !control_scans_make(s)) {
        free(c);
        snprintf(error, error_size, "out of memory for the control socket");
        return false;
    }
    c->sensor = s;
    c->level = s->options->verbose ? CONTROL_LEVEL_INFO : CONTROL_LEVEL_NOTICE;
    pthread_mutex_init(&c->filter_lock, NULL);
    snprintf(c->filter, sizeof(c->filter), "%s", s->options->filter ? s->options->filter : "");
    snprintf(c->path, sizeof(c->path), "%s",
             is_named ? s->options->control_socket : FT_CONTROL_SOCKET);
    if (!is_named)
        make_folder(c->path);
    if (bind_socket(c, error, error_size)) {
        s->control = c;
        return true;
    }
    free(c);
    if (is_named)
        return false;
    if (s->options->verbose)
        fprintf(stderr, "fieldtap: %s; fieldtapctl cannot reach this run\n", error);
    return true;
}

/* ---- the log ---- */

static void log_request(const struct control *c, const struct connection *k, const char *outcome)
{
    const struct ft_control_request *r = &k->job.request;
    bool is_change = ft_control_is_change(r);
    if (atomic_load(&c->level) < (is_change ? CONTROL_LEVEL_WARNING : CONTROL_LEVEL_INFO))
        return;
    const json_t *first =
        r->of->arguments[0].name ? json_object_get(r->object, r->of->arguments[0].name) : NULL;
    char *what = first ? json_dumps(first, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;
    fprintf(stderr, "fieldtap: control: uid %u, pid %d: %s%s%.200s: %s\n", (unsigned)k->peer.uid,
            (int)k->peer.pid, r->of->name, what ? " " : "", what ? what : "", outcome);
    free(what);
}

/* ---- one connection ---- */

static void drop(struct control *c, struct connection *k)
{
    if (k->has_job)
        control_job_end(c, &k->job);
    k->has_job = false;
    close(k->fd);
    free(k->in);
    free(k->out);
    k->in = k->out = NULL;
    k->fd = -1;
    k->used = k->length = k->sent = 0;
    k->is_last = false;
}

/* Queue an object as one line. */
static void answer(struct connection *k, json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(16));
    size_t n = text ? strlen(text) : 0;
    json_decref(object);
    if (!text || n >= ANSWER_MAX) {
        free(text);
        text = strdup("{\"ok\":false,\"error\":\"the answer is too long: ask for less\"}");
        n = text ? strlen(text) : 0;
    }
    if (text)
        text[n] = '\n'; /* in the place of its zero: its length is known */
    k->out = text;
    k->length = text ? n + 1 : 0;
    k->sent = 0;
    k->since_ns = ft_clock_ns(CLOCK_MONOTONIC);
}

static void refuse(struct connection *k, const json_t *id, const char *error)
{
    json_t *o = json_object();
    if (id)
        json_object_set(o, "id", (json_t *)(uintptr_t)id);
    json_object_set_new(o, "ok", json_false());
    json_object_set_new(o, "error", json_string(error));
    answer(k, o);
}

static void finish(struct control *c, struct connection *k, enum control_outcome outcome)
{
    struct control_job *job = &k->job;
    log_request(c, k, outcome == CONTROL_DONE ? "done" : "refused");
    if (outcome == CONTROL_DONE) {
        json_t *o = json_object();
        if (job->request.id)
            json_object_set(o, "id", (json_t *)(uintptr_t)job->request.id);
        json_object_set_new(o, "ok", json_true());
        json_object_set(o, "result", job->result);
        answer(k, o);
    } else {
        refuse(k, job->request.id, job->error);
    }
    control_job_end(c, job);
    k->has_job = false;
}

static void advance(struct control *c, struct connection *k)
{
    struct control_job *job = &k->job;
    enum control_outcome outcome = control_answer(c, job);
    if (outcome == CONTROL_WAITS &&
        ft_clock_ns(CLOCK_MONOTONIC) - job->began_ns > control_patience(job)) {
        snprintf(job->error, sizeof(job->error),
                 "the sensor has not come to it in time: try again");
        outcome = CONTROL_REFUSED;
    }
    if (outcome != CONTROL_WAITS)
        finish(c, k, outcome);
}

static void begin(struct control *c, struct connection *k, const char *line, size_t length)
{
    struct control_job *job = &k->job;
    memset(job, 0, offsetof(struct control_job, error));
    job->error[0] = 0;
    job->began_ns = ft_clock_ns(CLOCK_MONOTONIC);
    if (!ft_control_read(line, length, &job->request, job->error, sizeof(job->error))) {
        refuse(k, job->request.id, job->error);
        ft_control_request_free(&job->request);
        return;
    }
    job->result = json_object();
    k->has_job = true;
    advance(c, k);
}

/* The next whole line, when there is nothing to be answered or sent before. */
static void take_lines(struct control *c, struct connection *k)
{
    while (!k->has_job && !k->out && !k->is_last) {
        char *end = memchr(k->in, '\n', k->used);
        if (!end) {
            if (k->used == FT_CONTROL_REQUEST_MAX) {
                refuse(k, NULL, "the request is too long: 65536 bytes at most");
                k->is_last = true;
            }
            return;
        }
        size_t length = (size_t)(end - k->in), taken = length + 1;
        if (length && k->in[length - 1] == '\r')
            length--;
        if (length)
            begin(c, k, k->in, length);
        memmove(k->in, end + 1, k->used - taken);
        k->used -= taken;
    }
}

/* False: the other side has gone. */
static bool receive(struct connection *k)
{
    ssize_t n = recv(k->fd, k->in + k->used, FT_CONTROL_REQUEST_MAX - k->used, 0);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    if (n == 0)
        return false;
    k->used += (size_t)n;
    k->since_ns = ft_clock_ns(CLOCK_MONOTONIC);
    return true;
}

static bool transmit(struct connection *k)
{
    ssize_t n = send(k->fd, k->out + k->sent, k->length - k->sent, MSG_NOSIGNAL);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    k->sent += (size_t)n;
    k->since_ns = ft_clock_ns(CLOCK_MONOTONIC);
    if (k->sent < k->length)
        return true;
    free(k->out);
    k->out = NULL;
    return !k->is_last;
}

static bool is_overdue(const struct connection *k)
{
    uint64_t for_ns = ft_clock_ns(CLOCK_MONOTONIC) - k->since_ns;
    return !k->has_job && for_ns > (k->out || k->used ? PATIENCE_NS : IDLE_NS);
}

/* ---- the loop ---- */

static void greet(struct connection *all, int fd)
{
    static const char full[] = "{\"ok\":false,\"error\":\"too many connections: try again\"}\n";
    socklen_t size = sizeof(struct ucred);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        struct connection *k = &all[i];
        if (k->fd >= 0 || !(k->in = malloc(FT_CONTROL_REQUEST_MAX)))
            continue;
        k->fd = fd;
        k->since_ns = ft_clock_ns(CLOCK_MONOTONIC);
        k->peer = (struct ucred){.uid = (uid_t)-1};
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &k->peer, &size);
        return;
    }
    if (send(fd, full, sizeof(full) - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    } /* it is told or not */
    close(fd);
}

/* What a connection waits for: to be written to, or to be read from. */
static short events_of(const struct connection *k)
{
    if (k->out)
        return POLLOUT;
    return k->has_job || k->used == FT_CONTROL_REQUEST_MAX ? 0 : POLLIN;
}

static void serve(struct control *c, struct connection *k, short happened)
{
    bool stays = !(happened & (POLLERR | POLLNVAL));
    if (happened & POLLHUP && !(happened & POLLIN))
        stays = false;
    if (stays && happened & POLLIN)
        stays = receive(k);
    if (stays && happened & POLLOUT)
        stays = transmit(k);
    if (stays && k->has_job)
        advance(c, k);
    if (stays)
        take_lines(c, k);
    if (!stays || is_overdue(k))
        drop(c, k);
}

static void turn(struct control *c, struct connection *all)
{
    struct pollfd fds[CONNECTIONS + 1] = {{.fd = c->listener, .events = POLLIN}};
    bool is_busy = false;
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        fds[i + 1] = (struct pollfd){.fd = all[i].fd, .events = events_of(&all[i])};
        is_busy |= all[i].fd >= 0 && all[i].has_job;
    }
    if (poll(fds, CONNECTIONS + 1, is_busy ? BUSY_MS : IDLE_MS) < 0)
        return;
    for (unsigned i = 0; i < CONNECTIONS; i++)
        if (all[i].fd >= 0)
            serve(c, &all[i], fds[i + 1].revents);
    if (fds[0].revents & POLLIN) {
        int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0)
            greet(all, fd);
    }
}

static void *control_main(void *arg)
{
    struct control *c = arg;
    struct connection *all = calloc(CONNECTIONS, sizeof(*all));
    for (unsigned i = 0; all && i < CONNECTIONS; i++)
        all[i].fd = -1;
    while (all && !atomic_load_explicit(&c->is_ending, memory_order_acquire))
        turn(c, all);
    for (unsigned i = 0; all && i < CONNECTIONS; i++)
        if (all[i].fd >= 0)
            drop(c, &all[i]);
    free(all);
    return NULL;
}

bool control_begin(struct sensor *s)
{
    struct control *c = s->control;
    if (!c)
        return true;
    if (pthread_create(&c->thread, NULL, control_main, c) != 0)
        return false;
    pthread_setname_np(c->thread, "control");
    c->has_thread = true;
    return true;
}

void control_end(struct sensor *s)
{
    struct control *c = s->control;
    if (!c)
        return;
    atomic_store_explicit(&c->is_ending, true, memory_order_release);
    if (c->has_thread)
        pthread_join(c->thread, NULL);
    close(c->listener);
    unlink(c->path);
    free(atomic_exchange(&s->points.filter_wish, NULL));
    pthread_mutex_destroy(&c->filter_lock);
    s->control = NULL;
    free(c);
}

void control_filter_is(struct sensor *s, const char *text)
{
    struct control *c = s->control;
    if (!c)
        return;
    pthread_mutex_lock(&c->filter_lock);
    snprintf(c->filter, sizeof(c->filter), "%s", text);
    pthread_mutex_unlock(&c->filter_lock);
}
