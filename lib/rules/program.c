/* SPDX-License-Identifier: BSD-3-Clause */
/* Conditions compiled: making programs. */
#include "rules/program_internal.h"

#include <stdlib.h>

struct maker {
    const struct ft_vocabulary *vocabulary;
    const struct ft_expression *expression;
    struct ft_program *program;
    struct ft_patterns *patterns;
    uint32_t room;
    uint16_t groups[FT_EXPRESSION_BINDINGS]; /* of the ANYs around what is being made */
    uint16_t protocols[FT_EXPRESSION_BINDINGS];
    uint8_t depth;
    bool is_short; /* of memory */
};

/* ---- code ---- */

/* What is cheap and rules out much comes first. */
static uint32_t cost(const struct ft_expression *e, uint32_t node)
{
    const struct ft_expression_node *n = &e->nodes[node];
    uint32_t most = 0;
    for (uint32_t child = n->child; child; child = e->nodes[child].next) {
        uint32_t one = cost(e, child) + 1; /* no deeper than parentheses go */
        most = one > most ? one : most;
    }
    if (n->kind != FT_EXPRESSION_TEST)
        return most + (n->kind == FT_EXPRESSION_ANY ? 16 : 0);
    const struct ft_operand *o = &n->test.left;
    switch (n->test.kind) {
    case FT_TEST_MATCHES:
    case FT_TEST_CONTAINS:
        return 200;
    case FT_TEST_TEXT:
    case FT_TEST_TEXTS:
        return 40;
    case FT_TEST_SAME:
        return 30;
    default:
        return o->keyword >= FT_KEYWORD_PROTOCOL && o->keyword <= FT_KEYWORD_DIRECTION ? 0
               : o->keyword >= FT_KEYWORD_ZONE_SRC && o->keyword <= FT_KEYWORD_PURDUE_DST
                   ? 60
                   : (o->keyword ? 4 : 8) + (n->test.set != NULL) * 4;
    }
}

static uint16_t emit(struct maker *m)
{
    struct ft_program *p = m->program;
    if (p->count == m->room) {
        uint32_t room = m->room ? m->room * 2 : 8;
        struct ft_instruction *grown = reallocarray(p->code, room, sizeof(*grown));
        if (!grown || room >= FT_PROGRAM_REJECT) {
            m->is_short = true;
            p->code = grown ? grown : p->code;
            return 0;
        }
        p->code = grown;
        m->room = room;
    }
    p->code[p->count] =
        (struct ft_instruction){.depth = m->depth, .binding = -1, .right_binding = -1};
    return (uint16_t)p->count++;
}

/* Does it stand in the group? A group does not stand in itself. */
static bool is_inside(const struct ft_protocol *p, uint32_t field, uint32_t group)
{
    do
        field = p->fields[field].parent;
    while (field && field != group);
    return field == group;
}

/* The innermost ANY whose group a field stands in. */
static int8_t binding_of(const struct maker *m, const struct ft_operand *o)
{
    if (o->keyword || o->is_tag)
        return -1;
    for (int8_t d = (int8_t)m->depth; d-- > 0;)
        if (m->protocols[d] == o->protocol &&
            is_inside(m->vocabulary->registry->protocols[o->protocol], o->field, m->groups[d]))
            return d;
    return -1;
}

/*
 * Code for a node that goes on at `on_true` or `on_false`. These are labels: ACCEPT, REJECT, or
 * numbers of jumps to be filled in. Code is made from the end, so that all targets are known: the
 * children of a node in reverse. Made backwards, turned round at the end.
 */
static uint16_t make(struct maker *m, uint32_t node, uint16_t on_true, uint16_t on_false);

#define CHILDREN_MAX FT_EXPRESSION_TESTS

/* Children by cost, equal ones as they were written. */
static uint32_t sort_children(const struct ft_expression *e, uint32_t node, uint32_t *to)
{
    uint32_t count = 0;
    for (uint32_t child = e->nodes[node].child; child && count < CHILDREN_MAX;
         child = e->nodes[child].next) {
        uint32_t at = count++, price = cost(e, child);
        for (; at && cost(e, to[at - 1]) > price; at--)
            to[at] = to[at - 1];
        to[at] = child;
    }
    return count;
}

static uint16_t make_chain(struct maker *m, uint32_t node, uint16_t on_true, uint16_t on_false)
{
    bool is_and = m->expression->nodes[node].kind == FT_EXPRESSION_AND;
    uint32_t *children = calloc(CHILDREN_MAX, sizeof(*children));
    uint16_t next = is_and ? on_true : on_false;
    if (!children) {
        m->is_short = true;
        return 0;
    }
    for (uint32_t i = sort_children(m->expression, node, children); i-- > 0;)
        next = is_and ? make(m, children[i], next, on_false) : make(m, children[i], on_true, next);
    free(children);
    return next;
}

static uint16_t make_any(struct maker *m, uint32_t node, uint16_t on_true, uint16_t on_false)
{
    const struct ft_expression_node *n = &m->expression->nodes[node];
    uint16_t end = (uint16_t)m->program->count;
    m->groups[m->depth] = n->test.left.field;
    m->protocols[m->depth] = n->test.left.protocol;
    int8_t outer = binding_of(m, &n->test.left);
    m->depth++;
    make(m, n->child, FT_PROGRAM_ACCEPT, FT_PROGRAM_REJECT);
    m->depth--;
    uint16_t at = emit(m);
    if (m->is_short)
        return 0;
    struct ft_instruction *i = &m->program->code[at];
    i->kind = FT_INSTRUCTION_ANY;
    i->is_negated = n->is_negated;
    i->binding = outer;
    i->test = &n->test;
    i->end = end;
    i->on_true = on_true;
    i->on_false = on_false;
    return at;
}

static uint16_t make(struct maker *m, uint32_t node, uint16_t on_true, uint16_t on_false)
{
    const struct ft_expression_node *n = &m->expression->nodes[node];
    if (n->kind == FT_EXPRESSION_ANY)
        return make_any(m, node, on_true, on_false);
    if (n->kind != FT_EXPRESSION_TEST)
        return make_chain(m, node, on_true, on_false);
    uint16_t at = emit(m);
    if (m->is_short)
        return 0;
    struct ft_instruction *i = &m->program->code[at];
    i->test = &n->test;
    i->binding = binding_of(m, &n->test.left);
    if (n->test.kind == FT_TEST_SAME)
        i->right_binding = binding_of(m, &n->test.right);
    i->on_true = on_true;
    i->on_false = on_false;
    if ((n->test.kind == FT_TEST_MATCHES || n->test.kind == FT_TEST_CONTAINS) &&
        !ft_patterns_add(m->patterns, &n->test, &i->group, &i->pattern))
        m->is_short = true;
    return at;
}

static uint16_t turned(uint16_t at, uint32_t count)
{
    return at >= FT_PROGRAM_REJECT ? at : (uint16_t)(count - 1 - at);
}

/* Code was made from its end: the first instruction is the last one made. */
static void turn(struct ft_program *p)
{
    for (uint32_t i = 0; i < p->count; i++) {
        struct ft_instruction *c = &p->code[i];
        c->on_true = turned(c->on_true, p->count);
        c->on_false = turned(c->on_false, p->count);
        /* The body was made before the ANY, from `end` on: it ends where `end` came to stand. */
        if (c->kind == FT_INSTRUCTION_ANY)
            c->end = (uint16_t)(p->count - c->end);
    }
    for (uint32_t i = 0; i < p->count / 2; i++) {
        struct ft_instruction swap = p->code[i];
        p->code[i] = p->code[p->count - 1 - i];
        p->code[p->count - 1 - i] = swap;
    }
}

bool ft_program_make(struct ft_program *p, const struct ft_vocabulary *v,
                     const struct ft_expression *e, uint32_t root, struct ft_patterns *patterns)
{
    struct maker m = {.vocabulary = v, .expression = e, .program = p, .patterns = patterns};
    *p = (struct ft_program){0};
    make(&m, root, FT_PROGRAM_ACCEPT, FT_PROGRAM_REJECT);
    if (m.is_short) {
        ft_program_free(p);
        return false;
    }
    turn(p);
    return ft_program_is_sound(p, patterns);
}

void ft_program_free(struct ft_program *p)
{
    free(p->code);
    *p = (struct ft_program){0};
}

/* ---- checking ---- */

/* Is a jump from `at` allowed: forward, and not out of the body [.., end)? */
static bool is_jump(uint32_t at, uint32_t end, uint16_t to)
{
    return to >= FT_PROGRAM_REJECT || (to > at && to < end);
}

/* Patterns are looked for by number. */
static bool has_pattern(const struct ft_instruction *c, const struct ft_patterns *patterns)
{
    return c->kind == FT_INSTRUCTION_ANY ||
           (c->test->kind != FT_TEST_CONTAINS && c->test->kind != FT_TEST_MATCHES) ||
           (c->group < patterns->count && c->pattern < patterns->groups[c->group].count &&
            ft_operand_is_same(&patterns->groups[c->group].operand, &c->test->left));
}

bool ft_program_is_sound(const struct ft_program *p, const struct ft_patterns *patterns)
{
    uint32_t ends[FT_EXPRESSION_BINDINGS + 1] = {p->count}, depth = 0;
    for (uint32_t i = 0; i < p->count; i++) {
        const struct ft_instruction *c = &p->code[i];
        while (depth && i >= ends[depth])
            depth--;
        uint32_t from = c->kind == FT_INSTRUCTION_ANY ? (uint32_t)c->end - 1 : i;
        if (c->kind > FT_INSTRUCTION_ANY || c->depth != depth || !c->test ||
            !has_pattern(c, patterns) || c->binding >= (int)depth ||
            c->right_binding >= (int)depth || !is_jump(from, ends[depth], c->on_true) ||
            !is_jump(from, ends[depth], c->on_false))
            return false;
        if (c->kind != FT_INSTRUCTION_ANY)
            continue;
        if (depth == FT_EXPRESSION_BINDINGS || c->end <= i + 1 || c->end > ends[depth])
            return false;
        ends[++depth] = c->end;
    }
    return p->count > 0 && p->count < FT_PROGRAM_REJECT;
}

/* ---- guards ---- */

/* A test that only holds if the message has a value; numbers between the least and the most. */
static bool guard_of_test(const struct ft_test *t, struct ft_guard *g)
{
    uint64_t low, high;
    if (t->left.keyword || t->left.is_tag || t->is_none || t->is_negated)
        return false;
    *g = (struct ft_guard){.high = UINT64_MAX,
                           .protocol = t->left.protocol,
                           .field = t->left.field,
                           .type = t->left.type};
    bool has_ranges = (t->kind == FT_TEST_RANGE || t->kind == FT_TEST_NUMBERS) && !t->has_mask;
    for (uint32_t i = 0; has_ranges && ft_test_numbers_at(t, i, &low, &high); i++) {
        g->low = i ? g->low : low;
        g->high = high;
    }
    return true;
}

struct ft_guard ft_guard_of(const struct ft_expression *e, uint32_t root)
{
    const struct ft_expression_node *n = &e->nodes[root];
    struct ft_guard g = {.protocol = UINT16_MAX};
    if (n->kind == FT_EXPRESSION_TEST && guard_of_test(&n->test, &g))
        return g;
    bool has_all = n->kind == FT_EXPRESSION_AND || (n->kind == FT_EXPRESSION_ANY && !n->is_negated);
    for (uint32_t c = n->child; has_all && c && g.protocol == UINT16_MAX; c = e->nodes[c].next)
        g = ft_guard_of(e, c);
    return g;
}
