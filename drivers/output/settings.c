/* SPDX-License-Identifier: BSD-3-Clause */
/* A sink of outputs[]: its name, its kind, the keys that this kind has. */
#include "output/settings.h"

#include "base/nearest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void read_key(struct ft_sink_reading *r, const struct ft_sink_table *tables, uint32_t count,
                     const char *name, const json_t *value)
{
    struct ft_nearest n = ft_nearest_begin(name);
    for (uint32_t t = 0; t < count; t++)
        for (uint32_t i = 0; i < tables[t].count; i++) {
            ft_nearest_offer(&n, tables[t].keys[i].name);
            if (!strcmp(tables[t].keys[i].name, name)) {
                ft_sink_read_value(r, &tables[t].keys[i], value, tables[t].state);
                return;
            }
        }
    if (n.best)
        ft_sink_wrong(r, name, "unknown key; did you mean \"%s\"?", n.best);
    else
        ft_sink_wrong(r, name, "unknown key; doc/forwarding.md lists the keys of each kind");
}

static const char *kind_name(uint32_t i)
{
    const struct ft_sink_kind *kind = ft_sink_kind(i);
    return kind ? kind->name : NULL;
}

static bool is_name(const char *name)
{
    size_t n = strlen(name);
    return n && n < FT_SINK_NAME_SIZE &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == n;
}

static void read_name(struct ft_sink_reading *r, struct ft_sink *s, const json_t *object)
{
    const json_t *value = json_object_get(object, "name");
    const char *name = json_string_value(value);
    if (!value) {
        ft_sink_wrong(r, NULL, "a sink needs a name, such as \"name\": \"siem\"");
    } else if (!name || !is_name(name)) {
        ft_sink_wrong(r, "name", "expected 1 to %u letters, digits, - and _",
                      FT_SINK_NAME_SIZE - 1);
    } else {
        for (uint32_t i = 0; i < r->sinks->count; i++)
            if (!strcmp(r->sinks->sinks[i].name, name))
                ft_sink_wrong(r, "name", "there is a sink \"%s\" already", name);
        snprintf(s->name, sizeof(s->name), "%s", name);
    }
}

static const struct ft_sink_kind *read_kind(struct ft_sink_reading *r, const json_t *object)
{
    const json_t *value = json_object_get(object, "kind");
    const char *name = json_string_value(value);
    struct ft_nearest n = ft_nearest_begin(name ? name : "");
    char names[256];
    const struct ft_sink_kind *kind;
    for (uint32_t i = 0; name && (kind = ft_sink_kind(i)); i++) {
        ft_nearest_offer(&n, kind->name);
        if (strcmp(kind->name, name) != 0)
            continue;
        if (!kind->lacks)
            return kind;
        ft_sink_wrong(r, "kind", "this fieldtap was built without %s, which \"%s\" needs",
                      kind->lacks, name);
        return NULL;
    }
    ft_sink_list_names(kind_name, names, sizeof(names));
    if (name && n.best)
        ft_sink_wrong(r, "kind", "unknown kind \"%s\"; did you mean \"%s\"?", name, n.best);
    else
        ft_sink_wrong(r, value ? "kind" : NULL, "%s%s",
                      value ? "expected " : "a sink needs a kind: ", names);
    return NULL;
}

static void demand_keys(struct ft_sink_reading *r, const struct ft_sink_kind *kind,
                        const json_t *object)
{
    for (uint32_t i = 0; i < kind->key_count; i++)
        if (kind->keys[i].is_required && !json_object_get(object, kind->keys[i].name))
            ft_sink_wrong(r, NULL, "\"%s\" is missing: %s", kind->keys[i].name,
                          kind->keys[i].meaning);
}

static void read_keys(struct ft_sink_reading *r, struct ft_sink *s, const json_t *object)
{
    struct ft_sink_table tables[FT_SINK_TABLES];
    uint32_t count = ft_sink_tables(s->kind, s, tables);
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        read_key(r, tables, count, name, value);
    }
    demand_keys(r, s->kind, object);
}

void ft_sink_read(struct ft_sink_reading *r, struct ft_sink *s, const json_t *object)
{
    if (!json_is_object(object)) {
        ft_sink_wrong(r, NULL, "expected an object {...}");
        return;
    }
    read_name(r, s, object);
    s->kind = read_kind(r, object);
    if (!s->kind)
        return;
    s->state = calloc(1, s->kind->state_size);
    if (!s->state) {
        ft_sink_wrong(r, NULL, "out of memory");
        return;
    }
    s->options = r->sinks->options;
    s->sinks = r->sinks;
    s->body.sensor = s->options->sensor;
    s->batch = s->kind->batch;
    s->linger_ms = s->kind->linger_ms;
    s->settle_ms = s->kind->settle_ms;
    s->retry_ms = 30000;
    s->kind->init(s->state);
    read_keys(r, s, object);
    if (r->is_wrong)
        return;
    if (s->kind->check_settings)
        s->kind->check_settings(r, s, s->state);
    s->kind->target(s, s->state, s->target, sizeof(s->target));
}

void ft_sink_clear(struct ft_sink *s)
{
    if (s->kind && s->state && s->kind->free)
        s->kind->free(s->state);
    free(s->state);
    ft_time_zone_free(s->zone);
}
