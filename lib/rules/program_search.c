/* SPDX-License-Identifier: BSD-3-Clause */
/* Conditions compiled: patterns that are in the values of an operand. */
#include "rules/program_internal.h"

#include <string.h>

static void add_hits(struct ft_group_result *to, const struct ft_content_hit *hits, uint32_t count,
                     uint32_t node, uint32_t room)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = to->count;
        while (at && to->hits[at - 1].pattern > hits[i].pattern)
            at--;
        if ((at && to->hits[at - 1].pattern == hits[i].pattern) || to->count == room)
            continue;
        memmove(&to->hits[at + 1], &to->hits[at], (to->count - at) * sizeof(*hits));
        memmove(&to->nodes[at + 1], &to->nodes[at], (to->count - at) * sizeof(*to->nodes));
        to->hits[at] = hits[i];
        to->nodes[at] = node;
        to->count++;
    }
}

/* The same of a place in the value and in the PDU; a value that was decoded is one as a whole. */
static void to_pdu(struct ft_content_hit *hit, const struct ft_program_value *v)
{
    bool is_verbatim = v->length == v->at_length;
    if (v->at == UINT32_MAX) {
        hit->from = UINT32_MAX;
        return;
    }
    hit->to = v->at + (is_verbatim ? hit->to : v->at_length);
    /* Where an expression begins is not known. */
    hit->from = v->at + (is_verbatim && hit->from != UINT32_MAX ? hit->from : 0);
}

static uint32_t scan(struct ft_program_run *run, const struct ft_pattern_group *g,
                     const struct ft_program_value *v, struct ft_content_hit *hits)
{
    uint32_t count = ft_content_scan(g->content, run->scratch, v->bytes, v->length, hits,
                                     FT_HITS_MAX, &run->given_up);
    count = count < FT_HITS_MAX ? count : FT_HITS_MAX;
    for (uint32_t i = 0; i < count; i++)
        to_pdu(&hits[i], v);
    return count;
}

const struct ft_content_hit *ft_program_hits(struct ft_program_run *run, const struct ft_subject *s,
                                             uint32_t group, uint32_t *count)
{
    struct ft_group_result *result = &run->results[group];
    const struct ft_pattern_group *g = &run->patterns->groups[group];
    if (result->epoch != run->epoch) {
        struct ft_value_cursor c = ft_value_first(run, s, &g->operand, NULL);
        struct ft_program_value v = {0};
        uint32_t steps = run->steps; /* what all rules share does not end with the steps of one */
        result->epoch = run->epoch;
        result->count = 0;
        while (ft_value_next(run, s, &g->operand, false, &c, &v)) {
            if (s->payload && g->operand.keyword == FT_KEYWORD_PAYLOAD) {
                v.at = 0;
                v.at_length = v.length;
            }
            uint32_t n = scan(run, g, &v, run->found);
            add_hits(result, run->found, n, v.node,
                     g->count < FT_HITS_MAX ? g->count : FT_HITS_MAX);
        }
        run->steps = steps;
    }
    *count = result->count;
    return result->hits;
}

static const struct ft_content_hit *find_hit(const struct ft_content_hit *hits, uint32_t count,
                                             uint32_t pattern)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (hits[middle].pattern < pattern)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && hits[low].pattern == pattern ? &hits[low] : NULL;
}

/* Where in a value a pattern was found; of a payload only these bytes are the value. */
static void note_pattern(struct ft_program_run *run, const struct ft_subject *s,
                         const struct ft_operand *o, const struct ft_content_hit *hit,
                         struct ft_program_value v)
{
    v.at = hit->from;
    v.at_length = hit->from == UINT32_MAX ? 0 : hit->to - hit->from;
    if (o->keyword == FT_KEYWORD_PAYLOAD && hit->to <= s->payload_length) {
        v.bytes = s->payload + hit->from;
        v.length = v.at_length;
    }
    ft_program_note(run, &v);
}

/* Search value by value, in one element of a group or (NULL) in all: nothing is kept of it. */
static bool search(struct ft_program_run *run, const struct ft_subject *s,
                   const struct ft_instruction *i, const struct ft_element *element)
{
    const struct ft_operand *o = &i->test->left;
    struct ft_value_cursor c = ft_value_first(run, s, o, element);
    struct ft_program_value v = {0};
    while (run->steps < FT_PROGRAM_STEPS && ft_value_next(run, s, o, false, &c, &v)) {
        uint32_t count = scan(run, &run->patterns->groups[i->group], &v, run->found);
        for (uint32_t k = 0; k < count; k++)
            if (run->found[k].pattern == i->pattern) {
                note_pattern(run, s, o, &run->found[k], v);
                return true;
            }
    }
    return false;
}

bool ft_test_pattern(struct ft_program_run *run, const struct ft_subject *s,
                     const struct ft_instruction *i, const struct ft_element *elements)
{
    const struct ft_operand *o = &i->test->left;
    struct ft_program_value v = {0};
    uint32_t count;
    if (i->binding >= 0)
        return search(run, s, i, &elements[i->binding]);
    const struct ft_content_hit *hits = ft_program_hits(run, s, i->group, &count);
    const struct ft_content_hit *hit = find_hit(hits, count, i->pattern);
    if (!hit)
        return false;
    uint32_t node = run->results[i->group].nodes[hit - hits];
    if (node && ft_value_of_node(o, &s->call->nodes[node], &v)) {
        v.node = node;
        note_pattern(run, s, o, hit, v);
    } else if (o->keyword == FT_KEYWORD_PAYLOAD) {
        note_pattern(run, s, o, hit, v);
    } else {
        search(run, s, i, NULL); /* a tag or a word: which value it was is not kept */
    }
    return true;
}
