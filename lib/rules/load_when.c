/* SPDX-License-Identifier: BSD-3-Clause */
/* Rule files: when a rule counts, and how often: schedule and threshold. */
#include "rules/load_internal.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_MAX   1000000u
#define SECONDS_MAX (7u * 86400u)

/* ---- schedule ---- */

struct schedule_reading {
    struct ft_schedule schedule;
    bool is_outside;
};

static void read_times(struct ft_loader *l, const json_t *value, uint32_t node, void *to)
{
    const struct ft_outline *o = &l->source->outline;
    struct ft_schedule *schedule = to;
    char error[512];
    if (!json_is_array(value) || !json_array_size(value)) {
        ft_load_wrong(l, ft_load_at(l, node),
                      "at: expected a list of times, such as [\"mon-fri 08:00-17:00\"]");
        return;
    }
    struct ft_outline_walk w = ft_outline_walk(o, value, node);
    while (ft_outline_next(o, &w)) {
        const char *text = json_string_value(w.value);
        if (!text)
            ft_load_wrong(l, ft_load_at(l, w.node),
                          "at: expected times in quotes, such as \"mon-fri 08:00-17:00\"");
        else if (!ft_schedule_add(schedule, text, error, sizeof(error)))
            ft_load_wrong(l, ft_load_at(l, w.node), "at: %s", error);
    }
}

/* A time zone, made once for all rules that name it. */
static struct ft_time_zone *zone(struct ft_loader *l, const char *name, char *error,
                                 size_t error_size)
{
    struct ft_rule_store *s = l->store;
    for (uint32_t i = 0; i < s->zone_count; i++)
        if (strcmp(s->zones[i].name, name) == 0)
            return s->zones[i].zone;
    struct ft_time_zone *made = ft_time_zone_new(name, error, error_size);
    if (!made)
        return NULL;
    struct ft_zone_entry *grown = reallocarray(s->zones, s->zone_count + 1, sizeof(*grown));
    if (!grown) {
        ft_time_zone_free(made);
        l->is_out_of_memory = true;
        return NULL;
    }
    s->zones = grown;
    s->zones[s->zone_count++] = (struct ft_zone_entry){name, made};
    return made;
}

static void read_zone(struct ft_loader *l, const json_t *value, uint32_t node, void *to)
{
    struct ft_schedule *schedule = to;
    const char *name = json_string_value(value);
    char error[512] = "out of memory";
    if (!name) {
        ft_load_wrong(l, ft_load_at(l, node),
                      "time_zone: expected a name in quotes, such as \"Europe/Berlin\"");
        return;
    }
    schedule->zone = zone(l, name, error, sizeof(error));
    if (!schedule->zone)
        ft_load_wrong(l, ft_load_at(l, node), "time_zone: %s", error);
}

static const struct ft_load_key schedule_keys[] = {
    {"at", FT_LOAD_OWN, true, 0, 0, offsetof(struct schedule_reading, schedule), NULL, read_times},
    {"outside", FT_LOAD_TRUTH, false, 0, 0, offsetof(struct schedule_reading, is_outside), NULL,
     NULL},
    {"time_zone", FT_LOAD_OWN, false, 0, 0, offsetof(struct schedule_reading, schedule), NULL,
     read_zone},
};

static void check_schedule(struct ft_loader *l, uint32_t node, const struct ft_schedule *schedule)
{
    if (ft_schedule_is_never(schedule))
        ft_load_wrong(l, ft_load_at(l, node),
                      "schedule: the times are the whole week: outside them there is none");
}

void ft_load_schedule(struct ft_loader *l, const json_t *value, uint32_t node, void *to)
{
    static const char *const words[] = {"always", "working_hours", "outside_working_hours", NULL};
    const struct ft_schedule *hours = l->environment.working_hours;
    struct ft_schedule *schedule = to;
    if (json_is_object(value)) {
        struct schedule_reading r = {.schedule.zone = l->environment.time_zone};
        ft_load_object(l, "schedule", schedule_keys,
                       sizeof(schedule_keys) / sizeof(schedule_keys[0]), value, node, &r);
        r.schedule.is_outside = r.is_outside;
        *schedule = r.schedule;
        check_schedule(l, node, schedule);
        return;
    }
    if (!json_is_string(value)) {
        ft_load_wrong(l, ft_load_at(l, node),
                      "schedule: expected \"always\", \"working_hours\", "
                      "\"outside_working_hours\" or {\"at\": [\"mon-fri 08:00-17:00\"]}");
        return;
    }
    int word = ft_load_word(l, ft_load_at(l, node), "schedule", value, words);
    *schedule = (struct ft_schedule){0};
    if (word <= 0)
        return;
    if (!hours) {
        ft_load_wrong(l, ft_load_at(l, node),
                      "schedule: the configuration has no working_hours; write the times here: "
                      "{\"at\": [\"mon-fri 08:00-17:00\"]}");
        return;
    }
    *schedule = *hours;
    schedule->is_outside = hours->is_outside != (word == 2);
    check_schedule(l, node, schedule);
}

/* ---- threshold ---- */

struct threshold_reading {
    uint32_t limit, at_least, seconds;
    uint8_t by;
};

static const char *const by_words[] = {"source", "destination", "pair", "asset", NULL};

#define AT(member) offsetof(struct threshold_reading, member)

static const struct ft_load_key threshold_keys[] = {
    {"limit", FT_LOAD_NUMBER, false, 1, COUNT_MAX, AT(limit), NULL, NULL},
    {"at_least", FT_LOAD_NUMBER, false, 1, COUNT_MAX, AT(at_least), NULL, NULL},
    {"seconds", FT_LOAD_NUMBER, true, 1, SECONDS_MAX, AT(seconds), NULL, NULL},
    {"by", FT_LOAD_WORD, false, FT_BY_SOURCE, 0, AT(by), by_words, NULL},
};

void ft_load_threshold(struct ft_loader *l, const json_t *value, uint32_t node, void *to)
{
    struct ft_threshold *threshold = to;
    struct threshold_reading r = {0};
    if (!ft_load_object(l, "threshold", threshold_keys,
                        sizeof(threshold_keys) / sizeof(threshold_keys[0]), value, node, &r))
        return;
    if (!r.limit == !r.at_least) {
        ft_load_wrong(l, ft_load_at(l, node),
                      "threshold: one of \"limit\" (at most so many in \"seconds\") and "
                      "\"at_least\" (only from so many on)");
        return;
    }
    *threshold = (struct ft_threshold){
        .kind = r.limit ? FT_THRESHOLD_LIMIT : FT_THRESHOLD_AT_LEAST,
        .by = r.by,
        .count = r.limit ? r.limit : r.at_least,
        .seconds = r.seconds,
    };
}
