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

/*
 * Kinds of flows, a bit each: by transport, those of IPv4 and without IP in the lower half, those
 * of IPv6 in the upper one.
 */
#define BIT(transport) (1u << ((transport)-FT_TRANSPORT_L2))
#define IPV4           (BIT(FT_TRANSPORT_IP) | BIT(FT_TRANSPORT_UDP) | BIT(FT_TRANSPORT_TCP))
#define IPV6           (IPV4 << 4)
#define BOTH(bits)     ((uint8_t)((bits) | ((bits)&IPV4) << 4))
#define WITH_TCP       BOTH(BIT(FT_TRANSPORT_TCP))
#define WITH_PORTS     BOTH(BIT(FT_TRANSPORT_UDP) | BIT(FT_TRANSPORT_TCP))
#define WITH_ADDRESSES BOTH(IPV4)
#define ANYWHERE       BOTH(IPV4 | BIT(FT_TRANSPORT_L2))

_Static_assert(FT_TRANSPORT_TCP - FT_TRANSPORT_L2 < 4, "transports are the bits of a half");

#define TYPE_IPV4 0x0800u
#define TYPE_IPV6 0x86ddu

/* ::ffff:0.0.0.0 to ::ffff:255.255.255.255, the lower half. */
#define MAPPED_FIRST 0xffff00000000ull
#define MAPPED_LAST  0xffffffffffffull

#define PROTO_TCP 6u
#define PROTO_UDP 17u

/* Ranges of addresses looked at of a set; with more it may be any. */
#define RANGES_MAX 4096u

/* Children of one `and` among which the two are looked for that do not go together. */
#define PAIRS_MAX 64u

#define ROW_UNKNOWN  UINT32_MAX
#define KIND_UNKNOWN FT_KIND_COUNT

/* What a message is: of a command (row 0: of none that the table has), or of any; of a kind. */
struct place {
    const struct ft_vocabulary *vocabulary;
    const struct ft_protocol *protocol;
    uint32_t row;
    unsigned kind;    /* enum ft_kind */
    const char *text; /* of the condition */
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

/* A request is answered, and answers nothing itself: see message_value() in program_value.c. */
static bool may_have_response_time(const struct place *at)
{
    return !(at->protocol->flags & FT_DISSECTOR_UNANSWERED) && at->kind != FT_KIND_REQUEST;
}

static bool may_hold_of_kind(const struct ft_test *t, const struct place *at)
{
    if (at->protocol == at->vocabulary->unknown)
        return holds_for(t, FT_KIND_DATA);
    return at->kind == KIND_UNKNOWN || holds_for(t, at->kind);
}

/* Of a message: its protocol, command, class and kind. */
static bool may_hold_of_message(const struct ft_test *t, const struct place *at)
{
    const struct ft_protocol *p = at->protocol;
    if (!p || (!asks_for_number(t) && t->left.keyword != FT_KEYWORD_RESPONSE_TIME))
        return true;
    switch (t->left.keyword) {
    case FT_KEYWORD_PROTOCOL:
        return holds_for(t, p->index);
    case FT_KEYWORD_COMMAND:
        if (at->row == ROW_UNKNOWN)
            return may_hold_of_commands(t, at);
        return holds_for(t, (uint64_t)p->index << 32 | at->row) || (!at->row && t->is_negated);
    case FT_KEYWORD_RESPONSE_TIME:
        return t->is_negated || may_have_response_time(at);
    case FT_KEYWORD_COMMAND_CODE:
        return !at->row || at->row == ROW_UNKNOWN || holds_for(t, p->commands[at->row - 1].code);
    case FT_KEYWORD_CLASS:
        return may_hold_of_class(t, at);
    case FT_KEYWORD_KIND:
        return may_hold_of_kind(t, at);
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
            return BOTH(BIT(at->vocabulary->tags[o->field].transport));
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
        return WITH_ADDRESSES;
    case FT_KEYWORD_IP_ID: /* IPv6 has it in fragments only, where it is not read */
        return IPV4;
    case FT_KEYWORD_TCP_FLAGS:
    case FT_KEYWORD_TCP_WINDOW:
    case FT_KEYWORD_TCP_OPTIONS:
        return WITH_TCP;
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
    unsigned all = 0;
    for (unsigned transport = FT_TRANSPORT_L2; transport <= FT_TRANSPORT_TCP; transport++)
        if (holds_for(t, transport))
            all |= BIT(transport);
    return BOTH(all);
}

/* An IP packet has the type of its version, whatever stands around it; any other any. */
static uint8_t possible_of_ethertype(const struct ft_test *t)
{
    unsigned all = BIT(FT_TRANSPORT_L2);
    all |= holds_for(t, TYPE_IPV4) ? IPV4 : 0;
    all |= holds_for(t, TYPE_IPV6) ? IPV6 : 0;
    return (uint8_t)all;
}

static uint8_t possible_of_ip_protocol(const struct ft_test *t)
{
    unsigned all = 0;
    for (unsigned proto = 0; proto <= UINT8_MAX; proto++)
        if (holds_for(t, proto))
            all |= BIT(proto == PROTO_TCP   ? FT_TRANSPORT_TCP
                       : proto == PROTO_UDP ? FT_TRANSPORT_UDP
                                            : FT_TRANSPORT_IP);
    return BOTH(all);
}

/* The addresses of IPv4 among those of IPv6. */
static bool has_mapped(struct ft_set_address low, struct ft_set_address high)
{
    return !low.high && low.low <= MAPPED_LAST && (high.high || high.low >= MAPPED_FIRST);
}

static bool is_mapped(struct ft_set_address low, struct ft_set_address high)
{
    return !high.high && low.low >= MAPPED_FIRST && high.low <= MAPPED_LAST;
}

/*
 * Of which version are the addresses that are asked for? One of IPv4 is meant as that, unless it is
 * written as IPv6 does, ::ffff:10.0.0.1: there may be such packets. A named set has others
 * tomorrow.
 */
static uint8_t possible_of_address(const struct ft_expression_node *n, const struct place *at)
{
    const struct ft_test *t = &n->test;
    struct ft_set_address low, high;
    unsigned all = 0;
    bool is_address = t->kind == FT_TEST_ADDRESS || t->kind == FT_TEST_ADDRESSES;
    if (!is_address || t->is_none || t->is_named)
        return WITH_ADDRESSES;
    bool is_v6 = memchr(at->text + n->at, ':', n->end - n->at);
    for (uint32_t i = 0; ft_test_addresses_at(t, i, &low, &high); i++) {
        if (i == RANGES_MAX)
            return WITH_ADDRESSES;
        all |= has_mapped(low, high) ? IPV4 : 0;
        all |= is_v6 || !is_mapped(low, high) ? IPV6 : 0;
    }
    return (uint8_t)all;
}

/* That something is not there which everything has. Who asks for payloads is tested on those. */
static bool is_never_absent(const struct ft_test *t)
{
    switch (t->left.keyword) {
    case FT_KEYWORD_PAYLOAD:
    case FT_KEYWORD_PAYLOAD_LENGTH:
    case FT_KEYWORD_TRANSPORT:
    case FT_KEYWORD_PROTOCOL:
    case FT_KEYWORD_KIND:
    case FT_KEYWORD_DIRECTION:
        return t->kind == FT_TEST_EXISTS && t->is_negated;
    default:
        return false;
    }
}

/* Is nothing behind the headers asked for? Of IP packets only those with payload are tested. */
static bool is_of_no_payload(const struct ft_test *t)
{
    return !t->is_none && ((t->kind == FT_TEST_TEXT && !t->length) ||
                           (t->kind == FT_TEST_RANGE && !t->has_mask && !t->high));
}

/* In which flows has it a value that passes? */
static uint8_t possible_of_value(const struct ft_expression_node *n, const struct place *at)
{
    const struct ft_test *t = &n->test;
    if (t->kind == FT_TEST_SAME)
        return transports_of(&t->left, at) & transports_of(&t->right, at);
    switch (t->left.keyword) {
    case FT_KEYWORD_IP_SRC:
    case FT_KEYWORD_IP_DST:
    case FT_KEYWORD_IP_ADDR:
        return possible_of_address(n, at);
    case FT_KEYWORD_ETHERTYPE:
        return asks_for_number(t) ? possible_of_ethertype(t) : ANYWHERE;
    case FT_KEYWORD_IP_PROTOCOL:
        return asks_for_number(t) ? possible_of_ip_protocol(t) : WITH_ADDRESSES;
    case FT_KEYWORD_PAYLOAD:
    case FT_KEYWORD_PAYLOAD_LENGTH:
        return is_of_no_payload(t) ? BIT(FT_TRANSPORT_L2) : ANYWHERE;
    case FT_KEYWORD_CONNECTION: /* of UDP it is known only that nothing came back */
        return asks_for_number(t) && !holds_for(t, FT_CONNECTION_UNANSWERED) ? WITH_TCP
                                                                             : WITH_PORTS;
    default:
        return transports_of(&t->left, at);
    }
}

/* In which flows is there surely a value? */
static uint8_t always_in(const struct ft_operand *o)
{
    switch (o->keyword) {
    case FT_KEYWORD_IP_SRC:
    case FT_KEYWORD_IP_DST:
    case FT_KEYWORD_IP_ADDR:
        return WITH_ADDRESSES;
    case FT_KEYWORD_IP_PROTOCOL:
    case FT_KEYWORD_PORT_SRC:
    case FT_KEYWORD_PORT_DST:
    case FT_KEYWORD_PORT:
        return WITH_PORTS;
    default:
        return 0;
    }
}

/* In which flows may it hold? Without a value it does not, but for its contrary. */
static uint8_t possible_test(const struct ft_expression_node *n, const struct place *at)
{
    const struct ft_test *t = &n->test;
    if (t->left.keyword == FT_KEYWORD_TRANSPORT && asks_for_number(t))
        return possible_of_transport(t);
    if (is_never_absent(t) || !may_hold_of_message(t, at))
        return 0;
    if (!t->is_negated)
        return possible_of_value(n, at);
    return t->kind == FT_TEST_EXISTS ? ANYWHERE & ~always_in(&t->left) : ANYWHERE;
}

/* ---- trees ---- */

static uint8_t possible(const struct ft_expression *e, uint32_t node, const struct place *at)
{
    const struct ft_expression_node *n = &e->nodes[node];
    if (n->kind == FT_EXPRESSION_TEST)
        return possible_test(n, at);
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
    uint8_t all = ANYWHERE;
    if (at->protocol) /* its transports are counted from 0 there */
        all = BOTH(at->vocabulary->reach[at->protocol->index].transports >> FT_TRANSPORT_L2);
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

static bool is_response_time_test(const struct ft_test *t)
{
    return t->left.keyword == FT_KEYWORD_RESPONSE_TIME;
}

static bool is_about_either(const struct ft_expression *e, uint32_t first, uint32_t second,
                            bool (*what)(const struct ft_test *))
{
    return is_about(e, first, what) || (second && is_about(e, second, what));
}

/* The kind matters where a response time is asked for. */
static bool is_possible_of_kinds(const struct ft_expression *e, uint32_t first, uint32_t second,
                                 struct place *at)
{
    at->kind = KIND_UNKNOWN;
    if (!is_possible_at(e, first, second, at))
        return false;
    if (!is_about_either(e, first, second, is_response_time_test))
        return true;
    for (at->kind = 0; at->kind < FT_KIND_COUNT; at->kind++)
        if (is_possible_at(e, first, second, at))
            return true;
    return false;
}

static bool is_possible_of_protocol(const struct ft_expression *e, uint32_t first, uint32_t second,
                                    struct place *at)
{
    at->row = ROW_UNKNOWN;
    if (!is_possible_of_kinds(e, first, second, at))
        return false;
    if (!is_about_either(e, first, second, is_command_test))
        return true;
    for (at->row = 0; at->row <= at->protocol->command_count; at->row++)
        if (is_possible_of_kinds(e, first, second, at))
            return true;
    return false;
}

static bool is_possible(const struct ft_vocabulary *v, const struct ft_expression *e,
                        const char *text, uint32_t first, uint32_t second)
{
    const struct ft_registry *registry = v->registry;
    struct place at = {.vocabulary = v, .row = ROW_UNKNOWN, .kind = KIND_UNKNOWN, .text = text};
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
                               const char *text, uint32_t node)
{
    return is_possible(v, e, text, node, 0);
}

/* ---- telling ---- */

static bool has_keyword(const struct ft_expression_node *n, enum ft_keyword keyword)
{
    return n->kind == FT_EXPRESSION_TEST && n->test.left.keyword == keyword;
}

static bool has_both(const struct ft_expression_node *a, const struct ft_expression_node *b,
                     enum ft_keyword first, enum ft_keyword second)
{
    return (has_keyword(a, first) && has_keyword(b, second)) ||
           (has_keyword(b, first) && has_keyword(a, second));
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

static bool has_ip(const struct ft_expression_node *n)
{
    return has_keyword(n, FT_KEYWORD_IP_SRC) || has_keyword(n, FT_KEYWORD_IP_DST) ||
           has_keyword(n, FT_KEYWORD_IP_ADDR);
}

static bool has_empty_payload(const struct ft_expression_node *n)
{
    return (has_keyword(n, FT_KEYWORD_PAYLOAD) || has_keyword(n, FT_KEYWORD_PAYLOAD_LENGTH)) &&
           is_of_no_payload(&n->test);
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
    else if (has_both(a, b, FT_KEYWORD_RESPONSE_TIME, FT_KEYWORD_KIND))
        snprintf(to, size, ": the time is of the message that answers, not of the request");
    else if (has_both(a, b, FT_KEYWORD_CONNECTION, FT_KEYWORD_TRANSPORT) ||
             has_both(a, b, FT_KEYWORD_CONNECTION, FT_KEYWORD_IP_PROTOCOL))
        snprintf(to, size,
                 ": connections are accepted and refused over TCP; over UDP they are unanswered");
    else if (has_keyword(a, FT_KEYWORD_RESPONSE_TIME) || has_keyword(b, FT_KEYWORD_RESPONSE_TIME))
        snprintf(to, size, ": its messages are not answered");
    else if (has_keyword(a, FT_KEYWORD_ETHERTYPE) || has_keyword(b, FT_KEYWORD_ETHERTYPE))
        snprintf(to, size,
                 ": the ethertype of IPv4 is 0x0800, of IPv6 0x86dd; nothing else has IP "
                 "addresses or ports");
    else if (has_ip(a) && has_ip(b))
        snprintf(to, size,
                 ": the addresses of a packet are both of IPv4 or both of IPv6; an IPv4 "
                 "address in one of IPv6 is written ::ffff:10.0.0.1");
    else if (has_empty_payload(a) || has_empty_payload(b))
        snprintf(to, size, ": packets without payload are not asked for it");
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
    char why[256];
    for (uint32_t child = and->child; child && count < PAIRS_MAX; child = nodes[child].next)
        all[count++] = child;
    for (uint32_t j = 1; j < count; j++)
        for (uint32_t i = 0; i < j; i++) {
            const struct ft_expression_node *a = &nodes[all[i]], *b = &nodes[all[j]];
            if (is_possible(r->vocabulary, r->expression, r->text, all[i], all[j]))
                continue;
            reason(r, a, b, why, sizeof(why));
            ft_reader_wrong(r, b->at, b->end, "\"%s%.*s\" and \"%s%.*s\" can never hold both%s",
                            ft_expression_not(a), (int)(a->end - a->at), r->text + a->at,
                            ft_expression_not(b), (int)(b->end - b->at), r->text + b->at, why);
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
    if (is_told || is_possible(r->vocabulary, r->expression, r->text, node, 0))
        return is_told;
    if (n->kind == FT_EXPRESSION_TEST && is_never_absent(&n->test))
        ft_reader_wrong(r, n->at, n->end, "\"not %.*s\" can never hold: it is always there; %s",
                        (int)(n->end - n->at), r->text + n->at,
                        n->test.left.level == FT_LEVEL_PAYLOAD
                            ? "packets without payload are not asked for it"
                            : "the protocol of what no dissector reads is \"unknown\"");
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
