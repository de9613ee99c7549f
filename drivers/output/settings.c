/* SPDX-License-Identifier: BSD-3-Clause */
/* outputs[] of the configuration: which sinks there are. All errors are told, each with its place.
 */
#include "output/internal.h"

#include "base/nearest.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (16u << 20)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- errors ---- */

static void add_error(struct ft_sink_reading *r, const struct ft_step *path, uint32_t steps,
                      const char *text)
{
    struct ft_place place = {1, 1};
    if (r->text)
        place = ft_locate(r->text, path, steps);
    r->is_wrong = true;
    if (r->used >= r->size)
        return;
    int n = snprintf(r->error + r->used, r->size - r->used, "%s%s:%u:%u: %s", r->used ? "\n" : "",
                     r->file, place.line, place.column, text);
    r->used += n > 0 ? (size_t)n : 0;
}

__attribute__((format(printf, 4, 0))) static void add_error_at(struct ft_sink_reading *r,
                                                               const char *key,
                                                               const struct ft_step *below,
                                                               const char *format, va_list ap)
{
    struct ft_step path[4] = {{"outputs", 0}, {NULL, r->index}, {key, 0}, {NULL, 0}};
    char text[512], at[64] = "";
    int n =
        snprintf(text, sizeof(text), "outputs[%u]%s%s", r->index, key ? "." : "", key ? key : "");
    if (below && below->key)
        snprintf(at, sizeof(at), ".%s", below->key);
    else if (below)
        snprintf(at, sizeof(at), "[%u]", below->index);
    n += snprintf(text + n, sizeof(text) - (size_t)n, "%s: ", at);
    vsnprintf(text + n, sizeof(text) - (size_t)n, format, ap);
    if (below)
        path[3] = *below;
    add_error(r, path, 2 + (key != NULL) + (below != NULL), text);
}

void ft_sink_wrong(struct ft_sink_reading *r, const char *key, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    add_error_at(r, key, NULL, format, ap);
    va_end(ap);
}

void ft_sink_wrong_below(struct ft_sink_reading *r, const char *key, struct ft_step below,
                         const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    add_error_at(r, key, &below, format, ap);
    va_end(ap);
}

/* ---- keys of all sinks ---- */

static const char *start_name(uint32_t i)
{
    static const char *const names[] = {"oldest", "newest"};
    return i < COUNT(names) ? names[i] : NULL;
}

static const char *format_name(uint32_t i)
{
    return ft_body_format_name((enum ft_body_format)i);
}

static const char *dialect_name(uint32_t i)
{
    return ft_dialect_name((enum ft_dialect)i);
}

static const char *kind_name(uint32_t i)
{
    const struct ft_sink_kind *kind = ft_sink_kind(i);
    return kind ? kind->name : NULL;
}

static void read_enabled(struct ft_sink_reading *r, const json_t *value, void *to)
{
    struct ft_sink *s = to;
    if (!json_is_boolean(value))
        ft_sink_wrong(r, "enabled", "expected true or false");
    s->is_disabled = json_is_false(value);
}

static void read_time_zone(struct ft_sink_reading *r, const json_t *value, void *to)
{
    struct ft_sink *s = to;
    char why[160] = "expected a text in quotes, such as \"Europe/Berlin\"";
    if (json_is_string(value))
        s->zone = ft_time_zone_new(json_string_value(value), why, sizeof(why));
    if (!s->zone)
        ft_sink_wrong(r, "time_zone", "%s", why);
    s->body.zone = s->zone;
}

/* The path of the filter's own begins below outputs[i].filter. */
static void wrong_in_filter(void *user, const struct ft_step *path, uint32_t steps,
                            const char *text)
{
    struct ft_sink_reading *r = user;
    struct ft_step whole[8] = {{"outputs", 0}, {NULL, r->index}, {"filter", 0}};
    for (uint32_t i = 0; i < steps && i < 5; i++)
        whole[3 + i] = path[i];
    add_error(r, whole, 3 + (steps < 5 ? steps : 5), text);
}

static void read_filter(struct ft_sink_reading *r, const json_t *value, void *to)
{
    struct ft_sink *s = to;
    char prefix[48];
    snprintf(prefix, sizeof(prefix), "outputs[%u].filter", r->index);
    struct ft_sink_filter_reading with = {.prefix = prefix,
                                          .protocols = r->sinks->options->protocols,
                                          .wrong = wrong_in_filter,
                                          .user = r};
    ft_sink_filter_read(&s->filter, value, &with);
}

static void read_delimiter(struct ft_sink_reading *r, const json_t *value, void *to)
{
    struct ft_sink *s = to;
    const char *text = json_string_value(value);
    if (text && strlen(text) == 1 && ft_body_is_delimiter(*text))
        s->body.delimiter = *text;
    else
        ft_sink_wrong(r, "delimiter",
                      "expected a tab or one of ^~;#!$%%&* and the backtick, such as \"^\"");
}

/* Known before all others. */
static void read_nothing(struct ft_sink_reading *r, const json_t *value, void *to)
{
    (void)r;
    (void)value;
    (void)to;
}

#define AT(member) offsetof(struct ft_sink, member)

/* clang-format off */
static const struct ft_sink_key common_keys[] = {
    {.name = "name", .kind = FT_SINK_KEY_OWN,
     .values = "text", .is_required = true, .own = read_nothing,
     .standard = "none",
     .meaning = "text of 1 to 40 letters, digits, - and _; a sink of another name begins anew"},
    {.name = "kind", .kind = FT_SINK_KEY_OWN,
     .values = "text", .is_required = true, .own = read_nothing,
     .standard = "none", .meaning = "which of the kinds below"},
    {.name = "enabled", .kind = FT_SINK_KEY_OWN,
     .values = "true or false", .own = read_enabled, .standard = "true",
     .meaning = "false: checked, and not used"},
    {.name = "filter", .kind = FT_SINK_KEY_OWN,
     .values = "object", .own = read_filter, .standard = "{}",
     .meaning = "which events: doc/forwarding-formats.md, Filters"},
    {.name = "time_zone", .kind = FT_SINK_KEY_OWN,
     .values = "text", .own = read_time_zone, .standard = "\"UTC\"",
     .meaning = "of dates in bodies and headers: \"Europe/Berlin\", \"+01:00\""},
    {.name = "start", .kind = FT_SINK_KEY_WORD, .names = start_name, .offset = AT(start),
     .standard = "\"oldest\"",
     .meaning = "where a sink begins that never ran: with all that the journal has, or what comes"},
    {.name = "max_rate", .kind = FT_SINK_KEY_NUMBER, .high = 10000000, .offset = AT(max_rate),
     .standard = "0",
     .meaning = "records a second at most, when it catches up, too; 0: any"},
    {.name = "batch", .kind = FT_SINK_KEY_NUMBER, .low = 1, .high = 10000, .offset = AT(batch),
     .standard = "by kind", .meaning = "records that are sent together, at most"},
    {.name = "linger_ms", .kind = FT_SINK_KEY_NUMBER, .high = 60000, .offset = AT(linger_ms),
     .standard = "by kind", .meaning = "milliseconds that a batch may wait to be filled"},
    {.name = "retry_ms", .kind = FT_SINK_KEY_NUMBER, .low = 100, .high = 3600000,
     .offset = AT(retry_ms), .standard = "30000",
     .meaning = "milliseconds between tries, at most; they begin at a quarter of a second"},
};

static const struct ft_sink_key body_keys[] = {
    {.name = "format", .kind = FT_SINK_KEY_WORD, .names = format_name, .offset = AT(body.format),
     .standard = "\"json\"", .meaning = "the body: doc/forwarding-formats.md"},
    {.name = "dialect", .kind = FT_SINK_KEY_WORD, .names = dialect_name, .offset = AT(body.dialect),
     .standard = "\"defender\"", .meaning = "whose keys alerts have in cef and leef"},
    {.name = "delimiter", .kind = FT_SINK_KEY_OWN,
     .values = "one character", .own = read_delimiter, .standard = "a tab",
     .meaning = "between the pairs of leef2"},
};

static const struct ft_sink_key settle_keys[] = {
    {.name = "settle_ms", .kind = FT_SINK_KEY_NUMBER, .low = 100, .high = 60000,
     .offset = AT(settle_ms), .standard = "by kind",
     .meaning = "milliseconds that a connection must stand behind a record before it counts as "
                "delivered; what was sent since is sent again when it breaks"},
};
/* clang-format on */

/* ---- values ---- */

/* "a", "b" or "c" */
static void list_names(const char *(*names)(uint32_t), char *to, size_t size)
{
    size_t used = 0;
    *to = 0;
    for (uint32_t i = 0; names(i) && used < size; i++) {
        const char *between = !i ? "" : names(i + 1) ? ", " : " or ";
        used += (size_t)snprintf(to + used, size - used, "%s\"%s\"", between, names(i));
    }
}

static void read_word(struct ft_sink_reading *r, const struct ft_sink_key *k, const json_t *value,
                      uint32_t *to)
{
    const char *word = json_string_value(value);
    char names[256];
    struct ft_nearest n = ft_nearest_begin(word ? word : "");
    for (uint32_t i = 0; word && k->names(i); i++) {
        ft_nearest_offer(&n, k->names(i));
        if (!strcmp(word, k->names(i))) {
            *to = i;
            return;
        }
    }
    list_names(k->names, names, sizeof(names));
    if (word && n.best)
        ft_sink_wrong(r, k->name, "unknown name \"%s\"; did you mean \"%s\"?", word, n.best);
    else
        ft_sink_wrong(r, k->name, "expected %s", names);
}

static void read_mode(struct ft_sink_reading *r, const struct ft_sink_key *k, const json_t *value,
                      uint32_t *to)
{
    const char *text = json_string_value(value);
    char *end = NULL;
    unsigned long mode = text ? strtoul(text, &end, 8) : 0;
    if (!text || !*text || *end || mode > 0777 || !(mode & 0600))
        ft_sink_wrong(r, k->name, "expected permissions as octal text, such as %s", k->standard);
    else
        *to = (uint32_t)mode;
}

static void read_number(struct ft_sink_reading *r, const struct ft_sink_key *k, const json_t *value,
                        void *to)
{
    json_int_t n = json_integer_value(value);
    if (!json_is_integer(value) || n < 0 || (uint64_t)n < k->low || (uint64_t)n > k->high)
        ft_sink_wrong(r, k->name, "expected a whole number from %llu to %llu",
                      (unsigned long long)k->low, (unsigned long long)k->high);
    else if (k->kind == FT_SINK_KEY_LONG)
        *(uint64_t *)to = (uint64_t)n;
    else
        *(uint32_t *)to = (uint32_t)n;
}

static void read_value(struct ft_sink_reading *r, const struct ft_sink_key *k, const json_t *value,
                       void *state)
{
    void *to = (char *)state + k->offset;
    size_t n = json_string_length(value);
    switch (k->kind) {
    case FT_SINK_KEY_TEXT:
        if (!json_is_string(value) || n < k->low || n > k->high)
            ft_sink_wrong(r, k->name, "expected a text of %llu to %llu characters",
                          (unsigned long long)k->low, (unsigned long long)k->high);
        else
            *(const char **)to = json_string_value(value);
        return;
    case FT_SINK_KEY_NUMBER:
    case FT_SINK_KEY_LONG:
        read_number(r, k, value, to);
        return;
    case FT_SINK_KEY_TRUTH:
        if (!json_is_boolean(value))
            ft_sink_wrong(r, k->name, "expected true or false");
        *(bool *)to = json_is_true(value);
        return;
    case FT_SINK_KEY_WORD:
        read_word(r, k, value, to);
        return;
    case FT_SINK_KEY_MODE:
        read_mode(r, k, value, to);
        return;
    case FT_SINK_KEY_OWN:
        k->own(r, value, state);
        return;
    }
}

/* The tables that a kind has, and what their keys are written to. */
struct table {
    const struct ft_sink_key *keys;
    uint32_t count;
    void *state;
};
#define TABLES 4u

static uint32_t tables_of(const struct ft_sink_kind *kind, struct ft_sink *s,
                          struct table tables[TABLES])
{
    uint32_t n = 0;
    tables[n++] = (struct table){common_keys, COUNT(common_keys), s};
    if (kind->has_body)
        tables[n++] = (struct table){body_keys, COUNT(body_keys), s};
    if (kind->settle_ms)
        tables[n++] = (struct table){settle_keys, COUNT(settle_keys), s};
    tables[n++] = (struct table){kind->keys, kind->key_count, s ? s->state : NULL};
    return n;
}

static void read_key(struct ft_sink_reading *r, const struct table *tables, uint32_t count,
                     const char *name, const json_t *value)
{
    struct ft_nearest n = ft_nearest_begin(name);
    for (uint32_t t = 0; t < count; t++)
        for (uint32_t i = 0; i < tables[t].count; i++) {
            ft_nearest_offer(&n, tables[t].keys[i].name);
            if (!strcmp(tables[t].keys[i].name, name)) {
                read_value(r, &tables[t].keys[i], value, tables[t].state);
                return;
            }
        }
    if (n.best)
        ft_sink_wrong(r, name, "unknown key; did you mean \"%s\"?", n.best);
    else
        ft_sink_wrong(r, name, "unknown key; doc/forwarding.md lists the keys of each kind");
}

/* ---- a sink ---- */

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
    list_names(kind_name, names, sizeof(names));
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
    struct table tables[TABLES];
    uint32_t count = tables_of(s->kind, s, tables);
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

/* ---- the reference ---- */

static void values_of(const struct ft_sink_key *k, char *text, size_t size)
{
    unsigned long long low = k->low, high = k->high;
    switch (k->kind) {
    case FT_SINK_KEY_TEXT:
        snprintf(text, size, "text of %llu to %llu", low, high);
        return;
    case FT_SINK_KEY_NUMBER:
    case FT_SINK_KEY_LONG:
        snprintf(text, size, "%llu to %llu", low, high);
        return;
    case FT_SINK_KEY_TRUTH:
        snprintf(text, size, "true or false");
        return;
    case FT_SINK_KEY_WORD:
        list_names(k->names, text, size);
        return;
    case FT_SINK_KEY_MODE:
        snprintf(text, size, "octal number as text");
        return;
    case FT_SINK_KEY_OWN:
        snprintf(text, size, "%s", k->values);
        return;
    }
}

static void describe_keys(FILE *to, const char *prefix, const struct ft_sink_key *keys,
                          uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        char values[256];
        values_of(&keys[i], values, sizeof(values));
        fprintf(to, "%s.%s  %s  %s  (default %s)\n", prefix, keys[i].name, values, keys[i].meaning,
                keys[i].standard);
    }
}

void ft_sinks_describe(FILE *to)
{
    const struct ft_sink_kind *kind;
    describe_keys(to, "outputs[]", common_keys, COUNT(common_keys));
    describe_keys(to, "outputs[]", body_keys, COUNT(body_keys));
    describe_keys(to, "outputs[]", settle_keys, COUNT(settle_keys));
    for (uint32_t i = 0; (kind = ft_sink_kind(i)); i++) {
        char prefix[64];
        snprintf(prefix, sizeof(prefix), "outputs[%s]", kind->name);
        describe_keys(to, prefix, kind->keys, kind->key_count);
    }
}

/* ---- all of them ---- */

static bool read_all(struct ft_sink_reading *r, const json_t *outputs)
{
    struct ft_sinks *all = r->sinks;
    const struct ft_step path[1] = {{"outputs", 0}};
    size_t n = json_array_size(outputs);
    if (!outputs)
        return true;
    if (!json_is_array(outputs) || n > FT_SINKS_MAX) {
        char text[96];
        snprintf(text, sizeof(text), "outputs: expected a list of at most %u sinks [{...}, ...]",
                 FT_SINKS_MAX);
        add_error(r, path, 1, text);
        return false;
    }
    all->sinks = calloc(n ? n : 1, sizeof(*all->sinks));
    if (!all->sinks) {
        add_error(r, path, 1, "out of memory");
        return false;
    }
    bool is_right = true;
    for (r->index = 0; r->index < n; r->index++) {
        r->is_wrong = false;
        ft_sink_read(r, &all->sinks[all->count], json_array_get(outputs, r->index));
        all->count++;
        is_right = is_right && !r->is_wrong;
    }
    return is_right;
}

/* Those that are not used are gone, once they were checked. */
static void leave_out_disabled(struct ft_sinks *all)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < all->count; i++) {
        if (all->sinks[i].is_disabled)
            ft_sink_clear(&all->sinks[i]);
        else
            all->sinks[kept++] = all->sinks[i];
    }
    all->count = kept;
}

static void prepare(struct ft_sink *s)
{
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&s->told, &monotonic);
    pthread_condattr_destroy(&monotonic);
    s->wake_fd = -1;
    s->stats.name = s->name;
    s->stats.kind = s->kind->name;
    s->stats.target = s->target;
}

struct ft_sinks *ft_sinks_new(const json_t *outputs, const char *file, const char *text,
                              const struct ft_sinks_options *options, char *error,
                              size_t error_size)
{
    struct ft_sinks *all = calloc(1, sizeof(*all));
    if (error_size)
        *error = 0;
    if (!all) {
        snprintf(error, error_size, "%s: out of memory", file);
        return NULL;
    }
    struct ft_sink_reading r = {
        .sinks = all, .file = file, .text = text, .error = error, .size = error_size};
    all->options = options;
    all->outputs = json_incref((json_t *)(uintptr_t)outputs);
    if (!read_all(&r, outputs)) {
        for (uint32_t i = 0; i < all->count; i++)
            ft_sink_clear(&all->sinks[i]);
        json_decref(all->outputs);
        free(all->sinks);
        free(all);
        return NULL;
    }
    leave_out_disabled(all);
    pthread_mutex_init(&all->lock, NULL);
    for (uint32_t i = 0; i < all->count; i++)
        prepare(&all->sinks[i]);
    return all;
}

bool ft_sinks_free(struct ft_sinks *all)
{
    if (!all)
        return true;
    for (uint32_t i = 0; i < all->count; i++)
        if (all->sinks[i].is_running)
            return false;
    for (uint32_t i = 0; i < all->count; i++) {
        pthread_mutex_destroy(&all->sinks[i].lock);
        pthread_cond_destroy(&all->sinks[i].told);
        ft_sink_clear(&all->sinks[i]);
    }
    pthread_mutex_destroy(&all->lock);
    json_decref(all->outputs);
    free(all->sinks);
    free(all);
    return true;
}

/* The file as text; NULL and a sentence. */
static char *slurp(const char *file, char *error, size_t error_size)
{
    FILE *f = fopen(file, "rbe");
    char *text = f ? malloc(FILE_MAX + 1) : NULL;
    size_t n = text ? fread(text, 1, FILE_MAX, f) : 0;
    if (!text || ferror(f))
        snprintf(error, error_size, "%s: %s", file, strerror(errno));
    if (f)
        fclose(f);
    if (text)
        text[n] = 0;
    return text;
}

struct ft_sinks *ft_sinks_read(const char *file, const struct ft_sinks_options *options,
                               char *error, size_t error_size)
{
    char *text = slurp(file, error, error_size);
    json_error_t where;
    if (!text)
        return NULL;
    const char *begin = strncmp(text, "\xef\xbb\xbf", 3) ? text : text + 3;
    json_t *root = json_loads(begin, 0, &where);
    struct ft_sinks *all = NULL;
    if (root)
        all =
            ft_sinks_new(json_object_get(root, "outputs"), file, begin, options, error, error_size);
    else
        snprintf(error, error_size, "%s:%d:%d: cannot be read as JSON: %s", file, where.line,
                 where.column > 0 ? where.column : 1, where.text);
    json_decref(root);
    free(text);
    return all;
}
