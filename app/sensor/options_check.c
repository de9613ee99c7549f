/* SPDX-License-Identifier: BSD-3-Clause */
/* Does what the command line and the configuration ask for fit together, and this machine? */
#include "options_internal.h"

#include "confine.h"
#include "control.h"
#include "core_map.h"
#include "metrics.h"
#include "outputs.h"

#include <arpa/inet.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>

bool options_wrong_at(const struct options *o, struct ft_place at, const char *format, ...)
{
    va_list ap;
    fprintf(stderr, "%s:%u:%u: ", o->config_file, at.line, at.column);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputc('\n', stderr);
    return false;
}

static uint32_t cores(void)
{
    cpu_set_t set;
    core_map_cpus(&set);
    return CPU_COUNT(&set) ? (uint32_t)CPU_COUNT(&set) : 1;
}

static bool check_cpu(const char *key, uint32_t cpu)
{
    cpu_set_t set;
    core_map_cpus(&set);
    return (cpu < CPU_SETSIZE && CPU_ISSET(cpu, &set)) ||
           wrong("%s: there is no CPU %u for this process (taskset -p $$ tells which)", key, cpu);
}

/* CPUs that exist, each used once; enough of them for the workers. */
static bool check_cores(const struct options *o)
{
    const struct ft_config *c = &o->config;
    bool has_alerting = c->alerting_cpu != FT_CONFIG_NO_CPU;
    if (c->worker_cpu_count && o->workers > c->worker_cpu_count)
        return wrong("-w %u: cores.workers lists %u CPUs", o->workers, c->worker_cpu_count);
    for (uint32_t i = 0; i < c->worker_cpu_count; i++) {
        if (!check_cpu("cores.workers", c->worker_cpus[i]))
            return false;
        if (has_alerting && c->worker_cpus[i] == c->alerting_cpu)
            return wrong("cores: CPU %u is both a worker's and the alerting loop's",
                         c->alerting_cpu);
    }
    return !has_alerting || check_cpu("cores.alerting", c->alerting_cpu);
}

/* Live each worker needs a core. */
static bool check_workers(const struct options *o)
{
    uint32_t workers = o->workers ? o->workers : o->config.workers;
    return !o->port_count || workers <= cores() ||
           wrong("%u workers on %u cores: live they would take time from each other and lose "
                 "packets; -w %u at most",
                 workers, cores(), cores());
}

/* What makes no sense together. */
static bool check_source(const struct options *o)
{
    if ((o->log_messages || o->log_transactions) && !o->log_dir && !outputs_have_journal(o))
        return wrong("--log writes lines, but nowhere: say where with -l DIR, or -l - for standard "
                     "output");
    if (!o->port_count)
        return o->source_count ||
               wrong("nothing to read: name a capture with -r FILE, an interface with -i NAME or a "
                     "port of DPDK with --port DEVICE (see --help)");
    if (o->source_count || (o->has_interfaces && o->is_polled))
        return wrong("%s: either captures or interfaces or ports of DPDK, not several kinds in one "
                     "run",
                     !o->source_count    ? "-i and --port"
                     : o->has_interfaces ? "-r and -i"
                                         : "-r and --port");
    if (o->merge || o->has_loop || o->speed > 0)
        return wrong("%s is for captures; what arrives live (-i, --port) has a time of its own",
                     o->merge      ? "--merge"
                     : o->has_loop ? "--loop"
                                   : "--speed");
    return true;
}

/* It stands where receivers of outputs expect nothing else. */
static bool check_sensor_address(const struct options *o)
{
    const char *address = o->config.sensor_address;
    struct in6_addr ignored;
    if (!*address || inet_pton(AF_INET, address, &ignored) == 1 ||
        inet_pton(AF_INET6, address, &ignored) == 1)
        return true;
    return options_wrong_at(o, o->config.sensor_address_at,
                            "sensor.address \"%s\": expected an IP address, such as 10.1.2.3",
                            address);
}

/* Values that only this machine can judge: all that are wrong are told. */
static bool check_values(const struct options *o)
{
    bool ok = metrics_check(o);
    ok &= control_check(o);
    ok &= check_sensor_address(o);
    return confine_find_user(o) && ok;
}

/* A check of a configuration need not name a source. */
bool options_check(const struct options *o)
{
    bool runs = o->action == ACTION_RUN;
    if (!runs && o->action != ACTION_TEST)
        return true;
    bool ok = check_values(o);
    return check_cores(o) && (!runs || check_source(o)) && check_workers(o) && ok;
}
