/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The defragmenter against every order of a datagram's fragments, against a reference that keeps
 * the whole datagram, and against fragments made to deceive or exhaust it.
 */
#include "packet/defrag.h"

#include "frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct ft_decode_config config;
static struct ft_defrag *defrag;
static uint8_t buffer[70000];
static struct ft_packet whole;
static uint32_t next_id = 1;

static uint64_t state = 88172645463325252ull;

static uint32_t next_random(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 20) % below;
}

static int setup(void **unused)
{
    (void)unused;
    ft_decode_config_init(&config);
    config.verify_checksums = true;
    defrag = ft_defrag_new(8);
    return defrag ? 0 : -1;
}

static int teardown(void **unused)
{
    (void)unused;

    struct ft_defrag_stats s = ft_defrag_stats(defrag);

    /* The books close after every test. */
    assert_int_equal(s.fragments,
                     s.completed + s.held + s.expired + s.evicted + s.impossible + s.refused);
    ft_defrag_free(defrag);
    return 0;
}

/* ---- fragments ----------------------------------------------------------------------------- */

struct piece {
    uint32_t offset, len;
    bool has_more;
};

static void fragment_v4(struct frame *f, uint32_t id, const struct piece *piece,
                        const uint8_t *data)
{
    frame_begin(f);
    ethernet(f, 0x8100);
    vlan(f, 5, 42, 0x0800);
    open_ipv4(f, 17);
    set16(f->bytes + 18 + 4, id);
    set16(f->bytes + 18 + 6, (piece->has_more ? 0x2000 : 0) | piece->offset / 8);
    put(f, data + piece->offset, piece->len);
    frame_end(f);
}

/* With a hop-by-hop header before the fragment header. */
static void fragment_v6(struct frame *f, uint32_t id, const struct piece *piece,
                        const uint8_t *data)
{
    frame_begin(f);
    ethernet(f, 0x86dd);
    open_ipv6(f, 0);
    put(f, "\x2c\x00\x01\x04\0\0\0\0", 8);
    put16(f, 17 << 8);
    put16(f, piece->offset | piece->has_more);
    put32(f, id);
    put(f, data + piece->offset, piece->len);
    frame_end(f);
}

static enum ft_defrag_result add_at(const struct frame *f, uint64_t time_ns, uint8_t *bucket)
{
    struct ft_packet p = packet_on(f->bytes, f->len, f->len, FT_LINKTYPE_ETHERNET);

    p.time_ns = time_ns;
    assert_int_equal(ft_packet_decode(&config, &p), FT_DECODE_FRAGMENT);
    assert_true(p.flags & FT_PACKET_FRAGMENT);

    enum ft_defrag_result result = ft_defrag_add(defrag, &p, buffer, sizeof(buffer), &whole);

    *bucket = p.bucket;
    packet_free(&p);
    return result;
}

static enum ft_defrag_result add(const struct frame *f)
{
    uint8_t bucket;

    return add_at(f, 1000000000, &bucket);
}

/* A UDP datagram with a right checksum, as the data of an IP packet. */
static void udp_datagram(struct frame *f, bool is_ipv6, uint32_t len)
{
    static struct frame outside;

    frame_begin(&outside);
    if (is_ipv6)
        open_ipv6(&outside, 17);
    else
        open_ipv4(&outside, 17);

    uint32_t begin = outside.len;

    open_udp(&outside, 1000, 2000);
    for (uint32_t i = 0; i < len; i++)
        put8(&outside, i * 31 + (i >> 8));
    frame_end(&outside);
    frame_begin(f);
    put(f, outside.bytes + begin, outside.len - begin);
}

/* The packet that results decodes to the datagram as it was, its checksums right. */
static void expect_datagram(const struct frame *datagram, bool is_ipv6, uint32_t flags)
{
    struct ft_packet p = whole;

    assert_int_equal(p.number, 7);
    assert_int_equal(p.seq, 7);
    assert_int_equal(p.time_ns, 1000000000);
    assert_int_equal(p.stamp_ns, 1000000001);
    assert_int_equal(p.interface, 3);
    assert_int_equal(ft_packet_decode(&config, &p), FT_DECODED);
    assert_int_equal(p.flags & (FT_PACKET_REASSEMBLED | FT_PACKET_FRAGMENT_OVERLAP |
                                FT_PACKET_IP_CHECKSUM_BAD | FT_PACKET_L4_CHECKSUM_BAD |
                                FT_PACKET_FRAGMENT | FT_PACKET_CUT),
                     flags | FT_PACKET_REASSEMBLED);
    assert_int_equal(p.src_port, 1000);
    assert_int_equal(p.dst_port, 2000);
    assert_int_equal(p.payload_len, datagram->len - 8);
    assert_int_equal(p.payload_wirelen, datagram->len - 8);
    assert_memory_equal(p.data + p.payload, datagram->bytes + 8, datagram->len - 8);
    assert_true(p.flags & (is_ipv6 ? FT_PACKET_IPV6 : FT_PACKET_IPV4));
    if (!is_ipv6) {
        assert_int_equal(p.vlan[0], 42);
        assert_int_equal(p.priority, 5);
    }
}

static void (*const builders[2])(struct frame *, uint32_t, const struct piece *,
                                 const uint8_t *) = {fragment_v4, fragment_v6};

/* ---- every order --------------------------------------------------------------------------- */

static void add_in_order(const struct frame *datagram, const struct piece *pieces,
                         const unsigned *order, unsigned count, bool is_ipv6)
{
    static struct frame f;
    uint32_t id = next_id++;

    for (unsigned i = 0; i < count; i++) {
        builders[is_ipv6](&f, id, &pieces[order[i]], datagram->bytes);
        assert_int_equal(add(&f), i + 1 == count ? FT_DEFRAG_DONE : FT_DEFRAG_HELD);
    }
    expect_datagram(datagram, is_ipv6, 0);
}

static void permute(const struct frame *datagram, const struct piece *pieces, unsigned *order,
                    unsigned from, unsigned count, bool is_ipv6)
{
    if (from == count) {
        add_in_order(datagram, pieces, order, count, is_ipv6);
        return;
    }
    for (unsigned i = from; i < count; i++) {
        unsigned first = order[from];

        order[from] = order[i];
        order[i] = first;
        permute(datagram, pieces, order, from + 1, count, is_ipv6);
        order[i] = order[from];
        order[from] = first;
    }
}

static void test_every_order(void **unused)
{
    /* One spans blocks; the last has no multiple of eight. */
    static const struct piece pieces[] = {
        {0, 8, true}, {8, 1480, true}, {1488, 2560, true}, {4048, 1000, true}, {5048, 13, false},
    };
    static struct frame datagram;
    unsigned order[5] = {0, 1, 2, 3, 4};

    (void)unused;
    for (unsigned is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
        udp_datagram(&datagram, is_ipv6, 5061 - 8);
        permute(&datagram, pieces, order, 0, 5, is_ipv6);
    }
    assert_int_equal(ft_defrag_stats(defrag).datagrams, 240);
    assert_int_equal(ft_defrag_stats(defrag).held, 0);
}

/* ---- against a reference ------------------------------------------------------------------- */

/* Random pieces that overlap, with other bytes here and there: the first copy wins. */
static void test_random_overlaps(void **unused)
{
    static struct frame datagram, lie, f;
    static uint8_t expected[65536];
    static bool is_here[65536];

    (void)unused;
    for (unsigned round = 0; round < 300; round++) {
        uint32_t len = 9 + next_random(6000), id = next_id++, here = 0;
        bool is_different = false;
        enum ft_defrag_result result = FT_DEFRAG_HELD;

        udp_datagram(&datagram, round & 1, len - 8);
        memset(is_here, 0, sizeof(is_here));
        while (here < len) {
            struct piece piece = {.offset = next_random(len) & ~7u};

            piece.len = 8 + 8 * next_random(200);
            piece.has_more = piece.offset + piece.len < len;
            if (!piece.has_more)
                piece.len = len - piece.offset;
            if (piece.offset == 0 && !piece.has_more)
                continue;
            lie = datagram;
            if (next_random(4) == 0 && here)
                lie.bytes[piece.offset + next_random(piece.len)] ^= 1;
            for (uint32_t i = piece.offset; i < piece.offset + piece.len; i++) {
                if (is_here[i])
                    is_different |= expected[i] != lie.bytes[i];
                else
                    expected[i] = lie.bytes[i];
                here += !is_here[i];
                is_here[i] = true;
            }
            builders[round & 1](&f, id, &piece, lie.bytes);
            result = add(&f);
            assert_int_equal(result, here < len ? FT_DEFRAG_HELD : FT_DEFRAG_DONE);
        }
        assert_int_equal(!!(whole.flags & FT_PACKET_FRAGMENT_OVERLAP), is_different);
        assert_memory_equal(whole.data + whole.caplen - len, expected, len);
    }
}

/* ---- contradictions ------------------------------------------------------------------------ */

static void expect_add(uint32_t id, struct piece piece, const uint8_t *data,
                       enum ft_defrag_result result, enum ft_bucket bucket)
{
    static struct frame f;
    uint8_t got = FT_BUCKET_NONE;

    fragment_v4(&f, id, &piece, data);
    assert_int_equal(add_at(&f, 1000000000, &got), result);
    assert_int_equal(got, bucket);
}

static void test_contradicting_ends(void **unused)
{
    static struct frame datagram;

    (void)unused;
    udp_datagram(&datagram, false, 92);

    const uint8_t *data = datagram.bytes;

    /* The end is known: another end, and data beyond it. */
    expect_add(1, (struct piece){80, 20, false}, data, FT_DEFRAG_HELD, FT_BUCKET_NONE);
    expect_add(1, (struct piece){80, 16, false}, data, FT_DEFRAG_FAILED, FT_BUCKET_FRAGMENT);
    expect_add(1, (struct piece){96, 8, true}, data, FT_DEFRAG_FAILED, FT_BUCKET_FRAGMENT);
    expect_add(1, (struct piece){0, 40, true}, data, FT_DEFRAG_HELD, FT_BUCKET_NONE);
    expect_add(1, (struct piece){40, 40, true}, data, FT_DEFRAG_DONE, FT_BUCKET_NONE);
    expect_datagram(&datagram, false, FT_PACKET_FRAGMENT_OVERLAP);

    /* An end before data that is here. */
    expect_add(2, (struct piece){40, 40, true}, data, FT_DEFRAG_HELD, FT_BUCKET_NONE);
    expect_add(2, (struct piece){40, 20, false}, data, FT_DEFRAG_FAILED, FT_BUCKET_FRAGMENT);
    assert_int_equal(ft_defrag_stats(defrag).impossible, 3);
}

static void test_duplicates_are_harmless(void **unused)
{
    static struct frame datagram;

    (void)unused;
    udp_datagram(&datagram, false, 92);
    for (unsigned i = 0; i < 100; i++) {
        expect_add(1, (struct piece){80, 20, false}, datagram.bytes, FT_DEFRAG_HELD,
                   FT_BUCKET_NONE);
        expect_add(1, (struct piece){0, 40, true}, datagram.bytes, FT_DEFRAG_HELD, FT_BUCKET_NONE);
    }
    expect_add(1, (struct piece){40, 40, true}, datagram.bytes, FT_DEFRAG_DONE, FT_BUCKET_NONE);
    expect_datagram(&datagram, false, 0);
    assert_int_equal(ft_defrag_stats(defrag).completed, 201);
}

/* Datagrams with other protocol, identification, addresses or direction do not mix. */
static void test_keys_do_not_mix(void **unused)
{
    static struct frame datagram, f;
    static const struct piece first = {0, 40, true}, last = {40, 60, false};

    (void)unused;
    udp_datagram(&datagram, false, 92);
    fragment_v4(&f, 1, &first, datagram.bytes);
    assert_int_equal(add(&f), FT_DEFRAG_HELD);
    for (unsigned change = 0; change < 4; change++) {
        static const unsigned at[4] = {18 + 4, 18 + 9, 18 + 15, 18 + 19};

        fragment_v4(&f, 1, &last, datagram.bytes);
        f.bytes[at[change]] ^= 0x40;
        assert_int_equal(add(&f), FT_DEFRAG_HELD);
    }
    fragment_v4(&f, 1, &last, datagram.bytes);
    assert_int_equal(add(&f), FT_DEFRAG_DONE);
}

/* 8,191 fragments of eight bytes, every other one first. */
static void test_tiny_fragments(void **unused)
{
    static struct frame datagram, f;
    unsigned done = 0;

    (void)unused;
    udp_datagram(&datagram, false, 65515 - 8);
    for (uint32_t odd = 0; odd < 2; odd++) {
        for (uint32_t at = 8 * odd; at < datagram.len; at += 16) {
            uint32_t left = datagram.len - at;
            struct piece piece = {at, left > 8 ? 8 : left, left > 8};

            fragment_v4(&f, 9, &piece, datagram.bytes);
            done += add(&f) == FT_DEFRAG_DONE;
        }
    }
    assert_int_equal(done, 1);
    assert_int_equal(whole.caplen, 18 + 65535);
    expect_datagram(&datagram, false, 0);
}

/* The header of the first fragment is longer than those of the others were. */
static enum ft_defrag_result with_long_first_header(uint32_t most, uint8_t *bucket)
{
    static struct frame datagram, f;

    udp_datagram(&datagram, false, most - 8);
    for (uint32_t at = 8192; at < most; at += 8192) {
        uint32_t left = most - at;
        struct piece piece = {at, left > 8192 ? 8192 : left, left > 8192};

        fragment_v4(&f, 9, &piece, datagram.bytes);
        assert_int_equal(add(&f), FT_DEFRAG_HELD);
    }

    frame_begin(&f);
    ethernet(&f, 0x0800);
    open_ipv4(&f, 17);
    f.bytes[14] = 0x46;
    put32(&f, 0x01010101);
    set16(f.bytes + 14 + 4, 9);
    set16(f.bytes + 14 + 6, 0x2000);
    put(&f, datagram.bytes, 8192);
    frame_end(&f);
    return add_at(&f, 1000000000, bucket);
}

static void test_too_long_with_the_first_header(void **unused)
{
    uint8_t bucket;

    (void)unused;
    assert_int_equal(with_long_first_header(65535 - 23, &bucket), FT_DEFRAG_FAILED);
    assert_int_equal(bucket, FT_BUCKET_FRAGMENT);
    assert_int_equal(ft_defrag_stats(defrag).held, 0);
    assert_int_equal(with_long_first_header(65535 - 24, &bucket), FT_DEFRAG_DONE);
    assert_int_equal(whole.caplen, 14 + 65535);
    assert_int_equal(ft_defrag_stats(defrag).held, 0);
}

/* ---- bounds -------------------------------------------------------------------------------- */

static void test_eviction_takes_the_oldest(void **unused)
{
    static struct frame datagram;

    (void)unused;
    udp_datagram(&datagram, false, 92);
    for (uint32_t id = 1; id <= 9; id++)
        expect_add(id, (struct piece){0, 40, true}, datagram.bytes, FT_DEFRAG_HELD, FT_BUCKET_NONE);
    assert_int_equal(ft_defrag_stats(defrag).evicted, 1);
    expect_add(2, (struct piece){40, 60, false}, datagram.bytes, FT_DEFRAG_DONE, FT_BUCKET_NONE);
    expect_add(1, (struct piece){40, 60, false}, datagram.bytes, FT_DEFRAG_HELD, FT_BUCKET_NONE);
}

/* Eight datagrams of 64 KiB want 264 blocks where there are 64: old ones go, the newest completes.
 */
static void test_blocks_are_bounded(void **unused)
{
    static struct frame datagram, f;
    unsigned done = 0;

    (void)unused;
    udp_datagram(&datagram, false, 65000);
    for (uint32_t id = 1; id <= 8; id++) {
        for (uint32_t at = 0; at < datagram.len; at += 1480) {
            uint32_t left = datagram.len - at;
            struct piece piece = {at, left > 1480 ? 1480 : left, left > 1480};

            if (id < 8 && at == 1480)
                continue;
            fragment_v4(&f, id, &piece, datagram.bytes);
            done += add(&f) == FT_DEFRAG_DONE;
        }
    }
    assert_int_equal(done, 1);
    expect_datagram(&datagram, false, 0);
    assert_true(ft_defrag_stats(defrag).evicted > 0);
}

static void test_expiry_at_ticks(void **unused)
{
    static struct frame datagram, f;
    static const struct piece first = {0, 40, true}, last = {40, 60, false};
    uint8_t bucket;

    (void)unused;
    udp_datagram(&datagram, false, 92);
    fragment_v4(&f, 1, &first, datagram.bytes);
    add_at(&f, 1000000000, &bucket);
    fragment_v4(&f, 2, &first, datagram.bytes);
    add_at(&f, 2000000000, &bucket);
    for (unsigned shard = 0; shard < FT_SHARDS; shard++) {
        ft_defrag_tick(defrag, (uint8_t)shard, 500000000); /* time before the packets' */
        ft_defrag_tick(defrag, (uint8_t)shard, 1000000000 + FT_DEFRAG_TIMEOUT_NS - 1);
    }
    assert_int_equal(ft_defrag_stats(defrag).held, 2);
    for (unsigned shard = 0; shard < FT_SHARDS; shard++)
        ft_defrag_tick(defrag, (uint8_t)shard, 1000000000 + FT_DEFRAG_TIMEOUT_NS);
    assert_int_equal(ft_defrag_stats(defrag).expired, 1);
    fragment_v4(&f, 1, &last, datagram.bytes);
    assert_int_equal(add_at(&f, 3000000000, &bucket), FT_DEFRAG_HELD);
    fragment_v4(&f, 2, &last, datagram.bytes);
    assert_int_equal(add_at(&f, 3000000000, &bucket), FT_DEFRAG_DONE);
}

static void test_small_buffer_and_cut_fragment(void **unused)
{
    static struct frame datagram, f;
    static const struct piece first = {0, 40, true}, last = {40, 60, false};

    (void)unused;
    udp_datagram(&datagram, false, 92);
    fragment_v4(&f, 1, &first, datagram.bytes);

    struct ft_packet p = packet_on(f.bytes, f.len - 1, f.len, FT_LINKTYPE_ETHERNET);

    assert_int_equal(ft_packet_decode(&config, &p), FT_DECODE_FRAGMENT);
    assert_int_equal(ft_defrag_add(defrag, &p, buffer, sizeof(buffer), &whole), FT_DEFRAG_FAILED);
    assert_int_equal(p.bucket, FT_BUCKET_CUT);
    packet_free(&p);

    assert_int_equal(add(&f), FT_DEFRAG_HELD);
    fragment_v4(&f, 1, &last, datagram.bytes);
    p = packet_on(f.bytes, f.len, f.len, FT_LINKTYPE_ETHERNET);
    assert_int_equal(ft_packet_decode(&config, &p), FT_DECODE_FRAGMENT);
    assert_int_equal(ft_defrag_add(defrag, &p, buffer, 18 + 20 + 99, &whole), FT_DEFRAG_FAILED);
    assert_int_equal(p.bucket, FT_BUCKET_SHED_FRAGMENT);
    packet_free(&p);
}

/* ---- tunnels ------------------------------------------------------------------------------- */

/* Fragments of an inner packet: the lengths of the outer headers are those of one fragment. */
static void test_fragments_inside_a_tunnel(void **unused)
{
    static struct frame datagram, f;
    static const struct piece pieces[] = {{0, 1200, true}, {1200, 300, false}};

    (void)unused;
    udp_datagram(&datagram, false, 1492);
    for (unsigned i = 0; i < 2; i++) {
        frame_begin(&f);
        ethernet(&f, 0x0800);
        open_ipv4_between(&f, 17, 0xc0a80001, 0xc0a80002);
        open_udp(&f, 5555, 4789);
        put32(&f, 0x08000000);
        put32(&f, 77 << 8);
        ethernet(&f, 0x0800);

        uint32_t at = f.len;

        open_ipv4(&f, 17);
        set16(f.bytes + at + 6, (pieces[i].has_more ? 0x2000 : 0) | pieces[i].offset / 8);
        put(&f, datagram.bytes + pieces[i].offset, pieces[i].len);
        frame_end(&f);
        assert_int_equal(add(&f), i ? FT_DEFRAG_DONE : FT_DEFRAG_HELD);
    }

    struct ft_packet p = whole;

    assert_int_equal(ft_packet_decode(&config, &p), FT_DECODED);
    assert_int_equal(p.outer.tunnel, FT_TUNNEL_VXLAN);
    assert_int_equal(p.outer.id, 77);
    assert_int_equal(p.outer.src.bytes[0], 192);
    assert_int_equal(p.payload_len, 1492);
    assert_int_equal(p.src_port, 1000);
    assert_false(p.flags & (FT_PACKET_L4_CHECKSUM_BAD | FT_PACKET_IP_CHECKSUM_BAD));
}

/* A tunnelled packet that was fragmented by the outer network, inside it an inner fragment. */
static void test_fragments_in_fragments(void **unused)
{
    static struct frame datagram, tunnelled, f;

    (void)unused;
    udp_datagram(&datagram, false, 2992);
    for (unsigned inner = 0; inner < 2; inner++) {
        frame_begin(&tunnelled);
        put16(&tunnelled, 0);
        put16(&tunnelled, 0x0800);

        uint32_t at = tunnelled.len;

        open_ipv4(&tunnelled, 17);
        set16(tunnelled.bytes + at + 6, inner ? 1504 / 8 : 0x2000);
        put(&tunnelled, datagram.bytes + 1504 * inner, inner ? 3000 - 1504 : 1504);
        frame_end(&tunnelled);
        for (unsigned outer = 0; outer < 2; outer++) {
            struct piece piece = {outer * 800, outer ? tunnelled.len - 800 : 800, !outer};

            fragment_v4(&f, 100 + inner, &piece, tunnelled.bytes);
            f.bytes[18 + 9] = 47;
            set16(f.bytes + 18 + 10, 0);
            set_checksum(f.bytes + 18 + 10, ft_checksum_add(0, f.bytes + 18, 20));
            assert_int_equal(add(&f), outer ? FT_DEFRAG_DONE : FT_DEFRAG_HELD);
        }

        struct ft_packet p = whole;

        /* The fragment lies in the buffer that the result goes to. */
        assert_int_equal(ft_packet_decode(&config, &p), FT_DECODE_FRAGMENT);
        assert_int_equal(ft_defrag_add(defrag, &p, buffer, sizeof(buffer), &whole),
                         inner ? FT_DEFRAG_DONE : FT_DEFRAG_HELD);
    }
    expect_datagram(&datagram, false, 0);
}

static void test_same_input_same_result(void **unused)
{
    uint32_t sums[2] = {0, 0};

    (void)unused;
    for (unsigned run = 0; run < 2; run++) {
        struct ft_defrag *kept = defrag;
        static struct frame datagram, f;

        defrag = ft_defrag_new(4);
        state = 42;
        for (unsigned i = 0; i < 3000; i++) {
            struct piece piece = {next_random(40) * 8, 8 + 8 * next_random(300), true};
            uint8_t bucket;

            piece.has_more = piece.offset == 0 || next_random(3);
            udp_datagram(&datagram, false, 4000);
            fragment_v4(&f, next_random(12), &piece, datagram.bytes);
            sums[run] = sums[run] * 31 + add_at(&f, 1000000000, &bucket) * 7 + bucket;
        }

        struct ft_defrag_stats s = ft_defrag_stats(defrag);

        sums[run] += (uint32_t)(s.datagrams * 1000 + s.evicted * 100 + s.overlaps * 10 + s.held);
        ft_defrag_free(defrag);
        defrag = kept;
    }
    assert_int_equal(sums[0], sums[1]);
}

/* Fragments of two VLANs are of one datagram, for mirrors tag one direction or in two ways; unless
 * the configuration says that the same addresses there are other devices. */
static void test_vlans(void **unused)
{
    static const struct piece pieces[] = {{0, 80, true}, {80, 28, false}};
    static struct frame datagram, f;

    (void)unused;
    udp_datagram(&datagram, false, 100);
    for (unsigned separates = 0; separates < 2; separates++) {
        fragment_v4(&f, 900 + separates, &pieces[0], datagram.bytes);
        assert_int_equal(add(&f), FT_DEFRAG_HELD);
        fragment_v4(&f, 900 + separates, &pieces[1], datagram.bytes);
        set16(f.bytes + 14, 43);
        assert_int_equal(add(&f), separates ? FT_DEFRAG_HELD : FT_DEFRAG_DONE);
        ft_defrag_separate_vlans(defrag);
    }
    fragment_v4(&f, 901, &pieces[1], datagram.bytes);
    assert_int_equal(add(&f), FT_DEFRAG_DONE);
    expect_datagram(&datagram, false, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_vlans, setup, teardown),
        cmocka_unit_test_setup_teardown(test_random_overlaps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_contradicting_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(test_duplicates_are_harmless, setup, teardown),
        cmocka_unit_test_setup_teardown(test_keys_do_not_mix, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tiny_fragments, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_long_with_the_first_header, setup, teardown),
        cmocka_unit_test_setup_teardown(test_eviction_takes_the_oldest, setup, teardown),
        cmocka_unit_test_setup_teardown(test_blocks_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_expiry_at_ticks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_small_buffer_and_cut_fragment, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fragments_inside_a_tunnel, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fragments_in_fragments, setup, teardown),
        cmocka_unit_test_setup_teardown(test_same_input_same_result, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
