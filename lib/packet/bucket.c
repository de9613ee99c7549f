/* SPDX-License-Identifier: BSD-3-Clause */
/* The names of the packet ledger's buckets, as stats.json spells them. */
#include "packet/packet.h"

static const char *const names[FT_BUCKET_COUNT] = {
    [FT_BUCKET_NONE] = "none",
    [FT_BUCKET_ANALYSED] = "analysed",
    [FT_BUCKET_NO_PAYLOAD] = "no_payload",
    [FT_BUCKET_UNKNOWN_PROTOCOL] = "unknown_protocol",
    [FT_BUCKET_ENCRYPTED] = "encrypted",
    [FT_BUCKET_FRAGMENT_HELD] = "fragment_held",
    [FT_BUCKET_DUPLICATE] = "duplicate",
    [FT_BUCKET_FILTERED] = "filtered",
    [FT_BUCKET_LINKTYPE] = "undecodable.linktype",
    [FT_BUCKET_CUT] = "undecodable.cut",
    [FT_BUCKET_ETHERNET] = "undecodable.ethernet",
    [FT_BUCKET_TAG] = "undecodable.tag",
    [FT_BUCKET_IPV4_HEADER] = "undecodable.ipv4_header",
    [FT_BUCKET_IPV4_CHECKSUM] = "undecodable.ipv4_checksum",
    [FT_BUCKET_IPV6_HEADER] = "undecodable.ipv6_header",
    [FT_BUCKET_IPV6_EXTENSION] = "undecodable.ipv6_extension",
    [FT_BUCKET_FRAGMENT] = "undecodable.fragment",
    [FT_BUCKET_TCP_HEADER] = "undecodable.tcp_header",
    [FT_BUCKET_UDP_HEADER] = "undecodable.udp_header",
    [FT_BUCKET_ICMP_HEADER] = "undecodable.icmp_header",
    [FT_BUCKET_SCTP_HEADER] = "undecodable.sctp_header",
    [FT_BUCKET_L4_CHECKSUM] = "undecodable.l4_checksum",
    [FT_BUCKET_TUNNEL] = "undecodable.tunnel",
    [FT_BUCKET_TOO_MANY_LAYERS] = "undecodable.too_many_layers",
    [FT_BUCKET_SHED_RING] = "shed.ring",
    [FT_BUCKET_SHED_FLOW_TABLE] = "shed.flow_table",
    [FT_BUCKET_SHED_FRAGMENT] = "shed.fragment",
    [FT_BUCKET_SHED_FAULT] = "shed.fault",
};

const char *ft_bucket_name(enum ft_bucket bucket)
{
    return (unsigned)bucket < FT_BUCKET_COUNT ? names[bucket] : "none";
}
