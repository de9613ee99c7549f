/* SPDX-License-Identifier: BSD-3-Clause */
/* The growing hash index. */
#include "base/index.h"

#include <stdlib.h>

void ft_index_free(struct ft_index *ix)
{
    free(ix->slots);
    *ix = (struct ft_index){0};
}

static void insert(struct ft_index_slot *slots, uint32_t size, struct ft_index_slot slot)
{
    uint32_t at = slot.tag & (size - 1);
    while (slots[at].entry)
        at = (at + 1) & (size - 1);
    slots[at] = slot;
}

bool ft_index_reserve(struct ft_index *ix)
{
    if (ix->used < ix->size / 2)
        return true;
    uint32_t size = ix->size ? ix->size * 2 : 64;
    struct ft_index_slot *slots = size ? calloc(size, sizeof(*slots)) : NULL;
    if (!slots)
        return false;
    for (uint32_t i = 0; i < ix->size; i++)
        if (ix->slots[i].entry)
            insert(slots, size, ix->slots[i]);
    free(ix->slots);
    ix->slots = slots;
    ix->size = size;
    return true;
}

void ft_index_add(struct ft_index *ix, uint64_t hash, uint32_t entry)
{
    insert(ix->slots, ix->size, (struct ft_index_slot){.tag = ft_index_tag(hash), .entry = entry});
    ix->used++;
}

void ft_index_remove(struct ft_index *ix, uint64_t hash, uint32_t entry)
{
    if (!ix->size)
        return;
    uint32_t mask = ix->size - 1, at = ft_index_tag(hash) & mask;
    while (ix->slots[at].entry && ix->slots[at].entry != entry)
        at = (at + 1) & mask;
    if (!ix->slots[at].entry)
        return;
    /* Close the hole: whatever a probe could no longer reach across it moves up. */
    for (uint32_t next = (at + 1) & mask; ix->slots[next].entry; next = (next + 1) & mask) {
        uint32_t home = ix->slots[next].tag & mask;
        if (((next - home) & mask) >= ((next - at) & mask)) {
            ix->slots[at] = ix->slots[next];
            at = next;
        }
    }
    ix->slots[at] = (struct ft_index_slot){0};
    ix->used--;
}
