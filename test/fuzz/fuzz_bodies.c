/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzing of what sinks send: the input is two bytes of settings and a line of the journal. Bodies
 * and messages never are longer than asked, are UTF-8 without line ends, JSON stays JSON, and what
 * a reader of CEF gets is what was in the event.
 */
#include "base/utf8.h"
#include "forward/sink_filter.h"
#include "forward/syslog_message.h"
#include "forward/webhook.h"

#include "../unit/cef_reader.h"

#include <stdio.h>

#define ROOM 20000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char to[ROOM + 1];

static void expect(bool is_true, const char *what)
{
    if (!is_true) {
        fprintf(stderr, "not so: %s: %s\n", what, to);
        abort();
    }
}

static void check_text(uint32_t n, char but)
{
    for (uint32_t at = 0; at < n;) {
        uint32_t length = ft_utf8_length((const uint8_t *)to + at, n - at);
        expect(length, "bodies are UTF-8");
        expect(length > 1 || ((uint8_t)to[at] >= ' ' && to[at] != 0x7f) || to[at] == but,
               "bodies have no control characters");
        at += length;
    }
}

/* What a text becomes in a value of CEF, once its receiver took the backslashes away. */
static char *cleaned(const json_t *value)
{
    const uint8_t *text = (const uint8_t *)json_string_value(value);
    size_t n = json_string_length(value), used = 0;
    char *clean = malloc(n + 1);
    for (size_t i = 0; i < n; i++) {
        bool is_c1 = i + 1 < n && text[i] == 0xc2 && text[i + 1] < 0xa0;
        bool is_separator =
            i + 2 < n && text[i] == 0xe2 && text[i + 1] == 0x80 && (text[i + 2] | 1) == 0xa9;
        bool is_end = text[i] == '\n' || text[i] == '\r';
        bool is_control = (text[i] < ' ' && !is_end) || text[i] == 0x7f || is_c1 || is_separator;
        clean[used++] = is_control ? ' ' : (char)text[i];
        i += is_c1 ? 1 : is_separator ? 2 : 0;
    }
    clean[used] = 0;
    return clean;
}

/* A value is what the event has, whole or its beginning and the mark. */
static void check_value(const char *value, const json_t *of)
{
    if (!value || !json_is_string(of) || !json_string_length(of))
        return;
    char *clean = cleaned(of);
    size_t n = strlen(value);
    if (json_string_length(of) > n && n > 3 && !strcmp(value + n - 3, "...") &&
        strcmp(clean, value))
        expect(!strncmp(clean, value, n - 3), "a value that was cut is a beginning");
    else
        expect(!strcmp(clean, value), "a value of CEF is that of the event");
    free(clean);
}

static void check_cef(const struct ft_body *body, const struct ft_forward_event *e, uint32_t n)
{
    struct cef cef;
    bool is_right = cef_read(&cef, to, n);
    expect(is_right, "CEF can be read");
    const char *uuid = cef_value(&cef, body->dialect ? "cs2" : "UUID");
    if (e->type == FT_FORWARD_ALERT) {
        expect(!cef_value(&cef, "fieldtap"), "keys are those of the table");
        check_value(cef_value(&cef, "cat"), ft_forward_at(e, "alert.category"));
        check_value(uuid, ft_forward_at(e, "fieldtap.alert_id"));
        check_value(cef_value(&cef, "msg"), ft_forward_at(e, "fieldtap.message"));
    }
    cef_free(&cef);
}

static void check_json(uint32_t n)
{
    json_t *root = json_loadb(to, n, JSON_ALLOW_NUL, NULL);
    expect(root != NULL, "JSON stays JSON");
    json_decref(root);
}

static void check_body(const struct ft_body *body, const struct ft_forward_event *e, uint32_t size)
{
    uint32_t n = ft_body_write(body, e, to, size);
    bool is_json = body->format == FT_BODY_JSON || body->format == FT_BODY_OBJECT;
    expect(n <= size, "a body has its bound");
    to[n] = 0;
    if (!e->root)
        return;
    expect(n > 0, "an event has a body");
    if (is_json)
        check_json(n);
    else
        check_text(n, body->format >= FT_BODY_LEEF ? '\t' : 0);
    if (body->format == FT_BODY_CEF)
        check_cef(body, e, n);
}

static void check_message(const struct ft_body *body, const struct ft_forward_event *e,
                          uint32_t size, uint8_t settings)
{
    struct ft_syslog s = {.standard = (enum ft_syslog_standard)(settings & 1),
                          .frame = (enum ft_syslog_frame)(settings / 2 % 3),
                          .severity = FT_SYSLOG_BY_EVENT,
                          .hostname = "host",
                          .has_mark = settings & 32,
                          .has_data = settings & 64,
                          .enterprise = settings & 128,
                          .body = *body};
    uint32_t n = ft_syslog_write(&s, e, e->time_ns, size + 600, to, ROOM);
    expect(n <= size + 612, "a message has its bound");
    expect(!e->root || n, "an event has a message");
    expect(!memchr(to, '\n', n ? n - 1 : 0), "a message is one line");
}

static void check_webhook(const struct ft_body *body, const struct ft_forward_event *e,
                          uint8_t settings)
{
    enum ft_webhook_format format = (enum ft_webhook_format)(settings & 3);
    struct ft_webhook w = ft_webhook_begin(format, body, settings & 4, to, FT_WEBHOOK_SIZE_MIN);
    enum ft_webhook_added first = ft_webhook_add(&w, e);
    expect((first == FT_WEBHOOK_ADDED) == (e->root != NULL), "an event is added");
    while (first == FT_WEBHOOK_ADDED && ft_webhook_add(&w, e) == FT_WEBHOOK_ADDED)
        continue;
    uint32_t n = ft_webhook_end(&w);
    expect(n <= FT_WEBHOOK_SIZE_MIN, "a request has its bound");
    to[n] = 0;
    if (first == FT_WEBHOOK_ADDED && format != FT_WEBHOOK_NDJSON)
        check_json(n);
}

static void ignore(void *user, const struct ft_step *path, uint32_t steps, const char *text)
{
    (void)user;
    (void)path;
    (void)steps;
    expect(*text, "an error says what is wrong");
}

/* The same input as a filter, and the event through it. */
static void check_filter(const struct ft_forward_event *e)
{
    static struct ft_sink_filter filter;
    struct ft_sink_filter_reading reading = {.prefix = "filter", .wrong = ignore};
    memset(&filter, 0, sizeof(filter));
    if (ft_sink_filter_read(&filter, e->root, &reading))
        ft_sink_filter_passes(&filter, e);
}

static bool is_equal(const struct ft_forward_word *a, const struct ft_forward_word *b)
{
    return a->length == b->length && (!a->length || !memcmp(a->text, b->text, a->length));
}

/* Who skims a line knows what who parses it does. */
static void check_skimmed(const struct ft_forward_event *e, size_t size)
{
    struct ft_forward_event s;
    bool is_event = ft_forward_event_skim(&s, e->line, size);
    expect(!is_event || !e->root ||
               (s.type == e->type && s.time_ns == e->time_ns && s.severity == e->severity &&
                s.engine == e->engine && s.is_update == e->is_update && is_equal(&s.uid, &e->uid) &&
                is_equal(&s.protocol, &e->protocol) && is_equal(&s.type_name, &e->type_name)),
           "skimmed and parsed are the same");
    ft_forward_event_free(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ft_forward_event e;
    if (size < 2)
        return 0;
    char *line = malloc(size);
    memcpy(line, data + 2, size - 2);
    ft_forward_event_read(&e, line, size - 2);
    check_skimmed(&e, size - 2);
    uint32_t room = FT_BODY_SIZE_MIN + data[0] * 16u;
    struct ft_body body = {.format = (enum ft_body_format)(data[1] % 6),
                           .dialect = (enum ft_dialect)(data[1] / 8 & 1),
                           .delimiter = data[1] & 16 ? '^' : 0,
                           .sensor = {.version = "0.1.0", .zone = "z"}};
    check_body(&body, &e, room);
    check_message(&body, &e, room, data[0] ^ data[1]);
    check_webhook(&body, &e, data[0]);
    check_filter(&e);
    ft_forward_event_free(&e);
    free(line);
    return 0;
}
