/* SPDX-License-Identifier: BSD-3-Clause */
/* Records of events: what all have, whom a flow is between, a message with its fields. */
#include "flow/inspect_internal.h"

#include <string.h>

/* Room kept in a record behind the tree: for the evidence of a rule, and more. */
#define EVENT_RESERVE (FT_EVENT_KEPT + FT_EVENT_VALUES * sizeof(uint64_t) + 128u)

/* A record to write, with everything that all events have; NULL when it had to be shed. */
struct ft_event *ft_inspect_event_begin(struct ft_inspector *ins, enum ft_event_type type)
{
    bool best_effort = ft_event_is_best_effort(type) && !ins->wait;
    struct ft_event *e;
    ins->ledger.events[type]++;
    while (!(e = ft_ring_reserve(ins->ring, best_effort))) {
        if (!ins->wait || !ins->wait(ins->wait_user)) {
            ins->ledger.events_shed[type]++;
            return NULL;
        }
    }
    if (ins->event_seq != ins->packet->seq || ins->event_shard != ins->packet->shard) {
        ins->event_seq = ins->packet->seq;
        ins->event_shard = ins->packet->shard;
        ins->event_n = 0;
    }
    memset(e, 0, sizeof(*e));
    e->size = sizeof(*e);
    e->type = (uint8_t)type;
    e->shard = ins->packet->shard;
    e->seq = ins->packet->seq;
    e->n = ins->event_n++;
    e->time_ns = ft_inspect_stamp(ins);
    e->clock_ns = ins->packet->time_ns;
    e->number = ft_inspect_number(ins);
    return e;
}

void ft_inspect_event_end(struct ft_inspector *ins, struct ft_event *e)
{
    e->size = (e->size + 7) & ~7u;
    ft_ring_commit(ins->ring);
}

uint16_t ft_inspect_event_append(struct ft_event *e, const void *bytes, uint32_t n)
{
    if (!n || e->size + n + 8 > FT_EVENT_MAX)
        return 0;
    uint32_t at = e->size;
    memcpy((uint8_t *)e + at, bytes, n);
    e->size = at + ((n + 3) & ~3u);
    return (uint16_t)at;
}

/* What the receiver of a mirror session gets always comes from the switch, whoever spoke. */
static struct ft_outer turned(const struct ft_outer *outer, bool is_turned)
{
    struct ft_outer to = *outer;
    if (!is_turned || outer->tunnel == FT_TUNNEL_ERSPAN)
        return to;
    to.src = outer->dst;
    to.dst = outer->src;
    to.src_port = outer->dst_port;
    to.dst_port = outer->src_port;
    return to;
}

/* A flow has begun in a tunnel: kept beside its record, for few do. */
void ft_inspect_keep_outer(struct ft_inspector *ins, const struct ft_flow *flow, enum ft_side side,
                           const struct ft_packet *p)
{
    ins->shards->outers[flow->shard][flow->index] = turned(&p->outer, side == FT_SIDE_B);
}

/* Type and code as `sender` says them: those of the first packet, or of what answers it. */
static void put_icmp(struct ft_event_packet *to, const struct ft_flow *flow, enum ft_side sender)
{
    int answer = ft_icmp_counterpart(flow->icmp[0], flow->key.proto == 58);
    bool is_answer = sender != (enum ft_side)flow->first && answer >= 0;
    to->src_port = is_answer ? (uint16_t)answer : flow->icmp[0];
    to->dst_port = is_answer ? 0 : flow->icmp[1];
}

/* The endpoints as seen from `sender`; what only this packet knows is added if it is its own. */
void ft_inspect_event_flow(const struct ft_inspector *ins, struct ft_event *e,
                           const struct ft_flow *flow, enum ft_side sender)
{
    const struct ft_packet *p = ins->packet;
    struct ft_event_packet *to = &e->packet;
    unsigned from = sender == FT_SIDE_B;
    to->flow_id = ft_flow_id(flow);
    to->record = ft_history_flow(flow);
    to->src = from ? flow->key.b : flow->key.a;
    to->dst = from ? flow->key.a : flow->key.b;
    to->src_port = from ? flow->key.port_b : flow->key.port_a;
    to->dst_port = from ? flow->key.port_a : flow->key.port_b;
    to->proto = flow->key.proto;
    to->family = flow->key.family;
    if (ft_inspect_is_icmp(flow))
        put_icmp(to, flow, sender);
    to->ethertype = flow->key.type;
    memcpy(to->src_mac, flow->mac[from], 6);
    memcpy(to->dst_mac, flow->mac[!from], 6);
    static const uint8_t no_mac[6];
    to->has_mac = memcmp(flow->mac[0], no_mac, 6) || memcmp(flow->mac[1], no_mac, 6);
    to->server_side = flow->server == FT_SIDE_NONE ? 2 : flow->server != from;
    to->confidence = flow->confidence;
    to->has_loss = (flow->flags & FT_FLOW_GAP) != 0;
    to->vlan_count = (uint8_t)((flow->vlan[0] != 0) + (flow->vlan[1] != 0));
    to->vlan[0] = flow->vlan[0];
    to->vlan[1] = flow->vlan[1];
    to->interface = flow->interface;
    to->stamp = (uint8_t)ft_packet_stamp(p->flags);
    if (p->flags & (FT_PACKET_TICK | FT_PACKET_END) || flow != ins->flow ||
        sender != ins->packet_side) {
        if (flow->tunnel)
            to->outer = turned(&ins->shards->outers[flow->shard][flow->index], from);
        return;
    }
    if (p->flags & (FT_PACKET_IPV4 | FT_PACKET_IPV6) && (p->proto == 1 || p->proto == 58)) {
        to->src_port = p->src_port; /* type and code of this packet */
        to->dst_port = p->dst_port;
    }
    to->interface = p->interface;
    to->vlan_count = p->vlan_count < FT_PACKET_VLANS ? p->vlan_count : FT_PACKET_VLANS;
    memcpy(to->vlan, p->vlan, sizeof(to->vlan));
    to->is_multicast = (p->flags & FT_PACKET_MULTICAST) != 0;
    if (p->flags & FT_PACKET_TUNNELLED)
        to->outer = p->outer;
    if (p->flags & FT_PACKET_ETHERNET) {
        memcpy(to->src_mac, p->src_mac, 6);
        memcpy(to->dst_mac, p->dst_mac, 6);
    }
}

void ft_inspect_event_message(struct ft_inspector *ins, struct ft_event *e,
                              const struct ft_message *m)
{
    struct ft_event_message *to = &e->message;
    bool is_cut = false;
    e->protocol = (uint16_t)(m->protocol->index + 1);
    ft_inspect_event_flow(ins, e, ins->flow, ins->side);
    to->code = m->code;
    to->qualifier = m->qualifier;
    to->kind = m->kind;
    to->direction = m->direction;
    to->class_ = m->class_;
    to->has_command = m->has_command;
    to->is_paired = m->is_paired;
    to->index = (uint8_t)(m - ins->call.messages);
    to->parent = m->parent;
    to->response_ns = m->response_ns;
    to->request_number = m->request_number;
    ft_inspect_event_sub(e, &to->sub[0], &m->sub[0]);
    ft_inspect_event_sub(e, &to->sub[1], &m->sub[1]);
    e->size = (e->size + 7) & ~7u;
    to->tree = e->size;
    to->tree_length = ft_tree_pack(&ins->call, m, (uint8_t *)e + e->size,
                                   FT_EVENT_MAX - (uint32_t)EVENT_RESERVE - e->size, &is_cut);
    to->is_tree_cut = is_cut;
    e->size += to->tree_length;
}
