/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TFTP: files of devices that boot. The first message goes to port 69; the server answers from a
 * port of its own, so that the transfer is another flow: it is expected when it is asked for, and
 * joined to its request by the client's port.
 *
 *   0  2  operation
 *         1 read, 2 write: file 0 mode 0 (option 0 value 0)*
 *         3 data: block 2, bytes; a block shorter than the block size is the last
 *         4 ack: block 2      5 error: code 2, text 0      6 options: as behind a request
 *
 * Specification: RFC 1350, 2347, 2348, 2349, 7440.
 */
#include <fieldtap/dissector.h>

enum {
    PORT = 69,
    BLOCK_SIZE = 512,
    BLOCK_SIZE_MIN = 8,
    BLOCK_SIZE_MAX = 65464,
    FILE_MAX = 100,
    OPTIONS_MAX = 16,
};

enum operation {
    READ = 1,
    WRITE,
    DATA,
    ACK,
    ERROR,
    OPTIONS,
};

/* Qualifiers of requests: what the file is for, by its name. */
enum purpose {
    FOR_ANYTHING = 0,
    FOR_FIRMWARE,
    FOR_CONFIGURATION,
};

enum field {
    ROOT = 0,
    PACKET,
    FILE_NAME,
    MODE,
    OPTION,
    OPTION_NAME,
    OPTION_VALUE,
    BLOCK,
    SIZE,
    ERROR_CODE,
    MESSAGE,
    BYTES,
    DURATION,
    FIELDS
};

enum violation {
    V_OPERATION = 0,
    V_MODE,
    V_TERMINATION,
    V_OPTION,
    V_PATH,
    V_BLOCK,
    V_PORT,
    V_CONFIGURATION,
    V_EXECUTABLE,
    VIOLATIONS
};

/* Channel: a transfer, under the client's port. */
struct transfer {
    uint64_t first_ns, bytes;
    uint32_t block;       /* the last, counted on beyond 65535 */
    uint16_t server_port; /* 0: the server has not answered yet */
    uint16_t block_size, window;
    uint8_t operation; /* READ, WRITE */
    uint8_t is_done;
    uint8_t file_length;
    char file[FILE_MAX];
};

_Static_assert(sizeof(struct transfer) <= FT_MAX_CHANNEL_STATE, "channel");

/* clang-format off */
static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_UDP, .value = PORT},
    {.kind = FT_CARRIER_UDP, .value = FT_ANY_SELECTOR},
};

static const struct ft_signature signatures[] = {
    {"^\\x00[\\x01\\x02][\\x20-\\x7e]+\\x00(?i:netascii|octet|mail)\\x00", FT_SIGNATURE_UDP, 0},
};

static const struct ft_name packet_names[] = {
    {READ, "read"}, {WRITE, "write"}, {DATA, "data"}, {ACK, "ack"}, {ERROR, "error"},
    {OPTIONS, "oack"}, {0, NULL},
};

static const struct ft_name error_names[] = {
    {0, "undefined"}, {1, "file_not_found"}, {2, "access_violation"}, {3, "disk_full"},
    {4, "illegal_operation"}, {5, "unknown_transfer"}, {6, "file_exists"}, {7, "no_such_user"},
    {8, "option_refused"}, {0, NULL},
};

#define FIELD(name, title, names, parent, type, flags, ...)                                        \
    {name, title, names, parent, FT_TYPE_##type, flags, __VA_ARGS__ + 0}

/* The keys of EVE's "tftp" where it has them. */
static const struct ft_field fields[] = {
    [ROOT] = FIELD("tftp", "File transfer", NULL, 0, GROUP, 0),
    [PACKET] = FIELD("packet", "Operation", packet_names, 0, ENUM, 0, 16),
    [FILE_NAME] = FIELD("file", "File; with its data the one asked for", NULL, 0, STRING, 0),
    [MODE] = FIELD("mode", "Mode", NULL, 0, STRING, 0),
    [OPTION] = FIELD("opts", "Options", NULL, 0, GROUP, FT_FIELD_LIST),
    [OPTION_NAME] = FIELD("name", "Name", NULL, OPTION, STRING, 0),
    [OPTION_VALUE] = FIELD("value", "Value", NULL, OPTION, STRING, 0),
    [BLOCK] = FIELD("block", "Block number", NULL, 0, UINT, 0, 16),
    [SIZE] = FIELD("size", "Bytes of the block", NULL, 0, UINT, 0, 32),
    [ERROR_CODE] = FIELD("err", "Error", error_names, 0, ENUM, 0, 16),
    [MESSAGE] = FIELD("message", "Error in words", NULL, 0, STRING, 0),
    [BYTES] = FIELD("bytes", "Bytes of the file, with its last block", NULL, 0, UINT, 0),
    [DURATION] = FIELD("duration", "Seconds of the transfer, with its last block", NULL, 0, FLOAT, 0),
};

#define COMMAND(code, name, class, mitre)                                                          \
    {code, FT_ANY_QUALIFIER, name, FT_CLASS_##class, {0}, mitre}

static const struct ft_command commands[] = {
    {READ, FOR_CONFIGURATION, "read_configuration", FT_CLASS_UPLOAD, {0}, "T0882"},
    {WRITE, FOR_CONFIGURATION, "write_configuration", FT_CLASS_CONFIG, {0}, "T0836"},
    {WRITE, FOR_FIRMWARE, "write_firmware", FT_CLASS_FIRMWARE, {0}, "T0857 T0839"},
    COMMAND(READ, "read", FILE, NULL),
    COMMAND(WRITE, "write", FILE, "T0867"),
    COMMAND(DATA, "data", DATA, NULL),
    COMMAND(ACK, "ack", DATA, NULL),
    COMMAND(ERROR, "error", DATA, NULL),
    COMMAND(OPTIONS, "oack", SESSION, NULL),
};

#define VIOLATION(name, title, mitre, severity, engine)                                            \
    {name, title, NULL, NULL, mitre, FT_SEVERITY_##severity, FT_ENGINE_##engine, 0, {0}}

static const struct ft_violation violations[] = {
    [V_OPERATION] = VIOLATION("operation", "TFTP operation that does not exist", NULL, MINOR, PROTOCOL),
    [V_MODE] = VIOLATION("mode", "TFTP mode that does not exist", NULL, WARNING, PROTOCOL),
    [V_TERMINATION] = VIOLATION("termination", "TFTP text that does not end", "T0814", MINOR, PROTOCOL),
    [V_OPTION] = VIOLATION("option", "TFTP option with a value that cannot be", "T0814", MINOR, PROTOCOL),
    [V_PATH] = VIOLATION("path", "TFTP file name that leaves its folder", "T0867", MAJOR, PROTOCOL),
    [V_BLOCK] = VIOLATION("block", "TFTP block out of turn", NULL, WARNING, PROTOCOL),
    [V_PORT] = VIOLATION("port", "TFTP transfer continued from another port", "T0830", MINOR, PROTOCOL),
    [V_CONFIGURATION] = VIOLATION("configuration", "Configuration of a network device by TFTP", "T0882", MINOR, POLICY),
    [V_EXECUTABLE] = VIOLATION("executable", "Executable file by TFTP", "T0867", MINOR, MALWARE),
};
/* clang-format on */

_Static_assert(sizeof(fields) / sizeof(fields[0]) == FIELDS, "one row a field");
_Static_assert(sizeof(violations) / sizeof(violations[0]) == VIOLATIONS, "one row a violation");

/* ---- texts ---------------------------------------------------------------------------------- */

/* Text up to a zero, which is taken too; false and the rest when none comes. */
static bool take_text(struct ft_view *v, struct ft_view *text)
{
    struct ft_view at = *v;
    uint32_t n = 0;

    while (at.len) {
        if (ft_u8(&at) == 0) {
            *text = ft_sub(v, n);
            ft_skip(v, 1);
            return true;
        }
        n++;
    }
    *text = ft_rest(v);
    return false;
}

static char lower(int c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c);
}

/* Does the text begin with `with` from its `at`-th byte on, whatever the case? */
static bool has_at(const struct ft_view *text, uint32_t at, const char *with)
{
    for (; *with; with++, at++)
        if (lower(ft_peek_u8(text, at)) != *with)
            return false;
    return true;
}

static bool is_text(const struct ft_view *text, const char *other)
{
    return text->len == strlen(other) && has_at(text, 0, other);
}

static bool ends_with(const struct ft_view *text, const char *end)
{
    uint32_t n = (uint32_t)strlen(end);
    return text->len >= n && has_at(text, text->len - n, end);
}

static bool contains(const struct ft_view *text, const char *part)
{
    uint32_t n = (uint32_t)strlen(part);
    for (uint32_t at = 0; at + n <= text->len; at++)
        if (has_at(text, at, part))
            return true;
    return false;
}

static bool ends_with_any(const struct ft_view *text, const char *const *ends)
{
    for (; *ends; ends++)
        if (ends_with(text, *ends))
            return true;
    return false;
}

/* ---- what files are ------------------------------------------------------------------------- */

static bool is_firmware(const struct ft_view *file)
{
    static const char *const ends[] = {".bin", ".img", ".fw",  ".rom", ".hex",        ".s19",
                                       ".upg", ".ldr", ".mot", ".st",  "vxworks.img", NULL};
    return ends_with_any(file, ends);
}

static bool is_configuration(const struct ft_view *file)
{
    return contains(file, "running-config") || contains(file, "startup-config") ||
           ends_with(file, "-confg") || ends_with(file, "-config");
}

static uint32_t purpose_of(uint16_t operation, const struct ft_view *file)
{
    if (is_configuration(file))
        return FOR_CONFIGURATION;
    return operation == WRITE && is_firmware(file) ? FOR_FIRMWARE : FOR_ANYTHING;
}

/* What machines boot by TFTP are executables, too. */
static bool is_boot_loader(const struct ft_view *file)
{
    static const char *const ends[] = {".efi", ".0", ".kpxe", ".pxe", ".n12", ".com", NULL};
    return ends_with_any(file, ends) || is_firmware(file);
}

static bool is_executable(const struct ft_view *data)
{
    return data->len >= 64 && (ft_view_starts(data, "MZ", 2) || ft_view_starts(data,
                                                                               "\x7f"
                                                                               "ELF",
                                                                               4));
}

static bool is_leaving(const struct ft_view *file)
{
    return has_at(file, 0, "../") || has_at(file, 0, "..\\") || contains(file, "/../") ||
           contains(file, "\\..\\") || contains(file, "/..\\") || contains(file, "\\../") ||
           has_at(file, 0, "/etc/") || has_at(file, 0, "/root/") || has_at(file, 1, ":\\");
}

/* IP phones of Cisco ask for SEP<MAC>.cnf.xml. */
static void state_client(struct ft_context *ctx, const struct ft_view *file)
{
    if (has_at(file, 0, "sep") && file->len >= 15 && ends_with(file, ".cnf.xml")) {
        ft_asset_text(ctx, FT_CLIENT, FT_FACT_VENDOR, "Cisco");
        ft_asset_text(ctx, FT_CLIENT, FT_FACT_DESCRIPTION, "IP phone");
    }
}

/* ---- options -------------------------------------------------------------------------------- */

/* A decimal number; UINT32_MAX when it is none. */
static uint32_t number_of(struct ft_view text)
{
    uint64_t n = 0;
    if (!text.len || text.len > 10)
        return UINT32_MAX;
    while (text.len) {
        int digit = ft_u8(&text) - '0';
        if (digit < 0 || digit > 9)
            return UINT32_MAX;
        n = n * 10 + (unsigned)digit;
    }
    return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

static bool is_sound(const struct ft_view *name, uint32_t value)
{
    if (is_text(name, "blksize"))
        return value >= BLOCK_SIZE_MIN && value <= BLOCK_SIZE_MAX;
    if (is_text(name, "timeout"))
        return value >= 1 && value <= 255;
    if (is_text(name, "windowsize"))
        return value >= 1 && value <= 65535;
    return !is_text(name, "tsize") || value != UINT32_MAX;
}

static void read_options(struct ft_context *ctx, struct ft_view *v, struct transfer *t)
{
    struct ft_view name, value;

    for (uint32_t i = 0; v->len && i < OPTIONS_MAX; i++) {
        bool is_whole = take_text(v, &name) && take_text(v, &value);
        if (!is_whole) {
            if (!v->is_cut)
                ft_violation(ctx, V_TERMINATION, v);
            return;
        }
        ft_group_begin(ctx, OPTION);
        ft_put_bytes(ctx, OPTION_NAME, name);
        ft_put_bytes(ctx, OPTION_VALUE, value);
        ft_group_end(ctx, OPTION);
        uint32_t number = number_of(value);
        if (!is_sound(&name, number))
            ft_violation(ctx, V_OPTION, v);
        else if (t && is_text(&name, "blksize"))
            t->block_size = (uint16_t)number;
        else if (t && is_text(&name, "windowsize"))
            t->window = (uint16_t)number;
    }
}

/* ---- requests ------------------------------------------------------------------------------- */

static struct transfer *begin(struct ft_context *ctx, uint16_t operation, struct ft_view file)
{
    struct transfer *t = ft_channel(ctx, FT_SCOPE_HOST_PAIR, ctx->src_port);

    ft_expect_flow(ctx, FT_TRANSPORT_UDP, ctx->src_port, "tftp", NULL, 0);
    if (!t)
        return NULL;
    *t = (struct transfer){.first_ns = ctx->time_ns,
                           .operation = (uint8_t)operation,
                           .block_size = BLOCK_SIZE,
                           .window = 1};
    t->file_length = (uint8_t)(file.len < FILE_MAX ? file.len : FILE_MAX);
    memcpy(t->file, file.data, t->file_length);
    return t;
}

static void check_request(struct ft_context *ctx, const struct ft_view *file,
                          const struct ft_view *mode, const struct ft_view *at)
{
    if (!is_text(mode, "octet") && !is_text(mode, "netascii") && !is_text(mode, "mail"))
        ft_violation(ctx, V_MODE, at);
    if (is_leaving(file))
        ft_violation(ctx, V_PATH, at);
    if (is_configuration(file))
        ft_violation(ctx, V_CONFIGURATION, at);
}

static void read_request(struct ft_context *ctx, uint16_t operation, struct ft_view *pdu)
{
    struct ft_view file, mode = ft_view_empty();
    bool is_whole = take_text(pdu, &file);
    struct ft_view file_at = *pdu;

    is_whole = is_whole && take_text(pdu, &mode);
    ft_set_direction(ctx, FT_TO_SERVER);
    ft_set_kind(ctx, FT_KIND_REQUEST);
    ft_command(ctx, operation, purpose_of(operation, &file));
    ft_put_uint(ctx, PACKET, operation, NULL);
    ft_put_bytes(ctx, FILE_NAME, file);
    ft_put_bytes(ctx, MODE, mode);
    if (!is_whole) {
        if (!pdu->is_cut)
            ft_violation(ctx, V_TERMINATION, &file_at);
        return;
    }
    ft_request(ctx, FT_SCOPE_HOST_PAIR, ctx->src_port, NULL, 0);
    struct transfer *t = begin(ctx, operation, file);
    check_request(ctx, &file, &mode, pdu);
    state_client(ctx, &file);
    read_options(ctx, pdu, t);
    /* Options hold when the server agrees; until then the transfer is without. */
    if (t) {
        t->block_size = BLOCK_SIZE;
        t->window = 1;
    }
}

/* ---- transfers ------------------------------------------------------------------------------ */

/* The transfer of a message that is no request, and who sent it. */
static struct transfer *find_transfer(struct ft_context *ctx)
{
    struct transfer *t = ft_channel_find(ctx, FT_SCOPE_HOST_PAIR, ctx->dst_port);
    bool is_from_server = t != NULL;
    uint16_t server_port = ctx->src_port;

    if (!t) {
        t = ft_channel_find(ctx, FT_SCOPE_HOST_PAIR, ctx->src_port);
        server_port = ctx->dst_port;
    }
    if (!t)
        return NULL;
    ft_set_direction(ctx, is_from_server ? FT_TO_CLIENT : FT_TO_SERVER);
    if (!t->server_port && is_from_server)
        t->server_port = server_port;
    else if (t->server_port && t->server_port != server_port && is_from_server)
        ft_violation(ctx, V_PORT, NULL);
    return t;
}

/* The first answer of a server is the response to the request; all else is data. */
static void name_command(struct ft_context *ctx, uint16_t operation, const struct transfer *t)
{
    bool is_answer =
        t && ctx->direction == FT_TO_CLIENT && ft_response(ctx, FT_SCOPE_HOST_PAIR, ctx->dst_port);

    if (operation == ERROR)
        ft_set_kind(ctx, FT_KIND_EXCEPTION);
    else
        ft_set_kind(ctx, is_answer ? FT_KIND_RESPONSE : FT_KIND_DATA);
    if (is_answer)
        ft_asset_role(ctx, FT_SENDER, FT_ROLE_SERVER);
    /* Thousands of blocks are one operation. */
    if (!t || is_answer || operation == ERROR || operation == OPTIONS)
        ft_command(ctx, operation, FT_ANY_QUALIFIER);
}

static void put_transfer(struct ft_context *ctx, const struct transfer *t)
{
    if (t && t->file_length)
        ft_put_text(ctx, FILE_NAME, t->file, t->file_length, NULL);
}

/* How far a block is behind the last, on a circle of 65536; some servers go on from 65535 with 1.
 */
static uint32_t step_of(const struct transfer *t, uint16_t block)
{
    uint16_t last = (uint16_t)t->block;
    if (last == 65535 && block == 1 && t->window == 1)
        return 1;
    return (uint16_t)(block - last);
}

static void finish(struct ft_context *ctx, struct transfer *t)
{
    t->is_done = 1;
    ft_put_uint(ctx, BYTES, t->bytes, NULL);
    if (ft_wants(ctx, DURATION))
        ft_put_float(ctx, DURATION, (double)(ctx->time_ns - t->first_ns) / 1e9, NULL);
}

static void follow_data(struct ft_context *ctx, struct transfer *t, uint16_t block,
                        const struct ft_view *data, const struct ft_view *at)
{
    struct ft_view file = ft_view_make(t->file, t->file_length, false);
    uint32_t step = step_of(t, block), back = 65536 - step;

    if (step == 0 || back <= t->window)
        return; /* sent again */
    if (block == 1 && t->block == 0 && is_executable(data) && !is_boot_loader(&file))
        ft_violation(ctx, V_EXECUTABLE, at);
    if (step != 1)
        ft_violation(ctx, V_BLOCK, at);
    t->block = (uint16_t)(t->block + step) == block ? t->block + step : t->block + 2;
    t->bytes += data->len;
    if (data->len < t->block_size && !t->is_done && !data->is_cut)
        finish(ctx, t);
}

static void read_data(struct ft_context *ctx, struct transfer *t, struct ft_view *pdu)
{
    uint16_t block = ft_u16be(pdu);
    struct ft_view block_at = *pdu;

    ft_put_uint(ctx, BLOCK, block, pdu);
    if (!ft_view_ok(pdu))
        return;
    struct ft_view data = ft_rest(pdu);
    ft_put_uint(ctx, SIZE, data.len, NULL);
    if (t)
        follow_data(ctx, t, block, &data, &block_at);
}

static void read_error(struct ft_context *ctx, struct ft_view *pdu)
{
    struct ft_view text;

    ft_put_uint(ctx, ERROR_CODE, ft_u16be(pdu), pdu);
    if (!ft_view_ok(pdu))
        return;
    bool is_whole = take_text(pdu, &text);
    ft_put_bytes(ctx, MESSAGE, text);
    if (!is_whole && !pdu->is_cut)
        ft_violation(ctx, V_TERMINATION, pdu);
}

static void read_transfer(struct ft_context *ctx, uint16_t operation, const struct ft_view *at,
                          struct ft_view *pdu)
{
    struct transfer *t = find_transfer(ctx);

    name_command(ctx, operation, t);
    ft_put_uint(ctx, PACKET, operation, at);
    put_transfer(ctx, t);
    switch (operation) {
    case DATA:
        read_data(ctx, t, pdu);
        break;
    case ACK:
        ft_put_uint(ctx, BLOCK, ft_u16be(pdu), pdu);
        break;
    case ERROR:
        read_error(ctx, pdu);
        break;
    case OPTIONS:
        read_options(ctx, pdu, t);
        break;
    default:
        ft_violation(ctx, V_OPERATION, at);
    }
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    uint16_t operation = ft_u16be(pdu);
    struct ft_view at = *pdu;

    if (!ft_view_ok(pdu))
        return;
    if (operation == READ || operation == WRITE)
        read_request(ctx, operation, pdu);
    else
        read_transfer(ctx, operation, &at, pdu);
}

/* ---- recognition ---------------------------------------------------------------------------- */

static bool is_request(struct ft_view payload)
{
    struct ft_view file, mode;
    ft_skip(&payload, 2);
    return take_text(&payload, &file) && take_text(&payload, &mode) && file.len &&
           (is_text(&mode, "octet") || is_text(&mode, "netascii") || is_text(&mode, "mail"));
}

/* On port 69, and of a transfer that was asked for; elsewhere only requests are recognised. */
static enum ft_verdict probe(const struct ft_probe *where, struct ft_view payload)
{
    int32_t operation = ft_peek_u16be(&payload, 0);

    if (operation == READ || operation == WRITE)
        return where->is_bound || is_request(payload) ? FT_YES : FT_NO;
    if (!where->is_bound)
        return FT_NO;
    switch (operation) {
    case DATA:
        return payload.len >= 4 ? FT_YES : FT_NO;
    case ACK:
        return payload.len == 4 ? FT_YES : FT_NO;
    case ERROR:
    case OPTIONS:
        return FT_YES;
    default:
        return FT_NO;
    }
}

const struct ft_dissector ft_dissector_tftp = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "tftp",
    .title = "TFTP",
    .specification = "RFC 1350, RFC 2347, RFC 2348, RFC 2349, RFC 7440",
    .carried_by = FT_TABLE(carriers),
    .signatures = FT_TABLE(signatures),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .max_pdu = FT_MAX_PDU,
    .channel_size = sizeof(struct transfer),
    .probe = probe,
    .dissect = dissect,
};
