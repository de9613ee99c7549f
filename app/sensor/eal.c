/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK for memory, rings and ports. Without NICs it runs on any machine, any number of times at
 * once.
 */
#include "core_map.h"
#include "sensor.h"

#include <fcntl.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* Packets in flight: all rings full, a burst in each hand, and some slack. */
#define RING_PACKETS 16384u
#define RING_MIN     256u
#define RING_MAX     4096u

/* Live nobody waits for a worker: its ring must hold what comes while others have its core. */
#define LIVE_RING_PACKETS FT_LIVE_RING_PACKETS
#define LIVE_RING_MAX     8192u

#define ROOM   FT_PACKET_ROOM
#define JUMBOS 96u

/* Of the packets that wait in rings so many are longer than a buffer: jumbo frames fill a link in
 * a sixth of the packets, and are handed over seldom. */
#define LONG_SHARE 16u

/* Held from looking for free hugepages until they are taken: several runs may start at once. */
#define HUGEPAGE_LOCK "/dev/shm/fieldtap-hugepages.lock"

static uint32_t ring_size(const struct sensor *s)
{
    uint32_t n = s->is_live ? LIVE_RING_MAX : RING_MAX;
    uint32_t all = s->is_live ? LIVE_RING_PACKETS : RING_PACKETS;
    uint32_t wanted = s->options->config.ring_packets;
    if (s->is_live && wanted)
        return wanted > RING_MIN ? wanted : RING_MIN;
    while (n > RING_MIN && n * s->worker_count > all)
        n /= 2;
    return n;
}

/* ---- NUMA nodes ---- */

/* The first port whose packets come from the same pool. */
static uint32_t first_of_node(const struct sensor *s, uint32_t port)
{
    uint32_t i = 0;
    while (core_map_node_of_port("", s->options, i) != core_map_node_of_port("", s->options, port))
        i++;
    return i;
}

/* Does a pool begin with this port, and how many ports take packets from it? */
static uint32_t ports_of_pool(const struct sensor *s, uint32_t port)
{
    uint32_t n = 0;
    for (uint32_t i = 0; s->is_polled && i < s->options->port_count; i++)
        n += first_of_node(s, i) == port;
    return n;
}

static int node_of_worker(const struct sensor *s, uint32_t worker)
{
    return s->is_pinned ? core_map_node_of_cpu("", s->options->config.worker_cpus[worker]) : -1;
}

/* ---- how much ---- */

/* What lies in the queues of so many ports, if each has one for every worker, and what a worker has
 * in its hands: bursts for each other one, what is its own, its cache (half as much again, at
 * most).
 */
static uint32_t polled_count(const struct sensor *s, uint32_t ports)
{
    uint32_t workers = s->worker_count;
    return ports * workers * s->options->config.descriptors +
           workers * (workers * WORKER_BURST + PACKET_CACHE * 3 / 2);
}

/* Packets of a pool that feeds so many ports of DPDK. */
static uint32_t packet_count(const struct sensor *s, uint32_t ports)
{
    return s->worker_count * (ring_size(s) + 3 * WORKER_BURST) + 1024 +
           (s->is_polled ? polled_count(s, ports) : 0);
}

/* Long frames: those of a burst from a queue, from the ring, and for others; a share of the rings'.
 */
static uint32_t long_count(const struct sensor *s)
{
    uint32_t waiting = s->worker_count > 1 ? s->worker_count * ring_size(s) / LONG_SHARE : 0;
    return s->worker_count * 4 * WORKER_BURST + waiting;
}

/* Megabytes for what has to come from one node; all else is on that of the first pool. */
static uint32_t megabytes(const struct sensor *s, uint32_t ports, bool is_first)
{
    uint64_t head = RTE_PKTMBUF_HEADROOM + sizeof(struct ft_packet) + 256;
    uint64_t bytes = packet_count(s, ports) * (ROOM + head);
    if (is_first)
        bytes += (uint64_t)JUMBOS * (JUMBO_ROOM + 1024);
    if (is_first && s->is_polled)
        bytes += long_count(s) * (LONG_ROOM + head);
    return (uint32_t)(bytes * 5 / 4 / 1048576) + 32;
}

/* What all pools take; and by node, as EAL wants it: "0,512". "" where nodes do not matter. */
static uint32_t all_megabytes(const struct sensor *s, char *by_node, size_t size)
{
    uint32_t mb[CORE_MAP_NODES] = {0}, all = 0, last = 0;
    bool is_known = false;
    for (uint32_t i = 0; i < s->options->port_count && s->is_polled; i++) {
        uint32_t ports = ports_of_pool(s, i), need = ports ? megabytes(s, ports, i == 0) : 0;
        int node = core_map_node_of_port("", s->options, i);
        all += need;
        if (node < 0 || node >= (int)CORE_MAP_NODES)
            continue;
        is_known = true;
        mb[node] += need;
        last = (uint32_t)node > last ? (uint32_t)node : last;
    }
    *by_node = 0;
    for (uint32_t i = 0, used = 0; is_known && i <= last && used < size; i++)
        used += (uint32_t)snprintf(by_node + used, size - used, "%s%u", i ? "," : "", mb[i]);
    return all ? all : megabytes(s, 0, true);
}

uint32_t eal_megabytes(const struct options *o)
{
    char by_node[8 * CORE_MAP_NODES];
    struct sensor *s = aligned_alloc(64, sizeof(*s));
    if (!s)
        return 0;
    memset(s, 0, sizeof(*s));
    s->options = o;
    s->is_live = true;
    s->is_polled = o->is_polled;
    s->worker_count = sensor_workers(o);
    uint32_t mb = all_megabytes(s, by_node, sizeof(by_node)) + 2;
    free(s);
    return mb;
}

/* Free memory in hugepages of 2 MiB that nobody has a claim to, in megabytes; larger ones are left
 * to NICs. */
static uint32_t free_hugepages(bool has_nic)
{
    unsigned long have = core_map_hugepages("", -1, "2048kB", "free"),
                  claimed = core_map_hugepages("", -1, "2048kB", "resv");
    uint32_t mb = have > claimed ? (uint32_t)((have - claimed) * 2) : 0;
    return has_nic ? mb + (uint32_t)core_map_hugepages("", -1, "1048576kB", "free") * 1024 : mb;
}

/* Hugepages are for root; -1: go without. */
static int lock_hugepages(void)
{
    if (geteuid() != 0)
        return -1;
    int fd = open(HUGEPAGE_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Each NIC is named; no other device is touched. */
static int add_devices(const struct options *o, char **argv, char names[][64])
{
    static char allow[] = "-a", no_pci[] = "--no-pci";
    int n = 0;
    for (uint32_t i = 0; o->is_polled && i < o->port_count; i++) {
        if (!ft_ethdev_is_pci(o->ports[i].name))
            continue;
        snprintf(names[i], 64, "%s", o->ports[i].name);
        argv[n++] = allow;
        argv[n++] = names[i];
    }
    if (!n)
        argv[n++] = no_pci;
    return n;
}

static int init(const struct options *o, uint32_t mb, char *by_node, bool huge, unsigned cpu)
{
    char memory[16], core[16], prefix[40], names[OPTIONS_PORTS][64];
    char name[] = "fieldtap", no_huge[] = "--no-huge", in_memory[] = "--in-memory",
         no_shconf[] = "--no-shconf", no_telemetry[] = "--no-telemetry", m[] = "-m", l[] = "-l",
         nodes[] = "--socket-mem", quiet[] = "--log-level=3";
    snprintf(memory, sizeof(memory), "%u", mb);
    snprintf(core, sizeof(core), "%u", cpu);
    snprintf(prefix, sizeof(prefix), "--file-prefix=fieldtap-%d", (int)getpid());
    char *argv[16 + 2 * OPTIONS_PORTS] = {
        name, huge ? in_memory : no_huge,   huge ? prefix : no_shconf,          l,
        core, huge && *by_node ? nodes : m, huge && *by_node ? by_node : memory};
    int argc = 7;
    if (!o->config.metrics_telemetry || !o->port_count)
        argv[argc++] = no_telemetry;
    argc += add_devices(o, argv + argc, names);
    if (o->verbose < 2)
        argv[argc++] = quiet;
    return rte_eal_init(argc, argv);
}

bool eal_start(const struct sensor *s, char *error, size_t error_size)
{
    const struct options *o = s->options;
    char by_node[8 * CORE_MAP_NODES];
    uint32_t mb = all_megabytes(s, by_node, sizeof(by_node));
    cpu_set_t before;
    CPU_ZERO(&before);
    sched_getaffinity(0, sizeof(before), &before);
    unsigned cpu = 0;
    while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, &before))
        cpu++;
    int lock = lock_hugepages();
    bool huge = lock >= 0 && free_hugepages(options_have_nic(o)) >= mb + 2;
    if (options_have_nic(o) && !huge) {
        snprintf(error, error_size,
                 "a NIC needs %u MB of free hugepages, there are %u, for root only: "
                 "sysctl vm.nr_hugepages=%u",
                 mb + 2, free_hugepages(true), (mb + 2) / 2 + 1);
        if (lock >= 0)
            close(lock);
        return false;
    }
    /* DPDK lets no packet lie across two pages: of the normal size each takes a whole one. */
    if (!huge)
        mb += mb / 2;
    if (o->verbose)
        fprintf(stderr, "fieldtap: %u MB of packet memory in %s\n", mb,
                huge ? "hugepages" : "normal pages (no free hugepages)");
    rte_log_set_global_level(o->verbose > 1 ? RTE_LOG_INFO : RTE_LOG_ERR);
    int started = init(o, mb, by_node, huge, cpu);
    if (lock >= 0)
        close(lock);
    if (started < 0) {
        snprintf(error, error_size, "DPDK did not start (%s): %u MB of memory are needed",
                 rte_strerror(rte_errno), mb);
        return false;
    }
    /* EAL pinned this thread to one CPU; workers of a capture share whatever there is. */
    sched_setaffinity(0, sizeof(before), &before);
    return true;
}

/*
 * Buffers for what is longer than a frame: long frames, reassembled datagrams, offloaded segments.
 * The length members of an mbuf have 16 bits, a datagram with its frame header needs a little more;
 * so the mbuf knows of the first ROOM bytes only and struct ft_packet of all.
 */
static struct rte_mempool *large_pool(const char *name, uint32_t count, uint32_t bytes,
                                      uint16_t private_size, int node, unsigned flags)
{
    struct rte_pktmbuf_pool_private room = {.mbuf_data_room_size = ROOM + RTE_PKTMBUF_HEADROOM,
                                            .mbuf_priv_size = private_size};
    uint32_t size = (uint32_t)sizeof(struct rte_mbuf) + private_size + RTE_PKTMBUF_HEADROOM + bytes;
    return rte_mempool_create(name, count, size, 0, sizeof(room), rte_pktmbuf_pool_init, &room,
                              rte_pktmbuf_init, NULL, node, flags);
}

/* On a node that has memory for it; the ring or pool elsewhere is slower, but works. */
static struct rte_ring *worker_ring(const struct sensor *s, uint32_t w)
{
    char name[24];
    unsigned flags = (s->is_polled ? 0 : RING_F_SP_ENQ) | RING_F_SC_DEQ |
                     (s->is_live && s->options->config.ring_packets ? RING_F_EXACT_SZ : 0);
    int node = node_of_worker(s, w);
    snprintf(name, sizeof(name), "worker%u", w);
    struct rte_ring *ring = rte_ring_create(name, ring_size(s), node, flags);
    return ring || node < 0 ? ring : rte_ring_create(name, ring_size(s), SOCKET_ID_ANY, flags);
}

/* A pool for each node that ports are on, from which their NICs take buffers. */
static bool make_port_pools(struct sensor *s, uint16_t private_size)
{
    for (uint32_t i = 0; i < s->options->port_count; i++) {
        uint32_t first = first_of_node(s, i);
        char name[24];
        snprintf(name, sizeof(name), "packets%u", i);
        s->port_packets[i] = first < i
                                 ? s->port_packets[first]
                                 : rte_pktmbuf_pool_create_by_ops(
                                       name, packet_count(s, ports_of_pool(s, i)), PACKET_CACHE,
                                       private_size, ROOM + RTE_PKTMBUF_HEADROOM,
                                       core_map_node_of_port("", s->options, i), "ring_mp_mc");
        if (!s->port_packets[i])
            return false;
    }
    s->longs = large_pool("longs", long_count(s), LONG_ROOM, private_size,
                          core_map_node_of_port("", s->options, 0), 0);
    return s->longs != NULL;
}

/* One thread takes buffers, the reader, or every worker does. */
bool pools_make(struct sensor *s, char *error, size_t error_size)
{
    uint16_t private_size = (sizeof(struct ft_packet) + 63) & ~63u;
    bool ok = true;
    if (s->is_polled)
        ok = make_port_pools(s, private_size);
    else
        ok = (s->packets = rte_pktmbuf_pool_create_by_ops("packets", packet_count(s, 0), 0,
                                                          private_size, ROOM + RTE_PKTMBUF_HEADROOM,
                                                          SOCKET_ID_ANY, "ring_mp_sc")) != NULL;
    s->jumbos = large_pool("jumbos", JUMBOS, JUMBO_ROOM, private_size,
                           s->is_polled ? core_map_node_of_port("", s->options, 0) : SOCKET_ID_ANY,
                           s->is_polled ? 0 : RTE_MEMPOOL_F_SC_GET);
    ok = ok && s->jumbos;
    for (uint32_t w = 0; ok && w < s->worker_count; w++)
        ok = (s->workers[w].input = worker_ring(s, w)) != NULL;
    if (!ok)
        snprintf(error, error_size, "no memory for packets (%s)", rte_strerror(rte_errno));
    return ok;
}
