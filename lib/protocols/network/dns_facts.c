/* SPDX-License-Identifier: BSD-3-Clause */
/* What the records of DNS, mDNS and LLMNR say of hosts. */
#include "dns_wire.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct ft_view text_of(const struct ft_dns_name *name)
{
    return ft_view_make(name->text, name->length, false);
}

/* Names of hosts; those of services begin with an underscore, those of nobody have no label. */
static bool is_host_name(const struct ft_dns_name *name)
{
    return name->labels && name->fault == FT_DNS_NAME_OK && name->text[0] != '_' &&
           name->text[0] != '*';
}

/* ---- DNS-SD: what a service tells of the device --------------------------------------------- */

struct property {
    const char *key;
    enum ft_fact fact;
};

/* The first of a kind that is there counts: they say the same in other words. */
static const struct property printer[] = {
    {"usb_MFG", FT_FACT_VENDOR}, {"usb_MDL", FT_FACT_MODEL}, {"ty", FT_FACT_MODEL},
    {"product", FT_FACT_MODEL},  {"note", FT_FACT_LOCATION}, {NULL, 0},
};
static const struct property generic[] = {
    {"model", FT_FACT_MODEL},
    {"am", FT_FACT_MODEL},
    {"md", FT_FACT_MODEL},
    {"manufacturer", FT_FACT_VENDOR},
    {"vendor", FT_FACT_VENDOR},
    {"fn", FT_FACT_DESCRIPTION},
    {"serialNumber", FT_FACT_SERIAL},
    {"srcvers", FT_FACT_FIRMWARE},
    {"fv", FT_FACT_FIRMWARE},
    {NULL, 0},
};
static const struct property esphome[] = {
    {"version", FT_FACT_FIRMWARE},
    {"board", FT_FACT_MODEL},
    {NULL, 0},
};

static const struct service {
    const char *name;
    const struct property *properties;
    enum ft_role role;
} services[] = {
    {"._device-info._tcp.local", generic, FT_ROLE_UNKNOWN},
    {"._ipp._tcp.local", printer, FT_ROLE_UNKNOWN},
    {"._ipps._tcp.local", printer, FT_ROLE_UNKNOWN},
    {"._printer._tcp.local", printer, FT_ROLE_UNKNOWN},
    {"._pdl-datastream._tcp.local", printer, FT_ROLE_UNKNOWN},
    {"._http._tcp.local", generic, FT_ROLE_UNKNOWN},
    {"._hap._tcp.local", generic, FT_ROLE_UNKNOWN},
    {"._googlecast._tcp.local", generic, FT_ROLE_UNKNOWN},
    {"._airplay._tcp.local", generic, FT_ROLE_UNKNOWN},
    {"._raop._tcp.local", generic, FT_ROLE_UNKNOWN},
    {"._axis-video._tcp.local", generic, FT_ROLE_UNKNOWN},
    {"._esphomelib._tcp.local", esphome, FT_ROLE_UNKNOWN},
    {"._opcua-tcp._tcp.local", generic, FT_ROLE_SERVER},
    {"._mqtt._tcp.local", generic, FT_ROLE_SERVER},
    {"._modbus._tcp.local", generic, FT_ROLE_UNKNOWN},
    {"._smb._tcp.local", generic, FT_ROLE_SERVER},
    {"._nut._tcp.local", generic, FT_ROLE_SERVER},
    {"._workstation._tcp.local", generic, FT_ROLE_WORKSTATION},
};

static const struct service *service_of(const struct ft_dns_name *name)
{
    for (size_t i = 0; i < COUNT(services); i++)
        if (ft_dns_name_ends(name, services[i].name))
            return &services[i];
    return NULL;
}

static bool has_key(const struct ft_view *string, const char *key, uint32_t n)
{
    return ft_peek_u8(string, n) == '=' && ft_dns_is_same((const char *)string->data, key, n);
}

/* The value of "key=value" among strings with their lengths before them. The case of keys does not
 * matter, and the first counts (RFC 6763, 6.4). */
static bool find_property(struct ft_view strings, const char *key, struct ft_view *value)
{
    uint32_t n = (uint32_t)strlen(key);
    while (strings.len) {
        struct ft_view string = ft_sub_u8(&strings);
        if (!has_key(&string, key, n))
            continue;
        ft_skip(&string, n + 1);
        *value = string;
        return string.len > 0;
    }
    return false;
}

static void state_properties(struct ft_context *ctx, const struct property *p, struct ft_view text)
{
    uint32_t stated = 0;
    struct ft_view value;

    for (; p->key; p++) {
        if (stated >> p->fact & 1 || !find_property(text, p->key, &value))
            continue;
        stated |= 1u << p->fact;
        ft_asset(ctx, FT_SENDER, p->fact, value);
    }
}

/* HINFO: the processor, then the operating system. */
static void state_host_info(struct ft_context *ctx, struct ft_view text)
{
    ft_sub_u8(&text);
    struct ft_view os = ft_sub_u8(&text);
    if (ft_view_ok(&text))
        ft_asset(ctx, FT_SENDER, FT_FACT_OS, os);
}

static void state_service(struct ft_context *ctx, const struct ft_dns_record *r)
{
    const struct service *s = service_of(&r->name);

    if (!s || r->name.fault != FT_DNS_NAME_OK)
        return;
    if (r->type == FT_DNS_TXT)
        state_properties(ctx, s->properties, r->text);
    if (r->type == FT_DNS_SRV && s->role != FT_ROLE_UNKNOWN)
        ft_asset_role(ctx, FT_SENDER, s->role);
}

/* ---- domain controllers --------------------------------------------------------------------- */

static bool starts(const struct ft_dns_name *name, const char *text, uint32_t n)
{
    return name->length >= n && ft_dns_is_same(name->text, text, n);
}

/* _ldap._tcp.dc._msdcs.<domain>, and the same with _kerberos. */
static bool is_directory(const struct ft_dns_name *name)
{
    static const char ldap[] = "_ldap.", kerberos[] = "_kerberos.", msdcs[] = "._msdcs.";
    uint32_t n = sizeof(msdcs) - 1;

    if (!starts(name, ldap, sizeof(ldap) - 1) && !starts(name, kerberos, sizeof(kerberos) - 1))
        return false;
    for (uint32_t i = 0; i + n <= name->length; i++)
        if (ft_dns_is_same(name->text + i, msdcs, n))
            return true;
    return false;
}

static void remember_directory(struct ft_dns_facts *facts, const struct ft_dns_name *host)
{
    if (facts->directories < COUNT(facts->directory))
        facts->directory[facts->directories++] = ft_dns_name_hash(host);
}

static void state_directory(struct ft_context *ctx, const struct ft_dns_facts *facts,
                            const struct ft_dns_record *r)
{
    static const char role[] = "server", description[] = "domain controller";

    if (!facts->directories)
        return;
    uint64_t hash = ft_dns_name_hash(&r->name);
    for (uint32_t i = 0; i < facts->directories; i++) {
        if (facts->directory[i] != hash)
            continue;
        ft_asset_of(ctx, r->address, FT_FACT_ROLE, ft_view_make(role, sizeof(role) - 1, false));
        ft_asset_of(ctx, r->address, FT_FACT_DESCRIPTION,
                    ft_view_make(description, sizeof(description) - 1, false));
        return;
    }
}

/* ---- all ------------------------------------------------------------------------------------ */

static void state_multicast(struct ft_context *ctx, const struct ft_dns_record *r)
{
    if (r->type == FT_DNS_HINFO)
        state_host_info(ctx, r->text);
    else
        state_service(ctx, r);
}

void ft_dns_state_record(struct ft_context *ctx, struct ft_dns_facts *facts,
                         const struct ft_dns_record *r)
{
    uint8_t address[16];
    uint32_t n;

    if (!r->is_whole)
        return;
    switch (r->type) {
    case FT_DNS_A:
    case FT_DNS_AAAA:
        if (r->address.len && is_host_name(&r->name)) {
            ft_asset_of(ctx, r->address, FT_FACT_NAME, text_of(&r->name));
            state_directory(ctx, facts, r);
        }
        break;
    case FT_DNS_PTR:
        n = is_host_name(&r->target) ? ft_dns_name_address(&r->name, address) : 0;
        if (n)
            ft_asset_of(ctx, ft_view_make(address, n, false), FT_FACT_NAME, text_of(&r->target));
        break;
    case FT_DNS_SRV:
        if (is_directory(&r->name))
            remember_directory(facts, &r->target);
        break;
    default:
        break;
    }
    if (facts->is_of_sender)
        state_multicast(ctx, r);
}
