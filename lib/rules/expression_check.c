/* SPDX-License-Identifier: BSD-3-Clause */
/* Conditions of rules: parts of one that contradict one another. */
#include "rules/expression_internal.h"

/* Values that are tried for one condition. */
#define VALUES_MAX (1u << 20)

/* Tests on one field, joined by `and`, that are looked at together. */
#define OTHERS_MAX 64u

static bool is_leaf(const struct ft_expression_node *n)
{
    return n->kind == FT_EXPRESSION_TEST || n->kind == FT_EXPRESSION_ANY;
}

static bool implies(struct ft_clashes *c, uint32_t a, uint32_t b);

/*
 * May what an element has stand beside a test that no element passes? Of a part with `not` the
 * element may have nothing.
 */
static bool go_inside(struct ft_clashes *c, uint32_t inside, const struct ft_test *none)
{
    const struct ft_expression_node *nodes = c->e->nodes, *x = &nodes[inside];
    if (x->kind == FT_EXPRESSION_TEST)
        return x->test.is_negated || ft_tests_can_hold(c, &x->test, none);
    if (x->kind == FT_EXPRESSION_ANY && x->is_negated)
        return true;
    bool is_or = x->kind == FT_EXPRESSION_OR;
    for (uint32_t child = x->child; child; child = nodes[child].next)
        if (go_inside(c, child, none) == is_or)
            return is_or;
    return !is_or;
}

/* Does a test hold only if an element of a group passes what is asked of one? */
static bool test_implies(struct ft_clashes *c, uint32_t test, uint32_t any)
{
    const struct ft_test *t = &c->e->nodes[test].test;
    const struct ft_operand *o = &t->left, *group = &c->e->nodes[any].test.left;
    return !t->is_negated && t->kind != FT_TEST_SAME && !o->keyword && !o->is_tag &&
           o->protocol == group->protocol &&
           ft_field_is_inside(c->v->registry->protocols[o->protocol], o->field, group->field) &&
           implies(c, test, c->e->nodes[any].child);
}

/* No value of an element passes a test that none of the message does. */
static bool is_of_none(const struct ft_test *t)
{
    return t->is_negated != t->is_none && t->kind != FT_TEST_SAME;
}

static bool leaf_implies(struct ft_clashes *c, uint32_t a, uint32_t b)
{
    const struct ft_expression_node *x = &c->e->nodes[a], *y = &c->e->nodes[b];
    struct ft_test contrary = y->test;
    contrary.is_negated = !contrary.is_negated;
    if (x->kind == FT_EXPRESSION_TEST && y->kind == FT_EXPRESSION_TEST)
        return !ft_tests_can_hold(c, &x->test, &contrary);
    if (x->kind == FT_EXPRESSION_TEST)
        return !y->is_negated && test_implies(c, a, b);
    if (y->kind == FT_EXPRESSION_TEST)
        return !x->is_negated && is_of_none(&contrary) && !go_inside(c, x->child, &contrary);
    return x->is_negated == y->is_negated && ft_operand_is_same(&x->test.left, &y->test.left) &&
           (x->is_negated ? implies(c, y->child, x->child) : implies(c, x->child, y->child));
}

/* Does one part of the tree hold wherever another does? No, if it is too much work to tell. */
static bool implies(struct ft_clashes *c, uint32_t a, uint32_t b)
{
    const struct ft_expression_node *nodes = c->e->nodes, *x = &nodes[a], *y = &nodes[b];
    uint32_t child;
    if (!c->budget)
        return false;
    c->budget--;
    if (is_leaf(x) && is_leaf(y))
        return leaf_implies(c, a, b);
    /* All of an `or` have to, and all of an `and` have to be; of the others one is enough. */
    if (x->kind == FT_EXPRESSION_OR) {
        for (child = x->child; child && implies(c, child, b); child = nodes[child].next) {}
        return !child;
    }
    if (y->kind == FT_EXPRESSION_AND) {
        for (child = y->child; child && implies(c, a, child); child = nodes[child].next) {}
        return !child;
    }
    for (child = is_leaf(x) ? 0 : x->child; child; child = nodes[child].next)
        if (implies(c, child, b))
            return true;
    for (child = is_leaf(y) ? 0 : y->child; child; child = nodes[child].next)
        if (implies(c, a, child))
            return true;
    return false;
}

/* "any x (...)", or "x.y == 1", and `not any` of the same or more; or "not x", "not x.y == 1". */
static bool is_excluded(struct ft_clashes *c, uint32_t one, uint32_t other)
{
    const struct ft_expression_node *x = &c->e->nodes[one], *y = &c->e->nodes[other];
    bool is_any = x->kind == FT_EXPRESSION_ANY && !x->is_negated;
    if (y->kind == FT_EXPRESSION_TEST)
        return is_any && (ft_test_lacks_group(c, &y->test, &x->test) ||
                          (is_of_none(&y->test) && !go_inside(c, x->child, &y->test)));
    if (!y->is_negated)
        return false;
    if (x->kind == FT_EXPRESSION_TEST)
        return test_implies(c, one, other);
    return is_any && ft_operand_is_same(&x->test.left, &y->test.left) &&
           implies(c, x->child, y->child);
}

/* Of an `or` one of its parts has to go with the other, of an `and` all. */
static bool go_together(struct ft_clashes *c, uint32_t a, uint32_t b)
{
    const struct ft_expression_node *nodes = c->e->nodes, *x = &nodes[a], *y = &nodes[b];
    if (is_leaf(x) && is_leaf(y)) {
        if (x->kind == FT_EXPRESSION_TEST && y->kind == FT_EXPRESSION_TEST)
            return ft_tests_can_hold(c, &x->test, &y->test);
        return !is_excluded(c, a, b) && !is_excluded(c, b, a);
    }
    if (is_leaf(x))
        return go_together(c, b, a);
    bool is_or = x->kind == FT_EXPRESSION_OR;
    for (uint32_t child = x->child; child; child = nodes[child].next)
        if (go_together(c, child, b) == is_or)
            return is_or;
    return !is_or;
}

/* Is there a part of an `or` that goes with all it is joined with? */
static bool has_alternative(struct ft_clashes *c, uint32_t and, uint32_t or)
{
    const struct ft_expression_node *nodes = c->e->nodes;
    for (uint32_t one = nodes[or].child; one; one = nodes[one].next) {
        uint32_t other = nodes[and].child;
        while (other && (other == or || go_together(c, one, other)))
            other = nodes[other].next;
        if (!other)
            return true;
    }
    return false;
}

/* "port == 5", or a tag of port 5, which asks for that too: as a test that knows sides. */
static bool either_side(const struct ft_clashes *c, const struct ft_test *t, struct ft_test *either)
{
    *either = *t;
    if (t->is_negated || t->is_none || t->kind == FT_TEST_SAME)
        return false;
    if (!t->left.is_tag)
        return ft_sides_of(&t->left) != NULL;
    const struct ft_tag *tag = &c->v->tags[t->left.field];
    *either = (struct ft_test){.kind = FT_TEST_RANGE,
                               .left = {.keyword = FT_KEYWORD_PORT, .type = FT_VALUE_TYPE_UINT},
                               .low = tag->port,
                               .high = tag->port};
    return tag->transport != FT_TRANSPORT_L2 && !tag->is_broken;
}

/* Do all others go with a test that is meant of one side? */
static bool go_all_with(struct ft_clashes *c, uint32_t and, uint32_t node,
                        const struct ft_test *one)
{
    const struct ft_expression_node *nodes = c->e->nodes;
    uint32_t other = nodes[and].child;
    while (other && (other == node || nodes[other].kind != FT_EXPRESSION_TEST ||
                     ft_tests_can_hold(c, one, &nodes[other].test)))
        other = nodes[other].next;
    return !other;
}

/*
 * "port == 1 and port == 2 and port == 3": of the tests on either side those that cannot hold where
 * this one does have to on the other side, all of them.
 */
static bool others_have_side(struct ft_clashes *c, uint32_t and, uint32_t node,
                             const struct ft_test *one, uint8_t other_side)
{
    const struct ft_expression_node *nodes = c->e->nodes;
    struct ft_test others[OTHERS_MAX];
    uint32_t count = 0;
    for (uint32_t i = nodes[and].child; i && count < OTHERS_MAX; i = nodes[i].next) {
        struct ft_test *t = &others[count];
        if (i == node || nodes[i].kind != FT_EXPRESSION_TEST ||
            !either_side(c, &nodes[i].test, t) || !ft_test_is_side_of(t, one))
            continue;
        t->left = one->left;
        if (ft_tests_can_hold(c, one, t))
            continue;
        t->left.keyword = other_side;
        if (!go_all_with(c, and, i, t))
            return false;
        for (uint32_t j = 0; j < count; j++)
            if (!ft_tests_can_hold(c, &others[j], t))
                return false;
        count++;
    }
    return true;
}

/* Is there a side for which it can hold beside all it is joined with? */
static bool has_side(struct ft_clashes *c, uint32_t and, uint32_t node)
{
    struct ft_test one;
    if (!either_side(c, &c->e->nodes[node].test, &one))
        return true;
    const struct ft_sides *s = ft_sides_of(&one.left);
    one.left.is_many = false; /* addresses and ports; devices are many all the same */
    for (unsigned side = 0; side < 2; side++) {
        one.left.keyword = s->side[side];
        if (go_all_with(c, and, node, &one) && others_have_side(c, and, node, &one, s->side[!side]))
            return true;
    }
    return false;
}

/* Of the values that it names, is there one for which all hold that it is joined with? */
static bool has_value(struct ft_clashes *c, uint32_t and, uint32_t node)
{
    const struct ft_expression_node *nodes = c->e->nodes;
    struct ft_test others[OTHERS_MAX];
    uint32_t count = 0;
    for (uint32_t other = nodes[and].child; other && count < OTHERS_MAX; other = nodes[other].next)
        if (other != node && nodes[other].kind == FT_EXPRESSION_TEST &&
            !nodes[other].test.is_named &&
            ft_tests_are_beside(&nodes[node].test, &nodes[other].test))
            others[count++] = ft_test_without_not(&nodes[other].test);
    return count < 2 || ft_test_has_value_for(&nodes[node].test, others, count, &c->budget);
}

static bool has_way(struct ft_clashes *c, uint32_t and, uint32_t node)
{
    const struct ft_expression_node *n = &c->e->nodes[node];
    if (n->kind == FT_EXPRESSION_OR)
        return has_alternative(c, and, node);
    return n->kind != FT_EXPRESSION_TEST || (has_side(c, and, node) && has_value(c, and, node));
}

/* Told of each pair of children that cannot both hold; `b` 0: of one that cannot beside the others.
 */
typedef void clash_fn(void *user, uint32_t a, uint32_t b);

static bool find_clashes(struct ft_clashes *c, uint32_t and, clash_fn *tell, void *user)
{
    const struct ft_expression_node *nodes = c->e->nodes;
    bool is_found = false;
    for (uint32_t i = nodes[and].child; i; i = nodes[i].next)
        for (uint32_t j = nodes[i].next; j; j = nodes[j].next) {
            if (!is_leaf(&nodes[i]) || !is_leaf(&nodes[j]) || go_together(c, i, j))
                continue;
            is_found = true;
            tell(user, i, j);
        }
    for (uint32_t i = nodes[and].child; i && !is_found; i = nodes[i].next)
        if (!has_way(c, and, i)) {
            is_found = true;
            tell(user, i, 0);
        }
    return is_found;
}

static void tell_nobody(void *user, uint32_t a, uint32_t b)
{
    (void)user;
    (void)a;
    (void)b;
}

bool ft_expression_is_contradictory(const struct ft_vocabulary *v, const struct ft_expression *e,
                                    uint32_t node)
{
    struct ft_clashes c = {v, e, VALUES_MAX};
    if (e->nodes[node].kind == FT_EXPRESSION_TEST)
        return ft_test_is_never_itself(&e->nodes[node].test);
    return e->nodes[node].kind == FT_EXPRESSION_AND && find_clashes(&c, node, tell_nobody, NULL);
}

const char *ft_expression_not(const struct ft_expression_node *n)
{
    return n->kind == FT_EXPRESSION_TEST ? n->test.is_negated ? "not " : ""
           : n->is_negated               ? "not "
                                         : "";
}

static bool is_neither_side(const struct ft_expression_node *one,
                            const struct ft_expression_node *either)
{
    return one->kind == FT_EXPRESSION_TEST && either->kind == FT_EXPRESSION_TEST &&
           either->test.is_negated && ft_test_excludes_side(&one->test, &either->test);
}

static void tell_clash(void *user, uint32_t i, uint32_t j)
{
    struct ft_reader *r = user;
    const struct ft_expression_node *a = &r->expression->nodes[i], *b = &r->expression->nodes[j];
    if (!j)
        ft_reader_wrong(r, a->at, a->end,
                        "\"%.*s\" can never hold here: each way in which it could contradicts what "
                        "it is joined with by and",
                        (int)(a->end - a->at), r->text + a->at);
    else
        ft_reader_wrong(r, b->at, b->end, "\"%s%.*s\" and \"%s%.*s\" can never hold both%s",
                        ft_expression_not(a), (int)(a->end - a->at), r->text + a->at,
                        ft_expression_not(b), (int)(b->end - b->at), r->text + b->at,
                        is_neither_side(a, b) || is_neither_side(b, a)
                            ? ": what has no .src or .dst is of either side, and of neither with "
                              "not"
                            : "");
}

void ft_reader_contradictions(struct ft_reader *r)
{
    const struct ft_expression_node *nodes = r->expression->nodes;
    struct ft_clashes c = {r->vocabulary, r->expression, VALUES_MAX};
    for (uint32_t i = 1; i < r->expression->count; i++)
        if (nodes[i].kind == FT_EXPRESSION_AND)
            find_clashes(&c, i, tell_clash, r);
        else if (nodes[i].kind == FT_EXPRESSION_TEST && ft_test_is_never_itself(&nodes[i].test))
            ft_reader_wrong(r, nodes[i].at, nodes[i].end,
                            "\"%.*s\" can never hold: it is compared with itself",
                            (int)(nodes[i].end - nodes[i].at), r->text + nodes[i].at);
}
