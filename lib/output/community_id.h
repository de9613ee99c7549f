/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Community ID version 1: a hash of the flow tuple that tools of different makers agree on
 * (github.com/corelight/community-id-spec), seed 0, of the innermost addresses, without VLANs.
 */
#ifndef FT_COMMUNITY_ID_H
#define FT_COMMUNITY_ID_H

#include <stdbool.h>
#include <stdint.h>

/** "1:" and 28 characters of base64, and NUL. */
#define FT_COMMUNITY_ID_SIZE 31

struct ft_community_tuple {
    uint8_t src[16], dst[16];    /**< network order; IPv4 in the first four bytes, the rest zero */
    uint16_t src_port, dst_port; /**< host order; ICMP: type and code; else 0 */
    uint8_t proto;               /**< IP protocol */
    uint8_t is_ipv6;
    uint8_t zero[2];
};

struct ft_community_id;

/** A computer with a cache of the tuples seen last; NULL when libcrypto has no SHA-1. */
struct ft_community_id *ft_community_id_new(void);
void ft_community_id_free(struct ft_community_id *c);

/**
 * The id of a tuple: text owned by `c`, valid until the next call. One thread. Cost: 20 ns when the
 * tuple is in the cache, else a SHA-1 of about 40 bytes (0.4 us).
 */
const char *ft_community_id(struct ft_community_id *c, const struct ft_community_tuple *tuple);

#endif
