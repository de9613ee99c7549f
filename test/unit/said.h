/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A dissector of the test's own that hands each datagram over as one text: what is read of texts is
 * tested without a protocol around it. The test has said_text().
 */
#ifndef FT_TEST_SAID_H
#define FT_TEST_SAID_H

#include "text_feed.h"

static void said_text(struct ft_context *ctx, struct ft_view text);

static inline void said_dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    said_text(ctx, ft_sub(pdu, pdu->len));
}

static const struct ft_field said_fields[] = {
    {.name = "said", .title = "What was said", .type = FT_TYPE_GROUP},
};

static const struct ft_dissector said = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "said",
    .title = "What was said",
    .fields = FT_TABLE(said_fields),
    .dissect = said_dissect,
};

static inline void said_open(void)
{
    static const struct ft_dissector *const all[] = {&said, NULL};
    feed_open(&f, all, "said", FT_TRANSPORT_UDP, 9);
}

#endif
