/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of conditions: what they become, and for everything that can be wrong the bytes and the
 * sentence. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocols/protocols.h"
#include "rules/expression_internal.h"

static struct ft_registry *registry;
static struct ft_vocabulary vocabulary;
static struct ft_expression *expression;
static char said[1 << 16], tree[1 << 16];
static uint32_t errors;

/* ---- reading ---- */

static struct ft_set *numbers(uint64_t low, uint64_t high)
{
    struct ft_set *set = ft_set_new(FT_SET_NUMBERS);
    assert_true(ft_set_add_numbers(set, low, high) && ft_set_close(set));
    return set;
}

static struct ft_set *written(enum ft_value_kind kind, const char *text)
{
    char error[256];
    struct ft_set *set = ft_set_new(ft_value_set_kind(kind));
    assert_true(ft_set_add_written(set, kind, text, strlen(text), error, sizeof(error)));
    assert_true(ft_set_close(set));
    return set;
}

static struct ft_named_set sets[6];
static struct ft_zone zones[2];
static const struct ft_tag tags[] = {
    {.name = "level",
     .transport = FT_TRANSPORT_UDP,
     .port = 5,
     .length = 4,
     .type = FT_VALUE_TYPE_INT},
    {.name = "text",
     .transport = FT_TRANSPORT_UDP,
     .port = 5,
     .length = 4,
     .type = FT_VALUE_TYPE_TEXT},
};

static int set_up(void **state)
{
    char error[256];
    (void)state;
    registry = ft_registry_new();
    for (unsigned i = 0; ft_protocols[i]; i++)
        if (!ft_registry_add(registry, ft_protocols[i], NULL, error, sizeof(error)))
            return -1;
    ft_registry_finish(registry);
    sets[0] = (struct ft_named_set){"ot", FT_VALUE_PORT, numbers(502, 503), false};
    sets[1] = (struct ft_named_set){"plc", FT_VALUE_IP, written(FT_VALUE_IP, "10.0.1.0/24"), false};
    sets[2] =
        (struct ft_named_set){"siemens", FT_VALUE_MAC, written(FT_VALUE_MAC, "00:0e:8c/24"), false};
    sets[3] = (struct ft_named_set){"hosts", FT_VALUE_TEXT, written(FT_VALUE_TEXT, "a b"), false};
    sets[4] = (struct ft_named_set){"codes", FT_VALUE_NUMBER, numbers(3, UINT64_MAX), false};
    sets[5] = (struct ft_named_set){"none", FT_VALUE_IP, ft_set_new(FT_SET_ADDRESSES), false};
    ft_set_close(sets[5].set);
    zones[0] = (struct ft_zone){"control", 1, written(FT_VALUE_IP, "10.1.0.0/16")};
    zones[1] = (struct ft_zone){"office", 4, written(FT_VALUE_IP, "10.0.0.0/8")};
    vocabulary = (struct ft_vocabulary){.registry = registry,
                                        .tags = tags,
                                        .tag_count = 2,
                                        .sets = sets,
                                        .set_count = 6,
                                        .zones = zones,
                                        .zone_count = 2};
    return ft_vocabulary_open(&vocabulary) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    ft_expression_free(expression);
    ft_vocabulary_close(&vocabulary);
    for (unsigned i = 0; i < 6; i++)
        ft_set_free(sets[i].set);
    ft_set_free(zones[0].networks);
    ft_set_free(zones[1].networks);
    ft_registry_free(registry);
    return 0;
}

static void wrong(void *user, uint32_t at, uint32_t end, const char *text)
{
    size_t used = strlen(said);
    assert_true(at <= end && end <= strlen(user));
    errors++;
    snprintf(said + used, sizeof(said) - used, "%u-%u: %s\n", at, end, text);
}

static bool read_text(const char *text)
{
    char *copy = strdup(text); /* of its own length: a sanitizer sees what is read behind it */
    ft_expression_free(expression);
    said[0] = 0;
    errors = 0;
    expression = ft_expression_read(&vocabulary, copy, wrong, copy);
    assert_true((expression != NULL) == (errors == 0));
    free(copy);
    return expression != NULL;
}

/* The tree as text: "and(a, b)". */
static size_t print_node(uint32_t node, char *to, size_t size)
{
    static const char *const names[] = {"and(", "or("};
    const struct ft_expression_node *n = &expression->nodes[node];
    char text[2048];
    size_t used = 0;
    assert_true(node && node < expression->count);
    if (n->kind == FT_EXPRESSION_TEST)
        return (size_t)snprintf(to, size, "%s",
                                ft_test_text(&vocabulary, &n->test, text, sizeof(text)));
    if (n->kind == FT_EXPRESSION_ANY)
        used = (size_t)snprintf(to, size, "%sany %s(", n->is_negated ? "not " : "",
                                ft_vocabulary_name(&vocabulary, &n->test.left, text, sizeof(text)));
    else
        used = (size_t)snprintf(to, size, "%s", names[n->kind]);
    for (uint32_t child = n->child; child; child = expression->nodes[child].next) {
        if (child != n->child)
            used += (size_t)snprintf(to + used, size - used, ", ");
        used += print_node(child, to + used, size - used);
    }
    return used + (size_t)snprintf(to + used, size - used, ")");
}

static void expect_tree(const char *text, const char *expected)
{
    if (!read_text(text))
        fail_msg("%s: %s", text, said);
    print_node(expression->root, tree, sizeof(tree));
    assert_string_equal(tree, expected);
}

static void expect_good(const char *text)
{
    if (!read_text(text))
        fail_msg("%s: %s", text, said);
}

static void expect_errors(const char *text, const char *expected)
{
    if (read_text(text))
        fail_msg("nothing wrong: %s", text);
    assert_string_equal(said, expected);
}

/* An error whose sentence ends in words of others (sets, contents). */
static void expect_error_at(const char *text, uint32_t at, const char *part)
{
    unsigned from = 0;
    if (read_text(text))
        fail_msg("nothing wrong: %s", text);
    assert_int_equal(errors, 1);
    assert_int_equal(sscanf(said, "%u-", &from), 1);
    if (from != at || !strstr(said, part))
        fail_msg("%s: %s", text, said);
}

/* The only test of a condition. */
static const struct ft_test *test_of(const char *text)
{
    expect_good(text);
    assert_int_equal(expression->nodes[expression->root].kind, FT_EXPRESSION_TEST);
    return &expression->nodes[expression->root].test;
}

static bool has(const char *text, uint64_t key)
{
    return ft_test_has_number(test_of(text), key);
}

static bool has_ip(const char *text, uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    const uint8_t bytes[] = {a, b, c, d};
    return ft_test_has_address(test_of(text), ft_set_address_of(bytes, false));
}

/* ---- the tree ---- */

static void test_precedence(void **state)
{
    (void)state;
    expect_tree("vlan == 1", "vlan == 1");
    expect_tree("vlan == 1 and vlan == 2 or vlan == 3", "or(and(vlan == 1, vlan == 2), vlan == 3)");
    expect_tree("vlan == 1 or vlan == 2 and vlan == 3", "or(vlan == 1, and(vlan == 2, vlan == 3))");
    expect_tree("(vlan == 1 or vlan == 2) and vlan == 3",
                "and(or(vlan == 1, vlan == 2), vlan == 3)");
    expect_tree("vlan == 1 and vlan == 2 and vlan == 3", "and(vlan == 1, vlan == 2, vlan == 3)");
    expect_tree("vlan == 1 and (vlan == 2 and (vlan == 3))",
                "and(vlan == 1, vlan == 2, vlan == 3)");
    expect_tree("(vlan == 1 and vlan == 2) and vlan == 3", "and(vlan == 1, vlan == 2, vlan == 3)");
    expect_tree("vlan == 1 AND vlan == 2 OR NOT vlan == 3",
                "or(and(vlan == 1, vlan == 2), not vlan == 3)");
    expect_tree("dns.queries.class == IN", "dns.queries.class == IN");
    expect_tree("vlan==1&&vlan==2||!vlan==3", "or(and(vlan == 1, vlan == 2), not vlan == 3)");
    expect_tree(" \t\n\r ( ( vlan\n== 1 ) ) ", "vlan == 1");
    /* not belongs to what stands next to it. */
    expect_tree("not vlan == 1 and vlan == 2", "and(not vlan == 1, vlan == 2)");
    expect_tree("not (vlan == 1 and vlan == 2)", "or(not vlan == 1, not vlan == 2)");
    expect_tree("not (vlan == 1 or not (vlan == 2 and not vlan == 3))",
                "and(not vlan == 1, vlan == 2, not vlan == 3)");
    expect_tree("not not not vlan == 1", "not vlan == 1");
    expect_tree("not (not vlan)", "vlan");
    expect_tree("vlan", "vlan");
    expect_tree("vlan & 0xf00 == 0x100 and vlan & 1", "and(vlan & 0xf00 == 256, vlan & 0x1)");
}

static void test_any(void **state)
{
    (void)state;
    expect_tree("any dnp3.application.objects (group == 12 and variation == 1)",
                "any dnp3.application.objects(and(dnp3.application.objects.group == 12, "
                "dnp3.application.objects.variation == 1))");
    expect_tree("not any dnp3.application.objects (not group == 12)",
                "not any dnp3.application.objects(not dnp3.application.objects.group == 12)");
    /* A name that stands deeper is found when there is one only; others are what they always are.
     */
    expect_tree("any dnp3.application.objects (index == 5 and port == 1)",
                "any dnp3.application.objects(and(dnp3.application.objects.points.index == 5, port "
                "== 1))");
    /* count is a field of objects, and one of points: that of the group itself is meant. */
    expect_tree("any dnp3.application.objects (count == 5)",
                "any dnp3.application.objects(dnp3.application.objects.count == 5)");
    expect_tree("any dnp3.application.objects (group == 12 and any points (index == 1 and group == "
                "12))",
                "any dnp3.application.objects(and(dnp3.application.objects.group == 12, any "
                "dnp3.application.objects.points(and(dnp3.application.objects.points.index == 1, "
                "dnp3.application.objects.group == 12))))");
    expect_tree("any dnp3.application.objects (points.file.name == x)",
                "any dnp3.application.objects(dnp3.application.objects.points.file.name == \"x\")");
    /* One element has one value: what contradicts itself there does not for the whole message. */
    expect_good("dnp3.application.objects.group == 1 and dnp3.application.objects.group == 2");
    expect_errors("any dnp3.application.objects (group == 1 and group == 2)",
                  "45-55: \"group == 1\" and \"group == 2\" can never hold both\n");
    expect_good("any dnp3.application.objects (index == 1 and index == 2)");
    expect_errors("any dnp3.application.objects (any points (index == 1 and index == 2))",
                  "57-67: \"index == 1\" and \"index == 2\" can never hold both\n");
    expect_errors("any vlan (vlan == 1)", "4-8: vlan is no group: nothing stands in it\n");
    expect_errors("any (vlan)", "4-5: after any stands a group: any dnp3.object (group == 12)\n");
    expect_errors("any modbus.writ (address == 1)",
                  "4-15: there is no field modbus.writ; did you mean modbus.write?\n");
    expect_errors("modbus.wirte.address == 1",
                  "0-20: there is no field modbus.wirte.address; did you mean "
                  "modbus.write.address?\n");
    expect_errors("modbus.wirte.adress == 1",
                  "0-19: there is no field modbus.wirte.adress; did you mean modbus.write?\n");
    expect_errors("any modbus.write == 5",
                  "17-19: ( is missing: any modbus.write (what holds for one element)\n");
    assert_false(read_text("vlan == 1 and nothing == 2 and (port == 1"));
    assert_int_equal(errors, 2);
    assert_non_null(strstr(said, "31-32: ( without )"));
    expect_errors("any modbus.write (address == 1", "17-18: ( without )\n");
    expect_errors("any modbus.write (addres == 1)",
                  "18-24: there is no addres in modbus.write; did you mean address?\n");
    expect_errors("any modbus.write (any modbus.write (any modbus.write (any modbus.write (any "
                  "modbus.write (address)))))",
                  "72-88: any in any, at most 4 deep\n");
}

/* Formulas of random shape: the tree without `not` holds when the formula does. */
static uint64_t random_state;

static uint32_t random_number(uint32_t below)
{
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(random_state >> 33) % below;
}

static bool formula(char *to, size_t size, uint32_t depth, uint32_t truths)
{
    uint32_t kind = depth ? random_number(5) : 0;
    size_t used;
    bool holds;
    switch (kind) {
    case 1:
    case 2:
        used = (size_t)snprintf(to, size, "(");
        holds = formula(to + used, size - used, depth - 1, truths);
        for (uint32_t i = 0, n = 1 + random_number(3); i < n; i++) {
            used = strlen(to);
            used += (size_t)snprintf(to + used, size - used, kind == 1 ? " and " : " or ");
            bool more = formula(to + used, size - used, depth - 1, truths);
            holds = kind == 1 ? holds && more : holds || more;
        }
        used = strlen(to);
        snprintf(to + used, size - used, ")");
        return holds;
    case 3:
        used = (size_t)snprintf(to, size, "not ");
        return !formula(to + used, size - used, depth - 1, truths);
    default:
        used = random_number(32);
        snprintf(to, size, "vlan == %zu", used);
        return truths >> used & 1;
    }
}

static bool holds(uint32_t node, uint32_t truths)
{
    const struct ft_expression_node *n = &expression->nodes[node];
    if (n->kind == FT_EXPRESSION_TEST)
        return (truths >> n->test.low & 1) != n->test.is_negated;
    bool is_and = n->kind == FT_EXPRESSION_AND, all = is_and;
    uint32_t count = 0;
    for (uint32_t child = n->child; child; child = expression->nodes[child].next, count++) {
        assert_int_not_equal(expression->nodes[child].kind, n->kind);
        all = is_and ? holds(child, truths) && all : holds(child, truths) || all;
    }
    assert_true(count >= 2);
    return all;
}

static void test_formulas(void **state)
{
    static char text[1 << 14];
    (void)state;
    for (uint32_t seed = 0; seed < 3000; seed++) {
        random_state = seed;
        uint32_t truths = random_number(UINT32_MAX);
        bool expected = formula(text, sizeof(text), 1 + random_number(4), truths);
        ft_expression_free(expression);
        expression = ft_expression_read_unchecked(&vocabulary, text, wrong, text);
        assert_non_null(expression);
        assert_true(holds(expression->root, truths) == expected);
    }
}

/* ---- tests of every type ---- */

static void test_numbers(void **state)
{
    (void)state;
    assert_true(has("modbus.unit_id == 17", 17));
    assert_false(has("modbus.unit_id == 17", 18));
    assert_true(has("modbus.unit_id == 0x11", 17));
    assert_true(has("modbus.unit_id == 010", 10)); /* never octal */
    assert_true(test_of("modbus.unit_id != 17")->is_none);
    assert_true(has("modbus.unit_id < 5", 4) && !has("modbus.unit_id < 5", 5));
    assert_true(has("modbus.unit_id <= 5", 5) && !has("modbus.unit_id <= 5", 6));
    assert_true(has("modbus.unit_id > 5", 6) && !has("modbus.unit_id > 5", 5));
    assert_true(has("modbus.unit_id >= 5", 5) && !has("modbus.unit_id >= 5", 4));
    assert_true(has("modbus.unit_id > 5", UINT64_MAX) && has("modbus.unit_id < 5", 0));
    assert_true(has("http.length == 18446744073709551615", UINT64_MAX));
    assert_true(has("modbus.unit_id in 5..7", 5) && has("modbus.unit_id in 5..7", 7));
    assert_false(has("modbus.unit_id in 5..7", 8) || has("modbus.unit_id in 5..7", 4));
    for (uint64_t i = 0; i < 12; i++)
        assert_true(has("modbus.unit_id in {1, 3..4 ,0x8,10..10}", i) ==
                    (i == 1 || i == 3 || i == 4 || i == 8 || i == 10));
    assert_true(test_of("modbus.unit_id not in {1, 3}")->is_none);
    assert_true(has("port in $ot", 503) && !has("port in $ot", 504));
    assert_true(has("port in {1, $ot}", 503) && has("port in {1, $ot}", 1));
    assert_true(has("modbus.unit_id & 0x80", 0x81) && !has("modbus.unit_id & 0x80", 0x41));
    assert_true(test_of("modbus.unit_id & 0x80 == 0")->has_mask);
    expect_errors("modbus.unit_id == x",
                  "18-19: x is no value of this field; expected e.g. 17 or 0x11\n");
    expect_errors("modbus.unit_id == -1",
                  "18-20: -1: a number that is never negative, such as 17 or 0x11\n");
    expect_errors("modbus.unit_id == 18446744073709551616",
                  "18-38: 18446744073709551616 is no value of this field; expected e.g. 17 or "
                  "0x11\n");
    expect_errors("modbus.unit_id == 0x",
                  "18-20: 0x is no value of this field; expected e.g. 17 or 0x11\n");
    expect_errors("modbus.unit_id == 1.5",
                  "18-21: 1.5 is no value of this field; expected e.g. 17 or 0x11\n");
    expect_errors("modbus.unit_id in 7..5", "18-22: 7..5: the first is larger than the last\n");
    expect_errors("modbus.unit_id in 7..",
                  "18-21: 7..: a range has two ends: 100..199; else < or >\n");
    expect_errors("modbus.unit_id < 0", "17-18: no value is less than that: it can never hold\n");
    expect_errors("port > 65535", "7-12: no value is greater than that: it can never hold\n");
    expect_good("port >= 65535");
    expect_errors("port == 65536", "8-13: 65536 can never be: port is at most 65535\n");
    /* Fields have the bits that their schema says. */
    expect_errors("modbus.unit_id == 300",
                  "18-21: 300 can never be: modbus.unit_id is at most 255\n");
    expect_errors("modbus.unit_id in 250..256",
                  "18-26: 256 can never be: modbus.unit_id is at most 255\n");
    expect_errors("not modbus.registers >= 0x10000",
                  "24-31: 0x10000 can never be: modbus.registers is at most 65535\n");
    expect_errors("modbus.unit_id & 0x100",
                  "17-22: 0x100 can never be: modbus.unit_id is at most 255\n");
    expect_errors("any dnp3.application.objects (group == 256)",
                  "39-42: 256 can never be: dnp3.application.objects.group is at most 255\n");
    expect_errors("modbus.unit_id > 255",
                  "17-20: no value is greater than that: it can never hold\n");
    expect_errors("vlan in {1, 4096}", "12-16: 4096 can never be: vlan is at most 4095\n");
    expect_errors("command.code == 4294967296",
                  "16-26: 4294967296 can never be: command.code is at most 4294967295\n");
    expect_errors("modbus.unit_id contains 1",
                  "15-23: contains is for texts and bytes; this is number\n");
    expect_errors("modbus.unit_id matches \"1\"",
                  "15-22: matches is for texts and bytes; this is number\n");
}

static void test_signed(void **state)
{
    (void)state;
    assert_true(has("tag.level == -40", ft_key_of_int(-40)));
    assert_true(has("tag.level < 0", ft_key_of_int(-1)) && !has("tag.level < 0", ft_key_of_int(0)));
    assert_true(has("tag.level in -5..5", ft_key_of_int(-5)));
    assert_true(has("tag.level in {-5..-3, 7}", ft_key_of_int(-4)));
    assert_false(has("tag.level in {-5..-3, 7}", ft_key_of_int(0)));
    assert_true(has("snmp.request_id == -9223372036854775808", ft_key_of_int(INT64_MIN)));
    assert_true(has("snmp.request_id == 9223372036854775807", ft_key_of_int(INT64_MAX)));
    assert_true(has("tag.level == -2147483648", ft_key_of_int(INT32_MIN)));
    expect_errors("tag.level == -2147483649",
                  "13-24: -2147483649 can never be: tag.level is at least -2147483648\n");
    expect_errors("tag.level in {1, 2147483648}",
                  "17-27: 2147483648 can never be: tag.level is at most 2147483647\n");
    expect_errors("tag.level > 2147483647",
                  "12-22: no value is greater than that: it can never hold\n");
    assert_true(has("tag.level in $codes", ft_key_of_int(INT64_MAX)));
    assert_false(has("tag.level in $codes", ft_key_of_int(-1)));
    assert_true(has("tag.level in {-1, $codes}", ft_key_of_int(-1)));
    expect_errors("tag.level == 9223372036854775808",
                  "13-32: 9223372036854775808 is no value of this field; expected e.g. -40\n");
    expect_errors("tag.level < -2147483648",
                  "12-23: no value is less than that: it can never hold\n");
    expect_errors("tag.level & 1",
                  "10-11: & is for whole numbers and bits; this is signed number\n");
}

static void test_floats(void **state)
{
    (void)state;
    assert_true(has("stp.max_age == 20", ft_key_of_float(20)));
    assert_true(has("stp.max_age < 0", ft_key_of_float(-0.5)));
    assert_false(has("stp.max_age < 0", ft_key_of_float(-0.0)));
    assert_true(has("stp.max_age > -1.5", ft_key_of_float(-1.25)));
    assert_false(has("stp.max_age > -1.5", ft_key_of_float(-1.5)));
    assert_true(has("stp.max_age in 1.5..2.5", ft_key_of_float(2.5)));
    assert_true(has("stp.max_age == 1e3", ft_key_of_float(1000)));
    assert_true(has("purdue.src <= 3.5", ft_key_of_float(3.5)));
    expect_errors("stp.max_age == nan",
                  "15-18: nan is no value of this field; expected e.g. 21.5\n");
    expect_errors("stp.max_age > 1e400",
                  "14-19: 1e400 is no value of this field; expected e.g. 21.5\n");
    expect_error_at("stp.max_age > -1e400", 14, "is no value of this field");
    /* What is written is no number of single precision; what is sent for it is the next one. */
    static const struct {
        const char *text;
        double value;
        bool holds;
    } written[] = {{"== 21.1", 21.1f, true},        {"== 0.3", 0.3f, true},
                   {"> 21.1", 21.1f, false},        {"< 0.3", 0.3f, false},
                   {">= 21.1", 21.1f, true},        {"<= 21.1", 21.1f, true},
                   {"in 20..21.1", 21.1f, true},    {"in -0.7..-0.3", -0.3f, true},
                   {"in {1, 21.1}", 21.1f, true},   {"== 21.1", 21.1, true},
                   {"== 21.1", 21.10001, false},    {"== 21.1", 21.09999, false},
                   {"> 21.1", 21.100004, true},     {"< 21.1", 21.099998, true},
                   {"== 1e300", 1e300, true},       {"< 1e300", 1e300, false},
                   {"== 16777217", 16777217, true}, {"== 16777217", 16777216, false}};
    for (unsigned i = 0; i < sizeof(written) / sizeof(written[0]); i++) {
        char text[64];
        snprintf(text, sizeof(text), "stp.max_age %s", written[i].text);
        if (has(text, ft_key_of_float(written[i].value)) != written[i].holds)
            fail_msg("%s", text);
    }
    expect_errors("stp.max_age == .5", "15-17: .5 is no value of this field; expected e.g. 21.5\n");
    expect_errors("stp.max_age in $codes",
                  "15-21: $codes is a set of type \"number\": of no use for "
                  "what is number with fraction\n");
    static const double values[] = {-INFINITY, -1e300, -2,  -1e-300, 0,
                                    1e-300,    1,      1.5, 1e300,   INFINITY};
    for (unsigned i = 1; i < sizeof(values) / sizeof(values[0]); i++)
        assert_true(ft_key_of_float(values[i - 1]) < ft_key_of_float(values[i]));
}

static void test_truths(void **state)
{
    (void)state;
    assert_true(has("arp.probe == true", 1) && !has("arp.probe == true", 0));
    assert_true(has("arp.probe == false", 0));
    expect_good("arp.probe");
    expect_errors("arp.probe == 1",
                  "13-14: 1 is no value of this field; expected e.g. true or false\n");
    expect_errors("arp.probe < true",
                  "12-16: only numbers are less or greater: this is truth value\n");
    expect_errors("arp.probe in {true}", "10-12: in is not for what is truth value\n");
}

static void test_names(void **state)
{
    (void)state;
    assert_true(has("kind == request", FT_KIND_REQUEST));
    assert_true(has("kind == \"request\"", FT_KIND_REQUEST));
    assert_true(has("kind == 1", 1));
    assert_true(has("kind in {request, response}", FT_KIND_RESPONSE));
    assert_true(has("command.class in {write, operate..write}", FT_CLASS_WRITE));
    assert_true(has("transport == ethernet", FT_TRANSPORT_L2));
    assert_true(has("direction == to_client", FT_TO_CLIENT));
    assert_true(has("zone.src == office", 1));
    assert_true(has("protocol == modbus", ft_registry_find(registry, "modbus")->index));
    expect_errors("kind == reqest", "8-14: there is no value reqest here; did you mean request?\n");
    expect_errors("kind == zzzzzzzz", "8-16: there is no value zzzzzzzz here; there are: data, "
                                      "request, response, exception, unsolicited\n");
    expect_errors("zone.src == contol",
                  "12-18: there is no value contol here; did you mean control?\n");
    expect_errors("protocol == mobus",
                  "12-17: there is no value mobus here; did you mean modbus?\n");
    expect_errors("kind == -1", "8-10: -1 is no value of this field; expected e.g. a name\n");
    assert_true(has("dnp3.iin.indicators & 0x8000", 0x8000));
    assert_int_equal(test_of("tls.version == \"TLS 1.2\"")->kind, FT_TEST_RANGE);
    expect_errors("tls.version == \"TLS 1.1x\"",
                  "15-25: there is no value TLS 1.1x here; did you mean \"TLS 1.1\"?\n");
}

static void test_commands(void **state)
{
    (void)state;
    const struct ft_protocol *p = ft_registry_find(registry, "modbus");
    uint64_t row = 0;
    for (uint32_t i = 0; i < p->command_count; i++)
        if (strcmp(p->commands[i].name, "write_single_coil") == 0)
            row = (uint64_t)p->index << 32 | (i + 1);
    assert_true(row != 0);
    assert_true(has("command == write_single_coil", row));
    assert_false(has("command == write_single_coil", row + 1));
    assert_true(has("command in {write_single_coil, read_coils}", row));
    assert_true(test_of("command != write_single_coil")->is_none);
    expect_errors("command == write_singel_coil", "11-28: no protocol has a command "
                                                  "write_singel_coil; did you mean "
                                                  "write_single_coil?\n");
    expect_errors("command < write_single_coil",
                  "10-27: only numbers are less or greater: this is command\n");
    expect_errors("command in $codes",
                  "11-17: $codes is a set of type \"number\": of no use for what is command\n");
    expect_errors("command.code == command",
                  "16-23: command is a name; the number of the command is command.code\n");
}

static void test_addresses(void **state)
{
    (void)state;
    assert_true(has_ip("ip.src == 10.10.10.10", 10, 10, 10, 10));
    assert_true(has_ip("ip.src == 168430090", 10, 10, 10, 10)); /* decimal */
    assert_true(has_ip("ip.src in 10.0.0.0/8", 10, 255, 0, 1));
    assert_true(has_ip("ip.src == 10.0.0.0/8", 10, 255, 0, 1));
    assert_true(has_ip("ip.src in 10.1.2.3/8", 10, 255, 0, 1));
    assert_false(has_ip("ip.src in 10.0.0.0/8", 11, 0, 0, 0));
    assert_true(has_ip("ip.src in 10.0.0.1..10.0.0.9", 10, 0, 0, 9));
    assert_true(has_ip("ip.src in {10.0.0.1, 10.0.1.0/24, $plc}", 10, 0, 1, 7));
    assert_true(has_ip("ip.src in $plc", 10, 0, 1, 255));
    assert_true(has_ip("arp.src_ip == 10.0.0.1", 10, 0, 0, 1));
    assert_false(has_ip("ip.src in $none", 10, 0, 1, 255));
    static const uint8_t v6[16] = {0xfe, 0x80, [15] = 1};
    assert_true(ft_test_has_address(test_of("ip.src == fe80::1"), ft_set_address_of(v6, true)));
    assert_true(ft_test_has_address(test_of("ip.src in fe80::/10"), ft_set_address_of(v6, true)));
    assert_false(ft_test_has_address(test_of("ip.src in ::1/128"), ft_set_address_of(v6, true)));
    assert_true(ft_test_has_address(test_of("ip.src in ::/0"), ft_set_address_of(v6, true)));
    assert_true(test_of("ip.src not in 10.0.0.0/8")->is_none);
    expect_error_at("ip.src == 10.0.0.256", 10, "10.0.0.256");
    expect_error_at("ip.src in 10.0.0.0/33", 10, "");
    expect_error_at("ip.src in {10.0.0.1, host}", 21, "");
    expect_errors("ip.src < 10.0.0.1",
                  "9-17: only numbers are less or greater: this is IP address\n");
    expect_errors("ip.src in $ot",
                  "10-13: $ot is a set of type \"port\": of no use for what is IP address\n");
    expect_errors("ip.src in $plx", "10-14: there is no set $plx; did you mean $plc?\n");
    expect_errors("ip.src in $ plc", "10-11: $ stands right before the name of a set\n");
    expect_errors("ip.src in $", "10-11: $ stands right before the name of a set\n");
    expect_errors("ip.src == $plc", "10-11: sets and lists follow on in: in $name, in {1, 2}\n");
}

static void test_macs(void **state)
{
    static const char *const ways[] = {"00:0e:8c:01:02:03", "00-0E-8C-01-02-03", "000e.8c01.0203",
                                       "62478418435"};
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        char text[64];
        snprintf(text, sizeof(text), "eth.src == %s", ways[i]);
        assert_true(has(text, 0x000e8c010203) && !has(text, 0x000e8c010204));
    }
    assert_true(has("eth.addr in 00:0e:8c/24", 0x000e8cffffff));
    assert_true(has("eth.addr in 00:0e:8c", 0x000e8c000000));
    assert_true(has("eth.addr in $siemens", 0x000e8cffffff));
    assert_true(has("arp.src_mac in {00:00:00:00:00:01, $siemens}", 1));
    assert_true(has("eth.src == ff:ff:ff:ff:ff:ff", 0xffffffffffff));
    expect_error_at("eth.src == 00:0e:8c:1", 11, "");
    expect_error_at("eth.src == 00:0e:8c:01:02:0g", 11, "");
    expect_errors("eth.src > 5", "10-11: only numbers are less or greater: this is MAC address\n");
    expect_good("eth.src == arp.src_mac");
    expect_errors("eth.src == port",
                  "11-15: port is number: it cannot be compared with what is MAC address\n");
}

static void expect_bytes(const char *text, const char *bytes, uint32_t length)
{
    const struct ft_test *t = test_of(text);
    assert_int_equal(t->length, length);
    assert_memory_equal(t->text, bytes, length);
}

static void test_texts(void **state)
{
    (void)state;
    expect_bytes("http.url == \"/a b\"", "/a b", 4);
    expect_bytes("http.url == /index.html", "/index.html", 11);
    expect_bytes("http.url contains \"\\x00\\xfF\\\\\\\"\\n\\r\\t\"", "\0\xff\\\"\n\r\t", 7);
    expect_bytes("modbus.write.data == 00ff12", "\0\xff\x12", 3);
    expect_bytes("modbus.write.data contains \"00ff\"", "00ff", 4);
    expect_bytes("payload contains 414243", "ABC", 3);
    expect_bytes("http.url matches \"^/a\\d+\\\"\\\\\"", "^/a\\d+\"\\\\", 9);
    assert_int_equal(test_of("http.url == \"\"")->length, 0);
    assert_int_equal(test_of("asset.vendor in {siemens, \"Rockwell Automation\"}")->kind,
                     FT_TEST_TEXTS);
    assert_int_equal(test_of("asset.vendor in $hosts")->kind, FT_TEST_TEXTS);
    assert_true(test_of("asset.vendor != siemens")->is_none);
    expect_errors("http.url == \"a", "12-14: a text that does not end: \" is missing\n");
    expect_errors("http.url == \"a\\q\"",
                  "14-16: no such escape: in texts there are \\\" \\\\ \\n \\r \\t and \\xHH\n");
    expect_errors("http.url == \"\\x1\" and prt == 2",
                  "13-15: no such escape: in texts there are \\\" \\\\ \\n \\r \\t and \\xHH\n"
                  "22-25: there is no prt; did you mean port?\n");
    expect_errors("http.url == 'a'", "12-13: texts stand in double quotes: \"...\"\n"
                                     "14-15: texts stand in double quotes: \"...\"\n");
    expect_errors("http.url < \"a\"", "11-14: only numbers are less or greater: this is text\n");
    expect_errors("http.url contains \"\"", "18-20: what it contains is missing: \"a text\"\n");
    expect_errors("http.url contains", "17-17: what it contains is missing: \"a text\"\n");
    expect_errors("http.url ==", "11-11: a value is missing: \"a text\"\n");
    expect_errors("http.url matches /a/",
                  "17-20: after matches stands a regular expression in quotes\n");
    expect_errors("modbus.write.data == 00ff1",
                  "21-26: 00ff1: 5 digits: a byte is two in hexadecimal; a text stands in "
                  "quotes\n");
    expect_errors("payload contains 0011zz",
                  "21-23: 0011zz: bytes in hexadecimal go on with 0-9 and a-f, not with \"zz\"; a "
                  "text stands in quotes\n");
    expect_error_at("payload in {00ff, 00ff1g}", 23, "not with \"g\"");
    expect_error_at("payload == hello", 11, "hello: expected \"a text\" or 00ff12");
    expect_error_at("http.url matches \"a(b\"", 21, "");
    expect_error_at("http.url matches \"\\\"\\\"\\d(b\"", 26, "");
    expect_error_at("http.url matches \"a*\"", 17, "");
    expect_errors("http.url in $ot",
                  "12-15: $ot is a set of type \"port\": of no use for what is text\n");
}

static void test_times(void **state)
{
    (void)state;
    static const char field[] = "dnp3.application.objects.points.time";
    char text[256];
    snprintf(text, sizeof(text), "%s >= 1970-01-02T00:00:01Z", field);
    assert_true(has(text, 86401000000000) && !has(text, 86400999999999));
    snprintf(text, sizeof(text), "%s in 1970-01-01T00:00:00Z..1970-01-01T00:00:01Z", field);
    assert_true(has(text, 0) && has(text, 1000000000) && !has(text, 1000000001));
    snprintf(text, sizeof(text), "%s == 5", field);
    assert_true(has(text, 5));
    snprintf(text, sizeof(text), "%s == 9999-01-01T00:00:00Z", field);
    expect_error_at(text, 40, "is no value of this field; expected e.g. 2026-01-31T08:00:00Z");
    snprintf(text, sizeof(text), "%s == 1969-01-01T00:00:00Z", field);
    expect_error_at(text, 40, "is no value of this field");
    static const char *const never[] = {"2026-13-01", "2026-02-31", "2025-02-29", "2026-04-31"};
    for (unsigned i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        snprintf(text, sizeof(text), "%s == %sT00:00:00Z", field, never[i]);
        expect_error_at(text, 40, "is no value of this field");
    }
    /* As eve.json has them: the microsecond is meant. */
    snprintf(text, sizeof(text), "%s == 1970-01-01T00:00:01.475505Z", field);
    assert_true(has(text, 1475505000) && has(text, 1475505999) && !has(text, 1475506000));
    assert_false(has(text, 1475504999));
    snprintf(text, sizeof(text), "%s > 1970-01-01T00:00:01.5Z", field);
    assert_true(has(text, 1500001000) && !has(text, 1500000999));
    snprintf(text, sizeof(text), "%s == 1970-01-01T00:00:01.000000007Z", field);
    assert_true(has(text, 1000000007) && !has(text, 1000000008));
    static const char *const wrong_times[] = {"01", "01.5", "01.Z5", "01.0000000001Z", "01.5z"};
    for (unsigned i = 0; i < sizeof(wrong_times) / sizeof(wrong_times[0]); i++) {
        snprintf(text, sizeof(text), "%s == 1970-01-01T00:00:%s", field, wrong_times[i]);
        expect_error_at(text, 40, "is no value of this field");
    }
    snprintf(text, sizeof(text), "%s > 2024-02-29T23:59:59Z", field);
    assert_true(has(text, 1709251200000000000));
}

static void test_subaddress(void **state)
{
    (void)state;
    expect_bytes("subaddress == \"unit 3\"", "unit 3", 6);
    assert_false(test_of("subaddress == \"unit 3\"")->is_code);
    assert_true(test_of("subaddress == 3")->is_code);
    assert_true(test_of("subaddress > 3")->is_code && has("subaddress > 3", 4));
    assert_true(test_of("subaddress in { 3, 7..9}")->is_code && has("subaddress in {3, 7..9}", 8));
    assert_true(test_of("subaddress in 3..5")->is_code && has("subaddress in 3..5", 4));
    assert_false(test_of("subaddress in {\"unit 3\"}")->is_code);
}

static void test_masks(void **state)
{
    (void)state;
    expect_errors("modbus.unit_id & 0", "17-18: & 0 is always 0\n");
    expect_errors("modbus.unit_id &", "16-16: a mask is missing: & 0x80\n");
    expect_errors("modbus.unit_id & -1",
                  "17-19: -1: a number that is never negative, such as 17 or 0x11\n");
    expect_errors("modbus.unit_id & 0xf == 0x10",
                  "21-23: 0x10 has bits that the mask 0xf takes away: it can never hold\n");
    expect_good("modbus.unit_id & 0xf != 0x10");
    expect_good("not modbus.unit_id & 0xf == 0x10");
    expect_good("modbus.unit_id & 0xf in {1, 2}");
    expect_good("modbus.unit_id & 0xf == modbus.function_raw");
    expect_errors("http.url & 1", "9-10: & is for whole numbers and bits; this is text\n");
    expect_errors("ip.src & 1", "7-8: & is for whole numbers and bits; this is IP address\n");
    expect_errors("modbus.write & 1", "13-14: & is for whole numbers and bits; this is group\n");
}

static void test_fields_beside_fields(void **state)
{
    (void)state;
    assert_int_equal(test_of("ip.src == ip.dst")->kind, FT_TEST_SAME);
    assert_int_equal(test_of("modbus.read.address > modbus.write.address")->same, FT_SAME_GREATER);
    assert_true(test_of("port.src != port.dst")->is_none);
    assert_int_equal(test_of("tag.level < modbus.unit_id")->same, FT_SAME_LESS);
    expect_tree("any dnp3.application.objects (start >= stop)",
                "any dnp3.application.objects(dnp3.application.objects.start >= "
                "dnp3.application.objects.stop)");
    expect_errors("ip.src < ip.dst",
                  "9-15: ip.dst is IP address: it cannot be compared with what is IP address\n");
    expect_errors("ip.src == port.src",
                  "10-18: port.src is number: it cannot be compared with what is IP address\n");
    expect_errors("port == modbus.write",
                  "8-20: modbus.write is group: it cannot be compared with what is number\n");
    expect_errors(
        "asset.vendor.src == asset.vendor.dst",
        "20-36: what is known of assets is compared with values only, not with asset.vendor.dst\n");
    /* A word that can only be meant as a field is no text. */
    expect_errors("asset.vendor.src == asset.vendr.dst",
                  "20-35: there is no asset.vendr.dst; did you mean asset.vendor.dst? (a "
                  "text stands in quotes)\n");
    expect_error_at("asset.vendor.src == modbus.vendor", 20, "there is no field modbus.vendor");
    expect_good("asset.vendor.src == \"modbus.vendor\" or asset.vendor.src == a.b");
    /* In a group, or with another word before it. */
    expect_errors("modbus.address == 5", "0-14: there is no field modbus.address; did you mean "
                                         "modbus.read.address or modbus.write.address?\n");
    expect_error_at("http.method == GET", 0, "did you mean http.http_method?");
    expect_error_at("dnp3.index == 5", 0, "did you mean dnp3.application.objects.points.index?");
    expect_error_at("dnp3.application.objects.index == 5", 0,
                    "did you mean dnp3.application.objects.points.index?");
    expect_error_at("modbus.function == 5", 0, "did you mean modbus.function_");
    expect_errors("ip.version == 4",
                  "0-10: there is no ip.version; keywords: ip.src, ip.dst, ip.addr, "
                  "ip.protocol, ip.ttl, ip.id\n");
    expect_errors("vlan.id == 4", "0-7: there is no vlan.id; keywords: vlan\n");
    expect_error_at("port.destination == 4", 0, "; keywords: port.src, port.dst, port");
    expect_error_at("wlan.sa == 4", 0, "neither a keyword");
    expect_errors("protocol == tcp", "12-15: tcp is a transport: write transport == tcp\n");
    expect_error_at("dnp3.nothing == 5", 0, "fieldtap --describe dnp3 lists the fields");
    /* Wherever a text may stand, and whatever names begin with. */
    expect_errors("dns.queries.rrname == ip.scr",
                  "22-28: there is no ip.scr; did you mean ip.src? (a text stands in "
                  "quotes)\n");
    expect_error_at("dns.queries.rrname in {a.b, dns.queris.rrname}", 28,
                    "a text stands in quotes");
    expect_error_at("dns.queries.rrname contains dns.queries.rname", 28, "a text stands in quotes");
    expect_error_at("asset.model.src in {zone.scr}", 20, "a text stands in quotes");
    expect_error_at("http.url == tag.levle", 12, "a text stands in quotes");
    expect_errors(
        "dns.queries.rrname in {a, http.url}",
        "26-34: http.url is the name of a value: it can stand behind == and !=, by itself; "
        "a text stands in quotes\n");
    expect_error_at("http.url contains port", 18, "port is the name of a value");
    expect_error_at("any dns.queries (rrname in {rrtype})", 28, "rrtype is the name of a value");
    expect_good("dns.queries.rrname in {ab.example, \"ip.scr\", \"port\"}");
    expect_good("dns.queries.rrname contains \"http.url\"");
}

static void test_written(void **state)
{
    (void)state;
    expect_tree("ip.src == 10.0.0.1", "ip.src == 10.0.0.1");
    expect_tree("ip.src not in 10.0.0.0/30", "ip.src not in 10.0.0.0..10.0.0.3");
    expect_tree("ip.src != fe80::1", "ip.src != fe80::1");
    expect_tree("ip.src in {10.0.0.1, 10.0.0.3}", "ip.src in a set of 2");
    expect_tree("http.url == \"a\\\"\\\\\\x07\"", "http.url == \"a\\\"\\\\\\x07\"");
    expect_tree("http.url matches \"a\\\"\\d\"", "http.url matches \"a\\\"\\d\"");
    expect_tree("port >= 5 or port < 5", "or(port >= 5, port <= 4)");
    expect_tree("port in 5..7 or port not in 5..7", "or(port in 5..7, port not in 5..7)");
    expect_tree("tag.level <= -5", "tag.level <= -5");
    expect_tree("stp.max_age > 1.5 or stp.max_age == 0.1",
                "or(stp.max_age >= 1.5000000000000002, stp.max_age in 0.1..0.10000000149011612)");
    expect_tree("arp.probe != true", "arp.probe != true");
    expect_tree("eth.src == 00-0e-8c-01-02-03", "eth.src == 00:0e:8c:01:02:03");
    expect_tree("kind != response", "kind != response");
    expect_tree("port.src <= port.dst", "port.src <= port.dst");
    expect_tree("port.src != port.dst", "port.src != port.dst");
}

/* ---- what is wrong ---- */

static void test_wrong_names(void **state)
{
    (void)state;
    expect_errors("", "0-0: an empty condition: at least one test\n");
    expect_errors("  ", "0-0: an empty condition: at least one test\n");
    expect_errors("prt", "0-3: there is no prt; did you mean port?\n");
    expect_errors("mobdus.unit_id == 1",
                  "0-14: there is no protocol mobdus; did you mean modbus.unit_id?\n");
    expect_errors("modbus == 1",
                  "0-6: modbus is a protocol: write \"protocol == modbus\", or one of "
                  "its fields\n");
    expect_errors("modbus. == 1", "0-7: modbus is a protocol: write \"protocol == modbus\", or one "
                                  "of its fields\n");
    expect_errors("modbus.write.adress == 1",
                  "0-19: there is no field modbus.write.adress; did you "
                  "mean modbus.write.address?\n");
    expect_error_at("modbus.write. == 1", 0, "there is no field modbus.write.");
    expect_error_at("modbus.unit_id. == 1", 0, "there is no field modbus.unit_id.");
    expect_error_at("modbus.unit_id.x == 1", 0, "there is no field modbus.unit_id.x");
    expect_error_at("modbus..write == 1", 0, "there is no field modbus..write");
    expect_errors("modbus.qqqqqq == 1",
                  "0-13: there is no field modbus.qqqqqq; fieldtap --describe "
                  "modbus lists the fields\n");
    expect_errors("qqqqqqqq == 1",
                  "0-8: there is no qqqqqqqq: neither a keyword (doc/rules.md) nor a "
                  "field PROTOCOL.FIELD (fieldtap --describe PROTOCOL)\n");
    expect_errors("tag.levl == 1", "0-8: there is no tag levl; did you mean tag.level?\n");
    expect_errors("tag.qqqqq == 1",
                  "0-9: there is no tag qqqqq; tags[] of the file defines tags\n");
    expect_errors("modbus.write == 1", "0-12: modbus.write is a group: ask for a field in it\n");
    expect_errors("modbus.write in {1}", "0-12: modbus.write is a group: ask for a field in it\n");
    expect_errors("modbus.write matches \"a\"",
                  "0-12: modbus.write is a group: ask for a field in it\n");
    expect_good("modbus.write");
}

static void test_wrong_grammar(void **state)
{
    (void)state;
    expect_errors("(port == 5", "0-1: ( without )\n");
    expect_errors("port == 5)", "9-10: ) without (\n");
    expect_errors("port == 5 vlan == 3",
                  "10-14: here and, or or the end is expected; values follow on an operator: ==, "
                  "!=, <, <=, >, >=, in, contains, matches\n");
    expect_errors("(port 502)",
                  "6-9: here and, or or the end is expected; values follow on an operator: ==, "
                  "!=, <, <=, >, >=, in, contains, matches\n");
    expect_errors("http.url cotains \"x\" and port == 5",
                  "9-16: there is no cotains; did you mean contains?\n");
    expect_errors("http.url MATCHES \"x\"", "9-16: there is no MATCHES; did you mean matches?\n");
    expect_errors("transport == 6",
                  "0-14: transport has no such value: it can never hold; there are: ethernet, ip, "
                  "udp, tcp; the number of an IP protocol is ip.protocol\n");
    expect_errors("port == 5 and", "13-13: the condition ends where a test is expected\n");
    expect_errors("and port == 5", "0-3: expected the name of a field or keyword\n");
    expect_errors("not", "3-3: the condition ends where a test is expected\n");
    expect_errors("()", "1-2: expected the name of a field or keyword\n");
    expect_errors("port not 5", "5-8: after a name only in can follow on not\n");
    expect_errors("port ==", "7-7: a value is missing: 17 or 0x11\n");
    expect_errors("port >", "6-6: a value is missing: 17 or 0x11\n");
    expect_errors("port == \"5\"", "8-11: \"5\" is a text: a number stands without quotes\n");
    expect_errors("port > \"5\"", "7-10: \"5\" is a text: a number stands without quotes\n");
    expect_errors("port in {1, \"5..9\"}",
                  "12-18: \"5..9\" is a text: a number stands without quotes\n");
    expect_errors("port in", "7-7: a value is missing: 17 or 0x11\n");
    expect_errors("port in {", "9-9: a value is missing: 17 or 0x11\n");
    expect_errors("port in {}", "9-10: a value is missing: 17 or 0x11\n");
    expect_errors("port in {1,}", "11-12: a value is missing: 17 or 0x11\n");
    expect_errors("port in {1 2}", "8-12: { without }, or a comma is missing\n");
    expect_errors("port in {1", "8-10: { without }, or a comma is missing\n");
    expect_errors("port == \xc3\xa4 5", "8-10: \"\xc3\xa4\" has no meaning here\n");
    /* Every error is told, and one does not bring forth others. */
    expect_errors("prt == 1 and (vlan == x or ip.sr in {1, 2}) and port == 99999",
                  "0-3: there is no prt; did you mean port?\n"
                  "22-23: x is no value of this field; expected e.g. 17 or 0x11\n"
                  "27-32: there is no ip.sr; did you mean ip.src?\n"
                  "56-61: 99999 can never be: port is at most 65535\n");
}

/* ---- what can never hold ---- */

static void test_contradictions(void **state)
{
    (void)state;
    expect_errors("port.src > 5 and port.src < 3",
                  "17-29: \"port.src > 5\" and \"port.src < 3\" can never hold both\n");
    expect_errors("(port.src > 5 and vlan) and (port.src < 3)",
                  "29-41: \"port.src > 5\" and \"port.src < 3\" can never hold both\n");
    expect_errors("not (port.src <= 5 or not port.src == 7 or port.dst != 9 or not port.src < 7)",
                  "64-76: \"port.src == 7\" and \"port.src < 7\" can never hold both\n");
    expect_errors("port.dst == 502 and port != 502",
                  "20-31: \"port.dst == 502\" and \"port != 502\" can never hold both\n");
    expect_errors(
        "ip.addr != 10.0.0.1 and ip.src == 10.0.0.1",
        "24-42: \"ip.addr != 10.0.0.1\" and \"ip.src == 10.0.0.1\" can never hold both\n");
    assert_true(read_text("port.dst in {1, 2} and port != 1"));
    expect_errors("payload.length < 3 and payload contains \"abc\"",
                  "23-45: \"payload.length < 3\" and \"payload contains \"abc\"\" can never hold "
                  "both\n");
    assert_true(read_text("payload.length < 4 and payload contains \"abc\""));
    expect_errors("port.src == 1 and port.src in {2, 4..9}",
                  "18-39: \"port.src == 1\" and \"port.src in {2, 4..9}\" can never hold both\n");
    expect_errors("port.src == 1 and port.src != 1",
                  "18-31: \"port.src == 1\" and \"port.src != 1\" can never hold both\n");
    expect_errors("port.src in {1, 2} and port.src not in 1..5",
                  "23-43: \"port.src in {1, 2}\" and \"port.src not in 1..5\" can never hold "
                  "both\n");
    expect_errors("ip.src in 10.0.0.0/8 and ip.src in 192.168.0.0/16",
                  "25-49: \"ip.src in 10.0.0.0/8\" and \"ip.src in 192.168.0.0/16\" can never hold "
                  "both\n");
    expect_errors("ip.src == 10.0.0.1 and ip.src not in {10.0.0.0/8, ::1}",
                  "23-54: \"ip.src == 10.0.0.1\" and \"ip.src not in {10.0.0.0/8, ::1}\" can never "
                  "hold both\n");
    expect_errors("kind == request and kind == response",
                  "20-36: \"kind == request\" and \"kind == response\" can never hold both\n");
    expect_errors("http.url == a and http.url == b",
                  "18-31: \"http.url == a\" and \"http.url == b\" can never hold both\n");
    expect_errors("http.url == a and http.url != a",
                  "18-31: \"http.url == a\" and \"http.url != a\" can never hold both\n");
    expect_errors("http.url in {a, b} and http.url == c",
                  "23-36: \"http.url in {a, b}\" and \"http.url == c\" can never hold both\n");
    expect_errors("http.url and not http.url",
                  "17-25: \"http.url\" and \"not http.url\" can never hold both\n");
    expect_errors(
        "any dnp3.application.objects (colour == 1)",
        "30-36: there is no colour, neither in dnp3.application.objects nor as a keyword; "
        "fieldtap --describe dnp3 lists the fields\n");
    expect_errors(
        "port == 9700 and not protocol",
        "21-29: \"not protocol\" can never hold: it is always there; the protocol of what no "
        "dissector reads is \"unknown\"\n");
    expect_errors("protocol in {syslog, unknown} and response_time_us > 5000",
                  "34-57: \"protocol in {syslog, unknown}\" and \"response_time_us > 5000\" can "
                  "never hold both: its messages are not answered\n");
    expect_errors("not http.url and http.url == a",
                  "17-30: \"not http.url\" and \"http.url == a\" can never hold both\n");
    expect_errors("protocol == modbus and protocol == dnp3",
                  "23-39: \"protocol == modbus\" and \"protocol == dnp3\" can never hold both\n");
    expect_errors("vlan == 1 and vlan != 1",
                  "14-23: \"vlan == 1\" and \"vlan != 1\" can never hold both\n");
    /* Either of two may be the one. */
    expect_good("port == 1 and port == 2");
    expect_good("ip.addr in 10.0.0.0/8 and ip.addr in 192.168.0.0/16");
    expect_good("port == 1 and port != 2");
    expect_good("port != 1 and port != 2");
    expect_good("vlan in {1, 2} and vlan != 1");
    expect_good("modbus.registers == 1 and modbus.registers == 2");
    expect_good("http.url contains a and http.url == ba");
    expect_good("port.src > 5 or port.src < 3");
    expect_good("port.src > 5 and (port.src < 3 or vlan)");
    expect_good("not port.src == 1 and not port.src == 2");
    expect_good("modbus.unit_id & 1 == 1 and modbus.unit_id & 2 == 0");
    expect_good("not http.url and not http.url == a");
    /* A list is another tomorrow. */
    expect_good("ip.src in $plc and ip.src in 192.168.0.0/16");
    expect_good("ip.src in $none and ip.src == 10.0.0.1");
    expect_good("ip.src in {$none} and ip.src == 10.0.0.1");
    expect_good("ip.src in $plc and not ip.src in 10.0.1.0/24");
    expect_good("ip.src in 10.0.1.0/24 and ip.src not in $plc");
}

/* Pairs of random tests on a small domain: refused exactly when no values satisfy both. */
struct pair_test {
    uint32_t passes; /* bit per value */
    bool is_none;
};

static struct pair_test random_test(char *to, size_t size, const char *name)
{
    struct pair_test t = {.is_none = random_number(3) == 0};
    uint32_t a = random_number(8), b = random_number(8), c = random_number(8);
    uint32_t low = a < b ? a : b, high = a < b ? b : a;
    switch (random_number(3)) {
    case 0:
        t.passes = 1u << a;
        snprintf(to, size, "%s %s %u", name, t.is_none ? "!=" : "==", a);
        break;
    case 1:
        for (uint32_t i = low; i <= high; i++)
            t.passes |= 1u << i;
        snprintf(to, size, "%s %sin %u..%u", name, t.is_none ? "not " : "", low, high);
        break;
    default:
        t.passes = 1u << a | 1u << b | 1u << c;
        snprintf(to, size, "%s %sin {%u, %u, %u}", name, t.is_none ? "not " : "", a, b, c);
    }
    return t;
}

static bool test_holds(const struct pair_test *t, uint32_t values)
{
    return t->is_none ? values && !(values & t->passes) : (values & t->passes) != 0;
}

static void test_pairs(void **state)
{
    static const char *const names[] = {"port.src", "port"};
    (void)state;
    for (uint32_t seed = 0; seed < 20000; seed++) {
        char a[64], b[64], text[160];
        random_state = seed;
        bool is_many = random_number(2), can = false;
        struct pair_test x = random_test(a, sizeof(a), names[is_many]),
                         y = random_test(b, sizeof(b), names[is_many]);
        /* 8 and 9 stand for all the values that no test names. */
        for (uint32_t i = 0; i < 10 && !can; i++)
            for (uint32_t j = 0; j < 10 && !can; j++)
                can = (is_many || i == j) && test_holds(&x, 1u << i | 1u << j) &&
                      test_holds(&y, 1u << i | 1u << j);
        snprintf(text, sizeof(text), "%s and %s", a, b);
        if (read_text(text) != can)
            fail_msg("%s: %s", text, can ? said : "can never hold");
    }
}

/* Three of senders, receivers and either: what is refused holds for no two ports. */
static void test_random_sides(void **state)
{
    static const char *const names[] = {"port", "port.src", "port.dst"};
    uint32_t refused = 0, never = 0;
    (void)state;
    for (uint32_t seed = 0; seed < 20000; seed++) {
        char one[64], text[256] = "";
        struct pair_test t[3];
        bool is_negated[3], can = false;
        uint32_t of[3];
        random_state = seed;
        for (uint32_t i = 0; i < 3; i++) {
            of[i] = random_number(3);
            is_negated[i] = random_number(3) == 0;
            t[i] = random_test(one, sizeof(one), names[of[i]]);
            size_t used = strlen(text);
            snprintf(text + used, sizeof(text) - used, "%s%s%s", i ? " and " : "",
                     is_negated[i] ? "not " : "", one);
        }
        /* 8 and 9 stand for all the values that no test names, 10 for none. */
        for (uint32_t at = 0; at < 101 && !can; at++) {
            uint32_t src = at < 100 ? 1u << (at / 10) : 0, dst = at < 100 ? 1u << (at % 10) : 0;
            const uint32_t values[] = {src | dst, src, dst};
            can = true;
            for (uint32_t i = 0; i < 3; i++)
                can &= test_holds(&t[i], values[of[i]]) != is_negated[i];
        }
        bool is_refused = !read_text(text);
        if (is_refused && can)
            fail_msg("%s: %s", text, said);
        refused += is_refused;
        never += !can;
    }
    assert_in_range(refused, never * 17 / 20, never); /* most are found */
}

static void test_masks_that_contradict(void **state)
{
    (void)state;
    expect_errors("modbus.unit_id & 1 == 1 and modbus.unit_id & 1 == 0",
                  "28-51: \"modbus.unit_id & 1 == 1\" and \"modbus.unit_id & 1 == 0\" can never "
                  "hold both\n");
    expect_errors("modbus.unit_id & 1 and modbus.unit_id & 1 == 0",
                  "23-46: \"modbus.unit_id & 1\" and \"modbus.unit_id & 1 == 0\" can never hold "
                  "both\n");
    expect_errors("modbus.unit_id == 2 and modbus.unit_id & 1 == 1",
                  "24-47: \"modbus.unit_id == 2\" and \"modbus.unit_id & 1 == 1\" can never hold "
                  "both\n");
    expect_errors("tcp.flags & 0x12 == 2 and tcp.flags & 0x10",
                  "26-42: \"tcp.flags & 0x12 == 2\" and \"tcp.flags & 0x10\" can never hold "
                  "both\n");
    expect_error_at("port.src & 0xfff0 == 0x10 and port.src & 0x1f == 3", 30,
                    "can never hold both");
    expect_error_at("modbus.unit_id & 1 != 0 and modbus.unit_id & 1 != 1", 28,
                    "can never hold both");
    expect_error_at("modbus.registers & 1 and not modbus.registers & 1", 29, "can never hold both");
    expect_error_at("modbus.unit_id < 8 and modbus.unit_id & 8", 23, "can never hold both");
    expect_error_at("not modbus.unit_id and modbus.unit_id & 8", 23, "can never hold both");
    expect_error_at("any dnp3.application.objects (group & 1 == 1 and group & 1 == 0)", 49,
                    "can never hold both");
    expect_good("modbus.unit_id & 1 == 1 and modbus.unit_id & 2 == 0");
    expect_good("modbus.unit_id & 3 == 1 and modbus.unit_id & 1 == 1 and modbus.unit_id == 5");
    expect_good("not modbus.unit_id & 1 and not modbus.unit_id & 2");
    expect_good("modbus.unit_id != 2 and modbus.unit_id & 3 == 2");
    expect_good("http.length > 7 and http.length & 7 == 7");
    /* Several values of a list. */
    expect_good("modbus.registers & 1 == 1 and modbus.registers & 1 == 0");
    expect_good("modbus.registers == 2 and modbus.registers & 1 == 1");
    expect_good("vlan & 1 and vlan & 1 == 0");
    /* Sets are others tomorrow. */
    expect_good("modbus.unit_id & 1 in $codes and modbus.unit_id & 1 == 0");
    /* What a mask never leaves. */
    expect_error_at("modbus.unit_id & 0xf in {0x10, 0x20..0x2f}", 21, "is never such");
    expect_error_at("modbus.unit_id & 0xf > 0xf", 21, "is never such");
    expect_error_at("modbus.unit_id & 1 not in {0, 1}", 19, "is never such");
    expect_error_at("modbus.unit_id & 6 in {1, 3, 5}", 19, "is never such");
    expect_error_at("modbus.unit_id & 0x81 in 2..0x7f", 22, "is never such");
    expect_good("modbus.unit_id & 0x81 in 2..0x80");
    expect_good("modbus.unit_id & 0xf > 0xe");
    expect_good("modbus.unit_id & 6 in {1, 3, 4}");
    expect_good("modbus.unit_id & 1 not in {0, 2}");
    expect_good("modbus.unit_id & 2 in $codes");
    expect_good("not modbus.unit_id & 0xf in {0x10}");
}

static void test_something_and_not_the_same(void **state)
{
    (void)state;
    expect_errors("any dns.queries (rrname == \"a\") and not any dns.queries ( rrname==\"a\" )",
                  "40-71: \"any dns.queries (rrname == \"a\")\" and \"not any dns.queries ( "
                  "rrname==\"a\" )\" can never hold both\n");
    expect_error_at("any dns.queries (rrname == \"a\") and not dns.queries", 40, "never hold both");
    expect_good("any dns.queries (rrname == \"a\") and any dns.queries (rrname == \"b\")");
    expect_good("any dns.queries (rrname == \"a\") and not any dns.queries (rrname == \"b\")");
    expect_good("any dns.queries (rrname == \"a\") and any dns.queries (not rrname == \"a\")");
    expect_error_at("port.src == 1 and not port.src == 1", 22, "and \"not port.src == 1\"");
    expect_error_at("port == 1 and not port == 1", 18, "never hold both");
    expect_error_at("port == 1 and not port in 1..2", 18, "never hold both");
    expect_error_at("not http.url contains a and http.url contains \"a\"", 28, "never hold both");
    expect_error_at("payload matches \"a+\" and not payload matches \"a+\"", 29, "never hold both");
    expect_error_at("ip.src in $plc and not ip.src in $plc", 23, "never hold both");
    expect_error_at("asset.vendor == abb and not asset.vendor == abb", 28, "never hold both");
    expect_error_at("ip.src == ip.dst and ip.src != ip.dst", 21, "never hold both");
    expect_error_at("port.src < port.dst and port.src >= port.dst", 24, "never hold both");
    expect_error_at("port.src < port.dst and not port.src <= port.dst", 28, "never hold both");
    expect_good("port.src <= port.dst and port.src >= port.dst");
    expect_good("port.src < port.dst and not port.src == 7");
    expect_good("port == 1 and not port == 2");
    expect_good("not port == 1 and not port != 1"); /* of what has none */
    expect_good("ip.src in $plc and not ip.dst in $plc");
    expect_good("ip.src in $plc and not ip.src in {$plc, 10.0.0.1}");
    expect_good("payload contains \"a\" and not payload contains \"b\"");
    /* Of more than one test. */
    expect_errors(
        "vlan == 1 and port.src == 1 and not (port.src == 1 and vlan == 1)",
        "37-64: \"port.src == 1 and vlan == 1\" can never hold here: each way in which it "
        "could contradicts what it is joined with by and\n");
    expect_error_at("port.src > 5 and (port.src < 3 or port.src == 4 and vlan)", 18,
                    "can never hold here");
    expect_good("port.src > 5 and (port.src < 3 or port.src == 6 and vlan)");
    expect_good("vlan == 1 and port.src == 1 and not (port.src == 1 and vlan == 2)");
}

/* What is asked of either side, and of one. */
static void test_sides(void **state)
{
    (void)state;
    expect_errors(
        "not ip.addr == 10.0.0.1 and ip.src == 10.0.0.1",
        "28-46: \"not ip.addr == 10.0.0.1\" and \"ip.src == 10.0.0.1\" can never hold both: what "
        "has no .src or .dst is of either side, and of neither with not\n");
    expect_error_at("not port == 5 and port.src == 5", 18, "neither with not");
    expect_error_at("port.dst in {5, 6} and not port in {5..7, 9}", 27, "neither with not");
    expect_error_at("not eth.addr and eth.src == 00:0e:8c:01:02:03", 17, "neither with not");
    expect_error_at("not asset.type == plc and asset.type.dst == plc", 26, "neither with not");
    expect_error_at("asset.vendor.src contains x and not asset.vendor", 36, "neither with not");
    expect_error_at("ip.src in $plc and not ip.addr in $plc", 23, "neither with not");
    expect_error_at("port.src & 1 and not port & 1", 21, "neither with not");
    expect_error_at("ip.src != 10.0.0.1 and not ip.addr", 27, "neither with not");
    expect_good("not ip.addr == 10.0.0.1 and ip.src == 10.0.0.2");
    expect_good("not ip.addr == 10.0.0.1 and not ip.src == 10.0.0.1");
    expect_good("not ip.addr == 10.0.0.1 and ip.src in 10.0.0.0/30");
    expect_good("not port in {5, 6} and port.src in {5, 7}");
    expect_good("not port != 5 and port.src == 5");
    expect_good("not port and not port.src == 5");
    expect_good("ip.src in $plc and not ip.addr in 10.0.1.0/24");
    expect_good("port.src & 1 and not port & 2");
    expect_good("not port & 1 == 1 and port.src == 4");
    /* Both sides are something else. */
    expect_errors("port == 5 and port.src == 6 and port.dst == 7",
                  "0-9: \"port == 5\" can never hold here: each way in which it could contradicts "
                  "what it is joined with by and\n");
    expect_error_at("port.src > 1023 and port.dst != 5 and port == 5", 38, "each way");
    expect_error_at("tag.level == 3 and port.src == 6 and port.dst == 7", 0, "each way");
    expect_error_at("tag.level == 3 and port != 5", 0, "each way");
    expect_error_at("not port == 5 and tag.level", 18, "each way");
    expect_error_at("ip.addr == 10.0.0.1 and ip.src == 10.0.0.2 and not ip.dst == 10.0.0.1", 0,
                    "each way");
    expect_errors("port == 5 and port == 6 and port == 7",
                  "0-9: \"port == 5\" can never hold here: each way in which it could contradicts "
                  "what it is joined with by and\n");
    expect_error_at("port == 5 and port in {6, 7} and port.src == 6 and port > 7", 0, "each way");
    expect_error_at("ip.addr == 10.0.0.1 and ip.addr == 10.0.0.2 and ip.src == 10.0.0.3", 0,
                    "each way");
    expect_error_at("tag.level == 3 and port == 6 and port == 7", 0, "each way");
    expect_good("port == 5 and port == 6 and port in {6, 7}");
    expect_good("port == 5 and port in {5, 6} and port == 6 and port > 4 and port != 7");
    expect_good("tag.level == 3 and port == 6 and port in {5, 7}");
    expect_good("asset.type == plc and asset.type == hmi and asset.type == scada");
    expect_good("eth.addr == 00:0e:8c:01:02:03 and ip.addr == 10.0.0.1 and ip.addr == 10.0.0.2");
    expect_good("port == 5 and port.src == 6 and port.dst in 5..7");
    expect_good("tag.level == 3 and port.src == 6 and port.dst == 5");
    expect_good("tag.level == 3 and port.src == 5 and port.dst == 6");
    expect_good("not tag.level == 3 and port.src == 6 and port.dst == 7");
    expect_good("not port == 5 and port.src == 6 and port.dst == 7");
    expect_good("port != 5 and port.src == 6 and port.dst == 7");
    /* A side may be two devices: what is behind an address, and the address. */
    expect_good("asset.type.src == gateway and asset.type.src == plc");
    expect_good("asset.type == plc and asset.type.src == gateway and asset.type.dst == scada");
    expect_error_at("asset.type.src == plc and not asset.type.src == plc", 30, "never hold both");
}

static void test_groups_and_what_is_in_them(void **state)
{
    (void)state;
    expect_errors("dns.queries.rrname == \"a\" and not dns.queries",
                  "34-45: \"dns.queries.rrname == \"a\"\" and \"not dns.queries\" can never hold "
                  "both\n");
    expect_error_at("not modbus.exception and modbus.exception.code == 2", 25, "never hold both");
    expect_error_at("any dns.queries (rrname == \"a\") and not dns.queries", 40, "never hold both");
    expect_error_at("any dnp3.application.objects (points.index == 5 and not points)", 56,
                    "never hold both");
    expect_error_at("any dnp3.application.objects.points (index == 5) and not "
                    "dnp3.application.objects",
                    57, "never hold both");
    expect_good("not dns.queries.rrname == \"a\" and not dns.queries");
    expect_good("not dns.queries.rrname == \"a\" and dns.queries");
    expect_good("dns.answers.rrname == \"a\" and not dns.queries");
    expect_good("dns.queries and not dns.queries.rrname");
    expect_good("any dnp3.application.objects (not points) and "
                "dnp3.application.objects.points.index == 5");
    /* A part of what no element may be. */
    expect_error_at("any dns.queries (rrname == a) and not any dns.queries (rrname == a or rrtype "
                    "== A)",
                    38, "never hold both");
    expect_error_at("any dns.queries (rrname == a and rrtype == A) and not any dns.queries "
                    "(rrtype in {A, AAAA})",
                    54, "never hold both");
    expect_error_at("any dnp3.application.objects (any points (index == 5)) and not any "
                    "dnp3.application.objects (any points (index > 3) or group == 2)",
                    63, "never hold both");
    expect_good("any dns.queries (rrname == a or rrtype == A) and not any dns.queries (rrname == "
                "a)");
    expect_good("any dns.queries (rrname == a) and not any dns.queries (rrname == a and rrtype == "
                "A)");
    expect_good("any dns.queries (rrtype in {A, AAAA}) and not any dns.queries (rrtype == A)");
    expect_good("any dns.queries (rrname in $hosts) and not any dns.queries (rrname == \"a b\")");
    expect_error_at("any dns.queries (rrname in $hosts) and not any dns.queries (rrname in $hosts "
                    "or rrtype == A)",
                    43, "never hold both");
    expect_good("not any dns.queries (rrname == a) and not any dns.queries (rrname == a or rrtype "
                "== A)");
}

/* What is asked of any element, and what of all values. */
static void test_beside_any(void **state)
{
    (void)state;
    expect_errors("dns.queries.rrname == \"a\" and not any dns.queries (rrname == \"a\")",
                  "34-65: \"dns.queries.rrname == \"a\"\" and \"not any dns.queries (rrname == "
                  "\"a\")\" can never hold both\n");
    expect_error_at("not any dns.queries (rrname == a or rrtype == A) and dns.queries.rrname == a",
                    53, "never hold both");
    expect_error_at("dns.queries.rrname == a and not any dns.queries (rrname in {a, b})", 32,
                    "never hold both");
    expect_error_at("dns.queries.rrname == a and not any dns.queries (rrname)", 32,
                    "never hold both");
    expect_error_at("dns.queries.rrname != a and not any dns.queries (not rrname == a)", 32,
                    "never hold both");
    expect_error_at("dnp3.application.objects.points.index == 5 and not any "
                    "dnp3.application.objects (any points (index > 3))",
                    51, "never hold both");
    expect_good("dns.queries.rrname == a and not any dns.queries (rrname == a and rrtype == A)");
    expect_good("dns.queries.rrname == a and not any dns.queries (rrname == b)");
    expect_good("dns.queries.rrname == a and not any dns.queries (rrname != a)");
    expect_good("dns.queries.rrname == a and not any dns.queries (not rrname == a)");
    expect_good("dns.answers.rrname == a and not any dns.queries (rrname == a)");
    expect_good("not dns.queries.rrname == a and not any dns.queries (rrname == a)");
    expect_good("not dns.queries.rrname == a and not any dns.queries (not rrname == a)");
    expect_errors("any dns.queries (rrname == \"a\") and not dns.queries.rrname == \"a\"",
                  "40-65: \"any dns.queries (rrname == \"a\")\" and \"not dns.queries.rrname == "
                  "\"a\"\" can never hold both\n");
    expect_error_at("any dns.queries (rrname == a and rrtype == A) and dns.queries.rrname != a", 50,
                    "never hold both");
    expect_error_at("dns.queries.rrname not in {a, b} and any dns.queries (rrname == a)", 37,
                    "never hold both");
    expect_good("any dns.queries (rrname == a or rrtype == A) and not dns.queries.rrname == a");
    expect_good("any dns.queries (rrname != a) and dns.queries.rrname == a");
    expect_good("any dns.queries (rrname != a) and not dns.queries.rrname != a");
    expect_good("any dns.queries (not rrname != a) and dns.queries.rrname != a");
    expect_good("any dns.queries (not rrname == a) and not dns.queries.rrname == b");
    expect_good("any dns.queries (rrname == a) and dns.queries.rrname == b");
}

/* Values that are named are tried on all that is asked of them. */
static void test_listed(void **state)
{
    (void)state;
    expect_errors("port.src in {1, 2} and port.src != 1 and port.src != 2",
                  "0-18: \"port.src in {1, 2}\" can never hold here: each way in which it could "
                  "contradicts what it is joined with by and\n");
    expect_error_at("port.src > 5 and port.src < 9 and port.src not in {6, 8} and "
                    "port.src & 7 != 7",
                    17, "each way");
    expect_error_at("not modbus.unit_id == 1 and modbus.unit_id & 1 and modbus.unit_id in {1, 2}",
                    51, "each way");
    expect_error_at("ip.src in {10.0.0.1, 10.0.0.2} and ip.src != 10.0.0.1 and ip.src != 10.0.0.2",
                    0, "each way");
    expect_error_at("http.url in {a, b} and not http.url == a and http.url != b", 0, "each way");
    expect_good("port.src in {1, 2, 3} and port.src != 1 and port.src != 2");
    expect_good("port.src > 5 and port.src < 9 and port.src not in {6, 8}");
    expect_good("vlan in {1, 2} and not vlan == 1 and vlan == 2");
    expect_good("modbus.registers in {1, 2} and modbus.registers > 1 and modbus.registers < 2");
    expect_error_at("ip.src in 10.0.0.0/31 and ip.src != 10.0.0.1 and ip.src != 10.0.0.0/32", 0,
                    "each way");
    expect_good("ip.src in 10.0.0.0/30 and ip.src != 10.0.0.1 and ip.src != 10.0.0.0/31");
    expect_good("not port.src in {1, 2} and not port.src == 3 and not port.src == 4");
    expect_good("port.src in {1, 2} and port.src != 1 and port.src not in $ot");
    /* Texts. */
    expect_error_at("http.url == abc and http.url contains d", 20, "never hold both");
    expect_error_at("not http.url contains b and http.url == abc", 28, "never hold both");
    expect_error_at("http.url == abc and http.url matches \"^x$\"", 20, "never hold both");
    expect_error_at("http.url == abc and not http.url matches \"(?i)B\"", 24, "never hold both");
    expect_error_at("http.url in {abc, abd} and http.url contains x", 27, "never hold both");
    expect_error_at("lower(http.url) == abc and http.url == ABD", 27, "never hold both");
    expect_error_at("http.url == ABC and lower(http.url) != abc", 20, "never hold both");
    expect_error_at("lower(http.url) == abc and http.url contains X", 27, "never hold both");
    expect_error_at("http.url == ABC and not lower(http.url) contains b", 24, "never hold both");
    expect_error_at("any dns.queries (rrname == abc and rrname contains d)", 35, "never hold both");
    expect_error_at("payload == 00ff and payload contains 01", 20, "never hold both");
    expect_error_at("payload == 00ff and payload.length == 3", 20, "never hold both");
    expect_error_at("payload.length > 2 and payload in {00ff, 00}", 23, "never hold both");
    expect_good("http.url == abc and http.url contains bc");
    expect_good("http.url == abc and lower(http.url) matches \"^A\"");
    expect_good("http.url in {abc, abd} and http.url contains d");
    expect_good("http.url == abc and not http.url contains d");
    expect_good("lower(http.url) == abc and http.url == ABC");
    expect_good("lower(http.url) == abc and http.url != abc");
    expect_good("lower(http.url) == abc and not http.url contains a");
    expect_good("lower(http.url) == abc and http.url matches \"^A\"");
    expect_good("lower(http.url) == abc and http.url contains B");
    expect_good("lower(http.url) == ABC"); /* what it is compared with is in small letters, too */
    expect_good("dns.queries.rrname == abc and dns.queries.rrname contains d"); /* two of them */
    expect_good("payload == 00ff and payload contains ff");
    expect_good("payload == 00ff and payload.length == 2");
    expect_good("not payload == 00ff and payload.length == 3");
    expect_good("payload == 00ff and not payload.length == 3");
    expect_good("tag.level == 3 and payload contains 01");
    /* A tag has its length. */
    expect_errors("tag.text == \"abc\"", "0-17: tag.text has 4 bytes: it can never hold\n");
    expect_error_at("vlan == 1 and tag.text in {abc, abcde}", 14, "has 4 bytes");
    expect_error_at("tag.text contains abcde", 0, "has 4 bytes");
    expect_good("tag.text == abcd");
    expect_good("tag.text in {abc, abcd}");
    expect_good("tag.text contains abcd");
    expect_good("tag.text != abc");
    expect_good("not tag.text == abc");
    expect_good("tag.text in $hosts");
    /* A value beside itself. */
    expect_errors("port.src != port.src and vlan == 1",
                  "0-20: \"port.src != port.src\" can never hold: it is compared with itself\n");
    expect_error_at("modbus.unit_id < modbus.unit_id", 0, "compared with itself");
    expect_error_at("vlan != vlan", 0, "compared with itself");
    expect_good("modbus.registers < modbus.registers");
    expect_good("modbus.unit_id >= modbus.unit_id");
    expect_good("not modbus.unit_id != modbus.unit_id");
    expect_good("modbus.unit_id & 1 != modbus.unit_id");
}

/* What is refused holds for no values: tried on all of a small domain. */
#define UNITS 17u /* the last: none */

static void random_condition(char *to, size_t size, uint32_t depth)
{
    static const char *const operators[] = {"==", "!=", "<=", ">="};
    uint32_t kind = depth ? random_number(5) : 0;
    size_t used = 0;
    if (kind >= 3)
        used = (size_t)snprintf(to, size, "not ");
    if (kind == 0 || kind == 3) {
        bool is_vlan = random_number(3) == 0;
        used += (size_t)snprintf(to + used, size - used, "%s", is_vlan ? "vlan" : "modbus.unit_id");
        if (random_number(2))
            used += (size_t)snprintf(to + used, size - used, " & %u", 1 + random_number(7));
        if (random_number(5))
            snprintf(to + used, size - used, " %s %u", operators[random_number(4)],
                     random_number(is_vlan ? 4 : 8));
        return;
    }
    bool is_and = random_number(3);
    used += (size_t)snprintf(to + used, size - used, "(");
    for (uint32_t i = 0, n = 2 + random_number(2); i < n; i++) {
        used += (size_t)snprintf(to + used, size - used, "%s", !i ? "" : is_and ? " and " : " or ");
        random_condition(to + used, size - used, depth - 1);
        used = strlen(to);
    }
    snprintf(to + used, size - used, ")");
}

static bool number_passes(const struct ft_test *t, uint32_t value)
{
    return t->kind == FT_TEST_EXISTS ||
           ft_test_has_number(t, t->has_mask ? value & t->mask : value);
}

/* Values of `vlan` as bits, and one of the unit. */
static bool holds_of(uint32_t node, uint32_t vlans, uint32_t unit)
{
    const struct ft_expression_node *n = &expression->nodes[node];
    bool is_and = n->kind == FT_EXPRESSION_AND, all = is_and, passed = false;
    if (n->kind == FT_EXPRESSION_TEST) {
        uint32_t values = n->test.left.keyword ? vlans : unit + 1 < UNITS ? 1u << unit : 0;
        for (uint32_t i = 0; i < 32; i++)
            passed |= values >> i & 1 && number_passes(&n->test, i);
        return (n->test.is_none ? values && !passed : passed) != n->test.is_negated;
    }
    for (uint32_t child = n->child; child; child = expression->nodes[child].next)
        all = is_and ? holds_of(child, vlans, unit) && all : holds_of(child, vlans, unit) || all;
    return all;
}

static void test_refused_never_holds(void **state)
{
    static char text[1 << 13];
    uint32_t refused = 0;
    (void)state;
    for (uint32_t seed = 0; seed < 6000; seed++) {
        random_state = seed;
        random_condition(text, sizeof(text), 1 + random_number(3));
        if (read_text(text))
            continue;
        expression = ft_expression_read_unchecked(&vocabulary, text, wrong, text);
        for (uint32_t i = 1; expression && i < expression->count; i++) {
            if (!ft_expression_is_contradictory(&vocabulary, expression, i))
                continue;
            refused++;
            for (uint32_t at = 0; at < 32 * UNITS; at++)
                if (holds_of(i, at / UNITS, at % UNITS))
                    fail_msg("%s: %s", text, said);
        }
    }
    assert_in_range(refused, 300, 1 << 20);
}

/* ---- limits ---- */

static void test_limits(void **state)
{
    static char text[40000];
    char expected[256];
    (void)state;
    size_t used = 0;
    for (int i = 0; i < 32; i++)
        used += (size_t)sprintf(text + used, "(");
    used += (size_t)sprintf(text + used, "vlan");
    for (int i = 0; i < 32; i++)
        used += (size_t)sprintf(text + used, ")");
    expect_good(text);
    memmove(text + 1, text, used + 1);
    strcat(text, ")");
    expect_errors(text, "32-33: more than 32 parentheses in one another\n");
    memset(text, '(', 16384);
    text[16384] = 0;
    expect_errors(text, "32-33: more than 32 parentheses in one another\n");
    memset(text, '!', 16384);
    expect_errors(text, "16384-16384: the condition ends where a test is expected\n");
    memcpy(text + 16380, "vlan", 4);
    expect_good(text);
    used = 0;
    for (int i = 0; i < 1024; i++)
        used += (size_t)sprintf(text + used, "%svlan", i ? " or " : "");
    expect_good(text);
    assert_int_equal(expression->test_count, 1024);
    sprintf(text + used, " or vlan or vlan");
    snprintf(expected, sizeof(expected),
             "%zu-%zu: more than 1024 tests in one condition: put the values into a set\n",
             used + 4, used + 8);
    expect_errors(text, expected);
    memset(text, ' ', 16385);
    memcpy(text, "vlan", 4);
    text[16384] = 0;
    expect_good(text);
    text[16384] = ' ';
    text[16385] = 0;
    expect_errors(text, "0-0: a condition of more than 16384 bytes: put the values into a set\n");
    memset(text, 'a', 16384);
    text[16384] = 0;
    assert_false(read_text(text));
    memcpy(text, "modbus.", 7);
    assert_false(read_text(text));
    memcpy(text, "vlan == ", 8);
    assert_false(read_text(text));
    memcpy(text, "kind == ", 8);
    assert_false(read_text(text));
    memcpy(text, "tag.aaaa", 8);
    assert_false(read_text(text));
    memcpy(text, "vlan in $", 9);
    assert_false(read_text(text));
    memcpy(text, "any modbus.write (aaaaaaa", 25);
    assert_false(read_text(text));
    memcpy(text, "http.url contains ", 18);
    read_text(text);
    memset(text, '"', 16384);
    assert_false(read_text(text));
    memset(text, '\\', 16384);
    assert_false(read_text(text));
    memcpy(text, "http.url matches \"", 18);
    assert_false(read_text(text));
}

/* ---- what no message can be ---- */

static void test_impossible(void **state)
{
    (void)state;
    /* Fields that a message of the protocol does not have; of what carries it it has them. */
    expect_errors("protocol == modbus and dns.id == 3",
                  "23-34: \"protocol == modbus\" and \"dns.id == 3\" can never hold both: only "
                  "messages of dns, and of what it carries, have its fields\n");
    expect_errors("vlan == 1 and (modbus.unit_id == 1 and kind == request) and any dns.queries "
                  "(rrname == \"a\")",
                  "60-91: \"modbus.unit_id == 1\" and \"any dns.queries (rrname == \"a\")\" can "
                  "never hold both: modbus and dns carry not one another\n");
    expect_errors("protocol == umas and tpkt.length == 3 or vlan == 1",
                  "21-37: \"protocol == umas\" and \"tpkt.length == 3\" can never hold both: only "
                  "messages of tpkt, and of what it carries, have its fields\n");
    expect_errors("not (protocol != modbus or modbus.unit_id == 1 or not dns.id == 3)",
                  "54-65: \"not protocol != modbus\" and \"dns.id == 3\" can never hold both: only "
                  "messages of dns, and of what it carries, have its fields\n");
    expect_errors("any dns.queries (modbus.unit_id == 3)",
                  "0-37: \"any dns.queries (modbus.unit_id == 3)\" can never hold: no message has "
                  "such a protocol, command and fields\n");
    expect_errors("modbus.unit_id == dns.id",
                  "0-24: \"modbus.unit_id == dns.id\" can never hold: no message has such a "
                  "protocol, command and fields\n");
    expect_good("protocol == umas and modbus.unit_id == 3");
    expect_good("umas.function == 65 and any modbus.write (address == 1)");
    expect_good("protocol == s7comm and tpkt.length > 3 and cotp.type == 1");
    expect_good("protocol == cip and enip.command == 3");
    expect_good("protocol == modbus and not dns.id == 3");
    expect_good("protocol == modbus and not any dns.queries (rrname == \"a\")");
    expect_good("protocol in {modbus, dns} and dns.id == 3");
    expect_good("protocol != dns and modbus.unit_id == 3");

    /* Commands and classes that it does not have. */
    expect_errors("protocol == modbus and command == plc_stop",
                  "23-42: \"protocol == modbus\" and \"command == plc_stop\" can never hold both: "
                  "the protocol has no such command\n");
    expect_errors("protocol == dns and command.class == firmware",
                  "20-45: \"protocol == dns\" and \"command.class == firmware\" can never hold "
                  "both: no such message has this class\n");
    expect_errors("command == read_coils and command.class in {write, mode}",
                  "26-56: \"command == read_coils\" and \"command.class in {write, mode}\" can "
                  "never hold both: no such message has this class\n");
    expect_errors("command == read_coils and command.code == 2",
                  "26-43: \"command == read_coils\" and \"command.code == 2\" can never hold "
                  "both\n");
    expect_good("command == read_coils and command.class == read and command.code == 1");
    expect_good("command in {read_coils, write_single_coil} and command.class == write");
    expect_good("protocol == modbus and command.class == unknown");
    expect_good("protocol == modbus and command.code == 99");
    expect_good("protocol == cip and command.class == firmware"); /* it says so by the object */
    expect_good("protocol == dns and not command.class == firmware");

    /* Flows that it is not in. */
    expect_errors("transport == tcp and protocol == goose",
                  "21-38: \"transport == tcp\" and \"protocol == goose\" can never hold both: that "
                  "is never in such flows\n");
    expect_errors("umas.function == 1 and transport in {ethernet, ip}",
                  "23-50: \"umas.function == 1\" and \"transport in {ethernet, ip}\" can never "
                  "hold both: that is never in such flows\n");
    expect_errors("transport == ip and port == 502",
                  "20-31: \"transport == ip\" and \"port == 502\" can never hold both: that is "
                  "never in such flows\n");
    expect_errors("protocol == arp and ip.src == 10.0.0.1",
                  "20-38: \"protocol == arp\" and \"ip.src == 10.0.0.1\" can never hold both: "
                  "that is never in such flows\n");
    expect_errors("ethertype == 0x0806 and port == 1",
                  "24-33: \"ethertype == 0x0806\" and \"port == 1\" can never hold both: the "
                  "ethertype of IPv4 is 0x0800, of IPv6 0x86dd; nothing else has IP addresses or "
                  "ports\n");
    expect_error_at("ethertype == 0x0806 and transport == tcp", 24, "can never hold both");
    expect_error_at("ethertype in {0x0806, 0x8892} and ip.src != fe80::1", 34, "never hold both");
    expect_error_at("ethertype == 0x0800 and ip.src == fe80::1", 24, "can never hold both");
    expect_error_at("ip.dst in 10.0.0.0/8 and ethertype == 0x86dd", 25, "can never hold both");
    expect_error_at("ethertype == 0x0806 and modbus.unit_id == 1", 24, "can never hold both");
    expect_error_at("ethertype == 0x86dd and ip.id == 7", 24, "can never hold both");
    expect_error_at("ip.protocol == icmp and port == 1", 24, "can never hold both");
    expect_error_at("ip.protocol == udp and transport == tcp", 23, "can never hold both");
    expect_errors(
        "not transport in {udp, tcp} and port == 5",
        "32-41: \"not transport in {udp, tcp}\" and \"port == 5\" can never hold both: that "
        "is never in such flows\n");
    expect_good("ethertype == 0x0806 and protocol == arp");
    expect_good("ethertype == 0x0806 and not port == 1");
    expect_good("not ethertype == 0x0800 and port == 1"); /* a link that has no types */
    expect_good("ethertype != 0x0800 and port == 1");
    expect_good("ethertype == 0x86dd and port == 1 and ip.src == fe80::1");
    expect_good("ethertype in {0x0806, 0x0800} and transport == tcp");
    expect_good("ethertype == 0x0800 and transport == ethernet"); /* 802.2 service points */
    expect_good("ethertype == 0x0806 and vlan == 3 and arp.src_ip == 10.0.0.1");
    expect_good("ip.protocol != tcp and port == 1");
    expect_good("ip.protocol == sctp and transport == ip");

    /* One packet is of one version. */
    expect_errors(
        "ip.src == 10.0.0.1 and ip.dst == fe80::1",
        "23-40: \"ip.src == 10.0.0.1\" and \"ip.dst == fe80::1\" can never hold both: the "
        "addresses of a packet are both of IPv4 or both of IPv6; an IPv4 address in one of "
        "IPv6 is written ::ffff:10.0.0.1\n");
    expect_error_at("ip.addr == 10.0.0.1 and ip.addr in fe80::/10", 24, "can never hold both");
    expect_error_at("ip.dst in {fe80::1, ff02::1} and vlan == 1 and ip.src in 10.0.0.0/8", 47,
                    "can never hold both");
    expect_error_at("ip.id == 7 and ip.src == fe80::1", 15, "can never hold both");
    expect_good("ip.src == ::ffff:10.0.0.1 and ip.dst == fe80::1");
    expect_good("ip.src == 10.0.0.1 and ip.dst == ::ffff:10.0.0.2");
    expect_good("ip.src == 10.0.0.1 and ip.dst in ::/0");
    expect_good("ip.src in {10.0.0.1, fe80::2} and ip.dst == fe80::1");
    expect_good("ip.src in $plc and ip.dst == fe80::1");
    expect_good("ip.src != 10.0.0.1 and ip.dst == fe80::1");
    expect_good("not ip.src == 10.0.0.1 and ip.dst == fe80::1");
    expect_good("arp.src_ip == 10.0.0.1 or ip.src == 10.0.0.1 or ip.dst == fe80::1");
    expect_good("dns.id == 1 and ip.src == fe80::1");
    expect_good("protocol == goose and ip.src == 10.0.0.1"); /* routable GOOSE */
    expect_good("transport == udp and protocol == dns");
    expect_good("transport != tcp and port == 502");
    expect_good("transport == ethernet and not port == 502");
    expect_good("protocol == goose and transport == ethernet and eth.src == 00:0e:8c:01:02:03");

    /* Who is answered has no response time; only TCP accepts and refuses. */
    expect_errors(
        "kind == request and response_time_us > 5",
        "20-40: \"kind == request\" and \"response_time_us > 5\" can never hold both: the "
        "time is of the message that answers, not of the request\n");
    expect_error_at("protocol == modbus and command == read_coils and response_time_us and not "
                    "kind != request",
                    74, "can never hold both");
    expect_error_at("protocol == unknown and kind == request", 24, "can never hold both");
    expect_errors("connection == refused and transport == udp",
                  "26-42: \"connection == refused\" and \"transport == udp\" can never hold both: "
                  "connections are accepted and refused over TCP; over UDP they are unanswered\n");
    expect_error_at("ip.protocol == udp and connection in {accepted, refused}", 23,
                    "over UDP they are unanswered");
    expect_good("kind in {request, response} and response_time_us > 5");
    expect_good("kind != request and response_time_us > 5");
    expect_good("kind == exception and response_time_us > 5");
    expect_good("kind == request and not response_time_us > 5");
    expect_good("kind == request or response_time_us > 5");
    expect_good("protocol == unknown and kind == data");
    expect_good("protocol in {unknown, modbus} and kind == request");
    expect_good("connection == unanswered and transport == udp");
    expect_good("connection in {refused, unanswered} and transport == udp");
    expect_good("connection != refused and transport == udp");
    expect_good("not connection == refused and transport == udp");
    expect_good("connection == refused and transport == tcp");

    /* Nothing is tested on packets without payload that asks for it. */
    expect_errors("port == 5 and not payload",
                  "18-25: \"not payload\" can never hold: it is always there; packets without "
                  "payload are not asked for it\n");
    expect_error_at("not payload.length", 4, "it is always there");
    expect_good("payload == \"\""); /* of a frame with a type and nothing behind it */
    expect_good("payload.length == 0");
    expect_errors("port == 5 and payload.length < 1",
                  "14-32: \"port == 5\" and \"payload.length < 1\" can never hold both: packets "
                  "without payload are not asked for it\n");
    expect_error_at("payload == \"\" and transport == udp", 18, "packets without payload");
    expect_good("port == 5 and payload.length <= 1");
    expect_good("port == 5 and payload != \"\"");
    expect_good("transport == ethernet and payload.length == 0");
    expect_good("not payload == 00ff");

    /* What is always there in flows that have it. */
    expect_errors("not ip.src and port == 5",
                  "15-24: \"not ip.src\" and \"port == 5\" can never hold both: that is never in "
                  "such flows\n");
    expect_error_at("not port.src and transport == tcp", 17, "can never hold both");
    expect_error_at("not ip.addr and ip.src == 10.0.0.1", 16, "never hold both");
    expect_error_at("protocol == dns and not ip.dst", 24, "can never hold both");
    expect_good("not ip.src and transport == ethernet");
    expect_good("not ip.src and protocol == goose");
    expect_good("not ip.src and not port == 5");
    expect_good("not port and ip.src == 10.0.0.1");
    expect_good("not ethertype and port == 5");
    expect_good("not tcp.flags and port == 5");

    /* Numbers that nothing has. */
    expect_errors("kind == 77",
                  "0-10: kind has no such value: it can never hold; there are: data, request, "
                  "response, exception, unsolicited\n");
    expect_errors("protocol in 5000..6000",
                  "0-22: protocol has no such value: it can never hold\n");
    expect_errors("direction not in {none, to_server, to_client}",
                  "0-45: direction has no such value: it can never hold; there are: none, "
                  "to_server, to_client\n");
    expect_errors("purdue.src > 5", "0-14: levels are from 0 to 5: it can never hold\n");
    expect_errors("purdue.dst < 0", "0-14: levels are from 0 to 5: it can never hold\n");
    expect_good("purdue.src >= 5 and purdue.dst < 7");
    expect_good("kind != 77");
    expect_good("transport in 3..9");
}

static void nothing(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)ctx;
    (void)pdu;
}

/* A plugin may hand over to anything, and may be anywhere; so nothing is said of what it does. */
static void test_plugins_are_not_known(void **state)
{
    static const struct ft_field fields[] = {{.name = "stranger", .type = FT_TYPE_GROUP},
                                             {.name = "x", .title = "X", .type = FT_TYPE_UINT}};
    static const struct ft_dissector stranger = {.size = sizeof(stranger),
                                                 .abi = FT_ABI_VERSION,
                                                 .name = "stranger",
                                                 .title = "Stranger",
                                                 .fields = FT_TABLE(fields),
                                                 .dissect = nothing};
    struct ft_vocabulary known = vocabulary;
    struct ft_registry *before = registry;
    char error[256];
    (void)state;
    registry = ft_registry_new();
    for (unsigned i = 0; ft_protocols[i]; i++)
        assert_true(ft_registry_add(registry, ft_protocols[i], NULL, error, sizeof(error)));
    assert_true(ft_registry_add(registry, &stranger, "stranger.so", error, sizeof(error)));
    ft_registry_finish(registry);
    vocabulary.registry = registry;
    assert_true(ft_vocabulary_open(&vocabulary));
    expect_good("protocol == modbus and stranger.x == 3");
    expect_good("protocol == stranger and command.class == firmware");
    expect_good("protocol == goose and transport == tcp");
    expect_error_at("protocol == modbus and dns.id == 3", 23, "can never hold both");
    ft_expression_free(expression);
    expression = NULL;
    ft_vocabulary_close(&vocabulary);
    ft_registry_free(registry);
    registry = before;
    vocabulary = known;
}

/* ---- letters ---- */

static void test_lower(void **state)
{
    (void)state;
    expect_tree("lower(http.url) == \"/Index.HTML\"", "lower(http.url) == \"/index.html\"");
    expect_tree("lower ( asset.vendor ) contains SIEMENS",
                "lower(asset.vendor) contains \"siemens\"");
    expect_tree("lower(http.url) matches \"^/A[B-C]\"", "lower(http.url) matches \"^/A[B-C]\"");
    expect_tree("not lower(http.url) not in {\"A\", b}", "not lower(http.url) not in a set of 2");
    expect_tree("lower(http.url) != http.http_user_agent",
                "lower(http.url) != http.http_user_agent");
    const struct ft_test *t = test_of("lower(http.url) in {\"A\", b, $hosts, \"a\"}");
    assert_true(t->ignores_case && ft_set_size(t->set) == 3);
    assert_true(ft_set_has_folded(t->set, "A", 1) && ft_set_has_folded(t->set, "A B", 3));
    assert_false(ft_set_has_text(t->set, "A", 1) || ft_set_has_folded(t->set, "c", 1));
    t = test_of("lower(http.url) in $hosts"); /* in small letters already: not copied */
    assert_ptr_equal(t->set, sets[3].set);
    expect_good("lower(http.url) == \"A\" and http.url == \"A\"");
    expect_error_at("lower(http.url) == \"A\" and lower(http.url) == \"b\"", 27, "can never hold");
    expect_error_at("lower(vlan) == 3", 6, "lower() is for texts and bytes; this is number");
    expect_error_at("lower(http.url == \"a\"", 6, ") is missing: lower(http.url)");
    expect_error_at("lower(http.urk) == \"a\"", 6, "did you mean http.url?");
    expect_error_at("lower() == 3", 6, "expected the name of a field");
    expect_error_at("lower == 3", 0, "there is no lower");
    expect_error_at("http.url == lower(http.url)", 12, "lower() stands on the left");
}

/* ---- lists that are complete ---- */

static void test_asset_types(void **state)
{
    (void)state;
    expect_errors("asset.type.src == plcc",
                  "18-22: there is no value plcc here; did you mean plc?\n");
    expect_error_at("asset.type in {plc, \"hmmi\"}", 20, "did you mean hmi?");
    expect_good(
        "asset.type.dst in {plc, rtu, ied, io, hmi, scada, engineering, historian, gateway, "
        "router, switch, server, workstation}");
    expect_good("lower(asset.type) == PLC");
    expect_good("asset.type contains engin");
    expect_good("asset.vendor == anybody");
}

static void test_bits_by_name(void **state)
{
    (void)state;
    expect_errors("cdp.capabilities == router",
                  "20-26: router is one of several bits: write \"& router\" if it is set whatever "
                  "the others are, or \"== 0x1\" if it is the only one\n");
    expect_good("cdp.capabilities & router");
    expect_good("cdp.capabilities & 3 == router");
    expect_error_at("cdp.capabilities & rooter", 19, "did you mean router?");
    expect_error_at("cdp.capabilities in {switch}", 21, "is one of several bits");
}

static void test_subaddresses(void **state)
{
    (void)state;
    assert_true(test_of("subaddress in {3, 5..7}")->is_code);
    assert_true(test_of("subaddress in $codes")->is_code);
    assert_true(test_of("subaddress in {$codes, 1}")->is_code);
    assert_false(test_of("subaddress in $hosts")->is_code);
    assert_false(test_of("subaddress in {\"unit 3\"}")->is_code);
    expect_error_at("subaddress in {\"unit 3\", 3}", 25, "3 is a number among texts");
    expect_error_at("subaddress == \"3\"", 14, "3 is a number among texts");
    expect_error_at("subaddress in $plc", 14, "of no use for");
    expect_error_at("command == modbus.unit_id", 11, "the number of the command is command.code");
}

/* ---- all names ---- */

static bool is_word(const char *name)
{
    return name[strspn(name,
                       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:/-")] == 0;
}

/* Every field of every dissector, every name of a value, and every command can be written. */
static void test_every_name(void **state)
{
    char name[256], text[1024];
    (void)state;
    for (uint32_t i = 0; i < registry->count; i++) {
        const struct ft_protocol *p = registry->protocols[i];
        for (uint32_t f = 1; f < p->field_count; f++) {
            struct ft_operand o = {.protocol = (uint16_t)i, .field = (uint16_t)f}, found;
            ft_vocabulary_name(&vocabulary, &o, name, sizeof(name));
            assert_true(ft_vocabulary_find(&vocabulary, name, &found, text, sizeof(text)));
            assert_int_equal(found.field, f);
            assert_int_equal(found.protocol, i);
            expect_tree(name, name);
            for (const struct ft_name *n = p->fields[f].names; n && n->name; n++) {
                const char *quote = is_word(n->name) ? "" : "\"";
                snprintf(text, sizeof(text), "%s %s %s%s%s", name,
                         p->fields[f].type == FT_TYPE_FLAGS ? "&" : "==", quote, n->name, quote);
                expect_good(text);
            }
        }
        for (uint32_t c = 0; c < p->command_count; c++) {
            snprintf(text, sizeof(text), "command == %s", p->commands[c].name);
            expect_good(text);
        }
    }
    for (unsigned k = 1; k < FT_KEYWORDS; k++) {
        assert_true(strlen(ft_keyword_title((enum ft_keyword)k)) > 0);
        expect_tree(ft_keyword_name((enum ft_keyword)k), ft_keyword_name((enum ft_keyword)k));
    }
    assert_null(ft_keyword_name(FT_KEYWORDS));
}

static void test_zones(void **state)
{
    static const uint8_t control[] = {10, 1, 2, 3}, office[] = {10, 2, 2, 3},
                         none[] = {11, 0, 0, 1};
    (void)state;
    assert_ptr_equal(ft_vocabulary_zone(&vocabulary, ft_set_address_of(control, false)), &zones[0]);
    assert_ptr_equal(ft_vocabulary_zone(&vocabulary, ft_set_address_of(office, false)), &zones[1]);
    assert_null(ft_vocabulary_zone(&vocabulary, ft_set_address_of(none, false)));
}

/* ---- hostile ---- */

static void test_mutated(void **state)
{
    static const char *const seeds[] = {
        "port.src == 502 and not (ip.src in {10.0.0.0/8, $plc} or vlan & 0xf00 != 0x100)",
        "any dnp3.application.objects (group == 12 and any points (index in 1..9)) || !port",
        "http.url matches \"^/a\\\"\\d+\" && payload contains 00ff and tag.level >= -5",
        "eth.src in {00:0e:8c/24, ff:ff:ff:ff:ff:ff} and command == write_single_coil",
    };
    static const char bytes[] = "(){}$&|!=<>\"\\., 0a:/-x\xff\x80";
    (void)state;
    for (uint32_t seed = 0; seed < 20000; seed++) {
        char text[256];
        random_state = seed;
        strcpy(text, seeds[random_number(4)]);
        for (uint32_t i = 0, n = 1 + random_number(4); i < n; i++) {
            size_t length = strlen(text), at = random_number((uint32_t)length);
            size_t cut = 1 + random_number(8);
            switch (random_number(3)) {
            case 0:
                text[at] = bytes[random_number(sizeof(bytes) - 1)];
                break;
            case 1:
                cut = at + cut > length ? length - at : cut;
                memmove(text + at, text + at + cut, length - at - cut + 1);
                break;
            default:
                if (at + cut < length && length + cut < sizeof(text))
                    memmove(text + at + cut, text + at, length - at + 1);
            }
            if (!*text)
                strcpy(text, "x");
        }
        if (read_text(text))
            print_node(expression->root, tree, sizeof(tree));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_masks_that_contradict),
        cmocka_unit_test(test_something_and_not_the_same),
        cmocka_unit_test(test_sides),
        cmocka_unit_test(test_groups_and_what_is_in_them),
        cmocka_unit_test(test_beside_any),
        cmocka_unit_test(test_listed),
        cmocka_unit_test(test_refused_never_holds),
        cmocka_unit_test(test_impossible),
        cmocka_unit_test(test_plugins_are_not_known),
        cmocka_unit_test(test_lower),
        cmocka_unit_test(test_asset_types),
        cmocka_unit_test(test_bits_by_name),
        cmocka_unit_test(test_subaddresses),
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_any),
        cmocka_unit_test(test_formulas),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_signed),
        cmocka_unit_test(test_floats),
        cmocka_unit_test(test_truths),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_macs),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_subaddress),
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_fields_beside_fields),
        cmocka_unit_test(test_written),
        cmocka_unit_test(test_wrong_names),
        cmocka_unit_test(test_wrong_grammar),
        cmocka_unit_test(test_contradictions),
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_random_sides),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_every_name),
        cmocka_unit_test(test_zones),
        cmocka_unit_test(test_mutated),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
