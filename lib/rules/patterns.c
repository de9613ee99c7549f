/* SPDX-License-Identifier: BSD-3-Clause */
/* Conditions compiled: all patterns that a rule set looks for, in groups. */
#include "base/hash.h"
#include "rules/program_internal.h"

#include <stdlib.h>
#include <string.h>

static struct ft_pattern_group *group_of(struct ft_patterns *p, const struct ft_operand *o,
                                         uint64_t binding)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (p->groups[i].binding == binding && ft_operand_is_same(&p->groups[i].operand, o))
            return &p->groups[i];
    struct ft_pattern_group *grown = reallocarray(p->groups, p->count + 1, sizeof(*grown));
    if (!grown)
        return NULL;
    p->groups = grown;
    grown[p->count] = (struct ft_pattern_group){.operand = *o, .binding = binding};
    return &grown[p->count++];
}

/* Where the pattern is in the group's slots, or the free one where it belongs. */
static uint32_t slot_of(const struct ft_pattern_group *g, const struct ft_pattern *p)
{
    uint64_t hash =
        ft_hash_bytes((uint64_t)p->is_regex << 1 | p->ignores_case, p->bytes, p->length);
    uint32_t at = (uint32_t)hash & (g->slot_count - 1);
    for (; g->slots[at]; at = (at + 1) & (g->slot_count - 1)) {
        const struct ft_pattern *is = &g->patterns[g->slots[at] - 1];
        if (is->length == p->length && is->is_regex == p->is_regex &&
            is->ignores_case == p->ignores_case && memcmp(is->bytes, p->bytes, p->length) == 0)
            break;
    }
    return at;
}

/* Room for one more pattern; there are two slots for each. */
static bool grow(struct ft_pattern_group *g)
{
    if (g->count < g->slot_count / 2)
        return true;
    uint32_t room = g->count ? g->count * 2 : 1;
    struct ft_pattern *patterns = reallocarray(g->patterns, room, sizeof(*patterns));
    g->patterns = patterns ? patterns : g->patterns;
    uint32_t *slots = calloc(room, 2 * sizeof(*slots));
    if (!patterns || !slots) {
        free(slots);
        return false;
    }
    free(g->slots);
    g->slots = slots;
    g->slot_count = room * 2;
    for (uint32_t i = 0; i < g->count; i++)
        slots[slot_of(g, &g->patterns[i])] = i + 1;
    return true;
}

bool ft_patterns_add(struct ft_patterns *p, const struct ft_test *t, uint32_t *group,
                     uint32_t *pattern)
{
    bool is_payload = t->left.keyword == FT_KEYWORD_PAYLOAD;
    struct ft_pattern_group *g = group_of(p, &t->left, is_payload ? p->binding : 0);
    struct ft_pattern one = {.bytes = t->text,
                             .length = t->length,
                             .least = is_payload ? p->least : 0,
                             .is_regex = t->kind == FT_TEST_MATCHES,
                             .ignores_case = t->ignores_case};
    if (!g || !grow(g))
        return false;
    uint32_t at = slot_of(g, &one);
    *group = (uint32_t)(g - p->groups);
    if (!g->slots[at]) {
        g->patterns[g->count++] = one;
        g->slots[at] = g->count;
    }
    *pattern = g->slots[at] - 1;
    if (one.least < g->patterns[*pattern].least)
        g->patterns[*pattern].least = one.least;
    return true;
}

/* One more owner of what one of these groups has compiled; NULL: there is no such group. */
static struct ft_content *share(const struct ft_pattern_group *groups, uint32_t count,
                                const struct ft_pattern_group *g)
{
    for (uint32_t i = 0; i < count; i++)
        if (groups[i].content && groups[i].fingerprint == g->fingerprint &&
            groups[i].count == g->count)
            return ft_content_share(groups[i].content);
    return NULL;
}

bool ft_patterns_compile(struct ft_patterns *p, uint32_t group, const struct ft_patterns *before,
                         char *error, size_t error_size)
{
    struct ft_pattern_group *g = &p->groups[group];
    g->fingerprint = ft_content_fingerprint(g->patterns, g->count);
    g->content = share(p->groups, group, g); /* a rule may ask several fields for the same */
    if (!g->content && before)
        g->content = share(before->groups, before->count, g);
    if (!g->content)
        g->content = ft_content_new(g->patterns, g->count, error, error_size);
    return g->content != NULL;
}

void ft_patterns_free(struct ft_patterns *p)
{
    for (uint32_t i = 0; i < p->count; i++) {
        ft_content_free(p->groups[i].content);
        free(p->groups[i].patterns);
        free(p->groups[i].slots);
    }
    free(p->groups);
    *p = (struct ft_patterns){0};
}
