/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Test of syslog messages: headers word for word as RFC 5424 and RFC 3164 have them, priorities,
 * times in zones, structured data, the byte order mark, frames, and room.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "forward/syslog_message.h"
#include "forward_lines.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ROOM     65536u
#define SENT     1783265334123456789u /* 2026-07-05 15:28:54.123456789 UTC */

static char g_to[ROOM + 1];
static uint32_t g_length;

static const char *write_in(const struct ft_syslog *s, const char *line, uint32_t max,
                            uint32_t size)
{
    struct ft_forward_event e;
    ft_forward_event_read(&e, line, strlen(line));
    g_length = ft_syslog_write(s, &e, SENT, max, g_to, size);
    assert_true(g_length <= size);
    g_to[g_length] = 0;
    ft_forward_event_free(&e);
    return g_to;
}

static const char *write_all(const struct ft_syslog *s, const char *line)
{
    return write_in(s, line, ROOM, ROOM);
}

static const char *header_of(const struct ft_syslog *s)
{
    write_all(s, "{\"event_type\":\"alert\"}");
    char *body = strstr(g_to, "{\"event_type");
    assert_non_null(body);
    *body = 0;
    return g_to;
}

/* ---- headers ---- */

static void test_rfc5424(void **state)
{
    (void)state;
    struct ft_syslog s = {.facility = FT_SYSLOG_USER,
                          .severity = FT_SYSLOG_ALERT,
                          .hostname = "line3.plant.example",
                          .app_name = "fieldtap",
                          .procid = "4711"};
    assert_string_equal(header_of(&s), "<9>1 2026-07-05T15:28:54.123456Z line3.plant.example "
                                       "fieldtap 4711 alert - ");
    s = (struct ft_syslog){.facility = 0, .severity = 0};
    assert_string_equal(write_all(&s, "{}"), "<0>1 2026-07-05T15:28:54.123456Z - - - - - {}");
    s.facility = 23;
    s.severity = 7;
    assert_true(!strncmp(header_of(&s), "<191>1 ", 7));
}

static void test_rfc3164(void **state)
{
    (void)state;
    struct ft_syslog s = {.standard = FT_SYSLOG_RFC3164,
                          .facility = FT_SYSLOG_USER,
                          .severity = FT_SYSLOG_ALERT,
                          .hostname = "sensor_Agent",
                          .app_name = "fieldtap"};
    assert_string_equal(header_of(&s), "<9>Jul  5 15:28:54 sensor_Agent fieldtap: ");
    s.app_name = NULL;
    assert_string_equal(header_of(&s), "<9>Jul  5 15:28:54 sensor_Agent fieldtap: ");
    /* As the incumbent's own: CEF and LEEF begin with their name, which is the tag. */
    s.body.format = FT_BODY_CEF;
    write_all(&s, LINE_HEALTH);
    assert_non_null(strstr(g_to, "<9>Jul  5 15:28:54 sensor_Agent CEF:0|fieldtap|"));
    s.body.format = FT_BODY_LEEF;
    write_all(&s, LINE_HEALTH);
    assert_non_null(strstr(g_to, "<9>Jul  5 15:28:54 sensor_Agent LEEF:1.0|fieldtap|"));
}

/* Of a word only what may stand in it, and no more than there may be. */
static void test_words(void **state)
{
    (void)state;
    char host[300], app[100], process[200], expected[1024];
    memset(host, 'h', sizeof(host) - 1);
    memset(app, 'a', sizeof(app) - 1);
    memset(process, 'p', sizeof(process) - 1);
    host[299] = app[99] = process[199] = 0;
    struct ft_syslog s = {.facility = 1, .hostname = host, .app_name = app, .procid = process};
    snprintf(expected, sizeof(expected),
             "<8>1 2026-07-05T15:28:54.123456Z %.255s %.48s %.128s alert - ", host, app, process);
    assert_string_equal(header_of(&s), expected);
    s = (struct ft_syslog){
        .facility = 1, .hostname = "a b\t\nc\xc3\xbc", .app_name = "", .procid = "\x7f"};
    assert_string_equal(header_of(&s), "<8>1 2026-07-05T15:28:54.123456Z a_b__c__ - _ alert - ");
    /* The event's type comes from the line. */
    struct ft_syslog plain = {.facility = 1};
    write_all(&plain, "{\"event_type\":\"a ]b\\n0123456789012345678901234567890\"}");
    assert_non_null(strstr(g_to, "- - - a_]b_012345678901234567890123456 - {"));
}

static void test_priorities(void **state)
{
    (void)state;
    static const struct {
        const char *severity, *priority;
    } rows[] = {{"critical", "<129>1 "},
                {"major", "<131>1 "},
                {"minor", "<132>1 "},
                {"warning", "<133>1 "},
                {"", "<134>1 "}};
    struct ft_syslog s = {.facility = 16, .severity = FT_SYSLOG_BY_EVENT};
    for (uint32_t i = 0; i < COUNT(rows); i++) {
        char line[128];
        snprintf(line, sizeof(line),
                 "{\"event_type\":\"alert\",\"fieldtap\":{\"severity\":\"%s\"}}", rows[i].severity);
        assert_true(!strncmp(write_all(&s, line), rows[i].priority, 7));
    }
    assert_string_equal(ft_syslog_facility_name(1), "user");
    assert_string_equal(ft_syslog_facility_name(16), "local0");
    assert_string_equal(ft_syslog_facility_name(23), "local7");
    assert_null(ft_syslog_facility_name(24));
}

static void test_zones(void **state)
{
    (void)state;
    static const struct {
        const char *zone, *rfc5424, *rfc3164;
    } rows[] = {
        {"UTC", "2026-07-05T15:28:54.123456+00:00", "Jul  5 15:28:54"},
        {"Europe/Berlin", "2026-07-05T17:28:54.123456+02:00", "Jul  5 17:28:54"},
        {"America/St_Johns", "2026-07-05T12:58:54.123456-02:30", "Jul  5 12:58:54"},
        {"Asia/Kathmandu", "2026-07-05T21:13:54.123456+05:45", "Jul  5 21:13:54"},
        {"Pacific/Kiritimati", "2026-07-06T05:28:54.123456+14:00", "Jul  6 05:28:54"},
    };
    for (uint32_t i = 0; i < COUNT(rows); i++) {
        char error[256];
        struct ft_time_zone *zone = ft_time_zone_new(rows[i].zone, error, sizeof(error));
        assert_non_null(zone);
        struct ft_syslog s = {.facility = 1, .body = {.zone = zone}};
        assert_non_null(strstr(header_of(&s), rows[i].rfc5424));
        s.standard = FT_SYSLOG_RFC3164;
        assert_non_null(strstr(header_of(&s), rows[i].rfc3164));
        ft_time_zone_free(zone);
    }
}

/* ---- structured data ---- */

static void test_structured_data(void **state)
{
    (void)state;
    struct ft_syslog s = {.facility = 1, .has_data = true, .body = {.format = FT_BODY_TEXT}};
    write_all(&s, LINE_HEALTH);
    assert_non_null(strstr(g_to, " - - - health [origin software=\"fieldtap\"] Sensor name: "));
    s.body.sensor = (struct ft_forward_sensor){.version = "0.1.0", .address = "192.0.2.7"};
    s.enterprise = 32473;
    write_all(&s, LINE_ALERT);
    assert_non_null(
        strstr(g_to, " alert [origin ip=\"192.0.2.7\" software=\"fieldtap\" swVersion=\"0.1.0\"]"
                     "[fieldtap@32473 uid=\"line3-41\" type=\"alert\" severity=\"critical\" "
                     "engine=\"policy_violation\" protocol=\"s7comm\"] CyberX platform name: "));
    /* Section 6.3.3: three characters are escaped, others are not. */
    write_all(&s, "{\"event_type\":\"alert\",\"app_proto\":\"a\\\"b]c\\\\d[e=f\\ng\xc3\xbc\"}");
    assert_non_null(strstr(g_to, " protocol=\"a\\\"b\\]c\\\\d[e=f g\xc3\xbc\"] CyberX"));
}

/* Data that would leave the body no room is left out. */
static void test_much_data(void **state)
{
    (void)state;
    char text[1001] = "", line[2048];
    memset(text, ']', 1000);
    snprintf(line, sizeof(line), "{\"event_type\":\"alert\",\"app_proto\":\"%s\"}", text);
    struct ft_syslog s = {.facility = 1, .has_data = true, .enterprise = 32473};
    write_in(&s, line, 4096, ROOM);
    assert_non_null(strstr(g_to, "[fieldtap@32473 type=\"alert\" protocol=\"\\]\\]"));
    assert_non_null(strstr(g_to, "\\]...\"] {"));
    s.body.sensor.address = s.body.sensor.version = text;
    write_in(&s, line, 1024, ROOM);
    assert_non_null(strstr(g_to, " alert - {\"event_type\""));
}

/* Section 6.4: the mark is for UTF-8 beyond ASCII. */
static void test_byte_order_mark(void **state)
{
    (void)state;
    struct ft_syslog s = {.facility = 1, .has_mark = true};
    static const char with[] = "{\"a\":\"\xc3\xbc\"}", without[] = "{\"a\":\"b\"}";
    assert_non_null(strstr(write_all(&s, with), " - \xef\xbb\xbf{\"a\":\"\xc3\xbc\"}"));
    assert_non_null(strstr(write_all(&s, without), " - {\"a\":\"b\"}"));
    s.standard = FT_SYSLOG_RFC3164;
    assert_null(strstr(write_all(&s, with), "\xef\xbb\xbf"));
    s = (struct ft_syslog){.facility = 1};
    assert_null(strstr(write_all(&s, with), "\xef\xbb\xbf"));
}

/* ---- frames and room ---- */

static void test_frames(void **state)
{
    (void)state;
    struct ft_syslog s = {.facility = 1};
    char message[512], expected[600];
    snprintf(message, sizeof(message), "%.500s", write_all(&s, "{\"a\":1}\n"));
    assert_string_equal(message, "<8>1 2026-07-05T15:28:54.123456Z - - - - - {\"a\":1}");
    s.frame = FT_SYSLOG_LINE;
    snprintf(expected, sizeof(expected), "%s\n", message);
    assert_string_equal(write_all(&s, "{\"a\":1}\n"), expected);
    s.frame = FT_SYSLOG_OCTETS;
    snprintf(expected, sizeof(expected), "%zu %s", strlen(message), message);
    assert_string_equal(write_all(&s, "{\"a\":1}\n"), expected);
    /* Octets are counted, not characters. */
    snprintf(expected, sizeof(expected), "%zu ", strlen(message) + 3);
    write_all(&s, "{\"a\":\"\xe2\x82\xac\xe2\x82\xac\"}");
    assert_int_equal(strtoul(g_to, NULL, 10), strlen(g_to) - 3);
    /* No line end anywhere but behind a line: receivers would see two messages. */
    s.frame = FT_SYSLOG_LINE;
    for (int format = FT_BODY_JSON; format <= FT_BODY_LEEF2; format++) {
        s.body.format = (enum ft_body_format)format;
        write_all(&s, "{\"event_type\":\"alert\",\n\"host\":\"a\\nb\\u0000c\",\"alert\":{"
                      "\"signature\":\"x\\ny\\r\\n\"}}");
        assert_int_equal(strcspn(g_to, "\n"), g_length - 1);
        assert_true(strlen(g_to) == g_length);
    }
}

static void test_room(void **state)
{
    (void)state;
    static const char *const lines[] = {LINE_ALERT, LINE_HEALTH, LINE_STATS};
    for (int frame = FT_SYSLOG_DATAGRAM; frame <= FT_SYSLOG_LINE; frame++)
        for (int format = FT_BODY_JSON; format <= FT_BODY_LEEF2; format++)
            for (uint32_t max = FT_SYSLOG_SIZE_MIN; max < 2200; max += 7) {
                struct ft_syslog s = {.frame = (enum ft_syslog_frame)frame,
                                      .facility = 1,
                                      .has_mark = true,
                                      .has_data = true,
                                      .enterprise = 1,
                                      .body = {.format = (enum ft_body_format)format}};
                for (uint32_t i = 0; i < COUNT(lines); i++) {
                    write_in(&s, lines[i], max, ROOM);
                    uint32_t digits = frame == FT_SYSLOG_OCTETS
                                          ? (uint32_t)strspn(g_to, "0123456789") + 1
                                          : frame == FT_SYSLOG_LINE;
                    assert_true(g_length && g_length - digits <= max);
                    /* The buffer bounds it as well. */
                    write_in(&s, lines[i], ROOM, max + 12);
                    assert_true(g_length && g_length <= max + 12);
                }
            }
    struct ft_syslog s = {.facility = 1};
    assert_string_equal(write_in(&s, "{}", FT_SYSLOG_SIZE_MIN - 1, ROOM), "");
    assert_string_equal(write_in(&s, "{}", ROOM, FT_SYSLOG_SIZE_MIN - 1), "");
    assert_string_equal(write_in(&s, "{}", ROOM, 0), "");
    s.frame = FT_SYSLOG_OCTETS;
    assert_string_equal(write_in(&s, "{}", ROOM, 5), "");
    /* The longest header leaves the body its room. */
    char text[1001] = "";
    memset(text, '"', 1000);
    s = (struct ft_syslog){.frame = FT_SYSLOG_OCTETS,
                           .facility = 23,
                           .hostname = text,
                           .app_name = text,
                           .procid = text,
                           .has_data = true,
                           .has_mark = true,
                           .enterprise = UINT32_MAX,
                           .body = {.format = FT_BODY_CEF,
                                    .sensor = {.name = text, .version = text, .address = text}}};
    write_in(&s, LINE_ALERT, FT_SYSLOG_SIZE_MIN, ROOM);
    assert_non_null(strstr(g_to, " alert - CEF:0|"));
    /* What is no event has no body but itself. */
    assert_string_equal(write_all(&s, "none"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc5424),   cmocka_unit_test(test_rfc3164),
        cmocka_unit_test(test_words),     cmocka_unit_test(test_priorities),
        cmocka_unit_test(test_zones),     cmocka_unit_test(test_structured_data),
        cmocka_unit_test(test_much_data), cmocka_unit_test(test_byte_order_mark),
        cmocka_unit_test(test_frames),    cmocka_unit_test(test_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
