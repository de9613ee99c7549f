/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * GOOSE (IEC 61850-8-1): events that protection devices multicast to each other, GSE management,
 * and routable GOOSE over UDP (IEC 61850-90-5).
 *
 * A publisher repeats its last state for ever: stNum counts states, sqNum repetitions of a state.
 * The repetition is data; a new state is an event that the device reports, not an order to the one
 * who hears it, though a subscriber may be wired to trip on it. There are no answers and no
 * servers; the publisher is the sender, and its control block the name behind its address.
 */
#include <fieldtap/dissector.h>
#include <fieldtap/wire.h>

#define HEADER_SIZE          8u /* APPID, length, reserved 1 and 2 */
#define ETHERTYPE_MANAGEMENT 0x88b9
#define SIMULATED            0x8000
#define SECURITY_LENGTH      0x0fff
#define HIGH_STATE           0x80000000u
#define SILENCE_MIN_MS       1000u /* silence is noticed by the second */
#define MAX_DEPTH            8u    /* of structures in the data */

/* The core is told who publishes a control block so often, or when it changes. */
#define CLAIM_NS 10000000000u
#define CLAIM_MS 10000u

enum {
    TAG_MANAGEMENT = 0x60,
    TAG_GOOSE = 0x61,
};

/* The elements of a goosePdu: low bits of their tags. */
enum element {
    GOCB_REF = 0,
    TIME_TO_LIVE,
    DAT_SET,
    GO_ID,
    TIME,
    ST_NUM,
    SQ_NUM,
    SIMULATION,
    CONF_REV,
    NDS_COM,
    NUM_ENTRIES,
    ALL_DATA,
    SECURITY,
    ELEMENTS
};

#define MANDATORY                                                                                  \
    (1u << GOCB_REF | 1u << TIME_TO_LIVE | 1u << DAT_SET | 1u << TIME | 1u << ST_NUM |             \
     1u << SQ_NUM | 1u << CONF_REV | 1u << NUM_ENTRIES | 1u << ALL_DATA)

struct goose_pdu {
    struct ft_view value[ELEMENTS];
    uint32_t seen; /* bit per element */
    uint16_t appid;
    uint32_t st_num, sq_num, conf_rev, entries, time_to_live;
    uint64_t time; /* as on the wire */
    bool is_simulated, needs_commissioning;
};

/* What is known of a control block between two of its messages: the channel. */
struct publication {
    uint64_t dat_set, go_id, data; /* hashes */
    uint64_t time;
    uint64_t claimed_ns; /* the core was told who publishes it */
    uint32_t st_num, sq_num, conf_rev, entries;
    uint16_t appid, vlan;
    uint8_t priority;
    uint8_t is_known, is_simulated, needs_commissioning;
};

/* ---- fields -------------------------------------------------------------------------------- */

enum field {
    F_ROOT = 0,
    F_APPID,
    F_LENGTH,
    F_SIMULATED,
    F_SECURITY_LENGTH,
    F_GOCB_REF,
    F_TIME_TO_LIVE,
    F_DAT_SET,
    F_GO_ID,
    F_TIME,
    F_TIME_QUALITY,
    F_TIME_ACCURACY,
    F_ST_NUM,
    F_SQ_NUM,
    F_SIMULATION,
    F_CONF_REV,
    F_NDS_COM,
    F_NUM_ENTRIES,
    F_STATE_CHANGE,
    F_VLAN,
    F_PRIORITY,

    F_DATA,
    F_DATA_TYPE,
    F_DATA_DEPTH,
    F_DATA_BOOLEAN,
    F_DATA_INTEGER,
    F_DATA_UNSIGNED,
    F_DATA_FLOAT,
    F_DATA_BITS,
    F_DATA_UNUSED_BITS,
    F_DATA_OCTETS,
    F_DATA_TEXT,
    F_DATA_TIME,
    F_DATA_COUNT,

    F_MANAGEMENT,
    F_STATE_ID,
    F_IDENT,
    F_ERROR,
    F_MANAGEMENT_DAT_SET,
    F_MANAGEMENT_CONF_REV,
    F_OFFSET,
    F_REFERENCE,

    F_SESSION,
    F_SPDU,
    F_SPDU_NUMBER,
    F_VERSION,
    F_KEY_TIME,
    F_NEXT_KEY,
    F_KEY_ID,
    FIELDS
};

/* clang-format off */
static const struct ft_name quality_names[] = {
    {0x80, "leap_seconds_known"}, {0x40, "clock_failure"}, {0x20, "clock_not_synchronized"},
    {0, NULL}};

static const struct ft_name data_names[] = {
    {0xa1, "array"}, {0xa2, "structure"}, {0x83, "boolean"}, {0x84, "bit_string"},
    {0x85, "integer"}, {0x86, "unsigned"}, {0x87, "float"}, {0x88, "real"},
    {0x89, "octet_string"}, {0x8a, "visible_string"}, {0x8c, "binary_time"}, {0x8d, "bcd"},
    {0x8e, "boolean_array"}, {0x8f, "object_id"}, {0x90, "mms_string"}, {0x91, "utc_time"},
    {0, NULL}};

static const struct ft_name error_names[] = {
    {0, "other"}, {1, "unknown_control_block"}, {2, "response_too_large"},
    {3, "control_block_configuration_error"}, {0, NULL}};

static const struct ft_name spdu_names[] = {
    {0xa0, "tunnelled"}, {0xa1, "goose"}, {0xa2, "sampled_values"}, {0xa3, "management"},
    {0, NULL}};

#define FIELD(id, in, text, kind, about, ...) \
    [id] = {.name = text, .title = about, .parent = in, .type = FT_TYPE_##kind, .bits = __VA_ARGS__ + 0}
#define NAMED(id, in, text, kind, list, about, width) \
    [id] = {.name = text, .title = about, .parent = in, .type = FT_TYPE_##kind, .names = list, .bits = width}

static const struct ft_field fields[FIELDS] = {
    FIELD(F_ROOT, 0, "goose", GROUP, "IEC 61850 GOOSE"),
    FIELD(F_APPID, 0, "appid", UINT, "Application id", 16),
    FIELD(F_LENGTH, 0, "length", UINT, "Length of header and APDU", 16),
    FIELD(F_SIMULATED, 0, "simulated", BOOL, "Simulation bit of the header"),
    FIELD(F_SECURITY_LENGTH, 0, "security_length", UINT, "Length of the security extension", 12),
    FIELD(F_GOCB_REF, 0, "gocb_ref", STRING, "Reference of the control block"),
    FIELD(F_TIME_TO_LIVE, 0, "time_allowed_to_live", UINT, "Milliseconds until the next message"),
    FIELD(F_DAT_SET, 0, "dat_set", STRING, "Reference of the data set"),
    FIELD(F_GO_ID, 0, "go_id", STRING, "Identity of the message"),
    FIELD(F_TIME, 0, "t", TIME, "Time of the last change of state"),
    NAMED(F_TIME_QUALITY, 0, "t_quality", FLAGS, quality_names, "Quality of that time", 8),
    FIELD(F_TIME_ACCURACY, 0, "t_accuracy_bits", UINT, "Bits of the fraction that are right", 5),
    FIELD(F_ST_NUM, 0, "st_num", UINT, "Number of the state"),
    FIELD(F_SQ_NUM, 0, "sq_num", UINT, "Number of the repetition"),
    FIELD(F_SIMULATION, 0, "simulation", BOOL, "Simulation, or test, in the PDU"),
    FIELD(F_CONF_REV, 0, "conf_rev", UINT, "Revision of the configuration"),
    FIELD(F_NDS_COM, 0, "nds_com", BOOL, "The control block needs commissioning"),
    FIELD(F_NUM_ENTRIES, 0, "num_dat_set_entries", UINT, "Entries of the data set"),
    FIELD(F_STATE_CHANGE, 0, "state_change", BOOL, "First message of a new state"),
    FIELD(F_VLAN, 0, "vlan", UINT, "VLAN it came in", 16),
    FIELD(F_PRIORITY, 0, "priority", UINT, "Priority of that tag", 8),

    [F_DATA] = {.name = "data", .title = "Data, structures before their members",
                .type = FT_TYPE_GROUP, .flags = FT_FIELD_LIST},
    NAMED(F_DATA_TYPE, F_DATA, "type", ENUM, data_names, "Type", 32),
    FIELD(F_DATA_DEPTH, F_DATA, "depth", UINT, "Structures around it; absent at the top", 32),
    FIELD(F_DATA_BOOLEAN, F_DATA, "boolean", BOOL, "Value of a boolean"),
    FIELD(F_DATA_INTEGER, F_DATA, "integer", INT, "Value of an integer"),
    FIELD(F_DATA_UNSIGNED, F_DATA, "unsigned", UINT, "Value of an unsigned"),
    FIELD(F_DATA_FLOAT, F_DATA, "float", FLOAT, "Value of a float"),
    FIELD(F_DATA_BITS, F_DATA, "bits", BYTES, "Octets of a bit string, first bit on top"),
    FIELD(F_DATA_UNUSED_BITS, F_DATA, "unused_bits", UINT, "Bits unused in the last octet", 8),
    FIELD(F_DATA_OCTETS, F_DATA, "octets", BYTES, "Octets as they are"),
    FIELD(F_DATA_TEXT, F_DATA, "text", STRING, "Text"),
    FIELD(F_DATA_TIME, F_DATA, "time", TIME, "Time"),
    FIELD(F_DATA_COUNT, F_DATA, "count", UINT, "Members of a structure or an array", 32),

    FIELD(F_MANAGEMENT, 0, "management", GROUP, "GSE management"),
    FIELD(F_STATE_ID, F_MANAGEMENT, "state_id", UINT, "Number that pairs request and response"),
    FIELD(F_IDENT, F_MANAGEMENT, "ident", STRING, "Control block asked about"),
    NAMED(F_ERROR, F_MANAGEMENT, "error", ENUM, error_names, "Error", 0),
    FIELD(F_MANAGEMENT_DAT_SET, F_MANAGEMENT, "dat_set", STRING, "Data set"),
    FIELD(F_MANAGEMENT_CONF_REV, F_MANAGEMENT, "conf_rev", UINT, "Revision"),
    [F_OFFSET] = {.name = "offsets", .title = "Offsets of members", .parent = F_MANAGEMENT,
                  .type = FT_TYPE_UINT, .flags = FT_FIELD_LIST},
    [F_REFERENCE] = {.name = "references", .title = "References of members",
                     .parent = F_MANAGEMENT, .type = FT_TYPE_STRING, .flags = FT_FIELD_LIST},

    FIELD(F_SESSION, 0, "session", GROUP, "Session header of routable GOOSE"),
    NAMED(F_SPDU, F_SESSION, "spdu", ENUM, spdu_names, "What the session carries", 8),
    FIELD(F_SPDU_NUMBER, F_SESSION, "spdu_number", UINT, "Number of the session PDU", 32),
    FIELD(F_VERSION, F_SESSION, "version", UINT, "Version of the session protocol", 16),
    FIELD(F_KEY_TIME, F_SESSION, "key_time", UINT, "Time of the current key", 32),
    FIELD(F_NEXT_KEY, F_SESSION, "next_key", UINT, "Minutes until the next key", 16),
    FIELD(F_KEY_ID, F_SESSION, "key_id", UINT, "Key id", 32),
};

/* ---- commands and violations --------------------------------------------------------------- */

enum {
    COMMAND_STATE_CHANGE = 1,
    COMMAND_RETRANSMISSION = 2,
    COMMAND_MANAGEMENT = 16, /* + service; qualifier 0 request, 1 response */
    COMMAND_ROUTED = 32,     /* a session PDU whose content is not GOOSE or not readable */
};

static const struct ft_command commands[] = {
    {COMMAND_STATE_CHANGE, FT_ANY_QUALIFIER, "state_change", FT_CLASS_EVENT, {0}, NULL},
    {COMMAND_RETRANSMISSION, FT_ANY_QUALIFIER, "retransmission", FT_CLASS_DATA, {0}, NULL},
    {COMMAND_MANAGEMENT, FT_ANY_QUALIFIER, "management_not_supported", FT_CLASS_DIAGNOSTIC, {0},
     NULL},
    {COMMAND_MANAGEMENT + 1, FT_ANY_QUALIFIER, "get_go_reference", FT_CLASS_READ, {0}, "T0888"},
    {COMMAND_MANAGEMENT + 2, FT_ANY_QUALIFIER, "get_goose_element_number", FT_CLASS_READ, {0},
     "T0888"},
    {COMMAND_MANAGEMENT + 3, FT_ANY_QUALIFIER, "get_gs_reference", FT_CLASS_READ, {0}, "T0888"},
    {COMMAND_MANAGEMENT + 4, FT_ANY_QUALIFIER, "get_gsse_data_offset", FT_CLASS_READ, {0},
     "T0888"},
    {COMMAND_ROUTED, FT_ANY_QUALIFIER, "routed", FT_CLASS_DATA, {0}, NULL},
};

enum violation {
    V_LENGTH = 0,
    V_APPID,
    V_RESERVED_BITS,
    V_UNEXPECTED_PDU,
    V_ELEMENT_ORDER,
    V_ELEMENT_MISSING,
    V_ELEMENT_UNKNOWN,
    V_ENTRIES,
    V_DATA,
    V_TIME_TO_LIVE,
    V_ST_NUM_JUMP,
    V_ST_NUM_HIGH,
    V_ST_NUM_BACK,
    V_SQ_NUM_JUMP,
    V_SQ_NUM_BACK,
    V_RESTART,
    V_DATA_CHANGED,
    V_TIME_BACK,
    V_SIMULATION,
    V_NEEDS_COMMISSIONING,
    V_SETTINGS_CHANGED,
    V_DAT_SET_CHANGED,
    V_VLAN_CHANGED,
    V_SILENCE,
    V_SECOND_PUBLISHER,
    V_PUBLISHER_CHANGED,
    VIOLATIONS
};

#define ROW(id, text, about, level, technique) \
    [id] = {.name = text, .title = about, .severity = FT_SEVERITY_##level, .mitre = technique}

static const struct ft_violation violations[VIOLATIONS] = {
    ROW(V_LENGTH, "length", "GOOSE length field smaller than its header", MINOR, "T0814"),
    ROW(V_APPID, "appid", "GOOSE application id outside its ranges", WARNING, "T0814"),
    ROW(V_RESERVED_BITS, "reserved_bits", "GOOSE header with reserved bits set", WARNING, "T0814"),
    ROW(V_UNEXPECTED_PDU, "unexpected_pdu", "GOOSE frame without a GOOSE PDU", MINOR, "T0814"),
    ROW(V_ELEMENT_ORDER, "element_order", "GOOSE element out of order or twice", MINOR, "T0814"),
    ROW(V_ELEMENT_MISSING, "element_missing", "GOOSE PDU without a mandatory element", MINOR,
        "T0814"),
    ROW(V_ELEMENT_UNKNOWN, "element_unknown", "GOOSE PDU with an element that does not exist",
        WARNING, "T0814"),
    ROW(V_ENTRIES, "entries", "GOOSE data set with another number of entries than announced",
        MINOR, "T0814"),
    ROW(V_DATA, "data", "GOOSE data that cannot be read", MINOR, "T0814"),
    ROW(V_TIME_TO_LIVE, "time_allowed_to_live", "GOOSE message that is dead when it is sent",
        WARNING, "T0814"),
    ROW(V_ST_NUM_JUMP, "st_num_jump", "GOOSE state number skipped", MAJOR, "T0856"),
    [V_ST_NUM_HIGH] = {
        .name = "st_num_high",
        .title = "GOOSE state number jumps so high that the publisher is shut out",
        .category = "Abnormal Communication Behavior", .severity = FT_SEVERITY_CRITICAL,
        .mitre = "T0856 T0804", .is_alert = FT_ALERT_EACH},
    ROW(V_ST_NUM_BACK, "st_num_back", "GOOSE state number goes back", MAJOR, "T0856"),
    ROW(V_SQ_NUM_JUMP, "sq_num_jump", "GOOSE repetition number skipped", WARNING, "T0856"),
    ROW(V_SQ_NUM_BACK, "sq_num_back", "GOOSE repetition number goes back", MAJOR, "T0856"),
    [V_RESTART] = {.name = "publisher_restart", .title = "GOOSE publisher has started anew",
        .severity = FT_SEVERITY_WARNING, .engine = FT_ENGINE_OPERATIONAL, .mitre = "T0816"},
    ROW(V_DATA_CHANGED, "data_changed", "GOOSE data changed without a new state", MINOR,
        "T0856 T0855"),
    ROW(V_TIME_BACK, "time_back", "GOOSE state older than the one before it", MINOR, "T0856"),
    ROW(V_SIMULATION, "simulation", "GOOSE message sent as simulation or test", MINOR, "T0856"),
    [V_NEEDS_COMMISSIONING] = {.name = "needs_commissioning",
        .title = "GOOSE control block is not fully configured", .reference = "O16",
        .category = "Configuration changes", .severity = FT_SEVERITY_MAJOR,
        .engine = FT_ENGINE_OPERATIONAL, .mitre = "T0803 T0821", .is_alert = 1},
    [V_SETTINGS_CHANGED] = {.name = "settings_changed",
        .title = "GOOSE control block has another revision, identity, application id or group",
        .reference = "P11",
        .category = "Unauthorized Communication Behavior", .severity = FT_SEVERITY_WARNING,
        .engine = FT_ENGINE_POLICY, .mitre = "T0836", .is_alert = 1},
    [V_DAT_SET_CHANGED] = {.name = "dat_set_changed",
        .title = "GOOSE control block has another data set", .reference = "O17",
        .category = "Configuration changes", .severity = FT_SEVERITY_WARNING,
        .engine = FT_ENGINE_OPERATIONAL, .mitre = "T0836"},
    ROW(V_VLAN_CHANGED, "vlan_changed", "GOOSE message in another VLAN or priority", MINOR,
        "T0830 T0856"),
    [V_SILENCE] = {.name = "silence", .title = "GOOSE publisher is silent longer than it may be",
        .severity = FT_SEVERITY_MAJOR, .engine = FT_ENGINE_OPERATIONAL, .mitre = "T0815 T0804"},
    [V_SECOND_PUBLISHER] = {.name = "second_publisher",
        .title = "GOOSE control block is published by two devices",
        .category = "Abnormal Communication Behavior", .severity = FT_SEVERITY_CRITICAL,
        .engine = FT_ENGINE_ANOMALY, .mitre = "T0830 T0848 T0856", .is_alert = FT_ALERT_EACH},
    [V_PUBLISHER_CHANGED] = {.name = "publisher_changed",
        .title = "GOOSE control block is published by another device than before",
        .category = "Abnormal Communication Behavior", .severity = FT_SEVERITY_MINOR,
        .engine = FT_ENGINE_ANOMALY, .mitre = "T0830 T0856", .is_alert = FT_ALERT_EACH},
};
/* clang-format on */

/* ---- small readers ------------------------------------------------------------------------- */

/* The value as its own evidence. */
static struct ft_view evidence(struct ft_view value)
{
    ft_skip(&value, value.len);
    return value;
}

/* Report a violation that the value is the evidence of. */
static __attribute__((noinline)) void violate(struct ft_context *ctx, uint32_t violation,
                                              const struct ft_view *value)
{
    struct ft_view at = evidence(*value);

    ft_violation(ctx, violation, &at);
}

/* UtcTime: seconds, fraction of 24 bits, quality. */
static void put_utc_time(struct ft_context *ctx, uint32_t field, struct ft_view value)
{
    uint64_t seconds = ft_u32be(&value);
    uint64_t fraction = ft_u24be(&value);

    if (ft_view_ok(&value)) {
        value.last_len = 7;
        ft_put_uint(ctx, field, seconds * 1000000000 + (fraction * 1000000000 >> 24), &value);
    }
}

/* Eight octets a step: every message is hashed, and its data may be a kilobyte. */
static uint64_t hash_of(struct ft_view v)
{
    uint64_t hash = 0x9e3779b97f4a7c15u ^ v.len;

    while (v.len) {
        uint64_t word = v.len >= 8 ? ft_u64le(&v) : ft_uint_le(&v, v.len);

        hash = (hash ^ word) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 32;
    }
    return hash;
}

/* ---- data ---------------------------------------------------------------------------------- */

static uint32_t count_elements(struct ft_view v)
{
    struct ft_ber e;
    uint32_t n = 0;

    while (ft_ber_next(&v, &e))
        n++;
    return n;
}

static void put_bit_string(struct ft_context *ctx, struct ft_view value)
{
    ft_put_uint(ctx, F_DATA_UNUSED_BITS, ft_u8(&value), &value);
    ft_put_bytes(ctx, F_DATA_BITS, value);
}

/* Float: width of the exponent (8), then IEEE 754 of 32 bits; or 11 and 64 bits. */
static void put_float(struct ft_context *ctx, struct ft_view value)
{
    ft_skip(&value, 1);
    if (value.len == 4)
        ft_put_float(ctx, F_DATA_FLOAT, (double)ft_f32be(&value), &value);
    else if (value.len == 8)
        ft_put_float(ctx, F_DATA_FLOAT, ft_f64be(&value), &value);
}

static void put_datum(struct ft_context *ctx, const struct ft_ber *e)
{
    struct ft_view at = evidence(e->value);

    switch (e->tag) {
    case 0xa1:
    case 0xa2:
        ft_put_uint(ctx, F_DATA_COUNT, count_elements(e->value), NULL);
        break;
    case 0x83:
        ft_put_bool(ctx, F_DATA_BOOLEAN, ft_ber_uint(e->value) != 0, &at);
        break;
    case 0x84:
    case 0x8e:
        put_bit_string(ctx, e->value);
        break;
    case 0x85:
        ft_put_int(ctx, F_DATA_INTEGER, ft_ber_int(e->value), &at);
        break;
    case 0x86:
    case 0x8d:
        ft_put_uint(ctx, F_DATA_UNSIGNED, ft_ber_uint(e->value), &at);
        break;
    case 0x87:
        put_float(ctx, e->value);
        break;
    case 0x8a:
    case 0x90:
        ft_put_string(ctx, F_DATA_TEXT, e->value);
        break;
    case 0x91:
        put_utc_time(ctx, F_DATA_TIME, e->value);
        break;
    default:
        ft_put_bytes(ctx, F_DATA_OCTETS, e->value);
        break;
    }
}

/* Structures flat, in the order of the wire: a stack in place of recursion. */
static void put_data(struct ft_context *ctx, struct ft_view all)
{
    struct ft_view stack[MAX_DEPTH];
    unsigned depth = 0;
    struct ft_ber e;

    stack[0] = all;
    for (;;) {
        if (!ft_ber_next(&stack[depth], &e)) {
            if (ft_view_is_malformed(&stack[depth])) {
                ft_violation(ctx, V_DATA, NULL);
                return;
            }
            if (depth-- == 0)
                return;
            continue;
        }
        ft_group_begin(ctx, F_DATA);
        ft_put_uint(ctx, F_DATA_TYPE, e.tag, NULL);
        if (depth)
            ft_put_uint(ctx, F_DATA_DEPTH, depth, NULL);
        put_datum(ctx, &e);
        ft_group_end(ctx, F_DATA);
        if (e.is_constructed && depth + 1 < MAX_DEPTH)
            stack[++depth] = e.value;
    }
}

/* ---- goosePdu ------------------------------------------------------------------------------ */

/* Find the elements; their order and number is checked, their content read. */
static void read_elements(struct ft_context *ctx, struct ft_view *v, struct goose_pdu *pdu)
{
    struct ft_ber e;
    uint32_t last = 0;
    bool is_ordered = true;

    while (ft_ber_next(v, &e)) {
        uint32_t number = e.tag & 0x1f;

        if ((e.tag & ~0x3fu) != 0x80 || number >= ELEMENTS) {
            ft_violation(ctx, V_ELEMENT_UNKNOWN, v);
            continue;
        }
        is_ordered &= number >= last && !(pdu->seen >> number & 1);
        last = number;
        pdu->seen |= 1u << number;
        pdu->value[number].data = e.value.data;
        pdu->value[number].len = e.value.len;
    }
    if (!is_ordered)
        ft_violation(ctx, V_ELEMENT_ORDER, NULL);
    if (ft_view_ok(v) && !v->is_cut && (pdu->seen & MANDATORY) != MANDATORY)
        ft_violation(ctx, V_ELEMENT_MISSING, NULL);

    pdu->time_to_live = (uint32_t)ft_ber_uint(pdu->value[TIME_TO_LIVE]);
    pdu->st_num = (uint32_t)ft_ber_uint(pdu->value[ST_NUM]);
    pdu->sq_num = (uint32_t)ft_ber_uint(pdu->value[SQ_NUM]);
    pdu->conf_rev = (uint32_t)ft_ber_uint(pdu->value[CONF_REV]);
    pdu->entries = (uint32_t)ft_ber_uint(pdu->value[NUM_ENTRIES]);
    pdu->time = ft_ber_uint(pdu->value[TIME]);
    pdu->is_simulated |= ft_ber_uint(pdu->value[SIMULATION]) != 0;
    pdu->needs_commissioning = ft_ber_uint(pdu->value[NDS_COM]) != 0;
}

/* Counters wrap to 1, some to 0. */
static bool follows(uint32_t next, uint32_t last)
{
    return next == last + 1 || (last == UINT32_MAX && next == 1);
}

/* The seconds and the fraction of the time of a state, without its quality. */
static uint64_t instant(uint64_t time)
{
    return time >> 8;
}

/* A device that starts counts from 1 (some from 0) and has a later time. */
static bool is_restart(const struct goose_pdu *pdu, const struct publication *known)
{
    return pdu->st_num <= 1 && pdu->sq_num <= 1 && instant(pdu->time) >= instant(known->time);
}

static void check_numbers(struct ft_context *ctx, const struct goose_pdu *pdu,
                          const struct publication *known, uint64_t data)
{
    const struct ft_view *st = &pdu->value[ST_NUM], *sq = &pdu->value[SQ_NUM];

    if (pdu->st_num == known->st_num) {
        bool is_same = pdu->sq_num == known->sq_num;

        if (pdu->sq_num < known->sq_num && !follows(pdu->sq_num, known->sq_num))
            violate(ctx, is_restart(pdu, known) ? V_RESTART : V_SQ_NUM_BACK, sq);
        else if (!is_same && !follows(pdu->sq_num, known->sq_num))
            violate(ctx, V_SQ_NUM_JUMP, sq);
        /* Some devices let a late change into a state that they just sent, with its time. */
        if (data != known->data && instant(pdu->time) <= instant(known->time))
            violate(ctx, V_DATA_CHANGED, st);
        return;
    }
    if (follows(pdu->st_num, known->st_num)) {
        if (pdu->sq_num > 1)
            violate(ctx, V_SQ_NUM_JUMP, sq);
    } else if (pdu->st_num > known->st_num) {
        violate(ctx, pdu->st_num >= HIGH_STATE ? V_ST_NUM_HIGH : V_ST_NUM_JUMP, st);
    } else if (pdu->st_num <= 1 && pdu->sq_num <= 1 && instant(pdu->time) >= instant(known->time)) {
        violate(ctx, V_RESTART, st);
    } else {
        violate(ctx, V_ST_NUM_BACK, st);
    }
    if (instant(pdu->time) < instant(known->time))
        violate(ctx, V_TIME_BACK, &pdu->value[TIME]);
}

static void check_settings(struct ft_context *ctx, const struct goose_pdu *pdu,
                           const struct publication *known, uint64_t dat_set, uint64_t go_id)
{
    if (pdu->conf_rev != known->conf_rev)
        violate(ctx, V_SETTINGS_CHANGED, &pdu->value[CONF_REV]);
    else if (go_id != known->go_id || pdu->appid != known->appid)
        violate(ctx, V_SETTINGS_CHANGED, &pdu->value[GO_ID]);
    if (dat_set != known->dat_set)
        violate(ctx, V_DAT_SET_CHANGED, &pdu->value[DAT_SET]);
    else if (pdu->entries != known->entries)
        violate(ctx, V_DAT_SET_CHANGED, &pdu->value[NUM_ENTRIES]);
    if (ctx->vlan != known->vlan || ctx->priority != known->priority)
        ft_violation(ctx, V_VLAN_CHANGED, NULL);
}

/* Compare with the last message of the control block and remember this one. */
static void follow(struct ft_context *ctx, const struct goose_pdu *pdu, struct publication *known)
{
    uint64_t dat_set = hash_of(pdu->value[DAT_SET]);
    uint64_t go_id = hash_of(pdu->value[GO_ID]);
    uint64_t data = hash_of(pdu->value[ALL_DATA]);

    if (known->is_known) {
        check_numbers(ctx, pdu, known, data);
        check_settings(ctx, pdu, known, dat_set, go_id);
    }
    if (pdu->is_simulated && !known->is_simulated)
        violate(ctx, V_SIMULATION, &pdu->value[SIMULATION]);
    if (pdu->needs_commissioning && !known->needs_commissioning)
        violate(ctx, V_NEEDS_COMMISSIONING, &pdu->value[NDS_COM]);
    *known = (struct publication){
        .dat_set = dat_set,
        .go_id = go_id,
        .data = data,
        .time = pdu->time,
        .claimed_ns = known->claimed_ns,
        .st_num = pdu->st_num,
        .sq_num = pdu->sq_num,
        .conf_rev = pdu->conf_rev,
        .entries = pdu->entries,
        .appid = pdu->appid,
        .vlan = ctx->vlan,
        .priority = ctx->priority,
        .is_known = true,
        .is_simulated = pdu->is_simulated,
        .needs_commissioning = pdu->needs_commissioning,
    };
}

static void put_time(struct ft_context *ctx, struct ft_view value)
{
    put_utc_time(ctx, F_TIME, value);
    ft_skip(&value, 7);

    uint8_t quality = ft_u8(&value);

    if (ft_view_ok(&value)) {
        ft_put_uint(ctx, F_TIME_QUALITY, quality & 0xe0, &value);
        ft_put_uint(ctx, F_TIME_ACCURACY, quality & 0x1f, &value);
    }
}

static bool has(const struct goose_pdu *pdu, enum element element)
{
    return pdu->seen >> element & 1;
}

static void put_number(struct ft_context *ctx, uint32_t field, const struct goose_pdu *pdu,
                       enum element element)
{
    if (has(pdu, element) && ft_wants(ctx, field)) {
        struct ft_view at = evidence(pdu->value[element]);

        ft_put_uint(ctx, field, ft_ber_uint(pdu->value[element]), &at);
    }
}

static void put_text(struct ft_context *ctx, uint32_t field, const struct goose_pdu *pdu,
                     enum element element)
{
    if (has(pdu, element))
        ft_put_string(ctx, field, pdu->value[element]);
}

static void put_truth(struct ft_context *ctx, uint32_t field, const struct goose_pdu *pdu,
                      enum element element)
{
    if (has(pdu, element) && ft_wants(ctx, field)) {
        struct ft_view at = evidence(pdu->value[element]);

        ft_put_bool(ctx, field, ft_ber_uint(pdu->value[element]) != 0, &at);
    }
}

static void put_pdu(struct ft_context *ctx, const struct goose_pdu *pdu, bool is_change)
{
    put_text(ctx, F_GOCB_REF, pdu, GOCB_REF);
    put_number(ctx, F_TIME_TO_LIVE, pdu, TIME_TO_LIVE);
    put_text(ctx, F_DAT_SET, pdu, DAT_SET);
    put_text(ctx, F_GO_ID, pdu, GO_ID);
    if (has(pdu, TIME))
        put_time(ctx, pdu->value[TIME]);
    put_number(ctx, F_ST_NUM, pdu, ST_NUM);
    put_number(ctx, F_SQ_NUM, pdu, SQ_NUM);
    put_truth(ctx, F_SIMULATION, pdu, SIMULATION);
    put_number(ctx, F_CONF_REV, pdu, CONF_REV);
    put_truth(ctx, F_NDS_COM, pdu, NDS_COM);
    put_number(ctx, F_NUM_ENTRIES, pdu, NUM_ENTRIES);
    ft_put_bool(ctx, F_STATE_CHANGE, is_change, NULL);
    if (ctx->vlan) {
        ft_put_uint(ctx, F_VLAN, ctx->vlan, NULL);
        ft_put_uint(ctx, F_PRIORITY, ctx->priority, NULL);
    }
}

/* Said once for each control block: the logical device before the slash is the device's name. */
static void state_publisher(struct ft_context *ctx, const struct goose_pdu *pdu)
{
    struct ft_view name = pdu->value[GOCB_REF];
    uint32_t n = 0;

    while (n < name.len && ft_peek_u8(&name, n) != '/')
        n++;
    ft_asset(ctx, FT_SENDER, FT_FACT_NAME, ft_sub(&name, n));
    ft_asset(ctx, FT_SENDER, FT_FACT_DESCRIPTION, pdu->value[DAT_SET]);
    ft_asset_role(ctx, FT_SENDER, FT_ROLE_IED);
}

static uint64_t mac_number(const uint8_t mac[6])
{
    struct ft_view v = ft_view_make(mac, 6, false);

    return ft_u48be(&v);
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t hash = (a ^ b) * 0xff51afd7ed558ccdu;

    return hash ^ hash >> 32;
}

/*
 * A stream is a control block sent to one group under one APPID: somebody else who publishes it as
 * well is of another pair of addresses, and only the core sees both. The same MAC address on both
 * networks of PRP, or both ways round a ring of HSR, is one publisher. So is a device and the test
 * set beside it that marks what it sends as simulated. Devices as they come from the factory share
 * the name of their control block, not group and APPID.
 */
static void claim(struct ft_context *ctx, const struct goose_pdu *pdu, struct publication *known,
                  uint64_t name)
{
    uint64_t sender = mac_number(ctx->src_mac);
    uint64_t group = mac_number(ctx->dst_mac);

    if (ctx->transport != FT_TRANSPORT_L2 || pdu->is_simulated)
        return;
    if (known->claimed_ns && ctx->time_ns - known->claimed_ns < CLAIM_NS &&
        pdu->appid == known->appid)
        return;
    known->claimed_ns = ctx->time_ns;
    uint32_t alive = pdu->time_to_live < SILENCE_MIN_MS ? SILENCE_MIN_MS : pdu->time_to_live;
    ft_claim(ctx, mix(mix(name, group), pdu->appid), sender,
             CLAIM_MS + (alive < INT32_MAX ? alive : INT32_MAX), V_SECOND_PUBLISHER,
             V_PUBLISHER_CHANGED);
    ft_claim(ctx, mix(name, ~sender), group, UINT32_MAX, V_SETTINGS_CHANGED, V_SETTINGS_CHANGED);
}

static void check_data(struct ft_context *ctx, const struct goose_pdu *pdu)
{
    if (has(pdu, ALL_DATA) && has(pdu, NUM_ENTRIES) &&
        count_elements(pdu->value[ALL_DATA]) != pdu->entries)
        violate(ctx, V_ENTRIES, &pdu->value[NUM_ENTRIES]);
    if (has(pdu, TIME_TO_LIVE) && pdu->time_to_live == 0)
        violate(ctx, V_TIME_TO_LIVE, &pdu->value[TIME_TO_LIVE]);
}

/* The header before an APDU, in a frame and in a session item. */
struct header {
    uint16_t appid, length, flags;
    bool is_simulated;
};

static void put_header(struct ft_context *ctx, const struct header *header)
{
    ft_put_uint(ctx, F_APPID, header->appid, NULL);
    ft_put_uint(ctx, F_LENGTH, header->length, NULL);
    ft_put_bool(ctx, F_SIMULATED, header->is_simulated, NULL);
    if (header->flags & SECURITY_LENGTH)
        ft_put_uint(ctx, F_SECURITY_LENGTH, header->flags & SECURITY_LENGTH, NULL);
}

static void read_goose(struct ft_context *ctx, const struct header *header, struct ft_view v)
{
    struct goose_pdu pdu = {.appid = header->appid, .is_simulated = header->is_simulated};

    if (ctx->direction != FT_DIRECTION_NONE)
        ft_set_direction(ctx, FT_DIRECTION_NONE);
    for (unsigned i = 0; i < ELEMENTS; i++)
        pdu.value[i] = ft_view_empty();
    read_elements(ctx, &v, &pdu);

    struct ft_view *name = &pdu.value[GOCB_REF];
    uint64_t key = hash_of(*name);
    bool is_whole = ft_view_ok(&v) && !v.is_cut && has(&pdu, GOCB_REF);
    struct publication *known = is_whole ? ft_channel(ctx, FT_SCOPE_FLOW, key) : NULL;
    bool is_first = known && !known->is_known;
    bool is_change = known && known->is_known ? pdu.st_num != known->st_num : pdu.sq_num == 0;

    if (name->len)
        ft_subaddress_text(ctx, FT_SENDER, FT_SUB_NAME, (const char *)name->data, name->len);
    ft_command(ctx, is_change ? COMMAND_STATE_CHANGE : COMMAND_RETRANSMISSION, 0);
    put_header(ctx, header);
    put_pdu(ctx, &pdu, is_change);
    check_data(ctx, &pdu);
    if (known) {
        claim(ctx, &pdu, known, key);
        follow(ctx, &pdu, known);
        ft_expect_within(ctx, FT_SCOPE_FLOW, key,
                         pdu.time_to_live < SILENCE_MIN_MS ? SILENCE_MIN_MS : pdu.time_to_live,
                         V_SILENCE);
    }
    if (is_first)
        state_publisher(ctx, &pdu);
    if (ft_wants(ctx, F_DATA))
        put_data(ctx, pdu.value[ALL_DATA]);
    if (ft_view_is_malformed(&v))
        ft_violation(ctx, FT_VIOLATION_MALFORMED, NULL);
}

/* ---- GSE management ------------------------------------------------------------------------ */

static void put_members(struct ft_context *ctx, struct ft_view v)
{
    struct ft_ber e;

    while (ft_ber_next(&v, &e)) {
        struct ft_view at = evidence(e.value);

        if (e.tag == 0x02 || e.tag == 0x80)
            ft_put_uint(ctx, F_OFFSET, ft_ber_uint(e.value), &at);
        else if (e.tag == 0x1a || e.tag == 0x81)
            ft_put_string(ctx, F_REFERENCE, e.value);
    }
}

/* Request: ident, then offsets or references. */
static void read_request(struct ft_context *ctx, struct ft_view v)
{
    struct ft_ber e;

    while (ft_ber_next(&v, &e)) {
        if (e.tag == 0x80)
            ft_put_string(ctx, F_IDENT, e.value);
        else if (e.tag == 0xa1)
            put_members(ctx, e.value);
    }
}

/* Positive response: data set, then the members. */
static void read_positive(struct ft_context *ctx, struct ft_view v)
{
    struct ft_ber e;

    while (ft_ber_next(&v, &e)) {
        if (e.tag == 0x80)
            ft_put_string(ctx, F_MANAGEMENT_DAT_SET, e.value);
        else if (e.tag == 0xa1)
            put_members(ctx, e.value);
    }
}

static void read_response(struct ft_context *ctx, struct ft_view v)
{
    struct ft_ber e;

    while (ft_ber_next(&v, &e)) {
        struct ft_view at = evidence(e.value);

        if (e.tag == 0x80)
            ft_put_string(ctx, F_IDENT, e.value);
        else if (e.tag == 0x81)
            ft_put_uint(ctx, F_MANAGEMENT_CONF_REV, ft_ber_uint(e.value), &at);
        else if (e.tag == 0xa2)
            read_positive(ctx, e.value);
        else if (e.tag == 0x83)
            ft_put_uint(ctx, F_ERROR, ft_ber_uint(e.value), &at);
    }
}

/* A response that has the negative element refuses. */
static bool is_refusal(struct ft_view v)
{
    struct ft_ber e;

    while (ft_ber_next(&v, &e)) {
        if (e.tag == 0x83)
            return true;
    }
    return false;
}

static void read_management(struct ft_context *ctx, const struct header *header, struct ft_view v)
{
    struct ft_ber id, part, service;

    if (!ft_ber_next(&v, &id) || id.tag != 0x80 || !ft_ber_next(&v, &part) ||
        (part.tag != 0xa1 && part.tag != 0xa2) || !ft_ber_next(&part.value, &service)) {
        ft_violation(ctx, V_UNEXPECTED_PDU, &v);
        return;
    }

    bool is_request = part.tag == 0xa1;
    uint64_t number = ft_ber_uint(id.value);
    struct ft_view at = evidence(id.value);

    ft_set_direction(ctx, is_request ? FT_TO_SERVER : FT_TO_CLIENT);
    ft_set_kind(ctx, is_request                                         ? FT_KIND_REQUEST
                     : is_refusal(service.value) || service.tag == 0x80 ? FT_KIND_EXCEPTION
                                                                        : FT_KIND_RESPONSE);
    ft_command(ctx, COMMAND_MANAGEMENT + (service.tag & 0x1f), is_request ? 0 : 1);
    if (is_request)
        ft_request(ctx, FT_SCOPE_FLOW, number, NULL, 0);
    else
        ft_response(ctx, FT_SCOPE_FLOW, number);

    put_header(ctx, header);
    ft_group_begin(ctx, F_MANAGEMENT);
    ft_put_uint(ctx, F_STATE_ID, number, &at);
    if (is_request)
        read_request(ctx, service.value);
    else
        read_response(ctx, service.value);
    ft_group_end(ctx, F_MANAGEMENT);
}

/* ---- frames and sessions ------------------------------------------------------------------- */

static void read_apdu(struct ft_context *ctx, const struct header *header, struct ft_view *v)
{
    struct ft_ber apdu;
    bool is_read = ft_ber_next(v, &apdu);

    apdu.value.is_cut |= v->error == FT_VIEW_CUT;
    if (apdu.tag == TAG_GOOSE && (is_read || apdu.value.is_cut))
        read_goose(ctx, header, apdu.value);
    else if (is_read && apdu.tag == TAG_MANAGEMENT)
        read_management(ctx, header, apdu.value);
    else if (is_read)
        ft_violation(ctx, V_UNEXPECTED_PDU, v);
}

static void read_frame(struct ft_context *ctx, struct ft_view *pdu)
{
    struct header header = {0};

    header.appid = ft_u16be(pdu);
    if (ctx->ethertype != ETHERTYPE_MANAGEMENT && (header.appid & 0xc000) != 0 &&
        (header.appid & 0xc000) != 0x8000)
        ft_violation(ctx, V_APPID, pdu);
    header.length = ft_u16be(pdu);
    if (ft_view_ok(pdu) && header.length < HEADER_SIZE) {
        ft_violation(ctx, V_LENGTH, pdu);
        return;
    }
    header.flags = ft_u16be(pdu);
    header.is_simulated = header.flags & SIMULATED;
    if (header.flags & (uint16_t) ~(SIMULATED | SECURITY_LENGTH))
        ft_violation(ctx, V_RESERVED_BITS, pdu);
    ft_skip(pdu, 2);
    if (!ft_view_ok(pdu))
        return;

    struct ft_view body = ft_sub(pdu, header.length - HEADER_SIZE);

    read_apdu(ctx, &header, &body);
    if (ft_view_is_malformed(&body))
        ft_violation(ctx, FT_VIOLATION_MALFORMED, NULL);
    ft_rest(pdu); /* padding, security extension, redundancy trailer */
}

static void put_session(struct ft_context *ctx, uint8_t spdu, struct ft_view v)
{
    ft_group_begin(ctx, F_SESSION);
    ft_put_uint(ctx, F_SPDU, spdu, NULL);
    ft_put_uint(ctx, F_SPDU_NUMBER, ft_u32be(&v), &v);
    ft_put_uint(ctx, F_VERSION, ft_u16be(&v), &v);
    ft_put_uint(ctx, F_KEY_TIME, ft_u32be(&v), &v);
    ft_put_uint(ctx, F_NEXT_KEY, ft_u16be(&v), &v);
    ft_put_uint(ctx, F_KEY_ID, ft_u32be(&v), &v);
    ft_group_end(ctx, F_SESSION);
}

/* One item of a session: what it is, simulation, APPID, length, APDU. False: not readable. */
static bool read_item(struct ft_context *ctx, struct ft_view *v)
{
    uint8_t tag = ft_u8(v);
    struct header header = {.is_simulated = ft_u8(v) != 0};

    header.appid = ft_u16be(v);
    header.length = ft_u16be(v);

    struct ft_view apdu = ft_sub(v, header.length);

    if (!ft_view_ok(v))
        return false;
    if (tag == 0x81 || tag == 0x84) {
        read_apdu(ctx, &header, &apdu);
        if (ft_view_is_malformed(&apdu))
            ft_violation(ctx, FT_VIOLATION_MALFORMED, NULL);
    } else {
        ft_command(ctx, COMMAND_ROUTED, tag);
        put_header(ctx, &header);
    }
    return true;
}

/*
 * Routable GOOSE: CLTP header, session header, items. A payload under a key may be encrypted; then
 * its first octet is no item and the session is all there is to tell.
 */
static void read_routable(struct ft_context *ctx, struct ft_view *pdu)
{
    ft_skip(pdu, 2);

    uint8_t spdu = ft_u8(pdu);

    ft_skip(pdu, 1); /* length indicator */
    if (ft_u8(pdu) != 0x80 && ft_view_ok(pdu)) {
        ft_violation(ctx, V_UNEXPECTED_PDU, pdu);
        ft_rest(pdu);
        return;
    }
    ft_skip(pdu, 1 + 4); /* length of the common header, length of the SPDU */

    struct ft_view session = ft_sub(pdu, 4 + 2 + 4 + 2 + 4);

    ft_skip(pdu, ft_u8(pdu)); /* initialisation vector */

    struct ft_view payload = ft_sub(pdu, ft_u32be(pdu));
    int first = ft_peek_u8(&payload, 0);

    if (first < 0x81 || first > 0x84) {
        ft_command(ctx, COMMAND_ROUTED, spdu);
        put_session(ctx, spdu, session);
        ft_rest(pdu);
        return;
    }
    for (bool is_first = true; !ft_view_at_end(&payload); is_first = false) {
        bool has_message = !is_first && ft_message_begin(ctx);
        bool is_read = read_item(ctx, &payload);

        put_session(ctx, spdu, session);
        if (has_message)
            ft_message_end(ctx);
        if (!is_read)
            break;
    }
    if (ft_view_is_malformed(&payload))
        ft_violation(ctx, FT_VIOLATION_MALFORMED, NULL);
    ft_rest(pdu); /* padding, authentication */
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    if (ctx->transport == FT_TRANSPORT_UDP)
        read_routable(ctx, pdu);
    else
        read_frame(ctx, pdu);
}

static enum ft_verdict probe(const struct ft_probe *where, struct ft_view payload)
{
    if (where->transport == FT_TRANSPORT_UDP)
        return ft_view_starts(&payload, "\x01\x40\xa1", 3) && ft_peek_u8(&payload, 4) == 0x80
                   ? FT_YES
                   : FT_NO;

    int tag = ft_peek_u8(&payload, HEADER_SIZE);

    return tag == TAG_GOOSE || tag == TAG_MANAGEMENT ? FT_YES : FT_MAYBE;
}

/* ---- description --------------------------------------------------------------------------- */

static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_ETHERTYPE, .value = 0x88b8, .last = ETHERTYPE_MANAGEMENT},
    {.kind = FT_CARRIER_UDP, .value = 102},
};

static const struct ft_signature signatures[] = {
    {.pattern = "^\\x01\\x40\\xa1[\\x00-\\xff]\\x80", .flags = FT_SIGNATURE_UDP},
};

extern const struct ft_dissector ft_dissector_goose;
const struct ft_dissector ft_dissector_goose = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "goose",
    .title = "IEC 61850 GOOSE",
    .specification = "IEC 61850-8-1, IEC 61850-90-5",
    .carried_by = FT_TABLE(carriers),
    .signatures = FT_TABLE(signatures),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .channel_size = sizeof(struct publication),
    .flags = FT_DISSECTOR_OT | FT_DISSECTOR_CYCLIC,
    .probe = probe,
    .dissect = dissect,
};
