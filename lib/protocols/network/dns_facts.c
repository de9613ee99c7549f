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
    {"._sftp-ssh._tcp.local", generic, FT_ROLE_SERVER},
    {"._ssh._tcp.local", generic, FT_ROLE_SERVER},
    {"._rfb._tcp.local", generic, FT_ROLE_UNKNOWN},
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

/* ---- MAC addresses in names and properties --------------------------------------------------- */

static int digit_of(int c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* "00:1b:1b:0a:0b:0c", "001B1B0A0B0C": all of the text; false when it is none of a device. */
static bool read_mac(struct ft_view text, uint8_t mac[6])
{
    for (unsigned i = 0; i < 6; i++) {
        if (i && (ft_peek_u8(&text, 0) == ':' || ft_peek_u8(&text, 0) == '-'))
            ft_skip(&text, 1);
        int high = digit_of(ft_peek_u8(&text, 0)), low = digit_of(ft_peek_u8(&text, 1));
        if (high < 0 || low < 0)
            return false;
        mac[i] = (uint8_t)(high << 4 | low);
        ft_skip(&text, 2);
    }
    return !text.len && !(mac[0] & 1);
}

/* The sender may have several cards: others know better which of them its address is of. */
static void state_mac(struct ft_context *ctx, struct ft_view text)
{
    uint8_t mac[6];

    if (!ctx->src_ip || !read_mac(text, mac))
        return;
    ft_asset_management(ctx, ft_view_make(ctx->src_ip, ctx->ip_version == 6 ? 16 : 4, false),
                        ft_view_make(mac, sizeof(mac), false));
}

/* "name [00:1b:1b:0a:0b:0c]", the instance of a workstation. */
static void state_instance_mac(struct ft_context *ctx, const struct ft_dns_name *name)
{
    struct ft_view text = ft_view_make(name->text, name->first_label, false);
    int64_t at = ft_find_u8(&text, '[', 0);

    if (at < 0 || ft_peek_u8(&text, text.len - 1) != ']')
        return;
    ft_skip(&text, (uint32_t)at + 1);
    state_mac(ctx, ft_sub(&text, text.len - 1));
}

static void state_property_mac(struct ft_context *ctx, struct ft_view strings)
{
    static const char *const keys[] = {"macaddress", "deviceid", "mac"};
    struct ft_view value;

    for (size_t i = 0; i < COUNT(keys); i++)
        if (find_property(strings, keys[i], &value)) {
            state_mac(ctx, value);
            return;
        }
}

/* HINFO: the processor, then the operating system. */
static void state_host_info(struct ft_context *ctx, struct ft_view text)
{
    struct ft_view processor = ft_sub_u8(&text);
    struct ft_view os = ft_sub_u8(&text);
    if (!ft_view_ok(&text))
        return;
    ft_asset(ctx, FT_SENDER, FT_FACT_HARDWARE, processor);
    ft_asset(ctx, FT_SENDER, FT_FACT_OS, os);
}

static void state_service(struct ft_context *ctx, const struct ft_dns_record *r)
{
    const struct service *s = service_of(&r->name);

    if (!s || r->name.fault != FT_DNS_NAME_OK)
        return;
    if (r->type == FT_DNS_TXT) {
        state_properties(ctx, s->properties, r->text);
        state_property_mac(ctx, r->text);
    }
    if (r->type == FT_DNS_SRV && s->role != FT_ROLE_UNKNOWN)
        ft_asset_role(ctx, FT_SENDER, s->role);
    if (r->type == FT_DNS_SRV && s->role == FT_ROLE_WORKSTATION)
        state_instance_mac(ctx, &r->name);
}

/* ---- servers by what names them ------------------------------------------------------------- */

static bool starts(const struct ft_dns_name *name, const char *text)
{
    uint32_t n = (uint32_t)strlen(text);
    return name->length >= n && ft_dns_is_same(name->text, text, n);
}

/* _ldap._tcp.dc._msdcs.<domain>, and the same with _kerberos. */
static bool is_directory(const struct ft_dns_name *name)
{
    static const char msdcs[] = "._msdcs.";
    uint32_t n = sizeof(msdcs) - 1;

    if (!starts(name, "_ldap.") && !starts(name, "_kerberos."))
        return false;
    for (uint32_t i = 0; i + n <= name->length; i++)
        if (ft_dns_is_same(name->text + i, msdcs, n))
            return true;
    return false;
}

static void remember(struct ft_dns_facts *facts, const struct ft_dns_name *host,
                     enum ft_dns_server kind)
{
    if (facts->servers == COUNT(facts->server))
        return;
    facts->server_kind[facts->servers] = (uint8_t)kind;
    facts->server[facts->servers++] = ft_dns_name_hash(host);
}

/* What offers a service: SRV, whose target may be none (RFC 2782). */
static void remember_service(struct ft_dns_facts *facts, const struct ft_dns_record *r)
{
    if (is_directory(&r->name))
        remember(facts, &r->target, FT_DNS_SERVER_DIRECTORY);
    else if (starts(&r->name, "_ntp._udp."))
        remember(facts, &r->target, FT_DNS_SERVER_TIME);
    else if (starts(&r->name, "_opc"))
        remember(facts, &r->target, FT_DNS_SERVER_OPC);
}

bool ft_dns_names_server(const struct ft_dns_record *r)
{
    return r->type == FT_DNS_NS || r->type == FT_DNS_SOA;
}

static void state_server(struct ft_context *ctx, const struct ft_dns_facts *facts,
                         const struct ft_dns_record *r)
{
    static const char role[] = "server";
    static const char *const descriptions[] = {
        [FT_DNS_SERVER_DIRECTORY] = "domain controller",
        [FT_DNS_SERVER_TIME] = "time server",
        [FT_DNS_SERVER_OPC] = "OPC server",
        [FT_DNS_SERVER_NAMES] = "name server",
    };

    if (!facts->servers)
        return;
    uint64_t hash = ft_dns_name_hash(&r->name);
    for (uint32_t i = 0; i < facts->servers; i++) {
        if (facts->server[i] != hash)
            continue;
        const char *text = descriptions[facts->server_kind[i]];
        ft_asset_of(ctx, r->address, FT_FACT_ROLE, ft_view_make(role, sizeof(role) - 1, false));
        ft_asset_of(ctx, r->address, FT_FACT_DESCRIPTION,
                    ft_view_make(text, (uint32_t)strlen(text), false));
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
            state_server(ctx, facts, r);
        }
        break;
    case FT_DNS_PTR:
        n = is_host_name(&r->target) ? ft_dns_name_address(&r->name, address) : 0;
        if (n)
            ft_asset_of(ctx, ft_view_make(address, n, false), FT_FACT_NAME, text_of(&r->target));
        break;
    case FT_DNS_SRV:
        remember_service(facts, r);
        break;
    case FT_DNS_NS:
    case FT_DNS_SOA:
        remember(facts, &r->target, FT_DNS_SERVER_NAMES);
        break;
    default:
        break;
    }
    if (facts->is_of_sender)
        state_multicast(ctx, r);
}
