/* SPDX-License-Identifier: BSD-3-Clause */
/* The dissectors of a run: built in, plugins, bindings; and what recognises them. */
#include "run_internal.h"

#include "plugin.h"
#include "protocols/protocols.h"

#include <stdio.h>

static bool bind_ports(struct sensor *s)
{
    const struct ft_config *c = &s->options->config;
    char error[256];
    for (uint32_t i = 0; i < c->binding_count; i++) {
        const struct ft_config_binding *b = &c->bindings[i];
        if (ft_registry_bind(s->registry, b->is_udp ? FT_TRANSPORT_UDP : FT_TRANSPORT_TCP, b->port,
                             b->protocol, error, sizeof(error)))
            continue;
        fprintf(stderr, "%s:%u:%u: bindings: %s\n", s->options->config_file, b->line, b->column,
                error);
        return false;
    }
    return true;
}

/* Those of the command line, then those of the configuration. */
static bool load_plugins(struct sensor *s)
{
    const struct options *o = s->options;
    uint32_t of_config = o->plugin_count - o->config.plugin_count;
    char error[512];
    for (uint32_t i = 0; i < o->plugin_count; i++) {
        if (plugin_load(s->registry, o->plugins[i], error, sizeof(error)))
            continue;
        if (i < of_config)
            return fail(error);
        struct ft_place at = o->config.plugins_at[i - of_config];
        fprintf(stderr, "%s:%u:%u: plugins[%u]: %s\n", o->config_file, at.line, at.column,
                i - of_config, error);
        return false;
    }
    return true;
}

/* Dissectors: built in, plugins, bindings. What is wrong here is configuration: exit code 2. */
bool run_make_registry(struct sensor *s)
{
    char error[512];
    s->registry = ft_registry_new();
    if (!s->registry)
        return fail("out of memory");
    for (const struct ft_dissector *const *d = ft_protocols; *d; d++)
        if (!ft_registry_add(s->registry, *d, NULL, error, sizeof(error)))
            return fail(error);
    if (!load_plugins(s))
        return false;
    ft_registry_finish(s->registry);
    if (!bind_ports(s))
        return false;
    if ((s->options->action == ACTION_RUN || s->options->action == ACTION_TEST) && !rules_start(s))
        return false;
    /* Compiling signatures takes a fifth of a second: not only to print a table. */
    if (s->options->action != ACTION_RUN && s->options->action != ACTION_TEST)
        return true;
    s->recogniser = ft_recogniser_new(s->registry, error, sizeof(error));
    return s->recogniser || fail(error);
}
