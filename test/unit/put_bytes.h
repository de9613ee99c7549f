/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages put together byte by byte, for tests that feed them. */
#ifndef FT_TEST_PUT_BYTES_H
#define FT_TEST_PUT_BYTES_H

#include "feed.h"

struct bytes {
    uint8_t data[FEED_MAX];
    uint32_t length;
};

static inline void put(struct bytes *b, const void *data, uint32_t length)
{
    assert_true(b->length + length <= FEED_MAX);
    memcpy(b->data + b->length, data, length);
    b->length += length;
}

#endif
