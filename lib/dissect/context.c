/* SPDX-License-Identifier: BSD-3-Clause */
/* The functions that a dissector calls while it reads a PDU. */
#include "dissect/context.h"

#include <stdio.h>
#include <string.h>

static struct ft_message *current(struct ft_call *call)
{
    return &call->messages[call->current];
}

/* Shared state is about to change: a watchdog waits for the end before it abandons the call. */
static void change_begin(struct ft_call *call)
{
    atomic_store_explicit(&call->is_changing, 1, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
}

static void change_end(struct ft_call *call)
{
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&call->is_changing, 0, memory_order_relaxed);
}

/* ---- arena ---- */

static void *arena_get(struct ft_call *call, uint32_t n)
{
    uint32_t at = (call->arena_used + 7) & ~7u;
    if (at > FT_MAX_ARENA || FT_MAX_ARENA - at < n) {
        call->dropped++;
        return NULL;
    }
    call->arena_used = at + n;
    return call->arena + at;
}

static char *arena_copy(struct ft_call *call, const char *text, uint32_t n)
{
    char *to = arena_get(call, n);
    if (to)
        memcpy(to, text, n);
    return to;
}

/* Offset in the PDU of `length` bytes that end at `at`; UINT32_MAX and length 0 if not in it. */
static uint32_t evidence(const struct ft_call *call, const uint8_t *at, uint32_t *length)
{
    uint32_t n = *length;
    *length = 0;
    if (!at || at < call->pdu || at > call->pdu + call->pdu_length)
        return UINT32_MAX;
    uint32_t end = (uint32_t)(at - call->pdu);
    *length = n <= end ? n : 0;
    return end - *length;
}

static struct ft_node *node_new(struct ft_call *call, uint32_t field, uint8_t type)
{
    if (call->node_count >= FT_MAX_FIELDS) {
        call->dropped++;
        return NULL;
    }
    struct ft_message *m = current(call);
    uint32_t n = ++call->node_count;
    struct ft_node *node = &call->nodes[n];
    node->field = (uint16_t)field;
    node->type = type;
    node->flags = call->protocol->fields[field].flags;
    node->next = 0;
    node->at = UINT32_MAX;
    node->at_length = 0;
    node->length = 0;
    if (m->last)
        call->nodes[m->last].next = n;
    else
        m->first = n;
    m->last = n;
    m->fields |= FT_FIELD_BIT(field);
    return node;
}

/* The innermost open group, 0 = the root. */
static uint32_t open_group(const struct ft_message *m)
{
    return m->depth ? m->open[m->depth - 1] : 0;
}

static bool group_close(struct ft_call *call)
{
    struct ft_message *m = current(call);
    return node_new(call, m->open[--m->depth], FT_NODE_END) != NULL;
}

static bool group_open(struct ft_call *call, uint32_t group)
{
    struct ft_message *m = current(call);
    struct ft_node *n = m->depth < FT_MAX_GROUP_DEPTH ? node_new(call, group, FT_TYPE_GROUP) : NULL;
    if (!n)
        return false;
    n->u = m->lazy_list == group ? m->lazy_count : 0;
    m->open[m->depth++] = (uint16_t)group;
    return true;
}

/* Closes a group, and those in it, if it is open. */
static void group_leave(struct ft_call *call, uint32_t group)
{
    struct ft_message *m = current(call);
    uint32_t depth = m->depth;
    while (depth && m->open[depth - 1] != group)
        depth--;
    while (depth && m->depth >= depth)
        group_close(call);
}

/*
 * Begins a group that is opened by what is put into it, if that is ever asked for. Elements of a
 * list are numbered by then: those of one list in a message, of others all are opened.
 */
static bool is_begun_lazily(struct ft_call *call, uint32_t group)
{
    struct ft_message *m = current(call);
    const struct ft_field *f = &call->protocol->fields[group];
    bool is_lazy = call->field_demand && call->field_demand[group].is_lazy;
    if (f->flags & FT_FIELD_LIST) {
        if (is_lazy && !m->lazy_list && !(m->fields & FT_FIELD_BIT(group)))
            m->lazy_list = (uint16_t)group;
        if (m->lazy_list != group)
            return false;
        m->lazy_count++;
    }
    if (is_lazy && m->depth)
        group_leave(call, group);
    return is_lazy;
}

/*
 * The schema says in which group a field stands. That group may not be open: it was begun before
 * anybody wanted anything of this message (a violation behind it changed that), or the dissector
 * forgot to end another. Either way the tree becomes what the schema says.
 */
static bool enter_group(struct ft_call *call, uint32_t group)
{
    const struct ft_message *m = current(call);
    uint16_t path[FT_MAX_GROUP_DEPTH];
    uint32_t depth = 0, same = 0;
    for (uint32_t up = group; up && depth < FT_MAX_GROUP_DEPTH;
         up = call->protocol->fields[up].parent)
        path[depth++] = (uint16_t)up;
    while (same < depth && same < m->depth && m->open[same] == path[depth - 1 - same])
        same++;
    while (m->depth > same)
        if (!group_close(call))
            return false;
    for (; same < depth; same++)
        if (!group_open(call, path[depth - 1 - same]))
            return false;
    return true;
}

/* A node for a field, in its group; NULL when there is no such field, or no room. */
static struct ft_node *node_add(struct ft_call *call, uint32_t field, uint8_t type)
{
    if (field >= call->protocol->field_count) {
        call->dropped++;
        return NULL;
    }
    uint32_t parent = call->protocol->fields[field].parent;
    if (parent != open_group(current(call)) && !enter_group(call, parent))
        return NULL;
    return node_new(call, field, type);
}

/* Types that ft_put_uint() and ft_put_bool() are for. */
static bool is_number(uint8_t type)
{
    return type == FT_TYPE_UINT || type == FT_TYPE_INT || type == FT_TYPE_BOOL ||
           type == FT_TYPE_ENUM || type == FT_TYPE_FLAGS || type == FT_TYPE_IPV4 ||
           type == FT_TYPE_TIME;
}

/* Values of the field that anybody asks for; NULL: all. */
static inline const uint64_t *values_asked(const struct ft_call *call, uint32_t field)
{
    bool is_any = !call->field_demand || field >= call->protocol->field_count;
    return is_any ? NULL : call->field_demand[field].values;
}

static inline bool is_in(const uint64_t *values, uint64_t value)
{
    return values[ft_value_bit(value) / 64] >> (ft_value_bit(value) % 64) & 1;
}

/* Does anybody ask for this text in the field? */
static inline bool is_text_asked(const struct ft_call *call, uint32_t field, const void *text,
                                 uint32_t length)
{
    const uint64_t *values = values_asked(call, field);
    return !values || is_in(values, ft_text_value(text, length));
}

void ft_node_uint(struct ft_context *ctx, uint32_t field, uint64_t value, const uint8_t *at,
                  uint32_t at_length)
{
    struct ft_call *call = ft_call_of(ctx);
    const uint64_t *values = values_asked(call, field);
    if (values && !is_in(values, value))
        return;
    struct ft_node *n = node_add(call, field, FT_TYPE_UINT);
    if (!n)
        return;
    if (is_number(call->protocol->fields[field].type))
        n->type = call->protocol->fields[field].type;
    n->u = value;
    n->at_length = at_length;
    n->at = evidence(call, at, &n->at_length);
}

void ft_node_int(struct ft_context *ctx, uint32_t field, int64_t value, const uint8_t *at,
                 uint32_t at_length)
{
    struct ft_call *call = ft_call_of(ctx);
    struct ft_node *n = node_add(call, field, FT_TYPE_INT);
    if (!n)
        return;
    n->i = value;
    n->at_length = at_length;
    n->at = evidence(call, at, &n->at_length);
}

void ft_node_float(struct ft_context *ctx, uint32_t field, double value, const uint8_t *at,
                   uint32_t at_length)
{
    struct ft_call *call = ft_call_of(ctx);
    struct ft_node *n = node_add(call, field, FT_TYPE_FLOAT);
    if (!n)
        return;
    n->d = value;
    n->at_length = at_length;
    n->at = evidence(call, at, &n->at_length);
}

static bool is_within(const uint8_t *data, uint32_t length, const uint8_t *memory, uint64_t size)
{
    return data >= memory && data <= memory + size && length <= (uint64_t)(memory + size - data);
}

/*
 * Will the bytes be there when the tree is packed, after dissect()? The PDU and what was
 * reassembled are. All else is copied at once: a dissector's own array would be gone by then, and a
 * view that is not what it says faults here, where the fault is the dissector's.
 */
static const uint8_t *lasting(struct ft_call *call, const uint8_t *data, uint32_t length)
{
    const struct ft_pool *small = &call->state->pools.small, *large = &call->state->pools.large;
    if (is_within(data, length, call->pdu, call->pdu_length) ||
        is_within(data, length, small->memory, (uint64_t)small->blocks * small->block_size) ||
        is_within(data, length, large->memory, (uint64_t)large->blocks * large->block_size))
        return data;
    return (const uint8_t *)arena_copy(call, (const char *)data, length);
}

void ft_node_bytes(struct ft_context *ctx, uint32_t field, const uint8_t *data, uint32_t length)
{
    struct ft_call *call = ft_call_of(ctx);
    if (!is_text_asked(call, field, data, length))
        return;
    const uint8_t *bytes = lasting(call, data, length);
    struct ft_node *n = bytes ? node_add(call, field, FT_TYPE_BYTES) : NULL;
    if (!n)
        return;
    uint8_t type = call->protocol->fields[field].type;
    n->type = type == FT_TYPE_STRING || type == FT_TYPE_IPV6 || type == FT_TYPE_MAC ? type
                                                                                    : FT_TYPE_BYTES;
    n->bytes = bytes;
    n->length = length;
    n->at_length = length;
    n->at = evidence(call, data + length, &n->at_length);
}

void ft_node_text(struct ft_context *ctx, uint32_t field, const char *text, uint32_t length,
                  const uint8_t *at, uint32_t at_length)
{
    struct ft_call *call = ft_call_of(ctx);
    if (!is_text_asked(call, field, text, length))
        return;
    char *copy = arena_copy(call, text, length);
    struct ft_node *n = copy ? node_add(call, field, FT_TYPE_STRING) : NULL;
    if (!n)
        return;
    n->bytes = (const uint8_t *)copy;
    n->length = length;
    n->at_length = at_length;
    n->at = evidence(call, at, &n->at_length);
}

/* Encode one code point; returns bytes written (1..4). */
static uint32_t utf8_put(char *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xc0 | c >> 6);
        to[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (char)(0xe0 | c >> 12);
        to[1] = (char)(0x80 | (c >> 6 & 0x3f));
        to[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | c >> 18);
    to[1] = (char)(0x80 | (c >> 12 & 0x3f));
    to[2] = (char)(0x80 | (c >> 6 & 0x3f));
    to[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

void ft_node_utf16(struct ft_context *ctx, uint32_t field, const uint8_t *data, uint32_t length,
                   bool is_be)
{
    struct ft_call *call = ft_call_of(ctx);
    struct ft_view v = ft_view_make(data, length, false);
    uint32_t units = v.len / 2, used = 0;
    char *to = units < FT_MAX_ARENA / 3 ? arena_get(call, units * 3 + 4) : NULL;
    struct ft_node *n = to ? node_add(call, field, FT_TYPE_STRING) : NULL;
    if (!n)
        return;
    for (uint32_t i = 0; i < units; i++) {
        uint32_t c = is_be ? ft_u16be(&v) : ft_u16le(&v);
        int32_t low = is_be ? ft_peek_u16be(&v, 0) : ft_peek_u16le(&v, 0);
        if (c >= 0xd800 && c < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
            ft_skip(&v, 2);
            i++;
        } else if (c >= 0xd800 && c < 0xe000) {
            c = 0xfffd;
        }
        if (c)
            used += utf8_put(to + used, c);
    }
    call->arena_used -= units * 3 + 4 - used;
    n->bytes = (const uint8_t *)to;
    n->length = used;
    n->at_length = length;
    n->at = evidence(call, data + length, &n->at_length);
}

void ft_node_group(struct ft_context *ctx, uint32_t field)
{
    struct ft_call *call = ft_call_of(ctx);
    const struct ft_protocol *p = call->protocol;
    if (field == 0 || field >= p->field_count || p->fields[field].type != FT_TYPE_GROUP) {
        call->dropped++;
        return;
    }
    if (is_begun_lazily(call, field))
        return;
    uint32_t parent = p->fields[field].parent;
    if (parent == open_group(current(call)) || enter_group(call, parent))
        group_open(call, field);
}

void ft_node_group_end(struct ft_context *ctx, uint32_t field)
{
    /* A group that was begun before anybody wanted it is not open: nothing to end. */
    group_leave(ft_call_of(ctx), field);
}

/* ---- messages ---- */

static const uint64_t no_fields[FT_MAX_FIELDS / 64];
const struct ft_wanted ft_demand_nothing = {.fields = no_fields};
const struct ft_demand_row ft_demand_row_nothing = {.all = {.fields = no_fields},
                                                    .of_flow = {.fields = no_fields}};

/* Which row of its command, or of its protocol as long as that is not known. */
static void find_row(const struct ft_call *call, struct ft_message *m)
{
    uint16_t p = m->protocol->index;
    bool is_any = (call->flow_wants->protocols | call->wanted_of_all) & ft_protocol_bit(p);
    uint32_t row = m->command ? (uint32_t)(m->command - m->protocol->commands) + 1 : 0;
    m->row = is_any ? &call->demand[p].rows[row] : &ft_demand_row_nothing;
}

/* What rules want of a message. */
static __attribute__((noinline)) const struct ft_wanted *demanded(const struct ft_call *call,
                                                                  const struct ft_message *m)
{
    const struct ft_flow_wants *w = call->flow_wants;
    const struct ft_demand_row *row = m->row;
    uint16_t p = call->protocol->index;
    uint64_t bit = ft_protocol_bit(p);
    if (row == &ft_demand_row_nothing)
        return &ft_demand_nothing;
    const struct ft_demand *d = &call->demand[p];
    if (!m->has_command)
        return w->protocols & bit ? &d->before_of_flow : &d->before;
    bool is_of_flow =
        w->protocols & bit &&
        (w->whole & bit || w->commands & ft_command_bit(p, (uint32_t)(row - d->rows)));
    return is_of_flow ? &row->of_flow : &row->all;
}

static void use_demand(struct ft_call *call)
{
    const struct ft_message *m = current(call);
    const struct ft_wanted *wanted = &ft_demand_nothing;
    if (m->is_raised || call->wants_all) {
        call->pub.demand = call->protocol->demand_all;
        call->field_demand = NULL;
        return;
    }
    if (call->demand)
        wanted = demanded(call, m);
    call->pub.demand = wanted->fields;
    call->field_demand = wanted->asked;
}

static bool message_new(struct ft_call *call, const struct ft_protocol *protocol, bool is_top)
{
    if (call->message_count == FT_MAX_MESSAGES) {
        call->dropped++;
        return false;
    }
    uint32_t parent = call->current, n = call->message_count++;
    struct ft_message *m = &call->messages[n];
    memset(m, 0, offsetof(struct ft_message, open));
    m->protocol = protocol;
    m->direction = call->pub.direction;
    if (__builtin_expect(call->demand != NULL, 0))
        find_row(call, m);
    m->first = m->last = 0;
    m->response_ns = 0;
    m->request_number = 0;
    if (is_top) {
        m->parent = 0xff;
        memset(m->sub, 0, sizeof(m->sub));
    } else {
        m->parent = (uint8_t)parent;
        m->sub[0] = call->messages[parent].sub[0];
        m->sub[1] = call->messages[parent].sub[1];
    }
    call->current = n;
    return true;
}

/* Groups left open by a dissector that returned early are closed. */
static void message_close(struct ft_call *call)
{
    while (current(call)->depth)
        group_close(call);
}

/* Everything is wanted of this message from here on. */
static void want_all(struct ft_call *call, struct ft_message *m)
{
    m->is_raised = call->has_raised = true;
    use_demand(call);
}

/* An error answer is going to be told: its fields are wanted before it comes to the violation. */
void ft_set_kind(struct ft_context *ctx, enum ft_kind kind)
{
    struct ft_call *call = ft_call_of(ctx);
    struct ft_message *m = current(call);
    m->kind = (uint8_t)kind;
    if (kind == FT_KIND_EXCEPTION && !m->is_raised)
        want_all(call, m);
}

void ft_set_direction(struct ft_context *ctx, enum ft_direction direction)
{
    struct ft_call *call = ft_call_of(ctx);
    ctx->direction = (uint8_t)direction;
    ctx->confidence = FT_CONFIDENCE_DISSECTOR;
    call->direction_said = (uint8_t)direction;
    for (uint32_t n = call->current; n != 0xff; n = call->messages[n].parent)
        call->messages[n].direction = (uint8_t)direction;
}

/* Which of sub[] a party is: 0 client, 1 server. */
static unsigned side_of(const struct ft_context *ctx, enum ft_party who)
{
    if (who == FT_CLIENT || who == FT_SERVER)
        return who == FT_SERVER;
    bool sender_is_server = ctx->direction == FT_TO_CLIENT;
    return (who == FT_SENDER) == sender_is_server;
}

void ft_subaddress(struct ft_context *ctx, enum ft_party who, enum ft_subaddress_kind kind,
                   uint64_t value)
{
    struct ft_sub *s = &current(ft_call_of(ctx))->sub[side_of(ctx, who)];
    *s = (struct ft_sub){.kind = (uint8_t)kind, .value = value};
}

void ft_subaddress_text(struct ft_context *ctx, enum ft_party who, enum ft_subaddress_kind kind,
                        const char *text, uint32_t length)
{
    struct ft_call *call = ft_call_of(ctx);
    uint32_t n = length < 128 ? length : 128;
    const char *copy = arena_copy(call, text, n);
    if (copy)
        current(call)->sub[side_of(ctx, who)] =
            (struct ft_sub){.kind = (uint8_t)kind,
                            .length = (uint8_t)n,
                            .value = ft_hash_bytes(kind, text, n),
                            .text = copy};
}

static void ask_raise(struct ft_call *call, struct ft_message *m)
{
    if (call->raise && call->raise(call->user, call, m) && !m->is_raised)
        want_all(call, m);
}

void ft_command(struct ft_context *ctx, uint32_t code, uint32_t qualifier)
{
    struct ft_call *call = ft_call_of(ctx);
    struct ft_message *m = current(call);
    m->code = code;
    m->qualifier = qualifier;
    m->has_command = true;
    m->command = ft_protocol_command(call->protocol, code, qualifier);
    m->class_ = m->command ? m->command->class_ : FT_CLASS_UNKNOWN;
    ask_raise(call, m);
    if (__builtin_expect(call->demand != NULL, 0)) {
        find_row(call, m);
        use_demand(call);
    }
}

void ft_set_class(struct ft_context *ctx, enum ft_class class_)
{
    struct ft_call *call = ft_call_of(ctx);
    struct ft_message *m = current(call);
    m->class_ = (uint8_t)class_;
    ask_raise(call, m);
}

bool ft_message_begin(struct ft_context *ctx)
{
    struct ft_call *call = ft_call_of(ctx);
    if (!message_new(call, call->protocol, false))
        return false;
    use_demand(call);
    return true;
}

void ft_message_end(struct ft_context *ctx)
{
    struct ft_call *call = ft_call_of(ctx);
    struct ft_message *m = current(call);
    /* The message that the layer began with is the engine's to end. */
    if (call->current == call->layer_message[call->layer])
        return;
    message_close(call);
    call->current = m->parent;
    use_demand(call);
}

/* ---- layers ---- */

/* Room in the flow record for the state of a protocol above the first; NULL when there is none. */
static void *inline_state(struct ft_call *call, const struct ft_protocol *p)
{
    struct ft_inline_state *map = call->state_map;
    if (!map)
        return NULL;
    for (unsigned i = 0; i < map->count; i++)
        if (map->of[i].protocol == p->index)
            return (uint8_t *)call->flow_state + map->of[i].offset;
    uint32_t size = (p->flow_state_size + 7) & ~7u;
    if (!map->used)
        map->used = (uint8_t)((call->first->flow_state_size + 7) & ~7u);
    if (map->count == sizeof(map->of) / sizeof(map->of[0]) || map->used + size > FT_INLINE_STATE)
        return NULL;
    map->of[map->count].protocol = (uint8_t)p->index;
    map->of[map->count++].offset = map->used;
    map->used += (uint8_t)size;
    return (uint8_t *)call->flow_state + map->of[map->count - 1].offset;
}

/* Flow state of a protocol above the first: in the flow record, else in the shard's table. */
static void *flow_state_of(struct ft_call *call, const struct ft_protocol *p)
{
    if (!p->flow_state_size)
        return NULL;
    if (!call->layer)
        return call->flow_state;
    void *in_flow = inline_state(call, p);
    if (in_flow)
        return in_flow;
    struct ft_entry *e =
        ft_state_find(call->state, call->owner.flow, p->index, FT_ENTRY_FLOW_STATE, 0);
    change_begin(call);
    if (!e)
        e = ft_state_add(call->state, call->owner.flow, p->index, FT_ENTRY_FLOW_STATE, 0,
                         call->owner.flow, call->pub.time_ns);
    else if (e->time_ns + 1000000000u < call->pub.time_ns)
        ft_state_touch(call->state, e, call->pub.time_ns);
    else
        e->used_by = call->state->serial;
    change_end(call);
    return e ? e->data : NULL;
}

/* A dissector may count on its flow state; without room for it the layer is not read. */
static bool run(struct ft_call *call, const struct ft_protocol *p, struct ft_view *view)
{
    void *state = flow_state_of(call, p);
    if (p->flow_state_size && !state) {
        call->dropped++;
        return false;
    }
    call->protocol = p;
    call->pub.flow_state = state;
    use_demand(call);
    p->dissector->dissect(&call->pub, view);
    while (call->current != call->layer_message[call->layer])
        ft_message_end(&call->pub);
    if (ft_view_is_malformed(view))
        ft_violation(&call->pub, FT_VIOLATION_MALFORMED, view);
    message_close(call);
    return true;
}

static bool child_run(struct ft_call *call, const struct ft_protocol *p, uint64_t selector,
                      struct ft_view view)
{
    if (!p || call->layer + 1 >= FT_MAX_LAYERS || ft_protocol_is_off(p, call->shard)) {
        call->unknown_children++;
        return false;
    }
    const struct ft_protocol *parent = call->protocol;
    void *state = call->pub.flow_state;
    uint64_t parent_selector = call->pub.selector;
    uint32_t parent_message = call->current;
    uint8_t parent_truncated = call->pub.is_truncated;
    uint32_t parent_length = call->pub.pdu_length;
    if (!message_new(call, p, false))
        return false;
    call->layer_message[++call->layer] = (uint8_t)call->current;
    call->pub.selector = selector;
    call->pub.is_truncated = view.is_cut;
    call->pub.pdu_length = view.len;
    run(call, p, &view);
    call->layer--;
    call->current = parent_message;
    call->protocol = parent;
    call->pub.flow_state = state;
    call->pub.selector = parent_selector;
    call->pub.is_truncated = parent_truncated;
    call->pub.pdu_length = parent_length;
    use_demand(call);
    return true;
}

bool ft_child_bytes(struct ft_context *ctx, uint64_t selector, const uint8_t *data, uint32_t length,
                    bool is_cut)
{
    struct ft_call *call = ft_call_of(ctx);
    return child_run(call, ft_registry_child(call->registry, call->protocol, selector), selector,
                     ft_view_make(data, length, is_cut));
}

bool ft_child_named_bytes(struct ft_context *ctx, const char *name, const uint8_t *data,
                          uint32_t length, bool is_cut)
{
    struct ft_call *call = ft_call_of(ctx);
    return child_run(call, ft_registry_find(call->registry, name), 0,
                     ft_view_make(data, length, is_cut));
}

static const struct ft_protocol *probe_children(struct ft_call *call, struct ft_view payload)
{
    const struct ft_protocol *parent = call->protocol, *maybe = NULL;
    struct ft_probe where = {.size = sizeof(where),
                             .transport = call->pub.transport,
                             .is_to_server = call->pub.direction == FT_TO_SERVER,
                             .src_port = call->pub.src_port,
                             .dst_port = call->pub.dst_port};
    for (uint32_t i = 0; i < parent->children_any_count; i++) {
        const struct ft_protocol *p = call->registry->protocols[parent->children_any[i]];
        if (!p->dissector->probe || ft_protocol_is_off(p, call->shard))
            continue;
        /* A fault in the probe is the child's, not the parent's. */
        call->protocol = p;
        enum ft_verdict verdict = p->dissector->probe(&where, payload);
        call->protocol = parent;
        if (verdict == FT_YES)
            return p;
        if (verdict == FT_MAYBE && !maybe)
            maybe = p;
    }
    return maybe;
}

/* Where the choice of ft_child_probe() is kept: beside the flow for key 0, else in the table. */
static void remember_child(struct ft_call *call, uint64_t key, const struct ft_protocol *p)
{
    if (!key && call->children && call->layer < FT_INLINE_CHILDREN) {
        call->children[call->layer] = (uint8_t)(p->index + 1);
        return;
    }
    struct ft_entry *e =
        ft_state_find(call->state, call->owner.flow, call->protocol->index, FT_ENTRY_CHILD, key);
    change_begin(call);
    if (!e)
        e = ft_state_add(call->state, call->owner.flow, call->protocol->index, FT_ENTRY_CHILD, key,
                         call->owner.flow, call->pub.time_ns);
    else
        ft_state_touch(call->state, e, call->pub.time_ns);
    if (e)
        e->child = p->index;
    change_end(call);
}

static const struct ft_protocol *remembered_child(struct ft_call *call, uint64_t key)
{
    if (!key && call->children && call->layer < FT_INLINE_CHILDREN) {
        uint8_t n = call->children[call->layer];
        return n ? call->registry->protocols[n - 1] : NULL;
    }
    struct ft_entry *e =
        ft_state_find(call->state, call->owner.flow, call->protocol->index, FT_ENTRY_CHILD, key);
    return e ? call->registry->protocols[e->child] : NULL;
}

bool ft_child_probe_bytes(struct ft_context *ctx, uint64_t key, const uint8_t *data,
                          uint32_t length, bool is_cut)
{
    struct ft_call *call = ft_call_of(ctx);
    struct ft_view payload = ft_view_make(data, length, is_cut);
    const struct ft_protocol *p = probe_children(call, payload);
    if (p)
        remember_child(call, key, p);
    else
        p = remembered_child(call, key);
    return child_run(call, p, 0, payload);
}

/* ---- violations ---- */

void ft_violation_at(struct ft_context *ctx, uint32_t violation, const uint8_t *at,
                     uint32_t at_length)
{
    struct ft_call *call = ft_call_of(ctx);
    struct ft_message *m = current(call);
    m->is_violated = true;
    for (uint32_t i = 0; i < call->finding_count; i++) {
        struct ft_finding *f = &call->findings[i];
        if (f->violation == violation && f->protocol == call->protocol &&
            f->message == call->current) {
            f->count++;
            return;
        }
    }
    if (call->finding_count == FT_MAX_VIOLATIONS) {
        call->dropped++;
        return;
    }
    struct ft_finding *f = &call->findings[call->finding_count++];
    *f = (struct ft_finding){.violation = violation,
                             .message = (uint8_t)call->current,
                             .count = 1,
                             .protocol = call->protocol};
    f->at_length = at_length;
    f->at = evidence(call, at, &f->at_length);
    if (!m->is_raised)
        want_all(call, m);
}

/* ---- state ---- */

static uint64_t owner_of(struct ft_call *call, enum ft_scope scope)
{
    if (scope != FT_SCOPE_HOST_PAIR)
        return call->owner.flow;
    if (!call->owner.pair)
        call->owner.pair = call->name_pair(call->user);
    return call->owner.pair;
}

static struct ft_entry *channel_find(struct ft_call *call, enum ft_scope scope, uint64_t key)
{
    return ft_state_find(call->state, owner_of(call, scope), call->protocol->index,
                         FT_ENTRY_CHANNEL, key);
}

void *ft_channel_find(struct ft_context *ctx, enum ft_scope scope, uint64_t key)
{
    struct ft_call *call = ft_call_of(ctx);
    struct ft_entry *e = channel_find(call, scope, key);
    if (!e)
        return NULL;
    change_begin(call);
    ft_state_touch(call->state, e, ctx->time_ns);
    change_end(call);
    return e->data;
}

void *ft_channel(struct ft_context *ctx, enum ft_scope scope, uint64_t key)
{
    struct ft_call *call = ft_call_of(ctx);
    void *found = ft_channel_find(ctx, scope, key);
    if (found)
        return found;
    change_begin(call);
    struct ft_entry *e = ft_state_add(call->state, owner_of(call, scope), call->protocol->index,
                                      FT_ENTRY_CHANNEL, key, call->owner.flow, ctx->time_ns);
    change_end(call);
    if (!e)
        call->dropped++;
    return e ? e->data : NULL;
}

void ft_channel_close(struct ft_context *ctx, enum ft_scope scope, uint64_t key)
{
    struct ft_call *call = ft_call_of(ctx);
    struct ft_entry *e = channel_find(call, scope, key);
    change_begin(call);
    if (e)
        ft_state_remove(call->state, e);
    change_end(call);
}

void ft_expect_within(struct ft_context *ctx, enum ft_scope scope, uint64_t key,
                      uint32_t milliseconds, uint32_t violation)
{
    struct ft_call *call = ft_call_of(ctx);
    struct ft_entry *e = channel_find(call, scope, key);
    if (!e)
        return;
    uint64_t deadline = milliseconds ? ctx->time_ns + milliseconds * 1000000ull : 0;
    change_begin(call);
    call->state->deadlines += (uint32_t)(deadline != 0) - (e->deadline_ns != 0);
    e->deadline_ns = deadline;
    e->deadline_violation = (uint16_t)violation;
    change_end(call);
}

/* ---- expected flows ---- */

static uint64_t expected_key(uint8_t transport, uint16_t port)
{
    return (uint64_t)transport << 16 | port;
}

void ft_expect_flow(struct ft_context *ctx, enum ft_transport transport, uint16_t port,
                    const char *protocol, const void *keep, uint32_t size)
{
    struct ft_call *call = ft_call_of(ctx);
    const struct ft_protocol *p = ft_registry_find(call->registry, protocol);
    uint64_t key = expected_key((uint8_t)transport, port);
    if (!p || !port)
        return;
    uint64_t pair = owner_of(call, FT_SCOPE_HOST_PAIR);
    struct ft_entry *e = ft_state_find(call->state, pair, 0, FT_ENTRY_EXPECTED, key);
    change_begin(call);
    if (e)
        ft_state_touch(call->state, e, ctx->time_ns);
    else
        e = ft_state_add(call->state, pair, 0, FT_ENTRY_EXPECTED, key, call->owner.flow,
                         ctx->time_ns);
    if (e) {
        uint32_t max = p->dissector->flow_state_size;
        e->expected.protocol = p->index;
        e->expected.size = (uint16_t)(size < max ? size : max);
        if (e->expected.size)
            memcpy(e->expected.keep, keep, e->expected.size);
    } else {
        call->dropped++;
    }
    change_end(call);
}

const struct ft_protocol *ft_call_expected(struct ft_call *call, void **keep, uint32_t *size)
{
    const struct ft_context *ctx = &call->pub;
    const uint16_t ports[] = {ctx->dst_port, ctx->src_port};
    if (!call->state->count[FT_ENTRY_EXPECTED])
        return NULL;
    for (unsigned i = 0; i < 2; i++) {
        struct ft_entry *e =
            ft_state_find(call->state, owner_of(call, FT_SCOPE_HOST_PAIR), 0, FT_ENTRY_EXPECTED,
                          expected_key(ctx->transport, ports[i]));
        if (!e || e->time_ns + FT_EXPECTED_SECONDS * 1000000000ull < ctx->time_ns)
            continue;
        *keep = e->expected.keep;
        *size = e->expected.size;
        return call->registry->protocols[e->expected.protocol];
    }
    return NULL;
}

/* Requests of the two directions never meet under one key. */
static uint64_t request_key(uint64_t key, uint8_t direction)
{
    return ft_hash_mix(key, direction);
}

static void keep_bytes(uint8_t to[FT_MAX_PAIR_KEEP], const void *keep, uint32_t size)
{
    size = size < FT_MAX_PAIR_KEEP ? size : FT_MAX_PAIR_KEEP;
    if (size)
        memcpy(to, keep, size);
    memset(to + size, 0, FT_MAX_PAIR_KEEP - size);
}

/* A request into the shard's table. The caller is inside a change. */
static void request_to_table(struct ft_call *call, uint64_t owner, const struct ft_request_slot *r)
{
    struct ft_entry *e = ft_state_add(call->state, owner, r->protocol, FT_ENTRY_REQUEST, r->key,
                                      call->owner.flow, r->time_ns);
    if (e) {
        memcpy(e->request.keep, r->keep, sizeof(e->request.keep));
        e->from = r->from;
        e->request.number = r->number;
        e->request.code = r->code;
        e->request.qualifier = r->qualifier;
        e->request.class_ = r->class_;
    } else {
        call->dropped++;
    }
}

/* Everything of a request but what is about the slot itself. */
static void fill_request(const struct ft_call *call, struct ft_request_slot *r, uint64_t key,
                         const void *keep, uint32_t size)
{
    const struct ft_message *m = &call->messages[call->current];
    r->key = request_key(key, m->direction);
    r->number = call->number;
    r->time_ns = call->pub.time_ns;
    r->code = m->code;
    r->qualifier = m->qualifier;
    r->protocol = call->protocol->index;
    r->class_ = m->class_;
    r->from = m->direction;
    keep_bytes(r->keep, keep, size);
}

void ft_request(struct ft_context *ctx, enum ft_scope scope, uint64_t key, const void *keep,
                uint32_t size)
{
    struct ft_call *call = ft_call_of(ctx);
    struct ft_request_slot *slot = scope == FT_SCOPE_FLOW ? call->slot : NULL, one;
    /* One change, so that a call that is abandoned has asked and is kept, or neither. */
    change_begin(call);
    call->asked++;
    if (slot && slot->is_used) {
        slot->in_table += slot->in_table < UINT16_MAX;
        request_to_table(call, call->owner.flow, slot);
    }
    fill_request(call, slot ? slot : &one, key, keep, size);
    if (!slot) {
        request_to_table(call, owner_of(call, scope), &one);
    } else {
        slot->is_used = true;
        if (!slot->is_watched)
            call->watch(call->user, slot);
    }
    change_end(call);
}

/* The message answers a request of that number and time: the bytes kept with it, in the arena. */
static const void *answer(struct ft_call *call, uint64_t number, uint64_t time_ns,
                          const uint8_t keep[FT_MAX_PAIR_KEEP])
{
    struct ft_message *m = current(call);
    void *copy = arena_get(call, FT_MAX_PAIR_KEEP);
    if (!copy)
        return NULL;
    memcpy(copy, keep, FT_MAX_PAIR_KEEP);
    uint64_t passed = call->pub.time_ns > time_ns ? call->pub.time_ns - time_ns : 0;
    /* What carries an answer is one too, unless it said what it answers itself. */
    for (;;) {
        m->is_paired = true;
        m->request_number = number;
        m->response_ns = passed;
        if (m->parent == 0xff || call->messages[m->parent].is_paired)
            return copy;
        m = &call->messages[m->parent];
    }
}

const void *ft_response(struct ft_context *ctx, enum ft_scope scope, uint64_t key)
{
    struct ft_call *call = ft_call_of(ctx);
    uint8_t direction = current(call)->direction;
    uint8_t from = direction == FT_TO_CLIENT   ? FT_TO_SERVER
                   : direction == FT_TO_SERVER ? FT_TO_CLIENT
                                               : FT_DIRECTION_NONE;
    struct ft_request_slot *slot = scope == FT_SCOPE_FLOW ? call->slot : NULL;
    struct ft_entry *e = NULL;
    key = request_key(key, from);
    /* What is in the table is older than what is in the slot: first in, first out. */
    if (!slot || slot->in_table) {
        e = ft_state_find(call->state, owner_of(call, scope), call->protocol->index,
                          FT_ENTRY_REQUEST, key);
    }
    if (e) {
        const void *kept = answer(call, e->request.number, e->time_ns, e->request.keep);
        change_begin(call);
        ft_state_remove(call->state, e);
        if (slot)
            slot->in_table--;
        call->answered++;
        change_end(call);
        return kept;
    }
    if (!slot || !slot->is_used || slot->key != key || slot->protocol != call->protocol->index)
        return NULL;
    change_begin(call);
    slot->is_used = false;
    call->answered++;
    change_end(call);
    return answer(call, slot->number, slot->time_ns, slot->keep);
}

/* Append to the buffer of a reassembly, moving to a large one when the small is full. */
static bool collect(struct ft_call *call, struct ft_entry *e, const struct ft_view *part)
{
    struct ft_framer_pools *pools = &call->state->pools;
    uint32_t have = e->reassembly.have, want = have + part->len;
    if (want > FT_MAX_REASSEMBLY || want < have)
        return false;
    if (!e->reassembly.buffer || want > ft_buffer_size(e->reassembly.buffer)) {
        uint32_t larger = ft_buffer_get(pools, want);
        if (!larger)
            return false;
        if (e->reassembly.buffer) {
            memcpy(ft_buffer_at(pools, larger), ft_buffer_at(pools, e->reassembly.buffer), have);
            ft_buffer_put(pools, e->reassembly.buffer);
        }
        e->reassembly.buffer = larger;
    }
    memcpy(ft_buffer_at(pools, e->reassembly.buffer) + have, part->data, part->len);
    e->reassembly.have = want;
    e->reassembly.is_cut |= part->is_cut;
    return true;
}

static enum ft_reassembly_result reassemble(struct ft_call *call, uint64_t key, struct ft_view part,
                                            uint32_t flags, struct ft_view *whole)
{
    struct ft_state *s = call->state;
    uint16_t me = call->protocol->index;
    key = request_key(key, call->pub.direction);
    struct ft_entry *e = ft_state_find(s, call->owner.flow, me, FT_ENTRY_REASSEMBLY, key);
    bool is_replaced = e && flags & FT_REASSEMBLY_FIRST;
    if (is_replaced) {
        ft_state_remove(s, e);
        e = NULL;
    }
    if (flags == (FT_REASSEMBLY_FIRST | FT_REASSEMBLY_LAST)) {
        *whole = part;
        return is_replaced ? FT_REASSEMBLY_REPLACED : FT_REASSEMBLY_DONE;
    }
    if (!e && !(flags & FT_REASSEMBLY_FIRST))
        return FT_REASSEMBLY_NO_START;
    if (!e)
        e = ft_state_add(s, call->owner.flow, me, FT_ENTRY_REASSEMBLY, key, call->owner.flow,
                         call->pub.time_ns);
    if (e)
        e->from = call->pub.direction;
    if (!e || call->release_count == sizeof(call->release) / sizeof(call->release[0]) ||
        !collect(call, e, &part)) {
        if (e)
            ft_state_remove(s, e);
        call->dropped++;
        return FT_REASSEMBLY_FULL;
    }
    if (!(flags & FT_REASSEMBLY_LAST)) {
        ft_state_touch(s, e, call->pub.time_ns);
        return is_replaced ? FT_REASSEMBLY_REPLACED : FT_REASSEMBLY_MORE;
    }
    /* The buffer lives on until the PDU is done; the entry goes. */
    call->release[call->release_count++] = e->reassembly.buffer;
    *whole = ft_view_make(ft_buffer_at(&s->pools, e->reassembly.buffer), e->reassembly.have,
                          e->reassembly.is_cut);
    e->reassembly.buffer = 0;
    ft_state_remove(s, e);
    return FT_REASSEMBLY_DONE;
}

enum ft_reassembly_result ft_reassemble(struct ft_context *ctx, uint64_t key, struct ft_view part,
                                        uint32_t flags, struct ft_view *whole)
{
    struct ft_call *call = ft_call_of(ctx);
    *whole = ft_view_empty();
    change_begin(call);
    enum ft_reassembly_result result = reassemble(call, key, part, flags, whole);
    change_end(call);
    return result;
}

/* ---- facts ---- */

static struct ft_asset_fact *fact_add(struct ft_call *call, enum ft_party who, uint8_t fact,
                                      const void *text, uint32_t length)
{
    while (length && fact &&
           (((const char *)text)[length - 1] == 0 || ((const char *)text)[length - 1] == ' '))
        length--;
    if (!length)
        return NULL;
    if (length > 256)
        length = 256;
    if (call->fact_count == FT_MAX_FACTS) {
        call->dropped++;
        return NULL;
    }
    const char *copy = arena_copy(call, text, length);
    if (!copy)
        return NULL;
    struct ft_asset_fact *f = &call->facts[call->fact_count++];
    unsigned side = side_of(&call->pub, who);
    /* Without a direction client and server mean nothing: then it is the sender or the receiver. */
    bool is_sender = who == FT_SENDER ||
                     (who != FT_RECEIVER && (side == 1) == (call->pub.direction == FT_TO_CLIENT));
    *f = (struct ft_asset_fact){.party = is_sender ? FT_SENDER : FT_RECEIVER,
                                .fact = fact,
                                .message = (uint8_t)call->current,
                                .length = (uint16_t)length,
                                .sub = current(call)->sub[side],
                                .text = copy};
    return f;
}

void ft_asset(struct ft_context *ctx, enum ft_party who, enum ft_fact fact, struct ft_view text)
{
    fact_add(ft_call_of(ctx), who, (uint8_t)fact, text.data, text.len);
}

void ft_asset_text(struct ft_context *ctx, enum ft_party who, enum ft_fact fact, const char *text)
{
    fact_add(ft_call_of(ctx), who, (uint8_t)fact, text, (uint32_t)strlen(text));
}

void ft_asset_role(struct ft_context *ctx, enum ft_party who, enum ft_role role)
{
    ft_asset_text(ctx, who, FT_FACT_ROLE, ft_role_name(role));
}

void ft_asset_behind(struct ft_context *ctx, enum ft_party who, enum ft_subaddress_kind kind,
                     uint64_t value, enum ft_fact fact, const char *text)
{
    struct ft_asset_fact *f =
        fact_add(ft_call_of(ctx), who, (uint8_t)fact, text, (uint32_t)strlen(text));
    if (f)
        f->sub = (struct ft_sub){.kind = (uint8_t)kind, .value = value};
}

void ft_asset_of(struct ft_context *ctx, struct ft_view address, enum ft_fact fact,
                 struct ft_view text)
{
    if (address.len != 4 && address.len != 6 && address.len != 16)
        return;
    struct ft_asset_fact *f =
        fact_add(ft_call_of(ctx), FT_SENDER, (uint8_t)fact, text.data, text.len);
    if (!f)
        return;
    f->sub = (struct ft_sub){0};
    f->of_length = (uint8_t)address.len;
    memcpy(f->of, address.data, address.len);
}

static void state_address(struct ft_call *call, struct ft_view ip, struct ft_view mac,
                          enum ft_fact_kind kind)
{
    char both[22];
    if ((ip.len != 4 && ip.len != 16) || mac.len != 6)
        return;
    memcpy(both, ip.data, ip.len);
    memcpy(both + ip.len, mac.data, 6);
    struct ft_asset_fact *f = fact_add(call, FT_SENDER, 0, both, ip.len + 6);
    if (f)
        f->kind = (uint8_t)kind;
}

void ft_asset_address(struct ft_context *ctx, struct ft_view ip, struct ft_view mac)
{
    state_address(ft_call_of(ctx), ip, mac, FT_FACT_ADDRESS);
}

void ft_asset_lease(struct ft_context *ctx, struct ft_view ip, struct ft_view mac)
{
    state_address(ft_call_of(ctx), ip, mac, FT_FACT_LEASE);
}

void ft_asset_management(struct ft_context *ctx, struct ft_view ip, struct ft_view mac)
{
    state_address(ft_call_of(ctx), ip, mac, FT_FACT_MANAGED);
}

void ft_asset_port(struct ft_context *ctx, struct ft_view device, struct ft_view port)
{
    char both[12];
    if (device.len != 6 || port.len != 6)
        return;
    memcpy(both, device.data, 6);
    memcpy(both + 6, port.data, 6);
    struct ft_asset_fact *f = fact_add(ft_call_of(ctx), FT_SENDER, 0, both, sizeof(both));
    if (f)
        f->kind = FT_FACT_PORT;
}

void ft_resolution(struct ft_context *ctx, enum ft_resolution what, struct ft_view mac,
                   struct ft_view ip, struct ft_view target)
{
    struct ft_resolution_fact r = {.what = (uint8_t)what, .length = (uint8_t)target.len};
    bool has_ip = what != FT_RESOLUTION_PROBE;
    if (mac.len != 6 || (target.len != 4 && target.len != 16) || (has_ip && ip.len != target.len))
        return;
    memcpy(r.mac, mac.data, 6);
    memcpy(r.target, target.data, target.len);
    if (has_ip)
        memcpy(r.ip, ip.data, ip.len);
    struct ft_asset_fact *f = fact_add(ft_call_of(ctx), FT_SENDER, 0, &r, sizeof(r));
    if (f)
        f->kind = FT_FACT_RESOLUTION;
}

void ft_claim(struct ft_context *ctx, uint64_t key, uint64_t holder, uint32_t milliseconds,
              uint32_t contested, uint32_t replaced)
{
    struct ft_claim_fact c = {.key = key,
                              .holder = holder,
                              .milliseconds = milliseconds,
                              .contested = contested,
                              .replaced = replaced};
    struct ft_asset_fact *f = fact_add(ft_call_of(ctx), FT_SENDER, 0, &c, sizeof(c));
    if (f)
        f->kind = FT_FACT_CLAIM;
}

/* ---- the call ---- */

void ft_call_init(struct ft_call *call, const struct ft_registry *registry)
{
    memset(call, 0, offsetof(struct ft_call, nodes));
    call->pub.size = sizeof(call->pub);
    call->registry = registry;
}

static void call_reset(struct ft_call *call)
{
    call->node_count = call->message_count = call->finding_count = call->fact_count = 0;
    call->arena_used = 0;
    call->layer = call->current = 0;
    call->direction_said = FT_DIRECTION_NONE;
    call->unknown_children = 0;
    call->has_raised = false;
    call->layer_message[0] = 0;
}

void ft_call_dissect(struct ft_call *call, const struct ft_protocol *protocol, const uint8_t *pdu,
                     uint32_t length, uint32_t whole_length, bool is_truncated)
{
    call_reset(call);
    ft_state_begin(call->state);
    call->pdu = pdu;
    call->pdu_length = length;
    call->pub.pdu_length = whole_length;
    call->pub.is_truncated = is_truncated;
    call->pub.selector = 0;
    call->protocol = call->first = protocol;
    message_new(call, protocol, true);
    struct ft_view view = ft_view_make(pdu, length, is_truncated);
    run(call, protocol, &view);
}

void ft_call_done(struct ft_call *call)
{
    for (uint32_t i = 0; i < call->release_count; i++)
        ft_buffer_put(&call->state->pools, call->release[i]);
    call->release_count = 0;
}

void ft_call_abandon(struct ft_call *call)
{
    ft_call_done(call);
    call_reset(call);
    atomic_store_explicit(&call->is_changing, 0, memory_order_relaxed);
}

void ft_call_violation(struct ft_call *call, const struct ft_protocol *protocol, uint32_t violation)
{
    call_reset(call);
    call->pdu = NULL;
    call->pdu_length = 0;
    call->protocol = protocol;
    message_new(call, protocol, true);
    ft_violation(&call->pub, violation, NULL);
}
