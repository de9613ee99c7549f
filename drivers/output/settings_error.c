/* SPDX-License-Identifier: BSD-3-Clause */
/* What is wrong in outputs[]: each error with its place in the file. */
#include "output/settings.h"

#include "base/say.h"

#include <stdarg.h>
#include <stdio.h>

void ft_sink_add_error(struct ft_sink_reading *r, const struct ft_step *path, uint32_t steps,
                       const char *text)
{
    struct ft_place place = {1, 1};
    char plain[1024], name[1024];
    if (r->text)
        place = ft_locate(r->text, path, steps);
    r->is_wrong = true;
    if (r->used >= r->size)
        return;
    int n = snprintf(r->error + r->used, r->size - r->used, "%s%s:%u:%u: %s", r->used ? "\n" : "",
                     ft_say_plain(name, sizeof(name), r->file), place.line, place.column,
                     ft_say_plain(plain, sizeof(plain), text));
    r->used += n > 0 ? (size_t)n : 0;
}

__attribute__((format(printf, 4, 0))) static void add_error_at(struct ft_sink_reading *r,
                                                               const char *key,
                                                               const struct ft_step *below,
                                                               const char *format, va_list ap)
{
    struct ft_step path[4] = {{"outputs", 0}, {NULL, r->index}, {key, 0}, {NULL, 0}};
    char text[512], at[64] = "";
    int n =
        snprintf(text, sizeof(text), "outputs[%u]%s%s", r->index, key ? "." : "", key ? key : "");
    if (below && below->key)
        snprintf(at, sizeof(at), ".%s", below->key);
    else if (below)
        snprintf(at, sizeof(at), "[%u]", below->index);
    n += snprintf(text + n, sizeof(text) - (size_t)n, "%s: ", at);
    vsnprintf(text + n, sizeof(text) - (size_t)n, format, ap);
    if (below)
        path[3] = *below;
    ft_sink_add_error(r, path, 2 + (key != NULL) + (below != NULL), text);
}

void ft_sink_wrong(struct ft_sink_reading *r, const char *key, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    add_error_at(r, key, NULL, format, ap);
    va_end(ap);
}

void ft_sink_wrong_below(struct ft_sink_reading *r, const char *key, struct ft_step below,
                         const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    add_error_at(r, key, &below, format, ap);
    va_end(ap);
}
