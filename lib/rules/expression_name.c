/* SPDX-License-Identifier: BSD-3-Clause */
/* Conditions of rules: names, in an `any` those of its group first. */
#include "rules/expression_internal.h"

#include "base/nearest.h"

#include <stdio.h>
#include <string.h>

/* The only field inside a group, however deep, whose own name it is; 0: none, or several. */
static uint32_t only_inside(const struct ft_protocol *p, uint32_t group, const char *name)
{
    uint32_t found = 0;
    for (uint32_t i = 1; i < p->field_count; i++) {
        if (strcmp(p->fields[i].name, name) != 0 || i == group || !ft_field_is_inside(p, i, group))
            continue;
        if (p->fields[i].parent == group)
            return i;
        if (found)
            return 0;
        found = i;
    }
    return found;
}

/* Is a field one of many within one element of a group? */
static bool is_many_inside(const struct ft_protocol *p, uint32_t field, uint32_t group)
{
    for (; field && field != group; field = p->fields[field].parent)
        if (p->fields[field].flags & FT_FIELD_LIST)
            return true;
    return false;
}

/* The innermost bound group that a field stands in decides how many values it has. */
static void bind(const struct ft_reader *r, struct ft_operand *o)
{
    if (o->is_tag)
        r->expression->is_broken |= r->vocabulary->tags[o->field].is_broken;
    const struct ft_protocol *p = r->vocabulary->registry->protocols[o->protocol];
    const struct ft_expression_node *nodes = r->expression->nodes;
    for (uint32_t s = o->keyword || o->is_tag ? 0 : r->scope; s; s = nodes[s].scope) {
        const struct ft_operand *group = &nodes[s].test.left;
        if (group->protocol == o->protocol && o->field != group->field &&
            ft_field_is_inside(p, o->field, group->field)) {
            o->is_many = is_many_inside(p, o->field, group->field);
            return;
        }
    }
}

/* A slip in the name of a field of the innermost bound group? */
static void nearest_inside(const struct ft_reader *r, const char *name, char *error,
                           size_t error_size)
{
    if (!r->scope)
        return;
    const struct ft_operand *group = &r->expression->nodes[r->scope].test.left;
    const struct ft_protocol *p = r->vocabulary->registry->protocols[group->protocol];
    struct ft_nearest n = ft_nearest_begin(name);
    char whole[256];
    for (uint32_t i = 1; i < p->field_count; i++)
        if (i != group->field && ft_field_is_inside(p, i, group->field))
            ft_nearest_offer(&n, p->fields[i].name);
    if (n.best)
        snprintf(error, error_size, "there is no %s in %s; did you mean %s?", name,
                 ft_vocabulary_name(r->vocabulary, group, whole, sizeof(whole)), n.best);
    else if (!strchr(name, '.') && !strstr(error, "did you mean"))
        snprintf(error, error_size,
                 "there is no %s, neither in %s nor as a keyword; fieldtap --describe %s lists the "
                 "fields",
                 name, ft_vocabulary_name(r->vocabulary, group, whole, sizeof(whole)), p->name);
}

bool ft_reader_find(struct ft_reader *r, const char *name, struct ft_operand *to, char *error,
                    size_t error_size)
{
    const struct ft_expression_node *nodes = r->expression->nodes;
    for (uint32_t s = r->scope; s; s = nodes[s].scope) {
        const struct ft_operand *group = &nodes[s].test.left;
        const struct ft_protocol *p = r->vocabulary->registry->protocols[group->protocol];
        char whole[512], ignored[8];
        uint32_t field = only_inside(p, group->field, name);
        ft_vocabulary_name(r->vocabulary,
                           &(struct ft_operand){.protocol = group->protocol,
                                                .field = (uint16_t)(field ? field : group->field)},
                           whole, sizeof(whole));
        size_t used = strlen(whole);
        if (!field)
            snprintf(whole + used, sizeof(whole) - used, ".%s", name);
        if (ft_vocabulary_find(r->vocabulary, whole, to, ignored, sizeof(ignored))) {
            bind(r, to);
            return true;
        }
    }
    if (!ft_vocabulary_find(r->vocabulary, name, to, error, error_size)) {
        nearest_inside(r, name, error, error_size);
        return false;
    }
    bind(r, to);
    return true;
}
