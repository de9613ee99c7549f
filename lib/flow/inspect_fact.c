/* SPDX-License-Identifier: BSD-3-Clause */
/* What the PDU at hand says of devices: facts, who has which address, claims. */
#include "flow/inspect_internal.h"

#include "base/hash.h"

#include <string.h>

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
        ins, ft_hash_bytes(ft_hash_mix(h, ft_inspect_pair_hash(ins->flow)), f->text, f->length));
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
COLD void ft_inspect_tell_fact(struct ft_inspector *ins, const struct ft_asset_fact *f)
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
            ? !ft_novelty_change(ft_inspect_novelty(ins), h, ft_hash_bytes(1, f->text, f->length))
            : !ft_novelty_add(ft_inspect_novelty(ins), ft_hash_bytes(h, f->text, f->length)))
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
    ft_inspect_event_sub(e, &e->fact.sub, &f->sub);
    ft_inspect_event_end(ins, e);
}
