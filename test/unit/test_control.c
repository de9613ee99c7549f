/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of requests to the control socket, and of the table of commands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "control/request.h"

static struct ft_control_request request;
static char said[512];

static bool read_line(const char *line)
{
    ft_control_request_free(&request);
    said[0] = 0;
    return ft_control_read(line, strlen(line), &request, said, sizeof(said));
}

static void refused(const char *line, const char *why)
{
    assert_false(read_line(line));
    assert_string_equal(said, why);
}

static void test_arguments(void **state)
{
    (void)state;
    assert_true(read_line("{\"command\": \"flows\", \"top\": 1000, \"by\": \"new\", \"id\": 9}"));
    assert_int_equal(request.command, FT_CONTROL_FLOWS);
    assert_int_equal(ft_control_number(&request, "top", 20), 1000);
    assert_string_equal(ft_control_text(&request, "by", "bytes"), "new");
    assert_int_equal(json_integer_value(request.id), 9);
    assert_false(ft_control_is_change(&request));
    assert_true(read_line("{\"command\": \"flows\"}"));
    assert_int_equal(ft_control_number(&request, "top", 20), 20);
    assert_null(request.id);
    ft_control_request_free(&request);
}

static void test_changes(void **state)
{
    (void)state;
    assert_true(read_line("{\"command\": \"filter\"}") && !ft_control_is_change(&request));
    assert_true(read_line("{\"command\": \"filter\", \"expression\": \"\"}"));
    assert_true(ft_control_is_change(&request));
    assert_true(read_line("{\"command\": \"shutdown\"}") && ft_control_is_change(&request));
    ft_control_request_free(&request);
}

static void test_refused(void **state)
{
    (void)state;
    refused("[]", "expected an object: {\"command\": \"status\"}");
    refused("{}", "\"command\" is missing: {\"command\": \"status\"}");
    refused("{\"command\": \"flow\"}", "there is no command \"flow\"; did you mean \"flows\"?");
    refused("{\"command\": \"flows\", \"top\": 1001}",
            "top: expected a whole number from 1 to 1000");
    refused("{\"command\": \"flows\", \"top\": -1}", "top: expected a whole number from 1 to 1000");
    refused("{\"command\": \"flows\", \"by\": \"x\"}",
            "by: expected one of \"bytes\", \"packets\", \"new\"");
    refused("{\"command\": \"status\", \"top\": 1}", "\"status\" takes no \"top\"");
    refused("{\"command\": \"pcap\"}", "\"pcap\" needs \"alert\": alert_id of the alert");
    refused("{\"command\": \"status\", \"id\": []}",
            "id: expected a whole number or a text of 0 to 128 characters");
    ft_control_request_free(&request);
}

/* What fieldtapctl relies on: plain arguments come first, names are never those of its options. */
static void test_table(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FT_CONTROL_COMMANDS; i++) {
        const struct ft_control_command *c = &ft_control_commands[i];
        assert_non_null(c->name);
        assert_non_null(c->title);
        for (unsigned k = 0; k < FT_CONTROL_ARGUMENTS && c->arguments[k].name; k++) {
            const struct ft_control_argument *a = &c->arguments[k];
            assert_non_null(a->title);
            assert_int_not_equal(a->kind, FT_CONTROL_NONE);
            assert_true(strcmp(a->name, "command") != 0 && strcmp(a->name, "id") != 0 &&
                        strcmp(a->name, "socket") != 0 && strcmp(a->name, "count") != 0);
            assert_ptr_equal(ft_control_argument(c, a->name), a);
            for (unsigned before = 0; before < k; before++)
                assert_true(c->arguments[before].is_plain || !a->is_plain);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
