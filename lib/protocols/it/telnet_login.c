/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Telnet logins and what is typed behind them. The server's prompts say what the client's next line
 * is; a line of which nobody knows what it is counts as secret.
 */
#include "telnet.h"

enum {
    TEXT_MAX = 512,
    APPLET_MIN = 4, /* letters of what worms ask BusyBox for */
};

/* ---- text ----------------------------------------------------------------------------------- */

/* The text without Telnet commands, line ends and what was erased (backspace, delete). */
static struct ft_view plain(struct ft_view text, uint8_t to[TEXT_MAX])
{
    uint32_t n = 0;
    while (text.len && n < TEXT_MAX) {
        uint8_t c = ft_u8(&text);
        if (c == TELNET_IAC) {
            uint8_t code = ft_u8(&text);
            if (code >= TELNET_WILL && code <= TELNET_DONT)
                ft_u8(&text);
            if (code != TELNET_IAC)
                continue;
        }
        if (c == 8 || c == 0x7f)
            n -= n > 0;
        else if (c != '\r' && c != '\n' && c != 0)
            to[n++] = c;
    }
    return ft_view_make(to, n, false);
}

static void put(struct ft_context *ctx, uint32_t field, struct ft_view text)
{
    ft_put_text(ctx, field, (const char *)text.data, text.len, NULL);
}

void telnet_put_text(struct ft_context *ctx, uint32_t field, struct ft_view text)
{
    struct ft_secret_room room;
    if (ft_wants(ctx, field))
        ft_put_string(ctx, field, ft_secret_hide_text(text, &room));
}

/* Text of the server, without the password that was typed last where it is repeated. */
static struct ft_view without_echo(const struct telnet_flow *flow, struct ft_view text,
                                   struct ft_secret_room *room)
{
    return ft_secret_hide_echo(text, ft_view_make(flow->hidden, flow->hidden_length, false),
                               flow->hidden_length == TELNET_HIDDEN_MAX, room);
}

static bool ends_with(struct ft_view text, const char *end)
{
    uint32_t n = (uint32_t)strlen(end);
    return text.len >= n && ft_text_is(ft_text_part(text, text.len - n, text.len), end);
}

static bool ends_with_one(struct ft_view text, const char *const *ends, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (ends_with(text, ends[i]))
            return true;
    return false;
}

/* Is one of the words of a prompt that of a password, a key, a code? */
static bool has_secret_word(struct ft_view text)
{
    static const char *const codes[] = {"pin", "code", "otp", "token"};
    while (text.len) {
        struct ft_view word = ft_text_trim(ft_text_take(&text, ' '));
        while (word.len && !ft_text_is_word(word.data[word.len - 1]))
            word.len--;
        enum ft_secret kind = ft_secret_of(word);
        if (kind == FT_SECRET_PASSWORD || (kind == FT_SECRET_KEY && !ft_text_is(word, "key")) ||
            ends_with_one(word, codes, sizeof(codes) / sizeof(codes[0])))
            return true;
    }
    return false;
}

static struct ft_view tail(struct ft_view text)
{
    return ft_text_trim(ft_text_part(text, text.len > 80 ? text.len - 80 : 0, text.len));
}

static uint32_t words_of(struct ft_view text)
{
    uint32_t n = 0;
    while (text.len)
        n += ft_text_trim(ft_text_take(&text, ' ')).len > 0;
    return n;
}

bool telnet_asks_secret(struct ft_view line)
{
    enum {
        WORDS_MAX = 4 /* "Enter the new password:"; longer lines tell something */
    };
    line = tail(line);
    if (!line.len || line.data[line.len - 1] != ':' || words_of(line) > WORDS_MAX)
        return false;
    while (ft_find_u8(&line, ' ', 0) >= 0)
        ft_text_take(&line, ' ');
    return has_secret_word(line);
}

static bool asks_user(struct ft_view text)
{
    static const char *const users[] = {"login", "username", "user name", "user", "account"};
    return ends_with_one(text, users, sizeof(users) / sizeof(users[0]));
}

/* "Password>" asks for one; "root@h:/etc/passwd>" and "Change the password?" do not. */
static bool is_one_word(struct ft_view text)
{
    for (uint32_t i = 0; i < text.len; i++)
        if (!ft_text_is_word(text.data[i]))
            return false;
    return true;
}

enum telnet_prompt telnet_prompt(struct ft_view text)
{
    text = tail(text);
    if (!text.len)
        return TELNET_ASKS_NOTHING;
    uint8_t last = text.data[text.len - 1];
    bool is_shell = last == '>' || last == '#' || last == '$' || last == '%';
    if (!is_shell && last != ':' && last != '?')
        return TELNET_ASKS_NOTHING;
    text = ft_text_trim(ft_text_part(text, 0, text.len - 1));
    if ((last == ':' || is_one_word(text)) && has_secret_word(text))
        return TELNET_ASKS_PASSWORD;
    if (is_shell)
        return TELNET_ASKS_COMMAND;
    return last == ':' && asks_user(text) ? TELNET_ASKS_USER : TELNET_ASKS_NOTHING;
}

bool telnet_is_login(struct ft_view text)
{
    static const char *const passwords[] = {"password", "passcode", "passwd"};
    text = tail(text);
    if (!text.len || text.data[text.len - 1] != ':')
        return false;
    text = ft_text_trim(ft_text_part(text, 0, text.len - 1));
    return asks_user(text) ||
           ends_with_one(text, passwords, sizeof(passwords) / sizeof(passwords[0]));
}

/* ---- the server ----------------------------------------------------------------------------- */

static bool is_failure(struct ft_view text)
{
    static const char *const words[] = {"incorrect", "failed",       "denied",
                                        "invalid",   "bad password", "authentication failure"};
    for (uint32_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (ft_text_has(text, words[i]))
            return true;
    return false;
}

static void tell_result(struct ft_context *ctx, struct telnet_flow *flow, bool is_success)
{
    ft_set_kind(ctx, is_success ? FT_KIND_RESPONSE : FT_KIND_EXCEPTION);
    ft_command(ctx, TELNET_RESULT, FT_ANY_QUALIFIER);
    ft_put_text(ctx, TELNET_F_RESULT, is_success ? "success" : "failure", 7, NULL);
    if (!is_success)
        ft_violation(ctx, TELNET_V_LOGIN_FAILED, NULL);
    flow->state = is_success ? TELNET_INSIDE : TELNET_BEFORE;
}

static void describe(struct ft_context *ctx, struct telnet_flow *flow, struct ft_view text)
{
    if (ft_text_has(text, "vxworks"))
        flow->is_vxworks = flow->is_device = 1;
    if (ft_text_facts(ctx, FT_SERVER, text))
        flow->is_device = 1;
    if (flow->is_described || text.len < 4)
        return;
    flow->is_described = 1;
    ft_asset(ctx, FT_SERVER, FT_FACT_DESCRIPTION, ft_text_part(text, 0, 128));
}

static bool is_success(struct ft_view text)
{
    return ft_text_has(text, "last login") || ft_text_begins(text, "welcome");
}

/*
 * A line behind the question for a password, before the client's answer: some servers repeat what
 * is typed, and the client's side may not be seen.
 */
static bool is_repeated(const struct telnet_flow *flow, struct ft_view text)
{
    return flow->state == TELNET_WANT_PASSWORD && !is_success(text) && !is_failure(text) &&
           !ft_text_has(text, "timed out") && !telnet_asks_secret(text);
}

static void read_line(struct ft_context *ctx, struct telnet_flow *flow, struct ft_view text)
{
    flow->lines += flow->lines < UINT8_MAX;
    if (is_repeated(flow, text)) {
        ft_command(ctx, TELNET_BANNER, FT_ANY_QUALIFIER);
        put(ctx, TELNET_F_SECRET_LINE, text);
        return;
    }
    if (flow->state == TELNET_JUDGING && (is_success(text) || is_failure(text)))
        tell_result(ctx, flow, !is_failure(text));
    else
        ft_command(ctx, TELNET_BANNER, FT_ANY_QUALIFIER);
    put(ctx, TELNET_F_BANNER, text);
    if (telnet_asks_secret(text))
        flow->state = TELNET_WANT_PASSWORD;
    if (ft_text_has(text, "applet not found"))
        ft_violation(ctx, TELNET_V_BOTNET, NULL);
    if (flow->state != TELNET_WANT_PASSWORD)
        describe(ctx, flow, text);
}

/* "router>": the name of the device, when it is one word. */
static void tell_name(struct ft_context *ctx, struct ft_view prompt)
{
    struct ft_view name = ft_text_part(prompt, 0, prompt.len - 1);
    for (uint32_t i = 0; i < name.len; i++)
        if (!ft_text_is_word(name.data[i]) && name.data[i] != '-' && name.data[i] != '_' &&
            name.data[i] != '.')
            return;
    if (name.len > 1 && name.len < 64 && prompt.data[prompt.len - 1] != '%')
        ft_asset(ctx, FT_SERVER, FT_FACT_NAME, name);
}

static void read_prompt(struct ft_context *ctx, struct telnet_flow *flow, enum telnet_prompt asks,
                        struct ft_view text)
{
    text = ft_text_trim(text);
    bool is_judged = flow->state == TELNET_JUDGING;
    if (is_judged)
        tell_result(ctx, flow, asks == TELNET_ASKS_COMMAND);
    else
        ft_command(ctx, TELNET_PROMPT, FT_ANY_QUALIFIER);
    put(ctx, TELNET_F_PROMPT, text);
    if (asks == TELNET_ASKS_USER) {
        flow->state = TELNET_WANT_USER;
    } else if (asks == TELNET_ASKS_PASSWORD) {
        flow->state = TELNET_WANT_PASSWORD;
    } else if (is_judged || flow->state == TELNET_BEFORE) {
        flow->state = TELNET_INSIDE;
        tell_name(ctx, text);
    }
    if (ft_text_begins(text, "->"))
        flow->is_vxworks = flow->is_device = 1;
}

void telnet_read_server(struct ft_context *ctx, struct telnet_flow *flow, struct ft_view text)
{
    uint8_t bytes[TEXT_MAX];
    struct ft_secret_room room;
    bool is_line = text.len && (text.data[text.len - 1] == '\n' ||
                                text.data[text.len - 1] == '\r' || text.data[text.len - 1] == 0);
    struct ft_view shown = ft_text_trim(plain(text, bytes));
    enum telnet_prompt asks = is_line ? TELNET_ASKS_NOTHING : telnet_prompt(shown);
    shown = without_echo(flow, shown, &room);
    if (flow->is_long[1])
        ft_violation(ctx, TELNET_V_LONG_LINE, NULL);
    if (asks != TELNET_ASKS_NOTHING)
        read_prompt(ctx, flow, asks, shown);
    else if (shown.len)
        read_line(ctx, flow, shown);
}

/* ---- the client ----------------------------------------------------------------------------- */

void telnet_check_user(struct ft_context *ctx, struct ft_view user)
{
    if (ft_text_begins(user, "-f"))
        ft_violation(ctx, TELNET_V_BYPASS, NULL);
}

static void read_user(struct ft_context *ctx, struct telnet_flow *flow, struct ft_view name)
{
    ft_command(ctx, TELNET_USER, FT_ANY_QUALIFIER);
    put(ctx, TELNET_F_USER, name);
    flow->user_length = (uint8_t)(name.len < TELNET_USER_MAX ? name.len : TELNET_USER_MAX);
    memcpy(flow->user, name.data, flow->user_length);
    flow->state = TELNET_BEFORE;
    telnet_check_user(ctx, name);
}

static void remember(struct telnet_flow *flow, struct ft_view secret)
{
    flow->hidden_length =
        (uint8_t)(secret.len < TELNET_HIDDEN_MAX ? secret.len : TELNET_HIDDEN_MAX);
    memcpy(flow->hidden, secret.data, flow->hidden_length);
}

static void read_password(struct ft_context *ctx, struct telnet_flow *flow, struct ft_view password)
{
    struct ft_view user = ft_view_make(flow->user, flow->user_length, false);
    ft_command(ctx, TELNET_PASSWORD, FT_ANY_QUALIFIER);
    put(ctx, TELNET_F_PASSWORD, password);
    remember(flow, password);
    ft_violation(ctx, TELNET_V_CLEAR_TEXT, NULL);
    if (user.len && ft_is_default_login(user, password))
        ft_violation(ctx, TELNET_V_DEFAULT_LOGIN, NULL);
    flow->state = TELNET_JUDGING;
}

/*
 * "/bin/busybox ECCHI", also as "busybox ECCHI": worms ask for an applet that nobody has, in
 * capitals, and see by the refusal that there is a shell.
 */
static bool asks_busybox(struct ft_view line)
{
    int64_t at = -1;
    while ((at = ft_text_find(line, "busybox", (uint32_t)(at + 1))) >= 0) {
        struct ft_view rest = ft_text_part(line, (uint32_t)at + 7, line.len);
        if (ft_peek_u8(&rest, 0) != ' ' && ft_peek_u8(&rest, 0) != '\t')
            continue;
        struct ft_view path = ft_text_part(line, at < 5 ? 0 : (uint32_t)at - 5, (uint32_t)at);
        if (ft_text_is(path, "/bin/"))
            return true;
        rest = ft_text_trim(rest);
        uint32_t n = 0;
        while (n < rest.len && rest.data[n] >= 'A' && rest.data[n] <= 'Z')
            n++;
        if (n >= APPLET_MIN && !(n < rest.len && ft_text_is_word(rest.data[n])))
            return true;
    }
    return false;
}

/*
 * Worms walk from one vendor's shell to the next: enable, system, shell, sh; some with further
 * names between them.
 */
static void count_steps(struct ft_context *ctx, struct telnet_flow *flow, struct ft_view line)
{
    static const char *const steps[] = {"enable", "system", "shell", "sh"};
    const uint8_t count = sizeof(steps) / sizeof(steps[0]);
    line = ft_text_trim(line);
    if (ft_text_is(line, "linuxshell") || ft_text_is(line, "development"))
        return;
    if (flow->step < count && ft_text_is(line, steps[flow->step]))
        flow->step++;
    else if (flow->step < count)
        flow->step = ft_text_is(line, steps[0]);
    if (flow->step == count || asks_busybox(line)) {
        flow->step = count + 1;
        ft_violation(ctx, TELNET_V_BOTNET, NULL);
    }
}

static void check_line(struct ft_context *ctx, struct telnet_flow *flow, struct ft_view line)
{
    static const char *const drops[] = {"wget ", "tftp ", "echo -ne", "echo -en", "curl "};
    struct ft_view rest = line;
    struct ft_view word = ft_text_take(&rest, ' ');
    count_steps(ctx, flow, line);
    for (uint32_t i = 0; i < sizeof(drops) / sizeof(drops[0]); i++)
        if (ft_text_has(line, drops[i])) {
            ft_violation(ctx, TELNET_V_FILE_DROP, NULL);
            break;
        }
    if (flow->is_vxworks && (ft_text_is(word, "m") || ft_text_is(word, "sp") ||
                             ft_text_is(word, "d") || ft_text_is(word, "reboot")))
        ft_violation(ctx, TELNET_V_VXWORKS, NULL);
}

static void read_typed(struct ft_context *ctx, struct telnet_flow *flow, struct ft_view line)
{
    struct ft_view rest = line;
    struct ft_view word = ft_text_take(&rest, ' ');
    bool is_known = flow->state == TELNET_INSIDE;
    ft_command(ctx, TELNET_LINE, FT_ANY_QUALIFIER);
    if (is_known && flow->is_device && (ft_text_is(word, "reboot") || ft_text_is(word, "reload")))
        ft_set_class(ctx, FT_CLASS_MODE);
    if (is_known && !ft_secret_is_typed(line)) {
        telnet_put_text(ctx, TELNET_F_LINE, line);
    } else {
        put(ctx, TELNET_F_SECRET_LINE, line);
        remember(flow, line);
    }
    check_line(ctx, flow, line);
}

void telnet_read_client(struct ft_context *ctx, struct telnet_flow *flow, struct ft_view text)
{
    uint8_t bytes[TEXT_MAX];
    struct ft_view line = plain(text, bytes);
    ft_set_kind(ctx, FT_KIND_REQUEST);
    if (flow->is_long[0])
        ft_violation(ctx, TELNET_V_LONG_LINE, NULL);
    if (flow->state == TELNET_WANT_USER)
        read_user(ctx, flow, line);
    else if (flow->state == TELNET_WANT_PASSWORD)
        read_password(ctx, flow, line);
    else if (line.len)
        read_typed(ctx, flow, ft_text_trim(line));
}
