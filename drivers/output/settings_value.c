/* SPDX-License-Identifier: BSD-3-Clause */
/* Values of keys of outputs[], by the type of the key. */
#include "output/settings.h"

#include "base/nearest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void ft_sink_list_names(const char *(*names)(uint32_t), char *to, size_t size)
{
    size_t used = 0;
    *to = 0;
    for (uint32_t i = 0; names(i) && used < size; i++) {
        const char *between = !i ? "" : names(i + 1) ? ", " : " or ";
        used += (size_t)snprintf(to + used, size - used, "%s\"%s\"", between, names(i));
    }
}

static void read_word(struct ft_sink_reading *r, const struct ft_sink_key *k, const json_t *value,
                      uint32_t *to)
{
    const char *word = json_string_value(value);
    char names[256];
    struct ft_nearest n = ft_nearest_begin(word ? word : "");
    for (uint32_t i = 0; word && k->names(i); i++) {
        ft_nearest_offer(&n, k->names(i));
        if (!strcmp(word, k->names(i))) {
            *to = i;
            return;
        }
    }
    ft_sink_list_names(k->names, names, sizeof(names));
    if (word && n.best)
        ft_sink_wrong(r, k->name, "unknown name \"%s\"; did you mean \"%s\"?", word, n.best);
    else
        ft_sink_wrong(r, k->name, "expected %s", names);
}

static void read_mode(struct ft_sink_reading *r, const struct ft_sink_key *k, const json_t *value,
                      uint32_t *to)
{
    const char *text = json_string_value(value);
    char *end = NULL;
    unsigned long mode = text ? strtoul(text, &end, 8) : 0;
    if (!text || !*text || *end || mode > 0777 || !(mode & 0600))
        ft_sink_wrong(r, k->name, "expected permissions as octal text, such as %s", k->standard);
    else
        *to = (uint32_t)mode;
}

static void read_number(struct ft_sink_reading *r, const struct ft_sink_key *k, const json_t *value,
                        void *to)
{
    json_int_t n = json_integer_value(value);
    if (!json_is_integer(value) || n < 0 || (uint64_t)n < k->low || (uint64_t)n > k->high)
        ft_sink_wrong(r, k->name, "expected a whole number from %llu to %llu",
                      (unsigned long long)k->low, (unsigned long long)k->high);
    else if (k->kind == FT_SINK_KEY_LONG)
        *(uint64_t *)to = (uint64_t)n;
    else
        *(uint32_t *)to = (uint32_t)n;
}

/* It is read when the sink connects, which would be late to find out that its name is wrong.
 * Whether it may be read then is another question: by then the sensor is another user. */
static void expect_file(struct ft_sink_reading *r, const struct ft_sink_key *k, const char *name)
{
    const char *folder = r->sinks->options->folder;
    char path[4096];
    struct stat st;
    if (*name != '/' && !folder)
        return; /* a check without -l */
    snprintf(path, sizeof(path), "%s%s%s", *name == '/' ? "" : folder, *name == '/' ? "" : "/",
             name);
    int error = stat(path, &st) < 0 ? errno : S_ISDIR(st.st_mode) ? EISDIR : 0;
    if (error == ENOENT || error == ENOTDIR || error == EISDIR)
        ft_sink_wrong(r, k->name, "%s: %s", path, strerror(error));
}

void ft_sink_read_value(struct ft_sink_reading *r, const struct ft_sink_key *k, const json_t *value,
                        void *state)
{
    void *to = (char *)state + k->offset;
    size_t n = json_string_length(value);
    switch (k->kind) {
    case FT_SINK_KEY_TEXT:
        if (!json_is_string(value) || n < k->low || n > k->high)
            ft_sink_wrong(r, k->name, "expected a text of %llu to %llu characters",
                          (unsigned long long)k->low, (unsigned long long)k->high);
        else
            *(const char **)to = json_string_value(value);
        if (k->is_file && json_is_string(value))
            expect_file(r, k, json_string_value(value));
        return;
    case FT_SINK_KEY_NUMBER:
    case FT_SINK_KEY_LONG:
        read_number(r, k, value, to);
        return;
    case FT_SINK_KEY_TRUTH:
        if (!json_is_boolean(value))
            ft_sink_wrong(r, k->name, "expected true or false");
        *(bool *)to = json_is_true(value);
        return;
    case FT_SINK_KEY_WORD:
        read_word(r, k, value, to);
        return;
    case FT_SINK_KEY_MODE:
        read_mode(r, k, value, to);
        return;
    case FT_SINK_KEY_OWN:
        k->own(r, value, state);
        return;
    }
}
