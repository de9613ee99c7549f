/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * text_facts.c: vendors and operating systems in what products say of themselves, accounts that
 * devices are delivered with. A dissector of the test's own hands each datagram over as one text.
 */
#include "said.h"

#include "protocols/it/text.h"

static bool named_a_vendor;

static void said_text(struct ft_context *ctx, struct ft_view text)
{
    named_a_vendor = ft_text_facts(ctx, FT_SERVER, text);
}

static int setup(void **state)
{
    (void)state;
    said_open();
    return 0;
}

static void assert_fact(const char *out, const char *banner, const char *fact, const char *value)
{
    char line[128];
    snprintf(line, sizeof(line), "\"fact\":\"%s\",\"value\":\"%s\"", fact, value ? value : "");
    if (!value)
        line[strlen(line) - strlen("\"value\":\"\"")] = 0;
    if (!value != !strstr(out, line))
        fail_msg("\"%s\": %s %s, but\n%s", banner, fact, value ? value : "is not told", out);
}

/* These two facts and no other; NULL: not told. */
static void assert_facts(const char *banner, const char *vendor, const char *os)
{
    const char *out = server(banner);
    assert_fact(out, banner, "vendor", vendor);
    assert_fact(out, banner, "os", os);
    assert_int_equal(feed_count(out, "{\"fact\""), (vendor != NULL) + (os != NULL));
    assert_int_equal(named_a_vendor, vendor != NULL);
}

struct banner {
    const char *text, *vendor, *os;
};

#define assert_banners(banners)                                                                    \
    do {                                                                                           \
        for (size_t i_ = 0; i_ < sizeof(banners) / sizeof((banners)[0]); i_++)                     \
            assert_facts((banners)[i_].text, (banners)[i_].vendor, (banners)[i_].os);              \
    } while (0)

/* The versions of Windows behind those of its web server, and its kernel's. */
static void test_windows(void **state)
{
    (void)state;
    static const struct banner banners[] = {
        {"Microsoft-IIS/5.0", NULL, "Windows 2000"},
        {"Microsoft-IIS/5.1", NULL, "Windows XP"},
        {"Microsoft-IIS/6.0", NULL, "Windows Server 2003"},
        {"Microsoft-IIS/7.0", NULL, "Windows Server 2008"},
        {"Microsoft-IIS/7.5", NULL, "Windows Server 2008 R2"},
        {"Microsoft-IIS/8.0", NULL, "Windows Server 2012"},
        {"Microsoft-IIS/8.5", NULL, "Windows Server 2012 R2"},
        {"Microsoft-IIS/10.0", NULL, "Windows Server 2016 or later"},
        {"Microsoft-IIS/4.0", NULL, "Windows"},
        {"Mozilla/5.0 (Windows NT 10.0; Win64; x64)", NULL, "Windows 10 or later"},
        {"Mozilla/5.0 (Windows NT 6.3; WOW64)", NULL, "Windows 8.1"},
        {"Mozilla/5.0 (Windows NT 6.2; WOW64)", NULL, "Windows 8"},
        {"Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1)", NULL, "Windows 7"},
        {"Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.0)", NULL, "Windows Vista"},
        {"Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.2)", NULL, "Windows Server 2003"},
        {"Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)", NULL, "Windows XP"},
        {"Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.0)", NULL, "Windows 2000"},
        {"Mozilla/4.0 (compatible; MSIE 4.01; Windows CE)", NULL, "Windows CE"},
        {"Microsoft-HTTPAPI/2.0", NULL, "Windows"},
        {"220 Microsoft FTP Service", NULL, "Windows"},
        {"Welcome to Microsoft Telnet Service", NULL, "Windows"},
        {"215 Windows_NT", NULL, "Windows"},
        {"Microsoft WinRM Client", NULL, "Windows"},
        {"Apache/2.2.22 (Win32)", NULL, "Windows"},
        {"Apache/2.4.58 (Win64)", NULL, "Windows"},
    };
    assert_banners(banners);
}

static void test_other_systems(void **state)
{
    (void)state;
    static const struct banner banners[] = {
        {"Mozilla/5.0 (X; Android 13)", NULL, "Android"},
        {"Mozilla/5.0 (iPhone; U)", "Apple", "iOS"},
        {"Mozilla/5.0 (iPad; U)", "Apple", "iOS"},
        {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15)", "Apple", "macOS"},
        {"220 VxWorks FTP server (5.4.2) ready.", NULL, "VxWorks"},
        {"WindRiver-WebServer/4.4", NULL, "VxWorks"},
        {"220 QNX ready", NULL, "QNX"},
        {"eCos embedded web server", NULL, "eCos"},
        {"Server: ThreadX", NULL, "ThreadX"},
        {"Nucleus/4.3 UPnP/1.0", NULL, "Nucleus"},
        {"FreeRTOS/10", NULL, "FreeRTOS"},
        {"Apache/2.4.41 (Ubuntu)", NULL, "Ubuntu Linux"},
        {"Apache/2.4.57 (Debian)", NULL, "Debian Linux"},
        {"Apache/2.4.6 (CentOS)", NULL, "CentOS Linux"},
        {"Apache/2.0.52 (Red Hat)", NULL, "Red Hat Linux"},
        {"lighttpd (Raspbian)", NULL, "Raspbian Linux"},
        {"OpenWrt uhttpd", NULL, "OpenWrt Linux"},
        {"BusyBox v1.22.1", NULL, "Linux"},
        {"OpenBSD httpd", NULL, "OpenBSD"},
        {"Apache/2.4 (FreeBSD)", NULL, "FreeBSD"},
        {"Apache/2.4 (NetBSD)", NULL, "NetBSD"},
        {"SunOS 5.8", NULL, "Solaris"},
        {"Apache (Solaris)", NULL, "Solaris"},
        {"Linux, HTTP/1.1, DIR-615", NULL, "Linux"},
    };
    assert_banners(banners);
}

static void test_vendors(void **state)
{
    (void)state;
    static const struct banner banners[] = {
        {"SIMATIC 300", "Siemens", NULL},
        {"SCALANCE X208", "Siemens", NULL},
        {"Siemens Building", "Siemens", NULL},
        {"RUGGEDCOM RSG", "Siemens", NULL},
        {"Schneider-WEB/V1.0.0", "Schneider Electric", NULL},
        {"Schneider", "Schneider Electric", NULL},
        {"Modicon M340", "Schneider Electric", NULL},
        {"Allen-Bradley 1756-ENBT", "Rockwell Automation", NULL},
        {"Rockwell FTP", "Rockwell Automation", NULL},
        {"ABB RTU560", "ABB", NULL},
        {"Beckhoff CX", "Beckhoff", NULL},
        {"Emerson Network", "Emerson", NULL},
        {"GE Fanuc RX3i", "GE", NULL},
        {"Hirschmann MACH", "Hirschmann", NULL},
        {"Honeywell C300", "Honeywell", NULL},
        {"Lantronix UDS", "Lantronix", NULL},
        {"Mitsubishi GOT", "Mitsubishi Electric", NULL},
        {"MoxaHttp; Moxa EDS", "Moxa", NULL},
        {"NPort 5110", "Moxa", NULL},
        {"Omron NJ", "Omron", NULL},
        {"Phoenix Contact FL", "Phoenix Contact", NULL},
        {"WAGO 750", "WAGO", NULL},
        {"Westermo Lynx", "Westermo", NULL},
        {"Yokogawa FCN", "Yokogawa", NULL},
        {"cisco-IOS", "Cisco", "Cisco IOS"},
        {"Cisco AWARE 2.0", "Cisco", NULL},
        {"JUNOS 12", "Juniper", "Junos"},
        {"MikroTik v6.47", "MikroTik", "RouterOS"},
        {"220 AXIS P1343", "Axis Communications", NULL},
        {"HP HTTP Server; LaserJet", "HP", NULL},
    };
    assert_banners(banners);
}

/* A name within a longer word or number is none; elsewhere in the text it still counts. */
static void test_words(void **state)
{
    (void)state;
    static const struct banner banners[] = {
        {"", NULL, NULL},
        {"Apache", NULL, NULL},
        {"Windows NT 6.10", NULL, NULL},
        {"Windows NT 6.1x", NULL, NULL},
        {"yWindows NT 6.1", NULL, NULL},
        {"4Windows NT 6.1", NULL, NULL},
        {"_windows nt 6.1_", NULL, "Windows 7"},
        {"axiss maxis axis", "Axis Communications", NULL},
        {"cabbage abbot", NULL, NULL},
        {"cabbage-abb-abbot", "ABB", NULL},
        {"ab", NULL, NULL},
    };
    assert_banners(banners);
}

/* One of each fact, by the order of the table and not of the text. */
static void test_first_counts(void **state)
{
    (void)state;
    static const struct banner banners[] = {
        {"Linux; Android 13", NULL, "Android"},
        {"Linux (Ubuntu)", NULL, "Ubuntu Linux"},
        {"Win64; Windows NT 10.0", NULL, "Windows 10 or later"},
        {"Schneider-WEB on VxWorks", "Schneider Electric", "VxWorks"},
        {"Moxa of Siemens, linux", "Siemens", "Linux"},
        {"cisco-ios on linux", "Cisco", "Linux"},
    };
    assert_banners(banners);
}

/* Only the first 512 bytes are looked at. */
static void test_long_text(void **state)
{
    char text[520];
    (void)state;
    memset(text, '.', sizeof(text));
    text[sizeof(text) - 1] = 0;
    memcpy(text + 508, "moxa", 4);
    assert_facts(text, "Moxa", NULL);
    memcpy(text + 508, ".moxa", 5);
    assert_facts(text, NULL, NULL);
}

/* ---- accounts ------------------------------------------------------------------------------ */

static struct ft_view view_of(const char *text)
{
    return ft_view_make((const uint8_t *)text, (uint32_t)strlen(text), false);
}

static bool is_default(const char *user, const char *password)
{
    return ft_is_default_login(view_of(user), view_of(password));
}

static void test_default_logins(void **state)
{
    (void)state;
    static const char *const logins[][2] = {
        {"admin", "admin"},     {"root", ""},       {"administrator", "wago"},
        {"default", "default"}, {"Admin", "ADMIN"}, /* whatever the case of the letters */
    };
    for (size_t i = 0; i < sizeof(logins) / sizeof(logins[0]); i++)
        if (!is_default(logins[i][0], logins[i][1]))
            fail_msg("%s with \"%s\" is not known", logins[i][0], logins[i][1]);
}

static void test_other_logins(void **state)
{
    (void)state;
    static const char *const logins[][2] = {
        {"", ""},
        {"admin", "adm"},
        {"admin", "admin1"},
        {"adm", "admin"},
        {"admins", "admin"},
        {"user", ""},
        {"guest", ""},
        {"root", "admin"},
        {"su", "su"},
        {"manager", "manager"},
        {"pi", "pi"},
        {"test", "password"},
    };
    for (size_t i = 0; i < sizeof(logins) / sizeof(logins[0]); i++)
        if (is_default(logins[i][0], logins[i][1]))
            fail_msg("%s with \"%s\" is none", logins[i][0], logins[i][1]);
}

/* Those of CVE-2011-4859, and of the other Ethernet modules of the same families. */
static void test_hard_coded_users(void **state)
{
    (void)state;
    static const char *const users[] = {"AUTCSE",        "fdrusers", "fwupgrade", "nic2212",
                                        "nimrohs2212",   "nip2212",  "ntpupdate", "pcfactory",
                                        "noe77111_v500", "qbf77101", "sysdiag"};
    static const char *const others[] = {"", "sysdia", "sysdiag1", "admin", "ftpuser"};
    for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++)
        if (!ft_is_hard_coded_user(view_of(users[i])))
            fail_msg("%s is not known", users[i]);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (ft_is_hard_coded_user(view_of(others[i])))
            fail_msg("%s is none", others[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_windows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_other_systems, setup, teardown),
        cmocka_unit_test_setup_teardown(test_vendors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_words, setup, teardown),
        cmocka_unit_test_setup_teardown(test_first_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_text, setup, teardown),
        cmocka_unit_test(test_default_logins),
        cmocka_unit_test(test_other_logins),
        cmocka_unit_test(test_hard_coded_users),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
