/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of the registry: every refusal by its sentence, and what a sound dissector becomes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dissect/registry.h"

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)ctx;
    (void)pdu;
}

static const struct ft_name names[] = {{1, "one"}, {0, NULL}};

enum {
    ROOT,
    GROUP,
    NUMBER,
    CHOICE,
    INNER,
    FIELDS
};

/* A sound dissector in variables, for each test to spoil. */
static struct ft_field fields[FIELDS];
static struct ft_command commands[5];
static struct ft_violation violations[1];
static struct ft_carrier carriers[2];
static struct ft_signature signatures[1];
static struct ft_dissector demo;
static struct ft_registry *r;
static char error[256];

static int setup(void **state)
{
    (void)state;
    static const struct ft_field good_fields[FIELDS] = {
        [ROOT] = {.name = "demo", .title = "Demo", .type = FT_TYPE_GROUP},
        [GROUP] = {.name = "group", .title = "A group", .type = FT_TYPE_GROUP},
        [NUMBER] = {.name = "number", .type = FT_TYPE_UINT, .parent = GROUP},
        [CHOICE] = {.name = "choice", .title = "A choice", .type = FT_TYPE_ENUM, .names = names},
        [INNER] = {.name = "inner",
                   .title = "Group in a group",
                   .type = FT_TYPE_GROUP,
                   .parent = GROUP},
    };
    static const struct ft_command good_commands[5] = {
        {.code = 300, .qualifier = FT_ANY_QUALIFIER, .name = "far", .class_ = FT_CLASS_READ},
        {.code = 7, .qualifier = FT_ANY_QUALIFIER, .name = "any", .class_ = FT_CLASS_READ},
        {.code = 7, .qualifier = 2, .name = "exact", .class_ = FT_CLASS_WRITE},
        {.code = 1, .qualifier = FT_ANY_QUALIFIER, .name = "first", .class_ = FT_CLASS_MODE},
        {.code = 300, .qualifier = 5, .name = "far_five", .class_ = FT_CLASS_READ},
    };
    memcpy(fields, good_fields, sizeof(fields));
    memcpy(commands, good_commands, sizeof(commands));
    violations[0] = (struct ft_violation){
        .name = "odd", .title = "Odd", .severity = FT_SEVERITY_MINOR, .engine = FT_ENGINE_POLICY};
    carriers[0] = (struct ft_carrier){.kind = FT_CARRIER_TCP, .value = 7000, .last = 7002};
    carriers[1] = (struct ft_carrier){.kind = FT_CARRIER_UDP, .value = FT_ANY_SELECTOR};
    signatures[0] = (struct ft_signature){.pattern = "^DEMO", .flags = FT_SIGNATURE_TCP};
    demo = (struct ft_dissector){.size = sizeof(demo),
                                 .abi = FT_ABI_VERSION,
                                 .name = "demo",
                                 .title = "Demo protocol",
                                 .fields = FT_TABLE(fields),
                                 .commands = FT_TABLE(commands),
                                 .violations = FT_TABLE(violations),
                                 .carried_by = FT_TABLE(carriers),
                                 .signatures = FT_TABLE(signatures),
                                 .dissect = dissect};
    r = ft_registry_new();
    return r ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    ft_registry_free(r);
    return 0;
}

static void assert_refused(const char *part)
{
    error[0] = 0;
    if (ft_registry_add(r, &demo, "demo.so", error, sizeof(error)))
        fail_msg("taken, but should be refused for: %s", part);
    if (!strstr(error, part) || strncmp(error, "demo.so: dissector ", 19) != 0)
        fail_msg("\"%s\" does not say \"%s\"", error, part);
    assert_null(strchr(error, '\n'));
    assert_int_equal(r->count, 0);
    assert_int_equal(r->tcp_port[7000], 0);
    ft_registry_free(r);
    assert_int_equal(setup(NULL), 0);
}

static void assert_taken(void)
{
    error[0] = 0;
    if (!ft_registry_add(r, &demo, NULL, error, sizeof(error)))
        fail_msg("refused: %s", error);
}

static void test_takes_a_sound_one(void **state)
{
    (void)state;
    assert_taken();
    const struct ft_protocol *p = ft_registry_find(r, "demo");
    assert_non_null(p);
    assert_null(ft_registry_find(r, "dem"));
    assert_int_equal(p->max_pdu, 8192);
    assert_int_equal(p->field_count, FIELDS);
    assert_string_equal(p->fields[NUMBER].title, "number");
    assert_int_equal(p->demand_all[0], (1 << FIELDS) - 1);
    assert_int_equal(p->demand_all[FT_MAX_FIELDS / 64 - 1], 0);
    for (unsigned port = 6999; port <= 7003; port++)
        assert_int_equal(r->tcp_port[port], port >= 7000 && port <= 7002 ? p->index + 1 : 0);
    for (unsigned port = 0; port < 65536; port++)
        assert_int_equal(r->udp_port[port], 0);
}

static void test_refuses_another_abi_or_size(void **state)
{
    (void)state;
    demo.abi = FT_ABI_VERSION + 1;
    assert_refused("built for interface version 2, this sensor has 1");
    demo.size = 8;
    assert_refused("struct is too small (8 bytes)");
    demo.size = offsetof(struct ft_dissector, dissect);
    assert_refused("struct is too small");
    /* larger, from a later version of the same interface: what it has more is not looked at */
    demo.size = sizeof(demo) + 64;
    assert_taken();
}

static void test_refuses_incomplete_structs(void **state)
{
    (void)state;
    static const char *const bad[] = {
        NULL, "", "Demo", "demo-2", "demo protocol", "a23456789012345678901234567890123"};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        demo.name = bad[i];
        assert_refused("name (lower case, digits, _), title, fields and dissect() are required");
    }
    demo.title = NULL;
    assert_refused("title");
    demo.dissect = NULL;
    assert_refused("dissect() are required");
    demo.fields.rows = NULL;
    assert_refused("fields");
    demo.fields.count = 0;
    assert_refused("fields");
    demo.fields.row_size = 0;
    assert_refused("fields");
}

static void test_refuses_beyond_limits(void **state)
{
    (void)state;
    demo.flow_state_size = FT_MAX_FLOW_STATE + 1;
    assert_refused("beyond a limit");
    demo.channel_size = FT_MAX_CHANNEL_STATE + 1;
    assert_refused("beyond a limit");
    demo.max_pdu = FT_MAX_PDU + 1;
    assert_refused("beyond a limit");
    demo.sync.length = 9;
    assert_refused("beyond a limit");
    demo.fields.count = FT_MAX_FIELDS + 1;
    assert_refused("beyond a limit");
    /* counts that lie would be read past the table's end */
    demo.commands.count = UINT32_MAX;
    assert_refused("a table is beyond its limit");
    demo.violations.count = FT_VIOLATION_COMMON;
    assert_refused("a table is beyond its limit");
    demo.carried_by.count = UINT32_MAX;
    assert_refused("a table is beyond its limit");
    demo.signatures.count = UINT32_MAX;
    assert_refused("a table is beyond its limit");
}

static void test_refuses_bad_fields(void **state)
{
    (void)state;
    fields[ROOT].name = "other";
    assert_refused("field 0 (other): row 0 must be a group with the protocol's name");
    fields[ROOT].type = FT_TYPE_UINT;
    assert_refused("row 0 must be a group");
    fields[NUMBER].name = NULL;
    assert_refused("field 2 (no name): name missing");
    fields[NUMBER].name = "Number";
    assert_refused("field 2 (Number): name missing, or not lower case");
    fields[NUMBER].type = 0;
    assert_refused("unknown type");
    fields[NUMBER].type = FT_TYPE_TIME + 1;
    assert_refused("unknown type");
    fields[NUMBER].parent = FIELDS;
    assert_refused("its parent is not a group");
    fields[NUMBER].parent = CHOICE;
    assert_refused("its parent is not a group");
    fields[GROUP].parent = GROUP;
    assert_refused("its parent is not a group");
    fields[CHOICE].names = NULL;
    assert_refused("field 3 (choice): an enumeration or flags without names");
    fields[NUMBER].bits = 65;
    assert_refused("bits are of numbers, enumerations and flags, at most 64");
    fields[GROUP].bits = 1;
    assert_refused("bits are of numbers, enumerations and flags, at most 64");
    fields[CHOICE].bits = 1;
    fields[CHOICE].names = (const struct ft_name[]){{1, "one"}, {2, "two"}, {0, NULL}};
    assert_refused("field 3 (choice): a name for a value that has more bits than the field");
    fields[GROUP].parent = INNER;
    assert_refused("in a circle");
    /* the parent of a later group is looked at only once it is known to be one */
    fields[INNER].parent = 60000;
    fields[GROUP].parent = INNER;
    assert_refused("its parent is not a group");
    fields[CHOICE].name = "group";
    assert_refused("another field of its group has the same name");
    /* the same name in another group is fine */
    fields[CHOICE].name = "number";
    assert_taken();
}

static void test_refuses_groups_nested_too_deep(void **state)
{
    (void)state;
    struct ft_field deep[FT_MAX_GROUP_DEPTH + 2];
    for (unsigned i = 0; i < FT_MAX_GROUP_DEPTH + 2; i++)
        deep[i] = (struct ft_field){.name = i ? "level" : "demo",
                                    .type = FT_TYPE_GROUP,
                                    .parent = (uint16_t)(i ? i - 1 : 0)};
    demo.fields = (struct ft_table){deep, FT_MAX_GROUP_DEPTH + 2, sizeof(deep[0])};
    assert_refused("nested too deep");
    demo.fields = (struct ft_table){deep, FT_MAX_GROUP_DEPTH + 1, sizeof(deep[0])};
    assert_taken();
}

static void test_refuses_bad_tables(void **state)
{
    (void)state;
    commands[1].name = "Any";
    assert_refused("command 7 (Any): bad name or class");
    commands[3].class_ = FT_CLASS_COUNT;
    assert_refused("command 1 (first): bad name or class");
    commands[2].qualifier = FT_ANY_QUALIFIER;
    assert_refused("is there twice");
    violations[0].name = NULL;
    assert_refused("violation 0 (no name): bad name, title, severity or engine");
    violations[0].title = NULL;
    assert_refused("violation 0 (odd)");
    violations[0].severity = 0;
    assert_refused("violation 0 (odd)");
    violations[0].severity = FT_SEVERITY_WARNING + 1;
    assert_refused("violation 0 (odd)");
    violations[0].engine = FT_ENGINE_OPERATIONAL + 1;
    assert_refused("violation 0 (odd)");
    signatures[0].pattern = NULL;
    assert_refused("signature 0: no pattern or transport");
    signatures[0].flags = 0;
    assert_refused("signature 0: no pattern or transport");
}

static void test_refuses_bad_carriers(void **state)
{
    (void)state;
    carriers[0].kind = 0;
    assert_refused("carrier 0: unknown kind");
    carriers[1].kind = FT_CARRIER_PARENT + 1;
    assert_refused("carrier 1: unknown kind");
    carriers[0].value = 65536;
    assert_refused("carrier 0: value beyond what the carrier has");
    carriers[0].last = 70000;
    assert_refused("carrier 0: value beyond what the carrier has");
    carriers[0].last = 6999;
    assert_refused("carrier 0: its range ends before it begins");
    carriers[0] = (struct ft_carrier){.kind = FT_CARRIER_PARENT, .value = 1};
    assert_refused("carrier 0: the parent's name is missing or wrong");
    carriers[0] = (struct ft_carrier){.kind = FT_CARRIER_LLC, .value = 256};
    assert_refused("carrier 0: value beyond");
    carriers[0] = (struct ft_carrier){.kind = FT_CARRIER_SNAP, .value = FT_ANY_SELECTOR};
    assert_refused("carrier 0: value beyond");
    carriers[0] = (struct ft_carrier){.kind = FT_CARRIER_IP, .value = FT_ANY_SELECTOR};
    assert_refused("carrier 0: value beyond");
}

static void test_refuses_a_name_twice_and_too_many(void **state)
{
    (void)state;
    assert_taken();
    assert_false(ft_registry_add(r, &demo, "again.so", error, sizeof(error)));
    assert_string_equal(error, "again.so: dissector \"demo\": a protocol of that name exists "
                               "already");
    static struct ft_dissector many[FT_MAX_PROTOCOLS];
    static struct ft_field roots[FT_MAX_PROTOCOLS];
    static char text[FT_MAX_PROTOCOLS][8];
    for (unsigned i = 0; i < FT_MAX_PROTOCOLS; i++) {
        text[i][0] = 'p';
        text[i][1] = (char)('0' + i / 100);
        text[i][2] = (char)('0' + i / 10 % 10);
        text[i][3] = (char)('0' + i % 10);
        roots[i] = (struct ft_field){.name = text[i], .type = FT_TYPE_GROUP};
        many[i] = (struct ft_dissector){.size = sizeof(demo),
                                        .abi = FT_ABI_VERSION,
                                        .name = text[i],
                                        .title = "One of many",
                                        .fields = {&roots[i], 1, sizeof(roots[i])},
                                        .dissect = dissect};
        bool ok = ft_registry_add(r, &many[i], NULL, error, sizeof(error));
        assert_int_equal(ok, i + 1 < FT_MAX_PROTOCOLS);
    }
    assert_non_null(strstr(error, "more than 250 protocols"));
}

/* Rows of an older plugin are shorter, of a newer one longer: both are read by their own size. */
static void test_rows_of_other_sizes(void **state)
{
    (void)state;
    struct {
        struct ft_command row;
        uint64_t more;
    } longer[2] = {{commands[0], 1}, {commands[1], 2}};
    demo.commands = (struct ft_table)FT_TABLE(longer);
    struct {
        const char *name, *title, *reference, *category, *mitre;
        uint8_t severity, engine;
    } shorter[1] = {{"odd", "Odd", NULL, NULL, NULL, FT_SEVERITY_MAJOR, FT_ENGINE_PROTOCOL}};
    demo.violations = (struct ft_table)FT_TABLE(shorter);
    demo.violations.row_size = offsetof(struct ft_violation, is_alert);
    assert_taken();
    const struct ft_protocol *p = r->protocols[0];
    assert_string_equal(ft_protocol_command(p, 300, 0)->name, "far");
    assert_string_equal(ft_protocol_command(p, 7, 0)->name, "any");
    assert_int_equal(p->violations[0].severity, FT_SEVERITY_MAJOR);
    assert_int_equal(p->violations[0].is_alert, 0);
}

static void test_commands_are_looked_up(void **state)
{
    (void)state;
    assert_taken();
    const struct ft_protocol *p = r->protocols[0];
    assert_string_equal(ft_protocol_command(p, 1, 99)->name, "first");
    assert_string_equal(ft_protocol_command(p, 7, 2)->name, "exact");
    assert_string_equal(ft_protocol_command(p, 7, 3)->name, "any");
    assert_string_equal(ft_protocol_command(p, 300, 5)->name, "far_five");
    assert_string_equal(ft_protocol_command(p, 300, 6)->name, "far");
    assert_null(ft_protocol_command(p, 2, 0));
    assert_null(ft_protocol_command(p, 299, 0));
    assert_null(ft_protocol_command(p, UINT32_MAX, 0));
}

static void test_violations_by_number(void **state)
{
    (void)state;
    assert_taken();
    const struct ft_protocol *p = r->protocols[0];
    assert_string_equal(ft_protocol_violation(p, 0)->name, "odd");
    for (uint32_t n = FT_VIOLATION_COMMON; n < FT_VIOLATION_COMMON_END; n++) {
        assert_non_null(ft_protocol_violation(p, n)->name);
        assert_non_null(ft_protocol_violation(p, n)->title);
        assert_true(ft_protocol_violation(p, n)->severity >= FT_SEVERITY_CRITICAL);
    }
    assert_non_null(ft_protocol_violation(p, 1));
    assert_non_null(ft_protocol_violation(p, UINT32_MAX));
}

static struct ft_dissector child_of(const char *name, struct ft_field *root,
                                    struct ft_carrier *carrier)
{
    *root = (struct ft_field){.name = name, .type = FT_TYPE_GROUP};
    return (struct ft_dissector){.size = sizeof(demo),
                                 .abi = FT_ABI_VERSION,
                                 .name = name,
                                 .title = name,
                                 .fields = {root, 1, sizeof(*root)},
                                 .carried_by = {carrier, 1, sizeof(*carrier)},
                                 .dissect = dissect};
}

static void test_children_by_selector(void **state)
{
    (void)state;
    struct ft_field roots[3];
    struct ft_carrier by[3] = {
        {.kind = FT_CARRIER_PARENT, .parent = "demo", .value = 10, .last = 19},
        {.kind = FT_CARRIER_PARENT, .parent = "demo", .value = 5},
        {.kind = FT_CARRIER_PARENT, .parent = "demo", .value = FT_ANY_SELECTOR}};
    struct ft_dissector a = child_of("a", &roots[0], &by[0]), b = child_of("b", &roots[1], &by[1]),
                        c = child_of("c", &roots[2], &by[2]);
    /* children may be registered before their parent */
    assert_true(ft_registry_add(r, &a, NULL, error, sizeof(error)));
    assert_taken();
    assert_true(ft_registry_add(r, &b, NULL, error, sizeof(error)));
    assert_true(ft_registry_add(r, &c, NULL, error, sizeof(error)));
    ft_registry_finish(r);
    const struct ft_protocol *p = ft_registry_find(r, "demo");
    assert_null(ft_registry_child(r, p, 4));
    assert_string_equal(ft_registry_child(r, p, 5)->name, "b");
    assert_null(ft_registry_child(r, p, 6));
    assert_null(ft_registry_child(r, p, 9));
    assert_string_equal(ft_registry_child(r, p, 10)->name, "a");
    assert_string_equal(ft_registry_child(r, p, 19)->name, "a");
    assert_null(ft_registry_child(r, p, 20));
    assert_null(ft_registry_child(r, p, UINT64_MAX));
    assert_int_equal(p->children_any_count, 1);
    assert_string_equal(r->protocols[p->children_any[0]]->name, "c");
}

static void test_bindings(void **state)
{
    (void)state;
    struct ft_field root;
    struct ft_carrier by = {.kind = FT_CARRIER_TCP, .value = 7001};
    struct ft_dissector late = child_of("late", &root, &by);
    assert_taken();
    assert_true(ft_registry_add(r, &late, NULL, error, sizeof(error)));
    /* who comes first keeps a port; a binding by the user overrides */
    assert_int_equal(r->tcp_port[7001], 1);
    assert_true(ft_registry_bind(r, FT_TRANSPORT_TCP, 7001, "late", error, sizeof(error)));
    assert_int_equal(r->tcp_port[7001], 2);
    assert_true(ft_registry_bind(r, FT_TRANSPORT_UDP, 65535, "demo", error, sizeof(error)));
    assert_int_equal(r->udp_port[65535], 1);
    assert_false(ft_registry_bind(r, FT_TRANSPORT_TCP, 1, "nobody", error, sizeof(error)));
    assert_non_null(strstr(error, "no protocol is called \"nobody\" (--list-protocols"));
    assert_false(ft_registry_bind(r, FT_TRANSPORT_TCP, 1, "lat", error, sizeof(error)));
    assert_non_null(strstr(error, "did you mean \"late\"?"));
}

/* A port can be given only to what lies in segments or datagrams. */
static void test_bindings_without_ports(void **state)
{
    (void)state;
    struct ft_field root[2];
    struct ft_carrier on_demo = {.kind = FT_CARRIER_PARENT, .value = 1, .parent = "demo"};
    struct ft_carrier on_wire = {.kind = FT_CARRIER_ETHERTYPE, .value = 0x88b8};
    struct ft_dissector inner = child_of("inner", &root[0], &on_demo);
    struct ft_dissector frame = child_of("frame", &root[1], &on_wire);
    assert_taken();
    assert_true(ft_registry_add(r, &inner, NULL, error, sizeof(error)));
    assert_true(ft_registry_add(r, &frame, NULL, error, sizeof(error)));
    assert_false(ft_registry_bind(r, FT_TRANSPORT_TCP, 7, "inner", error, sizeof(error)));
    assert_non_null(strstr(error, "bind demo, which carries it"));
    assert_false(ft_registry_bind(r, FT_TRANSPORT_UDP, 7, "frame", error, sizeof(error)));
    assert_non_null(strstr(error, "neither TCP nor UDP"));
    assert_int_equal(r->tcp_port[7] | r->udp_port[7], 0);
}

static void test_other_carriers(void **state)
{
    (void)state;
    struct ft_carrier by[] = {{.kind = FT_CARRIER_ETHERTYPE, .value = 0x88b8, .last = 0x88ba},
                              {.kind = FT_CARRIER_LLC, .value = 0x42},
                              {.kind = FT_CARRIER_IP, .value = 255},
                              {.kind = FT_CARRIER_SNAP, .value = 0x00000c2000}};
    demo.carried_by = (struct ft_table)FT_TABLE(by);
    assert_taken();
    assert_int_equal(r->ethertype[0x88b7], 0);
    assert_int_equal(r->ethertype[0x88ba], 1);
    assert_int_equal(r->llc_sap[0x42], 1);
    assert_int_equal(r->ip_protocol[255], 1);
    assert_non_null(ft_registry_snap(r, 0x00000c2000));
    assert_null(ft_registry_snap(r, 0x2000));
    assert_int_equal(r->other_ethertype, 0);
    assert_int_equal(r->other_llc, 0);
}

static void test_what_nobody_is_bound_to(void **state)
{
    (void)state;
    struct ft_carrier by[] = {{.kind = FT_CARRIER_ETHERTYPE, .value = FT_ANY_SELECTOR},
                              {.kind = FT_CARRIER_LLC, .value = FT_ANY_SELECTOR},
                              {.kind = FT_CARRIER_UDP, .value = FT_ANY_SELECTOR}};
    demo.carried_by = (struct ft_table)FT_TABLE(by);
    assert_taken();
    assert_int_equal(r->other_ethertype, 1);
    assert_int_equal(r->other_llc, 1);
    assert_int_equal(r->ethertype[0xffff], 0);
    assert_int_equal(r->llc_sap[0xff], 0);
    assert_int_equal(r->udp_port[0xffff], 0);
}

static void test_names_of_enumerations(void **state)
{
    (void)state;
    assert_string_equal(ft_class_name(FT_CLASS_FIRMWARE), "firmware");
    assert_string_equal(ft_class_name(FT_CLASS_EVENT), "event");
    assert_string_equal(ft_class_name(FT_CLASS_COUNT), "unknown");
    assert_string_equal(ft_kind_name(FT_KIND_UNSOLICITED), "unsolicited");
    assert_string_equal(ft_direction_name(FT_TO_CLIENT), "to_client");
    assert_string_equal(ft_severity_name(FT_SEVERITY_WARNING), "warning");
    assert_string_equal(ft_engine_name(FT_ENGINE_OPERATIONAL), "operational");
    assert_string_equal(ft_fact_name(FT_FACT_MANAGEMENT), "management");
    assert_string_equal(ft_fact_name((enum ft_fact)200), "unknown");
    assert_string_equal(ft_role_name(FT_ROLE_WORKSTATION), "workstation");
    assert_string_equal(ft_role_name((enum ft_role) - 1), "unknown");
    assert_string_equal(ft_subaddress_name(FT_SUB_NAME), "name");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_takes_a_sound_one),
        TEST(test_refuses_another_abi_or_size),
        TEST(test_refuses_incomplete_structs),
        TEST(test_refuses_beyond_limits),
        TEST(test_refuses_bad_fields),
        TEST(test_refuses_groups_nested_too_deep),
        TEST(test_refuses_bad_tables),
        TEST(test_refuses_bad_carriers),
        TEST(test_refuses_a_name_twice_and_too_many),
        TEST(test_rows_of_other_sizes),
        TEST(test_commands_are_looked_up),
        TEST(test_violations_by_number),
        TEST(test_children_by_selector),
        TEST(test_bindings),
        TEST(test_bindings_without_ports),
        TEST(test_other_carriers),
        TEST(test_what_nobody_is_bound_to),
        TEST(test_names_of_enumerations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
