/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of rule files: every key, and for everything that can be wrong the place and the sentence.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocols/protocols.h"
#include "rules/rule.h"

#define SAID_MAX (1u << 20)

static char folder[64], said[SAID_MAX], warned[SAID_MAX];
static struct ft_registry *registry;
static struct ft_rule_environment environment;
static struct ft_rule_files *files;
static bool is_sound;
static uint32_t errors;

/* ---- reading ---- */

static int set_up(void **state)
{
    char error[256];
    (void)state;
    registry = ft_registry_new();
    for (unsigned i = 0; ft_protocols[i]; i++)
        if (!ft_registry_add(registry, ft_protocols[i], NULL, error, sizeof(error)))
            return -1;
    ft_registry_finish(registry);
    environment.registry = registry;
    strcpy(folder, "/tmp/fieldtap-rules-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    ft_rule_files_free(files);
    ft_registry_free(registry);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

/* Each test begins with an empty folder and no configuration. */
static int begin(void **state)
{
    char command[256];
    (void)state;
    environment = (struct ft_rule_environment){.registry = registry};
    snprintf(command, sizeof(command), "rm -rf %s && mkdir %s", folder, folder);
    return system(command);
}

static const char *path_of(const char *name)
{
    static char path[4][512];
    static unsigned next;
    char *to = path[next++ % 4];
    snprintf(to, sizeof(path[0]), "%s%s%s", folder, *name ? "/" : "", name);
    return to;
}

static void write_bytes(const char *name, const void *bytes, size_t length)
{
    FILE *f = fopen(path_of(name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, length, f), length);
    assert_int_equal(fclose(f), 0);
}

static void write_file(const char *name, const char *text)
{
    write_bytes(name, text, strlen(text));
}

/* What is said comes without the folder's name. */
static void say(void *user, bool is_error, const char *line)
{
    char *all = is_error ? said : warned;
    size_t used = strlen(all), skip = strlen(folder);
    (void)user;
    errors += is_error;
    assert_null(strchr(line, '\n'));
    for (const char *at; (at = strstr(line, folder)); line = at + skip + (at[skip] == '/'))
        used += (size_t)snprintf(all + used, SAID_MAX - used, "%.*s", (int)(at - line), line);
    snprintf(all + used, SAID_MAX - used, "%s\n", line);
}

static bool read_paths(const char *const *paths, uint32_t count)
{
    ft_rule_files_free(files);
    said[0] = warned[0] = 0;
    errors = 0;
    files = ft_rule_files_read(paths, count, &environment, say, NULL, &is_sound);
    assert_non_null(files);
    assert_true(is_sound == (errors == 0));
    return is_sound;
}

static bool read_folder(void)
{
    const char *paths[] = {folder};
    return read_paths(paths, 1);
}

static bool read_text(const char *text)
{
    write_file("a.json", text);
    return read_folder();
}

static void expect_errors(const char *text, const char *expected)
{
    assert_false(read_text(text));
    assert_string_equal(said, expected);
}

#define LEAST "{\"rules\": [{\"id\": 9200001, \"title\": \"t\", \"when\": \"port == 502\", "

/* A rule of the least keys and more. */
static const char *rule_with(const char *more)
{
    static char text[8192];
    snprintf(text, sizeof(text), LEAST "%s}]}", more);
    return text;
}

/* One more key, and the error that stands `offset` bytes behind its beginning. */
static void expect_wrong(const char *more, uint32_t offset, const char *expected)
{
    char line[1024];
    assert_false(read_text(rule_with(more)));
    snprintf(line, sizeof(line), "a.json:1:%zu: %s\n", strlen(LEAST) + 1 + offset, expected);
    assert_string_equal(said, line);
    assert_int_equal(files->refused, 1);
    assert_int_equal(files->count, 0);
}

/* A value that what a condition is tested on never has. */
static void expect_unknown(const char *when, const char *name, const char *of, const char *on)
{
    char text[512], line[1024];
    snprintf(text, sizeof(text),
             "{\"rules\":[{\"id\":9200001,\"title\":\"t\",\"when\":\"%s\",\n"
             "\"message\": \"{%s}\"}]}",
             when, name);
    assert_false(read_text(text));
    snprintf(
        line, sizeof(line),
        "a.json:2:14: message: %s is of %s, and the condition is tested on %s: it would always "
        "be ?\n",
        name, of, on);
    assert_string_equal(said, line);
}

/* The error `offset` bytes within a condition; quotes and backslashes are written as JSON wants. */
static void expect_condition(const char *json, uint32_t offset, const char *expected)
{
    static const char before[] = "{\"rules\": [{\"id\": 9200001, \"title\": \"t\",\n\"when\": \"";
    char text[4096], line[1024];
    snprintf(text, sizeof(text), "%s%s\"}]}", before, json);
    snprintf(line, sizeof(line), "a.json:2:%u: when: %s\n", 10 + offset, expected);
    expect_errors(text, line);
}

/* ---- good files ---- */

static void test_least(void **state)
{
    (void)state;
    assert_true(read_text("{\"rules\": [\n  {\"id\": 9200001, \"title\": \"Modbus\","
                          " \"when\": \"protocol == modbus\"}]}"));
    assert_int_equal(files->count, 1);
    const struct ft_rule *r = &files->rules[0];
    assert_int_equal(r->id, 9200001);
    assert_int_equal(r->revision, 1);
    assert_string_equal(r->title, "Modbus");
    assert_null(r->message);
    assert_string_equal(r->category, "Custom");
    assert_null(r->mitre);
    assert_null(r->remediation);
    assert_null(r->reference);
    assert_string_equal(r->when, "protocol == modbus");
    assert_int_equal(r->severity, FT_SEVERITY_MINOR);
    assert_int_equal(r->engine, FT_ENGINE_POLICY);
    assert_int_equal(r->action, FT_RULE_ALERT);
    assert_false(r->evidence);
    assert_false(r->is_built_in);
    assert_int_equal(r->schedule.range_count, 0);
    assert_int_equal(r->threshold.kind, FT_THRESHOLD_NONE);
    assert_int_equal(r->part_count, 0);
    assert_string_equal(r->file, path_of("a.json"));
    assert_int_equal(r->place.line, 2);
    assert_int_equal(r->place.column, 3);
    assert_non_null(r->expression);
    assert_string_equal(warned, "");
    assert_true(read_text("{}"));
    assert_true(read_text("\xef\xbb\xbf{\"rules\": []}"));
    assert_int_equal(files->count, 0);
}

static void test_after(void **state)
{
    static const char two[] =
        "{\"rules\":[{\"id\":9200001,\"title\":\"a\",\"when\":\"port == 1\"%s},"
        "{\"id\":9200002,\"title\":\"b\",\"when\":\"port == 2\",\"after\":%s}]}";
    static const struct {
        const char *first, *after, *said; /* NULL: nothing is wrong */
        uint32_t count;
    } cases[] = {
        {"", "{\"rule\": 9200001, \"seconds\": 60}", NULL, 2},
        {"", "{\"rule\": 9200009, \"seconds\": 60}",
         "a.json:1:102: after: there is no rule 9200009", 1},
        {"", "{\"rule\": 9200002, \"seconds\": 60}", "after: rule 9200002 waits for itself", 1},
        {",\"after\":{\"rule\":9200002,\"seconds\":60}", "{\"rule\": 9200001, \"seconds\": 60}",
         "after: rule 9200002 waits for itself", 0},
        {",\"enabled\":false", "{\"rule\": 9200001, \"seconds\": 60}",
         "after: rule 9200001 is not used, so rule 9200002 never counts", 1},
        {"", "{\"rule\": 9200001}", "after needs the key \"seconds\"", 1},
        {"", "{\"rule\": 5, \"seconds\": 60}",
         "rule: expected a whole number from 9150000 to 9299999", 1},
        {"", "7", "after: expected an object {...}", 1},
    };
    char text[400];
    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(text, sizeof(text), two, cases[i].first, cases[i].after);
        bool is_right = read_text(text), is_remark = strstr(cases[i].first, "enabled") != NULL;
        if (is_right != (!cases[i].said || is_remark))
            fail_msg("%s: %s", cases[i].after, said);
        if (cases[i].said && !strstr(is_remark ? warned : said, cases[i].said))
            fail_msg("%s: %s", cases[i].after, said);
        assert_int_equal(files->count, cases[i].count);
    }
    snprintf(text, sizeof(text), two, "", "{\"rule\": 9200001, \"seconds\": 60, \"at_least\": 3}");
    assert_true(read_text(text));
    assert_int_equal(files->rules[0].awaited_by, 2);
    assert_int_equal(files->rules[1].after.count, 3);
    assert_int_equal(files->rules[1].after.by, FT_BY_PAIR);
}

static void test_all_keys(void **state)
{
    (void)state;
    assert_true(read_text(
        "{\"sets\": {\"plc\": {\"type\": \"ip\", \"values\": [\"10.0.1.0/24\", \"10.0.2.7\"]}},"
        "\"rules\": [{\"id\": 9150009, \"title\": \"Write\", \"message\": \"{ip.src} {{x} {id}\","
        "\"severity\": \"critical\", \"category\": \"Plant\", \"engine\": \"malware\","
        "\"mitre\": [\"T0855\", \"T1021.002\"], \"when\": \"ip.dst in $plc\","
        "\"schedule\": {\"at\": [\"mon-fri 08:00-17:00\", \"sat 08:00-12:00\"], \"outside\": true,"
        "\"time_zone\": \"UTC\"}, \"threshold\": {\"at_least\": 5, \"seconds\": 60, \"by\": "
        "\"pair\"},"
        "\"action\": \"event\", \"evidence\": true, \"enabled\": true, \"revision\": 7,"
        "\"remediation\": \"Ask.\", \"reference\": \"https://example.org\"}]}"));
    const struct ft_rule *r = &files->rules[0];
    assert_false(r->is_built_in); /* whatever its id: it is the user's */
    assert_string_equal(r->message, "{ip.src} {{x} 9150009");
    assert_int_equal(r->part_count, 1);
    assert_int_equal(r->parts[0].keyword, FT_KEYWORD_IP_SRC);
    assert_int_equal(r->severity, FT_SEVERITY_CRITICAL);
    assert_string_equal(r->category, "Plant");
    assert_int_equal(r->engine, FT_ENGINE_MALWARE);
    assert_string_equal(r->mitre, "T0855 T1021.002");
    assert_int_equal(r->schedule.range_count, 2);
    assert_true(r->schedule.is_outside);
    assert_non_null(r->schedule.zone);
    assert_int_equal(r->threshold.kind, FT_THRESHOLD_AT_LEAST);
    assert_int_equal(r->threshold.count, 5);
    assert_int_equal(r->threshold.seconds, 60);
    assert_int_equal(r->threshold.by, FT_BY_PAIR);
    assert_int_equal(r->action, FT_RULE_EVENT);
    assert_true(r->evidence);
    assert_int_equal(r->revision, 7);
    assert_string_equal(r->remediation, "Ask.");
    assert_string_equal(r->reference, "https://example.org");
}

static void test_message(void **state)
{
    (void)state;
    assert_true(
        read_text("{\"rules\":[{\"id\":9200001,\"title\":\"t\",\"when\":\"protocol == modbus\","
                  "\"message\": \"{title}: {modbus.write.address} {{{ip.src}}\"}]}"));
    assert_string_equal(files->rules[0].message, "t: {modbus.write.address} {{{ip.src}}");
    assert_int_equal(files->rules[0].part_count, 2);
    assert_int_equal(files->rules[0].parts[1].keyword, FT_KEYWORD_IP_SRC);
    /* A closing brace may be doubled as well. */
    assert_true(read_text(rule_with("\"message\": \"{{x}} }\"")));
    assert_string_equal(files->rules[0].message, "{{x} }");
    /* A title with braces stays what it is. */
    assert_true(read_text("{\"rules\": [{\"id\": 9200001, \"title\": \"a {b}\", \"when\": \"port\","
                          "\"message\": \"{title}{title}\"}]}"));
    assert_string_equal(files->rules[0].message, "a {{b}a {{b}");
    assert_int_equal(files->rules[0].part_count, 0);
    expect_wrong("\"message\": \"from {ip.srd}\"", 18,
                 "message: there is no ip.srd; did you mean ip.src?");
    /* Escapes before the place count as they are written. */
    expect_wrong("\"message\": \"\\\"\\u00e4\\ud83d\\ude00\\n {modbus.unitid}\"", 36,
                 "message: there is no field modbus.unitid; did you mean modbus.unit_id?");
    expect_wrong("\"message\": \"a {b\"", 14, "message: { without }; a brace is written {{");
    expect_wrong("\"message\": \"a {b{ip.src}\"", 14,
                 "message: { without }; a brace is written {{");
    expect_wrong("\"message\": \"{}\"", 12,
                 "message: in {} stands the name of a value, such as {ip.src}");
    expect_wrong("\"message\": \"{modbus.write}\"", 13,
                 "message: modbus.write is a group: name a field in it");
    expect_errors("{\"rules\":[{\"id\":9200001,\"title\":\"t\",\"when\":\"protocol == modbus\",\n"
                  "\"message\": \"{modbus.unit_id} {dns.id}\"}]}",
                  "a.json:2:31: message: what the condition asks for never has dns.id: it would "
                  "always be ?\n");
    expect_wrong("\"message\": \"{ip.src} {modbus.unit_id}\"", 22,
                 "message: modbus.unit_id is of messages, and the condition is tested on the first "
                 "packet of a flow in each direction: it would always be ?");
    expect_unknown("ip.src == 10.0.0.1", "command", "messages",
                   "the first packet of a flow in each direction");
    expect_unknown("ip.src == 10.0.0.1", "kind", "messages",
                   "the first packet of a flow in each direction");
    expect_unknown("ip.ttl == 1", "payload.length", "payloads",
                   "packets that open or end connections");
    expect_unknown("payload contains \\\"x\\\"", "subaddress", "messages", "payloads");
    expect_unknown("connection == refused", "ip.ttl", "packets that open or end connections",
                   "connections");
    expect_unknown("protocol == modbus", "connection", "connections", "messages");
    expect_errors("{\"rules\":[{\"id\":9200001,\"title\":\"t\",\"when\":\"protocol == unknown\",\n"
                  "\"message\": \"{protocol} {direction} {kind} {payload} {command}\"}]}",
                  "a.json:2:54: message: what the condition asks for never has command: it would "
                  "always be ?\n");
    assert_true(read_text("{\"rules\":[{\"id\":9200001,\"title\":\"t\",\"when\":\"ip.ttl == 1\","
                          "\"message\": \"{protocol} {direction} {asset.vendor}\"}]}"));
    assert_true(
        read_text("{\"rules\":[{\"id\":9200001,\"title\":\"t\",\"when\":\"umas.function == 1\","
                  "\"message\": \"{umas.function} {modbus.unit_id} {subaddress}\"}]}"));
    assert_true(
        read_text("{\"rules\":[{\"id\":9200001,\"title\":\"t\",\"when\":\"modbus.unit_id == 1 or "
                  "dns.id == 3\",\"message\": \"{modbus.unit_id} {dns.id} {port.src}\"}]}"));
    expect_wrong("\"message\": \"\"", 0, "message: expected a text of 1 to 1024 bytes");
    expect_wrong("\"message\": {}", 0, "message: expected a text of 1 to 1024 bytes");
}

static void test_schedule(void **state)
{
    struct ft_schedule hours = {.range_count = 1, .ranges = {{.from_s = 1, .to_s = 2, .days = 31}}};
    (void)state;
    assert_true(read_text(rule_with("\"schedule\": \"always\"")));
    assert_int_equal(files->rules[0].schedule.range_count, 0);
    expect_wrong("\"schedule\": \"working_hours\"", 0,
                 "schedule: the configuration has no working_hours; write the times here: "
                 "{\"at\": [\"mon-fri 08:00-17:00\"]}");
    environment.working_hours = &hours;
    assert_true(read_text(rule_with("\"schedule\": \"working_hours\"")));
    assert_int_equal(files->rules[0].schedule.range_count, 1);
    assert_false(files->rules[0].schedule.is_outside);
    assert_true(read_text(rule_with("\"schedule\": \"outside_working_hours\"")));
    assert_true(files->rules[0].schedule.is_outside);
    hours.is_outside = true;
    assert_true(read_text(rule_with("\"schedule\": \"outside_working_hours\"")));
    assert_false(files->rules[0].schedule.is_outside);
    expect_wrong("\"schedule\": \"working_hour\"", 0,
                 "schedule: there is no \"working_hour\"; did you mean \"working_hours\"?");
    expect_wrong("\"schedule\": \"night\"", 0,
                 "schedule: there is no \"night\"; expected \"always\", \"working_hours\" or "
                 "\"outside_working_hours\"");
    expect_wrong("\"schedule\": 1", 0,
                 "schedule: expected \"always\", \"working_hours\", \"outside_working_hours\" or "
                 "{\"at\": [\"mon-fri 08:00-17:00\"]}");
    expect_wrong("\"schedule\": {}", 0, "schedule needs the key \"at\"");
    expect_wrong("\"schedule\": {\"at\": []}", 13,
                 "at: expected a list of times, such as [\"mon-fri 08:00-17:00\"]");
    expect_wrong("\"schedule\": {\"at\": [1]}", 20,
                 "at: expected times in quotes, such as \"mon-fri 08:00-17:00\"");
    expect_wrong("\"schedule\": {\"at\": [\"mon\"], \"outside\": 1}", 28,
                 "outside: expected true or false");
    expect_wrong("\"schedule\": {\"at\": [\"mon\"], \"timezone\": 1}", 28,
                 "schedule has no key \"timezone\"; did you mean \"time_zone\"?");
    expect_wrong("\"schedule\": {\"at\": [\"mon\"], \"time_zone\": 1}", 28,
                 "time_zone: expected a name in quotes, such as \"Europe/Berlin\"");
    assert_false(read_text(rule_with("\"schedule\": {\"at\": [\"tue\", \"mon 8\"]}")));
    assert_non_null(strstr(said, "a.json:1:92: at: "));
    assert_false(read_text(rule_with("\"schedule\": {\"at\":[\"mon\"],\"time_zone\":\"Mars/X\"}")));
    assert_non_null(strstr(said, "time_zone: "));
}

static void test_threshold(void **state)
{
    (void)state;
    assert_true(read_text(rule_with("\"threshold\": {\"limit\": 1, \"seconds\": 3600}")));
    assert_int_equal(files->rules[0].threshold.kind, FT_THRESHOLD_LIMIT);
    assert_int_equal(files->rules[0].threshold.count, 1);
    assert_int_equal(files->rules[0].threshold.by, FT_BY_SOURCE);
    expect_wrong("\"threshold\": 5", 0, "threshold: expected an object {...}");
    expect_wrong("\"threshold\": {\"limit\": 1}", 0, "threshold needs the key \"seconds\"");
    expect_wrong("\"threshold\": {\"seconds\": 1}", 0,
                 "threshold: one of \"limit\" (at most so many in \"seconds\") and \"at_least\" "
                 "(only from so many on)");
    expect_wrong("\"threshold\": {\"seconds\": 1, \"limit\": 1, \"at_least\": 2}", 0,
                 "threshold: one of \"limit\" (at most so many in \"seconds\") and \"at_least\" "
                 "(only from so many on)");
    expect_wrong("\"threshold\": {\"seconds\": 0, \"limit\": 1}", 14,
                 "seconds: expected a whole number from 1 to 604800");
    expect_wrong("\"threshold\": {\"seconds\": 1, \"limit\": \"1\"}", 28,
                 "limit: expected a whole number from 1 to 1000000");
    expect_wrong("\"threshold\": {\"seconds\": 1, \"limit\": 1, \"by\": \"sorce\"}", 40,
                 "by: there is no \"sorce\"; did you mean \"source\"?");
    assert_true(read_text(rule_with("\"threshold\": {\"at_least\": 15, \"seconds\": 9, "
                                    "\"distinct\": \"port.dst\", \"by\": \"pair\"}")));
    assert_int_equal(files->rules[0].threshold.kind, FT_THRESHOLD_DISTINCT);
    assert_int_equal(files->rules[0].threshold.of.keyword, FT_KEYWORD_PORT_DST);
    expect_wrong("\"threshold\": {\"seconds\": 1, \"limit\": 5, \"distinct\": \"port.dst\"}", 0,
                 "threshold: \"distinct\" goes with \"at_least\": so many values of port.dst");
    expect_wrong("\"threshold\": {\"seconds\": 1, \"at_least\": 1, \"distinct\": \"port.dst\"}", 0,
                 "threshold: at_least: from 2 to 1000 values of port.dst can be told apart");
    expect_wrong("\"threshold\": {\"seconds\": 1, \"at_least\": 1001, \"distinct\": \"vlan\"}", 0,
                 "threshold: at_least: from 2 to 1000 values of vlan can be told apart");
    expect_wrong("\"threshold\": {\"seconds\": 1, \"at_least\": 5, \"distinct\": \"ip.src\"}", 0,
                 "threshold: by \"source\" there is never more than one ip.src");
    expect_wrong("\"threshold\": {\"distinct\": 5, \"at_least\": 5, \"seconds\": 1}", 14,
                 "distinct: expected the name of a value in quotes, such as \"port.dst\"");
    expect_wrong("\"threshold\": {\"distinct\": \"prot.dst\", \"at_least\": 5, \"seconds\": 1}", 14,
                 "distinct: there is no prot.dst; did you mean port.dst?");
    expect_wrong("\"threshold\": {\"distinct\": \"modbus.write\", \"at_least\": 5, \"seconds\": 1}",
                 14, "distinct: modbus.write is a group: name a field in it");
    expect_wrong("\"threshold\": {\"distinct\": \"asset.vendor\", \"at_least\": 5, \"seconds\": 1}",
                 14, "distinct: asset.vendor is what is known of a device, not in what is sent");
    assert_false(
        read_text("{\"rules\":[{\"id\":9200001,\"title\":\"t\",\"when\":\"modbus.unit_id == 1\","
                  "\"threshold\": {\"at_least\": 5, \"seconds\": 1, \"distinct\": \"dns.id\"}}]}"));
    assert_non_null(
        strstr(said, "threshold: distinct: what the condition asks for never has dns.id"));
    assert_false(read_text(
        "{\"rules\":[{\"id\":9200001,\"title\":\"t\",\"when\":\"ip.src == 1.1.1.1\","
        "\"threshold\": {\"at_least\": 5, \"seconds\": 1, \"distinct\": \"modbus.unit_id\"}}]}"));
    assert_non_null(strstr(said, "threshold: distinct: modbus.unit_id is of messages, and the "
                                 "condition is tested on the first packet of a flow"));
    expect_wrong("\"threshold\": {\"second\": 1, \"limit\": 1, \"seconds\": 1}", 14,
                 "threshold has no key \"second\"; did you mean \"seconds\"?");
    expect_wrong("\"threshold\": {\"limt\": 1, \"seconds\": 1}", 14,
                 "threshold has no key \"limt\"; did you mean \"limit\"?");
}

static bool counts_distinct(const char *when, unsigned at_least, const char *of)
{
    char text[512];
    snprintf(text, sizeof(text),
             "{\"rules\":[{\"id\":9200001,\"title\":\"t\",\"when\":\"%s\",\"threshold\": "
             "{\"at_least\": %u, \"seconds\": 1, \"distinct\": \"%s\"}}]}",
             when, at_least, of);
    return read_text(text);
}

/* More values are asked for than the condition leaves. */
static void test_threshold_of_few(void **state)
{
    (void)state;
    assert_false(counts_distinct("port.dst == 502", 2, "port.dst"));
    assert_non_null(strstr(said, "threshold: distinct: the condition leaves 1 value of port.dst, "
                                 "and at_least asks for 2"));
    assert_false(counts_distinct("port.dst in {80, 8080..8082} and vlan == 1", 5, "port.dst"));
    assert_non_null(strstr(said, "leaves 4 values of port.dst, and at_least asks for 5"));
    assert_false(counts_distinct("vlan == 1 and ip.dst in 10.0.0.0/31", 3, "ip.dst"));
    assert_false(counts_distinct("http.url == \\\"/a\\\"", 2, "http.url"));
    assert_false(counts_distinct("protocol == modbus", 2, "protocol"));
    assert_true(counts_distinct("port.dst in {80, 8080..8082}", 4, "port.dst"));
    assert_true(counts_distinct("port.dst == 502", 2, "port.src"));
    assert_true(counts_distinct("port.dst != 502", 5, "port.dst"));
    assert_true(counts_distinct("not port.dst == 502", 5, "port.dst"));
    assert_true(counts_distinct("port.dst == 502 or vlan == 1", 5, "port.dst"));
    assert_true(counts_distinct("port == 502", 2, "port"));
    assert_true(counts_distinct("port.dst & 1 == 1", 5, "port.dst"));
    assert_true(counts_distinct("lower(http.url) == \\\"/a\\\"", 2, "http.url"));
    assert_true(counts_distinct("ip.dst in 10.0.0.0/24", 256, "ip.dst"));
    assert_true(counts_distinct("modbus.registers == 1", 2, "modbus.registers"));
}

/* All that is wrong with one, not the first. */
static void test_threshold_errors(void **state)
{
    (void)state;
    assert_false(read_text(rule_with("\"threshold\": {\"limit\": 1, \"at_least\": 2, "
                                     "\"seconds\": 0, \"by\": \"sorce\"}")));
    assert_int_equal(errors, 3);
    assert_non_null(strstr(said, "seconds: expected a whole number"));
    assert_non_null(strstr(said, "by: there is no \"sorce\""));
    assert_non_null(strstr(said, "threshold: one of \"limit\""));
    assert_false(read_text(rule_with("\"threshold\": {\"limit\": 0, \"at_least\": 0, "
                                     "\"second\": 1}")));
    assert_int_equal(errors, 4);
    assert_non_null(strstr(said, "threshold: one of \"limit\""));
    assert_false(read_text(rule_with("\"threshold\": {\"limit\": 3, \"seconds\": 0, "
                                     "\"distinct\": \"port.dst\"}")));
    assert_int_equal(errors, 2);
    assert_non_null(strstr(said, "threshold: \"distinct\" goes with \"at_least\""));
    assert_false(read_text(rule_with("\"threshold\": {\"at_least\": 1, \"seconds\": 1, "
                                     "\"distinct\": \"ip.src\"}")));
    assert_int_equal(errors, 2);
    assert_non_null(strstr(said, "from 2 to 1000 values"));
    assert_non_null(strstr(said, "never more than one ip.src"));
    /* What is meant by a key that is wrong is not known. */
    assert_false(read_text(rule_with("\"threshold\": {\"at_least\": 5, \"seconds\": 1, \"by\": "
                                     "\"par\", \"distinct\": \"ip.src\"}")));
    assert_int_equal(errors, 1);
}

/* A file of values may be filled tomorrow: so an empty set is no error. */
static void test_empty_sets(void **state)
{
    (void)state;
    write_file("none.txt", "# nobody yet\n");
    assert_true(read_text(
        "{\"sets\": {\"none\": {\"type\": \"ip\", \"file\": \"none.txt\"}, \"no\": {\"type\": "
        "\"ip\", \"values\": []}, \"off\": {\"type\": \"ip\", \"values\": []}, \"idle\": "
        "{\"type\": \"ip\", \"values\": []}},\n\"rules\": [\n"
        "{\"id\": 9200001, \"title\": \"a\", \"when\": \"port == 5 and ip.src in $none\"},\n"
        "{\"id\": 9200002, \"title\": \"b\", \"when\": \"ip.dst in $none or ip.dst in $off\", "
        "\"enabled\": false},\n"
        "{\"id\": 9200003, \"title\": \"c\", \"when\": \"http.url == \\\"$off\\\" and ip.dst "
        "not in $no\"},\n"
        "{\"id\": 9200004, \"title\": \"d\", \"when\": \"ip.src in {$idle, 10.0.0.1}\"}]}"));
    assert_int_equal(files->count, 3);
    assert_string_equal(
        warned,
        "a.json:3:64: when: the set $none has no values: until it has some this never holds\n"
        "a.json:5:79: when: the set $no has no values: until it has some this holds of any\n"
        "a.json:6:51: when: the set $idle has no values\n");
    write_file("none.txt", "10.0.0.1\n");
    assert_true(read_text(
        "{\"sets\": {\"none\": {\"type\": \"ip\", \"file\": \"none.txt\"}}, \"rules\": ["
        "{\"id\": 9200001, \"title\": \"a\", \"when\": \"port == 5 and ip.src in $none\"}]}"));
    assert_string_equal(warned, "");
    expect_condition("ip.src in {}", 11, "a value is missing: 10.0.0.1");
}

static void test_wrong_values(void **state)
{
    char text[8192];
    (void)state;
    expect_wrong("\"severity\": \"majr\"", 0,
                 "severity: there is no \"majr\"; did you mean \"major\"?");
    expect_wrong("\"severity\": 3", 0,
                 "severity: expected \"critical\", \"major\", \"minor\" or \"warning\"");
    expect_wrong("\"severity\": \"urgent\"", 0,
                 "severity: there is no \"urgent\"; expected \"critical\", \"major\", \"minor\" or "
                 "\"warning\"");
    expect_wrong("\"engine\": \"policy_violations\"", 0,
                 "engine: there is no \"policy_violations\"; did you mean \"policy_violation\"?");
    expect_wrong("\"action\": \"alarm\"", 0,
                 "action: there is no \"alarm\"; expected \"alert\" or \"event\"");
    expect_wrong("\"evidence\": \"yes\"", 0, "evidence: expected true or false");
    expect_wrong("\"enabled\": 0", 0, "enabled: expected true or false");
    expect_wrong("\"revision\": -1", 0, "revision: expected a whole number from 0 to 4294967295");
    expect_wrong("\"revision\": 1.0", 0, "revision: expected a whole number from 0 to 4294967295");
    expect_wrong("\"category\": \"\"", 0, "category: an empty text says nothing");
    expect_wrong("\"category\": []", 0, "category: expected a text in quotes");
    snprintf(text, sizeof(text), "\"remediation\": \"%05000d\"", 0);
    expect_wrong(text, 0, "remediation: 5000 bytes are too many: at most 4096");
    expect_wrong("\"mitre\": \"T0855\"", 0,
                 "mitre: expected a list of at most 32 techniques, such as [\"T0855\"]");
    static const char *const wrong[] = {"T085",     "T08555",    "t0855",
                                        "T1021.02", "T1021-002", "T102x"};
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        snprintf(text, sizeof(text), "\"mitre\": [\"T0801\", \"%s\"]", wrong[i]);
        expect_wrong(text, 19,
                     "mitre: expected a technique in quotes, such as \"T0855\" or \"T1021.002\"");
    }
    expect_wrong("\"titl\": 1", 0, "a rule has no key \"titl\"; did you mean \"title\"?");
    expect_wrong("\"titel\": 1", 0, "a rule has no key \"titel\"; did you mean \"title\"?");
    expect_errors("{\"rules\": [{\"id\": 9200001, \"titel\": \"t\", \"when\": \"port\"}]}",
                  "a.json:1:28: a rule has no key \"titel\"; did you mean \"title\"?\n");
    expect_wrong(
        "\"zzzzzz\": 1", 0,
        "a rule has no key \"zzzzzz\"; there are: id, title, message, severity, category, "
        "engine, mitre, when, schedule, threshold, after, action, evidence, enabled, revision, "
        "remediation, reference");
    expect_wrong(
        "\"a\\u0007\\nb\": 1", 0,
        "a rule has no key \"a??b\"; there are: id, title, message, severity, category, "
        "engine, mitre, when, schedule, threshold, after, action, evidence, enabled, revision, "
        "remediation, reference");
    expect_wrong("\"revision\": 1, \"revision\": 1", 15, "a rule has the key \"revision\" twice");
    expect_wrong("\"revision\": [1,2], \"r\\u0065vision\": 1", 19,
                 "a rule has the key \"revision\" twice");
    expect_errors(
        "{\"rules\": [{\"id\": 1,\n\"id\": 2,\n\"id\": 9200001, \"title\": \"t\", \"when\": "
        "\"port\"}]}",
        "a.json:2:1: a rule has the key \"id\" twice\n"
        "a.json:3:1: a rule has the key \"id\" twice\n");
    expect_errors("{\"rules\": [{\"id\": 5, \"title\": \"t\", \"when\": \"port\"}]}",
                  "a.json:1:13: id: expected a whole number from 9200000 to 9299999 (from 9150000: "
                  "rules that come with fieldtap)\n");
    expect_errors("{\"rules\": [{}, 5]}", "a.json:1:12: a rule needs the key \"id\"\n"
                                          "a.json:1:12: a rule needs the key \"title\"\n"
                                          "a.json:1:12: a rule needs the key \"when\"\n"
                                          "a.json:1:16: a rule: expected an object {...}\n");
    assert_int_equal(files->refused, 2);
    expect_errors("{\"rules\": 1, \"tag\": 2, \"sets\": 3}",
                  "a.json:1:2: rules: expected a list of rules: [{...}, {...}]\n"
                  "a.json:1:14: a rule file has no key \"tag\"; did you mean \"tags\"?\n"
                  "a.json:1:24: sets: expected an object of sets by their names: {\"name\": "
                  "{...}}\n");
    expect_errors("[]", "a.json:1:1: a rule file: expected an object {...}\n");
}

static void test_condition_places(void **state)
{
    (void)state;
    expect_condition("modbus.unitid == 1", 0,
                     "there is no field modbus.unitid; did you mean modbus.unit_id?");
    expect_condition("port == 502 and prt == 1", 16, "there is no prt; did you mean port?");
    /* Behind escapes of JSON, and characters of several bytes. */
    expect_condition("http.url contains \\\"a\\u0062\\\\x00\\\" and prt == 1", 39,
                     "there is no prt; did you mean port?");
    expect_condition("asset.vendor == \\\"\xc3\xa4\xf0\x9f\x98\x80\\\" and prt == 1", 27,
                     "there is no prt; did you mean port?");
    expect_condition("port ==\\n 99999", 10, "99999 can never be: port is at most 65535");
    expect_condition("port.src > 5 and port.src < 3", 17,
                     "\"port.src > 5\" and \"port.src < 3\" can never hold both");
    expect_condition("", 0, "an empty condition: at least one test");
    expect_errors("{\"rules\": [{\"id\": 9200001, \"title\": \"t\", \"when\": 1}]}",
                  "a.json:1:42: when: expected a condition in quotes, such as \"command.class == "
                  "write\"\n");
}

/* All errors of all rules of all files are told. */
static void test_all_errors(void **state)
{
    (void)state;
    write_file("b.json",
               "{\"rules\": [{\"id\": 9200003, \"title\": 5, \"when\": \"prt == 1 or "
               "ip.sr == 1\"},\n{\"id\": 9200004, \"title\": \"ok\", \"when\": \"port\"}]}");
    write_file("c.json",
               "{\"rules\": [\n{\"id\": 9200003, \"title\": \"t\", \"when\": \"port\"}]}");
    assert_false(
        read_text("{\"rules\": [{\"id\": 9200001, \"title\": \"t\", \"when\": \"port == x\"},"
                  "\n{\"id\": 9200001, \"title\": \"t\", \"when\": \"port\"}]}"));
    assert_string_equal(said,
                        "a.json:1:59: when: x is no value of this field; expected e.g. 17 or 0x11\n"
                        "a.json:2:2: id: 9200001 is the id of another rule: a.json:1:13\n"
                        "b.json:1:28: title: expected a text in quotes\n"
                        "b.json:1:49: when: there is no prt; did you mean port?\n"
                        "b.json:1:61: when: there is no ip.sr; did you mean ip.src?\n"
                        "c.json:2:2: id: 9200003 is the id of another rule: b.json:1:13\n");
    assert_int_equal(files->refused, 4);
    assert_int_equal(files->count, 1);
}

static void test_disabled(void **state)
{
    (void)state;
    assert_true(
        read_text("{\"rules\": [{\"id\": 9200002, \"title\": \"t\", \"when\": \"port\"},"
                  "{\"id\": 9200003, \"title\": \"t\", \"when\": \"port\", \"enabled\": false},"
                  "{\"id\": 9200001, \"title\": \"t\", \"when\": \"port\"}]}"));
    assert_int_equal(files->count, 2);
    assert_int_equal(files->disabled, 1);
    assert_int_equal(files->rules[0].id, 9200001);
    assert_int_equal(files->rules[1].id, 9200002);
    assert_false(read_text(rule_with("\"enabled\": false, \"revision\": true")));
    assert_int_equal(files->refused, 1);
    assert_int_equal(files->disabled, 0);
}

/* ---- rules that come with fieldtap ---- */

#define BROUGHT                                                                                    \
    "{\"rules\": [{\"id\": 9150001, \"title\": \"One\", \"when\": \"port == 1\", "                 \
    "\"mitre\": [\"T0855\"], \"message\": \"{port.src}\", \"threshold\": {\"limit\": 1, "          \
    "\"seconds\": 9}, \"schedule\": {\"at\": [\"mon\"]}},"                                         \
    "{\"id\": 9150002, \"title\": \"Two\", \"when\": \"port == 2\"},"                              \
    "{\"id\": 9150003, \"title\": \"Three\", \"when\": \"port == 3\", \"enabled\": false}]}"

/* They are in a folder of their own; the user's file is a.json. */
static bool read_beside_built_in(const char *text)
{
    const char *paths[] = {path_of("a.json")};
    if (mkdir(path_of("own"), 0700) == 0)
        write_file("own/b.json", BROUGHT);
    environment.built_in = path_of("own");
    write_file("a.json", text);
    return read_paths(paths, 1);
}

static const struct ft_rule *rule_of(uint32_t id)
{
    for (uint32_t i = 0; i < files->count; i++)
        if (files->rules[i].id == id)
            return &files->rules[i];
    return NULL;
}

static void test_built_in(void **state)
{
    (void)state;
    assert_true(read_beside_built_in(rule_with("\"revision\": 1")));
    assert_string_equal(warned, "");
    assert_int_equal(files->count, 3);
    assert_int_equal(files->disabled, 1);
    assert_int_equal(files->brought, 3);
    assert_true(rule_of(9150001)->is_built_in);
    assert_false(rule_of(9200001)->is_built_in);
    /* Who asks for them by name has asked for them. */
    const char *named[] = {path_of("own")};
    assert_true(read_paths(named, 1));
    assert_int_equal(files->count, 2);
    assert_int_equal(files->brought, 0);
}

static void test_built_in_switched_off(void **state)
{
    (void)state;
    assert_true(read_beside_built_in("{\"rules\": [{\"id\": 9150001, \"enabled\": false}]}"));
    assert_string_equal(warned, "a.json:1:13: id: this switches off rule 9150001, \"One\", that "
                                "comes with fieldtap\n");
    assert_null(rule_of(9150001));
    assert_non_null(rule_of(9150002));
    assert_int_equal(files->disabled, 2);
    assert_int_equal(files->brought, 2);
    /* One that was disabled is at work when the user wants it. */
    assert_true(read_beside_built_in("{\"rules\": [{\"enabled\": true, \"id\": 9150003}]}"));
    assert_string_equal(rule_of(9150003)->when, "port == 3");
    assert_int_equal(files->disabled, 0);
    assert_int_equal(files->brought, 2);
    /* A later release may have it no more: then there is nothing to do. */
    assert_true(read_beside_built_in("{\"rules\": [{\"id\": 9150009, \"enabled\": false}]}"));
    assert_string_equal(warned, "a.json:1:13: id: no rule that comes with fieldtap has the id "
                                "9150009: nothing is switched off\n");
    assert_int_equal(files->disabled, 2);
    /* Rules of the user need all keys. */
    expect_errors("{\"rules\": [{\"id\": 9200001, \"enabled\": false}]}",
                  "a.json:1:12: a rule needs the key \"title\"\n"
                  "a.json:1:12: a rule needs the key \"when\"\n");
}

static void test_built_in_replaced(void **state)
{
    (void)state;
    assert_true(read_beside_built_in("{}"));
    uint64_t before = rule_of(9150001)->fingerprint;
    assert_true(read_beside_built_in(
        "{\"rules\": [{\"id\": 9150001, \"threshold\": {\"limit\": 3, \"seconds\": 7}}]}"));
    assert_string_equal(
        warned, "a.json:1:13: id: this replaces rule 9150001, \"One\", that comes with fieldtap\n");
    const struct ft_rule *r = rule_of(9150001);
    assert_int_equal(files->count, 2);
    assert_int_equal(files->brought, 2);
    assert_false(r->is_built_in);
    assert_string_equal(r->file, path_of("a.json"));
    assert_string_equal(r->title, "One");
    assert_string_equal(r->when, "port == 1");
    assert_string_equal(r->message, "{port.src}");
    assert_int_equal(r->part_count, 1);
    assert_int_equal(r->threshold.count, 3);
    assert_int_equal(r->schedule.range_count, 1);
    assert_int_not_equal(r->fingerprint, before);
    /* What it says counts, whatever was said before. */
    assert_true(read_beside_built_in(
        "{\"rules\": [{\"id\": 9150001, \"title\": \"New\", \"mitre\": [], \"schedule\": "
        "\"always\", \"when\": \"port == 7\", \"message\": \"{ip.src} to {ip.dst}\"}]}"));
    r = rule_of(9150001);
    assert_string_equal(r->title, "New");
    assert_string_equal(r->when, "port == 7");
    assert_int_equal(r->part_count, 2);
    assert_null(r->mitre);
    assert_int_equal(r->schedule.range_count, 0);
    /* The same said again is the same. */
    assert_true(read_beside_built_in(BROUGHT));
    assert_string_equal(warned, "");
    assert_int_equal(rule_of(9150001)->fingerprint, before);
    assert_false(rule_of(9150001)->is_built_in);
    /* Its errors stand where they were made, and it is replaced once. */
    assert_false(read_beside_built_in("{\"rules\": [{\"id\": 9150001, \"when\": \"prt == 7\"},"
                                      "{\"id\": 9150001, \"enabled\": false}]}"));
    assert_string_equal(said, "a.json:1:37: when: there is no prt; did you mean port?\n"
                              "a.json:1:49: id: 9150001 is the id of another rule: "
                              "a.json:1:13\n");
    /* An id of fieldtap that it does not use is the user's own risk. */
    assert_true(read_beside_built_in(
        "{\"rules\": [{\"id\": 9150009, \"title\": \"t\", \"when\": \"port == 7\"}]}"));
    assert_string_equal(warned, "a.json:1:13: id: no rule that comes with fieldtap has the id "
                                "9150009: nothing is replaced; ids of your own begin at 9200000\n");
}

static void test_warnings(void **state)
{
    (void)state;
    assert_true(read_text("{\"rules\": [{\"id\": 9200001, \"title\": \"t\", \"when\": \"kind == "
                          "request and not direction == to_client\"}]}"));
    assert_string_equal(warned,
                        "a.json:1:42: when: asks for no protocol, command, address, port or "
                        "content: rule 9200001 may fire on every message\n");
    assert_true(read_text("{\"rules\": [{\"id\": 9200001, \"title\": \"t\", \"when\": \"kind == "
                          "request and any dnp3.application.objects (group == 12)\"}]}"));
    assert_string_equal(warned, "");
    assert_true(
        read_text("{\"rules\": [{\"id\": 9200001, \"title\": \"t\", \"when\": \"port == 9700 "
                  "and direction == to_server and payload contains 73746f70\"}]}"));
    assert_string_equal(warned, "");
    assert_true(
        read_text("{\"rules\": [{\"id\": 9200001, \"title\": \"t\", \"when\": \"protocol == "
                  "modbus and direction == to_server and payload contains 73746f70\"}]}"));
    assert_string_equal(warned, "");
}

/* ---- files and folders ---- */

static void test_folders(void **state)
{
    (void)state;
    assert_true(read_folder());
    assert_string_equal(strstr(warned, ": no"), ": no rule files (*.json) in this folder\n");
    const char *none[] = {path_of("none.json")};
    assert_false(read_paths(none, 1));
    assert_string_equal(said, "none.json: cannot be read: No such file or directory\n");
    write_file(".hidden.json", "rubbish");
    write_file("other.txt", "rubbish");
    write_file("b.json", "{\"rules\": [{\"id\": 9200002, \"title\": \"b\", \"when\": \"port\"}]}");
    assert_true(read_text(rule_with("\"revision\": 2")));
    assert_int_equal(files->count, 2);
    const char *twice[] = {path_of("b.json"), path_of("b.json")};
    assert_true(read_paths(twice, 2));
    assert_int_equal(files->count, 1);
    assert_int_equal(mkdir(path_of("c.json"), 0700), 0);
    assert_int_equal(symlink("d.json", path_of("d.json")), 0);
    assert_int_equal(mkfifo(path_of("e.json"), 0600), 0);
    assert_false(read_folder());
    assert_string_equal(said, "c.json: is no file of rules\n"
                              "d.json: cannot be read: Too many levels of symbolic links\n"
                              "e.json: is no file of rules\n");
    assert_int_equal(files->count, 2);
}

static void test_large(void **state)
{
    (void)state;
    write_file("a.json", "{}");
    assert_int_equal(truncate(path_of("a.json"), (64 << 20) + 1), 0);
    assert_false(read_folder());
    assert_string_equal(said, "a.json: is larger than 64 MiB: split it\n");
}

static void test_not_json(void **state)
{
    (void)state;
    expect_errors("{\"rules\": [\n{\"id\" 5}]}",
                  "a.json:2:7: cannot be read as JSON: ':' expected near '5'\n");
    expect_errors("",
                  "a.json:1:1: cannot be read as JSON: '[' or '{' expected near end of file: there "
                  "is nothing in it\n");
    /* What was probably done is said, too. */
    expect_errors("{\"rules\": [{\"id\": 1 \"title\": 2}]}",
                  "a.json:1:27: cannot be read as JSON: '}' expected near '\"title\"'; is a comma "
                  "missing before it?\n");
    expect_errors(
        "{\"rules\": [1,]}",
        "a.json:1:14: cannot be read as JSON: unexpected token near ']'; there is no comma "
        "behind the last of a list\n");
    expect_errors(
        "{\"rules\": [\"\\d\"]}",
        "a.json:1:14: cannot be read as JSON: invalid escape near '\"\\d'; a backslash is "
        "written \\\\\n");
    expect_errors("// mine\n{}",
                  "a.json:1:1: cannot be read as JSON: '[' or '{' expected near '/'; "
                  "JSON has no comments\n");
    expect_errors("{\"rules\": [",
                  "a.json:1:11: cannot be read as JSON: ']' expected near end of file; "
                  "is a } or ] missing?\n");
    expect_errors("{\"rules\": [{\"title\": \"a\\u0000b\"}]}",
                  "a.json:1:31: \\u0000 stands in no text here; the byte 0 is written \\\\x00 in "
                  "conditions\n");
    expect_errors("{\"rules\": [{\"id\": 99999999999999999999}]}",
                  "a.json:1:38: cannot be read as JSON: too big integer near "
                  "'99999999999999999999': whole numbers are from "
                  "-9223372036854775808 to 9223372036854775807\n");
    write_bytes("a.json", "{}\0{}", 5);
    assert_false(read_folder());
    /* A byte 0 that jansson passes over. */
    static const char zero[] = "{\"rules\": [\n{\"id\": 9200001\0, \"title\": \"t\", \"when\": "
                               "\"port == 1\"}]}";
    write_bytes("a.json", zero, sizeof(zero) - 1);
    assert_false(read_folder());
    assert_string_equal(said, "a.json:2:15: a byte 0 stands here: this is no text\n");
    write_bytes("a.json", "{\"\\u0000\":1}", 12);
    assert_false(read_folder());
}

/* ---- sets ---- */

static void test_sets(void **state)
{
    (void)state;
    assert_int_equal(mkdir(path_of("lists"), 0700), 0);
    write_file("lists/plc.txt", "# those of hall 1\n10.0.3.1\n10.0.4.0/24 # line 2\n");
    write_file("a.json", "{\"sets\": {"
                         "\"plc\": {\"type\": \"ip\", \"values\": [\"10.0.1.0/24\"], \"file\": "
                         "\"lists/plc.txt\"},"
                         "\"siemens\": {\"type\": \"mac\", \"values\": [\"00:0e:8c/24\"]},"
                         "\"ot\": {\"type\": \"port\", \"values\": [502, \"20000\", \"100..102\"]},"
                         "\"hosts\": {\"type\": \"text\", \"values\": [\"a\", \"b c\"]},"
                         "\"codes\": {\"type\": \"number\", \"values\": [\"0x10\"]}}}");
    write_file("b.json",
               "{\"rules\": [{\"id\": 9200001, \"title\": \"t\", \"when\": \"ip.src in $plc "
               "and eth.src in $siemens and port in $ot and asset.vendor in $hosts and "
               "command.code in $codes\"}]}");
    assert_true(read_folder());
    assert_int_equal(files->vocabulary.set_count, 5);
    static const uint8_t inside[] = {10, 0, 4, 9}, outside[] = {10, 0, 5, 9};
    assert_true(
        ft_set_has_address(files->vocabulary.sets[0].set, ft_set_address_of(inside, false)));
    assert_false(
        ft_set_has_address(files->vocabulary.sets[0].set, ft_set_address_of(outside, false)));
    assert_true(ft_set_has_number(files->vocabulary.sets[2].set, 101));
}

static void test_wrong_sets(void **state)
{
    (void)state;
    expect_errors("{\"sets\": {\"a b\": {\"type\": \"ip\", \"values\": []}}}",
                  "a.json:1:11: set \"a b\": a name is a letter, then letters, digits, _ or -, at "
                  "most 63 of them\n");
    expect_errors("{\"sets\": {\"a\": 5}}", "a.json:1:11: sets.a: expected an object {...}\n");
    expect_errors("{\"sets\": {\"a\": {\"type\": \"ip\"}}}",
                  "a.json:1:11: sets.a needs the key \"values\" or \"file\"\n");
    expect_errors("{\"sets\": {\"a\": {\"values\": []}}}",
                  "a.json:1:11: sets.a needs the key \"type\"\n");
    expect_errors("{\"sets\": {\"a\": {\"type\": \"prt\", \"values\": []}}}",
                  "a.json:1:17: type: there is no \"prt\"; did you mean \"port\"?\n");
    expect_errors("{\"sets\": {\"a\": {\"type\": 1, \"value\": []}}}",
                  "a.json:1:17: type: expected \"ip\", \"mac\", \"port\", \"number\" or \"text\"\n"
                  "a.json:1:28: sets.a has no key \"value\"; did you mean \"values\"?\n");
    expect_errors("{\"sets\": {\"a\": {\"type\": \"ip\", \"values\": 1, \"file\": 2}}}",
                  "a.json:1:31: values: expected a list, such as [\"a\", \"b\"]\n"
                  "a.json:1:44: file: expected the name of a file in quotes\n");
    expect_errors("{\"sets\": {\"a\": {\"type\": \"port\", \"values\": [1, {}, -1]}}}",
                  "a.json:1:47: sets.a: expected a text in quotes\n"
                  "a.json:1:51: sets.a: expected a text in quotes\n");
    assert_false(read_text("{\"sets\": {\"a\": {\"type\": \"ip\", \"values\": [\"10.0.0.1\", "
                           "\"10.0.0.256\"]}}}"));
    assert_non_null(strstr(said, "a.json:1:54: sets.a: "));
    expect_errors("{\"sets\": {\"a\": {\"type\": \"ip\", \"file\": \"none.txt\"}}}",
                  "a.json:1:31: sets.a: none.txt: cannot be read: No such file or directory\n");
    write_file("list.txt", "10.0.0.1\n  10.0.0.300\n");
    assert_false(read_text("{\"sets\": {\"a\": {\"type\": \"ip\", \"file\": \"list.txt\"}}}"));
    assert_non_null(strstr(said, "list.txt:2:3: "));
    assert_int_equal(errors, 1);
    expect_errors(
        "{\"sets\": {\"a\": {\"type\": \"ip\", \"values\": []},\n"
        "\"b\": {\"type\": \"ip\", \"values\": []}, \"a\": {\"type\": \"ip\", \"values\": []}}}",
        "a.json:2:36: sets has the key \"a\" twice\n");
    write_file("b.json", "{\"sets\": {\"a\": {\"type\": \"ip\", \"values\": []}}}");
    struct ft_set *set = ft_set_new(FT_SET_NUMBERS);
    struct ft_named_set named = {.name = "mine", .kind = FT_VALUE_PORT, .set = set};
    assert_true(ft_set_add_numbers(set, 1, 1023) && ft_set_close(set));
    environment.sets = &named;
    environment.set_count = 1;
    write_file("c.json", rule_with("\"message\": \"x\""));
    expect_errors("{\"sets\": {\"a\": {\"type\": \"ip\", \"values\": []},\n"
                  "\"mine\": {\"type\": \"ip\", \"values\": []}}}",
                  "a.json:2:1: sets.mine: this set is made already: sets of the configuration\n"
                  "b.json:1:11: sets.a: this set is made already: a.json:1:11\n");
    write_file("b.json",
               "{\"rules\": [{\"id\": 9200009, \"title\": \"t\", \"when\": \"port in $mine\"}]}");
    assert_true(read_text("{}"));
    ft_rule_files_free(files);
    files = NULL;
    ft_set_free(set);
}

/* Of a file that is something else not a million lines are told. */
static void test_wrong_lines(void **state)
{
    (void)state;
    FILE *f = fopen(path_of("list.txt"), "w");
    for (int i = 0; i < 1000; i++)
        fprintf(f, "rubbish\n");
    fclose(f);
    assert_false(read_text("{\"sets\": {\"a\": {\"type\": \"ip\", \"file\": \"list.txt\"}}}"));
    assert_int_equal(errors, 101);
    assert_non_null(strstr(said, "list.txt: 900 more wrong lines\n"));
}

/* What has errors is told once, where they are; rules that name it are refused with it. */
static void test_broken(void **state)
{
    (void)state;
    assert_false(read_text(
        "{\"sets\": {\"good\": {\"type\": \"port\", \"values\": [1]},\n"
        "\"bad\": {\"type\": \"port\", \"values\": [1, 70000]},\n"
        "\"idle\": {\"type\": \"ip\", \"values\": [\"x\"]}},\n"
        "\"tags\": [{\"name\": \"level\", \"transport\": \"udp\", \"type\": \"uint8\"}],\n"
        "\"rules\": [{\"id\": 9200001, \"title\": \"t\", \"when\": \"port in $good\"},\n"
        "{\"id\": 9200002, \"title\": \"t\", \"when\": \"port in $bad\"},\n"
        "{\"id\": 9200003, \"title\": \"t\", \"when\": \"port in {5, $bad}\"},\n"
        "{\"id\": 9200004, \"title\": \"t\", \"when\": \"tag.level > 3\"},\n"
        "{\"id\": 9200005, \"title\": \"t\", \"when\": \"protocol == modbus\", "
        "\"message\": \"{tag.level}\"}]}"));
    assert_int_equal(errors, 3);
    assert_int_equal(files->count, 1);
    assert_int_equal(files->refused, 4);
    assert_int_equal(files->broken, 3);
    assert_false(read_text("{\"rulez\": []}"));
    assert_int_equal(files->broken, 1);
    assert_false(read_text("{"));
    assert_int_equal(files->broken, 1);
    assert_false(read_text("{\"rules\": [{\"id\": 9200001, \"title\": \"t\"}]}"));
    assert_int_equal(files->broken, 0);
    assert_int_equal(files->refused, 1);
}

static void test_schedule_without_time(void **state)
{
    (void)state;
    expect_errors("{\"rules\": [{\"id\": 9200001, \"title\": \"t\", \"when\": \"port == 1\", "
                  "\"schedule\": {\"at\": [\"mon-sun\"], \"outside\": true}}]}",
                  "a.json:1:63: schedule: the times are the whole week: outside them there is "
                  "none\n");
}

/* Where a pattern stands is known later on: line and column of its test. */
static void test_places_of_patterns(void **state)
{
    (void)state;
    assert_true(read_text("{\"rules\": [{\"id\": 9200001, \"title\": \"t\",\n"
                          "  \"when\": \"port == 80 and payload contains \\\"abcd\\\"\"}]}"));
    const struct ft_rule *r = &files->rules[0];
    assert_int_equal(r->when_place.line, 2);
    assert_int_equal(r->when_place.column, 12);
    for (uint32_t i = 1; i < r->expression->count; i++)
        if (r->expression->nodes[i].test.kind == FT_TEST_CONTAINS) {
            assert_int_equal(r->test_places[i].line, 2);
            assert_int_equal(r->test_places[i].column, 27);
        }
    assert_true(read_text("{\"rules\": [{\"id\": 9200001, \"title\": \"t\", \"when\": "
                          "\"port == 80\"}]}"));
    assert_null(files->rules[0].test_places);
}

/* ---- tags ---- */

#define TAG "{\"tags\": [{\"name\": \"level\", "

static void expect_tag(const char *more, uint32_t column, const char *expected)
{
    char text[1024], line[1024];
    snprintf(text, sizeof(text), TAG "%s}]}", more);
    snprintf(line, sizeof(line), "a.json:1:%u: %s\n", column, expected);
    expect_errors(text, line);
}

static void test_tags(void **state)
{
    (void)state;
    assert_true(read_text(
        "{\"tags\": ["
        "{\"name\": \"level\", \"transport\": \"udp\", \"port\": 5555, \"offset\": 12, \"type\": "
        "\"uint16\"},"
        "{\"name\": \"cycle\", \"transport\": \"ethernet\", \"ethertype\": \"0x88B8\", \"anchor\": "
        "\"L\\\\x00V\\\\\\\\\", \"offset\": -4, \"type\": \"float\", \"endian\": \"little\"},"
        "{\"name\": \"text\", \"transport\": \"tcp\", \"port\": 9, \"anchor_hex\": \"00fF\", "
        "\"type\": \"text\", \"length\": 7},"
        "{\"name\": \"mac\", \"transport\": \"ethernet\", \"ethertype\": 34999, \"type\": "
        "\"mac\"}],"
        "\"rules\": [{\"id\": 9200001, \"title\": \"t\", \"when\": \"tag.level > 5 or tag.text "
        "contains \\\"x\\\"\", \"message\": \"{tag.cycle}\"}]}"));
    const struct ft_tag *t = files->vocabulary.tags;
    assert_int_equal(files->vocabulary.tag_count, 4);
    assert_string_equal(t[0].name, "level");
    assert_int_equal(t[0].transport, FT_TRANSPORT_UDP);
    assert_int_equal(t[0].port, 5555);
    assert_int_equal(t[0].offset, 12);
    assert_int_equal(t[0].length, 2);
    assert_int_equal(t[0].type, FT_VALUE_TYPE_UINT);
    assert_null(t[0].anchor);
    assert_false(t[0].is_little);
    assert_int_equal(t[1].transport, FT_TRANSPORT_L2);
    assert_int_equal(t[1].port, 0x88b8);
    assert_int_equal(t[1].anchor_length, 4);
    assert_memory_equal(t[1].anchor, "L\0V\\", 4);
    assert_int_equal(t[1].offset, -4);
    assert_int_equal(t[1].length, 4);
    assert_int_equal(t[1].type, FT_VALUE_TYPE_FLOAT);
    assert_true(t[1].is_little);
    assert_int_equal(t[2].anchor_length, 2);
    assert_memory_equal(t[2].anchor, "\0\xff", 2);
    assert_int_equal(t[2].length, 7);
    assert_int_equal(t[3].type, FT_VALUE_TYPE_MAC);
    assert_int_equal(t[3].length, 6);
    assert_int_equal(files->rules[0].parts[0].field, 1);
}

static void test_wrong_tags(void **state)
{
    (void)state;
    expect_errors("{\"tags\": {}}", "a.json:1:2: tags: expected a list of tags: [{...}, {...}]\n");
    expect_errors("{\"tags\": [5]}", "a.json:1:11: a tag: expected an object {...}\n");
    expect_tag("\"transport\": \"udp\", \"port\": 5", 11, "a tag needs the key \"type\"");
    expect_tag("\"type\": \"uint8\", \"port\": 5", 11, "a tag needs the key \"transport\"");
    expect_tag("\"type\": \"uint8\", \"transport\": \"udp\"", 11,
               "tag level needs the key \"port\"");
    expect_tag("\"type\": \"uint8\", \"transport\": \"ethernet\"", 11,
               "tag level needs the key \"ethertype\"");
    expect_tag("\"type\": \"uint8\", \"transport\": \"tcp\", \"port\": 1, \"ethertype\": 2048", 11,
               "tag level: over tcp there is no ethertype");
    expect_tag("\"type\": \"uint8\", \"transport\": \"ethernet\", \"port\": 1, \"ethertype\": 2048",
               11, "tag level: over ethernet there is no port");
    expect_tag("\"type\": \"bytes\", \"transport\": \"udp\", \"port\": 1", 11,
               "tag level needs the key \"length\": bytes of the bytes");
    expect_tag("\"type\": \"ipv6\", \"transport\": \"udp\", \"port\": 1, \"length\": 4", 11,
               "tag level: length: a value of type ipv6 has 16 bytes, not 4");
    expect_tag("\"type\": \"uint8\", \"transport\": \"udp\", \"port\": 1, \"offset\": -1", 11,
               "tag level: offset: before the start there is nothing; without an anchor it is 0 or "
               "more");
    expect_tag("\"type\": \"uint7\", \"transport\": \"udp\", \"port\": 1", 29,
               "type: there is no \"uint7\"; did you mean \"uint8\"?");
    expect_tag("\"transport\": \"udo\", \"port\": 1, \"type\": \"int8\"", 29,
               "transport: there is no \"udo\"; did you mean \"udp\"?");
    expect_tag("\"port\": 65536, \"transport\": \"udp\", \"type\": \"int8\"", 29,
               "port: expected a whole number from 1 to 65535");
    expect_tag("\"offset\": 65536, \"transport\": \"udp\", \"type\": \"int8\"", 29,
               "offset: expected a whole number from -65535 to 65535");
    static const char *const wrong[] = {"\"88b8\"", "\"0x5ff\"",  "1535", "\"0x10000\"",
                                        "\"0x\"",   "\"0x88bg\"", "1.5",  "[]"};
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char text[256];
        snprintf(text, sizeof(text),
                 "\"ethertype\": %s, \"transport\": \"ethernet\", \"type\": \"int8\"", wrong[i]);
        expect_tag(text, 29,
                   "ethertype: expected \"0x88b8\" in quotes or a number, from 0x0600 to 0xffff");
    }
    expect_tag("\"anchor\": \"ab\\\\y\", \"port\": 1, \"transport\": \"udp\", \"type\": \"int8\"",
               42, "anchor: \\ begins \\xHH (written \"\\\\xHH\" in JSON) or is written twice");
    expect_tag("\"anchor_hex\": \"abc\", \"port\": 1, \"transport\": \"udp\", \"type\": \"int8\"",
               29, "anchor_hex: expected pairs of hexadecimal digits, such as \"4c564c\"");
    expect_tag("\"anchor_hex\": \"ag\", \"port\": 1, \"transport\": \"udp\", \"type\": \"int8\"",
               29, "anchor_hex: expected pairs of hexadecimal digits, such as \"4c564c\"");
    expect_tag("\"anchor_hex\": \"\", \"port\": 1, \"transport\": \"udp\", \"type\": \"int8\"", 29,
               "an anchor has 1 to 255 bytes");
    expect_tag("\"anchor\": 1, \"port\": 1, \"transport\": \"udp\", \"type\": \"int8\"", 29,
               "anchor: expected a text in quotes");
    expect_tag("\"anchor\": \"a\", \"anchor_hex\": \"00\", \"port\": 1, \"transport\": \"udp\", "
               "\"type\": \"int8\"",
               44, "anchor and anchor_hex: one of both");
    expect_errors(
        "{\"tags\": [{\"name\": \"9\", \"transport\": \"udp\", \"port\": 1, \"type\": "
        "\"int8\"}]}",
        "a.json:1:12: tag \"9\": a name is a letter, then letters, digits, _ or -, at most "
        "63 of them\n");
    expect_errors("{\"tags\": [{\"name\": \"l\", \"transport\": \"udp\", \"port\": 1, \"type\": "
                  "\"int8\"},\n{\"name\": \"l\", \"transport\": \"udp\", \"port\": 1, \"type\": "
                  "\"int8\"}]}",
                  "a.json:2:2: name: this tag is made already: a.json:1:12\n");
    assert_int_equal(files->vocabulary.tag_count, 1);
}

static void test_many_tags(void **state)
{
    (void)state;
    FILE *f = fopen(path_of("a.json"), "w");
    fprintf(f, "{\"tags\": [");
    for (int i = 0; i < 1025; i++)
        fprintf(f, "%s{\"name\": \"t%d\", \"transport\": \"udp\", \"port\": 1, \"type\": \"int8\"}",
                i ? ",\n" : "", i);
    fprintf(f, "]}");
    fclose(f);
    assert_false(read_folder());
    assert_string_equal(said, "a.json:1025:2: tags: at most 1024\n");
}

/* ---- fingerprints ---- */

static uint64_t fingerprint_of(const char *text)
{
    assert_true(read_text(text));
    assert_int_equal(files->count, 1);
    return files->rules[0].fingerprint;
}

static void test_fingerprint(void **state)
{
    struct ft_schedule hours = {.range_count = 1, .ranges = {{.from_s = 1, .to_s = 2, .days = 31}}};
    (void)state;
    uint64_t first = fingerprint_of(rule_with("\"revision\": 2, \"action\": \"alert\""));
    assert_true(first == fingerprint_of(rule_with("\"action\" :\n\"alert\", \"revision\":2")));
    assert_false(first == fingerprint_of(rule_with("\"revision\": 3, \"action\": \"alert\"")));
    /* What a set holds counts, not how it is written; other sets do not count. */
    static const char rule[] =
        "\"rules\": [{\"id\": 9200001, \"title\": \"t\", \"when\": \"port in $a\"}]";
    static const char *const sets[] = {"[1, 2]", "[2, 1]", "[1, 3]"};
    uint64_t of[3];
    for (unsigned i = 0; i < 3; i++) {
        char text[512];
        snprintf(
            text, sizeof(text),
            "{\"sets\": {\"b\": {\"type\": \"port\", \"values\": %s}, \"a\": {\"type\": \"port\", "
            "\"values\": %s}}, %s}",
            sets[2 - i], sets[i], rule);
        of[i] = fingerprint_of(text);
    }
    assert_true(of[0] == of[1]);
    assert_false(of[0] == of[2]);
    environment.working_hours = &hours;
    first = fingerprint_of(rule_with("\"schedule\": \"working_hours\""));
    hours.ranges[0].to_s = 3;
    assert_false(first == fingerprint_of(rule_with("\"schedule\": \"working_hours\"")));
    static const char tag[] =
        "{\"tags\": [{\"name\": \"l\", \"transport\": \"udp\", \"port\": %d, "
        "\"type\": \"int8\"}], \"rules\": [{\"id\": 9200001, \"title\": \"t\", "
        "\"when\": \"tag.l == 1\"}]}";
    char text[512];
    snprintf(text, sizeof(text), tag, 5);
    first = fingerprint_of(text);
    snprintf(text, sizeof(text), tag, 6);
    assert_false(first == fingerprint_of(text));
}

/* ---- the configuration ---- */

/* Read a rule with this as configuration. */
static bool read_configured(const char *configuration, const char *rule)
{
    static char path[256];
    write_file("sensor.conf", configuration);
    snprintf(path, sizeof(path), "%s", path_of("sensor.conf"));
    environment.configuration = path;
    environment.working_hours = NULL;
    bool is_read = read_text(rule);
    environment.configuration = NULL;
    return is_read;
}

static void test_configuration(void **state)
{
    (void)state;
    static const char rule[] =
        "{\"rules\": [{\"id\": 9200001, \"title\": \"t\", \"when\": \"zone.src == office and "
        "ip.dst in $plc\", \"schedule\": \"working_hours\"}]}";
    static const char good[] =
        "{\"flow\": {\"max_flows\": 1000}, \"zones\": [{\"name\": \"office\", \"networks\": "
        "[\"10.9.0.0/16\"], \"purdue\": %s}, {\"name\": \"desk\", \"networks\": [\"10.9.1.0/24\", "
        "\"fd00::/8\"]}],\n\"sets\": {\"plc\": {\"type\": \"ip\", \"values\": [\"10.1.0.1\"]}}, "
        "\"working_hours\": {\"at\": [\"mon-fri 08:00-17:00\"], \"time_zone\": \"+01:00\"}}";
    char text[1024];
    snprintf(text, sizeof(text), good, "4");
    assert_true(read_configured(text, rule));
    const struct ft_vocabulary *v = &files->vocabulary;
    assert_int_equal(v->zone_count, 2);
    assert_true(v->zones[0].purdue == 4 && v->zones[1].purdue < 0);
    /* Of two zones that have an address it is the smaller. */
    struct ft_set_address desk = {0, 0xffff0a090105}, office = {0, 0xffff0a090205};
    assert_ptr_equal(ft_vocabulary_zone(v, desk), &v->zones[1]);
    assert_ptr_equal(ft_vocabulary_zone(v, office), &v->zones[0]);
    assert_null(ft_vocabulary_zone(v, (struct ft_set_address){0, 0xffff0a0a0000}));
    assert_int_equal(files->rules[0].schedule.range_count, 1);
    /* What the zones are is part of what a rule says that asks for them. */
    uint64_t first = files->rules[0].fingerprint;
    snprintf(text, sizeof(text), good, "3.5");
    assert_true(read_configured(text, rule));
    assert_false(first == files->rules[0].fingerprint);
}

static void test_wrong_configuration(void **state)
{
    (void)state;
    static const struct {
        const char *text, *said;
    } rows[] = {
        {"{\"zones\": {}}",
         "sensor.conf:1:2: zones: expected a list: [{\"name\": \"Cell 1\", \"networks\": "
         "[\"10.1.0.0/16\"], \"purdue\": 1}]\n"},
        {"{\"zones\": [{\"name\": \"a\", \"networks\": [\"10.0.0.0/8\"], \"purdue\": 5.5}]}",
         "sensor.conf:1:54: purdue: expected a level from 0 to 5, such as 1 or 3.5\n"},
        {"{\"zones\": [{\"name\": \"a\", \"networks\": []}]}",
         "sensor.conf:1:26: networks: expected a list of networks, such as [\"10.1.0.0/16\"]\n"},
        {"{\"zones\": [{\"name\": \"a\", \"networks\": [7]}]}",
         "sensor.conf:1:39: networks: expected a text in quotes\n"},
        {"{\"zones\": [{\"name\": \"a\", \"networks\": [\"10.0.0.0/8\"]},\n"
         "{\"name\": \"a\", \"networks\": [\"11.0.0.0/8\"]}]}",
         "sensor.conf:2:1: zones: there is a zone \"a\" already\n"},
        {"{\"working_hours\": \"always\"}",
         "sensor.conf:1:2: working_hours: expected {\"at\": [\"mon-fri 08:00-17:00\"], "
         "\"time_zone\": \"Europe/Berlin\"}\n"},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_false(read_configured(rows[i].text, "{\"rules\": []}"));
        assert_string_equal(said, rows[i].said);
    }
}

/* ---- many, and hostile ---- */

/* Of this process alone: others may load the machine. */
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void write_many(bool is_wrong)
{
    FILE *f = fopen(path_of("a.json"), "w");
    fprintf(f, "{\"sets\": {");
    for (int i = 0; i < 500; i++)
        fprintf(f, "%s\"set%d\": {\"type\": \"ip\", \"values\": [\"10.%d.0.0/16\", \"9.9.9.9\"]}",
                i ? "," : "", i, i % 256);
    fprintf(f, "}, \"rules\": [");
    for (int i = 0; i < 10000; i++)
        fprintf(f,
                "%s{\"id\": %d, \"title\": \"Rule %d\", \"message\": \"{ip.src} writes "
                "{modbus.write.address}\", \"severity\": \"major\", \"mitre\": [\"T0855\"], "
                "\"when\": \"protocol == modbus and command == write_single_coil and "
                "modbus.write.address in {%d, 70..80} and ip.src in $set%d and%s not ip.dst in "
                "10.%d.0.0/16\", \"schedule\": {\"at\": [\"mon-fri 08:00-17:00\"], \"time_zone\": "
                "\"UTC\"}, \"threshold\": {\"limit\": 1, \"seconds\": 60}}",
                i ? ", " : "", 9200000 + i, i, i, i % 500, is_wrong ? " prt == 5 and" : "",
                i % 256);
    fprintf(f, "]}");
    fclose(f);
}

/* All in one line: the worst for who looks for columns. */
static void test_many(void **state)
{
    (void)state;
    write_many(false);
    double start = now();
    assert_true(read_folder());
    print_message("10,000 rules: %.2f s\n", now() - start);
    assert_int_equal(files->count, 10000);
    assert_int_equal(files->rules[9999].id, 9209999);
    assert_true(now() - start < 30);
    write_many(true);
    start = now();
    assert_false(read_folder());
    print_message("10,000 errors: %.2f s\n", now() - start);
    assert_int_equal(errors, 10000);
    assert_int_equal(files->refused, 10000);
    assert_true(now() - start < 30);
}

static const char good[] =
    "{\"sets\": {\"p\\u006cc\": {\"type\": \"ip\", \"values\": [\"10.0.1.0/24\"]}},\n"
    "\"tags\": [{\"name\": \"l\", \"transport\": \"udp\", \"port\": 5, \"anchor\": \"a\\\\x00\", "
    "\"type\": \"uint8\"}],\n\"rules\": [{\"id\": 9200001, \"title\": \"\xc3\xa4\", \"message\": "
    "\"{ip.src} \\ud83d\\ude00 {tag.l}\", \"when\": \"ip.src in $plc and any "
    "dnp3.application.objects (group == 12 and not (variation > 1 or count == 0)) or http.url "
    "matches \\\"^/a+\\\"\", \"mitre\": [\"T0855\"], \"schedule\": {\"at\": [\"mon "
    "08:00-09:00\"]}, "
    "\"threshold\": {\"limit\": 1, \"seconds\": 60, \"by\": \"asset\"}}]}\n";

static void test_truncated(void **state)
{
    (void)state;
    assert_true(read_text(good));
    for (size_t n = 0; n + 3 < sizeof(good); n++) {
        write_bytes("a.json", good, n);
        assert_false(read_folder());
        assert_int_equal(errors, 1);
    }
}

static uint64_t random_state;

static uint32_t random_number(uint32_t below)
{
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(random_state >> 33) % below;
}

/* Some bytes changed, left out or put in twice. */
static size_t mutate(char *to)
{
    static const char bytes[] = "{}[]\",:\\ \n0a$()\xff\x80u";
    size_t n = sizeof(good) - 1;
    memcpy(to, good, n);
    for (uint32_t i = 0, count = 1 + random_number(3); i < count; i++) {
        size_t at = random_number((uint32_t)n), length = 1 + random_number(12);
        length = at + length > n ? n - at : length;
        switch (random_number(3)) {
        case 0:
            to[at] = bytes[random_number(sizeof(bytes) - 1)];
            break;
        case 1:
            memmove(to + at, to + at + length, n - at - length);
            n -= length;
            break;
        default:
            memmove(to + at + length, to + at, n - at);
            n += length;
        }
    }
    return n;
}

static void test_mutated(void **state)
{
    static char text[2 * sizeof(good)];
    (void)state;
    for (uint32_t seed = 0; seed < 4000; seed++) {
        random_state = seed;
        write_bytes("a.json", text, mutate(text));
        read_folder();
        assert_true(is_sound ? files->count == 1 || files->disabled || !files->refused
                             : errors > 0);
    }
}

/* Depth, and objects of many keys of which some are there twice. */
static void test_shapes(void **state)
{
    static char text[1 << 20];
    (void)state;
    memset(text, '[', 2000);
    memset(text + 2000, ']', 2000);
    text[4000] = 0;
    assert_false(read_text(text));
    memset(text, '[', 100000);
    text[100000] = 0;
    assert_false(read_text(text));
    size_t n = (size_t)sprintf(text, "{");
    for (int i = 0; i < 20000; i++)
        n += (size_t)sprintf(text + n, "%s\"k%d\": [[1, {\"a\": {}}], 2]", i ? "," : "", i % 10000);
    sprintf(text + n, "}");
    double start = now();
    assert_false(read_text(text));
    assert_int_equal(errors, 20000);
    assert_true(now() - start < 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_least, begin),
        cmocka_unit_test_setup(test_all_keys, begin),
        cmocka_unit_test_setup(test_message, begin),
        cmocka_unit_test_setup(test_schedule, begin),
        cmocka_unit_test_setup(test_threshold, begin),
        cmocka_unit_test_setup(test_threshold_of_few, begin),
        cmocka_unit_test_setup(test_threshold_errors, begin),
        cmocka_unit_test_setup(test_empty_sets, begin),
        cmocka_unit_test_setup(test_after, begin),
        cmocka_unit_test_setup(test_wrong_values, begin),
        cmocka_unit_test_setup(test_condition_places, begin),
        cmocka_unit_test_setup(test_all_errors, begin),
        cmocka_unit_test_setup(test_disabled, begin),
        cmocka_unit_test_setup(test_built_in, begin),
        cmocka_unit_test_setup(test_built_in_switched_off, begin),
        cmocka_unit_test_setup(test_built_in_replaced, begin),
        cmocka_unit_test_setup(test_warnings, begin),
        cmocka_unit_test_setup(test_folders, begin),
        cmocka_unit_test_setup(test_large, begin),
        cmocka_unit_test_setup(test_not_json, begin),
        cmocka_unit_test_setup(test_sets, begin),
        cmocka_unit_test_setup(test_wrong_sets, begin),
        cmocka_unit_test_setup(test_wrong_lines, begin),
        cmocka_unit_test_setup(test_broken, begin),
        cmocka_unit_test_setup(test_schedule_without_time, begin),
        cmocka_unit_test_setup(test_places_of_patterns, begin),
        cmocka_unit_test_setup(test_tags, begin),
        cmocka_unit_test_setup(test_wrong_tags, begin),
        cmocka_unit_test_setup(test_many_tags, begin),
        cmocka_unit_test_setup(test_fingerprint, begin),
        cmocka_unit_test_setup(test_configuration, begin),
        cmocka_unit_test_setup(test_wrong_configuration, begin),
        cmocka_unit_test_setup(test_many, begin),
        cmocka_unit_test_setup(test_truncated, begin),
        cmocka_unit_test_setup(test_mutated, begin),
        cmocka_unit_test_setup(test_shapes, begin),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
