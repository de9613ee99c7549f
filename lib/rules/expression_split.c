/* SPDX-License-Identifier: BSD-3-Clause */
/* Conditions of rules: what of one a worker decides, and what the alerting core. */
#include "rules/expression_internal.h"

/* Which levels of words stand under a node, a bit each. */
static uint32_t levels(const struct ft_expression *e, uint32_t node)
{
    const struct ft_expression_node *n = &e->nodes[node];
    uint32_t all = 0;
    for (uint32_t child = n->child; child; child = e->nodes[child].next)
        all |= levels(e, child);
    if (n->kind == FT_EXPRESSION_TEST)
        all |= 1u << n->test.left.level;
    return n->kind == FT_EXPRESSION_ANY ? all | 1u << FT_LEVEL_MESSAGE : all;
}

bool ft_expression_is_child(const struct ft_expression *e, uint32_t parent, uint32_t node)
{
    uint32_t child = e->nodes[parent].child;
    while (child && child != node)
        child = e->nodes[child].next;
    return child != 0;
}

static void hang(struct ft_expression *e, uint32_t parent, uint32_t *last, uint32_t child)
{
    *(*last ? &e->nodes[*last].next : &e->nodes[parent].child) = child;
    *last = child;
}

/* Of an `and` with one child only that child is left, of one with none nothing. */
static uint32_t only_child(const struct ft_expression *e, uint32_t and)
{
    uint32_t child = e->nodes[and].child;
    return child && e->nodes[child].next ? and : child;
}

/* How a connection came out is no packet's; what is asked for with it is the same for all. */
static void check_connection(struct ft_reader *r, uint32_t all)
{
    const struct ft_expression_node *root = &r->expression->nodes[r->expression->root];
    uint32_t others = 1u << FT_LEVEL_PACKET | 1u << FT_LEVEL_PAYLOAD | 1u << FT_LEVEL_MESSAGE;
    if (all & 1u << FT_LEVEL_CONNECTION && all & others)
        ft_reader_wrong(r, root->at, root->end,
                        "connection goes with addresses, ports, zones and devices; what is in "
                        "packets and messages is asked for in another rule");
}

/*
 * What is known of devices only the alerting core can test; what is in a message only a worker. So
 * both stand side by side, joined by `and`.
 */
void ft_reader_split(struct ft_reader *r)
{
    struct ft_expression *e = r->expression;
    uint32_t asset = 1u << FT_LEVEL_ASSET, last = 0, last_core = 0, next;
    uint32_t all = levels(e, e->root);
    e->worker = e->root;
    check_connection(r, all);
    if (!(all & asset))
        return;
    e->worker = 0;
    if (e->nodes[e->root].kind != FT_EXPRESSION_AND) {
        e->core = e->root;
    } else {
        /* The root keeps what is the worker's; the last node, which was kept free, gets the rest.
         */
        e->core = e->count - 1;
        e->nodes[e->core] = e->nodes[e->root];
        uint32_t child = e->nodes[e->root].child;
        e->nodes[e->root].child = e->nodes[e->core].child = 0;
        for (; child; child = next) {
            bool is_core = levels(e, child) & asset;
            next = e->nodes[child].next;
            hang(e, is_core ? e->core : e->root, is_core ? &last_core : &last, child);
            e->nodes[child].next = 0;
        }
        e->worker = only_child(e, e->root);
        e->core = only_child(e, e->core);
    }
    if (levels(e, e->core) & ~(asset | 1u << FT_LEVEL_FLOW))
        ft_reader_wrong(r, e->nodes[e->core].at, e->nodes[e->core].end,
                        "asset.* and what is in messages can only be joined by and");
}
