/* SPDX-License-Identifier: BSD-3-Clause */
/* What programs tell people on standard error. Any thread. */
#ifndef FT_SAY_H
#define FT_SAY_H

#include <stdbool.h>
#include <stddef.h>

/** The longest line that is told; what is longer is cut. */
#define FT_SAY_MAX 4096u

/**
 * Text from elsewhere, such as a request or a file, as part of a line: control characters, NEL and
 * the separators of lines and paragraphs become \n, \r, \t or \u followed by four hexadecimal
 * digits, so that nobody writes lines of their own. All else stays as it is. Cut to `size` with its
 * end. Returns `to`.
 */
const char *ft_say_plain(char *to, size_t size, const char *text);

/**
 * "program: text" and a newline on standard error, in one line: see ft_say_plain(). Always false,
 * so that who finds something wrong can say so and return at once.
 */
bool ft_say(const char *program, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
