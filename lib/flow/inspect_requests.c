/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests that nobody answers: in the record of their flow, or in the table of the shard. */
#include "flow/inspect_internal.h"

#include <string.h>

/*
 * A flow with a request in its slot is looked at when the request is due. Each flow stands in the
 * line of its shard at most once, so the line is as long as the shard has flows.
 */
static void watch_flow(struct ft_watch_line *line, const struct ft_flow *flow, uint64_t time_ns)
{
    line->entries[line->tail++ % line->size] = (struct ft_watch){ft_inspect_owner(flow), time_ns};
}

void ft_inspect_watch_slot(void *user, struct ft_request_slot *slot)
{
    struct ft_inspector *ins = user;
    struct ft_watch_line *line = &ins->shards->watched[ins->flow->shard];
    if (line->tail - line->head == line->size)
        return;
    slot->is_watched = true;
    watch_flow(line, ins->flow, slot->time_ns);
}

static void tell_unanswered(struct ft_inspector *ins, struct ft_flow *flow, uint16_t protocol,
                            uint8_t from, uint32_t code, uint32_t qualifier, uint8_t class_,
                            uint64_t number)
{
    if (!ins->shards->config.log_transactions)
        return;
    struct ft_event *e = ft_inspect_event_begin(ins, FT_EVENT_UNANSWERED);
    if (!e)
        return;
    enum ft_side sender =
        (from == FT_TO_SERVER) == (flow->server == FT_SIDE_A) ? FT_SIDE_B : FT_SIDE_A;
    e->protocol = (uint16_t)(protocol + 1);
    ft_inspect_event_flow(ins, e, flow, sender);
    e->message.code = code;
    e->message.qualifier = qualifier;
    e->message.class_ = class_;
    e->message.kind = FT_KIND_REQUEST;
    e->message.direction = from;
    e->message.has_command = true;
    e->message.request_number = number;
    e->message.parent = 0xff;
    ft_inspect_event_end(ins, e);
}

static void give_up_slot(struct ft_inspector *ins, struct ft_flow *flow)
{
    const struct ft_request_slot *r = &flow->request;
    flow->request.is_used = false;
    ins->shards->state[flow->shard].stats.unanswered++;
    tell_unanswered(ins, flow, r->protocol, r->from, r->code, r->qualifier, r->class_, r->number);
}

static void tell_unanswered_entry(struct ft_inspector *ins, struct ft_flow *flow,
                                  const struct ft_entry *e)
{
    /* Requests of a pair of hosts were never in the flow's slot. */
    if (e->owner == e->flow && flow->request.in_table)
        flow->request.in_table--;
    tell_unanswered(ins, flow, e->protocol, e->from, e->request.code, e->request.qualifier,
                    e->request.class_, e->request.number);
}

static void on_given_up(void *user, const struct ft_entry *entry)
{
    struct ft_inspector *ins = user;
    tell_unanswered_entry(ins, ins->ending, entry);
}

/* The flow ends: nothing that waits is answered any more, and no state of it is used again. Oldest
 * first; what is in the slot is younger than what was moved to the table. */
void ft_inspect_give_up_requests(struct ft_inspector *ins, struct ft_flow *flow)
{
    static const struct ft_state_ops ops = {.unanswered = on_given_up};
    ins->ending = flow;
    ft_state_end_flow(&ins->shards->state[flow->shard], ft_inspect_owner(flow), &ops, ins);
    if (flow->request.is_used)
        give_up_slot(ins, flow);
}

/* To the beginning of its memory, as soon as there is room before it: so the line takes twice what
 * ever waited at a time, and each entry is moved once or less often. */
static void move_up(struct ft_watch_line *line)
{
    if (line->head >= line->size) {
        line->head -= line->size;
        line->tail -= line->size;
    }
    uint64_t count = line->tail - line->head;
    if (line->head < count || line->tail > line->size)
        return;
    memcpy(line->entries, line->entries + line->head, count * sizeof(*line->entries));
    line->head = 0;
    line->tail = count;
}

static void look_at_slots(struct ft_inspector *ins, uint8_t shard, uint64_t now)
{
    struct ft_watch_line *line = &ins->shards->watched[shard];
    uint64_t patience = FT_REQUEST_SECONDS * SECOND_NS, end = line->tail;
    while (line->head != end) {
        struct ft_watch w = line->entries[line->head % line->size];
        if (w.time_ns + patience >= now)
            break;
        line->head++;
        struct ft_flow *flow = ft_flow_at(ins->shards->flows, shard, (uint32_t)(w.flow & 0xffffff));
        if (!flow || flow->first_number != w.flow >> 24)
            continue;
        if (flow->request.is_used && flow->request.time_ns + patience < now)
            give_up_slot(ins, flow);
        if (flow->request.is_used)
            watch_flow(line, flow, flow->request.time_ns);
        else
            flow->request.is_watched = false;
    }
    move_up(line);
}

/* An event about an entry of the state table, if the flow it was made in still exists. */
static struct ft_flow *flow_of_entry(struct ft_inspector *ins, const struct ft_entry *entry)
{
    struct ft_flow *flow =
        ft_flow_at(ins->shards->flows, ins->packet->shard, (uint32_t)(entry->flow & 0xffffff));
    return flow && flow->first_number == entry->flow >> 24 ? flow : NULL;
}

static void on_unanswered(void *user, const struct ft_entry *entry)
{
    struct ft_inspector *ins = user;
    struct ft_flow *flow = flow_of_entry(ins, entry);
    if (flow)
        tell_unanswered_entry(ins, flow, entry);
}

static void on_silent(void *user, const struct ft_entry *entry)
{
    struct ft_inspector *ins = user;
    struct ft_flow *flow = flow_of_entry(ins, entry);
    if (!flow)
        return;
    ins->packet_side = FT_SIDE_NONE;
    ft_inspect_prepare(ins, flow, flow->server == FT_SIDE_B ? FT_SIDE_B : FT_SIDE_A);
    ft_inspect_tell_protocol_violation(ins, ins->shards->registry->protocols[entry->protocol],
                                       entry->deadline_violation);
}

/* Requests of the shard that nobody answered, and peers that fell silent. */
void ft_inspect_tick_requests(struct ft_inspector *ins, uint8_t shard, uint64_t now)
{
    static const struct ft_state_ops ops = {.unanswered = on_unanswered, .silent = on_silent};
    ft_state_tick(&ins->shards->state[shard], now, &ops, ins);
    look_at_slots(ins, shard, now);
}
