/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Telnet: tables and framing.
 *
 * A stream of text in each direction with commands in it: IAC (255) and a code; of options IAC,
 * WILL/WONT/DO/DONT and the option; IAC SB option .. IAC SE. A PDU is one such command, or one line
 * of text; of the server's text also a prompt, which has no line end. Behind the login the server's
 * text is skipped, but for prompts.
 *
 * Specification: RFC 854, RFC 855, RFC 1091, RFC 1073, RFC 1572, RFC 2217, RFC 2946.
 */
#include "telnet.h"

enum {
    LINES_TOLD = 64, /* of the server before and behind the login */
    PROMPT_MAX = 80,
    OPTION_LAST = 49, /* of those that are assigned in a row */
    OPTION_EXTENDED = 255,
};

/* clang-format off */
static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_TCP, .value = 23},
    {.kind = FT_CARRIER_TCP, .value = 2323},
    {.kind = FT_CARRIER_TCP, .value = FT_ANY_SELECTOR},
};

static const struct ft_signature signatures[] = {
    {"^\\xff[\\xfb-\\xfe][\\x00-\\x31](\\xff[\\xfa-\\xfe]|$)", FT_SIGNATURE_TCP, 0},
    {"([Ll]ogin|[Uu]sername|[Pp]assword): ?$", FT_SIGNATURE_TCP, 0},
};

static const struct ft_name option_names[] = {
    {0, "binary"}, {1, "echo"}, {2, "reconnection"}, {3, "suppress_go_ahead"}, {5, "status"},
    {6, "timing_mark"}, {24, "terminal_type"}, {25, "end_of_record"}, {31, "window_size"},
    {32, "terminal_speed"}, {33, "flow_control"}, {34, "line_mode"}, {35, "x_display"},
    {36, "environment"}, {37, "authentication"}, {38, "encryption"}, {39, "new_environment"},
    {40, "tn3270e"}, {41, "xauth"}, {42, "charset"}, {44, "com_port"}, {45, "suppress_local_echo"},
    {46, "start_tls"}, {47, "kermit"}, {255, "extended"}, {0, NULL},
};

static const struct ft_name com_port_names[] = {
    {0, "signature"}, {1, "set_baud_rate"}, {2, "set_data_size"}, {3, "set_parity"},
    {4, "set_stop_size"}, {5, "set_control"}, {6, "notify_line_state"}, {7, "notify_modem_state"},
    {8, "flow_control_suspend"}, {9, "flow_control_resume"}, {10, "set_line_state_mask"},
    {11, "set_modem_state_mask"}, {12, "purge_data"}, {0, NULL},
};

#define FIELD(name, title, parent, type, names, flags, ...) \
    {name, title, names, parent, FT_TYPE_##type, flags, __VA_ARGS__ + 0}

static const struct ft_field fields[] = {
    [TELNET_ROOT] = FIELD("telnet", "Telnet", 0, GROUP, NULL, 0),
    [TELNET_F_OPTION] = FIELD("option", "Option that is negotiated", 0, ENUM, option_names, 0, 8),
    [TELNET_F_TERM] = FIELD("term", "Terminal type", 0, STRING, NULL, 0),
    [TELNET_F_COLUMNS] = FIELD("columns", "Columns of the window", 0, UINT, NULL, 0, 16),
    [TELNET_F_ROWS] = FIELD("rows", "Rows of the window", 0, UINT, NULL, 0, 16),
    [TELNET_F_SPEED] = FIELD("speed", "Terminal speed", 0, STRING, NULL, 0),
    [TELNET_F_DISPLAY] = FIELD("display", "X display", 0, STRING, NULL, 0),
    [TELNET_F_ENV] = FIELD("env", "Variable of the environment", 0, GROUP, NULL, FT_FIELD_LIST),
    [TELNET_F_ENV_NAME] = FIELD("name", "Name", TELNET_F_ENV, STRING, NULL, 0),
    [TELNET_F_ENV_VALUE] = FIELD("value", "Value", TELNET_F_ENV, STRING, NULL, 0),
    [TELNET_F_ENV_SECRET] = FIELD("secret", "Value of a variable that is a password, a key or a token", TELNET_F_ENV, STRING, NULL, FT_FIELD_SECRET),
    [TELNET_F_COM_PORT] = FIELD("com_port", "Command of the serial port", 0, ENUM, com_port_names, 0, 8),
    [TELNET_F_COM_VALUE] = FIELD("com_value", "Its value", 0, UINT, NULL, 0),
    [TELNET_F_USER] = FIELD("user", "User name", 0, STRING, NULL, 0),
    [TELNET_F_PASSWORD] = FIELD("password", "Password", 0, STRING, NULL, FT_FIELD_SECRET),
    [TELNET_F_RESULT] = FIELD("result", "What became of the login", 0, STRING, NULL, 0),
    [TELNET_F_BANNER] = FIELD("banner", "Line of the server", 0, STRING, NULL, 0),
    [TELNET_F_PROMPT] = FIELD("prompt", "Prompt of the server", 0, STRING, NULL, 0),
    [TELNET_F_LINE] = FIELD("cmdline", "Line of the client", 0, STRING, NULL, 0),
    [TELNET_F_SECRET_LINE] = FIELD("secret_line", "Line that may be, or hold, a password", 0, STRING, NULL, FT_FIELD_SECRET),
};

#define COMMAND(code, name, class) {code, FT_ANY_QUALIFIER, name, FT_CLASS_##class, {0}, NULL}

static const struct ft_command commands[] = {
    COMMAND(TELNET_EOF, "eof", SESSION), COMMAND(237, "suspend", SESSION), COMMAND(238, "abort", SESSION),
    COMMAND(239, "end_of_record", SESSION), COMMAND(TELNET_SE, "se", SESSION), COMMAND(241, "nop", SESSION),
    COMMAND(242, "data_mark", SESSION), COMMAND(243, "break", SESSION), COMMAND(244, "interrupt", SESSION),
    COMMAND(245, "abort_output", SESSION), COMMAND(246, "are_you_there", SESSION),
    COMMAND(247, "erase_character", SESSION), COMMAND(248, "erase_line", SESSION), COMMAND(249, "go_ahead", SESSION),
    COMMAND(TELNET_SB, "subnegotiation", SESSION), COMMAND(TELNET_WILL, "will", SESSION),
    COMMAND(TELNET_WONT, "wont", SESSION), COMMAND(TELNET_DO, "do", SESSION), COMMAND(TELNET_DONT, "dont", SESSION),
    COMMAND(TELNET_USER, "user", AUTH), COMMAND(TELNET_PASSWORD, "password", AUTH),
    COMMAND(TELNET_LINE, "line", CONFIG), COMMAND(TELNET_BANNER, "banner", DATA),
    COMMAND(TELNET_PROMPT, "prompt", DATA), COMMAND(TELNET_RESULT, "login_result", AUTH),
};

#define ROW(name, title, category, mitre, severity, engine, alerts) \
    {name, title, NULL, category, mitre, FT_SEVERITY_##severity, FT_ENGINE_##engine, FT_ALERT_##alerts, {0}}
#define EVENT(...) ROW(__VA_ARGS__, NEVER)
#define ALERT(...) ROW(__VA_ARGS__, EACH)

static const struct ft_violation violations[] = {
    [TELNET_V_LONG_SUB] = EVENT("long_subnegotiation", "Telnet option data without an end", "Buffer overflow", "T0866", MAJOR, PROTOCOL),
    [TELNET_V_LONG_LINE] = EVENT("long_line", "Telnet line of abnormal length", "Buffer overflow", "T0866", MINOR, PROTOCOL),
    [TELNET_V_UNKNOWN_COMMAND] = EVENT("unknown_command", "Telnet command that is not known", NULL, "T0869", WARNING, PROTOCOL),
    [TELNET_V_KEY_ID] = ALERT("long_key_id", "Telnet encryption key name that overflows a server (CVE-2011-4862)", "Buffer overflow", "T0866", CRITICAL, MALWARE),
    [TELNET_V_BYPASS] = ALERT("login_bypass", "Telnet user name that bypasses the password", "Authentication", "T0866", CRITICAL, MALWARE),
    [TELNET_V_CLEAR_TEXT] = EVENT("credential_clear_text", "Password sent in clear text over Telnet", "Authentication", "T0859", MINOR, POLICY),
    [TELNET_V_DEFAULT_LOGIN] = ALERT("default_login", "Telnet login with a password that devices are delivered with", "Authentication", "T0812", MAJOR, POLICY),
    [TELNET_V_LOGIN_FAILED] = EVENT("login_failed", "Telnet login failed", "Authentication", "T0812", MINOR, POLICY),
    [TELNET_V_BOTNET] = ALERT("botnet_commands", "Commands with which worms try a Telnet shell", NULL, "T0866 T0807", CRITICAL, MALWARE),
    [TELNET_V_FILE_DROP] = EVENT("file_drop", "File brought in through a Telnet shell", NULL, "T0867", MAJOR, MALWARE),
    [TELNET_V_VXWORKS] = EVENT("vxworks_shell", "VxWorks shell command that changes memory or starts code", NULL, "T0807 T0816", MAJOR, POLICY),
};
/* clang-format on */

/* ---- recognition ---------------------------------------------------------------------------- */

static bool is_printable(struct ft_view text)
{
    for (uint32_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c < ' ' && c != '\r' && c != '\n' && c != '\t' && c != 0 && c != 7 && c != 8 &&
            c != 0x1b && c != 3 && c != 4)
            return false;
    }
    return true;
}

/* Options in a row: three bytes that look like one may be anything. */
static uint32_t negotiations(struct ft_view v)
{
    uint32_t n = 0;
    while (v.len >= 3 && v.data[0] == TELNET_IAC && v.data[1] >= TELNET_WILL &&
           v.data[1] <= TELNET_DONT && (v.data[2] <= OPTION_LAST || v.data[2] == OPTION_EXTENDED)) {
        ft_skip(&v, 3);
        n++;
    }
    return n;
}

static enum ft_verdict probe(const struct ft_probe *where, struct ft_view payload)
{
    uint32_t options = negotiations(payload);
    int first = ft_peek_u8(&payload, 0), second = ft_peek_u8(&payload, 1);
    if (!payload.len)
        return FT_MAYBE;
    if (where->is_bound) {
        if (first == TELNET_IAC)
            return second < 0 ? FT_MAYBE : second >= TELNET_EOF ? FT_YES : FT_NO;
        return is_printable(ft_text_part(payload, 0, 64)) ? FT_YES : FT_NO;
    }
    if (options)
        return options >= 2 || ft_peek_u8(&payload, 4) == TELNET_SB ? FT_YES : FT_MAYBE;
    return telnet_is_login(payload) && payload.len <= 1024 && is_printable(payload) ? FT_YES
                                                                                    : FT_NO;
}

/* ---- framing -------------------------------------------------------------------------------- */

/* Offset behind the next IAC SE, 0 when there is none. IAC IAC is a byte of data. */
static uint32_t sub_end(const struct ft_view *v, uint32_t from)
{
    int64_t at = from;
    while ((at = ft_find_u8(v, TELNET_IAC, (uint32_t)at)) >= 0) {
        int next = ft_peek_u8(v, (uint32_t)at + 1);
        if (next == TELNET_SE)
            return (uint32_t)at + 2;
        at += next < 0 ? 1 : 2;
    }
    return 0;
}

/* Before the last byte, which may be the first half of IAC SE. */
static uint32_t without_last_iac(const struct ft_view *v)
{
    return v->data[v->len - 1] == TELNET_IAC ? v->len - 1 : v->len;
}

static struct ft_frame frame_sub(struct ft_context *ctx, struct telnet_flow *flow, unsigned way,
                                 struct ft_view stream)
{
    uint32_t end = sub_end(&stream, ctx->scanned > 3 ? ctx->scanned : 2);
    if (end && end <= TELNET_SUB_MAX)
        return ft_frame(FT_FRAME_PDU, end);
    if (!end && stream.len < TELNET_SUB_MAX)
        return ft_frame(FT_FRAME_DELIMITER, without_last_iac(&stream));
    flow->is_deep[way] = 1;
    return ft_frame(FT_FRAME_PDU, TELNET_SUB_MAX);
}

static struct ft_frame skip_sub(struct telnet_flow *flow, unsigned way, struct ft_view stream)
{
    uint32_t end = sub_end(&stream, 0), rest = without_last_iac(&stream);
    if (!end)
        return rest ? ft_frame(FT_FRAME_SKIP, rest) : ft_frame(FT_FRAME_NEED, 2);
    flow->is_deep[way] = 0;
    return ft_frame(FT_FRAME_SKIP, end);
}

static struct ft_frame frame_command(struct ft_context *ctx, struct telnet_flow *flow, unsigned way,
                                     struct ft_view stream)
{
    int code = ft_peek_u8(&stream, 1);
    if (code < 0)
        return ft_frame(FT_FRAME_NEED, 2);
    if (code == TELNET_SB)
        return frame_sub(ctx, flow, way, stream);
    return ft_frame(FT_FRAME_PDU, code >= TELNET_WILL && code <= TELNET_DONT ? 3 : 2);
}

/* Offset of the next end of a line or, in the server's text, of a command; -1: none. */
static int64_t text_end(const struct ft_view *v, uint32_t from, bool is_server)
{
    for (uint32_t i = from; i < v->len; i++) {
        uint8_t c = v->data[i];
        if (c == '\r' || c == '\n')
            return i;
        if (c != TELNET_IAC)
            continue;
        if (is_server && i > 0 && ft_peek_u8(v, i + 1) != TELNET_IAC)
            return i;
        i++;
    }
    return -1;
}

/* A line with what ends it: CR LF, CR NUL, CR, LF. */
static uint32_t with_end(const struct ft_view *v, int64_t end)
{
    uint32_t at = (uint32_t)end;
    if (v->data[at] == TELNET_IAC)
        return at;
    int next = ft_peek_u8(v, at + 1);
    return v->data[at] == '\r' && (next == '\n' || next == 0) ? at + 2 : at + 1;
}

/* Line ends alone, and the second half of one whose first half was taken. */
static uint32_t blank(const struct ft_view *v)
{
    uint32_t n = 0;
    while (n < v->len && (v->data[n] == '\n' || v->data[n] == 0))
        n++;
    return n;
}

static struct ft_frame frame_client(struct ft_context *ctx, struct telnet_flow *flow,
                                    struct ft_view stream)
{
    int64_t end = text_end(&stream, ctx->scanned, false);
    uint32_t length = end < 0 ? stream.len : with_end(&stream, end);
    if (flow->is_long[0]) {
        flow->is_long[0] = end < 0;
        return ft_frame(FT_FRAME_SKIP, length);
    }
    if (end >= 0 && length <= TELNET_LINE_MAX)
        return ft_frame(FT_FRAME_PDU, length);
    if (length <= TELNET_LINE_MAX)
        return ft_frame(FT_FRAME_DELIMITER, without_last_iac(&stream));
    flow->is_long[0] = 1;
    return ft_frame(FT_FRAME_PDU, TELNET_LINE_MAX);
}

/* Is the text of the server worth a message? Prompts always are. */
static bool is_told(const struct telnet_flow *flow)
{
    return flow->state != TELNET_INSIDE && flow->lines < LINES_TOLD;
}

static struct ft_frame frame_server(struct ft_context *ctx, struct telnet_flow *flow,
                                    struct ft_view stream)
{
    int64_t end = text_end(&stream, ctx->scanned, true);
    uint32_t length = end < 0 ? stream.len : with_end(&stream, end);
    struct ft_view text = ft_text_part(stream, 0, end < 0 ? stream.len : (uint32_t)end);
    bool is_line = end >= 0 && stream.data[end] != TELNET_IAC;
    enum telnet_prompt asks = is_line ? TELNET_ASKS_NOTHING : telnet_prompt(text);
    if (flow->is_long[1]) {
        flow->is_long[1] = end < 0;
        return ft_frame(FT_FRAME_SKIP, length);
    }
    if (asks != TELNET_ASKS_NOTHING &&
        (asks != TELNET_ASKS_COMMAND || flow->state != TELNET_INSIDE))
        return ft_frame(FT_FRAME_PDU, length);
    if (end >= 0 && length <= TELNET_LINE_MAX)
        return ft_frame(is_told(flow) || ft_text_has(text, "applet not found") ||
                                telnet_asks_secret(text)
                            ? FT_FRAME_PDU
                            : FT_FRAME_SKIP,
                        length);
    if (!is_told(flow) && length > PROMPT_MAX)
        return ft_frame(FT_FRAME_SKIP, without_last_iac(&stream));
    if (length < TELNET_LINE_MAX)
        return ft_frame(FT_FRAME_DELIMITER, without_last_iac(&stream));
    flow->is_long[1] = 1;
    return ft_frame(FT_FRAME_PDU, TELNET_LINE_MAX);
}

static struct ft_frame frame(struct ft_context *ctx, struct ft_view stream)
{
    struct telnet_flow *flow = ctx->flow_state;
    unsigned way = ctx->direction == FT_TO_CLIENT;
    uint32_t ends = blank(&stream);
    if (flow->is_opaque[way])
        return ft_frame(FT_FRAME_OPAQUE, 0);
    if (flow->is_deep[way])
        return skip_sub(flow, way, stream);
    if (stream.data[0] == TELNET_IAC) {
        int next = ft_peek_u8(&stream, 1);
        if (next != TELNET_IAC)
            return frame_command(ctx, flow, way, stream);
    }
    if (ends && !ctx->scanned)
        return ft_frame(FT_FRAME_SKIP, ends);
    return way ? frame_server(ctx, flow, stream) : frame_client(ctx, flow, stream);
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    struct telnet_flow *flow = ctx->flow_state;
    bool is_command = ft_peek_u8(pdu, 0) == TELNET_IAC && ft_peek_u8(pdu, 1) != TELNET_IAC;
    if (is_command) {
        telnet_read_command(ctx, flow, pdu);
        return;
    }
    struct ft_view text = ft_rest(pdu);
    if (ctx->direction == FT_TO_CLIENT)
        telnet_read_server(ctx, flow, text);
    else
        telnet_read_client(ctx, flow, text);
}

const struct ft_dissector ft_dissector_telnet = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "telnet",
    .title = "Telnet",
    .specification = "RFC 854, RFC 855, RFC 1091, RFC 1572, RFC 2217",
    .carried_by = FT_TABLE(carriers),
    .signatures = FT_TABLE(signatures),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .flags = FT_DISSECTOR_OWN_CLASSES | FT_DISSECTOR_UNANSWERED,
    .max_pdu = TELNET_LINE_MAX + 2,
    .flow_state_size = sizeof(struct telnet_flow),
    .probe = probe,
    .frame = frame,
    .dissect = dissect,
};
