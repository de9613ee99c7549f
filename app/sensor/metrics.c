/* SPDX-License-Identifier: BSD-3-Clause */
/* OpenMetrics of a running sensor. */
#include "metrics.h"

#include "base/say.h"
#include "figures.h"
#include "metrics_text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <rte_telemetry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef FT_HAVE_MICROHTTPD
#include <microhttpd.h>
#endif

#define FILE_INTERVAL_S 10
#define GUESTS_MAX      32u  /* HTTP connections; one more, and the oldest is closed, ... */
#define CONNECTIONS_MAX 512u /* ... with room for those that come at once */
#define REQUEST_S       3u   /* a connection that says nothing for so long is closed */

/* ---- HTTP ---- */

/* ADDRESS:PORT, of this host only: these figures are nobody else's business. */
static bool read_address(const char *text, struct sockaddr_storage *to)
{
    char host[64], *end;
    const char *colon = strrchr(text, ':');
    struct sockaddr_in *v4 = (struct sockaddr_in *)to;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;
    unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;
    memset(to, 0, sizeof(*to));
    if (!colon || *end || !port || port > 65535 || (size_t)(colon - text) >= sizeof(host))
        return false;
    bool has_brackets = *text == '[' && colon[-1] == ']';
    snprintf(host, sizeof(host), "%.*s", (int)(colon - text) - 2 * has_brackets,
             text + has_brackets);
    if (has_brackets) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        return inet_pton(AF_INET6, host, &v6->sin6_addr) == 1 &&
               IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    }
    v4->sin_family = AF_INET;
    v4->sin_port = htons((uint16_t)port);
    return inet_pton(AF_INET, host, &v4->sin_addr) == 1 && ntohl(v4->sin_addr.s_addr) >> 24 == 127;
}

bool metrics_check(const struct options *o)
{
    struct sockaddr_storage a;
    const char *listen = o->config.metrics_listen;
    if (*listen && !read_address(listen, &a))
        return options_wrong_at(o, o->config.metrics_listen_at,
                                "metrics.listen \"%s\": expected an address of this host and a "
                                "port: 127.0.0.1:9469 or [::1]:9469",
                                listen);
#ifndef FT_HAVE_MICROHTTPD
    if (*listen)
        return options_wrong_at(o, o->config.metrics_listen_at,
                                "metrics.listen: this build has no HTTP (libmicrohttpd); "
                                "metrics.file writes the same");
#endif
    return true;
}

/* One sensor a process. */
static struct {
    struct sensor *sensor;
#ifdef FT_HAVE_MICROHTTPD
    struct MHD_Daemon *daemon;
    int listener; /* the daemon's, once there is one */
    bool is_v6;
#endif
    pthread_t thread;
    bool has_thread;
    bool is_failing; /* of the thread alone: the file cannot be written */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_ending;
} metrics = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

#ifdef FT_HAVE_MICROHTTPD
static enum MHD_Result reply(struct MHD_Connection *connection, unsigned code, const char *type,
                             char *text, size_t size, enum MHD_ResponseMemoryMode mode)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(size, text, mode);
    if (!r)
        return MHD_NO;
    MHD_add_response_header(r, "Content-Type", type);
    enum MHD_Result result = MHD_queue_response(connection, code, r);
    MHD_destroy_response(r);
    return result;
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_size, void **state)
{
    static char wrong_place[] = "the metrics are at /metrics\n";
    static char wrong_method[] = "only GET and HEAD\n";
    (void)version;
    (void)data;
    (void)state;
    size_t size = 0;
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        *data_size = 0;
        return reply(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain", wrong_method,
                     sizeof(wrong_method) - 1, MHD_RESPMEM_PERSISTENT);
    }
    if (strcmp(url, "/metrics") != 0)
        return reply(connection, MHD_HTTP_NOT_FOUND, "text/plain", wrong_place,
                     sizeof(wrong_place) - 1, MHD_RESPMEM_PERSISTENT);
    char *text = metrics_text(user, &size);
    if (!text)
        return MHD_NO;
    return reply(connection, MHD_HTTP_OK,
                 "application/openmetrics-text; version=1.0.0; charset=utf-8", text, size,
                 MHD_RESPMEM_MUST_FREE);
}

/* Whoever opens connections and asks for nothing takes no place of those who do: the oldest goes.
 * Called by the one thread of the daemon, which finds the connection shut and closes it. */
static void on_guest(void *user, struct MHD_Connection *connection, void **place,
                     enum MHD_ConnectionNotificationCode what)
{
    static struct MHD_Connection *guests[GUESTS_MAX]; /* oldest first */
    static unsigned count;
    unsigned i = 0;
    (void)user;
    (void)place;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED)
        while (i < count && guests[i] != connection)
            i++;
    bool is_full = what == MHD_CONNECTION_NOTIFY_STARTED && count == GUESTS_MAX;
    if (is_full)
        shutdown(MHD_get_connection_info(guests[0], MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
                 SHUT_RDWR);
    if (is_full || (what == MHD_CONNECTION_NOTIFY_CLOSED && i < count))
        memmove(&guests[i], &guests[i + 1], (--count - i) * sizeof(guests[0]));
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        guests[count++] = connection;
}

/* False with errno. */
static bool bind_address(const char *where)
{
    struct sockaddr_storage a;
    int on = 1;
    read_address(where, &a);
    metrics.is_v6 = a.ss_family == AF_INET6;
    socklen_t size = metrics.is_v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    metrics.listener = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return metrics.listener >= 0 &&
           setsockopt(metrics.listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
           bind(metrics.listener, (struct sockaddr *)&a, size) == 0 &&
           listen(metrics.listener, SOMAXCONN) == 0;
}

/* The daemon closes the socket. */
static bool serve(struct sensor *s)
{
    unsigned flags = MHD_USE_POLL_INTERNAL_THREAD | (metrics.is_v6 ? MHD_USE_IPv6 : 0);
    metrics.daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET, metrics.listener,
        MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_NOTIFY_CONNECTION, on_guest, NULL,
        MHD_OPTION_CONNECTION_TIMEOUT, REQUEST_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)16384,
        MHD_OPTION_END);
    return metrics.daemon;
}
#endif

/* ---- the file ---- */

/* By way of another name: who reads it finds the old figures or the new ones. False with errno. */
static bool write_text(const char *path, const char *text, size_t size)
{
    char fresh[1024 + 8];
    snprintf(fresh, sizeof(fresh), "%s.new", path);
    FILE *f = fopen(fresh, "w");
    bool ok = f && fwrite(text, 1, size, f) == size;
    int why = errno;
    if (f && fclose(f) != 0 && ok) {
        ok = false;
        why = errno;
    }
    if (ok && rename(fresh, path) == 0)
        return true;
    why = ok ? errno : why;
    unlink(fresh);
    errno = why;
    return false;
}

/* Could it? The file may be another sensor's, which runs: nothing is written. False with errno. */
static bool can_write(const char *path)
{
    char fresh[1024 + 24];
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        return false;
    }
    snprintf(fresh, sizeof(fresh), "%s.%d.new", path, (int)getpid());
    int file = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return false;
    close(file);
    unlink(fresh);
    return true;
}

static void write_file(struct sensor *s)
{
    const char *path = s->options->config.metrics_file;
    size_t size = 0;
    char *text = metrics_text(s, &size);
    errno = ENOMEM;
    bool ok = text && write_text(path, text, size);
    if (!ok && !metrics.is_failing)
        ft_say("fieldtap", "metrics.file: cannot write %s: %s; its figures are old until it can be",
               path, strerror(errno));
    else if (ok && metrics.is_failing)
        ft_say("fieldtap", "metrics.file: %s is written again", path);
    metrics.is_failing = !ok;
    free(text);
}

static void *file_main(void *arg)
{
    struct sensor *s = arg;
    bool is_ending = false;
    while (!is_ending) {
        write_file(s);
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += FILE_INTERVAL_S;
        pthread_mutex_lock(&metrics.lock);
        int waited = 0;
        while (!metrics.is_ending && waited == 0)
            waited = pthread_cond_clockwait(&metrics.wake, &metrics.lock, CLOCK_MONOTONIC, &until);
        is_ending = metrics.is_ending;
        pthread_mutex_unlock(&metrics.lock);
    }
    write_file(s);
    return NULL;
}

static bool begin_file(struct sensor *s, char *error, size_t error_size)
{
    metrics.has_thread = pthread_create(&metrics.thread, NULL, file_main, s) == 0;
    if (metrics.has_thread)
        pthread_setname_np(metrics.thread, "metrics");
    else
        snprintf(error, error_size, "cannot start threads");
    return metrics.has_thread;
}

/* ---- DPDK's telemetry ---- */

static int on_telemetry(const char *command, const char *parameters, struct rte_tel_data *to)
{
    struct figures *g = malloc(sizeof(*g));
    (void)command;
    (void)parameters;
    pthread_mutex_lock(&metrics.lock); /* it may be asked while the sensor ends */
    bool is_there = g && metrics.sensor;
    if (is_there)
        figures_read(metrics.sensor, g);
    pthread_mutex_unlock(&metrics.lock);
    rte_tel_data_start_dict(to);
    const char *name;
    uint64_t value;
    for (unsigned i = 0; is_there && metrics_single(g, i, &name, &value); i++)
        if (name)
            rte_tel_data_add_dict_u64(to, name, value);
    free(g);
    return is_there ? 0 : -1;
}

bool metrics_listen(struct sensor *s, char *error, size_t error_size)
{
#ifdef FT_HAVE_MICROHTTPD
    const char *where = s->options->config.metrics_listen;
    if (*where && !bind_address(where)) {
        snprintf(error, error_size, "metrics.listen: cannot listen at %s: %s", where,
                 strerror(errno));
        return false;
    }
#else
    (void)s;
    (void)error;
    (void)error_size;
#endif
    return true;
}

bool metrics_try_file(struct sensor *s, char *error, size_t error_size)
{
    const char *path = s->options->config.metrics_file;
    if (!*path || can_write(path))
        return true;
    snprintf(error, error_size, "metrics.file: cannot write %s: %s", path, strerror(errno));
    return false;
}

bool metrics_begin(struct sensor *s, char *error, size_t error_size)
{
    const struct ft_config *c = &s->options->config;
    metrics.sensor = s;
    if (c->metrics_telemetry && s->is_live)
        rte_telemetry_register_cmd("/fieldtap/counters", on_telemetry,
                                   "Counters of the sensor. Takes no parameters");
    if (*c->metrics_file && !begin_file(s, error, error_size))
        return false;
#ifdef FT_HAVE_MICROHTTPD
    if (*c->metrics_listen && !serve(s)) {
        snprintf(error, error_size, "metrics.listen: cannot serve at %s", c->metrics_listen);
        metrics_end(s);
        return false;
    }
#endif
    return true;
}

void metrics_end(struct sensor *s)
{
    (void)s;
#ifdef FT_HAVE_MICROHTTPD
    if (metrics.daemon)
        MHD_stop_daemon(metrics.daemon);
    metrics.daemon = NULL;
#endif
    pthread_mutex_lock(&metrics.lock);
    metrics.sensor = NULL;
    metrics.is_ending = true;
    pthread_cond_signal(&metrics.wake);
    pthread_mutex_unlock(&metrics.lock);
    if (metrics.has_thread)
        pthread_join(metrics.thread, NULL);
    metrics.has_thread = false;
}
