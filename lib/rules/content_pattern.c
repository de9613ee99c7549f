/* SPDX-License-Identifier: BSD-3-Clause */
/* One pattern: is it right, would it always hold, and who looks for it? */
#include "rules/content_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

pcre2_code *ft_content_expression(const struct ft_pattern *p, uint32_t *offset, char *error,
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

unsigned ft_content_hs_flags(const struct ft_pattern *p, enum ft_content_plan plan)
{
    unsigned flags = HS_FLAG_SINGLEMATCH | (p->ignores_case ? HS_FLAG_CASELESS : 0);
    if (p->is_regex)
        flags |= HS_FLAG_DOTALL | (plan == PLAN_FILTERED ? HS_FLAG_PREFILTER : HS_FLAG_ALLOWEMPTY);
    return flags;
}

char *ft_content_hs_text(const struct ft_pattern *p)
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
static bool hs_takes(const struct ft_pattern *p, const char *text, enum ft_content_plan plan)
{
    hs_expr_info_t *info = NULL;
    hs_compile_error_t *wrong = NULL;
    if (hs_expression_info(text, ft_content_hs_flags(p, plan), &info, &wrong) != HS_SUCCESS) {
        hs_free_compile_error(wrong);
        return false;
    }
    bool takes = plan == PLAN_SCANNED || info->min_width > 0; /* else it would filter nothing */
    free(info);
    return takes;
}

static enum ft_content_plan expression_plan(const struct ft_pattern *p)
{
    if (is_for_pcre2_only(p))
        return PLAN_UNFILTERED;
    enum ft_content_plan plan = PLAN_UNFILTERED;
    char *text = ft_content_hs_text(p);
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
    pcre2_code *code = ft_content_expression(p, offset, error, error_size);
    if (code && always_holds(code, p)) {
        snprintf(error, error_size, "the expression matches every text, so it would always hold");
        pcre2_code_free(code);
        return NULL;
    }
    return code;
}

bool ft_content_examine(const struct ft_pattern *p, enum ft_content_plan *plan, pcre2_code **code,
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

enum ft_content_means ft_content_means_of(enum ft_content_plan plan)
{
    return plan == PLAN_DIRECT    ? FT_CONTENT_DIRECT
           : plan == PLAN_SCANNED ? FT_CONTENT_HYPERSCAN
                                  : FT_CONTENT_PCRE2;
}

bool ft_content_check(const struct ft_pattern *pattern, enum ft_content_means *means,
                      uint32_t *offset, char *error, size_t error_size)
{
    enum ft_content_plan plan;
    pcre2_code *code;
    bool ok = ft_content_examine(pattern, &plan, &code, offset, error, error_size);
    pcre2_code_free(code);
    if (ok)
        *means = ft_content_means_of(plan);
    return ok;
}

bool ft_content_may_match(const struct ft_pattern *p, const char *bytes, uint32_t length,
                          bool is_match)
{
    char error[256];
    uint32_t offset;
    int found = PCRE2_ERROR_MATCHLIMIT;
    pcre2_code *code = ft_content_expression(p, &offset, error, sizeof(error));
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);
    if (code && limits && match) {
        pcre2_set_match_limit(limits, STEPS_MAX);
        found = pcre2_match(code, (PCRE2_SPTR)bytes, length, 0, 0, match, limits);
    }
    pcre2_match_data_free(match);
    pcre2_match_context_free(limits);
    pcre2_code_free(code);
    return is_match ? found != PCRE2_ERROR_NOMATCH : found < 0;
}
