/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Spanning tree: the BPDUs by which bridges keep a network free of loops. STP, RSTP, MSTP, SPT,
 * and Cisco's per-VLAN forms (PVST+), which are BPDUs in SNAP with the VLAN behind.
 *
 *    0  2  protocol id           0
 *    2  1  version               0 STP, 2 RSTP, 3 MSTP, 4 SPT
 *    3  1  type                  0 configuration, 2 RST/MST/SPT, 0x80 topology change (ends here)
 *    4  1  flags
 *    5  8  root                  priority (4 bits), system id (12 bits), MAC address
 *   13  4  cost of the path to it
 *   17  8  bridge                as root
 *   25  2  port
 *   27  8  message age, maximum age, hello time, forward delay, in 1/256 s
 *   35  1  version 1 length      0; behind a type 0 only as PVST+'s filler
 *   36  2  version 3 length      MSTP: what follows from here to the end of the last MSTI
 *   38 51  configuration id      selector, region, revision, digest
 *   89  4  internal root cost, 93 8 bridge, 101 1 remaining hops
 *  102 16  for each MSTI: flags, regional root, internal cost, bridge and port priority, hops
 *       2  version 4 length      SPT; then its own configuration id and agreement digest
 *
 * PVST+ has a TLV at 36: type 0, length 2, VLAN.
 *
 * Specification: IEEE 802.1D-2004 clause 9, IEEE 802.1Q-2018 clause 14.
 */
#include "repeated.h"

#include <stdio.h>

enum {
    CONFIGURATION = 0,
    RAPID = 2,
    TOPOLOGY_CHANGE = 0x80,
    VERSION_STP = 0,
    VERSION_RSTP = 2,
    VERSION_MSTP = 3,
    VERSION_SPT = 4,
    CONFIGURATION_LENGTH = 35,
    MST_FIXED = 64, /* from the configuration id to the remaining hops */
    MSTI_LENGTH = 16,
    PVST_FILLER = 36, /* PVST+'s TLV begins here whatever the type */
};

enum flag {
    FLAG_TC = 0x01,
};

/* The qualifier of a command: the version, and whether the topology changes. */
enum {
    CHANGES = 0x100,
};

enum field {
    ROOT = 0,
    PROTOCOL_ID,
    VERSION,
    TYPE,
    FLAGS,
    ROLE,
    ROOT_ID,
    ROOT_PRIORITY,
    ROOT_EXT,
    ROOT_MAC,
    ROOT_COST,
    BRIDGE_ID,
    BRIDGE_PRIORITY,
    BRIDGE_EXT,
    BRIDGE_MAC,
    PORT,
    MESSAGE_AGE,
    MAX_AGE,
    HELLO,
    FORWARD_DELAY,
    PVST_VLAN,
    MST,
    MST_SELECTOR,
    MST_REGION,
    MST_REVISION,
    MST_DIGEST,
    MST_COST,
    MST_PRIORITY,
    MST_EXT,
    MST_MAC,
    MST_HOPS,
    MSTI,
    MSTI_FLAGS,
    MSTI_ROLE,
    MSTI_PRIORITY,
    MSTI_INSTANCE,
    MSTI_MAC,
    MSTI_COST,
    MSTI_BRIDGE_PRIORITY,
    MSTI_PORT_PRIORITY,
    MSTI_HOPS,
    SPT,
};

enum violation {
    V_PROTOCOL_ID = 0,
    V_VERSION_TYPE,
    V_TYPE,
    V_AGE,
    V_TIMERS,
    V_ROOT_CLAIM,
    V_ROOT_CHANGED,
    V_BRIDGE_MAC,
};

/* clang-format off */
static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_LLC, .value = 0x42},
    {.kind = FT_CARRIER_SNAP, .value = 0x00000c010b},
    {.kind = FT_CARRIER_SNAP, .value = 0x00000c010c},
    {.kind = FT_CARRIER_SNAP, .value = 0x0080c2000e},
};

static const struct ft_name version_names[] = {
    {VERSION_STP, "stp"}, {VERSION_RSTP, "rstp"}, {VERSION_MSTP, "mstp"}, {VERSION_SPT, "spt"},
    {0, NULL},
};

static const struct ft_name type_names[] = {
    {CONFIGURATION, "configuration"}, {RAPID, "rapid"}, {TOPOLOGY_CHANGE, "topology_change"},
    {0, NULL},
};

static const struct ft_name flag_names[] = {
    {FLAG_TC, "topology_change"}, {0x02, "proposal"}, {0x10, "learning"}, {0x20, "forwarding"},
    {0x40, "agreement"}, {0x80, "topology_change_ack"}, {0, NULL},
};

static const struct ft_name role_names[] = {
    {0, "master"}, {1, "alternate_or_backup"}, {2, "root"}, {3, "designated"}, {0, NULL},
};

#define ID_FIELDS(group, what)                                                                     \
    {"priority", "Priority of " what, NULL, group, FT_TYPE_UINT, 0, 16},                           \
    {"ext", "VLAN or instance in the id of " what, NULL, group, FT_TYPE_UINT, 0, 12},              \
    {"mac", "MAC address of " what, NULL, group, FT_TYPE_MAC, 0, 0}

static const struct ft_field fields[] = {
    {"stp", "Spanning tree", NULL, 0, FT_TYPE_GROUP, 0, 0},
    {"protocol_id", "Protocol id, 0", NULL, ROOT, FT_TYPE_UINT, 0, 16},
    {"version", "Version", version_names, ROOT, FT_TYPE_ENUM, 0, 8},
    {"type", "Type of the BPDU", type_names, ROOT, FT_TYPE_ENUM, 0, 8},
    {"flags", "Flags", flag_names, ROOT, FT_TYPE_FLAGS, 0, 8},
    {"role", "Role of the sending port", role_names, ROOT, FT_TYPE_ENUM, 0, 2},
    {"root", "Root bridge", NULL, ROOT, FT_TYPE_GROUP, 0, 0},
    ID_FIELDS(ROOT_ID, "the root"),
    {"root_cost", "Cost of the path to the root", NULL, ROOT, FT_TYPE_UINT, 0, 32},
    {"bridge", "Bridge that sends", NULL, ROOT, FT_TYPE_GROUP, 0, 0},
    ID_FIELDS(BRIDGE_ID, "the bridge"),
    {"port", "Port that sends: priority and number", NULL, ROOT, FT_TYPE_UINT, 0, 16},
    {"message_age", "Seconds since the root sent", NULL, ROOT, FT_TYPE_FLOAT, 0, 0},
    {"max_age", "Seconds that a message is kept", NULL, ROOT, FT_TYPE_FLOAT, 0, 0},
    {"hello", "Seconds between messages", NULL, ROOT, FT_TYPE_FLOAT, 0, 0},
    {"forward_delay", "Seconds in listening and in learning", NULL, ROOT, FT_TYPE_FLOAT, 0, 0},
    {"pvst_vlan", "VLAN of the tree (PVST+)", NULL, ROOT, FT_TYPE_UINT, 0, 16},
    {"mst", "Region of multiple spanning trees", NULL, ROOT, FT_TYPE_GROUP, 0, 0},
    {"selector", "Format of the configuration id", NULL, MST, FT_TYPE_UINT, 0, 8},
    {"region", "Name of the region", NULL, MST, FT_TYPE_STRING, 0, 0},
    {"revision", "Revision of the configuration", NULL, MST, FT_TYPE_UINT, 0, 16},
    {"digest", "Digest of the VLANs' assignment", NULL, MST, FT_TYPE_BYTES, 0, 0},
    {"internal_cost", "Cost of the path inside the region", NULL, MST, FT_TYPE_UINT, 0, 32},
    ID_FIELDS(MST, "the bridge in the common tree"),
    {"hops", "Remaining hops", NULL, MST, FT_TYPE_UINT, 0, 8},
    {"msti", "A tree instance", NULL, ROOT, FT_TYPE_GROUP, FT_FIELD_LIST, 0},
    {"flags", "Flags", flag_names, MSTI, FT_TYPE_FLAGS, 0, 8},
    {"role", "Role of the sending port", role_names, MSTI, FT_TYPE_ENUM, 0, 2},
    {"priority", "Priority of the regional root", NULL, MSTI, FT_TYPE_UINT, 0, 16},
    {"instance", "Number of the instance", NULL, MSTI, FT_TYPE_UINT, 0, 12},
    {"mac", "MAC address of the regional root", NULL, MSTI, FT_TYPE_MAC, 0, 0},
    {"internal_cost", "Cost of the path inside the region", NULL, MSTI, FT_TYPE_UINT, 0, 32},
    {"bridge_priority", "Priority of the bridge", NULL, MSTI, FT_TYPE_UINT, 0, 16},
    {"port_priority", "Priority of the port", NULL, MSTI, FT_TYPE_UINT, 0, 8},
    {"hops", "Remaining hops", NULL, MSTI, FT_TYPE_UINT, 0, 8},
    {"spt", "Shortest path trees: configuration id and agreement", NULL, ROOT, FT_TYPE_BYTES, 0, 0},
};

#define COMMAND(type, qualifier, name, class) {type, qualifier, name, FT_CLASS_##class, {0}, NULL}

static const struct ft_command commands[] = {
    COMMAND(CONFIGURATION, CHANGES, "configuration_topology_change", EVENT),
    COMMAND(CONFIGURATION, FT_ANY_QUALIFIER, "configuration", DATA),
    COMMAND(RAPID, VERSION_MSTP, "mstp", DATA),
    COMMAND(RAPID, VERSION_MSTP | CHANGES, "mstp_topology_change", EVENT),
    COMMAND(RAPID, VERSION_SPT, "spt", DATA),
    COMMAND(RAPID, VERSION_SPT | CHANGES, "spt_topology_change", EVENT),
    COMMAND(RAPID, VERSION_RSTP | CHANGES, "rstp_topology_change", EVENT),
    COMMAND(RAPID, FT_ANY_QUALIFIER, "rstp", DATA),
    COMMAND(TOPOLOGY_CHANGE, FT_ANY_QUALIFIER, "topology_change", EVENT),
};

#define VIOLATION(name, title, mitre, severity, engine)                                            \
    {name, title, NULL, "Abnormal Communication Behavior", mitre, FT_SEVERITY_##severity,          \
     FT_ENGINE_##engine, 0, {0}}

static const struct ft_violation violations[] = {
    VIOLATION("protocol_id", "Spanning tree message of another protocol", NULL, WARNING, PROTOCOL),
    VIOLATION("version_type", "Spanning tree message whose version does not have its type", "T0814",
              MINOR, PROTOCOL),
    VIOLATION("type", "Spanning tree message of an unknown type", NULL, WARNING, PROTOCOL),
    VIOLATION("message_age", "Spanning tree message that is too old to be valid", "T0814", MINOR,
              PROTOCOL),
    VIOLATION("timers", "Spanning tree timers outside what the standard allows", "T0814", MINOR,
              PROTOCOL),
    VIOLATION("root_claim", "A bridge claims to be the root in place of a better known one",
              "T0830", MAJOR, ANOMALY),
    VIOLATION("root_changed", "Root bridge of the spanning tree changed", "T0830", MINOR,
              OPERATIONAL),
    VIOLATION("bridge_mac", "Spanning tree bridge with an address that no bridge can have", "T0830",
              MINOR, PROTOCOL),
};
/* clang-format on */

_Static_assert(sizeof(fields) / sizeof(fields[0]) == SPT + 1, "one row a field");
_Static_assert(sizeof(violations) / sizeof(violations[0]) == V_BRIDGE_MAC + 1,
               "one row a violation");

/* What is known of a sender in one tree. */
struct tree {
    struct repeated repeated;
    uint64_t root; /* 0: none was announced yet */
};

/* The numbers of a configuration message that checks and facts need. */
struct bpdu {
    uint64_t root, bridge;
    uint16_t port, message_age, max_age, hello, forward_delay;
    struct ft_view region;
};

/* ---- reading -------------------------------------------------------------------------------- */

static double seconds(uint16_t timer)
{
    return timer / 256.0;
}

/* A bridge id; `first` is the field of its priority, two more follow. */
static uint64_t put_id(struct ft_context *ctx, uint32_t first, struct ft_view *v)
{
    uint16_t priority = ft_u16be(v);
    ft_put_uint(ctx, first, priority & 0xf000u, v);
    ft_put_uint(ctx, first + 1, priority & 0x0fffu, v);
    struct ft_view mac = ft_sub(v, 6), bytes = mac;
    ft_put_bytes(ctx, first + 2, mac);
    return (uint64_t)priority << 48 | ft_u48be(&bytes);
}

static uint16_t put_timer(struct ft_context *ctx, uint32_t field, struct ft_view *v)
{
    uint16_t timer = ft_u16be(v);
    if (ft_wants(ctx, field))
        ft_put_float(ctx, field, seconds(timer), v);
    return timer;
}

static void put_flags(struct ft_context *ctx, uint32_t field, uint32_t role, bool has_role,
                      struct ft_view *v)
{
    uint8_t flags = ft_u8(v);
    ft_put_uint(ctx, field, flags & 0xf3u, v);
    if (has_role)
        ft_put_uint(ctx, role, flags >> 2 & 3, v);
}

static void read_configuration(struct ft_context *ctx, bool has_role, struct bpdu *b,
                               struct ft_view *v)
{
    put_flags(ctx, FLAGS, ROLE, has_role, v);
    b->root = put_id(ctx, ROOT_PRIORITY, v);
    ft_put_uint(ctx, ROOT_COST, ft_u32be(v), v);
    b->bridge = put_id(ctx, BRIDGE_PRIORITY, v);
    b->port = ft_u16be(v);
    ft_put_uint(ctx, PORT, b->port, v);
    b->message_age = put_timer(ctx, MESSAGE_AGE, v);
    b->max_age = put_timer(ctx, MAX_AGE, v);
    b->hello = put_timer(ctx, HELLO, v);
    b->forward_delay = put_timer(ctx, FORWARD_DELAY, v);
}

static void read_instance(struct ft_context *ctx, struct ft_view *v)
{
    ft_group_begin(ctx, MSTI);
    put_flags(ctx, MSTI_FLAGS, MSTI_ROLE, true, v);
    put_id(ctx, MSTI_PRIORITY, v);
    ft_put_uint(ctx, MSTI_COST, ft_u32be(v), v);
    ft_put_uint(ctx, MSTI_BRIDGE_PRIORITY, (ft_u8(v) & 0xf0u) << 8, v);
    ft_put_uint(ctx, MSTI_PORT_PRIORITY, ft_u8(v) & 0xf0u, v);
    ft_put_uint(ctx, MSTI_HOPS, ft_u8(v), v);
    ft_group_end(ctx, MSTI);
}

static void read_region(struct ft_context *ctx, struct bpdu *b, struct ft_view *v)
{
    ft_group_begin(ctx, MST);
    ft_put_uint(ctx, MST_SELECTOR, ft_u8(v), v);
    b->region = ft_sub(v, 32);
    ft_put_string(ctx, MST_REGION, b->region);
    ft_put_uint(ctx, MST_REVISION, ft_u16be(v), v);
    ft_put_bytes(ctx, MST_DIGEST, ft_sub(v, 16));
    ft_put_uint(ctx, MST_COST, ft_u32be(v), v);
    put_id(ctx, MST_PRIORITY, v);
    ft_put_uint(ctx, MST_HOPS, ft_u8(v), v);
    ft_group_end(ctx, MST);
}

/*
 * The version 3 length counts what is behind it. Before the standard was ready some bridges left it
 * 0 and yet sent instances; then all that is there is taken.
 */
static void read_trees(struct ft_context *ctx, uint8_t version, struct bpdu *b, struct ft_view *v)
{
    uint16_t length = ft_u16be(v);
    if (length == 0 && version == VERSION_MSTP)
        length = (uint16_t)(v->len < UINT16_MAX ? v->len : UINT16_MAX);
    struct ft_view trees = ft_sub(v, length);
    if (length) {
        read_region(ctx, b, &trees);
        while (ft_view_ok(&trees) && trees.len >= MSTI_LENGTH)
            read_instance(ctx, &trees);
    }
    if (ft_view_is_malformed(&trees))
        ft_violation(ctx, FT_VIOLATION_MALFORMED, &trees);
    if (version == VERSION_SPT && v->len >= 2)
        ft_put_bytes(ctx, SPT, ft_sub_u16be(v));
}

/* PVST+: what stands behind an ordinary message; -1 when there is nothing of the kind. */
static int32_t peek_vlan(const struct ft_view *pdu)
{
    return ft_peek_u16be(pdu, PVST_FILLER) == 0 && ft_peek_u16be(pdu, PVST_FILLER + 2) == 2
               ? ft_peek_u16be(pdu, PVST_FILLER + 4)
               : -1;
}

/* ---- what can be wrong ---------------------------------------------------------------------- */

static bool is_within(uint16_t timer, uint32_t least, uint32_t most)
{
    return timer >= least * 256 && timer <= most * 256;
}

/*
 * IEEE 802.1D-2004, 17.14: the ranges, and how the timers hang together. The bridges of virtual
 * machines forward after 2 s, below the range.
 */
static bool are_timers_sound(const struct bpdu *b)
{
    bool is_slow = is_within(b->forward_delay, 4, 30) && 2 * (b->forward_delay - 256) >= b->max_age;
    return is_within(b->hello, 1, 10) && is_within(b->max_age, 6, 40) &&
           (is_slow || b->forward_delay == 2 * 256);
}

static bool is_group(uint64_t id)
{
    return id >> 40 & 1;
}

static void check(struct ft_context *ctx, const struct bpdu *b)
{
    if (b->message_age >= b->max_age)
        ft_violation(ctx, V_AGE, NULL);
    if (!are_timers_sound(b))
        ft_violation(ctx, V_TIMERS, NULL);
    if (is_group(b->bridge) || !(b->bridge & 0xffffffffffff))
        ft_violation(ctx, V_BRIDGE_MAC, NULL);
}

/* The lower id is the better root. A bridge that starts claims to be root until it hears another.
 */
static void check_root(struct ft_context *ctx, struct tree *t, const struct bpdu *b)
{
    uint64_t before = t->root;
    t->root = b->root;
    if (!before || before == b->root)
        return;
    ft_violation(ctx, b->root == b->bridge && b->root < before ? V_ROOT_CLAIM : V_ROOT_CHANGED,
                 NULL);
}

/* ---- what it says of the sender ------------------------------------------------------------- */

static void tell(struct ft_context *ctx, const struct bpdu *b)
{
    char text[160], region[33] = "";
    struct ft_view v = b->region;
    for (unsigned i = 0; i < 32 && ft_peek_u8(&v, 0) > 0; i++)
        region[i] = (char)ft_u8(&v);
    snprintf(text, sizeof(text), "bridge %u.%u.%02x:%02x:%02x:%02x:%02x:%02x, port %u%s%s",
             (unsigned)(b->bridge >> 48 & 0xf000), (unsigned)(b->bridge >> 48 & 0xfff),
             (unsigned)(b->bridge >> 40 & 0xff), (unsigned)(b->bridge >> 32 & 0xff),
             (unsigned)(b->bridge >> 24 & 0xff), (unsigned)(b->bridge >> 16 & 0xff),
             (unsigned)(b->bridge >> 8 & 0xff), (unsigned)(b->bridge & 0xff), b->port & 0xfffu,
             *region ? ", region " : "", region);
    ft_asset_text(ctx, FT_SENDER, FT_FACT_DESCRIPTION, text);
}

/* ---- the whole ------------------------------------------------------------------------------ */

static uint32_t qualifier_of(uint8_t version, uint8_t type, int flags)
{
    uint32_t changes = flags > 0 && flags & FLAG_TC ? CHANGES : 0;
    if (type == TOPOLOGY_CHANGE)
        return 0;
    return changes | (type == RAPID ? version : 0u);
}

static void read_tail(struct ft_context *ctx, uint8_t version, uint8_t type, int32_t vlan,
                      struct bpdu *b, struct ft_view *pdu)
{
    if (vlan >= 0) {
        ft_skip(pdu, 1 + 4);
        ft_put_uint(ctx, PVST_VLAN, ft_u16be(pdu), pdu);
    } else if (type == RAPID) {
        ft_skip(pdu, 1);
        if (version >= VERSION_MSTP)
            read_trees(ctx, version, b, pdu);
    }
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    struct ft_view all = *pdu;
    int version = ft_peek_u8(pdu, 2), type = ft_peek_u8(pdu, 3);
    int32_t vlan = type == TOPOLOGY_CHANGE ? -1 : peek_vlan(pdu);
    if (vlan >= 0 && version >= VERSION_MSTP)
        vlan = -1; /* there it is the version 3 length and the start of the region */
    if (type >= 0)
        ft_command(ctx, (uint32_t)type,
                   qualifier_of((uint8_t)version, (uint8_t)type, ft_peek_u8(pdu, 4)));
    uint16_t protocol = ft_u16be(pdu);
    ft_put_uint(ctx, PROTOCOL_ID, protocol, pdu);
    ft_put_uint(ctx, VERSION, ft_u8(pdu), pdu);
    ft_put_uint(ctx, TYPE, ft_u8(pdu), pdu);
    if (!ft_view_ok(pdu))
        return;
    if (protocol) {
        ft_violation(ctx, V_PROTOCOL_ID, &all);
        return;
    }
    if (type != CONFIGURATION && type != RAPID) {
        if (type != TOPOLOGY_CHANGE)
            ft_violation(ctx, V_TYPE, pdu);
        return;
    }
    struct bpdu b = {.region = ft_view_empty()};
    read_configuration(ctx, type == RAPID, &b, pdu);
    read_tail(ctx, (uint8_t)version, (uint8_t)type, vlan, &b, pdu);
    if (!ft_view_ok(pdu))
        return;
    struct tree *t = ft_channel(ctx, FT_SCOPE_FLOW, vlan >= 0 ? (uint64_t)vlan + 1 : 0);
    if (!t || is_repeated(&t->repeated, ctx->time_ns, all))
        return;
    if ((type == RAPID) != (version >= VERSION_RSTP))
        ft_violation(ctx, V_VERSION_TYPE, NULL);
    check(ctx, &b);
    check_root(ctx, t, &b);
    ft_asset_role(ctx, FT_SENDER, FT_ROLE_SWITCH);
    if (vlan < 0)
        tell(ctx, &b);
}

const struct ft_dissector ft_dissector_stp = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "stp",
    .title = "STP, RSTP, MSTP",
    .specification = "IEEE 802.1D-2004, IEEE 802.1Q-2018",
    .carried_by = FT_TABLE(carriers),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .max_pdu = 2048,
    .channel_size = sizeof(struct tree),
    .flags = FT_DISSECTOR_CYCLIC | FT_DISSECTOR_UNANSWERED,
    .dissect = dissect,
};
