/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The formats as data. Keys of alerts in the incumbent's dialect are word for word those that
 * Microsoft documents for forwarding rules of Defender for IoT (text, object, CEF, LEEF) and for
 * its webhooks. Others are of the dictionaries of CEF (ArcSight Common Event Format, implementation
 * standard) and LEEF (QRadar Log Event Extended Format, version 2).
 */
#include "forward/tables.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ROWS(a)                                                                                    \
    {                                                                                              \
        a, COUNT(a)                                                                                \
    }

/* ---- text ---- */

static const struct ft_row text_alert[] = {
    {"CyberX platform name", "@sensor", FT_ROW_TEXT, "N/A", NULL},
    {"Microsoft Defender for IoT Alert", "@title", FT_ROW_TEXT, "N/A", NULL},
};

static const struct ft_row text_other[] = {
    {"Sensor name", "@sensor", FT_ROW_TEXT, "N/A", NULL},
    {"Event", "@title", FT_ROW_TEXT, "N/A", NULL},
};

static const struct ft_row text_rest[] = {
    {"Type", "@engine", FT_ROW_ENGINE, "N/A", NULL},
    {"Severity", "@severity", FT_ROW_SEVERITY, "N/A", NULL},
    {"Source", "@source.name @source", FT_ROW_TEXT, "N/A", NULL},
    {"Source IP", "@source.ip", FT_ROW_TEXT, "N/A", NULL},
    {"Protocol", "app_proto", FT_ROW_TEXT, NULL, NULL},
    {"Address", "@source.address", FT_ROW_TEXT, NULL, NULL},
    {"Destination", "@destination.name @destination", FT_ROW_TEXT, "N/A", NULL},
    {"Destination IP", "@destination.ip", FT_ROW_TEXT, "N/A", NULL},
    {"Protocol", "app_proto", FT_ROW_TEXT, NULL, NULL},
    {"Address", "@destination.address", FT_ROW_TEXT, NULL, NULL},
    {"Message", "@message", FT_ROW_TEXT, "N/A", NULL},
    {"Alert group", "alert.category rule.category", FT_ROW_TEXT, "NA", NULL},
    {"UUID", "@uuid", FT_ROW_TEXT, NULL, NULL},
};

/* ---- object ---- */

static const struct ft_row object_alert[] = {
    {"Sensor name", "@sensor", FT_ROW_TEXT, "N/A", NULL},
    {"Alert time", "@start", FT_ROW_TIME, "N/A", NULL},
    {"Alert title", "@title", FT_ROW_TEXT, "N/A", NULL},
    {"Alert message", "@message", FT_ROW_TEXT, "N/A", NULL},
    {"Alert severity", "@severity", FT_ROW_SEVERITY, "N/A", NULL},
    {"Alert type", "@engine", FT_ROW_ENGINE, "N/A", NULL},
    {"Protocol", "app_proto proto", FT_ROW_TEXT, "N/A", NULL},
    {"Source_MAC", "@source.device", FT_ROW_TEXT, "N/A", NULL},
    {"Destination_MAC", "@destination.device", FT_ROW_TEXT, "N/A", NULL},
    {"alert_group", "alert.category", FT_ROW_TEXT, "N/A", NULL},
};

static const struct ft_row object_other[] = {
    {"Sensor name", "@sensor", FT_ROW_TEXT, "N/A", NULL},
    {"Event time", "timestamp", FT_ROW_TIME, "N/A", NULL},
    {"Event type", "event_type", FT_ROW_TEXT, "N/A", NULL},
    {"Event title", "@title", FT_ROW_TEXT, "N/A", NULL},
    {"Event message", "@message", FT_ROW_TEXT, "N/A", NULL},
    {"Event severity", "@severity", FT_ROW_SEVERITY, "N/A", NULL},
    {"Protocol", "app_proto proto", FT_ROW_TEXT, "N/A", NULL},
    {"Source_MAC", "@source.device", FT_ROW_TEXT, "N/A", NULL},
    {"Destination_MAC", "@destination.device", FT_ROW_TEXT, "N/A", NULL},
};

/* ---- CEF ---- */

static const struct ft_forward_table_header cef_incumbent = {
    .vendor = "=Microsoft Defender for IoT/CyberX",
    .product = "@sensor",
    .version = "@version",
    .id = "=Microsoft Defender for IoT Alert",
    .name = "@title",
};

/* Of findings: what tells one kind from another; of others the event type does. */
static const struct ft_forward_table_header standard_finding = {
    .vendor = "=fieldtap",
    .product = "=fieldtap",
    .version = "@version",
    .id = "alert.signature_id rule.signature_id fieldtap.title",
    .name = "@title",
};

static const struct ft_forward_table_header standard_other = {
    .vendor = "=fieldtap",
    .product = "=fieldtap",
    .version = "@version",
    .id = "event_type",
    .name = "@title",
};

static const struct ft_row cef_alert[] = {
    {"msg", "@message", FT_ROW_TEXT, NULL, NULL},
    {"protocol", "app_proto proto", FT_ROW_TEXT, NULL, NULL},
    {"severity", "@severity", FT_ROW_SEVERITY, NULL, NULL},
    {"type", "@engine", FT_ROW_ENGINE, NULL, NULL},
    {"UUID", "@uuid", FT_ROW_TEXT, NULL, NULL},
    {"start", "@start", FT_ROW_TIME, NULL, NULL},
    {"src_ip", "@source.ip", FT_ROW_TEXT, NULL, NULL},
    {"src_mac", "@source.mac", FT_ROW_TEXT, NULL, NULL},
    {"dst_ip", "@destination.ip", FT_ROW_TEXT, NULL, NULL},
    {"dst_mac", "@destination.mac", FT_ROW_TEXT, NULL, NULL},
    {"cat", "alert.category", FT_ROW_TEXT, "NA", NULL},
};

/* The time first: who sorts by it finds it whatever is cut off. */
static const struct ft_row cef_head[] = {
    {"rt", "timestamp", FT_ROW_MILLISECONDS, NULL, NULL},
    {"externalId", "fieldtap.event_uid", FT_ROW_TEXT, NULL, NULL},
    {"dvchost", "@sensor", FT_ROW_TEXT, NULL, NULL},
    {"msg", "@message", FT_ROW_TEXT, NULL, NULL},
};

static const struct ft_row cef_network[] = {
    {"src", "@source.ip", FT_ROW_IPV4, NULL, NULL},
    {"c6a2", "@source.ip", FT_ROW_IPV6, NULL, "Source IPv6 Address"},
    {"spt", "@source.port", FT_ROW_TEXT, NULL, NULL},
    {"smac", "@source.mac", FT_ROW_TEXT, NULL, NULL},
    {"shost", "@source.name", FT_ROW_TEXT, NULL, NULL},
    {"dst", "@destination.ip", FT_ROW_IPV4, NULL, NULL},
    {"c6a3", "@destination.ip", FT_ROW_IPV6, NULL, "Destination IPv6 Address"},
    {"dpt", "@destination.port", FT_ROW_TEXT, NULL, NULL},
    {"dmac", "@destination.mac", FT_ROW_TEXT, NULL, NULL},
    {"dhost", "@destination.name", FT_ROW_TEXT, NULL, NULL},
    {"proto", "proto", FT_ROW_TEXT, NULL, NULL},
    {"app", "app_proto", FT_ROW_TEXT, NULL, NULL},
    {"deviceInboundInterface", "in_iface", FT_ROW_TEXT, NULL, NULL},
    {"cn1", "vlan", FT_ROW_FIRST, NULL, "vlan"},
};

static const struct ft_row cef_finding[] = {
    {"cat", "alert.category rule.category", FT_ROW_TEXT, NULL, NULL},
    {"act", "alert.action", FT_ROW_TEXT, NULL, NULL},
    {"start", "@start", FT_ROW_MILLISECONDS, NULL, NULL},
    {"end", "fieldtap.last_seen", FT_ROW_MILLISECONDS, NULL, NULL},
    {"cnt", "fieldtap.count", FT_ROW_TEXT, NULL, NULL},
    {"cs1", "@engine", FT_ROW_ENGINE, NULL, "engine"},
    {"cs2", "@uuid", FT_ROW_TEXT, NULL, "UUID"},
    {"cs3", "fieldtap.mitre", FT_ROW_TEXT, NULL, "mitre"},
    {"cs4", "@source.address", FT_ROW_TEXT, NULL, "sourceAddress"},
    {"cs5", "@destination.address", FT_ROW_TEXT, NULL, "destinationAddress"},
    {"cs6", "fieldtap.commands message.command", FT_ROW_TEXT, NULL, "command"},
    {"outcome", "fieldtap.state", FT_ROW_TEXT, NULL, NULL},
    {"flexString1", "fieldtap.remediation", FT_ROW_TEXT, NULL, "remediation"},
    {"flexString2", "fieldtap.site", FT_ROW_TEXT, NULL, "site"},
};

static const struct ft_row cef_asset[] = {
    {"src", "asset.ip", FT_ROW_IPV4, NULL, NULL},
    {"c6a2", "asset.ip", FT_ROW_IPV6, NULL, "Source IPv6 Address"},
    {"smac", "asset.mac", FT_ROW_TEXT, NULL, NULL},
    {"shost", "asset.name", FT_ROW_TEXT, NULL, NULL},
    {"deviceExternalId", "asset.id", FT_ROW_TEXT, NULL, NULL},
    {"act", "asset.changes", FT_ROW_TEXT, NULL, NULL},
    {"cs1", "asset.role", FT_ROW_TEXT, NULL, "role"},
    {"cs2", "asset.vendor", FT_ROW_TEXT, NULL, "vendor"},
    {"cs3", "asset.model", FT_ROW_TEXT, NULL, "model"},
    {"cs4", "asset.firmware", FT_ROW_TEXT, NULL, "firmware"},
    {"cs5", "asset.serial", FT_ROW_TEXT, NULL, "serial"},
    {"cs6", "asset.os", FT_ROW_TEXT, NULL, "os"},
    {"flexString1", "asset.parent", FT_ROW_TEXT, NULL, "parent"},
    {"flexString2", "asset.into asset.former", FT_ROW_TEXT, NULL, "otherDevice"},
    {"cn1", "asset.vlans", FT_ROW_FIRST, NULL, "vlan"},
    {"start", "asset.first_seen", FT_ROW_MILLISECONDS, NULL, NULL},
    {"end", "asset.last_seen", FT_ROW_MILLISECONDS, NULL, NULL},
};

static const struct ft_row cef_health[] = {
    {"cat", "health.event", FT_ROW_TEXT, NULL, NULL},
    {"app", "health.protocol", FT_ROW_TEXT, NULL, NULL},
    {"deviceInboundInterface", "health.interface", FT_ROW_TEXT, NULL, NULL},
};

static const struct ft_row cef_command[] = {
    {"cat", "operation.class message.class", FT_ROW_TEXT, NULL, NULL},
    {"act", "operation.command message.command", FT_ROW_TEXT, NULL, NULL},
    {"cs1", "operation.kind message.kind", FT_ROW_TEXT, NULL, "kind"},
    {"cs4", "@source.address", FT_ROW_TEXT, NULL, "sourceAddress"},
    {"cs5", "@destination.address", FT_ROW_TEXT, NULL, "destinationAddress"},
};

static const struct ft_row cef_flow[] = {
    {"start", "flow.start", FT_ROW_MILLISECONDS, NULL, NULL},
    {"end", "flow.end", FT_ROW_MILLISECONDS, NULL, NULL},
    {"in", "flow.bytes_toserver", FT_ROW_TEXT, NULL, NULL},
    {"out", "flow.bytes_toclient", FT_ROW_TEXT, NULL, NULL},
    {"outcome", "flow.state", FT_ROW_TEXT, NULL, NULL},
    {"reason", "flow.reason", FT_ROW_TEXT, NULL, NULL},
    {"cn2", "flow.pkts_toserver", FT_ROW_TEXT, NULL, "packetsToServer"},
    {"cn3", "flow.pkts_toclient", FT_ROW_TEXT, NULL, "packetsToClient"},
    {"cs1", "community_id", FT_ROW_TEXT, NULL, "communityId"},
};

static const struct ft_row cef_stats[] = {
    {"in", "stats.decoder.bytes", FT_ROW_TEXT, NULL, NULL},
    {"cn1", "stats.decoder.pkts", FT_ROW_TEXT, NULL, "packets"},
    {"cn2", "stats.capture.kernel_drops", FT_ROW_TEXT, NULL, "drops"},
    {"cn3", "stats.detect.alert", FT_ROW_TEXT, NULL, "alerts"},
};

/* ---- LEEF ---- */

static const struct ft_forward_table_header leef_incumbent = {
    .vendor = "=Microsoft Defender for IoT",
    .product = "=Sensor",
    .version = "@version",
    .id = "=Microsoft Defender for IoT Alert",
};

static const struct ft_row leef_alert[] = {
    {"title", "@title", FT_ROW_TEXT, NULL, NULL},
    {"msg", "@message", FT_ROW_TEXT, NULL, NULL},
    {"protocol", "app_proto proto", FT_ROW_TEXT, NULL, NULL},
    {"severity", "@severity", FT_ROW_SEVERITY, NULL, NULL},
    {"type", "@engine", FT_ROW_ENGINE, NULL, NULL},
    {"start", "@start", FT_ROW_TIME, NULL, NULL},
    {"src_ip", "@source.ip", FT_ROW_TEXT, NULL, NULL},
    {"dst_ip", "@destination.ip", FT_ROW_TEXT, NULL, NULL},
    {"cat", "alert.category", FT_ROW_TEXT, "NA", NULL},
};

/* Without devTimeFormat, devTime is milliseconds. */
static const struct ft_row leef_head[] = {
    {"devTime", "timestamp", FT_ROW_MILLISECONDS, NULL, NULL},
    {"sev", "@severity", FT_ROW_SEVERITY_NUMBER, "1", NULL},
    {"title", "@title", FT_ROW_TEXT, NULL, NULL},
    {"msg", "@message", FT_ROW_TEXT, NULL, NULL},
    {"eventUid", "fieldtap.event_uid", FT_ROW_TEXT, NULL, NULL},
    {"sensor", "@sensor", FT_ROW_TEXT, NULL, NULL},
    {"site", "@site", FT_ROW_TEXT, NULL, NULL},
};

static const struct ft_row leef_network[] = {
    {"src", "@source.ip", FT_ROW_TEXT, NULL, NULL},
    {"srcPort", "@source.port", FT_ROW_TEXT, NULL, NULL},
    {"srcMAC", "@source.mac", FT_ROW_TEXT, NULL, NULL},
    {"dst", "@destination.ip", FT_ROW_TEXT, NULL, NULL},
    {"dstPort", "@destination.port", FT_ROW_TEXT, NULL, NULL},
    {"dstMAC", "@destination.mac", FT_ROW_TEXT, NULL, NULL},
    {"proto", "proto", FT_ROW_TEXT, NULL, NULL},
    {"appProto", "app_proto", FT_ROW_TEXT, NULL, NULL},
    {"interface", "in_iface", FT_ROW_TEXT, NULL, NULL},
    {"vlan", "vlan", FT_ROW_TEXT, NULL, NULL},
};

static const struct ft_row leef_finding[] = {
    {"cat", "alert.category rule.category", FT_ROW_TEXT, NULL, NULL},
    {"engine", "@engine", FT_ROW_ENGINE, NULL, NULL},
    {"UUID", "@uuid", FT_ROW_TEXT, NULL, NULL},
    {"state", "fieldtap.state", FT_ROW_TEXT, NULL, NULL},
    {"count", "fieldtap.count", FT_ROW_TEXT, NULL, NULL},
    {"mitre", "fieldtap.mitre", FT_ROW_TEXT, NULL, NULL},
    {"command", "fieldtap.commands message.command", FT_ROW_TEXT, NULL, NULL},
    {"srcAddress", "@source.address", FT_ROW_TEXT, NULL, NULL},
    {"dstAddress", "@destination.address", FT_ROW_TEXT, NULL, NULL},
    {"remediation", "fieldtap.remediation", FT_ROW_TEXT, NULL, NULL},
};

static const struct ft_row leef_asset[] = {
    {"cat", "asset.changes", FT_ROW_TEXT, NULL, NULL},
    {"src", "asset.ip", FT_ROW_TEXT, NULL, NULL},
    {"srcMAC", "asset.mac", FT_ROW_TEXT, NULL, NULL},
    {"identHostName", "asset.name", FT_ROW_TEXT, NULL, NULL},
    {"assetId", "asset.id", FT_ROW_TEXT, NULL, NULL},
    {"role", "asset.role", FT_ROW_TEXT, NULL, NULL},
    {"vendor", "asset.vendor", FT_ROW_TEXT, NULL, NULL},
    {"model", "asset.model", FT_ROW_TEXT, NULL, NULL},
    {"firmware", "asset.firmware", FT_ROW_TEXT, NULL, NULL},
    {"serial", "asset.serial", FT_ROW_TEXT, NULL, NULL},
    {"os", "asset.os", FT_ROW_TEXT, NULL, NULL},
    {"parent", "asset.parent", FT_ROW_TEXT, NULL, NULL},
    {"otherDevice", "asset.into asset.former", FT_ROW_TEXT, NULL, NULL},
    {"vlan", "asset.vlans", FT_ROW_TEXT, NULL, NULL},
};

static const struct ft_row leef_health[] = {
    {"cat", "health.event", FT_ROW_TEXT, NULL, NULL},
    {"appProto", "health.protocol", FT_ROW_TEXT, NULL, NULL},
    {"interface", "health.interface", FT_ROW_TEXT, NULL, NULL},
};

static const struct ft_row leef_command[] = {
    {"cat", "operation.class message.class", FT_ROW_TEXT, NULL, NULL},
    {"command", "operation.command message.command", FT_ROW_TEXT, NULL, NULL},
    {"kind", "operation.kind message.kind", FT_ROW_TEXT, NULL, NULL},
    {"srcAddress", "@source.address", FT_ROW_TEXT, NULL, NULL},
    {"dstAddress", "@destination.address", FT_ROW_TEXT, NULL, NULL},
};

static const struct ft_row leef_flow[] = {
    {"cat", "flow.state", FT_ROW_TEXT, NULL, NULL},
    {"srcBytes", "flow.bytes_toserver", FT_ROW_TEXT, NULL, NULL},
    {"dstBytes", "flow.bytes_toclient", FT_ROW_TEXT, NULL, NULL},
    {"srcPackets", "flow.pkts_toserver", FT_ROW_TEXT, NULL, NULL},
    {"dstPackets", "flow.pkts_toclient", FT_ROW_TEXT, NULL, NULL},
    {"start", "flow.start", FT_ROW_MILLISECONDS, NULL, NULL},
    {"end", "flow.end", FT_ROW_MILLISECONDS, NULL, NULL},
    {"reason", "flow.reason", FT_ROW_TEXT, NULL, NULL},
    {"communityId", "community_id", FT_ROW_TEXT, NULL, NULL},
};

static const struct ft_row leef_stats[] = {
    {"packets", "stats.decoder.pkts", FT_ROW_TEXT, NULL, NULL},
    {"bytes", "stats.decoder.bytes", FT_ROW_TEXT, NULL, NULL},
    {"drops", "stats.capture.kernel_drops", FT_ROW_TEXT, NULL, NULL},
    {"alerts", "stats.detect.alert", FT_ROW_TEXT, NULL, NULL},
};

/* ---- webhooks ---- */

static const struct ft_row webhook[] = {
    {"ID", "@uuid", FT_ROW_TEXT, "null", NULL},
    {"time", "@start", FT_ROW_MILLISECONDS, "null", NULL},
    {"title", "@title", FT_ROW_TEXT, "null", NULL},
    {"message", "@message", FT_ROW_TEXT, "null", NULL},
    {"severity", "@severity", FT_ROW_SEVERITY, "null", NULL},
    {"engine", "@engine", FT_ROW_ENGINE, "null", NULL},
    {"sourceDevice", "@source.name @source", FT_ROW_TEXT, "null", NULL},
    {"destinationDevice", "@destination.name @destination", FT_ROW_TEXT, "null", NULL},
};

/* Names are ids here: they are what tells sensors, sites and zones apart. */
static const struct ft_row webhook_extended[] = {
    {"sensorID", "@sensor", FT_ROW_TEXT, "null", NULL},
    {"sensorName", "@sensor", FT_ROW_TEXT, "null", NULL},
    {"zoneID", "@zone", FT_ROW_TEXT, "null", NULL},
    {"zoneName", "@zone", FT_ROW_TEXT, "null", NULL},
    {"siteID", "@site", FT_ROW_TEXT, "null", NULL},
    {"siteName", "@site", FT_ROW_TEXT, "null", NULL},
    {"sourceDeviceAddress", "@source", FT_ROW_TEXT, "null", NULL},
    {"destinationDeviceAddress", "@destination", FT_ROW_TEXT, "null", NULL},
    {"remediationSteps", "fieldtap.remediation", FT_ROW_LIST, "[]", NULL},
    {"handled", "=false", FT_ROW_BOOL, NULL, NULL},
    {"additionalInformation", "", FT_ROW_DETAILS, NULL, NULL},
};

static const struct ft_row details[] = {
    {"Alert group", "alert.category rule.category", FT_ROW_TEXT, NULL, NULL},
    {"Protocol", "app_proto proto", FT_ROW_TEXT, NULL, NULL},
    {"Commands", "fieldtap.commands message.command", FT_ROW_TEXT, NULL, NULL},
    {"Source address", "@source.address", FT_ROW_TEXT, NULL, NULL},
    {"Destination address", "@destination.address", FT_ROW_TEXT, NULL, NULL},
    {"Techniques", "fieldtap.mitre", FT_ROW_TEXT, NULL, NULL},
    {"Times seen", "fieldtap.count", FT_ROW_TEXT, NULL, NULL},
    {"First seen", "@start", FT_ROW_TIME, NULL, NULL},
    {"Last seen", "fieldtap.last_seen", FT_ROW_TIME, NULL, NULL},
    {"Changed", "fieldtap.change.fact", FT_ROW_TEXT, NULL, NULL},
    {"Before", "fieldtap.change.before", FT_ROW_TEXT, NULL, NULL},
    {"After", "fieldtap.change.after", FT_ROW_TEXT, NULL, NULL},
    {"Field", "fieldtap.evidence.field", FT_ROW_TEXT, NULL, NULL},
    {"Value", "fieldtap.evidence.value", FT_ROW_TEXT, NULL, NULL},
};

/* ---- which is for what ---- */

static const struct ft_forward_table cef[FT_FORWARD_TYPES] = {
    [FT_FORWARD_ALERT] = {&standard_finding,
                          {ROWS(cef_head), ROWS(cef_network), ROWS(cef_finding)}},
    [FT_FORWARD_ANOMALY] = {&standard_finding,
                            {ROWS(cef_head), ROWS(cef_network), ROWS(cef_finding)}},
    [FT_FORWARD_RULE] = {&standard_finding, {ROWS(cef_head), ROWS(cef_network), ROWS(cef_finding)}},
    [FT_FORWARD_ASSET] = {&standard_other, {ROWS(cef_head), ROWS(cef_asset)}},
    [FT_FORWARD_HEALTH] = {&standard_other, {ROWS(cef_head), ROWS(cef_health)}},
    [FT_FORWARD_OPERATION] = {&standard_other,
                              {ROWS(cef_head), ROWS(cef_network), ROWS(cef_command)}},
    [FT_FORWARD_MESSAGE] = {&standard_other,
                            {ROWS(cef_head), ROWS(cef_network), ROWS(cef_command)}},
    [FT_FORWARD_TRANSACTION] = {&standard_other,
                                {ROWS(cef_head), ROWS(cef_network), ROWS(cef_command)}},
    [FT_FORWARD_FLOW] = {&standard_other, {ROWS(cef_head), ROWS(cef_network), ROWS(cef_flow)}},
    [FT_FORWARD_STATS] = {&standard_other, {ROWS(cef_head), ROWS(cef_stats)}},
};

static const struct ft_forward_table leef[FT_FORWARD_TYPES] = {
    [FT_FORWARD_ALERT] = {&standard_finding,
                          {ROWS(leef_head), ROWS(leef_network), ROWS(leef_finding)}},
    [FT_FORWARD_ANOMALY] = {&standard_finding,
                            {ROWS(leef_head), ROWS(leef_network), ROWS(leef_finding)}},
    [FT_FORWARD_RULE] = {&standard_finding,
                         {ROWS(leef_head), ROWS(leef_network), ROWS(leef_finding)}},
    [FT_FORWARD_ASSET] = {&standard_other, {ROWS(leef_head), ROWS(leef_asset)}},
    [FT_FORWARD_HEALTH] = {&standard_other, {ROWS(leef_head), ROWS(leef_health)}},
    [FT_FORWARD_OPERATION] = {&standard_other,
                              {ROWS(leef_head), ROWS(leef_network), ROWS(leef_command)}},
    [FT_FORWARD_MESSAGE] = {&standard_other,
                            {ROWS(leef_head), ROWS(leef_network), ROWS(leef_command)}},
    [FT_FORWARD_TRANSACTION] = {&standard_other,
                                {ROWS(leef_head), ROWS(leef_network), ROWS(leef_command)}},
    [FT_FORWARD_FLOW] = {&standard_other, {ROWS(leef_head), ROWS(leef_network), ROWS(leef_flow)}},
    [FT_FORWARD_STATS] = {&standard_other, {ROWS(leef_head), ROWS(leef_stats)}},
};

/* Alerts, and all others. */
static const struct ft_forward_table others[FT_FORWARD_TABLE_FORMATS][2] = {
    [FT_FORWARD_TABLE_TEXT] = {{NULL, {ROWS(text_alert), ROWS(text_rest)}},
                               {NULL, {ROWS(text_other), ROWS(text_rest)}}},
    [FT_FORWARD_TABLE_OBJECT] = {{NULL, {ROWS(object_alert)}}, {NULL, {ROWS(object_other)}}},
    [FT_FORWARD_TABLE_CEF] = {{&cef_incumbent, {ROWS(cef_alert)}}},
    [FT_FORWARD_TABLE_LEEF] = {{&leef_incumbent, {ROWS(leef_alert)}}},
    [FT_FORWARD_TABLE_WEBHOOK] = {{NULL, {ROWS(webhook)}}, {NULL, {ROWS(webhook)}}},
    [FT_FORWARD_TABLE_WEBHOOK_EXTENDED] = {{NULL, {ROWS(webhook), ROWS(webhook_extended)}},
                                           {NULL, {ROWS(webhook), ROWS(webhook_extended)}}},
};

const struct ft_forward_table *ft_forward_table(enum ft_forward_table_format format,
                                                enum ft_dialect dialect, enum ft_forward_type type)
{
    bool is_alert = type == FT_FORWARD_ALERT;
    bool is_incumbent = is_alert && dialect == FT_DIALECT_INCUMBENT;
    if (format == FT_FORWARD_TABLE_CEF && !is_incumbent)
        return &cef[type];
    if (format == FT_FORWARD_TABLE_LEEF && !is_incumbent)
        return &leef[type];
    return &others[format][!is_alert];
}

const char *ft_forward_table_format_name(enum ft_forward_table_format format)
{
    static const char *const names[] = {"text", "object",  "cef",
                                        "leef", "webhook", "webhook_extended"};
    return format < COUNT(names) ? names[format] : NULL;
}

const struct ft_rows *ft_forward_table_details(void)
{
    static const struct ft_rows all = ROWS(details);
    return &all;
}
