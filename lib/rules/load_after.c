/* SPDX-License-Identifier: BSD-3-Clause */
/* Rule files: rules that count only after another one held. */
#include "rules/load_internal.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT_MAX   1000000u
#define SECONDS_MAX (7u * 86400u)

#define AT(member) offsetof(struct ft_after, member)

static const struct ft_load_key keys[] = {
    {"rule", FT_LOAD_NUMBER, true, FT_RULE_ID_BUILT_IN, FT_RULE_ID_LAST, AT(rule), NULL, NULL},
    {"at_least", FT_LOAD_NUMBER, false, 1, COUNT_MAX, AT(count), NULL, NULL},
    {"seconds", FT_LOAD_NUMBER, true, 1, SECONDS_MAX, AT(seconds), NULL, NULL},
    {"by", FT_LOAD_WORD, false, FT_BY_SOURCE, 0, AT(by), ft_load_by_words, NULL},
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

/* Of a rule: looked at in which round, and whether it is after itself by way of others. */
struct seen {
    uint32_t round;
    bool is_circle;
};

/* Each rule is after one at most: from any of them the way leads to an end, to rules that were
 * looked at before, or into a circle, which is marked. */
static void find_circles(const struct ft_rule_files *f, struct seen *seen)
{
    for (uint32_t i = 0; i < f->count; i++) {
        uint32_t at = i + 1;
        while (at && !seen[at - 1].round) {
            seen[at - 1].round = i + 1;
            at = f->rules[at - 1].after.rule ? find(f, f->rules[at - 1].after.rule) : 0;
        }
        while (at && seen[at - 1].round == i + 1 && !seen[at - 1].is_circle) {
            seen[at - 1].is_circle = true;
            at = find(f, f->rules[at - 1].after.rule);
        }
    }
}

static void tell(struct ft_loader *l, const struct ft_rule *r, bool is_error, const char *what)
{
    char where[PATH_MAX + 32];
    snprintf(where, sizeof(where), "%s:%u:%u", r->file, r->after.place.line, r->after.place.column);
    ft_load_tell(l, is_error, where, "after: %s", what);
}

/* Rules that wait for themselves, or for a rule that nobody wrote. */
static void refuse_wrong(struct ft_loader *l, const struct seen *seen)
{
    struct ft_rule_files *f = l->files;
    char what[96];
    for (uint32_t i = f->count; i-- > 0;) {
        const struct ft_rule *r = &f->rules[i];
        bool is_there =
            !r->after.rule || l->ids[r->after.rule - FT_RULE_ID_BUILT_IN].said.source != NULL;
        if (is_there && !seen[i].is_circle)
            continue;
        if (is_there)
            snprintf(what, sizeof(what), "rule %u waits for itself", r->id);
        else
            snprintf(what, sizeof(what), "there is no rule %u", r->after.rule);
        tell(l, r, true, what);
        ft_load_refuse(l, i);
    }
}

/* Rules whose other rule is switched off, or was refused. */
static void tell_unused(struct ft_loader *l)
{
    const struct ft_rule_files *f = l->files;
    char what[96];
    for (uint32_t i = 0; i < f->count; i++) {
        const struct ft_rule *r = &f->rules[i];
        if (!r->after.rule || find(f, r->after.rule))
            continue;
        snprintf(what, sizeof(what), "rule %u is not used, so rule %u never counts", r->after.rule,
                 r->id);
        tell(l, r, false, what);
    }
}

void ft_load_find_after(struct ft_loader *l)
{
    struct ft_rule_files *f = l->files;
    struct seen *seen = calloc(f->count + 1, sizeof(*seen));
    if (!seen) {
        ft_load_tell(l, true, "rules", "not enough memory to see which rule waits for which");
        return;
    }
    find_circles(f, seen);
    refuse_wrong(l, seen);
    free(seen);
    tell_unused(l);
    for (uint32_t i = f->count; i-- > 0;) {
        struct ft_rule *r = &f->rules[i];
        uint32_t awaited = r->after.rule ? find(f, r->after.rule) : 0;
        r->splits_ports |= r->threshold.by == FT_BY_SERVICE;
        if (!awaited)
            continue;
        if (r->after.by == FT_BY_SERVICE)
            r->splits_ports = f->rules[awaited - 1].splits_ports = true;
        r->after.next = f->rules[awaited - 1].awaited_by;
        f->rules[awaited - 1].awaited_by = i + 1;
    }
}
