/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * banner.c: what devices say of themselves to neighbours and managers. A dissector of the test's
 * own hands each datagram over as one description; the descriptions are made up after those of
 * vendors.
 */
#include "said.h"

#include "protocols/network/banner.h"

static uint32_t known;
static uint8_t of[6];
static uint32_t of_length;

static void said_text(struct ft_context *ctx, struct ft_view text)
{
    ft_banner_tell(ctx, ft_view_make(of, of_length, false), text, known);
}

static int setup(void **state)
{
    (void)state;
    known = 0;
    of_length = 0;
    said_open();
    return 0;
}

/* What is concluded beside the description itself; NULL: nothing. */
struct row {
    const char *text, *vendor, *model, *serial, *firmware, *hardware, *os;
};

static void assert_fact(const char *out, const struct row *row, const char *name, const char *value)
{
    char start[64], line[400];
    snprintf(start, sizeof(start), "\"fact\":\"%s\"", name);
    snprintf(line, sizeof(line), "\"fact\":\"%s\",\"value\":\"%s\"", name, value ? value : "");
    if (value ? !strstr(out, line) : strstr(out, start) != NULL)
        fail_msg("\"%s\": %s %s, but\n%s", row->text, name, value ? value : "is not told", out);
}

static void assert_row(const struct row *row)
{
    const char *out = server(row->text);
    assert_fact(out, row, "vendor", row->vendor);
    assert_fact(out, row, "model", row->model);
    assert_fact(out, row, "serial", row->serial);
    assert_fact(out, row, "firmware", row->firmware);
    assert_fact(out, row, "hardware", row->hardware);
    assert_fact(out, row, "os", row->os);
}

#define assert_rows(rows)                                                                          \
    do {                                                                                           \
        for (size_t i_ = 0; i_ < sizeof(rows) / sizeof((rows)[0]); i_++)                           \
            assert_row(&(rows)[i_]);                                                               \
    } while (0)

/* Vendor, family, type, order number, versions, serial number. */
static void test_siemens(void **state)
{
    static const struct row rows[] = {
        {"Siemens, SIMATIC NET, SCALANCE X208, 6GK5 208-0BA10-2AA3, HW: Version 7, FW: Version "
         "V5.2.3, SVPA1234567",
         "Siemens", "6GK5 208-0BA10-2AA3", "SVPA1234567", "V5.2.3", "7", NULL},
        {"Siemens, SIMATIC NET, SCALANCE X212-2, 6GK5 212-2BB00-2AA3, HW: 7, FW: V4.02, SVPL1",
         "Siemens", "6GK5 212-2BB00-2AA3", "SVPL1", "V4.02", "7", NULL},
        {"Siemens, SIMATIC S7, CPU-1200, 6ES7 214-1AG40-0XB0 , HW: 1, SW: V4.1.3, S C-D123",
         "Siemens", "6ES7 214-1AG40-0XB0", "S C-D123", "V4.1.3", "1", NULL},
        {"Siemens, a", "Siemens", "a", NULL, NULL, NULL, NULL},
        {"Siemens, ", "Siemens", NULL, NULL, NULL, NULL, NULL},
        {"Siemens AG SIMATIC S7 MULTIPORT", "Siemens", "SIMATIC S7 MULTIPORT", NULL, NULL, NULL,
         NULL},
    };
    (void)state;
    assert_rows(rows);
}

static void test_vendors(void **state)
{
    static const struct row rows[] = {
        {"Hirschmann MAR - SW: L2P-09.0.00", "Hirschmann", "MAR", NULL, "L2P-09.0.00", NULL, NULL},
        {"Hirschmann Automation GmbH RS20, SW: 5", "Hirschmann", "RS20", NULL, "5", NULL, NULL},
        {"Aruba JL259A 2930F Switch, revision WC.16.07.0003, ROM WC.16.01.0005", "Aruba",
         "JL259A 2930F Switch", NULL, "WC.16.07.0003", NULL, NULL},
        {"Cisco IOS Software, C3560 Software (C3560-IPBASE-M), Version 12.2(44)SE, RELEASE",
         "Cisco", NULL, NULL, "12.2(44)SE", NULL, "Cisco IOS"},
        {"Moxa EDS-408A", "Moxa", "EDS-408A", NULL, NULL, NULL, NULL},
        {"MOXA\tNPort 5110", "MOXA", "NPort 5110", NULL, NULL, NULL, NULL},
        {"MoxaEDS", NULL, "MoxaEDS", NULL, NULL, NULL, NULL},
        {"Rockwell Automation 1783-BMS10CGL (rev)", "Rockwell", "1783-BMS10CGL", NULL, NULL, NULL,
         NULL},
        {"Schneider Electric BMX\r\nmore", "Schneider", "BMX", NULL, NULL, NULL, NULL},
        {"Hardware revision 3; SW.V 2.10", NULL, "Hardware revision 3; SW.V 2.10", NULL, "3", NULL,
         NULL},
        {"SW.V 2.10\r\n", NULL, "SW.V 2.10", NULL, "2.10", NULL, NULL},
        {"A1, FW: \t 1.5;x HW:\r\n9,", NULL, "A1", NULL, "1.5", "9", NULL},
    };
    static const char *const names[] = {
        "ABB", "Hewlett-Packard", "RUGGEDCOM", "VMware, Inc.", "ASUSTeK COMPUTER INC.",
    };
    (void)state;
    assert_rows(rows);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char text[64];
        snprintf(text, sizeof(text), "%s X1", names[i]);
        assert_fact(server(text), &(struct row){.text = text}, "vendor", names[i]);
    }
}

/* A PC's product, version and serial number, without blanks between. */
static void test_computers(void **state)
{
    static const struct row rows[] = {
        {"Dell Inc. OptiPlex 990,01,G22XB2S + HMI", "Dell Inc.", "OptiPlex 990", "G22XB2S", NULL,
         NULL, NULL},
        {"VMware, Inc. VMware7,1,None1 x", "VMware, Inc.", "VMware7", "None1", NULL, NULL, NULL},
        {"VMware, Inc. VMware7,1,000 x", "VMware, Inc.", "VMware7", NULL, NULL, NULL, NULL},
        {"Dell Inc. OptiPlex 990, 01,G22XB2S", "Dell Inc.", "OptiPlex 990", NULL, NULL, NULL, NULL},
        {"Dell Inc. OptiPlex 990,01, G22XB2S", "Dell Inc.", "OptiPlex 990", NULL, NULL, NULL, NULL},
        {"Dell Inc. OptiPlex 990,,G22XB2S", "Dell Inc.", "OptiPlex 990", NULL, NULL, NULL, NULL},
        {"Dell Inc. ,01,G22XB2S", "Dell Inc.", NULL, NULL, NULL, NULL, NULL},
        {"Dell Inc. OptiPlex 990", "Dell Inc.", "OptiPlex 990", NULL, NULL, NULL, NULL},
    };
    (void)state;
    assert_rows(rows);
    assert_has(server("Dell Inc. OptiPlex 990,01,G22XB2S + HMI"),
               "\"fact\":\"role\",\"value\":\"hmi\"");
    assert_has_not(server("Dell Inc. OptiPlex 990 +HMI"), "\"role\"");
}

/* A system is no model, and its kernel's version no firmware. */
static void test_systems(void **state)
{
    static const struct row rows[] = {
        {"Ubuntu 14.04.5 LTS Linux 3.13.0-106-generic #153-Ubuntu Version 5", NULL, NULL, NULL,
         NULL, NULL, "Ubuntu 14.04.5 LTS Linux 3.13.0-106-generic"},
        {"Linux 4.4", NULL, NULL, NULL, NULL, NULL, "Linux 4.4"},
        {"Hardware: x86 - Software: Windows Version 6.1 (Build 7601)", NULL, "Hardware: x86", NULL,
         "6.1", NULL, "Windows"},
        {"Windows", NULL, NULL, NULL, NULL, NULL, "Windows"},
        {"x Cisco IOS", NULL, "x Cisco IOS", NULL, NULL, NULL, "Cisco IOS"},
        {"Penguin Linux", NULL, NULL, NULL, NULL, NULL, NULL},
    };
    (void)state;
    assert_rows(rows);
}

/* What the caller knows better is not told; about whom, either. */
static void test_known(void **state)
{
    (void)state;
    known = 1u << FT_FACT_VENDOR | 1u << FT_FACT_DESCRIPTION;
    const char *out = server("Moxa EDS-408A");
    assert_has_not(out, "\"vendor\"");
    assert_has_not(out, "\"description\"");
    assert_has(out, "\"party\":\"sender\"");
    assert_has(out, "\"fact\":\"model\",\"value\":\"EDS-408A\"");
    memcpy(of, "\x00\x90\xe8\x01\x02\x03", 6);
    of_length = 6;
    out = server("Moxa EDS-408A + HMI");
    assert_has(out, "\"of\":\"00:90:e8:01:02:03\",\"fact\":\"model\"");
    assert_has(out, "\"of\":\"00:90:e8:01:02:03\",\"fact\":\"role\"");
    assert_has_not(out, "\"party\"");
}

static void test_bounds(void **state)
{
    (void)state;
    char text[400], expected[128];
    /* a model of 64 bytes is one, of 65 it is a sentence */
    memset(text, 'm', 66);
    text[64] = 0;
    snprintf(expected, sizeof(expected), "\"fact\":\"model\",\"value\":\"%.64s\"", text);
    assert_has(server(text), expected);
    text[64] = 'm';
    text[65] = 0;
    assert_has_not(server(text), "\"fact\":\"model\"");
    /* only the first 255 bytes are looked at */
    memset(text, '.', sizeof(text));
    memcpy(text + 247, "Linux 4.", 9);
    assert_has(server(text), "\"fact\":\"os\"");
    memcpy(text + 247, "..........Linux 4.4", 20);
    assert_has_not(server(text), "\"fact\":\"os\"");
    assert_has_not(server(""), "\"fact\"");
}

static void test_version(void **state)
{
    static const struct {
        const char *text, *version;
    } rows[] = {
        {"FW:1.2", "1.2"},      {"FW: 1.2, SW:3", "1.2"},
        {"SW:3 FW:1.2", "1.2"}, {"Version 7.4e.1 (B 5)", "7.4e.1"},
        {"SW: Version 5", "5"}, {"Version ", ""},
        {"version 5", ""},      {"", ""},
        {"Version", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ft_view v = ft_banner_version(
            ft_view_make((const uint8_t *)rows[i].text, (uint32_t)strlen(rows[i].text), false));
        if (v.len != strlen(rows[i].version) || memcmp(v.data, rows[i].version, v.len) != 0)
            fail_msg("%s: %.*s", rows[i].text, (int)v.len, (const char *)v.data);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_siemens), TEST(test_vendors), TEST(test_computers), TEST(test_systems),
        TEST(test_known),   TEST(test_bounds),  TEST(test_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
