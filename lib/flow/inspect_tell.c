/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is told of flows and messages: who talks, what is odd, violations, operations that are new,
 * and all messages if they are logged.
 */
#include "flow/inspect_internal.h"

#include "base/hash.h"

#include <string.h>

uint64_t ft_inspect_name_pair(void *user)
{
    const struct ft_inspector *ins = user;
    return ft_inspect_pair_hash(ins->flow) | 1;
}

/* Two endpoints were seen, or seen to speak a protocol, or to answer a datagram: told once. */
COLD void ft_inspect_tell_talk(struct ft_inspector *ins, struct ft_flow *flow)
{
    uint64_t macs[2] = {0};
    memcpy(macs, flow->mac, 12);
    uint64_t h = ft_hash_mix(ft_hash_mix(ft_inspect_pair_hash(flow), macs[0]), macs[1]);
    bool is_answer = flow->key.proto != 6 && flow->packets[0] && flow->packets[1];
    h = ft_hash_mix(h, (uint64_t)is_answer << 32 | (uint64_t)flow->protocol << 8 | flow->server);
    if (!ft_novelty_add(ft_inspect_novelty(ins), h))
        return;
    struct ft_event *e = ft_inspect_event_begin(ins, FT_EVENT_TALK);
    if (!e)
        return;
    e->protocol = flow->protocol;
    ft_inspect_event_flow(ins, e, flow,
                          ins->packet_side == FT_SIDE_NONE ? FT_SIDE_A : ins->packet_side);
    ft_inspect_event_end(ins, e);
}

void ft_inspect_tell_anomaly(struct ft_inspector *ins, struct ft_flow *flow, enum ft_side side,
                             enum ft_anomaly anomaly)
{
    struct ft_event *e = ft_inspect_event_begin(ins, FT_EVENT_ANOMALY);
    if (!e)
        return;
    e->anomaly = anomaly;
    e->protocol = flow->protocol;
    ft_inspect_event_flow(ins, e, flow, side);
    ft_inspect_event_end(ins, e);
}

void ft_inspect_tell_health(struct ft_inspector *ins, const struct ft_protocol *p,
                            enum ft_health health, int signal)
{
    struct ft_event *e = ft_inspect_event_begin(ins, FT_EVENT_HEALTH);
    if (!e)
        return;
    e->protocol = p ? (uint16_t)(p->index + 1) : 0;
    e->health.health = (uint8_t)health;
    e->health.signal = signal;
    ft_inspect_event_end(ins, e);
}

static COLD void tell_message(struct ft_inspector *ins, enum ft_event_type type,
                              const struct ft_message *m)
{
    struct ft_event *e = ft_inspect_event_begin(ins, type);
    if (!e)
        return;
    ft_inspect_event_message(ins, e, m);
    ft_inspect_event_end(ins, e);
}

/* The bytes of an evidence as a number: the code of an error. */
static COLD uint64_t evidence_value(const struct ft_call *call, const struct ft_finding *f)
{
    uint64_t value = 0;
    if (f->at_length > 8 || f->at > call->pdu_length || f->at_length > call->pdu_length - f->at)
        return 0;
    for (uint32_t i = 0; i < f->at_length; i++)
        value = value << 8 | call->pdu[f->at + i];
    return value;
}

COLD void ft_inspect_tell_violation(struct ft_inspector *ins, const struct ft_finding *f)
{
    struct ft_event *e = ft_inspect_event_begin(ins, FT_EVENT_VIOLATION);
    ins->ledger.violations++;
    if (!e)
        return;
    ft_inspect_event_message(ins, e, &ins->call.messages[f->message]);
    e->protocol = (uint16_t)(f->protocol->index + 1);
    e->message.violation = f->violation;
    e->message.count = f->count;
    e->message.at = f->at;
    e->message.at_length = f->at_length;
    e->message.value = evidence_value(&ins->call, f);
    ft_inspect_event_end(ins, e);
}

/* ---- what the PDU at hand comes to ---- */

#define ALERT_CLASSES                                                                              \
    (1u << FT_CLASS_FIRMWARE | 1u << FT_CLASS_PROGRAM | 1u << FT_CLASS_MODE | 1u << FT_CLASS_UPLOAD)

static bool is_alert_class(uint8_t class_)
{
    return ALERT_CLASSES >> class_ & 1;
}

/* Told in this shard before? Remembered beside the flow, which asks no more then. */
static COLD bool is_news_in_shard(struct ft_inspector *ins, uint64_t operation, uint32_t shortened)
{
    struct ft_flow *flow = ins->flow;
    /* Now and then only: operations in turn, one more than there is room for, would all miss. */
    if (!flow->recent[3] || flow->messages % 8 == 0) {
        memmove(flow->recent + 1, flow->recent, 3 * sizeof(flow->recent[0]));
        flow->recent[0] = shortened;
    }
    return ft_novelty_add(ft_inspect_novelty(ins),
                          ft_hash_mix(operation, ft_inspect_pair_hash(flow)));
}

/* An operation is new when (client, server, sub-addresses, command) was not told in this shard. */
static bool is_new_operation(struct ft_inspector *ins, const struct ft_message *m)
{
    const struct ft_flow *flow = ins->flow;
    uint64_t h = ft_hash_mix((uint64_t)m->code << 32 | m->qualifier,
                             (uint64_t)m->protocol->index << 8 | flow->server);
    if (m->sub[0].kind | m->sub[1].kind)
        h = ft_hash_mix(h ^ m->sub[0].value, m->sub[1].value ^ ((uint64_t)m->sub[0].kind << 56) ^
                                                 ((uint64_t)m->sub[1].kind << 48));
    uint32_t shortened = (uint32_t)(h >> 32) | 1;
    for (unsigned i = 0; i < 4; i++)
        if (flow->recent[i] == shortened)
            return false;
    return is_news_in_shard(ins, h, shortened);
}

/*
 * What is said between the request for a session and its answer (key exchange of TLS and SSH) is a
 * step of that one operation.
 */
static bool is_step(const struct ft_message *m)
{
    return m->kind == FT_KIND_DATA && m->class_ == FT_CLASS_SESSION;
}

/*
 * A response is an operation only if nobody saw its request, and if it says by itself what was
 * asked: where a code has a meaning only with what the request named, it is of unknown class.
 */
static bool tells_operation(const struct ft_message *m)
{
    if (m->kind == FT_KIND_RESPONSE || m->kind == FT_KIND_EXCEPTION)
        return !m->is_paired && m->class_ != FT_CLASS_UNKNOWN;
    return !is_step(m);
}

/* Is the message only what carries an operation of another protocol, which is told itself? */
static COLD bool is_carrier(const struct ft_call *call, uint32_t message)
{
    const struct ft_message *m = &call->messages[message];
    for (uint32_t i = message + 1; i < call->message_count; i++) {
        const struct ft_message *inner = &call->messages[i];
        if (inner->parent == message && inner->protocol != m->protocol && inner->has_command &&
            !(inner->protocol->flags & FT_DISSECTOR_TRANSPORT))
            return true;
    }
    return false;
}

bool ft_inspect_raise(void *user, struct ft_call *call, struct ft_message *m)
{
    struct ft_inspector *ins = user;
    (void)call;
    if (!(m->protocol->flags & FT_DISSECTOR_TRANSPORT) && !m->is_new && tells_operation(m))
        m->is_new = is_new_operation(ins, m);
    return m->is_new || is_alert_class(m->class_);
}

/* Violations first: the core gives one alert for a command that is one and has a title. */
COLD void ft_inspect_tell_each(struct ft_inspector *ins)
{
    struct ft_call *call = &ins->call;
    const struct ft_shards_config *config = &ins->shards->config;
    for (uint32_t i = 0; i < call->finding_count; i++)
        ft_inspect_tell_violation(ins, &call->findings[i]);
    for (uint32_t i = 0; i < call->message_count; i++) {
        const struct ft_message *m = &call->messages[i];
        if (m->is_new && tells_operation(m) && !is_carrier(call, i))
            tell_message(ins, FT_EVENT_OPERATION, m);
        if (is_alert_class(m->class_) && ft_event_is_order(m->kind, m->is_paired)) {
            tell_message(ins, FT_EVENT_ALERT, m);
            ins->flow->flags |= FT_FLOW_ALERTED;
        }
        /* A body that was looked at in vain is no message. */
        if (config->log_messages && (m->has_command || m->first || m->is_violated))
            tell_message(ins, FT_EVENT_MESSAGE, m);
        if (config->log_transactions && m->has_command && m->kind != FT_KIND_REQUEST &&
            !is_step(m) && !(m->protocol->flags & (FT_DISSECTOR_CYCLIC | FT_DISSECTOR_TRANSPORT)))
            tell_message(ins, FT_EVENT_TRANSACTION, m);
    }
    for (uint32_t i = 0; i < call->fact_count; i++)
        ft_inspect_tell_fact(ins, &call->facts[i]);
}
