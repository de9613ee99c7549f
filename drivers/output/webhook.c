/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sink `webhook`: events by HTTP POST, in batches (libcurl).
 *
 * Any 2xx is delivered. What says that the record is at fault (400, 413, 422 and the like) makes
 * the batch be sent record by record, and those that are refused even alone are left out and
 * counted. What says that receiver, URL or token are at fault is an outage, as is no answer:
 * nothing may be lost because a token expired.
 */
#include "forward/webhook.h"

#include "output/check.h"
#include "output/gzip.h"
#include "output/kinds.h"
#include "output/webhook_header.h"
#include "output/webhook_url.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEADERS_MAX 32u
#define ANSWER_SIZE 161u
#define HEARD_MAX   65536u /* bytes of an answer that are waited for */

/* A receiver that wants to be left alone for longer is asked again after an hour all the same. */
#define RETRY_AFTER_S_MAX 3600

struct webhook {
    const char *url, *ca_file, *certificate, *key, *proxy;
    uint32_t format, timeout_ms, max_bytes;
    bool verify, single, packs;
    struct curl_slist *headers; /* as configured, and Content-Type */

    CURL *curl;
    char *room;
    struct ft_gzip *gzip;
    char why[CURL_ERROR_SIZE], answer[ANSWER_SIZE];
    uint32_t answered;
    uint64_t heard;       /* bytes of the answer's body */
    struct ft_sink *sink; /* of the call */
};

static const char *format_name(uint32_t i)
{
    return ft_webhook_format_name((enum ft_webhook_format)i);
}

/* Letters, digits, - and _; at most one blank before and behind the value, no controls in it. */
static bool is_header(const char *key, const char *value)
{
    size_t n = strlen(key), v = value ? strlen(value) : 0;
    if (!n || n > 128 || !value || v > 4096)
        return false;
    if (strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != n)
        return false;
    for (size_t i = 0; i < v; i++)
        if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f)
            return false;
    return v < 2 || (strncmp(value, "  ", 2) != 0 && strcmp(value + v - 2, "  ") != 0);
}

static void add_header(struct webhook *w, const char *line)
{
    struct curl_slist *more = curl_slist_append(w->headers, line);
    w->headers = more ? more : w->headers;
}

/* What is wrong with a header; NULL: nothing. */
static const char *header_wrong(const struct webhook *w, const char *key, const char *value)
{
    if (!is_header(key, value))
        return "expected a name of letters, digits, - and _, and a text without control "
               "characters, at most one blank before and behind it";
    if (ft_webhook_header_has(w->headers, key))
        return "it is there already: case makes no other name of it";
    return ft_webhook_header_refused(key);
}

static void read_headers(struct ft_sink_reading *r, const json_t *value, void *state)
{
    struct webhook *w = state;
    const char *key;
    json_t *text;
    if (!json_is_object(value) || json_object_size(value) > HEADERS_MAX) {
        ft_sink_wrong(r, "headers",
                      "expected an object of at most %u texts, such as {\"X-Key\": "
                      "\"secret\"}",
                      HEADERS_MAX);
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)value, key, text)
    {
        char line[4400];
        const char *v = json_string_value(text), *wrong = header_wrong(w, key, v);
        if (wrong) {
            ft_sink_wrong_below(r, "headers", (struct ft_step){key, 0}, "%s", wrong);
            continue;
        }
        /* libcurl takes a header without a value for one to leave out, unless it ends so */
        snprintf(line, sizeof(line), *v ? "%s: %s" : "%s;%s", key, v);
        add_header(w, line);
    }
}

/* clang-format off */
#define AT(member) offsetof(struct webhook, member)
static const struct ft_sink_key keys[] = {
    {.name = "url", .kind = FT_SINK_KEY_TEXT, .is_required = true, .is_destination = true, .low = 8, .high = 2048,
     .offset = AT(url), .standard = "none",
     .meaning = "http://... or https://..., such as \"https://siem.example:8443/in\""},
    {.name = "format", .kind = FT_SINK_KEY_WORD, .names = format_name, .offset = AT(format),
     .standard = "\"ndjson\"", .meaning = "of the request: doc/forwarding-formats.md"},
    {.name = "single", .kind = FT_SINK_KEY_TRUTH, .offset = AT(single), .standard = "false",
     .meaning = "one event in each request; alert and extended have no array around it then"},
    {.name = "headers", .kind = FT_SINK_KEY_OWN,
     .values = "object", .own = read_headers, .standard = "{}",
     .meaning = "further headers: an object of texts; a Content-Type instead of that of the format"},
    {.name = "max_bytes", .kind = FT_SINK_KEY_NUMBER, .low = FT_WEBHOOK_SIZE_MIN, .high = 64u << 20,
     .offset = AT(max_bytes), .standard = "524288", .meaning = "bytes of a request's body"},
    {.name = "gzip", .kind = FT_SINK_KEY_TRUTH, .offset = AT(packs), .standard = "false",
     .meaning = "bodies are packed (Content-Encoding: gzip), for receivers that take that"},
    {.name = "timeout_ms", .kind = FT_SINK_KEY_NUMBER, .low = 100, .high = 600000,
     .offset = AT(timeout_ms), .standard = "10000", .meaning = "milliseconds for a request"},
    {.name = "proxy", .kind = FT_SINK_KEY_TEXT, .high = 2048, .offset = AT(proxy),
     .standard = "none",
     .meaning = "such as \"http://proxy:3128\"; https, socks4, socks4a, socks5 and socks5h, too. "
"Without a port it is 1080, of https 443"},
    {.name = "ca_file", .kind = FT_SINK_KEY_TEXT, .is_file = true, .low = 1, .high = 1024, .offset = AT(ca_file),
     .standard = "the system's", .meaning = "certificates of authorities, PEM"},
    {.name = "verify", .kind = FT_SINK_KEY_TRUTH, .offset = AT(verify), .standard = "true",
     .meaning = "false believes any certificate"},
    {.name = "certificate", .kind = FT_SINK_KEY_TEXT, .is_file = true, .low = 1, .high = 1024,
     .offset = AT(certificate), .standard = "none", .meaning = "the sensor's own, PEM"},
    {.name = "key", .kind = FT_SINK_KEY_TEXT, .is_file = true, .low = 1, .high = 1024, .offset = AT(key),
     .standard = "in the same file",
     .meaning = "private key of the certificate, PEM, not encrypted"},
};
/* clang-format on */

static void webhook_init(void *state)
{
    struct webhook *w = state;
    w->timeout_ms = 10000;
    w->max_bytes = 512u << 10;
    w->verify = true;
    w->proxy = "";
}

/* Where no TLS is spoken files of certificates are not read, and whoever is believed needs no
 * authority. */
static void check_files(struct ft_sink_reading *r, const struct ft_sink *sink,
                        const struct webhook *w)
{
    struct ft_tls_settings files = {
        .ca_file = w->verify ? w->ca_file : NULL, .certificate = w->certificate, .key = w->key};
    if (w->key && !w->certificate)
        ft_sink_wrong(r, "key", "expected a certificate with it");
    if (strncasecmp(w->url, "https:", 6) == 0)
        ft_sink_check_certificates(r, sink, &files);
}

static void add_own_headers(struct webhook *w)
{
    char type[96];
    snprintf(type, sizeof(type), "Content-Type: %s",
             ft_webhook_content_type((enum ft_webhook_format)w->format));
    if (!ft_webhook_header_has(w->headers, "Content-Type"))
        add_header(w, type);
    if (w->packs)
        add_header(w, "Content-Encoding: gzip");
    /* no question whether it may send: that costs each request a second with servers that do not
     * know it */
    add_header(w, "Expect:");
}

static void webhook_check(struct ft_sink_reading *r, struct ft_sink *sink, void *state)
{
    struct webhook *w = state;
    char why[FT_SINK_TEXT_SIZE];
    const char *wrong = ft_webhook_url_wrong(w->url, why, sizeof(why));
    if (wrong)
        ft_sink_wrong(r, "url", "%s", wrong);
    wrong = ft_webhook_proxy_wrong(w->proxy, why, sizeof(why));
    if (wrong)
        ft_sink_wrong(r, "proxy", "%s", wrong);
    check_files(r, sink, w);
    if (w->single)
        sink->batch = 1;
    add_own_headers(w);
}

/* Without what may be secret in it: users, passwords, queries. */
static void webhook_target(const struct ft_sink *sink, const void *state, char *to, size_t size)
{
    const struct webhook *w = state;
    const char *host = strstr(w->url, "://"), *at;
    (void)sink;
    host = host ? host + 3 : w->url;
    size_t path = strcspn(host, "/?#"), all = strcspn(host, "?#");
    at = memrchr(host, '@', path);
    const char *begin = at ? at + 1 : host;
    snprintf(to, size, "%.*s%.*s", (int)(host - w->url), w->url, (int)(host + all - begin), begin);
}

static size_t keep_answer(char *bytes, size_t one, size_t n, void *user)
{
    struct webhook *w = user;
    for (size_t i = 0; i < n * one && w->answered < ANSWER_SIZE - 1; i++) {
        unsigned char c = (unsigned char)bytes[i];
        w->answer[w->answered++] = c >= 0x20 && c < 0x7f ? (char)c : ' ';
    }
    w->answer[w->answered] = 0;
    w->heard += n * one;
    return w->heard <= HEARD_MAX ? n * one : 0;
}

/* Called about once a second, too: time to leave? */
static int may_go_on(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct webhook *w = user;
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return ft_sink_is_over(w->sink);
}

static bool set_files(struct ft_sink *sink, struct webhook *w)
{
    char ca[1200], own[1200], key[1200];
    const char *key_file = w->key ? w->key : w->certificate;
    bool ok = !w->ca_file || (ft_sink_path(sink, w->ca_file, ca, sizeof(ca)) &&
                              !curl_easy_setopt(w->curl, CURLOPT_CAINFO, ca));
    if (w->certificate)
        ok = ok && ft_sink_path(sink, w->certificate, own, sizeof(own)) &&
             ft_sink_path(sink, key_file, key, sizeof(key)) &&
             !curl_easy_setopt(w->curl, CURLOPT_SSLCERT, own) &&
             !curl_easy_setopt(w->curl, CURLOPT_SSLKEY, key) &&
             /* a service has nobody to ask, and OpenSSL would ask the terminal */
             !curl_easy_setopt(w->curl, CURLOPT_KEYPASSWD, "");
    return ok;
}

static CURLcode set_protocols(CURL *c)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    return curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    return curl_easy_setopt(c, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

static bool set_up(struct ft_sink *sink, struct webhook *w)
{
    CURL *c = w->curl;
    bool ok = !curl_easy_setopt(c, CURLOPT_URL, w->url) && !set_protocols(c) &&
              !curl_easy_setopt(c, CURLOPT_POST, 1L) &&
              !curl_easy_setopt(c, CURLOPT_HTTPHEADER, w->headers) &&
              !curl_easy_setopt(c, CURLOPT_USERAGENT, "fieldtap") &&
              !curl_easy_setopt(c, CURLOPT_PROXY, w->proxy) &&
              !curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) &&
              !curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)w->timeout_ms) &&
              !curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)w->timeout_ms) &&
              !curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, (long)w->verify) &&
              !curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, w->verify ? 2L : 0L) &&
              !curl_easy_setopt(c, CURLOPT_ERRORBUFFER, w->why) &&
              !curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, keep_answer) &&
              !curl_easy_setopt(c, CURLOPT_WRITEDATA, w) &&
              !curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L) &&
              !curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, may_go_on) &&
              !curl_easy_setopt(c, CURLOPT_XFERINFODATA, w);
    return (ok && set_files(sink, w)) || ft_sink_fail(sink, "libcurl refuses an option");
}

static void start_library(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT))
        abort(); /* memory for some tables is all that it needs */
}

static bool webhook_open(struct ft_sink *sink, void *state)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct webhook *w = state;
    pthread_once(&once, start_library);
    if (!w->room && !(w->room = malloc(w->max_bytes)))
        return ft_sink_fail(sink, "out of memory");
    if (w->packs && !w->gzip && !(w->gzip = ft_gzip_new(w->max_bytes)))
        return ft_sink_fail(sink, "out of memory");
    w->sink = sink;
    w->curl = curl_easy_init();
    return w->curl ? set_up(sink, w) : ft_sink_fail(sink, "out of memory");
}

static void webhook_close(struct ft_sink *sink, void *state)
{
    struct webhook *w = state;
    (void)sink;
    if (w->curl)
        curl_easy_cleanup(w->curl);
    w->curl = NULL;
}

static void webhook_free(void *state)
{
    struct webhook *w = state;
    curl_slist_free_all(w->headers);
    ft_gzip_free(w->gzip);
    free(w->room);
}

enum answer {
    TAKEN,
    REFUSED,
    AWAY
};

/* Is the record at fault, so that it would be refused whenever it is sent? */
static bool is_about_record(long status)
{
    switch (status) {
    case 401: /* the token */
    case 403:
    case 404: /* the URL */
    case 405:
    case 406:
    case 407: /* the proxy */
    case 408: /* the time */
    case 410:
    case 411:
    case 415: /* the format, or that it is packed */
    case 417:
    case 421:
    case 425:
    case 426:
    case 429:
    case 431:
    case 451:
        return false;
    default:
        return status >= 400 && status < 500;
    }
}

/* Who is overrun, or in maintenance, may say when it wants to be asked again. */
static void heed_retry_after(struct ft_sink *sink, struct webhook *w)
{
    curl_off_t seconds = 0;
    if (curl_easy_getinfo(w->curl, CURLINFO_RETRY_AFTER, &seconds) || seconds <= 0)
        return;
    sink->retry_after_ms =
        seconds < RETRY_AFTER_S_MAX ? (uint64_t)seconds * 1000u : RETRY_AFTER_S_MAX * 1000u;
}

static enum answer post(struct ft_sink *sink, struct webhook *w, const void *body, uint32_t length)
{
    long status = 0;
    w->answered = 0;
    w->heard = 0;
    w->answer[0] = w->why[0] = 0;
    CURLcode wrong = curl_easy_setopt(w->curl, CURLOPT_POSTFIELDSIZE, (long)length);
    if (!wrong)
        wrong = curl_easy_setopt(w->curl, CURLOPT_POSTFIELDS, body);
    if (!wrong)
        wrong = curl_easy_perform(w->curl);
    if (wrong == CURLE_WRITE_ERROR && w->heard > HEARD_MAX)
        wrong = CURLE_OK; /* it has answered, and goes on and on */
    if (wrong) {
        ft_sink_fail(sink, "%s", *w->why ? w->why : curl_easy_strerror(wrong));
        return AWAY;
    }
    curl_easy_getinfo(w->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300)
        return TAKEN;
    ft_sink_fail(sink, "HTTP %ld%s%s", status, w->answered ? ": " : "", w->answer);
    if (is_about_record(status))
        return REFUSED;
    heed_retry_after(sink, w);
    return AWAY;
}

static bool is_parsed(const struct webhook *w, struct ft_sink_record *record)
{
    bool is_object = w->format == FT_WEBHOOK_ALERT || w->format == FT_WEBHOOK_EXTENDED;
    return !is_object || record->event.root || ft_forward_event_parse(&record->event);
}

/* One request with as many as fit, at most `count`. */
static struct ft_sink_sent send_some(struct ft_sink *sink, struct webhook *w,
                                     struct ft_sink_record *records, uint32_t count,
                                     enum answer *answer)
{
    struct ft_sink_sent sent = {0};
    struct ft_webhook body = ft_webhook_begin((enum ft_webhook_format)w->format, &sink->body,
                                              w->single, w->room, w->max_bytes);
    while (sent.done < count) {
        enum ft_webhook_added added = is_parsed(w, &records[sent.done])
                                          ? ft_webhook_add(&body, &records[sent.done].event)
                                          : FT_WEBHOOK_REFUSED;
        if (added == FT_WEBHOOK_FULL)
            break;
        if (added == FT_WEBHOOK_REFUSED)
            ft_sink_fail(sink, "an event has no body of this format");
        sent.refused += added == FT_WEBHOOK_REFUSED;
        sent.done++;
    }
    uint32_t length = ft_webhook_end(&body);
    const void *bytes = w->room;
    if (length && w->gzip)
        bytes = ft_gzip_pack(w->gzip, w->room, length, &length);
    if (!bytes)
        ft_sink_fail(sink, "the events cannot be packed");
    *answer = !bytes ? AWAY : length ? post(sink, w, bytes, length) : TAKEN;
    sent.bytes = length;
    return sent;
}

/* One by one: those that are refused alone, too, are left out. */
static struct ft_sink_sent send_each(struct ft_sink *sink, struct webhook *w,
                                     struct ft_sink_record *records, uint32_t count)
{
    struct ft_sink_sent all = {0};
    for (uint32_t i = 0; i < count && !ft_sink_is_over(sink); i++) {
        enum answer answer;
        struct ft_sink_sent one = send_some(sink, w, &records[i], 1, &answer);
        all.is_failed = answer == AWAY;
        if (all.is_failed)
            break;
        all.done++;
        all.refused += one.refused || answer == REFUSED;
        all.bytes += answer == TAKEN ? one.bytes : 0;
    }
    return all;
}

static struct ft_sink_sent webhook_send(struct ft_sink *sink, void *state,
                                        struct ft_sink_record *records, uint32_t count)
{
    enum answer answer;
    struct ft_sink_sent sent = send_some(sink, state, records, count, &answer);
    if (answer == TAKEN)
        return sent;
    if (answer == AWAY)
        return (struct ft_sink_sent){.is_failed = true};
    if (sent.done == 1)
        return (struct ft_sink_sent){.done = 1, .refused = 1};
    return send_each(sink, state, records, sent.done);
}

const struct ft_sink_kind ft_sink_webhook = {
    .name = "webhook",
    .meaning = "HTTP POST to a URL",
    .state_size = sizeof(struct webhook),
    .keys = keys,
    .key_count = sizeof(keys) / sizeof(keys[0]),
    .batch = 200,
    .linger_ms = 200,
    .init = webhook_init,
    .check_settings = webhook_check,
    .target = webhook_target,
    .open = webhook_open,
    .send = webhook_send,
    .close = webhook_close,
    .free = webhook_free,
};
