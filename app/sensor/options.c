/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line, and the configuration that it names. */
#include "options_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool options_append(const char *option, const char **list, uint32_t *count, const char *text)
{
    if (*count == OPTIONS_MAX)
        return wrong("%s: at most %u of them; put the captures into a folder", option, OPTIONS_MAX);
    list[(*count)++] = text;
    return true;
}

/* A file that cannot be read has no line to point at. */
static bool is_readable(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0 || access(path, R_OK) < 0)
        return wrong("-c %s: %s: give a file of JSON that this user can read", path,
                     strerror(errno));
    return !S_ISDIR(st.st_mode) || wrong("-c %s: is a directory, expected a file of JSON", path);
}

/* ports[] and interfaces[], unless the command line says what to read. */
static bool take_ports(struct options *o)
{
    bool says = o->source_count || o->port_count;
    for (uint32_t i = 0; !says && i < o->config.port_count; i++)
        if (!options_take_device(o, "ports", o->config.ports[i]))
            return false;
    for (uint32_t i = 0; !says && i < o->config.interface_count; i++) {
        const char *name = o->config.interfaces[i];
        o->has_interfaces = true;
        if (!options_take_link(o, "interfaces", name, strchr(name, ',') ? 2 : 1))
            return false;
    }
    return true;
}

/* Beside the program where it was built, or where it was installed; NULL: nowhere. */
static const char *find_built_in_rules(void)
{
    static const char *const places[] = {"rules", "../share/fieldtap/rules"};
    static char path[PATH_MAX + 32];
    char program[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
    program[n > 0 ? n : 0] = 0;
    char *slash = strrchr(program, '/');
    if (!slash)
        return NULL;
    *slash = 0;
    for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", program, places[i]);
        if (access(path, R_OK | X_OK) == 0)
            return path;
    }
    return NULL;
}

/* Who checks rules asks for his own; but they may replace some of these. */
static void take_built_in_rules(struct options *o)
{
    o->has_own_rules = o->rule_count;
    if (o->config.leaves_out_built_in)
        return;
    o->built_in_rules = find_built_in_rules();
    if (!o->built_in_rules && (o->action == ACTION_RUN || o->action == ACTION_TEST))
        fprintf(stderr, "fieldtap: the rules that it brings are not there (beside the program in "
                        "rules, or in ../share/fieldtap/rules): it runs without them; "
                        "alerts.built_in_rules \"off\" says that this is meant\n");
}

static bool read_config(struct options *o)
{
    static char error[16384]; /* all that is wrong in a file is told at once */
    ft_config_init(&o->config);
    if (o->config_file && !is_readable(o->config_file))
        return false;
    if (o->config_file && !ft_config_read(&o->config, o->config_file, error, sizeof(error))) {
        fprintf(stderr, "%s\n", error);
        return false;
    }
    for (uint32_t i = 0; i < o->config.plugin_count; i++)
        if (!options_append("plugins", o->plugins, &o->plugin_count, o->config.plugins[i]))
            return false;
    take_built_in_rules(o);
    for (uint32_t i = 0; i < o->config.rule_count; i++)
        if (!options_append("rules", o->rules, &o->rule_count, o->config.rules[i]))
            return false;
    if (!take_ports(o))
        return false;
    o->stats_interval = o->config.stats_interval;
    if (!o->control_socket)
        o->control_socket = o->config.control_socket;
    if (!o->filter && *o->config.filter)
        o->filter = o->config.filter;
    return true;
}

bool options_read(struct options *o, int argc, char **argv)
{
    *o = (struct options){.loops = 1};
    if (!options_take_line(o, argc, argv))
        return false;
    o->miscounts = getenv("FIELDTAP_TEST_MISCOUNT") != NULL;
    o->misleads = getenv("FIELDTAP_TEST_SPREAD") != NULL;
    return read_config(o) && options_check(o);
}

void options_free(struct options *o)
{
    ft_config_free(&o->config);
}
