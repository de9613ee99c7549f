/* SPDX-License-Identifier: BSD-3-Clause */
/* Rule sets: rules by the values that find them. */
#include "base/hash.h"
#include "rules/ruleset_making.h"

#include <stdlib.h>

static uint64_t hash_of_key(uint32_t operand, uint64_t value)
{
    return ft_hash_mix(value, operand + 1);
}

const struct ft_list *ft_ruleset_keyed(const struct ft_ruleset *set, uint32_t operand,
                                       uint64_t value)
{
    uint64_t hash = hash_of_key(operand, value);
    const struct ft_keyed *k = &set->keyed[operand];
    if (!(k->filter[hash >> 52 & 63] >> (hash >> 58) & 1) || !set->key_size)
        return NULL;
    for (uint32_t at = (uint32_t)hash & (set->key_size - 1); set->keys[at].rules.count;
         at = (at + 1) & (set->key_size - 1))
        if (set->keys[at].operand == operand && set->keys[at].value == value)
            return &set->keys[at].rules;
    return NULL;
}

static bool keys_grow(struct ft_ruleset *set)
{
    uint32_t size = set->key_size ? set->key_size * 2 : 1024;
    struct ft_key *bigger = calloc(size, sizeof(*bigger));
    if (!bigger)
        return false;
    for (uint32_t i = 0; i < set->key_size; i++) {
        const struct ft_key *k = &set->keys[i];
        uint32_t at = (uint32_t)hash_of_key(k->operand, k->value) & (size - 1);
        while (k->rules.count && bigger[at].rules.count)
            at = (at + 1) & (size - 1);
        if (k->rules.count)
            bigger[at] = *k;
    }
    free(set->keys);
    set->keys = bigger;
    set->key_size = size;
    return true;
}

bool ft_ruleset_add_key(struct ft_ruleset *set, uint32_t operand, uint64_t value, uint32_t rule)
{
    if (set->key_count * 2 >= set->key_size && !keys_grow(set))
        return false;
    uint64_t hash = hash_of_key(operand, value);
    uint32_t at = (uint32_t)hash & (set->key_size - 1);
    while (set->keys[at].rules.count &&
           (set->keys[at].operand != operand || set->keys[at].value != value))
        at = (at + 1) & (set->key_size - 1);
    struct ft_key *k = &set->keys[at];
    set->key_count += !k->rules.count;
    k->operand = operand;
    k->value = value;
    set->keyed[operand].filter[hash >> 52 & 63] |= 1ull << (hash >> 58);
    return ft_list_append(&k->rules, rule);
}
