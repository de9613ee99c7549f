/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mirror.c of the alerting core: what statistics, summary and health events say of the mirror in
 * front of the sensor.
 */
#include "alert_core.h"

#define UNTAGGED FT_MIRROR_UNTAGGED

static const char *const links[] = {"eth1", "eth2"};
static struct ft_ledger ledger;
static struct ft_mirror mirror;
static struct ft_core_port port;

static int begin(void **state)
{
    (void)state;
    make_folder();
    config.interfaces = links;
    config.interface_count = 2;
    static const char *const ports[] = {"eth1"};
    config.ports = ports;
    config.port_count = 1;
    open_core();
    memset(&ledger, 0, sizeof(ledger));
    memset(&mirror, 0, sizeof(mirror));
    port = (struct ft_core_port){.name = "eth1", .state = "up", .knows_drops = true};
    return 0;
}

static int end(void **state)
{
    (void)state;
    return remove_folder();
}

static struct ft_mirror_place place(uint16_t link, uint16_t vlan)
{
    return (struct ft_mirror_place){link, vlan};
}

static void add(enum ft_mirror_kind kind, uint16_t vlan, uint64_t count, uint64_t part)
{
    ft_mirror_count(&mirror, kind, place(0, vlan), place(0, vlan), count, part);
}

/* Statistics of the packets and bytes so far. */
static json_t *stats(void)
{
    static uint64_t number;
    size_t n = 0;
    ft_core_stats(core, &(struct ft_core_totals){.ledger = &ledger,
                                                 .mirror = &mirror,
                                                 .ports = &port,
                                                 .port_count = 1,
                                                 .stamp_ns = START,
                                                 .number = ++number});
    read_lines();
    while (line("stats", n + 1))
        n++;
    return line("stats", n);
}

static size_t healths(const char *name)
{
    size_t n = 0;
    for (size_t i = 0; line("health", i); i++)
        n += !strcmp(json_string_value(at(line("health", i), "health.event")), name);
    return n;
}

static void assert_line(unsigned n, const char *expected)
{
    char text[512];
    bool has = ft_core_mirror_line(core, n, text, sizeof(text));
    assert_int_equal(has, expected != NULL);
    if (expected)
        assert_string_equal(text, expected);
}

static void test_nothing(void **state)
{
    (void)state;
    ledger.received = 10000;
    json_t *s = stats();
    assert_number(s, "stats.mirror.copies", 0);
    assert_number(s, "stats.mirror.unseen_bytes", 0);
    assert_number(s, "stats.mirror.one_way", 0);
    assert_null(at(s, "stats.mirror.copies_by_place"));
    assert_null(at(s, "stats.mirror.unseen_by_place"));
    assert_line(0, NULL);
    assert_null(line("health", 0));
}

/* Places by interface and VLAN; what is not an interface of this run is a capture. */
static void test_places(void **state)
{
    (void)state;
    ledger.received = 2000;
    ledger.stream_received = 9000;
    ft_mirror_count(&mirror, FT_MIRROR_COPIES, place(0, 10), place(1, UNTAGGED), 30, 4);
    ft_mirror_count(&mirror, FT_MIRROR_COPIES, place(0, 10), place(0, 10), 50, 0);
    add(FT_MIRROR_UNSEEN, UNTAGGED, 1000, 2);
    ft_mirror_count(&mirror, FT_MIRROR_ONE_WAY, place(7, 20), place(7, 20), 1, 0);
    ft_mirror_count(&mirror, FT_MIRROR_ONE_WAY, place(7, UNTAGGED), place(7, UNTAGGED), 1, 0);
    json_t *s = stats();
    assert_number(s, "stats.mirror.copies", 80);
    assert_number(s, "stats.mirror.copies_routed", 4);
    json_t *copies = at(s, "stats.mirror.copies_by_place");
    assert_int_equal(json_object_size(copies), 2);
    assert_number(copies, "eth1:10+eth1:10", 50);
    assert_number(copies, "eth1:10+eth2:untagged", 30);
    assert_number(s, "stats.mirror.unseen_bytes", 1000);
    assert_number(s, "stats.mirror.unseen_by_place.eth1:untagged", 1000);
    assert_number(s, "stats.mirror.one_way", 2);
    assert_number(s, "stats.mirror.one_way_by_place.capture:20", 1);
    assert_number(s, "stats.mirror.one_way_by_place.capture:untagged", 1);
    assert_line(0, "4.0 % of packets are copies, which were left out (eth1 VLAN 10 and again, and "
                   "1 other)");
    assert_line(1, "10 % of the bytes of TCP (1000) were acknowledged and never seen: lost before "
                   "the sensor (eth1 untagged)");
    assert_line(2, "of 2 TCP connections one direction only is delivered (VLAN 20, and 1 other)");
    assert_line(3, NULL);
}

static void test_other_sentences(void **state)
{
    (void)state;
    ledger.received = 100;
    ft_mirror_count(&mirror, FT_MIRROR_COPIES, place(0, 10), place(1, 11), 30, 0);
    ft_mirror_count(&mirror, FT_MIRROR_COPIES, place(0, 10), place(1, 12), 2, 0);
    ft_mirror_count(&mirror, FT_MIRROR_COPIES, place(0, 10), place(1, 13), 1, 0);
    ft_mirror_count(&mirror, FT_MIRROR_ONE_WAY, place(7, UNTAGGED), place(7, UNTAGGED), 1, 0);
    stats();
    assert_line(0, "33 % of packets are copies, which were left out (eth1 VLAN 10 and eth2 VLAN "
                   "11, and 2 others)");
    assert_line(1, "of 1 TCP connection one direction only is delivered (untagged)");
    assert_line(2, NULL);
}

/* The sixteen largest are named, largest first; of equal ones who came first. */
static void test_largest(void **state)
{
    (void)state;
    ledger.received = 100000;
    for (uint16_t i = 0; i < 40; i++)
        add(FT_MIRROR_UNSEEN, i + 1, i == 30 ? 500 : i == 35 ? 900 : 100 + i % 4, 1);
    json_t *rows = at(stats(), "stats.mirror.unseen_by_place");
    assert_int_equal(json_object_size(rows), 16);
    static const unsigned vlans[16] = {36, 31, 4, 8, 12, 16, 20, 24, 28, 32, 40, 3, 7, 11, 15, 19};
    size_t n = 0;
    const char *key;
    json_t *value;
    json_object_foreach(rows, key, value)
    {
        char expected[24];
        snprintf(expected, sizeof(expected), "eth1:%u", vlans[n++]);
        assert_string_equal(key, expected);
    }
}

/* Told once, of a thousand copies on, if they are five of a hundred. */
static void test_hint_of_copies(void **state)
{
    (void)state;
    ledger.received = 10000;
    add(FT_MIRROR_COPIES, 10, 999, 0);
    stats();
    assert_int_equal(healths("mirror_copies"), 0);
    add(FT_MIRROR_COPIES, 10, 1, 0);
    ledger.received = 20001;
    stats();
    assert_int_equal(healths("mirror_copies"), 0);
    ledger.received = 20000;
    stats();
    assert_int_equal(healths("mirror_copies"), 1);
    add(FT_MIRROR_COPIES, 10, 5000, 0);
    stats();
    assert_int_equal(healths("mirror_copies"), 1);
}

static void test_hint_of_one_way(void **state)
{
    (void)state;
    ledger.received = 10000;
    add(FT_MIRROR_ONE_WAY, 10, 4, 0);
    stats();
    assert_int_equal(healths("mirror_one_way"), 0);
    add(FT_MIRROR_ONE_WAY, 10, 1, 0);
    stats();
    stats();
    assert_int_equal(healths("mirror_one_way"), 1);
}

/* So many bytes more, of which so many were never seen, in so many holes. */
static void bytes(uint64_t all, uint64_t unseen, uint64_t holes)
{
    ledger.received += 1000;
    ledger.stream_received += all - unseen;
    add(FT_MIRROR_UNSEEN, 10, unseen, holes);
    stats();
}

/* Begins at ten of a thousand bytes in ten holes, ends at less than one of a thousand. */
static void test_hint_of_loss(void **state)
{
    (void)state;
    bytes(100000, 5000, 9);
    assert_int_equal(healths("mirror_loss"), 0);
    bytes(100000, 999, 10);
    assert_int_equal(healths("mirror_loss"), 0);
    bytes(100000, 1000, 10);
    assert_int_equal(healths("mirror_loss"), 1);
    bytes(100000, 2000, 20);
    assert_int_equal(healths("mirror_loss"), 1);
    assert_int_equal(healths("mirror_loss_ended"), 0);
    bytes(100000, 100, 1);
    bytes(0, 0, 0);
    assert_int_equal(healths("mirror_loss_ended"), 0);
    bytes(100000, 99, 1);
    assert_int_equal(healths("mirror_loss_ended"), 1);
    bytes(100000, 50000, 20);
    assert_int_equal(healths("mirror_loss"), 2);
}

/* What the sensor lost itself, or a filter left out, is not the mirror's doing. */
static void test_own_loss(void **state)
{
    (void)state;
    port.received = port.arrived = 100000;
    port.shed = 1;
    bytes(100000, 5000, 100);
    assert_int_equal(healths("mirror_loss"), 0);
    bytes(100000, 5000, 100); /* nothing was shed any more */
    assert_int_equal(healths("mirror_loss"), 1);
}

static void test_filter(void **state)
{
    (void)state;
    ledger.packets[FT_BUCKET_FILTERED] = 1;
    add(FT_MIRROR_ONE_WAY, 10, 100, 0);
    bytes(100000, 5000, 100);
    assert_null(line("health", 0));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nothing),      TEST(test_places),         TEST(test_other_sentences),
        TEST(test_largest),      TEST(test_hint_of_copies), TEST(test_hint_of_one_way),
        TEST(test_hint_of_loss), TEST(test_own_loss),       TEST(test_filter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
