/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tests of contents: what is found is what a naive search and PCRE2 alone find, whoever looks for
 * it; what cannot be used is refused; what is out of hand is given up; scanning allocates nothing.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "rules/content.h"

#define HITS_MAX 4096u

/* ---- allocations, counted (not beside a sanitizer, which has its own) ---- */

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif

static _Thread_local uint64_t allocations;

#if !defined(SANITIZED) && !defined(__SANITIZE_ADDRESS__)
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t align, size_t size);
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *old, size_t size);
int posix_memalign(void **to, size_t align, size_t size);

void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    allocations++;
    return __libc_realloc(old, size);
}

int posix_memalign(void **to, size_t align, size_t size)
{
    allocations++;
    *to = __libc_memalign(align, size);
    return *to ? 0 : ENOMEM;
}
#endif

/* ---- helpers ---- */

static uint64_t seed = 1;

/* xorshift*: the same numbers everywhere. */
static uint32_t below(uint32_t n)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return (uint32_t)((seed * 0x2545f4914f6cdd1dull) >> 33) % n;
}

static struct ft_pattern literal(const void *bytes, uint32_t length, bool ignores_case)
{
    return (struct ft_pattern){.bytes = bytes, .length = length, .ignores_case = ignores_case};
}

static struct ft_pattern regex(const char *text)
{
    return (struct ft_pattern){.bytes = text, .length = (uint32_t)strlen(text), .is_regex = true};
}

/* A group, a scratch for it, and what the last scan found. */
struct group {
    struct ft_content *content;
    struct ft_content_scratch *scratch;
    struct ft_content_hit hits[HITS_MAX];
    uint32_t count;
    uint64_t given_up;
};

static struct group *group_new(const struct ft_pattern *patterns, uint32_t count)
{
    char error[256] = "";
    struct group *g = calloc(1, sizeof(*g));
    assert_non_null(g);
    g->content = ft_content_new(patterns, count, error, sizeof(error));
    if (!g->content)
        fail_msg("%s", error);
    g->scratch = ft_content_scratch_new((const struct ft_content *const *)&g->content, 1);
    assert_non_null(g->scratch);
    return g;
}

static void group_free(struct group *g)
{
    ft_content_scratch_free(g->scratch);
    ft_content_free(g->content);
    free(g);
}

/* Scans a copy that ends where the text ends, so that reading on shows itself; counts allocations.
 */
static uint32_t scan(struct group *g, const void *text, uint32_t length)
{
    uint8_t *copy = length ? malloc(length) : NULL;
    if (length)
        memcpy(copy, text, length);
    uint64_t before = allocations;
    g->count =
        ft_content_scan(g->content, g->scratch, copy, length, g->hits, HITS_MAX, &g->given_up);
    assert_int_equal(allocations - before, 0);
    assert_true(g->count <= HITS_MAX);
    for (uint32_t i = 0; i < g->count; i++) {
        assert_true(!i || g->hits[i - 1].pattern < g->hits[i].pattern);
        assert_true(g->hits[i].to <= length);
    }
    free(copy);
    return g->count;
}

static const struct ft_content_hit *hit_of(const struct group *g, uint32_t pattern)
{
    for (uint32_t i = 0; i < g->count; i++)
        if (g->hits[i].pattern == pattern)
            return &g->hits[i];
    return NULL;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* The first end of a literal, found as slowly as can be; 0: none. */
static uint32_t naive_find(const struct ft_pattern *p, const uint8_t *text, uint32_t length)
{
    for (uint32_t at = 0; at + p->length <= length; at++) {
        uint32_t same = 0;
        while (same < p->length &&
               (p->ignores_case ? lower((uint8_t)p->bytes[same]) == lower(text[at + same])
                                : (uint8_t)p->bytes[same] == text[at + same]))
            same++;
        if (same == p->length)
            return at + same;
    }
    return 0;
}

static void expect_literals(struct group *g, const struct ft_pattern *patterns, uint32_t count,
                            const uint8_t *text, uint32_t length)
{
    uint32_t expected = 0;
    scan(g, text, length);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t end = naive_find(&patterns[i], text, length);
        const struct ft_content_hit *hit = hit_of(g, i);
        expected += end != 0;
        assert_int_equal(hit != NULL, end != 0);
        if (hit) {
            assert_int_equal(hit->to, end);
            assert_int_equal(hit->from, end - patterns[i].length);
        }
    }
    assert_int_equal(g->count, expected);
}

static enum ft_content_means check(const struct ft_pattern *p)
{
    enum ft_content_means means = FT_CONTENT_DIRECT;
    uint32_t offset;
    char error[256] = "";
    if (!ft_content_check(p, &means, &offset, error, sizeof(error)))
        fail_msg("\"%.*s\": %s", (int)p->length, p->bytes, error);
    return means;
}

/* ---- literals ---- */

static void test_lengths(void **state)
{
    (void)state;
    for (uint32_t length = 1; length <= 64; length++) {
        for (uint32_t first = 0; first < 256; first += length) {
            uint8_t bytes[64], text[256];
            for (uint32_t i = 0; i < length; i++)
                bytes[i] = (uint8_t)(first + i);
            struct ft_pattern p[2] = {literal(bytes, length, false), literal(bytes, length, true)};
            assert_int_equal(check(&p[0]), length < 4 ? FT_CONTENT_DIRECT : FT_CONTENT_HYPERSCAN);
            struct group *g = group_new(p, 2);
            memset(text, (uint8_t)(first - 1), sizeof(text));
            for (uint32_t at = 0; at + length <= 100; at += at < 40 ? 1 : 7) {
                memcpy(text + at, bytes, length);
                expect_literals(g, p, 2, text, 100);
                expect_literals(g, p, 2, text, at + length);
                expect_literals(g, p, 2, text, at + length - 1);
                assert_non_null(memset(text + at, (uint8_t)(first - 1), length));
            }
            expect_literals(g, p, 2, text, 0);
            group_free(g);
        }
    }
}

static void test_case(void **state)
{
    (void)state;
    /* the neighbours of letters, and letters of Latin-1, differ in the same bit: not the same */
    static const char words[][8] = {"k",   "K",    "aZ",   "@A[",        "`a{",
                                    "GeT", "pOsT", "@[`{", "\xe9t\xc9 ", "Az09"};
    struct ft_pattern p[10];
    for (uint32_t i = 0; i < 10; i++)
        p[i] = literal(words[i], (uint32_t)strlen(words[i]), true);
    for (uint32_t from = 0; from < 10; from += 5) { /* in groups of five the short are direct */
        struct group *g = group_new(p + from, 5), *all = group_new(p, 10);
        for (uint32_t i = 0; i < 10; i++) {
            for (uint32_t flip = 0; flip < 16; flip++) {
                uint8_t text[24];
                memset(text, '~', sizeof(text));
                for (uint32_t k = 0; k < p[i].length; k++)
                    text[5 + k] = (uint8_t)words[i][k] ^ ((flip >> k & 1) ? 0x20 : 0);
                expect_literals(g, p + from, 5, text, sizeof(text));
                expect_literals(all, p, 10, text, sizeof(text));
            }
        }
        group_free(g);
        group_free(all);
    }
}

static void test_overlapping(void **state)
{
    (void)state;
    struct ft_pattern p[] = {literal("aaaa", 4, false),      literal("aaa", 3, false),
                             literal("aa", 2, false),        literal("a", 1, false),
                             literal("abab", 4, false),      literal("baba", 4, false),
                             literal("aaaaaaaab", 9, false), literal("aaaa", 4, false)};
    struct group *g = group_new(p, 8);
    static const char *const texts[] = {
        "", "a", "aaa", "aaaaaaaaaaaaaaaaaaaaaaaa", "ababababa", "aaaaaaaaaab", "bababaaaa"};
    for (uint32_t i = 0; i < 7; i++)
        expect_literals(g, p, 8, (const uint8_t *)texts[i], (uint32_t)strlen(texts[i]));
    group_free(g);
}

/* Bytes of few kinds, so that things occur by accident. */
static void random_bytes(uint8_t *to, uint32_t length, const char *kinds, uint32_t kind_count)
{
    for (uint32_t i = 0; i < length; i++)
        to[i] = (uint8_t)kinds[below(kind_count)];
}

static void test_random_literals(void **state)
{
    (void)state;
    static const char kinds[] = {'a', 'B', 'b', 'A', 0, '\n', '\x80', '\\'};
    for (uint32_t round = 0; round < 80; round++) {
        uint8_t bytes[64][12], text[400];
        struct ft_pattern p[64];
        uint32_t count = 1 + below(64), kind_count = 2 + below(7);
        for (uint32_t i = 0; i < count; i++) {
            uint32_t length = 1 + below(12);
            random_bytes(bytes[i], length, kinds, kind_count);
            p[i] = literal(bytes[i], length, below(2));
        }
        struct group *g = group_new(p, count);
        for (uint32_t i = 0; i < 40; i++) {
            uint32_t length = below(sizeof(text));
            random_bytes(text, length, kinds, kind_count);
            expect_literals(g, p, count, text, length);
        }
        group_free(g);
    }
}

/* More than a word of the summary, and more than there is room for. */
static void test_many(void **state)
{
    (void)state;
    enum {
        MANY = 9000
    };
    static char words[MANY][12];
    static struct ft_pattern p[MANY];
    for (uint32_t i = 0; i < MANY; i++)
        p[i] = literal(words[i], (uint32_t)snprintf(words[i], sizeof(words[i]), "<w%u>", i), false);
    struct group *g = group_new(p, MANY);
    assert_int_equal(scan(g, "<w8999><w0><w4096><w64>", 23), 4);
    assert_int_equal(g->hits[0].pattern, 0);
    assert_int_equal(g->hits[1].pattern, 64);
    assert_int_equal(g->hits[2].pattern, 4096);
    assert_int_equal(g->hits[3].pattern, 8999);
    assert_int_equal(g->hits[3].from, 0);
    assert_int_equal(scan(g, "<w9000>", 7), 0);
    struct ft_content_hit one[2] = {{0}, {.pattern = 77}};
    assert_int_equal(ft_content_scan(g->content, g->scratch, (const uint8_t *)"<w5><w3><w4>", 12,
                                     one, 1, &g->given_up),
                     3);
    assert_int_equal(one[0].pattern, 3);
    assert_int_equal(one[1].pattern, 77);
    group_free(g);
}

/* ---- expressions ---- */

static pcre2_code *oracle_new(const struct ft_pattern *p)
{
    int wrong;
    PCRE2_SIZE at;
    return pcre2_compile((PCRE2_SPTR)p->bytes, p->length,
                         PCRE2_DOTALL | (p->ignores_case ? PCRE2_CASELESS : 0), &wrong, &at, NULL);
}

enum {
    NO_MATCH = -1,
    UNDECIDED = -2, /* PCRE2's own limits */
};

/* The end of the first match of PCRE2. */
static int64_t oracle_match(const pcre2_code *code, const uint8_t *text, uint32_t length)
{
    pcre2_match_data *m = pcre2_match_data_create(1, NULL);
    int result = pcre2_match(code, text, length, 0, 0, m, NULL);
    int64_t end = result >= 0                     ? (int64_t)pcre2_get_ovector_pointer(m)[1]
                  : result == PCRE2_ERROR_NOMATCH ? NO_MATCH
                                                  : UNDECIDED;
    pcre2_match_data_free(m);
    return end;
}

/* All ends of matches from all starts, as a bit for each; how PCRE2 can, without back references.
 */
static uint64_t oracle_ends(const pcre2_code *code, const uint8_t *text, uint32_t length)
{
    static int workspace[10000];
    uint64_t ends = 0;
    assert_true(length < 64);
    pcre2_match_data *m = pcre2_match_data_create(64, NULL);
    for (uint32_t start = 0; start <= length; start++) {
        int count =
            pcre2_dfa_match(code, text, length, start, PCRE2_ANCHORED, m, NULL, workspace, 10000);
        if (count < 0 && count != PCRE2_ERROR_NOMATCH)
            fail_msg("PCRE2: %d at %u", count, start);
        for (int i = 0; i < count; i++)
            ends |= 1ull << pcre2_get_ovector_pointer(m)[2 * i + 1];
    }
    pcre2_match_data_free(m);
    return ends;
}

/* Of expressions that depend on what comes next, Hyperscan may report a later end than the least.
 */
static bool has_least_end(const struct ft_pattern *p)
{
    return !strchr(p->bytes, '$') && !strstr(p->bytes, "\\b") && !strstr(p->bytes, "\\B") &&
           !strstr(p->bytes, "\\Z");
}

static bool is_right_end(const struct ft_pattern *p, uint64_t ends, int64_t end)
{
    return has_least_end(p) ? end == __builtin_ctzll(ends) : (ends >> end & 1) != 0;
}

static void expect_expression(struct group *g, uint32_t index, const struct ft_pattern *p,
                              const pcre2_code *oracle, const uint8_t *text, uint32_t length)
{
    const struct ft_content_hit *hit = hit_of(g, index);
    bool is_scanned = ft_content_means(g->content, index) == FT_CONTENT_HYPERSCAN;
    int64_t end = oracle_match(oracle, text, length), found = hit ? (int64_t)hit->to : NO_MATCH;
    if (end == UNDECIDED)
        return;
    bool is_right = is_scanned && hit && end >= 0
                        ? is_right_end(p, oracle_ends(oracle, text, length), found)
                        : found == end;
    if (!is_right)
        fail_msg("\"%.*s\"%s by %s on \"%.*s\" (%u bytes): %lld, not %lld", (int)p->length,
                 p->bytes, p->ignores_case ? " (any case)" : "", is_scanned ? "Hyperscan" : "PCRE2",
                 (int)length, text, length, (long long)found, (long long)end);
    if (hit)
        assert_int_equal(hit->from, UINT32_MAX);
}

static void test_classes(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "\\s",        "\\S",         "\\d",         "\\D",          "\\w",         "\\W",
        "\\h",        "\\v",         "\\H",         "\\V",          "\\R",         "\\N",
        "\\X",        "[[:space:]]", "[[:print:]]", "[[:punct:]]",  "[[:cntrl:]]", "[[:^alpha:]]",
        ".",          "(?-s).",      "(?i)k",       "(?i)\xe9",     "(?i)[^a]",    "(?i)[B-y]",
        "(?i)[Z-a]",  "\\x",         "\\xg",        "\\12",         "\\0",         "\\x{41}",
        "\\o{101}",   "\\Q.\\E",     "[\\Q]\\E]",   "[]a]",         "[^]a]",       "[a-]",
        "a{,3}b",     "x{1,",        "[\\b]",       "\\C",          "(?#c)a",      "(?x) a b",
        "(?xx)[a b]", "\\ba",        "a\\b",        "\\Ba",         "a\\B",        "^$",
        "a$",         "^a",          "\\Aa",        "a\\z",         "a\\Z",        "(?m)^a",
        "(?m)a$",     "(?m)^$\n",    "(?m)\n^",     "^a*$",         "\n$",         "(?m)\n$",
        "a++a",       "(?>a|ab)c",   "(.)\\1",      "(?<=a)b",      "a(?!b)",      "(?<!\n)a",
        "(?=a)",      "(?|a|b)c",    "a?+b",        "a{0}b",        "\\Ka",        "(?i:a)b",
        "(?J)a",      "(?U)a+b",     "^(?!a)",      "\xc3\xa9",     "[\xc3\xa9]",  "(*CRLF)a.b",
        "\\G[^a]",    "a(?R)?b",     "(*F)|ab",     "(a)?(?(1)b|c)"};
    enum {
        COUNT = sizeof(texts) / sizeof(texts[0])
    };
    struct ft_pattern p[COUNT];
    pcre2_code *oracles[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) {
        p[i] = regex(texts[i]);
        check(&p[i]);
        assert_non_null(oracles[i] = oracle_new(&p[i]));
    }
    struct group *g = group_new(p, COUNT);
    static const char kinds[] = {'a', 'b', '\n', ' ', 'A', '\r', 'c', '\x85', '_', 0};
    for (uint32_t round = 0; round < 256 + 2000; round++) {
        uint8_t text[8] = {(uint8_t)round};
        uint32_t length = round < 256 ? 1 : below(9);
        if (round >= 256)
            random_bytes(text, length, kinds, 2 + below(sizeof(kinds) - 1));
        scan(g, text, length);
        for (uint32_t i = 0; i < COUNT; i++)
            expect_expression(g, i, &p[i], oracles[i], text, length);
    }
    assert_int_equal(g->given_up, 0);
    for (uint32_t i = 0; i < COUNT; i++)
        pcre2_code_free(oracles[i]);
    group_free(g);
}

/* A random expression; `depth` bounds it, `is_regular` keeps it to what Hyperscan takes. */
static char *grow(char *to, uint32_t depth, bool is_regular)
{
    static const char *const atoms[] = {"a",     "b",   "A",      ".",      "[ab]", "[^a]", "\\n",
                                        "\\x00", "\\w", "\\s",    "[^\\n]", "c",    "ab",   "\\b",
                                        "^",     "$",   "(?i:a)", "\\z",    "aB",   "\\d"};
    static const char *const repeats[] = {"*", "+", "?", "{2}", "{1,3}", "{2,}", "*?", "+?", "??"};
    static const char *const irregular[] = {"(?=b)",        "(?!a)",  "(?<=a)", "(?<!b)",
                                            "(a|b)\\g{-1}", "(?>a+)", "b++",    "(?|a|b)"};
    uint32_t what = below(depth ? 10 : 4);
    if (what < 4)
        return stpcpy(to, !is_regular && !below(4) ? irregular[below(8)] : atoms[below(20)]);
    if (what < 7)
        return grow(grow(to, depth - 1, is_regular), depth - 1, is_regular);
    to = stpcpy(to, "(?:");
    to = grow(to, depth - 1, is_regular);
    if (what < 9)
        return stpcpy(stpcpy(to, ")"), repeats[below(9)]);
    return stpcpy(grow(stpcpy(to, "|"), depth - 1, is_regular), ")");
}

/* Several databases; one of those planned for the last is too large for it. */
static void test_many_expressions(void **state)
{
    (void)state;
    enum {
        MANY = 150
    };
    static char texts[MANY][24], too_large[20000] = "(?:ab|";
    struct ft_pattern p[MANY + 2];
    for (uint32_t i = 0; i < MANY; i++) {
        snprintf(texts[i], sizeof(texts[i]), "<w%u>[a-c]+d", i);
        p[i] = regex(texts[i]);
    }
    memset(too_large + 6, 'x', sizeof(too_large) - 7);
    too_large[sizeof(too_large) - 1] = ')';
    p[130] = (struct ft_pattern){.bytes = too_large, .length = sizeof(too_large), .is_regex = true};
    p[MANY] = literal("<w149>", 6, false);
    p[MANY + 1] = regex("(?<=x)<w1>");
    struct group *g = group_new(p, MANY + 2);
    for (uint32_t i = 0; i < MANY; i++) {
        char text[24];
        uint32_t length = (uint32_t)snprintf(text, sizeof(text), "<w%u>acd", i);
        assert_int_equal(scan(g, text, length), i == 130 ? 0 : i == 149 ? 2 : 1);
        if (i != 130)
            assert_int_equal(g->hits[0].pattern, i);
    }
    assert_int_equal(scan(g, "<w3>ad x<w1><w149>cd", 20), 4);
    static const uint32_t found[] = {3, 149, MANY, MANY + 1};
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(g->hits[i].pattern, found[i]);
    assert_int_equal(ft_content_means(g->content, 129), FT_CONTENT_HYPERSCAN);
    assert_int_equal(ft_content_means(g->content, 130), FT_CONTENT_PCRE2);
    assert_int_equal(g->given_up, 0);
    group_free(g);
}

static uint32_t random_group(struct ft_pattern *p, char (*texts)[512], pcre2_code **oracles,
                             uint32_t count)
{
    uint32_t n = 0;
    while (n < count) {
        enum ft_content_means means;
        uint32_t offset;
        char error[256];
        char *to = stpcpy(texts[n], below(8) ? "" : "(?m)");
        grow(to, 1 + below(3), below(4));
        p[n] = regex(texts[n]);
        p[n].ignores_case = !below(4);
        if (!ft_content_check(&p[n], &means, &offset, error, sizeof(error)))
            assert_non_null(strstr(error, "always"));
        else if ((oracles[n] = oracle_new(&p[n])))
            n++;
    }
    return n;
}

static void test_random_expressions(void **state)
{
    (void)state;
    enum {
        GROUP = 24
    };
    static const char kinds[] = {'a', 'b', 'B', '\n', 'A', 'c', 0, ' '};
    static char texts[GROUP][512];
    const char *wish = getenv("FT_CONTENT_ROUNDS"); /* for who wants to search for longer */
    uint32_t rounds = wish ? (uint32_t)atoi(wish) : 30, compared = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        struct ft_pattern p[GROUP];
        pcre2_code *oracles[GROUP];
        struct group *g = group_new(p, random_group(p, texts, oracles, GROUP));
        for (uint32_t i = 0; i < 60; i++) {
            uint8_t text[40];
            uint32_t length = below(sizeof(text) + 1);
            random_bytes(text, length, kinds, 1 + below(8));
            uint64_t before = g->given_up;
            scan(g, text, length);
            /* repeats of repeats get out of hand by accident; it is not said which */
            for (uint32_t k = 0; k < GROUP; k++)
                if (g->given_up == before || ft_content_means(g->content, k) != FT_CONTENT_PCRE2)
                    expect_expression(g, k, &p[k], oracles[k], text, length);
            compared += g->given_up == before;
        }
        for (uint32_t k = 0; k < GROUP; k++)
            pcre2_code_free(oracles[k]);
        group_free(g);
    }
    assert_true(compared >= rounds * 60 * 9 / 10);
}

static void test_means(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum ft_content_means means;
    } rows[] = {
        {"abc.*d", FT_CONTENT_HYPERSCAN},    {"(?i)q|b{3}", FT_CONTENT_HYPERSCAN},
        {"^[0-9]*$", FT_CONTENT_HYPERSCAN},  {"(a|b)\\1", FT_CONTENT_PCRE2},
        {"^(?!GET|POST)", FT_CONTENT_PCRE2}, {"(?<=x)y", FT_CONTENT_PCRE2},
        {"a{40000}", FT_CONTENT_PCRE2},
    };
    struct ft_pattern p[7];
    for (uint32_t i = 0; i < 7; i++) {
        p[i] = regex(rows[i].text);
        assert_int_equal(check(&p[i]), rows[i].means);
    }
    struct group *g = group_new(p, 7);
    for (uint32_t i = 0; i < 7; i++)
        assert_int_equal(ft_content_means(g->content, i), rows[i].means);
    assert_int_equal(scan(g, "GET 00", 6), 0);
    assert_int_equal(scan(g, "GET xyaa", 8), 2);
    assert_int_equal(g->hits[0].pattern, 3);
    assert_int_equal(g->hits[1].pattern, 5);
    assert_int_equal(g->hits[1].to, 6);
    assert_int_equal(scan(g, "", 0), 2); /* ^[0-9]*$ and ^(?!GET|POST) */
    assert_int_equal(g->given_up, 0);
    group_free(g);
}

/* What Hyperscan finds too large when it is compiled goes to PCRE2, and the rest stays. */
static void test_too_large(void **state)
{
    (void)state;
    char long_text[20000];
    memset(long_text, 'x', sizeof(long_text));
    memcpy(long_text, "(?:ab|", 6);
    long_text[sizeof(long_text) - 1] = ')';
    struct ft_pattern p[] = {
        regex("abc+d"),
        {.bytes = long_text, .length = sizeof(long_text), .is_regex = true},
        literal("wxyz", 4, false),
    };
    struct group *g = group_new(p, 3);
    assert_int_equal(ft_content_means(g->content, 0), FT_CONTENT_HYPERSCAN);
    assert_int_equal(ft_content_means(g->content, 1), FT_CONTENT_PCRE2);
    assert_int_equal(scan(g, "abccdwxyz", 9), 3);
    group_free(g);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        struct ft_pattern pattern;
        uint32_t offset;
        const char *says;
    } rows[] = {
        {{.bytes = "", .length = 0}, UINT32_MAX, "empty"},
        {{.bytes = "", .length = 0, .is_regex = true}, UINT32_MAX, "always"},
        {{.bytes = "abc(de", .length = 6, .is_regex = true}, 6, "missing closing parenthesis"},
        {{.bytes = "ab[z-a]", .length = 7, .is_regex = true}, 5, "range out of order"},
        {{.bytes = "*a", .length = 2, .is_regex = true}, 0, "quantifier"},
        {{.bytes = "a\0b", .length = 3, .is_regex = true}, 1, "\\x00"},
        {{.bytes = "(*UTF)a", .length = 7, .is_regex = true}, 6, "UTF"},
        {{.bytes = "(*UCP)a", .length = 7, .is_regex = true}, 6, "UCP"},
        {{.bytes = "(a)\\2", .length = 5, .is_regex = true}, 4, "non-existent"},
        {{.bytes = "a*", .length = 2, .is_regex = true}, UINT32_MAX, "always"},
        {{.bytes = "^", .length = 1, .is_regex = true}, UINT32_MAX, "always"},
        {{.bytes = "$", .length = 1, .is_regex = true}, UINT32_MAX, "always"},
        {{.bytes = "^.*$", .length = 4, .is_regex = true}, UINT32_MAX, "always"},
        {{.bytes = "x|(?:a|.|b)*", .length = 12, .is_regex = true}, UINT32_MAX, "always"},
        {{.bytes = "(a?)\\1", .length = 6, .is_regex = true}, UINT32_MAX, "always"},
    };
    for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum ft_content_means means;
        uint32_t offset = 0;
        char error[256] = "";
        assert_false(ft_content_check(&rows[i].pattern, &means, &offset, error, sizeof(error)));
        if (!strstr(error, rows[i].says) || offset != rows[i].offset)
            fail_msg("row %u: %s (%u)", i, error, offset);
        struct ft_pattern two[] = {regex("fine"), rows[i].pattern};
        assert_null(ft_content_new(two, 2, error, sizeof(error)));
        assert_non_null(strstr(error, "pattern 1: "));
    }
    char long_text[FT_CONTENT_MAX_LITERAL + 1];
    memset(long_text, 'x', sizeof(long_text));
    struct ft_pattern p = literal(long_text, FT_CONTENT_MAX_LITERAL, true);
    assert_int_equal(check(&p), FT_CONTENT_HYPERSCAN);
    struct group *g = group_new(&p, 1);
    memset(long_text, 'X', sizeof(long_text));
    expect_literals(g, &p, 1, (const uint8_t *)long_text, sizeof(long_text));
    group_free(g);
    enum ft_content_means means;
    uint32_t offset;
    char error[256] = "";
    p.length++;
    assert_false(ft_content_check(&p, &means, &offset, error, sizeof(error)));
    assert_non_null(strstr(error, "2049"));
}

/* Bound to both ends, an expression that matches an empty text does not always hold. */
static void test_not_always(void **state)
{
    (void)state;
    static const char *const texts[] = {"^$",        "^a*$",        "\\A[0-9]*\\z", "^.{0,500}$",
                                        "^(?:ab)?$", "^[^\\x41]*$", "^(?!GET)",     "^(?:aa|b)*$"};
    for (uint32_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct ft_pattern p = regex(texts[i]);
        check(&p);
    }
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void test_given_up(void **state)
{
    (void)state;
    /* the last two are for the interpreter; recursion makes its frames grow */
    static const struct {
        const char *text;
        bool is_given_up; /* for texts of 1500 bytes and more; else nothing is said */
    } rows[] = {
        {"(?:(a|aa)+)+\\1$c?b", true}, {"(?:a|a)*(?:a|a)*(?<=c)x?c", true},
        {"(?:a(?=a)|a)+b", false},     {"(?R)?a(?R)?b?(?R)?c", true},
        {"(*NO_JIT)(a+)+\\1b$", true}, {"(*NO_JIT)((.)(?1)?)b$", true},
    };
    static const uint32_t lengths[] = {40, 1500, 65535};
    for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ft_pattern p[] = {regex(rows[i].text), literal("aaaa", 4, false)};
        struct group *g = group_new(p, 2);
        assert_int_equal(ft_content_means(g->content, 0), FT_CONTENT_PCRE2);
        for (uint32_t k = 0; k < 3; k++) {
            uint8_t *text = malloc(lengths[k]);
            memset(text, 'a', lengths[k]);
            memcpy(text + lengths[k] - 4, "bbcb", 4); /* what filters look for */
            uint64_t before = g->given_up;
            double start = now();
            scan(g, text, lengths[k]);
            assert_true(now() - start < 5);
            if (lengths[k] >= 1500 && rows[i].is_given_up && g->given_up - before != 1)
                fail_msg("\"%s\", %u bytes: not given up", rows[i].text, lengths[k]);
            assert_true(g->given_up - before <= 1);
            assert_int_equal(hit_of(g, 0) != NULL && g->given_up != before, false);
            assert_non_null(hit_of(g, 1));
            free(text);
        }
        group_free(g);
    }
}

/* ---- many groups, many threads ---- */

static void test_shared_scratch(void **state)
{
    (void)state;
    struct ft_pattern a[] = {literal("GET ", 4, false), literal("x", 1, false)};
    struct ft_pattern b[] = {regex("(\\w)\\1"), regex("T .*x"), literal("ET", 2, true)};
    char words[200][8];
    struct ft_pattern c[200];
    for (uint32_t i = 0; i < 200; i++)
        c[i] = literal(words[i], (uint32_t)snprintf(words[i], 8, "w%u;", i), false);
    char error[256];
    struct ft_content *contents[4] = {ft_content_new(a, 2, error, sizeof(error)),
                                      ft_content_new(b, 3, error, sizeof(error)),
                                      ft_content_new(c, 200, error, sizeof(error)),
                                      ft_content_new(NULL, 0, error, sizeof(error))};
    struct ft_content_scratch *scratch =
        ft_content_scratch_new((const struct ft_content *const *)contents, 4);
    assert_non_null(scratch);
    const uint8_t *text = (const uint8_t *)"GET /w199;w0;x";
    static const uint32_t counts[] = {2, 3, 2, 0};
    for (uint32_t round = 0; round < 8; round++) {
        uint64_t given_up = 0;
        struct ft_content_hit hits[4];
        assert_int_equal(
            ft_content_scan(contents[round % 4], scratch, text, 14, hits, 4, &given_up),
            counts[round % 4]);
        assert_int_equal(given_up, 0);
    }
    ft_content_scratch_free(scratch);
    for (uint32_t i = 0; i < 4; i++)
        ft_content_free(contents[i]);
    scratch = ft_content_scratch_new(NULL, 0);
    assert_non_null(scratch);
    ft_content_scratch_free(scratch);
}

struct job {
    const struct ft_content *content;
    uint64_t hits, given_up, seed;
};

static void *job_run(void *user)
{
    struct job *job = user;
    struct ft_content_scratch *scratch = ft_content_scratch_new(&job->content, 1);
    uint64_t state = job->seed;
    for (uint32_t i = 0; i < 3000; i++) {
        uint8_t text[120];
        struct ft_content_hit hits[4];
        for (uint32_t k = 0; k < sizeof(text); k++) {
            state = state * 6364136223846793005ull + 1442695040888963407ull;
            text[k] = "abcd"[state >> 62];
        }
        uint32_t count =
            ft_content_scan(job->content, scratch, text, sizeof(text), hits, 4, &job->given_up);
        for (uint32_t k = 0; k < count; k++)
            job->hits = job->hits * 31 + hits[k].pattern * 1000 + hits[k].to;
    }
    ft_content_scratch_free(scratch);
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    struct ft_pattern p[] = {literal("abcdab", 6, false), regex("(abc|bcd)\\1"), regex("d{4}a+c"),
                             literal("DDA", 3, true)};
    struct group *g = group_new(p, 4);
    struct job jobs[3] = {{.content = g->content, .seed = 7},
                          {.content = g->content, .seed = 7},
                          {.content = g->content, .seed = 7}};
    pthread_t threads[2];
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, job_run, &jobs[i]), 0);
    for (uint32_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    job_run(&jobs[2]);
    assert_true(jobs[2].hits != 0);
    assert_true(jobs[0].hits == jobs[2].hits && jobs[1].hits == jobs[2].hits);
    assert_int_equal(jobs[0].given_up, 0);
    group_free(g);
}

static void test_fingerprint(void **state)
{
    (void)state;
    struct ft_pattern p[] = {literal("ab", 2, false), literal("c", 1, false)};
    uint64_t base = ft_content_fingerprint(p, 2);
    char copy[] = "ab";
    p[0].bytes = copy;
    assert_true(base == ft_content_fingerprint(p, 2));
    struct ft_pattern moved[] = {literal("a", 1, false), literal("bc", 2, false)};
    struct ft_pattern swapped[] = {p[1], p[0]};
    struct ft_pattern cased[] = {literal("ab", 2, true), p[1]};
    struct ft_pattern expression[] = {regex("ab"), p[1]};
    assert_true(base != ft_content_fingerprint(p, 1));
    assert_true(base != ft_content_fingerprint(moved, 2));
    assert_true(base != ft_content_fingerprint(swapped, 2));
    assert_true(base != ft_content_fingerprint(cased, 2));
    assert_true(base != ft_content_fingerprint(expression, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_case),
        cmocka_unit_test(test_overlapping),
        cmocka_unit_test(test_random_literals),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_many_expressions),
        cmocka_unit_test(test_random_expressions),
        cmocka_unit_test(test_means),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_not_always),
        cmocka_unit_test(test_given_up),
        cmocka_unit_test(test_shared_scratch),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_fingerprint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
