/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hearsay: what hosts say of addresses that nobody was heard from yet. A DNS answer names a host
 * before the first packet to it; most names asked for are never talked to. The latest are kept, by
 * address, and given back when an asset with that address appears. Likewise devices behind an
 * address, to which datagrams were sent: fact 0 and the sub-address.
 *
 * One thread, that of the inventory. At most FT_HEARSAY_MAX facts; the oldest go first.
 */
#ifndef FT_HEARSAY_H
#define FT_HEARSAY_H

#include "inventory/inventory.h"

#define FT_HEARSAY_MAX 16384u

/** One fact about an address. */
struct ft_hearsay_fact {
    struct ft_address address;
    uint64_t time_ns;
    uint16_t protocol; /**< index + 1 */
    uint16_t length;
    uint8_t fact;     /**< enum ft_fact; 0: only the sub-address */
    uint8_t sub_kind; /**< enum ft_subaddress_kind */
    uint64_t sub_value;
    char *text; /**< of the fact, or of sub-addresses that are text; not NULL */
};

struct ft_hearsay;

/** `key` is that of the inventory's tables. NULL when memory is short. */
struct ft_hearsay *ft_hearsay_new(const uint64_t key[2]);
void ft_hearsay_free(struct ft_hearsay *h);

/** Keep a fact; one of the same address, kind, sub-address and protocol is replaced. The text is
 * copied. */
void ft_hearsay_add(struct ft_hearsay *h, const struct ft_hearsay_fact *fact);

/** Called for a fact, which is valid during the call. */
typedef void ft_hearsay_fn(void *user, const struct ft_hearsay_fact *fact);

/** Call `told` for all facts about an address, in the order of places in the table. */
void ft_hearsay_of(const struct ft_hearsay *h, const struct ft_address *address,
                   ft_hearsay_fn *told, void *user);

#endif
