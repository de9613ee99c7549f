/* SPDX-License-Identifier: BSD-3-Clause */
/* Looking for the patterns of a group in a text, and what a thread needs for that. */
#include "rules/content_internal.h"

#include <stdlib.h>
#include <string.h>

#define LANES 32

/*
 * Limits of PCRE2. It counts the steps from each start anew, so their number is bounded by limit
 * times starts: the limit is less for longer texts, which bounds the time for a text whatever its
 * length. The least one is what expressions need that are not out of hand.
 */
#define STEPS_PER_TEXT  5000000u
#define STEPS_MIN       500u
#define DEPTH_MAX       1000u
#define HEAP_KIB        256u
#define JIT_STACK_BYTES (256u * 1024)

/* Frames of the interpreter grow by doubling up to HEAP_KIB, the old ones beside the new. */
#define ARENA_BYTES ((size_t)4 * HEAP_KIB * 1024)

/* Memory for the interpreter of PCRE2: room that is there before, so that none is asked for. */
struct arena {
    uint8_t *room;
    size_t used, first; /* `first`: up to where the match data are, which live as long as it */
    unsigned blocks;
};

struct ft_content_scratch {
    hs_scratch_t *hs;
    /* Patterns found so far, and words of `found` that are not 0: all 0 between scans. */
    uint64_t summary[FT_CONTENT_MAX_PATTERNS / 64 / 64];
    uint64_t *found;
    uint32_t *ends; /* of those in `found` */
    struct arena arena;
    pcre2_general_context *memory;
    pcre2_match_context *limits;
    pcre2_match_data *match;
    pcre2_jit_stack *stack;
};

/* ---- what a thread needs ---- */

static void *arena_take(PCRE2_SIZE size, void *user)
{
    struct arena *a = user;
    size = (size + 15) & ~(size_t)15;
    if (size > ARENA_BYTES - a->used)
        return NULL; /* the match fails for want of memory, as one whose limits are reached */
    void *block = a->room + a->used;
    a->used += size;
    if (!a->blocks++)
        a->first = a->used;
    return block;
}

static void arena_return(void *block, void *user)
{
    struct arena *a = user;
    if (block && --a->blocks == 1)
        a->used = a->first;
}

static bool scratch_prepare_pcre2(struct ft_content_scratch *s)
{
    if (s->match)
        return true;
    if (!(s->arena.room = malloc(ARENA_BYTES)) ||
        !(s->memory = pcre2_general_context_create(arena_take, arena_return, &s->arena)))
        return false;
    /* the context itself lies in the arena too: it counts as there before the match data */
    s->arena.blocks = 0;
    s->limits = pcre2_match_context_create(NULL);
    s->match = pcre2_match_data_create(1, s->memory);
    /* as large from the beginning as it may become: growing would be a system call */
    s->stack = pcre2_jit_stack_create(JIT_STACK_BYTES, JIT_STACK_BYTES, NULL);
    if (!s->limits || !s->match)
        return false;
    pcre2_set_depth_limit(s->limits, DEPTH_MAX);
    pcre2_set_heap_limit(s->limits, HEAP_KIB);
    if (s->stack) /* there is none where there is no machine code */
        pcre2_jit_stack_assign(s->limits, NULL, s->stack);
    return true;
}

static bool scratch_fit(struct ft_content_scratch *s, const struct ft_content *c)
{
    bool needs_pcre2 = false, ok = true;
    for (uint32_t i = 0; i < c->count; i++)
        needs_pcre2 |= c->codes[i] != NULL;
    for (uint32_t i = 0; ok && i < c->database_count; i++)
        ok = hs_alloc_scratch(c->databases[i], &s->hs) == HS_SUCCESS;
    return ok && (!needs_pcre2 || scratch_prepare_pcre2(s));
}

struct ft_content_scratch *ft_content_scratch_new(const struct ft_content *const *contents,
                                                  uint32_t count)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < count; i++)
        most = contents[i]->count > most ? contents[i]->count : most;
    struct ft_content_scratch *s = calloc(1, sizeof(*s));
    bool ok = s && (s->found = calloc(most / 64 + 1, sizeof(*s->found))) &&
              (s->ends = calloc(most + 1, sizeof(*s->ends)));
    for (uint32_t i = 0; ok && i < count; i++)
        ok = scratch_fit(s, contents[i]);
    if (ok)
        return s;
    ft_content_scratch_free(s);
    return NULL;
}

void ft_content_scratch_free(struct ft_content_scratch *s)
{
    if (!s)
        return;
    hs_free_scratch(s->hs);
    pcre2_jit_stack_free(s->stack);
    pcre2_match_data_free(s->match);
    pcre2_match_context_free(s->limits);
    free(s->arena.room); /* with the general context */
    free(s->found);
    free(s->ends);
    free(s);
}

/* ---- a scan ---- */

static void note(struct ft_content_scratch *s, uint32_t pattern, uint32_t end)
{
    uint32_t word = pattern / 64;
    uint64_t bit = 1ull << (pattern % 64);
    if ((s->found[word] & bit) && s->ends[pattern] <= end)
        return;
    s->summary[word / 64] |= 1ull << (word % 64);
    s->found[word] |= bit;
    s->ends[pattern] = end;
}

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                    void *user)
{
    (void)from;
    (void)flags;
    note(user, id, (uint32_t)to);
    return 0;
}

typedef uint8_t lanes __attribute__((vector_size(LANES)));

/* By pointer: how vectors are passed depends on what the processor is assumed to have. */
static inline void lanes_match(lanes *same, const uint8_t *at, uint8_t fold, uint8_t byte)
{
    lanes v;
    memcpy(&v, at, sizeof(v));
    *same &= (lanes)((v | fold) == byte);
}

static inline bool lanes_any(const lanes *v)
{
    uint64_t words[LANES / 8];
    memcpy(words, v, sizeof(words));
    return (words[0] | words[1] | words[2] | words[3]) != 0;
}

static inline bool short_is_at(const struct ft_content_short *s, const uint8_t *at)
{
    for (uint32_t i = 0; i < s->length; i++)
        if ((at[i] | s->fold[i]) != s->bytes[i])
            return false;
    return true;
}

/* The first end of a short literal; 0: it is not there. LANES starts at a time. */
static uint32_t short_find(const struct ft_content_short *s, const uint8_t *bytes, uint32_t length)
{
    if (length < s->length)
        return 0;
    size_t at = 0, starts = (size_t)length - s->length + 1;
    for (; at + LANES <= starts; at += LANES) {
        lanes same = ~(lanes){0};
        for (uint32_t i = 0; i < s->length; i++)
            lanes_match(&same, bytes + at + i, s->fold[i], s->bytes[i]);
        if (lanes_any(&same))
            break;
    }
    for (; at < starts; at++)
        if (short_is_at(s, bytes + at))
            return (uint32_t)at + s->length;
    return 0;
}

/* All that may be found is noted: what PCRE2 decides with an end that is not known yet. */
static bool candidates_note(const struct ft_content *c, struct ft_content_scratch *s,
                            const uint8_t *bytes, uint32_t length)
{
    for (uint32_t i = 0; i < c->short_count; i++) {
        uint32_t end = short_find(&c->shorts[i], bytes, length);
        if (end)
            note(s, c->shorts[i].pattern, end);
    }
    for (uint32_t i = 0; i < c->unfiltered_count; i++)
        note(s, c->unfiltered[i], length);
    bool ok = true;
    for (uint32_t i = 0; i < c->database_count; i++)
        ok &= hs_scan(c->databases[i], (const char *)bytes, length, 0, s->hs, on_match, s) ==
              HS_SUCCESS;
    return ok;
}

static void limits_set(struct ft_content_scratch *s, uint32_t length)
{
    uint32_t steps = STEPS_PER_TEXT / (length + 1);
    steps = steps < STEPS_MIN ? STEPS_MIN : steps > STEPS_MAX ? STEPS_MAX : steps;
    pcre2_set_match_limit(s->limits, steps);
}

/* Does PCRE2 match too? Then the end is that of its match. */
static bool expression_holds(const struct ft_content *c, struct ft_content_scratch *s,
                             uint32_t pattern, const uint8_t *bytes, uint32_t length,
                             uint64_t *given_up)
{
    limits_set(s, length);
    int result = pcre2_match(c->codes[pattern], bytes, length, 0, 0, s->match, s->limits);
    if (result < 0) {
        *given_up += result != PCRE2_ERROR_NOMATCH;
        return false;
    }
    s->ends[pattern] = (uint32_t)pcre2_get_ovector_pointer(s->match)[1];
    return true;
}

/* Where hits are written. */
struct hits {
    struct ft_content_hit *to;
    uint32_t room, count;
};

static void hit_add(struct hits *hits, const struct ft_content *c, uint32_t pattern, uint32_t end)
{
    uint32_t from = c->lengths[pattern] ? end - c->lengths[pattern] : UINT32_MAX;
    if (hits->count < hits->room)
        hits->to[hits->count] = (struct ft_content_hit){pattern, from, end};
    hits->count++;
}

const struct ft_content_filter *ft_content_filter(const struct ft_content *c)
{
    return c->filter;
}

bool ft_content_may_hold(const struct ft_content *c, const uint8_t *bytes, uint32_t length)
{
    return !c->filter || ft_content_filter_passes(c->filter, bytes, length);
}

uint32_t ft_content_scan(const struct ft_content *c, struct ft_content_scratch *s,
                         const uint8_t *bytes, uint32_t length, struct ft_content_hit *hits,
                         uint32_t room, uint64_t *given_up)
{
    struct hits all = {.to = hits, .room = room};
    if (!ft_content_may_hold(c, bytes, length))
        return 0;
    if (!length)
        bytes = (const uint8_t *)""; /* neither library takes NULL */
    if (!candidates_note(c, s, bytes, length))
        ++*given_up; /* the scratch was not made for this group */
    for (uint32_t i = 0; i * 4096 < c->count; i++) {
        for (; s->summary[i]; s->summary[i] &= s->summary[i] - 1) {
            uint32_t word = i * 64 + (uint32_t)__builtin_ctzll(s->summary[i]);
            for (; s->found[word]; s->found[word] &= s->found[word] - 1) {
                uint32_t p = word * 64 + (uint32_t)__builtin_ctzll(s->found[word]);
                if (!c->codes[p] || expression_holds(c, s, p, bytes, length, given_up))
                    hit_add(&all, c, p, s->ends[p]);
            }
        }
    }
    return all.count;
}
