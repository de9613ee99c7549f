/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tests of lib/protocols/it/http_attack.c and lib/protocols/it/http_jndi.c: each text that they
 * look for is found in requests, and beside each stands one that nearly is it. The requests go
 * through the HTTP dissector.
 */
#include "http_feed.h"

#include "protocols/it/http.h"

/* A request of a flow of its own. */
static const char *ask(const char *target, const char *header)
{
    char text[1024];
    assert_true(ft_harness_forget(f.harness));
    int n =
        snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n", target, header);
    return feed_raw(&f, FT_TO_SERVER, (const uint8_t *)text, (uint32_t)n);
}

struct pair {
    const char *name, *wrong, *right;
};

static void assert_pair(const struct pair *p, bool is_header)
{
    char name[64];
    snprintf(name, sizeof(name), "\"name\":\"%s\"", p->name);
    const char *out = is_header ? ask("/", p->wrong) : ask(p->wrong, "A: b");
    assert_has(out, name);
    assert_int_equal(feed_count(out, "{\"violation\""), 1);
    assert_clean(is_header ? ask("/", p->right) : ask(p->right, "A: b"));
}

/* Capitals are the same as small letters. */
static void urls(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        {"jndi", "/?a=${jndi:ldap://x}", "/?a=${jndj:ldap://x}"},
        {"jndi", "/?a=${JnDi:ldap://x}", "/?a=$(jndi:ldap://x)"},
        {"jndi", "/?a=$%7bjndi:x%7d", "/?a=%7djndi:x"},
        {"traversal", "/a/../b", "/a/..b"},
        {"traversal", "/a\\..\\b", "/a\\.\\b"},
        {"traversal", "/a/..%2fb", "/a/..%2eb"},
        {"traversal", "/a/..%2Fb", "/a/.%2Fb"},
        {"traversal", "/a/..%5cb", "/a/..%5db"},
        {"traversal", "/a/%2e%2e/b", "/a/%2e/b"},
        {"traversal", "/a/%2e%2E%2Fb", "/a/%2e%2fb"},
        {"traversal", "/a/.%2e/b", "/a/.%2eb"},
        {"traversal", "/a/%2e./b", "/a/%2e.b"},
        {"traversal", "/a/.%2E%2fb", "/a/.%2Ea%2fb"},
        {"traversal", "/a/..;/b", "/a/..;b"},
        {"double_encoding", "/a%252eb", "/a%25eb"},
        {"double_encoding", "/a%252Fb", "/a%25%2Fb"},
        {"double_encoding", "/a%255cb", "/a%255db"},
        {"double_encoding", "/a/.%%32%65b", "/a/.%32%65b"},
        {"command_injection", "/a?x=/bin/busybox", "/a?x=/bin/busy"},
        {"command_injection", "/a?x=/bin/sh", "/bin/show.cgi"},
        {"command_injection", "/bin/shut?x=/bin/sh+-c", "/bin/shut?x=/bin/she"},
        {"command_injection", "/a?x;wget+http://1", "/a?x;get+http://1"},
        {"command_injection", "/a?x%3Bwget", "/a?x%3Awget"},
        {"command_injection", "/a?x;cd+/tmp", "/a?x;cd+/home"},
        {"command_injection", "/a?x;curl+1", "/a?x;curls"},
        {"command_injection", "/a?$(wget+1)", "/a?$wget"},
        {"command_injection", "/a/cmd.exe?/c", "/a/cmd.ex?/c"},
        {"command_injection", "/?x=cmd.exe%20/c", "/tools/cmd.exe"},
        {"command_injection", "/?x=cmd.exe/c+dir", "/tools/xcmd.exe?a"},
        {"command_injection", "/cgi-bin/a?`id`", "/a?`id`"},
        {"sql_or_script_injection", "/?a=1+union+select+2", "/?a=union+sel"},
        {"sql_or_script_injection", "/?a=1%20union%20select", "/?a=1%20union%20of"},
        {"sql_or_script_injection", "/?a=1+union+all+select+2", "/?a=union+all+sel"},
        {"sql_or_script_injection", "/?a=%27+or+1", "/?a=%27+o+1"},
        {"sql_or_script_injection", "/?a=%27%20OR%201", "/?a=%27%20o"},
        {"sql_or_script_injection", "/?a='or'1", "/?a='of'1"},
        {"sql_or_script_injection", "/?a=<script>", "/?a=<scrip>"},
        {"sql_or_script_injection", "/?a=%3Cscript%3e", "/?a=%3escript"},
    };
    for (unsigned i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        assert_pair(&pairs[i], false);
}

static void headers(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        {"jndi", "X-Api-Version: ${jndi:ldap://x}", "X-Api-Version: {jndi:ldap}"},
        {"shellshock", "User-Agent: () { :;}; id", "User-Agent: ()[ :;}"},
        {"shellshock", "User-Agent: (){:;};id", "User-Agent: a(){:;};id"},
        {"shellshock", "Referer: ()  \t{ _; } >_[$($())] { id; }", "Referer: ( ) { _; }"},
        {"shellshock", "Cookie: f=() { :;}", "Cookie: f=function() { return 1;}"},
        {"shellshock", "Cookie: a=() { x", "Cookie: a=() (x"},
        {"scanner", "User-Agent: Mozilla/5.0 (compatible; Nmap Scripting Engine)",
         "User-Agent: nmap"},
        {"scanner", "User-Agent: sqlmap/1.7", "User-Agent: sql map"},
        {"scanner", "User-Agent: Nikto/2", "User-Agent: nikon"},
        {"scanner", "User-Agent: masscan/1.3", "User-Agent: mass can"},
        {"scanner", "User-Agent: zgrab/0.x", "User-Agent: grab"},
        {"scanner", "User-Agent: gobuster/3", "User-Agent: buster"},
        {"scanner", "User-Agent: DirBuster-1", "User-Agent: dir-buster"},
        {"scanner", "User-Agent: WPScan v3", "User-Agent: wp scan"},
        {"scanner", "User-Agent: Nessus", "User-Agent: Nesus"},
        {"scanner", "User-Agent: OpenVAS", "User-Agent: open vas"},
        {"scripted_client", "User-Agent: python-requests/2.3", "User-Agent: python"},
        {"scripted_client", "User-Agent: Python-urllib/3.9", "User-Agent: urllib"},
        {"scripted_client", "User-Agent: Go-http-client/1.1", "User-Agent: go client"},
    };
    for (unsigned i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        assert_pair(&pairs[i], true);
    /* the client is judged once, what it sends always */
    static const char again[] =
        "GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: sqlmap\r\nA: () {\r\n\r\n";
    assert_violation(ask("/", "User-Agent: sqlmap"), "scanner");
    const char *out = feed_raw(&f, FT_TO_SERVER, (const uint8_t *)again, sizeof(again) - 1);
    assert_no_violation(out, "scanner");
    assert_violation(out, "shellshock");
    /* a server's headers are no attack */
    static const char answer[] = "HTTP/1.1 200 OK\r\nX: ${jndi:x}\r\nContent-Length: 0\r\n\r\n";
    assert_clean(feed_raw(&f, FT_TO_CLIENT, (const uint8_t *)answer, sizeof(answer) - 1));
}

/* What Log4j looks up by JNDI: forms that attackers use. */
static const char *const look_ups[] = {
    "${jndi:ldap://x}",
    "${JNDI:rmi://x}",
    "$${jndi:dns://x}",
    "${jn${lower:d}i:ldap://a}",
    "${${lower:j}ndi:x}",
    "${${upper:j}${upper:n}${lower:d}i:x}",
    "${${lower:jndi}:${lower:rmi}://x}",
    "${${lower:${lower:jndi}}:x}",
    "${${lower:${upper:jn}}di:x}",
    "${${::-j}${::-n}${::-d}${::-i}:${::-l}dap://x}",
    "${${env:X:-j}ndi${env:X:-:}x}",
    "${${env:NaN:-j}ndi:x}",
    "${${sys:a.b:-jn}di:x}",
    "${jn${env::-}di:x}",
    "${jn${date:}di${date:':'}ldap://x}",
    "${${date:'j'}${date:'n'}${date:'d'}${date:'i'}:x}",
    "${j${k8s:k5:-ND}i${sd:k5:-:}ldap://x}",
    "${j${main:\\k5:-Nd}i${spring:k5:-:}ldap://x}",
    "${j${sys:k5:-nD}${lower:i${web:k5:-:}}ldap://x}",
    "${j${::-nD}i${::-:}ldap://x}",
    "${j${EnV:K5:-nD}i:ldap://x}",
    "${j${loWer:Nd}i${uPper::}ldap://x}",
    "${jnd${upper:\xc4\xb1}:ldap://x}",
    "${jnd${upper:%c4%b1}:ldap://x}",
    "${jnd${sys:SYS_NAME:-i}:ldap:/x}",
    "${j${${:-l}${:-o}${:-w}${:-e}${:-r}:n}di:ldap://x}",
    "${${what:ever:-j}${some:thing:-n}${other:thing:-d}${and:last:-i}:x}",
    "${\\u006a\\u006e\\u0064\\u0069:ldap://x}",
    "${j${k8s:k5:-ND}${sd:k5:-${123%25ff:-${123%25ff:-${upper:\xc4\xb1}:}}}ldap://x}",
    "${${a:-jndi:x}}",
    "${a:-${jndi:x}}",
    "${${a:-${b:-${c:-${d:-j}}}}ndi:x}",
    "%24%7Bjndi:x%7D",
    "%24%7bjndi%3ax",
    "$%7bjndi:x",
    "%24{%6andi%3Ax",
    "%2524%257Bjndi%253Ax",
    "%252524%25257bjndi:x",
    "%u0024%u007bjndi:x",
    "%24%7Bjn$%7Benv::-%7Ddi:x%7D",
    "\\u0024\\u007bjndi:x",
    "\\x24\\x7Bjndi:x",
    "\\\\u0024{jndi:x",
    "&#36;{jndi:x",
    "&#x24;&#X7b;jndi:x",
    "${a ${${b ${jndi:x}",
    "}${}}${jndi:x}",
};

static const char *const no_look_ups[] = {
    "${jndi-like}",
    "${java.version}",
    "${java:version}",
    "${${a}}",
    "${name}",
    "${jnd}",
    "${jnd:x}",
    "${jndi}",
    "$ {jndi:x}",
    "${ jndi:x}",
    "$(jndi:x)",
    "{jndi:x}",
    "jndi:x",
    "${xjndi:x}",
    "${x:jndi:x}",
    "${lower:jndi:x}",
    "${lower:${x}}",
    "${${lower:j}nd:x}",
    "${${jn}di:x}",
    "${jn${a}di:x}",
    "${jn${env:A}di:x}",
    "${a} jndi:x",
    "${a:-jndi:x}",
    "${${a:-b}jndi:x}",
    "${user.name ? `${first}` : `${last}`}",
    "%24%7Gjndi:x",
    "%24%7Bjnd%3ax",
    "%25{jndi:x",
    "\\u002{jndi:x",
    "\\x2{jndi:x",
    "&#36{jndi:x",
    "&#{jndi:x",
    "$&#x1234567b;jndi:x",
    "100% of ${amount} & more",
    "%",
    "%2",
    "%25",
    "\\",
    "\\u",
    "&#",
    "${",
    "$",
};

/* A POST of a flow of its own. */
static const char *post(const char *type, const char *begin, const char *text, const char *end)
{
    char body[512], request[1024];
    assert_true(ft_harness_forget(f.harness));
    int n = snprintf(body, sizeof(body), "%s%s%s", begin, text, end);
    n = snprintf(request, sizeof(request),
                 "POST / HTTP/1.1\r\nHost: a\r\n%s%sContent-Length: %d\r\n\r\n%s", type ? type : "",
                 type ? "\r\n" : "", n, body);
    return feed_raw(&f, FT_TO_SERVER, (const uint8_t *)request, (uint32_t)n);
}

static const struct {
    const char *type, *begin, *end;
} bodies[] = {
    {"Content-Type: application/x-www-form-urlencoded", "user=joe&text=", "&x=y"},
    {"Content-Type: application/json", "{\"user\":\"", "\"}"},
    {"Content-Type: text/xml", "<a><b>", "</b></a>"},
    {"Content-Type: multipart/form-data; boundary=b",
     "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n", "\r\n--b--\r\n"},
    {"Content-Type: application/x-nobody-knows", "\x01\x02", ""},
    {NULL, "", ""},
};

/* Each in a header, in the URL, and in bodies of all kinds; once each, and nothing else. */
static void jndi(void **state)
{
    (void)state;
    char text[256];
    for (unsigned i = 0; i < sizeof(look_ups) / sizeof(look_ups[0]); i++) {
        snprintf(text, sizeof(text), "X-Any: a=%s;b", look_ups[i]);
        const char *out = ask("/", text);
        assert_violation(out, "jndi");
        assert_int_equal(feed_count(out, "{\"violation\""), 1);
        snprintf(text, sizeof(text), "/a?b=%s&c=d", look_ups[i]);
        assert_violation(ask(text, "A: b"), "jndi");
        for (unsigned k = 0; k < sizeof(bodies) / sizeof(bodies[0]); k++) {
            out = post(bodies[k].type, bodies[k].begin, look_ups[i], bodies[k].end);
            assert_violation(out, "jndi");
            assert_int_equal(feed_count(out, "{\"violation\""), 1);
        }
    }
}

static void no_jndi(void **state)
{
    (void)state;
    char text[256];
    for (unsigned i = 0; i < sizeof(no_look_ups) / sizeof(no_look_ups[0]); i++) {
        snprintf(text, sizeof(text), "X-Any: a=%s;b", no_look_ups[i]);
        assert_clean(ask("/", text));
        snprintf(text, sizeof(text), "/a?b=%s&c=d", no_look_ups[i]);
        assert_no_violation(ask(text, "A: b"), "jndi");
        for (unsigned k = 0; k < sizeof(bodies) / sizeof(bodies[0]); k++)
            assert_clean(post(bodies[k].type, bodies[k].begin, no_look_ups[i], bodies[k].end));
    }
}

/* Cut anywhere, a look-up is found from where it shows, and nothing behind the cut is read. */
static void jndi_cut(void **state)
{
    (void)state;
    char text[256];
    for (unsigned i = 0; i < sizeof(look_ups) / sizeof(look_ups[0]); i++) {
        uint32_t length = (uint32_t)strlen(look_ups[i]);
        bool was_found = false;
        for (uint32_t n = 0; n <= length; n++) {
            uint8_t *exact = malloc(n + !n); /* a sanitizer sees what is read behind it */
            assert_non_null(exact);
            memcpy(exact, look_ups[i], n);
            struct ft_view seen, v = ft_view_make(exact, n, false);
            bool is_found = http_find_jndi(v, &seen);
            assert_true(is_found || !was_found);
            was_found = is_found;
            free(exact);
            snprintf(text, n + 4, "A: %s", look_ups[i]);
            assert_int_equal(feed_count(ask("/", text), "\"jndi\""), is_found);
        }
        assert_true(was_found);
    }
}

/* Deeper than anybody keeps: the innermost count. Long values do not run over. */
static void jndi_deep(void **state)
{
    (void)state;
    static char text[60000];
    struct ft_view seen;
    uint32_t n = 0;
    for (; n < 40000; n += 2)
        memcpy(text + n, "${", 2);
    assert_false(http_find_jndi(ft_view_make((uint8_t *)text, n, false), &seen));
    memcpy(text + n, "${${lower:j}ndi:", 16);
    assert_true(http_find_jndi(ft_view_make((uint8_t *)text, n + 16, false), &seen));
    assert_int_equal(seen.last_len, 16);
    memset(text + n, '}', 10000);
    assert_false(http_find_jndi(ft_view_make((uint8_t *)text, n + 10000, false), &seen));
    n = (uint32_t)snprintf(text, sizeof(text), "${${a:-%0500d}ndi:${${b:%0500d:-j}ndi:", 0, 0);
    assert_true(http_find_jndi(ft_view_make((uint8_t *)text, n, false), &seen));
    assert_int_equal(seen.last_len, 4 + 500 + 3 + 8 - 1);
}

/* In chunks, behind what is looked at, compressed, answered: what is looked at is bounded. */
static void jndi_bodies(void **state)
{
    (void)state;
    static char text[4096];
    assert_violation(client("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                            "b\r\n${jndi:a:b}\r\n0\r\n\r\n"),
                     "jndi");
    int n =
        snprintf(text, sizeof(text),
                 "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2060\r\n\r\n%2040s${jndi:a}%11s",
                 "", "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const char *out = feed_raw(&f, FT_TO_SERVER, (const uint8_t *)text, (uint32_t)n);
    assert_violation(out, "jndi");
    assert_clean(client("POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\n"
                        "Content-Length: 9\r\n\r\n${jndi:a}"));
    assert_clean(client("RPC_IN_DATA / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"
                        "${jndi:a}"));
    assert_clean(server("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\n"
                        "${jndi:a}"));
    /* a name to log in with is logged, too: "${jndi:x}:y" */
    assert_violation(ask("/", "Authorization: Basic JHtqbmRpOnh9Onk="), "jndi");
}

/* Each of several is told; the evidence is where the text stands. */
static void several(void **state)
{
    (void)state;
    const char *out = ask("/../x?a='or'b", "A: ${jndi:x}");
    assert_violation(out, "traversal");
    assert_violation(out, "sql_or_script_injection");
    assert_violation(out, "jndi");
    assert_int_equal(feed_count(out, "{\"violation\""), 3);
    assert_has(ask("/a/../b", "A: b"), "\"name\":\"traversal\",\"offset\":6,\"length\":4");
    assert_has(ask("/cgi-bin/`id`", "A: b"),
               "\"name\":\"command_injection\",\"offset\":4,\"length\":13");
    assert_has(ask("/", "A: x${jndi:y}"), "\"name\":\"jndi\",\"offset\":29,\"length\":7");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(urls, setup, teardown),
        cmocka_unit_test_setup_teardown(headers, setup, teardown),
        cmocka_unit_test_setup_teardown(jndi, setup, teardown),
        cmocka_unit_test_setup_teardown(no_jndi, setup, teardown),
        cmocka_unit_test_setup_teardown(jndi_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(jndi_deep, setup, teardown),
        cmocka_unit_test_setup_teardown(jndi_bodies, setup, teardown),
        cmocka_unit_test_setup_teardown(several, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
