/* SPDX-License-Identifier: BSD-3-Clause */
/* Rule sets: which rules hold for a message, a payload, a flow. */
#include "rules/ruleset_internal.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

/* Rules for which it is found out in one joint what of the bytes before it they are fulfilled by.
 */
#define JOINT_SEARCHES 4u

/* One evaluation of so many is timed. */
#define TIMED_EVERY 64u

struct ft_matcher *ft_matcher_new(const struct ft_ruleset *set)
{
    struct ft_matcher *m = calloc(1, sizeof(*m));
    size_t count = ft_ruleset_count(set) + 1;
    if (!m)
        return NULL;
    m->set = set;
    m->tests_any_payload = set->payload.keyed.count || set->payload.rules.count;
    m->searches_any_payload = set->payload.groups.count;
    m->run = ft_program_run_new(&set->files->vocabulary, &set->patterns);
    m->counts = calloc(count, sizeof(*m->counts));
    m->seen = calloc(count, sizeof(*m->seen));
    m->hit_pdu = calloc(count, sizeof(*m->hit_pdu));
    m->hit_bits = calloc(count, sizeof(*m->hit_bits));
    if (m->run && m->counts && m->seen && m->hit_pdu && m->hit_bits && ft_profiles_init(m))
        return m;
    ft_matcher_free(m);
    return NULL;
}

void ft_matcher_free(struct ft_matcher *m)
{
    if (!m)
        return;
    ft_program_run_free(m->run);
    ft_profiles_free(m);
    free(m->counts);
    free(m->seen);
    free(m->hit_pdu);
    free(m->hit_bits);
    free(m);
}

const struct ft_rule_counts *ft_matcher_counts(const struct ft_matcher *m)
{
    return m->counts;
}

void ft_matcher_lose(struct ft_matcher *m, uint32_t rule, uint64_t hits)
{
    m->counts[rule].lost += hits;
}

void ft_matcher_take_back(struct ft_matcher *m, uint32_t rule)
{
    m->counts[rule].hits--;
}

uint64_t ft_matcher_given_up(const struct ft_matcher *m)
{
    return m->run->given_up;
}

/* ---- one rule ---- */

static uint64_t cycles_now(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    return 0;
#endif
}

/* Who sends to whom in what packet: never 0. Payloads of several flows may be read at one tick. */
static uint64_t packet_of(const struct ft_subject *s)
{
    uint32_t length = s->ip_version == 6 ? 16 : s->ip_version == 4 ? 4 : 0;
    uint64_t h = ft_hash_mix(s->number, (uint64_t)s->ethertype << 32 | (uint64_t)s->src_port << 16 |
                                            s->dst_port);
    if (length)
        h = ft_hash_mix(ft_hash_bytes(h, s->src_ip, length), ft_hash_bytes(h, s->dst_ip, length));
    else if (s->src_mac && s->dst_mac)
        h = ft_hash_mix(ft_hash_bytes(h, s->src_mac, 6), ft_hash_bytes(h, s->dst_mac, 6));
    return h | 1;
}

/* Held it for a message that carries this one, or for this packet's payload already? */
static bool was_told(const struct ft_matcher *m, uint32_t rule, const struct ft_subject *s)
{
    if (!s->message)
        return m->set->compiled[rule].level == FT_LEVEL_PAYLOAD && m->hit_pdu[rule] == packet_of(s);
    if (m->hit_pdu[rule] != m->pdu)
        return false;
    const struct ft_message *at = s->message;
    for (;;) {
        if (m->hit_bits[rule] >> (at - s->call->messages) & 1)
            return true;
        if (at->parent == 0xff)
            return false;
        at = &s->call->messages[at->parent];
    }
}

static void note_hit(struct ft_matcher *m, uint32_t rule, const struct ft_subject *s)
{
    if (!s->message) {
        m->hit_pdu[rule] = packet_of(s);
        return;
    }
    if (m->hit_pdu[rule] != m->pdu)
        m->hit_bits[rule] = 0;
    m->hit_pdu[rule] = m->pdu;
    m->hit_bits[rule] |= 1ull << (s->message - s->call->messages);
}

static bool holds(struct ft_matcher *m, const struct ft_compiled *c, struct ft_rule_counts *count,
                  const struct ft_subject *s)
{
    bool is_timed = count->evaluations++ % TIMED_EVERY == 0;
    uint64_t start = is_timed ? cycles_now() : 0;
    m->run->evidence.operand = NULL;
    bool held = !c->program.count || ft_program_holds(&c->program, s, m->run);
    if (is_timed) {
        count->cycles += cycles_now() - start;
        count->timed++;
    }
    return held;
}

/* A rule that may be tested on joined payloads, and holds for these. */
static void gather(struct ft_matcher *m, uint32_t rule, const struct ft_subject *s)
{
    struct ft_joint *joint = m->joint;
    const struct ft_compiled *c = &m->set->compiled[rule];
    if (c->is_joinable && joint->count < sizeof(joint->rules) / sizeof(joint->rules[0]) &&
        holds(m, c, &m->counts[rule], s))
        joint->rules[joint->count++] = rule;
}

/* Run a rule that was found, once for a message. */
static void try_rule(struct ft_matcher *m, uint32_t rule, uint8_t level, const struct ft_subject *s,
                     ft_hit_fn *hit, void *user)
{
    const struct ft_compiled *c = &m->set->compiled[rule];
    if (m->seen[rule] == m->serial || c->level != level || (m->is_part && c->is_new != m->is_new))
        return;
    m->seen[rule] = m->serial;
    if (s->message && (!(c->classes & FT_CLASS_BIT(s->message)) ||
                       !ft_protocols_has(&c->homes, s->message->protocol->index)))
        return;
    if (__builtin_expect(m->joint != NULL, 0)) {
        gather(m, rule, s);
        return;
    }
    if (!holds(m, c, &m->counts[rule], s) || was_told(m, rule, s))
        return;
    note_hit(m, rule, s);
    m->counts[rule].hits++;
    hit(user, rule, m->run);
}

/* Rules of flows are found by their profile alone: values may find them too. */
static void try_list(struct ft_matcher *m, const struct ft_list *l, uint8_t level,
                     const struct ft_subject *s, ft_hit_fn *hit, void *user)
{
    for (uint32_t i = 0; i < l->count; i++)
        if (!m->set->compiled[l->items[i]].is_of_flow)
            try_rule(m, l->items[i], level, s, hit, user);
}

/* ---- finding them ---- */

/* Is it a field that the message itself has, or might have? */
static bool is_own_field(const struct ft_operand *o, const struct ft_subject *s)
{
    return !o->keyword && !o->is_tag && s->message && o->protocol == s->message->protocol->index;
}

static void try_own_field(struct ft_matcher *m, uint32_t operand, uint8_t level,
                          const struct ft_subject *s, ft_hit_fn *hit, void *user)
{
    const struct ft_keyed *k = &m->set->keyed[operand];
    uint64_t value;
    if (!(s->message->fields & FT_FIELD_BIT(k->operand.field)))
        return;
    for (uint32_t n = s->message->first; n; n = s->call->nodes[n].next) {
        const struct ft_node *at = &s->call->nodes[n];
        if (at->field != k->operand.field || at->type == FT_NODE_END ||
            !ft_program_key_of(&k->operand, k->bits, at, &value))
            continue;
        const struct ft_list *l = ft_ruleset_keyed(m->set, operand, value);
        if (l)
            try_list(m, l, level, s, hit, user);
    }
}

static void try_keyed(struct ft_matcher *m, uint32_t operand, uint8_t level,
                      const struct ft_subject *s, ft_hit_fn *hit, void *user)
{
    const struct ft_keyed *k = &m->set->keyed[operand];
    struct ft_number_cursor at = {0};
    uint64_t value;
    if (is_own_field(&k->operand, s)) {
        try_own_field(m, operand, level, s, hit, user);
        return;
    }
    m->run->steps = 0;
    while (ft_program_number(m->run, s, &k->operand, k->bits, &at, &value)) {
        const struct ft_list *l = ft_ruleset_keyed(m->set, operand, value);
        uint32_t steps = m->run->steps;
        if (l)
            try_list(m, l, level, s, hit, user);
        m->run->steps = steps;
        if (steps >= FT_PROGRAM_STEPS)
            break;
    }
}

static bool is_listed(const struct ft_port_list *l, uint16_t port)
{
    for (uint32_t i = 0; i < l->count; i++)
        if (port >= l->ranges[i].low && port <= l->ranges[i].high)
            return true;
    return false;
}

bool ft_ruleset_is_bound(const struct ft_ruleset *set, uint32_t group, const struct ft_subject *s)
{
    const struct ft_pattern_group *g = &set->patterns.groups[group];
    uint16_t value = (uint16_t)g->binding;
    if (g->binding >> 32 != FT_BINDING_PORT >> 32)
        return true;
    if (g->binding & FT_BINDING_ETHERTYPE)
        return s->ethertype == value;
    bool of_src = !(g->binding & FT_BINDING_DST), of_dst = !(g->binding & FT_BINDING_SRC);
    if (g->binding & FT_BINDING_PORTS) {
        const struct ft_port_list *list = &set->port_lists[value];
        return s->has_ports && ((of_src && is_listed(list, s->src_port)) ||
                                (of_dst && is_listed(list, s->dst_port)));
    }
    return s->has_ports && ((of_src && s->src_port == value) || (of_dst && s->dst_port == value));
}

static void try_group(struct ft_matcher *m, uint32_t group, uint8_t level,
                      const struct ft_subject *s, ft_hit_fn *hit, void *user)
{
    uint32_t count;
    if (!ft_ruleset_is_bound(m->set, group, s))
        return;
    m->run->steps = 0;
    const struct ft_content_hit *hits = ft_program_hits(m->run, s, group, &count);
    for (uint32_t i = 0; i < count; i++)
        try_list(m, &m->set->pattern_rules[m->set->first_pattern[group] + hits[i].pattern], level,
                 s, hit, user);
}

static void try_place(struct ft_matcher *m, const struct ft_place_of_rules *p, uint8_t level,
                      const struct ft_subject *s, ft_hit_fn *hit, void *user)
{
    for (uint32_t i = 0; i < p->keyed.count; i++)
        try_keyed(m, p->keyed.items[i], level, s, hit, user);
    for (uint32_t i = 0; i < p->groups.count; i++)
        try_group(m, p->groups.items[i], level, s, hit, user);
    try_list(m, &p->rules, level, s, hit, user);
}

static uint32_t row_of(const struct ft_message *message)
{
    return message->command ? (uint32_t)(message->command - message->protocol->commands) + 1 : 0;
}

/* Has the profile a rule that may hold for such a message? */
static bool profile_wants(const struct ft_profile *p, const struct ft_message *message)
{
    uint16_t protocol = message->protocol->index;
    return ((p->classes & FT_CLASS_BIT(message)) | (p->wants.whole & ft_protocol_bit(protocol)) |
            (p->wants.commands & ft_command_bit(protocol, row_of(message)))) != 0;
}

/* Branches on what differs from one message to the next would be guessed wrong. */
static inline bool row_lets_pass(const struct ft_demand_row *row, const struct ft_message *message)
{
    bool is_of_class = (row->gate_classes & FT_CLASS_BIT(message)) != 0;
    bool has_field = (!row->gate_fields) | ((row->gate_fields & message->fields) != 0);
    return is_of_class & has_field;
}

static bool gate_lets_pass(const struct ft_matcher *m, const struct ft_message *message)
{
    return row_lets_pass(&m->set->demand[message->protocol->index].rows[row_of(message)], message);
}

/* Without a profile: may a flow have what finds a rule? */
static bool may_have_any(const struct ft_matcher *m)
{
    return m->set->flow_operands.count || m->set->flow_rules.count;
}

bool ft_match_is_wanted(const struct ft_matcher *m, const struct ft_message *message)
{
    return gate_lets_pass(m, message) ||
           (m->profile ? profile_wants(m->profile, message) : may_have_any(m));
}

/* The same, of messages that know their rows. */
uint64_t ft_match_wanted(const struct ft_matcher *m, const struct ft_call *call)
{
    const struct ft_profile *p = m->profile;
    uint64_t wanted = 0;
    for (uint32_t i = 0; i < call->message_count; i++) {
        const struct ft_message *message = &call->messages[i];
        wanted |= (uint64_t)row_lets_pass(message->row, message) << i;
    }
    bool is_any = !p && may_have_any(m);
    for (uint32_t i = 0; (is_any || (p && p->count)) && i < call->message_count; i++)
        wanted |= (uint64_t)(is_any || profile_wants(p, &call->messages[i])) << i;
    return wanted;
}

void ft_match_begin(struct ft_matcher *m)
{
    m->pdu++;
}

static void begin(struct ft_matcher *m)
{
    m->serial++;
    ft_program_begin(m->run);
}

static void try_profile(struct ft_matcher *m, const struct ft_profile *profile,
                        const struct ft_subject *s, ft_hit_fn *hit, void *user)
{
    uint32_t class_ = FT_CLASS_BIT(s->message);
    uint64_t protocol = ft_protocol_bit(s->message->protocol->index);
    uint64_t command = ft_command_bit(s->message->protocol->index, row_of(s->message));
    for (uint32_t i = 0; i < profile->count; i++) {
        const struct ft_profile_rule *r = &m->profiles.rules[profile->first + i];
        if (r->classes & class_ && (r->whole & protocol || r->commands & command) &&
            ft_guard_passes(&r->guard, s))
            try_rule(m, r->rule, FT_LEVEL_MESSAGE, s, hit, user);
    }
}

void ft_match_message(struct ft_matcher *m, const struct ft_subject *s, ft_hit_fn *hit, void *user)
{
    const struct ft_profile *profile = ft_profile_of(m, s);
    begin(m);
    if (profile_wants(profile, s->message))
        try_profile(m, profile, s, hit, user);
    if (gate_lets_pass(m, s->message))
        try_place(
            m,
            &m->set->places[m->set->first_place[s->message->protocol->index] + row_of(s->message)],
            FT_LEVEL_MESSAGE, s, hit, user);
}

void ft_match_payload(struct ft_matcher *m, const struct ft_subject *s, ft_hit_fn *hit, void *user)
{
    const struct ft_profile *profile = ft_profile_of(m, s);
    begin(m);
    for (uint32_t i = 0; i < profile->payload_count; i++)
        try_rule(m, m->profiles.rules[profile->first + profile->count + i].rule, FT_LEVEL_PAYLOAD,
                 s, hit, user);
    for (uint32_t i = 0; i < profile->group_count; i++)
        try_group(m, (uint32_t)m->profiles.groups[profile->first_group + i].group, FT_LEVEL_PAYLOAD,
                  s, hit, user);
    if (m->set->payload.classes)
        try_place(m, &m->set->payload, FT_LEVEL_PAYLOAD, s, hit, user);
}

static bool holds_of(struct ft_matcher *m, uint32_t rule, const struct ft_subject *s)
{
    begin(m);
    return holds(m, &m->set->compiled[rule], &m->counts[rule], s);
}

/* The last bytes of `length`: as many as do not fulfil the rule alone. More are never less. */
static uint32_t longest_end(struct ft_matcher *m, uint32_t rule, const struct ft_subject *s,
                            uint32_t length)
{
    uint32_t low = 0, high = length; /* `high` fulfil it */
    while (low + 1 < high) {
        uint32_t middle = (low + high) / 2;
        struct ft_subject end = *s;
        end.payload = s->payload + length - middle;
        end.payload_length = middle;
        if (holds_of(m, rule, &end))
            high = middle;
        else
            low = middle;
    }
    return low;
}

/*
 * Does it hold across the border, though the bytes before it may fulfil it by themselves? They did
 * so before, and were told then.
 */
static bool holds_across(struct ft_matcher *m, uint32_t rule, struct ft_subject *s,
                         uint32_t *border, uint32_t *searches)
{
    struct ft_subject part = *s;
    part.payload = s->payload + *border;
    part.payload_length = s->payload_length - *border;
    if (holds_of(m, rule, &part))
        return false;
    part.payload = s->payload;
    part.payload_length = *border;
    if (!holds_of(m, rule, &part))
        return true;
    if (!(*searches)--)
        return false;
    uint32_t end = longest_end(m, rule, s, *border);
    s->payload += *border - end;
    s->payload_length -= *border - end;
    *border = end;
    return holds_of(m, rule, s);
}

void ft_match_joint(struct ft_matcher *m, const struct ft_subject *s,
                    const struct ft_message *unknown, uint32_t border, ft_hit_fn *hit, void *user)
{
    struct ft_joint joint = {.count = 0};
    struct ft_subject as_message = *s;
    uint32_t searches = JOINT_SEARCHES;
    as_message.message = unknown;
    m->joint = &joint;
    ft_match_payload(m, s, hit, user);
    uint32_t of_payload = joint.count;
    if (unknown)
        ft_match_message(m, &as_message, hit, user);
    m->joint = NULL;
    m->pdu++;
    for (uint32_t i = 0; i < joint.count; i++) {
        bool is_message = i >= of_payload;
        struct ft_subject across = is_message ? as_message : *s;
        uint32_t at = border;
        if (!holds_across(m, joint.rules[i], &across, &at, &searches))
            continue;
        begin(m);
        try_rule(m, joint.rules[i], is_message ? FT_LEVEL_MESSAGE : FT_LEVEL_PAYLOAD, &across, hit,
                 user);
    }
}

void ft_match_flow(struct ft_matcher *m, const struct ft_subject *s, ft_hit_fn *hit, void *user)
{
    begin(m);
    try_place(m, &m->set->flow, FT_LEVEL_FLOW, s, hit, user);
}

void ft_match_packet(struct ft_matcher *m, const struct ft_subject *s, ft_hit_fn *hit, void *user)
{
    begin(m);
    try_place(m, &m->set->packet, FT_LEVEL_PACKET, s, hit, user);
}

void ft_match_connection(struct ft_matcher *m, const struct ft_subject *s, ft_hit_fn *hit,
                         void *user)
{
    begin(m);
    try_place(m, &m->set->connection, FT_LEVEL_CONNECTION, s, hit, user);
}

void ft_match_flow_part(struct ft_matcher *m, const struct ft_subject *s, bool is_new,
                        ft_hit_fn *hit, void *user)
{
    m->is_part = true;
    m->is_new = is_new;
    ft_match_flow(m, s, hit, user);
    m->is_part = false;
}
