/* SPDX-License-Identifier: BSD-3-Clause */
/* A filter before a search: bits for four bytes, and for two, that some pattern must have. */
#include "rules/content_filter.h"

#include <stdlib.h>
#include <string.h>
#ifdef __SSSE3__
#include <immintrin.h>
#endif

/* Places of a text that are looked at at once. */
#ifdef __AVX2__
#define LANES 32u
#else
#define LANES 16u
#endif

enum {
    QUAD = 4,
    PAIR = 2,
    WINDOW = LANES + QUAD - 1, /* bytes that are read for LANES places */
    BUCKETS = 8,               /* patterns of two and three bytes are in the last */
    PATTERNS_MAX = 512,        /* of more, too much would pass */
    RUN_MAX = 64,              /* bytes of a run; more would not choose better */
    BITS_WORDS = 128,          /* of 64 bits: 1 KiB */
};

/*
 * Two sieves, one after another. By halves of bytes: those of a bucket's patterns at four places in
 * a row, 16 places of a text at once. Then, at places that are left, by all four bytes (two bits of
 * a word for each pattern) or two.
 */
struct ft_content_filter {
    /* By half of a byte, a bit for each bucket; the 16 of them once for each 16 lanes. */
    uint8_t low[QUAD][LANES], high[QUAD][LANES];
    uint64_t quads[BITS_WORDS];
    uint64_t *pairs; /* by two bytes; NULL: no pattern is that short */
};

/* Upper and lower case are one in the second sieve, and so are some other bytes. */
static inline uint64_t hash_of(const uint8_t *at)
{
    uint32_t v;
    memcpy(&v, at, sizeof(v));
    return (v | 0x20202020u) * 0x9e3779b97f4a7c15ull;
}

static inline uint64_t bits_of(uint64_t hash)
{
    return 1ull << (hash >> 51 & 63) | 1ull << (hash >> 45 & 63);
}

static inline uint32_t pair_of(const uint8_t *at)
{
    return (uint32_t)(at[0] | 0x20) | (uint32_t)(at[1] | 0x20) << 8;
}

/* ---- what an expression must have ---- */

/* Reads an expression in Perl syntax from left to right, and gives up where it is not sure. */
struct reader {
    const uint8_t *at, *end;
    uint8_t run[RUN_MAX], best[RUN_MAX];
    uint32_t length, best_length;
};

static void run_end(struct reader *r)
{
    if (r->length > r->best_length) {
        memcpy(r->best, r->run, r->length);
        r->best_length = r->length;
    }
    r->length = 0;
}

static void run_add(struct reader *r, uint8_t byte)
{
    if (r->length == RUN_MAX)
        run_end(r);
    r->run[r->length++] = byte;
}

static int hex(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool is_word(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Behind a backslash: one byte (returned), something else that takes one letter (-1), or what is
 * not read here (-2). */
static int escaped(struct reader *r)
{
    uint8_t c = *r->at++;
    if (c == 'x' && r->end - r->at >= 2 && hex(r->at[0]) >= 0 && hex(r->at[1]) >= 0) {
        r->at += 2;
        return hex(r->at[-2]) << 4 | hex(r->at[-1]);
    }
    if (c == 'n' || c == 'r' || c == 't')
        return c == 'n' ? '\n' : c == 'r' ? '\r' : '\t';
    if (!is_word(c) && c < 0x80)
        return c;
    return strchr("dDwWsSbBAzZhHvVNR", c) ? -1 : -2;
}

/* Past a class, from behind its bracket. */
static bool skip_class(struct reader *r)
{
    if (r->at < r->end && *r->at == '^')
        r->at++;
    if (r->at < r->end && *r->at == ']')
        r->at++;
    for (; r->at < r->end && *r->at != ']'; r->at++)
        if (*r->at == '[' || (*r->at == '\\' && (++r->at == r->end || *r->at == 'Q')))
            return false; /* names of classes, quotes */
    return r->at++ < r->end;
}

/* Past a group, from behind its parenthesis: nothing that is in it counts. */
static bool skip_group(struct reader *r)
{
    if (r->at < r->end && *r->at == '*')
        return false;
    if (r->at < r->end && *r->at == '?' && (r->end - r->at < 2 || r->at[1] != ':'))
        return false; /* flags for what follows, names, conditions */
    for (unsigned depth = 1; depth;) {
        if (r->at == r->end)
            return false;
        uint8_t c = *r->at++;
        if (c == '\\') {
            if (r->at == r->end || *r->at == 'Q' || *r->at == 'E')
                return false;
            r->at++;
        } else if (c == '[') {
            if (!skip_class(r))
                return false;
        } else if (c == '(') {
            if (r->at < r->end && (*r->at == '*' || *r->at == '?') &&
                (r->end - r->at < 2 || r->at[0] == '*' || r->at[1] != ':'))
                return false;
            depth++;
        } else if (c == ')') {
            depth--;
        }
    }
    return true;
}

/* How often what was read last may come: "{2,6}" and the like. */
static bool quantifier(struct reader *r)
{
    if (r->at == r->end)
        return true;
    uint8_t c = *r->at;
    if (c != '*' && c != '?' && c != '+' && c != '{')
        return true;
    if (c == '{') {
        const uint8_t *close = r->at + 1;
        while (close < r->end && ((*close >= '0' && *close <= '9') || *close == ','))
            close++;
        if (close == r->end || *close != '}')
            return false; /* a brace, not a quantifier */
        r->at = close;
    }
    r->at++;
    if (c != '+' && r->length)
        r->length--; /* perhaps not at all */
    run_end(r);
    if (r->at < r->end && (*r->at == '?' || *r->at == '+'))
        r->at++; /* lazy, possessive */
    return true;
}

/* One atom; false: not understood, or alternatives. */
static bool atom(struct reader *r)
{
    uint8_t c = *r->at++;
    int byte = c;
    switch (c) {
    case '|':
    case ')':
    case '*':
    case '+':
    case '?':
    case '{':
        return false;
    case '^':
    case '$':
    case '.':
        byte = -1;
        break;
    case '[':
        if (!skip_class(r))
            return false;
        byte = -1;
        break;
    case '(':
        if (!skip_group(r))
            return false;
        byte = -1;
        break;
    case '\\':
        if (r->at == r->end || (byte = escaped(r)) == -2)
            return false;
        break;
    default:
        break;
    }
    if (byte < 0)
        run_end(r);
    else
        run_add(r, (uint8_t)byte);
    return quantifier(r);
}

/* (?i) and (?s), as nearly all rules have their flags, do not change what is read here. */
static bool skip_flags(struct reader *r, bool *folds)
{
    while (r->end - r->at > 3 && r->at[0] == '(' && r->at[1] == '?' && strchr("ism", r->at[2]) &&
           r->at[2]) {
        const uint8_t *c = r->at + 2;
        for (; c < r->end && (*c == 'i' || *c == 's' || *c == 'm'); c++)
            *folds |= *c == 'i';
        if (c == r->end || *c != ')')
            return false;
        r->at = c + 1;
    }
    return true;
}

uint32_t ft_content_filter_required(const struct ft_pattern *p, uint8_t *to, uint32_t room,
                                    bool *folds)
{
    struct reader r = {.at = (const uint8_t *)p->bytes,
                       .end = (const uint8_t *)p->bytes + p->length};
    *folds = p->ignores_case;
    if (!skip_flags(&r, folds))
        return 0;
    while (r.at < r.end)
        if (!atom(&r))
            return 0;
    run_end(&r);
    uint32_t n = r.best_length < room ? r.best_length : room;
    memcpy(to, r.best, n);
    return n;
}

/* ---- making ---- */

/* How seldom a byte is, roughly, in what plants send: numbers are full of 0 and 255. */
static unsigned worth(uint8_t c)
{
    if (c == 0 || c == 0xff || c == ' ')
        return 0;
    if (c < 0x10 || c == 0x80)
        return 1;
    return is_word(c) ? 3 : 4;
}

static uint32_t best_of(const uint8_t *bytes, uint32_t length, uint32_t window)
{
    uint32_t best = 0;
    unsigned most = 0;
    for (uint32_t i = 0; i + window <= length; i++) {
        unsigned sum = 0;
        for (uint32_t k = 0; k < window; k++)
            sum += worth(bytes[i + k]);
        if (sum > most) {
            most = sum;
            best = i;
        }
    }
    return best;
}

/* What is looked for of a pattern. */
struct fragment {
    uint8_t bytes[QUAD], length; /* QUAD or PAIR */
    bool folds;
};

static bool fragment_of(const struct ft_pattern *p, struct fragment *f)
{
    uint8_t run[RUN_MAX];
    const uint8_t *bytes = (const uint8_t *)p->bytes;
    uint32_t length = p->length;
    f->folds = p->ignores_case;
    if (p->is_regex) {
        length = ft_content_filter_required(p, run, sizeof(run), &f->folds);
        bytes = run;
    }
    if (length < PAIR)
        return false;
    f->length = length < QUAD ? PAIR : QUAD;
    memcpy(f->bytes, bytes + best_of(bytes, length, f->length), f->length);
    return true;
}

/* Those that are alike next to each other, so that a bucket has few different bytes. */
static int compare_fragments(const void *a, const void *b)
{
    return memcmp(((const struct fragment *)a)->bytes, ((const struct fragment *)b)->bytes, QUAD);
}

static void sieve_byte(struct ft_content_filter *f, uint32_t place, uint8_t byte, uint8_t bucket)
{
    for (uint32_t i = 0; i < LANES; i += 16) {
        f->low[place][i + (byte & 15)] |= bucket;
        f->high[place][i + (byte >> 4)] |= bucket;
    }
}

static void sieve_add(struct ft_content_filter *f, const struct fragment *p, uint8_t bucket)
{
    for (uint32_t i = 0; i < QUAD; i++) {
        uint8_t lower = p->bytes[i] | 0x20;
        if (i >= p->length) {
            for (unsigned n = 0; n < LANES; n++) {
                f->low[i][n] |= bucket;
                f->high[i][n] |= bucket;
            }
            continue;
        }
        sieve_byte(f, i, p->bytes[i], bucket);
        if (p->folds && lower >= 'a' && lower <= 'z') {
            sieve_byte(f, i, lower, bucket);
            sieve_byte(f, i, lower ^ 0x20, bucket);
        }
    }
}

static bool bits_add(struct ft_content_filter *f, const struct fragment *p)
{
    if (p->length == QUAD) {
        uint64_t hash = hash_of(p->bytes);
        f->quads[hash >> 57] |= bits_of(hash);
        return true;
    }
    if (!f->pairs && !(f->pairs = calloc(65536 / 64, sizeof(*f->pairs))))
        return false;
    uint32_t i = pair_of(p->bytes);
    f->pairs[i / 64] |= 1ull << (i % 64);
    return true;
}

static bool add_all(struct ft_content_filter *f, struct fragment *all, uint32_t count)
{
    bool ok = true;
    qsort(all, count, sizeof(*all), compare_fragments);
    for (uint32_t i = 0; ok && i < count; i++) {
        uint32_t bucket = all[i].length == QUAD ? i * (BUCKETS - 1) / count : BUCKETS - 1;
        sieve_add(f, &all[i], (uint8_t)(1u << bucket));
        ok = bits_add(f, &all[i]);
    }
    return ok;
}

struct ft_content_filter *ft_content_filter_new(const struct ft_pattern *patterns, uint32_t count)
{
    struct fragment all[PATTERNS_MAX] = {0};
    if (count > PATTERNS_MAX)
        return NULL;
    for (uint32_t i = 0; i < count; i++)
        if (!fragment_of(&patterns[i], &all[i]))
            return NULL;
    struct ft_content_filter *f = calloc(1, sizeof(*f));
    if (f && add_all(f, all, count))
        return f;
    ft_content_filter_free(f);
    return NULL;
}

void ft_content_filter_free(struct ft_content_filter *f)
{
    if (f)
        free(f->pairs);
    free(f);
}

/* ---- asking ---- */

static bool passes_at(const struct ft_content_filter *f, const uint8_t *bytes, uint32_t length)
{
    if (length >= QUAD) {
        uint64_t hash = hash_of(bytes), bits = bits_of(hash);
        if ((f->quads[hash >> 57] & bits) == bits)
            return true;
    }
    uint32_t pair = f->pairs && length >= PAIR ? pair_of(bytes) : 0;
    return pair && f->pairs[pair / 64] >> (pair % 64) & 1;
}

/*
 * Which of LANES places from `at` the first sieve lets pass, a bit each; more than the text has may
 * be looked at. Reads WINDOW bytes.
 */
#ifdef __AVX2__
static inline __m256i load(const uint8_t *at)
{
    return _mm256_loadu_si256((const __m256i *)at);
}

static inline uint32_t sieve(const struct ft_content_filter *f, const uint8_t *at)
{
    const __m256i half = _mm256_set1_epi8(15);
    __m256i buckets = _mm256_set1_epi8(-1);
    for (uint32_t i = 0; i < QUAD; i++) {
        __m256i v = load(at + i), upper = _mm256_srli_epi16(v, 4);
        __m256i low = _mm256_shuffle_epi8(load(f->low[i]), _mm256_and_si256(v, half));
        __m256i high = _mm256_shuffle_epi8(load(f->high[i]), _mm256_and_si256(upper, half));
        buckets = _mm256_and_si256(buckets, _mm256_and_si256(low, high));
    }
    return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(buckets, _mm256_setzero_si256()));
}
#elif defined(__SSSE3__)
static inline __m128i load(const uint8_t *at)
{
    return _mm_loadu_si128((const __m128i *)at);
}

static inline uint32_t sieve(const struct ft_content_filter *f, const uint8_t *at)
{
    const __m128i half = _mm_set1_epi8(15);
    __m128i buckets = _mm_set1_epi8(-1);
    for (uint32_t i = 0; i < QUAD; i++) {
        __m128i v = load(at + i), upper = _mm_srli_epi16(v, 4);
        __m128i low = _mm_shuffle_epi8(load(f->low[i]), _mm_and_si128(v, half));
        __m128i high = _mm_shuffle_epi8(load(f->high[i]), _mm_and_si128(upper, half));
        buckets = _mm_and_si128(buckets, _mm_and_si128(low, high));
    }
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(buckets, _mm_setzero_si128())) ^ 0xffff;
}
#else
static inline uint32_t sieve(const struct ft_content_filter *f, const uint8_t *at)
{
    (void)f;
    (void)at;
    return 0xffff;
}
#endif

static inline bool passes_here(const struct ft_content_filter *f, const uint8_t *at,
                               uint32_t length)
{
    for (uint32_t left = sieve(f, at); left; left &= left - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(left);
        if (i < length && passes_at(f, at + i, length - i))
            return true;
    }
    return false;
}

/* Two bytes at the end, where no four are. */
static bool pair_ends(const struct ft_content_filter *f, const uint8_t *bytes, uint32_t length)
{
    for (uint32_t i = length < QUAD ? 0 : length - QUAD + 1; f->pairs && i + PAIR <= length; i++)
        if (passes_at(f, bytes + i, length - i))
            return true;
    return false;
}

bool ft_content_filter_passes(const struct ft_content_filter *f, const uint8_t *bytes,
                              uint32_t length)
{
    uint8_t whole[WINDOW] = {0};
    if (length > FT_CONTENT_FILTER_TEXT)
        return true;
    if (length < WINDOW) {
        memcpy(whole, bytes, length);
        return passes_here(f, whole, length) || (length > LANES && pair_ends(f, bytes, length));
    }
    for (uint32_t at = 0; at + WINDOW < length; at += LANES)
        if (passes_here(f, bytes + at, length - at))
            return true;
    /* the last window overlaps the one before it: nothing is read behind the end */
    return passes_here(f, bytes + length - WINDOW, WINDOW) || pair_ends(f, bytes, length);
}
