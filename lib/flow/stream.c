/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP streams.
 *
 * Sequence numbers are compared by their distance from next_seq, modulo 2^32. Segments that wait
 * are a list in order of sequence number that never overlaps itself: what a new segment has in
 * common with it is compared and counted as duplicate, and only the pieces between are added.
 *
 * The first segment of a list keeps the state of the hole before it: since when it is open, whether
 * the receiver acknowledged past it, how many packets of the sender came since. So a flow in order,
 * which is nearly every flow, has no room for it in its record.
 */
#include "flow/stream.h"

#include <string.h>

/** Of struct ft_stream_half. */
enum half_flag {
    HALF_STARTED = 1, /**< bytes of it were handed out or wait */
    HALF_FIN = 2,     /**< its FIN came, in order */
    HALF_RST = 4,     /**< its RST came */
    HALF_TOLD = 8,    /**< data after close was reported */
    HALF_ENDED = 16,  /**< late.start is what the other side acknowledged with its FIN or RST */
};

/** A block of the pool: a segment that waits, or (in its `more` chain) a part of one. */
struct segment {
    uint32_t next;      /**< next segment in order; 0 = last */
    uint32_t more;      /**< next block of this segment; 0 = last */
    uint32_t seq;       /**< sequence number of the first byte */
    uint32_t length;    /**< bytes in all its blocks */
    uint64_t since_ns;  /**< packet time of arrival; first of a list: since the hole is open */
    uint64_t number;    /**< of the packet that brought it */
    uint64_t stamp_ns;  /**< and its time stamp */
    uint32_t flow;      /**< first of a list: record of its flow, for the tick; else 0 */
    uint8_t side;       /**< first of a list: its sender */
    uint8_t is_fin : 1; /**< a FIN follows the last byte */
    uint8_t link : 7;   /**< on which it came, less than FT_STREAM_LINKS */
    uint8_t is_acked;   /**< first of a list: the receiver has acknowledged the hole */
    uint8_t later;      /**< first of a list: packets of the sender since that, saturating */
    uint16_t vlan;      /**< in which it came, as in struct ft_mirror_place */
    uint32_t missing;   /**< bytes behind it that the snap length cut */
    uint8_t bytes[];
};

#define BLOCK_BYTES ((uint32_t)(FT_STREAM_BLOCK - sizeof(struct segment)))

/** What all steps of one call need. */
struct call {
    struct ft_pool *pool;
    const struct ft_flow_config *config;
    struct ft_flow *flow;
    struct ft_stream_half *half; /**< of `side` */
    enum ft_side side;
    uint64_t time_ns;
    const struct ft_packet *packet; /**< NULL: there is none */
    struct ft_mirror_place place;   /**< of the packet; 0 without one */
    const struct ft_stream_ops *ops;
    void *user;
    struct ft_stream_bytes *bytes;
};

/** Bytes on their way into the stream. */
struct piece {
    const uint8_t *bytes;
    uint32_t seq, length;
    bool is_fin;
    uint32_t missing; /**< cut behind it */
};

static struct call call_for(struct ft_flow_table *table, struct ft_flow *flow, enum ft_side side,
                            const struct ft_stream_ops *ops, void *user,
                            struct ft_stream_bytes *bytes)
{
    return (struct call){.pool = ft_flow_segments(table, flow->shard),
                         .config = ft_flow_config(table),
                         .flow = flow,
                         .half = &flow->half[side],
                         .side = side,
                         .ops = ops,
                         .user = user,
                         .bytes = bytes};
}

static inline struct segment *segment_at(const struct ft_pool *pool, uint32_t block)
{
    return ft_pool_at(pool, block);
}

static inline uint32_t min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/** How far `seq` is ahead of what was handed out; negative behind. */
static inline int32_t ahead(const struct call *c, uint32_t seq)
{
    return (int32_t)(seq - c->half->next_seq);
}

static void tell(const struct call *c, enum ft_stream_violation violation)
{
    c->ops->violation(c->user, c->flow, c->side, violation);
}

static void gap(const struct call *c, uint32_t length)
{
    c->flow->flags |= FT_FLOW_GAP;
    c->bytes->lost += length;
    c->ops->gap(c->user, c->flow, c->side, length);
}

/** Hand out bytes that begin at next_seq. */
static void deliver(const struct call *c, const uint8_t *bytes, uint32_t length)
{
    c->half->flags |= HALF_STARTED;
    c->half->next_seq += length;
    c->ops->data(c->user, c->flow, c->side, bytes, length);
}

/* ---- segments that wait --------------------------------------------------------------------- */

/** Give back the blocks of a segment. */
static void free_segment(struct ft_pool *pool, uint32_t block)
{
    while (block) {
        struct segment *segment = segment_at(pool, block);
        uint32_t more = segment->more;

        segment->flow = 0;
        ft_pool_put(pool, block);
        block = more;
    }
}

/** The list of this half now begins with `block`: the tick finds it there. */
static void set_first(const struct call *c, uint32_t block)
{
    struct segment *old = c->half->held ? segment_at(c->pool, c->half->held) : NULL;
    struct segment *segment = segment_at(c->pool, block);

    if (old) {
        /* a piece before it: the hole is smaller, but as old as it was */
        segment->since_ns = old->since_ns < segment->since_ns ? old->since_ns : segment->since_ns;
        segment->is_acked = old->is_acked;
        segment->later = old->later;
        old->flow = 0;
    }
    segment->flow = c->flow->index;
    segment->side = (uint8_t)c->side;
    c->half->held = block;
}

/** Take the first segment out of the list and the books, and give back its blocks. */
static void drop_first(const struct call *c)
{
    uint32_t block = c->half->held;
    const struct segment *first = segment_at(c->pool, block);

    c->half->held = 0;
    if (first->next)
        set_first(c, first->next);
    c->half->held_count--;
    c->half->held_bytes -= first->length;
    c->bytes->held -= first->length;
    free_segment(c->pool, block);
}

/** FIN stands at next_seq: it takes a sequence number. */
static void finish(const struct call *c)
{
    c->half->next_seq++;
    c->half->flags |= HALF_FIN;
}

static void skip_to(const struct call *c, uint32_t target);

/**
 * Hand out the first segment, which has come to be in order. It stays in the list meanwhile:
 * ops->data may leave by longjmp, and ft_stream_release() must find its blocks then.
 */
static void hand_out_first(const struct call *c)
{
    uint32_t block = c->half->held;
    const struct segment *first = segment_at(c->pool, block);
    uint32_t left = first->length, missing = first->missing;

    c->ops->held(c->user, first->number, first->stamp_ns);
    for (; block; block = segment_at(c->pool, block)->more) {
        uint32_t length = min_u32(left, BLOCK_BYTES);
        deliver(c, segment_at(c->pool, block)->bytes, length);
        left -= length;
    }
    c->ops->held(c->user, 0, 0);
    if (first->is_fin)
        finish(c);
    drop_first(c);
    if (missing)
        skip_to(c, c->half->next_seq + missing);
}

/** Hand out all segments that have come to be in order. */
static void drain(const struct call *c)
{
    while (c->half->held && ahead(c, segment_at(c->pool, c->half->held)->seq) <= 0)
        hand_out_first(c);
}

/** Give up everything up to sequence number `target`; hand out what waits before and at it. */
static void skip_to(const struct call *c, uint32_t target)
{
    while (ahead(c, target) > 0) {
        uint32_t end = target;

        if (c->half->held) {
            uint32_t first = segment_at(c->pool, c->half->held)->seq;
            if (ahead(c, first) < ahead(c, target))
                end = first;
        }
        c->flow->late[c->side] = (struct ft_stream_late){c->half->next_seq, end};
        c->half->flags &= (uint8_t)~HALF_ENDED;
        gap(c, (uint32_t)ahead(c, end));
        c->half->next_seq = end;
        drain(c);
    }
    drain(c);
}

/** Bytes that the receiver had and nobody here saw. */
static void count_unseen(const struct call *c, struct ft_mirror_place place, uint32_t length)
{
    c->bytes->unseen[min_u32(place.link, FT_STREAM_LINKS - 1)] += length;
    c->ops->unseen(c->user, c->flow, place, length);
}

static void skip_first_hole(const struct call *c)
{
    const struct segment *first = segment_at(c->pool, c->half->held);
    if (first->is_acked && ahead(c, first->seq) > 0)
        count_unseen(c, (struct ft_mirror_place){first->link, first->vlan},
                     (uint32_t)ahead(c, first->seq));
    skip_to(c, first->seq);
}

static void skip_all_holes(const struct call *c)
{
    while (c->half->held)
        skip_first_hole(c);
}

/** Is the copy of [offset, offset + length) of a segment that waits the same as `bytes`? */
static bool is_same(const struct call *c, const struct segment *segment, uint32_t offset,
                    const uint8_t *bytes, uint32_t length)
{
    for (; offset >= BLOCK_BYTES; offset -= BLOCK_BYTES)
        segment = segment_at(c->pool, segment->more);
    while (length) {
        uint32_t part = min_u32(length, BLOCK_BYTES - offset);

        if (memcmp(segment->bytes + offset, bytes, part) != 0)
            return false;
        bytes += part;
        length -= part;
        offset = 0;
        if (length)
            segment = segment_at(c->pool, segment->more);
    }
    return true;
}

/** Copy a piece into blocks (the caller made sure that there are enough) behind `previous`. */
static uint32_t add_segment(const struct call *c, struct piece piece, uint32_t previous,
                            uint32_t next)
{
    uint32_t first = 0, last = 0, left = piece.length;

    while (left) {
        uint32_t block = ft_pool_get(c->pool);
        struct segment *segment = segment_at(c->pool, block);
        uint32_t length = min_u32(left, BLOCK_BYTES);

        *segment = (struct segment){.seq = piece.seq,
                                    .length = piece.length,
                                    .since_ns = c->time_ns,
                                    .number = c->packet->number,
                                    .stamp_ns = c->packet->stamp_ns,
                                    .link = c->place.link & 0x7f,
                                    .vlan = c->place.vlan,
                                    .missing = piece.missing,
                                    .is_fin = piece.is_fin,
                                    .next = next};
        memcpy(segment->bytes, piece.bytes + (piece.length - left), length);
        left -= length;
        if (last)
            segment_at(c->pool, last)->more = block;
        else
            first = block;
        last = block;
    }
    if (previous)
        segment_at(c->pool, previous)->next = first;
    else
        set_first(c, first);
    c->half->flags |= HALF_STARTED;
    c->half->held_count++;
    c->half->held_bytes += piece.length;
    c->bytes->held += piece.length;
    return first;
}

/** What holding a piece takes. */
struct need {
    uint32_t segments, blocks, bytes;
    bool differs; /**< it has bytes in common with what waits, and not the same */
};

static void need_part(struct need *need, uint32_t length)
{
    need->segments++;
    need->blocks += (length + BLOCK_BYTES - 1) / BLOCK_BYTES;
    need->bytes += length;
}

/**
 * Walk the list beside a piece that lies ahead of order. `is_dry`: only find what is needed;
 * otherwise add the parts that are new, and count the others.
 */
static struct need hold(const struct call *c, struct piece piece, bool is_dry)
{
    struct need need = {0};
    uint32_t at = (uint32_t)ahead(c, piece.seq), end = at + piece.length;
    uint32_t previous = 0, block = c->half->held;

    while (at < end) {
        struct segment *segment = block ? segment_at(c->pool, block) : NULL;
        uint32_t start = segment ? (uint32_t)ahead(c, segment->seq) : end;
        uint32_t new_end = min_u32(start, end);

        if (at < new_end) { /* a part before the segment, or behind all */
            struct piece part = {piece.bytes + (piece.length - (end - at)), c->half->next_seq + at,
                                 new_end - at, piece.is_fin && new_end == end,
                                 new_end == end ? piece.missing : 0};
            need_part(&need, part.length);
            if (!is_dry)
                previous = add_segment(c, part, previous, block);
            at = new_end;
            continue;
        }

        uint32_t segment_end = start + segment->length;
        if (at < segment_end) { /* in common: the copy that waits wins */
            uint32_t length = min_u32(segment_end, end) - at;
            if (is_dry) {
                need.differs |= !is_same(c, segment, at - start,
                                         piece.bytes + (piece.length - (end - at)), length);
            } else {
                c->bytes->duplicate += length;
                segment->is_fin |= piece.is_fin && segment_end == end;
            }
            at += length;
        }
        previous = block;
        block = segment->next;
    }
    return need;
}

static bool fits(const struct call *c, const struct need *need)
{
    return c->half->held_count + need->segments <= c->config->held_count_max &&
           c->half->held_bytes + need->bytes <= c->config->held_bytes_max &&
           need->blocks <= c->pool->blocks - c->pool->used;
}

/* ---- bytes that arrive ---------------------------------------------------------------------- */

static struct piece piece_behind(struct piece piece, uint32_t length)
{
    return (struct piece){piece.bytes + length, piece.seq + length, piece.length - length,
                          piece.is_fin, piece.missing};
}

/** Bytes from next_seq on; what waits is handed out in its turn, and wins where both have bytes. */
static void take_in_order(const struct call *c, struct piece piece)
{
    bool differs = false;

    while (piece.length) {
        uint32_t length = min_u32(piece.length, (uint32_t)-ahead(c, piece.seq));
        if (length) { /* handed out already, from the copy that waited */
            c->bytes->duplicate += length;
            piece = piece_behind(piece, length);
            continue;
        }
        length = piece.length;
        if (c->half->held) {
            const struct segment *first = segment_at(c->pool, c->half->held);
            uint32_t room = (uint32_t)ahead(c, first->seq);
            if (!room) {
                length = min_u32(length, first->length);
                differs |= !is_same(c, first, 0, piece.bytes, length);
                hand_out_first(c);
                continue;
            }
            length = min_u32(length, room);
        }
        deliver(c, piece.bytes, length);
        piece = piece_behind(piece, length);
    }
    drain(c);
    if (piece.is_fin && piece.seq == c->half->next_seq) {
        finish(c);
        drain(c);
    }
    if (differs)
        tell(c, FT_STREAM_OVERLAP_DIFFERS);
}

/** Bytes ahead of order: hold them; when there is no room, give up holes until there is. */
static void take_ahead(const struct call *c, struct piece piece)
{
    bool is_told = false;

    while (ahead(c, piece.seq) > 0) {
        struct need need = hold(c, piece, true);

        if (need.differs && !is_told) {
            tell(c, FT_STREAM_OVERLAP_DIFFERS);
            is_told = true;
        }
        if (fits(c, &need)) {
            hold(c, piece, false);
            return;
        }

        uint32_t target = piece.seq;
        if (c->half->held) {
            uint32_t first = segment_at(c->pool, c->half->held)->seq;
            if (ahead(c, first) < ahead(c, target))
                target = first;
        }
        skip_to(c, target);
    }
    take_in_order(c, piece);
}

/**
 * Bytes before next_seq. They are duplicates, unless they belong to the last gap: these were never
 * seen before and are handed out now, marked as out of place by gaps of length 0.
 */
static void take_behind(const struct call *c, struct piece piece)
{
    struct ft_stream_late *late = &c->flow->late[c->side];
    uint32_t next = c->half->next_seq;
    /* distances back from next_seq: a larger one is earlier */
    uint32_t start = next - piece.seq, end = start - piece.length;
    uint32_t late_start = next - late->start, late_end = next - late->end;

    c->bytes->duplicate += piece.length;
    if (late_start > FT_STREAM_BEHIND + FT_STREAM_WINDOW || late_start <= late_end) {
        *late = (struct ft_stream_late){0};
        c->half->flags &= (uint8_t)~HALF_ENDED;
        return;
    }

    uint32_t from = min_u32(start, late_start), to = end > late_end ? end : late_end;
    if (from <= to)
        return;
    c->bytes->duplicate -= from - to;
    late->start = next - to;
    gap(c, 0);
    c->ops->data(c->user, c->flow, c->side, piece.bytes + (start - from), from - to);
    gap(c, 0);
}

/** The position was lost: begin anew at `seq`. */
static void jump(const struct call *c, uint32_t seq)
{
    skip_all_holes(c);

    int32_t distance = ahead(c, seq);
    struct ft_stream_late *late = &c->flow->late[c->side];

    *late = (struct ft_stream_late){0};
    if (distance > 0 && distance <= (int32_t)FT_STREAM_BEHIND)
        *late = (struct ft_stream_late){c->half->next_seq, seq};
    gap(c, distance > 0 && distance < 1 << 30 ? (uint32_t)distance : 0);
    c->half->next_seq = seq;
    c->half->flags = HALF_STARTED;
}

/** `piece` and, when the packet was cut, what is missing behind it. */
static void take(const struct call *c, struct piece piece)
{
    uint32_t missing = piece.missing;

    if (!c->half->is_known) {
        c->half->is_known = 1;
        c->half->next_seq = piece.seq;
        c->flow->late[c->side] =
            (struct ft_stream_late){piece.seq - FT_STREAM_LATE_START, piece.seq};
    }

    int32_t distance = ahead(c, piece.seq);
    if (distance && !piece.length && !missing)
        return; /* a FIN out of order says nothing that cannot wait */
    if (distance > (int32_t)FT_STREAM_WINDOW || distance < -(int32_t)FT_STREAM_BEHIND) {
        jump(c, piece.seq);
        distance = 0;
    }
    if (distance < 0) {
        uint32_t behind = min_u32(piece.length, (uint32_t)-distance);
        if (behind)
            take_behind(c, (struct piece){piece.bytes, piece.seq, behind, false, 0});
        piece = piece_behind(piece, behind);
    }
    if (piece.length && c->half->flags & (HALF_FIN | HALF_RST) && !(c->half->flags & HALF_TOLD)) {
        c->half->flags |= HALF_TOLD;
        tell(c, FT_STREAM_DATA_AFTER_CLOSE);
    }

    uint32_t end = piece.seq + piece.length;
    if (ahead(c, piece.seq) == 0)
        take_in_order(c, piece);
    else if (piece.length)
        take_ahead(c, piece);
    if (missing && ahead(c, end) <= 0 && ahead(c, end + missing) > 0)
        skip_to(c, end + missing);
}

/* ---- holes ---------------------------------------------------------------------------------- */

/** Can reordering no longer fill the hole before `first`? The reasons are those in stream.h. */
static bool is_hopeless(const struct call *c, const struct segment *first)
{
    uint64_t age = c->time_ns > first->since_ns ? c->time_ns - first->since_ns : 0;

    if (first->is_acked)
        return first->later >= FT_STREAM_ACKED_PACKETS ||
               c->half->held_bytes >= FT_STREAM_ACKED_BYTES || age >= FT_STREAM_PATIENCE_NS;
    if (!c->flow->packets[!c->side])
        return c->half->held_count >= FT_STREAM_ONEWAY_SEGMENTS || age >= FT_STREAM_PATIENCE_NS;
    return age >= FT_STREAM_UNACKED_NS;
}

static void give_up_holes(const struct call *c)
{
    while (c->half->held && is_hopeless(c, segment_at(c->pool, c->half->held)))
        skip_first_hole(c);
}

/** The receiver of `c` acknowledged everything before `ack`. */
static void acknowledge(const struct call *c, uint32_t ack)
{
    struct segment *first = segment_at(c->pool, c->half->held);
    int32_t distance = (int32_t)(ack - first->seq);

    if (distance >= 0 && distance < (int32_t)FT_STREAM_WINDOW)
        first->is_acked = 1;
    give_up_holes(c);
}

/* ---- packets -------------------------------------------------------------------------------- */

/** A SYN: where the stream begins. False when it does not belong to this stream. */
static bool take_syn(const struct call *c, const struct ft_packet *packet)
{
    struct ft_stream_half *half = c->half, *peer = &c->flow->half[!c->side];

    if (packet->tcp_flags & FT_TCP_ACK && !peer->is_known) {
        peer->is_known = 1;
        peer->next_seq = packet->tcp_ack;
    }
    if (half->is_known && half->flags & HALF_STARTED) {
        int32_t distance = ahead(c, packet->tcp_seq + 1);
        return distance <= 0 && distance > -(int32_t)FT_STREAM_WINDOW;
    }
    half->is_known = 1;
    half->flags = 0;
    half->next_seq = packet->tcp_seq + 1;
    return true;
}

/** Everything that is not a segment in order on a flow without holes. */
static void take_slowly(const struct call *c, const struct ft_packet *packet)
{
    uint32_t missing = packet->payload_wirelen > packet->payload_len
                           ? packet->payload_wirelen - packet->payload_len
                           : 0;
    struct piece piece = {packet->data + packet->payload, packet->tcp_seq, packet->payload_len,
                          packet->tcp_flags & FT_TCP_FIN && !missing, missing};
    bool is_ours = true;

    if (packet->tcp_flags & FT_TCP_RST) {
        int32_t distance = ahead(c, packet->tcp_seq);
        if (!c->half->is_known ||
            (distance >= -(int32_t)FT_STREAM_WINDOW && distance <= (int32_t)FT_STREAM_WINDOW))
            c->half->flags |= HALF_RST;
        is_ours = false;
    } else if (packet->tcp_flags & FT_TCP_SYN) {
        is_ours = take_syn(c, packet);
        piece.seq++;
    }

    if (!is_ours)
        c->bytes->duplicate += piece.length;
    else if (piece.length || missing || (piece.is_fin && c->half->is_known))
        take(c, piece);
    if (!c->half->held)
        return;

    struct segment *first = segment_at(c->pool, c->half->held);
    if (first->is_acked && first->later < UINT8_MAX)
        first->later++;
    give_up_holes(c);
}

/**
 * The other side of `side` sends its last, and acknowledges up to `ack`. What that says of the end
 * of the stream is looked at when the flow ends: the data may still be on its way. It is kept where
 * a gap's late bytes are, unless there are such.
 */
static void note_end(struct ft_flow *flow, enum ft_side side, uint32_t ack)
{
    struct ft_stream_half *half = &flow->half[side];
    struct ft_stream_late *late = &flow->late[side];
    bool has_gap = late->start != late->end && !(half->flags & HALF_ENDED) &&
                   late->start + FT_STREAM_LATE_START != late->end;

    if (!(half->flags & HALF_STARTED) || has_gap)
        return;
    half->flags |= HALF_ENDED;
    *late = (struct ft_stream_late){ack, ack};
}

/** What is missing at the end of a stream, which no data follows that could show it. */
static void take_end(const struct call *c)
{
    uint32_t fin = c->flow->tcp_flags[c->side] & FT_TCP_FIN && !(c->half->flags & HALF_FIN);
    uint32_t end = c->flow->late[c->side].start - fin;
    struct ft_mirror_place place = ft_flow_seen_at(c->flow);

    if (!(c->half->flags & HALF_ENDED) || ahead(c, end) <= 0 ||
        ahead(c, end) > (int32_t)FT_STREAM_WINDOW)
        return;
    place.link = (uint16_t)min_u32(place.link, FT_STREAM_LINKS - 1);
    count_unseen(c, place, (uint32_t)ahead(c, end));
    gap(c, (uint32_t)ahead(c, end));
}

void ft_stream_packet(struct ft_flow_table *table, struct ft_flow *flow, enum ft_side side,
                      const struct ft_packet *packet, const struct ft_stream_ops *ops, void *user,
                      struct ft_stream_bytes *bytes)
{
    struct ft_stream_half *half = &flow->half[side], *peer = &flow->half[!side];
    uint32_t length = packet->payload_len;

    if (__builtin_expect(packet->tcp_seq == half->next_seq && half->flags == HALF_STARTED &&
                             !(half->held | peer->held) && length == packet->payload_wirelen &&
                             !(packet->tcp_flags & (FT_TCP_SYN | FT_TCP_FIN | FT_TCP_RST)),
                         1)) {
        half->next_seq += length;
        if (length)
            ops->data(user, flow, side, packet->data + packet->payload, length);
        return;
    }

    struct call c = call_for(table, flow, side, ops, user, bytes);
    c.time_ns = packet->time_ns;
    c.packet = packet;
    c.place = ft_mirror_place_of(packet);
    c.place.link = (uint16_t)min_u32(c.place.link, FT_STREAM_LINKS - 1);
    take_slowly(&c, packet);
    if (packet->tcp_flags & (FT_TCP_FIN | FT_TCP_RST) && packet->tcp_flags & FT_TCP_ACK)
        note_end(flow, !side, packet->tcp_ack);
    if (packet->tcp_flags & FT_TCP_ACK && peer->held) {
        c.side = !side;
        c.half = peer;
        acknowledge(&c, packet->tcp_ack);
    }
}

void ft_stream_tick(struct ft_flow_table *table, uint8_t shard, uint64_t time_ns,
                    const struct ft_stream_ops *ops, void *user, struct ft_stream_bytes *bytes)
{
    struct ft_pool *pool = ft_flow_segments(table, shard);

    for (uint32_t block = 1; pool->used && block <= pool->untouched; block++) {
        const struct segment *segment = segment_at(pool, block);
        if (!segment->flow)
            continue;

        struct ft_flow *flow = ft_flow_at(table, shard, segment->flow);
        struct call c = call_for(table, flow, segment->side, ops, user, bytes);
        c.time_ns = time_ns;
        give_up_holes(&c);
    }
}

void ft_stream_flush(struct ft_flow_table *table, struct ft_flow *flow,
                     const struct ft_stream_ops *ops, void *user, struct ft_stream_bytes *bytes)
{
    for (enum ft_side side = FT_SIDE_A; side <= FT_SIDE_B; side++) {
        struct call c = call_for(table, flow, side, ops, user, bytes);
        skip_all_holes(&c);
        take_end(&c);
    }
}

void ft_stream_release(struct ft_flow_table *table, struct ft_flow *flow)
{
    struct ft_pool *pool = ft_flow_segments(table, flow->shard);

    for (enum ft_side side = FT_SIDE_A; side <= FT_SIDE_B; side++) {
        struct ft_stream_half *half = &flow->half[side];

        for (uint32_t block = half->held, next; block; block = next) {
            next = segment_at(pool, block)->next;
            free_segment(pool, block);
        }
        half->held = half->held_count = half->held_bytes = 0;
    }
}
