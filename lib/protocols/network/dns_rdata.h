/* SPDX-License-Identifier: BSD-3-Clause */
/* The data of DNS resource records: readers of single types, called by dns_rdata.c. */
#ifndef FT_DNS_RDATA_H
#define FT_DNS_RDATA_H

#include "dns_text.h"

/** Read a name that the data hold; tells what is wrong with it. */
void ft_dns_rdata_name(struct ft_context *ctx, const struct ft_view *message, struct ft_view *v,
                       struct ft_dns_name *name);

/** SVCB and HTTPS: how a service is reached (RFC 9460). */
void ft_dns_rdata_binding(struct ft_context *ctx, const struct ft_view *message,
                          struct ft_dns_record *r, struct ft_view *v);

/** LOC: a place on earth (RFC 1876). */
void ft_dns_rdata_location(struct ft_context *ctx, struct ft_dns_record *r, struct ft_view *v);

/** Signatures, proofs that a name does not exist, keys of transactions; false: another type. */
bool ft_dns_rdata_security(struct ft_context *ctx, const struct ft_view *message,
                           struct ft_dns_record *r, struct ft_view *v);

#endif
