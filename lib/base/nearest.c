/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/nearest.h"

#include <string.h>

#define WORD_MAX 31u

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
