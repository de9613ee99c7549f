/* SPDX-License-Identifier: BSD-3-Clause */
/* Names and addresses of receivers. */
#include "output/check.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#define DIGITS  "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* fe80::1%eth0: the interface need not be there yet. */
static bool is_ipv6(const char *host)
{
    char address[INET6_ADDRSTRLEN] = "";
    unsigned char bytes[16];
    size_t n = strcspn(host, "%"), scope = host[n] ? strlen(host + n + 1) : 1;
    if (n >= sizeof(address) || !scope || scope >= IF_NAMESIZE || strpbrk(host + n, " \t\r\n/:;"))
        return false;
    memcpy(address, host, n);
    return inet_pton(AF_INET6, address, bytes) == 1;
}

/* What is beyond ASCII the resolver judges. */
static bool is_character(unsigned char c)
{
    return c >= 0x80 || (c && strchr(LETTERS DIGITS "-_.", c));
}

static bool are_characters(const char *host)
{
    for (; *host; host++)
        if (!is_character((unsigned char)*host))
            return false;
    return true;
}

/* "siem:514", "[::1]:514": both would be looked up as they are, for ever. */
static const char *port_behind(const char *host)
{
    const char *port = strrchr(host, ':');
    bool is_one = port && (strchr(host, ':') == port || port[-1] == ']');
    return is_one && port > host && port[1] && strspn(port + 1, DIGITS) == strlen(port + 1) ? port
                                                                                            : NULL;
}

bool ft_sink_check_host(const char *host, char *why, size_t size)
{
    struct in_addr address;
    size_t n = strlen(host);
    const char *port = port_behind(host);
    if (is_ipv6(host))
        return true;
    if (strstr(host, "://"))
        snprintf(why, size, "expected a name or an address, not a URL");
    else if (port && *host == '[')
        snprintf(why, size, "the port is a key of its own, and an address has no [ ] around it");
    else if (port)
        snprintf(why, size, "the port is a key of its own: \"host\": \"%.*s\", \"port\": %.5s",
                 (int)(port - host), host, port + 1);
    else if (*host == '[')
        snprintf(why, size, "expected an address of IPv6 without [ ] around it");
    else if (strchr(host, ':'))
        snprintf(why, size, "\"%s\" is no address of IPv6, nor a name", host);
    else if (!are_characters(host))
        snprintf(why, size,
                 "\"%s\" is neither a name, which has letters, digits, - _ and ., nor an address",
                 host);
    else if (*host == '.' || strstr(host, ".."))
        snprintf(why, size, "\"%s\" is no name: one part of it is empty", host);
    else if (strchr(host, '.') && strspn(host, DIGITS ".") == n && !inet_aton(host, &address))
        snprintf(why, size, "\"%s\" is no address of IPv4, nor a name", host);
    else
        return true;
    return false;
}
