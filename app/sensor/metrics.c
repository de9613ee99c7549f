/* SPDX-License-Identifier: BSD-3-Clause */
/* OpenMetrics of a running sensor. */
#include "metrics.h"

#include "figures.h"

#include <arpa/inet.h>
#include <errno.h>
#include <rte_telemetry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef FT_HAVE_MICROHTTPD
#include <microhttpd.h>
#endif

#define FILE_INTERVAL_S 10
#define REQUESTS_MAX    8u

/* ---- the table ---- */

enum kind {
    COUNTER = 0,
    GAUGE,
};

/* Of what a family has one sample each. */
enum scope {
    SENSOR = 0,
    PORT,       /* port="eth1" */
    PORT_DROPS, /* likewise, those that know drops */
    PORT_NIC,   /* likewise, those that know their NIC's counters */
    WORKER,     /* worker="0" */
    FATE,       /* fate="analysed": packets by bucket */
};

struct family {
    const char *name, *unit, *help; /* the name ends in the unit, as OpenMetrics wants it */
    enum kind kind;
    enum scope scope;
    size_t at; /* in struct figures, struct figures_port or struct figures_worker */
};

#define OF(member)        offsetof(struct figures, member)
#define OF_PORT(member)   offsetof(struct figures_port, member)
#define OF_WORKER(member) offsetof(struct figures_worker, member)

/* clang-format off */
static const struct family families[] = {
    {"fieldtap_received_packets", "packets", "Packets taken from captures or ports.",
     COUNTER, SENSOR, OF(packets)},
    {"fieldtap_received_bytes", "bytes", "Bytes of these packets.",
     COUNTER, SENSOR, OF(bytes)},
    {"fieldtap_dropped_packets", "packets", "Packets lost by kernel, NIC or sensor for want of room.",
     COUNTER, SENSOR, OF(dropped)},
    {"fieldtap_booked_packets", "packets", "What became of packets.",
     COUNTER, FATE, 0},
    {"fieldtap_stream_bytes", "bytes", "TCP payload that reached a stream.",
     COUNTER, SENSOR, OF(ledger.stream_received)},
    {"fieldtap_stream_lost_bytes", "bytes", "TCP payload that was never seen.",
     COUNTER, SENSOR, OF(ledger.stream.lost)},
    {"fieldtap_messages", "", "Messages dissected.",
     COUNTER, SENSOR, OF(ledger.messages)},
    {"fieldtap_violations", "", "Violations of protocols.",
     COUNTER, SENSOR, OF(ledger.violations)},
    {"fieldtap_rule_hits", "", "Hits of rules.",
     COUNTER, SENSOR, OF(ledger.rule_hits)},
    {"fieldtap_dissector_faults", "", "Dissectors that were abandoned.",
     COUNTER, SENSOR, OF(faults)},
    {"fieldtap_events", "", "Events that the alerting loop received.",
     COUNTER, SENSOR, OF(events_received)},
    {"fieldtap_alerts", "", "Alerts raised.",
     COUNTER, SENSOR, OF(alerts)},
    {"fieldtap_assets", "", "Devices in the inventory.",
     GAUGE, SENSOR, OF(assets)},
    {"fieldtap_flows", "", "Flows that are open.",
     GAUGE, SENSOR, OF(flows)},
    {"fieldtap_flow_capacity", "", "Flows that the table has room for.",
     GAUGE, SENSOR, OF(flow_capacity)},
    {"fieldtap_flows_created", "", "Flows begun.",
     COUNTER, SENSOR, OF(flows_created)},
    {"fieldtap_flows_evicted", "", "Flows that had to make room.",
     COUNTER, SENSOR, OF(flows_evicted)},
    {"fieldtap_flows_refused", "", "Packets of flows that found no room.",
     COUNTER, SENSOR, OF(flows_refused)},
    {"fieldtap_resident_memory_bytes", "bytes", "Resident memory.",
     GAUGE, SENSOR, OF(memory)},
    {"fieldtap_port_received_packets", "packets", "Packets taken from a port.",
     COUNTER, PORT, OF_PORT(received)},
    {"fieldtap_port_received_bytes", "bytes", "Bytes taken from a port.",
     COUNTER, PORT, OF_PORT(bytes)},
    {"fieldtap_port_shed_packets", "packets", "Packets of a port that found no room in the sensor.",
     COUNTER, PORT, OF_PORT(shed)},
    {"fieldtap_port_link_changes", "", "Times that a port's link changed.",
     COUNTER, PORT, OF_PORT(link_changes)},
    {"fieldtap_port_dropped_packets", "packets", "Packets that kernel or NIC dropped before the sensor.",
     COUNTER, PORT_DROPS, OF_PORT(dropped)},
    {"fieldtap_port_nic_missed_packets", "packets", "Packets that the interface itself missed.",
     COUNTER, PORT_NIC, OF_PORT(nic_missed)},
    {"fieldtap_port_nic_errors", "", "Errors that the interface itself counted.",
     COUNTER, PORT_NIC, OF_PORT(nic_errors)},
    {"fieldtap_worker_packets", "packets", "Packets of a worker.",
     COUNTER, WORKER, OF_WORKER(packets)},
    {"fieldtap_worker_busy_cycles", "cycles", "Cycles in which a worker was not idle.",
     COUNTER, WORKER, OF_WORKER(cycles)},
    {"fieldtap_worker_waiting_packets", "packets", "Packets that wait for a worker.",
     GAUGE, WORKER, OF_WORKER(input_waiting)},
    {"fieldtap_worker_events_most_bytes", "bytes", "Most bytes of events that waited in a worker's ring.",
     GAUGE, WORKER, OF_WORKER(events_high_water)},
};
/* clang-format on */

#define FAMILIES (sizeof(families) / sizeof(families[0]))

/* ---- writing ---- */

/* A label's value: backslash, quote and line end are escaped. */
static void write_label(FILE *to, const char *name, const char *value)
{
    fprintf(to, "{%s=\"", name);
    for (; *value; value++) {
        if (*value == '\\' || *value == '"')
            fputc('\\', to);
        fputs(*value == '\n' ? "\\n" : "", to);
        if (*value != '\n')
            fputc(*value, to);
    }
    fputs("\"}", to);
}

static void write_sample(FILE *to, const struct family *f, const char *label, const char *value,
                         uint64_t n)
{
    fprintf(to, "%s%s", f->name, f->kind == COUNTER ? "_total" : "");
    if (label)
        write_label(to, label, value);
    fprintf(to, " %llu\n", (unsigned long long)n);
}

static uint64_t at(const void *base, size_t offset)
{
    return *(const uint64_t *)(const void *)((const char *)base + offset);
}

static bool is_known(const struct family *f, const struct figures_port *p)
{
    return f->scope == PORT || (f->scope == PORT_DROPS && p->knows_drops) ||
           (f->scope == PORT_NIC && p->knows_nic);
}

static void write_samples(FILE *to, const struct family *f, const struct figures *g)
{
    char number[16];
    switch (f->scope) {
    case SENSOR:
        write_sample(to, f, NULL, NULL, at(g, f->at));
        return;
    case FATE:
        for (unsigned i = 1; i < FT_BUCKET_COUNT; i++)
            write_sample(to, f, "fate", ft_bucket_name((enum ft_bucket)i), g->ledger.packets[i]);
        return;
    case WORKER:
        for (uint32_t w = 0; w < g->worker_count; w++) {
            snprintf(number, sizeof(number), "%u", w);
            write_sample(to, f, "worker", number, at(&g->workers[w], f->at));
        }
        return;
    default:
        for (uint32_t p = 0; p < g->port_count; p++)
            if (is_known(f, &g->ports[p]))
                write_sample(to, f, "port", g->ports[p].name, at(&g->ports[p], f->at));
    }
}

static void write_all(FILE *to, const struct figures *g)
{
    fputs("# TYPE fieldtap_build info\n# HELP fieldtap_build What runs.\n", to);
    fputs("fieldtap_build_info", to);
    write_label(to, "version", FIELDTAP_VERSION);
    fputs(" 1\n# TYPE fieldtap_uptime_seconds gauge\n# UNIT fieldtap_uptime_seconds seconds\n"
          "# HELP fieldtap_uptime_seconds Time since the sensor began.\n",
          to);
    fprintf(to, "fieldtap_uptime_seconds %.3f\n", g->uptime);
    for (unsigned i = 0; i < FAMILIES; i++) {
        const struct family *f = &families[i];
        fprintf(to, "# TYPE %s %s\n", f->name, f->kind == COUNTER ? "counter" : "gauge");
        if (*f->unit)
            fprintf(to, "# UNIT %s %s\n", f->name, f->unit);
        fprintf(to, "# HELP %s %s\n", f->name, f->help);
        write_samples(to, f, g);
    }
    fputs("# EOF\n", to);
}

/* All as text, which is the caller's; NULL without memory. */
static char *text_of(struct sensor *s, size_t *size)
{
    struct figures *g = malloc(sizeof(*g));
    char *text = NULL;
    FILE *to = g ? open_memstream(&text, size) : NULL;
    figures_want(s); /* for the next time: nobody is waited for here */
    if (to) {
        figures_read(s, g);
        write_all(to, g);
        if (fclose(to) != 0) {
            free(text);
            text = NULL;
        }
    }
    free(g);
    return text;
}

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
    if (*listen && !read_address(listen, &a)) {
        fprintf(stderr,
                "fieldtap: metrics.listen \"%s\": expected an address of this host and a port: "
                "127.0.0.1:9469 or [::1]:9469\n",
                listen);
        return false;
    }
#ifndef FT_HAVE_MICROHTTPD
    if (*listen) {
        fprintf(stderr, "fieldtap: metrics.listen: this build has no HTTP (libmicrohttpd); "
                        "metrics.file writes the same\n");
        return false;
    }
#endif
    return true;
}

/* One sensor a process. */
static struct {
    struct sensor *sensor;
#ifdef FT_HAVE_MICROHTTPD
    struct MHD_Daemon *daemon;
#endif
    pthread_t thread;
    bool has_thread;
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
    char *text = text_of(user, &size);
    if (!text)
        return MHD_NO;
    return reply(connection, MHD_HTTP_OK,
                 "application/openmetrics-text; version=1.0.0; charset=utf-8", text, size,
                 MHD_RESPMEM_MUST_FREE);
}

static bool listen_at(struct sensor *s, const char *where, char *error, size_t error_size)
{
    struct sockaddr_storage a;
    read_address(where, &a);
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | (a.ss_family == AF_INET6 ? MHD_USE_IPv6 : 0);
    metrics.daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, on_request, s, MHD_OPTION_SOCK_ADDR, &a,
                         MHD_OPTION_CONNECTION_LIMIT, REQUESTS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
                         10u, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)16384, MHD_OPTION_END);
    if (!metrics.daemon)
        snprintf(error, error_size, "metrics.listen: cannot listen at %s: %s", where,
                 strerror(errno));
    return metrics.daemon;
}
#endif

/* ---- the file ---- */

/* By way of another name: who reads it finds the old figures or the new ones. */
static void write_file(struct sensor *s)
{
    char fresh[1024 + 8];
    size_t size = 0;
    char *text = text_of(s, &size);
    snprintf(fresh, sizeof(fresh), "%s.new", s->options->config.metrics_file);
    FILE *f = text ? fopen(fresh, "w") : NULL;
    bool ok = f && fwrite(text, 1, size, f) == size;
    if (f)
        ok &= fclose(f) == 0;
    if (!ok || rename(fresh, s->options->config.metrics_file) < 0)
        unlink(fresh);
    free(text);
}

static void *file_main(void *arg)
{
    struct sensor *s = arg;
    bool is_ending = false;
    while (!is_ending) {
        write_file(s);
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += FILE_INTERVAL_S;
        pthread_mutex_lock(&metrics.lock);
        int waited = 0;
        while (!metrics.is_ending && waited == 0)
            waited = pthread_cond_timedwait(&metrics.wake, &metrics.lock, &until);
        is_ending = metrics.is_ending;
        pthread_mutex_unlock(&metrics.lock);
    }
    write_file(s);
    return NULL;
}

static bool begin_file(struct sensor *s, char *error, size_t error_size)
{
    FILE *f = fopen(s->options->config.metrics_file, "a");
    if (!f) {
        snprintf(error, error_size, "metrics.file: cannot write %s: %s",
                 s->options->config.metrics_file, strerror(errno));
        return false;
    }
    fclose(f);
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
    for (unsigned i = 0; is_there && i < FAMILIES; i++)
        if (families[i].scope == SENSOR)
            rte_tel_data_add_dict_u64(to, families[i].name + strlen("fieldtap_"),
                                      at(g, families[i].at));
    free(g);
    return is_there ? 0 : -1;
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
    if (*c->metrics_listen && !listen_at(s, c->metrics_listen, error, error_size)) {
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
