/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tests of lib/protocols/it/secret_name.c and secret_hide.c: which names are those of secrets, and
 * what is left of URLs and texts. Then of the dissectors that use them (HTTP, FTP, Telnet, syslog):
 * a marker stands wherever a secret may stand in a message, and must be nowhere in what is told.
 */
#include "feed.h"

#include "protocols/it/secret.h"

#include <time.h>

static struct ft_view view(const char *text)
{
    return ft_view_make(text, (uint32_t)strlen(text), false);
}

static void names(void **state)
{
    (void)state;
    static const char *const passwords[] = {
        "password",
        "PASSWORD",
        "passwd",
        "Passwort",
        "userPassword",
        "user_pass",
        "pass",
        "newpass",
        "pwd",
        "txtPwd",
        "pw",
        "p%61ssword",
        "p%2561ssword",
        "passphrase",
        "password2",
        "form[password]",
        "password_confirmation",
        "PaSsWoRd",
        "j_password",
        "kennwort",
        "psw",
    };
    static const char *const tokens[] = {
        "access_token",
        "accessToken",
        "token",
        "TOKEN",
        "csrftoken",
        "api_key",
        "apikey",
        "X-Api-Key",
        "apiKey",
        "session",
        "sessionid",
        "session_id",
        "PHPSESSID",
        "JSESSIONID",
        "jsessionid",
        "ASP.NET_SessionId",
        "sid",
        "SessionKey",
        "access%5Ftoken",
        "auth",
        "id_token",
        "credentials",
        "jwt",
        "Ocp-Apim-Subscription-Key",
        "sig",
        "token1",
    };
    static const char *const keys[] = {
        "secret",
        "client_secret",
        "community",
        "key",
        "pre-shared-key",
        "psk",
        "private_key",
        "key-string",
        "authentication-key",
        "message-digest-key",
    };
    static const char *const others[] = {
        "passwordless",
        "password_policy",
        "tokenring",
        "token_ring",
        "keyboard",
        "compass",
        "bypass",
        "monkey",
        "sort_key_name",
        "keyed",
        "user",
        "name",
        "obsession",
        "sessions",
        "session_timeout",
        "side",
        "author",
        "authority",
        "secretary",
        "communityname",
        "",
        "-",
        "%",
        "%%",
        "spw1",
        "hotkey",
        "pin",
        "design",
        "cookies",
    };
    for (unsigned i = 0; i < sizeof(passwords) / sizeof(*passwords); i++)
        if (ft_secret_of(view(passwords[i])) != FT_SECRET_PASSWORD)
            fail_msg("%s", passwords[i]);
    for (unsigned i = 0; i < sizeof(tokens) / sizeof(*tokens); i++)
        if (ft_secret_of(view(tokens[i])) != FT_SECRET_TOKEN)
            fail_msg("%s", tokens[i]);
    for (unsigned i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        if (ft_secret_of(view(keys[i])) != FT_SECRET_KEY)
            fail_msg("%s", keys[i]);
    for (unsigned i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (ft_secret_of(view(others[i])) != FT_SECRET_NONE)
            fail_msg("%s", others[i]);
    assert_int_equal(ft_secret_of(view("Set-Cookie")), FT_SECRET_LINE);
    assert_int_equal(ft_secret_of(view("Proxy-Authorization")), FT_SECRET_LINE);
    /* of a long name the end counts */
    char name[1000];
    memset(name, 'x', sizeof(name));
    strcpy(name + 900, "_password");
    assert_int_equal(ft_secret_of(view(name)), FT_SECRET_PASSWORD);
}

static void letters(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint8_t value, level;
        uint32_t length;
    } cases[] = {
        {"=", '=', 0, 1},       {"%3D", '=', 1, 3},  {"%3d4", '=', 1, 3},  {"%253D", '=', 2, 5},
        {"%25253D", '=', 3, 7}, {"%25", '%', 1, 3},  {"%2", '%', 0, 1},    {"%", '%', 0, 1},
        {"%zz", '%', 0, 1},     {"%253", '%', 1, 3}, {"%25zz", '%', 1, 3}, {"%fF", 0xff, 1, 3},
        {"%00", 0, 1, 3},       {"%2500", 0, 2, 5},  {"%05", 5, 1, 3},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct ft_secret_letter letter = ft_secret_letter(view(cases[i].text), 0);
        assert_int_equal(letter.value, cases[i].value);
        assert_int_equal(letter.level, cases[i].level);
        assert_int_equal(letter.length, cases[i].length);
    }
}

typedef struct ft_view hider(struct ft_view text, struct ft_secret_room *room);

static void assert_shown(hider *hide, const char *text, const char *expected)
{
    static struct ft_secret_room room;
    struct ft_view shown = hide(view(text), &room);
    if (shown.len != strlen(expected) || memcmp(shown.data, expected, shown.len) != 0)
        fail_msg("%s\nis shown as %.*s\nand not  %s", text, (int)shown.len,
                 (const char *)shown.data, expected);
}

static void urls(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"/l?user=joe&password=M4RK&x=1", "/l?user=joe&password=***&x=1"},
        {"/l?p%61ssword=M4RK", "/l?p%61ssword=***"},
        {"/l?PASSWORD=M4RK#f", "/l?PASSWORD=***#f"},
        {"/l?access_token=M4RK;x&y", "/l?access_token=***&y"},
        {"/l#access_token=M4RK&state=1", "/l#access_token=***&state=1"},
        {"/a;jsessionid=M4RK?x=1", "/a;jsessionid=***?x=1"},
        {"http://joe:M4RK@h/p", "http://joe:***@h/p"},
        {"http://M4RK@h/p", "http://***@h/p"},
        {"http://joe:M4/RK@h/p", "http://joe:***@h/p"},
        {"http://joe%3AM4RK@h/p", "http://joe%3A***@h/p"},
        {"//joe:M4RK@h/p", "//joe:***@h/p"},
        {"joe:M4RK@h:443", "joe:***@h:443"},
        {"/r?next=http%3A%2F%2Fjoe%3AM4RK%40h%2F&x=1", "/r?next=http%3A%2F%2Fjoe%3A***%40h%2F&x=1"},
        {"/r?next=%2Fl%3Fpwd%3DM4RK%26x%3D1&y=2", "/r?next=%2Fl%3Fpwd%3D***%26x%3D1&y=2"},
        {"/r?next=%252Fl%253Fpwd%253DM4RK%2526x", "/r?next=%252Fl%253Fpwd%253D***%2526x"},
        {"/r?d={\"password\":\"M4RK\"}", "/r?d={\"password\":***"},
        {"/r?d=%7B%22password%22%3A%22M4RK%22%7D&b=1", "/r?d=%7B%22password%22%3A***&b=1"},
        {"user=joe&password=M4RK", "user=joe&password=***"},
        /* what is no secret stays */
        {"/l?passwordless=yes&tokenring=1&keyboard=de",
         "/l?passwordless=yes&tokenring=1&keyboard=de"},
        {"/password/reset", "/password/reset"},
        {"/l?password=", "/l?password="},
        {"/l?password", "/l?password"},
        {"http://h:80/a@b/c:d@e", "http://h:80/a@b/c:d@e"},
        {"joe@h", "joe@h"},
        {"/joe:x@h", "/joe:x@h"},
        {"j:M4RK@h", "j:***@h"},
        {"/a//b/c@d", "/a//b/c@d"},
        {"http://h/a@v2", "http://h/a@v2"},
        {"*", "*"},
        {"", ""},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_shown(ft_secret_hide_url, cases[i][0], cases[i][1]);
}

static void texts(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"login user=joe password=M4RK from 10.0.0.1", "login user=joe password=*** from 10.0.0.1"},
        {"pwd: M4RK", "pwd: ***"},
        {"Password : M4RK x", "Password : *** x"},
        {"PASSWORD=\"M4 RK\" x", "PASSWORD=\"***\" x"},
        {"{\"user\":\"a\",\"password\": \"M4\\\"RK\",\"b\":1}",
         "{\"user\":\"a\",\"password\": \"***\",\"b\":1}"},
        {"{\\\"password\\\":\\\"M4RK\\\",\\\"b\\\":1}",
         "{\\\"password\\\":\\\"***\\\",\\\"b\\\":1}"},
        {"{\"tokens\":1,\"secrets\":[\"M4RK\", \"M4RK\"],\"b\":1}",
         "{\"tokens\":1,\"secrets\":***],\"b\":1}"},
        {"<user>a</user><password>M4RK</password>", "<user>a</user><password>***</password>"},
        {"secret 0 M4RK", "secret 0 ***"},
        {"password 7 M4RK", "password 7 ***"},
        {"password: 7 M4RK x", "password: *** x"},
        {"%PARSER-5-CFGLOG_LOGGEDCMD: User:console  logged command:username joe privilege 15 "
         "password 7 M4RK",
         "%PARSER-5-CFGLOG_LOGGEDCMD: User:console  logged command:username joe privilege 15 "
         "password 7 ***"},
        {"logged command:username x password M4RK", "logged command:username x password ***"},
        {"snmp-server community M4RK RO", "snmp-server community ***"},
        {"snmp-server host 10.0.0.1 version 2c M4RK", "snmp-server host 10.0.0.1 ***"},
        {"snmp-server user joe admins v3 auth sha M4RK priv aes 128 M4RK",
         "snmp-server user joe ***"},
        {"enable secret 5 $1$M4RK", "enable secret 5 ***"},
        {"enable secret M4RK", "enable secret ***"},
        {"enable password M4RK\nnext", "enable password ***\nnext"},
        {"radius-server host 10.0.0.9 key M4RK", "radius-server host 10.0.0.9 key ***"},
        {"pre-shared-key M4RK", "pre-shared-key ***"},
        {"ip ospf message-digest-key 1 md5 M4RK", "ip ospf message-digest-key 1 ***"},
        {"tool --password M4RK -x", "tool --password *** -x"},
        {"tool --api-key=M4RK -x", "tool --api-key=*** -x"},
        {"curl -u joe:M4RK h", "curl -u joe:*** h"},
        {"get http://joe:M4RK@h/ now", "get http://joe:***@h/ now"},
        {"GET /x?p%61ssword=M4RK&a=b HTTP/1.1", "GET /x?p%61ssword=***&a=b HTTP/1.1"},
        {"GET /x?a%26password%3DM4RK HTTP/1.1", "GET /x?a%26password%3D*** HTTP/1.1"},
        {"the password is M4RK", "the password is ***"},
        {"password was changed to M4RK.", "password was changed to ***"},
        {"password of joe changed to M4RK", "password of joe changed to ***"},
        {"password 'M4RK' refused", "password '***' refused"},
        {"Authorization: Bearer M4RK", "Authorization: ***"},
        {"auth=Bearer M4RK", "auth=***"},
        {"Cookie: a=M4RK; b=M4RK", "Cookie: ***"},
        {"community public from 10.0.0.1", "community *** from 10.0.0.1"},
        {"session: 0123456789abcdef", "session: ***"},
        {"CEF:0|a|b|c|d|e|1|duser=joe pwd=M4 RK src=10.0.0.1",
         "CEF:0|a|b|c|d|e|1|duser=joe pwd=*** src=10.0.0.1"},
        {"CEF:0|a|b|c|d|e|1|pwd=M4 RK", "CEF:0|a|b|c|d|e|1|pwd=***"},
        /* sentences, and what is no secret */
        {"Failed password for root from 10.0.0.1 port 22",
         "Failed password for root from 10.0.0.1 port 22"},
        {"Accepted password for invalid username admin",
         "Accepted password for invalid username admin"},
        {"the password is incorrect", "the password is incorrect"},
        {"username joe password incorrect", "username joe password incorrect"},
        {"password verification done", "password verification done"},
        {"password check", "password check"},
        {"passwordless=yes tokenring keyboard: de", "passwordless=yes tokenring keyboard: de"},
        {"pam_unix(sshd:session): session opened for user joe",
         "pam_unix(sshd:session): session opened for user joe"},
        {"pam_unix(sshd:auth): authentication failure; rhost=h",
         "pam_unix(sshd:auth): authentication failure; rhost=h"},
        {"TTY=pts/0 ; PWD=/home/joe ; USER=root ; COMMAND=/bin/ls",
         "TTY=pts/0 ; PWD=/home/joe ; USER=root ; COMMAND=/bin/ls"},
        {"password= host=a", "password= host=a"},
        {"PWD=/M4RK x", "PWD=*** x"},
        {"PWD=M4RK ; x", "PWD=*** ; x"},
        {"pwd=/M4RK ; x", "pwd=*** ; x"},
        {"XPWD=/M4RK ; x", "XPWD=*** ; x"},
        {"password= h=a", "password= h=a"},
        {"password= h=", "password= ***"},
        {"password= h==", "password= ***"},
        {"password= M4RK", "password= ***"},
        {"password 7  M4RK", "password 7  ***"},
        {"key\t7\tM4RK", "key\t7\t***"},
        {"see //a b@c", "see //a b@c"},
        {"x %26password%3DM4RK y", "x %26password%3D*** y"},
        {"Password:\r\nnext", "Password:\r\nnext"},
        {"session: closed", "session: closed"},
        {"pwd", "pwd"},
        {"snmp-server enable traps", "snmp-server enable traps"},
        {"invalid community string from 10.0.0.1", "invalid community string from 10.0.0.1"},
        {"curl -u joe h:80", "curl -u joe h:80"},
        {"see http://h/a and joe@h", "see http://h/a and joe@h"},
        {"", ""},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_shown(ft_secret_hide_text, cases[i][0], cases[i][1]);
}

static void assert_echo(const char *text, const char *secret, bool is_cut, const char *expected)
{
    static struct ft_secret_room room;
    struct ft_view shown = ft_secret_hide_echo(view(text), view(secret), is_cut, &room);
    assert_int_equal(shown.len, strlen(expected));
    assert_memory_equal(shown.data, expected, shown.len);
}

static void echoes(void **state)
{
    (void)state;
    assert_echo("530 Login with hunter2 failed", "hunter2", false, "530 Login with *** failed");
    assert_echo("not xhunter2x", "hunter2", false, "not x***x");
    assert_echo("530 'ab' failed, abc", "ab", false, "530 '***' failed, abc");
    assert_echo("SITE PSWD old new?", "old new", false, "SITE PSWD *** ***?");
    assert_echo("a hunter234 b", "hunter2", true, "a *** b");
    assert_echo("hunter2 password=x", "hunter2", false, "*** password=***");
    assert_echo("nothing", "hunter2", false, "nothing");
    assert_echo("nothing", "", false, "nothing");
}

static void typed(void **state)
{
    (void)state;
    static const char *const secret[] = {"set password x", "username a secret 5 x", "key 7 x",
                                         "snmp community x", "passwd joe"};
    static const char *const plain[] = {
        "show version", "pwd", "passwd", "passwordless on", "show session 5", "keyboard de", ""};
    for (unsigned i = 0; i < sizeof(secret) / sizeof(*secret); i++)
        assert_true(ft_secret_is_typed(view(secret[i])));
    for (unsigned i = 0; i < sizeof(plain) / sizeof(*plain); i++)
        assert_false(ft_secret_is_typed(view(plain[i])));
}

/* The room is never left, and what does not fit is not shown. */
static void limits(void **state)
{
    (void)state;
    static char text[70000];
    static struct {
        struct ft_secret_room room;
        uint8_t behind[16];
    } r;
    memset(text, 'a', sizeof(text) - 1);
    memset(r.behind, 0x5a, sizeof(r.behind));
    assert_ptr_equal(ft_secret_hide_text(view(text), &r.room).data, text);
    memcpy(text, "password=x ", 11);
    struct ft_view shown = ft_secret_hide_text(view(text), &r.room);
    assert_int_equal(shown.len, FT_SECRET_SHOWN_MAX);
    assert_memory_equal(shown.data, "password=*** aaa", 16);
    for (unsigned i = 0; i < sizeof(r.behind); i++)
        assert_int_equal(r.behind[i], 0x5a);
}

/* Texts that make a search begin again at every place take no longer than others. */
static void hostile(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "password ",
        "password=",
        "//a:b",
        "<password ",
        "%2525",
        "a=",
        "\"password\":\\",
        "[",
        "password:\"",
        "key is ",
        "snmp-server host ",
        "CEF:pwd=",
        "-u ",
        "token:[",
        "password 7",
    };
    static char text[65536];
    static struct ft_secret_room room;
    for (unsigned i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        size_t n = strlen(parts[i]);
        for (size_t at = 0; at < sizeof(text); at++)
            text[at] = parts[i][at % n];
        struct ft_view all = ft_view_make(text, sizeof(text), false);
        ft_secret_hide_text(all, &room);
        ft_secret_hide_url(all, &room);
        ft_secret_hide_echo(all, view("password b"), false, &room);
        ft_secret_is_typed(all);
    }
}

/* Words without an end behind names: each is looked at once. Looked at again from every name, the
 * first of these texts takes 14 s where all of them take half of one. */
static void long_words(void **state)
{
    (void)state;
    static const char *const parts[] = {"session:", "pass!", "-u!", "key!\"", "p\":"};
    static char text[512 << 10];
    static struct ft_secret_room room;
    clock_t begin = clock();
    for (unsigned i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        size_t n = strlen(parts[i]);
        for (size_t at = 0; at < sizeof(text); at++)
            text[at] = parts[i][at % n];
        ft_secret_hide_text(ft_view_make(text, sizeof(text), false), &room);
        ft_secret_hide_url(ft_view_make(text, sizeof(text), false), &room);
    }
    assert_true((clock() - begin) / CLOCKS_PER_SEC < 5);
}

/* "//" after "//": letters are looked at again only so often, then the rest is hidden. */
static void looks(void **state)
{
    (void)state;
    enum {
        LENGTH = 60000,
        LOOKS = (LENGTH + 16384) / 512 + 1 /* 512 letters each */
    };
    static const struct {
        const char *part;
        uint32_t shown;
    } rows[] = {{"//a:b", 5 * LOOKS + 5}, /* these, another "//", and "***" */
                {"http://10.0.0.1:8080/a ", LENGTH},
                {"http://[fe80::1]:80/a//b\n", LENGTH},
                {"///", LENGTH}};
    static char text[LENGTH];
    static struct ft_secret_room room;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        size_t n = strlen(rows[i].part);
        for (size_t at = 0; at < sizeof(text); at++)
            text[at] = rows[i].part[at % n];
        struct ft_view all = ft_view_make(text, sizeof(text), false);
        assert_int_equal(ft_secret_hide_text(all, &room).len, rows[i].shown);
        assert_int_equal(ft_secret_hide_url(all, &room).len, rows[i].shown);
    }
}

/* All of a long word is hidden. */
static void hidden_words(void **state)
{
    (void)state;
    static const char *const before[] = {"curl -u joe:", "password=", "session: 1", "password is ",
                                         "snmp-server host 10.0.0.1 "};
    char text[400];
    struct ft_secret_room room;
    for (unsigned i = 0; i < sizeof(before) / sizeof(*before); i++) {
        int n = snprintf(text, sizeof(text), "%s%0300d", before[i], 7);
        struct ft_view shown = ft_secret_hide_text(ft_view_make(text, (uint32_t)n, false), &room);
        assert_true(shown.len < 40);
        assert_memory_equal(shown.data + shown.len - 3, "***", 3);
    }
}

static void garbage(void **state)
{
    (void)state;
    static const char sample[] =
        "/l?user=joe&password=x%3D&next=http%3A%2F%2Fa:b@c;jsessionid=5 \"pwd\": \"\\\"y\" secret "
        "0 z "
        "snmp-server host a b <password>c</password> CEF: [token]=d -u e:f\r\nkey is g\n";
    static struct ft_secret_room room;
    char changed[sizeof(sample)];
    uint32_t seed = 1;
    for (unsigned i = 0; i < 20000; i++) {
        memcpy(changed, sample, sizeof(sample));
        for (unsigned change = 0; change <= i % 6; change++) {
            seed = seed * 1664525u + 1013904223u;
            changed[(seed >> 8) % sizeof(sample)] = sample[(seed >> 20) % sizeof(sample)];
        }
        uint32_t from = (seed >> 8) % sizeof(sample);
        struct ft_view v = ft_view_make(changed + from, (uint32_t)sizeof(sample) - from, false);
        ft_secret_hide_text(v, &room);
        ft_secret_hide_url(v, &room);
        ft_secret_hide_echo(v, view("joe x"), i & 1, &room);
    }
}

/* ---- in messages ---------------------------------------------------------------------------- */

#define MARK "M4rk3r-7f"

/* One message, by `^` where the marker stands; what must be told of it all the same. */
struct sent {
    enum ft_direction direction;
    const char *text, *told;
};

static void replace(char *to, size_t size, const char *text)
{
    size_t n = 0;
    for (; *text && n + sizeof(MARK) < size; text++)
        if (*text == '^') {
            memcpy(to + n, MARK, sizeof(MARK) - 1);
            n += sizeof(MARK) - 1;
        } else {
            to[n++] = *text;
        }
    assert_true(n + sizeof(MARK) < size);
    to[n] = 0;
}

/* The marker, how it begins and ends: a part of a secret is one, too. */
static void assert_hidden(const char *out)
{
    assert_has_not(out, "M4rk");
    assert_has_not(out, "rk3r");
    assert_has_not(out, "3r-7f");
}

/* As it stands, and in segments of one byte where it is a stream. */
static void assert_secret(struct feed *f, const struct sent *sent, bool is_told)
{
    static char text[8192], all[65536];
    replace(text, sizeof(text), sent->text);
    const char *out = feed_raw(f, sent->direction, (const uint8_t *)text, (uint32_t)strlen(text));
    all[0] = 0;
    if (f->flow.transport == FT_TRANSPORT_TCP) {
        struct ft_harness_flow flow = f->flow;
        flow.id += 100000;
        strcpy(all, out);
        for (const char *at = text; *at; at++) {
            out = ft_harness_feed(f->harness, &flow, sent->direction, ++f->time_ns, at, 1);
            assert_hidden(out);
        }
        out = all;
    }
    assert_hidden(out);
    if (is_told && sent->told)
        assert_has(out, sent->told);
}

static void talk(const struct ft_dissector *dissector, const char *protocol, uint8_t transport,
                 uint16_t port, const struct sent *sent, unsigned count, bool is_one_flow)
{
    const struct ft_dissector *const all[] = {dissector, NULL};
    struct feed f;
    feed_open(&f, all, protocol, transport, port);
    for (unsigned i = 0; i < count; i++) {
        assert_secret(&f, &sent[i], true);
        if (!is_one_flow)
            assert_true(ft_harness_forget(f.harness));
    }
    feed_close(&f);
}

extern const struct ft_dissector ft_dissector_http, ft_dissector_ftp, ft_dissector_telnet,
    ft_dissector_syslog;

#define COUNT(array) (unsigned)(sizeof(array) / sizeof((array)[0]))
#define UP           FT_TO_SERVER
#define DOWN         FT_TO_CLIENT
#define ASK(target)  "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"
#define HEADER(line) "GET / HTTP/1.1\r\nHost: a\r\n" line "\r\n\r\n"
#define GIVE(line)   "HTTP/1.1 200 OK\r\n" line "\r\nContent-Length: 0\r\n\r\n"

static void http(void **state)
{
    (void)state;
    static const struct sent sent[] = {
        {UP, ASK("/l?access_token=^&x=1"), "\"url\":\"/l?access_token=***&x=1\""},
        {UP, ASK("/l?api_key=^"), "/l?api_key=***"},
        {UP, ASK("/l?apikey=^"), "/l?apikey=***"},
        {UP, ASK("/l?token=^"), "/l?token=***"},
        {UP, ASK("/l?session=^"), "/l?session=***"},
        {UP, ASK("/l?SessionID=^"), "/l?SessionID=***"},
        {UP, ASK("/l?p%61ssword=^"), "\"password\":{\"length\":9"},
        {UP, ASK("/l?PASSWORD=^&b=2"), "&b=2"},
        {UP, ASK("/l?user=joe&password=^%26^"), "\"form\":{\"user\":\"joe\""},
        {UP, ASK("/l?user_token=^&password=x"), "\"form\":{"},
        {UP, ASK("/l?login=http://h/?token=^&password=x"), "\"form\":{"},
        {UP, ASK("http://u:^@h/"), "\"url\":\"http://u:***@h/\""},
        {UP, ASK("/a;jsessionid=^"), "\"url\":\"/a;jsessionid=***\""},
        {UP, ASK("/a?x=1 password=^ y"), "password=***"},
        {UP, "GET /old?password=^\r\n", "\"url\":\"/old?password=***\""},
        {UP, "CONNECT u:^@h:443 HTTP/1.1\r\nHost: u:^@h:443\r\n\r\n",
         "\"http_port\":443,\"hostname\":\"h\""},
        {UP, HEADER("Referer: http://a/l?pwd=^"), "\"http_refer\":\"http://a/l?pwd=***\""},
        {UP, HEADER("Origin: http://u:^@h"), "\"origin\":\"http://u:***@h\""},
        {UP, HEADER("Authorization: Bearer ^"), "\"type\":\"Bearer\""},
        {UP, HEADER("Authorization: ^ ^"), "\"token\":{\"length\":19"},
        {UP, HEADER("Authorization: ^"), "\"token\":{\"length\":9"},
        {UP, HEADER("Authorization: Digest username=\"joe\", response=\"^\""), "\"user\":\"joe\""},
        {UP, HEADER("Proxy-Authorization: NTLM ^"), "\"is_proxy\":true"},
        /* joe:M4rk3r-7f, M4rk3r-7f:, M4rk3r-7f */
        {UP, HEADER("Authorization: Basic am9lOk00cmszci03Zg=="), "\"user\":\"joe\""},
        {UP, HEADER("Authorization: Basic TTRyazNyLTdmOg=="), "\"token\":{\"length\":9"},
        {UP, HEADER("Authorization: Basic TTRyazNyLTdm"), "\"token\":{\"length\":9"},
        {UP, HEADER("Cookie: id=^; ^; b=^"), "\"cookie_name\":[\"id\",\"\",\"b\"]"},
        {UP, HEADER("X-Api-Key: ^\r\nX-Auth-Token: ^"), "\"header_count\":3"},
        {UP, HEADER("User-Agent: tool (password=^)"), "\"http_user_agent\":\"tool (password=***"},
        {UP, HEADER("X-Forwarded-For: token=^"), "\"xff\":\"token=***\""},
        {UP, HEADER("Authorization:\r\n Bearer ^"), "\"auth\":{"},
        {DOWN, GIVE("Location: http://u:^@h/#access_token=^&state=1"),
         "\"redirect\":\"http://u:***@h/#access_token=***&state=1\""},
        {DOWN, GIVE("Set-Cookie: id=^; Path=/"), "\"cookie_name\":[\"id\"]"},
        {DOWN, GIVE("WWW-Authenticate: Negotiate ^=="), "\"www_authenticate\":\"Negotiate\""},
        {DOWN, GIVE("Proxy-Authenticate: NTLM ^"), "\"proxy_authenticate\":\"NTLM\""},
        {DOWN, GIVE("Server: Boa password=^"), "\"value\":\"Boa password=***\""},
        {DOWN, "HTTP/1.1 401 password=^\r\nContent-Length: 0\r\n\r\n",
         "\"reason\":\"password=***\""},
        {DOWN, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<title>Siemens pwd: ^</title>",
         "\"title\":\"Siemens pwd: ***\""},
        {UP,
         "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 46\r\nContent-Type: "
         "application/x-www-form-urlencoded\r\n\r\nuser=joe&p%61ssword=^&token=^&b",
         "\"form\":{\"user\":\"joe\",\"password\":{\"length\":9"},
        /* what is no secret */
        {UP, ASK("/l?passwordless=yes&tokenring=1&keyboard=de"),
         "\"url\":\"/l?passwordless=yes&tokenring=1&keyboard=de\""},
        {DOWN, GIVE("WWW-Authenticate: Basic realm=\"keyboard\""), "Basic realm=\\\"keyboard\\\""},
        {UP, HEADER("User-Agent: Mozilla/5.0 (X11; rv:109.0) Token/1"),
         "(X11; rv:109.0) Token/1\""},
    };
    talk(&ft_dissector_http, "http", FT_TRANSPORT_TCP, 80, sent, COUNT(sent), false);
}

/* A response repeats the URL of its request. */
static void http_response(void **state)
{
    (void)state;
    static const struct sent sent[] = {
        {UP, ASK("/l?token=^"), "/l?token=***"},
        {DOWN, GIVE("Server: x"), "\"url\":\"/l?token=***\""},
    };
    talk(&ft_dissector_http, "http", FT_TRANSPORT_TCP, 80, sent, COUNT(sent), true);
}

static void ftp(void **state)
{
    (void)state;
    static const struct sent sent[] = {
        {DOWN, "220 FTP password=^\r\n", "\"banner\":\"FTP password=***\""},
        {UP, "USER joe\r\n", "\"user\":\"joe\""},
        {DOWN, "331 Password required for joe.\r\n", "\"reply\":[\"Password required for joe.\"]"},
        {UP, "PASS ^\r\n", "\"password\":{\"length\":9"},
        {DOWN, "530-Login with ^ failed\r\n530 <^>\r\n",
         "\"reply\":[\"Login with *** failed\",\"<***>\"]"},
        {UP, "SITE PSWD ^ ^x\r\n", "\"command\":\"SITE\",\"command_data\":\"PSWD\",\"secret\":{"},
        {DOWN, "500 'SITE PSWD ^ ^x': no, ^x\r\n", "\"reply\":[\"'SITE PSWD *** ***': no, ***\"]"},
        {UP, "SITE ADDUSER joe ^\r\n", "\"command_data\":\"ADDUSER\""},
        {DOWN, "200 joe has ^\r\n", "\"reply\":[\"*** has ***\"]"},
        {UP, "site chpass ^\r\n", "\"command_data\":\"chpass\""},
        {UP, "PASSWD ^\r\n", "\"command\":\"other_verb\""},
        {UP, "XPAS ^\r\n", "\"command\":\"XPAS\",\"secret\":{\"length\":9"},
        {UP, "^\r\n", "\"secret\":{\"length\":9"},
        {UP, "pass\t^\r\n", "\"command\":\"pass\""},
        {UP, "ACCT ^\r\n", "\"password\":{\"length\":9"},
        {UP, "ADAT ^\r\n", "\"command\":\"ADAT\""},
        {UP, "RETR http://u:^@h/x?token=^\r\n", "\"file\":\"http://u:***@h/x?token=***\""},
        {UP, "OPTS password=^\r\n", "\"command_data\":\"password=***\""},
        /* what is no secret */
        {UP, "SITE CHMOD 644 keyboard\r\n", "\"command_data\":\"CHMOD 644 keyboard\""},
        {UP, "CWD passwordless=yes\r\n", "\"command_data\":\"passwordless=yes\""},
    };
    talk(&ft_dissector_ftp, "ftp", FT_TRANSPORT_TCP, 21, sent, COUNT(sent), true);
    /* each reply answers the command before it */
    static const struct sent unknown[] = {
        {UP, "PASSWD ^\r\n", NULL},
        {DOWN, "500 'PASSWD ^': command not understood\r\n",
         "\"reply\":[\"'*** ***': command not understood\"]"},
    };
    talk(&ft_dissector_ftp, "ftp", FT_TRANSPORT_TCP, 21, unknown, COUNT(unknown), true);
    /* longer than what is kept */
    static const struct sent longer[] = {
        {UP, "PASS ^^^^^^^^\r\n", NULL},
        {DOWN, "530 no ^^^^^^^^ here\r\n", "\"reply\":[\"no *** here\"]"},
    };
    talk(&ft_dissector_ftp, "ftp", FT_TRANSPORT_TCP, 21, longer, COUNT(longer), true);
}

static void telnet(void **state)
{
    (void)state;
    static const struct sent sent[] = {
        {UP, "\xff\xfa\x27\x01\x03PASSWORD\x01^\xff\xf0", NULL}, /* SEND */
        {DOWN, "box\r\nlogin: ", "\"prompt\":\"login:\""},
        {UP, "joe\r\n", "\"user\":\"joe\""},
        {DOWN, "Password for joe: ", "\"prompt\":\"Password for joe:\""},
        {UP, "^\r\n", "\"password\":{\"length\":9"},
        {DOWN, "^\r\nLogin incorrect\r\nlogin: ", "\"banner\":\"***\""},
        {UP, "joe\r\n", NULL},
        {DOWN, "Enter PIN: ", NULL},
        {UP, "^\r\n", "\"password\":{\"length\":9"},
        {DOWN, "\r\nbox# ", "\"result\":\"success\""},
        {UP, "set password ^\r\n", "\"secret_line\":{"},
        {UP, "snmp-server community ^ RO\r\n", "\"secret_line\":{"},
        {UP, "username joe secret 5 ^\r\n", "\"secret_line\":{"},
        {UP, "curl -u joe:^ h\r\n", "\"cmdline\":\"curl -u joe:*** h\""},
        {UP, "wget http://u:^@h/?token=^\r\n", "\"cmdline\":\"wget http://u:***@h/?token=***\""},
        {UP, "passwd\r\n", "\"cmdline\":\"passwd\""},
        {DOWN, "New password:\r\n", "\"banner\":\"New password:\""},
        {UP, "^\r\n", "\"password\":{\"length\":9"},
        {DOWN, "\r\nbox# ", NULL},
        {UP, "show keyboard passwordless=yes tokenring\r\n",
         "\"cmdline\":\"show keyboard passwordless=yes tokenring\""},
    };
    talk(&ft_dissector_telnet, "telnet", FT_TRANSPORT_TCP, 23, sent, COUNT(sent), true);
    /* the server alone, which repeats what is typed */
    static const struct sent alone[] = {
        {DOWN, "login: ", NULL},
        {DOWN, "joe\r\nPassword: ", NULL},
        {DOWN, "^ and more\r\n", "\"secret_line\":{\"length\":18"},
        {DOWN, "Welcome to box\r\n", "\"banner\":\"Welcome to box\""},
    };
    talk(&ft_dissector_telnet, "telnet", FT_TRANSPORT_TCP, 23, alone, COUNT(alone), true);
    static const struct sent prompts[] = {
        {DOWN, "Passphrase: ", NULL},
        {UP, "^\r\n", "\"password\""},
        {DOWN, "Enter passphrase for key 'a': ", NULL},
        {UP, "^\r\n", "\"password\""},
        {DOWN, "Password (again): ", NULL},
        {UP, "^\r\n", "\"password\""},
        {DOWN, "Password>", NULL},
        {UP, "^\r\n", "\"password\""},
        {DOWN, "Kennwort:", NULL},
        {UP, "^\r\n", "\"password\""},
        {DOWN, "Password?", NULL},
        {UP, "^\r\n", "\"password\""},
        {DOWN, "Verification code: ", NULL},
        {UP, "^\r\n", "\"password\""},
        {DOWN, "root@h:/etc/passwd# ", NULL},
        {UP, "ls\r\n", "\"cmdline\":\"ls\""},
        {DOWN, "Change the password? ", NULL},
        {UP, "yes\r\n", "\"cmdline\":\"yes\""},
    };
    talk(&ft_dissector_telnet, "telnet", FT_TRANSPORT_TCP, 23, prompts, COUNT(prompts), true);
}

/* IS USERVAR name VALUE value: whatever escapes stand in the name. */
static void telnet_environment(void **state)
{
    (void)state;
    static const struct ft_dissector *const all[] = {&ft_dissector_telnet, NULL};
    struct feed f;
    feed_open(&f, all, "telnet", FT_TRANSPORT_TCP, 23);
    /* PASSWORD, P ESC A SSWD, api_key; the values are M4rk3r-7f */
    const char *out = to_server(&f, "fffa2700 0350415353574f5244 014d34726b33722d3766 fff0");
    assert_has(out, "\"env\":[{\"name\":\"PASSWORD\",\"secret\":{\"length\":9");
    assert_hidden(out);
    out = to_server(&f, "fffa2700 0350024153535744 014d34726b33722d3766 fff0");
    assert_hidden(out);
    assert_has(out, "\"secret\":{\"length\":9");
    out = to_server(&f, "fffa2400 006170695f6b6579 014d34726b33722d3766 0055534552016a6f65 fff0");
    assert_hidden(out);
    assert_has(out, "\"name\":\"USER\",\"value\":\"joe\"");
    /* KEYBOARD, and A with "pwd=M4rk3r-7f" for its value */
    out =
        to_server(&f, "fffa2700 034b4559424f415244 016465 0341 017077643d4d34726b33722d3766 fff0");
    assert_hidden(out);
    assert_has(out, "\"name\":\"KEYBOARD\",\"value\":\"de\"");
    assert_has(out, "\"value\":\"pwd=***\"");
    feed_close(&f);
}

static void syslog(void **state)
{
    (void)state;
    static const struct sent sent[] = {
        {UP, "<13>Aug  1 00:02:11 h a[1]: login password=^ from 10.0.0.1",
         "\"msg\":\"login password=*** from 10.0.0.1\""},
        {UP, "<13>Aug  1 00:02:11 h a: pwd: ^", "\"msg\":\"pwd: ***\""},
        {UP, "<13>Aug  1 00:02:11 password: ^", "\"msg\":\"password: ***\""},
        {UP, "<13>Aug  1 00:02:11 password=^ x", "password=***"},
        {UP, "<13>Aug  1 00:02:11 pwd = ^", "\"msg\":\"pwd = ***\""},
        {UP, "<13>password: ^", "\"msg\":\"password: ***\""},
        {UP, "<13>secret 0 ^", "\"msg\":\"secret 0 ***\""},
        {UP,
         "<189>29: *Mar  1 18:48:50.483 UTC: %PARSER-5-CFGLOG_LOGGEDCMD: User:console  logged "
         "command:username joe password 7 ^",
         "logged command:username joe password 7 ***"},
        {UP, "<189>x: %PARSER-5-CFGLOG_LOGGEDCMD: User:c  logged command:enable secret ^ ^",
         "logged command:enable secret ***"},
        {UP,
         "<189>x: %PARSER-5-CFGLOG_LOGGEDCMD: User:c  logged command:snmp-server community ^ RW",
         "logged command:snmp-server community ***"},
        {UP, "<13>snmp-server community ^", "snmp-server community ***"},
        {UP, "<13>enable secret 5 ^", "enable secret 5 ***"},
        {UP, "<13>{\"user\":\"joe\",\"password\":\"^\",\"b\":1}", "\\\"user\\\":\\\"joe\\\""},
        {UP, "<165>1 - h a - - [e pwd=\"^\" Token=\"^\" b=\"api_key=^\"] text",
         "{\"name\":\"pwd\",\"secret\":{\"length\":9"},
        {UP, "<165>1 - h a - - [e password=\"^", "\"msg\":\"[e password=\\\"***\""},
        {UP, "<165>1 - h a - - [e b password=^] x", "password=***"},
        {UP, "<165>1 - h password=^ - - - x", "\"app\":\"password=***\""},
        {UP, "<13>one\n<13>password=^", "password=***"},
        /* what is no secret */
        {UP, "<13>Aug  1 00:02:11 h sshd[1]: Failed password for root from 10.0.0.1 port 22 ssh2",
         "\"msg\":\"Failed password for root from 10.0.0.1 port 22 ssh2\""},
        {UP, "<13>Aug  1 00:02:11 h a: passwordless=yes tokenring keyboard",
         "\"msg\":\"passwordless=yes tokenring keyboard\""},
    };
    talk(&ft_dissector_syslog, "syslog", FT_TRANSPORT_UDP, 514, sent, COUNT(sent), false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(letters),
        cmocka_unit_test(urls),
        cmocka_unit_test(texts),
        cmocka_unit_test(echoes),
        cmocka_unit_test(typed),
        cmocka_unit_test(http),
        cmocka_unit_test(http_response),
        cmocka_unit_test(ftp),
        cmocka_unit_test(telnet),
        cmocka_unit_test(telnet_environment),
        cmocka_unit_test(syslog),
        cmocka_unit_test(limits),
        cmocka_unit_test(hostile),
        cmocka_unit_test(long_words),
        cmocka_unit_test(looks),
        cmocka_unit_test(hidden_words),
        cmocka_unit_test(garbage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
