/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What SNMP objects mean: which tell of the device, which a Set of does more than configure, and
 * whose the enterprise numbers are.
 */
#ifndef FT_SNMP_OBJECTS_H
#define FT_SNMP_OBJECTS_H

#include <fieldtap/dissector.h>
#include <fieldtap/wire.h>

/** What a Set does, the qualifier of its command. */
enum ft_snmp_set {
    FT_SNMP_SET_VALUE = 0, /**< configures */
    FT_SNMP_SET_RESTART,   /**< restarts the device or takes its power */
    FT_SNMP_SET_FIRMWARE,  /**< copies software into it */
    FT_SNMP_SET_COPY,      /**< copies its configuration, in or out */
    FT_SNMP_SET_OUTPUT,    /**< switches an outlet */
};

/** Vendor of an enterprise number, NULL = not in the list. */
const char *ft_snmp_vendor(uint32_t enterprise);

/** The enterprise number of an OID under 1.3.6.1.4.1, else 0. `oid` is its encoded content. */
uint32_t ft_snmp_enterprise(struct ft_view oid);

/** What setting that object does. */
enum ft_snmp_set ft_snmp_set_kind(struct ft_view oid);

/** Is the value of that object a secret (community, password)? */
bool ft_snmp_is_secret(struct ft_view oid);

/** Facts that an object of the agent tells: the sender of the message. */
void ft_snmp_tell(struct ft_context *ctx, struct ft_view oid, const struct ft_ber *value);

#endif
