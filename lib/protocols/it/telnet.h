/* SPDX-License-Identifier: BSD-3-Clause */
/* Telnet: what framing, options and the login share. */
#ifndef FT_PROTOCOLS_TELNET_H
#define FT_PROTOCOLS_TELNET_H

#include "secret.h"

enum {
    TELNET_IAC = 0xff,
    TELNET_LINE_MAX = 8192,
    TELNET_SUB_MAX = 4096,
    TELNET_USER_MAX = 24,
    TELNET_HIDDEN_MAX = 23, /* bytes of the last password that are known again */
};

/* Telnet commands (RFC 854, RFC 1184), and what is told of lines. */
enum telnet_command {
    TELNET_EOF = 236,
    TELNET_SE = 240,
    TELNET_SB = 250,
    TELNET_WILL = 251,
    TELNET_WONT,
    TELNET_DO,
    TELNET_DONT,
    TELNET_USER = 300, /* a line of the client that is a user name */
    TELNET_PASSWORD,
    TELNET_LINE,
    TELNET_BANNER, /* a line of the server */
    TELNET_PROMPT,
    TELNET_RESULT, /* of a login */
};

/* Where the login is. Zero: nothing is known, lines of the client may be secret. */
enum telnet_state {
    TELNET_BEFORE = 0,
    TELNET_WANT_USER,
    TELNET_WANT_PASSWORD,
    TELNET_JUDGING, /* behind the password */
    TELNET_INSIDE,  /* at a shell */
};

/* Flow state. */
struct telnet_flow {
    uint8_t state;      /* enum telnet_state */
    uint8_t lines;      /* of the server that were told */
    uint8_t is_long[2]; /* inside a line that is too long, by direction */
    uint8_t is_deep[2]; /* inside a sub-negotiation that is too long, by direction */
    uint8_t is_opaque[2];
    uint8_t is_described, is_vxworks, is_device;
    uint8_t step; /* of enable, system, shell, sh */
    uint8_t user_length;
    char user[TELNET_USER_MAX];
    uint8_t hidden_length;
    char hidden[TELNET_HIDDEN_MAX]; /* the last password: some servers repeat it */
};

_Static_assert(sizeof(struct telnet_flow) <= FT_MAX_FLOW_STATE, "flow state");

enum telnet_field {
    TELNET_ROOT,
    TELNET_F_OPTION,
    TELNET_F_TERM,
    TELNET_F_COLUMNS,
    TELNET_F_ROWS,
    TELNET_F_SPEED,
    TELNET_F_DISPLAY,
    TELNET_F_ENV,
    TELNET_F_ENV_NAME,
    TELNET_F_ENV_VALUE,
    TELNET_F_ENV_SECRET,
    TELNET_F_COM_PORT,
    TELNET_F_COM_VALUE,
    TELNET_F_USER,
    TELNET_F_PASSWORD,
    TELNET_F_RESULT,
    TELNET_F_BANNER,
    TELNET_F_PROMPT,
    TELNET_F_LINE,
    TELNET_F_SECRET_LINE,
};

enum telnet_violation {
    TELNET_V_LONG_SUB,
    TELNET_V_LONG_LINE,
    TELNET_V_UNKNOWN_COMMAND,
    TELNET_V_KEY_ID,
    TELNET_V_BYPASS,
    TELNET_V_CLEAR_TEXT,
    TELNET_V_DEFAULT_LOGIN,
    TELNET_V_LOGIN_FAILED,
    TELNET_V_BOTNET,
    TELNET_V_FILE_DROP,
    TELNET_V_VXWORKS,
};

/* What the end of a server's text asks for. */
enum telnet_prompt {
    TELNET_ASKS_NOTHING,
    TELNET_ASKS_USER,
    TELNET_ASKS_PASSWORD,
    TELNET_ASKS_COMMAND,
};

/* telnet_login.c */
enum telnet_prompt telnet_prompt(struct ft_view text);

/* Does a text end with the question for a user's name or password that every login has? */
bool telnet_is_login(struct ft_view text);

/* Does a line of the server that has an end ask for a password? */
bool telnet_asks_secret(struct ft_view line);
void telnet_read_server(struct ft_context *ctx, struct telnet_flow *flow, struct ft_view text);
void telnet_read_client(struct ft_context *ctx, struct telnet_flow *flow, struct ft_view text);

/* Put text without the secrets in it. */
void telnet_put_text(struct ft_context *ctx, uint32_t field, struct ft_view text);

/* telnet_options.c: a command that begins with IAC. */
void telnet_read_command(struct ft_context *ctx, struct telnet_flow *flow, struct ft_view *pdu);

/* User names that make login programs skip the password: CVE-2007-0882. */
void telnet_check_user(struct ft_context *ctx, struct ft_view user);

#endif
