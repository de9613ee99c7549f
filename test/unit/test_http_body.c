/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tests of lib/protocols/it/http_body.c: what is told of the beginnings of bodies, however they are
 * framed (the framing is in http.c), and what is not looked at.
 */
#include "http_feed.h"

enum framing {
    LENGTH,
    CHUNKED,
    ENDLESS,
};

static char text[16384];

static int make(const char *start, const char *headers, const char *body, enum framing framing)
{
    int n = snprintf(text, sizeof(text), "%s\r\n%s", start, headers);
    size_t room = sizeof(text) - (size_t)n;
    if (framing == LENGTH)
        n += snprintf(text + n, room, "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
    else if (framing == CHUNKED)
        n += snprintf(text + n, room,
                      "Transfer-Encoding: chunked\r\n\r\n%zx;a=b\r\n%s\r\n0\r\nA: b\r\n\r\n",
                      strlen(body), body);
    else
        n += snprintf(text + n, room, "\r\n%s", body);
    assert_true(n < (int)sizeof(text));
    return n;
}

/* A message of a flow of its own. */
static const char *say(enum ft_direction direction, int length)
{
    assert_true(ft_harness_forget(f.harness));
    return feed_raw(&f, direction, (const uint8_t *)text, (uint32_t)length);
}

static const char *post(const char *type, const char *body, enum framing framing)
{
    char headers[256];
    snprintf(headers, sizeof(headers), "Host: a\r\nContent-Type: %s\r\n", type);
    return say(FT_TO_SERVER, make("POST /x HTTP/1.1", headers, body, framing));
}

static const char *answer(const char *type, const char *body, enum framing framing)
{
    char headers[256];
    snprintf(headers, sizeof(headers), "Content-Type: %s\r\n", type);
    return say(FT_TO_CLIENT, make("HTTP/1.1 200 OK", headers, body, framing));
}

#define FORM    "application/x-www-form-urlencoded"
#define PARTS   "multipart/form-data; boundary=b"
#define MESSAGE "{\"message\""
#define LOGIN   "\"command\":\"form_login\",\"code\":28,\"class\":\"auth\",\"kind\":\"request\""

/* ---- forms ---------------------------------------------------------------------------------- */

static void form_fields(void **state)
{
    (void)state;
    static const struct {
        const char *body, *user;
        unsigned password; /* its length */
    } cases[] = {
        {"user=joe&password=s3cret", "joe", 6},
        {"password=s3cret&user=joe", "joe", 6},
        {"USERNAME=joe&PASSWD=s3cret", "joe", 6},
        {"login=joe&pw=s3", "joe", 2},
        {"name=joe&pass=s3", "joe", 2},
        {"email=j%40a&userPwd=s3", "j%40a", 2},
        {"user=joe&user=tom&pwd=one&pwd=other2", "joe", 3},
        {"user=&user=tom&pwd=&pwd=one", "tom", 3},
        {"a=b&&=&user=joe&c&p%61ssword=s3cret&", "joe", 6},
        {"password=a=b", "", 3},
        {"user_token=x&login_session=y&user=joe&pwd=z", "joe", 1},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (enum framing framing = LENGTH; framing <= CHUNKED; framing++) {
            char expected[128];
            const char *out = post(FORM, cases[i].body, framing);
            snprintf(expected, sizeof(expected),
                     "\"form\":{\"user\":\"%s\",\"password\":{\"length\":%u,", cases[i].user,
                     cases[i].password);
            assert_int_equal(feed_count(out, MESSAGE), 2);
            assert_has(out, LOGIN);
            assert_has(out, expected);
            assert_violation(out, "credential_clear_text");
            assert_no_violation(out, "default_login");
            assert_has_not(out, "s3cret");
        }
    assert_violation(post(FORM, "user=admin&pwd=admin", LENGTH), "default_login");
}

static void no_login(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "user=joe&passwordless=yes",
        "user=joe&password=",
        "user=joe&password",
        "compass=n&user=joe",
        "user=joe&token=t",
        "",
        "&&&",
        "=====",
        "keyboard=de&name=joe",
    };
    for (unsigned i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        const char *out = post(FORM, bodies[i], LENGTH);
        assert_int_equal(feed_count(out, MESSAGE), bodies[i][0] ? 2 : 1);
        assert_has_not(out, "form_login");
        assert_has_not(out, "\"form\"");
        assert_clean(out);
    }
    /* in other types nothing but attacks is looked for */
    assert_has_not(post("text/plain", "user=joe&pwd=x", LENGTH), "form_login");
    assert_int_equal(feed_count(answer(FORM, "pwd=x", LENGTH), "form_login"), 0);
}

/* A password behind the part that is looked at is not seen; one inside it is. */
static void long_form(void **state)
{
    (void)state;
    static char body[8000];
    memset(body, 'a', sizeof(body));
    memcpy(body + 2048 - 6, "&pwd=x", 7);
    assert_has(post(FORM, body, LENGTH), "\"password\":{\"length\":1,");
    memset(body, 'a', sizeof(body));
    memcpy(body + 2048 - 5, "&pwd=x", 7);
    assert_has_not(post(FORM, body, LENGTH), "form_login");
    /* and the next message is found behind all of it */
    memset(body, 'a', sizeof(body));
    body[7999] = 0;
    int n = make("POST /x HTTP/1.1", "Host: a\r\nContent-Type: " FORM "\r\n", body, CHUNKED);
    n += snprintf(text + n, sizeof(text) - (size_t)n, "GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_has(say(FT_TO_SERVER, n), "\"url\":\"/next\"");
}

static void one_byte_segments(void **state)
{
    (void)state;
    for (enum framing framing = LENGTH; framing <= CHUNKED; framing++) {
        int n = make("POST /x HTTP/1.1", "Host: a\r\nContent-Type: " FORM "\r\n",
                     "user=joe&pwd=s3cret", framing);
        unsigned logins = 0, messages = 0;
        assert_true(ft_harness_forget(f.harness));
        for (int i = 0; i < n; i++) {
            const char *out = feed_raw(&f, FT_TO_SERVER, (const uint8_t *)text + i, 1);
            logins += feed_count(out, "\"form\":{\"user\":\"joe\",\"password\":{\"length\":6,");
            messages += feed_count(out, MESSAGE);
        }
        assert_int_equal(logins, 1);
        assert_int_equal(messages, 2);
    }
}

/* ---- files ---------------------------------------------------------------------------------- */

static const char *upload(const char *name, const char *content)
{
    char body[1024];
    snprintf(body, sizeof(body),
             "--b\r\nContent-Disposition: form-data; name=\"f\"; FileName=\"%s\"\r\n"
             "Content-Type: x/y\r\n\r\n%s\r\n--b--\r\n",
             name, content);
    return post(PARTS, body, LENGTH);
}

static void uploads(void **state)
{
    (void)state;
    static const char *const firmware[] = {"a.upg", "a.BIN",  "a.fwu", "a.hex", "a.rom",
                                           "a.upd", "a.firm", "a.fw",  ".rom",  ".fw"};
    static const char *const others[] = {"a.txt", "bin", "a.bin.txt", "fw", "a.upgr", "a"};
    char expected[128];
    for (unsigned i = 0; i < sizeof(firmware) / sizeof(firmware[0]); i++) {
        const char *out = upload(firmware[i], "x");
        assert_has(out, "\"command\":\"firmware_upload\",\"code\":30,\"class\":\"firmware\","
                        "\"kind\":\"request\"");
        snprintf(expected, sizeof(expected), "\"file\":{\"name\":\"%s\"}", firmware[i]);
        assert_has(out, expected);
        assert_clean(out);
    }
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_has(upload(others[i], "x"),
                   "\"command\":\"file_upload\",\"code\":29,\"class\":\"file\"");
    assert_has(upload("a", "\x7f"
                           "ELF"),
               "\"file\":{\"name\":\"a\",\"magic\":\"ELF\"}");
    assert_has(upload("a", "MZ"), "\"magic\":\"MZ\"");
    assert_has(upload("a", "#!/bin/x"), "\"magic\":\"script\"");
    assert_has_not(upload("a", "\x7f"
                               "ELG"),
                   "\"magic\"");
    assert_has_not(upload("a", "mz"), "\"magic\"");
    assert_has_not(upload("a", "#! /"), "\"magic\"");
    assert_has_not(upload("", "MZ"), "file_upload");
    /* a part that is no file, one without an end, one without content */
    assert_has_not(
        post(PARTS, "--b\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\nMZ", LENGTH),
        "file_upload");
    assert_has(post(PARTS, "filename=\"abc", LENGTH), "\"file\":{\"name\":\"abc\"}");
    assert_has(post(PARTS, "filename=\"abc\"\r\n\r", LENGTH), "\"file\":{\"name\":\"abc\"}");
    assert_has_not(post(PARTS, "filename=\"", LENGTH), "file_upload");
}

static void programs(void **state)
{
    (void)state;
    static const struct {
        const char *body, *magic;
    } cases[] = {
        {"\x7f"
         "ELF\x01",
         "ELF"},
        {"MZ\x90.", "MZ"},
        {"#!/bin/sh\n", "script"},
        {"\x7f"
         "ELG\x01",
         NULL},
        {"ZM..", NULL},
        {"#!x/bin", NULL},
        {"M", NULL},
        {"\x7f"
         "EL",
         NULL},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (enum framing framing = LENGTH; framing <= ENDLESS; framing++) {
            const char *out = answer("application/octet-stream", cases[i].body, framing);
            char expected[64];
            snprintf(expected, sizeof(expected), "\"file\":{\"magic\":\"%s\"}", cases[i].magic);
            if (cases[i].magic) {
                assert_has(out, expected);
                assert_violation(out, "executable");
            } else {
                assert_has_not(out, "\"file\"");
                assert_clean(out);
            }
        }
    /* a page may begin with these letters */
    assert_clean(answer("text/html", "MZ..", LENGTH));
    assert_clean(answer("text/plain", "MZ..", LENGTH));
}

/* ---- pages and descriptions ----------------------------------------------------------------- */

static void pages(void **state)
{
    (void)state;
    for (enum framing framing = LENGTH; framing <= ENDLESS; framing++) {
        const char *out = answer("text/html", "<html><TITLE>\r\n MOXA 5 \r\n</TITLE>", framing);
        assert_has(out, "\"title\":\"MOXA 5\"");
        assert_has(out, "\"fact\":\"vendor\",\"value\":\"Moxa\"");
        assert_has(out, "\"fact\":\"model\",\"value\":\"MOXA 5\"");
        out = answer("application/xhtml+xml; charset=x", "<title>Moxaic</title>", framing);
        assert_has(out, "\"title\":\"Moxaic\"");
        assert_has_not(out, "\"fact\"");
    }
    static const char *const nothing[] = {"<title></title>",  "<title>  </title>", "<title>abc",
                                          "<titl>abc</titl>", "title>abc<",        ""};
    for (unsigned i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++)
        assert_has_not(answer("text/html", nothing[i], LENGTH), "\"title\"");
    /* a server is told by the first title of a connection */
    assert_has(answer("text/html", "<title>WAGO 1</title>", LENGTH), "\"value\":\"WAGO 1\"");
    int n = make("HTTP/1.1 200 OK", "Content-Type: text/html\r\n", "<title>WAGO 2</title>", LENGTH);
    const char *out = feed_raw(&f, FT_TO_CLIENT, (const uint8_t *)text, (uint32_t)n);
    assert_has(out, "\"title\":\"WAGO 2\"");
    assert_has_not(out, "\"fact\"");
    /* the model's name is short */
    char page[300] = "<title>WAGO ";
    memset(page + 12, 'x', 200);
    strcpy(page + 212, "</title>");
    out = answer("text/html", page, LENGTH);
    char expected[128] = "\"fact\":\"model\",\"value\":\"WAGO ";
    size_t at = strlen(expected);
    memset(expected + at, 'x', 59);
    strcpy(expected + at + 59, "\"}");
    assert_has(out, expected);
}

static void descriptions(void **state)
{
    (void)state;
    static const char device[] =
        "<root xmlns=\"URN:schemas-upnp-org:device-1-0\"><device><friendlyName>cam</friendlyName>"
        "<manufacturer> Axis </manufacturer><modelName>M7</modelName><serialNumber>9</serialNumber>"
        "<UDN>uuid:1</UDN></device>";
    for (enum framing framing = LENGTH; framing <= ENDLESS; framing++) {
        const char *out = answer("text/xml", device, framing);
        assert_has(out, "\"device\":{\"manufacturer\":\"Axis\",\"model\":\"M7\",\"serial\":\"9\","
                        "\"name\":\"cam\",\"udn\":\"uuid:1\"}");
        assert_has(out, "\"party\":\"sender\",\"fact\":\"vendor\",\"value\":\"Axis\"");
        assert_has(out, "\"fact\":\"model\",\"value\":\"M7\"");
        assert_has(out, "\"fact\":\"serial\",\"value\":\"9\"");
        assert_has(out, "\"fact\":\"name\",\"value\":\"cam\"");
        assert_int_equal(feed_count(out, "\"fact\":"), 8); /* "fact":{.. "fact":.. */
    }
    assert_has(answer("application/xml", device, LENGTH), "\"model\":\"M7\"");
    const char *out = answer("text/xml", "<root><modelName>M7</modelName></root>", LENGTH);
    assert_has_not(out, "\"device\"");
    assert_has_not(out, "\"fact\"");
    assert_has_not(answer("text/xml", "urn:schemas-upnp-org:device <modelName>M7", LENGTH), "M7");
}

/* Compressed, partial, and behind answers that have no body: not looked at. */
static void not_looked_at(void **state)
{
    (void)state;
    static const char *const headers[] = {"Content-Encoding: gzip\r\n", "Content-Encoding: br\r\n",
                                          "Transfer-Encoding: gzip, chunked\r\n"};
    for (unsigned i = 0; i < 2; i++) {
        char all_headers[256];
        snprintf(all_headers, sizeof(all_headers), "Host: a\r\nContent-Type: " FORM "\r\n%s",
                 headers[i]);
        const char *out = say(FT_TO_SERVER, make("POST / HTTP/1.1", all_headers, "pwd=x", LENGTH));
        assert_int_equal(feed_count(out, MESSAGE), 1);
        snprintf(all_headers, sizeof(all_headers), "Content-Type: text/html\r\n%s", headers[i]);
        out = say(FT_TO_CLIENT, make("HTTP/1.1 200 OK", all_headers, "<title>a</title>", LENGTH));
        assert_has_not(out, "\"title\"");
    }
    const char *out = say(FT_TO_SERVER, snprintf(text, sizeof(text),
                                                 "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: " FORM
                                                 "\r\n%s\r\n5\r\npwd=x\r\n0\r\n\r\n",
                                                 headers[2]));
    assert_int_equal(feed_count(out, MESSAGE), 1);
    assert_clean(out);
    out = say(FT_TO_SERVER,
              make("POST / HTTP/1.1",
                   "Host: a\r\nContent-Type: " FORM "\r\nContent-Encoding: identity\r\n", "pwd=x",
                   LENGTH));
    assert_has(out, "form_login");
    out = say(FT_TO_CLIENT, make("HTTP/1.1 206 Partial", "Content-Type: text/html\r\n",
                                 "<title>a</title>", LENGTH));
    assert_has_not(out, "\"title\"");
}

/* Sizes of chunks that lie: bounded, and what they hide is not read as a message. */
static void hostile_chunks(void **state)
{
    (void)state;
    static const char *const sizes[] = {"-1",  "0x5", "5g", "", " ", ";a=b", "10000000000000000",
                                        "\x80"};
    static const char start[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: " FORM
                                "\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        int n = snprintf(text, sizeof(text), "%s%s\r\npwd=x\r\n0\r\n\r\n", start, sizes[i]);
        const char *out = say(FT_TO_SERVER, n);
        assert_violation(out, "bad_chunk");
        assert_has_not(out, "form_login");
    }
    /* as large as can be: the rest of the connection */
    int n = snprintf(text, sizeof(text), "%sfffffffffffffff\r\npwd=x", start);
    assert_clean(say(FT_TO_SERVER, n));
    /* every beginning of a good one */
    n = make("POST / HTTP/1.1", "Host: a\r\nContent-Type: " FORM "\r\n", "user=joe&pwd=x", CHUNKED);
    for (int cut = 0; cut < n; cut++) {
        assert_true(ft_harness_forget(f.harness));
        const char *out =
            ft_harness_feed_cut(f.harness, &f.flow, FT_TO_SERVER, ++f.time_ns, text, (uint32_t)cut);
        assert_no_violation(out, "malformed");
        assert_no_violation(out, "bad_chunk");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(form_fields),   TEST(no_login),       TEST(long_form), TEST(one_byte_segments),
        TEST(uploads),       TEST(programs),       TEST(pages),     TEST(descriptions),
        TEST(not_looked_at), TEST(hostile_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
