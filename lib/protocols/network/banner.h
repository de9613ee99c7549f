/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the texts say by which devices describe themselves to neighbours and managers (the system
 * description of LLDP and SNMP, the software version of CDP): vendor, model, versions, serial
 * number, operating system. There is no standard for them; what is read are the habits of vendors.
 */
#ifndef FT_PROTOCOLS_BANNER_H
#define FT_PROTOCOLS_BANNER_H

#include <fieldtap/dissector.h>

/**
 * State a fact about the device with the MAC address `of`; empty: about the sender. A role is its
 * name: "switch".
 */
void ft_banner_say(struct ft_context *ctx, struct ft_view of, enum ft_fact fact,
                   struct ft_view text);
void ft_banner_say_text(struct ft_context *ctx, struct ft_view of, enum ft_fact fact,
                        const char *text);

/**
 * State the facts of a description about that device, but for those in `known` (bit per enum
 * ft_fact), which the caller knows better. Cost: some searches in at most 255 bytes.
 */
void ft_banner_tell(struct ft_context *ctx, struct ft_view of, struct ft_view text, uint32_t known);

/** The word behind "Version " and the like in a text; empty without one. */
struct ft_view ft_banner_version(struct ft_view text);

/** Where `part` begins in the bytes ahead, -1: nowhere. */
int32_t ft_banner_find(struct ft_view text, const char *part);

#endif
