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

static bool is_word(const struct ft_forward_word *w, const char *name)
{
    return w->length == strlen(name) && !memcmp(w->text, name, w->length);
}

static enum ft_forward_type type_of(const struct ft_forward_word *w)
{
    for (uint32_t i = 0; w->length && i < FT_FORWARD_TRANSACTION; i++)
        if (is_word(w, types[i]))
            return (enum ft_forward_type)i;
    return FT_FORWARD_TRANSACTION;
}

static uint32_t severity_of(const struct ft_forward_word *w)
{
    for (uint32_t i = 0; w->length && i < COUNT(severities); i++)
        if (is_word(w, severities[i].name))
            return i + 1;
    return 0;
}

static uint32_t engine_of(const struct ft_forward_word *w)
{
    for (uint32_t i = 0; w->length && i < COUNT(engines); i++)
        if (is_word(w, engines[i].name))
            return i;
    return FT_FORWARD_NO_ENGINE;
}

/* ---- words ---- */

/* Those that make an event what it is. */
enum word {
    TIMESTAMP,
    EVENT_TYPE,
    APP_PROTO,
    HEALTH_SEVERITY,
    HEALTH_PROTOCOL,
    UID,
    ENGINE,
    SEVERITY,
    STATE,
    WORDS,
};

static const struct {
    const char *object, *name; /* NULL: in the line itself */
} places[WORDS] = {
    [TIMESTAMP] = {NULL, "timestamp"},
    [EVENT_TYPE] = {NULL, "event_type"},
    [APP_PROTO] = {NULL, "app_proto"},
    [HEALTH_SEVERITY] = {"health", "severity"},
    [HEALTH_PROTOCOL] = {"health", "protocol"},
    [UID] = {"fieldtap", "event_uid"},
    [ENGINE] = {"fieldtap", "engine"},
    [SEVERITY] = {"fieldtap", "severity"},
    [STATE] = {"fieldtap", "state"},
};

/* What follows from them. */
static void judge(struct ft_forward_event *e, const struct ft_forward_word words[WORDS])
{
    e->is_event = true;
    e->type_name = words[EVENT_TYPE];
    e->type = type_of(&words[EVENT_TYPE]);
    e->uid = words[UID];
    bool is_health = e->type == FT_FORWARD_HEALTH;
    e->protocol = words[is_health ? HEALTH_PROTOCOL : APP_PROTO];
    e->severity = severity_of(&words[is_health ? HEALTH_SEVERITY : SEVERITY]);
    e->engine = is_health ? OPERATIONAL : engine_of(&words[ENGINE]);
    e->is_update = words[STATE].length && is_word(&words[STATE], "updated");
    e->time_ns = 0;
    ft_local_time_read(words[TIMESTAMP].text, words[TIMESTAMP].length, &e->time_ns);
}

static void begin(struct ft_forward_event *event, const char *line, size_t length)
{
    *event = (struct ft_forward_event){.line = line,
                                       .length = (uint32_t)length,
                                       .type = FT_FORWARD_TRANSACTION,
                                       .engine = FT_FORWARD_NO_ENGINE};
    while (event->length && (line[event->length - 1] == '\n' || line[event->length - 1] == '\r'))
        event->length--;
}

/* ---- skimming ---- */

struct skim {
    const char *at, *end;
};

static char skip_blanks(struct skim *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
        s->at++;
    return s->at < s->end ? *s->at : 0;
}

static bool take(struct skim *s, char c)
{
    if (skip_blanks(s) != c)
        return false;
    s->at++;
    return true;
}

/* A string, from its first quote; *is_plain: what stands there is what it says. */
static bool take_string(struct skim *s, struct ft_forward_word *w, bool *is_plain)
{
    *is_plain = true;
    if (!take(s, '"'))
        return false;
    const char *from = s->at;
    for (; s->at < s->end && *s->at != '"'; s->at++)
        if (*s->at == '\\') {
            *is_plain = false;
            if (++s->at == s->end)
                return false;
        }
    if (s->at >= s->end)
        return false;
    *w = (struct ft_forward_word){from, (uint32_t)(s->at - from)};
    s->at++;
    return true;
}

/* Any value, up to what is behind it. */
static bool skip_value(struct skim *s)
{
    struct ft_forward_word w;
    uint32_t depth = 0;
    bool is_plain;
    for (skip_blanks(s); s->at < s->end; s->at++) {
        char c = *s->at;
        if (c == '"') {
            if (!take_string(s, &w, &is_plain))
                return false;
            s->at--;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            if (!depth)
                return true;
            depth--;
        } else if (c == ',' && !depth) {
            return true;
        }
    }
    return false;
}

/* The word with this name in this object (NULL: the line); WORDS when nobody asks for it. */
static uint32_t find_word(const char *object, const struct ft_forward_word *name)
{
    uint32_t i = 0;
    while (i < WORDS && (!places[i].object != !object || !is_word(name, places[i].name) ||
                         (object && strcmp(places[i].object, object))))
        i++;
    return i;
}

static const char *find_object(const struct ft_forward_word *name)
{
    return is_word(name, "fieldtap") ? "fieldtap" : is_word(name, "health") ? "health" : NULL;
}

/* Of members of one name the last counts, as for who parses. */
static void forget_words(const char *object, struct ft_forward_word words[WORDS])
{
    for (uint32_t i = 0; i < WORDS; i++)
        if (places[i].object && !strcmp(places[i].object, object))
            words[i].length = 0;
}

static bool skim_object(struct skim *s, const char *object, struct ft_forward_word words[WORDS]);

static bool skim_member(struct skim *s, const char *object, const struct ft_forward_word *name,
                        struct ft_forward_word words[WORDS])
{
    uint32_t i = find_word(object, name);
    const char *inner = object ? NULL : find_object(name);
    bool is_plain;
    if (inner) {
        forget_words(inner, words);
        return skip_blanks(s) == '{' ? skim_object(s, inner, words) : skip_value(s);
    }
    if (i == WORDS)
        return skip_value(s);
    words[i].length = 0;
    if (skip_blanks(s) != '"')
        return skip_value(s);
    return take_string(s, &words[i], &is_plain) && is_plain;
}

static bool skim_object(struct skim *s, const char *object, struct ft_forward_word words[WORDS])
{
    struct ft_forward_word name;
    bool is_plain;
    if (!take(s, '{'))
        return false;
    if (take(s, '}'))
        return true;
    do {
        if (!take_string(s, &name, &is_plain) || !is_plain || !take(s, ':') ||
            !skim_member(s, object, &name, words))
            return false;
    } while (take(s, ','));
    return take(s, '}');
}

bool ft_forward_event_skim(struct ft_forward_event *event, const char *line, size_t length)
{
    struct ft_forward_word words[WORDS] = {0};
    begin(event, line, length);
    struct skim s = {line, line + event->length};
    if (!skim_object(&s, NULL, words) || s.at != s.end)
        return ft_forward_event_parse(event); /* a sensor's name may need escapes */
    judge(event, words);
    return true;
}

/* ---- parsing ---- */

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

bool ft_forward_event_parse(struct ft_forward_event *event)
{
    struct ft_forward_word words[WORDS] = {0};
    if (event->root)
        return true;
    json_t *root = json_loadb(event->line, event->length, JSON_ALLOW_NUL, NULL);
    if (!json_is_object(root)) {
        json_decref(root);
        return false;
    }
    event->root = root;
    for (uint32_t i = 0; i < WORDS; i++) {
        const json_t *in = places[i].object ? json_object_get(root, places[i].object) : root;
        const json_t *word = json_object_get(in, places[i].name);
        if (json_is_string(word))
            words[i] = (struct ft_forward_word){json_string_value(word),
                                                (uint32_t)json_string_length(word)};
    }
    judge(event, words);
    find_source(event);
    return true;
}

bool ft_forward_event_read(struct ft_forward_event *event, const char *line, size_t length)
{
    begin(event, line, length);
    return ft_forward_event_parse(event);
}

void ft_forward_event_free(struct ft_forward_event *event)
{
    json_decref(event->root);
    event->root = NULL;
}
