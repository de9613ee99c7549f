/* SPDX-License-Identifier: BSD-3-Clause */
/* Test of sinks' filters: what passes each key, all of them together, and every way to write one
 * wrongly, with the sentence that says what would be right and where it stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "forward/sink_filter.h"
#include "forward_lines.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static char g_errors[4096];

/* "severity: sentence" or "engines[1]: sentence", a line each. */
static void keep_error(void *user, const struct ft_step *path, uint32_t steps, const char *text)
{
    (void)user;
    size_t used = strlen(g_errors);
    if (steps == 2)
        snprintf(g_errors + used, sizeof(g_errors) - used, "%s[%u]: %s\n", path[0].key,
                 path[1].index, text);
    else
        snprintf(g_errors + used, sizeof(g_errors) - used, "%s: %s\n", steps ? path[0].key : "",
                 text);
}

static const char *const protocols[] = {"modbus", "s7comm", "arp", NULL};

static bool read_text(struct ft_sink_filter *f, const char *text, const char *const *names)
{
    struct ft_sink_filter_reading reading = {
        .prefix = "outputs[0].filter", .protocols = names, .wrong = keep_error};
    json_t *root = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(root);
    memset(f, 0, sizeof(*f));
    g_errors[0] = 0;
    bool is_right = ft_sink_filter_read(f, root, &reading);
    json_decref(root);
    assert_int_equal(is_right, !*g_errors);
    return is_right;
}

static bool passes(const char *filter, const char *line)
{
    struct ft_sink_filter *f = malloc(sizeof(*f));
    struct ft_forward_event e;
    if (!read_text(f, filter, protocols))
        fail_msg("%s", g_errors);
    assert_true(ft_forward_event_read(&e, line, strlen(line)));
    bool result = ft_sink_filter_passes(f, &e);
    ft_forward_event_free(&e);
    free(f);
    return result;
}

/* Which of the lines pass: a letter each. */
static const char *passing(const char *filter)
{
    static const struct {
        char letter;
        const char *line;
    } lines[] = {{'A', LINE_ALERT}, {'E', LINE_ETHERNET_ALERT}, {'H', LINE_HEALTH},
                 {'D', LINE_ASSET}, {'O', LINE_OPERATION},      {'F', LINE_FLOW},
                 {'S', LINE_STATS}, {'T', LINE_TRANSACTION},    {'Y', LINE_ANOMALY}};
    static char found[16];
    uint32_t n = 0;
    for (uint32_t i = 0; i < COUNT(lines); i++)
        if (passes(filter, lines[i].line))
            found[n++] = lines[i].letter;
    found[n] = 0;
    return found;
}

static void test_passing(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"{}", "AEHDOFSTY"},
        {"{\"severity\":\"critical\"}", "A"},
        {"{\"severity\":\"major\"}", "AH"},
        {"{\"severity\":\"minor\"}", "AEH"},
        {"{\"severity\":\"warning\"}", "AEHY"},
        {"{\"engines\":[\"policy_violation\"]}", "A"},
        {"{\"engines\":[\"operational\",\"anomaly\"]}", "EH"},
        {"{\"engines\":[\"malware\"]}", ""},
        {"{\"protocols\":[\"modbus\"]}", "OFTY"},
        {"{\"protocols\":[\"s7comm\",\"arp\"]}", "AE"},
        {"{\"types\":[\"alert\"]}", "AE"},
        {"{\"types\":[\"transaction\",\"asset\",\"stats\"]}", "DST"},
        {"{\"types\":[\"health\",\"flow\",\"operation\",\"anomaly\"]}", "HOFY"},
        {"{\"types\":[\"rule\",\"message\"]}", ""},
        {"{\"updates\":false}", "EHDOFSTY"},
        {"{\"updates\":true}", "AEHDOFSTY"},
        {"{\"types\":[\"alert\",\"anomaly\"],\"severity\":\"minor\"}", "AE"},
        {"{\"types\":[\"alert\"],\"severity\":\"minor\",\"updates\":false}", "E"},
        {"{\"engines\":[\"protocol_violation\"],\"protocols\":[\"modbus\"]}", "Y"},
    };
    for (uint32_t i = 0; i < COUNT(rows); i++)
        if (strcmp(passing(rows[i][0]), rows[i][1]))
            fail_msg("%s passes %s and not %s", rows[i][0], passing(rows[i][0]), rows[i][1]);
    /* Health events of a dissector name its protocol. */
    assert_true(passes("{\"protocols\":[\"arp\"]}",
                       "{\"event_type\":\"health\",\"health\":{\"protocol\":\"arp\"}}"));
    assert_true(passes("{\"types\":[\"rule\"]}", "{\"event_type\":\"rule\"}"));
    assert_true(passes("{\"types\":[\"message\"]}", "{\"event_type\":\"message\"}"));
    assert_false(passes("{\"types\":[\"alert\"]}", "{}"));
}

static void test_errors(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"[]", ": outputs[0].filter: expected an object {...}\n"},
        {"{\"severty\":\"major\"}",
         "severty: unknown key \"outputs[0].filter.severty\"; did you mean \"severity\"?\n"},
        {"{\"colour\":1}", "colour: unknown key \"outputs[0].filter.colour\"; "
                           "doc/forwarding-formats.md lists the keys\n"},
        {"{\"severity\":\"mayor\"}",
         "severity: outputs[0].filter.severity: unknown name \"mayor\"; "
         "did you mean \"major\"?\n"},
        {"{\"severity\":\"high\"}",
         "severity: outputs[0].filter.severity: expected \"critical\", \"major\", \"minor\" or "
         "\"warning\"\n"},
        {"{\"severity\":2}",
         "severity: outputs[0].filter.severity: expected \"critical\", \"major\", \"minor\" or "
         "\"warning\"\n"},
        {"{\"engines\":\"malware\"}",
         "engines: outputs[0].filter.engines: expected a list, such as "
         "[\"protocol_violation\"]\n"},
        {"{\"engines\":[]}", "engines: outputs[0].filter.engines: expected a list, such as "
                             "[\"protocol_violation\"]\n"},
        {"{\"engines\":[\"malware\",\"anomalies\"]}",
         "engines[1]: outputs[0].filter.engines[1]: unknown name \"anomalies\"; did you mean "
         "\"anomaly\"?\n"},
        {"{\"types\":[\"alerts\"]}",
         "types[0]: outputs[0].filter.types[0]: unknown name \"alerts\"; "
         "did you mean \"alert\"?\n"},
        {"{\"types\":[null]}",
         "types[0]: outputs[0].filter.types[0]: expected \"alert\", \"anomaly\", \"asset\", "
         "\"flow\", \"health\", \"message\", \"operation\", \"rule\", \"stats\" or "
         "\"transaction\"\n"},
        {"{\"protocols\":{}}",
         "protocols: outputs[0].filter.protocols: expected a list, such as [\"modbus\"]\n"},
        {"{\"protocols\":[\"modbus\",\"s7com\"]}",
         "protocols[1]: outputs[0].filter.protocols[1]: unknown protocol \"s7com\"; did you mean "
         "\"s7comm\"?\n"},
        {"{\"protocols\":[\"gopher\"]}",
         "protocols[0]: outputs[0].filter.protocols[0]: unknown protocol \"gopher\"; fieldtap "
         "--list-protocols lists them\n"},
        {"{\"protocols\":[7]}",
         "protocols[0]: outputs[0].filter.protocols[0]: expected the name of "
         "a protocol, such as \"modbus\"\n"},
        {"{\"updates\":\"no\"}", "updates: outputs[0].filter.updates: expected true or false\n"},
        /* All of them, not only the first. */
        {"{\"updates\":0,\"typs\":[],\"severity\":\"minr\"}",
         "updates: outputs[0].filter.updates: expected true or false\n"
         "typs: unknown key \"outputs[0].filter.typs\"; did you mean \"types\"?\n"
         "severity: outputs[0].filter.severity: unknown name \"minr\"; did you mean \"minor\"?\n"},
    };
    struct ft_sink_filter *f = malloc(sizeof(*f));
    for (uint32_t i = 0; i < COUNT(rows); i++) {
        assert_false(read_text(f, rows[i][0], protocols));
        assert_string_equal(g_errors, rows[i][1]);
    }
    /* Nobody says which protocols there are: any word is one. */
    assert_true(read_text(f, "{\"protocols\":[\"gopher\"]}", NULL));
    assert_false(
        read_text(f, "{\"protocols\":[\"\",\"a_name_longer_than_any_protocol_has\"]}", NULL));
    char many[FT_SINK_FILTER_PROTOCOLS * 8 + 64] = "{\"protocols\":[\"modbus\"";
    for (uint32_t i = 1; i < FT_SINK_FILTER_PROTOCOLS; i++)
        strcat(many, ",\"arp\"");
    size_t used = strlen(many);
    strcpy(many + used, "]}");
    assert_true(read_text(f, many, protocols));
    strcpy(many + used, ",\"arp\"]}");
    assert_false(read_text(f, many, protocols));
    assert_string_equal(g_errors, "protocols[128]: outputs[0].filter.protocols: at most 128\n");
    free(f);
}

static void test_describe(void **state)
{
    (void)state;
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    ft_sink_filter_describe("filter", to);
    fclose(to);
    assert_non_null(strstr(text, "filter.severity  \"critical\", \"major\", \"minor\" or "
                                 "\"warning\"  the least severity that is sent  (default all)\n"));
    assert_non_null(strstr(text, "filter.updates  true or false  "));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_passing),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_describe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
