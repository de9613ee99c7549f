/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SNMP, versions 1, 2c and 3.
 *
 *   v1, v2c: SEQUENCE { version, community OCTET STRING, PDU }
 *   v3:      SEQUENCE { version, SEQUENCE { id, max size, flags, security model },
 *                       OCTET STRING { security parameters }, scoped PDU or OCTET STRING
 * (encrypted) } PDU:     [tag] { request id, error status, error index, SEQUENCE OF { OID, value }
 * } trap v1: [4] { enterprise, agent address, generic, specific, time, SEQUENCE OF { OID, value } }
 *
 * The agent is the server. A Set is a command of its own by what it does to the device.
 *
 * Specification: RFC 1157, 1901, 3416 (PDUs), 3412 and 3414 (version 3).
 */
#include "snmp_objects.h"

enum {
    ENGINE_BY_MAC = 3, /* format of an engine id */
    TAG_INTEGER = 0x02,
    TAG_OCTETS = 0x04,
    TAG_NULL = 0x05,
    TAG_OID = 0x06,
    TAG_SEQUENCE = 0x30,
    TAG_IP = 0x40,
    TAG_COUNTER = 0x41,
    TAG_GAUGE = 0x42,
    TAG_TICKS = 0x43,
    TAG_OPAQUE = 0x44,
    TAG_COUNTER_64 = 0x46,
    PORT_TRAP = 162,
    OID_TEXT = 512,
    BINDINGS_MAX = 512, /* more are read, but not put */
    REPETITIONS_MAX = 1000,
    COMMUNITY_MAX = 255,
    WINDOW_SECONDS = 150,
};

enum pdu {
    PDU_GET = 0xa0,
    PDU_GET_NEXT,
    PDU_RESPONSE,
    PDU_SET,
    PDU_TRAP_1,
    PDU_GET_BULK,
    PDU_INFORM,
    PDU_TRAP_2,
    PDU_REPORT,
    PDU_ENCRYPTED = 0, /* of version 3: nobody knows */
};

enum flag {
    FLAG_AUTH = 1,
    FLAG_PRIV = 2,
    FLAG_REPORTABLE = 4,
};

/* Fields. Where EVE's snmp object has a key for it, its name and type are EVE's. */
enum field {
    ROOT,
    VERSION,
    COMMUNITY,
    PDU_TYPE,
    REQUEST_ID,
    ERROR,
    ERROR_INDEX,
    NON_REPEATERS,
    MAX_REPETITIONS,
    TRAP_TYPE,
    TRAP_OID,
    TRAP_ADDRESS,
    TRAP_SPECIFIC,
    TRAP_TIME,
    VARS,
    BINDING,
    B_OID,
    B_TYPE,
    B_INTEGER,
    B_COUNTER,
    B_TEXT,
    B_BYTES,
    B_VALUE_OID,
    B_ADDRESS,
    B_SECRET,
    USM,
    MESSAGE_ID,
    MAX_SIZE,
    FLAGS,
    MODEL,
    ENGINE_ID,
    ENGINE_VENDOR,
    ENGINE_MAC,
    ENGINE_ADDRESS,
    ENGINE_TEXT,
    ENGINE_BOOTS,
    ENGINE_TIME,
    CONTEXT_ENGINE_ID,
    CONTEXT_NAME,
    FIELDS,
};

enum violation {
    V_VERSION,
    V_COMMUNITY,
    V_OID,
    V_REPETITIONS,
    V_ERROR_IN_REQUEST,
    V_FLAGS,
    V_WINDOW,
    V_DEFAULT_COMMUNITY,
    V_CLEAR,
    V_AUTH_FAILURE,
    V_RESTARTED,
    VIOLATIONS,
};

/* Flow state: the clock of the agent's engine, as its messages tell it. */
struct flow {
    uint64_t seen_s;
    uint32_t boots, time;
    uint8_t is_known;
    uint8_t is_told; /* bit 0 for the password in clear, bit 1 for one that everybody knows */
};

_Static_assert(sizeof(struct flow) <= FT_MAX_FLOW_STATE, "flow state");

/* What is known of the message in hand. */
struct message {
    uint8_t version; /* 1, 2, 3 */
    uint8_t pdu;
    uint64_t key; /* under which request and response meet */
    struct ft_view community, user, engine;
    uint32_t boots, time, max_size, model;
    uint8_t flags;
    uint32_t id;
};

/* clang-format off */
static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_UDP, .value = 161, .last = 162},
    {.kind = FT_CARRIER_TCP, .value = 161, .last = 162},
    {.kind = FT_CARRIER_ETHERTYPE, .value = 0x814c},
    {.kind = FT_CARRIER_UDP, .value = FT_ANY_SELECTOR},
};

static const struct ft_signature signatures[] = {
    {"^\\x30(\\x81.|\\x82..|[\\x00-\\x7f])\\x02\\x01([\\x00\\x01]\\x04[\\x00-\\x40]|\\x03\\x30)",
     FT_SIGNATURE_UDP, 0},
};

static const struct ft_name pdu_names[] = {
    {PDU_GET, "get_request"},
    {PDU_GET_NEXT, "get_next_request"},
    {PDU_RESPONSE, "response"},
    {PDU_SET, "set_request"},
    {PDU_TRAP_1, "trap_v1"},
    {PDU_GET_BULK, "get_bulk_request"},
    {PDU_INFORM, "inform_request"},
    {PDU_TRAP_2, "trap_v2"},
    {PDU_REPORT, "report"},
    {PDU_ENCRYPTED, "encrypted"},
    {0, NULL},
};

static const struct ft_name errors[] = {
    {0, "NoError"},
    {1, "TooBig"},
    {2, "NoSuchName"},
    {3, "BadValue"},
    {4, "ReadOnly"},
    {5, "GenErr"},
    {6, "NoAccess"},
    {7, "WrongType"},
    {8, "WrongLength"},
    {9, "WrongEncoding"},
    {10, "WrongValue"},
    {11, "NoCreation"},
    {12, "InconsistentValue"},
    {13, "ResourceUnavailable"},
    {14, "CommitFailed"},
    {15, "UndoFailed"},
    {16, "AuthorizationError"},
    {17, "NotWritable"},
    {18, "InconsistentName"},
    {0, NULL},
};

static const struct ft_name traps[] = {
    {0, "ColdStart"},
    {1, "WarmStart"},
    {2, "LinkDown"},
    {3, "LinkUp"},
    {4, "AuthenticationFailure"},
    {5, "EgpNeighborLoss"},
    {6, "EnterpriseSpecific"},
    {0, NULL},
};

static const struct ft_name types[] = {
    {TAG_INTEGER, "integer"},
    {TAG_OCTETS, "octet_string"},
    {TAG_NULL, "null"},
    {TAG_OID, "object_identifier"},
    {TAG_IP, "ip_address"},
    {TAG_COUNTER, "counter32"},
    {TAG_GAUGE, "gauge32"},
    {TAG_TICKS, "time_ticks"},
    {TAG_OPAQUE, "opaque"},
    {TAG_COUNTER_64, "counter64"},
    {0x80, "no_such_object"},
    {0x81, "no_such_instance"},
    {0x82, "end_of_mib_view"},
    {0, NULL},
};

static const struct ft_name flag_names[] = {
    {FLAG_AUTH, "auth"},
    {FLAG_PRIV, "priv"},
    {FLAG_REPORTABLE, "reportable"},
    {0, NULL},
};

static const struct ft_name models[] = {
    {1, "snmpv1"},
    {2, "snmpv2c"},
    {3, "usm"},
    {4, "tsm"},
    {0, NULL},
};

static const struct ft_field fields[] = {
    [ROOT] = {"snmp", "SNMP", NULL, 0, FT_TYPE_GROUP, 0, 0},
    [VERSION] = {"version", "Version: 1, 2 (2c), 3", NULL, ROOT, FT_TYPE_UINT, 0, 8},
    [COMMUNITY] = {"community", "Community, which is a password", NULL, ROOT, FT_TYPE_STRING, FT_FIELD_SECRET, 0},
    [PDU_TYPE] = {"pdu_type", "Kind of PDU", pdu_names, ROOT, FT_TYPE_ENUM, 0, 8},
    [REQUEST_ID] = {"request_id", "Request id", NULL, ROOT, FT_TYPE_INT, 0, 0},
    [ERROR] = {"error", "Why the agent refuses", errors, ROOT, FT_TYPE_ENUM, 0, 0},
    [ERROR_INDEX] = {"error_index", "Binding that it refuses for, from 1", NULL, ROOT, FT_TYPE_INT, 0, 0},
    [NON_REPEATERS] = {"non_repeaters", "Bindings that are asked for once", NULL, ROOT, FT_TYPE_INT, 0, 0},
    [MAX_REPETITIONS] = {"max_repetitions", "How often the others are asked for", NULL, ROOT, FT_TYPE_INT, 0, 0},
    [TRAP_TYPE] = {"trap_type", "What happened", traps, ROOT, FT_TYPE_ENUM, 0, 0},
    [TRAP_OID] = {"trap_oid", "What happened, or to what kind of device", NULL, ROOT, FT_TYPE_STRING, 0, 0},
    [TRAP_ADDRESS] = {"trap_address", "Address of the agent", NULL, ROOT, FT_TYPE_IPV4, 0, 0},
    [TRAP_SPECIFIC] = {"trap_specific", "What happened, by the vendor", NULL, ROOT, FT_TYPE_INT, 0, 0},
    [TRAP_TIME] = {"trap_time", "Hundredths of a second that the agent runs", NULL, ROOT, FT_TYPE_UINT, 0, 0},
    [VARS] = {"vars", "Objects", NULL, ROOT, FT_TYPE_STRING, FT_FIELD_LIST, 0},
    [BINDING] = {"varbind", "Objects with their values", NULL, ROOT, FT_TYPE_GROUP, FT_FIELD_LIST, 0},
    [B_OID] = {"oid", "Object", NULL, BINDING, FT_TYPE_STRING, 0, 0},
    [B_TYPE] = {"type", "Type of the value", types, BINDING, FT_TYPE_ENUM, 0, 32},
    [B_INTEGER] = {"integer", "Signed value", NULL, BINDING, FT_TYPE_INT, 0, 0},
    [B_COUNTER] = {"counter", "Unsigned value", NULL, BINDING, FT_TYPE_UINT, 0, 0},
    [B_TEXT] = {"text", "Value that is text", NULL, BINDING, FT_TYPE_STRING, 0, 0},
    [B_BYTES] = {"bytes", "Value that is not", NULL, BINDING, FT_TYPE_BYTES, 0, 0},
    [B_VALUE_OID] = {"value_oid", "Value that names an object", NULL, BINDING, FT_TYPE_STRING, 0, 0},
    [B_ADDRESS] = {"address", "Value that is an address", NULL, BINDING, FT_TYPE_IPV4, 0, 0},
    [B_SECRET] = {"secret", "Value that is a password or key", NULL, BINDING, FT_TYPE_BYTES, FT_FIELD_SECRET, 0},
    [USM] = {"usm", "User", NULL, ROOT, FT_TYPE_STRING, 0, 0},
    [MESSAGE_ID] = {"msg_id", "Message id", NULL, ROOT, FT_TYPE_UINT, 0, 32},
    [MAX_SIZE] = {"max_size", "Longest message that the sender takes", NULL, ROOT, FT_TYPE_UINT, 0, 32},
    [FLAGS] = {"flags", "How the message is secured", flag_names, ROOT, FT_TYPE_FLAGS, 0, 8},
    [MODEL] = {"security_model", "Security model", models, ROOT, FT_TYPE_ENUM, 0, 32},
    [ENGINE_ID] = {"engine_id", "Engine of the agent", NULL, ROOT, FT_TYPE_BYTES, 0, 0},
    [ENGINE_VENDOR] = {"engine_vendor", "Vendor, by the engine id", NULL, ROOT, FT_TYPE_STRING, 0, 0},
    [ENGINE_MAC] = {"engine_mac", "MAC address in the engine id", NULL, ROOT, FT_TYPE_MAC, 0, 0},
    [ENGINE_ADDRESS] = {"engine_address", "Address in the engine id", NULL, ROOT, FT_TYPE_IPV4, 0, 0},
    [ENGINE_TEXT] = {"engine_text", "Text in the engine id", NULL, ROOT, FT_TYPE_STRING, 0, 0},
    [ENGINE_BOOTS] = {"engine_boots", "How often the engine was started", NULL, ROOT, FT_TYPE_UINT, 0, 32},
    [ENGINE_TIME] = {"engine_time", "Seconds since it was", NULL, ROOT, FT_TYPE_UINT, 0, 32},
    [CONTEXT_ENGINE_ID] = {"context_engine_id", "Engine that is meant", NULL, ROOT, FT_TYPE_BYTES, 0, 0},
    [CONTEXT_NAME] = {"context_name", "Context", NULL, ROOT, FT_TYPE_STRING, 0, 0},
};

#define COMMAND(code, qualifier, name, class, mitre) \
    {(code), (qualifier), (name), FT_CLASS_##class, {0}, (mitre)}

static const struct ft_command commands[] = {
    COMMAND(PDU_GET, FT_ANY_QUALIFIER, "get_request", READ, NULL),
    COMMAND(PDU_GET_NEXT, FT_ANY_QUALIFIER, "get_next_request", READ, NULL),
    COMMAND(PDU_RESPONSE, FT_ANY_QUALIFIER, "response", READ, NULL),
    COMMAND(PDU_SET, FT_SNMP_SET_VALUE, "set_request", CONFIG, "T0836 T0855"),
    COMMAND(PDU_SET, FT_SNMP_SET_RESTART, "set_restart", MODE, "T0816"),
    COMMAND(PDU_SET, FT_SNMP_SET_FIRMWARE, "set_firmware", FIRMWARE, "T0857"),
    COMMAND(PDU_SET, FT_SNMP_SET_COPY, "set_config_copy", CONFIG, "T0882"),
    COMMAND(PDU_SET, FT_SNMP_SET_OUTPUT, "set_outlet", OPERATE, "T0855 T0881"),
    COMMAND(PDU_TRAP_1, FT_ANY_QUALIFIER, "trap_v1", EVENT, NULL),
    COMMAND(PDU_GET_BULK, FT_ANY_QUALIFIER, "get_bulk_request", READ, NULL),
    COMMAND(PDU_INFORM, FT_ANY_QUALIFIER, "inform_request", EVENT, NULL),
    COMMAND(PDU_TRAP_2, FT_ANY_QUALIFIER, "trap_v2", EVENT, NULL),
    COMMAND(PDU_REPORT, FT_ANY_QUALIFIER, "report", DIAGNOSTIC, NULL),
    COMMAND(PDU_ENCRYPTED, FT_ANY_QUALIFIER, "encrypted", DATA, NULL),
};

#define EVENT(name, title, mitre, severity, engine) \
    {(name), (title), NULL, NULL, (mitre), FT_SEVERITY_##severity, FT_ENGINE_##engine, 0, {0}}

static const struct ft_violation violations[] = {
    [V_VERSION] = EVENT("version", "SNMP version that does not exist", "T0866", MINOR, PROTOCOL),
    [V_COMMUNITY] = EVENT("community_length", "SNMP community that is empty or longer than 255 bytes",
                          "T0866", MINOR, PROTOCOL),
    [V_OID] = EVENT("object_identifier", "SNMP object with a number beyond 32 bits, or too many of them",
                    "T0866", MINOR, PROTOCOL),
    [V_REPETITIONS] = EVENT("repetitions", "SNMP GetBulk that asks for more than 1000 repetitions",
                            "T0814", MINOR, ANOMALY),
    [V_ERROR_IN_REQUEST] = EVENT("error_in_request", "SNMP request with an error status", "T0866", MINOR, PROTOCOL),
    [V_FLAGS] = EVENT("flags", "SNMPv3 message encrypted without authentication", "T0866", MINOR, PROTOCOL),
    [V_WINDOW] = EVENT("time_window", "SNMPv3 request outside the agent's time window, as if sent again",
                       "T0830", MINOR, ANOMALY),
    [V_DEFAULT_COMMUNITY] = EVENT("default_community", "SNMP with a community that everybody knows", "T0812",
                                  WARNING, POLICY),
    [V_CLEAR] = EVENT("clear_text", "SNMP version 1 or 2c, whose password is in clear", "T0842", WARNING, POLICY),
    [V_AUTH_FAILURE] = EVENT("authentication_failure", "SNMP agent reports a wrong community or user", "T0859",
                             WARNING, OPERATIONAL),
    [V_RESTARTED] = EVENT("restarted", "SNMP agent reports that it was restarted", "T0816", WARNING, OPERATIONAL),
};
/* clang-format on */

_Static_assert(sizeof(fields) / sizeof(fields[0]) == FIELDS, "one row a field");
_Static_assert(sizeof(violations) / sizeof(violations[0]) == VIOLATIONS, "one row a violation");

/* ---- recognition ---------------------------------------------------------------------------- */

static bool is_printable(struct ft_view v)
{
    for (uint32_t i = 0; i < v.len; i++)
        if ((v.data[i] < ' ' || v.data[i] > '~') && v.data[i] != '\t' && v.data[i] != '\r' &&
            v.data[i] != '\n')
            return false;
    return true;
}

/* The bytes of the message at the start: header and length; 0 = none, or not enough is here. */
static uint32_t whole_length(const struct ft_view *v)
{
    int first = ft_peek_u8(v, 1);

    if (ft_peek_u8(v, 0) != TAG_SEQUENCE || first < 0)
        return 0;
    if (first < 0x80)
        return 2 + (uint32_t)first;
    if (first == 0x81 && v->len >= 3)
        return 3 + v->data[2];
    if (first == 0x82 && v->len >= 4)
        return 4 + (uint32_t)ft_peek_u16be(v, 2);
    return 0;
}

/* What stands in the message must be of a version's form. */
static bool has_form(struct ft_view v)
{
    struct ft_ber outer, e;

    if (!ft_ber_next(&v, &outer) && !v.is_cut)
        return false;
    struct ft_view in = outer.value;
    if (!ft_ber_next(&in, &e) || e.tag != TAG_INTEGER || e.value.len != 1)
        return false;
    uint8_t version = ft_u8(&e.value);
    if (version == 3)
        return ft_peek_u8(&in, 0) == TAG_SEQUENCE;
    if (version > 1 || !ft_ber_next(&in, &e) || e.tag != TAG_OCTETS || !is_printable(e.value))
        return false;
    return ft_peek_u8(&in, 0) >= PDU_GET && ft_peek_u8(&in, 0) <= PDU_REPORT;
}

static enum ft_verdict probe(const struct ft_probe *where, struct ft_view v)
{
    uint32_t length = whole_length(&v);

    if (!length)
        return where->transport == FT_TRANSPORT_TCP && v.len < 4 &&
                       ft_peek_u8(&v, 0) == TAG_SEQUENCE
                   ? FT_MAYBE
                   : FT_NO;
    /* A malformed message on SNMP's port is to be told of, not another protocol. */
    if (where->is_bound && where->transport != FT_TRANSPORT_TCP)
        return FT_YES;
    if (length != v.len && !v.is_cut && where->transport != FT_TRANSPORT_TCP)
        return FT_NO;
    return has_form(v)                                              ? FT_YES
           : where->transport == FT_TRANSPORT_TCP && length > v.len ? FT_MAYBE
                                                                    : FT_NO;
}

static struct ft_frame frame(struct ft_context *ctx, struct ft_view stream)
{
    uint32_t length = whole_length(&stream);
    (void)ctx;

    if (length > 2)
        return ft_frame(FT_FRAME_PDU, length);
    return stream.data[0] == TAG_SEQUENCE && stream.len < 4 ? ft_frame(FT_FRAME_NEED, 4)
                                                            : ft_frame(FT_FRAME_NOT_MINE, 0);
}

/* ---- bindings ------------------------------------------------------------------------------- */

static bool put_oid(struct ft_context *ctx, uint32_t field, struct ft_view oid)
{
    char text[OID_TEXT];
    uint32_t n;

    if (!ft_wants(ctx, field))
        return true;
    n = ft_oid_text(text, sizeof(text), oid);
    ft_skip(&oid, oid.len); /* what was read is the evidence */
    if (n)
        ft_put_text(ctx, field, text, n, &oid);
    return n != 0;
}

/* RFC 2578: at most 128 numbers of 32 bits each. */
static bool is_oid(struct ft_view oid)
{
    uint32_t count = 0;

    while (oid.len) {
        uint64_t number = ft_varint_be(&oid);
        if (!ft_view_ok(&oid) || number > UINT32_MAX || ++count > 128)
            return false;
    }
    return true;
}

static void put_octets(struct ft_context *ctx, struct ft_view oid, struct ft_view value)
{
    if (ft_snmp_is_secret(oid))
        ft_put_bytes(ctx, B_SECRET, value);
    else if (is_printable(value))
        ft_put_string(ctx, B_TEXT, value);
    else
        ft_put_bytes(ctx, B_BYTES, value);
}

static void put_value(struct ft_context *ctx, struct ft_view oid, const struct ft_ber *value,
                      const struct ft_view *at)
{
    struct ft_view v = value->value;

    switch (value->tag) {
    case TAG_INTEGER:
        ft_put_int(ctx, B_INTEGER, ft_ber_int(v), at);
        break;
    case TAG_COUNTER:
    case TAG_GAUGE:
    case TAG_TICKS:
    case TAG_COUNTER_64:
        ft_put_uint(ctx, B_COUNTER, ft_ber_uint(v), at);
        break;
    case TAG_OID:
        put_oid(ctx, B_VALUE_OID, v);
        break;
    case TAG_IP:
        if (v.len == 4)
            ft_put_uint(ctx, B_ADDRESS, ft_u32be(&v), at);
        break;
    case TAG_NULL:
    case 0x80:
    case 0x81:
    case 0x82:
        break;
    default:
        put_octets(ctx, oid, v);
        break;
    }
}

static void put_binding(struct ft_context *ctx, struct ft_view oid, const struct ft_ber *value,
                        const struct ft_view *at)
{
    put_oid(ctx, VARS, oid);
    if (!ft_wants(ctx, BINDING))
        return;
    ft_group_begin(ctx, BINDING);
    put_oid(ctx, B_OID, oid);
    ft_put_uint(ctx, B_TYPE, value->tag, NULL);
    put_value(ctx, oid, value, at);
    ft_group_end(ctx, BINDING);
}

/* snmpTraps.N of RFC 3418: the number of the generic trap, plus one; 0 = another trap. */
static uint32_t generic_trap(struct ft_view oid)
{
    static const uint8_t traps_prefix[] = {0x2b, 6, 1, 6, 3, 1, 1, 5};

    return oid.len == 9 && ft_view_starts(&oid, traps_prefix, 8) ? oid.data[8] : 0;
}

static void tell_trap(struct ft_context *ctx, uint32_t number, const struct ft_view *at)
{
    if (number == 5)
        ft_violation(ctx, V_AUTH_FAILURE, at);
    else if (number == 1 || number == 2)
        ft_violation(ctx, V_RESTARTED, at);
}

/* snmpTrapOID.0: what a trap of version 2 is. */
static void read_trap_oid(struct ft_context *ctx, struct ft_view oid, const struct ft_ber *value,
                          const struct ft_view *at)
{
    static const uint8_t trap_oid[] = {0x2b, 6, 1, 6, 3, 1, 1, 4, 1, 0};
    uint32_t number;

    if (oid.len != 10 || !ft_view_starts(&oid, trap_oid, 10) || value->tag != TAG_OID)
        return;
    number = generic_trap(value->value);
    if (number)
        ft_put_uint(ctx, TRAP_TYPE, number - 1, at);
    put_oid(ctx, TRAP_OID, value->value);
    tell_trap(ctx, number, at);
}

/* Does the message tell of its sender? An answer to an inform only repeats the agent's words. */
static bool has_facts(const struct ft_context *ctx, const struct message *m)
{
    return (m->pdu == PDU_RESPONSE && ctx->src_port != PORT_TRAP) || m->pdu == PDU_TRAP_1 ||
           m->pdu == PDU_TRAP_2 || m->pdu == PDU_INFORM;
}

static void read_binding(struct ft_context *ctx, const struct message *m, struct ft_view *binding,
                         bool is_put)
{
    struct ft_ber oid, value;

    if (!ft_ber_next(binding, &oid) || oid.tag != TAG_OID || !ft_ber_next(binding, &value)) {
        ft_view_fail(binding);
        return;
    }
    if (!is_oid(oid.value) || (value.tag == TAG_OID && !is_oid(value.value)))
        ft_violation(ctx, V_OID, binding);
    if (m->pdu == PDU_TRAP_2 || m->pdu == PDU_INFORM)
        read_trap_oid(ctx, oid.value, &value, binding);
    if (is_put)
        put_binding(ctx, oid.value, &value, binding);
    if (has_facts(ctx, m))
        ft_snmp_tell(ctx, oid.value, &value);
}

static void read_bindings(struct ft_context *ctx, const struct message *m, struct ft_view *pdu)
{
    struct ft_ber list, e;

    if (!ft_ber_next(pdu, &list) || list.tag != TAG_SEQUENCE) {
        ft_view_fail(pdu);
        return;
    }
    for (unsigned i = 0; list.value.len; i++) {
        if (!ft_ber_next(&list.value, &e) || e.tag != TAG_SEQUENCE)
            break;
        read_binding(ctx, m, &e.value, i < BINDINGS_MAX);
        if (!ft_view_ok(&e.value))
            break;
    }
    if (list.value.len || !ft_view_ok(&list.value))
        ft_view_fail(pdu);
}

/* The gravest that any binding of a Set does. */
static uint32_t set_kind(struct ft_view pdu)
{
    static const uint8_t danger[] = {[FT_SNMP_SET_VALUE] = 0,
                                     [FT_SNMP_SET_RESTART] = 3,
                                     [FT_SNMP_SET_FIRMWARE] = 4,
                                     [FT_SNMP_SET_COPY] = 1,
                                     [FT_SNMP_SET_OUTPUT] = 2};
    struct ft_ber list, e, oid;
    uint32_t kind = FT_SNMP_SET_VALUE;

    for (unsigned i = 0; i < 3; i++)
        if (!ft_ber_next(&pdu, &e))
            return kind;
    if (!ft_ber_next(&pdu, &list))
        return kind;
    while (ft_ber_next(&list.value, &e))
        if (ft_ber_next(&e.value, &oid)) {
            uint32_t of = ft_snmp_set_kind(oid.value);
            kind = danger[of] > danger[kind] ? of : kind;
        }
    return kind;
}

/* ---- the message ---------------------------------------------------------------------------- */

static bool is_request(uint8_t pdu)
{
    return pdu == PDU_GET || pdu == PDU_GET_NEXT || pdu == PDU_SET || pdu == PDU_GET_BULK ||
           pdu == PDU_INFORM;
}

static bool is_answer(uint8_t pdu)
{
    return pdu == PDU_RESPONSE || pdu == PDU_REPORT;
}

/* The agent answers and is asked; for traps the manager's port is the one to go by. */
static void set_direction(struct ft_context *ctx, const struct message *m)
{
    enum ft_direction direction = is_answer(m->pdu)    ? FT_TO_CLIENT
                                  : is_request(m->pdu) ? FT_TO_SERVER
                                                       : (enum ft_direction)ctx->direction;

    if (ctx->direction != direction)
        ft_set_direction(ctx, direction);
}

static void put_engine(struct ft_context *ctx, struct ft_view id)
{
    struct ft_view v = id;
    uint32_t enterprise = ft_u32be(&v) & 0x7fffffff;
    const char *vendor = ft_snmp_vendor(enterprise);
    bool is_new = id.data[0] & 0x80; /* RFC 3411: a format follows */

    ft_put_bytes(ctx, ENGINE_ID, id);
    if (vendor)
        ft_put_text(ctx, ENGINE_VENDOR, vendor, (uint32_t)strlen(vendor), NULL);
    if (!is_new)
        return;
    switch (ft_u8(&v)) {
    case 1:
        if (v.len == 4)
            ft_put_uint(ctx, ENGINE_ADDRESS, ft_u32be(&v), &v);
        break;
    case ENGINE_BY_MAC:
        if (v.len == 6)
            ft_put_bytes(ctx, ENGINE_MAC, v);
        break;
    case 4:
        ft_put_string(ctx, ENGINE_TEXT, v);
        break;
    default:
        break;
    }
}

/* The vendor that an agent's engine id names, Net-SNMP is only its software; the MAC address may be
 * of another card than the agent's address. */
static void tell_engine(struct ft_context *ctx, struct ft_view id)
{
    bool is_new = ft_peek_u8(&id, 0) & 0x80;
    uint32_t enterprise = ft_u32be(&id) & 0x7fffffff;
    const char *vendor = ft_snmp_vendor(enterprise);

    if (vendor && ft_view_ok(&id) && strcmp(vendor, "Net-SNMP") != 0)
        ft_asset_text(ctx, FT_SENDER, FT_FACT_VENDOR, vendor);
    if (is_new && ft_u8(&id) == ENGINE_BY_MAC && id.len == 6 && ctx->src_ip)
        ft_asset_management(ctx, ft_view_make(ctx->src_ip, ctx->ip_version == 6 ? 16 : 4, false),
                            id);
}

static void put_header(struct ft_context *ctx, const struct message *m, const struct ft_view *at)
{
    ft_put_uint(ctx, VERSION, m->version, NULL);
    ft_put_uint(ctx, PDU_TYPE, m->pdu, at);
    if (m->version < 3) {
        ft_put_bytes(ctx, COMMUNITY, m->community);
        return;
    }
    ft_put_uint(ctx, MESSAGE_ID, m->id, NULL);
    ft_put_uint(ctx, MAX_SIZE, m->max_size, NULL);
    ft_put_uint(ctx, FLAGS, m->flags, NULL);
    ft_put_uint(ctx, MODEL, m->model, NULL);
    if (m->user.len)
        ft_put_bytes(ctx, USM, m->user);
    if (m->engine.len >= 5)
        put_engine(ctx, m->engine);
    if (m->model == 3) {
        ft_put_uint(ctx, ENGINE_BOOTS, m->boots, NULL);
        ft_put_uint(ctx, ENGINE_TIME, m->time, NULL);
    }
}

static bool is_text(struct ft_view v, const char *text)
{
    return v.len == strlen(text) && memcmp(v.data, text, v.len) == 0;
}

static void check_community(struct ft_context *ctx, const struct message *m)
{
    struct flow *flow = ctx->flow_state;
    struct ft_view at = m->community;

    ft_skip(&at, at.len);
    if (!m->community.len || m->community.len > COMMUNITY_MAX)
        ft_violation(ctx, V_COMMUNITY, &at);
    /* Once a flow: polls repeat for ever. */
    if (!(flow->is_told & 1))
        ft_violation(ctx, V_CLEAR, NULL);
    flow->is_told |= 1;
    if (flow->is_told & 2 ||
        (!is_text(m->community, "public") && !is_text(m->community, "private")))
        return;
    ft_violation(ctx, V_DEFAULT_COMMUNITY, &at);
    flow->is_told |= 2;
}

/* RFC 3414, 3.2: the manager's idea of the agent's clock may be 150 seconds off. */
static void check_window(struct ft_context *ctx, const struct message *m)
{
    struct flow *flow = ctx->flow_state;
    uint64_t now = ctx->time_ns / 1000000000u;

    if (!(m->flags & FLAG_AUTH) || m->model != 3)
        return;
    if (ctx->direction == FT_TO_CLIENT) {
        flow->seen_s = now;
        flow->boots = m->boots;
        flow->time = m->time;
        flow->is_known = true;
        return;
    }
    if (!flow->is_known || now < flow->seen_s)
        return;
    uint64_t expected = flow->time + (now - flow->seen_s);
    if (m->boots < flow->boots ||
        (m->boots == flow->boots && m->time + (uint64_t)WINDOW_SECONDS < expected))
        ft_violation(ctx, V_WINDOW, NULL);
}

static void check_message(struct ft_context *ctx, const struct message *m)
{
    if (m->version < 3)
        check_community(ctx, m);
    if (m->version == 3 && (m->flags & (FLAG_AUTH | FLAG_PRIV)) == FLAG_PRIV)
        ft_violation(ctx, V_FLAGS, NULL);
    if (m->version == 3)
        check_window(ctx, m);
}

/* Name the message: all that is said of it before its fields. */
static void begin(struct ft_context *ctx, const struct message *m, uint32_t qualifier,
                  int64_t error, const struct ft_view *at)
{
    set_direction(ctx, m);
    ft_set_kind(ctx, is_request(m->pdu)                               ? FT_KIND_REQUEST
                     : (m->pdu == PDU_RESPONSE && error)              ? FT_KIND_EXCEPTION
                     : is_answer(m->pdu)                              ? FT_KIND_RESPONSE
                     : (m->pdu == PDU_TRAP_1 || m->pdu == PDU_TRAP_2) ? FT_KIND_UNSOLICITED
                                                                      : FT_KIND_DATA);
    if (is_answer(m->pdu))
        ft_response(ctx, FT_SCOPE_FLOW, m->key);
    ft_command(ctx, m->pdu, qualifier);
    if (is_request(m->pdu))
        ft_request(ctx, FT_SCOPE_FLOW, m->key, NULL, 0);
    put_header(ctx, m, at);
    check_message(ctx, m);
    if (m->version == 3 && m->engine.len >= 5 && is_answer(m->pdu))
        tell_engine(ctx, m->engine);
}

/* ---- PDUs ----------------------------------------------------------------------------------- */

static int64_t next_int(struct ft_view *v)
{
    struct ft_ber e;

    if (!ft_ber_next(v, &e) || e.tag != TAG_INTEGER) {
        ft_view_fail(v);
        return 0;
    }
    return ft_ber_int(e.value);
}

static void read_status(struct ft_context *ctx, const struct message *m, int64_t status,
                        int64_t index, const struct ft_view *at)
{
    if (m->pdu == PDU_GET_BULK) {
        ft_put_int(ctx, NON_REPEATERS, status, NULL);
        ft_put_int(ctx, MAX_REPETITIONS, index, at);
        if (index > REPETITIONS_MAX)
            ft_violation(ctx, V_REPETITIONS, at);
        return;
    }
    if (status)
        ft_put_uint(ctx, ERROR, (uint64_t)status, NULL);
    if (index)
        ft_put_int(ctx, ERROR_INDEX, index, at);
    if (status && is_request(m->pdu))
        ft_violation(ctx, V_ERROR_IN_REQUEST, at);
}

static void read_pdu(struct ft_context *ctx, struct message *m, struct ft_view *pdu,
                     const struct ft_view *at)
{
    struct ft_view whole = *pdu;
    int64_t id = next_int(pdu), status = next_int(pdu), index = next_int(pdu);

    if (m->version < 3)
        m->key = (uint32_t)id;
    begin(ctx, m, m->pdu == PDU_SET ? set_kind(whole) : FT_ANY_QUALIFIER, status, at);
    if (!ft_view_ok(pdu))
        return;
    ft_put_int(ctx, REQUEST_ID, id, NULL);
    read_status(ctx, m, status, index, pdu);
    read_bindings(ctx, m, pdu);
}

static void read_trap(struct ft_context *ctx, struct message *m, struct ft_view *pdu,
                      const struct ft_view *at)
{
    struct ft_ber enterprise, address, ticks;
    bool is_trap = ft_ber_next(pdu, &enterprise) && enterprise.tag == TAG_OID &&
                   ft_ber_next(pdu, &address) && address.tag == TAG_IP;
    int64_t generic = next_int(pdu), specific = next_int(pdu);

    begin(ctx, m, FT_ANY_QUALIFIER, 0, at);
    if (!is_trap || !ft_ber_next(pdu, &ticks)) {
        ft_view_fail(pdu);
        return;
    }
    ft_put_uint(ctx, TRAP_TYPE, (uint64_t)generic, NULL);
    if (!put_oid(ctx, TRAP_OID, enterprise.value) || !is_oid(enterprise.value))
        ft_violation(ctx, V_OID, pdu);
    if (address.value.len == 4)
        ft_put_uint(ctx, TRAP_ADDRESS, ft_u32be(&address.value), NULL);
    ft_put_int(ctx, TRAP_SPECIFIC, specific, NULL);
    ft_put_uint(ctx, TRAP_TIME, ft_ber_uint(ticks.value), NULL);
    tell_trap(ctx, generic >= 0 && generic < 5 ? (uint32_t)generic + 1 : 0, pdu);
    read_bindings(ctx, m, pdu);
}

/* The PDU of any version. */
static void read_any(struct ft_context *ctx, struct message *m, struct ft_view *v)
{
    struct ft_ber e;

    if (!ft_ber_next(v, &e)) {
        ft_view_fail(v);
        return;
    }
    struct ft_view at = *v;
    m->pdu = (uint8_t)e.tag;
    if (e.tag == PDU_TRAP_1)
        read_trap(ctx, m, &e.value, &at);
    else
        read_pdu(ctx, m, &e.value, &at);
    if (!ft_view_ok(&e.value))
        ft_view_fail(v);
}

/* ---- version 3 ------------------------------------------------------------------------------ */

/* User based security: engine id, boots, time, user, then two strings that are keys' business. */
static bool read_usm(struct message *m, struct ft_view parameters)
{
    struct ft_ber outer, e;

    if (m->model != 3)
        return true;
    if (!ft_ber_next(&parameters, &outer) || outer.tag != TAG_SEQUENCE ||
        !ft_ber_next(&outer.value, &e) || e.tag != TAG_OCTETS)
        return false;
    m->engine = e.value;
    m->boots = (uint32_t)next_int(&outer.value);
    m->time = (uint32_t)next_int(&outer.value);
    if (!ft_ber_next(&outer.value, &e) || e.tag != TAG_OCTETS)
        return false;
    m->user = e.value;
    return true;
}

static bool read_header_3(struct message *m, struct ft_view *v)
{
    struct ft_ber header, e;

    if (!ft_ber_next(v, &header) || header.tag != TAG_SEQUENCE)
        return false;
    m->id = (uint32_t)next_int(&header.value);
    m->key = 1ull << 32 | m->id;
    m->max_size = (uint32_t)next_int(&header.value);
    if (!ft_ber_next(&header.value, &e) || e.tag != TAG_OCTETS || e.value.len != 1)
        return false;
    m->flags = ft_u8(&e.value);
    m->model = (uint32_t)next_int(&header.value);
    return ft_view_ok(&header.value) && ft_ber_next(v, &e) && e.tag == TAG_OCTETS &&
           read_usm(m, e.value);
}

/*
 * Encrypted: the flag of those that want a report is the requests', and the engine's answers go the
 * other way under the same id.
 */
static void read_encrypted(struct ft_context *ctx, struct message *m, const struct ft_view *at)
{
    bool is_agent = ctx->direction == FT_TO_CLIENT && ctx->confidence >= FT_CONFIDENCE_PORT;

    m->pdu = PDU_ENCRYPTED;
    if (m->flags & FLAG_REPORTABLE && !is_agent) {
        ft_set_kind(ctx, FT_KIND_REQUEST);
        ft_command(ctx, PDU_ENCRYPTED, FT_ANY_QUALIFIER);
        ft_request(ctx, FT_SCOPE_FLOW, m->key, NULL, 0);
    } else {
        if (ft_response(ctx, FT_SCOPE_FLOW, m->key))
            ft_set_kind(ctx, FT_KIND_RESPONSE);
        ft_command(ctx, PDU_ENCRYPTED, FT_ANY_QUALIFIER);
    }
    put_header(ctx, m, at);
    check_message(ctx, m);
    if (m->engine.len >= 5 && ctx->direction == FT_TO_CLIENT)
        tell_engine(ctx, m->engine);
}

static void read_3(struct ft_context *ctx, struct message *m, struct ft_view *v)
{
    struct ft_ber scoped, e;

    if (!read_header_3(m, v) || !ft_ber_next(v, &scoped)) {
        ft_view_fail(v);
        return;
    }
    if (scoped.tag == TAG_OCTETS) {
        read_encrypted(ctx, m, v);
        return;
    }
    struct ft_view name = ft_view_empty(), engine = ft_view_empty();
    bool is_scoped = scoped.tag == TAG_SEQUENCE && ft_ber_next(&scoped.value, &e);
    if (is_scoped) {
        engine = e.value;
        is_scoped = ft_ber_next(&scoped.value, &e);
        name = e.value;
    }
    if (!is_scoped) {
        ft_view_fail(v);
        return;
    }
    read_any(ctx, m, &scoped.value);
    if (engine.len)
        ft_put_bytes(ctx, CONTEXT_ENGINE_ID, engine);
    if (name.len)
        ft_put_bytes(ctx, CONTEXT_NAME, name);
    if (!ft_view_ok(&scoped.value))
        ft_view_fail(v);
}

/* ---- the dissector -------------------------------------------------------------------------- */

static void read_message(struct ft_context *ctx, struct message *m, struct ft_view *v)
{
    struct ft_ber e;
    int64_t version = next_int(v);

    if (!ft_view_ok(v))
        return;
    if (version != 0 && version != 1 && version != 3) {
        ft_violation(ctx, V_VERSION, v);
        ft_rest(v);
        return;
    }
    m->version = version == 3 ? 3 : (uint8_t)version + 1;
    if (version == 3) {
        read_3(ctx, m, v);
        return;
    }
    if (!ft_ber_next(v, &e) || e.tag != TAG_OCTETS) {
        ft_view_fail(v);
        return;
    }
    m->community = e.value;
    read_any(ctx, m, v);
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    struct message m = {0};
    struct ft_ber outer;

    m.community = m.user = m.engine = ft_view_empty();
    bool is_whole = ft_ber_next(pdu, &outer);
    if (outer.tag != TAG_SEQUENCE) {
        ft_view_fail(pdu);
        return;
    }
    read_message(ctx, &m, &outer.value);
    if (is_whole && !ft_view_ok(&outer.value))
        ft_view_fail(pdu);
    if (is_whole && ctx->transport != FT_TRANSPORT_L2) /* frames are filled up to 60 bytes */
        ft_expect_end(ctx, pdu);
}

const struct ft_dissector ft_dissector_snmp = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "snmp",
    .title = "SNMP",
    .specification = "RFC 1157, 1901, 3416, 3412, 3414",
    .carried_by = FT_TABLE(carriers),
    .signatures = FT_TABLE(signatures),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .max_pdu = FT_MAX_PDU,
    .flow_state_size = sizeof(struct flow),
    .probe = probe,
    .frame = frame,
    .dissect = dissect,
};
