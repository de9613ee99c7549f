/* SPDX-License-Identifier: BSD-3-Clause */
/* One flow of a protocol of lines, fed with what client and server say. */
#ifndef FT_TEST_TEXT_FEED_H
#define FT_TEST_TEXT_FEED_H

#include "feed.h"

static struct feed f;

static inline int teardown(void **state)
{
    (void)state;
    feed_close(&f);
    return 0;
}

static inline const char *client(const char *text)
{
    return feed_raw(&f, FT_TO_SERVER, (const uint8_t *)text, (uint32_t)strlen(text));
}

static inline const char *server(const char *text)
{
    return feed_raw(&f, FT_TO_CLIENT, (const uint8_t *)text, (uint32_t)strlen(text));
}

#endif
