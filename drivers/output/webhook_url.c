/* SPDX-License-Identifier: BSD-3-Clause */
/* URLs of webhooks and proxies: libcurl is asked what it would make of them. */
#include "output/webhook_url.h"

#include "output/check.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* As libcurl has them; what it guesses by the name of a host, such as ftp.example, it refuses
 * itself later. */
static const char *const proxy_schemes[] = {"http",   "https",   "socks4", "socks4a",
                                            "socks5", "socks5h", "socks",  NULL};

/* libcurl's own sentences are about its function, not about the URL. */
static const char *sentence(CURLUcode wrong)
{
    switch ((int)wrong) {
    case CURLUE_BAD_PORT_NUMBER:
        return "the port is no number from 1 to 65535; in a password / is %2F, ? %3F and # %23";
    case CURLUE_NO_HOST:
        return "there is no host in it";
#if LIBCURL_VERSION_NUM >= 0x075100
    case CURLUE_BAD_HOSTNAME:
        return "the host in it is neither a name, which has letters, digits, - _ and ., nor an "
               "address";
    case CURLUE_BAD_IPV6:
        return "what is between [ ] is no address of IPv6";
#endif
#if LIBCURL_VERSION_NUM >= 0x075000
    default:
        return curl_url_strerror(wrong);
#else
    default:
        return "it is no URL";
#endif
    }
}

static const char *host_wrong(CURLU *url, char *why, size_t size)
{
    char *host = NULL, *port = NULL;
    const char *wrong = NULL;
    if (curl_url_get(url, CURLUPART_HOST, &host, 0))
        wrong = sentence(CURLUE_NO_HOST);
    else if (*host != '[' && !ft_sink_check_host(host, why, size))
        wrong = why;
    else if (!curl_url_get(url, CURLUPART_PORT, &port, 0) && atol(port) == 0)
        wrong = sentence(CURLUE_BAD_PORT_NUMBER);
    curl_free(host);
    curl_free(port);
    return wrong;
}

static bool has_scheme(CURLU *url, const char *const *schemes)
{
    char *scheme = NULL;
    bool ok = false;
    if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0))
        return false;
    for (; *schemes && !ok; schemes++)
        ok = strcasecmp(scheme, *schemes) == 0;
    curl_free(scheme);
    return ok;
}

/* Blanks and controls; what is beyond ASCII is sent as it is. */
static bool has_blank(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text <= ' ' || *text == 0x7f)
            return true;
    return false;
}

/* http:///path: libcurl takes the path for the host. */
static bool lacks_host(const char *text)
{
    const char *behind = strstr(text, "://");
    return behind && behind[3] == '/';
}

static const char *read_url(const char *text, unsigned flags, const char *const *schemes,
                            const char *expected, char *why, size_t size)
{
    CURLU *url = curl_url();
    if (!url)
        return "out of memory";
    CURLUcode failed = curl_url_set(url, CURLUPART_URL, text, flags);
    const char *wrong = NULL;
    if (has_blank(text))
        wrong = "there is a blank or a control character in it, which is written %20 and so on";
    else if (lacks_host(text))
        wrong = sentence(CURLUE_NO_HOST);
    else if (failed)
        wrong = sentence(failed);
    else if (!has_scheme(url, schemes))
        wrong = expected;
    else
        wrong = host_wrong(url, why, size);
    curl_url_cleanup(url);
    return wrong;
}

const char *ft_webhook_url_wrong(const char *text, char *why, size_t size)
{
    static const char *const schemes[] = {"http", "https", NULL};
    static const char expected[] = "expected a URL that begins with http:// or https://";
    if (strncasecmp(text, "http://", 7) != 0 && strncasecmp(text, "https://", 8) != 0)
        return expected;
    return read_url(text, 0, schemes, expected, why, size);
}

const char *ft_webhook_proxy_wrong(const char *text, char *why, size_t size)
{
    static const char expected[] = "expected HOST:PORT or a URL that begins with http://, "
                                   "https://, socks4://, socks4a://, socks5:// or socks5h://";
    if (!*text)
        return NULL;
    if (!strstr(text, "://") && strstr(text, ":/"))
        return expected; /* http:/proxy, whose host would be http */
    return read_url(text, CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME, proxy_schemes, expected,
                    why, size);
}
