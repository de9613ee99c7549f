/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of the alerting core: lines of each type, alerts and their windows, bounds, numbers,
 * order, summary. */
#include "alert_core.h"

#include "alert/catalogue.h"
#include "alert/sids.h"
#include "alert/summary.h"
#include "base/hash.h"
#include "flow/flow.h"
#include "protocols/protocols.h"

static int begin(void **state)
{
    (void)state;
    make_folder();
    open_core();
    return 0;
}

static int end(void **state)
{
    (void)state;
    return remove_folder();
}

static size_t count(const char *type)
{
    size_t n = 0;
    while (line(type, n))
        n++;
    return n;
}

static struct record *alert_record(uint64_t number, uint32_t code)
{
    return with_command(make(&r, FT_EVENT_ALERT, PROTOCOL_POLL, number, CLIENT, PLC), code);
}

static struct record *violation_record(uint64_t number, uint32_t violation)
{
    with_command(make(&r, FT_EVENT_VIOLATION, PROTOCOL_POLL, number, CLIENT, PLC), POLL_READ);
    r.event.message.violation = violation;
    r.event.message.count = 1;
    r.event.message.at = UINT32_MAX;
    return &r;
}

static void tick(uint64_t number)
{
    ft_core_tick(core, START + number * S, number);
}

/* ---- lines ---- */

static void test_header(void **state)
{
    (void)state;
    alert_record(3, POLL_DOWNLOAD);
    r.event.packet.vlan_count = 2;
    r.event.packet.vlan[0] = 100;
    r.event.packet.vlan[1] = 7;
    r.event.packet.outer =
        (struct ft_outer){.proto = 47, .tunnel = FT_TUNNEL_ERSPAN, .depth = 1, .id = 5};
    set_ip(&r.event.packet.outer.src, 0xc0a80001u);
    set_ip(&r.event.packet.outer.dst, 0xc0a80002u);
    give(&r);
    read_lines();
    json_t *a = line("alert", 0);
    assert_text(a, "timestamp", "2023-11-14T22:13:23.000000+0000");
    assert_number(a, "flow_id", 77);
    assert_number(a, "pcap_cnt", 3);
    assert_number(a, "vlan.0", 100);
    assert_number(a, "vlan.1", 7);
    assert_text(a, "src_ip", "10.0.0.1");
    assert_number(a, "src_port", 40000);
    assert_text(a, "dest_ip", "10.0.0.2");
    assert_number(a, "dest_port", 502);
    assert_text(a, "proto", "TCP");
    assert_number(a, "ip_v", 4);
    assert_text(a, "ether.src_mac", "00:0e:8c:00:00:01");
    assert_text(a, "tunnel.src_ip", "192.168.0.1");
    assert_text(a, "tunnel.proto", "GRE");
    assert_text(a, "tunnel.pkt_src", "erspan");
    assert_text(a, "app_proto", "poll");
    assert_text(a, "direction", "to_server");
    assert_text(a, "host", "plant-1");
    assert_text(a, "fieldtap.sensor", "plant-1");
    assert_number(a, "fieldtap.schema_version", 1);
    assert_true(json_string_length(at(a, "community_id")) == 30);
    /* Keys stand in the order in which EVE's own source writes them. */
    static const char *const order[] = {"timestamp", "flow_id",      "pcap_cnt",  "event_type",
                                        "vlan",      "src_ip",       "src_port",  "dest_ip",
                                        "dest_port", "proto",        "ip_v",      "ether",
                                        "tunnel",    "community_id", "app_proto", "direction"};
    const char *key;
    json_t *value;
    size_t i = 0;
    json_object_foreach(a, key, value)
    {
        if (i < sizeof(order) / sizeof(order[0]))
            assert_string_equal(key, order[i++]);
    }
}

static void test_class_alerts(void **state)
{
    (void)state;
    static const struct {
        uint32_t code, sid;
        const char *severity, *category, *key;
        int number;
    } rows[] = {
        {POLL_FIRMWARE, 9100001, "critical", "Firmware change", "class.firmware", 1},
        {POLL_DOWNLOAD, 9100002, "critical", "Programming", "class.program", 1},
        {POLL_STOP, 9100003, "major", "Restart/Stop Commands", "class.mode", 2},
        {POLL_UPLOAD, 9100004, "minor", "Programming", "class.upload", 3},
    };
    for (size_t i = 0; i < 4; i++)
        give(alert_record(i, rows[i].code));
    give(alert_record(5, POLL_WRITE)); /* never an alert without a rule */
    read_lines();
    assert_int_equal(count("alert"), 4);
    for (size_t i = 0; i < 4; i++) {
        json_t *a = line("alert", i);
        assert_text(a, "alert.action", "allowed");
        assert_number(a, "alert.gid", 1);
        assert_number(a, "alert.signature_id", rows[i].sid);
        assert_number(a, "alert.severity", rows[i].number);
        assert_text(a, "alert.category", rows[i].category);
        assert_text(a, "alert.metadata.fieldtap_title.0", rows[i].key);
        assert_text(a, "fieldtap.severity", rows[i].severity);
        assert_text(a, "fieldtap.title", rows[i].key);
        assert_non_null(at(a, "fieldtap.mitre.0"));
        assert_non_null(at(a, "fieldtap.remediation"));
        assert_non_null(at(a, "alert.metadata.mitre_technique_id.0"));
        assert_text(a, "message.kind", "request");
    }
}

static void test_violation_with_evidence(void **state)
{
    (void)state;
    violation_record(4, 1);
    r.event.message.at = 12;
    r.event.message.at_length = 2;
    put_number(&r, POLL_ADDRESS, 300, 2, 2);
    put_group(&r, POLL_POINT, false);
    put_number(&r, POLL_INDEX, 1, 4, 2);
    put_group(&r, POLL_POINT, true);
    put_group(&r, POLL_POINT, false);
    put_number(&r, POLL_INDEX, 9, 12, 2);
    put_group(&r, POLL_POINT, true);
    give(&r);
    read_lines();
    assert_int_equal(count("anomaly"), 1);
    assert_int_equal(count("alert"), 1);
    json_t *a = line("anomaly", 0);
    assert_text(a, "anomaly.type", "applayer");
    assert_text(a, "anomaly.event", "loud");
    assert_text(a, "anomaly.layer", "proto_parser");
    assert_text(a, "anomaly.app_proto", "poll");
    a = line("alert", 0);
    assert_text(a, "alert.signature", "Something is wrong");
    assert_text(a, "fieldtap.evidence.field", "point.index");
    assert_number(a, "fieldtap.evidence.offset", 12);
    assert_number(a, "fieldtap.evidence.length", 2);
    assert_number(a, "fieldtap.evidence.packet", 4);
    assert_text(a, "fieldtap.reference", "V7");
    assert_text(a, "fieldtap.engine", "protocol_violation");
    assert_text(a, "fieldtap.mitre.1", "T0836");
    assert_number(a, "poll.address", 300);
    assert_number(a, "poll.point.1.index", 9);
}

static void test_quiet_violations_are_no_alerts(void **state)
{
    (void)state;
    give(violation_record(1, 0));
    give(violation_record(2, FT_VIOLATION_NOT_PROTOCOL));
    give(violation_record(3, 77)); /* no such row: a worker of another version */
    read_lines();
    assert_int_equal(count("alert"), 0);
    assert_int_equal(count("anomaly"), 2);
    assert_text(line("anomaly", 1), "anomaly.layer", "proto_detect");
    assert_text(line("anomaly", 1), "anomaly.event", "unexpected_content");
}

static void test_anomalies_below(void **state)
{
    (void)state;
    for (uint32_t i = 0; i <= FT_ANOMALY_COUNT; i++) {
        make(&r, FT_EVENT_ANOMALY, 0, i, CLIENT, PLC);
        r.event.anomaly = i;
        give(&r);
    }
    read_lines();
    assert_int_equal(count("anomaly"), FT_ANOMALY_COUNT);
    assert_int_equal(count("alert"), 1);
    assert_text(line("alert", 0), "fieldtap.reference", "V5");
    assert_text(line("anomaly", 0), "anomaly.type", "decode");
    assert_text(line("anomaly", 1), "anomaly.type", "stream");
}

static void test_transaction_has_the_client_first(void **state)
{
    (void)state;
    with_command(make_reply(&r, FT_EVENT_TRANSACTION, PROTOCOL_POLL, 6, PLC, CLIENT), POLL_READ);
    r.event.message.kind = FT_KIND_RESPONSE;
    r.event.message.direction = FT_TO_CLIENT;
    r.event.message.is_paired = true;
    r.event.message.response_ns = 1234567;
    r.event.message.request_number = 5;
    put_number(&r, POLL_MODE, 2, 0, 1);
    put_text(&r, POLL_KEY, "secret", 1);
    with_unit(&r, 1, 3);
    give(&r);
    read_lines();
    json_t *t = line("poll", 0);
    assert_text(t, "src_ip", "10.0.0.1");
    assert_number(t, "src_port", 40000);
    assert_text(t, "dest_ip", "10.0.0.2");
    assert_text(t, "ether.dest_mac", "00:0e:8c:00:00:02");
    assert_text(t, "direction", "to_client");
    assert_text(t, "message.command", "read");
    assert_text(t, "message.class", "read");
    assert_number(t, "message.response_time_us", 1234);
    assert_number(t, "message.request_pcap_cnt", 5);
    assert_text(t, "poll.mode", "stop");
    assert_number(t, "poll.mode_code", 2);
    assert_number(t, "poll.key.length", 6);
    assert_text(t, "fieldtap.sub_addresses.server.text", "unit 3");
    assert_number(t, "fieldtap.sub_addresses.server.value", 3);
    assert_text(t, "fieldtap.direction_confidence", "port");
}

static void test_message_has_the_sender_first(void **state)
{
    (void)state;
    with_command(make_reply(&r, FT_EVENT_MESSAGE, PROTOCOL_POLL, 6, PLC, CLIENT), 999);
    r.event.message.kind = FT_KIND_RESPONSE;
    r.event.message.direction = FT_TO_CLIENT;
    r.event.message.index = 2;
    r.event.message.parent = 0;
    r.event.packet.has_loss = true;
    give(&r);
    read_lines();
    json_t *m = line("message", 0);
    assert_text(m, "src_ip", "10.0.0.2");
    assert_text(m, "message.command", "code_999");
    assert_number(m, "message.code", 999);
    assert_number(m, "message.index", 2);
    assert_number(m, "message.parent", 0);
    assert_true(json_is_true(at(m, "fieldtap.loss")));
    assert_null(at(m, "community_id"));
}

static void test_unanswered(void **state)
{
    (void)state;
    with_command(make(&r, FT_EVENT_UNANSWERED, PROTOCOL_POLL, 6, CLIENT, PLC), POLL_READ);
    r.event.message.request_number = 2;
    give(&r);
    read_lines();
    assert_true(json_is_false(at(line("poll", 0), "message.answered")));
    assert_number(line("poll", 0), "message.request_pcap_cnt", 2);
}

static void test_layer_2(void **state)
{
    (void)state;
    for (int arkime = 0; arkime < 2; arkime++) {
        config.arkime_addresses = arkime;
        close_core();
        open_core();
        with_command(make(&r, FT_EVENT_MESSAGE, PROTOCOL_GOOSE, 6, PLC, CLIENT), 0);
        r.event.packet.family = 2;
        r.event.packet.proto = 0;
        r.event.packet.ethertype = 0x88b8;
        r.event.packet.server_side = 2;
        r.event.message.direction = FT_DIRECTION_NONE;
        give(&r);
        read_lines();
        json_t *m = line("message", (size_t)arkime);
        assert_text(m, "proto", "ETH");
        assert_text(m, "direction", "none");
        assert_number(m, "ether.ether_type", 0x88b8);
        assert_null(at(m, "src_port"));
        assert_null(at(m, "ip_v"));
        if (arkime)
            assert_text(m, "src_ip", "0.0.0.0");
        else
            assert_null(at(m, "src_ip"));
    }
}

static void test_icmp_and_other_protocols(void **state)
{
    (void)state;
    make(&r, FT_EVENT_FLOW, 0, 1, CLIENT, PLC);
    r.event.packet.proto = 1;
    r.event.packet.src_port = 8;
    r.event.packet.dst_port = 0;
    give(&r);
    r.event.packet.proto = 89;
    give(&r);
    read_lines();
    assert_text(line("flow", 0), "proto", "ICMP");
    assert_number(line("flow", 0), "icmp_type", 8);
    assert_null(at(line("flow", 0), "src_port"));
    assert_text(line("flow", 1), "proto", "089");
}

/* Who reads the line makes the Community ID of src, dest and type: they are turned together. */
static void test_icmp_is_turned_with_its_type(void **state)
{
    (void)state;
    static const uint8_t types[] = {0, 3};
    for (size_t i = 0; i < 2; i++) {
        make_reply(&r, FT_EVENT_FLOW, 0, 1, PLC, CLIENT);
        r.event.packet.proto = 1;
        r.event.packet.src_port = types[i];
        r.event.packet.dst_port = (uint16_t)i;
        give(&r);
    }
    read_lines();
    assert_text(line("flow", 0), "src_ip", "10.0.0.1");
    assert_number(line("flow", 0), "icmp_type", 8);
    assert_text(line("flow", 1), "src_ip", "10.0.0.2"); /* nothing answers "unreachable" */
    assert_number(line("flow", 1), "icmp_type", 3);
    assert_number(line("flow", 1), "icmp_code", 1);
}

static void test_flow(void **state)
{
    (void)state;
    /* The record's src is the server here: the line turns it round. */
    make_reply(&r, FT_EVENT_FLOW, PROTOCOL_POLL, 50, PLC, CLIENT);
    r.event.flow = (struct ft_event_flow){.packets = {10, 20},
                                          .bytes = {1000, 3000},
                                          .first_ns = START + S,
                                          .last_ns = START + 41 * S,
                                          .tcp_flags = {0x12, 0x1b},
                                          .state = FT_FLOW_CLOSED,
                                          .reason = FT_FLOW_END_SHUTDOWN,
                                          .alerted = 1,
                                          .messages = 7};
    give(&r);
    make(&r, FT_EVENT_FLOW, 0, 51, CLIENT, PLC);
    r.event.flow.is_unknown = 1;
    give(&r);
    read_lines();
    json_t *f = line("flow", 0);
    assert_text(f, "src_ip", "10.0.0.1");
    assert_number(f, "flow.pkts_toserver", 20);
    assert_number(f, "flow.pkts_toclient", 10);
    assert_number(f, "flow.bytes_toserver", 3000);
    assert_number(f, "flow.age", 40);
    assert_text(f, "flow.state", "closed");
    assert_text(f, "flow.reason", "shutdown");
    assert_true(json_is_true(at(f, "flow.alerted")));
    assert_number(f, "flow.tx_cnt", 7);
    assert_text(f, "tcp.tcp_flags", "1b");
    assert_text(f, "tcp.tcp_flags_ts", "1b");
    assert_text(f, "tcp.tcp_flags_tc", "12");
    assert_true(json_is_true(at(f, "tcp.syn")));
    assert_null(at(f, "tcp.rst"));
    assert_text(line("flow", 1), "app_proto", "failed");
}

static void test_long_messages_are_truncated(void **state)
{
    (void)state;
    with_command(make(&r, FT_EVENT_MESSAGE, PROTOCOL_POLL, 1, CLIENT, PLC), POLL_READ);
    for (int i = 0; i < 240; i++) {
        put_group(&r, POLL_POINT, false);
        put_group(&r, POLL_POINT, true);
    }
    give(&r); /* groups without fields have no leaf */
    with_command(make(&r, FT_EVENT_MESSAGE, PROTOCOL_POLL, 2, CLIENT, PLC), POLL_READ);
    for (int i = 0; i < 140; i++) {
        put_group(&r, POLL_POINT, false);
        put_number(&r, POLL_INDEX, 0, 0, 1);
        put_group(&r, POLL_POINT, true);
    }
    give(&r);
    with_command(make(&r, FT_EVENT_MESSAGE, PROTOCOL_POLL, 3, CLIENT, PLC), POLL_READ);
    static char text[1025];
    memset(text, 1, 1024); /* six characters each */
    for (int i = 0; i < 5; i++) {
        put_group(&r, POLL_POINT, false);
        put_text(&r, POLL_TEXT, text, 0);
        put_group(&r, POLL_POINT, true);
    }
    give(&r);
    with_command(make(&r, FT_EVENT_MESSAGE, PROTOCOL_POLL, 4, CLIENT, PLC), POLL_READ);
    r.event.message.is_tree_cut = true;
    give(&r);
    read_lines();
    assert_null(at(line("message", 0), "fieldtap.truncated"));
    assert_null(at(line("message", 1), "fieldtap.truncated"));
    assert_int_equal(json_array_size(at(line("message", 1), "poll.point")), 140);
    assert_true(json_is_true(at(line("message", 2), "fieldtap.truncated")));
    assert_true(json_is_true(at(line("message", 3), "fieldtap.truncated")));
}

static void test_health(void **state)
{
    (void)state;
    make(&r, FT_EVENT_HEALTH, PROTOCOL_POLL, 1, CLIENT, PLC);
    r.event.health = (struct ft_event_health){.health = FT_HEALTH_DISSECTOR_FAULT, .signal = 11};
    give(&r);
    ft_core_health(core, "journal", FT_SEVERITY_MINOR, "The journal is full");
    read_lines();
    assert_text(line("health", 0), "health.event", "dissector_fault");
    assert_text(line("health", 0), "health.protocol", "poll");
    assert_number(line("health", 0), "health.signal", 11);
    assert_text(line("health", 1), "health.event", "journal");
}

static void test_stats(void **state)
{
    (void)state;
    struct ft_ledger l = {.received = 10, .received_bytes = 1000, .max_size = 200};
    l.packets[FT_BUCKET_ANALYSED] = 7;
    l.packets[FT_BUCKET_TAG] = 2;
    l.packets[FT_BUCKET_SHED_RING] = 1;
    l.events[FT_EVENT_TALK] = 4;
    l.events[FT_EVENT_TICK] = 100;
    l.cycles_busy = 12345;
    give(make(&r, FT_EVENT_TALK, 0, 1, CLIENT, PLC));
    make(&r, FT_EVENT_FLOW, PROTOCOL_POLL, 11, CLIENT, PLC);
    r.event.flow.messages = 9;
    give(&r);
    ft_core_stats(core, &(struct ft_core_totals){.ledger = &l,
                                                 .flow_active = 1,
                                                 .flow_created = 3,
                                                 .flow_capacity = 100,
                                                 .stamp_ns = r.event.time_ns + 2500000000u,
                                                 .number = 99,
                                                 .requests = {.asked = 9, .answered = 8}});
    read_lines();
    json_t *s = line("stats", 0);
    assert_number(s, "pcap_cnt", 99);
    assert_number(s, "stats.ledger.requests.asked", 9);
    assert_number(s, "stats.uptime", 12);
    assert_number(s, "stats.capture.kernel_packets", 10);
    assert_null(at(s, "stats.capture.kernel_drops")); /* unknown is not zero */
    assert_number(s, "stats.decoder.pkts", 10);
    assert_number(s, "stats.decoder.avg_pkt_size", 100);
    assert_number(s, "stats.decoder.invalid", 2);
    assert_number(s, "stats.flow.active", 1);
    assert_number(s, "stats.flow.spare", 99);
    assert_number(s, "stats.app_layer.flow.poll", 1);
    assert_number(s, "stats.app_layer.tx.poll", 9);
    assert_number(s, "stats.ledger.packets.undecodable.tag", 2);
    assert_number(s, "stats.ledger.packets.shed.ring", 1);
    assert_number(s, "stats.ledger.events.made", 4);
    assert_number(s, "stats.ledger.balanced", 1);
    char *text = json_dumps(s, 0);
    assert_null(strstr(text, "12345")); /* never cycles */
    free(text);
}

/* Live: sums over ports; as soon as one does not know its drops, nobody knows their sum. */
static void test_stats_of_ports(void **state)
{
    (void)state;
    struct ft_ledger l = {.received = 9};
    struct ft_core_port ports[] = {
        {.name = "eth1",
         .state = "up",
         .received = 5,
         .arrived = 8,
         .dropped = 3,
         .knows_drops = true},
        {.name = "eth2",
         .state = "missing",
         .received = 4,
         .arrived = 4,
         .shed = 2,
         .knows_drops = true,
         .nic_packets = 4,
         .nic_missed = 7,
         .knows_nic = true},
    };
    struct ft_core_totals totals = {
        .ledger = &l, .ports = ports, .port_count = 2, .stamp_ns = 1, .number = 9};
    ft_core_stats(core, &totals);
    ports[0].knows_drops = false;
    ft_core_stats(core, &totals);
    read_lines();
    json_t *s = line("stats", 0);
    assert_number(s, "stats.capture.kernel_packets", 12);
    assert_number(s, "stats.capture.kernel_drops", 3);
    assert_number(s, "stats.capture.interfaces.eth1.up", 1);
    assert_number(s, "stats.capture.interfaces.eth1.kernel_drops", 3);
    assert_null(at(s, "stats.capture.interfaces.eth1.nic_packets"));
    assert_number(s, "stats.capture.interfaces.eth2.up", 0);
    assert_number(s, "stats.capture.interfaces.eth2.shed", 2);
    assert_number(s, "stats.capture.interfaces.eth2.nic_missed", 7);
    s = line("stats", 1);
    assert_number(s, "stats.capture.kernel_packets", 9);
    assert_null(at(s, "stats.capture.kernel_drops"));
    assert_null(at(s, "stats.capture.interfaces.eth1.kernel_drops"));
}

/* Statistics of a live run: what port 0 was offered since the last ones and lost of that. */
static void stats_of(struct ft_core_port *port, uint64_t offered, uint64_t dropped, uint64_t missed,
                     uint64_t shed)
{
    static uint64_t number;
    struct ft_core_port other = {.name = "eth2", .state = "up", .received = 1000};
    struct ft_core_port ports[2] = {*port, other};
    struct ft_ledger l = {.received = 1};
    port->received += offered - dropped - missed;
    port->arrived += offered - missed;
    port->dropped += dropped;
    port->nic_missed += missed;
    port->shed += shed;
    ports[0] = *port;
    ft_core_stats(core, &(struct ft_core_totals){.ledger = &l,
                                                 .ports = ports,
                                                 .port_count = 2,
                                                 .stamp_ns = 1700000000000000000u,
                                                 .number = ++number});
}

static void open_core_on_ports(void)
{
    static const char *const names[] = {"eth1", "eth2"};
    close_core();
    config.ports = config.interfaces = names;
    config.port_count = config.interface_count = 2;
    open_core();
}

static void assert_health(size_t n, const char *event, const char *said)
{
    assert_text(line("health", n), "health.event", event);
    assert_text(line("health", n), "health.interface", "eth1");
    const char *text = json_string_value(at(line("health", n), "health.text"));
    if (!strstr(text, said))
        fail_msg("\"%s\" is not in \"%s\"", said, text);
}

/* What the sensor lost itself: told when it begins and when it has ended, not in between. */
static void test_packets_lost(void **state)
{
    (void)state;
    struct ft_core_port port = {
        .name = "eth1", .state = "up", .knows_drops = true, .knows_nic = true};
    open_core_on_ports();
    stats_of(&port, 1000, 9, 0, 0);   /* too few */
    stats_of(&port, 20000, 19, 0, 0); /* too few of so many */
    read_lines();
    assert_int_equal(count("health"), 0);
    stats_of(&port, 1000, 100, 20, 30);
    stats_of(&port, 1000, 100, 0, 0);
    stats_of(&port, 10000, 1, 0, 0); /* on the edge */
    stats_of(&port, 0, 0, 0, 0);     /* nothing came: nobody knows */
    read_lines();
    assert_int_equal(count("health"), 1);
    assert_health(0, "packets_lost", "lost 150 of 1000 packets of eth1 (15 %)");
    assert_health(0, "packets_lost", "100 dropped by the kernel");
    assert_health(0, "packets_lost", "20 lost in the NIC");
    assert_health(0, "packets_lost", "30 shed by the sensor");
    assert_health(0, "packets_lost", "larger capture.ring");
    assert_text(line("health", 0), "timestamp", "2023-11-14T22:13:20.000000+0000");
    stats_of(&port, 10001, 0, 0, 1);
    stats_of(&port, 10000, 0, 0, 0);
    stats_of(&port, 10000, 0, 0, 10);
    read_lines();
    assert_int_equal(count("health"), 3);
    assert_health(1, "packets_lost_ended", "lost: 1 of 10001");
    assert_health(2, "packets_lost", "10 of 10000 packets of eth1 (0.1 %)");
}

/* A port of DPDK whose driver counts no drops, and one that does: missed and dropped are one. */
static void test_packets_lost_by_dpdk(void **state)
{
    (void)state;
    struct ft_core_port port = {.name = "eth1", .state = "up", .is_polled = true};
    open_core_on_ports();
    stats_of(&port, 1000, 100, 0, 0); /* unknown */
    stats_of(&port, 1000, 0, 0, 10);
    stats_of(&port, 1000, 0, 0, 0);
    read_lines();
    assert_int_equal(count("health"), 2);
    assert_health(0, "packets_lost", "lost 10 of 1000 packets of eth1 (1.0 %)");
    assert_health(0, "packets_lost", "the driver does not tell");
    port = (struct ft_core_port){
        .name = "eth1", .state = "up", .is_polled = true, .knows_drops = true, .knows_nic = true};
    close_core();
    open_core();
    port.nic_missed = 300;
    stats_of(&port, 1000, 300, 0, 0);
    read_lines();
    assert_int_equal(count("health"), 3);
    assert_health(2, "packets_lost", "lost 300 of 1000 packets of eth1 (30 %): 300 dropped by");
    assert_health(2, "packets_lost", "capture.descriptors");
}

/* The time of statistics is that of the last packet, even if it made no event; before the first
 * packet there is none, and no line. */
static void test_stats_time(void **state)
{
    (void)state;
    struct ft_ledger l = {0};
    ft_core_stats(core, &(struct ft_core_totals){.ledger = &l});
    read_lines();
    assert_int_equal(line_count, 0);
    l.received = 1;
    l.packets[FT_BUCKET_TAG] = 1;
    ft_core_stats(core, &(struct ft_core_totals){
                            .ledger = &l, .stamp_ns = 1700000000000000000u, .number = 1});
    read_lines();
    assert_text(line("stats", 0), "timestamp", "2023-11-14T22:13:20.000000+0000");
    assert_number(line("stats", 0), "stats.uptime", 0);
}

/* ---- operations, assets ---- */

static void test_operations_once(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) { /* workers forget and tell again */
        give(with_command(make(&r, FT_EVENT_OPERATION, PROTOCOL_POLL, 1, CLIENT, PLC), POLL_READ));
        give(with_unit(
            with_command(make(&r, FT_EVENT_OPERATION, PROTOCOL_POLL, 2, CLIENT, PLC), POLL_READ), 1,
            4));
        give(with_command(make_reply(&r, FT_EVENT_OPERATION, PROTOCOL_POLL, 3, PLC, CLIENT),
                          POLL_READ)); /* the same, known from the response */
        give(with_command(make(&r, FT_EVENT_OPERATION, PROTOCOL_POLL, 4, STATION, PLC), POLL_READ));
    }
    read_lines();
    assert_int_equal(count("operation"), 3);
    json_t *o = line("operation", 1);
    assert_text(o, "operation.command", "read");
    assert_text(o, "operation.class", "read");
    assert_text(o, "src_ip", "10.0.0.1");
    assert_text(o, "fieldtap.sub_addresses.server.text", "unit 4");
    const struct ft_conversation **all = ft_conversations_sorted(ft_core_conversations(core));
    assert_int_equal(ft_conversations_count(ft_core_conversations(core)), 2);
    assert_int_equal(all[0]->operations, 2);
    assert_int_equal(all[0]->by_class[FT_CLASS_READ], 2);
    free(all);
}

static void test_one_asset_event_per_packet(void **state)
{
    (void)state;
    give(make_fact(&r, 1, PLC, FT_FACT_VENDOR, "ACME"));
    give(make_fact(&r, 1, PLC, FT_FACT_MODEL, "X1"));
    give(make_fact(&r, 2, PLC, FT_FACT_MODEL, "X1"));
    give(make_fact(&r, 3, PLC, FT_FACT_SERIAL, "123"));
    ft_core_finish(core);
    read_lines();
    assert_int_equal(count("asset"), 2);
    json_t *a = line("asset", 0);
    assert_text(a, "asset.id", "10.0.0.2");
    assert_text(a, "asset.ip", "10.0.0.2");
    assert_text(a, "asset.vendor", "ACME");
    assert_text(a, "asset.model", "X1");
    assert_text(a, "asset.changes.0", "new");
    assert_number(a, "pcap_cnt", 1);
    assert_text(line("asset", 1), "asset.changes.0", "serial");
    assert_int_equal(json_array_size(at(line("asset", 1), "asset.changes")), 1);
}

/** ARP: `mac` has the address and asks everybody for `target`. */
static void give_arp(uint64_t number, uint32_t ip, const uint8_t mac[6], uint32_t target)
{
    make(&r, FT_EVENT_RESOLUTION, PROTOCOL_NONE, number, ip, 0);
    memset(&r.event.message, 0, sizeof(r.event.message));
    r.event.packet.family = 2;
    r.event.packet.proto = 0;
    r.event.packet.ethertype = 0x0806;
    r.event.packet.server_side = 2;
    memcpy(r.event.packet.src_mac, mac, 6);
    memset(r.event.packet.dst_mac, 0xff, 6);
    struct ft_event_resolution *to = &r.event.resolution;
    *to = (struct ft_event_resolution){.what = FT_RESOLUTION_QUESTION, .family = 4, .count = 1};
    memcpy(to->mac, mac, 6);
    set_ip(&to->ip, ip);
    set_ip(&to->target, target);
    give(&r);
}

static const uint8_t mac_plc[6] = {0, 0x80, 0xf4, 1, 2, 3},
                     mac_laptop[6] = {0xf0, 0xde, 0xf1, 9, 8, 7};

static void test_contested_address(void **state)
{
    (void)state;
    give_arp(1, PLC, mac_plc, CLIENT);
    give_arp(200, PLC, mac_laptop, CLIENT);
    give_arp(201, PLC, mac_plc, CLIENT);
    give_arp(202, PLC, mac_laptop, CLIENT);
    give_arp(203, STATION, mac_laptop, CLIENT); /* another address: nobody had it before */
    ft_core_finish(core);
    read_lines();
    assert_int_equal(count("alert"), 3);
    json_t *moved = line("alert", 0), *contested = line("alert", 1), *update = line("alert", 2);
    assert_number(moved, "alert.signature_id", 9100012);
    assert_text(moved, "fieldtap.severity", "minor");
    assert_text(moved, "fieldtap.change.asset", "10.0.0.2");
    assert_text(moved, "fieldtap.change.fact", "mac");
    assert_text(moved, "fieldtap.change.before", "00:80:f4:01:02:03");
    assert_text(moved, "fieldtap.change.after", "f0:de:f1:09:08:07");
    assert_number(contested, "alert.signature_id", 9100015);
    assert_text(contested, "fieldtap.severity", "major");
    assert_text(contested, "fieldtap.resolution.what", "question");
    assert_text(contested, "fieldtap.resolution.ip", "10.0.0.2");
    assert_text(contested, "ether.src_mac", "00:80:f4:01:02:03");
    assert_number(update, "fieldtap.count", 2);
    /* The inventory follows the first changes, then waits. */
    union ft_ip ip;
    set_ip(&ip, PLC);
    struct ft_address address = {.ip = ip, .family = 4};
    const struct ft_asset *a = ft_inventory_find(ft_core_inventory(core), &address);
    assert_memory_equal(ft_asset_mac_address(a), mac_plc, 6);
}

static void test_address_of_a_router(void **state)
{
    (void)state;
    make_fact(&r, 1, PLC, FT_FACT_ROLE, "router");
    memcpy(r.event.packet.src_mac, mac_plc, 6);
    give(&r);
    give_arp(2, PLC, mac_plc, CLIENT);
    give_arp(300, PLC, mac_laptop, CLIENT);
    read_lines();
    assert_int_equal(count("alert"), 1);
    assert_number(line("alert", 0), "alert.signature_id", 9100014);
    assert_text(line("alert", 0), "fieldtap.title", "asset.gateway_moved");
}

/* DHCP says who gets the address, then the device itself. */
static void test_address_given_out(void **state)
{
    (void)state;
    give_arp(1, PLC, mac_plc, CLIENT);
    make_arp(&r, 100, PLC, mac_laptop);
    r.event.fact.is_lease = true;
    give(&r);
    give_arp(101, PLC, mac_laptop, CLIENT);
    ft_core_finish(core);
    read_lines();
    assert_int_equal(count("alert"), 0);
    assert_true(count("asset") > 0);
}

static void test_resolution_scan(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 40; i++)
        give_arp(5, CLIENT, mac_laptop, PLC + i);
    tick(6);
    tick(7);
    read_lines();
    assert_int_equal(count("alert"), 1);
    assert_number(line("alert", 0), "alert.signature_id", 9100017);
    assert_text(line("alert", 0), "alert.category", "Scan");
    assert_text(line("alert", 0), "fieldtap.reference", "A9");
    assert_text(line("alert", 0), "fieldtap.resolution.ip", "10.0.0.1");
    assert_non_null(at(line("alert", 0), "fieldtap.remediation"));
    assert_int_equal(count("asset"), 1); /* the sender alone */
}

/** A message whose sender states that it alone is `name`, for five seconds. */
static void give_claim(uint64_t number, uint64_t key, const uint8_t mac[6])
{
    with_command(make(&r, FT_EVENT_CLAIM, PROTOCOL_POLL, number, CLIENT, PLC), POLL_READ);
    r.event.packet.family = 2;
    memcpy(r.event.packet.src_mac, mac, 6);
    r.event.message.sub[0] = (struct ft_event_sub){
        .kind = FT_SUB_NAME, .value = key, .text = (uint16_t)append(&r, "BAY1", 4), .length = 4};
    struct ft_claim_fact claim = {
        .key = key, .holder = mac[5], .milliseconds = 5000, .contested = 1, .replaced = 3};
    r.event.message.claim = append(&r, &claim, sizeof(claim));
    put_number(&r, POLL_ADDRESS, 300, 0, 1);
    give(&r);
}

static void test_claims(void **state)
{
    (void)state;
    give_claim(1, 77, mac_plc);
    give_claim(4, 77, mac_plc);
    give_claim(5, 78, mac_laptop); /* another name */
    read_lines();
    assert_int_equal(count("alert"), 0);
    give_claim(8, 77, mac_laptop); /* while the other is alive */
    give_claim(9, 77, mac_plc);
    give_claim(60, 78, mac_plc); /* long after */
    ft_core_finish(core);
    read_lines();
    assert_int_equal(count("alert"), 3);
    json_t *a = line("alert", 0);
    assert_text(a, "fieldtap.title", "poll.loud");
    assert_text(a, "fieldtap.change.before", "00:80:f4:01:02:03");
    assert_text(a, "fieldtap.change.after", "f0:de:f1:09:08:07");
    assert_text(a, "fieldtap.change.asset", "name BAY1");
    assert_number(a, "poll.address", 300);
    assert_text(line("alert", 1), "fieldtap.title", "poll.refused");
    assert_number(line("alert", 2), "fieldtap.count", 2); /* one alert, whichever speaks */
    assert_int_equal(count("operation"), 0);
}

static void test_address_moved(void **state)
{
    (void)state;
    static const uint8_t mac_a[6] = {0, 0x80, 0xf4, 1, 2, 3}, mac_b[6] = {0, 0x0c, 0x29, 9, 8, 7};
    give(make_arp(&r, 1, PLC, mac_a));
    give(make_arp(&r, 2, PLC, mac_a));
    read_lines();
    assert_int_equal(count("alert"), 0);
    give(make_arp(&r, 3, PLC, mac_b));
    read_lines();
    assert_int_equal(count("alert"), 1);
    assert_number(line("alert", 0), "alert.signature_id", 9100012);
}

static void test_firmware_change(void **state)
{
    (void)state;
    give(make_fact(&r, 1, PLC, FT_FACT_FIRMWARE, "2.1"));
    give(make_fact(&r, 2, PLC, FT_FACT_FIRMWARE, "2.2"));
    give(make_fact(&r, 3, PLC, FT_FACT_MODEL, "A"));
    give(make_fact(&r, 4, PLC, FT_FACT_MODEL, "B"));
    read_lines();
    assert_int_equal(count("alert"), 1);
    json_t *a = line("alert", 0);
    assert_number(a, "alert.signature_id", 9100010);
    assert_number(a, "alert.severity", 2);
    assert_text(a, "fieldtap.change.asset", "10.0.0.2");
    assert_text(a, "fieldtap.change.before", "2.1");
    assert_text(a, "fieldtap.change.after", "2.2");
    assert_text(a, "fieldtap.reference", "P7");
}

/* Who reads an alert elsewhere has no inventory: names go with it, of src and dest as they are, and
 * of what is behind an address where that is known. */
static void test_devices(void **state)
{
    (void)state;
    give(alert_record(1, POLL_DOWNLOAD));
    give(make_fact(&r, 2, PLC, FT_FACT_NAME, "WATERWORKS"));
    give(make_fact(&r, 3, PLC, FT_FACT_VENDOR, "Maker"));
    give(make_fact(&r, 4, CLIENT, FT_FACT_OS, "Windows"));
    make_fact(&r, 5, PLC, FT_FACT_NAME, "PUMP 3");
    r.event.fact.sub.kind = FT_SUB_UNIT;
    r.event.fact.sub.value = 3;
    give(&r);
    give(with_command(make_reply(&r, FT_EVENT_ALERT, PROTOCOL_POLL, 6, PLC, CLIENT), POLL_STOP));
    give(with_unit(alert_record(7, POLL_DOWNLOAD), 1, 3));
    give(with_unit(alert_record(8, POLL_DOWNLOAD), 1, 4));
    make(&r, FT_EVENT_ANOMALY, 0, 9, CLIENT, PLC);
    r.event.anomaly = FT_ANOMALY_PORT_ZERO;
    give(&r);
    read_lines();
    assert_int_equal(count("alert"), 5);
    assert_null(at(line("alert", 0), "fieldtap.devices"));
    assert_text(line("alert", 1), "fieldtap.devices.src.name", "WATERWORKS");
    assert_text(line("alert", 1), "fieldtap.devices.src.vendor", "Maker");
    assert_null(at(line("alert", 1), "fieldtap.devices.src.os"));
    assert_text(line("alert", 1), "fieldtap.devices.dest.os", "Windows");
    assert_text(line("alert", 2), "fieldtap.devices.dest.name", "PUMP 3");
    assert_text(line("alert", 2), "fieldtap.devices.dest.vendor", "Maker");
    assert_text(line("alert", 2), "fieldtap.devices.src.os", "Windows");
    for (size_t i = 3; i < 5; i++)
        assert_text(line("alert", i), "fieldtap.devices.dest.name", "WATERWORKS");
}

static void test_mode_changes_to_less_secure(void **state)
{
    (void)state;
    static const char *const modes[] = {"stop", "run", "remote_run", "run", "program", "unknown"};
    for (size_t i = 0; i < 6; i++)
        give(make_fact(&r, i, PLC, FT_FACT_MODE, modes[i]));
    for (size_t i = 0; i < 2; i++)
        give(make_fact(&r, 10 + i, STATION, FT_FACT_MODE, modes[1 - i]));
    read_lines();
    assert_int_equal(count("alert"),
                     2); /* run -> remote_run (and later run -> program), run->stop */
    assert_text(line("alert", 0), "fieldtap.change.after", "remote_run");
    assert_number(line("alert", 0), "alert.severity", 3);
    assert_text(line("alert", 1), "fieldtap.change.after", "stop");
}

/* ---- windows ---- */

static void test_repeats_are_folded(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 50; i++)
        give(alert_record(i, POLL_DOWNLOAD));
    tick(599);
    read_lines();
    assert_int_equal(count("alert"), 1);
    assert_number(line("alert", 0), "fieldtap.count", 1);
    assert_text(line("alert", 0), "fieldtap.state", "new");
    tick(600);
    read_lines();
    assert_int_equal(count("alert"), 2);
    json_t *first = line("alert", 0), *second = line("alert", 1);
    assert_text(second, "fieldtap.state", "updated");
    assert_number(second, "fieldtap.count", 50);
    assert_text(second, "fieldtap.first_seen", json_string_value(at(first, "timestamp")));
    assert_text(second, "fieldtap.last_seen", "2023-11-14T22:14:09.000000+0000");
    assert_text(second, "timestamp", "2023-11-14T22:14:09.000000+0000");
    assert_number(second, "pcap_cnt", 49);
    assert_text(second, "fieldtap.alert_id", json_string_value(at(first, "fieldtap.alert_id")));
    assert_text(first, "fieldtap.event_uid", json_string_value(at(first, "fieldtap.alert_id")));
    assert_text(second, "message.command", "download");
    char *id = strdup(json_string_value(at(first, "fieldtap.alert_id")));
    /* It goes on. */
    give(alert_record(700, POLL_DOWNLOAD));
    tick(1200);
    read_lines();
    assert_int_equal(count("alert"), 3);
    assert_number(line("alert", 2), "fieldtap.count", 51);
    assert_text(line("alert", 2), "fieldtap.alert_id", id);
    /* After a window of silence it begins anew, with a new id; what was seen once has no second
     * line. */
    tick(1800);
    give(alert_record(1801, POLL_DOWNLOAD));
    tick(2500);
    tick(9999);
    read_lines();
    assert_int_equal(count("alert"), 4);
    assert_text(line("alert", 3), "fieldtap.state", "new");
    assert_string_not_equal(json_string_value(at(line("alert", 3), "fieldtap.alert_id")), id);
    free(id);
}

static void test_what_lasts_is_told_ever_more_rarely(void **state)
{
    (void)state;
    static const json_int_t told[] = {1, 61, 121, 241, 481, 961, 1000};
    for (uint64_t i = 0; i < 1000; i++) { /* every ten seconds */
        give(alert_record(i * 10, POLL_DOWNLOAD));
        tick(i * 10 + 9);
    }
    tick(11000);
    tick(12000);
    read_lines();
    assert_int_equal(count("alert"), 7);
    for (size_t i = 0; i < 7; i++) {
        assert_number(line("alert", i), "fieldtap.count", told[i]);
        assert_text(line("alert", i), "fieldtap.alert_id",
                    json_string_value(at(line("alert", 0), "fieldtap.event_uid")));
    }
    assert_text(line("alert", 6), "fieldtap.last_seen",
                json_string_value(at(line("alert", 6), "timestamp")));
}

static void test_a_command_with_a_title_is_one_alert(void **state)
{
    (void)state;
    /* What the violation says, with the severity of the class and the references of both. */
    with_command(violation_record(1, 2), POLL_STOP);
    give(&r);
    give(alert_record(1, POLL_STOP));
    /* A violation that says something else is an alert of its own. */
    with_command(violation_record(2, 1), POLL_STOP);
    give(&r);
    give(alert_record(2, POLL_STOP));
    /* Two PDUs in a packet: of the second only the class is told. */
    with_command(violation_record(3, 2), POLL_STOP);
    give(with_unit(&r, 1, 9));
    give(with_unit(alert_record(3, POLL_STOP), 1, 9));
    give(with_unit(alert_record(3, POLL_STOP), 1, 8));
    /* In an answer it is no order, and there is no alert of the class to be one with. */
    with_command(violation_record(4, 2), POLL_STOP);
    r.event.message.kind = FT_KIND_RESPONSE;
    r.event.message.is_paired = true;
    give(with_unit(&r, 1, 10));
    read_lines();
    assert_int_equal(count("alert"), 6);
    json_t *a = line("alert", 0);
    assert_text(a, "fieldtap.title", "poll.stopped");
    assert_text(a, "fieldtap.severity", "major");
    assert_text(a, "fieldtap.reference", "O1 O7");
    assert_text(a, "fieldtap.mitre.0", "T0843");
    assert_text(a, "fieldtap.mitre.1", "T0858");
    assert_text(a, "fieldtap.mitre.2", "T0814");
    assert_null(at(a, "fieldtap.mitre.3"));
    assert_text(line("alert", 1), "fieldtap.title", "poll.loud");
    assert_text(line("alert", 2), "fieldtap.title", "class.mode");
    assert_text(line("alert", 3), "fieldtap.title", "poll.stopped");
    assert_text(line("alert", 4), "fieldtap.title", "class.mode");
    assert_text(line("alert", 5), "fieldtap.title", "poll.stopped");
    assert_text(line("alert", 5), "fieldtap.severity", "warning");
}

static void test_refusals_are_folded_by_their_code(void **state)
{
    (void)state;
    for (uint64_t unit = 1; unit <= 20; unit++)
        for (uint64_t code = 1; code <= 2; code++) {
            violation_record(unit, 3);
            r.event.message.code = (uint32_t)unit;
            r.event.message.value = code;
            give(with_unit(&r, 1, unit));
        }
    ft_core_finish(core);
    read_lines();
    assert_int_equal(count("alert"), 4); /* two, and what they add up to */
    assert_number(line("alert", 2), "fieldtap.count", 20);
    assert_number(line("alert", 3), "fieldtap.count", 20);
    assert_int_equal(count("anomaly"), 40); /* these tell which units refused which commands */
}

static void test_a_download_is_one_alert(void **state)
{
    (void)state;
    give(alert_record(1, POLL_DOWNLOAD));
    /* The server asks for its blocks: the same download, though the server sends. */
    with_command(make_reply(&r, FT_EVENT_ALERT, PROTOCOL_POLL, 2, PLC, CLIENT), 700);
    r.event.message.class_ = FT_CLASS_PROGRAM;
    give(&r);
    give(
        with_command(make_reply(&r, FT_EVENT_ALERT, PROTOCOL_POLL, 3, PLC, CLIENT), POLL_ACTIVATE));
    r.event.message.qualifier = 9; /* the same by name */
    give(&r);
    give(alert_record(4, POLL_STOP)); /* another class is another deed */
    ft_core_finish(core);
    read_lines();
    assert_int_equal(count("alert"), 3);
    json_t *first = line("alert", 0), *last = line("alert", 2);
    assert_text(first, "fieldtap.commands.0", "download");
    assert_null(at(first, "fieldtap.commands.1"));
    assert_text(last, "fieldtap.state", "updated");
    assert_number(last, "fieldtap.count", 4);
    assert_text(last, "fieldtap.commands.0", "download");
    assert_text(last, "fieldtap.commands.1", "code_700");
    assert_text(last, "fieldtap.commands.2", "activate");
    assert_null(at(last, "fieldtap.commands.3"));
    assert_null(at(last, "fieldtap.commands_truncated"));
}

static void test_listed_commands_are_bounded(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < FT_EVE_COMMANDS + 4; i++) {
        alert_record(i, 700 + i);
        r.event.message.class_ = FT_CLASS_PROGRAM;
        give(&r);
    }
    ft_core_finish(core);
    read_lines();
    assert_int_equal(count("alert"), 2);
    assert_int_equal(json_array_size(at(line("alert", 1), "fieldtap.commands")), FT_EVE_COMMANDS);
    assert_true(json_is_true(at(line("alert", 1), "fieldtap.commands_truncated")));
}

/* Violations are told for what they are: each command of them by itself, but for those with the
 * title of a class. */
static void test_violations_differ_by_command(void **state)
{
    (void)state;
    give(with_command(violation_record(1, 1), POLL_READ));
    give(with_command(violation_record(2, 1), POLL_WRITE));
    give(with_command(violation_record(3, 2), POLL_STOP));
    with_command(violation_record(4, 2), 700);
    r.event.message.class_ = FT_CLASS_MODE;
    give(&r);
    read_lines();
    assert_int_equal(count("alert"), 3);
}

static void test_source_and_target(void **state)
{
    (void)state;
    give(
        with_command(make_reply(&r, FT_EVENT_ALERT, PROTOCOL_POLL, 1, PLC, CLIENT), POLL_DOWNLOAD));
    give(with_unit(alert_record(2, POLL_DOWNLOAD), 1, 3));
    /* Who asks whom is not known, or not for sure; no IP; nobody's deed. */
    alert_record(3, POLL_DOWNLOAD);
    r.event.packet.confidence = FT_CONFIDENCE_GUESS;
    give(with_unit(&r, 1, 4));
    alert_record(4, POLL_DOWNLOAD);
    r.event.packet.server_side = 2;
    give(with_unit(&r, 1, 5));
    alert_record(5, POLL_DOWNLOAD);
    r.event.message.direction = FT_DIRECTION_NONE;
    give(with_unit(&r, 1, 6));
    alert_record(6, POLL_DOWNLOAD);
    r.event.packet.family = 2;
    give(with_unit(&r, 1, 7));
    make(&r, FT_EVENT_ANOMALY, 0, 7, CLIENT, PLC);
    r.event.anomaly = FT_ANOMALY_PORT_ZERO;
    give(&r);
    read_lines();
    assert_int_equal(count("alert"), 7);
    assert_text(line("alert", 0), "src_ip", "10.0.0.2"); /* who sent it */
    for (size_t i = 0; i < 2; i++) {
        assert_text(line("alert", i), "alert.source.ip", "10.0.0.1");
        assert_number(line("alert", i), "alert.source.port", 40000);
        assert_text(line("alert", i), "alert.target.ip", "10.0.0.2");
        assert_number(line("alert", i), "alert.target.port", 502);
    }
    for (size_t i = 2; i < 7; i++) {
        assert_null(at(line("alert", i), "alert.source"));
        assert_null(at(line("alert", i), "alert.target"));
    }
}

static void test_what_makes_alerts_different(void **state)
{
    (void)state;
    give(alert_record(1, POLL_DOWNLOAD));
    give(alert_record(2, POLL_STOP)); /* command and title */
    give(with_unit(alert_record(3, POLL_DOWNLOAD), 1, 3));
    give(with_unit(alert_record(4, POLL_DOWNLOAD), 1, 4));
    give(with_command(make(&r, FT_EVENT_ALERT, PROTOCOL_POLL, 5, STATION, PLC), POLL_DOWNLOAD));
    give(with_command(make(&r, FT_EVENT_ALERT, PROTOCOL_POLL, 6, CLIENT, STATION), POLL_DOWNLOAD));
    alert_record(7, POLL_DOWNLOAD);
    r.event.packet.src_port = 1; /* another connection is the same */
    give(&r);
    give(with_command(make_reply(&r, FT_EVENT_ALERT, PROTOCOL_POLL, 8, PLC, CLIENT),
                      POLL_DOWNLOAD)); /* and so is the answer */
    read_lines();
    assert_int_equal(count("alert"), 6);
}

static void test_finish_tells_in_order_of_opening(void **state)
{
    (void)state;
    for (int repeat = 0; repeat < 2; repeat++)
        for (uint32_t i = 0; i < 20; i++)
            give(with_command(make(&r, FT_EVENT_ALERT, PROTOCOL_POLL, i, STATION - i * 7919, PLC),
                              POLL_STOP));
    ft_core_finish(core);
    read_lines();
    assert_int_equal(count("alert"), 40);
    for (size_t i = 0; i < 20; i++)
        assert_text(line("alert", 20 + i), "src_ip",
                    json_string_value(at(line("alert", i), "src_ip")));
}

static void test_texts_survive_in_updates(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 2; i++) {
        alert_record(i, POLL_STOP);
        r.event.message.sub[1] = (struct ft_event_sub){.kind = FT_SUB_ROUTE,
                                                       .value = 4711,
                                                       .text = (uint16_t)append(&r, "1/0", 3),
                                                       .length = 3};
        put_number(&r, POLL_ADDRESS, 1, 0, 1);
        give(&r);
    }
    memset(&r, 0xee, sizeof(r)); /* the ring's memory is used again */
    ft_core_finish(core);
    read_lines();
    assert_text(line("alert", 1), "fieldtap.sub_addresses.server.text", "route 1/0");
    assert_null(at(line("alert", 1), "poll"));
    assert_non_null(at(line("alert", 0), "poll"));
}

static void test_floods_are_bounded(void **state)
{
    (void)state;
    config.max_windows = 160;
    close_core();
    open_core();
    for (uint32_t i = 0; i < 1000; i++)
        give(with_command(make(&r, FT_EVENT_ALERT, PROTOCOL_POLL, 1, CLIENT + i, PLC), POLL_STOP));
    give(alert_record(2, POLL_DOWNLOAD)); /* another title still gets through */
    for (uint32_t i = 0; i < 1000; i++)
        give(violation_record(3, 0));
    ft_core_finish(core);
    read_lines();
    /* 140 of their own, then one for all others of the title, then one line of what it counted. */
    assert_int_equal(count("alert"), 140 + 1 + 1 + 1);
    assert_true(json_is_true(at(line("alert", 140), "fieldtap.aggregated")));
    assert_text(line("alert", 141), "fieldtap.title", "class.program");
    assert_number(line("alert", 142), "fieldtap.count", 860);
    assert_int_equal(count("anomaly"), 2);
    assert_number(line("anomaly", 1), "fieldtap.count", 1000);
}

static void test_full_tables_are_told_once(void **state)
{
    (void)state;
    config.max_assets = 5;
    config.max_conversations = 5;
    close_core();
    open_core();
    for (uint32_t i = 0; i < 100; i++) {
        give(make(&r, FT_EVENT_TALK, 0, i, CLIENT + i, PLC));
        tick(i);
    }
    ft_core_finish(core);
    read_lines();
    assert_int_equal(count("health"), 2);
    assert_text(line("health", 0), "health.event", "table_full");
}

/* ---- numbers ---- */

static void test_uids_go_on(void **state)
{
    (void)state;
    give(alert_record(1, POLL_STOP));
    give(alert_record(2, POLL_DOWNLOAD));
    close_core();
    FILE *f = fopen(path, "a");
    fputs("{\"timestamp\":\"torn", f);
    fclose(f);
    open_core();
    give(alert_record(1, POLL_STOP));
    read_lines();
    char expected[40];
    for (size_t i = 0; i < line_count; i++) {
        snprintf(expected, sizeof(expected), "plant-1-%zu", i + 1);
        assert_text(lines[i], "fieldtap.event_uid", expected);
    }
    assert_true(line_count >= 3);
}

static void test_uid_of_a_line(void **state)
{
    (void)state;
    assert_int_equal(ft_eve_uid_after("{\"fieldtap\":{\"event_uid\":\"a-b-12\"}}"), 13);
    assert_int_equal(ft_eve_uid_after("{}"), 0);
    assert_int_equal(ft_eve_uid_after(""), 0);
    assert_int_equal(ft_eve_uid_after("{\"event_uid\":\"x\"}"), 1);
    assert_int_equal(ft_eve_uid_after("{\"event_uid\":\"99999999999999999999999\"}"), 0);
}

static void test_sensor_name_is_escaped(void **state)
{
    (void)state;
    config.sensor = "press \"7\"";
    config.site = "hall\t2";
    close_core();
    open_core();
    give(alert_record(1, POLL_STOP));
    read_lines();
    assert_text(lines[0], "fieldtap.event_uid", "press \"7\"-1");
    assert_text(lines[0], "host", "press \"7\"");
    assert_text(lines[0], "fieldtap.site", "hall\t2");
}

/* Ids stand in rules of SIEMs: rows may be added at the end, none may change. A change of the value
 * below means that somebody's rule now means something else: undo what was done to the table. */
#define FROZEN_ROWS 169u
#define FROZEN_HASH 0x137fef86cf1e57bcull

static void test_sids_are_unique_and_frozen(void **state)
{
    (void)state;
    uint32_t n;
    uint64_t hash = 0;
    const struct ft_sid *all = ft_sids(&n);
    assert_true(n >= FROZEN_ROWS);
    for (uint32_t i = 0; i < n; i++) {
        char row[200];
        int length =
            snprintf(row, sizeof(row), "%u %s %s", all[i].sid, all[i].protocol, all[i].violation);
        assert_true(all[i].sid >= 9101000 && all[i].sid < FT_SID_HASHED);
        if (i)
            assert_true(all[i].sid > all[i - 1].sid);
        for (uint32_t k = 0; k < i; k++)
            assert_false(!strcmp(all[i].protocol, all[k].protocol) &&
                         !strcmp(all[i].violation, all[k].violation));
        if (i < FROZEN_ROWS)
            hash = ft_hash_bytes(hash, row, (size_t)length);
    }
    if (hash != FROZEN_HASH)
        fail_msg("the first rows of lib/alert/sids.c changed: 0x%llx", (unsigned long long)hash);
}

static void test_built_in_violations_have_sids(void **state)
{
    (void)state;
    char missing[8000] = "";
    struct ft_registry *all = ft_registry_new();
    for (const struct ft_dissector *const *d = ft_protocols; *d; d++)
        assert_true(ft_registry_add(all, *d, NULL, error, sizeof(error)));
    ft_registry_finish(all);
    for (uint32_t i = 0; i < all->count; i++)
        for (uint32_t v = 0; v < all->protocols[i]->violation_count; v++)
            if (ft_sid_of_violation(all->protocols[i], v) >= FT_SID_HASHED)
                snprintf(missing + strlen(missing), sizeof(missing) - strlen(missing),
                         "\n    {<next>, \"%s\", \"%s\"},", all->protocols[i]->name,
                         all->protocols[i]->violations[v].name);
    if (*missing)
        fail_msg("append to lib/alert/sids.c:%s", missing);
    ft_registry_free(all);
}

static void test_sids_without_a_row(void **state)
{
    (void)state;
    const struct ft_protocol *p = ft_registry_find(registry, "poll");
    uint32_t sid = ft_sid_of_violation(p, 1);
    assert_true(sid >= 9160000 && sid < 9200000);
    assert_int_equal(ft_sid_of_violation(p, 1), sid);
    assert_int_equal(ft_sid_of_violation(p, FT_VIOLATION_MALFORMED), 9100200);
    struct ft_protocol plugin = *p;
    plugin.origin = "poll.so";
    sid = ft_sid_of_violation(&plugin, 1);
    assert_true(sid >= 9300000 && sid < 9400000);
}

/* ---- summary ---- */

static void test_summary_text(void **state)
{
    (void)state;
    char text[64];
    static const struct {
        const char *from, *to;
        uint32_t width, columns;
    } rows[] = {
        {"plain", "plain", 10, 5},
        {"exactly", "exactly", 7, 7},
        {"too long", "too lo\u2026", 7, 7},
        {"\x1b[31mred\n", "?[31mred?", 20, 9},
        {"gr\u00fcn", "gr\u00fcn", 10, 4},
        {"\u6c34\u6ce5", "\u6c34\u6ce5", 10, 4},
        {"\u6c34\u6ce5\u5382", "\u6c34\u6ce5\u2026", 5, 5},
        {"bad\xff", "bad\\xff", 20, 7},
        {"e\u0301", "e\u0301", 10, 1},
        {"a\u202e"
         "b",
         "a?b", 10, 3},
        {"\xe0\x80\x80", "\\xe0\\x80\\x80", 20, 12},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(ft_summary_text(rows[i].from, text, sizeof(text), rows[i].width),
                         rows[i].columns);
        assert_string_equal(text, rows[i].to);
    }
}

static void test_summary(void **state)
{
    (void)state;
    char *text;
    size_t size;
    struct ft_ledger l = {.received = 1234567};
    l.packets[FT_BUCKET_ANALYSED] = 1234567;
    give(with_unit(
        with_command(make(&r, FT_EVENT_OPERATION, PROTOCOL_POLL, 1, CLIENT, PLC), POLL_READ), 1,
        3));
    give(make_fact(&r, 1, PLC, FT_FACT_MODEL, "Model\x1b[2J X"));
    give(alert_record(2, POLL_STOP));
    give(alert_record(3, POLL_STOP));
    FILE *f = open_memstream(&text, &size);
    ft_summary_print(f, core, &l, 0);
    fclose(f);
    assert_non_null(strstr(text, "Assets (2)"));
    assert_non_null(strstr(text, "Model?[2J X"));
    assert_non_null(strstr(text, "unit 3"));
    assert_non_null(strstr(text, "of 2023-11-14\n"));
    assert_non_null(strstr(text, " 22:13:22 "));
    assert_non_null(strstr(text, "1,234,567 packets received = 1,234,567 analysed; the books are "
                                 "balanced"));
    assert_non_null(strstr(text, "read 1"));
    assert_null(strchr(text, '\x1b'));
    assert_null(strstr(text, "FIRMWARE")); /* a column that nobody fills */
    free(text);
}

static char *print_summary(uint32_t rows)
{
    char *text;
    size_t size;
    struct ft_ledger l = {0};
    FILE *f = open_memstream(&text, &size);
    ft_summary_print(f, core, &l, rows);
    fclose(f);
    return text;
}

static void test_summary_folds_alerts(void **state)
{
    (void)state;
    for (uint64_t unit = 0; unit < 5; unit++)
        give(with_unit(alert_record(unit, POLL_STOP), 1, unit));
    give(with_command(make_reply(&r, FT_EVENT_ALERT, PROTOCOL_POLL, 9, PLC, CLIENT), POLL_STOP));
    give(alert_record(10, POLL_DOWNLOAD));
    give(alert_record(11, POLL_ACTIVATE));
    char *text = print_summary(0);
    assert_non_null(strstr(text, "Alerts (2)"));
    assert_non_null(strstr(text, " stop "));
    assert_non_null(strstr(text, " download,"));
    assert_non_null(strstr(text, " 6\n"));
    free(text);
    text = print_summary(1);
    assert_non_null(strstr(text, "Alerts (1 shown)"));
    assert_non_null(strstr(text, "and 1 more"));
    free(text);
}

/* The worst alert first, however late; what was malformed in a line of its own. */
static void test_summary_order(void **state)
{
    (void)state;
    give(violation_record(1, FT_VIOLATION_MALFORMED));
    give(violation_record(2, FT_VIOLATION_MALFORMED));
    give(alert_record(3, POLL_STOP));
    give(alert_record(4, POLL_DOWNLOAD));
    char *text = print_summary(0);
    const char *stop = strstr(text, " stop "), *download = strstr(text, " download ");
    assert_non_null(stop);
    assert_non_null(download);
    assert_true(download < stop); /* critical before major, though later */
    assert_non_null(strstr(text, "2 anomalies: poll.malformed 2\n"));
    free(text);
}

/* No line is wider than 120 columns, whatever devices call themselves. */
static void test_summary_width(void **state)
{
    (void)state;
    char name[200];
    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = 0;
    static const enum ft_fact facts[] = {FT_FACT_NAME, FT_FACT_VENDOR, FT_FACT_MODEL,
                                         FT_FACT_FIRMWARE};
    for (unsigned i = 0; i < 4; i++)
        give(make_fact(&r, i + 1, PLC, facts[i], name));
    char *text = print_summary(0);
    assert_non_null(strstr(text, "nnn\u2026"));
    for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        size_t columns = 0;
        for (const char *at = line; at < end; at++)
            columns += ((uint8_t)*at & 0xc0) != 0x80;
        assert_true(columns <= 120);
    }
    free(text);
}

static void test_summary_names_devices_by_ip(void **state)
{
    (void)state;
    uint8_t mac[6];
    set_mac(mac, PLC);
    give(make_arp(&r, 1, PLC, mac));
    make(&r, FT_EVENT_TALK, PROTOCOL_GOOSE, 2, PLC, STATION);
    r.event.packet.family = 2;
    r.event.packet.proto = 0;
    r.event.packet.dst_mac[0] = 1;
    give(&r);
    char *text = print_summary(0);
    assert_non_null(strstr(text, "10.0.0.2  ->  01:0e:8c:00:00:03  goose"));
    free(text);
}

/* Devices of plants that number them as they like are shown, who is met in the Internet is not. */
static void test_summary_of_external_addresses(void **state)
{
    (void)state;
    uint8_t mac[6];
    set_mac(mac, PLC);
    give(make(&r, FT_EVENT_TALK, 0, 1, 0x08080808, CLIENT));
    give(make_arp(&r, 2, 0x86f93db6, mac));
    give(with_command(make(&r, FT_EVENT_OPERATION, PROTOCOL_POLL, 3, CLIENT, 0x86f93db7),
                      POLL_READ));
    char *text = print_summary(0);
    assert_non_null(strstr(text, "Assets (3)"));
    assert_non_null(strstr(text, "  134.249.61.182 ")); /* it states its MAC address */
    assert_non_null(strstr(text, "  134.249.61.183 ")); /* it is controlled */
    assert_non_null(strstr(text, "Left out: 1 with addresses of the Internet"));
    free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_header),
        TEST(test_class_alerts),
        TEST(test_violation_with_evidence),
        TEST(test_quiet_violations_are_no_alerts),
        TEST(test_anomalies_below),
        TEST(test_transaction_has_the_client_first),
        TEST(test_message_has_the_sender_first),
        TEST(test_unanswered),
        TEST(test_layer_2),
        TEST(test_icmp_and_other_protocols),
        TEST(test_icmp_is_turned_with_its_type),
        TEST(test_flow),
        TEST(test_long_messages_are_truncated),
        TEST(test_health),
        TEST(test_stats),
        TEST(test_stats_of_ports),
        TEST(test_packets_lost),
        TEST(test_packets_lost_by_dpdk),
        TEST(test_stats_time),
        TEST(test_operations_once),
        TEST(test_one_asset_event_per_packet),
        TEST(test_address_moved),
        TEST(test_contested_address),
        TEST(test_address_of_a_router),
        TEST(test_address_given_out),
        TEST(test_resolution_scan),
        TEST(test_claims),
        TEST(test_firmware_change),
        TEST(test_devices),
        TEST(test_mode_changes_to_less_secure),
        TEST(test_repeats_are_folded),
        TEST(test_what_lasts_is_told_ever_more_rarely),
        TEST(test_a_command_with_a_title_is_one_alert),
        TEST(test_refusals_are_folded_by_their_code),
        TEST(test_a_download_is_one_alert),
        TEST(test_listed_commands_are_bounded),
        TEST(test_violations_differ_by_command),
        TEST(test_source_and_target),
        TEST(test_what_makes_alerts_different),
        TEST(test_finish_tells_in_order_of_opening),
        TEST(test_texts_survive_in_updates),
        TEST(test_floods_are_bounded),
        TEST(test_full_tables_are_told_once),
        TEST(test_uids_go_on),
        TEST(test_uid_of_a_line),
        TEST(test_sensor_name_is_escaped),
        TEST(test_sids_are_unique_and_frozen),
        TEST(test_built_in_violations_have_sids),
        TEST(test_sids_without_a_row),
        TEST(test_summary_text),
        TEST(test_summary),
        TEST(test_summary_folds_alerts),
        TEST(test_summary_order),
        TEST(test_summary_width),
        TEST(test_summary_names_devices_by_ip),
        TEST(test_summary_of_external_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
