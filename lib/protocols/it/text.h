/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Text protocols: comparing and cutting text in views, without regard to the case of letters.
 * Plain functions; any thread.
 */
#ifndef FT_PROTOCOLS_TEXT_H
#define FT_PROTOCOLS_TEXT_H

#include <fieldtap/dissector.h>

static inline uint8_t ft_text_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

static inline bool ft_text_is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static inline bool ft_text_is_word(uint8_t c)
{
    return ft_text_is_digit(c) || (ft_text_lower(c) >= 'a' && ft_text_lower(c) <= 'z');
}

/** True when the text begins with `with`, which is in lower case. */
static inline bool ft_text_begins(struct ft_view text, const char *with)
{
    uint32_t i = 0;
    while (with[i] && i < text.len && ft_text_lower(text.data[i]) == (uint8_t)with[i])
        i++;
    return !with[i];
}

/** True when the text is `that`, which is in lower case. */
static inline bool ft_text_is(struct ft_view text, const char *that)
{
    return text.len == strlen(that) && ft_text_begins(text, that);
}

/** Offset of the first `what`, in lower case, at or behind `from`; -1 when there is none. */
static inline int64_t ft_text_find(struct ft_view text, const char *what, uint32_t from)
{
    uint32_t n = (uint32_t)strlen(what);
    for (uint32_t i = from; n <= text.len && i <= text.len - n; i++)
        if (ft_text_lower(text.data[i]) == (uint8_t)what[0] &&
            ft_text_begins(ft_view_make(text.data + i, n, false), what))
            return i;
    return -1;
}

static inline bool ft_text_has(struct ft_view text, const char *what)
{
    return ft_text_find(text, what, 0) >= 0;
}

/** The part [from, to) of the text, bounded by it. */
static inline struct ft_view ft_text_part(struct ft_view text, uint32_t from, uint32_t to)
{
    to = to < text.len ? to : text.len;
    from = from < to ? from : to;
    struct ft_view part = ft_view_make(text.data + from, to - from, false);
    return part;
}

/** Without blanks, tabs and line ends around it. */
static inline struct ft_view ft_text_trim(struct ft_view text)
{
    while (text.len && text.data[0] <= ' ') {
        text.data++;
        text.len--;
    }
    while (text.len && text.data[text.len - 1] <= ' ')
        text.len--;
    return text;
}

/** A view that has just read the text: the evidence of a violation. */
static inline struct ft_view ft_text_seen(struct ft_view text)
{
    text.last_len = text.len;
    text.data += text.len;
    text.len = 0;
    return text;
}

/** Take what stands before the next `byte`, or all that is left; the byte is taken, too. */
static inline struct ft_view ft_text_take(struct ft_view *text, uint8_t byte)
{
    int64_t at = ft_find_u8(text, byte, 0);
    struct ft_view part = ft_text_part(*text, 0, at < 0 ? text->len : (uint32_t)at);
    uint32_t taken = at < 0 ? text->len : (uint32_t)at + 1;
    text->data += taken;
    text->len -= taken;
    return part;
}

/**
 * What a product says of itself in a banner, a header or a title: vendor and operating system of
 * `who` become facts. True when it names a vendor of devices. Walks a table of some sixty names:
 * for identifying messages only.
 */
bool ft_text_facts(struct ft_context *ctx, enum ft_party who, struct ft_view text);

/** True when user name and password are ones that devices are delivered with. */
bool ft_is_default_login(struct ft_view user, struct ft_view password);

/** A vendor's standing account that must not exist any more: CVE-2011-4859 and its like. */
bool ft_is_hard_coded_user(struct ft_view user);

#endif
