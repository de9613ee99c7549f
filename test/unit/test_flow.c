/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of the flow table: keys, look-up, states, guesses, time-outs, eviction, and a random run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fieldtap/dissector.h>

#include "flow/flow.h"

#define S     1000000000ull
#define START (1700000000ull * S)

static uint64_t g_random = 1;

static uint32_t random_u32(void)
{
    g_random ^= g_random << 13;
    g_random ^= g_random >> 7;
    g_random ^= g_random << 17;
    return (uint32_t)(g_random >> 16);
}

static uint32_t hash_key(const struct ft_flow_key *key)
{
    const uint8_t *bytes = (const uint8_t *)key;
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < sizeof(*key); i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash;
}

static void set_hash(struct ft_packet *p, bool vlan_in_key)
{
    struct ft_flow_key key;

    ft_flow_key_of(p, vlan_in_key, &key);
    p->flow_hash = hash_key(&key);
}

static uint64_t g_number;

/** A packet over IPv4 from 10.0.x.x: addresses are host order numbers. */
static struct ft_packet ip_packet(uint64_t time_ns, uint8_t proto, uint32_t src, uint16_t src_port,
                                  uint32_t dst, uint16_t dst_port)
{
    struct ft_packet p = {.number = ++g_number,
                          .time_ns = time_ns,
                          .wirelen = 100,
                          .caplen = 100,
                          .proto = proto,
                          .flags = FT_PACKET_ETHERNET | FT_PACKET_IPV4,
                          .src_port = src_port,
                          .dst_port = dst_port};

    p.src.v4 = __builtin_bswap32(src);
    p.dst.v4 = __builtin_bswap32(dst);
    p.flags |= proto == 6 ? FT_PACKET_TCP : proto == 17 ? FT_PACKET_UDP : 0;
    p.tcp_flags = proto == 6 ? FT_TCP_ACK : 0;
    set_hash(&p, false);
    return p;
}

#define CLIENT 0x0a000001u
#define PLC    0x0a000002u

static struct ft_packet tcp(uint64_t time_ns, bool is_reply, uint16_t client_port, uint8_t flags)
{
    struct ft_packet p = is_reply ? ip_packet(time_ns, 6, PLC, 502, CLIENT, client_port)
                                  : ip_packet(time_ns, 6, CLIENT, client_port, PLC, 502);

    p.tcp_flags = flags;
    return p;
}

struct ended {
    uint32_t count;
    struct {
        uint64_t first_number;
        uint32_t index;
        enum ft_flow_end why;
    } list[65536];
};

static struct ended g_ended;

static void on_end(void *user, struct ft_flow *flow, enum ft_flow_end why)
{
    struct ended *ended = user;

    assert_true(ended->count < 65536);
    ended->list[ended->count].first_number = flow->first_number;
    ended->list[ended->count].index = flow->index;
    ended->list[ended->count++].why = why;
}

static struct ft_flow_table *make(uint32_t flows)
{
    struct ft_flow_config config;

    ft_flow_config_init(&config);
    if (flows)
        config.flows_per_shard = flows;
    memset(&g_ended, 0, sizeof(g_ended));
    struct ft_flow_table *table = ft_flow_table_new(&config);
    assert_non_null(table);
    return table;
}

static struct ft_flow *take(struct ft_flow_table *table, const struct ft_packet *p, uint8_t *side)
{
    struct ft_packet *pointer = (struct ft_packet *)p;
    uint8_t ignored;
    struct ft_flow *hint = NULL;

    ft_flow_prepare(table, &pointer, 1, &hint);
    return ft_flow_take(table, p, hint, side ? side : &ignored, on_end, &g_ended);
}

static void test_both_directions_are_one_flow(void **state)
{
    (void)state;
    struct ft_flow_table *table = make(0);
    struct ft_packet request = tcp(START, false, 40000, FT_TCP_ACK);
    struct ft_packet reply = tcp(START + S, true, 40000, FT_TCP_ACK);
    uint8_t from, to;
    struct ft_flow *flow = take(table, &request, &from);

    assert_non_null(flow);
    assert_int_equal(flow->state, FT_FLOW_NEW);
    assert_int_equal(flow->packets[0] + flow->packets[1], 1);
    assert_ptr_equal(take(table, &reply, &to), flow);
    assert_int_equal(to, !from);
    assert_int_equal(flow->state, FT_FLOW_ESTABLISHED);
    assert_int_equal(flow->packets[from], 1);
    assert_int_equal(flow->packets[to], 1);
    assert_int_equal(flow->bytes[to], 100);
    assert_true(flow->first_ns == START && flow->last_ns == START + S);
    assert_true(ft_flow_id(flow) < 1ull << 51);

    struct ft_flow_stats stats = ft_flow_stats(table, 0);
    assert_int_equal(stats.active, 1);
    assert_int_equal(stats.tcp, 1);
    ft_flow_table_free(table);
}

static void test_key_is_sorted_and_complete(void **state)
{
    (void)state;
    struct ft_packet p = ip_packet(START, 17, PLC, 9, CLIENT, 8), q;
    struct ft_flow_key a, b;

    assert_int_equal(ft_flow_key_of(&p, false, &a), FT_SIDE_B);
    assert_int_equal(a.port_a, 8);
    assert_int_equal(a.family, 4);
    q = ip_packet(START, 17, PLC, 9, PLC, 8);
    assert_int_equal(ft_flow_key_of(&q, false, &b), FT_SIDE_B);
    q = ip_packet(START, 17, PLC, 9, PLC, 9);
    assert_int_equal(ft_flow_key_of(&q, false, &b), FT_SIDE_A);

    /* every member that is part of the key makes another key */
    for (int i = 0; i < 5; i++) {
        q = p;
        switch (i) {
        case 0:
            q.src_port++;
            break;
        case 1:
            q.dst_port++;
            break;
        case 2:
            q.proto = 6;
            break;
        case 3:
            q.src.bytes[15] = 1;
            q.flags ^= FT_PACKET_IPV4 | FT_PACKET_IPV6;
            break;
        case 4:
            q.dst.bytes[3]++;
            break;
        }
        ft_flow_key_of(&q, false, &b);
        assert_memory_not_equal(&a, &b, sizeof(a));
    }

    /* VLAN only when configured; ICMP type and code never */
    q = p;
    q.vlan_count = 1;
    q.vlan[0] = 7;
    ft_flow_key_of(&q, false, &b);
    assert_memory_equal(&a, &b, sizeof(a));
    ft_flow_key_of(&q, true, &b);
    assert_memory_not_equal(&a, &b, sizeof(a));
    p = ip_packet(START, 1, PLC, 8, CLIENT, 0);
    q = ip_packet(START, 1, CLIENT, 0, PLC, 0);
    ft_flow_key_of(&p, false, &a);
    ft_flow_key_of(&q, false, &b);
    assert_memory_equal(&a, &b, sizeof(a));
}

static void test_layer_2_keys(void **state)
{
    (void)state;
    struct ft_packet p = {.flags = FT_PACKET_ETHERNET,
                          .ethertype = 0x4242,
                          .src_mac = {2, 0, 0, 0, 0, 1},
                          .dst_mac = {1, 0, 0, 0, 0, 9}};
    struct ft_flow_key a, b;

    assert_int_equal(ft_flow_key_of(&p, false, &a), FT_SIDE_B);
    assert_int_equal(a.family, 2);
    assert_int_equal(a.type, 0x4242);
    assert_memory_equal(a.a.bytes, p.dst_mac, 6);

    p.flags |= FT_PACKET_LLC; /* DSAP and SSAP 0x42 are not ethertype 0x4242 */
    ft_flow_key_of(&p, false, &b);
    assert_memory_not_equal(&a, &b, sizeof(a));

    /* command from SAP 0x04 to 0xfe and its response are one flow */
    struct ft_packet q = p;
    p.ethertype = 0xfe04;
    q.ethertype = 0x04ff;
    memcpy(q.src_mac, p.dst_mac, 6);
    memcpy(q.dst_mac, p.src_mac, 6);
    assert_int_equal(ft_flow_key_of(&p, false, &a), FT_SIDE_B);
    assert_int_equal(ft_flow_key_of(&q, false, &b), FT_SIDE_A);
    assert_memory_equal(&a, &b, sizeof(a));
    assert_int_equal(a.type, 0x04fe);
    p.flags |= FT_PACKET_SNAP;
    p.snap = 0x00000c2000;
    ft_flow_key_of(&p, false, &b);
    assert_int_equal(b.type, 0x2000);
    assert_int_equal(b.encapsulation, FT_FLOW_SNAP);
}

static void test_server_by_handshake(void **state)
{
    (void)state;
    struct ft_flow_table *table = make(0);
    struct ft_packet first = tcp(START, false, 80, FT_TCP_ACK);
    struct ft_packet syn = tcp(START, false, 80, FT_TCP_SYN);
    struct ft_packet answer = tcp(START, true, 81, FT_TCP_SYN | FT_TCP_ACK);
    uint8_t side;
    struct ft_flow *flow = take(table, &first, &side);

    assert_int_equal(flow->server, side); /* lower port */
    assert_int_equal(flow->confidence, FT_CONFIDENCE_GUESS);
    take(table, &syn, &side);
    assert_int_equal(flow->server, !side);
    assert_int_equal(flow->confidence, FT_CONFIDENCE_HANDSHAKE);
    assert_true(flow->flags & FT_FLOW_SYN_SEEN);

    flow = take(table, &answer, &side);
    assert_int_equal(flow->server, side);
    assert_int_equal(flow->confidence, FT_CONFIDENCE_HANDSHAKE);

    flow->server = !side; /* a dissector knows better, for good */
    flow->confidence = FT_CONFIDENCE_DISSECTOR;
    take(table, &answer, &side);
    assert_int_equal(flow->server, !side);
    ft_flow_table_free(table);
}

static void test_server_by_port_and_group(void **state)
{
    (void)state;
    static uint8_t bound_tcp[8192], bound_udp[8192];
    struct ft_flow_table *table = make(0);
    uint8_t side;

    bound_tcp[44818 >> 3] |= 1 << (44818 & 7);
    bound_udp[2222 >> 3] |= 1 << (2222 & 7);
    ft_flow_set_server_ports(table, bound_tcp, bound_udp);

    struct ft_packet p = ip_packet(START, 6, PLC, 44818, CLIENT, 1025);
    struct ft_flow *flow = take(table, &p, &side);
    assert_int_equal(flow->server, side);
    assert_int_equal(flow->confidence, FT_CONFIDENCE_PORT);

    p = ip_packet(START, 17, PLC, 44818, CLIENT, 1025); /* bound for TCP only */
    flow = take(table, &p, &side);
    assert_int_equal(flow->server, !side);
    assert_int_equal(flow->confidence, FT_CONFIDENCE_GUESS);

    p = ip_packet(START, 17, PLC, 2222, CLIENT, 2222); /* both: the first to speak asks */
    flow = take(table, &p, &side);
    assert_int_equal(flow->server, !side);

    p = ip_packet(START, 17, PLC, 1000, 0xefc00001, 2222);
    p.flags |= FT_PACKET_MULTICAST;
    flow = take(table, &p, &side);
    assert_int_equal(flow->server, !side);
    assert_int_equal(flow->confidence, FT_CONFIDENCE_PORT);
    assert_true(flow->is_multicast);
    ft_flow_table_free(table);
}

static void test_close_and_reuse(void **state)
{
    (void)state;
    struct ft_flow_table *table = make(0);
    struct ft_packet syn = tcp(START, false, 40000, FT_TCP_SYN);
    struct ft_packet fin = tcp(START, false, 40000, FT_TCP_FIN | FT_TCP_ACK);
    struct ft_packet fin_back = tcp(START, true, 40000, FT_TCP_FIN | FT_TCP_ACK);
    struct ft_packet reset = tcp(START, true, 40000, FT_TCP_RST | FT_TCP_ACK);
    struct ft_flow *flow = take(table, &syn, NULL);
    uint64_t first = flow->first_number, id = ft_flow_id(flow);

    take(table, &syn, NULL); /* a retransmission */
    assert_int_equal(g_ended.count, 0);
    take(table, &fin, NULL);
    assert_int_equal(flow->state, FT_FLOW_NEW);
    take(table, &fin_back, NULL);
    assert_int_equal(flow->state, FT_FLOW_CLOSED);
    syn.number = ++g_number;
    flow = take(table, &syn, NULL);
    assert_int_equal(g_ended.count, 1);
    assert_int_equal(g_ended.list[0].why, FT_FLOW_END_REUSED);
    assert_int_equal(g_ended.list[0].first_number, first);
    assert_int_equal(flow->packets[0] + flow->packets[1], 1);
    assert_true(ft_flow_id(flow) != id);

    take(table, &reset, NULL);
    assert_int_equal(flow->state, FT_FLOW_CLOSED);
    take(table, &syn, NULL);
    assert_int_equal(g_ended.count, 2);
    assert_int_equal(ft_flow_stats(table, 0).reused, 2);
    assert_int_equal(ft_flow_stats(table, 0).active, 1);
    ft_flow_table_free(table);
}

static void test_forged_control_packets(void **state)
{
    (void)state;
    struct ft_flow_table *table = make(0);
    struct ft_packet request = tcp(START, false, 40000, FT_TCP_ACK);
    struct ft_packet reply = tcp(START, true, 40000, FT_TCP_ACK);
    uint8_t side;
    struct ft_flow *flow;

    take(table, &reply, NULL);
    flow = take(table, &request, &side);
    flow->half[side].is_known = 1;
    flow->half[side].next_seq = 0xfffffff0;

    struct ft_packet reset = tcp(START, false, 40000, FT_TCP_RST);
    reset.tcp_seq = 0x70000000;
    take(table, &reset, NULL);
    assert_int_equal(flow->state, FT_FLOW_ESTABLISHED);

    struct ft_packet syn = tcp(START + S, false, 40000, FT_TCP_SYN);
    syn.tcp_seq = 0x70000000;
    take(table, &syn, NULL); /* out of window, but the flow is not idle */
    assert_int_equal(g_ended.count, 0);
    syn.time_ns += 11 * S;
    syn.tcp_seq = 16; /* idle, but in window */
    take(table, &syn, NULL);
    assert_int_equal(g_ended.count, 0);
    syn.time_ns += 11 * S;
    syn.tcp_seq = 0x70000000;
    take(table, &syn, NULL);
    assert_int_equal(g_ended.count, 1);

    flow = take(table, &request, &side);
    flow->half[side].is_known = 1;
    flow->half[side].next_seq = 0xfffffff0;
    reset.tcp_seq = 5;
    take(table, &reset, NULL);
    assert_int_equal(flow->state, FT_FLOW_CLOSED);
    ft_flow_table_free(table);
}

/** Seconds from the last packet to the tick that ends the flow, ticking each second. */
static uint32_t lifetime(struct ft_flow_table *table, uint64_t last_ns, uint32_t limit)
{
    for (uint32_t s = 1; s <= limit; s++) {
        ft_flow_tick(table, 0, last_ns + s * S, on_end, &g_ended);
        if (g_ended.count)
            return s;
    }
    return 0;
}

static void test_timeouts(void **state)
{
    (void)state;
    static const struct {
        uint8_t proto, flags, tcp_flags, is_answered;
        uint32_t seconds;
    } cases[] = {
        {6, 0, FT_TCP_SYN, 0, 30},
        {6, 0, FT_TCP_ACK, 1, 3600},
        {6, FT_FLOW_OT, FT_TCP_ACK, 1, 86400},
        {6, FT_FLOW_OT, FT_TCP_ACK, 0, 86400},
        {6, FT_FLOW_OT, FT_TCP_RST, 1, 10},
        {17, 0, 0, 1, 60},
        {17, FT_FLOW_OT, 0, 0, 300},
        {1, 0, 0, 0, 300},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ft_flow_table *table = make(16);
        struct ft_packet p = ip_packet(START, cases[i].proto, CLIENT, 40000, PLC, 502);
        struct ft_packet q = ip_packet(START + S / 2, cases[i].proto, PLC, 502, CLIENT, 40000);

        p.tcp_flags = q.tcp_flags = cases[i].tcp_flags;
        struct ft_flow *flow = take(table, cases[i].is_answered ? &q : &p, NULL);
        flow->flags |= cases[i].flags;
        ft_flow_changed(table, flow);
        if (cases[i].is_answered)
            take(table, &p, NULL);

        uint32_t lived = lifetime(table, START + S / 2, 90000);
        assert_in_range(lived, cases[i].seconds, cases[i].seconds + 1);
        assert_int_equal(g_ended.list[0].why, FT_FLOW_END_TIMEOUT);
        assert_int_equal(ft_flow_stats(table, 0).active, 0);
        assert_int_equal(ft_flow_stats(table, 0).expired, 1);
        ft_flow_table_free(table);
    }
}

static void test_activity_keeps_a_flow(void **state)
{
    (void)state;
    struct ft_flow_table *table = make(16);
    uint64_t now = START;

    for (int i = 0; i < 300; i++, now += 29 * S) {
        struct ft_packet p = tcp(now, false, 40000, FT_TCP_SYN);
        take(table, &p, NULL);
        ft_flow_tick(table, 0, now + S, on_end, &g_ended);
    }
    assert_int_equal(g_ended.count, 0);
    ft_flow_tick(table, 0, now + 100000 * S, on_end, &g_ended); /* more than one turn at once */
    assert_int_equal(g_ended.count, 1);

    struct ft_packet p = tcp(now, false, 40001, FT_TCP_SYN); /* older than the last tick */
    take(table, &p, NULL);
    ft_flow_tick(table, 0, now, on_end, &g_ended); /* backwards: ignored */
    assert_int_equal(g_ended.count, 1);
    ft_flow_tick(table, 0, now + 100001 * S, on_end, &g_ended);
    assert_int_equal(g_ended.count, 2);
    ft_flow_table_free(table);
}

static void test_ticks_at_any_distance(void **state)
{
    (void)state;
    for (uint32_t step = 1; step < 20000; step = step * 3 + 1) {
        struct ft_flow_table *table = make(16);
        struct ft_packet p = tcp(START, false, 40000, FT_TCP_ACK);
        struct ft_packet other = tcp(START, false, 40001, FT_TCP_ACK);
        struct ft_packet earlier = tcp(START - 100 * S, false, 40000, FT_TCP_ACK);
        struct ft_flow *flows[2] = {take(table, &p, NULL), take(table, &other, NULL)};
        uint64_t now = START;

        for (int i = 0; i < 2; i++) {
            flows[i]->flags |= FT_FLOW_OT;
            ft_flow_changed(table, flows[i]);
        }
        take(table, &earlier, NULL); /* packet time that runs backwards does not age a flow */
        while (!g_ended.count) {
            assert_true(now < START + (86401 + step) * S);
            now += step * S;
            ft_flow_tick(table, 0, now, on_end, &g_ended);
        }
        assert_true(now >= START + 86400 * S);
        assert_int_equal(g_ended.count, 2);
        ft_flow_table_free(table);
    }

    struct ft_flow_table *table = make(16);
    uint64_t now = START;
    for (uint32_t jump = 4000; jump < 8400; jump++) { /* a turn of the slots, and two */
        struct ft_packet p = tcp(now, false, 40000, FT_TCP_ACK);
        take(table, &p, NULL);
        now += jump * S;
        ft_flow_tick(table, 0, now, on_end, &g_ended);
        assert_int_equal(ft_flow_stats(table, 0).active, 0);
    }
    ft_flow_table_free(table);
}

static void test_ends_are_in_order_of_creation(void **state)
{
    (void)state;
    struct ft_flow_table *table = make(0);

    for (uint32_t i = 0; i < 1000; i++) {
        struct ft_packet p =
            ip_packet(START + random_u32() % S, i & 1 ? 6 : 17, CLIENT + i, 1, PLC, 2);
        struct ft_flow *flow = take(table, &p, NULL);
        if (i % 3 == 0)
            flow->flags |= FT_FLOW_OT;
        ft_flow_changed(table, flow);
    }
    ft_flow_tick(table, 0, START + 1000 * S, on_end, &g_ended);
    uint32_t expired = g_ended.count;
    assert_true(expired > 700 && expired < 1000); /* all but TCP that is OT */
    ft_flow_flush(table, 0, on_end, &g_ended);
    assert_int_equal(g_ended.count, 1000);
    for (uint32_t i = 1; i < 1000; i++) {
        if (i != expired)
            assert_true(g_ended.list[i - 1].first_number < g_ended.list[i].first_number);
        assert_int_equal(g_ended.list[i].why,
                         i < expired ? FT_FLOW_END_TIMEOUT : FT_FLOW_END_SHUTDOWN);
    }
    assert_int_equal(ft_flow_stats(table, 0).active, 0);
    ft_flow_table_free(table);
}

static void test_eviction(void **state)
{
    (void)state;
    struct ft_flow_table *table = make(100);
    uint64_t numbers[100];
    struct ft_packet p;

    for (uint32_t i = 0; i < 100; i++) {
        p = ip_packet(START + i * S / 10, 17, CLIENT + i, 1, PLC, 2);
        struct ft_flow *flow = take(table, &p, NULL);
        numbers[i] = flow->first_number;
        if (i < 50) {
            flow->flags |= FT_FLOW_OT;
            ft_flow_changed(table, flow);
        }
    }
    p = ip_packet(START + 100 * S, 17, CLIENT + 50, 1, PLC, 2); /* the oldest one, used again */
    take(table, &p, NULL);
    p = ip_packet(START + 100 * S, 17, CLIENT + 200, 1, PLC, 2);
    assert_non_null(take(table, &p, NULL));
    assert_int_equal(g_ended.count, 1);
    assert_int_equal(g_ended.list[0].why, FT_FLOW_END_EVICTED);
    assert_in_range(g_ended.list[0].first_number, numbers[51], numbers[60]);

    /* 49 more have to go before the one used last, then OT flows only are left */
    for (uint32_t i = 0; i < 49; i++) {
        p = ip_packet(START + 200 * S, 6, CLIENT + 300 + i, 1, PLC, 2);
        struct ft_flow *flow = take(table, &p, NULL);
        assert_non_null(flow);
        flow->flags |= FT_FLOW_OT;
        ft_flow_changed(table, flow);
    }
    for (uint32_t i = 1; i < g_ended.count; i++)
        assert_true(g_ended.list[i].first_number > numbers[49]);
    p = ip_packet(START + 200 * S, 1, CLIENT + 400, 1, PLC, 2);
    struct ft_flow *last = take(table, &p, NULL);
    assert_non_null(last);
    last->flags |= FT_FLOW_OT; /* without telling the table: still safe */
    p = ip_packet(START + 200 * S, 17, CLIENT + 500, 1, PLC, 2);
    assert_null(take(table, &p, NULL));
    assert_int_equal(ft_flow_stats(table, 0).refused, 1);
    assert_int_equal(ft_flow_stats(table, 0).active, 100);
    ft_flow_table_free(table);
}

static void test_many_keys_of_one_hash(void **state)
{
    (void)state;
    struct ft_flow_table *table = make(0);
    struct ft_packet victim = ip_packet(START, 17, CLIENT, 1, PLC, 2);
    victim.flow_hash = 77;
    struct ft_flow *flow = take(table, &victim, NULL);
    flow->flags |= FT_FLOW_OT;
    ft_flow_changed(table, flow);

    for (uint32_t i = 1; i < 1000; i++) {
        struct ft_packet p = ip_packet(START + i, 17, CLIENT + i, 1, PLC, 2);
        p.flow_hash = 77;
        assert_non_null(take(table, &p, NULL));
    }
    assert_in_range(ft_flow_stats(table, 0).active, 15, 30);
    assert_ptr_equal(take(table, &victim, NULL), flow);
    ft_flow_flush(table, 0, on_end, &g_ended);
    assert_int_equal(g_ended.count, 1000);
    ft_flow_table_free(table);
}

static void test_smallest_tables_fill(void **state)
{
    (void)state;
    for (uint32_t hash = 0; hash < 200; hash++) {
        struct ft_flow_table *table = make(16); /* two buckets: the worst keys need both */
        for (uint32_t i = 0; i < 16; i++) {
            struct ft_packet p = ip_packet(START + i, 17, CLIENT + i, 1, PLC, 2);
            p.flow_hash = hash * 0x10001;
            assert_non_null(take(table, &p, NULL));
        }
        assert_int_equal(g_ended.count, 0);
        ft_flow_table_free(table);
    }
}

static void test_stale_hints_do_no_harm(void **state)
{
    (void)state;
    struct ft_flow_table *table = make(1);
    struct ft_packet a = tcp(START, false, 1000, FT_TCP_ACK),
                     b = tcp(START, false, 2000, FT_TCP_ACK);
    struct ft_packet *burst[3] = {&a, &b, &a};
    struct ft_flow *hints[3];
    uint8_t side;

    take(table, &a, NULL);
    ft_flow_prepare(table, burst, 3, hints);
    assert_ptr_equal(hints[0], ft_flow_at(table, burst[0]->shard, 1));
    for (int i = 0; i < 3; i++) {
        struct ft_flow *flow = ft_flow_take(table, burst[i], hints[i], &side, on_end, &g_ended);
        assert_non_null(flow);
        assert_int_equal(flow->packets[0] + flow->packets[1], i ? 1 : 2);
        assert_int_equal(flow->key.port_a, burst[i]->src_port);
    }
    assert_int_equal(g_ended.count, 2);
    ft_flow_table_free(table);
}

/** A model with one entry per key beside the table, through creation, ends and full buckets. */
static void test_random_run_against_model(void **state)
{
    (void)state;
    enum {
        KEYS = 4000,
        FLOWS = 2048
    };
    static uint32_t counted[KEYS]; /* packets in the current flow of a key, 0 = none */
    static uint64_t owner[FLOWS + 1];
    struct ft_flow_table *table = make(FLOWS);
    uint64_t now = START, refused = 0;

    for (uint32_t round = 0; round < 200000; round++) {
        uint32_t k = random_u32() % KEYS;
        if (random_u32() & 1)
            k = k * (uint64_t)k / KEYS; /* some are used more often */
        bool is_reply = random_u32() & 1;
        struct ft_packet p = is_reply ? ip_packet(now, 17, PLC, 5000, CLIENT + k, 502)
                                      : ip_packet(now, 17, CLIENT + k, 502, PLC, 5000);
        uint32_t before = g_ended.count;
        struct ft_flow *flow = take(table, &p, NULL);

        for (uint32_t i = before; i < g_ended.count; i++)
            counted[owner[g_ended.list[i].index]] = 0;
        if (flow) {
            assert_int_equal(flow->packets[0] + flow->packets[1], ++counted[k]);
            owner[flow->index] = k;
        } else {
            assert_int_equal(counted[k], 0);
            refused++;
        }
        now += random_u32() % (S / 50);
        if (round % 97 == 0) {
            before = g_ended.count;
            ft_flow_tick(table, 0, now, on_end, &g_ended);
            for (uint32_t i = before; i < g_ended.count; i++)
                counted[owner[g_ended.list[i].index]] = 0;
        }
        if (g_ended.count > 60000)
            g_ended.count = 0;
    }

    struct ft_flow_stats stats = ft_flow_stats(table, 0);
    uint32_t active = 0;
    for (uint32_t k = 0; k < KEYS; k++)
        active += counted[k] > 0;
    assert_int_equal(stats.active, active);
    assert_int_equal(stats.created, stats.active + stats.expired + stats.evicted + stats.reused);
    assert_int_equal(refused, 0);
    assert_true(stats.evicted > 100);
    g_ended.count = 0;
    ft_flow_flush(table, 0, on_end, &g_ended);
    assert_int_equal(g_ended.count, active);
    ft_flow_table_free(table);
}

/** However a file is cut into bursts, the same flows end in the same order. */
static void test_bursts_do_not_matter(void **state)
{
    (void)state;
    enum {
        PACKETS = 4000
    };
    static struct ft_packet packets[PACKETS];
    static struct ended first;
    struct ft_packet *pointers[64];

    for (uint32_t i = 0; i < PACKETS; i++) {
        static const uint8_t kinds[] = {FT_TCP_SYN, FT_TCP_ACK, FT_TCP_ACK, FT_TCP_RST};
        packets[i] =
            tcp(START + i * 1000, random_u32() & 1, random_u32() % 200, kinds[random_u32() % 4]);
    }
    for (uint32_t burst = 1; burst <= 64; burst = burst * 3 + 1) {
        struct ft_flow_table *table = make(150);
        for (uint32_t at = 0; at < PACKETS; at += burst) {
            uint32_t count = PACKETS - at < burst ? PACKETS - at : burst;
            struct ft_flow *hints[64];
            uint8_t side;
            for (uint32_t i = 0; i < count; i++)
                pointers[i] = &packets[at + i];
            ft_flow_prepare(table, pointers, count, hints);
            for (uint32_t i = 0; i < count; i++)
                assert_non_null(
                    ft_flow_take(table, pointers[i], hints[i], &side, on_end, &g_ended));
        }
        assert_true(g_ended.count > 100);
        if (burst == 1)
            first = g_ended;
        assert_memory_equal(&first, &g_ended, sizeof(first));
        ft_flow_table_free(table);
    }
}

static jmp_buf g_escape;

static void leave_once(void *user, struct ft_flow *flow, enum ft_flow_end why)
{
    struct ended *ended = user;

    if (flow->messages == 0 && flow->index % 3 == 0) {
        flow->messages = 1;
        longjmp(g_escape, 1);
    }
    on_end(ended, flow, why);
}

/** A callback that is left by longjmp loses no flow: the call is made again. */
static void test_end_callback_left_by_longjmp(void **state)
{
    (void)state;
    struct ft_flow_table *table = make(100);

    for (uint32_t i = 0; i < 150; i++) {
        struct ft_packet p = ip_packet(START, 17, CLIENT + i, 1, PLC, 2);
        uint8_t side;
        setjmp(g_escape);
        assert_non_null(ft_flow_take(table, &p, NULL, &side, leave_once, &g_ended));
    }
    assert_int_equal(g_ended.count, 50);
    assert_int_equal(ft_flow_stats(table, 0).active, 100);

    for (volatile uint32_t tick = 61; ft_flow_stats(table, 0).active > 40; tick++)
        if (!setjmp(g_escape))
            ft_flow_tick(table, 0, START + tick * S, leave_once, &g_ended);
    assert_int_equal(g_ended.count, 150 - ft_flow_stats(table, 0).active);
    setjmp(g_escape);
    ft_flow_flush(table, 0, leave_once, &g_ended);
    assert_int_equal(g_ended.count, 150);
    assert_int_equal(ft_flow_stats(table, 0).active, 0);
    assert_null(ft_flow_at(table, 0, 0));
    assert_null(ft_flow_at(table, 0, 1));
    ft_flow_table_free(table);
}

static void test_sizes_are_checked(void **state)
{
    (void)state;
    struct ft_flow_config config;

    ft_flow_config_init(&config);
    config.flows_per_shard = FT_FLOWS_PER_SHARD_MAX + 1;
    assert_null(ft_flow_table_new(&config));
    config.flows_per_shard = 0;
    assert_null(ft_flow_table_new(&config));
    config.flows_per_shard = FT_FLOWS_PER_SHARD_MAX;
    struct ft_flow_table *table = ft_flow_table_new(&config);
    assert_non_null(table);

    /* fill a shard of the largest size: no flow is lost before it is full */
    for (uint32_t i = 0; i < FT_FLOWS_PER_SHARD_MAX; i++) {
        struct ft_packet p = ip_packet(START, 17, CLIENT + i, 1, PLC, 2);
        uint8_t side;
        struct ft_flow *flow = ft_flow_take(table, &p, NULL, &side, NULL, NULL);
        assert_non_null(flow);
    }
    assert_int_equal(ft_flow_stats(table, 0).active, FT_FLOWS_PER_SHARD_MAX);
    assert_int_equal(ft_flow_stats(table, 0).evicted, 0);
    ft_flow_table_free(table);
}

/* ---- one direction only ---------------------------------------------------------------------- */

static struct ft_mirror g_mirrors[FT_SHARDS];

static uint64_t one_way(void)
{
    struct ft_mirror all = {0};

    for (unsigned i = 0; i < FT_SHARDS; i++)
        ft_mirror_add(&all, &g_mirrors[i]);
    return ft_mirror_sum(&all, FT_MIRROR_ONE_WAY, NULL);
}

static void send(struct ft_flow_table *table, uint16_t port, bool is_reply, uint8_t flags,
                 unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct ft_packet p = tcp(START, is_reply, port, flags);
        uint8_t side;

        p.vlan_count = 1;
        p.vlan[0] = 30;
        p.interface = 2;
        take(table, &p, &side);
    }
}

static void test_one_way(void **state)
{
    struct ft_flow_table *table = make(0);

    (void)state;
    memset(g_mirrors, 0, sizeof(g_mirrors));
    ft_flow_set_mirrors(table, g_mirrors);
    send(table, 1001, false, FT_TCP_ACK, FT_FLOW_ONE_WAY_PACKETS - 1);
    assert_int_equal(one_way(), 0);
    send(table, 1001, false, FT_TCP_ACK, 1);
    assert_int_equal(one_way(), 1);
    send(table, 1001, false, FT_TCP_ACK, 1000);
    assert_int_equal(one_way(), 1);
    struct ft_packet p = tcp(START, false, 1001, FT_TCP_ACK);
    const struct ft_mirror *of_shard = &g_mirrors[p.shard];
    assert_int_equal(of_shard->rows[0].place.link, 2);
    assert_int_equal(of_shard->rows[0].place.vlan, 30);
    /* the other direction comes after all */
    send(table, 1001, true, FT_TCP_ACK, 1);
    assert_int_equal(one_way(), 0);
    send(table, 1001, true, FT_TCP_ACK, 100);

    /* who gets no answer acknowledges nothing; who is refused has one */
    send(table, 1002, false, FT_TCP_SYN, 100);
    send(table, 1003, true, FT_TCP_RST | FT_TCP_ACK, 100);
    send(table, 1004, false, FT_TCP_ACK, 50);
    send(table, 1004, true, FT_TCP_ACK, 50);
    assert_int_equal(one_way(), 0);
    send(table, 1005, false, FT_TCP_ACK, 3);
    send(table, 1006, true, FT_TCP_ACK, 4);
    send(table, 1007, true, FT_TCP_ACK, 40);
    assert_int_equal(one_way(), 1);
    for (unsigned shard = 0; shard < FT_SHARDS; shard++)
        ft_flow_flush(table, (uint8_t)shard, on_end, &g_ended);
    assert_int_equal(one_way(), 2);
    ft_flow_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_way),
        cmocka_unit_test(test_both_directions_are_one_flow),
        cmocka_unit_test(test_key_is_sorted_and_complete),
        cmocka_unit_test(test_layer_2_keys),
        cmocka_unit_test(test_server_by_handshake),
        cmocka_unit_test(test_server_by_port_and_group),
        cmocka_unit_test(test_close_and_reuse),
        cmocka_unit_test(test_forged_control_packets),
        cmocka_unit_test(test_timeouts),
        cmocka_unit_test(test_activity_keeps_a_flow),
        cmocka_unit_test(test_ticks_at_any_distance),
        cmocka_unit_test(test_ends_are_in_order_of_creation),
        cmocka_unit_test(test_eviction),
        cmocka_unit_test(test_many_keys_of_one_hash),
        cmocka_unit_test(test_smallest_tables_fill),
        cmocka_unit_test(test_stale_hints_do_no_harm),
        cmocka_unit_test(test_random_run_against_model),
        cmocka_unit_test(test_bursts_do_not_matter),
        cmocka_unit_test(test_end_callback_left_by_longjmp),
        cmocka_unit_test(test_sizes_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
