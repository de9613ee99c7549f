/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HTTP/1.x messages: start line, headers, what they say of the body, of the parties, and of the
 * request that a response answers.
 */
#include "http.h"
#include "secret.h"

enum {
    LINE_MAX = 8192, /* bytes of a header that no benign program sends */
    URL_MAX = 2048,
    HEADERS_MAX = 128,
    METHOD_SIZE = 16,
    HOST_KEPT = 64, /* bytes of a request's host and user that are kept for its response */
    USER_KEPT = 32,
};

/* A message as far as it was read. */
struct message {
    struct ft_view method, url, version, reason;
    struct ft_view shown; /* the URL without its secrets */
    struct ft_view host, agent, type, server, location, realm;
    uint64_t length;
    uint32_t status, headers;
    uint8_t code; /* enum http_command */
    bool is_response, is_simple, is_complete;
    bool has_length, has_coding, is_chunked, is_encoded, is_length_bad, is_upgrade;
    bool has_host, has_long_line, has_control, has_no_colon;
    bool has_login, has_proxy_login; /* a request with credentials */
    uint8_t user_length;
    char user[USER_KEPT]; /* as far as it is kept for the response */
    bool is_continued;    /* a response that refuses them, but only for the time being */
};

static const struct {
    const char *name;
    uint8_t code;
} methods[] = {
    {"get", HTTP_GET},
    {"head", HTTP_HEAD},
    {"post", HTTP_POST},
    {"put", HTTP_PUT},
    {"delete", HTTP_DELETE},
    {"connect", HTTP_CONNECT},
    {"options", HTTP_OPTIONS},
    {"trace", HTTP_TRACE},
    {"patch", HTTP_PATCH},
    {"propfind", HTTP_PROPFIND},
    {"proppatch", HTTP_PROPPATCH},
    {"mkcol", HTTP_MKCOL},
    {"copy", HTTP_COPY},
    {"move", HTTP_MOVE},
    {"lock", HTTP_LOCK},
    {"unlock", HTTP_UNLOCK},
    {"search", HTTP_SEARCH},
    {"report", HTTP_REPORT},
    {"query", HTTP_QUERY},
    {"m-search", HTTP_M_SEARCH},
    {"notify", HTTP_NOTIFY},
    {"subscribe", HTTP_SUBSCRIBE},
    {"unsubscribe", HTTP_UNSUBSCRIBE},
    {"rpc_in_data", HTTP_RPC_IN},
    {"rpc_out_data", HTTP_RPC_OUT},
    {"pri", HTTP_PRI},
};

enum http_command http_method(struct ft_view name)
{
    for (uint32_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (ft_text_is(name, methods[i].name))
            return (enum http_command)methods[i].code;
    return HTTP_OTHER;
}

/* The name of a method in capitals; empty for one that is not known. */
static uint32_t method_name(uint8_t code, char to[METHOD_SIZE])
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        for (; methods[i].code == code && methods[i].name[n]; n++)
            to[n] = methods[i].name[n] >= 'a' ? (char)(methods[i].name[n] - ('a' - 'A'))
                                              : methods[i].name[n];
    return n;
}

/* ---- numbers and lines ---------------------------------------------------------------------- */

/* A decimal number; false when it is none or does not fit. */
static bool read_number(struct ft_view text, uint64_t *number)
{
    *number = 0;
    for (uint32_t i = 0; i < text.len; i++) {
        if (!ft_text_is_digit(text.data[i]) || *number > UINT64_MAX / 10 - 1)
            return false;
        *number = *number * 10 + (uint64_t)(text.data[i] - '0');
    }
    return text.len > 0;
}

/* Take a line with its end. */
static struct ft_view take_line(struct ft_view *v)
{
    struct ft_view line = ft_text_take(v, '\n');
    if (line.len && line.data[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* Take a header; lines that begin with a blank go on with the one before (obs-fold). */
static struct ft_view take_header(struct ft_view *v)
{
    struct ft_view header = take_line(v);
    while (header.len && (ft_peek_u8(v, 0) == ' ' || ft_peek_u8(v, 0) == '\t')) {
        struct ft_view more = take_line(v);
        header.len = (uint32_t)(more.data + more.len - header.data);
    }
    return header;
}

static bool has_control(struct ft_view text)
{
    for (uint32_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if ((c < ' ' && c != '\t' && c != '\r' && c != '\n') || c == 0x7f)
            return true;
    }
    return false;
}

/* ---- start line ----------------------------------------------------------------------------- */

static void read_start_line(struct message *m, struct ft_view line)
{
    m->is_response = ft_text_begins(line, "http/");
    if (m->is_response) {
        uint64_t status = 0;
        m->version = ft_text_take(&line, ' ');
        read_number(ft_text_take(&line, ' '), &status);
        m->status = status < 1000 ? (uint32_t)status : 0;
        m->reason = ft_text_trim(line);
        return;
    }
    m->method = ft_text_take(&line, ' ');
    m->code = (uint8_t)http_method(m->method);
    line = ft_text_trim(line);
    uint32_t at = line.len;
    while (at && line.data[at - 1] > ' ')
        at--;
    struct ft_view last = ft_text_part(line, at, line.len);
    m->is_simple = !ft_text_begins(last, "http/");
    m->version = m->is_simple ? ft_view_empty() : last;
    m->url = ft_text_trim(m->is_simple ? line : ft_text_part(line, 0, at));
}

static bool is_good_version(struct ft_view version)
{
    return version.len == 8 &&
           (ft_view_starts(&version, "HTTP/1.1", 8) || ft_view_starts(&version, "HTTP/1.0", 8));
}

/* ---- credentials ---------------------------------------------------------------------------- */

static int base64_value(uint8_t c)
{
    if (ft_text_is_digit(c))
        return c - '0' + 52;
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

static uint32_t base64_decode(struct ft_view text, uint8_t *to, uint32_t size)
{
    uint32_t bits = 0, count = 0, n = 0;
    for (uint32_t i = 0; i < text.len && n < size; i++) {
        int value = base64_value(text.data[i]);
        if (value < 0)
            break;
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            to[n++] = (uint8_t)(bits >> count);
        }
    }
    return n;
}

/* A parameter of an authentication header: name="value" or name=value. */
static struct ft_view parameter(struct ft_view list, const char *name)
{
    uint32_t n = (uint32_t)strlen(name);
    int64_t at = -1;
    while ((at = ft_text_find(list, name, (uint32_t)(at + 1))) >= 0) {
        struct ft_view value = ft_text_part(list, (uint32_t)at + n, list.len);
        if ((at && ft_text_is_word(list.data[at - 1])) || ft_peek_u8(&value, 0) != '=')
            continue;
        ft_skip(&value, 1);
        if (ft_peek_u8(&value, 0) != '"')
            return ft_text_trim(ft_text_take(&value, ','));
        ft_skip(&value, 1);
        return ft_text_take(&value, '"');
    }
    return ft_view_empty();
}

static void put_user(struct ft_context *ctx, struct message *m, struct ft_view user)
{
    ft_put_string(ctx, HTTP_F_AUTH_USER, user);
    m->user_length = (uint8_t)(user.len < USER_KEPT ? user.len : USER_KEPT);
    memcpy(m->user, user.data, m->user_length);
}

/* Programs log in with a token for the name and no password, or with no colon at all. */
static void read_basic(struct ft_context *ctx, struct message *m, struct ft_view token)
{
    uint8_t text[256];
    uint32_t n = base64_decode(ft_text_trim(token), text, sizeof(text));
    struct ft_view password = ft_view_make(text, n, false);
    struct ft_view user = ft_text_take(&password, ':');
    bool is_default = ft_is_default_login(user, password);
    struct ft_view seen;
    /* Programs log whose login failed. Where it stands in the packet it is coded: no evidence. */
    if (http_find_jndi(ft_view_make(text, n, false), &seen))
        ft_violation(ctx, HTTP_V_JNDI, NULL);
    if (!password.len && !is_default) {
        ft_put_string(ctx, HTTP_F_AUTH_TOKEN, user);
    } else {
        put_user(ctx, m, user);
        ft_put_string(ctx, HTTP_F_AUTH_PASSWORD, password);
    }
    ft_violation(ctx, HTTP_V_CLEAR_TEXT, NULL);
    if (is_default)
        ft_violation(ctx, HTTP_V_DEFAULT_LOGIN, NULL);
}

/* What is no scheme that is known may be the secret itself. */
static bool is_scheme(struct ft_view name)
{
    static const char *const names[] = {
        "basic",         "bearer", "digest", "negotiate",     "ntlm",
        "kerberos",      "oauth",  "token",  "apikey",        "aws4-hmac-sha256",
        "scram-sha-256", "hoba",   "mutual", "scram-sha-1",   "vapid",
        "dpop",          "hawk",   "wsse",   "sharedkeylite", "sharedkey",
    };
    for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (ft_text_is(name, names[i]))
            return true;
    return false;
}

static void read_authorization(struct ft_context *ctx, struct message *m, struct ft_view value,
                               bool is_proxy)
{
    struct ft_view rest = value;
    m->has_login |= !is_proxy;
    m->has_proxy_login |= is_proxy;
    struct ft_view scheme = ft_text_take(&rest, ' ');
    if (scheme.len == value.len || !is_scheme(scheme)) {
        rest = value;
        scheme = ft_view_empty();
    }
    ft_group_begin(ctx, HTTP_F_AUTH);
    ft_put_string(ctx, HTTP_F_AUTH_SCHEME, scheme);
    ft_put_bool(ctx, HTTP_F_AUTH_IS_PROXY, is_proxy, NULL);
    if (ft_text_is(scheme, "basic")) {
        read_basic(ctx, m, rest);
    } else if (ft_text_is(scheme, "digest")) {
        put_user(ctx, m, parameter(rest, "username"));
        ft_put_string(ctx, HTTP_F_AUTH_REALM, parameter(rest, "realm"));
        ft_put_string(ctx, HTTP_F_AUTH_TOKEN, parameter(rest, "response"));
    } else {
        ft_put_string(ctx, HTTP_F_AUTH_TOKEN, ft_text_trim(rest));
    }
    ft_group_end(ctx, HTTP_F_AUTH);
}

/* "a=1; b=2"; in responses the first alone is a cookie, what follows are its attributes. */
static void read_cookies(struct ft_context *ctx, struct ft_view value, bool is_response)
{
    if (!ft_wants(ctx, HTTP_F_COOKIE_NAME) && !ft_wants(ctx, HTTP_F_COOKIE))
        return;
    for (unsigned i = 0; value.len && i < 64; i++) {
        struct ft_view cookie = ft_text_trim(ft_text_take(&value, ';'));
        struct ft_view whole = cookie, name = ft_text_take(&cookie, '=');
        if (name.len == whole.len) { /* without a name it is all value (RFC 6265 5.2) */
            cookie = whole;
            name = ft_view_empty();
        }
        ft_put_string(ctx, HTTP_F_COOKIE_NAME, name);
        ft_put_string(ctx, HTTP_F_COOKIE, cookie);
        if (is_response)
            break;
    }
}

/* ---- headers -------------------------------------------------------------------------------- */

static void put_url(struct ft_context *ctx, uint32_t field, struct ft_view url)
{
    struct ft_secret_room room;
    if (ft_wants(ctx, field))
        ft_put_string(ctx, field, ft_secret_hide_url(url, &room));
}

void http_put_text(struct ft_context *ctx, uint32_t field, struct ft_view text)
{
    struct ft_secret_room room;
    if (ft_wants(ctx, field))
        ft_put_string(ctx, field, ft_secret_hide_text(text, &room));
}

void http_tell(struct ft_context *ctx, enum ft_fact fact, struct ft_view text, uint32_t max)
{
    struct ft_secret_room room;
    ft_asset(ctx, FT_SERVER, fact, ft_text_part(ft_secret_hide_text(text, &room), 0, max));
}

/* "Basic realm=..": what a scheme has without a name is a token (Negotiate, NTLM). */
static void put_challenge(struct ft_context *ctx, struct message *m, uint32_t field,
                          struct ft_view value)
{
    struct ft_view rest = value, scheme = ft_text_take(&rest, ' ');
    rest = ft_text_trim(rest);
    int64_t equals = ft_find_u8(&rest, '=', 0);
    bool has_name = equals > 0 && equals + 1 < (int64_t)rest.len &&
                    ft_peek_u8(&rest, (uint32_t)equals + 1) != '=';
    http_put_text(ctx, field, has_name ? value : scheme);
    m->is_continued |= (rest.len && !has_name) || ft_text_is(parameter(value, "stale"), "true");
}

static void read_host(struct ft_context *ctx, struct message *m, struct ft_view value)
{
    uint64_t port;
    uint32_t end;
    int64_t sign;
    while ((sign = ft_find_u8(&value, '@', 0)) >= 0) /* nobody may log in here, but some try */
        ft_skip(&value, (uint32_t)sign + 1);
    end = value.len;
    m->host = value;
    m->has_host = true;
    while (end && ft_text_is_digit(value.data[end - 1]))
        end--;
    if (end > 1 && end < value.len && value.data[end - 1] == ':' &&
        read_number(ft_text_part(value, end, value.len), &port) && port <= UINT16_MAX) {
        m->host = ft_text_part(value, 0, end - 1);
        ft_put_uint(ctx, HTTP_F_PORT, port, NULL);
    }
    ft_put_string(ctx, HTTP_F_HOSTNAME, m->host);
}

/* Two lengths that differ let two programs disagree where the next message begins. */
static void read_length(struct ft_context *ctx, struct message *m, struct ft_view value)
{
    uint64_t length;
    while (value.len) {
        struct ft_view one = ft_text_trim(ft_text_take(&value, ','));
        if (!read_number(one, &length)) {
            one = ft_text_seen(one);
            m->is_length_bad = true;
            ft_violation(ctx, HTTP_V_BAD_LENGTH, &one);
            return;
        }
        one = ft_text_seen(one);
        if (m->has_length && length != m->length)
            ft_violation(ctx, HTTP_V_LENGTHS_DIFFER, &one);
        m->length = m->has_length ? m->length : length;
        m->has_length = true;
    }
    ft_put_uint(ctx, HTTP_F_LENGTH, m->length, NULL);
}

static void read_coding(struct ft_context *ctx, struct message *m, struct ft_view value)
{
    ft_put_string(ctx, HTTP_F_TRANSFER_ENCODING, value);
    m->has_coding = true;
    m->is_chunked = false;
    while (value.len) {
        struct ft_view coding = ft_text_trim(ft_text_take(&value, ','));
        m->is_chunked = ft_text_is(coding, "chunked");
        m->is_encoded |= !m->is_chunked && !ft_text_is(coding, "identity");
    }
}

static void read_type(struct ft_context *ctx, struct message *m, struct ft_view value)
{
    m->type = ft_text_trim(ft_text_take(&value, ';'));
    ft_put_string(ctx, HTTP_F_CONTENT_TYPE, m->type);
}

/* Headers that are a field and nothing else. */
static const struct {
    const char *name;
    uint8_t field;
} plain[] = {
    {"x-forwarded-for", HTTP_F_XFF},
    {"x-powered-by", HTTP_F_POWERED_BY},
    {"content-disposition", HTTP_F_CONTENT_DISPOSITION},
    {"via", HTTP_F_VIA},
    {"range", HTTP_F_RANGE},
    {"content-range", HTTP_F_RANGE},
    {"soapaction", HTTP_F_SOAP_ACTION},
    {"usn", HTTP_F_USN},
    {"st", HTTP_F_SEARCH_TARGET},
    {"nt", HTTP_F_SEARCH_TARGET},
};

static void read_plain(struct ft_context *ctx, struct ft_view name, struct ft_view value)
{
    for (uint32_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        if (ft_wants(ctx, plain[i].field) && ft_text_is(name, plain[i].name))
            http_put_text(ctx, plain[i].field, value);
}

static void read_party(struct ft_context *ctx, struct message *m, struct ft_view name,
                       struct ft_view value)
{
    if (ft_text_is(name, "user-agent")) {
        m->agent = value;
        http_put_text(ctx, HTTP_F_USER_AGENT, value);
    } else if (ft_text_is(name, "server")) {
        m->server = value;
        http_put_text(ctx, HTTP_F_SERVER, value);
    } else if (ft_text_is(name, "location")) {
        m->location = value;
        put_url(ctx, HTTP_F_REDIRECT, value);
    } else if (ft_text_is(name, "referer")) {
        put_url(ctx, HTTP_F_REFER, value);
    } else if (ft_text_is(name, "origin")) {
        put_url(ctx, HTTP_F_ORIGIN, value);
    } else if (ft_text_is(name, "www-authenticate")) {
        m->realm = parameter(value, "realm");
        put_challenge(ctx, m, HTTP_F_WWW_AUTHENTICATE, value);
    } else if (ft_text_is(name, "proxy-authenticate")) {
        put_challenge(ctx, m, HTTP_F_PROXY_AUTHENTICATE, value);
    } else {
        read_plain(ctx, name, value);
    }
}

static void read_field(struct ft_context *ctx, struct message *m, struct ft_view name,
                       struct ft_view value)
{
    if (ft_text_is(name, "host")) {
        read_host(ctx, m, value);
    } else if (ft_text_is(name, "content-length")) {
        read_length(ctx, m, value);
    } else if (ft_text_is(name, "transfer-encoding")) {
        read_coding(ctx, m, value);
    } else if (ft_text_is(name, "content-type")) {
        read_type(ctx, m, value);
    } else if (ft_text_is(name, "content-encoding")) {
        m->is_encoded |= !ft_text_is(value, "identity");
        ft_put_string(ctx, HTTP_F_CONTENT_ENCODING, value);
    } else if (ft_text_is(name, "authorization") || ft_text_is(name, "proxy-authorization")) {
        read_authorization(ctx, m, value, ft_text_begins(name, "proxy"));
    } else if (ft_text_is(name, "cookie") || ft_text_is(name, "set-cookie")) {
        read_cookies(ctx, value, ft_text_begins(name, "set"));
    } else if (ft_text_is(name, "upgrade")) {
        m->is_upgrade = true;
        http_put_text(ctx, HTTP_F_UPGRADE, value);
    } else {
        read_party(ctx, m, name, value);
    }
}

static void read_header(struct ft_context *ctx, struct message *m, struct ft_view header)
{
    int64_t colon = ft_find_u8(&header, ':', 0);
    m->headers++;
    m->has_long_line |= header.len > LINE_MAX;
    m->has_control |= has_control(header);
    if (colon <= 0) {
        m->has_no_colon = true;
        return;
    }
    struct ft_view value = ft_text_trim(ft_text_part(header, (uint32_t)colon + 1, header.len));
    read_field(ctx, m, ft_text_trim(ft_text_part(header, 0, (uint32_t)colon)), value);
    if (!m->is_response)
        http_check_value(ctx, value);
}

/* All headers; m->is_complete: the empty line was there. */
static void read_headers(struct ft_context *ctx, struct message *m, struct ft_view *pdu)
{
    while (pdu->len) {
        struct ft_view header = take_header(pdu);
        if (!header.len) {
            m->is_complete = true;
            break;
        }
        /* The last line of a block that is too long is not whole. */
        if (!ctx->is_truncated || pdu->len)
            read_header(ctx, m, header);
    }
}

static void check_headers(struct ft_context *ctx, const struct message *m)
{
    if (m->has_long_line || (!m->is_complete && !m->is_simple))
        ft_violation(ctx, HTTP_V_LONG_HEADER, NULL);
    if (m->headers > HEADERS_MAX)
        ft_violation(ctx, HTTP_V_MANY_HEADERS, NULL);
    if (m->has_control)
        ft_violation(ctx, HTTP_V_CONTROL, NULL);
    if (m->has_no_colon)
        ft_violation(ctx, HTTP_V_NO_COLON, NULL);
    if (m->has_length && m->is_chunked)
        ft_violation(ctx, HTTP_V_LENGTH_AND_CHUNKED, NULL);
    if (m->version.len && !is_good_version(m->version) && m->code != HTTP_PRI)
        ft_violation(ctx, HTTP_V_VERSION, NULL);
}

/* ---- the body that follows (RFC 9112, 6.3) -------------------------------------------------- */

static enum http_look look_of_response(const struct message *m)
{
    if (m->is_encoded || m->status == 206)
        return HTTP_LOOK_NONE;
    if (ft_text_is(m->type, "text/html") || ft_text_is(m->type, "application/xhtml+xml"))
        return HTTP_LOOK_HTML;
    if (ft_text_is(m->type, "text/xml") || ft_text_is(m->type, "application/xml"))
        return HTTP_LOOK_XML;
    if (!m->type.len || ft_text_begins(m->type, "application/"))
        return HTTP_LOOK_MAGIC;
    return HTTP_LOOK_NONE;
}

/* What RPC_IN_DATA and its like send goes on for hours, and is no text. */
static enum http_look look_of_request(const struct message *m)
{
    if (m->is_encoded || m->code == HTTP_RPC_IN || m->code == HTTP_RPC_OUT ||
        m->code == HTTP_CONNECT)
        return HTTP_LOOK_NONE;
    if (ft_text_is(m->type, "application/x-www-form-urlencoded"))
        return HTTP_LOOK_FORM;
    return ft_text_is(m->type, "multipart/form-data") ? HTTP_LOOK_PARTS : HTTP_LOOK_OTHER;
}

static void expect_body(struct ft_context *ctx, struct http_way *way, const struct message *m)
{
    enum http_state state = HTTP_AT_MESSAGE;
    if (m->is_chunked) {
        state = HTTP_AT_CHUNK;
    } else if (m->has_coding) {
        state = m->is_response ? HTTP_AT_ENDLESS : HTTP_CLOSED;
        if (!m->is_response)
            ft_violation(ctx, HTTP_V_BAD_ENCODING, NULL);
    } else if (m->is_length_bad) {
        state = HTTP_CLOSED;
    } else if (m->has_length) {
        way->left = m->length;
        way->behind = HTTP_AT_MESSAGE;
        state = m->length ? HTTP_AT_BODY : HTTP_AT_MESSAGE;
    } else if (m->is_response) {
        state = HTTP_AT_ENDLESS;
    }
    way->look = (uint8_t)(m->is_response ? look_of_response(m) : look_of_request(m));
    if (state == HTTP_AT_ENDLESS && way->look == HTTP_LOOK_NONE)
        state = HTTP_CLOSED;
    way->state = (uint8_t)state;
}

/* Behind headers that were too long to be read as one PDU their end must be found first. */
static void finish_body(struct http_way *way, const struct message *m)
{
    if (m->is_complete || m->is_simple)
        return;
    way->then = way->state;
    way->state = HTTP_IN_LONG_HEADERS;
}

/* ---- requests ------------------------------------------------------------------------------- */

static void tell_client(struct ft_context *ctx, struct http_flow *flow, const struct message *m)
{
    if (flow->is_client_told || !m->agent.len)
        return;
    flow->is_client_told = 1;
    http_check_agent(ctx, m->agent);
    ft_text_facts(ctx, FT_CLIENT, m->agent);
    if (ft_text_begins(m->agent, "mozilla/") &&
        (ft_text_has(m->agent, "windows nt") || ft_text_has(m->agent, "macintosh")))
        ft_asset_role(ctx, FT_CLIENT, FT_ROLE_WORKSTATION);
}

/* Pages that control a controller: the class is told before the command's fields. */
static void classify(struct ft_context *ctx, const struct message *m)
{
    if (ft_text_has(m->url, "cpu.fcgi") || ft_text_has(m->url, "ecat.fcgi"))
        ft_set_class(ctx, FT_CLASS_MODE);
}

static void keep_request(struct ft_context *ctx, struct http_flow *flow, const struct message *m)
{
    uint32_t number = ++flow->requests;
    struct http_kept kept = {.number = number,
                             .method = m->code,
                             .is_rockwell = ft_text_begins(m->url, "/rokform/"),
                             .login = m->has_login         ? 1
                                      : m->has_proxy_login ? 7
                                                           : 0};
    if (ctx->transport != FT_TRANSPORT_TCP)
        return;
    ft_request(ctx, FT_SCOPE_FLOW, 0, &kept, sizeof(kept));
    struct http_text *text = ft_channel(ctx, FT_SCOPE_FLOW, number % HTTP_REQUEST_SLOTS);
    if (!text)
        return;
    uint32_t host = m->host.len < HOST_KEPT ? m->host.len : HOST_KEPT, user = m->user_length;
    uint32_t room = sizeof(text->text) - host - user;
    uint32_t url = m->shown.len < room ? m->shown.len : room;
    text->number = number;
    text->host_length = (uint8_t)host;
    text->user_length = (uint8_t)user;
    text->url_length = (uint8_t)url;
    memcpy(text->text, m->host.data, host);
    memcpy(text->text + host, m->user, user);
    memcpy(text->text + host + user, m->shown.data, url);
}

/* A query that logs in becomes fields, too. */
static void read_query(struct ft_context *ctx, struct ft_view url)
{
    ft_text_take(&url, '?');
    http_read_form(ctx, url);
}

static void check_request(struct ft_context *ctx, struct http_flow *flow, const struct message *m)
{
    if (m->url.len > URL_MAX)
        ft_violation(ctx, HTTP_V_LONG_URI, NULL);
    if (ft_text_is(m->version, "http/1.1") && !m->has_host && m->is_complete &&
        ctx->transport == FT_TRANSPORT_TCP)
        ft_violation(ctx, HTTP_V_NO_HOST, NULL);
    if (m->code == HTTP_CONNECT)
        ft_violation(ctx, HTTP_V_TUNNEL, NULL);
    if (flow->is_early && !flow->requests && !ctx->is_midstream &&
        ctx->transport == FT_TRANSPORT_TCP)
        ft_violation(ctx, HTTP_V_EARLY_RESPONSE, NULL);
    http_check_url(ctx, m->url);
}

static void read_request(struct ft_context *ctx, struct http_flow *flow, struct message *m,
                         struct ft_view *pdu)
{
    struct http_way *way = &flow->way[0];
    struct ft_secret_room room;
    ft_set_direction(ctx, FT_TO_SERVER);
    ft_set_kind(ctx, ctx->transport == FT_TRANSPORT_TCP || m->code == HTTP_M_SEARCH
                         ? FT_KIND_REQUEST
                         : FT_KIND_UNSOLICITED);
    ft_command(ctx, m->code, FT_ANY_QUALIFIER);
    classify(ctx, m);
    ft_put_string(ctx, HTTP_F_METHOD, m->method);
    read_query(ctx, m->url);
    m->shown = ft_secret_hide_url(m->url, &room);
    ft_put_string(ctx, HTTP_F_URL, m->shown);
    ft_put_string(ctx, HTTP_F_PROTOCOL, m->version);
    read_headers(ctx, m, pdu);
    ft_put_uint(ctx, HTTP_F_HEADERS, m->headers, NULL);
    ft_put_uint(ctx, HTTP_F_HEADER_LENGTH, ctx->pdu_length, NULL);
    check_headers(ctx, m);
    check_request(ctx, flow, m);
    keep_request(ctx, flow, m);
    tell_client(ctx, flow, m);
    flow->is_simple = m->is_simple;
    way->may_change = m->is_upgrade || m->code == HTTP_CONNECT;
    expect_body(ctx, way, m);
    finish_body(way, m);
    if (m->code == HTTP_PRI)
        flow->way[0].state = flow->way[1].state = HTTP_CLOSED;
}

/* ---- responses ------------------------------------------------------------------------------ */

/* The text of the request that a response answers, or NULL. */
static const struct http_text *text_of(struct ft_context *ctx, const struct http_kept *kept)
{
    const struct http_text *text =
        ft_channel_find(ctx, FT_SCOPE_FLOW, kept->number % HTTP_REQUEST_SLOTS);
    return text && text->number == kept->number ? text : NULL;
}

/* What the request said, for who reads the response alone. */
static void put_request(struct ft_context *ctx, const struct http_kept *kept)
{
    if (!ft_wants(ctx, HTTP_F_URL) && !ft_wants(ctx, HTTP_F_HOSTNAME) &&
        !ft_wants(ctx, HTTP_F_METHOD))
        return;
    char name[METHOD_SIZE];
    uint32_t length = method_name(kept->method, name);
    if (length)
        ft_put_text(ctx, HTTP_F_METHOD, name, length, NULL);
    const struct http_text *text = text_of(ctx, kept);
    if (!text)
        return;
    if (text->host_length)
        ft_put_text(ctx, HTTP_F_HOSTNAME, text->text, text->host_length, NULL);
    ft_put_text(ctx, HTTP_F_URL, text->text + text->host_length + text->user_length,
                text->url_length, NULL);
}

/*
 * Did the login work? RFC 9110, 15.5.2: 401 refuses the credentials that the request had. It does
 * not when it hands out a token to go on with (NTLM, Negotiate: RFC 4559, 5), or says that the
 * nonce alone was too old (Digest: RFC 7616, 3.3). What is forbidden or broken behind the login
 * tells nothing of it.
 */
static void put_result(struct ft_context *ctx, const struct message *m,
                       const struct http_kept *kept)
{
    bool is_failure = m->status == 400u + kept->login && !m->is_continued;
    if (!kept->login || !(is_failure || (m->status >= 200 && m->status < 400)))
        return;
    const struct http_text *text = text_of(ctx, kept);
    ft_group_begin(ctx, HTTP_F_AUTH);
    if (text && text->user_length)
        ft_put_text(ctx, HTTP_F_AUTH_USER, text->text + text->host_length, text->user_length, NULL);
    ft_put_text(ctx, HTTP_F_AUTH_RESULT, is_failure ? "failure" : "success", 7, NULL);
    ft_group_end(ctx, HTTP_F_AUTH);
}

/* A realm or a title that names a vendor of devices is mostly the model. */
static void tell_server(struct ft_context *ctx, struct http_flow *flow, const struct message *m,
                        const struct http_kept *kept)
{
    if (flow->is_server_told || !(m->server.len || m->realm.len || m->location.len))
        return;
    flow->is_server_told = 1;
    ft_text_facts(ctx, FT_SERVER, m->server);
    if (m->server.len)
        http_tell(ctx, FT_FACT_DESCRIPTION, m->server, 128);
    if (m->realm.len && ft_text_facts(ctx, FT_SERVER, m->realm))
        http_tell(ctx, FT_FACT_MODEL, m->realm, 64);
    if (ft_text_begins(m->server, "microsoft-iis") || ft_text_begins(m->server, "apache"))
        ft_asset_role(ctx, FT_SERVER, FT_ROLE_SERVER);
    if (ft_text_has(m->location, "/portal/portal.mwsl")) {
        ft_asset_text(ctx, FT_SERVER, FT_FACT_VENDOR, "Siemens");
        ft_asset_text(ctx, FT_SERVER, FT_FACT_MODEL, "SIMATIC S7-1200/1500");
        ft_asset_role(ctx, FT_SERVER, FT_ROLE_PLC);
    }
    if (kept && kept->is_rockwell && m->status == 200)
        ft_asset_text(ctx, FT_SERVER, FT_FACT_VENDOR, "Rockwell Automation");
}

/* Which body a response has depends on what was asked. */
static void expect_response_body(struct ft_context *ctx, struct http_flow *flow,
                                 const struct message *m, const struct http_kept *kept)
{
    struct http_way *way = &flow->way[1];
    uint8_t method = kept ? kept->method : HTTP_RESPONSE;
    way->state = HTTP_AT_MESSAGE;
    way->is_unpaired = !kept;
    if (m->status == 101 || (method == HTTP_CONNECT && m->status / 100 == 2)) {
        way->state = flow->way[0].state = m->status == 101 ? HTTP_CLOSED : HTTP_TUNNEL;
        return;
    }
    if (method != HTTP_HEAD && m->status / 100 != 1 && m->status != 204 && m->status != 304)
        expect_body(ctx, way, m);
    finish_body(way, m);
}

static void read_response(struct ft_context *ctx, struct http_flow *flow, struct message *m,
                          struct ft_view *pdu)
{
    const struct http_kept *kept = NULL;
    ft_set_direction(ctx, FT_TO_CLIENT);
    ft_set_kind(ctx, m->status >= 400 ? FT_KIND_EXCEPTION : FT_KIND_RESPONSE);
    /* Others of the 1xx come before the answer. */
    if (m->status / 100 != 1 || m->status == 101)
        kept = ft_response(ctx, FT_SCOPE_FLOW, 0);
    ft_command(ctx, kept ? kept->method : HTTP_RESPONSE, FT_ANY_QUALIFIER);
    if (kept)
        put_request(ctx, kept);
    ft_put_string(ctx, HTTP_F_PROTOCOL, m->version);
    ft_put_uint(ctx, HTTP_F_STATUS, m->status, NULL);
    http_put_text(ctx, HTTP_F_REASON, m->reason);
    read_headers(ctx, m, pdu);
    if (kept)
        put_result(ctx, m, kept);
    ft_put_uint(ctx, HTTP_F_HEADERS, m->headers, NULL);
    ft_put_uint(ctx, HTTP_F_HEADER_LENGTH, ctx->pdu_length, NULL);
    check_headers(ctx, m);
    if (m->status / 100 == 4 && m->status != 401 && m->status != 407)
        ft_violation(ctx, HTTP_V_CLIENT_ERROR, NULL);
    tell_server(ctx, flow, m, kept);
    flow->is_early |= !flow->requests && m->status != 408;
    expect_response_body(ctx, flow, m, kept);
}

void http_read_message(struct ft_context *ctx, struct http_flow *flow, struct ft_view *pdu)
{
    struct ft_view nothing = ft_view_empty();
    struct message m = {.method = nothing,
                        .url = nothing,
                        .shown = nothing,
                        .version = nothing,
                        .reason = nothing,
                        .host = nothing,
                        .agent = nothing,
                        .type = nothing,
                        .server = nothing,
                        .location = nothing,
                        .realm = nothing};
    read_start_line(&m, take_line(pdu));
    if (m.is_response)
        read_response(ctx, flow, &m, pdu);
    else
        read_request(ctx, flow, &m, pdu);
}
