/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Announcements that come again and again, every few seconds for years, with the same bytes. What
 * they say of a device is told when it is new, and now and then in case it was forgotten; the rest
 * of the time a PDU costs the comparison of a hash.
 */
#ifndef FT_PROTOCOLS_REPEATED_H
#define FT_PROTOCOLS_REPEATED_H

#include <fieldtap/dissector.h>

/** After so long an unchanged announcement is told again. */
#define REPEATED_AGAIN_NS (600 * 1000000000ull)

/** Kept with a sender; all zero: nothing was announced yet. */
struct repeated {
    uint64_t hash;
    uint64_t told_ns;
};

/** A hash of everything left in the view; never 0. Cost: about two cycles a byte. */
static inline uint64_t repeated_hash(struct ft_view v)
{
    uint64_t h = 0x9E3779B97F4A7C15ull + v.len;
    while (v.len) {
        h ^= ft_uint_le(&v, v.len < 8 ? v.len : 8);
        h *= 0xFF51AFD7ED558CCDull;
        h ^= h >> 32;
    }
    return h | 1;
}

/** True when the same was announced and told not long ago; otherwise it is now. */
static inline bool is_repeated(struct repeated *r, uint64_t time_ns, struct ft_view pdu)
{
    uint64_t hash = repeated_hash(pdu);
    if (hash == r->hash && time_ns - r->told_ns < REPEATED_AGAIN_NS)
        return true;
    r->hash = hash;
    r->told_ns = time_ns;
    return false;
}

#endif
