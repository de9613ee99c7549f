/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of the configuration: every key, and for everything that can be wrong the place of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/locate.h"
#include "config/config.h"

static struct ft_config config;
static char path[64], said[16384];

/* Read a text as a configuration file; what is said comes without the file's name. */
static bool read_bytes(const char *text, size_t length)
{
    strcpy(path, "/tmp/fieldtap-config-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, length), (ssize_t)length);
    close(fd);
    said[0] = 0;
    ft_config_free(&config);
    ft_config_init(&config);
    bool ok = ft_config_read(&config, path, said, sizeof(said));
    unlink(path);
    assert_true(ok == (said[0] == 0));
    for (char *at; (at = strstr(said, path));)
        memmove(at, at + strlen(path), strlen(at + strlen(path)) + 1);
    return ok;
}

static bool read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

static void expect_error(const char *text, const char *error)
{
    assert_false(read_text(text));
    assert_string_equal(said, error);
}

static void test_defaults(void **state)
{
    (void)state;
    assert_true(read_text("{}"));
    assert_string_equal(config.sensor_name, "fieldtap");
    assert_string_equal(config.sensor_site, "");
    assert_int_equal(config.max_flows, 1048576);
    assert_int_equal(config.tcp_new_s, 30);
    assert_int_equal(config.tcp_established_s, 3600);
    assert_int_equal(config.tcp_ot_s, 86400);
    assert_int_equal(config.tcp_closed_s, 10);
    assert_int_equal(config.udp_s, 60);
    assert_int_equal(config.udp_ot_s, 300);
    assert_int_equal(config.other_s, 300);
    assert_int_equal(config.stats_interval, 60);
    assert_false(config.log_secrets || config.arkime_addresses || config.checksum_drop ||
                 config.vlan_in_flow_key);
    assert_int_equal(config.workers, 0);
    assert_int_equal(config.plugin_count, 0);
    assert_int_equal(config.binding_count, 0);
}

static void test_every_key(void **state)
{
    (void)state;
    assert_true(read_text(
        "{\"sensor\": {\"name\": \"north-1\", \"site\": \"N\xc3\xb6rdlingen\"},\n"
        " \"flow\": {\"max_flows\": 2000, \"tcp_new_s\": 1, \"tcp_established_s\": 2,\n"
        "   \"tcp_ot_s\": 3, \"tcp_closed_s\": 4, \"udp_s\": 5, \"udp_ot_s\": 6, \"other_s\": 7},\n"
        " \"stats\": {\"interval\": 0},\n"
        " \"output\": {\"log_secrets\": true, \"arkime_addresses\": true},\n"
        " \"decode\": {\"checksum\": \"drop\", \"vlan_in_flow_key\": true,"
        "   \"duplicates\": \"keep\", \"duplicate_window_us\": 500},\n"
        " \"cores\": {\"workers\": 4},\n"
        " \"plugins\": [\"/usr/lib/a.so\", \"b.so\"],\n"
        " \"bindings\": {\"modbus\": [\"tcp/1502\", \"udp/65535\"], \"dnp3\": [\"tcp/1\"]}}\n"));
    assert_string_equal(config.sensor_name, "north-1");
    assert_string_equal(config.sensor_site, "N\xc3\xb6rdlingen");
    assert_int_equal(config.max_flows, 2000);
    assert_int_equal(config.tcp_new_s, 1);
    assert_int_equal(config.tcp_established_s, 2);
    assert_int_equal(config.tcp_ot_s, 3);
    assert_int_equal(config.tcp_closed_s, 4);
    assert_int_equal(config.udp_s, 5);
    assert_int_equal(config.udp_ot_s, 6);
    assert_int_equal(config.other_s, 7);
    assert_int_equal(config.stats_interval, 0);
    assert_true(config.log_secrets && config.arkime_addresses && config.checksum_drop &&
                config.vlan_in_flow_key);
    assert_int_equal(config.duplicates, FT_CONFIG_DUPLICATES_KEEP);
    assert_int_equal(config.duplicate_window_us, 500);
    assert_int_equal(config.workers, 4);
    assert_int_equal(config.plugin_count, 2);
    assert_string_equal(config.plugins[1], "b.so");
    assert_int_equal(config.binding_count, 3);
    assert_string_equal(config.bindings[1].protocol, "modbus");
    assert_int_equal(config.bindings[1].port, 65535);
    assert_true(config.bindings[1].is_udp);
    assert_false(config.bindings[2].is_udp);
    assert_int_equal(config.bindings[2].line, 9);
    assert_int_equal(config.bindings[2].column, 61);
}

static void test_unknown_keys(void **state)
{
    (void)state;
    expect_error("{\n  \"sensors\": {}\n}",
                 ":2:3: unknown key \"sensors\"; did you mean \"sensor\"?");
    expect_error("{\"flow\": {\n    \"maxflows\": 1}}",
                 ":2:5: unknown key \"flow.maxflows\"; did you mean \"max_flows\"?");
    expect_error("{\"plugin\": []}", ":1:2: unknown key \"plugin\"; did you mean \"plugins\"?");
    expect_error("{\"binding\": []}", ":1:2: unknown key \"binding\"; did you mean \"bindings\"?");
    expect_error("{\"zzzzzz\": 1}",
                 ":1:2: unknown key \"zzzzzz\"; doc/configuration.md lists the keys");
    /* A section of another program is no slip of the pen. */
    expect_error("{\"colours\": []}",
                 ":1:2: unknown key \"colours\"; doc/configuration.md lists the keys");
    expect_error("{\"sensor\": {\"colour_of_the_housing_of_the_sensor\": 1}}",
                 ":1:13: unknown key \"sensor.colour_of_the_housing_of_the_sensor\"; "
                 "doc/configuration.md lists the keys");
    /* The place of a key is not that of the same word elsewhere. */
    expect_error("{\"sensor\": {\"site\": \"\\\"nam\\\": {[\", \"nam\": 1}}",
                 ":1:36: unknown key \"sensor.nam\"; did you mean \"name\"?");
    /* Columns count characters. */
    expect_error("{\"sensor\": {\"site\": \"\xc3\xb6\xe2\x82\xac\", \"nam\": 1}}",
                 ":1:27: unknown key \"sensor.nam\"; did you mean \"name\"?");
}

static void test_wrong_values(void **state)
{
    static const char *const not_numbers[] = {"0", "-1", "86401", "\"5\"", "1.5", "null", "[5]"};
    (void)state;
    for (unsigned i = 0; i < sizeof(not_numbers) / sizeof(not_numbers[0]); i++) {
        char text[64];
        snprintf(text, sizeof(text), "{\"flow\": {\"udp_s\": %s}}", not_numbers[i]);
        expect_error(text, ":1:11: flow.udp_s: expected a whole number from 1 to 86400");
    }
    expect_error("{\"stats\": {\"interval\": 86401}}",
                 ":1:12: stats.interval: expected a whole number from 0 to 86400");
    expect_error("{\"sensor\": {\"name\": \"\"}}",
                 ":1:13: sensor.name: expected a text of 1 to 63 characters");
    expect_error("{\"sensor\": {\"name\": 5}}",
                 ":1:13: sensor.name: expected a text of 1 to 63 characters");
    expect_error("{\"output\":\n\n{ \"log_secrets\": \"yes\"}}",
                 ":3:3: output.log_secrets: expected true or false");
    expect_error("{\"decode\": {\"checksum\": \"ignore\"}}",
                 ":1:13: decode.checksum: expected \"accept\" or \"drop\"");
    expect_error("{\"decode\": {\"duplicates\": \"no\"}}",
                 ":1:13: decode.duplicates: expected \"live\", \"drop\" or \"keep\"");
    expect_error("{\"decode\": {\"duplicates\": false}}",
                 ":1:13: decode.duplicates: expected \"live\", \"drop\" or \"keep\"");
    expect_error("{\"decode\": {\"duplicate_window_us\": 2001}}",
                 ":1:13: decode.duplicate_window_us: expected a whole number from 1 to 2000");
    expect_error("{\"decode\": {\"checksum\": true}}",
                 ":1:13: decode.checksum: expected \"accept\" or \"drop\"");
    expect_error("{\"flow\": 5}", ":1:2: flow: expected an object {...}");
    expect_error("{\"bindings\": []}", ":1:2: bindings: expected an object {...}");
    expect_error("[]", ":1:1: expected an object {...} with the sections of doc/configuration.md");
}

static void test_lists(void **state)
{
    (void)state;
    expect_error("{\"plugins\": \"x.so\"}",
                 ":1:2: plugins: expected a list, such as [\"/usr/lib/x.so\"]");
    expect_error("{\"ports\": [\"0000:3b:00.0\",\n 7]}",
                 ":2:2: ports[1]: expected a text, such as \"0000:3b:00.0\"");
    expect_error("{\"cores\": {\"workers\": [2, 3,\n 2]}}",
                 ":2:2: cores.workers[2]: expected a CPU from 0 to 1023, each once");
    expect_error("{\"plugins\": [\"a.so\",\n 7]}",
                 ":2:2: plugins[1]: expected a text, such as \"/usr/lib/x.so\"");
    expect_error("{\"bindings\": {\"modbus\": 502}}",
                 ":1:15: bindings.modbus: expected a list of ports, such as [\"tcp/1502\"]");
    expect_error("{\"bindings\": {\"modbus\": [\"tcp/7\"], \"dnp3\": [\"udp/7\", \"tcp/7\"]}}",
                 ":1:54: bindings.dnp3[1]: tcp/7 is bound to modbus already");
    static const char *const not_ports[] = {
        "502",        "\"502\"",    "\"tcp/\"",   "\"tcp/0\"",  "\"tcp/65536\"",
        "\"tcp/5x\"", "\"sctp/5\"", "\"udp/-1\"", "\"udp/ 5\"", "\"tcp/99999999999999999999\""};
    for (unsigned i = 0; i < sizeof(not_ports) / sizeof(not_ports[0]); i++) {
        char text[96];
        snprintf(text, sizeof(text), "{\"bindings\": {\"modbus\": [\"tcp/5\", %s]}}", not_ports[i]);
        expect_error(text, ":1:35: bindings.modbus[1]: expected \"tcp/PORT\" or \"udp/PORT\", "
                           "PORT from 1 to 65535");
    }
}

static void test_too_many(void **state)
{
    char text[65536];
    (void)state;
    size_t n = (size_t)sprintf(text, "{\"plugins\": [");
    for (unsigned i = 0; i <= FT_CONFIG_PLUGINS; i++)
        n += (size_t)sprintf(text + n, "%s\"p\"", i ? "," : "");
    sprintf(text + n, "]}");
    expect_error(text, ":1:270: plugins: at most 64");
    n = (size_t)sprintf(text, "{\"bindings\": {\"modbus\": [\n");
    for (unsigned i = 0; i <= FT_CONFIG_BINDINGS; i++)
        n += (size_t)sprintf(text + n, "%s\"tcp/%u\"", i ? ",\n" : "", i + 1);
    sprintf(text + n, "]}}");
    expect_error(text, ":1026:1: bindings: at most 1024");
}

static void test_all_errors_are_told(void **state)
{
    (void)state;
    expect_error("{\n"
                 "  \"sensor\": {\"nam\": \"x\"},\n"
                 "  \"flow\": {\"udp_s\": 0, \"udp_ot_s\": 5},\n"
                 "  \"extra\": 1\n"
                 "}\n",
                 ":2:14: unknown key \"sensor.nam\"; did you mean \"name\"?\n"
                 ":3:12: flow.udp_s: expected a whole number from 1 to 86400\n"
                 ":4:3: unknown key \"extra\"; doc/configuration.md lists the keys");
    assert_int_equal(config.udp_ot_s, 5);
}

/* More errors than there is room for: cut, but within the room. */
static void test_small_room(void **state)
{
    char text[4096], small[100];
    (void)state;
    size_t n = (size_t)sprintf(text, "{\"flow\": {");
    for (unsigned i = 0; i < 50; i++)
        n += (size_t)sprintf(text + n, "%s\"key%u\": 1", i ? ", " : "", i);
    sprintf(text + n, "}}");
    FILE *f = fopen("/tmp/fieldtap-config-small", "w");
    fputs(text, f);
    fclose(f);
    ft_config_free(&config);
    ft_config_init(&config);
    memset(small, 'x', sizeof(small));
    assert_false(ft_config_read(&config, "/tmp/fieldtap-config-small", small, 60));
    assert_true(memchr(small, 0, 60) != NULL);
    assert_int_equal(small[60], 'x');
    unlink("/tmp/fieldtap-config-small");
}

static void test_syntax(void **state)
{
    static const struct {
        const char *text, *place, *about;
    } rows[] = {
        {"{\n  \"flow\": {\"udp_s\": 5,}\n}", ":2:", "string or '}' expected"},
        {"{\"flow\": {}", ":1:", "'}' expected"},
        {"", ":1:", "expected"},
        {"nonsense", ":1:", "expected"},
        {"{\"flow\": {\"udp_s\": 5, \"udp_s\": 6}}", ":1:", "duplicate object key"},
        {"{\"flow\": {},\n \"flow\": {}}", ":2:", "duplicate object key"},
        {"{} {}", ":1:", "end of file expected"},
        {"{\"flow\": {\"udp_s\": 99999999999999999999}}", ":1:", "too big integer"},
        {"{\"sensor\": {\"name\": \"\xff\"}}", ":1:", "unable to decode byte 0xff"},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unsigned line, column;
        assert_false(read_text(rows[i].text));
        assert_int_equal(strncmp(said, rows[i].place, strlen(rows[i].place)), 0);
        assert_int_equal(sscanf(said, ":%u:%u: cannot be read as JSON: ", &line, &column), 2);
        assert_true(column >= 1);
        assert_non_null(strstr(said, rows[i].about));
    }
    /* What else is wrong is told with a key that is there twice. */
    assert_false(read_text("{\"flow\": {\"udp_s\": 5, \"udp_s\": 6},\n \"foo\": 1}"));
    assert_non_null(strstr(said, "duplicate object key"));
    assert_non_null(strstr(said, "\n:2:2: "));
    /* A byte order mark is nobody's fault, and moves no column. */
    assert_true(read_text("\xef\xbb\xbf{\"flow\": {\"udp_s\": 7}}"));
    assert_int_equal(config.udp_s, 7);
    assert_false(read_text("\xef\xbb\xbf{\"foo\": 1}"));
    assert_int_equal(strncmp(said, ":1:2: ", 6), 0);
    /* What comes behind a NUL byte is not ignored, nor is the byte. */
    assert_false(read_bytes("{}\0{\"x\": 1}", 11));
    assert_false(read_bytes("{\"flow\": {\n\"udp_s\": 5\0}}", 23));
    assert_string_equal(said, ":2:11: a byte 0 stands here: this is no text");
}

static void test_files(void **state)
{
    (void)state;
    assert_false(ft_config_read(&config, "/nowhere/x.json", said, sizeof(said)));
    assert_string_equal(said, "/nowhere/x.json: No such file or directory");
    assert_false(ft_config_read(&config, "/tmp", said, sizeof(said)));
    assert_string_equal(said, "/tmp: Is a directory");
    FILE *f = fopen("/tmp/fieldtap-config-large", "w");
    assert_int_equal(ftruncate(fileno(f), (17 << 20)), 0);
    fclose(f);
    assert_false(ft_config_read(&config, "/tmp/fieldtap-config-large", said, sizeof(said)));
    assert_non_null(strstr(said, "larger than 16 MiB"));
    unlink("/tmp/fieldtap-config-large");
}

static void test_locate(void **state)
{
    static const char text[] =
        "{ \"a\": [1, {\"b\\\"]\": [[], \"}\"]},\n\t{\"c\" : 5}],\n \"d\":2}";
    struct ft_step c[] = {{"a", 0}, {NULL, 2}, {"c", 0}}, d[] = {{"d", 0}}, none[] = {{"e", 0}};
    (void)state;
    struct ft_place place = ft_locate(text, c, 3);
    assert_int_equal(place.line, 2);
    assert_int_equal(place.column, 3);
    place = ft_locate(text, d, 1);
    assert_int_equal(place.line, 3);
    assert_int_equal(place.column, 2);
    place = ft_locate(text, none, 1);
    assert_int_equal(place.line, 1);
    assert_int_equal(place.column, 1);
    place = ft_locate("{\"a", c, 3);
    assert_int_equal(place.line, 1);
    place = ft_locate("", c, 3);
    assert_int_equal(place.column, 1);
}

/* The reference has every key that is read, with its default. */
static void test_journal(void **state)
{
    (void)state;
    assert_true(read_text("{}"));
    assert_false(config.journal.is_given || config.has_outputs);
    assert_string_equal(config.journal.folder, "/var/lib/fieldtap/journal");
    assert_true(config.journal.classes[0].sync_every && !config.journal.classes[1].sync_every);
    assert_int_equal(config.journal.classes[1].sync_ms, 200);
    assert_true(read_text(
        "{\"journal\": {\"folder\": \"j\", \"total_bytes\": 16777216, \"memory_bytes\": 4194304,"
        " \"segment_bytes\": 262144, \"classes\": {"
        "\"alert\": {\"max_bytes\": 4194304, \"max_days\": 1, \"sync\": 50},"
        "\"transaction\": {\"sync\": \"every\"}}}, \"outputs\": [{}]}"));
    const struct ft_config_journal *j = &config.journal;
    assert_true(j->is_given && config.has_outputs);
    assert_string_equal(j->folder, "j");
    assert_int_equal(j->total_bytes, 16777216);
    assert_int_equal(j->memory_bytes, 4194304);
    assert_int_equal(j->segment_bytes, 262144);
    assert_int_equal(j->classes[0].max_bytes, 4194304);
    assert_int_equal(j->classes[0].max_days, 1);
    assert_int_equal(j->classes[0].sync_ms, 50);
    assert_true(!j->classes[0].sync_every && j->classes[3].sync_every);
    assert_int_equal(j->classes[2].max_bytes, 512u << 20);
    assert_true(read_text("{\"journal\": {\"total_bytes\": 0}}"));
}

static void test_journal_wrong(void **state)
{
    (void)state;
    expect_error("{\"journal\": []}", ":1:2: journal: expected an object {...}");
    expect_error("{\"journal\": {\n \"foldr\": 1}}",
                 ":2:2: unknown key \"journal.foldr\"; did you mean \"folder\"?");
    expect_error("{\"journal\": {\"folder\": \"\"}}",
                 ":1:14: journal.folder: expected a text of 1 to 4000 characters");
    expect_error("{\"journal\": {\"total_bytes\": 5}}",
                 ":1:14: journal.total_bytes: expected 0 or a whole number from 16777216 to "
                 "1125899906842624");
    expect_error("{\"journal\": {\"classes\": {\"alerts\": {}}}}",
                 ":1:26: unknown key \"journal.classes.alerts\"; did you mean \"alert\"?");
    expect_error("{\"journal\": {\"classes\": {\"alert\": {\"max_day\": 3}}}}",
                 ":1:36: unknown key \"journal.classes.alert.max_day\"; did you mean "
                 "\"max_days\"?");
    expect_error("{\"journal\": {\"classes\": {\"flow\": {\"sync\": 0}}}}",
                 ":1:35: journal.classes.flow.sync: expected \"every\" or a whole number from 1 to "
                 "60000");
    expect_error("{\"journals\": {}}", ":1:2: unknown key \"journals\"; did you mean \"journal\"?");
}

static void test_service(void **state)
{
    (void)state;
    assert_true(read_text("{}"));
    assert_string_equal(config.user, "");
    assert_int_equal(config.seccomp, 0);
    assert_false(config.core_dumps);
    assert_int_equal(config.interface_count, 0);
    assert_true(read_text("{\"service\": {\"user\": \"fieldtap\", \"seccomp\": \"log\", "
                          "\"core_dumps\": true}, \"interfaces\": [\"eth1\", \"eth2,eth3\"]}"));
    assert_string_equal(config.user, "fieldtap");
    assert_int_equal(config.seccomp, 1);
    assert_true(config.core_dumps);
    assert_int_equal(config.interface_count, 2);
    assert_string_equal(config.interfaces[1], "eth2,eth3");
    expect_error("{\"service\": {\"seccomp\": \"no\"}}",
                 ":1:14: service.seccomp: expected \"on\", \"log\" or \"off\"");
}

static void test_describe(void **state)
{
    char *text = NULL;
    size_t size = 0;
    (void)state;
    FILE *f = open_memstream(&text, &size);
    ft_config_describe(f);
    fclose(f);
    assert_non_null(strstr(text, "flow.max_flows            128 to 8388480 "));
    assert_non_null(strstr(text, "(default 1048576)\n"));
    assert_non_null(strstr(text, "\"accept\" or \"drop\""));
    assert_non_null(strstr(text, "bindings.PROTOCOL"));
    unsigned lines = 0;
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines, 72);
    assert_non_null(strstr(text, "\"live\", \"drop\" or \"keep\""));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_unknown_keys),
        cmocka_unit_test(test_wrong_values),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_all_errors_are_told),
        cmocka_unit_test(test_small_room),
        cmocka_unit_test(test_syntax),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_locate),
        cmocka_unit_test(test_journal),
        cmocka_unit_test(test_journal_wrong),
        cmocka_unit_test(test_service),
        cmocka_unit_test(test_describe),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ft_config_free(&config);
    return failed;
}
