/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A growing hash index: from a hash to numbers of entries that the caller keeps in an array.
 *
 * Open addressing, at most half full. The index never decides an order: callers walk their own
 * arrays, so hash keys may be random without a change in what is written. One thread.
 */
#ifndef FT_INDEX_H
#define FT_INDEX_H

#include <stdbool.h>
#include <stdint.h>

struct ft_index_slot {
    uint32_t tag;   /**< folded hash; its low bits are the home of the slot */
    uint32_t entry; /**< number from 1, 0 = free */
};

/** Zero is an empty index. */
struct ft_index {
    struct ft_index_slot *slots;
    uint32_t size; /**< power of two */
    uint32_t used;
};

/** A walk over the entries of one hash. */
struct ft_index_walk {
    uint32_t tag, at;
};

void ft_index_free(struct ft_index *ix);

/** Make room for one more entry; false when memory is short. Amortised constant. */
bool ft_index_reserve(struct ft_index *ix);

/** Add an entry (from 1) after ft_index_reserve() said yes. */
void ft_index_add(struct ft_index *ix, uint64_t hash, uint32_t entry);

/** Take an entry out. */
void ft_index_remove(struct ft_index *ix, uint64_t hash, uint32_t entry);

static inline uint32_t ft_index_tag(uint64_t hash)
{
    return (uint32_t)(hash ^ hash >> 32);
}

/** Begin a walk: for (w = ft_index_walk(ix, hash); (entry = ft_index_next(ix, &w));) compare. */
static inline struct ft_index_walk ft_index_walk(const struct ft_index *ix, uint64_t hash)
{
    struct ft_index_walk w = {.tag = ft_index_tag(hash), .at = ft_index_tag(hash) & (ix->size - 1)};
    return w;
}

/** The next entry that may have the hash, 0 = no more. */
static inline uint32_t ft_index_next(const struct ft_index *ix, struct ft_index_walk *w)
{
    if (!ix->size)
        return 0;
    while (ix->slots[w->at].entry) {
        const struct ft_index_slot *s = &ix->slots[w->at];
        w->at = (w->at + 1) & (ix->size - 1);
        if (s->tag == w->tag)
            return s->entry;
    }
    return 0;
}

#endif
