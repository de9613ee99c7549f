/* SPDX-License-Identifier: BSD-3-Clause */
/* Which events a sink wants. */
#include "forward/sink_filter.h"

#include "base/nearest.h"

#include <stdarg.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct reading {
    struct ft_sink_filter *filter;
    const struct ft_sink_filter_reading *with;
    bool is_wrong;
};

struct key {
    const char *name;
    void (*read)(struct reading *, const char *key, const json_t *value);
    const char *meaning;
};

__attribute__((format(printf, 4, 5))) static void wrong(struct reading *r,
                                                        const struct ft_step *path, uint32_t steps,
                                                        const char *format, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    r->is_wrong = true;
    r->with->wrong(r->with->user, path, steps, text);
}

/* Some of a few names, i-th by a function that gives NULL behind the last. */
typedef const char *names_function(uint32_t i);

static const char *engine_name(uint32_t i)
{
    return ft_forward_engine_name(i);
}

static const char *type_name(uint32_t i)
{
    return ft_forward_type_name((enum ft_forward_type)i);
}

static const char *severity_name(uint32_t i)
{
    return ft_forward_severity_name(i + 1);
}

/* "a", "b" or "c" */
static void list_names(names_function *name, char *to, size_t size)
{
    size_t used = 0;
    *to = 0;
    for (uint32_t i = 0; name(i) && used < size; i++)
        used += (size_t)snprintf(to + used, size - used, "%s\"%s\"",
                                 !i            ? ""
                                 : name(i + 1) ? ", "
                                               : " or ",
                                 name(i));
}

static const char *nearest(names_function *name, const char *word)
{
    struct ft_nearest n = ft_nearest_begin(word);
    for (uint32_t i = 0; name(i); i++)
        ft_nearest_offer(&n, name(i));
    return n.best;
}

static void wrong_name(struct reading *r, const struct ft_step *path, uint32_t steps,
                       names_function *name, const json_t *value)
{
    char names[256], at[32] = "";
    const char *word = json_string_value(value), *better = word ? nearest(name, word) : NULL;
    list_names(name, names, sizeof(names));
    if (steps > 1)
        snprintf(at, sizeof(at), "[%u]", path[1].index);
    if (better)
        wrong(r, path, steps, "%s.%s%s: unknown name \"%s\"; did you mean \"%s\"?", r->with->prefix,
              path[0].key, at, word, better);
    else
        wrong(r, path, steps, "%s.%s%s: expected %s", r->with->prefix, path[0].key, at, names);
}

/* The number of a name; UINT32_MAX when it is none. */
static uint32_t find_name(names_function *name, const json_t *value)
{
    const char *word = json_string_value(value);
    for (uint32_t i = 0; word && name(i); i++)
        if (!strcmp(name(i), word))
            return i;
    return UINT32_MAX;
}

static void read_severity(struct reading *r, const char *key, const json_t *value)
{
    struct ft_step path = {key, 0};
    uint32_t found = find_name(severity_name, value);
    if (found == UINT32_MAX)
        wrong_name(r, &path, 1, severity_name, value);
    else
        r->filter->severity = found + 1;
}

/* An array, not empty: nothing would pass. */
static bool is_list(struct reading *r, const char *key, const json_t *value, const char *example)
{
    struct ft_step path = {key, 0};
    if (json_is_array(value) && json_array_size(value))
        return true;
    wrong(r, &path, 1, "%s.%s: expected a list, such as [\"%s\"]", r->with->prefix, key, example);
    return false;
}

static void read_bits(struct reading *r, const char *key, const json_t *value, names_function *name,
                      uint32_t *bits)
{
    struct ft_step path[2] = {{key, 0}, {NULL, 0}};
    if (!is_list(r, key, value, name(0)))
        return;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *one = json_array_get(value, i);
        uint32_t found = find_name(name, one);
        path[1].index = (uint32_t)i;
        if (found == UINT32_MAX)
            wrong_name(r, path, 2, name, one);
        else
            *bits |= 1u << found;
    }
}

static void read_engines(struct reading *r, const char *key, const json_t *value)
{
    read_bits(r, key, value, engine_name, &r->filter->engines);
}

static void read_types(struct reading *r, const char *key, const json_t *value)
{
    read_bits(r, key, value, type_name, &r->filter->types);
}

static bool is_protocol(const struct reading *r, const char *name)
{
    const char *const *valid = r->with->protocols;
    for (; valid && *valid; valid++)
        if (!strcmp(*valid, name))
            return true;
    return !valid;
}

static void read_protocol(struct reading *r, const struct ft_step *path, const json_t *value)
{
    struct ft_sink_filter *f = r->filter;
    const char *name = json_string_value(value);
    if (!name || !*name || strlen(name) >= FT_SINK_FILTER_NAME) {
        wrong(r, path, 2, "%s.%s[%u]: expected the name of a protocol, such as \"modbus\"",
              r->with->prefix, path[0].key, path[1].index);
    } else if (!is_protocol(r, name)) {
        struct ft_nearest n = ft_nearest_begin(name);
        for (const char *const *valid = r->with->protocols; *valid; valid++)
            ft_nearest_offer(&n, *valid);
        wrong(r, path, 2, "%s.%s[%u]: unknown protocol \"%s\"; %s%s%s", r->with->prefix,
              path[0].key, path[1].index, name,
              n.best ? "did you mean \"" : "fieldtap --list-protocols",
              n.best ? n.best : " lists them", n.best ? "\"?" : "");
    } else if (f->protocol_count == FT_SINK_FILTER_PROTOCOLS) {
        wrong(r, path, 2, "%s.%s: at most %u", r->with->prefix, path[0].key,
              FT_SINK_FILTER_PROTOCOLS);
    } else {
        snprintf(f->protocols[f->protocol_count++], FT_SINK_FILTER_NAME, "%s", name);
    }
}

static void read_protocols(struct reading *r, const char *key, const json_t *value)
{
    struct ft_step path[2] = {{key, 0}, {NULL, 0}};
    if (!is_list(r, key, value, "modbus"))
        return;
    for (size_t i = 0; i < json_array_size(value); i++) {
        path[1].index = (uint32_t)i;
        read_protocol(r, path, json_array_get(value, i));
    }
}

static void read_updates(struct reading *r, const char *key, const json_t *value)
{
    struct ft_step path = {key, 0};
    if (!json_is_boolean(value))
        wrong(r, &path, 1, "%s.%s: expected true or false", r->with->prefix, key);
    r->filter->leaves_out_updates = json_is_false(value);
}

static const struct key keys[] = {
    {"severity", read_severity, "the least severity that is sent"},
    {"engines", read_engines, "engines whose findings are sent"},
    {"protocols", read_protocols, "protocols whose events are sent"},
    {"types", read_types, "event types that are sent; transaction: of any protocol"},
    {"updates", read_updates, "false: only the first line about an alert, no further ones"},
};

static const char *key_name(uint32_t i)
{
    return i < COUNT(keys) ? keys[i].name : NULL;
}

static void read_key(struct reading *r, const char *name, const json_t *value)
{
    struct ft_step path = {name, 0};
    for (uint32_t i = 0; i < COUNT(keys); i++)
        if (!strcmp(keys[i].name, name)) {
            keys[i].read(r, name, value);
            return;
        }
    const char *better = nearest(key_name, name);
    if (better)
        wrong(r, &path, 1, "unknown key \"%s.%s\"; did you mean \"%s\"?", r->with->prefix, name,
              better);
    else
        wrong(r, &path, 1, "unknown key \"%s.%s\"; doc/forwarding-formats.md lists the keys",
              r->with->prefix, name);
}

bool ft_sink_filter_read(struct ft_sink_filter *filter, const json_t *object,
                         const struct ft_sink_filter_reading *reading)
{
    struct reading r = {filter, reading, false};
    const char *name;
    json_t *value;
    if (!json_is_object(object)) {
        wrong(&r, NULL, 0, "%s: expected an object {...}", reading->prefix);
        return false;
    }
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        read_key(&r, name, value);
    }
    return !r.is_wrong;
}

static bool is_of_protocol(const struct ft_sink_filter *f, const struct ft_forward_event *e)
{
    for (uint32_t i = 0; e->protocol.length && i < f->protocol_count; i++)
        if (strlen(f->protocols[i]) == e->protocol.length &&
            !memcmp(f->protocols[i], e->protocol.text, e->protocol.length))
            return true;
    return false;
}

bool ft_sink_filter_passes(const struct ft_sink_filter *filter,
                           const struct ft_forward_event *event)
{
    if (filter->severity && (!event->severity || event->severity > filter->severity))
        return false;
    if (filter->types && !(filter->types >> event->type & 1))
        return false;
    if (filter->engines &&
        (event->engine == FT_FORWARD_NO_ENGINE || !(filter->engines >> event->engine & 1)))
        return false;
    if (filter->leaves_out_updates && event->is_update)
        return false;
    return !filter->protocol_count || is_of_protocol(filter, event);
}

void ft_sink_filter_describe(const char *prefix, FILE *to)
{
    char names[5][256] = {"", "", "list of protocols", "", "true or false"};
    list_names(severity_name, names[0], sizeof(names[0]));
    list_names(engine_name, names[1], sizeof(names[1]));
    list_names(type_name, names[3], sizeof(names[3]));
    for (uint32_t i = 0; i < COUNT(keys); i++)
        fprintf(to, "%s.%s  %s%s  %s  (default %s)\n", prefix, keys[i].name,
                i == 1 || i == 3 ? "list of " : "", names[i], keys[i].meaning,
                i == 4 ? "true" : "all");
}
