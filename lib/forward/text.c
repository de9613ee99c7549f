/* SPDX-License-Identifier: BSD-3-Clause */
/* A bounded text and what the formats of receivers make of values in it. */
#include "forward/text.h"

#include "base/utf8.h"

#include <string.h>

void ft_text_raw(struct ft_text *t, const char *text, uint32_t n)
{
    if (t->is_full || t->size - t->length < n) {
        t->is_full = true;
        return;
    }
    memcpy(t->to + t->length, text, n);
    t->length += n;
}

void ft_text_string(struct ft_text *t, const char *text)
{
    ft_text_raw(t, text, (uint32_t)strlen(text));
}

/* What stands for an ASCII character; NULL: it stands for itself. */
static const char *escaped(enum ft_text_as as, char delimiter, char c)
{
    bool is_cef = as == FT_TEXT_CEF_VALUE;
    if (is_cef && c == '\n')
        return "\\n";
    if (is_cef && c == '\r')
        return "\\r";
    if ((uint8_t)c < 0x20 || c == 0x7f || (as == FT_TEXT_LEEF_VALUE && c == delimiter))
        return " ";
    if (c == '\\')
        return is_cef || as == FT_TEXT_CEF_HEADER || as == FT_TEXT_PARAMETER ? "\\\\" : NULL;
    if (c == '|')
        return as == FT_TEXT_CEF_HEADER ? "\\|" : as == FT_TEXT_LEEF_HEADER ? "/" : NULL;
    if (c == '=')
        return is_cef ? "\\=" : NULL;
    if (c == '"')
        return as == FT_TEXT_PARAMETER ? "\\\"" : NULL;
    if (c == ']')
        return as == FT_TEXT_PARAMETER ? "\\]" : NULL;
    return NULL;
}

/* Controls beyond ASCII: U+0080 to U+009F, and the separators of lines and paragraphs. */
static bool is_control(const uint8_t *p, uint32_t length)
{
    return (length == 2 && p[0] == 0xc2 && p[1] < 0xa0) ||
           (length == 3 && p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9));
}

/* Write what the character at text + at is; its length. */
static uint32_t put_character(struct ft_text *t, enum ft_text_as as, char delimiter,
                              const char *text, uint32_t n)
{
    uint32_t length = ft_utf8_length((const uint8_t *)text, n);
    const char *other = length == 0                                 ? "?"
                        : length == 1                               ? escaped(as, delimiter, *text)
                        : is_control((const uint8_t *)text, length) ? " "
                                                                    : NULL;
    if (other)
        ft_text_string(t, other);
    else
        ft_text_raw(t, text, length);
    return length ? length : 1;
}

/* The next n characters may stand as they are: letters, digits, blanks and the like. */
static uint32_t plain_length(const char *text, uint32_t n, char delimiter)
{
    uint32_t i = 0;
    while (i < n && text[i] >= ' ' && text[i] < 0x7f && text[i] != '\\' && text[i] != '|' &&
           text[i] != '=' && text[i] != '"' && text[i] != ']' && text[i] != delimiter)
        i++;
    return i;
}

void ft_text_value(struct ft_text *t, enum ft_text_as as, char delimiter, const char *text,
                   uint32_t n, uint32_t max)
{
    const uint32_t mark = sizeof(FT_TEXT_MARK) - 1;
    bool is_cut = n > max;
    uint32_t end = is_cut ? max > mark ? max - mark : 0 : n;
    for (uint32_t at = 0; at < end && !t->is_full;) {
        uint32_t plain = plain_length(text + at, end - at, delimiter);
        ft_text_raw(t, text + at, plain);
        at += plain;
        if (at == end)
            break;
        /* A character that begins before the end may go on behind it: then the end is here. */
        uint32_t length = ft_utf8_length((const uint8_t *)text + at, n - at);
        if (length > end - at)
            break;
        at += put_character(t, as, delimiter, text + at, end - at);
    }
    if (is_cut)
        ft_text_string(t, FT_TEXT_MARK);
}
