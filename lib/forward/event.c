/* SPDX-License-Identifier: BSD-3-Clause */
/* A line of the journal, parsed. */
#include "forward/event.h"

#include "forward/local_time.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NAME_MAX 64u /* of a step of a path */

static const char *const types[] = {"alert",   "anomaly",   "asset", "flow",  "health",
                                    "message", "operation", "rule",  "stats", "transaction"};

static const struct {
    const char *name, *title;
} engines[] = {{"protocol_violation", "Protocol Violation"},
               {"policy_violation", "Policy Violation"},
               {"malware", "Malware"},
               {"anomaly", "Anomaly"},
               {"operational", "Operational"}},
  severities[] = {
      {"critical", "Critical"}, {"major", "Major"}, {"minor", "Minor"}, {"warning", "Warning"}};

#define OPERATIONAL 4u

const char *ft_forward_type_name(enum ft_forward_type type)
{
    return type < COUNT(types) ? types[type] : NULL;
}

const char *ft_forward_engine_name(uint32_t engine)
{
    return engine < COUNT(engines) ? engines[engine].name : NULL;
}

const char *ft_forward_engine_title(uint32_t engine)
{
    return engine < COUNT(engines) ? engines[engine].title : NULL;
}

const char *ft_forward_severity_name(uint32_t severity)
{
    return severity - 1 < COUNT(severities) ? severities[severity - 1].name : NULL;
}

const char *ft_forward_severity_title(uint32_t severity)
{
    return severity - 1 < COUNT(severities) ? severities[severity - 1].title : NULL;
}

const json_t *ft_forward_at(const struct ft_forward_event *event, const char *path)
{
    const json_t *at = event->root;
    char name[NAME_MAX];
    while (at && *path) {
        size_t n = strcspn(path, ".");
        if (n >= sizeof(name))
            return NULL;
        memcpy(name, path, n);
        name[n] = 0;
        at = json_object_get(at, name);
        path += n + (path[n] == '.');
    }
    return at;
}

const char *ft_forward_text(const struct ft_forward_event *event, const char *path)
{
    return json_string_value(ft_forward_at(event, path));
}

static enum ft_forward_type type_of(const char *name)
{
    for (uint32_t i = 0; name && i < FT_FORWARD_TRANSACTION; i++)
        if (!strcmp(name, types[i]))
            return (enum ft_forward_type)i;
    return FT_FORWARD_TRANSACTION;
}

static uint32_t severity_of(const char *name)
{
    for (uint32_t i = 0; name && i < COUNT(severities); i++)
        if (!strcmp(name, severities[i].name))
            return i + 1;
    return 0;
}

static uint32_t engine_of(const char *name)
{
    for (uint32_t i = 0; name && i < COUNT(engines); i++)
        if (!strcmp(name, engines[i].name))
            return i;
    return FT_FORWARD_NO_ENGINE;
}

static bool is_same(const struct ft_forward_event *event, const char *a, const char *b)
{
    const json_t *left = ft_forward_at(event, a), *right = ft_forward_at(event, b);
    return left && right && json_equal(left, right);
}

/* Who did it is `alert.source`, who sent this packet is `src_ip`: are they two? By the ports when
 * the addresses are the same. */
static void find_source(struct ft_forward_event *e)
{
    const char *direction = ft_forward_text(e, "direction");
    bool has_source = ft_forward_at(e, "alert.source.ip") != NULL;
    bool same_address = is_same(e, "src_ip", "dest_ip");
    e->is_turned = has_source && (same_address ? is_same(e, "alert.source.port", "dest_port") &&
                                                     !is_same(e, "alert.source.port", "src_port")
                                               : is_same(e, "alert.source.ip", "dest_ip"));
    /* Without source and target src is the client in these types, and who sent the packet in
     * others.
     */
    bool has_client = has_source || e->type == FT_FORWARD_OPERATION || e->type == FT_FORWARD_FLOW ||
                      e->type == FT_FORWARD_TRANSACTION;
    e->source_is_server = !has_client && direction && !strcmp(direction, "to_client");
}

bool ft_forward_event_read(struct ft_forward_event *event, const char *line, size_t length)
{
    *event = (struct ft_forward_event){.line = line,
                                       .length = (uint32_t)length,
                                       .type = FT_FORWARD_TRANSACTION,
                                       .engine = FT_FORWARD_NO_ENGINE};
    while (event->length && (line[event->length - 1] == '\n' || line[event->length - 1] == '\r'))
        event->length--;
    json_t *root = json_loadb(line, event->length, JSON_ALLOW_NUL, NULL);
    if (!json_is_object(root)) {
        json_decref(root);
        return false;
    }
    event->root = root;
    event->type = type_of(ft_forward_text(event, "event_type"));
    const json_t *time = ft_forward_at(event, "timestamp");
    if (json_is_string(time))
        ft_local_time_read(json_string_value(time), json_string_length(time), &event->time_ns);
    bool is_health = event->type == FT_FORWARD_HEALTH;
    event->severity =
        severity_of(ft_forward_text(event, is_health ? "health.severity" : "fieldtap.severity"));
    event->engine = is_health ? OPERATIONAL : engine_of(ft_forward_text(event, "fieldtap.engine"));
    const char *state = ft_forward_text(event, "fieldtap.state");
    event->is_update = state && !strcmp(state, "updated");
    find_source(event);
    return true;
}

void ft_forward_event_free(struct ft_forward_event *event)
{
    json_decref(event->root);
    event->root = NULL;
}
