/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tests of what dissectors call: the message tree and its JSON, messages, layers, violations,
 * state, pairing, reassembly, facts. Each test is a script that plays the dissector "demo", with
 * "kid" as its child.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "dissect/context.h"
#include "field_types.h"

#define SECOND 1000000000ull
#define NOW    (1700000000 * SECOND)

enum demo_field {
    ROOT,
    SIMPLE_FIELDS,
    MAC,
    SECRET,
    PIN,
    LIST,     /* list of numbers */
    CHOICES,  /* list of choices */
    GROUP,    /* one group */
    IN_GROUP, /* a number in it */
    DEEP,     /* a group in it */
    IN_DEEP,
    ITEM, /* a list of groups */
    IN_ITEM,
    SUB, /* a list of groups in each */
    IN_SUB,
    FIELDS
};

static const struct ft_name choices[] = {{1, "one"}, {2, "two"}, {0, NULL}};
static const struct ft_field demo_fields[FIELDS] = {
    [ROOT] = {.name = "demo", .type = FT_TYPE_GROUP},
    SIMPLE_FIELD_ROWS,
    [MAC] = {.name = "mac", .type = FT_TYPE_MAC},
    [SECRET] = {.name = "secret", .type = FT_TYPE_STRING, .flags = FT_FIELD_SECRET},
    [PIN] = {.name = "pin", .type = FT_TYPE_UINT, .flags = FT_FIELD_SECRET},
    [LIST] = {.name = "list", .type = FT_TYPE_UINT, .flags = FT_FIELD_LIST},
    [CHOICES] = {.name = "choices", .type = FT_TYPE_ENUM, .flags = FT_FIELD_LIST, .names = choices},
    [GROUP] = {.name = "group", .type = FT_TYPE_GROUP},
    [IN_GROUP] = {.name = "number", .type = FT_TYPE_UINT, .parent = GROUP},
    [DEEP] = {.name = "deep", .type = FT_TYPE_GROUP, .parent = GROUP},
    [IN_DEEP] = {.name = "number", .type = FT_TYPE_UINT, .parent = DEEP},
    [ITEM] = {.name = "item", .type = FT_TYPE_GROUP, .flags = FT_FIELD_LIST},
    [IN_ITEM] = {.name = "number", .type = FT_TYPE_UINT, .parent = ITEM},
    [SUB] = {.name = "sub", .type = FT_TYPE_GROUP, .flags = FT_FIELD_LIST, .parent = ITEM},
    [IN_SUB] = {.name = "number", .type = FT_TYPE_UINT, .parent = SUB},
};
static const struct ft_command demo_commands[] = {
    {.code = 1, .qualifier = FT_ANY_QUALIFIER, .name = "peek", .class_ = FT_CLASS_READ},
    {.code = 2, .qualifier = FT_ANY_QUALIFIER, .name = "load", .class_ = FT_CLASS_PROGRAM},
};
static const struct ft_violation demo_violations[] = {
    {.name = "odd", .title = "Odd", .severity = FT_SEVERITY_MINOR},
    {.name = "silent", .title = "Silent", .severity = FT_SEVERITY_MINOR},
};
static const struct ft_field kid_fields[] = {
    {.name = "kid", .type = FT_TYPE_GROUP},
    {.name = "value", .type = FT_TYPE_UINT},
};
static const struct ft_carrier kid_carriers[] = {
    {.kind = FT_CARRIER_PARENT, .parent = "demo", .value = 7},
    {.kind = FT_CARRIER_PARENT, .parent = "demo", .value = FT_ANY_SELECTOR},
    {.kind = FT_CARRIER_PARENT, .parent = "kid", .value = 7},
};

typedef void script(struct ft_context *ctx, struct ft_view *pdu);
static script *demo_script, *kid_script;
static enum ft_verdict kid_verdict;

static void demo_dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    demo_script(ctx, pdu);
}

static void kid_dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    if (kid_script)
        kid_script(ctx, pdu);
}

static enum ft_verdict kid_probe(const struct ft_probe *where, struct ft_view payload)
{
    (void)where;
    (void)payload;
    return kid_verdict;
}

static const struct ft_dissector demo = {.size = sizeof(demo),
                                         .abi = FT_ABI_VERSION,
                                         .name = "demo",
                                         .title = "Demo",
                                         .fields = FT_TABLE(demo_fields),
                                         .commands = FT_TABLE(demo_commands),
                                         .violations = FT_TABLE(demo_violations),
                                         .channel_size = FT_MAX_CHANNEL_STATE,
                                         .dissect = demo_dissect};
static const struct ft_dissector kid = {.size = sizeof(kid),
                                        .abi = FT_ABI_VERSION,
                                        .name = "kid",
                                        .title = "Kid",
                                        .carried_by = FT_TABLE(kid_carriers),
                                        .fields = FT_TABLE(kid_fields),
                                        .flow_state_size = 8,
                                        .probe = kid_probe,
                                        .dissect = kid_dissect};

static struct ft_registry *registry;
static struct ft_state shard;
static struct ft_call *call;
static uint64_t flow_state[FT_MAX_FLOW_STATE / 8];
static uint8_t children[FT_MAX_LAYERS];
static uint8_t packed[1 << 18];
static char text[1 << 20];
static bool raise_answer;
static unsigned raise_calls;
static const uint8_t sample[64] =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-";

static bool on_raise(void *user, struct ft_call *c, struct ft_message *m)
{
    assert_null(user);
    assert_ptr_equal(c, call);
    assert_true(m->has_command);
    raise_calls++;
    return raise_answer || m->class_ == FT_CLASS_PROGRAM;
}

static int setup(void **state)
{
    char error[128];
    (void)state;
    registry = ft_registry_new();
    call = calloc(1, sizeof(*call));
    if (!registry || !call || !ft_state_init(&shard, 64, 8, 2) ||
        !ft_registry_add(registry, &demo, NULL, error, sizeof(error)) ||
        !ft_registry_add(registry, &kid, NULL, error, sizeof(error)))
        return -1;
    ft_registry_finish(registry);
    ft_call_init(call, registry);
    memset(flow_state, 0, sizeof(flow_state));
    memset(children, 0, sizeof(children));
    call->state = &shard;
    call->owner = (struct ft_owner){11, 22};
    call->raise = on_raise;
    call->flow_state = flow_state;
    call->children = children;
    call->pub.transport = FT_TRANSPORT_TCP;
    call->pub.direction = FT_TO_SERVER;
    call->pub.time_ns = NOW;
    raise_answer = true;
    raise_calls = 0;
    kid_script = NULL;
    kid_verdict = FT_NO;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ft_registry_free(registry);
    ft_state_free(&shard);
    free(call);
    return 0;
}

/* Dissect a PDU (in a block of exactly its size) by the script. */
static void play_bytes(script *s, const void *bytes, uint32_t n)
{
    static uint8_t *exact;
    free(exact);
    exact = malloc(n ? n : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, n);
    demo_script = s;
    call->number++;
    ft_call_dissect(call, registry->protocols[0], exact, n, n, false);
}

static void play(script *s)
{
    play_bytes(s, sample, sizeof(sample));
}

static const char *json_limited(unsigned message, const struct ft_tree_options *options)
{
    const struct ft_message *m = &call->messages[message];
    bool is_cut;
    assert_true(message < call->message_count);
    uint32_t n = ft_tree_pack(call, m, packed, sizeof(packed), &is_cut);
    struct ft_json j = ft_json_make(text, sizeof(text) - 1);
    ft_json_object(&j);
    ft_tree_json(m->protocol, packed, n, options, &j);
    ft_json_object_end(&j);
    assert_false(j.is_full);
    text[j.length] = 0;
    return text;
}

static const char *json(unsigned message)
{
    static const struct ft_tree_options options = {.salt = {1, 2}};
    return json_limited(message, &options);
}

static const struct ft_node *node(unsigned message, unsigned n)
{
    uint32_t at = call->messages[message].first;
    while (n--)
        at = call->nodes[at].next;
    assert_true(at != 0);
    return &call->nodes[at];
}

/* ---- fields ---- */

static void every_type(struct ft_context *ctx, struct ft_view *pdu)
{
    ft_command(ctx, 1, 0);
    ft_put_uint(ctx, NUMBER, UINT64_MAX, NULL);
    ft_put_int(ctx, SIGNED, -5, NULL);
    ft_put_float(ctx, REAL, 0.5, NULL);
    ft_put_bool(ctx, FLAG, true, NULL);
    ft_put_uint(ctx, CHOICE, 2, NULL);
    ft_put_uint(ctx, BITS, 0x87, NULL);
    ft_put_string(ctx, TEXT, ft_view_make("abc \0 ", 6, false));
    ft_put_bytes(ctx, RAW, ft_sub(pdu, 3));
    ft_put_uint(ctx, V4, 0xc0a80001, NULL);
    ft_put_bytes(ctx, V6, ft_view_make("\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16, false));
    ft_put_bytes(ctx, MAC, ft_view_make("\0\1\2\3\4\xff", 6, false));
    ft_put_uint(ctx, WHEN, NOW, NULL);
}

static void test_json_of_every_type(void **state)
{
    (void)state;
    play(every_type);
    assert_string_equal(
        json(0),
        "{\"number_decimal\":\"18446744073709551615\",\"signed\":-5,\"real\":0.5,\"flag\":true,"
        "\"choice\":\"two\",\"choice_code\":2,\"bits\":[\"low\",\"both\",\"high\"],"
        "\"bits_code\":135,\"text\":\"abc\",\"raw\":\"303132\",\"v4\":\"192.168.0.1\","
        "\"v6\":\"fe80::1\",\"mac\":\"00:01:02:03:04:ff\","
        "\"when\":\"2023-11-14T22:13:20.000000+0000\"}");
}

static void odd_values(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)pdu;
    ft_command(ctx, 1, 0);
    ft_put_uint(ctx, CHOICE, 9, NULL);
    ft_put_uint(ctx, BITS, 0x0a, NULL);
    ft_put_bytes(ctx, V6, ft_view_make("abc", 3, false));
    ft_put_bytes(ctx, MAC, ft_view_make("", 0, false));
    ft_put_float(ctx, REAL, 0.0 / 0.0, NULL);
    /* put with the wrong function: never mistaken for a pointer or a group */
    ft_put_uint(ctx, TEXT, 5, NULL);
    ft_put_uint(ctx, RAW, 6, NULL);
    ft_put_uint(ctx, GROUP, 7, NULL);
    ft_put_bytes(ctx, NUMBER, ft_view_make("z", 1, false));
    ft_group_begin(ctx, SIGNED);
    ft_put_uint(ctx, FIELDS, 1, NULL);
    ft_put_uint(ctx, FT_MAX_FIELDS - 1, 1, NULL);
}

static void test_json_of_odd_values(void **state)
{
    (void)state;
    play(odd_values);
    assert_string_equal(json(0), "{\"choice\":\"unknown\",\"choice_code\":9,\"bits\":[],"
                                 "\"bits_code\":10,\"v6\":\"616263\",\"mac\":\"\",\"real\":null,"
                                 "\"text\":5,\"raw\":6,\"group\":7,\"number\":\"7a\"}");
}

static void lists(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)pdu;
    ft_command(ctx, 1, 0);
    for (unsigned i = 1; i <= 3; i++) {
        ft_put_uint(ctx, LIST, i, NULL);
        ft_put_uint(ctx, CHOICES, i, NULL);
        ft_group_begin(ctx, ITEM);
        ft_put_uint(ctx, IN_ITEM, i, NULL);
        for (unsigned k = 1; k < i; k++) {
            ft_group_begin(ctx, SUB);
            ft_put_uint(ctx, IN_SUB, k, NULL);
            ft_group_end(ctx, SUB);
        }
        ft_group_end(ctx, ITEM);
    }
    ft_put_uint(ctx, NUMBER, 1, NULL);
    ft_put_uint(ctx, NUMBER, 2, NULL); /* no list: the first stands */
}

static void test_json_of_lists(void **state)
{
    (void)state;
    play(lists);
    assert_string_equal(json(0),
                        "{\"list\":[1,2,3],\"choices\":[\"one\",\"two\",\"unknown\"],"
                        "\"choices_code\":[1,2,3],\"item\":[{\"number\":1},"
                        "{\"number\":2,\"sub\":[{\"number\":1}]},"
                        "{\"number\":3,\"sub\":[{\"number\":1},{\"number\":2}]}],\"number\":1}");
}

/* Readers keep 63 bits and a sign. What is larger is text, under a name of its own. */
static void beyond(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)pdu;
    ft_command(ctx, 1, 0);
    ft_put_uint(ctx, NUMBER, (uint64_t)INT64_MAX, NULL);
    ft_put_int(ctx, SIGNED, INT64_MIN, NULL);
    ft_put_uint(ctx, CHOICE, UINT64_MAX, NULL);
    ft_put_uint(ctx, BITS, 1ull << 63 | 1, NULL);
    ft_put_uint(ctx, LIST, 1, NULL);
    ft_put_uint(ctx, LIST, 1ull << 63, NULL);
    ft_put_bytes(ctx, LIST, ft_view_make("z", 1, false));
    ft_put_uint(ctx, CHOICES, 1, NULL);
    ft_put_uint(ctx, CHOICES, UINT64_MAX, NULL);
    ft_put_bytes(ctx, CHOICES, ft_view_make("z", 1, false));
    ft_put_uint(ctx, WHEN, UINT64_MAX, NULL);
}

static void test_json_of_large_numbers(void **state)
{
    (void)state;
    play(beyond);
    assert_string_equal(json(0),
                        "{\"number\":9223372036854775807,\"signed\":-9223372036854775808,"
                        "\"choice\":\"unknown\",\"choice_code_decimal\":\"18446744073709551615\","
                        "\"bits\":[\"low\"],\"bits_code_decimal\":\"9223372036854775809\","
                        "\"list_decimal\":[\"1\",\"9223372036854775808\",\"7a\"],"
                        "\"choices\":[\"one\",\"unknown\",\"7a\"],"
                        "\"choices_code_decimal\":[\"1\",\"18446744073709551615\",\"7a\"],"
                        "\"when\":\"2554-07-21T23:34:33.709551+0000\"}");
}

static void secrets(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)pdu;
    ft_command(ctx, 1, 0);
    ft_put_text(ctx, SECRET, "hunter2", 7, NULL);
    ft_put_uint(ctx, PIN, 1234, NULL);
}

static void test_secrets_are_hashed(void **state)
{
    (void)state;
    struct ft_tree_options open = {.log_secrets = true}, other = {.salt = {1, 3}};
    play(secrets);
    char first[256];
    snprintf(first, sizeof(first), "%s", json(0));
    assert_non_null(strstr(first, "\"secret\":{\"length\":7,\"hash\":\""));
    assert_non_null(strstr(first, "\"pin\":{\"length\":8,\"hash\":\""));
    assert_null(strstr(first, "hunter2"));
    assert_null(strstr(first, "1234\""));
    assert_string_equal(json(0), first);
    assert_string_not_equal(json_limited(0, &other), first);
    assert_string_equal(json_limited(0, &open), "{\"secret\":\"hunter2\",\"pin\":1234}");
}

/* ---- groups ---- */

static void groups(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)pdu;
    ft_command(ctx, 1, 0);
    ft_group_begin(ctx, GROUP);
    ft_put_uint(ctx, IN_GROUP, 1, NULL);
    ft_group_begin(ctx, DEEP);
    ft_put_uint(ctx, IN_DEEP, 2, NULL);
    ft_group_end(ctx, DEEP);
    ft_group_end(ctx, GROUP);
    ft_put_uint(ctx, NUMBER, 3, NULL);
}

static void forgotten_ends(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)pdu;
    ft_command(ctx, 1, 0);
    ft_group_begin(ctx, GROUP);
    ft_put_uint(ctx, IN_GROUP, 1, NULL);
    ft_group_begin(ctx, DEEP);
    ft_put_uint(ctx, IN_DEEP, 2, NULL);
    ft_put_uint(ctx, NUMBER, 3, NULL); /* stands at the root, whatever is open */
    ft_group_end(ctx, DEEP);
    ft_group_end(ctx, ITEM);
}

static void forgotten_begins(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)pdu;
    ft_command(ctx, 1, 0);
    ft_put_uint(ctx, IN_GROUP, 1, NULL);
    ft_put_uint(ctx, IN_DEEP, 2, NULL);
    ft_put_uint(ctx, NUMBER, 3, NULL);
}

static void test_schema_places_fields(void **state)
{
    (void)state;
    static const char *const same =
        "{\"group\":{\"number\":1,\"deep\":{\"number\":2}},\"number\":3}";
    play(groups);
    assert_string_equal(json(0), same);
    play(forgotten_ends);
    assert_string_equal(json(0), same);
    play(forgotten_begins);
    assert_string_equal(json(0), same);
}

/* Groups begun before anybody wanted anything; then a violation makes everything wanted. */
static void wanted_late(struct ft_context *ctx, struct ft_view *pdu)
{
    ft_command(ctx, 1, 0);
    ft_put_uint(ctx, NUMBER, 1, NULL);
    ft_group_begin(ctx, ITEM);
    ft_put_uint(ctx, IN_ITEM, 2, NULL);
    ft_group_begin(ctx, SUB);
    ft_violation(ctx, 0, pdu);
    ft_put_uint(ctx, IN_SUB, 3, NULL);
    ft_group_end(ctx, SUB);
    ft_group_begin(ctx, SUB);
    ft_put_uint(ctx, IN_SUB, 4, NULL);
    ft_group_end(ctx, SUB);
    ft_put_uint(ctx, IN_ITEM, 5, NULL);
    ft_group_end(ctx, ITEM);
    ft_group_begin(ctx, ITEM);
    ft_put_uint(ctx, IN_ITEM, 6, NULL);
    ft_group_end(ctx, ITEM);
    ft_put_uint(ctx, CHOICE, 1, NULL);
}

static void test_groups_opened_before_wanted(void **state)
{
    (void)state;
    raise_answer = false;
    play(wanted_late);
    assert_string_equal(json(0),
                        "{\"item\":[{\"sub\":[{\"number\":3},{\"number\":4}],\"number\":5},"
                        "{\"number\":6}],\"choice\":\"one\",\"choice_code\":1}");
}

/* ---- demand ---- */

static void test_only_what_is_wanted(void **state)
{
    (void)state;
    raise_answer = false;
    play(groups);
    assert_int_equal(call->node_count, 0);
    assert_string_equal(json(0), "{}");
    uint64_t before[FT_MAX_FIELDS / 64] = {1ull << NUMBER};
    const struct ft_demand_row all = {.all = {.fields = before}};
    const struct ft_demand_row rows[] = {all, all, all, all, all, all};
    struct ft_demand demand[] = {{.before = {.fields = before}, .rows = rows},
                                 {.before = ft_demand_nothing, .rows = rows}};
    struct ft_flow_wants no_rules = {0};
    call->demand = demand;
    call->flow_wants = &no_rules;
    call->wanted_of_all = UINT64_MAX;
    play(groups);
    assert_string_equal(json(0), "{\"number\":3}");
    before[0] |= 1ull << IN_DEEP;
    play(groups);
    assert_string_equal(json(0), "{\"group\":{\"deep\":{\"number\":2}},\"number\":3}");
    call->demand = NULL;
}

static void want(uint64_t *fields, uint32_t field)
{
    fields[field / 64] |= 1ull << (field % 64);
}

static void ask(uint64_t *values, uint64_t value)
{
    values[ft_value_bit(value) / 64] |= 1ull << (ft_value_bit(value) % 64);
}

static bool is_exception; /* of the message, from its second item on */

static void items(struct ft_context *ctx, struct ft_view *pdu)
{
    static const uint64_t numbers[] = {5, 7, 5, 9};
    (void)pdu;
    ft_group_begin(ctx, GROUP);
    ft_put_uint(ctx, IN_GROUP, 3, NULL);
    ft_group_end(ctx, GROUP);
    for (unsigned i = 0; i < 4; i++) {
        ft_group_begin(ctx, ITEM);
        ft_put_uint(ctx, IN_ITEM, numbers[i], NULL);
        ft_group_begin(ctx, SUB);
        ft_put_uint(ctx, IN_SUB, i, NULL);
        ft_group_end(ctx, SUB);
        ft_group_end(ctx, ITEM);
        if (is_exception)
            ft_set_kind(ctx, FT_KIND_EXCEPTION);
    }
}

/* Which element each item of the message is said to be; 0 ends them. */
static void assert_elements(const uint64_t *numbers)
{
    for (uint32_t n = 1; n <= call->node_count; n++)
        if (call->nodes[n].field == ITEM && call->nodes[n].type == FT_TYPE_GROUP)
            assert_int_equal(call->nodes[n].u, *numbers++);
    assert_int_equal(*numbers, 0);
}

static void test_only_values_asked_for(void **state)
{
    (void)state;
    uint64_t fields[FT_MAX_FIELDS / 64] = {0};
    uint64_t in_item[FT_VALUE_BITS / 64] = {0}, in_group[FT_VALUE_BITS / 64] = {0};
    struct ft_field_demand asked[FIELDS] = {[GROUP] = {.is_lazy = true},
                                            [IN_GROUP] = {.values = in_group},
                                            [ITEM] = {.is_lazy = true},
                                            [IN_ITEM] = {.values = in_item}};
    const struct ft_demand_row all = {.all = {fields, asked}};
    const struct ft_demand_row rows[] = {all, all, all};
    const struct ft_demand demand[] = {{.before = {fields, asked}, .rows = rows},
                                       {.before = ft_demand_nothing, .rows = rows}};
    const struct ft_flow_wants no_rules = {0};
    raise_answer = is_exception = false;
    for (uint32_t field = GROUP; field < FIELDS; field++)
        if (field != DEEP && field != IN_DEEP && field != SUB && field != IN_SUB)
            want(fields, field);
    ask(in_group, 4);
    ask(in_item, 7);
    ask(in_item, 9);
    call->demand = demand;
    call->flow_wants = &no_rules;
    call->wanted_of_all = UINT64_MAX;
    play(items);
    assert_string_equal(json(0), "{\"item\":[{\"number\":7},{\"number\":9}]}");
    assert_elements((uint64_t[]){2, 4, 0});
    assert_int_equal(call->node_count, 6);
    is_exception = true; /* everything is wanted from the second on */
    play(items);
    assert_string_equal(json(0), "{\"item\":[{\"number\":7,\"sub\":[{\"number\":1}]},"
                                 "{\"number\":5,\"sub\":[{\"number\":2}]},"
                                 "{\"number\":9,\"sub\":[{\"number\":3}]}]}");
    assert_elements((uint64_t[]){2, 3, 4, 0});
    is_exception = false; /* a list in a list has all its elements, so the one around it, too */
    want(fields, SUB);
    want(fields, IN_SUB);
    play(items);
    assert_string_equal(json(0), "{\"item\":[{\"sub\":[{\"number\":0}]},"
                                 "{\"number\":7,\"sub\":[{\"number\":1}]},"
                                 "{\"sub\":[{\"number\":2}]},"
                                 "{\"number\":9,\"sub\":[{\"number\":3}]}]}");
    assert_elements((uint64_t[]){1, 2, 3, 4, 0});
    call->demand = NULL;
}

static void texts(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)pdu;
    ft_put_text(ctx, TEXT, "one", 3, NULL);
    ft_put_string(ctx, TEXT, ft_view_make("two  ", 5, false));
    ft_put_string(ctx, TEXT, ft_view_make("three", 5, false));
    ft_put_text(ctx, TEXT, "four", 4, NULL);
}

static void test_only_texts_asked_for(void **state)
{
    (void)state;
    uint64_t fields[FT_MAX_FIELDS / 64] = {0}, asked_texts[FT_VALUE_BITS / 64] = {0};
    struct ft_field_demand asked[FIELDS] = {[TEXT] = {.values = asked_texts}};
    const struct ft_demand_row all = {.all = {fields, asked}};
    const struct ft_demand_row rows[] = {all, all, all};
    const struct ft_demand demand[] = {{.before = {fields, asked}, .rows = rows},
                                       {.before = ft_demand_nothing, .rows = rows}};
    const struct ft_flow_wants no_rules = {0};
    raise_answer = false;
    want(fields, TEXT);
    ask(asked_texts, ft_text_value("two", 3));
    ask(asked_texts, ft_text_value("four", 4));
    call->demand = demand;
    call->flow_wants = &no_rules;
    call->wanted_of_all = UINT64_MAX;
    play(texts);
    assert_int_equal(call->node_count, 2);
    assert_memory_equal(call->nodes[1].bytes, "two", 3);
    assert_memory_equal(call->nodes[2].bytes, "four", 4);
    call->demand = NULL;
}

static void raised_class(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)pdu;
    ft_put_uint(ctx, NUMBER, 1, NULL);
    ft_command(ctx, 1, 0);
    ft_put_uint(ctx, SIGNED, 2, NULL);
    ft_set_class(ctx, FT_CLASS_PROGRAM);
    ft_put_uint(ctx, CHOICE, 1, NULL);
    ft_command(ctx, 77, 3);
}

static void test_class_raises(void **state)
{
    (void)state;
    raise_answer = false;
    play(raised_class);
    assert_string_equal(json(0), "{\"choice\":\"one\",\"choice_code\":1}");
    assert_int_equal(raise_calls, 3); /* each time: it may be new */
    char scratch[32];
    assert_int_equal(call->messages[0].class_, FT_CLASS_UNKNOWN);
    assert_null(call->messages[0].command);
    assert_string_equal(ft_command_name(registry->protocols[0], 77, 3, scratch), "code_77");
}

/* ---- evidence ---- */

static void evidence(struct ft_context *ctx, struct ft_view *pdu)
{
    struct ft_view sub;
    ft_command(ctx, 1, 0);
    ft_put_uint(ctx, NUMBER, ft_u16be(pdu), pdu);
    ft_skip(pdu, 1);
    ft_put_uint(ctx, LIST, ft_u32le(pdu), pdu);
    sub = ft_sub(pdu, 10);
    ft_skip(&sub, 3);
    ft_put_bytes(ctx, RAW, ft_sub(&sub, 2));
    ft_put_uint(ctx, LIST, ft_u8(&sub), &sub);
    ft_put_uint(ctx, LIST, 5, NULL);
    ft_put_text(ctx, TEXT, "made", 4, pdu);
    ft_violation(ctx, 0, &sub);
}

static void test_evidence(void **state)
{
    (void)state;
    static const struct {
        uint32_t at, length;
    } want[] = {{0, 2}, {3, 4}, {10, 2}, {12, 1}, {UINT32_MAX, 0}, {7, 10}};
    play(evidence);
    for (unsigned i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        assert_int_equal(node(0, i)->at, want[i].at);
        assert_int_equal(node(0, i)->at_length, want[i].length);
    }
    assert_int_equal(call->findings[0].at, 12);
    assert_int_equal(call->findings[0].at_length, 1);
}

static void bytes_of_its_own(struct ft_context *ctx, struct ft_view *pdu)
{
    char local[8];
    (void)pdu;
    memcpy(local, "local", 5);
    ft_command(ctx, 1, 0);
    ft_put_bytes(ctx, TEXT, ft_view_make(local, 5, false));
    memset(local, '!', sizeof(local));
}

/* Bytes that will be gone when the tree is written are copied when they are put. */
static void test_bytes_from_elsewhere_are_copied(void **state)
{
    (void)state;
    play(bytes_of_its_own);
    assert_string_equal(json(0), "{\"text\":\"local\"}");
    assert_int_equal(node(0, 0)->at, UINT32_MAX);
    assert_true(call->arena_used >= 5);
    play(evidence);
    const struct ft_node *raw = node(0, 2);
    assert_ptr_equal(raw->bytes, call->pdu + 10);
}

/* ---- limits ---- */

static void too_many_fields(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)pdu;
    ft_command(ctx, 1, 0);
    for (unsigned i = 0; i < 2000; i++) {
        ft_group_begin(ctx, ITEM);
        ft_put_uint(ctx, IN_ITEM, i, NULL);
        ft_group_begin(ctx, SUB);
        ft_put_uint(ctx, IN_SUB, i, NULL);
        ft_group_end(ctx, SUB);
        ft_group_end(ctx, ITEM);
    }
    ft_put_uint(ctx, NUMBER, 1, NULL);
}

static void test_too_many_fields(void **state)
{
    (void)state;
    play(too_many_fields);
    assert_int_equal(call->node_count, FT_MAX_FIELDS);
    assert_true(call->dropped > 3000);
    const char *all = json(0);
    size_t n = strlen(all);
    static const char begin[] = "{\"item\":[{\"number\":0,\"sub\":[{\"number\":0}]},";
    assert_memory_equal(all, begin, strlen(begin));
    assert_memory_equal(all + n - 3, "}]}", 3);
    play(groups);
    assert_string_equal(json(0), "{\"group\":{\"number\":1,\"deep\":{\"number\":2}},\"number\":3}");
}

static void arena_full(struct ft_context *ctx, struct ft_view *pdu)
{
    static char kilo[1024];
    (void)pdu;
    memset(kilo, 'k', sizeof(kilo));
    ft_command(ctx, 1, 0);
    for (unsigned i = 0; i < 100; i++)
        ft_put_text(ctx, TEXT, kilo, sizeof(kilo), NULL);
    ft_put_text(ctx, TEXT, kilo, FT_MAX_ARENA + 1, NULL);
    ft_put_uint(ctx, NUMBER, 1, NULL);
    ft_subaddress_text(ctx, FT_SERVER, FT_SUB_NAME, "late", 4);
    ft_asset_text(ctx, FT_SERVER, FT_FACT_NAME, "late");
}

static void test_arena_limit(void **state)
{
    (void)state;
    play(arena_full);
    assert_int_equal(call->arena_used, FT_MAX_ARENA);
    assert_int_equal(call->node_count, 64 + 1);
    assert_int_equal(call->dropped, 36 + 1 + 2);
    assert_int_equal(call->fact_count, 0);
    assert_int_equal(call->messages[0].sub[1].kind, FT_SUB_NONE);
}

static void utf16(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)pdu;
    ft_command(ctx, 1, 0);
    for (unsigned i = 0; i < 100; i++) /* the arena takes what the text needs, not the worst */
        ft_put_utf16le(ctx, TEXT,
                       ft_view_make("a\0\xe9\0\xac\x20\x3d\xd8\0\xde\0\xd8z\0\0\0!", 17, false));
    ft_put_utf16be(ctx, SECRET, ft_view_make("\0k\xde\0\0l", 6, false));
    static uint8_t big[FT_MAX_ARENA];
    ft_put_utf16le(ctx, TEXT, ft_view_make(big, sizeof(big), false));
}

static void test_utf16(void **state)
{
    (void)state;
    struct ft_tree_options open = {.log_secrets = true};
    play(utf16);
    assert_string_equal(json_limited(0, &open),
                        "{\"text\":\"a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbdz\","
                        "\"secret\":\"k\xef\xbf\xbdl\"}");
    assert_true(call->arena_used < 101 * 24);
}

static void test_json_limits(void **state)
{
    (void)state;
    struct ft_tree_options leaves = {.leaves = 3}, few = {.bytes = 60};
    play(lists);
    assert_string_equal(json_limited(0, &leaves),
                        "{\"list\":[1,2,3],\"choices\":[],\"choices_code\":[],\"item\":[]}");
    assert_true(strlen(json_limited(0, &few)) < 60 + 80);
    /* the packed form is cut at whole nodes, with its groups closed */
    bool is_cut;
    for (uint32_t size = 0; size < 700; size += 4) {
        uint32_t n = ft_tree_pack(call, &call->messages[0], packed, size, &is_cut);
        assert_true(n <= size);
        struct ft_json j = ft_json_make(text, sizeof(text));
        struct ft_tree_options none = {0};
        ft_json_object(&j);
        ft_tree_json(registry->protocols[0], packed, n, &none, &j);
        ft_json_object_end(&j);
        unsigned open = 0, close = 0;
        for (uint32_t i = 0; i < j.length; i++) {
            open += text[i] == '{' || text[i] == '[';
            close += text[i] == '}' || text[i] == ']';
        }
        assert_int_equal(open, close);
    }
    assert_false(is_cut);
}

static void long_value(struct ft_context *ctx, struct ft_view *pdu)
{
    ft_command(ctx, 1, 0);
    ft_put_bytes(ctx, RAW, ft_rest(pdu));
}

static void test_long_values_are_cut_and_said(void **state)
{
    (void)state;
    static uint8_t big[5000];
    bool is_cut;
    play_bytes(long_value, big, sizeof(big));
    uint32_t n = ft_tree_pack(call, &call->messages[0], packed, sizeof(packed), &is_cut);
    assert_true(is_cut);
    assert_in_range(n, 1024, 1100);
    play_bytes(long_value, big, 1024);
    ft_tree_pack(call, &call->messages[0], packed, sizeof(packed), &is_cut);
    assert_false(is_cut);
}

/* ---- messages ---- */

static void embedded(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)pdu;
    ft_set_kind(ctx, FT_KIND_REQUEST);
    ft_subaddress(ctx, FT_SERVER, FT_SUB_UNIT, 4);
    ft_command(ctx, 1, 0);
    ft_put_uint(ctx, NUMBER, 1, NULL);
    ft_group_begin(ctx, GROUP);
    assert_true(ft_message_begin(ctx));
    ft_subaddress(ctx, FT_SERVER, FT_SUB_SLOT, 0x102);
    ft_command(ctx, 2, 0);
    ft_put_uint(ctx, NUMBER, 2, NULL);
    assert_true(ft_message_begin(ctx));
    ft_command(ctx, 1, 0);
    ft_group_begin(ctx, ITEM);
    ft_message_end(ctx);
    ft_put_uint(ctx, SIGNED, 3, NULL);
    ft_message_end(ctx);
    ft_message_end(ctx); /* one too many */
    ft_put_uint(ctx, IN_GROUP, 4, NULL);
    ft_message_begin(ctx); /* never ended */
}

static void test_messages_nest(void **state)
{
    (void)state;
    play(embedded);
    assert_int_equal(call->message_count, 4);
    assert_int_equal(call->messages[0].parent, 0xff);
    assert_int_equal(call->messages[1].parent, 0);
    assert_int_equal(call->messages[2].parent, 1);
    assert_int_equal(call->messages[3].parent, 0);
    assert_string_equal(json(0), "{\"number\":1,\"group\":{\"number\":4}}");
    assert_string_equal(json(1), "{\"number\":2,\"signed\":3}");
    assert_string_equal(json(2), "{\"item\":[{}]}");
    assert_int_equal(call->messages[0].sub[1].kind, FT_SUB_UNIT);
    assert_int_equal(call->messages[2].sub[1].value, 0x102);
    assert_int_equal(call->messages[3].sub[1].value, 4);
    assert_int_equal(call->messages[1].class_, FT_CLASS_PROGRAM);
    assert_int_equal(call->messages[0].kind, FT_KIND_REQUEST);
}

static void too_many_messages(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)pdu;
    unsigned n = 0;
    while (ft_message_begin(ctx))
        n++;
    assert_int_equal(n, FT_MAX_MESSAGES - 1);
    ft_put_uint(ctx, NUMBER, 9, NULL);
    while (n--)
        ft_message_end(ctx);
    ft_command(ctx, 1, 0);
    ft_put_uint(ctx, NUMBER, 1, NULL);
}

static void test_too_many_messages(void **state)
{
    (void)state;
    play(too_many_messages);
    assert_int_equal(call->message_count, FT_MAX_MESSAGES);
    assert_string_equal(json(0), "{\"number\":1}");
}

static void turns_around(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)pdu;
    assert_int_equal(ctx->direction, FT_TO_SERVER);
    ft_message_begin(ctx);
    ft_set_direction(ctx, FT_TO_CLIENT);
    ft_subaddress(ctx, FT_SENDER, FT_SUB_LINK, 1024);
    ft_subaddress_text(ctx, FT_CLIENT, FT_SUB_NAME, "hmi", 3);
    assert_int_equal(ctx->confidence, FT_CONFIDENCE_DISSECTOR);
    ft_message_end(ctx);
}

static void test_direction(void **state)
{
    (void)state;
    char name[64];
    play(turns_around);
    assert_int_equal(call->direction_said, FT_TO_CLIENT);
    assert_int_equal(call->messages[0].direction, FT_TO_CLIENT);
    assert_int_equal(call->messages[1].direction, FT_TO_CLIENT);
    const struct ft_sub *sub = call->messages[1].sub;
    ft_sub_text(sub[1].kind, sub[1].value, sub[1].text, sub[1].length, name, sizeof(name));
    assert_string_equal(name, "link 1024");
    ft_sub_text(sub[0].kind, sub[0].value, sub[0].text, sub[0].length, name, sizeof(name));
    assert_string_equal(name, "name hmi");
    ft_sub_text(FT_SUB_SLOT, 0x102, NULL, 0, name, sizeof(name));
    assert_string_equal(name, "slot 1/2");
    ft_sub_text(FT_SUB_NETWORK, 5ull << 48 | 77, NULL, 0, name, sizeof(name));
    assert_string_equal(name, "network 5 address 77");
    ft_sub_text(FT_SUB_NONE, 1, NULL, 0, name, sizeof(name));
    assert_string_equal(name, "");
}

/* ---- layers ---- */

static uint64_t *kid_state_seen;

static void kid_counts(struct ft_context *ctx, struct ft_view *pdu)
{
    uint64_t *state = ctx->flow_state;
    assert_non_null(state);
    assert_int_equal(ctx->selector, 7);
    kid_state_seen = state;
    ++*state;
    ft_command(ctx, 5, 0);
    ft_put_uint(ctx, 1, *state, NULL);
    ft_put_uint(ctx, NUMBER + 1, 5, NULL); /* no field of the child's */
    ft_message_end(ctx);                   /* not the child's to end */
    ft_put_uint(ctx, 1, 99, pdu);
    ft_u64be(pdu);
}

static void parent_hands_over(struct ft_context *ctx, struct ft_view *pdu)
{
    ft_command(ctx, 1, 0);
    ft_put_uint(ctx, NUMBER, 1, NULL);
    assert_true(ft_child(ctx, 7, ft_sub(pdu, 4)));
    ft_put_uint(ctx, SIGNED, 2, NULL);
    assert_false(ft_child(ctx, 8, ft_sub(pdu, 4)));
    assert_int_equal(ctx->selector, 0);
    assert_null(ctx->flow_state);
}

static void test_child_layer(void **state)
{
    (void)state;
    kid_script = kid_counts;
    call->pub.flow_state = NULL;
    for (unsigned round = 1; round <= 3; round++) {
        char expected[32];
        play(parent_hands_over);
        assert_int_equal(call->message_count, 2);
        assert_string_equal(call->messages[1].protocol->name, "kid");
        assert_int_equal(call->messages[1].parent, 0);
        assert_string_equal(json(0), "{\"number\":1,\"signed\":2}");
        snprintf(expected, sizeof(expected), "{\"value\":%u}", round);
        assert_string_equal(json(1), expected);
        /* the child ran out of bytes: its own violation, of its own message */
        assert_int_equal(call->finding_count, 1);
        assert_int_equal(call->findings[0].violation, FT_VIOLATION_MALFORMED);
        assert_int_equal(call->findings[0].message, 1);
        assert_string_equal(call->findings[0].protocol->name, "kid");
        assert_int_equal(call->unknown_children, 1);
    }
    /* another flow has another state */
    call->owner.flow++;
    play(parent_hands_over);
    assert_string_equal(json(1), "{\"value\":1}");
}

static void cut_child(struct ft_context *ctx, struct ft_view *pdu)
{
    ft_child_named(ctx, "kid", ft_view_make(pdu->data, 2, true));
    assert_int_equal(ctx->is_truncated, 0);
    assert_false(ft_child_named(ctx, "nobody", *pdu));
}

static void kid_reads_on(struct ft_context *ctx, struct ft_view *pdu)
{
    assert_int_equal(ctx->is_truncated, 1);
    ft_u32be(pdu);
}

static void test_cut_child_is_no_violation(void **state)
{
    (void)state;
    kid_script = kid_reads_on;
    play(cut_child);
    assert_int_equal(call->finding_count, 0);
    ft_protocol_switch_off(registry->protocols[1], call->shard);
    play(cut_child);
    assert_int_equal(call->message_count, 1);
    assert_int_equal(call->unknown_children, 2);
}

static unsigned kid_depth;

static void kid_recurses(struct ft_context *ctx, struct ft_view *pdu)
{
    kid_depth++;
    ft_child(ctx, 7, *pdu);
}

static void test_layers_are_bounded(void **state)
{
    (void)state;
    kid_depth = 0;
    kid_script = kid_recurses;
    play(parent_hands_over);
    assert_int_equal(kid_depth, FT_MAX_LAYERS - 1);
    assert_int_equal(call->message_count, FT_MAX_LAYERS);
}

static bool was_probed_child;

static void probes(struct ft_context *ctx, struct ft_view *pdu)
{
    was_probed_child = ft_child_probe(ctx, 0, *pdu);
}

static void probes_key(struct ft_context *ctx, struct ft_view *pdu)
{
    was_probed_child = ft_child_probe(ctx, 42, *pdu);
}

static void test_child_by_probe_is_remembered(void **state)
{
    (void)state;
    script *const scripts[] = {probes, probes_key};
    for (unsigned i = 0; i < 2; i++) {
        kid_verdict = FT_NO;
        play(scripts[i]);
        assert_false(was_probed_child);
        kid_verdict = FT_MAYBE;
        play(scripts[i]);
        assert_true(was_probed_child);
        kid_verdict = FT_NO;
        play(scripts[i]);
        assert_true(was_probed_child);
    }
    assert_int_equal(shard.count[FT_ENTRY_CHILD], 1);
    ft_protocol_switch_off(registry->protocols[1], call->shard);
    kid_verdict = FT_YES;
    play(probes);
    assert_false(was_probed_child);
}

/* ---- violations ---- */

static void violations(struct ft_context *ctx, struct ft_view *pdu)
{
    ft_violation(ctx, 0, NULL);
    ft_violation(ctx, 0, pdu);
    ft_violation(ctx, 1, pdu);
    ft_message_begin(ctx);
    ft_violation(ctx, 0, NULL);
    ft_message_end(ctx);
    ft_skip(pdu, 60);
    ft_expect_end(ctx, pdu);
}

static void many_violations(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)pdu;
    for (uint32_t i = 0; i < 40; i++)
        ft_violation(ctx, i, NULL);
}

static void test_violations(void **state)
{
    (void)state;
    play(violations);
    assert_int_equal(call->finding_count, 4);
    assert_int_equal(call->findings[0].count, 2);
    assert_int_equal(call->findings[1].violation, 1);
    assert_int_equal(call->findings[2].message, 1);
    assert_int_equal(call->findings[3].violation, FT_VIOLATION_TRAILING_BYTES);
    assert_int_equal(call->findings[3].message, 0);
    assert_true(call->messages[0].is_violated && call->messages[1].is_violated);
    play(many_violations);
    assert_int_equal(call->finding_count, FT_MAX_VIOLATIONS);
    assert_int_equal(call->dropped, 8);
}

static void test_violation_of_the_engine(void **state)
{
    (void)state;
    play(lists);
    ft_call_violation(call, registry->protocols[1], FT_VIOLATION_NOT_PROTOCOL);
    assert_int_equal(call->message_count, 1);
    assert_int_equal(call->finding_count, 1);
    assert_int_equal(call->findings[0].at, UINT32_MAX);
    assert_string_equal(json(0), "{}");
}

/* ---- channels ---- */

static uint8_t *channel_a, *channel_b;

static void channels(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)pdu;
    assert_null(ft_channel_find(ctx, FT_SCOPE_FLOW, 1));
    channel_a = ft_channel(ctx, FT_SCOPE_FLOW, 1);
    channel_b = ft_channel(ctx, FT_SCOPE_HOST_PAIR, 1);
    assert_non_null(channel_a);
    assert_ptr_not_equal(channel_a, channel_b);
    for (unsigned i = 0; i < FT_MAX_CHANNEL_STATE; i++)
        assert_int_equal(channel_a[i] | channel_b[i], 0);
    channel_a[0] = 'a';
    channel_b[0] = 'b';
    assert_ptr_equal(ft_channel(ctx, FT_SCOPE_FLOW, 1), channel_a);
}

static void channels_again(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)pdu;
    uint8_t *of_flow = ft_channel_find(ctx, FT_SCOPE_FLOW, 1);
    uint8_t *of_pair = ft_channel_find(ctx, FT_SCOPE_HOST_PAIR, 1);
    assert_non_null(of_pair);
    assert_int_equal(of_pair[0], 'b');
    assert_int_equal(of_flow ? of_flow[0] : 0, call->owner.flow == 11 ? 'a' : 0);
    ft_channel_close(ctx, FT_SCOPE_FLOW, 1);
    ft_channel_close(ctx, FT_SCOPE_FLOW, 1);
    assert_null(ft_channel_find(ctx, FT_SCOPE_FLOW, 1));
}

static void test_channels(void **state)
{
    (void)state;
    play(channels);
    call->owner.flow = 12;
    play(channels_again);
    call->owner.flow = 11;
    play(channels_again);
}

static void all_channels(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)pdu;
    uint8_t *all[64];
    for (unsigned i = 0; i < 64; i++) {
        all[i] = ft_channel(ctx, FT_SCOPE_FLOW, i);
        assert_non_null(all[i]);
        memset(all[i], (int)i + 1, FT_MAX_CHANNEL_STATE);
    }
    assert_null(ft_channel(ctx, FT_SCOPE_FLOW, 100));
    /* nor does anything else take one of them */
    struct ft_view whole;
    ft_request(ctx, FT_SCOPE_FLOW, 1, NULL, 0);
    assert_int_equal(ft_reassemble(ctx, 1, *pdu, FT_REASSEMBLY_FIRST, &whole), FT_REASSEMBLY_FULL);
    for (unsigned i = 0; i < 64; i++)
        for (unsigned k = 0; k < FT_MAX_CHANNEL_STATE; k++)
            assert_int_equal(all[i][k], i + 1);
}

static void one_channel(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)pdu;
    assert_non_null(ft_channel(ctx, FT_SCOPE_FLOW, 100));
    assert_null(ft_channel_find(ctx, FT_SCOPE_FLOW, 0));
    assert_non_null(ft_channel_find(ctx, FT_SCOPE_FLOW, 1));
}

static void test_channels_of_one_pdu_stay(void **state)
{
    (void)state;
    play(all_channels);
    assert_int_equal(call->dropped, 3);
    /* the next PDU may have what this one held */
    play(one_channel);
    assert_int_equal(call->dropped, 3);
}

static unsigned silences;

static void on_silent(void *user, const struct ft_entry *e)
{
    (void)user;
    assert_int_equal(e->deadline_violation, 1);
    silences++;
}

static void on_unanswered(void *user, const struct ft_entry *e)
{
    (void)user;
    (void)e;
}

static void expects_flows(struct ft_context *ctx, struct ft_view *pdu)
{
    uint8_t many[2 * FT_MAX_FLOW_STATE];
    (void)pdu;
    memset(many, 0x5a, sizeof(many));
    ft_expect_flow(ctx, FT_TRANSPORT_TCP, 4000, "kid", "old", 3);
    ft_expect_flow(ctx, FT_TRANSPORT_TCP, 4000, "kid", "new!", 4);
    ft_expect_flow(ctx, FT_TRANSPORT_UDP, 4001, "demo", NULL, 0);
    ft_expect_flow(ctx, FT_TRANSPORT_TCP, 4002, "kid", many, sizeof(many));
    ft_expect_flow(ctx, FT_TRANSPORT_TCP, 4003, "nobody", NULL, 0);
    ft_expect_flow(ctx, FT_TRANSPORT_TCP, 0, "kid", NULL, 0);
}

static const struct ft_protocol *expected(uint8_t transport, uint16_t from, uint16_t to,
                                          void **keep, uint32_t *size)
{
    call->pub.transport = transport;
    call->pub.src_port = from;
    call->pub.dst_port = to;
    return ft_call_expected(call, keep, size);
}

static void test_expected_flows(void **state)
{
    (void)state;
    static const struct ft_state_ops ops = {on_unanswered, on_silent};
    const uint8_t tcp = FT_TRANSPORT_TCP;
    uint32_t size;
    void *keep;
    play(expects_flows);
    const struct ft_protocol *p = expected(tcp, 20, 4000, &keep, &size);
    assert_string_equal(p->name, "kid");
    assert_int_equal(size, 4);
    assert_memory_equal(keep, "new!", 4);
    assert_ptr_equal(expected(tcp, 4000, 20, &keep, &size), p);
    assert_string_equal(expected(FT_TRANSPORT_UDP, 1, 4001, &keep, &size)->name, "demo");
    assert_int_equal(size, 0);
    assert_null(expected(tcp, 1, 4001, &keep, &size));
    assert_non_null(expected(tcp, 1, 4002, &keep, &size));
    assert_int_equal(size, p->dissector->flow_state_size);
    assert_null(expected(tcp, 1, 4003, &keep, &size));
    assert_null(expected(tcp, 0, 0, &keep, &size));
    call->owner.pair++;
    assert_null(expected(tcp, 20, 4000, &keep, &size));
    call->owner.pair--;
    uint64_t was = call->pub.time_ns;
    call->pub.time_ns = was + (FT_EXPECTED_SECONDS + 1) * SECOND;
    assert_null(expected(tcp, 20, 4000, &keep, &size));
    call->pub.time_ns = was;
    ft_state_tick(call->state, was + (FT_EXPECTED_SECONDS + 1) * SECOND, &ops, NULL);
    assert_int_equal(call->state->count[FT_ENTRY_EXPECTED], 0);
    assert_null(expected(tcp, 20, 4000, &keep, &size));
}

static void expects(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)pdu;
    ft_expect_within(ctx, FT_SCOPE_FLOW, 1, 1500, 1); /* no such channel: nothing */
    ft_channel(ctx, FT_SCOPE_FLOW, 1);
    ft_channel(ctx, FT_SCOPE_FLOW, 2);
    ft_expect_within(ctx, FT_SCOPE_FLOW, 1, 1500, 1);
    ft_expect_within(ctx, FT_SCOPE_FLOW, 1, 1500, 1);
    ft_expect_within(ctx, FT_SCOPE_FLOW, 2, 1500, 1);
    ft_expect_within(ctx, FT_SCOPE_FLOW, 2, 0, 1);
}

static void test_silence(void **state)
{
    (void)state;
    static const struct ft_state_ops ops = {on_unanswered, on_silent};
    silences = 0;
    play(expects);
    assert_int_equal(shard.deadlines, 1);
    ft_state_tick(&shard, NOW + 1 * SECOND, &ops, NULL);
    assert_int_equal(silences, 0);
    call->pub.time_ns = NOW + SECOND;
    play(expects);
    ft_state_tick(&shard, NOW + 2 * SECOND, &ops, NULL);
    assert_int_equal(silences, 0);
    ft_state_tick(&shard, NOW + 3 * SECOND, &ops, NULL);
    assert_int_equal(silences, 1);
    ft_state_tick(&shard, NOW + 9 * SECOND, &ops, NULL);
    assert_int_equal(silences, 1);
    assert_int_equal(shard.deadlines, 0);
}

/* ---- pairing ---- */

static void asks(struct ft_context *ctx, struct ft_view *pdu)
{
    ft_set_kind(ctx, FT_KIND_REQUEST);
    ft_command(ctx, 1, 0);
    ft_request(ctx, FT_SCOPE_FLOW, 5, pdu->data, pdu->len);
}

static const char *answer;

static void answers(struct ft_context *ctx, struct ft_view *pdu)
{
    static char copy[FT_MAX_PAIR_KEEP + 1];
    (void)pdu;
    ft_set_kind(ctx, FT_KIND_RESPONSE);
    const void *keep = ft_response(ctx, FT_SCOPE_FLOW, 5);
    answer = NULL;
    if (keep) {
        memcpy(copy, keep, FT_MAX_PAIR_KEEP);
        answer = copy;
    }
}

static void test_pairing(void **state)
{
    (void)state;
    play_bytes(asks, "first", 5);
    call->pub.time_ns += 1000;
    play_bytes(asks, "second", 6);
    /* not found from the same side, nor by another flow */
    play(answers);
    assert_null(answer);
    assert_false(call->messages[0].is_paired);
    call->pub.direction = FT_TO_CLIENT;
    call->owner.flow = 12;
    play(answers);
    assert_null(answer);
    call->owner.flow = 11;
    call->pub.time_ns += 5000;
    play(answers);
    assert_string_equal(answer, "first");
    assert_true(call->messages[0].is_paired);
    assert_int_equal(call->messages[0].response_ns, 6000);
    assert_int_equal(call->messages[0].request_number, 1);
    play(answers);
    assert_string_equal(answer, "second");
    assert_int_equal(call->messages[0].response_ns, 5000);
    play(answers);
    assert_null(answer);
    /* a response that is older than its request by the clock took no time */
    call->pub.direction = FT_TO_SERVER;
    play_bytes(asks, sample, 64);
    call->pub.direction = FT_TO_CLIENT;
    call->pub.time_ns -= 99;
    play(answers);
    assert_memory_equal(answer, sample, 64);
    assert_int_equal(call->messages[0].response_ns, 0);
    assert_int_equal(shard.entries.used, 0);
}

static void test_pairing_without_direction(void **state)
{
    (void)state;
    call->pub.direction = FT_DIRECTION_NONE;
    play_bytes(asks, "either", 6);
    play(answers);
    assert_string_equal(answer, "either");
}

/* ---- reassembly ---- */

static struct ft_view part, unit;
static uint32_t part_flags;
static enum ft_reassembly_result result;
static char unit_copy[256];

static void reassembles(struct ft_context *ctx, struct ft_view *pdu)
{
    part.data = pdu->data;
    part.len = pdu->len;
    result = ft_reassemble(ctx, 3, part, part_flags, &unit);
    memcpy(unit_copy, unit.data, unit.len < 255 ? unit.len : 255);
    unit_copy[unit.len < 255 ? unit.len : 255] = 0;
    ft_command(ctx, 1, 0);
    if (unit.len)
        ft_put_bytes(ctx, RAW, ft_sub(&unit, 1));
}

static enum ft_reassembly_result collect(const char *bytes, uint32_t flags)
{
    part_flags = flags;
    part.is_cut = false;
    play_bytes(reassembles, bytes, (uint32_t)strlen(bytes));
    ft_call_done(call);
    return result;
}

#define FIRST FT_REASSEMBLY_FIRST
#define LAST  FT_REASSEMBLY_LAST

static void test_reassembly(void **state)
{
    (void)state;
    assert_int_equal(collect("whole", FIRST | LAST), FT_REASSEMBLY_DONE);
    assert_string_equal(unit_copy, "whole");
    assert_int_equal(node(0, 0)->at, 0);
    assert_int_equal(shard.pools.small.used_max, 0);
    assert_int_equal(collect("middle", 0), FT_REASSEMBLY_NO_START);
    assert_int_equal(collect("end", LAST), FT_REASSEMBLY_NO_START);
    assert_int_equal(collect("one ", FIRST), FT_REASSEMBLY_MORE);
    assert_int_equal(unit.len, 0);
    /* the other direction, and another flow, collect for themselves */
    call->pub.direction = FT_TO_CLIENT;
    assert_int_equal(collect("uno ", FIRST), FT_REASSEMBLY_MORE);
    call->pub.direction = FT_TO_SERVER;
    call->owner.flow = 12;
    assert_int_equal(collect("two ", 0), FT_REASSEMBLY_NO_START);
    call->owner.flow = 11;
    assert_int_equal(collect("", 0), FT_REASSEMBLY_MORE);
    assert_int_equal(collect("two ", 0), FT_REASSEMBLY_MORE);
    part_flags = LAST;
    play_bytes(reassembles, "three", 5);
    assert_int_equal(result, FT_REASSEMBLY_DONE);
    assert_string_equal(unit_copy, "one two three");
    /* the unit lives until the tree has been written */
    assert_string_equal(json(0), "{\"raw\":\"6f\"}");
    assert_int_equal(node(0, 0)->at, UINT32_MAX);
    ft_call_done(call);
    assert_int_equal(shard.pools.small.used, 1);
    call->pub.direction = FT_TO_CLIENT;
    assert_int_equal(collect("dos", LAST), FT_REASSEMBLY_DONE);
    assert_string_equal(unit_copy, "uno dos");
    assert_int_equal(shard.pools.small.used, 0);
    assert_int_equal(shard.entries.used, 0);
}

static void test_reassembly_replaced(void **state)
{
    (void)state;
    collect("lost ", FIRST);
    assert_int_equal(collect("new ", FIRST), FT_REASSEMBLY_REPLACED);
    assert_int_equal(collect("unit", LAST), FT_REASSEMBLY_DONE);
    assert_string_equal(unit_copy, "new unit");
    collect("lost ", FIRST);
    assert_int_equal(collect("short", FIRST | LAST), FT_REASSEMBLY_REPLACED);
    assert_string_equal(unit_copy, "short");
    assert_int_equal(shard.entries.used, 0);
    assert_int_equal(shard.pools.small.used, 0);
}

static void test_reassembly_overflow(void **state)
{
    (void)state;
    static uint8_t kilos[10000];
    uint32_t sum = 0;
    part_flags = FIRST;
    do {
        play_bytes(reassembles, kilos, sizeof(kilos));
        part_flags = 0;
        sum += sizeof(kilos);
    } while (result == FT_REASSEMBLY_MORE);
    assert_int_equal(result, FT_REASSEMBLY_FULL);
    assert_in_range(sum, FT_MAX_REASSEMBLY, FT_MAX_REASSEMBLY + sizeof(kilos));
    assert_int_equal(shard.pools.small.used + shard.pools.large.used, 0);
    assert_int_equal(shard.entries.used, 0);
    /* as long as can be is fine, in parts that move it to a large buffer */
    for (uint32_t i = 0; i < 16; i++) {
        part_flags = (i == 0 ? FIRST : 0) | (i == 15 ? LAST : 0);
        play_bytes(reassembles, kilos, 4096);
    }
    assert_int_equal(result, FT_REASSEMBLY_DONE);
    assert_int_equal(unit.len + 1, FT_MAX_REASSEMBLY);
    ft_call_done(call);
}

static void test_reassembly_is_cut_when_a_part_was(void **state)
{
    (void)state;
    collect("one ", FIRST);
    part_flags = 0;
    part.is_cut = true;
    play_bytes(reassembles, "tw", 2);
    assert_int_equal(collect("three", LAST), FT_REASSEMBLY_DONE);
    assert_true(unit.is_cut);
}

static void test_gap_drops_what_is_collected(void **state)
{
    (void)state;
    collect("one ", FIRST);
    ft_state_gap(&shard, 11, FT_TO_CLIENT);
    assert_int_equal(collect("two ", 0), FT_REASSEMBLY_MORE);
    ft_state_gap(&shard, 11, FT_TO_SERVER);
    assert_int_equal(collect("three", LAST), FT_REASSEMBLY_NO_START);
    assert_int_equal(shard.pools.small.used, 0);
}

static void many_units(struct ft_context *ctx, struct ft_view *pdu)
{
    struct ft_view whole;
    for (uint64_t key = 0; key < 30; key++) {
        ft_reassemble(ctx, key, *pdu, FIRST, &whole);
        ft_reassemble(ctx, key, *pdu, LAST, &whole);
    }
}

static void test_units_of_one_pdu_are_bounded(void **state)
{
    (void)state;
    play(many_units);
    assert_true(call->release_count <= sizeof(call->release) / sizeof(call->release[0]));
    assert_true(call->dropped > 0);
    /* half way through, the call is abandoned: nothing is lost */
    ft_call_abandon(call);
    assert_int_equal(shard.pools.small.used + shard.pools.large.used,
                     shard.count[FT_ENTRY_REASSEMBLY]);
    assert_int_equal(call->message_count, 0);
}

/* ---- facts ---- */

static void facts(struct ft_context *ctx, struct ft_view *pdu)
{
    char many[300];
    memset(many, 'm', sizeof(many));
    ft_subaddress(ctx, FT_SERVER, FT_SUB_UNIT, 9);
    ft_asset(ctx, FT_SERVER, FT_FACT_VENDOR, ft_view_make("Acme  \0", 7, false));
    ft_asset_text(ctx, FT_SENDER, FT_FACT_NAME, "hmi");
    ft_asset_text(ctx, FT_SENDER, FT_FACT_OS, "  ");
    ft_asset(ctx, FT_RECEIVER, FT_FACT_MODEL, ft_view_make(many, sizeof(many), false));
    ft_asset_role(ctx, FT_CLIENT, FT_ROLE_HMI);
    ft_asset_behind(ctx, FT_SERVER, FT_SUB_LINK, 3, FT_FACT_SERIAL, "77");
    struct ft_view ip = ft_sub(pdu, 4), mac = ft_sub(pdu, 6);
    ft_asset_address(ctx, ip, mac);
    ft_asset_address(ctx, ft_sub(pdu, 5), mac);
}

static void resolutions(struct ft_context *ctx, struct ft_view *pdu)
{
    struct ft_view ip = ft_sub(pdu, 4), mac = ft_sub(pdu, 6);
    ft_resolution(ctx, FT_RESOLUTION_PROBE, mac, ft_view_empty(), ip);
    ft_resolution(ctx, FT_RESOLUTION_ANSWER, mac, ip, ip);
    ft_resolution(ctx, FT_RESOLUTION_ANSWER, mac, ft_view_empty(), ip); /* of other sizes */
    ft_resolution(ctx, FT_RESOLUTION_ANSWER, mac, ip, mac);
    ft_resolution(ctx, FT_RESOLUTION_ANSWER, ip, ip, ip);
    ft_claim(ctx, 0, 0, 0, 0, 0);
}

static void test_resolutions(void **state)
{
    (void)state;
    play(resolutions);
    assert_int_equal(call->fact_count, 3);
    struct ft_resolution_fact r[2];
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(call->facts[i].kind, FT_FACT_RESOLUTION);
        assert_int_equal(call->facts[i].length, sizeof(r[i]));
        memcpy(&r[i], call->facts[i].text, sizeof(r[i]));
        assert_int_equal(r[i].length, 4);
        assert_memory_equal(r[i].mac, r[0].mac, 6);
        assert_memory_equal(r[i].target, r[0].target, 16);
    }
    static const uint8_t zero[16];
    assert_int_equal(r[0].what, FT_RESOLUTION_PROBE);
    assert_memory_equal(r[0].ip, zero, 16);
    assert_int_equal(r[1].what, FT_RESOLUTION_ANSWER);
    assert_memory_equal(r[1].ip, r[1].target, 16);
    assert_int_equal(call->facts[2].kind, FT_FACT_CLAIM);
    assert_int_equal(call->facts[2].length, sizeof(struct ft_claim_fact));
}

static void many_facts(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)pdu;
    for (unsigned i = 0; i < FT_MAX_FACTS + 5; i++)
        ft_asset_text(ctx, FT_SERVER, FT_FACT_NAME, "x");
}

static void test_facts(void **state)
{
    (void)state;
    play(facts);
    assert_int_equal(call->fact_count, 6);
    const struct ft_asset_fact *f = call->facts;
    assert_int_equal(f[0].party, FT_RECEIVER);
    assert_int_equal(f[0].length, 4);
    assert_memory_equal(f[0].text, "Acme", 4);
    assert_int_equal(f[0].sub.kind, FT_SUB_UNIT);
    assert_int_equal(f[0].sub.value, 9);
    assert_int_equal(f[1].party, FT_SENDER);
    assert_int_equal(f[1].sub.kind, FT_SUB_NONE);
    assert_int_equal(f[2].length, 256);
    assert_int_equal(f[3].party, FT_SENDER);
    assert_memory_equal(f[3].text, "hmi", 3);
    assert_int_equal(f[4].sub.kind, FT_SUB_LINK);
    assert_int_equal(f[5].kind, FT_FACT_ADDRESS);
    assert_memory_equal(f[5].text, sample, 10);
    call->pub.direction = FT_TO_CLIENT;
    play(facts);
    assert_int_equal(call->facts[0].party, FT_SENDER);
    play(many_facts);
    assert_int_equal(call->fact_count, FT_MAX_FACTS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_json_of_every_type),
        TEST(test_json_of_odd_values),
        TEST(test_json_of_large_numbers),
        TEST(test_json_of_lists),
        TEST(test_secrets_are_hashed),
        TEST(test_schema_places_fields),
        TEST(test_groups_opened_before_wanted),
        TEST(test_only_what_is_wanted),
        TEST(test_only_values_asked_for),
        TEST(test_only_texts_asked_for),
        TEST(test_only_values_asked_for),
        TEST(test_class_raises),
        TEST(test_evidence),
        TEST(test_bytes_from_elsewhere_are_copied),
        TEST(test_too_many_fields),
        TEST(test_arena_limit),
        TEST(test_utf16),
        TEST(test_json_limits),
        TEST(test_long_values_are_cut_and_said),
        TEST(test_messages_nest),
        TEST(test_too_many_messages),
        TEST(test_direction),
        TEST(test_child_layer),
        TEST(test_cut_child_is_no_violation),
        TEST(test_layers_are_bounded),
        TEST(test_child_by_probe_is_remembered),
        TEST(test_violations),
        TEST(test_violation_of_the_engine),
        TEST(test_channels),
        TEST(test_channels_of_one_pdu_stay),
        TEST(test_silence),
        TEST(test_expected_flows),
        TEST(test_pairing),
        TEST(test_pairing_without_direction),
        TEST(test_reassembly),
        TEST(test_reassembly_replaced),
        TEST(test_reassembly_overflow),
        TEST(test_reassembly_is_cut_when_a_part_was),
        TEST(test_gap_drops_what_is_collected),
        TEST(test_units_of_one_pdu_are_bounded),
        TEST(test_facts),
        TEST(test_resolutions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
