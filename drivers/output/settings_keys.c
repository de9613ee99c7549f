/* SPDX-License-Identifier: BSD-3-Clause */
/* The keys of outputs[] that are not those of one kind. */
#include "output/settings.h"

#include <stdio.h>
#include <string.h>

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
    ft_sink_add_error(r, whole, 3 + (steps < 5 ? steps : 5), text);
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

const struct ft_sink_table ft_sink_common_tables[3] = {
    {common_keys, COUNT(common_keys), NULL},
    {body_keys, COUNT(body_keys), NULL},
    {settle_keys, COUNT(settle_keys), NULL},
};

uint32_t ft_sink_tables(const struct ft_sink_kind *kind, struct ft_sink *s,
                        struct ft_sink_table tables[FT_SINK_TABLES])
{
    uint32_t n = 0;
    tables[n++] = (struct ft_sink_table){common_keys, COUNT(common_keys), s};
    if (kind->has_body)
        tables[n++] = (struct ft_sink_table){body_keys, COUNT(body_keys), s};
    if (kind->settle_ms)
        tables[n++] = (struct ft_sink_table){settle_keys, COUNT(settle_keys), s};
    tables[n++] = (struct ft_sink_table){kind->keys, kind->key_count, s ? s->state : NULL};
    return n;
}
