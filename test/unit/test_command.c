/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * command.c: the table of the control socket's commands, row by row: what a script relies on. Who
 * changes a row changes what fieldtapctl and others may send.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "control/command.h"

struct argument_row {
    const char *name;
    enum ft_control_kind kind;
    bool is_needed, is_plain;
    uint64_t low, high;
    const char *words[FT_CONTROL_WORDS];
    const char *standard; /* as the title ends with it; NULL: it says none */
};

static const struct {
    enum ft_control_id id;
    const char *name;
    enum ft_control_effect effect;
    struct argument_row arguments[FT_CONTROL_ARGUMENTS];
} rows[] = {
    {FT_CONTROL_STATUS, "status", FT_CONTROL_LOOKS, {{0}}},
    {FT_CONTROL_STATS, "stats", FT_CONTROL_LOOKS, {{0}}},
    {FT_CONTROL_PORTS, "ports", FT_CONTROL_LOOKS, {{0}}},
    {FT_CONTROL_WORKERS, "workers", FT_CONTROL_LOOKS, {{0}}},
    {FT_CONTROL_LEDGER, "ledger", FT_CONTROL_LOOKS, {{0}}},
    {FT_CONTROL_FLOWS,
     "flows",
     FT_CONTROL_LOOKS,
     {{"top", FT_CONTROL_NUMBER, false, false, 1, 1000, {0}, "(default 20)"},
      {"by", FT_CONTROL_WORD, false, false, 0, 0, {"bytes", "packets", "new"}, "(default bytes)"}}},
    {FT_CONTROL_ASSETS,
     "assets",
     FT_CONTROL_LOOKS,
     {{"address", FT_CONTROL_TEXT, false, true, 1, 63, {0}, NULL},
      {"limit", FT_CONTROL_NUMBER, false, false, 1, 1000, {0}, "(default 100)"},
      {"after", FT_CONTROL_NUMBER, false, false, 0, UINT32_MAX, {0}, "(default 0)"}}},
    {FT_CONTROL_PROTOCOLS, "protocols", FT_CONTROL_LOOKS, {{0}}},
    {FT_CONTROL_RULES_LIST,
     "rules list",
     FT_CONTROL_LOOKS,
     {{"limit", FT_CONTROL_NUMBER, false, false, 1, 10000, {0}, "(default 1000)"},
      {"after", FT_CONTROL_NUMBER, false, false, 0, UINT32_MAX, {0}, "(default 0)"}}},
    {FT_CONTROL_RULES_STATS,
     "rules stats",
     FT_CONTROL_LOOKS,
     {{"top", FT_CONTROL_NUMBER, false, false, 1, 10000, {0}, "(default 20)"}}},
    {FT_CONTROL_RULES_EXPLAIN,
     "rules explain",
     FT_CONTROL_LOOKS,
     {{"rule", FT_CONTROL_NUMBER, true, true, 1, UINT32_MAX, {0}, NULL}}},
    {FT_CONTROL_RULES_RELOAD, "rules reload", FT_CONTROL_CHANGES, {{0}}},
    {FT_CONTROL_SINKS, "sinks", FT_CONTROL_LOOKS, {{0}}},
    {FT_CONTROL_SINK_TEST,
     "sink test",
     FT_CONTROL_CHANGES,
     {{"name", FT_CONTROL_TEXT, true, true, 1, 63, {0}, NULL}}},
    {FT_CONTROL_FILTER,
     "filter",
     FT_CONTROL_CHANGES_IF_GIVEN,
     {{"expression", FT_CONTROL_TEXT, false, true, 0, 4096, {0}, NULL}}},
    {FT_CONTROL_LOG_LEVEL,
     "log level",
     FT_CONTROL_CHANGES_IF_GIVEN,
     {{"level",
       FT_CONTROL_WORD,
       false,
       true,
       0,
       0,
       {"error", "warning", "notice", "info", "debug"},
       NULL}}},
    {FT_CONTROL_CAPTURE_STOP, "capture stop", FT_CONTROL_CHANGES, {{0}}},
    {FT_CONTROL_CAPTURE_START, "capture start", FT_CONTROL_CHANGES, {{0}}},
    {FT_CONTROL_PCAP,
     "pcap",
     FT_CONTROL_LOOKS,
     {{"alert", FT_CONTROL_TEXT, true, true, 1, 127, {0}, NULL}}},
    {FT_CONTROL_SHUTDOWN, "shutdown", FT_CONTROL_CHANGES, {{0}}},
};

static void assert_argument(const struct ft_control_argument *a, const struct argument_row *row)
{
    if (!a->name || strcmp(a->name, row->name) != 0 || a->kind != row->kind ||
        a->is_needed != row->is_needed || a->is_plain != row->is_plain || a->low != row->low ||
        a->high != row->high)
        fail_msg("%s is another", row->name);
    for (unsigned i = 0; i < FT_CONTROL_WORDS && (a->words[i] || row->words[i]); i++)
        assert_string_equal(a->words[i] ? a->words[i] : "", row->words[i] ? row->words[i] : "");
    const char *said = strstr(a->title, "(default");
    assert_string_equal(said ? said : "", row->standard ? row->standard : "");
}

static void test_rows(void **state)
{
    (void)state;
    assert_int_equal(sizeof(rows) / sizeof(rows[0]), FT_CONTROL_COMMANDS);
    for (unsigned i = 0; i < FT_CONTROL_COMMANDS; i++) {
        const struct ft_control_command *c = &ft_control_commands[rows[i].id];
        assert_int_equal(rows[i].id, i);
        assert_string_equal(c->name, rows[i].name);
        assert_int_equal(c->effect, rows[i].effect);
        assert_true(*c->title);
        for (unsigned k = 0; k < FT_CONTROL_ARGUMENTS; k++) {
            if (rows[i].arguments[k].name)
                assert_argument(&c->arguments[k], &rows[i].arguments[k]);
            else
                assert_null(c->arguments[k].name);
        }
    }
}

static void test_argument(void **state)
{
    (void)state;
    const struct ft_control_command *c = &ft_control_commands[FT_CONTROL_ASSETS];
    assert_ptr_equal(ft_control_argument(c, "address"), &c->arguments[0]);
    assert_ptr_equal(ft_control_argument(c, "after"), &c->arguments[2]);
    assert_null(ft_control_argument(c, "top"));
    assert_null(ft_control_argument(c, ""));
    assert_null(ft_control_argument(&ft_control_commands[FT_CONTROL_STATUS], "after"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_argument),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
