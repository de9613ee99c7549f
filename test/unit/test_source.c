/* SPDX-License-Identifier: BSD-3-Clause */
/* source.c: values of keys by paths into an event, lists of paths and constant texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "forward/source.h"

static const char line[] =
    "{\"event_type\":\"x\",\"text\":\"a b\",\"empty\":\"\",\"number\":-12,\"real\":2.5,"
    "\"yes\":true,\"no\":false,\"nothing\":null,\"in\":{\"side\":\"deep\"},"
    "\"list\":[\"a\",7,false,true,null,\"\",{\"b\":1},\"c\"],\"none\":[]}";

static struct ft_forward_event event;

static int setup(void **state)
{
    (void)state;
    return ft_forward_event_read(&event, line, strlen(line)) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    ft_forward_event_free(&event);
    return 0;
}

/* NULL: there is none. */
static void assert_value(const char *source, const char *expected)
{
    static char room[FT_SOURCE_ROOM];
    const struct ft_forward_sensor sensor = {.name = "line3", .version = "1.2"};
    struct ft_source_value v;
    bool has = ft_source_value(&sensor, &event, source, room, &v);
    if (has != (expected != NULL) ||
        (has && (v.length != strlen(expected) || memcmp(v.text, expected, v.length) != 0)))
        fail_msg("%s: \"%.*s\"", source, has ? (int)v.length : 0, has ? v.text : "");
}

static void test_values(void **state)
{
    (void)state;
    assert_value("text", "a b");
    assert_value("number", "-12");
    assert_value("real", "2.5");
    assert_value("yes", "true");
    assert_value("no", "false");
    assert_value("in.side", "deep");
    assert_value("list", "a, 7, false, true, c");
}

static void test_nothing(void **state)
{
    (void)state;
    assert_value("empty", NULL);
    assert_value("nothing", NULL);
    assert_value("none", NULL);
    assert_value("in", NULL);
    assert_value("in.side.deep", NULL);
    assert_value("in.other", NULL);
    assert_value("other", NULL);
}

/* The first that is there; behind = the text itself, blanks and all. */
static void test_choices(void **state)
{
    (void)state;
    assert_value("other text number", "a b");
    assert_value("other empty nothing number", "-12");
    assert_value("other empty", NULL);
    assert_value("=Some text", "Some text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_values, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_choices, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
