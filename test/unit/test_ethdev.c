/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports of DPDK: what needs no port. */
#include "capture/ethdev.h"

#include "packet/packet.h"

#include <rte_byteorder.h>
#include <rte_thash.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define MS 1000000ull
#define S  1000000000ull

static union ft_ip address(unsigned *seed, bool is_ipv6)
{
    union ft_ip ip = {0};
    for (unsigned i = 0; i < (is_ipv6 ? 16 : 4); i++)
        ip.bytes[i] = (uint8_t)(rand_r(seed) >> 7);
    return ip;
}

/* The hash of a NIC over two addresses, by DPDK's own reckoning. */
static uint32_t nic_hash(const union ft_ip *a, const union ft_ip *b, bool is_ipv6)
{
    uint8_t key[52];
    uint32_t words[8], n = is_ipv6 ? 4 : 1;
    ft_ethdev_symmetric_key(key, sizeof(key));
    for (uint32_t i = 0; i < n; i++) {
        uint32_t of_a, of_b;
        memcpy(&of_a, a->bytes + 4 * i, 4);
        memcpy(&of_b, b->bytes + 4 * i, 4);
        words[i] = rte_be_to_cpu_32(of_a);
        words[n + i] = rte_be_to_cpu_32(of_b);
    }
    return rte_softrss(words, 2 * n, key);
}

/* Entry n of the table of 128 is shard n's: its packets get to its owner, in both directions. */
static void test_nic_and_shard_agree(void **state)
{
    unsigned seed = 1, seen[FT_SHARDS] = {0}, shards = 0;
    (void)state;
    for (unsigned i = 0; i < 4000; i++) {
        bool is_ipv6 = i % 2;
        union ft_ip a = address(&seed, is_ipv6), b = address(&seed, is_ipv6);
        uint32_t hash = nic_hash(&a, &b, is_ipv6);
        assert_int_equal(hash, nic_hash(&b, &a, is_ipv6));
        assert_int_equal(hash % FT_SHARDS, ft_shard_ip(&a, &b, is_ipv6));
        shards += !seen[hash % FT_SHARDS]++;
    }
    assert_int_equal(shards, FT_SHARDS);
}

static void test_pci_addresses(void **state)
{
    static const char *const are[] = {"0000:3b:00.0", "3b:00.1", "10000:e1:00.7"};
    static const char *const are_not[] = {"net_pcap0,iface=eth1", "eth1", "", "3b:00", "3b:00.0x",
                                          "0000:3b:00.0,x=1"};
    (void)state;
    for (unsigned i = 0; i < RTE_DIM(are); i++)
        assert_true(ft_ethdev_is_pci(are[i]));
    for (unsigned i = 0; i < RTE_DIM(are_not); i++)
        assert_false(ft_ethdev_is_pci(are_not[i]));
}

static void test_names(void **state)
{
    char name[16];
    (void)state;
    assert_true(ft_ethdev_name("3b:00.1", name, sizeof(name)));
    assert_string_equal(name, "0000:3b:00.1");
    assert_true(ft_ethdev_name("0001:3b:00.1", name, sizeof(name)));
    assert_string_equal(name, "0001:3b:00.1");
    assert_true(ft_ethdev_name("net_pcap0,iface=eth1", name, sizeof(name)));
    assert_string_equal(name, "net_pcap0");
    assert_false(ft_ethdev_name("", name, sizeof(name)));
    assert_false(ft_ethdev_name(",iface=eth1", name, sizeof(name)));
    assert_false(ft_ethdev_name("net_pcap012345678901", name, sizeof(name)));
}

static void test_beginning(void **state)
{
    static struct ft_ethdev e;
    struct ft_ethdev_config config = {.device = "net_pcap3,rx_iface=eth7,x=1", .queues = 2};
    (void)state;
    ft_ethdev_init(&e, &config, 5);
    assert_string_equal(e.name, "net_pcap3");
    assert_string_equal(e.interface, "eth7");
    assert_int_equal(e.port.link, 5);
    assert_int_equal(e.port.state, FT_PORT_MISSING);
    assert_false(e.is_started);
    config.device = "net_tap0,iface=dtap0"; /* makes it, does not receive from it */
    ft_ethdev_init(&e, &config, 0);
    assert_string_equal(e.interface, "");
}

static void test_unusable(void **state)
{
    char error[256];
    (void)state;
    assert_false(ft_ethdev_is_usable("ff:1f.7", error, sizeof(error)));
    assert_non_null(strstr(error, "0000:ff:1f.7: there is no such PCI device"));
    assert_true(ft_ethdev_is_usable("net_null0", error, sizeof(error)));
}

/* ---- PCI devices, on a machine of our own ---- */

static char root[] = "/tmp/fieldtap-ethdev-XXXXXX";

/* Make the folders on the way to a file, and the file or a link. */
static void put(const char *path, const char *target)
{
    char full[256];
    snprintf(full, sizeof(full), "%s/%s", root, path);
    for (char *at = strchr(full + strlen(root) + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = 0;
        mkdir(full, 0700);
        *at = '/';
    }
    unlink(full);
    FILE *f = target ? NULL : fopen(full, "w");
    assert_int_equal(target ? symlink(target, full) : fclose(f), 0);
}

/* What a file of /sys says. */
static void write_line(const char *path, const char *line)
{
    char full[256];
    snprintf(full, sizeof(full), "%s/%s", root, path);
    FILE *f = fopen(full, "w");
    assert_non_null(f);
    fprintf(f, "%s\n", line);
    fclose(f);
}

static void expect_refused(const char *word)
{
    char error[512];
    assert_false(ft_ethdev_is_usable_at(root, "3b:00.0", error, sizeof(error)));
    if (!strstr(error, word) || !strstr(error, "0000:3b:00.0"))
        fail_msg("%s: not in: %s", word, error);
}

/* What stands in the way of a NIC is said one after the other, with what to do. */
static void test_way_of_a_nic(void **state)
{
    const char *device = "sys/bus/pci/devices/0000:3b:00.0";
    char path[128], error[512], command[64];
    (void)state;
    assert_non_null(mkdtemp(root));
    expect_refused("no such PCI device");
    snprintf(path, sizeof(path), "%s/vendor", device);
    put(path, NULL);
    expect_refused("has no driver");
    snprintf(path, sizeof(path), "%s/class", device);
    write_line(path, "0x010802");
    expect_refused("it is no network device (its PCI class is 0x010802");
    write_line(path, "0x020000");
    expect_refused("has no driver");
    snprintf(path, sizeof(path), "%s/driver", device);
    put(path, "../../drivers/igb");
    expect_refused("belongs to the kernel's driver igb");
    put(path, "../../drivers/vfio-pci");
    expect_refused("/dev/vfio/vfio cannot be opened (No such file or directory): load the module");
    put("dev/vfio/vfio", NULL);
    expect_refused("there is no IOMMU for it");
    snprintf(path, sizeof(path), "%s/iommu_group", device);
    put(path, "../../../../kernel/iommu_groups/17");
    expect_refused("/dev/vfio/17 cannot be opened (No such file or directory)");
    put("dev/vfio/noiommu-17", NULL);
    assert_true(ft_ethdev_is_usable_at(root, "3b:00.0", error, sizeof(error)));
    put("dev/vfio/17", NULL);
    assert_true(ft_ethdev_is_usable_at(root, "3b:00.0", error, sizeof(error)));
    snprintf(path, sizeof(path), "%s/driver", device);
    put(path, "../../drivers/mlx5_core"); /* shares the NIC with the kernel */
    assert_true(ft_ethdev_is_usable_at(root, "3b:00.0", error, sizeof(error)));
    snprintf(command, sizeof(command), "rm -r %s", root);
    assert_int_equal(system(command), 0);
}

/* ---- queues ---- */

static void test_queues(void **state)
{
    static const struct {
        const char *name;
        bool spreads;
        unsigned most, wanted, got;
    } rows[] = {
        {"0000:3b:00.0", true, 16, 4, 4}, /* one for each worker */
        {"0000:3b:00.0", true, 16, 1, 1},
        {"0000:3b:00.0", false, 16, 4, 1}, /* cannot spread */
        {"0000:3b:00.0", true, 1, 4, 1},   /* likewise */
        {"0000:3b:00.0", true, 2, 4, 0},   /* too few: refused */
        {"net_pcap0", false, 3, 2, 3},     /* all are sources */
        {"net_af_packet1", false, 2, 1, 2},
        {"net_memif0", false, 256, 2, 1},
        {"x", false, 0, 1, 0},
    };
    (void)state;
    for (unsigned i = 0; i < RTE_DIM(rows); i++)
        assert_int_equal(ft_ethdev_count_queues(rows[i].name, rows[i].spreads,
                                                (uint16_t)rows[i].most, (uint16_t)rows[i].wanted),
                         rows[i].got);
}

/* Each queue of each port has exactly one worker, and those with one queue are dealt out. */
static void test_dealing(void **state)
{
    static struct ft_ethdev e;
    (void)state;
    for (uint32_t workers = 1; workers < 6; workers++)
        for (uint32_t port = 0; port < 7; port++) {
            unsigned polled[9] = {0};
            e.is_dealt = true;
            for (uint32_t w = 0; w < workers; w++)
                for (uint32_t q = ft_ethdev_first_queue(&e, port, w, workers); q < 9; q += workers)
                    polled[q]++;
            for (unsigned q = 0; q < 9; q++)
                assert_int_equal(polled[q], 1);
            assert_int_equal(ft_ethdev_first_queue(&e, port, port % workers, workers), 0);
            e.is_dealt = false; /* queue w is worker w's */
            for (uint32_t w = 0; w < workers; w++)
                assert_int_equal(ft_ethdev_first_queue(&e, port, w, workers), w);
        }
}

static void test_misled(void **state)
{
    (void)state;
    assert_false(ft_ethdev_is_misled(999, 999)); /* too few to tell */
    assert_false(ft_ethdev_is_misled(1000, 50));
    assert_true(ft_ethdev_is_misled(1000, 51));
    assert_true(ft_ethdev_is_misled(UINT64_MAX, UINT64_MAX));
    assert_false(ft_ethdev_is_misled(1000000, 0));
}

/* ---- clocks of NICs ---- */

/* A clock of 312.5 MHz (3.2 ns a tick) that runs 20 ppm fast, read with an error of microseconds.
 */
static uint64_t nic_ticks(uint64_t wall)
{
    return 777000 + (uint64_t)((double)(wall - 1700000000 * S) / 3.2 * 1.00002);
}

static int64_t off_by(const struct ft_device_clock *c, uint64_t wall)
{
    struct ft_device_time time = ft_device_clock_time(c);
    return (int64_t)(ft_device_time_wall(&time, nic_ticks(wall)) - wall);
}

static void test_clock_of_a_nic(void **state)
{
    struct ft_device_clock c = {0};
    uint64_t begin = 1700000000 * S;
    unsigned seed = 7;
    (void)state;
    ft_device_clock_observe(&c, nic_ticks(begin), begin);
    assert_int_equal(ft_device_clock_time(&c).scale, 0); /* no rate yet */
    ft_device_clock_observe(&c, nic_ticks(begin + 20 * MS), begin + 20 * MS);
    assert_true(llabs(off_by(&c, begin + 1 * S)) < 1000);
    for (uint64_t t = 1; t < 300; t++) {
        uint64_t now = begin + t * S, error = (uint64_t)(rand_r(&seed) % 4000);
        ft_device_clock_observe(&c, nic_ticks(now + error), now);
        assert_true(llabs(off_by(&c, now + S)) < 12000);     /* until the next look */
        assert_true(llabs(off_by(&c, now - S / 2)) < 12000); /* what waited in the queue */
    }
}

/* The host's clock is set, the NIC is reset: stamps follow at the next look. */
static void test_clock_that_is_set(void **state)
{
    struct ft_device_clock c = {0};
    uint64_t begin = 1700000000 * S, set = 3600 * S;
    (void)state;
    for (uint64_t t = 0; t < 10; t++)
        ft_device_clock_observe(&c, nic_ticks(begin + t * S), begin + t * S);
    for (uint64_t t = 10; t < 13; t++)
        ft_device_clock_observe(&c, nic_ticks(begin + t * S), begin + t * S + set);
    assert_true(llabs(off_by(&c, begin + 12 * S) - (int64_t)set) < 1000);
    struct ft_device_time time = ft_device_clock_time(&c);
    assert_true(llabs((int64_t)(time.scale - ((32ull << 32) / 10))) < (1 << 20)); /* 3.2 ns */
    ft_device_clock_observe(&c, 5, begin + 13 * S + set);
    time = ft_device_clock_time(&c);
    assert_int_equal(ft_device_time_wall(&time, 5), begin + 13 * S + set);
}

static void test_clock_of_the_kernel(void **state)
{
    struct ft_device_clock c = {0};
    (void)state;
    ft_device_clock_fix(&c, 1000);
    struct ft_device_time time = ft_device_clock_time(&c);
    assert_int_equal(ft_device_time_wall(&time, 1700000000123456ull), 1700000000123456000ull);
    assert_int_equal(ft_device_time_wall(&time, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nic_and_shard_agree),
        cmocka_unit_test(test_pci_addresses),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_beginning),
        cmocka_unit_test(test_unusable),
        cmocka_unit_test(test_way_of_a_nic),
        cmocka_unit_test(test_queues),
        cmocka_unit_test(test_dealing),
        cmocka_unit_test(test_misled),
        cmocka_unit_test(test_clock_of_a_nic),
        cmocka_unit_test(test_clock_that_is_set),
        cmocka_unit_test(test_clock_of_the_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
