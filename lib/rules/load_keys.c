/* SPDX-License-Identifier: BSD-3-Clause */
/* Rule files: objects by a table of their keys. */
#include "rules/load_internal.h"

#include "base/nearest.h"

#include <stdio.h>
#include <string.h>

/* Returns the bit of the key that was probably meant: it is not missing, too. */
static uint64_t unknown(struct ft_loader *l, const char *what, const struct ft_load_key *keys,
                        uint32_t key_count, const struct ft_outline_walk *w)
{
    char list[512] = "";
    size_t used = 0;
    struct ft_nearest n = ft_nearest_begin(w->key);
    for (uint32_t i = 0; i < key_count; i++) {
        ft_nearest_offer(&n, keys[i].name);
        if (used < sizeof(list))
            used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "",
                                     keys[i].name);
    }
    if (n.best)
        ft_load_wrong(l, ft_load_at(l, w->node), "%s has no key \"%s\"; did you mean \"%s\"?", what,
                      w->key, n.best);
    else
        ft_load_wrong(l, ft_load_at(l, w->node), "%s has no key \"%s\"; there are: %s", what,
                      w->key, list);
    for (uint32_t i = 0; n.best && i < key_count; i++)
        if (strcmp(keys[i].name, n.best) == 0)
            return 1ull << i;
    return 0;
}

int ft_load_word(struct ft_loader *l, uint32_t at, const char *what, const json_t *value,
                 const char *const *words)
{
    const char *text = json_string_value(value);
    struct ft_nearest n = ft_nearest_begin(text ? text : "");
    char list[512] = "";
    size_t used = 0;
    for (int i = 0; words[i]; i++) {
        if (text && strcmp(words[i], text) == 0)
            return i;
        ft_nearest_offer(&n, words[i]);
        if (used < sizeof(list))
            used += (size_t)snprintf(list + used, sizeof(list) - used, "%s\"%s\"",
                                     i == 0         ? ""
                                     : words[i + 1] ? ", "
                                                    : " or ",
                                     words[i]);
    }
    if (text && n.best)
        ft_load_wrong(l, at, "%s: there is no \"%s\"; did you mean \"%s\"?", what, text, n.best);
    else if (text)
        ft_load_wrong(l, at, "%s: there is no \"%s\"; expected %s", what, text, list);
    else
        ft_load_wrong(l, at, "%s: expected %s", what, list);
    return -1;
}

static void set_text(struct ft_loader *l, const struct ft_load_key *k, const json_t *value,
                     uint32_t at, void *to)
{
    size_t n = json_string_length(value);
    if (!json_is_string(value))
        ft_load_wrong(l, at, "%s: expected a text in quotes", k->name);
    else if (n < k->low)
        ft_load_wrong(l, at, "%s: an empty text says nothing", k->name);
    else if (n > k->high)
        ft_load_wrong(l, at, "%s: %zu bytes are too many: at most %u", k->name, n, k->high);
    else
        *(const char **)to = json_string_value(value);
}

static void set_number(struct ft_loader *l, const struct ft_load_key *k, const json_t *value,
                       uint32_t at, void *to)
{
    json_int_t n = json_integer_value(value), high = k->high;
    json_int_t low = k->kind == FT_LOAD_SIGNED ? -high : (json_int_t)k->low;
    if (!json_is_integer(value) || n < low || n > high)
        ft_load_wrong(l, at, "%s: expected a whole number from %lld to %lld", k->name,
                      (long long)low, (long long)high);
    else if (k->kind == FT_LOAD_SIGNED)
        *(int32_t *)to = (int32_t)n;
    else
        *(uint32_t *)to = (uint32_t)n;
}

static void set(struct ft_loader *l, const struct ft_load_key *k, const struct ft_outline_walk *w,
                void *object)
{
    void *to = (char *)object + k->offset;
    uint32_t at = ft_load_at(l, w->node);
    int word;
    switch (k->kind) {
    case FT_LOAD_TEXT:
        set_text(l, k, w->value, at, to);
        return;
    case FT_LOAD_NUMBER:
    case FT_LOAD_SIGNED:
        set_number(l, k, w->value, at, to);
        return;
    case FT_LOAD_TRUTH:
        if (json_is_boolean(w->value))
            *(bool *)to = json_is_true(w->value);
        else
            ft_load_wrong(l, at, "%s: expected true or false", k->name);
        return;
    case FT_LOAD_WORD:
        word = ft_load_word(l, at, k->name, w->value, k->words);
        if (word >= 0)
            *(uint8_t *)to = (uint8_t)((uint32_t)word + k->low);
        return;
    default:
        k->own(l, w->value, w->node, to);
    }
}

bool ft_load_object(struct ft_loader *l, const char *what, const struct ft_load_key *keys,
                    uint32_t key_count, const json_t *value, uint32_t node, void *to)
{
    const struct ft_outline *o = &l->source->outline;
    uint64_t errors = l->errors, seen = 0;
    if (!json_is_object(value)) {
        ft_load_wrong(l, ft_load_at(l, node), "%s: expected an object {...}", what);
        return false;
    }
    struct ft_outline_walk w = ft_outline_walk(o, value, node);
    while (ft_outline_next(o, &w)) {
        uint32_t i = 0;
        while (i < key_count && strcmp(keys[i].name, w.key) != 0)
            i++;
        if (w.is_twice) {
            ft_load_wrong(l, ft_load_at(l, w.again), "%s has the key \"%s\" twice", what, w.key);
        } else if (i == key_count) {
            seen |= unknown(l, what, keys, key_count, &w);
        } else {
            seen |= 1ull << i;
            set(l, &keys[i], &w, to);
        }
    }
    for (uint32_t i = 0; i < key_count; i++)
        if (keys[i].is_required && !(seen >> i & 1))
            ft_load_wrong(l, ft_load_at(l, node), "%s needs the key \"%s\"", what, keys[i].name);
    return l->errors == errors;
}
