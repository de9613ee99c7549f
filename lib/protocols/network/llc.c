/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IEEE 802.2 LLC: who speaks what nobody is bound to, by SAP or SNAP number, and the frames of LLC
 * itself (station discovery, link tests, connections).
 *
 *   0  1    destination SAP     bit 0: group
 *   1  1    source SAP          bit 0: response
 *   2  1-2  control             ..11 U: 1 byte; ..01 S, ...0 I: 2 bytes
 *   3  5    OUI and number      with SAPs AA AA and control 03
 *
 * Specification: ISO/IEC 8802-2, RFC 1042.
 */
#include <fieldtap/dissector.h>

enum {
    SAP_NETBIOS = 0xf0,
    SAP_IPX = 0xe0,
    SAP_SNAP = 0xaa,
    POLL = 0x10,
    UI = 0x03,
    DM = 0x0f,
    DISC = 0x43,
    UA = 0x63,
    SABME = 0x6f,
    FRMR = 0x87,
    XID = 0xaf,
    TEST = 0xe3,
    RR = 0x01,
    RNR = 0x05,
    REJ = 0x09,
    I_FRAME = 0x00,
    OUI_CISCO = 0x00000c,
    OUI_EXTREME = 0x00e02b,
    OUI_NORTEL = 0x000081,
    OUI_802_1 = 0x0080c2,
    OUI_FOUNDRY = 0x00e052,
    OUI_CIMETRICS = 0x001090,
    OUI_APPLE = 0x080007,
    OUI_BRIDGED = 0x0000f8, /* 802.1H: of Ethernet */
    CISCO_VTP = 0x2003,
    CISCO_DTP = 0x2004,
    NETBIOS_NAME_QUERY = 0x0a,
    NAME_LENGTH = 16,
};

/* The qualifier of unnumbered information: the SAP, or of SNAP the top bit, 15 bits of the OUI
 * (which tell those of the table apart) and the number. */
#define SNAP_QUALIFIER(oui, pid) (((oui)&0x7fffu) << 16 | (pid) | 0x80000000u)

enum field {
    ROOT = 0,
    DSAP,
    SSAP,
    IS_GROUP,
    IS_RESPONSE,
    CONTROL,
    SENT,
    RECEIVED,
    IS_POLL,
    SNAP_OUI,
    SNAP_PID,
    LENGTH,
    NETBIOS_COMMAND,
    NETBIOS_TO,
    NETBIOS_FROM,
};

enum violation {
    V_CONTROL = 0,
    V_SWITCH_PROTOCOL,
    V_OBSOLETE,
    V_ORGANISATION,
};

/* clang-format off */
static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_LLC, .value = FT_ANY_SELECTOR},
};

static const struct ft_name sap_names[] = {
    {0x00, "null"}, {0x02, "llc_management"}, {0x04, "sna_path"}, {0x06, "ip"}, {0x08, "sna"},
    {0x0c, "sna_2"}, {0x0e, "proway_management"}, {0x14, "iso_14"}, {0x20, "iso_20"},
    {0x34, "iso_34"}, {0x42, "stp"}, {0x4e, "mms"}, {0x54, "iso_54"}, {0x7e, "x25"},
    {0x80, "xns"}, {0x82, "bacnet"}, {0x8e, "proway_stations"}, {0x98, "arp"}, {0xaa, "snap"},
    {0xbc, "vines"}, {0xe0, "ipx"}, {0xf0, "netbios"}, {0xf4, "ibm_management"},
    {0xf8, "hp_extended"}, {0xfc, "rpl"}, {0xfe, "osi"}, {0xff, "global"}, {0, NULL},
};

static const struct ft_name control_names[] = {
    {I_FRAME, "information"}, {RR, "receive_ready"}, {RNR, "receive_not_ready"}, {REJ, "reject"},
    {UI, "ui"}, {DM, "dm"}, {DISC, "disc"}, {UA, "ua"}, {SABME, "sabme"}, {FRMR, "frmr"},
    {XID, "xid"}, {TEST, "test"}, {0, NULL},
};

static const struct ft_name netbios_names[] = {
    {0x00, "add_group_name_query"}, {0x01, "add_name_query"}, {0x02, "name_in_conflict"},
    {0x03, "status_query"}, {0x07, "terminate_trace"}, {0x08, "datagram"},
    {0x09, "datagram_broadcast"}, {0x0a, "name_query"}, {0x0d, "add_name_response"},
    {0x0e, "name_recognized"}, {0x0f, "status_response"}, {0x14, "data_ack"},
    {0x15, "data_first_middle"}, {0x16, "data_only_last"}, {0x17, "session_confirm"},
    {0x18, "session_end"}, {0x19, "session_initialize"}, {0x1a, "no_receive"},
    {0x1b, "receive_outstanding"}, {0x1c, "receive_continue"}, {0x1f, "session_alive"}, {0, NULL},
};

static const struct ft_field fields[] = {
    {"llc", "Logical link control", NULL, 0, FT_TYPE_GROUP, 0, 0},
    {"dsap", "Receiving protocol", sap_names, ROOT, FT_TYPE_ENUM, 0, 8},
    {"ssap", "Sending protocol", sap_names, ROOT, FT_TYPE_ENUM, 0, 8},
    {"group", "For several protocols", NULL, ROOT, FT_TYPE_BOOL, 0, 0},
    {"response", "A response", NULL, ROOT, FT_TYPE_BOOL, 0, 0},
    {"control", "Type of the frame", control_names, ROOT, FT_TYPE_ENUM, 0, 8},
    {"sent", "Number of the frame", NULL, ROOT, FT_TYPE_UINT, 0, 7},
    {"received", "Number of the frame that is expected", NULL, ROOT, FT_TYPE_UINT, 0, 7},
    {"poll", "Wants an answer, or is one", NULL, ROOT, FT_TYPE_BOOL, 0, 0},
    {"oui", "SNAP: who gave the number", NULL, ROOT, FT_TYPE_UINT, 0, 24},
    {"pid", "SNAP: number of the protocol", NULL, ROOT, FT_TYPE_UINT, 0, 16},
    {"length", "Length field of the frame", NULL, ROOT, FT_TYPE_UINT, 0, 32},
    {"netbios_command", "Command of NetBIOS", netbios_names, ROOT, FT_TYPE_ENUM, 0, 8},
    {"netbios_to", "Name of the NetBIOS receiver", NULL, ROOT, FT_TYPE_STRING, 0, 0},
    {"netbios_from", "Name of the NetBIOS sender", NULL, ROOT, FT_TYPE_STRING, 0, 0},
};

#define COMMAND(code, qualifier, name, class) {code, qualifier, name, FT_CLASS_##class, {0}, NULL}
#define CISCO(pid, name, class) COMMAND(UI, SNAP_QUALIFIER(OUI_CISCO, pid), name, class)

static const struct ft_command commands[] = {
    COMMAND(UI, 0x02, "llc_management", DATA),
    COMMAND(UI, 0x04, "sna_path", DATA),
    COMMAND(UI, 0x06, "ip", DATA),
    COMMAND(UI, 0x08, "sna", DATA),
    COMMAND(UI, 0x0c, "sna_2", DATA),
    COMMAND(UI, 0x0e, "proway_management", DATA),
    COMMAND(UI, 0x42, "stp", DATA),
    COMMAND(UI, 0x4e, "mms", DATA),
    COMMAND(UI, 0x7e, "x25", DATA),
    COMMAND(UI, 0x80, "xns", DATA),
    COMMAND(UI, 0x82, "bacnet", DATA),
    COMMAND(UI, 0x8e, "proway_stations", DATA),
    COMMAND(UI, 0x98, "arp", DATA),
    COMMAND(UI, 0xbc, "vines", DATA),
    COMMAND(UI, SAP_IPX, "ipx", DATA),
    COMMAND(UI, SAP_NETBIOS, "netbios", DATA),
    COMMAND(UI, 0xf4, "ibm_management", DATA),
    COMMAND(UI, 0xf8, "hp_extended", DATA),
    COMMAND(UI, 0xfc, "rpl", DATA),
    COMMAND(UI, 0xfe, "osi", DATA),
    COMMAND(UI, SNAP_QUALIFIER(OUI_802_1, 0x0001), "bridged_ethernet_with_fcs", DATA),
    COMMAND(UI, SNAP_QUALIFIER(OUI_802_1, 0x0007), "bridged_ethernet", DATA),
    CISCO(0x0104, "cisco_pagp", CONFIG),
    CISCO(0x0108, "cisco_stp_0108", DATA),
    CISCO(0x0109, "cisco_stp_0109", DATA),
    CISCO(0x0111, "cisco_udld", DIAGNOSTIC),
    CISCO(0x0139, "cisco_mcp", DIAGNOSTIC),
    CISCO(0x2000, "cisco_cdp", DATA),
    CISCO(0x2001, "cisco_cgmp", DATA),
    CISCO(CISCO_VTP, "cisco_vtp", CONFIG),
    CISCO(CISCO_DTP, "cisco_dtp", CONFIG),
    COMMAND(UI, SNAP_QUALIFIER(OUI_EXTREME, 0x00bb), "extreme_edp", DATA),
    COMMAND(UI, SNAP_QUALIFIER(OUI_FOUNDRY, 0x2000), "foundry_fdp", DATA),
    COMMAND(UI, SNAP_QUALIFIER(OUI_NORTEL, 0x01a1), "nortel_topology", DATA),
    COMMAND(UI, SNAP_QUALIFIER(OUI_NORTEL, 0x01a2), "nortel_topology_segment", DATA),
    COMMAND(UI, SNAP_QUALIFIER(OUI_APPLE, 0x809b), "appletalk", DATA),
    COMMAND(UI, SNAP_QUALIFIER(OUI_CIMETRICS, 0x0001), "cimetrics_bacnet", DATA),
    COMMAND(UI, FT_ANY_QUALIFIER, "unnumbered_information", DATA),
    COMMAND(I_FRAME, FT_ANY_QUALIFIER, "information", DATA),
    COMMAND(RR, FT_ANY_QUALIFIER, "receive_ready", DATA),
    COMMAND(RNR, FT_ANY_QUALIFIER, "receive_not_ready", DATA),
    COMMAND(REJ, FT_ANY_QUALIFIER, "reject", DATA),
    COMMAND(DM, FT_ANY_QUALIFIER, "disconnected_mode", ADMIN),
    COMMAND(DISC, FT_ANY_QUALIFIER, "disconnect", ADMIN),
    COMMAND(UA, FT_ANY_QUALIFIER, "acknowledge", ADMIN),
    COMMAND(SABME, FT_ANY_QUALIFIER, "connect", ADMIN),
    COMMAND(FRMR, FT_ANY_QUALIFIER, "frame_reject", ADMIN),
    {XID, FT_ANY_QUALIFIER, "exchange_identification", FT_CLASS_DIAGNOSTIC, {0}, "T0846"},
    {TEST, FT_ANY_QUALIFIER, "test", FT_CLASS_DIAGNOSTIC, {0}, "T0846"},
};

#define VIOLATION(name, title, category, mitre, severity, engine)                                  \
    {name, title, NULL, category, mitre, FT_SEVERITY_##severity, FT_ENGINE_##engine, 0, {0}}

static const struct ft_violation violations[] = {
    VIOLATION("control", "LLC frame of a type that does not exist", "Abnormal Communication Behavior",
              NULL, WARNING, PROTOCOL),
    VIOLATION("switch_protocol", "A station offers or asks to become a trunk between switches",
              "Abnormal Communication Behavior", "T0830", WARNING, ANOMALY),
    VIOLATION("obsolete", "NetBEUI or IPX: an operating system that is no longer maintained",
              "Operational issues", NULL, WARNING, OPERATIONAL),
    VIOLATION("organisation", "SNAP frame of an organisation that is not known for one",
              "Abnormal Communication Behavior", NULL, WARNING, ANOMALY),
};
/* clang-format on */

_Static_assert(sizeof(fields) / sizeof(fields[0]) == NETBIOS_FROM + 1, "one row a field");
_Static_assert(sizeof(violations) / sizeof(violations[0]) == V_ORGANISATION + 1,
               "one row a violation");

/* Kept with two stations: told once. */
struct stations {
    uint8_t is_told;
};

/* The header, with the number of the protocol where there is one. */
struct header {
    uint8_t dsap, ssap, control, numbers;
    bool has_snap;
    uint32_t oui;
    uint16_t pid;
};

static bool is_unnumbered(uint8_t control)
{
    return (control & 3) == 3;
}

/* What a frame is, without its numbers and its poll bit. */
static uint8_t type_of(uint8_t control)
{
    if (is_unnumbered(control))
        return control & (uint8_t)~POLL;
    return control & 1 ? control & 0x0f : I_FRAME;
}

static struct header peek_header(struct ft_view v)
{
    struct header h = {.dsap = ft_u8(&v), .numbers = 0};
    h.ssap = ft_u8(&v);
    h.control = ft_u8(&v);
    if (!is_unnumbered(h.control))
        h.numbers = ft_u8(&v);
    h.has_snap = h.dsap == SAP_SNAP && h.ssap == SAP_SNAP && h.control == UI && v.len >= 5;
    if (h.has_snap) {
        h.oui = ft_u24be(&v);
        h.pid = ft_u16be(&v);
    }
    return h;
}

static uint32_t qualifier_of(const struct header *h)
{
    return h->has_snap ? SNAP_QUALIFIER(h->oui, h->pid) : h->dsap & 0xfeu;
}

static enum ft_kind kind_of(const struct header *h)
{
    uint8_t type = type_of(h->control);
    if (type == UI || type == I_FRAME)
        return FT_KIND_DATA;
    return h->ssap & 1 ? FT_KIND_RESPONSE : FT_KIND_REQUEST;
}

static void put_header(struct ft_context *ctx, const struct header *h, struct ft_view *v)
{
    ft_put_uint(ctx, DSAP, ft_u8(v) & 0xfeu, v);
    ft_put_bool(ctx, IS_GROUP, h->dsap & 1 && h->dsap != 0xff, v);
    ft_put_uint(ctx, SSAP, ft_u8(v) & 0xfeu, v);
    ft_put_bool(ctx, IS_RESPONSE, h->ssap & 1, v);
    ft_put_uint(ctx, CONTROL, type_of(ft_u8(v)), v);
    if (is_unnumbered(h->control)) {
        ft_put_bool(ctx, IS_POLL, h->control & POLL, v);
    } else {
        if (!(h->control & 1))
            ft_put_uint(ctx, SENT, h->control >> 1, v);
        ft_put_uint(ctx, RECEIVED, ft_u8(v) >> 1, v);
        ft_put_bool(ctx, IS_POLL, h->numbers & 1, v);
    }
    if (h->has_snap) {
        ft_put_uint(ctx, SNAP_OUI, ft_u24be(v), v);
        ft_put_uint(ctx, SNAP_PID, ft_u16be(v), v);
    }
    ft_put_uint(ctx, LENGTH, ctx->pdu_length, NULL);
}

/*
 * NetBIOS frames: length (2), delimiter FF EF, command (1), data (1, 2), transmit and response
 * correlator (2, 2), then in frames about names receiver and sender (16, 16), little-endian.
 */
static void read_netbios(struct ft_context *ctx, struct ft_view *v, bool is_new)
{
    uint16_t length = ft_u16le(v);
    uint16_t delimiter = ft_u16le(v);
    uint8_t command = ft_u8(v);
    if (!ft_view_ok(v) || delimiter != 0xefff || length < 14)
        return;
    ft_put_uint(ctx, NETBIOS_COMMAND, command, v);
    if (length < 12 + 2 * NAME_LENGTH || v->len < 7 + 2 * NAME_LENGTH)
        return;
    ft_skip(v, 7);
    ft_put_string(ctx, NETBIOS_TO, ft_sub(v, NAME_LENGTH));
    struct ft_view name = ft_sub(v, NAME_LENGTH);
    ft_put_string(ctx, NETBIOS_FROM, name);
    /* The last byte is the kind of the name. */
    int first = ft_peek_u8(&name, 0);
    if (is_new && command == NETBIOS_NAME_QUERY && first > ' ' && first < 0x7f)
        ft_asset(ctx, FT_SENDER, FT_FACT_NAME, ft_sub(&name, NAME_LENGTH - 1));
}

static const char *vendor_of(uint32_t oui)
{
    return oui == OUI_CISCO     ? "Cisco"
           : oui == OUI_EXTREME ? "Extreme Networks"
           : oui == OUI_NORTEL  ? "Nortel"
                                : NULL;
}

/* Who is known to have numbers of protocols: IEEE 802.1, RFC 1042, and makers that use their own.
 */
static bool is_organisation(uint32_t oui)
{
    static const uint32_t known[] = {0,           OUI_CISCO,     OUI_802_1, OUI_EXTREME, OUI_NORTEL,
                                     OUI_FOUNDRY, OUI_CIMETRICS, OUI_APPLE, OUI_BRIDGED};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i] == oui)
            return true;
    return false;
}

/* What is said once of two stations. */
static void tell(struct ft_context *ctx, const struct header *h)
{
    uint8_t sap = h->dsap & 0xfe;
    const char *vendor = h->has_snap ? vendor_of(h->oui) : NULL;
    if (vendor)
        ft_asset_text(ctx, FT_SENDER, FT_FACT_VENDOR, vendor);
    if (h->has_snap && h->oui == OUI_CISCO && (h->pid == CISCO_DTP || h->pid == CISCO_VTP))
        ft_violation(ctx, V_SWITCH_PROTOCOL, NULL);
    if (h->has_snap && !is_organisation(h->oui))
        ft_violation(ctx, V_ORGANISATION, NULL);
    if (!h->has_snap && (sap == SAP_NETBIOS || sap == SAP_IPX) && type_of(h->control) == UI)
        ft_violation(ctx, V_OBSOLETE, NULL);
}

/* A question of LLC itself is answered by the same type with the SAPs swapped. */
static void pair(struct ft_context *ctx, const struct header *h)
{
    uint8_t type = type_of(h->control);
    bool is_response = h->ssap & 1;
    uint8_t asked = is_response ? h->ssap & 0xfe : h->dsap;
    uint8_t asker = is_response ? h->dsap : h->ssap;
    uint64_t key = (uint64_t)type << 16 | (uint64_t)asked << 8 | asker;
    if (type != XID && type != TEST)
        return;
    if (is_response)
        ft_response(ctx, FT_SCOPE_FLOW, key);
    else if (!(ctx->dst_mac[0] & 1))
        ft_request(ctx, FT_SCOPE_FLOW, key, NULL, 0);
}

static bool is_known(uint8_t type)
{
    static const uint8_t known[] = {UI,  DM,   DISC, UA,  SABME, FRMR,
                                    XID, TEST, RR,   RNR, REJ,   I_FRAME};
    return memchr(known, type, sizeof(known)) != NULL;
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    struct stations *stations = ctx->flow_state;
    if (pdu->len < 3) {
        ft_skip(pdu, 3);
        return;
    }
    struct header h = peek_header(*pdu);
    uint8_t type = type_of(h.control);
    bool is_new = !stations->is_told;
    ft_set_kind(ctx, kind_of(&h));
    ft_command(ctx, type, type == UI ? qualifier_of(&h) : FT_ANY_QUALIFIER);
    put_header(ctx, &h, pdu);
    if (!ft_view_ok(pdu))
        return;
    stations->is_told = true;
    if (!is_known(type))
        ft_violation(ctx, V_CONTROL, NULL);
    if (is_new)
        tell(ctx, &h);
    pair(ctx, &h);
    if ((h.dsap & 0xfe) == SAP_NETBIOS && (type == UI || type == I_FRAME))
        read_netbios(ctx, pdu, is_new);
}

const struct ft_dissector ft_dissector_llc = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "llc",
    .title = "802.2 LLC",
    .specification = "ISO/IEC 8802-2, RFC 1042",
    .carried_by = FT_TABLE(carriers),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .max_pdu = 256,
    .flow_state_size = sizeof(struct stations),
    .flags = FT_DISSECTOR_CYCLIC,
    .dissect = dissect,
};
