/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Syslog: what devices write down of themselves, as text.
 *
 *   <PRI>Mmm dd hh:mm:ss HOST TAG[PID]: message        (RFC 3164; any part may be missing)
 *   <PRI>1 TIME HOST APP PROCID MSGID [id k="v" ...] message       (RFC 5424; "-" is nothing)
 *
 * PRI is 8 * facility + severity. A datagram is a message. On a stream the number of its bytes and
 * a blank stand before it, or it ends with a line feed or a zero.
 *
 * Specification: RFC 3164, 5424, 5426, 6587.
 */
#include "../it/secret.h"
#include "syslog_event.h"

enum {
    PORT = 514,
    PRI_MAX = 191,
    COUNT_DIGITS = 5,
    STAMP_LENGTH = 15, /* Mmm dd hh:mm:ss */
    TAG_MAX = 48,
    STRUCTURES_MAX = 64,
    PARAMETERS_MAX = 256,
    LINE_MAX = 8192,
};

enum format {
    BSD = 1,
    IETF,
};

enum payload {
    CEF = 1,
    LEEF,
    JSON,
};

enum field {
    ROOT = 0,
    FACILITY,
    SEVERITY,
    FORMAT,
    TIMESTAMP,
    HOST,
    APP,
    PID,
    MSGID,
    STRUCTURE,
    STRUCTURE_ID,
    PARAMETER,
    PARAMETER_NAME,
    PARAMETER_VALUE,
    PARAMETER_SECRET,
    EVENT,
    PAYLOAD,
    MESSAGE,
    FIELDS
};

enum violation {
    V_PRIORITY = 0,
    V_CONTROL,
    V_LINES,
    V_STRUCTURE,
    V_CONFIGURATION,
    V_LOGIN_FAILED,
    V_LINK_DOWN,
    V_FIRMWARE,
    V_RESTARTED,
    V_POWER,
    VIOLATIONS
};

/* Flow state: a relay sends what others wrote. */
struct flow {
    uint64_t host; /* hash of the first host, 0 = none */
    uint8_t is_relay;
};

/* clang-format off */
static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_UDP, .value = PORT},
    {.kind = FT_CARRIER_TCP, .value = PORT},
    {.kind = FT_CARRIER_TCP, .value = 601},
    {.kind = FT_CARRIER_TCP, .value = 1468},
    {.kind = FT_CARRIER_UDP, .value = FT_ANY_SELECTOR},
    {.kind = FT_CARRIER_TCP, .value = FT_ANY_SELECTOR},
};

#define ANY_TRANSPORT FT_SIGNATURE_UDP | FT_SIGNATURE_TCP

static const struct ft_signature signatures[] = {
    {"^<[0-9]{1,3}>1 [0-9-]", ANY_TRANSPORT, 0},
    {"^<[0-9]{1,3}>(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ 0-9][0-9] ", ANY_TRANSPORT, 0},
    {"^[1-9][0-9]{0,4} <[0-9]{1,3}>", FT_SIGNATURE_TCP, 0},
};

static const struct ft_name facility_names[] = {
    {0, "kern"}, {1, "user"}, {2, "mail"}, {3, "daemon"}, {4, "auth"}, {5, "syslog"}, {6, "lpr"},
    {7, "news"}, {8, "uucp"}, {9, "cron"}, {10, "authpriv"}, {11, "ftp"}, {12, "ntp"},
    {13, "audit"}, {14, "alert"}, {15, "clock"}, {16, "local0"}, {17, "local1"}, {18, "local2"},
    {19, "local3"}, {20, "local4"}, {21, "local5"}, {22, "local6"}, {23, "local7"}, {0, NULL},
};

static const struct ft_name severity_names[] = {
    {0, "emerg"}, {1, "alert"}, {2, "crit"}, {3, "err"}, {4, "warning"}, {5, "notice"},
    {6, "info"}, {7, "debug"}, {0, NULL},
};

static const struct ft_name format_names[] = {
    {0, "none"}, {BSD, "rfc3164"}, {IETF, "rfc5424"}, {0, NULL},
};

static const struct ft_name payload_names[] = {
    {CEF, "cef"}, {LEEF, "leef"}, {JSON, "json"}, {0, NULL},
};

static const struct ft_name event_names[] = {
    {FT_SYSLOG_CONFIGURATION, "configuration_changed"}, {FT_SYSLOG_LOGIN_FAILED, "login_failed"},
    {FT_SYSLOG_LOGIN, "login"}, {FT_SYSLOG_LINK_DOWN, "link_down"}, {FT_SYSLOG_LINK_UP, "link_up"},
    {FT_SYSLOG_FIRMWARE, "firmware_changed"}, {FT_SYSLOG_RESTARTED, "restarted"},
    {FT_SYSLOG_POWER, "power_failed"}, {0, NULL},
};

#define FIELD(name, title, names, parent, type, flags, ...)                                        \
    {name, title, names, parent, FT_TYPE_##type, flags, __VA_ARGS__ + 0}

static const struct ft_field fields[] = {
    [ROOT] = FIELD("syslog", "Log messages", NULL, 0, GROUP, 0),
    [FACILITY] = FIELD("facility", "Part of the system", facility_names, 0, ENUM, 0, 29),
    [SEVERITY] = FIELD("severity", "Severity", severity_names, 0, ENUM, 0, 3),
    [FORMAT] = FIELD("proto", "Which of the formats", format_names, 0, ENUM, 0, 2),
    [TIMESTAMP] = FIELD("time", "Time by the sender's clock", NULL, 0, STRING, 0),
    [HOST] = FIELD("host", "Host that wrote it", NULL, 0, STRING, 0),
    [APP] = FIELD("app", "Program", NULL, 0, STRING, 0),
    [PID] = FIELD("pid", "Process", NULL, 0, STRING, 0),
    [MSGID] = FIELD("msgid", "Kind of message", NULL, 0, STRING, 0),
    [STRUCTURE] = FIELD("sd", "Structured data", NULL, 0, GROUP, FT_FIELD_LIST),
    [STRUCTURE_ID] = FIELD("id", "What it is about", NULL, STRUCTURE, STRING, 0),
    [PARAMETER] = FIELD("params", "Parameters", NULL, STRUCTURE, GROUP, FT_FIELD_LIST),
    [PARAMETER_NAME] = FIELD("name", "Name", NULL, PARAMETER, STRING, 0),
    [PARAMETER_VALUE] = FIELD("value", "Value, as sent", NULL, PARAMETER, STRING, 0),
    [PARAMETER_SECRET] = FIELD("secret", "Value that is a password, a key or a token", NULL, PARAMETER, STRING, FT_FIELD_SECRET),
    [EVENT] = FIELD("event", "What it tells of", event_names, 0, ENUM, 0, 32),
    [PAYLOAD] = FIELD("payload", "Format of the text", payload_names, 0, ENUM, 0, 2),
    [MESSAGE] = FIELD("msg", "Text", NULL, 0, STRING, 0),
};

static const struct ft_command commands[] = {
    {FT_SYSLOG_OTHER, FT_ANY_QUALIFIER, "message", FT_CLASS_EVENT, {0}, NULL},
    {FT_SYSLOG_CONFIGURATION, FT_ANY_QUALIFIER, "configuration_changed", FT_CLASS_EVENT, {0}, NULL},
    {FT_SYSLOG_LOGIN_FAILED, FT_ANY_QUALIFIER, "login_failed", FT_CLASS_EVENT, {0}, NULL},
    {FT_SYSLOG_LOGIN, FT_ANY_QUALIFIER, "login", FT_CLASS_EVENT, {0}, NULL},
    {FT_SYSLOG_LINK_DOWN, FT_ANY_QUALIFIER, "link_down", FT_CLASS_EVENT, {0}, NULL},
    {FT_SYSLOG_LINK_UP, FT_ANY_QUALIFIER, "link_up", FT_CLASS_EVENT, {0}, NULL},
    {FT_SYSLOG_FIRMWARE, FT_ANY_QUALIFIER, "firmware_changed", FT_CLASS_EVENT, {0}, "T0857"},
    {FT_SYSLOG_RESTARTED, FT_ANY_QUALIFIER, "restarted", FT_CLASS_EVENT, {0}, "T0816"},
    {FT_SYSLOG_POWER, FT_ANY_QUALIFIER, "power_failed", FT_CLASS_EVENT, {0}, NULL},
};

#define VIOLATION(name, title, mitre, severity)                                                    \
    {name, title, NULL, NULL, mitre, FT_SEVERITY_##severity, FT_ENGINE_PROTOCOL, 0, {0}}
#define TOLD(name, title, mitre, severity, engine)                                                 \
    {name, title, NULL, NULL, mitre, FT_SEVERITY_##severity, FT_ENGINE_##engine, 0, {0}}

static const struct ft_violation violations[] = {
    [V_PRIORITY] = VIOLATION("priority", "Log message with a priority that cannot be", NULL, WARNING),
    [V_CONTROL] = VIOLATION("control_characters", "Log message with control characters", "T0849", WARNING),
    [V_LINES] = VIOLATION("several_lines", "Log message of several lines: what follows may be forged", "T0849", WARNING),
    [V_STRUCTURE] = VIOLATION("structured_data", "Log message with structured data that do not end", NULL, WARNING),
    [V_CONFIGURATION] = TOLD("configuration_changed", "Device logs a change of its configuration", "T0836", WARNING, POLICY),
    [V_LOGIN_FAILED] = TOLD("login_failed", "Device logs a failed login", "T0859", WARNING, POLICY),
    [V_LINK_DOWN] = TOLD("link_down", "Device logs that a link is down", NULL, WARNING, OPERATIONAL),
    [V_FIRMWARE] = TOLD("firmware_changed", "Device logs a change of its firmware", "T0857", MINOR, POLICY),
    [V_RESTARTED] = TOLD("restarted", "Device logs that it was restarted", "T0816", WARNING, OPERATIONAL),
    [V_POWER] = TOLD("power_failed", "Device logs that a power supply failed", NULL, MINOR, OPERATIONAL),
};
/* clang-format on */

_Static_assert(sizeof(fields) / sizeof(fields[0]) == FIELDS, "one row a field");
_Static_assert(sizeof(violations) / sizeof(violations[0]) == VIOLATIONS, "one row a violation");

/* ---- texts ---------------------------------------------------------------------------------- */

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

/* Text of the sender, without the secrets in it. */
static void put_shown(struct ft_context *ctx, uint32_t field, struct ft_view text)
{
    struct ft_secret_room room;
    if (ft_wants(ctx, field))
        ft_put_bytes(ctx, field, ft_secret_hide_text(text, &room));
}

/* Text up to a blank, which is taken too. */
static struct ft_view take_word(struct ft_view *v)
{
    struct ft_view at = *v;
    uint32_t n = 0;
    while (at.len && ft_u8(&at) != ' ')
        n++;
    struct ft_view word = ft_sub(v, n);
    if (v->len)
        ft_skip(v, 1);
    return word;
}

static void put_word(struct ft_context *ctx, uint32_t field, struct ft_view word)
{
    bool is_nothing = !word.len || (word.len == 1 && ft_peek_u8(&word, 0) == '-');
    if (!is_nothing)
        put_shown(ctx, field, word);
}

/* <PRI>: its value and the bytes it takes; 0 bytes when there is none. */
static uint32_t priority_of(const struct ft_view *v, uint32_t *value)
{
    uint32_t n = 1;

    *value = 0;
    if (ft_peek_u8(v, 0) != '<')
        return 0;
    while (n <= 3 && is_digit(ft_peek_u8(v, n)))
        *value = *value * 10 + (uint32_t)(ft_peek_u8(v, n++) - '0');
    return n > 1 && ft_peek_u8(v, n) == '>' ? n + 1 : 0;
}

/* The count of a message on a stream: its value and the bytes it takes with the blank. */
static uint32_t count_of(const struct ft_view *v, uint32_t *value)
{
    uint32_t n = 0;

    *value = 0;
    if (ft_peek_u8(v, 0) == '0')
        return 0;
    while (n < COUNT_DIGITS && is_digit(ft_peek_u8(v, n)))
        *value = *value * 10 + (uint32_t)(ft_peek_u8(v, n++) - '0');
    return n && ft_peek_u8(v, n) == ' ' ? n + 1 : 0;
}

static bool is_month(const struct ft_view *v)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (unsigned i = 0; i < 36; i += 3)
        if (ft_view_starts(v, months + i, 3))
            return true;
    return false;
}

static bool is_stamp(const struct ft_view *v)
{
    return v->len >= STAMP_LENGTH && is_month(v) && ft_peek_u8(v, 3) == ' ' &&
           ft_peek_u8(v, 6) == ' ' && ft_peek_u8(v, 9) == ':' && ft_peek_u8(v, 12) == ':';
}

/* ---- RFC 5424 ------------------------------------------------------------------------------- */

/* name="value"; quotes, backslashes and brackets in it are escaped. */
static bool read_parameter(struct ft_context *ctx, struct ft_view *v)
{
    struct ft_view at = *v;
    uint32_t n = 0;

    while (at.len && ft_peek_u8(&at, 0) != '=') {
        ft_skip(&at, 1);
        n++;
    }
    struct ft_view name = ft_sub(v, n);
    ft_skip(v, 1);
    if (ft_u8(v) != '"')
        return false;
    at = *v;
    n = 0;
    while (at.len) {
        int c = ft_u8(&at);
        if (c == '"')
            break;
        n++;
        if (c == '\\' && at.len) {
            ft_skip(&at, 1);
            n++;
        }
    }
    struct ft_view value = ft_sub(v, n);
    ft_skip(v, 1);
    if (!ft_view_ok(v))
        return false;
    ft_group_begin(ctx, PARAMETER);
    put_shown(ctx, PARAMETER_NAME, name);
    if (ft_secret_of(name) != FT_SECRET_NONE)
        ft_put_bytes(ctx, PARAMETER_SECRET, value);
    else
        put_shown(ctx, PARAMETER_VALUE, value);
    ft_group_end(ctx, PARAMETER);
    return true;
}

static bool read_structure(struct ft_context *ctx, struct ft_view *v)
{
    struct ft_view at;
    uint32_t n = 0;
    bool is_sound = true;

    ft_skip(v, 1);
    at = *v;
    while (at.len && ft_peek_u8(&at, 0) != ' ' && ft_peek_u8(&at, 0) != ']') {
        ft_skip(&at, 1);
        n++;
    }
    ft_group_begin(ctx, STRUCTURE);
    put_shown(ctx, STRUCTURE_ID, ft_sub(v, n));
    for (uint32_t i = 0; is_sound && ft_peek_u8(v, 0) == ' ' && i < PARAMETERS_MAX; i++) {
        ft_skip(v, 1);
        if (ft_peek_u8(v, 0) == ']')
            break;
        is_sound = read_parameter(ctx, v);
    }
    ft_group_end(ctx, STRUCTURE);
    return is_sound && ft_u8(v) == ']' && ft_view_ok(v);
}

static void read_structures(struct ft_context *ctx, struct ft_view *v)
{
    struct ft_view at = *v;

    if (ft_peek_u8(v, 0) == '-') {
        ft_skip(v, 1);
    } else {
        for (uint32_t i = 0; ft_peek_u8(v, 0) == '[' && i < STRUCTURES_MAX; i++)
            if (!read_structure(ctx, v)) {
                if (!at.is_cut)
                    ft_violation(ctx, V_STRUCTURE, &at);
                *v = at; /* shown as text, from where names tell what is secret */
                return;
            }
    }
    if (ft_peek_u8(v, 0) == ' ')
        ft_skip(v, 1);
}

static struct ft_view read_ietf(struct ft_context *ctx, struct ft_view *v)
{
    take_word(v);
    put_word(ctx, TIMESTAMP, take_word(v));
    struct ft_view host = take_word(v);
    put_word(ctx, HOST, host);
    put_word(ctx, APP, take_word(v));
    put_word(ctx, PID, take_word(v));
    put_word(ctx, MSGID, take_word(v));
    read_structures(ctx, v);
    if (ft_view_starts(v, "\xef\xbb\xbf", 3))
        ft_skip(v, 3);
    return host;
}

/* ---- RFC 3164 ------------------------------------------------------------------------------- */

static bool is_tag_letter(int c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-' || c == '.' || c == '/';
}

/* TAG, TAG[PID], and a colon: taken when they are there. */
static void read_tag(struct ft_context *ctx, struct ft_view *v)
{
    struct ft_view at = *v, pid = ft_view_empty();
    uint32_t n = 0;

    if (ft_view_starts(v, "CEF:", 4) || ft_view_starts(v, "LEEF:", 5))
        return;
    while (n < TAG_MAX && is_tag_letter(ft_peek_u8(&at, n)))
        n++;
    struct ft_view tag = ft_sub(&at, n);
    if (!n || ft_secret_of(tag) != FT_SECRET_NONE) /* "password: x" */
        return;
    if (ft_peek_u8(&at, 0) == '[') {
        uint32_t digits = 0;
        while (digits < 10 && is_digit(ft_peek_u8(&at, 1 + digits)))
            digits++;
        if (!digits || ft_peek_u8(&at, 1 + digits) != ']')
            return;
        ft_skip(&at, 1);
        pid = ft_sub(&at, digits);
        ft_skip(&at, 1);
    }
    if (ft_peek_u8(&at, 0) != ':')
        return;
    ft_skip(&at, 1);
    if (ft_peek_u8(&at, 0) == ' ')
        ft_skip(&at, 1);
    ft_put_bytes(ctx, APP, tag);
    if (pid.len)
        ft_put_bytes(ctx, PID, pid);
    *v = at;
}

/* The word behind the time is the host, unless it is the tag of a message without one. */
static struct ft_view read_bsd(struct ft_context *ctx, struct ft_view *v)
{
    struct ft_view stamp = ft_sub(v, STAMP_LENGTH), host = ft_view_empty(), after;

    ft_put_bytes(ctx, TIMESTAMP, stamp);
    take_word(v); /* blanks, fractions, a colon */
    after = *v;
    struct ft_view word = take_word(&after);
    int last = word.len ? ft_peek_u8(&word, word.len - 1) : ':';
    if (last != ':' && last != ']' && ft_secret_of(word) == FT_SECRET_NONE) {
        host = word;
        put_shown(ctx, HOST, host);
        *v = after;
    }
    read_tag(ctx, v);
    return host;
}

/* ---- facts ---------------------------------------------------------------------------------- */

static uint64_t hash_of(struct ft_view v)
{
    uint64_t h = 0xcbf29ce484222325ull;
    while (v.len)
        h = (h ^ ft_u8(&v)) * 0x100000001b3ull;
    return h | 1;
}

static bool is_name(struct ft_view v)
{
    bool has_letter = false;
    if (v.len < 2 || v.len > 255)
        return false;
    while (v.len) {
        int c = ft_u8(&v);
        if (!is_tag_letter(c))
            return false;
        has_letter |= !is_digit(c) && c != '.';
    }
    return has_letter;
}

static void state_host(struct ft_context *ctx, struct ft_view host)
{
    struct flow *flow = ctx->flow_state;

    if (flow->is_relay || !is_name(host))
        return;
    uint64_t hash = hash_of(host);
    if (flow->host && flow->host != hash) {
        flow->is_relay = 1;
        return;
    }
    flow->host = hash;
    ft_asset(ctx, FT_SENDER, FT_FACT_NAME, host);
}

/* "%FACILITY-severity-MNEMONIC:" is how Cisco's devices begin. */
static bool is_cisco(struct ft_view v)
{
    unsigned dashes = 0;

    if (v.len < 8 || ft_u8(&v) != '%')
        return false;
    for (unsigned i = 0; i < 64 && v.len; i++) {
        int c = ft_u8(&v);
        if (c == ':')
            return dashes >= 2;
        dashes += c == '-';
        if (!is_tag_letter(c) || (c >= 'a' && c <= 'z'))
            return false;
    }
    return false;
}

static void state_vendor(struct ft_context *ctx, struct ft_view message)
{
    for (unsigned i = 0; i < 64 && message.len; i++) {
        if (is_cisco(message)) {
            ft_asset_text(ctx, FT_SENDER, FT_FACT_VENDOR, "Cisco");
            return;
        }
        ft_skip(&message, 1);
    }
}

/* ---- messages ------------------------------------------------------------------------------- */

/* Line feeds at the end are usual, inside they begin what looks like another message. */
static void check_text(struct ft_context *ctx, struct ft_view v)
{
    struct ft_view all = v;
    bool has_control = false, has_lines = false;

    while (v.len) {
        int c = ft_u8(&v);
        has_lines |= c == '\n' || c == '\r';
        has_control |= (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
    }
    ft_rest(&all);
    if (has_lines)
        ft_violation(ctx, V_LINES, &all);
    if (has_control)
        ft_violation(ctx, V_CONTROL, &all);
}

static void put_payload(struct ft_context *ctx, const struct ft_view *v)
{
    if (ft_view_starts(v, "CEF:", 4))
        ft_put_uint(ctx, PAYLOAD, CEF, NULL);
    else if (ft_view_starts(v, "LEEF:", 5))
        ft_put_uint(ctx, PAYLOAD, LEEF, NULL);
    else if (ft_peek_u8(v, 0) == '{')
        ft_put_uint(ctx, PAYLOAD, JSON, NULL);
}

static void tell_event(struct ft_context *ctx, struct ft_view text)
{
    static const uint8_t violation_of[] = {
        [FT_SYSLOG_CONFIGURATION] = V_CONFIGURATION, [FT_SYSLOG_LOGIN_FAILED] = V_LOGIN_FAILED,
        [FT_SYSLOG_LINK_DOWN] = V_LINK_DOWN,         [FT_SYSLOG_FIRMWARE] = V_FIRMWARE,
        [FT_SYSLOG_RESTARTED] = V_RESTARTED,         [FT_SYSLOG_POWER] = V_POWER,
    };
    enum ft_syslog_event event = ft_syslog_event_of(text);

    if (event == FT_SYSLOG_OTHER)
        return;
    ft_command(ctx, event, FT_ANY_QUALIFIER);
    ft_put_uint(ctx, EVENT, event, &text);
    if (violation_of[event])
        ft_violation(ctx, violation_of[event], NULL);
}

static struct ft_view without_end(struct ft_view v)
{
    while (v.len) {
        int last = ft_peek_u8(&v, v.len - 1);
        if (last != '\n' && last != '\r' && last != 0)
            break;
        v = ft_sub(&v, v.len - 1);
    }
    return v;
}

static void read_priority(struct ft_context *ctx, struct ft_view *v)
{
    uint32_t value, n = priority_of(v, &value);

    ft_skip(v, n);
    if (n && value <= PRI_MAX) {
        ft_put_uint(ctx, FACILITY, value >> 3, v);
        ft_put_uint(ctx, SEVERITY, value & 7, v);
    } else {
        ft_violation(ctx, V_PRIORITY, v);
    }
}

static void read_message(struct ft_context *ctx, struct ft_view v)
{
    struct ft_view host = ft_view_empty();
    bool is_cut = v.is_cut;

    v = without_end(v);
    v.is_cut = is_cut;
    read_priority(ctx, &v);
    if (ft_view_starts(&v, "1 ", 2)) {
        ft_put_uint(ctx, FORMAT, IETF, NULL);
        host = read_ietf(ctx, &v);
    } else if (is_stamp(&v)) {
        ft_put_uint(ctx, FORMAT, BSD, NULL);
        host = read_bsd(ctx, &v);
    } else {
        ft_put_uint(ctx, FORMAT, 0, NULL);
        read_tag(ctx, &v);
    }
    tell_event(ctx, v);
    put_payload(ctx, &v);
    put_shown(ctx, MESSAGE, v);
    check_text(ctx, v);
    state_host(ctx, host);
    state_vendor(ctx, v);
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    uint32_t count, n = ctx->transport == FT_TRANSPORT_TCP ? count_of(pdu, &count) : 0;

    ft_set_direction(ctx, FT_TO_SERVER);
    ft_set_kind(ctx, FT_KIND_UNSOLICITED);
    ft_command(ctx, FT_SYSLOG_OTHER, FT_ANY_QUALIFIER);
    ft_skip(pdu, n);
    read_message(ctx, ft_rest(pdu));
}

/* ---- streams, recognition ------------------------------------------------------------------- */

static bool is_end(int c)
{
    return c == '\n' || c == 0;
}

static struct ft_frame frame(struct ft_context *ctx, struct ft_view stream)
{
    uint32_t count, n = count_of(&stream, &count);

    if (n && ft_peek_u8(&stream, n) == '<')
        return ft_frame(FT_FRAME_PDU, n + count);
    if (is_digit(ft_peek_u8(&stream, 0)) && stream.len <= COUNT_DIGITS + 1)
        return ft_frame(FT_FRAME_NEED, COUNT_DIGITS + 2);
    if (is_end(ft_peek_u8(&stream, 0)) || ft_peek_u8(&stream, 0) == '\r')
        return ft_frame(FT_FRAME_SKIP, 1);
    if (ft_peek_u8(&stream, 0) != '<')
        return ft_frame(FT_FRAME_NOT_MINE, 0);
    uint32_t at = ctx->scanned < stream.len ? ctx->scanned : 0;
    while (at < stream.len && !is_end(ft_peek_u8(&stream, at)))
        at++;
    if (at < stream.len)
        return ft_frame(FT_FRAME_PDU, at + 1);
    return at > LINE_MAX ? ft_frame(FT_FRAME_NOT_MINE, 0) : ft_frame(FT_FRAME_DELIMITER, at);
}

static bool is_printable(struct ft_view v)
{
    for (unsigned i = 0; i < 16 && v.len; i++) {
        int c = ft_u8(&v);
        if (c < 0x20 || c > 0x7e)
            return false;
    }
    return true;
}

/* On port 514 of UDP there is nothing else, though some devices leave the priority out. On that
 * of TCP there was a shell. */
static enum ft_verdict probe(const struct ft_probe *where, struct ft_view payload)
{
    uint32_t value, count, n = 0;
    bool is_stream = where->transport == FT_TRANSPORT_TCP;

    if (is_stream && (n = count_of(&payload, &count)))
        ft_skip(&payload, n);
    uint32_t taken = priority_of(&payload, &value);
    if (where->is_bound) {
        if (taken)
            return FT_YES;
        if (is_stream)
            return payload.len < 5 && (ft_peek_u8(&payload, 0) == '<' || !payload.len || n)
                       ? FT_MAYBE
                       : FT_NO;
        return payload.len >= 8 && is_printable(payload) ? FT_YES : FT_NO;
    }
    if (!taken || value > PRI_MAX)
        return FT_NO;
    ft_skip(&payload, taken);
    return ft_view_starts(&payload, "1 ", 2) || is_stamp(&payload) ? FT_YES : FT_NO;
}

const struct ft_dissector ft_dissector_syslog = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "syslog",
    .title = "Syslog",
    .specification = "RFC 3164, RFC 5424, RFC 5426, RFC 6587",
    .carried_by = FT_TABLE(carriers),
    .signatures = FT_TABLE(signatures),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .max_pdu = 65536,
    .flow_state_size = sizeof(struct flow),
    .probe = probe,
    .frame = frame,
    .flags = FT_DISSECTOR_UNANSWERED,
    .dissect = dissect,
};
