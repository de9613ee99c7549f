/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages of syslog. */
#include "forward/syslog_message.h"

#include "forward/text.h"

#include <stdio.h>
#include <string.h>

#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))
#define FRAME_MAX 12u                               /* "4294967295 " and a line feed */
#define MARK      "\xef\xbb\xbf"                    /* U+FEFF in UTF-8 */
#define BODY_ROOM (FT_BODY_SIZE_MIN + sizeof(MARK)) /* with the mark, and a blank before it */
#define VALUE_MAX 128u                              /* of a parameter of structured data */

const char *ft_syslog_standard_name(enum ft_syslog_standard standard)
{
    static const char *const names[] = {"rfc5424", "rfc3164"};
    return standard < COUNT(names) ? names[standard] : NULL;
}

const char *ft_syslog_facility_name(uint32_t facility)
{
    static const char *const names[] = {
        "kern",   "user",   "mail",     "daemon", "auth",   "syslog", "lpr",    "news",
        "uucp",   "cron",   "authpriv", "ftp",    "ntp",    "audit",  "alert",  "clock",
        "local0", "local1", "local2",   "local3", "local4", "local5", "local6", "local7"};
    return facility < COUNT(names) ? names[facility] : NULL;
}

uint8_t ft_syslog_severity(uint32_t severity)
{
    static const uint8_t severities[] = {6, 1, 3, 4, 5};
    return severities[severity < COUNT(severities) ? severity : 0];
}

/* A word of the header: printable ASCII without blanks. */
static void put_characters(struct ft_text *t, const char *word, uint32_t n)
{
    if (!n)
        ft_text_raw(t, "-", 1);
    for (uint32_t i = 0; i < n; i++) {
        char c = word[i] > ' ' && word[i] < 0x7f ? word[i] : '_';
        ft_text_raw(t, &c, 1);
    }
}

static void put_word(struct ft_text *t, const char *word, uint32_t max)
{
    put_characters(t, word, word ? (uint32_t)strnlen(word, max) : 0);
}

static void put_value(struct ft_text *t, const char *name, const char *value, uint32_t n)
{
    if (!n)
        return;
    ft_text_raw(t, " ", 1);
    ft_text_string(t, name);
    ft_text_raw(t, "=\"", 2);
    ft_text_value(t, FT_TEXT_PARAMETER, 0, value, n, VALUE_MAX);
    ft_text_raw(t, "\"", 1);
}

static void put_parameter(struct ft_text *t, const char *name, const char *value)
{
    put_value(t, name, value, value ? (uint32_t)strlen(value) : 0);
}

/* Who sends (RFC 5424 section 7.2), and what the event is. */
static void put_elements(struct ft_text *t, const struct ft_syslog *s,
                         const struct ft_forward_event *e)
{
    char id[40];
    ft_text_string(t, "[origin");
    put_parameter(t, "ip", s->body.sensor.address);
    ft_text_string(t, " software=\"fieldtap\"");
    put_parameter(t, "swVersion", s->body.sensor.version);
    ft_text_raw(t, "]", 1);
    if (!s->enterprise)
        return;
    snprintf(id, sizeof(id), "[fieldtap@%u", s->enterprise);
    ft_text_string(t, id);
    put_value(t, "uid", e->uid.text, e->uid.length);
    put_value(t, "type", e->type_name.text, e->type_name.length);
    put_parameter(t, "severity", ft_forward_severity_name(e->severity));
    put_parameter(t, "engine", ft_forward_engine_name(e->engine));
    put_value(t, "protocol", e->protocol.text, e->protocol.length);
    ft_text_raw(t, "]", 1);
}

/* RFC 5424 section 6.3; none when it would leave too little room for the body. */
static void put_data(struct ft_text *t, const struct ft_syslog *s, const struct ft_forward_event *e)
{
    struct ft_text before = *t;
    if (s->has_data)
        put_elements(t, s, e);
    if (t->is_full || t->size - t->length < BODY_ROOM)
        *t = before;
    if (t->length == before.length)
        ft_text_raw(t, "-", 1);
}

static void put_priority(struct ft_text *t, const struct ft_syslog *s,
                         const struct ft_forward_event *e)
{
    char text[16];
    uint32_t severity =
        s->severity == FT_SYSLOG_BY_EVENT ? ft_syslog_severity(e->severity) : s->severity & 7u;
    snprintf(text, sizeof(text), "<%u>", (s->facility < 24 ? s->facility : 1) * 8 + severity);
    ft_text_string(t, text);
}

static void put_rfc5424(struct ft_text *t, const struct ft_syslog *s,
                        const struct ft_forward_event *e, uint64_t time_ns)
{
    char time[FT_TIME_SIZE];
    ft_time_rfc3339(time, time_ns, s->body.zone);
    put_priority(t, s, e);
    ft_text_string(t, "1 ");
    ft_text_string(t, time);
    ft_text_raw(t, " ", 1);
    put_word(t, s->hostname, 255);
    ft_text_raw(t, " ", 1);
    put_word(t, s->app_name, 48);
    ft_text_raw(t, " ", 1);
    put_word(t, s->procid, 128);
    ft_text_raw(t, " ", 1);
    put_characters(t, e->type_name.text, e->type_name.length < 32 ? e->type_name.length : 32);
    ft_text_raw(t, " ", 1);
    put_data(t, s, e);
    ft_text_raw(t, " ", 1);
}

/* CEF and LEEF begin with their own name and a colon, which is the tag that their receivers look
 * for. */
static void put_rfc3164(struct ft_text *t, const struct ft_syslog *s,
                        const struct ft_forward_event *e, uint64_t time_ns)
{
    char time[FT_TIME_SIZE];
    ft_time_rfc3164(time, time_ns, s->body.zone);
    put_priority(t, s, e);
    ft_text_string(t, time);
    ft_text_raw(t, " ", 1);
    put_word(t, s->hostname, 255);
    ft_text_raw(t, " ", 1);
    if (s->body.format >= FT_BODY_CEF)
        return;
    put_word(t, s->app_name && *s->app_name ? s->app_name : "fieldtap", 32);
    ft_text_string(t, ": ");
}

static bool is_ascii(const char *text, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if ((uint8_t)text[i] >= 0x80)
            return false;
    return true;
}

/* The body behind the header; false when there is none. */
static bool put_body(struct ft_text *t, const struct ft_syslog *s, const struct ft_forward_event *e)
{
    const uint32_t mark = sizeof(MARK) - 1;
    bool may_mark = s->has_mark && s->standard == FT_SYSLOG_RFC5424;
    uint32_t room = t->size - t->length - (may_mark ? mark : 0);
    char *at = t->to + t->length;
    uint32_t n = ft_body_write(&s->body, e, at, room);
    if (may_mark && !is_ascii(at, n)) {
        memmove(at + mark, at, n);
        memcpy(at, MARK, mark);
        t->length += mark;
    }
    t->length += n;
    return n;
}

uint32_t ft_syslog_write(const struct ft_syslog *s, const struct ft_forward_event *event,
                         uint64_t time_ns, uint32_t max, char *to, uint32_t size)
{
    char count[FRAME_MAX];
    uint32_t frame = s->frame == FT_SYSLOG_DATAGRAM ? 0 : FRAME_MAX;
    struct ft_text t = {.to = to, .size = size - frame < max ? size - frame : max};
    if (size < frame || t.size < FT_SYSLOG_SIZE_MIN)
        return 0;
    if (s->standard == FT_SYSLOG_RFC5424)
        put_rfc5424(&t, s, event, time_ns);
    else
        put_rfc3164(&t, s, event, time_ns);
    /* The words of a header are 510 bytes at most, so the body has its room. */
    if (!put_body(&t, s, event))
        return 0;
    if (s->frame == FT_SYSLOG_LINE)
        to[t.length++] = '\n';
    if (s->frame != FT_SYSLOG_OCTETS)
        return t.length;
    uint32_t n = (uint32_t)snprintf(count, sizeof(count), "%u ", t.length);
    memmove(to + n, to, t.length);
    memcpy(to, count, n);
    return t.length + n;
}
