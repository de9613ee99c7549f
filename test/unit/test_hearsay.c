/* SPDX-License-Identifier: BSD-3-Clause */
/* hearsay.c: what hosts say of addresses that nobody was heard from yet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "inventory/hearsay.h"

#define FACTS 32u /* of one address */

static struct ft_hearsay *h;
static char told[8192];

static int setup(void **state)
{
    const uint64_t key[2] = {7, 8};
    (void)state;
    h = ft_hearsay_new(key);
    return h ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    ft_hearsay_free(h);
    return 0;
}

static struct ft_hearsay_fact fact_of(uint32_t address, const char *text)
{
    struct ft_hearsay_fact f = {.address = {.family = 4},
                                .fact = FT_FACT_NAME,
                                .protocol = 1,
                                .text = (char *)(uintptr_t)text,
                                .length = (uint16_t)strlen(text)};
    f.address.ip.v4 = address;
    return f;
}

static void say(uint32_t address, const char *text)
{
    struct ft_hearsay_fact f = fact_of(address, text);
    ft_hearsay_add(h, &f);
}

static void tell(void *user, const struct ft_hearsay_fact *fact)
{
    (void)user;
    size_t used = strlen(told);
    assert_int_equal(strlen(fact->text), fact->length);
    snprintf(told + used, sizeof(told) - used, "%s ", fact->text);
}

static const char *told_of(uint32_t address)
{
    struct ft_hearsay_fact f = fact_of(address, "");
    *told = 0;
    ft_hearsay_of(h, &f.address, tell, NULL);
    return told;
}

static void test_by_address(void **state)
{
    (void)state;
    assert_string_equal(told_of(1), "");
    say(1, "one");
    say(2, "two");
    assert_string_equal(told_of(1), "one ");
    assert_string_equal(told_of(2), "two ");
    assert_string_equal(told_of(3), "");
    /* the same bytes of another family are another address */
    struct ft_hearsay_fact six = fact_of(1, "six");
    six.address.family = 6;
    ft_hearsay_add(h, &six);
    assert_string_equal(told_of(1), "one ");
}

/* The same fact of the same protocol is replaced, another stands beside it. */
static void test_updates(void **state)
{
    (void)state;
    struct ft_hearsay_fact f = fact_of(1, "first");
    ft_hearsay_add(h, &f);
    say(1, "second");
    assert_string_equal(told_of(1), "second ");
    f.text = (char *)(uintptr_t) "third";
    f.protocol = 2;
    ft_hearsay_add(h, &f);
    assert_string_equal(told_of(1), "second third ");
    f.fact = FT_FACT_OS;
    ft_hearsay_add(h, &f);
    f.sub_kind = FT_SUB_UNIT;
    ft_hearsay_add(h, &f);
    f.sub_value = 4;
    ft_hearsay_add(h, &f);
    assert_string_equal(told_of(1), "second third third third third ");
    say(1, "new");
    assert_string_equal(told_of(1), "new third third third third ");
}

/* The text is copied, up to its length. */
static void test_copies(void **state)
{
    (void)state;
    char text[] = "plc-1 and more";
    struct ft_hearsay_fact f = fact_of(1, text);
    f.length = 5;
    ft_hearsay_add(h, &f);
    memset(text, 'x', sizeof(text) - 1);
    assert_string_equal(told_of(1), "plc-1 ");
}

/* In the order in which they came, whatever the order of the index; a place that is taken over
 * stays where it was. */
static void check_order(void)
{
    char expected[256] = "";
    for (uint32_t i = 0; i < 20; i++) {
        char text[8];
        snprintf(text, sizeof(text), "n%u", i);
        struct ft_hearsay_fact f = fact_of(1, text);
        f.protocol = (uint16_t)(i + 1);
        ft_hearsay_add(h, &f);
        say(100 + i, "between");
        size_t used = strlen(expected);
        snprintf(expected + used, sizeof(expected) - used, "%s ", text);
    }
    assert_string_equal(told_of(1), expected);
}

static void test_order(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 100; i++) {
        const uint64_t key[2] = {i, i * 7919};
        ft_hearsay_free(h);
        h = ft_hearsay_new(key);
        check_order();
    }
}

/* Who says ever more of one address takes the places of what was said of it, and of nothing else.
 */
static void test_one_address(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 4 * FACTS; i++) {
        char text[8];
        snprintf(text, sizeof(text), "n%u", i);
        struct ft_hearsay_fact f = fact_of(1, text);
        f.sub_kind = FT_SUB_UNIT;
        f.sub_value = i;
        ft_hearsay_add(h, &f);
        unsigned n = 0;
        told_of(1);
        for (const char *c = told; *c; c++)
            n += *c == ' ';
        assert_int_equal(n, i < FACTS ? i + 1 : FACTS);
        assert_non_null(strstr(told, text)); /* the latest is there */
    }
    assert_non_null(strstr(told, "n0 "));
}

/* The oldest go first. */
static void test_ring(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < FT_HEARSAY_MAX; i++)
        say(i + 1, "old");
    assert_string_equal(told_of(1), "old ");
    say(FT_HEARSAY_MAX + 1, "new");
    assert_string_equal(told_of(1), "");
    for (uint32_t i = 2; i <= FT_HEARSAY_MAX; i++)
        assert_string_equal(told_of(i), "old ");
    assert_string_equal(told_of(FT_HEARSAY_MAX + 1), "new ");
    say(5, "again"); /* in its own place: nobody goes for it */
    assert_string_equal(told_of(2), "old ");
    say(FT_HEARSAY_MAX + 2, "new");
    assert_string_equal(told_of(2), "");
    assert_string_equal(told_of(5), "again ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_by_address), TEST(test_updates),     TEST(test_copies),
        TEST(test_order),      TEST(test_one_address), TEST(test_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
