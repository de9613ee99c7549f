/* SPDX-License-Identifier: BSD-3-Clause */
/* Proposals of core maps and the check of a machine, for machines as sysfs shows them. */
#include "sensor/core_map.h"
#include "sensor/doctor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* `cores` cores of two threads each, numbered as Linux does: siblings are `cores` apart; the second
 * half of the cores is on node 1. */
static struct core_map_machine *machine(uint32_t cores)
{
    static struct core_map_machine m;
    memset(&m, 0, sizeof(m));
    for (uint32_t i = 0; i < 2 * cores; i++)
        m.cpus[m.count++] =
            (struct core_map_cpu){.cpu = i, .node = i % cores >= cores / 2, .sibling = i % cores};
    return &m;
}

static void test_one_thread_of_each_core(void **state)
{
    struct core_map map = core_map_propose(machine(8), -1, 0);
    (void)state;
    assert_true(map.has_alerting);
    assert_int_equal(map.alerting, 1);
    assert_int_equal(map.worker_count, 6);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(map.workers[i], 2 + i);
}

static void test_socket_of_the_nic(void **state)
{
    struct core_map map = core_map_propose(machine(8), 1, 2);
    (void)state;
    assert_int_equal(map.alerting, 4);
    assert_int_equal(map.worker_count, 2);
    assert_int_equal(map.workers[0], 5);
    assert_int_equal(map.workers[1], 6);
}

static void test_isolated(void **state)
{
    struct core_map_machine *m = machine(8);
    (void)state;
    m->cpus[3].is_isolated = m->cpus[5].is_isolated = m->cpus[6].is_isolated = true;
    struct core_map map = core_map_propose(m, -1, 0);
    assert_int_equal(map.alerting, 3);
    assert_int_equal(map.worker_count, 2);
    assert_int_equal(map.workers[0], 5);
    assert_int_equal(map.workers[1], 6);
}

static void test_small(void **state)
{
    struct core_map_machine m = {.count = 2, .cpus = {{.cpu = 0}, {.cpu = 1, .sibling = 1}}};
    struct core_map map = core_map_propose(&m, -1, 0);
    (void)state;
    assert_false(map.has_alerting);
    assert_int_equal(map.worker_count, 1);
    assert_int_equal(map.workers[0], 1);
    m.count = 1;
    assert_int_equal(core_map_propose(&m, -1, 0).worker_count, 0);
}

/* ---- a machine under a folder ---- */

static char root[64];

static int make_root(void **state)
{
    (void)state;
    strcpy(root, "/tmp/fieldtap-core-map-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", root);
    return system(command);
}

__attribute__((format(printf, 2, 3))) static void put(const char *text, const char *path, ...)
{
    char full[512];
    va_list ap;
    va_start(ap, path);
    int n = snprintf(full, sizeof(full), "%s/", root);
    vsnprintf(full + n, sizeof(full) - (size_t)n, path, ap);
    va_end(ap);
    for (char *at = strchr(full + strlen(root) + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = 0;
        mkdir(full, 0700);
        *at = '/';
    }
    FILE *f = fopen(full, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* Four cores of two threads; cores 0 and 1 on node 0, 2 and 3 on node 1; CPU n + 4 is n's sibling.
 */
static void put_cpus(const char *isolated)
{
    for (unsigned i = 0; i < 8; i++) {
        char siblings[16];
        snprintf(siblings, sizeof(siblings), "%u,%u\n", i % 4, i % 4 + 4);
        put(siblings, "sys/devices/system/cpu/cpu%u/topology/thread_siblings_list", i);
        put("performance\n", "sys/devices/system/cpu/cpu%u/cpufreq/scaling_governor", i);
    }
    put(isolated, "sys/devices/system/cpu/isolated");
    put("0-1,4-5\n", "sys/devices/system/node/node0/cpulist");
    put("2-3,6-7\n", "sys/devices/system/node/node1/cpulist");
}

/* A NIC on node 1, ready for DPDK. */
static void put_nic(const char *width)
{
    char path[256], target[64] = "../../drivers/mlx5_core";
    put("0x020000\n", "sys/bus/pci/devices/0000:3b:00.0/class");
    put("1\n", "sys/bus/pci/devices/0000:3b:00.0/numa_node");
    put(width, "sys/bus/pci/devices/0000:3b:00.0/current_link_width");
    put("8\n", "sys/bus/pci/devices/0000:3b:00.0/max_link_width");
    snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/0000:3b:00.0/driver", root);
    unlink(path);
    assert_int_equal(symlink(target, path), 0);
}

/* A machine on which everything is as it should be. */
static void put_good(void)
{
    put_cpus("2-3,6-7\n");
    put_nic("8\n");
    put("4096\n", "sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");
    put("512\n", "sys/devices/system/node/node1/hugepages/hugepages-2048kB/free_hugepages");
    put("0-1,4-5\n", "proc/irq/24/effective_affinity_list");
    put("tsc\n", "sys/devices/system/clocksource/clocksource0/current_clocksource");
    put("cpu MHz\t\t: 2100.000\nflags\t\t: fpu vme tsc\n", "proc/cpuinfo");
    put("cpu  100 0 100 10000 0 0 0 0 0 0\n", "proc/stat");
}

/* One worker on CPU 2, the alerting loop on 3, the NIC above. */
static struct options *options(void)
{
    static struct options o;
    o = (struct options){.is_polled = true, .port_count = 1};
    strcpy(o.ports[0].name, "0000:3b:00.0");
    o.ports[0].device = o.ports[0].name;
    o.config.worker_cpus[0] = 2;
    o.config.worker_cpu_count = o.config.workers = 1;
    o.config.alerting_cpu = 3;
    return &o;
}

static char *told;

static unsigned examine(const struct options *o)
{
    size_t size;
    free(told);
    told = NULL;
    FILE *f = open_memstream(&told, &size);
    unsigned wrong = doctor_print(f, root, o, 512);
    fclose(f);
    return wrong;
}

/* Exactly one thing to do, and that is said. */
static void expect_one(const struct options *o, const char *words)
{
    unsigned wrong = examine(o);
    const char *line = strstr(told, "to do  ");
    if (wrong != 1 || !line || strncmp(line + 7, words, strlen(words)) != 0)
        fail_msg("%s: not the only one of\n%s", words, told);
}

static void test_reading(void **state)
{
    static struct core_map_machine m;
    (void)state;
    put_cpus("1,3\n");
    core_map_read(&m, root);
    assert_int_equal(m.count, 8);
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(m.cpus[i].cpu, i);
        assert_int_equal(m.cpus[i].sibling, i % 4);
        assert_int_equal(m.cpus[i].node, i % 4 / 2);
        assert_int_equal(m.cpus[i].is_isolated, i == 1 || i == 3);
    }
    assert_int_equal(core_map_node_of_cpu(root, 6), 1);
    assert_int_equal(core_map_node_of_cpu(root, 9), -1);
    assert_int_equal(core_map_node_of_pci(root, "0000:3b:00.0"), -1);
}

static void test_good_machine(void **state)
{
    static const char *const about[] = {"cores",     "siblings",  "housekeeping",     "hugepages",
                                        "frequency", "isolation", "interrupts",       "sockets",
                                        "clock",     "machine",   "port 0000:3b:00.0"};
    (void)state;
    put_good();
    assert_int_equal(examine(options()), 0);
    for (unsigned i = 0; i < sizeof(about) / sizeof(about[0]); i++) {
        char line[64];
        snprintf(line, sizeof(line), "ok     %s", about[i]);
        if (!strstr(told, line))
            fail_msg("%s: not in\n%s", line, told);
    }
    assert_non_null(strstr(told, "hugepages: 1024 MB free on socket 1, 512 are needed"));
}

static void expect_map(const struct options *o, const char *want)
{
    size_t size;
    free(told);
    told = NULL;
    FILE *f = open_memstream(&told, &size);
    core_map_print(f, f, root, o);
    fclose(f);
    assert_string_equal(told, want);
}

/* What was assumed of a port of which nobody knows where it is. */
static void expect_remark(struct options *o, const char *device, bool is_polled, const char *why)
{
    char want[512] = "";
    o->is_polled = is_polled;
    o->ports[0].device = device;
    snprintf(o->ports[0].name, sizeof(o->ports[0].name), "%.*s", (int)strcspn(device, ","), device);
    if (why)
        snprintf(want, sizeof(want),
                 "fieldtap: port %s: %s: assumed is that CPUs of any socket will do\n",
                 o->ports[0].name, why);
    if (is_polled)
        snprintf(want + strlen(want), sizeof(want) - strlen(want), "{\"ports\": [\"%s\"], ",
                 device);
    else
        strcat(want, "{");
    strcat(want, "\"cores\": {\"workers\": [2, 3], \"alerting\": 1}}\n");
    expect_map(o, want);
}

static void test_remarks(void **state)
{
    struct options *o = options();
    (void)state;
    put_cpus("\n");
    put_nic("8\n");
    put("-1\n", "sys/bus/pci/devices/0000:3b:00.0/numa_node");
    expect_remark(o, "0000:3b:00.0", true, "nobody tells which socket its slot belongs to");
    expect_remark(o, "0000:ff:1f.7", true, "there is no such PCI device (lspci -D lists them)");
    expect_remark(o, "net_foo0", true,
                  "it is neither the address of a PCI device nor a virtual device");
    expect_remark(o, "net_null0", true, NULL);
    expect_remark(o, "net_pcap0,iface=lo", true, NULL);
    expect_remark(o, "net_pcap0,iface=nope0", true,
                  "there is no such interface (ip link lists them)");
    expect_remark(o, "lo", false, NULL);
    expect_remark(o, "nope0", false, "there is no such interface (ip link lists them)");
}

/* On the NIC's socket, a thread of each core, isolated CPUs only if there are, as many as wanted.
 */
static void test_printing(void **state)
{
#define NIC "{\"ports\": [\"0000:3b:00.0\"], "
    struct options *o = options();
    (void)state;
    put_cpus("\n");
    put_nic("8\n");
    expect_map(o, NIC "\"cores\": {\"workers\": [3], \"alerting\": 2}}\n");
    put("0\n", "sys/bus/pci/devices/0000:3b:00.0/numa_node"); /* CPU 0 is left for Linux */
    expect_map(o, NIC "\"cores\": {\"workers\": [1]}}\n");
    put("1\n", "sys/bus/pci/devices/0000:3b:00.0/numa_node");
    o->workers = 1;
    expect_map(o, NIC "\"cores\": {\"workers\": [3], \"alerting\": 2}}\n");
    put_cpus("2-3,6-7\n");
    expect_map(o, NIC "\"cores\": {\"workers\": [3], \"alerting\": 2}}\n");
    o->workers = 7;
    expect_map(o, "fieldtap: -w 7: only 1 can have a core of its own on socket 1: the first CPU's "
                  "is left to Linux, of three and more one to the alerting loop\n" NIC
                  "\"cores\": {\"workers\": [3], \"alerting\": 2}}\n");
}

/* CPUs are taken of one socket, and that is said. */
static void test_two_sockets(void **state)
{
    struct options *o = options();
    (void)state;
    put_cpus("\n");
    put_nic("8\n");
    put("0x020000\n", "sys/bus/pci/devices/0000:5e:00.0/class");
    put("1\n", "sys/bus/pci/devices/0000:5e:00.0/numa_node");
    strcpy(o->ports[1].name, "0000:5e:00.0");
    o->ports[1].device = o->ports[1].name;
    o->port_count = 2;
#define TWO "{\"ports\": [\"0000:3b:00.0\", \"0000:5e:00.0\"], "
    expect_map(o, TWO "\"cores\": {\"workers\": [3], \"alerting\": 2}}\n");
    put("0\n", "sys/bus/pci/devices/0000:5e:00.0/numa_node");
    expect_map(o, "fieldtap: port 0000:5e:00.0: is on socket 0, the first NIC on 1: CPUs are taken "
                  "of socket 1 only: put both into slots of one socket, or run a sensor for "
                  "each\n" TWO "\"cores\": {\"workers\": [3], \"alerting\": 2}}\n");
}

static void test_what_is_wrong_with_cpus(void **state)
{
    struct options *o;
    (void)state;
    put_good();
    put("powersave\n", "sys/devices/system/cpu/cpu2/cpufreq/scaling_governor");
    expect_one(options(), "frequency: 1 of the workers' CPUs are not fixed: cpupower");
    put_good();
    put("3\n", "sys/devices/system/cpu/isolated");
    expect_one(options(), "isolation: Linux runs other programs on 1 of the workers' CPUs: "
                          "isolcpus=2 nohz_full=2 rcu_nocbs=2 on");
    put_good();
    put("0-7\n", "proc/irq/25/effective_affinity_list");
    expect_one(options(), "interrupts: 1 come to workers' CPUs");
    put("0\n", "proc/irq/25/effective_affinity_list");
    o = options();
    o->config.alerting_cpu = 6;
    expect_one(o, "siblings: 1 times two threads of the sensor share a core");
    o = options();
    o->config.alerting_cpu = FT_CONFIG_NO_CPU;
    o->config.worker_cpu_count = 0;
    o->workers = 1; /* then what would be proposed is looked at */
    expect_one(o, "cores: workers share their CPUs: see --print-core-map");
}

/* A core map of another machine. */
static void test_missing_cpus(void **state)
{
    struct options *o = options();
    (void)state;
    put_good();
    o->config.worker_cpus[0] = 8;
    o->config.alerting_cpu = 9;
    examine(o);
    assert_non_null(strstr(told, "to do  cores: 2 CPUs of the core map are not there"));
    assert_null(strstr(told, "isolation")); /* nor is all well there */
    assert_non_null(strstr(told, "hugepages"));
}

static void test_housekeeping(void **state)
{
    struct options *o = options();
    (void)state;
    put_good();
    put("0-7\n", "sys/devices/system/node/node1/cpulist");
    put("", "sys/devices/system/node/node0/cpulist");
    put("0-7\n", "sys/devices/system/cpu/isolated");
    put("\n", "proc/irq/24/effective_affinity_list");
    for (unsigned i = 0; i < 8; i++)
        o->config.worker_cpus[i] = i;
    o->config.worker_cpu_count = 8;
    o->config.alerting_cpu = FT_CONFIG_NO_CPU;
    examine(o);
    assert_non_null(strstr(told, "to do  housekeeping: no CPU is left for Linux"));
    assert_non_null(strstr(told, "to do  siblings: 4 times"));
}

static void test_what_is_wrong_with_memory(void **state)
{
    (void)state;
    put_good();
    put("255\n", "sys/devices/system/node/node1/hugepages/hugepages-2048kB/free_hugepages");
    expect_one(options(),
               "hugepages: 510 MB free on socket 1, the NIC needs 512 there: echo 256 >");
    put("1\n", "sys/devices/system/node/node1/hugepages/hugepages-1048576kB/free_hugepages");
    assert_int_equal(examine(options()), 0);
    put("0\n", "sys/bus/pci/devices/0000:3b:00.0/numa_node");
    put("512\n", "sys/devices/system/node/node0/hugepages/hugepages-2048kB/free_hugepages");
    expect_one(options(), "sockets: 2 NICs or threads are on another one than the first NIC, 0");
    put("-1\n", "sys/bus/pci/devices/0000:3b:00.0/numa_node"); /* nobody knows */
    assert_int_equal(examine(options()), 0);
    put("7\n", "sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");
    expect_one(options(), "hugepages: 14 MB free, 512 are needed: a NIC does not work without");
}

static void test_what_is_wrong_with_the_machine(void **state)
{
    (void)state;
    put_good();
    put("hpet\n", "sys/devices/system/clocksource/clocksource0/current_clocksource");
    expect_one(options(), "clock: hpet, and each look at it is a system call: clocksource=tsc");
    put("tsc\n", "sys/devices/system/clocksource/clocksource0/current_clocksource");
    put("cpu MHz\t\t: 2100.000\nflags\t\t: fpu hypervisor tsc\n", "proc/cpuinfo");
    expect_one(options(), "machine: a virtual one on CPUs of 2100 MHz: 2400 at least");
    put("cpu MHz\t\t: 2600.000\nflags\t\t: fpu hypervisor tsc\n", "proc/cpuinfo");
    assert_int_equal(examine(options()), 0);
    put("cpu  100 0 100 700 0 0 0 100 0 0\n", "proc/stat");
    expect_one(options(), "machine: a virtual one, others take 10.0 % of its time");
}

static void test_what_is_wrong_with_ports(void **state)
{
    struct options *o = options();
    (void)state;
    put_good();
    put("4\n", "sys/bus/pci/devices/0000:3b:00.0/current_link_width");
    expect_one(o, "port 0000:3b:00.0: its slot has 4 PCIe lanes of 8: another slot");
    o->ports[0].device = "0000:3b:00.1";
    expect_one(o, "port 0000:3b:00.1: there is no such PCI device");
}

#define ROOT(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_thread_of_each_core),
        cmocka_unit_test(test_socket_of_the_nic),
        cmocka_unit_test(test_isolated),
        cmocka_unit_test(test_small),
        ROOT(test_reading),
        ROOT(test_printing),
        ROOT(test_two_sockets),
        ROOT(test_remarks),
        ROOT(test_good_machine),
        ROOT(test_what_is_wrong_with_cpus),
        ROOT(test_missing_cpus),
        ROOT(test_housekeeping),
        ROOT(test_what_is_wrong_with_memory),
        ROOT(test_what_is_wrong_with_the_machine),
        ROOT(test_what_is_wrong_with_ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
