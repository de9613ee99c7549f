/* SPDX-License-Identifier: BSD-3-Clause */
/* worth.c: which texts of devices say nothing, and which protocols tell of a service only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "inventory/inventory.h"

static bool says_nothing(enum ft_fact fact, const char *text)
{
    return ft_fact_says_nothing(fact, text, (uint16_t)strlen(text));
}

static void test_fillers(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "To be filled by O.E.M.",
        "Default string",
        "System Serial Number",
        "Not Specified",
        "n/a",
        "N/A.",
        "none",
        "NULL",
        "unknown",
        "undefined",
        "unspecified version",
        "System manufacturer",
        "System Product Name",
        "not available",
        "empty",
        "Welcome to the FTP service",
        "FTP server ready.",
        "a number",
        "SSH server (none) ready on telnet",
        "0",
        "0000000000",
        "00:80:f4:01:02:03",
        "00-80-F4-01-02-03",
        "192.168.0.10",
        "fe80::1",
        "ready: 10.0.0.1",
        "at 10.0.0.1, be set in oem",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (!says_nothing(FT_FACT_MODEL, texts[i]))
            fail_msg("\"%s\" says something", texts[i]);
}

static void test_words(void **state)
{
    static const char *const texts[] = {
        "1",
        "S7-300",
        "ftpd",
        "the PLC",
        "FTP server VxWorks ready",
        "00:80:f4:01:02",
        "00:80:f4:01:02:03:04",
        "00.80.f4.01.02.03x",
        "192.168.0",
        "192.168.0.300",
        "fe80::1::2",
        "0000x",
        "M\xc3\xbcller",
        "a-a",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (says_nothing(FT_FACT_MODEL, texts[i]))
            fail_msg("\"%s\" says nothing", texts[i]);
}

/* A name or an address may be called as it likes. */
static void test_facts(void **state)
{
    static const enum ft_fact judged[] = {FT_FACT_VENDOR, FT_FACT_MODEL, FT_FACT_SERIAL, FT_FACT_OS,
                                          FT_FACT_DESCRIPTION};
    (void)state;
    for (size_t i = 0; i < sizeof(judged) / sizeof(judged[0]); i++) {
        assert_true(says_nothing(judged[i], "unknown"));
        assert_false(says_nothing(judged[i], "known"));
    }
    assert_false(says_nothing(FT_FACT_NAME, "unknown"));
    assert_false(says_nothing(FT_FACT_FIRMWARE, "none"));
}

static void test_services(void **state)
{
    static const char *const yes[] = {"dns", "ftp", "http", "ntp", "stp", "telnet", "tls"};
    static const char *const no[] = {"", "snmp", "ssh", "lldp", "modbus", "dns2", "http_"};
    (void)state;
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        assert_true(ft_fact_is_of_service(yes[i]));
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        assert_false(ft_fact_is_of_service(no[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fillers),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_services),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
