/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP streams: from segments to bytes in order.
 *
 * No handshake is needed: a direction first seen in its middle begins with the first segment that
 * carries data. Bytes in order are handed on straight from the packet, without a copy. Segments
 * ahead of order are copied and wait, bounded in bytes and number. A hole is given up as a gap when
 * reordering can no longer fill it:
 *
 *   the receiver acknowledged what is behind it, and FT_STREAM_ACKED_PACKETS more packets of the
 *     sender came, or FT_STREAM_ACKED_BYTES wait, or a second passed. Not at once: the two ports of
 *     a TAP may be read in turn, so an acknowledgement may be seen a burst before its data;
 *   nothing of the other direction was ever seen, and FT_STREAM_ONEWAY_SEGMENTS wait or a second
 *     passed;
 *   five seconds passed: a receiver that misses the bytes too is still waiting for them;
 *   the bounds are reached.
 *
 * Bytes of a hole that come after all that are still handed out, once, between two gaps of length
 * 0: so a forged segment ahead of order cannot blind the sensor for what really follows. A jump by
 * more than FT_STREAM_WINDOW means that the position was lost: a gap, and the stream begins anew.
 *
 * The first copy of a byte wins. A retransmission with other content is a violation when the first
 * copy still waits here; of bytes already handed out there is no copy, so these are not compared.
 * Keep-alives, window probes and the text in a RST are not part of the stream and count as
 * duplicate.
 *
 * Of a hole that the receiver acknowledged the sensor knows that its bytes were on the wire: they
 * are counted as unseen, by link and VLAN of what came behind, which estimates what the mirror in
 * front of the sensor loses. So are bytes at the end of a stream that the FIN or RST of the other
 * side acknowledges. It is a lower bound: what nobody acknowledged within sight of the sensor, what
 * a jump passed over, and all of connections of which one direction only is seen is not in it, nor
 * is what the snap length cut, which was seen.
 */
#ifndef FT_STREAM_H
#define FT_STREAM_H

#include "flow/flow.h"
#include "packet/mirror.h"

#define FT_STREAM_BLOCK           2048u /**< bytes of a pool block: a segment or a part of one */
#define FT_STREAM_ACKED_PACKETS   2u
#define FT_STREAM_ACKED_BYTES     65536u
#define FT_STREAM_ONEWAY_SEGMENTS 16u
#define FT_STREAM_PATIENCE_NS     1000000000ull
#define FT_STREAM_UNACKED_NS      5000000000ull
#define FT_STREAM_WINDOW          (1u << 20)  /**< a jump ahead by more is another position */
#define FT_STREAM_BEHIND          (16u << 20) /**< as is one back by more */
#define FT_STREAM_LATE_START      65536u      /**< late bytes from before the first segment seen */

enum ft_stream_violation {
    FT_STREAM_OVERLAP_DIFFERS = 0, /**< a byte came twice with different content */
    FT_STREAM_DATA_AFTER_CLOSE,    /**< data beyond FIN or after RST */
    FT_STREAM_VIOLATIONS
};

/**
 * What a stream tells, in order of the bytes. All are set. They must not end the flow. `data` may
 * leave by longjmp: the rest of the segment is lost to the caller, and ft_stream_release() makes
 * the stream fit to go on.
 */
struct ft_stream_ops {
    /** The next `length` bytes of the direction whose sender is `side`; valid during the call. */
    void (*data)(void *user, struct ft_flow *flow, enum ft_side side, const uint8_t *bytes,
                 uint32_t length);
    /** What `data` is called with next waited: it came with the packet of this number and time
     * stamp. Number 0: no more, but with the packet at hand again. */
    void (*held)(void *user, uint64_t number, uint64_t stamp_ns);
    /** `length` bytes are missing here and will not be waited for; 0: nobody knows how many. */
    void (*gap)(void *user, struct ft_flow *flow, enum ft_side side, uint32_t length);
    void (*violation)(void *user, struct ft_flow *flow, enum ft_side side,
                      enum ft_stream_violation violation);
    /** Of a gap that is told next, or was not: `length` bytes that the receiver acknowledged. They
     * would have come by `link` (index of the interface) in `vlan` (as in struct ft_mirror_place).
     */
    void (*unseen)(void *user, struct ft_flow *flow, struct ft_mirror_place place, uint32_t length);
};

/**
 * Take one TCP packet of `flow`, sent by `side`, after ft_flow_take(). Adds to `bytes` what is
 * duplicate, lost and held (a level: what is let go is subtracted); what it hands to ops->data is
 * counted by the receiver of the call. For each call
 *
 *   packet->payload_len = bytes given to ops->data + duplicate + change of held
 *
 * Cost in order: about 10 cycles without the call of ops->data. Out of order: at most one pass over
 * the segments that wait. A packet cut by the snap length is a gap behind what is here.
 */
void ft_stream_packet(struct ft_flow_table *table, struct ft_flow *flow, enum ft_side side,
                      const struct ft_packet *packet, const struct ft_stream_ops *ops, void *user,
                      struct ft_stream_bytes *bytes);

/**
 * Give up the holes of one shard that have lasted too long at packet time time_ns: what waits in a
 * flow that fell silent is handed out at a tick. Call before ft_flow_tick(). Order: by block.
 */
void ft_stream_tick(struct ft_flow_table *table, uint8_t shard, uint64_t time_ns,
                    const struct ft_stream_ops *ops, void *user, struct ft_stream_bytes *bytes);

/** The flow ends: hand out what waits (with gaps named) and give the blocks back. */
void ft_stream_flush(struct ft_flow_table *table, struct ft_flow *flow,
                     const struct ft_stream_ops *ops, void *user, struct ft_stream_bytes *bytes);

/** Give the blocks back without handing out; the table does it for each flow that ends. */
void ft_stream_release(struct ft_flow_table *table, struct ft_flow *flow);

#endif
