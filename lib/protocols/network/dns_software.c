/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the names that a host asks for tell of its software: update servers, clouds of vendors,
 * remote access; and the names by which tunnels work.
 */
#include "dns_wire.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum {
    TUNNEL_LABEL = 40, /* characters of a label that carries data */
};

#define DOMAIN(name, software, os)                                                                 \
    {                                                                                              \
        name, software, os, sizeof(name) - 1                                                       \
    }

/* The first that fits counts: what is more exact stands before. */
static const struct domain {
    const char *name;
    const char *software;
    const char *os; /* that only hosts with this system ask so, or NULL */
    uint8_t length;
} domains[] = {
    DOMAIN("windowsupdate.com", "Windows Update", "Windows"),
    DOMAIN("update.microsoft.com", "Windows Update", "Windows"),
    DOMAIN("dns.msftncsi.com", "Windows network check", "Windows"),
    DOMAIN("msftconnecttest.com", "Windows network check", "Windows"),
    DOMAIN("time.windows.com", "Windows time service", "Windows"),
    DOMAIN("ubuntu.pool.ntp.org", "Ubuntu time service", "Ubuntu"),
    DOMAIN("ntp.ubuntu.com", "Ubuntu time service", "Ubuntu"),
    DOMAIN("connectivity-check.ubuntu.com", "Ubuntu network check", "Ubuntu"),
    DOMAIN("debian.pool.ntp.org", "Debian time service", "Debian"),
    DOMAIN("rhel.pool.ntp.org", "Red Hat time service", "Red Hat Enterprise Linux"),
    DOMAIN("subscription.rhsm.redhat.com", "Red Hat update", "Red Hat Enterprise Linux"),
    DOMAIN("centos.pool.ntp.org", "CentOS time service", "CentOS"),
    DOMAIN("openwrt.pool.ntp.org", "OpenWrt time service", "OpenWrt"),
    DOMAIN("opnsense.pool.ntp.org", "OPNsense time service", "OPNsense"),
    DOMAIN("pfsense.pool.ntp.org", "pfSense time service", "pfSense"),
    DOMAIN("android.pool.ntp.org", "Android time service", "Android"),
    DOMAIN("connectivitycheck.android.com", "Android network check", "Android"),
    DOMAIN("upgrade.mikrotik.com", "RouterOS update", "RouterOS"),
    DOMAIN("captive.apple.com", "Apple network check", NULL),
    DOMAIN("mesu.apple.com", "Apple update", NULL),
    DOMAIN("time.apple.com", "Apple time service", NULL),
    DOMAIN("vmware.pool.ntp.org", "VMware time service", NULL),
    DOMAIN("teamviewer.com", "TeamViewer", NULL),
    DOMAIN("anydesk.com", "AnyDesk", NULL),
    DOMAIN("logmein.com", "LogMeIn", NULL),
    DOMAIN("talk2m.com", "Ewon Talk2M", NULL),
    DOMAIN("ixon.net", "IXON", NULL),
    DOMAIN("ixon.cloud", "IXON", NULL),
    DOMAIN("secomea.com", "Secomea", NULL),
    DOMAIN("mindsphere.io", "Siemens MindSphere", NULL),
    DOMAIN("factorytalkhub.com", "Rockwell FactoryTalk Hub", NULL),
    DOMAIN("azure-devices.net", "Azure IoT Hub", NULL),
    DOMAIN("sophosxl.net", "Sophos", NULL),
    DOMAIN("sophosupd.com", "Sophos", NULL),
    DOMAIN("mcafee.com", "McAfee", NULL),
    DOMAIN("kaspersky-labs.com", "Kaspersky", NULL),
    DOMAIN("symantecliveupdate.com", "Symantec", NULL),
    DOMAIN("trendmicro.com", "Trend Micro", NULL),
    DOMAIN("eset.com", "ESET", NULL),
    DOMAIN("clamav.net", "ClamAV", NULL),
};

static bool is_within(const struct ft_dns_name *name, const struct domain *domain)
{
    uint32_t n = domain->length;

    if (name->length < n || (name->length > n && name->text[name->length - n - 1] != '.'))
        return false;
    return ft_dns_is_same(name->text + name->length - n, domain->name, n);
}

static const struct domain *domain_of(const struct ft_dns_name *name)
{
    for (size_t i = 0; i < COUNT(domains); i++)
        if (is_within(name, &domains[i]))
            return &domains[i];
    return NULL;
}

void ft_dns_state_software(struct ft_context *ctx, const struct ft_dns_name *name, bool is_own)
{
    const struct domain *domain = domain_of(name);

    if (!domain)
        return;
    ft_put_text(ctx, DNS_SOFTWARE, domain->software, (uint32_t)strlen(domain->software), NULL);
    if (is_own && domain->os)
        ft_asset_text(ctx, FT_SENDER, FT_FACT_OS, domain->os);
}

/* ---- tunnels -------------------------------------------------------------------------------- */

/* Is one of the labels this one? What is asked for stands in front of it. */
static bool has_label(const struct ft_dns_name *name, const char *label)
{
    uint32_t n = (uint32_t)strlen(label);

    for (uint32_t i = 0; i + n < name->length; i++)
        if ((i == 0 || name->text[i - 1] == '.') && name->text[i + n] == '.' &&
            ft_dns_is_same(name->text + i, label, n))
            return true;
    return false;
}

bool ft_dns_is_tunnel(const struct ft_dns_name *name, uint16_t type)
{
    bool is_dns2tcp =
        has_label(name, "=auth") || has_label(name, "=resource") || has_label(name, "=connect");
    bool is_dnscat =
        name->first_label == 6 && name->labels > 1 && ft_dns_is_same(name->text, "dnscat", 6);
    bool is_iodine =
        (type == FT_DNS_NULL || type == FT_DNS_PRIVATE) && name->longest >= TUNNEL_LABEL;
    return is_dns2tcp || is_dnscat || is_iodine;
}
