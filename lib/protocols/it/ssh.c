/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SSH: identification and key exchange, which are in clear; from NEWKEYS on a direction is opaque.
 *
 *   identification: "SSH-" version "-" software [" " comments] CR LF, at most 255 bytes; a server
 * may send other lines before it packet (2.0):   length4 padding1, message number 1, message,
 * padding packet (1.x):   length4, 1..8 bytes of padding, type 1, message, check 4
 *
 * The client's identification is the request, the server's host key its answer; the answer repeats
 * what both said of themselves, so that one transaction tells of the connection, as in EVE.
 *
 * Specification: RFC 4253, 4250, 4419, 5656; draft-ylonen-ssh-protocol-00 (SSH 1);
 * salesforce/hassh.
 */
#include <fieldtap/dissector.h>
#include <fieldtap/wire.h>

enum {
    LINE_MAX_LEGAL = 255,
    LINE_MAX = 2048,
    PACKET_MAX = 35000,
    LISTS = 10,
    NAMES_KEPT = 90,
    KEY = 0,   /* of requests, and of the channel for what both sides said */
    NAMES = 1, /* of the channel for the algorithms of who was first */
};

/* Message numbers, and codes of our own beyond them. */
enum {
    MSG_DISCONNECT = 1,
    MSG_IGNORE = 2,
    MSG_DEBUG = 4,
    MSG_KEXINIT = 20,
    MSG_NEWKEYS = 21,
    MSG_KEX_INIT = 30,
    MSG_KEX_REPLY = 31,
    MSG_GEX_INIT = 32,
    MSG_GEX_REPLY = 33,
    MSG_GEX_REQUEST = 34,
    MSG_USERAUTH_SUCCESS = 52,
    CODE_IDENTIFICATION = 0x100,
    CODE_SSH1 = 0x200,
    SSH1_PUBLIC_KEY = 2,
    SSH1_SESSION_KEY = 3,
};

/* Name lists of KEXINIT, in their order. */
enum list {
    LIST_KEX,
    LIST_HOST_KEY,
    LIST_CIPHER,
    LIST_CIPHER_BACK,
    LIST_MAC,
    LIST_MAC_BACK,
    LIST_COMPRESSION,
    LIST_COMPRESSION_BACK,
    LIST_LANGUAGE,
    LIST_LANGUAGE_BACK,
};

/* Fields of a side, from CLIENT or SERVER on. */
enum side_field {
    SIDE_GROUP,
    SIDE_PROTO,
    SIDE_SOFTWARE,
    SIDE_COMMENTS,
    SIDE_HASSH,
    SIDE_HASSH_HASH,
    SIDE_HASSH_STRING,
    SIDE_KEX,
    SIDE_HOST_KEYS,
    SIDE_CIPHERS,
    SIDE_MACS,
    SIDE_COMPRESSIONS,
    SIDE_FIELDS,
};

enum field {
    ROOT,
    MESSAGE,
    CLIENT,
    SERVER = CLIENT + SIDE_FIELDS,
    KEX = SERVER + SIDE_FIELDS,
    HOST_KEY_ALGORITHM,
    CIPHER,
    MAC,
    COMPRESSION,
    HOST_KEY_SHA256,
    HOST_KEY_BITS,
    REASON,
    FIELDS,
};

enum violation {
    V_LINE,
    V_LENGTH,
    V_LIST,
    V_NEWKEYS,
    V_EXTRA,
    V_VERSION_1,
    V_WEAK,
    V_CLIENT_SUCCESS,
    VIOLATIONS,
};

/* One direction of a flow. */
struct half {
    uint8_t has_line, has_kexinit, is_encrypted;
    uint8_t is_ssh1; /* by its identification */
};

struct flow {
    struct half halves[2]; /* of the client, of the server */
    uint8_t is_waiting;    /* the client's identification has no answer yet */
};

/* What a side said of itself. */
struct side {
    char line[77]; /* identification behind "SSH-" */
    uint8_t length, has_hassh;
    uint8_t hassh[16];
};

struct sides {
    struct side of[2];
};

/* Hashes of the names that the first side offers: to say what the two agree on. */
struct names {
    uint8_t is_of_server, count[5];
    uint16_t hash[NAMES_KEPT];
};

_Static_assert(sizeof(struct flow) <= FT_MAX_FLOW_STATE, "flow state");
_Static_assert(sizeof(struct sides) <= FT_MAX_CHANNEL_STATE, "channel state");
_Static_assert(sizeof(struct names) <= FT_MAX_CHANNEL_STATE, "channel state");

/* clang-format off */
static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_TCP, .value = 22},
    {.kind = FT_CARRIER_TCP, .value = FT_ANY_SELECTOR},
};

static const struct ft_signature signatures[] = {
    {"^SSH-(2\\.0|1\\.[0-9]+)-", FT_SIGNATURE_TCP, 0},
};

static const struct ft_name messages[] = {
    {1, "disconnect"},
    {2, "ignore"},
    {3, "unimplemented"},
    {4, "debug"},
    {5, "service_request"},
    {6, "service_accept"},
    {7, "ext_info"},
    {8, "newcompress"},
    {20, "kexinit"},
    {21, "newkeys"},
    {30, "kex_init"},
    {31, "kex_reply"},
    {32, "gex_init"},
    {33, "gex_reply"},
    {34, "gex_request"},
    {50, "userauth_request"},
    {51, "userauth_failure"},
    {52, "userauth_success"},
    {53, "userauth_banner"},
    {CODE_IDENTIFICATION, "identification"},
    {CODE_SSH1 + SSH1_PUBLIC_KEY, "ssh1_public_key"},
    {CODE_SSH1 + SSH1_SESSION_KEY, "ssh1_session_key"},
    {0, NULL},
};

static const struct ft_name reasons[] = {
    {1, "host_not_allowed_to_connect"},
    {2, "protocol_error"},
    {3, "key_exchange_failed"},
    {4, "reserved"},
    {5, "mac_error"},
    {6, "compression_error"},
    {7, "service_not_available"},
    {8, "protocol_version_not_supported"},
    {9, "host_key_not_verifiable"},
    {10, "connection_lost"},
    {11, "by_application"},
    {12, "too_many_connections"},
    {13, "auth_cancelled_by_user"},
    {14, "no_more_auth_methods_available"},
    {15, "illegal_user_name"},
    {0, NULL},
};

#define SIDE_ROWS(side, name, title) \
    [side] = {name, title, NULL, ROOT, FT_TYPE_GROUP, 0, 0}, \
    [side + SIDE_PROTO] = {"proto_version", "Version of the protocol", NULL, side, FT_TYPE_STRING, 0, 0}, \
    [side + SIDE_SOFTWARE] = {"software_version", "Software", NULL, side, FT_TYPE_STRING, 0, 0}, \
    [side + SIDE_COMMENTS] = {"comments", "Comments, mostly the distribution", NULL, side, FT_TYPE_STRING, 0, 0}, \
    [side + SIDE_HASSH] = {"hassh", "Fingerprint of the software", NULL, side, FT_TYPE_GROUP, 0, 0}, \
    [side + SIDE_HASSH_HASH] = {"hash", "MD5 of the text", NULL, side + SIDE_HASSH, FT_TYPE_STRING, 0, 0}, \
    [side + SIDE_HASSH_STRING] = {"string", "Key exchanges, ciphers, MACs, compressions", NULL, side + SIDE_HASSH, FT_TYPE_STRING, 0, 0}, \
    [side + SIDE_KEX] = {"kex", "Key exchanges offered", NULL, side, FT_TYPE_STRING, FT_FIELD_LIST, 0}, \
    [side + SIDE_HOST_KEYS] = {"hostkey_algs", "Kinds of host key offered", NULL, side, FT_TYPE_STRING, FT_FIELD_LIST, 0}, \
    [side + SIDE_CIPHERS] = {"ciphers", "Ciphers offered for what it sends", NULL, side, FT_TYPE_STRING, FT_FIELD_LIST, 0}, \
    [side + SIDE_MACS] = {"macs", "MACs offered for what it sends", NULL, side, FT_TYPE_STRING, FT_FIELD_LIST, 0}, \
    [side + SIDE_COMPRESSIONS] = {"compressions", "Compressions offered for what it sends", NULL, side, FT_TYPE_STRING, FT_FIELD_LIST, 0}

static const struct ft_field fields[] = {
    [ROOT] = {"ssh", "SSH", NULL, 0, FT_TYPE_GROUP, 0, 0},
    [MESSAGE] = {"message", "Message", messages, ROOT, FT_TYPE_ENUM, 0, 11},
    SIDE_ROWS(CLIENT, "client", "What the client says of itself"),
    SIDE_ROWS(SERVER, "server", "What the server says of itself"),
    [KEX] = {"kex", "Key exchange agreed on", NULL, ROOT, FT_TYPE_STRING, 0, 0},
    [HOST_KEY_ALGORITHM] = {"hostkey_alg", "Kind of the host key", NULL, ROOT, FT_TYPE_STRING, 0, 0},
    [CIPHER] = {"cipher", "Cipher agreed on, client to server", NULL, ROOT, FT_TYPE_STRING, 0, 0},
    [MAC] = {"mac", "MAC agreed on, client to server", NULL, ROOT, FT_TYPE_STRING, 0, 0},
    [COMPRESSION] = {"compression", "Compression agreed on, client to server", NULL, ROOT, FT_TYPE_STRING, 0, 0},
    [HOST_KEY_SHA256] = {"hostkey_sha256", "SHA-256 of the server's host key", NULL, ROOT, FT_TYPE_BYTES, 0, 0},
    [HOST_KEY_BITS] = {"hostkey_bits", "SSH 1: bits of the server's host key", NULL, ROOT, FT_TYPE_UINT, 0, 32},
    [REASON] = {"reason", "Why the connection ends", reasons, ROOT, FT_TYPE_ENUM, 0, 32},
};

#define COMMAND(code, name, class) {(code), FT_ANY_QUALIFIER, (name), FT_CLASS_##class, {0}, NULL}

static const struct ft_command commands[] = {
    COMMAND(CODE_IDENTIFICATION, "identification", SESSION),
    COMMAND(1, "disconnect", SESSION),
    COMMAND(2, "ignore", SESSION),
    COMMAND(3, "unimplemented", SESSION),
    COMMAND(4, "debug", SESSION),
    COMMAND(5, "service_request", SESSION),
    COMMAND(6, "service_accept", SESSION),
    COMMAND(7, "ext_info", SESSION),
    COMMAND(8, "newcompress", SESSION),
    COMMAND(20, "kexinit", SESSION),
    COMMAND(21, "newkeys", SESSION),
    COMMAND(30, "kex_init", SESSION),
    COMMAND(31, "kex_reply", SESSION),
    COMMAND(32, "gex_init", SESSION),
    COMMAND(33, "gex_reply", SESSION),
    COMMAND(34, "gex_request", SESSION),
    COMMAND(50, "userauth_request", AUTH),
    COMMAND(51, "userauth_failure", AUTH),
    COMMAND(52, "userauth_success", AUTH),
    COMMAND(53, "userauth_banner", AUTH),
    COMMAND(CODE_SSH1 + SSH1_PUBLIC_KEY, "ssh1_public_key", SESSION),
    COMMAND(CODE_SSH1 + SSH1_SESSION_KEY, "ssh1_session_key", SESSION),
};

#define EVENT(name, title, mitre, severity, engine) \
    {(name), (title), NULL, NULL, (mitre), FT_SEVERITY_##severity, FT_ENGINE_##engine, 0, {0}}

static const struct ft_violation violations[] = {
    [V_LINE] = EVENT("identification", "SSH identification longer than 255 bytes or with a NUL",
                     "T0866", MINOR, PROTOCOL),
    [V_LENGTH] = EVENT("packet_length", "SSH packet with an impossible length", "T0866", MINOR, PROTOCOL),
    [V_LIST] = EVENT("name_list", "SSH list of algorithms longer than the message", "T0866", MINOR, PROTOCOL),
    [V_NEWKEYS] = EVENT("newkeys_order", "SSH keys changed before they were exchanged", "T0866", MAJOR, PROTOCOL),
    [V_EXTRA] = EVENT("extra_message", "Needless message within an SSH key exchange, as Terrapin needs it",
                      "T0830", MINOR, ANOMALY),
    [V_VERSION_1] = EVENT("version_1", "Outdated version 1 of SSH in use", "T0830", WARNING, POLICY),
    [V_WEAK] = EVENT("weak_algorithm", "Weak key exchange, cipher or MAC of SSH in use", "T0830", WARNING, POLICY),
    [V_CLIENT_SUCCESS] = {"client_says_success", "SSH client that declares its own login to be done (libssh)",
                          NULL, NULL, "T0866", FT_SEVERITY_CRITICAL, FT_ENGINE_MALWARE, FT_ALERT_EACH, {0}},
};
/* clang-format on */

_Static_assert(sizeof(fields) / sizeof(fields[0]) == FIELDS, "one row a field");
_Static_assert(sizeof(violations) / sizeof(violations[0]) == VIOLATIONS, "one row a violation");

/* ---- recognition and framing ---------------------------------------------------------------- */

/* Bytes up to and with the next line feed, 0 = none within `max`. */
static uint32_t line_length(const struct ft_view *v, uint32_t max)
{
    uint32_t n = v->len < max ? v->len : max;
    const uint8_t *end = memchr(v->data, '\n', n);

    return end ? (uint32_t)(end - v->data) + 1 : 0;
}

static bool is_text(const struct ft_view *v)
{
    for (uint32_t i = 0; i < v->len && i < 64; i++)
        if (v->data[i] < ' ' && v->data[i] != '\r' && v->data[i] != '\n' && v->data[i] != '\t')
            return false;
    return v->len != 0;
}

static bool begins_line(const struct ft_view *v)
{
    return ft_view_starts(v, "SSH-2.0-", 8) ||
           (ft_view_starts(v, "SSH-1.", 6) && ft_peek_u8(v, 6) >= '0' && ft_peek_u8(v, 6) <= '9');
}

/* A packet in clear whose message can be in a key exchange. */
static bool is_packet(const struct ft_view *v)
{
    int64_t length = ft_peek_u32be(v, 0);
    int padding = ft_peek_u8(v, 4), message = ft_peek_u8(v, 5);

    return length >= 8 && length <= PACKET_MAX && (length + 4) % 8 == 0 && padding >= 4 &&
           padding < length - 1 &&
           (message == MSG_KEXINIT || message == MSG_NEWKEYS ||
            (message >= MSG_KEX_INIT && message <= MSG_GEX_REQUEST));
}

static enum ft_verdict probe(const struct ft_probe *where, struct ft_view v)
{
    if (begins_line(&v))
        return FT_YES;
    if (v.len < 8 && memcmp(v.data, "SSH-2.0-", v.len) == 0)
        return FT_MAYBE;
    if (!where->is_bound)
        return FT_NO;
    if (is_packet(&v))
        return FT_YES;
    /* A server may greet before it says who it is. */
    return !where->is_to_server && is_text(&v) ? FT_MAYBE : FT_NO;
}

static unsigned half_index(const struct ft_context *ctx)
{
    return ctx->direction == FT_TO_CLIENT;
}

static struct ft_frame frame_line(struct ft_view *v)
{
    uint32_t n = line_length(v, LINE_MAX);

    if (!begins_line(v) && !is_text(v))
        return ft_frame(FT_FRAME_NOT_MINE, 0);
    if (n)
        return ft_frame(FT_FRAME_PDU, n);
    if (v->len >= LINE_MAX)
        return ft_frame(FT_FRAME_NOT_MINE, 0);
    return ft_frame(FT_FRAME_DELIMITER, v->len);
}

/* Version 1 is spoken when either side knows no other. */
static bool is_ssh1(const struct flow *flow)
{
    return flow->halves[0].is_ssh1 || flow->halves[1].is_ssh1;
}

static struct ft_frame frame(struct ft_context *ctx, struct ft_view stream)
{
    const struct flow *flow = ctx->flow_state;
    const struct half *half = &flow->halves[half_index(ctx)];

    if (half->is_encrypted)
        return ft_frame(FT_FRAME_OPAQUE, 0);
    if (!half->has_line && !is_packet(&stream))
        return frame_line(&stream);
    if (stream.len < 6)
        return ft_frame(FT_FRAME_NEED, 6);
    uint32_t length = (uint32_t)ft_peek_u32be(&stream, 0);
    if (is_ssh1(flow))
        return length < 5 || length > 262144 ? ft_frame(FT_FRAME_OPAQUE, 0)
                                             : ft_frame(FT_FRAME_PDU, 4 + 8 - length % 8 + length);
    /* Encrypted from here, though nobody saw NEWKEYS; or nonsense, which goes no further. */
    if (length < 5 || length > PACKET_MAX)
        return half->has_kexinit ? ft_frame(FT_FRAME_OPAQUE, 0)
                                 : ft_frame(FT_FRAME_PDU, stream.len);
    return ft_frame(FT_FRAME_PDU, 4 + length);
}

/* ---- both sides ----------------------------------------------------------------------------- */

static uint32_t fields_of(unsigned index)
{
    return index ? SERVER : CLIENT;
}

static void put_text(struct ft_context *ctx, uint32_t field, const char *text, uint32_t length)
{
    if (length)
        ft_put_text(ctx, field, text, length, NULL);
}

/* "2.0-OpenSSH_9.2p1 Debian-2": version, software, comments. */
static void put_line(struct ft_context *ctx, uint32_t field, const char *line, uint32_t length)
{
    const char *dash = memchr(line, '-', length);
    uint32_t version = dash ? (uint32_t)(dash - line) : length;
    const char *software = line + (dash ? version + 1 : version);
    uint32_t rest = length - (uint32_t)(software - line);
    const char *blank = memchr(software, ' ', rest);
    uint32_t name = blank ? (uint32_t)(blank - software) : rest;

    put_text(ctx, field + SIDE_PROTO, line, version);
    put_text(ctx, field + SIDE_SOFTWARE, software, name);
    if (blank)
        put_text(ctx, field + SIDE_COMMENTS, blank + 1, rest - name - 1);
}

static void put_hash(struct ft_context *ctx, uint32_t field, const uint8_t hash[16])
{
    char text[33];

    if (!ft_wants(ctx, field))
        return;
    ft_hex(text, hash, 16);
    ft_put_text(ctx, field, text, 32, NULL);
}

/* What both said, once more: in the answer. */
static void put_sides(struct ft_context *ctx)
{
    const struct sides *sides = ft_channel_find(ctx, FT_SCOPE_FLOW, KEY);

    for (unsigned i = 0; sides && i < 2; i++) {
        const struct side *side = &sides->of[i];
        if (side->length)
            put_line(ctx, fields_of(i), side->line, side->length);
        if (side->has_hassh)
            put_hash(ctx, fields_of(i) + SIDE_HASSH_HASH, side->hassh);
        ft_group_end(ctx, fields_of(i));
    }
}

/* Where what a side says is kept for the answer; NULL when nobody wants it of either: which of them
 * is the client may turn out later to have been the other. */
static struct side *side_of(struct ft_context *ctx, unsigned index)
{
    if (!ft_wants(ctx, CLIENT) && !ft_wants(ctx, SERVER))
        return NULL;
    struct sides *sides = ft_channel(ctx, FT_SCOPE_FLOW, KEY);
    return sides ? &sides->of[index] : NULL;
}

/* ---- identification ------------------------------------------------------------------------- */

/* What software, or the comments behind it, tell of the machine. */
static const struct {
    const char *part;
    const char *vendor, *os;
} systems[] = {
    {"OpenSSH_for_Windows", "Microsoft", "Windows"},
    {"Ubuntu", NULL, "Ubuntu Linux"},
    {"Raspbian", NULL, "Raspbian Linux"},
    {"Debian", NULL, "Debian Linux"},
    {"FreeBSD", NULL, "FreeBSD"},
    {"NetBSD", NULL, "NetBSD"},
    {"Sun_SSH", "Oracle", "Solaris"},
    {"IPSSH-", NULL, "VxWorks"},
    {"ROSSSH", "MikroTik", "RouterOS"},
    {"Cisco-", "Cisco", "IOS"},
    {"CISCO_WLC", "Cisco", NULL},
    {"HUAWEI", "Huawei", NULL},
    {"Comware", "H3C", "Comware"},
    {"NetScreen", "Juniper", "ScreenOS"},
    {"FortiSSH", "Fortinet", "FortiOS"},
    {"Zyxel", "Zyxel", NULL},
    {"lancom", "LANCOM", "LCOS"},
    {"Data ONTAP", "NetApp", "Data ONTAP"},
    {"Moxa", "Moxa", NULL},
    {"RuggedCom", "RuggedCom", NULL},
    {"ARRIS", "ARRIS", NULL},
};

static void tell_facts(struct ft_context *ctx, const char *line, uint32_t length)
{
    for (unsigned i = 0; i < sizeof(systems) / sizeof(systems[0]); i++) {
        if (!memmem(line, length, systems[i].part, strlen(systems[i].part)))
            continue;
        if (systems[i].vendor)
            ft_asset_text(ctx, FT_SENDER, FT_FACT_VENDOR, systems[i].vendor);
        if (systems[i].os)
            ft_asset_text(ctx, FT_SENDER, FT_FACT_OS, systems[i].os);
        return;
    }
}

/* The client's is a request; the server's is a step. */
static void begin_line(struct ft_context *ctx, struct flow *flow, unsigned index)
{
    if (index == 0)
        ft_set_kind(ctx, FT_KIND_REQUEST);
    ft_command(ctx, CODE_IDENTIFICATION, FT_ANY_QUALIFIER);
    ft_put_uint(ctx, MESSAGE, CODE_IDENTIFICATION, NULL);
    if (index == 0) {
        ft_request(ctx, FT_SCOPE_FLOW, KEY, NULL, 0);
        flow->is_waiting = true;
    }
}

static void read_line(struct ft_context *ctx, struct ft_view *pdu)
{
    struct flow *flow = ctx->flow_state;
    unsigned index = half_index(ctx);
    uint32_t whole = pdu->len;

    if (!begins_line(pdu)) { /* a greeting */
        ft_rest(pdu);
        return;
    }
    flow->halves[index].has_line = true;
    flow->halves[index].is_ssh1 =
        ft_view_starts(pdu, "SSH-1.", 6) && !ft_view_starts(pdu, "SSH-1.99-", 9);
    begin_line(ctx, flow, index);
    ft_skip(pdu, 4);
    struct ft_view line = ft_rest(pdu);
    while (line.len && (line.data[line.len - 1] == '\n' || line.data[line.len - 1] == '\r'))
        line.len--;
    if (whole > LINE_MAX_LEGAL || memchr(line.data, 0, line.len))
        ft_violation(ctx, V_LINE, pdu);
    if (flow->halves[index].is_ssh1)
        ft_violation(ctx, V_VERSION_1, pdu);
    put_line(ctx, fields_of(index), (const char *)line.data, line.len);
    ft_group_end(ctx, fields_of(index));
    tell_facts(ctx, (const char *)line.data, line.len);
    struct side *side = side_of(ctx, index);
    if (side && line.len <= sizeof(side->line)) {
        memcpy(side->line, line.data, line.len);
        side->length = (uint8_t)line.len;
    }
}

/* ---- KEXINIT -------------------------------------------------------------------------------- */

/* The next name of a list. */
static bool next_name(struct ft_view *list, struct ft_view *name)
{
    if (!list->len)
        return false;
    const uint8_t *comma = memchr(list->data, ',', list->len);
    *name = ft_sub(list, comma ? (uint32_t)(comma - list->data) : list->len);
    if (comma)
        ft_skip(list, 1);
    return true;
}

static uint16_t hash_name(struct ft_view name)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (uint32_t i = 0; i < name.len; i++)
        hash = (hash ^ name.data[i]) * 16777619u;
    return (uint16_t)(hash ^ hash >> 16);
}

static bool is_weak(struct ft_view name)
{
    static const char *const weak[] = {"diffie-hellman-group1-sha1",
                                       "none",
                                       "arcfour",
                                       "arcfour128",
                                       "arcfour256",
                                       "des-cbc",
                                       "3des-cbc",
                                       "rc4",
                                       "hmac-md5",
                                       "hmac-md5-96",
                                       "blowfish-cbc",
                                       "cast128-cbc",
                                       "hmac-sha1-96"};

    for (unsigned i = 0; i < sizeof(weak) / sizeof(weak[0]); i++)
        if (name.len == strlen(weak[i]) && memcmp(name.data, weak[i], name.len) == 0)
            return true;
    return false;
}

/* Lists that are agreed on one by one, and where the result goes. */
static const struct {
    uint8_t list, field;
} agreed[5] = {
    {LIST_KEX, KEX}, {LIST_HOST_KEY, HOST_KEY_ALGORITHM}, {LIST_CIPHER, CIPHER},
    {LIST_MAC, MAC}, {LIST_COMPRESSION, COMPRESSION},
};

static void keep_names(struct names *names, const struct ft_view *lists, bool is_of_server)
{
    unsigned used = 0;

    memset(names, 0, sizeof(*names));
    names->is_of_server = is_of_server;
    for (unsigned i = 0; i < 5; i++) {
        struct ft_view list = lists[agreed[i].list], name;
        while (used < NAMES_KEPT && next_name(&list, &name)) {
            names->hash[used++] = hash_name(name);
            names->count[i]++;
        }
    }
}

/* The name of the list that has that hash. */
static bool find_name(struct ft_view list, uint16_t hash, struct ft_view *name)
{
    while (next_name(&list, name))
        if (hash_name(*name) == hash)
            return true;
    return false;
}

/* The first name of the client that the server knows, too (RFC 4253, 7.1). `hashes`: the others. */
static bool agree(struct ft_view list, const uint16_t *hashes, unsigned count, bool is_of_server,
                  struct ft_view *name)
{
    if (!is_of_server) {
        for (unsigned i = 0; i < count; i++)
            if (find_name(list, hashes[i], name))
                return true;
        return false;
    }
    while (next_name(&list, name))
        for (unsigned i = 0; i < count; i++)
            if (hash_name(*name) == hashes[i])
                return true;
    return false;
}

static void put_agreed(struct ft_context *ctx, const struct names *names,
                       const struct ft_view *lists)
{
    const uint16_t *hashes = names->hash;

    for (unsigned i = 0; i < 5; i++) {
        struct ft_view name;
        if (agree(lists[agreed[i].list], hashes, names->count[i], names->is_of_server, &name)) {
            ft_put_bytes(ctx, agreed[i].field, name);
            /* Compression is "none" as a rule: that is no weakness. */
            if (agreed[i].list != LIST_COMPRESSION && is_weak(name))
                ft_violation(ctx, V_WEAK, &name);
        }
        hashes += names->count[i];
    }
}

/* The second KEXINIT of a flow says what both agree on. */
static void read_agreed(struct ft_context *ctx, const struct ft_view *lists, bool is_server)
{
    struct names *names = ft_channel_find(ctx, FT_SCOPE_FLOW, NAMES);

    if (names && names->is_of_server != is_server) {
        put_agreed(ctx, names, lists);
        return;
    }
    names = ft_channel(ctx, FT_SCOPE_FLOW, NAMES);
    if (names)
        keep_names(names, lists, is_server);
}

static void put_names(struct ft_context *ctx, uint32_t field, struct ft_view list)
{
    struct ft_view name;

    while (ft_wants(ctx, field) && next_name(&list, &name))
        ft_put_bytes(ctx, field, name);
}

/* The four lists that HASSH is made of, in the direction of who sends. */
static const uint8_t hassh_lists[2][4] = {
    {LIST_KEX, LIST_CIPHER, LIST_MAC, LIST_COMPRESSION},
    {LIST_KEX, LIST_CIPHER_BACK, LIST_MAC_BACK, LIST_COMPRESSION_BACK},
};

static void put_hassh(struct ft_context *ctx, unsigned index, const struct ft_view *lists)
{
    uint32_t field = fields_of(index), length = 0;
    struct side *side = side_of(ctx, index);
    uint8_t hash[FT_DIGEST_MAX];
    struct ft_digest d;
    char text[4096];

    if (!side && !ft_wants(ctx, field + SIDE_HASSH_STRING))
        return;
    ft_digest_begin(&d, FT_MD5);
    for (unsigned i = 0; i < 4; i++) {
        struct ft_view list = lists[hassh_lists[index][i]];
        if (i)
            ft_digest_add(&d, ";", 1);
        ft_digest_add(&d, list.data, list.len);
        if (length + list.len + 1 <= sizeof(text)) {
            if (i)
                text[length++] = ';';
            memcpy(text + length, list.data, list.len);
            length += list.len;
        } else {
            length = sizeof(text);
        }
    }
    ft_digest_end(&d, hash);
    put_hash(ctx, field + SIDE_HASSH_HASH, hash);
    if (length < sizeof(text))
        put_text(ctx, field + SIDE_HASSH_STRING, text, length);
    if (side) {
        memcpy(side->hassh, hash, 16);
        side->has_hassh = true;
    }
}

static void put_lists(struct ft_context *ctx, unsigned index, const struct ft_view *lists)
{
    uint32_t field = fields_of(index);

    put_names(ctx, field + SIDE_KEX, lists[LIST_KEX]);
    put_names(ctx, field + SIDE_HOST_KEYS, lists[LIST_HOST_KEY]);
    put_names(ctx, field + SIDE_CIPHERS, lists[hassh_lists[index][1]]);
    put_names(ctx, field + SIDE_MACS, lists[hassh_lists[index][2]]);
    put_names(ctx, field + SIDE_COMPRESSIONS, lists[hassh_lists[index][3]]);
}

static void read_kexinit(struct ft_context *ctx, struct half *half, struct ft_view *v)
{
    struct ft_view lists[LISTS];
    unsigned index = half_index(ctx);

    half->has_kexinit = true;
    ft_skip(v, 16);
    for (unsigned i = 0; i < LISTS; i++)
        lists[i] = ft_sub(v, ft_u32be(v));
    if (!ft_view_ok(v)) {
        if (ft_view_is_malformed(v))
            ft_violation(ctx, V_LIST, v);
        return;
    }
    put_lists(ctx, index, lists);
    put_hassh(ctx, index, lists);
    ft_group_end(ctx, fields_of(index));
    read_agreed(ctx, lists, index == 1);
}

/* ---- other packets -------------------------------------------------------------------------- */

/* Messages of the key exchange say who is who; what is known of each side goes with it. */
static void set_direction(struct ft_context *ctx, enum ft_direction direction)
{
    struct flow *flow = ctx->flow_state;
    bool is_swapped = ctx->direction != FT_DIRECTION_NONE && ctx->direction != direction;

    if (ctx->direction == direction)
        return;
    ft_set_direction(ctx, direction);
    if (!is_swapped)
        return;
    struct half half = flow->halves[0];
    flow->halves[0] = flow->halves[1];
    flow->halves[1] = half;
    struct sides *sides = ft_channel_find(ctx, FT_SCOPE_FLOW, KEY);
    if (sides) {
        struct side side = sides->of[0];
        sides->of[0] = sides->of[1];
        sides->of[1] = side;
    }
}

/* string type, then the key: the type is a name, where a group exchange has a number. */
static bool is_host_key(struct ft_view key)
{
    struct ft_view type = ft_sub(&key, ft_u32be(&key));

    return ft_view_ok(&key) && type.len >= 4 && type.len <= 64 && type.data[0] >= 'a' &&
           type.data[0] <= 'z' && is_text(&type);
}

static void put_host_key(struct ft_context *ctx, struct ft_view key)
{
    uint8_t hash[FT_DIGEST_MAX];
    struct ft_digest d;

    if (ft_wants(ctx, HOST_KEY_SHA256)) {
        ft_digest_begin(&d, FT_SHA256);
        ft_digest_add(&d, key.data, key.len);
        uint32_t n = ft_digest_end(&d, hash);
        ft_put_bytes(ctx, HOST_KEY_SHA256, ft_view_make(hash, n, false));
    }
    ft_put_bytes(ctx, HOST_KEY_ALGORITHM, ft_sub(&key, ft_u32be(&key)));
}

/* What answers the client's identification: before ft_command(). */
static void take_answer(struct ft_context *ctx, struct flow *flow)
{
    if (!flow->is_waiting)
        return;
    flow->is_waiting = false;
    ft_set_kind(ctx, FT_KIND_RESPONSE);
    ft_response(ctx, FT_SCOPE_FLOW, KEY);
}

static void check_message(struct ft_context *ctx, const struct half *half, uint8_t message,
                          const struct ft_view *at)
{
    if (message == MSG_NEWKEYS && !half->has_kexinit && half->has_line && !ctx->is_midstream)
        ft_violation(ctx, V_NEWKEYS, at);
    if ((message == MSG_IGNORE || message == MSG_DEBUG) && half->has_kexinit)
        ft_violation(ctx, V_EXTRA, at);
    if (message == MSG_USERAUTH_SUCCESS && ctx->direction == FT_TO_SERVER)
        ft_violation(ctx, V_CLIENT_SUCCESS, at);
}

static void read_message(struct ft_context *ctx, struct ft_view *v)
{
    struct flow *flow = ctx->flow_state;
    uint8_t message = ft_u8(v);
    struct ft_view at = *v, body = *v;
    struct ft_view key = ft_sub(&body, ft_u32be(&body));
    bool has_key = (message == MSG_KEX_REPLY || message == MSG_GEX_REPLY) && ft_view_ok(&body) &&
                   is_host_key(key);

    if (has_key || message == MSG_KEX_INIT || message == MSG_GEX_INIT || message == MSG_GEX_REQUEST)
        set_direction(ctx, has_key ? FT_TO_CLIENT : FT_TO_SERVER);
    if (has_key)
        take_answer(ctx, flow);
    ft_command(ctx, message, FT_ANY_QUALIFIER);
    ft_put_uint(ctx, MESSAGE, message, &at);
    struct half *half = &flow->halves[half_index(ctx)];
    check_message(ctx, half, message, &at);
    if (message == MSG_KEXINIT) {
        read_kexinit(ctx, half, v);
    } else if (message == MSG_NEWKEYS) {
        half->is_encrypted = true;
    } else if (message == MSG_DISCONNECT) {
        uint32_t reason = ft_u32be(v);
        ft_put_uint(ctx, REASON, reason, v);
    } else if (has_key) {
        put_host_key(ctx, key);
        put_sides(ctx);
    }
    ft_rest(v);
}

/* length4 padding1 payload padding */
static void read_packet(struct ft_context *ctx, struct ft_view *pdu)
{
    uint32_t length = ft_u32be(pdu);
    struct ft_view at = *pdu;
    uint8_t padding = ft_u8(pdu);

    if (length > PACKET_MAX || length < padding + 2u) {
        ft_violation(ctx, V_LENGTH, &at);
        ft_rest(pdu);
        return;
    }
    struct ft_view payload = ft_sub(pdu, length - 1 - padding);
    ft_skip(pdu, padding);
    read_message(ctx, &payload);
}

/* SSH 1: the server's keys, then the client's session key; all that follows is encrypted. */
static void read_ssh1(struct ft_context *ctx, struct ft_view *pdu)
{
    struct flow *flow = ctx->flow_state;
    uint32_t length = ft_u32be(pdu);

    ft_skip(pdu, 8 - length % 8);
    uint8_t type = ft_u8(pdu);
    struct ft_view at = *pdu;
    if (type == SSH1_PUBLIC_KEY)
        take_answer(ctx, flow);
    ft_command(ctx, CODE_SSH1 + type, FT_ANY_QUALIFIER);
    ft_put_uint(ctx, MESSAGE, CODE_SSH1 + type, &at);
    flow->halves[half_index(ctx)].is_encrypted = true;
    if (type == SSH1_PUBLIC_KEY) {
        /* cookie8, server key: bits4 exponent2 modulus2 (numbers of bits before them), host key */
        ft_skip(pdu, 12);
        ft_skip(pdu, (ft_u16be(pdu) + 7u) / 8);
        ft_skip(pdu, (ft_u16be(pdu) + 7u) / 8);
        uint32_t bits = ft_u32be(pdu);
        if (ft_view_ok(pdu))
            ft_put_uint(ctx, HOST_KEY_BITS, bits, pdu);
        put_sides(ctx);
    }
    ft_rest(pdu);
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    struct flow *flow = ctx->flow_state;

    if (!flow->halves[half_index(ctx)].has_line && !is_packet(pdu))
        read_line(ctx, pdu);
    else if (is_ssh1(flow))
        read_ssh1(ctx, pdu);
    else
        read_packet(ctx, pdu);
}

const struct ft_dissector ft_dissector_ssh = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "ssh",
    .title = "SSH",
    .specification = "RFC 4253, 4250, 4419, 5656",
    .carried_by = FT_TABLE(carriers),
    .signatures = FT_TABLE(signatures),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .max_pdu = 4 + PACKET_MAX,
    .flow_state_size = sizeof(struct flow),
    .channel_size =
        sizeof(struct sides) > sizeof(struct names) ? sizeof(struct sides) : sizeof(struct names),
    .probe = probe,
    .frame = frame,
    .dissect = dissect,
};
