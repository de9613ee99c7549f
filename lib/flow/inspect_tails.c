/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inspection: patterns across the segments of streams.
 *
 * Rules about bytes are tested on each payload, and on each PDU that a dissector puts together. The
 * last bytes of each direction are kept, for rules that look for patterns to be tested once more
 * where the next bytes join them: but for the middle of a PDU, which is tested as a whole when all
 * of it is there, so that what it holds is not found twice. That is done only for
 * flows that such a rule may be about, and in a table of fixed size: a flow that comes to a place
 * that is taken takes it over.
 */
#include "flow/inspect_internal.h"

#include <string.h>

static struct ft_tail *place_of(const struct ft_inspector *ins, const struct ft_flow *flow)
{
    return &ins->shards->tails[flow->shard][flow->index % FT_TAILS];
}

/* Names the flow for good: its record is used again. Never 0. */
static uint64_t name_of(const struct ft_flow *flow)
{
    return (flow->first_number + 1) << 24 | flow->index;
}

/* The last bytes of what is there and what came. */
static void keep_end(struct ft_tail *t, unsigned side, const uint8_t *bytes, uint32_t length)
{
    uint32_t more = length < FT_TAIL_BYTES ? length : FT_TAIL_BYTES;
    uint32_t room = FT_TAIL_BYTES - more;
    uint32_t kept = t->length[side] < room ? t->length[side] : room;
    memmove(t->bytes[side], t->bytes[side] + t->length[side] - kept, kept);
    memcpy(t->bytes[side] + kept, bytes + length - more, more);
    t->length[side] = (uint8_t)(kept + more);
}

static void test_joint(struct ft_inspector *ins, const struct ft_tail *t, unsigned side,
                       const uint8_t *bytes, uint32_t length)
{
    uint8_t joint[2 * FT_TAIL_BYTES];
    uint32_t more = length < FT_TAIL_BYTES ? length : FT_TAIL_BYTES;
    memcpy(joint, t->bytes[side], t->length[side]);
    memcpy(joint + t->length[side], bytes, more);
    ft_inspect_rules_joint(ins, joint, t->length[side] + more, t->length[side]);
}

COLD void ft_inspect_tail(struct ft_inspector *ins, struct ft_flow *flow, enum ft_side sender,
                          const uint8_t *bytes, uint32_t length)
{
    struct ft_tail *t = place_of(ins, flow);
    unsigned side = sender == FT_SIDE_B;
    bool is_inside = flow->protocol && flow->framer[side].have;
    if (!length || !ft_inspect_rules_want_bytes(ins))
        return;
    if (t->flow != name_of(flow)) {
        t->flow = name_of(flow);
        t->length[0] = t->length[1] = 0;
    }
    if (t->length[side] && !is_inside)
        test_joint(ins, t, side, bytes, length);
    keep_end(t, side, bytes, length);
}

COLD void ft_inspect_tail_gap(struct ft_inspector *ins, const struct ft_flow *flow,
                              enum ft_side sender)
{
    struct ft_tail *t = place_of(ins, flow);
    if (t->flow == name_of(flow))
        t->length[sender == FT_SIDE_B] = 0;
}

COLD void ft_inspect_tails_forget(struct ft_inspector *ins, uint8_t shard)
{
    for (uint32_t i = 0; i < FT_TAILS; i++)
        ins->shards->tails[shard][i].flow = 0;
}
