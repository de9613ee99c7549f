/* SPDX-License-Identifier: BSD-3-Clause */
/* A fixed pool of equal blocks: reservation. */
#include "base/pool.h"

#include <stddef.h>
#include <sys/mman.h>

void *ft_map(uint64_t size, bool huge)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    if (huge)
        madvise(p, size, MADV_HUGEPAGE);
    return p;
}

void ft_unmap(void *memory, uint64_t size)
{
    if (memory)
        munmap(memory, size);
}

bool ft_pool_init(struct ft_pool *pool, uint32_t blocks, uint32_t block_size)
{
    *pool = (struct ft_pool){.blocks = blocks, .block_size = (block_size + 7) & ~7u};
    pool->memory = ft_map((uint64_t)blocks * pool->block_size, false);
    pool->next_free = ft_map((uint64_t)blocks * sizeof(uint32_t), false);
    if (pool->memory && pool->next_free)
        return true;
    ft_pool_free(pool);
    return false;
}

void ft_pool_free(struct ft_pool *pool)
{
    ft_unmap(pool->memory, (uint64_t)pool->blocks * pool->block_size);
    ft_unmap(pool->next_free, (uint64_t)pool->blocks * sizeof(uint32_t));
    *pool = (struct ft_pool){0};
}
