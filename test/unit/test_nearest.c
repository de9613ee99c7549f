/* SPDX-License-Identifier: BSD-3-Clause */
/* nearest.c: what somebody meant who misspelled a word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/nearest.h"

static const char *nearest(const char *word, const char *const *valid)
{
    struct ft_nearest n = ft_nearest_begin(word);
    for (; *valid; valid++)
        ft_nearest_offer(&n, *valid);
    return n.best;
}

static void assert_nearest(const char *word, const char *meant)
{
    static const char *const valid[] = {"cores", "capture", "filter", "flow",
                                        "rules", "sensor",  "sites",  NULL};
    const char *best = nearest(word, valid);
    if (meant ? !best || strcmp(best, meant) != 0 : best != NULL)
        fail_msg("%s: %s", word, best ? best : "nothing");
}

static void test_slips(void **state)
{
    (void)state;
    assert_nearest("cores", "cores");
    assert_nearest("corse", "cores"); /* two letters changed places */
    assert_nearest("core", "cores");  /* one is missing */
    assert_nearest("cors", "cores");
    assert_nearest("coores", "cores"); /* one too many */
    assert_nearest("filtre", "filter");
    assert_nearest("ifltre", "filter"); /* two slips in six letters */
    assert_nearest("cpature", "capture");
    assert_nearest("captur", "capture");
    assert_nearest("flwo", "flow");
}

/* One wrong letter of three is a slip, more is another word. */
static void test_others(void **state)
{
    (void)state;
    assert_nearest("zones", NULL);
    assert_nearest("f", NULL);
    assert_nearest("", NULL);
    assert_nearest("x", NULL);
    assert_nearest("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", NULL);
    assert_nearest("wolf", NULL);
    assert_nearest("capturecapture", NULL);
}

/* The nearest of all; of those that are alike, the first. */
static void test_best(void **state)
{
    static const char *const one[] = {"pots", "port", "ports", NULL};
    static const char *const alike[] = {"rate", "date", "gate", NULL};
    static const char *const longest[] = {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL};   /* 31 */
    static const char *const too_long[] = {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL}; /* 32 */
    (void)state;
    assert_string_equal(nearest("ports", one), "ports");
    assert_string_equal(nearest("late", alike), "rate");
    assert_non_null(nearest("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", longest));
    assert_null(nearest("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", too_long));
    assert_null(nearest(too_long[0], too_long));
}

/* Who says more than the name of a key means that key: whole words of it, and no more than words.
 */
static void test_within(void **state)
{
    static const char *const keys[] = {"severity", "host", "port", "app_name", "id", "name", NULL};
    static const char *const cases[][2] = {
        {"minimum_severity", "severity"},
        {"severity_of_alerts", "severity"},
        {"the_least_severity_that_passes", "severity"},
        {"the-least-severity-that-ever-passes", "severity"}, /* longer than what is edited */
        {"server_host", "host"},
        {"tcp-port", "port"},
        {"tls13_port", "port"},
        {"_server_port", "port"},
        {"syslog_app_name", "app_name"}, /* the longest */
        {"minimum_sevrity", NULL},       /* not the word */
        {"server_hostname", NULL},       /* not a whole one */
        {"serverhost", NULL},
        {"ghost_writer", NULL},
        {"port_2_x", NULL}, /* a second one, which there is not */
        {"modbsu.port", NULL},
        {"modbsu.start_port", NULL},
        {"server port", NULL},
        {"sensor_id", NULL}, /* two letters are in many names */
        {"application", NULL},
    };
    static const char *const nearer[] = {"host", "server_hosts", NULL};
    static const char *const last[] = {"server_hosts", "host", NULL};
    static const char *const zones[] = {"UTC", NULL};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *best = nearest(cases[i][0], keys), *meant = cases[i][1];
        if (meant ? !best || strcmp(best, meant) != 0 : best != NULL)
            fail_msg("%s: %s", cases[i][0], best ? best : "nothing");
    }
    assert_string_equal(nearest("server_host", nearer), "server_hosts"); /* a slip goes first */
    assert_string_equal(nearest("server_host", last), "server_hosts");
    assert_null(nearest("UTC-5", zones));
}

/* Who leaves out the tail; of several names one that begins all the others. */
static void test_begun(void **state)
{
    static const char *const names[] = {"s7comm_plus", "s7comm", "modbus_rtu", "modbus",
                                        "icmpv6",      "igmp",   "mdns",       NULL};
    static const char *const ports[] = {"port.src", "port.dst", NULL};
    (void)state;
    assert_string_equal(nearest("s7", names), "s7comm");
    assert_string_equal(nearest("mo", names), "modbus");
    assert_string_equal(nearest("icm", names), "icmpv6");
    assert_null(nearest("s", names)); /* a letter is nothing */
    assert_null(nearest("m", names));
    assert_null(nearest("7comm_", ports));
    assert_null(nearest("port", ports)); /* either */
    assert_nearest("fl", "flow");
    assert_nearest("cap", "capture");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slips),  cmocka_unit_test(test_others), cmocka_unit_test(test_best),
        cmocka_unit_test(test_within), cmocka_unit_test(test_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
