/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tests of the framer with a toy protocol that uses every answer of frame(). A unit is 0xa5, a
 * letter, and
 *   P u16 length   a PDU of that many bytes in all        S u16 n     n bytes to skip
 *   L text \n      a PDU with a delimiter                 C           until close
 *   O              opaque                                 X           switch to "next"
 *   Z              a PDU of no bytes (wrong)              N           wants more than max_pdu
 *   M text \r\n    a PDU with a delimiter of two bytes
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "dissect/framer.h"
#include "dissect/state.h"

#define MAX_PDU 200u
#define MAGIC   0xa5

struct seen {
    uint32_t length, whole;
    uint64_t hash;
    bool truncated;
};

static struct seen seen[4096];
static unsigned seen_count, frame_calls, bytes_scanned;
static struct ft_state shard;
static struct ft_stream_bytes bytes;
static struct ft_context context;
static struct ft_framer framer;
static struct ft_framer_call call;
static uint64_t given, not_taken;
static jmp_buf escape;
static bool will_fault;

/* As doc/writing-a-dissector.md shows it. */
static struct ft_frame frame_line(struct ft_context *ctx, struct ft_view stream)
{
    int64_t end = ft_find_u8(&stream, '\n', ctx->scanned);
    return end < 0 ? ft_frame(FT_FRAME_DELIMITER, stream.len)
                   : ft_frame(FT_FRAME_PDU, (uint32_t)end + 1);
}

static struct ft_frame toy_frame(struct ft_context *ctx, struct ft_view v)
{
    frame_calls++;
    assert_true(v.len > 0);
    assert_true(ctx->scanned == 0 || (ctx->scanned < v.len && strchr("LM", v.data[1])));
    if (v.data[0] != MAGIC)
        return ft_frame(FT_FRAME_NOT_MINE, 0);
    if (v.len < 2)
        return ft_frame(FT_FRAME_NEED, 2);
    int64_t end;
    struct ft_frame next = {.kind = FT_FRAME_SWITCH, .protocol = "next"};
    switch (v.data[1]) {
    case 'P':
    case 'S':
        if (v.len < 4)
            return ft_frame(FT_FRAME_NEED, 4);
        return ft_frame(v.data[1] == 'P' ? FT_FRAME_PDU : FT_FRAME_SKIP,
                        (uint32_t)v.data[2] << 8 | v.data[3]);
    case 'L':
        end = ft_find_u8(&v, '\n', ctx->scanned);
        bytes_scanned += (end < 0 ? v.len : (uint32_t)end + 1) - ctx->scanned;
        return frame_line(ctx, v);
    case 'M':
        for (uint32_t i = ctx->scanned; i + 1 < v.len; i++, bytes_scanned++)
            if (v.data[i] == '\r' && v.data[i + 1] == '\n')
                return ft_frame(FT_FRAME_PDU, i + 2);
        return ft_frame(FT_FRAME_DELIMITER, v.len - 1);
    case 'C':
        return ft_frame(FT_FRAME_UNTIL_CLOSE, 0);
    case 'O':
        return ft_frame(FT_FRAME_OPAQUE, 0);
    case 'X':
        return next;
    case 'Z':
        return ft_frame(FT_FRAME_PDU, 0);
    case 'N':
        return ft_frame(FT_FRAME_NEED, MAX_PDU + 1);
    default:
        return ft_frame(FT_FRAME_NOT_MINE, 0);
    }
}

static enum ft_verdict toy_probe(const struct ft_probe *where, struct ft_view v)
{
    assert_true(where->is_bound);
    if (v.len < 2)
        return v.len && v.data[0] == MAGIC ? FT_MAYBE : FT_NO;
    return v.data[0] == MAGIC && strchr("PSLMCOXZN", v.data[1]) && v.data[1] ? FT_YES : FT_NO;
}

static const struct ft_dissector toy = {.size = sizeof(toy),
                                        .abi = FT_ABI_VERSION,
                                        .name = "toy",
                                        .max_pdu = MAX_PDU,
                                        .sync = {.bytes = {MAGIC}, .length = 1},
                                        .probe = toy_probe,
                                        .frame = toy_frame};

static void on_pdu(void *user, const uint8_t *pdu, uint32_t length, uint32_t whole, bool truncated)
{
    assert_ptr_equal(user, &seen);
    assert_true(seen_count < sizeof(seen) / sizeof(seen[0]));
    if (will_fault)
        longjmp(escape, 1);
    seen[seen_count++] = (struct seen){length, whole, ft_hash_bytes(1, pdu, length), truncated};
}

static void restart_with(uint32_t small, uint32_t large)
{
    ft_state_free(&shard);
    assert_true(ft_state_init(&shard, 8, small, large));
    seen_count = frame_calls = bytes_scanned = 0;
    given = not_taken = 0;
    will_fault = false;
    memset(&bytes, 0, sizeof(bytes));
    memset(&framer, 0, sizeof(framer));
    memset(&context, 0, sizeof(context));
    context.size = sizeof(context);
    context.transport = FT_TRANSPORT_TCP;
    call = (struct ft_framer_call){.dissector = &toy,
                                   .context = &context,
                                   .pools = &shard.pools,
                                   .bytes = &bytes,
                                   .pdu = on_pdu,
                                   .user = &seen};
}

static int setup(void **state)
{
    (void)state;
    restart_with(4, 2);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ft_state_free(&shard);
    return 0;
}

static void assert_ledger(void)
{
    assert_int_equal(bytes.delivered + bytes.skipped + bytes.encrypted + bytes.resync + bytes.held +
                         not_taken,
                     given);
    assert_int_equal(bytes.held, framer.buffer ? framer.have : 0);
    assert_int_equal(shard.pools.lent, 0);
    assert_int_equal(shard.pools.small.used + shard.pools.large.used,
                     (framer.buffer != 0) + (shard.pools.rest != 0));
}

/* Give a piece in a block of exactly its size; the ledger must sum afterwards. */
static enum ft_framer_result give(const void *piece, uint32_t n)
{
    uint8_t *exact = malloc(n ? n : 1);
    assert_non_null(exact);
    memcpy(exact, piece, n);
    enum ft_framer_result result = ft_framer_data(&framer, &call, exact, n);
    given += n;
    assert_true(call.consumed <= n);
    if (result == FT_FRAMER_GOING)
        assert_int_equal(call.consumed, n);
    not_taken += n - call.consumed + call.rest_length;
    assert_ledger();
    free(exact);
    return result;
}

static void gap(uint32_t lost)
{
    ft_framer_gap(&framer, &call, lost);
    assert_ledger();
}

/* Append a unit to `to`; returns its length. */
static uint32_t put_unit(uint8_t *to, char kind, uint32_t n)
{
    to[0] = MAGIC;
    to[1] = (uint8_t)kind;
    if (kind == 'L' || kind == 'M') {
        memset(to + 2, 'x', n - 3);
        if (kind == 'M')
            to[n - 2] = '\r';
        to[n - 1] = '\n';
        return n;
    }
    to[2] = (uint8_t)(n >> 8);
    to[3] = (uint8_t)n;
    for (uint32_t i = 4; i < n; i++)
        to[i] = (uint8_t)(i * 7 + n);
    return n;
}

/* A stream of all harmless kinds, short, long and overlong. */
static uint32_t make_stream(uint8_t *to)
{
    uint32_t n = 0;
    n += put_unit(to + n, 'P', 4);
    n += put_unit(to + n, 'P', 90);
    n += put_unit(to + n, 'L', 3);
    n += put_unit(to + n, 'L', MAX_PDU);
    n += put_unit(to + n, 'S', 70);
    n += put_unit(to + n, 'P', MAX_PDU);
    n += put_unit(to + n, 'P', MAX_PDU + 1);
    n += put_unit(to + n, 'P', 900);
    n += put_unit(to + n, 'S', 1000);
    n += put_unit(to + n, 'L', 50);
    n += put_unit(to + n, 'P', 5);
    return n;
}

#define STREAM_PDUS 9

static void test_one_piece(void **state)
{
    (void)state;
    uint8_t stream[4096];
    uint32_t n = make_stream(stream);
    assert_int_equal(give(stream, n), FT_FRAMER_GOING);
    static const uint32_t whole[STREAM_PDUS] = {4,           90,  3,  MAX_PDU, MAX_PDU,
                                                MAX_PDU + 1, 900, 50, 5};
    assert_int_equal(seen_count, STREAM_PDUS);
    for (unsigned i = 0; i < STREAM_PDUS; i++) {
        assert_int_equal(seen[i].whole, whole[i]);
        assert_int_equal(seen[i].length, whole[i] < MAX_PDU ? whole[i] : MAX_PDU);
        assert_int_equal(seen[i].truncated, whole[i] > MAX_PDU);
    }
    assert_int_equal(bytes.skipped, 70 + 1000 + 1 + 700);
    assert_int_equal(bytes.held + bytes.resync + bytes.encrypted, 0);
    /* in one piece everything lies where it came: nothing was copied */
    assert_int_equal(shard.pools.small.used_max + shard.pools.large.used_max, 0);
}

/* However the stream is cut into segments, the PDUs are the same. */
static void test_all_splits_are_equal(void **state)
{
    (void)state;
    uint8_t stream[4096];
    uint32_t n = make_stream(stream), x = 1;
    struct seen whole[STREAM_PDUS];
    give(stream, n);
    memcpy(whole, seen, sizeof(whole));
    for (uint32_t round = 0; round < n + 400; round++) {
        restart_with(4, 2);
        for (uint32_t at = 0; at < n;) {
            uint32_t piece = n - at;
            if (round < n) { /* two pieces, cut anywhere */
                piece = at ? n - at : round;
            } else {
                x = x * 1664525u + 1013904223u;
                piece = 1 + (x >> 16) % (1u << (x >> 28) % 9);
            }
            piece = piece < n - at ? piece : n - at;
            assert_int_equal(give(stream + at, piece), FT_FRAMER_GOING);
            if (!piece) /* an empty piece is nothing */
                assert_int_equal(give(stream, n), FT_FRAMER_GOING);
            at += piece ? piece : n;
        }
        assert_int_equal(seen_count, STREAM_PDUS);
        assert_memory_equal(seen, whole, sizeof(whole));
        assert_int_equal(bytes.skipped, 70 + 1000 + 1 + 700);
        assert_int_equal(framer.buffer, 0);
    }
}

static void test_segments_of_one_byte(void **state)
{
    (void)state;
    uint8_t stream[4096];
    uint32_t n = make_stream(stream);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(give(stream + i, 1), FT_FRAMER_GOING);
    assert_int_equal(seen_count, STREAM_PDUS);
    assert_int_equal(shard.pools.small.used, 0);
    /* frame() is asked when what it needs is here, not at each byte; delimiters at each */
    assert_in_range(frame_calls, 1, 11 * 3 + 3 + MAX_PDU + 50);
}

/* A delimited unit is looked at once a piece, not once a byte. */
static void test_delimiter_takes_whole_pieces(void **state)
{
    (void)state;
    uint8_t line[MAX_PDU];
    put_unit(line, 'L', MAX_PDU);
    give(line, 10);
    give(line + 10, 100);
    give(line + 110, MAX_PDU - 110);
    assert_int_equal(seen_count, 1);
    assert_int_equal(frame_calls, 3);
    /* what follows the delimiter in the same piece is framed too, with its tail kept */
    uint8_t two[64];
    uint32_t n = put_unit(two, 'L', 20);
    n += put_unit(two + n, 'L', 10);
    n += put_unit(two + n, 'P', 30);
    give(two, 15);
    give(two + 15, n - 15 - 3);
    assert_int_equal(seen_count, 3);
    assert_int_equal(bytes.held, 27);
    give(two + n - 3, 3);
    assert_int_equal(seen_count, 4);
    assert_int_equal(seen[3].length, 30);
    assert_int_equal(framer.buffer, 0);
}

/* However a line comes, frame() reads its bytes once: the counts are those of one piece. */
static void test_delimiter_is_not_searched_twice(void **state)
{
    (void)state;
    uint8_t stream[3 * MAX_PDU];
    uint32_t n = put_unit(stream, 'L', MAX_PDU);
    n += put_unit(stream + n, 'M', MAX_PDU);
    n += put_unit(stream + n, 'L', 90);
    for (uint32_t piece = 1; piece <= n; piece++) {
        restart_with(4, 2);
        for (uint32_t at = 0; at < n; at += piece)
            give(stream + at, piece < n - at ? piece : n - at);
        assert_int_equal(seen_count, 3);
        assert_int_equal(seen[0].length, MAX_PDU);
        assert_int_equal(seen[1].length, MAX_PDU);
        assert_int_equal(seen[2].length, 90);
        assert_in_range(bytes_scanned, n - 2, n);
        assert_in_range(frame_calls, 3, 3 + n);
    }
}

/* What was scanned is said of these bytes only: not of the next unit, nor of what follows a gap. */
static void test_scanned_ends_with_its_unit(void **state)
{
    (void)state;
    uint8_t line[50];
    put_unit(line, 'L', 50);
    give(line, 40);
    assert_int_equal(framer.mode, FT_FRAMER_LINE);
    gap(10);
    assert_int_equal(bytes.resync, 40);
    give(line, 50);
    assert_int_equal(seen_count, 1);
    give(line, 40);
    give("\n\xa5L\n\xa5P\0\5.\xa5L", 11);
    assert_int_equal(seen_count, 4);
    assert_int_equal(seen[1].length, 41);
    assert_int_equal(seen[2].length, 3);
    give("\n", 1);
    assert_int_equal(seen_count, 5);
    give(line, 40);
    ft_framer_end(&framer, &shard.pools, &bytes);
    assert_int_equal(bytes.skipped, 40);
    give(line, 50);
    assert_int_equal(seen_count, 6);
}

/* A dissector that says it has scanned more than there is reads no further than that. */
static struct ft_frame boastful_frame(struct ft_context *ctx, struct ft_view v)
{
    struct ft_frame frame = toy_frame(ctx, v);
    if (frame.kind == FT_FRAME_DELIMITER)
        frame.length += 1000;
    return frame;
}

static void test_scanned_beyond_the_bytes(void **state)
{
    (void)state;
    struct ft_dissector boastful = toy;
    boastful.frame = boastful_frame;
    call.dissector = &boastful;
    uint8_t line[50];
    put_unit(line, 'L', 50);
    give(line, 49);
    assert_int_equal(framer.need, 49);
    give(line + 49, 1);
    assert_int_equal(seen_count, 1);
}

static void test_delimiter_that_never_comes(void **state)
{
    (void)state;
    uint8_t line[2 * MAX_PDU];
    memset(line, 'x', sizeof(line));
    line[0] = MAGIC;
    line[1] = 'L';
    assert_int_equal(give(line, MAX_PDU - 1), FT_FRAMER_GOING);
    assert_int_equal(give(line + MAX_PDU - 1, MAX_PDU), FT_FRAMER_NOT_MINE);
    assert_int_equal(call.rest_length, MAX_PDU);
    ft_framer_rest_done(&shard.pools);
    assert_int_equal(seen_count, 0);
}

/* A PDU longer than max_pdu is told as its beginning, wherever the segments end. */
static void test_overlong_pdu(void **state)
{
    (void)state;
    uint8_t stream[2000];
    uint32_t n = put_unit(stream, 'P', 1500);
    n += put_unit(stream + n, 'P', 10);
    for (uint32_t cut = 0; cut < n; cut += 50) {
        restart_with(4, 2);
        give(stream, cut);
        give(stream + cut, n - cut);
        assert_int_equal(seen_count, 2);
        assert_int_equal(seen[0].length, MAX_PDU);
        assert_int_equal(seen[0].whole, 1500);
        assert_true(seen[0].truncated);
        assert_int_equal(seen[1].whole, 10);
        assert_int_equal(bytes.skipped, 1500 - MAX_PDU);
    }
}

static void test_until_close_and_opaque(void **state)
{
    (void)state;
    give("\xa5"
         "C and then",
         10);
    give("more", 4);
    assert_int_equal(bytes.skipped, 14);
    gap(100);
    give("\xa5P\0\5.", 5);
    assert_int_equal(bytes.skipped, 19);
    assert_int_equal(seen_count, 0);
    restart_with(4, 2);
    give("\xa5", 1);
    give("O", 1);
    give("secret", 6);
    assert_int_equal(bytes.encrypted, 8);
    assert_int_equal(framer.mode, FT_FRAMER_OPAQUE);
}

static void test_switch(void **state)
{
    (void)state;
    assert_int_equal(give("\xa5P\0\5.\xa5X???", 10), FT_FRAMER_SWITCHED);
    assert_string_equal(call.next, "next");
    assert_int_equal(call.consumed, 5);
    assert_int_equal(call.rest_length, 0);
    assert_int_equal(seen_count, 1);
}

/* The bytes that frame() waited for belong to the next protocol, not to nobody. */
static void test_switch_gives_kept_bytes_back(void **state)
{
    (void)state;
    give("\xa5P\0\5.\xa5", 6);
    assert_int_equal(bytes.held, 1);
    assert_int_equal(give("Xtail", 5), FT_FRAMER_SWITCHED);
    assert_int_equal(call.consumed, 1);
    assert_int_equal(call.rest_length, 2);
    assert_memory_equal(call.rest, "\xa5X", 2);
    ft_framer_rest_done(&shard.pools);
    assert_ledger();
}

static void test_not_mine(void **state)
{
    (void)state;
    assert_int_equal(give("GET / HTTP/1.1", 14), FT_FRAMER_NOT_MINE);
    assert_int_equal(call.consumed, 0);
    restart_with(4, 2);
    assert_int_equal(give("\xa5P\0\5.GET", 8), FT_FRAMER_NOT_MINE);
    assert_int_equal(call.consumed, 5);
    assert_int_equal(seen_count, 1);
    restart_with(4, 2);
    give("\xa5", 1);
    assert_int_equal(give("?x", 2), FT_FRAMER_NOT_MINE);
    assert_int_equal(call.rest_length, 2);
    assert_memory_equal(call.rest, "\xa5?", 2);
    ft_framer_rest_done(&shard.pools);
}

/* Answers that make no sense end the protocol instead of looping. */
static void test_senseless_answers(void **state)
{
    (void)state;
    assert_int_equal(give("\xa5Z", 2), FT_FRAMER_NOT_MINE);
    restart_with(4, 2);
    assert_int_equal(give("\xa5S\0\0", 4), FT_FRAMER_NOT_MINE);
    restart_with(4, 2);
    assert_int_equal(give("\xa5N", 2), FT_FRAMER_NOT_MINE);
}

static void test_gap_in_a_pdu(void **state)
{
    (void)state;
    uint8_t pdu[100];
    put_unit(pdu, 'P', 100);
    give(pdu, 60);
    gap(10);
    assert_int_equal(bytes.resync, 60);
    assert_int_equal(framer.buffer, 0);
    /* the rest of that PDU is skipped, what follows in the same segment begins a PDU */
    assert_int_equal(framer.mode, FT_FRAMER_SKIP);
    give("0123456789012345678901234\xa5?..\xa5\xa5P\0\5.", 35);
    assert_int_equal(bytes.skipped, 30);
    assert_int_equal(seen_count, 1);
}

static void test_gap_of_the_rest_of_a_pdu(void **state)
{
    (void)state;
    uint8_t pdu[100];
    put_unit(pdu, 'P', 100);
    give(pdu, 60);
    gap(40);
    assert_int_equal(framer.mode, FT_FRAMER_PDU);
    give("\xa5P\0\5.", 5);
    assert_int_equal(seen_count, 1);
}

/* Beyond the end of the PDU, of unknown length, in a unit without a length: look for the next. */
static void test_gap_that_loses_the_place(void **state)
{
    (void)state;
    uint8_t pdu[100];
    put_unit(pdu, 'P', 100);
    give(pdu, 60);
    gap(41);
    assert_int_equal(framer.mode, FT_FRAMER_RESYNC);
    give("\xa5P\0\5.", 5);
    give(pdu, 60);
    gap(0);
    assert_int_equal(framer.mode, FT_FRAMER_RESYNC);
    give("\xa5P\0\5.", 5);
    give("\xa5Labc", 5);
    gap(1);
    assert_int_equal(framer.mode, FT_FRAMER_RESYNC);
    give("\xa5P\0\5.", 5);
    assert_int_equal(seen_count, 3);
}

static void test_gap_finds_the_sync_literal_inside_a_segment(void **state)
{
    (void)state;
    gap(1000);
    give("xyz\xa5?\xa5P\0\6..\xa5P\0\4", 15);
    assert_int_equal(bytes.resync, 5);
    assert_int_equal(seen_count, 2);
    assert_int_equal(seen[0].length, 6);
}

static void test_gap_in_skipped_bytes(void **state)
{
    (void)state;
    give("\xa5S\0\144....", 8); /* 100 bytes: 92 left */
    gap(50);
    assert_int_equal(framer.need, 42);
    give("0123456789", 10);
    gap(32);
    assert_int_equal(framer.mode, FT_FRAMER_PDU);
    give("\xa5P\0\5.", 5);
    assert_int_equal(seen_count, 1);
    give("\xa5S\0\144....", 8);
    gap(93);
    assert_int_equal(framer.mode, FT_FRAMER_RESYNC);
    give("..\xa5P\0\5.", 7);
    assert_int_equal(seen_count, 2);
    assert_int_equal(bytes.resync, 2);
}

static void test_midstream_begins_in_resync(void **state)
{
    (void)state;
    context.is_midstream = true;
    assert_int_equal(give("the end of something", 20), FT_FRAMER_GOING);
    assert_int_equal(bytes.resync, 20);
    give("\xa5P\0\5.", 5);
    assert_int_equal(seen_count, 1);
    assert_int_equal(framer.doubt, 2);
    /* in the middle of a flow, what is not a PDU is looked over, not refused */
    assert_int_equal(give("oops\xa5P\0\4", 8), FT_FRAMER_GOING);
    assert_int_equal(seen_count, 2);
    assert_int_equal(bytes.resync, 24);
}

static void test_resync_by_single_bytes(void **state)
{
    /* the rest of a PDU, a start that proves wrong, one that overlaps with the right one */
    uint8_t stream[64] = {1, 2, 3, MAGIC, 'q', 4, MAGIC};
    uint32_t n = 7;
    (void)state;
    n += put_unit(stream + n, 'P', 30);
    n += put_unit(stream + n, 'P', 20);
    context.is_midstream = true;
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(give(stream + i, 1), FT_FRAMER_GOING);
    assert_int_equal(seen_count, 2);
    assert_int_equal(seen[0].length, 30);
    assert_int_equal(seen[1].length, 20);
    assert_int_equal(bytes.resync, 7);
}

static void test_resync_inside_a_segment_wants_a_whole_pdu(void **state)
{
    uint8_t piece[64] = {1, 2, 3}, unit[30];
    (void)state;
    put_unit(piece + 3, 'P', 40);
    put_unit(unit, 'P', sizeof(unit));
    context.is_midstream = true;
    /* By chance the literal and a kind: the PDU it would begin swallows the next one. */
    give(piece, 20);
    assert_int_equal(bytes.resync, 20);
    give(unit, sizeof(unit));
    assert_int_equal(seen_count, 1);
    assert_int_equal(seen[0].length, sizeof(unit));
}

static void test_resync_gives_up(void **state)
{
    (void)state;
    gap(1);
    unsigned pieces = 0;
    while (give("nothing of ours", 15) == FT_FRAMER_GOING)
        assert_true(++pieces < 100);
    assert_in_range(pieces, 16, 64);
    assert_int_equal(call.consumed, 15);
}

static void test_without_frame_a_piece_is_a_pdu(void **state)
{
    (void)state;
    struct ft_dissector plain = toy;
    plain.frame = NULL;
    call.dissector = &plain;
    give("one", 3);
    give("three", 5);
    assert_int_equal(seen_count, 2);
    assert_int_equal(seen[1].length, 5);
}

static void test_without_buffers_it_resyncs(void **state)
{
    (void)state;
    uint8_t pdu[100];
    put_unit(pdu, 'P', 100);
    uint32_t taken[8];
    unsigned n = 0;
    while (n < 8 && (taken[n] = ft_buffer_get(&shard.pools, 1)))
        n++;
    ft_framer_data(&framer, &call, pdu, 60);
    assert_int_equal(bytes.resync, 60);
    assert_int_equal(framer.mode, FT_FRAMER_RESYNC);
    while (n)
        ft_buffer_put(&shard.pools, taken[--n]);
    given = 60;
    give(pdu, 100);
    assert_int_equal(seen_count, 1);
    assert_int_equal(framer.buffer, 0);
}

/* A unit that outgrows the small buffers moves to a large one; without one it is given up. */
static void test_large_units(void **state)
{
    (void)state;
    struct ft_dissector large = toy;
    large.max_pdu = 60000;
    uint8_t *unit = malloc(50000);
    assert_non_null(unit);
    for (unsigned large_buffers = 1; large_buffers <= 2; large_buffers++) {
        for (unsigned kind = 0; kind < 2; kind++) {
            restart_with(2, large_buffers);
            call.dissector = &large;
            uint32_t hog = large_buffers == 1 ? ft_buffer_get(&shard.pools, 50000) : 0;
            put_unit(unit, kind ? 'L' : 'P', 50000);
            given += 50000;
            for (uint32_t at = 0; at < 50000; at += 1000)
                assert_int_equal(ft_framer_data(&framer, &call, unit + at, 1000), FT_FRAMER_GOING);
            assert_int_equal(seen_count, !hog);
            assert_int_equal(bytes.delivered + bytes.resync, 50000);
            ft_buffer_put(&shard.pools, hog);
            assert_ledger();
        }
    }
    free(unit);
}

static void test_end_counts_what_was_kept(void **state)
{
    (void)state;
    give("\xa5P\0\20...", 7);
    assert_int_equal(bytes.held, 7);
    ft_framer_end(&framer, &shard.pools, &bytes);
    assert_int_equal(bytes.held, 0);
    assert_int_equal(bytes.skipped, 7);
    assert_int_equal(shard.pools.small.used, 0);
    assert_int_equal(framer.mode, FT_FRAMER_START);
}

/* A dissector that faults is left by a jump: no buffer may be lost by that. */
static void test_abandoned_call(void **state)
{
    (void)state;
    uint8_t stream[128];
    const uint32_t n = 60;
    put_unit(stream, 'P', 20);
    put_unit(stream + 20, 'L', 40);
    for (volatile uint32_t cut = 1; cut < n; cut++) {
        restart_with(4, 2);
        will_fault = true;
        if (!setjmp(escape)) {
            ft_framer_data(&framer, &call, stream, cut);
            will_fault = cut > 20;
            ft_framer_data(&framer, &call, stream + cut, n - cut);
        }
        ft_framer_abandon(&shard.pools);
        ft_framer_end(&framer, &shard.pools, &bytes);
        assert_int_equal(shard.pools.small.used, 0);
        assert_int_equal(shard.pools.large.used, 0);
    }
}

/* Noise with units in it, in random pieces with random gaps: it never loops, the ledger sums. */
static void test_noise(void **state)
{
    (void)state;
    static const char kinds[] = "PPPPLLSZN?XCO";
    uint8_t piece[600];
    uint64_t x = 99;
    for (unsigned round = 0; round < 300; round++) {
        restart_with(2, 1);
        context.is_midstream = round % 3 == 0;
        for (unsigned i = 0; i < 60; i++) {
            x = ft_hash_mix(x, i);
            uint32_t n = 1 + (uint32_t)(x >> 8) % 500, at = 0;
            for (uint32_t b = 0; b < n; b++)
                piece[b] = (uint8_t)ft_hash_mix(x, b);
            while (x & 1 && at + 60 < n)
                at += put_unit(piece + at, kinds[(x >> at % 32) % (i < 50 ? 10 : 13)],
                               5 + (uint32_t)(x >> 20) % 50);
            if ((x >> 40) % 16 == 0)
                gap((uint32_t)(x >> 44) % 300);
            if (give(piece, n) != FT_FRAMER_GOING) {
                ft_framer_rest_done(&shard.pools);
                framer = (struct ft_framer){0};
            }
        }
        ft_framer_end(&framer, &shard.pools, &bytes);
        assert_ledger();
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_one_piece),
        TEST(test_all_splits_are_equal),
        TEST(test_segments_of_one_byte),
        TEST(test_delimiter_takes_whole_pieces),
        TEST(test_delimiter_is_not_searched_twice),
        TEST(test_scanned_ends_with_its_unit),
        TEST(test_scanned_beyond_the_bytes),
        TEST(test_delimiter_that_never_comes),
        TEST(test_overlong_pdu),
        TEST(test_until_close_and_opaque),
        TEST(test_switch),
        TEST(test_switch_gives_kept_bytes_back),
        TEST(test_not_mine),
        TEST(test_senseless_answers),
        TEST(test_gap_in_a_pdu),
        TEST(test_gap_of_the_rest_of_a_pdu),
        TEST(test_gap_that_loses_the_place),
        TEST(test_gap_finds_the_sync_literal_inside_a_segment),
        TEST(test_gap_in_skipped_bytes),
        TEST(test_midstream_begins_in_resync),
        TEST(test_resync_by_single_bytes),
        TEST(test_resync_inside_a_segment_wants_a_whole_pdu),
        TEST(test_resync_gives_up),
        TEST(test_without_frame_a_piece_is_a_pdu),
        TEST(test_without_buffers_it_resyncs),
        TEST(test_large_units),
        TEST(test_end_counts_what_was_kept),
        TEST(test_abandoned_call),
        TEST(test_noise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
