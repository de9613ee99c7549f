/* SPDX-License-Identifier: BSD-3-Clause */
/* Random rules about what was seen. */
#include "rules_random.h"

#include "rules/expression_internal.h"
#include "rules_naive.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SAMPLES_MAX   48u /* of one subject */
#define BYTES_MAX     48u
#define CONDITION_MAX 4000u

/* A value that was seen. */
struct rules_random_sample {
    struct ft_operand o;
    uint64_t u;
    int64_t i;
    double d;
    struct ft_set_address address;
    uint8_t bytes[BYTES_MAX];
    uint32_t length;
    bool is_start; /* `bytes` begins where the value does */
    bool is_whole; /* and ends where it does */
};

struct text {
    char *to;
    size_t size, used;
};

/* Sets and tags that rules use; the ports are those of the protocols that captures have most. */
static const char base_text[] =
    "\"sets\": {"
    "\"hosts\": {\"type\": \"ip\", \"values\": [\"10.0.0.1\", \"10.0.0.4..10.0.0.9\", "
    "\"192.168.1.0/24\", \"2001:db8::/32\"]},"
    "\"wide\": {\"type\": \"ip\", \"values\": [\"10.0.0.0/8\", \"172.16.0.0/12\", "
    "\"141.81.0.0/16\"]},"
    "\"ports\": {\"type\": \"port\", \"values\": [\"502\", \"20000\", \"80..102\", \"44818\"]},"
    "\"few\": {\"type\": \"number\", \"values\": [\"0\", \"1\", \"3..5\", \"0x10\", \"255..512\"]},"
    "\"words\": {\"type\": \"text\", \"values\": [\"GET\", \"/\", \"unit 1\", \"public\", \"a\"]}},"
    "\"tags\": ["
    "{\"name\":\"t8\",\"transport\":\"tcp\",\"port\":502,\"offset\":7,\"type\":\"uint8\"},"
    "{\"name\":\"t16\",\"transport\":\"tcp\",\"port\":502,\"offset\":8,\"type\":\"int16\"},"
    "{\"name\":\"tail\",\"transport\":\"udp\",\"port\":53,\"anchor_hex\":\"0001\",\"offset\":-3,"
    "\"type\":\"int32\",\"endian\":\"little\"},"
    "{\"name\":\"real\",\"transport\":\"tcp\",\"port\":102,\"anchor_hex\":\"32\",\"offset\":2,"
    "\"type\":\"float\"},"
    "{\"name\":\"big\",\"transport\":\"tcp\",\"port\":20000,\"offset\":0,\"type\":\"uint64\","
    "\"endian\":\"little\"},"
    "{\"name\":\"word\",\"transport\":\"tcp\",\"port\":80,\"offset\":0,\"type\":\"text\","
    "\"length\":3},"
    "{\"name\":\"raw\",\"transport\":\"tcp\",\"port\":44818,\"offset\":2,\"type\":\"bytes\","
    "\"length\":2},"
    "{\"name\":\"goose\",\"transport\":\"ethernet\",\"ethertype\":\"0x88b8\",\"offset\":2,"
    "\"type\":\"uint16\"},"
    "{\"name\":\"who\",\"transport\":\"ethernet\",\"ethertype\":\"0x0806\",\"offset\":14,"
    "\"type\":\"ip\"},"
    "{\"name\":\"card\",\"transport\":\"ethernet\",\"ethertype\":\"0x0806\",\"offset\":8,"
    "\"type\":\"mac\"}]";

static void *must(void *memory)
{
    if (!memory) {
        fputs("not enough memory\n", stderr);
        exit(1);
    }
    return memory;
}

uint64_t rules_random_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

/* 0..n-1 */
static uint32_t below(struct rules_random *r, uint32_t n)
{
    return (uint32_t)(rules_random_next(&r->state) >> 11) % n;
}

static bool chance(struct rules_random *r, uint32_t percent)
{
    return below(r, 100) < percent;
}

__attribute__((format(printf, 2, 3))) static void say(struct text *t, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(t->to + t->used, t->size - t->used, format, ap);
    va_end(ap);
    t->used += n > 0 ? (size_t)n : 0;
    t->used = t->used < t->size ? t->used : t->size - 1;
}

/* ---- what was seen ---- */

static void keep_bytes(struct rules_random *r, struct rules_random_sample *to, const uint8_t *bytes,
                       uint32_t length)
{
    uint32_t from = length > BYTES_MAX && chance(r, 50) ? below(r, length - BYTES_MAX + 1) : 0;
    to->length = length - from < BYTES_MAX ? length - from : BYTES_MAX;
    to->is_start = from == 0;
    to->is_whole = to->length == length;
    if (to->length)
        memcpy(to->bytes, bytes + from, to->length);
}

static struct rules_random_sample *sample_new(struct rules_random_seen *seen,
                                              const struct ft_operand *o)
{
    struct rules_random_sample *to = &seen->samples[seen->count++];
    *to = (struct rules_random_sample){.o = *o};
    return to;
}

static struct rules_random_sample *keyword_new(struct rules_random *r,
                                               struct rules_random_seen *seen,
                                               enum ft_keyword keyword)
{
    struct ft_operand o;
    char error[256];
    ft_vocabulary_find(r->v, ft_keyword_name(keyword), &o, error, sizeof(error));
    return sample_new(seen, &o);
}

static void see_number(struct rules_random *r, struct rules_random_seen *seen,
                       enum ft_keyword keyword, uint64_t number)
{
    keyword_new(r, seen, keyword)->u = number;
}

static uint64_t mac_number(const uint8_t *bytes)
{
    uint64_t u = 0;
    for (unsigned i = 0; i < 6; i++)
        u = u << 8 | bytes[i];
    return u;
}

static void see_packet(struct rules_random *r, struct rules_random_seen *seen,
                       const struct ft_subject *s)
{
    bool is_dst = chance(r, 50);
    if (s->ip_version) {
        struct ft_set_address a =
            ft_set_address_of(is_dst ? s->dst_ip : s->src_ip, s->ip_version == 6);
        keyword_new(r, seen, FT_KEYWORD_IP_ADDR)->address = a;
        keyword_new(r, seen, is_dst ? FT_KEYWORD_IP_DST : FT_KEYWORD_IP_SRC)->address = a;
        see_number(r, seen, is_dst ? FT_KEYWORD_ZONE_DST : FT_KEYWORD_ZONE_SRC, below(r, 3));
        keyword_new(r, seen, is_dst ? FT_KEYWORD_PURDUE_DST : FT_KEYWORD_PURDUE_SRC)->d =
            below(r, 2) + 0.5;
    }
    if (s->src_mac) {
        see_number(r, seen, FT_KEYWORD_ETH_SRC, mac_number(s->src_mac));
        see_number(r, seen, FT_KEYWORD_ETH_ADDR, mac_number(is_dst ? s->dst_mac : s->src_mac));
    }
    if (s->has_ports) {
        see_number(r, seen, is_dst ? FT_KEYWORD_PORT_DST : FT_KEYWORD_PORT_SRC,
                   is_dst ? s->dst_port : s->src_port);
        see_number(r, seen, FT_KEYWORD_PORT, is_dst ? s->src_port : s->dst_port);
    }
    if (s->vlan_count)
        see_number(r, seen, FT_KEYWORD_VLAN, s->vlan[below(r, s->vlan_count)]);
    if (s->ethertype)
        see_number(r, seen, FT_KEYWORD_ETHERTYPE, s->ethertype);
    see_number(r, seen, FT_KEYWORD_TRANSPORT, s->transport);
    if (s->ip_protocol)
        see_number(r, seen, FT_KEYWORD_IP_PROTOCOL, s->ip_protocol);
    for (unsigned k = FT_KEYWORD_FIRST; k < FT_KEYWORD_TCP_OPTIONS; k++) {
        struct ft_program_value v = {0};
        if (s->packet && s->packet(s->user, (enum ft_keyword)k, &v))
            see_number(r, seen, (enum ft_keyword)k, v.number);
    }
    if (s->payload) {
        keep_bytes(r, keyword_new(r, seen, FT_KEYWORD_PAYLOAD), s->payload, s->payload_length);
        see_number(r, seen, FT_KEYWORD_PAYLOAD_LENGTH, s->payload_length);
    }
}

static void see_message(struct rules_random *r, struct rules_random_seen *seen,
                        const struct ft_message *m)
{
    char text[256];
    see_number(r, seen, FT_KEYWORD_PROTOCOL, m->protocol->index);
    see_number(r, seen, FT_KEYWORD_KIND, m->kind);
    see_number(r, seen, FT_KEYWORD_DIRECTION, m->direction);
    if (m->is_paired)
        see_number(r, seen, FT_KEYWORD_RESPONSE_TIME, m->response_ns / 1000);
    for (unsigned i = 0; i < 2; i++)
        if (m->sub[i].kind) {
            struct rules_random_sample *sub = keyword_new(r, seen, FT_KEYWORD_SUBADDRESS);
            ft_sub_text(m->sub[i].kind, m->sub[i].value, m->sub[i].text, m->sub[i].length, text,
                        sizeof(text));
            sub->u = m->sub[i].value;
            keep_bytes(r, sub, (const uint8_t *)text, (uint32_t)strlen(text));
        }
    if (!m->has_command)
        return;
    see_number(r, seen, FT_KEYWORD_COMMAND_CODE, m->code);
    see_number(r, seen, FT_KEYWORD_CLASS, m->class_);
    if (m->command)
        see_number(r, seen, FT_KEYWORD_COMMAND,
                   (uint64_t)m->protocol->index << 32 |
                       (uint64_t)(m->command - m->protocol->commands + 1));
}

static void see_node(struct rules_random *r, struct rules_random_seen *seen,
                     const struct ft_protocol *p, const struct ft_node *n)
{
    char name[512], error[512];
    struct ft_operand o = {.protocol = p->index, .field = n->field};
    ft_vocabulary_name(r->v, &o, name, sizeof(name));
    if (!ft_vocabulary_find(r->v, name, &o, error, sizeof(error)))
        return;
    struct rules_random_sample *to = sample_new(seen, &o);
    to->u = n->u;
    to->i = n->i;
    to->d = n->type == FT_TYPE_FLOAT ? n->d : n->type == FT_TYPE_INT ? (double)n->i : (double)n->u;
    if (n->type == FT_TYPE_STRING || n->type == FT_TYPE_BYTES)
        keep_bytes(r, to, n->bytes, n->length);
    else if (n->type == FT_TYPE_IPV6 && n->length == 16)
        to->address = ft_set_address_of(n->bytes, true);
    else if (n->type == FT_TYPE_MAC && n->length == 6)
        to->u = mac_number(n->bytes);
    if (n->type == FT_TYPE_IPV4)
        to->address = (struct ft_set_address){0, 0xffff00000000 | (n->u & UINT32_MAX)};
}

/* Some of the fields of a message. */
static void see_fields(struct rules_random *r, struct rules_random_seen *seen,
                       const struct ft_subject *s, const struct ft_message *m, uint32_t room)
{
    uint32_t count = 0, before = seen->count;
    for (uint32_t n = m->first; n; n = s->call->nodes[n].next)
        count += s->call->nodes[n].type != FT_NODE_END;
    for (uint32_t n = m->first; n && seen->count - before < room; n = s->call->nodes[n].next)
        if (s->call->nodes[n].type != FT_NODE_END && (count <= room || below(r, count) < room))
            see_node(r, seen, m->protocol, &s->call->nodes[n]);
}

void rules_random_see(struct rules_random *r, const struct ft_subject *s)
{
    uint64_t at = r->seen_count++;
    if (at >= RULES_RANDOM_SEEN &&
        (at = rules_random_next(&r->state) % r->seen_count) >= RULES_RANDOM_SEEN)
        return;
    struct rules_random_seen *seen = &r->seen[at];
    if (!seen->samples)
        seen->samples = must(calloc(SAMPLES_MAX, sizeof(*seen->samples)));
    seen->count = 0;
    see_packet(r, seen, s);
    if (!s->message)
        return;
    see_message(r, seen, s->message);
    see_fields(r, seen, s, s->message, SAMPLES_MAX - seen->count - 4);
    if (s->message->parent != 0xff)
        see_fields(r, seen, s, &s->call->messages[s->message->parent], SAMPLES_MAX - seen->count);
}

/* ---- names and values as text ---- */

struct writer {
    struct rules_random *r;
    const struct rules_random_seen *focus; /* what the whole condition is about; may be NULL */
    struct text text;
    struct ft_operand bound[FT_EXPRESSION_BINDINGS];
    uint32_t bound_count, depth;
};

static bool is_inside(const struct ft_protocol *p, uint32_t field, uint32_t group)
{
    while (field && field != group)
        field = p->fields[field].parent;
    return field == group;
}

static void name(struct writer *w, const struct ft_operand *o)
{
    char whole[512];
    const struct ft_operand *group = w->bound_count ? &w->bound[w->bound_count - 1] : NULL;
    ft_vocabulary_name(w->r->v, o, whole, sizeof(whole));
    bool is_short = group && !o->keyword && !o->is_tag && group->protocol == o->protocol &&
                    group->field != o->field && chance(w->r, 50) &&
                    is_inside(w->r->v->registry->protocols[o->protocol], o->field, group->field);
    say(&w->text, "%s", is_short ? strrchr(whole, '.') + 1 : whole);
}

static void quoted(struct writer *w, const uint8_t *bytes, uint32_t length)
{
    say(&w->text, "\"");
    for (uint32_t i = 0; i < length; i++)
        if (isalnum(bytes[i]) || strchr(" -_/.:", bytes[i] ? bytes[i] : '"'))
            say(&w->text, "%c", bytes[i]);
        else
            say(&w->text, "\\x%02x", bytes[i]);
    say(&w->text, "\"");
}

static void hexadecimal(struct writer *w, const uint8_t *bytes, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        say(&w->text, "%02x", bytes[i]);
}

static void real(struct writer *w, double d)
{
    char text[64], *to = text;
    snprintf(text, sizeof(text), "%.17g", d);
    for (const char *from = text; *from; from++) /* a word has no + */
        if (*from != '+')
            *to++ = *from;
    *to = 0;
    say(&w->text, "%s", text);
}

static void address(struct writer *w, struct ft_set_address a)
{
    if (!a.high && a.low >> 32 == 0xffff) {
        say(&w->text, "%u.%u.%u.%u", (unsigned)(a.low >> 24 & 255), (unsigned)(a.low >> 16 & 255),
            (unsigned)(a.low >> 8 & 255), (unsigned)(a.low & 255));
        return;
    }
    for (unsigned i = 0; i < 8; i++)
        say(&w->text, "%s%x", i ? ":" : "",
            (unsigned)((i < 4 ? a.high : a.low) >> (48 - i % 4 * 16) & 0xffff));
}

static void command(struct writer *w, uint64_t number)
{
    const struct ft_protocol *p = w->r->v->registry->protocols[number >> 32];
    uint32_t row = (uint32_t)number;
    if (row && row <= p->command_count)
        say(&w->text, "%s", p->commands[row - 1].name);
    else
        say(&w->text, "read");
}

static const char *name_of_value(const struct ft_operand *o, uint64_t u)
{
    for (const struct ft_name *n = o->names; n && n->name; n++)
        if (n->value == u)
            return n->name;
    return NULL;
}

/* A number near by now and then: what is just outside. */
static uint64_t near(struct rules_random *r, uint64_t u)
{
    switch (below(r, 8)) {
    case 0:
        return u + 1;
    case 1:
        return u ? u - 1 : 0;
    case 2:
        return below(r, 4);
    default:
        return u;
    }
}

static void value(struct writer *w, const struct rules_random_sample *s)
{
    struct rules_random *r = w->r;
    const char *known;
    uint64_t u = near(r, s->u);
    switch (s->o.type) {
    case FT_VALUE_TYPE_INT:
        say(&w->text, "%" PRId64, s->i == INT64_MIN ? s->i : (int64_t)(s->i - chance(r, 20)));
        return;
    case FT_VALUE_TYPE_FLOAT:
        real(w, chance(r, 80) ? s->d : s->d - 1);
        return;
    case FT_VALUE_TYPE_BOOL:
        say(&w->text, "%s", chance(r, 70) == (s->u != 0) ? "true" : "false");
        return;
    case FT_VALUE_TYPE_MAC:
        say(&w->text, "%02x:%02x:%02x:%02x:%02x:%02x", (unsigned)(u >> 40 & 255),
            (unsigned)(u >> 32 & 255), (unsigned)(u >> 24 & 255), (unsigned)(u >> 16 & 255),
            (unsigned)(u >> 8 & 255), (unsigned)(u & 255));
        return;
    case FT_VALUE_TYPE_COMMAND:
        command(w, s->u);
        return;
    case FT_VALUE_TYPE_ADDRESS:
        address(w, (struct ft_set_address){s->address.high, s->address.low ^ chance(r, 10)});
        return;
    case FT_VALUE_TYPE_TEXT:
        quoted(w, s->bytes, s->length);
        return;
    case FT_VALUE_TYPE_BYTES:
        if (s->length && chance(r, 60))
            hexadecimal(w, s->bytes, s->length);
        else
            quoted(w, s->bytes, s->length);
        return;
    default:
        known = name_of_value(&s->o, u);
        if (known && chance(r, 70))
            say(&w->text, "%s", known);
        else
            say(&w->text, chance(r, 70) ? "%" PRIu64 : "0x%" PRIx64, u);
    }
}

/* ---- operands ---- */

/* Anything that the vocabulary has, with a value that it may have. */
static struct rules_random_sample made_up(struct rules_random *r)
{
    struct rules_random_sample s = {.u = below(r, 6), .length = 1, .is_whole = true};
    const struct ft_registry *registry = r->v->registry;
    char name[512], error[512];
    uint32_t what = below(r, 10);
    s.i = (int64_t)below(r, 6) - 2;
    s.d = below(r, 8) / 2.0;
    s.bytes[0] = (uint8_t)('a' + below(r, 4));
    s.address = (struct ft_set_address){0, 0xffff0a000000 + below(r, 8)};
    if (what == 0) {
        snprintf(name, sizeof(name), "tag.%s", r->v->tags[below(r, r->v->tag_count)].name);
    } else if (what < 3) {
        uint32_t k = 1 + below(r, FT_KEYWORDS - 1);
        bool is_asset = k >= FT_KEYWORD_VENDOR_SRC && k <= FT_KEYWORD_TYPE;
        snprintf(name, sizeof(name), "%s",
                 ft_keyword_name(is_asset ? FT_KEYWORD_PROTOCOL : (enum ft_keyword)k));
        s.u = k == FT_KEYWORD_PROTOCOL || is_asset ? below(r, registry->count) : s.u;
        s.u = k == FT_KEYWORD_COMMAND ? (uint64_t)below(r, registry->count) << 32 | 1 : s.u;
    } else {
        const struct ft_protocol *p = registry->protocols[below(r, registry->count)];
        uint32_t field = p->field_count > 1 ? 1 + below(r, p->field_count - 1) : 0;
        ft_vocabulary_name(r->v,
                           &(struct ft_operand){.protocol = p->index, .field = (uint16_t)field},
                           name, sizeof(name));
    }
    if (!ft_vocabulary_find(r->v, name, &s.o, error, sizeof(error)))
        ft_vocabulary_find(r->v, "kind", &s.o, error, sizeof(error));
    return s;
}

/* Something that was seen: inside an `any` of its group, most often. */
static struct rules_random_sample pick(struct writer *w)
{
    struct rules_random *r = w->r;
    const struct ft_operand *group = w->bound_count ? &w->bound[w->bound_count - 1] : NULL;
    if (!w->focus || !w->focus->count || chance(r, 8))
        return made_up(r);
    struct rules_random_sample s = w->focus->samples[below(r, w->focus->count)];
    for (unsigned tries = 0; group && tries < 12 && chance(r, 95); tries++) {
        if (!s.o.keyword && !s.o.is_tag && s.o.protocol == group->protocol &&
            s.o.field != group->field &&
            is_inside(r->v->registry->protocols[s.o.protocol], s.o.field, group->field))
            break;
        s = w->focus->samples[below(r, w->focus->count)];
    }
    return s;
}

/* ---- tests ---- */

/* A part of the bytes seen. */
static void part_of(struct rules_random *r, const struct rules_random_sample *s, uint32_t most,
                    uint32_t *from, uint32_t *length)
{
    uint32_t room = s->length < most ? s->length : most;
    *length = 1 + below(r, room);
    *from = below(r, s->length - *length + 1);
}

static void contains(struct writer *w, const struct rules_random_sample *s)
{
    uint32_t from, length;
    part_of(w->r, s, 10, &from, &length);
    say(&w->text, " contains ");
    if (s->o.type == FT_VALUE_TYPE_BYTES && chance(w->r, 40))
        hexadecimal(w, s->bytes + from, length);
    else
        quoted(w, s->bytes + from, length);
}

static void literal_in_expression(struct writer *w, const uint8_t *bytes, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        if (isalnum(bytes[i]) || bytes[i] == ' ')
            say(&w->text, "%c", bytes[i]);
        else
            say(&w->text, "\\x%02x", bytes[i]);
}

static void matches(struct writer *w, const struct rules_random_sample *s)
{
    struct rules_random *r = w->r;
    uint32_t from, length, kind = below(r, 7);
    part_of(r, s, 8, &from, &length);
    say(&w->text, " matches \"%s", kind == 0 ? "^" : kind == 1 ? "(?i)" : "");
    if (kind == 0)
        from = 0;
    if (kind == 2)
        say(&w->text, "[a-f]%s", chance(r, 50) ? "+" : "{2}");
    literal_in_expression(w, s->bytes + from, length);
    if (kind == 3)
        say(&w->text, ".{0,3}[0-9]");
    if (kind == 4)
        say(&w->text, "|\\x%02x\\x%02x", below(r, 256), below(r, 256));
    if (kind == 5)
        say(&w->text, "$");
    if (kind == 6)
        say(&w->text, "(?!\\x%02x)", below(r, 256));
    say(&w->text, "\"");
}

static void set_of(struct writer *w, const struct rules_random_sample *s)
{
    struct rules_random *r = w->r;
    static const char *const named[] = {"hosts", "wide", "ports", "few", "words"};
    if (chance(r, 15)) {
        say(&w->text, "$%s", named[below(r, 5)]);
        return;
    }
    if (s->o.type == FT_VALUE_TYPE_ADDRESS && chance(r, 40)) {
        bool is_v4 = !s->address.high;
        address(w, s->address);
        say(&w->text, "/%u", (is_v4 ? 8 : 40) + below(r, is_v4 ? 25 : 89));
        return;
    }
    say(&w->text, "{");
    for (uint32_t i = below(r, 4);; i--) {
        if (s->o.type <= FT_VALUE_TYPE_UINT && chance(r, 25))
            say(&w->text, "%" PRIu64 "..%" PRIu64, s->u > 3 ? s->u - below(r, 3) : 0,
                s->u + below(r, 3 + (chance(r, 20) ? 1000 : 0)));
        else if (chance(r, 10))
            say(&w->text, "$%s", named[below(r, 5)]);
        else
            value(w, s);
        if (!i)
            break;
        say(&w->text, ", ");
    }
    say(&w->text, "}");
}

static bool is_textual(const struct ft_operand *o)
{
    return o->type == FT_VALUE_TYPE_TEXT || o->type == FT_VALUE_TYPE_BYTES;
}

static void masked(struct writer *w, const struct rules_random_sample *s)
{
    uint64_t mask = below(w->r, 4) ? 1ull << below(w->r, 8) : below(w->r, 256) + 1u;
    say(&w->text, " & 0x%" PRIx64, mask);
    if (chance(w->r, 50))
        say(&w->text, " %s %" PRIu64, chance(w->r, 70) ? "==" : "!=", s->u & mask);
}

static void test(struct writer *w)
{
    static const char *const operators[] = {"==", "==", "==", "!=", "<", "<=", ">", ">="};
    struct rules_random *r = w->r;
    struct rules_random_sample s = pick(w), other;
    uint32_t what = below(r, 100);
    bool is_lower = is_textual(&s.o) && chance(r, 30);
    say(&w->text, is_lower ? "lower(" : "");
    name(w, &s.o);
    say(&w->text, is_lower ? ")" : "");
    if (is_lower && s.length && chance(r, 50)) /* letters of the other size */
        s.bytes[below(r, s.length)] ^= 0x20;
    if (s.o.type == FT_VALUE_TYPE_GROUP || what < 8)
        return;
    if (is_textual(&s.o) && s.length && what < 40) {
        contains(w, &s);
    } else if (is_textual(&s.o) && s.length && what < 60) {
        matches(w, &s);
    } else if (what < 18) {
        masked(w, &s);
    } else if (what < 40) {
        say(&w->text, chance(r, 75) ? " in " : " not in ");
        set_of(w, &s);
    } else if (what < 52) {
        other = pick(w);
        say(&w->text, " %s ", operators[below(r, 8)]);
        name(w, &other.o);
    } else if (s.o.keyword == FT_KEYWORD_SUBADDRESS && what < 75) {
        say(&w->text, " %s %" PRIu64, operators[below(r, 8)], near(r, s.u));
    } else {
        say(&w->text, " %s ", operators[below(r, 8)]);
        value(w, &s);
    }
}

/* ---- trees ---- */

static void condition(struct writer *w);

/* The group that something seen stands in. */
static bool pick_group(struct writer *w, struct ft_operand *group)
{
    char name[512], error[512];
    for (unsigned tries = 0; tries < 8; tries++) {
        struct rules_random_sample s = pick(w);
        if (s.o.keyword || s.o.is_tag)
            continue;
        const struct ft_protocol *p = w->r->v->registry->protocols[s.o.protocol];
        uint32_t field = s.o.field;
        while (field && p->fields[field].type != FT_TYPE_GROUP)
            field = p->fields[field].parent;
        if (field && p->fields[field].parent && chance(w->r, 30))
            field = p->fields[field].parent;
        *group = (struct ft_operand){.protocol = s.o.protocol, .field = (uint16_t)field};
        ft_vocabulary_name(w->r->v, group, name, sizeof(name));
        if (field && ft_vocabulary_find(w->r->v, name, group, error, sizeof(error)))
            return true;
    }
    return false;
}

static void any(struct writer *w)
{
    struct ft_operand group;
    if (w->bound_count == FT_EXPRESSION_BINDINGS || !pick_group(w, &group)) {
        test(w);
        return;
    }
    say(&w->text, "any ");
    name(w, &group);
    say(&w->text, " (");
    w->bound[w->bound_count++] = group;
    condition(w);
    w->bound_count--;
    say(&w->text, ")");
}

/* A test of a field, most often on the value that was seen. */
static void simple_test(struct writer *w, struct rules_random_sample s)
{
    uint32_t what = below(w->r, 10);
    name(w, &s.o);
    if (s.o.type == FT_VALUE_TYPE_GROUP || what == 0)
        return;
    say(&w->text, what < 6 ? " == " : what < 8 ? " != " : " in ");
    if (what < 8)
        value(w, &s);
    else
        set_of(w, &s);
}

/* What is asked of any value of a field, and what of the elements of the group that it stands in.
 */
static void beside_any(struct writer *w)
{
    struct rules_random *r = w->r;
    struct ft_operand group;
    if (w->bound_count == FT_EXPRESSION_BINDINGS || !pick_group(w, &group)) {
        test(w);
        return;
    }
    w->bound[w->bound_count++] = group;
    struct rules_random_sample s = pick(w);
    w->bound_count--;
    say(&w->text, chance(r, 40) ? "(not " : "(");
    simple_test(w, s);
    say(&w->text, chance(r, 60) ? ") and not any " : ") and any ");
    name(w, &group);
    say(&w->text, chance(r, 25) ? " (not " : " (");
    w->bound[w->bound_count++] = group;
    simple_test(w, s);
    if (chance(r, 30)) {
        say(&w->text, chance(r, 50) ? " and " : " or ");
        test(w);
    }
    w->bound_count--;
    say(&w->text, ")");
}

static void condition(struct writer *w)
{
    struct rules_random *r = w->r;
    uint32_t what = w->depth >= 5 ? 0 : below(r, 100);
    w->depth++;
    if (what < 45) {
        test(w);
    } else if (what < 57) {
        any(w);
    } else if (what < 61) {
        beside_any(w);
    } else if (what < 68) {
        say(&w->text, "not ");
        if (chance(r, 30)) {
            any(w);
        } else {
            say(&w->text, "(");
            condition(w);
            say(&w->text, ")");
        }
    } else {
        bool is_and = what < 88;
        for (uint32_t i = 1 + below(r, 3);; i--) {
            say(&w->text, "(");
            condition(w);
            say(&w->text, ")");
            if (!i)
                break;
            say(&w->text, is_and ? " and " : " or ");
        }
    }
    w->depth--;
}

/* A condition, of one protocol or command only now and then. */
static void whole(struct writer *w)
{
    const struct rules_random_sample *s = NULL;
    for (uint32_t i = 0; w->focus && i < w->focus->count && !s; i++)
        if (w->focus->samples[i].o.keyword == FT_KEYWORD_PROTOCOL ||
            (w->focus->samples[i].o.keyword == FT_KEYWORD_COMMAND && chance(w->r, 50)))
            s = &w->focus->samples[i];
    bool is_bound = s && chance(w->r, 20);
    if (is_bound) {
        name(w, &s->o);
        say(&w->text, " == ");
        if (s->o.keyword == FT_KEYWORD_COMMAND)
            command(w, s->u);
        else
            say(&w->text, "%s", w->r->v->registry->protocols[s->u]->name);
        say(&w->text, " and (");
    }
    condition(w);
    if (is_bound)
        say(&w->text, ")");
}

static void ignore(void *user, uint32_t at, uint32_t end, const char *text)
{
    (void)user;
    (void)at;
    (void)end;
    (void)text;
}

/* Of what was refused the parts that are said never to hold, by themselves. */
static void keep_nevers(struct rules_random *r, const char *text)
{
    struct ft_expression *e = ft_expression_read_unchecked(r->v, text, ignore, NULL);
    uint32_t before = r->never_count;
    for (uint32_t i = 1; e && i < e->count && r->never_count < RULES_RANDOM_NEVERS; i++) {
        const struct ft_expression_node *n = &e->nodes[i];
        bool is_contradictory = !r->is_repeating && ft_expression_is_contradictory(r->v, e, i);
        if (n->scope || (ft_expression_is_possible(r->v, e, text, i) && !is_contradictory))
            continue;
        struct rules_random_never *never = &r->nevers[r->never_count++];
        *never = (struct rules_random_never){.expression = e, .node = i};
        snprintf(never->text, sizeof(never->text), "%.*s", (int)(n->end - n->at), text + n->at);
    }
    if (r->never_count == before)
        ft_expression_free(e);
}

const struct rules_random_never *rules_random_holds(const struct rules_random *r,
                                                    const struct ft_subject *s)
{
    for (uint32_t i = 0; i < r->never_count; i++) {
        const struct rules_random_never *n = &r->nevers[i];
        uint8_t most = s->message   ? FT_LEVEL_ASSET
                       : s->payload ? FT_LEVEL_PAYLOAD
                                    : FT_LEVEL_PACKET;
        if (rules_naive_level(n->expression, n->node) <= most &&
            rules_naive_holds(r->v, n->expression, n->node, s))
            return n;
    }
    return NULL;
}

const char *rules_random_condition(struct rules_random *r, char *to, size_t size)
{
    uint32_t seen =
        (uint32_t)(r->seen_count < RULES_RANDOM_SEEN ? r->seen_count : RULES_RANDOM_SEEN);
    for (;;) {
        struct writer w = {.r = r,
                           .focus = seen && chance(r, 95) ? &r->seen[below(r, seen)] : NULL,
                           .text = {.to = to, .size = size}};
        whole(&w);
        r->written++;
        struct ft_expression *e =
            w.text.used < size - 1 ? ft_expression_read(r->v, to, ignore, NULL) : NULL;
        ft_expression_free(e);
        if (e)
            return to;
        keep_nevers(r, to);
        r->refused++;
    }
}

/* ---- rule sets ---- */

static void tell(void *user, bool is_error, const char *line)
{
    (void)user;
    if (is_error)
        fprintf(stderr, "%s\n", line);
}

static void write_quoted(FILE *f, const char *text)
{
    fputc('"', f);
    for (; *text; text++)
        fprintf(f, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    fputc('"', f);
}

/* A file of the base and conditions (NULL: left out), read. */
static struct ft_rule_files *read_rules(struct rules_random *r, char *const *conditions,
                                        uint32_t count)
{
    char path[] = "/tmp/fieldtap-random-XXXXXX.json";
    const char *paths[] = {path};
    bool is_sound;
    FILE *f = must(fdopen(mkstemps(path, 5), "w"));
    const char *comma = "";
    fprintf(f, "{%s, \"rules\": [", base_text);
    for (uint32_t i = 0; i < count; i++) {
        if (!conditions[i])
            continue;
        fprintf(f, "%s\n{\"id\": %u, \"title\": \"random\", \"when\": ", comma,
                FT_RULE_ID_CUSTOM + i);
        write_quoted(f, conditions[i]);
        fputc('}', f);
        comma = ",";
    }
    fputs("]}", f);
    fclose(f);
    struct ft_rule_files *files =
        ft_rule_files_read(paths, 1, &r->environment, tell, NULL, &is_sound);
    unlink(path);
    if (files && is_sound && !files->refused)
        return files;
    ft_rule_files_free(files);
    return NULL;
}

bool rules_random_open(struct rules_random *r, const struct ft_registry *registry, uint64_t seed)
{
    static const struct {
        const char *name, *networks[2];
        double purdue;
    } zones[] = {{"plant", {"10.0.0.0/8", "192.168.0.0/16"}, 1.5},
                 {"cell", {"10.0.0.0/29", "141.81.0.0/24"}, 0.5},
                 {"office", {"172.16.0.0/12", "fe80::/10"}, -1}};
    char error[256];
    *r = (struct rules_random){.state = seed, .environment = {.registry = registry}};
    for (unsigned i = 0; i < 3; i++) {
        struct ft_set *set = must(ft_set_new(FT_SET_ADDRESSES));
        for (unsigned n = 0; n < 2; n++)
            ft_set_add_written(set, FT_VALUE_IP, zones[i].networks[n], strlen(zones[i].networks[n]),
                               error, sizeof(error));
        ft_set_close(set);
        r->zones[i] = (struct ft_zone){zones[i].name, zones[i].purdue, set};
    }
    r->environment.zones = r->zones;
    r->environment.zone_count = 3;
    r->base = read_rules(r, NULL, 0);
    r->v = r->base ? &r->base->vocabulary : NULL;
    return r->base != NULL;
}

void rules_random_close(struct rules_random *r)
{
    for (unsigned i = 0; i < 3; i++)
        ft_set_free(r->zones[i].networks);
    for (unsigned i = 0; i < RULES_RANDOM_SEEN; i++)
        free(r->seen[i].samples);
    for (uint32_t i = 0; i < r->never_count; i++)
        if (!i || r->nevers[i].expression != r->nevers[i - 1].expression)
            ft_expression_free(r->nevers[i].expression);
    ft_rule_files_free(r->base);
}

/* Leave out the rules that the errors name. False: they name none. */
static bool leave_out(char **conditions, uint32_t count, const char *errors)
{
    static const char before[] = ": rule ";
    bool is_any = false;
    for (const char *at = errors; (at = strstr(at, before)); at += sizeof(before) - 1) {
        uint32_t id = (uint32_t)strtoul(at + sizeof(before) - 1, NULL, 10) - FT_RULE_ID_CUSTOM;
        if (id >= count || !conditions[id])
            continue;
        free(conditions[id]);
        conditions[id] = NULL;
        is_any = true;
    }
    return is_any;
}

static struct ft_ruleset *make(struct rules_random *r, char **conditions, uint32_t count)
{
    static char errors[1 << 20];
    for (;;) {
        struct ft_rule_files *files = read_rules(r, conditions, count);
        if (!files)
            return NULL;
        struct ft_ruleset *set = ft_ruleset_new(files, NULL, errors, sizeof(errors));
        if (set)
            return set;
        if (!leave_out(conditions, count, errors)) {
            fprintf(stderr, "%s\n", errors);
            return NULL;
        }
    }
}

struct ft_ruleset *rules_random_set(struct rules_random *r, uint32_t count)
{
    char text[CONDITION_MAX], **conditions = must(calloc(count + 1, sizeof(*conditions)));
    for (uint32_t i = 0; i < count; i++)
        conditions[i] = must(strdup(rules_random_condition(r, text, sizeof(text))));
    struct ft_ruleset *set = make(r, conditions, count);
    for (uint32_t i = 0; i < count; i++)
        free(conditions[i]);
    free(conditions);
    return set;
}

struct ft_ruleset *rules_random_set_of(struct rules_random *r, const char *const *conditions,
                                       uint32_t count, const struct ft_ruleset *before)
{
    static char errors[1 << 16];
    struct ft_rule_files *files = read_rules(r, (char *const *)(uintptr_t)conditions, count);
    struct ft_ruleset *set = files ? ft_ruleset_new(files, before, errors, sizeof(errors)) : NULL;
    if (files && !set)
        fprintf(stderr, "%s\n", errors);
    return set;
}
