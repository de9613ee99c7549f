/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rule sets: what flows decide.
 *
 * Most rules of a plant say who may do what to which device. Who and which device are the same for
 * all that a flow carries in one direction; so rules are found by addresses and ports once for a
 * flow, and what can never hold there, as the sender is one of those who may, is left out. What
 * remains, most often nothing, is the flow's profile. Flows with the same share one, since the many
 * flows of a plant differ in few of them; so a profile is a number, and a table of fixed size has
 * them all. When it is full it is emptied, and flows are judged again with their next packet.
 */
#include "rules/ruleset_internal.h"

#include "base/hash.h"
#include "rules/content_filter.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS (2 * FT_PROFILES)

/* Of who asks without a flow: behind all others, for rules and groups too. */
#define OWN_RULES  65536u
#define OWN_GROUPS 65536u

/* A rule is found once, and searches payloads in one group at most: its own, see binding_of(). */
_Static_assert(OWN_RULES >= FT_RULES_MAX && OWN_GROUPS >= FT_RULES_MAX, "room for all at once");

bool ft_profiles_init(struct ft_matcher *m)
{
    struct ft_profiles *p = &m->profiles;
    *p = (struct ft_profiles){.count = 1};
    p->all = aligned_alloc(_Alignof(struct ft_profile), FT_PROFILES * sizeof(*p->all));
    p->slots = calloc(SLOTS, sizeof(*p->slots));
    p->rules = calloc(FT_PROFILE_RULES + OWN_RULES, sizeof(*p->rules));
    p->groups = calloc(FT_PROFILE_GROUPS + OWN_GROUPS, sizeof(*p->groups));
    return p->all && p->slots && p->rules && p->groups;
}

void ft_profiles_free(struct ft_matcher *m)
{
    free(m->profiles.all);
    free(m->profiles.slots);
    free(m->profiles.rules);
    free(m->profiles.groups);
}

/* ---- judging ---- */

/* A rule that was found: it is kept if it may hold, behind those of its level. */
static void consider(struct ft_matcher *m, uint32_t rule, uint8_t level, const struct ft_subject *s,
                     struct ft_profile *to)
{
    const struct ft_compiled *c = &m->set->compiled[rule];
    if (!c->is_of_flow || c->level != level || m->seen[rule] == m->serial)
        return;
    m->seen[rule] = m->serial;
    if (!ft_program_may_hold(&c->program, s, m->run))
        return;
    m->profiles.rules[to->first + to->count + to->payload_count] =
        (struct ft_profile_rule){rule, c->classes, c->whole, c->commands, c->guard};
    if (level == FT_LEVEL_PAYLOAD) {
        to->payload_count++;
        return;
    }
    to->count++;
    to->classes |= c->is_broad ? c->classes : 0;
    to->wants.whole |= c->is_broad ? c->wanted : c->whole | c->wanted_outside;
    to->wants.commands |= c->commands;
    to->wants.protocols |= c->wanted;
}

static void judge_rules(struct ft_matcher *m, uint8_t level, const struct ft_subject *s,
                        struct ft_profile *to)
{
    const struct ft_ruleset *set = m->set;
    for (uint32_t i = 0; i < set->flow_operands.count; i++) {
        uint32_t operand = set->flow_operands.items[i];
        struct ft_number_cursor at = {0};
        const struct ft_keyed *k = &set->keyed[operand];
        uint64_t value;
        while (ft_program_number(m->run, s, &k->operand, k->bits, &at, &value)) {
            const struct ft_list *l = ft_ruleset_keyed(set, operand, value);
            for (uint32_t n = 0; l && n < l->count; n++)
                consider(m, l->items[n], level, s, to);
        }
    }
    for (uint32_t i = 0; i < set->flow_rules.count; i++)
        consider(m, set->flow_rules.items[i], level, s, to);
}

static void judge(struct ft_matcher *m, const struct ft_subject *s, struct ft_profile *to)
{
    m->serial++;
    judge_rules(m, FT_LEVEL_MESSAGE, s, to);
    judge_rules(m, FT_LEVEL_PAYLOAD, s, to);
    for (uint32_t i = 0; i < m->set->flow_groups.count; i++) {
        uint32_t group = m->set->flow_groups.items[i];
        if (ft_ruleset_is_bound(m->set, group, s))
            m->profiles.groups[to->first_group + to->group_count++] = (struct ft_profile_group){
                ft_content_filter(m->set->patterns.groups[group].content), group};
    }
    to->filter = to->group_count ? m->profiles.groups[to->first_group].filter : NULL;
}

/* ---- sharing ---- */

static uint32_t hash_of(const struct ft_profiles *p, const struct ft_profile *of)
{
    uint64_t hash = ft_hash_mix((uint64_t)of->count << 32 | of->payload_count, of->group_count);
    for (uint32_t i = 0; i < of->count + of->payload_count; i++)
        hash = ft_hash_mix(hash, p->rules[of->first + i].rule);
    for (uint32_t i = 0; i < of->group_count; i++)
        hash = ft_hash_mix(hash, p->groups[of->first_group + i].group);
    return (uint32_t)hash;
}

static bool is_same(const struct ft_profiles *p, const struct ft_profile *a,
                    const struct ft_profile *b)
{
    if (a->hash != b->hash || a->count != b->count || a->payload_count != b->payload_count ||
        a->group_count != b->group_count)
        return false;
    return memcmp(&p->rules[a->first], &p->rules[b->first],
                  (a->count + a->payload_count) * sizeof(*p->rules)) == 0 &&
           memcmp(&p->groups[a->first_group], &p->groups[b->first_group],
                  a->group_count * sizeof(*p->groups)) == 0;
}

static bool has_room(const struct ft_profiles *p, const struct ft_profile *more)
{
    return p->count < FT_PROFILES &&
           p->rule_count + more->count + more->payload_count <= FT_PROFILE_RULES &&
           p->group_count + more->group_count <= FT_PROFILE_GROUPS;
}

static uint16_t keep(struct ft_profiles *p, const struct ft_profile *made, uint32_t slot)
{
    struct ft_profile *to = &p->all[p->count];
    uint32_t rules = made->count + made->payload_count;
    *to = *made;
    to->first = p->rule_count;
    to->first_group = p->group_count;
    memcpy(&p->rules[to->first], &p->rules[made->first], rules * sizeof(*p->rules));
    memcpy(&p->groups[to->first_group], &p->groups[made->first_group],
           made->group_count * sizeof(*p->groups));
    p->rule_count += rules;
    p->group_count += made->group_count;
    p->slots[slot] = (uint16_t)p->count;
    return (uint16_t)p->count++;
}

static void forget_all(struct ft_profiles *p)
{
    memset(p->slots, 0, SLOTS * sizeof(*p->slots));
    p->count = 1;
    p->rule_count = p->group_count = 0;
}

uint16_t ft_match_judge(struct ft_matcher *m, const struct ft_subject *s, bool *is_new)
{
    struct ft_profiles *p = &m->profiles;
    struct ft_profile made = {.first = FT_PROFILE_RULES, .first_group = FT_PROFILE_GROUPS};
    *is_new = false;
    judge(m, s, &made);
    made.hash = hash_of(p, &made);
    uint32_t slot = made.hash & (SLOTS - 1);
    for (; p->slots[slot]; slot = (slot + 1) & (SLOTS - 1))
        if (is_same(p, &p->all[p->slots[slot]], &made))
            return p->slots[slot];
    if (!has_room(p, &made)) {
        forget_all(p);
        *is_new = true;
        slot = made.hash & (SLOTS - 1);
    }
    return keep(p, &made, slot);
}

/* ---- using ---- */

const struct ft_flow_wants *ft_match_use(struct ft_matcher *m, uint16_t profile)
{
    static const struct ft_flow_wants all = {UINT64_MAX, UINT64_MAX, UINT64_MAX};
    m->profile = profile ? &m->profiles.all[profile] : NULL;
    if (profile)
        __builtin_prefetch(&m->profiles.rules[m->profile->first]);
    return profile ? &m->profile->wants : &all;
}

_Static_assert(sizeof(struct ft_profile) == FT_PROFILE_SIZE, "one line of the cache");

const uint8_t *ft_match_profiles(const struct ft_matcher *m)
{
    return (const uint8_t *)m->profiles.all;
}

const struct ft_profile *ft_profile_of(struct ft_matcher *m, const struct ft_subject *s)
{
    if (m->profile)
        return m->profile;
    struct ft_profile *own = &m->profiles.all[0];
    *own = (struct ft_profile){.first = FT_PROFILE_RULES, .first_group = FT_PROFILE_GROUPS};
    judge(m, s, own);
    return own;
}

static bool may_find_any(const struct ft_ruleset *set, const uint8_t *bytes, uint32_t length)
{
    const struct ft_list *groups = &set->payload.groups;
    for (uint32_t i = 0; i < groups->count; i++)
        if (ft_content_may_hold(set->patterns.groups[groups->items[i]].content, bytes, length))
            return true;
    return false;
}

bool ft_match_wants_payload(const struct ft_matcher *m)
{
    const struct ft_profile *p = m->profile;
    return m->set->payload.classes || !p || p->payload_count || p->group_count;
}

/* What patterns of payloads and of tags look at is the payload, or a part of it. */
bool ft_match_may_hold(const struct ft_matcher *m, const uint8_t *bytes, uint32_t length)
{
    const struct ft_profile *p = m->profile;
    if (!p || p->payload_count || m->tests_any_payload)
        return true;
    if (p->group_count && (!p->filter || ft_content_filter_passes(p->filter, bytes, length)))
        return true;
    for (uint32_t i = 1; i < p->group_count; i++) {
        const struct ft_content_filter *f = m->profiles.groups[p->first_group + i].filter;
        if (!f || ft_content_filter_passes(f, bytes, length))
            return true;
    }
    return m->searches_any_payload && may_find_any(m->set, bytes, length);
}
