/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Secrets in text protocols: which names are those of secrets, and text as it may be shown.
 *
 * What has a field of its own is put there, marked FT_FIELD_SECRET. In texts that are shown as a
 * whole (URLs, log messages, replies, lines that were typed) values of such names become "***".
 * Plain functions; any thread. Cost: one pass over the text; nothing is copied when nothing is
 * hidden. When in doubt something is hidden.
 */
#ifndef FT_PROTOCOLS_SECRET_H
#define FT_PROTOCOLS_SECRET_H

#include "text.h"

/** Bytes of a text in which something was hidden; the rest of a longer one is not shown. */
#define FT_SECRET_SHOWN_MAX 4096u

/** Where a text is written in which something was hidden. */
struct ft_secret_room {
    uint8_t bytes[FT_SECRET_SHOWN_MAX];
};

enum ft_secret {
    FT_SECRET_NONE = 0,
    FT_SECRET_PASSWORD,
    FT_SECRET_KEY,   /**< and communities: what devices are configured with */
    FT_SECRET_TOKEN, /**< of a session or a program */
    FT_SECRET_LINE,  /**< Cookie, Authorization: all that follows */
};

/** A letter of a text that may be encoded by percent signs (RFC 3986, 2.1). */
struct ft_secret_letter {
    uint8_t value;
    uint8_t level;   /**< how often it was encoded: "=" 0, "%3D" 1, "%253D" 2 */
    uint32_t length; /**< bytes that it takes */
};

/** The letter at offset `at`, which is in the text. */
struct ft_secret_letter ft_secret_letter(struct ft_view text, uint32_t at);

/**
 * Whether a name ("password", "p%61ssword", "userPwd", "api_key", "JSESSIONID") is that of a
 * secret. Letters of any case, encoded by percent signs once or several times. Of names longer
 * than 192 bytes the end counts.
 */
enum ft_secret ft_secret_of(struct ft_view name);

/**
 * A URL, or a form, as it may be shown: values of secret names in its path, query and fragment, and
 * passwords before its host, are hidden, also in URLs inside it. The answer is `url` itself or
 * in `room`.
 */
struct ft_view ft_secret_hide_url(struct ft_view url, struct ft_secret_room *room);

/**
 * Text of people and programs as it may be shown: "password=x", "pwd: x", {"token":"x"},
 * "username a secret 5 x", "snmp-server community x", http://a:x@b. The answer is `text` itself or
 * in `room`.
 */
struct ft_view ft_secret_hide_text(struct ft_view text, struct ft_secret_room *room);

/**
 * As ft_secret_hide_text() of what may repeat `secret`, words with blanks between: these are
 * hidden. `is_cut`: the last of them was longer.
 */
struct ft_view ft_secret_hide_echo(struct ft_view text, struct ft_view secret, bool is_cut,
                                   struct ft_secret_room *room);

/** Is a line that somebody typed about a password or a key, with something behind that word? */
bool ft_secret_is_typed(struct ft_view line);

#endif
