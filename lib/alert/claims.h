/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a sender states to have alone (ft_claim()): the publisher of a GOOSE control block, say.
 * Somebody else who states it is of another pair of hosts, so that only the core can tell.
 *
 * Bounded: the oldest keys give way. One thread; depends on the order of events only.
 */
#ifndef FT_CLAIMS_H
#define FT_CLAIMS_H

#include "event/event.h"

struct ft_claims;

/** At most so many keys (a power of two), 48 bytes each and their index; `key` of the hash table.
 * NULL when memory is short. */
struct ft_claims *ft_claims_new(uint32_t max, const uint64_t key[2]);
void ft_claims_free(struct ft_claims *c);

/**
 * A CLAIM event. FT_NO_VIOLATION, or the violation of its protocol that it shows: the key is
 * somebody else's, or was until its time ran out. Then `before` is the MAC address (zeros without
 * Ethernet) of who stated it before.
 */
uint32_t ft_claims_event(struct ft_claims *c, const struct ft_event *event, uint8_t before[6]);

#endif
