/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * NTP and SNTP: what time is it? Beside the time, the control (6) and private (7) modes of ntpd,
 * by which it is asked about itself and changed.
 *
 *   0  1  leap indicator 2 | version 3 | mode 3
 *   1  1  stratum: 0 a refusal, 1 a clock, 2..15 from another server, 16 not synchronised
 *   2  2  poll interval, precision (powers of two, seconds)
 *   4  8  root delay, root dispersion (16.16)
 *  12  4  reference id: the kind of clock, or the address of the server above
 *  16 32  reference, origin, receive, transmit time (32.32, seconds since 1900)
 *  48     extension fields (type 2, length 2 ...), then key id 4 and digest
 *
 * Control: mode, R E M and operation, sequence 2, status 2, association 2, offset 2, count 2, text.
 * Private: R M and mode, sequence, implementation, request, error and items 2, item size 2, items.
 *
 * Specification: RFC 5905, RFC 1305, RFC 4330, RFC 7822, RFC 9327; private mode: ntpd's
 * ntp_request.h.
 */
#include <stdio.h>

#include <fieldtap/dissector.h>

enum {
    PORT = 123,
    LENGTH = 48,
    CONTROL_LENGTH = 12,
    PRIVATE_LENGTH = 8,
    UNSYNCHRONISED = 16,
    MAC_MAX = 24, /* key id and digest behind extension fields */
    EXTENSION_MIN = 16,
    ALARM = 3, /* leap indicator of a clock that is not synchronised */
};

enum mode {
    SYMMETRIC_ACTIVE = 1,
    SYMMETRIC_PASSIVE,
    CLIENT,
    SERVER,
    BROADCAST,
    CONTROL,
    PRIVATE,
};

enum control_operation {
    READ_STATUS = 1,
    READ_VARIABLES = 2,
};

/* Seconds from 1900 to 1970, and of an era. */
#define UNIX_SECONDS 2208988800ull
#define ERA_SECONDS  (1ull << 32)
#define SECOND_NS    1000000000ull
#define PATIENCE_NS  (10 * SECOND_NS)

/* More than the way through any network takes. */
#define JUMP_NS (int64_t)(10 * SECOND_NS)

/* Transmit times of servers that are recognised by content: from 2002 on. */
#define RECENT_SECONDS 0xc0000000u

enum field {
    ROOT = 0,
    LEAP,
    VERSION,
    MODE,
    STRATUM,
    POLL,
    PRECISION,
    ROOT_DELAY,
    ROOT_DISPERSION,
    REFERENCE_ID,
    KISS,
    REFERENCE_TIME,
    ORIGIN_TIME,
    RECEIVE_TIME,
    TRANSMIT_TIME,
    OFFSET,
    EXTENSIONS,
    EXTENSION_TYPE,
    EXTENSION_LENGTH,
    KEY_ID,
    DIGEST,
    IS_RESPONSE,
    IS_ERROR,
    HAS_MORE,
    OPERATION,
    SEQUENCE,
    STATUS,
    ASSOCIATION,
    DATA_OFFSET,
    DATA_COUNT,
    VARIABLES,
    VARIABLE_NAME,
    VARIABLE_VALUE,
    IS_AUTHENTICATED,
    IMPLEMENTATION,
    REQUEST,
    ERROR,
    ITEMS,
    ITEM_SIZE,
    FIELDS
};

enum violation {
    V_VERSION = 0,
    V_ORIGIN,
    V_TRANSMIT,
    V_STRATUM,
    V_REFERENCE,
    V_EXTENSION,
    V_KISS,
    V_JUMP,
    VIOLATIONS
};

/* Channel: a server as one of its clients hears it. */
struct clock {
    int64_t ahead_ns; /* of the sensor's clock */
    uint8_t is_known;
};

/* Flow state: the last request that was answered. */
struct flow {
    uint64_t request_ns; /* packet time of the last request, 0 = none */
    uint64_t answered;   /* origin time of the last answer */
};

/* clang-format off */
static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_UDP, .value = PORT},
    {.kind = FT_CARRIER_UDP, .value = FT_ANY_SELECTOR},
};

static const struct ft_signature signatures[] = {
    {"^[\\x1b\\x1c\\x23\\x24\\x5b\\x5c\\x63\\x64\\xdb\\xdc\\xe3\\xe4][\\x00-\\x10][\\x00\\x03-\\x11][\\x00\\xe0-\\xff]", FT_SIGNATURE_UDP, 0},
};

static const struct ft_name leap_names[] = {
    {0, "none"}, {1, "61_seconds"}, {2, "59_seconds"}, {ALARM, "unsynchronised"}, {0, NULL},
};

static const struct ft_name mode_names[] = {
    {0, "reserved"}, {1, "symmetric_active"}, {2, "symmetric_passive"}, {3, "client"},
    {4, "server"}, {5, "broadcast"}, {6, "control"}, {7, "private"}, {0, NULL},
};

static const struct ft_name operation_names[] = {
    {1, "read_status"}, {2, "read_variables"}, {3, "write_variables"}, {4, "read_clock"},
    {5, "write_clock"}, {6, "set_trap"}, {7, "trap"}, {8, "configure"}, {9, "save_config"},
    {10, "read_mru"}, {11, "read_ordlist"}, {12, "request_nonce"}, {31, "unset_trap"}, {0, NULL},
};

static const struct ft_name implementation_names[] = {
    {0, "universal"}, {2, "xntpd_old"}, {3, "xntpd"}, {0, NULL},
};

static const struct ft_name request_names[] = {
    {0, "peer_list"}, {1, "peer_list_summary"}, {2, "peer_info"}, {3, "peer_stats"},
    {4, "system_info"}, {5, "system_stats"}, {6, "io_stats"}, {7, "memory_stats"},
    {8, "loop_info"}, {9, "timer_stats"}, {10, "configure"}, {11, "unconfigure"},
    {12, "set_system_flag"}, {13, "clear_system_flag"}, {14, "monitor"}, {15, "unmonitor"},
    {16, "get_restrictions"}, {17, "add_restriction"}, {18, "subtract_restriction"},
    {19, "unrestrict"}, {20, "monitor_list"}, {21, "reset_stats"}, {22, "reset_peer"},
    {23, "reread_keys"}, {24, "do_dirty_hack"}, {25, "dont_dirty_hack"}, {26, "trust_key"},
    {27, "untrust_key"}, {28, "authentication_info"}, {29, "traps"}, {30, "add_trap"},
    {31, "clear_trap"}, {32, "request_key"}, {33, "control_key"}, {34, "control_stats"},
    {35, "leap_info"}, {36, "clock_info"}, {37, "set_clock_fudge"}, {38, "kernel_info"},
    {39, "clock_bug_info"}, {41, "set_precision"}, {42, "monitor_list_1"},
    {43, "hostname_associd"}, {44, "interface_stats"}, {0, NULL},
};

static const struct ft_name error_names[] = {
    {0, "none"}, {1, "implementation"}, {2, "request"}, {3, "format"}, {4, "no_data"},
    {7, "authentication"}, {0, NULL},
};

#define FIELD(name, title, names, parent, type, flags, ...)                                        \
    {name, title, names, parent, FT_TYPE_##type, flags, __VA_ARGS__ + 0}

static const struct ft_field fields[] = {
    [ROOT] = FIELD("ntp", "Network time", NULL, 0, GROUP, 0),
    [LEAP] = FIELD("li", "Leap second, or clock not synchronised", leap_names, 0, ENUM, 0, 8),
    [VERSION] = FIELD("version", "Version", NULL, 0, UINT, 0, 3),
    [MODE] = FIELD("mode", "Mode", mode_names, 0, ENUM, 0, 3),
    [STRATUM] = FIELD("stratum", "Distance from a clock", NULL, 0, UINT, 0, 8),
    [POLL] = FIELD("poll", "Interval of polls, power of two in seconds", NULL, 0, INT, 0, 8),
    [PRECISION] = FIELD("precision", "Precision, power of two in seconds", NULL, 0, INT, 0, 8),
    [ROOT_DELAY] = FIELD("root_delay", "Seconds to the clock and back", NULL, 0, FLOAT, 0),
    [ROOT_DISPERSION] = FIELD("root_dispersion", "Seconds it may be wrong", NULL, 0, FLOAT, 0),
    [REFERENCE_ID] = FIELD("refid", "Kind of clock, or address of the server above", NULL, 0, STRING, 0),
    [KISS] = FIELD("kod", "Code of a refusal", NULL, 0, STRING, 0),
    [REFERENCE_TIME] = FIELD("ref_time", "When the clock was set last", NULL, 0, TIME, 0),
    [ORIGIN_TIME] = FIELD("org_time", "Transmit time of the request", NULL, 0, TIME, 0),
    [RECEIVE_TIME] = FIELD("rec_time", "When the request arrived", NULL, 0, TIME, 0),
    [TRANSMIT_TIME] = FIELD("xmt_time", "When this was sent", NULL, 0, TIME, 0),
    [OFFSET] = FIELD("offset_est", "Seconds that the sender is ahead of the sensor", NULL, 0, FLOAT, 0),
    [EXTENSIONS] = FIELD("extensions", "Extension fields", NULL, 0, GROUP, FT_FIELD_LIST),
    [EXTENSION_TYPE] = FIELD("type", "Type", NULL, EXTENSIONS, UINT, 0, 16),
    [EXTENSION_LENGTH] = FIELD("length", "Bytes", NULL, EXTENSIONS, UINT, 0, 16),
    [KEY_ID] = FIELD("keyid", "Key of the digest", NULL, 0, UINT, 0, 32),
    [DIGEST] = FIELD("digest", "Digest", NULL, 0, BYTES, 0),
    [IS_RESPONSE] = FIELD("response", "Control, private: a response", NULL, 0, BOOL, 0),
    [IS_ERROR] = FIELD("error_bit", "Control: refused", NULL, 0, BOOL, 0),
    [HAS_MORE] = FIELD("more", "Control, private: further messages follow", NULL, 0, BOOL, 0),
    [OPERATION] = FIELD("op", "Control: operation", operation_names, 0, ENUM, 0, 5),
    [SEQUENCE] = FIELD("sequence", "Control, private: sequence number", NULL, 0, UINT, 0, 16),
    [STATUS] = FIELD("status", "Control: status of system, peer or clock", NULL, 0, UINT, 0, 16),
    [ASSOCIATION] = FIELD("association", "Control: association, 0 = the system", NULL, 0, UINT, 0, 16),
    [DATA_OFFSET] = FIELD("data_offset", "Control: where in the data this is", NULL, 0, UINT, 0, 16),
    [DATA_COUNT] = FIELD("data_count", "Control: bytes of data", NULL, 0, UINT, 0, 16),
    [VARIABLES] = FIELD("vars", "Control: variables", NULL, 0, GROUP, FT_FIELD_LIST),
    [VARIABLE_NAME] = FIELD("name", "Name", NULL, VARIABLES, STRING, 0),
    [VARIABLE_VALUE] = FIELD("value", "Value", NULL, VARIABLES, STRING, 0),
    [IS_AUTHENTICATED] = FIELD("authenticated", "Private: has a digest", NULL, 0, BOOL, 0),
    [IMPLEMENTATION] = FIELD("implementation", "Private: of whom", implementation_names, 0, ENUM, 0, 8),
    [REQUEST] = FIELD("request", "Private: request", request_names, 0, ENUM, 0, 8),
    [ERROR] = FIELD("error", "Private: error", error_names, 0, ENUM, 0, 4),
    [ITEMS] = FIELD("items", "Private: number of items", NULL, 0, UINT, 0, 12),
    [ITEM_SIZE] = FIELD("item_size", "Private: bytes of an item", NULL, 0, UINT, 0, 12),
};

#define COMMAND(code, qualifier, name, class, mitre)                                               \
    {code, qualifier, name, FT_CLASS_##class, {0}, mitre}

#define AMPLIFIER "T0814"

static const struct ft_command commands[] = {
    COMMAND(SYMMETRIC_ACTIVE, FT_ANY_QUALIFIER, "symmetric_active", DATA, NULL),
    COMMAND(SYMMETRIC_PASSIVE, FT_ANY_QUALIFIER, "symmetric_passive", DATA, NULL),
    COMMAND(CLIENT, FT_ANY_QUALIFIER, "time", READ, NULL),
    COMMAND(SERVER, FT_ANY_QUALIFIER, "time_response", DATA, NULL),
    COMMAND(BROADCAST, FT_ANY_QUALIFIER, "broadcast", DATA, NULL),
    COMMAND(CONTROL, 1, "read_status", DIAGNOSTIC, NULL),
    COMMAND(CONTROL, 2, "read_variables", DIAGNOSTIC, NULL),
    COMMAND(CONTROL, 3, "write_variables", CONFIG, "T0836"),
    COMMAND(CONTROL, 4, "read_clock", DIAGNOSTIC, NULL),
    COMMAND(CONTROL, 5, "write_clock", CONFIG, "T0836"),
    COMMAND(CONTROL, 6, "set_trap", CONFIG, NULL),
    COMMAND(CONTROL, 7, "trap", EVENT, NULL),
    COMMAND(CONTROL, 8, "configure", CONFIG, "T0836"),
    COMMAND(CONTROL, 9, "save_config", CONFIG, "T0836"),
    COMMAND(CONTROL, 10, "read_mru", READ, AMPLIFIER),
    COMMAND(CONTROL, 11, "read_ordlist", READ, NULL),
    COMMAND(CONTROL, 12, "request_nonce", SESSION, NULL),
    COMMAND(CONTROL, 31, "unset_trap", CONFIG, NULL),
    COMMAND(PRIVATE, 0, "peer_list", DIAGNOSTIC, AMPLIFIER),
    COMMAND(PRIVATE, 1, "peer_list_summary", DIAGNOSTIC, AMPLIFIER),
    COMMAND(PRIVATE, 2, "peer_info", DIAGNOSTIC, NULL),
    COMMAND(PRIVATE, 3, "peer_stats", DIAGNOSTIC, NULL),
    COMMAND(PRIVATE, 4, "system_info", DIAGNOSTIC, NULL),
    COMMAND(PRIVATE, 5, "system_stats", DIAGNOSTIC, NULL),
    COMMAND(PRIVATE, 6, "io_stats", DIAGNOSTIC, NULL),
    COMMAND(PRIVATE, 7, "memory_stats", DIAGNOSTIC, NULL),
    COMMAND(PRIVATE, 8, "loop_info", DIAGNOSTIC, NULL),
    COMMAND(PRIVATE, 9, "timer_stats", DIAGNOSTIC, NULL),
    COMMAND(PRIVATE, 10, "configure", CONFIG, "T0836"),
    COMMAND(PRIVATE, 11, "unconfigure", CONFIG, "T0836"),
    COMMAND(PRIVATE, 12, "set_system_flag", CONFIG, "T0836"),
    COMMAND(PRIVATE, 13, "clear_system_flag", CONFIG, "T0836"),
    COMMAND(PRIVATE, 14, "monitor", CONFIG, NULL),
    COMMAND(PRIVATE, 15, "unmonitor", CONFIG, NULL),
    COMMAND(PRIVATE, 16, "get_restrictions", READ, NULL),
    COMMAND(PRIVATE, 17, "add_restriction", CONFIG, "T0836"),
    COMMAND(PRIVATE, 18, "subtract_restriction", CONFIG, "T0836"),
    COMMAND(PRIVATE, 19, "unrestrict", CONFIG, "T0836"),
    COMMAND(PRIVATE, 20, "monitor_list", READ, AMPLIFIER),
    COMMAND(PRIVATE, 21, "reset_stats", ADMIN, NULL),
    COMMAND(PRIVATE, 22, "reset_peer", ADMIN, NULL),
    COMMAND(PRIVATE, 23, "reread_keys", CONFIG, "T0836"),
    COMMAND(PRIVATE, 26, "trust_key", CONFIG, "T0836"),
    COMMAND(PRIVATE, 27, "untrust_key", CONFIG, "T0836"),
    COMMAND(PRIVATE, 28, "authentication_info", DIAGNOSTIC, NULL),
    COMMAND(PRIVATE, 29, "traps", DIAGNOSTIC, NULL),
    COMMAND(PRIVATE, 30, "add_trap", CONFIG, NULL),
    COMMAND(PRIVATE, 31, "clear_trap", CONFIG, NULL),
    COMMAND(PRIVATE, 32, "request_key", CONFIG, NULL),
    COMMAND(PRIVATE, 33, "control_key", CONFIG, NULL),
    COMMAND(PRIVATE, 34, "control_stats", DIAGNOSTIC, NULL),
    COMMAND(PRIVATE, 35, "leap_info", DIAGNOSTIC, NULL),
    COMMAND(PRIVATE, 36, "clock_info", DIAGNOSTIC, NULL),
    COMMAND(PRIVATE, 37, "set_clock_fudge", CONFIG, "T0836"),
    COMMAND(PRIVATE, 38, "kernel_info", DIAGNOSTIC, NULL),
    COMMAND(PRIVATE, 39, "clock_bug_info", DIAGNOSTIC, NULL),
    COMMAND(PRIVATE, 41, "set_precision", CONFIG, "T0836"),
    COMMAND(PRIVATE, 42, "monitor_list_1", READ, AMPLIFIER),
    COMMAND(PRIVATE, 43, "hostname_associd", READ, NULL),
    COMMAND(PRIVATE, 44, "interface_stats", DIAGNOSTIC, NULL),
};

#define VIOLATION(name, title, mitre, severity, engine)                                            \
    {name, title, NULL, NULL, mitre, FT_SEVERITY_##severity, FT_ENGINE_##engine, 0, {0}}

static const struct ft_violation violations[] = {
    [V_VERSION] = VIOLATION("version", "NTP version that does not exist", NULL, WARNING, PROTOCOL),
    [V_ORIGIN] = VIOLATION("origin", "NTP answer to a request that nobody sent", "T0830", MINOR, PROTOCOL),
    [V_TRANSMIT] = VIOLATION("transmit_time", "NTP server that tells no time", "T0814", MINOR, PROTOCOL),
    [V_STRATUM] = VIOLATION("stratum", "NTP stratum that cannot be", NULL, WARNING, PROTOCOL),
    [V_REFERENCE] = VIOLATION("reference_id", "NTP clock of a kind that cannot be", NULL, WARNING, PROTOCOL),
    [V_EXTENSION] = VIOLATION("extension", "NTP extension field with a length that cannot be", "T0814", MINOR, PROTOCOL),
    [V_KISS] = VIOLATION("refused", "NTP server refuses its client", NULL, WARNING, OPERATIONAL),
    [V_JUMP] = VIOLATION("time_jump", "NTP server whose time has jumped", "T0832 T0836", MAJOR, ANOMALY),
};
/* clang-format on */

_Static_assert(sizeof(fields) / sizeof(fields[0]) == FIELDS, "one row a field");
_Static_assert(sizeof(violations) / sizeof(violations[0]) == VIOLATIONS, "one row a violation");

/* ---- time ----------------------------------------------------------------------------------- */

/* Nanoseconds since 1970 of a time stamp; those of the lower half of the era are of the next. */
static uint64_t unix_ns(uint64_t stamp)
{
    uint64_t seconds = stamp >> 32, fraction = stamp & 0xffffffff;
    if (!(seconds >> 31))
        seconds += ERA_SECONDS;
    return (seconds - UNIX_SECONDS) * SECOND_NS + (fraction * SECOND_NS >> 32);
}

static uint64_t read_time(struct ft_context *ctx, uint32_t field, struct ft_view *v)
{
    uint64_t stamp = ft_u64be(v);
    /* The upper half of the first era begins before 1970. */
    if (stamp && (!(stamp >> 63) || stamp >> 32 >= UNIX_SECONDS))
        ft_put_uint(ctx, field, unix_ns(stamp), v);
    return stamp;
}

static double seconds_of(uint32_t fixed)
{
    return fixed / 65536.0;
}

/* ---- the reference id ----------------------------------------------------------------------- */

/* Four letters or digits, padded with zeros: how many there are, 0 = it is something else. */
static uint32_t ascii_length(struct ft_view id)
{
    uint32_t n = 0;
    bool is_ended = false;
    while (id.len) {
        uint8_t c = ft_u8(&id);
        if (c == 0) {
            is_ended = true;
            continue;
        }
        if (is_ended || c < 0x20 || c > 0x7e)
            return 0;
        n++;
    }
    return n;
}

static void put_reference(struct ft_context *ctx, uint8_t stratum, struct ft_view id,
                          const struct ft_view *at)
{
    char text[16];
    uint32_t length = stratum <= 1 ? ascii_length(id) : 0;

    if (length) {
        struct ft_view letters = ft_sub(&id, length);
        ft_put_bytes(ctx, REFERENCE_ID, letters);
        if (!stratum)
            ft_put_bytes(ctx, KISS, letters);
        return;
    }
    if (!ft_wants(ctx, REFERENCE_ID))
        return;
    uint8_t b[4];
    for (unsigned i = 0; i < 4; i++)
        b[i] = ft_u8(&id);
    int n = snprintf(text, sizeof(text), "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
    ft_put_text(ctx, REFERENCE_ID, text, (uint32_t)n, at);
}

/* ---- time messages -------------------------------------------------------------------------- */

struct message {
    uint8_t mode, stratum, leap;
    struct ft_view reference;
    struct ft_view reference_at;
    uint64_t origin, transmit;
};

static void state_server(struct ft_context *ctx, const struct message *m)
{
    char text[32];
    uint32_t length;

    ft_asset_role(ctx, FT_SENDER, FT_ROLE_SERVER);
    if (m->stratum != 1 || !(length = ascii_length(m->reference)))
        return;
    snprintf(text, sizeof(text), "stratum 1 clock, %.*s", (int)length,
             (const char *)m->reference.data);
    ft_asset_text(ctx, FT_SENDER, FT_FACT_DESCRIPTION, text);
}

static void check_server(struct ft_context *ctx, const struct message *m)
{
    if (!m->transmit)
        ft_violation(ctx, V_TRANSMIT, NULL);
    bool has_code = ascii_length(m->reference) != 0;
    if (m->stratum == 0 && has_code)
        ft_violation(ctx, V_KISS, &m->reference_at);
    else if (m->stratum == 0 && m->leap != ALARM)
        ft_violation(ctx, V_STRATUM, NULL);
    if (m->stratum == 1 && !has_code)
        ft_violation(ctx, V_REFERENCE, &m->reference_at);
}

/* Both hosts of a pair may be servers: which of them this is. */
static uint64_t server_key(const struct ft_context *ctx)
{
    uint32_t n = ctx->ip_version == 6 ? 16 : 4;
    return ctx->src_ip && memcmp(ctx->src_ip, ctx->dst_ip, n) < 0;
}

/*
 * The clock of the sensor goes on evenly: a server that is much further from it than before has
 * jumped. One that says itself that it is not set yet may.
 */
static void check_jump(struct ft_context *ctx, const struct message *m)
{
    if (m->leap == ALARM || !m->transmit || m->stratum == 0 || m->stratum >= UNSYNCHRONISED)
        return;
    struct clock *clock = ft_channel(ctx, FT_SCOPE_HOST_PAIR, server_key(ctx));
    if (!clock)
        return;
    int64_t ahead = (int64_t)(unix_ns(m->transmit) - ctx->time_ns);
    int64_t jump = clock->is_known ? ahead - clock->ahead_ns : 0;
    clock->is_known = 1;
    clock->ahead_ns = ahead;
    if (jump > JUMP_NS || jump < -JUMP_NS)
        ft_violation(ctx, V_JUMP, NULL);
}

/*
 * A response repeats the transmit time of its request. That nobody asked is only said of a flow
 * whose requests are seen, and not of a copy.
 */
static void pair(struct ft_context *ctx, const struct message *m)
{
    struct flow *flow = ctx->flow_state;

    if (m->mode == CLIENT) {
        flow->request_ns = ctx->time_ns;
        ft_request(ctx, FT_SCOPE_FLOW, m->transmit, NULL, 0);
        return;
    }
    if (ft_response(ctx, FT_SCOPE_FLOW, m->origin)) {
        flow->answered = m->origin;
        return;
    }
    if (flow->request_ns && ctx->time_ns - flow->request_ns < PATIENCE_NS &&
        flow->answered != m->origin)
        ft_violation(ctx, V_ORIGIN, NULL);
}

static bool is_mac_length(uint32_t n)
{
    /* A refusal's key alone; DES, MD5, SHA-1, SHA-256; Windows' extended authenticator. */
    return n == 4 || n == 12 || n == 20 || n == 24 || n == 36 || n == 52 || n == 68 || n == 72;
}

static void read_mac(struct ft_context *ctx, struct ft_view *v)
{
    ft_put_uint(ctx, KEY_ID, ft_u32be(v), v);
    if (v->len)
        ft_put_bytes(ctx, DIGEST, ft_rest(v));
}

static bool is_extension(const struct ft_view *v)
{
    int32_t length = ft_peek_u16be(v, 2);
    return length >= EXTENSION_MIN && length % 4 == 0 && (uint32_t)length <= v->len;
}

static void read_tail(struct ft_context *ctx, struct ft_view *v)
{
    while (v->len > MAC_MAX && is_extension(v)) {
        ft_group_begin(ctx, EXTENSIONS);
        ft_put_uint(ctx, EXTENSION_TYPE, ft_u16be(v), v);
        uint16_t length = ft_u16be(v);
        ft_put_uint(ctx, EXTENSION_LENGTH, length, v);
        ft_group_end(ctx, EXTENSIONS);
        ft_skip(v, length - 4u);
    }
    if (is_mac_length(v->len))
        read_mac(ctx, v);
    else if (v->len && !v->is_cut)
        ft_violation(ctx, V_EXTENSION, v);
}

static void read_times(struct ft_context *ctx, struct message *m, struct ft_view *v)
{
    m->stratum = ft_u8(v);
    ft_put_uint(ctx, STRATUM, m->stratum, v);
    if (m->stratum > UNSYNCHRONISED)
        ft_violation(ctx, V_STRATUM, v);
    ft_put_int(ctx, POLL, (int8_t)ft_u8(v), v);
    ft_put_int(ctx, PRECISION, (int8_t)ft_u8(v), v);
    ft_put_float(ctx, ROOT_DELAY, seconds_of(ft_u32be(v)), v);
    ft_put_float(ctx, ROOT_DISPERSION, seconds_of(ft_u32be(v)), v);
    m->reference = ft_sub(v, 4);
    m->reference_at = *v;
    if (ft_view_ok(v))
        put_reference(ctx, m->stratum, m->reference, v);
    read_time(ctx, REFERENCE_TIME, v);
    m->origin = read_time(ctx, ORIGIN_TIME, v);
    read_time(ctx, RECEIVE_TIME, v);
    m->transmit = read_time(ctx, TRANSMIT_TIME, v);
}

static enum ft_kind kind_of(uint8_t mode)
{
    return mode == CLIENT      ? FT_KIND_REQUEST
           : mode == SERVER    ? FT_KIND_RESPONSE
           : mode == BROADCAST ? FT_KIND_UNSOLICITED
                               : FT_KIND_DATA;
}

static void read_message(struct ft_context *ctx, uint8_t mode, uint8_t leap, struct ft_view *pdu)
{
    struct message m = {.mode = mode, .leap = leap};

    if (mode == CLIENT || mode == SERVER || mode == BROADCAST)
        ft_set_direction(ctx, mode == CLIENT ? FT_TO_SERVER : FT_TO_CLIENT);
    ft_set_kind(ctx, kind_of(mode));
    ft_command(ctx, mode, 0);
    ft_put_uint(ctx, LEAP, leap, NULL);
    read_times(ctx, &m, pdu);
    if (!ft_view_ok(pdu))
        return;
    if ((mode == SERVER || mode == BROADCAST) && m.transmit >> 63)
        ft_put_float(ctx, OFFSET, ((double)unix_ns(m.transmit) - (double)ctx->time_ns) / 1e9, NULL);
    if (mode == CLIENT || mode == SERVER)
        pair(ctx, &m);
    if (mode == SERVER)
        check_server(ctx, &m);
    if (mode == SERVER || mode == BROADCAST)
        check_jump(ctx, &m);
    if ((mode == SERVER || mode == BROADCAST) && m.stratum >= 1 && m.stratum < UNSYNCHRONISED)
        state_server(ctx, &m);
    read_tail(ctx, pdu);
}

/* ---- control -------------------------------------------------------------------------------- */

static bool is_blank(int c)
{
    return c == ' ' || c == '\r' || c == '\n' || c == ',';
}

/* Text up to `end`, or to a comma outside of quotes. */
static struct ft_view take_until(struct ft_view *v, int end)
{
    struct ft_view at = *v;
    uint32_t n = 0;
    bool is_quoted = false;

    while (at.len) {
        int c = ft_u8(&at);
        if (c == '"')
            is_quoted = !is_quoted;
        else if (!is_quoted && (c == end || c == ','))
            break;
        n++;
    }
    return ft_sub(v, n);
}

static struct ft_view unquoted(struct ft_view text)
{
    while (text.len && is_blank(text.data[text.len - 1]))
        text.len--;
    if (text.len < 2 || ft_peek_u8(&text, 0) != '"' || ft_peek_u8(&text, text.len - 1) != '"')
        return text;
    ft_skip(&text, 1);
    return ft_sub(&text, text.len - 1);
}

static bool is_named(const struct ft_view *name, const char *text)
{
    uint32_t n = (uint32_t)strlen(text);
    return name->len == n && ft_view_starts(name, text, n);
}

static void state_variable(struct ft_context *ctx, const struct ft_view *name, struct ft_view value)
{
    if (is_named(name, "version"))
        ft_asset(ctx, FT_SENDER, FT_FACT_FIRMWARE, value);
    else if (is_named(name, "processor"))
        ft_asset(ctx, FT_SENDER, FT_FACT_HARDWARE, value);
    else if (is_named(name, "system"))
        ft_asset(ctx, FT_SENDER, FT_FACT_OS, value);
}

/* name=value, name="value" ..., commas between. */
static void read_variables(struct ft_context *ctx, struct ft_view text, bool states)
{
    while (text.len) {
        while (is_blank(ft_peek_u8(&text, 0)))
            ft_skip(&text, 1);
        struct ft_view name = take_until(&text, '=');
        struct ft_view value = ft_view_empty();
        if (ft_peek_u8(&text, 0) == '=') {
            ft_skip(&text, 1);
            value = unquoted(take_until(&text, -1));
        }
        if (text.len)
            ft_skip(&text, 1);
        if (!name.len)
            continue;
        ft_group_begin(ctx, VARIABLES);
        ft_put_string(ctx, VARIABLE_NAME, name);
        if (value.len)
            ft_put_bytes(ctx, VARIABLE_VALUE, value);
        ft_group_end(ctx, VARIABLES);
        if (states && value.len)
            state_variable(ctx, &name, value);
    }
}

static void read_control(struct ft_context *ctx, struct ft_view *pdu)
{
    uint8_t byte = ft_u8(pdu);
    struct ft_view byte_at = *pdu;
    uint16_t sequence = ft_u16be(pdu);
    struct ft_view sequence_at = *pdu;
    bool is_response = byte & 0x80, is_error = byte & 0x40;
    uint8_t operation = byte & 0x1f;

    ft_set_direction(ctx, is_response ? FT_TO_CLIENT : FT_TO_SERVER);
    ft_set_kind(ctx, !is_response ? FT_KIND_REQUEST
                     : is_error   ? FT_KIND_EXCEPTION
                                  : FT_KIND_RESPONSE);
    ft_command(ctx, CONTROL, operation);
    if (is_response)
        ft_response(ctx, FT_SCOPE_FLOW, (uint64_t)CONTROL << 32 | sequence);
    else
        ft_request(ctx, FT_SCOPE_FLOW, (uint64_t)CONTROL << 32 | sequence, NULL, 0);
    ft_put_bool(ctx, IS_RESPONSE, is_response, &byte_at);
    ft_put_bool(ctx, IS_ERROR, is_error, &byte_at);
    ft_put_bool(ctx, HAS_MORE, byte & 0x20, &byte_at);
    ft_put_uint(ctx, OPERATION, operation, &byte_at);
    ft_put_uint(ctx, SEQUENCE, sequence, &sequence_at);
    ft_put_uint(ctx, STATUS, ft_u16be(pdu), pdu);
    uint16_t association = ft_u16be(pdu);
    ft_put_uint(ctx, ASSOCIATION, association, pdu);
    ft_put_uint(ctx, DATA_OFFSET, ft_u16be(pdu), pdu);
    uint16_t count = ft_u16be(pdu);
    ft_put_uint(ctx, DATA_COUNT, count, pdu);
    struct ft_view data = ft_sub(pdu, count);
    if (!ft_view_ok(pdu))
        return;
    /* Read status answers numbers of associations, not text. */
    bool is_text = operation != READ_STATUS || association;
    if (is_text)
        read_variables(ctx, data, is_response && operation == READ_VARIABLES && !association);
    ft_skip(pdu, pdu->len < (uint32_t)(-count & 3) ? pdu->len : (uint32_t)(-count & 3));
    if (is_mac_length(pdu->len))
        read_mac(ctx, pdu);
    else
        ft_rest(pdu);
}

/* ---- private -------------------------------------------------------------------------------- */

static void read_private(struct ft_context *ctx, uint8_t first, struct ft_view *pdu)
{
    uint8_t second = ft_u8(pdu);
    struct ft_view second_at = *pdu;
    uint8_t implementation = ft_u8(pdu);
    struct ft_view implementation_at = *pdu;
    uint8_t request = ft_u8(pdu);
    struct ft_view request_at = *pdu;
    uint16_t items = ft_u16be(pdu);
    bool is_response = first & 0x80;
    uint64_t key = (uint64_t)PRIVATE << 32 | (uint64_t)(second & 0x7f) << 8 | request;

    ft_set_direction(ctx, is_response ? FT_TO_CLIENT : FT_TO_SERVER);
    ft_set_kind(ctx, !is_response  ? FT_KIND_REQUEST
                     : items >> 12 ? FT_KIND_EXCEPTION
                                   : FT_KIND_RESPONSE);
    ft_command(ctx, PRIVATE, request);
    if (is_response)
        ft_response(ctx, FT_SCOPE_FLOW, key);
    else
        ft_request(ctx, FT_SCOPE_FLOW, key, NULL, 0);
    ft_put_bool(ctx, IS_RESPONSE, is_response, NULL);
    ft_put_bool(ctx, HAS_MORE, first & 0x40, NULL);
    ft_put_bool(ctx, IS_AUTHENTICATED, second & 0x80, &second_at);
    ft_put_uint(ctx, SEQUENCE, second & 0x7f, &second_at);
    ft_put_uint(ctx, IMPLEMENTATION, implementation, &implementation_at);
    ft_put_uint(ctx, REQUEST, request, &request_at);
    ft_put_uint(ctx, ERROR, items >> 12, pdu);
    ft_put_uint(ctx, ITEMS, items & 0xfff, pdu);
    uint16_t size = ft_u16be(pdu) & 0xfff;
    ft_put_uint(ctx, ITEM_SIZE, size, pdu);
    /* Requests are padded with room for a digest, whatever they hold. */
    if (is_response)
        ft_sub(pdu, (uint32_t)(items & 0xfff) * size);
    if (ft_view_ok(pdu))
        ft_rest(pdu);
}

/* ---- all ------------------------------------------------------------------------------------ */

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    uint8_t first = ft_u8(pdu);
    struct ft_view first_at = *pdu;
    uint8_t mode = first & 7, version = first >> 3 & 7;

    if (!ft_view_ok(pdu))
        return;
    if (mode == CONTROL)
        read_control(ctx, pdu);
    else if (mode == PRIVATE)
        read_private(ctx, first, pdu);
    else
        read_message(ctx, mode, first >> 6, pdu);
    ft_put_uint(ctx, VERSION, version, &first_at);
    ft_put_uint(ctx, MODE, mode, &first_at);
    if (version == 0 || version > 4)
        ft_violation(ctx, V_VERSION, &first_at);
}

/* By content only time itself is recognised: a server's answer, or a client's question that is
 * like what clients send. */
static enum ft_verdict probe_content(uint8_t mode, struct ft_view v)
{
    if (v.len != LENGTH && v.len != LENGTH + 20 && v.len != LENGTH + 24)
        return FT_NO;
    ft_skip(&v, 1);
    uint8_t stratum = ft_u8(&v);
    ft_skip(&v, 22); /* behind the low half of the reference time */
    uint64_t origin = ft_u64be(&v);
    uint64_t receive = ft_u64be(&v);
    uint32_t transmit = ft_u32be(&v);
    if (transmit < RECENT_SECONDS)
        return FT_NO;
    if (mode == CLIENT)
        return !origin && !receive ? FT_MAYBE : FT_NO;
    return mode == SERVER && stratum >= 1 && stratum <= 15 && receive >> 32 >= RECENT_SECONDS
               ? FT_YES
               : FT_NO;
}

static enum ft_verdict probe(const struct ft_probe *where, struct ft_view payload)
{
    int first = ft_peek_u8(&payload, 0);
    uint8_t mode = first & 7;
    uint32_t least = mode == CONTROL ? CONTROL_LENGTH : mode == PRIVATE ? PRIVATE_LENGTH : LENGTH;

    if (first < 0)
        return FT_NO;
    if (!where->is_bound)
        return probe_content(mode, payload);
    return payload.len >= least || payload.is_cut ? FT_YES : FT_NO;
}

const struct ft_dissector ft_dissector_ntp = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "ntp",
    .title = "NTP",
    .specification = "RFC 5905, RFC 1305, RFC 4330, RFC 7822, RFC 9327",
    .carried_by = FT_TABLE(carriers),
    .signatures = FT_TABLE(signatures),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .flow_state_size = sizeof(struct flow),
    .channel_size = sizeof(struct clock),
    .probe = probe,
    .dissect = dissect,
};
