/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK for memory, rings and ports. Without NICs it runs on any machine, any number of times at
 * once.
 */
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
#define LIVE_RING_PACKETS 65536u
#define LIVE_RING_MAX     8192u

#define ROOM   2048u
#define JUMBOS 96u

/* Held from looking for free hugepages until they are taken: several runs may start at once. */
#define HUGEPAGE_LOCK "/dev/shm/fieldtap-hugepages.lock"

static uint32_t ring_size(const struct sensor *s)
{
    uint32_t n = s->is_live ? LIVE_RING_MAX : RING_MAX;
    uint32_t all = s->is_live ? LIVE_RING_PACKETS : RING_PACKETS;
    while (n > RING_MIN && n * s->worker_count > all)
        n /= 2;
    return n;
}

/* What lies in the queues of all ports, if each has one for every worker, and what a worker has in
 * its hands: bursts for each other one, what is its own, its cache (half as much again, at most).
 */
static uint32_t polled_count(const struct sensor *s)
{
    uint32_t workers = s->worker_count;
    return s->options->port_count * workers * PORT_DESCRIPTORS +
           workers * (workers * WORKER_BURST + PACKET_CACHE * 3 / 2);
}

static uint32_t packet_count(const struct sensor *s)
{
    return s->worker_count * (ring_size(s) + 3 * WORKER_BURST) + 1024 +
           (s->is_polled ? polled_count(s) : 0);
}

static uint32_t megabytes(const struct sensor *s)
{
    uint64_t packet = ROOM + RTE_PKTMBUF_HEADROOM + sizeof(struct ft_packet) + 256;
    uint64_t bytes = packet_count(s) * packet + (uint64_t)JUMBOS * (JUMBO_ROOM + 1024);
    return (uint32_t)(bytes * 5 / 4 / 1048576) + 32;
}

static unsigned long hugepages(const char *size, const char *which)
{
    char path[96];
    unsigned long n = 0;
    snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%s/%s_hugepages", size, which);
    FILE *f = fopen(path, "r");
    if (f && fscanf(f, "%lu", &n) != 1)
        n = 0;
    if (f)
        fclose(f);
    return n;
}

/* Free memory in hugepages of 2 MiB that nobody has a claim to, in megabytes; larger ones are left
 * to NICs. */
static uint32_t free_hugepages(bool has_nic)
{
    unsigned long have = hugepages("2048kB", "free"), claimed = hugepages("2048kB", "resv");
    uint32_t mb = have > claimed ? (uint32_t)((have - claimed) * 2) : 0;
    return has_nic ? mb + (uint32_t)hugepages("1048576kB", "free") * 1024 : mb;
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

static int init(const struct options *o, uint32_t mb, bool huge, unsigned cpu)
{
    char memory[16], core[16], prefix[40], names[OPTIONS_PORTS][64];
    char name[] = "fieldtap", no_huge[] = "--no-huge", in_memory[] = "--in-memory",
         no_shconf[] = "--no-shconf", no_telemetry[] = "--no-telemetry", m[] = "-m", l[] = "-l",
         quiet[] = "--log-level=3";
    snprintf(memory, sizeof(memory), "%u", mb);
    snprintf(core, sizeof(core), "%u", cpu);
    snprintf(prefix, sizeof(prefix), "--file-prefix=fieldtap-%d", (int)getpid());
    char *argv[16 + 2 * OPTIONS_PORTS] = {
        name, huge ? in_memory : no_huge, huge ? prefix : no_shconf, no_telemetry, m, memory, l,
        core};
    int argc = 8;
    argc += add_devices(o, argv + argc, names);
    if (o->verbose < 2)
        argv[argc++] = quiet;
    return rte_eal_init(argc, argv);
}

static bool has_nic(const struct options *o)
{
    bool has = false;
    for (uint32_t i = 0; o->is_polled && i < o->port_count; i++)
        has |= ft_ethdev_is_pci(o->ports[i].name);
    return has;
}

bool eal_start(const struct sensor *s, char *error, size_t error_size)
{
    const struct options *o = s->options;
    uint32_t mb = megabytes(s);
    cpu_set_t before;
    CPU_ZERO(&before);
    sched_getaffinity(0, sizeof(before), &before);
    unsigned cpu = 0;
    while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, &before))
        cpu++;
    int lock = lock_hugepages();
    bool huge = lock >= 0 && free_hugepages(has_nic(o)) >= mb + 2;
    if (has_nic(o) && !huge) {
        snprintf(error, error_size,
                 "a NIC needs %u MB of free hugepages, there are %u, for root only: "
                 "sysctl vm.nr_hugepages=%u",
                 mb + 2, free_hugepages(true), (mb + 2) / 2 + 1);
        if (lock >= 0)
            close(lock);
        return false;
    }
    if (o->verbose)
        fprintf(stderr, "fieldtap: %u MB of packet memory in %s\n", mb,
                huge ? "hugepages" : "normal pages (no free hugepages)");
    rte_log_set_global_level(o->verbose > 1 ? RTE_LOG_INFO : RTE_LOG_ERR);
    int started = init(o, mb, huge, cpu);
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
 * Buffers for what is longer than a frame: reassembled datagrams, offloaded segments. The length
 * members of an mbuf have 16 bits, a datagram with its frame header needs a little more; so the
 * mbuf knows of the first ROOM bytes only and struct ft_packet of all.
 */
static struct rte_mempool *jumbo_pool(uint16_t private_size, unsigned flags)
{
    struct rte_pktmbuf_pool_private room = {.mbuf_data_room_size = ROOM + RTE_PKTMBUF_HEADROOM,
                                            .mbuf_priv_size = private_size};
    uint32_t size =
        (uint32_t)sizeof(struct rte_mbuf) + private_size + RTE_PKTMBUF_HEADROOM + JUMBO_ROOM;
    return rte_mempool_create("jumbos", JUMBOS, size, 0, sizeof(room), rte_pktmbuf_pool_init, &room,
                              rte_pktmbuf_init, NULL, SOCKET_ID_ANY, flags);
}

/* One thread takes buffers, the reader, or every worker does. */
bool pools_make(struct sensor *s, char *error, size_t error_size)
{
    uint16_t private_size = (sizeof(struct ft_packet) + 63) & ~63u;
    s->packets = rte_pktmbuf_pool_create_by_ops(
        "packets", packet_count(s), s->is_polled ? PACKET_CACHE : 0, private_size,
        ROOM + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY, s->is_polled ? "ring_mp_mc" : "ring_mp_sc");
    s->jumbos = jumbo_pool(private_size, s->is_polled ? 0 : RTE_MEMPOOL_F_SC_GET);
    bool ok = s->packets && s->jumbos;
    for (uint32_t w = 0; ok && w < s->worker_count; w++) {
        char name[24];
        snprintf(name, sizeof(name), "worker%u", w);
        s->workers[w].input = rte_ring_create(name, ring_size(s), SOCKET_ID_ANY,
                                              (s->is_polled ? 0 : RING_F_SP_ENQ) | RING_F_SC_DEQ);
        ok = s->workers[w].input != NULL;
    }
    if (!ok)
        snprintf(error, error_size, "no memory for packets (%s)", rte_strerror(rte_errno));
    return ok;
}
