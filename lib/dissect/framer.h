/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The framer: cuts one direction of a stream into PDUs by the dissector's frame().
 *
 * Bytes come in order, in pieces as the segments were. A PDU inside one piece is dissected where it
 * lies; one that spans pieces is copied once into a pooled buffer. A PDU longer than max_pdu is
 * dissected as its first bytes and the rest skipped and counted. After a gap, and on a flow first
 * seen in its middle, the framer is in resync: it tries the start of each piece with probe(), then
 * looks for the sync literal, and takes up again where probe() says yes; inside a piece only where
 * a whole PDU lies. A gap inside skipped bytes, or inside a PDU whose end is known, is no reason
 * for that: the place of the next PDU is known. A start that may be one is kept for what follows,
 * up to 2 KiB.
 *
 * One thread; no allocation: buffers come from the pools of struct ft_state.
 */
#ifndef FT_FRAMER_H
#define FT_FRAMER_H

#include <stdbool.h>
#include <stdint.h>

struct ft_context;
struct ft_dissector;

enum ft_framer_mode {
    FT_FRAMER_START = 0, /**< at the first byte of the stream */
    FT_FRAMER_PDU,       /**< at the start of a PDU or inside one that is being collected */
    FT_FRAMER_SKIP,      /**< inside bytes to skip: `need` are left */
    FT_FRAMER_RESYNC,    /**< looking for the start of a PDU */
    FT_FRAMER_CLOSED,    /**< until close: nothing more is looked at */
    FT_FRAMER_OPAQUE,    /**< encrypted */
    FT_FRAMER_LINE,      /**< inside a PDU with a delimiter: its first `need` bytes have none */
};

/** State of one direction, in the flow record. Zero is the state of a new stream. */
struct ft_framer {
    uint32_t buffer; /**< pool block with the collected bytes, 0 = none; top bit: large pool */
    uint32_t have;   /**< bytes collected */
    uint32_t need;   /**< bytes wanted before frame() or dissect() is called, 0 = any more;
                          SKIP: bytes left; RESYNC: bytes passed over; LINE: bytes scanned */
    uint8_t mode;    /**< enum ft_framer_mode */
    uint8_t is_pdu;  /**< need is the end of a PDU, not only what frame() wants to see */
    uint8_t doubt;   /**< after a gap or a start in the middle: PDUs in a row that have still to
                          come until what is none is a violation */
    uint8_t misses;  /**< resync attempts that found nothing, saturating */
};

/** Links told apart in struct ft_stream_bytes; the last stands for all further ones. */
#define FT_STREAM_LINKS 32u

/** What became of stream bytes: each byte that was given is counted in one of these. */
struct ft_stream_bytes {
    /** Of `lost`, by link (index of the interface): the receiver acknowledged them, so it had them,
     * and they were lost on the way to the sensor. */
    uint64_t unseen[FT_STREAM_LINKS];
    uint64_t delivered; /**< part of a PDU that was dissected */
    uint64_t skipped;   /**< SKIP, UNTIL_CLOSE, the rest of an overlong PDU, unknown protocol */
    uint64_t encrypted; /**< after OPAQUE */
    uint64_t resync; /**< passed over while looking for a PDU, or dropped with its PDU at a gap */
    uint64_t duplicate; /**< seen before (stream.c) */
    uint64_t
        abandoned; /**< what a dissector held that was abandoned, and the rest of its segment */
    uint64_t lost; /**< never seen: gaps (stream.c); not part of received */
    uint64_t held; /**< waiting: in the reorder buffer or in a PDU not complete; a level */
};

/** Bytes received that are accounted for: all but those never seen. */
static inline uint64_t ft_stream_bytes_booked(const struct ft_stream_bytes *b)
{
    return b->delivered + b->skipped + b->encrypted + b->resync + b->duplicate + b->held +
           b->abandoned;
}

/** Answer of ft_framer_data(). */
enum ft_framer_result {
    FT_FRAMER_GOING = 0,
    FT_FRAMER_NOT_MINE, /**< the stream is not this protocol: recognise it anew */
    FT_FRAMER_SWITCHED, /**< *next names the protocol that goes on */
};

/**
 * Called for each PDU. `truncated`: the view ends before the PDU does. `whole_length`: bytes of the
 * PDU on the wire.
 */
typedef void ft_framer_pdu_fn(void *user, const uint8_t *pdu, uint32_t length,
                              uint32_t whole_length, bool truncated);

struct ft_framer_pools; /* state.h */

/** What ft_framer_data() works with; made once per worker and reused. */
struct ft_framer_call {
    const struct ft_dissector *dissector;
    struct ft_context *context; /**< direction and flow state set by the caller */
    struct ft_framer_pools *pools;
    struct ft_stream_bytes *bytes;
    ft_framer_pdu_fn *pdu;
    void *user;
    bool is_first;        /**< the flow had no PDU of this protocol yet */
    const char *next;     /**< out: FT_FRAMER_SWITCHED */
    uint32_t consumed;    /**< out: bytes of this call that were taken */
    uint32_t behind;      /**< out, in pdu(): bytes of this call that are behind the PDU */
    const uint8_t *end;   /**< private: of the bytes that PDUs are in */
    uint32_t after;       /**< private: bytes of this call that come behind these; 0 at first */
    const uint8_t *rest;  /**< out: bytes that were kept, and belong to the next protocol */
    uint32_t rest_length; /**< out: how many, mostly 0 */
};

/**
 * Give the next bytes of the stream. After NOT_MINE or SWITCHED the bytes at `rest`, then those
 * from `consumed` on, are not counted: the caller gives them to the next protocol or counts them,
 * and calls ft_framer_rest_done().
 */
enum ft_framer_result ft_framer_data(struct ft_framer *f, struct ft_framer_call *call,
                                     const uint8_t *bytes, uint32_t length);

/** The caller needs the bytes at `rest` no more. */
void ft_framer_rest_done(struct ft_framer_pools *pools);

/** A call of ft_framer_data() was abandoned half way (longjmp): no buffer is lost. */
void ft_framer_abandon(struct ft_framer_pools *pools);

/**
 * A gap: `lost` bytes will never come; 0: nobody knows how many. Drops what was collected, and goes
 * into resync where the gap reaches beyond the unit it is in.
 */
void ft_framer_gap(struct ft_framer *f, struct ft_framer_call *call, uint32_t lost);

/** The stream ends: what was collected is counted as skipped, buffers go back. */
void ft_framer_end(struct ft_framer *f, struct ft_framer_pools *pools,
                   struct ft_stream_bytes *bytes);

#endif
