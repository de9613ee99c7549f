/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tests of TCP streams. The bytes of a stream are a function of their position, so every byte that
 * is handed out can be checked; each packet's bytes must balance in the ledger. Cases by name, then
 * random runs with loss, reordering, duplicates, other cuts, snap lengths and wrap-around.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "flow/flow.h"
#include "flow/stream.h"

#define S         1000000000ull
#define START     (1700000000ull * S)
#define POSITIONS (1u << 22)
#define FORGED    0x80 /* xor of bytes that are not the stream's own */

static uint64_t g_random = 1;

static uint32_t random_u32(void)
{
    g_random ^= g_random << 13;
    g_random ^= g_random >> 7;
    g_random ^= g_random << 17;
    return (uint32_t)(g_random >> 16);
}

/** Byte of the stream at a position; never has the bit FORGED. */
static uint8_t byte_at(uint32_t position)
{
    return (uint8_t)((position * 2654435761u) >> 24) & 0x7f;
}

struct bench {
    struct ft_flow_table *table;
    struct ft_flow *flow;
    uint32_t isn[2]; /* sequence number of position 0, by client (0) and server (1) */
    uint64_t time_ns;
    uint64_t number;

    /* what the stream told, of the client's direction */
    uint32_t position;      /* of the next byte in order */
    bool has_empty_gap;     /* since the last bytes: the next may be anywhere */
    bool is_nonsense;       /* only the books are checked */
    const uint8_t *payload; /* of the packet that is being taken */
    uint32_t payload_position, payload_len;
    uint64_t delivered, late, lost, gaps, empty_gaps, violations[FT_STREAM_VIOLATIONS];
    struct ft_stream_bytes bytes;
    uint16_t vlan; /* of packets, 0 = none */
    uint64_t unseen, holes;
    struct ft_mirror_place unseen_at;
    uint64_t held_number, held_stamp_ns; /* of what is handed out; 0: of the packet at hand */
    struct {
        uint32_t position;
        uint64_t number, stamp_ns;
    } told[16]; /* the first calls of on_data() */
    uint32_t told_count;
    uint8_t seen[POSITIONS]; /* times that a position was handed out */
};

static struct bench g_bench;

static void on_data(void *user, struct ft_flow *flow, enum ft_side side, const uint8_t *bytes,
                    uint32_t length)
{
    struct bench *b = user;
    bool is_own =
        b->payload && bytes >= b->payload && bytes + length <= b->payload + b->payload_len;
    uint32_t position = is_own ? b->payload_position + (uint32_t)(bytes - b->payload) : b->position;

    assert_ptr_equal(flow, b->flow);
    assert_true(length > 0);
    (void)side;
    b->delivered += length;
    assert_true(is_own ? !b->held_number : b->held_number && b->held_number <= b->number);
    if (b->told_count < 16) {
        b->told[b->told_count].position = position;
        b->told[b->told_count].number = b->held_number;
        b->told[b->told_count++].stamp_ns = b->held_stamp_ns;
    }
    if (b->is_nonsense)
        return;

    if (position < b->position && b->position - position <= FT_STREAM_BEHIND + FT_STREAM_WINDOW) {
        assert_true(is_own && b->has_empty_gap);
        b->late += length;
    } else {
        assert_true(position == b->position || b->has_empty_gap);
        b->position = position + length;
    }
    b->has_empty_gap = false;
    for (uint32_t i = 0; i < length; i++) {
        uint32_t at = position + i;
        if (!(bytes[i] & FORGED))
            assert_int_equal(bytes[i], byte_at(at));
        if (at < POSITIONS)
            assert_int_equal(b->seen[at]++, 0);
    }
}

static void on_held(void *user, uint64_t number, uint64_t stamp_ns)
{
    struct bench *b = user;
    assert_true(!number != !b->held_number);
    b->held_number = number;
    b->held_stamp_ns = stamp_ns;
}

static void on_gap(void *user, struct ft_flow *flow, enum ft_side side, uint32_t length)
{
    struct bench *b = user;

    (void)flow;
    (void)side;
    b->gaps++;
    b->lost += length;
    b->position += length;
    b->empty_gaps += !length;
    b->has_empty_gap |= !length;
}

static void on_violation(void *user, struct ft_flow *flow, enum ft_side side,
                         enum ft_stream_violation violation)
{
    struct bench *b = user;

    (void)flow;
    (void)side;
    b->violations[violation]++;
}

static void on_unseen(void *user, struct ft_flow *flow, struct ft_mirror_place place,
                      uint32_t length)
{
    struct bench *b = user;

    (void)flow;
    b->holes++;
    b->unseen += length;
    b->unseen_at = place;
}

static const struct ft_stream_ops g_ops = {on_data, on_held, on_gap, on_violation, on_unseen};

/** What every call must keep: received = handed out + duplicate + change of held. */
static void check_books(const struct bench *b, uint64_t received)
{
    assert_int_equal(received, b->delivered + b->bytes.duplicate + b->bytes.held);
    assert_int_equal(b->lost, b->bytes.lost);
    assert_int_equal(b->unseen, b->bytes.unseen[3]);
    if (b->flow)
        assert_int_equal(b->bytes.held, b->flow->half[0].held_bytes + b->flow->half[1].held_bytes);
}

static void on_end(void *user, struct ft_flow *flow, enum ft_flow_end why)
{
    struct bench *b = user;

    (void)why;
    ft_stream_flush(b->table, flow, &g_ops, b, &b->bytes);
}

static struct bench *begin_with(const struct ft_flow_config *config, uint32_t isn)
{
    struct bench *b = &g_bench;

    memset(b, 0, sizeof(*b));
    b->table = ft_flow_table_new(config);
    assert_non_null(b->table);
    b->isn[0] = isn;
    b->isn[1] = 0xfffffff0;
    b->time_ns = START;
    return b;
}

static struct bench *begin(uint32_t isn)
{
    struct ft_flow_config config;

    ft_flow_config_init(&config);
    return begin_with(&config, isn);
}

/** Take a packet; `from`: 0 client, 1 server. Returns nothing: see the bench. */
static void take(struct bench *b, int from, uint8_t flags, uint32_t position, const uint8_t *bytes,
                 uint32_t length, uint32_t wirelen, uint32_t acked)
{
    static const uint8_t empty[1];
    struct ft_packet p = {.number = ++b->number,
                          .time_ns = b->time_ns,
                          .stamp_ns = b->time_ns + 7,
                          .wirelen = 54 + wirelen,
                          .flags = FT_PACKET_IPV4 | FT_PACKET_TCP,
                          .proto = 6,
                          .data = bytes ? bytes : empty,
                          .payload_len = length,
                          .payload_wirelen = wirelen,
                          .flow_hash = 1,
                          .src_port = from ? 502 : 40000,
                          .dst_port = from ? 40000 : 502,
                          .tcp_flags = flags,
                          .tcp_seq = b->isn[from] + position,
                          .tcp_ack = b->isn[!from] + acked};
    uint64_t received = b->delivered + b->bytes.duplicate + b->bytes.held;
    uint8_t side;

    p.vlan_count = b->vlan != 0;
    p.vlan[0] = b->vlan;
    p.interface = 3;
    p.src.bytes[3] = (uint8_t)(1 + from);
    p.dst.bytes[3] = (uint8_t)(2 - from);
    b->payload = bytes;
    b->payload_position = position + (flags & FT_TCP_SYN ? 1 : 0);
    b->payload_len = length;
    b->flow = ft_flow_take(b->table, &p, NULL, &side, on_end, b);
    assert_non_null(b->flow);
    assert_int_equal(side, from); /* the client has the smaller address */
    ft_stream_packet(b->table, b->flow, side, &p, &g_ops, b, &b->bytes);
    b->payload = NULL;
    b->payload_len = 0;
    check_books(b, received + length);
}

/** Bytes [position, position + length) of the client; the rest up to wirelen is cut. */
static void send_cut(struct bench *b, uint8_t flags, uint32_t position, uint32_t length,
                     uint32_t wirelen, uint8_t forged)
{
    static uint8_t payload[65536];

    for (uint32_t i = 0; i < length; i++)
        payload[i] = byte_at(position + i) ^ forged;
    take(b, 0, flags, position, payload, length, wirelen, 1);
}

static void send(struct bench *b, uint32_t position, uint32_t length)
{
    send_cut(b, FT_TCP_ACK, position, length, length, 0);
}

static void send_forged(struct bench *b, uint32_t position, uint32_t length)
{
    send_cut(b, FT_TCP_ACK, position, length, length, FORGED);
}

/** The server acknowledges all positions before `acked`. */
static void acknowledge(struct bench *b, uint32_t acked)
{
    take(b, 1, FT_TCP_ACK, 1, NULL, 0, 0, acked);
}

static void handshake(struct bench *b)
{
    take(b, 0, FT_TCP_SYN, 0, NULL, 0, 0, 0);
    take(b, 1, FT_TCP_SYN | FT_TCP_ACK, 0, NULL, 0, 0, 1);
    take(b, 0, FT_TCP_ACK, 1, NULL, 0, 0, 1);
    b->position = 1;
}

static void flush(struct bench *b)
{
    uint64_t received = b->delivered + b->bytes.duplicate + b->bytes.held;

    ft_stream_flush(b->table, b->flow, &g_ops, b, &b->bytes);
    check_books(b, received);
    assert_int_equal(b->bytes.held, 0);
    assert_int_equal(ft_flow_segments(b->table, 0)->used, 0);
}

static void finish(struct bench *b)
{
    flush(b);
    ft_flow_table_free(b->table);
}

/* ---- in order ------------------------------------------------------------------------------- */

static void test_handshake_and_data(void **state)
{
    (void)state;
    struct bench *b = begin(0xffffffff); /* the SYN is at the very end, data begins at 0 */

    handshake(b);
    send(b, 1, 12);
    send(b, 13, 1460);
    send(b, 1473, 1);
    assert_int_equal(b->delivered, 1473);
    assert_int_equal(b->gaps, 0);
    assert_int_equal(b->bytes.duplicate, 0);
    assert_false(b->flow->flags & FT_FLOW_GAP);
    finish(b);
}

static void test_syn_ack_alone_names_both_starts(void **state)
{
    (void)state;
    struct bench *b = begin(1000);

    take(b, 1, FT_TCP_SYN | FT_TCP_ACK, 0, NULL, 0, 0, 1);
    b->position = 1;
    send(b, 11, 10); /* the first ten bytes are late */
    assert_int_equal(b->delivered, 0);
    send(b, 1, 10);
    assert_int_equal(b->delivered, 20);
    finish(b);
}

static void test_syn_with_data(void **state)
{
    (void)state;
    struct bench *b = begin(5);
    uint8_t bytes[4];

    for (uint32_t i = 0; i < 4; i++)
        bytes[i] = byte_at(1 + i);
    b->position = 1;
    take(b, 0, FT_TCP_SYN, 0, bytes, 4, 4, 0);
    take(b, 0, FT_TCP_SYN, 0, bytes, 4, 4, 0); /* again */
    send(b, 5, 6);
    assert_int_equal(b->delivered, 10);
    assert_int_equal(b->bytes.duplicate, 4);
    assert_int_equal(b->gaps, 0);
    finish(b);
}

static void test_another_syn(void **state)
{
    (void)state;
    struct bench *b = begin(1000);

    take(b, 0, FT_TCP_SYN, 0, NULL, 0, 0, 0);
    b->isn[0] = 777777777; /* the client tries again with another number */
    handshake(b);
    send(b, 1, 10);
    assert_int_equal(b->delivered, 10);
    assert_int_equal(b->gaps, 0);
    take(b, 0, FT_TCP_SYN, 500, (const uint8_t *)"x", 1, 1, 0); /* nonsense in the middle */
    send(b, 11, 10);
    assert_int_equal(b->delivered, 20);
    assert_int_equal(b->bytes.duplicate, 1);
    assert_int_equal(b->gaps, 0);
    finish(b);
}

/* ---- what the mirror lost ------------------------------------------------------------------- */

/** A hole that the receiver acknowledged, told with where the bytes behind it came in. */
static void test_acknowledged_hole(void **state)
{
    (void)state;
    struct bench *b = begin(1000);

    handshake(b);
    send(b, 1, 10);
    b->vlan = 20;
    send(b, 61, 10); /* 50 are missing */
    acknowledge(b, 71);
    assert_int_equal(b->unseen, 0); /* they may only be late */
    send(b, 71, 10);
    send(b, 81, 10);
    assert_int_equal(b->unseen, 50);
    assert_int_equal(b->holes, 1);
    assert_int_equal(b->unseen_at.link, 3);
    assert_int_equal(b->unseen_at.vlan, 20);
    finish(b);
}

/** The receiver misses them too, or nobody hears it: not the mirror's. */
static void test_unacknowledged_hole(void **state)
{
    (void)state;
    struct bench *b = begin(1000);

    handshake(b);
    send(b, 1, 10);
    send(b, 61, 10);
    acknowledge(b, 11);
    send(b, 11, 50); /* retransmitted */
    acknowledge(b, 71);
    send(b, 101, 10); /* another, never filled */
    acknowledge(b, 71);
    flush(b);
    assert_int_equal(b->unseen, 0);
    assert_int_equal(b->lost, 30);
    finish(b);
}

/** What the snap length cut was there, in order and ahead of it. */
static void test_cut_is_not_unseen(void **state)
{
    (void)state;
    struct bench *b = begin(1000);

    handshake(b);
    send_cut(b, FT_TCP_ACK, 1, 10, 100, 0);
    send_cut(b, FT_TCP_ACK, 201, 10, 100, 0); /* before the one that it follows */
    send_cut(b, FT_TCP_ACK, 101, 10, 100, 0);
    acknowledge(b, 301);
    for (unsigned i = 0; i < 5; i++)
        send_cut(b, FT_TCP_ACK, 301 + 100 * i, 10, 100, 0);
    acknowledge(b, 801);
    assert_int_equal(b->delivered, 80);
    assert_int_equal(b->lost, 720);
    assert_int_equal(b->unseen, 0);
    finish(b);
}

/** The last bytes before an end, which nothing follows: `how` the other side ends. */
static uint64_t unseen_at_end(uint8_t how, uint32_t acked, bool is_late)
{
    struct bench *b = begin(1000);
    uint64_t unseen;

    handshake(b);
    send(b, 1, 10);
    take(b, 1, how, 1, NULL, 0, 0, acked);
    if (is_late)
        send(b, 11, acked - 11);
    assert_int_equal(b->unseen, 0);
    flush(b);
    unseen = b->unseen;
    ft_flow_table_free(b->table);
    return unseen;
}

static void test_end_of_stream(void **state)
{
    (void)state;
    assert_int_equal(unseen_at_end(FT_TCP_ACK | FT_TCP_FIN, 111, false), 100);
    assert_int_equal(unseen_at_end(FT_TCP_ACK | FT_TCP_RST, 111, false), 100);
    assert_int_equal(unseen_at_end(FT_TCP_ACK | FT_TCP_FIN, 111, true), 0);
    assert_int_equal(unseen_at_end(FT_TCP_ACK | FT_TCP_FIN, 11, false), 0);
    assert_int_equal(unseen_at_end(FT_TCP_ACK | FT_TCP_FIN, 5, false), 0);
    assert_int_equal(unseen_at_end(FT_TCP_RST, 0, false), 0); /* no acknowledgement in it */
    assert_int_equal(unseen_at_end(FT_TCP_ACK | FT_TCP_FIN, 11 + 2 * FT_STREAM_WINDOW, false), 0);
}

/** Both end: a FIN takes a number, and is no byte. */
static void test_end_of_both(void **state)
{
    (void)state;
    struct bench *b = begin(1000);

    handshake(b);
    send(b, 1, 10);
    take(b, 0, FT_TCP_ACK | FT_TCP_FIN, 11, NULL, 0, 0, 1);
    take(b, 1, FT_TCP_ACK | FT_TCP_FIN, 1, NULL, 0, 0, 12);
    take(b, 0, FT_TCP_ACK, 12, NULL, 0, 0, 2);
    flush(b);
    assert_int_equal(b->unseen, 0);
    finish(b);

    b = begin(1000);
    handshake(b);
    send(b, 1, 10);
    take(b, 0, FT_TCP_ACK | FT_TCP_FIN, 31, NULL, 0, 0, 1); /* 20 before it are missing */
    take(b, 1, FT_TCP_ACK | FT_TCP_FIN, 1, NULL, 0, 0, 32);
    flush(b);
    assert_int_equal(b->unseen, 20);
    finish(b);
}

/** Of one direction alone nothing is acknowledged, and of the other nothing is known. */
static void test_one_direction_is_not_loss(void **state)
{
    (void)state;
    struct bench *b = begin(1000);

    b->is_nonsense = true;
    for (uint32_t i = 0; i < 100; i++) { /* each acknowledges 50 bytes more of the other side */
        static const uint8_t poll[12];
        take(b, 1, FT_TCP_ACK, 1 + 12 * i, poll, 12, 12, 1 + 50 * i);
    }
    take(b, 1, FT_TCP_ACK | FT_TCP_FIN, 1201, NULL, 0, 0, 5001);
    flush(b);
    assert_int_equal(b->unseen, 0);
    assert_int_equal(b->lost, 0);
    finish(b);
}

static void test_midstream(void **state)
{
    (void)state;
    struct bench *b = begin(0x80000000);

    b->position = 100000;
    take(b, 0, FT_TCP_ACK, 99999, NULL, 0, 0, 1); /* a keep-alive without data says nothing */
    send(b, 100000, 100);
    send(b, 100100, 100);
    assert_int_equal(b->delivered, 200);
    assert_int_equal(b->gaps, 0);

    send(b, 99900, 100); /* was overtaken by the first segment seen: late, not a duplicate */
    assert_int_equal(b->delivered, 300);
    assert_int_equal(b->late, 100);
    assert_int_equal(b->bytes.duplicate, 0);
    send(b, 99900, 100);
    assert_int_equal(b->bytes.duplicate, 100);
    finish(b);
}

static void test_keep_alive_and_window_probe(void **state)
{
    (void)state;
    struct bench *b = begin(7);

    handshake(b);
    send(b, 1, 100);
    for (int i = 0; i < 10; i++) {
        b->time_ns += 60 * S;
        send_forged(b, 100, 1); /* garbage byte at next_seq - 1 */
        take(b, 0, FT_TCP_ACK, 100, NULL, 0, 0, 1);
        acknowledge(b, 101);
    }
    assert_int_equal(b->bytes.duplicate, 10);
    send(b, 101, 1); /* window probe: the next byte, refused, sent again with what follows */
    send(b, 101, 50);
    assert_int_equal(b->delivered, 150);
    assert_int_equal(b->bytes.duplicate, 11);
    assert_int_equal(b->gaps, 0);
    finish(b);
}

static void test_retransmissions(void **state)
{
    (void)state;
    struct bench *b = begin(0xfffffff0);

    handshake(b);
    send(b, 1, 100);
    send(b, 1, 100);
    send(b, 51, 100); /* half old */
    send(b, 1, 300);  /* repacketised */
    assert_int_equal(b->delivered, 300);
    assert_int_equal(b->bytes.duplicate, 100 + 50 + 150);
    assert_int_equal(b->gaps, 0);
    finish(b);
}

/* ---- out of order --------------------------------------------------------------------------- */

static void test_reordered(void **state)
{
    (void)state;
    struct bench *b = begin(0xffffff00);

    handshake(b);
    send(b, 301, 5000); /* more than a block */
    send(b, 201, 100);
    send(b, 101, 50);
    assert_int_equal(b->delivered, 0);
    assert_int_equal(b->bytes.held, 5150);
    assert_int_equal(b->flow->half[0].held_count, 3);
    send(b, 1, 100);
    assert_int_equal(b->delivered, 150);
    send(b, 151, 50);
    assert_int_equal(b->delivered, 5300);
    assert_int_equal(b->bytes.duplicate, 0);
    assert_int_equal(b->gaps, 0);
    assert_int_equal(ft_flow_segments(b->table, 0)->used, 0);
    finish(b);
}

static void test_overlaps(void **state)
{
    (void)state;
    struct bench *b = begin(1);

    handshake(b);
    send(b, 101, 100);
    send(b, 301, 100);
    send(b, 51, 400); /* around both, ahead of order: three new pieces */
    assert_int_equal(b->flow->half[0].held_count, 5);
    assert_int_equal(b->bytes.duplicate, 200);
    send(b, 1, 500); /* and all of it in order */
    assert_int_equal(b->delivered, 500);
    assert_int_equal(b->bytes.duplicate, 200 + 400);
    assert_int_equal(b->violations[FT_STREAM_OVERLAP_DIFFERS], 0);
    finish(b);
}

static void test_overlap_with_other_content(void **state)
{
    (void)state;
    struct bench *b = begin(1);

    handshake(b);
    send(b, 101, 4000);
    send_forged(b, 3901, 100); /* in the second block */
    assert_int_equal(b->violations[FT_STREAM_OVERLAP_DIFFERS], 1);
    send_forged(b, 51, 100); /* its first half is new */
    assert_int_equal(b->violations[FT_STREAM_OVERLAP_DIFFERS], 2);
    send(b, 41, 20); /* other than the forged half, which came first */
    assert_int_equal(b->violations[FT_STREAM_OVERLAP_DIFFERS], 3);
    send(b, 1, 100); /* in order */
    assert_int_equal(b->violations[FT_STREAM_OVERLAP_DIFFERS], 4);
    assert_int_equal(b->delivered, 4100);
    send(b, 1, 100); /* handed out: not compared */
    assert_int_equal(b->violations[FT_STREAM_OVERLAP_DIFFERS], 4);
    finish(b);
}

/* ---- holes ---------------------------------------------------------------------------------- */

static void test_hole_acknowledged(void **state)
{
    (void)state;
    struct bench *b = begin(0xffffffd0);

    handshake(b);
    send(b, 1, 10);
    send(b, 51, 10);
    acknowledge(b, 11); /* the receiver misses it too */
    for (int i = 0; i < 10; i++)
        send(b, 61 + 10 * i, 10);
    assert_int_equal(b->gaps, 0);
    acknowledge(b, 161); /* now it has all: its first copy was not seen here */
    assert_int_equal(b->gaps, 0);
    for (uint32_t i = 0; i < FT_STREAM_ACKED_PACKETS; i++)
        send(b, 161 + 10 * i, 10);
    assert_int_equal(b->gaps, 1);
    assert_int_equal(b->lost, 40);
    assert_int_equal(b->delivered, 10 + 110 + 10 * FT_STREAM_ACKED_PACKETS);
    assert_true(b->flow->flags & FT_FLOW_GAP);
    finish(b);
}

static void test_acknowledged_hole_and_much_that_waits(void **state)
{
    (void)state;
    struct bench *b = begin(0);

    handshake(b);
    send(b, 101, 60000);
    acknowledge(b, 60101);
    assert_int_equal(b->gaps, 0);
    send(b, 60101, 6000);
    assert_int_equal(b->gaps, 1);
    assert_int_equal(b->delivered, 66000);
    finish(b);
}

static void test_hole_on_a_silent_flow_ends_at_a_tick(void **state)
{
    (void)state;
    struct bench *b = begin(0);

    handshake(b);
    send(b, 101, 10);
    acknowledge(b, 111);
    ft_stream_tick(b->table, 0, b->time_ns + S / 2, &g_ops, b, &b->bytes);
    assert_int_equal(b->gaps, 0);
    ft_stream_tick(b->table, 0, b->time_ns + S, &g_ops, b, &b->bytes);
    assert_int_equal(b->gaps, 1);
    assert_int_equal(b->delivered, 10);
    check_books(b, 10);

    send(b, 201, 10); /* not acknowledged: the sender may be about to repeat */
    ft_stream_tick(b->table, 0, b->time_ns + 4 * S, &g_ops, b, &b->bytes);
    assert_int_equal(b->gaps, 1);
    ft_stream_tick(b->table, 0, b->time_ns + 5 * S, &g_ops, b, &b->bytes);
    assert_int_equal(b->gaps, 2);
    finish(b);
}

static void test_hole_that_shrinks_keeps_its_age(void **state)
{
    (void)state;
    struct bench *b = begin(0);

    handshake(b);
    send(b, 101, 10);
    acknowledge(b, 111);
    b->time_ns += S * 9 / 10;
    send(b, 51, 50); /* a part of it; acknowledged, too */
    ft_stream_tick(b->table, 0, b->time_ns + S / 10, &g_ops, b, &b->bytes);
    assert_int_equal(b->gaps, 1);
    assert_int_equal(b->lost, 50);
    assert_int_equal(b->delivered, 60);
    finish(b);
}

static void test_hole_of_one_direction(void **state)
{
    (void)state;
    struct bench *b = begin(0);

    b->position = 1;
    send(b, 1, 100);
    for (uint32_t i = 1; i < FT_STREAM_ONEWAY_SEGMENTS; i++)
        send(b, 101 + 100 * i, 100);
    assert_int_equal(b->gaps, 0);
    send(b, 101 + 100 * FT_STREAM_ONEWAY_SEGMENTS, 100);
    assert_int_equal(b->gaps, 1);
    assert_int_equal(b->lost, 100);

    send(b, 3001, 100);
    b->time_ns += S;
    send(b, 3101, 100);
    assert_int_equal(b->gaps, 2);
    assert_int_equal(b->delivered, 100 * (1 + FT_STREAM_ONEWAY_SEGMENTS + 2));
    finish(b);
}

static void test_tap_ports_inverted(void **state)
{
    (void)state;
    struct bench *b = begin(0xfffff000);

    handshake(b);
    for (uint32_t i = 0; i < 200; i++) { /* every acknowledgement is seen before its data */
        uint32_t at = 1 + i * 300;
        acknowledge(b, at + 300);
        send(b, at + 100, 100);
        acknowledge(b, at + 300);
        send(b, at + 200, 100);
        send(b, at, 100);
    }
    assert_int_equal(b->gaps, 0);
    assert_int_equal(b->delivered, 60000);
    finish(b);
}

static void test_hole_that_fills_late(void **state)
{
    (void)state;
    struct bench *b = begin(0xffffffa0);

    handshake(b);
    send(b, 101, 100);
    acknowledge(b, 201);
    b->time_ns += S;
    acknowledge(b, 201);
    assert_int_equal(b->gaps, 1);
    assert_int_equal(b->delivered, 100);
    send(b, 1, 60); /* handed out after all, once */
    assert_int_equal(b->late, 60);
    assert_int_equal(b->empty_gaps, 2);
    send(b, 41, 100);
    assert_int_equal(b->late, 100);
    assert_int_equal(b->bytes.duplicate, 60);
    send(b, 1, 100);
    assert_int_equal(b->bytes.duplicate, 160);
    send(b, 201, 10);
    assert_int_equal(b->delivered, 210);
    finish(b);
}

/** A forged segment ahead of order must not hide what follows. */
static void test_forged_segment_ahead(void **state)
{
    (void)state;
    for (uint32_t distance = 1000; distance < 0x7f000000; distance *= 3) {
        struct bench *b = begin(0xfffff000);

        handshake(b);
        send(b, 1, 100);
        send_forged(b, 101 + distance, 50);
        for (uint32_t i = 0; i < 100; i++) {
            b->time_ns += S / 10;
            send(b, 101 + 10 * i, 10);
            acknowledge(b, 111 + 10 * i);
        }
        for (uint32_t i = 1; i < 101 + 1000; i++)
            assert_int_equal(b->seen[i], 1);
        finish(b);
    }
}

static void test_bounds(void **state)
{
    (void)state;
    struct ft_flow_config config;

    ft_flow_config_init(&config);
    for (int which = 0; which < 3; which++) {
        struct ft_flow_config c = config;
        if (which == 0)
            c.held_count_max = 4;
        else if (which == 1)
            c.held_bytes_max = 450;
        else
            c.segments_per_shard = 4;

        struct bench *b = begin_with(&c, 0);
        handshake(b);
        for (uint32_t i = 0; i < 4; i++)
            send(b, 101 + i * 200, 100);
        assert_int_equal(b->gaps, 0);
        send(b, 901, 100);
        assert_int_equal(b->gaps, 1);
        assert_int_equal(b->delivered, 100);
        send_cut(b, FT_TCP_ACK, 51, 1, 1, 0); /* the given up hole */
        send(b, 1201, 20000);                 /* more than the bounds alone */
        if (which) {
            assert_int_equal(b->flow->half[0].held_count, 0);
            assert_int_equal(b->delivered, 501 + 20000);
        }
        finish(b);
        assert_int_equal(b->lost, 1200 - 500);
    }
}

static void test_jumps(void **state)
{
    (void)state;
    struct bench *b = begin(0xfffe0000);

    handshake(b);
    send(b, 1, 10);
    send(b, 21, 10);
    send(b, 11 + FT_STREAM_WINDOW, 10); /* at the edge: it waits */
    assert_int_equal(b->gaps, 0);
    assert_int_equal(b->bytes.held, 20);
    send(b, 3000001, 10);
    assert_int_equal(b->gaps, 3); /* of 10, of the window, and the jump */
    assert_int_equal(b->lost, 3000000 - 40 + 10);
    assert_int_equal(b->delivered, 40);

    send(b, 0x20000000, 10); /* less than 2^30: the distance is told */
    assert_int_equal(b->gaps, 4);
    send(b, 0x70000000, 10); /* more: not */
    assert_int_equal(b->empty_gaps, 1);
    send(b, 100, 10); /* back */
    assert_int_equal(b->empty_gaps, 2);
    assert_int_equal(b->delivered, 70);
    finish(b);
}

/* ---- snap length, close --------------------------------------------------------------------- */

static void test_cut_packets(void **state)
{
    (void)state;
    struct bench *b = begin(0xfffffff0);

    handshake(b);
    send_cut(b, FT_TCP_ACK, 1, 40, 100, 0);
    assert_int_equal(b->delivered, 40);
    assert_int_equal(b->lost, 60);
    send_cut(b, FT_TCP_ACK, 101, 0, 50, 0); /* nothing of it is here */
    assert_int_equal(b->lost, 110);
    send(b, 151, 10);
    assert_int_equal(b->delivered, 50);
    send_cut(b, FT_TCP_ACK, 261, 40, 100, 0); /* ahead of order */
    send_cut(b, FT_TCP_ACK | FT_TCP_FIN, 161, 40, 100, 0);
    assert_int_equal(b->delivered, 50 + 80);
    assert_int_equal(b->lost, 110 + 60 + 60); /* that which waited was cut, too */
    finish(b);
}

static void test_fin_and_data_after_it(void **state)
{
    (void)state;
    struct bench *b = begin(0xfffffff0);

    handshake(b);
    send(b, 1, 10);
    send_cut(b, FT_TCP_ACK | FT_TCP_FIN, 21, 10, 10, 0); /* waits, and its FIN with it */
    send(b, 11, 10);
    assert_int_equal(b->delivered, 30);
    send_cut(b, FT_TCP_ACK | FT_TCP_FIN, 21, 10, 10, 0); /* again */
    take(b, 0, FT_TCP_ACK, 32, NULL, 0, 0, 1);
    assert_int_equal(b->violations[FT_STREAM_DATA_AFTER_CLOSE], 0);
    b->position++; /* FIN has a number */
    send(b, 32, 10);
    send(b, 42, 10);
    assert_int_equal(b->violations[FT_STREAM_DATA_AFTER_CLOSE], 1);
    assert_int_equal(b->delivered, 50); /* still handed out */
    assert_int_equal(b->gaps, 0);
    finish(b);
}

static void test_fin_that_waits(void **state)
{
    (void)state;
    struct bench *b = begin(77);

    handshake(b);
    send(b, 101, 100);
    send_cut(b, FT_TCP_ACK | FT_TCP_FIN, 51, 250, 250, 0); /* in pieces: FIN is behind the last */
    send(b, 1, 50);
    assert_int_equal(b->delivered, 300);
    assert_int_equal(b->flow->half[0].next_seq, 77 + 302);
    finish(b);

    b = begin(77);
    handshake(b);
    send(b, 101, 100);
    send_cut(b, FT_TCP_ACK | FT_TCP_FIN, 101, 100, 100, 0); /* only the FIN is new */
    send(b, 1, 100);
    assert_int_equal(b->delivered, 200);
    assert_int_equal(b->flow->half[0].next_seq, 77 + 202);
    finish(b);
}

static void test_reset(void **state)
{
    (void)state;
    struct bench *b = begin(0);

    handshake(b);
    send(b, 1, 10);
    send_cut(b, FT_TCP_RST, 0x40000000, 0, 0, 0); /* forged, out of window: nothing */
    send(b, 11, 10);
    assert_int_equal(b->violations[FT_STREAM_DATA_AFTER_CLOSE], 0);
    send_cut(b, FT_TCP_RST, 21, 7, 7, 0); /* the text in it is not of the stream */
    assert_int_equal(b->bytes.duplicate, 7);
    send(b, 11, 10); /* an old segment is no violation */
    assert_int_equal(b->violations[FT_STREAM_DATA_AFTER_CLOSE], 0);
    send(b, 21, 10);
    assert_int_equal(b->violations[FT_STREAM_DATA_AFTER_CLOSE], 1);
    assert_int_equal(b->delivered, 30);
    finish(b);
}

static void test_end_of_flow_gives_blocks_back(void **state)
{
    (void)state;
    struct bench *b = begin(0);

    handshake(b);
    send(b, 101, 5000);
    send(b, 10001, 5000);
    assert_int_equal(ft_flow_segments(b->table, 0)->used, 6);
    ft_flow_flush(b->table, 0, NULL, NULL);
    assert_int_equal(ft_flow_segments(b->table, 0)->used, 0);
    ft_stream_tick(b->table, 0, b->time_ns + 100 * S, &g_ops, b, &b->bytes);
    assert_int_equal(b->delivered, 0);
    ft_flow_table_free(b->table);
}

static jmp_buf g_escape;

static void leave(void *user, struct ft_flow *flow, enum ft_side side, const uint8_t *bytes,
                  uint32_t length)
{
    (void)user, (void)flow, (void)side, (void)bytes, (void)length;
    longjmp(g_escape, 1);
}

/** What waited is told with the packet that brought it, not with the one that filled the hole. */
static void test_who_brought_it(void **state)
{
    (void)state;
    struct bench *b = begin(0);
    handshake(b);
    uint64_t first = b->number;
    static const uint32_t order[] = {1, 201, 401, 4001, 101, 301};
    for (unsigned i = 0; i < 6; i++) {
        b->time_ns++;
        send(b, order[i], order[i] == 4001 ? 3000 : 100);
    }
    static const struct {
        uint32_t position, packet; /* 0: the one at hand */
    } expected[] = {{1, 0}, {101, 0}, {201, 2}, {301, 0}, {401, 3}};
    assert_int_equal(b->told_count, 5);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(b->told[i].position, expected[i].position);
        assert_int_equal(b->told[i].number, expected[i].packet ? first + expected[i].packet : 0);
    }
    assert_int_equal(b->told[2].stamp_ns + 4, b->told[4].stamp_ns + 3);
    /* Of several blocks all; behind a gap that is given up too. */
    finish(b);
    assert_in_range(b->told_count, 7, 16);
    for (unsigned i = 5; i < b->told_count; i++)
        assert_int_equal(b->told[i].number, first + 4);
}

/** A callback that is left by longjmp while blocks wait: they are given back, the stream goes on.
 */
static void test_data_left_by_longjmp(void **state)
{
    (void)state;
    static const struct ft_stream_ops ops = {leave, on_held, on_gap, on_violation, on_unseen};
    struct bench *b = begin(0);
    struct ft_stream_bytes bytes = {0};

    handshake(b);
    send(b, 101, 5000);
    send(b, 6001, 100);
    if (!setjmp(g_escape))
        ft_stream_flush(b->table, b->flow, &ops, b, &bytes);
    ft_stream_release(b->table, b->flow);
    b->held_number = 0;
    assert_int_equal(ft_flow_segments(b->table, 0)->used, 0);
    assert_int_equal(b->flow->half[0].held_count, 0);

    uint32_t next = b->flow->half[0].next_seq;
    assert_in_range(next, 102, 5101);
    b->bytes.held = b->bytes.lost = b->delivered = b->lost = 0;
    b->position = next;
    send(b, next, 100);
    assert_int_equal(b->delivered, 100);
    finish(b);
}

/* ---- random runs ---------------------------------------------------------------------------- */

struct sent {
    uint32_t position, length, here;
};

/** Cut a stream of `total` bytes into segments, overlapping now and then. */
static uint32_t make_segments(struct sent *sent, uint32_t limit, uint32_t total, bool with_overlaps)
{
    uint32_t at = 1, count = 0;

    while (at < total && count < limit) {
        uint32_t kind = random_u32() % 16, length = 1 + random_u32() % 1460;
        if (kind == 0)
            length = 1;
        else if (kind == 1)
            length = 1 + random_u32() % 9000;
        uint32_t back = with_overlaps && kind == 2 ? random_u32() % 3000 : 0;
        uint32_t position = at > back ? at - back : 1;
        sent[count++] = (struct sent){position, length, length};
        if (position + length > at)
            at = position + length;
    }
    return count;
}

static void swap_near(struct sent *sent, uint32_t count, uint32_t reach)
{
    for (uint32_t i = 0; reach && i + 1 < count; i++) {
        uint32_t j = i + random_u32() % (reach + 1);
        if (random_u32() % 4 == 0 && j < count) {
            struct sent swap = sent[i];
            sent[i] = sent[j];
            sent[j] = swap;
        }
    }
}

static uint32_t last_of(const struct sent *sent, uint32_t count)
{
    uint32_t last = 0;

    for (uint32_t i = 0; i < count; i++)
        if (sent[i].position + sent[i].length > last)
            last = sent[i].position + sent[i].length;
    return last;
}

/** Nothing is lost: every byte is handed out once, in order, without a gap. */
static void test_random_without_loss(void **state)
{
    (void)state;
    static struct sent sent[1000];

    for (uint32_t run = 0; run < 150; run++) {
        struct bench *b = begin(0xffff0000 + random_u32() % 65536);
        uint32_t count = make_segments(sent, 1000, 200000 + random_u32() % 100000, run & 1);
        uint32_t last = last_of(sent, count);
        uint64_t bytes = 0;

        swap_near(sent, count, run % 20);
        handshake(b);
        for (uint32_t i = 0; i < count; i++) {
            send(b, sent[i].position, sent[i].length);
            bytes += sent[i].length;
            if (random_u32() % 8 == 0) {
                const struct sent *again = &sent[random_u32() % (i + 1)];
                send(b, again->position, again->length);
                bytes += again->length;
            }
        }
        assert_int_equal(b->gaps, 0);
        assert_int_equal(b->delivered, last - 1);
        assert_int_equal(b->bytes.duplicate, bytes - (last - 1));
        assert_int_equal(b->bytes.held, 0);
        assert_int_equal(b->violations[FT_STREAM_OVERLAP_DIFFERS], 0);
        assert_int_equal(b->position, last);
        finish(b);
    }
}

/** Loss, snap lengths, time, acknowledgements early and late, tight bounds. */
static void test_random_with_loss(void **state)
{
    (void)state;
    static struct sent sent[1000];
    static uint8_t came[POSITIONS];
    uint64_t gaps = 0, late = 0;

    for (uint32_t run = 0; run < 300; run++) {
        struct ft_flow_config config;
        ft_flow_config_init(&config);
        if (run % 3 == 1) {
            config.held_count_max = 1 + random_u32() % 8;
            config.held_bytes_max = 1 + random_u32() % 10000;
            config.segments_per_shard = 1 + random_u32() % 8;
        }
        struct bench *b = begin_with(&config, 0xffff0000 + random_u32() % 65536);
        uint32_t count = make_segments(sent, 1000, 200000, run & 1), acked = 1;
        uint64_t tick = b->time_ns;

        memset(came, 0, 300000);
        swap_near(sent, count, run % 50);
        b->position = 1;
        if (run % 5)
            handshake(b);
        else
            b->has_empty_gap = true;
        for (uint32_t i = 0; i < count; i++) {
            if (random_u32() % 10 == 0)
                continue;
            uint32_t length = sent[i].length;
            if (run % 4 == 3 && random_u32() % 10 == 0)
                length = random_u32() % length;
            send_cut(b, FT_TCP_ACK, sent[i].position, length, sent[i].length, 0);
            memset(came + sent[i].position, 1, length);
            if (sent[i].position + sent[i].length > acked)
                acked = sent[i].position + sent[i].length;
            if (run % 5 && random_u32() % 3 == 0)
                acknowledge(b, acked - random_u32() % 2000 % acked);
            b->time_ns += random_u32() % (S / 20);
            if (b->time_ns >= tick + S) {
                uint64_t received = b->delivered + b->bytes.duplicate + b->bytes.held;
                tick = b->time_ns;
                ft_stream_tick(b->table, 0, tick, &g_ops, b, &b->bytes);
                check_books(b, received);
            }
        }
        flush(b);
        /* the stream reaches as far as it was seen, by bytes and by gaps */
        if (run % 5)
            assert_int_equal(b->delivered - b->late + b->lost, b->position - 1);
        /* what came was handed out, unless it came after the hole was forgotten */
        uint32_t missed = 0;
        for (uint32_t i = 1; i < b->position; i++) {
            assert_true(b->seen[i] <= came[i]);
            missed += b->seen[i] < came[i];
        }
        assert_true(missed <= b->bytes.duplicate);
        gaps += b->gaps - b->empty_gaps;
        late += b->late;
        ft_flow_table_free(b->table);
    }
    assert_true(gaps > 1000);
    assert_true(late > 1000);
}

/** Anything at all: flags, lengths, positions. Only the books and the pool are checked. */
static void test_random_nonsense(void **state)
{
    (void)state;
    static uint8_t payload[65536];

    memset(payload, FORGED, sizeof(payload));
    for (uint32_t run = 0; run < 200; run++) {
        struct bench *b = begin(random_u32());

        b->is_nonsense = true;
        for (uint32_t i = 0; i < 1000; i++) {
            uint32_t kind = random_u32(), position = POSITIONS + random_u32() % 100000;
            uint32_t length = random_u32() % (kind & 64 ? 3000 : 20), wirelen = length;
            if (kind % 32 == 0)
                position = random_u32();
            if (kind % 16 == 1)
                wirelen = random_u32() >> kind % 29 | length;
            uint8_t flags = kind % 8 == 2 ? (uint8_t)(kind >> 8) : FT_TCP_ACK;
            take(b, kind >> 16 & 1, flags, position, payload, length, wirelen, random_u32());
            b->time_ns += random_u32() % (S / 10);
        }
        flush(b);
        ft_flow_table_free(b->table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handshake_and_data),
        cmocka_unit_test(test_syn_ack_alone_names_both_starts),
        cmocka_unit_test(test_syn_with_data),
        cmocka_unit_test(test_another_syn),
        cmocka_unit_test(test_acknowledged_hole),
        cmocka_unit_test(test_unacknowledged_hole),
        cmocka_unit_test(test_cut_is_not_unseen),
        cmocka_unit_test(test_end_of_stream),
        cmocka_unit_test(test_end_of_both),
        cmocka_unit_test(test_one_direction_is_not_loss),
        cmocka_unit_test(test_midstream),
        cmocka_unit_test(test_keep_alive_and_window_probe),
        cmocka_unit_test(test_retransmissions),
        cmocka_unit_test(test_reordered),
        cmocka_unit_test(test_overlaps),
        cmocka_unit_test(test_overlap_with_other_content),
        cmocka_unit_test(test_hole_acknowledged),
        cmocka_unit_test(test_acknowledged_hole_and_much_that_waits),
        cmocka_unit_test(test_hole_on_a_silent_flow_ends_at_a_tick),
        cmocka_unit_test(test_hole_that_shrinks_keeps_its_age),
        cmocka_unit_test(test_hole_of_one_direction),
        cmocka_unit_test(test_tap_ports_inverted),
        cmocka_unit_test(test_hole_that_fills_late),
        cmocka_unit_test(test_forged_segment_ahead),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_jumps),
        cmocka_unit_test(test_cut_packets),
        cmocka_unit_test(test_fin_and_data_after_it),
        cmocka_unit_test(test_fin_that_waits),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_end_of_flow_gives_blocks_back),
        cmocka_unit_test(test_who_brought_it),
        cmocka_unit_test(test_data_left_by_longjmp),
        cmocka_unit_test(test_random_without_loss),
        cmocka_unit_test(test_random_with_loss),
        cmocka_unit_test(test_random_nonsense),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
