/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What banners say: names of vendors and operating systems in what servers and clients write about
 * themselves (HTTP Server and User-Agent, greetings of FTP and Telnet, titles of pages), and the
 * accounts that devices are delivered with.
 */
#include "text.h"

struct product {
    const char *text;   /* in lower case; a word of its own in the banner */
    const char *vendor; /* of the device, NULL = software that anybody may run */
    const char *os;     /* NULL = not told */
};

/* The first that is there counts for each of the two facts: the more special stand first. */
static const struct product products[] = {
    {"microsoft-iis/5.0", NULL, "Windows 2000"},
    {"microsoft-iis/5.1", NULL, "Windows XP"},
    {"microsoft-iis/6.0", NULL, "Windows Server 2003"},
    {"microsoft-iis/7.0", NULL, "Windows Server 2008"},
    {"microsoft-iis/7.5", NULL, "Windows Server 2008 R2"},
    {"microsoft-iis/8.0", NULL, "Windows Server 2012"},
    {"microsoft-iis/8.5", NULL, "Windows Server 2012 R2"},
    {"microsoft-iis/10.0", NULL, "Windows Server 2016 or later"},
    {"windows nt 10.0", NULL, "Windows 10 or later"},
    {"windows nt 6.3", NULL, "Windows 8.1"},
    {"windows nt 6.2", NULL, "Windows 8"},
    {"windows nt 6.1", NULL, "Windows 7"},
    {"windows nt 6.0", NULL, "Windows Vista"},
    {"windows nt 5.2", NULL, "Windows Server 2003"},
    {"windows nt 5.1", NULL, "Windows XP"},
    {"windows nt 5.0", NULL, "Windows 2000"},
    {"windows ce", NULL, "Windows CE"},
    {"microsoft-iis", NULL, "Windows"},
    {"microsoft-httpapi", NULL, "Windows"},
    {"microsoft ftp service", NULL, "Windows"},
    {"microsoft telnet", NULL, "Windows"},
    {"windows_nt", NULL, "Windows"},
    {"microsoft winrm client", NULL, "Windows"},
    {"win32", NULL, "Windows"},
    {"win64", NULL, "Windows"},
    {"android", NULL, "Android"},
    {"iphone", "Apple", "iOS"},
    {"ipad", "Apple", "iOS"},
    {"mac os x", "Apple", "macOS"},
    {"vxworks", NULL, "VxWorks"},
    {"windriver", NULL, "VxWorks"},
    {"qnx", NULL, "QNX"},
    {"ecos", NULL, "eCos"},
    {"threadx", NULL, "ThreadX"},
    {"nucleus", NULL, "Nucleus"},
    {"freertos", NULL, "FreeRTOS"},
    {"ubuntu", NULL, "Ubuntu Linux"},
    {"debian", NULL, "Debian Linux"},
    {"centos", NULL, "CentOS Linux"},
    {"red hat", NULL, "Red Hat Linux"},
    {"raspbian", NULL, "Raspbian Linux"},
    {"openwrt", NULL, "OpenWrt Linux"},
    {"busybox", NULL, "Linux"},
    {"openbsd", NULL, "OpenBSD"},
    {"freebsd", NULL, "FreeBSD"},
    {"netbsd", NULL, "NetBSD"},
    {"sunos", NULL, "Solaris"},
    {"solaris", NULL, "Solaris"},
    {"linux", NULL, "Linux"},
    {"simatic", "Siemens", NULL},
    {"scalance", "Siemens", NULL},
    {"siemens", "Siemens", NULL},
    {"schneider-web", "Schneider Electric", NULL},
    {"schneider", "Schneider Electric", NULL},
    {"modicon", "Schneider Electric", NULL},
    {"allen-bradley", "Rockwell Automation", NULL},
    {"rockwell", "Rockwell Automation", NULL},
    {"abb", "ABB", NULL},
    {"beckhoff", "Beckhoff", NULL},
    {"emerson", "Emerson", NULL},
    {"ge fanuc", "GE", NULL},
    {"hirschmann", "Hirschmann", NULL},
    {"honeywell", "Honeywell", NULL},
    {"lantronix", "Lantronix", NULL},
    {"mitsubishi", "Mitsubishi Electric", NULL},
    {"moxa", "Moxa", NULL},
    {"nport", "Moxa", NULL},
    {"omron", "Omron", NULL},
    {"phoenix contact", "Phoenix Contact", NULL},
    {"ruggedcom", "Siemens", NULL},
    {"wago", "WAGO", NULL},
    {"westermo", "Westermo", NULL},
    {"yokogawa", "Yokogawa", NULL},
    {"cisco-ios", "Cisco", "Cisco IOS"},
    {"cisco", "Cisco", NULL},
    {"junos", "Juniper", "Junos"},
    {"mikrotik", "MikroTik", "RouterOS"},
    {"axis", "Axis Communications", NULL},
    {"hp http server", "HP", NULL},
};

/* Is it there, and neither preceded nor followed by a letter or a digit? */
static bool has_word(struct ft_view text, const char *word)
{
    uint32_t n = (uint32_t)strlen(word);
    int64_t at = -1;
    while ((at = ft_text_find(text, word, (uint32_t)(at + 1))) >= 0) {
        bool begins = at == 0 || !ft_text_is_word(text.data[at - 1]);
        uint32_t end = (uint32_t)at + n;
        if (begins && (end == text.len || !ft_text_is_word(text.data[end])))
            return true;
    }
    return false;
}

bool ft_text_facts(struct ft_context *ctx, enum ft_party who, struct ft_view text)
{
    const char *vendor = NULL, *os = NULL;
    text = ft_text_part(text, 0, 512);
    for (uint32_t i = 0; i < sizeof(products) / sizeof(products[0]); i++) {
        const struct product *p = &products[i];
        bool is_news = (p->vendor && !vendor) || (p->os && !os);
        if (!is_news || !has_word(text, p->text))
            continue;
        vendor = vendor ? vendor : p->vendor;
        os = os ? os : p->os;
    }
    if (vendor)
        ft_asset_text(ctx, who, FT_FACT_VENDOR, vendor);
    if (os)
        ft_asset_text(ctx, who, FT_FACT_OS, os);
    return vendor != NULL;
}

/* ---- accounts ------------------------------------------------------------------------------ */

static const struct {
    const char *user, *password;
} logins[] = {
    {"admin", "admin"},
    {"admin", "password"},
    {"admin", "1234"},
    {"admin", "12345"},
    {"admin", "123456"},
    {"admin", ""},
    {"admin", "default"},
    {"admin", "private"},
    {"administrator", "administrator"},
    {"administrator", "wago"},
    {"user", "user"},
    {"user", "public"},
    {"root", "root"},
    {"root", ""},
    {"root", "toor"},
    {"root", "password"},
    {"guest", "guest"},
    {"operator", "operator"},
    {"supervisor", "supervisor"},
    {"su", "wago"},
    {"manager", "friend"},
    {"plcuser", "plcuser"},
    {"pi", "raspberry"},
    {"test", "test"},
    {"target", "password"},
    {"default", "default"},
};

bool ft_is_default_login(struct ft_view user, struct ft_view password)
{
    for (uint32_t i = 0; i < sizeof(logins) / sizeof(logins[0]); i++)
        if (ft_text_is(user, logins[i].user) && ft_text_is(password, logins[i].password))
            return true;
    return false;
}

bool ft_is_hard_coded_user(struct ft_view user)
{
    /* Ethernet modules of the Quantum, Premium and M340 families. */
    static const char *const users[] = {"autcse",        "fdrusers", "fwupgrade", "nic2212",
                                        "nimrohs2212",   "nip2212",  "ntpupdate", "pcfactory",
                                        "noe77111_v500", "qbf77101", "sysdiag"};
    for (uint32_t i = 0; i < sizeof(users) / sizeof(users[0]); i++)
        if (ft_text_is(user, users[i]))
            return true;
    return false;
}
