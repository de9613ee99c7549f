/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP streams: from segments to bytes in order.
 *
 * No handshake is needed: a direction first seen in its middle begins with the first segment that
 * carries data. Bytes in order are handed on straight from the packet, without a copy. Segments
 * ahead of order are copied and wait, bounded in bytes and number; a hole that the receiver has
 * acknowledged, or a full buffer, is a gap: it is named and the stream goes on behind it. The first
 * copy of a byte wins; a retransmission with other content is a violation when the first copy is
 * still at hand. One direction alone is enough.
 */
#ifndef FT_STREAM_H
#define FT_STREAM_H

#include "flow/flow.h"

enum ft_stream_violation {
    FT_STREAM_OVERLAP_DIFFERS = 0, /**< a byte came twice with different content */
    FT_STREAM_DATA_AFTER_CLOSE,    /**< data beyond FIN or after RST */
    FT_STREAM_VIOLATIONS
};

/** What a stream tells, in order of the bytes. */
struct ft_stream_ops {
    /** The next `length` bytes of the direction whose sender is `side`. */
    void (*data)(void *user, struct ft_flow *flow, enum ft_side side, const uint8_t *bytes,
                 uint32_t length);
    /** `length` bytes are missing here and will not be waited for. */
    void (*gap)(void *user, struct ft_flow *flow, enum ft_side side, uint32_t length);
    void (*violation)(void *user, struct ft_flow *flow, enum ft_side side,
                      enum ft_stream_violation violation);
};

/**
 * Take one TCP packet of `flow`, sent by `side`. Counts into `bytes` what is duplicate, lost and
 * held; what it hands to ops->data is counted by the receiver of the call.
 */
void ft_stream_packet(struct ft_flow_table *table, struct ft_flow *flow, enum ft_side side,
                      const struct ft_packet *packet, const struct ft_stream_ops *ops, void *user,
                      struct ft_stream_bytes *bytes);

/** The flow ends: hand out what waits (with gaps named) and give the blocks back. */
void ft_stream_flush(struct ft_flow_table *table, struct ft_flow *flow,
                     const struct ft_stream_ops *ops, void *user, struct ft_stream_bytes *bytes);

#endif
