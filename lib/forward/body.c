/* SPDX-License-Identifier: BSD-3-Clause */
/* What a sink says of an event. */
#include "forward/body.h"

#include "base/utf8.h"
#include "forward/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define PAIR_MAX    1023u /* bytes of a value: of msg, the longest, CEF's dictionary says so */
#define VALUE_MAX   2048u /* of other formats: the longest message of a rule */
#define NAME_MAX    512u  /* of CEF's name */
#define VENDOR_MAX  63u   /* of CEF's vendor and product */
#define VERSION_MAX 31u

const char *ft_body_format_name(enum ft_body_format format)
{
    static const char *const names[] = {"json", "text", "object", "cef", "leef", "leef2"};
    return format < COUNT(names) ? names[format] : NULL;
}

const char *ft_dialect_name(enum ft_dialect dialect)
{
    static const char *const names[] = {"defender", "standard"};
    return dialect < COUNT(names) ? names[dialect] : NULL;
}

bool ft_body_is_delimiter(char c)
{
    return c == '\t' || (c && strchr("^~;#!$%&*`", c));
}

/* ---- values ---- */

struct pen {
    const struct ft_body *body;
    const struct ft_forward_event *event;
};

/* A value as a row wants it written, and what it is made in. */
struct written {
    char room[FT_SOURCE_ROOM];
    char scratch[FT_TIME_SIZE];
    struct ft_source_value value;
};

static bool set(struct written *w, const char *text)
{
    w->value = (struct ft_source_value){text, text ? (uint32_t)strlen(text) : 0};
    return text != NULL;
}

static bool write_severity(struct written *w, uint32_t severity, bool is_number)
{
    static const char *const numbers[] = {"0", "10", "8", "4", "1"};
    if (is_number)
        return severity && set(w, numbers[severity]);
    return set(w, ft_forward_severity_title(severity));
}

static bool write_time(const struct pen *pen, struct written *w, enum ft_row_as as)
{
    uint64_t ns;
    if (!ft_local_time_read(w->value.text, w->value.length, &ns))
        return false;
    if (as == FT_ROW_TIME)
        ft_time_for_people(w->scratch, ns, pen->body->zone);
    else
        *ft_decimal(w->scratch, ns / 1000000) = 0;
    return set(w, w->scratch);
}

static void cut_behind_first(struct ft_source_value *v)
{
    const char *comma = memchr(v->text, ',', v->length);
    v->length = comma ? (uint32_t)(comma - v->text) : v->length;
}

/* The value of a row as text; false when there is none. */
static bool row_value(const struct pen *pen, const struct ft_row *row, struct written *w)
{
    const struct ft_forward_event *e = pen->event;
    if (!ft_source_value(&pen->body->sensor, e, row->source, w->room, &w->value))
        return false;
    switch (row->as) {
    case FT_ROW_SEVERITY:
    case FT_ROW_SEVERITY_NUMBER:
        return write_severity(w, e->severity, row->as == FT_ROW_SEVERITY_NUMBER);
    case FT_ROW_ENGINE:
        return set(w, ft_forward_engine_title(e->engine));
    case FT_ROW_TIME:
    case FT_ROW_MILLISECONDS:
        return write_time(pen, w, row->as);
    case FT_ROW_IPV4:
    case FT_ROW_IPV6:
        return (memchr(w->value.text, ':', w->value.length) != NULL) == (row->as == FT_ROW_IPV6);
    case FT_ROW_FIRST:
        cut_behind_first(&w->value);
        return true;
    default:
        return true;
    }
}

const char *ft_row_as_meaning(enum ft_row_as as)
{
    static const char *const meanings[] = {
        [FT_ROW_TEXT] = "text",
        [FT_ROW_SEVERITY] = "Critical, Major, Minor, Warning",
        [FT_ROW_SEVERITY_NUMBER] = "10, 8, 4, 1",
        [FT_ROW_ENGINE] = "Policy Violation, ...",
        [FT_ROW_TIME] = "Jan 31 2026 10:20:30",
        [FT_ROW_MILLISECONDS] = "milliseconds since 1970 UTC",
        [FT_ROW_IPV4] = "if it is IPv4",
        [FT_ROW_IPV6] = "if it is IPv6",
        [FT_ROW_FIRST] = "the first",
        [FT_ROW_LIST] = "list of texts",
        [FT_ROW_BOOL] = "true or false",
        [FT_ROW_DETAILS] = "description, information[]",
    };
    return meanings[as];
}

/* ---- lines of pairs: text, CEF, LEEF ---- */

/* How pairs stand one behind the other. */
struct pairs {
    enum ft_text_as as;
    char delimiter;
    const char *between, *equals, *mark;
    uint32_t max; /* bytes of a value; see put_pair() */
};

static void put_pair(struct ft_text *t, const struct pairs *how, bool is_first,
                     const struct ft_row *row, const struct ft_source_value *v)
{
    /* Of a small body a quarter, so that one value does not displace all others. */
    uint32_t max = t->size / 4 < how->max ? t->size / 4 : how->max;
    if (!is_first)
        ft_text_string(t, how->between);
    if (row->label && how->as == FT_TEXT_CEF_VALUE) {
        ft_text_string(t, row->key);
        ft_text_string(t, "Label=");
        ft_text_string(t, row->label);
        ft_text_string(t, how->between);
    }
    ft_text_string(t, row->key);
    ft_text_string(t, how->equals);
    ft_text_value(t, how->as, how->delimiter, v->text, v->length, max);
}

/* All pairs of a table for which there is room. */
static void put_pairs(struct ft_text *t, const struct pen *pen,
                      const struct ft_forward_table *table, const struct pairs *how)
{
    uint32_t begin = t->length, mark = (uint32_t)strlen(how->mark);
    bool is_cut = false;
    struct written w;
    t->size -= mark;
    for (uint32_t p = 0; p < FT_FORWARD_TABLE_PARTS; p++)
        for (uint32_t i = 0; i < table->parts[p].count; i++) {
            const struct ft_row *row = &table->parts[p].rows[i];
            struct ft_text before = *t;
            if (!row_value(pen, row, &w) && !set(&w, row->missing))
                continue;
            put_pair(t, how, t->length == begin, row, &w.value);
            if (t->is_full)
                *t = before;
            is_cut |= before.length == t->length;
        }
    t->size += mark;
    if (is_cut)
        ft_text_string(t, how->mark + (t->length == begin ? strlen(how->between) : 0));
}

static void write_text(struct ft_text *t, const struct pen *pen)
{
    static const struct pairs how = {FT_TEXT_PLAIN, 0, ", ", ": ", ", Truncated: true", VALUE_MAX};
    put_pairs(t, pen, ft_forward_table(FT_FORWARD_TABLE_TEXT, pen->body->dialect, pen->event->type),
              &how);
}

static void put_header(struct ft_text *t, const struct pen *pen, enum ft_text_as as,
                       const char *source, uint32_t max)
{
    struct written w;
    if (ft_source_value(&pen->body->sensor, pen->event, source, w.room, &w.value))
        ft_text_value(t, as, 0, w.value.text, w.value.length, max);
    ft_text_raw(t, "|", 1);
}

/* In the least room the header takes 390 bytes at most, each character of its texts escaped. */
static uint32_t name_max(const struct ft_text *t)
{
    return t->size / 8 < NAME_MAX ? t->size / 8 : NAME_MAX;
}

static void write_cef(struct ft_text *t, const struct pen *pen)
{
    static const struct pairs how = {FT_TEXT_CEF_VALUE,         0,       " ", "=",
                                     " fieldtapTruncated=true", PAIR_MAX};
    static const struct ft_row severity = {NULL, "@severity", FT_ROW_SEVERITY_NUMBER, "0", NULL};
    const struct ft_forward_table *table =
        ft_forward_table(FT_FORWARD_TABLE_CEF, pen->body->dialect, pen->event->type);
    const struct ft_forward_table_header *h = table->header;
    struct written w;
    ft_text_string(t, "CEF:0|");
    put_header(t, pen, FT_TEXT_CEF_HEADER, h->vendor, VENDOR_MAX);
    put_header(t, pen, FT_TEXT_CEF_HEADER, h->product, VENDOR_MAX);
    put_header(t, pen, FT_TEXT_CEF_HEADER, h->version, VERSION_MAX);
    put_header(t, pen, FT_TEXT_CEF_HEADER, h->id, VENDOR_MAX);
    put_header(t, pen, FT_TEXT_CEF_HEADER, h->name, name_max(t));
    if (!row_value(pen, &severity, &w))
        set(&w, severity.missing);
    ft_text_raw(t, w.value.text, w.value.length);
    ft_text_raw(t, "|", 1);
    put_pairs(t, pen, table, &how);
}

/* What tells a receiver of LEEF 2.0 the delimiter: itself, or its number if it cannot be seen. */
static void put_delimiter(struct ft_text *t, char delimiter)
{
    if (delimiter == '\t')
        ft_text_string(t, "x09");
    else
        ft_text_raw(t, &delimiter, 1);
    ft_text_raw(t, "|", 1);
}

static void write_leef(struct ft_text *t, const struct pen *pen)
{
    bool is_2 = pen->body->format == FT_BODY_LEEF2;
    char between[2] = {is_2 && pen->body->delimiter ? pen->body->delimiter : '\t', 0};
    char mark[] = " fieldtapTruncated=true";
    mark[0] = between[0];
    struct pairs how = {FT_TEXT_LEEF_VALUE, between[0], between, "=", mark, PAIR_MAX};
    const struct ft_forward_table *table =
        ft_forward_table(FT_FORWARD_TABLE_LEEF, pen->body->dialect, pen->event->type);
    const struct ft_forward_table_header *h = table->header;
    ft_text_string(t, is_2 ? "LEEF:2.0|" : "LEEF:1.0|");
    put_header(t, pen, FT_TEXT_LEEF_HEADER, h->vendor, VENDOR_MAX);
    put_header(t, pen, FT_TEXT_LEEF_HEADER, h->product, VENDOR_MAX);
    put_header(t, pen, FT_TEXT_LEEF_HEADER, h->version, VERSION_MAX);
    put_header(t, pen, FT_TEXT_LEEF_HEADER, h->id, VENDOR_MAX);
    if (is_2)
        put_delimiter(t, between[0]);
    put_pairs(t, pen, table, &how);
}

/* ---- objects ---- */

static void put_json_text(struct ft_json *j, const struct ft_source_value *v)
{
    uint32_t n = ft_utf8_cut(v->text, v->length, VALUE_MAX);
    if (n == v->length) {
        ft_json_text(j, v->text, n);
        return;
    }
    char cut[VALUE_MAX + sizeof(FT_TEXT_MARK)];
    n = ft_utf8_cut(v->text, v->length, VALUE_MAX - (sizeof(FT_TEXT_MARK) - 1));
    memcpy(cut, v->text, n);
    memcpy(cut + n, FT_TEXT_MARK, sizeof(FT_TEXT_MARK) - 1);
    ft_json_text(j, cut, n + sizeof(FT_TEXT_MARK) - 1);
}

/* {"description": the message, "information": [what else is known]} */
static void put_details(struct ft_json *j, const struct pen *pen)
{
    static const struct ft_row description = {NULL, "@message", FT_ROW_TEXT, NULL, NULL};
    const struct ft_rows *rows = ft_forward_table_details();
    char line[FT_SOURCE_ROOM + 64];
    struct written w;
    ft_json_object(j);
    ft_json_key(j, "description");
    if (row_value(pen, &description, &w))
        put_json_text(j, &w.value);
    else
        ft_json_null(j);
    ft_json_key(j, "information");
    ft_json_array(j);
    for (uint32_t i = 0; i < rows->count; i++) {
        if (!row_value(pen, &rows->rows[i], &w))
            continue;
        uint32_t n = ft_utf8_cut(w.value.text, w.value.length, FT_SOURCE_ROOM);
        int head = snprintf(line, 64, "%s: ", rows->rows[i].key);
        memcpy(line + head, w.value.text, n);
        put_json_text(j, &(struct ft_source_value){line, (uint32_t)head + n});
    }
    ft_json_array_end(j);
    ft_json_object_end(j);
}

static void put_member(struct ft_json *j, const struct pen *pen, const struct ft_row *row)
{
    struct written w;
    if (row->as == FT_ROW_DETAILS) {
        ft_json_key(j, row->key);
        put_details(j, pen);
    } else if (row_value(pen, row, &w)) {
        ft_json_key(j, row->key);
        if (row->as == FT_ROW_LIST)
            ft_json_array(j);
        if (row->as == FT_ROW_BOOL || row->as == FT_ROW_MILLISECONDS)
            ft_json_raw(j, w.value.text, w.value.length);
        else
            put_json_text(j, &w.value);
        if (row->as == FT_ROW_LIST)
            ft_json_array_end(j);
    } else if (row->missing) {
        ft_json_key(j, row->key);
        if (!strcmp(row->missing, "null") || !strcmp(row->missing, "[]"))
            ft_json_raw(j, row->missing, (uint32_t)strlen(row->missing));
        else
            ft_json_string(j, row->missing);
    }
}

#define OBJECT_MARK "truncated"
#define OBJECT_END  (sizeof(",\"" OBJECT_MARK "\":true}") - 1)

/* The end of an object some of which may have been left out. */
static void end_object(struct ft_json *j, bool is_cut)
{
    if (is_cut)
        ft_json_put_bool(j, OBJECT_MARK, true);
    ft_json_object_end(j);
}

bool ft_body_object(const struct ft_body *body, const struct ft_forward_event *event,
                    enum ft_forward_table_format format, struct ft_json *j)
{
    const struct ft_forward_table *table = ft_forward_table(format, body->dialect, event->type);
    const struct pen pen = {body, event};
    bool is_cut = false;
    if (j->size < OBJECT_END)
        return false;
    j->size -= OBJECT_END;
    ft_json_object(j);
    for (uint32_t p = 0; p < FT_FORWARD_TABLE_PARTS; p++)
        for (uint32_t i = 0; i < table->parts[p].count; i++) {
            struct ft_json before = *j;
            put_member(j, &pen, &table->parts[p].rows[i]);
            if (!j->is_full)
                continue;
            *j = before;
            is_cut = true;
        }
    j->size += OBJECT_END;
    end_object(j, is_cut);
    return !is_cut;
}

/* ---- the line ---- */

/* Members that tell most, in the order of a line; the protocol's object and the like come behind.
 */
static const char *const first_members[] = {
    "timestamp", "event_type", "src_ip",   "src_port", "dest_ip",   "dest_port", "proto",
    "app_proto", "host",       "alert",    "anomaly",  "health",    "rule",      "asset",
    "operation", "flow",       "fieldtap", "flow_id",  "direction", "message"};

static bool is_first_member(const char *name)
{
    for (uint32_t i = 0; i < COUNT(first_members); i++)
        if (!strcmp(name, first_members[i]))
            return true;
    return false;
}

/* Add a member, if there is one and it fits; false when it does not. */
static bool add_member(struct ft_json *j, const char *name, const json_t *value)
{
    struct ft_json before = *j;
    if (!value)
        return true;
    ft_json_string(j, name);
    if (j->is_full || j->length == j->size) {
        *j = before;
        return false;
    }
    j->text[j->length++] = ':';
    size_t room = j->size - j->length;
    size_t n = json_dumpb(value, j->text + j->length, room, JSON_COMPACT | JSON_ENCODE_ANY);
    if (!n || n > room) {
        *j = before;
        return false;
    }
    j->length += (uint32_t)n;
    return true;
}

/* A line that is too long: members that fit, those that tell most first, and the mark. */
static uint32_t shorten(const json_t *root, char *to, uint32_t size)
{
    struct ft_json j = ft_json_make(to, size - OBJECT_END);
    const char *name;
    json_t *value;
    ft_json_object(&j);
    for (uint32_t i = 0; i < COUNT(first_members); i++)
        add_member(&j, first_members[i], json_object_get(root, first_members[i]));
    json_object_foreach((json_t *)(uintptr_t)root, name, value)
    {
        if (!is_first_member(name))
            add_member(&j, name, value);
    }
    j.size = size;
    end_object(&j, true);
    return j.length;
}

static uint32_t write_line(const struct ft_forward_event *e, char *to, uint32_t size)
{
    if (e->length > size && e->root)
        return shorten(e->root, to, size);
    if (e->length > size) {
        json_t *root = json_loadb(e->line, e->length, JSON_ALLOW_NUL, NULL);
        uint32_t n = json_is_object(root) ? shorten(root, to, size) : 0;
        json_decref(root);
        return n;
    }
    /* The journal's lines have none, but blanks between the values of others may be line ends. */
    for (uint32_t i = 0; i < e->length; i++)
        to[i] = (uint8_t)e->line[i] < ' ' ? ' ' : e->line[i];
    return e->length;
}

/* ---- all ---- */

uint32_t ft_body_write(const struct ft_body *body, const struct ft_forward_event *event, char *to,
                       uint32_t size)
{
    const struct pen pen = {body, event};
    struct ft_text t = {.to = to, .size = size};
    struct ft_json j = ft_json_make(to, size);
    if (size < FT_BODY_SIZE_MIN || (!event->root && body->format != FT_BODY_JSON))
        return 0;
    switch (body->format) {
    case FT_BODY_TEXT:
        write_text(&t, &pen);
        return t.length;
    case FT_BODY_OBJECT:
        ft_body_object(body, event, FT_FORWARD_TABLE_OBJECT, &j);
        return j.length;
    case FT_BODY_CEF:
        write_cef(&t, &pen);
        return t.length;
    case FT_BODY_LEEF:
    case FT_BODY_LEEF2:
        write_leef(&t, &pen);
        return t.length;
    case FT_BODY_JSON:
        break;
    }
    return write_line(event, to, size);
}
