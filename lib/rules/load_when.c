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
    struct ft_operand distinct; /* GROUP: there is none */
};

const char *const ft_load_by_words[] = {"source", "destination", "pair", "asset", "service", NULL};

/* A threshold that counts values, not hits: of what. */
static void read_distinct(struct ft_loader *l, const json_t *value, uint32_t node, void *to)
{
    const char *name = json_string_value(value);
    struct ft_operand operand, *distinct = to;
    char error[768];
    if (!name)
        ft_load_wrong(l, ft_load_at(l, node),
                      "distinct: expected the name of a value in quotes, such as \"port.dst\"");
    else if (!ft_vocabulary_find(&l->files->vocabulary, name, &operand, error, sizeof(error)))
        ft_load_wrong(l, ft_load_at(l, node), "distinct: %s", error);
    else if (operand.type == FT_VALUE_TYPE_GROUP)
        ft_load_wrong(l, ft_load_at(l, node), "distinct: %s is a group: name a field in it", name);
    else if (operand.level == FT_LEVEL_ASSET)
        ft_load_wrong(l, ft_load_at(l, node),
                      "distinct: %s is what is known of a device, not in what is sent", name);
    else
        *distinct = operand;
}

#define AT(member) offsetof(struct threshold_reading, member)

static const struct ft_load_key threshold_keys[] = {
    {"limit", FT_LOAD_NUMBER, false, 1, COUNT_MAX, AT(limit), NULL, NULL},
    {"at_least", FT_LOAD_NUMBER, false, 1, COUNT_MAX, AT(at_least), NULL, NULL},
    {"seconds", FT_LOAD_NUMBER, true, 1, SECONDS_MAX, AT(seconds), NULL, NULL},
    {"by", FT_LOAD_WORD, false, FT_BY_SOURCE, 0, AT(by), ft_load_by_words, NULL},
    {"distinct", FT_LOAD_OWN, false, 0, 0, AT(distinct), NULL, read_distinct},
};

/* Is there one value at most for whom is counted? */
static bool is_always_one(const struct threshold_reading *r)
{
    bool of_source = r->by != FT_BY_DESTINATION && r->by != FT_BY_ASSET;
    bool of_destination = r->by == FT_BY_DESTINATION || r->by == FT_BY_PAIR;
    switch (r->distinct.keyword) {
    case FT_KEYWORD_IP_SRC:
    case FT_KEYWORD_ZONE_SRC:
    case FT_KEYWORD_PURDUE_SRC:
        return of_source;
    case FT_KEYWORD_IP_DST:
    case FT_KEYWORD_ZONE_DST:
    case FT_KEYWORD_PURDUE_DST:
        return of_destination;
    case FT_KEYWORD_PORT_DST:
        return r->by == FT_BY_SERVICE;
    default:
        return false;
    }
}

/* What keys say of others can be told where the others are right, or are not there. */
static bool is_distinct_wrong(struct ft_loader *l, const json_t *value, uint32_t node,
                              const struct threshold_reading *r, bool has_right_keys)
{
    char name[256];
    uint64_t errors = l->errors;
    ft_vocabulary_name(&l->files->vocabulary, &r->distinct, name, sizeof(name));
    bool has_count = json_object_get(value, "at_least");
    if (!has_count && (has_right_keys || r->limit))
        ft_load_wrong(l, ft_load_at(l, node),
                      "threshold: \"distinct\" goes with \"at_least\": so many values of %s", name);
    if (r->at_least && (r->at_least < 2 || r->at_least > FT_DISTINCT_MAX))
        ft_load_wrong(l, ft_load_at(l, node),
                      "threshold: at_least: from 2 to %u values of %s can be told apart",
                      FT_DISTINCT_MAX, name);
    if (has_count && has_right_keys && is_always_one(r))
        ft_load_wrong(l, ft_load_at(l, node),
                      "threshold: by \"%s\" there is never more than one %s",
                      ft_load_by_words[r->by], name);
    return l->errors != errors;
}

/* One of both: told even if other keys are wrong. But one of those may be meant for it. */
static bool is_count_wrong(struct ft_loader *l, const json_t *value, uint32_t node,
                           bool has_right_keys)
{
    bool has_limit = json_object_get(value, "limit"),
         has_least = json_object_get(value, "at_least");
    if (has_limit != has_least || (!has_limit && !has_right_keys))
        return false;
    ft_load_wrong(l, ft_load_at(l, node),
                  "threshold: one of \"limit\" (at most so many in \"seconds\") and "
                  "\"at_least\" (only from so many on)");
    return true;
}

void ft_load_threshold(struct ft_loader *l, const json_t *value, uint32_t node, void *to)
{
    struct ft_threshold *threshold = to;
    struct threshold_reading r = {.distinct.type = FT_VALUE_TYPE_GROUP};
    bool ok = ft_load_object(l, "threshold", threshold_keys,
                             sizeof(threshold_keys) / sizeof(threshold_keys[0]), value, node, &r);
    bool is_wrong = is_count_wrong(l, value, node, ok);
    bool is_distinct = r.distinct.type != FT_VALUE_TYPE_GROUP;
    bool is_counted = r.limit || r.at_least; /* else that was told */
    if (is_distinct && (!ok || is_counted))
        is_wrong |= is_distinct_wrong(l, value, node, &r, ok);
    if (!ok || is_wrong)
        return;
    *threshold = (struct ft_threshold){
        .kind = is_distinct ? FT_THRESHOLD_DISTINCT
                : r.limit   ? FT_THRESHOLD_LIMIT
                            : FT_THRESHOLD_AT_LEAST,
        .by = r.by,
        .count = r.limit ? r.limit : r.at_least,
        .seconds = r.seconds,
        .of = r.distinct,
    };
}
