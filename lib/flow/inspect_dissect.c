/* SPDX-License-Identifier: BSD-3-Clause */
/* A PDU is read: by whom, in which context, and what is told of it. */
#include "flow/inspect_internal.h"

#include <string.h>

_Static_assert(offsetof(struct ft_packet, dst_mac) - offsetof(struct ft_packet, src_mac) == 6 &&
                   offsetof(struct ft_context, dst_mac) - offsetof(struct ft_context, src_mac) == 6,
               "MAC addresses stand side by side");

static enum ft_transport transport_of(const struct ft_flow *flow)
{
    return flow->key.family == 2   ? FT_TRANSPORT_L2
           : flow->key.proto == 6  ? FT_TRANSPORT_TCP
           : flow->key.proto == 17 ? FT_TRANSPORT_UDP
                                   : FT_TRANSPORT_IP;
}

void ft_inspect_prepare(struct ft_inspector *ins, struct ft_flow *flow, enum ft_side sender)
{
    struct ft_call *call = &ins->call;
    struct ft_context *ctx = &call->pub;
    const struct ft_packet *p = ins->packet;
    unsigned from = sender == FT_SIDE_B;
    static const uint8_t versions[8] = {[4] = 4, [6] = 6};
    const uint8_t *src = from ? flow->key.b.bytes : flow->key.a.bytes;
    const uint8_t *dst = from ? flow->key.a.bytes : flow->key.b.bytes;
    ins->flow = flow;
    ins->side = sender;
    call->state = &ins->shards->state[flow->shard];
    call->owner.flow = ft_inspect_owner(flow);
    call->shard = flow->shard;
    call->owner.pair = 0;
    call->number = ft_inspect_number(ins);
    call->flow_state = flow->state_words;
    call->state_map = &flow->state_map;
    call->children = flow->children;
    call->slot = &flow->request;
    ctx->transport = (uint8_t)transport_of(flow);
    ctx->direction = ft_inspect_direction(flow, sender);
    ctx->confidence = flow->confidence;
    ctx->src_port = from ? flow->key.port_b : flow->key.port_a;
    ctx->dst_port = from ? flow->key.port_a : flow->key.port_b;
    ctx->time_ns = p->time_ns;
    ctx->flow_state = flow->state_words;
    ctx->ethertype = flow->key.type;
    ctx->ttl = sender == ins->packet_side ? p->ttl : 0;
    ctx->ip_version = versions[flow->key.family];
    ctx->src_ip = ctx->ip_version ? src : NULL;
    ctx->dst_ip = ctx->ip_version ? dst : NULL;
    if (p->flags & FT_PACKET_ETHERNET && sender == ins->packet_side) {
        /* both addresses at once: they stand side by side, in both */
        memcpy((uint8_t *)ctx + offsetof(struct ft_context, src_mac),
               (const uint8_t *)p + offsetof(struct ft_packet, src_mac), 12);
        ctx->ethertype = p->ethertype;
        ctx->vlan = p->vlan_count ? p->vlan[p->vlan_count - 1] : 0;
        ctx->priority = p->priority;
    } else {
        memcpy(ctx->src_mac, flow->mac[from], 6);
        memcpy(ctx->dst_mac, flow->mac[!from], 6);
        ctx->vlan = 0;
        ctx->priority = 0;
    }
    ctx->is_midstream = (ctx->transport == FT_TRANSPORT_TCP) & !(flow->flags & FT_FLOW_SYN_SEEN);
    if (__builtin_expect(ins->rules.set != NULL, 0))
        ft_inspect_rules_prepare(ins);
}

/* What a dissector said of the direction holds for the flow from now on. What is sent to a group is
 * never from it, though an announcement has the form of an answer. */
static void take_direction(struct ft_inspector *ins)
{
    struct ft_flow *flow = ins->flow;
    uint8_t said = ins->call.direction_said;
    if (said == FT_DIRECTION_NONE || flow->is_multicast)
        return;
    enum ft_side server = said == FT_TO_CLIENT     ? ins->side
                          : ins->side == FT_SIDE_A ? FT_SIDE_B
                                                   : FT_SIDE_A;
    if (flow->server != server || flow->confidence != FT_CONFIDENCE_DISSECTOR) {
        flow->server = (uint8_t)server;
        flow->confidence = FT_CONFIDENCE_DISSECTOR;
    }
}

COLD void ft_inspect_confirm(struct ft_inspector *ins, struct ft_flow *flow,
                             const struct ft_protocol *p)
{
    flow->is_confirmed = true;
    flow->tries = 0;
    if (p->flags & FT_DISSECTOR_OT)
        flow->flags |= FT_FLOW_OT;
    ft_flow_changed(ins->shards->flows, flow);
    /* A layer that only carries is not what two hosts talk; what it carries tells its operations.
     */
    if (!(p->flags & FT_DISSECTOR_TRANSPORT))
        ft_inspect_tell_talk(ins, flow);
}

/* A PDU that is not just the payload of this packet, which is searched by itself. */
static __attribute__((noinline)) void search_pdu(struct ft_inspector *ins, const uint8_t *pdu,
                                                 uint32_t length)
{
    const struct ft_packet *p = ins->packet;
    bool is_payload = !(p->flags & (FT_PACKET_TICK | FT_PACKET_END)) &&
                      pdu == p->data + p->payload && length == p->payload_len;
    if (!is_payload && length)
        ft_inspect_rules_payload(ins, pdu, length);
}

static inline void tell_results(struct ft_inspector *ins)
{
    const struct ft_call *call = &ins->call;
    const struct ft_shards_config *config = &ins->shards->config;
    ins->ledger.messages += call->message_count;
    if (__builtin_expect(ins->rules.set != NULL, 0))
        ft_inspect_rules_messages(ins);
    /* New, of an alert class or with a finding: raised. Most messages are none of it. */
    if (__builtin_expect(call->has_raised | call->fact_count | config->log_messages |
                             config->log_transactions,
                         0))
        ft_inspect_tell_each(ins);
}

void ft_inspect_dissect(struct ft_inspector *ins, const struct ft_protocol *p, const uint8_t *pdu,
                        uint32_t length, uint32_t whole, bool is_truncated)
{
    if (!ins->flow->is_confirmed)
        ft_inspect_confirm(ins, ins->flow, p);
    ft_inspect_guard_begin(ins, p);
    ft_call_dissect(&ins->call, p, pdu, length, whole, is_truncated);
    ft_inspect_guard_end(ins);
    ins->flow->messages++;
    take_direction(ins);
    if (__builtin_expect(ins->rules.has_payload, 0))
        search_pdu(ins, pdu, length);
    tell_results(ins);
    ins->ledger.dropped_fields += ins->call.dropped;
    ins->ledger.unknown_children += ins->call.unknown_children;
    ins->call.dropped = 0;
    ft_call_done(&ins->call);
}

void ft_inspect_tell_protocol_violation(struct ft_inspector *ins, const struct ft_protocol *p,
                                        uint32_t violation)
{
    ft_call_violation(&ins->call, p, violation);
    ft_inspect_tell_violation(ins, &ins->call.findings[0]);
}
