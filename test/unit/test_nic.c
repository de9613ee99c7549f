/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports of DPDK on a NIC that is made up: the functions of DPDK's ethdev that the port calls are
 * defined here, and so come before those of the library. Each test says what the NIC can and how it
 * behaves, and looks at what the port made of it.
 */
#define ALLOW_EXPERIMENTAL_API
#include "capture/ethdev.h"

#include "packet/packet.h"

#include <errno.h>
#include <rte_flow.h>
#include <rte_mbuf_dyn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define ID 3

/* The kinds of packets that NICs of Intel can hash: all of IP, or TCP and UDP by name. */
#define ALL_OF_IP (RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_IPV6 | RTE_ETH_RSS_NONFRAG_IPV4_TCP)
#define BY_NAME                                                                                    \
    (RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP |         \
     RTE_ETH_RSS_NONFRAG_IPV4_OTHER | RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_NONFRAG_IPV6_UDP)

static struct nic {
    /* what it can */
    const char *driver;
    uint64_t kinds, offloads;
    uint16_t queues, table;
    uint32_t longest;
    bool insists_on_tx, refuses_mtu, refuses_queues, forgets_key, forgets_table, refuses_rules;
    bool is_promiscuous, keeps_pause;
    int pause; /* result of looking; its mode below */
    bool has_clock, has_ptp;
    /* what was done to it */
    struct rte_eth_conf conf;
    uint16_t rx, tx;
    uint8_t key[52];
    uint64_t hashed;
    struct rte_eth_rss_reta_entry64 entries[8];
    unsigned rules, starts, closes, resets;
    enum rte_eth_fc_mode mode;
    uint16_t descriptors;
    /* how it is */
    bool has_link, is_removed;
    struct rte_eth_stats stats;
    rte_eth_dev_cb_fn callback;
    rte_dev_event_cb_fn device_callback;
    void *user;
} nic;

static struct rte_eth_dev_info its_info;

int rte_eth_dev_get_port_by_name(const char *name, uint16_t *id)
{
    *id = ID;
    return strcmp(name, "0000:3b:00.0") == 0 || strcmp(name, "net_made0") == 0 ? 0 : -ENODEV;
}

int rte_eth_dev_info_get(uint16_t id, struct rte_eth_dev_info *info)
{
    static const uint32_t flags = RTE_ETH_DEV_INTR_RMV;
    assert_int_equal(id, ID);
    its_info = (struct rte_eth_dev_info){.driver_name = nic.driver,
                                         .dev_flags = &flags,
                                         .max_rx_queues = nic.queues,
                                         .max_rx_pktlen = nic.longest,
                                         .rx_offload_capa = nic.offloads,
                                         .reta_size = nic.table,
                                         .hash_key_size = 40,
                                         .flow_type_rss_offloads = nic.kinds};
    *info = its_info;
    return 0;
}

int rte_eth_dev_configure(uint16_t id, uint16_t rx, uint16_t tx, const struct rte_eth_conf *conf)
{
    (void)id;
    if ((!tx && nic.insists_on_tx) || (rx > 1 && nic.refuses_queues) ||
        (conf->rxmode.mtu && nic.refuses_mtu) || rx > nic.queues)
        return -EINVAL;
    assert_int_equal(conf->rxmode.offloads & ~nic.offloads, 0);
    assert_int_equal(conf->rx_adv_conf.rss_conf.rss_hf & ~nic.kinds, 0);
    nic.conf = *conf;
    nic.rx = rx;
    nic.tx = tx;
    if (conf->rx_adv_conf.rss_conf.rss_key && !nic.forgets_key)
        memcpy(nic.key, conf->rx_adv_conf.rss_conf.rss_key, 40);
    nic.hashed = conf->rx_adv_conf.rss_conf.rss_hf;
    return 0;
}

int rte_eth_dev_adjust_nb_rx_tx_desc(uint16_t id, uint16_t *rx, uint16_t *tx)
{
    (void)id;
    (void)tx;
    *rx = *rx < 4096 ? *rx : 4096;
    return 0;
}

int rte_eth_rx_queue_setup(uint16_t id, uint16_t queue, uint16_t descriptors, unsigned socket,
                           const struct rte_eth_rxconf *conf, struct rte_mempool *pool)
{
    (void)id;
    (void)queue;
    (void)socket;
    (void)conf;
    (void)pool;
    nic.descriptors = descriptors;
    return 0;
}

int rte_eth_tx_queue_setup(uint16_t id, uint16_t queue, uint16_t descriptors, unsigned socket,
                           const struct rte_eth_txconf *conf)
{
    (void)id;
    (void)queue;
    (void)descriptors;
    (void)socket;
    (void)conf;
    return 0;
}

int rte_eth_dev_start(uint16_t id)
{
    (void)id;
    nic.starts++;
    return 0;
}

int rte_eth_dev_stop(uint16_t id)
{
    (void)id;
    return 0;
}

int rte_eth_dev_close(uint16_t id)
{
    (void)id;
    nic.closes++;
    return 0;
}

int rte_eth_dev_reset(uint16_t id)
{
    (void)id;
    nic.resets++;
    return 0;
}

int rte_eth_promiscuous_enable(uint16_t id)
{
    (void)id;
    return nic.is_promiscuous ? 0 : -ENOTSUP;
}

int rte_eth_promiscuous_disable(uint16_t id)
{
    (void)id;
    return 0;
}

int rte_eth_promiscuous_get(uint16_t id)
{
    (void)id;
    return nic.is_promiscuous;
}

int rte_eth_allmulticast_enable(uint16_t id)
{
    (void)id;
    return 0;
}

int rte_eth_dev_rss_reta_update(uint16_t id, struct rte_eth_rss_reta_entry64 *table, uint16_t size)
{
    (void)id;
    assert_int_equal(size, nic.table);
    if (!nic.forgets_table)
        memcpy(nic.entries, table, size / RTE_ETH_RETA_GROUP_SIZE * sizeof(*table));
    return 0;
}

int rte_eth_dev_rss_reta_query(uint16_t id, struct rte_eth_rss_reta_entry64 *table, uint16_t size)
{
    (void)id;
    memcpy(table, nic.entries, size / RTE_ETH_RETA_GROUP_SIZE * sizeof(*table));
    return 0;
}

int rte_eth_dev_rss_hash_conf_get(uint16_t id, struct rte_eth_rss_conf *conf)
{
    (void)id;
    memcpy(conf->rss_key, nic.key, 40);
    return 0;
}

int rte_eth_dev_rss_hash_update(uint16_t id, struct rte_eth_rss_conf *conf)
{
    (void)id;
    assert_int_equal(conf->rss_hf, nic.hashed);
    memcpy(nic.key, conf->rss_key, 40);
    return 0;
}

struct rte_flow *rte_flow_create(uint16_t id, const struct rte_flow_attr *attr,
                                 const struct rte_flow_item pattern[],
                                 const struct rte_flow_action actions[],
                                 struct rte_flow_error *error)
{
    const struct rte_flow_action_rss *rss = actions[0].conf;
    (void)id;
    (void)error;
    assert_true(attr->ingress);
    assert_int_equal(pattern[0].type, RTE_FLOW_ITEM_TYPE_ETH);
    assert_int_equal(actions[0].type, RTE_FLOW_ACTION_TYPE_RSS);
    assert_true(rss->types & RTE_ETH_RSS_L3_SRC_ONLY && rss->types & RTE_ETH_RSS_L3_DST_ONLY);
    nic.rules++;
    return nic.refuses_rules ? NULL : (struct rte_flow *)&nic;
}

int rte_eth_dev_flow_ctrl_get(uint16_t id, struct rte_eth_fc_conf *conf)
{
    (void)id;
    conf->mode = nic.mode;
    return nic.pause;
}

int rte_eth_dev_flow_ctrl_set(uint16_t id, struct rte_eth_fc_conf *conf)
{
    (void)id;
    nic.mode = nic.keeps_pause ? nic.mode : conf->mode;
    return 0;
}

/* Its clock has 4 ns a tick and began some time ago. */
static uint64_t ticks_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (((uint64_t)t.tv_sec - 1700000000) * 1000000000 + (uint64_t)t.tv_nsec) / 4;
}

int rte_eth_read_clock(uint16_t id, uint64_t *clock)
{
    (void)id;
    *clock = ticks_now();
    return nic.has_clock ? 0 : -ENOTSUP;
}

int rte_eth_timesync_read_time(uint16_t id, struct timespec *time)
{
    (void)id;
    *time = (struct timespec){.tv_sec = (time_t)(ticks_now() * 4 / 1000000000),
                              .tv_nsec = (long)(ticks_now() * 4 % 1000000000)};
    return nic.has_ptp ? 0 : -ENOTSUP;
}

int rte_mbuf_dyn_rx_timestamp_register(int *offset, uint64_t *flag)
{
    *offset = (int)(offsetof(struct rte_mbuf, dynfield1) + 7) & ~7;
    *flag = 1ull << 30;
    return 0;
}

int rte_eth_dev_socket_id(uint16_t id)
{
    (void)id;
    return 1;
}

int rte_eth_stats_reset(uint16_t id)
{
    (void)id;
    memset(&nic.stats, 0, sizeof(nic.stats));
    return 0;
}

int rte_eth_stats_get(uint16_t id, struct rte_eth_stats *stats)
{
    (void)id;
    *stats = nic.stats;
    if (nic.is_removed)
        memset(stats, 0xff, sizeof(*stats));
    return 0;
}

int rte_eth_dev_callback_register(uint16_t id, enum rte_eth_event_type event,
                                  rte_eth_dev_cb_fn callback, void *user)
{
    (void)id;
    (void)event;
    nic.callback = callback;
    nic.user = user;
    return 0;
}

int rte_eth_dev_callback_unregister(uint16_t id, enum rte_eth_event_type event,
                                    rte_eth_dev_cb_fn callback, void *user)
{
    (void)id;
    (void)event;
    (void)callback;
    (void)user;
    nic.callback = NULL;
    return 0;
}

int rte_dev_event_callback_register(const char *device, rte_dev_event_cb_fn callback, void *user)
{
    assert_string_equal(device, "0000:3b:00.0");
    assert_ptr_equal(user, nic.user);
    nic.device_callback = callback;
    return 0;
}

int rte_dev_event_callback_unregister(const char *device, rte_dev_event_cb_fn callback, void *user)
{
    (void)device;
    (void)user;
    assert_ptr_equal(callback, nic.device_callback);
    nic.device_callback = NULL;
    return 0;
}

int rte_eth_link_get_nowait(uint16_t id, struct rte_eth_link *link)
{
    (void)id;
    *link = (struct rte_eth_link){.link_speed = 1000, .link_status = nic.has_link};
    return 0;
}

int rte_eth_dev_is_removed(uint16_t id)
{
    (void)id;
    return nic.is_removed;
}

int rte_eth_dev_is_valid_port(uint16_t id)
{
    return id == ID;
}

/* ---- a port on it ---- */

static struct ft_ethdev port;
static char error[512];

/* A pool is asked for the size of its buffers only. */
static struct {
    struct rte_mempool pool;
    struct rte_pktmbuf_pool_private room;
} pool = {.room = {.mbuf_data_room_size = 2048 + RTE_PKTMBUF_HEADROOM}};

/* A NIC that has everything. */
static void make_nic(void)
{
    nic = (struct nic){.driver = "net_made",
                       .kinds = ALL_OF_IP,
                       .offloads = RTE_ETH_RX_OFFLOAD_SCATTER,
                       .queues = 16,
                       .table = 128,
                       .longest = 9728,
                       .is_promiscuous = true,
                       .mode = RTE_ETH_FC_FULL,
                       .has_link = true};
}

static bool open_port(const char *device, unsigned workers)
{
    static uint8_t owners[FT_SHARDS];
    struct ft_ethdev_config config = {.device = device,
                                      .queues = (uint16_t)workers,
                                      .descriptors = 8192,
                                      .buffers = &pool.pool,
                                      .shard_queue = owners};
    for (unsigned i = 0; i < FT_SHARDS; i++)
        owners[i] = (uint8_t)(i % workers);
    ft_ethdev_init(&port, &config, 0);
    return ft_ethdev_open(&port, error, sizeof(error));
}

#define OPEN(workers) assert_true(open_port("0000:3b:00.0", workers))

static void test_everything(void **state)
{
    (void)state;
    make_nic();
    OPEN(4);
    assert_int_equal(port.queues, 4);
    assert_int_equal(nic.rx, 4);
    assert_int_equal(nic.tx, 0);
    assert_false(port.has_tx_queue);
    assert_true(port.hears_all);
    assert_int_equal(port.spread, FT_ETHDEV_SPREAD_ADDRESSES);
    assert_int_equal(nic.hashed, RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_IPV6); /* by addresses only */
    assert_int_equal(nic.key[0] << 8 | nic.key[39], 0x6d5a);
    assert_int_equal(nic.rules, 0);
    for (unsigned i = 0; i < 128; i++)
        assert_int_equal(nic.entries[i / 64].reta[i % 64], i % 4);
    assert_int_equal(nic.conf.rxmode.offloads, RTE_ETH_RX_OFFLOAD_SCATTER);
    assert_int_equal(nic.conf.rxmode.mtu, 9216 - 18);
    assert_int_equal(nic.conf.intr_conf.rmv, 1);
    assert_int_equal(nic.descriptors, 4096); /* what it has */
    assert_int_equal(port.pause, FT_ETHDEV_PAUSE_OFF);
    assert_int_equal(nic.mode, RTE_ETH_FC_NONE);
    assert_int_equal(port.stamps, FT_ETHDEV_STAMPS_HOST);
    assert_int_equal(port.stamp_flag, 0);
    assert_int_equal(port.socket, 1);
    assert_int_equal(port.port.state, FT_PORT_UP);
    assert_int_equal(port.speed_mbps, 1000);
    assert_true(port.port.stats.knows_drops && port.port.stats.knows_nic);
    ft_ethdev_close(&port);
    assert_int_equal(nic.closes, 1);
}

/* A driver that wants less of something than it is asked for. */
static void test_what_drivers_mind(void **state)
{
    (void)state;
    make_nic();
    nic.insists_on_tx = true;
    OPEN(2);
    assert_int_equal(nic.tx, 1);
    assert_true(port.has_tx_queue);
    assert_int_equal(port.queues, 2);

    make_nic();
    nic.refuses_mtu = true;
    OPEN(2);
    assert_int_equal(nic.conf.rxmode.mtu, 0);

    make_nic();
    nic.refuses_queues = nic.insists_on_tx = true;
    OPEN(2);
    assert_int_equal(port.queues, 1);
    assert_int_equal(nic.tx, 1);
    assert_int_equal(port.spread, FT_ETHDEV_SPREAD_NOT);

    make_nic();
    nic.offloads = 0; /* no scattered receive: what fits a buffer */
    OPEN(1);
    assert_int_equal(nic.conf.rxmode.mtu, 2048 - 18);

    make_nic();
    nic.is_promiscuous = false;
    OPEN(1);
    assert_false(port.hears_all);
}

static void test_too_few_queues(void **state)
{
    (void)state;
    make_nic();
    nic.queues = 2;
    assert_false(open_port("0000:3b:00.0", 4));
    assert_non_null(strstr(error, "port 0000:3b:00.0: it has 2 queues, 4 are wanted: at most that "
                                  "many workers can poll it (-w, cores.workers)"));
    assert_int_equal(nic.starts, 0);
    nic.queues = 0;
    assert_false(open_port("0000:3b:00.0", 1));
}

static void test_larger_table(void **state)
{
    (void)state;
    make_nic();
    nic.table = 512;
    OPEN(3);
    assert_int_equal(port.spread, FT_ETHDEV_SPREAD_ADDRESSES);
    for (unsigned i = 0; i < 512; i++)
        assert_int_equal(nic.entries[i / 64].reta[i % 64], i % 128 % 3);
    make_nic();
    nic.table = 64; /* shards do not fit */
    OPEN(3);
    assert_int_equal(port.queues, 1);
    assert_int_equal(port.spread, FT_ETHDEV_SPREAD_NOT);
}

/* What was not taken is found out by reading it back. */
static void test_what_is_read_back(void **state)
{
    (void)state;
    make_nic();
    nic.forgets_key = true; /* when it is configured; it takes it when it runs */
    OPEN(2);
    assert_int_equal(port.spread, FT_ETHDEV_SPREAD_ADDRESSES);
    make_nic();
    nic.forgets_table = true;
    OPEN(2);
    assert_int_equal(port.spread, FT_ETHDEV_SPREAD_NOT);
    assert_int_equal(port.queues, 2); /* all are polled all the same */
}

/* A NIC that knows TCP and UDP by name: rules leave their ports out, or they stay in. */
static void test_rules(void **state)
{
    (void)state;
    make_nic();
    nic.kinds = BY_NAME;
    OPEN(2);
    assert_int_equal(nic.hashed, BY_NAME);
    assert_int_equal(nic.rules, 4);
    assert_int_equal(port.spread, FT_ETHDEV_SPREAD_ADDRESSES);
    make_nic();
    nic.kinds = BY_NAME;
    nic.refuses_rules = true;
    OPEN(2);
    assert_int_equal(port.queues, 2);
    assert_int_equal(port.spread, FT_ETHDEV_SPREAD_CONNECTION);
}

static void test_pause(void **state)
{
    (void)state;
    make_nic();
    nic.mode = RTE_ETH_FC_NONE;
    OPEN(1);
    assert_int_equal(port.pause, FT_ETHDEV_PAUSE_OFF);
    make_nic();
    nic.keeps_pause = true; /* says that it did, and did not */
    OPEN(1);
    assert_int_equal(port.pause, FT_ETHDEV_PAUSE_ON);
    make_nic();
    nic.pause = -ENOTSUP;
    OPEN(1);
    assert_int_equal(port.pause, FT_ETHDEV_PAUSE_UNKNOWN);
    nic.driver = "net_virtio"; /* a PCI device without a wire */
    OPEN(1);
    assert_int_equal(port.pause, FT_ETHDEV_PAUSE_NONE);
    make_nic();
    assert_true(open_port("net_made0", 1));
    assert_int_equal(port.pause, FT_ETHDEV_PAUSE_NONE);
    assert_int_equal(nic.mode, RTE_ETH_FC_FULL); /* left alone */
}

/* What is agreed upon with a new neighbour is looked at again. */
static void test_pause_after_a_link_change(void **state)
{
    (void)state;
    make_nic();
    OPEN(1);
    nic.has_link = false;
    assert_false(ft_ethdev_check(&port));
    assert_int_equal(port.port.state, FT_PORT_DOWN);
    nic.has_link = true;
    nic.mode = RTE_ETH_FC_FULL;
    assert_false(ft_ethdev_check(&port));
    assert_int_equal(port.port.state, FT_PORT_UP);
    assert_int_equal(nic.mode, RTE_ETH_FC_NONE);
    assert_int_equal(port.pause, FT_ETHDEV_PAUSE_OFF);
    assert_int_equal(port.port.stats.link_changes, 2);
}

static void check_stamps(void)
{
    static struct rte_mbuf m; /* its first member is an array without members */
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    uint64_t now = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
    uint64_t stamp = ticks_now() * (nic.has_clock ? 1 : 4);
    assert_int_equal(port.stamps, FT_ETHDEV_STAMPS_NIC);
    assert_int_equal(nic.conf.rxmode.offloads,
                     RTE_ETH_RX_OFFLOAD_SCATTER | RTE_ETH_RX_OFFLOAD_TIMESTAMP);
    memcpy((char *)&m + port.stamp_offset, &stamp, sizeof(stamp));
    m.ol_flags = port.stamp_flag;
    struct ft_device_time time = ft_device_clock_time(&port.clock);
    uint64_t wall = ft_device_time_wall(&time, ft_ethdev_stamp(&port, &m));
    assert_true(llabs((int64_t)(wall - now)) < 50000000); /* both are read while others run */
}

static void test_stamps(void **state)
{
    (void)state;
    make_nic();
    nic.offloads |= RTE_ETH_RX_OFFLOAD_TIMESTAMP;
    nic.has_clock = true;
    OPEN(1);
    check_stamps();
    make_nic();
    nic.offloads |= RTE_ETH_RX_OFFLOAD_TIMESTAMP;
    nic.has_ptp = true; /* no counter that can be read, but a clock of PTP */
    OPEN(1);
    check_stamps();
    make_nic();
    nic.offloads |= RTE_ETH_RX_OFFLOAD_TIMESTAMP; /* stamps by a clock that nobody can read */
    OPEN(1);
    assert_int_equal(port.stamps, FT_ETHDEV_STAMPS_HOST);
    assert_int_equal(port.stamp_flag, 0);
}

/* Counts go on over a reset, and what a NIC that is gone says counts nothing. */
static void test_reset_and_removal(void **state)
{
    (void)state;
    make_nic();
    OPEN(1);
    nic.stats = (struct rte_eth_stats){.ipackets = 10, .imissed = 2, .ierrors = 1, .rx_nombuf = 3};
    ft_ethdev_count(&port);
    assert_int_equal(port.port.stats.arrived, 12);
    assert_false(ft_ethdev_check(&port));
    nic.callback(ID, RTE_ETH_EVENT_INTR_RESET, nic.user, NULL);
    assert_true(ft_ethdev_check(&port));
    ft_ethdev_close(&port);
    assert_int_equal(nic.resets, 1);
    assert_int_equal(nic.closes, 0);
    assert_true(ft_ethdev_open(&port, error, sizeof(error)));
    assert_false(ft_ethdev_check(&port));
    nic.stats = (struct rte_eth_stats){.ipackets = 5, .imissed = 1};
    ft_ethdev_count(&port);
    assert_int_equal(port.port.stats.arrived, 18);
    assert_int_equal(port.port.stats.dropped, 3);
    assert_int_equal(port.port.stats.nic_errors, 1);
    assert_int_equal(port.port.stats.freezes, 3);

    nic.callback(ID, RTE_ETH_EVENT_INTR_RMV, nic.user, NULL);
    nic.is_removed = true;
    assert_true(ft_ethdev_check(&port));
    assert_int_equal(port.port.state, FT_PORT_MISSING);
    ft_ethdev_count(&port);
    assert_int_equal(port.port.stats.arrived, 18);
    ft_ethdev_close(&port);
    assert_int_equal(nic.closes, 1);
    nic.is_removed = false;
    assert_true(ft_ethdev_open(&port, error, sizeof(error)));
    assert_int_equal(port.port.state, FT_PORT_UP);
    nic.stats.ipackets = 1;
    ft_ethdev_count(&port);
    assert_int_equal(port.port.stats.arrived, 19);
}

/* Who unbinds a NIC from VFIO waits until the sensor lets it go. */
static void test_taken_back_by_the_kernel(void **state)
{
    (void)state;
    make_nic();
    OPEN(1);
    nic.device_callback("0000:3b:00.0", RTE_DEV_EVENT_ADD, nic.user);
    assert_false(ft_ethdev_check(&port));
    nic.device_callback("0000:3b:00.0", RTE_DEV_EVENT_REMOVE, nic.user);
    assert_true(ft_ethdev_check(&port));
    assert_int_equal(port.port.state, FT_PORT_MISSING);
    ft_ethdev_close(&port);
    assert_null(nic.device_callback);
    assert_null(nic.callback);
    assert_int_equal(nic.closes, 1);
}

static void test_drivers_that_do_not_tell(void **state)
{
    (void)state;
    make_nic();
    nic.driver = "net_virtio";
    OPEN(1);
    assert_true(port.port.stats.knows_nic);
    assert_false(port.port.stats.knows_drops);
    assert_false(port.port.stats.hides_errors);
    nic.driver = "net_pcap";
    OPEN(1);
    assert_true(port.port.stats.knows_nic && port.port.stats.hides_errors);
    nic.driver = "net_memif";
    OPEN(1);
    assert_false(port.port.stats.knows_nic);
    assert_true(port.has_tx_queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything),
        cmocka_unit_test(test_what_drivers_mind),
        cmocka_unit_test(test_too_few_queues),
        cmocka_unit_test(test_larger_table),
        cmocka_unit_test(test_what_is_read_back),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_pause),
        cmocka_unit_test(test_pause_after_a_link_change),
        cmocka_unit_test(test_stamps),
        cmocka_unit_test(test_reset_and_removal),
        cmocka_unit_test(test_taken_back_by_the_kernel),
        cmocka_unit_test(test_drivers_that_do_not_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
