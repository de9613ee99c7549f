/* SPDX-License-Identifier: BSD-3-Clause */
/* Conditions compiled: running programs. */
#include "rules/program_internal.h"

#include <stdlib.h>

struct ft_program_run *ft_program_run_new(const struct ft_vocabulary *v,
                                          const struct ft_patterns *patterns)
{
    struct ft_program_run *run = calloc(1, sizeof(*run));
    const struct ft_content **contents = calloc(patterns->count + 1, sizeof(*contents));
    bool ok = run && contents && (run->found = calloc(FT_HITS_MAX, sizeof(*run->found)));
    if (ok) {
        run->vocabulary = v;
        run->patterns = patterns;
        run->epoch = 1;
        run->results = calloc(patterns->count + 1, sizeof(*run->results));
        ok = run->results != NULL;
    }
    for (uint32_t i = 0; ok && i < patterns->count; i++) {
        uint32_t room = patterns->groups[i].count;
        contents[i] = patterns->groups[i].content;
        room = room < FT_HITS_MAX ? room : FT_HITS_MAX;
        run->results[i].hits = calloc(room, sizeof(*run->results[i].hits));
        run->results[i].nodes = calloc(room, sizeof(*run->results[i].nodes));
        ok = run->results[i].hits && run->results[i].nodes;
    }
    if (ok && patterns->count) {
        run->scratch = ft_content_scratch_new(contents, patterns->count);
        ok = run->scratch != NULL;
    }
    free(contents);
    if (ok)
        return run;
    ft_program_run_free(run);
    return NULL;
}

void ft_program_run_free(struct ft_program_run *run)
{
    if (!run)
        return;
    for (uint32_t i = 0; run->results && i < run->patterns->count; i++) {
        free(run->results[i].hits);
        free(run->results[i].nodes);
    }
    free(run->results);
    free(run->found);
    ft_content_scratch_free(run->scratch);
    free(run);
}

void ft_program_begin(struct ft_program_run *run)
{
    run->epoch++;
    run->indexed = NULL;
    run->steps = 0;
}

/*
 * Something did not hold, so the program goes on at `at`. What held in an alternative that is left
 * by that is no reason any more: without it the program would have come here too.
 */
static void leave_alternative(struct ft_program_run *run, uint32_t at)
{
    if (at < FT_PROGRAM_REJECT && run->evidence.operand && run->evidence.test->on_false <= at)
        run->evidence.operand = NULL;
}

/* The same of an element for which the body of an `any` did not hold. */
static void leave_element(struct ft_program_run *run, const struct ft_instruction *any)
{
    if (run->evidence.operand && run->evidence.test > any)
        run->evidence.operand = NULL;
}

/* The nodes of the next element of a group; false: no more. */
static bool next_element(struct ft_program_run *run, const struct ft_subject *s,
                         struct ft_value_cursor *c, const struct ft_operand *group,
                         struct ft_element *element)
{
    struct ft_call const *call = s->call;
    uint32_t depth = 1, n;
    run->steps++;
    if (!c->node || c->node >= c->last || run->steps >= FT_PROGRAM_STEPS)
        return false;
    element->first = c->node;
    for (n = call->nodes[c->node].next; n; n = call->nodes[n].next) {
        depth += call->nodes[n].type == FT_TYPE_GROUP;
        if (call->nodes[n].type == FT_NODE_END && !--depth)
            break;
    }
    element->last = n ? n : UINT32_MAX;
    c->node = c->is_chained ? run->chain[c->node]
                            : ft_field_next(call, call->nodes[c->node].next, group->field);
    return true;
}

bool ft_program_holds(const struct ft_program *p, const struct ft_subject *s,
                      struct ft_program_run *run)
{
    struct {
        uint16_t any; /* its instruction */
        struct ft_value_cursor cursor;
    } loops[FT_EXPRESSION_BINDINGS];
    struct ft_element elements[FT_EXPRESSION_BINDINGS];
    uint32_t depth = 0, at = 0;
    run->steps = 0;
    run->evidence.operand = NULL;
    for (;;) {
        const struct ft_instruction *i = &p->code[at];
        if (i->kind == FT_INSTRUCTION_TEST) {
            bool held = ft_test_holds(run, s, i, elements);
            at = held ? i->on_true : i->on_false;
            if (!held)
                leave_alternative(run, at);
        } else {
            loops[depth].any = (uint16_t)at;
            loops[depth].cursor = ft_value_first(run, s, &i->test->left,
                                                 i->binding < 0 ? NULL : &elements[i->binding]);
            depth++;
            at = FT_PROGRAM_REJECT; /* of no element yet */
        }
        while (at >= FT_PROGRAM_REJECT) {
            if (!depth) {
                bool is_given_up = run->steps >= FT_PROGRAM_STEPS;
                run->given_up += is_given_up;
                return at == FT_PROGRAM_ACCEPT && !is_given_up;
            }
            const struct ft_instruction *any = &p->code[loops[depth - 1].any];
            if (at == FT_PROGRAM_REJECT)
                leave_element(run, any);
            if (at == FT_PROGRAM_REJECT && next_element(run, s, &loops[depth - 1].cursor,
                                                        &any->test->left, &elements[depth - 1])) {
                at = loops[depth - 1].any + 1u;
                break;
            }
            depth--;
            bool held = (at == FT_PROGRAM_ACCEPT) != any->is_negated;
            at = held ? any->on_true : any->on_false;
            if (!held)
                leave_alternative(run, at);
        }
    }
}
