/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker that polls ports itself: takes bursts from its queue of each port, keeps the packets of
 * its shards, hands the others over to their owners' rings, and inspects what is its own, from the
 * ports and from its ring.
 *
 * Order is by the host's monotonic clock, in nanoseconds: a packet has the time at which the turn
 * began in which it was received, plus its place in it. What was handed over comes a little late;
 * so a worker is done through what all others have handed over, and it has taken (`snapshot`).
 * Ticks are the full seconds of the same clock: each worker makes its own before it takes packets
 * of a new second, so all come in step without a message.
 *
 * At the end workers wait for the alerting loop, which waits for what workers are done through.
 * That goes well because a worker waits only while it inspects, and before it does (settle()) it
 * has told that it handed over all up to what it inspects: those that are idle are then done
 * through that.
 */
#include "confine.h"
#include "sensor.h"

#include "base/clock_ns.h"

#include <fieldtap/view.h>
#include <rte_cycles.h>
#include <rte_ether.h>
#include <rte_lcore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COLD __attribute__((noinline, cold))

#define SECOND 1000000000ull

/* At the end a queue is emptied, but not of what goes on arriving: bursts taken at most, in times
 * of what it holds. */
#define DRAIN_TIMES 2u

/* A time stamp that is older than this, or ahead, is by a clock that is not set: it is not used.
 * Packets may wait, in the kernel or in a NIC, while the process is stopped. */
#define STAMP_LATE_NS  (60 * SECOND)
#define STAMP_AHEAD_NS (1 * SECOND)

struct poller {
    struct worker *worker;
    struct sensor *sensor;
    uint64_t now, stamp;          /* of this turn: monotonic, and of day */
    struct ft_device_time device; /* of the port that is polled, if it stamps packets */
    uint64_t seq;                 /* of the next packet; all told so far has a lesser one */
    uint64_t second;              /* last tick */
    struct ft_packet *own[2 * WORKER_BURST];
    struct rte_mbuf *own_mbufs[2 * WORKER_BURST];
    uint32_t own_count;
    uint32_t plain; /* of the packets that were decoded, see is_plain() */
    struct rte_mbuf *out[WORKERS_MAX][WORKER_BURST]; /* to hand over, by owner */
    uint8_t out_count[WORKERS_MAX];
    uint8_t owners[WORKERS_MAX]; /* those with something to hand over */
    uint32_t owner_count;

    /* What the others had handed over when `left` packets of that were still to be taken. */
    struct {
        uint64_t through;
        int64_t left;
    } snapshot;
};

/* Add to a counter that only this thread writes. */
static void count(_Atomic uint64_t *counter, uint64_t n)
{
    uint64_t before = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, before + n, memory_order_relaxed);
}

/* ---- own packets ---- */

static void inspect_own(struct poller *p)
{
    if (!p->own_count)
        return;
    ft_inspect_burst(p->worker->inspector, p->own, p->own_count);
    rte_pktmbuf_free_bulk(p->own_mbufs, p->own_count);
    p->own_count = 0;
}

static void keep(struct poller *p, struct rte_mbuf *m)
{
    if (p->own_count == 2 * WORKER_BURST)
        inspect_own(p);
    p->own[p->own_count] = packet_of(m);
    p->own_mbufs[p->own_count++] = m;
}

/* Given up: booked here, where its fate is known. */
static void shed(struct poller *p, struct rte_mbuf *m, enum ft_bucket why)
{
    packet_of(m)->bucket = (uint8_t)why;
    if (why == FT_BUCKET_SHED_RING)
        count(&p->worker->ports[packet_of(m)->interface].shed, 1);
    keep(p, m);
}

/* ---- handing over ---- */

/* Packets whose own addresses, which a NIC sees, decide whose they are. */
static bool is_plain(const struct ft_packet *packet)
{
    return packet->flags & (FT_PACKET_IPV4 | FT_PACKET_IPV6) &&
           !(packet->flags & (FT_PACKET_TUNNELLED | FT_PACKET_REASSEMBLED));
}

static void hand_over_to(struct poller *p, uint8_t owner)
{
    struct worker *w = p->worker, *to = &p->sensor->workers[owner];
    uint32_t n = p->out_count[owner];
    struct {
        uint16_t port;
        bool is_plain;
    } of[WORKER_BURST]; /* a packet in the ring is the owner's already */
    for (uint32_t i = 0; i < n; i++) {
        of[i].port = packet_of(p->out[owner][i])->interface;
        of[i].is_plain = is_plain(packet_of(p->out[owner][i]));
    }
    count(&w->handed_over, n); /* before: nobody may find more taken than handed over */
    uint32_t done = rte_ring_enqueue_burst(to->input, (void **)p->out[owner], n, NULL);
    for (uint32_t i = 0; i < done; i++) {
        count(&w->ports[of[i].port].handed_over, 1);
        count(&w->ports[of[i].port].plain_handed_over, of[i].is_plain);
    }
    count(&w->handed_over, (uint64_t)done - n);
    count(&w->refused, n - done);
    for (uint32_t i = done; i < n; i++)
        shed(p, p->out[owner][i], FT_BUCKET_SHED_RING);
    p->out_count[owner] = 0;
}

static void hand_over(struct poller *p)
{
    for (uint32_t i = 0; i < p->owner_count; i++)
        if (p->out_count[p->owners[i]])
            hand_over_to(p, p->owners[i]);
    p->owner_count = 0;
}

/* To the owner of its shard; what is only booked is booked here. */
static void give(struct poller *p, struct rte_mbuf *m)
{
    uint8_t owner = p->sensor->owner[packet_of(m)->shard];
    if (owner == p->worker->index || packet_of(m)->bucket != FT_BUCKET_NONE) {
        keep(p, m);
        return;
    }
    if (p->owner_count == WORKERS_MAX)
        hand_over(p);
    if (!p->out_count[owner])
        p->owners[p->owner_count++] = owner;
    p->out[owner][p->out_count[owner]++] = m;
    if (p->out_count[owner] == WORKER_BURST)
        hand_over_to(p, owner);
}

/* ---- packets from ports ---- */

/* A buffer for so many bytes in one piece; NULL when there is none free. */
static struct rte_mbuf *get_long(const struct sensor *s, uint32_t length)
{
    struct rte_mbuf *m = length <= LONG_ROOM ? rte_pktmbuf_alloc(s->longs) : NULL;
    if (!m && length <= JUMBO_ROOM)
        m = rte_pktmbuf_alloc(s->jumbos);
    return m;
}

/* A packet in several buffers becomes one in a large one; NULL when there is none free. */
static struct rte_mbuf *make_whole(struct poller *p, struct rte_mbuf *m)
{
    struct rte_mbuf *whole = get_long(p->sensor, rte_pktmbuf_pkt_len(m));
    uint32_t at = 0;
    if (!whole)
        return NULL;
    *packet_of(whole) = *packet_of(m);
    uint8_t *to = rte_pktmbuf_mtod(whole, uint8_t *);
    for (const struct rte_mbuf *part = m; part; part = part->next) {
        memcpy(to + at, rte_pktmbuf_mtod(part, const uint8_t *), part->data_len);
        at += part->data_len;
    }
    packet_of(whole)->data = to;
    rte_pktmbuf_free(m);
    return whole;
}

/* A fragment, kept until its datagram is whole; the datagram, or NULL while it is not. */
static struct rte_mbuf *put_together(struct poller *p, struct rte_mbuf *m)
{
    struct sensor *s = p->sensor;
    struct rte_mbuf *whole = rte_pktmbuf_alloc(s->jumbos);
    if (!whole) {
        shed(p, m, FT_BUCKET_SHED_FRAGMENT);
        return NULL;
    }
    uint8_t *buffer = rte_pktmbuf_mtod(whole, uint8_t *);
    enum ft_defrag_result result =
        ft_defrag_add(s->defrag, packet_of(m), buffer, JUMBO_ROOM, packet_of(whole));
    if (result == FT_DEFRAG_DONE) {
        rte_pktmbuf_free(m);
        return whole;
    }
    rte_pktmbuf_free(whole);
    if (result == FT_DEFRAG_HELD)
        packet_of(m)->bucket = FT_BUCKET_FRAGMENT_HELD;
    keep(p, m);
    return NULL;
}

/*
 * Decode a packet and give it to its owner. Fragments are put together by the owner of their
 * addresses; the datagram, or what is tunnelled in it, may be another's.
 */
static void sort(struct poller *p, struct rte_mbuf *m, bool is_fragment)
{
    for (unsigned round = 0; round < FT_PACKET_LAYERS; round++) {
        struct ft_packet *packet = packet_of(m);
        if (!is_fragment) {
            is_fragment = ft_packet_decode(&p->sensor->decode, packet) == FT_DECODE_FRAGMENT;
            p->plain += is_plain(packet);
        }
        if (!is_fragment || p->sensor->owner[packet->shard] != p->worker->index) {
            give(p, m);
            return;
        }
        m = put_together(p, m);
        is_fragment = false;
        if (!m)
            return;
    }
    shed(p, m, FT_BUCKET_TOO_MANY_LAYERS);
}

static bool passes(const struct poller *p, const struct ft_packet *packet)
{
    struct ft_capture_record record = {.data = packet->data,
                                       .caplen = packet->caplen,
                                       .wirelen = packet->wirelen,
                                       .linktype = packet->linktype};
    struct ft_filter *filter = atomic_load_explicit(&p->worker->filter, memory_order_acquire);
    return !filter || ft_filter_passes(filter, &record);
}

/* The next place in the order, before the next tick however many there are. */
static uint64_t next_seq(struct poller *p)
{
    uint64_t tick = (p->second + 1) * SECOND;
    return p->seq < tick ? p->seq++ : tick - 1;
}

/* The stamp that the packet came with, unless its clock is none. */
static uint64_t stamp_of(struct poller *p, const struct ft_ethdev *port, const struct rte_mbuf *m)
{
    uint64_t stamp =
        p->device.scale ? ft_device_time_wall(&p->device, ft_ethdev_stamp(port, m)) : 0;
    if (stamp - p->stamp + STAMP_LATE_NS <= STAMP_LATE_NS + STAMP_AHEAD_NS)
        return stamp;
    count(&p->worker->ports[port->port.link].odd_stamps, 1);
    return p->stamp;
}

_Static_assert(FT_STAMP_HOST + FT_ETHDEV_STAMPS_KERNEL == FT_STAMP_KERNEL &&
                   FT_STAMP_HOST + FT_ETHDEV_STAMPS_NIC == FT_STAMP_INTERFACE,
               "sources of time stamps have one order");

/*
 * A packet that fills all that its driver takes of one: if its IP header says that it was longer,
 * it is cut and not malformed. Bytes on the wire are booked as they were there.
 */
static COLD void find_wire_length(struct poller *p, struct ft_packet *packet)
{
    struct ft_view ip = ft_view_make(packet->data, packet->caplen, true);
    uint32_t before = 14;
    ft_skip(&ip, 12);
    uint16_t type = ft_u16be(&ip);
    for (; type == RTE_ETHER_TYPE_VLAN || type == RTE_ETHER_TYPE_QINQ; before += 4) {
        ft_skip(&ip, 2);
        type = ft_u16be(&ip);
    }
    ft_skip(&ip, type == RTE_ETHER_TYPE_IPV6 ? 4 : 2);
    uint32_t length = before + (type == RTE_ETHER_TYPE_IPV6 ? 40 : 0) + ft_u16be(&ip);
    bool is_ip = type == RTE_ETHER_TYPE_IPV4 || type == RTE_ETHER_TYPE_IPV6;
    if (!ft_view_ok(&ip) || !is_ip || length <= packet->caplen)
        return;
    count(&p->worker->ports[packet->interface].bytes, length - packet->caplen);
    count(&p->worker->cut, 1);
    packet->wirelen = length;
}

/* Make a packet of what a port received. */
static void take(struct poller *p, struct rte_mbuf *m, const struct ft_ethdev *port)
{
    struct ft_packet *packet;
    /* Some drivers take the tag out unasked; without room for it the packet goes on as it is. */
    if (__builtin_expect((m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0, 0))
        rte_vlan_insert(&m);
    packet = packet_of(m);
    count(&p->worker->number, 1);
    packet->seq = next_seq(p);
    packet->number =
        atomic_load_explicit(&p->worker->number, memory_order_relaxed) * p->sensor->worker_count -
        p->worker->index;
    packet->time_ns = p->now + p->sensor->clock_base;
    packet->stamp_ns = m->ol_flags & port->stamp_flag ? stamp_of(p, port, m) : p->stamp;
    packet->data = rte_pktmbuf_mtod(m, const uint8_t *);
    packet->caplen = packet->wirelen = rte_pktmbuf_pkt_len(m);
    packet->linktype = FT_LINKTYPE_ETHERNET;
    packet->interface = port->port.link;
    enum ft_stamp stamp = packet->stamp_ns == p->stamp
                              ? FT_STAMP_HOST
                              : (enum ft_stamp)(FT_STAMP_HOST + port->stamps);
    /* Intact, says a virtual NIC, but its checksum was never computed. */
    packet->flags = (m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_NONE
                        ? FT_PACKET_CHECKSUM_OPEN
                        : 0;
    packet->flags |= FT_PACKET_STAMPED(stamp);
    if (__builtin_expect(packet->caplen >= port->cuts_at, 0))
        find_wire_length(p, packet);
    packet->vlan_count = 0; /* the rest is set when it is decoded, if it is */
    if (__builtin_expect(m->nb_segs > 1, 0)) {
        struct rte_mbuf *whole = make_whole(p, m);
        if (whole) {
            m = whole;
        } else { /* what is in the first buffer is decoded, the rest is cut off */
            packet->caplen = m->data_len;
            count(&p->worker->cut, 1);
        }
    }
    if (passes(p, packet_of(m)))
        sort(p, m, false);
    else
        shed(p, m, FT_BUCKET_FILTERED);
}

/* A burst of a queue of port i. Returns packets taken. */
static uint32_t poll_queue(struct poller *p, uint32_t i, uint16_t queue)
{
    struct rte_mbuf *mbufs[WORKER_BURST];
    const struct ft_ethdev *port = &p->sensor->ethdevs[i];
    struct worker_port *books = &p->worker->ports[i];
    uint64_t bytes = 0;
    uint32_t n = ft_ethdev_receive(port, queue, mbufs, (uint16_t)WORKER_BURST);
    if (!n)
        return 0;
    if (port->stamp_flag)
        p->device = ft_device_clock_time(&port->clock);
    for (uint32_t k = 0; k < n; k++)
        rte_prefetch0(rte_pktmbuf_mtod(mbufs[k], void *));
    for (uint32_t k = 0; k < n; k++) {
        bytes += rte_pktmbuf_pkt_len(mbufs[k]);
        take(p, mbufs[k], port);
    }
    count(&books->packets, n);
    count(&books->bytes, bytes);
    count(&books->plain, p->plain);
    p->plain = 0;
    return n;
}

/*
 * Hand over what is others', tell that, and inspect what is own: in this order, see above. There
 * is room for all that comes between two calls, a burst from a port and one from the ring.
 */
static void settle(struct poller *p)
{
    hand_over(p);
    atomic_store_explicit(&p->worker->through, p->seq - 1, memory_order_release);
    inspect_own(p);
}

/* Bursts of each of this worker's queues of port i. Returns packets taken. */
static uint32_t poll_port(struct poller *p, uint32_t i, uint32_t bursts)
{
    const struct ft_ethdev *port = &p->sensor->ethdevs[i];
    uint32_t workers = p->sensor->worker_count, taken = 0;
    if (!atomic_load_explicit(&port->is_started, memory_order_acquire))
        return 0;
    for (uint32_t q = ft_ethdev_first_queue(port, i, p->worker->index, workers); q < port->queues;
         q += workers) {
        for (uint32_t k = 0, n = 1; k < bursts && n; k++) {
            n = poll_queue(p, i, (uint16_t)q);
            taken += n;
            settle(p);
        }
    }
    return taken;
}

/* A burst of each port; at the end what their queues still have. Returns packets taken. */
static uint32_t poll_ports(struct poller *p, uint32_t bursts)
{
    uint32_t taken = 0;
    for (uint32_t i = 0; i < p->sensor->options->port_count; i++)
        taken += poll_port(p, i, bursts);
    return taken;
}

/* ---- time ---- */

static struct ft_packet control_packet(const struct poller *p, uint64_t seq, uint64_t now,
                                       uint32_t flags)
{
    return (struct ft_packet){.seq = seq,
                              .number =
                                  atomic_load_explicit(&p->worker->number, memory_order_relaxed) *
                                  p->sensor->worker_count,
                              .time_ns = now + p->sensor->clock_base,
                              .stamp_ns = p->stamp,
                              .flags = flags};
}

/* Ticks of the seconds that have begun: the last of them, and those that statistics are due at. */
static void tick(struct poller *p)
{
    uint64_t second = p->now / SECOND, interval = p->sensor->options->stats_interval;
    for (uint64_t t = p->second + 1; t <= second; t++) {
        bool tells = interval && t % interval == 0;
        if (t != second && !tells)
            continue;
        struct ft_packet packet = control_packet(p, t * SECOND, t * SECOND,
                                                 FT_PACKET_TICK | (tells ? FT_PACKET_STATS : 0));
        worker_control(p->worker, &packet);
        for (unsigned shard = 0; shard < FT_SHARDS; shard++)
            if (p->worker->owns[shard])
                ft_defrag_tick(p->sensor->defrag, (uint8_t)shard, packet.time_ns);
        if (p->seq <= t * SECOND)
            p->seq = t * SECOND + 1;
    }
    p->second = second;
}

/* ---- what others handed over ---- */

/* The least of what the others have handed over: read before the ring is looked at. */
static uint64_t handed_through(const struct poller *p)
{
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < p->sensor->worker_count; i++) {
        const struct worker *w = &p->sensor->workers[i];
        uint64_t through = atomic_load_explicit(&w->through, memory_order_acquire);
        if (w != p->worker && through < least)
            least = through;
    }
    return least;
}

/* How far is this worker? Through what had been handed over, when all of it was taken. */
static void tell_done(struct poller *p, uint32_t taken)
{
    struct worker *w = p->worker;
    p->snapshot.left -= taken;
    if (p->snapshot.left > 0)
        return;
    uint64_t own = p->seq - 1, done = p->snapshot.through < own ? p->snapshot.through : own;
    if (done > atomic_load_explicit(&w->done, memory_order_relaxed))
        atomic_store_explicit(&w->done, done, memory_order_release);
    p->snapshot.through = handed_through(p);
    p->snapshot.left = rte_ring_count(w->input);
}

/* It may come from behind a tick that this worker has not made yet. */
static void follow(struct poller *p, uint64_t seq)
{
    if (seq < p->seq)
        return;
    p->seq = seq + 1;
    if (seq < (p->second + 1) * SECOND)
        return;
    settle(p);
    p->now = seq;
    tick(p);
}

/* Returns packets taken. */
static uint32_t take_ring(struct poller *p)
{
    struct rte_mbuf *mbufs[WORKER_BURST];
    struct worker *w = p->worker;
    uint32_t left;
    uint32_t n = rte_ring_dequeue_burst(w->input, (void **)mbufs, WORKER_BURST, &left);
    if (n + left > w->input_high_water)
        w->input_high_water = n + left;
    for (uint32_t i = 0; i < n; i++) {
        follow(p, packet_of(mbufs[i])->seq);
        if (packet_of(mbufs[i])->flags & FT_PACKET_FRAGMENT)
            sort(p, mbufs[i], true);
        else
            keep(p, mbufs[i]);
    }
    return n;
}

/* ---- the loop ---- */

/* Nothing arrives any more: there are no more ticks, and what is told may wait for room. */
static uint32_t drain(struct poller *p)
{
    if (atomic_load_explicit(&p->worker->has_stopped, memory_order_relaxed))
        return 0;
    ft_inspector_wait(p->worker->inspector, wait_for_core, NULL);
    p->second = UINT64_MAX / SECOND - 1;
    uint32_t held = p->sensor->options->config.descriptors;
    uint32_t n = poll_ports(p, DRAIN_TIMES * held / WORKER_BURST + 1);
    atomic_store_explicit(&p->worker->has_stopped, true, memory_order_release);
    return n;
}

/* A turn: first what is older. False at the end. */
static bool turn(struct poller *p, uint32_t *empty)
{
    struct worker *w = p->worker;
    struct ft_ledger *ledger = ft_inspector_ledger(w->inspector);
    uint64_t start = rte_rdtsc();
    int phase = atomic_load_explicit(&p->sensor->phase, memory_order_acquire);
    p->now = ft_clock_ns(CLOCK_MONOTONIC);
    p->stamp = ft_clock_ns(CLOCK_REALTIME);
    if (!atomic_load_explicit(&w->has_stopped, memory_order_relaxed))
        tick(p);
    p->seq = p->seq > p->now ? p->seq : p->now;
    uint32_t taken = take_ring(p);
    uint32_t n = taken + (phase == PHASE_LISTENING ? poll_ports(p, 1) : drain(p));
    settle(p);
    /* Told last: whoever finds all taken that was handed over finds nothing on its way. */
    uint64_t before = atomic_load_explicit(&w->taken_over, memory_order_relaxed);
    atomic_store_explicit(&w->taken_over, before + taken, memory_order_release);
    tell_done(p, taken);
    atomic_fetch_add_explicit(&w->turns, 1, memory_order_release);
    if (n) {
        *empty = 0;
        ledger->cycles_busy += rte_rdtsc() - start;
        ledger->bursts++;
    } else {
        worker_idle(++*empty, !p->sensor->is_pinned);
    }
    return phase != PHASE_ENDING;
}

static void end(struct poller *p)
{
    struct ft_packet packet =
        control_packet(p, UINT64_MAX - 1, p->now, FT_PACKET_END | FT_PACKET_STATS);
    worker_control(p->worker, &packet);
    atomic_store_explicit(&p->worker->done, UINT64_MAX, memory_order_release);
}

void *poller_main(void *arg)
{
    struct worker *w = arg;
    struct poller *p = calloc(1, sizeof(*p));
    uint32_t empty = 0;
    if (!p) {
        fprintf(stderr, "fieldtap: out of memory for a worker\n");
        _exit(1); /* nothing has been read yet */
    }
    p->worker = w;
    p->sensor = w->sensor;
    p->second = w->sensor->started_ns / SECOND;
    p->seq = w->sensor->started_ns;
    worker_pin(w);
    rte_thread_register(); /* for the caches of the packet pools; without one it is slower */
    ft_inspect_guard_thread(w->inspector);
    rules_enter(w);
    confine_worker(w);
    while (turn(p, &empty)) {
        rules_turn(w);
        evidence_turn(w);
        control_worker_turn(w);
    }
    end(p);
    rules_leave(w);
    ft_inspect_unguard_thread(w->inspector);
    rte_thread_unregister();
    free(p);
    return NULL;
}
