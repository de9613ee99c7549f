/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines of the journal for tests of what sinks send: one of each kind, as the sensor writes them.
 */
#ifndef FORWARD_LINES_H
#define FORWARD_LINES_H

/* A download to a controller; the packet is one of the controller's, who asks for the blocks. */
#define LINE_ALERT                                                                                 \
    "{\"timestamp\":\"2026-07-05T15:28:54.123456+0000\",\"flow_id\":7,\"in_iface\":\"eth1\","      \
    "\"pcap_cnt\":12,\"event_type\":\"alert\",\"vlan\":[10,20],\"src_ip\":\"10.0.0.9\","           \
    "\"src_port\":102,\"dest_ip\":\"10.0.0.5\",\"dest_port\":49152,\"proto\":\"TCP\",\"ip_v\":4,"  \
    "\"ether\":{\"src_mac\":\"00:1b:1b:00:00:09\",\"dest_mac\":\"00:0c:29:00:00:05\"},"            \
    "\"community_id\":\"1:x=\",\"app_proto\":\"s7comm\",\"direction\":\"to_client\","              \
    "\"alert\":{\"action\":\"allowed\",\"gid\":1,\"signature_id\":9100002,\"rev\":1,"              \
    "\"signature\":\"Program was downloaded to a controller\",\"category\":\"Programming\","       \
    "\"severity\":1,\"source\":{\"ip\":\"10.0.0.5\",\"port\":49152},"                              \
    "\"target\":{\"ip\":\"10.0.0.9\",\"port\":102},"                                               \
    "\"metadata\":{\"fieldtap_title\":[\"class.program\"]}},"                                      \
    "\"message\":{\"command\":\"request_download\",\"code\":26,\"class\":\"program\","             \
    "\"kind\":\"request\"},\"s7comm\":{\"function\":26},\"host\":\"line3\","                       \
    "\"fieldtap\":{\"schema_version\":1,\"event_uid\":\"line3-41\",\"sensor\":\"line3\","          \
    "\"site\":\"Plant 1\",\"engine\":\"policy_violation\",\"severity\":\"critical\","              \
    "\"title\":\"class.program\",\"mitre\":[\"T0843\",\"T0889\"],"                                 \
    "\"remediation\":\"Ask who did it.\",\"evidence\":{\"packet\":12},\"alert_id\":\"line3-40\","  \
    "\"state\":\"updated\",\"count\":3,\"first_seen\":\"2026-07-05T15:20:00.000000+0000\","        \
    "\"last_seen\":\"2026-07-05T15:28:54.123456+0000\","                                           \
    "\"commands\":[\"request_download\",\"download_block\"],"                                      \
    "\"sub_addresses\":{\"server\":{\"kind\":\"slot\",\"value\":2,\"text\":\"slot 2\"}}}}"

/* Frames of address resolution have no IP addresses. */
#define LINE_ETHERNET_ALERT                                                                        \
    "{\"timestamp\":\"2026-01-31T10:20:30.000000+0000\",\"pcap_cnt\":5,\"event_type\":\"alert\","  \
    "\"proto\":\"ETH\",\"ether\":{\"ether_type\":2054,\"src_mac\":\"00:00:00:00:00:01\","          \
    "\"dest_mac\":\"ff:ff:ff:ff:ff:ff\"},\"app_proto\":\"arp\","                                   \
    "\"alert\":{\"action\":\"allowed\",\"gid\":1,\"signature_id\":9100012,\"rev\":1,"              \
    "\"signature\":\"Address moved\",\"category\":\"Abnormal Communication Behavior\","            \
    "\"severity\":3,\"metadata\":{}},\"host\":\"line3\","                                          \
    "\"fieldtap\":{\"schema_version\":1,\"event_uid\":\"line3-1\",\"sensor\":\"line3\","           \
    "\"engine\":\"anomaly\",\"severity\":\"minor\",\"title\":\"asset.address_moved\","             \
    "\"evidence\":{},\"alert_id\":\"line3-1\",\"state\":\"new\",\"count\":1,"                      \
    "\"first_seen\":\"2026-01-31T10:20:30.000000+0000\","                                          \
    "\"last_seen\":\"2026-01-31T10:20:30.000000+0000\",\"change\":{\"asset\":\"10.0.0.1\","        \
    "\"fact\":\"mac\",\"before\":\"a\",\"after\":\"b\"}}}"

#define LINE_HEALTH                                                                                \
    "{\"timestamp\":\"2026-01-31T10:20:30.000000+0000\",\"event_type\":\"health\","                \
    "\"health\":{\"event\":\"interface_down\",\"severity\":\"major\","                             \
    "\"text\":\"eth1 has no link.\",\"interface\":\"eth1\"},\"host\":\"line3\","                   \
    "\"fieldtap\":{\"schema_version\":1,\"event_uid\":\"line3-2\",\"sensor\":\"line3\"}}"

#define LINE_ASSET                                                                                 \
    "{\"timestamp\":\"2026-01-31T10:20:30.000000+0000\",\"pcap_cnt\":1,\"event_type\":\"asset\","  \
    "\"asset\":{\"changes\":[\"new\",\"role\"],\"id\":\"fe80::1\",\"ip\":\"fe80::1\","             \
    "\"mac\":\"00:1b:1b:00:00:09\",\"vendor\":\"Siemens\",\"model\":\"6ES7 215\","                 \
    "\"firmware\":\"V4.5\",\"role\":\"plc\",\"roles\":[\"plc\"],\"vlans\":[10],"                   \
    "\"first_seen\":\"2026-01-31T10:20:30.000000+0000\","                                          \
    "\"last_seen\":\"2026-01-31T10:20:30.000000+0000\"},\"host\":\"line3\","                       \
    "\"fieldtap\":{\"schema_version\":1,\"event_uid\":\"line3-3\",\"sensor\":\"line3\"}}"

#define LINE_OPERATION                                                                             \
    "{\"timestamp\":\"2026-01-31T10:20:30.000000+0000\",\"flow_id\":7,"                            \
    "\"event_type\":\"operation\",\"src_ip\":\"10.0.0.5\",\"src_port\":1025,"                      \
    "\"dest_ip\":\"10.0.0.9\",\"dest_port\":502,\"proto\":\"TCP\",\"ip_v\":4,"                     \
    "\"app_proto\":\"modbus\",\"direction\":\"to_server\",\"operation\":{"                         \
    "\"command\":\"write_single_coil\",\"code\":5,\"class\":\"write\",\"kind\":\"request\"},"      \
    "\"modbus\":{\"unit_id\":3},\"host\":\"line3\",\"fieldtap\":{\"schema_version\":1,"            \
    "\"event_uid\":\"line3-4\",\"sensor\":\"line3\",\"sub_addresses\":{\"server\":{"               \
    "\"kind\":\"unit\",\"value\":3,\"text\":\"unit 3\"}}}}"

#define LINE_FLOW                                                                                  \
    "{\"timestamp\":\"2026-01-31T10:20:30.000000+0000\",\"flow_id\":7,\"event_type\":\"flow\","    \
    "\"src_ip\":\"10.0.0.5\",\"src_port\":1025,\"dest_ip\":\"10.0.0.9\",\"dest_port\":502,"        \
    "\"proto\":\"TCP\",\"ip_v\":4,\"community_id\":\"1:wp5x/1GZLxBD6oiYob06m8AjPhM=\","            \
    "\"app_proto\":\"modbus\",\"flow\":{\"pkts_toserver\":4,\"pkts_toclient\":3,"                  \
    "\"bytes_toserver\":400,\"bytes_toclient\":300,"                                               \
    "\"start\":\"2026-01-31T10:20:00.000000+0000\",\"end\":\"2026-01-31T10:20:30.000000+0000\","   \
    "\"age\":30,\"state\":\"closed\",\"reason\":\"timeout\",\"alerted\":false},"                   \
    "\"host\":\"line3\",\"fieldtap\":{\"schema_version\":1,\"event_uid\":\"line3-5\","             \
    "\"sensor\":\"line3\"}}"

#define LINE_STATS                                                                                 \
    "{\"timestamp\":\"2026-01-31T10:20:30.000000+0000\",\"event_type\":\"stats\",\"stats\":{"      \
    "\"uptime\":21,\"capture\":{\"kernel_packets\":9,\"kernel_drops\":2},"                         \
    "\"decoder\":{\"pkts\":9,\"bytes\":900},\"flow\":{\"total\":4},\"detect\":{\"alert\":1}},"     \
    "\"host\":\"line3\",\"fieldtap\":{\"schema_version\":1,\"event_uid\":\"line3-6\","             \
    "\"sensor\":\"line3\"}}"

#define LINE_TRANSACTION                                                                           \
    "{\"timestamp\":\"2026-01-31T10:20:30.000000+0000\",\"event_type\":\"modbus\","                \
    "\"src_ip\":\"fe80::5\",\"src_port\":1025,\"dest_ip\":\"fe80::9\",\"dest_port\":502,"          \
    "\"proto\":\"TCP\",\"ip_v\":6,\"app_proto\":\"modbus\",\"direction\":\"to_client\","           \
    "\"message\":{\"command\":\"read_coils\",\"code\":1,\"class\":\"read\",\"kind\":\"response\"," \
    "\"response_time_us\":10},\"modbus\":{\"unit_id\":3},\"host\":\"line3\",\"fieldtap\":{"        \
    "\"schema_version\":1,\"event_uid\":\"line3-7\",\"sensor\":\"line3\"}}"

#define LINE_ANOMALY                                                                               \
    "{\"timestamp\":\"2026-01-31T10:20:30.000000+0000\",\"event_type\":\"anomaly\","               \
    "\"src_ip\":\"10.0.0.5\",\"src_port\":1025,\"dest_ip\":\"10.0.0.9\",\"dest_port\":502,"        \
    "\"proto\":\"TCP\",\"ip_v\":4,\"app_proto\":\"modbus\",\"direction\":\"to_server\","           \
    "\"anomaly\":{\"type\":\"applayer\",\"event\":\"malformed\",\"layer\":\"proto_parser\","       \
    "\"app_proto\":\"modbus\"},\"host\":\"line3\",\"fieldtap\":{\"schema_version\":1,"             \
    "\"event_uid\":\"line3-8\",\"sensor\":\"line3\",\"engine\":\"protocol_violation\","            \
    "\"severity\":\"warning\",\"title\":\"modbus.malformed\",\"evidence\":{},"                     \
    "\"anomaly_id\":\"line3-8\",\"state\":\"new\",\"count\":1,"                                    \
    "\"first_seen\":\"2026-01-31T10:20:30.000000+0000\","                                          \
    "\"last_seen\":\"2026-01-31T10:20:30.000000+0000\"}}"

#endif
