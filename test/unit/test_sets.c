/* SPDX-License-Identifier: BSD-3-Clause */
/* Test of sets: ranges joined at their edges, look-ups against a plain list on random data, every
 * form in which people write values, and every sentence about what they write wrongly. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "rules/sets.h"

static uint64_t g_random = 88172645463325252ull;

static uint64_t random_bits(void)
{
    g_random ^= g_random << 13;
    g_random ^= g_random >> 7;
    g_random ^= g_random << 17;
    return g_random;
}

static uint64_t random_below(uint64_t n)
{
    return (random_bits() >> 20) % n;
}

/* ---- ranges ---- */

static struct ft_set_address address(const char *text)
{
    uint8_t bytes[16];
    bool is_v6 = strchr(text, ':') != NULL;
    assert_int_equal(inet_pton(is_v6 ? AF_INET6 : AF_INET, text, bytes), 1);
    return ft_set_address_of(bytes, is_v6);
}

static bool is_same(struct ft_set_address a, struct ft_set_address b)
{
    return a.high == b.high && a.low == b.low;
}

struct numbers {
    uint64_t from, to;
};

/* A set of the ranges given is that of the ranges expected, in order. */
static void assert_joined(const struct numbers *given, uint32_t given_count,
                          const struct numbers *expected, uint32_t expected_count, uint64_t size)
{
    struct ft_set *set = ft_set_new(FT_SET_NUMBERS);
    uint64_t from, to;
    for (uint32_t i = 0; i < given_count; i++)
        assert_true(ft_set_add_numbers(set, given[i].from, given[i].to));
    assert_true(ft_set_close(set));
    for (uint32_t i = 0; i < expected_count; i++) {
        assert_true(ft_set_numbers_at(set, i, &from, &to));
        assert_true(from == expected[i].from && to == expected[i].to);
        assert_true(ft_set_has_number(set, from) && ft_set_has_number(set, to));
        assert_true(from == 0 || !ft_set_has_number(set, from - 1));
        assert_true(to == UINT64_MAX || !ft_set_has_number(set, to + 1));
    }
    assert_false(ft_set_numbers_at(set, expected_count, &from, &to));
    assert_true(ft_set_size(set) == size);
    ft_set_free(set);
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ASSERT_JOINED(given, expected, size)                                                       \
    assert_joined(given, COUNT(given), expected, COUNT(expected), size)

static void test_joining(void **state)
{
    (void)state;
    const struct numbers adjacent[] = {{5, 9}, {1, 2}, {3, 4}, {11, 11}};
    const struct numbers adjacent_joined[] = {{1, 9}, {11, 11}};
    ASSERT_JOINED(adjacent, adjacent_joined, 10);

    const struct numbers overlapping[] = {{10, 20}, {12, 13}, {15, 30}, {10, 11}, {40, 50}};
    const struct numbers overlapping_joined[] = {{10, 30}, {40, 50}};
    ASSERT_JOINED(overlapping, overlapping_joined, 32);

    const struct numbers edges[] = {
        {UINT64_MAX, UINT64_MAX}, {0, 0}, {1, 1}, {UINT64_MAX - 1, UINT64_MAX - 1}, {0, 0}};
    const struct numbers edges_joined[] = {{0, 1}, {UINT64_MAX - 1, UINT64_MAX}};
    ASSERT_JOINED(edges, edges_joined, 4);

    /* One more than can be counted, and one less. */
    const struct numbers all[] = {{5, UINT64_MAX}, {0, 4}};
    const struct numbers all_joined[] = {{0, UINT64_MAX}};
    ASSERT_JOINED(all, all_joined, UINT64_MAX);
    const struct numbers most[] = {{2, UINT64_MAX}};
    ASSERT_JOINED(most, most, UINT64_MAX - 1);
}

static void test_empty_closed_and_other_kinds(void **state)
{
    (void)state;
    for (enum ft_set_kind kind = FT_SET_NUMBERS; kind <= FT_SET_TEXTS; kind++) {
        struct ft_set *set = ft_set_new(kind);
        uint64_t from, to;
        struct ft_set_address low, high, nowhere = {0, 0};
        const char *text;
        size_t length;
        for (int closed = 0; closed < 2; closed++) {
            assert_int_equal(ft_set_kind_of(set), kind);
            assert_int_equal(ft_set_size(set), 0);
            assert_false(ft_set_has_number(set, 0));
            assert_false(ft_set_has_address(set, nowhere));
            assert_false(ft_set_has_text(set, "", 0));
            assert_false(ft_set_numbers_at(set, 0, &from, &to));
            assert_false(ft_set_addresses_at(set, 0, &low, &high));
            assert_false(ft_set_address_range(set, nowhere, &low, &high));
            assert_false(ft_set_text_at(set, 0, &text, &length));
            assert_true(ft_set_close(set));
        }
        assert_false(ft_set_add_numbers(set, 1, 2));
        assert_false(ft_set_add_addresses(set, nowhere, nowhere));
        assert_false(ft_set_add_text(set, "a", 1));
        ft_set_free(set);
    }
    struct ft_set *set = ft_set_new(FT_SET_NUMBERS);
    assert_false(ft_set_add_numbers(set, 2, 1));
    ft_set_free(set);
    ft_set_free(NULL);
}

/* A few numbers, so that ranges meet, against an array of all of them. */
static void test_numbers_against_a_list(void **state)
{
    (void)state;
    enum {
        SPAN = 2000
    };
    for (int round = 0; round < 200; round++) {
        bool is_in[SPAN] = {0};
        uint64_t base = round % 3 == 0 ? 0 : round % 3 == 1 ? UINT64_MAX - SPAN + 1 : 1ull << 47;
        uint64_t size = 0, longest = 1 + random_below(60);
        struct ft_set *set = ft_set_new(FT_SET_NUMBERS);
        for (uint64_t i = random_below(100); i > 0; i--) {
            uint64_t from = random_below(SPAN), to = from + random_below(longest);
            to = to < SPAN ? to : SPAN - 1;
            assert_true(ft_set_add_numbers(set, base + from, base + to));
            memset(is_in + from, 1, to - from + 1);
        }
        assert_true(ft_set_close(set));
        for (uint64_t i = 0; i < SPAN; i++) {
            assert_int_equal(ft_set_has_number(set, base + i), is_in[i]);
            size += is_in[i];
        }
        assert_int_equal(ft_set_size(set), size);
        ft_set_free(set);
    }
}

/* Around the border of the two words of an address. */
static void test_addresses_against_a_list(void **state)
{
    (void)state;
    enum {
        SPAN = 1000
    };
    for (int round = 0; round < 100; round++) {
        bool is_in[SPAN] = {0};
        unsigned __int128 base = ((unsigned __int128)1 << 64) - SPAN / 2;
        struct ft_set *set = ft_set_new(FT_SET_ADDRESSES);
        for (uint64_t i = random_below(60); i > 0; i--) {
            uint64_t from = random_below(SPAN), to = from + random_below(30);
            to = to < SPAN ? to : SPAN - 1;
            unsigned __int128 a = base + from, b = base + to;
            assert_true(
                ft_set_add_addresses(set, (struct ft_set_address){(uint64_t)(a >> 64), (uint64_t)a},
                                     (struct ft_set_address){(uint64_t)(b >> 64), (uint64_t)b}));
            memset(is_in + from, 1, to - from + 1);
        }
        assert_true(ft_set_close(set));
        for (uint64_t i = 0; i < SPAN; i++) {
            unsigned __int128 a = base + i;
            assert_int_equal(
                ft_set_has_address(set, (struct ft_set_address){(uint64_t)(a >> 64), (uint64_t)a}),
                is_in[i]);
        }
        ft_set_free(set);
    }
}

/* Ranges around those of IPv4, across both its borders, and in it: all are found, and in order. */
static void test_borders_of_ipv4(void **state)
{
    (void)state;
    static const char *const RANGES[][2] = {
        {"::", "::5"},
        {"::fffe:ffff:fff0", "::ffff:0:7"},
        {"::ffff:0:9", "::ffff:0:9"},
        {"10.0.0.0", "10.255.255.255"},
        {"::ffff:255.255.255.250", "::ffff:255.255.255.251"},
        {"::ffff:255.255.255.255", "::1:0:0:5"},
        {"fe80::", "fe80::ffff"},
    };
    struct ft_set *set = ft_set_new(FT_SET_ADDRESSES);
    struct ft_set_address from, to, a, b, all = {0, 0};
    for (size_t i = COUNT(RANGES); i-- > 0;)
        assert_true(ft_set_add_addresses(set, address(RANGES[i][0]), address(RANGES[i][1])));
    assert_true(ft_set_close(set));
    for (uint32_t i = 0; i < COUNT(RANGES); i++) {
        a = address(RANGES[i][0]);
        b = address(RANGES[i][1]);
        assert_true(ft_set_addresses_at(set, i, &from, &to));
        assert_true(is_same(from, a) && is_same(to, b));
        assert_true(ft_set_has_address(set, a) && ft_set_has_address(set, b));
        assert_true(ft_set_address_range(set, b, &from, &to));
        assert_true(is_same(from, a) && is_same(to, b));
        assert_false(ft_set_has_address(
            set, (struct ft_set_address){b.high + (b.low == UINT64_MAX), b.low + 1}));
        assert_true(!i || !ft_set_has_address(
                              set, (struct ft_set_address){a.high - (a.low == 0), a.low - 1}));
    }
    assert_false(ft_set_addresses_at(set, COUNT(RANGES), &from, &to));
    ft_set_free(set);

    /* All of IPv4 in one range with more. */
    set = ft_set_new(FT_SET_ADDRESSES);
    assert_true(ft_set_add_addresses(set, all, address("::1:0:0:0")));
    assert_true(ft_set_close(set));
    assert_true(ft_set_has_address(set, address("10.0.0.1")));
    assert_true(ft_set_addresses_at(set, 0, &from, &to));
    assert_false(ft_set_addresses_at(set, 1, &from, &to));
    ft_set_free(set);
}

/* Ranges short and as long as many /16, against a list of all blocks of 1,024 addresses. */
static void test_many_ranges_of_ipv4(void **state)
{
    (void)state;
    enum {
        UNITS = 1 << 22,
        UNIT = 1024,
        RANGES = 60000
    };
    bool *is_in = calloc(UNITS, sizeof(*is_in));
    struct ft_set *set = ft_set_new(FT_SET_ADDRESSES);
    struct ft_set_address from, to;
    uint64_t size = 0;
    uint32_t ranges = 0;
    for (uint32_t i = 0; i < RANGES; i++) {
        uint64_t first = i ? random_below(UNITS) : UNITS - 1;
        uint64_t last = first + random_below(i % 3000 ? 3 : 2000);
        last = last < UNITS ? last : UNITS - 1;
        memset(is_in + first, 1, last - first + 1);
        assert_true(ft_set_add_addresses(
            set, (struct ft_set_address){0, 0xffffull << 32 | (first * UNIT)},
            (struct ft_set_address){0, 0xffffull << 32 | (last * UNIT + UNIT - 1)}));
    }
    assert_true(ft_set_add_addresses(set, address("fe80::"), address("fe80::")));
    assert_true(ft_set_close(set));
    for (uint64_t i = 0; i < UNITS; i++) {
        struct ft_set_address first = {0, 0xffffull << 32 | (i * UNIT)};
        struct ft_set_address last = {0, first.low + UNIT - 1};
        assert_true(ft_set_has_address(set, first) == is_in[i]);
        assert_true(ft_set_has_address(set, last) == is_in[i]);
        size += is_in[i] * (uint64_t)UNIT;
        ranges += is_in[i] && (!i || !is_in[i - 1]);
    }
    assert_true(ranges > 16384);
    assert_true(ft_set_size(set) == size + 1);
    assert_true(ft_set_addresses_at(set, ranges - 1, &from, &to));
    assert_true(is_same(to, address("255.255.255.255")));
    assert_true(ft_set_addresses_at(set, ranges, &from, &to));
    assert_true(is_same(from, address("fe80::")));
    assert_false(ft_set_addresses_at(set, ranges + 1, &from, &to));
    ft_set_free(set);
    free(is_in);
}

static void test_texts(void **state)
{
    (void)state;
    struct ft_set *set = ft_set_new(FT_SET_TEXTS);
    char text[32];
    const char *at;
    size_t length;
    bool is_seen[3000] = {0};
    assert_true(ft_set_add_text(set, "", 0));
    assert_true(ft_set_add_text(set, NULL, 0));
    assert_true(ft_set_add_text(set, "a\0b", 3));
    for (int twice = 0; twice < 2; twice++)
        for (int i = 0; i < 3000; i++)
            assert_true(
                ft_set_add_text(set, text, (size_t)snprintf(text, sizeof(text), "text %d", i)));
    assert_true(ft_set_close(set));
    assert_int_equal(ft_set_size(set), 3002);
    assert_true(ft_set_has_text(set, "", 0));
    assert_true(ft_set_has_text(set, "a\0b", 3));
    assert_false(ft_set_has_text(set, "a\0c", 3));
    assert_false(ft_set_has_text(set, "a", 1));
    assert_false(ft_set_has_text(set, "Text 1", 6));
    for (int i = 0; i < 6000; i++)
        assert_int_equal(
            ft_set_has_text(set, text, (size_t)snprintf(text, sizeof(text), "text %d", i)),
            i < 3000);
    for (uint32_t i = 0; ft_set_text_at(set, i, &at, &length); i++) {
        int number;
        snprintf(text, sizeof(text), "%.*s", (int)length, at);
        if (sscanf(text, "text %d", &number) == 1) {
            assert_false(is_seen[number]);
            is_seen[number] = true;
        }
    }
    for (int i = 0; i < 3000; i++)
        assert_true(is_seen[i]);
    ft_set_free(set);
}

/* ---- as people write them ---- */

static bool add(struct ft_set *set, enum ft_value_kind kind, const char *text, char error[256])
{
    /* A copy of just so many bytes: reading behind them is seen by the sanitizer. */
    size_t length = strlen(text);
    char *copy = malloc(length + !length);
    memcpy(copy, text, length);
    bool is_added = ft_set_add_written(set, kind, copy, length, error, 256);
    free(copy);
    return is_added;
}

static void assert_addresses(const char *written, const char *first, const char *last)
{
    char error[256] = "";
    struct ft_set_address from, to;
    struct ft_set *set = ft_set_new(FT_SET_ADDRESSES);
    bool is_added = add(set, FT_VALUE_IP, written, error);
    assert_string_equal(error, "");
    assert_true(is_added);
    assert_true(ft_set_close(set));
    assert_true(ft_set_addresses_at(set, 0, &from, &to));
    assert_true(is_same(from, address(first)));
    assert_true(is_same(to, address(last)));
    assert_false(ft_set_addresses_at(set, 1, &from, &to));
    ft_set_free(set);
}

static void test_written_addresses(void **state)
{
    (void)state;
    assert_true(is_same(address("10.1.2.3"), (struct ft_set_address){0, 0xffff0a010203}));
    assert_true(is_same(address("::ffff:10.1.2.3"), address("10.1.2.3")));
    assert_addresses("10.10.10.10", "10.10.10.10", "10.10.10.10");
    assert_addresses("168430090", "10.10.10.10", "10.10.10.10");
    assert_addresses("0", "0.0.0.0", "0.0.0.0");
    assert_addresses("4294967295", "255.255.255.255", "255.255.255.255");
    assert_addresses(" 10.0.0.1\t", "10.0.0.1", "10.0.0.1");
    assert_addresses("10.0.0.0/8", "10.0.0.0", "10.255.255.255");
    assert_addresses("10.1.2.3/8", "10.0.0.0", "10.255.255.255");
    assert_addresses("10.1.2.3/31", "10.1.2.2", "10.1.2.3");
    assert_addresses("10.1.2.3/32", "10.1.2.3", "10.1.2.3");
    assert_addresses("168430090/24", "10.10.10.0", "10.10.10.255");
    assert_addresses("0.0.0.0/0", "0.0.0.0", "255.255.255.255");
    assert_addresses("10.0.0.1..10.0.0.9", "10.0.0.1", "10.0.0.9");
    assert_addresses("10.0.0.1 .. 10.0.0.9", "10.0.0.1", "10.0.0.9");
    assert_addresses("10.0.0.1..10.0.0.1", "10.0.0.1", "10.0.0.1");
    assert_addresses("168430090..10.10.10.11", "10.10.10.10", "10.10.10.11");
    assert_addresses("fe80::1", "fe80::1", "fe80::1");
    assert_addresses("FE80::/10", "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    assert_addresses("2001:db8::1/64", "2001:db8::", "2001:db8::ffff:ffff:ffff:ffff");
    assert_addresses("2001:db8::/63", "2001:db8::", "2001:db8:0:1:ffff:ffff:ffff:ffff");
    assert_addresses("2001:db8::/65", "2001:db8::", "2001:db8::7fff:ffff:ffff:ffff");
    assert_addresses("2001:db8::1/128", "2001:db8::1", "2001:db8::1");
    assert_addresses("::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    assert_addresses("::ffff:10.0.0.0/104", "10.0.0.0", "10.255.255.255");
    assert_addresses("2001:db8::ff..2001:db8:0:1::", "2001:db8::ff", "2001:db8:0:1::");
}

static void test_addresses_joined(void **state)
{
    (void)state;
    char error[256];
    struct ft_set_address from, to;
    struct ft_set *set = ft_set_new(FT_SET_ADDRESSES);
    const char *const both[] = {"10.0.0.128/25", "fe80::/10", "10.0.0.0/25", "10.0.1.0"};
    for (size_t i = 0; i < COUNT(both); i++)
        assert_true(add(set, FT_VALUE_IP, both[i], error));
    assert_true(ft_set_close(set));
    assert_true(ft_set_addresses_at(set, 0, &from, &to));
    assert_true(is_same(from, address("10.0.0.0")) && is_same(to, address("10.0.1.0")));
    assert_true(ft_set_addresses_at(set, 1, &from, &to));
    assert_true(is_same(from, address("fe80::")));
    assert_false(ft_set_addresses_at(set, 2, &from, &to));
    assert_true(ft_set_size(set) == UINT64_MAX);
    assert_true(ft_set_has_address(set, address("10.0.0.127")));
    assert_false(ft_set_has_address(set, address("10.0.1.1")));
    assert_false(ft_set_has_address(set, address("::10.0.0.127")));
    assert_true(ft_set_address_range(set, address("10.0.0.200"), &from, &to));
    assert_true(is_same(from, address("10.0.0.0")) && is_same(to, address("10.0.1.0")));
    assert_false(ft_set_address_range(set, address("10.0.1.1"), &from, &to));
    assert_false(ft_set_address_range(set, address("9.255.255.255"), &from, &to));
    ft_set_free(set);

    /* Everything, and what is in it already. */
    set = ft_set_new(FT_SET_ADDRESSES);
    const char *const all[] = {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0", "::", "10.0.0.1"};
    for (size_t i = 0; i < COUNT(all); i++)
        assert_true(add(set, FT_VALUE_IP, all[i], error));
    assert_true(ft_set_close(set));
    assert_true(ft_set_addresses_at(set, 0, &from, &to));
    assert_true(is_same(from, address("::")));
    assert_true(to.high == UINT64_MAX && to.low == UINT64_MAX);
    assert_false(ft_set_addresses_at(set, 1, &from, &to));
    assert_true(ft_set_has_address(set, address("1.2.3.4")));
    ft_set_free(set);

    set = ft_set_new(FT_SET_ADDRESSES);
    assert_true(add(set, FT_VALUE_IP, "0.0.0.0/0", error));
    assert_true(ft_set_close(set));
    assert_true(ft_set_size(set) == 1ull << 32);
    assert_false(ft_set_has_address(set, address("::1")));
    ft_set_free(set);
}

static void assert_numbers(enum ft_value_kind kind, const char *written, uint64_t first,
                           uint64_t last)
{
    char error[256] = "";
    uint64_t from, to;
    struct ft_set *set = ft_set_new(FT_SET_NUMBERS);
    bool is_added = add(set, kind, written, error);
    assert_string_equal(error, "");
    assert_true(is_added);
    assert_true(ft_set_close(set));
    assert_true(ft_set_numbers_at(set, 0, &from, &to));
    assert_true(from == first && to == last);
    ft_set_free(set);
}

static void test_written_numbers(void **state)
{
    (void)state;
    assert_numbers(FT_VALUE_MAC, "00:0e:8c:01:02:03", 0x000e8c010203, 0x000e8c010203);
    assert_numbers(FT_VALUE_MAC, "00:0E:8C:01:02:03", 0x000e8c010203, 0x000e8c010203);
    assert_numbers(FT_VALUE_MAC, "00-0e-8c-01-02-03", 0x000e8c010203, 0x000e8c010203);
    assert_numbers(FT_VALUE_MAC, "000e.8c01.0203", 0x000e8c010203, 0x000e8c010203);
    assert_numbers(FT_VALUE_MAC, "62481563139", 62481563139, 62481563139);
    assert_numbers(FT_VALUE_MAC, "281474976710655", 0xffffffffffff, 0xffffffffffff);
    assert_numbers(FT_VALUE_MAC, "00:0e:8c", 0x000e8c000000, 0x000e8cffffff);
    assert_numbers(FT_VALUE_MAC, "00-0e-8c", 0x000e8c000000, 0x000e8cffffff);
    assert_numbers(FT_VALUE_MAC, "000e.8c01/32", 0x000e8c010000, 0x000e8c01ffff);
    assert_numbers(FT_VALUE_MAC, "00:0e:8c/24", 0x000e8c000000, 0x000e8cffffff);
    assert_numbers(FT_VALUE_MAC, "00:0e:8c:01:02:03/24", 0x000e8c000000, 0x000e8cffffff);
    assert_numbers(FT_VALUE_MAC, "70:b3:d5:9c/28", 0x70b3d5900000, 0x70b3d59fffff);
    assert_numbers(FT_VALUE_MAC, "00:0e:8c:01:02:03/48", 0x000e8c010203, 0x000e8c010203);
    assert_numbers(FT_VALUE_MAC, "00:0e/0", 0, 0xffffffffffff);
    assert_numbers(FT_VALUE_MAC, "01:80:c2:00:00:00..01:80:c2:00:00:0f", 0x0180c2000000,
                   0x0180c200000f);
    assert_numbers(FT_VALUE_MAC, "00-0e-8c-00-00-00 .. 000e.8c00.00ff", 0x000e8c000000,
                   0x000e8c0000ff);
    assert_numbers(FT_VALUE_MAC, "00:0e:8c..00:0e:8d", 0x000e8c000000, 0x000e8dffffff);
    assert_numbers(FT_VALUE_PORT, "502", 502, 502);
    assert_numbers(FT_VALUE_PORT, "0..65535", 0, 65535);
    assert_numbers(FT_VALUE_PORT, "0x1f6", 502, 502);
    assert_numbers(FT_VALUE_PORT, "100 .. 199", 100, 199);
    assert_numbers(FT_VALUE_NUMBER, "0", 0, 0);
    assert_numbers(FT_VALUE_NUMBER, "18446744073709551615", UINT64_MAX, UINT64_MAX);
    assert_numbers(FT_VALUE_NUMBER, "0..0xFFFFFFFFFFFFFFFF", 0, UINT64_MAX);
    assert_numbers(FT_VALUE_NUMBER, "0x10..0X1f", 16, 31);
    assert_numbers(FT_VALUE_NUMBER, "007", 7, 7);
}

#define WRONG_IP                                                                                   \
    " is no IP address; written as 10.0.0.1, 10.0.0.0/8, 10.0.0.1..10.0.0.9, fe80::/10 or a "      \
    "decimal number up to 4294967295"
#define WRONG_MAC                                                                                  \
    " is no MAC address; written as 00:0e:8c:01:02:03, 00-0e-8c-01-02-03, 000e.8c01.0203, a "      \
    "decimal number, or 00:0e:8c for all that begin so"
#define WRONG_PORT   " is no port; written as 502 or 100..199, up to 65535"
#define WRONG_NUMBER " is no number; written as 502, 0x1f6 or 100..199, up to 18446744073709551615"
#define WRONG_SLASH  "a range goes from one address to another; prefix lengths have no place in it"

/* What is wrong, the column of what is wrong in a line, and the sentence. */
static const struct {
    enum ft_value_kind kind;
    const char *written;
    uint32_t column;
    const char *sentence;
} WRONG[] = {
    {FT_VALUE_IP, "10.0.0", 1, "\"10.0.0\"" WRONG_IP},
    {FT_VALUE_IP, "10.0.0.256", 1, "\"10.0.0.256\"" WRONG_IP},
    {FT_VALUE_IP, "10.0.0.010", 1, "\"10.0.0.010\"" WRONG_IP},
    {FT_VALUE_IP, "4294967296", 1, "\"4294967296\"" WRONG_IP},
    {FT_VALUE_IP, "99999999999999999999999", 1, "\"99999999999999999999999\"" WRONG_IP},
    {FT_VALUE_IP, "0x0a000001", 1, "\"0x0a000001\"" WRONG_IP},
    {FT_VALUE_IP, "-1", 1, "\"-1\"" WRONG_IP},
    {FT_VALUE_IP, "fe80::1%eth0", 1, "\"fe80::1%eth0\"" WRONG_IP},
    {FT_VALUE_IP, "fe80:::1", 1, "\"fe80:::1\"" WRONG_IP},
    {FT_VALUE_IP, "[fe80::1]", 1, "\"[fe80::1]\"" WRONG_IP},
    {FT_VALUE_IP, "/8", 1, "\"\"" WRONG_IP},
    {FT_VALUE_IP, "plc-7.example", 1, "\"plc-7.example\"" WRONG_IP},
    {FT_VALUE_IP, "\x1b[2J\xc3\xa4", 1, "\"\\x1b[2J\\xc3\\xa4\"" WRONG_IP},
    {FT_VALUE_IP, "0123456789012345678901234567890123456789012345678901234567890123456789", 1,
     "\"012345678901234567890123456789012345678901234567890...\"" WRONG_IP},
    {FT_VALUE_IP, "10.0.0.0/33", 10, "\"/33\" is no prefix length; here it is /0 to /32"},
    {FT_VALUE_IP, "10.0.0.0/", 10, "\"/\" is no prefix length; here it is /0 to /32"},
    {FT_VALUE_IP, "10.0.0.0/0x8", 10, "\"/0x8\" is no prefix length; here it is /0 to /32"},
    {FT_VALUE_IP, "10.0.0.0/255.0.0.0", 10,
     "\"/255.0.0.0\" is no prefix length; here it is /0 to /32"},
    {FT_VALUE_IP, "fe80::/129", 8, "\"/129\" is no prefix length; here it is /0 to /128"},
    {FT_VALUE_IP, "10.0.0.9..10.0.0.1", 1,
     "the range ends before it begins; written as 10.0.0.1..10.0.0.9"},
    {FT_VALUE_IP, "2001:db8:0:1::..2001:db8::ffff", 1,
     "the range ends before it begins; written as 2001:db8::ffff..2001:db8:0:1::"},
    {FT_VALUE_IP, "10.0.0.1..fe80::1", 11,
     "a range is of IPv4 or of IPv6 addresses, not from one to the other"},
    {FT_VALUE_IP, "10.0.0.1..", 11, "\"\"" WRONG_IP},
    {FT_VALUE_IP, "..10.0.0.1", 1, "\"\"" WRONG_IP},
    {FT_VALUE_IP, "10.0.0.1...10.0.0.9", 11, "\".10.0.0.9\"" WRONG_IP},
    {FT_VALUE_IP, "10.0.0.1..10.0.0.300", 11, "\"10.0.0.300\"" WRONG_IP},
    {FT_VALUE_IP, "10.0.0.0/24..10.0.3.0/24", 1, WRONG_SLASH},
    {FT_VALUE_IP, "10.0.0.1-10.0.0.9", 1, "a range is written as 10.0.0.1..10.0.0.9"},
    {FT_VALUE_IP, "10.0.0.1 - 10.0.0.9", 1, "a range is written as 10.0.0.1..10.0.0.9"},
    {FT_VALUE_IP, "10.0.0.9-10.0.0.1", 1, "\"10.0.0.9-10.0.0.1\"" WRONG_IP},
    {FT_VALUE_MAC, "00:0e:8c:01:02:03:04", 1, "\"00:0e:8c:01:02:03:04\"" WRONG_MAC},
    {FT_VALUE_MAC, "00:0e:8c:01:02:0g", 1, "\"00:0e:8c:01:02:0g\"" WRONG_MAC},
    {FT_VALUE_MAC, "00:0e-8c:01:02:03", 1, "\"00:0e-8c:01:02:03\"" WRONG_MAC},
    {FT_VALUE_MAC, "0:e:8c:1:2:3", 1, "\"0:e:8c:1:2:3\"" WRONG_MAC},
    {FT_VALUE_MAC, "00:0e8c", 1, "\"00:0e8c\"" WRONG_MAC},
    {FT_VALUE_MAC, "00:0e:", 1, "\"00:0e:\"" WRONG_MAC},
    {FT_VALUE_MAC, ":00:0e", 1, "\":00:0e\"" WRONG_MAC},
    {FT_VALUE_MAC, "000e8c01020a", 1, "\"000e8c01020a\"" WRONG_MAC},
    {FT_VALUE_MAC, "281474976710656", 1, "\"281474976710656\"" WRONG_MAC},
    {FT_VALUE_MAC, "12/8", 1, "\"12\"" WRONG_MAC},
    {FT_VALUE_MAC, "00:0e:8c:01:02", 1,
     "\"00:0e:8c:01:02\" is a MAC address of 5 octets; for all that begin so write "
     "00:0e:8c:01:02/40"},
    {FT_VALUE_MAC, "00:0e:8c/25", 10, "/25 is more than the 24 bits of \"00:0e:8c\""},
    {FT_VALUE_MAC, "00:0e:8c/49", 10, "\"/49\" is no prefix length; here it is /0 to /48"},
    {FT_VALUE_MAC, "00:0e:8d..00:0e:8c", 1,
     "the range ends before it begins; written as 00:0e:8c..00:0e:8d"},
    {FT_VALUE_MAC, "00:0e:8c..00:0e:xx", 11, "\"00:0e:xx\"" WRONG_MAC},
    {FT_VALUE_MAC, "00:0e:8c/24..00:0e:8d", 1, WRONG_SLASH},
    {FT_VALUE_PORT, "65536", 1, "\"65536\"" WRONG_PORT},
    {FT_VALUE_PORT, "http", 1, "\"http\"" WRONG_PORT},
    {FT_VALUE_PORT, "502,503", 1, "\"502,503\"" WRONG_PORT},
    {FT_VALUE_PORT, "199..100", 1, "the range ends before it begins; written as 100..199"},
    {FT_VALUE_PORT, "100..", 6, "\"\"" WRONG_PORT},
    {FT_VALUE_PORT, "100..x", 6, "\"x\"" WRONG_PORT},
    {FT_VALUE_PORT, "100-199", 1, "a range is written as 100..199"},
    {FT_VALUE_PORT, "102/24", 1, "\"102/24\"" WRONG_PORT},
    {FT_VALUE_NUMBER, "-1", 1, "\"-1\"" WRONG_NUMBER},
    {FT_VALUE_NUMBER, "1.5", 1, "\"1.5\"" WRONG_NUMBER},
    {FT_VALUE_NUMBER, "0x", 1, "\"0x\"" WRONG_NUMBER},
    {FT_VALUE_NUMBER, "1a", 1, "\"1a\"" WRONG_NUMBER},
    {FT_VALUE_NUMBER, "18446744073709551616", 1, "\"18446744073709551616\"" WRONG_NUMBER},
    {FT_VALUE_NUMBER, "0x10000000000000000", 1, "\"0x10000000000000000\"" WRONG_NUMBER},
};

static void test_wrong_values(void **state)
{
    (void)state;
    char error[256];
    for (size_t i = 0; i < COUNT(WRONG); i++) {
        struct ft_set *set = ft_set_new(ft_value_set_kind(WRONG[i].kind));
        assert_false(add(set, WRONG[i].kind, WRONG[i].written, error));
        assert_string_equal(error, WRONG[i].sentence);
        assert_true(ft_set_close(set));
        assert_int_equal(ft_set_size(set), 0);
        ft_set_free(set);
    }
    struct ft_set *set = ft_set_new(FT_SET_NUMBERS);
    assert_false(ft_set_add_written(set, FT_VALUE_NUMBER, "5\0", 2, error, sizeof(error)));
    assert_string_equal(error, "\"5\\x00\"" WRONG_NUMBER);
    assert_false(ft_set_add_written(set, FT_VALUE_IP, "10.0.0.1", 8, error, sizeof(error)));
    assert_string_equal(error, "the set does not hold entries of the kind \"ip\"");
    assert_false(ft_set_add_written(set, FT_VALUE_MAC, "00:0e\0", 6, error, sizeof(error)));
    assert_false(ft_set_add_written(set, FT_VALUE_MAC,
                                    "00\0"
                                    "0e",
                                    5, error, sizeof(error)));
    ft_set_free(set);
    set = ft_set_new(FT_SET_ADDRESSES);
    assert_false(ft_set_add_written(set, FT_VALUE_IP, "10.0.0.1\0", 9, error, sizeof(error)));
    ft_set_free(set);
}

static void test_kinds(void **state)
{
    (void)state;
    const char *const names[] = {"ip", "mac", "port", "number", "text"};
    for (enum ft_value_kind kind = FT_VALUE_IP; kind <= FT_VALUE_TEXT; kind++) {
        assert_string_equal(ft_value_kind_name(kind), names[kind]);
    }
}

/* ---- files ---- */

/* What was told, one line each: line:column: sentence. */
struct told {
    char text[16384];
    size_t length;
    uint32_t count;
};

static void tell(void *user, uint32_t line, uint32_t column, const char *text)
{
    struct told *t = user;
    t->count++;
    t->length += (size_t)snprintf(t->text + t->length, sizeof(t->text) - t->length, "%u:%u: %s\n",
                                  line, column, text);
    assert_true(t->length < sizeof(t->text));
}

static const char *file_of(const void *bytes, size_t length)
{
    static char path[] = "/tmp/fieldtap-test-sets-XXXXXX";
    strcpy(path + sizeof(path) - 7, "XXXXXX");
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, bytes, length), length);
    close(file);
    return path;
}

static struct ft_set *read_text(enum ft_value_kind kind, const char *text, struct told *told)
{
    const char *path = file_of(text, strlen(text));
    struct ft_set *set = ft_set_new(ft_value_set_kind(kind));
    *told = (struct told){.count = 0};
    bool is_right = ft_set_read(set, kind, path, tell, told);
    assert_int_equal(is_right, told->count == 0);
    assert_true(ft_set_close(set));
    unlink(path);
    return set;
}

static void test_file_of_addresses(void **state)
{
    (void)state;
    struct told told;
    struct ft_set *set = read_text(FT_VALUE_IP,
                                   "\xef\xbb\xbf# the first line, behind a byte order mark\r\n"
                                   "10.0.0.1\r\n"
                                   "\r\n"
                                   "   \t \n"
                                   "  10.0.1.0/24   # a cell\n"
                                   "\t# more\n"
                                   "168430090\t#decimal\n"
                                   "fe80::1 .. fe80::9",
                                   &told);
    assert_string_equal(told.text, "");
    assert_int_equal(ft_set_size(set), 1 + 256 + 1 + 9);
    assert_true(ft_set_has_address(set, address("10.0.1.77")));
    assert_true(ft_set_has_address(set, address("10.10.10.10")));
    assert_true(ft_set_has_address(set, address("fe80::9")));
    ft_set_free(set);
}

static void test_file_of_texts(void **state)
{
    (void)state;
    struct told told;
    struct ft_set *set = read_text(FT_VALUE_TEXT,
                                   "one\ntwo words\n  three  # not this\nC#sharp\n#\n"
                                   "four\r\r\none\n\xc3\xa4#x",
                                   &told);
    assert_int_equal(told.count, 0);
    assert_int_equal(ft_set_size(set), 6);
    assert_true(ft_set_has_text(set, "one", 3));
    assert_true(ft_set_has_text(set, "two words", 9));
    assert_true(ft_set_has_text(set, "three", 5));
    assert_true(ft_set_has_text(set, "C#sharp", 7));
    assert_true(ft_set_has_text(set, "four\r", 5));
    assert_true(ft_set_has_text(set, "\xc3\xa4#x", 4));
    ft_set_free(set);
    set = read_text(FT_VALUE_TEXT, "", &told);
    assert_int_equal(told.count, 0);
    assert_int_equal(ft_set_size(set), 0);
    ft_set_free(set);
}

static void test_file_tells_all(void **state)
{
    (void)state;
    struct told told;
    struct ft_set *set = read_text(FT_VALUE_PORT,
                                   "502\n  x\n\n102 # right\n100 .. 99999 # wrong\n"
                                   "\xc3\xa4  5\n9..8",
                                   &told);
    assert_string_equal(told.text, "2:3: \"x\"" WRONG_PORT "\n"
                                   "5:8: \"99999\"" WRONG_PORT "\n"
                                   "6:1: \"\\xc3\\xa4  5\"" WRONG_PORT "\n"
                                   "7:1: the range ends before it begins; written as 8..9\n");
    assert_int_equal(ft_set_size(set), 2); /* what was right is in */
    ft_set_free(set);
}

/* Every wrong value once more, by its place in a line. */
static void test_columns(void **state)
{
    (void)state;
    char line[128], expected[512];
    struct told told;
    for (size_t i = 0; i < COUNT(WRONG); i++) {
        snprintf(line, sizeof(line), "# first\n  %s", WRONG[i].written);
        snprintf(expected, sizeof(expected), "2:%u: %s\n", WRONG[i].column + 2, WRONG[i].sentence);
        ft_set_free(read_text(WRONG[i].kind, line, &told));
        assert_string_equal(told.text, expected);
    }
}

static void assert_file_wrong(const char *path, const char *expected)
{
    struct told told = {.count = 0};
    struct ft_set *set = ft_set_new(FT_SET_TEXTS);
    assert_false(ft_set_read(set, FT_VALUE_TEXT, path, tell, &told));
    assert_string_equal(told.text, expected);
    ft_set_free(set);
}

static void test_wrong_files(void **state)
{
    (void)state;
    assert_file_wrong("/nonexistent/file", "0:0: cannot be read: No such file or directory\n");
    assert_file_wrong("/tmp", "0:0: is no file of entries, one a line\n");
    assert_file_wrong("/dev/zero", "0:0: is no file of entries, one a line\n");
    const char *path = file_of("\xff\xfe"
                               "1\0",
                               4);
    assert_file_wrong(path, "0:0: the file is UTF-16; what is read is UTF-8\n");
    assert_int_equal(truncate(path, (256 << 20) + 1), 0);
    assert_file_wrong(path, "0:0: is greater than 256 MiB\n");
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_file_wrong(path, "0:0: is no file of entries, one a line\n");
    unlink(path);
}

/* ---- a million ---- */

enum {
    MILLION = 1000000
};

static int compare_numbers(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Write a million addresses, half of them as numbers, and read them. */
static void test_a_million_addresses(void **state)
{
    (void)state;
    uint64_t *addresses = malloc(MILLION * sizeof(*addresses));
    char *text = malloc(MILLION * 18u), *end = text;
    struct told told = {.count = 0};
    for (uint32_t i = 0; i < MILLION; i++) {
        /* Few enough that some are alike, and some adjacent. */
        uint32_t a = (uint32_t)(0x0a000000 + random_below(8u << 20));
        addresses[i] = a;
        end += i & 1 ? sprintf(end, "%u\n", a)
                     : sprintf(end, "%u.%u.%u.%u\n", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
    }
    const char *path = file_of(text, (size_t)(end - text));
    struct ft_set *set = ft_set_new(FT_SET_ADDRESSES);
    assert_true(ft_set_read(set, FT_VALUE_IP, path, tell, &told));
    assert_true(ft_set_close(set));
    unlink(path);

    qsort(addresses, MILLION, sizeof(*addresses), compare_numbers);
    uint64_t different = 1, ranges = 1;
    struct ft_set_address from, to;
    for (uint32_t i = 1; i < MILLION; i++) {
        different += addresses[i] != addresses[i - 1];
        ranges += addresses[i] > addresses[i - 1] + 1;
    }
    assert_int_equal(ft_set_size(set), different);
    assert_true(ft_set_addresses_at(set, (uint32_t)ranges - 1, &from, &to));
    assert_false(ft_set_addresses_at(set, (uint32_t)ranges, &from, &to));
    for (uint32_t i = 0; i < MILLION; i++) {
        uint64_t a = 0x0a000000 + random_below(8u << 20);
        bool is_in = bsearch(&a, addresses, MILLION, sizeof(a), compare_numbers) != NULL;
        struct ft_set_address asked = {0, 0xffffull << 32 | a};
        assert_true(ft_set_has_address(set, asked) == is_in);
    }
    ft_set_free(set);

    /* One more is too many, also of what is in the set already. */
    end += sprintf(end, "# and\n 10.0.0.1\nwrong\n");
    path = file_of(text, (size_t)(end - text));
    set = ft_set_new(FT_SET_ADDRESSES);
    assert_false(ft_set_read(set, FT_VALUE_IP, path, tell, &told));
    assert_string_equal(told.text,
                        "1000002:2: more than 1000000 entries; a file holds at most so many\n");
    unlink(path);
    ft_set_free(set);
    free(text);
    free(addresses);
}

static void test_a_million_texts(void **state)
{
    (void)state;
    char *text = malloc(MILLION * 24u), *end = text, asked[32];
    struct told told = {.count = 0};
    for (uint32_t i = 0; i < MILLION; i++)
        end += sprintf(end, "host-%u.example\n", i * 3);
    const char *path = file_of(text, (size_t)(end - text));
    struct ft_set *set = ft_set_new(FT_SET_TEXTS);
    assert_true(ft_set_read(set, FT_VALUE_TEXT, path, tell, &told));
    assert_true(ft_set_close(set));
    unlink(path);
    assert_int_equal(ft_set_size(set), MILLION);
    for (uint32_t i = 0; i < MILLION; i++) {
        int length = sprintf(asked, "host-%u.example", i * 2);
        assert_true(ft_set_has_text(set, asked, (size_t)length) == (i * 2 % 3 == 0));
    }
    ft_set_free(set);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_joining),
        cmocka_unit_test(test_empty_closed_and_other_kinds),
        cmocka_unit_test(test_numbers_against_a_list),
        cmocka_unit_test(test_addresses_against_a_list),
        cmocka_unit_test(test_borders_of_ipv4),
        cmocka_unit_test(test_many_ranges_of_ipv4),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_written_addresses),
        cmocka_unit_test(test_addresses_joined),
        cmocka_unit_test(test_written_numbers),
        cmocka_unit_test(test_wrong_values),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_file_of_addresses),
        cmocka_unit_test(test_file_of_texts),
        cmocka_unit_test(test_file_tells_all),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_wrong_files),
        cmocka_unit_test(test_a_million_addresses),
        cmocka_unit_test(test_a_million_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
