/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/nearest.h"

#include <string.h>

#define WORD_MAX 31u

/* Edits that make one word of the other (Levenshtein). */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[WORD_MAX + 1], la = (unsigned)strlen(a), lb = (unsigned)strlen(b);
    if (la > WORD_MAX || lb > WORD_MAX)
        return WORD_MAX;
    for (unsigned j = 0; j <= lb; j++)
        row[j] = j;
    for (unsigned i = 1; i <= la; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= lb; j++) {
            unsigned replaced = diagonal + (a[i - 1] != b[j - 1]);
            unsigned least = row[j] + 1 < row[j - 1] + 1 ? row[j] + 1 : row[j - 1] + 1;
            diagonal = row[j];
            row[j] = replaced < least ? replaced : least;
        }
    }
    return row[lb];
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
    if (edits >= n->least || edits >= WORD_MAX)
        return;
    n->least = edits;
    n->best = valid;
}
