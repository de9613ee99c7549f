/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/nearest.h"

#include <string.h>

#define WORD_MAX   31u
#define WITHIN_MIN 3u /* "in", "or" and "id" are words of too many names */
#define BEGUN_MIN  2u

/* Edits that make one word of the other (Levenshtein); two letters that changed places, the slip
 * that fingers make most, are one edit. */
static unsigned distance(const char *a, const char *b)
{
    unsigned rows[3][WORD_MAX + 1], la = (unsigned)strlen(a), lb = (unsigned)strlen(b);
    if (la > WORD_MAX || lb > WORD_MAX)
        return WORD_MAX;
    for (unsigned j = 0; j <= lb; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= la; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        row[0] = i;
        for (unsigned j = 1; j <= lb; j++) {
            unsigned least = above[j - 1] + (a[i - 1] != b[j - 1]);
            least = above[j] + 1 < least ? above[j] + 1 : least;
            least = row[j - 1] + 1 < least ? row[j - 1] + 1 : least;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < least)
                least = before[j - 2] + 1;
            row[j] = least;
        }
    }
    return rows[la % 3][lb];
}

static bool is_between(char c)
{
    return c == '-' || c == '_';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Words with - or _ between and around them. Those that begin with a digit are none: "UTC-5" says
 * something else than "UTC". Nor are those with a dot, whose parts are names of different things:
 * the slip in "modbsu.start_address" is in the protocol. */
static bool are_words(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool begins = !i || is_between(text[i - 1]);
        bool is_digit = text[i] >= '0' && text[i] <= '9';
        if (!is_between(text[i]) && !is_letter(text[i]) && (begins || !is_digit))
            return false;
    }
    return true;
}

/* Does the word say `valid`, as whole words, and other words? */
static bool contains(const char *word, const char *valid)
{
    size_t n = strlen(word), length = strlen(valid);
    for (size_t i = 0; length < n && i + length <= n; i++) {
        const char *behind = word + i + length;
        bool is_whole = (!i || is_between(word[i - 1])) && (!*behind || is_between(*behind));
        if (is_whole && memcmp(word + i, valid, length) == 0)
            return are_words(word, i) && are_words(behind, n - length - i);
    }
    return false;
}

/* With one letter more, or several. */
static bool begins(const char *word, const char *with)
{
    size_t n = strlen(with);
    return strncmp(word, with, n) == 0 && word[n];
}

bool ft_nearest_says_more(const char *valid, const char *word)
{
    size_t n = strlen(word);
    return n >= BEGUN_MIN && (begins(valid, word) || (n >= WITHIN_MIN && contains(valid, word)));
}

/* One of several is meant only if it begins all the others. */
static void offer_begun(struct ft_nearest *n, const char *valid)
{
    if (!ft_nearest_says_more(valid, n->word))
        return;
    if (!n->begun || begins(n->begun, valid))
        n->begun = valid;
    else if (!begins(valid, n->begun))
        n->is_any = true;
    n->best = n->is_any ? NULL : n->begun;
}

struct ft_nearest ft_nearest_begin(const char *word)
{
    /* One wrong letter of three is a slip, more is another word: who writes "zones" does not mean
     * "cores". */
    return (struct ft_nearest){.word = word, .least = (unsigned)strlen(word) / 3 + 1};
}

void ft_nearest_offer(struct ft_nearest *n, const char *valid)
{
    unsigned edits = distance(n->word, valid);
    unsigned length = (unsigned)strlen(valid);
    if (edits < n->least && edits < WORD_MAX) {
        n->least = edits;
        n->is_near = true;
        n->best = valid;
    } else if (!n->is_near && length >= WITHIN_MIN && length > n->within &&
               contains(n->word, valid)) {
        n->within = length;
        n->best = valid;
    } else if (!n->is_near && !n->within) {
        offer_begun(n, valid);
    }
}
