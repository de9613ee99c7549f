/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The books of a worker: every packet in one bucket, every stream byte in one place, every event
 * written or shed. Plain counters of one thread; the core adds them up when the worker is at rest,
 * or reads them as they are for a live display.
 */
#ifndef FT_LEDGER_H
#define FT_LEDGER_H

#include "dissect/framer.h"
#include "event/event.h"
#include "packet/carrier.h"

struct ft_ledger {
    uint64_t received; /**< packets given to this worker */
    uint64_t received_bytes;
    uint64_t packets[FT_BUCKET_COUNT];
    uint64_t stream_received; /**< TCP payload bytes of packets that reached a stream */
    struct ft_stream_bytes stream;
    uint64_t events[FT_EVENT_TYPES];      /**< made */
    uint64_t events_shed[FT_EVENT_TYPES]; /**< of those, refused by the ring */
    /* Not part of a sum. */
    uint64_t messages, violations, unknown_children, dropped_fields, faults;
    /* Hits of rules, and what became of them: the rest adds up to the first. */
    uint64_t rule_hits;
    uint64_t rule_hits_told;     /**< by an event of their own */
    uint64_t rule_hits_repeated; /**< as a number in another */
    uint64_t rule_hits_waiting;  /**< to be told as a number at the next tick */
    uint64_t rule_hits_untold;   /**< too many different ones in one second */
    uint64_t rule_hits_shed;     /**< the ring had no room for them */
    uint64_t rule_values_shed;   /**< values that are counted: likewise; their hits are told */
    uint64_t tcp, udp, icmp, other_ip, not_ip, ipv4, ipv6, vlan, tunnelled, ethernet;
    uint64_t carriers[FT_CARRIERS]; /**< packets of unknown protocol, by ft_carrier_of() */
    uint64_t max_size;
    uint64_t bad_ip_checksums, bad_l4_checksums;
    uint64_t open_checksums;      /**< of packets seen before their NIC computed it */
    uint64_t cycles_busy, bursts; /**< never in eve.json */
};

/** True when received is the sum of the buckets, and the sums of the stream and of hits close. */
bool ft_ledger_is_balanced(const struct ft_ledger *ledger);

/** Add `from` to `to`. */
void ft_ledger_add(struct ft_ledger *to, const struct ft_ledger *from);

#endif
