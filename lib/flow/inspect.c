/* SPDX-License-Identifier: BSD-3-Clause */
/* Inspection: from decoded packets of a shard to events. */
#include "flow/inspect_internal.h"

#include "base/hash.h"
#include "base/pool.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

_Static_assert(FT_PROTOCOL_SHARDS == FT_SHARDS, "a protocol is switched off by shard");
_Static_assert(offsetof(struct ft_packet, dst_mac) - offsetof(struct ft_packet, src_mac) == 6 &&
                   offsetof(struct ft_context, dst_mac) - offsetof(struct ft_context, src_mac) == 6,
               "MAC addresses stand side by side");

/* Payloads of a flow that are given to recognition before it counts as unknown. */
#define RECOGNISE_TRIES 4u

/* Seconds of packet time after which an unknown flow is looked at again. */
#define UNKNOWN_SECONDS 60u

/* Room kept in a record behind the tree: for the evidence of a rule, and more. */
#define EVENT_RESERVE (FT_EVENT_KEPT + FT_EVENT_VALUES * sizeof(uint64_t) + 128u)

#define ALTERNATE_STACK 65536u

/* Packets between asking for a flow's record and using it. */
#define PREFETCH_AHEAD 4u

#define SECOND_NS 1000000000ull

/* Computing time after which one call of a dissector has gone astray. */
#define OVERRUN_NS 200000000ull

/* The inspector whose dissector runs on this thread, for the signal handlers. */
static _Thread_local struct ft_inspector *guarded;

void ft_shards_config_init(struct ft_shards_config *config)
{
    *config = (struct ft_shards_config){
        .entries_per_shard = 8192, .small_buffers = 64, .large_buffers = 8};
    ft_flow_config_init(&config->flow);
}

/* Records of flows count from 1. */
static uint64_t outers_size(const struct ft_shards_config *config)
{
    return ((uint64_t)config->flow.flows_per_shard + 1) * sizeof(struct ft_outer);
}

/* Of a shard; those of all stand side by side, on huge pages where there are some. */
static uint64_t profiles_size(const struct ft_shards_config *config)
{
    return ((uint64_t)config->flow.flows_per_shard + 1) * sizeof(struct ft_flow_profile);
}

void ft_shards_free(struct ft_shards *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < FT_SHARDS; i++) {
        ft_state_free(&s->state[i]);
        ft_unmap(s->novelty[i].slots, (uint64_t)s->novelty[i].buckets * 64);
        ft_unmap(s->watched[i].entries,
                 (uint64_t)s->watched[i].size * sizeof(*s->watched[i].entries));
        ft_unmap(s->outers[i], outers_size(&s->config));
        ft_unmap(s->tails[i], FT_TAILS * sizeof(*s->tails[i]));
    }
    ft_unmap(s->profiles, FT_SHARDS * profiles_size(&s->config));
    ft_unmap(s->mirrors, FT_SHARDS * sizeof(*s->mirrors));
    ft_unmap(s->rule_hits, FT_SHARDS * sizeof(*s->rule_hits));
    ft_duplicates_free(s->duplicates);
    if (s->flows)
        ft_flow_table_free(s->flows);
    free(s);
}

/* The flow table guesses the server side by the ports that are bound. */
static void tell_ports(struct ft_shards *s)
{
    uint8_t tcp[8192] = {0}, udp[8192] = {0};
    for (uint32_t port = 0; port < 65536; port++) {
        tcp[port / 8] |= (uint8_t)((s->registry->tcp_port[port] != 0) << (port % 8));
        udp[port / 8] |= (uint8_t)((s->registry->udp_port[port] != 0) << (port % 8));
    }
    ft_flow_set_server_ports(s->flows, tcp, udp);
}

static uint32_t novelty_buckets(const struct ft_shards_config *config)
{
    uint32_t buckets = 256;
    while (buckets < config->flow.flows_per_shard)
        buckets *= 2;
    return config->novelty_buckets ? config->novelty_buckets : buckets;
}

struct ft_shards *ft_shards_new(const struct ft_registry *registry,
                                const struct ft_recogniser *recogniser,
                                const struct ft_shards_config *config, char *error,
                                size_t error_size)
{
    struct ft_shards *s = calloc(1, sizeof(*s));
    bool ok = s != NULL;
    if (ok) {
        s->registry = registry;
        s->recogniser = recogniser;
        s->config = *config;
        s->flows = ft_flow_table_new(&config->flow);
        s->mirrors = ft_map(FT_SHARDS * sizeof(*s->mirrors), false);
        s->rule_hits = ft_map(FT_SHARDS * sizeof(*s->rule_hits), false);
        s->profiles = ft_map(FT_SHARDS * profiles_size(config), config->flow.huge_pages);
        ok = s->flows && s->mirrors && s->rule_hits && s->profiles;
    }
    if (ok && config->duplicate_window_ns) {
        s->duplicates = ft_duplicates_new(config->duplicate_seed, config->duplicate_window_ns,
                                          config->flow.vlan_in_key);
        ok = s->duplicates != NULL;
    }
    for (unsigned i = 0; ok && i < FT_SHARDS; i++) {
        s->novelty[i].buckets = novelty_buckets(config);
        s->novelty[i].slots = ft_map((uint64_t)s->novelty[i].buckets * 64, false);
        s->watched[i].size = config->flow.flows_per_shard;
        s->watched[i].entries =
            ft_map((uint64_t)s->watched[i].size * sizeof(*s->watched[i].entries), false);
        s->outers[i] = ft_map(outers_size(config), false);
        s->tails[i] = ft_map(FT_TAILS * sizeof(*s->tails[i]), false);
        ok = s->novelty[i].slots && s->watched[i].entries && s->outers[i] && s->tails[i] &&
             ft_state_init(&s->state[i], config->entries_per_shard, config->small_buffers,
                           config->large_buffers);
    }
    if (!ok) {
        snprintf(error, error_size, "not enough memory for the flow tables: lower flow.max_flows");
        ft_shards_free(s);
        return NULL;
    }
    tell_ports(s);
    ft_flow_set_mirrors(s->flows, s->mirrors);
    return s;
}

void ft_shards_place(struct ft_shards *s, uint8_t shard, int node)
{
    ft_flow_place(s->flows, shard, node);
    ft_map_place(s->novelty[shard].slots, (uint64_t)s->novelty[shard].buckets * 64, node);
    ft_map_place(s->watched[shard].entries,
                 (uint64_t)s->watched[shard].size * sizeof(*s->watched[shard].entries), node);
    ft_map_place(s->outers[shard], outers_size(&s->config), node);
    ft_map_place((uint8_t *)s->profiles + shard * profiles_size(&s->config),
                 profiles_size(&s->config), node);
    ft_map_place(s->tails[shard], FT_TAILS * sizeof(*s->tails[shard]), node);
}

static bool raise_hook(void *user, struct ft_call *call, struct ft_message *message);
static void watch_slot(void *user, struct ft_request_slot *slot);
static uint64_t name_pair(void *user);

struct ft_inspector *ft_inspector_new(struct ft_shards *shards, struct ft_ring *ring,
                                      ft_inspect_wait_fn *wait, void *user)
{
    struct ft_inspector *ins = aligned_alloc(64, (sizeof(*ins) + 63) & ~(size_t)63);
    if (!ins)
        return NULL;
    memset(ins, 0, offsetof(struct ft_inspector, call));
    ins->shards = shards;
    ins->protocols = shards->registry->protocols;
    ins->ring = ring;
    ins->wait = wait;
    ins->wait_user = user;
    ft_call_init(&ins->call, shards->registry);
    ins->call.wants_all = shards->config.log_messages || shards->config.log_transactions;
    ins->call.raise = raise_hook;
    ins->call.watch = watch_slot;
    ins->call.name_pair = name_pair;
    ins->call.user = ins;
    ins->scratch = ft_recogniser_scratch_new(shards->recogniser);
    ins->alternate_stack = malloc(ALTERNATE_STACK);
    if (ins->scratch && ins->alternate_stack)
        return ins;
    ft_inspector_free(ins);
    return NULL;
}

void ft_inspector_free(struct ft_inspector *ins)
{
    if (!ins)
        return;
    ft_recogniser_scratch_free(ins->scratch);
    free(ins->alternate_stack);
    free(ins);
}

struct ft_ledger *ft_inspector_ledger(struct ft_inspector *ins)
{
    return &ins->ledger;
}

void ft_inspector_keep_packets(struct ft_inspector *ins, struct ft_history *history)
{
    ins->history = history;
}

void ft_inspector_wait(struct ft_inspector *ins, ft_inspect_wait_fn *wait, void *user)
{
    ins->wait = wait;
    ins->wait_user = user;
}

/* ---- events ---- */

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
    e->time_ns = ins->packet->stamp_ns;
    e->clock_ns = ins->packet->time_ns;
    e->number = ins->packet->number;
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

static void event_sub(struct ft_event *e, struct ft_event_sub *to, const struct ft_sub *from)
{
    to->kind = from->kind;
    to->value = from->value;
    if (from->text) {
        to->text = ft_inspect_event_append(e, from->text, from->length);
        to->length = to->text ? from->length : 0;
    }
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
static void keep_outer(struct ft_inspector *ins, const struct ft_flow *flow, enum ft_side side,
                       const struct ft_packet *p)
{
    ins->shards->outers[flow->shard][flow->index] = turned(&p->outer, side == FT_SIDE_B);
}

static bool is_icmp(const struct ft_flow *flow)
{
    return flow->key.family != 2 && (flow->key.proto == 1 || flow->key.proto == 58);
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
    if (is_icmp(flow))
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

static uint64_t pair_hash(const struct ft_flow *flow)
{
    uint64_t a = ft_hash_mix(flow->key.a.words[0], flow->key.a.words[1]);
    uint64_t b = ft_hash_mix(flow->key.b.words[0], flow->key.b.words[1]);
    return ft_hash_mix(a, ft_hash_mix(b, flow->key.family));
}

static uint64_t name_pair(void *user)
{
    const struct ft_inspector *ins = user;
    return pair_hash(ins->flow) | 1;
}

static struct ft_novelty *novelty(struct ft_inspector *ins)
{
    return &ins->shards->novelty[ins->packet->shard];
}

/* Two endpoints were seen, or seen to speak a protocol, or to answer a datagram: told once. */
static COLD void tell_talk(struct ft_inspector *ins, struct ft_flow *flow)
{
    uint64_t macs[2] = {0};
    memcpy(macs, flow->mac, 12);
    uint64_t h = ft_hash_mix(ft_hash_mix(pair_hash(flow), macs[0]), macs[1]);
    bool is_answer = flow->key.proto != 6 && flow->packets[0] && flow->packets[1];
    h = ft_hash_mix(h, (uint64_t)is_answer << 32 | (uint64_t)flow->protocol << 8 | flow->server);
    if (!ft_novelty_add(novelty(ins), h))
        return;
    struct ft_event *e = ft_inspect_event_begin(ins, FT_EVENT_TALK);
    if (!e)
        return;
    e->protocol = flow->protocol;
    ft_inspect_event_flow(ins, e, flow,
                          ins->packet_side == FT_SIDE_NONE ? FT_SIDE_A : ins->packet_side);
    ft_inspect_event_end(ins, e);
}

static void tell_anomaly(struct ft_inspector *ins, struct ft_flow *flow, enum ft_side side,
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

static void tell_health(struct ft_inspector *ins, const struct ft_protocol *p,
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
    event_sub(e, &to->sub[0], &m->sub[0]);
    event_sub(e, &to->sub[1], &m->sub[1]);
    e->size = (e->size + 7) & ~7u;
    to->tree = e->size;
    to->tree_length = ft_tree_pack(&ins->call, m, (uint8_t *)e + e->size,
                                   FT_EVENT_MAX - (uint32_t)EVENT_RESERVE - e->size, &is_cut);
    to->is_tree_cut = is_cut;
    e->size += to->tree_length;
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

static COLD void tell_violation(struct ft_inspector *ins, const struct ft_finding *f)
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

/* Facts whose values come back: the last one told counts, not all that were. */
static bool is_changing_fact(uint8_t fact)
{
    return fact == FT_FACT_MODE || fact == FT_FACT_FIRMWARE || fact == FT_FACT_PROTECTION;
}

/* Family of an address by its bytes; 0: none. */
static uint8_t family_of_length(uint8_t length)
{
    return length == 4 ? 4 : length == 16 ? 6 : length == 6 ? 2 : 0;
}

/* How often a sighting came since it was told last, with this one; 0: not to be told now. */
static COLD uint32_t count_sighting(struct ft_inspector *ins, uint64_t hash)
{
    struct ft_sightings *all = &ins->shards->sightings[ins->packet->shard];
    uint32_t i = (uint32_t)(hash >> 32) & (FT_SIGHTINGS - 1);
    uint32_t second = (uint32_t)(ins->packet->time_ns / SECOND_NS);
    bool is_known = all->slots[i].hash == hash;
    if (is_known && all->slots[i].second == second) {
        all->slots[i].count++;
        return 0;
    }
    if (all->second != second) {
        all->second = second;
        all->told = 0;
    }
    if (all->told == FT_SIGHTINGS) {
        all->untold++;
        return 0;
    }
    all->told++;
    uint32_t count = 1 + (is_known ? all->slots[i].count : 0);
    all->slots[i].hash = hash;
    all->slots[i].second = second;
    all->slots[i].count = 0;
    return count;
}

static COLD void tell_resolution(struct ft_inspector *ins, const struct ft_asset_fact *f)
{
    const struct ft_packet *p = ins->packet;
    uint64_t h = ft_hash_bytes(p->interface, p->vlan, sizeof(p->vlan));
    uint32_t count = count_sighting(
        ins, ft_hash_bytes(ft_hash_mix(h, pair_hash(ins->flow)), f->text, f->length));
    struct ft_event *e = count ? ft_inspect_event_begin(ins, FT_EVENT_RESOLUTION) : NULL;
    if (!e)
        return;
    struct ft_resolution_fact r;
    struct ft_sightings *all = &ins->shards->sightings[p->shard];
    memcpy(&r, f->text, sizeof(r));
    e->protocol = (uint16_t)(ins->call.messages[f->message].protocol->index + 1);
    ft_inspect_event_flow(ins, e, ins->flow, ins->side);
    e->resolution.what = r.what;
    e->resolution.family = r.length == 4 ? 4 : 6;
    memcpy(e->resolution.mac, r.mac, 6);
    memcpy(e->resolution.ip.bytes, r.ip, 16);
    memcpy(e->resolution.target.bytes, r.target, 16);
    e->resolution.count = count;
    e->resolution.untold = all->untold;
    all->untold = 0;
    ft_inspect_event_end(ins, e);
}

static COLD void tell_claim(struct ft_inspector *ins, const struct ft_asset_fact *f)
{
    struct ft_event *e = ft_inspect_event_begin(ins, FT_EVENT_CLAIM);
    if (!e)
        return;
    ft_inspect_event_message(ins, e, &ins->call.messages[f->message]);
    e->size = (e->size + 7) & ~7u;
    e->message.claim = ft_inspect_event_append(e, f->text, f->length);
    ft_inspect_event_end(ins, e);
}

/* Facts are told once: until the shard's novelty is renewed, or the value is another. */
static COLD void tell_fact(struct ft_inspector *ins, const struct ft_asset_fact *f)
{
    const struct ft_flow *flow = ins->flow;
    if (f->kind == FT_FACT_RESOLUTION || f->kind == FT_FACT_CLAIM) {
        (f->kind == FT_FACT_CLAIM ? tell_claim : tell_resolution)(ins, f);
        return;
    }
    bool of_b = (f->party == FT_SENDER) == (ins->side == FT_SIDE_B);
    const union ft_ip *ip = of_b ? &flow->key.b : &flow->key.a;
    union ft_ip of = {0};
    memcpy(of.bytes, f->of, f->of_length);
    uint64_t h = f->of_length ? ft_hash_mix(of.words[0], of.words[1] ^ (uint64_t)f->of_length << 32)
                              : ft_hash_mix(ip->words[0], ip->words[1] ^ flow->key.family);
    h = ft_hash_mix(h, (uint64_t)f->fact << 16 | (uint64_t)f->sub.kind << 8 | f->kind);
    h = ft_hash_mix(h, f->sub.value);
    bool is_lease = f->kind == FT_FACT_LEASE;
    if (is_lease) /* of the address to whoever has it now */
        h = ft_hash_bytes(h, f->text, f->length - 6u);
    if (is_lease || is_changing_fact(f->fact)
            ? !ft_novelty_change(novelty(ins), h, ft_hash_bytes(1, f->text, f->length))
            : !ft_novelty_add(novelty(ins), ft_hash_bytes(h, f->text, f->length)))
        return;
    struct ft_event *e = ft_inspect_event_begin(ins, FT_EVENT_FACT);
    if (!e)
        return;
    e->protocol = (uint16_t)(ins->call.messages[f->message].protocol->index + 1);
    ft_inspect_event_flow(ins, e, flow, ins->side);
    e->fact.is_address = f->kind != FT_FACT_TEXT;
    e->fact.is_lease = f->kind == FT_FACT_LEASE;
    e->fact.is_management = f->kind == FT_FACT_MANAGED;
    e->fact.of_family = family_of_length(f->of_length);
    e->fact.of = of;
    e->fact.party = f->party;
    e->fact.fact = f->fact;
    e->fact.text = ft_inspect_event_append(e, f->text, f->length);
    e->fact.length = f->length;
    event_sub(e, &e->fact.sub, &f->sub);
    ft_inspect_event_end(ins, e);
}

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
    return ft_novelty_add(novelty(ins), ft_hash_mix(operation, pair_hash(flow)));
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

static bool raise_hook(void *user, struct ft_call *call, struct ft_message *m)
{
    struct ft_inspector *ins = user;
    (void)call;
    if (!(m->protocol->flags & FT_DISSECTOR_TRANSPORT) && !m->is_new && tells_operation(m))
        m->is_new = is_new_operation(ins, m);
    return m->is_new || is_alert_class(m->class_);
}

/* Violations first: the core gives one alert for a command that is one and has a title. */
static COLD void tell_each(struct ft_inspector *ins)
{
    struct ft_call *call = &ins->call;
    const struct ft_shards_config *config = &ins->shards->config;
    for (uint32_t i = 0; i < call->finding_count; i++)
        tell_violation(ins, &call->findings[i]);
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
        tell_fact(ins, &call->facts[i]);
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
        tell_each(ins);
}

/* ---- dissecting ---- */

static const struct ft_protocol *protocol_of(const struct ft_inspector *ins,
                                             const struct ft_flow *flow)
{
    return flow->protocol ? ins->protocols[flow->protocol - 1] : NULL;
}

static uint8_t direction_of(const struct ft_flow *flow, enum ft_side sender)
{
    static const uint8_t directions[3][3] = {
        [FT_SIDE_A] = {FT_TO_CLIENT, FT_TO_SERVER, FT_TO_SERVER},
        [FT_SIDE_B] = {FT_TO_SERVER, FT_TO_CLIENT, FT_TO_SERVER},
    };
    return directions[flow->server][sender];
}

static enum ft_transport transport_of(const struct ft_flow *flow)
{
    return flow->key.family == 2   ? FT_TRANSPORT_L2
           : flow->key.proto == 6  ? FT_TRANSPORT_TCP
           : flow->key.proto == 17 ? FT_TRANSPORT_UDP
                                   : FT_TRANSPORT_IP;
}

/* Names a flow for good; see flow_of_entry(). */
static uint64_t owner_flow(const struct ft_flow *flow)
{
    return flow->first_number << 24 | flow->index;
}

/* Set the context up for bytes sent by `sender` of `flow`. */
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
    call->owner.flow = owner_flow(flow);
    call->shard = flow->shard;
    call->owner.pair = 0;
    call->number = p->number;
    call->flow_state = flow->state_words;
    call->state_map = &flow->state_map;
    call->children = flow->children;
    call->slot = &flow->request;
    ctx->transport = (uint8_t)transport_of(flow);
    ctx->direction = direction_of(flow, sender);
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

/* From here to guard_end() a fault on this thread abandons the call. */
static void guard_begin(struct ft_inspector *ins, const struct ft_protocol *p)
{
    ins->call.protocol = p;
    atomic_store_explicit(&ins->call_serial,
                          atomic_load_explicit(&ins->call_serial, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    ins->is_guarded = 1;
}

static void guard_end(struct ft_inspector *ins)
{
    ins->is_guarded = 0;
    atomic_signal_fence(memory_order_seq_cst);
}

/* A flow speaks what its port or its content promised: the first PDU is here. */
static COLD void confirm(struct ft_inspector *ins, struct ft_flow *flow,
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
        tell_talk(ins, flow);
}

/* A PDU that is not just the payload of this packet, which is searched by itself. */
static COLD void search_pdu(struct ft_inspector *ins, const uint8_t *pdu, uint32_t length)
{
    const struct ft_packet *p = ins->packet;
    bool is_payload = !(p->flags & (FT_PACKET_TICK | FT_PACKET_END)) &&
                      pdu == p->data + p->payload && length == p->payload_len;
    if (!is_payload && length)
        ft_inspect_rules_payload(ins, pdu, length);
}

static void dissect(struct ft_inspector *ins, const struct ft_protocol *p, const uint8_t *pdu,
                    uint32_t length, uint32_t whole, bool is_truncated)
{
    if (!ins->flow->is_confirmed)
        confirm(ins, ins->flow, p);
    guard_begin(ins, p);
    ft_call_dissect(&ins->call, p, pdu, length, whole, is_truncated);
    guard_end(ins);
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

/* The framer calls this for each PDU; the guard was closed by dissect() and is opened again for
 * the frame() that follows. */
static void on_pdu(void *user, const uint8_t *pdu, uint32_t length, uint32_t whole, bool truncated)
{
    struct ft_inspector *ins = user;
    const struct ft_protocol *p = protocol_of(ins, ins->flow);
    dissect(ins, p, pdu, length, whole, truncated);
    /* A PDU may have told the direction; frame() of the next one should know. */
    ins->call.pub.direction = direction_of(ins->flow, ins->side);
    ins->call.pub.flow_state = ins->flow->state_words;
    guard_begin(ins, p);
}

static void tell_protocol_violation(struct ft_inspector *ins, const struct ft_protocol *p,
                                    uint32_t violation)
{
    ft_call_violation(&ins->call, p, violation);
    tell_violation(ins, &ins->call.findings[0]);
}

/* ---- recognition ---- */

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

static COLD void assign(struct ft_flow *flow, const struct ft_protocol *p)
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
    guard_begin(ins, p);
    enum ft_verdict verdict = p->dissector->probe(&where, ft_view_make(bytes, length, is_cut));
    guard_end(ins);
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
    assign(flow, p);
    memcpy(flow->state_words, keep, size);
    return p;
}

static void give_up_flow(const struct ft_inspector *ins, struct ft_flow *flow)
{
    flow->flags |= FT_FLOW_UNKNOWN;
    flow->unknown_since_s = (uint32_t)(ins->packet->time_ns / SECOND_NS);
}

/*
 * Sessions last for months: what was not recognised once gets another chance each minute. On a
 * bound port with foreign content the protocol of the port is looked for all the time.
 */
static bool is_given_up(const struct ft_inspector *ins, struct ft_flow *flow)
{
    if ((flow->flags & (FT_FLOW_UNKNOWN | FT_FLOW_UNEXPECTED)) != FT_FLOW_UNKNOWN)
        return false;
    uint32_t now = (uint32_t)(ins->packet->time_ns / SECOND_NS);
    if (now - flow->unknown_since_s < UNKNOWN_SECONDS || now < flow->unknown_since_s)
        return true;
    flow->flags &= (uint8_t)~FT_FLOW_UNKNOWN;
    flow->tries = RECOGNISE_TRIES - 1;
    return false;
}

static const struct ft_protocol *recognise_content(struct ft_inspector *ins, struct ft_flow *flow,
                                                   const uint8_t *bytes, uint32_t length,
                                                   bool is_cut)
{
    struct ft_probe where = probe_of(ins, false);
    guard_begin(ins, NULL);
    const struct ft_protocol *p = ft_recognise(ins->shards->recogniser, ins->scratch, flow->shard,
                                               &where, bytes, length, is_cut, &flow->maybe);
    guard_end(ins);
    if (p)
        flow->flags |= FT_FLOW_BY_SIGNATURE;
    else if (++flow->tries >= RECOGNISE_TRIES)
        give_up_flow(ins, flow);
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
static COLD bool recognise(struct ft_inspector *ins, struct ft_flow *flow, const uint8_t *bytes,
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
        assign(flow, bound);
        return true;
    }
    if (flow->flags & FT_FLOW_UNKNOWN)
        return false;
    p = recognise_content(ins, flow, bytes, length, is_cut);
    if (!p && is_expected && ins->call.pub.is_midstream) {
        /* The capture began in the middle of a PDU: the framer finds the start of the next. */
        assign(flow, bound);
        return true;
    }
    if (is_expected) {
        flow->flags |= FT_FLOW_UNEXPECTED;
        if (!may_have_changed(ins, flow, bound) && !is_shared_port(ins, bound))
            tell_protocol_violation(ins, bound, FT_VIOLATION_NOT_PROTOCOL);
    }
    if (p)
        assign(flow, p);
    return p != NULL;
}

/* ---- streams ---- */

static struct ft_framer_call framer_call(struct ft_inspector *ins, const struct ft_flow *flow)
{
    const struct ft_protocol *p = protocol_of(ins, flow);
    return (struct ft_framer_call){.dissector = p ? p->dissector : NULL,
                                   .context = &ins->call.pub,
                                   .pools = &ins->call.state->pools,
                                   .bytes = &ins->ledger.stream,
                                   .pdu = on_pdu,
                                   .is_first = !flow->is_confirmed,
                                   .user = ins};
}

static void reset_framers(struct ft_inspector *ins, struct ft_flow *flow)
{
    for (unsigned side = 0; side < 2; side++) {
        ft_framer_end(&flow->framer[side], &ins->call.state->pools, &ins->ledger.stream);
        flow->framer[side] = (struct ft_framer){0};
    }
}

static bool is_readable(const struct ft_protocol *p, uint8_t shard)
{
    return p && !ft_protocol_is_off(p, shard);
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
        confirm(ins, flow, protocol_of(ins, flow));
    if (f->mode == FT_FRAMER_OPAQUE)
        flow->flags |= FT_FLOW_ENCRYPTED;
}

/*
 * The bytes are not what the port promises, as far as can be read. A PDU of a field protocol is
 * small: one would have been found. A session of an office protocol that was joined in the middle
 * of a long transfer is not to blame; it is other content only once that is recognised.
 */
static COLD void tell_foreign(struct ft_inspector *ins, struct ft_flow *flow,
                              const struct ft_protocol *p)
{
    if (may_have_changed(ins, flow, p)) {
        if (++flow->tries >= RECOGNISE_TRIES)
            give_up_flow(ins, flow);
        return;
    }
    flow->flags |= FT_FLOW_UNEXPECTED;
    if (flow->is_confirmed || !is_shared_port(ins, p))
        tell_protocol_violation(ins, p, FT_VIOLATION_NOT_PROTOCOL);
}

/* Bytes in order. Loops when a protocol hands the stream over to another. */
static void on_data(void *user, struct ft_flow *flow, enum ft_side side, const uint8_t *bytes,
                    uint32_t length)
{
    struct ft_inspector *ins = user;
    if (__builtin_expect(ins->rules.has_joint, 0) && !flow->protocol)
        ft_inspect_tail(ins, flow, side, bytes, length);
    ft_inspect_prepare(ins, flow, side);
    for (unsigned switches = 0; length;) {
        if (!flow->protocol &&
            (is_given_up(ins, flow) || switches > 4 || !recognise(ins, flow, bytes, length, false)))
            break;
        const struct ft_protocol *p = protocol_of(ins, flow);
        if (!is_readable(p, flow->shard))
            break;
        struct ft_framer_call call = framer_call(ins, flow);
        ins->call.pub.flow_state = flow->state_words;
        guard_begin(ins, p);
        enum ft_framer_result result = ft_framer_data(&flow->framer[side], &call, bytes, length);
        guard_end(ins);
        bytes += call.consumed;
        length -= call.consumed;
        if (result == FT_FRAMER_GOING)
            break;
        switches++;
        reset_framers(ins, flow);
        flow->protocol = 0;
        const struct ft_protocol *next = NULL;
        if (result == FT_FRAMER_SWITCHED && call.next)
            next = ft_registry_find(ins->shards->registry, call.next);
        if (next)
            assign(flow, next);
        else if (result == FT_FRAMER_SWITCHED)
            flow->flags |= FT_FLOW_UNEXPECTED;
        else if (!(flow->flags & FT_FLOW_UNEXPECTED))
            tell_foreign(ins, flow, p);
        if (call.rest_length)
            on_data(ins, flow, side, call.rest, call.rest_length);
        if (__builtin_expect(ins->rules.has_joint, 0)) { /* some bytes were not kept */
            ft_inspect_tail_gap(ins, flow, FT_SIDE_A);
            ft_inspect_tail_gap(ins, flow, FT_SIDE_B);
        }
        ft_framer_rest_done(call.pools);
        ft_inspect_prepare(ins, flow, side);
    }
    if (is_read_no_more(&flow->framer[side]))
        end_reading(ins, flow, &flow->framer[side]);
    ins->ledger.stream.skipped += length;
}

static void on_gap(void *user, struct ft_flow *flow, enum ft_side side, uint32_t length)
{
    struct ft_inspector *ins = user;
    flow->flags |= FT_FLOW_GAP;
    if (__builtin_expect(ins->rules.has_joint, 0))
        ft_inspect_tail_gap(ins, flow, side);
    if (!flow->protocol) /* what comes now is no beginning */
        flow->flags &= (uint8_t)~FT_FLOW_SYN_SEEN;
    ft_state_gap(&ins->shards->state[flow->shard], owner_flow(flow), direction_of(flow, side));
    if (!is_readable(protocol_of(ins, flow), flow->shard))
        return;
    ft_inspect_prepare(ins, flow, side);
    struct ft_framer_call call = framer_call(ins, flow);
    ft_framer_gap(&flow->framer[side], &call, length);
}

static void on_stream_violation(void *user, struct ft_flow *flow, enum ft_side side,
                                enum ft_stream_violation violation)
{
    tell_anomaly(user, flow, side,
                 violation == FT_STREAM_OVERLAP_DIFFERS ? FT_ANOMALY_STREAM_OVERLAP
                                                        : FT_ANOMALY_DATA_AFTER_CLOSE);
}

static void on_unseen(void *user, struct ft_flow *flow, struct ft_mirror_place place,
                      uint32_t length)
{
    struct ft_inspector *ins = user;
    ft_mirror_count(&ins->shards->mirrors[flow->shard], FT_MIRROR_UNSEEN, place, place, length, 1);
}

static const struct ft_stream_ops stream_ops = {
    .data = on_data, .gap = on_gap, .violation = on_stream_violation, .unseen = on_unseen};

/* ---- packets ---- */

static enum ft_bucket fate_of(const struct ft_inspector *ins, const struct ft_flow *flow)
{
    if (flow->flags & FT_FLOW_ENCRYPTED)
        return FT_BUCKET_ENCRYPTED;
    /* What only the port says, and the content does not, is not known. */
    bool is_sought = !flow->is_confirmed && flow->framer[ins->packet_side].mode == FT_FRAMER_RESYNC;
    return is_readable(protocol_of(ins, flow), flow->shard) && !is_sought
               ? FT_BUCKET_ANALYSED
               : FT_BUCKET_UNKNOWN_PROTOCOL;
}

/* Rules about bytes see what the packet carries, whoever reads it. */
static COLD void search_payload(struct ft_inspector *ins, struct ft_flow *flow,
                                const struct ft_packet *p)
{
    const uint8_t *payload = p->data + p->payload;
    if (!p->payload_len ||
        ft_inspect_rules_spare(ins, flow, ins->packet_side, payload, p->payload_len))
        return;
    ft_inspect_prepare(ins, flow, ins->packet_side);
    ft_inspect_rules_payload(ins, payload, p->payload_len);
}

/* Most packets of a connection are nothing that rules about packets are tested on; the first of a
 * direction were. */
static COLD void look_at_tcp(struct ft_inspector *ins, struct ft_flow *flow,
                             const struct ft_packet *p)
{
    if (ft_inspect_is_control(p->tcp_flags) && ins->rules.has_packet &&
        flow->packets[ins->packet_side] != 1)
        ft_inspect_rules_packet(ins, flow);
    if (ins->rules.has_payload)
        search_payload(ins, flow, p);
}

static enum ft_bucket inspect_tcp(struct ft_inspector *ins, struct ft_flow *flow,
                                  const struct ft_packet *p)
{
    ins->ledger.stream_received += p->payload_len;
    if (__builtin_expect(ins->rules.looks_at_tcp, 0))
        look_at_tcp(ins, flow, p);
    ft_stream_packet(ins->shards->flows, flow, ins->packet_side, p, &stream_ops, ins,
                     &ins->ledger.stream);
    return p->payload_len ? fate_of(ins, flow) : FT_BUCKET_NO_PAYLOAD;
}

static enum ft_bucket inspect_datagram(struct ft_inspector *ins, struct ft_flow *flow,
                                       const struct ft_packet *p)
{
    const uint8_t *payload = p->data + p->payload;
    bool is_cut = p->payload_len < p->payload_wirelen;
    if (!p->payload_len)
        return FT_BUCKET_NO_PAYLOAD;
    ft_inspect_prepare(ins, flow, ins->packet_side);
    if (!flow->protocol &&
        (is_given_up(ins, flow) || !recognise(ins, flow, payload, p->payload_len, is_cut)))
        return FT_BUCKET_UNKNOWN_PROTOCOL;
    const struct ft_protocol *proto = protocol_of(ins, flow);
    if (is_readable(proto, flow->shard))
        dissect(ins, proto, payload, p->payload_len, p->payload_wirelen, is_cut);
    return fate_of(ins, flow);
}

/* The protocol of what is neither TCP nor UDP is fixed by its type: index + 1. */
static uint8_t type_protocol(const struct ft_registry *r, const struct ft_packet *p)
{
    if (p->flags & (FT_PACKET_IPV4 | FT_PACKET_IPV6))
        return r->ip_protocol[p->proto];
    if (p->flags & FT_PACKET_LLC && !(p->flags & FT_PACKET_SNAP)) /* in frames of data only: UI */
        return (p->data[p->l3 + 2] & 0xef) == 0x03 ? r->llc_sap[p->ethertype >> 8] : 0;
    if (p->flags & FT_PACKET_SNAP) {
        const struct ft_protocol *proto = ft_registry_snap(r, p->snap);
        if (proto)
            return (uint8_t)(proto->index + 1);
    }
    return p->flags & FT_PACKET_LLC ? 0 : r->ethertype[p->ethertype];
}

/*
 * What nobody is bound to may have a protocol that tells by whom it is carried. It reads no more
 * than that, so the packet is booked as what it is: of an unknown protocol.
 */
static enum ft_bucket inspect_unbound(struct ft_inspector *ins, struct ft_flow *flow,
                                      const struct ft_packet *p)
{
    const struct ft_registry *r = ins->shards->registry;
    bool is_llc = p->flags & FT_PACKET_LLC, is_ip = p->flags & (FT_PACKET_IPV4 | FT_PACKET_IPV6);
    uint8_t other = is_ip ? 0 : is_llc ? r->other_llc : r->other_ethertype;
    uint32_t at = is_llc ? p->l3 : p->payload, header = p->payload - at;

    if (p->payload_len && !other)
        flow->tries = 1; /* nobody reads it: told when the flow ends */
    if (other) {
        if (!flow->protocol)
            assign(flow, r->protocols[other - 1]);
        ft_inspect_prepare(ins, flow, ins->packet_side);
        if (!ft_protocol_is_off(r->protocols[other - 1], flow->shard))
            dissect(ins, r->protocols[other - 1], p->data + at, p->payload_len + header,
                    p->payload_wirelen + header, p->payload_len < p->payload_wirelen);
    }
    if (!p->payload_len)
        return FT_BUCKET_NO_PAYLOAD;
    ins->ledger.carriers[ft_carrier_of(p)]++;
    return FT_BUCKET_UNKNOWN_PROTOCOL;
}

/* The LAN's number as it stands in the trailer of PRP. */
static uint8_t lan_of(const struct ft_packet *p)
{
    bool is_layer_2 = !(p->flags & (FT_PACKET_IPV4 | FT_PACKET_IPV6));
    return !is_layer_2 || !(p->flags & FT_PACKET_PRP) ? 0 : p->flags & FT_PACKET_PRP_B ? 11 : 10;
}

static enum ft_bucket inspect_other(struct ft_inspector *ins, struct ft_flow *flow,
                                    const struct ft_packet *p)
{
    const struct ft_registry *r = ins->shards->registry;
    uint8_t n = type_protocol(r, p);

    if (!n)
        return inspect_unbound(ins, flow, p);
    if (!p->payload_len)
        return FT_BUCKET_NO_PAYLOAD;
    if (flow->protocol != n)
        assign(flow, r->protocols[n - 1]);
    ins->call.pub.lan = lan_of(p);
    enum ft_bucket bucket = inspect_datagram(ins, flow, p);
    ins->call.pub.lan = 0;
    return bucket;
}

/* Stations send a frame to themselves only to test a link (ethertype 9000), and loopback devices
 * have no addresses at all. */
static void check_frame(struct ft_inspector *ins, struct ft_flow *flow, const struct ft_packet *p)
{
    static const uint8_t none[6];
    if (p->src_mac[0] & 1)
        tell_anomaly(ins, flow, ins->packet_side, FT_ANOMALY_MAC_GROUP);
    if (memcmp(p->src_mac, p->dst_mac, 6) == 0 && memcmp(p->src_mac, none, 6) != 0 &&
        p->ethertype != 0x9000)
        tell_anomaly(ins, flow, ins->packet_side, FT_ANOMALY_MAC_SAME);
    for (unsigned i = 0; i < p->vlan_count; i++)
        if (p->vlan[i] == 0xfff)
            tell_anomaly(ins, flow, ins->packet_side, FT_ANOMALY_VLAN_RESERVED);
}

static COLD void check_addresses(struct ft_inspector *ins, struct ft_flow *flow,
                                 const struct ft_packet *p)
{
    if (p->flags & (FT_PACKET_TCP | FT_PACKET_UDP) && !p->dst_port)
        tell_anomaly(ins, flow, ins->packet_side, FT_ANOMALY_PORT_ZERO);
    if (p->flags & (FT_PACKET_IPV4 | FT_PACKET_IPV6) && p->src_port == p->dst_port &&
        memcmp(&p->src, &p->dst, sizeof(p->src)) == 0)
        tell_anomaly(ins, flow, ins->packet_side, FT_ANOMALY_LAND);
    if (p->flags & FT_PACKET_ETHERNET)
        check_frame(ins, flow, p);
}

/* The first packet of a flow in one direction. Only the second one shows who was not merely spoken
 * to; who answers with TCP is known from the session. */
static COLD void first_packet(struct ft_inspector *ins, struct ft_flow *flow, enum ft_side side,
                              const struct ft_packet *p)
{
    bool is_first = flow->packets[0] + flow->packets[1] == 1;
    if (is_first && flow->tunnel)
        keep_outer(ins, flow, side, p);
    if (is_first && ins->rules.set)
        ft_inspect_rules_new_flow(ins, flow);
    if (is_first)
        check_addresses(ins, flow, p);
    if (is_first || flow->key.proto != 6)
        tell_talk(ins, flow);
    if (ins->rules.has_flow)
        ft_inspect_rules_flow(ins, flow, side);
    if (ins->rules.has_packet)
        ft_inspect_rules_packet(ins, flow);
    if (ins->rules.has_connection && !is_first)
        ft_inspect_first_answer(ins, flow, side);
    ins->side = side;
}

static enum ft_bucket inspect_packet(struct ft_inspector *ins, struct ft_flow *flow,
                                     enum ft_side side, const struct ft_packet *p)
{
    if (!flow)
        return FT_BUCKET_SHED_FLOW_TABLE;
    ins->flow = flow;
    ins->packet_side = ins->side = side;
    if (flow->packets[side] == 1)
        first_packet(ins, flow, side, p);
    if (__builtin_expect(ins->rules.has_payload, 0) && !(p->flags & FT_PACKET_TCP))
        search_payload(ins, flow, p);
    if (p->flags & FT_PACKET_FRAGMENT_OVERLAP)
        tell_anomaly(ins, flow, side, FT_ANOMALY_FRAGMENT_OVERLAP);
    if (p->flags & FT_PACKET_TCP)
        return inspect_tcp(ins, flow, p);
    if (p->flags & FT_PACKET_UDP)
        return inspect_datagram(ins, flow, p);
    return inspect_other(ins, flow, p);
}

/* Flags that are counted by their combination: one count a packet, taken apart in the books. */
#define KIND_FLAGS                                                                                 \
    (FT_PACKET_IPV4 | FT_PACKET_IPV6 | FT_PACKET_TCP | FT_PACKET_UDP | FT_PACKET_ETHERNET)

_Static_assert((KIND_FLAGS) == KINDS - 1, "the kinds are the lowest flags");

/* What few packets have. */
static COLD void count_rare(struct ft_ledger *l, const struct ft_packet *p)
{
    l->tunnelled += (p->flags & FT_PACKET_TUNNELLED) != 0;
    l->bad_ip_checksums += (p->flags & FT_PACKET_IP_CHECKSUM_BAD) != 0;
    l->bad_l4_checksums += (p->flags & FT_PACKET_L4_CHECKSUM_BAD) != 0;
    l->open_checksums += (p->flags & FT_PACKET_CHECKSUM_OPEN) != 0;
    if (!(p->flags & (FT_PACKET_IPV4 | FT_PACKET_IPV6)))
        l->not_ip++;
    else if (p->proto == 1 || p->proto == 58)
        l->icmp++;
    else if (!(p->flags & (FT_PACKET_TCP | FT_PACKET_UDP)))
        l->other_ip++;
}

static inline void count_packet(struct ft_inspector *ins, const struct ft_packet *p)
{
    const uint32_t rare = FT_PACKET_TUNNELLED | FT_PACKET_IP_CHECKSUM_BAD |
                          FT_PACKET_L4_CHECKSUM_BAD | FT_PACKET_CHECKSUM_OPEN;
    struct ft_ledger *l = &ins->ledger;
    ins->kinds[p->flags & KIND_FLAGS]++;
    l->received_bytes += p->wirelen;
    l->max_size = p->wirelen > l->max_size ? p->wirelen : l->max_size;
    l->vlan += p->vlan_count != 0;
    if (__builtin_expect(p->flags & rare || !(p->flags & (FT_PACKET_TCP | FT_PACKET_UDP)), 0))
        count_rare(l, p);
}

/* ---- ends of flows ---- */

/* The protocol a flow is known by: the innermost that a carrying layer recognised. */
static uint16_t innermost(const struct ft_flow *flow)
{
    for (unsigned i = FT_INLINE_CHILDREN; i-- > 0;)
        if (flow->children[i])
            return flow->children[i];
    return flow->protocol;
}

/* Had it payload? Who has none is tried by nobody. */
static bool had_payload(const struct ft_flow *flow)
{
    return flow->protocol || flow->tries || flow->messages ||
           flow->flags & (FT_FLOW_UNKNOWN | FT_FLOW_UNEXPECTED);
}

static void give_up_requests(struct ft_inspector *ins, struct ft_flow *flow);

static void on_flow_end(void *user, struct ft_flow *flow, enum ft_flow_end why)
{
    struct ft_inspector *ins = user;
    struct ft_flow *packet_flow = ins->flow;
    enum ft_side packet_side = ins->packet_side;
    ins->packet_side = FT_SIDE_NONE;
    ins->call.state = &ins->shards->state[flow->shard];
    if (flow->key.proto == 6 && flow->key.family != 2)
        ft_stream_flush(ins->shards->flows, flow, &stream_ops, ins, &ins->ledger.stream);
    reset_framers(ins, flow);
    give_up_requests(ins, flow);
    if (ins->rules.has_connection)
        ft_inspect_no_answer(ins, flow);
    struct ft_event *e = ft_inspect_event_begin(ins, FT_EVENT_FLOW);
    if (e) {
        enum ft_side client = flow->server == FT_SIDE_A ? FT_SIDE_B : FT_SIDE_A;
        enum ft_side sender = is_icmp(flow) ? (enum ft_side)flow->first : client;
        unsigned from = sender == FT_SIDE_B;
        ft_inspect_event_flow(ins, e, flow, sender);
        e->protocol = flow->is_confirmed ? innermost(flow) : 0;
        for (unsigned i = 0; i < 2; i++) {
            e->flow.packets[i] = flow->packets[i ^ from];
            e->flow.bytes[i] = flow->bytes[i ^ from];
            e->flow.tcp_flags[i] = flow->tcp_flags[i ^ from];
        }
        e->flow.first_ns = flow->first_ns;
        e->flow.last_ns = flow->last_ns;
        e->flow.state = flow->state;
        e->flow.reason = (uint8_t)why;
        e->flow.alerted = (flow->flags & FT_FLOW_ALERTED) != 0;
        e->flow.is_unknown = !e->protocol && had_payload(flow);
        e->flow.is_encrypted = (flow->flags & FT_FLOW_ENCRYPTED) != 0;
        e->flow.messages = flow->messages;
        ft_inspect_event_end(ins, e);
    }
    ins->flow = packet_flow;
    ins->packet_side = packet_side;
}

/* ---- faults ---- */

/* A dissector was abandoned while reading `p`: it is disabled, the rest goes on. */
static void after_fault(struct ft_inspector *ins, struct ft_packet *p)
{
    const struct ft_protocol *called =
        ins->call.protocol ? ins->call.protocol : ft_recogniser_asked(ins->scratch);
    struct ft_protocol *culprit = called ? ins->shards->registry->protocols[called->index] : NULL;
    struct ft_ledger *l = &ins->ledger;
    int signal = ins->fault_signal;
    guard_end(ins);
    ft_call_abandon(&ins->call);
    if (culprit)
        ft_protocol_switch_off(culprit, ins->wait ? ins->packet->shard : FT_ALL_SHARDS);
    uint64_t most = p ? p->payload_len : 0; /* bytes that were in the dissector's hands */
    if (ins->flow) {
        const struct ft_framer_pools *pools = &ins->call.state->pools;
        most += pools->lent ? ft_buffer_size(pools->lent) : 0;
        most += pools->rest ? ft_buffer_size(pools->rest) : 0;
        most += ins->flow->half[0].held_bytes + ins->flow->half[1].held_bytes;
        ft_framer_abandon(&ins->call.state->pools);
        reset_framers(ins, ins->flow);
        l->stream.held -= ins->flow->half[0].held_bytes + ins->flow->half[1].held_bytes;
        ft_stream_release(ins->shards->flows, ins->flow);
        give_up_flow(ins, ins->flow);
    }
    /* Nobody's any more; but no more than there were, so that books which were wrong stay so. */
    uint64_t missing = l->stream_received - ft_stream_bytes_booked(&l->stream);
    l->stream.abandoned += missing < most ? missing : most;
    l->faults++;
    tell_health(ins, culprit,
                signal == SIGUSR2 ? FT_HEALTH_DISSECTOR_OVERRUN : FT_HEALTH_DISSECTOR_FAULT,
                signal);
    if (p) {
        p->bucket = FT_BUCKET_SHED_FAULT;
        l->packets[FT_BUCKET_SHED_FAULT]++;
    }
}

static void on_fault(int signal, siginfo_t *info, void *user)
{
    struct ft_inspector *ins = guarded;
    (void)info;
    (void)user;
    bool is_overrun = signal == SIGUSR2;
    /* The call that was meant may have come to its end, and be changing shared state right now. */
    bool is_late = is_overrun && ins &&
                   (atomic_load_explicit(&ins->call.is_changing, memory_order_relaxed) ||
                    atomic_load_explicit(&ins->overrun_serial, memory_order_relaxed) !=
                        atomic_load_explicit(&ins->call_serial, memory_order_relaxed));
    if (ins && ins->is_guarded && !is_late) {
        ins->fault_signal = signal;
        siglongjmp(ins->escape, 1);
    }
    if (is_overrun)
        return;
    /* Not in a dissector: the default action, a core dump, is what is wanted. */
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigaction(signal, &standard, NULL);
    raise(signal);
}

void ft_inspect_install_guard(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGUSR2};
    /* Not deferred: the handler leaves by a jump that does not restore the signal mask. */
    struct sigaction sa = {.sa_sigaction = on_fault,
                           .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART};
    for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaction(signals[i], &sa, NULL);
}

bool ft_inspect_guard_thread(struct ft_inspector *ins)
{
    stack_t stack = {.ss_sp = ins->alternate_stack, .ss_size = ALTERNATE_STACK};
    guarded = ins;
    return sigaltstack(&stack, &ins->former_stack) == 0;
}

void ft_inspect_unguard_thread(struct ft_inspector *ins)
{
    /* A sanitizer has one of its own for each thread, and frees whatever is set at the end. */
    sigaltstack(&ins->former_stack, NULL);
    guarded = NULL;
}

/* Time that a thread has been computing: a machine that is busy with other things slows no clock.
 */
static uint64_t cpu_ns(pthread_t thread)
{
    clockid_t clock;
    struct timespec t;
    if (pthread_getcpuclockid(thread, &clock) != 0 || clock_gettime(clock, &t) != 0)
        return 0;
    return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

void ft_inspect_watch(struct ft_inspector *ins, unsigned long thread)
{
    uint64_t serial = atomic_load_explicit(&ins->call_serial, memory_order_relaxed);
    uint64_t now = cpu_ns((pthread_t)thread);
    if (!ins->is_guarded || serial != ins->watch_serial) {
        ins->watch_serial = serial;
        ins->watch_cpu_ns = now;
    } else if (now - ins->watch_cpu_ns >= OVERRUN_NS) {
        atomic_store_explicit(&ins->overrun_serial, serial, memory_order_relaxed);
        pthread_kill((pthread_t)thread, SIGUSR2);
    }
}

/* ---- bursts, ticks ---- */

#define BURST 64u

/* For who wants the packets around an alert; before it is read, since that may go wrong. */
static __attribute__((noinline)) void keep_packet(struct ft_inspector *ins,
                                                  const struct ft_flow *flow,
                                                  const struct ft_packet *p)
{
    if (flow)
        ft_history_keep(ins->history, p, flow, flow->packets[0] + flow->packets[1] == 1);
}

static void inspect_some(struct ft_inspector *ins, struct ft_packet *const *packets, uint32_t count)
{
    struct ft_flow_table *flows = ins->shards->flows;
    struct ft_flow *hints[BURST];
    volatile uint32_t i = 0;
    ft_flow_prepare(flows, packets, count, hints);
    if (sigsetjmp(ins->escape, 0)) {
        after_fault(ins, packets[i]);
        i++;
    }
    for (; i < count; i++) {
        struct ft_packet *p = packets[i];
        uint8_t side;
        if (i + PREFETCH_AHEAD < count)
            ft_flow_prefetch(packets[i + PREFETCH_AHEAD], hints[i + PREFETCH_AHEAD]);
        ins->packet = p;
        ins->flow = NULL;
        struct ft_flow *flow = ft_flow_take(flows, p, hints[i], &side, on_flow_end, ins);
        if (__builtin_expect(ins->history != NULL, 0))
            keep_packet(ins, flow, p);
        p->bucket = (uint8_t)inspect_packet(ins, flow, side, p);
        ins->ledger.packets[p->bucket]++;
    }
}

void ft_inspect_burst(struct ft_inspector *ins, struct ft_packet *const *packets, uint32_t count)
{
    struct ft_packet *decoded[BURST];
    uint32_t n = 0;
    ins->ledger.received += count;
    if (ins->shards->duplicates)
        ft_duplicates_mark(ins->shards->duplicates, packets, count, ins->shards->mirrors);
    for (uint32_t i = 0; i < count; i++) {
        struct ft_packet *p = packets[i];
        count_packet(ins, p);
        if (p->bucket != FT_BUCKET_NONE) {
            ins->ledger.packets[p->bucket]++;
            continue;
        }
        decoded[n++] = p;
        if (n == BURST) {
            inspect_some(ins, decoded, n);
            n = 0;
        }
    }
    if (n)
        inspect_some(ins, decoded, n);
}

/* ---- requests without a response ---- */

/*
 * A flow with a request in its slot is looked at when the request is due. Each flow stands in the
 * line of its shard at most once, so the line is as long as the shard has flows.
 */
static void watch_flow(struct ft_watch_line *line, const struct ft_flow *flow, uint64_t time_ns)
{
    line->entries[line->tail++ % line->size] =
        (struct ft_watch){flow->first_number << 24 | flow->index, time_ns};
}

static void watch_slot(void *user, struct ft_request_slot *slot)
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
static void give_up_requests(struct ft_inspector *ins, struct ft_flow *flow)
{
    static const struct ft_state_ops ops = {.unanswered = on_given_up};
    ins->ending = flow;
    ft_state_end_flow(&ins->shards->state[flow->shard], flow->first_number << 24 | flow->index,
                      &ops, ins);
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
    tell_protocol_violation(ins, ins->shards->registry->protocols[entry->protocol],
                            entry->deadline_violation);
}

void ft_inspect_tick(struct ft_inspector *ins, const struct ft_packet *tick, uint8_t shard)
{
    static const struct ft_state_ops ops = {.unanswered = on_unanswered, .silent = on_silent};
    struct ft_packet of_shard = *tick;
    of_shard.shard = shard;
    ins->packet = &of_shard;
    ins->flow = NULL;
    ins->packet_side = FT_SIDE_NONE;
    /* After a fault the tick goes on where it can: what was done is not done again, and the
     * dissector at fault is not called again. */
    if (sigsetjmp(ins->escape, 0))
        after_fault(ins, NULL);
    ft_stream_tick(ins->shards->flows, shard, tick->time_ns, &stream_ops, ins, &ins->ledger.stream);
    ft_state_tick(&ins->shards->state[shard], tick->time_ns, &ops, ins);
    look_at_slots(ins, shard, tick->time_ns);
    ft_flow_tick(ins->shards->flows, shard, tick->time_ns, on_flow_end, ins);
    ft_novelty_renew(&ins->shards->novelty[shard], tick->time_ns);
    ft_inspect_rules_tick(ins, shard);
}

void ft_inspect_end(struct ft_inspector *ins, const struct ft_packet *end, uint8_t shard)
{
    struct ft_packet of_shard = *end;
    of_shard.shard = shard;
    ins->packet = &of_shard;
    ins->flow = NULL;
    ins->packet_side = FT_SIDE_NONE;
    if (sigsetjmp(ins->escape, 0))
        after_fault(ins, NULL);
    ft_flow_flush(ins->shards->flows, shard, on_flow_end, ins);
    ft_inspect_rules_tick(ins, shard);
}

/* ---- books ---- */

void ft_books_add(struct ft_books *to, const struct ft_books *from)
{
    ft_ledger_add(&to->ledger, &from->ledger);
    uint64_t *a = (uint64_t *)(void *)&to->flows;
    const uint64_t *b = (const uint64_t *)(const void *)&from->flows;
    for (unsigned i = 0; i < (sizeof(*to) - offsetof(struct ft_books, flows)) / sizeof(*a); i++)
        a[i] += b[i];
}

/* Take apart what was counted by kind. */
static void book_kinds(const struct ft_inspector *ins, struct ft_ledger *l)
{
    for (uint32_t kind = 0; kind < KINDS; kind++) {
        uint64_t n = ins->kinds[kind];
        l->ethernet += kind & FT_PACKET_ETHERNET ? n : 0;
        l->ipv4 += kind & FT_PACKET_IPV4 ? n : 0;
        l->ipv6 += kind & FT_PACKET_IPV6 ? n : 0;
        l->tcp += kind & FT_PACKET_TCP ? n : 0;
        l->udp += kind & FT_PACKET_UDP ? n : 0;
    }
}

void ft_inspect_books(const struct ft_inspector *ins, const bool owned[FT_SHARDS],
                      struct ft_books *books)
{
    *books = (struct ft_books){
        .ledger = ins->ledger,
        .requests = {.asked = ins->call.asked, .answered = ins->call.answered},
    };
    book_kinds(ins, &books->ledger);
    for (unsigned shard = 0; shard < FT_SHARDS; shard++) {
        if (!owned[shard])
            continue;
        struct ft_books one = {.flows = ft_flow_stats(ins->shards->flows, (uint8_t)shard),
                               .state = ins->shards->state[shard].stats,
                               .requests.waiting =
                                   ins->shards->state[shard].count[FT_ENTRY_REQUEST],
                               .novelty_forgotten = ins->shards->novelty[shard].forgotten,
                               .ledger.rule_hits_waiting = ins->shards->rule_hits[shard].held};
        ft_books_add(books, &one);
    }
}

bool ft_books_requests_balance(const struct ft_books *b)
{
    uint64_t ended = b->requests.answered + b->state.unanswered + b->state.requests_displaced +
                     b->state.requests_evicted + b->state.requests_refused;
    return b->requests.waiting == 0 && b->requests.asked == ended;
}

_Static_assert(sizeof(struct ft_event) + sizeof(struct ft_books) <= FT_EVENT_MAX,
               "the books fit one record");

static void tell_mirror(struct ft_inspector *ins, const struct ft_packet *tick, uint8_t shard)
{
    const struct ft_mirror *mirror = &ins->shards->mirrors[shard];
    struct ft_packet of_shard = *tick;
    of_shard.shard = shard;
    ins->packet = &of_shard;
    struct ft_event *e = mirror->used ? ft_inspect_event_begin(ins, FT_EVENT_LEDGER) : NULL;
    if (!e)
        return;
    memcpy(e + 1, mirror, ft_mirror_size(mirror));
    e->size += ft_mirror_size(mirror);
    ft_inspect_event_end(ins, e);
}

_Static_assert(sizeof(struct ft_event) + sizeof(struct ft_mirror) <= FT_EVENT_MAX,
               "a mirror fits one record");

void ft_inspect_tell_books(struct ft_inspector *ins, const struct ft_packet *tick,
                           const bool owned[FT_SHARDS])
{
    struct ft_packet last = *tick;
    for (unsigned shard = 0; shard < FT_SHARDS; shard++)
        if (owned[shard])
            tell_mirror(ins, tick, (uint8_t)shard);
    last.shard = FT_SHARDS; /* behind everything the shards tell at this tick */
    ins->packet = &last;
    struct ft_event *e = ft_inspect_event_begin(ins, FT_EVENT_LEDGER);
    if (!e)
        return;
    ft_inspect_books(ins, owned, (struct ft_books *)(void *)(e + 1));
    e->size += sizeof(struct ft_books);
    ft_inspect_event_end(ins, e);
}
