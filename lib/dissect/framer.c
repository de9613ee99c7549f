/* SPDX-License-Identifier: BSD-3-Clause */
/* The framer: cuts one direction of a stream into PDUs. */
#include "dissect/framer.h"

#include "dissect/context.h"

#include <string.h>

/* How far a resync looks into one piece for the sync literal. */
#define SCAN_MAX 2048u

/*
 * Pieces in resync without a PDU after which the stream is said not to be the protocol; and at
 * least twice max_pdu of bytes, because the hole may have been in the longest of PDUs. A stream
 * that never had a PDU gets no such credit.
 */
#define MISSES_MAX 32u

/* PDUs in a row that make the place sure after a loss: bytes inside a PDU may look like one. */
#define DOUBT 3u

/*
 * Bytes kept in resync of a start that probe() cannot judge yet: PDUs come in several segments, and
 * some senders make segments of one byte. Of a start that proved wrong, later ones are tried only
 * when the pieces were as small as KEEP_TINY: larger pieces seldom begin between PDUs.
 */
#define KEEP_MAX  2048u
#define KEEP_TINY 64u

static uint32_t max_pdu(const struct ft_framer_call *call)
{
    uint32_t n = call->dissector->max_pdu;
    return n ? n : 8192;
}

/* frame() of `length` bytes, of which it has seen `scanned` before and found no delimiter. */
static struct ft_frame ask_on(const struct ft_framer_call *call, const uint8_t *bytes,
                              uint32_t length, uint32_t scanned)
{
    /* A dissector without frame() on a stream: each piece is a PDU (datagrams over TCP). */
    if (!call->dissector->frame)
        return ft_frame(FT_FRAME_PDU, length);
    call->context->scanned = scanned;
    struct ft_frame frame =
        call->dissector->frame(call->context, ft_view_make(bytes, length, false));
    call->context->scanned = 0;
    return frame;
}

static struct ft_frame ask(const struct ft_framer_call *call, const uint8_t *bytes, uint32_t length)
{
    return ask_on(call, bytes, length, 0);
}

static void drop_buffer(struct ft_framer *f, struct ft_framer_pools *pools)
{
    if (f->buffer)
        ft_buffer_put(pools, f->buffer);
    f->buffer = 0;
    f->have = f->need = 0;
    f->is_pdu = false;
}

static void deliver(struct ft_framer *f, struct ft_framer_call *call, const uint8_t *pdu,
                    uint32_t length, uint32_t whole)
{
    f->mode = FT_FRAMER_PDU;
    f->misses = 0;
    call->bytes->delivered += length;
    call->behind = (uint32_t)(call->end - (pdu + length)) + call->after;
    call->pdu(call->user, pdu, length, whole, length < whole);
    f->doubt -= f->doubt != 0;
}

static enum ft_verdict probe(const struct ft_framer_call *call, const uint8_t *bytes, uint32_t n)
{
    const struct ft_context *ctx = call->context;
    struct ft_probe where = {.size = sizeof(where),
                             .transport = ctx->transport,
                             .is_bound = true,
                             .is_to_server = ctx->direction == FT_TO_SERVER,
                             .src_port = ctx->src_port,
                             .dst_port = ctx->dst_port};
    if (!call->dissector->probe)
        return FT_YES;
    return call->dissector->probe(&where, ft_view_make(bytes, n, true));
}

/*
 * Does a PDU begin here? When probe() cannot say of all bytes of the piece, since several PDUs lie
 * in it, the first of them alone is asked for, and what follows must not be refused.
 */
static bool begins(const struct ft_framer_call *call, const uint8_t *bytes, uint32_t length)
{
    enum ft_verdict verdict = probe(call, bytes, length);
    if (verdict != FT_MAYBE)
        return verdict == FT_YES;
    struct ft_frame first = ask(call, bytes, length);
    return first.kind == FT_FRAME_PDU && first.length && first.length < length &&
           probe(call, bytes, first.length) == FT_YES &&
           probe(call, bytes + first.length, length - first.length) != FT_NO;
}

/*
 * A place inside a piece, found by the sync literal, proves less than its start: the PDU there must
 * end in the piece, at its end or before bytes that are not refused.
 */
static bool is_confirmed(const struct ft_framer_call *call, const uint8_t *bytes, uint32_t length)
{
    struct ft_frame first;
    if (probe(call, bytes, length) == FT_NO)
        return false;
    first = ask(call, bytes, length);
    return first.kind == FT_FRAME_PDU && first.length && first.length <= length &&
           probe(call, bytes, first.length) == FT_YES &&
           (first.length == length ||
            probe(call, bytes + first.length, length - first.length) != FT_NO);
}

/* Offset of the first place in the piece that may begin a PDU, or `length`. */
static uint32_t find_start(const struct ft_framer_call *call, const uint8_t *bytes, uint32_t length)
{
    const struct ft_sync *sync = &call->dissector->sync;
    uint32_t end = length < SCAN_MAX ? length : SCAN_MAX;
    if (begins(call, bytes, length))
        return 0;
    for (uint32_t i = 1; sync->length && i + sync->offset + sync->length <= end; i++) {
        const uint8_t *hit =
            memmem(bytes + i + sync->offset, end - i - sync->offset, sync->bytes, sync->length);
        if (!hit)
            break;
        i = (uint32_t)(hit - bytes) - sync->offset;
        if (is_confirmed(call, bytes + i, length - i))
            return i;
    }
    return length;
}

/* In resync: bytes passed over. */
static void pass_over(struct ft_framer *f, struct ft_framer_call *call, uint32_t length)
{
    call->bytes->resync += length;
    f->misses += f->misses < 255;
    f->need = f->need > UINT32_MAX - length ? UINT32_MAX : f->need + length;
}

/* In resync: keep a piece that may begin a PDU. False when it is too long or no buffer is free. */
static bool keep_start(struct ft_framer *f, struct ft_framer_call *call, const uint8_t *bytes,
                       uint32_t length)
{
    if (length >= KEEP_MAX || probe(call, bytes, length) != FT_MAYBE)
        return false;
    f->buffer = ft_buffer_get(call->pools, KEEP_MAX);
    if (!f->buffer)
        return false;
    memcpy(ft_buffer_at(call->pools, f->buffer), bytes, length);
    f->have = length;
    call->bytes->held += length;
    return true;
}

/* Let go of what is kept, but for a later start in it. */
static void drop_start(struct ft_framer *f, struct ft_framer_call *call)
{
    uint8_t *buffer = ft_buffer_at(call->pools, f->buffer);
    uint32_t passed = f->have;
    for (uint32_t i = 1; f->have <= KEEP_TINY && i < f->have && passed == f->have; i++)
        if (probe(call, buffer + i, f->have - i) != FT_NO)
            passed = i;
    call->bytes->held -= passed;
    pass_over(f, call, passed);
    f->have -= passed;
    memmove(buffer, buffer + passed, f->have);
    if (!f->have) {
        ft_buffer_put(call->pools, f->buffer);
        f->buffer = 0;
    }
}

static uint32_t collect(struct ft_framer *f, struct ft_framer_call *call, const uint8_t *bytes,
                        uint32_t length, enum ft_framer_result *result);

/* In resync with a start that is kept: more bytes. Returns bytes taken. */
static uint32_t resync_kept(struct ft_framer *f, struct ft_framer_call *call, const uint8_t *bytes,
                            uint32_t length, enum ft_framer_result *result)
{
    uint8_t *buffer = ft_buffer_at(call->pools, f->buffer);
    uint32_t room = KEEP_MAX - f->have, take = length < room ? length : room;
    memcpy(buffer + f->have, bytes, take);
    if (begins(call, buffer, f->have + take)) {
        f->have += take;
        call->bytes->held += take;
        f->mode = FT_FRAMER_PDU;
        f->doubt = DOUBT;
        f->need = f->have; /* frame() gets what is kept, now */
        collect(f, call, bytes + take, 0, result);
        return take;
    }
    if (f->have + take < KEEP_MAX && !begins(call, bytes, length)) {
        f->have += take;
        call->bytes->held += take;
        if (probe(call, buffer, f->have) == FT_NO)
            drop_start(f, call);
        return take;
    }
    /* The piece begins a PDU itself, or the start would be longer than what is kept of one. */
    call->bytes->held -= f->have;
    pass_over(f, call, f->have);
    f->have = 0;
    ft_buffer_put(call->pools, f->buffer);
    f->buffer = 0;
    return 0;
}

/* In resync: take bytes up to the next start. Returns bytes taken. */
static uint32_t resync(struct ft_framer *f, struct ft_framer_call *call, const uint8_t *bytes,
                       uint32_t length, enum ft_framer_result *result)
{
    if (f->buffer)
        return resync_kept(f, call, bytes, length, result);
    uint32_t at = find_start(call, bytes, length);
    if (at == length) {
        if (!keep_start(f, call, bytes, length))
            pass_over(f, call, length);
        return length;
    }
    call->bytes->resync += at;
    f->mode = FT_FRAMER_PDU;
    f->need = 0;
    f->doubt = DOUBT;
    return at;
}

/* The collecting buffer must hold `size` bytes: move to a larger one. */
static bool grow(struct ft_framer *f, struct ft_framer_call *call, uint32_t size)
{
    if (size <= ft_buffer_size(f->buffer))
        return true;
    uint32_t larger = ft_buffer_get(call->pools, size);
    if (!larger)
        return false;
    memcpy(ft_buffer_at(call->pools, larger), ft_buffer_at(call->pools, f->buffer), f->have);
    ft_buffer_put(call->pools, f->buffer);
    f->buffer = larger;
    return true;
}

/* No buffer: what cannot be kept is skipped, and the stream found again. */
static uint32_t give_up(struct ft_framer *f, struct ft_framer_call *call, uint32_t length)
{
    call->bytes->resync += length;
    if (f->buffer) {
        call->bytes->held -= f->have;
        call->bytes->resync += f->have;
    }
    drop_buffer(f, call->pools);
    f->mode = FT_FRAMER_RESYNC;
    return length;
}

/*
 * Keep the beginning of a unit until `need` bytes are here; 0: until any more are. When it was
 * framed from a buffer it stays in that buffer. Returns bytes taken.
 */
static uint32_t keep(struct ft_framer *f, struct ft_framer_call *call, const uint8_t *bytes,
                     uint32_t length, uint32_t need, bool is_pdu)
{
    struct ft_framer_pools *pools = call->pools;
    uint32_t cap = max_pdu(call), size = need > length ? need : length + 1;
    f->mode = FT_FRAMER_PDU;
    f->need = need;
    f->is_pdu = is_pdu;
    const uint8_t *lent = pools->lent ? ft_buffer_at(pools, pools->lent) : NULL;
    if (lent && bytes >= lent && bytes < lent + ft_buffer_size(pools->lent)) {
        f->buffer = pools->lent;
        pools->lent = 0;
    } else {
        f->buffer = ft_buffer_get(pools, size < cap ? size : cap);
    }
    if (!f->buffer)
        return give_up(f, call, length);
    uint8_t *to = ft_buffer_at(pools, f->buffer);
    if (to != bytes) /* or each byte of a line would move all those before it */
        memmove(to, bytes, length);
    f->have = length;
    call->bytes->held += length;
    return length;
}

/*
 * Act on what frame() said of `length` bytes at `bytes`, none of them counted yet. Returns how many
 * were taken: 0 when the mode has changed or the stream is not this protocol's any more.
 */
static uint32_t act(struct ft_framer *f, struct ft_framer_call *call, struct ft_frame frame,
                    const uint8_t *bytes, uint32_t length, enum ft_framer_result *result)
{
    uint32_t cap = max_pdu(call), n;
    switch (frame.kind) {
    case FT_FRAME_PDU:
        if (frame.length == 0)
            break;
        if (frame.length <= length) {
            n = frame.length < cap ? frame.length : cap;
            deliver(f, call, bytes, n, frame.length);
            call->bytes->skipped += frame.length - n;
            return frame.length;
        }
        if (length >= cap) {
            deliver(f, call, bytes, cap, frame.length);
            call->bytes->skipped += length - cap;
            f->mode = FT_FRAMER_SKIP;
            f->need = frame.length - length;
            return length;
        }
        return keep(f, call, bytes, length, frame.length, true);
    case FT_FRAME_NEED:
        n = frame.length > length ? frame.length : 0;
        if (n > cap || length >= cap)
            break;
        return keep(f, call, bytes, length, n, false);
    case FT_FRAME_DELIMITER:
        if (length >= cap)
            break;
        n = keep(f, call, bytes, length, 0, false);
        if (f->buffer) {
            f->mode = FT_FRAMER_LINE;
            f->need = frame.length < length ? frame.length : length;
        }
        return n;
    case FT_FRAME_SKIP:
        if (frame.length == 0)
            break;
        f->mode = FT_FRAMER_SKIP;
        f->need = frame.length;
        return 0;
    case FT_FRAME_UNTIL_CLOSE:
        f->mode = FT_FRAMER_CLOSED;
        return 0;
    case FT_FRAME_OPAQUE:
        f->mode = FT_FRAMER_OPAQUE;
        return 0;
    case FT_FRAME_SWITCH:
        call->next = frame.protocol;
        *result = FT_FRAMER_SWITCHED;
        return 0;
    default:
        break;
    }
    /* Not mine. After a loss, or in the middle of a flow, that only means: look further. */
    if (f->doubt) {
        f->mode = FT_FRAMER_RESYNC;
        call->bytes->resync += 1;
        return 1;
    }
    *result = FT_FRAMER_NOT_MINE;
    return 0;
}

/*
 * frame() gets the bytes it asked for, in the lent buffer; the first `scanned` it has seen. What it
 * does not take of them (a PDU shorter than what was collected) is framed again, until all are used
 * up. Returns bytes used.
 */
static uint32_t frame_buffer(struct ft_framer *f, struct ft_framer_call *call,
                             const uint8_t *buffer, uint32_t have, uint32_t scanned,
                             enum ft_framer_result *result)
{
    uint32_t at = act(f, call, ask_on(call, buffer, have, scanned), buffer, have, result);
    while (at < have && *result == FT_FRAMER_GOING) {
        if (f->mode == FT_FRAMER_PDU) {
            at += act(f, call, ask(call, buffer + at, have - at), buffer + at, have - at, result);
        } else {
            *result = ft_framer_data(f, call, buffer + at, have - at);
            at += call->consumed;
        }
    }
    return at;
}

static void take_back(uint32_t *lent, struct ft_framer_pools *pools)
{
    if (*lent)
        ft_buffer_put(pools, *lent);
    *lent = 0;
}

/* Bytes for a unit that is being collected. Returns bytes taken of this piece. */
static uint32_t collect(struct ft_framer *f, struct ft_framer_call *call, const uint8_t *bytes,
                        uint32_t length, enum ft_framer_result *result)
{
    struct ft_framer_pools *pools = call->pools;
    uint32_t cap = max_pdu(call), room = cap - f->have;
    uint32_t need = f->mode == FT_FRAMER_LINE ? 0 : f->need;
    uint32_t scanned = f->mode == FT_FRAMER_LINE ? f->need : 0;
    uint32_t want = need ? need : f->have + (length < room ? length : room);
    want = want < cap ? want : cap;
    uint32_t take = want - f->have < length ? want - f->have : length;
    if (!grow(f, call, want))
        return give_up(f, call, length);
    uint8_t *buffer = ft_buffer_at(pools, f->buffer);
    memcpy(buffer + f->have, bytes, take);
    f->have += take;
    call->bytes->held += take;
    if (f->have < want)
        return take;
    uint32_t have = f->have, used = have;
    call->bytes->held -= have;
    pools->lent = f->buffer;
    f->buffer = 0;
    f->have = f->need = 0;
    f->mode = FT_FRAMER_PDU;
    const uint8_t *end = call->end;
    call->end = buffer + have;
    call->after += length - take;
    if (f->is_pdu) {
        f->is_pdu = false;
        deliver(f, call, buffer, have, need);
        if (need > have) {
            f->mode = FT_FRAMER_SKIP;
            f->need = need - have;
        }
    } else {
        used = frame_buffer(f, call, buffer, have, scanned, result);
    }
    if (used < have) {
        /* Another protocol: it gets these bytes before those behind the piece's taken part. */
        call->rest = buffer + used;
        call->rest_length = have - used;
        pools->rest = pools->lent;
        pools->lent = 0;
    }
    take_back(&pools->lent, pools);
    call->end = end;
    call->after -= length - take;
    return take;
}

void ft_framer_rest_done(struct ft_framer_pools *pools)
{
    take_back(&pools->rest, pools);
}

void ft_framer_abandon(struct ft_framer_pools *pools)
{
    take_back(&pools->lent, pools);
    take_back(&pools->rest, pools);
}

enum ft_framer_result ft_framer_data(struct ft_framer *f, struct ft_framer_call *call,
                                     const uint8_t *bytes, uint32_t length)
{
    enum ft_framer_result result = FT_FRAMER_GOING;
    uint32_t at = 0;
    call->consumed = 0;
    call->rest_length = 0;
    call->end = bytes + length;
    if (f->mode == FT_FRAMER_START) {
        f->mode = call->context->is_midstream ? FT_FRAMER_RESYNC : FT_FRAMER_PDU;
        f->doubt = call->context->is_midstream ? DOUBT : 0;
    }
    while (at < length && result == FT_FRAMER_GOING) {
        const uint8_t *p = bytes + at;
        uint32_t left = length - at, n;
        switch (f->mode) {
        case FT_FRAMER_SKIP:
            n = f->need < left ? f->need : left;
            f->need -= n;
            call->bytes->skipped += n;
            if (!f->need)
                f->mode = FT_FRAMER_PDU;
            break;
        case FT_FRAMER_CLOSED:
            call->bytes->skipped += left;
            n = left;
            break;
        case FT_FRAMER_OPAQUE:
            call->bytes->encrypted += left;
            n = left;
            break;
        case FT_FRAMER_RESYNC:
            n = resync(f, call, p, left, &result);
            if (f->misses >= MISSES_MAX && (call->is_first || f->need >= 2 * max_pdu(call))) {
                f->misses = 0;
                f->need = 0;
                call->consumed = at + n;
                return FT_FRAMER_NOT_MINE;
            }
            break;
        default:
            n = f->buffer ? collect(f, call, p, left, &result)
                          : act(f, call, ask(call, p, left), p, left, &result);
            break;
        }
        at += n;
    }
    call->consumed = at;
    return result;
}

void ft_framer_gap(struct ft_framer *f, struct ft_framer_call *call, uint32_t lost)
{
    f->doubt = DOUBT;
    if (f->mode == FT_FRAMER_CLOSED || f->mode == FT_FRAMER_OPAQUE)
        return;
    /* A hole in bytes that are skipped anyway does no harm. */
    if (f->mode == FT_FRAMER_SKIP && lost && lost < f->need) {
        f->need -= lost;
        return;
    }
    if (f->mode == FT_FRAMER_SKIP && lost && lost == f->need) {
        f->need = 0;
        f->mode = FT_FRAMER_PDU;
        return;
    }
    /* A hole in a PDU whose end is known: the PDU is lost, the place of the next is not. */
    uint32_t left = f->buffer && f->is_pdu && lost && lost <= f->need - f->have
                        ? f->need - f->have - lost
                        : UINT32_MAX;
    if (f->buffer) {
        call->bytes->held -= f->have;
        call->bytes->resync += f->have;
    }
    drop_buffer(f, call->pools);
    f->mode = left == UINT32_MAX ? FT_FRAMER_RESYNC : left ? FT_FRAMER_SKIP : FT_FRAMER_PDU;
    if (left != UINT32_MAX)
        f->need = left;
}

void ft_framer_end(struct ft_framer *f, struct ft_framer_pools *pools,
                   struct ft_stream_bytes *bytes)
{
    if (f->buffer) {
        bytes->held -= f->have;
        bytes->skipped += f->have;
    }
    drop_buffer(f, pools);
    f->mode = FT_FRAMER_START;
}
