/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a format's key gets its value. */
#include "forward/source.h"

#include "base/json.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define SOURCE_MAX  128u  /* one of the alternatives */
#define ELEMENT_MAX 1024u /* of a value inside a sentence */

struct asked {
    const struct ft_forward_sensor *sensor;
    const struct ft_forward_event *event;
};

/* What is put together. */
struct made {
    char *to;
    uint32_t length, size;
};

static bool value_of(const struct asked *a, const char *source, uint32_t n, struct made *m,
                     struct ft_source_value *v);

static void append(struct made *m, const char *text, uint32_t n)
{
    uint32_t room = m->size - m->length;
    n = ft_utf8_cut(text, n, room);
    memcpy(m->to + m->length, text, n);
    m->length += n;
}

static bool is_text(const char *text, struct ft_source_value *v)
{
    *v = (struct ft_source_value){text, text ? (uint32_t)strlen(text) : 0};
    return v->length;
}

/* ---- values of JSON ---- */

static void append_number(struct made *m, const json_t *value)
{
    char text[32];
    struct ft_json j = ft_json_make(text, sizeof(text));
    if (json_is_integer(value))
        ft_json_int(&j, json_integer_value(value));
    else
        ft_json_double(&j, json_real_value(value));
    append(m, text, j.length);
}

static void append_scalar(struct made *m, const json_t *value)
{
    if (json_is_string(value))
        append(m, json_string_value(value), (uint32_t)json_string_length(value));
    else if (json_is_number(value))
        append_number(m, value);
    else if (json_is_boolean(value))
        append(m, json_is_true(value) ? "true" : "false", json_is_true(value) ? 4 : 5);
}

static bool of_json(const json_t *value, struct made *m, struct ft_source_value *v)
{
    uint32_t begin = m->length;
    size_t i;
    json_t *element;
    if (json_is_string(value)) {
        *v =
            (struct ft_source_value){json_string_value(value), (uint32_t)json_string_length(value)};
        return v->length;
    }
    json_array_foreach((json_t *)(uintptr_t)value, i, element)
    {
        uint32_t before = m->length;
        if (before > begin)
            append(m, ", ", 2);
        uint32_t with_comma = m->length;
        append_scalar(m, element);
        if (m->length == with_comma) /* an object, an empty text, or no room */
            m->length = before;
    }
    append_scalar(m, value);
    *v = (struct ft_source_value){m->to + begin, m->length - begin};
    return v->length;
}

/* ---- sentences ---- */

/* Text with {source}s; what stands in [ ] is left out when one of those in it has no value. */
static const struct {
    const char *title, *message;
} sentences[FT_FORWARD_TYPES] = {
    [FT_FORWARD_ALERT] =
        {"{alert.signature}",
         "{alert.signature}[: {@source} to {@destination}][, {app_proto}][ {fieldtap.commands "
         "message.command}][; {fieldtap.change.asset}][: {fieldtap.change.fact}][ was "
         "{fieldtap.change.before}][, is {fieldtap.change.after}]"},
    [FT_FORWARD_ANOMALY] = {"Anomaly: {anomaly.event}",
                            "{fieldtap.title anomaly.event}[: {@source} to {@destination}]"
                            "[, {app_proto}][ {message.command}]"},
    [FT_FORWARD_ASSET] = {"Device inventory: {asset.changes}",
                          "Device {asset.id}: {asset.changes}[; {asset.role}][, {asset.vendor}]"
                          "[ {asset.model}][, firmware {asset.firmware}][, name {asset.name}]"
                          "[, now part of {asset.into}][, formerly of {asset.former}]"},
    [FT_FORWARD_FLOW] = {"Flow ended[: {app_proto}]",
                         "{proto} {@source}[:{src_port}] to {@destination}[:{dest_port}]"
                         "[, {app_proto}]; {flow.pkts_toserver} packets there, "
                         "{flow.pkts_toclient} back, {flow.state}, {flow.reason}"},
    [FT_FORWARD_HEALTH] = {"Sensor health: {health.event}", "{health.text}"},
    [FT_FORWARD_MESSAGE] = {"Message: {app_proto}[ {message.command}]",
                            "{app_proto}[ {message.command}][ {message.kind}]"
                            "[: {@source} to {@destination}]"},
    [FT_FORWARD_OPERATION] = {"First operation: {app_proto}[ {operation.command}]",
                              "{app_proto}[ {operation.command}], class {operation.class}, for the "
                              "first time[: {@source} to {@destination}]"},
    [FT_FORWARD_RULE] = {"{rule.signature}", "{rule.signature}[: {@source} to {@destination}]"
                                             "[, {app_proto}][ {message.command}]"},
    [FT_FORWARD_STATS] = {"Statistics",
                          "{stats.decoder.pkts} packets, {stats.decoder.bytes} bytes[, "
                          "{stats.flow.total} flows][, {stats.detect.alert} alerts]"},
    [FT_FORWARD_TRANSACTION] = {"Transaction: {app_proto event_type}[ {message.command}]",
                                "{app_proto event_type}[ {message.command}][ {message.kind}]"
                                "[: {@source} to {@destination}]"},
};

const char *ft_source_title_template(enum ft_forward_type type)
{
    return type < FT_FORWARD_TYPES ? sentences[type].title : NULL;
}

const char *ft_source_message_template(enum ft_forward_type type)
{
    return type < FT_FORWARD_TYPES ? sentences[type].message : NULL;
}

/* A value inside a sentence, where it ends with a mark when it is long. */
static bool append_value(const struct asked *a, const char *source, uint32_t n, struct made *m)
{
    char room[FT_SOURCE_ROOM];
    struct made scratch = {.to = room, .size = sizeof(room)};
    struct ft_source_value v;
    if (!value_of(a, source, n, &scratch, &v))
        return false;
    uint32_t kept = ft_utf8_cut(v.text, v.length, ELEMENT_MAX);
    append(m, v.text, kept);
    if (kept < v.length)
        append(m, "...", 3);
    return true;
}

/* n bytes of a sentence, without [ ]; false when a value in it is missing. */
static bool append_part(const struct asked *a, const char *text, uint32_t n, struct made *m)
{
    bool is_whole = true;
    for (const char *end = text + n; text < end;) {
        const char *brace = memchr(text, '{', (size_t)(end - text));
        append(m, text, (uint32_t)((brace ? brace : end) - text));
        if (!brace)
            break;
        const char *close = memchr(brace, '}', (size_t)(end - brace));
        is_whole &= append_value(a, brace + 1, (uint32_t)(close - brace - 1), m);
        text = close + 1;
    }
    return is_whole;
}

static bool make_sentence(const struct asked *a, const char *sentence, struct made *m,
                          struct ft_source_value *v)
{
    uint32_t begin = m->length;
    while (*sentence) {
        uint32_t n = (uint32_t)strcspn(sentence, "["), before = m->length;
        append_part(a, sentence, n, m);
        sentence += n;
        if (!*sentence)
            break;
        n = (uint32_t)strcspn(++sentence, "]");
        before = m->length;
        if (!append_part(a, sentence, n, m))
            m->length = before;
        sentence += n + 1;
    }
    *v = (struct ft_source_value){m->to + begin, m->length - begin};
    return v->length;
}

/* ---- computed values ---- */

static bool first_of(const struct asked *a, const char *sources, struct made *m,
                     struct ft_source_value *v)
{
    return value_of(a, sources, (uint32_t)strlen(sources), m, v);
}

/* One of two sources, by which side sent this packet. */
static bool by_side(const struct asked *a, bool is_second, const char *one, const char *other,
                    struct made *m, struct ft_source_value *v)
{
    return first_of(a, is_second ? other : one, m, v);
}

static bool get_title(const struct asked *a, struct made *m, struct ft_source_value *v)
{
    return make_sentence(a, sentences[a->event->type].title, m, v);
}

static bool get_message(const struct asked *a, struct made *m, struct ft_source_value *v)
{
    return first_of(a, "fieldtap.message", m, v) ||
           make_sentence(a, sentences[a->event->type].message, m, v);
}

static bool get_severity(const struct asked *a, struct made *m, struct ft_source_value *v)
{
    (void)m;
    return is_text(ft_forward_severity_name(a->event->severity), v);
}

static bool get_engine(const struct asked *a, struct made *m, struct ft_source_value *v)
{
    (void)m;
    return is_text(ft_forward_engine_name(a->event->engine), v);
}

/* The number of the alert and not of the line: the same in all lines about it. */
static bool get_uuid(const struct asked *a, struct made *m, struct ft_source_value *v)
{
    return first_of(a, "fieldtap.alert_id fieldtap.event_id fieldtap.anomaly_id fieldtap.event_uid",
                    m, v);
}

static bool get_start(const struct asked *a, struct made *m, struct ft_source_value *v)
{
    return first_of(a, "fieldtap.first_seen timestamp", m, v);
}

static bool get_sensor(const struct asked *a, struct made *m, struct ft_source_value *v)
{
    return is_text(a->sensor->name, v) || first_of(a, "host", m, v);
}

static bool get_version(const struct asked *a, struct made *m, struct ft_source_value *v)
{
    (void)m;
    return is_text(a->sensor->version, v);
}

static bool get_address(const struct asked *a, struct made *m, struct ft_source_value *v)
{
    (void)m;
    return is_text(a->sensor->address, v);
}

static bool get_zone(const struct asked *a, struct made *m, struct ft_source_value *v)
{
    (void)m;
    return is_text(a->sensor->zone, v);
}

static bool get_site(const struct asked *a, struct made *m, struct ft_source_value *v)
{
    return is_text(a->sensor->site, v) || first_of(a, "fieldtap.site", m, v);
}

static bool get_source(const struct asked *a, struct made *m, struct ft_source_value *v)
{
    return first_of(a, "@source.ip @source.mac", m, v);
}

static bool get_source_ip(const struct asked *a, struct made *m, struct ft_source_value *v)
{
    return by_side(a, a->event->is_turned, "src_ip asset.ip", "dest_ip", m, v);
}

static bool get_source_mac(const struct asked *a, struct made *m, struct ft_source_value *v)
{
    return by_side(a, a->event->is_turned, "ether.src_mac asset.mac", "ether.dest_mac", m, v);
}

static bool get_source_port(const struct asked *a, struct made *m, struct ft_source_value *v)
{
    return by_side(a, a->event->is_turned, "src_port", "dest_port", m, v);
}

static bool get_source_address(const struct asked *a, struct made *m, struct ft_source_value *v)
{
    return by_side(a, a->event->source_is_server, "fieldtap.sub_addresses.client.text",
                   "fieldtap.sub_addresses.server.text", m, v);
}

static bool get_destination(const struct asked *a, struct made *m, struct ft_source_value *v)
{
    return first_of(a, "@destination.ip @destination.mac", m, v);
}

static bool get_destination_ip(const struct asked *a, struct made *m, struct ft_source_value *v)
{
    return by_side(a, a->event->is_turned, "dest_ip", "src_ip", m, v);
}

static bool get_destination_mac(const struct asked *a, struct made *m, struct ft_source_value *v)
{
    return by_side(a, a->event->is_turned, "ether.dest_mac", "ether.src_mac", m, v);
}

static bool get_destination_port(const struct asked *a, struct made *m, struct ft_source_value *v)
{
    return by_side(a, a->event->is_turned, "dest_port", "src_port", m, v);
}

static bool get_destination_address(const struct asked *a, struct made *m,
                                    struct ft_source_value *v)
{
    return by_side(a, a->event->source_is_server, "fieldtap.sub_addresses.server.text",
                   "fieldtap.sub_addresses.client.text", m, v);
}

/* All that is known of a device, in the order in which the incumbent lists it. */
static bool list_device(const struct asked *a, const char *const *sources, uint32_t count,
                        struct made *m, struct ft_source_value *v)
{
    uint32_t begin = m->length;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t before = m->length;
        if (before > begin)
            append(m, ", ", 2);
        if (!append_value(a, sources[i], (uint32_t)strlen(sources[i]), m))
            m->length = before;
    }
    *v = (struct ft_source_value){m->to + begin, m->length - begin};
    return v->length;
}

static bool get_source_device(const struct asked *a, struct made *m, struct ft_source_value *v)
{
    static const char *const sources[] = {"@source.mac", "@source.ip", "@source.name",
                                          "@source.vendor", "@source.os"};
    return list_device(a, sources, COUNT(sources), m, v);
}

static bool get_destination_device(const struct asked *a, struct made *m, struct ft_source_value *v)
{
    static const char *const sources[] = {"@destination.mac", "@destination.ip",
                                          "@destination.name", "@destination.vendor",
                                          "@destination.os"};
    return list_device(a, sources, COUNT(sources), m, v);
}

static bool get_source_name(const struct asked *a, struct made *m, struct ft_source_value *v)
{
    return by_side(a, a->event->is_turned, "fieldtap.devices.src.name asset.name",
                   "fieldtap.devices.dest.name", m, v);
}

static bool get_source_vendor(const struct asked *a, struct made *m, struct ft_source_value *v)
{
    return by_side(a, a->event->is_turned, "fieldtap.devices.src.vendor asset.vendor",
                   "fieldtap.devices.dest.vendor", m, v);
}

static bool get_source_os(const struct asked *a, struct made *m, struct ft_source_value *v)
{
    return by_side(a, a->event->is_turned, "fieldtap.devices.src.os asset.os",
                   "fieldtap.devices.dest.os", m, v);
}

static bool get_destination_name(const struct asked *a, struct made *m, struct ft_source_value *v)
{
    return by_side(a, a->event->is_turned, "fieldtap.devices.dest.name",
                   "fieldtap.devices.src.name", m, v);
}

static bool get_destination_vendor(const struct asked *a, struct made *m, struct ft_source_value *v)
{
    return by_side(a, a->event->is_turned, "fieldtap.devices.dest.vendor",
                   "fieldtap.devices.src.vendor", m, v);
}

static bool get_destination_os(const struct asked *a, struct made *m, struct ft_source_value *v)
{
    return by_side(a, a->event->is_turned, "fieldtap.devices.dest.os", "fieldtap.devices.src.os", m,
                   v);
}

static const struct {
    const char *name;
    bool (*get)(const struct asked *, struct made *, struct ft_source_value *);
    const char *meaning;
} computed[] = {
    {"@title", get_title, "what happened, in a few words; see the table of titles"},
    {"@message", get_message, "the message of a rule, else a sentence; see the table of messages"},
    {"@severity", get_severity, "of the finding, or of the health event"},
    {"@engine", get_engine, "of the finding; that of health events is operational"},
    {"@uuid", get_uuid,
     "alert_id, event_id or anomaly_id: the same for all lines about one alert; "
     "else event_uid"},
    {"@start", get_start, "when it was first seen, else the time stamp"},
    {"@sensor", get_sensor, "name of the sensor"},
    {"@version", get_version, "of fieldtap"},
    {"@address", get_address, "address of the sensor, where it is configured"},
    {"@site", get_site, "site of the sensor"},
    {"@zone", get_zone, "zone of the sensor, where it is configured"},
    {"@source", get_source,
     "IP address of who began it (alert.source, else src_ip), else its MAC "
     "address; of an asset: its own"},
    {"@source.ip", get_source_ip, "its IP address"},
    {"@source.mac", get_source_mac, "its MAC address"},
    {"@source.port", get_source_port, "its port"},
    {"@source.name", get_source_name, "its name in the inventory"},
    {"@source.vendor", get_source_vendor, "its vendor in the inventory"},
    {"@source.os", get_source_os, "its operating system in the inventory"},
    {"@source.address", get_source_address, "the device behind its address: unit, slot, ..."},
    {"@source.device", get_source_device,
     "MAC address, IP address, name, vendor, operating system"},
    {"@destination", get_destination, "the same of whom it is about: alert.target, else dest_ip"},
    {"@destination.ip", get_destination_ip, "its IP address"},
    {"@destination.mac", get_destination_mac, "its MAC address"},
    {"@destination.port", get_destination_port, "its port"},
    {"@destination.name", get_destination_name, "its name in the inventory"},
    {"@destination.vendor", get_destination_vendor, "its vendor in the inventory"},
    {"@destination.os", get_destination_os, "its operating system in the inventory"},
    {"@destination.address", get_destination_address, "the device behind its address"},
    {"@destination.device", get_destination_device, "as of the source"},
};

const char *ft_source_computed(uint32_t i, const char **meaning)
{
    if (i >= COUNT(computed))
        return NULL;
    *meaning = computed[i].meaning;
    return computed[i].name;
}

/* ---- the language ---- */

static bool one_value(const struct asked *a, const char *source, struct made *m,
                      struct ft_source_value *v)
{
    if (*source != '@')
        return of_json(ft_forward_at(a->event, source), m, v);
    for (uint32_t i = 0; i < COUNT(computed); i++)
        if (!strcmp(computed[i].name, source))
            return computed[i].get(a, m, v);
    return false;
}

/* The first of the alternatives, n bytes of text. */
static bool value_of(const struct asked *a, const char *source, uint32_t n, struct made *m,
                     struct ft_source_value *v)
{
    char one[SOURCE_MAX];
    for (const char *end = source + n; source < end;) {
        const char *blank = memchr(source, ' ', (size_t)(end - source));
        uint32_t length = (uint32_t)((blank ? blank : end) - source);
        if (length < sizeof(one)) {
            memcpy(one, source, length);
            one[length] = 0;
            if (one_value(a, one, m, v))
                return true;
        }
        source += length + 1;
    }
    return false;
}

bool ft_source_value(const struct ft_forward_sensor *sensor, const struct ft_forward_event *event,
                     const char *source, char room[FT_SOURCE_ROOM], struct ft_source_value *value)
{
    struct asked a = {sensor, event};
    struct made m = {.to = room, .size = FT_SOURCE_ROOM};
    if (*source == '=')
        return is_text(source + 1, value);
    return value_of(&a, source, (uint32_t)strlen(source), &m, value);
}
