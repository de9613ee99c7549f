/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Multicast DNS and service discovery (DNS-SD): hosts of a link ask and tell each other names and
 * services. The message is that of DNS, read by dns_message.c; several questions are usual, the top
 * bit of a class has a meaning of its own, and what a query carries as answers is what it knows.
 *
 * Specification: RFC 6762, 6763.
 */
#include "dns_wire.h"

enum {
    PORT = 5353,
};

/* clang-format off */
static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_UDP, .value = PORT},
};

static const struct ft_field fields[] = {FT_DNS_FIELD_ROWS("mdns", "Multicast DNS"),
                                         FT_MDNS_FIELD_ROWS};

#define COMMAND(code, qualifier, name, class) {code, qualifier, name, FT_CLASS_##class, {0}, NULL}

static const struct ft_command commands[] = {
    COMMAND(FT_DNS_QUERY, 0, "query", READ),
    COMMAND(FT_DNS_QUERY, FT_DNS_PROBE, "probe", CONFIG),
    COMMAND(FT_DNS_QUERY, FT_DNS_ANNOUNCEMENT, "response", DATA),
    COMMAND(FT_DNS_QUERY, FT_DNS_GOODBYE, "goodbye", ADMIN),
};

static const struct ft_violation violations[] = {
    FT_DNS_VIOLATION_ROWS("mDNS"),
    [FT_MDNS_V_WPAD] = FT_DNS_WPAD_ROW("mDNS"),
    [FT_MDNS_V_SOURCE_PORT] = FT_DNS_VIOLATION("source_port", "mDNS response from another port than the protocol's", "T0830", WARNING),
    [FT_MDNS_V_OFF_LINK] = FT_DNS_VIOLATION("off_link", "mDNS response that came over a router", "T0830", MINOR),
};
/* clang-format on */

_Static_assert(sizeof(fields) / sizeof(fields[0]) == MDNS_FIELDS, "one row a field");

static enum ft_verdict probe(const struct ft_probe *where, struct ft_view payload)
{
    if (!where->is_bound || (payload.len < FT_DNS_HEADER && !payload.is_cut))
        return FT_NO;
    return FT_YES;
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    ft_dns_read(ctx, FT_DNS_MULTICAST, pdu);
}

const struct ft_dissector ft_dissector_mdns = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "mdns",
    .title = "mDNS",
    .specification = "RFC 6762, RFC 6763",
    .carried_by = FT_TABLE(carriers),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .max_pdu = FT_MAX_PDU,
    .probe = probe,
    .dissect = dissect,
};
