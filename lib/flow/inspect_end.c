/* SPDX-License-Identifier: BSD-3-Clause */
/* A flow ends: what it still had is read, given up and told. */
#include "flow/inspect_internal.h"

/* The protocol a flow is known by: the innermost that a carrying layer recognised. */
static uint16_t innermost(const struct ft_flow *flow)
{
    for (unsigned i = FT_INLINE_CHILDREN; i-- > 0;)
        if (flow->children[i])
            return flow->children[i];
    return flow->protocol;
}

/* Had it payload? Who has none is tried by nobody. */
static bool had_payload(const struct ft_flow *flow)
{
    return flow->protocol || flow->tries || flow->messages ||
           flow->flags & (FT_FLOW_UNKNOWN | FT_FLOW_UNEXPECTED);
}

void ft_inspect_flow_end(void *user, struct ft_flow *flow, enum ft_flow_end why)
{
    struct ft_inspector *ins = user;
    struct ft_flow *packet_flow = ins->flow;
    enum ft_side packet_side = ins->packet_side;
    ins->packet_side = FT_SIDE_NONE;
    ins->call.state = &ins->shards->state[flow->shard];
    if (flow->key.proto == 6 && flow->key.family != 2)
        ft_stream_flush(ins->shards->flows, flow, &ft_inspect_stream_ops, ins, &ins->ledger.stream);
    ft_inspect_reset_framers(ins, flow);
    ft_inspect_give_up_requests(ins, flow);
    if (ins->rules.has_connection)
        ft_inspect_no_answer(ins, flow);
    struct ft_event *e = ft_inspect_event_begin(ins, FT_EVENT_FLOW);
    if (e) {
        enum ft_side client = flow->server == FT_SIDE_A ? FT_SIDE_B : FT_SIDE_A;
        enum ft_side sender = ft_inspect_is_icmp(flow) ? (enum ft_side)flow->first : client;
        unsigned from = sender == FT_SIDE_B;
        ft_inspect_event_flow(ins, e, flow, sender);
        e->protocol = flow->is_confirmed ? innermost(flow) : 0;
        for (unsigned i = 0; i < 2; i++) {
            e->flow.packets[i] = flow->packets[i ^ from];
            e->flow.bytes[i] = flow->bytes[i ^ from];
            e->flow.tcp_flags[i] = flow->tcp_flags[i ^ from];
        }
        e->flow.first_ns = flow->first_ns;
        e->flow.last_ns = flow->last_ns;
        e->flow.state = flow->state;
        e->flow.reason = (uint8_t)why;
        e->flow.alerted = (flow->flags & FT_FLOW_ALERTED) != 0;
        e->flow.is_unknown = !e->protocol && had_payload(flow);
        e->flow.is_encrypted = (flow->flags & FT_FLOW_ENCRYPTED) != 0;
        e->flow.messages = flow->messages;
        ft_inspect_event_end(ins, e);
    }
    ins->flow = packet_flow;
    ins->packet_side = packet_side;
}
