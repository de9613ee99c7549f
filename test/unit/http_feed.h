/* SPDX-License-Identifier: BSD-3-Clause */
/* A flow of HTTP. */
#ifndef FT_TEST_HTTP_FEED_H
#define FT_TEST_HTTP_FEED_H

#include "text_feed.h"

extern const struct ft_dissector ft_dissector_http;
static const struct ft_dissector *const all[] = {&ft_dissector_http, NULL};

static inline int setup(void **state)
{
    (void)state;
    feed_open(&f, all, "http", FT_TRANSPORT_TCP, 80);
    return 0;
}

#endif
