/* SPDX-License-Identifier: BSD-3-Clause */
/* Address resolution over all pairs of hosts: what is told, and the near misses that are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "alert/neighbours.h"

#define S  1000000000ull
#define MS 1000000ull

#define EVERYBODY 0xffffffffffffull
#define ROUTER    0x000e8c000001ull
#define PLC       0x0080f4000002ull
#define HMI       0x00a0f4000003ull
#define LAPTOP    0xf0def1000066ull

static struct ft_neighbours *n;
static struct ft_event event;
static uint64_t now;
static uint16_t vlan;
static unsigned found[FT_NEIGHBOURS_FINDINGS];
static struct ft_neighbours_change last;
static struct ft_event last_event;

static void on_found(void *user, enum ft_neighbours_finding finding, const struct ft_event *e,
                     const struct ft_neighbours_change *change)
{
    (void)user;
    found[finding]++;
    last_event = *e;
    if (change)
        last = *change;
}

static int begin(void **state)
{
    (void)state;
    static const uint64_t key[2] = {1, 2};
    memset(found, 0, sizeof(found));
    now = 1000 * S;
    vlan = 0;
    n = ft_neighbours_new(key, on_found, NULL);
    return n ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    ft_neighbours_free(n);
    return 0;
}

static void set_mac(uint8_t to[6], uint64_t mac)
{
    for (unsigned i = 6; i-- > 0; mac >>= 8)
        to[i] = (uint8_t)mac;
}

static void set_ip(union ft_ip *to, uint32_t host)
{
    memset(to, 0, sizeof(*to));
    to->v4 = __builtin_bswap32(0x0a000000u + host);
}

/** A message a millisecond after the one before it; hosts are the last numbers of their address. */
static bool send_many(enum ft_resolution what, uint64_t from, uint32_t ip, uint64_t to,
                      uint32_t target, uint32_t count)
{
    memset(&event, 0, sizeof(event));
    now += MS;
    event.type = FT_EVENT_RESOLUTION;
    event.size = sizeof(event);
    event.clock_ns = event.time_ns = now;
    event.packet.family = 2;
    event.packet.has_mac = 1;
    event.packet.vlan[0] = vlan;
    event.packet.vlan_count = vlan != 0;
    set_mac(event.packet.src_mac, from);
    set_mac(event.packet.dst_mac, to);
    set_mac(event.resolution.mac, from);
    event.resolution.what = (uint8_t)what;
    event.resolution.family = 4;
    set_ip(&event.resolution.ip, ip);
    set_ip(&event.resolution.target, target);
    event.resolution.count = count;
    return ft_neighbours_event(n, &event);
}

static bool ask(uint64_t from, uint32_t ip, uint32_t target)
{
    return send_many(FT_RESOLUTION_QUESTION, from, ip, EVERYBODY, target, 1);
}

static bool answer(uint64_t from, uint32_t ip, uint64_t to, uint32_t asker)
{
    return send_many(FT_RESOLUTION_ANSWER, from, ip, to, asker, 1);
}

static bool announce(uint64_t from, uint32_t ip)
{
    return send_many(FT_RESOLUTION_ANNOUNCEMENT, from, ip, EVERYBODY, ip, 1);
}

static void probe(uint64_t from, uint32_t target)
{
    send_many(FT_RESOLUTION_PROBE, from, 0, EVERYBODY, target, 1);
}

static void wait_seconds(unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++) {
        now += S;
        ft_neighbours_tick(n, now);
    }
}

static unsigned found_any(void)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < FT_NEIGHBOURS_FINDINGS; i++)
        sum += found[i];
    return sum;
}

/* ---- scans ---- */

static void test_scan(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 31; i++)
        ask(LAPTOP, 66, 100 + i);
    wait_seconds(2);
    assert_int_equal(found[FT_NEIGHBOURS_SCAN], 1);
    assert_memory_equal(last_event.resolution.mac, event.resolution.mac, 6);
    assert_int_equal(found_any(), 1);
}

static void test_no_scan(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 30; i++) /* one less */
        ask(LAPTOP, 66, 100 + i);
    for (uint32_t i = 0; i < 30; i++) /* the same again */
        ask(LAPTOP, 66, 100 + i);
    wait_seconds(2);
    for (uint32_t i = 0; i < 39; i++) { /* slower */
        ask(HMI, 3, 100 + i);
        wait_seconds(1);
    }
    assert_int_equal(found_any(), 0);
}

/* Asks for `count` addresses, one in `seconds`, and then for one that it asks for anyway. */
static void ask_slowly(uint64_t from, uint32_t count, unsigned seconds)
{
    for (uint32_t i = 0; i < count; i++) {
        ask(from, from & 0xff, 1000 + i);
        wait_seconds(seconds);
    }
    wait_seconds(12);
    ask(from, from & 0xff, 1000);
}

static void test_slow_scan(void **state)
{
    (void)state;
    ask_slowly(LAPTOP, 41, 8);
    assert_int_equal(found[FT_NEIGHBOURS_SLOW_SCAN], 1);
    assert_memory_equal(last_event.resolution.mac, event.resolution.mac, 6);
    ask_slowly(HMI, 40, 8);              /* few */
    ask_slowly(PLC, 80, 20);             /* so slow that it may be anything */
    for (unsigned i = 0; i < 100; i++) { /* a few that are gone, again and again */
        ask(ROUTER, 1, 2000 + i % 20);
        wait_seconds(3);
    }
    assert_int_equal(found_any(), 1);
}

static void test_no_slow_scan(void **state)
{
    (void)state;
    /* Of the devices only what they send to all is seen, as of a port that is not mirrored. */
    for (uint32_t i = 0; i < 60; i++)
        ask(ROUTER + 100 + i, 1000 + i, 1);
    ask_slowly(LAPTOP, 60, 3);
    assert_int_equal(found_any(), 0);
    /* Most answer. */
    for (uint32_t i = 0; i < 100; i++) {
        ask(HMI, 3, 3000 + i);
        if (i % 5 > 1)
            answer(PLC + i, 3000 + i, HMI, 3);
        wait_seconds(2);
    }
    wait_seconds(12);
    ask(HMI, 3, 3000);
    assert_int_equal(found_any(), 0);
    /* A fast one was told as that. */
    for (uint32_t i = 0; i < 60; i++)
        ask(PLC, 2, 5000 + i);
    wait_seconds(12);
    ask(PLC, 2, 5000);
    assert_int_equal(found[FT_NEIGHBOURS_SCAN], 1);
    assert_int_equal(found_any(), 1);
}

static void test_master_whose_devices_answer_is_no_scanner(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 200; i++)
        ask(HMI, 3, 100 + i);
    now -= 150 * MS;
    for (uint32_t i = 0; i < 110; i++) /* some are off */
        answer(PLC + i, 100 + i, HMI, 3);
    wait_seconds(3);
    assert_int_equal(found_any(), 0);
    wait_seconds(20);
    for (uint32_t i = 0; i < 40; i++)
        ask(HMI, 3, 400 + i);
    ft_neighbours_tick(n, UINT64_MAX); /* the capture ends */
    assert_int_equal(found[FT_NEIGHBOURS_SCAN], 1);
}

/* ---- answers without questions ---- */

static void test_unsolicited(void **state)
{
    (void)state;
    ask(HMI, 3, 1);
    answer(ROUTER, 1, HMI, 3);
    wait_seconds(30);
    for (unsigned i = 0; i < 3; i++) {
        answer(LAPTOP, 9, HMI, 3);
        wait_seconds(2);
    }
    assert_int_equal(found_any(), 0);
    answer(LAPTOP, 9, HMI, 3);
    wait_seconds(1);
    assert_int_equal(found[FT_NEIGHBOURS_UNSOLICITED], 1);
    /* Seldom enough. */
    wait_seconds(60);
    for (unsigned i = 0; i < 20; i++) {
        answer(LAPTOP, 9, HMI, 3);
        wait_seconds(4);
    }
    assert_int_equal(found_any(), 1);
}

static void test_solicited(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 50; i++) {
        ask(HMI, 3, 1);
        answer(ROUTER, 1, HMI, 3);
        wait_seconds(1);
    }
    /* The ports of a TAP are not in order. */
    for (unsigned i = 0; i < 50; i++) {
        answer(PLC, 2, HMI, 3);
        ask(HMI, 3, 2);
        wait_seconds(1);
    }
    /* Nobody saw a question of this one: a mirror of one direction. */
    announce(LAPTOP, 66);
    for (unsigned i = 0; i < 50; i++)
        answer(PLC, 2, LAPTOP, 66);
    wait_seconds(1);
    assert_int_equal(found_any(), 0);
}

static void test_announcements(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++)
        announce(ROUTER, 1); /* a fail-over */
    wait_seconds(11);
    for (unsigned i = 0; i < 20; i++)
        announce(ROUTER, 1);
    assert_int_equal(found_any(), 0);
    send_many(FT_RESOLUTION_ANNOUNCEMENT, ROUTER, 1, EVERYBODY, 1, 5);
    assert_int_equal(found[FT_NEIGHBOURS_UNSOLICITED], 1);
}

/* ---- floods ---- */

static void test_floods(void **state)
{
    (void)state;
    send_many(FT_RESOLUTION_QUESTION, LAPTOP, 66, EVERYBODY, 1, 1000);
    wait_seconds(11);
    send_many(FT_RESOLUTION_QUESTION, LAPTOP, 66, EVERYBODY, 1, 1000);
    assert_int_equal(found_any(), 0);
    ask(LAPTOP, 66, 1);
    assert_int_equal(found[FT_NEIGHBOURS_FLOOD], 1);
    wait_seconds(11);
    for (uint32_t i = 0; i < 10001; i++) { /* each of another */
        now -= MS / 2;
        ask(0x020000000000ull + i, 1000 + i, 1);
    }
    assert_int_equal(found[FT_NEIGHBOURS_FLOOD], 2);
}

/* ---- addresses that move ---- */

static void test_moved(void **state)
{
    (void)state;
    assert_true(announce(PLC, 2));
    assert_false(announce(PLC, 2)); /* known */
    wait_seconds(100);
    assert_true(ask(HMI, 2, 1));
    assert_int_equal(found[FT_NEIGHBOURS_MOVED], 1);
    assert_int_equal(found_any(), 1);
    uint8_t mac[6];
    set_mac(mac, PLC);
    assert_memory_equal(last.before, mac, 6);
    set_mac(mac, HMI);
    assert_memory_equal(last.after, mac, 6);
    assert_int_equal(last.family, 4);
    wait_seconds(100);
    assert_true(announce(PLC, 2)); /* and back, after a while */
    assert_int_equal(found[FT_NEIGHBOURS_MOVED], 2);
    assert_int_equal(found_any(), 2);
}

static void test_renewed_after_an_hour(void **state)
{
    (void)state;
    assert_true(announce(PLC, 2));
    now += 3599 * S;
    assert_false(announce(PLC, 2));
    now += S;
    assert_true(announce(PLC, 2));
}

static void test_contested(void **state)
{
    (void)state;
    announce(PLC, 2);
    wait_seconds(100);
    assert_true(answer(LAPTOP, 2, HMI, 3));
    wait_seconds(2);
    assert_true(answer(PLC, 2, HMI, 3));
    assert_int_equal(found[FT_NEIGHBOURS_MOVED], 1);
    assert_int_equal(found[FT_NEIGHBOURS_CONTESTED], 1);
    /* It goes on: told each time, but the inventory is left in peace. */
    for (unsigned i = 0; i < 5; i++) {
        assert_false(answer(i % 2 ? PLC : LAPTOP, 2, HMI, 3));
        wait_seconds(1);
    }
    assert_int_equal(found[FT_NEIGHBOURS_CONTESTED], 6);
}

static void test_other_networks(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++) { /* cells that are built alike */
        vlan = 10;
        assert_int_equal(announce(PLC, 2), i == 0);
        vlan = 11;
        assert_int_equal(announce(HMI, 2), i == 0);
    }
    assert_int_equal(found_any(), 0);
}

static void test_given_out(void **state)
{
    (void)state;
    union ft_ip ip;
    uint8_t mac[6];
    set_ip(&ip, 50);
    set_mac(mac, HMI);
    announce(LAPTOP, 50);
    ft_neighbours_assigned(n, &ip, 4, mac, now);
    assert_true(announce(HMI, 50)); /* DHCP gave it to another */
    assert_int_equal(found_any(), 0);
    wait_seconds(100);
    announce(PLC, 50); /* but not to this one */
    assert_int_equal(found[FT_NEIGHBOURS_MOVED], 1);
}

static void test_taken_when_free(void **state)
{
    (void)state;
    announce(LAPTOP, 50);
    announce(PLC, 51);
    wait_seconds(100);
    for (unsigned i = 0; i < 3; i++) {
        probe(HMI, 50);
        probe(HMI, 51);
        wait_seconds(1);
    }
    announce(HMI, 50);
    assert_int_equal(found[FT_NEIGHBOURS_REASSIGNED], 1);
    /* This one defends itself. */
    announce(PLC, 51);
    announce(HMI, 51);
    assert_int_equal(found[FT_NEIGHBOURS_MOVED], 1);
    assert_int_equal(found_any(), 2);
}

static void test_team_of_ports(void **state)
{
    (void)state;
    unsigned learned = 0;
    for (unsigned i = 0; i < 10; i++)
        learned += announce(PLC + i % 2, 2); /* or two devices of one delivery */
    assert_int_equal(found[FT_NEIGHBOURS_MOVED], 9);
    assert_int_equal(found_any(), 9);
    assert_int_equal(learned, 3); /* there, and back, and no more */
}

static void test_virtual_router(void **state)
{
    (void)state;
    announce(ROUTER, 1);
    wait_seconds(100);
    announce(0x00005e000105ull, 1); /* becomes the address of VRRP */
    assert_int_equal(found_any(), 0);
    wait_seconds(100);
    announce(LAPTOP, 1); /* and that does not become a laptop's */
    assert_int_equal(found[FT_NEIGHBOURS_MOVED], 1);
    uint8_t mac[6];
    set_mac(mac, 0x00005e000105ull);
    assert_true(ft_neighbours_is_virtual_router(mac));
    announce(0x00005e000105ull, 1);
    assert_int_equal(found[FT_NEIGHBOURS_CONTESTED], 1);
}

static void test_takeover(void **state)
{
    (void)state;
    /* A cluster fails over: many addresses of one device. */
    for (uint32_t i = 0; i < 10; i++)
        announce(PLC, 100 + i);
    announce(ROUTER, 1);
    announce(HMI, 3);
    wait_seconds(100);
    for (uint32_t i = 0; i < 10; i++)
        announce(0x0080f4000022ull, 100 + i);
    assert_int_equal(found[FT_NEIGHBOURS_MOVED], 10);
    assert_int_equal(found[FT_NEIGHBOURS_TAKEOVER], 0);
    /* A man in the middle: addresses of many. */
    wait_seconds(100);
    answer(LAPTOP, 1, HMI, 3);
    answer(LAPTOP, 3, ROUTER, 1);
    assert_int_equal(found[FT_NEIGHBOURS_TAKEOVER], 0);
    answer(LAPTOP, 100, ROUTER, 1);
    assert_int_equal(found[FT_NEIGHBOURS_TAKEOVER], 1);
}

/* ---- bounds ---- */

static void test_bounded(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (uint32_t i = 0; i < 200000; i++) {
        seed = seed * 1664525u + 1013904223u;
        now -= MS - 1000;
        send_many((enum ft_resolution)(1 + seed % 4), 0x020000000000ull + (seed >> 6) % 20000,
                  seed >> 8, seed & 0x100 ? EVERYBODY : 0x020000000000ull + (seed >> 9) % 20000,
                  seed >> 4, 1);
        if (i % 1000 == 0)
            ft_neighbours_tick(n, now);
    }
    wait_seconds(20);
    memset(found, 0, sizeof(found));
    announce(PLC, 0x700000); /* still works */
    wait_seconds(100);
    announce(HMI, 0x700000);
    assert_int_equal(found[FT_NEIGHBOURS_MOVED], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_scan),
        TEST(test_no_scan),
        TEST(test_master_whose_devices_answer_is_no_scanner),
        TEST(test_unsolicited),
        TEST(test_solicited),
        TEST(test_announcements),
        TEST(test_floods),
        TEST(test_moved),
        TEST(test_renewed_after_an_hour),
        TEST(test_contested),
        TEST(test_other_networks),
        TEST(test_given_out),
        TEST(test_slow_scan),
        TEST(test_no_slow_scan),
        TEST(test_taken_when_free),
        TEST(test_team_of_ports),
        TEST(test_virtual_router),
        TEST(test_takeover),
        TEST(test_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
