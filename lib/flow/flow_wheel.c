/* SPDX-License-Identifier: BSD-3-Clause */
/* The wheels that flows stand in by the second of their time-out. */
#include "flow/flow_internal.h"

void ft_flow_unlink(struct ft_flow_shard *shard, struct ft_flow *flow)
{
    if (flow->list == LIST_NONE)
        return;

    struct ft_flow_wheel *wheel = &shard->wheels[flow->list - 1];
    struct ft_flow_slot *slot = &wheel->slots[flow->slot];

    if (flow->older)
        ft_flow_record(shard, flow->older)->newer = flow->newer;
    else
        slot->first = flow->newer;
    if (flow->newer)
        ft_flow_record(shard, flow->newer)->older = flow->older;
    else
        slot->last = flow->older;
    if (!slot->first)
        wheel->used[flow->slot / 64] &= ~(1ull << flow->slot % 64);
    wheel->count--;
    flow->list = LIST_NONE;
}

void ft_flow_queue(const struct ft_flow_table *table, struct ft_flow_shard *shard,
                   struct ft_flow *flow)
{
    flow->list = flow->flags & FT_FLOW_OT ? LIST_OT : LIST_EVICTABLE;
    flow->slot = ft_flow_deadline_in_sight(table, shard, flow) % SLOTS;

    struct ft_flow_wheel *wheel = &shard->wheels[flow->list - 1];
    struct ft_flow_slot *slot = &wheel->slots[flow->slot];

    flow->older = slot->last;
    flow->newer = 0;
    if (slot->last)
        ft_flow_record(shard, slot->last)->newer = flow->index;
    else
        slot->first = flow->index;
    slot->last = flow->index;
    wheel->used[flow->slot / 64] |= 1ull << flow->slot % 64;
    wheel->count++;
}

void ft_flow_changed(struct ft_flow_table *table, struct ft_flow *flow)
{
    struct ft_flow_shard *shard = &table->shards[flow->shard];

    ft_flow_unlink(shard, flow);
    ft_flow_queue(table, shard, flow);
}

uint32_t ft_flow_first_slot(const struct ft_flow_shard *shard, const struct ft_flow_wheel *wheel)
{
    uint32_t start = (shard->now_s + 1) % SLOTS;
    uint32_t word = start / 64;
    uint64_t bits = wheel->used[word] & (~0ull << start % 64);

    while (!bits) {
        word = (word + 1) % (SLOTS / 64);
        bits = wheel->used[word];
    }
    return word * 64 + (uint32_t)__builtin_ctzll(bits);
}
