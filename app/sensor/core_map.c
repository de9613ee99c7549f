/* SPDX-License-Identifier: BSD-3-Clause */
/* Core maps: what the machine has, and what to take of it. */
#include "core_map.h"

#include "capture/ethdev.h"

#include <ctype.h>
#include <jansson.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- reading ---- */

bool core_map_line(char *to, size_t size, const char *format, ...)
{
    char path[512];
    va_list ap;
    va_start(ap, format);
    vsnprintf(path, sizeof(path), format, ap);
    va_end(ap);
    FILE *f = fopen(path, "r");
    bool ok = f && fgets(to, (int)size, f);
    if (f)
        fclose(f);
    if (!ok)
        *to = 0;
    to[strcspn(to, "\n")] = 0;
    return ok;
}

bool core_map_is_listed(const char *list, uint32_t cpu)
{
    while (isdigit((unsigned char)*list)) {
        char *end;
        unsigned long first = strtoul(list, &end, 10), last = first;
        if (*end == '-')
            last = strtoul(end + 1, &end, 10);
        if (cpu >= first && cpu <= last)
            return true;
        list = *end == ',' ? end + 1 : end;
    }
    return false;
}

int core_map_node_of_cpu(const char *root, uint32_t cpu)
{
    char list[4096];
    for (int node = 0; node < (int)CORE_MAP_NODES; node++)
        if (core_map_line(list, sizeof(list), "%s/sys/devices/system/node/node%d/cpulist", root,
                          node) &&
            core_map_is_listed(list, cpu))
            return node;
    return -1;
}

static void isolated_cpus(const char *root, char *list, size_t size)
{
    core_map_line(list, size, "%s/sys/devices/system/cpu/isolated", root);
}

/* Isolated CPUs are in nobody's mask and yet there to be used. */
void core_map_cpus(cpu_set_t *to)
{
    char isolated[4096];
    CPU_ZERO(to);
    sched_getaffinity(0, sizeof(*to), to);
    isolated_cpus("", isolated, sizeof(isolated));
    for (uint32_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (core_map_is_listed(isolated, cpu))
            CPU_SET(cpu, to);
}

void core_map_read(struct core_map_machine *m, const char *root)
{
    char line[4096], isolated[4096];
    cpu_set_t mine;
    memset(m, 0, sizeof(*m));
    core_map_cpus(&mine);
    isolated_cpus(root, isolated, sizeof(isolated));
    for (uint32_t cpu = 0; cpu < CORE_MAP_CPUS && cpu < CPU_SETSIZE; cpu++) {
        bool is_mine = *root || CPU_ISSET(cpu, &mine);
        if (!is_mine ||
            !core_map_line(line, sizeof(line),
                           "%s/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list", root,
                           cpu))
            continue;
        m->cpus[m->count++] = (struct core_map_cpu){
            .cpu = cpu,
            .node = core_map_node_of_cpu(root, cpu),
            .sibling = (uint32_t)strtoul(line, NULL, 10),
            .is_isolated = core_map_is_listed(isolated, cpu),
        };
    }
}

/* ---- proposing ---- */

static bool has_isolated(const struct core_map_machine *m)
{
    for (uint32_t i = 0; i < m->count; i++)
        if (m->cpus[i].is_isolated)
            return true;
    return false;
}

/* The first thread of a core on the node, but the first CPU's, which is for everything else. */
static bool is_for_workers(const struct core_map_machine *m, const struct core_map_cpu *c, int node)
{
    return c != &m->cpus[0] && c->sibling != m->cpus[0].sibling && c->sibling == c->cpu &&
           (node < 0 || c->node == node) && (c->is_isolated || !has_isolated(m));
}

/* With two CPUs there is one for a worker; with three or more one for the alerting loop too, unless
 * isolation says which are the workers'. */
struct core_map core_map_propose(const struct core_map_machine *m, int node, uint32_t wanted)
{
    struct core_map map = {0};
    uint32_t fit[CORE_MAP_CPUS], count = 0;
    for (uint32_t i = 0; i < m->count; i++)
        if (is_for_workers(m, &m->cpus[i], node))
            fit[count++] = m->cpus[i].cpu;
    if (count > 1) {
        map.has_alerting = true;
        map.alerting = fit[0];
    }
    for (uint32_t i = map.has_alerting; i < count && map.worker_count < FT_CONFIG_CPUS; i++)
        if (!wanted || map.worker_count < wanted)
            map.workers[map.worker_count++] = fit[i];
    return map;
}

int core_map_node_of_pci(const char *root, const char *device)
{
    char line[32];
    return core_map_line(line, sizeof(line), "%s/sys/bus/pci/devices/%s/numa_node", root, device)
               ? atoi(line)
               : -1;
}

int core_map_node_of_port(const char *root, const struct options *o, uint32_t port)
{
    const char *name = o->ports[port].name;
    return o->is_polled && ft_ethdev_is_pci(name) ? core_map_node_of_pci(root, name) : -1;
}

/* The node of the first NIC, -1 when there is none or it does not matter. */
static int node_of_ports(const char *root, const struct options *o)
{
    for (uint32_t i = 0; o->is_polled && i < o->port_count; i++)
        if (ft_ethdev_is_pci(o->ports[i].name))
            return core_map_node_of_port(root, o, i);
    return -1;
}

unsigned long core_map_hugepages(const char *root, int node, const char *size, const char *state)
{
    char line[32];
    if (node < 0)
        core_map_line(line, sizeof(line), "%s/sys/kernel/mm/hugepages/hugepages-%s/%s_hugepages",
                      root, size, state);
    else
        core_map_line(line, sizeof(line),
                      "%s/sys/devices/system/node/node%d/hugepages/hugepages-%s/%s_hugepages", root,
                      node, size, state);
    return strtoul(line, NULL, 10);
}

struct core_map core_map_of(const struct core_map_machine *m, const char *root,
                            const struct options *o)
{
    const struct ft_config *c = &o->config;
    struct core_map map = core_map_propose(m, node_of_ports(root, o), o->workers);
    if (!c->worker_cpu_count)
        return map;
    memcpy(map.workers, c->worker_cpus, sizeof(map.workers));
    map.worker_count = o->workers ? o->workers : c->worker_cpu_count;
    map.has_alerting = c->alerting_cpu != FT_CONFIG_NO_CPU;
    map.alerting = c->alerting_cpu;
    return map;
}

const char *core_map_why_unplaced(const struct core_map_machine *m, const char *root,
                                  const struct options *o, uint32_t port)
{
    const char *name = o->ports[port].name;
    char line[32], interface[32];
    if (o->is_polled && ft_ethdev_is_pci(name)) {
        if (!core_map_line(line, sizeof(line), "%s/sys/bus/pci/devices/%s/class", root, name))
            return "there is no such PCI device (lspci -D lists them)";
        bool has_sockets = m->count && m->cpus[m->count - 1].node != m->cpus[0].node;
        return has_sockets && core_map_node_of_port(root, o, port) < 0
                   ? "nobody tells which socket its slot belongs to"
                   : NULL;
    }
    if (o->is_polled && !ft_ethdev_is_virtual(name))
        return "it is neither the address of a PCI device nor a virtual device";
    snprintf(interface, sizeof(interface), "%s", name);
    if (o->is_polled)
        ft_ethdev_interface(o->ports[port].device, interface, sizeof(interface));
    return *interface && !if_nametoindex(interface) ? "there is no such interface (ip link lists "
                                                      "them)"
                                                    : NULL;
}

/* Of what is on another socket than the first NIC packets cross over. */
static void remark_sockets(FILE *to, const char *root, const struct options *o)
{
    int node = node_of_ports(root, o);
    for (uint32_t i = 0; node >= 0 && i < o->port_count; i++) {
        int own = core_map_node_of_port(root, o, i);
        if (own >= 0 && own != node)
            fprintf(to,
                    "fieldtap: port %s: is on socket %d, the first NIC on %d: CPUs are taken of "
                    "socket %d only: put both into slots of one socket, or run a sensor for each\n",
                    o->ports[i].name, own, node, node);
    }
}

static void remark_workers(FILE *to, const struct options *o, uint32_t count, int node)
{
    char where[32] = "";
    if (o->workers <= 1 || o->workers <= count)
        return;
    if (node >= 0)
        snprintf(where, sizeof(where), " on socket %d", node);
    fprintf(to,
            "fieldtap: -w %u: only %u can have a core of its own%s: the first CPU's is left to "
            "Linux, of three and more one to the alerting loop\n",
            o->workers, count, where);
}

static void remark(FILE *to, const struct core_map_machine *m, const char *root,
                   const struct options *o)
{
    for (uint32_t i = 0; i < o->port_count; i++) {
        const char *why = core_map_why_unplaced(m, root, o, i);
        if (why)
            fprintf(to, "fieldtap: port %s: %s: assumed is that CPUs of any socket will do\n",
                    o->ports[i].name, why);
    }
}

/* As the configuration wants them; interfaces of Linux are given by -i. */
static void print_ports(FILE *to, const struct options *o)
{
    if (!o->is_polled || !o->port_count)
        return;
    json_t *list = json_array();
    for (uint32_t i = 0; i < o->port_count; i++)
        json_array_append_new(list, json_string(o->ports[i].device));
    fputs("\"ports\": ", to);
    json_dumpf(list, to, 0);
    fputs(", ", to);
    json_decref(list);
}

void core_map_print(FILE *to, FILE *remarks, const char *root, const struct options *o)
{
    static struct core_map_machine m;
    core_map_read(&m, root);
    remark(remarks, &m, root, o);
    int node = node_of_ports(root, o);
    struct core_map map = core_map_propose(&m, node, o->workers);
    remark_sockets(remarks, root, o);
    remark_workers(remarks, o, map.worker_count, node);
    fputs("{", to);
    print_ports(to, o);
    if (!map.worker_count) {
        fputs("\"cores\": {\"workers\": 1}}\n", to);
        return;
    }
    fputs("\"cores\": {\"workers\": [", to);
    for (uint32_t i = 0; i < map.worker_count; i++)
        fprintf(to, "%s%u", i ? ", " : "", map.workers[i]);
    fputs("]", to);
    if (map.has_alerting)
        fprintf(to, ", \"alerting\": %u", map.alerting);
    fputs("}}\n", to);
}
