/* SPDX-License-Identifier: BSD-3-Clause */
/* A line on standard error. */
#include "base/say.h"

#include <stdarg.h>
#include <stdio.h>

bool ft_say(const char *program, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    flockfile(stderr);
    fprintf(stderr, "%s: ", program);
    vfprintf(stderr, format, ap);
    fputc('\n', stderr);
    funlockfile(stderr);
    va_end(ap);
    return false;
}
