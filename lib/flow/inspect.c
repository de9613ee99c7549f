/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inspection: from decoded packets of a shard to events. Here the packets: bursts, what each is
 * read as, what is counted of it; and ticks.
 */
#include "flow/inspect_internal.h"

#include <stdlib.h>
#include <string.h>

/* Packets between asking for a flow's record and using it. */
#define PREFETCH_AHEAD 4u
#define PROFILES_AHEAD 1u /* which the record says */

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
    ins->call.raise = ft_inspect_raise;
    ins->call.watch = ft_inspect_watch_slot;
    ins->call.name_pair = ft_inspect_name_pair;
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

/* ---- packets ---- */

/* Nobody reads it, and nobody asked for more to say whether it is his: for rules it is a message.
 */
static COLD enum ft_bucket fate_of_unknown(struct ft_inspector *ins, const struct ft_flow *flow)
{
    const struct ft_packet *p = ins->packet;
    if (ins->rules.unknown && !flow->protocol && (!flow->maybe || flow->flags & FT_FLOW_UNKNOWN))
        ft_inspect_rules_unknown(ins, p->data + p->payload, p->payload_len);
    return FT_BUCKET_UNKNOWN_PROTOCOL;
}

static enum ft_bucket fate_of(struct ft_inspector *ins, const struct ft_flow *flow)
{
    if (flow->flags & FT_FLOW_ENCRYPTED)
        return FT_BUCKET_ENCRYPTED;
    /* What only the port says, and the content does not, is not known. */
    bool is_sought = !flow->is_confirmed && flow->framer[ins->packet_side].mode == FT_FRAMER_RESYNC;
    return ft_inspect_reads(ft_inspect_protocol(ins, flow), flow->shard) && !is_sought
               ? FT_BUCKET_ANALYSED
               : fate_of_unknown(ins, flow);
}

/* Rules about bytes see what the packet carries, whoever reads it. */
static void search_payload(struct ft_inspector *ins, struct ft_flow *flow,
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
 * direction were. Out of the way of sensors without rules, but where others are, it is hot. */
static __attribute__((noinline)) void look_at_tcp(struct ft_inspector *ins, struct ft_flow *flow,
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
    ft_stream_packet(ins->shards->flows, flow, ins->packet_side, p, &ft_inspect_stream_ops, ins,
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
    if (!flow->protocol && (ft_inspect_is_given_up(ins, flow) ||
                            !ft_inspect_recognise(ins, flow, payload, p->payload_len, is_cut)))
        return fate_of_unknown(ins, flow);
    const struct ft_protocol *proto = ft_inspect_protocol(ins, flow);
    if (ft_inspect_reads(proto, flow->shard))
        ft_inspect_dissect(ins, proto, payload, p->payload_len, p->payload_wirelen, is_cut);
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
            ft_inspect_assign(flow, r->protocols[other - 1]);
        ft_inspect_prepare(ins, flow, ins->packet_side);
        if (!ft_protocol_is_off(r->protocols[other - 1], flow->shard))
            ft_inspect_dissect(ins, r->protocols[other - 1], p->data + at, p->payload_len + header,
                               p->payload_wirelen + header, p->payload_len < p->payload_wirelen);
    }
    if (!p->payload_len)
        return FT_BUCKET_NO_PAYLOAD;
    ins->ledger.carriers[ft_carrier_of(p)]++;
    return fate_of_unknown(ins, flow);
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
        ft_inspect_assign(flow, r->protocols[n - 1]);
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
        ft_inspect_tell_anomaly(ins, flow, ins->packet_side, FT_ANOMALY_MAC_GROUP);
    if (memcmp(p->src_mac, p->dst_mac, 6) == 0 && memcmp(p->src_mac, none, 6) != 0 &&
        p->ethertype != 0x9000)
        ft_inspect_tell_anomaly(ins, flow, ins->packet_side, FT_ANOMALY_MAC_SAME);
    for (unsigned i = 0; i < p->vlan_count; i++)
        if (p->vlan[i] == 0xfff)
            ft_inspect_tell_anomaly(ins, flow, ins->packet_side, FT_ANOMALY_VLAN_RESERVED);
}

static COLD void check_addresses(struct ft_inspector *ins, struct ft_flow *flow,
                                 const struct ft_packet *p)
{
    if (p->flags & (FT_PACKET_TCP | FT_PACKET_UDP) && !p->dst_port)
        ft_inspect_tell_anomaly(ins, flow, ins->packet_side, FT_ANOMALY_PORT_ZERO);
    if (p->flags & (FT_PACKET_IPV4 | FT_PACKET_IPV6) && p->src_port == p->dst_port &&
        memcmp(&p->src, &p->dst, sizeof(p->src)) == 0)
        ft_inspect_tell_anomaly(ins, flow, ins->packet_side, FT_ANOMALY_LAND);
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
        ft_inspect_keep_outer(ins, flow, side, p);
    if (is_first && ins->rules.set)
        ft_inspect_rules_new_flow(ins, flow);
    if (is_first)
        check_addresses(ins, flow, p);
    if (is_first || flow->key.proto != 6)
        ft_inspect_tell_talk(ins, flow);
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
        ft_inspect_tell_anomaly(ins, flow, side, FT_ANOMALY_FRAGMENT_OVERLAP);
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

/* Of a flow whose record was asked for three packets ago. Which side sends is not known yet. */
static inline void prefetch_profiles(const struct ft_inspector *ins, const struct ft_flow *flow)
{
    __builtin_prefetch(ins->rules.profiles + flow->profile[0] * FT_PROFILE_SIZE);
    __builtin_prefetch(ins->rules.profiles + flow->profile[1] * FT_PROFILE_SIZE);
}

static void inspect_some(struct ft_inspector *ins, struct ft_packet *const *packets, uint32_t count)
{
    struct ft_flow_table *flows = ins->shards->flows;
    struct ft_flow *hints[BURST];
    volatile uint32_t i = 0;
    ft_flow_prepare(flows, packets, count, hints);
    if (sigsetjmp(ins->escape, 0)) {
        ft_inspect_after_fault(ins, packets[i]);
        i++;
    }
    for (; i < count; i++) {
        struct ft_packet *p = packets[i];
        uint8_t side;
        if (i + PREFETCH_AHEAD < count)
            ft_flow_prefetch(packets[i + PREFETCH_AHEAD], hints[i + PREFETCH_AHEAD]);
        if (ins->rules.profiles && i + PROFILES_AHEAD < count && hints[i + PROFILES_AHEAD] &&
            packets[i + PROFILES_AHEAD]->payload_len)
            prefetch_profiles(ins, hints[i + PROFILES_AHEAD]);
        ins->packet = p;
        ins->flow = NULL;
        struct ft_flow *flow = ft_flow_take(flows, p, hints[i], &side, ft_inspect_flow_end, ins);
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

void ft_inspect_tick(struct ft_inspector *ins, const struct ft_packet *tick, uint8_t shard)
{
    struct ft_packet of_shard = *tick;
    of_shard.shard = shard;
    ins->packet = &of_shard;
    ins->flow = NULL;
    ins->packet_side = FT_SIDE_NONE;
    /* After a fault the tick goes on where it can: what was done is not done again, and the
     * dissector at fault is not called again. */
    if (sigsetjmp(ins->escape, 0))
        ft_inspect_after_fault(ins, NULL);
    ft_stream_tick(ins->shards->flows, shard, tick->time_ns, &ft_inspect_stream_ops, ins,
                   &ins->ledger.stream);
    ft_inspect_tick_requests(ins, shard, tick->time_ns);
    ft_flow_tick(ins->shards->flows, shard, tick->time_ns, ft_inspect_flow_end, ins);
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
        ft_inspect_after_fault(ins, NULL);
    ft_flow_flush(ins->shards->flows, shard, ft_inspect_flow_end, ins);
    ft_inspect_rules_tick(ins, shard);
}
