/* SPDX-License-Identifier: BSD-3-Clause */
/* What a flow speaks: found out by ports and first payloads, doubted, given up, looked at again. */
#include "flow/inspect_internal.h"

#include <string.h>

static struct ft_probe probe_of(const struct ft_inspector *ins, bool bound)
{
    const struct ft_context *ctx = &ins->call.pub;
    return (struct ft_probe){.size = sizeof(struct ft_probe),
                             .transport = ctx->transport,
                             .is_bound = bound,
                             .is_to_server = ctx->direction == FT_TO_SERVER,
                             .src_port = ctx->src_port,
                             .dst_port = ctx->dst_port};
}

COLD void ft_inspect_assign(struct ft_flow *flow, const struct ft_protocol *p)
{
    flow->protocol = (uint16_t)(p->index + 1);
    flow->maybe = 0;
    flow->is_confirmed = false;
    flow->flags &= (uint8_t)~FT_FLOW_UNKNOWN;
    memset(flow->state_words, 0, sizeof(flow->state_words));
    memset(flow->children, 0, sizeof(flow->children));
    memset(&flow->state_map, 0, sizeof(flow->state_map));
}

/* The protocol that the ports of the flow are bound to, the server's port first. */
static const struct ft_protocol *bound_protocol(const struct ft_inspector *ins)
{
    const struct ft_registry *r = ins->shards->registry;
    const struct ft_context *ctx = &ins->call.pub;
    const uint8_t *table = ctx->transport == FT_TRANSPORT_TCP ? r->tcp_port : r->udp_port;
    bool to_client = ctx->direction == FT_TO_CLIENT;
    uint8_t n = table[to_client ? ctx->src_port : ctx->dst_port];
    if (!n)
        n = table[to_client ? ctx->dst_port : ctx->src_port];
    return n ? r->protocols[n - 1] : NULL;
}

/*
 * Is the protocol what the flow's port promises? The port of a client is one of many that are free,
 * and now and then it is bound to something: a hint, and no promise.
 */
static bool is_promised(const struct ft_inspector *ins, const struct ft_flow *flow,
                        const struct ft_protocol *p)
{
    const struct ft_context *ctx = &ins->call.pub;
    if (flow->confidence < FT_CONFIDENCE_HANDSHAKE || ctx->transport != FT_TRANSPORT_TCP)
        return true;
    uint16_t server = ctx->direction == FT_TO_CLIENT ? ctx->src_port : ctx->dst_port;
    return ins->shards->registry->tcp_port[server] == p->index + 1;
}

/* Is the server's port in general use for other things too, so that they are nobody's fault? */
static COLD bool is_shared_port(const struct ft_inspector *ins, const struct ft_protocol *p)
{
    const struct ft_context *ctx = &ins->call.pub;
    uint16_t port = ctx->direction == FT_TO_CLIENT ? ctx->src_port : ctx->dst_port;
    uint32_t kind = ctx->transport == FT_TRANSPORT_TCP ? FT_CARRIER_TCP : FT_CARRIER_UDP;
    for (uint32_t i = 0; i < p->carrier_count; i++) {
        const struct ft_carrier *c = &p->carriers[i];
        if (c->kind == kind && c->flags & FT_CARRIER_SHARED &&
            (port == c->value || (port > c->value && port <= c->last)))
            return true;
    }
    return false;
}

static enum ft_verdict ask(struct ft_inspector *ins, const struct ft_protocol *p,
                           const uint8_t *bytes, uint32_t length, bool is_cut)
{
    struct ft_probe where = probe_of(ins, true);
    if (!p->dissector->probe)
        return FT_YES;
    ft_inspect_guard_begin(ins, p);
    enum ft_verdict verdict = p->dissector->probe(&where, ft_view_make(bytes, length, is_cut));
    ft_inspect_guard_end(ins);
    return verdict;
}

/* A flow that another one told of: the data connection of FTP. */
static const struct ft_protocol *assign_expected(struct ft_inspector *ins, struct ft_flow *flow)
{
    void *keep;
    uint32_t size;
    const struct ft_protocol *p = ft_call_expected(&ins->call, &keep, &size);
    if (!p || ft_protocol_is_off(p, flow->shard))
        return NULL;
    ft_inspect_assign(flow, p);
    memcpy(flow->state_words, keep, size);
    return p;
}

void ft_inspect_give_up(const struct ft_inspector *ins, struct ft_flow *flow)
{
    flow->flags |= FT_FLOW_UNKNOWN;
    flow->unknown_since_s = (uint32_t)(ins->packet->time_ns / SECOND_NS);
}

static const struct ft_protocol *recognise_content(struct ft_inspector *ins, struct ft_flow *flow,
                                                   const uint8_t *bytes, uint32_t length,
                                                   bool is_cut)
{
    struct ft_probe where = probe_of(ins, false);
    ft_inspect_guard_begin(ins, NULL);
    const struct ft_protocol *p = ft_recognise(ins->shards->recogniser, ins->scratch, flow->shard,
                                               &where, bytes, length, is_cut, &flow->maybe);
    ft_inspect_guard_end(ins);
    if (p)
        flow->flags |= FT_FLOW_BY_SIGNATURE;
    else if (++flow->tries >= RECOGNISE_TRIES)
        ft_inspect_give_up(ins, flow);
    return p;
}

/*
 * Sessions of office protocols go over to others (STARTTLS, Upgrade): maybe before the capture
 * began, or as was said in the direction that is not seen.
 */
static bool may_have_changed(const struct ft_inspector *ins, const struct ft_flow *flow,
                             const struct ft_protocol *p)
{
    bool is_half = flow->key.proto == 6 && (!flow->packets[0] || !flow->packets[1]);
    return !(p->flags & FT_DISSECTOR_OT) && (ins->call.pub.is_midstream || is_half);
}

/*
 * Find out what an unknown flow speaks, by its first payloads. True when it is known now. Foreign
 * content on a bound port does not end the watch for the protocol of the port: a client could blind
 * the sensor by a few bytes of rubbish, which the server passes over, before its commands.
 */
COLD bool ft_inspect_recognise(struct ft_inspector *ins, struct ft_flow *flow, const uint8_t *bytes,
                               uint32_t length, bool is_cut)
{
    const struct ft_protocol *bound = bound_protocol(ins), *p;
    if (bound && ft_protocol_is_off(bound, flow->shard))
        bound = NULL;
    bool is_expected =
        !(flow->flags & FT_FLOW_UNEXPECTED) && bound && is_promised(ins, flow, bound);
    enum ft_verdict verdict = bound ? ask(ins, bound, bytes, length, is_cut) : FT_NO;
    if (verdict != FT_YES && assign_expected(ins, flow))
        return true;
    if (verdict == FT_YES || (verdict == FT_MAYBE && is_expected)) {
        ft_inspect_assign(flow, bound);
        return true;
    }
    if (flow->flags & FT_FLOW_UNKNOWN)
        return false;
    p = recognise_content(ins, flow, bytes, length, is_cut);
    if (!p && is_expected && ins->call.pub.is_midstream) {
        /* The capture began in the middle of a PDU: the framer finds the start of the next. */
        ft_inspect_assign(flow, bound);
        return true;
    }
    if (is_expected) {
        flow->flags |= FT_FLOW_UNEXPECTED;
        if (!may_have_changed(ins, flow, bound) && !is_shared_port(ins, bound))
            ft_inspect_tell_protocol_violation(ins, bound, FT_VIOLATION_NOT_PROTOCOL);
    }
    if (p)
        ft_inspect_assign(flow, p);
    return p != NULL;
}

/*
 * The bytes are not what the port promises, as far as can be read. A PDU of a field protocol is
 * small: one would have been found. A session of an office protocol that was joined in the middle
 * of a long transfer is not to blame; it is other content only once that is recognised.
 */
COLD void ft_inspect_tell_foreign(struct ft_inspector *ins, struct ft_flow *flow,
                                  const struct ft_protocol *p)
{
    if (may_have_changed(ins, flow, p)) {
        if (++flow->tries >= RECOGNISE_TRIES)
            ft_inspect_give_up(ins, flow);
        return;
    }
    flow->flags |= FT_FLOW_UNEXPECTED;
    if (flow->is_confirmed || !is_shared_port(ins, p))
        ft_inspect_tell_protocol_violation(ins, p, FT_VIOLATION_NOT_PROTOCOL);
}
