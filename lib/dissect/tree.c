/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Message trees outside the arena: packed into events, and written as JSON.
 *
 * Packed form, one after another: struct packed, then 8 bytes for a number or `length` bytes padded
 * to a multiple of four. A group is a node without a value, ended by a FT_NODE_END node.
 */
#include "base/hash.h"
#include "dissect/context.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

struct packed {
    uint16_t field;
    uint8_t type;
    uint8_t flags;
    uint32_t length;
    uint32_t at;
    uint32_t at_length;
};

/* Bytes of one value kept in an event; more is cut and said. */
#define VALUE_MAX 1024u

static bool has_bytes(uint8_t type)
{
    return type == FT_TYPE_STRING || type == FT_TYPE_BYTES || type == FT_TYPE_IPV6 ||
           type == FT_TYPE_MAC;
}

static bool has_number(uint8_t type)
{
    return type != FT_NODE_END && type != FT_TYPE_GROUP && !has_bytes(type);
}

uint32_t ft_tree_pack(const struct ft_call *call, const struct ft_message *message, uint8_t *to,
                      uint32_t size, bool *is_cut)
{
    uint32_t used = 0, open = 0;
    uint16_t groups[FT_MAX_GROUP_DEPTH];
    *is_cut = false;
    for (uint32_t n = message->first; n; n = call->nodes[n].next) {
        const struct ft_node *node = &call->nodes[n];
        uint32_t length = has_bytes(node->type) ? node->length : 0;
        if (length > VALUE_MAX) {
            length = VALUE_MAX;
            *is_cut = true;
        }
        uint32_t value = has_number(node->type) ? 8 : (length + 3) & ~3u;
        /* Room for the ends of the groups that are open is always kept. */
        if (size - used < sizeof(struct packed) * (open + 2) + value) {
            *is_cut = true;
            break;
        }
        struct packed p = {.field = node->field,
                           .type = node->type,
                           .flags = node->flags,
                           .length = length,
                           .at = node->at,
                           .at_length = node->at_length};
        memcpy(to + used, &p, sizeof(p));
        used += sizeof(p);
        if (has_number(node->type)) {
            memcpy(to + used, &node->u, 8);
        } else if (length) {
            memset(to + used + value - 4, 0, 4); /* what pads is the same each time */
            memcpy(to + used, node->bytes, length);
        }
        used += value;
        if (node->type == FT_TYPE_GROUP && open < FT_MAX_GROUP_DEPTH)
            groups[open++] = node->field;
        else if (node->type == FT_NODE_END && open)
            open--;
    }
    while (open) {
        struct packed end = {.field = groups[--open], .type = FT_NODE_END};
        memcpy(to + used, &end, sizeof(end));
        used += sizeof(end);
    }
    return used;
}

/* A cursor on packed nodes. */
struct cursor {
    const uint8_t *at, *end;
};

struct walk {
    const struct ft_protocol *protocol;
    const struct ft_tree_options *options;
    struct ft_json *json;
    uint32_t leaves;
    bool is_cut;
};

/* Read the node at the cursor and step over it; false at the end. */
static bool step(struct cursor *c, struct packed *p, const uint8_t **value)
{
    if ((size_t)(c->end - c->at) < sizeof(*p))
        return false;
    memcpy(p, c->at, sizeof(*p));
    uint32_t size = has_number(p->type) ? 8 : (p->length + 3) & ~3u;
    c->at += sizeof(*p);
    if ((size_t)(c->end - c->at) < size)
        return false;
    *value = c->at;
    c->at += size;
    return true;
}

/* Step to behind the end of the group that was just opened. */
static void skip_group(struct cursor *c)
{
    struct packed p;
    const uint8_t *value;
    for (uint32_t depth = 1; depth && step(c, &p, &value);)
        depth += p.type == FT_TYPE_GROUP ? 1 : p.type == FT_NODE_END ? (uint32_t)-1 : 0;
}

static const char *value_name(const struct ft_name *names, uint64_t value)
{
    for (; names && names->name; names++)
        if (names->value == value)
            return names->name;
    return NULL;
}

static void write_names(struct ft_json *j, const struct ft_name *names, uint64_t value)
{
    ft_json_array(j);
    for (; names && names->name; names++)
        if (names->value && (value & names->value) == names->value)
            ft_json_string(j, names->name);
    ft_json_array_end(j);
}

static void write_secret(const struct walk *w, const uint8_t *value, uint32_t length)
{
    char text[24];
    snprintf(text, sizeof(text), "%016llx",
             (unsigned long long)ft_siphash(w->options->salt, value, length));
    ft_json_object(w->json);
    ft_json_put_uint(w->json, "length", length);
    ft_json_put_string(w->json, "hash", text);
    ft_json_object_end(w->json);
}

static void write_number(const struct walk *w, const struct packed *p, uint64_t u)
{
    struct ft_json *j = w->json;
    const struct ft_field *f = &w->protocol->fields[p->field];
    union {
        uint64_t u;
        int64_t i;
        double d;
    } n = {.u = u};
    uint8_t v4[4];
    switch (p->type) {
    case FT_TYPE_INT:
        ft_json_int(j, n.i);
        break;
    case FT_TYPE_FLOAT:
        ft_json_double(j, n.d);
        break;
    case FT_TYPE_BOOL:
        ft_json_bool(j, u != 0);
        break;
    case FT_TYPE_ENUM:
        ft_json_string(j, value_name(f->names, u) ? value_name(f->names, u) : "unknown");
        break;
    case FT_TYPE_FLAGS:
        write_names(j, f->names, u);
        break;
    case FT_TYPE_TIME:
        ft_json_time(j, u);
        break;
    case FT_TYPE_IPV4:
        for (int i = 0; i < 4; i++)
            v4[i] = (uint8_t)(u >> (24 - 8 * i));
        ft_json_ip(j, v4, false);
        break;
    default:
        ft_json_uint(j, u);
    }
}

static void write_value(const struct walk *w, const struct packed *p, const uint8_t *value)
{
    uint64_t u = 0;
    if (p->flags & FT_FIELD_SECRET && !w->options->log_secrets) {
        write_secret(w, value, has_number(p->type) ? 8 : p->length);
        return;
    }
    switch (p->type) {
    case FT_TYPE_STRING:
        ft_json_text(w->json, (const char *)value, p->length);
        break;
    case FT_TYPE_BYTES:
        ft_json_hex(w->json, value, p->length);
        break;
    case FT_TYPE_MAC:
        if (p->length == 6)
            ft_json_mac(w->json, value);
        else
            ft_json_hex(w->json, value, p->length);
        break;
    case FT_TYPE_IPV6:
        if (p->length == 16)
            ft_json_ip(w->json, value, true);
        else
            ft_json_hex(w->json, value, p->length);
        break;
    default:
        memcpy(&u, value, 8);
        write_number(w, p, u);
    }
}

static bool has_code(const struct packed *p)
{
    return (p->type == FT_TYPE_ENUM || p->type == FT_TYPE_FLAGS) && !(p->flags & FT_FIELD_SECRET);
}

/*
 * Readers keep integers signed, in 64 bits, and refuse a whole line for a larger one; they refuse
 * it too when what was a number is a text. So what is larger stands as decimal text under another
 * name.
 */
#define BEYOND "_decimal"

static bool is_beyond(const struct packed *p, const uint8_t *value)
{
    uint64_t u = 0;
    if ((p->type == FT_TYPE_UINT && !(p->flags & FT_FIELD_SECRET)) || has_code(p))
        memcpy(&u, value, 8);
    return u > INT64_MAX;
}

/* One of the list's elements is: then all are text. */
static bool has_beyond(struct cursor from, const struct packed *first)
{
    struct packed p;
    const uint8_t *value;
    if (first->type != FT_TYPE_UINT && !has_code(first))
        return false;
    while (step(&from, &p, &value) && p.type != FT_NODE_END) {
        if (p.type == FT_TYPE_GROUP)
            skip_group(&from);
        else if (p.field == first->field && is_beyond(&p, value))
            return true;
    }
    return false;
}

static void write_integer(const struct walk *w, const uint8_t *value, bool as_text)
{
    char text[FT_DECIMAL_MAX];
    uint64_t u;
    memcpy(&u, value, 8);
    if (as_text)
        ft_json_text(w->json, text, (uint32_t)(ft_decimal(text, u) - text));
    else
        ft_json_uint(w->json, u);
}

/* May another leaf be written? */
static bool take_leaf(struct walk *w)
{
    const struct ft_tree_options *o = w->options;
    if ((o->leaves && w->leaves >= o->leaves) || (o->bytes && w->json->length >= o->bytes)) {
        w->is_cut = true;
        return false;
    }
    w->leaves++;
    return true;
}

static void write_members(struct walk *w, struct cursor *c);

static void write_element(struct walk *w, struct cursor *c, const struct packed *p,
                          const uint8_t *value)
{
    if (p->type == FT_TYPE_GROUP) {
        ft_json_object(w->json);
        write_members(w, c);
        ft_json_object_end(w->json);
    } else if (take_leaf(w)) {
        write_value(w, p, value);
    }
}

enum as {
    AS_VALUE,
    AS_NUMBER,
    AS_TEXT
};

/* All siblings of one list field, from the first on. */
static void write_list(struct walk *w, struct cursor from, const struct packed *first, enum as as)
{
    struct packed p;
    const uint8_t *value;
    ft_json_array(w->json);
    while (step(&from, &p, &value) && p.type != FT_NODE_END) {
        if (p.field != first->field) {
            if (p.type == FT_TYPE_GROUP)
                skip_group(&from);
            continue;
        }
        /* Once the limit is reached no further element is begun, not even an empty one. */
        const struct ft_tree_options *o = w->options;
        if ((o->leaves && w->leaves >= o->leaves) || (o->bytes && w->json->length >= o->bytes)) {
            w->is_cut = true;
            break;
        }
        if (as == AS_VALUE || !has_number(p.type)) /* put with another function */
            write_element(w, &from, &p, value);
        else if (has_code(&p) || take_leaf(w))
            write_integer(w, value, as == AS_TEXT);
    }
    ft_json_array_end(w->json);
}

static void write_list_field(struct walk *w, struct cursor before, const struct packed *p,
                             const char *name)
{
    bool is_text = has_beyond(before, p);
    if (has_code(p)) {
        ft_json_key(w->json, name);
        write_list(w, before, p, AS_VALUE);
        ft_json_key2(w->json, name, is_text ? "_code" BEYOND : "_code");
        write_list(w, before, p, is_text ? AS_TEXT : AS_NUMBER);
    } else {
        ft_json_key2(w->json, name, is_text ? BEYOND : "");
        write_list(w, before, p, is_text ? AS_TEXT : AS_VALUE);
    }
}

static void write_field(struct walk *w, struct cursor *c, struct cursor before,
                        const struct packed *p, const uint8_t *value)
{
    const struct ft_field *f = &w->protocol->fields[p->field];
    if (p->flags & FT_FIELD_LIST) {
        write_list_field(w, before, p, f->name);
        if (p->type == FT_TYPE_GROUP)
            skip_group(c);
    } else if (p->type == FT_TYPE_GROUP) {
        ft_json_key(w->json, f->name);
        ft_json_object(w->json);
        write_members(w, c);
        ft_json_object_end(w->json);
    } else if (take_leaf(w)) {
        bool is_text = is_beyond(p, value);
        if (has_code(p)) {
            ft_json_key(w->json, f->name);
            write_value(w, p, value);
            ft_json_key2(w->json, f->name, is_text ? "_code" BEYOND : "_code");
            write_integer(w, value, is_text);
        } else if (is_text) {
            ft_json_key2(w->json, f->name, BEYOND);
            write_integer(w, value, true);
        } else {
            ft_json_key(w->json, f->name);
            write_value(w, p, value);
        }
    }
}

/* The members of the group at the cursor, up to and with its end. */
static void write_members(struct walk *w, struct cursor *c)
{
    uint64_t seen[FT_MAX_FIELDS / 64];
    memset(seen, 0, w->protocol->demand_words * sizeof(seen[0]));
    for (;;) {
        struct cursor before = *c;
        struct packed p;
        const uint8_t *value;
        if (!step(c, &p, &value) || p.type == FT_NODE_END)
            return;
        uint64_t bit = 1ull << (p.field % 64);
        if (seen[p.field / 64] & bit) {
            if (p.type == FT_TYPE_GROUP)
                skip_group(c);
            continue;
        }
        seen[p.field / 64] |= bit;
        write_field(w, c, before, &p, value);
    }
}

bool ft_tree_json(const struct ft_protocol *protocol, const uint8_t *packed, uint32_t length,
                  const struct ft_tree_options *options, struct ft_json *j)
{
    struct walk w = {.protocol = protocol, .options = options, .json = j};
    struct cursor c = {packed, packed + length};
    write_members(&w, &c);
    return !w.is_cut;
}

/* Append ".name" of each open group and of the field. */
static void write_path(const struct ft_protocol *protocol, const uint16_t *groups, uint32_t depth,
                       uint16_t field, char *to, uint32_t size)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i <= depth && n < size; i++) {
        int more = snprintf(to + n, size - n, "%s%s", i ? "." : "",
                            protocol->fields[i < depth ? groups[i] : field].name);
        n += more > 0 ? (uint32_t)more : 0;
    }
}

bool ft_tree_path(const struct ft_protocol *protocol, const uint8_t *packed, uint32_t length,
                  uint32_t at, uint32_t at_length, char *to, uint32_t size)
{
    struct cursor c = {packed, packed + length};
    struct packed p;
    const uint8_t *value;
    uint16_t groups[FT_MAX_GROUP_DEPTH];
    uint32_t depth = 0, best = UINT32_MAX;
    while (step(&c, &p, &value)) {
        if (p.type == FT_NODE_END) {
            depth -= depth > 0;
        } else if (p.type == FT_TYPE_GROUP) {
            if (depth == FT_MAX_GROUP_DEPTH)
                return best != UINT32_MAX;
            groups[depth++] = p.field;
        } else if (p.at <= at && p.at_length < best &&
                   (uint64_t)at + at_length <= (uint64_t)p.at + p.at_length) {
            best = p.at_length;
            write_path(protocol, groups, depth, p.field, to, size);
        }
    }
    return best != UINT32_MAX;
}

/* ---- values for people ---- */

bool ft_tree_next(const uint8_t *packed, uint32_t length, uint32_t *offset,
                  struct ft_tree_value *value)
{
    struct cursor c = {packed + *offset, packed + length};
    struct packed p;
    const uint8_t *bytes;
    while (step(&c, &p, &bytes)) {
        if (p.type == FT_NODE_END || p.type == FT_TYPE_GROUP)
            continue;
        *value = (struct ft_tree_value){.field = p.field,
                                        .type = p.type,
                                        .flags = p.flags,
                                        .length = p.length,
                                        .at = p.at,
                                        .at_length = p.at_length,
                                        .bytes = bytes};
        if (has_number(p.type))
            memcpy(&value->u, bytes, 8);
        *offset = (uint32_t)(c.at - packed);
        return true;
    }
    return false;
}

static uint32_t names_text(const struct ft_name *names, uint64_t value, char *to, uint32_t size)
{
    uint32_t n = 0;
    for (; names && names->name; names++)
        if (names->value && (value & names->value) == names->value && n < size)
            n += (uint32_t)snprintf(to + n, size - n, "%s%s", n ? "+" : "", names->name);
    return n < size ? n : size - 1;
}

uint32_t ft_tree_text(const struct ft_protocol *protocol, const struct ft_tree_value *value,
                      const struct ft_tree_options *options, char *to, uint32_t size)
{
    const struct ft_name *names = protocol->fields[value->field].names;
    bool is_number = has_number(value->type);
    /* As JSON has it, without the quotes: hex doubles what is at most VALUE_MAX bytes. */
    char text[2 * VALUE_MAX + 64];
    const char *from = text;
    uint32_t n = 0;
    if (value->flags & FT_FIELD_SECRET && !options->log_secrets) {
        uint32_t length = is_number ? 8 : value->length;
        n = (uint32_t)snprintf(
            text, sizeof(text), "(secret of %u bytes, hash %016llx)", length,
            (unsigned long long)ft_siphash(
                options->salt, is_number ? (const void *)&value->u : value->bytes, length));
    } else if (value->type == FT_TYPE_STRING) {
        from = (const char *)value->bytes;
        n = value->length;
    } else if (value->type == FT_TYPE_ENUM && value_name(names, value->u)) {
        n = (uint32_t)snprintf(text, sizeof(text), "%s", value_name(names, value->u));
    } else if (value->type == FT_TYPE_FLAGS) {
        n = names_text(names, value->u, text, sizeof(text));
    }
    if (from == text && !n) {
        struct ft_json j = ft_json_make(text, sizeof(text));
        struct walk w = {.protocol = protocol, .options = options, .json = &j};
        struct packed p = {.field = value->field,
                           .type = value->type == FT_TYPE_ENUM || value->type == FT_TYPE_FLAGS
                                       ? FT_TYPE_UINT
                                       : value->type,
                           .length = value->length};
        write_value(&w, &p, is_number ? (const uint8_t *)&value->u : value->bytes);
        bool is_quoted = j.length > 1 && text[0] == '"';
        from += is_quoted;
        n = j.length - 2u * is_quoted;
    }
    n = n < size ? n : size;
    memcpy(to, from, n);
    return n;
}

const char *ft_command_name(const struct ft_protocol *protocol, uint32_t code, uint32_t qualifier,
                            char scratch[32])
{
    const struct ft_command *row = ft_protocol_command(protocol, code, qualifier);
    if (row)
        return row->name;
    snprintf(scratch, 32, "code_%u", code);
    return scratch;
}

/* Most sub-addresses are a name and a number; they stand in every message. */
static void number_text(const char *name, uint64_t value, char *to, uint32_t size)
{
    uint32_t n = (uint32_t)strlen(name);
    if (size < n + FT_DECIMAL_MAX + 2) {
        snprintf(to, size, "%s %llu", name, (unsigned long long)value);
        return;
    }
    memcpy(to, name, n);
    to[n] = ' ';
    *ft_decimal(to + n + 1, value) = 0;
}

void ft_sub_text(uint8_t kind, uint64_t value, const char *text, uint32_t length, char *to,
                 uint32_t size)
{
    const char *name = ft_subaddress_name(kind);
    if (kind == FT_SUB_NONE)
        to[0] = 0;
    else if (kind == FT_SUB_ROUTE || kind == FT_SUB_NAME)
        snprintf(to, size, "%s %.*s", name, (int)length, text ? text : "");
    else if (kind == FT_SUB_SLOT)
        snprintf(to, size, "%s %llu/%llu", name, (unsigned long long)(value >> 8),
                 (unsigned long long)(value & 0xff));
    else if (kind == FT_SUB_NETWORK)
        snprintf(to, size, "%s %llu address %llu", name, (unsigned long long)(value >> 48),
                 (unsigned long long)(value & 0xffffffffffffull));
    else
        number_text(name, value, to, size);
}
