/* SPDX-License-Identifier: BSD-3-Clause */
/* Conditions compiled: what of them is decided by a flow, before anything is sent in it. */
#include "rules/program_internal.h"

/* Programs with more instructions are not looked into. */
#define REACH_MAX 1024u

static bool is_of_flow(const struct ft_operand *o)
{
    switch (o->keyword) {
    case FT_KEYWORD_IP_SRC:
    case FT_KEYWORD_IP_DST:
    case FT_KEYWORD_IP_ADDR:
    case FT_KEYWORD_TRANSPORT:
    case FT_KEYWORD_IP_PROTOCOL:
    case FT_KEYWORD_PORT_SRC:
    case FT_KEYWORD_PORT_DST:
    case FT_KEYWORD_PORT:
    case FT_KEYWORD_ZONE_SRC:
    case FT_KEYWORD_ZONE_DST:
    case FT_KEYWORD_PURDUE_SRC:
    case FT_KEYWORD_PURDUE_DST:
        return true;
    default: /* MAC addresses and VLANs may differ from packet to packet */
        return false;
    }
}

bool ft_test_is_of_flow(const struct ft_test *t)
{
    return is_of_flow(&t->left) && (t->kind != FT_TEST_SAME || is_of_flow(&t->right));
}

/* Is it known for the flow at hand? Tags of other ports have no value in it. */
static bool is_known_of_flow(const struct ft_program_run *run, const struct ft_subject *s,
                             const struct ft_test *t)
{
    if (t->kind != FT_TEST_SAME && t->left.is_tag)
        return !ft_tag_is_of(&run->vocabulary->tags[t->left.field], s);
    return ft_test_is_of_flow(t);
}

/* Whatever is not known goes both ways; what an `any` tests is not known. */
bool ft_program_may_hold(const struct ft_program *p, const struct ft_subject *s,
                         struct ft_program_run *run)
{
    uint64_t reached[REACH_MAX / 64] = {1};
    if (!p->count || p->count > REACH_MAX)
        return true;
    for (uint32_t at = 0; at < p->count; at++) {
        const struct ft_instruction *i = &p->code[at];
        if (!(reached[at / 64] >> (at % 64) & 1))
            continue;
        bool is_known = i->kind == FT_INSTRUCTION_TEST && is_known_of_flow(run, s, i->test);
        bool held = false;
        run->steps = 0;
        if (is_known)
            held = ft_test_holds(run, s, i, NULL);
        for (unsigned way = 0; way < 2; way++) {
            uint16_t to = way ? i->on_true : i->on_false;
            if (is_known && held != (way == 1))
                continue;
            if (to == FT_PROGRAM_ACCEPT)
                return true;
            if (to != FT_PROGRAM_REJECT)
                reached[to / 64] |= 1ull << (to % 64);
        }
    }
    return false;
}
