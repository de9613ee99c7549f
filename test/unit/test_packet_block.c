/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of walking TPACKET_V3 blocks, made by hand as the kernel makes them, and as it never would.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/packet_block.h"

#include <linux/if_packet.h>

#define SIZE  4096u
#define FIRST 48u
#define MAC   96u /* where the kernel puts the bytes of a packet, about */

struct made {
    uint8_t *memory; /* of the exact size, so that a sanitizer sees a byte behind it */
    struct tpacket_block_desc *desc;
};

static struct made make(uint32_t packets)
{
    struct made m = {.memory = aligned_alloc(64, SIZE)};
    memset(m.memory, 0, SIZE);
    m.desc = (void *)m.memory;
    m.desc->hdr.bh1.block_status = TP_STATUS_USER;
    m.desc->hdr.bh1.num_pkts = packets;
    m.desc->hdr.bh1.offset_to_first_pkt = FIRST;
    return m;
}

/* A packet of `length` bytes that count from `seed`, `next` bytes from the one behind it. */
static struct tpacket3_hdr *put(struct made *m, uint32_t at, uint32_t length, uint32_t next,
                                uint8_t seed)
{
    struct tpacket3_hdr *h = (void *)(m->memory + at);
    h->tp_next_offset = next;
    h->tp_sec = 1700000000;
    h->tp_nsec = 5;
    h->tp_snaplen = h->tp_len = length;
    h->tp_mac = MAC;
    h->tp_status = TP_STATUS_USER;
    for (uint32_t i = 0; i < length && at + MAC + i < SIZE; i++)
        m->memory[at + MAC + i] = (uint8_t)(seed + i);
    return h;
}

static struct ft_packet_block begin(const struct made *m)
{
    struct ft_packet_block block;
    ft_packet_block_begin(&block, m->memory, SIZE);
    return block;
}

static void walks_all_packets(void **state)
{
    struct made m = make(3);
    struct ft_packet_frame f;
    (void)state;
    put(&m, FIRST, 60, 160, 1);
    put(&m, FIRST + 160, 61, 168, 2)->tp_len = 1500;
    put(&m, FIRST + 328, 0, 0, 3);
    struct ft_packet_block block = begin(&m);
    assert_true(ft_packet_block_next(&block, true, &f));
    assert_int_equal(f.caplen, 60);
    assert_int_equal(f.wirelen, 60);
    assert_int_equal(f.data[59], 60);
    assert_true(f.time_ns == 1700000000000000005u);
    assert_false(f.is_nic_time);
    assert_true(ft_packet_block_next(&block, true, &f));
    assert_int_equal(f.caplen, 61);
    assert_int_equal(f.wirelen, 1500);
    assert_int_equal(f.data[0], 2);
    assert_true(ft_packet_block_next(&block, true, &f));
    assert_int_equal(f.caplen, 0);
    assert_false(ft_packet_block_next(&block, true, &f));
    assert_int_equal(block.left, 0);
    free(m.memory);
}

static void an_empty_block_has_none(void **state)
{
    struct made m = make(0);
    struct ft_packet_frame f;
    (void)state;
    struct ft_packet_block block = begin(&m);
    assert_false(ft_packet_block_next(&block, true, &f));
    assert_int_equal(block.left, 0);
    free(m.memory);
}

static void puts_the_tag_back(void **state)
{
    static const uint8_t wire[] = {1,  2,  3,  4,    5,    6,    7,    8, 9,
                                   10, 11, 12, 0x88, 0xa8, 0xa1, 0x23, 13};
    struct made m = make(1);
    struct ft_packet_frame f;
    (void)state;
    struct tpacket3_hdr *h = put(&m, FIRST, 60, 0, 1);
    h->tp_status |= TP_STATUS_VLAN_VALID | TP_STATUS_VLAN_TPID_VALID;
    h->hv1.tp_vlan_tci = 0xa123;
    h->hv1.tp_vlan_tpid = 0x88a8;
    struct ft_packet_block block = begin(&m);
    assert_true(ft_packet_block_next(&block, true, &f));
    assert_int_equal(f.caplen, 64);
    assert_int_equal(f.wirelen, 64);
    assert_memory_equal(f.data, wire, sizeof(wire));
    assert_int_equal(f.data[63], 60);
    free(m.memory);
}

/* TCI 0 is a tag too: priority 0, no VLAN; without its protocol it is 802.1Q. */
static void a_tag_of_zero_is_one(void **state)
{
    struct made m = make(1);
    struct ft_packet_frame f;
    (void)state;
    put(&m, FIRST, 60, 0, 1)->tp_status |= TP_STATUS_VLAN_VALID;
    struct ft_packet_block block = begin(&m);
    assert_true(ft_packet_block_next(&block, true, &f));
    assert_int_equal(f.caplen, 64);
    assert_memory_equal(f.data + 12, "\x81\x00\x00\x00", 4);
    free(m.memory);
}

static void no_tag_without_addresses(void **state)
{
    struct made m = make(1);
    struct ft_packet_frame f;
    (void)state;
    put(&m, FIRST, 11, 0, 1)->tp_status |= TP_STATUS_VLAN_VALID;
    struct ft_packet_block block = begin(&m);
    assert_true(ft_packet_block_next(&block, true, &f));
    assert_int_equal(f.caplen, 11);
    put(&m, FIRST, 60, 0, 1)->tp_status |= TP_STATUS_VLAN_VALID;
    block = begin(&m);
    assert_true(ft_packet_block_next(&block, false, &f)); /* raw IP */
    assert_int_equal(f.caplen, 60);
    free(m.memory);
}

static void knows_whose_time_it_is(void **state)
{
    struct made m = make(1);
    struct ft_packet_frame f;
    (void)state;
    put(&m, FIRST, 60, 0, 1)->tp_status |= TP_STATUS_TS_RAW_HARDWARE;
    struct ft_packet_block block = begin(&m);
    assert_true(ft_packet_block_next(&block, true, &f));
    assert_true(f.is_nic_time);
    assert_false(f.is_checksum_open);
    free(m.memory);
}

static void knows_whose_checksum_is_missing(void **state)
{
    struct made m = make(1);
    struct ft_packet_frame f;
    (void)state;
    put(&m, FIRST, 60, 0, 1)->tp_status |= TP_STATUS_CSUMNOTREADY;
    struct ft_packet_block block = begin(&m);
    assert_true(ft_packet_block_next(&block, true, &f));
    assert_true(f.is_checksum_open);
    free(m.memory);
}

/* A block of three whose second header is spoiled: one packet, and what is missing is known. */
static void expect_spoiled(void (*spoil)(struct tpacket3_hdr *first, struct tpacket3_hdr *second),
                           uint32_t good)
{
    struct made m = make(3);
    struct ft_packet_frame f;
    struct tpacket3_hdr *first = put(&m, FIRST, 60, 160, 1);
    struct tpacket3_hdr *second = put(&m, FIRST + 160, 60, 160, 2);
    uint32_t n = 0;
    put(&m, FIRST + 320, 60, 0, 3);
    spoil(first, second);
    struct ft_packet_block block = begin(&m);
    while (ft_packet_block_next(&block, true, &f)) {
        assert_true(f.data >= m.memory && f.data + f.caplen <= m.memory + SIZE);
        n++;
    }
    assert_int_equal(n, good);
    assert_int_equal(block.left, 3 - good);
    assert_false(ft_packet_block_next(&block, true, &f));
    free(m.memory);
}

static void too_long(struct tpacket3_hdr *first, struct tpacket3_hdr *second)
{
    (void)first;
    second->tp_snaplen = SIZE - FIRST - 160 - MAC + 1;
}

static void much_too_long(struct tpacket3_hdr *first, struct tpacket3_hdr *second)
{
    (void)first;
    second->tp_snaplen = UINT32_MAX;
}

static void bytes_in_the_header(struct tpacket3_hdr *first, struct tpacket3_hdr *second)
{
    (void)first;
    second->tp_mac = sizeof(struct tpacket3_hdr) + 3;
}

static void bytes_outside(struct tpacket3_hdr *first, struct tpacket3_hdr *second)
{
    (void)first;
    second->tp_mac = UINT16_MAX;
}

static void next_is_itself(struct tpacket3_hdr *first, struct tpacket3_hdr *second)
{
    (void)second;
    first->tp_next_offset = 0;
}

static void next_is_outside(struct tpacket3_hdr *first, struct tpacket3_hdr *second)
{
    (void)second;
    first->tp_next_offset = SIZE;
}

static void next_is_behind_all(struct tpacket3_hdr *first, struct tpacket3_hdr *second)
{
    (void)second;
    first->tp_next_offset = UINT32_MAX - 8;
}

static void next_is_odd(struct tpacket3_hdr *first, struct tpacket3_hdr *second)
{
    (void)second;
    first->tp_next_offset = 161;
}

static void next_has_no_room(struct tpacket3_hdr *first, struct tpacket3_hdr *second)
{
    (void)second;
    first->tp_next_offset = SIZE - FIRST - 8;
}

static void damaged_blocks_end_early(void **state)
{
    (void)state;
    expect_spoiled(too_long, 1);
    expect_spoiled(much_too_long, 1);
    expect_spoiled(bytes_in_the_header, 1);
    expect_spoiled(bytes_outside, 1);
    expect_spoiled(next_is_itself, 1);
    expect_spoiled(next_is_outside, 1);
    expect_spoiled(next_is_behind_all, 1);
    expect_spoiled(next_is_odd, 1);
    expect_spoiled(next_has_no_room, 1);
}

static void a_damaged_block_head_has_none(void **state)
{
    static const uint32_t firsts[] = {0, 8, 47, 49, SIZE - 8, SIZE, SIZE + 8, UINT32_MAX - 7};
    struct ft_packet_frame f;
    (void)state;
    for (unsigned i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
        struct made m = make(5);
        put(&m, FIRST, 60, 0, 1);
        m.desc->hdr.bh1.offset_to_first_pkt = firsts[i];
        struct ft_packet_block block = begin(&m);
        assert_false(ft_packet_block_next(&block, true, &f));
        assert_int_equal(block.left, 5);
        free(m.memory);
    }
}

/* More packets said than there are: the last one's offset of 0 ends it. */
static void a_count_too_large_ends(void **state)
{
    struct made m = make(UINT32_MAX);
    struct ft_packet_frame f;
    (void)state;
    put(&m, FIRST, 60, 0, 1);
    struct ft_packet_block block = begin(&m);
    assert_true(ft_packet_block_next(&block, true, &f));
    assert_false(ft_packet_block_next(&block, true, &f));
    assert_true(block.left == UINT32_MAX - 1);
    free(m.memory);
}

static void random_blocks_stay_inside(void **state)
{
    uint32_t random = 1;
    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        struct made m = make(0);
        struct ft_packet_frame f;
        uint32_t *words = (uint32_t *)(void *)m.memory, n = 0;
        for (unsigned i = 0; i < 256; i++) {
            random = random * 1664525u + 1013904223u;
            words[i] = random >> 16 & 0x1ff & (random & 0x80 ? 0xfff8u : 0xffffu);
        }
        struct ft_packet_block block = begin(&m);
        while (ft_packet_block_next(&block, true, &f)) {
            assert_true(f.data >= m.memory && f.data + f.caplen <= m.memory + SIZE);
            assert_true(++n <= SIZE / sizeof(struct tpacket3_hdr));
        }
        free(m.memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walks_all_packets),
        cmocka_unit_test(an_empty_block_has_none),
        cmocka_unit_test(puts_the_tag_back),
        cmocka_unit_test(a_tag_of_zero_is_one),
        cmocka_unit_test(no_tag_without_addresses),
        cmocka_unit_test(knows_whose_time_it_is),
        cmocka_unit_test(knows_whose_checksum_is_missing),
        cmocka_unit_test(damaged_blocks_end_early),
        cmocka_unit_test(a_damaged_block_head_has_none),
        cmocka_unit_test(a_count_too_large_ends),
        cmocka_unit_test(random_blocks_stay_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
