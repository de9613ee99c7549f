/* SPDX-License-Identifier: BSD-3-Clause */
/* A filter before a search: bits for four bytes, and for two, that some pattern must have. */
#include "rules/content_filter.h"

#include <stdlib.h>
#include <string.h>
#ifdef __SSSE3__
#include <immintrin.h>
#endif

/* What few texts come to: kept out of the code that all run through. */
#define COLD __attribute__((noinline, cold))

/* Places of a text that are looked at at once, where there is no such thing. */
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
    WIDE = 128,                /* bytes told apart, where the processor can: the last bit is not */
    WIDE_LANES = 64,
};

/*
 * Two sieves, one after another. By bytes, or by halves of bytes: those of a bucket's patterns at
 * four places in a row, 16 to 64 places of a text at once. Then, at places that are left, by all
 * four bytes (two bits of a word for each pattern) or two.
 */
struct ft_content_filter {
#ifdef FT_CONTENT_FILTER_WIDE
    uint8_t wide[QUAD][WIDE]; /* by byte: a bit for each bucket */
#endif
    uint8_t low[QUAD][16], high[QUAD][16]; /* by half of a byte likewise */
    uint64_t quads[BITS_WORDS];
    uint64_t *pairs; /* by two bytes; NULL: no pattern is that short */
} __attribute__((aligned(64)));

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

/* ---- making ---- */

/*
 * How often halves of bytes are what they are, roughly, in what plants send: numbers are full of 0.
 */
static float often(uint8_t half)
{
    return half == 0 ? 0.25f : 0.05f;
}

/* What is looked for of a pattern: one window of its bytes. */
struct fragment {
    uint8_t bytes[RUN_MAX];
    uint32_t length, window; /* window: bytes of it that the first sieve looks at */
    bool folds;
};

static bool fragment_of(const struct ft_pattern *p, struct fragment *f)
{
    f->folds = p->ignores_case;
    f->length = p->length < RUN_MAX ? p->length : RUN_MAX;
    if (p->is_regex)
        f->length = ft_content_filter_required(p, f->bytes, RUN_MAX, &f->folds);
    else
        memcpy(f->bytes, p->bytes, f->length);
    f->window = f->length < QUAD ? f->length : QUAD;
    return f->length >= PAIR;
}

/* The bytes that one byte of a pattern stands for: one or two. */
static uint32_t spellings(const struct fragment *f, uint32_t at, uint8_t to[2])
{
    uint8_t lower = f->bytes[at] | 0x20;
    to[0] = f->bytes[at];
    to[1] = f->bytes[at] ^ 0x20;
    return f->folds && lower >= 'a' && lower <= 'z' ? 2 : 1;
}

/* The share of places that a bucket lets pass, with a window of a pattern in it. */
static float share_with(const struct ft_content_filter *f, const struct fragment *p, uint32_t at,
                        uint32_t bucket)
{
    float share = 1;
    for (uint32_t i = 0; i < p->window; i++) {
        uint8_t bytes[2];
        uint32_t low = 0, high = 0, n = spellings(p, at + i, bytes);
        float sum_low = 0, sum_high = 0;
        for (uint8_t half = 0; half < 16; half++) {
            low |= (uint32_t)(f->low[i][half] >> bucket & 1) << half;
            high |= (uint32_t)(f->high[i][half] >> bucket & 1) << half;
        }
        for (uint32_t k = 0; k < n; k++) {
            low |= 1u << (bytes[k] & 15);
            high |= 1u << (bytes[k] >> 4);
        }
        for (uint8_t half = 0; half < 16; half++) {
            sum_low += low >> half & 1 ? often(half) : 0;
            sum_high += high >> half & 1 ? often(half) : 0;
        }
        share *= sum_low * sum_high;
    }
    return share;
}

static void sieve_add(struct ft_content_filter *f, const struct fragment *p, uint32_t at,
                      uint32_t bucket)
{
    for (uint32_t i = 0; i < QUAD; i++) {
        uint8_t bytes[2];
        uint32_t n = i < p->window ? spellings(p, at + i, bytes) : 0;
        for (uint32_t half = 0; half < 16; half++) {
            bool is_low = i >= p->window, is_high = is_low;
            for (uint32_t k = 0; k < n; k++) {
                is_low |= half == (bytes[k] & 15u);
                is_high |= half == bytes[k] >> 4;
            }
            f->low[i][half] |= (uint8_t)(is_low << bucket);
            f->high[i][half] |= (uint8_t)(is_high << bucket);
        }
#ifdef FT_CONTENT_FILTER_WIDE
        for (uint32_t k = 0; k < n; k++)
            f->wide[i][bytes[k] % WIDE] |= (uint8_t)(1u << bucket);
        for (uint32_t byte = 0; i >= p->window && byte < WIDE; byte++)
            f->wide[i][byte] |= (uint8_t)(1u << bucket);
#endif
    }
}

static bool bits_add(struct ft_content_filter *f, const struct fragment *p, uint32_t at)
{
    if (p->window == QUAD) {
        uint64_t hash = hash_of(p->bytes + at);
        f->quads[hash >> 57] |= bits_of(hash);
        return true;
    }
    if (!f->pairs && !(f->pairs = calloc(65536 / 64, sizeof(*f->pairs))))
        return false;
    uint32_t i = pair_of(p->bytes + at);
    f->pairs[i / 64] |= 1ull << (i % 64);
    return true;
}

/* Where it makes least more pass: which window of the pattern, in which bucket. */
static bool fragment_add(struct ft_content_filter *f, float shares[BUCKETS],
                         const struct fragment *p)
{
    uint32_t first = p->window == QUAD ? 0 : BUCKETS - 1;
    uint32_t end = p->window == QUAD ? BUCKETS - 1 : BUCKETS;
    uint32_t best_at = 0, best_bucket = first;
    float least = 2, best_share = 0;
    for (uint32_t at = 0; at + p->window <= p->length; at++) {
        for (uint32_t bucket = first; bucket < end; bucket++) {
            float share = share_with(f, p, at, bucket);
            if (share - shares[bucket] >= least)
                continue;
            least = share - shares[bucket];
            best_share = share;
            best_at = at;
            best_bucket = bucket;
        }
    }
    shares[best_bucket] = best_share;
    sieve_add(f, p, best_at, best_bucket);
    return bits_add(f, p, best_at);
}

struct ft_content_filter *ft_content_filter_new(const struct ft_pattern *patterns, uint32_t count)
{
    float shares[BUCKETS] = {0};
    struct ft_content_filter *f =
        count <= PATTERNS_MAX ? aligned_alloc(_Alignof(struct ft_content_filter), sizeof(*f))
                              : NULL;
    bool ok = f != NULL;
    if (ok)
        memset(f, 0, sizeof(*f));
    for (uint32_t i = 0; ok && i < count; i++) {
        struct fragment p;
        if (patterns[i].least > FT_CONTENT_FILTER_TEXT)
            continue;
        ok = fragment_of(&patterns[i], &p) && fragment_add(f, shares, &p);
    }
    if (ok)
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

#ifdef FT_CONTENT_FILTER_WIDE
/* The first `n` of 64 bytes; n < 256. */
static inline __mmask64 first_bytes(uint32_t n)
{
    return _bzhi_u64(UINT64_MAX, n);
}

/* Bits of the buckets that let pass what stands `i` bytes behind each place; 0 where nothing is. */
static inline __m512i wide_of(const struct ft_content_filter *f, const uint8_t *at,
                              __mmask64 is_there, uint32_t i)
{
    return _mm512_permutex2var_epi8(_mm512_load_si512(f->wide[i]),
                                    _mm512_maskz_loadu_epi8(is_there, at + i),
                                    _mm512_load_si512(f->wide[i] + WIDE / 2));
}

/* The places of a text, 64 at most, that the first sieve lets pass, a bit each; length >= PAIR. */
static inline uint64_t sieve_wide(const struct ft_content_filter *f, const uint8_t *at,
                                  uint32_t length)
{
    uint32_t n = length < 2 * WIDE_LANES ? length : 2 * WIDE_LANES;
    __mmask64 pairs = first_bytes(n - 1);
    __m512i first = _mm512_and_si512(wide_of(f, at, first_bytes(n), 0), wide_of(f, at, pairs, 1));
    __m512i last = _mm512_and_si512(wide_of(f, at, first_bytes(n - 2), 2),
                                    wide_of(f, at, first_bytes(n > 3 ? n - 3 : 0), 3));
    return _mm512_mask_test_epi8_mask(pairs, first, last);
}

/* The second sieve at the places from `at` on that the first let pass, and all that follows. */
static COLD bool passes_from(const struct ft_content_filter *f, uint64_t left, const uint8_t *bytes,
                             uint32_t at, uint32_t length)
{
    for (;;) {
        for (; left; left &= left - 1) {
            uint32_t i = at + (uint32_t)__builtin_ctzll(left);
            if (passes_at(f, bytes + i, length - i))
                return true;
        }
        at += WIDE_LANES;
        if (at + PAIR > length)
            return false;
        left = sieve_wide(f, bytes + at, length - at);
    }
}

bool ft_content_filter_passes(const struct ft_content_filter *f, const uint8_t *bytes,
                              uint32_t length)
{
    if (length > FT_CONTENT_FILTER_TEXT)
        return true;
    for (uint32_t at = 0; at + PAIR <= length; at += WIDE_LANES) {
        uint64_t left = sieve_wide(f, bytes + at, length - at);
        if (__builtin_expect(left != 0, 0))
            return passes_from(f, left, bytes, at, length);
    }
    return false;
}

#else
/*
 * The first sieve: which places let pass, a bit each. The two of vectors are the same but for their
 * width; without vectors every place passes.
 */
#ifdef __AVX2__
static inline __m256i table32(const uint8_t *at)
{
    return _mm256_broadcastsi128_si256(_mm_load_si128((const __m128i *)at));
}

/* LANES places from `at`, reads WINDOW bytes. */
static inline uint32_t sieve(const struct ft_content_filter *f, const uint8_t *at)
{
    const __m256i half = _mm256_set1_epi8(15);
    __m256i buckets = _mm256_set1_epi8(-1);
    for (uint32_t i = 0; i < QUAD; i++) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(at + i));
        __m256i low = _mm256_shuffle_epi8(table32(f->low[i]), _mm256_and_si256(v, half));
        __m256i high = _mm256_shuffle_epi8(table32(f->high[i]),
                                           _mm256_and_si256(_mm256_srli_epi16(v, 4), half));
        buckets = _mm256_and_si256(buckets, _mm256_and_si256(low, high));
    }
    return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(buckets, _mm256_setzero_si256()));
}
#endif

#ifdef __SSSE3__
static inline __m128i table16(const uint8_t *at)
{
    return _mm_load_si128((const __m128i *)at);
}

static inline __m128i sieve_one(const struct ft_content_filter *f, __m128i v, uint32_t i)
{
    const __m128i half = _mm_set1_epi8(15);
    __m128i low = _mm_shuffle_epi8(table16(f->low[i]), _mm_and_si128(v, half));
    __m128i high = _mm_shuffle_epi8(table16(f->high[i]), _mm_and_si128(_mm_srli_epi16(v, 4), half));
    return _mm_and_si128(low, high);
}

static inline uint32_t places(__m128i buckets)
{
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(buckets, _mm_setzero_si128())) ^ 0xffff;
}

#ifndef __AVX2__
static inline uint32_t sieve(const struct ft_content_filter *f, const uint8_t *at)
{
    __m128i buckets = _mm_set1_epi8(-1);
    for (uint32_t i = 0; i < QUAD; i++) {
        __m128i v = _mm_loadu_si128((const __m128i *)(at + i));
        buckets = _mm_and_si128(buckets, sieve_one(f, v, i));
    }
    return places(buckets);
}
#endif

/* The 16 places of a text of 8 to 16 bytes, without a copy of it in memory. */
static inline uint32_t sieve_short(const struct ft_content_filter *f, const uint8_t *bytes,
                                   uint32_t length)
{
    uint64_t first, last;
    memcpy(&first, bytes, 8);
    memcpy(&last, bytes + length - 8, 8);
    last = length > 8 ? last >> (8 * (16 - length)) : 0;
    __m128i v = _mm_set_epi64x((int64_t)last, (int64_t)first);
    __m128i buckets = _mm_and_si128(sieve_one(f, v, 0), sieve_one(f, _mm_srli_si128(v, 1), 1));
    buckets = _mm_and_si128(buckets, sieve_one(f, _mm_srli_si128(v, 2), 2));
    return places(_mm_and_si128(buckets, sieve_one(f, _mm_srli_si128(v, 3), 3)));
}
#else
static inline uint32_t sieve(const struct ft_content_filter *f, const uint8_t *at)
{
    (void)f;
    (void)at;
    return 0xffff;
}

static inline uint32_t sieve_short(const struct ft_content_filter *f, const uint8_t *bytes,
                                   uint32_t length)
{
    (void)f;
    (void)bytes;
    (void)length;
    return 0xffff;
}
#endif

/* The second sieve, at the places that the first let pass. */
static inline bool passes_among(const struct ft_content_filter *f, uint32_t left, const uint8_t *at,
                                uint32_t length)
{
    for (; left; left &= left - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(left);
        if (i < length && passes_at(f, at + i, length - i))
            return true;
    }
    return false;
}

static inline bool passes_here(const struct ft_content_filter *f, const uint8_t *at,
                               uint32_t length)
{
    return passes_among(f, sieve(f, at), at, length);
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
    if (length > FT_CONTENT_FILTER_TEXT)
        return true;
    if (length < PAIR)
        return false;
    if (length >= 8 && length <= 16)
        return passes_among(f, sieve_short(f, bytes, length), bytes, length);
    if (length < WINDOW) {
        uint8_t whole[WINDOW] = {0};
        memcpy(whole, bytes, length);
        return passes_here(f, whole, length) || (length > LANES && pair_ends(f, bytes, length));
    }
    for (uint32_t at = 0; at + WINDOW < length; at += LANES)
        if (passes_here(f, bytes + at, length - at))
            return true;
    /* the last window overlaps the one before it: nothing is read behind the end */
    return passes_here(f, bytes + length - WINDOW, WINDOW) || pair_ends(f, bytes, length);
}
#endif
