/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names of secrets. One list for all text protocols, applied to names as programs read them:
 * percent signs decoded, capitals as small letters, without what stands between their words.
 */
#include "secret.h"

enum {
    NAME_MAX = 192,
};

/* Where in a name a stem must stand. Boundaries are between letters and others, and in camelCase.
 */
enum where {
    ANYWHERE,
    ENDS,  /* before a boundary: "authToken", "xtoken1", but not "tokenring" */
    WORD,  /* between two: "user_pass", but not "compass" */
    WHOLE, /* all of the name */
};

struct stem {
    const char *text; /* NULL ends a list */
    uint8_t where, kind;
};

/* What begins so is no secret, whatever stem it begins with. */
static const char *const harmless[] = {
    "passwordless", "passwordpolic",  "passwordlength", "passwordexpir", "passwordage",
    "secretar",     "sessiontimeout", "sessioncount",   "sessiontype",   "tokenring",
};

#define PASSWORD(text, where)                                                                      \
    {                                                                                              \
        text, where, FT_SECRET_PASSWORD                                                            \
    }
#define KEY(text, where)                                                                           \
    {                                                                                              \
        text, where, FT_SECRET_KEY                                                                 \
    }
#define TOKEN(text, where)                                                                         \
    {                                                                                              \
        text, where, FT_SECRET_TOKEN                                                               \
    }
#define LAST                                                                                       \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

/* clang-format off */
static const struct stem stems_a[] = {
    TOKEN("apikey", ANYWHERE), KEY("authkey", ANYWHERE), KEY("authenticationkey", ANYWHERE),
    TOKEN("accesskey", ANYWHERE), TOKEN("accountkey", ANYWHERE), PASSWORD("adminpass", ENDS),
    TOKEN("auth", WHOLE), {"authorization", WORD, FT_SECRET_LINE}, TOKEN("assertion", WORD),
    TOKEN("appkey", ENDS), TOKEN("amzsignature", ENDS), LAST,
};
static const struct stem stems_b[] = {TOKEN("bearer", WHOLE), LAST};
static const struct stem stems_c[] = {
    TOKEN("credential", ANYWHERE), KEY("community", WORD), {"cookie", WORD, FT_SECRET_LINE},
    PASSWORD("contrasena", ANYWHERE), KEY("cryptkey", ANYWHERE), LAST,
};
static const struct stem stems_d[] = {
    KEY("digestkey", ENDS), PASSWORD("dbpass", ENDS), LAST};
static const struct stem stems_e[] = {
    KEY("encryptionkey", ANYWHERE), KEY("enckey", ENDS), LAST};
static const struct stem stems_f[] = {TOKEN("functionskey", ENDS), LAST};
static const struct stem stems_h[] = {KEY("hmackey", ENDS), LAST};
static const struct stem stems_j[] = {TOKEN("jwt", WORD), LAST};
static const struct stem stems_k[] = {
    PASSWORD("kennwort", ANYWHERE), KEY("key", WHOLE), KEY("keystring", WORD), LAST};
static const struct stem stems_l[] = {PASSWORD("loginpass", ENDS), LAST};
static const struct stem stems_m[] = {
    PASSWORD("motdepasse", ANYWHERE), PASSWORD("mdp", WORD), KEY("masterkey", ANYWHERE), LAST};
static const struct stem stems_n[] = {PASSWORD("newpass", ENDS), LAST};
static const struct stem stems_o[] = {
    PASSWORD("oldpass", ENDS), TOKEN("otp", WORD), TOKEN("oauthsignature", ENDS), LAST};
static const struct stem stems_p[] = {
    PASSWORD("passw", ANYWHERE), PASSWORD("passphrase", ANYWHERE), PASSWORD("passcode", ANYWHERE),
    PASSWORD("passkey", ANYWHERE), PASSWORD("pass", WORD), PASSWORD("pwd", ANYWHERE),
    PASSWORD("pswd", ANYWHERE), PASSWORD("psw", WORD), PASSWORD("pw", WORD),
    PASSWORD("pincode", ENDS), KEY("privatekey", ANYWHERE), KEY("psk", WORD), LAST,
};
static const struct stem stems_r[] = {PASSWORD("rootpass", ENDS), LAST};
static const struct stem stems_s[] = {
    KEY("secret", ANYWHERE), TOKEN("session", WORD), TOKEN("sessionid", ANYWHERE),
    TOKEN("sessid", ANYWHERE), TOKEN("sessionkey", ANYWHERE), TOKEN("sid", WORD),
    KEY("sharedkey", ANYWHERE), KEY("serverkey", ANYWHERE), TOKEN("subscriptionkey", ENDS),
    TOKEN("sig", WHOLE), TOKEN("samlresponse", WORD),
    PASSWORD("senha", WORD), LAST,
};
static const struct stem stems_t[] = {TOKEN("token", ENDS), LAST};
static const struct stem stems_u[] = {PASSWORD("userpass", ENDS), LAST};
static const struct stem stems_w[] = {
    PASSWORD("wachtwoord", ANYWHERE), KEY("wepkey", ANYWHERE), KEY("wpakey", ANYWHERE),
    KEY("wlankey", ANYWHERE), KEY("wifikey", ANYWHERE), LAST,
};
/* clang-format on */

static const struct stem *const by_letter[26] = {
    ['a' - 'a'] = stems_a, ['b' - 'a'] = stems_b, ['c' - 'a'] = stems_c, ['d' - 'a'] = stems_d,
    ['e' - 'a'] = stems_e, ['f' - 'a'] = stems_f, ['h' - 'a'] = stems_h, ['j' - 'a'] = stems_j,
    ['k' - 'a'] = stems_k, ['l' - 'a'] = stems_l, ['m' - 'a'] = stems_m, ['n' - 'a'] = stems_n,
    ['o' - 'a'] = stems_o, ['p' - 'a'] = stems_p, ['r' - 'a'] = stems_r, ['s' - 'a'] = stems_s,
    ['t' - 'a'] = stems_t, ['u' - 'a'] = stems_u, ['w' - 'a'] = stems_w,
};

static int hex_value(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that two digits at `at` stand for, -1 when there are none. */
static int hex_byte(struct ft_view text, uint32_t at)
{
    int high = hex_value(ft_peek_u8(&text, at)), low = hex_value(ft_peek_u8(&text, at + 1));
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

struct ft_secret_letter ft_secret_letter(struct ft_view text, uint32_t at)
{
    struct ft_secret_letter letter = {text.data[at], 0, 1};
    uint32_t digits = at + 1;
    int byte;
    if (letter.value != '%' || (byte = hex_byte(text, digits)) < 0)
        return letter;
    letter.level = 1;
    /* A percent sign that is encoded itself, with two digits behind it. */
    while (byte == '%' && hex_byte(text, digits + 2) >= 0) {
        digits += 2;
        byte = hex_byte(text, digits);
        letter.level += letter.level < UINT8_MAX;
    }
    letter.value = (uint8_t)byte;
    letter.length = digits + 2 - at;
    return letter;
}

/* A name as it is compared: letters and digits, and whether a word begins at each. */
struct plain {
    uint32_t length;
    char text[NAME_MAX];
    bool begins[NAME_MAX + 1]; /* the end counts as a beginning */
};

static bool is_capital(uint8_t c)
{
    return c >= 'A' && c <= 'Z';
}

static void add_letter(struct plain *p, uint8_t before, uint8_t c)
{
    uint8_t low = ft_text_lower(c);
    bool is_camel = is_capital(c) && !is_capital(before);
    p->begins[p->length] =
        !ft_text_is_word(before) || is_camel || ft_text_is_digit(before) != ft_text_is_digit(c);
    p->text[p->length++] = (char)low;
}

static void make_plain(struct plain *p, struct ft_view name)
{
    uint8_t before = 0;
    p->length = 0;
    for (uint32_t i = 0; i < name.len;) {
        struct ft_secret_letter letter = ft_secret_letter(name, i);
        if (ft_text_is_word(letter.value))
            add_letter(p, before, letter.value);
        before = letter.value;
        i += letter.length;
    }
    p->begins[p->length] = true;
}

static bool stands(const struct plain *p, uint32_t at, const char *text)
{
    uint32_t n = (uint32_t)strlen(text);
    return n <= p->length - at && memcmp(p->text + at, text, n) == 0;
}

static bool is_harmless(const struct plain *p, uint32_t at)
{
    for (uint32_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
        if (stands(p, at, harmless[i]))
            return true;
    return false;
}

static bool is_there(const struct plain *p, uint32_t at, const struct stem *stem)
{
    uint32_t end = at + (uint32_t)strlen(stem->text);
    if (!stands(p, at, stem->text))
        return false;
    switch (stem->where) {
    case ENDS:
        return p->begins[end];
    case WORD:
        return p->begins[at] && p->begins[end];
    case WHOLE:
        return at == 0 && end == p->length;
    default:
        return true;
    }
}

enum ft_secret ft_secret_of(struct ft_view name)
{
    struct plain p;
    make_plain(&p, ft_text_part(name, name.len > NAME_MAX ? name.len - NAME_MAX : 0, name.len));
    for (uint32_t at = 0; at < p.length; at++) {
        const struct stem *stem = p.text[at] >= 'a' ? by_letter[p.text[at] - 'a'] : NULL;
        for (; stem && stem->text; stem++)
            if (is_there(&p, at, stem) && !is_harmless(&p, at))
                return (enum ft_secret)stem->kind;
    }
    return FT_SECRET_NONE;
}
