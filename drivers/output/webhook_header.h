/* SPDX-License-Identifier: BSD-3-Clause */
/* Headers that a configuration may give to the requests of a webhook. */
#ifndef FT_WEBHOOK_HEADER_H
#define FT_WEBHOOK_HEADER_H

#include <curl/curl.h>
#include <stdbool.h>

/** Why no configuration may give it, one sentence; NULL: it may. Case does not matter. */
const char *ft_webhook_header_refused(const char *name);

/** Is there one of this name among the lines? Case does not matter. */
bool ft_webhook_header_has(const struct curl_slist *lines, const char *name);

#endif
