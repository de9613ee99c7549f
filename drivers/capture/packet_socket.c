/* SPDX-License-Identifier: BSD-3-Clause */
/* Capturing from a Linux network interface. */
#include "capture/packet_socket.h"

#include "base/clock_ns.h"
#include "capture/interface.h"
#include "capture/packet_block.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for the longest packet that the kernel hands over, 64 KiB merged by offload. No longer: a
 * block is closed after FT_PACKET_SOCKET_RETIRE_MS with whatever is in it, so it is their number
 * that says for how long a slow rate is kept: 512 of the usual ring for five seconds. */
#define BLOCK_BYTES (128u << 10)
#define BLOCKS_MIN  2u

#define LINKTYPE_ETHERNET 1u

#define NS_PER_SECOND 1000000000ull

/* An interface's clock that is further from the host's is not set: its stamps are not used. */
#define CLOCK_AHEAD_NS  (NS_PER_SECOND / 20)
#define CLOCK_BEHIND_NS NS_PER_SECOND

struct packet_socket {
    struct ft_port port;
    uint8_t *ring;
    uint32_t block_count;
    uint32_t at;  /* the block that is, or will be, read */
    bool is_open; /* block `at` is ours and being read */
    bool is_bound, is_stopped;
    bool takes_sent; /* what leaves by the interface, too */
    bool is_clock_checked, is_clock_wrong;
    struct ft_packet_block block;
    unsigned index; /* of the interface that it is bound to */
    uint16_t linktype;
    struct ft_interface_counters counters; /* at the last look */
    bool has_counters;
    struct ft_packet_socket_options options;
};

static struct packet_socket *socket_of(struct ft_port *port)
{
    return (struct packet_socket *)(void *)port;
}

/* ---- packets ---- */

static _Atomic uint32_t *block_status(const struct packet_socket *s, uint32_t block)
{
    struct tpacket_block_desc *desc = (void *)(s->ring + (size_t)block * BLOCK_BYTES);
    return (_Atomic uint32_t *)(void *)&desc->hdr.bh1.block_status;
}

static bool is_filled(const struct packet_socket *s, uint32_t block)
{
    return atomic_load_explicit(block_status(s, block), memory_order_acquire) & TP_STATUS_USER;
}

/* The kernel fills one block after the other: is the one in the middle of those ahead still its? */
static bool has_room(const struct ft_port *port)
{
    const struct packet_socket *s = (const struct packet_socket *)(const void *)port;
    return !is_filled(s, (s->at + s->block_count / 2) % s->block_count);
}

/* Give the block back to the kernel. */
static void release_block(struct packet_socket *s)
{
    s->port.stats.damaged += s->block.left;
    atomic_store_explicit(block_status(s, s->at), TP_STATUS_KERNEL, memory_order_release);
    s->at = s->at + 1 == s->block_count ? 0 : s->at + 1;
    s->is_open = false;
}

static bool acquire_block(struct packet_socket *s)
{
    if (!is_filled(s, s->at))
        return false;
    ft_packet_block_begin(&s->block, s->ring + (size_t)s->at * BLOCK_BYTES, BLOCK_BYTES);
    s->is_open = true;
    return true;
}

static void use_kernel_stamps(struct packet_socket *s)
{
    int none = 0;
    setsockopt(s->port.descriptor, SOL_PACKET, PACKET_TIMESTAMP, &none, sizeof(none));
    s->is_clock_wrong = true;
    s->port.stats.is_nic_time = false;
}

/*
 * The time of a packet that the interface stamped. Its clock may be set by nobody; what it says is
 * compared once. Packets that are in the ring when its stamps are given up get the time at which
 * they are read.
 */
static uint64_t nic_time(struct packet_socket *s, uint64_t stamp)
{
    uint64_t now = ft_clock_ns(CLOCK_REALTIME);
    if (!s->is_clock_checked) {
        s->is_clock_checked = true;
        if (stamp > now + CLOCK_AHEAD_NS || stamp + CLOCK_BEHIND_NS < now)
            use_kernel_stamps(s);
        else
            s->port.stats.is_nic_time = true;
    }
    return s->is_clock_wrong ? now : stamp;
}

static void fill_in(struct packet_socket *s, const struct ft_packet_frame *frame,
                    struct ft_capture_record *record)
{
    uint64_t time_ns = frame->is_nic_time ? nic_time(s, frame->time_ns) : frame->time_ns;
    *record = (struct ft_capture_record){
        .time_ns = time_ns,
        .data = frame->data,
        .caplen = frame->caplen,
        .wirelen = frame->wirelen,
        .interface = s->port.link,
        .linktype = s->linktype,
        .is_timed = true,
        .is_nic_time = frame->is_nic_time && !s->is_clock_wrong,
        .is_kernel_time = !frame->is_nic_time,
        .is_checksum_open = frame->is_checksum_open,
    };
    s->port.stats.bytes += frame->wirelen;
}

static uint32_t take_frames(struct packet_socket *s, struct ft_capture_record *records,
                            uint32_t max)
{
    bool is_ethernet = s->linktype == LINKTYPE_ETHERNET;
    struct ft_packet_frame frame;
    uint32_t n = 0;
    while (n < max && ft_packet_block_next(&s->block, is_ethernet, &frame))
        fill_in(s, &frame, &records[n++]);
    s->port.stats.received += n;
    return n;
}

static uint32_t poll_packets(struct ft_port *port, struct ft_capture_record *records, uint32_t max)
{
    struct packet_socket *s = socket_of(port);
    while (s->is_open || acquire_block(s)) {
        uint32_t n = take_frames(s, records, max);
        if (n)
            return n;
        release_block(s); /* only now: what was given out of it has been used */
    }
    return 0;
}

/* ---- counts ---- */

static uint64_t grown(uint64_t now, uint64_t before)
{
    return now >= before ? now - before : now; /* a new interface of that name begins at 0 */
}

static void count_interface(struct packet_socket *s)
{
    struct ft_port_stats *stats = &s->port.stats;
    struct ft_interface_counters now;
    if (!s->is_bound || !ft_interface_counters(s->port.name, s->takes_sent, &now))
        return;
    stats->knows_nic = true;
    if (s->has_counters) {
        stats->nic_packets += grown(now.packets, s->counters.packets);
        stats->nic_missed += grown(now.missed, s->counters.missed);
        stats->nic_errors += grown(now.errors, s->counters.errors);
        stats->link_changes += grown(now.link_changes, s->counters.link_changes);
    }
    s->has_counters = true;
    s->counters = now;
}

/* The kernel sets its counters to 0 when they are read. */
static void count_socket(struct packet_socket *s)
{
    struct tpacket_stats_v3 counts;
    socklen_t size = sizeof(counts);
    if (getsockopt(s->port.descriptor, SOL_PACKET, PACKET_STATISTICS, &counts, &size) < 0)
        return;
    s->port.stats.arrived += counts.tp_packets;
    s->port.stats.dropped += counts.tp_drops;
    s->port.stats.freezes += counts.tp_freeze_q_cnt;
    s->port.stats.knows_drops = true;
}

static void count(struct ft_port *port)
{
    count_socket(socket_of(port));
    count_interface(socket_of(port));
}

/* ---- the interface ---- */

static bool set(const struct packet_socket *s, int option, const void *value, size_t size)
{
    return setsockopt(s->port.descriptor, SOL_PACKET, option, value, (socklen_t)size) == 0;
}

/* Promiscuous mode as long as the socket is bound: the kernel counts who wants it. */
static bool be_promiscuous(const struct packet_socket *s)
{
    struct packet_mreq request = {.mr_ifindex = (int)s->index, .mr_type = PACKET_MR_PROMISC};
    return set(s, PACKET_ADD_MEMBERSHIP, &request, sizeof(request));
}

static void choose_stamps(struct packet_socket *s)
{
    int hardware = SOF_TIMESTAMPING_RAW_HARDWARE;
    s->is_clock_checked = s->is_clock_wrong = s->port.stats.is_nic_time = false;
    if (!s->options.takes_kernel_stamps &&
        ft_interface_stamps_packets(s->port.descriptor, s->port.name))
        set(s, PACKET_TIMESTAMP, &hardware, sizeof(hardware));
}

/*
 * What this host sends itself is not what it monitors; on a loopback it is seen when it arrives. On
 * a virtual interface it is somebody's, and counted. Kernels before 4.20 show all.
 */
static void choose_directions(struct packet_socket *s)
{
    const char *name = s->port.name;
    int ignored = ft_interface_is_loopback(s->port.descriptor, name) ||
                  ft_interface_has_hardware("/sys/class/net", name);
    s->takes_sent = !ignored;
    set(s, PACKET_IGNORE_OUTGOING, &ignored, sizeof(ignored));
}

/* Nothing is received before: a packet socket without protocol is deaf. */
static bool bind_interface(struct packet_socket *s, char *error, size_t error_size)
{
    const char *name = s->port.name;
    int fd = s->port.descriptor;
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    s->index = ft_interface_index(fd, name);
    if (!s->index) {
        snprintf(error, error_size,
                 "there is no interface %s (ip link lists them; capture.wait lets it come later)",
                 name);
        return false;
    }
    if (!ft_interface_linktype(fd, name, &s->linktype, error, error_size))
        return false;
    choose_stamps(s);
    choose_directions(s);
    s->has_counters = false;
    s->is_bound = true;
    count_interface(s); /* what it had before is not ours */
    address.sll_ifindex = (int)s->index;
    /* This works with an interface that is switched off, too. */
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || !be_promiscuous(s)) {
        snprintf(error, error_size, "%s cannot be captured from: %s", name, strerror(errno));
        s->is_bound = false;
    }
    return s->is_bound;
}

/* The one of this name is gone, or is another one that took its place. */
static void notice_removal(struct packet_socket *s)
{
    if (s->is_bound && ft_interface_index(s->port.descriptor, s->port.name) != s->index)
        s->is_bound = false;
}

static bool check(struct ft_port *port, char *error, size_t error_size)
{
    struct packet_socket *s = socket_of(port);
    int pending = 0;
    socklen_t size = sizeof(pending);
    bool is_fine = true;
    getsockopt(port->descriptor, SOL_SOCKET, SO_ERROR, &pending, &size); /* takes it away too */
    if (s->is_stopped)
        return true;
    notice_removal(s);
    count_interface(s); /* when it is gone it can no longer be asked */
    if (!s->is_bound && ft_interface_index(port->descriptor, port->name)) {
        s->port.stats.link_changes++;
        is_fine = bind_interface(s, error, error_size);
    }
    port->state = s->is_bound ? ft_interface_state(port->descriptor, port->name) : FT_PORT_MISSING;
    return is_fine;
}

/* ---- open, stop, close ---- */

static bool make_ring(struct packet_socket *s)
{
    int version = TPACKET_V3, reserve = FT_PACKET_BLOCK_RESERVE;
    uint64_t blocks = s->options.ring_bytes / BLOCK_BYTES;
    if (!set(s, PACKET_VERSION, &version, sizeof(version)) ||
        !set(s, PACKET_RESERVE, &reserve, sizeof(reserve)))
        return false;
    for (blocks = blocks < BLOCKS_MIN ? BLOCKS_MIN : blocks; blocks >= BLOCKS_MIN; blocks /= 2) {
        struct tpacket_req3 request = {.tp_block_size = BLOCK_BYTES,
                                       .tp_block_nr = (unsigned)blocks,
                                       .tp_frame_size = 2048, /* of no meaning in version 3 */
                                       .tp_frame_nr = (unsigned)(blocks * (BLOCK_BYTES / 2048)),
                                       .tp_retire_blk_tov = FT_PACKET_SOCKET_RETIRE_MS};
        if (!set(s, PACKET_RX_RING, &request, sizeof(request))) {
            if (errno != ENOMEM)
                return false;
            continue;
        }
        s->block_count = (uint32_t)blocks;
        s->ring = mmap(NULL, blocks * BLOCK_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
                       s->port.descriptor, 0);
        if (s->ring == MAP_FAILED)
            s->ring = NULL;
        return s->ring != NULL;
    }
    return false;
}

static bool open_socket(struct packet_socket *s, char *error, size_t error_size)
{
    char program[256] = "fieldtap";
    s->port.descriptor = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (s->port.descriptor >= 0)
        return true;
    int reason = errno;
    ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
    program[n > 0 ? n : (ssize_t)strlen(program)] = 0;
    if (reason == EPERM || reason == EACCES)
        snprintf(error, error_size,
                 "no permission to capture from %s: run as root, or allow it once with: setcap "
                 "cap_net_raw+ep %s",
                 s->port.name, program);
    else
        snprintf(error, error_size, "cannot capture from %s: %s", s->port.name, strerror(reason));
    return false;
}

/* With a filter that takes nothing; packets it refuses are not counted as ours. */
static void hold(struct ft_port *port, bool is_held)
{
    struct sock_filter none = {.code = BPF_RET | BPF_K, .k = 0};
    struct sock_fprog program = {.len = 1, .filter = &none};
    int unused = 0;
    if (is_held)
        setsockopt(port->descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
    else
        setsockopt(port->descriptor, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused));
}

static void stop(struct ft_port *port)
{
    hold(port, true);
    socket_of(port)->is_stopped = true;
}

static void close_port(struct ft_port *port)
{
    struct packet_socket *s = socket_of(port);
    if (s->ring)
        munmap(s->ring, (size_t)s->block_count * BLOCK_BYTES);
    if (port->descriptor >= 0)
        close(port->descriptor);
    free(s);
}

static const struct ft_port_ops ops = {
    .poll = poll_packets,
    .has_room = has_room,
    .count = count,
    .check = check,
    .stop = stop,
    .close = close_port,
    .hold = hold,
};

/* True when it may be used, be it that the interface is still to come. */
static bool prepare(struct packet_socket *s, char *error, size_t error_size)
{
    if (!open_socket(s, error, error_size))
        return false;
    if (!make_ring(s)) {
        snprintf(error, error_size, "no memory for the ring of %s (%s): try a smaller capture.ring",
                 s->port.name, strerror(errno));
        return false;
    }
    s->port.state = FT_PORT_MISSING;
    if (s->options.may_wait && !ft_interface_index(s->port.descriptor, s->port.name))
        return true;
    if (!bind_interface(s, error, error_size))
        return false;
    s->port.state = ft_interface_state(s->port.descriptor, s->port.name);
    return true;
}

struct ft_port *ft_packet_socket_open(const char *name, uint16_t link,
                                      const struct ft_packet_socket_options *options, char *error,
                                      size_t error_size)
{
    struct packet_socket *s = calloc(1, sizeof(*s));
    if (!s) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    s->port = (struct ft_port){.ops = &ops, .name = name, .descriptor = -1, .link = link};
    s->options = *options;
    if (prepare(s, error, error_size))
        return &s->port;
    close_port(&s->port);
    return NULL;
}
