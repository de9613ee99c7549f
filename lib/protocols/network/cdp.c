/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cisco Discovery Protocol: what a device tells its neighbour about itself, once a minute.
 *
 *   0  1  version    1 or 2
 *   1  1  time to live, seconds
 *   2  2  checksum of the whole
 *   4     TLVs: type (2), length with these four bytes (2), value
 *
 * Owned by Cisco and never published as a whole; this is what decoders agree on.
 */
#include "banner.h"
#include "repeated.h"

#include <stdio.h>

enum tlv {
    TLV_DEVICE = 0x0001,
    TLV_ADDRESSES = 0x0002,
    TLV_PORT = 0x0003,
    TLV_CAPABILITIES = 0x0004,
    TLV_SOFTWARE = 0x0005,
    TLV_PLATFORM = 0x0006,
    TLV_PREFIXES = 0x0007,
    TLV_HELLO = 0x0008,
    TLV_VTP_DOMAIN = 0x0009,
    TLV_NATIVE_VLAN = 0x000a,
    TLV_DUPLEX = 0x000b,
    TLV_VOICE_REPLY = 0x000e,
    TLV_VOICE_QUERY = 0x000f,
    TLV_POWER = 0x0010,
    TLV_MTU = 0x0011,
    TLV_TRUST = 0x0012,
    TLV_UNTRUSTED_COS = 0x0013,
    TLV_SYSTEM_NAME = 0x0014,
    TLV_SYSTEM_OID = 0x0015,
    TLV_MANAGEMENT = 0x0016,
    TLV_LOCATION = 0x0017,
    TLV_EXTERNAL_PORT = 0x0018,
    TLV_POWER_REQUESTED = 0x0019,
    TLV_POWER_AVAILABLE = 0x001a,
    TLV_UNIDIRECTIONAL = 0x001b,
    TLV_ENERGYWISE = 0x001d,
    TLV_SPARE_PAIR = 0x001f,
    TLV_BSSID = 0x1000,
    TLV_SERIAL = 0x1001,
    TLV_SSID = 0x1002,
    TLV_SNMP_PORT = 0x1004,
    TLV_WEB_PORT = 0x1005,
    TLV_SOURCE_MAC = 0x100c,
};

enum {
    HEADER = 4,
    ADVERTISEMENT = 1,
    CAN_ROUTE = 0x01,
    CAN_SWITCH = 0x08,
    POWER_LEVELS_MAX = 10, /* what receivers have room for (CVE-2020-3119) */
    NAME_MAX_LENGTH = 255,
};

enum field {
    ROOT = 0,
    VERSION,
    TTL,
    CHECKSUM_OK,
    DEVICE_ID,
    PORT_ID,
    CAPABILITIES,
    SOFTWARE,
    PLATFORM,
    ADDRESSES,
    MANAGEMENT,
    PREFIXES,
    GATEWAY,
    VTP_DOMAIN,
    NATIVE_VLAN,
    IS_FULL_DUPLEX,
    VOICE_VLAN,
    VOICE_QUERY,
    POWER,
    POWER_REQUESTED,
    POWER_AVAILABLE,
    MTU,
    TRUST,
    UNTRUSTED_COS,
    SYSTEM_NAME,
    SYSTEM_OID,
    LOCATION,
    EXTERNAL_PORT,
    IS_UNIDIRECTIONAL,
    ENERGYWISE,
    SPARE_PAIR,
    BSSID,
    SERIAL,
    SSID,
    SNMP_PORT,
    WEB_PORT,
    SOURCE_MAC,
    CLUSTER,
    CLUSTER_MASTER,
    CLUSTER_COMMANDER,
    CLUSTER_MAC,
    CLUSTER_VLAN,
    HELLO,
    OTHER,
    OTHER_TYPE,
    OTHER_DATA,
};

enum violation {
    V_VERSION = 0,
    V_CHECKSUM,
    V_TLV_LENGTH,
    V_ADDRESS_COUNT,
    V_POWER_LEVELS,
    V_NAME_LENGTH,
    V_FORMAT_STRING,
    V_IDENTITY_CHANGED,
};

/* clang-format off */
static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_SNAP, .value = 0x00000c2000},
};

static const struct ft_name capability_names[] = {
    {0x001, "router"}, {0x002, "transparent_bridge"}, {0x004, "source_route_bridge"},
    {0x008, "switch"}, {0x010, "host"}, {0x020, "igmp"}, {0x040, "repeater"}, {0x080, "phone"},
    {0x100, "remotely_managed"}, {0x200, "cvta"}, {0x400, "two_port_mac_relay"}, {0, NULL},
};

static const struct ft_field fields[] = {
    {"cdp", "Cisco's neighbour discovery", NULL, 0, FT_TYPE_GROUP, 0, 0},
    {"version", "Version", NULL, ROOT, FT_TYPE_UINT, 0, 8},
    {"ttl", "Seconds that this holds", NULL, ROOT, FT_TYPE_UINT, 0, 8},
    {"checksum_ok", "The checksum fits", NULL, ROOT, FT_TYPE_BOOL, 0, 0},
    {"device_id", "Name of the device", NULL, ROOT, FT_TYPE_STRING, 0, 0},
    {"port_id", "Port that sends", NULL, ROOT, FT_TYPE_STRING, 0, 0},
    {"capabilities", "What the device is", capability_names, ROOT, FT_TYPE_FLAGS, 0, 32},
    {"software", "Software and its version", NULL, ROOT, FT_TYPE_STRING, 0, 0},
    {"platform", "Model", NULL, ROOT, FT_TYPE_STRING, 0, 0},
    {"addresses", "Address of the port", NULL, ROOT, FT_TYPE_STRING, FT_FIELD_LIST, 0},
    {"mgmt_addresses", "Address for management", NULL, ROOT, FT_TYPE_STRING, FT_FIELD_LIST, 0},
    {"prefixes", "Network behind the device, with the length of its prefix", NULL, ROOT, FT_TYPE_STRING, FT_FIELD_LIST, 0},
    {"gateway", "Default gateway", NULL, ROOT, FT_TYPE_IPV4, 0, 0},
    {"vtp_domain", "Domain of VLAN management", NULL, ROOT, FT_TYPE_STRING, 0, 0},
    {"native_vlan", "VLAN of untagged frames", NULL, ROOT, FT_TYPE_UINT, 0, 16},
    {"full_duplex", "Full duplex", NULL, ROOT, FT_TYPE_BOOL, 0, 0},
    {"voice_vlan", "VLAN for telephones", NULL, ROOT, FT_TYPE_UINT, 0, 16},
    {"voice_vlan_query", "VLAN that a telephone asks for", NULL, ROOT, FT_TYPE_UINT, 0, 16},
    {"power", "Milliwatts that the device takes", NULL, ROOT, FT_TYPE_UINT, 0, 16},
    {"power_requested", "Milliwatts that the device asks for", NULL, ROOT, FT_TYPE_UINT, FT_FIELD_LIST, 32},
    {"power_available", "Milliwatts that the source offers", NULL, ROOT, FT_TYPE_UINT, FT_FIELD_LIST, 32},
    {"mtu", "Longest packet", NULL, ROOT, FT_TYPE_UINT, 0, 32},
    {"trust", "Priorities of the neighbour are believed", NULL, ROOT, FT_TYPE_UINT, 0, 8},
    {"untrusted_cos", "Priority given to what is not believed", NULL, ROOT, FT_TYPE_UINT, 0, 8},
    {"system_name", "Name of the system", NULL, ROOT, FT_TYPE_STRING, 0, 0},
    {"system_oid", "Object identifier of the system", NULL, ROOT, FT_TYPE_BYTES, 0, 0},
    {"location", "Where the device is", NULL, ROOT, FT_TYPE_STRING, 0, 0},
    {"external_port", "External port", NULL, ROOT, FT_TYPE_STRING, 0, 0},
    {"unidirectional", "Port of one direction", NULL, ROOT, FT_TYPE_BOOL, 0, 0},
    {"energywise", "Energy management", NULL, ROOT, FT_TYPE_BYTES, 0, 0},
    {"spare_pair", "Bits of power over the spare pair", NULL, ROOT, FT_TYPE_UINT, 0, 8},
    {"bssid", "Address of the radio cell", NULL, ROOT, FT_TYPE_BYTES, 0, 0},
    {"serial", "Serial number", NULL, ROOT, FT_TYPE_STRING, 0, 0},
    {"ssid", "Name of the radio network", NULL, ROOT, FT_TYPE_STRING, 0, 0},
    {"snmp_port", "UDP port of SNMP", NULL, ROOT, FT_TYPE_UINT, 0, 16},
    {"web_port", "TCP port of the web server", NULL, ROOT, FT_TYPE_UINT, 0, 16},
    {"source_mac", "MAC address of the device", NULL, ROOT, FT_TYPE_MAC, 0, 0},
    {"cluster", "Management of switches as one", NULL, ROOT, FT_TYPE_GROUP, 0, 0},
    {"master", "Address of the master", NULL, CLUSTER, FT_TYPE_IPV4, 0, 0},
    {"commander", "MAC address of the commander", NULL, CLUSTER, FT_TYPE_MAC, 0, 0},
    {"mac", "MAC address of the device", NULL, CLUSTER, FT_TYPE_MAC, 0, 0},
    {"vlan", "VLAN for management", NULL, CLUSTER, FT_TYPE_UINT, 0, 16},
    {"hello", "Hello of another protocol: OUI, id, data", NULL, ROOT, FT_TYPE_BYTES, FT_FIELD_LIST, 0},
    {"other", "TLV that is not read", NULL, ROOT, FT_TYPE_GROUP, FT_FIELD_LIST, 0},
    {"type", "Type", NULL, OTHER, FT_TYPE_UINT, 0, 16},
    {"data", "Data", NULL, OTHER, FT_TYPE_BYTES, 0, 0},
};

static const struct ft_command commands[] = {
    {ADVERTISEMENT, FT_ANY_QUALIFIER, "advertisement", FT_CLASS_DATA, {0}, NULL},
};

#define VIOLATION(name, title, category, mitre, severity)                                          \
    {name, title, NULL, category, mitre, FT_SEVERITY_##severity, FT_ENGINE_PROTOCOL, FT_ALERT_NEVER, {0}}
#define ALERT(name, title, category, mitre, severity)                                              \
    {name, title, NULL, category, mitre, FT_SEVERITY_##severity, FT_ENGINE_PROTOCOL, FT_ALERT_EACH, {0}}
#define ABNORMAL "Abnormal Communication Behavior"
#define MALICIOUS "Suspicion of malicious activity"

static const struct ft_violation violations[] = {
    VIOLATION("version", "CDP of a version that does not exist", ABNORMAL, NULL, WARNING),
    VIOLATION("checksum", "CDP with a wrong checksum", ABNORMAL, NULL, WARNING),
    VIOLATION("tlv_length", "CDP value of a length that cannot be", MALICIOUS, "T0866 T0819", MAJOR),
    VIOLATION("address_count", "CDP counts more addresses than it has", MALICIOUS, "T0866 T0814", MAJOR),
    ALERT("power_levels", "CDP asks for more levels of power than receivers have room for", MALICIOUS, "T0866 T0819", CRITICAL),
    VIOLATION("name_length", "CDP name longer than receivers have room for", MALICIOUS, "T0866 T0819", MAJOR),
    ALERT("format_string", "CDP text with a directive that makes receivers write memory", MALICIOUS, "T0866", CRITICAL),
    VIOLATION("identity_changed", "CDP neighbour changed its name or model", ABNORMAL, "T0830", MINOR),
};
/* clang-format on */

_Static_assert(sizeof(fields) / sizeof(fields[0]) == OTHER_DATA + 1, "one row a field");
_Static_assert(sizeof(violations) / sizeof(violations[0]) == V_IDENTITY_CHANGED + 1,
               "one row a violation");

struct neighbour {
    struct repeated repeated;
    uint64_t identity; /* hash of name and model, 0: not known yet */
};

/* What an advertisement said that makes facts. */
struct said {
    struct ft_view device, name, platform, software, serial, location;
    struct ft_view energy_model, energy_serial, hardware;
    struct ft_view management, address; /* IPv4 or IPv6 */
    uint32_t capabilities;
    bool is_new; /* not the same as the last */
};

/* ---- checksum ------------------------------------------------------------------------------- */

static uint16_t folded(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

/*
 * The Internet checksum. Of an odd last byte Cisco's own code adds something else than all others:
 * the byte itself, not shifted, and if its top bit is set as a negative number less one.
 */
static bool is_checksum_good(struct ft_view v)
{
    uint32_t sum = 0;
    while (v.len >= 2)
        sum += ft_u16be(&v);
    if (!v.len)
        return folded(sum) == 0xffff;
    uint32_t last = ft_u8(&v), cisco = last < 0x80 ? last : (0xff00 | last) - 1;
    return folded(sum + (last << 8)) == 0xffff || folded(sum + cisco) == 0xffff;
}

/* ---- texts ---------------------------------------------------------------------------------- */

#define TEXT_SIZE 48

/* An IPv4 or IPv6 address; 0 for others. */
static uint32_t address_text(char text[TEXT_SIZE], struct ft_view v)
{
    uint32_t n = 0;
    if (v.len == 4) {
        uint32_t ip = ft_u32be(&v);
        return (uint32_t)snprintf(text, TEXT_SIZE, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 0xff,
                                  ip >> 8 & 0xff, ip & 0xff);
    }
    if (v.len != 16)
        return 0;
    for (unsigned i = 0; i < 8; i++)
        n += (uint32_t)snprintf(text + n, TEXT_SIZE - n, "%s%x", i ? ":" : "", ft_u16be(&v));
    return n;
}

static void put_address(struct ft_context *ctx, uint32_t field, struct ft_view address)
{
    char text[TEXT_SIZE];
    if (!ft_wants(ctx, field))
        return;
    uint32_t n = address_text(text, address);
    struct ft_view at = address;
    ft_skip(&at, at.len);
    if (n)
        ft_put_text(ctx, field, text, n, &at);
    else
        ft_put_string(ctx, field, address);
}

/* "%n" and the like, which made receivers write into memory (CVE-2020-3118). A lone percent sign,
 * or one with a blank behind, is text. */
static bool has_directive(struct ft_view text)
{
    while (text.len) {
        if (ft_u8(&text) != '%')
            continue;
        while (ft_peek_u8(&text, 0) >= '0' && ft_peek_u8(&text, 0) <= '9')
            ft_skip(&text, 1);
        int c = ft_peek_u8(&text, 0);
        if (c > 0 && strchr("nxspdX$*", c))
            return true;
    }
    return false;
}

static struct ft_view put_text(struct ft_context *ctx, const struct said *said, uint32_t field,
                               struct ft_view *v)
{
    struct ft_view text = ft_rest(v);
    ft_put_string(ctx, field, text);
    if (said->is_new && has_directive(text))
        ft_violation(ctx, V_FORMAT_STRING, v);
    return text;
}

static struct ft_view put_name(struct ft_context *ctx, const struct said *said, uint32_t field,
                               struct ft_view *v)
{
    struct ft_view text = put_text(ctx, said, field, v);
    if (said->is_new && text.len > NAME_MAX_LENGTH)
        ft_violation(ctx, V_NAME_LENGTH, v);
    return text;
}

/* ---- values --------------------------------------------------------------------------------- */

/* Protocol type (1), length (1), protocol, address length (2), address. */
static struct ft_view read_addresses(struct ft_context *ctx, const struct said *said,
                                     uint32_t field, struct ft_view *v)
{
    struct ft_view first = ft_view_empty();
    uint32_t count = ft_u32be(v);
    uint32_t fits = ft_count(v, count, 5);
    struct ft_view at = *v;
    for (uint32_t i = 0; i < fits && ft_view_ok(v); i++) {
        ft_skip(v, 1);
        ft_sub_u8(v);
        struct ft_view address = ft_sub_u16be(v);
        if (!ft_view_ok(v))
            break;
        put_address(ctx, field, address);
        if (address.len == 4 && first.len != 4)
            first = address;
        else if (address.len == 16 && !first.len)
            first = address;
    }
    if (said->is_new && ft_view_is_malformed(v))
        ft_violation(ctx, V_ADDRESS_COUNT, &at);
    return first;
}

/* A default gateway, or networks with the length of their prefix. */
static void read_prefixes(struct ft_context *ctx, struct ft_view *v)
{
    if (v->len == 4) {
        ft_put_uint(ctx, GATEWAY, ft_u32be(v), v);
        return;
    }
    while (v->len >= 5 && ft_wants(ctx, PREFIXES)) {
        char text[TEXT_SIZE];
        uint32_t n = address_text(text, ft_sub(v, 4));
        n += (uint32_t)snprintf(text + n, sizeof(text) - n, "/%u", ft_u8(v));
        ft_put_text(ctx, PREFIXES, text, n, v);
    }
}

/* OUI (3), protocol (2); 0x0112 is the management of clusters. */
static void read_hello(struct ft_context *ctx, struct ft_view *v)
{
    struct ft_view all = *v;
    uint32_t oui = ft_u24be(v);
    uint16_t id = ft_u16be(v);
    if (oui != 0x00000c || id != 0x0112 || v->len < 27) {
        ft_put_bytes(ctx, HELLO, all);
        return;
    }
    ft_group_begin(ctx, CLUSTER);
    ft_put_uint(ctx, CLUSTER_MASTER, ft_u32be(v), v);
    ft_skip(v, 8);
    ft_put_bytes(ctx, CLUSTER_COMMANDER, ft_sub(v, 6));
    ft_put_bytes(ctx, CLUSTER_MAC, ft_sub(v, 6));
    ft_skip(v, 1);
    ft_put_uint(ctx, CLUSTER_VLAN, ft_u16be(v), v);
    ft_group_end(ctx, CLUSTER);
}

/* Request id (2), management id (2), then milliwatts (4) each. */
static void read_power(struct ft_context *ctx, const struct said *said, uint32_t field,
                       struct ft_view *v)
{
    struct ft_view at = *v;
    ft_skip(v, 4);
    if (said->is_new && field == POWER_REQUESTED && v->len / 4 > POWER_LEVELS_MAX)
        ft_violation(ctx, V_POWER_LEVELS, &at);
    while (v->len >= 4 && ft_view_ok(v))
        ft_put_uint(ctx, field, ft_u32be(v), v);
}

static void put_other(struct ft_context *ctx, uint16_t type, struct ft_view *v)
{
    ft_group_begin(ctx, OTHER);
    ft_put_uint(ctx, OTHER_TYPE, type, NULL);
    ft_put_bytes(ctx, OTHER_DATA, ft_rest(v));
    ft_group_end(ctx, OTHER);
}

/* Data (1): a number that is not used; VLAN (2). A query may have the number only. */
static void read_voice(struct ft_context *ctx, uint32_t field, struct ft_view *v)
{
    ft_skip(v, 1);
    if (v->len >= 2)
        ft_put_uint(ctx, field, ft_u16be(v), v);
}

/* Text that fills its place up with zeros or blanks. */
static struct ft_view take_padded(struct ft_view *v, uint32_t n)
{
    struct ft_view text = ft_sub(v, n);
    while (text.len && (text.data[text.len - 1] == 0 || text.data[text.len - 1] == ' '))
        text.len--;
    return text;
}

/* Digest (20), sequence numbers (4, 4), model (16), (2), hardware (3), serial number (11), (8),
 * then a table of what can be switched off. */
static void read_energy(struct said *said, struct ft_view *v)
{
    struct ft_view at = ft_rest(v);

    if (at.len < 28 + 16 + 2 + 3 + 11)
        return;
    ft_skip(&at, 28);
    said->energy_model = take_padded(&at, 16);
    ft_skip(&at, 2);
    said->hardware = take_padded(&at, 3);
    said->energy_serial = take_padded(&at, 11);
}

static bool read_text(struct ft_context *ctx, struct said *said, uint16_t type, struct ft_view *v)
{
    switch (type) {
    case TLV_DEVICE:
        said->device = put_name(ctx, said, DEVICE_ID, v);
        return true;
    case TLV_PORT:
        put_name(ctx, said, PORT_ID, v);
        return true;
    case TLV_SOFTWARE:
        said->software = put_text(ctx, said, SOFTWARE, v);
        return true;
    case TLV_PLATFORM:
        said->platform = put_name(ctx, said, PLATFORM, v);
        return true;
    case TLV_VTP_DOMAIN:
        put_name(ctx, said, VTP_DOMAIN, v);
        return true;
    case TLV_SYSTEM_NAME:
        said->name = put_name(ctx, said, SYSTEM_NAME, v);
        return true;
    case TLV_LOCATION:
        ft_skip(v, 1);
        said->location = put_text(ctx, said, LOCATION, v);
        return true;
    case TLV_EXTERNAL_PORT:
        put_name(ctx, said, EXTERNAL_PORT, v);
        return true;
    case TLV_SERIAL:
        said->serial = put_name(ctx, said, SERIAL, v);
        return true;
    case TLV_SSID:
        put_name(ctx, said, SSID, v);
        return true;
    default:
        return false;
    }
}

/* Values that are one number, and where they go. */
static const struct {
    uint16_t type;
    uint8_t length;
    uint8_t field;
} numbers[] = {
    {TLV_NATIVE_VLAN, 2, NATIVE_VLAN},
    {TLV_DUPLEX, 1, IS_FULL_DUPLEX},
    {TLV_POWER, 2, POWER},
    {TLV_MTU, 4, MTU},
    {TLV_TRUST, 1, TRUST},
    {TLV_UNTRUSTED_COS, 1, UNTRUSTED_COS},
    {TLV_UNIDIRECTIONAL, 1, IS_UNIDIRECTIONAL},
    {TLV_SPARE_PAIR, 1, SPARE_PAIR},
    {TLV_SNMP_PORT, 2, SNMP_PORT},
    {TLV_WEB_PORT, 2, WEB_PORT},
};

static bool read_number(struct ft_context *ctx, uint16_t type, struct ft_view *v)
{
    for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (numbers[i].type != type)
            continue;
        ft_put_uint(ctx, numbers[i].field, ft_uint_be(v, numbers[i].length), v);
        return true;
    }
    return false;
}

static void read_value(struct ft_context *ctx, struct said *said, uint16_t type, struct ft_view *v)
{
    if (read_text(ctx, said, type, v) || read_number(ctx, type, v))
        return;
    switch (type) {
    case TLV_ADDRESSES:
        said->address = read_addresses(ctx, said, ADDRESSES, v);
        break;
    case TLV_MANAGEMENT:
        said->management = read_addresses(ctx, said, MANAGEMENT, v);
        break;
    case TLV_CAPABILITIES:
        said->capabilities = ft_u32be(v);
        ft_put_uint(ctx, CAPABILITIES, said->capabilities, v);
        break;
    case TLV_PREFIXES:
        read_prefixes(ctx, v);
        break;
    case TLV_HELLO:
        read_hello(ctx, v);
        break;
    case TLV_VOICE_REPLY:
        read_voice(ctx, VOICE_VLAN, v);
        break;
    case TLV_VOICE_QUERY:
        read_voice(ctx, VOICE_QUERY, v);
        break;
    case TLV_POWER_REQUESTED:
        read_power(ctx, said, POWER_REQUESTED, v);
        break;
    case TLV_POWER_AVAILABLE:
        read_power(ctx, said, POWER_AVAILABLE, v);
        break;
    case TLV_SYSTEM_OID:
        ft_put_bytes(ctx, SYSTEM_OID, ft_rest(v));
        break;
    case TLV_ENERGYWISE:
        ft_put_bytes(ctx, ENERGYWISE, *v);
        read_energy(said, v);
        break;
    case TLV_BSSID:
        ft_put_bytes(ctx, BSSID, ft_rest(v));
        break;
    case TLV_SOURCE_MAC:
        ft_put_bytes(ctx, SOURCE_MAC, ft_sub(v, 6));
        break;
    default:
        put_other(ctx, type, v);
    }
}

/* A length that does not fit leaves nothing that could be found behind it. */
static void read_list(struct ft_context *ctx, struct said *said, struct ft_view *pdu)
{
    while (pdu->len) {
        uint16_t type = ft_u16be(pdu), length = ft_u16be(pdu);
        struct ft_view at = *pdu;
        bool fits = length >= HEADER && (uint32_t)(length - HEADER) <= pdu->len;
        if (!ft_view_ok(pdu))
            return;
        if (!fits && !(pdu->is_cut && length >= HEADER)) {
            if (said->is_new)
                ft_violation(ctx, V_TLV_LENGTH, &at);
            ft_rest(pdu);
            return;
        }
        struct ft_view value = ft_sub(pdu, length - (uint32_t)HEADER);
        if (!ft_view_ok(pdu))
            return;
        read_value(ctx, said, type, &value);
        if (said->is_new && ft_view_is_malformed(&value) && type != TLV_ADDRESSES &&
            type != TLV_MANAGEMENT)
            ft_violation(ctx, V_TLV_LENGTH, &at);
    }
}

/* ---- what it says of the sender ------------------------------------------------------------- */

static void check_identity(struct ft_context *ctx, struct neighbour *n, const struct said *said)
{
    uint64_t identity = repeated_hash(said->device) * 31 + repeated_hash(said->platform);
    if (n->identity && n->identity != identity)
        ft_violation(ctx, V_IDENTITY_CHANGED, &said->device);
    n->identity = identity;
}

/* "name(serial)" is what CatOS sends. */
static void tell_device(struct ft_context *ctx, const struct said *said)
{
    struct ft_view name = said->device, serial = said->serial;
    int32_t bracket = ft_banner_find(name, "(");
    if (bracket > 0 && ft_peek_u8(&name, name.len - 1) == ')') {
        struct ft_view all = name;
        name = ft_sub(&all, (uint32_t)bracket);
        ft_skip(&all, 1);
        if (!serial.len)
            serial = ft_sub(&all, all.len - 1);
    }
    if (said->name.len)
        name = said->name;
    ft_asset(ctx, FT_SENDER, FT_FACT_NAME, name);
    ft_asset(ctx, FT_SENDER, FT_FACT_SERIAL, serial.len ? serial : said->energy_serial);
}

static void tell_role(struct ft_context *ctx, const struct said *said)
{
    if (said->capabilities & CAN_SWITCH)
        ft_asset_role(ctx, FT_SENDER, FT_ROLE_SWITCH);
    if (said->capabilities & CAN_ROUTE)
        ft_asset_role(ctx, FT_SENDER, FT_ROLE_ROUTER);
}

static void tell(struct ft_context *ctx, const struct said *said)
{
    char text[TEXT_SIZE] = "";
    struct ft_view model = said->platform;
    struct ft_view address = said->management.len ? said->management : said->address;

    tell_device(ctx, said);
    if (ft_view_starts(&model, "cisco ", 6) || ft_view_starts(&model, "Cisco ", 6)) {
        ft_skip(&model, 6);
        ft_asset_text(ctx, FT_SENDER, FT_FACT_VENDOR, "Cisco");
    } else if (ft_banner_find(said->software, "Cisco") >= 0) {
        ft_asset_text(ctx, FT_SENDER, FT_FACT_VENDOR, "Cisco");
    }
    ft_asset(ctx, FT_SENDER, FT_FACT_MODEL, model.len ? model : said->energy_model);
    ft_asset(ctx, FT_SENDER, FT_FACT_HARDWARE, said->hardware);
    ft_asset(ctx, FT_SENDER, FT_FACT_FIRMWARE, ft_banner_version(said->software));
    ft_asset(ctx, FT_SENDER, FT_FACT_LOCATION, said->location);
    ft_asset(ctx, FT_SENDER, FT_FACT_DESCRIPTION, said->software);
    if (address.len && address_text(text, address))
        ft_asset_text(ctx, FT_SENDER, FT_FACT_MANAGEMENT, text);
    tell_role(ctx, said);
}

/* ---- the whole ------------------------------------------------------------------------------ */

static void check(struct ft_context *ctx, uint8_t version, bool is_sum_good)
{
    if (version != 1 && version != 2)
        ft_violation(ctx, V_VERSION, NULL);
    if (!is_sum_good)
        ft_violation(ctx, V_CHECKSUM, NULL);
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    struct neighbour *n = ctx->flow_state;
    struct ft_view all = *pdu, none = ft_view_empty();
    struct said said = {.device = none,
                        .name = none,
                        .platform = none,
                        .software = none,
                        .serial = none,
                        .location = none,
                        .energy_model = none,
                        .energy_serial = none,
                        .hardware = none,
                        .management = none,
                        .address = none};

    ft_command(ctx, ADVERTISEMENT, FT_ANY_QUALIFIER);
    said.is_new = !is_repeated(&n->repeated, ctx->time_ns, all);
    uint8_t version = ft_u8(pdu);
    ft_put_uint(ctx, VERSION, version, pdu);
    ft_put_uint(ctx, TTL, ft_u8(pdu), pdu);
    ft_skip(pdu, 2);
    if (!ft_view_ok(pdu))
        return;
    if (!ctx->is_truncated && (said.is_new || ft_wants(ctx, CHECKSUM_OK))) {
        bool is_sum_good = is_checksum_good(all);
        ft_put_bool(ctx, CHECKSUM_OK, is_sum_good, pdu);
        if (said.is_new)
            check(ctx, version, is_sum_good);
    }
    read_list(ctx, &said, pdu);
    if (!said.is_new || !ft_view_ok(pdu) || !said.device.len)
        return;
    check_identity(ctx, n, &said);
    tell(ctx, &said);
}

const struct ft_dissector ft_dissector_cdp = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "cdp",
    .title = "Cisco Discovery Protocol",
    .specification = "Cisco, not published as a whole",
    .carried_by = FT_TABLE(carriers),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .max_pdu = 2048,
    .flow_state_size = sizeof(struct neighbour),
    .flags = FT_DISSECTOR_CYCLIC | FT_DISSECTOR_UNANSWERED,
    .dissect = dissect,
};
