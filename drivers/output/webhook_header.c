/* SPDX-License-Identifier: BSD-3-Clause */
/* Headers of webhooks: whose value nobody can know who writes a configuration (RFC 9110). */
#include "output/webhook_header.h"

#include <string.h>
#include <strings.h>

static const char length[] = "each request has a length of its own, which is sent by itself";
static const char connection[] = "it is about the connection, which the sensor keeps by itself";
static const char packing[] = "whether bodies are packed is told by the key \"gzip\"";
static const char asking[] = "receivers are not asked before a body is sent";
static const char digest[] = "each body has a digest of its own";

static const struct {
    const char *name, *why;
} refused[] = {
    {"Content-Length", length},
    {"Transfer-Encoding", length},
    {"Trailer", length},
    {"Connection", connection},
    {"Keep-Alive", connection},
    {"Proxy-Connection", connection},
    {"TE", connection},
    {"Upgrade", connection},
    {"HTTP2-Settings", connection},
    {"Content-Encoding", packing},
    {"Expect", asking},
    {"Content-MD5", digest},
    {"Content-Digest", digest},
    {"Repr-Digest", digest},
    {"Digest", digest},
};

const char *ft_webhook_header_refused(const char *name)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        if (strcasecmp(name, refused[i].name) == 0)
            return refused[i].why;
    return NULL;
}

bool ft_webhook_header_has(const struct curl_slist *lines, const char *name)
{
    size_t n = strlen(name);
    for (; lines; lines = lines->next)
        if (strncasecmp(lines->data, name, n) == 0 && strchr(":;", lines->data[n]) &&
            lines->data[n])
            return true;
    return false;
}
