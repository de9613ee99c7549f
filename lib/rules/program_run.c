/* SPDX-License-Identifier: BSD-3-Clause */
/* Conditions compiled: running programs. */
#include "rules/program.h"

#include "base/hash.h"

#include <arpa/inet.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Different patterns of one group found in one message; further ones are not seen. */
#define HITS_MAX 1024u

/* What was found of one group in the message at hand. */
struct ft_group_result {
    uint64_t epoch;
    uint32_t count;
    struct ft_content_hit *hits; /* room for all, HITS_MAX at most; by pattern, each once */
    uint32_t *nodes;             /* in which node of the message; 0: not in a field */
};

/* Where the next value of an operand is. */
struct cursor {
    uint32_t index;  /* keywords: values given out */
    uint32_t node;   /* fields: next node */
    uint32_t last;   /* fields: behind the element they are of; 0 = none */
    bool is_chained; /* by number, not by message */
};

/* An element that a loop is at: nodes between `first` and `last`. */
struct element {
    uint32_t first, last;
};

struct ft_program_run *ft_program_run_new(const struct ft_vocabulary *v,
                                          const struct ft_patterns *patterns)
{
    struct ft_program_run *run = calloc(1, sizeof(*run));
    const struct ft_content **contents = calloc(patterns->count + 1, sizeof(*contents));
    bool ok = run && contents && (run->found = calloc(HITS_MAX, sizeof(*run->found)));
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
        room = room < HITS_MAX ? room : HITS_MAX;
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

static uint32_t next_same(const struct ft_call *call, uint32_t n, uint16_t field)
{
    while (n && (call->nodes[n].field != field || call->nodes[n].type == FT_NODE_END))
        n = call->nodes[n].next;
    return n;
}

static struct cursor field_cursor(struct ft_program_run *run, const struct ft_subject *s,
                                  const struct ft_operand *o, const struct element *element)
{
    struct cursor c = {0};
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
        c.node =
            next_same(s->call, element ? s->call->nodes[element->first].next : m->first, o->field);
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
                       const struct ft_operand *o, struct cursor *c, struct ft_program_value *v)
{
    while (c->node && c->node < c->last) {
        const struct ft_node *n = &s->call->nodes[c->node];
        v->node = c->node;
        c->node = c->is_chained ? run->chain[c->node] : next_same(s->call, n->next, o->field);
        if (value_of_node(o, n, v))
            return true;
    }
    return false;
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

/* ---- tags ---- */

static uint64_t number_at(const uint8_t *bytes, uint32_t length, bool is_little)
{
    uint64_t u = 0;
    for (uint32_t i = 0; i < length; i++)
        u = u << 8 | bytes[is_little ? length - 1 - i : i];
    return u;
}

static uint64_t key_of_tag(const struct ft_tag *tag, const uint8_t *bytes)
{
    uint64_t u = number_at(bytes, tag->length, tag->is_little);
    uint32_t bits = tag->length * 8;
    float f;
    double d;
    if (tag->type == FT_VALUE_TYPE_INT)
        return ft_key_of_int((int64_t)(u << (64 - bits)) >> (64 - bits));
    if (tag->type != FT_VALUE_TYPE_FLOAT)
        return u;
    if (tag->length == 4) {
        uint32_t half = (uint32_t)u;
        memcpy(&f, &half, 4);
        d = (double)f;
    } else {
        memcpy(&d, &u, 8);
    }
    return ft_key_of_float(d);
}

/* Where the tag's value begins in the payload; UINT32_MAX: it has none. */
static uint32_t tag_place(const struct ft_tag *tag, const struct ft_subject *s)
{
    int64_t at = tag->offset;
    if (tag->anchor) {
        const uint8_t *found = s->payload_length ? memmem(s->payload, s->payload_length,
                                                          tag->anchor, tag->anchor_length)
                                                 : NULL;
        if (!found)
            return UINT32_MAX;
        at += found - s->payload + (int64_t)tag->anchor_length;
    }
    return at < 0 || at + tag->length > s->payload_length ? UINT32_MAX : (uint32_t)at;
}

static bool is_tagged(const struct ft_tag *tag, const struct ft_subject *s)
{
    if (s->transport != tag->transport)
        return false;
    return tag->transport == FT_TRANSPORT_L2 ? s->ethertype == tag->port
                                             : s->src_port == tag->port || s->dst_port == tag->port;
}

static bool value_of_tag(const struct ft_tag *tag, const struct ft_subject *s,
                         struct ft_program_value *v)
{
    uint32_t at = s->payload && is_tagged(tag, s) ? tag_place(tag, s) : UINT32_MAX;
    if (at == UINT32_MAX)
        return false;
    v->bytes = s->payload + at;
    v->length = tag->length;
    v->at = at;
    v->at_length = tag->length;
    if (tag->type == FT_VALUE_TYPE_ADDRESS)
        v->address = ft_set_address_of(v->bytes, tag->length == 16);
    else if (tag->type == FT_VALUE_TYPE_MAC)
        v->number = number_at(v->bytes, 6, false);
    else if (tag->type != FT_VALUE_TYPE_TEXT && tag->type != FT_VALUE_TYPE_BYTES)
        v->number = key_of_tag(tag, v->bytes);
    /* What is not a number is compared with nothing. */
    return tag->type != FT_VALUE_TYPE_FLOAT || (v->number > ft_key_of_float(-HUGE_VAL) - 1 &&
                                                v->number < ft_key_of_float(HUGE_VAL) + 1);
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
        return number_value(v, m->response_ns / 1000, m->is_paired);
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
        return s->src_mac && number_value(v, number_at(s->src_mac, 6, false), true);
    case FT_KEYWORD_ETH_DST:
        return s->dst_mac && number_value(v, number_at(s->dst_mac, 6, false), true);
    case FT_KEYWORD_ETH_ADDR:
        return s->src_mac && s->dst_mac &&
               number_value(v, number_at(index ? s->dst_mac : s->src_mac, 6, false), true);
    case FT_KEYWORD_VLAN:
        return index < s->vlan_count && number_value(v, s->vlan[index], true);
    case FT_KEYWORD_ETHERTYPE:
        return number_value(v, s->ethertype, s->ethertype != 0);
    case FT_KEYWORD_TRANSPORT:
        return number_value(v, s->transport, true);
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
    default:
        return message_value(run, s, k, index, is_code, v);
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

static struct cursor cursor_of(struct ft_program_run *run, const struct ft_subject *s,
                               const struct ft_operand *o, const struct element *element)
{
    return o->keyword || o->is_tag ? (struct cursor){0} : field_cursor(run, s, o, element);
}

static bool next_value(struct ft_program_run *run, const struct ft_subject *s,
                       const struct ft_operand *o, bool is_code, struct cursor *c,
                       struct ft_program_value *v)
{
    v->at = UINT32_MAX;
    v->at_length = 0;
    v->node = 0;
    run->steps++;
    if (!o->keyword && !o->is_tag)
        return next_field(run, s, o, c, v);
    if (o->is_tag)
        return !c->index++ && value_of_tag(&run->vocabulary->tags[o->field], s, v);
    if (o->level == FT_LEVEL_ASSET)
        return asset_value(s, o, c->index++, v);
    while (c->index < most_values((enum ft_keyword)o->keyword))
        if (keyword_value(run, s, o, c->index++, is_code, v))
            return true;
    return false;
}

bool ft_program_number(struct ft_program_run *run, const struct ft_subject *s,
                       const struct ft_operand *o, unsigned bits, struct ft_number_cursor *at,
                       uint64_t *key)
{
    struct cursor c = at->is_begun ? (struct cursor){.index = at->index,
                                                     .node = at->node,
                                                     .last = UINT32_MAX,
                                                     .is_chained = at->is_chained}
                                   : cursor_of(run, s, o, NULL);
    struct ft_program_value v = {0};
    bool is_there = next_value(run, s, o, false, &c, &v);
    *at = (struct ft_number_cursor){
        .is_begun = true, .index = c.index, .node = c.node, .is_chained = c.is_chained};
    if (!is_there)
        return false;
    *key = o->type == FT_VALUE_TYPE_ADDRESS ? ft_key_of_address(v.address, bits)
           : o->type == FT_VALUE_TYPE_TEXT || o->type == FT_VALUE_TYPE_BYTES
               ? (bits ? ft_key_of_folded : ft_key_of_text)(v.bytes, v.length)
               : v.number;
    return true;
}

/* ---- values for people ---- */

/* Bytes that are shown: of a payload for a message, and of what was found in it. */
#define SHOWN       32u
#define SHOWN_FOUND 64u

/* Two digits a byte, as many whole bytes as there is room for. */
static uint32_t hex_text(const uint8_t *bytes, uint32_t length, char *to, uint32_t size)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t n = 0;
    for (uint32_t i = 0; i < length && n + 2 <= size; i++) {
        to[n++] = digits[bytes[i] >> 4];
        to[n++] = digits[bytes[i] & 15];
    }
    return n;
}

static uint32_t put_text(const char *text, uint32_t length, char *to, uint32_t size)
{
    length = length < size ? length : size;
    memcpy(to, text, length);
    return length;
}

static void address_text(struct ft_set_address a, char *to, uint32_t size)
{
    uint8_t bytes[16];
    bool is_v4 = !a.high && a.low >> 32 == 0xffff;
    for (unsigned i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(a.high >> (56 - 8 * i));
        bytes[8 + i] = (uint8_t)(a.low >> (56 - 8 * i));
    }
    inet_ntop(is_v4 ? AF_INET : AF_INET6, is_v4 ? bytes + 12 : bytes, to, size);
}

uint32_t ft_program_value_text(const struct ft_subject *s, const struct ft_operand *o,
                               const struct ft_program_value *v, char *to, uint32_t size)
{
    char text[64] = "", scratch[32];
    const struct ft_message *m = s->message;
    if (o->type == FT_VALUE_TYPE_BYTES)
        return hex_text(v->bytes, v->length < SHOWN_FOUND ? v->length : SHOWN_FOUND, to, size);
    if (o->type == FT_VALUE_TYPE_TEXT)
        return put_text((const char *)v->bytes, v->length, to, size);
    if (o->type == FT_VALUE_TYPE_COMMAND && m) {
        const char *name = ft_command_name(m->protocol, m->code, m->qualifier, scratch);
        return put_text(name, (uint32_t)strlen(name), to, size);
    }
    if (o->type == FT_VALUE_TYPE_ADDRESS)
        address_text(v->address, text, sizeof(text));
    else
        ft_key_text(o, v->number, text, sizeof(text));
    return put_text(text, (uint32_t)strlen(text), to, size);
}

uint32_t ft_program_text(const struct ft_vocabulary *v, const struct ft_subject *s,
                         const struct ft_operand *o, char *to, uint32_t size)
{
    struct ft_program_value value = {0};
    if (o->is_tag)
        return value_of_tag(&v->tags[o->field], s, &value)
                   ? ft_program_value_text(s, o, &value, to, size)
                   : 0;
    if (s->payload && o->keyword == FT_KEYWORD_PAYLOAD_LENGTH)
        return (uint32_t)snprintf(to, size, "%u", s->payload_length);
    if (s->payload && o->keyword == FT_KEYWORD_PAYLOAD)
        return hex_text(s->payload, s->payload_length < SHOWN ? s->payload_length : SHOWN, to,
                        size);
    return 0;
}

/* ---- patterns ---- */

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
    uint32_t count = ft_content_scan(g->content, run->scratch, v->bytes, v->length, hits, HITS_MAX,
                                     &run->given_up);
    count = count < HITS_MAX ? count : HITS_MAX;
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
        struct cursor c = cursor_of(run, s, &g->operand, NULL);
        struct ft_program_value v = {0};
        uint32_t steps = run->steps; /* what all rules share does not end with the steps of one */
        result->epoch = run->epoch;
        result->count = 0;
        while (next_value(run, s, &g->operand, false, &c, &v)) {
            if (s->payload && g->operand.keyword == FT_KEYWORD_PAYLOAD) {
                v.at = 0;
                v.at_length = v.length;
            }
            uint32_t n = scan(run, g, &v, run->found);
            add_hits(result, run->found, n, v.node, g->count < HITS_MAX ? g->count : HITS_MAX);
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

/* ---- tests ---- */

/* A value that may be why a test holds. */
static void note(struct ft_program_run *run, const struct ft_program_value *v)
{
    run->noted = *v;
    run->has_noted = true;
}

/* Which test says more about why a rule held. */
static uint8_t rank_of(const struct ft_operand *o)
{
    switch (o->keyword) {
    case FT_KEYWORD_NONE: /* fields and tags */
    case FT_KEYWORD_PAYLOAD:
        return 3;
    case FT_KEYWORD_COMMAND:
    case FT_KEYWORD_COMMAND_CODE:
    case FT_KEYWORD_CLASS:
    case FT_KEYWORD_SUBADDRESS:
    case FT_KEYWORD_RESPONSE_TIME:
    case FT_KEYWORD_PAYLOAD_LENGTH:
        return 2;
    case FT_KEYWORD_PROTOCOL:
    case FT_KEYWORD_KIND:
    case FT_KEYWORD_DIRECTION:
    case FT_KEYWORD_TRANSPORT:
        return 0;
    default:
        return 1;
    }
}

/* The test that a value was noted in held: it is the evidence, unless a better one is there. */
static void keep_noted(struct ft_program_run *run, const struct ft_instruction *i)
{
    struct ft_evidence *e = &run->evidence;
    uint8_t rank = rank_of(&i->test->left);
    if (!run->has_noted || (e->operand && e->rank > rank))
        return;
    e->operand = &i->test->left;
    e->value = run->noted;
    e->rank = rank;
    e->test = i;
    if (e->value.bytes != (const uint8_t *)run->text)
        return;
    memcpy(run->evidence_text, run->text, sizeof(run->text)); /* further tests write there */
    e->value.bytes = (const uint8_t *)run->evidence_text;
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

static bool is_equal_folded(const uint8_t *a, const uint8_t *b, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        if (ft_fold(a[i]) != ft_fold(b[i]))
            return false;
    return true;
}

static bool passes(const struct ft_test *t, const struct ft_program_value *v)
{
    uint64_t number = t->has_mask && t->kind != FT_TEST_MASK ? v->number & t->mask : v->number;
    switch (t->kind) {
    case FT_TEST_EXISTS:
        return true;
    case FT_TEST_RANGE:
        return number >= t->low && number <= t->high;
    case FT_TEST_NUMBERS:
    case FT_TEST_MASK:
        return ft_test_has_number(t, number);
    case FT_TEST_ADDRESS:
    case FT_TEST_ADDRESSES:
        return ft_test_has_address(t, v->address);
    case FT_TEST_TEXT:
        return v->length == t->length &&
               (t->ignores_case ? is_equal_folded(v->bytes, (const uint8_t *)t->text, t->length)
                                : memcmp(v->bytes, t->text, t->length) == 0);
    case FT_TEST_TEXTS:
        return t->ignores_case ? ft_set_has_folded(t->set, v->bytes, v->length)
                               : ft_set_has_text(t->set, v->bytes, v->length);
    default:
        return false;
    }
}

static bool is_same_kind(const struct ft_operand *o)
{
    return ft_value_type_is_number((enum ft_value_type)o->type);
}

/* Exact: a long double has 64 bits of mantissa or more on all machines that are meant. */
static long double meaning(const struct ft_operand *o, uint64_t key)
{
    return o->type == FT_VALUE_TYPE_INT     ? (long double)(int64_t)(key ^ 1ull << 63)
           : o->type == FT_VALUE_TYPE_FLOAT ? (long double)ft_key_number(o, key)
                                            : (long double)key;
}

_Static_assert(LDBL_MANT_DIG >= 64, "each number of 64 bits is a long double");

/* Numbers of different types are compared as what they mean, not by their keys. */
static int compare_numbers(const struct ft_operand *l, const struct ft_program_value *a,
                           const struct ft_operand *r, const struct ft_program_value *b)
{
    uint64_t x = a->number, y = b->number;
    if (l->type != r->type && (l->type == FT_VALUE_TYPE_FLOAT || r->type == FT_VALUE_TYPE_FLOAT ||
                               l->type == FT_VALUE_TYPE_INT || r->type == FT_VALUE_TYPE_INT)) {
        long double p = meaning(l, x), q = meaning(r, y);
        return p < q ? -1 : p > q;
    }
    return x < y ? -1 : x > y;
}

static bool compare(const struct ft_test *t, const struct ft_program_value *a,
                    const struct ft_program_value *b)
{
    int order;
    if (is_same_kind(&t->left))
        order = compare_numbers(&t->left, a, &t->right, b);
    else if (t->left.type == FT_VALUE_TYPE_ADDRESS)
        order = a->address.high != b->address.high || a->address.low != b->address.low;
    else if (t->ignores_case)
        order = a->length != b->length || !is_equal_folded(a->bytes, b->bytes, a->length);
    else
        order = a->length != b->length || memcmp(a->bytes, b->bytes, a->length) != 0;
    switch (t->same) {
    case FT_SAME_EQUAL:
        return order == 0;
    case FT_SAME_LESS:
        return order < 0;
    case FT_SAME_LESS_EQUAL:
        return order <= 0;
    case FT_SAME_GREATER:
        return order > 0;
    default:
        return order >= 0;
    }
}

static bool test_same(struct ft_program_run *run, const struct ft_subject *s,
                      const struct ft_instruction *i, const struct element *elements,
                      bool *has_value)
{
    const struct ft_test *t = i->test;
    const struct element *l = i->binding < 0 ? NULL : &elements[i->binding];
    const struct element *r = i->right_binding < 0 ? NULL : &elements[i->right_binding];
    struct cursor c = cursor_of(run, s, &t->left, l);
    struct ft_program_value a = {0}, b = {0};
    while (run->steps < FT_PROGRAM_STEPS && next_value(run, s, &t->left, t->is_code, &c, &a)) {
        struct cursor d = cursor_of(run, s, &t->right, r);
        while (run->steps < FT_PROGRAM_STEPS && next_value(run, s, &t->right, false, &d, &b)) {
            *has_value = true;
            if (compare(t, &a, &b)) {
                note(run, &a);
                return true;
            }
        }
    }
    return false;
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
    note(run, &v);
}

/* Search value by value, in one element of a group or (NULL) in all: nothing is kept of it. */
static bool search(struct ft_program_run *run, const struct ft_subject *s,
                   const struct ft_instruction *i, const struct element *element)
{
    const struct ft_operand *o = &i->test->left;
    struct cursor c = cursor_of(run, s, o, element);
    struct ft_program_value v = {0};
    while (run->steps < FT_PROGRAM_STEPS && next_value(run, s, o, false, &c, &v)) {
        uint32_t count = scan(run, &run->patterns->groups[i->group], &v, run->found);
        for (uint32_t k = 0; k < count; k++)
            if (run->found[k].pattern == i->pattern) {
                note_pattern(run, s, o, &run->found[k], v);
                return true;
            }
    }
    return false;
}

static bool test_pattern(struct ft_program_run *run, const struct ft_subject *s,
                         const struct ft_instruction *i, const struct element *elements)
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
    if (node && value_of_node(o, &s->call->nodes[node], &v)) {
        v.node = node;
        note_pattern(run, s, o, hit, v);
    } else if (o->keyword == FT_KEYWORD_PAYLOAD) {
        note_pattern(run, s, o, hit, v);
    } else {
        search(run, s, i, NULL); /* a tag or a word: which value it was is not kept */
    }
    return true;
}

static bool holds_test(struct ft_program_run *run, const struct ft_subject *s,
                       const struct ft_instruction *i, const struct element *elements)
{
    const struct ft_test *t = i->test;
    bool has_value = false, passed = false;
    run->has_noted = false;
    if (t->kind == FT_TEST_SAME) {
        passed = test_same(run, s, i, elements, &has_value);
    } else if (t->kind == FT_TEST_CONTAINS || t->kind == FT_TEST_MATCHES) {
        passed = test_pattern(run, s, i, elements);
    } else {
        struct cursor c =
            cursor_of(run, s, &t->left, i->binding < 0 ? NULL : &elements[i->binding]);
        struct ft_program_value v = {0};
        while (!passed && run->steps < FT_PROGRAM_STEPS &&
               next_value(run, s, &t->left, t->is_code, &c, &v)) {
            has_value = true;
            passed = passes(t, &v);
            if (passed == (t->is_none == t->is_negated))
                note(run, &v);
        }
    }
    bool held = (t->is_none ? has_value && !passed : passed) != t->is_negated;
    if (held)
        keep_noted(run, i);
    return held;
}

/* ---- programs ---- */

/* The nodes of the next element of a group; false: no more. */
static bool next_element(struct ft_program_run *run, const struct ft_subject *s, struct cursor *c,
                         const struct ft_operand *group, struct element *element)
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
                            : next_same(call, call->nodes[c->node].next, group->field);
    return true;
}

bool ft_program_holds(const struct ft_program *p, const struct ft_subject *s,
                      struct ft_program_run *run)
{
    struct {
        uint16_t any; /* its instruction */
        struct cursor cursor;
    } loops[FT_EXPRESSION_BINDINGS];
    struct element elements[FT_EXPRESSION_BINDINGS];
    uint32_t depth = 0, at = 0;
    run->steps = 0;
    run->evidence.operand = NULL;
    for (;;) {
        const struct ft_instruction *i = &p->code[at];
        if (i->kind == FT_INSTRUCTION_TEST) {
            bool held = holds_test(run, s, i, elements);
            at = held ? i->on_true : i->on_false;
            if (!held)
                leave_alternative(run, at);
        } else {
            loops[depth].any = (uint16_t)at;
            loops[depth].cursor =
                cursor_of(run, s, &i->test->left, i->binding < 0 ? NULL : &elements[i->binding]);
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

/* ---- what flows decide ---- */

/* Programs with more instructions are not looked into. */
#define REACH_MAX 1024u

static bool is_of_flow(const struct ft_operand *o)
{
    switch (o->keyword) {
    case FT_KEYWORD_IP_SRC:
    case FT_KEYWORD_IP_DST:
    case FT_KEYWORD_IP_ADDR:
    case FT_KEYWORD_TRANSPORT:
    case FT_KEYWORD_PORT_SRC:
    case FT_KEYWORD_PORT_DST:
    case FT_KEYWORD_PORT:
    case FT_KEYWORD_ZONE_SRC:
    case FT_KEYWORD_ZONE_DST:
    case FT_KEYWORD_PURDUE_SRC:
    case FT_KEYWORD_PURDUE_DST:
        return true;
    default: /* MAC addresses and VLANs may differ from packet to packet */
        return false;
    }
}

bool ft_test_is_of_flow(const struct ft_test *t)
{
    return is_of_flow(&t->left) && (t->kind != FT_TEST_SAME || is_of_flow(&t->right));
}

/* Is it known for the flow at hand? Tags of other ports have no value in it. */
static bool is_known_of_flow(const struct ft_program_run *run, const struct ft_subject *s,
                             const struct ft_test *t)
{
    if (t->kind != FT_TEST_SAME && t->left.is_tag)
        return !is_tagged(&run->vocabulary->tags[t->left.field], s);
    return ft_test_is_of_flow(t);
}

/* Whatever is not known goes both ways; what an `any` tests is not known. */
bool ft_program_may_hold(const struct ft_program *p, const struct ft_subject *s,
                         struct ft_program_run *run)
{
    uint64_t reached[REACH_MAX / 64] = {1};
    if (!p->count || p->count > REACH_MAX)
        return true;
    for (uint32_t at = 0; at < p->count; at++) {
        const struct ft_instruction *i = &p->code[at];
        if (!(reached[at / 64] >> (at % 64) & 1))
            continue;
        bool is_known = i->kind == FT_INSTRUCTION_TEST && is_known_of_flow(run, s, i->test);
        bool held = false;
        run->steps = 0;
        if (is_known)
            held = holds_test(run, s, i, NULL);
        for (unsigned way = 0; way < 2; way++) {
            uint16_t to = way ? i->on_true : i->on_false;
            if (is_known && held != (way == 1))
                continue;
            if (to == FT_PROGRAM_ACCEPT)
                return true;
            if (to != FT_PROGRAM_REJECT)
                reached[to / 64] |= 1ull << (to % 64);
        }
    }
    return false;
}
