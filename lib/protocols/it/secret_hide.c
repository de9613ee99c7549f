/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Texts without the secrets in them: URLs, and what people and programs write.
 *
 * Both are read once, from name to name. What is hidden is copied around: "***" stands for it.
 */
#include "secret.h"

enum {
    AUTHORITY_MAX = 512, /* bytes in which the end of a user's name and password is looked for */
    LOOKED_MIN = 16384,  /* letters of a text that are looked at for that, beside its length */
    FILLERS_MAX = 6,
    WINDOW = 128,   /* bytes behind a name in which its value may be told */
    WORD_MAX = 128, /* bytes of a word that tell what it is: looked at from each name before it */
    TOKEN_MIN = 8,
};

/* ---- the text that is shown ----------------------------------------------------------------- */

struct shown {
    struct ft_view from;
    uint8_t *to;
    uint32_t taken; /* bytes of `from` that are copied or hidden */
    uint32_t length;
    uint32_t looked; /* letters looked at for the ends of users' names and passwords */
    bool is_changed;
};

static struct shown shown_of(struct ft_view from, struct ft_secret_room *room)
{
    struct shown s = {.from = from, .to = room->bytes};
    return s;
}

static void append(struct shown *s, const void *bytes, uint32_t n)
{
    uint32_t room = FT_SECRET_SHOWN_MAX - s->length;
    n = n < room ? n : room;
    memcpy(s->to + s->length, bytes, n);
    s->length += n;
}

/* Hide [from, to) of the text; parts of it may be hidden already. */
static void hide(struct shown *s, uint32_t from, uint32_t to)
{
    from = from > s->taken ? from : s->taken;
    if (from >= to)
        return;
    append(s, s->from.data + s->taken, from - s->taken);
    append(s, "***", 3);
    s->taken = to;
    s->is_changed = true;
}

static struct ft_view finish(struct shown *s)
{
    if (!s->is_changed)
        return s->from;
    append(s, s->from.data + s->taken, s->from.len - s->taken);
    return ft_view_make(s->to, s->length, false);
}

/* ---- URLs ----------------------------------------------------------------------------------- */

static bool is_blank(int c)
{
    return c == ' ' || c == '\t';
}

static bool is_line_end(int c)
{
    return c == '\r' || c == '\n';
}

static bool ends_authority(uint8_t c)
{
    return c == '/' || c == '?' || c == '#' || c == '\\' || c == '"' || c <= ' ';
}

/*
 * "joe:x@host" at `at`, behind "//": what stands between colon and at sign is the password; without
 * a colon all is taken for one. A port has digits only: "joe:x/y@host" is a password with a slash.
 *
 * That slash may begin the next "//", from which the same letters are looked at again. URLs do not
 * look like that; of a text that does throughout the rest is hidden, be there a password or not.
 */
static void hide_user_info(struct shown *s, uint32_t at, bool in_query, bool needs_colon)
{
    uint32_t colon = 0, sign = 0, begin = at;
    bool is_port = true;
    if (s->looked >= s->from.len + LOOKED_MIN) {
        hide(s, at, s->from.len);
        return;
    }
    for (uint32_t end = at + AUTHORITY_MAX; at < s->from.len && at < end; s->looked++) {
        struct ft_secret_letter c = ft_secret_letter(s->from, at);
        bool is_over = ends_authority(c.value) || (in_query && c.value == '&');
        if (is_over && (c.value != '/' || sign || !colon || is_port || at == colon))
            break;
        if (c.value == '@')
            sign = at;
        else if (c.value == ':' && !colon)
            colon = at + c.length;
        else if (colon && !ft_text_is_digit(c.value))
            is_port = false;
        at += c.length;
    }
    if (sign && (colon ? colon <= sign : !needs_colon))
        hide(s, colon ? colon : begin, sign);
}

/* Where the value of an assignment ends that is encoded `level` times. */
static uint32_t url_value_end(struct ft_view url, uint32_t at, uint8_t level, bool in_query)
{
    while (at < url.len) {
        struct ft_secret_letter c = ft_secret_letter(url, at);
        bool is_end = c.value == '&' || c.value == '#' || (c.value == '?' && !in_query);
        if (is_end && c.level <= level)
            break;
        at += c.length;
    }
    return at;
}

static bool ends_name(uint8_t c)
{
    return c == '?' || c == '&' || c == ';' || c == '#' || c == '/' || c == '=' || c == '{' ||
           c == ',' || c <= ' ';
}

/* The part [at, end) of the text is a URL or a form. */
static void hide_in_url(struct shown *s, uint32_t at, uint32_t end, bool in_query)
{
    struct ft_view url = ft_text_part(s->from, 0, end);
    uint32_t name = at;
    uint8_t before = 0;
    while (at < end) {
        struct ft_secret_letter c = ft_secret_letter(url, at);
        uint32_t next = at + c.length;
        bool is_json = c.value == ':' && (before == '"' || before == '\'');
        if (c.value == '/' && before == '/')
            hide_user_info(s, next, in_query, false);
        if ((c.value == '=' || is_json) && name < at &&
            ft_secret_of(ft_text_part(url, name, at)) != FT_SECRET_NONE) {
            uint32_t value = next;
            next = url_value_end(url, value, c.level, in_query);
            hide(s, value, next);
        }
        in_query |= c.value == '?';
        if (ends_name(c.value) || is_json)
            name = next;
        before = c.value;
        at = next;
    }
}

struct ft_view ft_secret_hide_url(struct ft_view url, struct ft_secret_room *room)
{
    struct shown s = shown_of(url, room);
    int first = ft_peek_u8(&url, 0);
    if (first != '/' && first != '?')
        hide_user_info(&s, 0, false, true);
    hide_in_url(&s, 0, url.len, false);
    return finish(&s);
}

/* ---- texts: names and values ---------------------------------------------------------------- */

static bool is_name_letter(int c)
{
    return c >= 0x80 || (c > 0 && ft_text_is_word((uint8_t)c)) || c == '_' || c == '-' ||
           c == '.' || c == '%';
}

static bool is_quote(int c)
{
    return c == '"' || c == '\'' || c == '`';
}

static uint32_t skip_blanks(struct ft_view text, uint32_t at)
{
    while (is_blank(ft_peek_u8(&text, at)))
        at++;
    return at;
}

static uint32_t name_end(struct ft_view text, uint32_t at)
{
    while (is_name_letter(ft_peek_u8(&text, at)))
        at++;
    return at;
}

static uint32_t word_end(struct ft_view text, uint32_t at)
{
    while (at < text.len && text.data[at] > ' ')
        at++;
    return at;
}

static uint32_t line_end(struct ft_view text, uint32_t at)
{
    while (at < text.len && !is_line_end(text.data[at]))
        at++;
    return at;
}

/* The next word, behind blanks; the beginning of a long one. */
static struct ft_view word_at(struct ft_view text, uint32_t at)
{
    at = skip_blanks(text, at);
    return ft_text_part(text, at, word_end(ft_text_part(text, 0, at + WORD_MAX), at));
}

static bool is_one_of(struct ft_view word, const char *const *words, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (ft_text_is(word, words[i]))
            return true;
    return false;
}

#define IS_ONE_OF(word, words) is_one_of(word, words, sizeof(words) / sizeof((words)[0]))

/*
 * A quoted value behind `at`, where its quote may have backslashes before it; in a text inside
 * another text both quotes have as many. Without an end it is all that is left.
 */
static uint32_t quoted_end(struct ft_view text, uint32_t at, uint32_t *value)
{
    uint32_t escapes = 0, run = 0;
    while (ft_peek_u8(&text, at) == '\\') {
        escapes++;
        at++;
    }
    uint8_t quote = text.data[at];
    *value = ++at;
    for (; at < text.len; at++) {
        if (text.data[at] == quote && run == escapes)
            return at - escapes;
        run = text.data[at] == '\\' ? run + 1 : 0;
    }
    return text.len;
}

static bool is_quoted(struct ft_view text, uint32_t at)
{
    while (ft_peek_u8(&text, at) == '\\')
        at++;
    return is_quote(ft_peek_u8(&text, at));
}

/* A list or an object is hidden as a whole. */
static uint32_t bracket_end(struct ft_view text, uint32_t at)
{
    uint8_t close = text.data[at] == '[' ? ']' : '}';
    int64_t end = ft_find_u8(&text, close, at);
    return end < 0 ? text.len : (uint32_t)end;
}

/* In the extension of CEF values have blanks; the next begins behind the last before "name=". */
static uint32_t cef_end(struct ft_view text, uint32_t at)
{
    uint32_t blank = text.len;
    for (; at < text.len; at++) {
        if (is_blank(text.data[at]))
            blank = at;
        else if (text.data[at] == '=' && text.data[at - 1] != '\\' && blank < text.len)
            return blank;
    }
    return text.len;
}

/* "password= host=a": the first has no value. */
static bool is_assignment(struct ft_view word)
{
    uint32_t n = name_end(word, 0);
    return n && n + 1 < word.len && word.data[n] == '=' && word.data[n + 1] != '=';
}

/* "PWD=/root ; USER=root": sudo's directory, not a password. */
static bool is_directory(struct ft_view name, struct ft_view text, uint32_t at)
{
    return name.len == 3 && ft_view_starts(&name, "PWD", 3) && ft_peek_u8(&text, at) == '/' &&
           ft_peek_u8(&text, skip_blanks(text, word_end(text, at))) == ';';
}

/* Numbers and short words behind "session:" are no tokens. */
static bool is_token(struct ft_view word)
{
    bool has_digit = false;
    for (uint32_t i = 0; i < word.len; i++)
        has_digit |= ft_text_is_digit(word.data[i]);
    return has_digit && word.len >= TOKEN_MIN;
}

static bool is_digit_word(struct ft_view word)
{
    return word.len == 1 && ft_text_is_digit(word.data[0]);
}

/* Where the unquoted value at `at` ends. */
static uint32_t plain_end(struct ft_view text, uint32_t at, enum ft_secret kind)
{
    static const char *const schemes[] = {"basic", "bearer", "digest", "negotiate",
                                          "ntlm",  "token",  "apikey"};
    struct ft_view word = word_at(text, at);
    if (kind == FT_SECRET_LINE || IS_ONE_OF(word, schemes))
        return line_end(text, at);
    if (ft_view_starts(&text, "CEF:", 4))
        return cef_end(text, at);
    if (is_digit_word(word) && !is_line_end(ft_peek_u8(&text, at + 1)))
        return word_end(text, skip_blanks(text, at + 1)); /* "password: 7 0822" */
    return word_end(text, at);
}

/* Behind "=" or ":" of a name: hide its value. Returns where to go on. */
static uint32_t hide_assigned(struct shown *s, struct ft_view name, enum ft_secret kind,
                              uint32_t at)
{
    struct ft_view text = s->from;
    bool is_colon = text.data[at] == ':', is_close = !is_blank(ft_peek_u8(&text, at + 1));
    int c;
    at++;
    c = ft_peek_u8(&text, at);
    at = skip_blanks(text, at + (c == '=' || c == '>')); /* ":=", "==", "=>" */
    c = ft_peek_u8(&text, at);
    if (c < 0 || is_line_end(c))
        return at;
    uint32_t value = at, end;
    if (is_quoted(text, at))
        end = quoted_end(text, at, &value);
    else if (c == '[' || c == '{')
        end = bracket_end(text, at);
    else if (is_colon ? kind == FT_SECRET_TOKEN && !is_token(word_at(text, at))
                      : !is_close && is_assignment(word_at(text, at)))
        return at;
    else if (is_directory(name, text, at))
        return at;
    else
        end = plain_end(text, at, kind);
    hide(s, value, end);
    return end;
}

/* ---- texts: values without an assignment ---------------------------------------------------- */

/* Words behind "password" that tell of it in a sentence. */
static const char *const prose[] = {
    "a",
    "about",
    "accepted",
    "again",
    "already",
    "an",
    "and",
    "are",
    "as",
    "at",
    "attempt",
    "auth",
    "authentication",
    "by",
    "change",
    "changed",
    "check",
    "correct",
    "cracked",
    "database",
    "does",
    "empty",
    "error",
    "exceeded",
    "exchange",
    "expired",
    "expires",
    "failed",
    "fails",
    "failure",
    "file",
    "for",
    "from",
    "generated",
    "has",
    "have",
    "history",
    "in",
    "incorrect",
    "invalid",
    "is",
    "length",
    "login",
    "mismatch",
    "missing",
    "must",
    "name",
    "not",
    "of",
    "ok",
    "on",
    "or",
    "policy",
    "prompt",
    "recovery",
    "rejected",
    "removed",
    "required",
    "reset",
    "set",
    "string",
    "strings",
    "the",
    "to",
    "too",
    "updated",
    "valid",
    "verification",
    "verified",
    "was",
    "were",
    "weak",
    "will",
    "with",
    "wrong",
    "blank",
};

static bool is_prose(struct ft_view word)
{
    while (word.len && !is_name_letter(word.data[word.len - 1]))
        word.len--;
    return !word.len || IS_ONE_OF(word, prose);
}

/* "is x", "was changed to x": the offset of the value, 0 when this is none. */
static uint32_t told_value(struct ft_view text, uint32_t at)
{
    static const char *const fillers[] = {"has",   "been",    "set", "changed",
                                          "reset", "updated", "now"};
    static const char *const tellers[] = {"is", "was", "to", "as"};
    bool is_told = false;
    for (unsigned i = 0; i < FILLERS_MAX; i++) {
        struct ft_view word = word_at(text, at);
        bool tells = IS_ONE_OF(word, tellers);
        if (!tells && !IS_ONE_OF(word, fillers)) {
            /* "is: x" ends like an assignment, "is incorrect" tells nothing. */
            at = skip_blanks(text, at);
            return is_told && word.len && !is_prose(word) ? at : 0;
        }
        is_told = tells || is_told;
        at = skip_blanks(text, at) + word.len;
    }
    return 0;
}

/* "changed to x" further behind in the line. */
static uint32_t changed_value(struct ft_view text, uint32_t at, uint32_t end)
{
    static const char *const words[] = {"changed to ", "set to ", "reset to "};
    struct ft_view line = ft_text_part(text, 0, end < at + WINDOW ? end : at + WINDOW);
    for (uint32_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        int64_t found = ft_text_find(line, words[i], at);
        if (found >= 0)
            return skip_blanks(text, (uint32_t)found + (uint32_t)strlen(words[i]));
    }
    return 0;
}

/* What a configuration is told from a sentence by; the first of a line is looked for once. */
struct scan {
    uint32_t line, line_end;    /* of which it is known: [line, line_end) */
    uint32_t typed, configured; /* offset of what tells that it was typed, is a configuration */
};

static uint32_t first_of(struct ft_view text, uint32_t from, uint32_t to, const char *const *words,
                         uint32_t count)
{
    uint32_t first = to;
    for (uint32_t i = 0; i < count; i++) {
        int64_t at = ft_text_find(ft_text_part(text, 0, first), words[i], from);
        if (at >= 0)
            first = (uint32_t)at;
    }
    return first;
}

static void look_at_line(struct scan *scan, struct ft_view text, uint32_t at)
{
    static const char *const typed[] = {
        "logged command:", "cfglog", "cmd=", "cmd:", "command:", "command="};
    static const char *const configured[] = {
        "username ",      "enable ",     "snmp-server ", "radius",       "tacacs", "chap ",
        "neighbor ",      "isakmp ",     "ip ospf ",     "set system ",  "line ",  "user name ",
        "pre-shared-key", "passphrase ", "standby ",     "set security "};
    if (at >= scan->line && at < scan->line_end)
        return;
    while (at > scan->line_end && !is_line_end(text.data[at - 1]))
        at--;
    scan->line = at;
    scan->line_end = line_end(text, at) + 1;
    scan->typed = first_of(text, at, scan->line_end, typed, sizeof(typed) / sizeof(typed[0]));
    scan->configured =
        first_of(text, at, scan->line_end, configured, sizeof(configured) / sizeof(configured[0]));
}

static bool has_hyphen(struct ft_view name)
{
    return ft_find_u8(&name, '-', 0) > 0;
}

/* Behind a name and blanks: hide what is its value by all appearances. Returns where to go on. */
static uint32_t hide_following(struct shown *s, struct scan *scan, uint32_t begin, uint32_t end)
{
    struct ft_view text = s->from, name = ft_text_part(text, begin, end);
    uint32_t at = skip_blanks(text, end), value = at, told;
    struct ft_view word = word_at(text, at);
    look_at_line(scan, text, begin);
    if (at == end || !word.len)
        return end;
    bool is_typed = scan->typed < begin, is_flag = text.data[begin] == '-';
    bool is_configured = scan->configured <= begin || has_hyphen(name);
    bool is_community = ft_text_has(name, "community");
    uint32_t to = scan->line_end - 1;
    if (is_digit_word(word)) /* "password 7 0822", "secret 0 x" */
        value = skip_blanks(text, at + 1);
    else if (is_quoted(text, at))
        to = quoted_end(text, at, &value);
    else if (is_flag)
        to = word_end(text, at);
    else if ((told = told_value(text, at)) || (told = changed_value(text, at, to)))
        to = word_end(text, value = told);
    else if (!is_typed && (is_prose(word) || !(is_configured || is_community)))
        return end;
    else if (is_community && !is_typed && !is_configured)
        to = word_end(text, at);
    hide(s, value, to);
    return to > end ? to : end;
}

/* "snmp-server host a version 2c x", "snmp-server user a group v3 auth sha x". */
static uint32_t hide_snmp_server(struct shown *s, uint32_t end)
{
    static const char *const verbs[] = {"host", "user"};
    struct ft_view text = s->from, verb = word_at(text, end);
    if (!IS_ONE_OF(verb, verbs))
        return end;
    uint32_t at = skip_blanks(text, end) + verb.len;
    at = word_end(text, skip_blanks(text, at));
    uint32_t to = line_end(text, at);
    hide(s, skip_blanks(text, at), to);
    return to;
}

/* curl -u joe:x */
static uint32_t hide_user_flag(struct shown *s, uint32_t end)
{
    struct ft_view text = s->from, word = word_at(text, end);
    uint32_t at = skip_blanks(text, end);
    int64_t colon = ft_find_u8(&word, ':', 0);
    if (colon >= 0 && at > end)
        hide(s, at + (uint32_t)colon + 1, word_end(text, at));
    return end;
}

/* <password>x</password>: from the end of the tag to the next. */
static uint32_t hide_element(struct shown *s, uint32_t end)
{
    struct ft_view tag = ft_text_part(s->from, 0, end + WINDOW);
    int64_t open = ft_find_u8(&tag, '>', end);
    if (open < 0)
        return end;
    int64_t close = ft_find_u8(&s->from, '<', (uint32_t)open);
    uint32_t to = close < 0 ? s->from.len : (uint32_t)close;
    hide(s, (uint32_t)open + 1, to);
    return to;
}

/* A name stands at [begin, end): hide its value. Returns where to go on. */
static uint32_t hide_behind(struct shown *s, struct scan *scan, uint32_t begin, uint32_t end)
{
    struct ft_view text = s->from, name = ft_text_part(text, begin, end);
    if (ft_text_is(name, "snmp-server"))
        return hide_snmp_server(s, end);
    if (ft_text_is(name, "-u") || ft_text_is(name, "--user"))
        return hide_user_flag(s, end);
    enum ft_secret kind = ft_secret_of(name);
    if (kind == FT_SECRET_NONE)
        return end;
    if (begin && text.data[begin - 1] == '<')
        return hide_element(s, end);
    uint32_t at = end;
    int c;
    while (is_quote(c = ft_peek_u8(&text, at)) || c == ']' || c == '\\' || is_blank(c))
        at++;
    if (c == '=' || c == ':')
        return hide_assigned(s, name, kind, at);
    return kind == FT_SECRET_PASSWORD || kind == FT_SECRET_KEY ? hide_following(s, scan, begin, end)
                                                               : end;
}

static bool has_percent(struct ft_view name)
{
    return ft_find_u8(&name, '%', 0) >= 0;
}

static void hide_in_text(struct shown *s)
{
    struct ft_view text = s->from;
    struct scan scan = {0};
    for (uint32_t at = 0; at < text.len;) {
        uint32_t end = name_end(text, at);
        if (end == at) {
            if (text.data[at] == '/' && ft_peek_u8(&text, at + 1) == '/')
                hide_user_info(s, at + 2, false, false);
            at++;
        } else if (has_percent(ft_text_part(text, at, end))) {
            uint32_t to = word_end(text, at); /* a URL, or a part of one */
            hide_in_url(s, at, to, true);
            at = to;
        } else {
            at = hide_behind(s, &scan, at, end);
        }
    }
}

struct ft_view ft_secret_hide_text(struct ft_view text, struct ft_secret_room *room)
{
    struct shown s = shown_of(text, room);
    hide_in_text(&s);
    return finish(&s);
}

/* ---- what was repeated ---------------------------------------------------------------------- */

/* Long words are found inside others, too. */
static bool stands_alone(struct ft_view text, uint32_t at, uint32_t end)
{
    enum {
        LONG = 6
    };
    bool begins = !at || !ft_text_is_word(text.data[at - 1]);
    return end - at >= LONG || (begins && (end == text.len || !ft_text_is_word(text.data[end])));
}

/* The end of the longest word of the secret that stands at `at`, 0 when none does. */
static uint32_t repeated_end(struct ft_view text, uint32_t at, struct ft_view secret, bool is_cut)
{
    uint32_t longest = 0;
    while (secret.len) {
        struct ft_view word = ft_text_take(&secret, ' ');
        uint32_t end = at + word.len;
        if (!word.len || end > text.len || memcmp(text.data + at, word.data, word.len) != 0)
            continue;
        if (is_cut && !secret.len)
            return word_end(text, end);
        if (end > longest && stands_alone(text, at, end))
            longest = end;
    }
    return longest;
}

struct ft_view ft_secret_hide_echo(struct ft_view text, struct ft_view secret, bool is_cut,
                                   struct ft_secret_room *room)
{
    struct ft_secret_room first;
    struct shown s = shown_of(text, &first);
    for (uint32_t at = 0, end; at < text.len; at = end ? end : at + 1)
        if ((end = repeated_end(text, at, secret, is_cut)))
            hide(&s, at, end);
    s = shown_of(finish(&s), room);
    hide_in_text(&s);
    /* What `first` holds must not outlive this call. */
    if (!s.is_changed && s.from.data != text.data) {
        append(&s, s.from.data, s.from.len);
        return ft_view_make(s.to, s.length, false);
    }
    return finish(&s);
}

bool ft_secret_is_typed(struct ft_view line)
{
    for (uint32_t at = 0; at < line.len;) {
        uint32_t end = name_end(line, at);
        if (end > at) {
            enum ft_secret kind = ft_secret_of(ft_text_part(line, at, end));
            if ((kind == FT_SECRET_PASSWORD || kind == FT_SECRET_KEY) &&
                ft_text_trim(ft_text_part(line, end, line.len)).len)
                return true;
        }
        at = end > at ? end : at + 1;
    }
    return false;
}
