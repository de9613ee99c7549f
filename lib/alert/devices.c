/* SPDX-License-Identifier: BSD-3-Clause */
/* What the inventory knows of the two devices of an alert: receivers in other places show it, and
 * they have no inventory. */
#include "alert/core_internal.h"

#include <string.h>

/* The asset behind an address that the event speaks of; NULL = none. Only messages name one. */
static const struct ft_asset *nested_in(const struct ft_asset *a, const struct ft_event *e,
                                        enum ft_party party)
{
    bool is_server = e->packet.server_side == (party == FT_SENDER ? 0 : 1);
    const struct ft_event_sub *sub = &e->message.sub[is_server];
    if (e->type != FT_EVENT_ALERT && e->type != FT_EVENT_VIOLATION && !ft_event_is_of_rule(e))
        return NULL;
    /* Those that have a name instead of a number are told by the address alone. */
    for (const struct ft_asset *c = sub->kind && !sub->text ? a->children : NULL; c; c = c->sibling)
        if (c->sub_kind == sub->kind && c->sub_value == sub->value)
            return c;
    return NULL;
}

static const char *fact_of(const struct ft_asset *inner, const struct ft_asset *a,
                           enum ft_fact fact)
{
    const char *text = inner ? ft_asset_fact(inner, fact) : NULL;
    return text && *text ? text : ft_asset_fact(a, fact);
}

static void name_device(const struct ft_inventory *inventory, const struct ft_event *e,
                        enum ft_party party, struct ft_eve_device *to)
{
    struct ft_address address = ft_event_address(e, party);
    const struct ft_asset *a = ft_inventory_find(inventory, &address);
    memset(to, 0, sizeof(*to));
    if (!a)
        return;
    const struct ft_asset *inner = nested_in(a, e, party);
    const char *vendor = inner ? ft_asset_vendor(inventory, inner) : NULL;
    to->vendor = vendor ? vendor : ft_asset_vendor(inventory, a);
    to->name = fact_of(inner, a, FT_FACT_NAME);
    to->os = fact_of(inner, a, FT_FACT_OS);
}

void ft_core_name_devices(const struct ft_core *core, const struct ft_event *e,
                          struct ft_eve_device to[2])
{
    name_device(core->inventory, e, FT_SENDER, &to[0]);
    name_device(core->inventory, e, FT_RECEIVER, &to[1]);
}
