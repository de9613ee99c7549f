/* SPDX-License-Identifier: BSD-3-Clause */
/* Events as EVE JSON lines. */
#include "output/eve.h"

#include "evidence/name.h"
#include "flow/flow.h"
#include "output/community_id.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ft_eve {
    struct ft_eve_config config;
    const struct ft_registry *registry;
    struct ft_community_id *community;
    struct ft_tree_options tree;
    uint64_t uid;
    struct ft_output_line line; /* made last */
    char *sensor;
    /* What all lines have alike, written once: the text before and behind the number of the uid. */
    char *before_uid, *behind_uid;
    uint32_t before_uid_length, behind_uid_length;
};

/* What stands at the end of a line, in `fieldtap`. */
struct tail {
    const struct ft_event *event; /* NULL: nothing of a packet */
    const struct ft_eve_finding *finding;
    const struct ft_eve_life *life;
    const struct ft_eve_change *change;
    bool is_alert;     /* `life` is that of an alert; */
    bool is_rule;      /* of a rule's event; else of an anomaly */
    bool has_message;  /* event->message is set: sub-addresses */
    bool has_evidence; /* event->message.at too */
    bool is_truncated;
};

/* The parts of the end of a line that never change. */
static bool make_constants(struct ft_eve *eve, const char *site)
{
    uint32_t size = 64 + 6 * 3 * (uint32_t)strlen(eve->sensor) + 6 * (uint32_t)strlen(site);
    eve->before_uid = malloc(size);
    eve->behind_uid = malloc(size);
    if (!eve->before_uid || !eve->behind_uid)
        return false;
    struct ft_json j = ft_json_make(eve->before_uid, size);
    ft_json_put_string(&j, "host", eve->sensor);
    ft_json_key(&j, "fieldtap");
    ft_json_object(&j);
    ft_json_put_uint(&j, "schema_version", FT_EVE_SCHEMA_VERSION);
    ft_json_put_string(&j, "event_uid", eve->sensor);
    j.text[j.length - 1] = '-'; /* instead of the closing quote: the number follows */
    eve->before_uid_length = j.length;

    j = ft_json_make(eve->behind_uid, size);
    j.text[j.length++] = '"';
    j.wants_comma = true;
    ft_json_put_string(&j, "sensor", eve->sensor);
    if (*site)
        ft_json_put_string(&j, "site", site);
    eve->behind_uid_length = j.length;
    return true;
}

struct ft_eve *ft_eve_new(const struct ft_eve_config *config, const struct ft_registry *registry)
{
    struct ft_eve *eve = calloc(1, sizeof(*eve));
    if (!eve)
        return NULL;
    eve->config = *config;
    eve->registry = registry;
    eve->uid = config->first_uid ? config->first_uid : 1;
    eve->tree = (struct ft_tree_options){.log_secrets = config->log_secrets,
                                         .salt = {config->salt[0], config->salt[1]},
                                         .leaves = FT_EVE_LEAVES,
                                         .bytes = FT_EVE_BYTES};
    eve->community = ft_community_id_new();
    eve->sensor = strdup(config->sensor && *config->sensor ? config->sensor : "fieldtap");
    if (eve->community && eve->sensor && make_constants(eve, config->site ? config->site : ""))
        return eve;
    ft_eve_free(eve);
    return NULL;
}

void ft_eve_free(struct ft_eve *eve)
{
    if (!eve)
        return;
    ft_community_id_free(eve->community);
    free(eve->sensor);
    free(eve->before_uid);
    free(eve->behind_uid);
    free(eve);
}

uint64_t ft_eve_next_uid(const struct ft_eve *eve)
{
    return eve->uid;
}

void ft_eve_set_next_uid(struct ft_eve *eve, uint64_t uid)
{
    eve->uid = uid;
}

const struct ft_output_line *ft_eve_line(const struct ft_eve *eve)
{
    return &eve->line;
}

uint64_t ft_eve_uid_after(const char *line)
{
    /* Quotes inside strings are escaped, so this can only be the key. */
    static const char key[] = "\"event_uid\":\"";
    const char *at = strstr(line, key);
    if (!at)
        return 0;
    at += sizeof(key) - 1;
    const char *number = at + strcspn(at, "\"");
    while (number > at && number[-1] >= '0' && number[-1] <= '9')
        number--;
    uint64_t n = strtoull(number, NULL, 10);
    return n < UINT64_MAX - 1 ? n + 1 : 0;
}

/* ---- header ---- */

/* By index + 1. */
static const struct ft_protocol *protocol_at(const struct ft_eve *eve, uint16_t number)
{
    return number && number <= eve->registry->count ? eve->registry->protocols[number - 1] : NULL;
}

static const struct ft_protocol *protocol_of(const struct ft_eve *eve, const struct ft_event *e)
{
    return protocol_at(eve, e->protocol);
}

static const char *proto_name(uint8_t proto, char scratch[8])
{
    static const char *const names[256] = {
        [1] = "ICMP", [2] = "IGMP", [6] = "TCP",        [17] = "UDP",   [47] = "GRE",
        [50] = "ESP", [51] = "AH",  [58] = "IPv6-ICMP", [132] = "SCTP",
    };
    if (names[proto])
        return names[proto];
    snprintf(scratch, 8, "%03u", proto);
    return scratch;
}

static bool has_ports(const struct ft_event_packet *p)
{
    return p->family != 2 && (p->proto == 6 || p->proto == 17 || p->proto == 132);
}

static void put_ip(struct ft_json *j, const char *key, const union ft_ip *ip, bool is_ipv6)
{
    ft_json_key(j, key);
    ft_json_ip(j, ip->bytes, is_ipv6);
}

static bool is_icmp(const struct ft_event_packet *p)
{
    return p->family != 2 && (p->proto == 1 || p->proto == 58);
}

/*
 * May src and dest change places? Who reads an ICMP line makes the Community ID of its addresses
 * and type, which is the type of what src sends: an echo reply turned round is the echo request.
 * What has no counterpart is not turned: "unreachable" is only said by who said it.
 */
static bool can_turn(const struct ft_event_packet *p)
{
    return !is_icmp(p) || ft_icmp_counterpart(p->src_port, p->proto == 58) >= 0;
}

static void put_icmp(struct ft_json *j, const struct ft_event_packet *p, bool swap)
{
    int type = swap ? ft_icmp_counterpart(p->src_port, p->proto == 58) : p->src_port;
    ft_json_put_uint(j, "icmp_type", (uint64_t)type);
    ft_json_put_uint(j, "icmp_code", p->dst_port);
}

static void put_addresses(const struct ft_eve *eve, struct ft_json *j,
                          const struct ft_event_packet *p, bool swap)
{
    char scratch[8];
    if (p->family == 2) {
        if (eve->config.arkime_addresses) {
            ft_json_put_string(j, "src_ip", "0.0.0.0");
            ft_json_put_string(j, "dest_ip", "0.0.0.0");
        }
        ft_json_put_string(j, "proto", "ETH");
        return;
    }
    put_ip(j, "src_ip", swap ? &p->dst : &p->src, p->family == 6);
    if (has_ports(p))
        ft_json_put_uint(j, "src_port", swap ? p->dst_port : p->src_port);
    put_ip(j, "dest_ip", swap ? &p->src : &p->dst, p->family == 6);
    if (has_ports(p))
        ft_json_put_uint(j, "dest_port", swap ? p->src_port : p->dst_port);
    ft_json_put_string(j, "proto", proto_name(p->proto, scratch));
    ft_json_put_uint(j, "ip_v", p->family);
    if (is_icmp(p))
        put_icmp(j, p, swap);
}

static void put_ether(struct ft_json *j, const struct ft_event_packet *p, bool swap)
{
    if (!p->has_mac)
        return;
    ft_json_key(j, "ether");
    ft_json_object(j);
    if (p->family == 2)
        ft_json_put_uint(j, "ether_type", p->ethertype);
    ft_json_key(j, "src_mac");
    ft_json_mac(j, swap ? p->dst_mac : p->src_mac);
    ft_json_key(j, "dest_mac");
    ft_json_mac(j, swap ? p->src_mac : p->dst_mac);
    ft_json_object_end(j);
}

static void put_tunnel(struct ft_json *j, const struct ft_outer *o, bool swap)
{
    static const char *const names[] = {"none", "gre", "erspan", "vxlan", "geneve", "ipip"};
    char scratch[8];
    if (o->tunnel == FT_TUNNEL_NONE || o->tunnel > FT_TUNNEL_IPIP)
        return;
    /* A mirror session has one direction, from the switch, whoever spoke. */
    swap = swap && o->tunnel != FT_TUNNEL_ERSPAN;
    ft_json_key(j, "tunnel");
    ft_json_object(j);
    put_ip(j, "src_ip", swap ? &o->dst : &o->src, o->is_ipv6);
    ft_json_put_uint(j, "src_port", swap ? o->dst_port : o->src_port);
    put_ip(j, "dest_ip", swap ? &o->src : &o->dst, o->is_ipv6);
    ft_json_put_uint(j, "dest_port", swap ? o->src_port : o->dst_port);
    ft_json_put_string(j, "proto", proto_name(o->proto, scratch));
    ft_json_put_uint(j, "depth", o->depth);
    ft_json_put_string(j, "pkt_src", names[o->tunnel]);
    if (o->id)
        ft_json_put_uint(j, "id", o->id);
    ft_json_object_end(j);
}

static void put_vlan(struct ft_json *j, const struct ft_event_packet *p)
{
    uint32_t n = p->vlan_count < FT_PACKET_VLANS ? p->vlan_count : FT_PACKET_VLANS;
    if (!n)
        return;
    ft_json_key(j, "vlan");
    ft_json_array(j);
    for (uint32_t i = 0; i < n; i++)
        ft_json_uint(j, p->vlan[i]);
    ft_json_array_end(j);
}

static void put_community(const struct ft_eve *eve, struct ft_json *j,
                          const struct ft_event_packet *p)
{
    struct ft_community_tuple t = {.src_port = p->src_port,
                                   .dst_port = p->dst_port,
                                   .proto = p->proto,
                                   .is_ipv6 = p->family == 6};
    if (p->family == 2)
        return;
    memcpy(t.src, p->src.bytes, p->family == 6 ? 16 : 4);
    memcpy(t.dst, p->dst.bytes, p->family == 6 ? 16 : 4);
    ft_json_put_string(j, "community_id", ft_community_id(eve->community, &t));
}

static void begin_line(struct ft_eve *eve, const struct ft_event *e, const char *event_type)
{
    eve->line.event_type = event_type;
    eve->line.time_ns = e->time_ns;
    eve->line.severity = 0;
}

void ft_eve_begin(struct ft_eve *eve, const struct ft_event *event, const char *event_type,
                  struct ft_json *j)
{
    begin_line(eve, event, event_type);
    ft_json_object(j);
    ft_json_key(j, "timestamp");
    ft_json_time(j, event->time_ns);
    if (event->number)
        ft_json_put_uint(j, "pcap_cnt", event->number);
    ft_json_put_string(j, "event_type", event_type);
}

/* Everything up to app_proto. `swap`: src is the client and not the sender. */
static void put_header(struct ft_eve *eve, struct ft_json *j, const struct ft_event *e,
                       const char *event_type, bool swap, bool has_community)
{
    const struct ft_event_packet *p = &e->packet;
    const struct ft_protocol *protocol = protocol_of(eve, e);
    swap = swap && can_turn(p);
    begin_line(eve, e, event_type);
    ft_json_object(j);
    ft_json_key(j, "timestamp");
    ft_json_time(j, e->time_ns);
    if (p->flow_id)
        ft_json_put_uint(j, "flow_id", p->flow_id);
    if (p->interface < eve->config.interface_count)
        ft_json_put_string(j, "in_iface", eve->config.interfaces[p->interface]);
    if (e->number)
        ft_json_put_uint(j, "pcap_cnt", e->number);
    ft_json_put_string(j, "event_type", event_type);
    put_vlan(j, p);
    if (p->family)
        put_addresses(eve, j, p, swap);
    put_ether(j, p, swap);
    put_tunnel(j, &p->outer, swap);
    if (has_community && p->family)
        put_community(eve, j, p);
    if (protocol)
        ft_json_put_string(j, "app_proto", protocol->name);
}

/* Clients are src: the sender is the server. */
static bool server_sends(const struct ft_event *e)
{
    return e->packet.server_side == 0;
}

/* As the message has it: "none" where its protocol knows no servers, whatever the flow looks like.
 */
static void put_direction(struct ft_json *j, const struct ft_event *e)
{
    ft_json_put_string(j, "direction", ft_direction_name((enum ft_direction)e->message.direction));
}

/* ---- fieldtap ---- */

static void put_words(struct ft_json *j, const char *key, const char *words)
{
    ft_json_key(j, key);
    ft_json_array(j);
    for (const char *at = words; *at;) {
        uint32_t n = (uint32_t)strcspn(at, " ");
        if (n)
            ft_json_text(j, at, n);
        at += n + (at[n] == ' ');
    }
    ft_json_array_end(j);
}

static void put_sub(struct ft_json *j, const char *key, const struct ft_event *e,
                    const struct ft_event_sub *sub)
{
    if (sub->kind == FT_SUB_NONE)
        return;
    const char *text = sub->text ? (const char *)e + sub->text : NULL;
    char shown[160];
    ft_sub_text(sub->kind, sub->value, text, sub->length, shown, sizeof(shown));
    ft_json_key(j, key);
    ft_json_object(j);
    ft_json_put_string(j, "kind", ft_subaddress_name((enum ft_subaddress_kind)sub->kind));
    if (!text && sub->value <= INT64_MAX) /* readers keep signed numbers of 64 bits */
        ft_json_put_uint(j, "value", sub->value);
    ft_json_put_string(j, "text", shown);
    ft_json_object_end(j);
}

static void put_subs(struct ft_json *j, const struct ft_event *e)
{
    const struct ft_event_sub *sub = e->message.sub;
    if (sub[0].kind == FT_SUB_NONE && sub[1].kind == FT_SUB_NONE)
        return;
    ft_json_key(j, "sub_addresses");
    ft_json_object(j);
    put_sub(j, "client", e, &sub[0]);
    put_sub(j, "server", e, &sub[1]);
    ft_json_object_end(j);
}

/* "object.point.index": the groups around a field and the field; of what carries the message with
 * the name of its protocol in front. */
static void put_field_name(const struct ft_eve *eve, struct ft_json *j, const struct ft_event *e,
                           const struct ft_event_evidence *of, const char *element)
{
    const struct ft_protocol *p = protocol_at(eve, of->protocol);
    const char *parts[FT_MAX_GROUP_DEPTH + 1];
    bool is_carrier = of->protocol != e->protocol;
    uint32_t count = 0, n = 0;
    char path[FT_MAX_GROUP_DEPTH * 64], with_protocol[FT_EVIDENCE_NAME + 64];
    for (uint32_t f = of->field; f && count <= FT_MAX_GROUP_DEPTH; f = p->fields[f].parent)
        parts[count++] = p->fields[f].name;
    if (is_carrier)
        n = (uint32_t)snprintf(path, sizeof(path), "%s%s", p->name, count ? "." : "");
    while (count-- && n < sizeof(path))
        n += (uint32_t)snprintf(path + n, sizeof(path) - n, "%s%s", parts[count], count ? "." : "");
    ft_json_put_string(j, "field", path);
    if (!of->name)
        return;
    snprintf(with_protocol, sizeof(with_protocol), "%s%s%.*s", is_carrier ? p->name : "",
             is_carrier ? "." : "", (int)of->name, element);
    ft_json_put_string(j, "element", with_protocol);
}

/* Take back the bytes of a character that was cut. */
static uint32_t whole_characters(const char *text, uint32_t n)
{
    uint32_t start = n;
    while (start && n - start < 4 && ((uint8_t)text[start - 1] & 0xc0) == 0x80)
        start--;
    return start && (uint8_t)text[start - 1] >= 0xc0 ? start - 1 : n;
}

static uint32_t secret_text(const struct ft_event_evidence *of, char *to, uint32_t size)
{
    return (uint32_t)snprintf(to, size, "(secret of %u bytes)", of->length);
}

/* What a field had, as everywhere; a secret by length and hash, or by its length alone when not
 * all of it came along. */
static uint32_t field_text(const struct ft_eve *eve, const struct ft_event_evidence *of,
                           const uint8_t *bytes, char *to, uint32_t size)
{
    const struct ft_tree_value value = {.field = of->field,
                                        .type = of->type,
                                        .flags = of->flags,
                                        .length = of->value,
                                        .u = of->u,
                                        .bytes = bytes};
    if (of->flags & FT_FIELD_SECRET && !eve->tree.log_secrets && of->value < of->length)
        return secret_text(of, to, size);
    return ft_tree_text(protocol_at(eve, of->protocol), &value, &eve->tree, to, size);
}

/*
 * The value for which a rule held: of a field of the message, of what carries it, of a keyword or
 * of a tag. Always text, so that the type of the key is one; what is left out of it is "...".
 */
static void put_rule_evidence(const struct ft_eve *eve, struct ft_json *j, const struct ft_event *e)
{
    struct ft_event_more more;
    struct ft_event_evidence of;
    char name[FT_EVIDENCE_NAME], text[2 * FT_EVIDENCE_VALUE + 4];
    uint8_t value[FT_EVIDENCE_VALUE];
    uint32_t n;
    if (!ft_event_more(e, &more) || more.evidence_length < sizeof(of))
        return;
    const uint8_t *at = (const uint8_t *)e + more.evidence;
    memcpy(&of, at, sizeof(of));
    if (of.name > sizeof(name) || of.value > sizeof(value) ||
        sizeof(of) + of.name + of.value > more.evidence_length)
        return;
    memcpy(name, at + sizeof(of), of.name);
    memcpy(value, at + sizeof(of) + of.name, of.value);
    const struct ft_protocol *p = protocol_at(eve, of.protocol);
    bool is_hidden = of.flags & FT_FIELD_SECRET && !eve->tree.log_secrets;
    if (p && of.field < p->field_count) {
        put_field_name(eve, j, e, &of, name);
        n = of.type == FT_TYPE_GROUP ? 0 : field_text(eve, &of, value, text, sizeof(text) - 4);
    } else {
        ft_json_key(j, "field");
        ft_json_text(j, name, of.name);
        n = is_hidden ? secret_text(&of, text, sizeof(text)) : of.value;
        if (!is_hidden)
            memcpy(text, value, n);
    }
    if (of.value < of.length && !is_hidden) {
        n = whole_characters(text, n);
        memcpy(text + n, "...", 3);
        n += 3;
    }
    ft_json_key(j, "value");
    ft_json_text(j, text, n);
}

static void put_evidence(const struct ft_eve *eve, struct ft_json *j, const struct tail *t)
{
    const struct ft_event *e = t->event;
    const struct ft_protocol *p = protocol_of(eve, e);
    char path[200];
    ft_json_key(j, "evidence");
    ft_json_object(j);
    if (e->type == FT_EVENT_RULE)
        put_rule_evidence(eve, j, e);
    else if (t->has_evidence && p && e->message.at != UINT32_MAX && e->message.tree_length &&
             ft_tree_path(p, (const uint8_t *)e + e->message.tree, e->message.tree_length,
                          e->message.at, e->message.at_length, path, sizeof(path)))
        ft_json_put_string(j, "field", path);
    if (t->has_evidence && e->message.at != UINT32_MAX) {
        ft_json_put_uint(j, "offset", e->message.at);
        ft_json_put_uint(j, "length", e->message.at_length);
    }
    struct ft_event_more more;
    bool has_own = e->type == FT_EVENT_RULE && ft_event_more(e, &more) && more.number;
    uint64_t number = has_own ? more.number : e->number;
    if (number)
        ft_json_put_uint(j, "packet", number);
    ft_json_object_end(j);
}

static void put_uid(const struct ft_eve *eve, struct ft_json *j, const char *key, uint64_t number)
{
    char text[24];
    int n = snprintf(text, sizeof(text), "-%llu", (unsigned long long)number);
    ft_json_key(j, key);
    /* The name is text of people: written by the writer, the number put inside its quotes. */
    ft_json_string(j, eve->sensor);
    if (j->is_full || j->size - j->length < (uint32_t)n) {
        j->is_full = true;
        return;
    }
    j->length--;
    memcpy(j->text + j->length, text, (size_t)n);
    j->length += (uint32_t)n;
    j->text[j->length++] = '"';
}

void ft_eve_uid_text(const struct ft_eve *eve, uint64_t number, char text[FT_EVE_UID_MAX])
{
    snprintf(text, FT_EVE_UID_MAX, "%.100s-%llu", eve->sensor, (unsigned long long)number);
}

static void put_evidence_file(const struct ft_eve *eve, struct ft_json *j, uint64_t number)
{
    char id[FT_EVE_UID_MAX], name[FT_EVE_UID_MAX + sizeof(FT_EVIDENCE_SUFFIX)];
    ft_eve_uid_text(eve, number, id);
    if (ft_evidence_file_name(id, name, sizeof(name)))
        ft_json_put_string(j, "evidence_file", name);
}

static void put_finding(struct ft_json *j, const struct ft_eve_finding *f)
{
    ft_json_put_string(j, "engine", ft_engine_name((enum ft_engine)f->engine));
    ft_json_put_string(j, "severity", ft_severity_name((enum ft_severity)f->severity));
    ft_json_put_string(j, "title", f->key);
    if (f->mitre && *f->mitre)
        put_words(j, "mitre", f->mitre);
    if (f->reference)
        ft_json_put_string(j, "reference", f->reference);
    if (f->remediation)
        ft_json_put_string(j, "remediation", f->remediation);
}

/* Which rule it was, and what it says about the message. */
static void put_rule(struct ft_json *j, const struct ft_eve_finding *f,
                     const struct ft_eve_life *life)
{
    const struct ft_eve_rule *r = f->rule;
    if (life && life->message)
        ft_json_key(j, "message");
    if (life && life->message)
        ft_json_text(j, life->message, life->message_length);
    ft_json_key(j, "rule");
    ft_json_object(j);
    ft_json_put_uint(j, "id", r->id);
    ft_json_put_uint(j, "revision", r->revision);
    ft_json_put_bool(j, "built_in", r->is_built_in);
    if (r->wants_packets)
        ft_json_put_bool(j, "evidence", true);
    if (r->file)
        ft_json_put_string(j, "file", r->file);
    ft_json_object_end(j);
    if (!r->is_built_in)
        ft_json_put_string(j, "remark", FT_EVE_REMARK);
}

static void put_commands(struct ft_json *j, const struct ft_protocol *p,
                         const struct ft_eve_commands *commands)
{
    char scratch[32];
    ft_json_key(j, "commands");
    ft_json_array(j);
    for (uint32_t i = 0; i < commands->count; i++)
        ft_json_string(
            j, ft_command_name(p, commands->rows[i].code, commands->rows[i].qualifier, scratch));
    ft_json_array_end(j);
    if (commands->has_more)
        ft_json_put_bool(j, "commands_truncated", true);
}

static void put_life(const struct ft_eve *eve, struct ft_json *j, const struct ft_eve_life *life,
                     const char *id)
{
    put_uid(eve, j, id, life->id);
    ft_json_put_string(j, "state", life->is_update ? "updated" : "new");
    ft_json_put_uint(j, "count", life->count);
    ft_json_key(j, "first_seen");
    ft_json_time(j, life->first_ns);
    ft_json_key(j, "last_seen");
    ft_json_time(j, life->last_ns);
    if (life->is_aggregated)
        ft_json_put_bool(j, "aggregated", true);
    if (life->has_packets)
        put_evidence_file(eve, j, life->id);
}

static void put_packet_marks(struct ft_json *j, const struct tail *t)
{
    static const char *const confidence[] = {"guess", "port", "handshake", "dissector"};
    const struct ft_event_packet *p = &t->event->packet;
    if (t->has_message)
        put_subs(j, t->event);
    if (t->finding)
        return;
    if (p->family && p->server_side != 2 && p->confidence < 4)
        ft_json_put_string(j, "direction_confidence", confidence[p->confidence]);
}

/* Who asked for whom, or has what: frames of address resolution have MAC addresses only. */
static void put_resolution(struct ft_json *j, const struct ft_event_resolution *r)
{
    static const char *const names[] = {NULL, "question", "answer", "announcement", "probe"};
    if (r->what < FT_RESOLUTION_QUESTION || r->what > FT_RESOLUTION_PROBE)
        return;
    ft_json_key(j, "resolution");
    ft_json_object(j);
    ft_json_put_string(j, "what", names[r->what]);
    ft_json_key(j, "mac");
    ft_json_mac(j, r->mac);
    if (r->what != FT_RESOLUTION_PROBE) {
        ft_json_key(j, "ip");
        ft_json_ip(j, r->ip.bytes, r->family == 6);
    }
    ft_json_key(j, "target");
    ft_json_ip(j, r->target.bytes, r->family == 6);
    ft_json_object_end(j);
}

/* Whose time stamp it is. */
static void put_stamp(struct ft_json *j, uint8_t stamp)
{
    static const char *const names[] = {
        [FT_STAMP_HOST] = "host", [FT_STAMP_KERNEL] = "kernel", [FT_STAMP_INTERFACE] = "interface"};
    if (stamp != FT_STAMP_CAPTURE && stamp <= FT_STAMP_INTERFACE)
        ft_json_put_string(j, "timestamp_source", names[stamp]);
}

static void put_device(struct ft_json *j, const char *key, const struct ft_eve_device *d)
{
    if (!d->name && !d->vendor && !d->os)
        return;
    ft_json_key(j, key);
    ft_json_object(j);
    if (d->name)
        ft_json_put_string(j, "name", d->name);
    if (d->vendor)
        ft_json_put_string(j, "vendor", d->vendor);
    if (d->os)
        ft_json_put_string(j, "os", d->os);
    ft_json_object_end(j);
}

/* Named as the addresses are: src sent the packet. */
static void put_devices(struct ft_json *j, const struct ft_eve_device d[2])
{
    struct ft_json before = *j;
    ft_json_key(j, "devices");
    ft_json_object(j);
    uint32_t empty = j->length;
    put_device(j, "src", &d[0]);
    put_device(j, "dest", &d[1]);
    if (j->length == empty)
        *j = before;
    else
        ft_json_object_end(j);
}

/* End a line: host, fieldtap, newline. */
static bool put_tail(struct ft_eve *eve, struct ft_json *j, const struct tail *t)
{
    ft_json_raw(j, eve->before_uid, eve->before_uid_length);
    j->wants_comma = false;
    ft_json_uint(j, eve->uid);
    j->wants_comma = false;
    ft_json_raw(j, eve->behind_uid, eve->behind_uid_length);
    if (t->finding) {
        eve->line.severity = t->finding->severity;
        put_finding(j, t->finding);
        if (t->finding->rule)
            put_rule(j, t->finding, t->life);
        put_evidence(eve, j, t);
    }
    if (t->life)
        put_life(eve, j, t->life,
                 t->is_alert  ? "alert_id"
                 : t->is_rule ? "event_id"
                              : "anomaly_id");
    const struct ft_protocol *p = t->life && t->is_alert ? protocol_of(eve, t->event) : NULL;
    if (p && t->life->commands.count)
        put_commands(j, p, &t->life->commands);
    if (t->change) {
        ft_json_key(j, "change");
        ft_json_object(j);
        ft_json_put_string(j, "asset", t->change->asset);
        ft_json_put_string(j, "fact", t->change->fact);
        ft_json_put_string(j, "before", t->change->before);
        ft_json_put_string(j, "after", t->change->after);
        ft_json_object_end(j);
    }
    if (t->finding && t->finding->devices)
        put_devices(j, t->finding->devices);
    if (t->finding && t->event->type == FT_EVENT_RESOLUTION)
        put_resolution(j, &t->event->resolution);
    if (t->event) {
        put_stamp(j, t->event->packet.stamp);
        put_packet_marks(j, t);
        if (t->event->packet.has_loss)
            ft_json_put_bool(j, "loss", true);
    }
    if (t->is_truncated)
        ft_json_put_bool(j, "truncated", true);
    ft_json_object_end(j);
    ft_json_object_end(j);
    if (j->is_full || j->length == j->size)
        return false;
    j->text[j->length++] = '\n';
    eve->line.uid = eve->uid++;
    return true;
}

bool ft_eve_end(struct ft_eve *eve, struct ft_json *j)
{
    struct tail t = {0};
    return put_tail(eve, j, &t);
}

/* ---- messages ---- */

static void put_command(struct ft_json *j, const struct ft_protocol *p,
                        const struct ft_event_message *m)
{
    char scratch[32];
    if (m->has_command) {
        ft_json_put_string(j, "command", ft_command_name(p, m->code, m->qualifier, scratch));
        ft_json_put_uint(j, "code", m->code);
        if (m->qualifier && m->qualifier != FT_ANY_QUALIFIER)
            ft_json_put_uint(j, "qualifier", m->qualifier);
    }
    ft_json_put_string(j, "class", ft_class_name((enum ft_class)m->class_));
    ft_json_put_string(j, "kind", ft_kind_name((enum ft_kind)m->kind));
}

/* The protocol's own object, if anything of it came along; true when it was cut. */
static bool put_tree(const struct ft_eve *eve, struct ft_json *j, const struct ft_event *e)
{
    const struct ft_protocol *p = protocol_of(eve, e);
    const struct ft_event_message *m = &e->message;
    if (!p || !m->tree_length)
        return m->is_tree_cut;
    ft_json_key(j, p->name);
    ft_json_object(j);
    bool is_whole = ft_tree_json(p, (const uint8_t *)e + m->tree, m->tree_length, &eve->tree, j);
    ft_json_object_end(j);
    return !is_whole || m->is_tree_cut;
}

static void put_message(const struct ft_eve *eve, struct ft_json *j, const struct ft_event *e)
{
    const struct ft_event_message *m = &e->message;
    const struct ft_protocol *p = protocol_of(eve, e);
    ft_json_key(j, "message");
    ft_json_object(j);
    if (p)
        put_command(j, p, m);
    if (m->index)
        ft_json_put_uint(j, "index", m->index);
    if (m->parent != 0xff)
        ft_json_put_uint(j, "parent", m->parent);
    if (e->type == FT_EVENT_UNANSWERED)
        ft_json_put_bool(j, "answered", false);
    if (m->is_paired)
        ft_json_put_uint(j, "response_time_us", m->response_ns / 1000);
    if (m->is_paired || e->type == FT_EVENT_UNANSWERED)
        ft_json_put_uint(j, "request_pcap_cnt", m->request_number);
    ft_json_object_end(j);
}

bool ft_eve_message(struct ft_eve *eve, const struct ft_event *event, struct ft_json *j)
{
    const struct ft_protocol *p = protocol_of(eve, event);
    bool is_transaction = event->type != FT_EVENT_MESSAGE;
    struct tail t = {.event = event, .has_message = true};
    if (!p)
        return false;
    put_header(eve, j, event, is_transaction ? p->name : "message",
               is_transaction && server_sends(event), is_transaction);
    put_direction(j, event);
    put_message(eve, j, event);
    t.is_truncated = put_tree(eve, j, event);
    return put_tail(eve, j, &t);
}

bool ft_eve_operation(struct ft_eve *eve, const struct ft_event *event, struct ft_json *j)
{
    const struct ft_protocol *p = protocol_of(eve, event);
    struct tail t = {.event = event, .has_message = true};
    if (!p)
        return false;
    put_header(eve, j, event, "operation", server_sends(event), false);
    put_direction(j, event);
    ft_json_key(j, "operation");
    ft_json_object(j);
    put_command(j, p, &event->message);
    ft_json_object_end(j);
    t.is_truncated = put_tree(eve, j, event);
    return put_tail(eve, j, &t);
}

/* ---- alerts and anomalies ---- */

static bool is_of_message(const struct ft_event *e)
{
    return e->type == FT_EVENT_ALERT || e->type == FT_EVENT_VIOLATION || ft_event_is_of_rule(e);
}

static void put_endpoint(struct ft_json *j, const char *key, const struct ft_event_packet *p,
                         const union ft_ip *ip, uint16_t port)
{
    ft_json_key(j, key);
    ft_json_object(j);
    put_ip(j, "ip", ip, p->family == 6);
    if (has_ports(p))
        ft_json_put_uint(j, "port", port);
    ft_json_object_end(j);
}

/*
 * Who began it and whom it is about, whichever of them sent this packet: a controller asks for the
 * blocks of a download itself. Not when the roles are a guess, and only of messages: that a device
 * has other firmware than before is not the doing of who reads its version.
 */
static void put_source_and_target(struct ft_json *j, const struct ft_event *e)
{
    const struct ft_event_packet *p = &e->packet;
    bool swap = server_sends(e);
    if (!is_of_message(e) || (p->family != 4 && p->family != 6) || p->server_side == 2 ||
        p->confidence == FT_CONFIDENCE_GUESS || e->message.direction == FT_DIRECTION_NONE)
        return;
    put_endpoint(j, "source", p, swap ? &p->dst : &p->src, swap ? p->dst_port : p->src_port);
    put_endpoint(j, "target", p, swap ? &p->src : &p->dst, swap ? p->src_port : p->dst_port);
}

static void put_alert(struct ft_json *j, const struct ft_event *e, const struct ft_eve_finding *f)
{
    ft_json_key(j, "alert");
    ft_json_object(j);
    ft_json_put_string(j, "action", "allowed");
    ft_json_put_uint(j, "gid", 1);
    ft_json_put_uint(j, "signature_id", f->sid);
    ft_json_put_uint(j, "rev", f->rule ? f->rule->revision : 1);
    ft_json_put_string(j, "signature", f->title);
    ft_json_put_string(j, "category", f->category);
    ft_json_put_uint(j, "severity", f->severity);
    put_source_and_target(j, e);
    ft_json_key(j, "metadata");
    ft_json_object(j);
    put_words(j, "fieldtap_title", f->key);
    if (f->mitre && *f->mitre)
        put_words(j, "mitre_technique_id", f->mitre);
    ft_json_object_end(j);
    ft_json_object_end(j);
}

/* A finding's message and fields: what was being done. An update has no tree any more. */
static bool put_context(const struct ft_eve *eve, struct ft_json *j, const struct ft_event *e)
{
    if (!is_of_message(e))
        return false;
    put_message(eve, j, e);
    return put_tree(eve, j, e);
}

/* What a flow carried, and since when. */
static void put_amounts(struct ft_json *j, const uint64_t packets[2], const uint64_t bytes[2],
                        uint64_t first_ns, bool swap)
{
    ft_json_put_uint(j, "pkts_toserver", packets[swap]);
    ft_json_put_uint(j, "pkts_toclient", packets[!swap]);
    ft_json_put_uint(j, "bytes_toserver", bytes[swap]);
    ft_json_put_uint(j, "bytes_toclient", bytes[!swap]);
    ft_json_key(j, "start");
    ft_json_time(j, first_ns);
}

/* Of rules: the flow up to here. */
static void put_flow_so_far(struct ft_json *j, const struct ft_event *e)
{
    struct ft_event_more more;
    if (!ft_event_more(e, &more) || !more.first_ns)
        return;
    ft_json_key(j, "flow");
    ft_json_object(j);
    put_amounts(j, more.packets, more.bytes, more.first_ns, server_sends(e));
    ft_json_object_end(j);
}

/* Of rules about payloads and flows: what nobody knows is "failed", as in flows; who is the server
 * is what the flow knows. */
static void put_kind_of_flow(struct ft_json *j, const struct ft_event *e)
{
    struct ft_event_more more;
    if (!e->protocol && ft_event_more(e, &more) && more.is_unknown)
        ft_json_put_string(j, "app_proto", "failed");
    enum ft_direction direction = e->packet.server_side > 1 || e->packet.is_multicast
                                      ? FT_DIRECTION_NONE
                                  : server_sends(e) ? FT_TO_CLIENT
                                                    : FT_TO_SERVER;
    ft_json_put_string(j, "direction", ft_direction_name(direction));
}

static bool has_evidence(const struct ft_event *e)
{
    return e->type == FT_EVENT_VIOLATION || e->type == FT_EVENT_RULE;
}

static void put_role(struct ft_json *j, const struct ft_event *e)
{
    if (is_of_message(e))
        put_direction(j, e);
    else if (e->type == FT_EVENT_RULE)
        put_kind_of_flow(j, e);
}

bool ft_eve_alert(struct ft_eve *eve, const struct ft_event *event,
                  const struct ft_eve_finding *finding, const struct ft_eve_life *life,
                  const struct ft_eve_change *change, struct ft_json *j)
{
    struct tail t = {.event = event,
                     .finding = finding,
                     .life = life,
                     .change = change,
                     .is_alert = true,
                     .has_message = is_of_message(event),
                     .has_evidence = has_evidence(event)};
    put_header(eve, j, event, "alert", false, true);
    put_role(j, event);
    put_alert(j, event, finding);
    put_flow_so_far(j, event);
    t.is_truncated = put_context(eve, j, event);
    return put_tail(eve, j, &t);
}

bool ft_eve_rule(struct ft_eve *eve, const struct ft_event *event,
                 const struct ft_eve_finding *finding, const struct ft_eve_life *life,
                 struct ft_json *j)
{
    struct tail t = {.event = event,
                     .finding = finding,
                     .life = life,
                     .is_rule = true,
                     .has_message = is_of_message(event),
                     .has_evidence = has_evidence(event)};
    put_header(eve, j, event, "rule", false, true);
    put_role(j, event);
    ft_json_key(j, "rule");
    ft_json_object(j);
    ft_json_put_uint(j, "signature_id", finding->sid);
    ft_json_put_uint(j, "rev", finding->rule->revision);
    ft_json_put_string(j, "signature", finding->title);
    ft_json_put_string(j, "category", finding->category);
    ft_json_put_uint(j, "severity", finding->severity);
    ft_json_object_end(j);
    put_flow_so_far(j, event);
    t.is_truncated = put_context(eve, j, event);
    return put_tail(eve, j, &t);
}

bool ft_eve_anomaly(struct ft_eve *eve, const struct ft_event *event,
                    const struct ft_eve_finding *finding, const struct ft_eve_life *life,
                    const char *type, const char *name, const char *layer, struct ft_json *j)
{
    struct tail t = {.event = event,
                     .finding = finding,
                     .life = life,
                     .has_message = is_of_message(event),
                     .has_evidence = event->type == FT_EVENT_VIOLATION};
    const struct ft_protocol *p = protocol_of(eve, event);
    put_header(eve, j, event, "anomaly", false, true);
    if (is_of_message(event))
        put_direction(j, event);
    ft_json_key(j, "anomaly");
    ft_json_object(j);
    ft_json_put_string(j, "type", type);
    ft_json_put_string(j, "event", name);
    if (layer)
        ft_json_put_string(j, "layer", layer);
    if (p)
        ft_json_put_string(j, "app_proto", p->name);
    ft_json_object_end(j);
    t.is_truncated = put_context(eve, j, event);
    return put_tail(eve, j, &t);
}

/* ---- flows ---- */

static void put_flow(struct ft_json *j, const struct ft_event_flow *f, bool swap)
{
    static const char *const states[] = {"new", "established", "closed"};
    static const char *const reasons[] = {"timeout", "forced", "shutdown", "tcp_reuse"};
    ft_json_key(j, "flow");
    ft_json_object(j);
    put_amounts(j, f->packets, f->bytes, f->first_ns, swap);
    ft_json_key(j, "end");
    ft_json_time(j, f->last_ns);
    ft_json_put_uint(j, "age",
                     f->last_ns > f->first_ns ? (f->last_ns - f->first_ns) / 1000000000u : 0);
    ft_json_put_string(j, "state", f->state < 3 ? states[f->state] : "new");
    ft_json_put_string(j, "reason", f->reason < 4 ? reasons[f->reason] : "unknown");
    ft_json_put_bool(j, "alerted", f->alerted);
    if (f->messages)
        ft_json_put_uint(j, "tx_cnt", f->messages);
    ft_json_object_end(j);
}

static void put_hex8(struct ft_json *j, const char *key, uint8_t value)
{
    ft_json_key(j, key);
    ft_json_hex(j, &value, 1);
}

static void put_tcp(struct ft_json *j, const struct ft_event_flow *f, bool swap)
{
    static const char *const names[] = {"fin", "syn", "rst", "psh", "ack", "urg"};
    static const char *const states[] = {"new", "established", "closed"};
    uint8_t all = f->tcp_flags[0] | f->tcp_flags[1];
    ft_json_key(j, "tcp");
    ft_json_object(j);
    put_hex8(j, "tcp_flags", all);
    put_hex8(j, "tcp_flags_ts", f->tcp_flags[swap]);
    put_hex8(j, "tcp_flags_tc", f->tcp_flags[!swap]);
    for (unsigned i = 0; i < 6; i++)
        if (all >> i & 1)
            ft_json_put_bool(j, names[i], true);
    ft_json_put_string(j, "state", f->state < 3 ? states[f->state] : "new");
    ft_json_object_end(j);
}

bool ft_eve_flow(struct ft_eve *eve, const struct ft_event *event, struct ft_json *j)
{
    bool swap = server_sends(event);
    struct tail t = {.event = event};
    put_header(eve, j, event, "flow", swap, true);
    if (!event->protocol && event->flow.is_unknown)
        ft_json_put_string(j, "app_proto", "failed");
    put_flow(j, &event->flow, swap);
    if (event->packet.proto == 6 && event->packet.family != 2)
        put_tcp(j, &event->flow, swap);
    return put_tail(eve, j, &t);
}

/* ---- the sensor itself ---- */

bool ft_eve_health(struct ft_eve *eve, const struct ft_event *event, const char *name,
                   enum ft_severity severity, const char *text, struct ft_json *j)
{
    const struct ft_protocol *p = protocol_of(eve, event);
    ft_eve_begin(eve, event, "health", j);
    eve->line.severity = (uint8_t)severity;
    ft_json_key(j, "health");
    ft_json_object(j);
    ft_json_put_string(j, "event", name);
    ft_json_put_string(j, "severity", ft_severity_name(severity));
    ft_json_put_string(j, "text", text);
    if (p)
        ft_json_put_string(j, "protocol", p->name);
    if (event->type == FT_EVENT_HEALTH && event->health.port &&
        event->health.port <= eve->config.port_count)
        ft_json_put_string(j, "interface", eve->config.ports[event->health.port - 1]);
    if (event->type == FT_EVENT_HEALTH && event->health.signal)
        ft_json_put_uint(j, "signal", (uint64_t)event->health.signal);
    ft_json_object_end(j);
    return ft_eve_end(eve, j);
}
