/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inspection: single packets and connections as rules ask for them.
 *
 * Headers are read when a rule asks for them, of the packet at hand. How a connection came out is
 * seen by its first answer, or, when there is none, at its end.
 */
#include "flow/inspect_internal.h"

#include <string.h>

/* ---- packets ---- */

static uint16_t be16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t be32(const uint8_t *at)
{
    return (uint32_t)be16(at) << 16 | be16(at + 2);
}

/*
 * The TCP header ends where the payload begins, and says how long it is; the decoder has read it.
 * False: it is not found.
 */
static bool options_value(const struct ft_packet *p, struct ft_program_value *v)
{
    for (uint32_t length = 20; length <= 60 && length <= p->payload; length += 4) {
        const uint8_t *header = p->data + p->payload - length;
        if (header[12] >> 4 << 2 != (int)length || be16(header) != p->src_port ||
            be16(header + 2) != p->dst_port || be32(header + 4) != p->tcp_seq)
            continue;
        v->bytes = header + 20;
        v->length = length - 20;
        return true;
    }
    return false;
}

static bool number_value(struct ft_program_value *v, uint64_t number, bool is_there)
{
    v->number = number;
    return is_there;
}

bool ft_inspect_packet_value(void *user, enum ft_keyword keyword, struct ft_program_value *v)
{
    const struct ft_inspector *ins = user;
    const struct ft_packet *p = ins->packet;
    const struct ft_flow *flow = ins->flow;
    bool is_ip = p->flags & (FT_PACKET_IPV4 | FT_PACKET_IPV6), is_tcp = p->flags & FT_PACKET_TCP;
    if (p->flags & (FT_PACKET_TICK | FT_PACKET_END) || ins->side != ins->packet_side)
        return false;
    switch (keyword) {
    case FT_KEYWORD_FIRST:
        return number_value(v, true, flow->packets[0] + flow->packets[1] == 1);
    case FT_KEYWORD_IP_TTL:
        return number_value(v, p->ttl, is_ip);
    case FT_KEYWORD_IP_ID:
        if (!(p->flags & FT_PACKET_IPV4))
            return false;
        return number_value(v, be16(p->data + p->l3 + 4), true);
    case FT_KEYWORD_TCP_FLAGS:
        return number_value(v, p->tcp_flags, is_tcp);
    case FT_KEYWORD_TCP_WINDOW:
        return number_value(v, p->tcp_window, is_tcp);
    case FT_KEYWORD_TCP_OPTIONS:
        return is_tcp && options_value(p, v);
    default:
        return false;
    }
}

/* ---- connections ---- */

static bool is_tcp(const struct ft_flow *flow)
{
    return flow->key.proto == 6 && flow->key.family != 2;
}

/* Was a connection asked for from this side, and no more? */
static bool has_asked(const struct ft_flow *flow, enum ft_side side)
{
    return (flow->tcp_flags[side] & (FT_TCP_SYN | FT_TCP_ACK)) == FT_TCP_SYN;
}

void ft_inspect_first_answer(struct ft_inspector *ins, struct ft_flow *flow, enum ft_side side)
{
    enum ft_side client = side == FT_SIDE_A ? FT_SIDE_B : FT_SIDE_A;
    uint8_t flags = ins->packet->tcp_flags;
    if (!is_tcp(flow) || !has_asked(flow, client))
        return;
    if (flags & FT_TCP_RST)
        ft_inspect_rules_connection(ins, flow, client, FT_CONNECTION_REFUSED);
    else if ((flags & (FT_TCP_SYN | FT_TCP_ACK)) == (FT_TCP_SYN | FT_TCP_ACK))
        ft_inspect_rules_connection(ins, flow, client, FT_CONNECTION_ACCEPTED);
}

/* What was sent last may be on its way still: a second is what TCP waits before it repeats. */
void ft_inspect_no_answer(struct ft_inspector *ins, struct ft_flow *flow)
{
    enum ft_side side = flow->packets[FT_SIDE_A] ? FT_SIDE_A : FT_SIDE_B;
    bool is_udp = flow->key.proto == 17 && flow->key.family != 2 && !flow->is_multicast;
    if (flow->packets[!side] || (!is_udp && !(is_tcp(flow) && has_asked(flow, side))))
        return;
    if (ins->packet->time_ns < flow->last_ns + SECOND_NS)
        return;
    ft_inspect_rules_connection(ins, flow, side, FT_CONNECTION_UNANSWERED);
}
