/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An alerting core that writes to a folder of its own, and the lines that it wrote. For unit tests:
 * one core at a time, a failure is a failed cmocka assertion.
 */
#ifndef FT_TEST_ALERT_CORE_H
#define FT_TEST_ALERT_CORE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <jansson.h>

#include "alert/core.h"
#include "records.h"

#define MINUTE (60 * S)

static char directory[64], path[128], error[4000];
static struct ft_registry *registry;
static struct ft_output *out;
static struct ft_core *core;
static struct ft_core_config config;
static struct record r __attribute__((unused));
static json_t *lines[4000];
static size_t line_count;

static inline void open_core(void)
{
    out = ft_output_open(directory, error, sizeof(error));
    assert_non_null(out);
    core = ft_core_new(&config, registry, out, error, sizeof(error));
    assert_non_null(core);
}

static inline void close_core(void)
{
    ft_core_free(core);
    core = NULL;
    assert_true(ft_output_close(out, NULL, error, sizeof(error)));
}

/** A folder, a registry and the least configuration, for open_core(). */
static inline void make_folder(void)
{
    strcpy(directory, "/tmp/ft_alert_XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/eve.json", directory);
    registry = make_registry();
    config = (struct ft_core_config){.sensor = "plant-1", .oui = "/nonexistent"};
}

static inline void drop_lines(void)
{
    while (line_count)
        json_decref(lines[--line_count]);
}

/** All of it is gone; the folder must be empty but for the lines. */
static inline int remove_folder(void)
{
    if (core)
        close_core();
    drop_lines();
    ft_registry_free(registry);
    unlink(path);
    return rmdir(directory);
}

/** Read all lines, each of which must be one JSON object. */
static inline void read_lines(void)
{
    char *text = NULL;
    size_t size = 0;
    json_error_t where;
    drop_lines();
    ft_output_flush(out);
    FILE *f = fopen(path, "r");
    for (ssize_t n; (n = getline(&text, &size, f)) > 0;) {
        assert_int_equal(text[n - 1], '\n');
        json_t *o = json_loads(text, JSON_REJECT_DUPLICATES, &where);
        if (!o)
            fail_msg("%s in %s", where.text, text);
        assert_int_equal(strncmp(text, "{\"timestamp\":\"", 14), 0);
        lines[line_count++] = o;
    }
    free(text);
    fclose(f);
}

static inline void give(struct record *record)
{
    ft_core_event(core, &record->event);
}

/** The n-th line of an event type, from 0; NULL when there are fewer. */
static inline json_t *line(const char *type, size_t n)
{
    for (size_t i = 0; i < line_count; i++)
        if (!strcmp(json_string_value(json_object_get(lines[i], "event_type")), type) && n-- == 0)
            return lines[i];
    return NULL;
}

/** A member by path "a.b.0.c"; NULL when it is not there. */
static inline json_t *at(json_t *o, const char *where)
{
    char key[64];
    while (o && *where) {
        size_t n = strcspn(where, ".");
        snprintf(key, sizeof(key), "%.*s", (int)n, where);
        o = json_is_array(o) ? json_array_get(o, (size_t)atoi(key)) : json_object_get(o, key);
        where += n + (where[n] == '.');
    }
    return o;
}

static inline void assert_text(json_t *o, const char *where, const char *expected)
{
    json_t *v = at(o, where);
    if (!v || !json_is_string(v) || strcmp(json_string_value(v), expected) != 0)
        fail_msg("%s is not \"%s\" in %s", where, expected, json_dumps(o, JSON_INDENT(1)));
}

static inline void assert_number(json_t *o, const char *where, json_int_t expected)
{
    json_t *v = at(o, where);
    if (!v || !json_is_integer(v) || json_integer_value(v) != expected)
        fail_msg("%s is not %lld in %s", where, (long long)expected, json_dumps(o, JSON_INDENT(1)));
}

#endif
