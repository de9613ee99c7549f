/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bounded text and what the formats of receivers make of values in it.
 *
 * What does not fit is dropped as a whole and sets `is_full`; a caller who wants to leave out a
 * pair that does not fit takes a copy of the struct before and puts it back. Everything written is
 * well-formed UTF-8 without line ends and control characters. One thread, no allocation.
 */
#ifndef FT_TEXT_H
#define FT_TEXT_H

#include <stdbool.h>
#include <stdint.h>

struct ft_text {
    char *to;
    uint32_t length, size;
    bool is_full;
};

/** What stands where: which characters mean something there. */
enum ft_text_as {
    FT_TEXT_PLAIN = 0,   /**< nothing does */
    FT_TEXT_CEF_HEADER,  /**< pipe and backslash: behind a backslash */
    FT_TEXT_CEF_VALUE,   /**< equals sign and backslash: the same; line ends: \n and \r */
    FT_TEXT_LEEF_HEADER, /**< pipe: there is no way to escape it, a slash stands for it */
    FT_TEXT_LEEF_VALUE,  /**< the delimiter: the same, a blank */
    FT_TEXT_PARAMETER,   /**< RFC 5424 section 6.3.3: quote, backslash and ]: behind a backslash */
};

#define FT_TEXT_MARK "..." /**< ends a value that was cut */

/** Text that is trusted to be right where it stands. */
void ft_text_raw(struct ft_text *t, const char *text, uint32_t n);
void ft_text_string(struct ft_text *t, const char *text);

/**
 * A value of n bytes, at most `max` of them: then it ends with FT_TEXT_MARK, and never in the
 * middle of a character. Other line ends and control characters (C0, C1, U+2028, U+2029) become
 * blanks, bytes that are no UTF-8 question marks. `delimiter`: of FT_TEXT_LEEF_VALUE, else 0.
 */
void ft_text_value(struct ft_text *t, enum ft_text_as as, char delimiter, const char *text,
                   uint32_t n, uint32_t max);

#endif
