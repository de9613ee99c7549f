/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who talks to whom in which protocol, and which operations were seen between them: the truth
 * behind `operation` events, since workers forget. Bounded. One thread.
 */
#ifndef FT_CONVERSATION_H
#define FT_CONVERSATION_H

#include "inventory/inventory.h"

struct ft_conversation {
    struct ft_address client, server;  /**< server may be a group address */
    uint16_t protocol;                 /**< index + 1, 0 = not recognised */
    bool is_mutual;                    /**< neither is the server */
    uint32_t operations;               /**< different ones seen */
    uint32_t by_class[FT_CLASS_COUNT]; /**< of those */
    uint64_t flows, packets, bytes;    /**< of flows that ended */
    uint64_t first_ns, last_ns;
};

struct ft_conversations;

/** At most this many conversations and operations; `key` of the hash tables. */
struct ft_conversations *ft_conversations_new(uint32_t max, uint32_t max_operations,
                                              const uint64_t key[2]);
void ft_conversations_free(struct ft_conversations *c);

/** The conversation that an event belongs to, made when new; NULL when there is no room. */
struct ft_conversation *ft_conversation_of(struct ft_conversations *c,
                                           const struct ft_event *event);

/** Add the operation of an OPERATION event: true when it was not seen before. */
bool ft_conversation_operation(struct ft_conversations *c, const struct ft_event *event);

/** What found no room. */
uint64_t ft_conversations_refused(const struct ft_conversations *c);

uint32_t ft_conversations_count(const struct ft_conversations *c);

/** All, sorted by client, server, protocol: ft_conversations_count() pointers in a new array that
 * the caller frees; NULL when there are none or no memory. */
const struct ft_conversation **ft_conversations_sorted(const struct ft_conversations *c);

#endif
