/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Compiled rule sets beside rules judged plainly (rules_naive.h): the same rules must hold for the
 * same messages. The compiled side gets the fields that its rule set demands, the naive side all.
 *
 * Messages are random trees of the dissector "wild", and PDUs of real protocols, whole and damaged.
 * FT_RULES_ROUNDS=N makes N rounds instead of a few, FT_RULES_SEED=N begins with another seed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "field_types.h"
#include "protocols/protocols.h"
#include "rules_naive.h"
#include "rules_random.h"

#include "rules/ruleset_internal.h"

#define ROUNDS 80u
#define MANY                                                                                       \
    40u /* one round of so many has thousands of rules; the others few, so that each tells         \
           what it demands */
#define PDU 600u

/* ---- a protocol of every type of field, whose messages are random ---- */

enum wild_field {
    ROOT,
    SIMPLE_FIELDS,
    CARD,
    LIST,
    TEXTS,
    GROUP,
    IN_GROUP,
    DEEP,
    IN_DEEP,
    ITEM,
    IN_ITEM,
    ITEM_TEXT,
    ITEM_REAL,
    SUB,
    IN_SUB,
    SUB_TEXT,
    LEAF,
    IN_LEAF,
    FIELDS
};

static const struct ft_name choices[] = {{1, "one"}, {2, "two"}, {3, "three"}, {0, NULL}};
static const struct ft_field wild_fields[FIELDS] = {
    [ROOT] = {.name = "wild", .type = FT_TYPE_GROUP},
    SIMPLE_FIELD_ROWS,
    [CARD] = {.name = "card", .type = FT_TYPE_MAC},
    [LIST] = {.name = "list", .type = FT_TYPE_UINT, .flags = FT_FIELD_LIST},
    [TEXTS] = {.name = "texts", .type = FT_TYPE_STRING, .flags = FT_FIELD_LIST},
    [GROUP] = {.name = "group", .type = FT_TYPE_GROUP},
    [IN_GROUP] = {.name = "number", .type = FT_TYPE_UINT, .parent = GROUP},
    [DEEP] = {.name = "deep", .type = FT_TYPE_GROUP, .parent = GROUP},
    [IN_DEEP] = {.name = "number", .type = FT_TYPE_INT, .parent = DEEP},
    [ITEM] = {.name = "item", .type = FT_TYPE_GROUP, .flags = FT_FIELD_LIST},
    [IN_ITEM] = {.name = "number", .type = FT_TYPE_UINT, .parent = ITEM},
    [ITEM_TEXT] = {.name = "text", .type = FT_TYPE_STRING, .parent = ITEM},
    [ITEM_REAL] = {.name = "real", .type = FT_TYPE_FLOAT, .parent = ITEM},
    [SUB] = {.name = "sub", .type = FT_TYPE_GROUP, .flags = FT_FIELD_LIST, .parent = ITEM},
    [IN_SUB] = {.name = "number", .type = FT_TYPE_UINT, .flags = FT_FIELD_LIST, .parent = SUB},
    [SUB_TEXT] = {.name = "text", .type = FT_TYPE_BYTES, .parent = SUB},
    [LEAF] = {.name = "leaf", .type = FT_TYPE_GROUP, .flags = FT_FIELD_LIST, .parent = SUB},
    [IN_LEAF] = {.name = "number", .type = FT_TYPE_UINT, .parent = LEAF},
};
static struct ft_field kid_fields[FIELDS]; /* the same, with a root of its own name */
static const struct ft_command wild_commands[] = {
    {.code = 1, .qualifier = FT_ANY_QUALIFIER, .name = "peek", .class_ = FT_CLASS_READ},
    {.code = 2, .qualifier = 1, .name = "poke", .class_ = FT_CLASS_WRITE},
    {.code = 2, .qualifier = FT_ANY_QUALIFIER, .name = "load", .class_ = FT_CLASS_PROGRAM},
    {.code = 3, .qualifier = 0, .name = "stop", .class_ = FT_CLASS_MODE},
};
static const struct ft_violation wild_violations[] = {
    {.name = "odd", .title = "Odd", .severity = FT_SEVERITY_MINOR},
};
static const struct ft_carrier kid_carriers[] = {
    {.kind = FT_CARRIER_PARENT, .parent = "wild", .value = 7},
    {.kind = FT_CARRIER_PARENT, .parent = "wildkid", .value = 7},
};

static uint32_t below(uint64_t *seed, uint32_t n)
{
    return (uint32_t)(rules_random_next(seed) >> 7) % n;
}

static const char *const words[] = {"",    "a",       "GET /", "public", "unit 1",
                                    "abc", "abcabcd", "\nx\n", "\xff\0z"};

static void put_number(struct ft_context *ctx, uint64_t *seed, uint32_t field)
{
    static const uint64_t large[] = {UINT64_MAX, 1ull << 53, (1ull << 53) + 1, 1ull << 63};
    ft_put_uint(ctx, field, below(seed, 20) ? below(seed, 6) : large[below(seed, 4)], NULL);
}

static void put_real(struct ft_context *ctx, uint64_t *seed, uint32_t field)
{
    static const double odd[] = {0.0 / 0.0, 1.0 / 0.0, -1.0 / 0.0, -0.0, 9007199254740992.0};
    ft_put_float(ctx, field, below(seed, 6) ? below(seed, 8) / 2.0 - 1 : odd[below(seed, 5)], NULL);
}

static void put_text(struct ft_context *ctx, uint64_t *seed, uint32_t field)
{
    const char *word = words[below(seed, 9)];
    ft_put_text(ctx, field, word, (uint32_t)(*word == '\xff' ? 3 : strlen(word)), NULL);
}

static void put_bytes(struct ft_context *ctx, uint64_t *seed, uint32_t field, struct ft_view *pdu)
{
    uint32_t n = below(seed, 8);
    ft_put_bytes(ctx, field, ft_sub(pdu, n < pdu->len ? n : pdu->len));
}

static void put_leaves(struct ft_context *ctx, uint64_t *seed)
{
    for (uint32_t i = below(seed, 3); i--;) {
        ft_group_begin(ctx, LEAF);
        put_number(ctx, seed, IN_LEAF);
        ft_group_end(ctx, LEAF);
    }
}

static void put_item(struct ft_context *ctx, uint64_t *seed, struct ft_view *pdu)
{
    ft_group_begin(ctx, ITEM);
    if (below(seed, 4))
        put_number(ctx, seed, IN_ITEM);
    if (below(seed, 2))
        put_text(ctx, seed, ITEM_TEXT);
    if (below(seed, 3) == 0)
        put_real(ctx, seed, ITEM_REAL);
    for (uint32_t i = below(seed, 3); i--;) {
        ft_group_begin(ctx, SUB);
        for (uint32_t k = below(seed, 3); k--;)
            put_number(ctx, seed, IN_SUB);
        if (below(seed, 2))
            put_bytes(ctx, seed, SUB_TEXT, pdu);
        put_leaves(ctx, seed);
        if (below(seed, 10))
            ft_group_end(ctx, SUB);
    }
    if (below(seed, 10))
        ft_group_end(ctx, ITEM);
}

/*
 * A group that is no list. What is put into it begins it, but that is for groups that are there
 * once: two in a row were one for who does not see what stands between them.
 */
static void put_group(struct ft_context *ctx, uint64_t *seed, bool *was_there)
{
    bool is_begun = *was_there || below(seed, 2);
    *was_there = true;
    if (is_begun)
        ft_group_begin(ctx, GROUP);
    if (below(seed, 2))
        put_number(ctx, seed, IN_GROUP);
    if (below(seed, 2))
        ft_put_int(ctx, IN_DEEP, (int64_t)below(seed, 4) - 1, NULL);
    if (is_begun)
        ft_group_end(ctx, GROUP);
}

static void put_field(struct ft_context *ctx, uint64_t *seed, struct ft_view *pdu, bool *was_there)
{
    static const uint8_t v6[16] = {0x20, 1, 0x0d, 0xb8}, mac[6] = {2, 0, 0, 0, 0, 1};
    uint32_t field = 1 + below(seed, ITEM);
    if (wild_fields[field].parent)
        field = GROUP;
    switch (wild_fields[field].type) {
    case FT_TYPE_GROUP:
        if (field == ITEM)
            put_item(ctx, seed, pdu);
        else
            put_group(ctx, seed, was_there);
        return;
    case FT_TYPE_INT:
        if (below(seed, 4))
            ft_put_int(ctx, field, (int64_t)below(seed, 6) - 3, NULL);
        else
            ft_put_int(ctx, field, below(seed, 2) ? INT64_MIN : (1ll << 53) + 1, NULL);
        return;
    case FT_TYPE_FLOAT:
        put_real(ctx, seed, field);
        return;
    case FT_TYPE_STRING:
        put_text(ctx, seed, field);
        return;
    case FT_TYPE_BYTES:
        put_bytes(ctx, seed, field, pdu);
        return;
    case FT_TYPE_BOOL:
        ft_put_bool(ctx, field, below(seed, 2), NULL);
        return;
    case FT_TYPE_IPV4:
        ft_put_uint(ctx, field, 0x0a000000 + below(seed, 12), NULL);
        return;
    case FT_TYPE_IPV6:
        ft_put_bytes(ctx, field, ft_view_make(v6, 16, false));
        return;
    case FT_TYPE_MAC:
        ft_put_bytes(ctx, field, ft_view_make(mac, 6, false));
        return;
    case FT_TYPE_TIME:
        ft_put_uint(ctx, field, 1700000000000000000 + below(seed, 5), NULL);
        return;
    default:
        put_number(ctx, seed, field);
    }
}

static void wild_message(struct ft_context *ctx, uint64_t *seed, struct ft_view *pdu,
                         uint32_t depth);

/* A message in this one, or a child. */
static void put_inner(struct ft_context *ctx, uint64_t *seed, struct ft_view *pdu, uint32_t depth)
{
    if (depth < 3 && below(seed, 2) && ft_message_begin(ctx)) {
        wild_message(ctx, seed, pdu, depth + 1);
        ft_message_end(ctx);
    } else if (pdu->len > 12) {
        ft_child(ctx, 7, ft_sub(pdu, pdu->len * 2 / 3));
    }
}

static void name_sub(struct ft_context *ctx, uint64_t *seed)
{
    enum ft_party party = below(seed, 2) ? FT_SERVER : FT_CLIENT;
    if (below(seed, 3))
        ft_subaddress(ctx, party, FT_SUB_UNIT, below(seed, 4));
    else
        ft_subaddress_text(ctx, party, FT_SUB_NAME, "LD0", 3);
}

static void wild_message(struct ft_context *ctx, uint64_t *seed, struct ft_view *pdu,
                         uint32_t depth)
{
    uint32_t steps = below(seed, 12), command = below(seed, 16);
    bool has_group = false;
    if (below(seed, 2))
        ft_set_kind(ctx, (enum ft_kind)below(seed, FT_KIND_COUNT));
    if (below(seed, 3) == 0)
        name_sub(ctx, seed);
    for (uint32_t i = 0; i < steps; i++) {
        if (i == command)
            ft_command(ctx, 1 + below(seed, 4), below(seed, 2));
        switch (below(seed, 14)) {
        case 0:
        case 2:
            put_inner(ctx, seed, pdu, depth);
            break;
        case 1:
            if (below(seed, 5) == 0)
                ft_violation(ctx, 0, NULL);
            break;
        default:
            put_field(ctx, seed, pdu, &has_group);
        }
    }
}

/* The PDU's first bytes say what the message is. */
static void wild_dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    uint64_t seed = ft_u64be(pdu);
    wild_message(ctx, &seed, pdu, 0);
}

static const struct ft_dissector wild = {.size = sizeof(wild),
                                         .abi = FT_ABI_VERSION,
                                         .name = "wild",
                                         .title = "Wild",
                                         .fields = FT_TABLE(wild_fields),
                                         .commands = FT_TABLE(wild_commands),
                                         .violations = FT_TABLE(wild_violations),
                                         .dissect = wild_dissect};
static const struct ft_dissector wildkid = {.size = sizeof(wildkid),
                                            .abi = FT_ABI_VERSION,
                                            .name = "wildkid",
                                            .title = "Wild kid",
                                            .carried_by = FT_TABLE(kid_carriers),
                                            .fields = FT_TABLE(kid_fields),
                                            .commands = FT_TABLE(wild_commands),
                                            .violations = FT_TABLE(wild_violations),
                                            .dissect = wild_dissect};

/* ---- PDUs of real protocols ---- */

struct sample {
    const char *protocol;
    uint8_t transport;
    uint16_t port; /* of the server, or the Ethernet type */
    bool is_answer;
    const char *hex;
};

#define TCP FT_TRANSPORT_TCP
#define UDP FT_TRANSPORT_UDP
#define L2  FT_TRANSPORT_L2

static const struct sample samples[] = {
    {"modbus", TCP, 502, false, "00010000000611030013000a"},
    {"modbus", TCP, 502, true, "0001000000171103140001000200030004000500060007000800090010"},
    {"modbus", TCP, 502, false, "00020000000611010013000a"},
    {"modbus", TCP, 502, true, "0002000000051101 02cd01"},
    {"modbus", TCP, 502, false, "0003000000090110000100020400 0a0102"},
    {"modbus", TCP, 502, true, "000300000003019002"},
    {"modbus", TCP, 502, false, "00040000000601050 0acff00"},
    {"modbus", TCP, 502, false, "0005000000060108000 4ff00"},
    {"modbus", TCP, 502, false, "000600000004005a0002"},
    {"s7comm", TCP, 102, false, "32010000000100080000f0000001000101e0"},
    {"s7comm", TCP, 102, false, "320100000002000e00000401120a10020004000184000000"},
    {"s7comm", TCP, 102, true, "3203000000020002000800000401ff04002001020304"},
    {"s7comm", TCP, 102, false, "32010000000300100000290000000000 09505f50524f4752414d"},
    {"tpkt", TCP, 102, false, "0300001902f08032010000000100080000f0000001000101e0"},
    {"tpkt", TCP, 102, false, "0300001f02f080320100000002000e00000401120a10020004000184000000"},
    {"tpkt", TCP, 102, false, "0300001611e00000000100c0010ac1020100c2020102"},
    {"http", TCP, 80, false,
     "474554202f696e6465782e68746d6c3f613d3120485454502f312e310d0a486f73743a20706c630d0a"
     "557365722d4167656e743a206375726c2f372e36380d0a0d0a"},
    {"http", TCP, 80, true,
     "485454502f312e3120323030204f4b0d0a5365727665723a2061626364650d0a436f6e74656e742d4c656e"
     "6774683a20300d0a0d0a"},
    {"enip", TCP, 44818, false, "630000000000000000000000000000000000000000000000"},
    {"enip", TCP, 44818, false, "65000400000000000000000000000000000000000000000001000000"},
    {"enip", TCP, 44818, false,
     "6f00160001000000000000000000000000000000000000000000000000000200000000 00b20006000e03"
     "20012401300 1"},
    {"dns", UDP, 53, false, "123401000001000000000000 03706c63076578616d706c6503636f6d0000010001"},
    {"dns", UDP, 53, true,
     "123481800001000100000000 03706c63076578616d706c6503636f6d0000010001c00c00010001"
     "0000003c0004c0a80a14"},
    {"dns", UDP, 53, true, "123481830001000000000000 03706c63076578616d706c6503636f6d0000010001"},
    {"snmp", UDP, 161, false,
     "302602010104067075626c6963a019020100020100020100300e300c06082b060102010101000500"},
    {"snmp", UDP, 161, true,
     "302f02010104067075626c6963a2220201000201000201003017301506082b060102010101000409"
     "53494d4154494320"},
    {"ntp", UDP, 123, false,
     "230306e80000000000000000000000000000000000000000000000000000000000000000000000 00"
     "d5f7f3a012345678"},
    {"tftp", UDP, 69, false, "0001666972 6d776172652e62696e006f6374657400"},
    {"syslog", UDP, 514, false,
     "3c33343e4f637420313120323a31343a313520706c63207375 3a206661696c6564"},
    {"arp", L2, 0x0806, false, "0001080006040001020000000001 0a0000010000000000000a000002"},
    {"arp", L2, 0x0806, false, "0001080006040002020000000002 0a0000020200000000010a000001"},
    {"goose", L2, 0x88b8, false,
     "000100720000000061688016 4c44302f4c4c4e3024474f2467636230310000000000810203e8820a4c44"
     "302f4c4c4e3024647383034c44308408 5f0000000000000a85010186010587010088010189010 08a0102"
     "ab06830101850 10a"},
    {"icmp", FT_TRANSPORT_IP, 0, false, "0800f7fe0001000061626364"},
    {"telnet", TCP, 23, true, "6c6f67696e3a20fffd18fffb01"},
    {"ftp", TCP, 21, false, "55534552 2061646d696e0d0a"},
};

#define SAMPLES (sizeof(samples) / sizeof(samples[0]))

static uint32_t hex_bytes(const char *hex, uint8_t *to)
{
    uint32_t digits = 0;
    for (; *hex; hex++) {
        if (*hex == ' ')
            continue;
        uint8_t digit = (uint8_t)(*hex <= '9' ? *hex - '0' : *hex - 'a' + 10);
        to[digits / 2] = (uint8_t)(digits % 2 ? to[digits / 2] | digit : digit << 4);
        digits++;
    }
    assert_int_equal(digits % 2, 0);
    return digits / 2;
}

/* ---- one PDU ---- */

/* Somebody who dissects: the demand is all that differs. */
struct side {
    struct ft_call *call;
    struct ft_state state;
    uint64_t flow_state[FT_MAX_FLOW_STATE / 8];
    uint8_t children[FT_MAX_LAYERS];
};

struct pdu {
    const struct ft_protocol *protocol;
    uint8_t bytes[PDU];
    uint32_t length;
    uint8_t transport;
    uint16_t ethertype, src_port, dst_port, vlan[2];
    bool is_answer, has_mac;
    uint8_t ip_version, vlan_count;
    uint8_t ip[2][16], mac[2][6];
    uint64_t flow;
};

static struct ft_registry *registry;
static struct side compiled_side, naive_side, seeing_side;
static uint64_t number;

static bool raise(void *user, struct ft_call *call, struct ft_message *m)
{
    (void)user;
    (void)call;
    return m->class_ == FT_CLASS_PROGRAM;
}

static uint64_t name_pair(void *user)
{
    (void)user;
    return 5;
}

static void side_open(struct side *s)
{
    s->call = calloc(1, sizeof(*s->call));
    assert_non_null(s->call);
    assert_true(ft_state_init(&s->state, 512, 16, 4));
    ft_call_init(s->call, registry);
    s->call->state = &s->state;
    s->call->raise = raise;
    s->call->name_pair = name_pair;
    s->call->flow_state = s->flow_state;
    s->call->children = s->children;
}

static void side_close(struct side *s)
{
    ft_state_free(&s->state);
    free(s->call);
}

static int set_up(void **state)
{
    char error[256];
    (void)state;
    memcpy(kid_fields, wild_fields, sizeof(kid_fields));
    kid_fields[ROOT].name = "wildkid";
    registry = ft_registry_new();
    for (unsigned i = 0; ft_protocols[i]; i++)
        if (!ft_registry_add(registry, ft_protocols[i], NULL, error, sizeof(error)))
            return -1;
    if (!ft_registry_add(registry, &wild, NULL, error, sizeof(error)) ||
        !ft_registry_add(registry, &wildkid, NULL, error, sizeof(error))) {
        print_error("%s\n", error);
        return -1;
    }
    ft_registry_finish(registry);
    side_open(&compiled_side);
    side_open(&naive_side);
    side_open(&seeing_side);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    side_close(&compiled_side);
    side_close(&naive_side);
    side_close(&seeing_side);
    ft_registry_free(registry);
    return 0;
}

static void damage(struct pdu *p, uint64_t *seed)
{
    for (uint32_t i = below(seed, 4); i-- && p->length;)
        p->bytes[below(seed, p->length)] = (uint8_t)below(seed, 256);
    if (below(seed, 4) == 0)
        p->length = below(seed, p->length + 1);
}

static void pdu_make(struct pdu *p, uint64_t *seed)
{
    *p = (struct pdu){.flow = 1 + below(seed, 3), .transport = TCP, .has_mac = true};
    uint16_t port = 502;
    if (below(seed, 2)) {
        p->protocol = ft_registry_find(registry, below(seed, 4) ? "wild" : "wildkid");
        p->length = 8 + below(seed, 120);
        for (uint32_t i = 0; i < p->length; i++)
            p->bytes[i] = (uint8_t)(below(seed, 3) ? 'a' + below(seed, 6) : below(seed, 256));
        p->transport = (uint8_t)(1 + below(seed, 4));
        port = (uint16_t)(500 + below(seed, 4));
    } else {
        const struct sample *s = &samples[below(seed, SAMPLES)];
        p->protocol = ft_registry_find(registry, s->protocol);
        if (!p->protocol)
            fail_msg("no protocol %s", s->protocol);
        p->length = hex_bytes(s->hex, p->bytes);
        p->transport = s->transport;
        p->is_answer = s->is_answer;
        port = s->port;
        if (below(seed, 3) == 0)
            damage(p, seed);
    }
    bool has_ports = p->transport == TCP || p->transport == UDP;
    p->ethertype = (uint16_t)(p->transport == L2 ? port : below(seed, 2) ? 0x0800 : 0);
    p->src_port = (uint16_t)(!has_ports ? 0 : p->is_answer ? port : 40000 + below(seed, 3));
    p->dst_port = (uint16_t)(!has_ports ? 0 : p->is_answer ? 40000 + below(seed, 3) : port);
    p->ip_version = p->transport == L2 ? 0 : below(seed, 4) ? 4 : 6;
    if (p->ip_version == 6 && p->ethertype)
        p->ethertype = 0x86dd;
    for (unsigned i = 0; i < 2; i++) {
        static const uint8_t v4[4] = {10, 0, 0, 0}, v6[4] = {0x20, 1, 0x0d, 0xb8};
        memcpy(p->ip[i], p->ip_version == 4 ? v4 : v6, 4);
        p->ip[i][p->ip_version == 4 ? 3 : 15] = (uint8_t)below(seed, 12);
        p->mac[i][0] = 2;
        p->mac[i][5] = (uint8_t)below(seed, 4);
    }
    p->has_mac = below(seed, 5) != 0;
    p->vlan_count = (uint8_t)below(seed, 3);
    for (unsigned i = 0; i < p->vlan_count; i++)
        p->vlan[i] = (uint16_t)(1 + below(seed, 4));
}

static void subject_of(const struct pdu *p, struct ft_subject *s)
{
    *s = (struct ft_subject){.transport = p->transport,
                             .ip_version = p->ip_version,
                             .src_ip = p->ip_version ? p->ip[0] : NULL,
                             .dst_ip = p->ip_version ? p->ip[1] : NULL,
                             .src_mac = p->has_mac ? p->mac[0] : NULL,
                             .dst_mac = p->has_mac ? p->mac[1] : NULL,
                             .src_port = p->src_port,
                             .dst_port = p->dst_port,
                             .has_ports = p->transport == TCP || p->transport == UDP,
                             .ethertype = p->ethertype,
                             .vlan_count = p->vlan_count,
                             .payload = p->bytes,
                             .payload_length = p->length,
                             .number = number};
    memcpy(s->vlan, p->vlan, sizeof(p->vlan));
}

static void dissect(struct side *side, const struct pdu *p)
{
    struct ft_call *call = side->call;
    struct ft_context *ctx = &call->pub;
    ft_call_done(call);
    memset(side->flow_state, 0, sizeof(side->flow_state));
    memset(side->children, 0, sizeof(side->children));
    call->owner = (struct ft_owner){.flow = p->flow, .pair = 5};
    call->number = number;
    call->dropped = 0;
    ctx->transport = p->transport;
    ctx->direction = p->is_answer ? FT_TO_CLIENT : FT_TO_SERVER;
    ctx->confidence = FT_CONFIDENCE_PORT;
    ctx->src_port = p->src_port;
    ctx->dst_port = p->dst_port;
    ctx->ethertype = p->ethertype;
    ctx->ip_version = p->ip_version;
    ctx->src_ip = p->ip_version ? p->ip[0] : NULL;
    ctx->dst_ip = p->ip_version ? p->ip[1] : NULL;
    ctx->time_ns = 1700000000000000000 + number * 1000000;
    memcpy(ctx->src_mac, p->mac[0], 6);
    memcpy(ctx->dst_mac, p->mac[1], 6);
    ft_call_dissect(call, p->protocol, p->bytes, p->length, p->length, false);
}

/* ---- telling what differs ---- */

static void print_tree(const struct ft_call *call, const struct ft_message *m)
{
    static uint8_t packed[1 << 18];
    static char text[1 << 18];
    static const struct ft_tree_options options = {.salt = {1, 2}};
    bool is_cut;
    uint32_t n = ft_tree_pack(call, m, packed, sizeof(packed), &is_cut);
    struct ft_json j = ft_json_make(text, sizeof(text) - 1);
    ft_json_object(&j);
    ft_tree_json(m->protocol, packed, n, &options, &j);
    ft_json_object_end(&j);
    text[j.length] = 0;
    print_error("    %s: code %u %u row %d class %u kind %u direction %u: %s\n", m->protocol->name,
                m->code, m->qualifier,
                m->command ? (int)(m->command - m->protocol->commands) + 1 : 0, m->class_, m->kind,
                m->direction, text);
}

static void print_call(const char *who, const struct ft_call *call, const struct ft_message *m)
{
    print_error("  %s:\n", who);
    for (;; m = &call->messages[m->parent]) {
        print_tree(call, m);
        if (m->parent == 0xff)
            return;
    }
}

static uint32_t differences;

static void tell(const struct ft_ruleset *set, uint32_t rule, bool compiled, const struct pdu *p,
                 uint32_t message, const char *what)
{
    if (differences++ >= 5)
        return;
    print_error("%s %u of packet %llu: compiled says %s, naive %s:\n  %s\n  payload ", what,
                message, (unsigned long long)number, compiled ? "yes" : "no",
                compiled ? "no" : "yes", ft_ruleset_rule(set, rule)->when);
    for (uint32_t i = 0; i < p->length; i++)
        print_error("%02x", p->bytes[i]);
    print_error("\n");
    ft_ruleset_explain(set, rule, stderr);
    if (strcmp(what, "message") != 0)
        return;
    print_call("compiled", compiled_side.call, &compiled_side.call->messages[message]);
    print_call("naive", naive_side.call, &naive_side.call->messages[message]);
}

/* ---- comparing ---- */

static uint64_t hits, evaluations, refused;
static bool *held, *naively[FT_MAX_MESSAGES];

static void on_hit(void *user, uint32_t rule, const struct ft_program_run *run)
{
    (void)run;
    assert_false(((bool *)user)[rule]);
    ((bool *)user)[rule] = true;
}

static void compare(const struct ft_ruleset *set, const struct pdu *p, uint32_t message,
                    const bool *naive, const char *what)
{
    for (uint32_t i = 0; i < ft_ruleset_count(set); i++) {
        hits += held[i];
        if (held[i] != naive[i])
            tell(set, i, held[i], p, message, what);
    }
}

static bool holds(const struct ft_ruleset *set, uint32_t rule, const struct ft_subject *s)
{
    const struct ft_expression *e = ft_ruleset_rule(set, rule)->expression;
    return rules_naive_holds(ft_ruleset_vocabulary(set), e, e->worker, s);
}

/* Does it hold for a message, and for none that carries it? `naively` has all that it holds for. */
static void judge_message(const struct ft_ruleset *set, const struct ft_subject *s, bool *first)
{
    uint32_t at = (uint32_t)(s->message - s->call->messages);
    for (uint32_t i = 0; i < ft_ruleset_count(set); i++) {
        const struct ft_expression *e = ft_ruleset_rule(set, i)->expression;
        bool is_tested = rules_naive_level(e, e->worker) == FT_LEVEL_MESSAGE;
        evaluations += is_tested;
        naively[at][i] = is_tested && holds(set, i, s);
        first[i] = naively[at][i];
        for (uint32_t up = s->message->parent; up != 0xff; up = s->call->messages[up].parent)
            first[i] &= !naively[up][i];
    }
}

/* What is refused, as no message can fulfil it, is fulfilled by none. */
static void expect_none(const struct rules_random *r, const struct pdu *p)
{
    const struct ft_call *call = naive_side.call;
    struct ft_subject s;
    subject_of(p, &s);
    for (uint32_t i = 0; i < call->message_count; i++) {
        s.call = call;
        s.message = &call->messages[i];
        const struct rules_random_never *never = rules_random_holds(r, &s);
        if (never)
            fail_msg("%s: is refused, and holds for %s", never->text, s.message->protocol->name);
    }
    refused += r->never_count;
}

static void judge_other(const struct ft_ruleset *set, const struct ft_subject *s, uint8_t level,
                        bool *naive)
{
    for (uint32_t i = 0; i < ft_ruleset_count(set); i++) {
        const struct ft_expression *e = ft_ruleset_rule(set, i)->expression;
        naive[i] = rules_naive_level(e, e->worker) == level && holds(set, i, s);
    }
}

/* Every other PDU as if its flow had been judged, the rest as if nothing were known of it. */
static void use_profile(const struct ft_ruleset *set, struct ft_matcher *m,
                        const struct ft_subject *s)
{
    bool is_new = false;
    compiled_side.call->flow_wants =
        ft_match_use(m, number & 1 ? ft_match_judge(m, s, &is_new) : 0);
    compiled_side.call->demand = ft_ruleset_demand(set);
    compiled_side.call->wanted_of_all = ft_ruleset_wanted(set);
}

static void compare_pdu(const struct ft_ruleset *set, struct ft_matcher *m, const struct pdu *p)
{
    size_t size = ft_ruleset_count(set) * sizeof(bool);
    bool *naive = malloc(size + 1);
    struct ft_subject s, plain;
    assert_non_null(naive);
    number++;
    subject_of(p, &s);
    plain = s;
    use_profile(set, m, &s);
    naive_side.call->wants_all = true;
    dissect(&compiled_side, p);
    dissect(&naive_side, p);
    assert_int_equal(compiled_side.call->message_count, naive_side.call->message_count);
    memset(held, 0, size);
    ft_match_flow(m, &s, on_hit, held);
    judge_other(set, &plain, FT_LEVEL_FLOW, naive);
    compare(set, p, 0, naive, "flow");
    memset(held, 0, size);
    ft_match_payload(m, &s, on_hit, held);
    judge_other(set, &plain, FT_LEVEL_PAYLOAD, naive);
    compare(set, p, 0, naive, "payload");
    ft_match_begin(m);
    s.call = compiled_side.call;
    plain.call = naive_side.call;
    uint64_t wanted = ft_match_wanted(m, s.call);
    for (uint32_t i = 0; i < s.call->message_count; i++) {
        s.message = &s.call->messages[i];
        plain.message = &plain.call->messages[i];
        memset(held, 0, size);
        if (wanted >> i & 1)
            ft_match_message(m, &s, on_hit, held);
        judge_message(set, &plain, naive);
        compare(set, p, i, naive, "message");
    }
    free(naive);
}

static void see_pdu(struct rules_random *r, const struct pdu *p)
{
    struct ft_subject s;
    seeing_side.call->wants_all = true;
    number++;
    dissect(&seeing_side, p);
    subject_of(p, &s);
    s.call = seeing_side.call;
    for (uint32_t i = 0; i < s.call->message_count; i++) {
        s.message = &s.call->messages[i];
        rules_random_see(r, &s);
    }
}

static void room_for(uint32_t rules)
{
    held = realloc(held, rules + 1);
    for (uint32_t i = 0; i < FT_MAX_MESSAGES; i++)
        naively[i] = realloc(naively[i], rules + 1);
}

static void round_of(uint64_t seed, uint32_t rules, uint32_t pdus)
{
    static struct rules_random r;
    struct pdu p;
    uint64_t state = seed;
    assert_true(rules_random_open(&r, registry, seed));
    r.is_repeating = true; /* random trees know no lists */
    for (uint32_t i = 0; i < pdus; i++) {
        pdu_make(&p, &state);
        see_pdu(&r, &p);
    }
    struct ft_ruleset *set = rules_random_set(&r, rules);
    assert_non_null(set);
    struct ft_matcher *m = ft_matcher_new(set);
    assert_non_null(m);
    room_for(ft_ruleset_count(set));
    state = seed;
    for (uint32_t i = 0; i < pdus * 3 / 2; i++) {
        pdu_make(&p, &state);
        compare_pdu(set, m, &p);
        expect_none(&r, &p);
    }
    assert_int_equal(ft_matcher_given_up(m), 0);
    rules_naive_forget();
    ft_matcher_free(m);
    ft_ruleset_free(set);
    rules_random_close(&r);
}

static uint64_t number_in(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 0) : otherwise;
}

static void test_random(void **state)
{
    (void)state;
    uint64_t rounds = number_in("FT_RULES_ROUNDS", ROUNDS), seed = number_in("FT_RULES_SEED", 1);
    for (uint64_t i = 0; i < rounds && !differences; i++) {
        if (i % MANY == 0)
            round_of(seed + i, 3000, 80);
        else
            round_of(seed + i, 1 + i % 12, 60);
        if (differences)
            print_error("seed %llu: %u differences\n", (unsigned long long)(seed + i), differences);
    }
    print_message("%llu hits, %llu evaluations of messages\n", (unsigned long long)hits,
                  (unsigned long long)evaluations);
    assert_int_equal(differences, 0);
    assert_true(hits > rounds * 300); /* what never holds proves nothing */
    assert_true(refused > rounds * 100);
    free(held);
    for (uint32_t i = 0; i < FT_MAX_MESSAGES; i++)
        free(naively[i]);
}

/* ---- told once ---- */

static void on_told(void *user, uint32_t rule, const struct ft_program_run *run)
{
    (void)run;
    ((uint32_t *)user)[rule]++;
}

static void expect_told(const uint32_t *told, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    assert_int_equal(told[0], a);
    assert_int_equal(told[1], b);
    assert_int_equal(told[2], c);
    assert_int_equal(told[3], d);
}

/* A payload that is a packet's and a PDU is one; flows that come to an end at one tick are many. */
static void test_once(void **state)
{
    static const char *const conditions[] = {"port == 502", "payload contains \"Hell\"",
                                             "asset.vendor == \"x\"",
                                             "asset.vendor == \"x\" and port == 503"};
    static struct rules_random r;
    static const uint8_t text[] = "Hello";
    static const uint8_t ends[3][4] = {{10, 0, 0, 1}, {10, 0, 0, 2}, {10, 0, 0, 3}};
    uint32_t told[4] = {0};
    (void)state;
    assert_true(rules_random_open(&r, registry, 1));
    struct ft_ruleset *set = rules_random_set_of(&r, conditions, 4, NULL);
    assert_non_null(set);
    struct ft_matcher *m = ft_matcher_new(set);
    struct ft_subject s = {.transport = TCP,
                           .ip_version = 4,
                           .src_ip = ends[0],
                           .dst_ip = ends[1],
                           .src_port = 4000,
                           .dst_port = 502,
                           .has_ports = true,
                           .payload = text,
                           .payload_length = 5,
                           .number = 9};
    struct ft_subject other = s;
    other.src_ip = ends[2];
    ft_match_flow(m, &s, on_told, told);
    ft_match_flow(m, &other, on_told, told);
    expect_told(told, 2, 0, 2, 0);
    ft_match_payload(m, &s, on_told, told);
    ft_match_payload(m, &s, on_told, told);
    expect_told(told, 2, 1, 2, 0);
    ft_match_payload(m, &other, on_told, told);
    expect_told(told, 2, 2, 2, 0);
    s.number = 10;
    ft_match_payload(m, &s, on_told, told);
    s.dst_port = 503;
    ft_match_flow(m, &s, on_told, told);
    expect_told(told, 2, 3, 3, 1);
    ft_matcher_free(m);
    ft_ruleset_free(set);
    rules_random_close(&r);
}

/* The group of patterns in which a rule looks for its own. */
static uint32_t group_of_rule(const struct ft_ruleset *set, uint32_t rule)
{
    const struct ft_program *p = &set->compiled[rule].program;
    for (uint32_t c = 0; c < p->count; c++)
        if (p->code[c].test->kind == FT_TEST_CONTAINS)
            return p->code[c].group;
    return UINT32_MAX;
}

/* Payloads are searched for a pattern only where the port that the rule names is on its side; or on
 * either, where others have the port searched on both for theirs. */
static void test_sides(void **state)
{
    static const char *const conditions[] = {
        "port.src == 81 and payload contains \"abcd\"",
        "port.dst in {80, 90..99} and payload contains \"abcd\"",
        "port == 80 and payload contains \"abcd\"",
        ("transport == tcp and (port.dst == 70 and payload contains \"abcd\" or "
         "port.dst in {71, 73..75} and (payload.length > 3 and payload contains \"abcd\"))"),
        "port.src == 80 and payload contains \"abce\"",
    };
    static const struct {
        uint16_t src, dst;
        bool is_bound[4];
    } rows[] = {
        {81, 5, {true, false, false, false}}, {5, 81, {false, false, false, false}},
        {80, 5, {false, false, true, false}}, {5, 80, {false, true, true, false}},
        {5, 95, {false, true, false, false}}, {95, 5, {false, false, false, false}},
        {81, 80, {true, true, true, false}},  {5, 70, {false, false, false, true}},
        {5, 74, {false, false, false, true}}, {74, 72, {false, false, false, false}},
    };
    static struct rules_random r;
    (void)state;
    assert_true(rules_random_open(&r, registry, 1));
    struct ft_ruleset *set = rules_random_set_of(&r, conditions, 5, NULL);
    assert_non_null(set);
    assert_int_equal(group_of_rule(set, 2), group_of_rule(set, 4));
    for (unsigned row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        const struct ft_subject s = {.transport = TCP,
                                     .has_ports = true,
                                     .src_port = rows[row].src,
                                     .dst_port = rows[row].dst,
                                     .payload = (const uint8_t *)"xabcd",
                                     .payload_length = 5};
        for (unsigned i = 0; i < 4; i++) {
            const struct ft_expression *e = ft_ruleset_rule(set, i)->expression;
            assert_int_equal(ft_ruleset_is_bound(set, group_of_rule(set, i), &s),
                             rows[row].is_bound[i]);
            assert_int_equal(rules_naive_holds(ft_ruleset_vocabulary(set), e, e->worker, &s),
                             rows[row].is_bound[i]);
        }
    }
    ft_ruleset_free(set);
    rules_random_close(&r);
}

/* What a rule names of ports in each of its alternatives keeps it from payloads of others. */
static void test_bound_alternatives(void **state)
{
    static const struct {
        const char *condition;
        enum ft_rule_cost cost;
    } rows[] = {
        {"port.dst == 1 and payload contains \"abcd\" or port.src == 2 and payload contains "
         "\"efgh\"",
         FT_RULE_COST_CONTENT},
        {"(port == 1 or port in {2, 5..7}) and payload contains \"abcd\"", FT_RULE_COST_CONTENT},
        {"port == 1 and payload contains \"abcd\" or payload contains \"efgh\"",
         FT_RULE_COST_EVERY_PAYLOAD},
        {"not (port == 1 or port == 2) and payload contains \"abcd\"", FT_RULE_COST_EVERY_PAYLOAD},
        {"(port == 1 or ethertype == 0x0806) and payload contains \"abcd\"",
         FT_RULE_COST_EVERY_PAYLOAD},
        {"(ethertype == 0x88a4 or ethertype == 0x88b8) and payload contains \"abcd\"",
         FT_RULE_COST_EVERY_PAYLOAD},
        {"ethertype == 0x88a4 and payload contains \"abcd\"", FT_RULE_COST_CONTENT},
        {"eth.src == 02:00:00:00:00:01 and payload contains \"abcd\"", FT_RULE_COST_EVERY_PAYLOAD},
        {"eth.src == 02:00:00:00:00:01 and payload.length > 5", FT_RULE_COST_EVERY_PAYLOAD},
        {"port.dst == 1502 and (ip.dst == 10.0.0.1 or eth.dst == ff:ff:ff:ff:ff:ff) and payload == "
         "0600",
         FT_RULE_COST_KEYED},
    };
    static struct rules_random r;
    (void)state;
    assert_true(rules_random_open(&r, registry, 1));
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ft_ruleset *set = rules_random_set_of(&r, &rows[i].condition, 1, NULL);
        assert_non_null(set);
        assert_int_equal(ft_ruleset_cost(set, 0), rows[i].cost);
        ft_ruleset_free(set);
    }
    rules_random_close(&r);
}

/* Which rules hold for a payload that is sent to a port. */
static void expect_found(struct ft_matcher *m, uint16_t port, const char *payload, uint32_t a,
                         uint32_t b, uint32_t c, uint32_t d)
{
    uint32_t told[4] = {0};
    const struct ft_subject s = {.transport = TCP,
                                 .has_ports = true,
                                 .src_port = 4000,
                                 .dst_port = port,
                                 .payload = (const uint8_t *)payload,
                                 .payload_length = (uint32_t)strlen(payload),
                                 .number = ++number};
    ft_match_payload(m, &s, on_told, told);
    expect_told(told, a, b, c, d);
}

/* What is looked for is compiled anew only where it is not what it was; both find what they did. */
static void test_patterns_that_stay(void **state)
{
    static const char *const first[] = {
        "port.dst == 80 and payload contains \"abcd\"",
        "port.dst == 80 and payload contains \"abxy\"",
        "port.dst == 90 and payload contains \"efgh\"",
        "port.dst == 100 and payload contains \"a text that is none of the short ones\"",
    };
    /* Other numbers, and another text at 90. */
    static const char *const second[] = {
        "port.dst == 90 and payload contains \"efgi\"",
        "port.dst == 80 and payload contains \"abcd\"",
        "port.dst == 80 and payload contains \"abxy\"",
        "port.dst == 100 and payload contains \"a text that is none of the short ones\"",
    };
    static struct rules_random r;
    (void)state;
    assert_true(rules_random_open(&r, registry, 1));
    struct ft_ruleset *old = rules_random_set_of(&r, first, 4, NULL);
    assert_non_null(old);
    struct ft_ruleset *new = rules_random_set_of(&r, second, 4, old);
    assert_non_null(new);
    const struct ft_pattern_group *was = old->patterns.groups, *is = new->patterns.groups;
    assert_int_equal(group_of_rule(old, 0), group_of_rule(old, 1));
    assert_ptr_equal(is[group_of_rule(new, 1)].content, was[group_of_rule(old, 0)].content);
    assert_ptr_equal(is[group_of_rule(new, 3)].content, was[group_of_rule(old, 3)].content);
    assert_ptr_not_equal(is[group_of_rule(new, 0)].content, was[group_of_rule(old, 2)].content);
    struct ft_matcher *m = ft_matcher_new(old);
    assert_non_null(m);
    expect_found(m, 80, "xabcd", 1, 0, 0, 0);
    expect_found(m, 90, "efgh", 0, 0, 1, 0);
    ft_matcher_free(m);
    ft_ruleset_free(old); /* the new set owns what it shares */
    m = ft_matcher_new(new);
    assert_non_null(m);
    expect_found(m, 80, "xabcd", 0, 1, 0, 0);
    expect_found(m, 80, "abxy", 0, 0, 1, 0);
    expect_found(m, 80, "efgi", 0, 0, 0, 0);
    expect_found(m, 90, "efgi", 1, 0, 0, 0);
    expect_found(m, 90, "efgh", 0, 0, 0, 0);
    expect_found(m, 100, "here is a text that is none of the short ones", 0, 0, 0, 1);
    /* All of it, where nothing changed. */
    struct ft_ruleset *same = rules_random_set_of(&r, second, 4, new);
    assert_non_null(same);
    assert_int_equal(same->patterns.count, new->patterns.count);
    for (uint32_t i = 0; i < same->patterns.count; i++)
        assert_ptr_equal(same->patterns.groups[i].content, new->patterns.groups[i].content);
    ft_matcher_free(m);
    ft_ruleset_free(new);
    ft_ruleset_free(same);
    rules_random_close(&r);
}

/* A flow that several rules are about is looked at for the commands of each of them. */
static void test_commands_of_flow(void **state)
{
    static const char *const conditions[] = {
        "ip.src == 10.0.0.1 and protocol == modbus and command == read_holding_registers",
        "ip.src == 10.0.0.1 and protocol == modbus and command == write_single_coil",
        "ip.src == 10.0.0.1 and protocol == modbus and command == write_single_register",
        "ip.src == 10.0.0.2 and protocol == modbus and command == write_single_register",
    };
    static const char *const requests[] = {"00010000000601030000000a", "0004000000060105000aff00",
                                           "000500000006010600040001"};
    static struct rules_random r;
    (void)state;
    assert_true(rules_random_open(&r, registry, 1));
    struct ft_ruleset *set = rules_random_set_of(&r, conditions, 4, NULL);
    assert_non_null(set);
    struct ft_matcher *m = ft_matcher_new(set);
    for (unsigned host = 1; host <= 3; host++)
        for (unsigned i = 0; i < 3; i++) {
            struct pdu p = {.protocol = ft_registry_find(registry, "modbus"),
                            .transport = TCP,
                            .ethertype = 0x0800,
                            .src_port = 40000,
                            .dst_port = 502,
                            .ip_version = 4,
                            .ip = {{10, 0, 0, (uint8_t)host}, {10, 0, 0, 9}}};
            uint32_t told[4] = {0};
            struct ft_subject s;
            p.length = hex_bytes(requests[i], p.bytes);
            number = 1; /* of a flow that is judged */
            subject_of(&p, &s);
            use_profile(set, m, &s);
            dissect(&compiled_side, &p);
            s.call = compiled_side.call;
            s.message = s.call->messages;
            bool is_wanted = host == 1 || (host == 2 && i == 2);
            assert_int_equal(ft_match_wanted(m, s.call), is_wanted);
            ft_match_begin(m);
            ft_match_message(m, &s, on_told, told);
            expect_told(told, host == 1 && i == 0, host == 1 && i == 1, host == 1 && i == 2,
                        host == 2 && i == 2);
        }
    ft_matcher_free(m);
    ft_ruleset_free(set);
    rules_random_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands_of_flow),
        cmocka_unit_test(test_once),
        cmocka_unit_test(test_sides),
        cmocka_unit_test(test_bound_alternatives),
        cmocka_unit_test(test_patterns_that_stay),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
