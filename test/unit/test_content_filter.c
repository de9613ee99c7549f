/* SPDX-License-Identifier: BSD-3-Clause */
/* lib/rules/content_filter.c: what it keeps back holds nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/content_filter.h"

static struct ft_pattern literal(const char *text)
{
    return (struct ft_pattern){.bytes = text, .length = (uint32_t)strlen(text)};
}

static struct ft_pattern expression(const char *text)
{
    return (struct ft_pattern){.bytes = text, .length = (uint32_t)strlen(text), .is_regex = true};
}

static bool passes(const struct ft_pattern *patterns, uint32_t count, const char *text)
{
    struct ft_content_filter *f = ft_content_filter_new(patterns, count);
    assert_non_null(f);
    bool yes = ft_content_filter_passes(f, (const uint8_t *)text, (uint32_t)strlen(text));
    ft_content_filter_free(f);
    return yes;
}

/* ---- what an expression must have ---- */

static void test_required(void **state)
{
    static const struct {
        const char *expression, *run;
    } cases[] = {
        {"abcdef", "abcdef"},
        {"abc[0-9]{2,6}defgh", "defgh"},
        {"abcd?efg", "abc"},
        {"abc*defg", "defg"},
        {"abc+defg", "defg"},
        {"abcx{3}de", "abc"},
        {"abcx{0,3}?de", "abc"},
        {"^GET .*HTTP/1\\.1\\r\\n$", "HTTP/1.1\r\n"},
        {"\\x41\\x42\\x43(?:one|two)+z", "ABC"},
        {"ab(cd(ef)[)]gh\\))ijk", "ijk"},
        {"ab[]c]defg", "defg"},
        {"ab[^]c]defg", "defg"},
        {"a\\d\\wbcd\\Befg", "bcd"},
        {"(?s)abcdef", "abcdef"},
        {"(?m)(?s)abc", "abc"},
        {"abc\\.def\\/g", "abc.def/g"},
        /* not understood, or nothing is certain */
        {"abc|def", ""},
        {"(abc|def)", ""},
        {"(?:abc)?", ""},
        {"a{b|c}d", ""},
        {"abc(?=d)ef", ""},
        {"abc(?i)def", ""},
        {"(?x)a b c", ""},
        {"abc\\Qd|e\\Efgh", ""},
        {"(abc)\\1def", ""},
        {"abc[[:alpha:]]def", ""},
        {"abc\\x{41}def", ""},
        {"abc(?#|)def", ""},
        {"abc(*ACCEPT)def", ""},
        {"abc(", ""},
        {"abc[", ""},
        {"abc\\", ""},
        {"abc(\\", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ft_pattern p = expression(cases[i].expression);
        uint8_t run[64];
        bool folds;
        uint32_t n = ft_content_filter_required(&p, run, sizeof(run), &folds);
        if (n != strlen(cases[i].run) || memcmp(run, cases[i].run, n) != 0)
            fail_msg("%s: \"%.*s\"", cases[i].expression, (int)n, (const char *)run);
        assert_false(folds);
    }
}

static void test_required_in_either_case(void **state)
{
    struct ft_pattern p = expression("(?is)AbCd"), q = expression("abcd");
    uint8_t run[64];
    bool folds;
    (void)state;
    assert_int_equal(ft_content_filter_required(&p, run, sizeof(run), &folds), 4);
    assert_true(folds);
    q.ignores_case = true;
    assert_int_equal(ft_content_filter_required(&q, run, 2, &folds), 2); /* as there is room */
    assert_true(folds);
    assert_true(passes(&p, 1, "xxaBcDxx"));
    assert_true(passes(&q, 1, "ABCD"));
    assert_false(passes(&q, 1, "ABxCD"));
}

/* ---- texts ---- */

static void test_keeps_back(void **state)
{
    struct ft_pattern all[] = {literal("needle"), literal("plc"), literal("\x01\x02"),
                               expression("stop[0-9]+cpu")};
    (void)state;
    assert_true(passes(all, 4, "haystack with a needle"));
    assert_true(passes(all, 4, "plc"));
    assert_true(passes(all, 4, "\x01\x02"));
    assert_true(passes(all, 4, "a stop4cpu"));
    assert_false(passes(all, 4, "haystack with nothing"));
    assert_false(passes(all, 4, "\x02\x01"));
    assert_false(passes(all, 4, "n"));
    assert_false(passes(all, 4, ""));
}

static void test_long_texts_pass(void **state)
{
    struct ft_pattern p = literal("needle");
    char text[FT_CONTENT_FILTER_TEXT + 2];
    (void)state;
    memset(text, 'x', sizeof(text));
    text[FT_CONTENT_FILTER_TEXT] = 0;
    assert_false(passes(&p, 1, text));
    text[FT_CONTENT_FILTER_TEXT] = 'x';
    text[FT_CONTENT_FILTER_TEXT + 1] = 0;
    assert_true(passes(&p, 1, text));
}

static void test_there_may_be_none(void **state)
{
    struct ft_pattern one = literal("a"), many = expression("[a-z]+");
    static struct ft_pattern crowd[600];
    (void)state;
    for (size_t i = 0; i < 600; i++)
        crowd[i] = literal("needle");
    assert_null(ft_content_filter_new(&one, 1));
    assert_null(ft_content_filter_new(&many, 1));
    assert_null(ft_content_filter_new(crowd, 600));
    ft_content_filter_free(NULL);
}

/* ---- against looking ---- */

static uint32_t below(uint64_t *random, uint32_t n)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return (uint32_t)(*random >> 20) % n;
}

static bool is_in(const struct ft_pattern *p, const uint8_t *text, uint32_t length)
{
    for (uint32_t i = 0; i + p->length <= length; i++) {
        uint32_t k = 0;
        for (; k < p->length; k++) {
            uint8_t a = text[i + k], b = (uint8_t)p->bytes[k];
            bool is_letter = (b | 0x20) >= 'a' && (b | 0x20) <= 'z';
            if (a != b && !(p->ignores_case && is_letter && (a ^ b) == 0x20))
                break;
        }
        if (k == p->length)
            return true;
    }
    return false;
}

enum {
    MOST = 40,
    LONGEST = 12
};

static uint32_t make(struct ft_pattern *patterns, char bytes[MOST][LONGEST], uint64_t *random,
                     uint32_t letters)
{
    uint32_t count = 1 + below(random, MOST);
    for (uint32_t i = 0; i < count; i++) {
        patterns[i] = (struct ft_pattern){.bytes = bytes[i],
                                          .length = 2 + below(random, LONGEST - 2),
                                          .ignores_case = below(random, 2)};
        for (uint32_t k = 0; k < LONGEST; k++)
            bytes[i][k] = (char)('Z' - 1 + below(random, letters));
    }
    return count;
}

/* Never no where there is one; and no often enough to be worth it. */
static void test_random(void **state)
{
    uint64_t random = 0x1234567887654321ull;
    uint32_t kept = 0, empty = 0;
    (void)state;
    for (unsigned round = 0; round < 3000; round++) {
        struct ft_pattern patterns[MOST];
        char bytes[MOST][LONGEST];
        uint32_t letters = 3 + below(&random, 40);
        uint32_t count = make(patterns, bytes, &random, letters);
        struct ft_content_filter *f = ft_content_filter_new(patterns, count);
        assert_non_null(f);
        for (unsigned n = 0; n < 30; n++) {
            uint32_t length = below(&random, FT_CONTENT_FILTER_TEXT + 1);
            uint8_t *text = malloc(length + 1); /* so that reading behind it shows */
            bool holds = false;
            assert_non_null(text);
            for (uint32_t k = 0; k < length; k++)
                text[k] = (uint8_t)('Z' - 1 + below(&random, letters));
            const struct ft_pattern *p = &patterns[below(&random, count)];
            if (n % 3 == 0 && p->length <= length)
                memcpy(text + below(&random, length - p->length + 1), p->bytes, p->length);
            uint8_t *exact = realloc(text, length ? length : 1);
            for (uint32_t i = 0; i < count && !holds; i++)
                holds = is_in(&patterns[i], exact, length);
            bool passed = ft_content_filter_passes(f, exact, length);
            if (holds && !passed)
                fail_msg("round %u: a text with a pattern is kept back", round);
            empty += !holds;
            kept += !passed;
            free(exact);
        }
        ft_content_filter_free(f);
    }
    assert_true(kept * 2 > empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_required),          cmocka_unit_test(test_required_in_either_case),
        cmocka_unit_test(test_keeps_back),        cmocka_unit_test(test_long_texts_pass),
        cmocka_unit_test(test_there_may_be_none), cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
