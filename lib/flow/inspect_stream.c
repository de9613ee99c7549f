/* SPDX-License-Identifier: BSD-3-Clause */
/* Streams: bytes in order go to the framer, PDUs of it to the dissector. */
#include "flow/inspect_internal.h"

/* The framer calls this for each PDU; the guard was closed by ft_inspect_dissect() and is opened
 * again for the frame() that follows. */
static void on_pdu(void *user, const uint8_t *pdu, uint32_t length, uint32_t whole, bool truncated)
{
    struct ft_inspector *ins = user;
    const struct ft_protocol *p = ft_inspect_protocol(ins, ins->flow);
    ft_inspect_dissect(ins, p, pdu, length, whole, truncated);
    /* A PDU may have told the direction; frame() of the next one should know. */
    ins->call.pub.direction = ft_inspect_direction(ins->flow, ins->side);
    ins->call.pub.flow_state = ins->flow->state_words;
    ft_inspect_guard_begin(ins, p);
}

static struct ft_framer_call framer_call(struct ft_inspector *ins, const struct ft_flow *flow)
{
    const struct ft_protocol *p = ft_inspect_protocol(ins, flow);
    return (struct ft_framer_call){.dissector = p ? p->dissector : NULL,
                                   .context = &ins->call.pub,
                                   .pools = &ins->call.state->pools,
                                   .bytes = &ins->ledger.stream,
                                   .pdu = on_pdu,
                                   .is_first = !flow->is_confirmed,
                                   .user = ins};
}

void ft_inspect_reset_framers(struct ft_inspector *ins, struct ft_flow *flow)
{
    for (unsigned side = 0; side < 2; side++) {
        ft_framer_end(&flow->framer[side], &ins->call.state->pools, &ins->ledger.stream);
        flow->framer[side] = (struct ft_framer){0};
    }
}

static bool is_read_no_more(const struct ft_framer *f)
{
    return f->mode == FT_FRAMER_OPAQUE || f->mode == FT_FRAMER_CLOSED;
}

/* What the dissector says of all bytes to come confirms the protocol as a PDU does. */
static COLD void end_reading(struct ft_inspector *ins, struct ft_flow *flow,
                             const struct ft_framer *f)
{
    if (!flow->is_confirmed)
        ft_inspect_confirm(ins, flow, ft_inspect_protocol(ins, flow));
    if (f->mode == FT_FRAMER_OPAQUE)
        flow->flags |= FT_FLOW_ENCRYPTED;
}

/* May a pattern be in two messages of the stream? A controller's is in one of them. */
static bool is_cut_anywhere(const struct ft_inspector *ins, const struct ft_flow *flow)
{
    const struct ft_protocol *p = ft_inspect_protocol(ins, flow);
    return !p || (!(p->flags & (FT_DISSECTOR_OT | FT_DISSECTOR_TRANSPORT)) &&
                  ft_match_wants_payload(ins->rules.matcher));
}

static void forget_tails(struct ft_inspector *ins, const struct ft_flow *flow)
{
    if (!ins->rules.has_joint)
        return;
    ft_inspect_tail_gap(ins, flow, FT_SIDE_A);
    ft_inspect_tail_gap(ins, flow, FT_SIDE_B);
}

/* Bytes in order. Loops when a protocol hands the stream over to another. */
static void on_data(void *user, struct ft_flow *flow, enum ft_side side, const uint8_t *bytes,
                    uint32_t length)
{
    struct ft_inspector *ins = user;
    ft_inspect_prepare(ins, flow, side);
    if (__builtin_expect(ins->rules.has_joint, 0) && is_cut_anywhere(ins, flow))
        ft_inspect_tail(ins, flow, side, bytes, length);
    for (unsigned switches = 0; length;) {
        if (!flow->protocol && (ft_inspect_is_given_up(ins, flow) || switches > 4 ||
                                !ft_inspect_recognise(ins, flow, bytes, length, false)))
            break;
        const struct ft_protocol *p = ft_inspect_protocol(ins, flow);
        if (!ft_inspect_reads(p, flow->shard))
            break;
        struct ft_framer_call call = framer_call(ins, flow);
        ins->framer_call = &call;
        ins->call.pub.flow_state = flow->state_words;
        ft_inspect_guard_begin(ins, p);
        enum ft_framer_result result = ft_framer_data(&flow->framer[side], &call, bytes, length);
        ft_inspect_guard_end(ins);
        ins->framer_call = NULL;
        bytes += call.consumed;
        length -= call.consumed;
        if (result == FT_FRAMER_GOING)
            break;
        switches++;
        ft_inspect_reset_framers(ins, flow);
        flow->protocol = 0;
        const struct ft_protocol *next = NULL;
        if (result == FT_FRAMER_SWITCHED && call.next)
            next = ft_registry_find(ins->shards->registry, call.next);
        if (next)
            ft_inspect_assign(flow, next);
        else if (result == FT_FRAMER_SWITCHED)
            flow->flags |= FT_FLOW_UNEXPECTED;
        else if (!(flow->flags & FT_FLOW_UNEXPECTED))
            ft_inspect_tell_foreign(ins, flow, p);
        forget_tails(ins, flow); /* what is read again lies before what was kept */
        if (call.rest_length)
            on_data(ins, flow, side, call.rest, call.rest_length);
        forget_tails(ins, flow); /* and some bytes behind it were not kept */
        ft_framer_rest_done(call.pools);
        ft_inspect_prepare(ins, flow, side);
    }
    if (is_read_no_more(&flow->framer[side]))
        end_reading(ins, flow, &flow->framer[side]);
    ins->ledger.stream.skipped += length;
}

static void on_held(void *user, uint64_t number, uint64_t stamp_ns)
{
    struct ft_inspector *ins = user;
    ins->held_number = number;
    ins->held_stamp_ns = stamp_ns;
}

static void on_gap(void *user, struct ft_flow *flow, enum ft_side side, uint32_t length)
{
    struct ft_inspector *ins = user;
    flow->flags |= FT_FLOW_GAP;
    if (__builtin_expect(ins->rules.has_joint, 0))
        ft_inspect_tail_gap(ins, flow, side);
    if (!flow->protocol) /* what comes now is no beginning */
        flow->flags &= (uint8_t)~FT_FLOW_SYN_SEEN;
    ft_state_gap(&ins->shards->state[flow->shard], ft_inspect_owner(flow),
                 ft_inspect_direction(flow, side));
    if (!ft_inspect_reads(ft_inspect_protocol(ins, flow), flow->shard))
        return;
    ft_inspect_prepare(ins, flow, side);
    struct ft_framer_call call = framer_call(ins, flow);
    ft_framer_gap(&flow->framer[side], &call, length);
}

static void on_stream_violation(void *user, struct ft_flow *flow, enum ft_side side,
                                enum ft_stream_violation violation)
{
    ft_inspect_tell_anomaly(user, flow, side,
                            violation == FT_STREAM_OVERLAP_DIFFERS ? FT_ANOMALY_STREAM_OVERLAP
                                                                   : FT_ANOMALY_DATA_AFTER_CLOSE);
}

static void on_unseen(void *user, struct ft_flow *flow, struct ft_mirror_place place,
                      uint32_t length)
{
    struct ft_inspector *ins = user;
    ft_mirror_count(&ins->shards->mirrors[flow->shard], FT_MIRROR_UNSEEN, place, place, length, 1);
}

const struct ft_stream_ops ft_inspect_stream_ops = {.data = on_data,
                                                    .held = on_held,
                                                    .gap = on_gap,
                                                    .violation = on_stream_violation,
                                                    .unseen = on_unseen};
