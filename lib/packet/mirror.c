/* SPDX-License-Identifier: BSD-3-Clause */
/* What the mirror in front of the sensor does. */
#include "packet/mirror.h"

_Static_assert(sizeof(struct ft_mirror_row) == 32, "rows have no holes and fit a record");

struct ft_mirror_place ft_mirror_place_of(const struct ft_packet *p)
{
    uint32_t tags = p->vlan_count < FT_PACKET_VLANS ? p->vlan_count : FT_PACKET_VLANS;
    return (struct ft_mirror_place){p->interface, tags ? p->vlan[tags - 1] : FT_MIRROR_UNTAGGED};
}

static bool is_row(const struct ft_mirror_row *row, enum ft_mirror_kind kind,
                   struct ft_mirror_place place, struct ft_mirror_place copy)
{
    return row->kind == kind && row->place.link == place.link && row->place.vlan == place.vlan &&
           row->copy.link == copy.link && row->copy.vlan == copy.vlan;
}

void ft_mirror_count(struct ft_mirror *m, enum ft_mirror_kind kind, struct ft_mirror_place place,
                     struct ft_mirror_place copy, uint64_t count, uint64_t part)
{
    uint32_t i = m->last;
    if (i >= m->used || !is_row(&m->rows[i], kind, place, copy))
        for (i = 0; i < m->used && !is_row(&m->rows[i], kind, place, copy);)
            i++;
    if (i == FT_MIRROR_ROWS) {
        m->other[kind].count += count;
        m->other[kind].part += part;
        return;
    }
    if (i == m->used)
        m->rows[m->used++] =
            (struct ft_mirror_row){.kind = (uint16_t)kind, .place = place, .copy = copy};
    m->last = i;
    m->rows[i].count += count;
    m->rows[i].part += part;
}

void ft_mirror_add(struct ft_mirror *to, const struct ft_mirror *from)
{
    for (uint32_t i = 0; i < from->used; i++) {
        const struct ft_mirror_row *row = &from->rows[i];
        ft_mirror_count(to, (enum ft_mirror_kind)row->kind, row->place, row->copy, row->count,
                        row->part);
    }
    for (unsigned kind = 0; kind < FT_MIRROR_KINDS; kind++) {
        to->other[kind].count += from->other[kind].count;
        to->other[kind].part += from->other[kind].part;
    }
}

uint64_t ft_mirror_sum(const struct ft_mirror *m, enum ft_mirror_kind kind, uint64_t *part)
{
    uint64_t count = m->other[kind].count, of = m->other[kind].part;
    for (uint32_t i = 0; i < m->used; i++)
        if (m->rows[i].kind == kind) {
            count += m->rows[i].count;
            of += m->rows[i].part;
        }
    if (part)
        *part = of;
    return count;
}
