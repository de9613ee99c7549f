/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * "Told the core already?": a bounded set of hashes in each shard.
 *
 * Buckets of eight, one cache line; the entry added first to a full bucket goes, so forgetting
 * depends on the shard's own traffic only, and only means that the core, which keeps the truth, is
 * told once more. Cleared once an hour of packet time, so that the core sees what is still alive.
 */
#ifndef FT_NOVELTY_H
#define FT_NOVELTY_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define FT_NOVELTY_RENEWAL_NS (3600ull * 1000000000ull)

struct ft_novelty {
    uint64_t *slots;  /**< buckets of eight; 0 = free */
    uint32_t buckets; /**< power of two */
    uint64_t used, forgotten;
    uint64_t since_ns; /**< packet time of the last renewal */
};

/** Add a hash: true when it was not there. About 10 cycles and a cache line. */
static inline bool ft_novelty_add(struct ft_novelty *n, uint64_t hash)
{
    uint64_t *b = n->slots + (hash >> 32 & (n->buckets - 1)) * 8;
    hash |= 1;
    for (unsigned i = 0; i < 8; i++)
        if (b[i] == hash)
            return false;
    if (b[7])
        n->forgotten++;
    else
        n->used++;
    memmove(b + 1, b, 7 * sizeof(*b));
    b[0] = hash;
    return true;
}

/**
 * Note the value that a key has now: true when it is another than was noted last, or none was. For
 * what changes to and fro, where a set would know both values and tell neither.
 */
static inline bool ft_novelty_change(struct ft_novelty *n, uint64_t key, uint64_t value)
{
    uint64_t *b = n->slots + (key >> 32 & (n->buckets - 1)) * 8;
    uint64_t noted = (key & 0xffffffff00000000ull) | (uint32_t)(value ^ value >> 32) | 1;
    for (unsigned i = 0; i < 8; i++) {
        if (b[i] >> 32 != key >> 32)
            continue;
        bool is_other = b[i] != noted;
        b[i] = noted;
        return is_other;
    }
    return ft_novelty_add(n, noted);
}

#endif
