/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Attempts to break in that stand in the URL or the headers of an HTTP request, and clients that
 * are scanners. Literal texts only: what is found is what the attack needs to work.
 */
#include "http.h"

struct needle {
    const char *text; /* in lower case */
    uint8_t violation;
};

static const struct needle in_values[] = {
    {"${jndi:", HTTP_V_JNDI},
    {"${${", HTTP_V_JNDI}, /* "${${lower:j}ndi:": nothing benign nests look-ups in a header */
    {"() {", HTTP_V_SHELLSHOCK},
};

static const struct needle in_urls[] = {
    {"${jndi:", HTTP_V_JNDI},
    {"%7bjndi", HTTP_V_JNDI},
    {"/../", HTTP_V_TRAVERSAL},
    {"\\..\\", HTTP_V_TRAVERSAL},
    {"..%2f", HTTP_V_TRAVERSAL},
    {"..%5c", HTTP_V_TRAVERSAL},
    {"%2e%2e/", HTTP_V_TRAVERSAL},
    {"%2e%2e%2f", HTTP_V_TRAVERSAL},
    {".%2e/", HTTP_V_TRAVERSAL},
    {".%2e%2f", HTTP_V_TRAVERSAL},
    {"%2e./", HTTP_V_TRAVERSAL},
    {"/..;/", HTTP_V_TRAVERSAL}, /* some servers read what is behind the semicolon as no name */
    {"%%32%65", HTTP_V_DOUBLE_ENCODING},
    {"%252e", HTTP_V_DOUBLE_ENCODING},
    {"%252f", HTTP_V_DOUBLE_ENCODING},
    {"%255c", HTTP_V_DOUBLE_ENCODING},
    {"/bin/busybox", HTTP_V_INJECTION},
    {"/bin/sh", HTTP_V_INJECTION},
    {";wget", HTTP_V_INJECTION},
    {"%3bwget", HTTP_V_INJECTION},
    {";cd+/tmp", HTTP_V_INJECTION},
    {";curl+", HTTP_V_INJECTION},
    {"$(wget", HTTP_V_INJECTION},
    {"cmd.exe", HTTP_V_INJECTION},
    {"union+select", HTTP_V_SQL_OR_SCRIPT},
    {"union%20select", HTTP_V_SQL_OR_SCRIPT},
    {"union+all+select", HTTP_V_SQL_OR_SCRIPT},
    {"%27+or+", HTTP_V_SQL_OR_SCRIPT},
    {"%27%20or%20", HTTP_V_SQL_OR_SCRIPT},
    {"'or'", HTTP_V_SQL_OR_SCRIPT},
    {"<script", HTTP_V_SQL_OR_SCRIPT},
    {"%3cscript", HTTP_V_SQL_OR_SCRIPT},
};

static const struct needle agents[] = {
    {"nmap scripting engine", HTTP_V_SCANNER},
    {"sqlmap", HTTP_V_SCANNER},
    {"nikto", HTTP_V_SCANNER},
    {"masscan", HTTP_V_SCANNER},
    {"zgrab", HTTP_V_SCANNER},
    {"gobuster", HTTP_V_SCANNER},
    {"dirbuster", HTTP_V_SCANNER},
    {"wpscan", HTTP_V_SCANNER},
    {"nessus", HTTP_V_SCANNER},
    {"openvas", HTTP_V_SCANNER},
    {"python-requests", HTTP_V_SCRIPTED_CLIENT},
    {"python-urllib", HTTP_V_SCRIPTED_CLIENT},
    {"go-http-client", HTTP_V_SCRIPTED_CLIENT},
};

static void check(struct ft_context *ctx, struct ft_view text, const struct needle *needles,
                  uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        int64_t at = ft_text_find(text, needles[i].text, 0);
        if (at < 0)
            continue;
        uint32_t end = (uint32_t)at + (uint32_t)strlen(needles[i].text);
        struct ft_view seen = ft_text_seen(ft_text_part(text, (uint32_t)at, end));
        ft_violation(ctx, needles[i].violation, &seen);
    }
}

/* Every needle has one of these; most URLs have none of them. */
static bool is_plain(struct ft_view url)
{
    bool was_dot = false;
    for (uint32_t i = 0; i < url.len; i++) {
        uint8_t c = url.data[i];
        if (c == '%' || c == '+' || c == ';' || c == '$' || c == '\'' || c == '<' || c == '\\' ||
            c == '`' || (c == '.' && was_dot))
            return false;
        was_dot = c == '.';
    }
    return !ft_text_has(url, "/bin/") && !ft_text_has(url, "cmd.exe");
}

void http_check_url(struct ft_context *ctx, struct ft_view url)
{
    if (is_plain(url))
        return;
    check(ctx, url, in_urls, sizeof(in_urls) / sizeof(in_urls[0]));
    struct ft_view seen = ft_text_seen(url);
    if (ft_text_has(url, "cgi-bin") && ft_find_u8(&url, '`', 0) >= 0)
        ft_violation(ctx, HTTP_V_INJECTION, &seen);
}

void http_check_value(struct ft_context *ctx, struct ft_view value)
{
    if (ft_find_u8(&value, '{', 0) >= 0)
        check(ctx, value, in_values, sizeof(in_values) / sizeof(in_values[0]));
}

void http_check_agent(struct ft_context *ctx, struct ft_view agent)
{
    check(ctx, agent, agents, sizeof(agents) / sizeof(agents[0]));
}
