/* SPDX-License-Identifier: BSD-3-Clause */
/* What programs tell people on standard error. Any thread. */
#ifndef FT_SAY_H
#define FT_SAY_H

#include <stdbool.h>

/**
 * "program: text" and a newline on standard error. Always false, so that who finds something wrong
 * can say so and return at once.
 */
bool ft_say(const char *program, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
