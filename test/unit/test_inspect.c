/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tests of inspection: hand-made packets go in, every one must be booked once in the right bucket,
 * every stream byte in one place, every event counted. And dissectors that crash, loop or abort are
 * abandoned while the others go on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flow/inspect.h"
#include "frames.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>

#define S      1000000000ull
#define CLIENT 0x0a000001u
#define SERVER 0x0a000002u

/* ---- two dissectors ---- */

/* "line": PDUs are a length byte and so many bytes; the first of them is the command. */
static struct ft_frame line_frame(struct ft_context *ctx, struct ft_view stream)
{
    uint8_t length = ft_u8(&stream);
    (void)ctx;
    if (length == 0xff)
        return ft_frame(FT_FRAME_OPAQUE, 0);
    if (length == 0xfe)
        return ft_frame(FT_FRAME_NOT_MINE, 0);
    return ft_frame(FT_FRAME_PDU, 1u + length);
}

static void line_dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    ft_u8(pdu);
    uint8_t command = ft_u8(pdu);
    ft_set_kind(ctx, command & 0x80   ? FT_KIND_RESPONSE
                     : command & 0x40 ? FT_KIND_EXCEPTION
                                      : FT_KIND_REQUEST);
    command &= 0x3f;
    ft_command(ctx, command, FT_ANY_QUALIFIER);
    if (command == 8)
        ft_request(ctx, FT_SCOPE_FLOW, 1, NULL, 0);
    if (command == 14)
        ft_expect_flow(ctx, FT_TRANSPORT_UDP, 2100, "crash", NULL, 0);
    if (command == 10 || command == 12)
        ft_request(ctx, command == 10 ? FT_SCOPE_FLOW : FT_SCOPE_HOST_PAIR, ft_u8(pdu), NULL, 0);
    if (command == 11) {
        ft_set_kind(ctx, FT_KIND_RESPONSE);
        ft_response(ctx, FT_SCOPE_FLOW, ft_u8(pdu));
    }
    if (command == 9)
        ft_child_probe(ctx, 0, ft_rest(pdu));
    if (command == 20)
        ft_violation(ctx, 0, pdu);
    if (command == 21) { /* a MAC address and two IPv4 addresses */
        struct ft_view mac = ft_sub(pdu, 6), ip = ft_sub(pdu, 4);
        ft_resolution(ctx, FT_RESOLUTION_QUESTION, mac, ip, ft_sub(pdu, 4));
    }
    if (command == 22)
        ft_claim(ctx, 7, 8, 9, 0, FT_NO_VIOLATION);
    ft_skip(pdu, pdu->len);
}

static enum ft_verdict line_probe(const struct ft_probe *where, struct ft_view payload)
{
    (void)where;
    return ft_u8(&payload) == 0xfe ? FT_NO : FT_YES;
}

/* "crash": does what the first byte says. */
static volatile uint8_t *forbidden; /* a page that nobody may touch */
static volatile unsigned spins;

static void misbehave(uint8_t how)
{
    switch (how) {
    case 'S':
        *forbidden = 1;
        return;
    case 'A':
        abort();
    case 'I':
        __asm__ volatile("ud2");
        return;
    case 'F':
        raise(SIGFPE);
        return;
    case 'L':
        for (;;)
            spins++;
    default:
        return;
    }
}

static void crash_dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    uint8_t how = ft_u8(pdu);
    ft_command(ctx, how, FT_ANY_QUALIFIER);
    misbehave(how);
    ft_skip(pdu, pdu->len);
}

static struct ft_frame crash_frame(struct ft_context *ctx, struct ft_view stream)
{
    (void)ctx;
    if (ft_u8(&stream) == 'f')
        misbehave('S');
    return ft_frame(FT_FRAME_PDU, 4);
}

static enum ft_verdict crash_probe(const struct ft_probe *where, struct ft_view payload)
{
    (void)where;
    if (ft_u8(&payload) == 'P')
        misbehave('S');
    return FT_YES;
}

static const struct ft_field line_fields[] = {{.name = "line", .type = FT_TYPE_GROUP}};
static const struct ft_field crash_fields[] = {{.name = "crash", .type = FT_TYPE_GROUP}};
static const struct ft_command line_commands[] = {
    {1, FT_ANY_QUALIFIER, "read", FT_CLASS_READ, {0}, NULL},
    {2, FT_ANY_QUALIFIER, "stop", FT_CLASS_MODE, {0}, NULL},
    {20, FT_ANY_QUALIFIER, "halt", FT_CLASS_MODE, {0}, NULL},
};
static const struct ft_violation line_violations[] = {
    {.name = "odd", .title = "Odd", .severity = FT_SEVERITY_MINOR}};
static const struct ft_carrier line_carriers[] = {
    {.kind = FT_CARRIER_TCP, .value = 1000},
    {.kind = FT_CARRIER_TCP, .flags = FT_CARRIER_SHARED, .value = 1500, .last = 1501},
    {.kind = FT_CARRIER_UDP, .value = 1000},
    {.kind = FT_CARRIER_ETHERTYPE, .value = 0x9999},
};
static const struct ft_carrier crash_carriers[] = {
    {.kind = FT_CARRIER_TCP, .value = 2000},
    {.kind = FT_CARRIER_UDP, .value = 2000},
    {.kind = FT_CARRIER_PARENT, .value = FT_ANY_SELECTOR, .parent = "line"},
};
static const struct ft_signature crash_signatures[] = {
    {.pattern = "^PROBE", .flags = FT_SIGNATURE_UDP},
};

static const struct ft_dissector line = {.size = sizeof(line),
                                         .abi = FT_ABI_VERSION,
                                         .name = "line",
                                         .title = "Line",
                                         .carried_by = FT_TABLE(line_carriers),
                                         .fields = FT_TABLE(line_fields),
                                         .commands = FT_TABLE(line_commands),
                                         .violations = FT_TABLE(line_violations),
                                         .flags = FT_DISSECTOR_OT,
                                         .probe = line_probe,
                                         .frame = line_frame,
                                         .dissect = line_dissect};

static const struct ft_dissector crash = {.size = sizeof(crash),
                                          .abi = FT_ABI_VERSION,
                                          .name = "crash",
                                          .title = "Crash",
                                          .carried_by = FT_TABLE(crash_carriers),
                                          .fields = FT_TABLE(crash_fields),
                                          .signatures = FT_TABLE(crash_signatures),
                                          .probe = crash_probe,
                                          .frame = crash_frame,
                                          .dissect = crash_dissect};

/* "rest": what nobody is bound to; the command is the first two bytes. */
static struct ft_context rest_context; /* of its last call */
static uint8_t rest_ip[2][16];

static void rest_dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    ft_command(ctx, ft_u16be(pdu), FT_ANY_QUALIFIER);
    rest_context = *ctx;
    if (ctx->ip_version) {
        memcpy(rest_ip[0], ctx->src_ip, ctx->ip_version == 6 ? 16 : 4);
        memcpy(rest_ip[1], ctx->dst_ip, ctx->ip_version == 6 ? 16 : 4);
    }
}

static const struct ft_field rest_fields[] = {{.name = "rest", .type = FT_TYPE_GROUP}};
static const struct ft_carrier rest_carriers[] = {
    {.kind = FT_CARRIER_ETHERTYPE, .value = FT_ANY_SELECTOR},
    {.kind = FT_CARRIER_LLC, .value = FT_ANY_SELECTOR},
    {.kind = FT_CARRIER_IP, .value = 112},
};
static const struct ft_dissector rest = {.size = sizeof(rest),
                                         .abi = FT_ABI_VERSION,
                                         .name = "rest",
                                         .title = "Rest",
                                         .carried_by = FT_TABLE(rest_carriers),
                                         .fields = FT_TABLE(rest_fields),
                                         .dissect = rest_dissect};

/* ---- a sensor of one worker ---- */

static struct sensor {
    struct ft_registry *registry;
    struct ft_recogniser *recogniser;
    struct ft_shards *shards;
    struct ft_ring ring;
    struct ft_inspector *inspector;
    struct ft_ledger *ledger;
    uint64_t seq, number, time_ns;
    uint32_t tcp_seq[2];           /* next of client, server */
    uint64_t seen[FT_EVENT_TYPES]; /* events that came out of the ring */
    struct ft_event last[FT_EVENT_TYPES];
} s;

static void sensor_open_with(uint32_t flows_per_shard, const struct ft_dissector *third)
{
    struct ft_shards_config config;
    char error[256];
    s = (struct sensor){.registry = ft_registry_new(), .time_ns = 1700000000 * S};
    s.tcp_seq[0] = 1000;
    s.tcp_seq[1] = 5000;
    assert_true(ft_registry_add(s.registry, &line, NULL, error, sizeof(error)));
    assert_true(ft_registry_add(s.registry, &crash, NULL, error, sizeof(error)));
    if (third)
        assert_true(ft_registry_add(s.registry, third, NULL, error, sizeof(error)));
    ft_registry_finish(s.registry);
    s.recogniser = ft_recogniser_new(s.registry, error, sizeof(error));
    assert_non_null(s.recogniser);
    ft_shards_config_init(&config);
    config.flow.flows_per_shard = flows_per_shard;
    config.entries_per_shard = 64;
    s.shards = ft_shards_new(s.registry, s.recogniser, &config, error, sizeof(error));
    assert_non_null(s.shards);
    assert_true(ft_ring_init(&s.ring, 1u << 20));
    s.inspector = ft_inspector_new(s.shards, &s.ring, NULL, NULL);
    assert_non_null(s.inspector);
    assert_true(ft_inspect_guard_thread(s.inspector));
    ft_inspect_install_guard(); /* cmocka puts handlers of its own in for each test */
    s.ledger = ft_inspector_ledger(s.inspector);
}

static void sensor_open(uint32_t flows_per_shard)
{
    sensor_open_with(flows_per_shard, NULL);
}

static void drain(void)
{
    const struct ft_event *e;
    uint64_t before = 0;
    while ((e = ft_ring_peek(&s.ring))) {
        assert_true(e->seq >= before);
        before = e->seq;
        assert_in_range(e->type, 1, FT_EVENT_TYPES - 1);
        s.seen[e->type]++;
        s.last[e->type] = *e;
        ft_ring_release(&s.ring);
    }
}

/* Whatever happened: packets, stream bytes and events are all accounted for. */
static void check_books(void)
{
    drain();
    if (!ft_ledger_is_balanced(s.ledger))
        fail_msg("not balanced");
    assert_int_equal(s.ledger->received, s.number);
    for (unsigned i = 0; i < FT_EVENT_TYPES; i++)
        assert_int_equal(s.ledger->events[i], s.seen[i] + s.ledger->events_shed[i]);
}

static const struct ft_books *books_now(void)
{
    static struct ft_books books;
    bool owned[FT_SHARDS];
    memset(owned, true, sizeof(owned));
    ft_inspect_books(s.inspector, owned, &books);
    return &books;
}

static void sensor_end(void)
{
    struct ft_packet end = {.seq = ++s.seq,
                            .number = s.number,
                            .time_ns = s.time_ns,
                            .stamp_ns = s.time_ns,
                            .flags = FT_PACKET_END};
    for (unsigned shard = 0; shard < FT_SHARDS; shard++)
        ft_inspect_end(s.inspector, &end, (uint8_t)shard);
    check_books();
    assert_true(ft_books_requests_balance(books_now()));
    assert_int_equal(s.ledger->stream.held, 0);
    for (unsigned i = 0; i < FT_BUCKET_COUNT; i++)
        assert_true(i != FT_BUCKET_NONE || s.ledger->packets[i] == 0);
}

static void sensor_close(void)
{
    sensor_end();
    ft_inspect_unguard_thread(s.inspector);
    ft_inspector_free(s.inspector);
    ft_ring_free(&s.ring);
    ft_shards_free(s.shards);
    ft_recogniser_free(s.recogniser);
    ft_registry_free(s.registry);
}

/* ---- packets ---- */

static struct frame frame;
static uint16_t interface; /* that packets come from */

/* Inspect the frame as a burst of one; returns its bucket. */
static enum ft_bucket send_cut(uint32_t caplen)
{
    struct ft_decode_config config;
    ft_decode_config_init(&config);
    frame_end(&frame);
    caplen = caplen < frame.len ? caplen : frame.len;
    struct ft_packet p = packet_on(frame.bytes, caplen, frame.len, FT_LINKTYPE_ETHERNET);
    p.seq = ++s.seq;
    p.number = ++s.number;
    p.time_ns = p.stamp_ns = s.time_ns += 1000000;
    p.interface = interface;
    if (ft_packet_decode(&config, &p) == FT_DECODE_FRAGMENT)
        p.bucket = FT_BUCKET_FRAGMENT_HELD;
    struct ft_packet *burst[] = {&p};
    uint64_t before = s.ledger->received;
    ft_inspect_burst(s.inspector, burst, 1);
    assert_int_equal(s.ledger->received, before + 1);
    packet_free(&p);
    check_books();
    return (enum ft_bucket)p.bucket;
}

static enum ft_bucket send_frame(void)
{
    return send_cut(UINT32_MAX);
}

static enum ft_bucket send_udp(unsigned src_port, unsigned dst_port, const char *bytes, uint32_t n)
{
    udp_frame(&frame, CLIENT, src_port, SERVER, dst_port, bytes, n);
    return send_frame();
}

/* A segment of the client (side 0) or server at the next sequence number plus `ahead`. */
static enum ft_bucket send_tcp(unsigned side, unsigned client_port, unsigned server_port,
                               uint8_t flags, int32_t ahead, const char *bytes, uint32_t n)
{
    frame_begin(&frame);
    ethernet(&frame, 0x0800);
    open_ipv4_between(&frame, 6, side ? SERVER : CLIENT, side ? CLIENT : SERVER);
    open_tcp(&frame, side ? server_port : client_port, side ? client_port : server_port);
    uint8_t *header = frame.bytes + frame.open[frame.open_count - 1].at;
    uint32_t seq = s.tcp_seq[side] + (uint32_t)ahead;
    set16(header + 4, seq >> 16);
    set16(header + 6, seq);
    set16(header + 8, s.tcp_seq[!side] >> 16);
    set16(header + 10, s.tcp_seq[!side]);
    header[13] = flags;
    put(&frame, bytes, n);
    if (ahead == 0)
        s.tcp_seq[side] += n + ((flags & (FT_TCP_SYN | FT_TCP_FIN)) != 0);
    return send_frame();
}

static void handshake(unsigned client_port, unsigned server_port)
{
    assert_int_equal(send_tcp(0, client_port, server_port, FT_TCP_SYN, 0, "", 0),
                     FT_BUCKET_NO_PAYLOAD);
    assert_int_equal(send_tcp(1, client_port, server_port, FT_TCP_SYN | FT_TCP_ACK, 0, "", 0),
                     FT_BUCKET_NO_PAYLOAD);
}

/* ---- buckets ---- */

static void test_datagram_buckets(void **state)
{
    (void)state;
    sensor_open(256);
    assert_int_equal(send_udp(40000, 1000, "\1\1", 2), FT_BUCKET_ANALYSED);
    assert_int_equal(send_udp(40000, 1000, "", 0), FT_BUCKET_NO_PAYLOAD);
    assert_int_equal(send_udp(40000, 3000, "xyz", 3), FT_BUCKET_UNKNOWN_PROTOCOL);
    frame_begin(&frame);
    ethernet(&frame, 0x9999);
    put(&frame, "\1\1", 2);
    assert_int_equal(send_frame(), FT_BUCKET_ANALYSED);
    frame_begin(&frame);
    ethernet(&frame, 0x9998);
    put(&frame, "\1\1", 2);
    assert_int_equal(send_frame(), FT_BUCKET_UNKNOWN_PROTOCOL);
    frame_begin(&frame);
    ethernet(&frame, 0x0800);
    open_ipv4(&frame, 50); /* ESP */
    put_data(&frame, 40);
    assert_int_equal(send_frame(), FT_BUCKET_ENCRYPTED);
    assert_int_equal(s.ledger->packets[FT_BUCKET_ANALYSED], 2);
    assert_int_equal(s.ledger->packets[FT_BUCKET_UNKNOWN_PROTOCOL], 2);
    assert_int_equal(s.ledger->messages, 2);
    sensor_close();
}

/* An 802.3 frame of these bytes, in a frame padded to 60. */
static enum ft_bucket send_llc(const char *bytes, uint32_t n)
{
    frame_begin(&frame);
    ethernet(&frame, n);
    put(&frame, bytes, n);
    put_zeros(&frame, 60 - frame.len);
    return send_frame();
}

static void expect_rest(enum ft_bucket bucket, enum ft_bucket expected, uint32_t code)
{
    assert_int_equal(bucket, expected);
    assert_int_equal(s.last[FT_EVENT_OPERATION].seq, s.seq);
    assert_int_equal(s.last[FT_EVENT_OPERATION].message.code, code);
}

static uint64_t carried_by(const char *name)
{
    for (unsigned i = 0; i < FT_CARRIERS; i++)
        if (!strcmp(ft_carrier_name(i), name))
            return s.ledger->carriers[i];
    fail_msg("%s", name);
    return 0;
}

/* Told by what carries it, and booked as unknown all the same. */
static void test_unbound(void **state)
{
    (void)state;
    sensor_open_with(256, &rest);
    frame_begin(&frame);
    ethernet(&frame, 0x88f7);
    put(&frame, "\1\2\3", 3);
    expect_rest(send_frame(), FT_BUCKET_UNKNOWN_PROTOCOL, 0x0102);
    assert_int_equal(rest_context.ethertype, 0x88f7);
    assert_null(rest_context.src_ip);
    assert_int_equal(carried_by("ethertype_88f7_ptp"), 1);
    /* 802.2: from its header on, without the padding. */
    expect_rest(send_llc("\xe0\xe1\x03\xff", 4), FT_BUCKET_UNKNOWN_PROTOCOL, 0xe0e1);
    assert_int_equal(rest_context.pdu_length, 4);
    assert_int_equal(carried_by("llc_e0_ipx"), 1);
    expect_rest(send_llc("\x04\x04\x01\x02", 4), FT_BUCKET_NO_PAYLOAD, 0x0404);
    expect_rest(send_llc("\xaa\xaa\x03\x00\x00\x0c\x20\x04z", 9), FT_BUCKET_UNKNOWN_PROTOCOL,
                0xaaaa);
    assert_int_equal(rest_context.pdu_length, 9);
    assert_int_equal(carried_by("snap_cisco_dtp"), 1);
    /* An ethertype in SNAP is that ethertype: somebody is bound to this one. */
    assert_int_equal(send_llc("\xaa\xaa\x03\x00\x00\x00\x99\x99\1\1", 10), FT_BUCKET_ANALYSED);
    expect_rest(send_llc("\xaa\xaa\x03\x00\x00\x00\x99\x98\1\5", 10), FT_BUCKET_UNKNOWN_PROTOCOL,
                0x0105);
    assert_int_equal(carried_by("ethertype_other"), 1);
    sensor_close();
}

static void test_addresses_of_context(void **state)
{
    (void)state;
    sensor_open_with(256, &rest);
    frame_begin(&frame);
    ethernet(&frame, 0x0800);
    open_ipv4_between(&frame, 112, SERVER, CLIENT);
    put(&frame, "\1\2", 2);
    assert_int_equal(send_frame(), FT_BUCKET_ANALYSED);
    assert_int_equal(rest_context.ip_version, 4);
    assert_int_equal(rest_context.ttl, 64);
    /* Sender and receiver, whatever the order in the flow's key. */
    assert_memory_equal(rest_ip[0], "\x0a\0\0\2", 4);
    assert_memory_equal(rest_ip[1], "\x0a\0\0\1", 4);
    frame_begin(&frame);
    ethernet(&frame, 0x86dd);
    open_ipv6(&frame, 112);
    put(&frame, "\1\2", 2);
    assert_int_equal(send_frame(), FT_BUCKET_ANALYSED);
    assert_int_equal(rest_context.ip_version, 6);
    assert_int_equal(rest_context.ttl, 63);
    assert_int_equal(rest_ip[0][15], 1);
    assert_int_equal(rest_ip[1][15], 2);
    sensor_close();
}

static void expect_anomaly(enum ft_anomaly anomaly, bool is_told)
{
    uint64_t before = s.seen[FT_EVENT_ANOMALY];
    send_frame();
    assert_int_equal(s.seen[FT_EVENT_ANOMALY], before + is_told);
    if (is_told)
        assert_int_equal(s.last[FT_EVENT_ANOMALY].anomaly, anomaly);
}

static void test_frames_that_no_station_sends(void **state)
{
    (void)state;
    sensor_open(256);
    frame_begin(&frame);
    ethernet(&frame, 0x9998);
    put(&frame, "\1\1", 2);
    frame.bytes[6] |= 1;
    expect_anomaly(FT_ANOMALY_MAC_GROUP, true);
    frame.bytes[6] = 2;
    expect_anomaly(FT_ANOMALY_MAC_GROUP, false);
    memcpy(frame.bytes + 6, frame.bytes, 6);
    expect_anomaly(FT_ANOMALY_MAC_SAME, true);
    expect_anomaly(FT_ANOMALY_MAC_SAME, false); /* once a flow */
    memset(frame.bytes, 0, 12);
    expect_anomaly(FT_ANOMALY_MAC_SAME, false);
    frame_begin(&frame);
    ethernet(&frame, 0x9000);
    put(&frame, "\1\1", 2);
    memcpy(frame.bytes + 6, frame.bytes, 6);
    expect_anomaly(FT_ANOMALY_MAC_SAME, false);
    frame_begin(&frame);
    ethernet(&frame, 0x8100);
    vlan(&frame, 0, 0xffe, 0x9997);
    put(&frame, "\1\1", 2);
    expect_anomaly(FT_ANOMALY_VLAN_RESERVED, false);
    frame_begin(&frame);
    ethernet(&frame, 0x8100);
    vlan(&frame, 0, 0xfff, 0x9996);
    put(&frame, "\1\1", 2);
    expect_anomaly(FT_ANOMALY_VLAN_RESERVED, true);
    sensor_close();
}

/* A sender of datagrams need not have a port (RFC 768): only what is sent to port 0 is no service.
 */
static void test_port_zero(void **state)
{
    (void)state;
    sensor_open(256);
    send_udp(0, 9, "\1\1", 2);
    assert_int_equal(s.seen[FT_EVENT_ANOMALY], 0);
    send_udp(40000, 0, "\1\1", 2);
    assert_int_equal(s.seen[FT_EVENT_ANOMALY], 1);
    assert_int_equal(s.last[FT_EVENT_ANOMALY].anomaly, FT_ANOMALY_PORT_ZERO);
    sensor_close();
}

/* Who answers a datagram was not only spoken to. With TCP the session says so. */
static void test_answer_is_told(void **state)
{
    (void)state;
    sensor_open(256);
    for (unsigned i = 0; i < 3; i++)
        send_udp(40000, 1000, "\1\1", 2);
    assert_int_equal(s.last[FT_EVENT_TALK].packet.server_side, 1);
    uint64_t before = s.seen[FT_EVENT_TALK];
    for (unsigned i = 0; i < 3; i++) {
        udp_frame(&frame, SERVER, 1000, CLIENT, 40000, "\1\1", 2);
        send_frame();
    }
    assert_int_equal(s.seen[FT_EVENT_TALK], before + 1);
    assert_int_equal(s.last[FT_EVENT_TALK].packet.server_side, 0);
    assert_int_not_equal(s.last[FT_EVENT_TALK].protocol, 0);
    sensor_close();
}

static void test_undecodable(void **state)
{
    (void)state;
    sensor_open(256);
    frame_begin(&frame);
    ethernet(&frame, 0x0800);
    open_ipv4(&frame, 17);
    open_udp(&frame, 40000, 1000);
    put(&frame, "\1\1", 2);
    assert_int_equal(send_cut(20), FT_BUCKET_CUT);
    frame_begin(&frame);
    ethernet(&frame, 0x0800);
    put_data(&frame, 40);
    assert_int_equal(send_frame(), FT_BUCKET_IPV4_HEADER);
    frame_begin(&frame);
    ethernet(&frame, 0x05f0);
    put_data(&frame, 40);
    assert_int_equal(send_frame(), FT_BUCKET_ETHERNET);
    assert_int_equal(s.ledger->messages, 0);
    sensor_close();
}

/* The reader holds fragments back; the books still have each. */
static void test_fragment_held(void **state)
{
    (void)state;
    sensor_open(256);
    frame_begin(&frame);
    ethernet(&frame, 0x0800);
    open_ipv4(&frame, 17);
    frame.bytes[14 + 6] = 0x20; /* more fragments */
    put_data(&frame, 64);
    assert_int_equal(send_frame(), FT_BUCKET_FRAGMENT_HELD);
    sensor_close();
}

/* Flows of industrial protocols are not evicted: when all are, there is no room. */
static void test_full_flow_table(void **state)
{
    (void)state;
    sensor_open(16);
    unsigned shed = 0, analysed = 0;
    for (unsigned port = 30000; port < 30100; port++) {
        enum ft_bucket b = send_udp(port, 1000, "\1\1", 2);
        shed += b == FT_BUCKET_SHED_FLOW_TABLE;
        analysed += b == FT_BUCKET_ANALYSED;
    }
    assert_int_equal(shed + analysed, 100);
    assert_int_equal(s.ledger->packets[FT_BUCKET_SHED_FLOW_TABLE], shed);
    assert_in_range(analysed, 8, 16);
    sensor_close();
}

static void test_tcp_buckets(void **state)
{
    (void)state;
    sensor_open(256);
    handshake(40000, 1000);
    assert_int_equal(send_tcp(0, 40000, 1000, FT_TCP_ACK, 0, "\2\1x\1\1", 5), FT_BUCKET_ANALYSED);
    assert_int_equal(s.ledger->messages, 2);
    assert_int_equal(s.ledger->stream.delivered, 5);
    /* a PDU in two segments: the first half is held */
    assert_int_equal(send_tcp(0, 40000, 1000, FT_TCP_ACK, 0, "\3\1", 2), FT_BUCKET_ANALYSED);
    assert_int_equal(s.ledger->stream.held, 2);
    send_tcp(0, 40000, 1000, FT_TCP_ACK, 0, "xy", 2);
    assert_int_equal(s.ledger->stream.held, 0);
    assert_int_equal(s.ledger->stream.delivered, 9);
    /* the last segment again */
    send_tcp(0, 40000, 1000, FT_TCP_ACK, -2, "xy", 2);
    assert_int_equal(s.ledger->stream.duplicate, 2);
    /* ahead of a hole: held until the flow ends, then lost and given out */
    send_tcp(0, 40000, 1000, FT_TCP_ACK, 3, "\1\1", 2);
    assert_int_equal(s.ledger->stream.held, 2);
    assert_int_equal(s.ledger->stream_received, 13);
    sensor_close();
}

static void test_tcp_lost(void **state)
{
    (void)state;
    sensor_open(256);
    handshake(40000, 1000);
    send_tcp(0, 40000, 1000, FT_TCP_ACK, 0, "\1\1", 2);
    s.tcp_seq[0] += 7; /* never seen */
    for (unsigned i = 0; i < 200; i++)
        send_tcp(0, 40000, 1000, FT_TCP_ACK, 0, "\1\1", 2);
    assert_int_equal(s.ledger->stream.lost, 7);
    assert_true(s.ledger->messages > 190);
    sensor_close();
}

static void test_tcp_encrypted(void **state)
{
    (void)state;
    sensor_open(256);
    handshake(40000, 1000);
    assert_int_equal(send_tcp(0, 40000, 1000, FT_TCP_ACK, 0, "\1\1\xff***", 6),
                     FT_BUCKET_ENCRYPTED);
    assert_int_equal(send_tcp(0, 40000, 1000, FT_TCP_ACK, 0, "****", 4), FT_BUCKET_ENCRYPTED);
    assert_int_equal(s.ledger->stream.delivered, 2);
    assert_int_equal(s.ledger->stream.encrypted, 8);
    sensor_close();
}

/* Other content on a bound port is told once, and the flow is unknown from then on. */
static void test_other_content(void **state)
{
    (void)state;
    sensor_open(256);
    handshake(40000, 1000);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(send_tcp(0, 40000, 1000, FT_TCP_ACK, 0, "\xfe***", 4),
                         FT_BUCKET_UNKNOWN_PROTOCOL);
    assert_int_equal(s.seen[FT_EVENT_VIOLATION], 1);
    assert_int_equal(s.last[FT_EVENT_VIOLATION].message.violation, FT_VIOLATION_NOT_PROTOCOL);
    assert_int_equal(s.ledger->stream.skipped, 24);
    sensor_close();
}

/* A capture that begins in the middle, and not with the protocol of the port. */
static void test_other_content_midstream(void **state)
{
    (void)state;
    sensor_open(256);
    for (unsigned i = 0; i < 31; i++)
        assert_int_equal(send_tcp(0, 40000, 1000, FT_TCP_ACK, 0, "\xfe***", 4),
                         FT_BUCKET_UNKNOWN_PROTOCOL);
    assert_int_equal(s.seen[FT_EVENT_VIOLATION], 0); /* the rest of a long PDU, perhaps */
    assert_int_equal(s.last[FT_EVENT_TALK].protocol, 0);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(send_tcp(0, 40000, 1000, FT_TCP_ACK, 0, "\xfe***", 4),
                         FT_BUCKET_UNKNOWN_PROTOCOL);
    assert_int_equal(s.seen[FT_EVENT_VIOLATION], 1);
    assert_int_equal(s.last[FT_EVENT_VIOLATION].message.violation, FT_VIOLATION_NOT_PROTOCOL);
    sensor_end();
    assert_int_equal(s.last[FT_EVENT_FLOW].protocol, 0);
    sensor_close();
}

/* A client's port that is bound to something is a hint and no promise. */
static void test_port_of_client(void **state)
{
    (void)state;
    sensor_open(256);
    handshake(1000, 5555);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(send_tcp(0, 1000, 5555, FT_TCP_ACK, 0, "\xfe***", 4),
                         FT_BUCKET_UNKNOWN_PROTOCOL);
    assert_int_equal(s.seen[FT_EVENT_VIOLATION], 0);
    sensor_close();
    sensor_open(256);
    handshake(1000, 5555);
    assert_int_equal(send_tcp(0, 1000, 5555, FT_TCP_ACK, 0, "\1\1", 2), FT_BUCKET_ANALYSED);
    sensor_close();
}

/* On a port that others use too other content is no fault, unless it comes behind the protocol's.
 */
static void test_shared_port(void **state)
{
    (void)state;
    for (uint16_t port = 1500; port < 1502; port++) {
        sensor_open(256);
        handshake(40000, port);
        for (unsigned i = 0; i < 6; i++)
            assert_int_equal(send_tcp(0, 40000, port, FT_TCP_ACK, 0, "\xfe***", 4),
                             FT_BUCKET_UNKNOWN_PROTOCOL);
        assert_int_equal(s.seen[FT_EVENT_VIOLATION], 0);
        sensor_close();
    }
    sensor_open(256); /* joined in the middle */
    for (unsigned i = 0; i < 40; i++)
        send_tcp(0, 40000, 1500, FT_TCP_ACK, 0, "\xfe***", 4);
    assert_int_equal(s.seen[FT_EVENT_VIOLATION], 0);
    sensor_close();
    sensor_open(256);
    handshake(40000, 1500);
    assert_int_equal(send_tcp(0, 40000, 1500, FT_TCP_ACK, 0, "\1\1", 2), FT_BUCKET_ANALYSED);
    send_tcp(0, 40000, 1500, FT_TCP_ACK, 0, "\xfe***", 4);
    assert_int_equal(s.seen[FT_EVENT_VIOLATION], 1);
    sensor_close();
}

/* The first bytes behind the handshake were never seen: what comes is no beginning. */
static void test_first_bytes_lost(void **state)
{
    (void)state;
    sensor_open(256);
    handshake(40000, 1000);
    s.tcp_seq[0] += 7;
    send_tcp(0, 40000, 1000, FT_TCP_ACK, 0, "\xfe\xfe", 2);
    for (unsigned i = 0; i < 200; i++)
        send_tcp(0, 40000, 1000, FT_TCP_ACK, 0, "\1\1", 2);
    assert_int_equal(s.ledger->stream.lost, 7);
    assert_int_equal(s.seen[FT_EVENT_VIOLATION], 0);
    assert_true(s.ledger->messages > 190);
    sensor_close();
}

/*
 * Sessions of office protocols go over to others. Who joined one later, or sees one direction only,
 * does not know whether that was agreed.
 */
static void test_office_session_changed(void **state)
{
    static const struct ft_carrier carriers[] = {{.kind = FT_CARRIER_TCP, .value = 3000}};
    static const struct ft_field fields[] = {{.name = "office", .type = FT_TYPE_GROUP}};
    struct ft_dissector office = line;
    (void)state;
    office.name = "office";
    office.flags = 0;
    office.fields = (struct ft_table)FT_TABLE(fields);
    office.carried_by = (struct ft_table)FT_TABLE(carriers);
    for (unsigned seen = 0; seen < 3; seen++) {
        sensor_open_with(256, &office);
        if (seen > 0) /* the beginning */
            send_tcp(0, 40000, 3000, FT_TCP_SYN, 0, "", 0);
        if (seen > 1) /* the other direction */
            send_tcp(1, 40000, 3000, FT_TCP_SYN | FT_TCP_ACK, 0, "", 0);
        for (unsigned i = 0; i < 40; i++)
            send_tcp(0, 40000, 3000, FT_TCP_ACK, 0, "\xfe***", 4);
        assert_int_equal(s.seen[FT_EVENT_VIOLATION], seen == 2);
        sensor_close();
    }
}

/* A session that was read from its middle on is judged like others once its place is sure. */
static void test_content_changes_midstream(void **state)
{
    (void)state;
    sensor_open(256);
    assert_int_equal(send_tcp(0, 40000, 1000, FT_TCP_ACK, 0, "\1\1", 2), FT_BUCKET_ANALYSED);
    assert_int_not_equal(s.last[FT_EVENT_TALK].protocol, 0);
    send_tcp(0, 40000, 1000, FT_TCP_ACK, 0, "\xfe\xfe\xfe\xfe",
             4); /* one PDU may be bytes of another */
    assert_int_equal(s.seen[FT_EVENT_VIOLATION], 0);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(send_tcp(0, 40000, 1000, FT_TCP_ACK, 0, "\1\1", 2), FT_BUCKET_ANALYSED);
    assert_int_equal(send_tcp(0, 40000, 1000, FT_TCP_ACK, 0, "\xfe\xfe\xfe\xfe", 4),
                     FT_BUCKET_UNKNOWN_PROTOCOL);
    assert_int_equal(s.seen[FT_EVENT_VIOLATION], 1);
    assert_int_equal(send_tcp(0, 40000, 1000, FT_TCP_ACK, 0, "\1\1", 2), FT_BUCKET_ANALYSED);
    sensor_close();
}

/* A flow that another one announced is known without its content being looked at. */
static void test_announced_flow(void **state)
{
    (void)state;
    sensor_open(256);
    assert_int_equal(send_udp(40001, 2100, "x", 1), FT_BUCKET_UNKNOWN_PROTOCOL);
    send_udp(40000, 1000, "\1\x0e", 2);
    assert_int_equal(send_udp(40002, 2101, "x", 1), FT_BUCKET_UNKNOWN_PROTOCOL);
    assert_int_equal(send_udp(40002, 2100, "x", 1), FT_BUCKET_ANALYSED);
    assert_int_equal(s.seen[FT_EVENT_OPERATION], 2);
    s.time_ns += (FT_EXPECTED_SECONDS + 1) * S;
    assert_int_equal(send_udp(40003, 2100, "x", 1), FT_BUCKET_UNKNOWN_PROTOCOL);
    sensor_close();
}

/* ---- events ---- */

/* An answer without its request stands for it, if its code says what was asked; one that refuses
 * is no order. */
static void test_operations_of_answers(void **state)
{
    (void)state;
    sensor_open(256);
    send_udp(40000, 1000, "\1\x81", 2); /* answer to "read" */
    assert_int_equal(s.seen[FT_EVENT_OPERATION], 1);
    send_udp(40000, 1000, "\1\x9f", 2); /* answer to nobody knows what */
    assert_int_equal(s.seen[FT_EVENT_OPERATION], 1);
    send_udp(40000, 1000, "\1\x1f", 2); /* the request for it is told */
    assert_int_equal(s.seen[FT_EVENT_OPERATION], 2);
    send_udp(40000, 1000, "\1\x42", 2); /* "stop" refused */
    assert_int_equal(s.seen[FT_EVENT_OPERATION], 3);
    assert_int_equal(s.last[FT_EVENT_OPERATION].message.kind, FT_KIND_EXCEPTION);
    assert_int_equal(s.seen[FT_EVENT_ALERT], 0);
    send_udp(40000, 1000, "\1\x82", 2); /* "stop" done */
    assert_int_equal(s.seen[FT_EVENT_ALERT], 1);
    sensor_close();
}

/* What only carries an operation of another protocol is not told beside it. */
static void test_operations_of_carriers(void **state)
{
    (void)state;
    sensor_open(256);
    for (unsigned i = 0; i < 3; i++)
        send_udp(40000, 1000, "\2\x09x", 3);
    assert_int_equal(s.seen[FT_EVENT_OPERATION], 1);
    assert_int_equal(s.last[FT_EVENT_OPERATION].message.code, 'x');
    send_udp(40000, 1001, "\1\x09", 2); /* an unknown flow: nothing */
    assert_int_equal(s.seen[FT_EVENT_OPERATION], 1);
    sensor_close();
}

/* The core gives one alert for both, and needs the violation first. */
static void test_violations_come_before_alerts(void **state)
{
    (void)state;
    sensor_open(256);
    send_udp(40000, 1000, "\1\x14", 2);
    assert_int_equal(s.seen[FT_EVENT_VIOLATION], 1);
    assert_int_equal(s.seen[FT_EVENT_ALERT], 1);
    assert_true(s.last[FT_EVENT_VIOLATION].n < s.last[FT_EVENT_ALERT].n);
    assert_int_equal(s.last[FT_EVENT_VIOLATION].message.index,
                     s.last[FT_EVENT_ALERT].message.index);
    assert_int_equal(s.last[FT_EVENT_VIOLATION].message.value, 0x14);
    sensor_close();
}

static void send_question(uint8_t a, uint8_t b)
{
    uint8_t bytes[] = {15, 21, 0, 0x80, 0xf4, 0, a, b, 10, 0, 0, 1, 10, 0, 0, 2};
    send_udp(40000, 1000, (const char *)bytes, sizeof(bytes));
}

/* A flood of what the core counts is no flood of events, and yet is counted. */
static void test_resolutions(void **state)
{
    (void)state;
    sensor_open(256);
    s.time_ns = 100 * S;
    for (unsigned i = 0; i < 500; i++)
        send_question(0, 0);
    assert_int_equal(s.seen[FT_EVENT_RESOLUTION], 1);
    const struct ft_event_resolution *r = &s.last[FT_EVENT_RESOLUTION].resolution;
    assert_int_equal(r->what, FT_RESOLUTION_QUESTION);
    assert_int_equal(r->family, 4);
    assert_int_equal(r->mac[1], 0x80);
    assert_int_equal(r->ip.bytes[3], 1);
    assert_int_equal(r->target.bytes[3], 2);
    assert_int_equal(r->count, 1);
    s.time_ns = 101 * S;
    send_question(0, 0);
    assert_int_equal(s.seen[FT_EVENT_RESOLUTION], 2);
    assert_int_equal(r->count, 500);
    s.time_ns = 102 * S;
    for (unsigned i = 0; i < 300; i++)
        send_question((uint8_t)(i >> 8), (uint8_t)i);
    assert_int_equal(s.seen[FT_EVENT_RESOLUTION], 2 + FT_SIGHTINGS);
    s.time_ns = 103 * S;
    send_question(9, 9);
    assert_int_equal(s.seen[FT_EVENT_RESOLUTION], 3 + FT_SIGHTINGS);
    assert_int_equal(r->untold, 300 - FT_SIGHTINGS);
    sensor_close();
}

static void test_claims(void **state)
{
    (void)state;
    sensor_open(256);
    send_udp(40000, 1000, "\1\x16", 2);
    assert_int_equal(s.seen[FT_EVENT_CLAIM], 1);
    assert_true(s.last[FT_EVENT_CLAIM].message.claim != 0);
    assert_int_equal(s.last[FT_EVENT_CLAIM].message.code, 22);
    assert_int_equal(s.seen[FT_EVENT_FACT], 0);
    sensor_close();
}

static void test_operations_once(void **state)
{
    (void)state;
    sensor_open(256);
    for (unsigned i = 0; i < 5; i++)
        send_udp(40000, 1000, "\1\1", 2);
    assert_int_equal(s.seen[FT_EVENT_OPERATION], 1);
    assert_int_equal(s.seen[FT_EVENT_ALERT], 0);
    assert_int_equal(s.last[FT_EVENT_OPERATION].message.class_, FT_CLASS_READ);
    for (unsigned i = 0; i < 3; i++)
        send_udp(40001, 1000, "\1\2", 2); /* another flow of the same pair: "stop" */
    assert_int_equal(s.seen[FT_EVENT_OPERATION], 2);
    assert_int_equal(s.seen[FT_EVENT_ALERT], 3);
    assert_int_equal(s.last[FT_EVENT_ALERT].message.class_, FT_CLASS_MODE);
    assert_int_equal(s.last[FT_EVENT_ALERT].packet.dst_port, 1000);
    sensor_close();
    assert_int_equal(s.seen[FT_EVENT_FLOW], 2);
}

static void test_full_ring(void **state)
{
    (void)state;
    sensor_open(256);
    ft_ring_free(&s.ring);
    ft_ring_init(&s.ring, 1);
    /* nobody drains: alerts are shed when it is full, and counted */
    for (unsigned i = 0; i < 500; i++) {
        struct ft_decode_config config;
        ft_decode_config_init(&config);
        udp_frame(&frame, CLIENT, 40000, SERVER, 1000, "\1\2", 2);
        struct ft_packet p = packet_of(&frame, ++s.seq);
        struct ft_packet *burst[] = {&p};
        p.number = ++s.number;
        ft_packet_decode(&config, &p);
        ft_inspect_burst(s.inspector, burst, 1);
        packet_free(&p);
    }
    assert_int_equal(s.ledger->events[FT_EVENT_ALERT], 500);
    assert_true(s.ledger->events_shed[FT_EVENT_ALERT] > 400);
    sensor_close();
}

/* ---- faults ---- */

static void expect_abandoned(enum ft_bucket bucket, enum ft_health health, int signal)
{
    assert_int_equal(bucket, FT_BUCKET_SHED_FAULT);
    assert_int_equal(s.ledger->faults, 1);
    assert_int_equal(s.seen[FT_EVENT_HEALTH], 1);
    assert_int_equal(s.last[FT_EVENT_HEALTH].health.health, health);
    assert_int_equal(s.last[FT_EVENT_HEALTH].health.signal, signal);
    assert_int_equal(s.last[FT_EVENT_HEALTH].protocol,
                     ft_registry_find(s.registry, "crash")->index + 1);
    assert_int_not_equal(ft_registry_find(s.registry, "crash")->off[0] |
                             ft_registry_find(s.registry, "crash")->off[1],
                         0);
    assert_int_equal(ft_registry_find(s.registry, "line")->off[0] |
                         ft_registry_find(s.registry, "line")->off[1],
                     0);
    /* It is not called again, and the others go on. */
    assert_int_equal(send_udp(40010, 2000, "S", 1), FT_BUCKET_UNKNOWN_PROTOCOL);
    assert_int_equal(send_udp(40011, 1000, "\1\1", 2), FT_BUCKET_ANALYSED);
    assert_int_equal(s.ledger->faults, 1);
}

static void test_faults(void **state)
{
    static const struct {
        const char *how;
        int signal;
    } rows[] = {{"S", SIGSEGV}, {"A", SIGABRT}, {"I", SIGILL}, {"F", SIGFPE}};
    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sensor_open(256);
        assert_int_equal(send_udp(40000, 2000, "x", 1), FT_BUCKET_ANALYSED);
        expect_abandoned(send_udp(40000, 2000, rows[i].how, 1), FT_HEALTH_DISSECTOR_FAULT,
                         rows[i].signal);
        sensor_close();
    }
}

/* In the middle of a stream: its bytes are accounted for too. */
static void test_fault_in_stream(void **state)
{
    (void)state;
    sensor_open(256);
    handshake(40000, 2000);
    assert_int_equal(send_tcp(0, 40000, 2000, FT_TCP_ACK, 0, "xxxxyy", 6), FT_BUCKET_ANALYSED);
    assert_int_equal(s.ledger->stream.held, 2);
    expect_abandoned(send_tcp(0, 40000, 2000, FT_TCP_ACK, 0, "yySxxxzz", 8),
                     FT_HEALTH_DISSECTOR_FAULT, SIGSEGV);
    assert_int_equal(send_tcp(0, 40000, 2000, FT_TCP_ACK, 0, "xxxx", 4),
                     FT_BUCKET_UNKNOWN_PROTOCOL);
    sensor_close();
}

static void test_fault_in_frame(void **state)
{
    (void)state;
    sensor_open(256);
    handshake(40000, 2000);
    send_tcp(0, 40000, 2000, FT_TCP_ACK, 0, "xxxx", 4);
    expect_abandoned(send_tcp(0, 40000, 2000, FT_TCP_ACK, 0, "xxxxfxxx", 8),
                     FT_HEALTH_DISSECTOR_FAULT, SIGSEGV);
    sensor_close();
}

/* In probe(), of a bound port and of a signature: the one that was asked is the culprit. */
static void test_fault_in_probe(void **state)
{
    (void)state;
    sensor_open(256);
    expect_abandoned(send_udp(40000, 2000, "P", 1), FT_HEALTH_DISSECTOR_FAULT, SIGSEGV);
    sensor_close();
    sensor_open(256);
    expect_abandoned(send_udp(40000, 3000, "PROBE", 5), FT_HEALTH_DISSECTOR_FAULT, SIGSEGV);
    assert_int_equal(send_udp(40001, 3000, "PROBE", 5), FT_BUCKET_UNKNOWN_PROTOCOL);
    assert_int_equal(s.ledger->faults, 1);
    sensor_close();
}

/* Inside another protocol the child is the culprit, in its probe() and in its dissect(). */
static void test_fault_in_child(void **state)
{
    (void)state;
    sensor_open(256);
    assert_int_equal(send_udp(40000, 1000, "\3\11x", 3), FT_BUCKET_ANALYSED);
    assert_int_equal(s.ledger->messages, 2);
    expect_abandoned(send_udp(40000, 1000, "\3\11S", 3), FT_HEALTH_DISSECTOR_FAULT, SIGSEGV);
    assert_int_equal(send_udp(40002, 1000, "\3\11S", 3), FT_BUCKET_ANALYSED);
    sensor_close();
    sensor_open(256);
    expect_abandoned(send_udp(40000, 1000, "\3\11P", 3), FT_HEALTH_DISSECTOR_FAULT, SIGSEGV);
    sensor_close();
}

/* Others of the burst are inspected, before and after. */
static void test_fault_in_burst(void **state)
{
    struct ft_packet packets[64], *burst[64];
    struct ft_decode_config config;
    (void)state;
    sensor_open(256);
    ft_decode_config_init(&config);
    for (unsigned i = 0; i < 64; i++) {
        udp_frame(&frame, CLIENT, 40000, SERVER, i % 16 == 5 ? 2000 : 1000,
                  i % 16 == 5 ? "S." : "\1\1", 2);
        packets[i] = packet_of(&frame, ++s.seq);
        packets[i].number = ++s.number;
        ft_packet_decode(&config, &packets[i]);
        burst[i] = &packets[i];
    }
    ft_inspect_burst(s.inspector, burst, 64);
    for (unsigned i = 0; i < 64; i++) {
        assert_int_equal(packets[i].bucket, i == 5        ? FT_BUCKET_SHED_FAULT
                                            : i % 16 == 5 ? FT_BUCKET_UNKNOWN_PROTOCOL
                                                          : FT_BUCKET_ANALYSED);
        packet_free(&packets[i]);
    }
    assert_int_equal(s.ledger->messages, 60);
    sensor_close();
}

static atomic_bool is_watching;

static void *watcher(void *thread)
{
    static const struct timespec nap = {.tv_nsec = 50000000};
    while (atomic_load(&is_watching)) {
        nanosleep(&nap, NULL);
        ft_inspect_watch(s.inspector, *(pthread_t *)thread);
    }
    return NULL;
}

static void test_overrun(void **state)
{
    pthread_t thread, self = pthread_self();
    (void)state;
    sensor_open(256);
    atomic_store(&is_watching, true);
    assert_int_equal(pthread_create(&thread, NULL, watcher, &self), 0);
    /* Many short calls are no overrun. */
    for (unsigned i = 0; i < 20000; i++)
        send_udp(40000, 1000, "\1\1", 2);
    assert_int_equal(s.ledger->faults, 0);
    expect_abandoned(send_udp(40000, 2000, "L", 1), FT_HEALTH_DISSECTOR_OVERRUN, SIGUSR2);
    atomic_store(&is_watching, false);
    pthread_join(thread, NULL);
    sensor_close();
}

/* A fault that is none of a dissector's kills the process as ever: nothing is hidden. */
static void test_fault_elsewhere(void **state)
{
    (void)state;
    sensor_open(256);
    struct sigaction now;
    assert_int_equal(sigaction(SIGUSR2, NULL, &now), 0);
    assert_true(now.sa_flags & SA_SIGINFO);
    raise(SIGUSR2); /* a late call back finds nobody at work: ignored */
    assert_int_equal(s.ledger->faults, 0);
    sensor_close();
}

/* ---- books at a tick ---- */

static void test_told_books(void **state)
{
    bool owned[FT_SHARDS];
    struct ft_books books;
    (void)state;
    sensor_open(256);
    memset(owned, true, sizeof(owned));
    send_udp(40000, 1000, "\1\1", 2);
    struct ft_packet tick = {.seq = ++s.seq,
                             .number = s.number,
                             .time_ns = s.time_ns + S,
                             .flags = FT_PACKET_TICK | FT_PACKET_STATS};
    for (unsigned shard = 0; shard < FT_SHARDS; shard++)
        ft_inspect_tick(s.inspector, &tick, (uint8_t)shard);
    drain();
    ft_inspect_tell_books(s.inspector, &tick, owned);
    const struct ft_event *e = ft_ring_peek(&s.ring);
    assert_non_null(e);
    assert_int_equal(e->type, FT_EVENT_LEDGER);
    memcpy(&books, e + 1, sizeof(books));
    assert_int_equal(books.ledger.received, 1);
    assert_int_equal(books.flows.created, 1);
    assert_int_equal(books.flows.active, 1);
    sensor_close();
}

/* ---- requests that nobody answers ---- */

static uint64_t unanswered_after(uint64_t seconds)
{
    uint64_t sum = 0;
    struct ft_packet tick = {.seq = ++s.seq,
                             .number = s.number,
                             .time_ns = s.time_ns + seconds * S,
                             .flags = FT_PACKET_TICK};
    for (unsigned shard = 0; shard < FT_SHARDS; shard++) {
        ft_inspect_tick(s.inspector, &tick, (uint8_t)shard);
        sum += s.shards->state[shard].stats.unanswered;
    }
    drain();
    return sum;
}

/* The only request of a flow: nothing else is sent there, the tick alone has to find it. */
static void test_unanswered(void **state)
{
    (void)state;
    sensor_open(256);
    send_udp(40000, 1000, "\1\10", 2);
    assert_int_equal(unanswered_after(5), 0);
    assert_int_equal(unanswered_after(12), 1);
    assert_int_equal(unanswered_after(30), 1);
    sensor_close();
}

/* A request a second, none answered: those that wait lie together, and take no more memory than
 * twice what waits at a time. */
static void test_many_unanswered(void **state)
{
    (void)state;
    sensor_open(256);
    uint64_t unanswered = 0, longest = 0;
    for (uint16_t i = 0; i < 200; i++) {
        s.time_ns += S;
        send_udp((uint16_t)(40000 + i), 1000, "\1\10", 2);
        unanswered = unanswered_after(0);
        for (unsigned shard = 0; shard < FT_SHARDS; shard++)
            if (s.shards->watched[shard].tail > longest)
                longest = s.shards->watched[shard].tail;
    }
    assert_in_range(unanswered, 185, 195);
    assert_in_range(longest, 10, 24);
    sensor_close();
}

static void request(unsigned src_port, char command, unsigned key)
{
    char pdu[] = {2, command, (char)key};
    send_udp(src_port, 1000, pdu, sizeof(pdu));
}

static void response(unsigned dst_port, unsigned key)
{
    char pdu[] = {2, 11, (char)key};
    udp_frame(&frame, SERVER, 1000, CLIENT, dst_port, pdu, sizeof(pdu));
    send_frame();
}

/* More requests than may wait under one key, and more than there is room for (64 entries): each is
 * answered, told when the input ends, or counted, and nothing is counted twice. */
static void test_requests_at_the_end(void **state)
{
    (void)state;
    sensor_open(256);
    s.shards->config.log_transactions = true;
    for (unsigned i = 0; i < 30; i++)
        request(40000, 10, i);
    for (unsigned i = 0; i < 7; i++)
        response(40000, 3 * i);
    for (unsigned i = 0; i < 10; i++)
        request(40001, 12, i); /* requests of the pair, made in another flow */
    sensor_end();
    const struct ft_books *b = books_now();
    assert_int_equal(b->requests.asked, 40);
    assert_int_equal(b->requests.answered, 7);
    assert_int_equal(b->state.unanswered, 33);
    assert_int_equal(s.seen[FT_EVENT_UNANSWERED], 33);
    sensor_close();

    sensor_open(256);
    s.shards->config.log_transactions = true;
    for (unsigned i = 0; i < 30; i++)
        request(40000, 10, 5); /* one in the slot, 16 in the table */
    sensor_end();
    b = books_now();
    assert_int_equal(b->state.requests_displaced, 30 - FT_REQUESTS_PER_KEY - 1);
    assert_int_equal(s.seen[FT_EVENT_UNANSWERED], FT_REQUESTS_PER_KEY + 1);
    sensor_close();

    sensor_open(256);
    s.shards->config.log_transactions = true;
    for (unsigned i = 0; i < 100; i++)
        request(40000 + i % 2, 10, i);
    sensor_end();
    b = books_now();
    assert_int_equal(b->state.requests_evicted, 100 - 64 - 2);
    assert_int_equal(s.seen[FT_EVENT_UNANSWERED], 64 + 2);
    sensor_close();
}

/* At the end of a flow, however it ends; requests of others wait on. */
static void test_requests_at_the_end_of_a_flow(void **state)
{
    (void)state;
    sensor_open(256);
    s.shards->config.log_transactions = true;
    request(41000, 10, 1);
    request(41000, 10, 2);
    handshake(40000, 1000);
    for (char i = 0; i < 20; i++) {
        char pdu[] = {2, 10, i};
        send_tcp(0, 40000, 1000, FT_TCP_ACK | FT_TCP_PSH, 0, pdu, sizeof(pdu));
    }
    send_tcp(1, 40000, 1000, FT_TCP_RST, 0, "", 0);
    assert_int_equal(s.seen[FT_EVENT_UNANSWERED], 0);
    send_tcp(0, 40000, 1000, FT_TCP_SYN, 1000000, "", 0); /* reused */
    assert_int_equal(s.seen[FT_EVENT_FLOW], 1);
    assert_int_equal(s.seen[FT_EVENT_UNANSWERED], 20);
    assert_int_equal(s.last[FT_EVENT_UNANSWERED].message.request_number, s.number - 2);
    response(41000, 1);
    response(41000, 2);
    sensor_end();
    assert_int_equal(s.seen[FT_EVENT_UNANSWERED], 20);
    assert_int_equal(books_now()->requests.answered, 2);
    sensor_close();
}

/* ---- tunnels ---- */

static void send_gre(uint32_t outer_src, uint32_t outer_dst, unsigned type, bool is_answer)
{
    frame_begin(&frame);
    ethernet(&frame, 0x0800);
    open_ipv4_between(&frame, 47, outer_src, outer_dst);
    put16(&frame, 0);
    put16(&frame, type);
    if (type == 0x88be) /* ERSPAN I: a frame */
        ethernet(&frame, 0x0800);
    open_ipv4_between(&frame, 17, is_answer ? SERVER : CLIENT, is_answer ? CLIENT : SERVER);
    open_udp(&frame, is_answer ? 1000 : 40000, is_answer ? 40000 : 1000);
    put(&frame, "\2\1\1", 3);
    send_frame();
}

static void check_outer(uint32_t src, uint32_t dst)
{
    const struct ft_event *e = &s.last[FT_EVENT_FLOW];
    uint8_t bytes[4];
    assert_int_equal(s.seen[FT_EVENT_FLOW], 1);
    assert_int_equal(e->packet.server_side, 1);
    set16(bytes, src >> 16);
    set16(bytes + 2, src);
    assert_memory_equal(e->packet.outer.src.bytes, bytes, 4);
    set16(bytes, dst >> 16);
    set16(bytes + 2, dst);
    assert_memory_equal(e->packet.outer.dst.bytes, bytes, 4);
}

/* A flow tells the outer addresses it began with, seen from its client; a mirror's as they are. */
static void test_flow_in_a_tunnel(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 2; first++) {
        sensor_open(256);
        for (unsigned i = 0; i < 2; i++)
            send_gre(i == first ? 1 : 2, i == first ? 2 : 1, 0x0800, i != first);
        sensor_end();
        check_outer(1, 2);
        assert_int_equal(s.last[FT_EVENT_FLOW].packet.outer.tunnel, FT_TUNNEL_GRE);
        sensor_close();

        sensor_open(256);
        for (unsigned i = 0; i < 2; i++)
            send_gre(1, 2, 0x88be, i != first);
        sensor_end();
        check_outer(1, 2);
        assert_int_equal(s.last[FT_EVENT_FLOW].packet.outer.tunnel, FT_TUNNEL_ERSPAN);
        sensor_close();
    }
    sensor_open(256);
    request(40000, 1, 1);
    sensor_end();
    assert_int_equal(s.last[FT_EVENT_FLOW].packet.outer.tunnel, FT_TUNNEL_NONE);
    sensor_close();
}

static void send_icmp(unsigned side, unsigned type, unsigned code)
{
    frame_begin(&frame);
    ethernet(&frame, 0x0800);
    open_ipv4_between(&frame, 1, side ? SERVER : CLIENT, side ? CLIENT : SERVER);
    open_icmp(&frame, OPEN_ICMP, type, code);
    put(&frame, "abcd", 4);
    send_frame();
}

/* Type and code are no part of the key: the flow tells those it began with, as their sender did. */
static void test_flow_of_icmp(void **state)
{
    (void)state;
    static const struct {
        unsigned sides[2], types[2], code;
    } rows[] = {
        {{0, 1}, {8, 0}, 0}, {{1, 0}, {0, 8}, 0}, {{1, 0}, {3, 8}, 1}, {{0, 0}, {11, 8}, 1}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sensor_open(256);
        send_icmp(rows[i].sides[0], rows[i].types[0], rows[i].code);
        send_icmp(rows[i].sides[1], rows[i].types[1], 0);
        sensor_end();
        const struct ft_event_packet *p = &s.last[FT_EVENT_FLOW].packet;
        uint8_t src[4];
        set16(src, (rows[i].sides[0] ? SERVER : CLIENT) >> 16);
        set16(src + 2, rows[i].sides[0] ? SERVER : CLIENT);
        assert_int_equal(s.seen[FT_EVENT_FLOW], 1);
        assert_memory_equal(p->src.bytes, src, 4);
        assert_int_equal(p->src_port, rows[i].types[0]);
        assert_int_equal(p->dst_port, rows[i].code);
        sensor_close();
    }
}

/* The last packet's interface is not that of all flows that end with the input. */
static void test_flow_of_an_interface(void **state)
{
    (void)state;
    sensor_open(256);
    interface = 3;
    request(40000, 1, 1);
    interface = 0;
    sensor_end();
    assert_int_equal(s.seen[FT_EVENT_FLOW], 1);
    assert_int_equal(s.last[FT_EVENT_FLOW].packet.interface, 3);
    sensor_close();
}

static int set_up(void **state)
{
    (void)state;
    forbidden = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return forbidden == MAP_FAILED;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_datagram_buckets),
        cmocka_unit_test(test_undecodable),
        cmocka_unit_test(test_fragment_held),
        cmocka_unit_test(test_full_flow_table),
        cmocka_unit_test(test_tcp_buckets),
        cmocka_unit_test(test_tcp_lost),
        cmocka_unit_test(test_tcp_encrypted),
        cmocka_unit_test(test_other_content),
        cmocka_unit_test(test_resolutions),
        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_other_content_midstream),
        cmocka_unit_test(test_content_changes_midstream),
        cmocka_unit_test(test_port_of_client),
        cmocka_unit_test(test_shared_port),
        cmocka_unit_test(test_first_bytes_lost),
        cmocka_unit_test(test_office_session_changed),
        cmocka_unit_test(test_announced_flow),
        cmocka_unit_test(test_operations_of_answers),
        cmocka_unit_test(test_operations_of_carriers),
        cmocka_unit_test(test_violations_come_before_alerts),
        cmocka_unit_test(test_operations_once),
        cmocka_unit_test(test_full_ring),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_fault_in_stream),
        cmocka_unit_test(test_fault_in_frame),
        cmocka_unit_test(test_fault_in_probe),
        cmocka_unit_test(test_fault_in_burst),
        cmocka_unit_test(test_fault_in_child),
        cmocka_unit_test(test_overrun),
        cmocka_unit_test(test_fault_elsewhere),
        cmocka_unit_test(test_told_books),
        cmocka_unit_test(test_unanswered),
        cmocka_unit_test(test_many_unanswered),
        cmocka_unit_test(test_unbound),
        cmocka_unit_test(test_addresses_of_context),
        cmocka_unit_test(test_frames_that_no_station_sends),
        cmocka_unit_test(test_port_zero),
        cmocka_unit_test(test_answer_is_told),
        cmocka_unit_test(test_requests_at_the_end),
        cmocka_unit_test(test_requests_at_the_end_of_a_flow),
        cmocka_unit_test(test_flow_in_a_tunnel),
        cmocka_unit_test(test_flow_of_icmp),
        cmocka_unit_test(test_flow_of_an_interface),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
