/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A fixed pool of equal blocks, handed out by number.
 *
 * Memory is one anonymous mapping, reserved at creation and touched only when a block is first
 * used: a large pool that stays idle costs nothing. Blocks are numbered from 1, so that 0 in a
 * zeroed struct means none. One thread at a time. Getting and putting: a few cycles, never a system
 * call. The order in which blocks are handed out depends on earlier calls only (deterministic).
 */
#ifndef FT_POOL_H
#define FT_POOL_H

#include <stdbool.h>
#include <stdint.h>

struct ft_pool {
    uint8_t *memory;     /**< block n begins at memory + (n - 1) * block_size */
    uint32_t *next_free; /**< free list: next_free[n - 1] */
    uint32_t first_free; /**< 0: none on the list */
    uint32_t untouched;  /**< blocks that were never handed out: the last of them */
    uint32_t blocks, block_size;
    uint32_t used;     /**< handed out now */
    uint32_t used_max; /**< at most so far */
    uint64_t refused;  /**< ft_pool_get() calls that found none */
};

/** Reserve `blocks` blocks of `block_size` bytes (rounded up to 8). False when memory is short. */
bool ft_pool_init(struct ft_pool *pool, uint32_t blocks, uint32_t block_size);
void ft_pool_free(struct ft_pool *pool);

/** The address of block n (n > 0, handed out). */
static inline void *ft_pool_at(const struct ft_pool *pool, uint32_t n)
{
    return pool->memory + (uint64_t)(n - 1) * pool->block_size;
}

/** Hand out a block (its content is undefined): its number, or 0 when all are in use. */
static inline uint32_t ft_pool_get(struct ft_pool *pool)
{
    uint32_t n = pool->first_free;
    if (n) {
        pool->first_free = pool->next_free[n - 1];
    } else if (pool->untouched < pool->blocks) {
        n = ++pool->untouched;
    } else {
        pool->refused++;
        return 0;
    }
    if (++pool->used > pool->used_max)
        pool->used_max = pool->used;
    return n;
}

/** Take block n back. */
static inline void ft_pool_put(struct ft_pool *pool, uint32_t n)
{
    pool->next_free[n - 1] = pool->first_free;
    pool->first_free = n;
    pool->used--;
}

/**
 * Map `size` zeroed bytes; NULL when memory is short. `huge`: ask for huge pages, for tables that
 * are used all over (a page touched is then 2 MiB resident).
 */
void *ft_map(uint64_t size, bool huge);
void ft_unmap(void *memory, uint64_t size);

/**
 * Pages of mapped memory that are not touched yet shall come from NUMA node `node`, as long as it
 * has some; -1: from anywhere, which is what happens where the kernel knows no nodes. Whole pages
 * only: what is at both ends follows whoever touches it first.
 */
void ft_map_place(void *memory, uint64_t size, int node);

#endif
