/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tests of lib/protocols/it/http_attack.c: each text that it looks for is found in requests, and
 * beside each stands one that nearly is it. The requests go through the HTTP dissector.
 */
#include "http_feed.h"

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
        {"command_injection", "/a?x=/bin/sh", "/a?x=/bin/s"},
        {"command_injection", "/a?x;wget+http://1", "/a?x;get+http://1"},
        {"command_injection", "/a?x%3Bwget", "/a?x%3Awget"},
        {"command_injection", "/a?x;cd+/tmp", "/a?x;cd+/home"},
        {"command_injection", "/a?x;curl+1", "/a?x;curls"},
        {"command_injection", "/a?$(wget+1)", "/a?$wget"},
        {"command_injection", "/a/cmd.exe?/c", "/a/cmd.ex?/c"},
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
        {"jndi", "User-Agent: ${${lower:j}ndi:x}", "User-Agent: ${lower:${x}}"},
        {"shellshock", "User-Agent: () { :;}; id", "User-Agent: (){ :;}"},
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
        cmocka_unit_test_setup_teardown(several, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
