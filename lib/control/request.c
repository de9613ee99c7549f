/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading requests of the control socket. */
#include "control/request.h"

#include "base/nearest.h"

#include <stdio.h>
#include <string.h>

/* Numbers and short texts: what an answer repeats is bounded. */
static bool is_id(const json_t *id)
{
    return json_is_integer(id) || (json_is_string(id) && json_string_length(id) <= 128);
}

/* A word of the asker in a sentence: no longer than it takes to recognise it. */
#define SHOWN "%.48s"

static bool find_command(struct ft_control_request *r, char *error, size_t size)
{
    const char *name = json_string_value(json_object_get(r->object, "command"));
    if (!name) {
        snprintf(error, size, "\"command\" is missing: {\"command\": \"status\"}");
        return false;
    }
    struct ft_nearest n = ft_nearest_begin(name);
    for (unsigned i = 0; i < FT_CONTROL_COMMANDS; i++) {
        if (strcmp(ft_control_commands[i].name, name) == 0) {
            r->command = (enum ft_control_id)i;
            r->of = &ft_control_commands[i];
            return true;
        }
        ft_nearest_offer(&n, ft_control_commands[i].name);
    }
    if (n.best)
        snprintf(error, size, "there is no command \"" SHOWN "\"; did you mean \"%s\"?", name,
                 n.best);
    else
        snprintf(error, size, "there is no command \"" SHOWN "\"", name);
    return false;
}

static bool is_word(const struct ft_control_argument *a, const char *text)
{
    for (unsigned i = 0; text && i < FT_CONTROL_WORDS && a->words[i]; i++)
        if (strcmp(a->words[i], text) == 0)
            return true;
    return false;
}

bool ft_control_check(const struct ft_control_argument *a, const json_t *value, char *error,
                      size_t size)
{
    json_int_t n = json_integer_value(value);
    size_t length = json_string_length(value), used;
    switch (a->kind) {
    case FT_CONTROL_NUMBER:
        if (json_is_integer(value) && n >= 0 && (uint64_t)n >= a->low && (uint64_t)n <= a->high)
            return true;
        snprintf(error, size, "%s: expected a whole number from %llu to %llu", a->name,
                 (unsigned long long)a->low, (unsigned long long)a->high);
        return false;
    case FT_CONTROL_TEXT:
        if (json_is_string(value) && length >= a->low && length <= a->high)
            return true;
        snprintf(error, size, "%s: expected a text of %llu to %llu characters", a->name,
                 (unsigned long long)a->low, (unsigned long long)a->high);
        return false;
    case FT_CONTROL_WORD:
        if (is_word(a, json_string_value(value)))
            return true;
        used = (size_t)snprintf(error, size, "%s: expected one of", a->name);
        for (unsigned i = 0; i < FT_CONTROL_WORDS && a->words[i] && used < size; i++)
            used +=
                (size_t)snprintf(error + used, size - used, "%s \"%s\"", i ? "," : "", a->words[i]);
        return false;
    case FT_CONTROL_NONE:
        break;
    }
    return false;
}

static bool check_arguments(struct ft_control_request *r, char *error, size_t size)
{
    const char *key;
    json_t *value;
    json_object_foreach(r->object, key, value)
    {
        const struct ft_control_argument *a = ft_control_argument(r->of, key);
        if (strcmp(key, "command") == 0 || strcmp(key, "id") == 0)
            continue;
        if (!a) {
            snprintf(error, size, "\"%s\" takes no \"" SHOWN "\"", r->of->name, key);
            return false;
        }
        if (!ft_control_check(a, value, error, size))
            return false;
    }
    for (unsigned i = 0; i < FT_CONTROL_ARGUMENTS && r->of->arguments[i].name; i++) {
        const struct ft_control_argument *a = &r->of->arguments[i];
        if (!a->is_needed || json_object_get(r->object, a->name))
            continue;
        snprintf(error, size, "\"%s\" needs \"%s\": %s", r->of->name, a->name, a->title);
        return false;
    }
    return true;
}

bool ft_control_read(const char *line, size_t length, struct ft_control_request *r, char *error,
                     size_t error_size)
{
    json_error_t where;
    *r = (struct ft_control_request){.object =
                                         json_loadb(line, length, JSON_REJECT_DUPLICATES, &where)};
    if (!json_is_object(r->object)) {
        if (r->object)
            snprintf(error, error_size, "expected an object: {\"command\": \"status\"}");
        else
            snprintf(error, error_size, "no JSON at byte %d: %s", where.position, where.text);
        return false;
    }
    const json_t *id = json_object_get(r->object, "id");
    if (id && !is_id(id)) {
        snprintf(error, error_size, "id: expected a whole number or a text of 0 to 128 characters");
        return false;
    }
    r->id = id;
    return find_command(r, error, error_size) && check_arguments(r, error, error_size);
}

void ft_control_request_free(struct ft_control_request *r)
{
    json_decref(r->object);
    *r = (struct ft_control_request){0};
}

uint64_t ft_control_number(const struct ft_control_request *r, const char *name, uint64_t otherwise)
{
    const json_t *value = json_object_get(r->object, name);
    return value ? (uint64_t)json_integer_value(value) : otherwise;
}

const char *ft_control_text(const struct ft_control_request *r, const char *name,
                            const char *otherwise)
{
    const char *text = json_string_value(json_object_get(r->object, name));
    return text ? text : otherwise;
}

bool ft_control_is_change(const struct ft_control_request *r)
{
    return r->of->effect == FT_CONTROL_CHANGES ||
           (r->of->effect == FT_CONTROL_CHANGES_IF_GIVEN &&
            json_object_get(r->object, r->of->arguments[0].name));
}
