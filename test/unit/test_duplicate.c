/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copies of a mirror against genuine repetitions: what differs between them, in which time, and
 * what the table of the mirror counts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "frames.h"
#include "packet/duplicate.h"

#define MS    1000000ull
#define UNTAG FT_MIRROR_UNTAGGED

static struct ft_duplicates *duplicates;
static struct ft_mirror mirrors[FT_SHARDS];
static uint64_t now;

static int begin_with(bool is_vlan_identity)
{
    duplicates = ft_duplicates_new(4711, FT_DUPLICATE_WINDOW_NS, is_vlan_identity);
    memset(mirrors, 0, sizeof(mirrors));
    now = 1700000000000 * MS;
    return duplicates == NULL;
}

static int begin(void **state)
{
    (void)state;
    return begin_with(false);
}

static int end(void **state)
{
    (void)state;
    ft_duplicates_free(duplicates);
    return 0;
}

static struct ft_mirror sum(void)
{
    struct ft_mirror all = {0};
    for (unsigned i = 0; i < FT_SHARDS; i++)
        ft_mirror_add(&all, &mirrors[i]);
    return all;
}

/* How a packet looks where it is seen. */
struct view {
    uint16_t link;
    unsigned tags;
    uint16_t vlan;
    uint8_t macs, ttl;
};

/* What it is. */
struct content {
    uint16_t id;
    unsigned proto;
    bool is_v6;
    uint32_t seq;
    uint32_t data;
    uint8_t first;
};

static const struct view here = {.link = 0, .ttl = 64};
static const struct content segment = {.id = 77, .proto = 6, .seq = 1000, .data = 40};
static const struct content poll = {.id = 0, .proto = 17, .data = 12};
static const struct content poll_v6 = {.is_v6 = true, .proto = 17, .data = 12};

static void put_content(struct frame *f, const struct content *c, uint8_t ttl)
{
    if (c->is_v6) {
        open_ipv6(f, c->proto);
        f->bytes[f->open[0].at + 7] = ttl;
    } else {
        open_ipv4(f, c->proto);
        set16(f->bytes + f->open[0].at + 4, c->id);
        f->bytes[f->open[0].at + 8] = ttl;
    }
    if (c->proto == 6)
        open_tcp(f, 40000, 502);
    else
        open_udp(f, 40000, 44818);
    if (c->proto == 6)
        memcpy(f->bytes + f->open[1].at + 4, &c->seq, 4);
    put8(f, c->first);
    put_data(f, c->data);
    frame_end(f);
}

static bool offer(const struct frame *f, uint32_t caplen, uint16_t link)
{
    struct ft_decode_config config;
    struct ft_packet p = packet_on(f->bytes, caplen, f->len, FT_LINKTYPE_ETHERNET), *one = &p;
    ft_decode_config_init(&config);
    config.verify_checksums = true;
    p.interface = link;
    p.time_ns = now;
    assert_int_equal(ft_packet_decode(&config, &p), FT_DECODED);
    assert_int_equal(p.flags & (FT_PACKET_IP_CHECKSUM_BAD | FT_PACKET_L4_CHECKSUM_BAD), 0);
    ft_duplicates_mark(duplicates, &one, 1, mirrors);
    assert_true(p.bucket == FT_BUCKET_NONE || p.bucket == FT_BUCKET_DUPLICATE);
    packet_free(&p);
    return p.bucket == FT_BUCKET_DUPLICATE;
}

/* Is it taken for a copy? */
static bool is_copy(const struct content *c, const struct view *v)
{
    static struct frame f;
    unsigned type = c->is_v6 ? 0x86dd : 0x0800;
    frame_begin(&f);
    ethernet(&f, v->tags ? 0x8100 : type);
    f.bytes[5] ^= v->macs;
    f.bytes[11] ^= v->macs;
    for (unsigned i = 1; i <= v->tags; i++)
        vlan(&f, 0, v->vlan, i < v->tags ? 0x8100 : type);
    put_content(&f, c, v->ttl);
    return offer(&f, f.len, v->link);
}

#define AT(...) (&(struct view){.ttl = 64, __VA_ARGS__})

static void copies_are_recognised(void **state)
{
    const struct content *contents[] = {&segment, &poll, &poll_v6};
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        assert_false(is_copy(contents[i], &here));
        assert_true(is_copy(contents[i], AT(.tags = 1, .vlan = 10)));
        assert_true(is_copy(contents[i], AT(.tags = 2, .vlan = 20)));
        assert_true(is_copy(contents[i], AT(.macs = 5)));
        assert_true(is_copy(contents[i], AT(.link = 1)));
        /* routed: TTL, MAC addresses, the checksum of the header */
        assert_true(is_copy(contents[i], &(struct view){.ttl = 63, .macs = 9}));
        now += 2 * MS;
        assert_true(is_copy(contents[i], AT(.tags = 1, .vlan = 11)));
        now += 1;
        assert_false(is_copy(contents[i], AT(.tags = 1, .vlan = 11)));
        now += 10 * MS;
    }
}

/* Copied on its way in and on its way out of one VLAN: not a bit differs, but the number says it.
 */
static void the_same_again(void **state)
{
    (void)state;
    assert_false(is_copy(&segment, &here));
    assert_true(is_copy(&segment, &here));
    /* without a number it is who sent it that repeats */
    for (unsigned i = 0; i < 5; i++) {
        assert_false(is_copy(&poll, &here));
        assert_false(is_copy(&poll_v6, &here));
    }
}

/* Each of two equal polls is seen in two places: two remain, in whatever order they come. */
static void repeated_polls_that_are_copied(void **state)
{
    static const struct view there = {.ttl = 63, .tags = 1, .vlan = 20};
    (void)state;
    assert_false(is_copy(&poll, &here));
    assert_true(is_copy(&poll, &there));
    assert_false(is_copy(&poll, &here));
    assert_true(is_copy(&poll, &there));
    now += 5 * MS;
    assert_false(is_copy(&poll, &here));
    assert_false(is_copy(&poll, &here));
    assert_true(is_copy(&poll, &there));
    assert_true(is_copy(&poll, &there));
}

static void retransmissions_are_kept(void **state)
{
    struct content again = segment, other = segment;
    (void)state;
    assert_false(is_copy(&segment, &here));
    again.id++;
    assert_false(is_copy(&again, &here));
    now += 3 * MS;
    assert_false(is_copy(&segment, &here));
    /* other content under the same number */
    other.first++;
    assert_false(is_copy(&other, &here));
    other = segment;
    other.seq++;
    assert_false(is_copy(&other, &here));
    other = segment;
    other.data++;
    assert_false(is_copy(&other, &here));
    other = segment;
    other.proto = 17;
    assert_false(is_copy(&other, &here));
}

static void later_is_no_copy(void **state)
{
    (void)state;
    assert_false(is_copy(&segment, &here));
    now += 3 * MS;
    assert_false(is_copy(&segment, AT(.tags = 1, .vlan = 10)));
    now += MS;
    assert_true(is_copy(&segment, &here));
}

/* The window is counted from the first: who repeats for ever is not left out for ever. */
static void the_window_does_not_move(void **state)
{
    unsigned kept = 0;
    (void)state;
    for (unsigned i = 0; i < 30; i++, now += MS)
        kept += !is_copy(&segment, &here);
    assert_int_equal(kept, 10);
}

static void the_clock_may_jump(void **state)
{
    (void)state;
    assert_false(is_copy(&segment, &here));
    now -= MS; /* of two queues one is a little behind */
    assert_true(is_copy(&segment, &here));
    now -= 3600000 * MS;
    assert_false(is_copy(&segment, &here));
    assert_true(is_copy(&segment, AT(.macs = 1)));
    now += 7200000 * MS;
    assert_false(is_copy(&segment, &here));
    now = 0;
    assert_false(is_copy(&segment, &here));
    now = UINT64_MAX;
    assert_false(is_copy(&segment, &here));
    assert_true(is_copy(&segment, &here));
}

/* A frame of layer 2; `data` bytes, the first ones as given. */
static bool is_copy_of_frame(unsigned type, const char *begin, uint8_t sender, unsigned vid,
                             uint16_t link)
{
    static struct frame f;
    frame_begin(&f);
    ethernet(&f, vid == UNTAG ? type : 0x8100);
    f.bytes[11] ^= sender;
    if (vid != UNTAG)
        vlan(&f, 4, vid, type);
    put(&f, begin, 4);
    put_data(&f, 60);
    return offer(&f, f.len, link);
}

static void layer_2_repeats_legally(void **state)
{
    static const unsigned types[] = {0x0806, 0x88cc, 0x88a4, 0x8892, 0x88e3, 0x9000};
    (void)state;
    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        const char *begin = types[i] == 0x8892 ? "\xfe\xfe\0\1" : "\0\1\x08\0"; /* DCP */
        assert_false(is_copy_of_frame(types[i], begin, 0, UNTAG, 0));
        assert_false(is_copy_of_frame(types[i], begin, 0, UNTAG, 0));
        assert_false(is_copy_of_frame(types[i], begin, 0, 10, 0));
        assert_false(is_copy_of_frame(types[i], begin, 0, UNTAG, 1));
    }
}

/* Those that count: GOOSE, sampled values, cyclic PROFINET. */
static void counted_frames(void **state)
{
    static const unsigned types[] = {0x88b8, 0x88ba, 0x8892};
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        assert_false(is_copy_of_frame(types[i], "\x80\1\0\1", 0, 0, 0));
        assert_false(is_copy_of_frame(types[i], "\x80\1\0\1", 0, 0, 0)); /* at the same place */
        assert_false(is_copy_of_frame(types[i], "\x80\1\0\2", 0, 0, 0)); /* counted on */
        assert_true(is_copy_of_frame(types[i], "\x80\1\0\1", 0, UNTAG, 0));
        assert_true(is_copy_of_frame(types[i], "\x80\1\0\2", 0, 0, 1));
        assert_false(is_copy_of_frame(types[i], "\x80\1\0\1", 7, UNTAG, 1)); /* somebody else */
    }
}

/* More packets than are remembered, many in one line: none is taken for another. */
static void collisions_hide_nothing(void **state)
{
    struct content c = segment;
    unsigned found = 0;
    (void)state;
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < 20 * FT_DUPLICATE_SLOTS; i++) {
            c.id = (uint16_t)(1 + i);
            c.first = (uint8_t)round;
            assert_false(is_copy(&c, &here));
        }
    /* the youngest are remembered: of as many as a quarter of the places nearly all */
    for (unsigned i = 0; i < FT_DUPLICATE_SLOTS / 4; i++) {
        c.id = (uint16_t)(20 * FT_DUPLICATE_SLOTS - i);
        found += is_copy(&c, &here);
    }
    assert_in_range(found, FT_DUPLICATE_SLOTS / 4 * 9 / 10, FT_DUPLICATE_SLOTS / 4);
}

static void cut_packets_are_kept(void **state)
{
    static struct frame f;
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        frame_begin(&f);
        ethernet(&f, 0x0800);
        put_content(&f, &segment, 64);
        assert_false(offer(&f, f.len - 4, 0));
    }
}

static void separate_vlans(void **state)
{
    (void)state;
    ft_duplicates_free(duplicates);
    assert_int_equal(begin_with(true), 0);
    assert_false(is_copy(&segment, AT(.tags = 1, .vlan = 10)));
    assert_false(is_copy(&segment, AT(.tags = 1, .vlan = 20)));
    assert_false(is_copy(&segment, &here));
    assert_true(is_copy(&segment, AT(.tags = 1, .vlan = 10, .macs = 1)));
}

static void pairs_are_counted(void **state)
{
    struct content c = segment;
    (void)state;
    for (unsigned i = 0; i < 10; i++, c.id++) {
        is_copy(&c, AT(.tags = 1, .vlan = 10));
        is_copy(&c, &(struct view){.tags = 1, .vlan = 20, .ttl = 63});
        if (i < 3)
            is_copy(&c, AT(.link = 1));
    }
    struct ft_mirror all = sum();
    uint64_t routed;
    assert_int_equal(all.used, 2);
    assert_int_equal(all.rows[0].place.vlan, 10);
    assert_int_equal(all.rows[0].copy.vlan, 20);
    assert_int_equal(all.rows[0].count, 10);
    assert_int_equal(all.rows[0].part, 10);
    assert_int_equal(all.rows[1].copy.vlan, UNTAG);
    assert_int_equal(all.rows[1].copy.link, 1);
    assert_int_equal(all.rows[1].count, 3);
    assert_int_equal(all.rows[1].part, 0);
    assert_int_equal(ft_mirror_sum(&all, FT_MIRROR_COPIES, &routed), 13);
    assert_int_equal(routed, 10);
    assert_int_equal(ft_mirror_sum(&all, FT_MIRROR_UNSEEN, NULL), 0);
}

/* The table has an end, and its sums are right beyond it. */
static void a_full_table(void **state)
{
    static struct ft_mirror one, other;
    uint64_t part;
    (void)state;
    for (uint16_t i = 0; i < 2 * FT_MIRROR_ROWS; i++) {
        struct ft_mirror_place place = {0, i};
        ft_mirror_count(&one, FT_MIRROR_UNSEEN, place, place, 100, 1);
        ft_mirror_count(&one, FT_MIRROR_UNSEEN, place, place, 100, 1);
    }
    assert_int_equal(one.used, FT_MIRROR_ROWS);
    assert_int_equal(one.other[FT_MIRROR_UNSEEN].count, 200 * FT_MIRROR_ROWS);
    ft_mirror_add(&other, &one);
    ft_mirror_add(&other, &one);
    assert_int_equal(ft_mirror_sum(&other, FT_MIRROR_UNSEEN, &part), 800 * FT_MIRROR_ROWS);
    assert_int_equal(part, 8 * FT_MIRROR_ROWS);
    assert_int_equal(ft_mirror_size(&other), sizeof(other));
}

/* A burst gives what its packets one by one give. */
static void bursts(void **state)
{
    static struct frame f;
    struct ft_packet packets[150], *pointers[150];
    struct ft_decode_config config;
    (void)state;
    ft_decode_config_init(&config);
    for (unsigned i = 0; i < 150; i++) {
        struct content c = segment;
        c.id = (uint16_t)(1 + i / 2);
        frame_begin(&f);
        ethernet(&f, 0x0800);
        put_content(&f, &c, 64);
        packets[i] = packet_on(f.bytes, f.len, f.len, FT_LINKTYPE_ETHERNET);
        packets[i].time_ns = now;
        assert_int_equal(ft_packet_decode(&config, &packets[i]), FT_DECODED);
        pointers[i] = &packets[i];
    }
    packets[3].bucket = FT_BUCKET_ENCRYPTED; /* its fate is known */
    ft_duplicates_mark(duplicates, pointers, 150, mirrors);
    for (unsigned i = 0; i < 150; i++) {
        assert_int_equal(packets[i].bucket, i == 3  ? FT_BUCKET_ENCRYPTED
                                            : i % 2 ? FT_BUCKET_DUPLICATE
                                                    : FT_BUCKET_NONE);
        packet_free(&packets[i]);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(copies_are_recognised),
        TEST(the_same_again),
        TEST(repeated_polls_that_are_copied),
        TEST(retransmissions_are_kept),
        TEST(later_is_no_copy),
        TEST(the_window_does_not_move),
        TEST(the_clock_may_jump),
        TEST(layer_2_repeats_legally),
        TEST(counted_frames),
        TEST(collisions_hide_nothing),
        TEST(cut_packets_are_kept),
        TEST(separate_vlans),
        TEST(pairs_are_counted),
        TEST(a_full_table),
        TEST(bursts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
