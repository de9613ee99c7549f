/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tests of conditions compiled to programs: what each test says of each type of value, on messages
 * that are written down here. Every condition is also judged plainly (rules_naive.h), so that a
 * wrong expectation is found as well as a wrong program.
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
#include "rules_naive.h"
#include "rules_random.h"

enum demo_field {
    ROOT,
    SIMPLE_FIELDS,
    CARD,
    LIST,
    OTHERS,
    TEXTS,
    ABSENT,
    BIG,
    DEEP_NUMBER,
    ITEM,
    IN_ITEM,
    ITEM_TEXT,
    SUB,
    IN_SUB,
    LONE,
    IN_LONE,
    FIELDS
};

static const struct ft_name choices[] = {{1, "one"}, {2, "two"}, {0, NULL}};
static const struct ft_field demo_fields[FIELDS] = {
    [ROOT] = {.name = "demo", .type = FT_TYPE_GROUP},
    SIMPLE_FIELD_ROWS,
    [CARD] = {.name = "card", .type = FT_TYPE_MAC},
    [LIST] = {.name = "list", .type = FT_TYPE_UINT, .flags = FT_FIELD_LIST},
    [OTHERS] = {.name = "others", .type = FT_TYPE_UINT, .flags = FT_FIELD_LIST},
    [TEXTS] = {.name = "texts", .type = FT_TYPE_STRING, .flags = FT_FIELD_LIST},
    [ABSENT] = {.name = "absent", .type = FT_TYPE_UINT},
    [BIG] = {.name = "big", .type = FT_TYPE_UINT},
    [DEEP_NUMBER] = {.name = "negative", .type = FT_TYPE_INT},
    [ITEM] = {.name = "item", .type = FT_TYPE_GROUP, .flags = FT_FIELD_LIST},
    [IN_ITEM] = {.name = "number", .type = FT_TYPE_UINT, .parent = ITEM},
    [ITEM_TEXT] = {.name = "text", .type = FT_TYPE_STRING, .parent = ITEM},
    [SUB] = {.name = "sub", .type = FT_TYPE_GROUP, .flags = FT_FIELD_LIST, .parent = ITEM},
    [IN_SUB] = {.name = "number", .type = FT_TYPE_UINT, .parent = SUB},
    [LONE] = {.name = "lone", .type = FT_TYPE_GROUP},
    [IN_LONE] = {.name = "number", .type = FT_TYPE_UINT, .parent = LONE},
};
static const struct ft_field kid_fields[] = {
    {.name = "kid", .type = FT_TYPE_GROUP},
    {.name = "value", .type = FT_TYPE_UINT},
};
static const struct ft_command demo_commands[] = {
    {.code = 1, .qualifier = FT_ANY_QUALIFIER, .name = "peek", .class_ = FT_CLASS_READ},
    {.code = 2, .qualifier = FT_ANY_QUALIFIER, .name = "poke", .class_ = FT_CLASS_WRITE},
};
static const struct ft_carrier kid_carriers[] = {
    {.kind = FT_CARRIER_PARENT, .parent = "demo", .value = 7},
};

/* ---- messages ---- */

typedef void script(struct ft_context *ctx, struct ft_view *pdu);
static script *demo_script;

static void text(struct ft_context *ctx, uint32_t field, const char *value)
{
    ft_put_text(ctx, field, value, (uint32_t)strlen(value), NULL);
}

static void item(struct ft_context *ctx, uint64_t number, const char *name, uint64_t first,
                 uint64_t second)
{
    ft_group_begin(ctx, ITEM);
    ft_put_uint(ctx, IN_ITEM, number, NULL);
    if (name)
        text(ctx, ITEM_TEXT, name);
    for (unsigned i = 0; i < 2; i++) {
        uint64_t value = i ? second : first;
        if (!value)
            continue;
        ft_group_begin(ctx, SUB);
        ft_put_uint(ctx, IN_SUB, value, NULL);
        ft_group_end(ctx, SUB);
    }
    ft_group_end(ctx, ITEM);
}

/* One value of each type, lists of values, and of groups in groups; and a child. */
static void full(struct ft_context *ctx, struct ft_view *pdu)
{
    static const uint8_t v6[16] = {0x20, 1, 0x0d, 0xb8, [15] = 1};
    static const uint8_t card[6] = {0, 0x0e, 0x8c, 1, 2, 3};
    ft_set_kind(ctx, FT_KIND_REQUEST);
    ft_subaddress(ctx, FT_SERVER, FT_SUB_UNIT, 3);
    ft_command(ctx, 1, 0);
    ft_put_uint(ctx, NUMBER, ft_u16be(pdu), pdu);
    ft_put_int(ctx, SIGNED, -7, NULL);
    ft_put_float(ctx, REAL, 2.5, NULL);
    ft_put_bool(ctx, FLAG, true, NULL);
    ft_put_uint(ctx, CHOICE, ft_u8(pdu), pdu);
    ft_put_uint(ctx, BITS, 0x81, NULL);
    ft_put_bytes(ctx, TEXT, ft_sub(pdu, 11));
    ft_put_bytes(ctx, RAW, ft_sub(pdu, 4));
    ft_put_uint(ctx, V4, 0x0a000007, NULL);
    ft_put_bytes(ctx, V6, ft_view_make(v6, 16, false));
    ft_put_bytes(ctx, CARD, ft_view_make(card, 6, false));
    ft_put_uint(ctx, WHEN, 1700000000000000000, NULL);
    ft_put_uint(ctx, BIG, (1ull << 53) + 1, NULL);
    ft_put_int(ctx, DEEP_NUMBER, (1ll << 53), NULL);
    for (uint64_t i = 1; i <= 3; i++)
        ft_put_uint(ctx, LIST, i, NULL);
    ft_put_uint(ctx, OTHERS, 3, NULL);
    ft_put_uint(ctx, OTHERS, 9, NULL);
    text(ctx, TEXTS, "alpha");
    text(ctx, TEXTS, "beta");
    item(ctx, 1, "a", 10, 11);
    item(ctx, 2, "b", 20, 0);
    item(ctx, 3, NULL, 0, 0);
    ft_child(ctx, 7, *pdu);
}

static void of_nan(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)pdu;
    ft_put_float(ctx, REAL, 0.0 / 0.0, NULL);
}

static void empty(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)ctx;
    (void)pdu;
}

static void huge(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)pdu;
    for (uint64_t i = 0; i < 1500; i++) {
        ft_put_uint(ctx, LIST, i, NULL);
        ft_put_uint(ctx, OTHERS, 5000 + i, NULL);
    }
    text(ctx, TEXTS, "a needle in it");
}

static void many_items(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)pdu;
    for (uint64_t i = 1; i <= 400; i++)
        item(ctx, i, "x", 1, 2);
}

static void demo_dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    demo_script(ctx, pdu);
}

static void kid_dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    ft_put_uint(ctx, 1, ft_u8(pdu), pdu);
}

static const struct ft_dissector demo = {.size = sizeof(demo),
                                         .abi = FT_ABI_VERSION,
                                         .name = "demo",
                                         .title = "Demo",
                                         .fields = FT_TABLE(demo_fields),
                                         .commands = FT_TABLE(demo_commands),
                                         .dissect = demo_dissect};
static const struct ft_dissector kid = {.size = sizeof(kid),
                                        .abi = FT_ABI_VERSION,
                                        .name = "kid",
                                        .title = "Kid",
                                        .carried_by = FT_TABLE(kid_carriers),
                                        .fields = FT_TABLE(kid_fields),
                                        .dissect = kid_dissect};

/* number 5, choice 2, the text, the raw bytes, kid.value 9, and 40 00 00 00 at the end */
static const uint8_t bytes[] = "\0\x05\x02Hello World\xde\xad\xbe\xef\x09\xff\xfe\x40\0\0";

/* ---- what they are judged with ---- */

#define PDU_LENGTH ((uint32_t)sizeof(bytes)) /* with the NUL that ends the text */

static const struct ft_tag tags[] = {
    {"byte", FT_TRANSPORT_UDP, 5555, NULL, 0, 1, 1, FT_VALUE_TYPE_UINT, false, false},
    {"big", FT_TRANSPORT_UDP, 5555, NULL, 0, 0, 2, FT_VALUE_TYPE_UINT, false, false},
    {"little", FT_TRANSPORT_UDP, 5555, NULL, 0, 0, 2, FT_VALUE_TYPE_UINT, true, false},
    {"minus", FT_TRANSPORT_UDP, 5555, NULL, 0, 19, 2, FT_VALUE_TYPE_INT, false, false},
    {"minus_little", FT_TRANSPORT_UDP, 5555, NULL, 0, 19, 2, FT_VALUE_TYPE_INT, true, false},
    {"last", FT_TRANSPORT_UDP, 5555, NULL, 0, PDU_LENGTH - 4, 4, FT_VALUE_TYPE_FLOAT, false, false},
    {"behind", FT_TRANSPORT_UDP, 5555, NULL, 0, PDU_LENGTH - 3, 4, FT_VALUE_TYPE_FLOAT, false,
     false},
    {"after", FT_TRANSPORT_UDP, 5555, "World", 5, 0, 2, FT_VALUE_TYPE_BYTES, false, false},
    {"before", FT_TRANSPORT_UDP, 5555, "World", 5, -11, 5, FT_VALUE_TYPE_TEXT, false, false},
    {"too_early", FT_TRANSPORT_UDP, 5555, "Hello", 5, -9, 1, FT_VALUE_TYPE_UINT, false, false},
    {"nowhere", FT_TRANSPORT_UDP, 5555, "Hullo", 5, 0, 1, FT_VALUE_TYPE_UINT, false, false},
    {"tcp", FT_TRANSPORT_TCP, 5555, NULL, 0, 0, 1, FT_VALUE_TYPE_UINT, false, false},
    {"other_port", FT_TRANSPORT_UDP, 5556, NULL, 0, 0, 1, FT_VALUE_TYPE_UINT, false, false},
    {"nan", FT_TRANSPORT_UDP, 5555, NULL, 0, 18, 4, FT_VALUE_TYPE_FLOAT, true, false},
    {"mac", FT_TRANSPORT_UDP, 5555, NULL, 0, 0, 6, FT_VALUE_TYPE_MAC, false, false},
    {"ip", FT_TRANSPORT_UDP, 5555, NULL, 0, 14, 4, FT_VALUE_TYPE_ADDRESS, false, false},
    {"l2", FT_TRANSPORT_L2, 0x0800, NULL, 0, 0, 1, FT_VALUE_TYPE_UINT, false, false},
};

static struct ft_registry *registry;
static struct ft_state shard;
static struct ft_call *call;
static struct ft_zone zones[2];
static struct ft_named_set sets[1];
static struct ft_vocabulary vocabulary;
static struct ft_subject subject;

/* A condition, compiled. */
struct compiled {
    struct ft_expression *expression;
    struct ft_patterns patterns;
    struct ft_program program;
    struct ft_program_run *run;
};

static struct ft_set *set_of(enum ft_value_kind kind, const char *entry)
{
    char error[256];
    struct ft_set *set = ft_set_new(ft_value_set_kind(kind));
    assert_true(ft_set_add_written(set, kind, entry, strlen(entry), error, sizeof(error)));
    assert_true(ft_set_close(set));
    return set;
}

static int set_up(void **state)
{
    char error[256];
    (void)state;
    registry = ft_registry_new();
    call = calloc(1, sizeof(*call));
    if (!registry || !call || !ft_state_init(&shard, 64, 8, 2) ||
        !ft_registry_add(registry, &demo, NULL, error, sizeof(error)) ||
        !ft_registry_add(registry, &kid, NULL, error, sizeof(error)))
        return -1;
    ft_registry_finish(registry);
    ft_call_init(call, registry);
    call->state = &shard;
    call->wants_all = true;
    zones[0] = (struct ft_zone){"plant", 1.5, set_of(FT_VALUE_IP, "10.0.0.0/8")};
    zones[1] = (struct ft_zone){"cell", 0.5, set_of(FT_VALUE_IP, "10.0.0.0/30")};
    sets[0] =
        (struct ft_named_set){"some", FT_VALUE_NUMBER, set_of(FT_VALUE_NUMBER, "3..7"), false};
    vocabulary = (struct ft_vocabulary){.registry = registry,
                                        .tags = tags,
                                        .tag_count = sizeof(tags) / sizeof(tags[0]),
                                        .sets = sets,
                                        .set_count = 1,
                                        .zones = zones,
                                        .zone_count = 2};
    return ft_vocabulary_open(&vocabulary) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    rules_naive_forget();
    ft_vocabulary_close(&vocabulary);
    ft_set_free(zones[0].networks);
    ft_set_free(zones[1].networks);
    ft_set_free(sets[0].set);
    ft_registry_free(registry);
    ft_state_free(&shard);
    free(call);
    return 0;
}

/* Message `index` of what a script makes. */
static void play(script *s, uint32_t index)
{
    static const uint8_t src[4] = {10, 0, 0, 1}, dst[4] = {10, 0, 0, 99};
    static const uint8_t src_mac[6] = {2, 0, 0, 0, 0, 1}, dst_mac[6] = {2, 0, 0, 0, 0, 2};
    demo_script = s;
    call->pub.transport = FT_TRANSPORT_UDP;
    call->pub.direction = FT_TO_SERVER;
    ft_call_dissect(call, registry->protocols[0], bytes, PDU_LENGTH, PDU_LENGTH, false);
    assert_true(index < call->message_count);
    subject = (struct ft_subject){.call = call,
                                  .message = &call->messages[index],
                                  .payload = bytes,
                                  .payload_length = PDU_LENGTH,
                                  .transport = FT_TRANSPORT_UDP,
                                  .ip_version = 4,
                                  .src_ip = src,
                                  .dst_ip = dst,
                                  .src_mac = src_mac,
                                  .dst_mac = dst_mac,
                                  .src_port = 40000,
                                  .dst_port = 5555,
                                  .has_ports = true,
                                  .ethertype = 0x0800,
                                  .vlan = {7, 100},
                                  .vlan_count = 2,
                                  .number = 1};
}

static void wrong(void *user, uint32_t at, uint32_t end, const char *text)
{
    fail_msg("%s: bytes %u to %u: %s", (const char *)user, at, end, text);
}

static void compile(struct compiled *c, const char *when)
{
    char error[256] = "";
    *c = (struct compiled){0};
    c->expression = ft_expression_read(&vocabulary, when, wrong, (void *)(uintptr_t)when);
    assert_non_null(c->expression);
    assert_true(ft_program_make(&c->program, &vocabulary, c->expression, c->expression->root,
                                &c->patterns));
    assert_true(ft_program_is_sound(&c->program, &c->patterns));
    for (uint32_t i = 0; i < c->patterns.count; i++)
        if (!ft_patterns_compile(&c->patterns, i, NULL, error, sizeof(error)))
            fail_msg("%s: %s", when, error);
    c->run = ft_program_run_new(&vocabulary, &c->patterns);
    assert_non_null(c->run);
    ft_program_begin(c->run);
}

static void release(struct compiled *c)
{
    rules_naive_forget();
    ft_program_run_free(c->run);
    ft_program_free(&c->program);
    ft_patterns_free(&c->patterns);
    ft_expression_free(c->expression);
}

static bool holds(const char *when)
{
    struct compiled c;
    compile(&c, when);
    bool held = ft_program_holds(&c.program, &subject, c.run);
    bool plainly = rules_naive_holds(&vocabulary, c.expression, c.expression->root, &subject);
    if (held != plainly)
        fail_msg("%s: compiled says %s, naive %s", when, held ? "yes" : "no",
                 plainly ? "yes" : "no");
    assert_int_equal(c.run->given_up, 0);
    release(&c);
    return held;
}

/* One condition a line; all hold, or none. */
static void expect(bool expected, const char *const *conditions)
{
    for (; *conditions; conditions++)
        if (holds(*conditions) != expected)
            fail_msg("%s: %s", *conditions, expected ? "does not hold" : "holds");
}

#define HOLD(...)     expect(true, (const char *const[]){__VA_ARGS__, NULL})
#define HOLD_NOT(...) expect(false, (const char *const[]){__VA_ARGS__, NULL})

/* ---- tests ---- */

static void test_numbers(void **state)
{
    (void)state;
    play(full, 0);
    HOLD("demo.number == 5", "demo.number != 4", "demo.number in {1, 4..6}", "demo.number <= 5",
         "demo.number > 4", "demo.number in 5..5", "demo.number not in {1, 6}", "demo.number",
         "demo.number & 4", "demo.number & 0x6 == 4", "demo.number & 6 != 2",
         "demo.number in $some", "demo.number not in {0x10, 6}");
    HOLD_NOT("demo.number != 5", "demo.number < 5", "demo.number > 5", "not demo.number == 5",
             "demo.number & 2", "demo.number & 7 == 4", "demo.number not in $some",
             "not demo.number");
    HOLD("demo.signed == -7", "demo.signed < 0", "demo.signed >= -7", "demo.signed in {-8..-6}",
         "demo.signed != 7", "demo.signed not in $some");
    HOLD_NOT("demo.signed > -7", "demo.signed == 7", "demo.signed in $some");
    HOLD("demo.real == 2.5", "demo.real > 2", "demo.real in {-1..2.5}", "demo.real < 1e3",
         "demo.real > -0.5");
    HOLD_NOT("demo.real < 2.5", "demo.real == 2.4999", "demo.real <= -2.5");
    HOLD("demo.flag == true", "demo.flag != false", "demo.flag");
    HOLD_NOT("demo.flag == false", "not demo.flag == true");
    HOLD("demo.choice == two", "demo.choice in {one, 2}", "demo.choice != one", "demo.choice == 2",
         "demo.choice & 2 == 2");
    HOLD_NOT("demo.choice == one", "demo.choice in {one, 7..9}");
    HOLD("demo.bits & high", "demo.bits & low", "demo.bits == 0x81", "demo.bits & 0x81 == 0x81");
    HOLD_NOT("demo.bits & both", "demo.bits & 0x83 == 0x83");
    HOLD("demo.when == 1700000000000000000", "demo.when > 2023-11-14T22:13:19Z");
    HOLD_NOT("demo.when < 2023-11-14T22:13:20Z");
}

static void test_texts(void **state)
{
    (void)state;
    play(full, 0);
    HOLD("demo.text == \"Hello World\"", "demo.text contains \"lo W\"", "demo.text contains \"o\"",
         "demo.text matches \"^Hel+o\"", "demo.text matches \"World$\"",
         "demo.text in {\"x\", \"Hello World\"}", "demo.text != \"Hello\"",
         "demo.text not in {\"Hello\", \"World\"}", "not demo.text contains \"world\"",
         "demo.text matches \"(?i)world\"", "demo.text matches \"(l)\\1\"");
    HOLD_NOT("demo.text == \"Hello\"", "demo.text contains \"world\"",
             "demo.text matches \"^World\"", "demo.text in {\"Hello\", \"hello world\"}",
             "not demo.text matches \"W.r\"");
    HOLD("demo.raw == deadbeef", "demo.raw contains adbe", "demo.raw contains \"\\xbe\"",
         "demo.raw in {00, deadbeef}", "demo.raw matches \"\\xad.\\xef\"", "demo.raw != dead");
    HOLD_NOT("demo.raw == dead", "demo.raw contains beefde", "demo.raw in {dead, beef}");
    HOLD("demo.texts == \"beta\"", "demo.texts contains \"lph\"", "demo.texts matches \"^b\"",
         "demo.texts != \"gamma\"", "demo.texts in {\"gamma\", \"alpha\"}");
    HOLD_NOT("demo.texts != \"beta\"", "demo.texts not in {\"gamma\", \"alpha\"}",
             "not demo.texts == \"alpha\"", "demo.texts contains \"alphabeta\"");
    HOLD("payload contains \"World\\xde\\xad\"", "payload matches \"Hello.World\"",
         "payload.length == 25", "payload");
    HOLD_NOT("payload contains \"World\\xad\"", "payload.length > 25");
}

static void test_addresses(void **state)
{
    (void)state;
    play(full, 0);
    HOLD("demo.v4 == 10.0.0.7", "demo.v4 in 10.0.0.0/29",
         "demo.v4 in {1.1.1.1, 10.0.0.1..10.0.0.7}", "demo.v4 != 10.0.0.8",
         "demo.v4 not in 10.0.0.8/29", "demo.v4 == 167772167");
    HOLD_NOT("demo.v4 in 10.0.0.8/29", "demo.v4 == 10.0.0.6", "demo.v4 in 2001:db8::/32");
    HOLD("demo.v6 == 2001:db8::1", "demo.v6 in 2001:db8::/32", "demo.v6 not in 10.0.0.0/8");
    HOLD_NOT("demo.v6 in 10.0.0.0/8", "demo.v6 == 2001:db8::2");
    HOLD("demo.card == 00:0e:8c:01:02:03", "demo.card in 00:0e:8c/24",
         "demo.card != 00:00:00:00:00:01", "demo.card in {000e.8c01.0203}");
    HOLD_NOT("demo.card == 00:0e:8c:01:02:04", "demo.card in 00:0e:8d/24");
    HOLD("ip.src == 10.0.0.1", "ip.dst == 10.0.0.99", "ip.addr == 10.0.0.99", "ip.addr == 10.0.0.1",
         "ip.addr in 10.0.0.64/26", "ip.src != 10.0.0.99", "ip.addr != 10.0.0.2",
         "eth.src == 02:00:00:00:00:01", "eth.addr == 02:00:00:00:00:02");
    HOLD_NOT("ip.src == 10.0.0.99", "ip.addr != 10.0.0.1", "ip.addr not in 10.0.0.0/26",
             "eth.src == 02:00:00:00:00:02", "eth.addr != 02:00:00:00:00:02");
    HOLD("zone.src == cell", "zone.dst == plant", "purdue.src < 1", "purdue.dst == 1.5",
         "zone.src != plant");
    HOLD_NOT("zone.src == plant", "zone.dst == cell", "purdue.src >= purdue.dst");
    subject.ip_version = 0;
    HOLD("not ip.src", "not zone.src");
    HOLD_NOT("ip.src", "ip.src != 1.1.1.1", "zone.src != plant", "purdue.src < 9");
}

static void test_packet(void **state)
{
    (void)state;
    play(full, 0);
    HOLD("vlan == 7", "vlan == 100", "vlan != 8", "vlan in 90..110", "port == 5555",
         "port.src == 40000", "port.dst == 5555", "port in {1..5, 40000}", "port not in {502, 80}",
         "transport == udp", "ethertype == 0x800");
    HOLD_NOT("vlan != 7", "vlan == 8", "port.src == 5555", "port != 40000", "transport == tcp",
             "port not in {40000}");
    subject.vlan_count = 0;
    subject.has_ports = false;
    HOLD("not vlan", "not port == 5555", "not port != 5555");
    HOLD_NOT("vlan", "vlan != 7", "port != 1", "port.src", "vlan not in {1, 2}");
}

static void test_messages(void **state)
{
    (void)state;
    play(full, 0);
    HOLD("protocol == demo", "command == peek", "command.code == 1", "command.class == read",
         "kind == request", "direction == to_server", "subaddress == \"unit 3\"", "subaddress == 3",
         "subaddress < 4", "subaddress contains \"nit\"", "subaddress != 4", "command != poke",
         "command in {peek, poke}", "protocol in {demo, kid}");
    HOLD_NOT("protocol == kid", "command == poke", "command.class != read", "kind == response",
             "subaddress == 4", "subaddress != \"unit 3\"", "response_time_us",
             "response_time_us > 0", "not command == peek");
    play(empty, 0);
    HOLD("not command", "not command == peek", "not subaddress", "protocol == demo");
    HOLD_NOT("command", "command != peek", "command.code", "command.class == unknown", "subaddress",
             "subaddress != 1", "subaddress != \"x\"");
}

/* What a message does not have: a test on it is false, whatever its operator, but behind `not`. */
static void test_absent(void **state)
{
    (void)state;
    play(full, 0);
    HOLD("not demo.absent", "not demo.absent == 1", "not demo.absent != 1",
         "not demo.absent in {1, 2}", "not demo.absent not in {1, 2}", "not demo.absent & 1",
         "not demo.absent == demo.number", "not demo.number != demo.absent",
         "demo.number == 5 and not demo.absent");
    HOLD_NOT("demo.absent", "demo.absent == 1", "demo.absent != 1", "demo.absent not in {1, 2}",
             "demo.absent < 5", "demo.absent & 1 == 0", "demo.absent == demo.number",
             "demo.number != demo.absent", "demo.absent == demo.absent");
}

static void test_lists(void **state)
{
    (void)state;
    play(full, 0);
    HOLD("demo.list == 1", "demo.list == 3", "demo.list != 4", "demo.list > 2", "demo.list < 2",
         "demo.list not in {4, 5}", "demo.list in {3, 4}", "demo.list == demo.others",
         "demo.list < demo.others", "not demo.list == 4", "demo.list == 1 and demo.list == 2");
    HOLD_NOT("demo.list != 2", "demo.list not in {3, 4}", "demo.list > 3", "not demo.list == 1",
             "demo.list != demo.others", "not demo.list < demo.others");
}

static void test_any(void **state)
{
    (void)state;
    play(full, 0);
    HOLD("any demo.item (number == 1 and text == \"a\")", "demo.item.number == 1",
         "demo.item.number == 1 and demo.item.text == \"b\"",
         "any demo.item (number == 3 and not text)", "any demo.item (demo.item.number == 2)",
         "any demo.item (number == 1 and sub.number == 11)",
         "any demo.item (number == 2 and any demo.item.sub (number == 20))",
         "any demo.item (any sub (number == 11 and demo.item.text == \"a\"))",
         "not any demo.item (number == 4)", "not any demo.item (number == 1 and text == \"b\")",
         "any demo.item (not any sub (number > 0))", "any demo.item (not sub)",
         "any demo.item (number == demo.list)", "any demo.item (number == 2 and demo.number == 5)",
         "any demo.item (text contains \"b\" and number == 2)",
         "any demo.item (text matches \"^a$\" and sub.number == 10)",
         "any demo.item (number == 2 and text != \"a\")",
         "any demo.item (any demo.item (number == 3) and number == 1)", "any demo.item (demo.item)",
         "any demo.item (sub.number != 11 and number == 2)",
         "any demo.item (demo.texts == \"beta\")",
         "any demo.item (payload contains \"World\" and number == 2)",
         "any demo.item.sub (number == 20)", "not any demo.lone (number == 1)");
    HOLD_NOT("any demo.item (number == 1 and text == \"b\")", "any demo.item (number == 4)",
             "any demo.item (number == 2 and sub.number == 11)",
             "any demo.item (any sub (number == 11 and demo.item.text == \"b\"))",
             "not any demo.item (number == 1)",
             "any demo.item (text contains \"b\" and number == 1)",
             "any demo.item (text matches \"a\" and sub.number == 20)",
             "any demo.item (sub.number != 11 and number == 1)", "any demo.lone (not number)",
             "any demo.item (number == 3 and any sub (not number == 5))",
             "not any demo.item (not text)");
}

/* Fields of a message that carries this one. */
static void test_carriers(void **state)
{
    (void)state;
    play(full, 1);
    HOLD("protocol == kid", "kid.value == 9", "demo.number == 5", "demo.list == 3",
         "demo.texts == \"beta\"", "any demo.item (number == 2 and text == \"b\")",
         "demo.text contains \"World\"", "any demo.item (number == 1 and any sub (number == 11))",
         "kid.value == demo.others",
         "any demo.item (text matches \"^b\" and demo.item.number == 2)", "kid.value > demo.number",
         "any demo.item (not text)", "subaddress == 3");
    HOLD_NOT("demo.number == 6", "command == peek", "any demo.item (number == 1 and text == \"b\")",
             "any demo.item (number == 1 and any sub (number == 20))", "demo.absent != 1");
    play(full, 0);
    HOLD("not kid.value");
    HOLD_NOT("kid.value", "kid.value != 1");
}

/* Two fields of different types are compared as what they mean. */
static void test_same(void **state)
{
    (void)state;
    play(full, 0);
    HOLD("demo.signed < demo.number", "demo.number > demo.signed", "demo.real < demo.number",
         "demo.real > demo.signed", "demo.choice < demo.real", "demo.number != demo.signed",
         "demo.big > demo.negative", "demo.negative < demo.big", "demo.big != demo.negative",
         "demo.number == demo.number", "demo.v4 != demo.v6", "ip.src != demo.v4",
         "demo.text != demo.raw", "port.dst > demo.number", "demo.number >= demo.choice",
         "demo.card == demo.card", "port.src != port.dst", "demo.others == demo.list");
    /* Of the left one, only what the mask leaves. */
    HOLD("demo.number & 1 < demo.choice", "demo.number & 4 != demo.number",
         "demo.number & 0xf == demo.number");
    HOLD_NOT("demo.number & 4 == demo.number", "demo.number & 1 >= demo.choice");
    HOLD_NOT("demo.signed >= demo.number", "demo.big == demo.negative", "demo.big <= demo.negative",
             "demo.signed == demo.number", "demo.text == demo.raw", "demo.v4 == ip.src",
             "demo.number < demo.choice");
}

static void test_nan(void **state)
{
    (void)state;
    play(of_nan, 0);
    HOLD("not demo.real == 1", "not demo.real");
    HOLD_NOT("demo.real == 1", "demo.real != 1", "demo.real < 1", "demo.real > 1",
             "demo.real <= 1e308");
}

static void test_tags(void **state)
{
    (void)state;
    play(full, 0);
    HOLD("tag.byte == 5", "tag.big == 5", "tag.little == 0x500", "tag.minus == -2",
         "tag.minus_little == -257", "tag.minus < 0", "tag.last == 2.0", "tag.after == dead",
         "tag.before == \"Hello\"", "tag.before contains \"ell\"", "tag.before matches \"^H.*o$\"",
         "tag.mac == 00:05:02:48:65:6c", "tag.ip in 222.173.0.0/16", "tag.byte == demo.number",
         "tag.byte in {4..6}", "not tag.behind", "not tag.tcp");
    HOLD_NOT("tag.behind", "tag.behind != 1", "tag.too_early", "tag.nowhere", "tag.nowhere != 1",
             "tag.tcp", "tag.other_port", "tag.l2", "tag.byte != 5", "tag.after == dea0");
    subject.payload_length = PDU_LENGTH - 1;
    HOLD_NOT("tag.last", "payload.length == 25");
    subject.payload = NULL;
    HOLD_NOT("tag.byte", "payload", "payload contains \"World\"", "payload.length");
    static const uint8_t odd[] = "aaaaaaaaaaaaaaaaaa\0\0\xc0\x7f";
    subject.payload = odd;
    subject.payload_length = 22;
    HOLD_NOT("tag.nan", "tag.nan != 1", "tag.nan < 1", "tag.nan > 1");
    static const uint8_t infinite[] = "aaaaaaaaaaaaaaaaaa\0\0\x80\xff";
    subject.payload = infinite;
    HOLD("tag.nan < -1e308", "tag.nan");
    subject.transport = FT_TRANSPORT_L2;
    HOLD("tag.l2 == 0x61");
    subject.ethertype = 0x0806;
    HOLD_NOT("tag.l2");
}

static void test_without_message(void **state)
{
    (void)state;
    play(full, 0);
    subject.message = NULL;
    subject.call = NULL;
    HOLD("port == 5555", "tag.byte == 5", "not demo.number", "not any demo.item (number == 1)",
         "not protocol == demo");
    HOLD_NOT("demo.number", "demo.number != 1", "protocol != kid", "any demo.item (not text)",
             "kind");
}

static void test_joints(void **state)
{
    (void)state;
    play(full, 0);
    HOLD("demo.number == 4 or demo.number == 5",
         "(demo.number == 4 or demo.flag == true) and vlan == 7",
         "not (demo.number == 4 and demo.flag == true)",
         "not (demo.number == 4 or demo.flag == false)", "not not demo.flag",
         "not (not (demo.number == 5))",
         "demo.text contains \"zzz\" or demo.text matches \"o W\" or demo.number == 6",
         "demo.number == 4 and vlan == 7 or port == 5555");
    HOLD_NOT("demo.number == 5 and (vlan == 8 or port == 80)",
             "not (demo.number == 5 or vlan == 8)", "demo.number == 5 and not vlan == 7");
}

/* ---- evidence ---- */

/* What the evidence is called, its place (length 0: it has none), and of words its value. */
static void expect_evidence(const char *when, const char *name, uint32_t at, uint32_t length,
                            const char *value)
{
    struct compiled c;
    char called[128] = "nothing", text[256] = "";
    compile(&c, when);
    assert_true(ft_program_holds(&c.program, &subject, c.run));
    const struct ft_evidence *e = &c.run->evidence;
    if (e->operand) {
        ft_vocabulary_name(&vocabulary, e->operand, called, sizeof(called));
        if (!e->value.node)
            text[ft_program_value_text(&subject, e->operand, &e->value, text, sizeof(text))] = 0;
    }
    if (strcmp(called, name) != 0 || strcmp(text, value) != 0 ||
        (e->operand && (e->value.at != UINT32_MAX) != (length > 0)) ||
        (length && (e->value.at != at || e->value.at_length != length)))
        fail_msg("%s: evidence %s (%s) at %u, %u bytes", when, called, text, e->value.at,
                 e->value.at_length);
    release(&c);
}

static void test_evidence(void **state)
{
    (void)state;
    play(full, 0);
    expect_evidence("demo.number == 5", "demo.number", 0, 2, "");
    expect_evidence("demo.choice == two", "demo.choice", 2, 1, "");
    expect_evidence("demo.number == 5 and vlan == 7", "demo.number", 0, 2, "");
    expect_evidence("vlan == 7 and demo.number == 5", "demo.number", 0, 2, "");
    expect_evidence("demo.text contains \"World\"", "demo.text", 9, 5, "");
    expect_evidence("demo.text == \"Hello World\"", "demo.text", 3, 11, "");
    expect_evidence("demo.raw != dead", "demo.raw", 14, 4, "");
    expect_evidence("demo.text matches \"W.rld\"", "demo.text", 3, 11, ""); /* somewhere in it */
    expect_evidence("payload contains \"World\"", "payload", 9, 5, "576f726c64");
    /* Where it ends is known. */
    expect_evidence("payload matches \"W.rld\"", "payload", 0, 14, "00050248656c6c6f20576f726c64");
    expect_evidence("tag.byte == 5", "tag.byte", 1, 1, "5");
    expect_evidence("tag.after == dead", "tag.after", 14, 2, "dead");
    expect_evidence("tag.after matches \"^\\xde\"", "tag.after", 14, 1, "dead");
    expect_evidence("subaddress contains \"nit\"", "subaddress", 0, 0, "unit 3");
    expect_evidence("demo.choice < demo.number", "demo.choice", 2, 1, "");
    expect_evidence("demo.choice != demo.number", "demo.choice", 2, 1, "");
    expect_evidence("not demo.choice == demo.number", "demo.choice", 2, 1, "");
    expect_evidence("not demo.choice != demo.choice", "demo.choice", 2, 1, "");
    expect_evidence("vlan == 7 and port.src != port.dst", "port.src", 0, 0, "40000");
    expect_evidence("vlan == 7", "vlan", 0, 0, "7");
    expect_evidence("demo.signed == -7", "demo.signed", 0, 0, "");
    /* A value that a test was not about: what held is another. */
    expect_evidence("not demo.number == 5 or demo.choice == two", "demo.choice", 2, 1, "");
    expect_evidence("not demo.number == 5 or vlan == 7", "vlan", 0, 0, "7");
    expect_evidence("not demo.number == 4", "demo.number", 0, 2, "");
    play(full, 1);
    expect_evidence("kid.value == 9", "kid.value", 18, 1, "");
    expect_evidence("kid.value == 9 and demo.number == 5", "demo.number", 0, 2, "");
}

/* What held in an alternative that did not is no reason. */
static void test_evidence_of_alternatives(void **state)
{
    (void)state;
    play(full, 0);
    expect_evidence("(demo.number == 5 and vlan == 8) or vlan == 7", "vlan", 0, 0, "7");
    expect_evidence("(demo.number == 5 and vlan == 8) or demo.choice == two", "demo.choice", 2, 1,
                    "");
    expect_evidence("demo.number == 5 and (vlan == 8 or vlan == 7)", "demo.number", 0, 2, "");
    expect_evidence("((demo.number == 5 or demo.number == 6) and vlan == 8) or vlan == 7", "vlan",
                    0, 0, "7");
    expect_evidence("demo.number == 5 and ((demo.choice == two and vlan == 8) or vlan == 7)",
                    "demo.number", 0, 2, "");
    expect_evidence("(any demo.item (number == 1) and vlan == 8) or vlan == 7", "vlan", 0, 0, "7");
}

/* ---- limits ---- */

static void test_budget(void **state)
{
    (void)state;
    static const char *const conditions[] = {
        "demo.list == demo.others", "not demo.list == demo.others", "demo.list > demo.others",
        "demo.list == demo.others or demo.absent"};
    struct compiled c;
    play(huge, 0);
    for (unsigned i = 0; i < 4; i++) {
        compile(&c, conditions[i]);
        assert_false(ft_program_holds(&c.program, &subject, c.run));
        assert_int_equal(c.run->given_up, 1);
        assert_true(c.run->steps <= FT_PROGRAM_STEPS + 8);
        release(&c);
    }
    HOLD("demo.list == 1499", "demo.list < demo.others", "demo.texts contains \"needle\"");
    play(many_items, 0);
    HOLD("any demo.item (number == 400)", "not any demo.item (number == 401)");
    compile(&c, "any demo.item (any demo.item (demo.item.number == 500 or number == 500))");
    assert_false(ft_program_holds(&c.program, &subject, c.run));
    assert_int_equal(c.run->given_up, 1);
    release(&c);
}

/* What all programs share is found whole, though one that asks first has no steps left. */
static void test_budget_of_patterns(void **state)
{
    (void)state;
    struct compiled first, second;
    play(huge, 0);
    compile(&first, "demo.list == demo.others or demo.texts contains \"needle\"");
    compile(&second, "demo.texts contains \"needle\"");
    assert_false(ft_program_holds(&first.program, &subject, first.run));
    assert_int_equal(first.run->given_up, 1);
    assert_true(ft_program_holds(&second.program, &subject, first.run));
    release(&second);
    release(&first);
}

/* ---- programs that nobody made ---- */

static uint32_t below(uint64_t *seed, uint32_t n)
{
    return (uint32_t)(rules_random_next(seed) >> 9) % n;
}

static uint16_t any_label(uint64_t *seed, uint32_t count)
{
    uint32_t what = below(seed, count + 3);
    return (uint16_t)(what == 0         ? FT_PROGRAM_ACCEPT
                      : what == 1       ? FT_PROGRAM_REJECT
                      : below(seed, 20) ? what - 2
                                        : below(seed, 65536));
}

static void mutate(struct ft_program *p, uint64_t *seed)
{
    struct ft_instruction *i = &p->code[below(seed, p->count)];
    switch (below(seed, 9)) {
    case 0:
        i->on_true = any_label(seed, p->count);
        break;
    case 1:
        i->on_false = any_label(seed, p->count);
        break;
    case 2:
        i->end = any_label(seed, p->count);
        break;
    case 3:
        i->kind = (uint8_t)below(seed, 4);
        break;
    case 4:
        i->depth = (uint8_t)below(seed, 6);
        break;
    case 5:
        i->binding = (int8_t)(below(seed, 7) - 2);
        break;
    case 6:
        i->right_binding = (int8_t)(below(seed, 7) - 2);
        break;
    case 7:
        i->group = below(seed, 5);
        break;
    default:
        i->pattern = below(seed, 5);
    }
}

/* Whatever is said to be sound ends, and stays within bounds: a sanitizer sees the rest. */
static void test_soundness(void **state)
{
    static const char *const conditions[] = {
        "demo.number == 4 or demo.text contains \"World\" and not demo.list == demo.others",
        "any demo.item (number == 1 and any sub (number == 11 and demo.item.text == \"a\"))",
        "not any demo.item (text matches \"^b\" or sub.number == demo.list) or vlan == 8",
        "any demo.item (any sub (any demo.item (any demo.item.sub (number == 3)) or number == 5))"};
    uint64_t seed = 1, accepted = 0, refused = 0;
    struct compiled c;
    (void)state;
    play(full, 0);
    for (unsigned i = 0; i < 4; i++) {
        compile(&c, conditions[i]);
        struct ft_program mutant = {.count = c.program.count};
        mutant.code = malloc(mutant.count * sizeof(*mutant.code));
        assert_non_null(mutant.code);
        for (unsigned round = 0; round < 20000; round++) {
            memcpy(mutant.code, c.program.code, mutant.count * sizeof(*mutant.code));
            for (uint32_t n = 1 + below(&seed, 4); n--;)
                mutate(&mutant, &seed);
            if (!ft_program_is_sound(&mutant, &c.patterns)) {
                refused++;
                continue;
            }
            accepted++;
            ft_program_holds(&mutant, &subject, c.run);
            assert_true(c.run->steps <= FT_PROGRAM_STEPS + 64);
        }
        free(mutant.code);
        release(&c);
    }
    assert_true(accepted > 5000);
    assert_true(refused > 5000);
    struct ft_program none = {0};
    assert_false(ft_program_is_sound(&none, &(struct ft_patterns){0}));
}

/* ---- payloads that are joined ---- */

/* Only what more bytes cannot undo. */
static void test_joinable(void **state)
{
    static const char *const yes[] = {
        "payload contains \"abc\"",
        "lower(payload) contains \"abc\"",
        "port.dst == 80 and not ip.src == 10.0.0.1 and payload contains \"abc\"",
        "payload contains \"abc\" or payload matches \"a[^b]c\"",
        "payload matches \"(?i)a\\$b\\^c|x{2,3}\"",
        "payload and payload contains \"abc\"",
    };
    static const char *const no[] = {
        "port == 80",
        "payload",
        "payload.length > 3",
        "not payload contains \"abc\"",
        "payload == \"abc\"",
        "payload != \"abc\" and payload contains \"a\"",
        "payload contains \"abc\" and payload.length > 3",
        "payload contains \"abc\" and tag.byte == 1",
        "payload contains \"abc\" or payload matches \"^abc\"",
        "payload matches \"abc$\"",
        "payload matches \"abc\\z\"",
        "payload matches \"\\babc\"",
        "payload matches \"abc(?!d)\"",
        "payload matches \"(?<=x)abc\"",
    };
    struct compiled c;
    (void)state;
    for (unsigned i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        compile(&c, yes[i]);
        if (!ft_program_is_joinable(&c.program))
            fail_msg("%s", yes[i]);
        release(&c);
    }
    for (unsigned i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        compile(&c, no[i]);
        if (ft_program_is_joinable(&c.program))
            fail_msg("%s", no[i]);
        release(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_joinable),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_packet),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_absent),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_any),
        cmocka_unit_test(test_carriers),
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_nan),
        cmocka_unit_test(test_tags),
        cmocka_unit_test(test_joints),
        cmocka_unit_test(test_without_message),
        cmocka_unit_test(test_evidence),
        cmocka_unit_test(test_evidence_of_alternatives),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_soundness),
        cmocka_unit_test(test_budget_of_patterns),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
