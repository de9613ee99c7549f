/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of signatures of first bytes: what is one, and the same hits as PCRE2 has. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "match/places.h"

static void take(void *user, uint32_t id)
{
    assert_true(id < FT_PLACES_MAX_SIGNATURES);
    *(uint64_t *)user |= 1ull << id;
}

static uint64_t look(const struct ft_places *p, const void *bytes, uint32_t length)
{
    uint64_t hits = 0;
    uint8_t *exact = malloc(length ? length : 1);
    memcpy(exact, bytes, length);
    ft_places_look(p, exact, length, take, &hits);
    free(exact);
    return hits;
}

static const char *const signatures[] = {
    "^",
    "^\\z",
    "^a",
    "^ab\\z",
    "^a.c",
    "^[a-c][^b]b",
    "^a{3}",
    "^[\\x61-\\x62\\x0A]{2}[^\\n]\\z",
    "^\\.\\*\\r\\n",
    "^[\\.\\-a]{1}b",
    "^.{63}a",
    "^..[\\x00-\\x61].\\z",
    "^b c/d",
    "^[b-]a",
};

/* Bytes that the signatures are made of, and one more. */
static uint32_t fill(uint8_t *to, uint64_t *seed)
{
    static const char bytes[] = "aaabbbc.*\r\n-c ";
    *seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
    uint32_t length = (*seed >> 33) % 16 ? (uint32_t)(*seed >> 40) % 8 : 60 + (*seed >> 40) % 8;
    for (uint32_t i = 0; i < length; i++) {
        *seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
        to[i] = (uint8_t)bytes[(*seed >> 33) % sizeof(bytes)];
    }
    return length;
}

static void test_as_pcre2(void **state)
{
    (void)state;
    enum {
        COUNT = sizeof(signatures) / sizeof(signatures[0])
    };
    struct ft_places *p = ft_places_new();
    pcre2_code *codes[COUNT];
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);
    uint64_t seed = 1, seen = 0;
    for (uint32_t i = 0; i < COUNT; i++) {
        int wrong;
        PCRE2_SIZE at;
        assert_true(ft_places_add(p, signatures[i], i));
        codes[i] = pcre2_compile((PCRE2_SPTR)signatures[i], PCRE2_ZERO_TERMINATED, PCRE2_DOTALL,
                                 &wrong, &at, NULL);
        assert_non_null(codes[i]);
    }
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t bytes[FT_PLACES_MAX + 8];
        uint32_t length = fill(bytes, &seed);
        uint64_t expected = 0;
        for (uint32_t i = 0; i < COUNT; i++)
            expected |= (uint64_t)(pcre2_match(codes[i], bytes, length, 0, 0, match, NULL) >= 0)
                        << i;
        assert_true(look(p, bytes, length) == expected);
        seen |= expected;
    }
    assert_true(look(p, ".*\r\n", 4) >> 8 & 1);
    assert_int_equal(seen | 1 << 8 | 1 << 12, (1 << COUNT) - 1); /* each was hit */
    for (uint32_t i = 0; i < COUNT; i++)
        pcre2_code_free(codes[i]);
    pcre2_match_data_free(match);
    ft_places_free(p);
}

static void test_what_is_none(void **state)
{
    (void)state;
    static const char *const others[] = {
        "",         "abc",    "^a|b",     "^(a)",   "^a*",
        "^a?",      "^a+",    "^a{2,3}",  "^a{,3}", "^a{0}",
        "^a{2}{2}", "^a{2}?", "^a{65}",   "^a{",    "^a$",
        "^a^",      "^\\d",   "^\\x1",    "^\\xg0", "^\\",
        "^[a",      "^[]a]",  "^[^]a]",   "^[-a]",  "^[\\d]",
        "^[a-",     "^[a-\\", "^[",       "^[b-a]", "^[[:a:]]",
        "^[a-[b]",  "^a\\zb", "^a\\z\\z", "^a\\Z",  "^.{33}.{32}",
        "^\\101",   "^\\Qa",  "^{2}",     "^]",     "^a{9999999999999999}",
        "^(?i)a",   "^[\\b]", "^[\\x4]",  "^[^",
    };
    struct ft_places *p = ft_places_new();
    for (uint32_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (ft_places_add(p, others[i], 0))
            fail_msg("taken: %s", others[i]);
    assert_int_equal(look(p, "aaaa", 4), 0);
    ft_places_free(p);
}

static void test_full(void **state)
{
    (void)state;
    struct ft_places *p = ft_places_new();
    for (uint32_t i = 0; i < FT_PLACES_MAX_SIGNATURES; i++)
        assert_true(ft_places_add(p, i % 2 ? "^ab" : "^b.{63}", i));
    assert_false(ft_places_add(p, "^ab", 0));
    assert_true(look(p, "ab", 2) == 0xaaaaaaaaaaaaaaaaull);
    uint8_t bytes[FT_PLACES_MAX + 1] = "b";
    assert_true(look(p, bytes, FT_PLACES_MAX - 1) == 0);
    assert_true(look(p, bytes, FT_PLACES_MAX) == 0x5555555555555555ull);
    assert_true(look(p, bytes, FT_PLACES_MAX + 1) == 0x5555555555555555ull);
    ft_places_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_pcre2),
        cmocka_unit_test(test_what_is_none),
        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
