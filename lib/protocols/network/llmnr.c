/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * LLMNR: Windows asks its link for names that DNS does not know. The message is that of DNS, read
 * by dns_message.c. Queries go to a group, answers come from a flow of their own; over TCP a length
 * of two bytes stands before each message.
 *
 * Specification: RFC 4795.
 */
#include "dns_wire.h"

enum {
    PORT = 5355,
};

/* clang-format off */
static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_UDP, .value = PORT},
    {.kind = FT_CARRIER_TCP, .value = PORT},
};

static const struct ft_field fields[] = {FT_DNS_FIELD_ROWS("llmnr", "Link-local name resolution")};

#define COMMAND(code, name, class) {code, FT_ANY_QUALIFIER, name, FT_CLASS_##class, {0}, NULL}

static const struct ft_command commands[] = {
    COMMAND(FT_DNS_QUERY, "query", READ),
};

static const struct ft_violation violations[] = {
    FT_DNS_SHARED_VIOLATION_ROWS("LLMNR"),
    [FT_LLMNR_V_WPAD] = FT_DNS_WPAD_ROW("LLMNR"),
};
/* clang-format on */

_Static_assert(sizeof(fields) / sizeof(fields[0]) == DNS_FIELDS, "one row a field");

static enum ft_verdict probe(const struct ft_probe *where, struct ft_view payload)
{
    bool is_stream = where->transport == FT_TRANSPORT_TCP;
    uint32_t least = is_stream ? FT_DNS_HEADER + 2 : FT_DNS_HEADER;

    if (!where->is_bound)
        return FT_NO;
    if (payload.len < least)
        return is_stream || payload.is_cut ? FT_MAYBE : FT_NO;
    return !is_stream || ft_peek_u16be(&payload, 0) >= FT_DNS_HEADER ? FT_YES : FT_NO;
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    if (ctx->transport == FT_TRANSPORT_TCP)
        ft_dns_read_stream(ctx, FT_DNS_LINK_LOCAL, pdu);
    else
        ft_dns_read(ctx, FT_DNS_LINK_LOCAL, pdu);
}

const struct ft_dissector ft_dissector_llmnr = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "llmnr",
    .title = "LLMNR",
    .specification = "RFC 4795",
    .carried_by = FT_TABLE(carriers),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .max_pdu = FT_MAX_PDU,
    .probe = probe,
    .frame = ft_dns_frame,
    .dissect = dissect,
};
