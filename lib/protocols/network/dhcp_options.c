/* SPDX-License-Identifier: BSD-3-Clause */
/* Options of DHCP: collecting them, and their fields. */
#include "dhcp_options.h"

#include <stdio.h>

/* clang-format off */
static const struct ft_name op_names[] = {
    {1, "request"}, {2, "reply"}, {0, NULL},
};

static const struct ft_name type_names[] = {
    {1, "discover"}, {2, "offer"}, {3, "request"}, {4, "decline"}, {5, "ack"}, {6, "nak"},
    {7, "release"}, {8, "inform"}, {9, "forcerenew"}, {10, "leasequery"}, {11, "leaseunassigned"},
    {12, "leaseunknown"}, {13, "leaseactive"}, {0, NULL},
};

static const struct ft_name option_names[] = {
    {1, "subnet_mask"}, {2, "time_offset"}, {3, "router"}, {4, "time_server"},
    {5, "name_server"}, {6, "dns_server"}, {7, "log_server"}, {8, "cookie_server"},
    {9, "lpr_server"}, {10, "impress_server"}, {11, "rlp_server"}, {12, "hostname"},
    {13, "boot_file_size"}, {14, "merit_dump"}, {15, "domain"}, {16, "swap_server"},
    {17, "root_path"}, {18, "extensions_path"}, {19, "ip_forwarding"}, {20, "source_routing"},
    {21, "policy_filter"}, {22, "max_datagram"}, {23, "default_ttl"}, {24, "mtu_timeout"},
    {25, "mtu_plateau"}, {26, "interface_mtu"}, {27, "subnets_local"}, {28, "broadcast"},
    {29, "mask_discovery"}, {30, "mask_supplier"}, {31, "router_discovery"},
    {32, "router_solicitation"}, {33, "static_route"}, {34, "trailers"}, {35, "arp_timeout"},
    {36, "ethernet"}, {37, "tcp_ttl"}, {38, "tcp_keepalive"}, {39, "tcp_keepalive_garbage"},
    {40, "nis_domain"}, {41, "nis_server"}, {42, "ntp_server"}, {43, "vendor_specific"},
    {44, "netbios_server"}, {45, "netbios_datagram"}, {46, "netbios_node"}, {47, "netbios_scope"},
    {48, "x_font"}, {49, "x_display"}, {50, "requested_ip"}, {51, "lease_time"}, {52, "overload"},
    {53, "dhcp_type"}, {54, "server_id"}, {55, "parameters"}, {56, "message"}, {57, "max_size"},
    {58, "renewal_time"}, {59, "rebinding_time"}, {60, "vendor_class"}, {61, "client_id"},
    {64, "nisplus_domain"}, {65, "nisplus_server"}, {66, "tftp_server_name"}, {67, "boot_file"},
    {68, "home_agent"}, {69, "smtp_server"}, {70, "pop3_server"}, {72, "www_server"},
    {77, "user_class"}, {78, "slp_agent"}, {79, "slp_scope"}, {80, "rapid_commit"}, {81, "fqdn"},
    {82, "relay_agent"}, {83, "isns"}, {85, "nds_server"}, {90, "authentication"},
    {93, "architecture"}, {94, "network_interface"}, {95, "ldap"}, {97, "uuid"},
    {100, "posix_timezone"}, {101, "tzdb_timezone"}, {108, "ipv6_only"}, {112, "netinfo_address"},
    {113, "netinfo_tag"}, {114, "url"}, {116, "auto_config"}, {117, "name_service_search"},
    {118, "subnet_selection"}, {119, "domain_search"}, {120, "sip_server"},
    {121, "classless_route"}, {122, "cablelabs"}, {124, "vi_vendor_class"},
    {125, "vi_vendor_options"}, {138, "capwap"}, {150, "tftp_server"}, {161, "mud_url"},
    {175, "etherboot"}, {249, "microsoft_route"}, {252, "wpad"}, {0, NULL},
};

#define FIELD(name, title, names, parent, type, flags, ...)                                        \
    {name, title, names, parent, FT_TYPE_##type, flags, __VA_ARGS__ + 0}

const struct ft_field ft_dhcp_fields[DHCP_FIELDS] = {
    [DHCP_ROOT] = FIELD("dhcp", "Address assignment", NULL, 0, GROUP, 0),
    [DHCP_OP] = FIELD("type", "Request or reply", op_names, 0, ENUM, 0, 8),
    [DHCP_ID] = FIELD("id", "Transaction id", NULL, 0, UINT, 0, 32),
    [DHCP_HOPS] = FIELD("hops", "Relays on the way", NULL, 0, UINT, 0, 8),
    [DHCP_SECONDS] = FIELD("secs", "Seconds that the client has been trying", NULL, 0, UINT, 0, 16),
    [DHCP_BROADCAST] = FIELD("broadcast", "Wants the answer by broadcast", NULL, 0, BOOL, 0),
    [DHCP_CLIENT_MAC] = FIELD("client_mac", "Client's MAC address", NULL, 0, MAC, 0),
    [DHCP_ASSIGNED_IP] = FIELD("assigned_ip", "Address that the client gets", NULL, 0, IPV4, 0),
    [DHCP_CLIENT_IP] = FIELD("client_ip", "Address that the client has", NULL, 0, IPV4, 0),
    [DHCP_NEXT_SERVER_IP] = FIELD("next_server_ip", "Server to boot from", NULL, 0, IPV4, 0),
    [DHCP_RELAY_IP] = FIELD("relay_ip", "Relay", NULL, 0, IPV4, 0),
    [DHCP_FIELD_TYPE] = FIELD("dhcp_type", "Message type", type_names, 0, ENUM, 0),
    [DHCP_FIELD_REQUESTED_IP] = FIELD("requested_ip", "Address asked for", NULL, 0, IPV4, 0),
    [DHCP_FIELD_SERVER_ID] = FIELD("server_id", "Server meant", NULL, 0, IPV4, 0),
    [DHCP_FIELD_LEASE_TIME] = FIELD("lease_time", "Seconds of the lease", NULL, 0, UINT, 0),
    [DHCP_FIELD_RENEWAL_TIME] = FIELD("renewal_time", "Seconds until it is renewed", NULL, 0, UINT, 0),
    [DHCP_FIELD_REBINDING_TIME] = FIELD("rebinding_time", "Seconds until any server is asked", NULL, 0, UINT, 0),
    [DHCP_FIELD_SUBNET_MASK] = FIELD("subnet_mask", "Subnet mask", NULL, 0, IPV4, 0),
    [DHCP_FIELD_ROUTERS] = FIELD("routers", "Routers", NULL, 0, IPV4, FT_FIELD_LIST),
    [DHCP_FIELD_DNS_SERVERS] = FIELD("dns_servers", "DNS servers", NULL, 0, IPV4, FT_FIELD_LIST),
    [DHCP_FIELD_LOG_SERVERS] = FIELD("log_servers", "Log servers", NULL, 0, IPV4, FT_FIELD_LIST),
    [DHCP_FIELD_NTP_SERVERS] = FIELD("ntp_servers", "Time servers", NULL, 0, IPV4, FT_FIELD_LIST),
    [DHCP_FIELD_WINS_SERVERS] = FIELD("wins_servers", "NetBIOS name servers", NULL, 0, IPV4, FT_FIELD_LIST),
    [DHCP_FIELD_TFTP_SERVERS] = FIELD("tftp_servers", "TFTP servers", NULL, 0, IPV4, FT_FIELD_LIST),
    [DHCP_FIELD_HOSTNAME] = FIELD("hostname", "Host name", NULL, 0, STRING, 0),
    [DHCP_FIELD_DOMAIN] = FIELD("domain", "Domain", NULL, 0, STRING, 0),
    [DHCP_FIELD_FQDN] = FIELD("fqdn", "Full name", NULL, 0, STRING, 0),
    [DHCP_FIELD_VENDOR_CLASS] = FIELD("vendor_class_identifier", "Vendor class", NULL, 0, STRING, 0),
    [DHCP_FIELD_CLIENT_ID] = FIELD("client_id", "Client identifier", NULL, 0, STRING, 0),
    [DHCP_FIELD_PARAMS] = FIELD("params", "Options asked for", option_names, 0, ENUM, FT_FIELD_LIST, 8),
    [DHCP_FIELD_FINGERPRINT] = FIELD("prl", "Options asked for, in their order: a fingerprint", NULL, 0, STRING, 0),
    [DHCP_FIELD_MAX_SIZE] = FIELD("max_size", "Longest message taken", NULL, 0, UINT, 0),
    [DHCP_FIELD_MESSAGE] = FIELD("message", "Why it was refused", NULL, 0, STRING, 0),
    [DHCP_FIELD_USER_CLASS] = FIELD("user_class", "User class", NULL, 0, STRING, 0),
    [DHCP_FIELD_ARCHITECTURE] = FIELD("architecture", "Processor that boots", NULL, 0, UINT, 0),
    [DHCP_FIELD_UUID] = FIELD("uuid", "UUID of the client, its type first", NULL, 0, BYTES, 0),
    [DHCP_FIELD_RELAY] = FIELD("relay", "What the relay adds", NULL, 0, GROUP, 0),
    [DHCP_FIELD_RELAY_CIRCUIT] = FIELD("circuit", "Circuit: the port of the switch", NULL, DHCP_FIELD_RELAY, STRING, 0),
    [DHCP_FIELD_RELAY_REMOTE] = FIELD("remote", "Remote id: the switch", NULL, DHCP_FIELD_RELAY, STRING, 0),
    [DHCP_FIELD_RELAY_SUBSCRIBER] = FIELD("subscriber", "Subscriber", NULL, DHCP_FIELD_RELAY, STRING, 0),
    [DHCP_FIELD_TFTP_NAME] = FIELD("tftp_server_name", "TFTP server by name", NULL, 0, STRING, 0),
    [DHCP_FIELD_FILE_NAME] = FIELD("bootfile_option", "Boot file by option", NULL, 0, STRING, 0),
    [DHCP_FIELD_URL] = FIELD("url", "URL of the network's portal", NULL, 0, STRING, 0),
    [DHCP_FIELD_SEARCH] = FIELD("domain_search", "Domains to search, as sent", NULL, 0, BYTES, 0),
    [DHCP_FIELD_ROUTES] = FIELD("routes", "Static routes: network, router", NULL, 0, STRING, FT_FIELD_LIST),
    [DHCP_FIELD_VENDOR_SPECIFIC] = FIELD("vendor_specific", "Vendor options, as sent", NULL, 0, BYTES, 0),
    [DHCP_FIELD_VENDOR_OPTIONS] = FIELD("vendor_options", "Options of an enterprise, as sent", NULL, 0, BYTES, 0),
    [DHCP_FIELD_MUD] = FIELD("mud_url", "Manufacturer usage description", NULL, 0, STRING, 0),
    [DHCP_FIELD_WPAD] = FIELD("wpad", "Where the proxy configuration is", NULL, 0, STRING, 0),
    [DHCP_FIELD_OVERLOAD] = FIELD("overload", "Fields that hold options, too", NULL, 0, UINT, 0),
    [DHCP_SERVER_NAME] = FIELD("server_name", "Server by name", NULL, 0, STRING, 0),
    [DHCP_BOOT_FILE] = FIELD("bootfile", "Boot file", NULL, 0, STRING, 0),
};

/* How an option is put. */
enum form {
    ADDRESSES = 1,
    NUMBER,
    TEXT,
    BYTES,
};

static const struct {
    uint8_t option, form;
    uint16_t field;
} plain[] = {
    {DHCP_MESSAGE_TYPE, NUMBER, DHCP_FIELD_TYPE},
    {DHCP_REQUESTED_IP, ADDRESSES, DHCP_FIELD_REQUESTED_IP},
    {DHCP_SERVER_ID, ADDRESSES, DHCP_FIELD_SERVER_ID},
    {DHCP_LEASE_TIME, NUMBER, DHCP_FIELD_LEASE_TIME},
    {DHCP_RENEWAL_TIME, NUMBER, DHCP_FIELD_RENEWAL_TIME},
    {DHCP_REBINDING_TIME, NUMBER, DHCP_FIELD_REBINDING_TIME},
    {DHCP_SUBNET_MASK, ADDRESSES, DHCP_FIELD_SUBNET_MASK},
    {DHCP_ROUTERS, ADDRESSES, DHCP_FIELD_ROUTERS},
    {DHCP_DNS_SERVERS, ADDRESSES, DHCP_FIELD_DNS_SERVERS},
    {DHCP_LOG_SERVERS, ADDRESSES, DHCP_FIELD_LOG_SERVERS},
    {DHCP_NTP_SERVERS, ADDRESSES, DHCP_FIELD_NTP_SERVERS},
    {DHCP_WINS_SERVERS, ADDRESSES, DHCP_FIELD_WINS_SERVERS},
    {DHCP_TFTP_SERVERS, ADDRESSES, DHCP_FIELD_TFTP_SERVERS},
    {DHCP_HOST_NAME, TEXT, DHCP_FIELD_HOSTNAME},
    {DHCP_DOMAIN, TEXT, DHCP_FIELD_DOMAIN},
    {DHCP_VENDOR_CLASS, TEXT, DHCP_FIELD_VENDOR_CLASS},
    {DHCP_MAX_SIZE, NUMBER, DHCP_FIELD_MAX_SIZE},
    {DHCP_MESSAGE, TEXT, DHCP_FIELD_MESSAGE},
    {DHCP_USER_CLASS, TEXT, DHCP_FIELD_USER_CLASS},
    {DHCP_ARCHITECTURE, NUMBER, DHCP_FIELD_ARCHITECTURE},
    {DHCP_UUID, BYTES, DHCP_FIELD_UUID},
    {DHCP_TFTP_NAME, TEXT, DHCP_FIELD_TFTP_NAME},
    {DHCP_FILE_NAME, TEXT, DHCP_FIELD_FILE_NAME},
    {DHCP_URL, TEXT, DHCP_FIELD_URL},
    {DHCP_SEARCH, BYTES, DHCP_FIELD_SEARCH},
    {DHCP_VENDOR_SPECIFIC, BYTES, DHCP_FIELD_VENDOR_SPECIFIC},
    {DHCP_VENDOR_OPTIONS, BYTES, DHCP_FIELD_VENDOR_OPTIONS},
    {DHCP_MUD, TEXT, DHCP_FIELD_MUD},
    {DHCP_WPAD, TEXT, DHCP_FIELD_WPAD},
    {DHCP_OVERLOAD, NUMBER, DHCP_FIELD_OVERLOAD},
};
/* clang-format on */

/* ---- collecting ----------------------------------------------------------------------------- */

/* Put a further piece behind the pieces of its option, all of which move to the end of joined. */
static void join(struct ft_dhcp_options *o, uint8_t code, struct ft_view piece)
{
    struct ft_view *value = &o->value[code];
    uint32_t n = value->len + piece.len;

    if (n > sizeof(o->joined) - o->used)
        return;
    uint8_t *to = o->joined + o->used;
    memcpy(to, value->data, value->len);
    memcpy(to + value->len, piece.data, piece.len);
    o->used += n;
    *value = ft_view_make(to, n, false);
}

static void collect(struct ft_dhcp_options *o, struct ft_view v)
{
    while (v.len) {
        uint8_t code = ft_u8(&v);
        if (code == DHCP_PAD)
            continue;
        if (code == DHCP_END)
            return;
        struct ft_view value = ft_sub_u8(&v);
        if (!ft_view_ok(&v)) {
            o->is_overrun |= ft_view_is_malformed(&v);
            return;
        }
        if (o->value[code].len)
            join(o, code, value);
        else
            o->value[code] = value;
    }
}

void ft_dhcp_options_read(struct ft_dhcp_options *o, struct ft_view file,
                          struct ft_view server_name, struct ft_view *pdu)
{
    static const uint8_t cookie[] = {0x63, 0x82, 0x53, 0x63};

    for (unsigned i = 0; i < 256; i++)
        o->value[i] = ft_view_empty();
    o->used = 0;
    o->overload = 0;
    o->is_overrun = false;
    struct ft_view options = ft_rest(pdu);
    if (!ft_view_starts(&options, cookie, sizeof(cookie)))
        return;
    ft_skip(&options, sizeof(cookie));
    collect(o, options);
    int overload = ft_peek_u8(&o->value[DHCP_OVERLOAD], 0);
    o->overload = overload < 0 ? 0 : overload & 3;
    if (o->overload & DHCP_FILE_OVERLOADED)
        collect(o, file);
    if (o->overload & DHCP_SERVER_NAME_OVERLOADED)
        collect(o, server_name);
}

uint8_t ft_dhcp_type(const struct ft_dhcp_options *o)
{
    int type = ft_peek_u8(&o->value[DHCP_MESSAGE_TYPE], 0);
    return type < 0 ? 0 : (uint8_t)type;
}

bool ft_dhcp_has_own(const struct ft_dhcp_options *o)
{
    return o->value[DHCP_REQUESTED_IP].len || o->value[DHCP_LEASE_TIME].len ||
           o->value[DHCP_SERVER_ID].len || o->value[DHCP_PARAMETERS].len;
}

/* ---- putting -------------------------------------------------------------------------------- */

static void put_addresses(struct ft_context *ctx, uint32_t field, struct ft_view v)
{
    while (v.len >= 4)
        ft_put_uint(ctx, field, ft_u32be(&v), &v);
}

static void put_plain(struct ft_context *ctx, const struct ft_dhcp_options *o)
{
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        struct ft_view v = o->value[plain[i].option];
        if (!v.len)
            continue;
        switch ((enum form)plain[i].form) {
        case ADDRESSES:
            put_addresses(ctx, plain[i].field, v);
            break;
        case NUMBER:
            if (v.len <= 4)
                ft_put_uint(ctx, plain[i].field, ft_uint_be(&v, v.len), &v);
            break;
        case TEXT:
            ft_put_string(ctx, plain[i].field, v);
            break;
        case BYTES:
            ft_put_bytes(ctx, plain[i].field, v);
            break;
        }
    }
}

static void put_parameters(struct ft_context *ctx, struct ft_view v)
{
    char text[256 * 4];
    uint32_t n = 0;
    bool wants = ft_wants(ctx, DHCP_FIELD_FINGERPRINT);

    while (v.len) {
        uint8_t code = ft_u8(&v);
        ft_put_uint(ctx, DHCP_FIELD_PARAMS, code, &v);
        if (wants && n + 5 < sizeof(text))
            n += (uint32_t)snprintf(text + n, sizeof(text) - n, "%s%u", n ? "," : "", code);
    }
    if (n)
        ft_put_text(ctx, DHCP_FIELD_FINGERPRINT, text, n, NULL);
}

/* Hardware type and address, or something else: in hexadecimal, as EVE has it. */
static void put_client_id(struct ft_context *ctx, struct ft_view v)
{
    char text[3 * 64];
    uint32_t n = 0;
    struct ft_view at = v;

    if (!v.len || !ft_wants(ctx, DHCP_FIELD_CLIENT_ID))
        return;
    ft_rest(&at);
    if (v.len == 7 && ft_peek_u8(&v, 0) == 1)
        ft_skip(&v, 1);
    while (v.len && n + 4 < sizeof(text))
        n += (uint32_t)snprintf(text + n, sizeof(text) - n, "%s%02x", n ? ":" : "", ft_u8(&v));
    ft_put_text(ctx, DHCP_FIELD_CLIENT_ID, text, n, &at);
}

/* Flags 1, results 2, then the name: as labels, or as text. */
static uint32_t read_fqdn(struct ft_view v, char text[256])
{
    uint8_t flags = ft_u8(&v);
    uint32_t n = 0;

    ft_skip(&v, 2);
    if (!ft_view_ok(&v))
        return 0;
    if (!(flags & 4)) {
        n = v.len < 255 ? v.len : 255;
        memcpy(text, v.data, n);
        return n;
    }
    while (v.len) {
        struct ft_view label = ft_sub_u8(&v);
        if (!label.len || n + label.len + 1 > 255)
            break;
        if (n)
            text[n++] = '.';
        memcpy(text + n, label.data, label.len);
        n += label.len;
    }
    return n;
}

static void put_relay(struct ft_context *ctx, struct ft_view v)
{
    static const uint16_t field[7] = {[1] = DHCP_FIELD_RELAY_CIRCUIT,
                                      [2] = DHCP_FIELD_RELAY_REMOTE,
                                      [6] = DHCP_FIELD_RELAY_SUBSCRIBER};
    ft_group_begin(ctx, DHCP_FIELD_RELAY);
    while (v.len) {
        uint8_t code = ft_u8(&v);
        struct ft_view value = ft_sub_u8(&v);
        if (code < 7 && field[code])
            ft_put_bytes(ctx, field[code], value);
    }
    ft_group_end(ctx, DHCP_FIELD_RELAY);
}

/* Width 1, so many bits of the network in whole bytes, router 4. */
static void put_routes(struct ft_context *ctx, struct ft_view v)
{
    char text[64];

    while (v.len) {
        uint8_t width = ft_u8(&v), network[4] = {0}, router[4];
        for (unsigned i = 0; i < (width + 7u) / 8 && i < 4; i++)
            network[i] = ft_u8(&v);
        for (unsigned i = 0; i < 4; i++)
            router[i] = ft_u8(&v);
        if (!ft_view_ok(&v) || width > 32)
            return;
        int n = snprintf(text, sizeof(text), "%u.%u.%u.%u/%u %u.%u.%u.%u", network[0], network[1],
                         network[2], network[3], width, router[0], router[1], router[2], router[3]);
        ft_put_text(ctx, DHCP_FIELD_ROUTES, text, (uint32_t)n, &v);
    }
}

void ft_dhcp_check_text(struct ft_context *ctx, struct ft_view text)
{
    struct ft_view v = text;

    ft_rest(&text);
    while (v.len) {
        if (ft_view_starts(&v, "() {", 4) || ft_view_starts(&v, "(){", 3)) {
            ft_violation(ctx, DHCP_V_FUNCTION, &text);
            return;
        }
        int c = ft_u8(&v);
        if (c == ';' || c == '|' || c == '`' || c == '\n' ||
            (c == '$' && ft_peek_u8(&v, 0) == '(')) {
            ft_violation(ctx, DHCP_V_INJECTION, &text);
            return;
        }
    }
}

void ft_dhcp_options_put(struct ft_context *ctx, const struct ft_dhcp_options *o)
{
    static const uint8_t texts[] = {DHCP_HOST_NAME, DHCP_DOMAIN, DHCP_FILE_NAME, DHCP_URL,
                                    DHCP_WPAD};
    char name[256];

    put_plain(ctx, o);
    put_parameters(ctx, o->value[DHCP_PARAMETERS]);
    put_client_id(ctx, o->value[DHCP_CLIENT_IDENTIFIER]);
    if (o->value[DHCP_FQDN].len && ft_wants(ctx, DHCP_FIELD_FQDN))
        ft_put_text(ctx, DHCP_FIELD_FQDN, name, read_fqdn(o->value[DHCP_FQDN], name), NULL);
    if (o->value[DHCP_RELAY].len)
        put_relay(ctx, o->value[DHCP_RELAY]);
    put_routes(ctx, o->value[DHCP_ROUTES]);
    put_routes(ctx, o->value[DHCP_ROUTES_MICROSOFT]);
    for (size_t i = 0; i < sizeof(texts); i++)
        ft_dhcp_check_text(ctx, o->value[texts[i]]);
}

/* ---- facts ---------------------------------------------------------------------------------- */

/* What vendor classes begin with, and what they say. */
static const struct {
    const char *prefix;
    enum ft_fact fact;
    const char *text;
} vendor_classes[] = {
    {"MSFT 5.0", FT_FACT_OS, "Windows"},
    {"MSFT 98", FT_FACT_OS, "Windows 98"},
    {"MSFT", FT_FACT_OS, "Windows"},
    {"udhcp", FT_FACT_OS, "Linux (BusyBox)"},
    {"dhcpcd", FT_FACT_OS, "Linux"},
    {"Linux", FT_FACT_OS, "Linux"},
    {"android-dhcp", FT_FACT_OS, "Android"},
    {"AndroidDHCP", FT_FACT_OS, "Android"},
    {"VxWorks", FT_FACT_OS, "VxWorks"},
    {"SUNW.", FT_FACT_OS, "Solaris"},
    {"ArubaAP", FT_FACT_VENDOR, "Aruba"},
    {"ArubaInstantAP", FT_FACT_VENDOR, "Aruba"},
    {"Cisco", FT_FACT_VENDOR, "Cisco"},
    {"ciscopnp", FT_FACT_VENDOR, "Cisco"},
    {"Hewlett-Packard", FT_FACT_VENDOR, "Hewlett-Packard"},
    {"HPPrinter", FT_FACT_VENDOR, "Hewlett-Packard"},
    {"Mfg=Hewlett", FT_FACT_VENDOR, "Hewlett-Packard"},
    {"SIEMENS", FT_FACT_VENDOR, "Siemens"},
    {"Siemens", FT_FACT_VENDOR, "Siemens"},
    {"Schneider", FT_FACT_VENDOR, "Schneider Electric"},
    {"MOXA", FT_FACT_VENDOR, "Moxa"},
    {"Rockwell", FT_FACT_VENDOR, "Rockwell Automation"},
    {"WAGO", FT_FACT_VENDOR, "WAGO"},
    {"Beckhoff", FT_FACT_VENDOR, "Beckhoff"},
    {"Hirschmann", FT_FACT_VENDOR, "Hirschmann"},
    {"Polycom", FT_FACT_VENDOR, "Polycom"},
    {"yealink", FT_FACT_VENDOR, "Yealink"},
    {"AXIS", FT_FACT_VENDOR, "Axis"},
};

/* Options asked for, in order, of clients that send no vendor class, or one that says less. */
static const struct {
    uint8_t length;
    uint8_t options[16];
    const char *os;
} fingerprints[] = {
    {14, {1, 3, 6, 15, 31, 33, 43, 44, 46, 47, 119, 121, 249, 252}, "Windows 10"},
    {12, {1, 15, 3, 6, 44, 46, 47, 31, 33, 121, 249, 43}, "Windows 7"},
    {13, {1, 15, 3, 6, 44, 46, 47, 31, 33, 121, 249, 43, 252}, "Windows 7"},
    {11, {1, 15, 3, 6, 44, 46, 47, 31, 33, 249, 43}, "Windows XP"},
    {12, {1, 15, 3, 6, 44, 46, 47, 31, 33, 249, 43, 252}, "Windows XP"},
    {9, {1, 15, 3, 6, 44, 46, 47, 43, 77}, "Windows 2000"},
    {13, {1, 28, 2, 3, 15, 6, 119, 12, 44, 47, 26, 121, 42}, "Linux (dhclient)"},
    {10, {1, 28, 2, 3, 15, 6, 12, 121, 249, 252}, "Linux (dhclient)"},
    {10, {1, 3, 6, 15, 26, 28, 51, 58, 59, 43}, "Android"},
    {7, {1, 121, 3, 6, 15, 119, 252}, "iOS"},
    {10, {1, 121, 3, 6, 15, 119, 252, 95, 44, 46}, "macOS"},
};

static struct ft_view text_of(const char *text)
{
    return ft_view_make(text, (uint32_t)strlen(text), false);
}

static bool state_fingerprint(struct ft_context *ctx, struct ft_view parameters, struct ft_view mac)
{
    for (size_t i = 0; i < sizeof(fingerprints) / sizeof(fingerprints[0]); i++) {
        if (parameters.len != fingerprints[i].length ||
            !ft_view_starts(&parameters, fingerprints[i].options, fingerprints[i].length))
            continue;
        ft_asset_of(ctx, mac, FT_FACT_OS, text_of(fingerprints[i].os));
        return true;
    }
    return false;
}

/* `is_os_known`: the fingerprint said it better. */
static void state_vendor_class(struct ft_context *ctx, struct ft_view class_, struct ft_view mac,
                               bool is_os_known)
{
    if (!ft_view_starts(&class_, "MSFT ", 5)) /* nothing beyond the operating system */
        ft_asset_of(ctx, mac, FT_FACT_DESCRIPTION, class_);
    for (size_t i = 0; i < sizeof(vendor_classes) / sizeof(vendor_classes[0]); i++) {
        const char *prefix = vendor_classes[i].prefix;
        if (!ft_view_starts(&class_, prefix, (uint32_t)strlen(prefix)))
            continue;
        if (vendor_classes[i].fact != FT_FACT_OS || !is_os_known)
            ft_asset_of(ctx, mac, vendor_classes[i].fact, text_of(vendor_classes[i].text));
        return;
    }
}

/* Text as it is, other bytes in hexadecimal. */
static uint32_t readable(struct ft_view v, char *to, uint32_t size)
{
    struct ft_view at = v;
    bool is_text = true;
    uint32_t n = 0;

    while (at.len) {
        uint8_t c = ft_u8(&at);
        is_text = is_text && c >= 0x20 && c < 0x7f;
    }
    while (v.len && n + 3 < size) {
        uint8_t c = ft_u8(&v);
        if (is_text)
            to[n++] = (char)c;
        else
            n += (uint32_t)snprintf(to + n, size - n, "%02x", c);
    }
    return n;
}

/* The switch and its port that the relay names: where the client is. */
static void state_location(struct ft_context *ctx, struct ft_view relay, struct ft_view mac)
{
    char text[200];
    uint32_t n = 0;

    while (relay.len) {
        uint8_t code = ft_u8(&relay);
        struct ft_view value = ft_sub_u8(&relay);
        if ((code != 1 && code != 2) || !value.len || n > sizeof(text) / 2)
            continue;
        n += (uint32_t)snprintf(text + n, sizeof(text) - n, "%s%s ", n ? ", " : "",
                                code == 1 ? "circuit" : "remote");
        n += readable(value, text + n, (uint32_t)sizeof(text) - n);
    }
    if (n)
        ft_asset_of(ctx, mac, FT_FACT_LOCATION, ft_view_make(text, n, false));
}

void ft_dhcp_state_client(struct ft_context *ctx, const struct ft_dhcp_options *o,
                          struct ft_view mac, uint8_t type)
{
    char name[256];
    uint32_t length = o->value[DHCP_FQDN].len ? read_fqdn(o->value[DHCP_FQDN], name) : 0;
    bool is_os_known = state_fingerprint(ctx, o->value[DHCP_PARAMETERS], mac);

    if (length)
        ft_asset_of(ctx, mac, FT_FACT_NAME, ft_view_make(name, length, false));
    else if (o->value[DHCP_HOST_NAME].len)
        ft_asset_of(ctx, mac, FT_FACT_NAME, o->value[DHCP_HOST_NAME]);
    if (o->value[DHCP_VENDOR_CLASS].len)
        state_vendor_class(ctx, o->value[DHCP_VENDOR_CLASS], mac, is_os_known);
    else if (!type)
        ft_asset_of(ctx, mac, FT_FACT_DESCRIPTION, text_of("BOOTP client"));
    if (o->value[DHCP_RELAY].len)
        state_location(ctx, o->value[DHCP_RELAY], mac);
}
