/* SPDX-License-Identifier: BSD-3-Clause */
/* What the configuration says for rules: sets{}, zones[], working_hours. */
#include "rules/load_internal.h"

#include <stdlib.h>
#include <string.h>

struct zone_reading {
    const char *name;
    double purdue;
    struct ft_set *networks;
};

static void read_purdue(struct ft_loader *l, const json_t *value, uint32_t node, void *to)
{
    struct zone_reading *z = to;
    double level = json_number_value(value);
    if (!json_is_number(value) || level < 0 || level > 5)
        ft_load_wrong(l, ft_load_at(l, node),
                      "purdue: expected a level from 0 to 5, such as 1 or 3.5");
    else
        z->purdue = level;
}

static void read_networks(struct ft_loader *l, const json_t *value, uint32_t node, void *to)
{
    struct zone_reading *z = to;
    char error[256];
    if (!json_is_array(value) || !json_array_size(value)) {
        ft_load_wrong(l, ft_load_at(l, node),
                      "networks: expected a list of networks, such as [\"10.1.0.0/16\"]");
        return;
    }
    struct ft_outline_walk w = ft_outline_walk(&l->source->outline, value, node);
    while (ft_outline_next(&l->source->outline, &w)) {
        const char *text = json_string_value(w.value);
        if (!text)
            ft_load_wrong(l, ft_load_at(l, w.node), "networks: expected a text in quotes");
        else if (!ft_set_add_written(z->networks, FT_VALUE_IP, text, strlen(text), error,
                                     sizeof(error)))
            ft_load_wrong(l, ft_load_at(l, w.node), "networks: %s", error);
    }
}

static const struct ft_load_key zone_keys[] = {
    {"name", FT_LOAD_TEXT, true, 1, 63, offsetof(struct zone_reading, name), NULL, NULL},
    {.name = "networks", .kind = FT_LOAD_OWN, .is_required = true, .own = read_networks},
    {.name = "purdue", .kind = FT_LOAD_OWN, .own = read_purdue},
};

static bool is_new_zone(struct ft_loader *l, uint32_t node, const char *name)
{
    const struct ft_rule_store *s = l->store;
    for (uint32_t i = 0; i < s->area_count; i++)
        if (strcmp(s->areas[i].name, name) == 0) {
            ft_load_wrong(l, ft_load_at(l, node), "zones: there is a zone \"%s\" already", name);
            return false;
        }
    return true;
}

static void read_zone(struct ft_loader *l, const json_t *value, uint32_t node)
{
    struct ft_rule_store *s = l->store;
    struct zone_reading z = {.purdue = -1, .networks = ft_set_new(FT_SET_ADDRESSES)};
    bool ok =
        z.networks && ft_load_object(l, "a zone", zone_keys,
                                     sizeof(zone_keys) / sizeof(zone_keys[0]), value, node, &z);
    if (ok && z.name && is_new_zone(l, node, z.name) && ft_set_close(z.networks)) {
        struct ft_zone *grown = reallocarray(s->areas, s->area_count + 1, sizeof(*grown));
        if (grown) {
            s->areas = grown;
            s->areas[s->area_count++] = (struct ft_zone){z.name, z.purdue, z.networks};
            return;
        }
        l->is_out_of_memory = true;
    }
    ft_set_free(z.networks);
}

static void read_zones(struct ft_loader *l, const json_t *value, uint32_t node)
{
    if (!json_is_array(value)) {
        ft_load_wrong(l, ft_load_at(l, node),
                      "zones: expected a list: [{\"name\": \"Cell 1\", \"networks\": "
                      "[\"10.1.0.0/16\"], \"purdue\": 1}]");
        return;
    }
    struct ft_outline_walk w = ft_outline_walk(&l->source->outline, value, node);
    while (ft_outline_next(&l->source->outline, &w))
        read_zone(l, w.value, w.node);
}

static void read_working_hours(struct ft_loader *l, const json_t *value, uint32_t node)
{
    struct ft_rule_store *s = l->store;
    if (!json_is_object(value)) {
        ft_load_wrong(l, ft_load_at(l, node),
                      "working_hours: expected {\"at\": [\"mon-fri 08:00-17:00\"], "
                      "\"time_zone\": \"Europe/Berlin\"}");
        return;
    }
    ft_load_schedule(l, value, node, &s->working_hours);
    l->environment.working_hours = &s->working_hours;
    l->environment.time_zone = s->working_hours.zone;
}

void ft_load_environment(struct ft_loader *l)
{
    const struct ft_outline *o = &l->source->outline;
    if (!json_is_object(l->source->root))
        return;
    struct ft_outline_walk w = ft_outline_walk(o, l->source->root, 0);
    while (ft_outline_next(o, &w)) {
        if (strcmp(w.key, "sets") == 0)
            ft_load_sets(l, w.value, w.node, NULL);
        else if (strcmp(w.key, "zones") == 0)
            read_zones(l, w.value, w.node);
        else if (strcmp(w.key, "working_hours") == 0)
            read_working_hours(l, w.value, w.node);
    }
}
