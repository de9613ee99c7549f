/* SPDX-License-Identifier: BSD-3-Clause */
/* Text put together of the data of a DNS record, as zone files have it. */
#ifndef FT_DNS_TEXT_H
#define FT_DNS_TEXT_H

#include "dns_wire.h"

/** The longest that is whole is NAPTR's, of two numbers, three strings and a name. */
struct ft_dns_text {
    uint32_t length;
    char text[2 * 6 + 3 * 256 + 2 * FT_DNS_NAME_MAX + 2];
};

/**
 * Add bytes. What is beyond the room is left out: TXT, whose strings are listed too, lists of types
 * and CAA can be longer.
 */
void ft_dns_text_add(struct ft_dns_text *t, const void *bytes, uint32_t n);

/** True when nothing more fits. */
bool ft_dns_text_is_full(const struct ft_dns_text *t);

/** What follows is a text of its own. */
void ft_dns_text_gap(struct ft_dns_text *t);

/* Each of these adds a text of its own. */
void ft_dns_text_word(struct ft_dns_text *t, const char *word);
void ft_dns_text_number(struct ft_dns_text *t, uint64_t number);
void ft_dns_text_string(struct ft_dns_text *t, struct ft_view string);
void ft_dns_text_name(struct ft_dns_text *t, const struct ft_dns_name *name);

/** Seconds since 1970 as YYYYMMDDHHmmSS (RFC 4034, 3.2). */
void ft_dns_text_time(struct ft_dns_text *t, uint32_t seconds);

/** A type by its name, or as TYPE1234 (RFC 3597, 5). */
void ft_dns_text_type(struct ft_dns_text *t, uint16_t type);

/** What went wrong with a transaction (TSIG, TKEY) by its name, or its number. */
void ft_dns_text_result(struct ft_dns_text *t, uint16_t result);

/** Bytes in hexadecimal, "-" for none (RFC 5155, 3.3). */
void ft_dns_text_hex(struct ft_dns_text *t, struct ft_view bytes);

/** Bytes in base 32 with the extended hexadecimal alphabet, without padding (RFC 4648, 7). */
void ft_dns_text_base32(struct ft_dns_text *t, struct ft_view bytes);

/** An address, IPv4 (4 bytes) or IPv6 (16 bytes). */
void ft_dns_text_address(struct ft_dns_text *t, struct ft_view address);

#endif
