/* SPDX-License-Identifier: BSD-3-Clause */
/* Core maps and the check of a machine. */
#include "core_map.h"

#include "capture/ethdev.h"
#include "capture/interface.h"

#include <ctype.h>
#include <dirent.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- reading ---- */

/* The first line of a file; false when there is none. */
static bool read_line(char *to, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool read_line(char *to, size_t size, const char *format, ...)
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

/* Is a CPU in a list as the kernel writes it, "0-3,8"? */
static bool is_in_list(const char *list, uint32_t cpu)
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
        if (read_line(list, sizeof(list), "%s/sys/devices/system/node/node%d/cpulist", root,
                      node) &&
            is_in_list(list, cpu))
            return node;
    return -1;
}

void core_map_read(struct core_map_machine *m, const char *root)
{
    char line[4096], isolated[4096];
    cpu_set_t mine;
    memset(m, 0, sizeof(*m));
    CPU_ZERO(&mine);
    sched_getaffinity(0, sizeof(mine), &mine);
    read_line(isolated, sizeof(isolated), "%s/sys/devices/system/cpu/isolated", root);
    for (uint32_t cpu = 0; cpu < CORE_MAP_CPUS && cpu < CPU_SETSIZE; cpu++) {
        /* Isolated CPUs are in nobody's mask and yet there to be used. */
        bool is_mine = *root || CPU_ISSET(cpu, &mine) || is_in_list(isolated, cpu);
        if (!is_mine ||
            !read_line(line, sizeof(line),
                       "%s/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list", root, cpu))
            continue;
        m->cpus[m->count++] = (struct core_map_cpu){
            .cpu = cpu,
            .node = core_map_node_of_cpu(root, cpu),
            .sibling = (uint32_t)strtoul(line, NULL, 10),
            .is_isolated = is_in_list(isolated, cpu),
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
    return read_line(line, sizeof(line), "%s/sys/bus/pci/devices/%s/numa_node", root, device)
               ? atoi(line)
               : -1;
}

/* The node of the first NIC, -1 when there is none or it does not matter. */
static int node_of_ports(const struct options *o)
{
    for (uint32_t i = 0; o->is_polled && i < o->port_count; i++)
        if (ft_ethdev_is_pci(o->ports[i].name))
            return core_map_node_of_pci("", o->ports[i].name);
    return -1;
}

void core_map_print(FILE *to, const struct options *o)
{
    static struct core_map_machine m;
    core_map_read(&m, "");
    struct core_map map = core_map_propose(&m, node_of_ports(o), o->workers);
    if (!map.worker_count) {
        fputs("{\"cores\": {\"workers\": 1}}\n", to);
        return;
    }
    fputs("{\"cores\": {\"workers\": [", to);
    for (uint32_t i = 0; i < map.worker_count; i++)
        fprintf(to, "%s%u", i ? ", " : "", map.workers[i]);
    fputs("]", to);
    if (map.has_alerting)
        fprintf(to, ", \"alerting\": %u", map.alerting);
    fputs("}}\n", to);
}

/* ---- checking ---- */

struct doctor {
    FILE *to;
    unsigned wrong;
};

__attribute__((format(printf, 2, 3))) static void fine(struct doctor *d, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    fputs("ok     ", d->to);
    vfprintf(d->to, format, ap);
    fputc('\n', d->to);
    va_end(ap);
}

__attribute__((format(printf, 2, 3))) static void wrong(struct doctor *d, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    fputs("to do  ", d->to);
    vfprintf(d->to, format, ap);
    fputc('\n', d->to);
    va_end(ap);
    d->wrong++;
}

static void check_hugepages(struct doctor *d)
{
    char small[32], large[32];
    const char *of = "/sys/kernel/mm/hugepages/hugepages";
    read_line(small, sizeof(small), "%s-2048kB/free_hugepages", of);
    read_line(large, sizeof(large), "%s-1048576kB/free_hugepages", of);
    unsigned long mb = strtoul(small, NULL, 10) * 2 + strtoul(large, NULL, 10) * 1024;
    if (mb >= 256)
        fine(d, "hugepages: %lu MB free", mb);
    else
        wrong(d,
              "hugepages: %lu MB free: a NIC needs them, all else is slower without: sysctl "
              "vm.nr_hugepages=512",
              mb);
}

static void check_governor(struct doctor *d, const struct core_map *map)
{
    char line[64];
    unsigned slow = 0, known = 0;
    for (uint32_t i = 0; i < map->worker_count; i++) {
        known +=
            read_line(line, sizeof(line), "/sys/devices/system/cpu/cpu%u/cpufreq/scaling_governor",
                      map->workers[i]);
        slow += *line && strcmp(line, "performance") != 0;
    }
    if (slow)
        wrong(d,
              "frequency: %u of the workers' CPUs are not fixed: cpupower frequency-set -g "
              "performance",
              slow);
    else
        fine(d, "frequency: %s", known ? "fixed" : "not ours to set");
}

static void check_isolation(struct doctor *d, const struct core_map_machine *m,
                            const struct core_map *map)
{
    unsigned shared = 0;
    for (uint32_t i = 0; i < map->worker_count; i++)
        for (uint32_t k = 0; k < m->count; k++)
            shared += m->cpus[k].cpu == map->workers[i] && !m->cpus[k].is_isolated;
    if (shared)
        wrong(d,
              "isolation: Linux runs other programs on %u of the workers' CPUs: isolcpus= on the "
              "kernel's command line",
              shared);
    else
        fine(d, "isolation: the workers' CPUs are theirs");
}

/* Interrupts that may come to a worker's CPU. */
static void check_interrupts(struct doctor *d, const struct core_map *map)
{
    char list[4096];
    unsigned hits = 0;
    DIR *dir = opendir("/proc/irq");
    for (struct dirent *e; dir && (e = readdir(dir));) {
        if (!isdigit((unsigned char)*e->d_name) ||
            !read_line(list, sizeof(list), "/proc/irq/%s/effective_affinity_list", e->d_name))
            continue;
        bool is_hit = false;
        for (uint32_t i = 0; i < map->worker_count; i++)
            is_hit |= is_in_list(list, map->workers[i]);
        hits += is_hit;
    }
    if (dir)
        closedir(dir);
    if (hits)
        wrong(d,
              "interrupts: %u come to workers' CPUs: /proc/irq/*/smp_affinity_list, and keep "
              "irqbalance from them",
              hits);
    else
        fine(d, "interrupts: none on workers' CPUs");
}

static void warn(void *user, const char *text)
{
    wrong(user, "%s", text);
}

static void check_ports(struct doctor *d, const struct options *o)
{
    char error[512];
    for (uint32_t i = 0; i < o->port_count; i++) {
        const char *name = o->ports[i].name;
        unsigned before = d->wrong;
        if (!o->is_polled)
            ft_interface_warn(name, warn, d);
        else if (!ft_ethdev_is_usable(o->ports[i].device, error, sizeof(error)))
            wrong(d, "%s", error);
        if (d->wrong == before)
            fine(d, "port %s", name);
    }
}

/* All NICs and all workers on one socket. */
static void check_sockets(struct doctor *d, const struct options *o,
                          const struct core_map_machine *m, const struct core_map *map)
{
    unsigned apart = 0;
    for (uint32_t p = 0; o->is_polled && p < o->port_count; p++) {
        int node =
            ft_ethdev_is_pci(o->ports[p].name) ? core_map_node_of_pci("", o->ports[p].name) : -1;
        for (uint32_t i = 0; i < map->worker_count; i++)
            for (uint32_t k = 0; k < m->count; k++)
                apart += node >= 0 && m->cpus[k].cpu == map->workers[i] && m->cpus[k].node != node;
    }
    if (apart)
        wrong(d,
              "sockets: workers and NICs are on different ones, %u times: --print-core-map with "
              "the same ports",
              apart);
    else
        fine(d, "sockets: workers are on those of the NICs");
}

unsigned core_map_doctor(FILE *to, const struct options *o)
{
    static struct core_map_machine m;
    const struct ft_config *c = &o->config;
    struct doctor d = {.to = to};
    core_map_read(&m, "");
    struct core_map map = core_map_propose(&m, node_of_ports(o), o->workers);
    if (c->worker_cpu_count) {
        memcpy(map.workers, c->worker_cpus, sizeof(map.workers));
        map.worker_count = c->worker_cpu_count;
        fine(&d, "cores: %u workers on CPUs of their own", map.worker_count);
    } else {
        wrong(&d, "cores: workers share their CPUs: see --print-core-map");
    }
    check_hugepages(&d);
    check_governor(&d, &map);
    check_isolation(&d, &m, &map);
    check_interrupts(&d, &map);
    check_sockets(&d, o, &m, &map);
    check_ports(&d, o);
    return d.wrong;
}
