/* SPDX-License-Identifier: BSD-3-Clause */
/* URLs of webhooks and proxies, as libcurl reads them. */
#ifndef FT_WEBHOOK_URL_H
#define FT_WEBHOOK_URL_H

#include <stddef.h>

/**
 * What is wrong with a URL that events are sent to; NULL: nothing. A sentence in `why`, without the
 * URL: there may be a password in it.
 */
const char *ft_webhook_url_wrong(const char *url, char *why, size_t size);

/** The same of a proxy, which may be HOST:PORT, too; empty: none. */
const char *ft_webhook_proxy_wrong(const char *proxy, char *why, size_t size);

#endif
