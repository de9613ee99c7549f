/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Patterns in bytes: Hyperscan for nearly all, vectors for the shortest, PCRE2 for the rest.
 *
 * PCRE2 is the law of what an expression is: each is compiled by it first, and what it refuses is
 * refused. Hyperscan then takes what it can, and both agree (a test compares them). What Hyperscan
 * cannot take (back references, look around) it can still filter, as a rule: in its prefiltering
 * mode it finds all texts that may match, in the same scan as everything else, and PCRE2 runs on
 * those alone.
 */
#include "rules/content.h"

#include "base/hash.h"
#include "rules/content_filter.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <hs.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SHORT_BYTES = 3, /* literals up to here are searched for directly ... */
    SHORTS_MAX = 8,  /* ... when a group has no more of them: each is a pass over the bytes */
    LANES = 32,
    EXPRESSIONS_MAX = 64, /* in one database: the time to compile them grows with the square */
};

/*
 * Limits of PCRE2. It counts the steps from each start anew, so their number is bounded by limit
 * times starts: the limit is less for longer texts, which bounds the time for a text whatever its
 * length. The least one is what expressions need that are not out of hand.
 */
#define STEPS_PER_TEXT  5000000u
#define STEPS_MIN       500u
#define STEPS_MAX       50000u
#define DEPTH_MAX       1000u
#define HEAP_KIB        256u
#define JIT_STACK_BYTES (256u * 1024)

/* Frames of the interpreter grow by doubling up to HEAP_KIB, the old ones beside the new. */
#define ARENA_BYTES ((size_t)4 * HEAP_KIB * 1024)

/* What becomes of a pattern; finer than enum ft_content_means. */
enum plan {
    PLAN_DIRECT,
    PLAN_SCANNED,    /* by Hyperscan */
    PLAN_FILTERED,   /* by Hyperscan, which lets too much pass, then by PCRE2 */
    PLAN_UNFILTERED, /* by PCRE2 alone, on each text */
};

struct short_literal {
    uint32_t pattern;
    uint8_t length;
    uint8_t bytes[SHORT_BYTES]; /* letters in lower case where case does not count ... */
    uint8_t fold[SHORT_BYTES];  /* ... and then 0x20, which makes others of them lower case too */
};

struct ft_content {
    uint32_t shares; /* owners besides the first */
    uint32_t count;
    uint8_t *plans;            /* enum plan of each pattern */
    uint32_t *lengths;         /* of each literal; 0: an expression */
    pcre2_code **codes;        /* of those in PCRE2 */
    hs_database_t **databases; /* NULL: nothing is Hyperscan's */
    uint32_t database_count;
    struct ft_content_filter *filter; /* before all of them; NULL: there is none */
    struct short_literal shorts[SHORTS_MAX];
    uint32_t short_count;
    uint32_t *unfiltered;
    uint32_t unfiltered_count;
};

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

/* ---- one pattern ---- */

static pcre2_code *expression_compile(const struct ft_pattern *p, uint32_t *offset, char *error,
                                      size_t error_size)
{
    int wrong = PCRE2_ERROR_NOMEMORY;
    PCRE2_SIZE at = 0;
    pcre2_code *code = NULL;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (context) {
        pcre2_set_newline(context, PCRE2_NEWLINE_LF); /* whatever the library was built with */
        code = pcre2_compile((PCRE2_SPTR)p->bytes, p->length,
                             PCRE2_DOTALL | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP |
                                 (p->ignores_case ? PCRE2_CASELESS : 0),
                             &wrong, &at, context);
        pcre2_compile_context_free(context);
    }
    if (!code) {
        PCRE2_UCHAR text[128];
        pcre2_get_error_message(wrong, text, sizeof(text));
        *offset = (uint32_t)at;
        snprintf(error, error_size, "%s at offset %zu", (const char *)text, (size_t)at);
    }
    return code;
}

/* Has it conditions that no set of short texts can show? May say yes too often. */
static bool looks_around(const struct ft_pattern *p)
{
    for (uint32_t i = 0; i + 2 < p->length; i++) {
        const char *c = p->bytes + i;
        if (c[0] == '(' && (c[1] == '*' || (c[1] == '?' && strchr("=!<(", c[2]))))
            return true;
    }
    return false;
}

/* All pairs of bytes one after another (a sequence of de Bruijn): 65536 bytes. */
static void all_pairs(uint8_t *to)
{
    for (unsigned a = 0; a < 256; a++) {
        *to++ = (uint8_t)a;
        for (unsigned b = a + 1; b < 256; b++) {
            *to++ = (uint8_t)a;
            *to++ = (uint8_t)b;
        }
    }
}

/*
 * An expression that can match an empty text holds for every text, unless it is bound to both ends
 * ("^[0-9]*$"): then there are texts that it does not match, and those tried here will show it.
 */
static bool always_holds(const pcre2_code *code, const struct ft_pattern *p)
{
    enum {
        PAIRS = 65536
    };
    uint32_t matches_empty = 0;
    pcre2_pattern_info(code, PCRE2_INFO_MATCHEMPTY, &matches_empty);
    if (!matches_empty || looks_around(p))
        return false;
    uint8_t *text = malloc(PAIRS);
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);
    bool always = text && limits && match;
    if (always) {
        pcre2_set_match_limit(limits, STEPS_MAX);
        all_pairs(text);
        always = pcre2_match(code, text, PAIRS, 0, 0, match, limits) != PCRE2_ERROR_NOMATCH &&
                 pcre2_match(code, text, 0, 0, 0, match, limits) != PCRE2_ERROR_NOMATCH;
        for (unsigned i = 0; always && i < 256; i++) {
            text[0] = (uint8_t)i;
            always = pcre2_match(code, text, 1, 0, 0, match, limits) != PCRE2_ERROR_NOMATCH;
        }
    }
    pcre2_match_data_free(match);
    pcre2_match_context_free(limits);
    free(text);
    return always;
}

/* "(?xx)" is extended twice for PCRE2 and once for Hyperscan. May say yes too often. */
static bool is_for_pcre2_only(const struct ft_pattern *p)
{
    for (uint32_t i = 0; i + 1 < p->length; i++) {
        if (p->bytes[i] != '(' || p->bytes[i + 1] != '?')
            continue;
        for (uint32_t j = i + 2; j + 1 < p->length && strchr("imnsx^-JU", p->bytes[j]); j++)
            if (p->bytes[j] == 'x' && p->bytes[j + 1] == 'x')
                return true;
    }
    return false;
}

static unsigned hs_flags(const struct ft_pattern *p, enum plan plan)
{
    unsigned flags = HS_FLAG_SINGLEMATCH | (p->ignores_case ? HS_FLAG_CASELESS : 0);
    if (p->is_regex)
        flags |= HS_FLAG_DOTALL | (plan == PLAN_FILTERED ? HS_FLAG_PREFILTER : HS_FLAG_ALLOWEMPTY);
    return flags;
}

/* As an expression for Hyperscan; freed by the caller. */
static char *hs_text(const struct ft_pattern *p)
{
    char *text = malloc((size_t)p->length * 4 + 1);
    if (!text)
        return NULL;
    if (p->is_regex) {
        memcpy(text, p->bytes, p->length);
        text[p->length] = '\0';
        return text;
    }
    for (uint32_t i = 0; i < p->length; i++)
        snprintf(text + (size_t)i * 4, 5, "\\x%02x", (uint8_t)p->bytes[i]);
    return text;
}

/* Whether Hyperscan understands it so planned; what is too large shows itself when compiled only.
 */
static bool hs_takes(const struct ft_pattern *p, const char *text, enum plan plan)
{
    hs_expr_info_t *info = NULL;
    hs_compile_error_t *wrong = NULL;
    if (hs_expression_info(text, hs_flags(p, plan), &info, &wrong) != HS_SUCCESS) {
        hs_free_compile_error(wrong);
        return false;
    }
    bool takes = plan == PLAN_SCANNED || info->min_width > 0; /* else it would filter nothing */
    free(info);
    return takes;
}

static enum plan expression_plan(const struct ft_pattern *p)
{
    if (is_for_pcre2_only(p))
        return PLAN_UNFILTERED;
    enum plan plan = PLAN_UNFILTERED;
    char *text = hs_text(p);
    if (text && hs_takes(p, text, PLAN_SCANNED))
        plan = PLAN_SCANNED;
    else if (text && hs_takes(p, text, PLAN_FILTERED))
        plan = PLAN_FILTERED;
    free(text);
    return plan;
}

static bool literal_check(const struct ft_pattern *p, char *error, size_t error_size)
{
    if (!p->length)
        snprintf(error, error_size, "the text is empty, so it would always be found");
    else if (p->length > FT_CONTENT_MAX_LITERAL)
        snprintf(error, error_size, "the text has %u bytes, of which there may be %u", p->length,
                 FT_CONTENT_MAX_LITERAL);
    return p->length && p->length <= FT_CONTENT_MAX_LITERAL;
}

/* The code of a correct expression, which the caller frees; else NULL and a sentence. */
static pcre2_code *expression_check(const struct ft_pattern *p, uint32_t *offset, char *error,
                                    size_t error_size)
{
    const char *nul = memchr(p->bytes, 0, p->length);
    if (nul) {
        *offset = (uint32_t)(nul - p->bytes);
        snprintf(error, error_size, "the byte 0 at offset %u has to be written as \\x00", *offset);
        return NULL;
    }
    if (p->length > FT_CONTENT_MAX_EXPRESSION) {
        snprintf(error, error_size, "the expression has %u bytes, of which there may be %u",
                 p->length, FT_CONTENT_MAX_EXPRESSION);
        return NULL;
    }
    pcre2_code *code = expression_compile(p, offset, error, error_size);
    if (code && always_holds(code, p)) {
        snprintf(error, error_size, "the expression matches every text, so it would always hold");
        pcre2_code_free(code);
        return NULL;
    }
    return code;
}

/* `*code`: of an expression for PCRE2, the caller's; NULL for others. */
static bool examine(const struct ft_pattern *p, enum plan *plan, pcre2_code **code,
                    uint32_t *offset, char *error, size_t error_size)
{
    *code = NULL;
    *offset = UINT32_MAX;
    if (!p->is_regex) {
        *plan = p->length <= SHORT_BYTES ? PLAN_DIRECT : PLAN_SCANNED;
        return literal_check(p, error, error_size);
    }
    if (!(*code = expression_check(p, offset, error, error_size)))
        return false;
    *plan = expression_plan(p);
    if (*plan == PLAN_SCANNED) {
        pcre2_code_free(*code);
        *code = NULL;
    }
    return true;
}

static enum ft_content_means means_of(enum plan plan)
{
    return plan == PLAN_DIRECT    ? FT_CONTENT_DIRECT
           : plan == PLAN_SCANNED ? FT_CONTENT_HYPERSCAN
                                  : FT_CONTENT_PCRE2;
}

bool ft_content_check(const struct ft_pattern *pattern, enum ft_content_means *means,
                      uint32_t *offset, char *error, size_t error_size)
{
    enum plan plan;
    pcre2_code *code;
    bool ok = examine(pattern, &plan, &code, offset, error, error_size);
    pcre2_code_free(code);
    if (ok)
        *means = means_of(plan);
    return ok;
}

/* ---- a group ---- */

/* What goes into a database. */
struct batch {
    char **texts;
    unsigned *flags, *ids; /* the id is the index of the pattern */
    unsigned count;
};

static void batch_free(struct batch *b)
{
    for (unsigned i = 0; b->texts && i < b->count; i++)
        free(b->texts[i]);
    free(b->texts);
    free(b->flags);
    free(b->ids);
}

/* What is Hyperscan's, cut into pieces: all literals and the first expressions, then the next. */
static bool batch_collect(struct batch *b, const struct ft_content *c,
                          const struct ft_pattern *patterns, uint32_t piece)
{
    uint32_t expressions = 0;
    *b = (struct batch){.texts = calloc(c->count + 1, sizeof(*b->texts)),
                        .flags = calloc(c->count + 1, sizeof(*b->flags)),
                        .ids = calloc(c->count + 1, sizeof(*b->ids))};
    if (!b->texts || !b->flags || !b->ids)
        return false;
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->plans[i] != PLAN_SCANNED && c->plans[i] != PLAN_FILTERED)
            continue;
        if ((patterns[i].is_regex ? expressions++ / EXPRESSIONS_MAX : 0) != piece)
            continue;
        if (!(b->texts[b->count] = hs_text(&patterns[i])))
            return false;
        b->flags[b->count] = hs_flags(&patterns[i], (enum plan)c->plans[i]);
        b->ids[b->count++] = i;
    }
    return true;
}

/* An expression that Hyperscan finds too large goes to PCRE2 alone. */
static bool demote(struct ft_content *c, const struct ft_pattern *patterns, struct batch *b,
                   unsigned which)
{
    uint32_t i = b->ids[which], offset;
    char error[1];
    if (!patterns[i].is_regex)
        return false;
    if (!c->codes[i])
        c->codes[i] = expression_compile(&patterns[i], &offset, error, sizeof(error));
    c->plans[i] = PLAN_UNFILTERED;
    free(b->texts[which]);
    b->count--;
    b->texts[which] = b->texts[b->count];
    b->flags[which] = b->flags[b->count];
    b->ids[which] = b->ids[b->count];
    return c->codes[i] != NULL;
}

static bool database_compile(struct ft_content *c, const struct ft_pattern *patterns,
                             struct batch *b, char *error, size_t error_size)
{
    hs_database_t **to = &c->databases[c->database_count];
    bool ok = true;
    while (ok && b->count && !*to) {
        hs_compile_error_t *wrong = NULL;
        if (hs_compile_multi((const char *const *)b->texts, b->flags, b->ids, b->count,
                             HS_MODE_BLOCK, NULL, to, &wrong) == HS_SUCCESS)
            break;
        *to = NULL;
        ok = wrong->expression >= 0 && demote(c, patterns, b, (unsigned)wrong->expression);
        if (!ok)
            snprintf(error, error_size, "Hyperscan cannot compile %u patterns: %s", b->count,
                     wrong->message);
        hs_free_compile_error(wrong);
    }
    c->database_count += *to != NULL;
    return ok;
}

/* From the last piece to the first: what goes to PCRE2 after all must not move others. */
static bool databases_compile(struct ft_content *c, const struct ft_pattern *patterns, char *error,
                              size_t error_size)
{
    uint32_t expressions = 0;
    for (uint32_t i = 0; i < c->count; i++)
        expressions += patterns[i].is_regex;
    uint32_t pieces = expressions / EXPRESSIONS_MAX + 1;
    bool ok = (c->databases = calloc(pieces, sizeof(*c->databases))) != NULL;
    if (!ok)
        snprintf(error, error_size, "out of memory");
    for (uint32_t piece = pieces; ok && piece-- > 0;) {
        struct batch b;
        ok = batch_collect(&b, c, patterns, piece);
        if (ok)
            ok = database_compile(c, patterns, &b, error, error_size);
        else
            snprintf(error, error_size, "out of memory");
        batch_free(&b);
    }
    return ok;
}

static struct short_literal short_make(const struct ft_pattern *p, uint32_t index)
{
    struct short_literal s = {.pattern = index, .length = (uint8_t)p->length};
    for (uint32_t i = 0; i < p->length; i++) {
        uint8_t lower = (uint8_t)p->bytes[i] | 0x20;
        bool folds = p->ignores_case && lower >= 'a' && lower <= 'z';
        s.bytes[i] = folds ? lower : (uint8_t)p->bytes[i];
        s.fold[i] = folds ? 0x20 : 0;
    }
    return s;
}

static void shorts_collect(struct ft_content *c, const struct ft_pattern *patterns)
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < c->count; i++)
        total += c->plans[i] == PLAN_DIRECT;
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->plans[i] != PLAN_DIRECT)
            continue;
        if (total > SHORTS_MAX)
            c->plans[i] = PLAN_SCANNED;
        else
            c->shorts[c->short_count++] = short_make(&patterns[i], i);
    }
}

/* Machine code where it can be had; without it the interpreter does the same. */
static void expressions_finish(struct ft_content *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->codes[i])
            pcre2_jit_compile(c->codes[i], PCRE2_JIT_COMPLETE);
        if (c->plans[i] == PLAN_UNFILTERED)
            c->unfiltered[c->unfiltered_count++] = i;
    }
}

static bool patterns_examine(struct ft_content *c, const struct ft_pattern *patterns, char *error,
                             size_t error_size)
{
    for (uint32_t i = 0; i < c->count; i++) {
        char wrong[192];
        uint32_t offset;
        enum plan plan;
        if (!examine(&patterns[i], &plan, &c->codes[i], &offset, wrong, sizeof(wrong))) {
            snprintf(error, error_size, "pattern %u: %s", i, wrong);
            return false;
        }
        c->plans[i] = (uint8_t)plan;
        c->lengths[i] = patterns[i].is_regex ? 0 : patterns[i].length;
    }
    return true;
}

struct ft_content *ft_content_new(const struct ft_pattern *patterns, uint32_t count, char *error,
                                  size_t error_size)
{
    if (count > FT_CONTENT_MAX_PATTERNS) {
        snprintf(error, error_size, "%u patterns in one group, of which there may be %u", count,
                 FT_CONTENT_MAX_PATTERNS);
        return NULL;
    }
    struct ft_content *c = calloc(1, sizeof(*c));
    if (c) {
        c->count = count;
        c->plans = calloc(count + 1, sizeof(*c->plans));
        c->lengths = calloc(count + 1, sizeof(*c->lengths));
        c->codes = calloc(count + 1, sizeof(*c->codes));
        c->unfiltered = calloc(count + 1, sizeof(*c->unfiltered));
    }
    if (!c || !c->plans || !c->lengths || !c->codes || !c->unfiltered) {
        snprintf(error, error_size, "out of memory");
        ft_content_free(c);
        return NULL;
    }
    bool ok = patterns_examine(c, patterns, error, error_size);
    if (ok)
        shorts_collect(c, patterns);
    if (!ok || !databases_compile(c, patterns, error, error_size)) {
        ft_content_free(c);
        return NULL;
    }
    expressions_finish(c);
    c->filter = ft_content_filter_new(patterns, count);
    return c;
}

struct ft_content *ft_content_share(struct ft_content *c)
{
    c->shares++;
    return c;
}

void ft_content_free(struct ft_content *c)
{
    if (!c || c->shares--)
        return;
    for (uint32_t i = 0; c->codes && i < c->count; i++)
        pcre2_code_free(c->codes[i]);
    for (uint32_t i = 0; i < c->database_count; i++)
        hs_free_database(c->databases[i]);
    free(c->databases);
    ft_content_filter_free(c->filter);
    free(c->plans);
    free(c->lengths);
    free(c->codes);
    free(c->unfiltered);
    free(c);
}

uint64_t ft_content_fingerprint(const struct ft_pattern *patterns, uint32_t count)
{
    uint64_t hash = count;
    for (uint32_t i = 0; i < count; i++) {
        const struct ft_pattern *p = &patterns[i];
        uint64_t kind = p->length | (uint64_t)p->is_regex << 32 | (uint64_t)p->ignores_case << 33;
        hash = ft_hash_bytes(ft_hash_mix(hash, kind), p->bytes, p->length);
    }
    return hash;
}

enum ft_content_means ft_content_means(const struct ft_content *c, uint32_t index)
{
    return means_of((enum plan)c->plans[index]);
}

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

static inline bool short_is_at(const struct short_literal *s, const uint8_t *at)
{
    for (uint32_t i = 0; i < s->length; i++)
        if ((at[i] | s->fold[i]) != s->bytes[i])
            return false;
    return true;
}

/* The first end of a short literal; 0: it is not there. LANES starts at a time. */
static uint32_t short_find(const struct short_literal *s, const uint8_t *bytes, uint32_t length)
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
