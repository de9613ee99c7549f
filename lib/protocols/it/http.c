/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HTTP/1.x on TCP, and over UDP as SSDP uses it: tables and framing.
 *
 *   start line CRLF, headers "name: value" CRLF, an empty line, a body
 *
 * The start line with its headers is one PDU, however many segments it comes in. A body is skipped
 * where it lies: by Content-Length, chunk by chunk, or until the connection closes; what a response
 * has for a body depends on the method that was asked (RFC 9112, 6.3). Of bodies that may tell
 * something (pages, device descriptions, all of requests, where attacks may be) the first 2 KiB are
 * a PDU of their own.
 *
 * Specification: RFC 9110, RFC 9112, RFC 7617, RFC 7616; UPnP Device Architecture.
 */
#include "http.h"

enum {
    CHUNK_LINE_MAX = 4096,
    SKIP_MAX = 1 << 30,
    METHOD_MAX = 24, /* letters of a method that is not known */
};

/* clang-format off */
static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_TCP, .value = 80},
    {.kind = FT_CARRIER_TCP, .value = 8080},
    {.kind = FT_CARRIER_TCP, .value = 5985},
    {.kind = FT_CARRIER_TCP, .value = 7547},
    {.kind = FT_CARRIER_UDP, .value = 1900},
    {.kind = FT_CARRIER_TCP, .value = FT_ANY_SELECTOR},
    {.kind = FT_CARRIER_UDP, .value = FT_ANY_SELECTOR},
};

static const struct ft_signature signatures[] = {
    {"^(GET|POST|HEAD|PUT|DELETE|OPTIONS|TRACE|CONNECT|PATCH) [!-~]", FT_SIGNATURE_TCP, 0},
    {"^(PROPFIND|PROPPATCH|MKCOL|LOCK|UNLOCK|COPY|MOVE|SEARCH|REPORT|QUERY|SUBSCRIBE|UNSUBSCRIBE) [!-~]", FT_SIGNATURE_TCP, 0},
    {"^RPC_(IN|OUT)_DATA [!-~]", FT_SIGNATURE_TCP, 0},
    {"^PRI \\* HTTP/2\\.0\\r\\n", FT_SIGNATURE_TCP, 0},
    {"^(M-SEARCH|NOTIFY) \\* HTTP/1\\.", FT_SIGNATURE_TCP | FT_SIGNATURE_UDP, 0},
    {"^HTTP/1\\.[01] [1-5][0-9][0-9]", FT_SIGNATURE_TCP | FT_SIGNATURE_UDP, 0},
};

#define FIELD(name, title, parent, type, flags, ...) {name, title, NULL, parent, FT_TYPE_##type, flags, __VA_ARGS__ + 0}

/* Names and types of the first rows are those that EVE has under "http". */
static const struct ft_field fields[] = {
    [HTTP_ROOT] = FIELD("http", "HTTP", 0, GROUP, 0),
    [HTTP_F_HOSTNAME] = FIELD("hostname", "Host that is asked", 0, STRING, 0),
    [HTTP_F_PORT] = FIELD("http_port", "Port in the Host header", 0, UINT, 0, 16),
    [HTTP_F_URL] = FIELD("url", "Target of the request", 0, STRING, 0),
    [HTTP_F_USER_AGENT] = FIELD("http_user_agent", "Software of the client", 0, STRING, 0),
    [HTTP_F_XFF] = FIELD("xff", "Clients that proxies name (X-Forwarded-For)", 0, STRING, 0),
    [HTTP_F_CONTENT_TYPE] = FIELD("http_content_type", "Type of the body", 0, STRING, 0),
    [HTTP_F_REFER] = FIELD("http_refer", "Page that led here", 0, STRING, 0),
    [HTTP_F_METHOD] = FIELD("http_method", "Method", 0, STRING, 0),
    [HTTP_F_PROTOCOL] = FIELD("protocol", "Version", 0, STRING, 0),
    [HTTP_F_STATUS] = FIELD("status", "Status code of the response", 0, UINT, 0, 32),
    [HTTP_F_REDIRECT] = FIELD("redirect", "Where the response leads", 0, STRING, 0),
    [HTTP_F_LENGTH] = FIELD("length", "Bytes of the body that were announced", 0, UINT, 0),
    [HTTP_F_SERVER] = FIELD("server", "Software of the server", 0, STRING, 0),
    [HTTP_F_POWERED_BY] = FIELD("x_powered_by", "Software behind the server", 0, STRING, 0),
    [HTTP_F_WWW_AUTHENTICATE] = FIELD("www_authenticate", "How to log in", 0, STRING, 0),
    [HTTP_F_PROXY_AUTHENTICATE] = FIELD("proxy_authenticate", "How to log in to the proxy", 0, STRING, 0),
    [HTTP_F_CONTENT_ENCODING] = FIELD("content_encoding", "Compression of the body", 0, STRING, 0),
    [HTTP_F_TRANSFER_ENCODING] = FIELD("transfer_encoding", "Framing of the body", 0, STRING, 0),
    [HTTP_F_CONTENT_DISPOSITION] = FIELD("content_disposition", "Name of the body as a file", 0, STRING, 0),
    [HTTP_F_UPGRADE] = FIELD("upgrade", "Protocol to change to", 0, STRING, 0),
    [HTTP_F_VIA] = FIELD("via", "Proxies on the way", 0, STRING, 0),
    [HTTP_F_ORIGIN] = FIELD("origin", "Site whose page asks", 0, STRING, 0),
    [HTTP_F_RANGE] = FIELD("range", "Part that is asked or sent", 0, STRING, 0),
    [HTTP_F_SOAP_ACTION] = FIELD("soap_action", "SOAP action", 0, STRING, 0),
    [HTTP_F_REASON] = FIELD("reason", "Reason phrase of the status", 0, STRING, 0),
    [HTTP_F_USN] = FIELD("usn", "Unique service name (SSDP)", 0, STRING, 0),
    [HTTP_F_SEARCH_TARGET] = FIELD("st", "What is searched or announced (SSDP)", 0, STRING, 0),
    [HTTP_F_HEADERS] = FIELD("header_count", "Headers", 0, UINT, 0, 32),
    [HTTP_F_HEADER_LENGTH] = FIELD("header_length", "Bytes of start line and headers", 0, UINT, 0, 32),
    [HTTP_F_COOKIE_NAME] = FIELD("cookie_name", "Name of a cookie", 0, STRING, FT_FIELD_LIST),
    [HTTP_F_COOKIE] = FIELD("cookie_value", "Value of a cookie", 0, STRING, FT_FIELD_LIST | FT_FIELD_SECRET),
    [HTTP_F_AUTH] = FIELD("auth", "Credentials", 0, GROUP, 0),
    [HTTP_F_AUTH_SCHEME] = FIELD("type", "Scheme", HTTP_F_AUTH, STRING, 0),
    [HTTP_F_AUTH_USER] = FIELD("user", "User name", HTTP_F_AUTH, STRING, 0),
    [HTTP_F_AUTH_REALM] = FIELD("realm", "Realm", HTTP_F_AUTH, STRING, 0),
    [HTTP_F_AUTH_PASSWORD] = FIELD("password", "Password", HTTP_F_AUTH, STRING, FT_FIELD_SECRET),
    [HTTP_F_AUTH_TOKEN] = FIELD("token", "Token or response", HTTP_F_AUTH, STRING, FT_FIELD_SECRET),
    [HTTP_F_AUTH_IS_PROXY] = FIELD("is_proxy", "For a proxy on the way", HTTP_F_AUTH, BOOL, 0),
    [HTTP_F_AUTH_RESULT] = FIELD("result", "What became of the credentials of the request", HTTP_F_AUTH, STRING, 0),
    [HTTP_F_TITLE] = FIELD("title", "Title of the page", 0, STRING, 0),
    [HTTP_F_FORM] = FIELD("form", "Form that logs in", 0, GROUP, 0),
    [HTTP_F_FORM_USER] = FIELD("user", "User name", HTTP_F_FORM, STRING, 0),
    [HTTP_F_FORM_PASSWORD] = FIELD("password", "Password", HTTP_F_FORM, STRING, FT_FIELD_SECRET),
    [HTTP_F_FILE] = FIELD("file", "File in the body", 0, GROUP, 0),
    [HTTP_F_FILE_NAME] = FIELD("name", "Name", HTTP_F_FILE, STRING, 0),
    [HTTP_F_FILE_MAGIC] = FIELD("magic", "What it is", HTTP_F_FILE, STRING, 0),
    [HTTP_F_DEVICE] = FIELD("device", "UPnP description of the device", 0, GROUP, 0),
    [HTTP_F_DEVICE_MANUFACTURER] = FIELD("manufacturer", "Manufacturer", HTTP_F_DEVICE, STRING, 0),
    [HTTP_F_DEVICE_MODEL] = FIELD("model", "Model", HTTP_F_DEVICE, STRING, 0),
    [HTTP_F_DEVICE_SERIAL] = FIELD("serial", "Serial number", HTTP_F_DEVICE, STRING, 0),
    [HTTP_F_DEVICE_NAME] = FIELD("name", "Name", HTTP_F_DEVICE, STRING, 0),
    [HTTP_F_DEVICE_UDN] = FIELD("udn", "Unique device name", HTTP_F_DEVICE, STRING, 0),
};

#define COMMAND(code, name, class) {code, FT_ANY_QUALIFIER, name, FT_CLASS_##class, {0}, NULL}

static const struct ft_command commands[] = {
    COMMAND(HTTP_RESPONSE, "response", DATA),
    COMMAND(HTTP_GET, "get", READ),
    COMMAND(HTTP_HEAD, "head", READ),
    COMMAND(HTTP_POST, "post", WRITE),
    COMMAND(HTTP_PUT, "put", WRITE),
    COMMAND(HTTP_DELETE, "delete", WRITE),
    COMMAND(HTTP_CONNECT, "connect", DIAGNOSTIC),
    COMMAND(HTTP_OPTIONS, "options", READ),
    COMMAND(HTTP_TRACE, "trace", DIAGNOSTIC),
    COMMAND(HTTP_PATCH, "patch", WRITE),
    COMMAND(HTTP_PROPFIND, "propfind", READ),
    COMMAND(HTTP_PROPPATCH, "proppatch", WRITE),
    COMMAND(HTTP_MKCOL, "mkcol", WRITE),
    COMMAND(HTTP_COPY, "copy", WRITE),
    COMMAND(HTTP_MOVE, "move", WRITE),
    COMMAND(HTTP_LOCK, "lock", WRITE),
    COMMAND(HTTP_UNLOCK, "unlock", WRITE),
    COMMAND(HTTP_SEARCH, "search", READ),
    COMMAND(HTTP_REPORT, "report", READ),
    COMMAND(HTTP_QUERY, "query", READ),
    COMMAND(HTTP_M_SEARCH, "m_search", READ),
    COMMAND(HTTP_NOTIFY, "notify", EVENT),
    COMMAND(HTTP_SUBSCRIBE, "subscribe", READ),
    COMMAND(HTTP_UNSUBSCRIBE, "unsubscribe", READ),
    COMMAND(HTTP_RPC_IN, "rpc_in_data", SESSION),
    COMMAND(HTTP_RPC_OUT, "rpc_out_data", SESSION),
    COMMAND(HTTP_PRI, "http2_preface", SESSION),
    COMMAND(HTTP_OTHER, "other_method", UNKNOWN),
    COMMAND(HTTP_FORM, "form_login", AUTH),
    COMMAND(HTTP_FILE, "file_upload", FILE),
    {HTTP_FIRMWARE, FT_ANY_QUALIFIER, "firmware_upload", FT_CLASS_FIRMWARE, {0}, "T0857"},
};

#define EVENT(name, title, reference, category, mitre, severity, engine) \
    {name, title, reference, category, mitre, FT_SEVERITY_##severity, FT_ENGINE_##engine, FT_ALERT_NEVER, {0}}
#define ALERT(name, title, category, mitre, severity, engine) \
    {name, title, NULL, category, mitre, FT_SEVERITY_##severity, FT_ENGINE_##engine, FT_ALERT_EACH, {0}}
#define HTTP_GROUP "Abnormal HTTP Communication Behavior"

/*
 * Alerts are what attacks alone send, and logins that everybody may do. What benign programs send,
 * too (paths with "..", programs that are fetched, headers that are odd), is an anomaly.
 */
static const struct ft_violation violations[] = {
    [HTTP_V_VERSION] = EVENT("bad_version", "HTTP version that does not exist", "A16", HTTP_GROUP, "T0866", WARNING, PROTOCOL),
    [HTTP_V_CONTROL] = EVENT("control_in_header", "Control characters in an HTTP header", "A16", HTTP_GROUP, "T0866", MINOR, PROTOCOL),
    [HTTP_V_NO_HOST] = EVENT("no_host", "HTTP/1.1 request without a Host header", "A16", HTTP_GROUP, "T0866", WARNING, PROTOCOL),
    [HTTP_V_LENGTH_AND_CHUNKED] = EVENT("length_and_chunked", "HTTP body with two lengths: Content-Length and chunks", NULL, HTTP_GROUP, "T0866", MAJOR, PROTOCOL),
    [HTTP_V_LENGTHS_DIFFER] = EVENT("lengths_differ", "HTTP message with two Content-Lengths", NULL, HTTP_GROUP, "T0866", MAJOR, PROTOCOL),
    [HTTP_V_BAD_LENGTH] = EVENT("bad_length", "HTTP Content-Length that is no number", NULL, HTTP_GROUP, "T0866", MAJOR, PROTOCOL),
    [HTTP_V_BAD_CHUNK] = EVENT("bad_chunk", "HTTP chunk whose size is no number, or too large for one", NULL, HTTP_GROUP, "T0866", MAJOR, PROTOCOL),
    [HTTP_V_BAD_ENCODING] = EVENT("bad_transfer_encoding", "HTTP request whose body has no end", NULL, HTTP_GROUP, "T0866", MINOR, PROTOCOL),
    [HTTP_V_NO_COLON] = EVENT("header_without_colon", "HTTP header without a colon", "A16", HTTP_GROUP, "T0866", MINOR, PROTOCOL),
    [HTTP_V_LONG_HEADER] = EVENT("long_header", "HTTP header of abnormal length", "A2", HTTP_GROUP, "T0866 T0869", MAJOR, PROTOCOL),
    [HTTP_V_MANY_HEADERS] = EVENT("many_headers", "Abnormal number of HTTP headers", "A3", HTTP_GROUP, "T0866 T0869", MAJOR, PROTOCOL),
    [HTTP_V_LONG_URI] = EVENT("long_url", "Very long HTTP URL", NULL, HTTP_GROUP, "T0866", MINOR, PROTOCOL),
    [HTTP_V_DOUBLE_ENCODING] = EVENT("double_encoding", "HTTP path encoded twice", NULL, HTTP_GROUP, "T0866", MINOR, PROTOCOL),
    [HTTP_V_TRAVERSAL] = EVENT("traversal", "HTTP path that leaves the server's folder", NULL, HTTP_GROUP, "T0866", MAJOR, MALWARE),
    [HTTP_V_EARLY_RESPONSE] = EVENT("early_response", "HTTP response before the first request", NULL, HTTP_GROUP, "T0866", MINOR, PROTOCOL),
    [HTTP_V_CLEAR_TEXT] = EVENT("credential_clear_text", "Password sent in clear text over HTTP", NULL, "Authentication", "T0859", MINOR, POLICY),
    [HTTP_V_DEFAULT_LOGIN] = ALERT("default_login", "Login with a password that devices are delivered with", "Authentication", "T0812", MAJOR, POLICY),
    [HTTP_V_JNDI] = ALERT("jndi", "Attempt to load code by a JNDI look-up (Log4Shell)", NULL, "T0866 T0819", CRITICAL, MALWARE),
    [HTTP_V_SHELLSHOCK] = ALERT("shellshock", "Attempt to run a shell function (Shellshock)", NULL, "T0866 T0819", CRITICAL, MALWARE),
    [HTTP_V_INJECTION] = ALERT("command_injection", "Shell commands in an HTTP request", NULL, "T0866 T0807", CRITICAL, MALWARE),
    [HTTP_V_SQL_OR_SCRIPT] = EVENT("sql_or_script_injection", "SQL or script in an HTTP URL", NULL, NULL, "T0819", WARNING, MALWARE),
    [HTTP_V_SCANNER] = ALERT("scanner", "HTTP client that is a scanner", "Scan", "T0846", MAJOR, MALWARE),
    [HTTP_V_SCRIPTED_CLIENT] = EVENT("scripted_client", "HTTP client that is a script", NULL, NULL, "T0846", WARNING, POLICY),
    [HTTP_V_TUNNEL] = EVENT("proxy_tunnel", "Tunnel through an HTTP proxy", NULL, NULL, "T0884", MINOR, POLICY),
    [HTTP_V_EXECUTABLE] = EVENT("executable", "Program transferred over HTTP", NULL, NULL, "T0867", MINOR, POLICY),
    [HTTP_V_CLIENT_ERROR] = EVENT("client_error", "HTTP request refused", "O19", HTTP_GROUP, "T0869", WARNING, OPERATIONAL),
};
/* clang-format on */

/* ---- recognition ---------------------------------------------------------------------------- */

/* RFC 9110, 5.6.2: what methods and names of headers are made of. */
static bool is_token(uint8_t c)
{
    return ft_text_is_word(c) || (c > ' ' && c < 0x7f && strchr("!#$%&'*+-.^_`|~", c));
}

/* Does a response begin here? "HTTP/1.1 200" */
static enum ft_verdict is_response(const struct ft_view *v)
{
    static const char form[] = "http/D.D DDD"; /* there are servers that write it so */
    for (uint32_t i = 0; i < sizeof(form) - 1; i++) {
        int c = ft_peek_u8(v, i);
        if (c < 0)
            return FT_MAYBE;
        if (form[i] == 'D' ? !ft_text_is_digit((uint8_t)c)
                           : ft_text_lower((uint8_t)c) != (uint8_t)form[i])
            return FT_NO;
    }
    return FT_YES;
}

/* Where the last word of a line begins: the version. */
static struct ft_view last_word(struct ft_view line)
{
    uint32_t at = line.len;
    while (at && line.data[at - 1] > ' ')
        at--;
    return ft_text_part(line, at, line.len);
}

/* Methods that are not known are told from other text by their capitals. */
static bool is_capital(struct ft_view name)
{
    for (uint32_t i = 0; i < name.len; i++)
        if (name.data[i] >= 'a' && name.data[i] <= 'z')
            return false;
    return true;
}

/* Does a request begin here? FT_MAYBE: its first line is not complete. */
static enum ft_verdict is_request(const struct ft_view *v, bool is_bound)
{
    uint32_t n = 0;
    while (n < v->len && n < METHOD_MAX && is_token(v->data[n]))
        n++;
    if (n == v->len)
        return n < METHOD_MAX ? FT_MAYBE : FT_NO;
    if (n == 0 || v->data[n] != ' ')
        return FT_NO;
    struct ft_view name = ft_text_part(*v, 0, n);
    bool is_known = http_method(name) != HTTP_OTHER;
    if (!is_known && !is_capital(name))
        return FT_NO;
    int64_t end = ft_find_u8(v, '\n', n);
    if (end < 0) {
        int next = ft_peek_u8(v, n + 1);
        return next >= 0 && next <= ' ' ? FT_NO : is_known || is_bound ? FT_MAYBE : FT_NO;
    }
    struct ft_view line = ft_text_trim(ft_text_part(*v, 0, (uint32_t)end));
    if (ft_text_begins(last_word(line), "http/"))
        return FT_YES;
    /* HTTP/0.9 has no version, and only this method. */
    return is_bound && ft_text_is(name, "get") && ft_peek_u8(v, n + 1) == '/' ? FT_YES : FT_NO;
}

static enum ft_verdict starts(const struct ft_view *v, bool is_bound)
{
    enum ft_verdict response = is_response(v), request = is_request(v, is_bound);
    return response > request ? response : request;
}

/* Line ends before a message are passed over (RFC 9112, 2.2). */
static uint32_t line_ends(const struct ft_view *v)
{
    uint32_t n = 0;
    while (n < v->len && (v->data[n] == '\r' || v->data[n] == '\n'))
        n++;
    return n;
}

static enum ft_verdict probe(const struct ft_probe *where, struct ft_view payload)
{
    if (where->is_bound)
        ft_skip(&payload, line_ends(&payload));
    enum ft_verdict verdict = starts(&payload, where->is_bound);
    return verdict == FT_MAYBE && where->transport == FT_TRANSPORT_UDP ? FT_NO : verdict;
}

/* ---- framing -------------------------------------------------------------------------------- */

/* Offset behind the empty line that ends headers, or 0. `from`: no line ends before. */
static uint32_t headers_end(const struct ft_view *v, uint32_t from)
{
    for (int64_t at = from; (at = ft_find_u8(v, '\n', (uint32_t)at)) >= 0; at++) {
        uint32_t next = (uint32_t)at + 1;
        if (ft_peek_u8(v, next) == '\n')
            return next + 1;
        if (ft_peek_u8(v, next) == '\r' && ft_peek_u8(v, next + 1) == '\n')
            return next + 2;
    }
    return 0;
}

/* Bytes from which a later search must begin: the last two may be part of an empty line. */
static struct ft_frame more(const struct ft_view *v, uint32_t tail)
{
    return ft_frame(FT_FRAME_DELIMITER, v->len > tail ? v->len - tail : 0);
}

/* A request of HTTP/0.9 is its first line: 0 when this is none, or not yet all there. */
static uint32_t simple_end(const struct ft_view *v)
{
    int64_t end = ft_find_u8(v, '\n', 0);
    if (end < 0 || is_response(v) != FT_NO)
        return 0;
    struct ft_view line = ft_text_trim(ft_text_part(*v, 0, (uint32_t)end));
    return ft_text_begins(last_word(line), "http/") ? 0 : (uint32_t)end + 1;
}

static struct ft_frame frame_message(struct ft_context *ctx, struct http_flow *flow,
                                     struct http_way *way, struct ft_view stream)
{
    uint32_t blank = line_ends(&stream), end;
    if (blank)
        return ft_frame(FT_FRAME_SKIP, blank);
    if (!ctx->scanned && starts(&stream, true) == FT_NO) {
        if (way->may_change) { /* granted by a response that was not seen */
            way->state = HTTP_CLOSED;
            return ft_frame(FT_FRAME_UNTIL_CLOSE, 0);
        }
        if (!flow->is_simple || ctx->direction != FT_TO_CLIENT)
            return ft_frame(FT_FRAME_NOT_MINE, 0);
        way->state = HTTP_CLOSED;
        return ft_frame(FT_FRAME_UNTIL_CLOSE, 0);
    }
    way->unit = HTTP_UNIT_MESSAGE;
    if (!ctx->scanned && (end = simple_end(&stream)))
        return ft_frame(FT_FRAME_PDU, end);
    end = headers_end(&stream, ctx->scanned);
    if (end && end <= HTTP_HEADERS_MAX)
        return ft_frame(FT_FRAME_PDU, end);
    if (end || stream.len >= HTTP_HEADERS_MAX)
        return ft_frame(FT_FRAME_PDU, HTTP_HEADERS_MAX);
    /* While the first line is not complete it is judged again. */
    return ft_find_u8(&stream, '\n', ctx->scanned) < 0 && !ctx->scanned ? more(&stream, stream.len)
                                                                        : more(&stream, 3);
}

/* The rest of headers that are too long. */
static struct ft_frame frame_long_headers(struct ft_context *ctx, struct http_way *way,
                                          struct ft_view stream)
{
    uint32_t end = headers_end(&stream, ctx->scanned);
    if (end) {
        way->state = way->then;
        return ft_frame(FT_FRAME_SKIP, end);
    }
    if (stream.len > CHUNK_LINE_MAX)
        return ft_frame(FT_FRAME_SKIP, stream.len - 3);
    return more(&stream, 3);
}

/* Skip what is left of a body or a chunk. */
static struct ft_frame skip_left(struct http_way *way)
{
    uint32_t n = way->left < SKIP_MAX ? (uint32_t)way->left : SKIP_MAX;
    way->left -= n;
    if (!way->left)
        way->state = way->behind;
    return ft_frame(FT_FRAME_SKIP, n);
}

/* The beginning of a body that is looked at. */
static struct ft_frame look_at(struct http_way *way)
{
    uint32_t max = way->look == HTTP_LOOK_MAGIC ? 4 : HTTP_LOOK_MAX;
    uint32_t n = way->left < max ? (uint32_t)way->left : max;
    way->looking = way->look;
    way->look = HTTP_LOOK_NONE;
    way->unit = HTTP_UNIT_LOOK;
    way->left -= n;
    if (!way->left)
        way->state = way->behind;
    return ft_frame(FT_FRAME_PDU, n);
}

static struct ft_frame frame_body(struct ft_context *ctx, struct http_flow *flow,
                                  struct http_way *way, struct ft_view stream)
{
    /* Who did not see the request does not know whether it was HEAD. */
    if (way->is_unpaired && is_response(&stream) == FT_YES) {
        way->is_unpaired = 0;
        way->state = HTTP_AT_MESSAGE;
        return frame_message(ctx, flow, way, stream);
    }
    way->is_unpaired = 0;
    return way->look ? look_at(way) : skip_left(way);
}

/* The size in a chunk's line (RFC 9112, 7.1); false when it is none. */
static bool chunk_size(struct ft_view line, uint64_t *size)
{
    struct ft_view digits = ft_text_trim(ft_text_take(&line, ';'));
    *size = 0;
    for (uint32_t i = 0; i < digits.len; i++) {
        uint8_t c = ft_text_lower(digits.data[i]);
        if (!(ft_text_is_digit(c) || (c >= 'a' && c <= 'f')) || *size >> 60)
            return false;
        *size = *size << 4 | (uint64_t)(ft_text_is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    return digits.len > 0;
}

/* No chunk begins here. Found again behind a loss, it may be a message; else its end is lost. */
static struct ft_frame no_chunk(struct ft_context *ctx, struct http_flow *flow,
                                struct http_way *way, struct ft_view stream, uint32_t length)
{
    if (starts(&stream, false) == FT_YES) {
        way->state = HTTP_AT_MESSAGE;
        return frame_message(ctx, flow, way, stream);
    }
    way->unit = HTTP_UNIT_BAD_CHUNK;
    way->state = HTTP_CLOSED;
    return ft_frame(FT_FRAME_PDU, length);
}

static struct ft_frame frame_chunk(struct ft_context *ctx, struct http_flow *flow,
                                   struct http_way *way, struct ft_view stream)
{
    int64_t end = ft_find_u8(&stream, '\n', ctx->scanned);
    uint64_t size;
    if (end < 0 && stream.len <= CHUNK_LINE_MAX)
        return more(&stream, 0);
    if (end < 0 || end > CHUNK_LINE_MAX)
        return no_chunk(ctx, flow, way, stream, CHUNK_LINE_MAX);
    uint32_t length = (uint32_t)end + 1;
    if (!chunk_size(ft_text_part(stream, 0, length), &size))
        return no_chunk(ctx, flow, way, stream, length);
    way->left = size;
    way->state = size ? HTTP_AT_BODY : HTTP_AT_TRAILER;
    way->behind = HTTP_BEHIND_CHUNK;
    return ft_frame(FT_FRAME_SKIP, length);
}

/* The line end behind a chunk's data. */
static struct ft_frame frame_behind_chunk(struct ft_context *ctx, struct http_flow *flow,
                                          struct http_way *way, struct ft_view stream)
{
    int first = ft_peek_u8(&stream, 0), second = ft_peek_u8(&stream, 1);
    if (first == '\r' && second < 0)
        return ft_frame(FT_FRAME_NEED, 2);
    if (first != '\n' && (first != '\r' || second != '\n'))
        return no_chunk(ctx, flow, way, stream, stream.len < 16 ? stream.len : 16);
    way->state = HTTP_AT_CHUNK;
    return ft_frame(FT_FRAME_SKIP, first == '\n' ? 1 : 2);
}

/* Trailers are headers behind the last chunk; only their end is of interest. */
static struct ft_frame frame_trailer(struct ft_context *ctx, struct http_way *way,
                                     struct ft_view stream)
{
    int64_t end = ft_find_u8(&stream, '\n', ctx->scanned);
    if (end < 0)
        return stream.len > CHUNK_LINE_MAX ? ft_frame(FT_FRAME_NOT_MINE, 0) : more(&stream, 0);
    if (end == 0 || (end == 1 && stream.data[0] == '\r'))
        way->state = HTTP_AT_MESSAGE;
    return ft_frame(FT_FRAME_SKIP, (uint32_t)end + 1);
}

/* Of a body until close the beginning, as far as it tells something. */
static struct ft_frame frame_endless(struct ft_context *ctx, struct http_way *way,
                                     struct ft_view stream)
{
    static const char *const ends[] = {
        [HTTP_LOOK_HTML] = "</title>", [HTTP_LOOK_XML] = "</device>"};
    bool has_end = way->look == HTTP_LOOK_HTML || way->look == HTTP_LOOK_XML;
    uint32_t max = way->look == HTTP_LOOK_MAGIC ? 4 : HTTP_LOOK_MAX, n = 0;
    int64_t at = has_end ? ft_text_find(stream, ends[way->look], ctx->scanned) : -1;
    if (at >= 0)
        n = (uint32_t)at + (uint32_t)strlen(ends[way->look]);
    else if (stream.len >= max)
        n = max;
    else
        return more(&stream, 10);
    way->looking = way->look;
    way->unit = HTTP_UNIT_LOOK;
    way->state = HTTP_CLOSED;
    return ft_frame(FT_FRAME_PDU, n);
}

static struct ft_frame frame(struct ft_context *ctx, struct ft_view stream)
{
    struct http_flow *flow = ctx->flow_state;
    struct http_way *way = &flow->way[ctx->direction == FT_TO_CLIENT];
    switch (way->state) {
    case HTTP_AT_MESSAGE:
        return frame_message(ctx, flow, way, stream);
    case HTTP_IN_LONG_HEADERS:
        return frame_long_headers(ctx, way, stream);
    case HTTP_AT_BODY:
        return frame_body(ctx, flow, way, stream);
    case HTTP_AT_CHUNK:
        return frame_chunk(ctx, flow, way, stream);
    case HTTP_BEHIND_CHUNK:
        return frame_behind_chunk(ctx, flow, way, stream);
    case HTTP_AT_TRAILER:
        return frame_trailer(ctx, way, stream);
    case HTTP_AT_ENDLESS:
        return frame_endless(ctx, way, stream);
    case HTTP_TUNNEL:
        return ft_frame(FT_FRAME_SWITCH, 0);
    default:
        return ft_frame(FT_FRAME_UNTIL_CLOSE, 0);
    }
}

/* ---- PDUs ----------------------------------------------------------------------------------- */

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    struct http_flow *flow = ctx->flow_state;
    const struct http_way *way = &flow->way[ctx->direction == FT_TO_CLIENT];
    if (ctx->transport != FT_TRANSPORT_TCP || way->unit == HTTP_UNIT_MESSAGE)
        http_read_message(ctx, flow, pdu);
    else if (way->unit == HTTP_UNIT_LOOK)
        http_read_look(ctx, flow, (enum http_look)way->looking, pdu);
    else
        ft_violation(ctx, HTTP_V_BAD_CHUNK, pdu);
    ft_rest(pdu);
}

const struct ft_dissector ft_dissector_http = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "http",
    .title = "HTTP/1.x",
    .specification = "RFC 9110, RFC 9112, RFC 7617, RFC 7616",
    .carried_by = FT_TABLE(carriers),
    .signatures = FT_TABLE(signatures),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .sync = {.bytes = "HTTP/1.", .length = 7},
    .flags = FT_DISSECTOR_OWN_CLASSES,
    .max_pdu = HTTP_HEADERS_MAX,
    .flow_state_size = sizeof(struct http_flow),
    .channel_size = sizeof(struct http_text),
    .probe = probe,
    .frame = frame,
    .dissect = dissect,
};
