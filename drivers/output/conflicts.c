/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sinks that would get in each other's way: one file or socket of two, or a receiver that gets each
 * event twice. Two sinks of one receiver are fine when their filters or formats differ.
 */
#include "output/internal.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 4096
#define LINKS_MAX 40u /* as many as the kernel follows */

static bool same_value(const struct ft_sink_key *k, const void *a, const void *b)
{
    const void *x = (const char *)a + k->offset, *y = (const char *)b + k->offset;
    if (k->kind == FT_SINK_KEY_TEXT)
        return strcmp(*(const char *const *)x, *(const char *const *)y) == 0;
    return *(const uint32_t *)x == *(const uint32_t *)y;
}

/* The same receiver, as far as the configuration tells. */
static bool same_destination(const struct ft_sink *a, const struct ft_sink *b)
{
    if (a->kind != b->kind)
        return false;
    for (uint32_t i = 0; i < a->kind->key_count; i++)
        if (a->kind->keys[i].is_destination && !same_value(&a->kind->keys[i], a->state, b->state))
            return false;
    return true;
}

/* The file or socket of a sink; false: it has none. */
static bool path_of(const struct ft_sink *s, char *path)
{
    for (uint32_t i = 0; i < s->kind->key_count; i++) {
        const struct ft_sink_key *k = &s->kind->keys[i];
        if (k->is_destination && strcmp(k->name, "path") == 0)
            return ft_sink_path(s, *(const char *const *)((const char *)s->state + k->offset), path,
                                PATH_SIZE);
    }
    return false;
}

static bool same_thing(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* The last name of a path that is not there yet; the folder that it would be in goes to `folder`.
 * A link that leads to a file which is not there yet is followed, as by who makes the file. */
static const char *split(char *path, char *folder)
{
    char target[PATH_SIZE];
    for (unsigned links = 0;; links++) {
        char *slash = strrchr(path, '/');
        int n = slash ? (int)(slash - path) : 0;
        snprintf(folder, PATH_SIZE, "%.*s", slash ? n + !n : 1, slash ? path : ".");
        ssize_t length = links < LINKS_MAX ? readlink(path, target, sizeof(target) - 1) : -1;
        if (length <= 0)
            return slash ? slash + 1 : path;
        target[length] = 0;
        size_t kept = *target == '/' || !slash ? 0 : (size_t)n + 1;
        snprintf(path + kept, PATH_SIZE - kept, "%s", target);
    }
}

/* By name, as the same thing on the disk, or as what would be made in the same folder. */
static bool same_path(const char *a, const char *b)
{
    char x[PATH_SIZE], y[PATH_SIZE], x_folder[PATH_SIZE], y_folder[PATH_SIZE];
    if (strcmp(a, b) == 0 || same_thing(a, b))
        return true;
    snprintf(x, sizeof(x), "%s", a);
    snprintf(y, sizeof(y), "%s", b);
    const char *x_name = split(x, x_folder), *y_name = split(y, y_folder);
    return strcmp(x_name, y_name) == 0 &&
           (strcmp(x_folder, y_folder) == 0 || same_thing(x_folder, y_folder));
}

/* path.3: what a file is called when it is the third before the one that is written. */
static bool is_older(const char *path, const char *of)
{
    size_t n = strlen(of);
    return strncmp(path, of, n) == 0 && path[n] == '.' && path[n + 1] &&
           strspn(path + n + 1, "0123456789") == strlen(path + n + 1);
}

/* NULL: they have nothing in common. */
static const char *path_conflict(const struct ft_sink *a, const struct ft_sink *b)
{
    char x[PATH_SIZE], y[PATH_SIZE];
    if (!path_of(a, x) || !path_of(b, y))
        return NULL;
    if (same_path(x, y)) /* the receivers' sockets may be written to by many */
        return a->kind == b->kind && a->kind->takes_many ? NULL : "is that of";
    if (is_older(x, y) || is_older(y, x))
        return "would be overwritten when files are moved on by";
    return NULL;
}

static const json_t *setting(const struct ft_sinks *all, uint32_t i, const char *key)
{
    return json_object_get(json_array_get(all->outputs, i), key);
}

/* None is the same as an empty one. */
static bool same_setting(const struct ft_sinks *all, uint32_t i, uint32_t j, const char *key)
{
    const json_t *a = setting(all, i, key), *b = setting(all, j, key);
    if (!a || !b || (json_is_object(a) && !json_object_size(a)))
        return (!a || (json_is_object(a) && !json_object_size(a))) &&
               (!b || (json_is_object(b) && !json_object_size(b)));
    return json_equal(a, b);
}

/* The same events in the same form. */
static bool same_content(const struct ft_sinks *all, uint32_t i, uint32_t j)
{
    return same_setting(all, i, j, "filter") && same_setting(all, i, j, "format") &&
           same_setting(all, i, j, "dialect");
}

static void compare(struct ft_sink_reading *r, uint32_t i, uint32_t j)
{
    const struct ft_sink *a = &r->sinks->sinks[i], *b = &r->sinks->sinks[j];
    const char *conflict = path_conflict(a, b);
    r->index = i;
    if (conflict)
        ft_sink_wrong(r, "path", "%s outputs[%u], \"%s\": each sink needs one of its own", conflict,
                      j, b->name);
    else if (same_destination(a, b) && same_content(r->sinks, i, j))
        ft_sink_wrong(r, NULL,
                      "sends to the receiver of outputs[%u], \"%s\", which would get each event "
                      "twice: give them different filters or formats, or leave one out",
                      j, b->name);
}

void ft_sinks_compare(struct ft_sink_reading *r)
{
    for (uint32_t i = 1; i < r->sinks->count; i++)
        for (uint32_t j = 0; j < i; j++)
            if (!r->sinks->sinks[i].is_disabled && !r->sinks->sinks[j].is_disabled)
                compare(r, i, j);
}
