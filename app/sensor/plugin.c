/* SPDX-License-Identifier: BSD-3-Clause */
/* Loading dissector plugins. */
#include "plugin.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PLUGIN_DISSECTORS 8u

static bool refuse(char *error, size_t size, const char *file, const char *why)
{
    snprintf(error, size, "plugin %s: %s", file, why);
    return false;
}

/* dlopen() searches the library path for a name without a slash; a file is meant here. */
static void *open_file(const char *file)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s%s", strchr(file, '/') ? "" : "./", file);
    return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

/* What the loader says, without the file's name before it. */
static const char *loader_error(const char *file)
{
    const char *text = dlerror(), *name = text ? strstr(text, file) : NULL;
    if (!text)
        return "unknown reason";
    return name && name[strlen(file)] == ':' ? name + strlen(file) + 2 : text;
}

bool plugin_load(struct ft_registry *r, const char *file, char *error, size_t error_size)
{
    char why[512];
    if (access(file, R_OK) != 0) {
        snprintf(why, sizeof(why), "%s: %s", strerror(errno),
                 errno == EACCES ? "give this user the right to read it"
                                 : "check the path given with --plugin or in \"plugins\"");
        return refuse(error, error_size, file, why);
    }
    void *handle = open_file(file);
    if (!handle) {
        snprintf(why, sizeof(why), "cannot be loaded: %s", loader_error(file));
        return refuse(error, error_size, file, why);
    }
    const struct ft_plugin *plugin = dlsym(handle, "ft_plugin");
    if (!plugin)
        return refuse(
            error, error_size, file,
            "exports no symbol \"ft_plugin\": it is no fieldtap plugin (see FT_PLUGIN())");
    if (plugin->abi != FT_ABI_VERSION) {
        snprintf(why, sizeof(why), "built for interface version %u, this sensor has %u: rebuild it",
                 plugin->abi, FT_ABI_VERSION);
        return refuse(error, error_size, file, why);
    }
    if (plugin->size < sizeof(*plugin) || !plugin->dissectors[0])
        return refuse(error, error_size, file, "names no dissector");
    for (uint32_t i = 0; i < PLUGIN_DISSECTORS && plugin->dissectors[i]; i++)
        if (!ft_registry_add(r, plugin->dissectors[i], file, error, error_size))
            return false;
    return true;
}
