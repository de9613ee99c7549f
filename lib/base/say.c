/* SPDX-License-Identifier: BSD-3-Clause */
/* A line on standard error. */
#include "base/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The character at `at` that would end a line or steer a terminal; its length in bytes, else 0. */
static size_t find_control(const unsigned char *at, unsigned *code)
{
    *code = *at;
    if (*at < 0x20 || *at == 0x7f)
        return 1;
    *code = at[1];
    if (*at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0) /* C1 */
        return 2;
    if (*at != 0xe2 || at[1] != 0x80 || (at[2] != 0xa8 && at[2] != 0xa9))
        return 0;
    *code = 0x2000u + (at[2] & 0x3fu);
    return 3;
}

static int put_control(char to[12], unsigned code)
{
    static const char from[] = "\n\r\t", letters[] = "nrt";
    const char *at = memchr(from, (int)code, 3);
    return at ? snprintf(to, 12, "\\%c", letters[at - from]) : snprintf(to, 12, "\\u%04x", code);
}

const char *ft_say_plain(char *to, size_t size, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t used = 0;
    while (*at) {
        char piece[12];
        unsigned code;
        size_t length = 1, control = find_control(at, &code);
        if (control)
            length = (size_t)put_control(piece, code);
        if (used + length >= size)
            break;
        memcpy(to + used, control ? piece : (const char *)at, length);
        used += length;
        at += control ? control : 1;
    }
    to[used] = 0;
    return to;
}

bool ft_say(const char *program, const char *format, ...)
{
    char text[FT_SAY_MAX], plain[FT_SAY_MAX];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    fprintf(stderr, "%s: %s\n", program, ft_say_plain(plain, sizeof(plain), text));
    return false;
}
