/* SPDX-License-Identifier: BSD-3-Clause */
/* Loading dissector plugins. */
#ifndef PLUGIN_H
#define PLUGIN_H

#include "dissect/registry.h"

/**
 * Load FILE.so and register its dissectors. False and one sentence that names the file when it is
 * missing, no shared object, no plugin, of another interface version, or its dissector is refused.
 * A plugin stays loaded for the life of the process. Before ft_registry_finish().
 */
bool plugin_load(struct ft_registry *r, const char *file, char *error, size_t error_size);

#endif
