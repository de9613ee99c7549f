/* SPDX-License-Identifier: BSD-3-Clause */
/* The reference of outputs[]: what --describe-config says of it. */
#include "output/settings.h"

#include <stdio.h>

static void values_of(const struct ft_sink_key *k, char *text, size_t size)
{
    unsigned long long low = k->low, high = k->high;
    switch (k->kind) {
    case FT_SINK_KEY_TEXT:
        snprintf(text, size, "text of %llu to %llu", low, high);
        return;
    case FT_SINK_KEY_NUMBER:
    case FT_SINK_KEY_LONG:
        snprintf(text, size, "%llu to %llu", low, high);
        return;
    case FT_SINK_KEY_TRUTH:
        snprintf(text, size, "true or false");
        return;
    case FT_SINK_KEY_WORD:
        ft_sink_list_names(k->names, text, size);
        return;
    case FT_SINK_KEY_MODE:
        snprintf(text, size, "octal number as text");
        return;
    case FT_SINK_KEY_OWN:
        snprintf(text, size, "%s", k->values);
        return;
    }
}

static void describe_keys(FILE *to, const char *prefix, const struct ft_sink_key *keys,
                          uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        char values[256];
        values_of(&keys[i], values, sizeof(values));
        fprintf(to, "%s.%s  %s  %s  (default %s)\n", prefix, keys[i].name, values, keys[i].meaning,
                keys[i].standard);
    }
}

void ft_sinks_describe(FILE *to)
{
    const struct ft_sink_kind *kind;
    for (uint32_t i = 0; i < COUNT(ft_sink_common_tables); i++)
        describe_keys(to, "outputs[]", ft_sink_common_tables[i].keys,
                      ft_sink_common_tables[i].count);
    for (uint32_t i = 0; (kind = ft_sink_kind(i)); i++) {
        char prefix[64];
        snprintf(prefix, sizeof(prefix), "outputs[%s]", kind->name);
        describe_keys(to, prefix, kind->keys, kind->key_count);
    }
}
