/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK ports. */
#include "capture/ethdev.h"

#include "packet/packet.h"

#include <errno.h>
#include <net/if.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Longest frame asked for. Drivers that offer less get their own maximum. */
#define FRAME_MAX 9216u

/* Only what depends on nothing but the two addresses, so that all packets of a pair meet. */
#define SPREAD                                                                                     \
    (RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_OTHER |                   \
     RTE_ETH_RSS_IPV6 | RTE_ETH_RSS_FRAG_IPV6 | RTE_ETH_RSS_NONFRAG_IPV6_OTHER)

__attribute__((format(printf, 3, 4))) static bool refuse(char *error, size_t size,
                                                         const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(error, size, format, ap);
    va_end(ap);
    return false;
}

void ft_ethdev_symmetric_key(uint8_t *key, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++)
        key[i] = i % 2 ? 0x5a : 0x6d;
}

/* ---- finding ---- */

bool ft_ethdev_is_pci(const char *device)
{
    unsigned domain, bus, slot, function;
    char rest;
    return sscanf(device, "%x:%x:%x.%1u%c", &domain, &bus, &slot, &function, &rest) == 4 ||
           sscanf(device, "%x:%x.%1u%c", &bus, &slot, &function, &rest) == 3;
}

bool ft_ethdev_name(const char *device, char *name, size_t size)
{
    size_t length = strcspn(device, ",");
    bool is_short = ft_ethdev_is_pci(device) && strchr(device, ':') == strrchr(device, ':');
    int n = snprintf(name, size, "%s%.*s", is_short ? "0000:" : "", (int)length, device);
    return length > 0 && n > 0 && (size_t)n < size;
}

/* The kernel's interface in the arguments of a virtual device that receives from one: "iface=eth1",
 * "rx_iface=eth1", "rx_iface_in=eth1". Others, such as net_tap, make theirs. */
static void find_interface(const char *device, char *to, size_t size)
{
    static const char *const receivers[] = {"net_pcap", "net_af_packet", "net_af_xdp"};
    const char *at = NULL;
    for (unsigned i = 0; i < RTE_DIM(receivers); i++)
        if (strncmp(device, receivers[i], strlen(receivers[i])) == 0)
            at = strstr(device, "iface");
    at = at ? strchr(at, '=') : NULL;
    snprintf(to, size, "%.*s", at ? (int)strcspn(at + 1, ",") : 0, at ? at + 1 : "");
}

/* The kernel's driver of a PCI device: "" for none. */
static void kernel_driver(const char *name, char *to, size_t size)
{
    char path[160], target[256];
    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", name);
    ssize_t n = readlink(path, target, sizeof(target) - 1);
    target[n > 0 ? n : 0] = 0;
    const char *last = strrchr(target, '/');
    snprintf(to, size, "%s", last ? last + 1 : "");
}

static bool is_bound_for_dpdk(const char *driver)
{
    return strcmp(driver, "vfio-pci") == 0 || strcmp(driver, "uio_pci_generic") == 0 ||
           strcmp(driver, "igb_uio") == 0 || strcmp(driver, "mlx5_core") == 0 ||
           strcmp(driver, "mlx4_core") == 0;
}

bool ft_ethdev_is_usable(const char *device, char *error, size_t size)
{
    char name[64], driver[64], path[160];
    if (!ft_ethdev_is_pci(device) || !ft_ethdev_name(device, name, sizeof(name)))
        return true;
    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", name);
    if (access(path, F_OK) < 0)
        return refuse(error, size, "port %s: there is no such PCI device (lspci -D lists them)",
                      name);
    kernel_driver(name, driver, sizeof(driver));
    if (!is_bound_for_dpdk(driver))
        return refuse(error, size,
                      "port %s: it %s%s: give it to DPDK with \"modprobe vfio-pci && "
                      "dpdk-devbind.py -b vfio-pci %s\", or listen to it with -i and the "
                      "interface's name",
                      name, *driver ? "belongs to the kernel's driver " : "has no driver", driver,
                      name);
    if (strcmp(driver, "vfio-pci") == 0 && access("/dev/vfio/vfio", R_OK | W_OK) < 0)
        return refuse(error, size,
                      "port %s: /dev/vfio/vfio cannot be opened (%s): load the module vfio-pci and "
                      "run as root or as a user who may open the files in /dev/vfio",
                      name, strerror(errno));
    return true;
}

/* The DPDK port of a device, which is made or plugged in when it is not there yet. */
static bool find(struct ft_ethdev *e, char *error, size_t size)
{
    if (*e->interface && !if_nametoindex(e->interface))
        return refuse(error, size, "port %s: there is no interface %s (ip link lists them)",
                      e->name, e->interface);
    if (rte_eth_dev_get_port_by_name(e->name, &e->id) == 0)
        return true;
    if (!ft_ethdev_is_usable(e->name, error, size))
        return false;
    int failed = rte_dev_probe(ft_ethdev_is_pci(e->name) ? e->name : e->config.device);
    if (failed >= 0 && rte_eth_dev_get_port_by_name(e->name, &e->id) == 0)
        return true;
    return refuse(error, size,
                  ft_ethdev_is_pci(e->name)
                      ? "port %s: DPDK cannot use it (%s): -v -v shows what DPDK says"
                      : "port %s: DPDK cannot make it (%s): neither the address of a PCI device "
                        "nor a virtual device with its arguments, such as net_pcap0,iface=eth1; "
                        "-v -v shows what DPDK says",
                  e->config.device, rte_strerror(failed < 0 ? -failed : ENODEV));
}

/* ---- setting up ---- */

static int on_event(uint16_t id, enum rte_eth_event_type type, void *user, void *more)
{
    struct ft_ethdev *e = user;
    (void)id;
    (void)more; /* on DPDK's thread of interrupts */
    if (type == RTE_ETH_EVENT_INTR_RMV)
        atomic_store(&e->is_gone, true);
    else if (type == RTE_ETH_EVENT_INTR_RESET)
        atomic_store(&e->wants_reset, true);
    return 0;
}

static const enum rte_eth_event_type events[] = {RTE_ETH_EVENT_INTR_RMV, RTE_ETH_EVENT_INTR_RESET};

static void listen_to_events(struct ft_ethdev *e, bool on)
{
    for (unsigned i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (on)
            rte_eth_dev_callback_register(e->id, events[i], on_event, e);
        else
            rte_eth_dev_callback_unregister(e->id, events[i], on_event, e);
    }
}

/* Shard n's packets go to its owner's queue: entry n of the table, and n + 128, ... */
static bool point_shards(const struct ft_ethdev *e, uint16_t entries)
{
    struct rte_eth_rss_reta_entry64 table[RTE_ETH_RSS_RETA_SIZE_512 / RTE_ETH_RETA_GROUP_SIZE];
    memset(table, 0, sizeof(table));
    if (entries < FT_SHARDS || entries > RTE_ETH_RSS_RETA_SIZE_512)
        return false;
    for (uint16_t i = 0; i < entries; i++) {
        struct rte_eth_rss_reta_entry64 *group = &table[i / RTE_ETH_RETA_GROUP_SIZE];
        group->mask |= 1ull << (i % RTE_ETH_RETA_GROUP_SIZE);
        group->reta[i % RTE_ETH_RETA_GROUP_SIZE] = e->config.shard_queue[i % FT_SHARDS];
    }
    struct rte_eth_rss_reta_entry64 wanted[RTE_DIM(table)];
    memcpy(wanted, table, sizeof(table));
    if (rte_eth_dev_rss_reta_update(e->id, table, entries) != 0 ||
        rte_eth_dev_rss_reta_query(e->id, table, entries) != 0)
        return false;
    for (uint16_t i = 0; i < entries; i++)
        if (table[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE] !=
            wanted[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE])
            return false;
    return true;
}

/* Configure with `tx` transmit queues. Drivers differ in what they mind: tried with less each. */
static int configure(struct ft_ethdev *e, const struct rte_eth_dev_info *info, uint16_t tx)
{
    uint8_t key[64];
    uint32_t buffer = rte_pktmbuf_data_room_size(e->config.buffers) - RTE_PKTMBUF_HEADROOM;
    uint32_t longest = info->max_rx_pktlen ? info->max_rx_pktlen : 1518;
    uint32_t overhead = info->max_mtu && info->max_mtu != UINT16_MAX && longest > info->max_mtu
                            ? longest - info->max_mtu
                            : 18;
    struct rte_eth_conf conf = {0};
    longest = longest < FRAME_MAX ? longest : FRAME_MAX;
    if (ft_ethdev_is_pci(e->name) && !(info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER))
        longest = longest < buffer ? longest : buffer;
    conf.rxmode.mtu = longest - overhead;
    if (longest > buffer)
        conf.rxmode.offloads |= info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
    if (e->queues > 1) {
        uint32_t size = info->hash_key_size ? info->hash_key_size : 40;
        size = size < sizeof(key) ? size : sizeof(key);
        ft_ethdev_symmetric_key(key, size);
        conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        conf.rx_adv_conf.rss_conf = (struct rte_eth_rss_conf){
            .rss_key = key,
            .rss_key_len = (uint8_t)size,
            .rss_hf = SPREAD & info->flow_type_rss_offloads,
        };
    }
    if (info->dev_flags && *info->dev_flags & RTE_ETH_DEV_INTR_RMV)
        conf.intr_conf.rmv = 1;
    int failed = rte_eth_dev_configure(e->id, e->queues, tx, &conf);
    /* A driver may refuse any MTU but its own. */
    if (failed) {
        conf.rxmode.mtu = 0;
        failed = rte_eth_dev_configure(e->id, e->queues, tx, &conf);
    }
    return failed;
}

static int set_up_queues(struct ft_ethdev *e, uint16_t tx)
{
    uint16_t rx_descriptors = e->config.descriptors, tx_descriptors = 64;
    int socket = rte_eth_dev_socket_id(e->id);
    unsigned node = socket < 0 ? (unsigned)SOCKET_ID_ANY : (unsigned)socket;
    int failed = rte_eth_dev_adjust_nb_rx_tx_desc(e->id, &rx_descriptors, &tx_descriptors);
    for (uint16_t q = 0; !failed && q < e->queues; q++)
        failed = rte_eth_rx_queue_setup(e->id, q, rx_descriptors, node, NULL, e->config.buffers);
    if (!failed && tx)
        failed = rte_eth_tx_queue_setup(e->id, 0, tx_descriptors, node, NULL);
    return failed;
}

static int start_with(struct ft_ethdev *e, const struct rte_eth_dev_info *info, uint16_t tx)
{
    int failed = configure(e, info, tx);
    if (!failed)
        failed = set_up_queues(e, tx);
    return failed ? failed : rte_eth_dev_start(e->id);
}

/* No transmit queue, if the driver can do without; one queue, if it cannot spread over more. */
static int start(struct ft_ethdev *e, const struct rte_eth_dev_info *info)
{
    int failed = start_with(e, info, 0);
    e->has_tx_queue = failed != 0;
    if (failed)
        failed = start_with(e, info, 1);
    if (failed && e->queues > 1) {
        e->queues = 1;
        failed = start_with(e, info, 0);
        e->has_tx_queue = failed != 0;
        if (failed)
            failed = start_with(e, info, 1);
    }
    return failed;
}

/* True when the port sends no PAUSE frames for sure: switched off and read back, or no such thing.
 */
static bool silence_pause(uint16_t id)
{
    struct rte_eth_fc_conf pause = {0};
    int failed = rte_eth_dev_flow_ctrl_get(id, &pause);
    if (failed == -ENOTSUP || (!failed && pause.mode == RTE_ETH_FC_NONE))
        return true;
    if (failed)
        return false;
    pause.mode = RTE_ETH_FC_NONE;
    pause.autoneg = 0;
    return rte_eth_dev_flow_ctrl_set(id, &pause) == 0 &&
           rte_eth_dev_flow_ctrl_get(id, &pause) == 0 && pause.mode == RTE_ETH_FC_NONE;
}

/* Drivers whose counters do not tell of packets that found no room. */
static bool tells_drops(const char *driver)
{
    static const char *const silent[] = {"net_af_packet", "net_tap",   "net_ring", "net_null",
                                         "net_virtio",    "net_memif", "net_vhost"};
    for (unsigned i = 0; driver && i < sizeof(silent) / sizeof(silent[0]); i++)
        if (strncmp(driver, silent[i], strlen(silent[i])) == 0)
            return false;
    return true;
}

void ft_ethdev_init(struct ft_ethdev *e, const struct ft_ethdev_config *config, uint16_t link)
{
    memset(e, 0, sizeof(*e));
    e->config = *config;
    ft_ethdev_name(config->device, e->name, sizeof(e->name));
    find_interface(config->device, e->interface, sizeof(e->interface));
    e->port.name = e->name;
    e->port.descriptor = -1;
    e->port.link = link;
    e->port.state = FT_PORT_MISSING;
}

/* As many queues as there are workers, or a single one where packets are not spread. */
static bool choose_queues(struct ft_ethdev *e, const struct rte_eth_dev_info *info, char *error,
                          size_t size)
{
    bool can_spread = info->reta_size >= FT_SHARDS && info->flow_type_rss_offloads & SPREAD;
    e->queues =
        can_spread && e->config.queues > 1 && info->max_rx_queues > 1 ? e->config.queues : 1;
    if (e->queues <= info->max_rx_queues)
        return true;
    return refuse(error, size,
                  "port %s: it has %u queues, %u are wanted: at most that many workers can poll it "
                  "(-w, cores.workers)",
                  e->name, info->max_rx_queues, e->queues);
}

/* Undo what was set up, so that it can be tried again. */
static bool give_up(struct ft_ethdev *e, char *error, size_t size, const char *what, int failed)
{
    rte_eth_dev_stop(e->id);
    rte_eth_dev_close(e->id);
    return refuse(error, size, "port %s: %s (%s): -v -v shows what DPDK says", e->name, what,
                  rte_strerror(-failed));
}

bool ft_ethdev_open(struct ft_ethdev *e, char *error, size_t error_size)
{
    struct rte_eth_dev_info info = {0};
    bool is_first = !e->port.stats.knows_nic;
    if (!find(e, error, error_size))
        return false;
    int failed = rte_eth_dev_info_get(e->id, &info);
    if (failed)
        return give_up(e, error, error_size, "nothing is known about it", failed);
    if (!choose_queues(e, &info, error, error_size))
        return false;
    failed = start(e, &info);
    if (failed)
        return give_up(e, error, error_size, "it does not start", failed);
    failed = rte_eth_promiscuous_enable(e->id);
    if (failed && failed != -ENOTSUP)
        return give_up(e, error, error_size, "it cannot be made promiscuous", failed);
    rte_eth_allmulticast_enable(e->id); /* which promiscuous ports hear anyway */
    e->spreads = e->queues > 1 && point_shards(e, info.reta_size);
    e->has_pause = !silence_pause(e->id);
    e->socket = rte_eth_dev_socket_id(e->id);
    e->interface_index = if_nametoindex(e->interface);
    rte_eth_stats_reset(e->id);
    e->before = e->port.stats;
    e->port.stats.knows_nic = true;
    e->port.stats.knows_drops = tells_drops(info.driver_name);
    atomic_store(&e->is_gone, false);
    atomic_store(&e->wants_reset, false);
    listen_to_events(e, true);
    ft_ethdev_check(e);
    if (is_first)
        e->port.stats.link_changes = 0;
    atomic_store_explicit(&e->is_started, true, memory_order_release);
    return true;
}

/* ---- in service ---- */

void ft_ethdev_count(struct ft_ethdev *e)
{
    struct rte_eth_stats now;
    struct ft_port_stats *to = &e->port.stats;
    const struct ft_port_stats *from = &e->before;
    if (!atomic_load(&e->is_started) || rte_eth_stats_get(e->id, &now) != 0)
        return;
    to->arrived = from->arrived + now.ipackets + now.imissed;
    to->dropped = from->dropped + now.imissed;
    to->freezes = from->freezes + now.rx_nombuf;
    to->nic_packets = from->nic_packets + now.ipackets + now.imissed;
    to->nic_missed = from->nic_missed + now.imissed;
    to->nic_errors = from->nic_errors + now.ierrors;
}

/* A virtual device does not notice what happens to the interface it receives from. */
static enum ft_port_state interface_state(const struct ft_ethdev *e)
{
    struct ifreq request = {0};
    if (if_nametoindex(e->interface) != e->interface_index)
        return FT_PORT_MISSING;
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%.15s", e->interface);
    bool is_known = s >= 0 && ioctl(s, SIOCGIFFLAGS, &request) == 0;
    if (s >= 0)
        close(s);
    bool is_up = request.ifr_flags & IFF_UP && request.ifr_flags & IFF_RUNNING;
    return !is_known || is_up ? FT_PORT_UP : FT_PORT_DOWN;
}

static enum ft_port_state state_now(struct ft_ethdev *e)
{
    struct rte_eth_link link = {0};
    if (atomic_load(&e->is_gone) || rte_eth_dev_is_removed(e->id) == 1)
        return FT_PORT_MISSING;
    if (*e->interface)
        return interface_state(e);
    bool is_known = rte_eth_link_get_nowait(e->id, &link) == 0;
    e->speed_mbps = link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : link.link_speed;
    return !is_known || link.link_status ? FT_PORT_UP : FT_PORT_DOWN;
}

bool ft_ethdev_check(struct ft_ethdev *e)
{
    enum ft_port_state before = e->port.state;
    e->port.state = state_now(e);
    e->port.stats.link_changes += e->port.state != before;
    return e->port.state == FT_PORT_MISSING || atomic_load(&e->wants_reset);
}

void ft_ethdev_close(struct ft_ethdev *e)
{
    struct rte_eth_dev_info info = {0};
    atomic_store(&e->is_started, false);
    if (!rte_eth_dev_is_valid_port(e->id))
        return;
    listen_to_events(e, false);
    if (atomic_load(&e->wants_reset) && !atomic_load(&e->is_gone) && rte_eth_dev_reset(e->id) == 0)
        return;
    rte_eth_promiscuous_disable(e->id); /* of an interface of the kernel, which stays */
    bool is_plugged = rte_eth_dev_info_get(e->id, &info) == 0 && info.device;
    rte_eth_dev_stop(e->id);
    if (!is_plugged || rte_dev_remove(info.device) != 0)
        rte_eth_dev_close(e->id);
}
