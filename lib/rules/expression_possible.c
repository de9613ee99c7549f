/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Conditions of rules: what no message can fulfil, by what the dissectors say of themselves: which
 * protocol carries which, which commands there are and of what class, in which flows.
 *
 * A part of a condition is tried on each command of each protocol; tests that do not ask for these
 * may hold. So only what surely never holds is told.
 */
#include "rules/expression_internal.h"

#include <stdio.h>
#include <string.h>

#define BIT(transport) ((uint8_t)(1u << (transport)))
#define WITH_PORTS     (BIT(FT_TRANSPORT_UDP) | BIT(FT_TRANSPORT_TCP))
#define WITH_ADDRESSES (WITH_PORTS | BIT(FT_TRANSPORT_IP))
#define ANYWHERE       (WITH_ADDRESSES | BIT(FT_TRANSPORT_L2))

/* Children of one `and` among which the two are looked for that do not go together. */
#define PAIRS_MAX 64u

#define ROW_UNKNOWN UINT32_MAX

/* What a message is: of a command (row 0: of none that the table has), or of any. */
struct place {
    const struct ft_vocabulary *vocabulary;
    const struct ft_protocol *protocol;
    uint32_t row;
};

/* ---- tests ---- */

static bool is_field(const struct ft_operand *o)
{
    return !o->keyword && !o->is_tag;
}

static bool asks_for_number(const struct ft_test *t)
{
    return t->kind == FT_TEST_RANGE || t->kind == FT_TEST_NUMBERS || t->kind == FT_TEST_MASK;
}

/* Does it hold for the one value that there is? */
static bool holds_for(const struct ft_test *t, uint64_t number)
{
    uint64_t masked = t->has_mask && t->kind != FT_TEST_MASK ? number & t->mask : number;
    return (ft_test_has_number(t, masked) != t->is_none) != t->is_negated;
}

/* A command of the protocol, none is known which. */
static bool may_hold_of_commands(const struct ft_test *t, const struct place *at)
{
    const struct ft_protocol *p = at->protocol;
    for (uint32_t row = 0; row <= p->command_count; row++)
        if (holds_for(t, (uint64_t)p->index << 32 | row))
            return true;
    return t->is_negated; /* there may be no command at all */
}

static bool may_hold_of_class(const struct ft_test *t, const struct place *at)
{
    const struct ft_protocol *p = at->protocol;
    if (at->vocabulary->reach[p->index].has_own_classes || t->is_negated)
        return true;
    if (at->row != ROW_UNKNOWN)
        return holds_for(t, at->row ? p->commands[at->row - 1].class_ : FT_CLASS_UNKNOWN);
    for (uint32_t row = 0; row < p->command_count; row++)
        if (holds_for(t, p->commands[row].class_))
            return true;
    return holds_for(t, FT_CLASS_UNKNOWN);
}

/* Of a message: its protocol, command and class. */
static bool may_hold_of_message(const struct ft_test *t, const struct place *at)
{
    const struct ft_protocol *p = at->protocol;
    if (!p || !asks_for_number(t))
        return true;
    switch (t->left.keyword) {
    case FT_KEYWORD_PROTOCOL:
        return holds_for(t, p->index);
    case FT_KEYWORD_COMMAND:
        if (at->row == ROW_UNKNOWN)
            return may_hold_of_commands(t, at);
        return holds_for(t, (uint64_t)p->index << 32 | at->row) || (!at->row && t->is_negated);
    case FT_KEYWORD_RESPONSE_TIME:
        return t->is_negated || !(p->flags & FT_DISSECTOR_UNANSWERED);
    case FT_KEYWORD_COMMAND_CODE:
        return !at->row || at->row == ROW_UNKNOWN || holds_for(t, p->commands[at->row - 1].code);
    case FT_KEYWORD_CLASS:
        return may_hold_of_class(t, at);
    default:
        return true;
    }
}

/* Flows in which there can be a value. */
static uint8_t transports_of(const struct ft_operand *o, const struct place *at)
{
    switch (o->keyword) {
    case FT_KEYWORD_NONE:
        if (o->is_tag)
            return BIT(at->vocabulary->tags[o->field].transport);
        return !at->protocol ||
                       ft_reach_has_fields(&at->vocabulary->reach[at->protocol->index], o->protocol)
                   ? ANYWHERE
                   : 0;
    case FT_KEYWORD_IP_SRC:
    case FT_KEYWORD_IP_DST:
    case FT_KEYWORD_IP_ADDR:
    case FT_KEYWORD_ZONE_SRC:
    case FT_KEYWORD_ZONE_DST:
    case FT_KEYWORD_PURDUE_SRC:
    case FT_KEYWORD_PURDUE_DST:
    case FT_KEYWORD_IP_PROTOCOL:
    case FT_KEYWORD_IP_TTL:
    case FT_KEYWORD_IP_ID:
        return WITH_ADDRESSES;
    case FT_KEYWORD_TCP_FLAGS:
    case FT_KEYWORD_TCP_WINDOW:
    case FT_KEYWORD_TCP_OPTIONS:
        return BIT(FT_TRANSPORT_TCP);
    case FT_KEYWORD_PORT_SRC:
    case FT_KEYWORD_PORT_DST:
    case FT_KEYWORD_PORT:
    case FT_KEYWORD_CONNECTION:
        return WITH_PORTS;
    default:
        return ANYWHERE;
    }
}

static uint8_t possible_of_transport(const struct ft_test *t)
{
    uint8_t all = 0;
    for (unsigned transport = FT_TRANSPORT_L2; transport <= FT_TRANSPORT_TCP; transport++)
        if (holds_for(t, transport))
            all |= BIT(transport);
    return all;
}

/* That something is not there which everything has. */
static bool is_never_absent(const struct ft_test *t)
{
    switch (t->left.keyword) {
    case FT_KEYWORD_TRANSPORT:
    case FT_KEYWORD_PROTOCOL:
    case FT_KEYWORD_KIND:
    case FT_KEYWORD_DIRECTION:
        return t->kind == FT_TEST_EXISTS && t->is_negated;
    default:
        return false;
    }
}

/* In which flows may it hold? Without a value it does not, but for its contrary. */
static uint8_t possible_test(const struct ft_test *t, const struct place *at)
{
    if (t->left.keyword == FT_KEYWORD_TRANSPORT && asks_for_number(t))
        return possible_of_transport(t);
    if (is_never_absent(t) || !may_hold_of_message(t, at))
        return 0;
    if (t->is_negated)
        return ANYWHERE;
    uint8_t all = transports_of(&t->left, at);
    return t->kind == FT_TEST_SAME ? all & transports_of(&t->right, at) : all;
}

/* ---- trees ---- */

static uint8_t possible(const struct ft_expression *e, uint32_t node, const struct place *at)
{
    const struct ft_expression_node *n = &e->nodes[node];
    if (n->kind == FT_EXPRESSION_TEST)
        return possible_test(&n->test, at);
    if (n->kind == FT_EXPRESSION_ANY)
        return n->is_negated ? ANYWHERE
                             : transports_of(&n->test.left, at) & possible(e, n->child, at);
    bool is_and = n->kind == FT_EXPRESSION_AND;
    uint8_t all = is_and ? ANYWHERE : 0;
    for (uint32_t child = n->child; child; child = e->nodes[child].next)
        all = is_and ? all & possible(e, child, at) : all | possible(e, child, at);
    return all;
}

/* Do the two, or (second 0) the one, hold in any flow? */
static bool is_possible_at(const struct ft_expression *e, uint32_t first, uint32_t second,
                           const struct place *at)
{
    uint8_t all = at->protocol ? at->vocabulary->reach[at->protocol->index].transports : ANYWHERE;
    all &= possible(e, first, at);
    return all && (!second || all & possible(e, second, at));
}

static bool is_about(const struct ft_expression *e, uint32_t node,
                     bool (*what)(const struct ft_test *))
{
    const struct ft_expression_node *n = &e->nodes[node];
    if (n->kind == FT_EXPRESSION_TEST || n->kind == FT_EXPRESSION_ANY)
        if (what(&n->test))
            return true;
    for (uint32_t child = n->child; child; child = e->nodes[child].next)
        if (is_about(e, child, what))
            return true;
    return false;
}

static bool is_message_test(const struct ft_test *t)
{
    return t->left.level == FT_LEVEL_MESSAGE ||
           (t->kind == FT_TEST_SAME && t->right.level == FT_LEVEL_MESSAGE);
}

static bool is_command_test(const struct ft_test *t)
{
    return t->left.keyword == FT_KEYWORD_COMMAND || t->left.keyword == FT_KEYWORD_COMMAND_CODE ||
           t->left.keyword == FT_KEYWORD_CLASS;
}

static bool is_about_either(const struct ft_expression *e, uint32_t first, uint32_t second,
                            bool (*what)(const struct ft_test *))
{
    return is_about(e, first, what) || (second && is_about(e, second, what));
}

static bool is_possible_of_protocol(const struct ft_expression *e, uint32_t first, uint32_t second,
                                    struct place *at)
{
    at->row = ROW_UNKNOWN;
    if (!is_possible_at(e, first, second, at))
        return false;
    if (!is_about_either(e, first, second, is_command_test))
        return true;
    for (at->row = 0; at->row <= at->protocol->command_count; at->row++)
        if (is_possible_at(e, first, second, at))
            return true;
    return false;
}

static bool is_possible(const struct ft_vocabulary *v, const struct ft_expression *e,
                        uint32_t first, uint32_t second)
{
    const struct ft_registry *registry = v->registry;
    struct place at = {.vocabulary = v, .row = ROW_UNKNOWN};
    if (!is_about_either(e, first, second, is_message_test))
        return is_possible_at(e, first, second, &at);
    for (uint32_t i = 0; i < registry->count; i++) {
        at.protocol = registry->protocols[i];
        if (is_possible_of_protocol(e, first, second, &at))
            return true;
    }
    return false;
}

bool ft_expression_is_possible(const struct ft_vocabulary *v, const struct ft_expression *e,
                               uint32_t node)
{
    return is_possible(v, e, node, 0);
}

/* ---- telling ---- */

static bool has_keyword(const struct ft_expression_node *n, enum ft_keyword keyword)
{
    return n->kind == FT_EXPRESSION_TEST && n->test.left.keyword == keyword;
}

static bool has_field(const struct ft_expression_node *n)
{
    return (n->kind == FT_EXPRESSION_TEST || n->kind == FT_EXPRESSION_ANY) &&
           is_field(&n->test.left);
}

static bool is_of_flow(const struct ft_expression_node *n)
{
    return n->kind == FT_EXPRESSION_TEST && n->test.left.level < FT_LEVEL_MESSAGE;
}

/* Why two do not go together, as far as two words say it. */
static void reason(const struct ft_reader *r, const struct ft_expression_node *a,
                   const struct ft_expression_node *b, char *to, size_t size)
{
    const struct ft_expression_node *field = has_field(a) ? a : has_field(b) ? b : NULL;
    struct ft_protocol *const *protocols = r->vocabulary->registry->protocols;
    if (has_field(a) && has_field(b))
        snprintf(to, size, ": %s and %s carry not one another",
                 protocols[a->test.left.protocol]->name, protocols[b->test.left.protocol]->name);
    else if (has_keyword(a, FT_KEYWORD_RESPONSE_TIME) || has_keyword(b, FT_KEYWORD_RESPONSE_TIME))
        snprintf(to, size, ": its messages are not answered");
    else if (is_of_flow(a) || is_of_flow(b))
        snprintf(to, size, ": that is never in such flows");
    else if (field)
        snprintf(to, size, ": only messages of %s, and of what it carries, have its fields",
                 protocols[field->test.left.protocol]->name);
    else if (has_keyword(a, FT_KEYWORD_CLASS) || has_keyword(b, FT_KEYWORD_CLASS))
        snprintf(to, size, ": no such message has this class");
    else if (has_keyword(a, FT_KEYWORD_PROTOCOL) || has_keyword(b, FT_KEYWORD_PROTOCOL))
        snprintf(to, size, ": the protocol has no such command");
    else
        *to = 0;
}

static bool tell_pair(struct ft_reader *r, const struct ft_expression_node *and)
{
    const struct ft_expression_node *nodes = r->expression->nodes;
    uint32_t all[PAIRS_MAX], count = 0;
    char why[160];
    for (uint32_t child = and->child; child && count < PAIRS_MAX; child = nodes[child].next)
        all[count++] = child;
    for (uint32_t j = 1; j < count; j++)
        for (uint32_t i = 0; i < j; i++) {
            const struct ft_expression_node *a = &nodes[all[i]], *b = &nodes[all[j]];
            if (is_possible(r->vocabulary, r->expression, all[i], all[j]))
                continue;
            reason(r, a, b, why, sizeof(why));
            ft_reader_wrong(r, b->at, b->end, "\"%.*s\" and \"%.*s\" can never hold both%s",
                            (int)(a->end - a->at), r->text + a->at, (int)(b->end - b->at),
                            r->text + b->at, why);
            return true;
        }
    return false;
}

/* The innermost parts that are not possible. True: there are some. */
static bool tell(struct ft_reader *r, uint32_t node)
{
    const struct ft_expression_node *n = &r->expression->nodes[node];
    bool is_told = false;
    for (uint32_t child = n->child; child; child = r->expression->nodes[child].next)
        is_told |= tell(r, child);
    if (is_told || ft_expression_is_possible(r->vocabulary, r->expression, node))
        return is_told;
    if (n->kind == FT_EXPRESSION_TEST && is_never_absent(&n->test))
        ft_reader_wrong(r, n->at, n->end,
                        "\"not %.*s\" can never hold: it is always there; the protocol of what no "
                        "dissector reads is \"unknown\"",
                        (int)(n->end - n->at), r->text + n->at);
    else if (n->kind != FT_EXPRESSION_AND || !tell_pair(r, n))
        ft_reader_wrong(r, n->at, n->end,
                        "\"%.*s\" can never hold: no message has such a protocol, command and "
                        "fields",
                        (int)(n->end - n->at), r->text + n->at);
    return true;
}

void ft_reader_impossible(struct ft_reader *r)
{
    tell(r, r->expression->root);
}
