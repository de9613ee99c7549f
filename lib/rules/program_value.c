/* SPDX-License-Identifier: BSD-3-Clause */
/* Conditions compiled: values of operands in messages and packets, one after another. */
#include "rules/program_internal.h"

#include <math.h>
#include <string.h>

/* ---- fields ---- */

/* Chain the nodes of the message by their field. */
static void build_index(struct ft_program_run *run, const struct ft_subject *s)
{
    const struct ft_node *nodes = s->call->nodes;
    run->indexed = s->message;
    run->index_epoch++;
    for (uint32_t n = s->message->first; n; n = nodes[n].next) {
        uint32_t field = nodes[n].field;
        if (nodes[n].type == FT_NODE_END)
            continue;
        run->chain[n] = 0;
        if (run->stamp[field] == run->index_epoch) {
            run->chain[run->tail[field]] = n;
        } else {
            run->stamp[field] = run->index_epoch;
            run->head[field] = n;
        }
        run->tail[field] = n;
    }
}

/* The message that has fields of a protocol: the one at hand, or the nearest that carries it. */
static const struct ft_message *message_of(const struct ft_subject *s, uint16_t protocol)
{
    const struct ft_message *m = s->message;
    while (m && m->protocol->index != protocol)
        m = m->parent == 0xff ? NULL : &s->call->messages[m->parent];
    return m;
}

struct ft_value_cursor ft_field_first(struct ft_program_run *run, const struct ft_subject *s,
                                      const struct ft_operand *o, const struct ft_element *element)
{
    struct ft_value_cursor c = {0};
    const struct ft_message *m = s->message ? message_of(s, o->protocol) : NULL;
    if (!m || !m->first)
        return c;
    c.is_chained = m == s->message;
    if (c.is_chained) {
        if (run->indexed != m)
            build_index(run, s);
        c.node = run->stamp[o->field] == run->index_epoch ? run->head[o->field] : 0;
        while (element && c.node && c.node <= element->first)
            c.node = run->chain[c.node];
    } else {
        c.node = ft_field_next(s->call, element ? s->call->nodes[element->first].next : m->first,
                               o->field);
    }
    c.last = element ? element->last : UINT32_MAX;
    return c;
}

static uint64_t key_of_node(const struct ft_operand *o, const struct ft_node *n)
{
    if (o->type == FT_VALUE_TYPE_FLOAT)
        return ft_key_of_float(n->type == FT_TYPE_FLOAT ? n->d
                               : n->type == FT_TYPE_INT ? (double)n->i
                                                        : (double)n->u);
    if (o->type == FT_VALUE_TYPE_INT)
        return ft_key_of_int(n->i);
    if (o->type == FT_VALUE_TYPE_MAC) {
        uint64_t mac = 0;
        for (uint32_t i = 0; i < n->length && i < 6; i++)
            mac = mac << 8 | n->bytes[i];
        return mac;
    }
    return n->u;
}

static bool is_nan_node(const struct ft_node *n)
{
    return n->type == FT_TYPE_FLOAT && isnan(n->d);
}

/* False: the node has no value of the operand's type. */
static bool value_of_node(const struct ft_operand *o, const struct ft_node *n,
                          struct ft_program_value *v)
{
    v->at = n->at;
    v->at_length = n->at_length;
    switch (o->type) {
    case FT_VALUE_TYPE_GROUP:
        return true;
    case FT_VALUE_TYPE_TEXT:
    case FT_VALUE_TYPE_BYTES:
        v->bytes = n->bytes;
        v->length = n->length;
        return n->type == FT_TYPE_STRING || n->type == FT_TYPE_BYTES;
    case FT_VALUE_TYPE_ADDRESS:
        if (n->type == FT_TYPE_IPV4)
            v->address = (struct ft_set_address){0, 0xffff00000000 | (n->u & 0xffffffff)};
        else if (n->type == FT_TYPE_IPV6 && n->length == 16)
            v->address = ft_set_address_of(n->bytes, true);
        else
            return false;
        return true;
    case FT_VALUE_TYPE_MAC:
        v->number = key_of_node(o, n);
        return n->type == FT_TYPE_MAC && n->length == 6;
    default:
        v->number = key_of_node(o, n);
        return n->type != FT_TYPE_STRING && n->type != FT_TYPE_BYTES && n->type != FT_TYPE_IPV6 &&
               n->type != FT_TYPE_MAC && !is_nan_node(n);
    }
}

static bool next_field(const struct ft_program_run *run, const struct ft_subject *s,
                       const struct ft_operand *o, struct ft_value_cursor *c,
                       struct ft_program_value *v)
{
    while (c->node && c->node < c->last) {
        const struct ft_node *n = &s->call->nodes[c->node];
        v->node = c->node;
        c->node = c->is_chained ? run->chain[c->node] : ft_field_next(s->call, n->next, o->field);
        if (value_of_node(o, n, v))
            return true;
    }
    return false;
}

/* For who asks once; those who ask for each node have it in their loops. */
bool ft_value_of_node(const struct ft_operand *o, const struct ft_node *n,
                      struct ft_program_value *v)
{
    return value_of_node(o, n, v);
}

bool ft_guard_passes(const struct ft_guard *g, const struct ft_subject *s)
{
    const struct ft_operand o = {.type = g->type};
    bool is_number = ft_value_type_is_number((enum ft_value_type)g->type);
    struct ft_program_value v;
    if (s->message->protocol->index != g->protocol)
        return true;
    if (!(s->message->fields & FT_FIELD_BIT(g->field)))
        return false;
    for (uint32_t i = s->message->first; i; i = s->call->nodes[i].next) {
        const struct ft_node *n = &s->call->nodes[i];
        if (n->field != g->field || n->type == FT_NODE_END || !value_of_node(&o, n, &v))
            continue;
        if (!is_number || (v.number >= g->low && v.number <= g->high))
            return true;
    }
    return false;
}

/* ---- keywords ---- */

static bool address_value(const struct ft_subject *s, bool is_dst, struct ft_program_value *v)
{
    if (s->ip_version != 4 && s->ip_version != 6)
        return false;
    v->address = ft_set_address_of(is_dst ? s->dst_ip : s->src_ip, s->ip_version == 6);
    return true;
}

static bool zone_value(const struct ft_program_run *run, const struct ft_subject *s, bool is_dst,
                       bool is_purdue, struct ft_program_value *v)
{
    const struct ft_zone *zone =
        address_value(s, is_dst, v) ? ft_vocabulary_zone(run->vocabulary, v->address) : NULL;
    if (!zone || (is_purdue && zone->purdue < 0))
        return false;
    v->number =
        is_purdue ? ft_key_of_float(zone->purdue) : (uint64_t)(zone - run->vocabulary->zones);
    return true;
}

static bool number_value(struct ft_program_value *v, uint64_t number, bool is_there)
{
    v->number = number;
    return is_there;
}

static uint64_t command_number(const struct ft_message *m)
{
    uint64_t row = m->command ? (uint64_t)(m->command - m->protocol->commands) + 1 : 0;
    return (uint64_t)m->protocol->index << 32 | row;
}

/* Sub-addresses: of the server, then of the client. */
static bool sub_value(struct ft_program_run *run, const struct ft_subject *s, uint32_t index,
                      bool is_code, struct ft_program_value *v)
{
    const struct ft_sub *sub = &s->message->sub[!index];
    if (!sub->kind)
        return false;
    v->number = sub->value;
    if (is_code)
        return !sub->text;
    ft_sub_text(sub->kind, sub->value, sub->text, sub->length, run->text, sizeof(run->text));
    v->bytes = (const uint8_t *)run->text;
    v->length = (uint32_t)strlen(run->text);
    return true;
}

static bool message_value(struct ft_program_run *run, const struct ft_subject *s,
                          enum ft_keyword keyword, uint32_t index, bool is_code,
                          struct ft_program_value *v)
{
    const struct ft_message *m = s->message;
    if (!m)
        return false;
    switch (keyword) {
    case FT_KEYWORD_PROTOCOL:
        return number_value(v, m->protocol->index, true);
    case FT_KEYWORD_COMMAND:
        return number_value(v, command_number(m), m->has_command);
    case FT_KEYWORD_COMMAND_CODE:
        return number_value(v, m->code, m->has_command);
    case FT_KEYWORD_CLASS:
        return number_value(v, m->class_, m->has_command);
    case FT_KEYWORD_KIND:
        return number_value(v, m->kind, true);
    case FT_KEYWORD_DIRECTION:
        return number_value(v, m->direction, true);
    case FT_KEYWORD_RESPONSE_TIME:
        return number_value(v, m->response_ns / 1000, m->is_paired && m->kind != FT_KIND_REQUEST);
    case FT_KEYWORD_SUBADDRESS:
        return sub_value(run, s, index, is_code, v);
    default:
        return false;
    }
}

/* How many values a keyword can have at most. */
static uint32_t most_values(enum ft_keyword keyword)
{
    switch (keyword) {
    case FT_KEYWORD_IP_ADDR:
    case FT_KEYWORD_ETH_ADDR:
    case FT_KEYWORD_PORT:
    case FT_KEYWORD_SUBADDRESS:
        return 2;
    case FT_KEYWORD_VLAN:
        return 4;
    default:
        return 1;
    }
}

/* Value number `index` of a keyword. */
static bool keyword_value(struct ft_program_run *run, const struct ft_subject *s,
                          const struct ft_operand *o, uint32_t index, bool is_code,
                          struct ft_program_value *v)
{
    enum ft_keyword k = (enum ft_keyword)o->keyword;
    switch (k) {
    case FT_KEYWORD_IP_SRC:
    case FT_KEYWORD_IP_DST:
        return address_value(s, k == FT_KEYWORD_IP_DST, v);
    case FT_KEYWORD_IP_ADDR:
        return address_value(s, index, v);
    case FT_KEYWORD_ETH_SRC:
        return s->src_mac && number_value(v, ft_value_number_at(s->src_mac, 6, false), true);
    case FT_KEYWORD_ETH_DST:
        return s->dst_mac && number_value(v, ft_value_number_at(s->dst_mac, 6, false), true);
    case FT_KEYWORD_ETH_ADDR:
        return s->src_mac && s->dst_mac &&
               number_value(v, ft_value_number_at(index ? s->dst_mac : s->src_mac, 6, false), true);
    case FT_KEYWORD_VLAN:
        return index < s->vlan_count && number_value(v, s->vlan[index], true);
    case FT_KEYWORD_ETHERTYPE:
        return number_value(v, s->ethertype, s->ethertype != 0);
    case FT_KEYWORD_TRANSPORT:
        return number_value(v, s->transport, true);
    case FT_KEYWORD_IP_PROTOCOL:
        return number_value(v, s->ip_protocol, s->ip_version != 0);
    case FT_KEYWORD_PORT_SRC:
        return number_value(v, s->src_port, s->has_ports);
    case FT_KEYWORD_PORT_DST:
        return number_value(v, s->dst_port, s->has_ports);
    case FT_KEYWORD_PORT:
        return number_value(v, index ? s->dst_port : s->src_port, s->has_ports);
    case FT_KEYWORD_ZONE_SRC:
    case FT_KEYWORD_ZONE_DST:
        return zone_value(run, s, k == FT_KEYWORD_ZONE_DST, false, v);
    case FT_KEYWORD_PURDUE_SRC:
    case FT_KEYWORD_PURDUE_DST:
        return zone_value(run, s, k == FT_KEYWORD_PURDUE_DST, true, v);
    case FT_KEYWORD_PAYLOAD:
        v->bytes = s->payload;
        v->length = s->payload_length;
        return s->payload != NULL;
    case FT_KEYWORD_PAYLOAD_LENGTH:
        return number_value(v, s->payload_length, s->payload != NULL);
    case FT_KEYWORD_CONNECTION:
        return number_value(v, s->connection, s->connection != FT_CONNECTION_NONE);
    default:
        return o->level == FT_LEVEL_PACKET ? s->packet && s->packet(s->user, k, v)
                                           : message_value(run, s, k, index, is_code, v);
    }
}

static bool asset_value(const struct ft_subject *s, const struct ft_operand *o, uint32_t index,
                        struct ft_program_value *v)
{
    const char *text;
    if (!s->asset || !s->asset(s->user, (enum ft_keyword)o->keyword, index, &text))
        return false;
    v->bytes = (const uint8_t *)text;
    v->length = (uint32_t)strlen(text);
    return true;
}

/* ---- values of any operand ---- */

bool ft_value_next(struct ft_program_run *run, const struct ft_subject *s,
                   const struct ft_operand *o, bool is_code, struct ft_value_cursor *c,
                   struct ft_program_value *v)
{
    v->at = UINT32_MAX;
    v->at_length = 0;
    v->node = 0;
    run->steps++;
    if (!o->keyword && !o->is_tag)
        return next_field(run, s, o, c, v);
    if (o->is_tag)
        return !c->index++ && ft_value_of_tag(&run->vocabulary->tags[o->field], s, v);
    if (o->level == FT_LEVEL_ASSET)
        return asset_value(s, o, c->index++, v);
    while (c->index < most_values((enum ft_keyword)o->keyword))
        if (keyword_value(run, s, o, c->index++, is_code, v))
            return true;
    return false;
}

static uint64_t key_of_value(const struct ft_operand *o, unsigned bits,
                             const struct ft_program_value *v)
{
    if (o->type == FT_VALUE_TYPE_ADDRESS)
        return ft_key_of_address(v->address, bits);
    if (o->type == FT_VALUE_TYPE_TEXT || o->type == FT_VALUE_TYPE_BYTES)
        return (bits ? ft_key_of_folded : ft_key_of_text)(v->bytes, v->length);
    return v->number;
}

bool ft_program_key_of(const struct ft_operand *o, unsigned bits, const struct ft_node *n,
                       uint64_t *key)
{
    struct ft_program_value v = {0};
    if (!value_of_node(o, n, &v))
        return false;
    *key = key_of_value(o, bits, &v);
    return true;
}

bool ft_program_number(struct ft_program_run *run, const struct ft_subject *s,
                       const struct ft_operand *o, unsigned bits, struct ft_number_cursor *at,
                       uint64_t *key)
{
    struct ft_value_cursor c = at->is_begun ? (struct ft_value_cursor){.index = at->index,
                                                                       .node = at->node,
                                                                       .last = UINT32_MAX,
                                                                       .is_chained = at->is_chained}
                                            : ft_value_first(run, s, o, NULL);
    struct ft_program_value v = {0};
    bool is_there = ft_value_next(run, s, o, false, &c, &v);
    *at = (struct ft_number_cursor){
        .is_begun = true, .index = c.index, .node = c.node, .is_chained = c.is_chained};
    if (!is_there)
        return false;
    *key = key_of_value(o, bits, &v);
    return true;
}
