/* SPDX-License-Identifier: BSD-3-Clause */
/* Rule sets: made of rules, and asked about them. */
#include "rules/ruleset_making.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- making ---- */

#define FT_BINDING_SIDES (FT_BINDING_SRC | FT_BINDING_DST)

static bool is_one_port(uint64_t binding)
{
    return binding >> 32 == FT_BINDING_PORT >> 32 &&
           !(binding & (FT_BINDING_ETHERTYPE | FT_BINDING_PORTS));
}

/*
 * What is bound to one side of a port joins those that are bound to both sides of it, if there are
 * any: a payload is rather searched once for some patterns more, which the rule's program tells
 * apart, than twice.
 */
static uint64_t joined(const struct ft_making *m, uint64_t binding)
{
    uint16_t port = (uint16_t)binding;
    bool is_joined = is_one_port(binding) && m->both[port / 8] >> (port % 8) & 1;
    return is_joined ? binding & ~(uint64_t)FT_BINDING_SIDES : binding;
}

/* What a rule is about, before any of them is compiled. */
static void begin_rule(struct ft_making *m, uint32_t index)
{
    struct ft_ruleset *set = m->set;
    struct ft_compiled *c = &set->compiled[index];
    const struct ft_vocabulary *v = &set->files->vocabulary;
    c->rule = &set->files->rules[index];
    const struct ft_expression *e = c->rule->expression;
    c->level = c->rule->level;
    c->is_anywhere = true;
    for (uint32_t p = 0; p < v->registry->count; p++) {
        bool is_home = ft_rule_is_home(v, e, p);
        c->is_anywhere &= is_home;
        if (is_home)
            ft_protocols_add(&c->homes, (uint16_t)p);
    }
    uint64_t binding = ft_ruleset_binding(set, c);
    uint16_t port = (uint16_t)binding;
    if (is_one_port(binding) && !(binding & FT_BINDING_SIDES))
        m->both[port / 8] |= (uint8_t)(1u << (port % 8));
}

static bool compile_rule(struct ft_making *m, uint32_t index)
{
    struct ft_ruleset *set = m->set;
    struct ft_compiled *c = &set->compiled[index];
    const struct ft_vocabulary *v = &set->files->vocabulary;
    const struct ft_expression *e = c->rule->expression;
    set->patterns.binding = joined(m, ft_ruleset_binding(set, c));
    set->patterns.least = ft_ruleset_least(c);
    return (!e->worker || ft_program_make(&c->program, v, e, e->worker, &set->patterns)) &&
           (!e->core || ft_program_make(&c->core, v, e, e->core, &set->patterns));
}

static bool make_tables(struct ft_ruleset *set)
{
    const struct ft_registry *registry = set->files->vocabulary.registry;
    uint32_t places = 0, patterns = 0;
    for (uint32_t p = 0; p < registry->count; p++) {
        set->first_place[p] = places;
        places += registry->protocols[p]->command_count + 1;
    }
    set->place_count = places;
    set->places = calloc(places + 1, sizeof(*set->places));
    set->first_pattern = calloc(set->patterns.count + 1, sizeof(*set->first_pattern));
    if (!set->places || !ft_wants_init(set) || !set->first_pattern)
        return false;
    for (uint32_t g = 0; g < set->patterns.count; g++) {
        set->first_pattern[g] = patterns;
        patterns += set->patterns.groups[g].count;
    }
    set->pattern_count = patterns;
    set->pattern_rules = calloc(patterns + 1, sizeof(*set->pattern_rules));
    return set->pattern_rules != NULL;
}

/* Which rules say what none of the set before said; both are in order of id. */
static void mark_new(struct ft_ruleset *set, const struct ft_ruleset *before)
{
    uint32_t at = 0, count = before ? before->files->count : 0;
    for (uint32_t i = 0; i < set->files->count; i++) {
        const struct ft_rule *r = &set->files->rules[i],
                             *was = before ? before->files->rules : NULL;
        while (at < count && was[at].id < r->id)
            at++;
        struct ft_compiled *c = &set->compiled[i];
        c->is_new = at == count || was[at].id != r->id || was[at].fingerprint != r->fingerprint;
        set->has_new_flow |= c->is_new && c->level == FT_LEVEL_FLOW;
    }
}

/* Where a rule asks for a pattern; NULL: it does not. */
static const struct ft_place *place_of_pattern(const struct ft_compiled *c,
                                               const struct ft_program *p, uint32_t group,
                                               uint32_t pattern)
{
    const struct ft_expression *e = c->rule->expression;
    for (uint32_t i = 0; i < p->count; i++)
        for (uint32_t node = 1; p->code[i].group == group && p->code[i].pattern == pattern &&
                                c->rule->test_places && node < e->count;
             node++)
            if (p->code[i].test == &e->nodes[node].test && c->rule->test_places[node].line)
                return &c->rule->test_places[node];
    return NULL;
}

/* A group of patterns that cannot be compiled: the place of the last, which was one too many. */
static void tell_pattern(const struct ft_ruleset *set, uint32_t group, const char *wrong,
                         char *error, size_t size)
{
    for (uint32_t i = set->files->count; i-- > 0;) {
        const struct ft_compiled *c = &set->compiled[i];
        uint32_t last = set->patterns.groups[group].count - 1;
        const struct ft_place *at = place_of_pattern(c, &c->program, group, last);
        at = at ? at : place_of_pattern(c, &c->core, group, last);
        if (!at)
            continue;
        size_t used = strlen(error);
        snprintf(error + used, size - used, "%s%s:%u:%u: when: %s", used ? "\n" : "", c->rule->file,
                 at->line, at->column, wrong);
        return;
    }
}

/* All that cannot be are told. */
static bool compile_patterns(struct ft_ruleset *set, const struct ft_ruleset *before, char *error,
                             size_t size)
{
    char wrong[512];
    for (uint32_t i = 0; i < set->patterns.count; i++)
        if (!ft_patterns_compile(&set->patterns, i, before ? &before->patterns : NULL, wrong,
                                 sizeof(wrong)))
            tell_pattern(set, i, wrong, error, size);
    return !*error;
}

static bool make_set(struct ft_making *m, const struct ft_ruleset *before, char *error, size_t size)
{
    struct ft_ruleset *set = m->set;
    struct ft_way *way = malloc(sizeof(*way));
    bool ok = way != NULL;
    for (uint32_t i = 0; i < set->files->count; i++)
        begin_rule(m, i);
    for (uint32_t i = 0; ok && i < set->files->count; i++)
        ok = compile_rule(m, i);
    mark_new(set, before);
    ok = ok && make_tables(set);
    m->is_counting = true;
    for (uint32_t i = 0; ok && i < set->files->count; i++)
        if (set->compiled[i].rule->expression->worker)
            ft_way_of(m, &set->compiled[i], set->compiled[i].rule->expression->worker, way);
    m->is_counting = false;
    for (uint32_t i = 0; ok && i < set->files->count; i++)
        ok = ft_ruleset_place(m, i, way, error, size);
    if (ok)
        ft_ruleset_make_demand(set);
    free(way);
    free(m->tally.slots);
    if (!ok || m->is_short) {
        snprintf(error, size, "not enough memory for the rules");
        return false;
    }
    return compile_patterns(set, before, error, size);
}

struct ft_ruleset *ft_ruleset_new(struct ft_rule_files *files, const struct ft_ruleset *before,
                                  char *error, size_t error_size)
{
    struct ft_ruleset *set = aligned_alloc(64, sizeof(*set));
    struct ft_making m = {.set = set};
    *error = 0;
    if (!set) {
        ft_rule_files_free(files);
        snprintf(error, error_size, "not enough memory for the rules");
        return NULL;
    }
    memset(set, 0, sizeof(*set));
    set->files = files;
    set->compiled = calloc(files->count + 1, sizeof(*set->compiled));
    if (set->compiled && make_set(&m, before, error, error_size))
        return set;
    if (!*error)
        snprintf(error, error_size, "not enough memory for the rules");
    ft_ruleset_free(set);
    return NULL;
}

static void free_place(struct ft_place_of_rules *p)
{
    free(p->rules.items);
    free(p->keyed.items);
    free(p->groups.items);
}

void ft_ruleset_free(struct ft_ruleset *set)
{
    if (!set)
        return;
    for (uint32_t i = 0; set->compiled && i < set->files->count; i++) {
        ft_program_free(&set->compiled[i].program);
        ft_program_free(&set->compiled[i].core);
    }
    for (uint32_t i = 0; set->places && i < set->place_count; i++)
        free_place(&set->places[i]);
    ft_wants_free(set);
    for (uint32_t i = 0; i < set->key_size; i++)
        free(set->keys[i].rules.items);
    for (uint32_t i = 0; set->pattern_rules && i < set->pattern_count; i++)
        free(set->pattern_rules[i].items);
    free_place(&set->flow);
    free_place(&set->connection);
    free_place(&set->packet);
    free_place(&set->payload);
    ft_patterns_free(&set->patterns);
    free(set->compiled);
    free(set->places);
    free(set->flow_operands.items);
    free(set->flow_rules.items);
    free(set->flow_groups.items);
    free(set->first_pattern);
    free(set->pattern_rules);
    free(set->keys);
    free(set->keyed);
    free(set->port_lists);
    ft_rule_files_free(set->files);
    free(set);
}

/* ---- asking ---- */

uint32_t ft_ruleset_count(const struct ft_ruleset *set)
{
    return set->files->count;
}

const struct ft_rule *ft_ruleset_rule(const struct ft_ruleset *set, uint32_t index)
{
    return &set->files->rules[index];
}

const struct ft_demand *ft_ruleset_demand(const struct ft_ruleset *set)
{
    return set->demand;
}

bool ft_ruleset_has_payload(const struct ft_ruleset *set)
{
    return set->has_payload;
}

const struct ft_protocol *ft_ruleset_unknown(const struct ft_ruleset *set)
{
    return set->has_unknown ? set->files->vocabulary.unknown : NULL;
}

bool ft_ruleset_has_joint(const struct ft_ruleset *set)
{
    return set->has_joint;
}

bool ft_ruleset_has_flow(const struct ft_ruleset *set)
{
    return set->flow.classes != 0;
}

bool ft_ruleset_has_connection(const struct ft_ruleset *set)
{
    return set->connection.classes != 0;
}

bool ft_ruleset_has_packet(const struct ft_ruleset *set)
{
    return set->packet.classes != 0;
}

bool ft_ruleset_has_new_flow(const struct ft_ruleset *set)
{
    return set->has_new_flow;
}

const struct ft_program *ft_ruleset_core_program(const struct ft_ruleset *set, uint32_t index)
{
    return set->compiled[index].core.count ? &set->compiled[index].core : NULL;
}

const struct ft_vocabulary *ft_ruleset_vocabulary(const struct ft_ruleset *set)
{
    return &set->files->vocabulary;
}

const struct ft_patterns *ft_ruleset_patterns(const struct ft_ruleset *set)
{
    return &set->patterns;
}

enum ft_rule_cost ft_ruleset_cost(const struct ft_ruleset *set, uint32_t index)
{
    const struct ft_compiled *c = &set->compiled[index];
    bool searches_any = false, searches = false;
    for (uint32_t i = 0; i < c->program.count; i++) {
        const struct ft_instruction *code = &c->program.code[i];
        if (code->kind != FT_INSTRUCTION_TEST || code->test->left.keyword != FT_KEYWORD_PAYLOAD ||
            (code->test->kind != FT_TEST_CONTAINS && code->test->kind != FT_TEST_MATCHES))
            continue;
        searches = true;
        searches_any |= set->patterns.groups[code->group].binding >= FT_BINDING_ANY;
    }
    if (searches && (c->is_pattern || c->is_linear))
        return searches_any ? FT_RULE_COST_EVERY_PAYLOAD : FT_RULE_COST_CONTENT;
    if (!c->is_linear)
        return c->level == FT_LEVEL_PAYLOAD && !c->is_of_flow && !c->is_pattern
                   ? FT_RULE_COST_EVERY_PAYLOAD
                   : FT_RULE_COST_KEYED;
    return c->is_of_flow || (c->level == FT_LEVEL_MESSAGE && !c->is_anywhere)
               ? FT_RULE_COST_COMMAND
               : FT_RULE_COST_EVERY_MESSAGE;
}

const char *ft_rule_cost_name(enum ft_rule_cost cost)
{
    static const char *const names[] = {"by value", "by command", "content", "every message",
                                        "every payload"};
    return names[cost];
}
