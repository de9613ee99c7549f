/* SPDX-License-Identifier: BSD-3-Clause */
/* outputs[] of a configuration: which sinks there are. All errors are told at once. */
#include "output/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (16u << 20)

static bool read_all(struct ft_sink_reading *r, const json_t *outputs)
{
    struct ft_sinks *all = r->sinks;
    const struct ft_step path[1] = {{"outputs", 0}};
    size_t n = json_array_size(outputs);
    if (!outputs)
        return true;
    if (!json_is_array(outputs) || n > FT_SINKS_MAX) {
        char text[96];
        snprintf(text, sizeof(text), "outputs: expected a list of at most %u sinks [{...}, ...]",
                 FT_SINKS_MAX);
        ft_sink_add_error(r, path, 1, text);
        return false;
    }
    all->sinks = calloc(n ? n : 1, sizeof(*all->sinks));
    if (!all->sinks) {
        ft_sink_add_error(r, path, 1, "out of memory");
        return false;
    }
    bool is_right = true;
    for (r->index = 0; r->index < n; r->index++) {
        r->is_wrong = false;
        ft_sink_read(r, &all->sinks[all->count], json_array_get(outputs, r->index));
        all->count++;
        is_right = is_right && !r->is_wrong;
    }
    if (!is_right)
        return false;
    ft_sinks_compare(r);
    return !r->is_wrong;
}

/* Those that are not used are gone, once they were checked. */
static void leave_out_disabled(struct ft_sinks *all)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < all->count; i++) {
        if (all->sinks[i].is_disabled)
            ft_sink_clear(&all->sinks[i]);
        else
            all->sinks[kept++] = all->sinks[i];
    }
    all->count = kept;
}

static void prepare(struct ft_sink *s)
{
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&s->told, &monotonic);
    pthread_condattr_destroy(&monotonic);
    s->wake_fd = -1;
    s->stats.name = s->name;
    s->stats.kind = s->kind->name;
    s->stats.target = s->target;
}

struct ft_sinks *ft_sinks_new(const json_t *outputs, const char *file, const char *text,
                              const struct ft_sinks_options *options, char *error,
                              size_t error_size)
{
    struct ft_sinks *all = calloc(1, sizeof(*all));
    if (error_size)
        *error = 0;
    if (!all) {
        snprintf(error, error_size, "%s: out of memory", file);
        return NULL;
    }
    struct ft_sink_reading r = {
        .sinks = all, .file = file, .text = text, .error = error, .size = error_size};
    all->options = options;
    all->outputs = json_incref((json_t *)(uintptr_t)outputs);
    if (!read_all(&r, outputs)) {
        for (uint32_t i = 0; i < all->count; i++)
            ft_sink_clear(&all->sinks[i]);
        json_decref(all->outputs);
        free(all->sinks);
        free(all);
        return NULL;
    }
    leave_out_disabled(all);
    pthread_mutex_init(&all->lock, NULL);
    for (uint32_t i = 0; i < all->count; i++)
        prepare(&all->sinks[i]);
    return all;
}

bool ft_sinks_free(struct ft_sinks *all)
{
    if (!all)
        return true;
    if (!ft_sinks_have_ended(all))
        return false;
    for (uint32_t i = 0; i < all->count; i++) {
        struct ft_sink *s = &all->sinks[i];
        if (s->kind->listen) /* and was never started */
            s->kind->close(s, s->state);
        pthread_mutex_destroy(&all->sinks[i].lock);
        pthread_cond_destroy(&all->sinks[i].told);
        ft_sink_clear(&all->sinks[i]);
    }
    pthread_mutex_destroy(&all->lock);
    json_decref(all->outputs);
    free(all->sinks);
    free(all);
    return true;
}

/* The file as text; NULL and a sentence. */
static char *slurp(const char *file, char *error, size_t error_size)
{
    FILE *f = fopen(file, "rbe");
    char *text = f ? malloc(FILE_MAX + 1) : NULL;
    size_t n = text ? fread(text, 1, FILE_MAX, f) : 0;
    if (!text || ferror(f))
        snprintf(error, error_size, "%s: %s", file, strerror(errno));
    if (f)
        fclose(f);
    if (text)
        text[n] = 0;
    return text;
}

struct ft_sinks *ft_sinks_read(const char *file, const struct ft_sinks_options *options,
                               char *error, size_t error_size)
{
    char *text = slurp(file, error, error_size);
    json_error_t where;
    if (!text)
        return NULL;
    const char *begin = strncmp(text, "\xef\xbb\xbf", 3) ? text : text + 3;
    json_t *root = json_loads(begin, 0, &where);
    struct ft_sinks *all = NULL;
    if (root)
        all =
            ft_sinks_new(json_object_get(root, "outputs"), file, begin, options, error, error_size);
    else
        snprintf(error, error_size, "%s:%d:%d: cannot be read as JSON: %s", file, where.line,
                 where.column > 0 ? where.column : 1, where.text);
    json_decref(root);
    free(text);
    return all;
}
