/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports of DPDK: what needs no port. */
#include "capture/ethdev.h"

#include "packet/packet.h"

#include <rte_byteorder.h>
#include <rte_thash.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nic_and_shard_agree),
        cmocka_unit_test(test_pci_addresses),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_beginning),
        cmocka_unit_test(test_unusable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
