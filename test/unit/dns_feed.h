/* SPDX-License-Identifier: BSD-3-Clause */
/* Feeding messages to DNS and its relatives: one harness with all of them. */
#ifndef FT_TEST_DNS_FEED_H
#define FT_TEST_DNS_FEED_H

#include "feed.h"

#include "protocols/network/dns_wire.h"

extern const struct ft_dissector ft_dissector_dns, ft_dissector_mdns, ft_dissector_llmnr;

static const struct ft_dissector *const dissectors[] = {&ft_dissector_dns, &ft_dissector_mdns,
                                                        &ft_dissector_llmnr, NULL};

static struct feed f;

static inline int open_dns(void **state)
{
    (void)state;
    feed_open(&f, dissectors, "dns", FT_TRANSPORT_UDP, 53);
    return 0;
}

static inline int open_mdns(void **state)
{
    (void)state;
    feed_open(&f, dissectors, "mdns", FT_TRANSPORT_UDP, 5353);
    f.flow.client_port = 5353;
    return 0;
}

static inline int open_llmnr(void **state)
{
    (void)state;
    feed_open(&f, dissectors, "llmnr", FT_TRANSPORT_UDP, 5355);
    return 0;
}

static inline int close_feed(void **state)
{
    (void)state;
    feed_close(&f);
    return 0;
}

/* plc.example.com, at offset 12 of a message as a rule; a question for its address */
#define NAME     "03 706c63 07 6578616d706c65 03 636f6d 00 "
#define QUESTION NAME "0001 0001 "
/* an answer to it: 10.0.0.1 */
#define RECORD "c00c 0001 0001 0000003c 0004 0a000001 "

#endif
