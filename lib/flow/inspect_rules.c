/* SPDX-License-Identifier: BSD-3-Clause */
/* Inspection: testing rules, and telling which held without telling it a million times. */
#include "flow/inspect_internal.h"

#include "base/hash.h"

#include <stdio.h>
#include <string.h>

/* Hits told in one second of one shard; the rest are counted. */
#define TOLD_MAX  1024u
#define TOLD_EACH 8u /* see told_each() */

/* Flows tested in one tick, of those that are older than the rules. */
#define SWEEP 256u

/* Rules that were there before have been tested on the flows that are there; with the first rules
 * there are none. */
static void begin_sweep(struct ft_rule_hits *all, bool had_rules, const struct ft_ruleset *set)
{
    bool has_flow = had_rules && set && ft_ruleset_has_flow(set);
    all->sweeps_all = has_flow && all->sweep; /* where the last sweep was is not known by rule */
    all->sweep = has_flow && (all->sweeps_all || ft_ruleset_has_new_flow(set));
    all->since_ns = UINT64_MAX;
}

void ft_inspector_use_rules(struct ft_inspector *ins, const struct ft_ruleset *set,
                            struct ft_matcher *matcher, uint32_t generation,
                            const bool owned[FT_SHARDS])
{
    bool had_rules = ins->rules.set, had_joint = ins->rules.has_joint;
    ins->rules = (struct ft_rules_in_use){.set = set,
                                          .matcher = matcher,
                                          .generation = generation,
                                          .epoch = ins->rules.epoch + 1,
                                          .has_payload = set && ft_ruleset_has_payload(set),
                                          .has_flow = set && ft_ruleset_has_flow(set),
                                          .has_connection = set && ft_ruleset_has_connection(set),
                                          .has_packet = set && ft_ruleset_has_packet(set),
                                          .has_joint = set && ft_ruleset_has_joint(set),
                                          .unknown = set ? ft_ruleset_unknown(set) : NULL};
    ins->rules.profiles = matcher ? ft_match_profiles(matcher) : NULL;
    ins->rules.looks_at_tcp = ins->rules.has_payload || ins->rules.has_packet;
    ins->call.demand = set ? ft_ruleset_demand(set) : NULL;
    ins->call.flow_wants = matcher ? ft_match_use(matcher, 0) : NULL;
    ins->call.wanted_of_all = set ? ft_ruleset_wanted(set) : 0;
    for (uint32_t shard = 0; shard < FT_SHARDS; shard++)
        if (owned[shard]) {
            begin_sweep(&ins->shards->rule_hits[shard], had_rules, set);
            if (had_joint) /* what other rules wanted kept may have holes for these */
                ft_inspect_tails_forget(ins, (uint8_t)shard);
        }
}

/* ---- what is tested ---- */

static void set_vlans(const struct ft_inspector *ins, struct ft_subject *s)
{
    const struct ft_packet *p = ins->packet;
    const struct ft_flow *flow = ins->flow;
    bool is_of_packet =
        !(p->flags & (FT_PACKET_TICK | FT_PACKET_END)) && ins->side == ins->packet_side;
    if (is_of_packet) {
        s->vlan_count = p->vlan_count < FT_PACKET_VLANS ? p->vlan_count : FT_PACKET_VLANS;
        memcpy(s->vlan, p->vlan, sizeof(s->vlan));
        return;
    }
    for (unsigned i = 0; i < 2; i++)
        if (flow->vlan[i])
            s->vlan[s->vlan_count++] = flow->vlan[i];
}

/* Of the flow and the sender that the context was prepared for. */
static void set_subject(const struct ft_inspector *ins, struct ft_subject *s)
{
    static const uint8_t none[6];
    const struct ft_context *ctx = &ins->call.pub;
    bool has_macs = memcmp(ctx->src_mac, none, 6) != 0 || memcmp(ctx->dst_mac, none, 6) != 0;
    *s = (struct ft_subject){
        .transport = ctx->transport,
        .ip_version = ctx->ip_version,
        .src_ip = ctx->src_ip,
        .dst_ip = ctx->dst_ip,
        .src_mac = has_macs ? ctx->src_mac : NULL,
        .dst_mac = has_macs ? ctx->dst_mac : NULL,
        .src_port = ctx->src_port,
        .dst_port = ctx->dst_port,
        .has_ports = ctx->transport == FT_TRANSPORT_TCP || ctx->transport == FT_TRANSPORT_UDP,
        .ethertype = ctx->ethertype,
        .number = ft_inspect_number(ins),
        .ip_protocol = ins->flow->key.proto,
        .packet = ft_inspect_packet_value,
        .user = (void *)(uintptr_t)ins,
    };
    set_vlans(ins, s);
}

/* ---- flows ---- */

/* Of what the side sends; 0: not judged yet, or of profiles that were forgotten. */
static inline uint16_t profile_of(const struct ft_inspector *ins, const struct ft_flow *flow,
                                  enum ft_side side)
{
    return flow->profile_epoch == ins->rules.epoch ? flow->profile[side == FT_SIDE_B] : 0;
}

static COLD void judge(struct ft_inspector *ins)
{
    struct ft_subject s;
    struct ft_flow *flow = ins->flow;
    bool is_new;
    set_subject(ins, &s);
    uint16_t profile = ft_match_judge(ins->rules.matcher, &s, &is_new);
    ins->rules.epoch += is_new;
    if (flow->profile_epoch != ins->rules.epoch)
        memset(flow->profile, 0, sizeof(flow->profile));
    flow->profile_epoch = ins->rules.epoch;
    flow->profile[ins->side == FT_SIDE_B] = profile;
}

static void use_profile(struct ft_inspector *ins, const struct ft_flow *flow, enum ft_side side,
                        uint16_t profile)
{
    ins->rules.of_flow = flow;
    ins->rules.of_side = side;
    ins->call.flow_wants = ft_match_use(ins->rules.matcher, profile);
}

void ft_inspect_rules_prepare(struct ft_inspector *ins)
{
    if (ins->rules.of_flow == ins->flow && ins->rules.of_side == ins->side)
        return;
    if (!profile_of(ins, ins->flow, ins->side))
        judge(ins);
    use_profile(ins, ins->flow, ins->side, profile_of(ins, ins->flow, ins->side));
}

bool ft_inspect_rules_spare(struct ft_inspector *ins, const struct ft_flow *flow, enum ft_side side,
                            const uint8_t *bytes, uint32_t length)
{
    uint16_t profile = profile_of(ins, flow, side);
    if (!profile)
        return false;
    use_profile(ins, flow, side, profile);
    return !ft_match_may_hold(ins->rules.matcher, bytes, length);
}

void ft_inspect_rules_new_flow(struct ft_inspector *ins, struct ft_flow *flow)
{
    flow->profile_epoch = 0;
    ins->rules.of_flow = NULL;
}

/* ---- telling ---- */

/* Hits that the core will not be told of: said by their number, and of their rule. */
static void lose(struct ft_inspector *ins, const struct ft_event_message *hit, uint64_t times,
                 uint64_t *book)
{
    *book += times;
    if (hit->generation == ins->rules.generation)
        ft_matcher_lose(ins->rules.matcher, hit->rule, times);
}

/* The values of a slot that nobody was told of yet, behind a record. */
static void put_values(struct ft_event *e, struct ft_rule_slot *s, struct ft_event_more *more)
{
    more->values = e->size;
    more->value_count = s->value_count - s->values_told;
    memcpy((uint8_t *)e + e->size, &s->values[s->values_told],
           more->value_count * sizeof(s->values[0]));
    e->size += more->value_count * (uint32_t)sizeof(s->values[0]);
    s->values_told = s->value_count;
}

/* An event that was told before came so often since. */
static bool tell_again(struct ft_inspector *ins, struct ft_rule_slot *s)
{
    const struct ft_event *was = &s->event;
    struct ft_event *e = ft_inspect_event_begin(ins, FT_EVENT_RULE);
    struct ft_event_more more;
    uint32_t count = s->count;
    if (!e)
        return false;
    e->protocol = was->protocol;
    e->packet = was->packet;
    e->message = was->message;
    e->message.count = count;
    e->clock_ns = s->last_ns;
    e->time_ns = s->last_stamp_ns;
    e->number = s->last_number;
    ft_event_keep_more(e, was);
    if (s->value_count > s->values_told && ft_event_more(e, &more)) {
        put_values(e, s, &more);
        memcpy((uint8_t *)e + e->message.more, &more, sizeof(more));
    }
    ft_inspect_event_end(ins, e);
    ins->ledger.rule_hits_repeated += count;
    return true;
}

/* To be told later, at a tick at the latest. */
static void hold(struct ft_inspector *ins, struct ft_rule_hits *all, uint32_t i, uint32_t times)
{
    struct ft_event_message *m = &all->slots[i].event.message;
    if (all->slots[i].count > UINT32_MAX - times) {
        lose(ins, m, times, &ins->ledger.rule_hits_shed);
        return;
    }
    all->waiting += !all->slots[i].count;
    all->slots[i].count += times;
    all->slots[i].last_ns = ins->packet->time_ns;
    all->slots[i].last_stamp_ns = ft_inspect_stamp(ins);
    all->slots[i].last_number = ft_inspect_number(ins);
    all->held += times;
}

/* Those that wait are somebody's now: how many. */
static uint32_t release(struct ft_rule_hits *all, uint32_t i)
{
    uint32_t count = all->slots[i].count;
    all->waiting -= count > 0;
    all->held -= count;
    all->slots[i].count = 0;
    return count;
}

/* Tell how many wait. When the ring has no room they wait on, unless there is no later. */
static void flush(struct ft_inspector *ins, struct ft_rule_hits *all, uint32_t i, bool is_last)
{
    struct ft_rule_slot *s = &all->slots[i];
    if (!s->count)
        return;
    if (tell_again(ins, s))
        release(all, i);
    else if (is_last)
        lose(ins, &s->event.message, release(all, i), &ins->ledger.rule_hits_shed);
}

/* A record that stands for itself: what points into the event is not kept. */
static void keep(struct ft_event *to, const struct ft_event *from)
{
    *to = *from;
    to->message.tree = to->message.tree_length = 0;
    to->message.sub[0].text = to->message.sub[1].text = 0;
    to->message.sub[0].length = to->message.sub[1].length = 0;
    to->size = sizeof(*to);
    ft_event_keep_more(to, from);
}

static uint32_t slot_of(uint64_t hash)
{
    return (uint32_t)(hash >> 32) & (FT_RULE_HITS - 1);
}

/*
 * Hits of a second that are told each for itself. Whose time matters to others are all; where a
 * few are counted, or compared with what came before, it is many enough to be exact, unless there
 * are so many of different slots already that others might go without.
 */
static uint32_t told_each(const struct ft_rule_hits *all, const struct ft_rule *r)
{
    if (r->awaited_by)
        return UINT32_MAX;
    bool is_timed = r->after.rule || r->threshold.kind == FT_THRESHOLD_AT_LEAST;
    return is_timed && all->told < TOLD_MAX / 2 ? TOLD_EACH : 1;
}

/*
 * What repeats within a second is an event or a few, and a number with the next, or at the tick. In
 * its slot there is room then for a hit that is told now; what was there has been told.
 */
static bool is_told_now(struct ft_inspector *ins, uint64_t hash, uint32_t rule,
                        const struct ft_rule *r)
{
    struct ft_rule_hits *all = &ins->shards->rule_hits[ins->packet->shard];
    struct ft_event_message hit = {.rule = rule, .generation = ins->rules.generation};
    uint32_t i = slot_of(hash);
    uint32_t second = (uint32_t)(ins->packet->time_ns / SECOND_NS);
    bool is_known = all->slots[i].hash == hash;
    bool is_again = is_known && all->slots[i].second == second;
    if (all->second != second) {
        all->second = second;
        all->told = 0;
    }
    if ((is_again && all->slots[i].told >= told_each(all, r)) ||
        (is_known && all->told == TOLD_MAX)) {
        hold(ins, all, i, 1);
        return false;
    }
    if (all->told == TOLD_MAX) {
        lose(ins, &hit, 1, &ins->ledger.rule_hits_untold);
        return false;
    }
    all->told++;
    if (!is_known)
        flush(ins, all, i, true);
    all->slots[i].hash = hash;
    all->slots[i].second = second;
    all->slots[i].told = is_again ? (uint16_t)(all->slots[i].told + 1) : 1;
    return true;
}

struct hit {
    struct ft_inspector *ins;
    const struct ft_subject *subject;
    const struct ft_message *message; /* NULL: not of one */
    const struct ft_evidence *evidence;
    struct ft_rule_slot *slot; /* where it waits, or its repeats do */
    bool is_joint;             /* of bytes of two packets */
    bool is_segment;           /* of the payload of a TCP packet */
    bool is_pdu;               /* of a PDU that is more, or less, than that */
};

/* ---- what its message wants ---- */

/* Bytes of a value that only is known here. */
#define TEXT_MAX 255u

/* Room left in a record; its size is rounded up at the end. */
static uint32_t room_in(const struct ft_event *e)
{
    return e->size + 8 < FT_EVENT_MAX ? FT_EVENT_MAX - 8 - e->size : 0;
}

/* Does it name fields of what carries the message? */
static bool wants_carriers(const struct ft_rule *r, const struct ft_message *m)
{
    if (!m || m->parent == 0xff)
        return false;
    for (uint32_t i = 0; i < r->part_count; i++)
        if (!r->parts[i].keyword && !r->parts[i].is_tag &&
            r->parts[i].protocol != m->protocol->index)
            return true;
    return false;
}

static void add_carriers(struct ft_inspector *ins, struct ft_event *e, const struct ft_message *m,
                         struct ft_event_more *more)
{
    more->carriers = e->size;
    while (m->parent != 0xff && room_in(e) > sizeof(struct ft_event_carrier)) {
        bool is_cut;
        m = &ins->call.messages[m->parent];
        uint8_t *to = (uint8_t *)e + e->size;
        struct ft_event_carrier carrier = {.protocol = m->protocol->index + 1u};
        carrier.length = ft_tree_pack(&ins->call, m, to + sizeof(carrier),
                                      room_in(e) - (uint32_t)sizeof(carrier), &is_cut);
        memcpy(to, &carrier, sizeof(carrier));
        e->size += (uint32_t)sizeof(carrier) + carrier.length;
    }
    more->carriers_length = e->size - more->carriers;
}

static bool has_secret_field(const struct ft_protocol *p)
{
    for (uint32_t i = 1; i < p->field_count; i++)
        if (p->fields[i].flags & FT_FIELD_SECRET)
            return true;
    return false;
}

/* Where clients log in with a password in clear text, by protocols that no dissector reads. */
static bool is_login_port(uint16_t port)
{
    static const uint16_t ports[] = {25, 110, 143, 389, 512, 513, 514, 587, 1883, 5432, 6379};
    for (unsigned i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
        if (port == ports[i])
            return true;
    return false;
}

/* Is what is sent in the flow of a protocol that has passwords, as far as is known? A payload is
 * searched before anybody reads it: then what its ports are bound to. */
static bool may_be_secret(const struct ft_inspector *ins, const struct ft_subject *s)
{
    const struct ft_registry *r = ins->shards->registry;
    const uint8_t *bound = s->transport == FT_TRANSPORT_TCP ? r->tcp_port : r->udp_port;
    uint16_t of[3] = {ins->flow->protocol, 0, 0};
    if (s->has_ports) {
        of[1] = bound[s->src_port];
        of[2] = bound[s->dst_port];
    }
    for (unsigned i = 0; i < 3; i++)
        if (of[i] && has_secret_field(r->protocols[of[i] - 1]))
            return true;
    return s->transport == FT_TRANSPORT_TCP && is_login_port(s->dst_port);
}

/* Has the PDU a message beside this one whose passwords nobody asked for? */
static bool has_unknown_secret(const struct ft_call *call, const struct ft_message *message)
{
    for (uint32_t i = 0; i < call->message_count; i++) {
        const struct ft_message *m = &call->messages[i];
        if (m != message && !m->is_raised && has_secret_field(m->protocol))
            return true;
    }
    return false;
}

/* Stars in the place of what is secret, in hexadecimal; false: nobody knows where it stands. */
static bool hide_fields(const struct ft_call *call, const struct ft_message *message, char *text,
                        uint32_t length)
{
    if (has_unknown_secret(call, message))
        return false;
    for (uint32_t i = 0; i < call->message_count; i++)
        for (uint32_t n = call->messages[i].first; n; n = call->nodes[n].next) {
            const struct ft_node *at = &call->nodes[n];
            if (!(at->flags & FT_FIELD_SECRET) || at->type == FT_NODE_END)
                continue;
            if (at->at == UINT32_MAX)
                return false;
            for (uint64_t c = 2ull * at->at; c < 2ull * (at->at + at->at_length) && c < length; c++)
                text[c] = '*';
        }
    return true;
}

/* A payload without the passwords in it: of a message those that its dissector found. */
static uint32_t without_secrets(const struct ft_inspector *ins, const struct ft_subject *s,
                                char *text, uint32_t length)
{
    bool is_read = s->message && s->message->protocol != ins->rules.unknown;
    if (is_read ? hide_fields(s->call, s->message, text, length) : !may_be_secret(ins, s))
        return length;
    return (uint32_t)snprintf(text, TEXT_MAX, "(%u bytes, maybe with a password)",
                              s->payload_length);
}

static void add_texts(const struct ft_inspector *ins, struct ft_event *e, const struct ft_rule *r,
                      const struct ft_subject *s, struct ft_event_more *more)
{
    const struct ft_vocabulary *v = ft_ruleset_vocabulary(ins->rules.set);
    more->texts = e->size;
    for (uint32_t i = 0; i < r->part_count && room_in(e) > TEXT_MAX + 2; i++) {
        uint8_t *to = (uint8_t *)e + e->size;
        uint32_t n = ft_operand_is_of_packet(&r->parts[i])
                         ? ft_program_text(v, s, &r->parts[i], (char *)to + 2, TEXT_MAX)
                         : 0;
        if (n && r->parts[i].keyword == FT_KEYWORD_PAYLOAD)
            n = without_secrets(ins, s, (char *)to + 2, n);
        to[0] = (uint8_t)i;
        to[1] = (uint8_t)n;
        e->size += n ? n + 2 : 0;
    }
    more->texts_length = e->size - more->texts;
}

/* ---- why it held ---- */

/* Fields from the outermost group to the one of a node. Their number. */
static uint32_t chain_of(const struct ft_protocol *p, uint16_t field,
                         uint16_t chain[FT_MAX_GROUP_DEPTH + 1])
{
    uint32_t count = 0, at = 0;
    for (uint16_t f = field; f && count <= FT_MAX_GROUP_DEPTH; f = p->fields[f].parent)
        count++;
    for (uint16_t f = field; at < count; f = p->fields[f].parent)
        chain[count - ++at] = f;
    return count;
}

/* Which of its brothers of the same field each group around the node is, and the node itself. */
static void count_elements(const struct ft_call *call, uint32_t first, uint32_t node,
                           const uint16_t *chain, uint32_t count, uint32_t *element)
{
    uint32_t open = 0, inside = 0; /* groups that are open; of them, those that are of the chain */
    for (uint32_t n = first; n; n = call->nodes[n].next) {
        const struct ft_node *at = &call->nodes[n];
        if (at->type == FT_NODE_END) {
            inside -= inside == open && inside > 0;
            open -= open > 0;
            continue;
        }
        bool is_of_chain = inside == open && open < count && at->field == chain[open];
        if (is_of_chain) {
            bool is_numbered = at->type == FT_TYPE_GROUP && at->u;
            element[open] = is_numbered ? (uint32_t)at->u : element[open] + 1;
            memset(&element[open + 1], 0, (count - open - 1) * sizeof(*element));
        }
        if (n == node)
            return;
        inside += is_of_chain && at->type == FT_TYPE_GROUP;
        open += at->type == FT_TYPE_GROUP;
    }
}

/* "point[2].index": which element of the message's lists a field is; "" when it is of none, or the
 * text is too long. */
static uint32_t element_text(const struct ft_call *call, const struct ft_message *m, uint32_t node,
                             char *to, uint32_t size)
{
    const struct ft_protocol *p = m->protocol;
    uint16_t chain[FT_MAX_GROUP_DEPTH + 1];
    uint32_t element[FT_MAX_GROUP_DEPTH + 1] = {0}, n = 0;
    uint32_t count = chain_of(p, call->nodes[node].field, chain);
    bool is_of_list = false;
    count_elements(call, m->first, node, chain, count, element);
    for (uint32_t i = 0; i < count; i++) {
        const struct ft_field *f = &p->fields[chain[i]];
        char index[16] = "";
        if (f->flags & FT_FIELD_LIST && element[i])
            snprintf(index, sizeof(index), "[%u]", element[i] - 1);
        is_of_list |= index[0] != 0;
        n += (uint32_t)snprintf(to + n, size - n, "%s%s%s", i ? "." : "", f->name, index);
        if (n >= size)
            return 0;
    }
    return is_of_list ? n : 0;
}

static const struct ft_message *message_of(const struct hit *hit, uint16_t protocol)
{
    const struct ft_message *m = hit->message;
    while (m && m->protocol->index != protocol)
        m = m->parent == 0xff ? NULL : &hit->ins->call.messages[m->parent];
    return m;
}

/* The value of a field as it is, behind which element it is of; what is secret the core knows. */
static void set_field(struct ft_event_evidence *e, const struct hit *hit, const struct ft_node *n,
                      char *name, uint8_t *value)
{
    const struct ft_message *m = message_of(hit, hit->evidence->operand->protocol);
    bool has_bytes = n->type == FT_TYPE_STRING || n->type == FT_TYPE_BYTES ||
                     n->type == FT_TYPE_IPV6 || n->type == FT_TYPE_MAC;
    e->protocol = (uint16_t)(hit->evidence->operand->protocol + 1);
    e->field = n->field;
    e->type = n->type;
    e->flags = n->flags;
    if (m)
        e->name = (uint8_t)element_text(&hit->ins->call, m, hit->evidence->value.node, name,
                                        FT_EVIDENCE_NAME);
    if (!has_bytes) {
        e->u = n->u;
        return;
    }
    e->length = n->length;
    e->value = (uint16_t)(n->length < FT_EVIDENCE_VALUE ? n->length : FT_EVIDENCE_VALUE);
    if (e->value)
        memcpy(value, n->bytes, e->value);
}

/* Is anything of the payload that was found in a field which is secret? */
static bool has_secret(const struct hit *hit)
{
    const struct ft_call *call = &hit->ins->call;
    const struct ft_program_value *v = &hit->evidence->value;
    bool is_expression = hit->evidence->test && hit->evidence->test->test->kind == FT_TEST_MATCHES;
    /* The bytes that a literal finds are known from the rule. */
    if (!hit->message || hit->message->protocol == hit->ins->rules.unknown)
        return is_expression && may_be_secret(hit->ins, hit->subject);
    if (v->at == UINT32_MAX)
        return false;
    if (is_expression && has_unknown_secret(call, hit->message))
        return true;
    for (uint32_t i = 0; i < call->message_count; i++)
        for (uint32_t n = call->messages[i].first; n; n = call->nodes[n].next) {
            const struct ft_node *at = &call->nodes[n];
            if (at->flags & FT_FIELD_SECRET && at->type != FT_NODE_END && at->at != UINT32_MAX &&
                at->at < v->at + v->at_length && v->at < at->at + at->at_length)
                return true;
        }
    return false;
}

/* A keyword or a tag: its name, and the value as text. */
static void set_word(struct ft_event_evidence *e, const struct hit *hit, char *name, uint8_t *value)
{
    const struct ft_evidence *of = hit->evidence;
    char whole[FT_EVIDENCE_NAME];
    ft_vocabulary_name(ft_ruleset_vocabulary(hit->ins->rules.set), of->operand, whole,
                       sizeof(whole));
    e->name = (uint8_t)strlen(whole);
    memcpy(name, whole, e->name);
    e->value = (uint16_t)ft_program_value_text(hit->subject, of->operand, &of->value, (char *)value,
                                               FT_EVIDENCE_VALUE);
    bool is_bytes = of->operand->type == FT_VALUE_TYPE_BYTES;
    bool is_text = is_bytes || of->operand->type == FT_VALUE_TYPE_TEXT;
    e->length = !is_text ? e->value : of->value.length << is_bytes;
    if (!has_secret(hit))
        return;
    e->flags = FT_FIELD_SECRET;
    e->length = of->value.length;
}

static void add_evidence(struct ft_event *e, const struct hit *hit, struct ft_event_more *more)
{
    struct ft_event_evidence evidence = {0};
    const struct ft_evidence *of = hit->evidence;
    char name[FT_EVIDENCE_NAME];
    uint8_t value[FT_EVIDENCE_VALUE], *to = (uint8_t *)e + e->size;
    if (of->value.node)
        set_field(&evidence, hit, &hit->ins->call.nodes[of->value.node], name, value);
    else
        set_word(&evidence, hit, name, value);
    memcpy(to, &evidence, sizeof(evidence));
    memcpy(to + sizeof(evidence), name, evidence.name);
    memcpy(to + sizeof(evidence) + evidence.name, value, evidence.value);
    more->evidence = e->size;
    more->evidence_length = (uint32_t)sizeof(evidence) + evidence.name + evidence.value;
    e->size = (e->size + more->evidence_length + 7) & ~7u;
}

static void set_flow(struct ft_event_more *more, const struct ft_inspector *ins)
{
    const struct ft_flow *flow = ins->flow;
    unsigned from = ins->side == FT_SIDE_B;
    for (unsigned i = 0; i < 2; i++) {
        more->packets[i] = flow->packets[i ^ from];
        more->bytes[i] = flow->bytes[i ^ from];
    }
    more->first_ns = flow->first_ns;
    more->is_unknown = !flow->protocol && flow->flags & FT_FLOW_UNKNOWN;
}

static void add_more(struct ft_event *e, struct hit *hit, const struct ft_rule *r)
{
    struct ft_event_more more = {0};
    bool has_carriers = wants_carriers(r, hit->message), has_texts = false;
    for (uint32_t i = 0; i < r->part_count; i++)
        has_texts |= ft_operand_is_of_packet(&r->parts[i]);
    if (room_in(e) < FT_EVENT_KEPT + sizeof(hit->slot->values))
        return;
    e->message.more = e->size;
    e->size += (uint32_t)sizeof(more);
    set_flow(&more, hit->ins);
    more.number = ft_inspect_number(hit->ins);
    if (r->threshold.kind == FT_THRESHOLD_DISTINCT)
        put_values(e, hit->slot, &more);
    if (hit->evidence->operand)
        add_evidence(e, hit, &more);
    if (has_carriers)
        add_carriers(hit->ins, e, hit->message, &more);
    if (has_texts)
        add_texts(hit->ins, e, r, hit->subject, &more);
    memcpy((uint8_t *)e + e->message.more, &more, sizeof(more));
}

/* ---- telling ---- */

/* Mixed by itself: ports beside each other would come to one slot. */
static uint64_t hash_of_port(const struct ft_inspector *ins)
{
    return ft_hash_mix(0, ins->side == FT_SIDE_B ? ins->flow->key.port_a : ins->flow->key.port_b);
}

static uint64_t hash_of_hit(const struct ft_inspector *ins, const struct ft_message *m,
                            uint32_t rule)
{
    const struct ft_flow *flow = ins->flow;
    uint64_t h = ft_hash_mix((uint64_t)ins->rules.generation << 32 | rule,
                             ft_hash_mix(flow->key.a.words[0], flow->key.a.words[1]));
    h = ft_hash_mix(h, ft_hash_mix(flow->key.b.words[0], flow->key.b.words[1]));
    h = ft_hash_mix(h, (uint64_t)flow->key.family << 8 | ins->side);
    if (ft_ruleset_rule(ins->rules.set, rule)->splits_ports)
        h = ft_hash_mix(h, hash_of_port(ins));
    if (m)
        h = ft_hash_mix(h, ft_hash_mix(m->sub[0].value ^ (uint64_t)m->sub[0].kind << 56,
                                       m->sub[1].value ^ (uint64_t)m->sub[1].kind << 48) ^
                               ((uint64_t)m->code << 32 | m->qualifier));
    return h;
}

/* Will a hit be told as an alert, whatever the alerting core knows besides? */
static bool is_alert(const struct ft_inspector *ins, uint32_t rule)
{
    const struct ft_rule *r = ft_ruleset_rule(ins->rules.set, rule);
    return r->action == FT_RULE_ALERT && r->threshold.kind < FT_THRESHOLD_AT_LEAST &&
           !r->after.rule && !ft_ruleset_core_program(ins->rules.set, rule) &&
           ft_schedule_holds(&r->schedule, ins->packet->stamp_ns);
}

/* All that is told of a hit but its number, into a record that has what all have. */
static void describe(struct ft_event *e, struct hit *hit, uint32_t rule,
                     const struct ft_program_run *run)
{
    struct ft_inspector *ins = hit->ins;
    if (hit->message) {
        ft_inspect_event_message(ins, e, hit->message);
    } else {
        ft_inspect_event_flow(ins, e, ins->flow, ins->side);
        e->protocol = ins->flow->is_confirmed ? ins->flow->protocol : 0;
        e->message.parent = 0xff;
    }
    e->message.rule = rule;
    e->message.generation = ins->rules.generation;
    hit->evidence = &run->evidence;
    bool has_place = run->evidence.operand && !hit->is_joint; /* else: in two packets */
    e->message.at = has_place ? run->evidence.value.at : UINT32_MAX;
    e->message.at_length = e->message.at == UINT32_MAX ? 0 : run->evidence.value.at_length;
    add_more(e, hit, ft_ruleset_rule(ins->rules.set, rule));
}

/* ---- values that are counted ---- */

/* Values of one hit that are looked at: of a list the first. */
#define VALUES_OF_HIT 16u

/*
 * Rules that count different values are told by whom they count for: the values of a second are a
 * list in one event, however many hosts there are on the other side. Where the alerting core needs
 * to know both, it is told of both.
 */
static uint64_t hash_of_counted(const struct ft_inspector *ins, const struct ft_message *m,
                                const struct ft_rule *r, uint32_t rule)
{
    const struct ft_flow *flow = ins->flow;
    const union ft_ip *src = ins->side == FT_SIDE_B ? &flow->key.b : &flow->key.a;
    const union ft_ip *dst = ins->side == FT_SIDE_B ? &flow->key.a : &flow->key.b;
    uint8_t by = r->threshold.by;
    if (by == FT_BY_ASSET || ft_ruleset_core_program(ins->rules.set, rule))
        return hash_of_hit(ins, m, rule);
    uint64_t h = ft_hash_mix((uint64_t)ins->rules.generation << 32 | rule, flow->key.family);
    if (by != FT_BY_DESTINATION)
        h = ft_hash_mix(h, ft_hash_mix(src->words[0], src->words[1]));
    if (by == FT_BY_SERVICE)
        h = ft_hash_mix(h + 2, hash_of_port(ins));
    else if (by != FT_BY_SOURCE)
        h = ft_hash_mix(h + 1, ft_hash_mix(dst->words[0], dst->words[1]));
    return h;
}

/*
 * A slot is full. What was told only serves to tell nothing twice, and is forgotten; else all is
 * told now, unless in this second more values were told than the threshold asks for.
 */
static bool has_room_for_value(struct ft_inspector *ins, struct ft_rule_hits *all,
                               const struct ft_rule *r, struct ft_rule_slot *s)
{
    if (s->value_count < FT_EVENT_VALUES)
        return true;
    if (s->values_told < FT_EVENT_VALUES) {
        if (s->overflows > 4 * r->threshold.count / FT_EVENT_VALUES)
            return false;
        if (!s->count || all->told == TOLD_MAX || !tell_again(ins, s)) {
            ins->ledger.rule_values_shed++;
            return false;
        }
        all->told++;
        s->overflows++;
        release(all, (uint32_t)(s - all->slots));
    }
    s->value_count = s->values_told = 0;
    return true;
}

static void add_value(struct ft_inspector *ins, struct ft_rule_hits *all, const struct ft_rule *r,
                      struct ft_rule_slot *s, uint64_t value)
{
    for (uint32_t i = 0; i < s->value_count; i++)
        if (s->values[i] == value)
            return;
    if (has_room_for_value(ins, all, r, s))
        s->values[s->value_count++] = value;
}

/* Another second, or another whose hits are told in the slot. */
static void renew_values(struct ft_rule_slot *s, bool is_known)
{
    uint32_t waiting = is_known ? (uint32_t)(s->value_count - s->values_told) : 0;
    memmove(s->values, s->values + s->values_told, waiting * sizeof(s->values[0]));
    s->value_count = (uint16_t)waiting;
    s->values_told = s->overflows = 0;
}

static COLD void count_values(const struct hit *hit, const struct ft_rule *r,
                              const struct ft_program_run *run)
{
    /* Looking at values changes nothing of what the run says. */
    struct ft_program_run *own = (struct ft_program_run *)(uintptr_t)run;
    struct ft_rule_hits *all = &hit->ins->shards->rule_hits[hit->ins->packet->shard];
    struct ft_number_cursor at = {0};
    uint64_t value;
    for (uint32_t n = 0; n < VALUES_OF_HIT; n++) {
        if (!ft_program_number(own, hit->subject, &r->threshold.of, 0, &at, &value))
            return;
        add_value(hit->ins, all, r, hit->slot, value);
    }
}

/* ---- hits that find no room ---- */

/* The ring has no room: the hit is kept, and told with the others at a tick. */
static COLD void put_off(struct hit *hit, struct ft_rule_hits *all, uint32_t rule,
                         const struct ft_program_run *run)
{
    uint16_t told = hit->slot->values_told;
    union {
        struct ft_event event;
        uint8_t bytes[FT_EVENT_MAX];
    } r;
    memset(&r.event, 0, sizeof(r.event));
    r.event.size = sizeof(r.event);
    r.event.type = FT_EVENT_RULE;
    r.event.shard = hit->ins->packet->shard;
    describe(&r.event, hit, rule, run);
    hit->slot->values_told = told; /* they were not */
    keep(&hit->slot->event, &r.event);
    hold(hit->ins, all, (uint32_t)(hit->slot - all->slots), 1);
}

/* ---- segments and PDUs ---- */

static struct ft_segment_hit *segment_hit_of(struct ft_inspector *ins, uint32_t rule)
{
    uint64_t hash = ft_hash_mix(ins->call.owner.flow, (uint64_t)rule << 1 | ins->side);
    return &ins->segment_hits[(hash >> 32) & (FT_SEGMENT_HITS - 1)];
}

static void note_segment(struct hit *hit, uint32_t rule, const struct ft_program_run *run)
{
    struct ft_inspector *ins = hit->ins;
    const struct ft_program_value *found = &run->evidence.value;
    uint32_t last = 0;
    if (run->evidence.operand && found->at != UINT32_MAX)
        last = found->at + found->at_length - (found->at_length != 0);
    *segment_hit_of(ins, rule) = (struct ft_segment_hit){.flow = ins->call.owner.flow,
                                                         .rule = rule,
                                                         .generation = ins->rules.generation,
                                                         .seq = ins->packet->tcp_seq + last,
                                                         .side = ins->side};
}

/* Sequence number at which a PDU begins: the stream has handed out all before next_seq. */
static uint32_t seq_of_pdu(const struct hit *hit)
{
    const struct ft_inspector *ins = hit->ins;
    uint32_t behind = ins->framer_call ? ins->framer_call->behind : 0;
    return ins->flow->half[ins->side].next_seq - behind - hit->subject->payload_length;
}

/* Did it hold in one of the segments that the PDU is made of? */
static bool was_in_segment(const struct hit *hit, uint32_t rule)
{
    struct ft_inspector *ins = hit->ins;
    const struct ft_segment_hit *s = segment_hit_of(ins, rule);
    return s->flow == ins->call.owner.flow && s->rule == rule && s->side == ins->side &&
           s->generation == ins->rules.generation &&
           s->seq - seq_of_pdu(hit) < hit->subject->payload_length;
}

/* ---- hits ---- */

/* Is the hit to be told now? If not it was counted. Its values are, too. */
static bool take_hit(struct hit *hit, struct ft_rule_hits *all, uint32_t rule,
                     const struct ft_program_run *run)
{
    struct ft_inspector *ins = hit->ins;
    const struct ft_rule *r = ft_ruleset_rule(ins->rules.set, rule);
    bool is_distinct = r->threshold.kind == FT_THRESHOLD_DISTINCT;
    uint64_t hash = is_distinct ? hash_of_counted(ins, hit->message, r, rule)
                                : hash_of_hit(ins, hit->message, rule);
    hit->slot = &all->slots[slot_of(hash)];
    bool is_known = hit->slot->hash == hash, is_now = is_told_now(ins, hash, rule, r);
    if (is_distinct && is_now)
        renew_values(hit->slot, is_known);
    if (is_distinct && (is_now || is_known))
        count_values(hit, r, run);
    return is_now;
}

static void on_hit(void *user, uint32_t rule, const struct ft_program_run *run)
{
    struct hit *hit = user;
    struct ft_inspector *ins = hit->ins;
    struct ft_rule_hits *all = &ins->shards->rule_hits[ins->packet->shard];
    if (hit->is_pdu && was_in_segment(hit, rule)) {
        ft_matcher_take_back(ins->rules.matcher, rule);
        return;
    }
    if (hit->is_segment)
        note_segment(hit, rule, run);
    ins->ledger.rule_hits++;
    if (is_alert(ins, rule))
        ins->flow->flags |= FT_FLOW_ALERTED;
    if (!take_hit(hit, all, rule, run))
        return;
    struct ft_event *e = ft_inspect_event_begin(ins, FT_EVENT_RULE);
    if (!e) {
        put_off(hit, all, rule, run);
        return;
    }
    describe(e, hit, rule, run);
    uint32_t before = release(all, (uint32_t)(hit->slot - all->slots));
    e->message.count = 1 + before;
    keep(&hit->slot->event, e);
    ft_inspect_event_end(ins, e);
    ins->ledger.rule_hits_told++;
    ins->ledger.rule_hits_repeated += before;
}

/* ---- testing ---- */

void ft_inspect_rules_messages(struct ft_inspector *ins)
{
    const struct ft_call *call = &ins->call;
    struct ft_subject s;
    uint64_t wanted = ft_match_wanted(ins->rules.matcher, call);
    if (!wanted)
        return;
    ft_match_begin(ins->rules.matcher);
    set_subject(ins, &s);
    s.call = call;
    s.payload = call->pdu;
    s.payload_length = call->pdu_length;
    for (; wanted; wanted &= wanted - 1) {
        const struct ft_message *m = &call->messages[__builtin_ctzll(wanted)];
        s.message = m;
        struct hit hit = {.ins = ins, .subject = &s, .message = m};
        ft_match_message(ins->rules.matcher, &s, on_hit, &hit);
    }
}

void ft_inspect_rules_payload(struct ft_inspector *ins, const uint8_t *bytes, uint32_t length)
{
    struct ft_subject s;
    struct hit hit = {.ins = ins, .subject = &s};
    if (!ft_match_may_hold(ins->rules.matcher, bytes, length))
        return;
    set_subject(ins, &s);
    s.payload = bytes;
    s.payload_length = length;
    if (s.transport == FT_TRANSPORT_TCP) {
        const struct ft_packet *p = ins->packet;
        hit.is_segment = !(p->flags & (FT_PACKET_TICK | FT_PACKET_END)) &&
                         bytes == p->data + p->payload && ins->side == ins->packet_side;
        hit.is_pdu = !hit.is_segment;
    }
    ft_match_payload(ins->rules.matcher, &s, on_hit, &hit);
}

/* What nobody reads is a message of its own kind: it has a direction, and bytes. */
static const struct ft_message *unknown_message(struct ft_inspector *ins)
{
    struct ft_message *m = &ins->call.messages[0];
    memset(m, 0, sizeof(*m));
    m->protocol = ins->rules.unknown;
    m->direction = ins->call.pub.direction;
    m->qualifier = FT_ANY_QUALIFIER;
    m->parent = 0xff;
    return m;
}

COLD void ft_inspect_rules_unknown(struct ft_inspector *ins, const uint8_t *bytes, uint32_t length)
{
    struct ft_subject s;
    struct hit hit = {.ins = ins, .subject = &s};
    ft_inspect_prepare(ins, ins->flow, ins->packet_side);
    const struct ft_message *m = unknown_message(ins);
    if (!ft_match_is_wanted(ins->rules.matcher, m))
        return;
    ft_match_begin(ins->rules.matcher);
    set_subject(ins, &s);
    s.call = &ins->call;
    s.message = m;
    s.payload = bytes;
    s.payload_length = length;
    ft_match_message(ins->rules.matcher, &s, on_hit, &hit);
}

bool ft_inspect_rules_want_bytes(struct ft_inspector *ins)
{
    return ft_match_wants_payload(ins->rules.matcher) ||
           (ins->rules.unknown && !ins->flow->protocol &&
            ft_match_is_wanted(ins->rules.matcher, unknown_message(ins)));
}

void ft_inspect_rules_joint(struct ft_inspector *ins, const uint8_t *bytes, uint32_t length,
                            uint32_t border)
{
    struct ft_subject s;
    struct hit hit = {.ins = ins, .subject = &s, .is_joint = true};
    bool is_unknown = ins->rules.unknown && !ins->flow->protocol;
    const struct ft_message *m = is_unknown ? unknown_message(ins) : NULL;
    if (m && !ft_match_is_wanted(ins->rules.matcher, m))
        m = NULL;
    if (!m && !ft_match_may_hold(ins->rules.matcher, bytes, length))
        return;
    set_subject(ins, &s);
    s.call = &ins->call;
    s.payload = bytes;
    s.payload_length = length;
    ft_match_joint(ins->rules.matcher, &s, m, border, on_hit, &hit);
}

/* Which rules about flows are tested. */
enum part {
    PART_ALL,
    PART_NEW, /* those that the rule set before did not have */
    PART_OLD,
};

static void test_flow(struct ft_inspector *ins, struct ft_flow *flow, enum ft_side side,
                      enum part part)
{
    struct ft_subject s;
    struct hit hit = {.ins = ins, .subject = &s};
    ft_inspect_prepare(ins, flow, side);
    set_subject(ins, &s);
    if (part == PART_ALL)
        ft_match_flow(ins->rules.matcher, &s, on_hit, &hit);
    else
        ft_match_flow_part(ins->rules.matcher, &s, part == PART_NEW, on_hit, &hit);
}

/* Did the flow begin before these rules came? Then the sweep tests it. */
static bool is_older(const struct ft_rule_hits *all, const struct ft_flow *flow)
{
    return flow->first_ns < all->since_ns;
}

void ft_inspect_rules_flow(struct ft_inspector *ins, struct ft_flow *flow, enum ft_side side)
{
    struct ft_rule_hits *all = &ins->shards->rule_hits[flow->shard];
    bool is_first = flow->packets[0] + flow->packets[1] == 1;
    if (is_first && all->since_ns == UINT64_MAX)
        all->since_ns = flow->first_ns;
    bool is_swept = all->sweep && flow->index >= all->sweep && is_older(all, flow);
    test_flow(ins, flow, side, is_swept ? PART_OLD : PART_ALL);
}

void ft_inspect_rules_packet(struct ft_inspector *ins, struct ft_flow *flow)
{
    struct ft_subject s;
    struct hit hit = {.ins = ins, .subject = &s};
    ft_inspect_prepare(ins, flow, ins->packet_side);
    set_subject(ins, &s);
    ft_match_packet(ins->rules.matcher, &s, on_hit, &hit);
}

void ft_inspect_rules_connection(struct ft_inspector *ins, struct ft_flow *flow,
                                 enum ft_side client, enum ft_connection outcome)
{
    struct ft_subject s;
    struct hit hit = {.ins = ins, .subject = &s};
    ft_inspect_prepare(ins, flow, client);
    set_subject(ins, &s);
    s.connection = (uint8_t)outcome;
    ft_match_connection(ins->rules.matcher, &s, on_hit, &hit);
}

/* ---- ticks ---- */

/* Flows that began before these rules came: some of them, in both directions that were seen. */
static void sweep(struct ft_inspector *ins, struct ft_rule_hits *all, uint8_t shard)
{
    uint32_t end = ins->shards->config.flow.flows_per_shard + 1;
    for (uint32_t n = 0; n < SWEEP && all->sweep < end; all->sweep++) {
        struct ft_flow *flow = ft_flow_at(ins->shards->flows, shard, all->sweep);
        if (!flow || !is_older(all, flow))
            continue;
        n++;
        for (unsigned side = 0; side < 2; side++)
            if (flow->packets[side])
                test_flow(ins, flow, side ? FT_SIDE_B : FT_SIDE_A,
                          all->sweeps_all ? PART_ALL : PART_NEW);
    }
    if (all->sweep >= end)
        all->sweep = 0;
    ins->flow = NULL;
}

void ft_inspect_rules_tick(struct ft_inspector *ins, uint8_t shard)
{
    struct ft_rule_hits *all = &ins->shards->rule_hits[shard];
    bool is_end = ins->packet->flags & FT_PACKET_END;
    if (all->sweep && ins->rules.has_flow)
        sweep(ins, all, shard);
    for (uint32_t i = 0; all->waiting && i < FT_RULE_HITS; i++)
        flush(ins, all, i, is_end);
}
