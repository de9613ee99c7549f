/* SPDX-License-Identifier: BSD-3-Clause */
/* What a rule event says: messages, and the subject of conditions on devices. */
#include "alert/rule_scene.h"

#include <stdio.h>
#include <string.h>

/* Values of one name that are written; then "...". */
#define VALUES_MAX 8u

/* Bytes of one value. */
#define VALUE_SIZE 256u

static bool is_said(const char *text)
{
    return text && *text;
}

static const struct ft_protocol *protocol_of(const struct ft_rule_scene *scene)
{
    uint16_t protocol = scene->event->protocol;
    return protocol && protocol <= scene->registry->count ? scene->registry->protocols[protocol - 1]
                                                          : NULL;
}

/* ---- devices ---- */

/* The device of a party: behind the address, and of the address. How many are known. */
static uint32_t devices(const struct ft_rule_scene *scene, enum ft_party party,
                        const struct ft_asset *to[2])
{
    const struct ft_event *e = scene->event;
    struct ft_address address = ft_event_address(e, party);
    const struct ft_asset *a = ft_inventory_find(scene->inventory, &address);
    uint32_t count = 0;
    if (!a)
        return 0;
    bool is_server = e->packet.server_side == (party == FT_SENDER ? 0 : 1);
    const struct ft_event_sub *sub = &e->message.sub[is_server];
    for (const struct ft_asset *c = sub->kind ? a->children : NULL; c && !count; c = c->sibling)
        if (c->sub_kind == sub->kind && c->sub_value == sub->value)
            to[count++] = c;
    to[count++] = a;
    return count;
}

enum word {
    VENDOR,
    MODEL,
    TYPE
};

static const char *word_of(const struct ft_rule_scene *scene, const struct ft_asset *a,
                           enum word word)
{
    if (word == VENDOR)
        return ft_asset_vendor(scene->inventory, a);
    if (word == MODEL)
        return ft_asset_fact(a, FT_FACT_MODEL);
    return ft_asset_roles(a) ? ft_role_name(ft_asset_role_of(a)) : NULL;
}

static bool asset_word(void *user, enum ft_keyword keyword, uint32_t index, const char **text)
{
    static const struct {
        enum word word;
        bool of_sender, of_receiver;
    } rows[FT_KEYWORDS] = {
        [FT_KEYWORD_VENDOR_SRC] = {VENDOR, true, false},
        [FT_KEYWORD_VENDOR_DST] = {VENDOR, false, true},
        [FT_KEYWORD_VENDOR] = {VENDOR, true, true},
        [FT_KEYWORD_MODEL_SRC] = {MODEL, true, false},
        [FT_KEYWORD_MODEL_DST] = {MODEL, false, true},
        [FT_KEYWORD_MODEL] = {MODEL, true, true},
        [FT_KEYWORD_TYPE_SRC] = {TYPE, true, false},
        [FT_KEYWORD_TYPE_DST] = {TYPE, false, true},
        [FT_KEYWORD_TYPE] = {TYPE, true, true},
    };
    const struct ft_rule_scene *scene = user;
    const struct ft_asset *all[4];
    uint32_t count = 0;
    if (rows[keyword].of_sender)
        count += devices(scene, FT_SENDER, all);
    if (rows[keyword].of_receiver)
        count += devices(scene, FT_RECEIVER, all + count);
    for (uint32_t i = 0; i < count; i++) {
        *text = word_of(scene, all[i], rows[keyword].word);
        if (is_said(*text) && index-- == 0)
            return true;
    }
    return false;
}

/* ---- the subject ---- */

static uint8_t transport_of(const struct ft_event_packet *p)
{
    if (p->family != 4 && p->family != 6)
        return FT_TRANSPORT_L2;
    return p->proto == 6 ? FT_TRANSPORT_TCP : p->proto == 17 ? FT_TRANSPORT_UDP : FT_TRANSPORT_IP;
}

void ft_rule_subject(const struct ft_rule_scene *scene, struct ft_subject *to)
{
    const struct ft_event_packet *p = &scene->event->packet;
    bool is_ip = p->family == 4 || p->family == 6;
    uint8_t transport = transport_of(p);
    *to = (struct ft_subject){
        .transport = transport,
        .ip_version = is_ip ? p->family : 0,
        .src_ip = p->src.bytes,
        .dst_ip = p->dst.bytes,
        .src_mac = p->has_mac ? p->src_mac : NULL,
        .dst_mac = p->has_mac ? p->dst_mac : NULL,
        .src_port = p->src_port,
        .dst_port = p->dst_port,
        .has_ports = transport == FT_TRANSPORT_TCP || transport == FT_TRANSPORT_UDP,
        .ethertype = p->ethertype,
        .vlan_count = p->vlan_count < FT_PACKET_VLANS ? p->vlan_count : FT_PACKET_VLANS,
        .ip_protocol = is_ip ? p->proto : 0,
        .number = scene->event->number,
        .asset = asset_word,
        .user = (void *)(uintptr_t)scene,
    };
    memcpy(to->vlan, p->vlan, sizeof(to->vlan));
}

/* ---- values as text ---- */

/* A text being written; what does not fit is left out. */
struct text {
    char *to;
    uint32_t size, used;
    uint32_t values; /* of the name at hand */
};

static void put(struct text *t, const char *from, uint32_t n)
{
    n = n < t->size - t->used ? n : t->size - t->used;
    memcpy(t->to + t->used, from, n);
    t->used += n;
}

/* Another value of a name. */
static void value(struct text *t, const char *from, uint32_t n)
{
    if (t->values > VALUES_MAX)
        return;
    put(t, ", ", t->values ? 2 : 0);
    if (t->values++ == VALUES_MAX)
        put(t, "...", 3);
    else
        put(t, from, n);
}

static void value_string(struct text *t, const char *string)
{
    if (string)
        value(t, string, (uint32_t)strlen(string));
}

static void value_number(struct text *t, uint64_t number)
{
    char digits[FT_DECIMAL_MAX];
    value(t, digits, (uint32_t)(ft_decimal(digits, number) - digits));
}

static void value_ip(struct text *t, const struct ft_event *e, bool is_dst)
{
    char text[64];
    struct ft_address address = ft_event_address(e, is_dst ? FT_RECEIVER : FT_SENDER);
    if (address.family != 4 && address.family != 6)
        return;
    ft_address_text(&address, text);
    value_string(t, text);
}

static void value_mac(struct text *t, const struct ft_event *e, bool is_dst)
{
    char text[64];
    struct ft_address address = {.family = 2};
    memcpy(address.ip.bytes, is_dst ? e->packet.dst_mac : e->packet.src_mac, 6);
    ft_address_text(&address, text);
    if (e->packet.has_mac)
        value_string(t, text);
}

static void value_zone(struct text *t, const struct ft_rule_scene *scene, bool is_dst,
                       bool is_purdue)
{
    const struct ft_event_packet *p = &scene->event->packet;
    char text[32];
    if (p->family != 4 && p->family != 6)
        return;
    const struct ft_zone *zone = ft_vocabulary_zone(
        scene->vocabulary, ft_set_address_of(is_dst ? p->dst.bytes : p->src.bytes, p->family == 6));
    if (!zone || (is_purdue && zone->purdue < 0))
        return;
    snprintf(text, sizeof(text), "%g", zone->purdue);
    value_string(t, is_purdue ? text : zone->name);
}

static void value_ports(struct text *t, const struct ft_event_packet *p, bool of_src, bool of_dst)
{
    uint8_t transport = transport_of(p);
    if (transport != FT_TRANSPORT_TCP && transport != FT_TRANSPORT_UDP)
        return;
    if (of_src)
        value_number(t, p->src_port);
    if (of_dst)
        value_number(t, p->dst_port);
}

/* Of the server, then of the client. */
static void value_subs(struct text *t, const struct ft_event *e)
{
    char text[160];
    for (unsigned i = 2; i--;) {
        const struct ft_event_sub *sub = &e->message.sub[i];
        if (!sub->kind)
            continue;
        ft_sub_text(sub->kind, sub->value, sub->text ? (const char *)e + sub->text : NULL,
                    sub->length, text, sizeof(text));
        value_string(t, text);
    }
}

/* Of what no dissector reads it is what the flow knows. */
static enum ft_direction direction_of(const struct ft_event *e)
{
    if (ft_event_is_of_rule(e))
        return (enum ft_direction)e->message.direction;
    return e->packet.server_side > 1 || e->packet.is_multicast ? FT_DIRECTION_NONE
           : e->packet.server_side == 0                        ? FT_TO_CLIENT
                                                               : FT_TO_SERVER;
}

/* What no dissector reads is known to be so where there is something to read. */
static void value_of_message(struct text *t, const struct ft_rule_scene *scene,
                             const struct ft_rule *rule, enum ft_keyword k)
{
    const struct ft_event_message *m = &scene->event->message;
    const struct ft_protocol *p = protocol_of(scene);
    char scratch[32];
    if (k == FT_KEYWORD_PROTOCOL)
        value_string(t, p ? p->name : rule->level >= FT_LEVEL_PAYLOAD ? FT_UNKNOWN_PROTOCOL : NULL);
    if (k == FT_KEYWORD_DIRECTION)
        value_string(t, ft_direction_name(direction_of(scene->event)));
    if (k == FT_KEYWORD_KIND)
        value_string(t, ft_kind_name((enum ft_kind)m->kind));
    if (!ft_event_is_of_rule(scene->event) || !p)
        return;
    if (k == FT_KEYWORD_COMMAND && m->has_command)
        value_string(t, ft_command_name(p, m->code, m->qualifier, scratch));
    if (k == FT_KEYWORD_COMMAND_CODE && m->has_command)
        value_number(t, m->code);
    if (k == FT_KEYWORD_CLASS && m->has_command)
        value_string(t, ft_class_name((enum ft_class)m->class_));
    if (k == FT_KEYWORD_RESPONSE_TIME && m->is_paired)
        value_number(t, m->response_ns / 1000);
    if (k == FT_KEYWORD_SUBADDRESS)
        value_subs(t, scene->event);
}

static void value_of_keyword(struct text *t, const struct ft_rule_scene *scene,
                             const struct ft_rule *rule, enum ft_keyword k)
{
    static const char *const transports[] = {[FT_TRANSPORT_L2] = "ethernet",
                                             [FT_TRANSPORT_IP] = "ip",
                                             [FT_TRANSPORT_UDP] = "udp",
                                             [FT_TRANSPORT_TCP] = "tcp"};
    const struct ft_event *e = scene->event;
    const struct ft_event_packet *p = &e->packet;
    char hex[16];
    switch (k) {
    case FT_KEYWORD_IP_SRC:
    case FT_KEYWORD_IP_DST:
        value_ip(t, e, k == FT_KEYWORD_IP_DST);
        break;
    case FT_KEYWORD_IP_ADDR:
        value_ip(t, e, false);
        value_ip(t, e, true);
        break;
    case FT_KEYWORD_ETH_SRC:
    case FT_KEYWORD_ETH_DST:
        value_mac(t, e, k == FT_KEYWORD_ETH_DST);
        break;
    case FT_KEYWORD_ETH_ADDR:
        value_mac(t, e, false);
        value_mac(t, e, true);
        break;
    case FT_KEYWORD_VLAN:
        for (uint32_t i = 0; i < p->vlan_count && i < FT_PACKET_VLANS; i++)
            value_number(t, p->vlan[i]);
        break;
    case FT_KEYWORD_ETHERTYPE:
        snprintf(hex, sizeof(hex), "0x%04x", p->ethertype);
        value_string(t, p->ethertype ? hex : NULL);
        break;
    case FT_KEYWORD_TRANSPORT:
        value_string(t, transports[transport_of(p)]);
        break;
    case FT_KEYWORD_IP_PROTOCOL:
        if (p->family == 4 || p->family == 6)
            value_number(t, p->proto);
        break;
    case FT_KEYWORD_PORT_SRC:
    case FT_KEYWORD_PORT_DST:
    case FT_KEYWORD_PORT:
        value_ports(t, p, k != FT_KEYWORD_PORT_DST, k != FT_KEYWORD_PORT_SRC);
        break;
    case FT_KEYWORD_ZONE_SRC:
    case FT_KEYWORD_ZONE_DST:
        value_zone(t, scene, k == FT_KEYWORD_ZONE_DST, false);
        break;
    case FT_KEYWORD_PURDUE_SRC:
    case FT_KEYWORD_PURDUE_DST:
        value_zone(t, scene, k == FT_KEYWORD_PURDUE_DST, true);
        break;
    default:
        value_of_message(t, scene, rule, k);
    }
}

static void value_of_field(struct text *t, const struct ft_rule_scene *scene,
                           const struct ft_operand *o)
{
    const struct ft_protocol *p = scene->registry->protocols[o->protocol];
    struct ft_event_trees trees = {0};
    struct ft_tree_value v;
    char text[VALUE_SIZE];
    while (ft_event_trees_next(scene->event, &trees)) {
        if (trees.protocol != o->protocol + 1)
            continue;
        for (uint32_t offset = 0; ft_tree_next(trees.tree, trees.length, &offset, &v);)
            if (v.field == o->field)
                value(t, text, ft_tree_text(p, &v, scene->options, text, sizeof(text)));
        return; /* of the nearest, as conditions are */
    }
}

/* What the worker wrote for a part of the message: values of payloads. */
static void value_of_payload(struct text *t, const struct ft_event *e, uint32_t part)
{
    const uint8_t *base = (const uint8_t *)e, *at;
    struct ft_event_more more;
    if (!ft_event_more(e, &more))
        return;
    for (uint32_t i = 0; i < more.texts_length; i += 2u + at[1]) {
        at = base + more.texts + i;
        if (at[0] == part)
            value(t, (const char *)at + 2, at[1]);
    }
}

/* Of one device the first that is known: what is behind the address before the address itself. */
static void value_of_devices(struct text *t, const struct ft_rule_scene *scene,
                             const struct ft_operand *o)
{
    const char *word;
    for (uint32_t i = 0; (o->is_many || !i) && asset_word((void *)(uintptr_t)scene,
                                                          (enum ft_keyword)o->keyword, i, &word);
         i++)
        value_string(t, word);
}

static void value_of(struct text *t, const struct ft_rule_scene *scene, const struct ft_rule *rule,
                     uint32_t part)
{
    const struct ft_operand *o = &rule->parts[part];
    uint32_t before = t->used;
    t->values = 0;
    if (o->level == FT_LEVEL_ASSET)
        value_of_devices(t, scene, o);
    else if (ft_operand_is_of_packet(o))
        value_of_payload(t, scene->event, part);
    else if (o->keyword)
        value_of_keyword(t, scene, rule, (enum ft_keyword)o->keyword);
    else
        value_of_field(t, scene, o);
    if (t->used == before)
        put(t, "?", 1);
}

/* ---- messages ---- */

/* Take back the bytes of a character that was cut. */
static uint32_t whole_characters(const char *text, uint32_t n)
{
    uint32_t start = n, bytes;
    while (start && n - start < 3 && ((uint8_t)text[start - 1] & 0xc0) == 0x80)
        start--;
    if (!start || (uint8_t)text[start - 1] < 0xc0)
        return n;
    bytes = (uint8_t)text[start - 1] >= 0xf0 ? 4 : (uint8_t)text[start - 1] >= 0xe0 ? 3 : 2;
    return n - (start - 1) < bytes ? start - 1 : n;
}

uint32_t ft_rule_message(const struct ft_rule_scene *scene, const struct ft_rule *rule, char *to,
                         uint32_t size)
{
    struct text t = {.to = to, .size = size};
    const char *at = rule->message ? rule->message : rule->title;
    uint32_t part = 0;
    if (!rule->message)
        put(&t, at, (uint32_t)strlen(at));
    while (rule->message && *at) {
        uint32_t n = (uint32_t)strcspn(at, "{");
        put(&t, at, n);
        at += n;
        if (at[0] == '{' && at[1] == '{') {
            put(&t, "{", 1);
            at += 2;
        } else if (*at) {
            if (part < rule->part_count)
                value_of(&t, scene, rule, part++);
            at += strcspn(at, "}");
            at += *at == '}';
        }
    }
    return t.used == size ? whole_characters(to, t.used) : t.used;
}
