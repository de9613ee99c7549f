/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * FTP, the control connection.
 *
 *   client:  VERB[ SP argument] CRLF          server:  three digits SP text CRLF, or of several
 *                                                      lines: digits "-" text CRLF .. digits SP
 * text
 *
 * Each command and each reply is a PDU. The data connection that PORT, EPRT or the answers to PASV
 * and EPSV name is told to the engine, with the command and the file it will carry. After AUTH TLS
 * the connection is encrypted.
 *
 * Specification: RFC 959, RFC 2228, RFC 2389, RFC 2428, RFC 3659, RFC 4217.
 */
#include <stdio.h>

#include "ftp.h"
#include "secret.h"

enum {
    LINE_MAX = 4096,   /* bytes of a command that are read */
    LINE_LONG = 1024,  /* that no client sends */
    REPLY_MAX = 16384, /* bytes of a reply that are read */
    USER_MAX = 24,
    HIDDEN_MAX = 27, /* bytes of the last password that are known again */
    VERB_MAX = 4,    /* letters of a verb that is shown, though not known (RFC 959, 5.3.1) */
    IAC = 0xff,      /* Telnet commands may stand before ABOR */
};

enum mode {
    MODE_NONE,
    MODE_ACTIVE,
    MODE_PASSIVE,
};

/* Flow state. */
struct ftp_flow {
    uint16_t port; /* of the data connection, 0 = not told */
    uint8_t mode;  /* enum mode */
    uint8_t last;  /* enum ftp_command */
    uint8_t is_tls, is_data_protected;
    uint8_t is_greeted, is_asked, is_device;
    uint8_t is_long[2]; /* inside a line that is too long, by direction */
    uint8_t user_length;
    char user[USER_MAX];
    uint8_t hidden_length;
    char hidden[HIDDEN_MAX]; /* the last password: replies may repeat it */
};

_Static_assert(sizeof(struct ftp_flow) <= FT_MAX_FLOW_STATE, "flow state");

/* Kept with a command for its reply. */
struct kept {
    uint8_t command; /* enum ftp_command */
    uint8_t length;
    uint8_t is_secret; /* the argument is not shown, and hidden where the reply repeats it */
    char argument[FT_MAX_PAIR_KEEP - 3];
};

enum field {
    ROOT,
    F_COMMAND,
    F_COMMAND_DATA,
    F_COMPLETION_CODE,
    F_REPLY,
    F_REPLY_RECEIVED,
    F_MODE,
    F_DYNAMIC_PORT,
    F_DATA_IP,
    F_DATA_IP6,
    F_USER,
    F_PASSWORD,
    F_AUTH,
    F_FILE,
    F_BANNER,
    F_SYST,
    F_FEATURE,
    F_SECRET,
};

/* Qualifiers of transfers: what the file is for. */
enum purpose {
    FOR_FIRMWARE = 1,
    FOR_PROGRAM,
};

enum violation {
    V_LONG_LINE,
    V_VERB,
    V_UNKNOWN_VERB,
    V_BOUNCE,
    V_REPLY,
    V_EARLY_REPLY,
    V_TRAVERSAL,
    V_FORMAT,
    V_CLEAR_TEXT,
    V_DEFAULT_LOGIN,
    V_HARD_CODED,
    V_ANONYMOUS,
    V_LOGIN_FAILED,
    V_BACKDOOR,
    V_SITE_COPY,
};

static const char *const verbs[] = {
    [FTP_USER] = "USER", [FTP_PASS] = "PASS", [FTP_ACCT] = "ACCT", [FTP_AUTH] = "AUTH",
    [FTP_ADAT] = "ADAT", [FTP_PBSZ] = "PBSZ", [FTP_PROT] = "PROT", [FTP_CCC] = "CCC",
    [FTP_MIC] = "MIC",   [FTP_CONF] = "CONF", [FTP_ENC] = "ENC",   [FTP_RETR] = "RETR",
    [FTP_LIST] = "LIST", [FTP_NLST] = "NLST", [FTP_MLSD] = "MLSD", [FTP_MLST] = "MLST",
    [FTP_STAT] = "STAT", [FTP_SIZE] = "SIZE", [FTP_MDTM] = "MDTM", [FTP_PWD] = "PWD",
    [FTP_CWD] = "CWD",   [FTP_CDUP] = "CDUP", [FTP_STOR] = "STOR", [FTP_STOU] = "STOU",
    [FTP_APPE] = "APPE", [FTP_ALLO] = "ALLO", [FTP_DELE] = "DELE", [FTP_RNFR] = "RNFR",
    [FTP_RNTO] = "RNTO", [FTP_MKD] = "MKD",   [FTP_RMD] = "RMD",   [FTP_SITE] = "SITE",
    [FTP_TYPE] = "TYPE", [FTP_MODE] = "MODE", [FTP_STRU] = "STRU", [FTP_PASV] = "PASV",
    [FTP_PORT] = "PORT", [FTP_EPSV] = "EPSV", [FTP_EPRT] = "EPRT", [FTP_REST] = "REST",
    [FTP_ABOR] = "ABOR", [FTP_NOOP] = "NOOP", [FTP_SYST] = "SYST", [FTP_FEAT] = "FEAT",
    [FTP_OPTS] = "OPTS", [FTP_HELP] = "HELP", [FTP_REIN] = "REIN", [FTP_SMNT] = "SMNT",
    [FTP_CLNT] = "CLNT", [FTP_LANG] = "LANG", [FTP_HOST] = "HOST", [FTP_MFMT] = "MFMT",
    [FTP_QUIT] = "QUIT",
};

/* clang-format off */
static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_TCP, .value = 21},
    {.kind = FT_CARRIER_TCP, .value = FT_ANY_SELECTOR},
};

static const struct ft_signature signatures[] = {
    {"^220[ -]", FT_SIGNATURE_TCP, 0},
    {"^331[ -]", FT_SIGNATURE_TCP, 0},
    {"^(USER|AUTH|FEAT|SYST|PASV|EPSV)[ \\r]", FT_SIGNATURE_TCP, 0},
};

static const struct ft_name mode_names[] = {{MODE_ACTIVE, "active"}, {MODE_PASSIVE, "passive"}, {0, NULL}};

#define FIELD(name, title, type, names, flags, ...) {name, title, names, 0, FT_TYPE_##type, flags, __VA_ARGS__ + 0}

/* The names of the first rows are those that EVE has under "ftp". */
static const struct ft_field fields[] = {
    [ROOT] = FIELD("ftp", "FTP", GROUP, NULL, 0),
    [F_COMMAND] = FIELD("command", "Verb", STRING, NULL, 0),
    [F_COMMAND_DATA] = FIELD("command_data", "Argument of the command", STRING, NULL, 0),
    [F_COMPLETION_CODE] = FIELD("completion_code", "Code of the reply", STRING, NULL, FT_FIELD_LIST),
    [F_REPLY] = FIELD("reply", "Line of the reply", STRING, NULL, FT_FIELD_LIST),
    [F_REPLY_RECEIVED] = FIELD("reply_received", "A reply was seen", STRING, NULL, 0),
    [F_MODE] = FIELD("mode", "Who opens the data connection: the server (active) or the client", ENUM, mode_names, 0, 32),
    [F_DYNAMIC_PORT] = FIELD("dynamic_port", "Port of the data connection", UINT, NULL, 0, 16),
    [F_DATA_IP] = FIELD("data_ip", "Address of the data connection", IPV4, NULL, 0),
    [F_DATA_IP6] = FIELD("data_address", "Address of the data connection as text", STRING, NULL, 0),
    [F_USER] = FIELD("user", "User name", STRING, NULL, 0),
    [F_PASSWORD] = FIELD("password", "Password or account", STRING, NULL, FT_FIELD_SECRET),
    [F_AUTH] = FIELD("auth", "Security mechanism that is asked for", STRING, NULL, 0),
    [F_FILE] = FIELD("file", "File that the command is about", STRING, NULL, 0),
    [F_BANNER] = FIELD("banner", "Greeting of the server", STRING, NULL, 0),
    [F_SYST] = FIELD("syst", "System as the server tells it", STRING, NULL, 0),
    [F_FEATURE] = FIELD("feature", "Extension of the server", STRING, NULL, FT_FIELD_LIST),
    [F_SECRET] = FIELD("secret", "Argument that is, or may be, a password", STRING, NULL, FT_FIELD_SECRET),
};

#define COMMAND(code, name, class) {code, FT_ANY_QUALIFIER, name, FT_CLASS_##class, {0}, NULL}

static const struct ft_command commands[] = {
    {FTP_RETR, FOR_PROGRAM, "retr_program", FT_CLASS_UPLOAD, {0}, "T0845"},
    {FTP_STOR, FOR_FIRMWARE, "stor_firmware", FT_CLASS_FIRMWARE, {0}, "T0857 T0839"},
    {FTP_STOR, FOR_PROGRAM, "stor_program", FT_CLASS_PROGRAM, {0}, "T0843"},
    {FTP_APPE, FOR_FIRMWARE, "appe_firmware", FT_CLASS_FIRMWARE, {0}, "T0857 T0839"},
    {FTP_APPE, FOR_PROGRAM, "appe_program", FT_CLASS_PROGRAM, {0}, "T0843"},
    COMMAND(FTP_REPLY, "reply", DATA),
    COMMAND(FTP_GREETING, "greeting", SESSION),
    COMMAND(FTP_USER, "user", AUTH), COMMAND(FTP_PASS, "pass", AUTH), COMMAND(FTP_ACCT, "acct", AUTH),
    COMMAND(FTP_AUTH, "auth", AUTH), COMMAND(FTP_ADAT, "adat", AUTH), COMMAND(FTP_PBSZ, "pbsz", AUTH),
    COMMAND(FTP_PROT, "prot", AUTH), COMMAND(FTP_CCC, "ccc", AUTH), COMMAND(FTP_MIC, "mic", AUTH),
    COMMAND(FTP_CONF, "conf", AUTH), COMMAND(FTP_ENC, "enc", AUTH), COMMAND(FTP_RETR, "retr", READ),
    COMMAND(FTP_LIST, "list", READ), COMMAND(FTP_NLST, "nlst", READ), COMMAND(FTP_MLSD, "mlsd", READ),
    COMMAND(FTP_MLST, "mlst", READ), COMMAND(FTP_STAT, "stat", READ), COMMAND(FTP_SIZE, "size", READ),
    COMMAND(FTP_MDTM, "mdtm", READ), COMMAND(FTP_PWD, "pwd", READ), COMMAND(FTP_CWD, "cwd", READ),
    COMMAND(FTP_CDUP, "cdup", READ), COMMAND(FTP_STOR, "stor", WRITE), COMMAND(FTP_STOU, "stou", WRITE),
    COMMAND(FTP_APPE, "appe", WRITE), COMMAND(FTP_ALLO, "allo", WRITE), COMMAND(FTP_DELE, "dele", WRITE),
    COMMAND(FTP_RNFR, "rnfr", WRITE), COMMAND(FTP_RNTO, "rnto", WRITE), COMMAND(FTP_MKD, "mkd", WRITE),
    COMMAND(FTP_RMD, "rmd", WRITE), COMMAND(FTP_SITE, "site", ADMIN), COMMAND(FTP_TYPE, "type", SESSION),
    COMMAND(FTP_MODE, "mode", SESSION), COMMAND(FTP_STRU, "stru", SESSION), COMMAND(FTP_PASV, "pasv", SESSION),
    COMMAND(FTP_PORT, "port", SESSION), COMMAND(FTP_EPSV, "epsv", SESSION), COMMAND(FTP_EPRT, "eprt", SESSION),
    COMMAND(FTP_REST, "rest", SESSION), COMMAND(FTP_ABOR, "abor", SESSION), COMMAND(FTP_NOOP, "noop", SESSION),
    COMMAND(FTP_SYST, "syst", DIAGNOSTIC), COMMAND(FTP_FEAT, "feat", DIAGNOSTIC), COMMAND(FTP_OPTS, "opts", SESSION),
    COMMAND(FTP_HELP, "help", DIAGNOSTIC), COMMAND(FTP_REIN, "rein", SESSION), COMMAND(FTP_SMNT, "smnt", WRITE),
    COMMAND(FTP_CLNT, "clnt", SESSION), COMMAND(FTP_LANG, "lang", SESSION), COMMAND(FTP_HOST, "host", SESSION),
    COMMAND(FTP_MFMT, "mfmt", WRITE), COMMAND(FTP_QUIT, "quit", SESSION), COMMAND(FTP_OTHER, "other_verb", UNKNOWN),
};

#define EVENT(name, title, reference, category, mitre, severity, engine, alerts) \
    {name, title, reference, category, mitre, FT_SEVERITY_##severity, FT_ENGINE_##engine, FT_ALERT_##alerts, {0}}

static const struct ft_violation violations[] = {
    [V_LONG_LINE] = EVENT("long_line", "FTP line longer than any client sends", NULL, "Buffer overflow", "T0866", MAJOR, PROTOCOL, NEVER),
    [V_VERB] = EVENT("bad_verb", "FTP command that is no text", NULL, NULL, "T0866", MINOR, PROTOCOL, NEVER),
    [V_UNKNOWN_VERB] = EVENT("unknown_verb", "FTP command that is not known", NULL, NULL, NULL, WARNING, PROTOCOL, NEVER),
    [V_BOUNCE] = EVENT("bounce", "FTP data connection to another host or a system port", NULL, "Scan", "T0846", MAJOR, MALWARE, NEVER),
    [V_REPLY] = EVENT("bad_reply", "FTP reply without a code", NULL, NULL, "T0869", MINOR, PROTOCOL, NEVER),
    [V_EARLY_REPLY] = EVENT("early_reply", "FTP reply before the first command", NULL, NULL, "T0869", MINOR, PROTOCOL, NEVER),
    [V_TRAVERSAL] = EVENT("traversal", "FTP path that leaves the server's folder", NULL, NULL, "T0866", MAJOR, MALWARE, NEVER),
    [V_FORMAT] = EVENT("format_string", "Format string in an FTP command", NULL, NULL, "T0866", MAJOR, MALWARE, NEVER),
    [V_CLEAR_TEXT] = EVENT("credential_clear_text", "Password sent in clear text over FTP", NULL, "Authentication", "T0859", MINOR, POLICY, NEVER),
    [V_DEFAULT_LOGIN] = EVENT("default_login", "FTP login with a password that devices are delivered with", NULL, "Authentication", "T0812", MAJOR, POLICY, EACH),
    [V_HARD_CODED] = EVENT("hard_coded_account", "FTP login with an account built into controllers", NULL, "Authentication", "T0891 T0812", CRITICAL, POLICY, NEVER),
    [V_ANONYMOUS] = EVENT("anonymous_login", "Anonymous FTP login", NULL, "Authentication", "T0859", WARNING, POLICY, NEVER),
    [V_LOGIN_FAILED] = EVENT("login_failed", "FTP login failed", "P9", "Authentication", "T0812 T0869", MAJOR, POLICY, EACH),
    [V_BACKDOOR] = EVENT("backdoor_user", "FTP user name that opens a known backdoor", NULL, NULL, "T0866", CRITICAL, MALWARE, EACH),
    [V_SITE_COPY] = EVENT("server_exploit", "FTP command of a known attack on the server", NULL, NULL, "T0866", CRITICAL, MALWARE, EACH),
};
/* clang-format on */

const char *ftp_verb(uint8_t code)
{
    return code < sizeof(verbs) / sizeof(verbs[0]) ? verbs[code] : NULL;
}

static enum ftp_command command_of(struct ft_view verb)
{
    static const struct {
        const char *verb;
        uint8_t command;
    } aliases[] = {{"XPWD", FTP_PWD},
                   {"XCWD", FTP_CWD},
                   {"XMKD", FTP_MKD},
                   {"XRMD", FTP_RMD},
                   {"XCUP", FTP_CDUP}};
    char name[4] = {0};
    if (verb.len < 3 || verb.len > 4)
        return FTP_OTHER;
    for (uint32_t i = 0; i < verb.len; i++)
        name[i] = (char)(ft_text_lower(verb.data[i]) & ~0x20);
    for (uint32_t i = FTP_USER; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (memcmp(name, verbs[i], verb.len) == 0 && !verbs[i][verb.len])
            return (enum ftp_command)i;
    for (uint32_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
        if (memcmp(name, aliases[i].verb, 4) == 0)
            return (enum ftp_command)aliases[i].command;
    return FTP_OTHER;
}

/* ---- recognition ---------------------------------------------------------------------------- */

/* The code of a reply, 0 when the line has none. */
static uint32_t reply_code(const struct ft_view *v)
{
    uint32_t code = 0;
    for (uint32_t i = 0; i < 3; i++) {
        int c = ft_peek_u8(v, i);
        if (c < '0' || c > '9')
            return 0;
        code = code * 10 + (uint32_t)(c - '0');
    }
    return code >= 100 && code < 700 ? code : 0;
}

static struct ft_view first_line(struct ft_view v)
{
    return ft_text_trim(ft_text_take(&v, '\n'));
}

/* SMTP and others greet with 220, too; POP and IRC know USER. */
static enum ft_verdict judge_reply(const struct ft_view *v, bool is_bound)
{
    int next = ft_peek_u8(v, 3);
    uint32_t code = reply_code(v);
    if (!code || (next >= 0 && next != ' ' && next != '-' && next != '\r' && next != '\n'))
        return FT_NO;
    if (is_bound || code == 331)
        return FT_YES;
    struct ft_view line = first_line(*v);
    return ft_text_has(line, "smtp") ? FT_NO : ft_text_has(line, "ftp") ? FT_YES : FT_MAYBE;
}

static enum ft_verdict judge_command(const struct ft_view *v, bool is_bound)
{
    struct ft_view line = first_line(*v);
    struct ft_view verb = ft_text_take(&line, ' ');
    bool is_whole = ft_find_u8(v, '\n', 0) >= 0;
    enum ftp_command command = command_of(verb);
    if (!is_whole && v->len < 4 && is_bound)
        return ft_text_is_word(v->data[0]) || v->data[0] == IAC ? FT_MAYBE : FT_NO;
    if (command == FTP_OTHER)
        return FT_NO;
    if (is_bound)
        return FT_YES;
    if (command == FTP_USER)
        return ft_find_u8(&line, ' ', 0) < 0 ? FT_MAYBE : FT_NO;
    return is_whole && (command == FTP_PASV || command == FTP_EPSV || command == FTP_SYST ||
                        command == FTP_FEAT || command == FTP_AUTH)
               ? FT_YES
               : FT_NO;
}

static enum ft_verdict probe(const struct ft_probe *where, struct ft_view payload)
{
    if (!payload.len)
        return FT_MAYBE;
    if (ft_text_is_digit(payload.data[0])) {
        if (where->is_bound && payload.len < 3)
            return FT_MAYBE;
        return judge_reply(&payload, where->is_bound);
    }
    return judge_command(&payload, where->is_bound);
}

/* ---- framing -------------------------------------------------------------------------------- */

static struct ft_frame frame_command(struct ft_context *ctx, struct ftp_flow *flow,
                                     struct ft_view stream)
{
    int64_t end = ft_find_u8(&stream, '\n', ctx->scanned);
    uint32_t length = end < 0 ? stream.len : (uint32_t)end + 1;
    if (flow->is_long[0]) {
        flow->is_long[0] = end < 0;
        return ft_frame(FT_FRAME_SKIP, length);
    }
    if (length <= LINE_MAX)
        return ft_frame(end < 0 ? FT_FRAME_DELIMITER : FT_FRAME_PDU, length);
    flow->is_long[0] = 1;
    return ft_frame(FT_FRAME_PDU, LINE_MAX);
}

/* Does the line at the start of `v` end the reply that begins with `code`? */
static bool ends_reply(struct ft_view v, const uint8_t code[3])
{
    return v.len >= 4 && memcmp(v.data, code, 3) == 0 && v.data[3] != '-';
}

/* A reply of several lines ends with a line that begins with its code and a blank. */
static struct ft_frame frame_reply(struct ft_context *ctx, struct ftp_flow *flow,
                                   struct ft_view stream)
{
    bool is_multiple = reply_code(&stream) && ft_peek_u8(&stream, 3) == '-';
    uint32_t at = ctx->scanned; /* the start of a line */
    int64_t end;
    if (flow->is_long[1]) {
        end = ft_find_u8(&stream, '\n', 0);
        flow->is_long[1] = end < 0;
        return ft_frame(FT_FRAME_SKIP, end < 0 ? stream.len : (uint32_t)end + 1);
    }
    while ((end = ft_find_u8(&stream, '\n', at)) >= 0) {
        bool is_end =
            !is_multiple || ends_reply(ft_text_part(stream, at, (uint32_t)end + 1), stream.data);
        at = (uint32_t)end + 1;
        if (is_end || at >= REPLY_MAX - LINE_MAX)
            return ft_frame(FT_FRAME_PDU, at);
    }
    if (stream.len - at < LINE_MAX)
        return ft_frame(FT_FRAME_DELIMITER, at);
    flow->is_long[1] = 1;
    return ft_frame(FT_FRAME_PDU, stream.len < REPLY_MAX ? stream.len : REPLY_MAX);
}

static bool is_text(const struct ft_view *v)
{
    for (uint32_t i = 0; i < v->len && i < 8; i++)
        if (v->data[i] < ' ' && v->data[i] != '\r' && v->data[i] != '\n' && v->data[i] != '\t')
            return false;
    return true;
}

static struct ft_frame frame(struct ft_context *ctx, struct ft_view stream)
{
    struct ftp_flow *flow = ctx->flow_state;
    bool is_reply = ctx->direction == FT_TO_CLIENT;
    /* Until the content has told, the direction may be wrong. */
    if (!flow->is_greeted && !flow->is_asked)
        is_reply = ft_text_is_digit(stream.data[0]);
    if (flow->is_tls)
        return ft_frame(FT_FRAME_OPAQUE, 0);
    if (!ctx->scanned && !is_text(&stream) && stream.data[0] != IAC)
        return ft_frame(FT_FRAME_NOT_MINE, 0);
    return is_reply ? frame_reply(ctx, flow, stream) : frame_command(ctx, flow, stream);
}

/* ---- data connections ----------------------------------------------------------------------- */

/* Tell the engine which connection comes, and of what. */
static void expect_data(struct ft_context *ctx, const struct ftp_flow *flow, uint8_t command,
                        struct ft_view file)
{
    struct ftp_data_flow data = {.command = command, .is_protected = flow->is_data_protected};
    if (!flow->port)
        return;
    if (file.len > sizeof(data.name))
        file = ft_text_part(file, file.len - sizeof(data.name), file.len);
    data.name_length = (uint8_t)file.len;
    memcpy(data.name, file.data, file.len);
    ft_expect_flow(ctx, FT_TRANSPORT_TCP, flow->port, "ftp_data", &data, sizeof(data));
}

/* Numbers with commas between: h1,h2,h3,h4,p1,p2. */
static bool read_host_port(struct ft_view text, uint32_t *ip, uint16_t *port)
{
    uint32_t number[6] = {0};
    for (unsigned i = 0; i < 6; i++) {
        struct ft_view digits = ft_text_trim(ft_text_take(&text, ','));
        uint32_t n = 0;
        while (n < digits.len && n < 3 && ft_text_is_digit(digits.data[n]))
            number[i] = number[i] * 10 + (uint32_t)(digits.data[n++] - '0');
        if (!n || number[i] > 255 || (i < 5 && n != digits.len))
            return false;
    }
    *ip = number[0] << 24 | number[1] << 16 | number[2] << 8 | number[3];
    *port = (uint16_t)(number[4] << 8 | number[5]);
    return true;
}

/* |family|address|port|, with any delimiter (RFC 2428). */
static bool read_extended(struct ft_view text, struct ft_view *address, uint16_t *port)
{
    uint32_t number = 0;
    if (!text.len)
        return false;
    uint8_t delimiter = ft_u8(&text);
    ft_text_take(&text, delimiter);
    *address = ft_text_take(&text, delimiter);
    struct ft_view digits = ft_text_take(&text, delimiter);
    for (uint32_t i = 0; i < digits.len; i++) {
        if (!ft_text_is_digit(digits.data[i]) || number > UINT16_MAX)
            return false;
        number = number * 10 + (uint32_t)(digits.data[i] - '0');
    }
    *port = (uint16_t)number;
    return digits.len && number && number <= UINT16_MAX;
}

static void put_data(struct ft_context *ctx, struct ftp_flow *flow, enum mode mode, uint16_t port)
{
    flow->port = port;
    flow->mode = (uint8_t)mode;
    ft_put_uint(ctx, F_MODE, mode, NULL);
    ft_put_uint(ctx, F_DYNAMIC_PORT, port, NULL);
    expect_data(ctx, flow, 0, ft_view_empty());
}

static bool is_address(const uint8_t *ip, uint32_t address)
{
    return ((uint32_t)ip[0] << 24 | (uint32_t)ip[1] << 16 | (uint32_t)ip[2] << 8 | ip[3]) ==
           address;
}

static void read_port(struct ft_context *ctx, struct ftp_flow *flow, struct ft_view argument)
{
    uint32_t ip;
    uint16_t port;
    struct ft_view seen = ft_text_seen(argument);
    if (!read_host_port(argument, &ip, &port))
        return;
    ft_put_uint(ctx, F_DATA_IP, ip, NULL);
    put_data(ctx, flow, MODE_ACTIVE, port);
    if (port < 1024 || (ctx->ip_version == 4 && !is_address(ctx->src_ip, ip)))
        ft_violation(ctx, V_BOUNCE, &seen);
}

static void read_eprt(struct ft_context *ctx, struct ftp_flow *flow, struct ft_view argument)
{
    struct ft_view address, seen = ft_text_seen(argument);
    uint16_t port;
    if (!read_extended(argument, &address, &port))
        return;
    ft_put_string(ctx, F_DATA_IP6, address);
    put_data(ctx, flow, MODE_ACTIVE, port);
    if (port < 1024)
        ft_violation(ctx, V_BOUNCE, &seen);
}

/* ---- commands ------------------------------------------------------------------------------- */

static bool ends_with(struct ft_view name, const char *end)
{
    uint32_t n = (uint32_t)strlen(end);
    return name.len >= n && ft_text_is(ft_text_part(name, name.len - n, name.len), end);
}

static bool is_one_of(struct ft_view name, const char *const *ends, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (ends_with(name, ends[i]))
            return true;
    return false;
}

/* What a file is for, by its name: firmware, and projects of controllers. */
static void classify_file(struct ft_context *ctx, const struct ftp_flow *flow, uint8_t command,
                          struct ft_view name)
{
    static const char *const firmware[] = {".upg", ".fwu", ".fw", ".rom", ".firm", ".ldx"};
    static const char *const images[] = {".bin", ".hex", ".img"};
    static const char *const projects[] = {
        ".apx",  ".stu",  ".sta",  ".zef",  ".xef", ".acd", ".l5k", ".l5x", ".s7p", ".ap13",
        ".ap14", ".ap15", ".ap16", ".ap17", ".gxw", ".cxp", ".mwp", ".pro", ".prg"};
    bool is_image = flow->is_device && is_one_of(name, images, sizeof(images) / sizeof(*images));
    bool is_firmware = is_image || is_one_of(name, firmware, sizeof(firmware) / sizeof(*firmware));
    bool is_project = is_one_of(name, projects, sizeof(projects) / sizeof(*projects));
    bool is_store = command == FTP_STOR || command == FTP_APPE;
    if (is_store && is_firmware)
        ft_command(ctx, command, FOR_FIRMWARE);
    else if (is_store && is_project)
        ft_command(ctx, command, FOR_PROGRAM);
    else if (command == FTP_RETR && is_project)
        ft_command(ctx, command, FOR_PROGRAM);
}

static bool is_transfer(uint8_t command)
{
    return command == FTP_RETR || command == FTP_STOR || command == FTP_STOU ||
           command == FTP_APPE || command == FTP_LIST || command == FTP_NLST || command == FTP_MLSD;
}

static bool is_of_path(uint8_t command)
{
    return (is_transfer(command) && command != FTP_LIST && command != FTP_NLST) ||
           command == FTP_SIZE || command == FTP_MDTM || command == FTP_DELE ||
           command == FTP_RNFR || command == FTP_RNTO || command == FTP_CWD || command == FTP_MKD ||
           command == FTP_RMD;
}

static void read_user(struct ft_context *ctx, struct ftp_flow *flow, struct ft_view name)
{
    struct ft_view seen = ft_text_seen(name);
    ft_put_string(ctx, F_USER, name);
    flow->user_length = (uint8_t)(name.len < USER_MAX ? name.len : USER_MAX);
    memcpy(flow->user, name.data, flow->user_length);
    if (ft_text_is(name, "anonymous") || ft_text_is(name, "ftp"))
        ft_violation(ctx, V_ANONYMOUS, &seen);
    if (ft_is_hard_coded_user(name))
        ft_violation(ctx, V_HARD_CODED, &seen);
    if (ft_text_has(name, ":)")) /* vsftpd 2.3.4 opens a shell, wherever in the name it stands */
        ft_violation(ctx, V_BACKDOOR, &seen);
}

static void read_password(struct ft_context *ctx, struct ftp_flow *flow, struct ft_view password)
{
    struct ft_view user = ft_view_make(flow->user, flow->user_length, false);
    struct ft_view seen = ft_text_seen(password);
    ft_put_string(ctx, F_PASSWORD, password);
    flow->hidden_length = (uint8_t)(password.len < HIDDEN_MAX ? password.len : HIDDEN_MAX);
    memcpy(flow->hidden, password.data, flow->hidden_length);
    if (ft_text_is(user, "anonymous") || ft_text_is(user, "ftp"))
        return;
    ft_violation(ctx, V_CLEAR_TEXT, &seen);
    if (user.len && ft_is_default_login(user, password))
        ft_violation(ctx, V_DEFAULT_LOGIN, &seen);
}

static bool is_secret(uint8_t command)
{
    return command == FTP_PASS || command == FTP_ACCT ||
           (command >= FTP_MIC && command <= FTP_ENC) || command == FTP_ADAT;
}

/* Verbs of SITE whose arguments are files, modes and numbers; others change users and passwords. */
static bool is_harmless_site(struct ft_view verb)
{
    static const char *const verbs_of_site[] = {
        "chmod", "umask", "idle",  "help", "cpfr",  "cpto",     "utime",  "symlink", "chown",
        "chgrp", "mkdir", "rmdir", "who",  "alias", "cdpath",   "minfo",  "newer",   "filetype",
        "touch", "hash",  "md5",   "crc",  "quota", "dirstyle", "format", "reboot",
    };
    for (uint32_t i = 0; i < sizeof(verbs_of_site) / sizeof(verbs_of_site[0]); i++)
        if (ft_text_is(verb, verbs_of_site[i]))
            return true;
    return false;
}

/* A command line by what of it may be shown. */
struct line {
    uint8_t command; /* enum ftp_command */
    struct ft_view verb, argument;
    struct ft_view shown, hidden; /* parts of the argument; `hidden` may be all of the line */
    bool is_verb_shown;
};

/* What is no word of four letters may be a password that nobody asked for. */
static void split_argument(struct line *line)
{
    struct ft_view rest = line->argument, verb = rest;
    uint32_t shown = rest.len;
    if (line->command == FTP_SITE) {
        verb = ft_text_take(&rest, ' ');
        shown = is_harmless_site(verb) ? shown : verb.len;
    } else if (is_secret(line->command) || line->command == FTP_OTHER) {
        shown = 0;
    }
    line->shown = ft_text_part(line->argument, 0, shown);
    line->hidden = ft_text_trim(ft_text_part(line->argument, shown, line->argument.len));
    line->is_verb_shown = line->command != FTP_OTHER || line->verb.len <= VERB_MAX;
    if (!line->is_verb_shown)
        line->hidden = ft_view_make(
            line->verb.data, (uint32_t)(line->argument.data + line->argument.len - line->verb.data),
            false);
}

static struct line line_of(struct ft_view text)
{
    struct line line;
    uint32_t n = 0;
    while (n < text.len && text.data[n] > ' ')
        n++;
    line.verb = ft_text_part(text, 0, n);
    line.argument = ft_text_trim(ft_text_part(text, n, text.len));
    line.command = (uint8_t)command_of(line.verb);
    split_argument(&line);
    return line;
}

static void put_text(struct ft_context *ctx, uint32_t field, struct ft_view text)
{
    struct ft_secret_room room;
    if (ft_wants(ctx, field))
        ft_put_string(ctx, field, ft_secret_hide_text(text, &room));
}

static void put_line(struct ft_context *ctx, const struct line *line)
{
    if (line->is_verb_shown)
        ft_put_string(ctx, F_COMMAND, line->verb);
    if (line->shown.len)
        put_text(ctx, F_COMMAND_DATA, line->shown);
    if (line->hidden.len && line->command != FTP_PASS && line->command != FTP_ACCT)
        ft_put_string(ctx, F_SECRET, line->hidden);
}

static void read_argument(struct ft_context *ctx, struct ftp_flow *flow, uint8_t command,
                          struct ft_view argument)
{
    if (command == FTP_USER)
        read_user(ctx, flow, argument);
    else if (command == FTP_PASS || command == FTP_ACCT)
        read_password(ctx, flow, argument);
    else if (command == FTP_AUTH)
        ft_put_string(ctx, F_AUTH, argument);
    else if (command == FTP_PROT)
        flow->is_data_protected = ft_text_is(argument, "p");
    else if (command == FTP_PORT)
        read_port(ctx, flow, argument);
    else if (command == FTP_EPRT)
        read_eprt(ctx, flow, argument);
    if (is_of_path(command))
        put_text(ctx, F_FILE, argument);
    if (is_transfer(command)) {
        struct ft_secret_room room;
        expect_data(ctx, flow, command, ft_secret_hide_text(argument, &room));
    }
}

static void check_command(struct ft_context *ctx, uint8_t command, struct ft_view verb,
                          struct ft_view argument)
{
    struct ft_view seen = ft_text_seen(argument);
    bool is_bad = false;
    for (uint32_t i = 0; i < verb.len && i < 16; i++)
        is_bad |= !ft_text_is_word(verb.data[i]);
    if (is_bad)
        ft_violation(ctx, V_VERB, NULL);
    else if (command == FTP_OTHER)
        ft_violation(ctx, V_UNKNOWN_VERB, NULL);
    if (ctx->pdu_length > LINE_LONG)
        ft_violation(ctx, V_LONG_LINE, NULL);
    if (is_of_path(command) && (ft_text_has(argument, "/../") || ft_text_has(argument, "\\..\\") ||
                                ft_text_has(argument, "../..")))
        ft_violation(ctx, V_TRAVERSAL, &seen);
    if (!is_secret(command) && (ft_text_has(argument, "%n%n") || ft_text_has(argument, "%x%x") ||
                                ft_text_has(argument, "%s%s")))
        ft_violation(ctx, V_FORMAT, &seen);
    if ((command == FTP_SITE &&
         (ft_text_begins(argument, "cpfr") || ft_text_begins(argument, "cpto"))) ||
        (command == FTP_HELP && ft_text_has(argument, "acidbitchez")))
        ft_violation(ctx, V_SITE_COPY, &seen);
}

static void keep_command(struct ft_context *ctx, const struct line *line)
{
    struct kept kept = {.command = line->command, .is_secret = line->hidden.len > 0};
    struct ft_secret_room room;
    struct ft_view text = kept.is_secret ? line->hidden : ft_secret_hide_text(line->shown, &room);
    kept.length = (uint8_t)(text.len < sizeof(kept.argument) ? text.len : sizeof(kept.argument));
    memcpy(kept.argument, text.data, kept.length);
    ft_request(ctx, FT_SCOPE_FLOW, 0, &kept, sizeof(kept));
}

/* Telnet commands before the verb: interrupt, synch. */
static struct ft_view without_telnet(struct ft_view line)
{
    while (line.len && (line.data[0] == IAC || line.data[0] >= 0xf0))
        ft_skip(&line, 1);
    return line;
}

static void read_command(struct ft_context *ctx, struct ftp_flow *flow, struct ft_view text)
{
    struct line line = line_of(ft_text_trim(without_telnet(text)));
    if (!line.verb.len)
        return;
    flow->is_asked = 1;
    flow->last = line.command;
    ft_set_direction(ctx, FT_TO_SERVER);
    ft_set_kind(ctx, FT_KIND_REQUEST);
    ft_command(ctx, line.command, FT_ANY_QUALIFIER);
    if (line.command == FTP_RETR || line.command == FTP_STOR || line.command == FTP_APPE)
        classify_file(ctx, flow, line.command, line.argument);
    put_line(ctx, &line);
    read_argument(ctx, flow, line.command, line.argument);
    check_command(ctx, line.command, line.verb, line.argument);
    keep_command(ctx, &line);
}

/* ---- replies -------------------------------------------------------------------------------- */

/* A line of a reply without what the client sent for a secret: then, or with this command. */
static void put_reply(struct ft_context *ctx, const struct ftp_flow *flow, const struct kept *kept,
                      struct ft_view line)
{
    struct ft_secret_room first, second;
    if (kept && kept->is_secret)
        line = ft_secret_hide_echo(line, ft_view_make(kept->argument, kept->length, false),
                                   kept->length == sizeof(kept->argument), &first);
    line = ft_secret_hide_echo(line, ft_view_make(flow->hidden, flow->hidden_length, false),
                               flow->hidden_length == HIDDEN_MAX, &second);
    ft_put_string(ctx, F_REPLY, line);
}

static void put_lines(struct ft_context *ctx, const struct ftp_flow *flow, const struct kept *kept,
                      struct ft_view text, uint8_t command)
{
    char code[4];
    if (!ft_wants(ctx, F_REPLY) && !ft_wants(ctx, F_COMPLETION_CODE) && !ft_wants(ctx, F_FEATURE))
        return;
    if (reply_code(&text)) {
        snprintf(code, sizeof(code), "%03u", (unsigned)(reply_code(&text) % 1000));
        ft_put_text(ctx, F_COMPLETION_CODE, code, 3, NULL);
    }
    for (unsigned i = 0; text.len && i < 128; i++) {
        struct ft_view line = ft_text_take(&text, '\n');
        bool has_code = reply_code(&line) != 0;
        line = ft_text_trim(ft_text_part(line, has_code ? 4 : 0, line.len));
        if (command == FTP_FEAT && !has_code)
            put_text(ctx, F_FEATURE, line);
        put_reply(ctx, flow, kept, line);
    }
}

static void tell_server(struct ft_context *ctx, struct ftp_flow *flow, struct ft_view text)
{
    if (ft_text_facts(ctx, FT_SERVER, text) || ft_text_has(text, "vxworks"))
        flow->is_device = 1;
}

static void read_greeting(struct ft_context *ctx, struct ftp_flow *flow, struct ft_view text)
{
    struct ft_view line = first_line(text);
    line = ft_text_trim(ft_text_part(line, 4, line.len));
    flow->is_greeted = 1;
    struct ft_secret_room room;
    line = ft_secret_hide_text(line, &room);
    ft_put_string(ctx, F_BANNER, line);
    tell_server(ctx, flow, text);
    if (line.len)
        ft_asset(ctx, FT_SERVER, FT_FACT_DESCRIPTION, ft_text_part(line, 0, 128));
}

/* 227 has the six numbers anywhere in its text, mostly in parentheses; 229 (|||port|). */
static void read_passive(struct ft_context *ctx, struct ftp_flow *flow, uint32_t code,
                         struct ft_view text)
{
    struct ft_view address, rest = text;
    uint32_t ip;
    uint16_t port;
    int64_t open = ft_find_u8(&text, '(', 0);
    uint32_t at = open >= 0 ? (uint32_t)open + 1 : 4;
    if (open < 0)
        while (at < text.len && !ft_text_is_digit(text.data[at]))
            at++;
    rest = ft_text_part(text, at, text.len);
    if (code == 227 && read_host_port(rest, &ip, &port)) {
        ft_put_uint(ctx, F_DATA_IP, ip, NULL);
        put_data(ctx, flow, MODE_PASSIVE, port);
    } else if (code == 229 && read_extended(rest, &address, &port)) {
        put_data(ctx, flow, MODE_PASSIVE, port);
    }
}

static void act_on_reply(struct ft_context *ctx, struct ftp_flow *flow, uint32_t code,
                         uint8_t command, struct ft_view text)
{
    struct ft_view line = first_line(text);
    if (code == 227 || code == 229)
        read_passive(ctx, flow, code, line);
    if (code == 234 && (command == FTP_AUTH || command == FTP_REPLY))
        flow->is_tls = 1;
    if (code == 215) {
        put_text(ctx, F_SYST, ft_text_part(line, 4, line.len));
        tell_server(ctx, flow, line);
    }
    if (code == 530 && (command == FTP_USER || command == FTP_PASS || command == FTP_REPLY))
        ft_violation(ctx, V_LOGIN_FAILED, NULL);
}

static uint8_t name_reply(struct ft_context *ctx, const struct ftp_flow *flow, uint32_t code,
                          const struct kept *kept)
{
    bool is_greeting =
        !flow->is_greeted && !flow->is_asked && !kept && (code == 220 || code == 120);
    uint8_t command = (uint8_t)(kept          ? kept->command
                                : is_greeting ? FTP_GREETING
                                : code < 200  ? flow->last
                                              : FTP_REPLY);
    ft_set_kind(ctx, code >= 400 && code < 600 ? FT_KIND_EXCEPTION
                     : is_greeting             ? FT_KIND_UNSOLICITED
                                               : FT_KIND_RESPONSE);
    ft_command(ctx, command, FT_ANY_QUALIFIER);
    return command;
}

static void put_command(struct ft_context *ctx, const struct kept *kept)
{
    const char *verb = ftp_verb(kept->command);
    if (verb)
        ft_put_text(ctx, F_COMMAND, verb, (uint32_t)strlen(verb), NULL);
    if (kept->length && !kept->is_secret)
        ft_put_text(ctx, F_COMMAND_DATA, kept->argument, kept->length, NULL);
}

static void read_reply(struct ft_context *ctx, struct ftp_flow *flow, struct ft_view text)
{
    uint32_t code = reply_code(&text);
    ft_set_direction(ctx, FT_TO_CLIENT);
    /* A preliminary reply is followed by the one that answers. */
    const struct kept *kept = code >= 200 ? ft_response(ctx, FT_SCOPE_FLOW, 0) : NULL;
    uint8_t command = name_reply(ctx, flow, code, kept);
    if (kept)
        put_command(ctx, kept);
    ft_put_text(ctx, F_REPLY_RECEIVED, "yes", 3, NULL);
    put_lines(ctx, flow, kept, text, command);
    if (!code)
        ft_violation(ctx, V_REPLY, NULL);
    if (command == FTP_GREETING)
        read_greeting(ctx, flow, text);
    else if (code >= 200 && code != 421 && flow->is_greeted && !flow->is_asked &&
             !ctx->is_midstream)
        ft_violation(ctx, V_EARLY_REPLY, NULL);
    act_on_reply(ctx, flow, code, command, text);
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    struct ftp_flow *flow = ctx->flow_state;
    struct ft_view text = ft_rest(pdu);
    bool is_reply = ctx->direction == FT_TO_CLIENT;
    if (!flow->is_greeted && !flow->is_asked)
        is_reply = text.len && ft_text_is_digit(text.data[0]);
    if (is_reply)
        read_reply(ctx, flow, text);
    else
        read_command(ctx, flow, text);
}

const struct ft_dissector ft_dissector_ftp = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "ftp",
    .title = "FTP",
    .specification = "RFC 959, RFC 2228, RFC 2428, RFC 4217",
    .carried_by = FT_TABLE(carriers),
    .signatures = FT_TABLE(signatures),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .max_pdu = REPLY_MAX,
    .flow_state_size = sizeof(struct ftp_flow),
    .probe = probe,
    .frame = frame,
    .dissect = dissect,
};
