/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Attempts to break in that stand in an HTTP request, and clients that are scanners. What is found
 * is what the attack needs to work: literal texts, and look-ups of Log4j however they are written
 * (http_jndi.c).
 */
#include "http.h"

struct needle {
    const char *text; /* in lower case */
    uint8_t violation;
};

static const struct needle in_urls[] = {
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
    {";wget", HTTP_V_INJECTION},
    {"%3bwget", HTTP_V_INJECTION},
    {";cd+/tmp", HTTP_V_INJECTION},
    {";curl+", HTTP_V_INJECTION},
    {"$(wget", HTTP_V_INJECTION},
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

static void tell(struct ft_context *ctx, enum http_violation violation, struct ft_view text,
                 uint32_t from, uint32_t to)
{
    struct ft_view seen = ft_text_seen(ft_text_part(text, from, to));
    ft_violation(ctx, violation, &seen);
}

static void check_jndi(struct ft_context *ctx, struct ft_view text)
{
    struct ft_view seen;
    if (http_find_jndi(text, &seen))
        ft_violation(ctx, HTTP_V_JNDI, &seen);
}

static bool is_word_at(struct ft_view text, int64_t at)
{
    int c = at < 0 ? -1 : ft_peek_u8(&text, (uint32_t)at);
    return c >= 0 && ft_text_is_word((uint8_t)c);
}

/* A shell that is called, not "/bin/show.cgi" or a "cmd.exe" that is downloaded. */
static void check_shell(struct ft_context *ctx, struct ft_view url)
{
    int64_t at = -1;
    while ((at = ft_text_find(url, "/bin/sh", (uint32_t)(at + 1))) >= 0)
        if (!is_word_at(url, at + 7))
            return tell(ctx, HTTP_V_INJECTION, url, (uint32_t)at, (uint32_t)at + 7);
    while ((at = ft_text_find(url, "cmd.exe", (uint32_t)(at + 1))) >= 0) {
        int next = ft_peek_u8(&url, (uint32_t)at + 7);
        if (next > 0 && strchr("?+%/ ", next) && !is_word_at(url, at - 1))
            return tell(ctx, HTTP_V_INJECTION, url, (uint32_t)at, (uint32_t)at + 7);
    }
}

/* "() {", with which a function begins; not "function() {", which is no shell's. */
static void check_shellshock(struct ft_context *ctx, struct ft_view value)
{
    int64_t at = -1;
    while ((at = ft_text_find(value, "()", (uint32_t)(at + 1))) >= 0) {
        uint32_t end = (uint32_t)at + 2;
        while (ft_peek_u8(&value, end) == ' ' || ft_peek_u8(&value, end) == '\t')
            end++;
        if (ft_peek_u8(&value, end) == '{' && !is_word_at(value, at - 1))
            return tell(ctx, HTTP_V_SHELLSHOCK, value, (uint32_t)at, end + 1);
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
    check_jndi(ctx, url);
    check(ctx, url, in_urls, sizeof(in_urls) / sizeof(in_urls[0]));
    check_shell(ctx, url);
    struct ft_view seen = ft_text_seen(url);
    if (ft_text_has(url, "cgi-bin") && ft_find_u8(&url, '`', 0) >= 0)
        ft_violation(ctx, HTTP_V_INJECTION, &seen);
}

void http_check_value(struct ft_context *ctx, struct ft_view value)
{
    check_jndi(ctx, value);
    if (ft_find_u8(&value, '{', 0) >= 0)
        check_shellshock(ctx, value);
}

void http_check_body(struct ft_context *ctx, struct ft_view body)
{
    check_jndi(ctx, body);
}

void http_check_agent(struct ft_context *ctx, struct ft_view agent)
{
    check(ctx, agent, agents, sizeof(agents) / sizeof(agents[0]));
}
