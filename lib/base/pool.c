/* SPDX-License-Identifier: BSD-3-Clause */
/* A fixed pool of equal blocks: reservation. */
#include "base/pool.h"

#include <linux/mempolicy.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE      4096u
#define NODES_MAX 1024u

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

/* The system call itself, which is all that libnuma's mbind() does: this file is part of the SDK's
 * library, whose users would have to link libnuma too. */
void ft_map_place(void *memory, uint64_t size, int node)
{
    unsigned long nodes[NODES_MAX / (8 * sizeof(unsigned long))] = {0};
    uintptr_t begin = ((uintptr_t)memory + PAGE - 1) / PAGE * PAGE;
    uintptr_t end = ((uintptr_t)memory + size) / PAGE * PAGE;
    if (!memory || node < 0 || (unsigned)node >= NODES_MAX || begin >= end)
        return;
    nodes[(unsigned)node / (8 * sizeof(*nodes))] = 1ul << (unsigned)node % (8 * sizeof(*nodes));
    syscall(SYS_mbind, begin, end - begin, MPOL_PREFERRED, nodes, NODES_MAX, 0);
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
