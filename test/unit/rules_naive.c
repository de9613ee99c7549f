/* SPDX-License-Identifier: BSD-3-Clause */
/* Conditions of rules judged plainly. */
#include "rules_naive.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <ctype.h>
#include <math.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One value of anything. */
struct value {
    uint64_t u;
    int64_t i;
    double d;
    struct ft_set_address address;
    const uint8_t *bytes;
    uint32_t length;
    char text[256]; /* sub-addresses: what `bytes` then points to is made anew by bytes_of() */
    bool is_text;
};

struct values {
    struct value *items;
    uint32_t count, room;
};

/* The elements that `any` is at, from the outermost on. */
struct scope {
    const struct scope *outer;
    const struct ft_operand *group;
    uint32_t first, last; /* nodes; the element's fields stand between them */
};

struct judge {
    const struct ft_vocabulary *v;
    const struct ft_expression *e;
    const struct ft_subject *s;
};

static void *must(void *memory)
{
    if (!memory) {
        fputs("not enough memory\n", stderr);
        exit(1);
    }
    return memory;
}

static struct value *add(struct values *to)
{
    if (to->count == to->room) {
        to->room = to->room ? to->room * 2 : 8;
        to->items = must(realloc(to->items, to->room * sizeof(*to->items)));
    }
    to->items[to->count] = (struct value){0};
    return &to->items[to->count++];
}

static void add_number(struct values *to, uint64_t u)
{
    add(to)->u = u;
}

static const uint8_t *bytes_of(const struct value *v)
{
    return v->is_text ? (const uint8_t *)v->text : v->bytes;
}

/* ---- fields ---- */

/* Does a field stand in a group, however deep? */
static bool stands_in(const struct ft_protocol *p, uint32_t field, uint32_t group)
{
    while (field) {
        field = p->fields[field].parent;
        if (field == group)
            return true;
    }
    return false;
}

/* The innermost element that means a field; NULL: the whole message. */
static const struct scope *scope_of(const struct judge *j, const struct scope *inner,
                                    const struct ft_operand *o)
{
    const struct ft_protocol *p = j->v->registry->protocols[o->protocol];
    for (; inner; inner = inner->outer)
        if (inner->group->protocol == o->protocol && stands_in(p, o->field, inner->group->field))
            return inner;
    return NULL;
}

static const struct ft_message *message_with(const struct ft_subject *s, uint16_t protocol)
{
    const struct ft_message *m = s->message;
    while (m && m->protocol->index != protocol)
        m = m->parent == 0xff ? NULL : &s->call->messages[m->parent];
    return m;
}

static bool is_textual(uint8_t type)
{
    return type == FT_TYPE_STRING || type == FT_TYPE_BYTES;
}

/* The value of a node as the type of the field has it; nothing where it is of another kind. */
static void add_node(struct values *to, const struct ft_operand *o, const struct ft_node *n)
{
    struct value v = {.u = n->u};
    switch (o->type) {
    case FT_VALUE_TYPE_GROUP:
        break;
    case FT_VALUE_TYPE_TEXT:
    case FT_VALUE_TYPE_BYTES:
        if (!is_textual(n->type))
            return;
        v.bytes = n->bytes;
        v.length = n->length;
        break;
    case FT_VALUE_TYPE_ADDRESS:
        if (n->type == FT_TYPE_IPV4) {
            uint8_t bytes[4] = {(uint8_t)(n->u >> 24), (uint8_t)(n->u >> 16), (uint8_t)(n->u >> 8),
                                (uint8_t)n->u};
            v.address = ft_set_address_of(bytes, false);
        } else if (n->type == FT_TYPE_IPV6 && n->length == 16) {
            v.address = ft_set_address_of(n->bytes, true);
        } else {
            return;
        }
        break;
    case FT_VALUE_TYPE_MAC:
        if (n->type != FT_TYPE_MAC || n->length != 6)
            return;
        v.u = 0;
        for (unsigned i = 0; i < 6; i++)
            v.u = v.u << 8 | n->bytes[i];
        break;
    case FT_VALUE_TYPE_INT:
        v.i = n->i;
        if (n->type != FT_TYPE_INT && n->type != FT_TYPE_UINT)
            return;
        break;
    case FT_VALUE_TYPE_FLOAT:
        if (n->type != FT_TYPE_FLOAT && n->type != FT_TYPE_INT && n->type != FT_TYPE_UINT)
            return;
        v.d = n->type == FT_TYPE_FLOAT ? n->d
              : n->type == FT_TYPE_INT ? (double)n->i
                                       : (double)n->u;
        if (isnan(v.d))
            return;
        break;
    default:
        if (is_textual(n->type) || n->type == FT_TYPE_IPV6 || n->type == FT_TYPE_MAC ||
            (n->type == FT_TYPE_FLOAT && isnan(n->d)))
            return;
    }
    *add(to) = v;
}

static void fields(const struct judge *j, const struct scope *scope, const struct ft_operand *o,
                   struct values *to)
{
    const struct ft_message *m = message_with(j->s, o->protocol);
    const struct scope *element = scope_of(j, scope, o);
    for (uint32_t n = m ? m->first : 0; n; n = j->s->call->nodes[n].next) {
        const struct ft_node *node = &j->s->call->nodes[n];
        if (node->type != FT_NODE_END && node->field == o->field &&
            (!element || (n > element->first && n < element->last)))
            add_node(to, o, node);
    }
}

/* ---- tags ---- */

static void tag(const struct judge *j, const struct ft_tag *t, struct values *to)
{
    const struct ft_subject *s = j->s;
    struct value v = {0};
    int64_t at = t->offset;
    bool is_l2 = t->transport == FT_TRANSPORT_L2;
    if (!s->payload || s->transport != t->transport ||
        (is_l2 ? s->ethertype != t->port : s->src_port != t->port && s->dst_port != t->port))
        return;
    if (t->anchor) {
        const uint8_t *found = memmem(s->payload, s->payload_length, t->anchor, t->anchor_length);
        if (!found)
            return;
        at += (found - s->payload) + (int64_t)t->anchor_length;
    }
    if (at < 0 || at + (int64_t)t->length > (int64_t)s->payload_length)
        return;
    v.bytes = s->payload + at;
    v.length = t->length;
    for (uint32_t i = 0; i < t->length && t->length <= 8; i++)
        v.u |= (uint64_t)v.bytes[i] << 8 * (t->is_little ? i : t->length - 1 - i);
    if (t->type == FT_VALUE_TYPE_MAC)
        for (unsigned i = (unsigned)(v.u = 0); i < 6; i++)
            v.u = v.u << 8 | v.bytes[i];
    if (t->type == FT_VALUE_TYPE_ADDRESS)
        v.address = ft_set_address_of(v.bytes, t->length == 16);
    if (t->type == FT_VALUE_TYPE_INT) {
        bool is_negative = v.u >> (t->length * 8 - 1) & 1;
        v.i = (int64_t)(is_negative && t->length < 8 ? v.u | UINT64_MAX << t->length * 8 : v.u);
    }
    if (t->type == FT_VALUE_TYPE_FLOAT) {
        float f;
        uint32_t half = (uint32_t)v.u;
        memcpy(&f, &half, sizeof(f));
        memcpy(&v.d, &v.u, sizeof(v.d));
        v.d = t->length == 4 ? (double)f : v.d;
        if (isnan(v.d))
            return;
    }
    *add(to) = v;
}

/* ---- keywords ---- */

static void address(const struct ft_subject *s, const uint8_t *bytes, struct values *to)
{
    if (s->ip_version == 4 || s->ip_version == 6)
        add(to)->address = ft_set_address_of(bytes, s->ip_version == 6);
}

static void mac(const uint8_t *bytes, struct values *to)
{
    uint64_t u = 0;
    for (unsigned i = 0; bytes && i < 6; i++)
        u = u << 8 | bytes[i];
    if (bytes)
        add_number(to, u);
}

static int order(struct ft_set_address a, struct ft_set_address b)
{
    if (a.high != b.high)
        return a.high < b.high ? -1 : 1;
    return a.low < b.low ? -1 : a.low > b.low;
}

/* The zone with the smallest network that has the address, the first of equal ones. */
static void zone(const struct judge *j, const uint8_t *bytes, bool is_level, struct values *to)
{
    struct values one = {0};
    struct ft_set_address first, last, least = {0, 0};
    const struct ft_zone *best = NULL;
    address(j->s, bytes, &one);
    for (uint32_t z = 0; one.count && z < j->v->zone_count; z++)
        for (uint32_t i = 0; ft_set_addresses_at(j->v->zones[z].networks, i, &first, &last); i++) {
            struct ft_set_address size = {last.high - first.high - (last.low < first.low),
                                          last.low - first.low};
            if (order(one.items->address, first) < 0 || order(one.items->address, last) > 0 ||
                (best && order(size, least) >= 0))
                continue;
            best = &j->v->zones[z];
            least = size;
        }
    free(one.items);
    if (best && is_level && best->purdue >= 0)
        add(to)->d = best->purdue;
    if (best && !is_level)
        add_number(to, (uint64_t)(best - j->v->zones));
}

static void subaddress(const struct ft_sub *sub, bool is_code, struct values *to)
{
    if (!sub->kind || (is_code && sub->text))
        return;
    struct value *v = add(to);
    v->u = sub->value;
    v->is_text = true;
    ft_sub_text(sub->kind, sub->value, sub->text, sub->length, v->text, sizeof(v->text));
    v->length = (uint32_t)strlen(v->text);
}

static void of_message(const struct ft_message *m, uint8_t keyword, bool is_code, struct values *to)
{
    uint64_t row = m->command ? (uint64_t)(m->command - m->protocol->commands) + 1 : 0;
    if (keyword == FT_KEYWORD_PROTOCOL)
        add_number(to, m->protocol->index);
    if (keyword == FT_KEYWORD_COMMAND && m->has_command)
        add_number(to, (uint64_t)m->protocol->index << 32 | row);
    if (keyword == FT_KEYWORD_COMMAND_CODE && m->has_command)
        add_number(to, m->code);
    if (keyword == FT_KEYWORD_CLASS && m->has_command)
        add_number(to, m->class_);
    if (keyword == FT_KEYWORD_KIND)
        add_number(to, m->kind);
    if (keyword == FT_KEYWORD_DIRECTION)
        add_number(to, m->direction);
    if (keyword == FT_KEYWORD_RESPONSE_TIME && m->is_paired && m->kind != FT_KIND_REQUEST)
        add_number(to, m->response_ns / 1000);
    for (unsigned i = 0; keyword == FT_KEYWORD_SUBADDRESS && i < 2; i++)
        subaddress(&m->sub[i], is_code, to);
}

static void of_packet(const struct judge *j, uint8_t keyword, struct values *to)
{
    const struct ft_subject *s = j->s;
    bool any_ip = keyword == FT_KEYWORD_IP_ADDR, any_port = keyword == FT_KEYWORD_PORT;
    bool any_mac = keyword == FT_KEYWORD_ETH_ADDR && s->src_mac && s->dst_mac;
    struct ft_program_value header = {0};
    if (keyword == FT_KEYWORD_IP_SRC || any_ip)
        address(s, s->src_ip, to);
    if (keyword == FT_KEYWORD_IP_DST || any_ip)
        address(s, s->dst_ip, to);
    if (keyword == FT_KEYWORD_ETH_SRC || any_mac)
        mac(s->src_mac, to);
    if (keyword == FT_KEYWORD_ETH_DST || any_mac)
        mac(s->dst_mac, to);
    if ((keyword == FT_KEYWORD_PORT_SRC || any_port) && s->has_ports)
        add_number(to, s->src_port);
    if ((keyword == FT_KEYWORD_PORT_DST || any_port) && s->has_ports)
        add_number(to, s->dst_port);
    for (unsigned i = 0; keyword == FT_KEYWORD_VLAN && i < s->vlan_count; i++)
        add_number(to, s->vlan[i]);
    if (keyword == FT_KEYWORD_ETHERTYPE && s->ethertype)
        add_number(to, s->ethertype);
    if (keyword == FT_KEYWORD_IP_PROTOCOL && s->ip_version)
        add_number(to, s->ip_protocol);
    if (keyword == FT_KEYWORD_CONNECTION && s->connection)
        add_number(to, s->connection);
    if (keyword >= FT_KEYWORD_FIRST && keyword <= FT_KEYWORD_TCP_OPTIONS && s->packet &&
        s->packet(s->user, (enum ft_keyword)keyword, &header))
        *add(to) =
            (struct value){.u = header.number, .bytes = header.bytes, .length = header.length};
    if (keyword == FT_KEYWORD_TRANSPORT)
        add_number(to, s->transport);
    if (keyword == FT_KEYWORD_ZONE_SRC || keyword == FT_KEYWORD_PURDUE_SRC)
        zone(j, s->src_ip, keyword == FT_KEYWORD_PURDUE_SRC, to);
    if (keyword == FT_KEYWORD_ZONE_DST || keyword == FT_KEYWORD_PURDUE_DST)
        zone(j, s->dst_ip, keyword == FT_KEYWORD_PURDUE_DST, to);
    if (keyword == FT_KEYWORD_PAYLOAD && s->payload)
        *add(to) = (struct value){.bytes = s->payload, .length = s->payload_length};
    if (keyword == FT_KEYWORD_PAYLOAD_LENGTH && s->payload)
        add_number(to, s->payload_length);
}

static struct values values_of(const struct judge *j, const struct scope *scope,
                               const struct ft_operand *o, bool is_code)
{
    struct values to = {0};
    if (o->is_tag)
        tag(j, &j->v->tags[o->field], &to);
    else if (!o->keyword)
        fields(j, scope, o, &to);
    else
        of_packet(j, o->keyword, &to);
    if (o->keyword && j->s->message)
        of_message(j->s->message, o->keyword, is_code, &to);
    return to;
}

/* ---- tests ---- */

/* As the keys of ranges are ordered. */
static uint64_t key(uint8_t type, const struct value *v)
{
    uint64_t bits;
    double d = v->d + 0.0; /* -0.0 + 0.0 is 0.0 */
    if (type == FT_VALUE_TYPE_INT)
        return (uint64_t)v->i + (1ull << 63);
    if (type != FT_VALUE_TYPE_FLOAT)
        return v->u;
    memcpy(&bits, &d, sizeof(bits));
    return bits & 1ull << 63 ? ~bits : bits + (1ull << 63);
}

static bool in_numbers(const struct ft_set *set, uint64_t number)
{
    uint64_t low, high;
    for (uint32_t i = 0; ft_set_numbers_at(set, i, &low, &high); i++)
        if (number >= low && number <= high)
            return true;
    return false;
}

static bool in_addresses(const struct ft_set *set, struct ft_set_address a)
{
    struct ft_set_address low, high;
    for (uint32_t i = 0; ft_set_addresses_at(set, i, &low, &high); i++)
        if (order(a, low) >= 0 && order(a, high) <= 0)
            return true;
    return false;
}

static bool is_same_text(const uint8_t *a, const uint8_t *b, size_t length, bool ignores_case)
{
    for (size_t i = 0; i < length; i++)
        if (ignores_case ? tolower(a[i]) != tolower(b[i]) : a[i] != b[i])
            return false;
    return true;
}

static bool in_texts(const struct ft_test *t, const uint8_t *bytes, uint32_t length)
{
    const char *text;
    size_t size;
    for (uint32_t i = 0; ft_set_text_at(t->set, i, &text, &size); i++)
        if (size == length && is_same_text((const uint8_t *)text, bytes, size, t->ignores_case))
            return true;
    return false;
}

static struct known {
    struct known *next;
    const char *text;
    uint32_t length;
    bool ignores_case;
    pcre2_code *code;
    pcre2_match_data *data;
} * compiled[4096];

static struct known *compile(const struct ft_test *t)
{
    struct known **at = &compiled[(uintptr_t)t->text / 2 % 4096];
    for (struct known *k = *at; k; k = k->next)
        if (k->text == t->text && k->length == t->length && k->ignores_case == t->ignores_case)
            return k;
    int error;
    PCRE2_SIZE offset;
    struct known *k = must(calloc(1, sizeof(*k)));
    *k = (struct known){*at, t->text, t->length, t->ignores_case, NULL, NULL};
    k->code = must(pcre2_compile((PCRE2_SPTR)t->text, t->length,
                                 PCRE2_DOTALL | (t->ignores_case ? PCRE2_CASELESS : 0), &error,
                                 &offset, NULL));
    k->data = must(pcre2_match_data_create_from_pattern(k->code, NULL));
    return *at = k;
}

void rules_naive_forget(void)
{
    for (unsigned i = 0; i < 4096; i++)
        for (struct known *k; (k = compiled[i]);) {
            compiled[i] = k->next;
            pcre2_match_data_free(k->data);
            pcre2_code_free(k->code);
            free(k);
        }
}

static bool matches(const struct ft_test *t, const struct value *v)
{
    struct known *k = compile(t);
    const uint8_t *bytes = v->length ? bytes_of(v) : (const uint8_t *)"";
    return pcre2_match(k->code, bytes, v->length, 0, 0, k->data, NULL) > 0;
}

static bool contains(const struct ft_test *t, const struct value *v)
{
    for (uint32_t at = 0; at + t->length <= v->length; at++)
        if (is_same_text(bytes_of(v) + at, (const uint8_t *)t->text, t->length, t->ignores_case))
            return true;
    return false;
}

static bool passes(const struct ft_test *t, const struct value *v)
{
    uint64_t number = key(t->left.type, v);
    if (t->has_mask)
        number &= t->mask;
    switch (t->kind) {
    case FT_TEST_EXISTS:
        return true;
    case FT_TEST_RANGE:
        return number >= t->low && number <= t->high;
    case FT_TEST_NUMBERS:
        return in_numbers(t->set, number);
    case FT_TEST_MASK:
        return number != 0;
    case FT_TEST_ADDRESS:
        return order(v->address, t->address_low) >= 0 && order(v->address, t->address_high) <= 0;
    case FT_TEST_ADDRESSES:
        return in_addresses(t->set, v->address);
    case FT_TEST_TEXT:
        return v->length == t->length &&
               is_same_text(bytes_of(v), (const uint8_t *)t->text, v->length, t->ignores_case);
    case FT_TEST_TEXTS:
        return in_texts(t, bytes_of(v), v->length);
    case FT_TEST_CONTAINS:
        return contains(t, v);
    default:
        return matches(t, v);
    }
}

/* What a number is, whatever its type: on all machines that are meant exact for 64 bits. */
static long double meaning(uint8_t type, const struct value *v)
{
    return type == FT_VALUE_TYPE_INT     ? (long double)v->i
           : type == FT_VALUE_TYPE_FLOAT ? (long double)v->d
                                         : (long double)v->u;
}

static bool is_same(const struct ft_test *t, const struct value *a, const struct value *b)
{
    int sign;
    if (t->left.type == FT_VALUE_TYPE_ADDRESS) {
        sign = order(a->address, b->address);
    } else if (t->left.type == FT_VALUE_TYPE_TEXT || t->left.type == FT_VALUE_TYPE_BYTES) {
        sign = a->length != b->length ||
               !is_same_text(bytes_of(a), bytes_of(b), a->length, t->ignores_case);
    } else {
        struct value masked = *a;
        if (t->has_mask)
            masked.u &= t->mask;
        long double x = meaning(t->left.type, &masked), y = meaning(t->right.type, b);
        sign = x < y ? -1 : x > y;
    }
    return t->same == FT_SAME_EQUAL        ? sign == 0
           : t->same == FT_SAME_LESS       ? sign < 0
           : t->same == FT_SAME_LESS_EQUAL ? sign <= 0
           : t->same == FT_SAME_GREATER    ? sign > 0
                                           : sign >= 0;
}

static bool holds_test(const struct judge *j, const struct scope *scope, const struct ft_test *t)
{
    struct values left = values_of(j, scope, &t->left, t->is_code), right = {0};
    bool is_there = left.count > 0, passed = false;
    if (t->kind == FT_TEST_SAME) {
        right = values_of(j, scope, &t->right, false);
        is_there &= right.count > 0;
    }
    for (uint32_t i = 0; i < left.count; i++) {
        if (t->kind != FT_TEST_SAME)
            passed |= passes(t, &left.items[i]);
        for (uint32_t k = 0; k < right.count; k++)
            passed |= is_same(t, &left.items[i], &right.items[k]);
    }
    free(left.items);
    free(right.items);
    bool held = t->is_none ? is_there && !passed : passed;
    return t->is_negated ? !held : held;
}

/* ---- the tree ---- */

static bool holds(const struct judge *j, const struct scope *scope, uint32_t node);

/* The node that ends the group that begins at `first`. */
static uint32_t end_of(const struct ft_call *call, uint32_t first)
{
    uint32_t depth = 0;
    for (uint32_t n = first; n; n = call->nodes[n].next) {
        if (call->nodes[n].type == FT_TYPE_GROUP)
            depth++;
        if (call->nodes[n].type == FT_NODE_END && --depth == 0)
            return n;
    }
    return UINT32_MAX;
}

static bool holds_any(const struct judge *j, const struct scope *scope,
                      const struct ft_expression_node *any)
{
    const struct ft_operand *group = &any->test.left;
    const struct ft_message *m = message_with(j->s, group->protocol);
    const struct scope *around = scope_of(j, scope, group);
    for (uint32_t n = m ? m->first : 0; n; n = j->s->call->nodes[n].next) {
        const struct ft_node *node = &j->s->call->nodes[n];
        if (node->type != FT_TYPE_GROUP || node->field != group->field ||
            (around && (n < around->first || n > around->last)))
            continue;
        struct scope element = {scope, group, n, end_of(j->s->call, n)};
        if (holds(j, &element, any->child))
            return true;
    }
    return false;
}

static bool holds(const struct judge *j, const struct scope *scope, uint32_t node)
{
    const struct ft_expression_node *n = &j->e->nodes[node];
    if (n->kind == FT_EXPRESSION_TEST)
        return holds_test(j, scope, &n->test);
    if (n->kind == FT_EXPRESSION_ANY)
        return holds_any(j, scope, n) != n->is_negated;
    for (uint32_t child = n->child; child; child = j->e->nodes[child].next)
        if (holds(j, scope, child) != (n->kind == FT_EXPRESSION_AND))
            return n->kind != FT_EXPRESSION_AND;
    return n->kind == FT_EXPRESSION_AND;
}

bool rules_naive_holds(const struct ft_vocabulary *v, const struct ft_expression *e, uint32_t root,
                       const struct ft_subject *s)
{
    struct judge j = {v, e, s};
    return !root || holds(&j, NULL, root);
}

/* ---- what it is tested on ---- */

uint8_t rules_naive_level(const struct ft_expression *e, uint32_t root)
{
    const struct ft_expression_node *n = &e->nodes[root];
    uint8_t most = FT_LEVEL_FLOW;
    if (!root)
        return most;
    if (n->kind == FT_EXPRESSION_ANY)
        return FT_LEVEL_MESSAGE;
    if (n->kind == FT_EXPRESSION_TEST) {
        most = n->test.left.level;
        if (n->test.kind == FT_TEST_SAME && n->test.right.level > most)
            most = n->test.right.level;
    }
    for (uint32_t child = n->child; child; child = e->nodes[child].next) {
        uint8_t one = rules_naive_level(e, child);
        most = one > most ? one : most;
    }
    return most;
}
