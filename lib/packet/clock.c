/* SPDX-License-Identifier: BSD-3-Clause */
/* The sensor clock. */
#include "packet/clock.h"

static void take_up_jump(struct ft_clock *c, uint64_t stamp)
{
    uint64_t now = stamp + (uint64_t)c->offset;
    uint64_t back = c->is_live ? FT_CLOCK_LIVE_BACK_NS : FT_CLOCK_JUMP_NS;
    if (now <= c->now + FT_CLOCK_JUMP_NS && now + back >= c->now)
        return;
    c->jumps++;
    c->offset = (int64_t)(c->now - stamp);
}

uint64_t ft_clock_take(struct ft_clock *c, uint64_t stamp)
{
    if (stamp > FT_CLOCK_STAMP_MAX)
        stamp = FT_CLOCK_STAMP_MAX;
    if (c->has_begun)
        take_up_jump(c, stamp);
    else
        c->now = stamp;
    c->has_begun = true;
    c->last_stamp = stamp;
    uint64_t now = stamp + (uint64_t)c->offset;
    if (now > c->now)
        c->now = now;
    return c->is_live ? c->now : now;
}

void ft_clock_idle(struct ft_clock *c, uint64_t stamp)
{
    bool is_set_back = stamp + FT_CLOCK_LIVE_BACK_NS < c->last_stamp;
    if (!c->has_begun || stamp > c->last_stamp || is_set_back)
        ft_clock_take(c, stamp);
}
