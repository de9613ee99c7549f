/* SPDX-License-Identifier: BSD-3-Clause */
/* What is told of a network interface by its folder in sysfs. */
#include "capture/interface.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char folder[] = "/tmp/ft_interface_XXXXXX";

static void put(const char *path)
{
    char full[256];
    snprintf(full, sizeof(full), "%s/%s", folder, path);
    assert_int_equal(mkdir(full, 0700), 0);
}

static void test_hardware(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "eth0",
        "eth0/device",
        "eth0/upper_br0",
        "eth0.7",
        "eth0.7/lower_eth0", /* a VLAN */
        "br0",
        "br0/lower_vnet0",
        "br0/lower_eth0.7",
        "vnet0",
        "vnet0/upper_br0", /* what stands on it does not count */
        "dummy0",
        "br1",
        "br1/lower_vnet0",
        "loop0",
        "loop0/lower_loop0",
    };
    char command[64];
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        put(paths[i]);
    assert_true(ft_interface_has_hardware(folder, "eth0"));
    assert_true(ft_interface_has_hardware(folder, "eth0.7"));
    assert_true(ft_interface_has_hardware(folder, "br0"));
    assert_false(ft_interface_has_hardware(folder, "vnet0"));
    assert_false(ft_interface_has_hardware(folder, "dummy0"));
    assert_false(ft_interface_has_hardware(folder, "br1"));
    assert_false(ft_interface_has_hardware(folder, "loop0"));
    assert_false(ft_interface_has_hardware(folder, "none"));
    snprintf(command, sizeof(command), "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hardware)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
