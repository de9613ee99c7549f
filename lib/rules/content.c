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
#include "rules/content_internal.h"

#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>

/* In one database: the time to compile them grows with the square. */
#define EXPRESSIONS_MAX 64u

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
        if (!(b->texts[b->count] = ft_content_hs_text(&patterns[i])))
            return false;
        b->flags[b->count] = ft_content_hs_flags(&patterns[i], (enum ft_content_plan)c->plans[i]);
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
        c->codes[i] = ft_content_expression(&patterns[i], &offset, error, sizeof(error));
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

static struct ft_content_short short_make(const struct ft_pattern *p, uint32_t index)
{
    struct ft_content_short s = {.pattern = index, .length = (uint8_t)p->length};
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
        enum ft_content_plan plan;
        if (!ft_content_examine(&patterns[i], &plan, &c->codes[i], &offset, wrong, sizeof(wrong))) {
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
        hash = ft_hash_bytes(ft_hash_mix(hash ^ p->least, kind), p->bytes, p->length);
    }
    return hash;
}

enum ft_content_means ft_content_means(const struct ft_content *c, uint32_t index)
{
    return ft_content_means_of((enum ft_content_plan)c->plans[index]);
}
