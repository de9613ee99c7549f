/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Event records made by hand, for tests of what stands behind the ring: a small registry and
 * builders of each kind of record.
 */
#ifndef FT_TEST_RECORDS_H
#define FT_TEST_RECORDS_H

#include "dissect/registry.h"
#include "event/event.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define S       1000000000ull
#define START   (1700000000ull * S)
#define CLIENT  0x0a000001u /* 10.0.0.1 */
#define PLC     0x0a000002u /* 10.0.0.2 */
#define STATION 0x0a000003u /* 10.0.0.3 */

/* ---- a registry of three protocols ---- */

enum {
    POLL_ROOT,
    POLL_ADDRESS,
    POLL_MODE,
    POLL_KEY,
    POLL_POINT,
    POLL_INDEX,
    POLL_TEXT
};

static const struct ft_name poll_modes[] = {{1, "run"}, {2, "stop"}, {0, NULL}};

static const struct ft_field poll_fields[] = {
    [POLL_ROOT] = {.name = "poll", .title = "Poll", .type = FT_TYPE_GROUP},
    [POLL_ADDRESS] = {.name = "address", .title = "Address", .type = FT_TYPE_UINT},
    [POLL_MODE] = {.name = "mode", .title = "Mode", .type = FT_TYPE_ENUM, .names = poll_modes},
    [POLL_KEY] = {.name = "key", .title = "Key", .type = FT_TYPE_STRING, .flags = FT_FIELD_SECRET},
    [POLL_POINT] = {.name = "point",
                    .title = "Point",
                    .type = FT_TYPE_GROUP,
                    .flags = FT_FIELD_LIST},
    [POLL_INDEX] = {.name = "index", .title = "Index", .type = FT_TYPE_UINT, .parent = POLL_POINT},
    [POLL_TEXT] = {.name = "text", .title = "Text", .type = FT_TYPE_STRING},
};

enum {
    POLL_READ = 1,
    POLL_WRITE,
    POLL_STOP,
    POLL_DOWNLOAD,
    POLL_UPLOAD,
    POLL_FIRMWARE,
    POLL_ACTIVATE
};

static const struct ft_command poll_commands[] = {
    {POLL_READ, FT_ANY_QUALIFIER, "read", FT_CLASS_READ, {0}, NULL},
    {POLL_WRITE, FT_ANY_QUALIFIER, "write", FT_CLASS_WRITE, {0}, NULL},
    {POLL_STOP, FT_ANY_QUALIFIER, "stop", FT_CLASS_MODE, {0}, NULL},
    {POLL_DOWNLOAD, FT_ANY_QUALIFIER, "download", FT_CLASS_PROGRAM, {0}, NULL},
    {POLL_UPLOAD, FT_ANY_QUALIFIER, "upload", FT_CLASS_UPLOAD, {0}, NULL},
    {POLL_FIRMWARE, FT_ANY_QUALIFIER, "firmware", FT_CLASS_FIRMWARE, {0}, NULL},
    {POLL_ACTIVATE, FT_ANY_QUALIFIER, "activate", FT_CLASS_PROGRAM, {0}, NULL},
};

static const struct ft_violation poll_violations[] = {
    {.name = "quiet", .title = "Something is odd", .severity = FT_SEVERITY_WARNING},
    {.name = "loud",
     .title = "Something is wrong",
     .reference = "V7",
     .category = "Illegal commands",
     .mitre = "T0855 T0836",
     .severity = FT_SEVERITY_MAJOR,
     .is_alert = FT_ALERT_EACH},
    {.name = "stopped",
     .title = "Poll server was told to stop",
     .reference = "O1",
     .category = "Restart/Stop Commands",
     .mitre = "T0843 T0858",
     .severity = FT_SEVERITY_WARNING,
     .is_alert = FT_ALERT_EACH},
    {.name = "refused",
     .title = "Poll server refused",
     .severity = FT_SEVERITY_MAJOR,
     .is_alert = FT_ALERT_BY_VALUE},
};

static void dissect_nothing(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)ctx;
    (void)pdu;
}

static const struct ft_dissector poll_dissector = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "poll",
    .title = "Poll",
    .fields = FT_TABLE(poll_fields),
    .commands = FT_TABLE(poll_commands),
    .violations = FT_TABLE(poll_violations),
    .flags = FT_DISSECTOR_OT,
    .dissect = dissect_nothing,
};

static const struct ft_field goose_fields[] = {
    {.name = "goose", .title = "GOOSE", .type = FT_TYPE_GROUP}};

static const struct ft_dissector goose_dissector = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "goose",
    .title = "GOOSE",
    .fields = FT_TABLE(goose_fields),
    .flags = FT_DISSECTOR_OT | FT_DISSECTOR_CYCLIC,
    .dissect = dissect_nothing,
};

static const struct ft_field tpkt_fields[] = {
    {.name = "tpkt", .title = "TPKT", .type = FT_TYPE_GROUP}};

static const struct ft_dissector tpkt_dissector = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "tpkt",
    .title = "TPKT",
    .fields = FT_TABLE(tpkt_fields),
    .flags = FT_DISSECTOR_OT | FT_DISSECTOR_TRANSPORT,
    .dissect = dissect_nothing,
};

static const struct ft_field lldp_fields[] = {
    {.name = "lldp", .title = "LLDP", .type = FT_TYPE_GROUP}};

static const struct ft_dissector lldp_dissector = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "lldp",
    .title = "LLDP",
    .fields = FT_TABLE(lldp_fields),
    .flags = FT_DISSECTOR_CYCLIC,
    .dissect = dissect_nothing,
};

enum {
    PROTOCOL_NONE,
    PROTOCOL_POLL,
    PROTOCOL_GOOSE,
    PROTOCOL_TPKT,
    PROTOCOL_LLDP
};

static inline struct ft_registry *make_registry(void)
{
    char error[200];
    struct ft_registry *r = ft_registry_new();
    const struct ft_dissector *all[] = {&poll_dissector, &goose_dissector, &tpkt_dissector,
                                        &lldp_dissector};
    for (int i = 0; i < 4; i++)
        if (!ft_registry_add(r, all[i], NULL, error, sizeof(error)))
            abort();
    ft_registry_finish(r);
    return r;
}

/* ---- records ---- */

/** A record with room for what is appended. */
struct record {
    union {
        struct ft_event event;
        uint8_t bytes[FT_EVENT_MAX];
    };
};

static inline uint32_t append(struct record *r, const void *bytes, uint32_t n)
{
    uint32_t at = r->event.size;
    memcpy(r->bytes + at, bytes, n);
    r->event.size = (at + n + 7) & ~7u;
    return at;
}

static inline void set_ip(union ft_ip *ip, uint32_t address)
{
    memset(ip, 0, sizeof(*ip));
    ip->v4 = __builtin_bswap32(address);
}

/** MAC addresses of the vendor 00:0e:8c (Siemens) with the low bytes of the IP address. */
static inline void set_mac(uint8_t mac[6], uint32_t address)
{
    mac[0] = 0x00;
    mac[1] = 0x0e;
    mac[2] = 0x8c;
    mac[3] = (uint8_t)(address >> 16);
    mac[4] = (uint8_t)(address >> 8);
    mac[5] = (uint8_t)address;
}

/** A record of packet `number`, a second apart, over TCP from `src` to `dst`, dst the server. */
static inline struct record *make(struct record *r, enum ft_event_type type, uint16_t protocol,
                                  uint64_t number, uint32_t src, uint32_t dst)
{
    memset(r, 0, sizeof(struct ft_event));
    struct ft_event *e = &r->event;
    e->size = sizeof(*e);
    e->type = (uint8_t)type;
    e->protocol = protocol;
    e->seq = e->number = number;
    e->time_ns = e->clock_ns = START + number * S;
    e->packet.flow_id = 77;
    e->packet.family = 4;
    e->packet.proto = 6;
    set_ip(&e->packet.src, src);
    set_ip(&e->packet.dst, dst);
    set_mac(e->packet.src_mac, src);
    set_mac(e->packet.dst_mac, dst);
    e->packet.has_mac = true;
    e->packet.src_port = 40000;
    e->packet.dst_port = 502;
    e->packet.server_side = 1;
    e->packet.confidence = FT_CONFIDENCE_PORT;
    if (type != FT_EVENT_FLOW && type != FT_EVENT_FACT && type != FT_EVENT_HEALTH)
        e->message.parent = 0xff;
    return r;
}

/** The same from the server to the client. */
static inline struct record *make_reply(struct record *r, enum ft_event_type type,
                                        uint16_t protocol, uint64_t number, uint32_t server,
                                        uint32_t client)
{
    make(r, type, protocol, number, server, client);
    r->event.packet.src_port = 502;
    r->event.packet.dst_port = 40000;
    r->event.packet.server_side = 0;
    return r;
}

/** Make it a message with a command of the poll protocol. */
static inline struct record *with_command(struct record *r, uint32_t code)
{
    r->event.message.code = code;
    r->event.message.has_command = true;
    r->event.message.kind = FT_KIND_REQUEST;
    r->event.message.direction = FT_TO_SERVER;
    for (size_t i = 0; i < sizeof(poll_commands) / sizeof(poll_commands[0]); i++)
        if (poll_commands[i].code == code)
            r->event.message.class_ = poll_commands[i].class_;
    return r;
}

/** Put a device behind the server (side 1) or client (0). */
static inline struct record *with_unit(struct record *r, unsigned side, uint64_t unit)
{
    r->event.message.sub[side] = (struct ft_event_sub){.kind = FT_SUB_UNIT, .value = unit};
    return r;
}

/** A fact about the sender. */
static inline struct record *make_fact(struct record *r, uint64_t number, uint32_t src,
                                       enum ft_fact fact, const char *text)
{
    make_reply(r, FT_EVENT_FACT, PROTOCOL_POLL, number, src, CLIENT);
    memset(&r->event.message, 0, sizeof(r->event.message));
    r->event.fact.fact = (uint8_t)fact;
    r->event.fact.party = FT_SENDER;
    r->event.fact.text = (uint16_t)append(r, text, (uint32_t)strlen(text));
    r->event.fact.length = (uint16_t)strlen(text);
    return r;
}

/** ARP says: this IP address has that MAC address. */
static inline struct record *make_arp(struct record *r, uint64_t number, uint32_t ip,
                                      const uint8_t mac[6])
{
    uint8_t both[10];
    union ft_ip address;
    make(r, FT_EVENT_FACT, 0, number, ip, 0);
    memset(&r->event.message, 0, sizeof(r->event.message));
    r->event.packet.family = 2;
    r->event.packet.proto = 0;
    r->event.packet.ethertype = 0x0806;
    r->event.packet.server_side = 2;
    memcpy(r->event.packet.src_mac, mac, 6);
    memset(r->event.packet.dst_mac, 0xff, 6);
    set_ip(&address, ip);
    memcpy(both, address.bytes, 4);
    memcpy(both + 4, mac, 6);
    r->event.fact.is_address = true;
    r->event.fact.text = (uint16_t)append(r, both, sizeof(both));
    r->event.fact.length = sizeof(both);
    return r;
}

/* ---- packed trees, as tree.c packs them ---- */

struct node {
    uint16_t field;
    uint8_t type, flags;
    uint32_t length, at, at_length;
};

static inline void put_node(struct record *r, struct node node, const void *value, uint32_t size)
{
    struct ft_event_message *m = &r->event.message;
    if (!m->tree) {
        r->event.size = (r->event.size + 7) & ~7u;
        m->tree = r->event.size;
    }
    uint8_t *to = r->bytes + m->tree + m->tree_length;
    memcpy(to, &node, sizeof(node));
    if (size)
        memcpy(to + sizeof(node), value, size);
    m->tree_length += (uint32_t)sizeof(node) + ((size + 3) & ~3u);
    r->event.size = (m->tree + m->tree_length + 7) & ~7u;
}

static inline void put_number(struct record *r, uint16_t field, uint64_t value, uint32_t at,
                              uint32_t at_length)
{
    struct node n = {.field = field,
                     .type = poll_fields[field].type,
                     .flags = poll_fields[field].flags,
                     .at = at,
                     .at_length = at_length};
    put_node(r, n, &value, 8);
}

static inline void put_text(struct record *r, uint16_t field, const char *text, uint32_t at)
{
    struct node n = {.field = field,
                     .type = poll_fields[field].type,
                     .flags = poll_fields[field].flags,
                     .length = (uint32_t)strlen(text),
                     .at = at,
                     .at_length = (uint32_t)strlen(text)};
    put_node(r, n, text, n.length);
}

/* ---- evidence of rules ---- */

/** The rule held for a value of a field of the poll protocol at so many bytes of the PDU: a text or
 * (NULL) a number; `whole`: bytes of the text before it was cut, 0: it was not. */
static inline struct record *with_evidence(struct record *r, uint16_t field, uint64_t number,
                                           const char *text, uint32_t whole, const char *element)
{
    struct ft_event_more more = {0};
    struct ft_event_evidence e = {.protocol = PROTOCOL_POLL,
                                  .field = field,
                                  .type = poll_fields[field].type,
                                  .flags = poll_fields[field].flags,
                                  .name = (uint8_t)strlen(element),
                                  .value = (uint16_t)(text ? strlen(text) : 0),
                                  .u = number};
    uint8_t bytes[FT_EVIDENCE_MAX];
    e.length = whole ? whole : e.value;
    more.evidence_length = (uint32_t)sizeof(e) + e.name + e.value;
    memcpy(bytes, &e, sizeof(e));
    memcpy(bytes + sizeof(e), element, e.name);
    memcpy(bytes + sizeof(e) + e.name, text ? text : "", e.value);
    r->event.size = (r->event.size + 7) & ~7u;
    r->event.message.more = append(r, &more, sizeof(more));
    more.evidence = append(r, bytes, more.evidence_length);
    memcpy(r->bytes + r->event.message.more, &more, sizeof(more));
    return r;
}

/** The same for a keyword or a tag. */
static inline struct record *with_word(struct record *r, const char *name, const char *value)
{
    with_evidence(r, POLL_TEXT, 0, value, 0, name);
    struct ft_event_more more;
    uint16_t none = 0;
    memcpy(&more, r->bytes + r->event.message.more, sizeof(more));
    memcpy(r->bytes + more.evidence + offsetof(struct ft_event_evidence, protocol), &none, 2);
    return r;
}

static inline void put_group(struct record *r, uint16_t field, bool is_end)
{
    struct node n = {.field = field,
                     .type = is_end ? 0 : FT_TYPE_GROUP,
                     .flags = is_end ? 0 : poll_fields[field].flags,
                     .at = UINT32_MAX};
    put_node(r, n, NULL, 0);
}

#endif
