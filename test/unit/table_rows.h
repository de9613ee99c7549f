/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tables of a dissector held against the rows of a test, which were checked with the specification:
 * how numbers are spelled, what commands and violations are worth to an alert. A table has to have
 * the rows of the test and no other, so whoever changes one has a reason for changing both.
 */
#ifndef FT_TEST_TABLE_ROWS_H
#define FT_TEST_TABLE_ROWS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <fieldtap/dissector.h>

#define ROWS(array) (sizeof(array) / sizeof((array)[0]))

struct command_row {
    uint32_t code, qualifier;
    const char *name;
    uint8_t class_;
    const char *mitre; /* NULL: that of the class */
};

struct field_row {
    const char *path; /* names of its groups and its own, with dots between */
    uint8_t type;
    uint32_t bits;
    uint8_t flags; /* FT_FIELD_SECRET: told as length and hash only */
};

struct violation_row {
    const char *name;
    uint8_t severity, engine, is_alert;
    const char *mitre, *reference, *category;
};

static inline bool is_same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static inline const struct ft_command *command_of(const struct ft_dissector *d, uint32_t code,
                                                  uint32_t qualifier)
{
    const struct ft_command *commands = d->commands.rows;
    for (uint32_t i = 0; i < d->commands.count; i++)
        if (commands[i].code == code && commands[i].qualifier == qualifier)
            return &commands[i];
    fail_msg("%s has no command %#x, %#x", d->name, code, qualifier);
    return NULL;
}

static inline void assert_command(const struct ft_dissector *d, const struct command_row *row)
{
    const struct ft_command *c = command_of(d, row->code, row->qualifier);
    if (!is_same_text(c->name, row->name) || c->class_ != row->class_ ||
        !is_same_text(c->mitre, row->mitre))
        fail_msg("%s %#x, %#x is %s of class %u, %s", d->name, c->code, c->qualifier, c->name,
                 c->class_, c->mitre ? c->mitre : "without techniques");
}

/* These and no others. */
static inline void assert_commands(const struct ft_dissector *d, const struct command_row *rows,
                                   size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_command(d, &rows[i]);
    assert_int_equal(d->commands.count, n);
}

/* Is it the field `path`, the names of its groups and its own with dots between? */
static inline bool is_at_path(const struct ft_field *fields, uint32_t field, const char *path)
{
    const char *own = strrchr(path, '.');
    if (strcmp(fields[field].name, own ? own + 1 : path) != 0)
        return false;
    char rest[128] = "";
    snprintf(rest, sizeof(rest), "%.*s", own ? (int)(own - path) : 0, path);
    uint16_t parent = fields[field].parent;
    return parent ? is_at_path(fields, parent, rest) : !*rest;
}

static inline const struct ft_field *field_at(const struct ft_dissector *d, const char *path)
{
    const struct ft_field *fields = d->fields.rows;
    for (uint32_t i = 1; i < d->fields.count; i++)
        if (is_at_path(fields, i, path))
            return &fields[i];
    fail_msg("%s has no field %s", d->name, path);
    return NULL;
}

/* The field has these names, to the row with NULL, and no others. */
static inline void assert_names(const struct ft_dissector *d, const char *path,
                                const struct ft_name *rows)
{
    const struct ft_field *field = field_at(d, path);
    assert_true(field->type == FT_TYPE_ENUM || field->type == FT_TYPE_FLAGS);
    const struct ft_name *names = field->names;
    assert_non_null(names);
    for (; rows->name && names->name; rows++, names++)
        if (names->value != rows->value || strcmp(names->name, rows->name) != 0)
            fail_msg("%s: %#llx is %s, not %#llx %s", path, (unsigned long long)names->value,
                     names->name, (unsigned long long)rows->value, rows->name);
    if (rows->name || names->name)
        fail_msg("%s: one ends before %s", path, rows->name ? rows->name : names->name);
}

/* These, in this order, and no others. */
static inline void assert_fields(const struct ft_dissector *d, const struct field_row *rows,
                                 size_t n)
{
    const struct ft_field *fields = d->fields.rows;
    for (uint32_t i = 0; i < n && i + 1 < d->fields.count; i++) {
        const struct ft_field *f = &fields[i + 1];
        if (!is_at_path(fields, i + 1, rows[i].path))
            fail_msg("%s stands where %s was", f->name, rows[i].path);
        if (f->type != rows[i].type || f->bits != rows[i].bits || f->flags != rows[i].flags)
            fail_msg("%s is of type %u, %u bits, flags %u", rows[i].path, f->type, f->bits,
                     f->flags);
    }
    assert_int_equal(d->fields.count, n + 1);
}

static inline void assert_violation_row(const struct ft_violation *v,
                                        const struct violation_row *row)
{
    if (v->severity != row->severity || v->engine != row->engine || v->is_alert != row->is_alert ||
        !is_same_text(v->mitre, row->mitre) || !is_same_text(v->reference, row->reference) ||
        !is_same_text(v->category, row->category))
        fail_msg("%s is %u, %u, %u, %s, %s, %s", v->name, v->severity, v->engine, v->is_alert,
                 v->mitre ? v->mitre : "-", v->reference ? v->reference : "-",
                 v->category ? v->category : "-");
}

/* These, in this order, and no others: their numbers are positions. */
static inline void assert_violations(const struct ft_dissector *d, const struct violation_row *rows,
                                     size_t n)
{
    const struct ft_violation *violations = d->violations.rows;
    for (size_t i = 0; i < n && i < d->violations.count; i++) {
        assert_string_equal(violations[i].name, rows[i].name);
        assert_violation_row(&violations[i], &rows[i]);
    }
    assert_int_equal(d->violations.count, n);
}

#endif
