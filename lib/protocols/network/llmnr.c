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
    if (where->transport == FT_TRANSPORT_TCP) {
        if (payload.len < 4)
            return FT_MAYBE;
        ft_skip(&payload, 2);
    } else if (payload.len < FT_DNS_HEADER && !payload.is_cut) {
        return FT_NO;
    }
    ft_skip(&payload, 2);
    unsigned opcode = ft_u16be(&payload) >> 11 & 15;
    return where->is_bound && opcode <= FT_DNS_DSO ? FT_YES : FT_NO;
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
