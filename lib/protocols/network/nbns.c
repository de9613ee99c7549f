/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * NetBIOS name service: Windows hosts register, ask for and release names of 15 characters and a
 * suffix that says what for; by broadcast, or at a WINS server. The message is that of DNS with
 * other flags and record types; names are read by dns_wire.c and then decoded: each byte is two
 * letters, 'A' + high nibble and 'A' + low nibble, 32 letters in one label.
 *
 *   0  2  transaction id
 *   2  2  R 1 | opcode 4 | AA TC RD RA 0 0 B | rcode 4
 *   4  8  counts of questions, answers, authorities, additionals
 *  12     name, type 2 (0020 NB, 0021 NBSTAT), class 2 ...
 *
 * NB data: flags 2 (8000 group, 6000 node type), IPv4 address 4, repeated. NBSTAT data: count 1,
 * names (15, suffix 1, flags 2), then statistics that begin with the MAC address.
 *
 * Specification: RFC 1001, RFC 1002, [MS-NBTE].
 */
#include <stdio.h>

#include "dns_wire.h"

enum {
    PORT = 137,
    NAME_LETTERS = 32,
    NAME_MAX = 15,
    STATUS_NAME = 18, /* bytes of a name in NBSTAT data */
    MAC_LENGTH = 6,
};

enum opcode {
    QUERY = 0,
    REGISTRATION = 5,
    RELEASE = 6,
    WACK = 7,
    REFRESH = 8,
    REFRESH_ALTERNATE = 9,
    REGISTRATION_MULTIHOMED = 15,
};

enum type {
    NB = 0x20,
    NBSTAT = 0x21,
};

enum suffix {
    WORKSTATION = 0x00,
    FILE_SERVER = 0x20,
    DOMAIN_MASTER = 0x1b,
    DOMAIN_CONTROLLERS = 0x1c,
};

enum {
    BROADCAST_FLAG = 0x0010,
    GROUP_FLAG = 0x8000,
    CONFLICT_ERROR = 7,
};

enum field {
    ROOT = 0,
    ID,
    IS_RESPONSE,
    OPCODE,
    IS_AUTHORITATIVE,
    IS_TRUNCATED,
    IS_RECURSIVE,
    HAS_RECURSION,
    IS_BROADCAST,
    RCODE,
    NAME,
    SUFFIX,
    SCOPE,
    TYPE,
    TTL,
    ADDRESS,
    NODE_TYPE,
    IS_GROUP,
    NAMES,
    NAMES_NAME,
    NAMES_SUFFIX,
    NAMES_IS_GROUP,
    NAMES_FLAGS,
    MAC,
    FIELDS
};

enum violation {
    V_ENCODING = 0,
    V_NAME,
    V_OPCODE,
    V_CONFLICT,
    V_WPAD,
    V_COUNTS,
    VIOLATIONS
};

/* clang-format off */
static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_UDP, .value = PORT},
    {.kind = FT_CARRIER_TCP, .value = PORT},
    {.kind = FT_CARRIER_UDP, .value = FT_ANY_SELECTOR},
};

static const struct ft_signature signatures[] = {
    {"^.{12}\\x20[A-P]{32}\\x00\\x00[\\x20\\x21]\\x00\\x01", FT_SIGNATURE_UDP, 0},
};

static const struct ft_name opcode_names[] = {
    {QUERY, "query"}, {REGISTRATION, "registration"}, {RELEASE, "release"}, {WACK, "wack"},
    {REFRESH, "refresh"}, {REFRESH_ALTERNATE, "refresh_alternate"},
    {REGISTRATION_MULTIHOMED, "registration_multihomed"}, {0, NULL},
};

static const struct ft_name rcode_names[] = {
    {0, "no_error"}, {1, "format_error"}, {2, "server_error"}, {3, "name_error"},
    {4, "not_implemented"}, {5, "refused"}, {6, "active"}, {7, "conflict"}, {0, NULL},
};

static const struct ft_name suffix_names[] = {
    {0x00, "workstation"}, {0x01, "master_browser"}, {0x03, "messenger"}, {0x06, "ras_server"},
    {0x1b, "domain_master_browser"}, {0x1c, "domain_controllers"}, {0x1d, "local_master_browser"},
    {0x1e, "browser_election"}, {0x1f, "netdde"}, {0x20, "file_server"}, {0x21, "ras_client"},
    {0x22, "exchange_interchange"}, {0x23, "exchange_store"}, {0x24, "exchange_directory"},
    {0x2b, "lotus_notes"}, {0x30, "modem_sharing_server"}, {0x31, "modem_sharing_client"},
    {0x32, "sms_remote_control"}, {0x43, "sms_client_remote_control"},
    {0x44, "sms_admin_remote_control"}, {0x52, "dec_pathworks"}, {0x6a, "exchange_imc"},
    {0x87, "exchange_mta"}, {0xbe, "network_monitor_agent"},
    {0xbf, "network_monitor_application"}, {0, NULL},
};

static const struct ft_name type_names[] = {
    {0x0a, "null"}, {NB, "nb"}, {NBSTAT, "nbstat"}, {0, NULL},
};

static const struct ft_name node_names[] = {
    {0, "b"}, {1, "p"}, {2, "m"}, {3, "h"}, {0, NULL},
};

static const struct ft_name flag_names[] = {
    {0x1000, "deregistering"}, {0x0800, "conflict"}, {0x0400, "active"}, {0x0200, "permanent"},
    {0, NULL},
};

#define FIELD(name, title, names, parent, type, flags, ...)                                        \
    {name, title, names, parent, FT_TYPE_##type, flags, __VA_ARGS__ + 0}

static const struct ft_field fields[] = {
    [ROOT] = FIELD("nbns", "NetBIOS names", NULL, 0, GROUP, 0),
    [ID] = FIELD("id", "Transaction id, repeated by the response", NULL, 0, UINT, 0, 16),
    [IS_RESPONSE] = FIELD("r", "A response", NULL, 0, BOOL, 0),
    [OPCODE] = FIELD("opcode", "Operation", opcode_names, 0, ENUM, 0, 8),
    [IS_AUTHORITATIVE] = FIELD("aa", "From an authority", NULL, 0, BOOL, 0),
    [IS_TRUNCATED] = FIELD("tc", "Truncated", NULL, 0, BOOL, 0),
    [IS_RECURSIVE] = FIELD("rd", "Recursion desired", NULL, 0, BOOL, 0),
    [HAS_RECURSION] = FIELD("ra", "Recursion available", NULL, 0, BOOL, 0),
    [IS_BROADCAST] = FIELD("broadcast", "Sent to everybody", NULL, 0, BOOL, 0),
    [RCODE] = FIELD("rcode", "Result", rcode_names, 0, ENUM, 0, 8),
    [NAME] = FIELD("name", "Name, decoded", NULL, 0, STRING, 0),
    [SUFFIX] = FIELD("suffix", "What the name is for", suffix_names, 0, ENUM, 0, 8),
    [SCOPE] = FIELD("scope", "NetBIOS scope", NULL, 0, STRING, 0),
    [TYPE] = FIELD("type", "Record type", type_names, 0, ENUM, 0, 16),
    [TTL] = FIELD("ttl", "Seconds the name is held", NULL, 0, UINT, 0, 32),
    [ADDRESS] = FIELD("addr", "Addresses of the name", NULL, 0, IPV4, FT_FIELD_LIST),
    [NODE_TYPE] = FIELD("node_type", "How the owner resolves names", node_names, 0, ENUM, 0, 2),
    [IS_GROUP] = FIELD("group", "A name of a group", NULL, 0, BOOL, 0),
    [NAMES] = FIELD("names", "All names of the node", NULL, 0, GROUP, FT_FIELD_LIST),
    [NAMES_NAME] = FIELD("name", "Name", NULL, NAMES, STRING, 0),
    [NAMES_SUFFIX] = FIELD("suffix", "What it is for", suffix_names, NAMES, ENUM, 0, 8),
    [NAMES_IS_GROUP] = FIELD("group", "A name of a group", NULL, NAMES, BOOL, 0),
    [NAMES_FLAGS] = FIELD("flags", "State", flag_names, NAMES, FLAGS, 0, 13),
    [MAC] = FIELD("mac", "MAC address of the node; zeros from Samba", NULL, 0, MAC, 0),
};

#define COMMAND(code, qualifier, name, class, mitre)                                               \
    {code, qualifier, name, FT_CLASS_##class, {0}, mitre}

static const struct ft_command commands[] = {
    COMMAND(QUERY, FT_ANY_QUALIFIER, "query", READ, NULL),
    COMMAND(QUERY, NBSTAT, "node_status", READ, "T0846"),
    COMMAND(REGISTRATION, FT_ANY_QUALIFIER, "registration", CONFIG, NULL),
    COMMAND(RELEASE, FT_ANY_QUALIFIER, "release", ADMIN, NULL),
    COMMAND(WACK, FT_ANY_QUALIFIER, "wack", SESSION, NULL),
    COMMAND(REFRESH, FT_ANY_QUALIFIER, "refresh", CONFIG, NULL),
    COMMAND(REFRESH_ALTERNATE, FT_ANY_QUALIFIER, "refresh_alternate", CONFIG, NULL),
    COMMAND(REGISTRATION_MULTIHOMED, FT_ANY_QUALIFIER, "registration_multihomed", CONFIG, NULL),
};

#define VIOLATION(name, title, mitre, severity)                                                    \
    {name, title, NULL, "Abnormal Communication Behavior", mitre, FT_SEVERITY_##severity,          \
     FT_ENGINE_PROTOCOL, 0, {0}}

static const struct ft_violation violations[] = {
    [V_ENCODING] = VIOLATION("encoding", "NetBIOS name that is not encoded as one", "T0814", MINOR),
    [V_NAME] = VIOLATION("name", "NetBIOS name with a label or pointer that cannot be", "T0814", MINOR),
    [V_OPCODE] = VIOLATION("opcode", "NetBIOS name operation that is not assigned", NULL, WARNING),
    [V_CONFLICT] = VIOLATION("conflict", "NetBIOS name taken away from its owner as a conflict", "T0814", MINOR),
    [V_WPAD] = VIOLATION("wpad", "NetBIOS answer for the name of the proxy configuration", "T0830", MINOR),
    [V_COUNTS] = VIOLATION("counts", "NetBIOS name message with counts that cannot be", "T0814", MINOR),
};
/* clang-format on */

_Static_assert(sizeof(fields) / sizeof(fields[0]) == FIELDS, "one row a field");
_Static_assert(sizeof(violations) / sizeof(violations[0]) == VIOLATIONS, "one row a violation");

/* A decoded name. */
struct netbios_name {
    char text[NAME_MAX];
    uint8_t length;
    uint8_t suffix;
    bool is_valid;
};

struct header {
    uint16_t id, flags;
    uint16_t questions, answers, authorities, additionals;
    uint8_t opcode, rcode;
    bool is_response;
};

/* ---- names ---------------------------------------------------------------------------------- */

static uint8_t trimmed(const char *text, uint8_t length)
{
    while (length && (text[length - 1] == ' ' || text[length - 1] == 0))
        length--;
    return length;
}

static struct netbios_name decode(const struct ft_dns_name *wire)
{
    struct netbios_name name = {.length = NAME_MAX};

    if (wire->first_label != NAME_LETTERS)
        return name;
    for (uint32_t i = 0; i < NAME_LETTERS; i += 2) {
        unsigned high = (unsigned)(wire->text[i] - 'A'), low = (unsigned)(wire->text[i + 1] - 'A');
        if (high > 15 || low > 15)
            return name;
        uint8_t byte = (uint8_t)(high << 4 | low);
        if (i / 2 < NAME_MAX)
            name.text[i / 2] = (char)byte;
        else
            name.suffix = byte;
    }
    name.is_valid = true;
    name.length = trimmed(name.text, NAME_MAX);
    return name;
}

static bool read_name(struct ft_context *ctx, const struct ft_view *message, struct ft_view *v,
                      struct ft_dns_name *wire, struct netbios_name *name)
{
    ft_dns_name_read(message, v, wire);
    if (wire->fault == FT_DNS_NAME_CUT)
        return false;
    if (wire->fault != FT_DNS_NAME_OK) {
        ft_violation(ctx, V_NAME, v);
        return false;
    }
    *name = decode(wire);
    if (!name->is_valid)
        ft_violation(ctx, V_ENCODING, v);
    return name->is_valid;
}

static void put_name(struct ft_context *ctx, const struct ft_dns_name *wire,
                     const struct netbios_name *name, const struct ft_view *at)
{
    ft_put_text(ctx, NAME, name->text, name->length, at);
    ft_put_uint(ctx, SUFFIX, name->suffix, at);
    if (wire->length > NAME_LETTERS + 1)
        ft_put_text(ctx, SCOPE, wire->text + NAME_LETTERS + 1, wire->length - NAME_LETTERS - 1u,
                    at);
}

/* ---- facts ---------------------------------------------------------------------------------- */

static void state_group(struct ft_context *ctx, const char *name, uint8_t length)
{
    char text[32];
    if (!length || name[0] == 1)
        return;
    snprintf(text, sizeof(text), "workgroup %.*s", (int)length, name);
    ft_asset_text(ctx, FT_SENDER, FT_FACT_DESCRIPTION, text);
}

/* The owner of an address, from a registration or an answer. */
static void state_owner(struct ft_context *ctx, const struct netbios_name *name,
                        struct ft_view address, bool is_group)
{
    static const char role[] = "server", description[] = "domain controller";

    if (name->suffix == DOMAIN_CONTROLLERS || name->suffix == DOMAIN_MASTER) {
        ft_asset_of(ctx, address, FT_FACT_ROLE, ft_view_make(role, sizeof(role) - 1, false));
        ft_asset_of(ctx, address, FT_FACT_DESCRIPTION,
                    ft_view_make(description, sizeof(description) - 1, false));
        return;
    }
    /* A host that answers for "*", the name of everybody, has another. */
    if (!is_group && name->text[0] != '*' &&
        (name->suffix == WORKSTATION || name->suffix == FILE_SERVER))
        ft_asset_of(ctx, address, FT_FACT_NAME, ft_view_make(name->text, name->length, false));
}

static bool is_initial_ttl(uint8_t ttl)
{
    return ttl == 64 || ttl == 128 || ttl == 255;
}

/*
 * A node's MAC address, unless it is that of another adapter: of a host on this link the frame has
 * the right one. Samba has none to tell.
 */
static void state_mac(struct ft_context *ctx, struct ft_view mac)
{
    static const uint8_t none[MAC_LENGTH];
    bool is_samba = ft_view_starts(&mac, none, MAC_LENGTH);

    ft_asset_text(ctx, FT_SENDER, FT_FACT_OS, is_samba ? "Samba" : "Windows");
    if (is_samba || ctx->ip_version != 4)
        return;
    if (ft_view_starts(&mac, ctx->src_mac, MAC_LENGTH) || (ctx->ttl && !is_initial_ttl(ctx->ttl)))
        ft_asset_address(ctx, ft_view_make(ctx->src_ip, 4, false), mac);
}

/* ---- records -------------------------------------------------------------------------------- */

static bool is_wpad(const struct netbios_name *name)
{
    return name->suffix == WORKSTATION && name->length == 4 && !memcmp(name->text, "WPAD", 4);
}

/* Does the message make its records true? Answers, and what owners register; not of a name that is
 * none, nor of that of the proxy configuration, which is nobody's. */
static bool states(const struct header *h, const struct netbios_name *name)
{
    if (!name->is_valid || is_wpad(name))
        return false;
    if (h->is_response)
        return h->opcode == QUERY && h->rcode == 0;
    return h->opcode == REGISTRATION || h->opcode == REFRESH || h->opcode == REFRESH_ALTERNATE ||
           h->opcode == REGISTRATION_MULTIHOMED;
}

static void read_addresses(struct ft_context *ctx, const struct header *h,
                           const struct netbios_name *name, struct ft_view *v)
{
    for (uint32_t i = 0; v->len; i++) {
        uint16_t flags = ft_u16be(v);
        if (!i) {
            ft_put_uint(ctx, NODE_TYPE, flags >> 13 & 3, v);
            ft_put_bool(ctx, IS_GROUP, flags & GROUP_FLAG, v);
        }
        struct ft_view address = ft_sub(v, 4);
        if (!ft_view_ok(v))
            return;
        if (states(h, name))
            state_owner(ctx, name, address, flags & GROUP_FLAG);
        ft_put_uint(ctx, ADDRESS, ft_u32be(&address), v);
    }
}

static void read_status_name(struct ft_context *ctx, bool states_names, struct ft_view *v)
{
    struct ft_view text = ft_sub(v, NAME_MAX);
    struct ft_view text_at = *v;
    uint8_t suffix = ft_u8(v);
    struct ft_view suffix_at = *v;
    uint16_t flags = ft_u16be(v);

    if (!ft_view_ok(v))
        return;
    uint8_t length = trimmed((const char *)text.data, NAME_MAX);
    ft_group_begin(ctx, NAMES);
    ft_put_text(ctx, NAMES_NAME, (const char *)text.data, length, &text_at);
    ft_put_uint(ctx, NAMES_SUFFIX, suffix, &suffix_at);
    ft_put_bool(ctx, NAMES_IS_GROUP, flags & GROUP_FLAG, v);
    ft_put_uint(ctx, NAMES_FLAGS, flags & 0x1e00, v);
    ft_group_end(ctx, NAMES);

    if (!states_names)
        return;
    if (suffix == WORKSTATION && flags & GROUP_FLAG)
        state_group(ctx, (const char *)text.data, length);
    else if (suffix == WORKSTATION)
        ft_asset(ctx, FT_SENDER, FT_FACT_NAME, text);
    else if (suffix == DOMAIN_CONTROLLERS || suffix == DOMAIN_MASTER)
        ft_asset_role(ctx, FT_SENDER, FT_ROLE_SERVER);
}

/* Only the node itself answers: who sends this otherwise is not believed. */
static void read_status(struct ft_context *ctx, const struct header *h, struct ft_view *v)
{
    bool is_answer = h->is_response && h->opcode == QUERY && h->rcode == 0;
    uint32_t count = ft_count(v, ft_u8(v), STATUS_NAME);

    for (uint32_t i = 0; i < count && ft_view_ok(v); i++)
        read_status_name(ctx, is_answer, v);
    if (!ft_view_ok(v) || !v->len)
        return;
    struct ft_view mac = ft_sub(v, MAC_LENGTH);
    if (!ft_view_ok(v))
        return;
    ft_put_bytes(ctx, MAC, mac);
    if (is_answer)
        state_mac(ctx, mac);
    ft_rest(v);
}

static void read_record(struct ft_context *ctx, const struct header *h,
                        const struct ft_view *message, bool is_first, struct ft_view *v)
{
    struct ft_dns_name wire;
    struct netbios_name name = {0};
    bool is_named = read_name(ctx, message, v, &wire, &name);
    struct ft_view name_at = *v;

    uint16_t type = ft_u16be(v);
    struct ft_view type_at = *v;
    ft_skip(v, 2);
    uint32_t ttl = ft_u32be(v);
    struct ft_view ttl_at = *v;
    struct ft_view rdata = ft_sub_u16be(v);
    if (!ft_view_ok(v))
        return;
    if (is_named && is_first) {
        put_name(ctx, &wire, &name, &name_at);
        ft_put_uint(ctx, TYPE, type, &type_at);
    }
    ft_put_uint(ctx, TTL, ttl, &ttl_at);
    if (type == NBSTAT)
        read_status(ctx, h, &rdata);
    else if (type == NB && h->opcode != WACK)
        read_addresses(ctx, h, &name, &rdata);
    if (ft_view_is_malformed(&rdata))
        ft_violation(ctx, FT_VIOLATION_MALFORMED, &rdata);
    if (is_named && is_wpad(&name) && h->is_response && h->opcode == QUERY && h->rcode == 0)
        ft_violation(ctx, V_WPAD, &name_at);
}

/* ---- messages ------------------------------------------------------------------------------- */

static struct header read_header(struct ft_view *v)
{
    struct header h = {.id = ft_u16be(v)};
    h.flags = ft_u16be(v);
    h.questions = ft_u16be(v);
    h.answers = ft_u16be(v);
    h.authorities = ft_u16be(v);
    h.additionals = ft_u16be(v);
    h.is_response = h.flags & FT_DNS_QR;
    h.opcode = h.flags >> 11 & 15;
    h.rcode = h.flags & 15;
    return h;
}

static void put_header(struct ft_context *ctx, const struct header *h)
{
    ft_put_uint(ctx, ID, h->id, NULL);
    ft_put_bool(ctx, IS_RESPONSE, h->is_response, NULL);
    ft_put_uint(ctx, OPCODE, h->opcode, NULL);
    ft_put_bool(ctx, IS_AUTHORITATIVE, h->flags & FT_DNS_AA, NULL);
    ft_put_bool(ctx, IS_TRUNCATED, h->flags & FT_DNS_TC, NULL);
    ft_put_bool(ctx, IS_RECURSIVE, h->flags & FT_DNS_RD, NULL);
    ft_put_bool(ctx, HAS_RECURSION, h->flags & FT_DNS_RA, NULL);
    ft_put_bool(ctx, IS_BROADCAST, h->flags & BROADCAST_FLAG, NULL);
    if (h->is_response)
        ft_put_uint(ctx, RCODE, h->rcode, NULL);
}

static bool is_assigned(uint8_t opcode)
{
    return opcode == QUERY || (opcode >= REGISTRATION && opcode <= REFRESH_ALTERNATE) ||
           opcode == REGISTRATION_MULTIHOMED;
}

static void check(struct ft_context *ctx, const struct header *h, const struct ft_view *at)
{
    if (!is_assigned(h->opcode))
        ft_violation(ctx, V_OPCODE, at);
    if (h->is_response && h->rcode == CONFLICT_ERROR)
        ft_violation(ctx, V_CONFLICT, at);
    if (h->questions > 1 || h->authorities > 0)
        ft_violation(ctx, V_COUNTS, at);
}

static void name_command(struct ft_context *ctx, const struct header *h, uint16_t type)
{
    ft_set_direction(ctx, h->is_response ? FT_TO_CLIENT : FT_TO_SERVER);
    ft_set_kind(ctx, !h->is_response ? FT_KIND_REQUEST
                     : h->rcode      ? FT_KIND_EXCEPTION
                                     : FT_KIND_RESPONSE);
    ft_command(ctx, h->opcode, h->opcode == QUERY && type == NBSTAT ? NBSTAT : 0);
    if (h->is_response)
        ft_response(ctx, FT_SCOPE_FLOW, h->id);
    else if (!(h->flags & BROADCAST_FLAG))
        ft_request(ctx, FT_SCOPE_FLOW, h->id, NULL, 0);
}

/* The type of the first question or record, which says what the message is about. */
static uint16_t peek_type(const struct ft_view *message, struct ft_view v)
{
    struct ft_dns_name wire;
    ft_dns_name_read(message, &v, &wire);
    return ft_u16be(&v);
}

static void read_question(struct ft_context *ctx, const struct ft_view *message, struct ft_view *v)
{
    struct ft_dns_name wire;
    struct netbios_name name;

    if (read_name(ctx, message, v, &wire, &name))
        put_name(ctx, &wire, &name, v);
    ft_put_uint(ctx, TYPE, ft_u16be(v), v);
    ft_skip(v, 2);
}

static void read_message(struct ft_context *ctx, struct ft_view *pdu)
{
    struct ft_view message = *pdu;
    struct header h = read_header(pdu);
    struct ft_view header_at = *pdu;

    if (!ft_view_ok(pdu))
        return;
    name_command(ctx, &h, peek_type(&message, *pdu));
    check(ctx, &h, &header_at);
    put_header(ctx, &h);
    uint32_t questions = ft_count(pdu, h.questions, 5);
    for (uint32_t i = 0; i < questions && ft_view_ok(pdu); i++)
        read_question(ctx, &message, pdu);
    uint32_t records = ft_count(pdu, (uint64_t)h.answers + h.authorities + h.additionals, 11);
    for (uint32_t i = 0; i < records && ft_view_ok(pdu); i++)
        read_record(ctx, &h, &message, !i && !h.questions, pdu);
    ft_expect_end(ctx, pdu);
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    if (ctx->transport != FT_TRANSPORT_TCP) {
        read_message(ctx, pdu);
        return;
    }
    ft_skip(pdu, 2);
    struct ft_view message = ft_rest(pdu);
    read_message(ctx, &message);
    if (!ft_view_ok(&message))
        ft_view_fail(pdu);
}

/* ---- recognition ---------------------------------------------------------------------------- */

static enum ft_verdict probe(const struct ft_probe *where, struct ft_view payload)
{
    struct ft_dns_name wire;

    if (where->transport == FT_TRANSPORT_TCP)
        ft_skip(&payload, 2);
    struct ft_view message = payload;
    struct header h = read_header(&payload);
    if (!ft_view_ok(&payload))
        return message.is_cut && where->is_bound ? FT_MAYBE : FT_NO;
    uint32_t records = (uint32_t)h.answers + h.authorities + h.additionals;
    if (!is_assigned(h.opcode) || h.questions > 1 || !(h.questions + records) || records > 8)
        return FT_NO;
    ft_dns_name_read(&message, &payload, &wire);
    if (where->is_bound)
        return FT_YES;
    return wire.fault == FT_DNS_NAME_OK && decode(&wire).is_valid ? FT_YES : FT_NO;
}

static struct ft_frame frame(struct ft_context *ctx, struct ft_view stream)
{
    (void)ctx;
    if (stream.len < 2)
        return ft_frame(FT_FRAME_NEED, 2);
    uint32_t length = ft_u16be(&stream);
    return length < FT_DNS_HEADER ? ft_frame(FT_FRAME_NOT_MINE, 0)
                                  : ft_frame(FT_FRAME_PDU, length + 2);
}

const struct ft_dissector ft_dissector_nbns = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "nbns",
    .title = "NetBIOS name service",
    .specification = "RFC 1001, RFC 1002, [MS-NBTE]",
    .carried_by = FT_TABLE(carriers),
    .signatures = FT_TABLE(signatures),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .probe = probe,
    .frame = frame,
    .dissect = dissect,
};
