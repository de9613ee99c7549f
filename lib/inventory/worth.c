/* SPDX-License-Identifier: BSD-3-Clause */
/* What facts are worth: some texts say nothing, and some protocols tell of a service only. */
#include "inventory/inventory.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Greetings without a name, and what makers of boards leave in place of one. */
static const char *const fillers[] = {
    "a",           "at",      "available", "be",           "by",      "default",   "empty",
    "filled",      "ftp",     "in",        "is",           "n",       "n/a",       "name",
    "none",        "not",     "null",      "number",       "o.e.m",   "oem",       "on",
    "product",     "ready",   "serial",    "server",       "set",     "specified", "ssh",
    "string",      "system",  "telnet",    "the",          "to",      "undefined", "unknown",
    "unspecified", "version", "welcome",   "manufacturer", "service",
};

static bool is_mac(const char *word, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (i % 3 == 2 ? word[i] != ':' && word[i] != '-' : !isxdigit((unsigned char)word[i]))
            return false;
    return length == 17;
}

static bool is_filler(const char *word, size_t length)
{
    char copy[INET6_ADDRSTRLEN] = {0};
    struct in6_addr address;
    if (length >= sizeof(copy))
        return false;
    memcpy(copy, word, length);
    for (size_t i = 0; i < sizeof(fillers) / sizeof(fillers[0]); i++)
        if (!strcasecmp(copy, fillers[i]))
            return true;
    return strspn(copy, "0") == length || is_mac(copy, length) ||
           inet_pton(AF_INET, copy, &address) == 1 || inet_pton(AF_INET6, copy, &address) == 1;
}

static bool is_inside(const char *at)
{
    return isalnum((unsigned char)*at) || *at & 0x80 || (*at && strchr(".:-_/", *at));
}

/* The next word from `at`, without the marks around it; its length in *length, 0 = none. */
static const char *next_word(const char *at, const char *end, size_t *length)
{
    while (at < end && (!is_inside(at) || (ispunct((unsigned char)*at) && *at != ':')))
        at++;
    const char *word = at;
    while (at < end && is_inside(at))
        at++;
    while (at > word && strchr(".-_/", at[-1]))
        at--;
    *length = (size_t)(at - word);
    /* A colon ends a sentence, two an address. */
    if (*length && at[-1] == ':' && (*length == 1 || at[-2] != ':'))
        --*length;
    return word;
}

bool ft_fact_says_nothing(enum ft_fact fact, const char *text, uint16_t length)
{
    const char *at = text, *end = text + length;
    size_t n;
    if (fact != FT_FACT_VENDOR && fact != FT_FACT_MODEL && fact != FT_FACT_SERIAL &&
        fact != FT_FACT_OS && fact != FT_FACT_DESCRIPTION)
        return false;
    for (;;) {
        at = next_word(at, end, &n);
        if (at == end)
            return true;
        if (n && !is_filler(at, n))
            return false;
        at += n + !n;
    }
}

bool ft_fact_is_of_service(const char *protocol)
{
    static const char *const names[] = {"dns", "ftp", "http", "ntp", "stp", "telnet", "tls"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strcmp(names[i], protocol))
            return true;
    return false;
}
