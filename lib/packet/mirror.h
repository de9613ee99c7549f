/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the mirror in front of the sensor does, by where packets came in: what it delivers twice,
 * what it lost, and of which connections it delivers one direction only.
 *
 * A small table of counters for each shard, and one for their sum. Its size is fixed; what finds no
 * row is counted as `other`. Rows stand in the order in which they were first needed, which is that
 * of the shard's packets, so shards added up in order give the same table for any number of
 * workers. Used by one thread at a time.
 */
#ifndef FT_MIRROR_H
#define FT_MIRROR_H

#include "packet/packet.h"

/** A record of events (8 KiB) holds a whole table: 32 bytes a row. */
#define FT_MIRROR_ROWS 120u

/** In place of a VLAN id: the packet had no tag. */
#define FT_MIRROR_UNTAGGED 0x1000u

enum ft_mirror_kind {
    FT_MIRROR_COPIES = 0, /**< count: packets that came again; part: of those, routed in between */
    FT_MIRROR_UNSEEN,     /**< count: bytes acknowledged and never seen; part: holes of them */
    FT_MIRROR_ONE_WAY,    /**< count: TCP connections of which one direction comes, whole */
    FT_MIRROR_KINDS
};

/** Where a packet came in. */
struct ft_mirror_place {
    uint16_t link; /**< index of the interface */
    uint16_t vlan; /**< id of the innermost tag, or FT_MIRROR_UNTAGGED */
};

struct ft_mirror_row {
    uint16_t kind; /**< enum ft_mirror_kind */
    uint16_t zero[3];
    struct ft_mirror_place place; /**< COPIES: of the first */
    struct ft_mirror_place copy;  /**< COPIES: of what came again; else as `place` */
    uint64_t count, part;
};

struct ft_mirror {
    uint32_t used, last; /**< rows in use; the one that was counted in last */
    struct {
        uint64_t count, part;
    } other[FT_MIRROR_KINDS]; /**< what found no row */
    struct ft_mirror_row rows[FT_MIRROR_ROWS];
};

/** Bytes of a table up to its last row in use. */
static inline uint32_t ft_mirror_size(const struct ft_mirror *m)
{
    return (uint32_t)(offsetof(struct ft_mirror, rows) + m->used * sizeof(m->rows[0]));
}

/** Where `p` came in. */
struct ft_mirror_place ft_mirror_place_of(const struct ft_packet *p);

/** Add to the row of (kind, place, copy). Cost: a compare when it is the row of the last time. */
void ft_mirror_count(struct ft_mirror *m, enum ft_mirror_kind kind, struct ft_mirror_place place,
                     struct ft_mirror_place copy, uint64_t count, uint64_t part);

/** Add `from` to `to`. */
void ft_mirror_add(struct ft_mirror *to, const struct ft_mirror *from);

/** Sum over all places; *part may be NULL. */
uint64_t ft_mirror_sum(const struct ft_mirror *m, enum ft_mirror_kind kind, uint64_t *part);

#endif
