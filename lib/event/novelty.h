/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * "Told the core already?": a bounded set of hashes in each shard.
 *
 * Buckets of eight, one cache line; the entry added first to a full bucket goes, so forgetting
 * depends on the shard's own traffic only, and only means that the core, which keeps the truth, is
 * told once more. Each bucket is cleared once an hour of packet time, so that the core sees what is
 * still alive: a few of them each second, since clearing all at once takes longer than a NIC's
 * queue can wait, and the core would be told everything in the same second.
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
    uint64_t since_ns; /**< packet time at which this round of renewal began; 0 = none has */
    uint32_t renewed;  /**< buckets cleared in this round */
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

/* Only buckets in use are written to: memory that was never used stays so. */
static inline void ft_novelty_clear(struct ft_novelty *n, uint32_t to)
{
    for (; n->renewed < to; n->renewed++) {
        uint64_t *bucket = n->slots + (uint64_t)n->renewed * 8;
        if (bucket[0])
            memset(bucket, 0, 8 * sizeof(*bucket));
    }
}

/**
 * At a tick: clear the buckets whose turn it is. When no packet came for hours, or time went back,
 * all of them.
 */
static inline void ft_novelty_renew(struct ft_novelty *n, uint64_t now_ns)
{
    const uint64_t hour = FT_NOVELTY_RENEWAL_NS;
    if (!n->since_ns)
        n->since_ns = now_ns;
    uint64_t passed = now_ns - n->since_ns;
    if (passed >= 2 * hour) {
        n->renewed = 0;
        ft_novelty_clear(n, n->buckets);
        n->renewed = 0;
        n->since_ns = now_ns;
        return;
    }
    if (passed >= hour) {
        ft_novelty_clear(n, n->buckets);
        n->renewed = 0;
        n->since_ns += hour;
        passed -= hour;
    }
    ft_novelty_clear(n, (uint32_t)(n->buckets * passed / hour));
}

#endif
