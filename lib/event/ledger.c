/* SPDX-License-Identifier: BSD-3-Clause */
/* The books: sums. */
#include "event/ledger.h"

bool ft_ledger_is_balanced(const struct ft_ledger *l)
{
    uint64_t packets = 0;
    for (unsigned i = 0; i < FT_BUCKET_COUNT; i++)
        packets += l->packets[i];
    uint64_t hits = l->rule_hits_told + l->rule_hits_repeated + l->rule_hits_waiting +
                    l->rule_hits_untold + l->rule_hits_shed;
    return packets == l->received && hits == l->rule_hits && l->packets[FT_BUCKET_NONE] == 0 &&
           ft_stream_bytes_booked(&l->stream) == l->stream_received;
}

void ft_ledger_add(struct ft_ledger *to, const struct ft_ledger *from)
{
    /* All members are counters but one, which is a maximum. */
    uint64_t max = to->max_size > from->max_size ? to->max_size : from->max_size;
    uint64_t *a = (uint64_t *)(void *)to;
    const uint64_t *b = (const uint64_t *)(const void *)from;
    _Static_assert(sizeof(*to) % sizeof(*a) == 0, "only counters");
    for (unsigned i = 0; i < sizeof(*to) / sizeof(*a); i++)
        a[i] += b[i];
    to->max_size = max;
}
