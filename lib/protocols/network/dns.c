/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DNS, over UDP and, with a length of two bytes before each message, over TCP. Message, names and
 * records are read by dns_message.c, which mDNS and LLMNR share.
 *
 * Specification: RFC 1035, 1995, 1996, 2136, 2181, 5936, 6891, 7766, 9460.
 */
#include "dns_wire.h"

/* clang-format off */
static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_UDP, .value = 53},
    {.kind = FT_CARRIER_TCP, .value = 53},
    {.kind = FT_CARRIER_UDP, .value = FT_ANY_SELECTOR},
    {.kind = FT_CARRIER_TCP, .value = FT_ANY_SELECTOR},
};

/* One question, few records; everything else is for probe() to say. */
#define HEADER "..[\\x00-\\x07\\x28\\x80-\\x87\\xa8].\\x00\\x01\\x00[\\x00-\\x20]\\x00[\\x00-\\x20]\\x00[\\x00-\\x0a]"

static const struct ft_signature signatures[] = {
    {"^" HEADER, FT_SIGNATURE_UDP, 0},
    {"^[\\x00-\\x3f]." HEADER, FT_SIGNATURE_TCP, 0},
};

static const struct ft_field fields[] = {FT_DNS_FIELD_ROWS("dns", "Domain names"),
                                         FT_DNS_UNICAST_FIELD_ROWS};

#define COMMAND(code, qualifier, name, class, mitre)                                               \
    {code, qualifier, name, FT_CLASS_##class, {0}, mitre}

static const struct ft_command commands[] = {
    COMMAND(FT_DNS_QUERY, 0, "query", READ, NULL),
    COMMAND(FT_DNS_QUERY, FT_DNS_NULL, "query_null", READ, "T0885"),
    COMMAND(FT_DNS_QUERY, FT_DNS_KEY, "query_key", READ, NULL),
    COMMAND(FT_DNS_QUERY, FT_DNS_TXT, "query_txt", READ, NULL),
    COMMAND(FT_DNS_QUERY, FT_DNS_TKEY, "query_tkey", AUTH, NULL),
    COMMAND(FT_DNS_QUERY, FT_DNS_IXFR, "transfer_changes", READ, "T0846 T0888"),
    COMMAND(FT_DNS_QUERY, FT_DNS_AXFR, "transfer_zone", READ, "T0846 T0888"),
    COMMAND(FT_DNS_QUERY, FT_DNS_ANY, "query_any", READ, "T0814"),
    COMMAND(FT_DNS_IQUERY, FT_ANY_QUALIFIER, "inverse_query", READ, NULL),
    COMMAND(FT_DNS_STATUS, FT_ANY_QUALIFIER, "status", DIAGNOSTIC, NULL),
    COMMAND(FT_DNS_NOTIFY, FT_ANY_QUALIFIER, "notify", CONFIG, NULL),
    COMMAND(FT_DNS_UPDATE, FT_ANY_QUALIFIER, "update", CONFIG, "T0830"),
    COMMAND(FT_DNS_DSO, FT_ANY_QUALIFIER, "session", SESSION, NULL),
};

static const struct ft_violation violations[] = {
    FT_DNS_SHARED_VIOLATION_ROWS("DNS"),
    [FT_DNS_V_UNSOLICITED] = FT_DNS_VIOLATION("unsolicited", "DNS answer that nobody asked for", "T0830", MINOR),
    [FT_DNS_V_ANSWERS_DIFFER] = FT_DNS_VIOLATION("answers_differ", "Two different DNS answers to one query", "T0830", MINOR),
    [FT_DNS_V_TUNNEL] = {"tunnel", "DNS name by which a known tunnel works", NULL, "Suspicion of malicious activity", "T0884 T0869", FT_SEVERITY_MAJOR, FT_ENGINE_ANOMALY, 0, {0}},
};
/* clang-format on */

_Static_assert(sizeof(fields) / sizeof(fields[0]) == DNS_UNICAST_FIELDS, "one row a field");
_Static_assert(sizeof(violations) / sizeof(violations[0]) == FT_DNS_VIOLATIONS,
               "one row a violation");

/* On its port: a header that can be, as far as it is here, of a message of `room` bytes. Names are
 * read by dissect(), which tells what is wrong with them. */
static enum ft_verdict probe_bound(struct ft_view v, uint32_t room)
{
    bool is_short = v.len < FT_DNS_HEADER;

    if (is_short && !v.is_cut)
        return FT_NO;
    ft_skip(&v, 2);
    uint16_t flags = ft_u16be(&v);
    unsigned opcode = flags >> 11 & 15;
    uint32_t questions = ft_u16be(&v);
    uint32_t records = ft_u16be(&v);
    records += ft_u16be(&v);
    records += ft_u16be(&v);
    bool is_header_only = !questions && !records && opcode != FT_DNS_DSO;
    if (opcode > FT_DNS_DSO || opcode == 3 ||
        (!is_short && is_header_only && room != FT_DNS_HEADER && !v.is_cut))
        return FT_NO;
    bool fits =
        (questions <= 1 && !(flags & FT_DNS_Z)) || (questions * 5 <= room && records <= room);
    return is_short ? FT_MAYBE : fits ? FT_YES : FT_NO;
}

static enum ft_verdict probe(const struct ft_probe *where, struct ft_view payload)
{
    uint32_t room = payload.is_cut ? UINT16_MAX : payload.len;
    if (where->transport == FT_TRANSPORT_TCP) {
        uint32_t length = ft_u16be(&payload);
        room = length;
        if (where->is_bound && payload.len < FT_DNS_HEADER)
            return length >= FT_DNS_HEADER || payload.len == 0 ? FT_MAYBE : FT_NO;
        if (!where->is_bound && payload.len != length)
            return FT_NO;
        if (payload.len < length)
            payload.is_cut = true;
        else
            payload = ft_sub(&payload, length);
    }
    if (where->is_bound)
        return probe_bound(payload, room);
    return ft_dns_looks_right(payload) ? FT_YES : FT_NO;
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    if (ctx->transport == FT_TRANSPORT_TCP)
        ft_dns_read_stream(ctx, FT_DNS_UNICAST, pdu);
    else
        ft_dns_read(ctx, FT_DNS_UNICAST, pdu);
}

const struct ft_dissector ft_dissector_dns = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "dns",
    .title = "DNS",
    .specification = "RFC 1035, RFC 2136, RFC 5936, RFC 6891, RFC 7766, RFC 9460",
    .carried_by = FT_TABLE(carriers),
    .signatures = FT_TABLE(signatures),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .max_pdu = FT_MAX_PDU,
    .flow_state_size = sizeof(struct ft_dns_flow),
    .probe = probe,
    .frame = ft_dns_frame,
    .dissect = dissect,
};
