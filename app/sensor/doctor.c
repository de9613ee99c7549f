/* SPDX-License-Identifier: BSD-3-Clause */
/* The check of a machine. */
#include "doctor.h"

#include "capture/ethdev.h"
#include "capture/interface.h"

#include <ctype.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Slower CPUs of virtual machines are known to lose packets. */
#define VIRTUAL_MHZ 2400.0

struct doctor {
    const char *root;
    const struct options *options;
    const struct core_map_machine *machine;
    struct core_map map;
    uint32_t megabytes;
    doctor_fn *tell;
    void *user;
    unsigned wrong;
};

__attribute__((format(printf, 3, 4))) static void say(struct doctor *d, bool is_wrong,
                                                      const char *format, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    d->wrong += is_wrong;
    d->tell(d->user, is_wrong, text);
}

/* ---- CPUs ---- */

static const struct core_map_cpu *cpu_of(const struct doctor *d, uint32_t cpu)
{
    for (uint32_t i = 0; i < d->machine->count; i++)
        if (d->machine->cpus[i].cpu == cpu)
            return &d->machine->cpus[i];
    return NULL;
}

static bool is_workers(const struct doctor *d, uint32_t cpu)
{
    for (uint32_t i = 0; i < d->map.worker_count; i++)
        if (d->map.workers[i] == cpu)
            return true;
    return false;
}

/* The workers' CPUs as the kernel's command line wants them, "2-5,8". */
static const char *list_workers(const struct doctor *d, char *to, size_t size)
{
    size_t used = 0;
    *to = 0;
    for (uint32_t cpu = 0; cpu < CORE_MAP_CPUS && used < size; cpu++) {
        uint32_t last = cpu;
        if (!is_workers(d, cpu))
            continue;
        while (is_workers(d, last + 1))
            last++;
        used += (size_t)snprintf(to + used, size - used, "%s%u", used ? "," : "", cpu);
        if (last > cpu && used < size)
            used += (size_t)snprintf(to + used, size - used, "-%u", last);
        cpu = last;
    }
    return to;
}

/* False when the map is another machine's, of whose CPUs nothing can be said. */
static bool check_cores(struct doctor *d)
{
    const struct ft_config *c = &d->options->config;
    unsigned missing = d->map.has_alerting && !cpu_of(d, d->map.alerting);
    uint32_t workers = d->options->workers ? d->options->workers : c->workers;
    for (uint32_t i = 0; i < d->map.worker_count; i++)
        missing += !cpu_of(d, d->map.workers[i]);
    if (c->worker_cpu_count && d->machine->count && missing)
        say(d, true,
            "cores: %u CPUs of the core map are not there for this process: --print-core-map "
            "proposes others",
            missing);
    else if (workers > d->machine->count && d->machine->count)
        say(d, true, "cores: %u workers on %u CPUs are refused live: -w %u at most", workers,
            d->machine->count, d->machine->count);
    else if (!c->worker_cpu_count)
        say(d, true, "cores: workers share their CPUs: see --print-core-map");
    else
        say(d, false, "cores: %u workers on CPUs of their own", d->map.worker_count);
    return !missing || !d->machine->count;
}

/* Two threads of one core are not twice as fast as one. */
static void check_siblings(struct doctor *d)
{
    unsigned pairs = 0;
    for (uint32_t i = 0; i < d->map.worker_count; i++) {
        const struct core_map_cpu *one = cpu_of(d, d->map.workers[i]);
        for (uint32_t k = i + 1; one && k <= d->map.worker_count; k++) {
            bool is_worker = k < d->map.worker_count;
            const struct core_map_cpu *other = is_worker             ? cpu_of(d, d->map.workers[k])
                                               : d->map.has_alerting ? cpu_of(d, d->map.alerting)
                                                                     : NULL;
            pairs += other && other->sibling == one->sibling;
        }
    }
    if (pairs)
        say(d, true,
            "siblings: %u times two threads of the sensor share a core: give each a core of its "
            "own (lscpu -e shows them)",
            pairs);
    else
        say(d, false, "siblings: no core does two things");
}

/* Something has to run Linux. */
static void check_housekeeping(struct doctor *d)
{
    unsigned left = 0;
    for (uint32_t i = 0; i < d->machine->count; i++) {
        uint32_t cpu = d->machine->cpus[i].cpu;
        left += !is_workers(d, cpu) && !(d->map.has_alerting && cpu == d->map.alerting);
    }
    if (left)
        say(d, false, "housekeeping: %u CPUs are left for Linux", left);
    else
        say(d, true,
            "housekeeping: no CPU is left for Linux, which will take the workers': one worker "
            "less");
}

static void check_governor(struct doctor *d)
{
    char line[64];
    unsigned slow = 0, known = 0;
    for (uint32_t i = 0; i < d->map.worker_count; i++) {
        known += core_map_line(line, sizeof(line),
                               "%s/sys/devices/system/cpu/cpu%u/cpufreq/scaling_governor", d->root,
                               d->map.workers[i]);
        slow += *line && strcmp(line, "performance") != 0;
    }
    if (slow)
        say(d, true,
            "frequency: %u of the workers' CPUs are not fixed: cpupower frequency-set -g "
            "performance",
            slow);
    else
        say(d, false, "frequency: %s", known ? "fixed" : "not ours to set");
}

static void check_isolation(struct doctor *d)
{
    char list[1024];
    unsigned shared = 0;
    for (uint32_t i = 0; i < d->map.worker_count; i++) {
        const struct core_map_cpu *cpu = cpu_of(d, d->map.workers[i]);
        shared += cpu && !cpu->is_isolated;
    }
    list_workers(d, list, sizeof(list));
    if (shared)
        say(d, true,
            "isolation: Linux runs other programs on %u of the workers' CPUs: isolcpus=%s "
            "nohz_full=%s rcu_nocbs=%s on the kernel's command line",
            shared, list, list, list);
    else
        say(d, false, "isolation: the workers' CPUs are theirs");
}

/* Interrupts that may come to a worker's CPU. */
static void check_interrupts(struct doctor *d)
{
    char list[4096], path[512];
    unsigned hits = 0;
    snprintf(path, sizeof(path), "%s/proc/irq", d->root);
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        if (!isdigit((unsigned char)*e->d_name) ||
            !core_map_line(list, sizeof(list), "%s/%s/effective_affinity_list", path, e->d_name))
            continue;
        bool is_hit = false;
        for (uint32_t i = 0; i < d->map.worker_count; i++)
            is_hit |= core_map_is_listed(list, d->map.workers[i]);
        hits += is_hit;
    }
    if (dir)
        closedir(dir);
    if (hits)
        say(d, true,
            "interrupts: %u come to workers' CPUs: /proc/irq/*/smp_affinity_list, and keep "
            "irqbalance from them",
            hits);
    else
        say(d, false, "interrupts: none on workers' CPUs");
}

/* ---- sockets and memory ---- */

/* All NICs, workers and the alerting loop on one socket. */
static void check_sockets(struct doctor *d)
{
    int first = -1;
    unsigned apart = 0;
    for (uint32_t p = 0; p < d->options->port_count; p++) {
        int node = core_map_node_of_port(d->root, d->options, p);
        first = first < 0 ? node : first;
        apart += node >= 0 && node != first;
    }
    for (uint32_t i = 0; first >= 0 && i < d->map.worker_count; i++) {
        const struct core_map_cpu *cpu = cpu_of(d, d->map.workers[i]);
        apart += cpu && cpu->node >= 0 && cpu->node != first;
    }
    const struct core_map_cpu *cpu = d->map.has_alerting ? cpu_of(d, d->map.alerting) : NULL;
    apart += first >= 0 && cpu && cpu->node >= 0 && cpu->node != first;
    if (apart)
        say(d, true,
            "sockets: %u NICs or threads are on another one than the first NIC, %d: "
            "--print-core-map with the same ports, or another slot for the NIC",
            apart, first);
    else
        say(d, false, "sockets: NICs and threads are on the same one");
}

/* As many as packets take, on the socket of the NIC. */
static void check_hugepages(struct doctor *d)
{
    int node = -1;
    char where[32] = "";
    for (uint32_t p = 0; p < d->options->port_count && node < 0; p++)
        node = core_map_node_of_port(d->root, d->options, p);
    if (node >= 0)
        snprintf(where, sizeof(where), " on socket %d", node);
    unsigned long mb = core_map_hugepages(d->root, node, "2048kB", "free") * 2 +
                       core_map_hugepages(d->root, node, "1048576kB", "free") * 1024;
    if (mb >= d->megabytes)
        say(d, false, "hugepages: %lu MB free%s, %u are needed", mb, where, d->megabytes);
    else if (node >= 0)
        say(d, true,
            "hugepages: %lu MB free%s, the NIC needs %u there: echo %u > "
            "/sys/devices/system/node/node%d/hugepages/hugepages-2048kB/nr_hugepages",
            mb, where, d->megabytes, (d->megabytes + 1) / 2, node);
    else
        say(d, true,
            "hugepages: %lu MB free, %u are needed: a NIC does not work without, all else is "
            "slower: sysctl vm.nr_hugepages=%u",
            mb, d->megabytes, (d->megabytes + 1) / 2);
}

/* ---- the machine ---- */

/* With these the kernel answers without being called. */
static void check_clock(struct doctor *d)
{
    char line[64];
    core_map_line(line, sizeof(line),
                  "%s/sys/devices/system/clocksource/clocksource0/current_clocksource", d->root);
    bool is_fast = !*line || strcmp(line, "tsc") == 0 || strcmp(line, "kvm-clock") == 0 ||
                   strncmp(line, "hyperv_clocksource_tsc", 22) == 0 ||
                   strcmp(line, "arch_sys_counter") == 0;
    if (is_fast)
        say(d, false, "clock: %s", *line ? line : "not known");
    else
        say(d, true,
            "clock: %s, and each look at it is a system call: clocksource=tsc on the kernel's "
            "command line",
            line);
}

/* A key of the first CPU in /proc/cpuinfo. */
static bool cpuinfo(const struct doctor *d, const char *key, char *to, size_t size)
{
    char path[512], line[4096];
    snprintf(path, sizeof(path), "%s/proc/cpuinfo", d->root);
    FILE *f = fopen(path, "r");
    bool found = false;
    while (f && !found && fgets(line, sizeof(line), f)) {
        char *colon = strchr(line, ':');
        found = colon && strncmp(line, key, strlen(key)) == 0;
        if (found)
            snprintf(to, size, "%s", colon + 1);
    }
    if (f)
        fclose(f);
    return found;
}

/* Time that others took from this machine, in thousandths of what its CPUs had since they run. */
static unsigned stolen(const struct doctor *d)
{
    char line[512];
    unsigned long long all = 0, steal = 0;
    if (!core_map_line(line, sizeof(line), "%s/proc/stat", d->root))
        return 0;
    char *at = line + strcspn(line, " ");
    for (unsigned i = 0; i < 8; i++) {
        unsigned long long n = strtoull(at, &at, 10);
        all += n;
        steal = n;
    }
    return all ? (unsigned)(steal * 1000 / all) : 0;
}

/* A virtual machine needs CPUs of its own, and fast ones. */
static void check_virtual(struct doctor *d)
{
    char flags[4096] = "", mhz[64] = "0";
    cpuinfo(d, "flags", flags, sizeof(flags));
    cpuinfo(d, "cpu MHz", mhz, sizeof(mhz));
    double speed = strtod(mhz, NULL);
    unsigned steal = stolen(d);
    if (!strstr(flags, " hypervisor"))
        say(d, false, "machine: a physical one");
    else if (steal >= 10)
        say(d, true,
            "machine: a virtual one, others take %u.%u %% of its time: pin its CPUs on the host "
            "and reserve them",
            steal / 10, steal % 10);
    else if (speed > 0 && speed < VIRTUAL_MHZ)
        say(d, true,
            "machine: a virtual one on CPUs of %.0f MHz: %.0f at least, reserved for it, is what "
            "sensors need",
            speed, VIRTUAL_MHZ);
    else
        say(d, false, "machine: a virtual one, with time of its own");
}

/* ---- ports ---- */

static void warn(void *user, const char *text)
{
    say(user, true, "port %s", text);
}

/* A NIC in a slot that is too narrow. */
static void check_lanes(struct doctor *d, const char *name)
{
    char now[32], most[32];
    core_map_line(now, sizeof(now), "%s/sys/bus/pci/devices/%s/current_link_width", d->root, name);
    core_map_line(most, sizeof(most), "%s/sys/bus/pci/devices/%s/max_link_width", d->root, name);
    unsigned long has = strtoul(now, NULL, 10), could = strtoul(most, NULL, 10);
    if (has && has < could)
        say(d, true, "port %s: its slot has %lu PCIe lanes of %lu: another slot", name, has, could);
}

static void check_ports(struct doctor *d)
{
    char error[512];
    const struct options *o = d->options;
    for (uint32_t i = 0; i < o->port_count; i++) {
        const char *name = o->ports[i].name;
        const char *why = core_map_why_unplaced(d->machine, d->root, o, i);
        unsigned before = d->wrong;
        if (!o->is_polled)
            ft_interface_warn(name, warn, d);
        else if (!ft_ethdev_is_pci(name) && why)
            say(d, true, "port %s: %s", name, why);
        else if (!ft_ethdev_is_usable_at(d->root, o->ports[i].device, error, sizeof(error)))
            say(d, true, "%s", error);
        else if (ft_ethdev_is_pci(name))
            check_lanes(d, name);
        if (d->wrong == before)
            say(d, false, "port %s", name);
    }
}

unsigned doctor_examine(const char *root, const struct options *o, uint32_t megabytes,
                        doctor_fn *tell, void *user)
{
    static struct core_map_machine m;
    core_map_read(&m, root);
    struct doctor d = {.root = root,
                       .options = o,
                       .machine = &m,
                       .map = core_map_of(&m, root, o),
                       .megabytes = megabytes,
                       .tell = tell,
                       .user = user};
    bool is_ours = check_cores(&d);
    if (is_ours) {
        check_siblings(&d);
        check_housekeeping(&d);
    }
    check_hugepages(&d);
    if (is_ours) {
        check_governor(&d);
        check_isolation(&d);
        check_interrupts(&d);
    }
    check_sockets(&d);
    check_clock(&d);
    check_virtual(&d);
    check_ports(&d);
    return d.wrong;
}

static void print(void *user, bool is_wrong, const char *text)
{
    fprintf(user, "%s%s\n", is_wrong ? "to do  " : "ok     ", text);
}

unsigned doctor_print(FILE *to, const char *root, const struct options *o, uint32_t megabytes)
{
    return doctor_examine(root, o, megabytes, print, to);
}
