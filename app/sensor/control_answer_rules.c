/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers of the control socket: rules, what they did and what they cost, reading them again. */
#include "control_answers.h"

#include <stdlib.h>
#include <string.h>

#define MS 1000000ull

static enum control_outcome no_rules(struct control_job *job)
{
    return refuse(job, "the sensor runs without rules: name them with --rules or rules[]");
}

enum control_outcome control_rules_list(struct control *c, struct control_job *job)
{
    uint64_t after = ft_control_number(&job->request, "after", 0);
    uint64_t limit = ft_control_number(&job->request, "limit", 1000);
    const struct rules *r = rules_look(c->sensor);
    json_t *list = json_array();
    for (uint32_t i = 0; r && i < ft_ruleset_count(r->set); i++) {
        const struct ft_rule *rule = ft_ruleset_rule(r->set, i);
        json_t *o;
        if (rule->id <= after)
            continue;
        if (json_array_size(list) == limit) {
            put(job->result, "next",
                (uint64_t)json_integer_value(
                    json_object_get(json_array_get(list, limit - 1), "id")));
            break;
        }
        o = json_object();
        put(o, "id", rule->id);
        put(o, "revision", rule->revision);
        put_text(o, "title", rule->title);
        put_text(o, "severity", ft_severity_name(rule->severity));
        put_text(o, "category", rule->category);
        put_text(o, "when", rule->when);
        put_text(o, "file", rule->file);
        put(o, "line", rule->place.line);
        json_object_set_new(o, "built_in", json_boolean(rule->is_built_in));
        json_array_append_new(list, o);
    }
    if (r) {
        put(job->result, "count", ft_ruleset_count(r->set));
        put(job->result, "generation", r->generation);
    }
    rules_look_away(c->sensor);
    json_object_set_new(job->result, "rules", list);
    return r ? CONTROL_DONE : no_rules(job);
}

struct rule_hits {
    uint32_t index;
    uint64_t hits, cycles;
};

static int by_hits(const void *a, const void *b)
{
    const struct rule_hits *x = a, *y = b;
    if (x->hits != y->hits)
        return x->hits < y->hits ? 1 : -1;
    if (x->cycles != y->cycles)
        return x->cycles < y->cycles ? 1 : -1;
    return x->index < y->index ? -1 : 1;
}

static json_t *rule_figures(const struct ft_rule *rule, const struct ft_rule_statistic *one)
{
    json_t *o = json_object();
    put(o, "id", rule->id);
    put_text(o, "title", rule->title);
    put(o, "hits", one->hits);
    if (one->last_ns)
        put_real(o, "last", (double)(one->last_ns / MS) / 1e3);
    put(o, "evaluations", one->run.evaluations);
    put(o, "cycles_per_evaluation", one->run.timed ? one->run.cycles / one->run.timed : 0);
    put(o, "lost", one->run.lost);
    return o;
}

static void put_rule_stats(struct control *c, struct control_job *job, const struct rules *r)
{
    uint32_t count = ft_ruleset_count(r->set);
    uint64_t top = ft_control_number(&job->request, "top", 20);
    struct rule_hits *all = calloc(count + 1, sizeof(*all));
    struct ft_rule_statistic *one = calloc(1, sizeof(*one));
    json_t *list = json_array();
    struct ft_rule_statistics *st = rules_statistics(c->sensor, r);
    for (uint32_t i = 0; all && one && i < count; i++) {
        bool is_known = ft_rule_statistics_of(st, ft_ruleset_rule(r->set, i)->id, one);
        all[i] = (struct rule_hits){i, is_known ? one->hits : 0, is_known ? one->run.cycles : 0};
    }
    if (all && one)
        qsort(all, count, sizeof(*all), by_hits);
    for (uint32_t i = 0; all && one && i < count && i < top; i++) {
        const struct ft_rule *rule = ft_ruleset_rule(r->set, all[i].index);
        memset(one, 0, sizeof(*one));
        ft_rule_statistics_of(st, rule->id, one);
        json_array_append_new(list, rule_figures(rule, one));
    }
    rules_statistics_end();
    free(all);
    free(one);
    put(job->result, "count", count);
    json_object_set_new(job->result, "rules", list);
}

enum control_outcome control_rules_stats(struct control *c, struct control_job *job)
{
    const struct rules *r = rules_look(c->sensor);
    if (r)
        put_rule_stats(c, job, r);
    rules_look_away(c->sensor);
    return r ? CONTROL_DONE : no_rules(job);
}

enum control_outcome control_rules_explain_one(struct control *c, struct control_job *job)
{
    uint64_t id = ft_control_number(&job->request, "rule", 0);
    const struct rules *r = rules_look(c->sensor);
    bool is_found = false;
    char *text = NULL;
    size_t size;
    for (uint32_t i = 0; r && i < ft_ruleset_count(r->set) && !is_found; i++) {
        if (ft_ruleset_rule(r->set, i)->id != id)
            continue;
        FILE *to = open_memstream(&text, &size);
        is_found = true;
        if (to) {
            ft_ruleset_explain(r->set, i, to);
            fclose(to);
        }
    }
    rules_look_away(c->sensor);
    if (!r)
        return no_rules(job);
    if (!is_found)
        return refuse(job, "no rule that is enabled has this id");
    put(job->result, "id", id);
    put_text(job->result, "text", text ? text : "");
    free(text);
    return CONTROL_DONE;
}

enum control_outcome control_rules_reload(struct control *c, struct control_job *job)
{
    struct rules_state *state = &c->sensor->rules;
    if (!state->has_thread)
        return refuse(job,
                      atomic_load(&state->now)
                          ? "rules are read again where the sensor captures live; this run reads "
                            "captures"
                          : "the sensor was started without rules: there is nothing to read "
                            "again");
    if (job->step == 0) {
        job->step = 1;
        job->number = atomic_load(&state->begun) + 1;
        rules_want(c->sensor, RULES_WISH_RELOAD);
    }
    if (atomic_load_explicit(&state->ended, memory_order_acquire) < job->number)
        return CONTROL_WAITS;
    if (!atomic_load(&state->was_taken)) {
        rules_said(job->error, sizeof(job->error));
        return CONTROL_REFUSED;
    }
    char *said = malloc(CONTROL_ERROR_MAX);
    if (said)
        rules_said(said, CONTROL_ERROR_MAX);
    put_text(job->result, "said", said);
    free(said);
    const struct rules *r = rules_look(c->sensor);
    put(job->result, "count", r ? ft_ruleset_count(r->set) : 0);
    put(job->result, "generation", r ? r->generation : 0);
    rules_look_away(c->sensor);
    return CONTROL_DONE;
}
