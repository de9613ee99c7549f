/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SNMP objects. Contract: snmp_objects.h.
 *
 * Specification: RFC 3418 (system group), 6933 (entities), 1628 (UPS), 3805 (printers), 4293
 * (address resolution), 3414, 3584;
 * IANA enterprise numbers.
 */
#include "snmp_objects.h"

#include <stdio.h>

enum {
    PRINTER_NAME = 16, /* columns of prtGeneralEntry */
    PRINTER_SERIAL = 17,
};

/* An object identifier, as it is encoded, that others are under. */
struct prefix {
    const char *bytes;
    uint8_t length;
};

#define OID(text)                                                                                  \
    {                                                                                              \
        (text), sizeof(text) - 1                                                                   \
    }
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool is_under(struct ft_view oid, const struct prefix *prefix)
{
    return ft_view_starts(&oid, prefix->bytes, prefix->length);
}

/* ---- vendors -------------------------------------------------------------------------------- */

/* clang-format off */
static const struct {
    uint32_t enterprise;
    const char *vendor;
} vendors[] = {
    {2, "IBM"},
    {9, "Cisco"},
    {11, "Hewlett-Packard"},
    {23, "Novell"},
    {36, "Digital Equipment"},
    {42, "Sun"},
    {43, "3Com"},
    {95, "Rockwell Automation"},
    {171, "D-Link"},
    {207, "Allied Telesis"},
    {236, "Samsung"},
    {244, "Lantronix"},
    {248, "Hirschmann"},
    {253, "Xerox"},
    {311, "Microsoft"},
    {318, "APC"},
    {332, "Digi International"},
    {343, "Intel"},
    {367, "Ricoh"},
    {368, "Axis"},
    {476, "Emerson Network Power (Liebert)"},
    {534, "Eaton"},
    {641, "Lexmark"},
    {674, "Dell"},
    {789, "NetApp"},
    {890, "Zyxel"},
    {1347, "Kyocera"},
    {1588, "Brocade"},
    {1602, "Canon"},
    {1916, "Extreme Networks"},
    {1991, "Foundry Networks"},
    {2001, "Oki"},
    {2011, "Huawei"},
    {2435, "Brother"},
    {2636, "Juniper"},
    {3224, "Juniper NetScreen"},
    {3375, "F5"},
    {3808, "CyberPower"},
    {3833, "Schneider Electric"},
    {4196, "Siemens"},
    {4329, "Siemens"},
    {4346, "Phoenix Contact"},
    {4526, "Netgear"},
    {5951, "Citrix"},
    {6486, "Alcatel-Lucent"},
    {6574, "Synology"},
    {6876, "VMware"},
    {8072, "Net-SNMP"},
    {8691, "Moxa"},
    {8741, "SonicWall"},
    {10002, "Ubiquiti"},
    {10297, "Advantech"},
    {11863, "TP-Link"},
    {12325, "FreeBSD"},
    {12356, "Fortinet"},
    {13576, "WAGO"},
    {13742, "Raritan"},
    {14179, "Cisco Airespace"},
    {14823, "Aruba"},
    {14988, "MikroTik"},
    {15004, "RuggedCom"},
    {15497, "IronPort"},
    {16177, "Westermo"},
    {21239, "Geist"},
    {24681, "QNAP"},
    {25461, "Palo Alto Networks"},
    {25506, "H3C"},
    {30065, "Arista"},
    {30155, "OpenBSD"},
    {47196, "Hewlett-Packard Enterprise"},
};

static const struct {
    struct prefix prefix;
    uint8_t kind; /* enum ft_snmp_set */
} sets[] = {
    {OID("\x2b\x06\x01\x04\x01\x09\x02\x09\x09"), FT_SNMP_SET_RESTART}, /* Cisco tsMsgSend */
    {OID("\x2b\x06\x01\x04\x01\x82\x3e\x01\x01\x01\x06"), FT_SNMP_SET_RESTART}, /* APC upsControl */
    {OID("\x2b\x06\x01\x02\x01\x21\x01\x08"), FT_SNMP_SET_RESTART}, /* UPS-MIB upsControl */
    {OID("\x2b\x06\x01\x02\x01\x2b\x05\x01\x01\x03"), FT_SNMP_SET_RESTART}, /* Printer-MIB prtGeneralReset */
    {OID("\x2b\x06\x01\x04\x01\x0b\x02\x0e\x0b\x01\x04\x01"), FT_SNMP_SET_RESTART}, /* HP hpicfReset */
    {OID("\x2b\x06\x01\x04\x01\x09\x09\x0a\x01\x02\x01"), FT_SNMP_SET_FIRMWARE}, /* Cisco ciscoFlashCopyTable */
    {OID("\x2b\x06\x01\x04\x01\x09\x09\x60"), FT_SNMP_SET_COPY}, /* Cisco ciscoConfigCopyMIB */
    {OID("\x2b\x06\x01\x04\x01\x09\x02\x01\x32"), FT_SNMP_SET_COPY}, /* Cisco netConfigSet */
    {OID("\x2b\x06\x01\x04\x01\x09\x02\x01\x35"), FT_SNMP_SET_COPY}, /* Cisco hostConfigSet */
    {OID("\x2b\x06\x01\x04\x01\x09\x02\x01\x37"), FT_SNMP_SET_COPY}, /* Cisco writeNet */
    {OID("\x2b\x06\x01\x04\x01\x82\x3e\x01\x01\x04\x04\x02"), FT_SNMP_SET_OUTPUT}, /* APC sPDUOutletControl */
    {OID("\x2b\x06\x01\x04\x01\x82\x3e\x01\x01\x0c\x03\x03"), FT_SNMP_SET_OUTPUT}, /* APC rPDUOutletControl */
};

static const struct prefix secrets[] = {
    OID("\x2b\x06\x01\x06\x03\x12\x01\x01\x01\x02"), /* SNMP-COMMUNITY-MIB snmpCommunityName */
    OID("\x2b\x06\x01\x06\x03\x0f\x01\x02\x02\x01\x06"), /* usmUserAuthKeyChange */
    OID("\x2b\x06\x01\x06\x03\x0f\x01\x02\x02\x01\x07"), /* usmUserOwnAuthKeyChange */
    OID("\x2b\x06\x01\x06\x03\x0f\x01\x02\x02\x01\x09"), /* usmUserPrivKeyChange */
    OID("\x2b\x06\x01\x06\x03\x0f\x01\x02\x02\x01\x0a"), /* usmUserOwnPrivKeyChange */
    OID("\x2b\x06\x01\x04\x01\x09\x09\x60\x01\x01\x01\x01\x08"), /* Cisco ccCopyUserPassword */
};

static const struct prefix enterprises = OID("\x2b\x06\x01\x04\x01");
static const struct prefix system_group = OID("\x2b\x06\x01\x02\x01\x01");
static const struct prefix entities = OID("\x2b\x06\x01\x02\x01\x2f\x01\x01\x01\x01");
static const struct prefix printer = OID("\x2b\x06\x01\x02\x01\x2b\x05\x01\x01");
static const struct prefix net_to_media = OID("\x2b\x06\x01\x02\x01\x04\x16\x01\x02"); /* ...PhysAddress */
static const struct prefix net_to_physical = OID("\x2b\x06\x01\x02\x01\x04\x23\x01\x04"); /* ...PhysAddress */
/* clang-format on */

const char *ft_snmp_vendor(uint32_t enterprise)
{
    for (unsigned i = 0; i < COUNT(vendors); i++)
        if (vendors[i].enterprise == enterprise)
            return vendors[i].vendor;
    return NULL;
}

uint32_t ft_snmp_enterprise(struct ft_view oid)
{
    if (!is_under(oid, &enterprises))
        return 0;
    ft_skip(&oid, enterprises.length);
    uint64_t number = ft_varint_be(&oid);
    return ft_view_ok(&oid) && number <= UINT32_MAX ? (uint32_t)number : 0;
}

enum ft_snmp_set ft_snmp_set_kind(struct ft_view oid)
{
    for (unsigned i = 0; i < COUNT(sets); i++)
        if (is_under(oid, &sets[i].prefix))
            return (enum ft_snmp_set)sets[i].kind;
    return FT_SNMP_SET_VALUE;
}

bool ft_snmp_is_secret(struct ft_view oid)
{
    for (unsigned i = 0; i < COUNT(secrets); i++)
        if (is_under(oid, &secrets[i]))
            return true;
    return false;
}

/* ---- sysDescr ------------------------------------------------------------------------------- */

/*
 * Makers write sysDescr in forms of their own. In a text that begins so (or, with a leading "*",
 * has that anywhere), what stands behind `mark` up to one of `end` is the fact.
 */
static const struct {
    const char *of, *mark, *end;
    uint8_t fact; /* enum ft_fact */
} marks[] = {
    {"Siemens, ", "FW: Version ", ",", FT_FACT_FIRMWARE},
    {"Siemens, ", "HW: Version ", ",", FT_FACT_HARDWARE},
    {"Siemens, SIMATIC NET, ", "SIMATIC NET, ", ",", FT_FACT_MODEL},
    {"Siemens, SIMATIC S7, ", "SIMATIC S7, ", ",", FT_FACT_MODEL},
    {"Cisco ", ", Version ", ", \r\n", FT_FACT_FIRMWARE},
    {"Cisco ", " Version ", ", \r\n", FT_FACT_FIRMWARE},
    {"APC ", "MN:", " )", FT_FACT_MODEL},
    {"APC ", "HR:", " )", FT_FACT_HARDWARE},
    {"APC ", "SN: ", " )", FT_FACT_SERIAL},
    {"APC ", "PF:", " )", FT_FACT_FIRMWARE},
    {"*JETDIRECT", "PID:", ",", FT_FACT_MODEL},
    {"MOXA ", "MOXA ", " ,\r\n", FT_FACT_MODEL},
    {"RouterOS ", "RouterOS ", "\r\n", FT_FACT_MODEL},
    {"Westermo ", "Westermo ", ",", FT_FACT_MODEL},
    {"WAGO ", "WAGO ", ",\r\n", FT_FACT_MODEL},
};

static const struct {
    const char *part, *vendor, *os;
} systems[] = {
    {"Siemens, ", "Siemens", NULL},
    {"Cisco IOS", "Cisco", "IOS"},
    {"Cisco NX-OS", "Cisco", "NX-OS"},
    {"Cisco Adaptive Security", "Cisco", "ASA"},
    {"Software: Windows", "Microsoft", "Windows"},
    {"RouterOS ", "MikroTik", "RouterOS"},
    {"APC ", "APC", NULL},
    {"HP ETHERNET", "Hewlett-Packard", NULL},
    {"VxWorks", NULL, "VxWorks"},
    {"FreeBSD ", NULL, "FreeBSD"},
    {"Juniper Networks", "Juniper", NULL},
    {"MOXA ", "Moxa", NULL},
    {"Westermo ", "Westermo", NULL},
    {"RUGGEDCOM", "RuggedCom", NULL},
    {"Hirschmann", "Hirschmann", NULL},
    {"Schneider Electric", "Schneider Electric", NULL},
    {"Rockwell Automation", "Rockwell Automation", NULL},
    {"Allen-Bradley", "Rockwell Automation", NULL},
    {"PHOENIX CONTACT", "Phoenix Contact", NULL},
    {"WAGO ", "WAGO", NULL},
};

/* Where `part` begins in the text, or NULL. */
static const uint8_t *find(struct ft_view text, const char *part)
{
    return memmem(text.data, text.len, part, strlen(part));
}

/* The text from `from` up to one of the characters of `end`. */
static struct ft_view part_of(struct ft_view text, const uint8_t *from, const char *end)
{
    ft_skip(&text, (uint32_t)(from - text.data));
    for (uint32_t i = 0; i < text.len; i++)
        if (text.data[i] && strchr(end, text.data[i]))
            return ft_sub(&text, i);
    return text;
}

static bool is_of(struct ft_view text, const char *of)
{
    if (of[0] == '*')
        return find(text, of + 1) != NULL;
    return ft_view_starts(&text, of, (uint32_t)strlen(of));
}

/* "Linux NAME RELEASE ...": the system is Linux of that release. */
static void tell_linux(struct ft_context *ctx, struct ft_view text)
{
    char os[64];

    ft_skip(&text, 6);
    const uint8_t *blank = memchr(text.data, ' ', text.len);
    struct ft_view release = blank ? part_of(text, blank + 1, " ") : ft_view_empty();
    if (!release.len || release.data[0] < '0' || release.data[0] > '9')
        release.len = 0;
    int n = snprintf(os, sizeof(os), release.len ? "Linux %.*s" : "Linux",
                     (int)(release.len < 50 ? release.len : 50), (const char *)release.data);
    if (n > 0)
        ft_asset_text(ctx, FT_SENDER, FT_FACT_OS, os);
}

static void tell_description(struct ft_context *ctx, struct ft_view text)
{
    uint32_t told = 0; /* bit per fact: the first mark that fits says it */

    ft_asset(ctx, FT_SENDER, FT_FACT_DESCRIPTION, text);
    for (unsigned i = 0; i < COUNT(systems); i++) {
        if (!find(text, systems[i].part))
            continue;
        if (systems[i].vendor)
            ft_asset_text(ctx, FT_SENDER, FT_FACT_VENDOR, systems[i].vendor);
        if (systems[i].os)
            ft_asset_text(ctx, FT_SENDER, FT_FACT_OS, systems[i].os);
        break;
    }
    for (unsigned i = 0; i < COUNT(marks); i++) {
        const uint8_t *at = is_of(text, marks[i].of) ? find(text, marks[i].mark) : NULL;
        if (!at || told >> marks[i].fact & 1)
            continue;
        told |= 1u << marks[i].fact;
        ft_asset(ctx, FT_SENDER, (enum ft_fact)marks[i].fact,
                 part_of(text, at + strlen(marks[i].mark), marks[i].end));
    }
    if (ft_view_starts(&text, "Linux ", 6))
        tell_linux(ctx, text);
}

/* ---- facts ---------------------------------------------------------------------------------- */

/* The layers that a device serves (RFC 3418): one that only repeats and bridges is a switch. */
static void tell_services(struct ft_context *ctx, int64_t services)
{
    if (services == 2 || services == 3)
        ft_asset_role(ctx, FT_SENDER, FT_ROLE_SWITCH);
}

static void tell_vendor(struct ft_context *ctx, struct ft_view oid)
{
    const char *vendor = ft_snmp_vendor(ft_snmp_enterprise(oid));

    if (vendor && strcmp(vendor, "Net-SNMP") != 0) /* the agent's software, not the device */
        ft_asset_text(ctx, FT_SENDER, FT_FACT_VENDOR, vendor);
}

/* system.N.0 */
static void tell_system(struct ft_context *ctx, struct ft_view rest, const struct ft_ber *value)
{
    if (rest.len != 2 || rest.data[1] != 0)
        return;
    switch (rest.data[0]) {
    case 1:
        if (value->tag == 0x04)
            tell_description(ctx, value->value);
        break;
    case 2:
        if (value->tag == 0x06)
            tell_vendor(ctx, value->value);
        break;
    case 5:
        if (value->tag == 0x04)
            ft_asset(ctx, FT_SENDER, FT_FACT_NAME, value->value);
        break;
    case 6:
        if (value->tag == 0x04)
            ft_asset(ctx, FT_SENDER, FT_FACT_LOCATION, value->value);
        break;
    case 7:
        if (value->tag == 0x02)
            tell_services(ctx, ft_ber_int(value->value));
        break;
    default:
        break;
    }
}

/* entPhysicalEntry.COLUMN.INDEX: the device itself is 1, or 1001 in a stack. */
static void tell_entity(struct ft_context *ctx, struct ft_view rest, const struct ft_ber *value)
{
    /* Not column 9: it has the boot loader, which would take turns with the software as firmware.
     */
    static const uint8_t facts[14] = {[8] = FT_FACT_HARDWARE,
                                      [10] = FT_FACT_FIRMWARE,
                                      [11] = FT_FACT_SERIAL,
                                      [12] = FT_FACT_VENDOR,
                                      [13] = FT_FACT_MODEL};
    uint8_t column = ft_u8(&rest);
    uint64_t index = ft_varint_be(&rest);

    if (value->tag != 0x04 || !value->value.len || !ft_view_ok(&rest) || rest.len)
        return;
    if ((index == 1 || index == 1001) && column < sizeof(facts) && facts[column])
        ft_asset(ctx, FT_SENDER, (enum ft_fact)facts[column], value->value);
}

/* prtGeneralEntry.COLUMN.INDEX: the name and the serial number of a printer. */
static void tell_printer(struct ft_context *ctx, struct ft_view rest, const struct ft_ber *value)
{
    uint8_t column = ft_u8(&rest);

    if (value->tag != 0x04 || !value->value.len)
        return;
    if (column == PRINTER_NAME)
        ft_asset(ctx, FT_SENDER, FT_FACT_NAME, value->value);
    else if (column == PRINTER_SERIAL)
        ft_asset(ctx, FT_SENDER, FT_FACT_SERIAL, value->value);
}

/* Bytes of an address, each a number of its own. */
static struct ft_view address_of(struct ft_view rest, uint32_t length, uint8_t address[16])
{
    for (uint32_t i = 0; i < length; i++) {
        uint64_t number = ft_varint_be(&rest);
        if (number > 255)
            return ft_view_empty();
        address[i] = (uint8_t)number;
    }
    return ft_view_ok(&rest) && !rest.len ? ft_view_make(address, length, false) : ft_view_empty();
}

/*
 * The tables of address resolution: hosts that the agent has spoken with, and that may be beyond
 * what is heard here. Entries may be old: whatever else is known of an address counts more.
 */
static void tell_neighbour(struct ft_context *ctx, struct ft_view rest, bool has_kind,
                           const struct ft_ber *value)
{
    uint8_t address[16];
    uint64_t length = 4;

    ft_varint_be(&rest); /* the interface */
    if (has_kind) {
        uint64_t kind = ft_varint_be(&rest);
        length = ft_varint_be(&rest);
        if ((kind != 1 || length != 4) && (kind != 2 || length != 16))
            return;
    }
    if (value->tag == 0x04 && value->value.len == 6)
        ft_asset_management(ctx, address_of(rest, (uint32_t)length, address), value->value);
}

void ft_snmp_tell(struct ft_context *ctx, struct ft_view oid, const struct ft_ber *value)
{
    struct ft_view rest = oid;

    if (is_under(oid, &system_group)) {
        ft_skip(&rest, system_group.length);
        tell_system(ctx, rest, value);
    } else if (is_under(oid, &entities)) {
        ft_skip(&rest, entities.length);
        tell_entity(ctx, rest, value);
    } else if (is_under(oid, &printer)) {
        ft_skip(&rest, printer.length);
        tell_printer(ctx, rest, value);
    } else if (is_under(oid, &net_to_media)) {
        ft_skip(&rest, net_to_media.length);
        tell_neighbour(ctx, rest, false, value);
    } else if (is_under(oid, &net_to_physical)) {
        ft_skip(&rest, net_to_physical.length);
        tell_neighbour(ctx, rest, true, value);
    }
}
