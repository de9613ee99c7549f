/* SPDX-License-Identifier: BSD-3-Clause */
/* Telnet commands and options: RFC 854, RFC 1091, RFC 1073, RFC 1079, RFC 1572, RFC 2217, RFC 2946.
 */
#include "telnet.h"

enum option {
    OPTION_TERMINAL = 24,
    OPTION_WINDOW = 31,
    OPTION_SPEED = 32,
    OPTION_DISPLAY = 35,
    OPTION_ENVIRONMENT = 36,
    OPTION_ENCRYPTION = 38,
    OPTION_NEW_ENVIRONMENT = 39,
    OPTION_COM_PORT = 44,
    OPTION_TLS = 46,
};

enum {
    IS = 0,
    ENV_VAR = 0,
    ENV_VALUE = 1,
    ENV_ESC = 2,
    ENV_USERVAR = 3,
    ENV_SEND = 1,
    ENV_NAME_MAX = 256,
    ENCRYPT_START = 3,
    ENCRYPT_KEY_ID = 7,
    DECRYPT_KEY_ID = 8,
    KEY_ID_MAX = 64,
    TLS_FOLLOWS = 1,
    COM_SETTINGS = 5, /* commands 1 to 5 set parameters */
};

/* A name as it is meant: without what escapes the bytes in it (RFC 1572). */
static struct ft_view unescaped(struct ft_view name, uint8_t to[ENV_NAME_MAX])
{
    uint32_t n = 0;
    while (name.len && n < ENV_NAME_MAX) {
        uint8_t c = ft_u8(&name);
        if (c == ENV_ESC || c == TELNET_IAC)
            c = ft_u8(&name);
        to[n++] = c;
    }
    return ft_view_make(to, n, false);
}

static void put_variable(struct ft_context *ctx, struct ft_view name, struct ft_view value)
{
    uint8_t bytes[ENV_NAME_MAX];
    bool is_secret = ft_secret_of(unescaped(name, bytes)) != FT_SECRET_NONE;
    ft_group_begin(ctx, TELNET_F_ENV);
    telnet_put_text(ctx, TELNET_F_ENV_NAME, name);
    if (is_secret)
        ft_put_string(ctx, TELNET_F_ENV_SECRET, value);
    else
        telnet_put_text(ctx, TELNET_F_ENV_VALUE, value);
    ft_group_end(ctx, TELNET_F_ENV);
    if (ft_text_is(name, "user"))
        telnet_check_user(ctx, value);
}

/* Variables: VAR name [VALUE value], any number of them. */
static void read_environment(struct ft_context *ctx, struct ft_view data)
{
    if (ft_u8(&data) == ENV_SEND)
        return;
    while (data.len) {
        uint8_t type = ft_u8(&data);
        uint32_t n = 0, value = UINT32_MAX;
        for (; n < data.len && data.data[n] != ENV_VAR && data.data[n] != ENV_USERVAR; n++) {
            if (data.data[n] == ENV_VALUE && value == UINT32_MAX)
                value = n;
            n += data.data[n] == ENV_ESC && n + 1 < data.len;
        }
        struct ft_view one = ft_sub(&data, n);
        if (type != ENV_VAR && type != ENV_USERVAR)
            continue;
        struct ft_view text =
            value == UINT32_MAX ? ft_view_empty() : ft_text_part(one, value + 1, one.len);
        put_variable(ctx, ft_text_part(one, 0, value), text);
    }
}

/* The last parameter of DECRYPT and ENCRYPT is a name that some servers copy without a look. */
static void read_encryption(struct ft_context *ctx, struct telnet_flow *flow, struct ft_view data)
{
    uint8_t command = ft_u8(&data);
    struct ft_view seen = ft_text_seen(data);
    if ((command == ENCRYPT_KEY_ID || command == DECRYPT_KEY_ID) && data.len > KEY_ID_MAX)
        ft_violation(ctx, TELNET_V_KEY_ID, &seen);
    if (command == ENCRYPT_START)
        flow->is_opaque[ctx->direction == FT_TO_CLIENT] = 1;
}

static void read_com_port(struct ft_context *ctx, struct ft_view data)
{
    enum {
        SERVER_OFFSET = 100
    };
    uint8_t command = ft_u8(&data);
    command = command >= SERVER_OFFSET ? (uint8_t)(command - SERVER_OFFSET) : command;
    ft_put_uint(ctx, TELNET_F_COM_PORT, command, &data);
    if (command && data.len && data.len <= 4)
        ft_put_uint(ctx, TELNET_F_COM_VALUE, ft_uint_be(&data, data.len), &data);
}

/* Text of an option that is told by IS. */
static void put_is(struct ft_context *ctx, uint32_t field, struct ft_view data)
{
    if (ft_u8(&data) == IS)
        ft_put_string(ctx, field, data);
}

static void read_option(struct ft_context *ctx, struct telnet_flow *flow, uint8_t option,
                        struct ft_view data)
{
    switch (option) {
    case OPTION_TERMINAL:
        put_is(ctx, TELNET_F_TERM, data);
        break;
    case OPTION_SPEED:
        put_is(ctx, TELNET_F_SPEED, data);
        break;
    case OPTION_DISPLAY:
        put_is(ctx, TELNET_F_DISPLAY, data);
        break;
    case OPTION_WINDOW:
        if (data.len < 4)
            break;
        ft_put_uint(ctx, TELNET_F_COLUMNS, ft_u16be(&data), &data);
        ft_put_uint(ctx, TELNET_F_ROWS, ft_u16be(&data), &data);
        break;
    case OPTION_ENVIRONMENT:
    case OPTION_NEW_ENVIRONMENT:
        read_environment(ctx, data);
        break;
    case OPTION_ENCRYPTION:
        read_encryption(ctx, flow, data);
        break;
    case OPTION_COM_PORT:
        read_com_port(ctx, data);
        break;
    case OPTION_TLS:
        if (ft_u8(&data) == TLS_FOLLOWS)
            flow->is_opaque[ctx->direction == FT_TO_CLIENT] = 1;
        break;
    default:
        break;
    }
}

static bool is_serial_setting(uint8_t option, const struct ft_view *data)
{
    int command = ft_peek_u8(data, 0);
    return option == OPTION_COM_PORT && command >= 1 && command <= COM_SETTINGS;
}

void telnet_read_command(struct ft_context *ctx, struct telnet_flow *flow, struct ft_view *pdu)
{
    ft_skip(pdu, 1);
    uint8_t code = ft_u8(pdu);
    ft_set_kind(ctx, FT_KIND_REQUEST);
    ft_command(ctx, code, FT_ANY_QUALIFIER);
    if (code < TELNET_EOF)
        ft_violation(ctx, TELNET_V_UNKNOWN_COMMAND, pdu);
    if (code < TELNET_SB || code > TELNET_DONT) {
        ft_rest(pdu);
        return;
    }
    uint8_t option = ft_u8(pdu);
    uint32_t tail = code == TELNET_SB && pdu->len >= 2 ? 2 : 0;
    struct ft_view data = ft_text_part(*pdu, 0, pdu->len - tail);
    if (code == TELNET_SB && is_serial_setting(option, &data))
        ft_set_class(ctx, FT_CLASS_CONFIG);
    ft_put_uint(ctx, TELNET_F_OPTION, option, pdu);
    if (code == TELNET_SB)
        read_option(ctx, flow, option, data);
    if (flow->is_deep[ctx->direction == FT_TO_CLIENT])
        ft_violation(ctx, TELNET_V_LONG_SUB, NULL);
    ft_rest(pdu);
}
