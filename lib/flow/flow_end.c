/* SPDX-License-Identifier: BSD-3-Clause */
/* Ends of flows: by time-out, evicted, at the end of the input; in order of creation. */
#include "flow/flow_internal.h"

#include "flow/stream.h"

static bool remove_from(struct ft_flow_bucket *bucket, uint16_t tag, uint32_t index)
{
    for (uint32_t match = ft_flow_match(bucket, tag); match; match &= match - 1) {
        uint32_t entry = (uint32_t)__builtin_ctz(match);
        if (bucket->index[entry] == index) {
            bucket->tag[entry] = 0;
            return true;
        }
    }
    return false;
}

static void bucket_remove(struct ft_flow_shard *shard, const struct ft_flow *flow)
{
    struct ft_flow_spot place = ft_flow_spot_of(flow->hash, shard->bucket_mask);

    if (remove_from(&shard->buckets[place.first], place.tag, flow->index))
        return;
    remove_from(&shard->buckets[ft_flow_second(place, shard->bucket_mask)], place.tag, flow->index);
    shard->buckets[place.first].sent_away--;
}

uint64_t *ft_flow_kind_counter(struct ft_flow_shard *shard, const struct ft_flow *flow)
{
    if (flow->key.family == 2)
        return &shard->stats.other;
    return flow->key.proto == 6    ? &shard->stats.tcp
           : flow->key.proto == 17 ? &shard->stats.udp
                                   : &shard->stats.other;
}

void ft_flow_count_one_way(const struct ft_flow_table *table, const struct ft_flow *flow,
                           int change)
{
    struct ft_mirror_place place = ft_flow_seen_at(flow);

    if (table->mirrors)
        ft_mirror_count(&table->mirrors[flow->shard], FT_MIRROR_ONE_WAY, place, place,
                        (uint64_t)change, 0);
}

/** A flow ends before it had enough packets for that. */
static void look_at_end(const struct ft_flow_table *table, const struct ft_flow *flow)
{
    enum ft_side side = flow->packets[FT_SIDE_A] ? FT_SIDE_A : FT_SIDE_B;

    if (!flow->is_one_way && flow->packets[side] >= 4 && ft_flow_is_one_way(flow, side))
        ft_flow_count_one_way(table, flow, 1);
}

void ft_flow_end_one(struct ft_flow_table *table, struct ft_flow_shard *shard, struct ft_flow *flow,
                     enum ft_flow_end why, ft_flow_end_fn *end, void *user)
{
    if (end)
        end(user, flow, why);
    look_at_end(table, flow);
    ft_stream_release(table, flow);
    bucket_remove(shard, flow);
    ft_flow_unlink(shard, flow);
    --*ft_flow_kind_counter(shard, flow);
    shard->stats.active--;
    shard->stats.expired += why == FT_FLOW_END_TIMEOUT;
    shard->stats.evicted += why == FT_FLOW_END_EVICTED;
    shard->stats.reused += why == FT_FLOW_END_REUSED;
    flow->key.family = 0; /* a stale hint must not find it */
    flow->newer = shard->first_free;
    shard->first_free = flow->index;
}

bool ft_flow_evict_one(struct ft_flow_table *table, struct ft_flow_shard *shard,
                       ft_flow_end_fn *end, void *user)
{
    struct ft_flow_wheel *wheel = &shard->wheels[LIST_EVICTABLE - 1];

    while (wheel->count) {
        uint32_t slot = ft_flow_first_slot(shard, wheel);
        struct ft_flow *flow = ft_flow_record(shard, wheel->slots[slot].first);

        if (!(flow->flags & FT_FLOW_OT) &&
            ft_flow_deadline_in_sight(table, shard, flow) % SLOTS == slot) {
            ft_flow_end_one(table, shard, flow, FT_FLOW_END_EVICTED, end, user);
            return true;
        }
        ft_flow_changed(table, flow);
    }
    return false;
}

bool ft_flow_evict_from(struct ft_flow_table *table, struct ft_flow_shard *shard,
                        struct ft_flow_spot place, ft_flow_end_fn *end, void *user)
{
    const struct ft_flow_bucket *buckets[2] = {
        &shard->buckets[place.first], &shard->buckets[ft_flow_second(place, shard->bucket_mask)]};
    struct ft_flow *worst = NULL;

    for (uint32_t i = 0; i < 2 * BUCKET_ENTRIES; i++) {
        struct ft_flow *flow =
            ft_flow_record(shard, buckets[i / BUCKET_ENTRIES]->index[i % BUCKET_ENTRIES]);
        if (flow->flags & FT_FLOW_OT)
            continue;
        if (!worst || ft_flow_deadline_s(table, flow) < ft_flow_deadline_s(table, worst))
            worst = flow;
    }
    if (!worst)
        return false;
    ft_flow_end_one(table, shard, worst, FT_FLOW_END_EVICTED, end, user);
    return true;
}

static void sort_by_creation(const struct ft_flow_shard *shard, uint32_t *records, uint32_t count)
{
    for (uint32_t step = count / 2; step; step = step == 2 ? 1 : step * 5 / 11) {
        for (uint32_t i = step; i < count; i++) {
            uint32_t record = records[i], j = i;
            uint64_t number = ft_flow_record(shard, record)->first_number;

            for (; j >= step && ft_flow_record(shard, records[j - step])->first_number > number;
                 j -= step)
                records[j] = records[j - step];
            records[j] = record;
        }
    }
}

static void end_in_order(struct ft_flow_table *table, struct ft_flow_shard *shard, uint32_t count,
                         enum ft_flow_end why, ft_flow_end_fn *end, void *user)
{
    sort_by_creation(shard, shard->ending, count);
    for (uint32_t i = 0; i < count; i++)
        ft_flow_end_one(table, shard, ft_flow_record(shard, shard->ending[i]), why, end, user);
}

/**
 * Queue all flows of a slot again, by their time-out as it is now, and note in `ending` those whose
 * time is up. These wait in the slot after now: should `end` leave one of them by longjmp, the next
 * tick finds the rest.
 */
static uint32_t drain_slot(const struct ft_flow_table *table, struct ft_flow_shard *shard,
                           struct ft_flow_wheel *wheel, uint32_t slot, uint64_t time_ns,
                           uint32_t ending)
{
    uint32_t next = wheel->slots[slot].first;
    uint32_t last = wheel->slots[slot].last;

    while (next) {
        struct ft_flow *flow = ft_flow_record(shard, next);
        /* what is queued again may come to the end of this very slot, one turn later */
        next = next == last ? 0 : flow->newer;
        ft_flow_unlink(shard, flow);
        ft_flow_queue(table, shard, flow);
        if (flow->last_ns + ft_flow_timeout_s(&table->config, flow) * NS_PER_S <= time_ns)
            shard->ending[ending++] = flow->index;
    }
    return ending;
}

void ft_flow_tick(struct ft_flow_table *table, uint8_t number, uint64_t time_ns,
                  ft_flow_end_fn *end, void *user)
{
    struct ft_flow_shard *shard = &table->shards[number];
    uint64_t second = shard->now_s + 1;
    uint32_t ending = 0;

    if (time_ns / NS_PER_S < second)
        return;
    shard->now_s = time_ns / NS_PER_S;
    if (!shard->stats.active)
        return;
    if (shard->now_s - second >= SLOTS)
        second = shard->now_s - SLOTS + 1;
    for (; second <= shard->now_s; second++) {
        uint32_t slot = second % SLOTS;
        for (uint32_t i = 0; i < 2; i++)
            if (shard->wheels[i].slots[slot].first)
                ending = drain_slot(table, shard, &shard->wheels[i], slot, time_ns, ending);
    }
    end_in_order(table, shard, ending, FT_FLOW_END_TIMEOUT, end, user);
}

void ft_flow_flush(struct ft_flow_table *table, uint8_t number, ft_flow_end_fn *end, void *user)
{
    struct ft_flow_shard *shard = &table->shards[number];
    uint32_t ending = 0;

    for (uint32_t i = 1; i <= shard->untouched; i++)
        if (ft_flow_record(shard, i)->key.family)
            shard->ending[ending++] = i;
    end_in_order(table, shard, ending, FT_FLOW_END_SHUTDOWN, end, user);
}
