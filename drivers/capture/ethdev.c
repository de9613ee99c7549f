/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK ports. */
#define ALLOW_EXPERIMENTAL_API /* rte_eth_read_clock(), rte_dev_event_*; in this file only */
#include "capture/ethdev.h"

#include "base/clock_ns.h"
#include "base/nearest.h"
#include "packet/packet.h"

#include <errno.h>
#include <net/if.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_flow.h>
#include <rte_mbuf_dyn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Longest frame asked for. Drivers that offer less get their own maximum. */
#define FRAME_MAX FT_PORT_FRAME_MAX

/* Largest redirection table that there is, in groups of 64. */
#define TABLE_GROUPS 32u

/* Longest key of a hash. */
#define KEY_MAX 64u

/* Only what depends on nothing but the two addresses, so that all packets of a pair meet. */
#define SPREAD                                                                                     \
    (RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_OTHER |                   \
     RTE_ETH_RSS_IPV6 | RTE_ETH_RSS_FRAG_IPV6 | RTE_ETH_RSS_NONFRAG_IPV6_OTHER)

/* For NICs that do not know "IPv4, whatever is in it": what is in it, each by name. */
#define SPREAD_MORE                                                                                \
    (RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV4_SCTP | \
     RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_NONFRAG_IPV6_UDP | RTE_ETH_RSS_NONFRAG_IPV6_SCTP)

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

/* Drivers of virtual devices that receive something. */
static const char *const virtual_drivers[] = {"net_af_packet", "net_af_xdp", "net_memif",
                                              "net_null",      "net_pcap",   "net_ring",
                                              "net_tap",       "net_vhost",  "net_virtio_user"};

bool ft_ethdev_is_virtual(const char *device)
{
    for (unsigned i = 0; i < RTE_DIM(virtual_drivers); i++)
        if (strncmp(device, virtual_drivers[i], strlen(virtual_drivers[i])) == 0)
            return true;
    return false;
}

bool ft_ethdev_name(const char *device, char *name, size_t size)
{
    size_t length = strcspn(device, ",");
    bool is_short = ft_ethdev_is_pci(device) && strchr(device, ':') == strrchr(device, ':');
    int n = snprintf(name, size, "%s%.*s", is_short ? "0000:" : "", (int)length, device);
    return length > 0 && n > 0 && (size_t)n < size;
}

void ft_ethdev_interface(const char *device, char *to, size_t size)
{
    static const char *const receivers[] = {"net_pcap", "net_af_packet", "net_af_xdp"};
    const char *at = NULL;
    for (unsigned i = 0; i < RTE_DIM(receivers); i++)
        if (strncmp(device, receivers[i], strlen(receivers[i])) == 0)
            at = strstr(device, "iface");
    at = at ? strchr(at, '=') : NULL;
    snprintf(to, size, "%.*s", at ? (int)strcspn(at + 1, ",") : 0, at ? at + 1 : "");
}

/* A number among the arguments of a virtual device; 0 when it is not there. */
static uint32_t find_number(const char *device, const char *key)
{
    const char *at = strstr(device, key);
    return at ? (uint32_t)strtoul(at + strlen(key), NULL, 10) : 0;
}

/*
 * net_af_packet takes of a packet what fits into a frame of its ring, behind the kernel's header
 * (TPACKET2_HDRLEN and room for a header of layer 2, rounded up, less that of Ethernet). The kernel
 * puts fragments of IPv4 together for it, so that packets may be longer than any on the wire.
 */
static uint32_t find_cut(const char *device)
{
    uint32_t frame = find_number(device, ",framesz="), header = 66;
    if (strncmp(device, "net_af_packet", strlen("net_af_packet")) != 0)
        return UINT32_MAX;
    frame = frame ? frame : 2048;
    return frame > header ? frame - header : 1;
}

/* The kernel's driver of a PCI device: "" for none. */
static void kernel_driver(const char *root, const char *name, char *to, size_t size)
{
    char path[512], target[256];
    snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s/driver", root, name);
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

/* Is it known to be something else than a network device? Class 2 of PCI. */
static bool is_other_kind(const char *root, const char *name, char *class, size_t size)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s/class", root, name);
    FILE *f = fopen(path, "re");
    bool is_known = f && fgets(class, (int)size, f);
    if (f)
        fclose(f);
    if (is_known)
        class[strcspn(class, "\n")] = 0;
    return is_known && strncmp(class, "0x02", 4) != 0;
}

/* VFIO: its container, and the device's group, are files that DPDK opens. */
static bool is_open_to_us(const char *root, const char *name, char *error, size_t size)
{
    char path[512], group[256];
    snprintf(path, sizeof(path), "%s/dev/vfio/vfio", root);
    if (access(path, R_OK | W_OK) < 0)
        return refuse(error, size,
                      "port %s: /dev/vfio/vfio cannot be opened (%s): load the module vfio-pci and "
                      "run as root or as a user who may open the files in /dev/vfio",
                      name, strerror(errno));
    snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s/iommu_group", root, name);
    ssize_t n = readlink(path, group, sizeof(group) - 1);
    group[n > 0 ? n : 0] = 0;
    if (n <= 0)
        return refuse(error, size,
                      "port %s: there is no IOMMU for it, which VFIO needs: switch it on in the "
                      "BIOS (VT-d, AMD-Vi) and with intel_iommu=on iommu=pt on the kernel's "
                      "command line",
                      name);
    const char *number = strrchr(group, '/') ? strrchr(group, '/') + 1 : group;
    snprintf(path, sizeof(path), "%s/dev/vfio/%.32s", root, number);
    if (access(path, R_OK | W_OK) == 0)
        return true;
    int reason = errno;
    snprintf(path, sizeof(path), "%s/dev/vfio/noiommu-%.32s", root, number);
    return access(path, R_OK | W_OK) == 0 ||
           refuse(error, size,
                  "port %s: /dev/vfio/%.32s cannot be opened (%s): all devices of its IOMMU group "
                  "must be bound to vfio-pci, and the user may open the file",
                  name, number, strerror(reason));
}

bool ft_ethdev_is_usable_at(const char *root, const char *device, char *error, size_t size)
{
    char name[64], driver[64], class[16], path[512];
    if (!ft_ethdev_is_pci(device) || !ft_ethdev_name(device, name, sizeof(name)))
        return true;
    snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s", root, name);
    if (access(path, F_OK) < 0)
        return refuse(error, size, "port %s: there is no such PCI device (lspci -D lists them)",
                      name);
    kernel_driver(root, name, driver, sizeof(driver));
    if (!is_bound_for_dpdk(driver) && is_other_kind(root, name, class, sizeof(class)))
        return refuse(error, size,
                      "port %s: it is no network device (its PCI class is %s, of those 0x02...): "
                      "lspci -D -d ::0200 lists the Ethernet controllers",
                      name, class);
    if (!is_bound_for_dpdk(driver))
        return refuse(error, size,
                      "port %s: it %s%s: give it to DPDK with \"modprobe vfio-pci && "
                      "dpdk-devbind.py -b vfio-pci %s\", or listen to it with -i and the "
                      "interface's name",
                      name, *driver ? "belongs to the kernel's driver " : "has no driver", driver,
                      name);
    return strcmp(driver, "vfio-pci") != 0 || is_open_to_us(root, name, error, size);
}

bool ft_ethdev_is_usable(const char *device, char *error, size_t size)
{
    return ft_ethdev_is_usable_at("", device, error, size);
}

/* May we listen at all? Drivers answer -1, which is -EPERM, to much else too. */
static bool is_permitted(void)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno != EPERM && errno != EACCES;
    close(fd);
    return true;
}

/* What some drivers need, and do not say. */
static const char *rights_needed(void)
{
    return geteuid() == 0 ? "" : "; it may need root, or CAP_NET_RAW and CAP_NET_ADMIN";
}

/* No driver takes it: the name of one was misspelled, or it is an interface. */
static bool refuse_name(const struct ft_ethdev *e, char *error, size_t size)
{
    char word[sizeof(e->name)];
    snprintf(word, sizeof(word), "%.*s", (int)strcspn(e->name, "0123456789"), e->name);
    struct ft_nearest nearest = ft_nearest_begin(word);
    for (unsigned i = 0; i < RTE_DIM(virtual_drivers); i++)
        ft_nearest_offer(&nearest, virtual_drivers[i]);
    if (if_nametoindex(e->name))
        return refuse(error, size,
                      "port %s: it is an interface of the kernel: listen to it with -i %s, or with "
                      "--port net_pcap0,iface=%s",
                      e->name, e->name, e->name);
    return refuse(error, size,
                  "port %s: DPDK has no such driver%s%s%s: a port is the address of a PCI device, "
                  "or a virtual device with its arguments, such as net_pcap0,iface=eth1",
                  e->name, nearest.best ? " (did you mean " : "", nearest.best ? nearest.best : "",
                  nearest.best ? "?)" : "");
}

/* A virtual device that could not be made, and why. */
static bool refuse_device(const struct ft_ethdev *e, int failed, char *error, size_t size)
{
    if (failed == -EFAULT)
        return refuse_name(e, error, size);
    if ((failed == -EPERM || failed == -EACCES) && !is_permitted())
        return refuse(error, size,
                      "port %s: not permitted: run as root, or give the program the capabilities "
                      "CAP_NET_RAW and CAP_NET_ADMIN",
                      e->config.device);
    return refuse(error, size,
                  "port %s: its driver cannot make it%s%s%s: are its arguments right? -v -v shows "
                  "what DPDK says%s",
                  e->config.device, failed < -1 ? " (" : "",
                  failed < -1 ? rte_strerror(-failed) : "", failed < -1 ? ")" : "",
                  rights_needed());
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
    return ft_ethdev_is_pci(e->name)
               ? refuse(error, size, "port %s: DPDK cannot use it (%s): -v -v shows what DPDK says",
                        e->name, rte_strerror(failed < 0 ? -failed : ENODEV))
               : refuse_device(e, failed, error, size);
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

/* The kernel wants a device back that VFIO has, and waits until it is let go. */
static void on_device_event(const char *device, enum rte_dev_event_type type, void *user)
{
    struct ft_ethdev *e = user;
    (void)device; /* on DPDK's thread of interrupts too */
    if (type == RTE_DEV_EVENT_REMOVE)
        atomic_store(&e->is_gone, true);
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
    if (!ft_ethdev_is_pci(e->name))
        return;
    if (on)
        rte_dev_event_callback_register(e->name, on_device_event, e);
    else
        rte_dev_event_callback_unregister(e->name, on_device_event, e);
}

/* ---- spreading ---- */

static uint32_t key_size(const struct rte_eth_dev_info *info)
{
    uint32_t size = info->hash_key_size ? info->hash_key_size : 40;
    return size < KEY_MAX ? size : KEY_MAX;
}

/* What packets it is asked to spread: all of IP by the addresses, if it can. */
static uint64_t kinds(const struct rte_eth_dev_info *info)
{
    uint64_t can = info->flow_type_rss_offloads;
    return can & (can & RTE_ETH_RSS_IPV4 ? SPREAD : SPREAD | SPREAD_MORE);
}

/* Shard n's packets go to its owner's queue: entry n of the table, and n + 128, ... */
static bool point_shards(const struct ft_ethdev *e, uint16_t entries)
{
    struct rte_eth_rss_reta_entry64 table[TABLE_GROUPS], wanted[TABLE_GROUPS];
    memset(table, 0, sizeof(table));
    if (entries < FT_SHARDS || entries > TABLE_GROUPS * RTE_ETH_RETA_GROUP_SIZE)
        return false;
    for (uint16_t i = 0; i < entries; i++) {
        struct rte_eth_rss_reta_entry64 *group = &table[i / RTE_ETH_RETA_GROUP_SIZE];
        group->mask |= 1ull << (i % RTE_ETH_RETA_GROUP_SIZE);
        group->reta[i % RTE_ETH_RETA_GROUP_SIZE] = e->config.shard_queue[i % FT_SHARDS];
    }
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

/* Is the key that it hashes with the one it was given? */
static bool has_our_key(const struct ft_ethdev *e, const struct rte_eth_dev_info *info)
{
    uint8_t ours[KEY_MAX], its[KEY_MAX] = {0};
    struct rte_eth_rss_conf conf = {.rss_key = its, .rss_key_len = (uint8_t)key_size(info)};
    int failed = rte_eth_dev_rss_hash_conf_get(e->id, &conf);
    ft_ethdev_symmetric_key(ours, sizeof(ours));
    return failed == -ENOTSUP || (!failed && memcmp(ours, its, key_size(info)) == 0);
}

/* Some take it when they are configured, others only when they run. */
static bool set_key(const struct ft_ethdev *e, const struct rte_eth_dev_info *info)
{
    uint8_t key[KEY_MAX];
    struct rte_eth_rss_conf conf = {
        .rss_key = key, .rss_key_len = (uint8_t)key_size(info), .rss_hf = kinds(info)};
    ft_ethdev_symmetric_key(key, sizeof(key));
    return has_our_key(e, info) ||
           (rte_eth_dev_rss_hash_update(e->id, &conf) == 0 && has_our_key(e, info));
}

/*
 * A NIC that hashes TCP and UDP by addresses and ports unless a rule says otherwise: the rule for
 * one of them. Both "source only" and "destination only" of layer 3 without any of layer 4 means
 * that the ports are left out.
 */
static bool leave_out_ports(uint16_t id, bool is_ipv6, enum rte_flow_item_type what, uint64_t kind)
{
    const struct rte_flow_attr in = {.ingress = 1};
    const struct rte_flow_item pattern[] = {
        {.type = RTE_FLOW_ITEM_TYPE_ETH},
        {.type = is_ipv6 ? RTE_FLOW_ITEM_TYPE_IPV6 : RTE_FLOW_ITEM_TYPE_IPV4},
        {.type = what},
        {.type = RTE_FLOW_ITEM_TYPE_END}};
    const struct rte_flow_action_rss rss = {.types = kind | RTE_ETH_RSS_L3_SRC_ONLY |
                                                     RTE_ETH_RSS_L3_DST_ONLY};
    const struct rte_flow_action actions[] = {{.type = RTE_FLOW_ACTION_TYPE_RSS, .conf = &rss},
                                              {.type = RTE_FLOW_ACTION_TYPE_END}};
    struct rte_flow_error error;
    return rte_flow_create(id, &in, pattern, actions, &error) != NULL;
}

static bool leave_out_all_ports(uint16_t id)
{
    return leave_out_ports(id, false, RTE_FLOW_ITEM_TYPE_TCP, RTE_ETH_RSS_NONFRAG_IPV4_TCP) &&
           leave_out_ports(id, false, RTE_FLOW_ITEM_TYPE_UDP, RTE_ETH_RSS_NONFRAG_IPV4_UDP) &&
           leave_out_ports(id, true, RTE_FLOW_ITEM_TYPE_TCP, RTE_ETH_RSS_NONFRAG_IPV6_TCP) &&
           leave_out_ports(id, true, RTE_FLOW_ITEM_TYPE_UDP, RTE_ETH_RSS_NONFRAG_IPV6_UDP);
}

static enum ft_ethdev_spread set_up_spread(const struct ft_ethdev *e,
                                           const struct rte_eth_dev_info *info)
{
    if (e->queues < 2 || e->is_dealt)
        return FT_ETHDEV_SPREAD_NOT;
    bool is_right = point_shards(e, info->reta_size) && set_key(e, info);
    if (is_right && (!(kinds(info) & SPREAD_MORE) || leave_out_all_ports(e->id)))
        return FT_ETHDEV_SPREAD_ADDRESSES;
    return kinds(info) & SPREAD_MORE ? FT_ETHDEV_SPREAD_CONNECTION : FT_ETHDEV_SPREAD_NOT;
}

/* ---- configuring ---- */

/* What goes over the wire at most, in a frame that fits the buffers or is scattered over several.
 */
static void choose_length(const struct ft_ethdev *e, const struct rte_eth_dev_info *info,
                          struct rte_eth_conf *conf)
{
    uint32_t buffer = rte_pktmbuf_data_room_size(e->config.buffers) - RTE_PKTMBUF_HEADROOM;
    uint32_t longest = info->max_rx_pktlen ? info->max_rx_pktlen : 1518;
    uint32_t overhead = info->max_mtu && info->max_mtu != UINT16_MAX && longest > info->max_mtu
                            ? longest - info->max_mtu
                            : 18;
    longest = longest < FRAME_MAX ? longest : FRAME_MAX;
    if (ft_ethdev_is_pci(e->name) && !(info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER))
        longest = longest < buffer ? longest : buffer;
    conf->rxmode.mtu = longest - overhead;
    if (longest > buffer)
        conf->rxmode.offloads |= info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
}

/* Configure with `tx` transmit queues. Drivers differ in what they mind: tried with less each. */
static int configure(struct ft_ethdev *e, const struct rte_eth_dev_info *info, uint16_t tx)
{
    uint8_t key[KEY_MAX];
    struct rte_eth_conf conf = {0};
    choose_length(e, info, &conf);
    conf.rxmode.offloads |= info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_TIMESTAMP;
    if (e->queues > 1 && !e->is_dealt) {
        ft_ethdev_symmetric_key(key, sizeof(key));
        conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        conf.rx_adv_conf.rss_conf = (struct rte_eth_rss_conf){
            .rss_key = key, .rss_key_len = (uint8_t)key_size(info), .rss_hf = kinds(info)};
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

/* Does the name of a driver begin as one of these? */
static bool is_one_of(const char *driver, const char *const *names, size_t count)
{
    for (size_t i = 0; driver && i < count; i++)
        if (strncmp(driver, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* No transmit queue, if the driver can do without. The other end of net_memif insists on one. */
static int start_listening(struct ft_ethdev *e, const struct rte_eth_dev_info *info)
{
    static const char *const insist[] = {"net_memif"};
    e->has_tx_queue = is_one_of(info->driver_name, insist, RTE_DIM(insist));
    int failed = start_with(e, info, e->has_tx_queue);
    if (failed && !e->has_tx_queue) {
        e->has_tx_queue = true;
        failed = start_with(e, info, 1);
    }
    return failed;
}

/* One queue, if it cannot spread over more. */
static int start(struct ft_ethdev *e, const struct rte_eth_dev_info *info)
{
    int failed = start_listening(e, info);
    if (failed && e->queues > 1 && !e->is_dealt) {
        e->queues = 1;
        e->is_dealt = true;
        failed = start_listening(e, info);
    }
    return failed;
}

/* NICs of virtual machines that are PCI devices and have no wire. */
static bool is_virtual(const struct ft_ethdev *e, const char *driver)
{
    static const char *const names[] = {"net_virtio", "net_vmxnet3", "net_ena", "net_gve",
                                        "net_netvsc"};
    return !ft_ethdev_is_pci(e->name) || is_one_of(driver, names, RTE_DIM(names));
}

/* PAUSE frames off, and that read back. */
static enum ft_ethdev_pause silence_pause(const struct ft_ethdev *e, const char *driver)
{
    struct rte_eth_fc_conf pause = {0};
    if (is_virtual(e, driver))
        return FT_ETHDEV_PAUSE_NONE;
    if (rte_eth_dev_flow_ctrl_get(e->id, &pause) != 0)
        return FT_ETHDEV_PAUSE_UNKNOWN;
    if (pause.mode == RTE_ETH_FC_NONE)
        return FT_ETHDEV_PAUSE_OFF;
    pause.mode = RTE_ETH_FC_NONE;
    pause.autoneg = 0;
    bool is_off = rte_eth_dev_flow_ctrl_set(e->id, &pause) == 0 &&
                  rte_eth_dev_flow_ctrl_get(e->id, &pause) == 0 && pause.mode == RTE_ETH_FC_NONE;
    return is_off ? FT_ETHDEV_PAUSE_OFF : FT_ETHDEV_PAUSE_ON;
}

/* ---- time stamps ---- */

/* The NIC's clock, by the counter that stamps are made of, or by its PTP clock. */
static bool read_clock(uint16_t id, uint64_t *ticks)
{
    struct timespec t;
    if (rte_eth_read_clock(id, ticks) == 0)
        return true;
    bool ok = rte_eth_timesync_read_time(id, &t) == 0;
    if (ok)
        *ticks = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
    return ok;
}

/* The middle of two looks at the wall is when the NIC's was read. */
static bool observe(struct ft_ethdev *e)
{
    uint64_t ticks, before = ft_clock_ns(CLOCK_REALTIME);
    if (!read_clock(e->id, &ticks))
        return false;
    ft_device_clock_observe(&e->clock, ticks, before + (ft_clock_ns(CLOCK_REALTIME) - before) / 2);
    return true;
}

/* Two looks at the clock, a moment apart, tell its rate well enough for the first second. */
static bool has_clock(struct ft_ethdev *e)
{
    if (!observe(e))
        return false;
    usleep(20000);
    return observe(e) && ft_device_clock_time(&e->clock).scale;
}

/* Where stamps come from: libpcap hands on the kernel's, in microseconds; NICs have their own. */
static void set_up_stamps(struct ft_ethdev *e, const struct rte_eth_dev_info *info)
{
    bool is_pcap = info->driver_name && strcmp(info->driver_name, "net_pcap") == 0;
    e->stamps = FT_ETHDEV_STAMPS_HOST;
    e->stamp_flag = 0;
    memset(&e->clock, 0, sizeof(e->clock));
    if (is_pcap && *e->interface) {
        ft_device_clock_fix(&e->clock, 1000);
        e->stamps = FT_ETHDEV_STAMPS_KERNEL;
    } else if (info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_TIMESTAMP && has_clock(e)) {
        e->stamps = FT_ETHDEV_STAMPS_NIC;
    }
    if (e->stamps != FT_ETHDEV_STAMPS_HOST &&
        rte_mbuf_dyn_rx_timestamp_register(&e->stamp_offset, &e->stamp_flag) != 0)
        e->stamps = FT_ETHDEV_STAMPS_HOST;
}

/* ---- opening ---- */

/* Drivers whose counters do not tell of packets that found no room. */
static bool tells_drops(const char *driver)
{
    static const char *const silent[] = {"net_af_packet", "net_tap",   "net_ring", "net_null",
                                         "net_virtio",    "net_memif", "net_vhost"};
    return !is_one_of(driver, silent, RTE_DIM(silent));
}

void ft_ethdev_init(struct ft_ethdev *e, const struct ft_ethdev_config *config, uint16_t link)
{
    memset(e, 0, sizeof(*e));
    e->config = *config;
    ft_ethdev_name(config->device, e->name, sizeof(e->name));
    ft_ethdev_interface(config->device, e->interface, sizeof(e->interface));
    e->cuts_at = find_cut(config->device);
    e->port.name = e->name;
    e->port.descriptor = -1;
    e->port.link = link;
    e->port.state = FT_PORT_MISSING;
}

uint16_t ft_ethdev_count_queues(const char *name, bool spreads, uint16_t most, uint16_t wanted)
{
    static const char *const sources[] = {"net_pcap", "net_af_packet", "net_ring"};
    if (is_one_of(name, sources, RTE_DIM(sources)))
        return most;
    if (!spreads || wanted < 2 || most < 2)
        return most ? 1 : 0;
    return wanted <= most ? wanted : 0;
}

static bool choose_queues(struct ft_ethdev *e, const struct rte_eth_dev_info *info, char *error,
                          size_t size)
{
    bool spreads = info->reta_size >= FT_SHARDS && kinds(info);
    e->queues = ft_ethdev_count_queues(e->name, spreads, info->max_rx_queues, e->config.queues);
    e->is_dealt = e->queues != e->config.queues || !spreads;
    if (e->queues)
        return true;
    return refuse(error, size,
                  "port %s: it has %u queues, %u are wanted: at most that many workers can poll it "
                  "(-w, cores.workers)",
                  e->name, info->max_rx_queues, e->config.queues);
}

/* Undo what was set up, so that it can be tried again. */
static bool give_up(struct ft_ethdev *e, char *error, size_t size, const char *what, int failed)
{
    rte_eth_dev_stop(e->id);
    rte_eth_dev_close(e->id);
    return refuse(error, size, "port %s: %s%s%s%s: -v -v shows what DPDK says%s", e->name, what,
                  failed < -1 ? " (" : "", failed < -1 ? rte_strerror(-failed) : "",
                  failed < -1 ? ")" : "", rights_needed());
}

/* The frames of net_af_packet have to fit our buffers; it says so to its log only. */
static bool is_frame_too_large(const struct ft_ethdev *e, char *error, size_t size)
{
    uint32_t frame = find_number(e->config.device, ",framesz=");
    uint32_t buffer = rte_pktmbuf_data_room_size(e->config.buffers) - RTE_PKTMBUF_HEADROOM;
    return e->cuts_at != UINT32_MAX && frame > buffer &&
           !refuse(error, size,
                   "port %s: framesz=%u is more than the %u bytes of a packet buffer, which the "
                   "meson option packet_room sets; -i %s takes packets of any length",
                   e->name, frame, buffer, e->interface);
}

bool ft_ethdev_open(struct ft_ethdev *e, char *error, size_t error_size)
{
    static const char *const forgetful[] = {"net_memif"}; /* whose counts end with a connection */
    static const char *const polls[] = {"net_pcap"}; /* whose errors are polls of what is gone */
    struct rte_eth_dev_info info = {0};
    if (is_frame_too_large(e, error, error_size) || !find(e, error, error_size))
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
    e->hears_all = !ft_ethdev_is_pci(e->name) || rte_eth_promiscuous_get(e->id) == 1;
    rte_eth_allmulticast_enable(e->id); /* which promiscuous ports hear anyway */
    e->spread = set_up_spread(e, &info);
    e->pause = silence_pause(e, info.driver_name);
    set_up_stamps(e, &info);
    e->socket = rte_eth_dev_socket_id(e->id);
    e->interface_index = if_nametoindex(e->interface);
    rte_eth_stats_reset(e->id);
    e->before = e->port.stats;
    e->port.stats.knows_nic = !is_one_of(info.driver_name, forgetful, RTE_DIM(forgetful));
    e->port.stats.hides_errors = is_one_of(info.driver_name, polls, RTE_DIM(polls));
    e->port.stats.knows_drops = tells_drops(info.driver_name);
    atomic_store(&e->is_gone, false);
    atomic_store(&e->wants_reset, false);
    listen_to_events(e, true);
    ft_ethdev_check(e);
    if (!e->was_open)
        e->port.stats.link_changes = 0;
    e->was_open = true;
    atomic_store_explicit(&e->is_started, true, memory_order_release);
    return true;
}

/* ---- in service ---- */

static bool is_unplugged(const struct ft_ethdev *e)
{
    return atomic_load(&e->is_gone) || rte_eth_dev_is_removed(e->id) == 1;
}

void ft_ethdev_count(struct ft_ethdev *e)
{
    struct rte_eth_stats now;
    struct ft_port_stats *to = &e->port.stats;
    const struct ft_port_stats *from = &e->before;
    /* The registers of a NIC that was pulled out read as all ones. */
    if (!atomic_load(&e->is_started) || is_unplugged(e) || rte_eth_stats_get(e->id, &now) != 0)
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
    if (is_unplugged(e))
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
    if (e->stamps == FT_ETHDEV_STAMPS_NIC && e->port.state != FT_PORT_MISSING)
        observe(e);
    /* What a NIC agrees upon with its new neighbour may be other than what it was told. */
    if (e->port.state == FT_PORT_UP && before == FT_PORT_DOWN && e->pause != FT_ETHDEV_PAUSE_NONE)
        e->pause = silence_pause(e, NULL);
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
