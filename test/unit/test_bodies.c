/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Test of what sinks send: every format of every kind of event word for word, each character that
 * means something in a format, values that attackers choose, every size, and the tables themselves.
 * What is expected is written by hand from the formats' documents.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "cef_reader.h"
#include "dissect/registry.h"
#include "forward/webhook.h"
#include "forward_lines.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ROOM     65536u

static char g_to[ROOM + 1];

static const char *const lines[] = {LINE_ALERT, LINE_ETHERNET_ALERT, LINE_HEALTH,
                                    LINE_ASSET, LINE_OPERATION,      LINE_FLOW,
                                    LINE_STATS, LINE_TRANSACTION,    LINE_ANOMALY};

static const struct ft_body bodies[] = {
    {.format = FT_BODY_JSON},
    {.format = FT_BODY_TEXT},
    {.format = FT_BODY_OBJECT},
    {.format = FT_BODY_CEF},
    {.format = FT_BODY_CEF, .dialect = FT_DIALECT_STANDARD},
    {.format = FT_BODY_LEEF},
    {.format = FT_BODY_LEEF, .dialect = FT_DIALECT_STANDARD},
    {.format = FT_BODY_LEEF2, .delimiter = '^'},
    {.format = FT_BODY_LEEF2, .dialect = FT_DIALECT_STANDARD},
};

static struct ft_forward_event read_event(const char *line)
{
    struct ft_forward_event e;
    assert_true(ft_forward_event_read(&e, line, strlen(line)));
    return e;
}

/* A body as text that ends with NUL. */
static const char *write_sized(const struct ft_body *body, const char *line, uint32_t size)
{
    struct ft_forward_event e;
    ft_forward_event_read(&e, line, strlen(line));
    uint32_t n = ft_body_write(body, &e, g_to, size);
    assert_true(n <= size);
    g_to[n] = 0;
    ft_forward_event_free(&e);
    return g_to;
}

static const char *write_body(const struct ft_body *body, const char *line)
{
    return write_sized(body, line, ROOM);
}

static const char *write_as(enum ft_body_format format, enum ft_dialect dialect, const char *line)
{
    struct ft_body body = {
        .format = format, .dialect = dialect, .delimiter = '^', .sensor = {.version = "0.1.0"}};
    return write_body(&body, line);
}

/* ---- alerts, as the incumbent writes them ---- */

#define MESSAGE                                                                                    \
    "Program was downloaded to a controller: 10.0.0.5 to 10.0.0.9, s7comm request_download, "      \
    "download_block"

static void test_text(void **state)
{
    (void)state;
    assert_string_equal(
        write_as(FT_BODY_TEXT, 0, LINE_ALERT),
        "CyberX platform name: line3, Microsoft Defender for IoT Alert: Program was downloaded to "
        "a "
        "controller, Type: Policy Violation, Severity: Critical, Source: 10.0.0.5, Source IP: "
        "10.0.0.5, Protocol: s7comm, Destination: 10.0.0.9, Destination IP: 10.0.0.9, Protocol: "
        "s7comm, Address: "
        "slot "
        "2, Message: " MESSAGE ", Alert group: Programming, UUID: line3-40");
    assert_string_equal(write_as(FT_BODY_TEXT, 0, LINE_ETHERNET_ALERT),
                        "CyberX platform name: line3, Microsoft Defender for IoT Alert: Address "
                        "moved, Type: Anomaly, Severity: Minor, Source: 00:00:00:00:00:01, Source "
                        "IP: N/A, Protocol: arp, Destination: ff:ff:ff:ff:ff:ff, Destination IP: "
                        "N/A, Protocol: arp, Message: "
                        "Address moved: 00:00:00:00:00:01 to ff:ff:ff:ff:ff:ff, arp; 10.0.0.1: mac "
                        "was a, is b, Alert group: Abnormal Communication Behavior, UUID: line3-1");
}

static void test_object(void **state)
{
    (void)state;
    assert_string_equal(write_as(FT_BODY_OBJECT, 0, LINE_ALERT),
                        "{\"Sensor name\":\"line3\",\"Alert time\":\"Jul 05 2026 15:20:00\","
                        "\"Alert title\":\"Program was downloaded to a controller\","
                        "\"Alert message\":\"" MESSAGE "\",\"Alert severity\":\"Critical\","
                        "\"Alert type\":\"Policy Violation\",\"Protocol\":\"s7comm\","
                        "\"Source_MAC\":\"00:0c:29:00:00:05, 10.0.0.5\","
                        "\"Destination_MAC\":\"00:1b:1b:00:00:09, 10.0.0.9\","
                        "\"alert_group\":\"Programming\"}");
    /* What is missing is N/A. */
    assert_string_equal(
        write_as(FT_BODY_OBJECT, 0, "{\"event_type\":\"alert\"}"),
        "{\"Sensor name\":\"N/A\",\"Alert time\":\"N/A\",\"Alert title\":\"N/A\",\"Alert "
        "message\":\"N/A\",\"Alert severity\":\"N/A\",\"Alert type\":\"N/A\",\"Protocol\":\"N/A\","
        "\"Source_MAC\":\"N/A\",\"Destination_MAC\":\"N/A\",\"alert_group\":\"N/A\"}");
}

static void test_cef(void **state)
{
    (void)state;
    assert_string_equal(
        write_as(FT_BODY_CEF, 0, LINE_ALERT),
        "CEF:0|Microsoft Defender for IoT/CyberX|line3|0.1.0|Microsoft Defender for IoT "
        "Alert|Program was downloaded to a controller|10|msg=" MESSAGE " protocol=s7comm "
        "severity=Critical type=Policy Violation UUID=line3-40 start=Jul 05 2026 15:20:00 "
        "src_ip=10.0.0.5 src_mac=00:0c:29:00:00:05 dst_ip=10.0.0.9 dst_mac=00:1b:1b:00:00:09 "
        "cat=Programming");
    assert_string_equal(write_as(FT_BODY_CEF, 0, "{\"event_type\":\"alert\"}"),
                        "CEF:0|Microsoft Defender for IoT/CyberX||0.1.0|Microsoft Defender for IoT "
                        "Alert||0|cat=NA");
}

static void test_leef(void **state)
{
    (void)state;
    assert_string_equal(write_as(FT_BODY_LEEF, 0, LINE_ALERT),
                        "LEEF:1.0|Microsoft Defender for IoT|Sensor|0.1.0|Microsoft Defender for "
                        "IoT Alert|title=Program was downloaded to a controller\tmsg=" MESSAGE
                        "\tprotocol=s7comm\tseverity=Critical\ttype=Policy Violation\tstart=Jul 05 "
                        "2026 15:20:00\tsrc_ip=10.0.0.5\tdst_ip=10.0.0.9\tcat=Programming");
    assert_string_equal(write_as(FT_BODY_LEEF2, 0, LINE_ETHERNET_ALERT),
                        "LEEF:2.0|Microsoft Defender for IoT|Sensor|0.1.0|Microsoft Defender for "
                        "IoT Alert|^|title=Address moved^msg=Address moved: 00:00:00:00:00:01 to "
                        "ff:ff:ff:ff:ff:ff, arp; 10.0.0.1: mac was a, is b^protocol=arp"
                        "^severity=Minor^type=Anomaly^start=Jan 31 2026 10:20:30^cat=Abnormal "
                        "Communication Behavior");
    struct ft_body tabs = {.format = FT_BODY_LEEF2};
    assert_non_null(strstr(write_body(&tabs, LINE_ALERT), "Alert|x09|title="));
    assert_true(ft_body_is_delimiter('\t') && ft_body_is_delimiter('^'));
    for (const char *c = "|=\\\"a 0.:-/\n"; *c; c++)
        assert_false(ft_body_is_delimiter(*c));
    assert_false(ft_body_is_delimiter(0) || ft_body_is_delimiter((char)0xe2));
}

/* What the inventory knows of devices turns with them. */
static void test_devices(void **state)
{
    (void)state;
    static const char line[] =
        "{\"event_type\":\"alert\",\"src_ip\":\"10.0.0.9\",\"dest_ip\":\"10.0.0.5\","
        "\"alert\":{\"signature\":\"S\",\"source\":{\"ip\":\"10.0.0.5\"}},\"fieldtap\":{"
        "\"devices\":{\"src\":{\"name\":\"PLC\",\"vendor\":\"Siemens\"},"
        "\"dest\":{\"name\":\"LAPTOP\",\"vendor\":\"Dell\",\"os\":\"Windows\"}}}}";
    assert_string_equal(
        write_as(FT_BODY_TEXT, 0, line),
        "CyberX platform name: N/A, Microsoft Defender for IoT Alert: S, Type: N/A, Severity: N/A, "
        "Source: LAPTOP, Source IP: 10.0.0.5, Destination: PLC, Destination IP: 10.0.0.9, Message: "
        "S: 10.0.0.5 to 10.0.0.9, Alert group: NA");
    write_as(FT_BODY_OBJECT, 0, line);
    assert_non_null(strstr(g_to, "\"Source_MAC\":\"10.0.0.5, LAPTOP, Dell, Windows\","
                                 "\"Destination_MAC\":\"10.0.0.9, PLC, Siemens\""));
    write_as(FT_BODY_CEF, FT_DIALECT_STANDARD, line);
    assert_non_null(strstr(g_to, " src=10.0.0.5 shost=LAPTOP dst=10.0.0.9 dhost=PLC"));
}

/* ---- the formats' own keys ---- */

static void test_standard(void **state)
{
    (void)state;
    assert_string_equal(
        write_as(FT_BODY_CEF, FT_DIALECT_STANDARD, LINE_ALERT),
        "CEF:0|fieldtap|fieldtap|0.1.0|9100002|Program was downloaded to a "
        "controller|10|rt=1783265334123 externalId=line3-41 dvchost=line3 msg=" MESSAGE
        " src=10.0.0.5 spt=49152 smac=00:0c:29:00:00:05 dst=10.0.0.9 dpt=102 "
        "dmac=00:1b:1b:00:00:09 proto=TCP app=s7comm deviceInboundInterface=eth1 cn1Label=vlan "
        "cn1=10 cat=Programming act=allowed start=1783264800000 end=1783265334123 cnt=3 "
        "cs1Label=engine cs1=Policy Violation cs2Label=UUID cs2=line3-40 cs3Label=mitre cs3=T0843, "
        "T0889 cs5Label=destinationAddress cs5=slot 2 cs6Label=command cs6=request_download, "
        "download_block outcome=updated flexString1Label=remediation flexString1=Ask who did it. "
        "flexString2Label=site flexString2=Plant 1");
    assert_string_equal(
        write_as(FT_BODY_LEEF, FT_DIALECT_STANDARD, LINE_ALERT),
        "LEEF:1.0|fieldtap|fieldtap|0.1.0|9100002|devTime=1783265334123\tsev=10\ttitle=Program was "
        "downloaded to a controller\tmsg=" MESSAGE "\teventUid=line3-41\tsensor=line3\tsite=Plant "
        "1\tsrc=10.0.0.5\tsrcPort=49152\tsrcMAC=00:0c:29:00:00:05\tdst=10.0.0.9\tdstPort=102\t"
        "dstMAC=00:1b:1b:00:00:09\tproto=TCP\tappProto=s7comm\tinterface=eth1\tvlan=10, "
        "20\tcat=Programming\tengine=Policy Violation\tUUID=line3-40\tstate=updated\tcount=3\t"
        "mitre=T0843, T0889\tcommand=request_download, download_block\tdstAddress=slot 2\t"
        "remediation=Ask who did it.");
}

static void test_other_events(void **state)
{
    (void)state;
    static const struct {
        const char *line, *cef;
    } rows[] = {
        {LINE_HEALTH,
         "CEF:0|fieldtap|fieldtap|0.1.0|health|Sensor health: interface_down|8|rt=1769854830000 "
         "externalId=line3-2 dvchost=line3 msg=eth1 has no link. cat=interface_down "
         "deviceInboundInterface=eth1"},
        {LINE_ASSET,
         "CEF:0|fieldtap|fieldtap|0.1.0|asset|Device inventory: new, role|0|rt=1769854830000 "
         "externalId=line3-3 dvchost=line3 msg=Device fe80::1: new, role; plc, Siemens 6ES7 215, "
         "firmware V4.5 c6a2Label=Source IPv6 Address c6a2=fe80::1 smac=00:1b:1b:00:00:09 "
         "deviceExternalId=fe80::1 act=new, role cs1Label=role cs1=plc cs2Label=vendor cs2=Siemens "
         "cs3Label=model cs3=6ES7 215 cs4Label=firmware cs4=V4.5 cn1Label=vlan cn1=10 "
         "start=1769854830000 end=1769854830000"},
        {LINE_OPERATION,
         "CEF:0|fieldtap|fieldtap|0.1.0|operation|First operation: modbus "
         "write_single_coil|0|rt=1769854830000 externalId=line3-4 dvchost=line3 msg=modbus "
         "write_single_coil, class write, for the first time: 10.0.0.5 to 10.0.0.9 src=10.0.0.5 "
         "spt=1025 dst=10.0.0.9 dpt=502 proto=TCP app=modbus cat=write act=write_single_coil "
         "cs1Label=kind cs1=request cs5Label=destinationAddress cs5=unit 3"},
        {LINE_FLOW,
         "CEF:0|fieldtap|fieldtap|0.1.0|flow|Flow ended: modbus|0|rt=1769854830000 "
         "externalId=line3-5 dvchost=line3 msg=TCP 10.0.0.5:1025 to 10.0.0.9:502, modbus; 4 "
         "packets "
         "there, 3 back, closed, timeout src=10.0.0.5 spt=1025 dst=10.0.0.9 dpt=502 proto=TCP "
         "app=modbus start=1769854800000 end=1769854830000 in=400 out=300 outcome=closed "
         "reason=timeout cn2Label=packetsToServer cn2=4 cn3Label=packetsToClient cn3=3 "
         "cs1Label=communityId cs1=1:wp5x/1GZLxBD6oiYob06m8AjPhM\\="},
        {LINE_STATS,
         "CEF:0|fieldtap|fieldtap|0.1.0|stats|Statistics|0|rt=1769854830000 externalId=line3-6 "
         "dvchost=line3 msg=9 packets, 900 bytes, 4 flows, 1 alerts in=900 cn1Label=packets cn1=9 "
         "cn2Label=drops cn2=2 cn3Label=alerts cn3=1"},
        {LINE_TRANSACTION,
         "CEF:0|fieldtap|fieldtap|0.1.0|modbus|Transaction: modbus read_coils|0|rt=1769854830000 "
         "externalId=line3-7 dvchost=line3 msg=modbus read_coils response: fe80::5 to fe80::9 "
         "c6a2Label=Source IPv6 Address c6a2=fe80::5 spt=1025 c6a3Label=Destination IPv6 Address "
         "c6a3=fe80::9 dpt=502 proto=TCP app=modbus cat=read act=read_coils cs1Label=kind "
         "cs1=response"},
        {LINE_ANOMALY,
         "CEF:0|fieldtap|fieldtap|0.1.0|modbus.malformed|Anomaly: malformed|1|rt=1769854830000 "
         "externalId=line3-8 dvchost=line3 msg=modbus.malformed: 10.0.0.5 to 10.0.0.9, modbus "
         "src=10.0.0.5 spt=1025 dst=10.0.0.9 dpt=502 proto=TCP app=modbus start=1769854830000 "
         "end=1769854830000 cnt=1 cs1Label=engine cs1=Protocol Violation cs2Label=UUID cs2=line3-8 "
         "outcome=new"},
    };
    for (uint32_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(write_as(FT_BODY_CEF, 0, rows[i].line), rows[i].cef);
    assert_string_equal(
        write_as(FT_BODY_LEEF, 0, LINE_HEALTH),
        "LEEF:1.0|fieldtap|fieldtap|0.1.0|health|devTime=1769854830000\tsev=8\ttitle=Sensor "
        "health: "
        "interface_down\tmsg=eth1 has no link.\teventUid=line3-2\tsensor=line3\tcat=interface_down"
        "\tinterface=eth1");
    assert_string_equal(
        write_as(FT_BODY_TEXT, 0, LINE_HEALTH),
        "Sensor name: line3, Event: Sensor health: interface_down, Type: Operational, Severity: "
        "Major, Source: N/A, Source IP: N/A, Destination: N/A, Destination IP: N/A, Message: eth1 "
        "has no link., Alert group: NA, UUID: line3-2");
    assert_string_equal(
        write_as(FT_BODY_OBJECT, 0, LINE_HEALTH),
        "{\"Sensor name\":\"line3\",\"Event time\":\"Jan 31 2026 10:20:30\",\"Event "
        "type\":\"health\",\"Event title\":\"Sensor health: interface_down\",\"Event "
        "message\":\"eth1 has no link.\",\"Event severity\":\"Major\",\"Protocol\":\"N/A\","
        "\"Source_MAC\":\"N/A\",\"Destination_MAC\":\"N/A\"}");
}

/* The line itself. */
static void test_json(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < COUNT(lines); i++) {
        char with_end[4096];
        snprintf(with_end, sizeof(with_end), "%s\n", lines[i]);
        assert_string_equal(write_as(FT_BODY_JSON, 0, with_end), lines[i]);
    }
    /* Blanks of JSON are no line ends of a sink. */
    assert_string_equal(write_as(FT_BODY_JSON, 0, "{\n\t\"a\": 1}\r\n"), "{  \"a\": 1}");
    /* What is no event passes only as it is. */
    assert_string_equal(write_as(FT_BODY_JSON, 0, "no JSON"), "no JSON");
    for (uint32_t i = 1; i < COUNT(bodies); i++)
        assert_string_equal(write_body(&bodies[i], "no JSON"), "");
}

static void test_severities(void **state)
{
    (void)state;
    static const char *const numbers[] = {"|10|", "|8|", "|4|", "|1|"};
    static const char *const titles[] = {"Critical", "Major", "Minor", "Warning"};
    char line[256], expected[64];
    for (uint32_t i = 0; i < 4; i++) {
        assert_string_equal(ft_forward_severity_name(i + 1),
                            ft_severity_name((enum ft_severity)(i + 1)));
        snprintf(line, sizeof(line),
                 "{\"event_type\":\"alert\",\"fieldtap\":{\"severity\":\"%s\"}}",
                 ft_forward_severity_name(i + 1));
        snprintf(expected, sizeof(expected), "%sseverity=%s cat=NA", numbers[i], titles[i]);
        assert_non_null(strstr(write_as(FT_BODY_CEF, 0, line), expected));
    }
    assert_null(ft_forward_severity_name(0));
    assert_null(ft_forward_severity_name(5));
}

static void test_engines(void **state)
{
    (void)state;
    static const char *const titles[] = {"Protocol Violation", "Policy Violation", "Malware",
                                         "Anomaly", "Operational"};
    char line[256], expected[64];
    for (uint32_t i = 0; i < COUNT(titles); i++) {
        assert_string_equal(ft_forward_engine_name(i), ft_engine_name((enum ft_engine)i));
        snprintf(line, sizeof(line), "{\"event_type\":\"alert\",\"fieldtap\":{\"engine\":\"%s\"}}",
                 ft_forward_engine_name(i));
        snprintf(expected, sizeof(expected), "|0|type=%s cat=NA", titles[i]);
        assert_non_null(strstr(write_as(FT_BODY_CEF, 0, line), expected));
    }
    assert_null(ft_forward_engine_name(5));
}

/* ---- times ---- */

static void test_time_zones(void **state)
{
    (void)state;
    static const struct {
        const char *zone, *time, *shown;
    } rows[] = {
        {"UTC", "2026-07-05T15:28:54.999999+0000", "Jul 05 2026 15:28:54"},
        {"Europe/Berlin", "2026-07-05T15:28:54.000000+0000", "Jul 05 2026 17:28:54"},
        {"Europe/Berlin", "2026-12-31T23:30:00.000000+0000", "Jan 01 2027 00:30:00"},
        {"Europe/Berlin", "2026-03-29T00:59:59.000000+0000", "Mar 29 2026 01:59:59"},
        {"Europe/Berlin", "2026-03-29T01:00:00.000000+0000", "Mar 29 2026 03:00:00"},
        {"America/New_York", "2028-03-01T04:59:59.000000+0000", "Feb 29 2028 23:59:59"},
        {"+05:45", "2026-01-31T10:20:30.000000+0000", "Jan 31 2026 16:05:30"},
        {"-03:30", "1970-01-01T00:00:00.000000+0000", "Dec 31 1969 20:30:00"},
        {"UTC", "2026-07-05T15:28:54.123456+0200", "Jul 05 2026 13:28:54"},
        {"UTC", "2100-02-28T23:59:59.000000-0001", "Mar 01 2100 00:00:59"},
    };
    for (uint32_t i = 0; i < COUNT(rows); i++) {
        char line[256], error[256], expected[64];
        struct ft_body body = {.format = FT_BODY_CEF,
                               .zone = ft_time_zone_new(rows[i].zone, error, sizeof(error))};
        assert_non_null(body.zone);
        snprintf(line, sizeof(line), "{\"timestamp\":\"%s\",\"event_type\":\"alert\"}",
                 rows[i].time);
        snprintf(expected, sizeof(expected), "|start=%s cat=NA", rows[i].shown);
        if (!strstr(write_body(&body, line), expected))
            fail_msg("%s in %s: %s", rows[i].time, rows[i].zone, g_to);
        ft_time_zone_free((struct ft_time_zone *)(uintptr_t)body.zone);
    }
}

static void test_wrong_times(void **state)
{
    (void)state;
    static const char *const times[] = {
        "",
        "2026-01-31T10:20:30.000000+000",
        "2026-01-31T10:20:30.000000+00000",
        "2026-01-31T10:20:30.00000Z+0000",
        "2026-01-31 10:20:30.000000+0000",
        "2026-13-31T10:20:30.000000+0000",
        "2026-00-31T10:20:30.000000+0000",
        "2026-01-32T10:20:30.000000+0000",
        "2026-01-31T24:20:30.000000+0000",
        "2026-01-31T10:60:30.000000+0000",
        "2026-01-31T10:20:61.000000+0000",
        "2026-01-31T10:20:30.000000+0060",
        "2026-01-31T10:20:30.000000*0000",
        "1970-01-01T00:00:00.000000+0001",
        "1969-12-31T23:59:59.000000+0000",
        "2554-01-01T00:00:00.000000+0000",
        "9999-01-01T00:00:00.000000+0000",
        "2026-01-31T10:20:3\\u0000.000000+0000",
    };
    for (uint32_t i = 0; i < COUNT(times); i++) {
        char line[256];
        snprintf(line, sizeof(line), "{\"timestamp\":\"%s\",\"event_type\":\"alert\"}", times[i]);
        if (strstr(write_as(FT_BODY_CEF, 0, line), "start="))
            fail_msg("a time? %s", g_to);
    }
}

/* Every day there is, against the C library. */
static void test_calendar(void **state)
{
    (void)state;
    for (uint64_t day = 0; day < 213000; day++) {
        char time[FT_TIME_SIZE], written[64];
        time_t s = (time_t)day * 86400 + 86399;
        struct tm tm;
        gmtime_r(&s, &tm);
        strftime(written, sizeof(written), "%Y-%m-%dT%H:%M:%S.000000Z", &tm);
        ft_time_rfc3339(time, (uint64_t)s * 1000000000u, NULL);
        assert_string_equal(time, written);
        uint64_t ns;
        memcpy(written + 26, "+0000", 6);
        assert_true(ft_local_time_read(written, 31, &ns));
        assert_int_equal(ns, (uint64_t)s * 1000000000u);
    }
}

/* ---- characters that mean something ---- */

/* An alert with this JSON text as title and group. */
static const char *titled(char line[512], const char *text)
{
    snprintf(line, 512,
             "{\"event_type\":\"alert\",\"alert\":{\"signature\":\"%s\",\"category\":\"%s\"}}",
             text, text);
    return line;
}

static void test_escapes(void **state)
{
    (void)state;
    static const struct {
        const char *json, *cef_header, *cef_value, *leef, *leef2, *text;
    } rows[] = {
        {"a|b", "a\\|b", "a|b", "a|b", "a|b", "a|b"},
        {"a\\\\b", "a\\\\b", "a\\\\b", "a\\b", "a\\b", "a\\b"},
        {"a=b", "a=b", "a\\=b", "a=b", "a=b", "a=b"},
        {"a\\nb", "a b", "a\\nb", "a b", "a b", "a b"},
        {"a\\rb", "a b", "a\\rb", "a b", "a b", "a b"},
        {"a\\r\\nb", "a  b", "a\\r\\nb", "a  b", "a  b", "a  b"},
        {"a\\\\nb", "a\\\\nb", "a\\\\nb", "a\\nb", "a\\nb", "a\\nb"},
        {"a\\\\|b", "a\\\\\\|b", "a\\\\|b", "a\\|b", "a\\|b", "a\\|b"},
        {"a\\tb", "a b", "a b", "a b", "a b", "a b"},
        {"a^b", "a^b", "a^b", "a^b", "a b", "a^b"},
        {"a\\u0000b", "a b", "a b", "a b", "a b", "a b"},
        {"a\\u001b[31mb", "a [31mb", "a [31mb", "a [31mb", "a [31mb", "a [31mb"},
        {"a\\u007fb", "a b", "a b", "a b", "a b", "a b"},
        {"a\\u0085b", "a b", "a b", "a b", "a b", "a b"},
        {"a\\u2028b\\u2029c", "a b c", "a b c", "a b c", "a b c", "a b c"},
        {"a\\\"b", "a\"b", "a\"b", "a\"b", "a\"b", "a\"b"},
        {"\xc3\xbc\xe2\x82\xac\xf0\x9f\x8f\xad", "\xc3\xbc\xe2\x82\xac\xf0\x9f\x8f\xad",
         "\xc3\xbc\xe2\x82\xac\xf0\x9f\x8f\xad", "\xc3\xbc\xe2\x82\xac\xf0\x9f\x8f\xad",
         "\xc3\xbc\xe2\x82\xac\xf0\x9f\x8f\xad", "\xc3\xbc\xe2\x82\xac\xf0\x9f\x8f\xad"},
        {"x cat=y", "x cat=y", "x cat\\=y", "x cat=y", "x cat=y", "x cat=y"},
    };
    for (uint32_t i = 0; i < COUNT(rows); i++) {
        char line[512], expected[512];
        titled(line, rows[i].json);
        snprintf(expected, sizeof(expected),
                 "CEF:0|Microsoft Defender for IoT/CyberX||0.1.0|Microsoft Defender for IoT "
                 "Alert|%s|0|msg=%s cat=%s",
                 rows[i].cef_header, rows[i].cef_value, rows[i].cef_value);
        assert_string_equal(write_as(FT_BODY_CEF, 0, line), expected);
        snprintf(expected, sizeof(expected), "Alert|title=%s\tmsg=%s\tcat=%s", rows[i].leef,
                 rows[i].leef, rows[i].leef);
        assert_string_equal(strstr(write_as(FT_BODY_LEEF, 0, line), "Alert|"), expected);
        snprintf(expected, sizeof(expected), "Alert|^|title=%s^msg=%s^cat=%s", rows[i].leef2,
                 rows[i].leef2, rows[i].leef2);
        assert_string_equal(strstr(write_as(FT_BODY_LEEF2, 0, line), "Alert|"), expected);
        snprintf(expected, sizeof(expected), "Message: %s, Alert group: %s", rows[i].text,
                 rows[i].text);
        assert_string_equal(strstr(write_as(FT_BODY_TEXT, 0, line), "Message: "), expected);
    }
}

/* Names of the sensor come from people: they are held to the same. */
static void test_sensor_names(void **state)
{
    (void)state;
    struct ft_body body = {.format = FT_BODY_CEF,
                           .sensor = {.name = "a|b\\c\n\xff\xc3", .version = "1|2"}};
    assert_string_equal(write_body(&body, LINE_HEALTH),
                        "CEF:0|fieldtap|fieldtap|1\\|2|health|Sensor health: interface_down|8|"
                        "rt=1769854830000 externalId=line3-2 dvchost=a|b\\\\c\\n?? msg=eth1 has no "
                        "link. cat=interface_down deviceInboundInterface=eth1");
    body.format = FT_BODY_LEEF;
    write_body(&body, LINE_ALERT);
    assert_non_null(strstr(g_to, "LEEF:1.0|Microsoft Defender for IoT|Sensor|1/2|Microsoft "));
    body.format = FT_BODY_OBJECT;
    write_body(&body, LINE_ALERT);
    assert_non_null(strstr(g_to, "{\"Sensor name\":\"a|b\\\\c\\n\\\\xff\\\\xc3\","));
}

/* ---- hostile events ---- */

static bool is_utf8(const char *text)
{
    for (size_t n = strlen(text); n;) {
        uint32_t length = ft_utf8_length((const uint8_t *)text, (uint32_t)n);
        if (!length)
            return false;
        text += length;
        n -= length;
    }
    return true;
}

static bool has_control(const char *text, char but)
{
    for (; *text; text++)
        if (((uint8_t)*text < ' ' && *text != but) || *text == 0x7f)
            return true;
    return false;
}

/* What holds of any body of any event. */
static void check_body(const struct ft_body *body, const char *text)
{
    struct cef cef;
    bool is_json = body->format <= FT_BODY_OBJECT && body->format != FT_BODY_TEXT;
    char but = body->format >= FT_BODY_LEEF && !body->delimiter ? '\t' : 0;
    if (!is_utf8(text) || (!is_json && has_control(text, but)))
        fail_msg("%s: not clean: %s", ft_body_format_name(body->format), text);
    if (is_json && *text) {
        json_t *root = json_loads(text, JSON_ALLOW_NUL, NULL);
        if (!json_is_object(root))
            fail_msg("no JSON: %s", text);
        json_decref(root);
    }
    if (body->format == FT_BODY_CEF && *text) {
        if (!cef_read(&cef, text, (uint32_t)strlen(text)))
            fail_msg("no CEF: %s", text);
        cef_free(&cef);
    }
}

/* Every size: never more, always whole, and what fits is what a greater one has. */
static void test_sizes(void **state)
{
    (void)state;
    for (uint32_t b = 0; b < COUNT(bodies); b++)
        for (uint32_t i = 0; i < COUNT(lines); i++) {
            uint32_t full = (uint32_t)strlen(write_body(&bodies[b], lines[i]));
            struct ft_forward_event e = read_event(lines[i]);
            for (uint32_t size = FT_BODY_SIZE_MIN; size <= full + 24; size++) {
                uint32_t length = ft_body_write(&bodies[b], &e, g_to, size);
                assert_true(length <= size);
                g_to[length] = 0;
                assert_true(*g_to);
                check_body(&bodies[b], g_to);
                bool is_marked = strstr(g_to, "runcated") || strstr(g_to, "...");
                /* The mark needs its room, so what fits just so may be shortened all the same. */
                if (is_marked ? size >= full + 24 : strlen(g_to) != full)
                    fail_msg("size %u of %u: %s", size, full, g_to);
            }
            ft_forward_event_free(&e);
            assert_string_equal(write_sized(&bodies[b], lines[i], FT_BODY_SIZE_MIN - 1), "");
        }
}

/* A line that is too long keeps what tells most. */
static void test_shortened(void **state)
{
    (void)state;
    struct ft_body json = {.format = FT_BODY_JSON};
    assert_string_equal(
        write_sized(&json, LINE_ALERT, 700),
        "{\"timestamp\":\"2026-07-05T15:28:54.123456+0000\",\"event_type\":\"alert\",\"src_ip\":"
        "\"10.0.0.9\",\"src_port\":102,\"dest_ip\":\"10.0.0.5\",\"dest_port\":49152,\"proto\":"
        "\"TCP\",\"app_proto\":\"s7comm\",\"host\":\"line3\",\"alert\":{\"action\":\"allowed\","
        "\"gid\":1,\"signature_id\":9100002,\"rev\":1,\"signature\":\"Program was downloaded to a "
        "controller\",\"category\":\"Programming\",\"severity\":1,\"source\":{\"ip\":\"10.0.0.5\","
        "\"port\":49152},\"target\":{\"ip\":\"10.0.0.9\",\"port\":102},\"metadata\":{"
        "\"fieldtap_title\":[\"class.program\"]}},\"flow_id\":7,\"direction\":\"to_client\","
        "\"message\":{\"command\":\"request_download\",\"code\":26,\"class\":\"program\",\"kind\":"
        "\"request\"},\"in_iface\":\"eth1\",\"pcap_cnt\":12,\"vlan\":[10,20],\"ip_v\":4,"
        "\"community_id\":\"1:x=\",\"truncated\":true}");
    /* A value takes a quarter of a small body at most, so that others have room. */
    struct ft_body cef = {.format = FT_BODY_CEF};
    char line[4096], expected[1024], many[3001] = "";
    memset(many, 'x', 3000);
    snprintf(line, sizeof(line),
             "{\"event_type\":\"health\",\"health\":{\"event\":\"e\",\"text\":\"%s\"}}", many);
    snprintf(expected, sizeof(expected),
             "CEF:0|fieldtap|fieldtap||health|Sensor health: e|0|msg=%.*s... cat=e",
             (500 - (int)strlen(" fieldtapTruncated=true")) / 4 - 3, many);
    assert_string_equal(write_sized(&cef, line, 500), expected);
}

static void test_long_values(void **state)
{
    (void)state;
    /* Characters of two, three and four bytes, shifted by each of them: never cut in the middle. */
    static const char *const characters[] = {
        "a", "\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x8f\xad", "\\\\", "\\n", "\\u0000", "=", "|"};
    char *line = malloc((1u << 20) + 512);
    for (uint32_t c = 0; c < COUNT(characters); c++)
        for (uint32_t shift = 0; shift < 4; shift++) {
            int n = sprintf(line, "{\"event_type\":\"alert\",\"alert\":{\"signature\":\"%.*s",
                            (int)shift, "xyz");
            while (n < 1 << 20)
                n += sprintf(line + n, "%s", characters[c]);
            sprintf(line + n, "\",\"category\":\"A\"}}");
            struct ft_forward_event e = read_event(line);
            for (uint32_t b = 0; b < COUNT(bodies); b++)
                for (uint32_t size = 480; size <= ROOM; size = size * 4 + 1) {
                    uint32_t length = ft_body_write(&bodies[b], &e, g_to, size);
                    assert_true(length && length <= size);
                    g_to[length] = 0;
                    check_body(&bodies[b], g_to);
                }
            ft_forward_event_free(&e);
            struct cef cef;
            write_as(FT_BODY_CEF, 0, line);
            assert_true(cef_read(&cef, g_to, (uint32_t)strlen(g_to)));
            const char *msg = cef_value(&cef, "msg");
            assert_true(strlen(msg) > 1010 && strlen(msg) <= 1023);
            assert_string_equal(msg + strlen(msg) - 3, "...");
            assert_string_equal(cef_value(&cef, "cat"), "A");
            cef_free(&cef);
        }
    free(line);
}

static void test_hostile(void **state)
{
    (void)state;
    static const char *const no_events[] = {"",
                                            "[]",
                                            "\"alert\"",
                                            "{\"a\":\"\\ud800\"}",
                                            "{\"a\":\"\\udc00\\ud800\"}",
                                            "{\"a\":\"\xff\"}",
                                            "{\"a\":\"\xed\xa0\x80\"}",
                                            "{\"a\\u0000b\":1}",
                                            "{\"a\":1",
                                            "{\"a\":1}{}",
                                            "{\"a\":123456789012345678901234567890}"};
    struct ft_forward_event e;
    for (uint32_t i = 0; i < COUNT(no_events); i++)
        if (ft_forward_event_read(&e, no_events[i], strlen(no_events[i])))
            fail_msg("an event? %s", no_events[i]);
    /* Types that no key has. */
    static const char *const odd[] = {
        "{}",
        "{\"event_type\":1,\"timestamp\":2,\"alert\":3,\"fieldtap\":4}",
        "{\"event_type\":\"alert\",\"alert\":[],\"fieldtap\":[{\"severity\":1}],\"src_ip\":{}}",
        "{\"event_type\":\"alert\",\"alert\":{\"signature\":[[\"a\"],{},\"b\",null,1.5,true]}}",
        "{\"event_type\":\"alert\",\"fieldtap\":{\"severity\":\"bad\",\"engine\":\"\"}}",
        "{\"event_type\":\"flow\",\"flow\":{\"bytes_toserver\":1e300,\"pkts_toserver\":-1}}",
        "{\"event_type\":\"\",\"src_ip\":\"\",\"dest_ip\":\"|=\\\\\"}",
        "{\"event_type\":\"alert\",\"event_type\":\"flow\"}",
    };
    for (uint32_t i = 0; i < COUNT(odd); i++)
        for (uint32_t b = 0; b < COUNT(bodies); b++)
            check_body(&bodies[b], write_body(&bodies[b], odd[i]));
    assert_non_null(strstr(write_as(FT_BODY_CEF, 0, odd[3]), "|b, 1.5, true|0|msg=b, 1.5, true"));
}

/* jansson reads 2,048 levels; deeper ones are no event, and neither takes the stack away. */
static void test_deep(void **state)
{
    (void)state;
    for (uint32_t depth = 2000; depth <= 1000000; depth *= 10) {
        char *line = malloc(2 * depth + 64);
        int n = sprintf(line, "{\"event_type\":\"alert\",\"alert\":");
        memset(line + n, '[', depth);
        memset(line + n + depth, ']', depth);
        sprintf(line + n + 2 * depth, "}");
        for (uint32_t b = 0; b < COUNT(bodies); b++)
            check_body(&bodies[b], write_sized(&bodies[b], line, 600));
        free(line);
    }
}

/* ---- webhooks ---- */

static const char *hook(enum ft_webhook_format format, bool is_single, const char *const *events,
                        uint32_t count)
{
    struct ft_body body = {.sensor = {.zone = "Cell 7"}};
    struct ft_webhook w = ft_webhook_begin(format, &body, is_single, g_to, ROOM);
    for (uint32_t i = 0; i < count; i++) {
        struct ft_forward_event e = read_event(events[i]);
        assert_int_equal(ft_webhook_add(&w, &e), FT_WEBHOOK_ADDED);
        ft_forward_event_free(&e);
    }
    g_to[ft_webhook_end(&w)] = 0;
    return g_to;
}

static void test_webhook(void **state)
{
    (void)state;
    static const char *const two[] = {"{\"a\":1}", "{\"b\":2}"}, *const alert[] = {LINE_ALERT};
    static const char *const none[] = {"{\"event_type\":\"alert\"}"};
    assert_string_equal(hook(FT_WEBHOOK_NDJSON, false, two, 2), "{\"a\":1}\n{\"b\":2}\n");
    assert_string_equal(hook(FT_WEBHOOK_NDJSON, true, two, 1), "{\"a\":1}\n");
    assert_string_equal(hook(FT_WEBHOOK_ARRAY, false, two, 2), "[{\"a\":1},{\"b\":2}]");
    assert_string_equal(hook(FT_WEBHOOK_ARRAY, true, two, 1), "[{\"a\":1}]");
    assert_string_equal(hook(FT_WEBHOOK_ARRAY, false, two, 0), "");
#define BASE                                                                                       \
    "{\"ID\":\"line3-40\",\"time\":1783264800000,\"title\":\"Program was downloaded to a "         \
    "controller\",\"message\":\"" MESSAGE "\",\"severity\":\"Critical\",\"engine\":\"Policy "      \
    "Violation\",\"sourceDevice\":\"10.0.0.5\",\"destinationDevice\":\"10.0.0.9\""
    assert_string_equal(hook(FT_WEBHOOK_ALERT, true, alert, 1), BASE "}");
    assert_string_equal(
        hook(FT_WEBHOOK_EXTENDED, false, alert, 1),
        "[" BASE ",\"sensorID\":\"line3\",\"sensorName\":\"line3\",\"zoneID\":\"Cell 7\","
        "\"zoneName\":\"Cell 7\",\"siteID\":\"Plant 1\",\"siteName\":\"Plant 1\","
        "\"sourceDeviceAddress\":\"10.0.0.5\",\"destinationDeviceAddress\":\"10.0.0.9\","
        "\"remediationSteps\":[\"Ask who did it.\"],\"handled\":false,\"additionalInformation\":{"
        "\"description\":\"" MESSAGE "\",\"information\":[\"Alert group: Programming\",\"Protocol: "
        "s7comm\",\"Commands: request_download, download_block\",\"Destination address: slot "
        "2\",\"Techniques: T0843, T0889\",\"Times seen: 3\",\"First seen: Jul 05 2026 "
        "15:20:00\",\"Last seen: Jul 05 2026 15:28:54\"]}}]");
    /* Keys are there whatever is known. */
    assert_string_equal(
        hook(FT_WEBHOOK_EXTENDED, true, none, 1),
        "{\"ID\":null,\"time\":null,\"title\":null,\"message\":null,\"severity\":null,\"engine\":"
        "null,\"sourceDevice\":null,\"destinationDevice\":null,\"sensorID\":null,\"sensorName\":"
        "null,\"zoneID\":\"Cell 7\",\"zoneName\":\"Cell 7\",\"siteID\":null,\"siteName\":null,"
        "\"sourceDeviceAddress\":null,\"destinationDeviceAddress\":null,\"remediationSteps\":[],"
        "\"handled\":false,\"additionalInformation\":{\"description\":null,\"information\":[]}}");
    assert_string_equal(ft_webhook_content_type(FT_WEBHOOK_NDJSON), "application/x-ndjson");
    assert_string_equal(ft_webhook_content_type(FT_WEBHOOK_EXTENDED), "application/json");
}

/* A batch ends where the next event does not fit as a whole; alone it is shortened. */
static void test_webhook_full(void **state)
{
    (void)state;
    struct ft_body body = {.format = FT_BODY_JSON};
    struct ft_forward_event small = read_event(LINE_ALERT), none;
    char *line = malloc(100000);
    int n = sprintf(line, "{\"event_type\":\"alert\",\"x\":\"");
    memset(line + n, 'x', 90000);
    sprintf(line + n + 90000, "\"}");
    struct ft_forward_event large = read_event(line);
    ft_forward_event_read(&none, "none", 4);
    for (int format = FT_WEBHOOK_NDJSON; format <= FT_WEBHOOK_EXTENDED; format++) {
        struct ft_webhook w =
            ft_webhook_begin((enum ft_webhook_format)format, &body, false, g_to, 20000);
        assert_int_equal(ft_webhook_add(&w, &none), FT_WEBHOOK_REFUSED);
        uint32_t added = 0;
        while (ft_webhook_add(&w, &small) == FT_WEBHOOK_ADDED)
            added++;
        assert_true(added > 5 && added == w.count);
        uint32_t length = ft_webhook_end(&w);
        assert_true(length <= 20000 && !memchr(g_to, 0, length));
        g_to[length] = 0;
        json_error_t error;
        json_t *root = json_loads(g_to, format ? 0 : JSON_DISABLE_EOF_CHECK, &error);
        assert_non_null(root);
        if (format)
            assert_int_equal(json_array_size(root), added);
        assert_null(strstr(g_to, "\"truncated\""));
        json_decref(root);

        w = ft_webhook_begin((enum ft_webhook_format)format, &body, false, g_to, 20000);
        assert_int_equal(ft_webhook_add(&w, &large), FT_WEBHOOK_ADDED);
        if (format <= FT_WEBHOOK_ARRAY)
            assert_int_equal(ft_webhook_add(&w, &large), FT_WEBHOOK_FULL);
        length = ft_webhook_end(&w);
        g_to[length] = 0;
        assert_int_equal(strstr(g_to, "\"truncated\":true") != NULL, format <= FT_WEBHOOK_ARRAY);

        w = ft_webhook_begin((enum ft_webhook_format)format, &body, true, g_to, 20000);
        assert_int_equal(ft_webhook_add(&w, &small), FT_WEBHOOK_ADDED);
        assert_int_equal(ft_webhook_add(&w, &small), FT_WEBHOOK_FULL);
    }
    ft_forward_event_free(&small);
    ft_forward_event_free(&large);
    free(line);
}

/* ---- skimming ---- */

static bool is_equal(const struct ft_forward_word *a, const struct ft_forward_word *b)
{
    return a->length == b->length && (!a->length || !memcmp(a->text, b->text, a->length));
}

/* Who skims a line and who parses it know the same. Words with escapes have to be parsed. */
static void assert_agree(const char *line, bool has_escapes)
{
    struct ft_forward_event skimmed, parsed;
    bool is_skimmed = ft_forward_event_skim(&skimmed, line, strlen(line));
    bool is_parsed = ft_forward_event_read(&parsed, line, strlen(line));
    if (!is_skimmed || !is_parsed || !skimmed.root == has_escapes || !skimmed.is_event ||
        skimmed.type != parsed.type || skimmed.time_ns != parsed.time_ns ||
        skimmed.severity != parsed.severity || skimmed.engine != parsed.engine ||
        skimmed.is_update != parsed.is_update || !is_equal(&skimmed.uid, &parsed.uid) ||
        !is_equal(&skimmed.protocol, &parsed.protocol) ||
        !is_equal(&skimmed.type_name, &parsed.type_name))
        fail_msg("skimmed and parsed are not the same: %s", line);
    ft_forward_event_free(&skimmed);
    ft_forward_event_free(&parsed);
}

static void test_skimming(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "{}",
        " { }\n",
        "{\"event_type\":\"health\",\"health\":{},\"app_proto\":\"a\"}",
        "{\"health\":{\"severity\":\"major\",\"protocol\":\"p\"},\"event_type\":\"health\"}",
        "{\"a\":\"\\\"}\\\\\",\"event_type\" : \"flow\" , \"b\":[[\"]\",{\"c\":1}],1]}",
        "{\"event_type\":\"flow\",\"event_type\":\"alert\"}",
        "{\"event_type\":\"flow\",\"event_type\":7}",
        "{\"fieldtap\":{\"engine\":\"malware\"},\"fieldtap\":{\"severity\":\"minor\"}}",
        "{\"fieldtap\":{\"engine\":\"malware\"},\"fieldtap\":null}",
        "{\"fieldtap\":[{\"engine\":\"malware\"}],\"health\":\"x\"}",
        "{\"fieldtap\":{\"x\":{\"engine\":\"malware\",\"fieldtap\":{}},\"state\":\"updated\"}}",
        "{\"x\":{\"fieldtap\":{\"engine\":\"malware\"}},\"timestamp\":\"\",\"y\":-1.5e3}",
    };
    static const char *const none[] = {
        "",         "[]",          "{",          "}",           "{\"a\"}",     "{\"a\":1}x",
        "{\"a\":1", "{\"a\":\"b}", "{\"a\":1,}", "{\"a\":\"\\", "{\"a\":1}{}",
    };
    static const char *const escaped[] = {
        "{\"event_type\":\"al\\u0065rt\"}",
        "{\"\\u0065\":1}",
        "{\"event_type\":\"alert\",\"fieldtap\":{\"event_uid\":\"PLANT\\\\no\\\"rth-7\"}}",
    };
    struct ft_forward_event e;
    for (uint32_t i = 0; i < COUNT(lines); i++) {
        assert_agree(lines[i], false);
        /* A line that lost its end is none. */
        for (size_t n = 0; n < strlen(lines[i]); n++)
            assert_false(ft_forward_event_skim(&e, lines[i], n));
    }
    for (uint32_t i = 0; i < COUNT(odd); i++)
        assert_agree(odd[i], false);
    for (uint32_t i = 0; i < COUNT(escaped); i++)
        assert_agree(escaped[i], true);
    for (uint32_t i = 0; i < COUNT(none); i++)
        if (ft_forward_event_skim(&e, none[i], strlen(none[i])) || e.is_event || e.type_name.length)
            fail_msg("a line of the journal? %s", none[i]);
}

/* What needs no parsing does without, and says so where it is needed. */
static void test_skimmed_is_enough(void **state)
{
    (void)state;
    struct ft_forward_event e;
    assert_true(ft_forward_event_skim(&e, LINE_ALERT, strlen(LINE_ALERT)));
    for (uint32_t b = 0; b < COUNT(bodies); b++) {
        g_to[ft_body_write(&bodies[b], &e, g_to, ROOM)] = 0;
        assert_string_equal(g_to, b ? "" : LINE_ALERT);
    }
    g_to[ft_body_write(&bodies[0], &e, g_to, 700)] = 0;
    assert_non_null(strstr(g_to, ",\"truncated\":true}"));
    struct ft_webhook w = ft_webhook_begin(FT_WEBHOOK_ARRAY, &bodies[0], false, g_to, ROOM);
    assert_int_equal(ft_webhook_add(&w, &e), FT_WEBHOOK_ADDED);
    w = ft_webhook_begin(FT_WEBHOOK_EXTENDED, &bodies[0], false, g_to, ROOM);
    assert_int_equal(ft_webhook_add(&w, &e), FT_WEBHOOK_REFUSED);
    assert_true(ft_forward_event_parse(&e) && ft_forward_event_parse(&e));
    assert_int_equal(ft_webhook_add(&w, &e), FT_WEBHOOK_ADDED);
    assert_true(e.is_turned);
    ft_forward_event_free(&e);
    assert_true(ft_forward_event_skim(&e, "{\"a\":tru}", 9));
    assert_false(ft_forward_event_parse(&e));
}

/* ---- the tables ---- */

static bool is_known(const char *source)
{
    const char *meaning, *name;
    for (uint32_t i = 0; (name = ft_source_computed(i, &meaning)); i++)
        if (!strcmp(name, source))
            return true;
    return false;
}

static void check_source(const char *source)
{
    char copy[256], *rest = copy;
    if (*source == '=')
        return;
    snprintf(copy, sizeof(copy), "%s", source);
    for (char *one; (one = strsep(&rest, " "));)
        if (*one == '@' && !is_known(one))
            fail_msg("no such source: %s", one);
}

static void check_row(enum ft_forward_table_format format, const struct ft_row *row)
{
    bool is_word =
        strspn(row->key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") ==
        strlen(row->key);
    check_source(row->source);
    if (format >= FT_FORWARD_TABLE_CEF && !is_word)
        fail_msg("no key: %s", row->key);
    if (format == FT_FORWARD_TABLE_CEF) {
        bool is_custom = !strncmp(row->key, "cs", 2) || !strncmp(row->key, "cn", 2) ||
                         !strncmp(row->key, "c6a", 3) || !strncmp(row->key, "flex", 4);
        if (is_custom && strcmp(row->key, "cnt") && !row->label)
            fail_msg("%s needs a label", row->key);
    }
}

static void test_tables(void **state)
{
    (void)state;
    for (int format = 0; format < FT_FORWARD_TABLE_FORMATS; format++)
        for (int dialect = 0; dialect < 2; dialect++)
            for (int type = 0; type < FT_FORWARD_TYPES; type++) {
                const struct ft_forward_table *t =
                    ft_forward_table((enum ft_forward_table_format)format, (enum ft_dialect)dialect,
                                     (enum ft_forward_type)type);
                const char *keys[64];
                uint32_t count = 0;
                for (uint32_t p = 0; p < FT_FORWARD_TABLE_PARTS; p++)
                    for (uint32_t i = 0; i < t->parts[p].count; i++) {
                        const struct ft_row *row = &t->parts[p].rows[i];
                        check_row((enum ft_forward_table_format)format, row);
                        for (uint32_t k = 0; format != FT_FORWARD_TABLE_TEXT && k < count; k++)
                            assert_string_not_equal(keys[k], row->key);
                        keys[count++] = row->key;
                    }
                assert_true(count > 2);
                assert_true(!t->header ==
                            (format < FT_FORWARD_TABLE_CEF || format > FT_FORWARD_TABLE_LEEF));
            }
    for (int type = 0; type < FT_FORWARD_TYPES; type++)
        assert_non_null(ft_source_title_template((enum ft_forward_type)type));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_object),
        cmocka_unit_test(test_devices),
        cmocka_unit_test(test_cef),
        cmocka_unit_test(test_leef),
        cmocka_unit_test(test_standard),
        cmocka_unit_test(test_other_events),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_severities),
        cmocka_unit_test(test_engines),
        cmocka_unit_test(test_time_zones),
        cmocka_unit_test(test_wrong_times),
        cmocka_unit_test(test_calendar),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_sensor_names),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_shortened),
        cmocka_unit_test(test_long_values),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_deep),
        cmocka_unit_test(test_webhook),
        cmocka_unit_test(test_webhook_full),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_skimming),
        cmocka_unit_test(test_skimmed_is_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
