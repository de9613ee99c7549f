/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rules that are tested also where two payloads of a stream meet: those for which more bytes never
 * are less. They look for patterns, wherever these stand; so what holds for the bytes on both sides
 * of a border, and for neither side alone, is in the bytes across it.
 */
#include "rules/program.h"

#include <string.h>

/* Does an expression ask where a text begins or ends, or what stands around it? */
static bool has_anchor(const char *text, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++) {
        char next = i + 1 < length ? text[i + 1] : 0;
        bool is_class = i && text[i - 1] == '[';
        bool is_around =
            text[i] == '(' &&
            (next == '*' || (next == '?' && i + 2 < length && strchr("=!<", text[i + 2])));
        if (text[i] == '\\' && next && strchr("AzZbBG", next))
            return true;
        if (is_around || text[i] == '$' || (text[i] == '^' && !is_class))
            return true;
        i += text[i] == '\\';
    }
    return false;
}

static bool is_pattern(const struct ft_test *t)
{
    return t->kind == FT_TEST_CONTAINS || t->kind == FT_TEST_MATCHES;
}

/* Is it the same for all payloads of a stream, or does it hold for more bytes if for less? */
static bool is_joinable(const struct ft_test *t)
{
    if (t->left.is_tag || t->right.is_tag || t->left.keyword == FT_KEYWORD_PAYLOAD_LENGTH ||
        t->right.keyword == FT_KEYWORD_PAYLOAD_LENGTH || t->right.keyword == FT_KEYWORD_PAYLOAD)
        return false;
    if (t->left.keyword != FT_KEYWORD_PAYLOAD)
        return true;
    return !t->is_negated && !t->is_none &&
           (t->kind == FT_TEST_EXISTS || t->kind == FT_TEST_CONTAINS ||
            (t->kind == FT_TEST_MATCHES && !has_anchor(t->text, t->length)));
}

bool ft_program_is_joinable(const struct ft_program *p)
{
    bool has_pattern = false;
    for (uint32_t i = 0; i < p->count; i++) {
        if (p->code[i].kind != FT_INSTRUCTION_TEST || !is_joinable(p->code[i].test))
            return false;
        has_pattern |= is_pattern(p->code[i].test);
    }
    return has_pattern;
}
