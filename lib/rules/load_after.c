/* SPDX-License-Identifier: BSD-3-Clause */
/* Rule files: rules that count only after another one held. */
#include "rules/load_internal.h"

#include <limits.h>
#include <stdio.h>

#define COUNT_MAX   1000000u
#define SECONDS_MAX (7u * 86400u)

static const char *const by_words[] = {"source", "destination", "pair", "asset", NULL};

#define AT(member) offsetof(struct ft_after, member)

static const struct ft_load_key keys[] = {
    {"rule", FT_LOAD_NUMBER, true, FT_RULE_ID_BUILT_IN, FT_RULE_ID_LAST, AT(rule), NULL, NULL},
    {"at_least", FT_LOAD_NUMBER, false, 1, COUNT_MAX, AT(count), NULL, NULL},
    {"seconds", FT_LOAD_NUMBER, true, 1, SECONDS_MAX, AT(seconds), NULL, NULL},
    {"by", FT_LOAD_WORD, false, FT_BY_SOURCE, 0, AT(by), by_words, NULL},
};

void ft_load_after(struct ft_loader *l, const json_t *value, uint32_t node, void *to)
{
    struct ft_after *after = to;
    *after = (struct ft_after){.by = FT_BY_PAIR, .count = 1};
    ft_load_object(l, "after", keys, sizeof(keys) / sizeof(keys[0]), value, node, after);
    after->place = ft_outline_place(&l->source->outline, ft_load_at(l, node));
}

/* Rules are in order of id: index + 1, 0 = none. */
static uint32_t find(const struct ft_rule_files *f, uint32_t id)
{
    uint32_t low = 0, high = f->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (f->rules[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < f->count && f->rules[low].id == id ? low + 1 : 0;
}

/* Is it after itself, maybe by way of others? */
static bool waits_for_itself(const struct ft_rule_files *f, const struct ft_rule *rule)
{
    const struct ft_rule *at = rule;
    for (uint32_t steps = 0; at->after.rule && steps < f->count; steps++) {
        uint32_t awaited = find(f, at->after.rule);
        if (!awaited)
            return false;
        at = &f->rules[awaited - 1];
        if (at == rule)
            return true;
    }
    return false;
}

/* Says what is wrong with a rule that is after another one; true: it is refused for that. */
static bool is_wrong(struct ft_loader *l, const struct ft_rule *r)
{
    char where[PATH_MAX + 32];
    bool is_circle = waits_for_itself(l->files, r);
    bool is_there = l->ids[r->after.rule - FT_RULE_ID_BUILT_IN].said.source != NULL;
    snprintf(where, sizeof(where), "%s:%u:%u", r->file, r->after.place.line, r->after.place.column);
    if (is_circle)
        ft_load_tell(l, true, where, "after: rule %u waits for itself", r->id);
    else if (!is_there)
        ft_load_tell(l, true, where, "after: there is no rule %u", r->after.rule);
    else if (!find(l->files, r->after.rule))
        ft_load_tell(l, false, where, "after: rule %u is not used, so rule %u never counts",
                     r->after.rule, r->id);
    return is_circle || !is_there;
}

void ft_load_find_after(struct ft_loader *l)
{
    struct ft_rule_files *f = l->files;
    for (uint32_t i = f->count; i-- > 0;)
        if (f->rules[i].after.rule && is_wrong(l, &f->rules[i]))
            ft_load_refuse(l, i);
    for (uint32_t i = f->count; i-- > 0;) {
        struct ft_rule *r = &f->rules[i];
        uint32_t awaited = r->after.rule ? find(f, r->after.rule) : 0;
        if (!awaited)
            continue;
        r->after.next = f->rules[awaited - 1].awaited_by;
        f->rules[awaited - 1].awaited_by = i + 1;
    }
}
