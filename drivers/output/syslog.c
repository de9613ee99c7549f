/* SPDX-License-Identifier: BSD-3-Clause */
/* Sink `syslog`: messages of RFC 5424 or 3164 over UDP (RFC 5426), TCP (RFC 6587), TLS (RFC 5425).
 */
#include "forward/syslog_message.h"

#include "output/check.h"
#include "output/kinds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROOM (256u << 10)

struct syslog {
    struct ft_connection connection;
    struct ft_syslog message;
    uint32_t framing, max_message, standard, facility, severity, transport;
    char procid[16];
    char *room;
};

static const char *framing_name(uint32_t i)
{
    static const char *const names[] = {"octets", "line"};
    return i < 2 ? names[i] : NULL;
}

static const char *standard_name(uint32_t i)
{
    return ft_syslog_standard_name((enum ft_syslog_standard)i);
}

static const char *severity_name(uint32_t i)
{
    static const char *const names[] = {"alert", "event"};
    return i < 2 ? names[i] : NULL;
}

/* clang-format off */
#define AT(member) offsetof(struct syslog, member)
static const struct ft_sink_key keys[] = {
    {.name = "host", .kind = FT_SINK_KEY_TEXT, .is_required = true, .is_destination = true, .low = 1, .high = 255,
     .offset = AT(connection.host), .standard = "none",
     .meaning = "name or address of the receiver, such as \"siem.example\" or \"fe80::1%eth0\""},
    {.name = "port", .kind = FT_SINK_KEY_NUMBER, .is_destination = true, .low = 1, .high = 65535,
     .offset = AT(connection.port), .standard = "514, of tls 6514", .meaning = "its port"},
    {.name = "transport", .kind = FT_SINK_KEY_WORD, .is_destination = true, .names = ft_transport_name,
     .offset = AT(transport), .standard = "\"tcp\"", .meaning = "udp may lose what it sends"},
    {.name = "framing", .kind = FT_SINK_KEY_WORD, .names = framing_name, .offset = AT(framing),
     .standard = "\"octets\"",
     .meaning = "of tcp and tls: each message behind its length, or before a line feed"},
    {.name = "standard", .kind = FT_SINK_KEY_WORD, .names = standard_name, .offset = AT(standard),
     .standard = "\"rfc5424\"", .meaning = "of the header"},
    {.name = "facility", .kind = FT_SINK_KEY_WORD, .names = ft_syslog_facility_name,
     .offset = AT(facility), .standard = "\"user\"", .meaning = "in the priority"},
    {.name = "severity", .kind = FT_SINK_KEY_WORD, .names = severity_name, .offset = AT(severity),
     .standard = "\"alert\"",
     .meaning = "in the priority: always alert, as the incumbent has it, or the event's"},
    {.name = "hostname", .kind = FT_SINK_KEY_TEXT, .low = 1, .high = 255,
     .offset = AT(message.hostname),
     .standard = "the sensor's name; with the body object its address, if sensor.address is given",
     .meaning = "in the header"},
    {.name = "app_name", .kind = FT_SINK_KEY_TEXT, .low = 1, .high = 48,
     .offset = AT(message.app_name), .standard = "\"fieldtap\"", .meaning = "in the header"},
    {.name = "structured_data", .kind = FT_SINK_KEY_TRUTH, .offset = AT(message.has_data),
     .standard = "false", .meaning = "origin, and with an enterprise number the event's key data"},
    {.name = "enterprise", .kind = FT_SINK_KEY_NUMBER, .high = 4294967295,
     .offset = AT(message.enterprise), .standard = "0",
     .meaning = "private enterprise number of who runs the sensor"},
    {.name = "byte_order_mark", .kind = FT_SINK_KEY_TRUTH, .offset = AT(message.has_mark),
     .standard = "false", .meaning = "U+FEFF before bodies that are not ASCII, as RFC 5424 has it"},
    {.name = "max_message", .kind = FT_SINK_KEY_NUMBER, .low = 1024, .high = 65507,
     .offset = AT(max_message), .standard = "8192",
     .meaning = "bytes of a message; bodies are shortened to it. As much as the receiver takes"},
    {.name = "timeout_ms", .kind = FT_SINK_KEY_NUMBER, .low = 100, .high = 60000,
     .offset = AT(connection.timeout_ms), .standard = "10000",
     .meaning = "milliseconds for connecting, and for a receiver that takes nothing"},
    {.name = "ca_file", .kind = FT_SINK_KEY_TEXT, .is_file = true, .low = 1, .high = 1024,
     .offset = AT(connection.tls.ca_file), .standard = "the system's",
     .meaning = "of tls: certificates of authorities, PEM"},
    {.name = "server_name", .kind = FT_SINK_KEY_TEXT, .low = 1, .high = 255,
     .offset = AT(connection.tls.server_name), .standard = "the host",
     .meaning = "of tls: what the receiver's certificate is made out to"},
    {.name = "verify", .kind = FT_SINK_KEY_TRUTH, .offset = AT(connection.tls.verify),
     .standard = "true", .meaning = "of tls: false believes any certificate"},
    {.name = "certificate", .kind = FT_SINK_KEY_TEXT, .is_file = true, .low = 1, .high = 1024,
     .offset = AT(connection.tls.certificate), .standard = "none",
     .meaning = "of tls: the sensor's own, PEM, with its chain"},
    {.name = "key", .kind = FT_SINK_KEY_TEXT, .is_file = true, .low = 1, .high = 1024,
     .offset = AT(connection.tls.key), .standard = "in the same file",
     .meaning = "of tls: private key of the certificate, PEM, not encrypted"},
};
/* clang-format on */

static void syslog_init(void *state)
{
    struct syslog *l = state;
    l->connection.fd = -1;
    l->connection.timeout_ms = 10000;
    l->connection.tls.verify = true;
    l->transport = FT_TRANSPORT_TCP;
    l->facility = FT_SYSLOG_USER;
    l->max_message = 8192;
    l->message.app_name = "fieldtap";
}

/* server_name is not looked up: certificates are made out to what their makers like, "*.example"
 * and "ACME Syslog" as well. */
static void check_host(struct ft_sink_reading *r, const struct syslog *l)
{
    char why[FT_SINK_TEXT_SIZE];
    if (!ft_sink_check_host(l->connection.host, why, sizeof(why)))
        ft_sink_wrong(r, "host", "%s", why);
}

static void check_tls(struct ft_sink_reading *r, const struct ft_sink *sink, const struct syslog *l)
{
    const struct ft_tls_settings *tls = &l->connection.tls;
    if (l->transport == FT_TRANSPORT_TLS && !ft_tls_is_built())
        ft_sink_wrong(r, "transport", "this fieldtap was built without TLS; \"tcp\" works");
    if (l->transport != FT_TRANSPORT_TLS && (tls->ca_file || tls->server_name || tls->certificate))
        ft_sink_wrong(r, "transport", "certificates are used with \"tls\" only");
    if (tls->key && !tls->certificate)
        ft_sink_wrong(r, "key", "expected a certificate with it");
    if (l->transport == FT_TRANSPORT_TLS)
        ft_sink_check_certificates(r, sink, tls);
}

/* Who reads the body "object" expects the sensor's address there. */
static const char *own_hostname(const struct ft_sink *sink)
{
    const struct ft_sinks_options *o = sink->options;
    bool has_address = o->sensor.address && *o->sensor.address;
    if (o->hostname)
        return o->hostname;
    return sink->body.format == FT_BODY_OBJECT && has_address ? o->sensor.address : o->sensor.name;
}

static void syslog_check(struct ft_sink_reading *r, struct ft_sink *sink, void *state)
{
    struct syslog *l = state;
    check_host(r, l);
    check_tls(r, sink, l);
    l->connection.transport = (enum ft_transport)l->transport;
    if (!l->connection.port)
        l->connection.port = l->transport == FT_TRANSPORT_TLS ? 6514 : 514;
    if (!l->message.hostname)
        l->message.hostname = own_hostname(sink);
    l->message.standard = (enum ft_syslog_standard)l->standard;
    l->message.frame = l->transport == FT_TRANSPORT_UDP ? FT_SYSLOG_DATAGRAM
                       : l->framing == 1                ? FT_SYSLOG_LINE
                                                        : FT_SYSLOG_OCTETS;
    l->message.facility = (uint8_t)l->facility;
    l->message.severity = l->severity == 1 ? FT_SYSLOG_BY_EVENT : FT_SYSLOG_ALERT;
    l->message.body = sink->body;
}

static void syslog_target(const struct ft_sink *sink, const void *state, char *to, size_t size)
{
    const struct syslog *l = state;
    bool is_ipv6 = strchr(l->connection.host, ':') != NULL;
    (void)sink;
    snprintf(to, size, "%s://%s%s%s:%u", ft_transport_name(l->transport), is_ipv6 ? "[" : "",
             l->connection.host, is_ipv6 ? "]" : "", l->connection.port);
}

static bool syslog_open(struct ft_sink *sink, void *state)
{
    struct syslog *l = state;
    if (!l->room && !(l->room = malloc(ROOM)))
        return ft_sink_fail(sink, "out of memory");
    snprintf(l->procid, sizeof(l->procid), "%ld", (long)getpid());
    l->message.procid = l->procid;
    return ft_connection_open(sink, &l->connection);
}

static uint64_t wall_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint32_t make_message(const struct ft_sink *sink, const struct syslog *l,
                             struct ft_sink_record *record, char *to, uint32_t size)
{
    uint64_t when = record->event.time_ns ? record->event.time_ns : wall_clock();
    bool wants_more = ft_sink_parses(sink) || l->message.has_data;
    if (wants_more && !record->event.root && !ft_forward_event_parse(&record->event))
        return 0;
    return ft_syslog_write(&l->message, &record->event, when, l->max_message, to, size);
}

/* Messages of a stream are written many at a time, datagrams one by one. */
static struct ft_sink_sent syslog_send(struct ft_sink *sink, void *state,
                                       struct ft_sink_record *records, uint32_t count)
{
    struct syslog *l = state;
    struct ft_sink_sent sent = {0}, written = {0};
    uint32_t used = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t n = make_message(sink, l, &records[i], l->room + used, ROOM - used);
        if (!n)
            ft_sink_fail(sink, "an event has no body of this format");
        used += n;
        sent.bytes += n;
        sent.done++;
        sent.refused += !n;
        bool is_due = l->message.frame == FT_SYSLOG_DATAGRAM || i + 1 == count ||
                      ROOM - used < l->max_message + 64;
        if (!is_due)
            continue;
        if (used && !ft_connection_write(sink, &l->connection, l->room, used)) {
            written.is_failed = true;
            return written;
        }
        used = 0;
        written = sent;
    }
    return sent;
}

static bool syslog_look(struct ft_sink *sink, void *state, uint64_t *written, uint64_t *taken)
{
    struct syslog *l = state;
    return ft_connection_check(sink, &l->connection, written, taken);
}

static void syslog_close(struct ft_sink *sink, void *state)
{
    struct syslog *l = state;
    (void)sink;
    ft_connection_close(&l->connection);
}

static void syslog_free(void *state)
{
    struct syslog *l = state;
    free(l->room);
}

const struct ft_sink_kind ft_sink_syslog = {
    .name = "syslog",
    .meaning = "messages of syslog over UDP, TCP or TLS",
    .state_size = sizeof(struct syslog),
    .keys = keys,
    .key_count = sizeof(keys) / sizeof(keys[0]),
    .has_body = true,
    .batch = 500,
    .settle_ms = 1000,
    .init = syslog_init,
    .check_settings = syslog_check,
    .target = syslog_target,
    .open = syslog_open,
    .send = syslog_send,
    .check = syslog_look,
    .close = syslog_close,
    .free = syslog_free,
};
