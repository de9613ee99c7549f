/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A DPDK port that is listened to: a NIC by PCI address, or a virtual device by its arguments
 * ("net_pcap0,iface=eth1"). Workers poll its queues themselves.
 *
 * The port is set up so that it only listens and loses nothing by its own doing: promiscuous, no
 * Ethernet flow control (PAUSE frames would be sent), no transmit queue. Where a driver insists on
 * one it is made, never used, and ft_ethdev.has_tx_queue says so. Of the offloads only scattered
 * receive is used, where a packet may be longer than a buffer, and time stamps, where the NIC's
 * clock can be read. Checksums are verified by whoever decodes, since NICs do not look into
 * tunnels; tags stay where they are.
 *
 * Packets are spread by the NIC over the IP pair with the symmetric key of ft_shard_ip(); its table
 * of 128 entries (or a multiple) sends each shard to the queue of its owner. What the NIC cannot
 * spread like that the workers hand over to each other. Key, table and kinds of packets are read
 * back; whether packets really come as they should only they can tell: ft_ethdev_is_misled().
 *
 * Virtual devices whose queues are sources of their own (several files, several sockets) are polled
 * on all queues, dealt out to the workers.
 *
 * Threads: ft_ethdev_receive() from one thread per queue; all else from one.
 */
#ifndef FT_CAPTURE_ETHDEV_H
#define FT_CAPTURE_ETHDEV_H

#include "capture/device_clock.h"
#include "capture/port.h"

#include <rte_ethdev.h>
#include <rte_mempool.h>
#include <stdatomic.h>

/** Are PAUSE frames sent, which would slow down who is listened to? */
enum ft_ethdev_pause {
    FT_ETHDEV_PAUSE_NONE = 0, /**< a virtual device: there is no such thing */
    FT_ETHDEV_PAUSE_OFF,      /**< switched off, and read back */
    FT_ETHDEV_PAUSE_UNKNOWN,  /**< its driver tells nothing of them */
    FT_ETHDEV_PAUSE_ON,       /**< and could not be switched off */
};

/** Whose time stamps packets carry. */
enum ft_ethdev_stamps {
    FT_ETHDEV_STAMPS_HOST = 0, /**< none: the host's clock when they are taken from the queue */
    FT_ETHDEV_STAMPS_KERNEL,   /**< the kernel's, which received them */
    FT_ETHDEV_STAMPS_NIC,      /**< the NIC's */
};

/** By what a NIC spreads packets over queues. */
enum ft_ethdev_spread {
    FT_ETHDEV_SPREAD_NOT = 0,    /**< by nothing that is of use: packets are handed over */
    FT_ETHDEV_SPREAD_CONNECTION, /**< by addresses and ports: evenly, but not by shard */
    FT_ETHDEV_SPREAD_ADDRESSES,  /**< by shard, to its owner: plain IP is not handed over */
};

struct ft_ethdev_config {
    const char *device;          /**< "0000:3b:00.0", or "net_pcap0,..."; outlives the port */
    uint16_t queues;             /**< wanted, at least 1: one for each worker */
    uint16_t descriptors;        /**< per queue */
    struct rte_mempool *buffers; /**< with room for struct ft_packet in the private area */
    const uint8_t *shard_queue;  /**< FT_SHARDS: the queue of each shard's owner */
};

/** A port. `port` comes first: name, state and counters as of any other kind. */
struct ft_ethdev {
    struct ft_port port;
    char name[64];      /**< "0000:3b:00.0", "net_pcap0" */
    char interface[32]; /**< of the kernel, which a virtual device receives from; "" = none */
    uint16_t id;        /**< of DPDK */
    uint16_t queues;    /**< got: 1 when the NIC cannot spread packets */
    bool has_tx_queue;  /**< the driver insisted on one */
    bool hears_all;     /**< it is promiscuous, or a device that has no addresses */
    bool is_dealt;      /**< its queues are sources of their own, or there is one: any worker's */
    enum ft_ethdev_spread spread; /**< as read back from the NIC */
    enum ft_ethdev_pause pause;
    enum ft_ethdev_stamps stamps;
    /** Its driver hands on no more of a packet than this, and does not say so: a packet of so many
     * bytes may be the beginning of a longer one. UINT32_MAX: it cuts nothing. */
    uint32_t cuts_at;
    uint64_t stamp_flag; /**< of an mbuf with a stamp; 0 = there are none */
    int stamp_offset;    /**< where it is in the mbuf */
    struct ft_device_clock clock;
    int socket;          /**< NUMA node, -1 = unknown */
    uint32_t speed_mbps; /**< of the link, 0 = none or unknown */
    unsigned interface_index;
    struct ft_ethdev_config config;
    struct ft_port_stats before; /**< what was counted until it was opened again */
    bool was_open;               /**< it is not opened for the first time */
    _Atomic bool is_started;     /**< may be polled; all above is as it stays until it is not */
    _Atomic bool is_gone;        /**< DPDK told of its removal */
    _Atomic bool wants_reset;    /**< DPDK told that it has to be reset */
};

/** Does it look like the address of a PCI device, with or without its domain? */
bool ft_ethdev_is_pci(const char *device);

/** Does its name begin as that of a driver of virtual devices that receive something? */
bool ft_ethdev_is_virtual(const char *device);

/**
 * The kernel's interface in the arguments of a virtual device that receives from one: "iface=eth1",
 * "rx_iface=eth1", "rx_iface_in=eth1". "" for others, such as net_tap, which makes its own.
 */
void ft_ethdev_interface(const char *device, char *to, size_t size);

/**
 * The name that DPDK knows the device by: the address with its domain, or what is in front of the
 * first comma. False when there is nothing or it is too long.
 */
bool ft_ethdev_name(const char *device, char *name, size_t size);

/**
 * Could DPDK use this PCI device, as far as the kernel tells? False and a sentence with what to do:
 * it is not there, belongs to the kernel, or VFIO cannot be opened. True for all other devices.
 * Needs no EAL.
 */
bool ft_ethdev_is_usable(const char *device, char *error, size_t error_size);

/** As ft_ethdev_is_usable(), on a machine whose /sys and /dev are under `root` (tests). */
bool ft_ethdev_is_usable_at(const char *root, const char *device, char *error, size_t error_size);

/** Prepare a port: nothing is opened yet, it counts as missing. */
void ft_ethdev_init(struct ft_ethdev *e, const struct ft_ethdev_config *config, uint16_t link);

/**
 * Find (or make) the device and start listening. False and one sentence with what to do: no such
 * device, bound to the kernel's driver, no memory, queues refused. May be tried again, also after
 * ft_ethdev_close().
 */
bool ft_ethdev_open(struct ft_ethdev *e, char *error, size_t error_size);

/** Take up to `max` packets of a queue; they are the caller's. Cost: the driver's. */
static inline uint16_t ft_ethdev_receive(const struct ft_ethdev *e, uint16_t queue,
                                         struct rte_mbuf **packets, uint16_t max)
{
    return rte_eth_rx_burst(e->id, queue, packets, max);
}

/**
 * The first queue that worker `worker` of `workers` polls of the port that is `number` among the
 * ports; it polls each `workers`th from there on, as long as they are below e->queues.
 */
static inline uint16_t ft_ethdev_first_queue(const struct ft_ethdev *e, uint32_t number,
                                             uint32_t worker, uint32_t workers)
{
    uint32_t shift = e->is_dealt ? number % workers : 0;
    return (uint16_t)((worker + workers - shift) % workers);
}

/** The time stamp of a packet that has ol_flags & e->stamp_flag, by the device's clock. */
static inline uint64_t ft_ethdev_stamp(const struct ft_ethdev *e, const struct rte_mbuf *m)
{
    return *RTE_MBUF_DYNFIELD(m, e->stamp_offset, const uint64_t *);
}

/**
 * Of `plain` packets of plain IP `handed_over` came to a queue that is not their owner's: is that
 * another share than a port promises that spreads by addresses? Frames of which the NIC sees
 * something else than the sensor does (a tag that it does not know) are few on most ports.
 */
static inline bool ft_ethdev_is_misled(uint64_t plain, uint64_t handed_over)
{
    return plain >= 1000 && handed_over > plain / 20;
}

/** Bring the receiver's counters in e->port.stats up to date. Microseconds to milliseconds. */
void ft_ethdev_count(struct ft_ethdev *e);

/**
 * How many queues to ask a device for that has `most` of them and spreads packets or not: as many
 * as `wanted`, or all if they are sources of their own, or 1. 0: it has too few.
 */
uint16_t ft_ethdev_count_queues(const char *name, bool spreads, uint16_t most, uint16_t wanted);

/**
 * Bring e->port.state and the device's clock up to date; once a second. True when the port has to
 * be taken out of service and opened again: it was removed, or wants to be reset. Nobody may poll
 * it while that is done.
 */
bool ft_ethdev_check(struct ft_ethdev *e);

/** Stop, close and unplug. Nobody may be polling. */
void ft_ethdev_close(struct ft_ethdev *e);

/** The 6d5a key in `key`, repeated: the same hash for both directions. */
void ft_ethdev_symmetric_key(uint8_t *key, uint32_t size);

#endif
