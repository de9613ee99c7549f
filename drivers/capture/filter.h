/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Capture filters in the syntax of tcpdump (pcap-filter(7)), for packets of any link type.
 *
 * A packet with VLAN tags is looked at as if it had none, to the byte and in its length: mirrors
 * tag what they copy, often in one direction only. By tcpdump's own rule "port 502" would lose all
 * that is tagged, and "not port 22" keep it. Only an expression that says "vlan" itself is taken
 * word by word.
 *
 * Thread: one at a time per filter. Uses libpcap; without it ft_filter_new() says so.
 */
#ifndef FT_CAPTURE_FILTER_H
#define FT_CAPTURE_FILTER_H

#include "capture/file.h"

struct ft_filter;

/**
 * Compile an expression; it is checked for Ethernet, other link types are compiled when their first
 * packet comes. NULL and one sentence when it is none.
 */
struct ft_filter *ft_filter_new(const char *expression, char *error, size_t error_size);
void ft_filter_free(struct ft_filter *filter);

/** Does the packet pass? Cost: about 60 cycles, and a copy of what has tags; a compilation for the
 * first of a link type. */
bool ft_filter_passes(struct ft_filter *filter, const struct ft_capture_record *record);

/**
 * What there is to say, once, or NULL: the expression has no meaning for a link type that came
 * ("ether host" where there is no Ethernet), so none of its packets passes. Owned by the filter.
 */
const char *ft_filter_remark(struct ft_filter *filter);

/** What libpcap calls itself, with its version; "no libpcap" without it. Static. */
const char *ft_filter_library(void);

#endif
