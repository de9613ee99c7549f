/* SPDX-License-Identifier: BSD-3-Clause */
/* Proposals of core maps, for machines as sysfs shows them. */
#include "sensor/core_map.h"

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

static void put(const char *root, const char *path, const char *text)
{
    char full[512];
    snprintf(full, sizeof(full), "%s/%s", root, path);
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

static void test_reading(void **state)
{
    static struct core_map_machine m;
    char root[] = "/tmp/fieldtap-core-map-XXXXXX", command[64];
    (void)state;
    assert_non_null(mkdtemp(root));
    for (unsigned i = 0; i < 4; i++) {
        char path[96];
        snprintf(path, sizeof(path), "sys/devices/system/cpu/cpu%u/topology/thread_siblings_list",
                 i);
        put(root, path, i % 2 ? "1,3\n" : "0,2\n");
    }
    put(root, "sys/devices/system/cpu/isolated", "1,3\n");
    put(root, "sys/devices/system/node/node0/cpulist", "0,2\n");
    put(root, "sys/devices/system/node/node1/cpulist", "1-1,3\n");
    core_map_read(&m, root);
    snprintf(command, sizeof(command), "rm -r %s", root);
    assert_int_equal(system(command), 0);
    assert_int_equal(m.count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(m.cpus[i].cpu, i);
        assert_int_equal(m.cpus[i].sibling, i % 2);
        assert_int_equal(m.cpus[i].node, i % 2);
        assert_int_equal(m.cpus[i].is_isolated, i % 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_thread_of_each_core),
        cmocka_unit_test(test_socket_of_the_nic),
        cmocka_unit_test(test_isolated),
        cmocka_unit_test(test_small),
        cmocka_unit_test(test_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
